//! Hand-written SQL with bound values: what `sql!` makes.

use crate::ast::{Declared, Expr as Node, Function, Raw, RawPart};
use crate::query::{Agg, Col, Expr, Phantom};
use crate::value::{SqlType, Type, Value};

/// A hand-written statement. Values are binds, never text; names are put in by [`Ident`] only, which quotes them.
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

/// What may stand in the braces of `sql!`: a value, or a name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be bound in `sql!`",
    label = "expected a column type, or an `Ident` for a name",
    note = "a list is written `{{..list}}`"
)]
pub trait RawPiece {
    /// The piece.
    fn to_piece(&self) -> RawPart;
}
#[diagnostic::do_not_recommend]
impl<T: RawArg + ?Sized> RawPiece for T {
    fn to_piece(&self) -> RawPart {
        match T::TYPE {
            // how it is stored is known by its type only
            Type::Decimal(..) => RawPart::List(T::TYPE, vec![self.to_value()]),
            _ => RawPart::Expr(crate::ast::Expr::Value(self.to_value())),
        }
    }
}
#[diagnostic::do_not_recommend]
impl RawPiece for Ident {
    fn to_piece(&self) -> RawPart {
        RawPart::Name(self.0.as_str().into())
    }
}

/// Called by `sql!` for `{value}`.
pub fn raw_value<T: RawPiece + ?Sized>(value: &T) -> RawPart {
    value.to_piece()
}
/// Called by `sql!` for `{..list}`.
pub fn raw_list<'a, T: RawArg + 'a>(values: impl IntoIterator<Item = &'a T>) -> RawPart {
    RawPart::List(T::TYPE, values.into_iter().map(RawArg::to_value).collect())
}

/// A name in the database that is known at run time only, for `sql!` and `raw_expr!`: it is quoted, so that it stands for
/// nothing but a name, whatever it holds. A name in a schema is two of them: `{schema}.{table}`.
///
/// ```
/// use orm_core::query::Ident;
///
/// let collation = Ident::new("C");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident(String);
impl Ident {
    /// The name as it is, without quotes.
    pub fn new(name: impl Into<String>) -> Self {
        Ident(name.into())
    }
}

/// A piece of a hand-written expression over the query rooted at `S`.
pub struct RawOf<S>(RawPart, Phantom<S>);
impl<S> RawOf<S> {
    /// Called by `raw_expr!`.
    pub fn new(part: RawPart) -> Self {
        RawOf(part, std::marker::PhantomData)
    }
}

/// What may stand in the braces of `raw_expr!`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be put into `raw_expr!` over `{S}`",
    label = "expected a column, an expression, a value or an `Ident`",
    note = "a list is written `{{..list}}`"
)]
pub trait RawOperand<S> {
    /// The piece.
    fn to_part(&self) -> RawPart;
}
#[diagnostic::do_not_recommend]
impl<S, T: RawArg> RawOperand<S> for T {
    fn to_part(&self) -> RawPart {
        raw_value(self)
    }
}
#[diagnostic::do_not_recommend]
impl<S, T, K> RawOperand<S> for Col<S, T, K> {
    fn to_part(&self) -> RawPart {
        RawPart::Expr(self.node())
    }
}
#[diagnostic::do_not_recommend]
impl<S, T> RawOperand<S> for Expr<S, T> {
    fn to_part(&self) -> RawPart {
        RawPart::Expr(self.clone().node())
    }
}
#[diagnostic::do_not_recommend]
impl<S> RawOperand<S> for Ident {
    fn to_part(&self) -> RawPart {
        self.to_piece()
    }
}

/// Called by `raw_expr!` for `{value}`.
pub fn raw_operand<S, T: RawOperand<S>>(value: &T) -> RawOf<S> {
    RawOf::new(value.to_part())
}
/// Called by `raw_expr!`.
pub fn raw_expr<S, T: SqlType>(parts: Vec<RawOf<S>>) -> Expr<S, T> {
    Expr::new(Node::Raw(parts.into_iter().map(|p| p.0).collect(), T::TYPE))
}

/// Called by `sql_fn!`.
#[doc(hidden)]
pub fn declared<S, T>(function: &'static Declared, args: Vec<Node>) -> Expr<S, T> {
    Expr::new(Node::call(Function::Declared(function), args))
}
/// Called by `sql_fn!`.
#[doc(hidden)]
pub fn declared_aggregate<S, T>(name: &'static str, ty: Type, args: Vec<Node>) -> Agg<S, T> {
    Agg::call(crate::ast::AggregateFn::Named(name, ty), args)
}
