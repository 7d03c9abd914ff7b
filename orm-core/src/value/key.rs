//! Typed keys.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use crate::error::Result;
use crate::value::{Cells, Scalar, Type, Value};

/// The key of a model: `Id<User>` is an `i64`, `Id<User, Uuid>` a UUID; neither mixes with `Id<Post>`.
///
/// ```
/// use orm_core::value::Id;
/// struct User;
/// let id: Id<User> = Id::new(7);
/// assert_eq!(id.raw(), 7);
/// ```
pub struct Id<M, R = i64>(R, PhantomData<fn() -> M>);

impl<M, R> Id<M, R> {
    /// A key with this raw value.
    pub const fn new(raw: R) -> Self {
        Id(raw, PhantomData)
    }
    /// The raw value.
    pub fn raw(self) -> R {
        self.0
    }
}
impl<M, R: Clone> Clone for Id<M, R> {
    fn clone(&self) -> Self {
        Id::new(self.0.clone())
    }
}
impl<M, R: Copy> Copy for Id<M, R> {}
impl<M, R: PartialEq> PartialEq for Id<M, R> {
    fn eq(&self, o: &Self) -> bool {
        self.0 == o.0
    }
}
impl<M, R: Eq> Eq for Id<M, R> {}
impl<M, R: PartialOrd> PartialOrd for Id<M, R> {
    fn partial_cmp(&self, o: &Self) -> Option<Ordering> {
        self.0.partial_cmp(&o.0)
    }
}
impl<M, R: Ord> Ord for Id<M, R> {
    fn cmp(&self, o: &Self) -> Ordering {
        self.0.cmp(&o.0)
    }
}
impl<M, R: Hash> Hash for Id<M, R> {
    fn hash<H: Hasher>(&self, h: &mut H) {
        self.0.hash(h);
    }
}
impl<M, R: fmt::Debug> fmt::Debug for Id<M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<M, R: fmt::Display> fmt::Display for Id<M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<M, R: std::str::FromStr> std::str::FromStr for Id<M, R> {
    type Err = R::Err;
    fn from_str(s: &str) -> std::result::Result<Self, R::Err> {
        s.parse().map(Id::new)
    }
}
impl<M, R> From<R> for Id<M, R> {
    fn from(r: R) -> Self {
        Id::new(r)
    }
}
#[cfg(feature = "json")]
impl<M, R: serde::Serialize> serde::Serialize for Id<M, R> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}
#[cfg(feature = "json")]
impl<'de, M, R: serde::Deserialize<'de>> serde::Deserialize<'de> for Id<M, R> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
        R::deserialize(d).map(Id::new)
    }
}
impl<M: 'static, R: Scalar> Scalar for Id<M, R> {
    const TYPE: Type = R::TYPE;
    fn into_value(self) -> Value {
        self.0.into_value()
    }
    #[inline]
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        Ok(<R as Scalar>::decode(cells, i)?.map(Id::new))
    }
}
