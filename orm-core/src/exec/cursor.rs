//! Rows one by one, with bounded memory.

use crate::ast::Select;
use crate::error::Result;
use crate::exec::Tx;
use crate::exec::collect::Collect;
use crate::sql::{self, Scope, Sql};
use crate::value::Output;

/// How many rows are held at a time.
const BATCH: usize = 256;

/// Rows of a query one by one; the transaction rests meanwhile. Made by `.stream(&mut tx)`.
pub struct Cursor<'a, O> {
    tx: &'a Tx,
    statement: Option<Result<Sql>>,
    rows: std::vec::IntoIter<O>,
    more: bool,
}

impl<'a, O: Output> Cursor<'a, O> {
    pub(crate) fn new(tx: &'a Tx, scope: Scope, ast: Box<Select>) -> Self {
        use crate::driver::Runner;
        let statement = sql::render_select(&ast, tx.dialect(), &scope);
        Cursor {
            tx,
            statement: Some(statement),
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
                self.tx
                    .shared()
                    .statements
                    .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            let (sink, more) = self.tx.fetch_cursor(sql, Collect::<O>::up_to(BATCH)).await?;
            self.more = more;
            self.rows = Collect::<O>::take(sink)?.into_iter();
        }
    }
}
