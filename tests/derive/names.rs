//! Generated code means the same whatever names surround it.

use orm::prelude::Model;
use orm::query::New;

/// No prelude, and everything it holds is something else.
mod bare {
    #![no_implicit_prelude]
    #![allow(dead_code)]

    use ::orm::value::Id;
    use ::orm::{DbEnum, Embed, Model};

    pub struct Option;
    pub struct Result;
    pub struct Vec;
    pub struct String;
    pub struct Ok;
    pub struct Some;
    pub struct None;
    pub struct Clone;
    pub struct Copy;
    pub struct Default;
    pub struct Into;
    pub struct Iterator;
    pub struct Table;
    pub struct Column;
    pub mod core {}
    pub mod std {}

    #[derive(Model)]
    #[orm(timestamps, soft_delete, debug, audit(by = Id<Owner>), unique(name, code))]
    #[has_many(parts: Part)]
    #[many_to_many(owners: Owner, via = Part)]
    pub struct Thing {
        pub id: Id<Thing>,
        pub name: ::std::string::String,
        #[orm(default = "x")]
        pub code: ::std::string::String,
        #[orm(json)]
        pub list: ::std::vec::Vec<i32>,
        #[orm(skip)]
        pub cache: i32,
        #[orm(version)]
        pub version: i64,
        pub mood: Mood,
        #[orm(embed)]
        pub size: Size,
        #[orm(embed)]
        pub r#box: ::std::option::Option<Size>,
    }

    #[derive(Embed)]
    #[orm(debug)]
    pub struct Size {
        #[orm(check = "{width} < {r#type}")]
        pub width: i32,
        pub r#type: i32,
        #[orm(json)]
        pub list: ::std::option::Option<::std::vec::Vec<i32>>,
        #[orm(skip)]
        pub cache: i32,
        #[orm(embed)]
        pub r#in: Inner,
    }

    /// Fields that are called like what generated code works with.
    #[derive(Embed)]
    #[orm(debug)]
    pub struct Inner {
        pub source: i32,
        pub columns: i32,
        pub row: i32,
        pub out: ::std::option::Option<i32>,
        #[orm(embed)]
        pub orm: Innermost,
    }

    #[derive(Embed)]
    #[orm(debug)]
    pub struct Innermost {
        pub decode: i32,
    }

    #[derive(Model)]
    #[orm(id(thing_id, owner_id))]
    pub struct Part {
        #[belongs_to(thing: Thing)]
        pub thing_id: Id<Thing>,
        #[belongs_to(owner: Owner)]
        pub owner_id: Id<Owner>,
        #[belongs_to(other: Owner)]
        pub other_id: ::std::option::Option<Id<Owner>>,
    }

    #[derive(Model)]
    pub struct Owner {
        pub id: Id<Owner>,
    }

    #[derive(DbEnum)]
    #[allow(missing_debug_implementations)]
    pub enum Mood {
        Good,
        Bad,
    }
    impl ::std::clone::Clone for Mood {
        fn clone(&self) -> Self {
            *self
        }
    }
    impl ::std::marker::Copy for Mood {}
    impl ::std::fmt::Debug for Mood {
        fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
            f.write_str("mood")
        }
    }
}

/// Names that are words of Rust, of SQL, or of generated code.
#[derive(Model, Clone, Debug)]
#[orm(unique(select, r#match), index(r#type))]
pub struct Odd {
    pub id: i64,
    pub select: String,
    pub filter: String,
    pub base: String,
    pub source: String,
    pub row: String,
    pub out: i32,
    pub r#match: bool,
    pub r#type: String,
    pub order: Option<String>,
    pub key: i32,
    pub batch: i32,
}

/// A column of a type that is called like a parameter of the columns.
#[derive(orm::DbEnum, Clone, Copy)]
pub enum S {
    A,
}

#[derive(Model)]
struct Sized_ {
    id: i64,
    s: S,
}

mod outer {
    pub(crate) mod inner {
        use orm::prelude::Model;
        use orm::value::Id;

        #[derive(Model)]
        #[has_many(rows: Row)]
        pub(super) struct Narrow {
            id: Id<Narrow>,
        }

        #[derive(Model)]
        pub(in crate::derive::names::outer) struct Row {
            id: Id<Row>,
            #[belongs_to(narrow: Narrow)]
            pub(super) narrow_id: Id<Narrow>,
        }

        #[derive(Model)]
        #[has_many(twos: Two)]
        struct One {
            id: Id<One>,
        }

        #[derive(Model)]
        struct Two {
            id: Id<Two>,
            #[belongs_to(one: self::One)]
            one_id: Id<One>,
        }

        pub(super) fn tables() -> [&'static str; 2] {
            let _ = (
                One { id: Id::new(1) }.twos(),
                Two {
                    id: Id::new(1),
                    one_id: Id::new(1),
                }
                .one(),
            );
            [One::TABLE.name(), Two::TABLE.name()]
        }
    }

    pub(super) fn tables() -> Vec<&'static str> {
        use orm::prelude::Model;
        let mut names = vec![inner::Narrow::TABLE.name(), inner::Row::TABLE.name()];
        names.extend(inner::tables());
        names
    }
}

#[test]
fn without_a_prelude() {
    assert_eq!(bare::Thing::TABLE.name(), "things");
    assert_eq!(
        <bare::NewThing as New>::COLUMNS,
        [1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    );
    assert_eq!(bare::Part::TABLE.key, [0, 1]);
}

#[test]
fn names_of_columns() {
    let names: Vec<_> = Odd::TABLE.columns.iter().map(|c| c.column.name).collect();
    let expected = [
        "id", "select", "filter", "base", "source", "row", "out", "match", "type", "order", "key", "batch",
    ];
    assert_eq!(names, expected);
    assert_eq!(Odd::TABLE.columns[8].field, "type");
    let cols = Odd::cols::<Odd>(orm::private::Source::ROOT);
    let (_, _) = (cols.r#match, cols.select_match());
    assert_eq!(<NewOdd as New>::COLUMNS.len(), 10);
    assert_eq!(Sized_::TABLE.columns.len(), 2);
}

#[test]
fn narrow_visibilities() {
    assert_eq!(outer::tables(), ["narrows", "rows", "ones", "twos"]);
}

#[test]
fn inside_a_function() {
    #[derive(Model)]
    #[has_many(others: Inner)]
    struct Inner {
        id: i64,
        #[belongs_to(other: Inner)]
        inner_id: Option<i64>,
    }
    let inner = Inner {
        id: 1,
        inner_id: None,
    };
    let _ = (inner.others().query(), inner.other().query());
    assert_eq!(Inner::TABLE.name(), "inners");
}

macro_rules! model {
    ($name:ident { $($field:ident: $ty:ty),* }) => {
        #[derive(Model)]
        #[orm(table = "made")]
        pub struct $name {
            pub id: orm::value::Id<$name>,
            $(pub $field: $ty,)*
        }
    };
}
model!(Made { text: Option<String>, number: i32 });

#[test]
fn from_a_macro() {
    assert!(Made::TABLE.columns[1].column.nullable);
    assert_eq!(<NewMade as New>::COLUMNS, [2]);
}

#[test]
fn under_another_path() {
    mod facade {
        pub(super) use orm::private;
    }
    #[derive(Model)]
    #[orm(crate = facade)]
    struct Renamed {
        #[orm(id)]
        code: String,
    }
    assert_eq!(Renamed::TABLE.name(), "renameds");
    assert_eq!(NewRenamed { code: "a".into() }.code, "a");
}
