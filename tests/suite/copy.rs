//! Rows in bulk: the same call on every backend, the same rows, the same errors.

use std::future::Future;
use std::task::Poll;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use orm::ErrorKind;
use orm::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use crate::models::*;

#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
pub enum Mood {
    #[orm(rename = "so \"so\", \\ it's")]
    Odd,
    Happy,
}

/// A column of every kind.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(timestamps, table = "every \"kind\", of; column")]
pub struct Every {
    pub id: Id<Every>,
    #[orm(column = "text\t\"of\" a\nline")]
    pub text: String,
    pub maybe: Option<String>,
    pub small: i16,
    pub middle: i32,
    pub large: i64,
    pub flag: bool,
    pub single: f32,
    pub double: f64,
    pub bytes: Vec<u8>,
    pub uid: Uuid,
    pub at: DateTime<Utc>,
    pub day: NaiveDate,
    #[orm(decimal(12, 3))]
    pub price: Decimal,
    pub any: Option<Decimal>,
    pub data: serde_json::Value,
    pub mood: Mood,
    #[orm(default = 7)]
    pub seven: i32,
    #[orm(version)]
    pub version: i64,
}

/// What has broken loaders of text before.
const HOSTILE: [&str; 16] = [
    "",
    "\\N",
    "\\.",
    "\\",
    "\\\\N",
    "\t",
    "\n",
    "\r\n",
    "a\tb\\\tc\nd",
    "NULL",
    "'); drop table users; --",
    "\u{8}\u{b}\u{c}\u{1b}\u{7f}",
    "{\"a\", NULL}",
    "ẞ \u{1F600} \u{FEFF}\u{202E}",
    "$1 ?1 {0} %s",
    " \u{85}\u{2028} ",
];

fn every(n: usize) -> orm::query::Insert<Every> {
    let text = HOSTILE[n % HOSTILE.len()];
    let maybe = (!n.is_multiple_of(3)).then(|| text.repeat(2));
    let any = n.is_multiple_of(2).then(|| Decimal::new(-(n as i64), 5));
    let new = NewEvery {
        text: text.into(),
        small: [i16::MIN, 0, i16::MAX][n % 3],
        middle: [i32::MIN, 0, i32::MAX][n % 3],
        large: [i64::MIN, 0, i64::MAX][n % 3],
        flag: n % 2 == 1,
        single: [f32::MIN_POSITIVE, -1.1, f32::MAX][n % 3],
        double: [5e-324, 0.1, -1.7e308][n % 3],
        bytes: vec![0, b'\\', b'x', b'\n', 255, n as u8],
        uid: Uuid::from_u128(n as u128 * 0x1_0000_0001_0000_0001),
        at: DateTime::from_timestamp_micros([-1, 0, 253_402_300_799_999_999][n % 3]).expect("a time"),
        day: NaiveDate::from_ymd_opt([1, 1970, 9999][n % 3], 12, 31).expect("a day"),
        price: Decimal::new([-999_999_999_999, 0, 1][n % 3], 3),
        data: json!({ "text": text, "n": [n, null] }),
        mood: if n.is_multiple_of(2) {
            Mood::Odd
        } else {
            Mood::Happy
        },
    };
    new.set(|e| (e.maybe.to(maybe), e.any.to(any)))
}

#[orm::test(schema = orm::schema![Every])]
async fn copied_rows_are_the_inserted_ones(db: Db) -> orm::Result<()> {
    let inserted = NewEvery::insert_all(&db, (0..48).map(every)).await?;
    Every::delete_where(|e| e.large.ge(i64::MIN)).exec(&db).await?;
    assert_eq!(NewEvery::copy_all(&db, (0..48).map(every)).await?, 48);
    let copied = Every::query().order_by(|e| e.id.asc()).all(&db).await?;
    assert_eq!(copied.len(), 48);
    for (a, b) in inserted.iter().zip(&copied) {
        assert_eq!(
            &Every {
                id: a.id,
                ..b.clone()
            },
            a
        );
        assert!(b.id > inserted[47].id);
    }
    // shadow columns: one time for all of them
    let times = Every::query()
        .select(|e| e.created_at)
        .distinct()
        .all(&db)
        .await?;
    assert_eq!(times.len(), 1);
    assert_eq!(
        Every::query()
            .filter(|e| e.updated_at.eq(e.created_at))
            .count(&db)
            .await?,
        48
    );
    assert!(copied.iter().all(|e| e.seven == 7 && e.version == 1));
    Ok(())
}

#[orm::test(schema = blog())]
async fn chunks_groups_and_given_keys_are_one_unit(db: Db) -> orm::Result<()> {
    // more than a chunk, columns that differ from row to row, keys that are given
    let users = |n: i64| {
        let new = NewUser {
            email: format!("{n}@x.io"),
            name: format!("user {n}"),
        };
        match n % 3 {
            0 => new.with_id(Id::new(n + 1000)),
            1 => new.set(|u| u.bio.to("hi")),
            _ => new.set(|u| (u.age.to(n as i32), u.bio.to(None))),
        }
    };
    let rows = (0..9000).filter(|n| n % 3 == 0).chain(0..1);
    assert_eq!(NewUser::copy_all(&db, rows.take(3000).map(users)).await?, 3000);
    assert_eq!(
        NewUser::copy_all(&db, (0..3000).filter(|n| n % 3 > 0).map(users)).await?,
        2000
    );
    assert_eq!(User::query().count(&db).await?, 5000);
    assert_eq!(User::query().filter(|u| u.bio.eq("hi")).count(&db).await?, 1000);
    assert_eq!(User::get(&db, Id::new(9_997)).await?.name, "user 8997");
    let next = user(&db, "next").await;
    assert!(
        next.id > Id::new(9_997),
        "generated keys go on after the given ones"
    );
    assert_eq!(NewUser::copy_all(&db, Vec::<NewUser>::new()).await?, 0);
    // inside a transaction that is undone
    let tx = db.begin().await?;
    let more = (20_000..20_010).map(|n| NewUser {
        email: format!("{n}"),
        name: String::new(),
    });
    assert_eq!(NewUser::copy_all(&tx, more).await?, 10);
    assert_eq!(User::query().count(&tx).await?, 5011);
    tx.rollback().await?;
    assert_eq!(User::query().count(&db).await?, 5001);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_refused_row_is_named_and_nothing_stays(db: Db) -> orm::Result<()> {
    let users = |bad: i64, email: &'static str| {
        (0..5000_i64).map(move |n| {
            let email = if n == bad {
                email.to_owned()
            } else {
                format!("{n}@x.io")
            };
            NewUser {
                email,
                name: "x".into(),
            }
        })
    };
    for (bad, email, kind) in [
        (4500, "17@x.io", ErrorKind::UniqueViolation),
        (3, "2@x.io", ErrorKind::UniqueViolation),
    ] {
        let e = refused(NewUser::copy_all(&db, users(bad, email)).await);
        assert_eq!(
            (e.kind(), e.model(), e.row()),
            (kind, Some("User"), Some(bad as u64 + 1))
        );
        assert!(e.to_string().contains(&format!("row {}", bad + 1)), "{e}");
        assert!(!format!("{e:?}").contains("x.io"), "{e:?}");
        assert_eq!(e.columns(), ["email"]);
    }
    // rows of other columns in between do not shift the number
    NewUser {
        email: "taken".into(),
        name: "x".into(),
    }
    .insert(&db)
    .await?;
    let mixed = (0..10_i64).map(|n| {
        let new = NewUser {
            email: if n == 8 {
                "taken".into()
            } else {
                format!("{n}@x.io")
            },
            name: "x".into(),
        };
        if n % 2 == 0 {
            new.set(|u| u.age.to(3))
        } else {
            new.set(|u| u.bio.to("b"))
        }
    });
    assert_eq!(refused(NewUser::copy_all(&db, mixed).await).row(), Some(9));
    assert_eq!(User::query().count(&db).await?, 1);
    // the connection goes on
    assert_eq!(NewUser::copy_all(&db, users(-1, "")).await?, 5000);
    let nul = (0..3).map(|n| NewUser {
        email: format!("nul {n}"),
        name: if n == 1 { "a\0b".into() } else { String::new() },
    });
    match NewUser::copy_all(&db, nul).await {
        Err(e) => assert_eq!((e.kind(), e.row()), (ErrorKind::Encode, Some(2))),
        // a database that stores it
        Ok(n) => assert_eq!(n, 3),
    }
    Ok(())
}

#[orm::test(schema = books())]
async fn tenants_and_actors_are_filled_in(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    let handle = db.tenant(7_i64);
    let handle = handle.acting_as(ann.id);
    let rows = (0..5).map(|n| NewAccount {
        number: format!("a{n}"),
    });
    assert_eq!(NewAccount::copy_all(&handle, rows).await?, 5);
    let accounts = Account::query().all(&handle).await?;
    assert!(accounts.iter().all(|a| a.org == 7 && a.version == 1));
    assert_eq!(
        Account::query()
            .filter(|a| a.created_by.eq(ann.id))
            .count(&handle)
            .await?,
        5
    );
    assert_eq!(Account::query().count(&db.tenant(8_i64)).await?, 0);
    Ok(())
}

fn short(name: &str) -> std::result::Result<(), &'static str> {
    if name.len() < 5 {
        Ok(())
    } else {
        Err("is too long")
    }
}

#[derive(Model, Clone, Debug)]
pub struct Badge {
    pub id: Id<Badge>,
    #[orm(validate = short)]
    pub name: String,
}

#[orm::test(schema = orm::schema![Badge])]
async fn validators_see_every_row(db: Db) -> orm::Result<()> {
    let badges = |bad: usize| {
        (0..20).map(move |n| NewBadge {
            name: if n == bad {
                "far too long".into()
            } else {
                format!("b{n}")
            },
        })
    };
    let e = refused(NewBadge::copy_all(&db, badges(12)).await);
    assert_eq!((e.kind(), e.row()), (ErrorKind::Validation, Some(13)));
    assert_eq!(Badge::query().count(&db).await?, 0);
    assert_eq!(NewBadge::copy_all(&db, badges(99)).await?, 20);
    Ok(())
}

fn crowd(prefix: String) -> impl Iterator<Item = NewUser> + Send {
    (0..9000).map(move |n| NewUser {
        email: format!("{prefix} {n}"),
        name: prefix.clone(),
    })
}

/// Polls a future so many times, a little apart, and drops it.
async fn dropped_after<T>(polls: u64, future: impl Future<Output = T>) {
    let mut future = Box::pin(future);
    for _ in 0..polls {
        let done = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
        if done {
            return;
        }
        tokio::time::sleep(Duration::from_micros(polls * 150)).await;
    }
}

#[orm::test(schema = blog())]
async fn a_copy_that_is_dropped_leaves_nothing_behind(db: Db) -> orm::Result<()> {
    for polls in 0..14 {
        let alone = format!("alone {polls}");
        dropped_after(polls, NewUser::copy_all(&db, crowd(alone.clone()))).await;
        // whoever gets the connection next finds it as it should be
        let tx = db.begin().await?;
        let found = User::query().filter(|u| u.name.eq(&alone)).count(&tx).await?;
        assert!(found == 0 || found == 9000, "{found}");
        dropped_after(polls, NewUser::copy_all(&tx, crowd(format!("within {polls}")))).await;
        // what is left of it is undone, or the connection is gone and the server undoes it
        let _ = tx.rollback().await;
        assert_eq!(
            User::query()
                .filter(|u| u.name.starts_with("within"))
                .count(&db)
                .await?,
            0
        );
        assert_eq!(
            User::query().filter(|u| u.name.eq(&alone)).count(&db).await?,
            found
        );
    }
    Ok(())
}
