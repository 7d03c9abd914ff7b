//! The type of every expression.

use crate::ast::{
    Aggregate, AggregateFn, ArrayFn, Expr, Function, JsonFn, MathOp, RangeFn, SearchOp, WindowFn,
};
use crate::value::{DecimalParts, Type, Value};

/// Digits that fit a 64-bit integer: the precision of computed scaled decimals.
pub(crate) const SCALED_DIGITS: u8 = 18;
/// How many digits an average of decimals has beyond its input.
pub(crate) const AVG_DIGITS: u8 = 4;

/// The logical type of an expression. The actor and the tenant count as 64-bit integers, since only the handle knows.
pub fn type_of(expr: &Expr) -> Type {
    match expr {
        Expr::Column(_, c) => c.ty,
        Expr::Field(_, _, ty) | Expr::Cast(_, ty) | Expr::Raw(_, ty) => *ty,
        Expr::Value(v) => v.ty(),
        Expr::Clock => Type::Timestamp,
        Expr::Actor | Expr::Tenant => Type::I64,
        Expr::Not(_)
        | Expr::All(_)
        | Expr::Any(_)
        | Expr::Compare(..)
        | Expr::IsNull(..)
        | Expr::IsTrue(_)
        | Expr::Between(_)
        | Expr::In(..)
        | Expr::Text(..)
        | Expr::Exists(_)
        | Expr::Quantified(..) => Type::Bool,
        Expr::Negate(e) => type_of(e),
        Expr::Math(op, a, b) => math(*op, a, b),
        Expr::Call(f, args) => call(**f, args),
        Expr::Aggregate(a) => aggregate(a),
        Expr::Window(w) => window(&w.function),
        Expr::Case {
            operand: _,
            arms,
            otherwise,
        } => common(arms.iter().map(|(_, result)| result).chain(otherwise.as_deref())),
        Expr::Search(call) => match call.op {
            SearchOp::Matches => Type::Bool,
            SearchOp::Rank => Type::F64,
            SearchOp::Highlight(_) | SearchOp::Headline(_) => Type::Text,
        },
        Expr::Subquery(q) => q.columns.first().map_or(Type::Text, type_of),
        Expr::Tuple(items) => items.first().map_or(Type::Text, type_of),
    }
}

fn math(op: MathOp, a: &Expr, b: &Expr) -> Type {
    match op {
        MathOp::Concat => type_of(a),
        MathOp::Mul => product(a, b).unwrap_or_else(|| common([a, b])),
        MathOp::Add | MathOp::Sub | MathOp::Div | MathOp::Rem | MathOp::BitAnd | MathOp::BitOr => {
            common([a, b])
        }
    }
}

/// The type that holds the values of all these.
pub(crate) fn common<'e>(exprs: impl IntoIterator<Item = &'e Expr>) -> Type {
    let mut exprs = exprs.into_iter();
    let Some(first) = exprs.next() else {
        return Type::Text;
    };
    let mut ty = typed_literal(first);
    for e in exprs {
        ty = wider(ty, typed_literal(e));
    }
    ty
}

/// A bound decimal takes the scale it is written with, so that it joins scaled columns.
fn typed_literal(e: &Expr) -> Type {
    match literal_scale(e) {
        Some(scale) => Type::Decimal(SCALED_DIGITS, scale),
        None => type_of(e),
    }
}

fn wider(a: Type, b: Type) -> Type {
    if let (Type::Decimal(p, s), Type::Decimal(q, t)) = (a, b) {
        return if p == 0 || q == 0 {
            Type::Decimal(0, 0)
        } else {
            Type::Decimal(p.max(q), s.max(t))
        };
    }
    match (rank(a), rank(b)) {
        (Some(x), Some(y)) if y > x => b,
        _ => a,
    }
}

fn rank(ty: Type) -> Option<u8> {
    Some(match ty {
        Type::I16 => 0,
        Type::I32 => 1,
        Type::I64 => 2,
        Type::Decimal(..) => 3,
        Type::F32 => 4,
        Type::F64 => 5,
        Type::Bool
        | Type::Text
        | Type::Bytes
        | Type::Uuid
        | Type::Timestamp
        | Type::LocalTimestamp
        | Type::Date
        | Type::Time
        | Type::Json
        | Type::Enum(_)
        | Type::Interval
        | Type::Range(_)
        | Type::Other(_)
        | Type::Array(_) => return None,
    })
}

fn call(f: Function, args: &[Expr]) -> Type {
    let first = || args.first().map_or(Type::Text, type_of);
    match f {
        Function::Coalesce | Function::Greatest | Function::Least => common(args),
        Function::NullIf
        | Function::Abs
        | Function::Round
        | Function::Floor
        | Function::Ceil
        | Function::Trunc => first(),
        Function::Lower
        | Function::Upper
        | Function::AsciiLower
        | Function::AsciiUpper
        | Function::Trim
        | Function::TrimStart
        | Function::TrimEnd
        | Function::Replace
        | Function::Substring
        | Function::Left
        | Function::Right
        | Function::PadStart
        | Function::PadEnd
        | Function::SplitPart
        | Function::DateFormat(_) => Type::Text,
        Function::Length
        | Function::Position
        | Function::Sign
        | Function::DatePart(_)
        | Function::DateDiff(_) => Type::I64,
        Function::Float(_) => Type::F64,
        Function::DateTrunc(_) | Function::DateAdd(_) => first(),
        Function::DateOf => Type::Date,
        Function::Json(f) => match f {
            JsonFn::Get | JsonFn::Set | JsonFn::Remove | JsonFn::Merge => Type::Json,
            JsonFn::Text | JsonFn::Kind => Type::Text,
            JsonFn::Int | JsonFn::Length => Type::I64,
            JsonFn::Float => Type::F64,
            JsonFn::Bool | JsonFn::Contains | JsonFn::HasAny | JsonFn::HasAll => Type::Bool,
        },
        Function::Array(f) => match f {
            ArrayFn::Has | ArrayFn::HasAll | ArrayFn::HasAny => Type::Bool,
            ArrayFn::Length => Type::I64,
            ArrayFn::At => match first() {
                Type::Array(element) => element.ty(),
                other => other,
            },
            ArrayFn::Slice | ArrayFn::Append | ArrayFn::Concat | ArrayFn::Remove => first(),
        },
        Function::Range(f) => match f {
            RangeFn::Has
            | RangeFn::Contains
            | RangeFn::Overlaps
            | RangeFn::Adjacent
            | RangeFn::Before
            | RangeFn::After
            | RangeFn::IsEmpty => Type::Bool,
            RangeFn::Lower | RangeFn::Upper => match first() {
                Type::Range(of) => of.ty(),
                other => other,
            },
            RangeFn::Intersect | RangeFn::Merge => first(),
        },
        Function::Distance(_) => Type::F64,
        Function::Named(_, ty) => ty,
        Function::Declared(declared) => declared.ty,
    }
}

pub(crate) fn aggregate(a: &Aggregate) -> Type {
    let first = || a.args.first().map_or(Type::Text, type_of);
    match a.function {
        AggregateFn::Count => Type::I64,
        AggregateFn::Sum => match first() {
            Type::I16 | Type::I32 | Type::I64 => Type::I64,
            Type::F32 | Type::F64 => Type::F64,
            Type::Decimal(p, s) if (1..=SCALED_DIGITS).contains(&p) => Type::Decimal(SCALED_DIGITS, s),
            Type::Decimal(..) => Type::Decimal(0, 0),
            other => other,
        },
        AggregateFn::Avg => match first() {
            Type::Decimal(p, s) if (1..=SCALED_DIGITS).contains(&p) => {
                Type::Decimal(SCALED_DIGITS, (s + AVG_DIGITS).min(SCALED_DIGITS))
            }
            Type::Decimal(..) => Type::Decimal(0, 0),
            _ => Type::F64,
        },
        AggregateFn::Min | AggregateFn::Max => first(),
        AggregateFn::StringAgg => Type::Text,
        AggregateFn::BoolAnd | AggregateFn::BoolOr => Type::Bool,
        AggregateFn::ArrayAgg => first().element().map_or(Type::Json, Type::Array),
        AggregateFn::JsonAgg => Type::Json,
        AggregateFn::PercentileCont
        | AggregateFn::StddevSamp
        | AggregateFn::StddevPop
        | AggregateFn::VarSamp
        | AggregateFn::VarPop => Type::F64,
        AggregateFn::Grouping => Type::I32,
        AggregateFn::PercentileDisc | AggregateFn::Mode => {
            a.order.first().map_or(Type::Text, |o| type_of(&o.expr))
        }
        AggregateFn::Named(_, ty) => ty,
    }
}

fn window(f: &WindowFn) -> Type {
    match f {
        WindowFn::RowNumber | WindowFn::Rank | WindowFn::DenseRank | WindowFn::Ntile(_) => Type::I64,
        WindowFn::PercentRank | WindowFn::CumeDist => Type::F64,
        WindowFn::Lag(args) | WindowFn::Lead(args) => args.first().map_or(Type::Text, type_of),
        WindowFn::FirstValue(e) | WindowFn::LastValue(e) | WindowFn::NthValue(e, _) => type_of(e),
        WindowFn::Aggregate(a) => aggregate(a),
    }
}

/// The scale of a type that is stored as a scaled integer.
pub(crate) fn scale(ty: Type) -> Option<u8> {
    match ty {
        Type::Decimal(p, s) if (1..=SCALED_DIGITS).contains(&p) => Some(s),
        _ => None,
    }
}

/// The scale a bound decimal is written with.
pub(crate) fn literal_scale(e: &Expr) -> Option<u8> {
    match e {
        Expr::Value(Value::Decimal(d)) => Some(shortest(*d).scale.min(u8::MAX as u32) as u8),
        Expr::Negate(e) => literal_scale(e),
        _ => None,
    }
}

/// The type of a product in which a decimal takes part: scales add up.
pub(crate) fn product(a: &Expr, b: &Expr) -> Option<Type> {
    let own = |e: &Expr| match literal_scale(e) {
        Some(s) => (Type::Decimal(SCALED_DIGITS, s), s),
        None => (type_of(e), scale(type_of(e)).unwrap_or(0)),
    };
    let ((a, s), (b, t)) = (own(a), own(b));
    let fits = |ty| scale(ty).is_some() || matches!(ty, Type::I16 | Type::I32 | Type::I64);
    let decimal = scale(a).is_some() || scale(b).is_some();
    (decimal && fits(a) && fits(b)).then(|| Type::Decimal(SCALED_DIGITS, s.saturating_add(t)))
}

/// The same number without zeros at its end: one text for equal numbers.
pub(crate) fn shortest(mut d: DecimalParts) -> DecimalParts {
    while d.scale > 0 && d.mantissa % 10 == 0 {
        d.mantissa /= 10;
        d.scale -= 1;
    }
    d
}
