//! Transactions, savepoints, retries.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use orm::prelude::*;

use crate::models::*;

#[derive(Debug)]
enum AppError {
    Db(Error),
    Own,
}
impl From<Error> for AppError {
    fn from(e: Error) -> Self {
        AppError::Db(e)
    }
}

async fn names(db: &impl Serves<Tag>) -> orm::Result<Vec<String>> {
    Tag::query()
        .order_by(|t| t.name.asc())
        .select(|t| t.name)
        .all(db)
        .await
}

async fn duplicate(db: &impl Writes<Tag>) -> Error {
    refused(NewTag { name: "base".into() }.insert(db).await)
}

#[orm::test(schema = blog())]
async fn a_closure_commits_on_ok_and_undoes_on_err(db: Db) -> Result<(), AppError> {
    let made = db
        .transaction(async |tx| Ok::<_, AppError>(tag(tx, "kept").await.id))
        .await?;
    assert_eq!(Tag::get(&db, made).await?.name, "kept");
    let outcome: Result<(), AppError> = db
        .transaction(async |tx| {
            tag(tx, "undone").await;
            Err(AppError::Own)
        })
        .await;
    assert!(
        matches!(outcome, Err(AppError::Own)),
        "the closure's own error comes back"
    );
    assert_eq!(names(&db).await?, ["kept"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_guard_commits_rolls_back_and_undoes_when_dropped(db: Db) -> orm::Result<()> {
    let tx = db.begin().await?;
    tag(&tx, "a").await;
    tx.commit().await?;
    let tx = db.begin().await?;
    tag(&tx, "b").await;
    tx.rollback().await?;
    let tx = db.begin().await?;
    tag(&tx, "c").await;
    drop(tx);
    assert_eq!(names(&db).await?, ["a"]);
    tag(&db, "d").await;
    assert_eq!(
        names(&db).await?,
        ["a", "d"],
        "the next borrower's write is its own"
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn nobody_sees_a_transaction_before_its_commit(db: Db) -> orm::Result<()> {
    let tx = db.begin().await?;
    tag(&tx, "x").await;
    assert_eq!(names(&tx).await?, ["x"]);
    assert_eq!(names(&db).await?, Vec::<String>::new());
    tx.commit().await?;
    assert_eq!(names(&db).await?, ["x"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn savepoints_three_deep_undo_their_own_work_only(db: Db) -> orm::Result<()> {
    let mut tx = db.begin().await?;
    tag(&tx, "1").await;
    let mut a = tx.begin().await?;
    tag(&a, "2").await;
    let mut b = a.begin().await?;
    tag(&b, "3").await;
    let c = b.begin().await?;
    tag(&c, "4").await;
    assert_eq!(names(&c).await?, ["1", "2", "3", "4"]);
    c.rollback().await?;
    tag(&b, "5").await;
    b.commit().await?;
    drop(a);
    tag(&tx, "6").await;
    assert_eq!(names(&tx).await?, ["1", "6"]);
    tx.commit().await?;
    assert_eq!(names(&db).await?, ["1", "6"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn savepoint_closures_nest(db: Db) -> orm::Result<()> {
    db.transaction(async |tx| {
        tag(tx, "1").await;
        tx.savepoint(async |sp| {
            tag(sp, "2").await;
            let undone: Result<(), AppError> = sp
                .transaction(async |inner| {
                    tag(inner, "3").await;
                    Err(AppError::Own)
                })
                .await;
            assert!(matches!(undone, Err(AppError::Own)));
            tag(sp, "4").await;
            Ok::<_, Error>(())
        })
        .await
    })
    .await?;
    assert_eq!(names(&db).await?, ["1", "2", "4"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn after_an_error_only_rollback_is_possible_and_commit_says_so(db: Db) -> orm::Result<()> {
    tag(&db, "base").await;
    let tx = db.begin().await?;
    tag(&tx, "x").await;
    assert!(duplicate(&tx).await.is_unique_violation());
    let e = refused(names(&tx).await);
    assert_eq!(e.kind(), ErrorKind::TransactionAborted);
    assert!(
        e.to_string().contains("UniqueViolation"),
        "it says what failed first: {e}"
    );
    let e = refused(tx.commit().await);
    assert_eq!(e.kind(), ErrorKind::TransactionAborted);
    assert_eq!(names(&db).await?, ["base"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_closure_that_swallows_an_error_does_not_pretend_to_commit(db: Db) -> orm::Result<()> {
    tag(&db, "base").await;
    let outcome: orm::Result<()> = db
        .transaction(async |tx| {
            tag(tx, "x").await;
            let _ = duplicate(tx).await;
            Ok(())
        })
        .await;
    assert_eq!(refused(outcome).kind(), ErrorKind::TransactionAborted);
    assert_eq!(names(&db).await?, ["base"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn an_error_inside_a_savepoint_leaves_the_outer_transaction_usable(db: Db) -> orm::Result<()> {
    tag(&db, "base").await;
    let mut tx = db.begin().await?;
    tag(&tx, "outer").await;
    let inner: orm::Result<()> = tx.savepoint(async |sp| Err(duplicate(sp).await)).await;
    assert!(refused(inner).is_unique_violation());
    tag(&tx, "after").await;
    let sp = tx.begin().await?;
    duplicate(&sp).await;
    drop(sp);
    tag(&tx, "again").await;
    tx.commit().await?;
    assert_eq!(names(&db).await?, ["after", "again", "base", "outer"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn an_error_that_no_database_reported_does_not_spoil_a_transaction(db: Db) -> orm::Result<()> {
    let tx = db.begin().await?;
    assert!(refused(Tag::get(&tx, Id::new(5)).await).is_not_found());
    tag(&tx, "x").await;
    tx.commit().await?;
    assert_eq!(names(&db).await?, ["x"]);
    Ok(())
}

#[orm::test(schema = books())]
async fn the_outer_handle_rests_while_a_savepoint_is_open(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let tx = db.acting_as(ann.id).begin().await?;
    let sp = tx.begin().await?;
    NewDoc { title: "in".into() }.insert(&sp).await?;
    let e = refused(NewDoc { title: "out".into() }.insert(&tx).await);
    assert_eq!(e.kind(), ErrorKind::TransactionState);
    assert_eq!(refused(tx.begin().await).kind(), ErrorKind::TransactionState);
    sp.commit().await?;
    NewDoc { title: "out".into() }.insert(&tx).await?;
    tx.commit().await?;
    assert_eq!(Doc::query().count(&db).await?, 2);
    Ok(())
}

#[orm::test(schema = blog())]
async fn committing_the_outer_transaction_with_an_open_savepoint_is_an_error(db: Db) -> orm::Result<()> {
    let me = Id::<User>::new(1);
    let tx = db.acting_as(me).begin().await?;
    let sp = tx.begin().await?;
    tag(&sp, "x").await;
    assert_eq!(refused(tx.commit().await).kind(), ErrorKind::TransactionState);
    let e = refused(names(&sp).await);
    assert_eq!(e.kind(), ErrorKind::TransactionState);
    assert_eq!(names(&db).await?, Vec::<String>::new());
    Ok(())
}

#[orm::test(schema = blog())]
async fn two_futures_on_one_transaction_take_turns(db: Db) -> orm::Result<()> {
    let tx = db.begin().await?;
    let (a, b, c) = tokio::join!(
        NewTag { name: "a".into() }.insert(&tx),
        NewTag { name: "b".into() }.insert(&tx),
        Tag::query().count(&tx)
    );
    let n = c?;
    assert!(a?.id != b?.id && (0..=2).contains(&n));
    tx.commit().await?;
    assert_eq!(names(&db).await?, ["a", "b"]);
    Ok(())
}

#[orm::test(schema = blog(), flavor = "multi_thread")]
async fn a_panicking_closure_rolls_back_and_panics_on(db: Db) -> orm::Result<()> {
    let d = db.clone();
    let task = tokio::spawn(async move {
        d.transaction(async |tx| -> orm::Result<()> {
            tag(tx, "x").await;
            panic!("on purpose");
        })
        .await
    });
    assert!(task.await.is_err_and(|e| e.is_panic()));
    assert_eq!(names(&db).await?, Vec::<String>::new());
    tag(&db, "y").await;
    assert_eq!(names(&db).await?, ["y"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_read_only_transaction_refuses_writes(db: Db) -> orm::Result<()> {
    tag(&db, "x").await;
    let seen = db.tx().read_only().run(async |tx| names(tx).await).await?;
    assert_eq!(seen, ["x"]);
    let outcome = db
        .tx()
        .read_only()
        .run(async |tx| NewTag { name: "y".into() }.insert(tx).await)
        .await;
    assert_eq!(refused(outcome).kind(), ErrorKind::ReadOnly);
    tag(&db, "z").await;
    assert_eq!(names(&db).await?, ["x", "z"], "the next one may write again");
    Ok(())
}

#[orm::test(schema = blog())]
async fn isolation_levels_are_set_for_one_transaction(db: Db) -> orm::Result<()> {
    use orm::Isolation;
    tag(&db, "x").await;
    for level in [
        Isolation::ReadCommitted,
        Isolation::RepeatableRead,
        Isolation::Serializable,
    ] {
        let tx = db.tx().isolation(level).read_only().begin().await?;
        let before = names(&tx).await?;
        let name = format!("{level:?}");
        tag(&db, &name).await;
        let after = names(&tx).await?;
        if db.dialect().features().server_clock && level == Isolation::ReadCommitted {
            assert!(after.contains(&name), "{name}");
        } else {
            assert_eq!(before, after, "{name}");
        }
        tx.commit().await?;
    }
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_savepoint_takes_no_isolation(db: Db) -> orm::Result<()> {
    let me = Id::<User>::new(1);
    let tx = db.acting_as(me).begin().await?;
    assert_eq!(
        refused(tx.tx().serializable().begin().await).kind(),
        ErrorKind::TransactionState
    );
    tag(&tx, "x").await;
    tx.commit().await?;
    Ok(())
}

#[orm::test(schema = blog(), requires = |f| f.row_locks, flavor = "multi_thread")]
async fn write_skew_is_refused_under_serializable_and_cured_by_retry(db: Db) -> orm::Result<()> {
    // at least one of the two doctors stays on call
    let (a, b) = (user(&db, "a").await, user(&db, "b").await);
    User::update_where(|u| u.age.eq(0))
        .set(|u| u.age.to(1))
        .exec(&db)
        .await?;
    let attempts = Arc::new(AtomicU32::new(0));
    let gate = Arc::new(tokio::sync::Barrier::new(2));
    let mut tasks = Vec::new();
    for me in [a.id, b.id] {
        let (db, attempts, gate) = (db.clone(), attempts.clone(), gate.clone());
        tasks.push(tokio::spawn(async move {
            db.tx()
                .serializable()
                .retry(5)
                .run(async |tx| {
                    let on_call = User::query().filter(|u| u.age.eq(1)).count(tx).await?;
                    if attempts.fetch_add(1, Ordering::SeqCst) < 2 {
                        gate.wait().await;
                    }
                    if on_call > 1 {
                        User::update_where(|u| u.id.eq(me))
                            .set(|u| u.age.to(0))
                            .exec(tx)
                            .await?;
                    }
                    Ok::<_, Error>(())
                })
                .await
        }));
    }
    for task in tasks {
        task.await.expect("no panic")?;
    }
    assert_eq!(User::query().filter(|u| u.age.eq(1)).count(&db).await?, 1);
    assert!(attempts.load(Ordering::SeqCst) >= 3, "one of them ran again");
    Ok(())
}

#[orm::test(schema = blog(), requires = |f| f.row_locks, flavor = "multi_thread")]
async fn without_retry_a_serialization_failure_is_typed_and_retryable(db: Db) -> orm::Result<()> {
    let (a, b) = (user(&db, "a").await, user(&db, "b").await);
    let (x, y) = (
        db.tx().serializable().begin().await?,
        db.tx().serializable().begin().await?,
    );
    User::query().count(&x).await?;
    User::query().count(&y).await?;
    User::update_where(|u| u.id.eq(a.id))
        .set(|u| u.age.to(1))
        .exec(&x)
        .await?;
    let second = User::update_where(|u| u.id.eq(b.id))
        .set(|u| u.age.to(1))
        .exec(&y)
        .await;
    let ends = (x.commit().await, y.commit().await);
    let e = second
        .err()
        .or(ends.0.err())
        .or(ends.1.err())
        .expect("one of them must fail");
    assert!(matches!(
        e.kind(),
        ErrorKind::Serialization | ErrorKind::TransactionAborted
    ));
    Ok(())
}

#[orm::test(schema = blog(), requires = |f| f.row_locks, flavor = "multi_thread")]
async fn a_deadlock_ends_one_and_retry_finishes_both(db: Db) -> orm::Result<()> {
    let (a, b) = (user(&db, "a").await, user(&db, "b").await);
    let gate = Arc::new(tokio::sync::Barrier::new(2));
    let runs = Arc::new(AtomicU32::new(0));
    let mut tasks = Vec::new();
    for (first, second) in [(a.id, b.id), (b.id, a.id)] {
        let (db, gate, runs) = (db.clone(), gate.clone(), runs.clone());
        tasks.push(tokio::spawn(async move {
            db.tx()
                .retry(5)
                .run(async |tx| {
                    User::update_where(|u| u.id.eq(first))
                        .set(|u| u.age.to(u.age + 1))
                        .exec(tx)
                        .await?;
                    if runs.fetch_add(1, Ordering::SeqCst) < 2 {
                        gate.wait().await;
                    }
                    User::update_where(|u| u.id.eq(second))
                        .set(|u| u.age.to(u.age + 1))
                        .exec(tx)
                        .await
                })
                .await
        }));
    }
    for task in tasks {
        task.await.expect("no panic")?;
    }
    assert_eq!(
        User::query()
            .order_by(|u| u.id.asc())
            .select(|u| u.age)
            .all(&db)
            .await?,
        [2, 2]
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_closure_that_fails_for_good_is_not_run_again(db: Db) -> orm::Result<()> {
    tag(&db, "base").await;
    let runs = AtomicU32::new(0);
    let outcome: orm::Result<()> = db
        .tx()
        .retry(5)
        .run(async |tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            Err(duplicate(tx).await)
        })
        .await;
    assert!(refused(outcome).is_unique_violation());
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    Ok(())
}

#[orm::test(schema = blog(), requires = |f| f.row_locks)]
async fn a_locked_row_is_refused_without_waiting_or_left_out(db: Db) -> orm::Result<()> {
    let (a, b) = (user(&db, "a").await, user(&db, "b").await);
    let tx = db.begin().await?;
    User::query().for_update().get(&tx, a.id).await?;
    let other = db.begin().await?;
    let free = User::query().for_update().skip_locked().all(&other).await?;
    assert_eq!(free.iter().map(|u| u.id).collect::<Vec<_>>(), [b.id]);
    let e = refused(User::query().for_update().no_wait().get(&other, a.id).await);
    assert_eq!(e.kind(), ErrorKind::LockTimeout);
    assert!(e.is_retryable());
    drop(other);
    tx.commit().await?;
    Ok(())
}

#[orm::test(schema = blog(), requires = |f| f.row_locks)]
async fn locks_of_different_strength_go_together_or_not(db: Db) -> orm::Result<()> {
    let a = user(&db, "a").await.id;
    type Locked = fn(Query<User>) -> Query<User>;
    let strengths: [(&str, Locked); 4] = [
        ("key share", |q| q.for_key_share()),
        ("share", |q| q.for_share()),
        ("no key update", |q| q.for_no_key_update()),
        ("update", |q| q.for_update()),
    ];
    // as PostgreSQL's table of conflicting row-level locks says
    let conflict = |a: usize, b: usize| a + b > 2;
    for (i, (held, lock)) in strengths.into_iter().enumerate() {
        let tx = db.begin().await?;
        lock(User::query()).get(&tx, a).await?;
        for (j, (asked, lock)) in strengths.into_iter().enumerate() {
            let other = db.begin().await?;
            let got = lock(User::query()).no_wait().get(&other, a).await;
            assert_eq!(got.is_err(), conflict(i, j), "{held} held, {asked} asked for");
            if let Err(e) = got {
                assert_eq!(e.kind(), ErrorKind::LockTimeout);
            }
            other.rollback().await?;
        }
        tx.rollback().await?;
    }
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_lock_may_leave_joined_tables_alone(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let p = post(&db, &ann, "a").await;
    let joined = || Post::query().join(|p| p.author).select(|(p, a)| (p.id, a.id));
    let optional = Post::query().left_join(|p| p.category).select(|(p, _)| p.id);
    let tx = db.begin().await?;
    assert_eq!(
        joined().for_update().own_rows_only().all(&tx).await?,
        [(p.id, ann.id)]
    );
    assert_eq!(optional.for_update().own_rows_only().all(&tx).await?, [p.id]);
    if db.dialect().features().row_locks {
        let other = db.begin().await?;
        User::query().for_update().no_wait().get(&other, ann.id).await?;
        let e = refused(Post::query().for_update().no_wait().get(&other, p.id).await);
        assert_eq!(e.kind(), ErrorKind::LockTimeout);
        other.rollback().await?;
        // without it the author is locked as well
        joined().for_update().all(&tx).await?;
        let other = db.begin().await?;
        let e = refused(User::query().for_update().no_wait().get(&other, ann.id).await);
        assert_eq!(e.kind(), ErrorKind::LockTimeout);
    }
    tx.rollback().await
}

#[orm::test(schema = blog())]
async fn a_locking_read_works_in_every_transaction(db: Db) -> orm::Result<()> {
    let a = user(&db, "a").await;
    db.transaction(async |tx| {
        let u = User::query().for_update().get(tx, a.id).await?;
        u.update().set(|u| u.age.to(1)).save(tx).await
    })
    .await?;
    assert_eq!(User::get(&db, a.id).await?.age, 1);
    Ok(())
}

#[orm::test(schema = blog(), flavor = "multi_thread")]
async fn parallel_transactions_lose_no_update(db: Db) -> orm::Result<()> {
    let id = user(&db, "a").await.id;
    let mut tasks = Vec::new();
    for _ in 0..30 {
        let db = db.clone();
        tasks.push(tokio::spawn(async move {
            db.transaction(async |tx| {
                let u = User::query().for_update().get(tx, id).await?;
                tokio::task::yield_now().await;
                u.update().set(|c| c.age.to(u.age + 1)).save(tx).await
            })
            .await
        }));
    }
    for task in tasks {
        task.await.expect("no panic")?;
    }
    assert_eq!(User::get(&db, id).await?.age, 30);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_stream_reads_rows_one_by_one_and_the_transaction_goes_on(db: Db) -> orm::Result<()> {
    NewTag::exec_all(
        &db,
        (0..1000).map(|i| NewTag {
            name: format!("{i:04}"),
        }),
    )
    .await?;
    let mut tx = db.begin().await?;
    let mut rows = Tag::query().order_by(|t| t.name.asc()).stream(&mut tx);
    let mut n = 0;
    while let Some(t) = rows.next().await? {
        assert_eq!(t.name, format!("{n:04}"));
        n += 1;
    }
    assert_eq!(n, 1000);
    assert!(rows.next().await?.is_none());
    drop(rows);
    tag(&tx, "more").await;
    // left in the middle
    let mut rows = Tag::query().order_by(|t| t.name.asc()).stream(&mut tx);
    assert_eq!(rows.next().await?.map(|t| t.name).as_deref(), Some("0000"));
    drop(rows);
    assert_eq!(Tag::query().count(&tx).await?, 1001);
    // columns instead of rows
    let mut ids = Tag::query()
        .select(|t| t.name)
        .order_by(|t| t.name.desc())
        .stream(&mut tx);
    assert_eq!(ids.next().await?.as_deref(), Some("more"));
    drop(ids);
    tx.commit().await?;
    assert_eq!(Tag::query().count(&db).await?, 1001);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_stream_of_nothing_ends_at_once(db: Db) -> orm::Result<()> {
    let mut tx = db.begin().await?;
    assert!(Tag::query().stream(&mut tx).next().await?.is_none());
    tx.commit().await
}

#[orm::test(schema = blog())]
async fn an_open_stream_ends_with_its_savepoint(db: Db) -> orm::Result<()> {
    NewTag::exec_all(
        &db,
        (0..600).map(|i| NewTag {
            name: format!("{i:04}"),
        }),
    )
    .await?;
    let mut tx = db.begin().await?;
    let mut sp = tx.begin().await?;
    let mut rows = Tag::query().stream(&mut sp);
    rows.next().await?;
    drop(rows);
    sp.rollback().await?;
    assert_eq!(Tag::query().count(&tx).await?, 600);
    tx.commit().await
}

#[orm::test(schema = blog(), flavor = "multi_thread")]
async fn a_transaction_crosses_threads(db: Db) -> orm::Result<()> {
    let tx = db.begin().await?;
    tag(&tx, "a").await;
    let tx = tokio::spawn(async move {
        tag(&tx, "b").await;
        tx
    })
    .await
    .expect("no panic");
    tx.commit().await?;
    assert_eq!(names(&db).await?, ["a", "b"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_transaction_dropped_by_a_timeout_is_undone(db: Db) -> orm::Result<()> {
    let late = tokio::time::timeout(
        Duration::from_millis(50),
        db.transaction(async |tx| {
            tag(tx, "x").await;
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok::<_, Error>(())
        }),
    );
    assert!(late.await.is_err());
    tag(&db, "y").await;
    assert_eq!(names(&db).await?, ["y"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_hand_written_end_of_the_transaction_is_noticed(db: Db) -> orm::Result<()> {
    let tx = db.begin().await?;
    tag(&tx, "x").await;
    assert!(sql!("rollback").exec(&tx).await.is_err(), "somebody must say so");
    let after = NewTag { name: "y".into() }.insert(&tx).await;
    let end = tx.commit().await;
    // it was refused before it was sent, or everything is over
    match (after, end) {
        (Ok(_), Ok(())) => assert_eq!(names(&db).await?, ["x", "y"]),
        (after, end) => {
            assert!(after.is_err() && end.is_err());
            assert_eq!(names(&db).await?, Vec::<String>::new());
        }
    }
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_write_beside_a_write_transaction_of_the_same_task_waits_for_nobody(db: Db) -> orm::Result<()> {
    let tx = db.begin().await?;
    tag(&tx, "in").await;
    let beside = tokio::time::timeout(
        Duration::from_secs(5),
        NewTag {
            name: "beside".into(),
        }
        .insert(&db),
    )
    .await;
    match beside.expect("an answer at once") {
        Ok(_) => assert!(db.dialect().features().row_locks),
        Err(e) => assert_eq!(e.kind(), ErrorKind::TransactionState),
    }
    tx.commit().await
}

#[orm::test(schema = blog(), requires = |f| f.row_locks)]
async fn a_failure_inside_a_savepoint_is_retried_as_well(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let runs = AtomicU32::new(0);
    db.tx()
        .repeatable_read()
        .retry(3)
        .run(async |tx: &mut Tx| {
            User::query().count(tx).await?;
            if runs.fetch_add(1, Ordering::SeqCst) == 0 {
                User::update_where(|u| u.id.eq(ann.id))
                    .set(|u| u.age.to(10))
                    .exec(&db)
                    .await?;
            }
            tx.savepoint(async |sp| {
                User::update_where(|u| u.id.eq(ann.id))
                    .set(|u| u.age.to(u.age + 1))
                    .exec(sp)
                    .await
            })
            .await
        })
        .await?;
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    assert_eq!(User::query().one(&db).await?.age, 11);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_batch_that_failed_half_way_cannot_be_committed(db: Db) -> orm::Result<()> {
    let bad = || ["a", "b", "c\0"].map(|name| NewTag { name: name.into() });
    let tx = db.begin().await?;
    refused(NewTag::insert_all(&tx, bad()).await);
    // Where it was one statement it undid itself, and there is nothing to refuse.
    let _ = tx.commit().await;
    assert!(names(&db).await?.is_empty());
    let tx = db.begin().await?;
    refused(NewTag::upsert_all(bad(), |t| t.name).exec(&tx).await);
    assert!(tx.commit().await.is_err(), "two of three rows would stay");
    assert!(names(&db).await?.is_empty());
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_stream_in_an_undone_savepoint_makes_room_for_another(db: Db) -> orm::Result<()> {
    // More than are fetched at a time, so that the cursor stays open.
    let rows = (1000..1600).map(|i| NewTag { name: i.to_string() });
    NewTag::exec_all(&db, rows).await?;
    let mut tx = db.begin().await?;
    let mut inner = tx.begin().await?;
    let mut rows = Tag::query().order_by(|t| t.id.asc()).stream(&mut inner);
    assert_eq!(rows.next().await?.map(|t| t.name), Some("1000".into()));
    drop(rows);
    inner.rollback().await?;
    let mut rows = Tag::query().order_by(|t| t.id.desc()).stream(&mut tx);
    assert_eq!(rows.next().await?.map(|t| t.name), Some("1599".into()));
    drop(rows);
    tx.commit().await
}

/// Its column holds more than its field.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Gauge {
    pub id: Id<Gauge>,
    pub level: i8,
}

async fn gauges(db: &Db) -> orm::Result<()> {
    let levels = (0..600).map(|i| NewGauge {
        level: (i % 100) as i8,
    });
    NewGauge::exec_all(db, levels).await.map(drop)
}

#[orm::test(schema = orm::schema![Gauge])]
async fn a_stream_gives_the_rows_before_one_that_cannot_be_read_and_then_ends(db: Db) -> orm::Result<()> {
    gauges(&db).await?;
    sql!("update gauges set level = 300 where id = 400")
        .exec(&db)
        .await?;
    let mut tx = db.begin().await?;
    let mut rows = Gauge::query().order_by(|g| g.id.asc()).stream(&mut tx);
    for n in 1..400 {
        assert_eq!(rows.next().await?.map(|g| g.id.raw()), Some(n));
    }
    let e = refused(rows.next().await);
    assert_eq!((e.kind(), e.field()), (ErrorKind::Decode, Some("level")));
    assert_eq!(rows.next().await?, None, "nothing is skipped without a word");
    drop(rows);
    // reading is all that failed
    assert_eq!(Gauge::query().count(&tx).await?, 600);
    tx.commit().await
}

#[orm::test(schema = orm::schema![Gauge])]
async fn a_stream_that_the_database_refuses_ends(db: Db) -> orm::Result<()> {
    db.drop_all(&orm::schema![Gauge]).await?;
    let mut tx = db.begin().await?;
    let mut rows = Gauge::query().stream(&mut tx);
    assert_eq!(refused(rows.next().await).kind(), ErrorKind::UndefinedObject);
    assert_eq!(rows.next().await?, None);
    drop(rows);
    tx.rollback().await
}

/// The statement took effect before its rows were read; a transaction is how to take it back.
#[orm::test(schema = orm::schema![Gauge])]
async fn a_write_whose_row_cannot_be_read_has_taken_effect_unless_a_transaction_undoes_it(
    db: Db,
) -> orm::Result<()> {
    NewGauge { level: 100 }.insert(&db).await?;
    let more = |by| Gauge::update_where(|g| g.level.gt(0)).set(move |g| g.level.to(g.level + by));
    let level = async || sql!("select level from gauges").fetch_one::<i64, _>(&db).await;
    let e = refused(more(100).returning(&db).await);
    assert_eq!((e.kind(), e.field()), (ErrorKind::Decode, Some("level")));
    assert_eq!(level().await?, 200);
    let undone = db.transaction(async |tx| more(100).returning(tx).await).await;
    assert_eq!(refused(undone).kind(), ErrorKind::Decode);
    assert_eq!(level().await?, 200);
    Ok(())
}

/// A future that is dropped while its statement is under way leaves no doubt about the rest of the transaction.
#[orm::test(schema = blog())]
async fn a_statement_dropped_on_its_way_spoils_its_transaction(db: Db) -> orm::Result<()> {
    let slow = match db.dialect().name() {
        "sqlite" => sql!(
            "with recursive r(i) as (select 1 union all select i + 1 from r where i < 600000) \
             insert into tags (name) select i from r where i % 1000 = 0"
        ),
        _ => sql!("insert into tags (name) select i::text from generate_series(1, 9) i, pg_sleep(0.1)"),
    };
    let tx = db.begin().await?;
    tag(&tx, "before").await;
    let cut = tokio::time::timeout(Duration::from_millis(5), slow.clone().exec(&tx)).await;
    assert!(cut.is_err(), "it was too fast");
    let e = refused(Tag::query().count(&tx).await);
    assert_eq!(e.kind(), ErrorKind::TransactionAborted);
    assert_eq!(refused(tx.commit().await).kind(), ErrorKind::TransactionAborted);
    assert_eq!(Tag::query().count(&db).await?, 0);

    // its savepoint is undone, and the transaction goes on
    let mut tx = db.begin().await?;
    tag(&tx, "before").await;
    let sp = tx.begin().await?;
    let cut = tokio::time::timeout(Duration::from_millis(5), slow.exec(&sp)).await;
    assert!(cut.is_err(), "it was too fast");
    assert_eq!(refused(sp.commit().await).kind(), ErrorKind::TransactionAborted);
    tag(&tx, "after").await;
    tx.commit().await?;
    assert_eq!(names(&db).await?, ["after", "before"]);
    Ok(())
}

/// The rows of a stream are not gathered anywhere.
#[cfg(target_os = "linux")]
#[orm::test(schema = blog())]
async fn a_stream_of_many_rows_needs_little_memory(db: Db) -> orm::Result<()> {
    fn resident() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").expect("this process");
        let line = status
            .lines()
            .find(|l| l.starts_with("VmRSS:"))
            .expect("its size");
        line.split_whitespace()
            .nth(1)
            .and_then(|kb| kb.parse().ok())
            .expect("kilobytes")
    }
    // 120 MB of texts
    let insert = match db.dialect().name() {
        "sqlite" => sql!(
            "with recursive r(i) as (select 1 union all select i + 1 from r where i < 8000) \
             insert into users (email, name, bio, age) select i, i, hex(zeroblob(7500)), 0 from r"
        ),
        _ => sql!(
            "insert into users (email, name, bio, age) select i, i, repeat('0', 15000), 0 from generate_series(1, 8000) i"
        ),
    };
    insert.exec(&db).await?;
    let mut tx = db.tx().read_only().begin().await?;
    let mut rows = User::query().stream(&mut tx);
    let (mut n, mut bytes, before, mut most) = (0, 0, resident(), 0);
    while let Some(user) = rows.next().await? {
        n += 1;
        bytes += user.bio.map_or(0, |bio| bio.len());
        if n % 100 == 0 {
            most = most.max(resident());
        }
    }
    assert_eq!((n, bytes), (8000, 120_000_000));
    assert!(most < before + 48 * 1024, "{before} kB before, {most} kB then");
    Ok(())
}
