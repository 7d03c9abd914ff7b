//! Aggregates.

use crate::ast::{Aggregate, AggregateFn, Expr as Node, Nulls, Order as NodeOrder};
use crate::query::{Col, Cond, Expr, Filter, Operand, Orders, Phantom};
#[cfg(feature = "json")]
use crate::value::Json;
use crate::value::{Numeric, Output, Scalar, SqlType, Text, Value};

/// An aggregate of a whole query. Not an [`Expr`], so that it cannot slip into `.filter(..)`.
#[must_use = "an aggregate does nothing until it is selected"]
pub struct Agg<S, T> {
    call: Aggregate,
    _p: Phantom<(S, T)>,
}

impl<S, T> Agg<S, T> {
    pub(crate) fn of(function: AggregateFn, arg: Node) -> Self {
        Agg::call(function, vec![arg])
    }
    pub(crate) fn call(function: AggregateFn, args: Vec<Node>) -> Self {
        let call = Aggregate {
            function,
            args,
            distinct: false,
            filter: None,
            order: Vec::new(),
        };
        Agg {
            call,
            _p: std::marker::PhantomData,
        }
    }
    /// Equal inputs count once.
    pub fn distinct(mut self) -> Self {
        self.call.distinct = true;
        self
    }
    /// Only rows that meet the condition: `FILTER (WHERE ..)`.
    pub fn filter<C: Cond<S>>(mut self, condition: C) -> Self {
        let new = condition.into_cond();
        self.call.filter = Some(match self.call.filter.take() {
            Some(old) => Node::All(vec![old, new]),
            None => new,
        });
        self
    }
    /// In which order the values are taken: of `string_agg`, `array_agg` and `json_agg`.
    pub fn order_by<O: Orders<S>>(mut self, order: O) -> Self {
        order.add_to(&mut self.call.order);
        self
    }
    /// `name(fraction) WITHIN GROUP (ORDER BY value)`.
    fn ordered_set(function: AggregateFn, args: Vec<Node>, value: Node) -> Self {
        let mut agg = Agg::call(function, args);
        agg.call.order.push(NodeOrder {
            expr: value,
            desc: false,
            nulls: Nulls::Default,
        });
        agg
    }
    pub(crate) fn into_call(self) -> Aggregate {
        self.call
    }
    pub(crate) fn into_node(self) -> Node {
        Node::Aggregate(Box::new(self.call))
    }
}

/// Never implemented: carries the message for comparing an aggregate.
#[diagnostic::on_unimplemented(
    message = "an aggregate cannot be compared here: SQL filters groups in HAVING",
    label = "aggregate of a whole query",
    note = "use `.group_by(..).having(|g| ..)`, or an aggregate of a relation: `u.posts.count()`, `u.posts.agg(|p| p.views.sum())`"
)]
pub trait ComparesAggregates {}
macro_rules! no_compare {
    ($($f:ident)*) => {
        impl<S, T> Agg<S, T> {
            $(
                #[doc(hidden)]
                pub fn $f<R>(self, _: R) -> Filter<S> where Self: ComparesAggregates {
                    Expr::new(self.into_node())
                }
            )*
        }
    };
}
no_compare!(eq ne gt ge lt le);

/// What `.aggregate(..)` may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an aggregate of a query on `{S}`",
    label = "return `.sum()`, `.count()`, `.max()`, …, or a tuple of them"
)]
pub trait Aggregates<S> {
    /// What the one row becomes.
    type Out: Output;
    /// Adds the columns.
    fn push(self, out: &mut Vec<Node>);
}
impl<S, T: SqlType> Aggregates<S> for Agg<S, T> {
    type Out = T;
    fn push(self, out: &mut Vec<Node>) {
        out.push(self.into_node());
    }
}
macro_rules! tuple {
    ($($T:ident)+) => {
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case)]
        impl<S, $($T: Aggregates<S>),+> Aggregates<S> for ($($T,)+) {
            type Out = ($($T::Out,)+);
            fn push(self, out: &mut Vec<Node>) {
                let ($($T,)+) = self;
                $($T.push(out);)+
            }
        }
    };
}
tuple!(A);
tuple!(A B);
tuple!(A B C);
tuple!(A B C D);
tuple!(A B C D E);
tuple!(A B C D E F);
tuple!(A B C D E F G);
tuple!(A B C D E F G H);

/// Aggregates of columns and expressions beside `sum`, `avg`, `min`, `max` and `count`.
macro_rules! aggregates {
    ($Ty:ident, [$($k:tt)*]) => {
        impl<S, T: SqlType, $($k)*> $Ty<S, T, $($k)*> {
            /// All texts that are not NULL, this one between them; `None` of no rows. `.order_by(..)` says in which order,
            /// which else is any. `group_concat` on SQLite, where the texts cannot be distinct ones.
            pub fn string_agg<R: Operand<S, String>>(self, separator: R) -> Agg<S, Option<String>>
            where
                T: Text,
            {
                Agg::call(AggregateFn::StringAgg, vec![self.node(), separator.into_node()])
            }
            /// All values as an array; `None` of no rows. Decimals and `f32` are `Unsupported` on SQLite.
            pub fn array_agg(self) -> Agg<S, Option<Vec<T>>>
            where
                Vec<T>: Scalar,
            {
                Agg::of(AggregateFn::ArrayAgg, self.node())
            }
            /// All values as a JSON array, empty of no rows; NULL is `null`. Decimals, bytes and UUIDs are `Unsupported` on
            /// SQLite.
            #[cfg(feature = "json")]
            pub fn json_agg(self) -> Agg<S, Json<Vec<T>>>
            where
                Json<Vec<T>>: Scalar,
            {
                Agg::of(AggregateFn::JsonAgg, self.node())
            }
            /// The standard deviation of a sample; `None` of fewer than two values. `Unsupported` on SQLite, as the three
            /// after it.
            pub fn stddev(self) -> Agg<S, Option<f64>>
            where
                T: Numeric,
            {
                Agg::of(AggregateFn::StddevSamp, self.node())
            }
            /// The standard deviation of all there is; `None` of no rows.
            pub fn stddev_pop(self) -> Agg<S, Option<f64>>
            where
                T: Numeric,
            {
                Agg::of(AggregateFn::StddevPop, self.node())
            }
            /// The variance of a sample; `None` of fewer than two values.
            pub fn variance(self) -> Agg<S, Option<f64>>
            where
                T: Numeric,
            {
                Agg::of(AggregateFn::VarSamp, self.node())
            }
            /// The variance of all there is; `None` of no rows.
            pub fn variance_pop(self) -> Agg<S, Option<f64>>
            where
                T: Numeric,
            {
                Agg::of(AggregateFn::VarPop, self.node())
            }
            /// The value at this part of the way from the smallest to the largest, between two values where it lies
            /// there: 0.5 is the median. `None` of no rows. `Unsupported` on SQLite, as the two after it.
            pub fn percentile_cont(self, fraction: f64) -> Agg<S, Option<f64>>
            where
                T: Numeric,
            {
                let fraction = vec![Node::Value(Value::F64(fraction))];
                Agg::ordered_set(AggregateFn::PercentileCont, fraction, self.node())
            }
            /// The first value at this part of the way from the smallest to the largest; `None` of no rows.
            pub fn percentile_disc(self, fraction: f64) -> Agg<S, Option<T::Base>> {
                let fraction = vec![Node::Value(Value::F64(fraction))];
                Agg::ordered_set(AggregateFn::PercentileDisc, fraction, self.node())
            }
            /// The most frequent value, the smallest of several; `None` of no rows.
            pub fn mode(self) -> Agg<S, Option<T::Base>> {
                Agg::ordered_set(AggregateFn::Mode, Vec::new(), self.node())
            }
        }
    };
}
aggregates!(Col, [K]);
aggregates!(Expr, []);

macro_rules! conditions {
    ([$($k:tt)*] $Ty:ty) => {
        impl<S, $($k)*> $Ty {
            /// Whether it is true in all rows where it is not NULL; `None` where there is none.
            pub fn bool_and(self) -> Agg<S, Option<bool>> {
                Agg::of(AggregateFn::BoolAnd, self.node())
            }
            /// Whether it is true in any row; `None` where it is not NULL in none.
            pub fn bool_or(self) -> Agg<S, Option<bool>> {
                Agg::of(AggregateFn::BoolOr, self.node())
            }
        }
    };
}
conditions!([K] Col<S, bool, K>);
conditions!([K] Col<S, Option<bool>, K>);
conditions!([] Expr<S, bool>);
conditions!([] Expr<S, Option<bool>>);
