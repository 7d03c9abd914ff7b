//! Operators of arrays. Places are counted from 1, as SQL does.

use crate::ast::types::type_of;
use crate::ast::{ArrayFn, Expr as Node, FromItem, Function};
use crate::query::source::FieldList;
use crate::query::{Col, Expr, Filter, IntoExpr, IntoSource, Operand, Phantom, Place, Reference, SourceRow};
use crate::value::{ArrayItem, Scalar, Type, Value};

/// The items of an array as rows, for a lateral join: `.join_lateral(|p| unnest(p.tags))`. A NULL has none.
///
/// ```
/// # use orm_core::{model::Model, query::{Col, Query, unnest}};
/// # fn build<Post: Model>(tags: fn(Post::Cols<Post>) -> Col<Post, Vec<String>>) -> Query<Post, (String, i64)> {
/// Post::query()
///     .join_lateral(|p| unnest(tags(p)))
///     .group_by(|(_, tag)| tag)
///     .select(|g| (g.key(), g.count()))
/// # }
/// # use orm_core::exec::Record;
/// ```
pub fn unnest<S, E: ArrayItem, X: IntoExpr<S>>(array: X) -> Unnest<S, E>
where
    X::T: ItemsOf<E>,
{
    Unnest {
        array: array.into_expr().into_node(),
        _p: std::marker::PhantomData,
    }
}

/// Arrays of these items: `Vec<E>`, and `Option<Vec<E>>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no array",
    label = "expected a column or expression of a `Vec`"
)]
pub trait ItemsOf<E> {}
impl<E> ItemsOf<E> for Vec<E> {}
impl<E> ItemsOf<E> for Option<Vec<E>> {}

/// See [`unnest`].
pub struct Unnest<S, E> {
    array: Node,
    _p: Phantom<(S, E)>,
}

#[diagnostic::do_not_recommend]
impl<S, E: ArrayItem + SourceRow> IntoSource for Unnest<S, E> {
    type Row = E;
    fn into_source(self, _: Place) -> Reference {
        let ty = match type_of(&self.array) {
            Type::Array(element) => element.ty(),
            other => other,
        };
        let (array, column) = (Box::new(self.array), "value");
        Reference::of(FromItem::Unnest { array, column }, FieldList::one(column, ty))
    }
}

fn call<S, T>(f: ArrayFn, args: Vec<Node>) -> Expr<S, T> {
    Expr::new(Node::call(Function::Array(f), args))
}
fn place(n: u32) -> Node {
    Node::Value(Value::I64(n.into()))
}

macro_rules! arrays {
    ($Ty:ident, $Array:ty, $Length:ty, [$($k:tt)*]) => {
        impl<S, E: ArrayItem, $($k)*> $Ty<S, $Array, $($k)*>
        where
            E::Base: Scalar,
            Vec<E>: Scalar,
        {
            /// Whether an item equals this: `x = ANY(array)`.
            pub fn has<R: Operand<S, E::Base>>(self, item: R) -> Filter<S> {
                call(ArrayFn::Has, vec![self.node(), item.into_node()])
            }
            /// Whether each of these is an item, in any order and number (`@>`). A NULL is none.
            pub fn has_all<R: Operand<S, Vec<E>>>(self, items: R) -> Filter<S> {
                call(ArrayFn::HasAll, vec![self.node(), items.into_node()])
            }
            /// Whether one of these is an item (`&&`).
            pub fn has_any<R: Operand<S, Vec<E>>>(self, items: R) -> Filter<S> {
                call(ArrayFn::HasAny, vec![self.node(), items.into_node()])
            }
            /// Whether each item is one of these (`<@`).
            pub fn is_within<R: Operand<S, Vec<E>>>(self, items: R) -> Filter<S> {
                call(ArrayFn::HasAll, vec![items.into_node(), self.node()])
            }
            /// How many items there are.
            pub fn length(self) -> Expr<S, $Length> {
                call(ArrayFn::Length, vec![self.node()])
            }
            /// The nth item, from 1; NULL beyond the ends.
            pub fn at(self, n: u32) -> Expr<S, Option<E::Base>> {
                call(ArrayFn::At, vec![self.node(), place(n)])
            }
            /// The items from one place to another, both included, from 1.
            pub fn slice(self, first: u32, last: u32) -> Expr<S, $Array> {
                call(ArrayFn::Slice, vec![self.node(), place(first), place(last)])
            }
            /// With this item at its end. A NULL is as an empty array.
            pub fn append<R: Operand<S, E::Base>>(self, item: R) -> Expr<S, Vec<E>> {
                call(ArrayFn::Append, vec![self.node(), item.into_node()])
            }
            /// With these items at its end. A NULL is as an empty array, two are NULL.
            pub fn concat<R: Operand<S, Vec<E>>>(self, items: R) -> Expr<S, $Array> {
                call(ArrayFn::Concat, vec![self.node(), items.into_node()])
            }
            /// Without the items that equal this.
            pub fn without<R: Operand<S, E::Base>>(self, item: R) -> Expr<S, $Array> {
                call(ArrayFn::Remove, vec![self.node(), item.into_node()])
            }
        }
    };
}
arrays!(Col, Vec<E>, i64, [K]);
arrays!(Col, Option<Vec<E>>, Option<i64>, [K]);
arrays!(Expr, Vec<E>, i64, []);
arrays!(Expr, Option<Vec<E>>, Option<i64>, []);
