//! The one place that reports statements: `tracing` events with OpenTelemetry's stable names.
//!
//! Values are never part of an event unless `Echo::Values` asks for them, and never those of sensitive columns.

use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::driver::Done;
use crate::error::{Error, Result};
use crate::exec::db::{Echo, Shared};
use crate::sql::Sql;

/// One statement being watched.
pub(crate) struct Observation<'a> {
    shared: &'a Arc<Shared>,
    text: Arc<str>,
    operation: &'static str,
    target: Option<&'static str>,
    values: Option<String>,
    site: &'static Location<'static>,
    started: Option<Instant>,
    table: Option<&'static crate::schema::Table>,
}

/// Notes the call site, in the text as well when asked for.
pub(crate) fn sign(shared: &Shared, sql: &mut Sql, site: &'static Location<'static>) {
    sql.site = Some(site);
    if shared.options.comments {
        // the path is the compiler's, but a folder may be called anything
        let file = site.file().replace("*/", "").replace('\'', "");
        sql.text = format!("{} /*src='{file}:{}'*/", sql.text, site.line()).into();
    }
}

impl<'a> Observation<'a> {
    pub(crate) fn new(
        shared: &'a Arc<Shared>,
        sql: &Sql,
        site: &'static Location<'static>,
        table: Option<&'static crate::schema::Table>,
    ) -> Self {
        let values = match shared.options.echo {
            Echo::Values if sql.sensitive => Some("hidden: a sensitive column is involved".into()),
            Echo::Values => Some(format!("{:?}", sql.params)),
            Echo::Off | Echo::Statements => None,
        };
        let (operation, target) = (sql.operation, sql.target);
        Observation {
            shared,
            text: sql.text.clone(),
            operation,
            target,
            values,
            site,
            started: None,
            table,
        }
    }
    /// Called when the statement is first polled, and again without effect.
    pub(crate) fn start(&mut self) {
        if self.started.is_none() {
            self.started = Some(Instant::now());
            self.shared.statements.fetch_add(1, Ordering::Relaxed);
        }
    }
    /// Reports the outcome and completes the error with what the schema knows.
    pub(crate) fn finish(&mut self, result: Result<Done>) -> Result<Done> {
        let elapsed = self.started.map_or(Duration::ZERO, |s| s.elapsed());
        let result = result.map_err(|e| crate::exec::fetch::name_constraint(e, self.table));
        match &result {
            Ok(done) => self.report(elapsed, done.sink.rows() as u64, done.affected),
            Err(e) => self.report_error(elapsed, e),
        }
        result
    }
    fn report(&self, elapsed: Duration, rows: u64, affected: u64) {
        let slow = elapsed >= self.shared.options.slow_statement;
        let echo = self.shared.options.echo != Echo::Off;
        macro_rules! event {
            ($level:ident, $message:literal) => {
                tracing::$level!(
                    target: "orm::query",
                    { db.system.name = self.shared.driver.dialect().system(),
                    db.operation.name = self.operation,
                    db.collection.name = self.target,
                    db.query.text = &*self.text,
                    db.query.values = self.values.as_deref(),
                    db.response.returned_rows = rows,
                    rows_affected = affected,
                    elapsed_us = elapsed.as_micros() as u64,
                    code.file.path = self.site.file(),
                    code.line.number = self.site.line() },
                    $message
                )
            };
        }
        if slow {
            event!(warn, "slow statement");
        } else if echo {
            event!(info, "statement");
        } else {
            event!(debug, "statement");
        }
    }
    #[cold]
    fn report_error(&self, elapsed: Duration, e: &Error) {
        tracing::error!(
            target: "orm::query",
            { db.system.name = self.shared.driver.dialect().system(),
            db.operation.name = self.operation,
            db.collection.name = self.target,
            db.query.text = &*self.text,
            db.response.status_code = e.code(),
            error.type = ?e.kind(),
            elapsed_us = elapsed.as_micros() as u64,
            code.file.path = self.site.file(),
            code.line.number = self.site.line() },
            "statement failed: {e}"
        );
    }
}
