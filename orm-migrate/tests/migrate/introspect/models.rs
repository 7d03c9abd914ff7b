//! Schemas of models against what the database says after it has created them.

use orm::Json;
use orm::ast::RawPart;
use orm::prelude::*;
use orm::query::RawSql;
use orm_migrate::introspect::introspect;
use orm_migrate::schema::{Fill, Name, Schema};
use orm_migrate::snapshot;

use crate::models::{Entry, Mood, Person};

#[derive(Embed, Clone, Debug, PartialEq)]
pub(crate) struct Address {
    #[orm(index)]
    pub(crate) city: String,
    #[orm(column = "zip_code", check = "length({zip}) > 3")]
    pub(crate) zip: Option<String>,
}

/// Something of every kind.
#[derive(Model, Clone, Debug)]
#[orm(
    timestamps,
    soft_delete,
    unique(number, mood),
    unique(small, where = "big > 0", name = "few")
)]
#[orm(index(number, created_at.desc()), index("lower(number)", big.desc(), unique, name = "lowered"))]
#[orm(check("big > small", name = "bigger"), check("number <> ')'"))]
pub(crate) struct Thing {
    pub(crate) id: Id<Thing>,
    /// What it is called: it's quoted.
    pub(crate) number: String,
    #[orm(default = 7)]
    pub(crate) small: i16,
    #[orm(default(sql = "1 + 2"))]
    pub(crate) big: i64,
    #[orm(default = false)]
    pub(crate) flag: bool,
    pub(crate) single: f32,
    #[orm(default = 1.5)]
    pub(crate) double: f64,
    pub(crate) raw: Vec<u8>,
    #[orm(default = "it's")]
    pub(crate) text: String,
    pub(crate) at: Timestamp,
    pub(crate) local: orm::LocalTimestamp,
    pub(crate) day: orm::Date,
    pub(crate) time: orm::TimeOfDay,
    pub(crate) tags: Json<Vec<String>>,
    pub(crate) price: Scaled<12, 2>,
    pub(crate) mood: Mood,
    #[orm(ty(postgres = "varchar(40)"))]
    pub(crate) short: Option<String>,
    #[orm(generated = "big * 2")]
    pub(crate) twice: i64,
    #[orm(embed)]
    pub(crate) home: Address,
    #[orm(embed, prefix = ship_)]
    pub(crate) shipping: Option<Address>,
    #[orm(version)]
    pub(crate) version: i64,
}

#[derive(Model, Clone, Debug)]
#[orm(id(thing_id, line), table = "Odd \"lines\"", rename_all = "camelCase")]
pub(crate) struct Line {
    #[belongs_to(thing: Thing, on_delete = cascade, on_update = cascade)]
    pub(crate) thing_id: Id<Thing>,
    pub(crate) line: i32,
    #[belongs_to(parent: Hen, on_delete = no_action, deferrable, initially_deferred)]
    pub(crate) hen_id: Option<Id<Hen>>,
}

#[derive(Model, Clone, Debug)]
#[belongs_to(of: Line, by = (thing, line))]
pub(crate) struct Note {
    #[orm(id)]
    pub(crate) code: String,
    pub(crate) thing: Id<Thing>,
    pub(crate) line: i32,
}

#[derive(Model, Clone, Debug)]
pub(crate) struct Hen {
    pub(crate) id: Id<Hen>,
    #[belongs_to(from: Egg)]
    pub(crate) egg_id: Option<Id<Egg>>,
}

#[derive(Model, Clone, Debug)]
pub(crate) struct Egg {
    pub(crate) id: Id<Egg>,
    #[belongs_to(by: Hen, deferrable)]
    pub(crate) hen_id: Id<Hen>,
}

/// Where words stand.
#[derive(Model, Clone, Debug)]
#[orm(schema = "search", index(words, method = gin, with = "fastupdate = off"))]
#[orm(index(title.desc().nulls_last(), where = "views > 0", include(views), name = "titles"))]
#[orm(index(title.op_class("text_pattern_ops"), name = "prefix"))]
pub(crate) struct Page {
    pub(crate) id: Id<Page>,
    pub(crate) title: String,
    #[orm(default = 0)]
    pub(crate) views: i32,
    pub(crate) words: Vec<String>,
}

pub(crate) fn models() -> orm::schema::Schema {
    orm::schema![Thing, Line, Note, Hen, Egg, Person, Entry]
}

/// The type as the database prints it, without its numbers.
async fn printed(db: &Db, ty: &str) -> String {
    let ty = ty.split('(').next().unwrap_or_default();
    let text: &'static str = format!("select pg_typeof(null::{ty})::text").leak();
    RawSql::new(vec![RawPart::Text(text)])
        .fetch_one(db)
        .await
        .unwrap()
}

/// Texts that PostgreSQL prints in words of its own are emptied.
async fn masked(db: &Db, mut schema: Schema) -> Schema {
    for table in &mut schema.tables {
        for column in &mut table.columns {
            column.ty = printed(db, &column.ty).await;
            match &mut column.fill {
                Fill::Default(sql) | Fill::Stored(sql) | Fill::Virtual(sql) => sql.clear(),
                Fill::None | Fill::Identity { .. } => {}
            }
        }
        table.checks.iter_mut().for_each(|c| c.condition.clear());
        table.triggers.iter_mut().for_each(|t| t.definition.clear());
        for index in &mut table.indexes {
            index.filter.iter_mut().for_each(String::clear);
            index
                .parts
                .iter_mut()
                .filter(|p| p.expression)
                .for_each(|p| p.key.clear());
            index.storage = index.storage.take().map(|s| s.replace(' ', ""));
        }
    }
    schema.functions.iter_mut().for_each(|f| f.definition.clear());
    schema.normalize();
    schema
}

#[orm::test(schema = models(), requires = |f| !f.schemas)]
async fn a_database_says_what_the_models_say(db: Db) -> orm::Result<()> {
    let meant = Schema::of_models(&models(), db.dialect())?;
    let found = introspect(&db).await?;
    for (found, meant) in found.tables.iter().zip(&meant.tables) {
        assert_eq!(found, meant);
    }
    assert_eq!(found, meant);
    assert_eq!(introspect(&db).await?, found);
    let text = snapshot::write(&found, "sqlite");
    assert_eq!(snapshot::read(&text, "sqlite")?, found);
    Ok(())
}

pub(crate) fn with_arrays() -> orm::schema::Schema {
    orm::schema![Thing, Line, Note, Hen, Egg, Person, Entry, Page]
}

#[orm::test(schema = with_arrays(), requires = |f| f.schemas)]
async fn a_database_says_what_the_models_say_in_its_own_words(db: Db) -> orm::Result<()> {
    let meant = Schema::of_models(&with_arrays(), db.dialect())?;
    let found = introspect(&db).await?;
    assert_eq!(introspect(&db).await?, found);
    let text = snapshot::write(&found, "postgres");
    assert_eq!(snapshot::read(&text, "postgres")?, found);

    let (same, as_meant) = (masked(&db, found.clone()).await, masked(&db, meant).await);
    for (found, meant) in same.tables.iter().zip(&as_meant.tables) {
        assert_eq!(found, meant);
    }
    assert_eq!(same, as_meant);

    // the words that were left out of the comparison
    let thing = found.table(&Name::new("things")).unwrap();
    let fill = |name: &str| thing.column(name).unwrap().fill.clone();
    let default = |sql: &str| Fill::Default(sql.into());
    assert_eq!(fill("small"), default("7"));
    assert_eq!(fill("big"), default("1 + 2"));
    assert_eq!(fill("text"), default("'it''s'::text"));
    assert_eq!(fill("twice"), Fill::Stored("big * 2".into()));
    assert_eq!(thing.column("short").unwrap().ty, "character varying(40)");
    assert_eq!(
        thing.column("number").unwrap().comment.as_deref(),
        Some("What it is called: it's quoted.")
    );
    let condition = |name: &str| {
        let check = thing.checks.iter().find(|c| c.name.as_deref() == Some(name));
        check.map(|c| c.condition.as_str())
    };
    assert_eq!(condition("bigger"), Some("big > small"));
    let index = |name: &str| thing.indexes.iter().find(|i| i.name == name).unwrap();
    assert_eq!(index("lowered").parts[0].key, "lower(number)");
    assert_eq!(
        index("few").filter.as_deref(),
        Some("(big > 0) AND (deleted_at IS NULL)")
    );
    let entries = found.table(&Name::new("entries")).unwrap();
    assert_eq!(
        entries.triggers[0].definition,
        "CREATE TRIGGER ao_entries_delete BEFORE DELETE ON entries FOR EACH ROW EXECUTE FUNCTION ao_entries()"
    );
    assert!(
        found.functions[0]
            .definition
            .starts_with("CREATE OR REPLACE FUNCTION ao_entries()")
    );
    Ok(())
}

/// However many tables there are.
#[orm::test]
async fn one_statement_reads_everything(db: Db) -> orm::Result<()> {
    let mut there = 0;
    for tables in [3, 60] {
        for i in there..tables {
            let text: &'static str = format!(
                "create table t{i} (id integer primary key, a integer unique, b integer references t{i}, check (a > 0))"
            )
            .leak();
            RawSql::new(vec![RawPart::Text(text)]).exec(&db).await?;
        }
        there = tables;
        let schema = orm::assert_statements!(db, 1, { introspect(&db).await? });
        assert_eq!(schema.tables.len(), tables);
    }
    Ok(())
}

/// Names that must not be taken for anything but names.
#[orm::test]
async fn odd_names_come_back(db: Db) -> orm::Result<()> {
    crate::introspect::run(
        &db,
        &[
            "create table \"Select \"\"x\"\" (y)\" (\"a b\" integer primary key, \"check\" integer default 1, \"C'd\" text not null,
                constraint \"uq (1)\" unique (\"check\", \"C'd\"))",
            "create index \"on\" on \"Select \"\"x\"\" (y)\" (\"C'd\")",
            "create table \"ünïcode ✓\" (\"ß\" integer references \"Select \"\"x\"\" (y)\" (\"a b\"))",
        ],
    )
    .await;
    let schema = introspect(&db).await?;
    let [odd, unicode] = schema.tables.as_slice() else {
        panic!("{schema:?}");
    };
    assert_eq!(odd.name, Name::new("Select \"x\" (y)"));
    let columns: Vec<&str> = odd.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(columns, ["a b", "check", "C'd"]);
    assert_eq!(odd.uniques[0].name.as_deref(), Some("uq (1)"));
    assert_eq!(odd.uniques[0].columns, ["check", "C'd"]);
    assert_eq!(
        (odd.indexes[0].name.as_str(), odd.indexes[0].parts[0].key.as_str()),
        ("on", "C'd")
    );
    assert_eq!(unicode.name, Name::new("ünïcode ✓"));
    assert_eq!(unicode.foreign_keys[0].target, odd.name);
    assert_eq!(unicode.foreign_keys[0].target_columns, ["a b"]);
    Ok(())
}

/// A foreign key may lead to a table that is left out.
#[orm::test]
async fn what_is_left_out_is_left_out_with_what_hangs_on_it(db: Db) -> orm::Result<()> {
    crate::introspect::run(
        &db,
        &[
            "create table orm_migrations (id integer primary key)",
            "create index orm_ix on orm_migrations (id)",
            "create table old_things (id integer primary key)",
            "create table things (id integer primary key, old integer references old_things)",
            "create view old_view as select id from things",
        ],
    )
    .await;
    let names =
        |schema: &Schema| -> Vec<String> { schema.tables.iter().map(|t| t.name.to_string()).collect() };
    assert_eq!(names(&introspect(&db).await?), ["old_things", "things"]);
    let options = orm_migrate::introspect::Options {
        leave_out: vec!["old_*".into()],
        ..Default::default()
    };
    let schema = orm_migrate::introspect::introspect_with(&db, &options).await?;
    assert_eq!(names(&schema), ["orm_migrations", "things"]);
    assert_eq!(schema.views.len(), 0);
    assert_eq!(schema.tables[1].foreign_keys[0].target, Name::new("old_things"));
    Ok(())
}

#[orm::test]
async fn a_transaction_sees_what_it_has_changed(db: Db) -> orm::Result<()> {
    let tx = db.begin().await?;
    sql!("create table fresh (id integer primary key)")
        .exec(&tx)
        .await?;
    assert_eq!(introspect(&tx).await?.tables.len(), 1);
    tx.rollback().await?;
    assert_eq!(introspect(&db).await?, Schema::default());
    Ok(())
}

/// A file that was written before introspection added to the value.
#[test]
fn older_snapshots_are_read() {
    let text = r#"{"format": 1, "dialect": "postgres", "schema": {
        "sequences": [{"name": {"name": "s"}, "ty": "bigint", "start": 1, "increment": 1, "min": 1, "max": 9, "cache": 1}],
        "tables": [{
            "name": {"name": "t"},
            "columns": [{"name": "a", "ty": "integer", "fill": {"identity": {}}}],
            "primary_key": {"name": "pk", "columns": ["a"]},
            "uniques": [{"name": "u", "columns": ["a"]}],
            "checks": [{"name": "c", "condition": "a > 0"}],
            "foreign_keys": [{"name": "f", "columns": ["a"], "target": {"name": "t"}, "target_columns": ["a"]}],
            "indexes": [{"name": "i", "parts": [{"key": "a"}]}],
            "triggers": [{"name": "g", "definition": "CREATE TRIGGER g"}]
        }],
        "views": [{"name": {"name": "v"}, "query": "SELECT 1"}],
        "functions": [{"name": {"name": "f"}, "arguments": "", "definition": "CREATE OR REPLACE FUNCTION f()"}],
        "grants": [{"kind": "TABLE", "object": {"name": "t"}, "role": "PUBLIC", "privileges": ["SELECT"]}]
    }}"#;
    let schema = snapshot::read(text, "postgres").unwrap();
    let again = snapshot::write(&schema, "postgres");
    let words = |text: &str| -> serde_json::Value { serde_json::from_str(text).unwrap() };
    assert_eq!(words(&again), words(text), "what says nothing is not written");
}
