//! Walking a relation that leads back to its own model: trees and graphs, by `WITH RECURSIVE`.
//!
//! The recursion carries keys and depths only; the rows are joined at its end, each once. It ends on any data:
//!
//! - A foreign key gives every row one way up, so a walk along it is a chain or a tree, and only a cycle makes it
//!   endless. Brent's algorithm finds cycles without remembering the path: each row carries one key that it has passed,
//!   moved forward whenever the depth is a power of two, and stops where it would meet that key again.
//! - Over a join table there are many ways to one row. Equal rows of the recursion are one (`UNION`), and there are only
//!   so many rows of one depth; so depths are counted up to a `max_depth`, and without one only told from zero.

use crate::ast::{
    self, Aggregate, AggregateFn, CompareOp, Cte, Deleted, Distinct, Expr as Node, FromItem, GroupBy, Guard,
    InList, Join, JoinKind, MathOp, Nulls, Order, RawPart, Select, SetOp, SetOperation, Source, Statement,
    TableRef, Unfiltered, Window, WindowCall, WindowFn,
};
use crate::model::{FilterRef, Filtered, Key, Many, Maybe, Model, One, Path, Rel, SoftDelete};
use crate::query::{Cond, Expr, Orders, Phantom, Query, Selection, all_fields, related_table};
use crate::relation::{LoadOf, RelRef, label_is, owner, unfilter};
use crate::schema::{Column, Label, RelationDef, RelationKind, Table};
use crate::value::{Type, Value};

/// The related rows of related rows, and so on: descendants along `children`, ancestors along `parent`, everybody who
/// can be reached along `follows`. Each row comes once, whatever the number of ways to it; a cycle in the data ends the
/// walk.
///
/// Conditions of the walk itself are set here. [`query`](Walk::query), or one of the query methods, turns it into a
/// [`Query`] of the rows it yields.
///
/// ```
/// # use orm_core::{ast::Source, exec::{Db, Record, Serves}, model::{Model, Rel}, query::LeadsBack, relation::RelRef};
/// # async fn run<M, R>(db: &Db, music: M, children: fn(M::Cols<M>) -> RelRef<M, R>) -> orm_core::error::Result<()>
/// # where M: Model, Db: Serves<M>, R: Rel<Parent = M, Child = M> {
/// // music.walk(|c| c.children)
/// let below: Vec<M> = music.walk(children).max_depth(3).all(db).await?;
/// # Ok(()) }
/// ```
///
/// ```sql
/// WITH RECURSIVE "_walk" ("id", "_depth", "_mark") AS (
///   SELECT t0."id", 0, t0."id" FROM "categories" AS t0 WHERE t0."id" = $1
///   UNION ALL
///   SELECT t1."id", t2."_depth" + 1, CASE … END FROM "categories" AS t1 JOIN "_walk" AS t2 ON t1."parent_id" = t2."id"
///   WHERE t1."id" <> t2."_mark" AND t2."_depth" < $2),
/// "_reached" ("id", "_depth") AS (SELECT "id", min("_depth") FROM "_walk" GROUP BY "id" HAVING min("_depth") > 0)
/// SELECT t4."id", … FROM "categories" AS t4 JOIN "_reached" AS t5 ON t5."id" = t4."id"
/// ```
#[must_use = "a walk does nothing until a method such as `.all(&db)` runs it"]
pub struct Walk<R: Rel> {
    start: Box<Select>,
    /// The rows of one step.
    step: Source,
    through: Vec<Node>,
    deleted: Deleted,
    /// The filters of the model that the steps do without.
    unfiltered: Unfiltered,
    max_depth: Option<u32>,
    include_start: bool,
    order: WalkOrder,
    /// The rows that come back.
    root: Source,
    siblings: Vec<Order>,
    _p: Phantom<R>,
}

/// The order of the rows of a walk.
#[derive(Clone, Copy, PartialEq)]
enum WalkOrder {
    None,
    Breadth,
    Depth,
}

/// `Self` is the model a relation leads to, `M` the one it starts from.
#[diagnostic::on_unimplemented(
    message = "this relation leads from `{M}` to `{Self}`; a walk needs one that leads back to `{M}`",
    label = "expected a relation between `{M}` and itself, such as `parent` or `children`"
)]
pub trait LeadsBack<M> {}
#[diagnostic::do_not_recommend]
impl<M> LeadsBack<M> for M {}

/// A relation to many rows: the way down in a tree.
#[diagnostic::on_unimplemented(
    message = "a tree is told by the relation that leads down, to many rows, and this one leads to one",
    label = "use the other side of the relation, such as `children` instead of `parent`"
)]
pub trait LeadsDown {}
#[diagnostic::do_not_recommend]
impl LeadsDown for Many {}

/// A relation to one row: the way up in a tree.
#[diagnostic::on_unimplemented(
    message = "a row is moved along the relation that leads up, to one row, and this one leads to many",
    label = "use the other side of the relation, such as `parent` instead of `children`"
)]
pub trait LeadsUp {}
#[diagnostic::do_not_recommend]
impl LeadsUp for One {}
#[diagnostic::do_not_recommend]
impl LeadsUp for Maybe {}

type Cols<R> = <<R as Rel>::Child as Model>::Cols<<R as Rel>::Child>;

const WALK: &str = "_walk";
const REACHED: &str = "_reached";
const NEAR: &str = "_near";
const PATH: &str = "_path";
const RANKED: &str = "_ranked";
const PLACED: &str = "_placed";
const FIRST: &str = "_first";
const UNPLACED: &str = "over a join table a row may stand under several others: use `.breadth_first()`, or `.shortest_path_to(key)`";
const UNWRITTEN: &str = "paths are made of keys that are integers, text, UUIDs or enums";
const UNCOUNTED: &str =
    "depths over a join table are counted only up to a limit: give the walk a `.max_depth(n)`";
static DEPTH: ast::Column = ast::Column {
    name: "_depth",
    ty: Type::I32,
    nullable: false,
    sensitive: false,
    system: false,
    part: 0,
};
/// The number of a row in the order of siblings.
static RANK: ast::Column = ast::Column {
    name: "_rank",
    ty: Type::I64,
    nullable: false,
    sensitive: false,
    system: false,
    part: 0,
};
/// The ranks from the start to a row.
static PLACE: ast::Column = ast::Column {
    name: "_place",
    ty: Type::Text,
    nullable: false,
    sensitive: false,
    system: false,
    part: 0,
};
/// The keys from the start to a row.
static WAY: ast::Column = ast::Column {
    name: "_way",
    ty: Type::Text,
    nullable: false,
    sensitive: false,
    system: false,
    part: 0,
};
/// As many as a key has columns at most.
const MARKS: [&str; 4] = ["_mark", "_mark2", "_mark3", "_mark4"];

impl<M: Model> Query<M> {
    /// The rows that a relation leads to from the rows of this query, step by step: see [`Walk`].
    #[doc(alias = "recursive")]
    #[doc(alias = "descendants")]
    #[doc(alias = "ancestors")]
    pub fn walk<R: Rel<Parent = M>>(self, f: impl FnOnce(M::Cols<M>) -> RelRef<M, R>) -> Walk<R>
    where
        R::Child: LeadsBack<M>,
    {
        // what else the closure returns is known by its type
        let unfiltered = f(M::cols(self.ast().root())).unfiltered();
        Walk {
            start: self.into_ast(),
            step: Source::fresh(),
            through: Vec::new(),
            deleted: Deleted::Hidden,
            unfiltered,
            max_depth: None,
            include_start: false,
            order: WalkOrder::None,
            root: Source::fresh(),
            siblings: Vec::new(),
            _p: std::marker::PhantomData,
        }
    }
    /// Only rows that no row leads to along this relation: `.roots(|c| c.children)` are the categories without a parent,
    /// or whose parent is themselves.
    ///
    /// ```sql
    /// SELECT t0."id", … FROM "categories" AS t0 WHERE t0."parent_id" IS NULL
    /// ```
    pub fn roots<R: Rel<Parent = M>>(mut self, f: impl FnOnce(M::Cols<M>) -> RelRef<M, R>) -> Self
    where
        R::Child: LeadsBack<M>,
        R::Card: LeadsDown,
    {
        let source = self.ast().root();
        f(M::cols(source));
        self.ast_mut().filter.push(is_root(R::DEF, source));
        self
    }
    /// Only rows that this relation leads nowhere from: `.leaves(|c| c.children)` are the categories without children.
    ///
    /// ```sql
    /// SELECT t0."id", … FROM "categories" AS t0
    /// WHERE NOT EXISTS (SELECT 1 FROM "categories" AS t1 WHERE t1."parent_id" = t0."id")
    /// ```
    pub fn leaves<R: Rel<Parent = M>>(mut self, f: impl FnOnce(M::Cols<M>) -> RelRef<M, R>) -> Self
    where
        R::Child: LeadsBack<M>,
        R::Card: LeadsDown,
    {
        let source = self.ast().root();
        let below = f(M::cols(source)).exist();
        self.ast_mut().filter.push(below.not().into_cond());
        self
    }
}

impl<R: Rel> Walk<R> {
    /// At most so many steps from the start.
    pub fn max_depth(mut self, n: u32) -> Self {
        self.max_depth = Some(n);
        self
    }
    /// The rows it starts from as well, at depth 0. They are left out otherwise, also where the walk comes back to them.
    #[doc(alias = "include_self")]
    pub fn include_start(mut self) -> Self {
        self.include_start = true;
        self
    }
    /// Walks only through rows that meet the condition: another one is not there, and neither is what only it leads to.
    /// The rows that the walk starts from are not asked. (`.filter(..)` chooses among the rows that were reached.)
    pub fn through<C: Cond<R::Child>>(mut self, f: impl FnOnce(Cols<R>) -> C) -> Self {
        self.through.push(f(R::Child::cols(self.step)).into_cond());
        self
    }
    /// Walks through soft-deleted rows as well. Otherwise a deleted row hides what only it leads to.
    pub fn with_deleted(mut self) -> Self
    where
        R::Child: SoftDelete,
    {
        self.deleted = Deleted::Included;
        if let Some(from) = &mut self.start.from
            && from.guard.deleted == Deleted::Hidden
        {
            from.guard.deleted = Deleted::Included;
        }
        self
    }
    /// Walks through rows that do not meet this named filter of the model as well, and starts from them. Otherwise such a
    /// row hides what only it leads to.
    pub fn without_filter(
        self,
        f: impl FnOnce(<R::Child as Filtered>::Filters) -> FilterRef<R::Child>,
    ) -> Self
    where
        R::Child: Filtered,
    {
        let off = f(<R::Child as Filtered>::FILTERS).off();
        self.unfiltered(off)
    }
    /// Walks through all rows, whether or not they meet the named filters of the model.
    pub fn without_filters(self) -> Self
    where
        R::Child: Filtered,
    {
        self.unfiltered(Unfiltered::ALL)
    }
    fn unfiltered(mut self, off: Unfiltered) -> Self {
        self.unfiltered = self.unfiltered.and(off);
        unfilter(&mut self.start, off);
        self
    }
    /// The nearest rows first. Over a join table it needs a [`max_depth`](Walk::max_depth).
    pub fn breadth_first(mut self) -> Self {
        self.order = WalkOrder::Breadth;
        self
    }
    /// Each row before those under it, and these before the next one: the order of an outline. Every row stands under the
    /// row before it on the shortest way from the start, so that a start under another one begins an outline of its own.
    /// Rows under one row come as [`order_siblings_by`](Walk::order_siblings_by) says, or by their keys.
    ///
    /// Not over a join table: there a row may stand under several others.
    ///
    /// ```sql
    /// WITH RECURSIVE "_walk" …, "_reached" …,
    /// "_ranked" ("id", "parent_id", "_depth", "_rank") AS (… row_number() OVER (ORDER BY t2."name", t2."id") …),
    /// "_placed" ("id", "parent_id", "_depth", "_place") AS (… from depth 0, each rank behind those above it …)
    /// SELECT t6."id", … FROM "categories" AS t6 JOIN "_placed" AS t7 ON t7."id" = t6."id" ORDER BY t7."_place"
    /// ```
    pub fn depth_first(mut self) -> Self {
        self.order = WalkOrder::Depth;
        self
    }
    /// The order of rows of one depth where the walk is [`breadth_first`](Walk::breadth_first), and of the rows under one
    /// row where it is [`depth_first`](Walk::depth_first) or in a tree.
    pub fn order_siblings_by<T: Orders<R::Child>>(mut self, f: impl FnOnce(Cols<R>) -> T) -> Self {
        f(R::Child::cols(self.root)).add_to(&mut self.siblings);
        self
    }

    /// The rows as a plain [`Query`], for everything that queries can do. Without an order they come as the database
    /// likes.
    pub fn query(self) -> Query<R::Child> {
        Query::from_ast(self.reached().0)
    }
    /// The rows with their depths: the number of steps from the nearest start. Over a join table it needs a
    /// [`max_depth`](Walk::max_depth).
    pub fn with_depth(self) -> Query<R::Child, (R::Child, i64)> {
        let (mut ast, depth) = self.reached();
        ast.columns.push(depth);
        Query::from_ast(ast)
    }
    /// The rows with their paths: the keys of the rows on the shortest way from the start, this row's own last. What the
    /// query leaves out ([`filter`](Query::filter), [`limit`](Query::limit)) still stands in the paths.
    ///
    /// Keys are integers, text, UUIDs, enums, or several of these. Not over a join table: a way to one row is there what
    /// [`shortest_path_to`](Walk::shortest_path_to) finds.
    ///
    /// ```
    /// # use orm_core::{exec::{Db, Record, Serves}, model::{Model, Path, Rel}, relation::RelRef};
    /// # async fn run<M, R>(db: &Db, music: M, children: fn(M::Cols<M>) -> RelRef<M, R>) -> orm_core::error::Result<()>
    /// # where M: Model, Db: Serves<M>, R: Rel<Parent = M, Child = M> {
    /// // music.walk(|c| c.children)
    /// let outline: Vec<(M, Path<M>)> = music.walk(children).depth_first().with_path().all(db).await?;
    /// # Ok(()) }
    /// ```
    pub fn with_path(self) -> Query<R::Child, (R::Child, Path<R::Child>)> {
        let (mut ast, reached) = self.reached_by(true);
        ast.columns.push(reached.path);
        Query::from_ast(ast)
    }
    /// The rows on a shortest way to the row of this key, in order: the start first, that row last, and none where no
    /// way leads there. Of several shortest ways it is the same each time. `.select(|u| u.id)` makes it a list of keys.
    ///
    /// Over a join table it needs a [`max_depth`](Walk::max_depth): how far to look is what the search costs.
    ///
    /// ```sql
    /// WITH RECURSIVE "_walk" ("id", "_depth") AS (… UNION …),
    /// "_near" ("id", "_depth") AS (SELECT "id", min("_depth") FROM "_walk" GROUP BY "id"),
    /// "_path" ("id", "_depth") AS (… back from "id" = $4, each row to one of the depth before …)
    /// SELECT t10."id", … FROM "users" AS t10 JOIN "_path" AS t11 ON t11."id" = t10."id" ORDER BY t11."_depth"
    /// ```
    pub fn shortest_path_to(self, id: <R::Child as Model>::Id) -> Query<R::Child> {
        let end = id.into_values();
        let key: Vec<_> = self.table().key_columns().collect();
        let carried = self.carried();
        let (mut near, mut path) = (names_of(&carried), names_of(&key));
        near.push(DEPTH.name);
        path.push(DEPTH.name);
        let ctes = vec![
            self.recursion(Some(end.clone())),
            plain(NEAR, near, nearest_of(&carried)),
            recursive(PATH, path, self.way_back(&key, end)),
        ];
        let (mut select, depth) = self.joined(ctes, PATH);
        select.order.push(ascending(depth));
        Query::from_ast(select)
    }
    /// Columns or expressions of the rows; the closure also gets the depth.
    pub fn select_with_depth<T: Selection<R::Child>>(
        self,
        f: impl FnOnce(Cols<R>, Expr<R::Child, i64>) -> T,
    ) -> Query<R::Child, T::Out> {
        let (mut ast, depth) = self.reached();
        ast.columns.clear();
        f(R::Child::cols(ast.root()), Expr::new(depth)).push(&mut ast.columns);
        Query::from_ast(ast)
    }
    /// See [`Query::filter`]: only these of the rows that were reached.
    pub fn filter<C: Cond<R::Child>>(self, f: impl FnOnce(Cols<R>) -> C) -> Query<R::Child> {
        self.query().filter(f)
    }
    /// See [`Query::order_by`].
    pub fn order_by<T: Orders<R::Child>>(self, f: impl FnOnce(Cols<R>) -> T) -> Query<R::Child> {
        self.query().order_by(f)
    }
    /// See [`Query::with`].
    pub fn with<L: LoadOf<R::Child>>(
        self,
        f: impl FnOnce(Cols<R>) -> L,
    ) -> Query<R::Child, L::Out<R::Child>> {
        self.query().with(f)
    }
    /// See [`Query::select`].
    pub fn select<T: Selection<R::Child>>(self, f: impl FnOnce(Cols<R>) -> T) -> Query<R::Child, T::Out> {
        self.query().select(f)
    }
}

impl<R: Rel> From<Walk<R>> for Query<R::Child> {
    fn from(walk: Walk<R>) -> Self {
        walk.query()
    }
}

impl<R: Rel> Walk<R> {
    /// Steps over rows that are deleted or filtered out.
    pub(crate) fn step_over_hidden(&mut self) {
        self.deleted = Deleted::Included;
        self.unfiltered = Unfiltered::ALL;
    }
    /// The order of siblings, for whom the order of all is nothing to.
    pub(crate) fn take_siblings(&mut self) -> Vec<Order> {
        self.order = WalkOrder::None;
        std::mem::take(&mut self.siblings)
    }
    fn table(&self) -> &'static Table {
        R::Child::TABLE
    }
    fn over_join_table(&self) -> bool {
        R::DEF.through.is_some()
    }
    /// Whether depths are counted, or only told from zero.
    fn counts(&self) -> bool {
        !self.over_join_table() || self.max_depth.is_some()
    }

    /// The select of the rows, and their depth in it.
    pub(crate) fn reached(self) -> (Box<Select>, Node) {
        let (select, reached) = self.reached_by(false);
        (select, reached.depth)
    }

    fn reached_by(mut self, paths: bool) -> (Box<Select>, Reached) {
        let lock = self.start.lock.take();
        let placed = (paths || self.order == WalkOrder::Depth) && !self.over_join_table();
        let names: Vec<_> = self.table().key_columns().collect();
        let mut nearest_rows = nearest_of(&names);
        // paths go through the start also where it does not come back
        if !self.include_start && !placed {
            let least = nearest(nearest_rows.root());
            nearest_rows
                .having
                .push(compare(CompareOp::Gt, least, number("0")));
        }
        let mut ctes = vec![self.recursion(None)];
        let mut named = names_of(&names);
        named.push(DEPTH.name);
        ctes.push(plain(REACHED, named, nearest_rows));
        let siblings = std::mem::take(&mut self.siblings);
        let (mut select, reached) = match placed {
            true => self.placed(ctes, siblings, paths),
            false => {
                let (mut select, depth) = self.joined(ctes, REACHED);
                match self.order {
                    WalkOrder::None => {}
                    WalkOrder::Breadth => {
                        select.order.push(ascending(depth.clone()));
                        select.order.extend(siblings);
                    }
                    WalkOrder::Depth => select
                        .order
                        .push(ascending(Node::Value(Value::Refused(UNPLACED)))),
                }
                let path = Node::Value(Value::Refused(UNPLACED));
                (select, Reached { depth, path })
            }
        };
        select.lock = lock.map(|lock| ast::Lock {
            of: vec![select.root()],
            ..lock
        });
        (select, reached)
    }

    /// The rows with their places in an outline: the ranks of the rows above and of their own, one behind the other.
    fn placed(&self, mut ctes: Vec<Cte>, siblings: Vec<Order>, paths: bool) -> (Box<Select>, Reached) {
        let linked = self.linked();
        let key: Vec<_> = self.table().key_columns().collect();
        let paths = paths && key.iter().all(|c| Path::<R::Child>::holds(c.column.ty));
        ctes.push(self.ranked(&linked, &key, siblings));
        ctes.push(self.places(&linked, &key, paths));
        let end = match R::DEF.kind {
            // upwards several starts lead to one row: the first of its places is its place
            RelationKind::BelongsTo => {
                ctes.push(first_place(&key, paths));
                FIRST
            }
            RelationKind::HasOne | RelationKind::HasMany | RelationKind::ManyToMany => PLACED,
        };
        // the order of siblings, and what it refers to, is in the ranks
        let (mut select, _) = self.joined_as(Source::fresh(), ctes, end);
        let places = select.joins.last().map_or(Source::ROOT, |join| join.table.source);
        if end == FIRST
            && let Some(join) = select.joins.last_mut()
        {
            let rank = Node::Column(places, &RANK);
            join.on.push(compare(CompareOp::Eq, rank, number("1")));
        }
        if !self.include_start {
            let below = compare(CompareOp::Gt, depth(places), number("0"));
            select.filter.push(below);
        }
        let place = || ascending(Node::Column(places, &PLACE));
        match self.order {
            WalkOrder::None => {}
            WalkOrder::Breadth => select.order.extend([ascending(depth(places)), place()]),
            WalkOrder::Depth => select.order.push(place()),
        }
        let path = match paths {
            true => Node::Column(places, &WAY),
            false => Node::Value(Value::Refused(UNWRITTEN)),
        };
        let depth = depth(places);
        (select, Reached { depth, path })
    }

    /// The rows that were reached, numbered in the order of siblings.
    fn ranked(&self, linked: &[&'static Column], key: &[&'static Column], siblings: Vec<Order>) -> Cte {
        let reached = Source::fresh();
        let mut select = Select::from(TableRef::unguarded(
            self.root,
            FromItem::Table(&self.table().table),
        ));
        let on = equal(columns(key, reached), columns(key, self.root));
        select.joins.push(inner(cte(REACHED, reached), on));
        select.columns = columns(linked, self.root);
        select.columns.push(depth(reached));
        let mut order = siblings;
        order.extend(columns(key, self.root).into_iter().map(ascending));
        select.columns.push(row_number(Vec::new(), order));
        let mut names = names_of(linked);
        names.extend([DEPTH.name, RANK.name]);
        plain(RANKED, names, select)
    }

    /// From the starts down, each row behind the one that it was reached from.
    fn places(&self, linked: &[&'static Column], key: &[&'static Column], paths: bool) -> Cte {
        let (top, row, above) = (Source::fresh(), Source::fresh(), Source::fresh());
        let mut select = Select::from(cte(RANKED, top));
        select.columns = columns(linked, top);
        select
            .columns
            .extend([depth(top), fixed_width(Node::Column(top, &RANK))]);
        select
            .columns
            .extend(paths.then(|| Path::<R::Child>::written(columns(key, top))));
        select
            .filter
            .push(compare(CompareOp::Eq, depth(top), number("0")));
        let mut next = Select::from(cte(RANKED, row));
        let mut on = equal(
            columns(&(R::DEF.child)(), row),
            columns(&(R::DEF.parent)(), above),
        );
        let below = math(MathOp::Add, depth(above), number("1"));
        on.push(compare(CompareOp::Eq, depth(row), below));
        on.extend(label_above(R::DEF).map(|label| label_is(above, label)));
        next.joins.push(inner(cte(PLACED, above), on));
        next.columns = columns(linked, row);
        next.columns.push(depth(row));
        let behind = |column, own| math(MathOp::Concat, Node::Column(above, column), own);
        next.columns
            .push(behind(&PLACE, fixed_width(Node::Column(row, &RANK))));
        next.columns
            .extend(paths.then(|| behind(&WAY, Path::<R::Child>::written(columns(key, row)))));
        select.compound.push(SetOperation {
            op: SetOp::Union,
            all: true,
            query: next,
        });
        let mut names = names_of(linked);
        names.extend([DEPTH.name, PLACE.name]);
        names.extend(paths.then_some(WAY.name));
        recursive(PLACED, names, select)
    }

    /// The columns of a row that its place is found by: its key, and both ends of the relation.
    fn linked(&self) -> Vec<&'static Column> {
        let mut linked = self.carried();
        for link in (R::DEF.child)() {
            if !linked.iter().any(|c| std::ptr::eq(*c, link)) {
                linked.push(link);
            }
        }
        linked
    }

    /// The rows whose keys a common table expression holds. They were guarded while they were walked.
    fn joined(&self, with: Vec<Cte>, name: &'static str) -> (Box<Select>, Node) {
        self.joined_as(self.root, with, name)
    }

    fn joined_as(&self, root: Source, with: Vec<Cte>, name: &'static str) -> (Box<Select>, Node) {
        let keys = Source::fresh();
        let key_columns: Vec<_> = self.table().key_columns().collect();
        let mut select = Select::from(TableRef::unguarded(root, FromItem::Table(&self.table().table)));
        if let (Some(from), Some(start)) = (&mut select.from, &self.start.from) {
            from.guard.as_of = start.guard.as_of;
        }
        select.with = with;
        select.columns = all_fields::<R::Child>(root);
        let on = equal(columns(&key_columns, keys), columns(&key_columns, root));
        select.joins.push(inner(cte(name, keys), on));
        let depth = match self.counts() {
            true => depth(keys),
            false => Node::Value(Value::Refused(UNCOUNTED)),
        };
        (Box::new(select), depth)
    }

    /// The columns of a row that the walk carries: its key, and those that lead on.
    fn carried(&self) -> Vec<&'static Column> {
        let mut carried: Vec<_> = self.table().key_columns().collect();
        let label = label_above(R::DEF).map(|label| (label.column)());
        for link in (R::DEF.parent)().into_iter().chain(label) {
            if !carried.iter().any(|c| std::ptr::eq(*c, link)) {
                carried.push(link);
            }
        }
        carried
    }

    /// Keys and depths, by recursion that does not go beyond the end, where one is given.
    fn recursion(&self, end: Option<Vec<Value>>) -> Cte {
        let key: Vec<_> = self.table().key_columns().collect();
        let carried = self.carried();
        let mut names = names_of(&carried);
        names.push(DEPTH.name);
        let mut select = self.anchor(&key);
        let start = select.root();
        select.columns = columns(&carried, start);
        select.columns.push(number("0"));
        if !self.over_join_table() {
            names.extend(MARKS.iter().take(key.len()));
            select.columns.extend(columns(&key, start));
        }
        select.compound.push(SetOperation {
            op: SetOp::Union,
            all: !self.over_join_table(),
            query: self.next(&key, &carried, end),
        });
        recursive(WALK, names, select)
    }

    /// One step of the recursion.
    fn next(&self, key: &[&'static Column], carried: &[&'static Column], end: Option<Vec<Value>>) -> Select {
        let walk = Source::fresh();
        // from the rows themselves, so that a condition made outside of a closure means them
        let mut rows = related_table(R::DEF, self.step);
        rows.guard.deleted = self.deleted;
        rows.guard.unfiltered = self.unfiltered;
        let mut next = Select::from(rows);
        let on = owner(R::DEF, &mut next);
        let on = equal(on, columns(&(R::DEF.parent)(), walk));
        next.joins.push(inner(cte(WALK, walk), on));
        next.filter
            .extend(label_above(R::DEF).map(|label| label_is(walk, label)));
        next.columns = columns(carried, self.step);
        next.columns.push(match self.counts() {
            true => math(MathOp::Add, depth(walk), number("1")),
            false => number("1"),
        });
        if !self.over_join_table() {
            let passed = fields(&MARKS, key, walk);
            let met = equal(columns(key, self.step), passed.clone());
            next.filter.push(not_all(met));
            next.columns.extend(moved(columns(key, walk), passed, walk));
        }
        if let Some(end) = end {
            let there = end.into_iter().map(Node::Value).collect();
            next.filter.push(not_all(equal(columns(key, walk), there)));
        }
        next.filter.extend(self.through.iter().cloned());
        if let Some(max) = self.max_depth {
            let max = Node::Value(Value::I32(i32::try_from(max).unwrap_or(i32::MAX)));
            next.filter.push(compare(CompareOp::Lt, depth(walk), max));
        }
        next
    }

    /// From the end, each row to one of the depth before that leads to it.
    fn way_back(&self, key: &[&'static Column], end: Vec<Value>) -> Select {
        let (last, path) = (Source::fresh(), Source::fresh());
        let mut back = Select::from(cte(NEAR, last));
        back.columns = columns(key, last);
        back.columns.push(depth(last));
        back.filter = equal(columns(key, last), end.into_iter().map(Node::Value).collect());
        let mut step = Select::from(cte(PATH, path));
        step.columns = key.iter().map(|c| self.before(key, c, path)).collect();
        step.columns.push(math(MathOp::Sub, depth(path), number("1")));
        step.filter.push(compare(CompareOp::Gt, depth(path), number("0")));
        back.compound.push(SetOperation {
            op: SetOp::Union,
            all: true,
            query: step,
        });
        back
    }

    /// A column of the first row, by its key, that leads to this one on a shortest way. A sub-query, for it is asked for
    /// few rows: a join would look for the rows before all that were reached.
    fn before(&self, key: &[&'static Column], column: &'static Column, path: Source) -> Node {
        let (row, near) = (Source::fresh(), Source::fresh());
        let mut select = Select::from(TableRef::unguarded(row, FromItem::Table(&self.table().table)));
        let from = equal(owner(R::DEF, &mut select), columns(&(R::DEF.parent)(), near));
        select.joins.push(inner(cte(NEAR, near), from));
        select.columns.push(Node::Column(near, &column.column));
        select.filter.extend(equal(columns(key, row), columns(key, path)));
        select
            .filter
            .extend(label_above(R::DEF).map(|label| label_is(near, label)));
        let one_less = math(MathOp::Sub, depth(path), number("1"));
        select.filter.push(compare(CompareOp::Eq, depth(near), one_less));
        select.order = columns(key, near).into_iter().map(ascending).collect();
        select.limit = Some(1);
        Node::Subquery(Box::new(select))
    }

    /// The rows to start from, as a select that another one can follow by UNION.
    fn anchor(&self, key: &[&'static Column]) -> Select {
        let mut start = self.start.clone();
        start.lock = None;
        let plain = start.with.is_empty()
            && start.compound.is_empty()
            && start.group.is_empty()
            && start.limit.is_none()
            && start.offset.is_none()
            && matches!(start.distinct, Distinct::No);
        if plain {
            start.order.clear();
            return *start;
        }
        start.columns = columns(key, start.root());
        let source = Source::fresh();
        let mut select = Select::from(TableRef::unguarded(source, FromItem::Table(&self.table().table)));
        let mut own = columns(key, source);
        let own = match own.len() {
            1 => own.remove(0),
            _ => Node::Tuple(own),
        };
        select
            .filter
            .push(Node::In(Box::new(own), Box::new(InList::Query(start))));
        select
    }
}

/// What a walk knows of a row beside the row.
struct Reached {
    depth: Node,
    path: Node,
}

/// Of several places of one row the first.
fn first_place(key: &[&'static Column], paths: bool) -> Cte {
    let placed = Source::fresh();
    let mut select = Select::from(cte(PLACED, placed));
    select.columns = columns(key, placed);
    select.columns.push(depth(placed));
    let mut names = names_of(key);
    names.push(DEPTH.name);
    for column in [Some(&PLACE), paths.then_some(&WAY)].into_iter().flatten() {
        select.columns.push(Node::Column(placed, column));
        names.push(column.name);
    }
    let by_place = vec![ascending(Node::Column(placed, &PLACE))];
    select.columns.push(row_number(columns(key, placed), by_place));
    names.push(RANK.name);
    plain(FIRST, names, select)
}

fn row_number(partition: Vec<Node>, order: Vec<Order>) -> Node {
    let window = Window {
        partition,
        order,
        ..Window::default()
    };
    let function = WindowFn::RowNumber;
    Node::Window(Box::new(WindowCall { function, window }))
}

/// A rank as text that is ordered as the number: ten digits.
fn fixed_width(rank: Node) -> Node {
    let ten_digits = math(MathOp::Add, rank, number("1000000000"));
    Node::Cast(Box::new(ten_digits), Type::Text)
}

/// Each row of the walk once, with its least depth.
fn nearest_of(carried: &[&'static Column]) -> Select {
    let walk = Source::fresh();
    let mut select = Select::from(cte(WALK, walk));
    select.columns = columns(carried, walk);
    select.group = select.columns.iter().cloned().map(GroupBy::Expr).collect();
    select.columns.push(nearest(walk));
    select
}

fn is_root(def: &RelationDef, source: Source) -> Node {
    if let Some(through) = &def.through {
        let via = Source::fresh();
        let mut edge = Select::from(TableRef {
            source: via,
            item: FromItem::Table(&(through.table)().table),
            guard: Guard::default(),
        });
        edge.columns.push(Node::one());
        edge.filter = equal(columns(&(through.child)(), via), columns(&(def.child)(), source));
        return Node::Not(Box::new(Node::Exists(Box::new(edge))));
    }
    if let Some(label) = def.label() {
        // it belongs to another model, or to nothing
        let column = (label.column)();
        let kind = || Box::new(Node::Column(source, &column.column));
        let other = Node::Compare(
            CompareOp::Ne,
            kind(),
            Box::new(Node::Value(Value::Str(label.value))),
        );
        let nothing = column.column.nullable.then(|| Node::IsNull(kind(), false));
        return Node::Any(nothing.into_iter().chain([other]).collect());
    }
    let up = (def.child)();
    let nowhere: Vec<Node> = up
        .iter()
        .filter(|c| c.column.nullable)
        .map(|c| Node::IsNull(Box::new(Node::Column(source, &c.column)), false))
        .collect();
    match nowhere.is_empty() {
        false => Node::Any(nowhere),
        // a key that every row has leads somewhere: at the top, to the row itself
        true => Node::All(equal(columns(&up, source), columns(&(def.parent)(), source))),
    }
}

/// On the way up a polymorphic association: what the row says of the model that it belongs to.
fn label_above(def: &RelationDef) -> Option<Label> {
    def.label().filter(|_| def.kind == RelationKind::BelongsTo)
}

/// Brent's mark of the next row: it moves to the row before wherever the depth of that is 0 or a power of two.
fn moved(here: Vec<Node>, passed: Vec<Node>, walk: Source) -> impl Iterator<Item = Node> {
    here.into_iter().zip(passed).map(move |(here, passed)| {
        let below = math(MathOp::Sub, depth(walk), number("1"));
        let is_power = compare(
            CompareOp::Eq,
            math(MathOp::BitAnd, depth(walk), below),
            number("0"),
        );
        Node::Case {
            operand: None,
            arms: vec![(is_power, here)],
            otherwise: Some(Box::new(passed)),
        }
    })
}

fn columns(list: &[&'static Column], source: Source) -> Vec<Node> {
    list.iter().map(|c| Node::Column(source, &c.column)).collect()
}

fn names_of(list: &[&'static Column]) -> Vec<&'static str> {
    list.iter().map(|c| c.column.name).collect()
}

/// Columns of a common table expression that hold keys under names of their own.
fn fields(names: &[&'static str], key: &[&'static Column], source: Source) -> Vec<Node> {
    let field = |(name, c): (&&'static str, &&'static Column)| Node::Field(source, name, c.column.ty);
    names.iter().zip(key).map(field).collect()
}

fn depth(source: Source) -> Node {
    Node::Column(source, &DEPTH)
}

fn nearest(source: Source) -> Node {
    Node::Aggregate(Box::new(Aggregate {
        function: AggregateFn::Min,
        args: vec![depth(source)],
        distinct: false,
        filter: None,
        order: Vec::new(),
    }))
}

/// A number in the text: it takes the type of what it stands beside.
fn number(n: &'static str) -> Node {
    Node::Raw(vec![RawPart::Text(n)], Type::I32)
}

fn math(op: MathOp, a: Node, b: Node) -> Node {
    Node::Math(op, Box::new(a), Box::new(b))
}

fn inner(table: TableRef, on: Vec<Node>) -> Join {
    let kind = JoinKind::Inner;
    Join { kind, table, on }
}

fn compare(op: CompareOp, a: Node, b: Node) -> Node {
    Node::Compare(op, Box::new(a), Box::new(b))
}

fn equal(a: Vec<Node>, b: Vec<Node>) -> Vec<Node> {
    let pairs = a.into_iter().zip(b);
    pairs.map(|(a, b)| compare(CompareOp::Eq, a, b)).collect()
}

fn not_all(mut equal: Vec<Node>) -> Node {
    match equal.len() {
        1 => match equal.remove(0) {
            Node::Compare(_, a, b) => Node::Compare(CompareOp::Ne, a, b),
            other => Node::Not(Box::new(other)),
        },
        _ => Node::Not(Box::new(Node::All(equal))),
    }
}

pub(crate) fn ascending(expr: Node) -> Order {
    Order {
        expr,
        desc: false,
        nulls: Nulls::Default,
    }
}

fn cte(name: &'static str, source: Source) -> TableRef {
    TableRef::unguarded(source, FromItem::Cte(name))
}

fn plain(name: &'static str, columns: Vec<&'static str>, select: Select) -> Cte {
    Cte {
        name,
        columns,
        body: Statement::Select(Box::new(select)),
        recursive: false,
        materialized: None,
    }
}

fn recursive(name: &'static str, columns: Vec<&'static str>, select: Select) -> Cte {
    Cte {
        recursive: true,
        ..plain(name, columns, select)
    }
}
