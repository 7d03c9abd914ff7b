//! What `#[orm::hybrid]` makes of a body: one function for each operator and method of Rust, with Rust's types.
//!
//! Both sides of an operator have one type here, as in Rust, so that literals take theirs from the other side, and a
//! body means in SQL what it means in Rust: a value that is no `Option` is never NULL, `==` of `Option`s is
//! `IS NOT DISTINCT FROM`. What Rust and the databases answer differently has no function here.

use crate::ast::{CompareOp, Expr as Node, Function, InList, MathOp};
use crate::query::{Expr, IntoExpr};
use crate::value::{Date, Id, LocalTimestamp, Numeric, Scalar, SqlType, TimeOfDay, Timestamp, Type, Value};

pub use crate::query::value as literal;

/// What `<`, `max` and ranges compare in the body of a hybrid: types whose order is that of Rust in every database.
///
/// Texts and enums are not among them: those the database orders by a collation, or by its labels. For a type of your own
/// that is stored as a number, `impl orm::query::Ordered for Percent {}`.
#[diagnostic::on_unimplemented(
    message = "the order of `{Self}` in Rust is not the order of the database",
    label = "a hybrid can order numbers, dates and times",
    note = "for a type of your own that is stored as one, `impl orm::query::Ordered for {Self} {{}}`"
)]
pub trait Ordered: Scalar {}
/// What `-`, `*`, negation and `abs` work on in the body of a hybrid.
#[diagnostic::on_unimplemented(
    message = "a hybrid cannot calculate with `{Self}`",
    label = "expected an integer, `f64` or a decimal"
)]
pub trait Number: Scalar + Numeric {}
/// What `/` works on: numbers whose quotient is the same everywhere.
#[diagnostic::on_unimplemented(
    message = "a hybrid cannot divide `{Self}`",
    label = "expected an integer or `f64`: how many digits a quotient has differs between databases"
)]
pub trait Quotient: Number {}
/// What `%` works on.
#[diagnostic::on_unimplemented(
    message = "a hybrid has no remainder of `{Self}`",
    label = "expected an integer"
)]
pub trait Whole: Quotient {}
/// What `+` works on: numbers, and texts.
#[diagnostic::on_unimplemented(
    message = "a hybrid cannot add `{Self}`",
    label = "expected an integer, `f64`, a decimal or text"
)]
pub trait Plus: Scalar {
    #[doc(hidden)]
    const OP: MathOp;
}
/// What `format!` and `to_string` write as Rust does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no text that is the same in Rust and in every database",
    label = "expected text or an integer"
)]
pub trait Shown: Scalar {}
/// `value as T`, where nothing is lost.
#[diagnostic::on_unimplemented(
    message = "`{Self}` as `{T}` means something else in Rust than in a database",
    label = "a hybrid can widen numbers: `i32` to `i64`, integers to `f64`"
)]
pub trait Widens<T>: Scalar {}
/// A value that Rust computes, bound as a parameter.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no value of a column",
    label = "expected a column type or `&str`"
)]
pub trait Bound {
    #[doc(hidden)]
    type T: SqlType;
    #[doc(hidden)]
    fn bound(self) -> Value;
}

macro_rules! mark {
    ($($Trait:ident: $($t:ty),+;)+) => {$($(
        #[diagnostic::do_not_recommend]
        impl $Trait for $t {}
    )+)+};
}
mark! {
    Ordered: i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, Timestamp, LocalTimestamp, Date, TimeOfDay;
    Number: i8, i16, i32, i64, u8, u16, u32, u64, f64;
    Quotient: i8, i16, i32, i64, u8, u16, u32, u64, f64;
    Whole: i8, i16, i32, i64, u8, u16, u32, u64;
    Shown: String, i8, i16, i32, i64, u8, u16, u32, u64;
}
#[cfg(feature = "decimal")]
mark! {
    Ordered: rust_decimal::Decimal;
    Number: rust_decimal::Decimal;
}
#[cfg(feature = "chrono")]
mark! {
    Ordered: chrono::DateTime<chrono::Utc>, chrono::NaiveDateTime, chrono::NaiveDate, chrono::NaiveTime;
}
#[cfg(feature = "time")]
mark! {
    Ordered: ::time::OffsetDateTime, ::time::UtcDateTime, ::time::PrimitiveDateTime, ::time::Date, ::time::Time;
}
#[cfg(feature = "jiff")]
mark! {
    Ordered: ::jiff::Timestamp, ::jiff::civil::DateTime, ::jiff::civil::Date, ::jiff::civil::Time;
}
#[diagnostic::do_not_recommend]
impl<M: 'static, R: Ordered> Ordered for Id<M, R> where Id<M, R>: Scalar {}
#[diagnostic::do_not_recommend]
impl<T: Number> Plus for T {
    const OP: MathOp = MathOp::Add;
}
#[diagnostic::do_not_recommend]
impl Plus for String {
    const OP: MathOp = MathOp::Concat;
}
#[diagnostic::do_not_recommend]
impl<T: SqlType> Bound for T {
    type T = T;
    fn bound(self) -> Value {
        self.into_value()
    }
}
#[diagnostic::do_not_recommend]
impl Bound for &str {
    type T = String;
    fn bound(self) -> Value {
        Value::Text(self.into())
    }
}
macro_rules! widens {
    ($($from:ty => $($to:ty),+;)+) => {$($(
        #[diagnostic::do_not_recommend]
        impl Widens<$to> for $from {}
    )+)+};
}
widens! {
    i8 => i16, i32, i64, f64;
    i16 => i16, i32, i64, f64;
    i32 => i32, i64, f64;
    i64 => i64, f64;
    u8 => i16, i32, i64, f64;
    u16 => i32, i64, f64;
    u32 => i64, f64;
    f32 => f64;
    f64 => f64;
}

fn call<S, T>(f: Function, args: Vec<Node>) -> Expr<S, T> {
    Expr::new(Node::call(f, args))
}
fn is_null(node: Node, negated: bool) -> Node {
    Node::IsNull(Box::new(node), negated)
}

/// A column.
pub fn column<S, X: IntoExpr<S>>(column: X) -> Expr<S, X::T> {
    column.into_expr()
}
/// A text literal.
pub fn text<S>(text: &str) -> Expr<S, String> {
    Expr::new(Node::Value(Value::Text(text.into())))
}
/// A value that Rust computed.
pub fn bound<S, V: Bound>(value: V) -> Expr<S, V::T> {
    Expr::new(Node::Value(value.bound()))
}

fn ordered<S, T>(op: CompareOp, a: Expr<S, T>, b: Expr<S, T>) -> Expr<S, bool> {
    Expr::new(Node::Compare(op, Box::new(a.node()), Box::new(b.node())))
}
/// `<`.
pub fn lt<S, T: Ordered>(a: Expr<S, T>, b: Expr<S, T>) -> Expr<S, bool> {
    ordered(CompareOp::Lt, a, b)
}
/// `<=`.
pub fn le<S, T: Ordered>(a: Expr<S, T>, b: Expr<S, T>) -> Expr<S, bool> {
    ordered(CompareOp::Le, a, b)
}
/// `>`.
pub fn gt<S, T: Ordered>(a: Expr<S, T>, b: Expr<S, T>) -> Expr<S, bool> {
    ordered(CompareOp::Gt, a, b)
}
/// `>=`.
pub fn ge<S, T: Ordered>(a: Expr<S, T>, b: Expr<S, T>) -> Expr<S, bool> {
    ordered(CompareOp::Ge, a, b)
}

/// `==`: `None` equals `None`.
pub fn eq<S, T: SqlType>(a: Expr<S, T>, b: Expr<S, T>) -> Expr<S, bool> {
    ordered(
        if T::NULLABLE {
            CompareOp::IsNotDistinct
        } else {
            CompareOp::Eq
        },
        a,
        b,
    )
}
/// `!=`.
pub fn ne<S, T: SqlType>(a: Expr<S, T>, b: Expr<S, T>) -> Expr<S, bool> {
    ordered(
        if T::NULLABLE {
            CompareOp::IsDistinct
        } else {
            CompareOp::Ne
        },
        a,
        b,
    )
}
/// `&&`.
pub fn and<S>(a: Expr<S, bool>, b: Expr<S, bool>) -> Expr<S, bool> {
    a.and(b)
}
/// `||`.
pub fn or<S>(a: Expr<S, bool>, b: Expr<S, bool>) -> Expr<S, bool> {
    a.or(b)
}
/// `!`.
pub fn not<S>(a: Expr<S, bool>) -> Expr<S, bool> {
    Expr::new(Node::Not(Box::new(a.node())))
}

fn math<S, T>(op: MathOp, a: Expr<S, T>, b: Expr<S, T>) -> Expr<S, T> {
    Expr::new(Node::Math(op, Box::new(a.node()), Box::new(b.node())))
}
/// `+`.
pub fn add<S, T: Plus>(a: Expr<S, T>, b: Expr<S, T>) -> Expr<S, T> {
    math(T::OP, a, b)
}
/// `-`.
pub fn sub<S, T: Number>(a: Expr<S, T>, b: Expr<S, T>) -> Expr<S, T> {
    math(MathOp::Sub, a, b)
}
/// `*`.
pub fn mul<S, T: Number>(a: Expr<S, T>, b: Expr<S, T>) -> Expr<S, T> {
    math(MathOp::Mul, a, b)
}
/// `/`: of integers towards zero.
pub fn div<S, T: Quotient>(a: Expr<S, T>, b: Expr<S, T>) -> Expr<S, T> {
    math(MathOp::Div, a, b)
}
/// `%`: with the sign of the left side.
pub fn rem<S, T: Whole>(a: Expr<S, T>, b: Expr<S, T>) -> Expr<S, T> {
    math(MathOp::Rem, a, b)
}
/// `checked_div`: nothing where the divisor is zero.
pub fn checked_div<S, T: Whole>(a: Expr<S, T>, b: Expr<S, T>) -> Expr<S, Option<T>> {
    Expr::new(math::<S, T>(MathOp::Div, a, Expr::new(unless_zero::<T>(b.node()))).node())
}
/// `checked_rem`.
pub fn checked_rem<S, T: Whole>(a: Expr<S, T>, b: Expr<S, T>) -> Expr<S, Option<T>> {
    Expr::new(math::<S, T>(MathOp::Rem, a, Expr::new(unless_zero::<T>(b.node()))).node())
}
fn unless_zero<T: Scalar>(node: Node) -> Node {
    let zero = match T::TYPE {
        Type::I16 => Value::I16(0),
        Type::I32 => Value::I32(0),
        _ => Value::I64(0),
    };
    Node::call(Function::NullIf, vec![node, Node::Value(zero)])
}
/// Negation.
pub fn neg<S, T: Number>(a: Expr<S, T>) -> Expr<S, T> {
    Expr::new(Node::Negate(Box::new(a.node())))
}
/// `as`.
pub fn widen<S, T: Scalar, F: Widens<T>>(a: Expr<S, F>) -> Expr<S, T> {
    match F::TYPE == T::TYPE {
        true => Expr::new(a.node()),
        false => Expr::new(Node::Cast(Box::new(a.node()), T::TYPE)),
    }
}

/// `abs`.
pub fn abs<S, T: Number>(a: Expr<S, T>) -> Expr<S, T> {
    call(Function::Abs, vec![a.node()])
}
/// `floor`.
pub fn floor<S>(a: Expr<S, f64>) -> Expr<S, f64> {
    call(Function::Floor, vec![a.node()])
}
/// `ceil`.
pub fn ceil<S>(a: Expr<S, f64>) -> Expr<S, f64> {
    call(Function::Ceil, vec![a.node()])
}
/// `trunc`.
pub fn trunc<S>(a: Expr<S, f64>) -> Expr<S, f64> {
    call(Function::Trunc, vec![a.node()])
}
/// `max`.
pub fn max<S, T: Ordered>(a: Expr<S, T>, b: Expr<S, T>) -> Expr<S, T> {
    call(Function::Greatest, vec![a.node(), b.node()])
}
/// `min`.
pub fn min<S, T: Ordered>(a: Expr<S, T>, b: Expr<S, T>) -> Expr<S, T> {
    call(Function::Least, vec![a.node(), b.node()])
}
/// `(a..=b).contains(&x)`.
pub fn between<S, T: Ordered>(x: Expr<S, T>, low: Expr<S, T>, high: Expr<S, T>) -> Expr<S, bool> {
    Expr::new(Node::Between(Box::new([x.node(), low.node(), high.node()])))
}
/// `[a, b].contains(&x)`.
pub fn one_of<S, T: Scalar>(x: Expr<S, T>, list: Vec<Expr<S, T>>) -> Expr<S, bool> {
    let nodes: Vec<Node> = list.into_iter().map(Expr::node).collect();
    let values: Option<Vec<Value>> = nodes
        .iter()
        .map(|node| match node {
            Node::Value(value) => Some(value.clone()),
            _ => None,
        })
        .collect();
    let list = values.map_or(InList::Exprs(nodes), |values| InList::Values(T::TYPE, values));
    Expr::new(Node::In(Box::new(x.node()), Box::new(list)))
}

/// `len`, in bytes.
pub fn len<S>(a: Expr<S, String>) -> Expr<S, i64> {
    let bytes = Node::call(Function::Named("octet_length", Type::I32), vec![a.node()]);
    Expr::new(Node::Cast(Box::new(bytes), Type::I64))
}
/// `chars().count()`.
pub fn char_count<S>(a: Expr<S, String>) -> Expr<S, i64> {
    call(Function::Length, vec![a.node()])
}
/// `is_empty`.
pub fn is_empty<S>(a: Expr<S, String>) -> Expr<S, bool> {
    eq(a, text(""))
}
/// `to_ascii_lowercase`.
pub fn ascii_lower<S>(a: Expr<S, String>) -> Expr<S, String> {
    call(Function::AsciiLower, vec![a.node()])
}
/// `to_ascii_uppercase`.
pub fn ascii_upper<S>(a: Expr<S, String>) -> Expr<S, String> {
    call(Function::AsciiUpper, vec![a.node()])
}
/// `eq_ignore_ascii_case`.
pub fn ascii_eq<S>(a: Expr<S, String>, b: Expr<S, String>) -> Expr<S, bool> {
    eq(ascii_lower(a), ascii_lower(b))
}
/// `trim_matches(' ')`.
pub fn trim<S>(a: Expr<S, String>) -> Expr<S, String> {
    call(Function::Trim, vec![a.node()])
}
/// `trim_start_matches(' ')`.
pub fn trim_start<S>(a: Expr<S, String>) -> Expr<S, String> {
    call(Function::TrimStart, vec![a.node()])
}
/// `trim_end_matches(' ')`.
pub fn trim_end<S>(a: Expr<S, String>) -> Expr<S, String> {
    call(Function::TrimEnd, vec![a.node()])
}
/// `replace`, of a text that is not empty.
pub fn replace<S>(a: Expr<S, String>, from: &str, to: Expr<S, String>) -> Expr<S, String> {
    let from = Node::Value(Value::Text(from.into()));
    call(Function::Replace, vec![a.node(), from, to.node()])
}
/// `contains`.
pub fn contains<S>(a: Expr<S, String>, b: Expr<S, String>) -> Expr<S, bool> {
    a.contains(b)
}
/// `starts_with`.
pub fn starts_with<S>(a: Expr<S, String>, b: Expr<S, String>) -> Expr<S, bool> {
    a.starts_with(b)
}
/// `ends_with`.
pub fn ends_with<S>(a: Expr<S, String>, b: Expr<S, String>) -> Expr<S, bool> {
    a.ends_with(b)
}
/// `to_string`, and `{}` of `format!`.
pub fn shown<S, T: Shown>(a: Expr<S, T>) -> Expr<S, String> {
    match T::TYPE {
        Type::Text => Expr::new(a.node()),
        _ => Expr::new(Node::Cast(Box::new(a.node()), Type::Text)),
    }
}

/// `Some(x)`.
pub fn some<S, T: Scalar>(a: Expr<S, T>) -> Expr<S, Option<T>> {
    Expr::new(a.node())
}
/// `None`.
pub fn none<S, T: Scalar>() -> Expr<S, Option<T>> {
    Expr::new(Node::Value(Value::Null(T::TYPE)))
}
/// `is_some`.
pub fn is_some<S, T: Scalar>(a: Expr<S, Option<T>>) -> Expr<S, bool> {
    Expr::new(is_null(a.node(), true))
}
/// `is_none`.
pub fn is_none<S, T: Scalar>(a: Expr<S, Option<T>>) -> Expr<S, bool> {
    Expr::new(is_null(a.node(), false))
}
/// `unwrap_or`.
pub fn unwrap_or<S, T: Scalar>(a: Expr<S, Option<T>>, b: Expr<S, T>) -> Expr<S, T> {
    call(Function::Coalesce, vec![a.node(), b.node()])
}
/// `unwrap_or_default`.
pub fn unwrap_or_default<S, T: Scalar + Default>(a: Expr<S, Option<T>>) -> Expr<S, T> {
    unwrap_or(a, literal(T::default()))
}
/// `or`.
pub fn or_option<S, T: Scalar>(a: Expr<S, Option<T>>, b: Expr<S, Option<T>>) -> Expr<S, Option<T>> {
    call(Function::Coalesce, vec![a.node(), b.node()])
}
/// `is_some_and`.
pub fn is_some_and<S, T: Scalar>(
    a: Expr<S, Option<T>>,
    f: impl FnOnce(Expr<S, T>) -> Expr<S, bool>,
) -> Expr<S, bool> {
    let inner = f(Expr::new(a.clone().node()));
    is_some(a).and(inner)
}
/// `is_none_or`.
pub fn is_none_or<S, T: Scalar>(
    a: Expr<S, Option<T>>,
    f: impl FnOnce(Expr<S, T>) -> Expr<S, bool>,
) -> Expr<S, bool> {
    let inner = f(Expr::new(a.clone().node()));
    is_none(a).or(inner)
}
/// `map`.
pub fn map<S, T: Scalar, U: Scalar>(
    a: Expr<S, Option<T>>,
    f: impl FnOnce(Expr<S, T>) -> Expr<S, U>,
) -> Expr<S, Option<U>> {
    let inner = f(Expr::new(a.clone().node()));
    case(vec![(is_some(a).node(), inner.node())], None)
}
/// `match a { Some(x) => .., None => .. }`, `if let Some(x) = a`, `map_or`.
pub fn some_or<S, T: Scalar, U: SqlType>(
    a: Expr<S, Option<T>>,
    f: impl FnOnce(Expr<S, T>) -> Expr<S, U>,
    none: Expr<S, U>,
) -> Expr<S, U> {
    let inner = f(Expr::new(a.clone().node()));
    case(vec![(is_some(a).node(), inner.node())], Some(none.node()))
}
/// `then_some`.
pub fn then_some<S, T: Scalar>(condition: Expr<S, bool>, then: Expr<S, T>) -> Expr<S, Option<T>> {
    case(vec![(condition.node(), then.node())], None)
}

/// `if .. { .. } else { .. }`, and the `else if` behind it.
pub fn choose<S, T: SqlType>(
    condition: Expr<S, bool>,
    then: Expr<S, T>,
    otherwise: Expr<S, T>,
) -> Expr<S, T> {
    let first = (condition.node(), then.node());
    match otherwise.node() {
        Node::Case {
            operand: None,
            arms,
            otherwise: Some(last),
        } => {
            let arms = std::iter::once(first).chain(arms).collect();
            case(arms, Some(*last))
        }
        other => case(vec![first], Some(other)),
    }
}
/// `match of { value => result, .., _ => result }`.
pub fn choose_by<S, B: Scalar, T: SqlType>(
    of: Expr<S, B>,
    arms: Vec<(Expr<S, B>, Expr<S, T>)>,
    otherwise: Expr<S, T>,
) -> Expr<S, T> {
    let arms: Vec<(Node, Node)> = arms.into_iter().map(|(v, r)| (v.node(), r.node())).collect();
    if arms.is_empty() {
        return otherwise;
    }
    Expr::new(Node::Case {
        operand: Some(Box::new(of.node())),
        arms,
        otherwise: Some(Box::new(otherwise.node())),
    })
}
fn case<S, T>(arms: Vec<(Node, Node)>, otherwise: Option<Node>) -> Expr<S, T> {
    Expr::new(Node::Case {
        operand: None,
        arms,
        otherwise: otherwise.map(Box::new),
    })
}
