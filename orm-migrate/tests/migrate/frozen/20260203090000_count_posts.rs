//! Data migration 20260203090000_count_posts: `migrations.with(count_posts::migration()?)?` registers it.

use orm::migrate::{Header, Kind, Migration, Phase};
use orm::prelude::*;

/// The migration.
///
/// # Errors
/// `Config` for a name that is not usable.
pub fn migration() -> orm::Result<Migration> {
    Ok(Migration::code(20260203090000, "count_posts", |tx| Box::pin(up(tx)))?
        .with_header(Header { kind: Kind::Data, why: Some("people \"count\"".into()), phase: Some(Phase::Contract), depends_on: vec![20260202090000], ..Header::default() })
        .frozen(frozen::schema()))
}

/// What becomes of the rows, in one transaction.
async fn up(tx: &mut Tx) -> orm::Result<()> {
    let _ = tx; // change them here: `frozen::…::query().all(tx).await?`
    Err(orm::Error::config("the data migration count_posts is not written yet"))
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
    pub struct Post {
        pub id: Id<Post>,
        #[belongs_to(author: User, on_delete = cascade)]
        pub author_id: Id<User>,
        pub title: String,
    }

    #[derive(Model, Clone, Debug)]
    #[has_many(posts: Post, by = author_id)]
    pub struct User {
        pub id: Id<User>,
        pub name: String,
        pub nick: Option<String>,
        pub active: bool,
        pub mood: Option<Mood>,
    }

    /// All models.
    pub fn schema() -> orm::schema::Schema {
        orm::schema![Post, User]
    }
}
