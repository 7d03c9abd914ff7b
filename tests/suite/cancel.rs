//! Every await point of every operation: the future is polled at most n times and dropped, for n = 0, 1, 2, … until it
//! completes. After each drop (a) the pool serves as many as before, (b) nothing of ours is left open, (c) the data keep
//! their invariant, (d) the next query gets its own answer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use orm::prelude::*;

use crate::models::*;

/// Polls at most so many times; `None` when that was not enough.
struct PollN<F> {
    inner: Pin<Box<F>>,
    left: usize,
}

impl<F: Future> Future for PollN<F> {
    type Output = Option<F::Output>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        match self.inner.as_mut().poll(cx) {
            Poll::Ready(v) => Poll::Ready(Some(v)),
            Poll::Pending if self.left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(10);

async fn in_time<T>(what: &str, n: usize, work: impl Future<Output = orm::Result<T>>) -> T {
    let done = tokio::time::timeout(PATIENCE, work).await;
    done.unwrap_or_else(|_| panic!("{what} hangs after {n} polls"))
        .unwrap_or_else(|e| panic!("{what} fails after {n} polls: {e:?}"))
}

/// What must hold after a future was dropped.
async fn healthy(db: &Db, n: usize) {
    let mut tags = Vec::new();
    for i in 0..db.status().max.clamp(2, 8) as i64 {
        let tag = n as i64 * 1000 + i;
        tags.push(async move {
            let got: i64 = sql!("select {tag}").fetch_one(db).await?;
            assert_eq!(got, tag, "an answer that belongs to another query");
            Ok::<_, Error>(())
        });
    }
    let all = tags
        .into_iter()
        .map(|t| Box::pin(t) as Pin<Box<dyn Future<Output = orm::Result<()>> + '_>>);
    in_time("the pool", n, join_all(all.collect())).await;
    in_time(
        "a write",
        n,
        User::update_where(|u| u.name.eq("a"))
            .set(|u| u.bio.to("x"))
            .exec(db),
    )
    .await;
    if db.dialect().features().row_locks {
        let open = async {
            loop {
                let open: i64 = sql!(
                    "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() \
                     and state like 'idle in transaction%'"
                )
                .fetch_one(db)
                .await?;
                if open == 0 {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        in_time("a transaction left open", n, open).await;
    }
    let sum: Option<i64> = in_time("a read", n, User::query().aggregate(|u| u.age.sum()).one(db)).await;
    assert_eq!(sum, Some(100), "half a transfer after {n} polls");
}

async fn join_all(mut futures: Vec<Pin<Box<dyn Future<Output = orm::Result<()>> + '_>>>) -> orm::Result<()> {
    let mut done = vec![false; futures.len()];
    std::future::poll_fn(move |cx| {
        for (f, done) in futures.iter_mut().zip(&mut done) {
            if !*done && let Poll::Ready(r) = f.as_mut().poll(cx) {
                r?;
                *done = true;
            }
        }
        if done.iter().all(|d| *d) {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    })
    .await
}

type Work = Pin<Box<dyn Future<Output = orm::Result<()>> + Send>>;

async fn enumerate(db: Db, op: impl Fn(Db, usize) -> Work) {
    user(&db, "a").await;
    user(&db, "b").await;
    User::update_where(|u| u.age.eq(0))
        .set(|u| u.age.to(50))
        .exec(&db)
        .await
        .expect("balances");
    for n in 0..500 {
        let work = PollN {
            inner: Box::pin(op(db.clone(), n)),
            left: n,
        };
        let outcome = tokio::time::timeout(PATIENCE, work)
            .await
            .expect("the operation hangs");
        healthy(&db, n).await;
        if let Some(outcome) = outcome {
            outcome.expect("the operation itself");
            return;
        }
    }
    panic!("still not done after 500 polls");
}

macro_rules! cancelled {
    ($($name:ident: |$db:ident, $n:ident| $body:expr;)*) => {$(
        #[orm::test(schema = blog())]
        async fn $name(db: Db) {
            enumerate(db, |$db, $n| Box::pin(async move {
                let _ = $n;
                $body
            })).await
        }
    )*};
}

fn name(n: usize, i: usize) -> String {
    format!("{n}-{i}")
}

async fn transfer(tx: &impl Writes<User>, from: &str, to: &str) -> orm::Result<()> {
    User::update_where(|u| u.name.eq(from))
        .set(|u| u.age.to(u.age - 1))
        .exec(tx)
        .await?;
    User::update_where(|u| u.name.eq(to))
        .set(|u| u.age.to(u.age + 1))
        .exec(tx)
        .await
        .map(drop)
}

cancelled! {
    a_read: |db, n| User::query().all(&db).await.map(drop);
    a_count: |db, n| User::query().count(&db).await.map(drop);
    an_existence: |db, n| User::query().exists(&db).await.map(drop);
    a_ping: |db, n| db.ping().await;
    a_long_read: |db, n| {
        let rows: Vec<i64> = sql!(
            "with recursive c(i) as (select 1 union all select i + 1 from c where i < 30000) select i from c"
        ).fetch(&db).await?;
        assert_eq!(rows.len(), 30_000);
        Ok(())
    };
    an_insert: |db, n| NewTag { name: name(n, 0) }.insert(&db).await.map(drop);
    an_insert_with_a_key: |db, n| {
        NewTag { name: name(n, 0) }.with_id(Id::new(1000 + n as i64)).insert(&db).await.map(drop)
    };
    a_bulk_insert: |db, n| NewTag::insert_all(&db, (0..3000).map(|i| NewTag { name: name(n, i) })).await.map(drop);
    an_update: |db, n| {
        let a = User::query().filter(|u| u.name.eq("a")).one(&db).await?;
        a.update().set(|u| u.bio.to(name(n, 0))).save(&db).await.map(drop)
    };
    a_delete: |db, n| {
        let t = NewTag { name: name(n, 0) }.insert(&db).await?;
        t.delete(&db).await.map(drop)
    };
    an_upsert: |db, n| {
        NewTag { name: "same".into() }.upsert(|t| t.name).update(|t, new| t.name.to(new.name)).exec(&db).await.map(drop)
    };
    many_upserts: |db, n| {
        let rows = (0..20).map(|i| NewTag { name: name(0, i) });
        NewTag::upsert_all(rows, |t| t.name).update(|t, new| t.name.to(new.name)).exec(&db).await.map(drop)
    };
    a_begin: |db, n| db.begin().await.map(drop);
    a_begin_and_a_rollback: |db, n| {
        let tx = db.begin().await?;
        User::update_where(|u| u.name.eq("a")).set(|u| u.age.to(u.age + 7)).exec(&tx).await?;
        tx.rollback().await
    };
    a_transfer_in_a_guard: |db, n| {
        let tx = db.begin().await?;
        transfer(&tx, "a", "b").await?;
        tx.commit().await
    };
    a_transfer_in_a_closure: |db, n| db.transaction(async |tx| transfer(tx, "b", "a").await).await;
    a_transfer_with_retry: |db, n| {
        db.tx().serializable().retry(2).run(async |tx| transfer(tx, "b", "a").await).await
    };
    a_read_only_transaction: |db, n| {
        db.tx().read_only().run(async |tx| User::query().all(tx).await.map(drop)).await
    };
    a_transfer_over_savepoints: |db, n| {
        let mut tx = db.begin().await?;
        User::update_where(|u| u.name.eq("a")).set(|u| u.age.to(u.age - 1)).exec(&tx).await?;
        let mut sp = tx.begin().await?;
        User::update_where(|u| u.name.eq("b")).set(|u| u.age.to(u.age + 5)).exec(&sp).await?;
        let inner = sp.begin().await?;
        User::update_where(|u| u.name.eq("b")).set(|u| u.age.to(u.age + 9)).exec(&inner).await?;
        inner.commit().await?;
        sp.rollback().await?;
        tx.savepoint(async |sp| {
            User::update_where(|u| u.name.eq("b")).set(|u| u.age.to(u.age + 1)).exec(sp).await
        }).await?;
        tx.commit().await
    };
    a_stream: |db, n| {
        let mut tx = db.begin().await?;
        let mut rows = User::query().stream(&mut tx);
        while rows.next().await?.is_some() {}
        drop(rows);
        tx.commit().await
    };
}

#[orm::test(schema = blog())]
async fn a_statement_cancelled_inside_a_transaction_does_not_split_it(db: Db) -> orm::Result<()> {
    enumerate(db.clone(), |db, n| {
        Box::pin(async move {
            let mut tx = db.begin().await?;
            // a savepoint whose work is cut short, and an outer transaction that goes on
            let sp = tx.begin().await?;
            let cut = PollN {
                inner: Box::pin(transfer(&sp, "a", "b")),
                left: n % 4,
            };
            let whole = matches!(cut.await, Some(Ok(())));
            if whole {
                sp.commit().await?;
            } else {
                drop(sp);
            }
            NewTag { name: name(n, 1) }.insert(&tx).await?;
            tx.commit().await
        })
    })
    .await;
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_thousand_timeouts_leak_nothing(db: Db) -> orm::Result<()> {
    user(&db, "a").await;
    user(&db, "b").await;
    User::update_where(|u| u.age.eq(0))
        .set(|u| u.age.to(50))
        .exec(&db)
        .await?;
    for i in 0..1000u64 {
        let work = db.transaction(async |tx| transfer(tx, "a", "b").await);
        let _ = tokio::time::timeout(Duration::from_micros(i % 50 * 40), work).await;
    }
    healthy(&db, 0).await;
    let status = db.status();
    assert!(status.open <= status.max && status.waiting == 0);
    Ok(())
}
