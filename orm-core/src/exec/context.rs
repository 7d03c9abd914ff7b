//! What triggers are told: who writes, for whom, in which transaction.
//!
//! It goes in front of each write of a table with triggers, as a part of the same unit, so that nothing comes between.
//! Where it would outlive the transaction it is taken back at once; where it lasts as long as the transaction, later
//! writes of that transaction bring their own.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::ast::RawPart;
use crate::driver::{BoxFuture, Done, Sink};
use crate::error::Result;
use crate::exec::Raw;
use crate::exec::collect::Collect;
use crate::exec::trail::plain;
use crate::exec::transaction::uuid_v7;
use crate::schema::Table;
use crate::sql::{self, Context, Sql};
use crate::value::{Timestamp, Type, Value};

/// Whether a database has triggers that want to be told, once somebody asked.
#[derive(Default)]
pub(crate) struct Listens(AtomicU8);

const NO: u8 = 1;
const YES: u8 = 2;

impl Listens {
    /// The schema has changed.
    pub(crate) fn forget(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Why triggers are told about a write.
enum Reason {
    /// The table has some, or an earlier write of the transaction told them something else.
    Known,
    /// Some table may have some, and the handle says who writes.
    Perhaps,
}

/// Runs a rendered statement on a table, and tells triggers where there may be some.
pub(crate) fn run<'a>(
    raw: &Raw<'a>,
    table: Option<&'static Table>,
    sql: Sql,
    sink: Box<dyn Sink>,
) -> BoxFuture<'a, Result<Done>> {
    match reason(raw, table, std::slice::from_ref(&sql)) {
        None => raw.runner.run(sql, sink),
        Some(reason) => Box::pin(tell(raw.again(), reason, vec![sql], sink)),
    }
}

/// As [`run`], several statements as one unit.
pub(crate) fn run_all<'a>(
    raw: &Raw<'a>,
    table: Option<&'static Table>,
    batch: Vec<Sql>,
    sink: Box<dyn Sink>,
) -> BoxFuture<'a, Result<Done>> {
    match reason(raw, table, &batch) {
        None => raw.runner.run_all(batch, sink),
        Some(reason) => Box::pin(tell(raw.again(), reason, batch, sink)),
    }
}

async fn tell(raw: Raw<'_>, reason: Reason, mut batch: Vec<Sql>, sink: Box<dyn Sink>) -> Result<Done> {
    if let Reason::Perhaps = reason
        && !listens(&raw).await?
    {
        return match (batch.len(), batch.pop()) {
            (1, Some(sql)) => raw.runner.run(sql, sink).await,
            (_, last) => {
                batch.extend(last);
                raw.runner.run_all(batch, sink).await
            }
        };
    }
    let dialect = raw.runner.dialect();
    let statement = |parts: &[RawPart]| sql::render_raw(parts, &[], dialect, &raw.scope);
    let mut told = vec![statement(&dialect.tell(&context(&raw)))?];
    told.append(&mut batch);
    match (dialect.untell(), raw.tx) {
        (Some(text), _) => told.push(statement(&[RawPart::Text(text)])?),
        (None, Some(tx)) => tx.told(),
        (None, None) => {}
    }
    let mut done = raw.runner.run_all(told, sink).await?;
    done.affected = done.affected.saturating_sub(dialect.told_rows());
    Ok(done)
}

fn reason(raw: &Raw<'_>, table: Option<&'static Table>, batch: &[Sql]) -> Option<Reason> {
    if !batch.iter().any(|sql| sql.writes) {
        return None;
    }
    if table.is_some_and(Table::has_triggers) || raw.tx.is_some_and(|tx| tx.was_told()) {
        return Some(Reason::Known);
    }
    let scope = &raw.scope;
    if scope.actor.is_none() && scope.tenant.is_none() && scope.request.is_none() {
        return None;
    }
    // hand-written SQL may be about any table, and a delete takes along rows of others
    let any = |sql: &Sql| match sql.operation {
        "DELETE" => true,
        "INSERT" | "UPDATE" | "MERGE" | "WITH" => table.is_none(),
        _ => false,
    };
    batch.iter().any(any).then_some(Reason::Perhaps)
}

async fn listens(raw: &Raw<'_>) -> Result<bool> {
    let known = &raw.shared.listens.0;
    match known.load(Ordering::Relaxed) {
        NO => return Ok(false),
        YES => return Ok(true),
        _ => {}
    }
    let text = raw.runner.dialect().listens();
    let sql = sql::render_raw(
        &[RawPart::Text(text)],
        &[Type::I32],
        raw.runner.dialect(),
        &raw.scope,
    )?;
    let done = raw.runner.run(sql, Collect::<i32>::boxed()).await?;
    let found = done.sink.rows() > 0;
    known.store(if found { YES } else { NO }, Ordering::Relaxed);
    Ok(found)
}

fn context(raw: &Raw<'_>) -> Context {
    let text = |value: &Option<Value>| value.as_ref().and_then(plain);
    let clock = raw.scope.clock;
    Context {
        actor: text(&raw.scope.actor),
        tenant: text(&raw.scope.tenant),
        request: text(&raw.scope.request),
        transaction: raw.tx.map_or_else(uuid_v7, |tx| tx.id().to_owned()),
        clock,
        begun: match raw.tx {
            Some(tx) => tx.begun(),
            None => clock.unwrap_or_else(Timestamp::now),
        },
    }
}
