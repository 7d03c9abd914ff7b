//! Distances of vectors: `.order_by(|d| d.embedding.distance(&q).asc()).limit(10)` are the nearest ones.

use crate::ast::{DistanceFn, Expr as Node, Function};
use crate::query::{Col, Expr, Operand};
use crate::value::Vector;

macro_rules! vectors {
    ($Ty:ident, $Vector:ty, $Float:ty, [$($k:tt)*]) => {
        impl<S, $($k)*> $Ty<S, $Vector, $($k)*> {
            fn far<R: Operand<S, Vector>>(self, f: DistanceFn, other: R) -> Expr<S, R::Lift<$Float>> {
                let args = vec![self.node(), other.into_node()];
                Expr::new(Node::call(Function::Distance(f), args))
            }
            /// The distance of two points (`<->`). Vectors of different length are a `Database` error.
            pub fn distance<R: Operand<S, Vector>>(self, other: R) -> Expr<S, R::Lift<$Float>> {
                self.far(DistanceFn::Euclidean, other)
            }
            /// One less the cosine of the angle between them (`<=>`).
            pub fn cosine_distance<R: Operand<S, Vector>>(self, other: R) -> Expr<S, R::Lift<$Float>> {
                self.far(DistanceFn::Cosine, other)
            }
            /// The negative inner product (`<#>`): the smaller, the more alike.
            pub fn negative_inner_product<R: Operand<S, Vector>>(self, other: R) -> Expr<S, R::Lift<$Float>> {
                self.far(DistanceFn::InnerProduct, other)
            }
        }
    };
}
vectors!(Col, Vector, f64, [K]);
vectors!(Col, Option<Vector>, Option<f64>, [K]);
vectors!(Expr, Vector, f64, []);
vectors!(Expr, Option<Vector>, Option<f64>, []);
