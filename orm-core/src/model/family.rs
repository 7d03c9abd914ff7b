//! Inheritance: an enum whose variants are models, and whose rows are theirs.

use crate::model::{Key, Model};
use crate::schema::family::{Common, Kind};

/// An enum of models that is a model itself: its rows are those of its variants. Implemented by `#[derive(Model)]` on an
/// enum with `#[common(..)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an enum of variants",
    label = "`variant_of` needs an enum with `#[derive(Model)]`",
    note = "write `#[derive(Model)]` and `#[common(id: Id<..>, ..)]` on an enum with one variant for each model"
)]
pub trait Base {
    /// Itself. The detour makes a type that is none one error.
    type Model: Model;
    /// New rows of any variant.
    type New;
    /// What it says of itself.
    const COMMON: Common;
    /// The schema and the name of its table.
    const TABLE: (Option<&'static str>, &'static str);
}

/// A model that is one of the variants of `B`. Implemented by `#[orm(variant_of = ..)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a variant of `{B}`",
    label = "expected a model with `#[orm(variant_of = {B})]`",
    note = "add `#[derive(Model)]` and `#[orm(variant_of = {B})]` to the struct"
)]
pub trait IsVariantOf<B> {
    /// Itself. The detour makes a type that is none one error.
    type Model: VariantOf<B>;
}

/// What [`IsVariantOf`] promises of a model.
pub trait VariantOf<B>: Model {
    /// What the enum has to know of it.
    const KIND: Kind;
}

/// The key of a variant is that of its enum.
#[diagnostic::on_unimplemented(
    message = "the key of `{Self}` is of another type than that of its enum",
    label = "make the key of `{Self}` a `{K}`"
)]
pub trait HasKey<K> {
    /// The key.
    fn key(&self) -> K;
}
#[diagnostic::do_not_recommend]
impl<K: Key, M: Model<Id = K>> HasKey<K> for M {
    fn key(&self) -> K {
        self.id()
    }
}
