//! Relations to load beside rows: `.with(|u| u.posts.filter(..).order_by(..).limit(5).with(..))`.

use crate::ast::{Deleted, Expr as Node, Select, Source, Unfiltered};
use crate::error::Result;
use crate::model::{
    Content, Coverage, FilterRef, Filtered, Holds, Maybe, Model, One, Partial, Rel, Shape, SoftDelete, Whole,
    named,
};
use crate::query::{Cond, Orders, Phantom, Plan, Projection, Selection, all_fields, related_table};
use crate::relation::{RelRef, unfilter};
use crate::schema::RelationDef;
use crate::value::{Collector, Loads, Output, Rows, Value};

/// A relation to load, as data: what it selects, what is loaded beside its rows in turn.
#[derive(Clone)]
pub struct Branch {
    pub(crate) relation: &'static RelationDef,
    /// Of the related table; limit and offset count for each row above.
    pub(crate) select: Box<Select>,
    pub(crate) loads: Vec<Branch>,
    pub(crate) rows: fn() -> Box<dyn Collector>,
    /// Whether it stands beside the row as a field of its own name, by `.with(..)`: one such field hides another.
    pub(crate) beside: bool,
    /// Whether the related row should come with the statement of the row it belongs to.
    pub(crate) joined: bool,
}

impl Branch {
    /// As a field of its own name beside the row.
    pub(crate) fn beside(self) -> Self {
        Branch { beside: true, ..self }
    }
    /// With the columns and relations of a shape.
    pub(crate) fn shaped(mut self, shape: fn(&mut Select, &mut Vec<Branch>)) -> Self {
        shape(&mut self.select, &mut self.loads);
        self
    }
}

type ChildCols<R> = <<R as Rel>::Child as Model>::Cols<<R as Rel>::Child>;

/// A relation to load, with an order, a limit, conditions and relations of its own. `N` is what a related row becomes,
/// `F` tells whether all related rows are there.
#[must_use = "a load does nothing outside `.with(..)`"]
pub struct Load<R: Rel, N = <R as Rel>::Child, F = Whole> {
    select: Box<Select>,
    loads: Vec<Branch>,
    joined: bool,
    _p: Phantom<(R, N, F)>,
}

/// A relation to at most one row.
#[diagnostic::on_unimplemented(
    message = "`.joined()` brings one related row with the row itself, and this relation leads to many",
    label = "drop `.joined()`: the related rows of all rows are one statement"
)]
pub trait Joinable {}
#[diagnostic::do_not_recommend]
impl Joinable for One {}
#[diagnostic::do_not_recommend]
impl Joinable for Maybe {}

impl<R: Rel> Load<R> {
    pub(crate) fn new() -> Self {
        let source = Source::fresh();
        let mut select = Select::from(related_table(R::DEF, source));
        select.columns = all_fields::<R::Child>(source);
        Load {
            select: Box::new(select),
            loads: Vec::new(),
            joined: false,
            _p: std::marker::PhantomData,
        }
    }
}

impl<R: Rel, N, F> Load<R, N, F> {
    fn cast<N2, F2>(self) -> Load<R, N2, F2> {
        Load {
            select: self.select,
            loads: self.loads,
            joined: self.joined,
            _p: std::marker::PhantomData,
        }
    }
    fn cols(&self) -> ChildCols<R> {
        R::Child::cols(self.select.root())
    }
    fn deleted(mut self, deleted: Deleted) -> Self {
        if let Some(from) = &mut self.select.from {
            from.guard.deleted = deleted;
        }
        self
    }
    fn unfiltered(mut self, off: Unfiltered) -> Self {
        unfilter(&mut self.select, off);
        self
    }
    /// Related rows that do not meet this named filter of their model as well.
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
    /// All related rows, whether or not they meet the named filters of their model.
    pub fn without_filters(self) -> Self
    where
        R::Child: Filtered,
    {
        self.unfiltered(Unfiltered::ALL)
    }
    pub(crate) fn into_branch(self, rows: fn() -> Box<dyn Collector>) -> Branch {
        Branch {
            relation: R::DEF,
            select: self.select,
            loads: self.loads,
            rows,
            beside: false,
            joined: self.joined,
        }
    }
    /// Only related rows that meet the condition. What is loaded is then a [`Part`](crate::model::Part).
    pub fn filter<C: Cond<R::Child>>(mut self, f: impl FnOnce(ChildCols<R>) -> C) -> Load<R, N, Partial> {
        let condition = f(self.cols()).into_cond();
        self.select.filter.push(condition);
        self.cast()
    }
    /// As [`filter`](Load::filter) when there is a value, else nothing.
    pub fn filter_some<V, C: Cond<R::Child>>(
        self,
        value: Option<V>,
        f: impl FnOnce(ChildCols<R>, V) -> C,
    ) -> Load<R, N, Partial> {
        match value {
            Some(v) => self.filter(|c| f(c, v)),
            None => self.cast(),
        }
    }
    /// The order of the related rows of each row. Without one it is the database's choice.
    pub fn order_by<T: Orders<R::Child>>(mut self, f: impl FnOnce(ChildCols<R>) -> T) -> Self {
        f(self.cols()).add_to(&mut self.select.order);
        self
    }
    /// At most so many related rows for each row, the first ones in the load's order.
    pub fn limit(mut self, n: u64) -> Load<R, N, Partial> {
        self.select.limit = Some(n);
        self.cast()
    }
    /// Without the first so many related rows of each row.
    pub fn offset(mut self, n: u64) -> Load<R, N, Partial> {
        self.select.offset = Some(n);
        self.cast()
    }
    /// The related row comes with the statement of the row itself, by a LEFT JOIN, instead of a statement of its own:
    /// one way to the database less, and a row that many rows share is sent with each of them. What comes back is the
    /// same.
    ///
    /// It stays a statement of its own where a join could not say the same: beside rows in hand, for a `has_one` that no
    /// unique key keeps to one row, with a limit or an offset, and beside rows that are distinct or themselves limited
    /// for each row above. With a lock only the query's own rows are locked.
    ///
    /// ```sql
    /// SELECT t0."id", …, t1."id", t1."name" FROM "posts" AS t0 LEFT JOIN "users" AS t1 ON t1."id" = t0."author_id"
    /// ```
    pub fn joined(mut self) -> Self
    where
        R::Card: Joinable,
    {
        self.joined = true;
        self
    }
    /// Soft-deleted related rows as well.
    pub fn with_deleted(self) -> Self
    where
        R::Child: SoftDelete,
    {
        self.deleted(Deleted::Included)
    }
    /// Soft-deleted related rows only.
    pub fn only_deleted(self) -> Load<R, N, Partial>
    where
        R::Child: SoftDelete,
    {
        self.deleted(Deleted::Only).cast()
    }
    /// Living related rows only, also where the relation is required: a required `belongs_to` shows a soft-deleted row
    /// otherwise, or the row that refers to it would have nothing to hold.
    pub fn live(self) -> Load<R, N, Partial>
    where
        R::Child: SoftDelete,
    {
        self.deleted(Deleted::Hidden).cast()
    }
    /// Loads a relation of the related rows.
    pub fn with<L: LoadOf<R::Child>>(mut self, f: impl FnOnce(ChildCols<R>) -> L) -> Load<R, L::Out<N>, F>
    where
        N: Shape<Model = R::Child>,
    {
        f(self.cols()).add_to(&mut self.select, &mut self.loads);
        self.cast()
    }
}

impl<R: Rel, F> Load<R, R::Child, F> {
    /// Loads the related rows as a struct with `#[derive(Shape)]`: only the columns that it names, and its relations.
    pub fn shape<N: Projection<Model = R::Child>>(mut self) -> Load<R, N, F> {
        Plan::into::<N>(&mut self.select, &mut self.loads);
        self.cast()
    }
    /// Loads columns or expressions of the related rows instead of whole rows. A to-one relation holds them as `Option`.
    pub fn select<T: Selection<R::Child>>(
        mut self,
        f: impl FnOnce(ChildCols<R>) -> T,
    ) -> LoadColumns<R, T::Out, F> {
        let cols = self.cols();
        self.select.columns.clear();
        f(cols).push(&mut self.select.columns);
        LoadColumns(self.cast())
    }
}

/// A relation of which columns are loaded instead of whole rows.
#[must_use = "a load does nothing outside `.with(..)`"]
pub struct LoadColumns<R: Rel, T, F>(Load<R, T, F>);

impl<R: Rel, T, F> LoadColumns<R, T, F> {
    pub(crate) fn into_branch(self, rows: fn() -> Box<dyn Collector>) -> Branch {
        self.0.into_branch(rows)
    }
}

/// How many related rows there are, instead of the rows.
#[must_use = "a count does nothing outside `.with(..)`"]
pub struct LoadCount<R: Rel>(Node, Phantom<R>);

impl<S, R: Rel> RelRef<S, R> {
    /// The relation as something to load, all of it.
    pub fn load(self) -> Load<R> {
        Load::new().unfiltered(self.unfiltered())
    }
    /// Loads only related rows that meet the condition.
    pub fn filter<C: Cond<R::Child>>(self, f: impl FnOnce(ChildCols<R>) -> C) -> Load<R, R::Child, Partial> {
        self.load().filter(f)
    }
    /// As [`filter`](RelRef::filter) when there is a value, else nothing.
    pub fn filter_some<V, C: Cond<R::Child>>(
        self,
        value: Option<V>,
        f: impl FnOnce(ChildCols<R>, V) -> C,
    ) -> Load<R, R::Child, Partial> {
        self.load().filter_some(value, f)
    }
    /// Loads the related rows in this order.
    pub fn order_by<T: Orders<R::Child>>(self, f: impl FnOnce(ChildCols<R>) -> T) -> Load<R> {
        self.load().order_by(f)
    }
    /// Loads at most so many related rows for each row.
    pub fn limit(self, n: u64) -> Load<R, R::Child, Partial> {
        self.load().limit(n)
    }
    /// Loads the related row with the statement of the row itself, see [`Load::joined`].
    pub fn joined(self) -> Load<R>
    where
        R::Card: Joinable,
    {
        self.load().joined()
    }
    /// Loads soft-deleted related rows as well.
    pub fn with_deleted(self) -> Load<R>
    where
        R::Child: SoftDelete,
    {
        self.load().with_deleted()
    }
    /// Loads soft-deleted related rows only.
    pub fn only_deleted(self) -> Load<R, R::Child, Partial>
    where
        R::Child: SoftDelete,
    {
        self.load().only_deleted()
    }
    /// Loads living related rows only, see [`Load::live`].
    pub fn live(self) -> Load<R, R::Child, Partial>
    where
        R::Child: SoftDelete,
    {
        self.load().live()
    }
    /// Loads the related rows with a relation of theirs.
    pub fn with<L: LoadOf<R::Child>>(self, f: impl FnOnce(ChildCols<R>) -> L) -> Load<R, L::Out<R::Child>> {
        self.load().with(f)
    }
    /// Loads the related rows as a struct with `#[derive(Shape)]`.
    pub fn shape<N: Projection<Model = R::Child>>(self) -> Load<R, N> {
        self.load().shape()
    }
    /// Loads columns or expressions of the related rows instead of whole rows.
    pub fn select<T: Selection<R::Child>>(
        self,
        f: impl FnOnce(ChildCols<R>) -> T,
    ) -> LoadColumns<R, T::Out, Whole> {
        self.load().select(f)
    }
    /// Loads how many related rows there are instead of the rows: the field of the relation is an `i64`. It comes with
    /// the statement of the row itself.
    pub fn counted(self) -> LoadCount<R> {
        LoadCount(self.count().into_node(), std::marker::PhantomData)
    }
}

/// What `.with(..)` may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a relation of `{M}`",
    label = "expected a relation of `{M}`, optionally with `.filter`, `.order_by`, `.limit`, `.with`"
)]
pub trait LoadOf<M: Model> {
    /// The row with the relation beside it.
    type Out<O: Shape<Model = M>>: Shape<Model = M>;
    /// Adds what it needs to the statement of the rows, or as a statement of its own.
    #[doc(hidden)]
    fn add_to(self, select: &mut Select, loads: &mut Vec<Branch>);
}
#[diagnostic::do_not_recommend]
impl<M: Model, R: Rel<Parent = M>> LoadOf<M> for RelRef<M, R> {
    type Out<O: Shape<Model = M>> = R::With<O, <R::Card as Holds>::Content<R::Child, Whole>>;
    fn add_to(self, select: &mut Select, loads: &mut Vec<Branch>) {
        LoadOf::<M>::add_to(self.load(), select, loads);
    }
}
#[diagnostic::do_not_recommend]
impl<M: Model, R: Rel<Parent = M>, N: Shape<Model = R::Child>, F: Coverage> LoadOf<M> for Load<R, N, F> {
    type Out<O: Shape<Model = M>> = R::With<O, <R::Card as Holds>::Content<N, F>>;
    fn add_to(self, _: &mut Select, loads: &mut Vec<Branch>) {
        loads.extend(LoadLater::<M>::branches(self).into_iter().map(Branch::beside));
    }
}
#[diagnostic::do_not_recommend]
impl<M: Model, R: Rel<Parent = M>, T: Output, F: Coverage> LoadOf<M> for LoadColumns<R, T, F> {
    type Out<O: Shape<Model = M>> = R::With<O, <R::Card as Holds>::Columns<T, F>>;
    fn add_to(self, _: &mut Select, loads: &mut Vec<Branch>) {
        loads.extend(LoadLater::<M>::branches(self).into_iter().map(Branch::beside));
    }
}
#[diagnostic::do_not_recommend]
impl<M: Model, R: Rel<Parent = M>> LoadOf<M> for LoadCount<R> {
    type Out<O: Shape<Model = M>> = R::With<O, i64>;
    fn add_to(self, select: &mut Select, _: &mut Vec<Branch>) {
        select.columns.push(self.0);
    }
}

/// What can be loaded for rows in hand: a relation with a statement of its own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be loaded for rows in hand",
    label = "expected a relation of `{M}`, optionally with `.filter`, `.order_by`, `.limit`, `.with`"
)]
pub trait LoadLater<M: Model>: LoadOf<M> {
    /// The statements: one, or one for each model that a polymorphic association refers to.
    #[doc(hidden)]
    fn branches(self) -> Vec<Branch>;
    /// What relates a row to one of them.
    #[doc(hidden)]
    fn key(row: &M, branch: usize) -> Option<Vec<Value>>;
    /// Puts what was loaded for a row beside it.
    #[doc(hidden)]
    fn attach<O: Shape<Model = M>>(row: O, loads: &mut Loads<'_>) -> Result<Self::Out<O>>;
}
macro_rules! load_later {
    ([$($p:tt)*] $Ty:ty, $branch:expr) => {
        #[diagnostic::do_not_recommend]
        impl<M: Model, R: Rel<Parent = M>, $($p)*> LoadLater<M> for $Ty {
            fn branches(self) -> Vec<Branch> {
                vec![$branch(self)]
            }
            fn key(row: &M, _: usize) -> Option<Vec<Value>> {
                R::key(row)
            }
            fn attach<O: Shape<Model = M>>(row: O, loads: &mut Loads<'_>) -> Result<Self::Out<O>> {
                Content::load(loads)
                    .map(|c| R::attach(row, c))
                    .map_err(|e| named(R::DEF.model, R::DEF.name, e))
            }
        }
    };
}
load_later!([] RelRef<M, R>, |rel: Self| rel.load().into_branch(Rows::<R::Child>::collector));
load_later!([N: Shape<Model = R::Child>, F: Coverage] Load<R, N, F>, |load: Self| load
    .into_branch(Rows::<N>::collector));
load_later!([T: Output, F: Coverage] LoadColumns<R, T, F>, |load: Self| load
    .into_branch(Rows::<T>::collector));
