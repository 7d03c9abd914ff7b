//! One connection: opening it, running statements on it, waiting until it is idle again.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_core::stream::BoxStream;
use orm_core::driver::Sink;
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::sql::{COPY, Sql};
use orm_core::value::Value;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgConnection, PgQueryResult, PgRow, PgStatement};
use sqlx::{Connection as _, Either, Execute, Executor, Postgres, SqlSafeStr, SqlStr};

use crate::copy;
use crate::decode::{RowCells, shapes};
use crate::encode;
use crate::error::{Failure, copied_row, is_refusal, lost};
use crate::types::signature;

/// How many texts a connection remembers the parameter types of.
const REMEMBERED: usize = 4096;
/// How much of COPY's data goes out as one message.
const COPY_PIECE: usize = 256 * 1024;

/// A connection with what has to be known about it.
pub(crate) struct Session {
    pub(crate) conn: PgConnection,
    /// Counts the connections of its pool.
    pub(crate) number: u64,
    pub(crate) opened: Instant,
    pub(crate) idle_since: Instant,
    /// The runtime whose reactor drives the socket.
    pub(crate) runtime: Option<tokio::runtime::Id>,
    /// The pool's counts of lost connections and of stale statements when this connection was last found to be well.
    pub(crate) losses_seen: u64,
    pub(crate) stale_seen: u64,
    /// Statements stay unprepared: behind a pooler the next one may reach another server session.
    pub(crate) unnamed: bool,
    signatures: HashMap<Arc<str>, u64>,
    /// A COPY is under way: given up now, it leaves answers behind that nobody counts.
    copying: bool,
}

impl Session {
    pub(crate) fn new(conn: PgConnection, unnamed: bool) -> Self {
        let now = Instant::now();
        Session {
            conn,
            number: 0,
            opened: now,
            idle_since: now,
            runtime: tokio::runtime::Handle::try_current().ok().map(|h| h.id()),
            losses_seen: 0,
            stale_seen: 0,
            unnamed,
            signatures: HashMap::new(),
            copying: false,
        }
    }

    /// Runs one statement and hands its rows to the sink while they arrive. Gives back the count of the command tag.
    pub(crate) async fn execute(&mut self, sql: &Sql, sink: &mut dyn Sink) -> Result<u64, Failure> {
        if sql.operation == COPY {
            return self.copy(sql).await;
        }
        let text = self.text(&sql.text, &sql.params);
        self.rows(text, sql, !self.unnamed, sink)
            .await
            .map(|(count, _)| count)
    }

    /// Runs a statement under another text, not prepared for later. Gives back the number of rows.
    pub(crate) async fn execute_once(
        &mut self,
        text: Arc<str>,
        sql: &Sql,
        sink: &mut dyn Sink,
    ) -> Result<u64, Failure> {
        self.rows(text, sql, false, sink).await.map(|(_, rows)| rows)
    }

    async fn rows(
        &mut self,
        text: Arc<str>,
        sql: &Sql,
        persistent: bool,
        sink: &mut dyn Sink,
    ) -> Result<(u64, u64), Failure> {
        let arguments = encode::arguments(&sql.params).map_err(Failure::clean)?;
        let mut stream = self.conn.fetch_many(Statement {
            text,
            arguments: Some(arguments),
            persistent,
        });
        let (mut count, mut rows) = (0, 0);
        let mut columns = Vec::new();
        // The first error of decode or sink. The rest of the result is read and dropped, which leaves the connection
        // and an open transaction usable.
        let mut unusable: Option<Error> = None;
        loop {
            match next(&mut stream).await {
                Some(Ok(Either::Right(row))) if unusable.is_none() => {
                    let taken = match rows {
                        0 => shapes(&row, &sql.columns).map(|shapes| columns = shapes),
                        _ => Ok(()),
                    };
                    rows += 1;
                    let cells = RowCells::new(&row, &columns);
                    unusable = taken.and_then(|()| sink.row(&cells)).err();
                }
                Some(Ok(Either::Right(_))) => {}
                Some(Ok(Either::Left(done))) => count += PgQueryResult::rows_affected(&done),
                Some(Err(e)) => {
                    let mut failure = Failure::from(e);
                    failure.rows = rows > 0;
                    return Err(failure);
                }
                None => break,
            }
        }
        match unusable {
            Some(error) => Err(Failure {
                rows: true,
                ..Failure::clean(error)
            }),
            None => Ok((count, rows)),
        }
    }

    /// Runs one COPY FROM STDIN with its data; gives back how many rows were taken.
    pub(crate) async fn copy_in(&mut self, text: &str, data: &[u8]) -> Result<u64, Failure> {
        self.send_rows(text, data).await.map_err(Failure::from)
    }

    /// Loads the rows that the binds are. All of them are text before the first is sent, so that what cannot be stored
    /// leaves the connection as it was.
    async fn copy(&mut self, sql: &Sql) -> Result<u64, Failure> {
        let rows = copy::rows(&sql.params, sql.columns.len()).map_err(Failure::clean)?;
        let done = self.send_rows(&sql.text, &rows).await;
        done.map_err(|e| {
            let row = copied_row(&e, sql.target);
            let mut failure = Failure::from(e);
            if let Some(row) = row {
                failure.error = failure.error.with_row(row);
            }
            failure
        })
    }

    async fn send_rows(&mut self, text: &str, data: &[u8]) -> Result<u64, sqlx::Error> {
        self.copying = true;
        let done = self.send_all(text, data).await;
        self.copying = false;
        done
    }

    async fn send_all(&mut self, text: &str, data: &[u8]) -> Result<u64, sqlx::Error> {
        let mut copy = self.conn.copy_in_raw(text).await?;
        // in pieces: what is sent at once is buffered at once
        for piece in data.chunks(COPY_PIECE) {
            copy.send(piece).await?;
        }
        copy.finish().await
    }

    /// Runs text without parameters and result by the simple protocol, in one round trip.
    pub(crate) async fn simple(&mut self, text: impl SqlSafeStr) -> Result<(), Failure> {
        let mut stream = self.conn.fetch_many(Simple(text.into_sql_str()));
        while let Some(step) = next(&mut stream).await {
            step?;
        }
        Ok(())
    }

    /// Reads the answer of whatever is still under way, however it ended.
    pub(crate) async fn settle(&mut self) -> Result<(), Failure> {
        if self.copying {
            return Err(Failure::lost(lost()));
        }
        loop {
            match self.conn.flush().await {
                Ok(()) => return Ok(()),
                Err(e) if is_refusal(&e) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// Asks for a sign of life.
    pub(crate) async fn ping(&mut self, limit: Duration) -> Result<(), Failure> {
        within(Some(limit), async {
            self.conn.ping().await.map_err(Failure::from)
        })
        .await
    }

    /// Forgets all prepared statements and looked-up types.
    pub(crate) async fn forget_statements(&mut self, limit: Duration) -> Result<(), Failure> {
        self.signatures.clear();
        within(Some(limit), async {
            self.conn.clear_cached_statements().await.map_err(Failure::from)
        })
        .await
    }

    /// The text to send. One that ran with other parameter types before gets a mark, so that it is prepared apart.
    fn text(&mut self, text: &Arc<str>, params: &[Value]) -> Arc<str> {
        if params.is_empty() || self.unnamed {
            return text.clone();
        }
        let types = signature(params);
        match self.signatures.get(text) {
            Some(known) if *known == types => return text.clone(),
            None if self.signatures.len() < REMEMBERED => {
                self.signatures.insert(text.clone(), types);
                return text.clone();
            }
            _ => {}
        }
        format!("{text} /* {types:016x} */").into()
    }
}

/// Runs `work` for so long at most; then its connection is in doubt.
pub(crate) async fn within<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let Some(limit) = limit else {
        return work.await;
    };
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(Failure::lost(
            Error::new(
                ErrorKind::StatementTimeout,
                format!("no end of the statement within {limit:?}; its connection was closed"),
            )
            .with_sent(true),
        )),
    }
}

type Steps<'a> = BoxStream<'a, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>;

async fn next(stream: &mut Steps<'_>) -> Option<Result<Either<PgQueryResult, PgRow>, sqlx::Error>> {
    poll_fn(|cx| stream.as_mut().poll_next(cx)).await
}

/// A rendered statement with its values. The renderer and `sql!` are the only authors of its text.
struct Statement {
    text: Arc<str>,
    arguments: Option<PgArguments>,
    persistent: bool,
}

/// The one place that vouches for a text towards sqlx: it comes from the renderer, or from this crate's constants.
#[expect(
    clippy::disallowed_types,
    reason = "this is the place the list of disallowed types speaks of"
)]
pub(crate) fn vouched<T>(text: T) -> SqlStr
where
    sqlx::AssertSqlSafe<T>: SqlSafeStr,
{
    sqlx::AssertSqlSafe(text).into_sql_str()
}

impl Execute<'_, Postgres> for Statement {
    fn sql(self) -> SqlStr {
        vouched(self.text)
    }
    fn statement(&self) -> Option<&PgStatement> {
        None
    }
    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        Ok(self.arguments.take())
    }
    fn persistent(&self) -> bool {
        self.persistent
    }
}

/// Text for the simple protocol.
struct Simple(SqlStr);

impl Execute<'_, Postgres> for Simple {
    fn sql(self) -> SqlStr {
        self.0
    }
    fn statement(&self) -> Option<&PgStatement> {
        None
    }
    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        Ok(None)
    }
    fn persistent(&self) -> bool {
        false
    }
}

/// What a statement does to its session, as far as its first words tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Nothing that outlives it.
    Plain,
    /// Opens or ends a transaction or savepoint: only the library does that.
    Transaction,
    /// Leaves something behind in the session, which nobody else may inherit.
    Session,
    /// Cannot run inside a transaction.
    Alone,
}

/// Looks at the first words of a statement.
pub(crate) fn verb(text: &str) -> Verb {
    let (first, rest) = word(text);
    let is = |word: &str, list: &[&str]| list.iter().any(|w| word.eq_ignore_ascii_case(w));
    if is(first, &["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"]) {
        return Verb::Plain;
    }
    let (second, _) = word(rest);
    if is(
        first,
        &[
            "BEGIN",
            "START",
            "COMMIT",
            "END",
            "ROLLBACK",
            "ABORT",
            "SAVEPOINT",
            "RELEASE",
        ],
    ) || is(first, &["PREPARE"]) && is(second, &["TRANSACTION"])
    {
        return Verb::Transaction;
    }
    if is(first, &["SET"]) && is(second, &["LOCAL", "CONSTRAINTS", "TRANSACTION"]) {
        return Verb::Plain;
    }
    if is(
        first,
        &[
            "SET",
            "RESET",
            "LISTEN",
            "UNLISTEN",
            "LOAD",
            "DISCARD",
            "PREPARE",
            "DEALLOCATE",
            "DECLARE",
        ],
    ) || is(first, &["CREATE"]) && is(second, &["TEMP", "TEMPORARY", "LOCAL", "GLOBAL"])
    {
        return Verb::Session;
    }
    if is(first, &["VACUUM"])
        || is(first, &["CREATE", "DROP"]) && is(second, &["DATABASE", "TABLESPACE"])
        || is(first, &["ALTER"]) && is(second, &["SYSTEM"])
        || is(first, &["CREATE", "DROP", "REINDEX"]) && text.to_ascii_uppercase().contains("CONCURRENTLY")
    {
        return Verb::Alone;
    }
    Verb::Plain
}

/// The next word behind blanks and comments, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ';' || c == '(');
        rest = match (rest.strip_prefix("--"), rest.strip_prefix("/*")) {
            (Some(comment), _) => comment.split_once('\n').map_or("", |(_, tail)| tail),
            (_, Some(comment)) => behind_comment(comment),
            _ => break,
        };
    }
    rest.split_at(
        rest.find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len()),
    )
}

/// What follows a block comment; they nest in PostgreSQL.
fn behind_comment(mut rest: &str) -> &str {
    let mut depth = 1;
    while depth > 0 {
        let Some(at) = rest.find(['/', '*']) else {
            return "";
        };
        rest = &rest[at..];
        let step = match rest.as_bytes() {
            [b'*', b'/', ..] => -1,
            [b'/', b'*', ..] => 1,
            _ => 0,
        };
        depth += step;
        rest = &rest[if step == 0 { 1 } else { 2 }..];
    }
    rest
}

#[cfg(test)]
mod tests {
    use crate::session::{Verb, verb};

    #[test]
    fn verbs() {
        for (text, expected) in [
            ("SELECT 1", Verb::Plain),
            ("(select 1)", Verb::Plain),
            ("", Verb::Plain),
            ("-- SELECT\n  Begin", Verb::Transaction),
            ("/* a /* b */ c */ commit", Verb::Transaction),
            ("; rollback to x", Verb::Transaction),
            ("prepare transaction 'x'", Verb::Transaction),
            ("set local x = 1", Verb::Plain),
            ("SET x = 1", Verb::Session),
            ("create temp table x ()", Verb::Session),
            ("create index concurrently i on t (a)", Verb::Alone),
            ("VACUUM", Verb::Alone),
            ("/* open", Verb::Plain),
        ] {
            assert_eq!(verb(text), expected, "{text}");
        }
    }
}
