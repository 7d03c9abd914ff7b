//! What is reported while statements run, and what is not.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use orm::prelude::*;
use orm::testing::TestDb;
use orm::{DbOptions, Echo};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id as SpanId, Record as SpanRecord};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::models::*;

#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) level: Level,
    fields: Vec<(String, String)>,
}

impl Seen {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }
}

/// Keeps the events of this thread.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Seen>>>);

impl Log {
    pub(crate) fn taken(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        matches!(metadata.target(), "orm::query" | "orm::unit")
    }
    fn new_span(&self, _: &Attributes<'_>) -> SpanId {
        SpanId::from_u64(1)
    }
    fn record(&self, _: &SpanId, _: &SpanRecord<'_>) {}
    fn record_follows_from(&self, _: &SpanId, _: &SpanId) {}
    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(Vec::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push(Seen {
            level: *event.metadata().level(),
            fields: fields.0,
        });
    }
    fn enter(&self, _: &SpanId) {}
    fn exit(&self, _: &SpanId) {}
}

struct Fields(Vec<(String, String)>);
impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name().into(), value.into()));
    }
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push((field.name().into(), format!("{value:?}")));
    }
}

#[derive(Model, Clone)]
#[orm(debug)]
pub struct Login {
    pub id: Id<Login>,
    pub name: String,
    #[orm(sensitive)]
    pub password: String,
}

#[orm::test(schema = blog())]
async fn each_statement_is_one_event_with_names_rows_and_its_place(db: Db) -> orm::Result<()> {
    tag(&db, "s3cr3t").await;
    tag(&db, "b").await;
    let log = Log::default();
    let _on = tracing::subscriber::set_default(log.clone());
    let query = Tag::query().filter(|t| t.name.ne("s3cr3t-value"));
    let line = line!() + 1;
    query.all(&db).await?;
    Tag::update_where(|t| t.name.eq("b"))
        .set(|t| t.name.to("s3cr3t-new"))
        .exec(&db)
        .await?;
    let seen = log.taken();
    assert_eq!(seen.len(), 2);
    let read = &seen[0];
    assert_eq!(read.level, Level::DEBUG);
    assert_eq!(read.get("db.operation.name"), Some("SELECT"));
    assert_eq!(read.get("db.collection.name"), Some("tags"));
    assert!(matches!(
        read.get("db.system.name"),
        Some("sqlite" | "postgresql")
    ));
    assert_eq!(read.get("db.response.returned_rows"), Some("2"));
    assert!(read.get("code.file.path").unwrap().ends_with("observe.rs"));
    assert_eq!(read.get("code.line.number"), Some(line.to_string().as_str()));
    assert!(read.get("db.query.text").unwrap().contains("tags"));
    assert!(read.get("elapsed_us").is_some());
    let write = &seen[1];
    assert_eq!(
        (write.get("db.operation.name"), write.get("rows_affected")),
        (Some("UPDATE"), Some("1"))
    );
    for s in &seen {
        assert!(
            s.fields.iter().all(|(_, v)| !v.contains("s3cr3t")),
            "no value is reported: {s:?}"
        );
    }
    Ok(())
}

#[derive(Shape)]
#[shape(User)]
struct Author {
    name: String,
    #[rel(order = |p| p.id.asc(), limit = 2)]
    posts: Vec<Title>,
}

#[derive(Shape)]
#[shape(Post)]
struct Title {
    title: String,
    #[rel(tags, select = |t| t.name)]
    tags: Vec<String>,
}

/// An order of related rows by integers is kept without the database; it sorts where it has to choose rows, or alone
/// knows the order.
#[orm::test(schema = blog())]
async fn related_rows_are_sorted_there_only_where_they_must(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    post(&db, &ann, "a").await;
    let log = Log::default();
    let _on = tracing::subscriber::set_default(log.clone());
    let last = || {
        log.taken()
            .pop()
            .unwrap()
            .get("db.query.text")
            .unwrap()
            .to_owned()
    };

    let users = User::query().with(|u| u.posts.order_by(|p| (p.views.desc(), p.id.asc())));
    users.all(&db).await?;
    let text = last();
    assert!(!text.contains("ORDER BY"), "{text}");

    User::query()
        .with(|u| u.posts.order_by(|p| p.title.asc()))
        .all(&db)
        .await?;
    assert!(
        last().contains("ORDER BY"),
        "letters are sorted by the rules of the database"
    );
    User::query()
        .with(|u| u.posts.order_by(|p| p.score.asc()))
        .all(&db)
        .await?;
    assert!(last().contains("ORDER BY"), "it may be NULL");
    User::query()
        .with(|u| u.posts.order_by(|p| p.id.asc()).limit(2))
        .all(&db)
        .await?;
    assert!(last().contains("ORDER BY"), "the order says which two");
    User::query()
        .with(|u| u.posts.order_by(|p| (p.views + 1).asc()))
        .all(&db)
        .await?;
    assert!(last().contains("ORDER BY"), "it is no column");
    Ok(())
}

#[orm::test(schema = blog())]
async fn each_statement_of_a_shape_selects_what_it_names_and_what_relates_it(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let (a, rust) = (post(&db, &ann, "a").await, tag(&db, "rust").await);
    label(&db, &a, &rust).await;
    let log = Log::default();
    let _on = tracing::subscriber::set_default(log.clone());
    let line = line!() + 1;
    let authors = User::query().shape::<Author>().all(&db).await?;
    assert_eq!(
        (authors[0].name.as_str(), authors[0].posts[0].title.as_str()),
        ("ann", "a")
    );
    assert_eq!(authors[0].posts[0].tags, ["rust"]);
    let seen = log.taken();
    let columns: Vec<&str> = seen
        .iter()
        .map(|s| s.get("db.query.text").unwrap())
        .map(|text| text.split(" FROM ").next().unwrap())
        .collect();
    assert_eq!(
        columns,
        [
            r#"SELECT t0."name", t0."id""#,
            r#"SELECT t0."title", t0."id", t0."author_id""#,
            r#"SELECT t0."name", t1."post_id""#,
        ]
    );
    for s in &seen {
        assert_eq!(s.get("code.line.number"), Some(line.to_string().as_str()));
    }
    Ok(())
}

#[orm::test(schema = blog())]
async fn every_kind_of_call_reports_the_line_of_the_caller(db: Db) -> orm::Result<()> {
    let log = Log::default();
    let _on = tracing::subscriber::set_default(log.clone());
    let new = |name: &str| NewTag { name: name.into() };
    let upsert = new("w").upsert(|t| t.name).do_nothing();
    let raw = sql!("select id from tags");
    let first = line!() + 1;
    let t = new("x").insert(&db).await?;
    NewTag::insert_all(&db, [new("y"), new("z")]).await?;
    Tag::get(&db, t.id).await?;
    let t = t.update().set(|t| t.name.to("w")).save(&db).await?;
    upsert.exec(&db).await?;
    Tag::query().count(&db).await?;
    raw.fetch::<i64, _>(&db).await?;
    t.delete(&db).await?;
    let lines: Vec<String> = log
        .taken()
        .iter()
        .map(|s| s.get("code.line.number").unwrap_or("none").to_owned())
        .collect();
    let want: Vec<String> = (first..first + 8).map(|l| l.to_string()).collect();
    assert_eq!(lines, want);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_failed_statement_is_an_error_event_with_its_code_and_no_value(db: Db) -> orm::Result<()> {
    tag(&db, "s3cr3t").await;
    let log = Log::default();
    let _on = tracing::subscriber::set_default(log.clone());
    refused(
        NewTag {
            name: "s3cr3t".into(),
        }
        .insert(&db)
        .await,
    );
    let seen = log.taken();
    let e = seen
        .iter()
        .find(|s| s.level == Level::ERROR)
        .expect("an error event");
    assert_eq!(e.get("error.type"), Some("UniqueViolation"));
    assert!(e.get("db.response.status_code").is_some() && e.get("code.line.number").is_some());
    assert!(
        seen.iter()
            .all(|s| s.fields.iter().all(|(_, v)| !v.contains("s3cr3t")))
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_slow_statement_is_a_warning(db: TestDb) -> orm::Result<()> {
    let slow = db
        .again(DbOptions {
            slow_statement: Duration::ZERO,
            ..DbOptions::default()
        })
        .await?;
    let log = Log::default();
    let _on = tracing::subscriber::set_default(log.clone());
    Tag::query().all(&slow).await?;
    let seen = log.taken();
    assert_eq!(seen.iter().map(|s| s.level).collect::<Vec<_>>(), [Level::WARN]);
    assert!(seen[0].get("message").unwrap().contains("slow"));
    Ok(())
}

#[orm::test(schema = orm::schema![Login])]
async fn echo_shows_values_but_never_those_of_sensitive_columns(db: TestDb) -> orm::Result<()> {
    let loud = db
        .again(DbOptions {
            echo: Echo::Values,
            ..DbOptions::default()
        })
        .await?;
    let quiet = db
        .again(DbOptions {
            echo: Echo::Statements,
            ..DbOptions::default()
        })
        .await?;
    let log = Log::default();
    let _on = tracing::subscriber::set_default(log.clone());
    Login::query().filter(|l| l.name.eq("shown")).all(&loud).await?;
    let seen = log.taken();
    assert_eq!(seen[0].level, Level::INFO);
    assert!(seen[0].get("db.query.values").unwrap().contains("shown"));
    let l = NewLogin {
        name: "n".into(),
        password: "hunter2".into(),
    }
    .insert(&loud)
    .await?;
    NewLogin::insert_all(
        &loud,
        ["hunter2", "hunter2x"].map(|p| NewLogin {
            name: "n".into(),
            password: p.into(),
        }),
    )
    .await?;
    Login::query()
        .filter(|l| l.password.eq("hunter2"))
        .all(&loud)
        .await?;
    Login::query()
        .filter(|l| l.password.in_(["hunter2", "x"]))
        .count(&loud)
        .await?;
    l.update().set(|l| l.password.to("hunter2")).save(&loud).await?;
    Login::update_where(|l| l.password.eq("hunter2"))
        .set(|l| l.name.to("m"))
        .exec(&loud)
        .await?;
    Login::query().filter(|l| l.name.eq("quiet")).all(&quiet).await?;
    let seen = log.taken();
    assert_eq!(seen.len(), 7);
    for s in &seen {
        assert!(s.fields.iter().all(|(_, v)| !v.contains("hunter2")), "{s:?}");
    }
    assert_eq!(seen[6].get("db.query.values"), None);
    assert!(!format!("{l:?}").contains("hunter2"), "nor in Debug of the row");
    Ok(())
}

#[orm::test(schema = blog())]
async fn comments_tell_the_place_in_the_text(db: TestDb) -> orm::Result<()> {
    let commented = db
        .again(DbOptions {
            comments: true,
            ..DbOptions::default()
        })
        .await?;
    let log = Log::default();
    let _on = tracing::subscriber::set_default(log.clone());
    Tag::query().all(&commented).await?;
    let seen = log.taken();
    let text = seen[0].get("db.query.text").unwrap();
    assert!(text.contains("/*src='") && text.contains("observe.rs:"), "{text}");
    Ok(())
}

#[orm::test(schema = blog())]
async fn statements_are_counted_over_clones_and_transactions(db: Db) -> orm::Result<()> {
    let clone = db.clone();
    orm::assert_statements!(db, 3, {
        Tag::query().all(&clone).await?;
        let tx = db.begin().await?;
        Tag::query().all(&tx).await?;
        tx.commit().await?;
        Tag::query().exists(&db).await?;
    });
    let unpolled = Tag::query().all(&db);
    orm::assert_statements!(db, 0, { drop(unpolled) });
    Ok(())
}

#[orm::test(schema = blog())]
async fn debug_of_handles_shows_no_secret(db: Db) {
    let text = format!("{db:?}");
    assert!(text.contains("Db") && !text.contains("postgres@"));
}

#[orm::test(schema = blog())]
async fn a_unit_says_when_rows_it_was_to_delete_are_gone(db: Db) -> orm::Result<()> {
    let log = Log::default();
    let _on = tracing::subscriber::set_default(log.clone());
    let (ann, bob) = (user(&db, "ann").await, user(&db, "bob").await);
    ann.clone().delete(&db).await?;
    let mut unit = db.unit_of_work();
    unit.delete(ann);
    unit.delete(bob.clone());
    log.taken();
    assert_eq!(unit.commit().await?.deleted(), 1);
    let warned = |seen: &Seen| {
        let is = |name: &str, text: &str| seen.get(name) == Some(text);
        seen.level == Level::WARN && is("model", "User") && is("expected", "2") && is("deleted", "1")
    };
    assert_eq!(log.taken().iter().filter(|seen| warned(seen)).count(), 1);
    let mut unit = db.unit_of_work();
    unit.insert(NewUser {
        email: bob.email,
        name: bob.name,
    })?;
    unit.commit().await?;
    assert!(log.taken().iter().all(|seen| seen.get("expected").is_none()));
    Ok(())
}
