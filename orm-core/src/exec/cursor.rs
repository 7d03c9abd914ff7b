//! Rows one by one, with bounded memory.

use std::sync::atomic::Ordering;

use crate::ast::Select;
use crate::driver::Runner;
use crate::error::Result;
use crate::exec::collect::Collect;
use crate::exec::fetch::Site;
use crate::exec::load::Batches;
use crate::exec::transaction::BesideCursor;
use crate::exec::{Raw, Tx};
use crate::relation::Branch;
use crate::sql::{self, Scope, Sql};
use crate::value::{Output, Rows};

/// How many rows are held at a time.
const BATCH: usize = 256;

/// Rows of a query one by one; the transaction rests meanwhile. Made by `.stream(&mut tx)`.
pub struct Cursor<'a, O> {
    tx: &'a Tx,
    scope: Scope,
    statement: Option<Result<Sql>>,
    loads: Option<Batches>,
    site: Site,
    rows: std::vec::IntoIter<O>,
    more: bool,
}

impl<'a, O: Output> Cursor<'a, O> {
    pub(crate) fn new(
        tx: &'a Tx,
        scope: Scope,
        mut ast: Box<Select>,
        loads: Vec<Branch>,
        site: Site,
    ) -> Self {
        let batches = match loads.is_empty() {
            true => Ok(None),
            false => Batches::new(&mut ast, loads).map(Some),
        };
        let (loads, statement) = match batches {
            Ok(loads) => (loads, sql::render_select(&ast, tx.dialect(), &scope)),
            Err(e) => (None, Err(e)),
        };
        Cursor {
            tx,
            scope,
            statement: Some(statement),
            loads,
            site,
            rows: Vec::new().into_iter(),
            more: true,
        }
    }
    /// The next row, or `None` after the last one.
    pub async fn next(&mut self) -> Result<Option<O>> {
        loop {
            if let Some(row) = self.rows.next() {
                return Ok(Some(row));
            }
            if !self.more {
                return Ok(None);
            }
            let sql = self.statement.take().transpose()?;
            if sql.is_some() {
                self.tx.shared().statements.fetch_add(1, Ordering::Relaxed);
            }
            let sink = match &self.loads {
                None => Collect::<O>::up_to(BATCH),
                Some(loads) => loads.sink(Rows::<O>::collector(), BATCH),
            };
            let (sink, more) = self.tx.fetch_cursor(sql, sink).await?;
            self.more = more;
            let rows = match &self.loads {
                None => Collect::<O>::take(sink)?,
                Some(loads) => {
                    let raw = Raw {
                        runner: &BesideCursor(self.tx),
                        shared: self.tx.shared(),
                        scope: self.scope.clone(),
                        tx: Some(self.tx),
                    };
                    loads.finish(&raw, sink, self.site).await?.finish::<O>()?
                }
            };
            self.rows = rows.into_iter();
        }
    }
}
