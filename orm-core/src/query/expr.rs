//! Typed expressions, and what closures may return: conditions, orders, assignments, selections.

use crate::ast::{CompareOp, Expr as Node, Function, MathOp, Nulls, Order as NodeOrder, TextOp};
use crate::query::operand::{InList, Operand};
use crate::query::{Agg, Col, Phantom};
use crate::schema::Column;
use crate::value::{Numeric, Output, Scalar, SqlType, Text, Timestamp, Value};

/// An expression over the query rooted at `S`.
#[must_use = "an expression does nothing until it is part of a query"]
pub struct Expr<S, T> {
    node: Node,
    _p: Phantom<(S, T)>,
}

/// A condition on `S`, as a type to name in signatures and collections.
pub type Filter<S> = Expr<S, bool>;

impl<S, T> Clone for Expr<S, T> {
    fn clone(&self) -> Self {
        Expr::new(self.node.clone())
    }
}
impl<S, T> Expr<S, T> {
    /// Vouches for the type of a node.
    pub(crate) const fn new(node: Node) -> Self {
        Expr {
            node,
            _p: std::marker::PhantomData,
        }
    }
    /// As [`new`](Expr::new), for the operators of a backend crate.
    #[doc(hidden)]
    pub const fn from_node(node: Node) -> Self {
        Expr::new(node)
    }
    /// Its node, for the operators of a backend crate.
    #[doc(hidden)]
    pub fn into_node(self) -> Node {
        self.node
    }
    pub(crate) fn node(self) -> Node {
        self.node
    }
    /// Itself.
    pub fn expr(self) -> Expr<S, T> {
        self
    }
}

/// A constant as an expression of the query, to compare two values or to select one.
pub fn value<S, T: SqlType>(v: T) -> Expr<S, T> {
    Expr::new(Node::Value(v.into_value()))
}

/// The time of the operation: the database's clock where it has one, else the client's, and one value for the whole
/// operation. For conditions that hold at the moment of the query: `|p| p.published_at.le(now())`.
pub fn now<S>() -> Expr<S, Timestamp> {
    Expr::new(Node::Clock)
}

/// Who acts through the handle (`acting_as`), in a condition such as a named filter:
/// `|d| d.owner_id.eq(actor::<_, Id<User>>())`. `T` is the type that the handle was given. Without an actor the statement is an `InvalidQuery` error.
pub fn actor<S, T: Scalar>() -> Expr<S, T> {
    Expr::new(Node::Actor)
}

fn compare<S>(op: CompareOp, a: Node, b: Node) -> Filter<S> {
    // `any_row(..)` and `all_rows(..)` are one node with what they are compared by
    if let Node::Quantified(_, quantifier, _, query) = b {
        return Expr::new(Node::Quantified(op, quantifier, Box::new(a), query));
    }
    Expr::new(Node::Compare(op, Box::new(a), Box::new(b)))
}
fn text<S>(op: TextOp, a: Node, b: Node) -> Filter<S> {
    Expr::new(Node::Text(op, Box::new(a), Box::new(b)))
}
fn math(op: MathOp, a: Node, b: Node) -> Node {
    Node::Math(op, Box::new(a), Box::new(b))
}

/// The same surface on `Col` and `Expr`.
macro_rules! surface {
    ($Ty:ident, [$($k:tt)*]) => {
        impl<S, T: SqlType, $($k)*> $Ty<S, T, $($k)*> {
            /// `=`.
            pub fn eq<R: Operand<S, T::Base>>(self, r: R) -> Filter<S> {
                compare(CompareOp::Eq, self.node(), r.into_node())
            }
            /// `<>`.
            pub fn ne<R: Operand<S, T::Base>>(self, r: R) -> Filter<S> {
                compare(CompareOp::Ne, self.node(), r.into_node())
            }
            /// `>`.
            pub fn gt<R: Operand<S, T::Base>>(self, r: R) -> Filter<S> {
                compare(CompareOp::Gt, self.node(), r.into_node())
            }
            /// `>=`.
            pub fn ge<R: Operand<S, T::Base>>(self, r: R) -> Filter<S> {
                compare(CompareOp::Ge, self.node(), r.into_node())
            }
            /// `<`.
            pub fn lt<R: Operand<S, T::Base>>(self, r: R) -> Filter<S> {
                compare(CompareOp::Lt, self.node(), r.into_node())
            }
            /// `<=`.
            pub fn le<R: Operand<S, T::Base>>(self, r: R) -> Filter<S> {
                compare(CompareOp::Le, self.node(), r.into_node())
            }
            /// Equal, where `None` equals NULL: `IS NOT DISTINCT FROM`.
            pub fn eq_opt<R: Operand<S, T::Base>>(self, r: Option<R>) -> Filter<S> {
                let r = r.map_or(Node::Value(Value::Null(T::TYPE)), R::into_node);
                compare(CompareOp::IsNotDistinct, self.node(), r)
            }
            /// Different, where `None` equals NULL: `IS DISTINCT FROM`.
            pub fn ne_opt<R: Operand<S, T::Base>>(self, r: Option<R>) -> Filter<S> {
                let r = r.map_or(Node::Value(Value::Null(T::TYPE)), R::into_node);
                compare(CompareOp::IsDistinct, self.node(), r)
            }
            /// Different, where NULL equals NULL and differs from every value: `IS DISTINCT FROM`.
            pub fn is_distinct_from<R: Operand<S, T::Base>>(self, r: R) -> Filter<S> {
                compare(CompareOp::IsDistinct, self.node(), r.into_node())
            }
            /// Equal, where NULL equals NULL: `IS NOT DISTINCT FROM`.
            pub fn is_not_distinct_from<R: Operand<S, T::Base>>(self, r: R) -> Filter<S> {
                compare(CompareOp::IsNotDistinct, self.node(), r.into_node())
            }
            /// NULL where it equals this: `NULLIF`.
            pub fn null_if<R: Operand<S, T::Base>>(self, r: R) -> Expr<S, Option<T::Base>> {
                Expr::new(Node::call(Function::NullIf, vec![self.node(), r.into_node()]))
            }
            /// As another type: `CAST`. Floats become integers half away from zero; what cannot be read as the type, or
            /// does not fit it, is an error. What a backend cannot convert the same way is `Unsupported`.
            pub fn cast<B: Scalar>(self) -> Expr<S, T::With<B>> {
                Expr::new(Node::Cast(Box::new(self.node()), B::TYPE))
            }
            /// One of these values, or of the rows of a query. An empty list is false; NULLs among the rows of a query are
            /// left out, so that the opposite means what it says.
            pub fn in_<L: InList<S, T::Base>>(self, list: L) -> Filter<S> {
                Expr::new(Node::In(Box::new(self.node()), Box::new(list.into_list())))
            }
            /// None of these. An empty list is true; NULLs among the rows of a query are left out.
            pub fn not_in<L: InList<S, T::Base>>(self, list: L) -> Filter<S> {
                self.in_(list).not()
            }
            /// `BETWEEN`, both ends included.
            pub fn between<A: Operand<S, T::Base>, B: Operand<S, T::Base>>(self, low: A, high: B) -> Filter<S> {
                Expr::new(Node::Between(Box::new([self.node(), low.into_node(), high.into_node()])))
            }
            /// Ascending, NULLs last.
            pub fn asc(self) -> Order<S> {
                Order::new(self.node(), false)
            }
            /// Descending, NULLs first.
            pub fn desc(self) -> Order<S> {
                Order::new(self.node(), true)
            }
            /// Contains this text, case-sensitively; `%` and `_` mean themselves.
            pub fn contains<R: Operand<S, String>>(self, r: R) -> Filter<S> where T: Text {
                text(TextOp::Contains, self.node(), r.into_node())
            }
            /// Starts with this text, case-sensitively.
            pub fn starts_with<R: Operand<S, String>>(self, r: R) -> Filter<S> where T: Text {
                text(TextOp::StartsWith, self.node(), r.into_node())
            }
            /// Ends with this text, case-sensitively.
            pub fn ends_with<R: Operand<S, String>>(self, r: R) -> Filter<S> where T: Text {
                text(TextOp::EndsWith, self.node(), r.into_node())
            }
            /// Contains this text in any case. Here and wherever case does not matter, the letters of all scripts have one
            /// (on PostgreSQL as far as the database's locale says).
            pub fn icontains<R: Operand<S, String>>(self, r: R) -> Filter<S> where T: Text {
                text(TextOp::ContainsNoCase, self.node(), r.into_node())
            }
            /// Starts with this text in any case.
            pub fn istarts_with<R: Operand<S, String>>(self, r: R) -> Filter<S> where T: Text {
                text(TextOp::StartsWithNoCase, self.node(), r.into_node())
            }
            /// Ends with this text in any case.
            pub fn iends_with<R: Operand<S, String>>(self, r: R) -> Filter<S> where T: Text {
                text(TextOp::EndsWithNoCase, self.node(), r.into_node())
            }
            /// Equal in any case.
            pub fn ieq<R: Operand<S, String>>(self, r: R) -> Filter<S> where T: Text {
                text(TextOp::EqNoCase, self.node(), r.into_node())
            }
            /// `LIKE` with a pattern of `%` and `_`, case-sensitive on every backend; `\` escapes.
            pub fn like<R: Operand<S, String>>(self, pattern: R) -> Filter<S> where T: Text {
                text(TextOp::Like, self.node(), pattern.into_node())
            }
            /// As [`like`](Self::like), in any case.
            pub fn ilike<R: Operand<S, String>>(self, pattern: R) -> Filter<S> where T: Text {
                text(TextOp::LikeNoCase, self.node(), pattern.into_node())
            }
            /// A regular expression matches somewhere in the text, case-sensitively: PostgreSQL's `~`. The syntax is that
            /// of its advanced regular expressions; of these SQLite refuses back references, look-around and the
            /// options `b e x`. A malformed one is a `Database` error.
            pub fn regex<R: Operand<S, String>>(self, pattern: R) -> Filter<S> where T: Text {
                text(TextOp::Regex, self.node(), pattern.into_node())
            }
            /// As [`regex`](Self::regex), in any case: `~*`.
            pub fn iregex<R: Operand<S, String>>(self, pattern: R) -> Filter<S> where T: Text {
                text(TextOp::RegexNoCase, self.node(), pattern.into_node())
            }
            /// Sum; `None` of no rows. Integers give an `i64`, overflow is an error.
            pub fn sum(self) -> Agg<S, Option<T::Sum>> where T: Numeric {
                Agg::of(crate::ast::AggregateFn::Sum, self.node())
            }
            /// Average; `None` of no rows. Integers give a float.
            pub fn avg(self) -> Agg<S, Option<T::Avg>> where T: Numeric {
                Agg::of(crate::ast::AggregateFn::Avg, self.node())
            }
            /// Smallest; `None` of no rows.
            pub fn min(self) -> Agg<S, Option<T::Base>> {
                Agg::of(crate::ast::AggregateFn::Min, self.node())
            }
            /// Largest; `None` of no rows.
            pub fn max(self) -> Agg<S, Option<T::Base>> {
                Agg::of(crate::ast::AggregateFn::Max, self.node())
            }
            /// How many are not NULL.
            pub fn count(self) -> Agg<S, i64> {
                Agg::of(crate::ast::AggregateFn::Count, self.node())
            }
            /// How many different ones are not NULL.
            pub fn count_distinct(self) -> Agg<S, i64> {
                Agg::of(crate::ast::AggregateFn::Count, self.node()).distinct()
            }
        }
        impl<S, T: Scalar, $($k)*> $Ty<S, Option<T>, $($k)*> {
            /// `IS NULL`.
            pub fn is_null(self) -> Filter<S> {
                Expr::new(Node::IsNull(Box::new(self.node()), false))
            }
            /// `IS NOT NULL`.
            pub fn is_not_null(self) -> Filter<S> {
                Expr::new(Node::IsNull(Box::new(self.node()), true))
            }
            /// This, or the other when it is NULL: `COALESCE`.
            pub fn or_else<R: Operand<S, T>>(self, r: R) -> Expr<S, R::Lift<T>> {
                Expr::new(alternatives(Function::Coalesce, self.node(), r.into_node()))
            }
            /// The larger of both; the other one where one is NULL.
            pub fn greatest<R: Operand<S, T>>(self, r: R) -> Expr<S, R::Lift<T>> {
                Expr::new(alternatives(Function::Greatest, self.node(), r.into_node()))
            }
            /// The smaller of both; the other one where one is NULL.
            pub fn least<R: Operand<S, T>>(self, r: R) -> Expr<S, R::Lift<T>> {
                Expr::new(alternatives(Function::Least, self.node(), r.into_node()))
            }
        }
        impl<S, T: Scalar, $($k)*> $Ty<S, T, $($k)*> {
            /// The larger of both; NULLs do not count.
            pub fn greatest<R: Operand<S, T::Base>>(self, r: R) -> Expr<S, T> where T: SqlType {
                Expr::new(alternatives(Function::Greatest, self.node(), r.into_node()))
            }
            /// The smaller of both; NULLs do not count.
            pub fn least<R: Operand<S, T::Base>>(self, r: R) -> Expr<S, T> where T: SqlType {
                Expr::new(alternatives(Function::Least, self.node(), r.into_node()))
            }
        }
        impl<S, $($k)*> $Ty<S, bool, $($k)*> {
            /// Both.
            pub fn and<C: Cond<S>>(self, c: C) -> Filter<S> {
                Expr::new(join_bool(self.node(), c.into_cond(), true))
            }
            /// At least one.
            pub fn or<C: Cond<S>>(self, c: C) -> Filter<S> {
                Expr::new(join_bool(self.node(), c.into_cond(), false))
            }
            /// Not.
            #[allow(clippy::should_implement_trait)]
            pub fn not(self) -> Filter<S> {
                Expr::new(Node::Not(Box::new(self.node())))
            }
        }
        /// As [`not`](Self::not).
        impl<S, $($k)*> std::ops::Not for $Ty<S, bool, $($k)*> {
            type Output = Filter<S>;
            fn not(self) -> Filter<S> {
                Expr::new(Node::Not(Box::new(self.node())))
            }
        }
        /// As [`and`](Self::and): `&` binds tighter than `|`.
        impl<S, C: Cond<S>, $($k)*> std::ops::BitAnd<C> for $Ty<S, bool, $($k)*> {
            type Output = Filter<S>;
            fn bitand(self, c: C) -> Filter<S> {
                self.and(c)
            }
        }
        /// As [`or`](Self::or).
        impl<S, C: Cond<S>, $($k)*> std::ops::BitOr<C> for $Ty<S, bool, $($k)*> {
            type Output = Filter<S>;
            fn bitor(self, c: C) -> Filter<S> {
                self.or(c)
            }
        }
        arithmetic!($Ty, [$($k)*], Add add);
        arithmetic!($Ty, [$($k)*], Sub sub);
        arithmetic!($Ty, [$($k)*], Mul mul);
        arithmetic!($Ty, [$($k)*], Div div);
        arithmetic!($Ty, [$($k)*], Rem rem);
        impl<S, T: SqlType, $($k)*> IntoExpr<S> for $Ty<S, T, $($k)*> {
            type T = T;
            fn into_expr(self) -> Expr<S, T> {
                self.expr()
            }
        }
        impl<S, T: SqlType, $($k)*> Selection<S> for $Ty<S, T, $($k)*> {
            type Out = T;
            fn push(self, out: &mut Vec<Node>) {
                out.push(selected::<T>(self.node()));
            }
        }
    };
}
macro_rules! arithmetic {
    ($Ty:ident, [$($k:tt)*], $Op:ident $f:ident) => {
        impl<S, T: Numeric, R: Operand<S, T::Base>, $($k)*> std::ops::$Op<R> for $Ty<S, T, $($k)*> {
            type Output = Expr<S, R::Lift<T>>;
            fn $f(self, r: R) -> Self::Output {
                Expr::new(math(MathOp::$Op, self.node(), r.into_node()))
            }
        }
    };
}
surface!(Col, [K]);
surface!(Expr, []);

/// A chain of alternatives as one call.
fn alternatives(f: Function, a: Node, b: Node) -> Node {
    match a {
        Node::Call(g, mut args) if *g == f => {
            args.push(b);
            Node::Call(g, args)
        }
        a => Node::call(f, vec![a, b]),
    }
}

/// Joins conditions flat, so that long chains do not nest.
fn join_bool(a: Node, b: Node, and: bool) -> Node {
    match (a, and) {
        (Node::All(mut v), true) => {
            v.push(b);
            Node::All(v)
        }
        (Node::Any(mut v), false) => {
            v.push(b);
            Node::Any(v)
        }
        (a, true) => Node::All(vec![a, b]),
        (a, false) => Node::Any(vec![a, b]),
    }
}

/// A condition that is selected as a value must be true or false, also over NULLs.
pub(crate) fn selected<T: SqlType>(node: Node) -> Node {
    if T::NULLABLE {
        return node;
    }
    match node {
        Node::Compare(CompareOp::IsDistinct | CompareOp::IsNotDistinct, ..) => node,
        Node::Compare(..)
        | Node::Between(_)
        | Node::In(..)
        | Node::Text(..)
        | Node::Not(_)
        | Node::All(_)
        | Node::Any(_) => Node::IsTrue(Box::new(node)),
        _ => node,
    }
}

/// A condition on the query rooted at `S`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a condition on `{S}`",
    label = "expected a condition built from this closure's argument",
    note = "compare the column (`.eq(..)`, `.is_null()`); for related rows use `.any(..)`; for a second table use `.join(..)`",
    note = "a window function has no value yet when rows are filtered: select it, then filter the derived table"
)]
pub trait Cond<S> {
    /// The expression.
    fn into_cond(self) -> Node;
}
#[diagnostic::do_not_recommend]
impl<S> Cond<S> for Expr<S, bool> {
    fn into_cond(self) -> Node {
        self.node
    }
}
#[diagnostic::do_not_recommend]
impl<S> Cond<S> for Expr<S, Option<bool>> {
    fn into_cond(self) -> Node {
        self.node
    }
}
#[diagnostic::do_not_recommend]
impl<S, K> Cond<S> for Col<S, bool, K> {
    fn into_cond(self) -> Node {
        self.node()
    }
}
#[diagnostic::do_not_recommend]
impl<S, K> Cond<S> for Col<S, Option<bool>, K> {
    fn into_cond(self) -> Node {
        self.node()
    }
}

/// All of these conditions; true when there are none.
pub fn all_of<S, C: Cond<S>>(conditions: impl IntoIterator<Item = C>) -> Filter<S> {
    Expr::new(Node::All(conditions.into_iter().map(C::into_cond).collect()))
}
/// At least one of these conditions; false when there are none.
pub fn any_of<S, C: Cond<S>>(conditions: impl IntoIterator<Item = C>) -> Filter<S> {
    Expr::new(Node::Any(conditions.into_iter().map(C::into_cond).collect()))
}

/// An entry of ORDER BY.
pub struct Order<S> {
    node: NodeOrder,
    _p: Phantom<S>,
}
impl<S> Clone for Order<S> {
    fn clone(&self) -> Self {
        Order {
            node: self.node.clone(),
            _p: std::marker::PhantomData,
        }
    }
}
impl<S> Order<S> {
    pub(crate) fn new(expr: Node, desc: bool) -> Self {
        Order {
            node: NodeOrder {
                expr,
                desc,
                nulls: Nulls::Default,
            },
            _p: std::marker::PhantomData,
        }
    }
    /// NULLs before everything.
    pub fn nulls_first(mut self) -> Self {
        self.node.nulls = Nulls::First;
        self
    }
    /// NULLs after everything.
    pub fn nulls_last(mut self) -> Self {
        self.node.nulls = Nulls::Last;
        self
    }
}

/// What `.order_by(..)` may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an ordering of `{S}`",
    label = "say `.asc()` or `.desc()`"
)]
pub trait Orders<S> {
    /// Adds the entries.
    fn add_to(self, out: &mut Vec<NodeOrder>);
}
#[diagnostic::do_not_recommend]
impl<S> Orders<S> for Order<S> {
    fn add_to(self, out: &mut Vec<NodeOrder>) {
        out.push(self.node);
    }
}
#[diagnostic::do_not_recommend]
impl<S, O: Orders<S>> Orders<S> for Vec<O> {
    fn add_to(self, out: &mut Vec<NodeOrder>) {
        self.into_iter().for_each(|o| o.add_to(out));
    }
}
#[diagnostic::do_not_recommend]
impl<S, O: Orders<S>> Orders<S> for Option<O> {
    fn add_to(self, out: &mut Vec<NodeOrder>) {
        self.into_iter().for_each(|o| o.add_to(out));
    }
}

/// An assignment, or none.
#[must_use = "an assignment does nothing outside `.set(..)`"]
pub struct Set<S> {
    node: Option<(&'static Column, Node)>,
    _p: Phantom<S>,
}
impl<S> Set<S> {
    pub(crate) fn new(column: &'static Column, value: Node) -> Self {
        Set {
            node: Some((column, value)),
            _p: std::marker::PhantomData,
        }
    }
    pub(crate) fn none() -> Self {
        Set {
            node: None,
            _p: std::marker::PhantomData,
        }
    }
}

/// What `.set(..)` may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an assignment to `{S}`",
    label = "write `column.to(value)`, or a tuple of those"
)]
pub trait Sets<S> {
    /// Adds the assignments.
    fn add_to(self, out: &mut Vec<(&'static Column, Node)>);
}
#[diagnostic::do_not_recommend]
impl<S> Sets<S> for Set<S> {
    fn add_to(self, out: &mut Vec<(&'static Column, Node)>) {
        let Some((column, value)) = self.node else { return };
        // the last assignment to a column wins, as in a struct literal written twice it could not
        match out.iter_mut().find(|(c, _)| std::ptr::eq(*c, column)) {
            Some(slot) => slot.1 = value,
            None => out.push((column, value)),
        }
    }
}
#[diagnostic::do_not_recommend]
impl<S, A: Sets<S>> Sets<S> for Vec<A> {
    fn add_to(self, out: &mut Vec<(&'static Column, Node)>) {
        self.into_iter().for_each(|a| a.add_to(out));
    }
}
#[diagnostic::do_not_recommend]
impl<S, A: Sets<S>> Sets<S> for Option<A> {
    fn add_to(self, out: &mut Vec<(&'static Column, Node)>) {
        self.into_iter().for_each(|a| a.add_to(out));
    }
}

/// A column or an expression.
pub trait IntoExpr<S> {
    /// Its type.
    type T: SqlType;
    /// As an expression.
    fn into_expr(self) -> Expr<S, Self::T>;
}

/// What `.select(..)` may return: columns, expressions, all columns of a table, or a tuple of those.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be selected from a query on `{S}`",
    label = "return columns, expressions, or a tuple of them"
)]
pub trait Selection<S> {
    /// What a row becomes.
    type Out: Output;
    /// Adds the columns.
    fn push(self, out: &mut Vec<Node>);
}

macro_rules! tuple {
    ($($T:ident)+) => {
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case)]
        impl<S, $($T: Orders<S>),+> Orders<S> for ($($T,)+) {
            fn add_to(self, out: &mut Vec<NodeOrder>) {
                let ($($T,)+) = self;
                $($T.add_to(out);)+
            }
        }
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case)]
        impl<S, $($T: Sets<S>),+> Sets<S> for ($($T,)+) {
            fn add_to(self, out: &mut Vec<(&'static Column, Node)>) {
                let ($($T,)+) = self;
                $($T.add_to(out);)+
            }
        }
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case)]
        impl<S, $($T: Selection<S>),+> Selection<S> for ($($T,)+) {
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
tuple!(A B C D E F G H I);
tuple!(A B C D E F G H I J);
tuple!(A B C D E F G H I J K);
tuple!(A B C D E F G H I J K L);
