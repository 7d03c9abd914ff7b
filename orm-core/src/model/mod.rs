//! What the derive implements: the whole contract between generated code and the library.

mod content;
mod family;
mod filter;
mod operation;
mod path;
mod tree;

pub(crate) use content::named;
pub use content::{Content, Coverage, Holds, Loaded, Part, Partial, Single, Whole, take};
pub use family::{Base, HasKey, IsVariantOf, VariantOf};
pub use filter::{FilterRef, Filtered};
pub use operation::AuditOperation;
pub use path::Path;
pub use tree::{BreadthFirst, DepthFirst, Forest, Tree};

use crate::ast::Source;
use crate::error::Result;
use crate::schema::{Column, RelationDef, Table};
pub use crate::value::{Cardinality, Many, Maybe, One};
use crate::value::{Optional, Output, Row, Scalar, Value};

/// A struct that maps to a table or view. Implemented by `#[derive(Model)]`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a model", note = "add `#[derive(Model)]`")]
pub trait Model: Shape<Model = Self> + Sync {
    /// The primary key: one column's type, or a tuple.
    type Id: Key;
    /// The columns and relations of a reference to this table inside a query rooted at `S`.
    type Cols<S>: Copy;
    /// What a handle must carry to read: [`Open`] or [`TenantScoped`].
    type Reads;
    /// What a handle must carry to write: [`Open`], [`Audited`], or a tenant through `Reads`.
    type Writes;
    /// The table.
    const TABLE: &'static Table;
    /// The columns of one table reference.
    fn cols<S>(source: Source) -> Self::Cols<S>;
    /// The primary key of this row.
    fn id(&self) -> Self::Id;
    /// The values of its fields in the order of the table's columns, moved out of it.
    fn into_values(self) -> Vec<Value>;
    /// The version this row was read at, for models with `#[orm(version)]`.
    fn version(&self) -> Option<Value> {
        None
    }
}

/// What a query on `Self::Model` can yield row by row: the model itself, the model with loaded relations, or a struct with
/// `#[derive(Shape)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a shape of a model",
    note = "`.with(..)` comes before `.select(..)`"
)]
pub trait Shape: Output {
    /// The model whose rows these are.
    type Model: Model;
}

/// A whole row of a model, with or without loaded relations.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a whole row of a model",
    note = "relations are loaded beside models, also with other relations loaded before"
)]
pub trait Entity: Shape {
    /// The row itself.
    fn row(&self) -> &Self::Model;
}

/// A model that takes new rows; views do not.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a view; views are read-only",
    label = "cannot be written"
)]
pub trait Insertable: Model {}

/// A model that is not append-only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is append-only: its rows are neither changed nor deleted",
    label = "rows of `{Self}` stay as they are",
    note = "insert a row that says what is different, or drop `#[orm(append_only)]`"
)]
pub trait Mutable: Model {}

/// A model whose rows are inserted, changed and deleted. Bounds of the verbs name its two halves, so that the message is
/// that of the missing one.
#[diagnostic::on_unimplemented(message = "`{Self}` is a view or append-only: its rows are not changed")]
pub trait Writable: Insertable + Mutable {}
impl<M: Insertable + Mutable> Writable for M {}

/// A view whose rows are stored until they are refreshed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no materialized view: there is nothing to refresh",
    label = "rows of `{Self}` are always those of now",
    note = "`#[orm(view = .., materialized)]` stores the rows of a view"
)]
pub trait Materialized: Model {}

/// The key of a view that has none: nothing tells its rows apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NoKey(());

impl NoKey {
    /// For generated code.
    #[doc(hidden)]
    pub const NONE: NoKey = NoKey(());
}
impl Key for NoKey {
    fn add_to(self, _: &mut Vec<Value>) {}
    fn read(_: &mut Row<'_>) -> Result<Self> {
        Ok(NoKey(()))
    }
}

/// A soft-deleting model.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not soft-deleted: add `#[orm(soft_delete)]` to it, or drop this call",
    label = "rows of `{Self}` are really deleted"
)]
pub trait SoftDelete: Model {}

/// A model with an audit trail.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no audit trail: add `#[orm(audit_trail)]` to it",
    label = "nobody wrote down what happened to rows of `{Self}`"
)]
pub trait Trailed: Model {}

/// A model with a table of the versions of its rows.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no history: add `#[orm(history)]` to it",
    label = "nobody kept the versions of rows of `{Self}`"
)]
pub trait Versioned: Model {
    /// The table of versions.
    const HISTORY: &'static crate::ast::Table;
}

/// A model with a chain of hashes over its rows.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no chain of hashes: add `#[orm(append_only, hash_chain)]` to it",
    label = "rows of `{Self}` are not chained"
)]
pub trait Chained: Model {
    /// The table of hashes.
    const CHAIN: &'static crate::ast::Table;
}

/// A model that is searched by words.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not searched: add `#[orm(search(..))]` with the fields to it",
    label = "nobody keeps the words of rows of `{Self}`"
)]
pub trait Searchable: Model {
    /// Where its words are.
    const SEARCH: &'static crate::ast::Search;
}

/// What a full-text search looks at.
#[diagnostic::on_unimplemented(
    message = "a full-text search is over texts, and this is `{Self}`",
    label = "not a `String` or an `Option<String>`",
    note = "take the field out of `search(..)`"
)]
pub trait Searched {}
#[diagnostic::do_not_recommend]
impl Searched for String {}
#[diagnostic::do_not_recommend]
impl Searched for Option<String> {}
/// Checked by generated code: one error at the field.
pub const fn searched<T: Searched>() {}

/// A tenant-scoped model.
pub trait Tenanted: Model {
    /// The type of its tenant column.
    type Tenant: Scalar;
}

/// A model that records who writes it.
pub trait Signed: Model {
    /// The type of its `created_by` and `updated_by`.
    type Actor: Scalar;
}

/// Any handle will do.
pub struct Open;
/// The handle must carry a tenant.
pub struct TenantScoped<M>(std::marker::PhantomData<M>);
/// The handle must say who acts.
pub struct Audited<M>(std::marker::PhantomData<M>);

/// A primary key: one value, or a tuple.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot be a primary key")]
pub trait Key: Clone + Send + Sync + 'static {
    /// The values of the key's columns in order.
    fn add_to(self, out: &mut Vec<Value>);
    /// The same as a list of their own.
    fn into_values(self) -> Vec<Value> {
        let mut values = Vec::new();
        self.add_to(&mut values);
        values
    }
    /// Reads the key's columns.
    fn read(row: &mut Row<'_>) -> Result<Self>;
}
#[diagnostic::do_not_recommend]
impl<T: Scalar + Clone> Key for T {
    fn add_to(self, out: &mut Vec<Value>) {
        out.push(self.into_value());
    }
    fn read(row: &mut Row<'_>) -> Result<Self> {
        row.get()
    }
}
macro_rules! key {
    ($($T:ident $t:ident),+) => {
        #[diagnostic::do_not_recommend]
        impl<$($T: Scalar + Clone),+> Key for ($($T,)+) {
            fn add_to(self, out: &mut Vec<Value>) {
                let ($($t,)+) = self;
                $(out.push($t.into_value());)+
            }
            fn read(row: &mut Row<'_>) -> Result<Self> {
                Ok(($(row.get::<$T>()?,)+))
            }
        }
    };
}
key!(A a, B b);
key!(A a, B b, C c);
key!(A a, B b, C c, D d);

/// `Self` is the type of a foreign key field, `K` the key of the model it points to.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a foreign key to a model whose key is `{K}`",
    label = "expected `{K}` or `Option<{K}>`"
)]
pub trait ForeignKey<K> {}
impl<K: Key> ForeignKey<K> for K {}
#[diagnostic::do_not_recommend]
impl<K: Key> ForeignKey<K> for Option<K> {}
/// Checked by generated code: one error at the field when the key's type is another.
pub const fn foreign_key<T: ForeignKey<K>, K>() {}

/// What tells versions of a row apart. Implemented for the types a field with `#[orm(version)]` may have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the version of a row",
    label = "make it an `i64`, a `Uuid`, a `Timestamp` or a `RowVersion`"
)]
pub trait Version: Scalar {
    /// Whether the database keeps it by itself.
    const SYSTEM: bool = false;
}
impl Version for i64 {}
impl Version for crate::value::Timestamp {}
#[cfg(feature = "chrono")]
impl Version for chrono::DateTime<chrono::Utc> {}
#[cfg(feature = "time")]
impl Version for ::time::OffsetDateTime {}
#[cfg(feature = "jiff")]
impl Version for ::jiff::Timestamp {}
#[cfg(feature = "uuid")]
impl Version for uuid::Uuid {}
impl Version for crate::value::RowVersion {
    const SYSTEM: bool = true;
}

/// A relation between two models. Implemented by the derive on hidden marker types.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a relation")]
pub trait Rel: Copy + Send + Sync + 'static {
    /// The declaring model.
    type Parent: Model;
    /// The related model.
    type Child: Model;
    /// How many related rows there may be.
    type Card: Holds;
    /// A row of the declaring model with this relation beside it.
    type With<B: Shape<Model = Self::Parent>, C: Content>: Shape<Model = Self::Parent>;
    /// Tables and columns.
    const DEF: &'static RelationDef;
    /// The values of the compared columns of a row, or `None` where one of them is NULL.
    fn key(parent: &Self::Parent) -> Option<Vec<Value>>;
    /// Puts a loaded relation beside a row.
    fn attach<B: Shape<Model = Self::Parent>, C: Content>(base: B, content: C) -> Self::With<B, C>;
}

/// Rows can be linked: through a join table, or by setting their foreign key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a to-one relation: set its foreign key instead of linking",
    label = "use `.update().set(|m| m.some_id.to(id))`"
)]
pub trait Linkable: Rel {
    /// The model that linking writes: the join table's, or the related one.
    type Through: Model;
    /// How: by [`NewRows`] or by [`NewKeys`].
    type By;
}

/// Rows of a join table are inserted.
pub struct NewRows;
/// The foreign key of existing rows is set.
pub struct NewKeys;

/// Takes what a link writes.
#[diagnostic::on_unimplemented(message = "`{Self}` is a view or append-only: its rows are not linked")]
pub trait TakesLinks<By> {}
impl<M: Insertable> TakesLinks<NewRows> for M {}
impl<M: Insertable + Mutable> TakesLinks<NewKeys> for M {}

/// Linked rows can be unlinked: through a join table, because their foreign key may be NULL, or because they are deleted
/// then (`orphans = delete`). `P` is the related model.
pub trait Unlink<P>: Linkable {}

/// Checked by generated code for `cascade = unlink`.
pub const fn unlinkable<R: Unlink<<R as Rel>::Child>>() {}

/// The cardinality of a foreign key that may be NULL.
#[diagnostic::on_unimplemented(
    message = "the foreign key of this relation is required: delete the related row, or say `orphans = delete`",
    label = "cannot be set to NULL"
)]
pub trait Nullable {}
impl Nullable for Maybe {}

/// Has a foreign key over certain fields, told apart by the hash `F` of their names.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `#[belongs_to]` over the fields of this relation",
    label = "declare the foreign key there"
)]
pub trait References<const F: u64> {
    /// Whether it may be NULL: `One` or `Maybe`.
    type Card;
}

/// A to-one relation.
#[diagnostic::on_unimplemented(
    message = "`.col(..)` follows a to-one relation, and this one is to-many",
    label = "use `.count()`, `.any(..)` or an aggregate"
)]
pub trait ToOne: Cardinality {}
#[diagnostic::do_not_recommend]
impl ToOne for One {}
#[diagnostic::do_not_recommend]
impl ToOne for Maybe {}

/// An enum stored as one of its labels. Implemented by `#[derive(DbEnum)]`.
pub trait DbEnum: Sized + Copy + Send + Sync + 'static {
    /// The name of the type and its labels.
    const ENUM: &'static crate::value::EnumType;
    /// The label of this variant.
    fn label(self) -> &'static str;
    /// The variant of a label.
    fn from_label(label: &str) -> Option<Self>;
}

/// A struct whose fields are columns of the table of the model that holds it. Implemented by `#[derive(Embed)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an embedded struct",
    label = "`#[orm(embed)]` needs a struct whose fields are columns",
    note = "add `#[derive(Embed)]` to the struct, or drop `#[orm(embed)]` from the field if it is one column"
)]
pub trait Embed: Optional + Sync {
    /// Its columns, named as if they were alone in a table.
    const COLUMNS: &'static [Column];
    /// The columns inside a query rooted at `S`; every one may be NULL where `C` is [`Maybe`].
    type Cols<S, C: Cardinality>: Copy;
    /// The columns of one table reference, where `columns` begin with those of this struct.
    fn cols<S, C: Cardinality>(source: Source, columns: &'static [Column]) -> Self::Cols<S, C>;
    /// Reads the next cells of the row. An error does not say yet which field it is about.
    fn read(row: &mut Row<'_>) -> Result<Self>;
    /// The values of its columns in order.
    fn add_to(self, out: &mut Vec<Value>);
}
