//! Data migration 20260202090000_lower_names: `migrations.with(lower_names::migration()?)?` registers it.

use orm::migrate::{Backfill, Migration};
use orm::prelude::*;

/// The migration.
///
/// # Errors
/// `Config` for a name that is not usable.
pub fn migration() -> orm::Result<Migration> {
    let work = Backfill::rows(|tx, rows: Vec<frozen::User>| Box::pin(batch(tx, rows))).batch(5000);
    Ok(Migration::backfill(20260202090000, "lower_names", work)?
        .frozen(frozen::schema()))
}

/// What becomes of some rows, in a transaction of their own. It is run again if that fails.
async fn batch(tx: &mut Tx, rows: Vec<frozen::User>) -> orm::Result<()> {
    let _ = (tx, rows); // change them here: `row.update().set(|r| ..).save(tx).await?`
    Err(orm::Error::config("the data migration lower_names is not written yet"))
}

/// The tables as they were when this was written. They stay so, whatever becomes of the models of the program.
#[allow(dead_code)]
pub mod frozen {
    use orm::prelude::*;

    #[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Mood {
        Good,
        Bad,
    }

    #[derive(Model, Clone, Debug)]
    pub struct User {
        pub id: Id<User>,
        pub name: String,
        pub nick: Option<String>,
        pub active: bool,
        pub mood: Option<Mood>,
    }

    /// All models.
    pub fn schema() -> orm::schema::Schema {
        orm::schema![User]
    }
}
