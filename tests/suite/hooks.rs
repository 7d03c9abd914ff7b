//! Validators and hooks see every way a row is written.

use std::sync::atomic::{AtomicUsize, Ordering};

use orm::prelude::*;
use orm::schema::Schema;
use orm::{ErrorKind, HookHandle, Hooks, Write, assert_statements};

use crate::models::refused;

fn not_blank(text: &str) -> Result<(), &'static str> {
    match text.trim().is_empty() {
        true => Err("must not be blank"),
        false => Ok(()),
    }
}

fn in_range(percent: &i64) -> Result<(), String> {
    match percent {
        0..=100 => Ok(()),
        _ => Err("must be between 0 and 100".into()),
    }
}

fn consistent(task: &Task) -> Result<(), &'static str> {
    match (task.done, task.percent) {
        (true, 0..100) => Err("a task that is done is at 100"),
        _ => Ok(()),
    }
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(validate = consistent, soft_delete)]
pub struct Task {
    pub id: Id<Task>,
    #[orm(validate = not_blank)]
    pub title: String,
    #[orm(default = 0, validate = in_range)]
    pub percent: i64,
    #[orm(default = false)]
    pub done: bool,
}

/// A rule of a column only: nothing has to come back.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Word {
    pub id: Id<Word>,
    #[orm(unique, validate = not_blank)]
    pub text: String,
}

/// What the hooks of a note saw.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Seen {
    pub id: Id<Seen>,
    pub what: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(hooks, soft_delete)]
#[has_many(notes: Note, by = parent_id, cascade = delete)]
pub struct Note {
    pub id: Id<Note>,
    #[belongs_to(parent: Self)]
    pub parent_id: Option<Id<Note>>,
    #[orm(unique)]
    pub text: String,
    #[orm(skip)]
    pub length: usize,
}

impl Hooks for Note {
    fn loaded(&mut self) -> orm::Result<()> {
        self.length = self.text.len();
        Ok(())
    }
    async fn before(write: &mut Write<'_, Self>, _: &HookHandle<'_>) -> orm::Result<()> {
        for row in 0..write.len() {
            if let Some(text) = write.value(row, |n| n.text)? {
                if text == "veto" {
                    return Err(Error::new(ErrorKind::Validation, "not this one"));
                }
                write.set(row, |n| n.text.to(text.to_lowercase()))?;
            }
        }
        Ok(())
    }
    async fn after(write: &Write<'_, Self>, db: &HookHandle<'_>) -> orm::Result<()> {
        let what = format!("{:?} {} {}", write.kind(), write.len(), write.fields().join(","));
        NewSeen { what }.exec(db).await?;
        Ok(())
    }
}

/// Needs its rows.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(hooks)]
pub struct Price {
    pub id: Id<Price>,
    pub cents: i64,
    pub name: String,
}

static COMMITS: AtomicUsize = AtomicUsize::new(0);

impl Hooks for Price {
    const ROWS: bool = true;
    async fn after(write: &Write<'_, Self>, db: &HookHandle<'_>) -> orm::Result<()> {
        let before: Vec<i64> = write.before()?.iter().map(|p| p.cents).collect();
        let after: Vec<i64> = write.after()?.iter().map(|p| p.cents).collect();
        if after.iter().any(|cents| *cents < 0) {
            return Err(Error::new(ErrorKind::Validation, "a price is not negative"));
        }
        let diff: Vec<Vec<&str>> = write
            .changes()
            .iter()
            .map(|row| row.iter().map(|c| c.field()).collect())
            .collect();
        NewSeen {
            what: format!("{:?} {before:?} {after:?} {diff:?}", write.kind()),
        }
        .exec(db)
        .await?;
        db.on_commit(|| {
            COMMITS.fetch_add(1, Ordering::Relaxed);
        });
        Ok(())
    }
}

pub(crate) fn schema() -> Schema {
    orm::schema![Task, Word, Seen, Note, Price]
}

fn task(title: &str) -> NewTask {
    NewTask { title: title.into() }
}

pub(crate) async fn seen(db: &Db) -> orm::Result<Vec<String>> {
    let all = Seen::query()
        .order_by(|s| s.id.asc())
        .select(|s| s.what)
        .all(db)
        .await?;
    Seen::delete_everything().exec(db).await?;
    Ok(all)
}

#[track_caller]
fn invalid<T>(result: orm::Result<T>, field: Option<&str>, why: &str) {
    let e = refused(result);
    assert_eq!(e.kind(), ErrorKind::Validation, "{e}");
    assert_eq!((e.model(), e.field(), e.message()), (Some("Task"), field, why));
}

#[orm::test(schema = schema())]
async fn validators_on_every_way_of_writing(db: Db) -> orm::Result<()> {
    let blank = (Some("title"), "must not be blank");
    invalid(task(" ").insert(&db).await, blank.0, blank.1);
    invalid(task("").exec(&db).await, blank.0, blank.1);
    invalid(
        NewTask::insert_all(&db, [task("a"), task("")]).await,
        blank.0,
        blank.1,
    );
    invalid(
        NewTask::exec_all(&db, (0..100).map(|i| task(if i == 99 { "" } else { "x" }))).await,
        blank.0,
        blank.1,
    );
    invalid(task("").with_id(Id::new(7)).insert(&db).await, blank.0, blank.1);
    let upsert = task("").with_id(Id::new(7)).upsert(|t| t.id);
    invalid(
        upsert.update(|t, new| t.title.to(new.title)).exec(&db).await,
        blank.0,
        blank.1,
    );
    let mut unit = db.unit_of_work();
    unit.insert(task("ok"))?;
    unit.insert(task(""))?;
    invalid(unit.commit().await, blank.0, blank.1);
    assert_eq!(
        Task::query().with_deleted().count(&db).await?,
        0,
        "nothing of all this stays"
    );

    let made = task("a").insert(&db).await?;
    let range = (Some("percent"), "must be between 0 and 100");
    invalid(
        made.update().set(|t| t.percent.to(101)).save(&db).await,
        range.0,
        range.1,
    );
    let mut edit = made.clone().edit();
    edit.percent = -1;
    invalid(edit.save(&db).await, range.0, range.1);
    let all = Task::update_where(|t| t.title.eq("a"));
    invalid(all.set(|t| t.percent.to(101)).exec(&db).await, range.0, range.1);
    // a value that the database calculates is looked at when it comes back
    let all = Task::update_where(|t| t.title.eq("a"));
    invalid(
        all.set(|t| t.percent.to(t.percent - 1)).exec(&db).await,
        range.0,
        range.1,
    );
    // a rule over the whole row
    let done = made.update().set(|t| t.done.to(true)).save(&db).await;
    invalid(done, None, "a task that is done is at 100");
    assert_eq!(Task::get(&db, made.id).await?, made);
    let done = made
        .update()
        .set(|t| (t.done.to(true), t.percent.to(100)))
        .save(&db)
        .await?;
    assert!(done.done);
    Ok(())
}

#[orm::test(schema = schema())]
async fn a_rule_of_a_column_costs_no_statement(db: Db) -> orm::Result<()> {
    let word = |text: &str| NewWord { text: text.into() };
    let one = assert_statements!(db, 1, { word("a").insert(&db).await? });
    assert_statements!(db, 1, { one.update().set(|w| w.text.to("b")).save(&db).await? });
    let e = refused(assert_statements!(db, 0, { word(" ").insert(&db).await }));
    assert_eq!(
        (e.kind(), e.constraint()),
        (ErrorKind::Validation, Some("not_blank"))
    );
    // the rules are part of the schema's description
    let names: Vec<&str> = Word::TABLE
        .columns
        .iter()
        .filter_map(|c| c.validator.as_ref().map(|v| v.name))
        .collect();
    assert_eq!(names, ["not_blank"]);
    assert_eq!(Task::TABLE.validators[0].name, "consistent");
    Ok(())
}

#[orm::test(schema = schema())]
async fn hooks_see_change_and_veto_every_write(db: Db) -> orm::Result<()> {
    let note = |text: &str| NewNote { text: text.into() };
    let a = note("A").insert(&db).await?;
    assert_eq!(
        (a.text.as_str(), a.length),
        ("a", 1),
        "changed on its way, completed when it was read"
    );
    let many = NewNote::insert_all(&db, ["B", "C"].map(note)).await?;
    assert_eq!(many[1].text, "c");
    assert_eq!(seen(&db).await?, ["Insert 1 text", "Insert 2 text"]);

    let upsert = note("A").upsert(|n| n.text).update(|n, new| n.text.to(new.text));
    assert!(!upsert.exec(&db).await?.is_inserted());
    note("D").upsert(|n| n.text).do_nothing().exec(&db).await?;
    a.update().set(|n| n.text.to("AA")).save(&db).await?;
    Note::update_where(|n| n.text.eq("aa"))
        .set(|n| n.text.to("A"))
        .exec(&db)
        .await?;
    a.notes().link(&db, [many[0].id]).await?;
    a.notes().create(&db, note("E")).await?;
    let expected = [
        "Upsert 1 text",
        "Insert 1 text",
        "Update 1 text",
        "Update 1 text",
        "Update 1 parent_id",
    ];
    assert_eq!(seen(&db).await?[..5], expected);

    Note::get(&db, a.id).await?.delete(&db).await?;
    Note::restore(&db, a.id).await?;
    let kinds: Vec<String> = seen(&db).await?;
    let kind = |what: &str| kinds.iter().filter(|k| k.starts_with(what)).count();
    assert_eq!(
        (kind("Delete"), kind("Restore")),
        (2, 2),
        "with what they take along: {kinds:?}"
    );
    let mut unit = db.unit_of_work();
    unit.insert(note("F"))?;
    let mut edit = Note::get(&db, a.id).await?.edit();
    edit.text = "Z".into();
    let edit = unit.save(edit)?;
    assert_eq!(unit.commit().await?.take(&edit)?.text, "z");
    assert_eq!(seen(&db).await?.len(), 2);

    let before = Note::query().count(&db).await?;
    for refused_write in [
        note("veto").insert(&db).await.err(),
        NewNote::insert_all(&db, ["x", "veto"].map(note)).await.err(),
        a.update().set(|n| n.text.to("veto")).save(&db).await.err(),
        Note::update_where(|n| n.id.eq(a.id))
            .set(|n| n.text.to("veto"))
            .exec(&db)
            .await
            .err(),
    ] {
        assert_eq!(refused_write.map(|e| e.kind()), Some(ErrorKind::Validation));
    }
    assert_eq!(Note::query().count(&db).await?, before);
    assert!(
        seen(&db).await?.is_empty(),
        "what a hook wrote goes with its write"
    );
    Ok(())
}

#[orm::test(schema = schema())]
async fn hooks_with_rows_and_commits(db: Db) -> orm::Result<()> {
    let price = |cents: i64| NewPrice {
        cents,
        name: "p".into(),
    };
    let commits = || COMMITS.load(Ordering::Relaxed);
    let at = commits();
    let made = NewPrice::insert_all(&db, [price(1), price(2)]).await?;
    assert!(commits() > at);
    made[0].update().set(|p| p.cents.to(5)).save(&db).await?;
    // a write by condition meets rows nobody has seen: it has to be said
    let raise = || Price::update_where(|p| p.cents.gt(0)).set(|p| p.cents.to(p.cents + 1));
    let e = refused(assert_statements!(db, 0, { raise().exec(&db).await }));
    assert_eq!((e.kind(), e.model()), (ErrorKind::InvalidQuery, Some("Price")));
    assert_eq!(raise().each().exec(&db).await?, 2);
    let refused_cut = Price::update_where(|p| p.cents.gt(0)).set(|p| p.cents.to(p.cents - 4));
    assert_eq!(
        refused(refused_cut.each().exec(&db).await).kind(),
        ErrorKind::Validation
    );
    Price::get(&db, made[1].id).await?.delete(&db).await?;
    let all = seen(&db).await?;
    assert_eq!(all[0], "Insert [] [1, 2] []");
    assert_eq!(all[1], r#"Update [1] [5] [["cents"]]"#);
    assert!(
        all[2].starts_with("Update [") && all[2].ends_with(r#"[["cents"], ["cents"]]"#),
        "{}",
        all[2]
    );
    assert_eq!(all[3], "Delete [3] [] []");

    // in a transaction of the caller the hooks' commits wait for its end
    let mut tx = db.begin().await?;
    price(9).insert(&tx).await?;
    let inner = tx.begin().await?;
    price(10).insert(&inner).await?;
    inner.rollback().await?;
    assert_eq!(Price::query().count(&tx).await?, 2);
    tx.rollback().await?;
    assert_eq!(Price::query().count(&db).await?, 1);
    assert!(seen(&db).await?.is_empty());
    Ok(())
}
