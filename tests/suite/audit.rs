//! The audit trail writes down every change of every row, whichever way it comes.

use orm::prelude::*;
use orm::schema::Schema;
use orm::{AuditLog, AuditOperation, ErrorKind, assert_statements};

use crate::models::refused;

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(audit_trail, soft_delete, timestamps)]
#[has_many(lines: Line, cascade = delete)]
#[many_to_many(labels: Label, via = InvoiceLabel, cascade = unlink)]
pub struct Invoice {
    pub id: Id<Invoice>,
    #[orm(unique)]
    pub number: String,
    #[orm(default = 0)]
    pub cents: i64,
    #[orm(sensitive)]
    pub iban: Option<String>,
    pub updated_at: Timestamp,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(audit_trail)]
pub struct Line {
    pub id: Id<Line>,
    #[belongs_to(invoice: Invoice)]
    pub invoice_id: Option<Id<Invoice>>,
    pub text: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Label {
    pub id: Id<Label>,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(audit_trail, id(invoice_id, label_id))]
pub struct InvoiceLabel {
    #[belongs_to(invoice: Invoice)]
    pub invoice_id: Id<Invoice>,
    #[belongs_to(label: Label)]
    pub label_id: Id<Label>,
}

/// Its key can be changed.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(audit_trail)]
pub struct Country {
    #[orm(id)]
    pub code: String,
    pub area: f64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(audit_trail, tenant(shop_id))]
pub struct Stock {
    pub id: Id<Stock>,
    pub shop_id: i64,
    pub amount: i64,
}

fn schema() -> Schema {
    orm::schema![
        Invoice,
        Line,
        Label,
        InvoiceLabel,
        Country,
        Stock,
        Posting,
        AuditLog
    ]
}

fn invoice(number: &str) -> NewInvoice {
    NewInvoice {
        number: number.into(),
    }
}

/// What was written down since the last call, the oldest first.
async fn since(db: &Db, seen: &mut usize) -> orm::Result<Vec<AuditLog>> {
    let mut entries = AuditLog::query().order_by(|a| a.id.asc()).all(db).await?;
    let new = entries.split_off(*seen);
    *seen += new.len();
    Ok(new)
}

/// Table, operation, key, changed fields.
fn lines(entries: &[AuditLog]) -> Vec<String> {
    let line = |a: &AuditLog| {
        let (what, changed) = (format!("{:?}", a.operation), a.changed_fields().join(","));
        match a.operation {
            AuditOperation::Insert => format!("{} {what} {}", a.table_name, a.row_key),
            _ => format!("{} {what} {} {changed}", a.table_name, a.row_key),
        }
    };
    entries.iter().map(line).collect()
}

async fn news(db: &Db, seen: &mut usize) -> orm::Result<Vec<String>> {
    Ok(lines(&since(db, seen).await?))
}

/// Rows that stay as they are.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(append_only, audit_trail)]
#[has_many(corrections: Posting, by = corrects_id)]
pub struct Posting {
    pub id: Id<Posting>,
    pub cents: i64,
    #[belongs_to(corrects: Self)]
    pub corrects_id: Option<Id<Posting>>,
    #[orm(unique)]
    pub reference: Option<String>,
}

#[orm::test(schema = schema())]
async fn every_way_of_writing_is_written_down(db: Db) -> orm::Result<()> {
    let mut seen = 0;
    let a = invoice("a").insert(&db).await?;
    invoice("b").exec(&db).await?;
    let two = [
        invoice("c").set(|i| i.cents.to(0)),
        invoice("d").set(|i| i.cents.to(5)),
    ];
    NewInvoice::insert_all(&db, two).await?;
    NewInvoice::exec_all(&db, (0..3).map(|i| invoice(&format!("x{i}")))).await?;
    let inserts: Vec<String> = (1..=7).map(|id| format!("invoices Insert [{id}]")).collect();
    assert_eq!(news(&db, &mut seen).await?, inserts);

    let a = a.update().set(|i| i.cents.to(1)).save(&db).await?;
    let mut edit = a.clone().edit();
    edit.number = "aa".into();
    let a = edit.save(&db).await?;
    assert_eq!(
        news(&db, &mut seen).await?,
        [
            "invoices Update [1] cents,updated_at",
            "invoices Update [1] number,updated_at"
        ]
    );

    // by condition: nobody has to say that the rows are to be read
    let raise = Invoice::update_where(|i| i.number.starts_with("x")).set(|i| i.cents.to(i.cents + 1));
    assert_eq!(raise.exec(&db).await?, 3);
    let set = Invoice::update_where(|i| i.number.eq("b")).set(|i| i.cents.to(9));
    assert_eq!(set.returning(&db).await?[0].cents, 9);
    assert_eq!(Invoice::delete_where(|i| i.number.eq("d")).exec(&db).await?, 1);
    let none = Invoice::update_where(|i| i.number.eq("nobody")).set(|i| i.cents.to(9));
    assert_eq!(none.exec(&db).await?, 0);
    let mut all = news(&db, &mut seen).await?;
    all[..3].sort();
    assert_eq!(
        all,
        [
            "invoices Update [5] cents,updated_at",
            "invoices Update [6] cents,updated_at",
            "invoices Update [7] cents,updated_at",
            "invoices Update [2] cents,updated_at",
            "invoices Delete [4] updated_at,deleted_at",
        ]
    );

    let upsert = |new: NewInvoice| new.upsert(|i| i.number).update(|i, new| i.cents.to(new.cents));
    assert!(!upsert(invoice("b")).exec(&db).await?.is_inserted());
    let made = upsert(invoice("e")).exec(&db).await?;
    assert!(made.is_inserted());
    invoice("e").upsert(|i| i.number).do_nothing().exec(&db).await?;
    let many = NewInvoice::upsert_all([invoice("b"), invoice("f")], |i| i.number);
    many.update(|i, _| i.cents.to(i.cents + 3)).exec(&db).await?;
    let (e, all) = (made.into_inner().id, news(&db, &mut seen).await?);
    assert_eq!(all[0], "invoices Update [2] cents,updated_at");
    assert_eq!(all[1], format!("invoices Insert [{e}]"));
    assert_eq!(all[2], "invoices Update [2] cents,updated_at");
    assert!(
        all[3].starts_with("invoices Insert ") && all.len() == 4,
        "{all:?}"
    );

    // a soft-deleted row that comes back, both ways; and one that goes for good
    assert!(Invoice::restore(&db, Id::new(4)).await?);
    Invoice::get(&db, Id::new(4)).await?.delete(&db).await?;
    let again = invoice("d").with_id(Id::new(4)).upsert(|i| i.id);
    again
        .update(|i, new| i.number.to(new.number))
        .revive()
        .exec(&db)
        .await?;
    assert!(Invoice::purge(&db, Id::new(4)).await?);
    let all = news(&db, &mut seen).await?;
    let begins: Vec<&str> = all
        .iter()
        .map(|l| l.split(']').next().unwrap_or_default())
        .collect();
    assert_eq!(
        begins,
        [
            "invoices Restore [4",
            "invoices Delete [4",
            "invoices Restore [4",
            "invoices Delete [4"
        ]
    );
    assert_eq!(
        all[3], "invoices Delete [4] id,number,cents,iban,updated_at,created_at,deleted_at",
        "all of the row is gone"
    );
    assert_eq!(a.number, "aa");
    Ok(())
}

#[orm::test(schema = schema())]
async fn cascades_links_and_units_are_written_down(db: Db) -> orm::Result<()> {
    let mut seen = 0;
    let a = invoice("a").insert(&db).await?;
    let labels = NewLabel::insert_all(&db, ["x", "y"].map(|name| NewLabel { name: name.into() })).await?;
    let line = |text: &str| NewLine { text: text.into() };
    let one = a.lines().create(&db, line("one")).await?;
    let two = line("two").insert(&db).await?;
    a.lines().link(&db, [two.id]).await?;
    a.labels().link(&db, [labels[0].id, labels[1].id]).await?;
    a.labels().unlink(&db, [labels[1].id]).await?;
    let (key, x, y) = (a.id, labels[0].id, labels[1].id);
    let mut all = news(&db, &mut seen).await?;
    all[4..6].sort();
    assert_eq!(
        all,
        [
            format!("invoices Insert [{key}]"),
            format!("lines Insert [{}]", one.id),
            format!("lines Insert [{}]", two.id),
            format!("lines Update [{}] invoice_id", two.id),
            format!("invoice_labels Insert [{key},{x}]"),
            format!("invoice_labels Insert [{key},{y}]"),
            format!("invoice_labels Delete [{key},{y}] invoice_id,label_id"),
        ]
    );
    let operations = InvoiceLabel::trail_of(&db, (key, y))
        .await?
        .iter()
        .map(|e| e.operation)
        .collect::<Vec<_>>();
    assert_eq!(operations, [AuditOperation::Delete, AuditOperation::Insert]);

    a.delete(&db).await?;
    let entries = since(&db, &mut seen).await?;
    let one_transaction = entries
        .iter()
        .all(|e| e.transaction_id == entries[0].transaction_id);
    assert!(one_transaction && entries.iter().all(|e| e.at == entries[0].at));
    let mut all = lines(&entries);
    all.sort();
    assert_eq!(
        all,
        [
            format!("invoice_labels Delete [{key},{x}] invoice_id,label_id"),
            format!("invoices Delete [{key}] updated_at,deleted_at"),
            format!("lines Delete [{}] id,invoice_id,text", one.id),
            format!("lines Delete [{}] id,invoice_id,text", two.id),
        ]
    );

    let mut unit = db.unit_of_work();
    unit.insert(invoice("u"))?;
    unit.insert(invoice("v"))?;
    unit.insert(line("w"))?;
    unit.commit().await?;
    let entries = since(&db, &mut seen).await?;
    assert_eq!(entries.len(), 3);
    assert!(
        entries
            .iter()
            .all(|e| e.transaction_id == entries[0].transaction_id)
    );
    Ok(())
}

#[orm::test(schema = schema())]
async fn an_entry_says_who_when_and_what(db: Db) -> orm::Result<()> {
    let ann = db.acting_as(Id::<Label>::new(7));
    let made = invoice("a\"b")
        .set(|i| i.iban.to("DE1".to_owned()))
        .insert(&ann)
        .await?;
    let bob = db.acting_as("bob".to_owned());
    let changed = made
        .update()
        .set(|i| (i.cents.to(3), i.iban.to("DE2".to_owned())))
        .save(&bob)
        .await?;
    let trail = changed.trail(&db).await?;
    assert_eq!(trail, Invoice::trail_of(&db, made.id).await?);
    let [update, insert] = &trail[..] else {
        panic!("{trail:?}")
    };
    assert_eq!(insert.actor.as_deref(), Some("7"));
    assert_eq!(update.actor.as_deref(), Some("bob"));
    assert_eq!((insert.at, update.at), (made.updated_at, changed.updated_at));
    assert_ne!(insert.transaction_id, update.transaction_id);
    assert_eq!(insert.before, None);
    assert_eq!(update.before, insert.after);
    assert_eq!(update.changed, r#"["cents","iban","updated_at"]"#);
    let after: serde_json::Value =
        serde_json::from_str(update.after.as_deref().unwrap_or_default()).expect("JSON");
    let expected = serde_json::json!({
        "id": made.id.to_string().parse::<i64>().ok(),
        "number": "a\"b",
        "cents": 3,
        "updated_at": changed.updated_at.to_string(),
        "created_at": made.updated_at.to_string(),
        "deleted_at": null,
    });
    assert_eq!(after, expected, "but for the sensitive column");
    let texts = format!("{trail:?}");
    assert!(!texts.contains("DE1") && !texts.contains("DE2"));
    Ok(())
}

#[orm::test(schema = schema())]
async fn the_trail_is_undone_with_its_write(db: Db) -> orm::Result<()> {
    let mut tx = db.begin().await?;
    let a = invoice("a").insert(&tx).await?;
    let inner = tx.begin().await?;
    a.update().set(|i| i.cents.to(1)).save(&inner).await?;
    inner.rollback().await?;
    let b = invoice("b").insert(&tx).await?;
    let trail = AuditLog::query().order_by(|a| a.id.asc()).all(&tx).await?;
    let keys: Vec<&str> = trail.iter().map(|e| e.row_key.as_str()).collect();
    assert_eq!(keys, [format!("[{}]", a.id), format!("[{}]", b.id)]);
    assert_eq!(trail[0].transaction_id, trail[1].transaction_id);
    assert_eq!(trail[0].transaction_id.len(), 36);
    tx.rollback().await?;
    assert_eq!(AuditLog::query().count(&db).await?, 0);

    invoice("a").insert(&db).await?;
    let taken = refused(NewInvoice::insert_all(&db, [invoice("c"), invoice("a")]).await);
    assert_eq!(taken.kind(), ErrorKind::UniqueViolation);
    assert_eq!(AuditLog::query().count(&db).await?, 1);

    // a trail that cannot be written stops the write
    sql!("drop table audit_log").exec(&db).await?;
    refused(invoice("z").insert(&db).await);
    assert_eq!(Invoice::query().count(&db).await?, 1);
    Ok(())
}

#[orm::test(schema = schema())]
async fn nothing_changed_is_nothing_written(db: Db) -> orm::Result<()> {
    let country = NewCountry {
        code: "no".into(),
        area: 1.5,
    };
    let no = country.insert(&db).await?;
    no.update().set(|c| c.area.to(1.5)).save(&db).await?;
    Country::update_where(|c| c.code.eq("no"))
        .set(|c| c.code.to("no"))
        .exec(&db)
        .await?;
    assert_eq!(Country::trail_of(&db, "no".into()).await?.len(), 1);
    // a row whose key changes ends under the old one and begins under the new one
    Country::update_where(|c| c.code.eq("no"))
        .set(|c| c.code.to("se"))
        .exec(&db)
        .await?;
    let operation = |trail: Vec<AuditLog>| trail[0].operation;
    assert_eq!(
        operation(Country::trail_of(&db, "no".into()).await?),
        AuditOperation::Delete
    );
    assert_eq!(
        operation(Country::trail_of(&db, "se".into()).await?),
        AuditOperation::Insert
    );
    // a model without a trail costs nothing
    assert_statements!(db, 1, { NewLabel { name: "x".into() }.insert(&db).await? });
    Ok(())
}

#[orm::test(schema = schema())]
async fn a_tenant_sees_its_own_trail(db: Db) -> orm::Result<()> {
    let (one, two) = (db.tenant(1_i64), db.tenant(2_i64));
    let stock = NewStock { amount: 1 }.insert(&one).await?;
    Stock::update_where(|s| s.amount.eq(1))
        .set(|s| s.amount.to(5))
        .exec(&two)
        .await?;
    let trail = Stock::trail_of(&one, stock.id).await?;
    assert_eq!(trail.len(), 1, "the other tenant met no row");
    assert_eq!(trail[0].tenant.as_deref(), Some("1"));
    assert_eq!(Stock::trail_of(&two, stock.id).await?, []);
    Ok(())
}

#[orm::test(schema = schema(), requires = |f| f.row_locks, flavor = "multi_thread")]
async fn a_row_that_comes_between_is_left_alone(db: Db) -> orm::Result<()> {
    let a = invoice("a").insert(&db).await?;
    let tx = db.begin().await?;
    a.update().set(|i| i.cents.to(1)).save(&tx).await?;
    let raised = {
        let db = db.clone();
        let raise = async move {
            let all = Invoice::update_where(|i| i.cents.ge(0));
            all.set(|i| i.cents.to(i.cents + 10)).exec(&db).await
        };
        tokio::spawn(raise)
    };
    loop {
        let waiting: i64 = sql!(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        )
        .fetch_one(&db)
        .await?;
        if waiting > 0 {
            break;
        }
    }
    invoice("b").insert(&db).await?;
    tx.commit().await?;
    assert_eq!(raised.await.expect("the task")?, 1);
    assert_eq!(
        Invoice::trail_of(&db, a.id).await?[0].changed_fields(),
        ["cents", "updated_at"]
    );
    assert_eq!(AuditLog::query().count(&db).await?, 4);
    Ok(())
}

#[orm::test(schema = schema())]
async fn rows_of_an_append_only_model_stay(db: Db) -> orm::Result<()> {
    let posting = |cents| NewPosting { cents };
    let first = posting(100).insert(&db).await?;
    NewPosting::insert_all(&db, [posting(1), posting(2)]).await?;
    first.corrections().create(&db, posting(-100)).await?;
    let mut unit = db.unit_of_work();
    unit.insert(posting(5))?;
    unit.commit().await?;
    let named = || posting(7).set(|p| p.reference.to("r".to_owned()));
    assert!(
        named()
            .upsert(|p| p.reference)
            .do_nothing()
            .exec(&db)
            .await?
            .is_some()
    );
    assert!(
        named()
            .upsert(|p| p.reference)
            .do_nothing()
            .exec(&db)
            .await?
            .is_none()
    );
    let rows = Posting::query().order_by(|p| p.id.asc()).all(&db).await?;
    assert_eq!(rows.len(), 6);

    // the database refuses what the types do not see
    let truncates = db.dialect().features().row_locks;
    let refusals = [
        sql!("update postings set cents = 0").exec(&db).await.err(),
        sql!("delete from postings where cents = 100")
            .exec(&db)
            .await
            .err(),
        sql!("delete from audit_log").exec(&db).await.err(),
        sql!("update audit_log set actor = 'x'").exec(&db).await.err(),
        match truncates {
            true => sql!("truncate postings cascade").exec(&db).await.err(),
            false => sql!("delete from postings").exec(&db).await.err(),
        },
    ];
    for refusal in refusals {
        assert_eq!(refusal.map(|e| e.kind()), Some(ErrorKind::AppendOnly));
    }
    let again = Posting::query().order_by(|p| p.id.asc()).all(&db).await?;
    assert_eq!(again, rows);
    assert_eq!(AuditLog::query().count(&db).await?, 6);

    // nothing is left behind
    db.drop_all(&schema()).await?;
    db.create_all(&schema()).await?;
    db.drop_all(&schema()).await
}

#[orm::test(schema = schema())]
async fn a_row_that_takes_the_place_of_another_is_a_change(db: Db) -> orm::Result<()> {
    let mut seen = 0;
    let a = invoice("a").set(|i| i.cents.to(7)).insert(&db).await?;
    let line = a.lines().create(&db, NewLine { text: "x".into() }).await?;
    news(&db, &mut seen).await?;
    let mut unit = db.unit_of_work();
    unit.delete(a.clone());
    unit.insert(invoice("b").with_id(a.id))?;
    unit.commit().await?;
    assert_eq!(
        news(&db, &mut seen).await?,
        [
            format!("lines Delete [{}] id,invoice_id,text", line.id),
            format!("invoices Update [{}] number,cents,updated_at", a.id),
        ]
    );
    // and what a merge does is written down like everything else
    let graph = Invoice::query().with(|i| i.lines).one(&db).await?;
    let (mut row, mut lines) = graph.into_parts();
    row.cents = 1;
    lines.push(Line {
        id: Id::new(0),
        invoice_id: None,
        text: "y".into(),
    });
    let merged = row.attach(|i| i.lines, lines).merge(&db).await?;
    let mut all = news(&db, &mut seen).await?;
    all.sort();
    assert_eq!(
        all,
        [
            format!("invoices Update [{}] cents,updated_at", a.id),
            format!("lines Insert [{}]", merged.row.lines[0].id),
        ]
    );
    Ok(())
}
