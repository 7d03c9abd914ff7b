//! What `#[orm::test]` calls.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use orm_core::error::Result;
use orm_core::exec::{Db, Repeat, watch_repeats};
use orm_core::schema::Schema;
use orm_core::sql::Features;

use crate::testing::TestDb;

/// A test that takes longer hangs.
fn patience() -> Duration {
    let seconds = std::env::var("ORM_TEST_TIMEOUT")
        .ok()
        .and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(120))
}

/// How a test is to be run. Made by `#[orm::test]`.
#[doc(hidden)]
pub struct Plan {
    schema: Option<Schema>,
    requires: Option<fn(&Features) -> bool>,
    n_plus_one: Option<u32>,
    threads: bool,
}

impl Plan {
    pub fn new(threads: bool) -> Self {
        Plan {
            schema: None,
            requires: None,
            n_plus_one: None,
            threads,
        }
    }
    pub fn schema(mut self, schema: Schema) -> Self {
        self.schema = Some(schema);
        self
    }
    pub fn requires(mut self, requires: fn(&Features) -> bool) -> Self {
        self.requires = Some(requires);
        self
    }
    pub fn n_plus_one(mut self, limit: u32) -> Self {
        self.n_plus_one = Some(limit);
        self
    }
}

/// What a test takes: `Db` or `TestDb`.
#[doc(hidden)]
pub trait Given: Sized {
    fn give(db: TestDb) -> (Self, Option<TestDb>);
}
impl Given for Db {
    fn give(db: TestDb) -> (Db, Option<TestDb>) {
        (Db::clone(&db), Some(db))
    }
}
impl Given for TestDb {
    fn give(db: TestDb) -> (TestDb, Option<TestDb>) {
        (db, None)
    }
}

/// What a test returns: nothing, or a `Result`.
#[doc(hidden)]
pub trait Verdict {
    fn skipped() -> Self;
    fn passed(&self) -> bool;
}
impl Verdict for () {
    fn skipped() -> Self {}
    fn passed(&self) -> bool {
        true
    }
}
impl<E: fmt::Debug> Verdict for Result<(), E> {
    fn skipped() -> Self {
        Ok(())
    }
    fn passed(&self) -> bool {
        self.is_ok()
    }
}

/// Runs a test in a fresh database.
#[doc(hidden)]
pub fn run<G: Given, V: Verdict, F: Future<Output = V>>(
    fresh: impl Future<Output = Result<TestDb>>,
    plan: Plan,
    test: fn(G) -> F,
) -> V {
    let mut builder = if plan.threads {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    let runtime = builder.worker_threads(4).enable_all().build();
    let runtime = runtime.unwrap_or_else(|e| panic!("no runtime for the test: {e}"));
    runtime.block_on(async {
        let db = fresh
            .await
            .unwrap_or_else(|e| panic!("no database for the test: {e}"));
        if plan
            .requires
            .is_some_and(|requires| !requires(db.dialect().features()))
        {
            println!("skipped: {} cannot do this", db.dialect().name());
            return V::skipped();
        }
        if let Some(schema) = &plan.schema {
            db.create_all(schema)
                .await
                .unwrap_or_else(|e| panic!("the schema was refused: {e}"));
        }
        let (given, _guard) = G::give(db);
        let test = tokio::time::timeout(patience(), test(given));
        let (verdict, repeats) = match plan.n_plus_one {
            Some(limit) => watch_repeats(limit, test).await,
            None => (test.await, Vec::new()),
        };
        let Ok(verdict) = verdict else {
            panic!("the test took longer than {} s", patience().as_secs());
        };
        if verdict.passed() && !repeats.is_empty() {
            let repeats: Vec<String> = repeats.iter().map(Repeat::to_string).collect();
            panic!("statements in a loop:\n{}", repeats.join("\n"));
        }
        verdict
    })
}

#[cfg(feature = "sqlite")]
#[doc(hidden)]
#[macro_export]
macro_rules! __test_sqlite {
    ($test:path, $plan:expr, $out:ty) => {
        #[test]
        fn sqlite() -> $out {
            $crate::testing::run($crate::testing::fresh_sqlite(), $plan, $test)
        }
    };
}
#[cfg(not(feature = "sqlite"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __test_sqlite {
    ($($t:tt)*) => {};
}
#[cfg(feature = "postgres")]
#[doc(hidden)]
#[macro_export]
macro_rules! __test_postgres {
    ($test:path, $plan:expr, $out:ty) => {
        #[test]
        fn postgres() -> $out {
            $crate::testing::run($crate::testing::fresh_postgres(), $plan, $test)
        }
    };
}
#[cfg(not(feature = "postgres"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __test_postgres {
    ($($t:tt)*) => {};
}

/// Fails unless the block sends exactly so many statements; yields the block's value.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use orm::prelude::*;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let db = orm::testing::fresh_sqlite().await?;
/// let one: Vec<i64> = orm::assert_statements!(db, 1, { sql!("select 1").fetch(&*db).await? });
/// assert_eq!(one, [1]);
/// # Ok::<(), orm::Error>(()) }).unwrap();
/// # }
/// ```
#[macro_export]
macro_rules! assert_statements {
    ($db:expr, $expected:expr, $block:block) => {{
        let before = $db.statements_sent();
        let value = $block;
        let sent = $db.statements_sent() - before;
        assert_eq!(sent, $expected, "statements sent (left) and expected (right)");
        value
    }};
}
