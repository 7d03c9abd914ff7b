//! What a shape selects, and that it means the same whatever names surround it.

use orm::prelude::{Record, Shape};
use orm::sql::Dialect;
use orm::value::Id;

use crate::{Comment, Post, Profile, User};

#[derive(Shape)]
#[shape(User)]
struct Page {
    /// Longer than the column.
    #[expr(|u| u.name.lower())]
    lower: String,
    #[rel(order = |p| p.id.desc(), limit = 5)]
    posts: Vec<Card>,
    #[col(email)]
    mail: String,
    #[count(posts, filter = |p| p.published)]
    published: i64,
    #[rel]
    profile: Option<Profile>,
}

#[derive(Shape)]
#[shape(Post)]
struct Card {
    title: String,
}

#[derive(Shape)]
#[shape(Post)]
struct Commented {
    #[rel]
    comments: Vec<Comment>,
}

fn both<T>(render: impl Fn(&dyn Dialect) -> orm::Result<T>) -> [T; 2] {
    [
        render(&orm::sqlite::DIALECT).unwrap(),
        render(&orm::postgres::DIALECT).unwrap(),
    ]
}

#[test]
fn only_the_columns_that_are_named() {
    // letters beyond ASCII are folded by a function of the library's own where the database has none
    let lower = ["orm_lower", "lower"].into_iter();
    for (lower, sql) in lower.zip(both(|d| User::query().shape::<Page>().to_sql(d))) {
        let text = sql.text.replacen(lower, "lower", 1);
        assert!(sql.text.starts_with(&format!("SELECT {lower}(")), "{}", sql.text);
        assert_eq!(
            text,
            r#"SELECT lower(t0."name"), t0."email", (SELECT count(*) FROM "posts" AS t1 WHERE t1."author_id" = t0."id" AND t1."published" AND t1."deleted_at" IS NULL), t0."id" FROM "users" AS t0"#
        );
    }
    for sql in both(|d| Post::query().shape::<Card>().filter(|p| p.published).to_sql(d)) {
        assert_eq!(
            &*sql.text,
            r#"SELECT t0."title" FROM "posts" AS t0 WHERE t0."published" AND t0."deleted_at" IS NULL"#
        );
    }
    // nothing of its own but what relates it to the comments
    for sql in both(|d| Post::query().shape::<Commented>().to_sql(d)) {
        assert_eq!(
            &*sql.text,
            r#"SELECT t0."id" FROM "posts" AS t0 WHERE t0."deleted_at" IS NULL"#
        );
    }
}

#[test]
fn names_for_hand_written_statements() {
    use orm::value::{Lookup, Output};
    fn names<O: Output>() -> Vec<&'static str> {
        let mut columns = Vec::new();
        assert_eq!(O::columns(&mut columns), Lookup::Name);
        columns.iter().map(|c| c.name).collect()
    }
    assert_eq!(names::<Page>(), ["lower", "email", "published"]);
    assert_eq!(names::<Card>(), ["title"]);
    const { assert!(Page::LOADS && !Card::LOADS) };
}

/// No prelude, and everything it holds is something else.
mod bare {
    #![no_implicit_prelude]
    #![allow(dead_code)]

    use ::orm::value::Id;
    use ::orm::{Model, Shape};

    pub struct Option;
    pub struct Result;
    pub struct Vec;
    pub struct Some;
    pub struct None;
    pub struct Ok;
    pub mod core {}
    pub mod std {}

    #[derive(Model)]
    #[has_many(parts: Part)]
    pub struct Thing {
        pub id: Id<Thing>,
        pub r#type: ::std::string::String,
        pub row: ::std::string::String,
        pub local: i64,
        pub loads: i64,
        pub plan: i64,
        pub cols: i64,
    }

    #[derive(Model)]
    pub struct Part {
        pub id: Id<Part>,
        #[belongs_to(thing: Thing)]
        pub thing_id: Id<Thing>,
        #[belongs_to(r#in: Thing)]
        pub in_id: ::std::option::Option<Id<Thing>>,
    }

    // the type of a column that is nobody's business, in a shape that everybody sees
    type Hidden = i64;

    #[derive(Shape)]
    #[shape(Thing)]
    pub struct ThingPage {
        r#type: ::std::string::String,
        #[col(r#type)]
        again: ::std::string::String,
        row: ::std::string::String,
        local: Hidden,
        loads: i64,
        plan: i64,
        cols: i64,
        #[rel]
        parts: ::std::vec::Vec<PartPage>,
        #[count(parts)]
        count: i64,
    }

    #[derive(Shape)]
    #[shape(Part)]
    struct PartPage {
        #[rel]
        r#in: ::std::option::Option<Thing>,
    }
}

/// A column of a type of this module alone does not show through the shape.
pub mod visible {
    use orm::prelude::{DbEnum, Model, Shape};
    use orm::value::Id;

    #[derive(DbEnum, Clone, Copy)]
    pub(crate) enum Secret {
        A,
    }

    #[derive(Model)]
    #[has_many(children: Tree, by = parent_id)]
    pub struct Tree {
        pub id: Id<Tree>,
        pub(crate) secret: Secret,
        #[belongs_to(parent: Tree)]
        pub parent_id: Option<Id<Tree>>,
    }

    #[derive(Shape)]
    #[shape(Tree)]
    pub struct Root {
        #[allow(dead_code)]
        secret: Secret,
        #[rel]
        pub children: Vec<Leaf>,
    }

    #[derive(Shape)]
    #[shape(Tree)]
    pub struct Leaf {
        pub id: Id<Tree>,
    }
}

/// A shape that a macro writes, from names of its caller and its own.
macro_rules! shapes {
    ($($name:ident of $model:ident { $field:ident: $ty:ty, $relation:ident: $list:ty })*) => {$(
        #[derive(Shape)]
        #[shape($model)]
        struct $name {
            $field: $ty,
            #[expr(|row| row.id)]
            key: Id<$model>,
            #[rel(order = |row| row.id.asc())]
            $relation: $list,
            #[count($relation)]
            how_many: i64,
        }
    )*};
}
shapes! {
    Written of User { name: String, posts: Vec<Post> }
    Talk of Post { title: String, comments: Vec<Comment> }
}

#[test]
fn shapes_of_a_macro() {
    let [sqlite, _] = both(|d| Post::query().shape::<Talk>().to_sql(d));
    assert!(
        sqlite
            .text
            .starts_with(r#"SELECT t0."title", t0."id", (SELECT count(*)"#)
    );
}

/// A facade under another name.
mod renamed {
    pub(crate) mod facade {
        pub(crate) use orm::private;
    }

    #[derive(orm::Shape)]
    #[shape(crate::User, crate = facade)]
    pub(crate) struct Small {
        pub(crate) name: String,
    }
}

#[test]
fn shapes_of_models_elsewhere() {
    let [sqlite, _] = both(|d| User::query().shape::<renamed::Small>().to_sql(d));
    assert_eq!(&*sqlite.text, r#"SELECT t0."name" FROM "users" AS t0"#);
}
