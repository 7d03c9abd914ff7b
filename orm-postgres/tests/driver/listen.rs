//! Messages between sessions.

use std::time::Duration;

use orm::postgres::notify;
use orm::testing::Cluster;
use orm_core::error::ErrorKind;
use orm_core::exec::Db;
use orm_postgres::{Listener, Notice, PostgresOptions};

use crate::support::options;

fn shared() -> PostgresOptions {
    options("listen", 3)
}

async fn payload(listener: &mut Listener) -> String {
    match soon(listener).await {
        Notice::Message(m) => m.payload,
        Notice::Gap => "a gap".to_owned(),
    }
}

async fn soon(listener: &mut Listener) -> Notice {
    let next = tokio::time::timeout(Duration::from_secs(10), listener.next());
    next.await.expect("something is heard").unwrap()
}

#[tokio::test]
async fn messages_come_in_order_and_when_they_are_committed() {
    let driver = shared().connect().await.unwrap();
    let db = Db::new(driver.clone());
    let mut heard = driver.listen(["it's \"odd\"", "other"]).await.unwrap();
    let tx = db.begin().await.unwrap();
    notify(&tx, "it's \"odd\"", "held back").await.unwrap();
    notify(&db, "elsewhere", "to nobody").await.unwrap();
    notify(&db, "other", "").await.unwrap();
    let Notice::Message(first) = soon(&mut heard).await else {
        panic!("a gap");
    };
    assert_eq!((first.channel.as_str(), first.payload.as_str()), ("other", ""));
    assert!(first.process > 0);
    // given up while it waits, nothing is lost
    let waits = tokio::time::timeout(Duration::from_millis(50), heard.next()).await;
    assert!(waits.is_err());
    tx.commit().await.unwrap();
    assert_eq!(payload(&mut heard).await, "held back");
    let tx = db.begin().await.unwrap();
    notify(&tx, "other", "undone").await.unwrap();
    tx.rollback().await.unwrap();
    for n in 0..100 {
        notify(&db, "other", &n.to_string()).await.unwrap();
    }
    for n in 0..100 {
        assert_eq!(payload(&mut heard).await, n.to_string());
    }
    let longest = "ä".repeat(3999) + "x";
    notify(&db, "other", &longest).await.unwrap();
    assert_eq!(payload(&mut heard).await, longest);
}

#[tokio::test]
async fn what_the_server_would_cut_off_is_refused() {
    let driver = shared().connect().await.unwrap();
    let db = Db::new(driver.clone());
    let long = "x".repeat(8000);
    for (channel, payload) in [("", ""), (&long[..64], ""), ("a\0", ""), ("a", long.as_str())] {
        let sent = db.statements_sent();
        let refused = notify(&db, channel, payload).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidQuery, "{refused}");
        assert_eq!(db.statements_sent(), sent);
    }
    assert_eq!(
        driver.listen([""]).await.err().unwrap().kind(),
        ErrorKind::InvalidQuery
    );
    let pooled = shared().pooler(true).connect().await.unwrap();
    assert_eq!(
        pooled.listen(["a"]).await.err().unwrap().kind(),
        ErrorKind::Unsupported
    );
}

#[tokio::test]
async fn a_lost_connection_is_a_gap() {
    let cluster = Cluster::start().unwrap();
    let options = PostgresOptions::from_url(&cluster.tcp_url("postgres")).unwrap();
    let driver = options.connect().await.unwrap();
    let db = Db::new(driver.clone());
    let mut heard = driver.listen(["a", "b"]).await.unwrap();
    notify(&db, "a", "before").await.unwrap();
    assert_eq!(payload(&mut heard).await, "before");
    cluster.restart().unwrap();
    assert_eq!(soon(&mut heard).await, Notice::Gap);
    // both channels are listened on again before the gap is told
    notify(&db, "b", "after").await.ok();
    notify(&db, "b", "after").await.unwrap();
    assert_eq!(payload(&mut heard).await, "after");
    cluster.stop_immediate().unwrap();
    assert_eq!(heard.next().await.unwrap_err().kind(), ErrorKind::Connect);
    cluster.restart().unwrap();
    assert_eq!(soon(&mut heard).await, Notice::Gap);
}

#[test]
fn a_listener_may_outlive_its_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (heard, driver) = runtime.block_on(async {
        let driver = shared().connect().await.unwrap();
        (driver.listen(["a"]).await.unwrap(), driver)
    });
    drop(heard);
    let heard = runtime.block_on(driver.listen(["a"])).unwrap();
    drop(runtime);
    drop(heard);
}
