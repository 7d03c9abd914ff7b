//! VALUES: rows from memory as a source.

use crate::ast::{self, Expr as Node, FromItem, Select, Source};
use crate::error::Result;
use crate::model::{Model, Open, Shape};
use crate::query::Phantom;
use crate::query::source::{FieldList, IntoSource, Place, Reference, Root, SourceRow};
use crate::schema::{Managed, Table, TableKind};
use crate::value::{DecimalParts, Expected, Loads, Lookup, Output, Row, SqlType, Type, Value};

/// Rows from memory, to join with: made by [`values`].
#[must_use = "rows do nothing until a query joins them"]
#[derive(Clone)]
pub struct Values<O> {
    rows: Vec<Vec<Value>>,
    types: Vec<Type>,
    _p: Phantom<O>,
}

/// Rows from memory as a source: `VALUES`. A row is a tuple of values, or one value; they are bound, never text. They are
/// joined, or a query begins with them ([`from`](crate::query::from)).
///
/// ```
/// # use orm_core::{model::Model, query::{Col, Query, values}};
/// # fn build<Product: Model>(products: Query<Product>, sku: fn(Product::Cols<Product>) -> Col<Product, String>)
/// # -> Query<Product, (String, i64)> {
/// let order = values([("A-1", 2i64), ("B-7", 1)]);
/// products.join_on(order, |p, (wanted, _)| sku(p).eq(wanted)).select(|(p, (_, n))| (sku(p), n))
/// # }
/// ```
///
/// ```sql
/// SELECT t0."sku", t1."_2" FROM "products" AS t0
/// JOIN (SELECT column1 AS "_1", column2 AS "_2" FROM (VALUES ($1, $2), ($3, $4)) AS v) AS t1 ON t0."sku" = t1."_1"
/// ```
///
/// No rows at all are a source without rows.
pub fn values<R: ValuesRow>(rows: impl IntoIterator<Item = R>) -> Values<R::Row> {
    let rows: Vec<Vec<Value>> = rows.into_iter().map(ValuesRow::into_cells).collect();
    let mut types = R::types();
    for (i, ty) in types.iter_mut().enumerate() {
        if *ty == Type::Decimal(0, 0)
            && let Some(scale) = common_scale(rows.iter().filter_map(|row| row.get(i)))
        {
            *ty = Type::Decimal(DIGITS, scale);
        }
    }
    Values {
        rows,
        types,
        _p: std::marker::PhantomData,
    }
}

/// Digits that a database has room for which stores decimals as integers.
const DIGITS: u8 = crate::ast::types::SCALED_DIGITS;

/// The digits behind the point that all these decimals can be written with, if they have as many digits as there is room
/// for.
fn common_scale<'v>(values: impl Iterator<Item = &'v Value> + Clone) -> Option<u8> {
    let parts = |v: &Value| match v {
        Value::Decimal(d) => Some(crate::ast::types::shortest(*d)),
        _ => None,
    };
    let scale = values
        .clone()
        .filter_map(parts)
        .map(|d| d.scale)
        .max()
        .unwrap_or(0);
    let fits = |d: DecimalParts| {
        let (mantissa, own) = (d.mantissa, d.scale);
        let up = 10i128.checked_pow(scale - own)?;
        mantissa
            .checked_mul(up)
            .filter(|m| m.unsigned_abs() < 10u128.pow(DIGITS.into()))
    };
    let all = values.filter_map(parts).all(|d| fits(d).is_some());
    u8::try_from(scale).ok().filter(|s| all && *s <= DIGITS)
}

/// A row of [`values`]: one value, or a tuple of at most 12.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row of values",
    label = "expected a tuple of at most 12 values, or one value"
)]
pub trait ValuesRow {
    /// What a query reads from it.
    type Row: SourceRow;
    /// The types of its columns.
    fn types() -> Vec<Type>;
    /// Its values.
    fn into_cells(self) -> Vec<Value>;
}

/// A value of a row: any column type, an `Option` of one, or `&str`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a column type", label = "cannot be bound")]
pub trait ValuesCell {
    /// Its column type.
    type T: SqlType;
    /// The value to bind.
    fn into_cell(self) -> Value;
}
#[diagnostic::do_not_recommend]
impl<T: SqlType> ValuesCell for T {
    type T = T;
    fn into_cell(self) -> Value {
        self.into_value()
    }
}
#[diagnostic::do_not_recommend]
impl ValuesCell for &str {
    type T = String;
    fn into_cell(self) -> Value {
        Value::Text(self.into())
    }
}

#[diagnostic::do_not_recommend]
impl<T: ValuesCell<T: SourceRow>> ValuesRow for T {
    type Row = T::T;
    fn types() -> Vec<Type> {
        vec![<T::T as SqlType>::TYPE]
    }
    fn into_cells(self) -> Vec<Value> {
        vec![self.into_cell()]
    }
}
macro_rules! row {
    ($($T:ident)+) => {
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case)]
        impl<$($T: ValuesCell),+> ValuesRow for ($($T,)+) {
            type Row = ($($T::T,)+);
            fn types() -> Vec<Type> {
                vec![$(<$T::T as SqlType>::TYPE),+]
            }
            fn into_cells(self) -> Vec<Value> {
                let ($($T,)+) = self;
                vec![$($T.into_cell()),+]
            }
        }
    };
}
row!(A);
row!(A B);
row!(A B C);
row!(A B C D);
row!(A B C D E);
row!(A B C D E F);
row!(A B C D E F G);
row!(A B C D E F G H);
row!(A B C D E F G H I);
row!(A B C D E F G H I J);
row!(A B C D E F G H I J K);
row!(A B C D E F G H I J K L);

#[diagnostic::do_not_recommend]
impl<O: SourceRow> IntoSource for Values<O> {
    type Row = O;
    fn into_source(self, _: Place) -> Reference {
        let fields = FieldList::typed(self.types.iter().copied());
        let columns = fields.names();
        if self.rows.is_empty() {
            return Reference::derived(Box::new(nothing(&self.types)), false);
        }
        let cell = |(value, ty): (Value, &Type)| match ty {
            // how a decimal is stored is known by its type only
            Type::Decimal(p, _) if *p > 0 => Node::Cast(Box::new(Node::Value(value)), *ty),
            _ => Node::Value(value),
        };
        let row = |row: Vec<Value>| row.into_iter().zip(&self.types).map(cell).collect();
        let rows = self.rows.into_iter().map(row).collect();
        Reference::of(FromItem::Values { rows, columns }, fields)
    }
}

#[diagnostic::do_not_recommend]
impl<O: SourceRow> Root for Values<O> {
    type Model = Memory;
}

/// The model of queries that begin with rows from memory, and with no table: every handle serves it.
pub struct Memory(());

static MEMORY: Table = Table {
    table: ast::Table {
        schema: None,
        name: "values",
        unique: &[],
        soft_delete: None,
        tenant: None,
        filters: &[],
        history: None,
        tag: None,
        parts: &[],
    },
    model: "values",
    kind: TableKind::View,
    view: None,
    columns: &[],
    fields: 0,
    key: &[],
    uniques: &[],
    indexes: &[],
    checks: &[],
    foreign_keys: &[],
    managed: Managed::NONE,
    validators: &[],
    validated: false,
    hooks: None,
    trail: None,
    append_only: false,
    chain: None,
    search: None,
    relations: &[],
    base: None,
    variants: &[],
    comment: "",
};

impl Output for Memory {
    type Local = ();
    fn decode(_: &mut Row<'_>) -> Result<()> {
        Ok(())
    }
    fn assemble(_: (), _: &mut Loads<'_>) -> Result<Self> {
        Ok(Memory(()))
    }
    fn columns(_: &mut Vec<Expected>) -> Lookup {
        Lookup::Position
    }
}
impl Shape for Memory {
    type Model = Memory;
}
impl Model for Memory {
    type Id = i64;
    type Cols<S> = ();
    type Reads = Open;
    type Writes = Open;
    const TABLE: &'static Table = &MEMORY;
    fn cols<S>(_: Source) {}
    fn id(&self) -> i64 {
        0
    }
    fn into_values(self) -> Vec<Value> {
        Vec::new()
    }
}

/// A select of these columns without rows.
fn nothing(types: &[Type]) -> Select {
    let null = |ty: &Type| Node::Cast(Box::new(Node::Value(Value::Null(*ty))), *ty);
    let mut select = Select::without_from();
    select.columns = types.iter().map(null).collect();
    select.filter.push(Node::Any(Vec::new()));
    select
}
