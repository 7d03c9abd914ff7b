//! What `#[derive(Shape)]` stands on: the fields of a struct as columns and relations of one query.
//!
//! The functions [`fills`], [`held`] and [`items`] check a field; the derive calls them where a query is planned, and again
//! where a row is read. What they ask for is asked nowhere else, so that a mistake is one message however often a field
//! is used.

use std::marker::PhantomData;

use crate::ast::{Expr as Node, Select, Source};
use crate::error::{Error, Result};
use crate::model::{Content, Embed, Many, Maybe, Model, One, Part, Partial, Rel, Shape, Whole};
use crate::query::select::{all_fields, table_ref};
use crate::query::{Col, EmbedCol, EmbedType, Expr, Phantom, Selection};
use crate::relation::{Branch, Load, LoadColumns, RelRef};
use crate::value::{Collector, Expected, Loads, Lookup, Output, Row, Rows, SqlType, Type};

/// The columns of a model in a query on itself.
pub type ColsOf<M> = <M as Model>::Cols<M>;

/// A shape that says itself what it reads: a model, or a struct with `#[derive(Shape)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a shape",
    label = "neither a model nor a struct with `#[derive(Shape)]`",
    note = "add `#[derive(Shape)]` and `#[shape(..)]` with the model whose rows it is read from"
)]
pub trait Projection: Shape {
    /// Whether it ends. One that holds itself does not, and this cannot be calculated: it does not compile.
    const FINITE: bool;
    /// Adds columns in the order in which `Output::decode` reads them, and relations in the order in which
    /// `Output::assemble` takes them.
    fn plan(cols: ColsOf<Self::Model>, plan: &mut Plan<'_>);
}
#[diagnostic::do_not_recommend]
impl<M: Model> Projection for M {
    const FINITE: bool = true;
    fn plan(_: M::Cols<M>, plan: &mut Plan<'_>) {
        let source = plan.select.root();
        plan.select.columns.extend(all_fields::<M>(source));
    }
}

/// The columns and relations of a shape while they are collected.
pub struct Plan<'a> {
    select: &'a mut Select,
    loads: &'a mut Vec<Branch>,
    /// Where the columns of each field begin.
    starts: Vec<usize>,
}

impl Plan<'_> {
    /// Makes the select one of this shape; where the columns of each field begin.
    fn of<N: Projection>(select: &mut Select, loads: &mut Vec<Branch>) -> Vec<usize> {
        select.columns.clear();
        let cols = N::Model::cols(select.root());
        let starts = Vec::new();
        let mut plan = Plan {
            select,
            loads,
            starts,
        };
        N::plan(cols, &mut plan);
        plan.starts
    }
    /// Makes the select one of this shape.
    pub(crate) fn into<N: Projection>(select: &mut Select, loads: &mut Vec<Branch>) {
        Plan::of::<N>(select, loads);
    }
    /// The next field is filled by this column, expression or embedded struct.
    pub fn column<T, K>(&mut self, cell: Cell<T, K>) {
        self.starts.push(self.select.columns.len());
        self.select.columns.extend(cell.nodes);
    }
    /// The next relation, each of its rows as the shape that the field holds.
    pub fn relation<C, K, R, F>(&mut self, holder: Holder<C, K, R::Child>, load: Load<R, R::Child, F>)
    where
        R: Rel,
        R::Card: Takes<C, K, F>,
    {
        let branch = load.into_branch(holder.rows);
        self.loads.push(match holder.shape {
            Some(shape) => branch.shaped(shape),
            None => branch,
        });
    }
    /// The next relation, of each of its rows what the load selects.
    pub fn columns<C, K, R: Rel, T, F>(&mut self, holder: Holder<C, K, T>, load: LoadColumns<R, T, F>)
    where
        R::Card: Takes<C, K, Partial>,
    {
        self.loads.push(load.into_branch(holder.rows));
    }
}

/// The result columns that a shape reads from hand-written SQL, found by name: for each field the given one, or those of
/// its columns.
pub fn by_result<N: Projection>(given: &[Option<&'static str>], out: &mut Vec<Expected>) -> Lookup {
    let mut select = Select::from(table_ref::<N::Model>(Source::fresh()));
    let starts = Plan::of::<N>(&mut select, &mut Vec::new());
    let field = |at: usize| starts.partition_point(|start| *start <= at).checked_sub(1);
    let expected = |(at, node): (usize, &Node)| {
        let (name, ty) = match node {
            Node::Column(_, column) => (column.name, column.ty),
            // what a hand-written statement computes may be of any scale
            _ => ("", Type::Decimal(0, 0)),
        };
        let given = field(at).and_then(|i| *given.get(i)?);
        Expected {
            model: N::Model::TABLE.model,
            name: given.unwrap_or(name),
            ty,
        }
    };
    out.extend(select.columns.iter().enumerate().map(expected));
    Lookup::Name
}

/// What fills a field of type `T` in a shape of `S`: a column or an expression of exactly this type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not fill a field of type `{T}`",
    label = "the field is `{T}`",
    note = "a relation needs `#[rel]`, a column of JSON a `Json<..>`"
)]
pub trait Fills<S, T> {
    /// How it is read. A type that nothing fills has none.
    type Cell;
    /// What is selected.
    fn cell(self) -> Self::Cell;
}
#[diagnostic::do_not_recommend]
impl<S, T: SqlType, K> Fills<S, T> for Col<S, T, K> {
    type Cell = Cell<T, Single>;
    fn cell(self) -> Self::Cell {
        Cell::new::<S>(self)
    }
}
#[diagnostic::do_not_recommend]
impl<S, T: SqlType> Fills<S, T> for Expr<S, T> {
    type Cell = Cell<T, Single>;
    fn cell(self) -> Self::Cell {
        Cell::new::<S>(self)
    }
}
#[diagnostic::do_not_recommend]
impl<S, E: Embed> Fills<S, E> for EmbedCol<S, E, One> {
    type Cell = Cell<E, Several>;
    fn cell(self) -> Self::Cell {
        Cell::new::<S>(self)
    }
}
#[diagnostic::do_not_recommend]
impl<S, E: Embed> Fills<S, Option<E>> for EmbedCol<S, E, Maybe> {
    type Cell = Cell<Option<E>, Several>;
    fn cell(self) -> Self::Cell {
        Cell::new::<S>(self)
    }
}

/// A field of one column.
pub struct Single;
/// A field of several columns.
pub struct Several;

/// A field of the row and what fills it.
pub struct Cell<T, K> {
    nodes: Vec<Node>,
    _p: Phantom<(T, K)>,
}

impl<T, K> Cell<T, K> {
    fn new<S>(x: impl Selection<S, Out = T>) -> Self {
        let mut nodes = Vec::new();
        x.push(&mut nodes);
        Cell {
            nodes,
            _p: PhantomData,
        }
    }
}

/// This fills the field. Called by generated code.
pub fn fills<S, T, X: Fills<S, T>>(x: X) -> X::Cell {
    x.cell()
}

/// What a closure over the columns yields. Called by generated code.
pub fn over<C, X>(cols: C, f: impl FnOnce(C) -> X) -> X {
    f(cols)
}

/// How a field is read from a row.
pub struct Reads<X>(Phantom<X>);

/// What fills a field says how it is read; it is not run. Called by generated code.
#[inline(always)]
pub fn reads<C, X>(_: impl FnOnce(C) -> X) -> Reads<X> {
    Reads(PhantomData)
}

impl<X: Readable> Reads<X> {
    /// Reads the next cells of a row.
    #[inline(always)]
    pub fn read(self, row: &mut Row<'_>, shape: &'static str, field: &'static str) -> Result<X::Type> {
        X::read(row, shape, field)
    }
}

/// What reads a value of a type.
pub trait Readable {
    /// The type.
    type Type;
    /// Reads the next cells of a row.
    fn read(row: &mut Row<'_>, shape: &'static str, field: &'static str) -> Result<Self::Type>;
}
impl<T: SqlType> Readable for Cell<T, Single> {
    type Type = T;
    #[inline(always)]
    fn read(row: &mut Row<'_>, shape: &'static str, field: &'static str) -> Result<T> {
        row.field(shape, field)
    }
}
impl<T: EmbedType> Readable for Cell<T, Several> {
    type Type = T;
    fn read(row: &mut Row<'_>, shape: &'static str, field: &'static str) -> Result<T> {
        T::next(row).map_err(|e| named(e, shape, field))
    }
}

/// Holds related rows as shapes or models.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold a relation",
    label = "expected a shape, or `Option<..>` or `Vec<..>` of one",
    note = "a shape is a model, or a struct with `#[derive(Shape)]`"
)]
pub trait Held: Content {
    /// How many rows it holds.
    type Kind;
    /// Of which model.
    type Model;
    /// What a row becomes.
    type Row: Projection;
}
impl<N: Projection> Held for N {
    type Kind = One;
    type Model = N::Model;
    type Row = N;
}

/// Holds selected columns of related rows.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold columns of a relation",
    label = "expected `Vec<..>`, or `Option<..>` where there is at most one row"
)]
pub trait Items: Content {
    /// How many rows it holds.
    type Kind;
    /// What a row becomes.
    type Item: Output;
}

macro_rules! holders {
    ($($Ty:ident $Kind:ident),+) => {$(
        impl<N: Projection> Held for $Ty<N> {
            type Kind = $Kind;
            type Model = N::Model;
            type Row = N;
        }
        impl<N: Output> Items for $Ty<N> {
            type Kind = $Kind;
            type Item = N;
        }
    )+};
}
holders!(Vec Many, Part Many, Option Maybe);

/// A field that holds a relation: so many rows of this model, or of these columns.
pub struct Holder<C, K, M> {
    take: fn(&mut Loads<'_>) -> Result<C>,
    rows: fn() -> Box<dyn Collector>,
    shape: Option<fn(&mut Select, &mut Vec<Branch>)>,
    finite: bool,
    _p: Phantom<(K, M)>,
}

/// A field that holds related rows. Called by generated code.
#[inline(always)]
pub const fn held<C: Held<Kind = K, Model = M>, K, M>() -> Holder<C, K, M> {
    Holder {
        take: C::load,
        rows: Rows::<C::Row>::collector,
        shape: Some(Plan::into::<C::Row>),
        finite: <C::Row as Projection>::FINITE,
        _p: PhantomData,
    }
}

/// A field that holds columns of related rows. Called by generated code.
#[inline(always)]
pub const fn items<C: Items<Kind = K, Item = T>, K, T: Output>() -> Holder<C, K, T> {
    Holder {
        take: C::load,
        rows: Rows::<T>::collector,
        shape: None,
        finite: true,
        _p: PhantomData,
    }
}

impl<C, K, M> Holder<C, K, M> {
    /// Takes what was loaded for the next relation.
    #[inline]
    pub fn take(&self, loads: &mut Loads<'_>, shape: &'static str, field: &'static str) -> Result<C> {
        (self.take)(loads).map_err(|e| named(e, shape, field))
    }
    /// Whether the shape it holds ends.
    pub const fn finite(&self) -> bool {
        self.finite
    }
}

#[cold]
fn named(e: Error, shape: &'static str, field: &'static str) -> Error {
    match e.model() {
        Some(_) => e,
        None => e.with_model(shape).with_field(field),
    }
}

/// `Self` is how many related rows there may be, and `F` whether the load brings all of them: `C`, which holds `K`,
/// takes them. Whoever writes a shape knows its filters and limits, so that a `Vec` will do for them too.
///
/// The message is that of `One` alone: what else does not fit fails in one of the traits below.
#[diagnostic::on_unimplemented(
    message = "`{C}` cannot hold this relation, of which a filter or a limit may leave no row",
    label = "expected an `Option<..>`"
)]
pub trait Takes<C, K, F> {}
impl<C, K: ForMany<C>, F> Takes<C, K, F> for Many {}
impl<C, K: ForMaybe<C>, F> Takes<C, K, F> for Maybe {}
impl<C, K: ForMaybe<C>> Takes<C, K, Partial> for One {}
impl<C, K: ForOne<C>> Takes<C, K, Whole> for One {}

/// `C` holds any number of rows.
#[diagnostic::on_unimplemented(
    message = "`{C}` cannot hold this relation, which has any number of rows",
    label = "expected a `Vec<..>`"
)]
pub trait ForMany<C> {}
#[diagnostic::do_not_recommend]
impl<C> ForMany<C> for Many {}

/// `C` holds a row or none.
#[diagnostic::on_unimplemented(
    message = "`{C}` cannot hold this relation, which has one row or none",
    label = "expected an `Option<..>`"
)]
pub trait ForMaybe<C> {}
#[diagnostic::do_not_recommend]
impl<C> ForMaybe<C> for Maybe {}

/// `C` holds the one row.
#[diagnostic::on_unimplemented(
    message = "`{C}` cannot hold this relation, which always has one row",
    label = "expected the row itself, without `Option<..>` or `Vec<..>`"
)]
pub trait ForOne<C> {}
#[diagnostic::do_not_recommend]
impl<C> ForOne<C> for One {}

/// What an attribute of a shape names as a relation.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a relation of `{M}`",
    label = "expected a relation of `{M}`"
)]
pub trait RelationOf<M> {
    /// The relation.
    type Rel;
    /// Itself.
    fn itself(self) -> RelRef<M, Self::Rel>;
}
#[diagnostic::do_not_recommend]
impl<M, R> RelationOf<M> for RelRef<M, R> {
    type Rel = R;
    fn itself(self) -> RelRef<M, R> {
        self
    }
}

/// The relation, if it is one. Called by generated code.
pub fn relation<M, X: RelationOf<M>>(x: X) -> RelRef<M, X::Rel> {
    x.itself()
}
