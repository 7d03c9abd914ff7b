//! How many related rows a foreign key's type allows: a key that may be NULL allows none.

use crate::value::SqlType;

/// How many related rows there may be.
pub trait Cardinality {
    /// A column of the related row, seen from here.
    type Col<T: SqlType>: SqlType;
}
/// Exactly one.
pub struct One;
/// One or none.
pub struct Maybe;
/// Any number.
pub struct Many;
impl Cardinality for One {
    type Col<T: SqlType> = T;
}
impl Cardinality for Maybe {
    type Col<T: SqlType> = Option<T::Base>;
}
impl Cardinality for Many {
    type Col<T: SqlType> = Option<T::Base>;
}
