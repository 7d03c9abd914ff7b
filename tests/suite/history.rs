//! Rows as they were: every version is kept, whoever wrote it.

use std::time::Duration;

use orm::prelude::*;
use orm::schema::Schema;
use orm::{AuditOperation, ErrorKind, Version};

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(history, soft_delete)]
#[has_many(lines: OfferLine, cascade = delete)]
pub struct Offer {
    pub id: Id<Offer>,
    #[orm(unique)]
    pub number: String,
    #[orm(default = 0, validate = not_negative)]
    pub cents: i64,
    pub note: Option<String>,
    #[orm(version)]
    pub revision: i64,
}

fn not_negative(cents: &i64) -> Result<(), &'static str> {
    if *cents < 0 { Err("below zero") } else { Ok(()) }
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(history)]
pub struct OfferLine {
    pub id: Id<OfferLine>,
    #[belongs_to(offer: Offer)]
    pub offer_id: Id<Offer>,
    pub text: String,
}

/// Goes with its box, which the database sees to.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(history)]
pub struct Thing {
    pub id: Id<Thing>,
    #[belongs_to(container: Container, on_delete = cascade)]
    pub container_id: Id<Container>,
    #[belongs_to(inside: Thing)]
    pub inside_id: Option<Id<Thing>>,
    #[orm(unique)]
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(things: Thing)]
pub struct Container {
    pub id: Id<Container>,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(history, tenant(shop_id))]
pub struct Stored {
    #[orm(id)]
    pub code: String,
    pub shop_id: i64,
    pub amount: i64,
}

pub fn schema() -> Schema {
    orm::schema![Offer, OfferLine, Container, Thing, Stored]
}

fn offer(number: &str) -> NewOffer {
    NewOffer {
        number: number.into(),
    }
}

/// An instant that nothing was written at.
async fn moment() -> Timestamp {
    tokio::time::sleep(Duration::from_millis(5)).await;
    let now = Timestamp::now();
    tokio::time::sleep(Duration::from_millis(5)).await;
    now
}

fn numbers(offers: &[Offer]) -> Vec<(&str, i64)> {
    offers.iter().map(|o| (o.number.as_str(), o.cents)).collect()
}

#[orm::test(schema = schema())]
async fn a_query_of_the_past_is_a_query(db: Db) -> orm::Result<()> {
    let t0 = moment().await;
    let a = offer("a").insert(&db).await?;
    offer("b").exec(&db).await?;
    let t1 = moment().await;
    let a = a.update().set(|o| o.cents.to(5)).save(&db).await?;
    let t2 = moment().await;
    let id = a.id;
    a.delete(&db).await?;
    let t3 = moment().await;
    assert!(Offer::purge(&db, id).await?);
    let t4 = moment().await;

    let all = |t| Offer::as_of(t).order_by(|o| o.number.asc());
    assert_eq!(all(t0).all(&db).await?, []);
    assert_eq!(numbers(&all(t1).all(&db).await?), [("a", 0), ("b", 0)]);
    assert_eq!(numbers(&all(t2).all(&db).await?), [("a", 5), ("b", 0)]);
    assert_eq!(numbers(&all(t3).all(&db).await?), [("b", 0)]);
    assert_eq!(
        numbers(&all(t3).with_deleted().all(&db).await?),
        [("a", 5), ("b", 0)]
    );
    assert_eq!(numbers(&all(t3).only_deleted().all(&db).await?), [("a", 5)]);
    assert_eq!(numbers(&all(t4).with_deleted().all(&db).await?), [("b", 0)]);

    assert_eq!(Offer::as_of(t2).filter(|o| o.cents.gt(0)).count(&db).await?, 1);
    assert_eq!(Offer::as_of(t1).get(&db, id).await?.revision, 1);
    assert_eq!(Offer::as_of(t2).get(&db, id).await?.revision, 2);
    let gone = Offer::as_of(t4).get(&db, id).await;
    assert_eq!(gone.map_err(|e| e.kind()).err(), Some(ErrorKind::NotFound));
    assert!(Offer::as_of(t1).filter(|o| o.number.eq("a")).exists(&db).await?);
    assert_eq!(numbers(&all(t1).limit(1).offset(1).all(&db).await?), [("b", 0)]);
    let sums: Vec<Option<i64>> = Offer::as_of(t2).aggregate(|o| o.cents.sum()).all(&db).await?;
    assert_eq!(sums, [Some(5)]);
    // another time inside of a query
    let dearer = Offer::as_of(t2).filter(|o| {
        o.id.in_(Offer::as_of(t1).filter(|p| p.cents.eq(0)).select(|p| p.id))
            .and(o.cents.gt(0))
    });
    assert_eq!(numbers(&dearer.all(&db).await?), [("a", 5)]);
    let mut tx = db.begin().await?;
    let mut rows = all(t1).stream(&mut tx);
    assert_eq!(rows.next().await?.map(|o| o.number).as_deref(), Some("a"));
    Ok(())
}

#[orm::test(schema = schema())]
async fn what_is_loaded_is_of_the_same_time(db: Db) -> orm::Result<()> {
    let a = offer("a").insert(&db).await?;
    let line = |text: &str| NewOfferLine {
        offer_id: a.id,
        text: text.into(),
    };
    let one = line("one").insert(&db).await?;
    let t1 = moment().await;
    let _ = one.update().set(|l| l.text.to("uno")).save(&db).await?;
    line("two").insert(&db).await?;
    a.update().set(|o| o.number.to("aa")).save(&db).await?;
    let t2 = moment().await;
    Offer::get(&db, a.id).await?.delete(&db).await?;

    let texts = async |t| -> orm::Result<Vec<String>> {
        let offer = Offer::as_of(t)
            .with(|o| o.lines.order_by(|l| l.text.asc()))
            .one(&db)
            .await?;
        Ok(offer.lines.iter().map(|l| l.text.clone()).collect())
    };
    assert_eq!(texts(t1).await?, ["one"]);
    assert_eq!(texts(t2).await?, ["two", "uno"]);
    let with_line = |t, text: &'static str| Offer::as_of(t).filter(move |o| o.lines.any(|l| l.text.eq(text)));
    assert_eq!(with_line(t1, "one").count(&db).await?, 1);
    assert_eq!(with_line(t1, "uno").count(&db).await?, 0);
    assert_eq!(with_line(t2, "uno").count(&db).await?, 1);
    let joined = |t| {
        OfferLine::as_of(t)
            .join(|l| l.offer)
            .select(|(l, o)| (l.text, o.number))
    };
    assert_eq!(joined(t1).all(&db).await?, [("one".to_owned(), "a".to_owned())]);
    assert_eq!(joined(t2).all(&db).await?[0].1, "aa");
    let outer = Offer::as_of(t1)
        .left_join(|o| o.lines)
        .select(|(o, l)| (o.number, l.map(|l| l.text)));
    assert_eq!(outer.all(&db).await?, [("a".to_owned(), Some("one".to_owned()))]);
    let count = Offer::as_of(t2).select(|o| o.lines.count()).all(&db).await?;
    assert_eq!(count, [2]);
    let line = OfferLine::as_of(t1).with(|l| l.offer).one(&db).await?;
    assert_eq!(line.offer.number, "a");
    // as of now there is none of it
    assert_eq!(OfferLine::query().count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = schema())]
async fn trees_of_the_past_are_walked(db: Db) -> orm::Result<()> {
    let container = NewContainer { name: "c".into() }.insert(&db).await?;
    let thing = |name: &str| NewThing {
        container_id: container.id,
        name: name.into(),
    };
    let a = thing("a").insert(&db).await?;
    let b = thing("b").set(|t| t.inside_id.to(a.id)).insert(&db).await?;
    let c = thing("c").set(|t| t.inside_id.to(b.id)).insert(&db).await?;
    let t1 = moment().await;
    c.update().set(|t| t.inside_id.to(None)).save(&db).await?;
    let up = |things: Query<Thing>| things.filter(|t| t.name.eq("c")).walk(|t| t.inside).all(&db);
    let names = |things: Vec<Thing>| things.into_iter().map(|t| t.name).collect::<Vec<_>>();
    let mut then = names(up(Thing::as_of(t1)).await?);
    then.sort();
    assert_eq!(then, ["a", "b"]);
    assert_eq!(names(up(Thing::query()).await?), Vec::<String>::new());
    // the other table has no history: it is as it is now
    let before = moment().await;
    container.update().set(|c| c.name.to("now")).save(&db).await?;
    let with = Thing::as_of(before)
        .filter(|t| t.name.eq("a"))
        .with(|t| t.container)
        .one(&db)
        .await?;
    assert_eq!(with.container.name, "now");
    Ok(())
}

fn told<M>(versions: &[Version<M>]) -> Vec<AuditOperation> {
    versions.iter().map(|v| v.operation).collect()
}

#[orm::test(schema = schema())]
async fn versions_follow_one_another(db: Db) -> orm::Result<()> {
    use AuditOperation::{Delete, Insert, Restore, Update};
    let a = offer("a").insert(&db).await?;
    let a = a
        .update()
        .set(|o| (o.cents.to(5), o.note.to("n".to_owned())))
        .save(&db)
        .await?;
    let a = a.update().set(|o| o.cents.to(7)).save(&db).await?;
    let id = a.id;
    a.delete(&db).await?;
    Offer::restore(&db, id).await?;
    Offer::purge(&db, id).await?;
    offer("again").with_id(id).insert(&db).await?;
    let versions = Offer::versions(&db, id).await?;
    assert_eq!(
        told(&versions),
        [Insert, Delete, Restore, Delete, Update, Update, Insert]
    );
    for pair in versions.windows(2) {
        let (newer, older) = (&pair[0], &pair[1]);
        assert!(
            older.valid_to.is_some_and(|to| to <= newer.valid_from),
            "{pair:?}"
        );
        assert!(older.valid_from <= newer.valid_from);
    }
    assert_eq!(versions[0].valid_to, None);
    assert_eq!(
        versions[1].valid_to,
        Some(versions[1].valid_from),
        "it tells that the row is gone"
    );
    let changes = versions[4].changes_since(&versions[6]);
    let fields: Vec<&str> = changes.iter().map(orm::Change::field).collect();
    assert_eq!(fields, ["cents", "note", "revision"]);
    assert_eq!((versions[6].row.cents, versions[4].row.cents), (0, 7));
    assert_eq!(Offer::versions(&db, Id::new(99)).await?.len(), 0);
    Ok(())
}

#[orm::test(schema = schema())]
async fn every_way_of_writing_leaves_versions(db: Db) -> orm::Result<()> {
    use AuditOperation::{Delete, Insert, Update};
    let of = async |id: Id<Offer>| Offer::versions(&db, id).await.map(|v| told(&v));
    let many = NewOffer::insert_all(&db, ["a", "b", "c"].map(offer)).await?;
    let raise = Offer::update_where(|o| o.number.ne("c")).set(|o| o.cents.to(o.cents + 1));
    assert_eq!(raise.exec(&db).await?, 2);
    let upsert = offer("a").upsert(|o| o.number).update(|o, _| o.cents.to(9));
    assert!(!upsert.exec(&db).await?.is_inserted());
    let mut edit = Offer::get(&db, many[0].id).await?.edit();
    edit.note = Some("x".into());
    edit.save(&db).await?;
    assert_eq!(of(many[0].id).await?, [Update, Update, Update, Insert]);
    // nothing changed is no version
    sql!("update offers set number = number").exec(&db).await?;
    assert_eq!(of(many[2].id).await?.last(), Some(&Insert));
    assert_eq!(of(many[1].id).await?, [Update, Insert]);
    let line = NewOfferLine {
        offer_id: many[0].id,
        text: "l".into(),
    };
    let line = line.insert(&db).await?;
    Offer::delete_where(|o| o.number.eq("a")).exec(&db).await?;
    assert_eq!(of(many[0].id).await?[0], Delete);
    assert_eq!(told(&OfferLine::versions(&db, line.id).await?), [Delete, Insert]);
    sql!("update offers set cents = 100 where number = 'b'")
        .exec(&db)
        .await?;
    assert_eq!(Offer::versions(&db, many[1].id).await?[0].row.cents, 100);

    let mut unit = db.unit_of_work();
    unit.insert(offer("u"))?;
    unit.commit().await?;
    let u = Offer::query().filter(|o| o.number.eq("u")).one(&db).await?;
    assert_eq!(of(u.id).await?, [Insert]);
    let mut unit = db.unit_of_work();
    unit.delete(u.clone());
    unit.commit().await?;
    assert_eq!(of(u.id).await?, [Delete, Insert]);

    // what the database takes along
    let container = NewContainer { name: "c".into() }.insert(&db).await?;
    let thing = NewThing {
        container_id: container.id,
        name: "t".into(),
    }
    .insert(&db)
    .await?;
    container.delete(&db).await?;
    assert_eq!(told(&Thing::versions(&db, thing.id).await?), [Delete, Insert]);

    // what is undone was never there
    let tx = db.begin().await?;
    let z = offer("z").insert(&tx).await?;
    assert_eq!(Offer::versions(&tx, z.id).await?.len(), 1);
    tx.rollback().await?;
    assert_eq!(Offer::versions(&db, z.id).await?.len(), 0);
    // nothing is left behind
    db.drop_all(&schema()).await?;
    db.create_all(&schema()).await?;
    db.drop_all(&schema()).await
}

#[orm::test(schema = schema())]
async fn a_transaction_is_one_moment(db: Db) -> orm::Result<()> {
    let tx = db.begin().await?;
    let a = offer("a").insert(&tx).await?;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let a = a.update().set(|o| o.cents.to(1)).save(&tx).await?;
    let a = a.update().set(|o| o.cents.to(2)).save(&tx).await?;
    tx.commit().await?;
    let versions = Offer::versions(&db, a.id).await?;
    let at = versions[0].valid_from;
    let times: Vec<_> = versions.iter().map(|v| (v.valid_from, v.valid_to)).collect();
    assert_eq!(times, [(at, None), (at, Some(at)), (at, Some(at))]);
    // what held for no time is never seen
    assert_eq!(Offer::as_of(at).one(&db).await?.cents, 2);
    let before = Timestamp::from_micros(at.micros() - 1);
    assert_eq!(Offer::as_of(before).count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = schema(), requires = |f| f.row_locks)]
async fn transactions_that_overlap_leave_versions_in_order(db: Db) -> orm::Result<()> {
    let a = offer("a").insert(&db).await?;
    let early = db.begin().await?;
    Offer::query().count(&early).await?;
    tokio::time::sleep(Duration::from_millis(5)).await;
    Offer::update_where(|o| o.id.eq(a.id))
        .set(|o| o.cents.to(1))
        .exec(&db)
        .await?;
    Offer::update_where(|o| o.id.eq(a.id))
        .set(|o| o.cents.to(2))
        .exec(&early)
        .await?;
    early.commit().await?;
    let versions = Offer::versions(&db, a.id).await?;
    let cents: Vec<i64> = versions.iter().map(|v| v.row.cents).collect();
    assert_eq!(cents, [2, 1, 0]);
    assert_eq!(versions[1].valid_to, Some(versions[0].valid_from));
    assert_eq!(versions[2].valid_to, Some(versions[1].valid_from));
    assert!(versions[1].valid_to >= Some(versions[1].valid_from));
    Ok(())
}

#[orm::test(schema = schema())]
async fn a_version_is_written_back(db: Db) -> orm::Result<()> {
    let a = offer("a")
        .set(|o| o.note.to("first".to_owned()))
        .insert(&db)
        .await?;
    let read = a.clone();
    let a = a
        .update()
        .set(|o| (o.cents.to(5), o.note.to(None), o.number.to("z")))
        .save(&db)
        .await?;
    let id = a.id;
    let first = Offer::versions(&db, id).await?.pop().expect("the first version");
    // somebody changed it since it was read
    let stale = read.revert_to(&db, &first).await;
    assert_eq!(stale.map_err(|e| e.kind()).err(), Some(ErrorKind::Stale));
    let back = a.clone().revert_to(&db, &first).await?;
    assert_eq!(
        (
            back.number.as_str(),
            back.cents,
            back.note.as_deref(),
            back.revision
        ),
        ("a", 0, Some("first"), 3)
    );
    // nothing to do, nothing done
    assert_eq!(Offer::revert(&db, &first).await?, back);
    assert_eq!(Offer::versions(&db, id).await?.len(), 3);

    back.delete(&db).await?;
    let back = Offer::revert(&db, &first).await?;
    assert_eq!(Offer::get(&db, id).await?, back);
    Offer::purge(&db, id).await?;
    let back = Offer::revert(&db, &first).await?;
    assert_eq!((back.id, back.number.as_str(), back.cents), (id, "a", 0));
    assert_eq!(Offer::get(&db, id).await?, back);
    // the key was given: the next row gets another one
    assert_ne!(offer("b").insert(&db).await?.id, id);

    let versions = Offer::versions(&db, id).await?;
    let gone = versions
        .iter()
        .find(|v| v.operation == AuditOperation::Delete)
        .expect("a deleted row");
    let refused = Offer::revert(&db, gone).await;
    assert_eq!(refused.map_err(|e| e.kind()).err(), Some(ErrorKind::InvalidQuery));
    let other = offer("c").insert(&db).await?.revert_to(&db, &first).await;
    assert_eq!(other.map_err(|e| e.kind()).err(), Some(ErrorKind::InvalidQuery));

    // an old version has to be valid today
    let mut bad = first.clone();
    bad.row.cents = -1;
    let refused = Offer::revert(&db, &bad).await;
    assert_eq!(refused.map_err(|e| e.kind()).err(), Some(ErrorKind::Validation));
    let taken = Offer::get(&db, id).await?;
    taken.update().set(|o| o.number.to("free")).save(&db).await?;
    offer("a").exec(&db).await?;
    let refused = Offer::revert(&db, &first).await;
    assert_eq!(
        refused.map_err(|e| e.kind()).err(),
        Some(ErrorKind::UniqueViolation)
    );
    Ok(())
}

#[orm::test(schema = schema())]
async fn a_tenant_sees_its_own_history(db: Db) -> orm::Result<()> {
    let (one, two) = (db.tenant(1_i64), db.tenant(2_i64));
    let stored = |code: &str| NewStored {
        code: code.into(),
        amount: 1,
    };
    let a = stored("a").insert(&one).await?;
    stored("b").insert(&two).await?;
    a.update().set(|s| s.amount.to(2)).save(&one).await?;
    let now = moment().await;
    assert_eq!(Stored::versions(&one, "a".into()).await?.len(), 2);
    assert_eq!(Stored::versions(&two, "a".into()).await?.len(), 0);
    let codes = Stored::as_of(now).select(|s| s.code).all(&one).await?;
    assert_eq!(codes, ["a"]);
    let first = Stored::versions(&one, "a".into())
        .await?
        .pop()
        .expect("a version");
    assert!(
        Stored::revert(&two, &first).await.is_err(),
        "the key is another tenant's"
    );
    assert_eq!(Stored::revert(&one, &first).await?.amount, 1);
    // a key that changes ends under the old one and begins under the new one
    sql!("update storeds set code = 'c' where code = 'a'")
        .exec(&db)
        .await?;
    let old = Stored::versions(&one, "a".into()).await?;
    assert_eq!(told(&old)[0], AuditOperation::Delete);
    assert!(old.iter().all(|v| v.valid_to.is_some()));
    assert_eq!(
        told(&Stored::versions(&one, "c".into()).await?),
        [AuditOperation::Insert]
    );
    Ok(())
}

#[orm::test(schema = schema())]
async fn a_source_is_of_its_own_time(db: Db) -> orm::Result<()> {
    let a = offer("a").insert(&db).await?;
    let t1 = moment().await;
    a.update().set(|o| o.cents.to(5)).save(&db).await?;
    let t2 = moment().await;
    let cents = |t| orm::from(Offer::as_of(t).select(|o| o.cents)).select(|cents| cents);
    assert_eq!(
        (cents(t1).all(&db).await?, cents(t2).all(&db).await?),
        (vec![0], vec![5])
    );
    // before and after in one statement, by name and not
    let changes: Vec<(i64, i64)> = Offer::as_of(t1)
        .join_on(Offer::as_of(t2), |before, after| before.id.eq(after.id))
        .select(|(before, after)| (before.cents, after.cents))
        .all(&db)
        .await?;
    assert_eq!(changes, [(0, 5)]);
    let both = Offer::as_of(t1)
        .select(|o| o.cents)
        .union_all(Offer::as_of(t2).select(|o| o.cents));
    assert_eq!(both.order_by(|cents| cents.asc()).all(&db).await?, [0, 5]);
    let then = orm::cte("then", Offer::as_of(t1).select(|o| (o.id, o.cents)));
    let now: Vec<(i64, i64)> = Offer::query()
        .join_on(&then, |o, (id, _)| o.id.eq(id))
        .select(|(o, (_, before))| (before, o.cents))
        .all(&db)
        .await?;
    assert_eq!(now, [(0, 5)]);
    Ok(())
}
