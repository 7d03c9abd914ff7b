//! diesel-async on one connection, which caches statements by itself.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};

use crate::data::{NewPerson, Person, SEEDED};
use crate::harness::{Peer, Result};

diesel::table! {
    people {
        id -> BigInt,
        name -> Text,
        email -> Text,
        age -> Integer,
        score -> Double,
        active -> Bool,
        bio -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

#[derive(Insertable)]
#[diesel(table_name = people, treat_none_as_default_value = false)]
struct Insert {
    name: String,
    email: String,
    age: i32,
    score: f64,
    active: bool,
    bio: Option<String>,
    created_at: DateTime<Utc>,
}

pub(crate) struct DieselAsync {
    connection: AsyncPgConnection,
}

impl DieselAsync {
    pub(crate) async fn connect(url: &str) -> Result<DieselAsync> {
        Ok(DieselAsync {
            connection: AsyncPgConnection::establish(url).await?,
        })
    }
}

impl Peer for DieselAsync {
    const NAME: &'static str = "diesel-async";
    type Row = Person;

    async fn find(&mut self, id: i64) -> Result<Person> {
        Ok(people::table.find(id).get_result(&mut self.connection).await?)
    }

    async fn select(&mut self, rows: i64) -> Result<Vec<Person>> {
        Ok(people::table
            .filter(people::id.between(1, rows))
            .order(people::id)
            .load(&mut self.connection)
            .await?)
    }

    async fn insert(&mut self, new: NewPerson) -> Result<i64> {
        let insert = diesel::insert_into(people::table)
            .values(Insert::from(new))
            .returning(people::id);
        Ok(insert.get_result(&mut self.connection).await?)
    }

    async fn insert_many(&mut self, new: Vec<NewPerson>) -> Result<()> {
        let rows: Vec<_> = new.into_iter().map(Insert::from).collect();
        diesel::insert_into(people::table)
            .values(rows)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    async fn update(&mut self, id: i64, age: i32) -> Result<u64> {
        let update = diesel::update(people::table.find(id)).set(people::age.eq(age));
        Ok(update.execute(&mut self.connection).await? as u64)
    }

    async fn clear(&mut self) -> Result<()> {
        diesel::delete(people::table.filter(people::id.gt(SEEDED)))
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }
}

impl From<NewPerson> for Insert {
    fn from(new: NewPerson) -> Insert {
        let NewPerson {
            name,
            email,
            age,
            score,
            active,
            bio,
            created_at,
        } = new;
        Insert {
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
