//! Many rows at once.

use std::collections::HashSet;

use orm::prelude::*;

use crate::models::*;

fn new(name: impl Into<String>) -> NewUser {
    let name = name.into();
    NewUser {
        email: format!("{name}@x.io"),
        name,
    }
}

#[orm::test(schema = blog())]
async fn rows_come_back_in_input_order_from_one_statement(db: Db) -> orm::Result<()> {
    let names: Vec<String> = (0..100).map(|i| format!("n{}", (i * 37) % 100)).collect();
    let users = orm::assert_statements!(db, 1, { NewUser::insert_all(&db, names.iter().map(new)).await? });
    assert_eq!(
        users.iter().map(|u| &u.name).collect::<Vec<_>>(),
        names.iter().collect::<Vec<_>>()
    );
    let stored: Vec<(Id<User>, String)> = User::query()
        .order_by(|u| u.id.asc())
        .select(|u| (u.id, u.name))
        .all(&db)
        .await?;
    for u in &users {
        assert!(
            stored.contains(&(u.id, u.name.clone())),
            "each row has the key of its own values"
        );
    }
    Ok(())
}

#[orm::test(schema = blog())]
async fn rows_that_set_different_columns_keep_their_places(db: Db) -> orm::Result<()> {
    let rows = (0..40).map(|i| {
        let n = new(format!("{i}")).into_insert_row();
        match i % 4 {
            0 => n,
            1 => n.set(|u| u.age.to(i)),
            2 => n.set(|u| u.bio.to("b")),
            _ => n.set(|u| (u.bio.to("both"), u.age.to(i))),
        }
    });
    let users = NewUser::insert_all(&db, rows).await?;
    for (i, u) in users.iter().enumerate() {
        let want = match i % 4 {
            0 => (None, 0),
            1 => (None, i as i32),
            2 => (Some("b"), 0),
            _ => (Some("both"), i as i32),
        };
        assert_eq!(
            (u.name.as_str(), u.bio.as_deref(), u.age),
            (i.to_string().as_str(), want.0, want.1)
        );
    }
    Ok(())
}

#[orm::test(schema = blog())]
async fn expressions_among_values_keep_their_places(db: Db) -> orm::Result<()> {
    let rows = |n: i32| {
        (0..n).map(move |i| {
            let row = new(format!("{n} {i}")).into_insert_row();
            // one set of columns for all, so one group: every seventh row computes, next to chunks of values only
            match (64..128).contains(&i) || i % 7 > 0 {
                true => row.set(|u| (u.bio.to(format!("<{i}>")), u.age.to(i))),
                false => row.set(|u| (u.bio.to(format!("<{i}>")), u.age.to(orm::query::value(i - 1) + 1))),
            }
        })
    };
    for n in [1, 7, 64, 65, 200] {
        let users = NewUser::insert_all(&db, rows(n)).await?;
        assert_eq!(users.len(), n as usize);
        for (i, u) in (0..).zip(&users) {
            let (name, bio) = (format!("{n} {i}"), format!("<{i}>"));
            assert_eq!((&u.name, u.bio.as_ref(), u.age), (&name, Some(&bio), i));
        }
    }
    Ok(())
}

/// The text of an INSERT is kept for the next one of its form: no form may be taken for another.
#[orm::test(schema = blog())]
async fn inserts_of_one_table_in_turn(db: Db) -> orm::Result<()> {
    for turn in 0..3 {
        let named = |kind: &str| new(format!("{kind}{turn}"));
        let plain = named("plain").insert(&db).await?;
        assert_eq!((plain.bio, plain.age), (None, 0));
        let aged = named("aged").set(|u| u.age.to(turn + 1)).insert(&db).await?;
        assert_eq!((aged.bio, aged.age), (None, turn + 1));
        let told = named("told").set(|u| u.bio.to("b")).insert(&db).await?;
        assert_eq!((told.bio.as_deref(), told.age), (Some("b"), 0));
        let untold = named("untold").set(|u| u.bio.to(None)).insert(&db).await?;
        assert_eq!((untold.bio, untold.age), (None, 0));
        assert_eq!(named("silent").exec(&db).await?, 1);
        assert_eq!(NewUser::exec_all(&db, [named("x"), named("y")]).await?, 2);
        assert_eq!(NewUser::insert_all(&db, [named("v"), named("w")]).await?.len(), 2);
        let refused = refused(named("nul").set(|u| u.bio.to("\0")).insert(&db).await);
        assert_eq!(refused.kind(), ErrorKind::Encode);
    }
    assert_eq!(User::query().count(&db).await?, 27);
    Ok(())
}

trait Row {
    fn into_insert_row(self) -> orm::query::Insert<User>;
}
impl Row for NewUser {
    fn into_insert_row(self) -> orm::query::Insert<User> {
        self.set(|_| Vec::<orm::query::Set<User>>::new())
    }
}

#[orm::test(schema = blog())]
async fn no_rows_send_nothing(db: Db) -> orm::Result<()> {
    orm::assert_statements!(db, 0, {
        assert_eq!(NewTag::insert_all(&db, Vec::<NewTag>::new()).await?, []);
        assert_eq!(NewTag::exec_all(&db, Vec::<NewTag>::new()).await?, 0);
        assert!(
            NewTag::upsert_all(Vec::<NewTag>::new(), |t| t.name)
                .exec(&db)
                .await?
                .is_empty()
        );
    });
    Ok(())
}

#[orm::test(schema = blog())]
async fn seventy_thousand_rows_pass_the_limits_on_parameters(db: Db) -> orm::Result<()> {
    let n = NewTag::exec_all(
        &db,
        (0..70_000).map(|i| NewTag {
            name: format!("t{i}"),
        }),
    )
    .await?;
    assert_eq!(n, 70_000);
    assert_eq!(Tag::query().count(&db).await?, 70_000);
    Ok(())
}

#[orm::test(schema = blog())]
async fn many_rows_are_one_unit(db: Db) -> orm::Result<()> {
    let rows = (0..5000).map(|i| NewTag {
        name: format!("t{}", i % 4999),
    });
    let e = refused(NewTag::insert_all(&db, rows).await);
    assert!(e.is_unique_violation());
    assert_eq!(Tag::query().count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = blog())]
async fn ten_thousand_rows_come_back_each_with_its_own_key(db: Db) -> orm::Result<()> {
    let tags = NewTag::insert_all(
        &db,
        (0..10_000).map(|i| NewTag {
            name: format!("t{i}"),
        }),
    )
    .await?;
    assert!(tags.iter().enumerate().all(|(i, t)| t.name == format!("t{i}")));
    assert_eq!(tags.iter().map(|t| t.id).collect::<HashSet<_>>().len(), 10_000);
    let t = &tags[7777];
    assert_eq!(Tag::get(&db, t.id).await?, *t);
    Ok(())
}

#[orm::test(schema = blog())]
async fn sizes_around_the_limit_of_a_chunk(db: Db) -> orm::Result<()> {
    let mut made = 0;
    for n in [1, 2, 3, 63, 64, 65, 127, 128, 129, 1000, 1001] {
        let rows = (0..n).map(|i| NewTag {
            name: format!("t{}", made + i),
        });
        let tags = NewTag::insert_all(&db, rows).await?;
        assert!(
            tags.iter()
                .enumerate()
                .all(|(i, t)| t.name == format!("t{}", made + i)),
            "{n} rows"
        );
        made += n;
    }
    assert_eq!(Tag::query().count(&db).await?, made as i64);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_given_key_is_taken_and_the_generated_ones_go_on_behind_it(db: Db) -> orm::Result<()> {
    let t = NewTag { name: "nine".into() }
        .with_id(Id::new(9))
        .insert(&db)
        .await?;
    assert_eq!(t.id, Id::new(9));
    assert_eq!(tag(&db, "next").await.id, Id::new(10));
    let n = NewUser {
        email: "e".into(),
        name: "n".into(),
    }
    .with_id(Id::new(50))
    .set(|u| u.age.to(3))
    .exec(&db)
    .await?;
    assert_eq!(n, 1);
    assert!(user(&db, "x").await.id > Id::new(50));
    assert_eq!(User::get(&db, Id::new(50)).await?.age, 3);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_smaller_given_key_does_not_move_the_sequence_back(db: Db) -> orm::Result<()> {
    NewTag { name: "a".into() }
        .with_id(Id::new(100))
        .insert(&db)
        .await?;
    NewTag { name: "b".into() }
        .with_id(Id::new(5))
        .insert(&db)
        .await?;
    assert!(tag(&db, "c").await.id > Id::new(100));
    let e = refused(NewTag { name: "d".into() }.with_id(Id::new(5)).insert(&db).await);
    assert!(e.is_unique_violation());
    Ok(())
}

#[orm::test(schema = blog())]
async fn given_and_generated_keys_in_one_batch(db: Db) -> orm::Result<()> {
    let rows = [
        NewTag { name: "a".into() }.with_id(Id::new(30)),
        NewTag { name: "b".into() }.with_id(Id::new(20)),
    ];
    let tags = NewTag::insert_all(&db, rows).await?;
    assert_eq!(tags.iter().map(|t| t.id.raw()).collect::<Vec<_>>(), [30, 20]);
    assert!(tag(&db, "c").await.id.raw() > 30);
    Ok(())
}

#[orm::test(schema = books())]
async fn bulk_rows_of_a_tenant_with_uuid_keys(db: Db) -> orm::Result<()> {
    let db = db.tenant(3i64);
    let rows = NewInvoice::insert_all(&db, (0..50).map(|total| NewInvoice { total })).await?;
    assert!(
        rows.iter()
            .enumerate()
            .all(|(i, r)| r.total == i as i64 && r.org == 3)
    );
    assert_eq!(rows.iter().map(|r| r.id).collect::<HashSet<_>>().len(), 50);
    Ok(())
}

#[orm::test(schema = blog())]
async fn times_are_one_value_for_the_whole_batch(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    NewPost::exec_all(
        &db,
        (0..3000).map(|i| NewPost {
            author_id: ann.id,
            title: format!("{i}"),
        }),
    )
    .await?;
    let times: i64 = Post::query()
        .aggregate(|p| p.created_at.count_distinct())
        .one(&db)
        .await?;
    assert_eq!(times, 1);
    Ok(())
}

#[orm::test(schema = blog())]
async fn inserts_inside_a_transaction_go_with_it(db: Db) -> orm::Result<()> {
    let tx = db.begin().await?;
    NewTag::insert_all(
        &tx,
        (0..500).map(|i| NewTag {
            name: format!("t{i}"),
        }),
    )
    .await?;
    NewTag { name: "given".into() }
        .with_id(Id::new(9999))
        .insert(&tx)
        .await?;
    tx.rollback().await?;
    assert_eq!(Tag::query().count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = blog())]
async fn half_of_many_inserts_cannot_be_committed(db: Db) -> orm::Result<()> {
    let tx = db.begin().await?;
    // two statements, since the rows set different columns; the second one's value never reaches the database
    let rows = [new("a").into_insert_row(), new("b").set(|u| u.bio.to("\0"))];
    match NewUser::insert_all(&tx, rows).await {
        Ok(_) => tx.commit().await?,
        Err(_) => {
            assert_eq!(refused(tx.commit().await).kind(), ErrorKind::TransactionAborted);
            assert_eq!(User::query().count(&db).await?, 0);
        }
    }
    Ok(())
}
