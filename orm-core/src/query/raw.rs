//! Hand-written SQL with bound values: what `sql!` makes.

use crate::ast::{Raw, RawPart};
use crate::value::{SqlType, Type, Value};

/// A hand-written statement. Values are binds, never text; identifiers cannot be put in.
#[must_use = "a statement does nothing until `.fetch(&db)` or `.exec(&db)`"]
#[derive(Clone, Debug)]
pub struct RawSql {
    ast: Raw,
}

impl RawSql {
    /// Called by `sql!`.
    pub fn new(parts: Vec<RawPart>) -> Self {
        RawSql {
            ast: Raw {
                parts,
                columns: Vec::new(),
            },
        }
    }
    pub(crate) fn into_ast(self) -> Raw {
        self.ast
    }
}

/// A value that may stand in hand-written SQL.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be bound in `sql!`",
    label = "not a column type",
    note = "a list is written `{{..list}}`"
)]
pub trait RawArg {
    /// The logical type, for a list without values.
    const TYPE: Type;
    /// The value to bind.
    fn to_value(&self) -> Value;
}
impl<T: SqlType + Clone> RawArg for T {
    const TYPE: Type = T::TYPE;
    fn to_value(&self) -> Value {
        self.clone().into_value()
    }
}
impl RawArg for str {
    const TYPE: Type = Type::Text;
    fn to_value(&self) -> Value {
        Value::Text(self.into())
    }
}
impl RawArg for &str {
    const TYPE: Type = Type::Text;
    fn to_value(&self) -> Value {
        Value::Text((*self).into())
    }
}

/// Called by `sql!` for `{value}`.
pub fn raw_value<T: RawArg + ?Sized>(value: &T) -> RawPart {
    match T::TYPE {
        // how it is stored is known by its type only
        Type::Decimal(..) => RawPart::List(T::TYPE, vec![value.to_value()]),
        _ => RawPart::Expr(crate::ast::Expr::Value(value.to_value())),
    }
}
/// Called by `sql!` for `{..list}`.
pub fn raw_list<'a, T: RawArg + 'a>(values: impl IntoIterator<Item = &'a T>) -> RawPart {
    RawPart::List(T::TYPE, values.into_iter().map(RawArg::to_value).collect())
}
