//! Functions of numbers.

use std::ops::Neg;

use crate::ast::{Expr as Node, FloatFn, Function};
use crate::query::{Col, Expr, Operand};
use crate::value::{Numeric, Value};

fn call(f: Function, args: Vec<Node>) -> Node {
    Node::call(f, args)
}
fn float(f: FloatFn, args: Vec<Node>) -> Node {
    Node::call(Function::Float(f), args)
}

macro_rules! numbers {
    ($Ty:ident, [$($k:tt)*]) => {
        impl<S, T: Numeric, $($k)*> $Ty<S, T, $($k)*> {
            /// The absolute value.
            pub fn abs(self) -> Expr<S, T> {
                Expr::new(call(Function::Abs, vec![self.node()]))
            }
            /// -1, 0 or 1.
            pub fn sign(self) -> Expr<S, T::With<i64>> {
                Expr::new(call(Function::Sign, vec![self.node()]))
            }
            /// Rounded to so many digits after the point, half away from zero. The type stays: a `Decimal` is exact, also on
            /// SQLite.
            pub fn round(self, digits: u32) -> Expr<S, T> {
                Expr::new(call(Function::Round, vec![self.node(), Node::Value(Value::I64(digits.into()))]))
            }
            /// The next whole number below.
            pub fn floor(self) -> Expr<S, T> {
                Expr::new(call(Function::Floor, vec![self.node()]))
            }
            /// The next whole number above.
            pub fn ceil(self) -> Expr<S, T> {
                Expr::new(call(Function::Ceil, vec![self.node()]))
            }
            /// The next whole number towards zero.
            pub fn trunc(self) -> Expr<S, T> {
                Expr::new(call(Function::Trunc, vec![self.node()]))
            }
            /// The square root, as a float. Of a negative number it is an `OutOfRange` error, as is every function below
            /// where it has no answer.
            pub fn sqrt(self) -> Expr<S, T::With<f64>> {
                Expr::new(float(FloatFn::Sqrt, vec![self.node()]))
            }
            /// To this power, as a float.
            pub fn power<R: Operand<S, f64>>(self, exponent: R) -> Expr<S, R::Lift<T::With<f64>>> {
                Expr::new(float(FloatFn::Power, vec![self.node(), exponent.into_node()]))
            }
            /// e to this power.
            pub fn exp(self) -> Expr<S, T::With<f64>> {
                Expr::new(float(FloatFn::Exp, vec![self.node()]))
            }
            /// The natural logarithm.
            pub fn ln(self) -> Expr<S, T::With<f64>> {
                Expr::new(float(FloatFn::Ln, vec![self.node()]))
            }
            /// The logarithm to base 10.
            pub fn log10(self) -> Expr<S, T::With<f64>> {
                Expr::new(float(FloatFn::Log10, vec![self.node()]))
            }
            /// The sine of an angle in radians.
            pub fn sin(self) -> Expr<S, T::With<f64>> {
                Expr::new(float(FloatFn::Sin, vec![self.node()]))
            }
            /// The cosine of an angle in radians.
            pub fn cos(self) -> Expr<S, T::With<f64>> {
                Expr::new(float(FloatFn::Cos, vec![self.node()]))
            }
            /// The tangent of an angle in radians.
            pub fn tan(self) -> Expr<S, T::With<f64>> {
                Expr::new(float(FloatFn::Tan, vec![self.node()]))
            }
            /// The angle, in radians, that has this sine.
            pub fn asin(self) -> Expr<S, T::With<f64>> {
                Expr::new(float(FloatFn::Asin, vec![self.node()]))
            }
            /// The angle that has this cosine.
            pub fn acos(self) -> Expr<S, T::With<f64>> {
                Expr::new(float(FloatFn::Acos, vec![self.node()]))
            }
            /// The angle that has this tangent.
            pub fn atan(self) -> Expr<S, T::With<f64>> {
                Expr::new(float(FloatFn::Atan, vec![self.node()]))
            }
            /// The angle of the point whose y this is, and whose x is given.
            pub fn atan2<R: Operand<S, f64>>(self, x: R) -> Expr<S, R::Lift<T::With<f64>>> {
                Expr::new(float(FloatFn::Atan2, vec![self.node(), x.into_node()]))
            }
        }
        impl<S, T: Numeric, $($k)*> Neg for $Ty<S, T, $($k)*> {
            type Output = Expr<S, T>;
            fn neg(self) -> Expr<S, T> {
                Expr::new(Node::Negate(Box::new(self.node())))
            }
        }
    };
}
numbers!(Col, [K]);
numbers!(Expr, []);
