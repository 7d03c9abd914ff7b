//! The same read from one place, again and again: found, and nothing else is.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use orm::prelude::*;
use orm::testing::Plan;
use orm::{Repeat, watch_repeats};
use tracing::Level;

use crate::models::*;
use crate::observe::Log;

/// Users with a post each.
async fn users(db: &Db, n: usize) -> Vec<User> {
    let mut users = Vec::new();
    for i in 0..n {
        let one = user(db, &format!("u{i}")).await;
        post(db, &one, "p").await;
        users.push(one);
    }
    users
}

/// The model and the name of each relation that is proposed.
fn proposed(repeat: &Repeat) -> Vec<(&str, &str)> {
    repeat.relations.iter().map(|r| (r.model, r.name)).collect()
}

async fn watched(work: impl Future<Output = orm::Result<()>>) -> orm::Result<Vec<Repeat>> {
    let (done, repeats) = watch_repeats(5, work).await;
    done.map(|()| repeats)
}

#[orm::test(schema = blog())]
async fn a_relation_that_is_followed_in_a_loop_is_named(db: Db) -> orm::Result<()> {
    let users = users(&db, 6).await;
    let line = line!() + 3;
    let repeats = watched(async {
        for u in &users {
            assert_eq!(u.posts().all(&db).await?.len(), 1);
        }
        Ok(())
    });
    let repeats = repeats.await?;
    assert_eq!(repeats.len(), 1);
    let found = &repeats[0];
    assert_eq!(
        (found.site.line(), found.times, found.table),
        (line, 6, Some("posts"))
    );
    assert!(found.text.contains("author_id") && found.text.starts_with("SELECT"));
    assert_eq!(proposed(found), [("User", "posts")]);
    let file = file!();
    assert_eq!(
        found.to_string(),
        format!(
            "{file}:{line}: `posts` is read 6 times from here, load it with the rows above: \
             `User::query().with(|u| u.posts)`"
        )
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn every_way_to_read_is_counted(db: Db) -> orm::Result<()> {
    let users = users(&db, 5).await;
    let mut tx = db.begin().await?;
    let repeats = watched(async {
        for u in &users {
            u.posts().filter(|p| p.views.eq(0)).all(&tx).await?;
            u.posts().order_by(|p| p.id.asc()).first(&db).await?;
            u.posts().count(&db).await?;
            u.posts().exists(&db).await?;
            u.posts().select(|p| p.title).all(&db).await?;
            u.posts().with(|p| p.comments).all(&db).await?;
            u.clone().load(&db, |u| u.posts).await?;
            u.posts().stream(&mut tx).next().await?;
            Post::query().filter(|p| p.author_id.eq(u.id)).all(&db).await?;
            User::get(&db, u.id).await?;
            Tag::query().all(&db).await?;
            sql!("select id from posts where author_id = {u.id}")
                .fetch::<i64, _>(&db)
                .await?;
        }
        Ok(())
    });
    let repeats = repeats.await?;
    assert_eq!(repeats.len(), 12, "in the order of their places");
    assert!(repeats.iter().all(|r| r.times == 5));
    for followed in &repeats[..9] {
        assert_eq!(proposed(followed), [("User", "posts")], "{followed}");
    }
    let by_key = [("Profile", "user"), ("Post", "author"), ("Comment", "author")];
    assert_eq!(proposed(&repeats[9]), by_key);
    for unrelated in &repeats[10..] {
        assert_eq!(proposed(unrelated), []);
        assert!(unrelated.to_string().contains(".in_("), "{unrelated}");
    }
    assert_eq!((repeats[10].table, repeats[11].table), (Some("tags"), None));
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_few_reads_and_reads_of_several_places_are_not_found(db: Db) -> orm::Result<()> {
    let users = users(&db, 4).await;
    let repeats = watched(async {
        for page in 0..4 {
            Post::query()
                .order_by(|p| p.id.asc())
                .limit(1)
                .offset(page)
                .all(&db)
                .await?;
        }
        for u in &users {
            u.posts().all(&db).await?;
        }
        for u in &users {
            u.posts().all(&db).await?;
        }
        Ok(())
    });
    assert!(repeats.await?.is_empty());
    Ok(())
}

#[orm::test(schema = blog())]
async fn what_one_call_loads_and_what_is_written_are_not_counted(db: Db) -> orm::Result<()> {
    let users = users(&db, 6).await;
    let mut above = None;
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        let new = NewCategory { name: name.into() };
        above = Some(new.set(|c| c.parent_id.to(above)).insert(&db).await?.id);
    }
    let repeats = watched(async {
        // one text for every level
        let tree = Category::query()
            .filter(|c| c.parent_id.is_null())
            .with(|c| {
                c.children.with(|c| {
                    c.children.with(|c| {
                        c.children
                            .with(|c| c.children.with(|c| c.children.with(|c| c.children)))
                    })
                })
            })
            .one(&db)
            .await?;
        assert_eq!(tree.children[0].children[0].children[0].children[0].name, "e");
        users.clone().load(&db, |u| u.posts.with(|p| p.comments)).await?;
        for u in users {
            let tag = tag(&db, &u.name).await;
            tag.update()
                .set(|t| t.name.to(format!("{}!", u.name)))
                .save(&db)
                .await?;
            let mut u = u.edit();
            u.age += 1;
            u.save(&db).await?.update().save(&db).await?;
        }
        Ok(())
    });
    let repeats = repeats.await?;
    // the last statement of the loop reads: an update of nothing
    assert_eq!(
        repeats.iter().map(|r| r.table).collect::<Vec<_>>(),
        [Some("users")]
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_query_with_loads_in_a_loop_is_counted_once_for_each_turn(db: Db) -> orm::Result<()> {
    let users = users(&db, 5).await;
    let repeats = watched(async {
        for u in &users {
            u.posts().with(|p| p.comments).with(|p| p.tags).all(&db).await?;
        }
        Ok(())
    });
    let repeats = repeats.await?;
    assert_eq!(repeats.len(), 1);
    assert_eq!((repeats[0].times, repeats[0].table), (5, Some("posts")));
    Ok(())
}

async fn read(db: &Db, times: usize) -> orm::Result<()> {
    for _ in 0..times {
        Tag::query().all(db).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_future_counts_its_own_reads_only(db: Db) -> orm::Result<()> {
    let (one, two) = tokio::join!(watched(read(&db, 4)), watched(read(&db, 6)));
    assert!(one?.is_empty());
    assert_eq!(two?[0].times, 6);
    let inner = watched(async {
        read(&db, 3).await?;
        assert_eq!(watched(read(&db, 5)).await?.len(), 1);
        read(&db, 1).await
    });
    assert!(inner.await?.is_empty(), "the inner future counted");
    let mut panics = Box::pin(watched(async { panic!("on purpose") }));
    let after = watched(async {
        read(&db, 4).await?;
        let caught = poll_fn(|cx| {
            let polled = catch_unwind(AssertUnwindSafe(|| panics.as_mut().poll(cx).is_ready()));
            Poll::Ready(polled.is_err())
        });
        assert!(caught.await);
        read(&db, 1).await
    });
    assert_eq!(after.await?[0].times, 5, "a panic leaves the right one in place");
    Ok(())
}

#[orm::test(schema = blog())]
async fn reads_of_a_future_in_disguise_are_counted(db: Db) -> orm::Result<()> {
    let disguised = watched(async {
        for _ in 0..5 {
            orm::Pending::new(async { Tag::query().all(&db).await }).await?;
        }
        Ok(())
    });
    assert_eq!(disguised.await?[0].times, 5);
    Ok(())
}

#[orm::test(schema = blog())]
async fn the_limit_is_one_warning(db: Db) -> orm::Result<()> {
    let log = Log::default();
    let _on = tracing::subscriber::set_default(log.clone());
    let (done, _) = watch_repeats(3, read(&db, 7)).await;
    done?;
    let seen = log.taken();
    let warnings: Vec<_> = seen.iter().filter(|s| s.level == Level::WARN).collect();
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0]
            .get("message")
            .unwrap()
            .contains("`tags` is read 3 times")
    );
    assert!(warnings[0].get("db.query.text").unwrap().contains("tags"));
    assert!(warnings[0].get("code.line.number").is_some());
    read(&db, 7).await?;
    assert!(
        log.taken().iter().all(|s| s.level == Level::DEBUG),
        "nobody watches"
    );
    Ok(())
}

#[orm::test(schema = blog(), n_plus_one = 3)]
async fn a_test_may_read_less_often_than_its_limit(db: Db) -> orm::Result<()> {
    users(&db, 4).await;
    read(&db, 2).await
}

async fn loops(db: Db) -> orm::Result<()> {
    for u in users(&db, 3).await {
        u.posts().all(&db).await?;
    }
    Ok(())
}

async fn fails(db: Db) -> orm::Result<()> {
    read(&db, 3).await?;
    Err(Error::new(ErrorKind::Config, "its own"))
}

fn outcome<F: Future<Output = orm::Result<()>>>(postgres: bool, test: fn(Db) -> F) -> Result<String, String> {
    let plan = Plan::new(false).schema(blog()).n_plus_one(3);
    let run = || match postgres {
        false => orm::testing::run(orm::testing::fresh_sqlite(), plan, test),
        true => orm::testing::run(orm::testing::fresh_postgres(), plan, test),
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(verdict) => Ok(format!("{verdict:?}")),
        Err(panic) => Err(panic.downcast_ref::<String>().cloned().unwrap_or_default()),
    }
}

#[test]
fn a_test_with_a_loop_of_reads_fails() {
    for postgres in [false, true] {
        let message = outcome(postgres, loops).expect_err("a loop of reads");
        let proposal = "`posts` is read 3 times from here, load it with the rows above: \
                        `User::query().with(|u| u.posts)`";
        assert!(
            message.contains(file!()) && message.contains(proposal),
            "{message}"
        );
        let own = outcome(postgres, fails).expect("the error of the test itself goes first");
        assert!(own.contains("its own"), "{own}");
    }
}
