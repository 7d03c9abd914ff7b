//! Trails by triggers say what the library would have said, and see what it does not.

use orm::prelude::*;
use orm::schema::Schema;
use orm::{AuditLog, AuditOperation, ErrorKind};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[orm(name = "trail_mood")]
pub enum TrailMood {
    Happy,
    #[orm(rename = "so \"so\"")]
    SoSo,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Note {
    pub text: String,
}

/// One column of every type, with a trail of either kind.
macro_rules! twin {
    ($name:ident, $table:literal, $new:ident, $row:ident, $run:ident, $($trail:tt)*) => {
        #[derive(Model, Clone, Debug, PartialEq)]
        #[orm(table = $table, soft_delete, $($trail)*)]
        pub struct $name {
            pub id: Id<$name>,
            #[orm(unique)]
            pub name: String,
            pub flag: bool,
            pub small: i16,
            pub int: i32,
            pub big: i64,
            pub single: f32,
            pub double: f64,
            pub bytes: Vec<u8>,
            pub uuid: Uuid,
            pub instant: Timestamp,
            pub local: chrono::NaiveDateTime,
            pub date: chrono::NaiveDate,
            pub time: chrono::NaiveTime,
            pub json: serde_json::Value,
            #[orm(json)]
            pub note: Note,
            #[orm(decimal(10, 2))]
            pub price: Decimal,
            #[orm(decimal(9, 0))]
            pub whole: Decimal,
            #[orm(decimal(28, 10))]
            pub exact: Decimal,
            pub mood: TrailMood,
            pub maybe_text: Option<String>,
            pub maybe_bytes: Option<Vec<u8>>,
            pub maybe_double: Option<f64>,
            pub maybe_uuid: Option<Uuid>,
            pub maybe_flag: Option<bool>,
            #[orm(decimal(10, 2))]
            pub maybe_price: Option<Decimal>,
            #[orm(sensitive)]
            pub secret: Option<String>,
            #[orm(version)]
            pub revision: i64,
        }

        fn $row(name: &str) -> $new {
            $new {
                name: name.into(),
                flag: true,
                small: -3,
                int: i32::MAX,
                big: i64::MIN,
                single: 0.1,
                double: 1e300,
                bytes: vec![0, 255, 7],
                uuid: Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
                instant: Timestamp::from_micros(1_700_000_000_123_456),
                local: "2024-02-29T23:59:59.000001".parse().expect("a time"),
                date: "0007-01-02".parse().expect("a date"),
                time: "01:02:03.4".parse().expect("a time"),
                json: serde_json::json!({"a": [1, null, "ü"]}),
                note: Note { text: "\"\n".into() },
                price: Decimal::new(-5, 2),
                whole: Decimal::new(-7, 0),
                exact: Decimal::new(1, 10),
                mood: TrailMood::SoSo,
            }
        }

        /// Writes in many ways.
        async fn $run(db: &Db) -> orm::Result<()> {
            let ann = db.acting_as("ann \"a\"".to_owned()).request("r1".to_owned());
            let a = $row("a").insert(&ann).await?;
            let b = $row("tab\t\u{1}\u{8}\u{c}\r\\ é 𝄞 \u{7f}");
            let b = b.set(|r| (r.secret.to("s".to_owned()), r.maybe_double.to(1e-7))).insert(db).await?;
            $new::insert_all(db, ["c", "d", "e"].map($row)).await?;
            let a = a.update().set(|r| (r.price.to(Decimal::new(120, 2)), r.flag.to(false))).save(&ann).await?;
            let mut edit = b.edit();
            edit.maybe_text = Some(String::new());
            edit.maybe_bytes = Some(Vec::new());
            edit.maybe_uuid = Some(Uuid::nil());
            edit.maybe_flag = Some(false);
            edit.maybe_price = Some(Decimal::new(0, 2));
            edit.secret = Some("t".into());
            let b = edit.save(db).await?;
            let mut edit = b.edit();
            edit.json = serde_json::Value::Null;
            edit.double = -123.456;
            edit.single = 1.0;
            edit.exact = Decimal::from_str_exact("-999999999999999999.9999999999").expect("a number");
            edit.mood = TrailMood::Happy;
            edit.save(db).await?;
            let some = $name::update_where(|r| r.name.in_(["c", "d"]));
            assert_eq!(some.set(|r| r.int.to(r.int - 1)).exec(&ann).await?, 2);
            let none = $name::update_where(|r| r.name.eq("nobody"));
            assert_eq!(none.set(|r| r.int.to(0)).exec(db).await?, 0);
            let upsert = |name: &str| $row(name).upsert(|r| r.name).update(|r, _| r.big.to(r.big + 1));
            assert!(!upsert("c").exec(db).await?.is_inserted());
            assert!(upsert("f").exec(db).await?.is_inserted());
            let copy = || {
                let rows = $name::query().filter(|r| r.name.eq("d"));
                $name::insert_from(rows, |new, r| {
                    (
                        (new.name.to("g"), new.flag.to(r.flag), new.small.to(r.small), new.int.to(r.int)),
                        (new.big.to(r.big), new.single.to(r.single), new.double.to(r.double)),
                        (new.bytes.to(r.bytes), new.uuid.to(r.uuid), new.instant.to(r.instant)),
                        (new.local.to(r.local), new.date.to(r.date), new.time.to(r.time), new.json.to(r.json)),
                        (new.note.to(r.note), new.price.to(r.price), new.whole.to(r.whole)),
                        (new.exact.to(r.exact), new.mood.to(r.mood), new.maybe_price.to(r.price)),
                    )
                })
            };
            assert_eq!(copy().exec(&ann).await?, 1);
            assert_eq!(copy().upsert(|r| r.name).do_nothing().exec(&ann).await?, 0);
            let again = copy().upsert(|r| r.name).update(|r, new| (r.small.to(7_i16), r.maybe_text.to(new.name)));
            assert_eq!(again.rows(|r| (r.name, r.revision)).all(&ann).await?, [("g".to_owned(), 2)]);
            let joined = $name::update_where(|r| r.name.eq("g"))
                .join_on($name::query(), |r, other| r.int.eq(other.int).and(other.name.eq("d")))
                .set(|(r, other)| (r.int.to(other.int - 2), r.price.to(other.whole)));
            assert_eq!(joined.exec(&ann).await?, 1);
            let gone = $name::delete_where(|r| r.name.eq("g"))
                .join_on($name::query(), |r, other| r.big.eq(other.big));
            assert_eq!(gone.rows(|r| r.name).all(db).await?, ["g"]);
            let id = a.id;
            assert!(a.delete(&ann).await?);
            assert!($name::restore(db, id).await?);
            assert!($name::purge(db, id).await?);
            assert_eq!($name::delete_where(|r| r.name.eq("e")).exec(db).await?, 1);
            let job = db.request("job".to_owned());
            let mut unit = job.unit_of_work();
            unit.insert($row("u"))?;
            unit.insert($row("v"))?;
            unit.commit().await?;
            Ok(())
        }
    };
}
twin!(
    ByLibrary,
    "by_library",
    NewByLibrary,
    library,
    run_library,
    audit_trail
);
twin!(
    ByTriggers,
    "by_triggers",
    NewByTriggers,
    triggers,
    run_triggers,
    audit_trail = triggers,
    history
);

fn twins() -> Schema {
    orm::schema![ByLibrary, ByTriggers, AuditLog]
}

async fn of_table(db: &Db, table: &str) -> orm::Result<Vec<AuditLog>> {
    let all = AuditLog::query().filter(|a| a.table_name.eq(table));
    all.order_by(|a| a.id.asc()).all(db).await
}

/// All of an entry but for the table, the time and the name of the transaction.
fn told(a: &AuditLog) -> (AuditOperation, String, [Option<String>; 5], String) {
    let timeless = |row: &Option<String>| {
        let row = row.as_deref()?;
        let (before, at) = row.split_once("\"deleted_at\":")?;
        Some(format!("{before}{}", if at == "null}" { "null" } else { "then" }))
    };
    let texts = [
        a.actor.clone(),
        a.tenant.clone(),
        a.request_id.clone(),
        timeless(&a.before),
        timeless(&a.after),
    ];
    (a.operation, a.row_key.clone(), texts, a.changed.clone())
}

#[orm::test(schema = twins())]
async fn both_engines_write_the_same(db: Db) -> orm::Result<()> {
    run_library(&db).await?;
    run_triggers(&db).await?;
    let (library, triggers) = (
        of_table(&db, "by_library").await?,
        of_table(&db, "by_triggers").await?,
    );
    for (a, b) in library.iter().zip(&triggers) {
        assert_eq!(told(a), told(b));
        assert_eq!(b.transaction_id.len(), 36);
    }
    assert_eq!(library.len(), triggers.len());
    assert_eq!(library.len(), 22);
    let same = |entries: &[AuditLog]| -> Vec<bool> {
        let pairs = entries.windows(2);
        pairs
            .map(|e| e[0].transaction_id == e[1].transaction_id)
            .collect()
    };
    assert_eq!(same(&library), same(&triggers), "one name for one transaction");
    // the history of the same rows holds every type as it was
    let now = ByTriggers::query()
        .with_deleted()
        .order_by(|r| r.id.asc())
        .all(&db)
        .await?;
    let kept = ByTriggers::as_of(Timestamp::now())
        .with_deleted()
        .order_by(|r| r.id.asc());
    assert_eq!(kept.all(&db).await?, now);
    let text = format!("{triggers:?}");
    assert!(
        !text.contains("\"s\\\"") && text.contains("secret"),
        "told without its value"
    );
    Ok(())
}

#[orm::test(schema = twins())]
async fn floats_are_the_same_numbers(db: Db) -> orm::Result<()> {
    let numbers = [
        0.0,
        -0.0,
        0.1,
        0.3,
        1.0 / 3.0,
        2.0f64.sqrt(),
        1e15,
        1e16,
        123_456_789_012_345_678.0,
        9.5e-5,
        1e-4,
        5e-324,
        f64::MAX,
        f64::MIN_POSITIVE,
        1e22,
        4.35,
        0.1 + 0.2,
        9_007_199_254_740_993.0,
        -1e-300,
        100.0,
    ];
    for (i, n) in numbers.into_iter().enumerate() {
        let new = triggers(&i.to_string());
        NewByTriggers { double: n, ..new }.exec(&db).await?;
    }
    let entries = of_table(&db, "by_triggers").await?;
    for (n, entry) in numbers.into_iter().zip(entries) {
        let after: serde_json::Value =
            serde_json::from_str(entry.after.as_deref().unwrap_or("")).expect("JSON");
        let told = after["double"].as_f64();
        assert!(after["double"].is_f64(), "{n:?} as {}", after["double"]);
        assert_eq!(told, Some(n), "{}", after["double"]);
    }
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(audit_trail = triggers)]
pub struct Folder {
    pub id: Id<Folder>,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(audit_trail = triggers)]
pub struct Paper {
    pub id: Id<Paper>,
    #[belongs_to(folder: Folder, on_delete = cascade)]
    pub folder_id: Id<Folder>,
    #[belongs_to(shelf: Shelf, on_delete = cascade)]
    pub shelf_id: Option<Id<Shelf>>,
    pub title: String,
}

/// Nobody writes down what happens to it.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Shelf {
    pub id: Id<Shelf>,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(audit_trail = triggers, tenant(shop_id))]
pub struct Ware {
    #[orm(id)]
    pub code: String,
    pub shop_id: i64,
    pub amount: i64,
}

fn schema() -> Schema {
    orm::schema![Folder, Paper, Shelf, Ware, AuditLog]
}

/// Table, operation, key and actor of all entries.
async fn lines(db: &Db) -> orm::Result<Vec<String>> {
    let line = |a: AuditLog| {
        let actor = a.actor.unwrap_or("nobody".into());
        format!("{} {:?} {} by {actor}", a.table_name, a.operation, a.row_key)
    };
    let all = AuditLog::query().order_by(|a| a.id.asc()).all(db).await?;
    Ok(all.into_iter().map(line).collect())
}

#[orm::test(schema = schema())]
async fn hand_written_sql_is_seen(db: Db) -> orm::Result<()> {
    assert_eq!(
        sql!("insert into folders (id, name) values (7, 'a')")
            .exec(&db)
            .await?,
        1
    );
    let ann = db.acting_as("ann".to_owned()).request(4711_i64);
    assert_eq!(
        sql!("update folders set name = 'b' where id = 7")
            .exec(&ann)
            .await?,
        1
    );
    assert_eq!(
        sql!("update folders set name = 'b' where id = 7")
            .exec(&ann)
            .await?,
        1
    );
    let back: Vec<(i64,)> = sql!("delete from folders where id = 7 returning id")
        .fetch(&ann)
        .await?;
    assert_eq!(back, [(7,)]);
    let expected = [
        "folders Insert [7] by nobody",
        "folders Update [7] by ann",
        "folders Delete [7] by ann",
    ];
    assert_eq!(lines(&db).await?, expected, "the second update changed nothing");
    let entries = Folder::trail_of(&db, Id::new(7)).await?;
    assert_eq!(entries[1].changed_fields(), ["name"]);
    assert_eq!(entries[1].before.as_deref(), Some(r#"{"id":7,"name":"a"}"#));
    assert_eq!(entries[1].request_id.as_deref(), Some("4711"));
    assert!(entries.iter().all(|e| e.transaction_id.len() == 36));
    let close = |at: Timestamp| (Timestamp::now().micros() - at.micros()).abs() < 60_000_000;
    assert!(entries.iter().all(|e| close(e.at)));
    Ok(())
}

#[orm::test(schema = schema())]
async fn what_the_database_takes_along_is_seen(db: Db) -> orm::Result<()> {
    let folder = NewFolder { name: "f".into() }.insert(&db).await?;
    let shelf = NewShelf { name: "s".into() }.insert(&db).await?;
    let paper = |title: &str| NewPaper {
        folder_id: folder.id,
        title: title.into(),
    };
    let on_shelf = paper("x").set(|p| p.shelf_id.to(shelf.id)).insert(&db).await?;
    let other = paper("y").insert(&db).await?;
    let ann = db.acting_as("ann".to_owned());
    // of a table that has no trail itself
    shelf.delete(&ann).await?;
    let (of_shelf, of_folder) = (on_shelf.id, folder.id);
    folder.delete(&ann).await?;
    let mut all = lines(&db).await?.split_off(3);
    all[1..].sort();
    let expected = [
        format!("papers Delete [{of_shelf}] by ann"),
        format!("folders Delete [{of_folder}] by ann"),
        format!("papers Delete [{}] by ann", other.id),
    ];
    assert_eq!(all, expected);
    Ok(())
}

#[orm::test(schema = schema())]
async fn nobody_answers_for_somebody_else(db: Db) -> orm::Result<()> {
    let tx = db.begin().await?;
    let folder = |name: &str| NewFolder { name: name.into() };
    folder("a").exec(&tx.acting_as("ann".to_owned())).await?;
    folder("b").exec(&tx.acting_as("bob".to_owned())).await?;
    folder("c").exec(&tx).await?;
    folder("d").exec(&tx.acting_as("ann".to_owned())).await?;
    sql!("update folders set name = 'z' where name = 'd'")
        .exec(&tx)
        .await?;
    sql!("update folders set name = 'y' where name = 'z'")
        .exec(&tx.acting_as("bob".to_owned()))
        .await?;
    tx.commit().await?;
    sql!("update folders set name = 'x' where name = 'y'")
        .exec(&db)
        .await?;
    let actors: Vec<String> = lines(&db)
        .await?
        .iter()
        .filter_map(|l| Some(l.split_once(" by ")?.1.to_owned()))
        .collect();
    assert_eq!(actors, ["ann", "bob", "nobody", "ann", "nobody", "bob", "nobody"]);
    let entries = AuditLog::query().order_by(|a| a.id.asc()).all(&db).await?;
    let one = |e: &AuditLog| e.transaction_id == entries[0].transaction_id;
    let known = entries[..6].iter().filter(|e| one(e)).count();
    // where triggers cannot tell one transaction from another, hand-written SQL that says nothing has a name of its own
    let apart = db.dialect().features().context_table.is_some();
    assert_eq!(known, if apart { 5 } else { 6 });
    assert!(!one(&entries[6]));
    Ok(())
}

#[orm::test(schema = schema())]
async fn a_trail_is_undone_with_its_write(db: Db) -> orm::Result<()> {
    let mut tx = db.begin().await?;
    NewFolder { name: "a".into() }.exec(&tx).await?;
    let inner = tx.begin().await?;
    NewFolder { name: "b".into() }.exec(&inner).await?;
    inner.rollback().await?;
    NewFolder { name: "c".into() }.exec(&tx).await?;
    tx.commit().await?;
    let entries = AuditLog::query().order_by(|a| a.id.asc()).all(&db).await?;
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].transaction_id, entries[1].transaction_id);

    sql!("drop table audit_log").exec(&db).await?;
    assert!(
        NewFolder { name: "z".into() }.insert(&db).await.is_err(),
        "no write without its entry"
    );
    assert_eq!(Folder::query().count(&db).await?, 2);
    db.drop_all(&schema()).await?;
    db.create_all(&schema()).await?;
    NewFolder { name: "a".into() }.exec(&db).await?;
    assert_eq!(lines(&db).await?.len(), 1);
    // nothing is left behind
    db.drop_all(&schema()).await?;
    db.create_all(&schema()).await?;
    db.drop_all(&schema()).await
}

#[orm::test(schema = schema())]
async fn a_tenant_sees_what_happened_to_its_rows(db: Db) -> orm::Result<()> {
    let (one, two) = (db.tenant(1_i64), db.tenant(2_i64));
    let goods = |code: &str| NewWare {
        code: code.into(),
        amount: 1,
    };
    goods("a").insert(&one).await?;
    goods("b").insert(&two).await?;
    // it does not say for whom, but the row does
    sql!("update wares set amount = 5 where code = 'a'")
        .exec(&db)
        .await?;
    let trail = Ware::trail_of(&one, "a".into()).await?;
    let tenants: Vec<Option<&str>> = trail.iter().map(|e| e.tenant.as_deref()).collect();
    assert_eq!(tenants, [Some("1"), Some("1")]);
    assert_eq!(Ware::trail_of(&two, "a".into()).await?, []);
    // a key that changes ends under the old one and begins under the new one
    sql!("update wares set code = 'c' where code = 'a'")
        .exec(&db)
        .await?;
    let last = |trail: Vec<AuditLog>| trail[0].operation;
    assert_eq!(
        last(Ware::trail_of(&one, "a".into()).await?),
        AuditOperation::Delete
    );
    assert_eq!(
        last(Ware::trail_of(&one, "c".into()).await?),
        AuditOperation::Insert
    );
    Ok(())
}

#[orm::test(schema = schema())]
async fn a_write_that_fails_leaves_nothing_behind(db: Db) -> orm::Result<()> {
    let ann = db.acting_as("ann".to_owned());
    let twice = || NewFolder { name: "a".into() }.with_id(Id::new(1));
    twice().insert(&ann).await?;
    let refused = twice().insert(&ann).await;
    assert_eq!(
        refused.map_err(|e| e.kind()).err(),
        Some(ErrorKind::UniqueViolation)
    );
    // had the name of the actor stayed, this would say it
    sql!("update folders set name = 'b'").exec(&db).await?;
    assert_eq!(
        lines(&db).await?,
        ["folders Insert [1] by ann", "folders Update [1] by nobody"]
    );
    Ok(())
}

macro_rules! lists {
    ($name:ident, $table:literal, $($trail:tt)*) => {
        #[derive(Model, Clone, Debug, PartialEq)]
        #[orm(table = $table, $($trail)*)]
        pub struct $name {
            pub id: Id<$name>,
            pub texts: Vec<String>,
            pub numbers: Option<Vec<i64>>,
            pub days: Vec<bool>,
        }
    };
}
lists!(ListsByLibrary, "lists_by_library", audit_trail);
lists!(ListsByTriggers, "lists_by_triggers", audit_trail = triggers);

#[orm::test(schema = orm::schema![ListsByLibrary, ListsByTriggers, AuditLog], requires = |f| f.arrays)]
async fn lists_are_told_alike(db: Db) -> orm::Result<()> {
    let texts = vec!["a\"b".to_owned(), String::new()];
    let days = vec![true, false];
    let a = NewListsByLibrary {
        texts: texts.clone(),
        days: days.clone(),
    }
    .insert(&db)
    .await?;
    let b = NewListsByTriggers { texts, days }.insert(&db).await?;
    a.update()
        .set(|l| (l.numbers.to(vec![1, -2]), l.texts.to(Vec::new())))
        .save(&db)
        .await?;
    b.update()
        .set(|l| (l.numbers.to(vec![1, -2]), l.texts.to(Vec::new())))
        .save(&db)
        .await?;
    let (library, triggers) = (
        of_table(&db, "lists_by_library").await?,
        of_table(&db, "lists_by_triggers").await?,
    );
    for (a, b) in library.iter().zip(&triggers) {
        assert_eq!(
            (&a.before, &a.after, &a.changed),
            (&b.before, &b.after, &b.changed)
        );
    }
    assert_eq!((library.len(), triggers.len()), (2, 2));
    Ok(())
}

#[orm::test(schema = schema())]
async fn a_handle_carries_all_of_it(db: Db) -> orm::Result<()> {
    let goods = |code: &str| NewWare {
        code: code.into(),
        amount: 1,
    };
    let one = db
        .tenant(1_i64)
        .request("r1".to_owned())
        .acting_as("ann".to_owned());
    goods("a").insert(&one).await?;
    let two = db.acting_as("bob".to_owned()).request(2_i64).tenant(1_i64);
    goods("b").insert(&two).await?;
    one.transaction(async |tx| -> orm::Result<()> {
        goods("c").insert(&*tx).await?;
        goods("d").insert(&tx.request("inner".to_owned())).await?;
        Ok(())
    })
    .await?;
    let tx = db.begin().await?;
    goods("e")
        .insert(&tx.request("r5".to_owned()).tenant(1_i64))
        .await?;
    tx.commit().await?;
    assert_eq!(one.request("other".to_owned()).request_id(), "other");
    let told = |a: AuditLog| (a.actor, a.request_id, a.tenant);
    let all = AuditLog::query().order_by(|a| a.id.asc()).all(&db).await?;
    let all: Vec<_> = all.into_iter().map(told).collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        all,
        [
            (some("ann"), some("r1"), some("1")),
            (some("bob"), some("2"), some("1")),
            (some("ann"), some("r1"), some("1")),
            (some("ann"), some("inner"), some("1")),
            (None, some("r5"), some("1")),
        ]
    );
    Ok(())
}
