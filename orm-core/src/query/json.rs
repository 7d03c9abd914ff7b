//! Places in JSON documents.

use serde::Serialize;

use crate::ast::{CompareOp, Expr as Node, Function, JsonFn};
use crate::query::{Col, Expr, Filter, Phantom};
use crate::value::{Element, Json, SqlType, Value};

/// Columns that hold JSON.
#[diagnostic::on_unimplemented(message = "a path leads into JSON, and this is `{Self}`")]
pub trait JsonDoc: SqlType {}
#[diagnostic::do_not_recommend]
impl JsonDoc for serde_json::Value {}
#[diagnostic::do_not_recommend]
impl JsonDoc for Option<serde_json::Value> {}
#[diagnostic::do_not_recommend]
impl<T> JsonDoc for Json<T> where Json<T>: SqlType {}
#[diagnostic::do_not_recommend]
impl<T> JsonDoc for Option<Json<T>> where Option<Json<T>>: SqlType {}

/// A step on the way into a JSON document: a key, or a place in an array, from 0, or from -1 at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonStep {
    /// The value of a key.
    Key(String),
    /// An item of an array.
    Index(i32),
}
impl From<&str> for JsonStep {
    fn from(key: &str) -> Self {
        JsonStep::Key(key.to_owned())
    }
}
impl From<String> for JsonStep {
    fn from(key: String) -> Self {
        JsonStep::Key(key)
    }
}
impl From<i32> for JsonStep {
    fn from(index: i32) -> Self {
        JsonStep::Index(index)
    }
}

/// A place in a JSON document: `doc.path("tags").path(0)`. Keys are bound values and may be any text. Where there is no
/// such place everything is NULL.
#[must_use = "a place is read (`.text()`, `.int()`, `.json()`), asked (`.exists()`) or written (`.set(..)`)"]
pub struct JsonPath<S, T> {
    doc: Node,
    steps: Vec<Node>,
    _p: Phantom<(S, T)>,
}
impl<S, T> Clone for JsonPath<S, T> {
    fn clone(&self) -> Self {
        JsonPath {
            doc: self.doc.clone(),
            steps: self.steps.clone(),
            _p: std::marker::PhantomData,
        }
    }
}

fn written(value: &impl Serialize) -> Node {
    let text = serde_json::to_string(value);
    Node::Value(text.map_or(Value::Refused("the value cannot be written as JSON"), Value::Json))
}

fn texts<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Node {
    let keys = keys.into_iter().map(|key| Value::Text(key.into()));
    Node::Value(Value::Array(Element::Text, keys.collect()))
}

impl<S, T: JsonDoc> JsonPath<S, T> {
    fn root(doc: Node) -> Self {
        JsonPath {
            doc,
            steps: Vec::new(),
            _p: std::marker::PhantomData,
        }
    }
    fn call<U>(self, f: JsonFn, last: Option<Node>) -> Expr<S, U> {
        let args = std::iter::once(self.doc).chain(self.steps).chain(last);
        Expr::new(Node::call(Function::Json(f), args.collect()))
    }
    /// A step further: a key, or a place in an array.
    pub fn path(mut self, step: impl Into<JsonStep>) -> Self {
        self.steps.push(Node::Value(match step.into() {
            JsonStep::Key(key) => Value::Text(key),
            JsonStep::Index(index) => Value::I64(index.into()),
        }));
        self
    }
    /// As text: a string without its quotes, a number by its digits, `true` or `false`; a JSON null is NULL. Of arrays and
    /// objects it is JSON whose blanks and order of keys the database chooses.
    pub fn text(self) -> Expr<S, Option<String>> {
        self.call(JsonFn::Text, None)
    }
    /// A number as an integer, cut towards zero; NULL for anything else.
    pub fn int(self) -> Expr<S, Option<i64>> {
        self.call(JsonFn::Int, None)
    }
    /// A number as a float; NULL for anything else.
    pub fn float(self) -> Expr<S, Option<f64>> {
        self.call(JsonFn::Float, None)
    }
    /// A truth value; NULL for anything else.
    pub fn boolean(self) -> Expr<S, Option<bool>> {
        self.call(JsonFn::Bool, None)
    }
    /// As JSON: `Some(Value::Null)` is a JSON null, `None` that there is nothing.
    pub fn json(self) -> Expr<S, Option<serde_json::Value>> {
        self.call(JsonFn::Get, None)
    }
    /// `null`, `boolean`, `number`, `string`, `array` or `object`.
    pub fn kind(self) -> Expr<S, Option<String>> {
        self.call(JsonFn::Kind, None)
    }
    /// How many items the array has; NULL where it is none.
    pub fn length(self) -> Expr<S, Option<i64>> {
        self.call(JsonFn::Length, None)
    }
    /// Whether there is something, if only a JSON null.
    pub fn exists(self) -> Filter<S> {
        Expr::new(Node::IsNull(Box::new(self.kind().node()), true))
    }
    /// Whether there is a JSON null, which is not the NULL of the column.
    pub fn is_json_null(self) -> Filter<S> {
        let null = Node::Value(Value::Str("null"));
        Expr::new(Node::Compare(
            CompareOp::IsNotDistinct,
            Box::new(self.kind().node()),
            Box::new(null),
        ))
    }
    /// Whether it contains this: the keys of an object with what they contain, the items of an array in any order (`@>`).
    pub fn contains(self, part: impl Serialize) -> Filter<S> {
        let part = written(&part);
        self.call(JsonFn::Contains, Some(part))
    }
    /// Whether the object has this key, or the array this text (`?`).
    pub fn has_key(self, key: impl Into<String>) -> Filter<S> {
        self.has_any_key([key])
    }
    /// Whether it has one of these keys (`?|`); false for none.
    pub fn has_any_key<K: Into<String>>(self, keys: impl IntoIterator<Item = K>) -> Filter<S> {
        self.call(JsonFn::HasAny, Some(texts(keys)))
    }
    /// Whether it has all of these keys (`?&`); true for none.
    pub fn has_all_keys<K: Into<String>>(self, keys: impl IntoIterator<Item = K>) -> Filter<S> {
        self.call(JsonFn::HasAll, Some(texts(keys)))
    }
    /// The document with this value here, for `doc.to(..)`. What is above must be there: objects on the way are not made. A
    /// place one behind the end of an array adds to it.
    pub fn set(self, value: impl Serialize) -> Expr<S, T> {
        let value = written(&value);
        match self.steps.is_empty() {
            true => Expr::new(value),
            false => self.call(JsonFn::Set, Some(value)),
        }
    }
    /// The document without this place; as it is where there is none.
    pub fn remove(self) -> Expr<S, T> {
        self.call(JsonFn::Remove, None)
    }
}

macro_rules! documents {
    ($Ty:ident, [$($k:tt)*]) => {
        impl<S, T: JsonDoc, $($k)*> $Ty<S, T, $($k)*> {
            /// A place in the document: `.path("tags").path(0).text()`.
            pub fn path(self, step: impl Into<JsonStep>) -> JsonPath<S, T> {
                JsonPath::root(self.node()).path(step)
            }
            /// The document itself as a place, for `kind`, `length`, `contains`.
            pub fn document(self) -> JsonPath<S, T> {
                JsonPath::root(self.node())
            }
            /// The document with these keys set to these values, beside those it has; one level deep.
            pub fn merge(self, keys: serde_json::Map<String, serde_json::Value>) -> Expr<S, T> {
                let mut args = vec![self.node(), written(&keys)];
                for (key, value) in keys {
                    args.push(Node::Value(Value::Text(key)));
                    args.push(written(&value));
                }
                Expr::new(Node::call(Function::Json(JsonFn::Merge), args))
            }
        }
    };
}
documents!(Col, [K]);
documents!(Expr, []);
