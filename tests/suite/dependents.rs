//! Rows that hang on other rows, as they are written: what is sent in which order, and what stays untouched.

use orm::prelude::*;
use orm::{ErrorKind, PoolConfig, assert_statements};

use crate::constraints::{Depot, NewDepot, NewTruck, Truck};
use crate::models::*;
use crate::pools::pooled;

/// New rows of a tree are put into a unit leaves first, in no order at all: parents go before their children, and each
/// level is one statement.
#[orm::test(schema = blog())]
async fn a_tree_put_in_any_order_is_sent_level_by_level(db: Db) -> orm::Result<()> {
    // row i hangs under row i / 2 - 1; these are the rows of three levels, shuffled
    let order = [5, 2, 6, 0, 3, 1, 4];
    let mut unit = db.unit_of_work();
    let mut refs: Vec<Option<orm::Ref<Category>>> = vec![None; 7];
    for i in order {
        let new = NewCategory { name: format!("{i}") };
        refs[i] = Some(unit.insert(new)?);
    }
    let refs: Vec<_> = refs.into_iter().flatten().collect();
    for i in [4, 1, 6, 3, 2, 5] {
        let parent = refs[(i - 1) / 2].id();
        unit.set(&refs[i], |c| c.parent_id.to(Some(parent)))?;
    }
    // the clock is asked for first where the server's is used
    let clock = db.dialect().features().server_clock as u64;
    let mut done = assert_statements!(db, 3 + clock, { unit.commit().await? });
    assert_eq!((done.inserted(), done.updated()), (7, 0));
    let rows: Vec<Category> = refs.iter().map(|r| done.take(r)).collect::<orm::Result<_>>()?;
    for (i, row) in rows.iter().enumerate() {
        assert_eq!(row.name, format!("{i}"));
        assert_eq!(
            row.parent_id,
            (i > 0).then(|| rows[(i.max(1) - 1) / 2].id),
            "row {i}"
        );
    }
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Dial {
    pub id: Id<Dial>,
    pub name: String,
    #[orm(default = 5)]
    pub level: Option<i32>,
}

/// A column with a default that may be NULL: `None` is NULL and unset is the default, alone and in one batch.
#[orm::test(schema = orm::schema![Dial])]
async fn none_is_null_and_unset_is_the_default(db: Db) -> orm::Result<()> {
    let new = |name: &str| NewDial { name: name.into() };
    assert_eq!(new("a").insert(&db).await?.level, Some(5));
    assert_eq!(new("a").set(|d| d.level.to(None)).insert(&db).await?.level, None);
    let batch = [
        new("unset").set(|_| Vec::<orm::query::Set<Dial>>::new()),
        new("null").set(|d| d.level.to(None)),
        new("seven").set(|d| d.level.to(7)),
        new("unset").set(|_| Vec::<orm::query::Set<Dial>>::new()),
    ];
    let rows = NewDial::insert_all(&db, batch).await?;
    let levels: Vec<_> = rows.iter().map(|d| (d.name.as_str(), d.level)).collect();
    assert_eq!(
        levels,
        [
            ("unset", Some(5)),
            ("null", None),
            ("seven", Some(7)),
            ("unset", Some(5))
        ]
    );
    let mut unit = db.unit_of_work();
    let refs = [
        unit.insert(new("unset"))?,
        unit.insert(new("null").set(|d| d.level.to(None)))?,
    ];
    let done = unit.commit().await?;
    assert_eq!(refs.map(|r| done.get(&r).and_then(|d| d.level)), [Some(5), None]);
    Ok(())
}

/// Rows three levels deep whose foreign keys cascade in the database.
#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(pages: Page)]
pub struct Booklet {
    pub id: Id<Booklet>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(notes: Footnote)]
pub struct Page {
    pub id: Id<Page>,
    #[belongs_to(booklet: Booklet, on_delete = cascade)]
    pub booklet_id: Id<Booklet>,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Footnote {
    pub id: Id<Footnote>,
    #[belongs_to(page: Page, on_delete = cascade)]
    pub page_id: Id<Page>,
}

/// What the database takes along is not read first: a delete is one statement, whatever hangs on the row, and loaded
/// children make no difference.
#[orm::test(schema = orm::schema![Booklet, Page, Footnote])]
async fn a_delete_left_to_the_database_reads_nothing(db: Db) -> orm::Result<()> {
    let mut booklets = Vec::new();
    for _ in 0..3 {
        let booklet = NewBooklet {}.insert(&db).await?;
        for _ in 0..2 {
            let page = NewPage {
                booklet_id: booklet.id,
            }
            .insert(&db)
            .await?;
            NewFootnote { page_id: page.id }.insert(&db).await?;
        }
        booklets.push(booklet);
    }
    let [a, b, c]: [Booklet; 3] = booklets.try_into().expect("three");
    assert!(assert_statements!(db, 1, { a.delete(&db).await? }));
    let b = b.load(&db, |b| b.pages.with(|p| p.notes)).await?;
    assert_eq!(b.pages.len(), 2);
    assert!(assert_statements!(db, 1, { b.into_parts().0.delete(&db).await? }));
    assert_eq!(Page::query().count(&db).await?, 2);
    let gone = c.id;
    assert_eq!(
        assert_statements!(db, 1, {
            Booklet::delete_where(|b| b.id.eq(gone)).exec(&db).await?
        }),
        1
    );
    assert_eq!(
        (
            Page::query().count(&db).await?,
            Footnote::query().count(&db).await?
        ),
        (0, 0)
    );
    Ok(())
}

/// A delete of a row that is gone already says so instead of passing for done: `false`, or a count of those that went.
#[orm::test(schema = blog())]
async fn a_delete_of_a_missing_row_is_told(db: Db) -> orm::Result<()> {
    let (a, b, c) = (tag(&db, "a").await, tag(&db, "b").await, tag(&db, "c").await);
    let ids = [a.id, c.id];
    assert!(a.clone().delete(&db).await?);
    assert!(!a.clone().delete(&db).await?);
    let mut unit = db.unit_of_work();
    unit.delete(a);
    unit.delete(b);
    assert_eq!(unit.commit().await?.deleted(), 1, "of two");
    assert_eq!(Tag::delete_where(|t| t.id.in_(ids)).exec(&db).await?, 1, "of two");
    Ok(())
}

/// A join table with a value of its own.
#[derive(Model, Clone, Debug, PartialEq)]
#[many_to_many(clubs: Club, via = Membership)]
#[has_many(memberships: Membership)]
pub struct Fan {
    pub id: Id<Fan>,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Club {
    pub id: Id<Club>,
    pub name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(id(fan_id, club_id))]
pub struct Membership {
    #[belongs_to(fan: Fan)]
    pub fan_id: Id<Fan>,
    #[belongs_to(club: Club)]
    pub club_id: Id<Club>,
    pub role: Option<String>,
}

/// A link with a value of its own keeps it when links are made again or replaced, is changed and removed as a row, and
/// is one row however often it was removed and made again.
#[orm::test(schema = orm::schema![Fan, Club, Membership])]
async fn a_link_with_a_value_of_its_own(db: Db) -> orm::Result<()> {
    let fan = NewFan { name: "f".into() }.insert(&db).await?;
    let clubs = ["a", "b", "c"].map(|name| NewClub { name: name.into() });
    let clubs = NewClub::insert_all(&db, clubs).await?;
    let links = async || {
        Membership::query()
            .join(|m| m.club)
            .order_by(|(_, c)| c.name.asc())
            .select(|(m, c)| (c.name, m.role))
            .all(&db)
            .await
    };
    let role = |name: &str, role: Option<&str>| (name.to_owned(), role.map(str::to_owned));
    let keeper = NewMembership {
        fan_id: fan.id,
        club_id: clubs[0].id,
    };
    keeper.set(|m| m.role.to("keeper")).insert(&db).await?;
    assert_eq!(fan.clubs().link(&db, [clubs[0].id, clubs[1].id]).await?, 1);
    assert_eq!(links().await?, [role("a", Some("keeper")), role("b", None)]);
    let done = fan.clubs().replace(&db, [clubs[2].id, clubs[0].id]).await?;
    assert_eq!((done.linked, done.unlinked), (1, 1));
    assert_eq!(links().await?, [role("a", Some("keeper")), role("c", None)]);
    let mut edit = Membership::get(&db, (fan.id, clubs[2].id)).await?.edit();
    edit.role = Some("guest".into());
    edit.save(&db).await?;
    Membership::get(&db, (fan.id, clubs[0].id))
        .await?
        .delete(&db)
        .await?;
    assert_eq!(links().await?, [role("c", Some("guest"))]);
    for _ in 0..2 {
        assert_eq!(fan.clubs().unlink(&db, [clubs[2].id]).await?, 1);
        assert_eq!(fan.clubs().link(&db, [clubs[2].id, clubs[2].id]).await?, 1);
    }
    assert_eq!(links().await?, [role("c", None)], "a new link, and one row of it");
    let loaded = fan.load(&db, |f| f.memberships.with(|m| m.club)).await?;
    assert_eq!(loaded.memberships[0].club.name, "c");
    Ok(())
}

/// Refers to its owner by a column that is no key: nothing but data keeps it to one row.
#[derive(Model, Clone, Debug, PartialEq)]
#[has_one(card: Card)]
pub struct Holder {
    pub id: Id<Holder>,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Card {
    pub id: Id<Card>,
    #[belongs_to(holder: Holder)]
    pub holder_id: Option<Id<Holder>>,
    pub text: String,
}

/// The row of a one-to-one relation is replaced in one unit, old before new; a second one beside it is refused by the
/// unique key, and where there is no such key it is found when it is read.
#[orm::test(schema = orm::schema![User, Profile, Holder, Card])]
async fn the_row_of_a_one_to_one_relation_is_replaced(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let picture = |name: &str| NewProfile {
        user_id: ann.id,
        avatar_url: name.into(),
    };
    let old = picture("old").insert(&db).await?;
    let e = refused(picture("second").insert(&db).await);
    assert_eq!(e.kind(), ErrorKind::UniqueViolation);
    let mut unit = db.unit_of_work();
    unit.insert(picture("new"))?;
    unit.delete(old);
    unit.commit().await?;
    let read = User::query().with(|u| u.profile).one(&db).await?;
    assert_eq!(read.profile.as_ref().map(|p| p.avatar_url.as_str()), Some("new"));

    let holder = NewHolder {}.insert(&db).await?;
    let id = holder.id;
    let card = |text: &str| NewCard { text: text.into() }.set(move |c| c.holder_id.to(Some(id)));
    let first = card("1").insert(&db).await?;
    // the old one is let go and the new one taken
    let mut unit = db.unit_of_work();
    unit.insert(card("2"))?;
    let mut edit = first.clone().edit();
    edit.holder_id = None;
    unit.save(edit)?;
    unit.commit().await?;
    let read = Holder::query().with(|h| h.card).one(&db).await?;
    assert_eq!(read.card.as_ref().map(|c| c.text.as_str()), Some("2"));
    card("3").insert(&db).await?;
    let e = refused(Holder::query().with(|h| h.card).one(&db).await);
    assert_eq!(
        (e.kind(), e.model(), e.field()),
        (ErrorKind::MoreThanOne, Some("Holder"), Some("card"))
    );
    Ok(())
}

/// A natural key that changes is followed by the rows that refer to it where the foreign key says so, and is refused
/// where it does not, unless they are moved in the same transaction under a key that is checked at its end.
#[orm::test(schema = orm::schema![Depot, Truck])]
async fn rows_follow_a_key_that_changes(db: Db) -> orm::Result<()> {
    let at = |code: &str| Some(code.to_owned());
    let depots = ["follow", "keep", "wait", "spare"].map(|code| NewDepot { code: code.into() });
    let depots = NewDepot::insert_all(&db, depots).await?;
    let truck = |name: &str| NewTruck { name: name.into() };
    truck("f").set(|t| t.following.to(at("follow"))).exec(&db).await?;
    truck("k").set(|t| t.keeping.to(at("keep"))).exec(&db).await?;
    let late = truck("w").set(|t| t.waiting.to(at("wait"))).insert(&db).await?;
    let rename = |depot: &Depot| {
        let mut edit = depot.clone().edit();
        edit.code.insert_str(0, "new ");
        edit
    };
    rename(&depots[0]).save(&db).await?;
    assert_eq!(Truck::get(&db, "f".to_owned()).await?.following, at("new follow"));
    let e = refused(rename(&depots[1]).save(&db).await);
    assert!(e.is_foreign_key_violation(), "{e:?}");
    let tx = db.begin().await?;
    rename(&depots[2]).save(&tx).await?;
    late.update()
        .set(|t| t.waiting.to(at("new wait")))
        .save(&tx)
        .await?;
    tx.commit().await?;
    assert_eq!(Truck::get(&db, "w".to_owned()).await?.waiting, at("new wait"));
    Ok(())
}

/// What was loaded beside a row is a copy: changing it writes nothing, with the row or without.
#[orm::test(schema = blog())]
async fn changes_of_loaded_rows_are_not_written_with_the_row(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let p = post(&db, &ann, "a").await;
    let mut read = User::query().with(|u| u.posts).one(&db).await?;
    read.posts[0].title = "changed".into();
    read.posts.push(p.clone());
    let (row, _) = read.into_parts();
    let same = assert_statements!(db, 0, { row.clone().edit().save(&db).await? });
    assert_eq!(same, ann);
    let mut edit = row.edit();
    edit.age = 9;
    assert_statements!(db, 1, { edit.save(&db).await? });
    assert_eq!(Post::query().all(&db).await?, [p]);
    Ok(())
}

/// Code that commits transactions of its own is tested inside an outer one: nothing of it stays.
#[orm::test(schema = blog())]
async fn what_commits_inside_an_outer_transaction_goes_with_it(db: Db) -> orm::Result<()> {
    async fn service(tx: &mut Tx, name: &str) -> orm::Result<()> {
        tx.transaction(async |tx| NewTag { name: name.into() }.insert(tx).await.map(drop))
            .await
    }
    let mut outer = db.begin().await?;
    service(&mut outer, "a").await?;
    assert!(refused(service(&mut outer, "a").await).is_unique_violation());
    service(&mut outer, "b").await?;
    assert_eq!(
        Tag::query().count(&outer).await?,
        2,
        "one failed, the others go on"
    );
    outer.rollback().await?;
    assert_eq!(Tag::query().count(&db).await?, 0);
    Ok(())
}

/// What is set for one transaction is over with it: the connection comes back as every other.
#[orm::test(schema = blog())]
async fn a_connection_comes_back_with_its_defaults(db: Db) -> orm::Result<()> {
    let one = PoolConfig {
        size: 1,
        ..PoolConfig::default()
    };
    let db = pooled(&db, one).await?;
    let level = async |ex: &Tx| {
        let text = sql!("select current_setting('transaction_isolation')");
        text.fetch_one::<String, _>(ex).await
    };
    let postgres = db.dialect().features().row_locks;
    let tx = db.begin().await?;
    let default = if postgres {
        level(&tx).await?
    } else {
        String::new()
    };
    tx.commit().await?;
    for end in ["commit", "rollback", "drop"] {
        let tx = db.tx().serializable().read_only().begin().await?;
        assert_eq!(Tag::query().count(&tx).await?, 0);
        match end {
            "commit" => tx.commit().await?,
            "rollback" => tx.rollback().await?,
            _ => drop(tx),
        }
        let tx = db.begin().await?;
        tag(&tx, end).await;
        if postgres {
            assert_eq!(level(&tx).await?, default, "after {end}");
        }
        tx.rollback().await?;
    }
    Ok(())
}

/// More links at once than a statement takes values.
#[orm::test(schema = blog())]
async fn twenty_thousand_links_at_once(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let post = post(&db, &ann, "a").await;
    let tags = NewTag::insert_all(&db, (0..20_000).map(|i| NewTag { name: i.to_string() })).await?;
    let ids = || tags.iter().map(|t| t.id);
    assert_eq!(post.tags().link(&db, ids()).await?, 20_000);
    assert_eq!(post.tags().link(&db, ids()).await?, 0);
    let done = post.tags().replace(&db, ids().skip(1)).await?;
    assert_eq!((done.linked, done.unlinked), (0, 1));
    assert_eq!(post.tags().unlink(&db, ids()).await?, 19_999);
    assert_eq!(PostTag::query().count(&db).await?, 0);
    Ok(())
}

/// Batches that are inserted at the same time get their own keys back, each row its own, and keys that were given below
/// zero disturb nobody.
#[orm::test(schema = blog(), flavor = "multi_thread")]
async fn batches_at_the_same_time_get_their_own_keys(db: Db) -> orm::Result<()> {
    let below = NewTag { name: "below".into() }
        .with_id(Id::new(-7))
        .insert(&db)
        .await?;
    assert_eq!(below.id, Id::new(-7));
    let mut tasks = Vec::new();
    for task in 0..6 {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            let new = (0..300).map(|i| NewTag {
                name: format!("{task}/{i}"),
            });
            NewTag::insert_all(&db, new).await
        }));
    }
    for (task, handle) in tasks.into_iter().enumerate() {
        let rows = handle.await.expect("no panic")?;
        for (i, row) in rows.iter().enumerate() {
            assert_eq!(row.name, format!("{task}/{i}"));
            assert!(row.id.raw() > 0);
        }
        let ids: Vec<_> = rows.iter().map(|t| t.id).collect();
        let stored = Tag::query().filter(|t| t.id.in_(ids)).order_by(|t| t.id.asc());
        let mut rows = rows;
        rows.sort_by_key(|t| t.id.raw());
        assert_eq!(stored.all(&db).await?, rows, "what came back is what is stored");
    }
    assert_eq!(Tag::query().count(&db).await?, 1801);
    Ok(())
}

/// A savepoint that is undone takes new, changed and deleted rows with it, and the transaction around it goes on with
/// the rows it had.
#[orm::test(schema = blog())]
async fn a_savepoint_undoes_new_changed_and_deleted_rows(db: Db) -> orm::Result<()> {
    let (kept, gone) = (tag(&db, "kept").await, tag(&db, "gone").await);
    let mut tx = db.begin().await?;
    let before = Tag::query().order_by(|t| t.id.asc()).all(&tx).await?;
    let sp = tx.begin().await?;
    let mut unit = sp.unit_of_work();
    let new = unit.insert(NewTag { name: "new".into() })?;
    let mut edit = kept.clone().edit();
    edit.name = "changed".into();
    let changed = unit.save(edit)?;
    unit.delete(gone.clone());
    let done = unit.commit().await?;
    assert_eq!((done.inserted(), done.updated(), done.deleted()), (1, 1, 1));
    assert_eq!(done.get(&changed).map(|t| t.name.as_str()), Some("changed"));
    let id = done.get(&new).expect("a new row").id;
    sp.rollback().await?;
    assert_eq!(Tag::query().order_by(|t| t.id.asc()).all(&tx).await?, before);
    assert!(refused(Tag::get(&tx, id).await).is_not_found());
    // the values in hand are those that are stored: they go on being used
    kept.update().set(|t| t.name.to("again")).save(&tx).await?;
    assert!(gone.delete(&tx).await?);
    tx.commit().await?;
    assert_eq!(Tag::query().select(|t| t.name).all(&db).await?, ["again"]);
    Ok(())
}

/// A change by condition that sets nothing sends nothing.
#[orm::test(schema = blog())]
async fn a_change_of_nothing_sends_nothing(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let p = post(&db, &ann, "a").await;
    let none: Option<i64> = None;
    let nothing = Post::update_where(|p| p.published.eq(false)).set(|p| p.views.to_some(none));
    assert_eq!(assert_statements!(db, 0, { nothing.exec(&db).await? }), 0);
    let nobody = Post::update_where(|p| p.id.in_(Vec::<Id<Post>>::new())).set(|p| p.views.to(1));
    assert_eq!(nobody.exec(&db).await?, 0);
    let nobody = Post::delete_where(|p| p.id.in_(Vec::<Id<Post>>::new()));
    assert_eq!(nobody.exec(&db).await?, 0);
    assert_eq!(Post::get(&db, p.id).await?, p, "not even its version");
    Ok(())
}
