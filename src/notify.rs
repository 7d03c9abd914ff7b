//! NOTIFY. Who listens is in the backend's crate; sending is a statement like others.

use std::future::Future;

use orm_core::ast::RawPart;
use orm_core::error::{Error, Result};
use orm_core::exec::Exec;
use orm_core::query::{RawSql, raw_value};
use orm_core::sql::Dialect as _;

/// Sends a message to everybody who listens on the channel (PostgreSQL): in a transaction when that is committed,
/// otherwise at once. Equal messages of one transaction arrive once. [`Postgres::listen`](orm_postgres::Postgres::listen)
/// hears it.
///
/// ```sql
/// SELECT pg_notify($1, $2)
/// ```
///
/// # Errors
/// `InvalidQuery` for a name that is no channel's and for a payload of more than 7999 bytes: send a key, and let
/// listeners read. `Unsupported` on another database.
pub fn notify<'a, E: Exec + ?Sized>(
    ex: &'a E,
    channel: &str,
    payload: &str,
) -> impl Future<Output = Result<()>> + Send + use<'a, E> {
    let dialect = ex.raw().dialect();
    let sent = match dialect.name() == orm_postgres::DIALECT.name() {
        true => orm_postgres::check_message(channel, payload),
        false => Err(Error::unsupported("NOTIFY", dialect.name())),
    };
    let sent = sent.map(|()| {
        let parts = vec![
            RawPart::Text("SELECT pg_notify("),
            raw_value(channel),
            RawPart::Text(", "),
            raw_value(payload),
            RawPart::Text(")"),
        ];
        RawSql::new(parts).exec(ex)
    });
    async move { sent?.await.map(drop) }
}
