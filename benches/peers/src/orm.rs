//! This library, on either backend, through the handle and the methods its users write.

use chrono::{DateTime, Utc};
use orm::prelude::*;
use orm::query::IntoInsert;

use crate::data::{NewPerson, Person, SEEDED};
use crate::harness::{Peer, Result};

#[derive(Model)]
#[orm(table = "people")]
pub(crate) struct Human {
    pub(crate) id: Id<Human>,
    name: String,
    email: String,
    age: i32,
    score: f64,
    active: bool,
    bio: Option<String>,
    created_at: DateTime<Utc>,
}

impl From<Human> for Person {
    fn from(human: Human) -> Person {
        let Human {
            id,
            name,
            email,
            age,
            score,
            active,
            bio,
            created_at,
        } = human;
        Person {
            id: id.raw(),
            name,
            email,
            age,
            score,
            active,
            bio,
            created_at,
        }
    }
}

fn row(new: NewPerson) -> impl IntoInsert<Human> {
    let NewPerson {
        name,
        email,
        age,
        score,
        active,
        bio,
        created_at,
    } = new;
    NewHuman {
        name,
        email,
        age,
        score,
        active,
        created_at,
    }
    .set(|h| h.bio.to(bio))
}

pub(crate) struct Orm {
    db: Db,
}

impl Orm {
    pub(crate) async fn connect(url: &str) -> Result<Orm> {
        Ok(Orm {
            db: Db::connect(url).await?,
        })
    }
}

impl Peer for Orm {
    const NAME: &'static str = "orm";
    type Row = Human;

    async fn find(&mut self, id: i64) -> Result<Human> {
        Ok(Human::get(&self.db, Id::new(id)).await?)
    }

    async fn select(&mut self, rows: i64) -> Result<Vec<Human>> {
        let people = Human::query()
            .filter(|h| h.id.between(Id::new(1), Id::new(rows)))
            .order_by(|h| h.id.asc());
        Ok(people.all(&self.db).await?)
    }

    async fn insert(&mut self, new: NewPerson) -> Result<i64> {
        let human: Human = row(new).into_insert().insert(&self.db).await?;
        Ok(human.id.raw())
    }

    async fn insert_many(&mut self, new: Vec<NewPerson>) -> Result<()> {
        NewHuman::exec_all(&self.db, new.into_iter().map(row)).await?;
        Ok(())
    }

    async fn update(&mut self, id: i64, age: i32) -> Result<u64> {
        Ok(Human::update_where(|h| h.id.eq(Id::new(id)))
            .set(|h| h.age.to(age))
            .exec(&self.db)
            .await?)
    }

    async fn clear(&mut self) -> Result<()> {
        Human::delete_where(|h| h.id.gt(Id::new(SEEDED)))
            .exec(&self.db)
            .await?;
        Ok(())
    }
}
