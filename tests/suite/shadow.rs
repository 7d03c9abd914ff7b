//! What the library keeps by itself: times, people, versions, tenants, soft deletes, on every path.

use orm::prelude::*;

use crate::models::*;

async fn times(
    db: &impl Serves<Post>,
    id: Id<Post>,
) -> orm::Result<(Timestamp, Timestamp, Option<Timestamp>)> {
    Post::query()
        .with_deleted()
        .filter(|p| p.id.eq(id))
        .select(|p| (p.created_at, p.updated_at, p.deleted_at))
        .one(db)
        .await
}

async fn tick() {
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
}

// ---- times and versions

#[orm::test(schema = blog())]
async fn times_follow_every_kind_of_write(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let p = post(&db, &ann, "t").await;
    let (created, updated, deleted) = times(&db, p.id).await?;
    assert_eq!((created == updated, deleted), (true, None));
    assert!((Timestamp::now().micros() - created.micros()).abs() < 60_000_000);
    tick().await;
    let p = p.update().set(|p| p.title.to("u")).save(&db).await?;
    let (c2, u2, _) = times(&db, p.id).await?;
    assert!(c2 == created && u2 > updated);
    tick().await;
    Post::update_where(|x| x.id.eq(p.id))
        .set(|p| p.views.to(1))
        .exec(&db)
        .await?;
    let (c3, u3, _) = times(&db, p.id).await?;
    assert!(c3 == created && u3 > u2);
    tick().await;
    Post::get(&db, p.id).await?.delete(&db).await?;
    let (c4, u4, d4) = times(&db, p.id).await?;
    assert!(c4 == created && u4 > u3 && d4 == Some(u4));
    tick().await;
    assert!(Post::restore(&db, p.id).await?);
    let (c5, u5, d5) = times(&db, p.id).await?;
    assert!(c5 == created && u5 > u4 && d5.is_none());
    Ok(())
}

#[orm::test(schema = blog())]
async fn versions_count_every_kind_of_write(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let p = post(&db, &ann, "t").await;
    assert_eq!(p.version, 1);
    let p = p.update().set(|p| p.title.to("u")).save(&db).await?;
    assert_eq!(p.version, 2);
    Post::update_where(|x| x.id.eq(p.id))
        .set(|p| p.views.to(1))
        .exec(&db)
        .await?;
    let p = Post::get(&db, p.id).await?;
    assert_eq!(p.version, 3);
    let id = p.id;
    p.delete(&db).await?;
    Post::restore(&db, id).await?;
    assert_eq!(Post::get(&db, id).await?.version, 5);
    let up = NewPost {
        author_id: ann.id,
        title: "x".into(),
    }
    .with_id(id)
    .upsert(|p| p.id)
    .update(|p, new| p.title.to(new.title))
    .exec(&db)
    .await?;
    assert!(matches!(up, Upserted::Updated(p) if p.version == 6));
    comment(&db, &Post::get(&db, id).await?, &ann, "hi").await;
    assert_eq!(
        Post::get(&db, id).await?.version,
        6,
        "a child does not touch its parent"
    );
    Ok(())
}

#[orm::test(schema = blog(), flavor = "multi_thread")]
async fn a_hundred_optimistic_writers_lose_no_update(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let id = post(&db, &ann, "t").await.id;
    let mut tasks = Vec::new();
    for _ in 0..20 {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            loop {
                let p = Post::get(&db, id).await?;
                match p.update().set(|c| c.views.to(p.views + 1)).save(&db).await {
                    Err(e) if e.is_stale() => continue,
                    other => return other.map(drop),
                }
            }
        }));
    }
    for task in tasks {
        task.await.expect("no panic")?;
    }
    let p = Post::get(&db, id).await?;
    assert_eq!((p.views, p.version), (20, 21));
    Ok(())
}

// ---- soft delete

#[orm::test(schema = blog())]
async fn a_soft_deleted_row_is_hidden_from_every_read(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let (gone, kept) = (post(&db, &ann, "gone").await, post(&db, &ann, "kept").await);
    let t = tag(&db, "t").await;
    label(&db, &gone, &t).await;
    comment(&db, &gone, &ann, "c").await;
    let id = gone.id;
    assert!(gone.clone().delete(&db).await?);
    assert!(refused(Post::get(&db, id).await).is_not_found());
    assert_eq!(Post::query().select(|p| p.title).all(&db).await?, ["kept"]);
    assert_eq!(Post::query().count(&db).await?, 1);
    assert!(!Post::query().filter(|p| p.id.eq(id)).exists(&db).await?);
    assert_eq!(ann.posts().count(&db).await?, 1);
    assert_eq!(t.posts().count(&db).await?, 0);
    assert_eq!(
        User::query()
            .filter(|u| u.posts.any(|p| p.title.eq("gone")))
            .count(&db)
            .await?,
        0
    );
    assert_eq!(
        User::query()
            .filter(|u| u.posts.all(|p| p.title.eq("kept")))
            .count(&db)
            .await?,
        1
    );
    assert_eq!(User::query().select(|u| u.posts.count()).one(&db).await?, 1);
    assert_eq!(
        User::query()
            .select(|u| u.posts.agg(|p| p.title.min()))
            .one(&db)
            .await?
            .as_deref(),
        Some("kept")
    );
    assert_eq!(
        User::query()
            .join(|u| u.posts)
            .select(|(_, p)| p.title)
            .all(&db)
            .await?,
        ["kept"]
    );
    assert_eq!(
        User::query()
            .left_join(|u| u.posts)
            .select(|(_, p)| p.map(|p| p.title))
            .all(&db)
            .await?,
        [Some("kept".into())]
    );
    assert_eq!(Tag::query().filter(|t| t.posts.exist()).count(&db).await?, 0);
    let groups: Vec<i64> = Post::query()
        .group_by(|p| p.author_id)
        .select(|g| g.count())
        .all(&db)
        .await?;
    assert_eq!(groups, [1]);
    let joined = User::query()
        .join_on(Post::query(), |u, p| p.author_id.eq(u.id))
        .select(|(_, p)| p.title);
    assert_eq!(joined.all(&db).await?, ["kept"]);
    let listed = User::query().filter(|u| {
        u.id.in_(
            Post::query()
                .filter(|p| p.title.eq("gone"))
                .select(|p| p.author_id),
        )
    });
    assert_eq!(listed.count(&db).await?, 0);
    assert_eq!(Post::query().with_deleted().count(&db).await?, 2);
    assert_eq!(
        Post::query().only_deleted().select(|p| p.title).all(&db).await?,
        ["gone"]
    );
    assert_eq!(ann.posts().with_deleted().count(&db).await?, 2);
    let _ = kept;
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_required_parent_that_is_soft_deleted_does_not_hide_its_children(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let p = post(&db, &ann, "t").await;
    let c = comment(&db, &p, &ann, "c").await;
    p.delete(&db).await?;
    assert_eq!(
        Comment::query()
            .join(|c| c.post)
            .select(|(c, p)| (c.body, p.title))
            .all(&db)
            .await?,
        [("c".into(), "t".into())]
    );
    assert_eq!(
        Comment::query()
            .select(|c| c.post.col(|p| p.title))
            .one(&db)
            .await?,
        "t"
    );
    assert_eq!(c.post().one(&db).await?.title, "t");
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_condition_with_or_cannot_escape_the_filter(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    post(&db, &ann, "gone").await.delete(&db).await?;
    let any = |p: PostCols<Post>| p.title.eq("nothing").or(p.title.ne("nothing"));
    assert_eq!(Post::query().filter(any).count(&db).await?, 0);
    assert_eq!(
        Post::query()
            .filter(|p| any_of([p.id.gt(Id::new(0)), p.id.le(Id::new(0))]))
            .count(&db)
            .await?,
        0
    );
    assert_eq!(
        User::query()
            .filter(|u| u.posts.any(|p| p.title.eq("x").or(p.title.ne("x"))))
            .count(&db)
            .await?,
        0
    );
    assert_eq!(Post::update_where(any).set(|p| p.views.to(1)).exec(&db).await?, 0);
    assert_eq!(Post::delete_where(any).exec(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = blog())]
async fn writes_pass_soft_deleted_rows_by(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let p = post(&db, &ann, "gone").await;
    p.clone().delete(&db).await?;
    assert!(refused(p.update().set(|p| p.title.to("x")).save(&db).await).is_not_found());
    assert!(refused(p.update().save(&db).await).is_not_found());
    assert!(!p.clone().delete(&db).await?);
    assert_eq!(Post::delete_everything().exec(&db).await?, 0);
    assert_eq!(Post::query().with_deleted().one(&db).await?.title, "gone");
    assert!(Post::restore(&db, p.id).await?);
    assert!(!Post::restore(&db, p.id).await?, "a living row is not restored");
    assert!(Post::purge(&db, p.id).await?);
    assert!(!Post::purge(&db, p.id).await?);
    assert_eq!(Post::query().with_deleted().count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = blog())]
async fn purge_removes_deleted_and_living_rows(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let (a, b) = (post(&db, &ann, "a").await, post(&db, &ann, "b").await);
    a.clone().delete(&db).await?;
    assert!(Post::purge(&db, a.id).await? && Post::purge(&db, b.id).await?);
    assert_eq!(Post::query().with_deleted().count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = places())]
async fn delete_then_create_again_then_restore_conflicts_cleanly(db: Db) -> orm::Result<()> {
    let a = NewRoom {
        code: "A".into(),
        door: 1,
        seats: 1,
    }
    .insert(&db)
    .await?;
    a.delete(&db).await?;
    NewRoom {
        code: "B".into(),
        door: 1,
        seats: 1,
    }
    .insert(&db)
    .await?;
    let e = refused(Room::restore(&db, "A".to_owned()).await);
    assert!(e.is_unique_violation());
    assert_eq!(e.constraint(), Some("uq_rooms_door"));
    assert_eq!(Room::query().select(|r| r.code).all(&db).await?, ["B"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn delete_where_hides_rows_softly(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    for t in ["a", "b"] {
        post(&db, &ann, t).await;
    }
    assert_eq!(Post::delete_where(|p| p.title.eq("a")).exec(&db).await?, 1);
    let row: (String, bool, i64) = Post::query()
        .only_deleted()
        .select(|p| (p.title, p.deleted_at.is_not_null(), p.version))
        .one(&db)
        .await?;
    assert_eq!(row, ("a".into(), true, 2));
    Ok(())
}

// ---- people

async fn signed(db: &impl Serves<Doc>, id: Id<Doc>) -> orm::Result<(Id<User>, Id<User>, Option<Id<User>>)> {
    Doc::query()
        .with_deleted()
        .filter(|d| d.id.eq(id))
        .select(|d| (d.created_by, d.updated_by, d.deleted_by))
        .one(db)
        .await
}

#[orm::test(schema = books())]
async fn who_wrote_is_recorded_on_every_write(db: Db) -> orm::Result<()> {
    let (ann, bob) = (user(&db, "ann").await, user(&db, "bob").await);
    let (by_ann, by_bob) = (db.acting_as(ann.id), db.acting_as(bob.id));
    let d = NewDoc { title: "x".into() }.insert(&by_ann).await?;
    assert_eq!(signed(&db, d.id).await?, (ann.id, ann.id, None));
    let d = d.update().set(|d| d.title.to("y")).save(&by_bob).await?;
    assert_eq!(signed(&db, d.id).await?, (ann.id, bob.id, None));
    Doc::update_where(|x| x.id.eq(d.id))
        .set(|d| d.title.to("z"))
        .exec(&by_ann)
        .await?;
    assert_eq!(signed(&db, d.id).await?, (ann.id, ann.id, None));
    Doc::get(&db, d.id).await?.delete(&by_bob).await?;
    assert_eq!(signed(&db, d.id).await?, (ann.id, bob.id, Some(bob.id)));
    Doc::restore(&by_ann, d.id).await?;
    assert_eq!(signed(&db, d.id).await?, (ann.id, ann.id, None));
    let many = NewDoc::insert_all(&by_bob, ["a", "b"].map(|t| NewDoc { title: t.into() })).await?;
    for m in many {
        assert_eq!(signed(&db, m.id).await?.0, bob.id);
    }
    let up = NewDoc { title: "up".into() }
        .with_id(d.id)
        .upsert(|d| d.id)
        .update(|d, new| d.title.to(new.title))
        .exec(&by_bob)
        .await?;
    assert_eq!(signed(&db, up.into_inner().id).await?, (ann.id, bob.id, None));
    Ok(())
}

#[orm::test(schema = books())]
async fn the_actor_stays_with_the_handle_in_transactions(db: Db) -> orm::Result<()> {
    let (ann, bob) = (user(&db, "ann").await, user(&db, "bob").await);
    let by_ann = db.acting_as(ann.id);
    let made = by_ann
        .transaction(async |tx| {
            let d = NewDoc { title: "x".into() }.insert(tx).await?;
            let e = tx
                .savepoint(async |sp| NewDoc { title: "y".into() }.insert(sp).await)
                .await?;
            let f = NewDoc { title: "z".into() }.insert(&tx.acting_as(bob.id)).await?;
            Ok::<_, Error>([d.id, e.id, f.id])
        })
        .await?;
    let mut who = Vec::new();
    for id in made {
        who.push(signed(&db, id).await?.0);
    }
    assert_eq!(who, [ann.id, ann.id, bob.id]);
    let tx = by_ann.begin().await?;
    let d = NewDoc { title: "g".into() }.insert(&tx).await?;
    let sp = tx.begin().await?;
    NewDoc {
        title: "undone".into(),
    }
    .insert(&sp)
    .await?;
    sp.rollback().await?;
    tx.commit().await?;
    assert_eq!(signed(&db, d.id).await?.0, ann.id);
    assert_eq!(Doc::query().count(&db).await?, 4);
    Ok(())
}

#[orm::test(schema = books())]
async fn an_unknown_actor_is_refused_by_the_foreign_key(db: Db) {
    let e = refused(
        NewDoc { title: "x".into() }
            .insert(&db.acting_as(Id::<User>::new(404)))
            .await,
    );
    assert!(e.is_foreign_key_violation());
}

// ---- tenants

#[orm::test(schema = books())]
async fn a_tenant_sees_and_changes_its_own_rows_only(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let (one, two) = (
        db.tenant(1i64).acting_as(ann.id),
        db.acting_as(ann.id).tenant(2i64),
    );
    let mine = NewAccount { number: "1".into() }.insert(&one).await?;
    let theirs = NewAccount { number: "1".into() }.insert(&two).await?;
    assert_eq!((mine.org, theirs.org), (1, 2));
    assert_eq!(Account::query().one(&one).await?, mine);
    assert_eq!(Account::query().with_deleted().count(&one).await?, 1);
    assert!(refused(Account::get(&one, theirs.id).await).is_not_found());
    assert!(refused(theirs.update().set(|a| a.balance.to(9)).save(&one).await).is_not_found());
    assert!(!theirs.clone().delete(&one).await?);
    assert_eq!(
        Account::update_where(|a| a.balance.ge(0).or(a.balance.lt(0)))
            .set(|a| a.balance.to(5))
            .exec(&one)
            .await?,
        1
    );
    assert_eq!(Account::get(&two, theirs.id).await?.balance, 0);
    assert_eq!(Account::delete_where(|a| a.id.eq(theirs.id)).exec(&one).await?, 0);
    assert_eq!(Account::delete_everything().exec(&one).await?, 1);
    assert_eq!(Account::query().count(&two).await?, 1);
    Ok(())
}

#[orm::test(schema = books())]
async fn restore_and_purge_keep_the_tenant_filter(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let (one, two) = (
        db.tenant(1i64).acting_as(ann.id),
        db.tenant(2i64).acting_as(ann.id),
    );
    let a = NewAccount { number: "1".into() }.insert(&one).await?;
    let id = a.id;
    a.delete(&one).await?;
    assert!(!Account::restore(&two, id).await?);
    assert!(!Account::purge(&two, id).await?);
    assert_eq!(Account::query().only_deleted().count(&one).await?, 1);
    assert!(Account::restore(&one, id).await?);
    assert!(!Account::purge(&two, id).await?);
    assert!(Account::purge(&one, id).await?);
    Ok(())
}

#[orm::test(schema = books())]
async fn the_tenant_filter_holds_in_joins_relations_and_counts(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let (one, two) = (
        db.tenant(1i64).acting_as(ann.id),
        db.tenant(2i64).acting_as(ann.id),
    );
    let a = NewAccount { number: "1".into() }.insert(&one).await?;
    NewLine {
        account_id: a.id,
        amount: 3,
    }
    .insert(&one)
    .await?;
    // a row of another tenant that points to this tenant's account
    NewLine {
        account_id: a.id,
        amount: 100,
    }
    .insert(&two)
    .await?;
    assert_eq!(a.lines().count(&one).await?, 1);
    assert_eq!(
        Account::query()
            .select(|a| a.lines.agg(|l| l.amount.sum()))
            .one(&one)
            .await?,
        Some(3)
    );
    assert_eq!(Account::query().select(|a| a.lines.count()).one(&one).await?, 1);
    assert_eq!(
        Account::query()
            .filter(|a| a.lines.any(|l| l.amount.gt(50)))
            .count(&one)
            .await?,
        0
    );
    assert_eq!(
        Account::query()
            .join(|a| a.lines)
            .select(|(_, l)| l.amount)
            .all(&one)
            .await?,
        [3]
    );
    assert_eq!(
        Line::query()
            .join(|l| l.account)
            .select(|(l, _)| l.amount)
            .all(&two)
            .await?,
        Vec::<i64>::new()
    );
    let sum: Option<i64> = Line::query().aggregate(|l| l.amount.sum()).one(&two).await?;
    assert_eq!(sum, Some(100));
    Ok(())
}

#[orm::test(schema = books())]
async fn a_unique_key_of_a_tenant_conflicts_within_it_only(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let (one, two) = (
        db.tenant(1i64).acting_as(ann.id),
        db.tenant(2i64).acting_as(ann.id),
    );
    NewAccount { number: "7".into() }.insert(&one).await?;
    let e = refused(NewAccount { number: "7".into() }.insert(&one).await);
    assert_eq!(
        (e.kind(), e.constraint()),
        (ErrorKind::UniqueViolation, Some("uq_accounts_org_number"))
    );
    NewAccount { number: "7".into() }.insert(&two).await?;
    Ok(())
}

#[orm::test(schema = books())]
async fn an_upsert_never_changes_a_row_of_another_tenant(db: Db) -> orm::Result<()> {
    let (one, two) = (db.tenant(1i64), db.tenant(2i64));
    let theirs = NewInvoice { total: 5 }.insert(&two).await?;
    let result = NewInvoice { total: 9 }
        .with_id(theirs.id)
        .upsert(|i| i.id)
        .update(|i, new| i.total.to(new.total))
        .exec(&one)
        .await;
    let e = refused(result);
    assert!(e.is_unique_violation());
    assert_eq!(e.message(), "the key belongs to a row of another tenant");
    let nothing = NewInvoice { total: 9 }
        .with_id(theirs.id)
        .upsert(|i| i.id)
        .do_nothing()
        .exec(&one)
        .await?;
    assert_eq!(nothing, None);
    assert_eq!(Invoice::get(&two, theirs.id).await?.total, 5);
    Ok(())
}

#[orm::test(schema = books())]
async fn a_tenant_and_an_actor_hold_in_transactions_and_streams(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let both = db.acting_as(ann.id).tenant(7i64);
    NewInvoice { total: 1 }.insert(&db.tenant(8i64)).await?;
    both.transaction(async |tx| {
        NewInvoice { total: 4 }.insert(tx).await?;
        NewAccount { number: "1".into() }.insert(tx).await?;
        let mut rows = Invoice::query().stream(tx);
        let mut seen = Vec::new();
        while let Some(i) = rows.next().await? {
            seen.push(i.total);
        }
        assert_eq!(seen, [4]);
        tx.savepoint(async |sp| NewInvoice { total: 5 }.insert(sp).await.map(drop))
            .await
    })
    .await?;
    assert_eq!(Invoice::query().count(&both).await?, 2);
    assert_eq!(Invoice::query().count(&db.tenant(8i64)).await?, 1);
    Ok(())
}
