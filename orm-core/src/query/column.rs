//! Typed columns.

use crate::ast::{Expr as Node, Source};
use crate::query::operand::{Assignable, put};
use crate::query::{Expr, Phantom, Set, upsert};
use crate::schema::Column;
use crate::value::SqlType;

/// A column of a query rooted at `S`. `Copy`; carries the table reference it belongs to.
pub struct Col<S, T, K = kind::Plain> {
    source: Source,
    def: &'static Column,
    _p: Phantom<(S, T, K)>,
}

impl<S, T, K> Clone for Col<S, T, K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S, T, K> Copy for Col<S, T, K> {}

impl<S, T, K> Col<S, T, K> {
    /// The column of one table reference. Called by generated code.
    pub const fn new(source: Source, def: &'static Column) -> Self {
        Col {
            source,
            def,
            _p: std::marker::PhantomData,
        }
    }
    /// What the schema says about it.
    pub const fn def(self) -> &'static Column {
        self.def
    }
    /// As an expression.
    pub fn expr(self) -> Expr<S, T> {
        Expr::new(self.node())
    }
    pub(crate) fn node(self) -> Node {
        Node::Column(self.source, &self.def.column)
    }
}

impl<S, T: SqlType, K> Col<S, T, K> {
    /// An assignment, for `.set(..)`: a value, `None` for a nullable column, or an expression.
    pub fn to<V: Assignable<S, T>>(self, value: V) -> Set<S>
    where
        K: kind::Settable,
    {
        Set::new(self.def, put(self.def, value.into_node()))
    }
    /// An assignment when there is a value; otherwise the column stays untouched.
    pub fn to_some<V: Assignable<S, T>>(self, value: Option<V>) -> Set<S>
    where
        K: kind::Settable,
    {
        match value {
            Some(v) => self.to(v),
            None => Set::none(),
        }
    }
}

/// What may be done with a column, as a type.
pub mod kind {
    /// An ordinary column.
    pub struct Plain;
    /// Unique by itself.
    pub struct Unique;
    /// A primary key the library generates.
    pub struct Pk;
    /// A primary key the user sets.
    pub struct NaturalPk;
    /// Filled by the library or the database.
    pub struct Managed;
    /// A column of a query that stands in another one.
    pub struct Derived;

    /// Columns that take an assignment.
    #[diagnostic::on_unimplemented(
        message = "this column is managed by the database; it cannot be set",
        label = "a {Self} column takes no assignment",
        note = "primary keys, timestamps, versions and audit columns are filled in for you"
    )]
    pub trait Settable {}
    #[diagnostic::do_not_recommend]
    impl Settable for Plain {}
    #[diagnostic::do_not_recommend]
    impl Settable for Unique {}
    #[diagnostic::do_not_recommend]
    impl Settable for NaturalPk {}
}

/// The columns of a composite key or unique constraint, as a target of an upsert.
pub struct KeyRef<S> {
    columns: &'static [&'static Column],
    _p: Phantom<S>,
}

impl<S> KeyRef<S> {
    /// Called by generated code.
    pub const fn new(columns: &'static [&'static Column]) -> Self {
        KeyRef {
            columns,
            _p: std::marker::PhantomData,
        }
    }
}

#[diagnostic::do_not_recommend]
impl upsert::UniqueKey for kind::Unique {}
#[diagnostic::do_not_recommend]
impl upsert::UniqueKey for kind::Pk {}
#[diagnostic::do_not_recommend]
impl upsert::UniqueKey for kind::NaturalPk {}

impl<S, T, K: upsert::UniqueKey> upsert::ConflictTarget<S> for Col<S, T, K> {
    fn columns(self) -> Vec<&'static Column> {
        vec![self.def]
    }
}
#[diagnostic::do_not_recommend]
impl<S> upsert::ConflictTarget<S> for KeyRef<S> {
    fn columns(self) -> Vec<&'static Column> {
        self.columns.to_vec()
    }
}
