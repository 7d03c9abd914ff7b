//! Versions of rows, whatever they are made of: a count, a UUID, an instant, what the database keeps by itself.

use orm::prelude::*;
use orm::{RowVersion, assert_statements};

use crate::models::refused;

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Entry {
    pub id: Id<Entry>,
    pub text: String,
}

/// The same tests for each kind of version. `$kept`: the database keeps it.
macro_rules! kinds {
    ($($kind:ident: $version:ty, $kept:literal;)*) => {$(
        mod $kind {
            use super::*;

            /// Soft-deleted, with rows below it, and something to aim an upsert at.
            #[derive(Model, Clone, Debug, PartialEq)]
            #[orm(soft_delete)]
            #[has_many(leaves: Leaf)]
            pub struct Sheet {
                pub id: Id<Sheet>,
                #[orm(unique)]
                pub name: String,
                #[orm(default = 0)]
                pub size: i64,
                #[orm(version)]
                pub v: $version,
            }

            #[derive(Model, Clone, Debug, PartialEq)]
            pub struct Leaf {
                pub id: Id<Leaf>,
                #[belongs_to(sheet: Sheet)]
                pub sheet_id: Option<Id<Sheet>>,
                #[orm(default = 0)]
                pub size: i64,
                #[orm(version)]
                pub v: $version,
            }

            /// `false` where the database keeps no versions.
            async fn begin(db: &Db) -> orm::Result<bool> {
                if $kept && db.dialect().features().row_version.is_none() {
                    let e = refused(db.create_all(&orm::schema![Sheet]).await);
                    assert_eq!((e.kind(), e.model()), (ErrorKind::Unsupported, Some("Sheet")));
                    assert!(e.message().contains("`RowVersion`"), "{e}");
                    let e = refused(Sheet::query().all(db).await);
                    assert_eq!(e.kind(), ErrorKind::Unsupported);
                    return Ok(false);
                }
                db.create_all(&orm::schema![Sheet, Leaf]).await?;
                Ok(true)
            }

            async fn sheet(db: &Db, name: &str) -> orm::Result<Sheet> {
                NewSheet { name: name.into() }.insert(db).await
            }

            async fn now(db: &Db, sheet: &Sheet) -> orm::Result<Sheet> {
                Sheet::query().with_deleted().get(db, sheet.id).await
            }

            #[orm::test]
            async fn the_second_of_two_writers_is_refused(db: Db) -> orm::Result<()> {
                if !begin(&db).await? {
                    return Ok(());
                }
                let read = sheet(&db, "a").await?;
                assert_eq!(read, Sheet::get(&db, read.id).await?);
                let first = read.update().set(|s| s.size.to(1)).save(&db).await?;
                assert_ne!(first.v, read.v);
                // the new version came back with the write, and serves for the next one
                assert_eq!(first, now(&db, &read).await?);
                let e = refused(read.update().set(|s| s.size.to(2)).save(&db).await);
                assert_eq!((e.kind(), e.model()), (ErrorKind::Stale, Some("Sheet")));
                let mut edit = read.clone().edit();
                edit.size = 3;
                assert_eq!(refused(edit.save(&db).await).kind(), ErrorKind::Stale);
                assert_eq!(refused(read.clone().delete(&db).await).kind(), ErrorKind::Stale);
                let mut unit = db.unit_of_work();
                unit.delete(read.clone());
                assert_eq!(refused(unit.commit().await).kind(), ErrorKind::Stale);
                assert_eq!(now(&db, &read).await?, first);
                let second = first.update().set(|s| s.size.to(4)).save(&db).await?;
                assert_ne!(second.v, first.v);
                let mut edit = second.edit();
                edit.size = 5;
                let third = edit.save(&db).await?;
                // a soft delete and a restore are writes
                let before = third.clone();
                assert!(third.delete(&db).await?);
                let deleted = now(&db, &before).await?;
                assert_ne!(deleted.v, before.v);
                assert!(Sheet::restore(&db, before.id).await?);
                assert_ne!(now(&db, &before).await?.v, deleted.v);
                Ok(())
            }

            #[orm::test]
            async fn nobody_sets_a_version_by_hand(db: Db) -> orm::Result<()> {
                if !begin(&db).await? {
                    return Ok(());
                }
                let (one, other) = (sheet(&db, "a").await?, sheet(&db, "b").await?);
                let other = other.update().set(|s| s.size.to(1)).save(&db).await?;
                let mut edit = one.clone().edit();
                edit.v = other.v;
                edit.size = 1;
                let e = refused(assert_statements!(db, 0, { edit.save(&db).await }));
                assert_eq!((e.kind(), e.field()), (ErrorKind::InvalidQuery, Some("v")));
                assert_eq!(now(&db, &one).await?, one);
                Ok(())
            }

            #[orm::test]
            async fn rows_below_leave_the_version_alone(db: Db) -> orm::Result<()> {
                if !begin(&db).await? {
                    return Ok(());
                }
                let above = sheet(&db, "a").await?;
                let leaf = above.leaves().create(&db, NewLeaf {}).await?;
                let free = NewLeaf {}.insert(&db).await?;
                assert_eq!(above.leaves().link(&db, [free.id]).await?, 1);
                assert_ne!(Leaf::get(&db, free.id).await?.v, free.v);
                leaf.delete(&db).await?;
                assert_eq!(now(&db, &above).await?, above);
                above.update().set(|s| s.size.to(1)).save(&db).await?;
                Ok(())
            }

            #[orm::test]
            async fn writes_of_many_rows_change_versions_too(db: Db) -> orm::Result<()> {
                if !begin(&db).await? {
                    return Ok(());
                }
                let new = ["a", "b", "c", "d"].map(|name| NewSheet { name: name.into() });
                let rows = NewSheet::insert_all(&db, new).await?;
                // by condition
                let changed = Sheet::update_where(|s| s.name.ne("d")).set(|s| s.size.to(s.size + 1));
                assert_eq!(changed.exec(&db).await?, 3);
                for row in &rows[..3] {
                    assert_ne!(now(&db, row).await?.v, row.v, "{}", row.name);
                    let e = refused(row.update().set(|s| s.size.to(9)).save(&db).await);
                    assert_eq!(e.kind(), ErrorKind::Stale);
                }
                assert_eq!(now(&db, &rows[3]).await?, rows[3]);
                // by a unit of work, several rows in one statement
                let read = Sheet::query().order_by(|s| s.id.asc()).all(&db).await?;
                let mut unit = db.unit_of_work();
                let mut refs = Vec::new();
                for (i, row) in read.iter().enumerate() {
                    let mut edit = row.clone().edit();
                    edit.size = 10 + i as i64;
                    refs.push(unit.save(edit)?);
                }
                let mut done = unit.commit().await?;
                for (row, r) in read.iter().zip(&refs) {
                    let saved = done.take(r)?;
                    assert_ne!(saved.v, row.v);
                    assert_eq!(saved, now(&db, row).await?);
                }
                let mut unit = db.unit_of_work();
                for row in &read[..2] {
                    let mut edit = row.clone().edit();
                    edit.size = 99;
                    unit.save(edit)?;
                }
                assert_eq!(refused(unit.commit().await).kind(), ErrorKind::Stale);
                assert_eq!(Sheet::query().filter(|s| s.size.eq(99)).count(&db).await?, 0);
                // by an upsert
                let before = now(&db, &rows[0]).await?;
                let upserted = NewSheet { name: "a".into() }
                    .upsert(|s| s.name)
                    .update(|s, _| s.size.to(50))
                    .exec(&db)
                    .await?;
                assert!(!upserted.is_inserted());
                let after = upserted.into_inner();
                assert_ne!(after.v, before.v);
                assert_eq!(after, now(&db, &before).await?);
                let e = refused(before.update().set(|s| s.size.to(9)).save(&db).await);
                assert_eq!(e.kind(), ErrorKind::Stale);
                // and a soft delete by condition
                assert_eq!(Sheet::delete_where(|s| s.name.eq("a")).exec(&db).await?, 1);
                assert_ne!(now(&db, &after).await?.v, after.v);
                Ok(())
            }

            #[orm::test]
            async fn a_lock_tells_that_the_row_was_changed(db: Db) -> orm::Result<()> {
                if !begin(&db).await? {
                    return Ok(());
                }
                let read = sheet(&db, "a").await?;
                let tx = db.begin().await?;
                assert_eq!(read.lock(&tx).await?, read);
                tx.commit().await?;
                let written = read.update().set(|s| s.size.to(1)).save(&db).await?;
                let tx = db.begin().await?;
                let e = refused(read.lock(&tx).await);
                assert_eq!((e.kind(), e.model()), (ErrorKind::Stale, Some("Sheet")));
                let fresh = read.refresh(&tx).await?;
                assert_eq!(fresh, written);
                let locked = fresh.lock(&tx).await?;
                locked.update().set(|s| s.size.to(2)).save(&tx).await?;
                tx.commit().await?;
                assert_eq!(now(&db, &read).await?.size, 2);
                Ok(())
            }

            #[orm::test]
            async fn versions_come_with_whatever_reads_the_row(db: Db) -> orm::Result<()> {
                if !begin(&db).await? {
                    return Ok(());
                }
                let above = sheet(&db, "a").await?;
                let leaf = above.leaves().create(&db, NewLeaf {}).await?;
                let loaded = Sheet::query().with(|s| s.leaves).one(&db).await?;
                assert_eq!((loaded.v, loaded.leaves[0].v), (above.v, leaf.v));
                let limited = Sheet::query().with(|s| s.leaves.order_by(|l| l.id.asc()).limit(1));
                assert_eq!(limited.one(&db).await?.leaves.first().map(|l| l.v), Some(leaf.v));
                let joined = Sheet::query().left_join(|s| s.leaves).select(|(s, l)| (s.v, l.map(|l| l.v)));
                assert_eq!(joined.all(&db).await?, [(above.v, Some(leaf.v))]);
                let found = Sheet::query().filter(|s| s.v.eq(above.v)).distinct().all(&db).await?;
                assert_eq!(found, [above]);
                Ok(())
            }

            #[tokio::test]
            async fn a_repository_in_memory_has_them_too() -> orm::Result<()> {
                let sheets = orm::MemoryRepository::<Sheet>::new();
                let new = NewSheet { name: "a".into() };
                let read = orm::Repository::insert(&sheets, new.into()).await?;
                let edit = |size| {
                    let mut edit = read.clone().edit();
                    edit.size = size;
                    edit
                };
                let saved = orm::Repository::save(&sheets, edit(1)).await?;
                assert_ne!(saved.v, read.v);
                let e = refused(orm::Repository::save(&sheets, edit(2)).await);
                assert_eq!(e.kind(), ErrorKind::Stale);
                Ok(())
            }
        }
    )*};
}
kinds! {
    counted: i64, false;
    random: uuid::Uuid, false;
    timed: Timestamp, false;
    chronicled: chrono::DateTime<chrono::Utc>, false;
    kept: RowVersion, true;
}

#[orm::test(schema = orm::schema![Entry])]
async fn a_row_without_a_version_is_locked_and_read_anew(db: Db) -> orm::Result<()> {
    let entry = NewEntry { text: "a".into() }.insert(&db).await?;
    entry.update().set(|e| e.text.to("b")).save(&db).await?;
    let tx = db.begin().await?;
    assert_eq!(entry.lock(&tx).await?.text, "b");
    tx.commit().await?;
    assert_eq!(entry.refresh(&db).await?.text, "b");
    entry.clone().delete(&db).await?;
    assert_eq!(refused(entry.refresh(&db).await).kind(), ErrorKind::NotFound);
    let tx = db.begin().await?;
    assert_eq!(refused(entry.lock(&tx).await).kind(), ErrorKind::NotFound);
    Ok(())
}

#[test]
fn the_database_keeps_it_and_the_table_does_not() -> orm::Result<()> {
    use kept::*;
    let sql = Sheet::query()
        .filter(|s| s.id.eq(Id::new(1)))
        .to_sql(&orm::postgres::DIALECT)?;
    assert_eq!(
        &*sql.text,
        r#"SELECT t0."id", t0."name", t0."size", CAST(CAST(t0."xmin" AS text) AS bigint) FROM "sheets" AS t0 WHERE t0."id" = $1 AND t0."deleted_at" IS NULL"#
    );
    let schema = orm::schema![Sheet, Leaf];
    let features = orm::sql::Dialect::features(&orm::postgres::DIALECT);
    for statement in orm::exec::create::create_statements(&schema, features) {
        let sql = orm::sql::render_ddl(&statement, &orm::postgres::DIALECT, &orm::sql::Scope::default())?;
        assert!(
            !sql.text.contains("\"v\"") && !sql.text.contains("xmin"),
            "{}",
            sql.text
        );
    }
    Ok(())
}
