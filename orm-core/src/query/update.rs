//! UPDATE: of one row in memory, and of all rows that meet a condition.

use crate::ast::{Expr as Node, Source, Unfiltered};
use crate::model::{FilterRef, Filtered, Model};
use crate::query::{Phantom, Sets, key_filter, version_filter};
use crate::schema::Column;
use crate::value::Value;

/// A change of one row: only the columns that are set are written.
#[must_use = "an update does nothing until `.save(&db)`"]
pub struct Update<M> {
    pub(crate) source: Source,
    pub(crate) set: Vec<(&'static Column, Node)>,
    pub(crate) key: Vec<Node>,
    pub(crate) version: Option<Node>,
    _p: Phantom<M>,
}

impl<M: Model> Update<M> {
    pub(crate) fn of(model: &M) -> Self {
        let source = Source::fresh();
        Update {
            source,
            set: Vec::new(),
            key: key_filter(M::TABLE, source, model.id()),
            version: version_filter(M::TABLE, source, model.version()),
            _p: std::marker::PhantomData,
        }
    }
    /// A change of the row of this key.
    pub(crate) fn from_parts(
        source: Source,
        set: Vec<(&'static Column, Node)>,
        key: Vec<Node>,
        version: Option<Value>,
    ) -> Self {
        let version = version_filter(M::TABLE, source, version);
        Update {
            source,
            set,
            key,
            version,
            _p: std::marker::PhantomData,
        }
    }
    /// Adds assignments. `None` is NULL, a column that is not named stays untouched.
    pub fn set<A: Sets<M>>(mut self, f: impl FnOnce(M::Cols<M>) -> A) -> Self {
        f(M::cols(self.source)).add_to(&mut self.set);
        self
    }
}

/// A change of all rows that meet a condition.
#[must_use = "an update does nothing until `.exec(&db)`"]
pub struct UpdateWhere<M> {
    pub(crate) source: Source,
    pub(crate) set: Vec<(&'static Column, Node)>,
    pub(crate) filter: Vec<Node>,
    pub(crate) each: bool,
    pub(crate) unfiltered: Unfiltered,
    _p: Phantom<M>,
}

impl<M: Model> UpdateWhere<M> {
    /// Reads the rows before the write, for hooks of the model that need them (`Hooks::ROWS`). Without hooks it makes no
    /// difference.
    pub fn each(mut self) -> Self {
        self.each = true;
        self
    }
    /// Rows that do not meet this named filter of the model as well.
    pub fn without_filter(mut self, f: impl FnOnce(M::Filters) -> FilterRef<M>) -> Self
    where
        M: Filtered,
    {
        self.unfiltered = self.unfiltered.and(f(M::FILTERS).off());
        self
    }
    /// All rows, whether or not they meet the named filters of the model.
    pub fn without_filters(mut self) -> Self
    where
        M: Filtered,
    {
        self.unfiltered = Unfiltered::ALL;
        self
    }
    pub(crate) fn new(filter: impl FnOnce(Source) -> Node) -> Self {
        let source = Source::fresh();
        UpdateWhere {
            source,
            set: Vec::new(),
            filter: vec![filter(source)],
            each: false,
            unfiltered: Unfiltered::NONE,
            _p: std::marker::PhantomData,
        }
    }
    pub(crate) fn from_parts(
        source: Source,
        set: Vec<(&'static Column, Node)>,
        filter: Vec<Node>,
        each: bool,
        unfiltered: Unfiltered,
    ) -> Self {
        UpdateWhere {
            source,
            set,
            filter,
            each,
            unfiltered,
            _p: std::marker::PhantomData,
        }
    }
    /// Adds assignments; the right side may use the row's own columns.
    pub fn set<A: Sets<M>>(mut self, f: impl FnOnce(M::Cols<M>) -> A) -> Self {
        f(M::cols(self.source)).add_to(&mut self.set);
        self
    }
}
