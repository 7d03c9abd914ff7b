//! Rows that are changed in place and write what changed.

use orm::prelude::*;
use orm::{ErrorKind, assert_statements};

use crate::models::*;

#[orm::test(schema = blog())]
async fn only_what_changed_is_written(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let mut edit = ann.clone().edit();
    edit.name = "Anna".into();
    edit.bio = Some("hi".into());
    edit.age = ann.age;
    let changed: Vec<&str> = edit.changes().iter().map(|c| c.field()).collect();
    assert_eq!(changed, ["name", "bio"]);
    assert_eq!(
        format!("{:?}", edit.changes()[0]),
        r#"Change { field: "name", .. }"#
    );
    let anna = assert_statements!(db, 1, { edit.save(&db).await? });
    assert_eq!((anna.name.as_str(), anna.bio.as_deref()), ("Anna", Some("hi")));
    assert_eq!(User::get(&db, ann.id).await?, anna);
    // no change, no statement; a change that is taken back is none
    let mut edit = anna.clone().edit();
    edit.name = "x".into();
    assert!(edit.is_changed());
    edit.name = "Anna".into();
    assert!(!edit.is_changed());
    assert_eq!(assert_statements!(db, 0, { edit.save(&db).await? }), anna);
    Ok(())
}

#[orm::test(schema = blog())]
async fn versions_keys_and_rows_that_are_gone(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let read = post(&db, &ann, "a").await;
    let (mut first, mut second) = (read.clone().edit(), read.clone().edit());
    first.title = "first".into();
    second.title = "second".into();
    let saved = first.save(&db).await?;
    assert_eq!(saved.version, read.version + 1);
    assert_eq!(refused(second.save(&db).await).kind(), ErrorKind::Stale);
    assert_eq!(Post::get(&db, read.id).await?.title, "first");
    // managed columns are not the caller's
    let mut key = saved.clone().edit();
    key.id = Id::new(99);
    let e = refused(assert_statements!(db, 0, { key.save(&db).await }));
    assert_eq!(
        (e.kind(), e.model(), e.field()),
        (ErrorKind::InvalidQuery, Some("Post"), Some("id"))
    );
    let mut version = saved.clone().edit();
    version.version = 1;
    assert_eq!(refused(version.save(&db).await).field(), Some("version"));
    let mut gone = saved.clone().edit();
    gone.title = "gone".into();
    saved.delete(&db).await?;
    assert_eq!(refused(gone.save(&db).await).kind(), ErrorKind::NotFound);
    Ok(())
}

#[orm::test(schema = places())]
async fn a_natural_key_may_change(db: Db) -> orm::Result<()> {
    let no = NewCountry {
        code: "no".into(),
        name: "Norway".into(),
    }
    .insert(&db)
    .await?;
    let mut edit = no.edit();
    edit.code = "NO".into();
    let saved = edit.save(&db).await?;
    assert_eq!(Country::query().all(&db).await?, [saved]);
    Ok(())
}

#[orm::test(schema = orm::schema![Sample])]
async fn every_type_is_compared_as_stored(db: Db) -> orm::Result<()> {
    let sample = crate::types::plain().insert(&db).await?;
    let mut edit = sample.clone().edit();
    edit.double = f64::NAN;
    let kept = edit.changes();
    assert_eq!(kept.len(), 1);
    edit.double = sample.double;
    edit.maybe_text = Some("now".into());
    edit.flag = !sample.flag;
    edit.address.lines.push("in place".into());
    let saved = edit.save(&db).await?;
    let again = Sample::get(&db, sample.id).await?;
    assert_eq!(saved, again);
    assert_eq!(again.address.lines.last().map(String::as_str), Some("in place"));
    Ok(())
}
