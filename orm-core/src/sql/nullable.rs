//! Whether an expression may be NULL.

use crate::ast::{AggregateFn, Expr, Function, MathOp, WindowFn};
use crate::sql::SqlWriter;

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
                    Function::Lower
                        | Function::Upper
                        | Function::AsciiLower
                        | Function::AsciiUpper
                        | Function::Length
                        | Function::Trim
                );
                !strict || args.iter().any(|e| self.nullable(e))
            }
            Expr::Aggregate(a) => !matches!(a.function, AggregateFn::Count | AggregateFn::Grouping),
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
            | Expr::Search(_)
            | Expr::Raw(..) => true,
        }
    }
}
