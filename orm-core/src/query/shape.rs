//! What `#[derive(Shape)]` stands on: the fields of a struct as columns and relations of one query.
//!
//! A field is checked where the derive names it. The types [`Cell`] and [`Holder`] are a detour for the sake of messages:
//! a field that cannot be filled at all is one error, and nothing is said about what would have filled it.

use std::marker::PhantomData;

use crate::ast::{Expr as Node, Select, Source};
use crate::error::{Error, Result};
use crate::model::{Content, Coverage, Many, Maybe, Model, One, Part, Partial, Rel, Shape, Whole};
use crate::query::select::{all_fields, table_ref};
use crate::query::{Col, Expr, Phantom, Selection};
use crate::relation::{Branch, Load, LoadColumns, LoadLater, RelRef};
use crate::value::{Loads, Output, Row, SqlType};

/// A shape that says itself what it reads: a model, or a struct with `#[derive(Shape)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a shape",
    label = "neither a model nor a struct with `#[derive(Shape)]`",
    note = "add `#[derive(Shape)]` and `#[shape(..)]` with the model whose rows it is read from"
)]
pub trait Projection: Shape {
    /// How many shapes it consists of. One that holds itself has no such number, and does not compile.
    const SIZE: usize;
    /// Adds columns in the order in which `Output::decode` reads them, and relations in the order in which
    /// `Output::assemble` takes them.
    fn plan(plan: &mut Plan<'_, Self::Model>);
}
#[diagnostic::do_not_recommend]
impl<M: Model> Projection for M {
    const SIZE: usize = 1;
    fn plan(plan: &mut Plan<'_, M>) {
        let source = plan.select.root();
        plan.select.columns.extend(all_fields::<M>(source));
    }
}

/// The columns and relations of a shape while they are collected.
pub struct Plan<'a, M> {
    select: &'a mut Select,
    loads: &'a mut Vec<Branch>,
    _p: Phantom<M>,
}

impl<M: Model> Plan<'_, M> {
    /// Makes the select one of this shape.
    pub(crate) fn of<N: Projection<Model = M>>(select: &mut Select, loads: &mut Vec<Branch>) {
        select.columns.clear();
        N::plan(&mut Plan {
            select,
            loads,
            _p: PhantomData,
        });
    }
    /// The columns and relations of the model.
    pub fn cols(&self) -> M::Cols<M> {
        M::cols(self.select.root())
    }
    /// The next field is filled by this column or expression.
    pub fn column<T, X: Fills<M, T>>(&mut self, _: Cell<T>, x: X) {
        x.push(&mut self.select.columns);
    }
    /// The next field is filled by an expression over the model's columns.
    pub fn expr<T, X: Fills<M, T>>(&mut self, cell: Cell<T>, f: impl FnOnce(M::Cols<M>) -> X) {
        self.column(cell, f(self.cols()));
    }
    /// The next relation, each of its rows as the shape that the field holds.
    pub fn relation<C, R, F>(&mut self, _: Holder<C>, load: Load<R, R::Child, F>)
    where
        C: Held,
        C::Row: Projection<Model = R::Child>,
        R: Rel<Parent = M>,
        R::Card: Takes<C, F>,
        F: Coverage,
    {
        self.loads.push(LoadLater::<M>::branch(load.shape::<C::Row>()));
    }
    /// The next relation, of each of its rows what the load selects.
    pub fn columns<C, R, F>(&mut self, _: Holder<C>, load: LoadColumns<R, C::Item, F>)
    where
        C: Items,
        R: Rel<Parent = M>,
        R::Card: Takes<C, Partial>,
        F: Coverage,
    {
        self.loads.push(LoadLater::<M>::branch(load));
    }
}

/// The names of the result columns that a shape reads from hand-written SQL: the given one, or that of the column.
pub fn result_names<N: Projection>(given: &[Option<&'static str>]) -> Vec<&'static str> {
    let mut select = Select::from(table_ref::<N::Model>(Source::fresh()));
    Plan::of::<N>(&mut select, &mut Vec::new());
    let name = |(given, node): (&Option<&'static str>, &Node)| match (given, node) {
        (Some(name), _) => name,
        (None, Node::Column(_, column)) => column.name,
        (None, _) => "",
    };
    given.iter().zip(&select.columns).map(name).collect()
}

/// What fills a field of type `T` in a shape of `S`: a column or an expression of exactly this type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not fill a field of type `{T}` in a shape of `{S}`",
    label = "the field is `{T}`"
)]
pub trait Fills<S, T>: Selection<S> {}
#[diagnostic::do_not_recommend]
impl<S, T: SqlType, K> Fills<S, T> for Col<S, T, K> {}
#[diagnostic::do_not_recommend]
impl<S, T: SqlType> Fills<S, T> for Expr<S, T> {}

/// The type of a field that a column can fill.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a column type",
    label = "no column fills this field",
    note = "a relation is marked with `#[rel]`; a column of JSON is a `Json<..>`"
)]
pub trait CellType {
    /// Itself.
    type Itself: SqlType;
}
#[diagnostic::do_not_recommend]
impl<T: SqlType> CellType for T {
    type Itself = T;
}

/// A field that a column or an expression fills.
pub struct Cell<T>(Phantom<T>);

/// A field of this type. Called by generated code.
#[inline(always)]
pub const fn cell<T: CellType>() -> Cell<T::Itself> {
    Cell(PhantomData)
}

impl<T: SqlType> Cell<T> {
    /// Reads the next cell of a row.
    #[inline(always)]
    pub fn read(&self, row: &mut Row<'_>, shape: &'static str, field: &'static str) -> Result<T> {
        row.field(shape, field)
    }
}

/// What a field can hold of a relation: rows as shapes or models.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold a relation",
    label = "expected a shape, `Option<..>` or `Vec<..>` of one",
    note = "a shape is a model or a struct with `#[derive(Shape)]`"
)]
pub trait Held {
    /// Itself.
    type Itself: Content;
    /// What a row becomes.
    type Row: Projection;
}

/// What a field can hold of a relation of which columns are selected.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold columns of a relation",
    label = "expected `Vec<..>`, or `Option<..>` where there is at most one row"
)]
pub trait Items {
    /// Itself.
    type Itself: Content;
    /// What a row becomes.
    type Item: Output;
}

macro_rules! holders {
    ($($Ty:ident),+) => {$(
        #[diagnostic::do_not_recommend]
        impl<N: Projection> Held for $Ty<N> {
            type Itself = $Ty<N>;
            type Row = N;
        }
        #[diagnostic::do_not_recommend]
        impl<N: Output> Items for $Ty<N> {
            type Itself = $Ty<N>;
            type Item = N;
        }
    )+};
}
holders!(Vec, Option, Part);
#[diagnostic::do_not_recommend]
impl<N: Projection> Held for N {
    type Itself = N;
    type Row = N;
}

/// A field that holds a relation.
pub struct Holder<C>(Phantom<C>);

/// A field of this type. Called by generated code.
#[inline(always)]
pub const fn held<C: Held>() -> Holder<C::Itself> {
    Holder(PhantomData)
}
/// A field of this type. Called by generated code.
#[inline(always)]
pub const fn items<C: Items>() -> Holder<C::Itself> {
    Holder(PhantomData)
}

impl<C: Content> Holder<C> {
    /// Takes what was loaded for the next relation.
    pub fn take(&self, loads: &mut Loads<'_>, shape: &'static str, field: &'static str) -> Result<C> {
        C::load(loads).map_err(|e| named(e, shape, field))
    }
}
impl<C: Held> Holder<C> {
    /// Of how many shapes a row consists.
    pub const fn size(&self) -> usize {
        <C::Row as Projection>::SIZE
    }
}

#[cold]
fn named(e: Error, shape: &'static str, field: &'static str) -> Error {
    match e.model() {
        Some(_) => e,
        None => e.with_model(shape).with_field(field),
    }
}

/// `Self` is how many related rows there may be, `F` whether the load brings all of them: this is what holds them.
pub trait Takes<C, F> {}
#[diagnostic::do_not_recommend]
impl<C: HoldsMany, F> Takes<C, F> for Many {}
#[diagnostic::do_not_recommend]
impl<C: HoldsMaybe, F> Takes<C, F> for Maybe {}
#[diagnostic::do_not_recommend]
impl<C: HoldsMaybe> Takes<C, Partial> for One {}
#[diagnostic::do_not_recommend]
impl<C: HoldsOne> Takes<C, Whole> for One {}

/// Holds any number of rows. Whoever writes a shape knows its filters and limits, so that a `Vec` will do for them too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold this relation: it has any number of rows",
    label = "expected `Vec<..>`"
)]
pub trait HoldsMany {}
#[diagnostic::do_not_recommend]
impl<N> HoldsMany for Vec<N> {}
#[diagnostic::do_not_recommend]
impl<N> HoldsMany for Part<N> {}

/// Holds a row or none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold this relation: it has one row or none",
    label = "expected `Option<..>`"
)]
pub trait HoldsMaybe {}
#[diagnostic::do_not_recommend]
impl<N> HoldsMaybe for Option<N> {}

/// Holds the one row.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold this relation: it always has one row",
    label = "expected the row itself, without `Option<..>` or `Vec<..>`"
)]
pub trait HoldsOne {}
#[diagnostic::do_not_recommend]
impl<N: Shape> HoldsOne for N {}

/// What an attribute of a shape names as a relation.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a relation of `{M}`",
    label = "expected a relation of `{M}`"
)]
pub trait RelationOf<M> {
    /// The relation.
    type Rel: Rel<Parent = M>;
    /// Itself.
    fn itself(self) -> RelRef<M, Self::Rel>;
}
#[diagnostic::do_not_recommend]
impl<M, R: Rel<Parent = M>> RelationOf<M> for RelRef<M, R> {
    type Rel = R;
    fn itself(self) -> RelRef<M, R> {
        self
    }
}

/// The relation, if it is one. Called by generated code.
pub fn relation<M, X: RelationOf<M>>(x: X) -> RelRef<M, X::Rel> {
    x.itself()
}
