//! The type of every expression, and whether it may be NULL.

use crate::ast::{Aggregate, AggregateFn, Expr, Function, MathOp, WindowFn};
use crate::sql::{SqlWriter, decimal};
use crate::value::Type;

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
        Expr::Subquery(q) => q.columns.first().map_or(Type::Text, type_of),
        Expr::Tuple(items) => items.first().map_or(Type::Text, type_of),
    }
}

fn math(op: MathOp, a: &Expr, b: &Expr) -> Type {
    match op {
        MathOp::Concat => type_of(a),
        MathOp::Mul => decimal::product(a, b).unwrap_or_else(|| common([a, b])),
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
    match decimal::literal_scale(e) {
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
        | Type::Array(_) => return None,
    })
}

fn call(f: Function, args: &[Expr]) -> Type {
    let first = || args.first().map_or(Type::Text, type_of);
    match f {
        Function::Coalesce | Function::Greatest | Function::Least => common(args),
        Function::NullIf | Function::Abs | Function::Round | Function::Floor | Function::Ceil => first(),
        Function::Lower
        | Function::Upper
        | Function::Trim
        | Function::TrimStart
        | Function::TrimEnd
        | Function::Replace
        | Function::Substring => Type::Text,
        Function::Length | Function::Position | Function::DatePart(_) => Type::I64,
        Function::Sqrt | Function::Power => match common(args) {
            Type::Decimal(..) => Type::Decimal(0, 0),
            _ => Type::F64,
        },
        Function::DateTrunc(_) => first(),
        Function::Named(_, ty) => ty,
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
        AggregateFn::PercentileCont => Type::F64,
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

impl SqlWriter<'_> {
    /// Whether the expression may be NULL here; `true` when in doubt.
    pub fn nullable(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Column(source, c) => c.nullable || self.is_outer(*source),
            Expr::Value(v) => v.is_null(),
            Expr::Clock
            | Expr::Actor
            | Expr::Tenant
            | Expr::IsNull(..)
            | Expr::IsTrue(_)
            | Expr::Exists(_) => false,
            Expr::Not(e) | Expr::Negate(e) | Expr::Cast(e, _) => self.nullable(e),
            Expr::All(items) | Expr::Any(items) | Expr::Tuple(items) => {
                items.iter().any(|e| self.nullable(e))
            }
            Expr::Compare(_, a, b) | Expr::Text(_, a, b) => self.nullable(a) || self.nullable(b),
            // a division by zero is NULL on some databases
            Expr::Math(op, a, b) => {
                matches!(op, MathOp::Div | MathOp::Rem) || self.nullable(a) || self.nullable(b)
            }
            Expr::Between(three) => three.iter().any(|e| self.nullable(e)),
            Expr::Call(f, args) if **f == Function::Coalesce => args.iter().all(|e| self.nullable(e)),
            Expr::Call(f, args) => {
                let strict = matches!(
                    **f,
                    Function::Lower | Function::Upper | Function::Length | Function::Trim
                );
                !strict || args.iter().any(|e| self.nullable(e))
            }
            Expr::Aggregate(a) => a.function != AggregateFn::Count,
            Expr::Window(w) => !matches!(
                w.function,
                WindowFn::RowNumber
                    | WindowFn::Rank
                    | WindowFn::DenseRank
                    | WindowFn::PercentRank
                    | WindowFn::CumeDist
                    | WindowFn::Ntile(_)
            ),
            Expr::Field(..)
            | Expr::In(..)
            | Expr::Case { .. }
            | Expr::Subquery(_)
            | Expr::Quantified(..)
            | Expr::Raw(..) => true,
        }
    }
}
