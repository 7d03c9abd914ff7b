//! diesel on one connection, which caches statements by itself.

use std::path::Path;

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::data::{NewPerson, Person, SEEDED};
use crate::harness::{Peer, Result};
use crate::sqlite::PRAGMAS;

diesel::table! {
    people {
        id -> BigInt,
        name -> Text,
        email -> Text,
        age -> Integer,
        score -> Double,
        active -> Bool,
        bio -> Nullable<Text>,
        created_at -> TimestamptzSqlite,
    }
}

/// Without defaults for `None`, because they would make diesel write a bulk insert row by row.
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

pub(crate) struct Diesel {
    connection: SqliteConnection,
}

impl Diesel {
    pub(crate) fn open(file: &Path) -> Result<Diesel> {
        let mut connection = SqliteConnection::establish(&file.to_string_lossy())?;
        connection.batch_execute(PRAGMAS)?;
        Ok(Diesel { connection })
    }
}

impl Peer for Diesel {
    const NAME: &'static str = "diesel";
    type Row = Person;

    async fn find(&mut self, id: i64) -> Result<Person> {
        Ok(people::table.find(id).get_result(&mut self.connection)?)
    }

    async fn select(&mut self, rows: i64) -> Result<Vec<Person>> {
        Ok(people::table
            .filter(people::id.between(1, rows))
            .order(people::id)
            .load(&mut self.connection)?)
    }

    async fn insert(&mut self, new: NewPerson) -> Result<i64> {
        let insert = diesel::insert_into(people::table)
            .values(Insert::from(new))
            .returning(people::id);
        Ok(insert.get_result(&mut self.connection)?)
    }

    async fn insert_many(&mut self, new: Vec<NewPerson>) -> Result<()> {
        let rows: Vec<_> = new.into_iter().map(Insert::from).collect();
        diesel::insert_into(people::table)
            .values(rows)
            .execute(&mut self.connection)?;
        Ok(())
    }

    async fn update(&mut self, id: i64, age: i32) -> Result<u64> {
        let update = diesel::update(people::table.find(id)).set(people::age.eq(age));
        Ok(update.execute(&mut self.connection)? as u64)
    }

    async fn clear(&mut self) -> Result<()> {
        diesel::delete(people::table.filter(people::id.gt(SEEDED))).execute(&mut self.connection)?;
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
