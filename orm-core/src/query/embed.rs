//! Embedded structs in queries: their columns one by one, and the whole value.

use std::ops::Deref;

use crate::ast::{CompareOp, Expr as Node, Source};
use crate::error::{Error, Result};
use crate::model::{Cardinality, Embed, Maybe, One};
use crate::query::operand::put;
use crate::query::{Expr, Filter, Order, Selection, Set};
use crate::schema::Column;
use crate::value::{Row, SqlType, Value};

/// `E` or `Option<E>` of an [`Embed`]: the type of a field with `#[orm(embed)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an embedded struct",
    label = "`#[orm(embed)]` needs a struct whose fields are columns",
    note = "add `#[derive(Embed)]` to the struct, or drop `#[orm(embed)]` from the field if it is one column"
)]
pub trait EmbedType: Sized {
    /// What the field is in a query, inside something that is there (`One`) or may be absent (`Maybe`).
    type Col<S, C: Cardinality>: Copy;
    /// Whether the struct may be absent.
    const OPTIONAL: bool;
    /// The columns of the embedded struct, as it describes them itself.
    const COLUMNS: &'static [Column];
    /// The field of one table reference, where `columns` begin with those of this field.
    fn col<S, C: Cardinality>(source: Source, columns: &'static [Column]) -> Self::Col<S, C>;
    /// Reads the next cells of the row. An error does not say yet which field it is about.
    fn next(row: &mut Row<'_>) -> Result<Self>;
    /// The values of the columns in order.
    fn add_to(self, out: &mut Vec<Value>);
    /// Reads the next cells of a row of `model`, where `columns` begin with those of this field.
    #[inline]
    fn read(row: &mut Row<'_>, model: &'static str, columns: &'static [Column]) -> Result<Self> {
        let start = row.at();
        match Self::next(row) {
            Ok(value) => Ok(value),
            Err(e) => Err(at_column(e, model, columns, row.at() - start)),
        }
    }
}

/// Names the column that was read last, of those `read` so far.
#[cold]
fn at_column(e: Error, model: &'static str, columns: &'static [Column], read: usize) -> Error {
    let e = e.with_model(model);
    match columns.get(read.wrapping_sub(1)) {
        Some(column) => e.with_field(column.field),
        None => e,
    }
}

#[diagnostic::do_not_recommend]
impl<E: Embed> EmbedType for E {
    type Col<S, C: Cardinality> = EmbedCol<S, E, C>;
    const OPTIONAL: bool = false;
    const COLUMNS: &'static [Column] = E::COLUMNS;
    fn col<S, C: Cardinality>(source: Source, columns: &'static [Column]) -> EmbedCol<S, E, C> {
        EmbedCol::new(source, columns)
    }
    #[inline]
    fn next(row: &mut Row<'_>) -> Result<Self> {
        <E as Embed>::read(row)
    }
    #[inline]
    fn add_to(self, out: &mut Vec<Value>) {
        <E as Embed>::add_to(self, out);
    }
}

impl<E: Embed> EmbedType for Option<E> {
    type Col<S, C: Cardinality> = EmbedCol<S, E, Maybe>;
    const OPTIONAL: bool = true;
    const COLUMNS: &'static [Column] = E::COLUMNS;
    fn col<S, C: Cardinality>(source: Source, columns: &'static [Column]) -> EmbedCol<S, E, Maybe> {
        EmbedCol::new(source, columns)
    }
    fn next(row: &mut Row<'_>) -> Result<Self> {
        let count = E::COLUMNS.len();
        if (0..count).all(|i| row.peek_null(i)) {
            row.skip(count);
            return Ok(None);
        }
        match <E as Embed>::read(row) {
            Ok(value) => Ok(Some(value)),
            Err(_) if row.was_null() => Err(incomplete()),
            Err(e) => Err(e),
        }
    }
    fn add_to(self, out: &mut Vec<Value>) {
        match self {
            Some(value) => <E as Embed>::add_to(value, out),
            None => out.extend(E::COLUMNS.iter().map(|c| Value::Null(c.column.ty))),
        }
    }
}

#[cold]
fn incomplete() -> Error {
    Error::decode("NULL in a required column of an embedded struct that has values in other columns")
}

/// An embedded struct inside a query rooted at `S`: its columns are fields (`c.home.city`), and the whole value can be
/// assigned, compared and selected. `C` is `Maybe` where the field is an `Option`.
pub struct EmbedCol<S, E: Embed, C: Cardinality = One> {
    source: Source,
    columns: &'static [Column],
    cols: E::Cols<S, C>,
}

impl<S, E: Embed, C: Cardinality> Clone for EmbedCol<S, E, C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S, E: Embed, C: Cardinality> Copy for EmbedCol<S, E, C> {}

impl<S, E: Embed, C: Cardinality> Deref for EmbedCol<S, E, C> {
    type Target = E::Cols<S, C>;
    fn deref(&self) -> &Self::Target {
        &self.cols
    }
}

impl<S, E: Embed, C: Cardinality> EmbedCol<S, E, C> {
    fn new(source: Source, columns: &'static [Column]) -> Self {
        EmbedCol {
            source,
            columns: columns.get(..E::COLUMNS.len()).unwrap_or(columns),
            cols: E::cols(source, columns),
        }
    }
    fn nodes(self) -> impl Iterator<Item = Node> {
        let source = self.source;
        self.columns.iter().map(move |c| Node::Column(source, &c.column))
    }
    /// The same where the row itself may be absent.
    pub(crate) fn maybe(self) -> EmbedCol<S, E, Maybe> {
        EmbedCol::new(self.source, self.columns)
    }
    /// Assignments of all its columns, for `.set(..)`: a value, `None` where the field is an `Option`, or another
    /// field of this type.
    #[must_use = "an assignment does nothing outside `.set(..)`"]
    pub fn to<V: EmbedValue<S, E, C>>(self, value: V) -> Vec<Set<S>> {
        let mut nodes = Vec::with_capacity(self.columns.len());
        value.add_to(&mut nodes);
        let columns = self.columns.iter().zip(nodes);
        columns.map(|(c, node)| Set::new(c, put(c, node))).collect()
    }
    /// Assignments when there is a value; otherwise the columns stay untouched.
    #[must_use = "an assignment does nothing outside `.set(..)`"]
    pub fn to_some<V: EmbedValue<S, E, C>>(self, value: Option<V>) -> Vec<Set<S>> {
        value.map_or_else(Vec::new, |value| self.to(value))
    }
    /// Equal in every column, where `None` equals NULL: true or false, as `==` of the values in Rust.
    pub fn eq<V: EmbedValue<S, E, C>>(self, value: V) -> Filter<S> {
        let mut nodes = Vec::with_capacity(self.columns.len());
        value.add_to(&mut nodes);
        let columns = self.columns.iter().zip(nodes);
        let equal = columns.map(|(c, node)| {
            let op = match c.column.nullable || <C::Col<bool> as SqlType>::NULLABLE {
                true => CompareOp::IsNotDistinct,
                false => CompareOp::Eq,
            };
            let column = Node::Column(self.source, &c.column);
            Node::Compare(op, Box::new(column), Box::new(put(c, node)))
        });
        Expr::new(Node::All(equal.collect()))
    }
    /// By all its columns in turn, ascending.
    pub fn asc(self) -> Vec<Order<S>> {
        self.nodes()
            .map(|node| Expr::<S, bool>::new(node).asc())
            .collect()
    }
    /// By all its columns in turn, descending.
    pub fn desc(self) -> Vec<Order<S>> {
        self.nodes()
            .map(|node| Expr::<S, bool>::new(node).desc())
            .collect()
    }
    /// Different in some column: the opposite of [`eq`](EmbedCol::eq).
    pub fn ne<V: EmbedValue<S, E, C>>(self, value: V) -> Filter<S> {
        self.eq(value).not()
    }
}

impl<S, E: Embed> EmbedCol<S, E, Maybe> {
    /// Nothing is there: all its columns are NULL.
    pub fn is_null(self) -> Filter<S> {
        let null = |node| Node::IsNull(Box::new(node), false);
        Expr::new(Node::All(self.nodes().map(null).collect()))
    }
    /// Something is there: some column is not NULL.
    pub fn is_not_null(self) -> Filter<S> {
        let present = |node| Node::IsNull(Box::new(node), true);
        Expr::new(Node::Any(self.nodes().map(present).collect()))
    }
}

impl<S, E: Embed> Selection<S> for EmbedCol<S, E, One> {
    type Out = E;
    fn push(self, out: &mut Vec<Node>) {
        out.extend(self.nodes());
    }
}
impl<S, E: Embed> Selection<S> for EmbedCol<S, E, Maybe> {
    type Out = Option<E>;
    fn push(self, out: &mut Vec<Node>) {
        out.extend(self.nodes());
    }
}

/// What a field that embeds `E` can be set to and compared with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a value of an embedded `{E}` of `{S}`",
    label = "expected `{E}` (an `Option` of it only where the field is one), or such a field of this closure's argument"
)]
pub trait EmbedValue<S, E, C> {
    /// Adds an expression for every column.
    fn add_to(self, out: &mut Vec<Node>);
}

fn push_values<T: EmbedType>(value: T, out: &mut Vec<Node>) {
    let mut values = Vec::with_capacity(T::COLUMNS.len());
    value.add_to(&mut values);
    out.extend(values.into_iter().map(Node::Value));
}

#[diagnostic::do_not_recommend]
impl<S, E: Embed, C: Cardinality> EmbedValue<S, E, C> for E {
    fn add_to(self, out: &mut Vec<Node>) {
        push_values(self, out);
    }
}
#[diagnostic::do_not_recommend]
impl<S, E: Embed> EmbedValue<S, E, Maybe> for Option<E> {
    fn add_to(self, out: &mut Vec<Node>) {
        push_values(self, out);
    }
}
#[diagnostic::do_not_recommend]
impl<S, E: Embed, C: Cardinality> EmbedValue<S, E, C> for EmbedCol<S, E, One> {
    fn add_to(self, out: &mut Vec<Node>) {
        out.extend(self.nodes());
    }
}
#[diagnostic::do_not_recommend]
impl<S, E: Embed> EmbedValue<S, E, Maybe> for EmbedCol<S, E, Maybe> {
    fn add_to(self, out: &mut Vec<Node>) {
        out.extend(self.nodes());
    }
}
