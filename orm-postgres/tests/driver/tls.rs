//! Encrypted connections to a real server. Its certificate is for the name `localhost`, from an authority of the tests'
//! own whose key was thrown away: valid for a hundred years, and good for nothing else.

use std::path::PathBuf;
use std::sync::Arc;

use orm::testing::Cluster;
use orm_core::driver::PoolConfig;
use orm_core::error::{ErrorKind, Result};
use orm_core::value::{Type, Value};
use orm_postgres::{Postgres, PostgresOptions, TlsMode};

use crate::support::query;

fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "driver", "tls", name]
        .iter()
        .collect()
}

fn options(cluster: &Cluster, host: &str, tls: Option<TlsMode>, authority: Option<&str>) -> PostgresOptions {
    let mut options = PostgresOptions::from_url(&cluster.tcp_url("postgres")).unwrap();
    options = options.host(host).password("canary").pool(PoolConfig {
        size: 1,
        ..PoolConfig::default()
    });
    if let Some(mode) = tls {
        options = options.tls(mode);
    }
    match authority {
        Some(name) => options.root_cert(file(name)),
        None => options,
    }
}

async fn is_encrypted(db: &Arc<Postgres>) -> bool {
    let text = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let rows = query(&**db, text, vec![], &[Type::Bool]).await.unwrap();
    rows == [[Value::Bool(true)]]
}

#[tokio::test]
async fn a_certificate_is_checked_as_far_as_the_mode_says() {
    let (certificate, key) = (file("server.pem"), file("server.key"));
    let settings = [
        ("ssl", "on"),
        ("ssl_cert_file", certificate.to_str().unwrap()),
        ("ssl_key_file", key.to_str().unwrap()),
    ];
    let cluster = Cluster::start_with(&settings).unwrap();
    let connect = async |host, tls, authority| -> Result<bool> {
        let db = options(&cluster, host, tls, authority).connect().await?;
        Ok(is_encrypted(&db).await)
    };
    use TlsMode::*;
    for (host, mode, authority, encrypted) in [
        ("localhost", Some(VerifyFull), Some("ca.pem"), true),
        ("127.0.0.1", Some(VerifyCa), Some("ca.pem"), true),
        ("127.0.0.1", Some(Require), None, true),
        ("127.0.0.1", Some(Prefer), None, true),
        ("127.0.0.1", Some(Disable), None, false),
        // nobody listens on the way to this very machine
        ("localhost", None, None, false),
    ] {
        let got = connect(host, mode, authority).await.unwrap();
        assert_eq!(got, encrypted, "{host} {mode:?} {authority:?}");
    }
    for (host, mode, authority) in [
        ("127.0.0.1", VerifyFull, Some("ca.pem")),
        ("localhost", VerifyFull, Some("other-ca.pem")),
        ("localhost", VerifyFull, None),
        ("localhost", VerifyCa, Some("other-ca.pem")),
        ("localhost", VerifyCa, None),
    ] {
        let e = connect(host, Some(mode), authority).await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Connect, "{host} {mode:?} {authority:?}: {e}");
        assert!(e.message().contains("certificate"), "{e}");
        assert!(!format!("{e} {e:?}").contains("canary"), "{e}");
    }
    let e = connect("localhost", Some(VerifyFull), Some("no-such.pem"))
        .await
        .unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn a_server_without_encryption_is_refused_unless_plain_text_will_do() {
    let cluster = Cluster::shared().expect("a throw-away server");
    for mode in [TlsMode::Require, TlsMode::VerifyCa, TlsMode::VerifyFull] {
        let e = options(cluster, "localhost", Some(mode), Some("ca.pem"))
            .connect()
            .await
            .unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Connect, "{mode:?}: {e}");
    }
    let db = options(cluster, "localhost", Some(TlsMode::Prefer), None)
        .connect()
        .await
        .unwrap();
    assert!(!is_encrypted(&db).await);
}
