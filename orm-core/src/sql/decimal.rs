//! Exact decimals on a database without them: integers scaled by a power of ten, which every expression carries in
//! its type. What cannot be computed exactly that way is refused.

use crate::ast::types::{SCALED_DIGITS, common, shortest, type_of};
pub(crate) use crate::ast::types::{literal_scale, product, scale};
use crate::ast::{CompareOp, Expr, MathOp};
use crate::error::{Error, Result};
use crate::sql::SqlWriter;
use crate::sql::expr::compare_text;
use crate::value::{DecimalParts, Type, Value};

/// Whether the rules of this module apply to the expression.
pub(crate) fn concerns(w: &SqlWriter<'_>, e: &Expr) -> bool {
    w.features().scaled_decimals
        && match e {
            Expr::Column(_, c) => matches!(c.ty, Type::Decimal(..)),
            Expr::Value(v) => matches!(v, Value::Decimal(_) | Value::Null(Type::Decimal(..))),
            Expr::Tuple(items) => items.iter().any(|e| concerns(w, e)),
            e => matches!(type_of(e), Type::Decimal(..)),
        }
}

/// What several decimals are brought to before they meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Common {
    /// Integers of this scale.
    Scaled(u8),
    /// Text, the shortest of each number: equality only.
    Text,
    /// Floats.
    Float,
}

pub(crate) fn meet<'e>(exprs: impl IntoIterator<Item = &'e Expr> + Clone) -> Common {
    let ty = common(exprs.clone());
    let only_literals = exprs
        .into_iter()
        .all(|e| literal_scale(e).is_some() || is_null(e));
    match scale(ty) {
        Some(_) if only_literals => Common::Text,
        Some(s) => Common::Scaled(s),
        None if matches!(ty, Type::F32 | Type::F64) => Common::Float,
        None => Common::Text,
    }
}

fn is_null(e: &Expr) -> bool {
    matches!(e, Expr::Value(Value::Null(_)))
}

impl SqlWriter<'_> {
    /// Writes a number as an integer of this scale, for databases with scaled decimals.
    pub fn decimal(&mut self, e: &Expr, scale: u8) -> Result<()> {
        self.scaled(e, scale)
    }
    /// Writes a scaled decimal as a float.
    pub fn decimal_as_float(&mut self, e: &Expr) -> Result<()> {
        self.float(e)
    }
    /// Writes the expression in the form the operands agreed on.
    pub(crate) fn decimal_as(&mut self, e: &Expr, form: Common) -> Result<()> {
        match form {
            Common::Scaled(s) => self.scaled(e, s),
            Common::Text => self.decimal_text(e),
            Common::Float => self.float(e),
        }
    }

    /// Writes the expression as a decimal without fixed precision is stored.
    pub(crate) fn decimal_text(&mut self, e: &Expr) -> Result<()> {
        let scale = match e {
            Expr::Value(_) => None,
            e => scale(type_of(e)),
        };
        let Some(scale) = scale.filter(|_| self.features().scaled_decimals) else {
            return self.operand(e);
        };
        let Some(function) = self.dialect().decimal_text() else {
            return Err(self.unsupported("a decimal of fixed scale beside one without"));
        };
        self.push(function);
        self.push("(");
        self.operand(e)?;
        self.push(", ");
        self.number(scale.into());
        self.push(")");
        Ok(())
    }

    /// Writes the expression as an integer of this scale.
    pub(crate) fn scaled(&mut self, e: &Expr, to: u8) -> Result<()> {
        match e {
            Expr::Value(v) => {
                let v = rescale(v, to).ok_or_else(out_of_range)?;
                return self.param(v);
            }
            Expr::Negate(inner) => {
                // never two signs in a row: that begins a comment
                self.push("-(");
                self.scaled(inner, to)?;
                self.push(")");
                return Ok(());
            }
            _ => {}
        }
        let ty = type_of(e);
        let from = match scale(ty) {
            Some(s) => s,
            None if matches!(ty, Type::I16 | Type::I32 | Type::I64) => 0,
            None => {
                return Err(self.unsupported("a number that is not exact beside a decimal of fixed scale"));
            }
        };
        if from <= to {
            return self.times(e, to - from);
        }
        self.rounded(e, from - to)
    }

    /// `e * 10^digits`.
    fn times(&mut self, e: &Expr, digits: u8) -> Result<()> {
        if digits == 0 {
            return self.operand(e);
        }
        self.push("(");
        self.operand(e)?;
        self.push(" * ");
        self.power(digits)?;
        self.push(")");
        Ok(())
    }

    /// `e / 10^digits`, half away from zero.
    pub(crate) fn rounded(&mut self, e: &Expr, digits: u8) -> Result<()> {
        self.push("((");
        self.operand(e)?;
        self.push(" + CASE WHEN ");
        self.operand(e)?;
        self.push(" < 0 THEN -");
        self.half(digits)?;
        self.push(" ELSE ");
        self.half(digits)?;
        self.push(" END) / ");
        self.power(digits)?;
        self.push(")");
        Ok(())
    }
    /// 10^digits.
    pub(crate) fn power(&mut self, digits: u8) -> Result<()> {
        self.number(self.power_of_ten(digits)?);
        Ok(())
    }
    fn half(&mut self, digits: u8) -> Result<()> {
        self.number(self.power_of_ten(digits)? / 2);
        Ok(())
    }
    fn power_of_ten(&self, digits: u8) -> Result<u64> {
        if digits > SCALED_DIGITS {
            return Err(self.unsupported("a decimal with more than 18 digits after the point"));
        }
        Ok(10u64.pow(digits as u32))
    }

    /// Writes the expression as a float.
    pub(crate) fn float(&mut self, e: &Expr) -> Result<()> {
        if let Expr::Value(Value::Decimal(d)) = e {
            return self.param(Value::F64(
                d.mantissa as f64 / 10f64.powi(d.scale.min(308) as i32),
            ));
        }
        match (type_of(e), scale(type_of(e))) {
            (_, Some(s)) => {
                self.push("(");
                self.operand(e)?;
                self.push(" / ");
                self.power(s)?;
                self.push(".0)");
                Ok(())
            }
            (Type::Decimal(..), None) => Err(self.unbounded()),
            _ => self.operand(e),
        }
    }

    /// The error for arithmetic and order on decimals that are stored as text.
    pub(crate) fn unbounded(&self) -> Error {
        self.unsupported(
            "arithmetic or order on a decimal without fixed precision (give the column at most 18 digits)",
        )
    }

    /// A comparison in which a decimal takes part.
    pub(crate) fn compare_decimals(&mut self, op: CompareOp, a: &Expr, b: &Expr) -> Result<()> {
        if let (Expr::Tuple(left), Expr::Tuple(right)) = (a, b) {
            let forms: Vec<Common> = left.iter().zip(right).map(|(x, y)| meet([x, y])).collect();
            self.decimal_tuple(left, right, &forms)?;
            self.push(compare_text(op));
            return self.decimal_tuple(right, left, &forms);
        }
        let form = meet([a, b]);
        let equality = matches!(
            op,
            CompareOp::Eq | CompareOp::Ne | CompareOp::IsDistinct | CompareOp::IsNotDistinct
        );
        if form == Common::Text && !equality {
            return Err(self.unbounded());
        }
        self.decimal_as(a, form)?;
        self.push(compare_text(op));
        self.decimal_as(b, form)
    }

    fn decimal_tuple(&mut self, items: &[Expr], others: &[Expr], forms: &[Common]) -> Result<()> {
        self.push("(");
        for (i, (e, form)) in items.iter().zip(forms).enumerate() {
            self.comma(i);
            if concerns(self, e) || others.get(i).is_some_and(|o| concerns(self, o)) {
                self.decimal_as(e, *form)?;
            } else {
                self.expr(e)?;
            }
        }
        self.push(")");
        Ok(())
    }

    /// Arithmetic in which a decimal takes part.
    pub(crate) fn decimal_math(&mut self, op: MathOp, a: &Expr, b: &Expr) -> Result<()> {
        let text = match op {
            MathOp::Add => " + ",
            MathOp::Sub => " - ",
            MathOp::Rem => " % ",
            MathOp::Mul => " * ",
            MathOp::Div => return self.decimal_division(a, b),
            MathOp::Concat | MathOp::BitAnd | MathOp::BitOr => {
                return Err(self.unsupported("this operator between decimals"));
            }
        };
        let forms = match (op, meet([a, b])) {
            (_, Common::Text) => return Err(self.unbounded()),
            (_, Common::Float) => (Common::Float, Common::Float),
            (MathOp::Mul, Common::Scaled(_)) => {
                if product(a, b).and_then(scale).is_none_or(|s| s > SCALED_DIGITS) {
                    return Err(
                        self.unsupported("a product of decimals with more than 18 digits after the point")
                    );
                }
                let own = |e| Common::Scaled(literal_scale(e).or(scale(type_of(e))).unwrap_or(0));
                (own(a), own(b))
            }
            (_, form) => (form, form),
        };
        self.decimal_as(a, forms.0)?;
        self.push(text);
        self.decimal_as(b, forms.1)
    }

    fn decimal_division(&mut self, a: &Expr, b: &Expr) -> Result<()> {
        match meet([a, b]) {
            Common::Float => {
                self.float(a)?;
                self.push(" / ");
                self.float(b)
            }
            Common::Scaled(_) | Common::Text => {
                Err(self.unsupported("a quotient of decimals (cast one to a float)"))
            }
        }
    }
}

/// The value as an integer of this scale; `None` when it has more digits than that or than a 64-bit integer.
pub(crate) fn rescale(v: &Value, to: u8) -> Option<Value> {
    let parts = match v {
        Value::Null(_) => return Some(Value::Null(Type::Decimal(SCALED_DIGITS, to))),
        Value::Decimal(d) => shortest(*d),
        Value::I16(n) => DecimalParts {
            mantissa: *n as i128,
            scale: 0,
        },
        Value::I32(n) => DecimalParts {
            mantissa: *n as i128,
            scale: 0,
        },
        Value::I64(n) => DecimalParts {
            mantissa: *n as i128,
            scale: 0,
        },
        _ => return None,
    };
    let up = (to as u32).checked_sub(parts.scale)?;
    let scaled = parts.mantissa.checked_mul(10i128.checked_pow(up)?)?;
    i64::try_from(scaled).ok().map(Value::I64)
}

fn out_of_range() -> Error {
    Error::encode("the decimal has more digits than the column holds")
}

/// A value of hand-written SQL as a column of this type stores it.
pub(crate) fn stored(w: &SqlWriter<'_>, v: &Value, ty: Type) -> Result<Value> {
    match (ty, scale(ty)) {
        _ if !w.features().scaled_decimals => {}
        (_, Some(scale)) => return rescale(v, scale).ok_or_else(out_of_range),
        (Type::Decimal(0, _), None) if !matches!(v, Value::Null(_)) => {
            return Err(w.unsupported(
                "a bare `Decimal` in `sql!`, which does not tell how its column is stored (write `Scaled::<P, S>(value)`)",
            ));
        }
        _ => {}
    }
    Ok(v.clone())
}

/// Refuses a decimal that its column would round.
pub(crate) fn check_digits(v: &Value, ty: Type) -> Result<()> {
    match (v, ty) {
        (Value::Decimal(d), Type::Decimal(p, s))
            if p > 0 && d.scale > s as u32 && shortest(*d).scale > s as u32 =>
        {
            Err(Error::encode(
                "the decimal has more fraction digits than the column holds",
            ))
        }
        _ => Ok(()),
    }
}
