//! Window functions: `row_number().over(|w| ..)`, `p.views.lag(1).over(|w| ..)`, and every aggregate over a window.

use std::ops::{Bound, RangeBounds};

use crate::ast::{
    CompareOp, Expr as Node, Frame, FrameBound, FrameExclude, FrameUnit, Function, Window as NodeWindow,
    WindowCall, WindowFn as NodeFn,
};
use crate::model::Model;
use crate::query::expr::selected;
use crate::query::{Agg, Col, Expr, Grouped, Join, Operand, Order, Orders, Phantom, Query, Selection};
use crate::value::{Numeric, Scalar, SqlType, Value};

/// A window function without its window: say `.over(|w| ..)`.
#[must_use = "a window function needs a window: `.over(|w| ..)`"]
pub struct WindowFn<S, T> {
    function: NodeFn,
    _p: Phantom<(S, T)>,
}

/// The number of the row in its partition, from 1.
///
/// ```
/// # use orm_core::query::{Over, Col, row_number};
/// # fn numbered<P: 'static>(author_id: Col<P, i64>, id: Col<P, i64>) -> Over<P, i64> {
/// // row_number() OVER (PARTITION BY t0."author_id" ORDER BY t0."id")
/// row_number().over(|w| w.partition_by(author_id).order_by(id.asc()))
/// # }
/// ```
pub fn row_number<S>() -> WindowFn<S, i64> {
    WindowFn::new(NodeFn::RowNumber)
}
/// The place of the row in the window's order, from 1: equal rows share one, and leave a gap behind them.
pub fn rank<S>() -> WindowFn<S, i64> {
    WindowFn::new(NodeFn::Rank)
}
/// The place of the row in the window's order, from 1: equal rows share one, without a gap.
pub fn dense_rank<S>() -> WindowFn<S, i64> {
    WindowFn::new(NodeFn::DenseRank)
}
/// The place of the row as a part of its partition, from 0 to 1: `(rank - 1) / (rows - 1)`.
pub fn percent_rank<S>() -> WindowFn<S, f64> {
    WindowFn::new(NodeFn::PercentRank)
}
/// Which part of the partition stands up to here, equal rows included: above 0, up to 1.
pub fn cume_dist<S>() -> WindowFn<S, f64> {
    WindowFn::new(NodeFn::CumeDist)
}
/// Cuts the partition into so many buckets of almost the same size; the number of the row's bucket, from 1. Of 0 buckets
/// the statement is an `InvalidQuery` error.
pub fn ntile<S>(buckets: u32) -> WindowFn<S, i64> {
    WindowFn::new(NodeFn::Ntile(count(buckets)))
}

fn count(n: u32) -> Node {
    Node::Value(Value::I64(i64::from(n)))
}

impl<S, T> WindowFn<S, T> {
    fn new(function: NodeFn) -> Self {
        WindowFn {
            function,
            _p: std::marker::PhantomData,
        }
    }
    /// Over this window. `|w| w` is the window of all rows.
    pub fn over(self, f: impl FnOnce(Window<S>) -> Window<S>) -> Over<S, T> {
        Over::call(self.function, f)
    }
}

impl<S, T> Agg<S, T> {
    /// Over a window: for each row the aggregate of the rows in its frame. Without an order these are all rows of the
    /// partition, with one those up to the row and its equals. [`distinct`](Agg::distinct) is `Unsupported` there.
    ///
    /// ```
    /// # use orm_core::query::{Over, Col};
    /// # fn so_far<P>(views: Col<P, i64>, author_id: Col<P, i64>, id: Col<P, i64>) -> Over<P, Option<i64>> {
    /// // sum(t0."views") OVER (PARTITION BY t0."author_id" ORDER BY t0."id" ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    /// views.sum().over(|w| w.partition_by(author_id).order_by(id.asc()).rows(..=0))
    /// # }
    /// ```
    pub fn over(self, f: impl FnOnce(Window<S>) -> Window<S>) -> Over<S, T> {
        Over::call(NodeFn::Aggregate(self.into_call()), f)
    }
}

/// What windows are asked about a column or an expression.
macro_rules! of_rows {
    ($Ty:ident, [$($k:tt)*]) => {
        impl<S, T: SqlType, $($k)*> $Ty<S, T, $($k)*> {
            /// The value so many rows before, in the window's order; `None` where there is no such row. Needs
            /// `.over(|w| ..)`.
            pub fn lag(self, rows: u32) -> WindowFn<S, Option<T::Base>> {
                WindowFn::new(NodeFn::Lag(vec![self.node(), count(rows)]))
            }
            /// As `lag`, with a value where there is no such row.
            pub fn lag_or<R: Operand<S, T::Base>>(self, rows: u32, default: R) -> WindowFn<S, R::Lift<T>> {
                WindowFn::new(NodeFn::Lag(vec![self.node(), count(rows), default.into_node()]))
            }
            /// The value so many rows behind, in the window's order; `None` where there is no such row. Needs
            /// `.over(|w| ..)`.
            pub fn lead(self, rows: u32) -> WindowFn<S, Option<T::Base>> {
                WindowFn::new(NodeFn::Lead(vec![self.node(), count(rows)]))
            }
            /// As `lead`, with a value where there is no such row.
            pub fn lead_or<R: Operand<S, T::Base>>(self, rows: u32, default: R) -> WindowFn<S, R::Lift<T>> {
                WindowFn::new(NodeFn::Lead(vec![self.node(), count(rows), default.into_node()]))
            }
            /// The value in the first row of the frame; `None` in an empty frame. Needs `.over(|w| ..)`.
            pub fn first_value(self) -> WindowFn<S, Option<T::Base>> {
                WindowFn::new(NodeFn::FirstValue(self.node()))
            }
            /// The value in the last row of the frame; `None` in an empty frame. In an ordered window the frame ends
            /// with the current row and its equals unless told otherwise: `.rows(..)` is the whole partition.
            pub fn last_value(self) -> WindowFn<S, Option<T::Base>> {
                WindowFn::new(NodeFn::LastValue(self.node()))
            }
            /// The value in this row of the frame, counted from 1; `None` where there is no such row. Of row 0 the
            /// statement is an `InvalidQuery` error.
            pub fn nth_value(self, n: u32) -> WindowFn<S, Option<T::Base>> {
                WindowFn::new(NodeFn::NthValue(self.node(), count(n)))
            }
        }
    };
}
of_rows!(Col, [K]);
of_rows!(Expr, []);

/// Which rows a window function sees, in which order.
#[must_use = "a window does nothing outside `.over(|w| ..)`"]
pub struct Window<S> {
    node: NodeWindow,
    _p: Phantom<S>,
}

impl<S> Clone for Window<S> {
    fn clone(&self) -> Self {
        Window::of(self.node.clone())
    }
}

impl<S> Window<S> {
    fn of(node: NodeWindow) -> Self {
        Window {
            node,
            _p: std::marker::PhantomData,
        }
    }
    /// Starts from a window of the query that `.window(name, ..)` has defined; further clauses add to it. Such a window
    /// keeps its partition and its order, and one with a frame is used as it is: anything else is an `InvalidQuery` error.
    pub fn named(mut self, name: &'static str) -> Self {
        self.node.base = Some(name);
        self
    }
    /// Rows with equal values of these belong together: a column, an expression, or a tuple of them.
    pub fn partition_by<K: Selection<S> + Clone>(mut self, key: K) -> Self {
        key.push(&mut self.node.partition);
        self
    }
    /// Adds to the order of the rows. What is equal in it is equal for `rank`, and shares a frame of values or groups.
    pub fn order_by<O: Orders<S>>(mut self, order: O) -> Self {
        order.add_to(&mut self.node.order);
        self
    }
    /// The frame in rows: 0 is the current one, `-2..=0` the two before it and itself, `..=0` all up to it, `..` the whole
    /// partition.
    ///
    /// ```
    /// # use orm_core::query::{Over, Col};
    /// # fn smoothed<P>(views: Col<P, i64>, id: Col<P, i64>) -> Over<P, Option<f64>> {
    /// // avg(t0."views") OVER (ORDER BY t0."id" ROWS BETWEEN 3 PRECEDING AND 3 FOLLOWING), the numbers bound
    /// views.avg().over(|w| w.order_by(id.asc()).rows(-3..=3))
    /// # }
    /// ```
    pub fn rows(self, range: impl RangeBounds<i64>) -> Self {
        self.frame(FrameUnit::Rows, range)
    }
    /// The frame in values of what the window is ordered by: `-10..=0` is what is at most 10 smaller, and 0 the current
    /// row with its equals. Anything but 0 and an open end needs an order by one number.
    pub fn range(self, range: impl RangeBounds<i64>) -> Self {
        self.frame(FrameUnit::Range, range)
    }
    /// The frame in groups of equal rows: 0 is the current row with its equals, -1 those with the value before.
    pub fn groups(self, range: impl RangeBounds<i64>) -> Self {
        self.frame(FrameUnit::Groups, range)
    }
    fn frame(mut self, unit: FrameUnit, range: impl RangeBounds<i64>) -> Self {
        let start = match range.start_bound() {
            Bound::Unbounded => FrameBound::UnboundedPreceding,
            Bound::Included(n) => at(*n),
            Bound::Excluded(n) => at(n.saturating_add(1)),
        };
        let end = match range.end_bound() {
            Bound::Unbounded => FrameBound::UnboundedFollowing,
            Bound::Included(n) => at(*n),
            Bound::Excluded(n) => at(n.saturating_sub(1)),
        };
        let exclude = self
            .node
            .frame
            .take()
            .map_or(FrameExclude::Nothing, |f| f.exclude);
        self.node.frame = Some(Frame {
            unit,
            start,
            end: Some(end),
            exclude,
        });
        self
    }
    fn excluding(mut self, exclude: FrameExclude) -> Self {
        let frame = self.node.frame.get_or_insert(Frame {
            unit: FrameUnit::Range,
            start: FrameBound::UnboundedPreceding,
            end: Some(FrameBound::CurrentRow),
            exclude,
        });
        frame.exclude = exclude;
        self
    }
    /// The frame without the current row.
    pub fn exclude_current_row(self) -> Self {
        self.excluding(FrameExclude::CurrentRow)
    }
    /// The frame without the current row and its equals.
    pub fn exclude_group(self) -> Self {
        self.excluding(FrameExclude::Group)
    }
    /// The frame without the equals of the current row, but with itself.
    pub fn exclude_ties(self) -> Self {
        self.excluding(FrameExclude::Ties)
    }
}

fn at(n: i64) -> FrameBound {
    let distance = |n: i64| Node::Value(Value::I64(n.saturating_abs()));
    match n {
        0 => FrameBound::CurrentRow,
        n if n < 0 => FrameBound::Preceding(distance(n)),
        n => FrameBound::Following(distance(n)),
    }
}

/// A window function over its window: selected, calculated with, ordered by. Not an [`Expr`], so that it cannot slip into
/// `.filter(..)`: it has no value yet when rows are filtered.
#[must_use = "a window function does nothing until it is selected"]
pub struct Over<S, T> {
    node: Node,
    _p: Phantom<(S, T)>,
}

impl<S, T> Over<S, T> {
    fn new(node: Node) -> Self {
        Over {
            node,
            _p: std::marker::PhantomData,
        }
    }
    fn call(function: NodeFn, f: impl FnOnce(Window<S>) -> Window<S>) -> Self {
        let window = f(Window::of(NodeWindow::default())).node;
        Over::new(Node::Window(Box::new(WindowCall { function, window })))
    }
    /// Any expression of its value: `rank().over(..).map(|n| case(n.le(3), "top").or_else("rest"))`, or
    /// `p.views.lag(1).over(..).map(|before| p.views - before)`.
    pub fn map<U>(self, f: impl FnOnce(Expr<S, T>) -> Expr<S, U>) -> Over<S, U> {
        Over::new(f(Expr::new(self.node)).node())
    }
}

fn compare<S>(op: CompareOp, a: Node, b: Node) -> Over<S, bool> {
    Over::new(Node::Compare(op, Box::new(a), Box::new(b)))
}

impl<S, T: SqlType> Over<S, T> {
    /// Ascending, NULLs last.
    pub fn asc(self) -> Order<S> {
        Expr::<S, T>::new(self.node).asc()
    }
    /// Descending, NULLs first.
    pub fn desc(self) -> Order<S> {
        Expr::<S, T>::new(self.node).desc()
    }
    /// `=`, to select.
    pub fn eq<R: BesideWindow<S, T::Base>>(self, r: R) -> Over<S, bool> {
        compare(CompareOp::Eq, self.node, r.into_node())
    }
    /// `<>`, to select.
    pub fn ne<R: BesideWindow<S, T::Base>>(self, r: R) -> Over<S, bool> {
        compare(CompareOp::Ne, self.node, r.into_node())
    }
    /// `>`, to select.
    pub fn gt<R: BesideWindow<S, T::Base>>(self, r: R) -> Over<S, bool> {
        compare(CompareOp::Gt, self.node, r.into_node())
    }
    /// `>=`, to select.
    pub fn ge<R: BesideWindow<S, T::Base>>(self, r: R) -> Over<S, bool> {
        compare(CompareOp::Ge, self.node, r.into_node())
    }
    /// `<`, to select.
    pub fn lt<R: BesideWindow<S, T::Base>>(self, r: R) -> Over<S, bool> {
        compare(CompareOp::Lt, self.node, r.into_node())
    }
    /// `<=`, to select.
    pub fn le<R: BesideWindow<S, T::Base>>(self, r: R) -> Over<S, bool> {
        compare(CompareOp::Le, self.node, r.into_node())
    }
}

impl<S, T: Scalar> Over<S, Option<T>> {
    /// This, or the other where it is NULL: `COALESCE`.
    pub fn or_else<R: BesideWindow<S, T>>(self, r: R) -> Over<S, R::Lift<T>> {
        Over::new(Node::call(Function::Coalesce, vec![self.node, r.into_node()]))
    }
}

/// What may stand beside a window function: whatever may stand beside a column, and another window function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand beside a window function of type `{B}` in a query on `{S}`",
    label = "expected `{B}`, or a column, an expression or a window function of that type"
)]
pub trait BesideWindow<S, B> {
    /// The result type of arithmetic: nullable when this side is.
    type Lift<T: SqlType>: SqlType;
    /// The expression.
    fn into_node(self) -> Node;
}
macro_rules! beside {
    ($([$($g:tt)*] $t:ty, $b:ty, $lift:ty, $self:ident => $node:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<S, $($g)*> BesideWindow<S, $b> for $t {
            type Lift<T: SqlType> = $lift;
            fn into_node($self) -> Node {
                $node
            }
        }
    )*};
}
beside! {
    [B: Scalar] B, B, T, self => Node::Value(Scalar::into_value(self));
    [] &str, String, T, self => Node::Value(Value::Text(self.into()));
    [B: Scalar, K] Col<S, B, K>, B, T, self => self.node();
    [B: Scalar, K] Col<S, Option<B>, K>, B, Option<T::Base>, self => self.node();
    [B: Scalar] Expr<S, B>, B, T, self => self.node();
    [B: Scalar] Expr<S, Option<B>>, B, Option<T::Base>, self => self.node();
    [B: Scalar] Over<S, B>, B, T, self => self.node;
    [B: Scalar] Over<S, Option<B>>, B, Option<T::Base>, self => self.node;
}

macro_rules! arithmetic {
    ($($Op:ident $f:ident;)*) => {$(
        impl<S, T: Numeric, R: BesideWindow<S, T::Base>> std::ops::$Op<R> for Over<S, T> {
            type Output = Over<S, R::Lift<T>>;
            fn $f(self, r: R) -> Self::Output {
                Over::new(Node::Math(crate::ast::MathOp::$Op, Box::new(self.node), Box::new(r.into_node())))
            }
        }
    )*};
}
arithmetic! {
    Add add;
    Sub sub;
    Mul mul;
    Div div;
    Rem rem;
}

#[diagnostic::do_not_recommend]
impl<S, T: SqlType> Selection<S> for Over<S, T> {
    type Out = T;
    fn push(self, out: &mut Vec<Node>) {
        out.push(selected::<T>(self.node));
    }
}

/// Never implemented: carries the message for a window function without a window.
#[diagnostic::on_unimplemented(
    message = "a window function needs its window",
    label = "say `.over(|w| w.order_by(..))`; `.over(|w| w)` is the window of all rows"
)]
pub trait HasNoWindow {}
impl<S: HasNoWindow, T: SqlType> Selection<S> for WindowFn<S, T> {
    type Out = T;
    fn push(self, out: &mut Vec<Node>) {
        let window = NodeWindow::default();
        let function = self.function;
        out.push(Node::Window(Box::new(WindowCall { function, window })));
    }
}

fn defined<S>(f: impl FnOnce(Window<S>) -> Window<S>) -> NodeWindow {
    f(Window::of(NodeWindow::default())).node
}

impl<M: Model, O> Query<M, O> {
    /// A window that several functions share: `.over(|w| w.named("recent"))`. Two of one name are an `InvalidQuery` error.
    ///
    /// ```sql
    /// SELECT row_number() OVER "recent", lag(t0."title", 1) OVER "recent"
    /// FROM "posts" AS t0 WINDOW "recent" AS (PARTITION BY t0."author_id" ORDER BY t0."id" DESC)
    /// ```
    pub fn window(mut self, name: &'static str, f: impl FnOnce(M::Cols<M>, Window<M>) -> Window<M>) -> Self {
        let cols = M::cols(self.ast().root());
        let window = defined(|w| f(cols, w));
        self.ast_mut().windows.push((name, window));
        self
    }
}
impl<M: Model, C: Copy> Join<M, C> {
    /// See [`Query::window`].
    pub fn window(mut self, name: &'static str, f: impl FnOnce(C, Window<M>) -> Window<M>) -> Self {
        let (ast, cols) = self.parts_mut();
        ast.windows.push((name, defined(|w| f(cols, w))));
        self
    }
}
impl<M: Model, C: Copy, K: Selection<M> + Clone> Grouped<M, C, K> {
    /// See [`Query::window`]: over the groups, not over their rows.
    pub fn window(
        mut self,
        name: &'static str,
        f: impl FnOnce(crate::query::Group<M, C, K>, Window<M>) -> Window<M>,
    ) -> Self {
        let group = self.group();
        self.ast_mut().windows.push((name, defined(|w| f(group, w))));
        self
    }
}
