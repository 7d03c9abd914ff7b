//! Rows one by one, with bounded memory.

use std::any::Any;
use std::sync::atomic::Ordering;

use crate::ast::Select;
use crate::driver::{Runner, Sink};
use crate::error::{Error, Result};
use crate::exec::collect::{Collect, other_sink};
use crate::exec::fetch::Site;
use crate::exec::load::Batches;
use crate::exec::transaction::BesideCursor;
use crate::exec::{Raw, Tx};
use crate::relation::Branch;
use crate::sql::{self, Scope, Sql};
use crate::value::{Cells, Output, Rows};

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
    /// What comes after these rows.
    failed: Option<Error>,
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
            failed: None,
            more: true,
        }
    }
    /// The next row, or `None` after the last one and after an error. A row that cannot be read is an error in its
    /// place, after the rows before it.
    pub async fn next(&mut self) -> Result<Option<O>> {
        loop {
            if let Some(row) = self.rows.next() {
                return Ok(Some(row));
            }
            if let Some(e) = self.failed.take() {
                return Err(e);
            }
            if !self.more {
                return Ok(None);
            }
            let rows = self.fetch().await.inspect_err(|_| self.more = false)?;
            self.rows = rows.into_iter();
        }
    }
    async fn fetch(&mut self) -> Result<Vec<O>> {
        let sql = self.statement.take().transpose()?;
        if sql.is_some() {
            self.tx.shared().statements.fetch_add(1, Ordering::Relaxed);
        }
        let rows = match &self.loads {
            None => Collect::<O>::up_to(BATCH),
            Some(loads) => loads.sink(Rows::<O>::collector(), BATCH),
        };
        let batch = Batch {
            rows,
            seen: 0,
            failed: None,
        };
        let (sink, more) = self.tx.fetch_cursor(sql, Box::new(batch)).await?;
        let batch: Box<Batch> = sink.into_any().downcast().map_err(|_| other_sink())?;
        let Batch { rows, failed, .. } = *batch;
        let rows = match &self.loads {
            None => Collect::<O>::take(rows)?,
            Some(loads) => {
                let raw = Raw {
                    runner: &BesideCursor(self.tx),
                    shared: self.tx.shared(),
                    scope: self.scope.clone(),
                    tx: Some(self.tx),
                };
                loads.finish(&raw, rows, self.site).await?.finish::<O>()?
            }
        };
        self.more = more && failed.is_none();
        self.failed = failed;
        Ok(rows)
    }
}

/// Some rows of a cursor, up to the first that cannot be read.
struct Batch {
    rows: Box<dyn Sink>,
    seen: usize,
    failed: Option<Error>,
}

impl Sink for Batch {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        self.seen += 1;
        if self.failed.is_none() {
            self.failed = self.rows.row(cells).err();
        }
        Ok(())
    }
    fn wants(&self) -> Option<usize> {
        Some(BATCH.saturating_sub(self.seen))
    }
    fn rows(&self) -> usize {
        self.rows.rows()
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
