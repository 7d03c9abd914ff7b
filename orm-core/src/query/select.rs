//! SELECT.

use crate::ast::{
    Deleted, Distinct, Expr as Node, FromItem, Guard, Lock, LockStrength, LockWait, Select, Source, TableRef,
    Unfiltered, renumber,
};
use crate::model::{FilterRef, Filtered, Model, Rel, Shape, SoftDelete};
use crate::query::write::key_equals;
use crate::query::{
    Aggregates, ColsOf, Cond, Grouped, IntoSource, Join, MaybeOf, Opt, Orders, Phantom, Plan, Projection,
    Selection,
};
use crate::relation::{Branch, LoadOf, RelRef};
use crate::schema::RelationDef;
use crate::value::Value;

/// A select on `M` that yields `O`s. A value: it can be cloned, stored, narrowed later; it runs when a terminal such
/// as `.all(&db)` is awaited.
#[must_use = "a query does nothing until a method such as `.all(&db)` runs it"]
pub struct Query<M: Model, O = M> {
    ast: Box<Select>,
    loads: Vec<Branch>,
    /// The relation it follows from a row in memory.
    related: Option<&'static RelationDef>,
    _p: Phantom<(M, O)>,
}

impl<M: Model, O> Clone for Query<M, O> {
    /// The clone is a query over rows of its own: it may stand inside the original, or beside it.
    fn clone(&self) -> Self {
        let mut ast = self.ast.clone();
        renumber(&mut ast);
        Query::from_parts(ast, self.loads.clone()).following(self.related)
    }
}

/// A reference to a model's table.
pub(crate) fn table_ref<M: Model>(source: Source) -> TableRef {
    TableRef {
        source,
        item: FromItem::Table(&M::TABLE.table),
        guard: Guard::default(),
    }
}

/// All fields of a model, in the order `Output::decode` reads them.
pub(crate) fn all_fields<M: Model>(source: Source) -> Vec<Node> {
    M::TABLE.columns[..M::TABLE.fields]
        .iter()
        .map(|c| Node::Column(source, &c.column))
        .collect()
}

impl<M: Model> Query<M> {
    pub(crate) fn new() -> Self {
        let source = Source::fresh();
        let mut ast = Select::from(table_ref::<M>(source));
        ast.columns = all_fields::<M>(source);
        Query::from_ast(Box::new(ast))
    }
}

impl<M: Model, O> Query<M, O> {
    pub(crate) fn from_ast(ast: Box<Select>) -> Self {
        Query::from_parts(ast, Vec::new())
    }
    pub(crate) fn from_parts(ast: Box<Select>, loads: Vec<Branch>) -> Self {
        Query {
            ast,
            loads,
            related: None,
            _p: std::marker::PhantomData,
        }
    }
    pub(crate) fn into_parts(self) -> (Box<Select>, Vec<Branch>) {
        (self.ast, self.loads)
    }
    /// The relation it follows from a row in memory, for reports.
    pub(crate) fn following(mut self, relation: Option<&'static RelationDef>) -> Self {
        self.related = relation;
        self
    }
    pub(crate) fn related(&self) -> Option<&'static RelationDef> {
        self.related
    }
    pub(crate) fn into_ast(self) -> Box<Select> {
        self.ast
    }
    pub(crate) fn ast_mut(&mut self) -> &mut Select {
        &mut self.ast
    }
    /// Only the row with these values in its key's columns.
    pub(crate) fn with_key(mut self, values: Vec<Value>) -> Self {
        let source = self.ast.root();
        self.ast.filter.extend(key_equals(M::TABLE, source, values));
        self
    }
    pub(crate) fn into_table(self) -> (Box<Select>, M::Cols<M>) {
        let cols = self.cols();
        (self.ast, cols)
    }
    fn cols(&self) -> M::Cols<M> {
        M::cols(self.ast.root())
    }
    /// The statement as data.
    pub fn ast(&self) -> &Select {
        &self.ast
    }
    /// Only rows that meet the condition. Several are joined by AND.
    pub fn filter<C: Cond<M>>(mut self, f: impl FnOnce(M::Cols<M>) -> C) -> Self {
        let condition = f(self.cols()).into_cond();
        self.ast.filter.push(condition);
        self
    }
    /// As [`filter`](Query::filter) when there is a value, else nothing.
    pub fn filter_some<V, C: Cond<M>>(self, value: Option<V>, f: impl FnOnce(M::Cols<M>, V) -> C) -> Self {
        match value {
            Some(v) => self.filter(|m| f(m, v)),
            None => self,
        }
    }
    /// Adds to the order. NULLs are last ascending and first descending, on every backend.
    pub fn order_by<T: Orders<M>>(mut self, f: impl FnOnce(M::Cols<M>) -> T) -> Self {
        let cols = self.cols();
        f(cols).add_to(&mut self.ast.order);
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
    /// The first row, in the order of the query, of those with the same values of these columns: `DISTINCT ON`. An order
    /// has to begin with them, or it is an `InvalidQuery` error; without one, the row is any.
    ///
    /// ```sql
    /// -- Post::query().distinct_on(|p| p.author_id).order_by(|p| (p.author_id.asc(), p.views.desc()))
    /// SELECT DISTINCT ON (t0."author_id") t0."id", … FROM "posts" AS t0 ORDER BY t0."author_id", t0."views" DESC
    /// -- SQLite
    /// SELECT t0."_1", … FROM (SELECT t1."id" AS "_1", …, row_number() OVER (PARTITION BY t1."author_id"
    /// ORDER BY t1."author_id", t1."views" DESC) AS "_9", … FROM "posts" AS t1) AS t0 WHERE t0."_9" = ?1 ORDER BY …
    /// ```
    pub fn distinct_on<T: Selection<M>>(mut self, f: impl FnOnce(M::Cols<M>) -> T) -> Self {
        let mut on = Vec::new();
        f(self.cols()).push(&mut on);
        self.ast.distinct = Distinct::On(on);
        self
    }
    fn deleted(mut self, deleted: Deleted) -> Self {
        if let Some(from) = &mut self.ast.from {
            from.guard.deleted = deleted;
        }
        self
    }
    /// Soft-deleted rows as well.
    pub fn with_deleted(self) -> Self
    where
        M: SoftDelete,
    {
        self.deleted(Deleted::Included)
    }
    /// Soft-deleted rows only.
    pub fn only_deleted(self) -> Self
    where
        M: SoftDelete,
    {
        self.deleted(Deleted::Only)
    }
    fn unfiltered(mut self, off: Unfiltered) -> Self {
        if let Some(from) = &mut self.ast.from {
            from.guard.unfiltered = from.guard.unfiltered.and(off);
        }
        self
    }
    /// Rows that do not meet this named filter of the model as well. Filters of other models in the query stay as they are:
    /// a relation has a `without_filter` of its own.
    ///
    /// ```
    /// # use orm_core::{ast::Source, exec::{Db, Serves}, model::{FilterRef, Filtered, Model}, query::Query};
    /// # struct Filters<M> { published: FilterRef<M> }
    /// # async fn run<Post>(posts: Query<Post>, db: &Db) -> orm_core::error::Result<()>
    /// # where Post: Filtered<Filters = Filters<Post>>, Db: Serves<Post> {
    /// let drafts_too = posts.without_filter(|f| f.published).all(db).await?;
    /// # Ok(()) }
    /// ```
    pub fn without_filter(self, f: impl FnOnce(M::Filters) -> FilterRef<M>) -> Self
    where
        M: Filtered,
    {
        self.unfiltered(f(M::FILTERS).off())
    }
    /// All rows, whether or not they meet the named filters of the model.
    pub fn without_filters(self) -> Self
    where
        M: Filtered,
    {
        self.unfiltered(Unfiltered::ALL)
    }
    fn lock(mut self, strength: LockStrength) -> Self {
        let of = Vec::new();
        self.ast.lock = Some(Lock {
            strength,
            of,
            wait: LockWait::Wait,
        });
        self
    }
    /// Locks the rows against writers until the transaction ends (`FOR UPDATE`). On SQLite a write transaction
    /// already holds the only write lock, and nothing is added.
    pub fn for_update(self) -> Self {
        self.lock(LockStrength::Update)
    }
    /// Locks the rows against changes, but not against other readers that do the same (`FOR SHARE`).
    pub fn for_share(self) -> Self {
        self.lock(LockStrength::Share)
    }
    /// As [`for_update`](Query::for_update), for changes that leave the key alone: other rows may come to refer to these
    /// meanwhile (`FOR NO KEY UPDATE`).
    pub fn for_no_key_update(self) -> Self {
        self.lock(LockStrength::NoKeyUpdate)
    }
    /// Keeps the rows and their keys, and nothing else, as they are (`FOR KEY SHARE`): what a foreign key does with the
    /// row it refers to.
    pub fn for_key_share(self) -> Self {
        self.lock(LockStrength::KeyShare)
    }
    /// With a lock: of joined tables' rows none is locked (`FOR UPDATE OF ..`). A left-joined table needs this, because
    /// the rows it lacks cannot be locked.
    pub fn own_rows_only(mut self) -> Self {
        let root = self.ast.root();
        if let Some(lock) = &mut self.ast.lock {
            lock.of = vec![root];
        }
        self
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
    fn reselect<N>(mut self, push: impl FnOnce(M::Cols<M>, &mut Vec<Node>)) -> Query<M, N> {
        let cols = self.cols();
        self.ast.columns.clear();
        push(cols, &mut self.ast.columns);
        Query::from_ast(self.ast).following(self.related)
    }
}

impl<M: Model, O: Shape<Model = M>> Query<M, O> {
    /// Loads a relation beside each row: one more statement for all rows together, whatever their number. What comes
    /// back derefs to the row and has the relation as a field.
    ///
    /// ```sql
    /// SELECT t0."id", … FROM "users" AS t0
    /// SELECT t0."id", …, t0."author_id" FROM "posts" AS t0 WHERE t0."author_id" = ANY($1)
    /// ```
    pub fn with<L: LoadOf<M>>(mut self, f: impl FnOnce(M::Cols<M>) -> L) -> Query<M, L::Out<O>> {
        f(self.cols()).add_to(&mut self.ast, &mut self.loads);
        Query::from_parts(self.ast, self.loads).following(self.related)
    }
}

impl<M: Model> Query<M> {
    /// What a row becomes: a struct with `#[derive(Shape)]`. Only the columns that it names are selected, and each of
    /// its relations is one more statement for all rows together.
    ///
    /// ```sql
    /// SELECT t0."name", (SELECT count(*) FROM "posts" AS t1 WHERE t1."author_id" = t0."id"), t0."id"
    /// FROM "users" AS t0
    /// SELECT t0."title", t0."author_id" FROM "posts" AS t0 WHERE t0."author_id" = ANY($1)
    /// ```
    ///
    /// ```
    /// # use orm_core::query::{Projection, Query};
    /// # use orm_core::model::Model;
    /// # use orm_core::exec::{Db, Serves};
    /// # async fn run<User, UserPage>(users: Query<User>, db: &Db) -> orm_core::error::Result<()>
    /// # where User: Model, Db: Serves<User>, UserPage: Projection<Model = User> {
    /// let pages: Vec<UserPage> = users.shape::<UserPage>().all(db).await?;
    /// # Ok(()) }
    /// ```
    pub fn shape<N: Projection<Model = M>>(mut self) -> Query<M, N> {
        Plan::into::<N>(&mut self.ast, &mut self.loads);
        Query::from_parts(self.ast, self.loads)
    }
    /// What a row becomes: columns, expressions, or a tuple of them.
    pub fn select<T: Selection<M>>(self, f: impl FnOnce(M::Cols<M>) -> T) -> Query<M, T::Out> {
        self.reselect(|cols, out| f(cols).push(out))
    }
    /// One row of aggregates over all rows.
    pub fn aggregate<T: Aggregates<M>>(self, f: impl FnOnce(M::Cols<M>) -> T) -> Query<M, T::Out> {
        self.reselect(|cols, out| f(cols).push(out))
    }
    /// Groups rows by a column, an expression, or a tuple of them.
    pub fn group_by<K: Selection<M> + Clone>(
        self,
        f: impl FnOnce(M::Cols<M>) -> K,
    ) -> Grouped<M, M::Cols<M>, K> {
        let cols = self.cols();
        Grouped::new(self.ast, cols, f(cols))
    }
    /// Joins the related rows; rows without one are left out.
    pub fn join<R: Rel<Parent = M>>(
        self,
        f: impl FnOnce(M::Cols<M>) -> RelRef<M, R>,
    ) -> Join<M, (M::Cols<M>, <R::Child as Model>::Cols<M>)> {
        self.joined().join(|(m,)| f(m))
    }
    /// Joins the related rows; rows without one stay, with NULLs.
    pub fn left_join<R: Rel<Parent = M>>(
        self,
        f: impl FnOnce(M::Cols<M>) -> RelRef<M, R>,
    ) -> Join<M, (M::Cols<M>, Opt<<R::Child as Model>::Cols<M>>)> {
        self.joined().left_join(|(m,)| f(m))
    }
    /// Joins the related rows, all of them: this side has NULLs where nothing leads to one.
    pub fn right_join<R: Rel>(
        self,
        f: impl FnOnce(M::Cols<M>) -> RelRef<M, R>,
    ) -> Join<M, (Opt<M::Cols<M>>, <R::Child as Model>::Cols<M>)> {
        self.joined().right_join(|(m,)| f(m))
    }
    /// Joins the related rows, all rows of both sides, with NULLs where the other has none.
    pub fn full_join<R: Rel>(
        self,
        f: impl FnOnce(M::Cols<M>) -> RelRef<M, R>,
    ) -> Join<M, (Opt<M::Cols<M>>, Opt<<R::Child as Model>::Cols<M>>)> {
        self.joined().full_join(|(m,)| f(m))
    }
    /// Joins any query on a condition: another model, the same one once more, or a query of columns, which is then a
    /// derived table whose columns come in a tuple.
    ///
    /// ```
    /// # use orm_core::{model::Model, query::{Col, Query}};
    /// # fn build<Post: Model, Comment: Model>(posts: Query<Post>, per_post: Query<Comment, (i64, i64)>,
    /// #     id: fn(Post::Cols<Post>) -> Col<Post, i64>) -> Query<Post, (i64, i64)> {
    /// // let per_post = Comment::query().group_by(|c| c.post_id).select(|g| (g.key(), g.count()));
    /// posts.join_on(per_post, |p, (post, _)| id(p).eq(post)).select(|(p, (_, comments))| (id(p), comments))
    /// # }
    /// ```
    ///
    /// ```sql
    /// SELECT t0."id", t1."_2" FROM "posts" AS t0 JOIN (SELECT t2."post_id" AS "post_id", count(*) AS "_2"
    /// FROM "comments" AS t2 GROUP BY t2."post_id") AS t1 ON t0."id" = t1."post_id"
    /// ```
    ///
    /// A condition that does not compare both sides is an `InvalidQuery` error unless a later `.filter(..)` does, because
    /// then every row meets every other one: that is [`cross_join`](Query::cross_join).
    pub fn join_on<N: IntoSource, C: Cond<M>>(
        self,
        other: N,
        f: impl FnOnce(M::Cols<M>, ColsOf<N, M>) -> C,
    ) -> Join<M, (M::Cols<M>, ColsOf<N, M>)> {
        self.joined().join_on(other, |(m,), n| f(m, n))
    }
    /// As [`join_on`](Query::join_on); rows without a match stay, with NULLs. The columns of a tuple are `Option`s then,
    /// those of a model are read through [`Opt::map`].
    pub fn left_join_on<N: IntoSource, C: Cond<M>>(
        self,
        other: N,
        f: impl FnOnce(M::Cols<M>, ColsOf<N, M>) -> C,
    ) -> Join<M, (M::Cols<M>, MaybeOf<N, M>)> {
        self.joined().left_join_on(other, |(m,), n| f(m, n))
    }
    /// As [`join_on`](Query::join_on), with all rows of the other query: this side has NULLs where none matches.
    pub fn right_join_on<N: IntoSource, C: Cond<M>>(
        self,
        other: N,
        f: impl FnOnce(M::Cols<M>, ColsOf<N, M>) -> C,
    ) -> Join<M, (Opt<M::Cols<M>>, ColsOf<N, M>)> {
        self.joined().right_join_on(other, |(m,), n| f(m, n))
    }
    /// As [`join_on`](Query::join_on), with all rows of both sides, with NULLs where the other has no match.
    pub fn full_join_on<N: IntoSource, C: Cond<M>>(
        self,
        other: N,
        f: impl FnOnce(M::Cols<M>, ColsOf<N, M>) -> C,
    ) -> Join<M, (Opt<M::Cols<M>>, MaybeOf<N, M>)> {
        self.joined().full_join_on(other, |(m,), n| f(m, n))
    }
    /// Every row with every row of the other query: `CROSS JOIN`.
    pub fn cross_join<N: IntoSource>(self, other: N) -> Join<M, (M::Cols<M>, ColsOf<N, M>)> {
        self.joined().cross_join(other)
    }
    /// See [`Join::join_lateral`].
    pub fn join_lateral<N: IntoSource>(
        self,
        f: impl FnOnce(M::Cols<M>) -> N,
    ) -> Join<M, (M::Cols<M>, ColsOf<N, M>)> {
        self.joined().join_lateral(|(m,)| f(m))
    }
    /// See [`Join::left_join_lateral`].
    pub fn left_join_lateral<N: IntoSource>(
        self,
        f: impl FnOnce(M::Cols<M>) -> N,
    ) -> Join<M, (M::Cols<M>, MaybeOf<N, M>)> {
        self.joined().left_join_lateral(|(m,)| f(m))
    }
    fn joined(self) -> Join<M, (M::Cols<M>,)> {
        Join::new(self.ast)
    }
}
