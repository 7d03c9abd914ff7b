//! What the field of a loaded relation holds.

use crate::error::{Error, ErrorKind, Result};
use crate::model::{Many, Maybe, One, Rel, Shape};
use crate::value::{Cardinality, Expected, Loads, Lookup, Output, Row};

/// All related rows are there.
pub struct Whole;
/// The load was filtered or limited: some of the related rows are there.
pub struct Partial;

/// Whether a load brings all related rows.
pub trait Coverage: 'static {
    /// What holds the rows of a to-many relation.
    type Many<N: Output>: Content;
    /// What holds the row of a to-one relation that always has one.
    type One<N: Shape>: Content;
}
impl Coverage for Whole {
    type Many<N: Output> = Vec<N>;
    type One<N: Shape> = N;
}
impl Coverage for Partial {
    type Many<N: Output> = Part<N>;
    type One<N: Shape> = Option<N>;
}

/// What a loaded relation of this cardinality holds.
pub trait Holds: Cardinality {
    /// Related rows as models, as models with relations, or as shapes.
    type Content<N: Shape, F: Coverage>: Content;
    /// Selected columns of related rows. A to-one relation holds them as `Option`.
    type Columns<T: Output, F: Coverage>: Content;
}
#[diagnostic::do_not_recommend]
impl Holds for One {
    type Content<N: Shape, F: Coverage> = F::One<N>;
    type Columns<T: Output, F: Coverage> = Option<T>;
}
#[diagnostic::do_not_recommend]
impl Holds for Maybe {
    type Content<N: Shape, F: Coverage> = Option<N>;
    type Columns<T: Output, F: Coverage> = Option<T>;
}
#[diagnostic::do_not_recommend]
impl Holds for Many {
    type Content<N: Shape, F: Coverage> = F::Many<N>;
    type Columns<T: Output, F: Coverage> = F::Many<T>;
}

/// What a whole load of the relation holds: `Vec<Post>`, `Option<Profile>`, `User`.
pub type Loaded<R> = <<R as Rel>::Card as Holds>::Content<<R as Rel>::Child, Whole>;

/// What a relation field of a loaded wrapper holds.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the content of a loaded relation",
    note = "expected `Vec<_>`, `Part<_>`, `Option<_>`, a model, or `i64` for a count"
)]
pub trait Content: Sized + Send + 'static {
    /// What the row above holds of it: nothing, when another statement brings it.
    type Local: Send + 'static;
    /// Reads that part from the row above.
    fn decode(row: &mut Row<'_>) -> Result<Self::Local>;
    /// Takes what another statement brought.
    fn load(loads: &mut Loads<'_>) -> Result<Self>;
    /// Completes what the row above holds.
    fn complete(local: Self::Local, loads: &mut Loads<'_>) -> Result<Self>;
    /// Adds the columns of that part, as [`Output::columns`].
    fn columns(_: &mut Vec<Expected>) -> Lookup {
        Lookup::Position
    }
}

/// What a related row becomes where there is at most one: a row of a model, or the variant of a `Polymorphic` enum.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot be the content of a loaded relation")]
pub trait Single: Sized + Send + 'static {
    /// Takes what another statement brought.
    fn next(loads: &mut Loads<'_>) -> Result<Option<Self>>;
}
#[diagnostic::do_not_recommend]
impl<N: Output> Single for N {
    fn next(loads: &mut Loads<'_>) -> Result<Option<Self>> {
        loads.one()
    }
}

macro_rules! loaded {
    ($bound:ident $Ty:ty, $loads:ident => $take:expr) => {
        #[diagnostic::do_not_recommend]
        impl<N: $bound> Content for $Ty {
            type Local = ();
            #[inline]
            fn decode(_: &mut Row<'_>) -> Result<()> {
                Ok(())
            }
            fn load($loads: &mut Loads<'_>) -> Result<Self> {
                $take
            }
            fn complete(_: (), loads: &mut Loads<'_>) -> Result<Self> {
                Self::load(loads)
            }
        }
    };
}
loaded!(Output Vec<N>, loads => loads.many());
loaded!(Output Part<N>, loads => loads.many().map(Part));
loaded!(Single Option<N>, loads => N::next(loads));
loaded!(Shape N, loads => loads.one()?.ok_or_else(missing));

impl Content for i64 {
    type Local = i64;
    #[inline]
    fn decode(row: &mut Row<'_>) -> Result<i64> {
        row.get()
    }
    fn load(_: &mut Loads<'_>) -> Result<i64> {
        Err(crate::value::not_loaded())
    }
    fn complete(local: i64, _: &mut Loads<'_>) -> Result<i64> {
        Ok(local)
    }
    fn columns(out: &mut Vec<Expected>) -> Lookup {
        <i64 as Output>::columns(out)
    }
}

#[cold]
fn missing() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "the row that a required foreign key refers to cannot be seen",
    )
}

/// Takes the content of a relation, named in errors. Called by generated code.
pub fn take<R: Rel, C: Content>(local: C::Local, loads: &mut Loads<'_>) -> Result<C> {
    C::complete(local, loads).map_err(|e| named(R::DEF.model, R::DEF.name, e))
}

/// Completes an error about the content of a relation.
pub(crate) fn named(model: &'static str, relation: &'static str, e: Error) -> Error {
    match e.model() {
        Some(_) => e,
        None => e.with_model(model).with_field(relation),
    }
}

/// Some of the related rows: the load was filtered or limited. Reads like a slice; it is not a `Vec`, so that it does
/// not pass where all related rows are asked for. [`into_vec`](Part::into_vec) says that some will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<N>(Vec<N>);

impl<N> Part<N> {
    /// The rows that were loaded.
    pub fn into_vec(self) -> Vec<N> {
        self.0
    }
}
impl<N> std::ops::Deref for Part<N> {
    type Target = [N];
    fn deref(&self) -> &[N] {
        &self.0
    }
}
impl<N> std::ops::DerefMut for Part<N> {
    fn deref_mut(&mut self) -> &mut [N] {
        &mut self.0
    }
}
impl<N> IntoIterator for Part<N> {
    type Item = N;
    type IntoIter = std::vec::IntoIter<N>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
impl<'a, N> IntoIterator for &'a Part<N> {
    type Item = &'a N;
    type IntoIter = std::slice::Iter<'a, N>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
#[cfg(feature = "json")]
impl<N: serde::Serialize> serde::Serialize for Part<N> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}
