//! Insert, or something else when the row is there.

use orm::prelude::*;

use crate::models::*;

fn ann(name: &str) -> NewUser {
    NewUser {
        email: "ann@x.io".into(),
        name: name.into(),
    }
}

#[orm::test(schema = blog())]
async fn new_and_changed_rows_are_told_apart(db: Db) -> orm::Result<()> {
    let first = ann("Ann")
        .upsert(|u| u.email)
        .update(|u, new| u.name.to(new.name))
        .exec(&db)
        .await?;
    assert!(first.is_inserted());
    let second = ann("Anna")
        .upsert(|u| u.email)
        .update(|u, new| u.name.to(new.name))
        .exec(&db)
        .await?;
    assert!(matches!(&second, Upserted::Updated(u) if u.name == "Anna"));
    assert_eq!(first.into_inner().id, second.into_inner().id);
    assert_eq!(User::query().count(&db).await?, 1);
    Ok(())
}

#[orm::test(schema = blog())]
async fn the_update_may_use_the_old_and_the_new_row(db: Db) -> orm::Result<()> {
    for _ in 0..3 {
        ann("Ann")
            .set(|u| u.age.to(10))
            .upsert(|u| u.email)
            .update(|u, new| (u.age.to(u.age + new.age), u.bio.to(new.name)))
            .exec(&db)
            .await?;
    }
    let row = User::query().one(&db).await?;
    assert_eq!((row.age, row.bio.as_deref()), (30, Some("Ann")));
    Ok(())
}

#[orm::test(schema = blog())]
async fn do_nothing_yields_none_and_keeps_the_row(db: Db) -> orm::Result<()> {
    let made = ann("Ann").upsert(|u| u.email).do_nothing().exec(&db).await?;
    assert_eq!(made.map(|u| u.name).as_deref(), Some("Ann"));
    assert_eq!(ann("Eve").upsert(|u| u.email).do_nothing().exec(&db).await?, None);
    assert_eq!(User::query().one(&db).await?.name, "Ann");
    Ok(())
}

#[orm::test(schema = places())]
async fn a_conflict_on_another_constraint_is_an_error(db: Db) -> orm::Result<()> {
    NewRoom {
        code: "A".into(),
        door: 1,
        seats: 4,
    }
    .insert(&db)
    .await?;
    let e = refused(
        NewRoom {
            code: "B".into(),
            door: 1,
            seats: 2,
        }
        .upsert(|r| r.code)
        .update(|r, new| r.seats.to(new.seats))
        .exec(&db)
        .await,
    );
    assert!(e.is_unique_violation());
    assert_eq!(e.constraint(), Some("uq_rooms_door"));
    let e = refused(
        NewRoom {
            code: "B".into(),
            door: 1,
            seats: 2,
        }
        .upsert(|r| r.code)
        .do_nothing()
        .exec(&db)
        .await,
    );
    assert!(e.is_unique_violation());
    Ok(())
}

#[orm::test(schema = places())]
async fn a_soft_deleted_row_is_not_in_the_way_of_a_unique_column(db: Db) -> orm::Result<()> {
    let a = NewRoom {
        code: "A".into(),
        door: 1,
        seats: 4,
    }
    .insert(&db)
    .await?;
    a.delete(&db).await?;
    let up = NewRoom {
        code: "B".into(),
        door: 1,
        seats: 2,
    }
    .upsert(|r| r.door)
    .update(|r, new| r.seats.to(new.seats))
    .exec(&db)
    .await?;
    assert!(up.is_inserted());
    assert_eq!(Room::query().with_deleted().count(&db).await?, 2);
    Ok(())
}

#[orm::test(schema = places())]
async fn the_key_of_a_soft_deleted_row_is_taken_unless_revived(db: Db) -> orm::Result<()> {
    NewRoom {
        code: "A".into(),
        door: 1,
        seats: 4,
    }
    .insert(&db)
    .await?
    .delete(&db)
    .await?;
    let again = || NewRoom {
        code: "A".into(),
        door: 1,
        seats: 9,
    };
    let e = refused(
        again()
            .upsert(|r| r.code)
            .update(|r, new| r.seats.to(new.seats))
            .exec(&db)
            .await,
    );
    assert!(e.is_unique_violation());
    assert_eq!(
        Room::query().count(&db).await?,
        0,
        "nothing came back by accident"
    );
    let up = again()
        .upsert(|r| r.code)
        .update(|r, new| r.seats.to(new.seats))
        .revive()
        .exec(&db)
        .await?;
    assert!(matches!(up, Upserted::Updated(r) if r.seats == 9));
    assert_eq!(Room::query().one(&db).await?.seats, 9);
    Ok(())
}

#[orm::test(schema = blog())]
async fn many_upserts_come_back_in_input_order(db: Db) -> orm::Result<()> {
    tag(&db, "b").await;
    let rows = ["a", "b", "c"].map(|n| NewTag { name: n.into() });
    let up = NewTag::upsert_all(rows, |t| t.name)
        .update(|t, new| t.name.to(new.name))
        .exec(&db)
        .await?;
    let seen: Vec<(bool, String)> = up
        .into_iter()
        .map(|u| (u.is_inserted(), u.into_inner().name))
        .collect();
    assert_eq!(
        seen,
        [(true, "a".into()), (false, "b".into()), (true, "c".into())]
    );
    let rows = ["c", "d"].map(|n| NewTag { name: n.into() });
    let new = NewTag::upsert_all(rows, |t| t.name).exec(&db).await?;
    assert_eq!(
        new.into_iter().map(|u| u.into_inner().name).collect::<Vec<_>>(),
        ["d"]
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn many_upserts_are_one_unit(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let p = post(&db, &ann, "t").await;
    let t = tag(&db, "t").await;
    let rows = [(p.id, t.id), (p.id, Id::new(999))].map(|(post_id, tag_id)| NewPostTag { post_id, tag_id });
    let e = refused(NewPostTag::upsert_all(rows, |x| x.key()).exec(&db).await);
    assert!(e.is_foreign_key_violation());
    assert_eq!(PostTag::query().count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = places())]
async fn a_composite_key_is_a_target(db: Db) -> orm::Result<()> {
    NewCountry {
        code: "de".into(),
        name: "Germany".into(),
    }
    .insert(&db)
    .await?;
    let ulm = |people| NewCity {
        country_id: "de".into(),
        name: "Ulm".into(),
        people,
    };
    assert!(
        ulm(1)
            .upsert(|c| c.key())
            .update(|c, new| c.people.to(new.people))
            .exec(&db)
            .await?
            .is_inserted()
    );
    let up = ulm(2)
        .upsert(|c| c.key())
        .update(|c, new| c.people.to(new.people))
        .exec(&db)
        .await?;
    assert!(matches!(up, Upserted::Updated(c) if c.people == 2));
    Ok(())
}

#[orm::test(schema = blog())]
async fn an_upsert_inside_a_transaction_is_part_of_it(db: Db) -> orm::Result<()> {
    let tx = db.begin().await?;
    ann("Ann")
        .upsert(|u| u.email)
        .update(|u, new| u.name.to(new.name))
        .exec(&tx)
        .await?;
    assert!(
        !ann("Anna")
            .upsert(|u| u.email)
            .update(|u, new| u.name.to(new.name))
            .exec(&tx)
            .await?
            .is_inserted()
    );
    tx.rollback().await?;
    assert_eq!(User::query().count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = blog(), flavor = "multi_thread")]
async fn rivals_make_one_row(db: Db) -> orm::Result<()> {
    let mut tasks = Vec::new();
    for i in 0..32 {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            ann(&format!("n{i}"))
                .set(|u| u.age.to(1))
                .upsert(|u| u.email)
                .update(|u, new| (u.name.to(new.name), u.age.to(u.age + 1)))
                .exec(&db)
                .await
        }));
    }
    let mut inserted = 0;
    for task in tasks {
        inserted += usize::from(task.await.expect("no panic")?.is_inserted());
    }
    assert_eq!((inserted, User::query().one(&db).await?.age), (1, 32));
    Ok(())
}

#[orm::test(schema = blog())]
async fn an_upsert_under_a_given_key_leaves_the_generated_ones_behind_it(db: Db) -> orm::Result<()> {
    let new = |name: &str| NewTag { name: name.into() };
    new("a")
        .with_id(Id::new(2))
        .upsert(|t| t.id)
        .update(|t, new| t.name.to(new.name))
        .exec(&db)
        .await?;
    assert_eq!(new("b").insert(&db).await?.id, Id::new(3));
    let made = new("c").with_id(Id::new(5)).upsert(|t| t.id).do_nothing();
    assert_eq!(made.exec(&db).await?.map(|t| t.id), Some(Id::new(5)));
    assert_eq!(new("d").insert(&db).await?.id, Id::new(6));
    let rows = [new("e").with_id(Id::new(8)), new("f").with_id(Id::new(9))];
    NewTag::upsert_all(rows, |t| t.id).exec(&db).await?;
    assert_eq!(new("g").insert(&db).await?.id, Id::new(10));
    Ok(())
}

#[orm::test(schema = blog())]
async fn many_upserts_have_one_time(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let rows = (1..=50).map(|i| {
        let (author_id, title) = (ann.id, format!("{i}"));
        NewPost { author_id, title }.with_id(Id::new(i))
    });
    NewPost::upsert_all(rows, |p| p.id).exec(&db).await?;
    let times: i64 = Post::query()
        .aggregate(|p| p.created_at.count_distinct())
        .one(&db)
        .await?;
    assert_eq!(times, 1);
    Ok(())
}

#[orm::test(schema = places())]
async fn half_of_many_upserts_cannot_be_committed(db: Db) -> orm::Result<()> {
    let room = |code: &str, door| NewRoom {
        code: code.into(),
        door,
        seats: 1,
    };
    room("B", 2).insert(&db).await?.delete(&db).await?;
    let tx = db.begin().await?;
    // no database reports this error: the second key is that of a soft-deleted row
    let e = refused(
        NewRoom::upsert_all([room("A", 1), room("B", 2)], |r| r.code)
            .update(|r, new| r.seats.to(new.seats))
            .exec(&tx)
            .await,
    );
    assert!(e.is_unique_violation());
    assert_eq!(refused(tx.commit().await).kind(), ErrorKind::TransactionAborted);
    assert_eq!(Room::query().with_deleted().count(&db).await?, 1);
    Ok(())
}
