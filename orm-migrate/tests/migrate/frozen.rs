//! Data migrations with frozen models: the file that is written, how it runs, and what is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use orm::prelude::*;
use orm::sql::Dialect;
use orm_migrate::diff::Renames;
use orm_migrate::generate::{Generated, generate};
use orm_migrate::introspect::introspect;
use orm_migrate::schema::{Name, Schema};
use orm_migrate::{
    Backend, Backfill, Draft, Header, Kind, Migration, Migrations, Migrator, Outcome, Phase, frozen, snapshot,
};

use crate::support::{backend, exec, history, is_postgres, set, tables, texts};

#[rustfmt::skip]
#[allow(unreachable_pub)]
#[path = "frozen/20260202090000_lower_names.rs"]
mod lower_names;
#[rustfmt::skip]
#[allow(unreachable_pub)]
#[path = "frozen/20260203090000_count_posts.rs"]
mod count_posts;

use lower_names::frozen::User as Frozen;

/// The models of the program on the day of the migration.
mod then {
    use orm::prelude::*;

    #[derive(Model, Clone, Debug)]
    pub(crate) struct User {
        pub(crate) id: Id<User>,
        pub(crate) name: String,
        pub(crate) nick: Option<String>,
        pub(crate) active: bool,
        pub(crate) mood: Option<Mood>,
    }

    #[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
    pub(crate) enum Mood {
        Good,
        Bad,
    }

    #[derive(Model, Clone, Debug)]
    pub(crate) struct Post {
        pub(crate) id: Id<Post>,
        #[belongs_to(author: User, on_delete = cascade)]
        pub(crate) author_id: Id<User>,
        pub(crate) title: String,
    }
}

/// The same afterwards: the model of the program has gone on.
mod now {
    use orm::prelude::*;

    #[derive(Model, Clone, Debug)]
    pub(crate) struct User {
        pub(crate) id: Id<User>,
        pub(crate) nick: Option<String>,
    }
}

fn schema_then(dialect: &'static dyn Dialect) -> Schema {
    Schema::of_models(&orm::schema![then::User, then::Post], dialect).unwrap()
}

fn made(name: &str, before: &Migrations, schema: &Schema, backend: Backend) -> Draft {
    match generate(name, before, schema, &Renames::default(), backend).unwrap() {
        Generated::Draft(made) => made.0,
        other => panic!("{other:?}"),
    }
}

/// One migration that creates this.
fn first(schema: &Schema, backend: Backend) -> Migrations {
    let draft = made("first", &set(&[]), schema, backend);
    set(&[
        ("1_first.up.sql", &draft.up),
        ("1_first.down.sql", draft.down.as_deref().unwrap()),
        ("1_first.snap.json", draft.snapshot.as_deref().unwrap()),
    ])
}

fn same_as_file(made: &frozen::Frozen) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/migrate/frozen")
        .join(format!("{}_{}.rs", made.version, made.name));
    let source = made.source();
    if std::env::var_os("PULLED").is_some_and(|v| v == "overwrite") {
        std::fs::write(&path, &source).unwrap();
    }
    assert_eq!(source, std::fs::read_to_string(&path).unwrap());
}

#[test]
fn the_files_are_what_is_written() {
    for (backend, dialect) in [
        (Backend::Sqlite, &orm::sqlite::DIALECT as &'static dyn Dialect),
        (Backend::Postgres, &orm::postgres::DIALECT),
    ] {
        let migrations = first(&schema_then(dialect), backend);
        let one = frozen::generate("lower names", &migrations, &[Name::new("users")], backend).unwrap();
        assert!(one.version > 20260202090000, "of now");
        assert!(!one.source().contains("Post"), "only what was asked for");
        same_as_file(&frozen::Frozen {
            version: 20260202090000,
            ..one
        });

        let all = frozen::generate("count posts", &migrations, &[], backend).unwrap();
        same_as_file(&frozen::Frozen {
            version: 20260203090000,
            header: Header {
                why: Some("people \"count\"".into()),
                phase: Some(Phase::Contract),
                depends_on: vec![20260202090000],
                ..Header::default()
            },
            ..all
        });
    }
    let both = set(&[]).with(lower_names::migration().unwrap()).unwrap();
    let both = both.with(count_posts::migration().unwrap()).unwrap();
    let labels: Vec<String> = both.iter().map(Migration::label).collect();
    assert_eq!(
        labels,
        ["20260202090000_lower_names", "20260203090000_count_posts"]
    );
    let header = both.get(20260203090000).unwrap().header();
    assert_eq!((header.kind, header.phase), (Kind::Data, Some(Phase::Contract)));
}

/// The tables of then with a hundred people.
async fn crowd(db: &Db) -> orm_migrate::Result<Migrations> {
    let migrations = first(&schema_then(db.dialect()), backend(db));
    Migrator::new(db, migrations.clone())?.up().await?;
    for i in 1..=100 {
        let active = if i == 7 { "FALSE" } else { "TRUE" };
        let text = format!("INSERT INTO users (id, name, active) VALUES ({i}, 'N{i}', {active})");
        exec(db, &text).await?;
    }
    Ok(migrations)
}

async fn lower(tx: &mut Tx, rows: Vec<Frozen>) -> orm::Result<()> {
    for row in rows {
        let nick = row.name.to_lowercase();
        row.update().set(|u| u.nick.to(Some(nick))).save(tx).await?;
    }
    Ok(())
}

#[orm::test]
async fn batches_go_on_where_they_ended(db: Db) -> orm_migrate::Result<()> {
    let before = crowd(&db).await?;
    let (told, tells) = std::sync::mpsc::channel();
    let calls = Arc::new(AtomicUsize::new(0));
    let fails_in = |call: usize| {
        let (told, calls) = (told.clone(), calls.clone());
        let work = Backfill::rows(move |tx, rows: Vec<Frozen>| {
            let call = (calls.fetch_add(1, Ordering::SeqCst) + 1 == call).then_some(call);
            Box::pin(async move {
                assert!(rows.is_sorted_by_key(|r| r.id.raw()) && rows.iter().all(|r| r.active));
                lower(tx, rows).await?;
                match call {
                    Some(_) => Err(Error::config("the third one")),
                    None => Ok(()),
                }
            })
        });
        let work = work
            .batch(30)
            .only("active = TRUE")
            .progress(move |p| told.send((p.batches, p.rows)).unwrap());
        let migration = Migration::backfill(2, "lower", work)?;
        before
            .clone()
            .with(migration.frozen(lower_names::frozen::schema()))
    };
    let failure = Migrator::new(&db, fails_in(3)?)?.up().await.unwrap_err();
    assert_eq!(failure.error().message(), "the third one");
    assert_eq!(history(&db).await[1], "2 failed 2");
    let nicks = "SELECT nick FROM users WHERE nick IS NOT NULL ORDER BY id";
    assert_eq!(
        texts(&db, nicks).await.len(),
        59,
        "nothing of the batch that failed"
    );
    assert_eq!(tells.try_iter().collect::<Vec<_>>(), [(1, 29), (2, 59)]);

    let report = Migrator::new(&db, fails_in(0)?)?.up().await?;
    assert_eq!((report.ran[0].resumed_at, report.ran[0].statements), (Some(2), 2));
    assert_eq!(tells.try_iter().collect::<Vec<_>>(), [(1, 30), (2, 40)]);
    assert_eq!(calls.load(Ordering::SeqCst), 5);
    let found = texts(&db, nicks).await;
    assert_eq!(
        (found.len(), found[0].as_str(), found[98].as_str()),
        (99, "n1", "n100")
    );
    assert_eq!(
        texts(&db, "SELECT kind FROM orm_migrations WHERE id = 2").await,
        ["data"]
    );
    // a way back that does nothing
    assert_eq!(
        Migrator::new(&db, fails_in(0)?)?.down("-1").await?.versions(),
        [2]
    );
    assert_eq!(texts(&db, nicks).await.len(), 99);
    Ok(())
}

/// Frozen models read columns that the program has forgotten, and the data comes between the sides of a deployment.
#[orm::test]
async fn between_expand_and_contract(db: Db) -> orm_migrate::Result<()> {
    let before = crowd(&db).await?;
    let work = Backfill::rows(|tx, rows: Vec<Frozen>| Box::pin(lower(tx, rows)));
    let data = Migration::backfill(2, "lower", work)?.frozen(lower_names::frozen::schema());
    let data = data.with_header(Header {
        kind: Kind::Data,
        phase: Some(Phase::Expand),
        ..Header::default()
    });
    let with = before.clone().with(data)?;
    let models = Schema::of_models(&orm::schema![now::User], db.dialect()).unwrap();
    let mut third = made("forget names", &before, &models, backend(&db));
    third.header.loses.clear();
    third.header.phase = Some(Phase::Contract);
    third.header.depends_on = vec![2];
    let up = third.header.write() + &third.up;
    let mut contract = Migration::sql(3, "forget", &up, None)?;
    contract.snapshot = third.snapshot;
    let all = with.with(contract)?;

    let migrator = Migrator::new(&db, all)?;
    assert!(
        migrator
            .clone()
            .kind(Kind::Schema)
            .up()
            .await?
            .versions()
            .is_empty(),
        "it waits for the data"
    );
    assert_eq!(migrator.clone().phase(Phase::Expand).up().await?.versions(), [2]);
    assert_eq!(migrator.up().await?.versions(), [3]);
    assert_eq!(tables(&db).await, ["users"]);
    assert_eq!(
        now::User::query().all(&db).await.unwrap()[99].nick.as_deref(),
        Some("n100")
    );
    assert_eq!(
        migrator.up().await?.outcome(),
        Outcome::UpToDate,
        "what was applied does not look back"
    );
    Ok(())
}

/// What is generated does nothing before somebody has written it.
#[orm::test]
async fn an_unwritten_one_refuses(db: Db) -> orm_migrate::Result<()> {
    let before = crowd(&db).await?;
    let failure = Migrator::new(&db, before.clone().with(lower_names::migration()?)?)?
        .up()
        .await
        .unwrap_err();
    assert_eq!(
        failure.to_string(),
        "migration 20260202090000_lower_names: the data migration lower_names is not written yet"
    );
    exec(&db, "DELETE FROM orm_migrations WHERE id > 1").await?;
    let nothing = Migration::code(20260202090000, "lower_names", |_| Box::pin(async { Ok(()) }))?;
    let both = before.with(nothing)?.with(count_posts::migration()?)?;
    let failure = Migrator::new(&db, both)?.up().await.unwrap_err();
    assert_eq!(
        failure.error().message(),
        "the data migration count_posts is not written yet"
    );
    assert_eq!(failure.ran().len(), 1);
    Ok(())
}

async fn refused(db: &Db, schema: &Schema) -> (String, Option<String>, Vec<String>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let called = calls.clone();
    let migration = Migration::code(3, "late", move |_| {
        called.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(()) })
    });
    let migration = migration.unwrap().frozen(lower_names::frozen::schema());
    let snap = snapshot::write(schema, backend(db).name());
    let all = set(&[
        ("2_other.sql", "CREATE TABLE other (id INTEGER);"),
        ("2_other.snap.json", &snap),
    ]);
    let failure = Migrator::new(db, all.with(migration).unwrap())
        .unwrap()
        .up()
        .await
        .unwrap_err();
    assert_eq!(
        (failure.outcome(), failure.place().unwrap().version),
        (Outcome::Refused, 3)
    );
    assert_eq!(
        (calls.load(Ordering::SeqCst), tables(db).await.len()),
        (0, 0),
        "nothing was run"
    );
    let error = failure.error();
    (
        error.message().to_owned(),
        error.table().map(str::to_owned),
        error.columns().to_vec(),
    )
}

#[orm::test]
async fn models_that_do_not_fit_are_refused(db: Db) -> orm_migrate::Result<()> {
    let fits = schema_then(db.dialect());
    let users = |schema: &mut Schema| schema.tables.iter().position(|t| t.name.name == "users").unwrap();
    let wrong = |change: &dyn Fn(&mut orm_migrate::schema::Table)| {
        let mut schema = fits.clone();
        let at = users(&mut schema);
        change(&mut schema.tables[at]);
        schema
    };
    let cases: [(Schema, &str, &[&str]); 5] = [
        (
            wrong(&|t| t.name.name = "people".into()),
            "there is no table users",
            &[],
        ),
        (
            wrong(&|t| t.columns[2].name = "alias".into()),
            "there is no column users.nick",
            &["nick"],
        ),
        (
            wrong(&|t| t.columns[2].nullable = false),
            "the column users.nick is never NULL, and may be NULL in the models",
            &["nick"],
        ),
        (
            wrong(&|t| {
                t.columns[1].ty = if t.columns[1].ty == "TEXT" {
                    "BLOB".into()
                } else {
                    "bytea".into()
                }
            }),
            "the column users.name is ",
            &["name"],
        ),
        (
            wrong(&|t| t.primary_key.as_mut().unwrap().columns = vec!["name".into()]),
            "the key of users is (name), and (id) in the models",
            &["id"],
        ),
    ];
    for (schema, what, columns) in cases {
        let (message, table, named) = refused(&db, &schema).await;
        assert!(
            message.starts_with(&format!(
                "its frozen models do not fit the schema that it runs on: {what}"
            )),
            "{message}"
        );
        assert_eq!(table.as_deref(), Some("users"));
        assert_eq!(named, columns);
    }
    // nobody knows
    let migration = Migration::code(1, "early", |_| Box::pin(async { Ok(()) }))?;
    let all = set(&[]).with(migration.frozen(lower_names::frozen::schema()))?;
    let failure = Migrator::new(&db, all)?.up().await.unwrap_err();
    assert!(
        failure
            .error()
            .message()
            .contains("no migration before it has a snapshot"),
        "{failure}"
    );
    // a column more is nobody's concern
    let more = wrong(&|t| {
        t.columns.push(orm_migrate::schema::Column {
            name: "more".into(),
            ty: "TEXT".into(),
            ..Default::default()
        })
    });
    let migration = Migration::code(3, "late", |_| Box::pin(async { Ok(()) }))?;
    let snap = snapshot::write(&more, backend(&db).name());
    let all = set(&[
        ("2_other.sql", "CREATE TABLE other (id INTEGER);"),
        ("2_other.snap.json", &snap),
    ]);
    let all = all.with(migration.frozen(lower_names::frozen::schema()))?;
    assert_eq!(Migrator::new(&db, all)?.up().await?.versions(), [2, 3]);
    Ok(())
}

/// Models of tables that somebody made by hand: keys of other types, and types that are read as text.
mod by_hand {
    use orm::prelude::*;

    #[derive(Model, Clone, Debug)]
    pub(crate) struct Tag {
        #[orm(id)]
        pub(crate) code: String,
        pub(crate) label: String,
    }

    #[derive(Model, Clone, Debug)]
    #[orm(id(a, b))]
    pub(crate) struct Pair {
        pub(crate) a: i64,
        pub(crate) b: i64,
    }

    #[derive(Model, Clone, Debug)]
    pub(crate) struct Day {
        #[orm(id)]
        pub(crate) day: orm::Date,
    }

    #[derive(Model, Clone, Debug)]
    pub(crate) struct Token {
        pub(crate) id: Id<Token, uuid::Uuid>,
        pub(crate) used: i32,
    }
}

#[orm::test]
async fn other_keys_and_types(db: Db) -> orm_migrate::Result<()> {
    use by_hand::{Day, Pair, Tag, Token};
    let odd = if is_postgres(&db) { "xml" } else { "VARCHAR(20)" };
    exec(
        &db,
        &format!("CREATE TABLE tags (code VARCHAR(20) NOT NULL PRIMARY KEY, label {odd} NOT NULL)"),
    )
    .await?;
    exec(
        &db,
        "INSERT INTO tags VALUES ('a''b', 'x'), ('b', 'y'), ('c', 'z')",
    )
    .await?;
    db.create_all(&orm::schema![Token]).await?;
    for used in 0..5 {
        by_hand::NewToken { used }.insert(&db).await?;
    }
    let snap = snapshot::write(&introspect(&db).await?, backend(&db).name());
    let tags = Backfill::rows(|tx, rows: Vec<Tag>| {
        Box::pin(async move {
            for row in rows {
                sql!("INSERT INTO seen VALUES ({row.code})").exec(tx).await?;
            }
            Ok(())
        })
    });
    let tokens = Backfill::rows(|tx, rows: Vec<Token>| {
        Box::pin(async move {
            for row in rows {
                let used = row.used + 10;
                row.update().set(|t| t.used.to(used)).save(tx).await?;
            }
            Ok(())
        })
    });
    let all = set(&[
        ("1_seen.sql", "CREATE TABLE seen (code TEXT);"),
        ("1_seen.snap.json", &snap),
    ])
    .with(Migration::backfill(2, "tags", tags.batch(2))?.frozen(orm::schema![Tag]))?
    .with(Migration::backfill(3, "tokens", tokens.batch(2))?.frozen(orm::schema![Token]))?;
    assert_eq!(Migrator::new(&db, all)?.up().await?.versions(), [1, 2, 3]);
    assert_eq!(
        texts(&db, "SELECT code FROM seen ORDER BY code").await,
        ["a'b", "b", "c"]
    );
    let used: Vec<i32> = Token::query()
        .order_by(|t| t.used.asc())
        .select(|t| t.used)
        .all(&db)
        .await?;
    assert_eq!(used, [10, 11, 12, 13, 14]);

    let e = Migration::backfill(
        4,
        "pairs",
        Backfill::rows(|_, _: Vec<Pair>| Box::pin(async { Ok(()) })),
    )
    .unwrap_err();
    assert_eq!(
        e.message(),
        "a backfill walks along one column, and the key of Pair has 2"
    );
    let e = Migration::backfill(
        4,
        "days",
        Backfill::rows(|_, _: Vec<Day>| Box::pin(async { Ok(()) })),
    )
    .unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Unsupported);
    Ok(())
}

#[test]
fn what_cannot_be_written() {
    let dialect = &orm::sqlite::DIALECT;
    let mut schema = Schema::of_models(&orm::schema![then::User, by_hand::Pair], dialect).unwrap();
    schema.tables.push(orm_migrate::schema::Table {
        name: Name::new("loose"),
        ..Default::default()
    });
    let snap = snapshot::write(&schema, "sqlite");
    let migrations = set(&[("1_a.sql", "SELECT 1;"), ("1_a.snap.json", &snap)]);
    let of = |migrations: &Migrations, table: &str| {
        frozen::generate("a", migrations, &[Name::new(table)], Backend::Sqlite).map(drop)
    };
    let said = |table: &str| {
        let e = of(&migrations, table).unwrap_err();
        (e.message().to_owned(), e.table().map(str::to_owned))
    };
    assert_eq!(
        said("nobody"),
        (
            "the last snapshot has no table nobody".into(),
            Some("nobody".into())
        )
    );
    assert_eq!(
        said("loose"),
        (
            "the table loose is no model: it has no primary key of its own".into(),
            Some("loose".into())
        )
    );
    assert!(said("pairs").0.contains("the key of pairs is (a, b)"));
    of(&migrations, "users").unwrap();
    let none = set(&[("1_a.sql", "SELECT 1;")]);
    assert!(
        of(&none, "users")
            .unwrap_err()
            .message()
            .starts_with("no migration has a snapshot")
    );
    // what is behind all others stays behind them
    let late = none
        .with(Migration::sql(29990101000000, "late", "SELECT 1;", None).unwrap())
        .unwrap();
    let mut last = late.iter().next_back().unwrap().clone();
    last.snapshot = Some(snap);
    let late = set(&[]).with(last).unwrap();
    let made = frozen::generate("Lower the names!", &late, &[], Backend::Sqlite).unwrap();
    assert_eq!(
        (made.version, made.name.as_str()),
        (29990101000001, "lower_the_names")
    );
    let folder = std::env::temp_dir().join(format!("orm_frozen_{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let file = made.write(&folder).unwrap();
    assert!(file.ends_with("29990101000001_lower_the_names.rs"));
    assert_eq!(
        made.write(&folder).unwrap_err().kind(),
        ErrorKind::Config,
        "it is there"
    );
    assert_eq!(
        Migrations::read(&folder).unwrap().iter().len(),
        0,
        "it is no script"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}
