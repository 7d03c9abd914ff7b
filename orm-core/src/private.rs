//! What generated code names, and nothing else does. No part of it is a promise to users.

pub use std::string::String;
pub use std::vec;
pub use std::vec::Vec;

pub use crate::ast::ddl::Definition;
pub use crate::ast::{
    self, Column as AstColumn, RawPart, Search, SearchColumn, SearchWeight, Source, Table as AstTable,
    TablePart, TagGuard,
};
pub use crate::error::{Error, Result};
pub use crate::exec::{
    FindsByKey, Finish, HookTable, Hooks, List, MergeContent, Mergeable, Pending, Ref, Writes, plan_relation,
};
pub use crate::model::{
    Audited, Base, Cardinality, Chained, Content, DbEnum, Embed, Entity, FilterRef, Filtered,
    ForeignKey as RefersTo, HasKey, Insertable, IsVariantOf, Key, Linkable, Loaded, Many, Materialized,
    Maybe, Model, Mutable, NewKeys, NewRows, NoKey, Nullable, One, Open, References, Rel, Searchable, Shape,
    Signed, Single, SoftDelete, TenantScoped, Tenanted, ToOne, Trailed, Unlink, VariantOf, Version,
    Versioned, foreign_key, searched, take, unlinkable,
};
pub use crate::query::hybrid;
pub use crate::query::shape::{
    ColsOf, Plan, Projection, by_result, fills, held, items, over, reads, relation,
};
pub use crate::query::{
    Batch, Col, EmbedType, Expr, Fields, HasVariant, Insert, IntoInsert, KeyRef, New, Opt, RawArg, RawOf,
    RawSql, SearchCols, Selection, SourceRow, definition, kind, raw_expr, raw_list, raw_operand, raw_value,
};
pub use crate::relation::{
    AnyRef, AnyRel, Branch, Form, Polymorphic, Referrer, RelRef, Related, TargetCols, Targets, To, branch,
    take_any,
};
pub use crate::schema::embed::{Embedding, columns, embedded, joined, joined_len, part, positions};
pub use crate::schema::family::{
    Common, Kept, Kind, agree, discriminator, extra, in_one_table, joined as joined_columns, part_count,
    parts, places, read, same_table, union, watched,
};
pub use crate::schema::{
    Action, Cascade, Check, Column, Default, ForeignKey, Fragment, Generated, Index, IndexKey, IndexMethod,
    IndexPart, Managed, Nulls, Orphans, RelationDef, RelationKind, Role, Table, TableKind, Through, Trail,
    TrailEngine, Unique, Validator, View,
};
pub use crate::value::{
    ArrayItem, Cells, Element, EnumType, Expected, Id, Loads, Lookup, Optional, OtherType, Output, Row,
    Scalar, SqlType, Timestamp, Type, Value, read_variant, variant_at,
};
pub use crate::value::{composite, composite_read, composite_value};

use crate::query::Cond;
use crate::value::{Held, finished_one};

/// What the audit trail calls a table.
pub use crate::exec::trail::table_name;

/// What the audit trail calls a row.
pub fn row_key(key: impl Key) -> String {
    crate::exec::trail::key_text(key.into_values())
}

/// The tenant of a handle, as the audit trail has it.
pub fn tenant_of(raw: &crate::exec::Raw<'_>) -> Option<String> {
    raw.scope().tenant.as_ref().and_then(crate::exec::trail::plain)
}

/// The columns of a model, found by their names in hand-written SQL.
pub fn by_name(table: &'static Table, out: &mut Vec<Expected>) -> Lookup {
    expect(table.model, &table.columns[..table.fields], out);
    Lookup::Name
}

/// The columns of an embedded struct, which has no names of its own in the table of a model.
pub fn by_position(columns: &'static [Column], out: &mut Vec<Expected>) -> Lookup {
    expect("", columns, out);
    Lookup::Position
}

fn expect(model: &'static str, columns: &'static [Column], out: &mut Vec<Expected>) {
    out.extend(columns.iter().map(|c| Expected {
        model,
        name: c.column.name,
        ty: c.column.ty,
    }));
}

/// The key of a variant's row, as that of its enum.
pub fn common_key<V: HasKey<B::Id>, B: Model>(row: &V) -> B::Id {
    row.key()
}

/// The values of a variant's row among the columns of its enum.
pub fn spread(
    values: Vec<Value>,
    places: &[usize],
    table: &'static Table,
    label: &'static str,
) -> Vec<Value> {
    let columns = table.columns[..table.fields].iter();
    let mut row: Vec<Value> = columns
        .map(|c| match c.role {
            Role::Discriminator => Value::Str(label),
            _ => Value::Null(c.column.ty),
        })
        .collect();
    for (place, value) in places.iter().zip(values) {
        if let Some(cell) = row.get_mut(*place) {
            *cell = value;
        }
    }
    row
}

/// Selects whole rows of the table that the column stands for.
pub fn select_rows<S, T, K>(column: Col<S, T, K>, table: &'static Table, out: &mut Vec<ast::Expr>) {
    if let ast::Expr::Column(source, _) = column.expr().into_node() {
        out.extend(crate::query::returning(table, source));
    }
}

/// The table reference that the column belongs to.
pub fn source_of<S, T, K>(column: Col<S, T, K>) -> Source {
    match column.expr().into_node() {
        ast::Expr::Column(source, _) => source,
        _ => Source::ROOT,
    }
}

/// Inserts rows of any variants.
pub fn insert_variants<'a, B: Insertable, E: Writes<B> + ?Sized>(
    ex: &'a E,
    rows: impl IntoIterator<Item = impl IntoInsert<B>>,
    site: &'static std::panic::Location<'static>,
) -> Pending<'a, Vec<B>> {
    crate::exec::insert_variants(ex.raw(), rows, site)
}

/// The values of a key.
pub fn key_values(key: impl Key) -> Option<Vec<Value>> {
    Some(key.into_values())
}

#[cfg(feature = "json")]
pub use crate::value::Json;
#[cfg(feature = "uuid")]
pub use crate::value::new_v7;

/// What generated code does with the type of a column. [`field`] alone asks for [`SqlType`], so that a type that is
/// none is one error however often it is used.
pub struct Field<T> {
    ty: Type,
    nullable: bool,
    read: fn(&mut Row<'_>, &'static str, &'static str) -> Result<T>,
    next: fn(&mut Row<'_>) -> Result<T>,
    value: fn(T) -> Value,
}

/// The type of a column.
#[inline(always)]
pub const fn field<T: SqlType>() -> Field<T> {
    Field {
        ty: T::TYPE,
        nullable: T::NULLABLE,
        read: |row, model, field| row.field(model, field),
        next: |row| row.get(),
        value: T::into_value,
    }
}

impl<T> Field<T> {
    /// An ordinary column of this type.
    pub const fn column(&self, name: &'static str, field: &'static str, comment: &'static str) -> Column {
        Column {
            column: AstColumn {
                name,
                ty: self.ty,
                nullable: self.nullable,
                sensitive: false,
                system: false,
                part: 0,
            },
            field,
            types: &[],
            default: Default::None,
            generated: None,
            validator: None,
            role: Role::Plain,
            index: false,
            check: None,
            comment,
        }
    }
    /// The logical type.
    pub const fn ty(&self) -> Type {
        self.ty
    }
    /// Reads the next cell of a row.
    #[inline(always)]
    pub fn read(&self, row: &mut Row<'_>, model: &'static str, field: &'static str) -> Result<T> {
        (self.read)(row, model, field)
    }
    /// Reads the next cell of a row, as a part of an embedded struct.
    #[inline(always)]
    pub fn next(&self, row: &mut Row<'_>) -> Result<T> {
        (self.next)(row)
    }
    /// The value to bind.
    #[inline(always)]
    pub fn value(&self, value: T) -> Value {
        (self.value)(value)
    }
}

/// Selects a column of any type.
pub fn select<S, T, K>(column: Col<S, T, K>, out: &mut Vec<ast::Expr>) {
    out.push(column.expr().into_node());
}

/// A model that a relation names. The detour makes a type that is no model one error however often it is used.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a model", note = "add `#[derive(Model)]`")]
pub trait Named {
    /// Itself.
    type Model: Model;
}
#[diagnostic::do_not_recommend]
impl<M: Model> Named for M {
    type Model = M;
}

/// An enum of models that an association names. Implemented by the derive and not for all at once: what is none has
/// no `Models` then, which makes it one error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an enum of models",
    label = "`#[belongs_to_any]` needs the models that a row may belong to",
    note = "add `#[derive(Polymorphic)]` to an enum with one variant for each model: `Post(Post)`"
)]
pub trait NamedEnum {
    /// Itself.
    type Models: Polymorphic;
}

/// Whether a type is a model: `IsModel::<T>::YES` is that of the inherent impl where there is one, else of the trait.
pub struct IsModel<T>(std::marker::PhantomData<T>);
impl<T: Model> IsModel<T> {
    /// It is.
    pub const YES: bool = true;
}
/// What else [`IsModel`] says.
pub trait IsNoModel {
    /// It is not.
    const YES: bool = false;
}
impl<T> IsNoModel for IsModel<T> {}

/// The type of the key of a model, or of anything where it is none: that is one error elsewhere, and not one more for
/// each use of the enum of keys.
pub trait KeyOf<T> {
    /// The type.
    type Key;
}
/// What [`IsModel`] said, as a type.
pub struct Is<const MODEL: bool>;
#[diagnostic::do_not_recommend]
impl<T: Model> KeyOf<T> for Is<true> {
    type Key = T::Id;
}
#[diagnostic::do_not_recommend]
impl<T> KeyOf<T> for Is<false> {
    type Key = i64;
}

/// The key of a model that a polymorphic association may refer to.
#[diagnostic::on_unimplemented(
    message = "a polymorphic association refers to keys of one column, and this model has the key `{Self}`",
    label = "add an `id`, and make those columns `unique(..)`"
)]
pub trait TargetKey: SqlType {}
#[diagnostic::do_not_recommend]
impl<T: SqlType> TargetKey for T {}

/// As [`field`], for the key of such a model.
#[inline(always)]
pub const fn target_key<T: TargetKey>() -> Field<T> {
    field()
}

/// A column whose values are never logged.
pub const fn sensitive(mut column: Column) -> Column {
    column.column.sensitive = true;
    column
}

/// A decimal column with a precision and a scale. Refuses other types while the program is compiled.
pub const fn decimal(mut column: Column, precision: u8, scale: u8) -> Column {
    assert!(
        matches!(column.column.ty, Type::Decimal(..)),
        "`decimal(..)` needs a field that holds a decimal number"
    );
    column.column.ty = Type::Decimal(precision, scale);
    column
}

/// A column the library sets to the time of a write. Refuses other types while the program is compiled.
pub const fn instant(column: Column) -> Column {
    assert!(
        matches!(column.column.ty, Type::Timestamp),
        "this column holds an instant: make the field a `Timestamp`, or a `DateTime<Utc>`"
    );
    column
}

/// The column with the version of a row.
pub const fn version<T: Version>(mut column: Column) -> Column {
    column.column.system = T::SYSTEM;
    column
}

/// The columns of a discriminator and of the keys it tells apart.
pub const fn target_columns(labels: &'static [Fragment], key: Type) -> [Column; 2] {
    let mut kind = field::<String>().column("type", "kind", "");
    kind.check = Some(labels);
    let mut id = field::<i64>().column("id", "id", "");
    id.column.ty = key;
    [kind, id]
}

/// Refuses models whose keys do not fit in one column, while the program is compiled.
pub const fn same_key(keys: &[Type]) {
    let mut i = 0;
    while i < keys.len() {
        let same = matches!(
            (keys[0], keys[i]),
            (Type::I16, Type::I16)
                | (Type::I32, Type::I32)
                | (Type::I64, Type::I64)
                | (Type::Text, Type::Text)
                | (Type::Bytes, Type::Bytes)
                | (Type::Uuid, Type::Uuid)
        );
        assert!(
            same,
            "the keys of all models of this enum share one column: make them all `i64`, `Uuid` or text, or use an arc"
        );
        i += 1;
    }
}

/// Reads a discriminator: the position of its label.
pub fn read_label(row: &mut Row<'_>, labels: &[&str]) -> Result<usize> {
    let label: String = row.get()?;
    let at = labels.iter().position(|l| *l == label);
    at.ok_or_else(|| Error::decode("the discriminator has a label that is none of the enum's"))
}

/// The columns of an arc in the order of the enum.
pub fn in_order<const N: usize>(mut columns: [(usize, &'static Column); N]) -> Vec<&'static Column> {
    columns.sort_by_key(|(at, _)| *at);
    columns.into_iter().map(|(_, column)| column).collect()
}

/// Refuses an arc that leaves out a model of its enum, while the program is compiled.
pub const fn covers(models: usize, columns: usize) {
    assert!(
        models == columns,
        "the arc has not one foreign key for each model of its enum: name one for every variant"
    );
}

/// A column with a rule for its values.
pub const fn validated(mut column: Column, validator: Validator) -> Column {
    column.validator = Some(validator);
    column
}

/// The condition of a named filter for one reference to the table.
pub fn condition<M: Model, C: Cond<M>>(source: Source, f: impl FnOnce(M::Cols<M>) -> C) -> ast::Expr {
    f(M::cols(source)).into_cond()
}

/// Asks a function about the value of a column.
pub fn check_value<T: SqlType, E: std::fmt::Display>(
    values: &[Value],
    check: impl FnOnce(&T) -> std::result::Result<(), E>,
) -> std::result::Result<(), String> {
    let read = <T as SqlType>::decode(&Held(values), 0).map_err(|e| e.to_string())?;
    check(&read).map_err(|e| e.to_string())
}

/// Asks a function about a row.
pub fn check_row<M: Model, E: std::fmt::Display>(
    values: &[Value],
    check: impl FnOnce(&M) -> std::result::Result<(), E>,
) -> std::result::Result<(), String> {
    let local = M::decode(&mut Row::new(&Held(values))).map_err(|e| e.to_string())?;
    let row: M = finished_one(local).map_err(|e| e.to_string())?;
    check(&row).map_err(|e| e.to_string())
}

/// Room for one more value, made before there is the value: were there one while the list grows, it would have to be
/// dropped should that fail, and so lie in memory instead of registers until it is copied.
#[inline(always)]
pub fn room(values: &mut Vec<Value>) -> &mut Value {
    values.push_mut(Value::Null(Type::Bool))
}

/// Puts a value where [`room`] was made.
#[inline(always)]
pub fn fill(room: &mut Value, value: Value) {
    // nothing is to be dropped there, and the compiler need not look
    std::mem::forget(std::mem::replace(room, value));
}
