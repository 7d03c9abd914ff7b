//! WITH: queries by name.

use std::sync::Arc;

use crate::ast::{self, FromItem, Select, SetOp, SetOperation, Statement};
use crate::model::Model;
use crate::query::source::{AnyQuery, FieldList, IntoSource, Place, Reference, Root, SourceRow};
use crate::query::{Changed, Phantom};

/// A query by name, written once in front of the statement however often it is used: a common table expression. Made by
/// [`cte`] and [`recursive`], used by reference or value wherever a query can be a source.
#[must_use = "a common table expression is nothing until a query uses it"]
pub struct Cte<M, O> {
    definition: Arc<ast::Cte>,
    fields: FieldList,
    /// Inside its own definition.
    itself: bool,
    _p: Phantom<(M, O)>,
}

impl<M, O> Clone for Cte<M, O> {
    fn clone(&self) -> Self {
        Cte {
            definition: self.definition.clone(),
            fields: self.fields.clone(),
            itself: self.itself,
            _p: std::marker::PhantomData,
        }
    }
}

/// Gives a query a name. Whoever uses it reads the same rows, computed once.
///
/// ```
/// # use orm_core::{model::Model, query::{Query, cte, from}};
/// # fn build<Item: Model>(revenue: Query<Item, (i64, i64)>) -> Query<Item, i64> {
/// let revenue = cte("revenue", revenue);
/// // whoever earns most
/// let most = from(&revenue).aggregate(|(_, total)| total.max());
/// from(&revenue).filter(|(_, total)| total.eq(most)).select(|(supplier, _)| supplier)
/// # }
/// ```
///
/// ```sql
/// WITH "revenue" ("supplier_id", "_2") AS (SELECT …)
/// SELECT t0."supplier_id" FROM "revenue" AS t0 WHERE t0."_2" = (SELECT max(t1."_2") FROM "revenue" AS t1)
/// ```
///
/// Two definitions of one name in one statement, and a name that is a table's there, are `InvalidQuery` errors.
///
/// On PostgreSQL a change of rows can have a name too: [`UpdateWhere::rows`](crate::query::UpdateWhere::rows),
/// [`DeleteWhere::rows`](crate::query::DeleteWhere::rows).
pub fn cte<Q: CteBody>(name: &'static str, query: Q) -> Cte<Q::Model, Q::Row> {
    let (body, fields) = query.into_body();
    Cte::of(name, body, fields, false)
}

/// What can have a name: a query, or a change of rows.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a common table expression",
    label = "expected a query, or the rows of a change: `.rows(|m| ..)`"
)]
pub trait CteBody {
    /// The model that a handle must serve to read it.
    type Model: Model;
    /// What its rows are.
    type Row;
    /// As data.
    #[doc(hidden)]
    fn into_body(self) -> (Statement, FieldList);
}
#[diagnostic::do_not_recommend]
impl<Q: AnyQuery> CteBody for Q {
    type Model = Q::Model;
    type Row = Q::Row;
    fn into_body(self) -> (Statement, FieldList) {
        let select = self.into_select();
        let fields = FieldList::of(&select);
        (Statement::Select(select), fields)
    }
}
#[diagnostic::do_not_recommend]
impl<M: Model, O, N> CteBody for Changed<M, O, N> {
    type Model = M;
    type Row = O;
    fn into_body(self) -> (Statement, FieldList) {
        self.into_parts()
    }
}

/// A query that goes on from its own rows: `WITH RECURSIVE`. It begins with the rows of `start`; what `step` makes of the
/// rows found last is found next, until it finds none. Rows that come again come again, so that a ring in the data never
/// ends: [`distinct`](Cte::distinct), or a depth that is counted and limited. Along a relation there is
/// [`walk`](crate::query::Query::walk), which ends by itself.
///
/// ```
/// # use orm_core::{model::Model, query::{Col, Query, SourceRow, Cte, recursive}};
/// # fn build<Part: Model>(parts: Query<Part, (i64, i64)>, step: fn(Cte<Part, (i64, i64)>) -> Query<Part, (i64, i64)>)
/// # -> Cte<Part, (i64, i64)> {
/// // let parts = Part::query().filter(|p| p.whole_id.eq(bike)).select(|p| (p.id, p.number));
/// recursive("tree", parts, |tree| {
///     // Part::query().join_on(tree, |p, (id, _)| p.whole_id.eq(id)).select(|(p, (_, n))| (p.id, p.number * n))
/// #   step(tree)
/// })
/// # }
/// ```
///
/// ```sql
/// WITH RECURSIVE "tree" ("id", "number") AS (SELECT t1."id", t1."number" FROM "parts" AS t1 WHERE t1."whole_id" = $1
/// UNION ALL SELECT t2."id", t2."number" * t3."number" FROM "parts" AS t2 JOIN "tree" AS t3 ON t2."whole_id" = t3."id")
/// ```
pub fn recursive<Q: AnyQuery, R: AnyQuery<Row = Q::Row>>(
    name: &'static str,
    start: Q,
    step: impl FnOnce(Cte<Q::Model, Q::Row>) -> R,
) -> Cte<Q::Model, Q::Row> {
    let mut select = start.into_select();
    let fields = FieldList::of(&select);
    let itself = Box::new(Select::without_from());
    let itself = Cte {
        itself: true,
        ..Cte::of(name, Statement::Select(itself), fields.clone(), false)
    };
    let step = step(itself).into_select();
    if !select.compound.is_empty()
        || !select.order.is_empty()
        || select.limit.is_some()
        || select.offset.is_some()
    {
        select = crate::query::set::around(select);
    }
    select.compound.push(SetOperation {
        op: SetOp::Union,
        all: true,
        query: *step,
    });
    Cte::of(name, Statement::Select(select), fields, true)
}

impl<M, O> Cte<M, O> {
    pub(crate) fn of(name: &'static str, body: Statement, fields: FieldList, recursive: bool) -> Self {
        let definition = ast::Cte {
            name,
            columns: fields.names(),
            body,
            recursive,
            materialized: None,
        };
        Cte {
            definition: Arc::new(definition),
            fields,
            itself: false,
            _p: std::marker::PhantomData,
        }
    }
    /// Computed once and kept, whatever the conditions around it: `MATERIALIZED`.
    pub fn materialized(mut self) -> Self {
        Arc::make_mut(&mut self.definition).materialized = Some(true);
        self
    }
    /// Not kept: the database may compute it where it is used, under the conditions there: `NOT MATERIALIZED`.
    pub fn not_materialized(mut self) -> Self {
        Arc::make_mut(&mut self.definition).materialized = Some(false);
        self
    }
    /// Equal rows once: `UNION` instead of `UNION ALL` in a [`recursive`] one, which so ends on a ring in the data.
    pub fn distinct(mut self) -> Self {
        let definition = Arc::make_mut(&mut self.definition);
        if let Statement::Select(select) = &mut definition.body {
            match select.compound.last_mut() {
                Some(last) if definition.recursive => last.all = false,
                _ => select.distinct = ast::Distinct::Yes,
            }
        }
        self
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, O: SourceRow> IntoSource for Cte<M, O> {
    type Row = O;
    fn into_source(self, _: Place) -> Reference {
        let item = match self.itself {
            true => FromItem::Cte(self.definition.name),
            false => FromItem::Common(self.definition),
        };
        Reference::of(item, self.fields)
    }
}
#[diagnostic::do_not_recommend]
impl<M: Model, O: SourceRow> Root for Cte<M, O> {
    type Model = M;
}
#[diagnostic::do_not_recommend]
impl<M: Model, O: SourceRow> IntoSource for &Cte<M, O> {
    type Row = O;
    fn into_source(self, place: Place) -> Reference {
        self.clone().into_source(place)
    }
}
#[diagnostic::do_not_recommend]
impl<M: Model, O: SourceRow> Root for &Cte<M, O> {
    type Model = M;
}
