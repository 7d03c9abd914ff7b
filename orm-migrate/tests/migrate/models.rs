//! The schema of models.

use orm::prelude::*;
use orm::sql::Dialect;
use orm_migrate::schema::{Fill, Schema};
use orm_migrate::snapshot;

/// A person.
#[derive(Model, Clone, Debug)]
#[orm(timestamps, soft_delete)]
pub(crate) struct Person {
    pub(crate) id: Id<Person>,
    #[orm(unique)]
    pub(crate) email: String,
    #[orm(check = "age > 0", default = 18)]
    pub(crate) age: i32,
    pub(crate) mood: Option<Mood>,
    #[belongs_to(boss: Person, on_delete = set_null)]
    pub(crate) boss_id: Option<Id<Person>>,
}

#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mood {
    Good,
    Bad,
}

#[derive(Model, Clone, Debug)]
#[orm(append_only)]
pub(crate) struct Entry {
    pub(crate) id: Id<Entry>,
    #[orm(index)]
    pub(crate) text: String,
}

#[test]
fn of_models_and_back_from_a_file() {
    let dialects: [&dyn Dialect; 2] = [&orm::sqlite::DIALECT, &orm::postgres::DIALECT];
    for dialect in dialects {
        let schema = Schema::of_models(&orm::schema![Person, Entry], dialect).unwrap();
        let names: Vec<String> = schema.tables.iter().map(|t| t.name.to_string()).collect();
        assert_eq!(names, ["entries", "people"]);
        let text = snapshot::write(&schema, dialect.name());
        assert_eq!(snapshot::read(&text, dialect.name()).unwrap(), schema);
        assert_eq!(schema.tables[1].columns[0].fill, Fill::Identity { always: false });
        let refused = snapshot::read(&text, "mysql").unwrap_err();
        assert!(refused.message().contains(dialect.name()), "{refused}");
    }
}
