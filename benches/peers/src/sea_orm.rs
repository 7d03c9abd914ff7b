//! sea-orm, one entity for both backends, on the pool it makes by itself.

use std::path::Path;

use chrono::Utc;
use sea_orm::ActiveValue::{NotSet, Set, Unchanged};
use sea_orm::{
    ColumnTrait, ConnectOptions, Database, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder,
};
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

use crate::data::{NewPerson, Person, SEEDED};
use crate::harness::{Peer, Result};

#[allow(unreachable_pub, reason = "the derive writes public items")]
mod people {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "people")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub name: String,
        pub email: String,
        pub age: i32,
        pub score: f64,
        pub active: bool,
        pub bio: Option<String>,
        pub created_at: DateTimeUtc,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) struct SeaOrm {
    db: DatabaseConnection,
}

impl SeaOrm {
    pub(crate) async fn sqlite(file: &Path) -> Result<SeaOrm> {
        let mut options = ConnectOptions::new(format!("sqlite://{}", file.display()));
        options.map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal)
        });
        Ok(SeaOrm {
            db: Database::connect(options).await?,
        })
    }

    pub(crate) async fn postgres(url: &str) -> Result<SeaOrm> {
        Ok(SeaOrm {
            db: Database::connect(url).await?,
        })
    }
}

impl Peer for SeaOrm {
    const NAME: &'static str = "sea-orm";
    type Row = people::Model;

    async fn find(&mut self, id: i64) -> Result<people::Model> {
        let found = people::Entity::find_by_id(id).one(&self.db).await?;
        Ok(found.ok_or("no such person")?)
    }

    async fn select(&mut self, rows: i64) -> Result<Vec<people::Model>> {
        let query = people::Entity::find()
            .filter(people::Column::Id.between(1, rows))
            .order_by_asc(people::Column::Id);
        Ok(query.all(&self.db).await?)
    }

    async fn insert(&mut self, new: NewPerson) -> Result<i64> {
        Ok(people::Entity::insert(active(new))
            .exec(&self.db)
            .await?
            .last_insert_id)
    }

    async fn insert_many(&mut self, new: Vec<NewPerson>) -> Result<()> {
        let models = new.into_iter().map(active);
        people::Entity::insert_many(models)
            .exec_without_returning(&self.db)
            .await?;
        Ok(())
    }

    async fn update(&mut self, id: i64, age: i32) -> Result<u64> {
        let model = people::ActiveModel {
            id: Unchanged(id),
            age: Set(age),
            ..Default::default()
        };
        let updated = people::Entity::update(model)
            .validate()?
            .exec_without_returning(&self.db)
            .await?;
        Ok(updated.rows_affected)
    }

    async fn clear(&mut self) -> Result<()> {
        people::Entity::delete_many()
            .filter(people::Column::Id.gt(SEEDED))
            .exec(&self.db)
            .await?;
        Ok(())
    }
}

fn active(new: NewPerson) -> people::ActiveModel {
    people::ActiveModel {
        id: NotSet,
        name: Set(new.name),
        email: Set(new.email),
        age: Set(new.age),
        score: Set(new.score),
        active: Set(new.active),
        bio: Set(new.bio),
        created_at: Set(new.created_at),
    }
}

impl From<people::Model> for Person {
    fn from(model: people::Model) -> Person {
        let people::Model {
            id,
            name,
            email,
            age,
            score,
            active,
            bio,
            created_at,
        } = model;
        Person {
            id,
            name,
            email,
            age,
            score,
            active,
            bio,
            created_at: created_at.with_timezone(&Utc),
        }
    }
}
