//! Window functions and their windows.

use std::cmp::Ordering;

use crate::ast::{Expr, Frame, FrameBound, FrameExclude, FrameUnit, Order, Window, WindowCall, WindowFn};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::decimal;
use crate::sql::types::type_of;
use crate::sql::writer::SqlWriter;
use crate::value::{DecimalParts, Type, Value};

/// A window of the WINDOW clause, as far as calls that start from it have to know it.
#[derive(Clone, Copy)]
pub(crate) struct Named {
    name: &'static str,
    order: Ordered,
    framed: bool,
}

/// By what a window is ordered.
#[derive(Clone, Copy)]
enum Ordered {
    Not,
    /// By one expression of this type.
    By(Type),
    BySeveral,
}

impl Ordered {
    fn of(order: &[Order]) -> Self {
        match order {
            [] => Ordered::Not,
            [one] => Ordered::By(type_of(&one.expr)),
            _ => Ordered::BySeveral,
        }
    }
}

impl Named {
    pub(crate) fn of(windows: &[(&'static str, Window)]) -> Vec<Named> {
        let named = |(name, window): &(&'static str, Window)| Named {
            name,
            order: Ordered::of(&window.order),
            framed: window.frame.is_some(),
        };
        windows.iter().map(named).collect()
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidQuery, message)
}

impl SqlWriter<'_> {
    pub(crate) fn window_call(&mut self, call: &WindowCall) -> Result<()> {
        let WindowCall { function, window } = call;
        if std::mem::replace(&mut self.in_window, true) {
            return Err(invalid(
                "a window function inside the window of another: select it in a derived table",
            ));
        }
        match function {
            WindowFn::RowNumber => self.push("row_number()"),
            WindowFn::Rank => self.push("rank()"),
            WindowFn::DenseRank => self.push("dense_rank()"),
            WindowFn::PercentRank => self.push("percent_rank()"),
            WindowFn::CumeDist => self.push("cume_dist()"),
            WindowFn::Ntile(n) => {
                self.push("ntile(");
                self.count_argument(n, 1)?;
                self.push(")");
            }
            WindowFn::Lag(args) => self.shifted("lag(", args)?,
            WindowFn::Lead(args) => self.shifted("lead(", args)?,
            WindowFn::FirstValue(e) => self.window_value("first_value(", e, None)?,
            WindowFn::LastValue(e) => self.window_value("last_value(", e, None)?,
            WindowFn::NthValue(e, n) => self.window_value("nth_value(", e, Some(n))?,
            WindowFn::Aggregate(a) => {
                if a.distinct || !a.order.is_empty() {
                    return Err(self.unsupported("DISTINCT or ORDER BY in an aggregate over a window"));
                }
                self.dialect().aggregate(self, a, Some(window))?;
                self.in_window = false;
                return Ok(());
            }
        }
        self.over(window)?;
        self.in_window = false;
        Ok(())
    }

    fn window_value(&mut self, open: &str, e: &Expr, n: Option<&Expr>) -> Result<()> {
        self.push(open);
        self.expr(e)?;
        if let Some(n) = n {
            self.push(", ");
            self.count_argument(n, 1)?;
        }
        self.push(")");
        Ok(())
    }

    /// `lag(value, offset, default)`: value and default are alternatives of one another.
    fn shifted(&mut self, open: &str, args: &[Expr]) -> Result<()> {
        self.push(open);
        let form = self.form_of(args.iter().enumerate().filter(|(i, _)| *i != 1).map(|(_, e)| e));
        for (i, e) in args.iter().enumerate() {
            self.comma(i);
            if i == 1 {
                self.count_argument(e, 0)?
            } else {
                self.alternative(e, form)?
            }
        }
        self.push(")");
        Ok(())
    }

    /// Counts that databases want as a 32-bit integer although ours are wider.
    fn count_argument(&mut self, e: &Expr, least: i64) -> Result<()> {
        match e {
            Expr::Value(Value::I64(n)) if *n < least => Err(invalid("`ntile` and `nth_value` count from 1")),
            e => self.integer_argument(e),
        }
    }

    /// ` OVER (…)`, or ` OVER "name"`.
    pub fn over(&mut self, window: &Window) -> Result<()> {
        let Window {
            base,
            partition,
            order,
            frame,
        } = window;
        self.push(" OVER ");
        // in parentheses it would be a copy, which a window with a frame does not allow
        if let (Some(base), [], [], None) = (base, &partition[..], &order[..], frame) {
            self.named(base)?;
            return self.ident(base);
        }
        self.push("(");
        self.window(window)?;
        self.push(")");
        Ok(())
    }

    /// The window of this name in the statement.
    fn named(&self, name: &str) -> Result<Named> {
        let found = self.windows.iter().find(|w| w.name == name).copied();
        found.ok_or_else(|| {
            let text =
                format!("no window called `{name}` in this query: define it by `.window(\"{name}\", ..)`");
            Error::new(ErrorKind::InvalidQuery, text)
        })
    }

    pub(crate) fn window(&mut self, window: &Window) -> Result<()> {
        let Window {
            base,
            partition,
            order,
            frame,
        } = window;
        let (mut space, mut ordered) = ("", Ordered::of(order));
        if let Some(base) = base {
            let base = self.named(base)?;
            if !partition.is_empty() {
                return Err(invalid("a named window keeps its PARTITION BY"));
            }
            if base.framed {
                return Err(invalid("a named window with a frame is used as it is"));
            }
            ordered = match (base.order, order.is_empty()) {
                (own, true) => own,
                (Ordered::Not, false) => ordered,
                _ => return Err(invalid("a named window keeps its ORDER BY")),
            };
            self.ident(base.name)?;
            space = " ";
        }
        if !partition.is_empty() {
            self.push(space);
            self.push("PARTITION BY ");
            self.list(partition)?;
            space = " ";
        }
        if !order.is_empty() {
            self.push(space);
            self.push("ORDER BY ");
            self.order_items(order, None)?;
            space = " ";
        }
        if let Some(frame) = frame {
            self.push(space);
            self.frame(frame, ordered)?;
        }
        Ok(())
    }

    fn frame(&mut self, frame: &Frame, ordered: Ordered) -> Result<()> {
        let Frame {
            unit,
            start,
            end,
            exclude,
        } = frame;
        let unordered = matches!(ordered, Ordered::Not);
        self.push(match unit {
            FrameUnit::Rows => "ROWS ",
            FrameUnit::Range => "RANGE ",
            FrameUnit::Groups if unordered => {
                return Err(invalid("a frame of groups needs an ordered window"));
            }
            FrameUnit::Groups => "GROUPS ",
        });
        let end_or_row = end.as_ref().unwrap_or(&FrameBound::CurrentRow);
        if place(start).partial_cmp(&place(end_or_row)) == Some(Ordering::Greater) {
            return Err(invalid("a frame that ends before it starts"));
        }
        let by = match (unit, ordered) {
            (FrameUnit::Range, Ordered::By(ty)) => Some(ty),
            (FrameUnit::Range, _) if is_offset(start) || is_offset(end_or_row) => {
                return Err(invalid(
                    "a frame of a range of values needs a window ordered by one number",
                ));
            }
            _ => None,
        };
        match end {
            None => self.bound(start, by)?,
            Some(end) => {
                self.push("BETWEEN ");
                self.bound(start, by)?;
                self.push(" AND ");
                self.bound(end, by)?;
            }
        }
        self.push(match exclude {
            FrameExclude::Nothing => "",
            FrameExclude::CurrentRow => " EXCLUDE CURRENT ROW",
            FrameExclude::Group => " EXCLUDE GROUP",
            FrameExclude::Ties => " EXCLUDE TIES",
        });
        Ok(())
    }

    /// An end of a frame; `by` is what a range of values is counted in.
    fn bound(&mut self, bound: &FrameBound, by: Option<Type>) -> Result<()> {
        let (e, after) = match bound {
            FrameBound::UnboundedPreceding => (None, "UNBOUNDED PRECEDING"),
            FrameBound::Preceding(e) => (Some(e), " PRECEDING"),
            FrameBound::CurrentRow => (None, "CURRENT ROW"),
            FrameBound::Following(e) => (Some(e), " FOLLOWING"),
            FrameBound::UnboundedFollowing => (None, "UNBOUNDED FOLLOWING"),
        };
        match (e, by) {
            (None, _) => {}
            (Some(e), None) => self.operand(e)?,
            (Some(e), Some(by)) => self.distance(e, by)?,
        }
        self.push(after);
        Ok(())
    }

    /// A distance between values of this type.
    fn distance(&mut self, e: &Expr, by: Type) -> Result<()> {
        match (by, e) {
            (Type::I16 | Type::I32 | Type::I64, e) => self.operand(e),
            (Type::F32 | Type::F64, Expr::Value(Value::I64(n))) => self.param(Value::F64(*n as f64)),
            (Type::Decimal(..), e) if self.features().scaled_decimals => match decimal::scale(by) {
                Some(scale) => self.scaled(e, scale),
                None => Err(self.unbounded()),
            },
            (Type::Decimal(..), Expr::Value(Value::I64(n))) => self.param(Value::Decimal(DecimalParts {
                mantissa: i128::from(*n),
                scale: 0,
            })),
            (Type::F32 | Type::F64 | Type::Decimal(..), e) => self.operand(e),
            _ => Err(invalid(
                "a frame of a range of values needs a window ordered by one number",
            )),
        }
    }
}

fn is_offset(bound: &FrameBound) -> bool {
    matches!(bound, FrameBound::Preceding(_) | FrameBound::Following(_))
}

/// Where a bound stands, from the first row on, as far as that is known.
fn place(bound: &FrameBound) -> (i8, Option<i64>) {
    let known = |e: &Expr| match e {
        Expr::Value(Value::I64(n)) => Some(*n),
        _ => None,
    };
    match bound {
        FrameBound::UnboundedPreceding => (-2, None),
        FrameBound::Preceding(e) => (-1, known(e).map(|n| -n)),
        FrameBound::CurrentRow => (0, None),
        FrameBound::Following(e) => (1, known(e)),
        FrameBound::UnboundedFollowing => (2, None),
    }
}
