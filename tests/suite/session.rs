//! Identity maps: the same key is the same row, read once.

use orm::prelude::*;
use orm::{ErrorKind, Session, Tracked, assert_statements};

use crate::models::*;

fn clock(db: &Db) -> u64 {
    db.dialect().features().server_clock as u64
}

async fn rename<H>(session: &Session<H>, row: &Tracked<User>, name: &str) -> orm::Result<()>
where
    H: orm::exec::Handle + Writes<User>,
{
    let mut edit = row.edit();
    edit.name = name.into();
    let mut unit = session.unit_of_work();
    unit.save(edit)?;
    unit.commit().await?;
    Ok(())
}

#[orm::test(schema = blog())]
async fn the_same_key_is_the_same_row_read_once(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let mine = post(&db, &ann, "mine").await;
    let session = db.session();
    let (first, second) = assert_statements!(db, 1, {
        (
            session.get::<User>(ann.id).await?,
            session.get::<User>(ann.id).await?,
        )
    });
    assert_eq!(first, second);
    assert_eq!((first.id(), &*first.row()), (ann.id, &ann));
    // rows of another model with the same key are others
    let other = session.get::<Post>(mine.id).await?;
    assert_eq!(other.row().title, "mine");
    // a write through the session shows in every handle; what is held of the row stays as it is
    let held = first.row();
    rename(&session, &first, "Anna").await?;
    assert_eq!((second.row().name.as_str(), held.name.as_str()), ("Anna", "ann"));
    assert_eq!(
        assert_statements!(db, 0, { session.get::<User>(ann.id).await? }),
        first
    );
    // what a query brings is shown as well, and is the same handle
    User::update_where(|u| u.id.eq(ann.id))
        .set(|u| u.age.to(9))
        .exec(&db)
        .await?;
    assert_eq!(
        first.row().age,
        0,
        "not seen: it was not written through the session"
    );
    let tracked = session.track(User::query().one(session.handle()).await?);
    assert_eq!((tracked == first, first.row().age), (true, 9));
    // another session knows nothing of this one
    assert_ne!(db.session().get::<User>(ann.id).await?, first);
    let missing = refused(session.get::<User>(Id::new(999)).await);
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    Ok(())
}

#[orm::test(schema = blog())]
async fn refresh_expire_and_detach(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let session = db.session();
    let row = session.get::<User>(ann.id).await?;
    let outside = async |name: &str| ann.update().set(|u| u.name.to(name)).save(&db).await;
    outside("x").await?;
    let again = assert_statements!(db, 1, { session.refresh(&row).await? });
    assert_eq!((again == row, row.row().name.as_str()), (true, "x"));
    outside("y").await?;
    session.expire(&row);
    assert!(row.is_expired());
    assert_eq!(row.row().name, "x", "nothing is read behind your back");
    assert_statements!(db, 1, { session.get::<User>(ann.id).await? });
    assert_eq!((row.is_expired(), row.row().name.as_str()), (false, "y"));
    session.expire_all();
    assert_statements!(db, 1, { session.get::<User>(ann.id).await? });
    // detached: it stays as it is, and the next one is another
    assert!(session.detach(&row));
    assert!(!session.detach(&row));
    let other = session.get::<User>(ann.id).await?;
    assert_ne!(other, row);
    rename(&session, &other, "z").await?;
    assert_eq!((other.row().name.as_str(), row.row().name.as_str()), ("z", "y"));
    // gone behind our back: an error, not the stale row
    User::get(&db, ann.id).await?.delete(&db).await?;
    assert_eq!(session.get::<User>(ann.id).await?, other, "not seen");
    assert_eq!(refused(session.refresh(&other).await).kind(), ErrorKind::NotFound);
    assert_eq!(
        refused(session.get::<User>(ann.id).await).kind(),
        ErrorKind::NotFound
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn units_tell_their_session_what_they_did(db: Db) -> orm::Result<()> {
    let (ann, bob) = (user(&db, "ann").await, user(&db, "bob").await);
    let session = db.session();
    let (a, b) = (
        session.get::<User>(ann.id).await?,
        session.get::<User>(bob.id).await?,
    );
    let p = session.track(post(&db, &ann, "p").await);
    // a unit that fails changes nothing
    let mut unit = session.unit_of_work();
    let mut edit = a.edit();
    edit.name = "Anna".into();
    unit.save(edit)?;
    unit.insert(NewUser {
        email: bob.email.clone(),
        name: "taken".into(),
    })?;
    assert!(unit.commit().await.is_err());
    assert_eq!(a.row().name, "ann");
    // versions count on from unit to unit without a read
    for i in 1..=3 {
        let mut edit = p.edit();
        edit.views = i;
        let mut unit = session.unit_of_work();
        unit.save(edit)?;
        assert_statements!(db, 1 + clock(&db), { unit.commit().await? });
        assert_eq!((p.row().views, p.row().version), (i, i + 1));
    }
    // a deleted row is not there any more
    let mut unit = session.unit_of_work();
    unit.delete(User::clone(&b.row()));
    unit.commit().await?;
    assert!(b.is_expired());
    assert_eq!(
        refused(session.get::<User>(bob.id).await).kind(),
        ErrorKind::NotFound
    );
    // and what else it may have taken along is read again
    assert!(a.is_expired());
    assert_eq!(session.get::<User>(ann.id).await?, a);
    Ok(())
}

#[orm::test(schema = places())]
async fn a_row_whose_key_changes_stays_the_same_handle(db: Db) -> orm::Result<()> {
    let no = NewCountry {
        code: "no".into(),
        name: "Norway".into(),
    };
    no.insert(&db).await?;
    let session = db.session();
    let row = session.get::<Country>("no".into()).await?;
    let mut edit = row.edit();
    edit.code = "NO".into();
    let mut unit = session.unit_of_work();
    unit.save(edit)?;
    unit.commit().await?;
    assert_eq!(
        assert_statements!(db, 0, { session.get::<Country>("NO".into()).await? }),
        row
    );
    let e = refused(session.get::<Country>("no".into()).await);
    assert_eq!(e.kind(), ErrorKind::NotFound);
    Ok(())
}

#[orm::test(schema = blog())]
async fn an_undone_savepoint_is_undone_in_memory(db: Db) -> orm::Result<()> {
    let (ann, bob) = (user(&db, "ann").await, user(&db, "bob").await);
    let session = db.session();
    let tx = session.begin().await?;
    let a = tx.get::<User>(ann.id).await?;
    rename(&tx, &a, "kept").await?;
    // new, changed and deleted rows inside a savepoint
    let savepoint = tx.begin().await?;
    rename(&savepoint, &a, "lost").await?;
    rename(&savepoint, &a, "lost again").await?;
    let b = savepoint.get::<User>(bob.id).await?;
    let mut unit = savepoint.unit_of_work();
    let new = unit.insert(NewUser {
        email: "eve".into(),
        name: "Eve".into(),
    })?;
    unit.delete(User::clone(&b.row()));
    let eve = unit.commit().await?.take(&new)?;
    let eve = savepoint.get::<User>(eve.id).await?;
    savepoint.rollback().await?;
    // the state at the savepoint, and the next read looks
    assert_eq!(a.row().name, "kept");
    assert!(a.is_expired() && b.is_expired() && eve.is_expired());
    assert_eq!(tx.get::<User>(bob.id).await?, b);
    assert_eq!(
        refused(tx.get::<User>(eve.id()).await).kind(),
        ErrorKind::NotFound
    );
    assert_eq!(tx.get::<User>(ann.id).await?.row().name, "kept");
    // a savepoint that is kept shares the fate of what is around it; the transaction is still usable
    let savepoint = tx.begin().await?;
    rename(&savepoint, &b, "Bob").await?;
    savepoint.commit().await?;
    assert_eq!(b.row().name, "Bob");
    drop(tx);
    assert_eq!((a.row().name.as_str(), b.row().name.as_str()), ("ann", "bob"));
    assert!(a.is_expired() && b.is_expired());
    assert_eq!(session.get::<User>(ann.id).await?.row().name, "ann");
    // and committed it stays
    let tx = session.begin().await?;
    rename(&tx, &a, "Ann").await?;
    tx.commit().await?;
    assert_eq!(
        assert_statements!(db, 0, { session.get::<User>(ann.id).await? })
            .row()
            .name,
        "Ann"
    );
    assert_eq!(User::get(&db, ann.id).await?.name, "Ann");
    Ok(())
}

#[orm::test(schema = books())]
async fn sessions_keep_actor_and_tenant(db: Db) -> orm::Result<()> {
    let me = user(&db, "me").await;
    let acting = db.tenant(7_i64);
    let acting = acting.acting_as(me.id);
    let account = NewAccount { number: "1".into() }.insert(&acting).await?;
    let session = acting.session();
    let row = session.get::<Account>(account.id).await?;
    let mut edit = row.edit();
    edit.balance = 5;
    let mut unit = session.unit_of_work();
    unit.save(edit)?;
    unit.commit().await?;
    assert_eq!((row.row().balance, row.row().version), (5, 2));
    let other = db.tenant(8_i64);
    let other = other.acting_as(me.id);
    assert!(refused(other.session().get::<Account>(account.id).await).is_not_found());
    Ok(())
}
