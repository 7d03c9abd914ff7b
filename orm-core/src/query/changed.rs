//! Writes whose rows another query reads: `WITH changed AS (UPDATE .. RETURNING ..) SELECT ..`.

use crate::ast::{Deleted, Expr as Node, Select, Statement};
use crate::model::{Model, Writable};
use crate::query::source::FieldList;
use crate::query::{
    DeleteWhere, Phantom, Selection, UpdateWhere, delete_statement, soft_delete_set, touch, update_statement,
};
use crate::schema::{Cascade, Table};

/// A change of rows that a query reads, for [`cte`](crate::query::cte): made by [`UpdateWhere::rows`] and
/// [`DeleteWhere::rows`].
#[must_use = "nothing is changed until a query uses it by `cte(..)`"]
pub struct Changed<M, O> {
    statement: Statement,
    fields: FieldList,
    _p: Phantom<(M, O)>,
}

impl<M: Model, O> Changed<M, O> {
    fn of(statement: Statement, rows: &[Node]) -> Self {
        let statement = match refusal(M::TABLE, &statement) {
            None => statement,
            Some(why) => {
                let mut refused = Select::without_from();
                refused.fault = Some(format!("{} inside WITH: {why}", M::TABLE.model).into());
                Statement::Select(Box::new(refused))
            }
        };
        Changed {
            statement,
            fields: FieldList::of_nodes(rows),
            _p: std::marker::PhantomData,
        }
    }
    pub(crate) fn into_parts(self) -> (Statement, FieldList) {
        (self.statement, self.fields)
    }
}

/// What a write needs beside one statement, which a part of a query cannot have.
fn refusal(table: &'static Table, statement: &Statement) -> Option<&'static str> {
    let watched = table.hooks.is_some() || table.validated || table.reads_all() || table.has_triggers();
    let deletes = matches!(statement, Statement::Delete(_)) || table.managed.deleted_at.is_some();
    let cascades = table.relations.iter().any(|r| r.cascade != Cascade::Database);
    if watched {
        return Some("its hooks, validators, audit trail or history have to see the write");
    }
    if !table.table.parts.is_empty() {
        return Some("its rows lie in several tables");
    }
    (deletes && cascades).then_some("its relations take other rows along")
}

impl<M: Writable> UpdateWhere<M> {
    /// What a query reads of the changed rows, as they are afterwards: for [`cte`](crate::query::cte), on PostgreSQL. One
    /// statement changes and reads. Rows that it changes are seen nowhere else in it.
    ///
    /// ```sql
    /// WITH "done" ("id") AS (UPDATE "jobs" SET "state" = $1 WHERE "jobs"."state" = $2 RETURNING "jobs"."id") SELECT …
    /// ```
    ///
    /// A model with hooks, validators, an audit trail or a history is an `InvalidQuery` error: they would not see the write.
    pub fn rows<T: Selection<M>>(self, f: impl FnOnce(M::Cols<M>) -> T) -> Changed<M, T::Out> {
        let UpdateWhere {
            source,
            mut set,
            filter,
            unfiltered,
            ..
        } = self;
        touch(M::TABLE, source, &mut set);
        let mut update = update_statement(M::TABLE, source, set, filter, Deleted::Hidden);
        update.guard.unfiltered = unfiltered;
        f(M::cols(source)).push(&mut update.returning);
        let rows = update.returning.clone();
        Changed::of(Statement::Update(Box::new(update)), &rows)
    }
}

impl<M: Writable> DeleteWhere<M> {
    /// What a query reads of the deleted rows: see [`UpdateWhere::rows`]. A model whose relations take rows along is an
    /// `InvalidQuery` error as well.
    pub fn rows<T: Selection<M>>(self, f: impl FnOnce(M::Cols<M>) -> T) -> Changed<M, T::Out> {
        let DeleteWhere {
            source,
            filter,
            unfiltered,
            ..
        } = self;
        let mut rows = Vec::new();
        f(M::cols(source)).push(&mut rows);
        let statement = match M::TABLE.managed.deleted_at {
            None => {
                let mut delete = delete_statement(M::TABLE, source, filter, Deleted::Hidden);
                delete.guard.unfiltered = unfiltered;
                delete.returning = rows.clone();
                Statement::Delete(Box::new(delete))
            }
            Some(_) => {
                let set = soft_delete_set(M::TABLE, source, false);
                let mut update = update_statement(M::TABLE, source, set, filter, Deleted::Hidden);
                update.guard.unfiltered = unfiltered;
                update.returning = rows.clone();
                Statement::Update(Box::new(update))
            }
        };
        Changed::of(statement, &rows)
    }
}
