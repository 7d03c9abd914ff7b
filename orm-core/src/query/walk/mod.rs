//! Walking a relation that leads back to its own model: trees and graphs, by `WITH RECURSIVE`.
//!
//! The recursion carries keys and depths only; the rows are joined at its end, each once. It ends on any data:
//!
//! - A foreign key gives every row one way up, so a walk along it is a chain or a tree, and only a cycle makes it
//!   endless. Brent's algorithm finds cycles without remembering the path: each row carries one key that it has passed,
//!   moved forward whenever the depth is a power of two, and stops where it would meet that key again.
//! - Over a join table there are many ways to one row. Equal rows of the recursion are one (`UNION`), and there are only
//!   so many rows of one depth; so depths are counted up to a `max_depth`, and without one only told from zero.

mod node;
mod outline;
mod recursion;

use crate::ast::{
    self, CompareOp, Cte, Deleted, Expr as Node, FromItem, Guard, Order, Select, Source, TableRef, Unfiltered,
};
use crate::model::{FilterRef, Filtered, Key, Many, Maybe, Model, One, Path, Rel, SoftDelete};
pub(crate) use crate::query::walk::node::ascending;
use crate::query::walk::node::{
    columns, compare, cte, depth, equal, inner, names_of, nearest, number, plain, recursive,
};
use crate::query::walk::recursion::nearest_of;
use crate::query::{Cond, Expr, Orders, Phantom, Query, Selection, all_fields};
use crate::relation::{LoadOf, RelRef, unfilter};
use crate::schema::{RelationDef, Table};
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
}

/// What a walk knows of a row beside the row.
struct Reached {
    depth: Node,
    path: Node,
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
