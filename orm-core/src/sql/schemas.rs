//! Schemas that are called otherwise at run time.

use std::fmt;
use std::sync::Arc;

/// Which schema stands in the place of which, `None` being that of tables declared without one. Empty: none.
#[derive(Clone, Default, PartialEq)]
pub struct SchemaMap(Option<Arc<[Pair]>>);

type Pair = (Option<Box<str>>, Box<str>);

impl SchemaMap {
    /// Of pairs: the declared one, and what is used. The first of several for one schema holds.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (Option<&'a str>, &'a str)>) -> Self {
        let pairs = pairs
            .into_iter()
            .map(|(from, to)| (from.map(Box::from), to.into()));
        let pairs: Arc<[Pair]> = pairs.collect();
        SchemaMap((!pairs.is_empty()).then_some(pairs))
    }
    /// Whether every schema is called as it was declared.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
    /// What is used in the place of a declared schema.
    pub fn used<'a>(&'a self, declared: Option<&'a str>) -> Option<&'a str> {
        let pairs = self.0.as_deref().unwrap_or_default();
        let named = pairs.iter().find(|(from, _)| from.as_deref() == declared);
        named.map(|(_, to)| &**to).or(declared)
    }
}

impl fmt::Debug for SchemaMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.0.as_deref().unwrap_or_default();
        f.debug_map()
            .entries(pairs.iter().map(|(from, to)| (from, to)))
            .finish()
    }
}
