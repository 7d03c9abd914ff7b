//! Queries over several tables.

use std::sync::Arc;

use crate::ast::{
    Deleted, Distinct, Expr as Node, FromItem, Guard, Join as NodeJoin, JoinKind, Lock, LockStrength,
    LockWait, Select, Source, TableRef, Unfiltered, renumber, sources_in,
};
use crate::model::{Cardinality, Embed, Maybe, Model, Rel};
use crate::query::source::{Fields, Place, Reference};
use crate::query::{
    Aggregates, ColsOf, Cond, EmbedCol, Expr, Grouped, IntoExpr, IntoSource, MaybeOf, Orders, Phantom, Query,
    Selection, SourceRow,
};
use crate::relation::{self, RelRef};
use crate::value::SqlType;

/// A query over joined tables; `C` is the tuple of their columns. Ends with `.select(..)`.
#[must_use = "a join does nothing until `.select(..)` and a method such as `.all(&db)`"]
pub struct Join<M: Model, C> {
    ast: Box<Select>,
    cols: C,
    /// The table references that the columns stand for, in their order.
    sources: Vec<Source>,
    columns: ColumnsOf<C>,
    /// Joined sources that nothing connects with another one yet.
    loose: Vec<(Source, &'static str)>,
    _p: Phantom<M>,
}

/// Makes the columns of other table references, for a clone.
type ColumnsOf<C> = Arc<dyn Fn(&[Source]) -> C + Send + Sync>;

impl<M: Model, C> Clone for Join<M, C> {
    /// The clone is over rows of its own: it may stand inside the original, or beside it.
    fn clone(&self) -> Self {
        let mut ast = self.ast.clone();
        let map = renumber(&mut ast);
        let renumbered = |old: &Source| {
            map.iter()
                .find(|(from, _)| from == old)
                .map_or(*old, |(_, to)| *to)
        };
        let sources: Vec<Source> = self.sources.iter().map(renumbered).collect();
        let loose = self.loose.iter().map(|(s, name)| (renumbered(s), *name));
        Join {
            cols: (self.columns)(&sources),
            columns: self.columns.clone(),
            loose: loose.collect(),
            ast,
            sources,
            _p: std::marker::PhantomData,
        }
    }
}

fn nth(sources: &[Source], n: usize) -> Source {
    sources.get(n).copied().unwrap_or(Source::ROOT)
}

/// The columns of a left-joined table: read through [`map`](Opt::map), as `Option`.
pub struct Opt<C>(C);
impl<C: Copy> Clone for Opt<C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<C: Copy> Copy for Opt<C> {}
impl<C> Opt<C> {
    /// Called by generated code.
    pub const fn new(cols: C) -> Self {
        Opt(cols)
    }
    /// A column or expression of the joined row, `None` when there is none.
    pub fn map<S, X: IntoExpr<S>>(self, f: impl FnOnce(C) -> X) -> Expr<S, Option<<X::T as SqlType>::Base>> {
        Expr::new(f(self.0).into_expr().into_node())
    }
    /// An embedded struct of the joined row as a whole, `None` when there is no row.
    pub fn embed<S, E: Embed, K: Cardinality>(
        self,
        f: impl FnOnce(C) -> EmbedCol<S, E, K>,
    ) -> EmbedCol<S, E, Maybe> {
        f(self.0).maybe()
    }
    /// A relation of the joined row, to join further.
    pub fn rel<S, R>(self, f: impl FnOnce(C) -> RelRef<S, R>) -> RelRef<S, R> {
        f(self.0)
    }
}

impl<M: Model> Join<M, (M::Cols<M>,)> {
    /// The query on one table, to join others to.
    pub(crate) fn new(ast: Box<Select>) -> Self {
        Join::on_first(ast, M::cols)
    }
}

impl<M: Model, C: Copy + 'static> Join<M, (C,)> {
    /// The query on one source, to join others to.
    pub(crate) fn over(ast: Box<Select>, fields: Fields, cols: fn(&Fields) -> C) -> Self {
        Join::on_first(ast, move |source| cols(&fields.at(source)))
    }
    fn on_first(ast: Box<Select>, cols: impl Fn(Source) -> C + Send + Sync + 'static) -> Self {
        let sources = vec![ast.root()];
        let columns: ColumnsOf<(C,)> = Arc::new(move |sources| (cols(nth(sources, 0)),));
        Join {
            cols: columns(&sources),
            ast,
            sources,
            columns,
            loose: Vec::new(),
            _p: std::marker::PhantomData,
        }
    }
    /// As [`group_by`](Join::group_by), of the only source.
    pub(crate) fn group_first<K: Selection<M> + Clone>(self, f: impl FnOnce(C) -> K) -> Grouped<M, C, K> {
        let (cols,) = self.cols;
        Grouped::new(self.finished(), cols, f(cols))
    }
}

const LOOSE: &str = "no condition connects it with the rest of the query, so that every row would meet every other one: \
    compare columns of both, or say `.cross_join(..)`";

impl<M: Model, C> Join<M, C> {
    /// The statement, in which every joined source is connected with another one.
    fn finished(mut self) -> Box<Select> {
        let Select { filter, fault, .. } = &mut *self.ast;
        for (source, name) in &self.loose {
            if !filter.iter_mut().any(|condition| connects(condition, *source)) {
                let text = format!("the source `{name}` is joined, but {LOOSE}");
                fault.get_or_insert(text.into());
            }
        }
        self.ast
    }
}

/// Whether the condition is about this source and another one.
fn connects(condition: &mut Node, source: Source) -> bool {
    let (mut own, mut other) = (false, false);
    match condition {
        // each condition of several that hold may connect them
        Node::All(list) => return list.iter_mut().any(|c| connects(c, source)),
        condition => sources_in(condition, &mut |s| {
            own |= s == source;
            other |= s != source;
        }),
    }
    own && other
}

impl<M: Model, C: Copy> Join<M, C> {
    pub(crate) fn into_table(self) -> (Box<Select>, C) {
        let cols = self.cols;
        (self.finished(), cols)
    }
    /// The first table, and the columns of all.
    pub(crate) fn root(&self) -> Source {
        self.ast.root()
    }
    pub(crate) fn columns(&self) -> C {
        self.cols
    }
    pub(crate) fn parts_mut(&mut self) -> (&mut Select, C) {
        (&mut self.ast, self.cols)
    }
    /// Only rows that meet the condition.
    pub fn filter<P: Cond<M>>(mut self, f: impl FnOnce(C) -> P) -> Self {
        self.ast.filter.push(f(self.cols).into_cond());
        self
    }
    /// As [`filter`](Join::filter) when there is a value, else nothing.
    pub fn filter_some<V, P: Cond<M>>(self, value: Option<V>, f: impl FnOnce(C, V) -> P) -> Self {
        match value {
            Some(v) => self.filter(|c| f(c, v)),
            None => self,
        }
    }
    /// Adds to the order.
    pub fn order_by<T: Orders<M>>(mut self, f: impl FnOnce(C) -> T) -> Self {
        f(self.cols).add_to(&mut self.ast.order);
        self
    }
    /// At most so many rows.
    pub fn limit(mut self, n: u64) -> Self {
        self.ast.limit = Some(n);
        self
    }
    /// Without the first so many rows.
    pub fn offset(mut self, n: u64) -> Self {
        self.ast.offset = Some(n);
        self
    }
    /// Equal rows once.
    pub fn distinct(mut self) -> Self {
        self.ast.distinct = Distinct::Yes;
        self
    }
    /// The first row, in the order of the query, of those with the same values of these columns: see
    /// [`Query::distinct_on`].
    pub fn distinct_on<T: Selection<M>>(mut self, f: impl FnOnce(C) -> T) -> Self {
        let mut on = Vec::new();
        f(self.cols).push(&mut on);
        self.ast.distinct = Distinct::On(on);
        self
    }
    fn lock_of<T: Selection<M>>(mut self, strength: LockStrength, f: impl FnOnce(C) -> T) -> Self {
        let (mut nodes, mut of) = (Vec::new(), Vec::new());
        f(self.cols).push(&mut nodes);
        for node in &mut nodes {
            sources_in(node, &mut |source| {
                if !of.contains(&source) {
                    of.push(source);
                }
            });
        }
        let wait = LockWait::Wait;
        self.ast.lock = Some(Lock { strength, of, wait });
        self
    }
    /// Locks the rows of these tables against writers until the transaction ends: `FOR UPDATE OF ..`. The closure returns the
    /// columns of a table, or of several in a tuple. A table that an outer join may lack is none of them. On SQLite a write
    /// transaction already holds the only write lock, and nothing is added.
    ///
    /// ```sql
    /// -- Post::query().join(|p| p.author).for_update_of(|(p, _)| p).select(|(p, a)| (p.id, a.name)).skip_locked()
    /// SELECT t0."id", t1."name" FROM "posts" AS t0 JOIN "users" AS t1 ON t1."id" = t0."author_id" FOR UPDATE OF t0 SKIP LOCKED
    /// ```
    pub fn for_update_of<T: Selection<M>>(self, f: impl FnOnce(C) -> T) -> Self {
        self.lock_of(LockStrength::Update, f)
    }
    /// As [`for_update_of`](Join::for_update_of), but others may lock the rows in the same way: `FOR SHARE OF ..`.
    pub fn for_share_of<T: Selection<M>>(self, f: impl FnOnce(C) -> T) -> Self {
        self.lock_of(LockStrength::Share, f)
    }
    /// As [`for_update_of`](Join::for_update_of), for changes that leave the keys alone: `FOR NO KEY UPDATE OF ..`.
    pub fn for_no_key_update_of<T: Selection<M>>(self, f: impl FnOnce(C) -> T) -> Self {
        self.lock_of(LockStrength::NoKeyUpdate, f)
    }
    /// Keeps the rows and their keys, and nothing else, as they are: `FOR KEY SHARE OF ..`.
    pub fn for_key_share_of<T: Selection<M>>(self, f: impl FnOnce(C) -> T) -> Self {
        self.lock_of(LockStrength::KeyShare, f)
    }
    /// With a lock: fails with `LockTimeout` when a row is locked already.
    pub fn no_wait(mut self) -> Self {
        self.ast.wait(LockWait::NoWait);
        self
    }
    /// With a lock: leaves out rows that are locked already.
    pub fn skip_locked(mut self) -> Self {
        self.ast.wait(LockWait::SkipLocked);
        self
    }
    /// What a row becomes.
    pub fn select<T: Selection<M>>(mut self, f: impl FnOnce(C) -> T) -> Query<M, T::Out> {
        self.ast.columns.clear();
        f(self.cols).push(&mut self.ast.columns);
        Query::from_ast(self.finished())
    }
    /// One row of aggregates over all rows.
    pub fn aggregate<T: Aggregates<M>>(mut self, f: impl FnOnce(C) -> T) -> Query<M, T::Out> {
        self.ast.columns.clear();
        f(self.cols).push(&mut self.ast.columns);
        Query::from_ast(self.finished())
    }
    /// Groups rows by a column, an expression, or a tuple of them.
    pub fn group_by<K: Selection<M> + Clone>(self, f: impl FnOnce(C) -> K) -> Grouped<M, C, K> {
        let cols = self.cols;
        Grouped::new(self.finished(), cols, f(cols))
    }
}

/// A joined table sees its live rows that meet its filters; only a required relation shows the others, or its parents
/// would vanish.
pub(crate) fn guard_of(def: &crate::schema::RelationDef) -> Guard {
    let (deleted, unfiltered) = match def.required {
        true => (Deleted::Included, Unfiltered::ALL),
        false => (Deleted::Hidden, Unfiltered::NONE),
    };
    Guard {
        deleted,
        unfiltered,
        ..Guard::default()
    }
}

/// A reference to the related table of a relation.
pub(crate) fn related_table(def: &crate::schema::RelationDef, source: Source) -> TableRef {
    TableRef {
        source,
        item: FromItem::Table(&(def.table)().table),
        guard: guard_of(def),
    }
}

/// The columns of the joined sources, as a tuple that takes one more.
pub trait Sources: Copy + 'static {
    /// With one more.
    type And<T: Copy + 'static>: Copy + 'static;
    /// Where all of them may be absent.
    type Opt: Copy + 'static;
    /// Adds one more.
    fn and<T: Copy + 'static>(self, more: T) -> Self::And<T>;
    /// Where all of them may be absent.
    fn opt(self) -> Self::Opt;
}

impl<M: Model, C: Sources> Join<M, C> {
    /// Adds the columns of one more source; `before` says what becomes of those so far.
    fn and<B: Sources, T: Copy + 'static>(
        mut self,
        source: Source,
        before: fn(C) -> B,
        cols: impl Fn(Source) -> T + Send + Sync + 'static,
    ) -> Join<M, B::And<T>> {
        let (n, columns) = (self.sources.len(), self.columns);
        self.sources.push(source);
        Join {
            ast: self.ast,
            cols: before(self.cols).and(cols(source)),
            sources: self.sources,
            columns: Arc::new(move |sources| before(columns(sources)).and(cols(nth(sources, n)))),
            loose: self.loose,
            _p: std::marker::PhantomData,
        }
    }
    fn relation<R: Rel, B: Sources, T: Copy + 'static>(
        mut self,
        kind: JoinKind,
        f: impl FnOnce(C) -> RelRef<M, R>,
        before: fn(C) -> B,
        cols: fn(Source) -> T,
    ) -> Join<M, B::And<T>> {
        let (relation, child) = (f(self.cols), Source::fresh());
        let (parent, unfiltered) = (relation.source(), relation.unfiltered());
        let joins = relation::joins(R::DEF, parent, child, kind, unfiltered);
        self.ast.joins.extend(joins);
        self.and(child, before, cols)
    }
    fn source<P: Cond<M>, B: Sources, T: Copy + 'static>(
        mut self,
        kind: JoinKind,
        reference: Reference,
        on: impl FnOnce(&Fields, C) -> Option<P>,
        before: fn(C) -> B,
        cols: fn(&Fields) -> T,
    ) -> Join<M, B::And<T>> {
        let fields = reference.fields();
        let Reference { table, filter, .. } = reference;
        let source = table.source;
        let mut on: Vec<Node> = on(&fields, self.cols).map(Cond::into_cond).into_iter().collect();
        let lateral = matches!(
            table.item,
            FromItem::Query { lateral: true, .. } | FromItem::Unnest { .. }
        );
        let mut connected = lateral || kind == JoinKind::Cross;
        connected |= on.iter_mut().any(|condition| connects(condition, source));
        if !connected {
            self.loose.push((source, name_of(&table)));
        }
        match kind {
            JoinKind::Cross => self.ast.filter.extend(filter),
            _ => on.extend(filter),
        }
        self.ast.joins.push(NodeJoin { kind, table, on });
        self.and(source, before, move |source| cols(&fields.at(source)))
    }
    /// Joins related rows; rows without one are left out.
    pub fn join<R: Rel>(
        self,
        f: impl FnOnce(C) -> RelRef<M, R>,
    ) -> Join<M, C::And<<R::Child as Model>::Cols<M>>> {
        self.relation(JoinKind::Inner, f, |c| c, R::Child::cols)
    }
    /// Joins related rows; rows without one stay, with NULLs.
    pub fn left_join<R: Rel>(
        self,
        f: impl FnOnce(C) -> RelRef<M, R>,
    ) -> Join<M, C::And<Opt<<R::Child as Model>::Cols<M>>>> {
        self.relation(JoinKind::Left, f, |c| c, |source| Opt(R::Child::cols(source)))
    }
    /// Joins related rows, all of them: what is before it has NULLs where nothing leads to one.
    pub fn right_join<R: Rel>(
        self,
        f: impl FnOnce(C) -> RelRef<M, R>,
    ) -> Join<M, <C::Opt as Sources>::And<<R::Child as Model>::Cols<M>>>
    where
        C::Opt: Sources,
    {
        self.relation(JoinKind::Right, f, C::opt, R::Child::cols)
    }
    /// Joins related rows, all of both sides, with NULLs where the other has none.
    pub fn full_join<R: Rel>(
        self,
        f: impl FnOnce(C) -> RelRef<M, R>,
    ) -> Join<M, <C::Opt as Sources>::And<Opt<<R::Child as Model>::Cols<M>>>>
    where
        C::Opt: Sources,
    {
        self.relation(JoinKind::Full, f, C::opt, |source| Opt(R::Child::cols(source)))
    }
    /// Joins any query on a condition: `Post::query()`, one that is filtered, grouped or limited, the same model once
    /// more.
    pub fn join_on<N: IntoSource, P: Cond<M>>(
        self,
        other: N,
        f: impl FnOnce(C, ColsOf<N, M>) -> P,
    ) -> Join<M, C::And<ColsOf<N, M>>> {
        let kind = JoinKind::Inner;
        let reference = other.into_source(Place::joined(kind));
        let on = |fields: &Fields, c| Some(f(c, N::Row::cols(fields)));
        self.source(kind, reference, on, |c| c, N::Row::cols)
    }
    /// Joins any query on a condition; rows without a match stay, with NULLs.
    pub fn left_join_on<N: IntoSource, P: Cond<M>>(
        self,
        other: N,
        f: impl FnOnce(C, ColsOf<N, M>) -> P,
    ) -> Join<M, C::And<MaybeOf<N, M>>> {
        let kind = JoinKind::Left;
        let reference = other.into_source(Place::joined(kind));
        let on = |fields: &Fields, c| Some(f(c, N::Row::cols(fields)));
        self.source(kind, reference, on, |c| c, N::Row::maybe)
    }
    /// Joins any query on a condition, all of its rows: what is before it has NULLs where none matches.
    pub fn right_join_on<N: IntoSource, P: Cond<M>>(
        self,
        other: N,
        f: impl FnOnce(C, ColsOf<N, M>) -> P,
    ) -> Join<M, <C::Opt as Sources>::And<ColsOf<N, M>>>
    where
        C::Opt: Sources,
    {
        let kind = JoinKind::Right;
        let reference = other.into_source(Place::joined(kind));
        let on = |fields: &Fields, c| Some(f(c, N::Row::cols(fields)));
        self.source(kind, reference, on, C::opt, N::Row::cols)
    }
    /// Joins any query on a condition, all rows of both sides, with NULLs where the other has no match.
    pub fn full_join_on<N: IntoSource, P: Cond<M>>(
        self,
        other: N,
        f: impl FnOnce(C, ColsOf<N, M>) -> P,
    ) -> Join<M, <C::Opt as Sources>::And<MaybeOf<N, M>>>
    where
        C::Opt: Sources,
    {
        let kind = JoinKind::Full;
        let reference = other.into_source(Place::joined(kind));
        let on = |fields: &Fields, c| Some(f(c, N::Row::cols(fields)));
        self.source(kind, reference, on, C::opt, N::Row::maybe)
    }
    /// Every row with every row of the other query.
    pub fn cross_join<N: IntoSource>(self, other: N) -> Join<M, C::And<ColsOf<N, M>>> {
        let kind = JoinKind::Cross;
        let reference = other.into_source(Place::joined(kind));
        let on = |_: &Fields, _| None::<Expr<M, bool>>;
        self.source(kind, reference, on, |c| c, N::Row::cols)
    }
    /// Joins a query that refers to the row before it, with [`outer`](crate::query::Col::outer): the newest three orders
    /// of each customer. Rows for which it has none are left out.
    ///
    /// SQLite has no LATERAL: a query of more than conditions is `Unsupported` there, and [`unnest`](crate::query::unnest) is not.
    pub fn join_lateral<N: IntoSource>(self, f: impl FnOnce(C) -> N) -> Join<M, C::And<ColsOf<N, M>>> {
        let reference = f(self.cols).into_source(Place::LATERAL);
        let on = |_: &Fields, _| None::<Expr<M, bool>>;
        self.source(JoinKind::Inner, reference, on, |c| c, N::Row::cols)
    }
    /// As [`join_lateral`](Join::join_lateral); rows for which it has none stay, with NULLs.
    pub fn left_join_lateral<N: IntoSource>(self, f: impl FnOnce(C) -> N) -> Join<M, C::And<MaybeOf<N, M>>> {
        let reference = f(self.cols).into_source(Place::LATERAL);
        let on = |_: &Fields, _| None::<Expr<M, bool>>;
        self.source(JoinKind::Left, reference, on, |c| c, N::Row::maybe)
    }
}

/// What a source is called in a message.
fn name_of(table: &TableRef) -> &'static str {
    match &table.item {
        FromItem::Table(table) => table.name,
        FromItem::Common(cte) => cte.name,
        FromItem::Cte(name) | FromItem::Function { name, .. } => name,
        FromItem::Query { query, .. } => query.from.as_ref().map_or("a query", name_of),
        FromItem::Values { .. } => "values",
        FromItem::Unnest { .. } => "unnest",
    }
}

macro_rules! sources {
    ($($A:ident $a:ident),*) => {
        impl<$($A: Copy + 'static),*> Sources for ($($A,)*) {
            type And<T: Copy + 'static> = ($($A,)* T,);
            type Opt = ($(Opt<$A>,)*);
            fn and<T: Copy + 'static>(self, more: T) -> Self::And<T> {
                let ($($a,)*) = self;
                ($($a,)* more,)
            }
            fn opt(self) -> Self::Opt {
                let ($($a,)*) = self;
                ($(Opt($a),)*)
            }
        }
    };
}
sources!(A a);
sources!(A a, B b);
sources!(A a, B b, C c);
sources!(A a, B b, C c, D d);
sources!(A a, B b, C c, D d, E e);
sources!(A a, B b, C c, D d, E e, F f);
sources!(A a, B b, C c, D d, E e, F f, G g);
sources!(A a, B b, C c, D d, E e, F f, G g, H h);
sources!(A a, B b, C c, D d, E e, F f, G g, H h, I i);
sources!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j);
sources!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k);
