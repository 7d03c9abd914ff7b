//! Queries as sources of other queries: derived tables, and expressions of the outer query inside an inner one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::ast::types::type_of;
use crate::ast::{self, Distinct, Expr as Node, FromItem, JoinKind, Select, Source, TableRef, numbered};
use crate::model::{Model, Rel};
use crate::query::select::table_ref;
use crate::query::{Aggregates, Col, Cond, Expr, Filter, Grouped, Join, Orders, Query, Selection, kind};
use crate::relation::Related;
use crate::schema::{Column, Default, Role};
use crate::value::{Output, Scalar, SqlType, Type};

/// A row that another query can read from: a column value, a tuple of them, or a model.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row that another query can read from",
    label = "expected a query of columns, of a tuple of at most 12 columns, or of a model",
    note = "select columns before the query becomes a source: `.select(|m| (m.id, m.name))`"
)]
pub trait SourceRow: Output {
    /// The row without `Option`s: what it is compared as.
    type Base;
    /// Its columns in a query rooted at `S`.
    type Cols<S>: Copy;
    /// The same where the row may be absent: beside an outer join.
    type Maybe<S>: Copy;
    /// The columns.
    fn cols<S>(fields: &Fields) -> Self::Cols<S>;
    /// The columns of a row that may be absent.
    fn maybe<S>(fields: &Fields) -> Self::Maybe<S>;
}

/// The columns of a source. Called by generated code.
pub struct Fields {
    source: Source,
    list: Arc<[Field]>,
}

/// A column of a source.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Field {
    name: &'static str,
    ty: Type,
    sensitive: bool,
}

impl Fields {
    pub(crate) fn new(source: Source, list: &FieldList) -> Self {
        Fields {
            source,
            list: list.0.clone(),
        }
    }
    /// The table reference they belong to.
    pub fn source(&self) -> Source {
        self.source
    }
    /// Those of the first table of a select over all columns of a query.
    pub(crate) fn of(select: &Select) -> Self {
        Fields::new(select.root(), &FieldList::of(select))
    }
    /// The same of another table reference.
    pub(crate) fn at(&self, source: Source) -> Self {
        Fields {
            source,
            list: self.list.clone(),
        }
    }
    fn col<S, T: SqlType>(&self, i: usize) -> Col<S, T, kind::Derived> {
        // there are as many as the row has values: both come from one selection
        let field = self.list.get(i).copied().unwrap_or(Field {
            name: "",
            ty: T::TYPE,
            sensitive: false,
        });
        Col::new(self.source, described(field, T::NULLABLE))
    }
}

/// The columns of a source, wherever it is referred to.
#[derive(Clone)]
pub struct FieldList(Arc<[Field]>);

impl FieldList {
    /// Those of a select: named as the columns are where no other is called so, else by their position.
    pub(crate) fn of(select: &Select) -> Self {
        FieldList::of_nodes(&select.columns)
    }
    /// Those of a list of what is selected.
    pub(crate) fn of_nodes(columns: &[Node]) -> Self {
        let mut list: Vec<Field> = Vec::with_capacity(columns.len());
        for (i, node) in columns.iter().enumerate() {
            let (name, sensitive) = match node {
                Node::Column(_, column) => (column.name, column.sensitive),
                _ => ("", false),
            };
            let free = |name: &&'static str| !list.iter().any(|f| f.name.eq_ignore_ascii_case(name));
            let own = Some(name).filter(|name| !name.is_empty()).filter(free);
            // a column of a table may be called as ours are
            let name = own
                .or_else(|| (i..=2 * i + 1).map(numbered).find(free))
                .unwrap_or(name);
            list.push(Field {
                name,
                ty: type_of(node),
                sensitive,
            });
        }
        FieldList(list.into())
    }
    /// Those of rows from memory.
    pub(crate) fn typed(types: impl IntoIterator<Item = Type>) -> Self {
        let field = |(i, ty)| Field {
            name: numbered(i),
            ty,
            sensitive: false,
        };
        FieldList(types.into_iter().enumerate().map(field).collect())
    }
    /// One column of this name.
    pub(crate) fn one(name: &'static str, ty: Type) -> Self {
        let sensitive = false;
        FieldList([Field { name, ty, sensitive }].into())
    }
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|f| f.name).collect()
    }
}

/// What describes a column of a derived table. Statements refer to columns by address, so each is described once and
/// for all: there are as many as the program's queries have different ones.
fn described(field: Field, nullable: bool) -> &'static Column {
    type Known = Mutex<Option<HashMap<(Field, bool), &'static Column>>>;
    static KNOWN: Known = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known
        .get_or_insert_default()
        .entry((field, nullable))
        .or_insert_with(|| {
            Box::leak(Box::new(Column {
                column: ast::Column {
                    name: field.name,
                    ty: field.ty,
                    nullable,
                    sensitive: field.sensitive,
                    system: false,
                    part: 0,
                },
                field: field.name,
                types: &[],
                default: Default::None,
                generated: None,
                validator: None,
                role: Role::Plain,
                index: false,
                check: None,
                comment: "",
            }))
        })
}

#[diagnostic::do_not_recommend]
impl<T: Scalar> SourceRow for T {
    type Base = T;
    type Cols<S> = Col<S, T, kind::Derived>;
    type Maybe<S> = Col<S, Option<T>, kind::Derived>;
    fn cols<S>(fields: &Fields) -> Self::Cols<S> {
        fields.col(0)
    }
    fn maybe<S>(fields: &Fields) -> Self::Maybe<S> {
        fields.col(0)
    }
}
#[diagnostic::do_not_recommend]
impl<T: Scalar> SourceRow for Option<T> {
    type Base = T;
    type Cols<S> = Col<S, Option<T>, kind::Derived>;
    type Maybe<S> = Col<S, Option<T>, kind::Derived>;
    fn cols<S>(fields: &Fields) -> Self::Cols<S> {
        fields.col(0)
    }
    fn maybe<S>(fields: &Fields) -> Self::Maybe<S> {
        fields.col(0)
    }
}
macro_rules! tuple {
    ($($T:ident $i:literal)+) => {
        #[diagnostic::do_not_recommend]
        impl<$($T: SqlType),+> SourceRow for ($($T,)+) {
            type Base = ($($T::Base,)+);
            type Cols<S> = ($(Col<S, $T, kind::Derived>,)+);
            type Maybe<S> = ($(Col<S, Option<$T::Base>, kind::Derived>,)+);
            fn cols<S>(fields: &Fields) -> Self::Cols<S> {
                ($(fields.col($i),)+)
            }
            fn maybe<S>(fields: &Fields) -> Self::Maybe<S> {
                ($(fields.col($i),)+)
            }
        }
    };
}
tuple!(A 0);
tuple!(A 0 B 1);
tuple!(A 0 B 1 C 2);
tuple!(A 0 B 1 C 2 D 3);
tuple!(A 0 B 1 C 2 D 3 E 4);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11);

/// What a query can be made from, or joined to: another query.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not something to select from",
    label = "expected a query: `Post::query()`, or one that selects columns"
)]
pub trait IntoSource {
    /// What its rows are.
    type Row: SourceRow;
    /// As a table reference.
    #[doc(hidden)]
    fn into_source(self, place: Place) -> Reference;
}

/// A source that a query can begin with.
#[diagnostic::on_unimplemented(
    message = "a query cannot begin with `{Self}`",
    label = "expected a query, a common table expression or rows from memory"
)]
pub trait Root: IntoSource {
    /// The model that a handle must serve to read it.
    type Model: Model;
}

/// Where a source stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The conditions of its query may stand beside the table instead of around it.
    pub(crate) open: bool,
    /// It sees the sources before it.
    pub(crate) lateral: bool,
}

impl Place {
    /// It is made for each row before it.
    pub(crate) const LATERAL: Place = Place {
        open: true,
        lateral: true,
    };
    pub(crate) fn is_lateral(self) -> bool {
        self.lateral
    }
    /// In FROM, or joined in this way.
    pub(crate) fn joined(kind: JoinKind) -> Self {
        Place {
            // what an outer join keeps must be restricted before
            open: !matches!(kind, JoinKind::Right | JoinKind::Full),
            lateral: false,
        }
    }
}

/// A reference to a source.
pub struct Reference {
    pub(crate) table: TableRef,
    /// Conditions on it that are not in the table yet.
    pub(crate) filter: Vec<Node>,
    pub(crate) fields: FieldList,
}

impl Reference {
    /// To this select as a derived table.
    pub(crate) fn derived(query: Box<Select>, lateral: bool) -> Self {
        let fields = FieldList::of(&query);
        let columns = fields.names();
        let item = FromItem::Query {
            query,
            columns,
            lateral,
        };
        Reference::of(item, fields)
    }
    pub(crate) fn of(item: FromItem, fields: FieldList) -> Self {
        Reference {
            table: TableRef::unguarded(Source::fresh(), item),
            filter: Vec::new(),
            fields,
        }
    }
    pub(crate) fn fields(&self) -> Fields {
        Fields::new(self.table.source, &self.fields)
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, O: SourceRow> Root for Query<M, O> {
    type Model = M;
}
#[diagnostic::do_not_recommend]
impl<M: Model, O: SourceRow> IntoSource for Query<M, O> {
    type Row = O;
    fn into_source(self, place: Place) -> Reference {
        let ast = self.into_ast();
        if !is_bare::<M>(&ast, place) {
            return Reference::derived(ast, place.lateral);
        }
        let fields = FieldList::of(&ast);
        let Select { from, filter, .. } = *ast;
        Reference {
            table: from.unwrap_or_else(|| table_ref::<M>(Source::fresh())),
            filter,
            fields,
        }
    }
}

/// The columns of a reference.
pub(crate) fn nodes_of(reference: &Reference) -> Vec<Node> {
    let source = reference.table.source;
    let column = |f: &Field| Node::Column(source, &described(*f, true).column);
    reference.fields.0.iter().map(column).collect()
}

/// Whether the select is the table itself, with nothing but conditions that may stand elsewhere.
fn is_bare<M: Model>(s: &Select, place: Place) -> bool {
    let Select {
        with,
        distinct,
        columns,
        from,
        joins,
        filter,
        group,
        having,
        windows,
        compound,
        order,
        limit,
        offset,
        lock,
        fault,
    } = s;
    let Some(from) = from else { return false };
    let all = &M::TABLE.columns[..M::TABLE.fields];
    let whole = columns.len() == all.len()
        && columns.iter().zip(all).all(|(node, column)| {
            matches!(node, Node::Column(source, c) if *source == from.source && std::ptr::eq(*c, &column.column))
        });
    whole
        && matches!(from.item, FromItem::Table(_))
        // conditions of a query of the past are of that time
        && from.guard.as_of.is_none()
        && (place.open || filter.is_empty())
        && with.is_empty()
        && matches!(distinct, Distinct::No)
        && joins.is_empty()
        && group.is_empty()
        && having.is_empty()
        && windows.is_empty()
        && compound.is_empty()
        && order.is_empty()
        && limit.is_none()
        && offset.is_none()
        && lock.is_none()
        && fault.is_none()
}

impl<S, T, K> Col<S, T, K> {
    /// This column in a query inside the closure: that of the outer query's row. The query stands in a condition, in a
    /// selection or in a lateral join, and is correlated by it.
    ///
    /// ```
    /// # use orm_core::{model::Model, query::{Col, Query, exists}};
    /// # fn build<User: Model, Order: Model>(users: Query<User>, orders: fn() -> Query<Order>,
    /// #     id: fn(User::Cols<User>) -> Col<User, i64>, by: fn(Order::Cols<Order>) -> Col<Order, i64>) -> Query<User> {
    /// // users.filter(|u| exists(Order::query().filter(|o| o.user_id.eq(u.id.outer()))))
    /// users.filter(|u| exists(orders().filter(|o| by(o).eq(id(u).outer()))))
    /// # }
    /// ```
    ///
    /// ```sql
    /// SELECT … FROM "users" AS t0 WHERE EXISTS (SELECT 1 FROM "orders" AS t1 WHERE t1."user_id" = t0."id")
    /// ```
    ///
    /// Anywhere else it is an `InvalidQuery` error when the query is rendered.
    pub fn outer<N>(self) -> Expr<N, T> {
        Expr::new(self.node())
    }
}
impl<S, T: SqlType, K> Col<S, T, K> {
    /// The same as a value that may be NULL: beside one that is, in the rows of several queries.
    pub fn nullable(self) -> Expr<S, Option<T::Base>> {
        Expr::new(self.node())
    }
}
impl<S, T: SqlType> Expr<S, T> {
    /// See [`Col::nullable`].
    pub fn nullable(self) -> Expr<S, Option<T::Base>> {
        Expr::new(self.into_node())
    }
}
impl<S, T> Expr<S, T> {
    /// See [`Col::outer`].
    pub fn outer<N>(self) -> Expr<N, T> {
        Expr::new(self.into_node())
    }
}

/// The query yields a row: `EXISTS (SELECT ..)`; `.not()` for none. The query may refer to the row that the condition is
/// about, with [`outer`](Col::outer). For related rows there is `.any(..)`.
///
/// What it selects does not matter, and neither does its order.
pub fn exists<S>(query: impl AnyQuery) -> Filter<S> {
    let mut ast = query.into_select();
    ast.order.clear();
    let rows = ast.group.is_empty() && ast.compound.is_empty() && matches!(ast.distinct, Distinct::No);
    // aggregates of no rows are a row, whatever else is selected
    if rows && !ast.columns.iter().any(|c| matches!(c, Node::Aggregate(_))) {
        ast.columns = vec![Node::one()];
    }
    Expr::new(Node::Exists(Box::new(*ast)))
}

/// A query as a value: of a model's rows, of columns, or of several queries together.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a query",
    label = "expected a query, such as `Post::query()`"
)]
pub trait AnyQuery {
    /// The model that a handle must serve to run it.
    type Model: Model;
    /// What its rows are.
    type Row;
    /// As data.
    #[doc(hidden)]
    fn into_select(self) -> Box<Select>;
}
#[diagnostic::do_not_recommend]
impl<M: Model, O> AnyQuery for Query<M, O> {
    type Model = M;
    type Row = O;
    fn into_select(self) -> Box<Select> {
        self.into_ast()
    }
}

#[diagnostic::do_not_recommend]
impl<R: Rel> AnyQuery for Related<R> {
    type Model = R::Child;
    type Row = R::Child;
    fn into_select(self) -> Box<Select> {
        self.query().into_ast()
    }
}
#[diagnostic::do_not_recommend]
impl<R: Rel<Child: SourceRow>> IntoSource for Related<R> {
    type Row = R::Child;
    fn into_source(self, place: Place) -> Reference {
        self.query().into_source(place)
    }
}
#[diagnostic::do_not_recommend]
impl<R: Rel<Child: SourceRow>> Root for Related<R> {
    type Model = R::Child;
}

impl<M: Model, T: SqlType> Query<M, T> {
    /// The value that this query selects, as an expression of another one: NULL where it has no row. It may refer to the
    /// other's row with [`outer`](Col::outer).
    ///
    /// It has one row at most: an aggregate has, and so has a query by a unique key. Of more than one row PostgreSQL makes
    /// an error, and SQLite takes the first.
    ///
    /// ```sql
    /// SELECT t0."name", (SELECT max(t1."total") FROM "orders" AS t1 WHERE t1."user_id" = t0."id") FROM "users" AS t0
    /// ```
    pub fn expr<S>(self) -> Expr<S, Option<T::Base>> {
        Expr::new(Node::Subquery(self.into_ast()))
    }
}

/// A query over the rows of another one: `SELECT .. FROM (SELECT ..)`. Its closures get the columns of those rows, in a
/// tuple as they were selected.
///
/// ```
/// # use orm_core::{model::Model, query::{Query, from}};
/// # fn build<User: Model>(posts_per_user: Query<User, (i64, i64)>) -> Query<User, (i64, i64)> {
/// // how many users have how many posts
/// from(posts_per_user).group_by(|(_, posts)| posts).select(|g| (g.key(), g.count()))
/// # }
/// ```
///
/// ```sql
/// SELECT t0."_2", count(*) FROM (SELECT …) AS t0 GROUP BY t0."_2"
/// ```
pub fn from<Q: Root>(source: Q) -> Derived<Q::Model, <Q::Row as SourceRow>::Cols<Q::Model>> {
    let reference = source.into_source(Place {
        open: true,
        lateral: false,
    });
    let fields = reference.fields();
    let mut ast = Select::from(reference.table);
    ast.filter = reference.filter;
    Derived {
        join: Join::over(Box::new(ast), fields, <Q::Row as SourceRow>::cols),
    }
}

/// A query over the rows of another one, before `.select(..)` says what they become: see [`from`].
#[must_use = "a query does nothing until `.select(..)` and a method such as `.all(&db)`"]
pub struct Derived<M: Model, C> {
    join: Join<M, (C,)>,
}

impl<M: Model, C: Copy + 'static> Clone for Derived<M, C> {
    fn clone(&self) -> Self {
        Derived {
            join: self.join.clone(),
        }
    }
}

impl<M: Model, C: Copy + 'static> Derived<M, C> {
    /// Only rows that meet the condition.
    pub fn filter<P: Cond<M>>(self, f: impl FnOnce(C) -> P) -> Self {
        Derived {
            join: self.join.filter(|(c,)| f(c)),
        }
    }
    /// As [`filter`](Derived::filter) when there is a value, else nothing.
    pub fn filter_some<V, P: Cond<M>>(self, value: Option<V>, f: impl FnOnce(C, V) -> P) -> Self {
        match value {
            Some(v) => self.filter(|c| f(c, v)),
            None => self,
        }
    }
    /// Adds to the order.
    pub fn order_by<T: Orders<M>>(self, f: impl FnOnce(C) -> T) -> Self {
        Derived {
            join: self.join.order_by(|(c,)| f(c)),
        }
    }
    /// At most so many rows.
    pub fn limit(self, n: u64) -> Self {
        Derived {
            join: self.join.limit(n),
        }
    }
    /// Without the first so many rows.
    pub fn offset(self, n: u64) -> Self {
        Derived {
            join: self.join.offset(n),
        }
    }
    /// Equal rows once.
    pub fn distinct(self) -> Self {
        Derived {
            join: self.join.distinct(),
        }
    }
    /// The first row of those with the same values of these columns: see [`Query::distinct_on`].
    pub fn distinct_on<T: Selection<M>>(self, f: impl FnOnce(C) -> T) -> Self {
        Derived {
            join: self.join.distinct_on(|(c,)| f(c)),
        }
    }
    /// What a row becomes.
    pub fn select<T: Selection<M>>(self, f: impl FnOnce(C) -> T) -> Query<M, T::Out> {
        self.join.select(|(c,)| f(c))
    }
    /// One row of aggregates over all rows.
    pub fn aggregate<T: Aggregates<M>>(self, f: impl FnOnce(C) -> T) -> Query<M, T::Out> {
        self.join.aggregate(|(c,)| f(c))
    }
    /// Groups rows by a column, an expression, or a tuple of them.
    pub fn group_by<K: Selection<M> + Clone>(self, f: impl FnOnce(C) -> K) -> Grouped<M, C, K> {
        self.join.group_first(f)
    }
    /// To join other sources to it: their columns stand beside these in a tuple.
    pub fn joined(self) -> Join<M, (C,)> {
        self.join
    }
    /// See [`Query::join_on`].
    pub fn join_on<N: IntoSource, P: Cond<M>>(
        self,
        other: N,
        f: impl FnOnce(C, ColsOf<N, M>) -> P,
    ) -> Join<M, (C, ColsOf<N, M>)> {
        self.join.join_on(other, |(c,), n| f(c, n))
    }
    /// See [`Query::left_join_on`].
    pub fn left_join_on<N: IntoSource, P: Cond<M>>(
        self,
        other: N,
        f: impl FnOnce(C, ColsOf<N, M>) -> P,
    ) -> Join<M, (C, MaybeOf<N, M>)> {
        self.join.left_join_on(other, |(c,), n| f(c, n))
    }
    /// See [`Query::cross_join`].
    pub fn cross_join<N: IntoSource>(self, other: N) -> Join<M, (C, ColsOf<N, M>)> {
        self.join.cross_join(other)
    }
}

/// The columns of a source in a query rooted at `S`.
pub type ColsOf<N, S> = <<N as IntoSource>::Row as SourceRow>::Cols<S>;
/// The same where the row may be absent.
pub type MaybeOf<N, S> = <<N as IntoSource>::Row as SourceRow>::Maybe<S>;
