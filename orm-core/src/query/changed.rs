//! Writes of many rows and what comes back of them: `UPDATE .. RETURNING ..`, by itself or inside WITH.

use crate::ast::{Deleted, Expr as Node, Select, Statement, has_window};
use crate::model::{Model, Writable};
use crate::query::source::FieldList;
use crate::query::{
    DeleteWhere, Phantom, Selection, UpdateWhere, delete_or_hide, returning, touch, update_statement,
};
use crate::schema::{Cascade, Table};

/// A write of many rows as one statement, and what has to be known to run it.
pub(crate) struct SetWrite {
    pub(crate) statement: Statement,
    /// Hooks get the rows that it meets.
    pub(crate) each: bool,
    /// It assigns nothing, so that there is nothing to do.
    pub(crate) idle: bool,
    /// It deletes rows, and what hangs on them goes too.
    pub(crate) deletes: bool,
    /// What is wrong with it, found while it was built.
    pub(crate) fault: Option<Box<str>>,
}

impl SetWrite {
    pub(crate) fn of(statement: Statement) -> Self {
        SetWrite {
            statement,
            each: true,
            idle: false,
            deletes: false,
            fault: None,
        }
    }
    fn returning(&self) -> &[Node] {
        match &self.statement {
            Statement::Insert(insert) => &insert.returning,
            Statement::Update(update) => &update.returning,
            Statement::Delete(delete) => &delete.returning,
            Statement::Select(_) | Statement::Ddl(_) | Statement::Raw(_) => &[],
        }
    }
}

/// What comes back of the rows that a write changed: made by [`UpdateWhere::rows`], [`DeleteWhere::rows`],
/// [`InsertFrom::rows`](crate::query::InsertFrom::rows) and those of joined writes. Run it with [`all`](Changed::all), or
/// let a query read it, by [`cte`](crate::query::cte) on PostgreSQL.
#[must_use = "nothing is changed until `.all(&db)`, or until a query uses it by `cte(..)`"]
pub struct Changed<M, O, N = M> {
    write: SetWrite,
    _p: Phantom<(M, O, N)>,
}

impl<M: Model, O, N> Changed<M, O, N> {
    pub(crate) fn of(mut write: SetWrite) -> Self {
        if write.returning().iter().any(has_window) {
            write.fault.get_or_insert(WINDOW.into());
        }
        Changed {
            write,
            _p: std::marker::PhantomData,
        }
    }
    pub(crate) fn into_write(self) -> SetWrite {
        self.write
    }
    /// The statement as data, as a query that uses it holds it.
    pub fn into_statement(self) -> Statement {
        self.into_parts().0
    }
    /// As a part of another statement.
    pub(crate) fn into_parts(self) -> (Statement, FieldList) {
        let fields = FieldList::of_nodes(self.write.returning());
        let why = refusal(M::TABLE, &self.write);
        let statement = match (why, self.write.fault) {
            (None, None) => return (self.write.statement, fields),
            (Some(why), None) => format!("{} inside WITH: {why}", M::TABLE.model).into(),
            (_, Some(fault)) => fault,
        };
        let mut refused = Select::without_from();
        refused.fault = Some(statement);
        (Statement::Select(Box::new(refused)), fields)
    }
}

const WINDOW: &str =
    "a window function over the rows of a write: give the write a name by `cte(..)`, and query its rows";

/// What a write needs beside one statement, which a part of a query cannot have.
fn refusal(table: &'static Table, write: &SetWrite) -> Option<&'static str> {
    let watched = table.hooks.is_some() || table.validated || table.reads_all() || table.has_triggers();
    if watched {
        return Some("its hooks, validators, audit trail or history have to see the write");
    }
    if !table.table.parts.is_empty() {
        return Some("its rows lie in several tables");
    }
    if let Statement::Insert(insert) = &write.statement
        && insert.overriding
    {
        return Some("the sequence of its keys has to be moved");
    }
    let cascades = table.relations.iter().any(|r| r.cascade != Cascade::Database);
    (write.deletes && cascades).then_some("its relations take other rows along")
}

impl<M: Writable> UpdateWhere<M> {
    /// What comes back of the changed rows, as they are afterwards: chosen columns and expressions, by
    /// [`all`](Changed::all), or inside a query, by [`cte`](crate::query::cte) on PostgreSQL. Rows that a statement
    /// changes are seen nowhere else in it.
    ///
    /// ```
    /// # use orm_core::{exec::{Db, Writes}, model::{Model, Writable}, query::{Col, UpdateWhere}};
    /// # async fn run<Job: Writable>(change: UpdateWhere<Job>, db: &Db, id: fn(Job::Cols<Job>) -> Col<Job, i64>)
    /// # -> orm_core::error::Result<()> where Db: Writes<Job> {
    /// // Job::update_where(|j| j.state.eq(State::Ready)).set(|j| j.state.to(State::Taken))
    /// let ids: Vec<i64> = change.rows(|j| id(j)).all(db).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// ```sql
    /// UPDATE "jobs" SET "state" = $1 WHERE "jobs"."state" = $2 RETURNING "jobs"."id"
    /// WITH "done" ("id") AS (UPDATE "jobs" SET "state" = $1 WHERE "jobs"."state" = $2 RETURNING "jobs"."id") SELECT …
    /// ```
    ///
    /// Inside a query, a model with hooks, validators, an audit trail or a history is an `InvalidQuery` error: they would
    /// not see the write.
    pub fn rows<T: Selection<M>>(self, f: impl FnOnce(M::Cols<M>) -> T) -> Changed<M, T::Out> {
        let mut rows = Vec::new();
        f(M::cols(self.source)).push(&mut rows);
        Changed::of(self.into_write(rows))
    }
}

impl<M: Model> UpdateWhere<M> {
    /// All of what comes back.
    pub(crate) fn into_all(self) -> SetWrite {
        let rows = returning(M::TABLE, self.source);
        self.into_write(rows)
    }
    pub(crate) fn into_write(self, returning: Vec<Node>) -> SetWrite {
        let UpdateWhere {
            source,
            mut set,
            filter,
            each,
            unfiltered,
            ..
        } = self;
        let idle = set.is_empty();
        touch(M::TABLE, source, &mut set);
        let mut update = update_statement(M::TABLE, source, set, filter, Deleted::Hidden);
        update.guard.unfiltered = unfiltered;
        update.returning = returning;
        SetWrite {
            each,
            idle,
            ..SetWrite::of(Statement::Update(Box::new(update)))
        }
    }
}

impl<M: Writable> DeleteWhere<M> {
    /// What comes back of the deleted rows: see [`UpdateWhere::rows`]. Inside a query, a model whose relations take rows
    /// along is an `InvalidQuery` error as well.
    pub fn rows<T: Selection<M>>(self, f: impl FnOnce(M::Cols<M>) -> T) -> Changed<M, T::Out> {
        let mut rows = Vec::new();
        f(M::cols(self.source)).push(&mut rows);
        Changed::of(self.into_write(rows))
    }
}

impl<M: Model> DeleteWhere<M> {
    /// All of what comes back.
    pub(crate) fn into_all(self) -> SetWrite {
        let rows = returning(M::TABLE, self.source);
        self.into_write(rows)
    }
    pub(crate) fn into_write(self, returning: Vec<Node>) -> SetWrite {
        let DeleteWhere {
            source,
            filter,
            each,
            unfiltered,
            ..
        } = self;
        let mut statement = delete_or_hide(M::TABLE, source, filter, unfiltered);
        match &mut statement {
            Statement::Update(update) => update.returning = returning,
            Statement::Delete(delete) => delete.returning = returning,
            Statement::Insert(_) | Statement::Select(_) | Statement::Ddl(_) | Statement::Raw(_) => {}
        }
        SetWrite {
            each,
            deletes: true,
            ..SetWrite::of(statement)
        }
    }
}
