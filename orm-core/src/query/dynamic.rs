//! Conditions and orders from outside, over what was allowed and nothing else.

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::ast::{CompareOp, Expr as Node, InList, TextOp};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Model;
use crate::query::{Expr, Filter, IntoExpr, Order, Query};
use crate::value::{Scalar, SqlType, Type, Value};

/// What somebody outside may filter and sort a model by: fields with names of their own, each a column or an expression.
/// Built once, and asked for every request.
///
/// A filter is JSON: `{"field": "views", "op": "gt", "value": 100}`, a list of those, all of which must hold, or
/// `{"or": [..]}`, `{"and": [..]}`, `{"not": ..}`. Operators are `eq` (when `op` is absent) `ne gt ge lt le between in not_in is_null`, and
/// for texts `contains starts_with ends_with icontains istarts_with iends_with`. A value is what serde reads as the field's
/// type; a text that holds it will do, as parameters of a URL are.
///
/// An order is a list of names, each with a minus for descending: `-created_at,name`.
///
/// Whatever else is there is an [`InvalidQuery`](ErrorKind::InvalidQuery) error that names the field ([`Error::field`]) and
/// holds no value; nothing from outside becomes SQL text.
#[must_use = "it does nothing until it is asked for a filter or an order"]
pub struct Allowed<M: Model> {
    fields: Vec<Field<M>>,
    depth: usize,
    conditions: usize,
    list: usize,
}

struct Field<M: Model> {
    name: &'static str,
    of: Box<dyn Fn(M::Cols<M>) -> Node + Send + Sync>,
    ty: Type,
    nullable: bool,
    read: fn(&Json) -> Option<Value>,
    filters: bool,
}

impl<M: Model> Default for Allowed<M> {
    fn default() -> Self {
        Allowed::new()
    }
}

impl<M: Model> Allowed<M> {
    /// Nothing yet.
    pub fn new() -> Self {
        Allowed {
            fields: Vec::new(),
            depth: 5,
            conditions: 50,
            list: 1000,
        }
    }
    /// A field to filter and sort by, under this name.
    pub fn field<X>(self, name: &'static str, of: impl Fn(M::Cols<M>) -> X + Send + Sync + 'static) -> Self
    where
        X: IntoExpr<M>,
        <X::T as SqlType>::Base: DeserializeOwned,
    {
        self.with(name, of, read::<<X::T as SqlType>::Base>, true)
    }
    /// A field to sort by only.
    pub fn sort_only<X: IntoExpr<M>>(
        self,
        name: &'static str,
        of: impl Fn(M::Cols<M>) -> X + Send + Sync + 'static,
    ) -> Self {
        self.with(name, of, |_| None, false)
    }
    fn with<X: IntoExpr<M>>(
        mut self,
        name: &'static str,
        of: impl Fn(M::Cols<M>) -> X + Send + Sync + 'static,
        read: fn(&Json) -> Option<Value>,
        filters: bool,
    ) -> Self {
        self.fields.retain(|f| f.name != name);
        self.fields.push(Field {
            name,
            of: Box::new(move |cols| of(cols).into_expr().node()),
            ty: X::T::TYPE,
            nullable: X::T::NULLABLE,
            read,
            filters,
        });
        self
    }
    /// At most so many levels of `and`, `or`, `not`; 5 unless said otherwise.
    pub fn max_depth(mut self, levels: usize) -> Self {
        self.depth = levels;
        self
    }
    /// At most so many conditions in a filter, and fields in an order; 50 unless said otherwise.
    pub fn max_conditions(mut self, n: usize) -> Self {
        self.conditions = n;
        self
    }
    /// At most so many values in a list; 1000 unless said otherwise.
    pub fn max_list(mut self, n: usize) -> Self {
        self.list = n;
        self
    }

    /// The query with the condition that this filter says.
    ///
    /// # Errors
    /// `InvalidQuery` for a field, operator or form that is not allowed, a value of another type, or too much of anything.
    pub fn filter<O>(&self, query: Query<M, O>, filter: &Json) -> Result<Query<M, O>> {
        let mut failed = None;
        let query = query.filter(|cols| match self.condition(cols, filter) {
            Ok(condition) => condition,
            Err(e) => {
                failed = Some(e);
                Expr::new(Node::Any(Vec::new()))
            }
        });
        failed.map_or(Ok(query), Err)
    }
    /// The condition that this filter says, to be combined with others.
    ///
    /// # Errors
    /// As [`filter`](Allowed::filter).
    pub fn condition(&self, cols: M::Cols<M>, filter: &Json) -> Result<Filter<M>> {
        let mut reader = Reader {
            allowed: self,
            cols,
            left: self.conditions,
        };
        reader.condition(filter, self.depth).map(Expr::new)
    }
    /// The query in this order, behind the orders it has. An empty text says nothing.
    ///
    /// # Errors
    /// `InvalidQuery` for a field that is not allowed or named twice.
    pub fn sort<O>(&self, query: Query<M, O>, order: &str) -> Result<Query<M, O>> {
        let mut wanted: Vec<(&Field<M>, bool)> = Vec::new();
        for word in order.split(',').map(str::trim) {
            if word.is_empty() && order.trim().is_empty() {
                break;
            }
            let (name, desc) = match word.strip_prefix('-') {
                Some(name) => (name, true),
                None => (word, false),
            };
            let field = self.fields.iter().find(|f| f.name == name);
            let field = field.ok_or_else(|| unknown::<M>(name, "is no field to sort by"))?;
            if wanted.iter().any(|(f, _)| std::ptr::eq(*f, field)) {
                return Err(field.wrong("is named twice in the order"));
            }
            if wanted.len() == self.conditions {
                return Err(invalid::<M>("the order has too many fields"));
            }
            wanted.push((field, desc));
        }
        Ok(query.order_by(|cols| {
            let order = wanted.into_iter().map(|(f, desc)| Order::new((f.of)(cols), desc));
            order.collect::<Vec<_>>()
        }))
    }
}

fn read<B: Scalar + DeserializeOwned>(json: &Json) -> Option<Value> {
    let direct = serde_json::from_value::<B>(json.clone()).ok();
    let read = direct.or_else(|| {
        // a parameter of a URL is a text, whatever it means
        let inner: Json = serde_json::from_str(json.as_str()?).ok()?;
        serde_json::from_value::<B>(inner).ok()
    });
    read.map(Scalar::into_value)
}

#[cold]
fn invalid<M: Model>(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidQuery, message).with_model(M::TABLE.model)
}

/// The name comes from outside: it is repeated where it looks like one.
#[cold]
fn unknown<M: Model>(name: &str, what: &str) -> Error {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.');
    if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
        return invalid::<M>(format!("a name {what}"));
    }
    invalid::<M>(format!("`{name}` {what}")).with_field(name.to_owned())
}

impl<M: Model> Field<M> {
    #[cold]
    fn wrong(&self, what: &str) -> Error {
        invalid::<M>(format!("`{}` {what}", self.name)).with_field(self.name)
    }
    fn value(&self, json: &Json) -> Result<Node> {
        let value = (self.read)(json).filter(|v| !v.is_null());
        let value = value.ok_or_else(|| self.wrong("takes a value of another type"))?;
        Ok(Node::Value(value))
    }
    fn is_ordered(&self) -> bool {
        !matches!(
            self.ty,
            Type::Bool | Type::Json | Type::Bytes | Type::Array(_) | Type::Enum(_)
        )
    }
}

struct Reader<'a, M: Model> {
    allowed: &'a Allowed<M>,
    cols: M::Cols<M>,
    left: usize,
}

impl<M: Model> Reader<'_, M> {
    fn condition(&mut self, json: &Json, depth: usize) -> Result<Node> {
        match json {
            Json::Array(items) => Ok(Node::All(self.all(items, depth)?)),
            Json::Object(map) => {
                let mut entries = map.iter();
                match (entries.next(), entries.next()) {
                    (Some((key, Json::Array(items))), None) if key == "and" => {
                        Ok(Node::All(self.all(items, depth)?))
                    }
                    (Some((key, Json::Array(items))), None) if key == "or" => {
                        Ok(Node::Any(self.all(items, depth)?))
                    }
                    (Some((key, inner)), None) if key == "not" => {
                        let inner = self.condition(inner, self.deeper(depth)?)?;
                        Ok(Node::Not(Box::new(inner)))
                    }
                    _ => self.single(map),
                }
            }
            _ => Err(invalid::<M>(FORM)),
        }
    }
    fn deeper(&self, depth: usize) -> Result<usize> {
        let deeper = depth.checked_sub(1);
        deeper.ok_or_else(|| invalid::<M>("the filter is nested too deeply"))
    }
    fn all(&mut self, items: &[Json], depth: usize) -> Result<Vec<Node>> {
        let depth = self.deeper(depth)?;
        items.iter().map(|item| self.condition(item, depth)).collect()
    }

    fn single(&mut self, map: &serde_json::Map<String, Json>) -> Result<Node> {
        if !map
            .keys()
            .all(|key| matches!(key.as_str(), "field" | "op" | "value"))
        {
            return Err(invalid::<M>(FORM));
        }
        let Some(Json::String(name)) = map.get("field") else {
            return Err(invalid::<M>(FORM));
        };
        self.left = match self.left.checked_sub(1) {
            Some(left) => left,
            None => return Err(invalid::<M>("the filter has too many conditions")),
        };
        let field = self.allowed.fields.iter().find(|f| f.filters && f.name == name);
        let field = field.ok_or_else(|| unknown::<M>(name, "is no field to filter by"))?;
        let op = match map.get("op") {
            None => "eq",
            Some(Json::String(op)) => op.as_str(),
            Some(_) => return Err(field.wrong("has an operator that is not known")),
        };
        let value = map.get("value").unwrap_or(&Json::Null);
        let column = (field.of)(self.cols);
        self.compare(field, column, op, value)
    }

    fn compare(&self, field: &Field<M>, column: Node, op: &str, value: &Json) -> Result<Node> {
        let compare = |op| {
            let value = field.value(value)?;
            Ok(Node::Compare(op, Box::new(column.clone()), Box::new(value)))
        };
        let ordered = |op| match field.is_ordered() {
            true => compare(op),
            false => Err(field.wrong("has no order")),
        };
        let text = |op| match (field.ty, value) {
            (Type::Text, Json::String(text)) => {
                let text = Node::Value(Value::Text(text.clone()));
                Ok(Node::Text(op, Box::new(column.clone()), Box::new(text)))
            }
            (Type::Text, _) => Err(field.wrong("takes a value of another type")),
            _ => Err(field.wrong("is no text")),
        };
        let null = |negated| match field.nullable {
            true => Ok(Node::IsNull(Box::new(column.clone()), negated)),
            false => Err(field.wrong("is never null")),
        };
        let list = |json: &Json| match json {
            Json::Array(items) if items.len() <= self.allowed.list => items
                .iter()
                .map(|item| field.value(item))
                .collect::<Result<Vec<Node>>>(),
            Json::Array(_) => Err(field.wrong("takes fewer values in a list")),
            _ => Err(field.wrong("takes a list of values with this operator")),
        };
        let within = || {
            let values = list(value)?.into_iter().filter_map(|node| match node {
                Node::Value(value) => Some(value),
                _ => None,
            });
            let values = InList::Values(field.ty, values.collect());
            Ok(Node::In(Box::new(column.clone()), Box::new(values)))
        };
        match op {
            "eq" if value.is_null() => null(false),
            "ne" if value.is_null() => null(true),
            "eq" => compare(CompareOp::Eq),
            "ne" => compare(CompareOp::Ne),
            "gt" => ordered(CompareOp::Gt),
            "ge" => ordered(CompareOp::Ge),
            "lt" => ordered(CompareOp::Lt),
            "le" => ordered(CompareOp::Le),
            "between" if !field.is_ordered() => Err(field.wrong("has no order")),
            "between" => match <[Node; 2]>::try_from(list(value)?) {
                Ok([low, high]) => Ok(Node::Between(Box::new([column.clone(), low, high]))),
                Err(_) => Err(field.wrong("takes two values with this operator")),
            },
            "in" => within(),
            "not_in" => Ok(Node::Not(Box::new(within()?))),
            "is_null" => match read::<bool>(value) {
                Some(Value::Bool(yes)) => null(!yes),
                _ => Err(field.wrong("takes true or false with this operator")),
            },
            "contains" => text(TextOp::Contains),
            "starts_with" => text(TextOp::StartsWith),
            "ends_with" => text(TextOp::EndsWith),
            "icontains" => text(TextOp::ContainsNoCase),
            "istarts_with" => text(TextOp::StartsWithNoCase),
            "iends_with" => text(TextOp::EndsWithNoCase),
            _ => Err(field.wrong("has an operator that is not known")),
        }
    }
}

const FORM: &str = "a filter is an object with `field`, `op` and `value`, a list of filters, or one of `and`, `or`, `not` with those";
