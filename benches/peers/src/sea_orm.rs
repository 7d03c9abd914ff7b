//! sea-orm, one entity for both backends, on the pool it makes by itself.

use std::path::Path;

use chrono::Utc;
use sea_orm::ActiveValue::{NotSet, Set, Unchanged};
use sea_orm::{
    ColumnTrait, ConnectOptions, Database, DatabaseConnection, EntityTrait, LoaderTrait, QueryFilter,
    QueryOrder,
};
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

use crate::data::{NewPerson, Person, SEEDED};
use crate::harness::{Peer, Result};
use crate::library::{Author, Book, Chapter, Shelf};

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

#[allow(unreachable_pub, reason = "the derive writes public items")]
mod authors {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "authors")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,

        pub name: String,

        pub email: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(has_many = "super::books::Entity")]
        Books,
    }

    impl Related<super::books::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Books.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

#[allow(unreachable_pub, reason = "the derive writes public items")]
mod books {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "books")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,

        pub author_id: i64,

        pub title: String,

        pub year: i32,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::authors::Entity",
            from = "Column::AuthorId",
            to = "super::authors::Column::Id"
        )]
        Author,
        #[sea_orm(has_many = "super::chapters::Entity")]
        Chapters,
    }

    impl Related<super::authors::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Author.def()
        }
    }

    impl Related<super::chapters::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Chapters.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

#[allow(unreachable_pub, reason = "the derive writes public items")]
mod chapters {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "chapters")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,

        pub book_id: i64,

        pub heading: String,

        pub pages: i32,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::books::Entity",
            from = "Column::BookId",
            to = "super::books::Column::Id"
        )]
        Book,
    }

    impl Related<super::books::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Book.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// An author with what the loader found.
pub(crate) struct Loaded {
    author: authors::Model,
    books: Vec<(books::Model, Vec<chapters::Model>)>,
}

impl From<Loaded> for Shelf {
    fn from(loaded: Loaded) -> Shelf {
        let authors::Model { id, name, email } = loaded.author;
        let chapter = |c: chapters::Model| Chapter {
            id: c.id,
            book_id: c.book_id,
            heading: c.heading,
            pages: c.pages,
        };
        let book = |(b, chapters): (books::Model, Vec<chapters::Model>)| {
            let book = Book {
                id: b.id,
                author_id: b.author_id,
                title: b.title,
                year: b.year,
            };
            (book, chapters.into_iter().map(chapter).collect())
        };
        Shelf {
            author: Author { id, name, email },
            books: loaded.books.into_iter().map(book).collect(),
        }
    }
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

    type Shelf = Loaded;
    async fn associations(&mut self) -> Result<Vec<Loaded>> {
        let found = authors::Entity::find()
            .order_by_asc(authors::Column::Id)
            .all(&self.db)
            .await?;
        let by_author = found
            .load_many(books::Entity::find().order_by_asc(books::Column::Id), &self.db)
            .await?;
        let sizes: Vec<usize> = by_author.iter().map(Vec::len).collect();
        let all: Vec<books::Model> = by_author.into_iter().flatten().collect();
        let by_book = all
            .load_many(
                chapters::Entity::find().order_by_asc(chapters::Column::Id),
                &self.db,
            )
            .await?;
        let mut books = all.into_iter().zip(by_book);
        let shelf = |(author, size)| Loaded {
            author,
            books: books.by_ref().take(size).collect(),
        };
        Ok(found.into_iter().zip(sizes).map(shelf).collect())
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
