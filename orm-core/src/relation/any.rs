//! Polymorphic associations: a row that belongs to a row of one of several models.
//!
//! The models are an enum, `#[derive(Polymorphic)]`, and the association is one of two [`Form`]s. Towards each of the
//! models it is an ordinary relation, [`To`], so that conditions, joins and loads are those of any other.

use std::marker::PhantomData;

use crate::ast::{CompareOp, Expr as Node, Source};
use crate::error::Result;
use crate::model::{Cardinality, Content, Embed, Maybe, Model, Rel, Shape, Single, named};
use crate::query::{Col, Expr, Filter, Phantom, Set};
use crate::relation::{Branch, Load, LoadLater, LoadOf, RelRef, filter::label_is};
use crate::schema::{Association, Cascade, Column, Label, Orphans, RelationDef, RelationKind};
use crate::value::{Loads, Rows, SqlType, Type, Value};

/// An enum of models that a row may belong to. Implemented by `#[derive(Polymorphic)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an enum of models",
    label = "`#[belongs_to_any]` needs the models that a row may belong to",
    note = "add `#[derive(Polymorphic)]` to an enum with one variant for each model: `Post(Post)`"
)]
pub trait Polymorphic: Single {
    /// The same enum of their keys.
    type Id: Embed + Clone;
    /// What a discriminator says of each.
    const LABELS: &'static [&'static str];
    /// The types of their keys.
    const KEYS: &'static [Type];
    /// The key, if it is one of the model at this position.
    fn key(id: &Self::Id, target: usize) -> Option<Vec<Value>>;
    /// One load for each of the models.
    #[doc(hidden)]
    fn branches<R: AnyRel<Targets = Self>>() -> Vec<Branch>;
}

/// `T` is one of the models of this enum.
#[diagnostic::on_unimplemented(
    message = "`{T}` is not among the models of `{Self}`",
    label = "no variant of `{Self}` holds a `{T}`",
    note = "add a variant to the enum"
)]
pub trait Targets<T>: Polymorphic {
    /// The model itself. The detour makes one that is not among them one error.
    type Model: Model;
    /// The position of its variant.
    const AT: usize;
    /// What a discriminator says of it.
    const LABEL: &'static str;
    /// Its key among the keys of all.
    fn id(key: <Self::Model as Model>::Id) -> Self::Id;
}

/// How a polymorphic association is stored.
#[derive(Clone, Copy)]
pub enum Form {
    /// A discriminator and the key of whatever model it names. No foreign key is possible.
    Pair {
        /// The discriminator.
        label: fn() -> &'static Column,
        /// The key.
        key: fn() -> &'static Column,
    },
    /// An exclusive arc: a foreign key for each model in the order of the enum, all of them NULL but one.
    Arc(fn() -> Vec<&'static Column>),
}

impl Form {
    /// The column with the key of the model at this position.
    fn key(self, target: usize) -> Option<&'static Column> {
        match self {
            Form::Pair { key, .. } => Some(key()),
            Form::Arc(columns) => columns().get(target).copied(),
        }
    }
    /// The foreign keys to other models.
    fn others(self, target: usize) -> Vec<&'static Column> {
        let Form::Arc(columns) = self else {
            return Vec::new();
        };
        let others = columns().into_iter().enumerate();
        others.filter(|(at, _)| *at != target).map(|(_, c)| c).collect()
    }
}

/// A polymorphic association, seen from the model that belongs. Implemented by the derive on hidden marker types.
pub trait AnyRel: Copy + Send + Sync + 'static {
    /// The declaring model.
    type Parent: Model;
    /// The models it may belong to.
    type Targets: Polymorphic;
    /// A row of the declaring model with what it belongs to beside it.
    type With<B: Shape<Model = Self::Parent>, C: Content>: Shape<Model = Self::Parent>;
    /// The name of the declaring model's Rust type.
    const MODEL: &'static str;
    /// The name of the association.
    const NAME: &'static str;
    /// How it is stored.
    const FORM: Form;
    /// The key of what the row belongs to.
    fn id(row: &Self::Parent) -> Option<<Self::Targets as Polymorphic>::Id>;
    /// Puts what was loaded beside a row.
    fn attach<B: Shape<Model = Self::Parent>, C: Content>(base: B, content: C) -> Self::With<B, C>;
}

/// Has a polymorphic association of a certain name, told apart by its hash `F`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `#[belongs_to_any]` of this name",
    label = "declare it there"
)]
pub trait Referrer<const F: u64> {
    /// The association.
    type Rel: AnyRel;
    /// Whether there may be none: `One` or `Maybe`.
    type Card;
}

type Id<R> = <<R as AnyRel>::Targets as Polymorphic>::Id;

/// A polymorphic association towards one of its models: an ordinary relation.
pub struct To<R, T>(PhantomData<fn() -> (R, T)>);

impl<R, T> Clone for To<R, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<R, T> Copy for To<R, T> {}

impl<R: AnyRel, T: Model> Rel for To<R, T>
where
    R::Targets: Targets<T>,
{
    type Parent = R::Parent;
    type Child = T;
    type Card = Maybe;
    type With<B: Shape<Model = R::Parent>, C: Content> = R::With<B, C>;
    const DEF: &'static RelationDef = &RelationDef {
        name: R::NAME,
        model: R::MODEL,
        kind: RelationKind::BelongsTo,
        parent: || {
            let at = <R::Targets as Targets<T>>::AT;
            R::FORM.key(at).into_iter().collect()
        },
        table: || T::TABLE,
        child: || T::TABLE.key_columns().collect(),
        through: None,
        cascade: Cascade::Database,
        orphans: Orphans::Unlink,
        required: false,
        association: Some(Association {
            label: match R::FORM {
                Form::Pair { label, .. } => Some(Label {
                    column: label,
                    value: <R::Targets as Targets<T>>::LABEL,
                }),
                Form::Arc(_) => None,
            },
            others: || R::FORM.others(<R::Targets as Targets<T>>::AT),
        }),
    };
    fn key(row: &R::Parent) -> Option<Vec<Value>> {
        R::Targets::key(&R::id(row)?, <R::Targets as Targets<T>>::AT)
    }
    fn attach<B: Shape<Model = R::Parent>, C: Content>(base: B, content: C) -> R::With<B, C> {
        R::attach(base, content)
    }
}

/// The load of one of the models. Called by generated code.
pub fn branch<R: AnyRel, T: Model>() -> Branch
where
    R::Targets: Targets<T>,
{
    Load::<To<R, T>>::new().into_branch(Rows::<T>::collector)
}

/// Takes what was loaded of a polymorphic association, named in errors. Called by generated code.
pub fn take_any<R: AnyRel, C: Content>(local: C::Local, loads: &mut Loads<'_>) -> Result<C> {
    C::complete(local, loads).map_err(|e| named(R::MODEL, R::NAME, e))
}

/// A polymorphic association of the closure argument: in `.with(..)` what the row belongs to, in a condition or an
/// assignment its key, and by [`target`](AnyRef::target) a relation to one of the models.
pub struct AnyRef<S, R> {
    source: Source,
    _p: Phantom<(S, R)>,
}
impl<S, R> Clone for AnyRef<S, R> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S, R> Copy for AnyRef<S, R> {}

impl<S, R> AnyRef<S, R> {
    /// The association of one table reference. Called by generated code.
    pub const fn new(source: Source) -> Self {
        AnyRef {
            source,
            _p: PhantomData,
        }
    }
}

impl<S, R: AnyRel> AnyRef<S, R> {
    /// The relation to one of the models: `n.subject.target::<Post>().any(|p| p.title.eq("a"))`. A row that belongs to
    /// another model has nothing there.
    pub fn target<T: Model>(self) -> RelRef<S, To<R, <R::Targets as Targets<T>>::Model>>
    where
        R::Targets: Targets<T>,
    {
        RelRef::new(self.source)
    }
    /// The row belongs to this one: `n.subject.is(&post)`. Neither this nor its negation holds for a row that belongs
    /// to nothing.
    pub fn is(self, target: impl Into<Id<R>>) -> Filter<S> {
        let stored = values::<R>(target.into()).into_iter();
        let equal = stored.filter(|(_, value)| !value.is_null()).map(|(c, value)| {
            let column = Box::new(Node::Column(self.source, &c.column));
            Node::Compare(CompareOp::Eq, column, Box::new(Node::Value(value)))
        });
        Expr::new(Node::All(equal.collect()))
    }
    /// The row belongs to some row of this model: by its discriminator, or by the foreign key that is not NULL.
    pub fn is_a<T: Model>(self) -> Filter<S>
    where
        R::Targets: Targets<T>,
    {
        let def = <To<R, T> as Rel>::DEF;
        if let Some(label) = def.label() {
            return Expr::new(label_is(self.source, label));
        }
        let columns = (def.parent)().into_iter();
        let present = columns.map(|c| Node::IsNull(Box::new(Node::Column(self.source, &c.column)), true));
        Expr::new(Node::All(present.collect()))
    }
    /// Assignments that make the row belong to this one, for `.set(..)`: `n.subject.to(&post)`. All columns of the
    /// association are set.
    #[must_use = "an assignment does nothing outside `.set(..)`"]
    pub fn to(self, target: impl Into<Id<R>>) -> Vec<Set<S>> {
        let stored = values::<R>(target.into()).into_iter();
        stored.map(|(c, value)| Set::new(c, Node::Value(value))).collect()
    }
}

/// The columns of the association and their values.
fn values<R: AnyRel>(id: Id<R>) -> Vec<(&'static Column, Value)> {
    match R::FORM {
        Form::Pair { label, key } => {
            let mut values = Vec::with_capacity(2);
            id.add_to(&mut values);
            [label(), key()].into_iter().zip(values).collect()
        }
        Form::Arc(columns) => {
            let value = |(at, column): (usize, &'static Column)| {
                let key = R::Targets::key(&id, at).and_then(|key| key.into_iter().next());
                (column, key.unwrap_or(Value::Null(column.column.ty)))
            };
            columns().into_iter().enumerate().map(value).collect()
        }
    }
}

#[diagnostic::do_not_recommend]
impl<M: Model, R: AnyRel<Parent = M>> LoadOf<M> for AnyRef<M, R> {
    type Out<O: Shape<Model = M>> = R::With<O, Option<R::Targets>>;
    fn add_to(self, _: &mut crate::ast::Select, loads: &mut Vec<Branch>) {
        loads.extend(R::Targets::branches::<R>().into_iter().map(Branch::beside));
    }
}
#[diagnostic::do_not_recommend]
impl<M: Model, R: AnyRel<Parent = M>> LoadLater<M> for AnyRef<M, R> {
    fn branches(self) -> Vec<Branch> {
        R::Targets::branches::<R>()
    }
    fn key(row: &M, branch: usize) -> Option<Vec<Value>> {
        R::Targets::key(&R::id(row)?, branch)
    }
    fn attach<O: Shape<Model = M>>(row: O, loads: &mut Loads<'_>) -> Result<Self::Out<O>> {
        Content::load(loads)
            .map(|c| R::attach(row, c))
            .map_err(|e| named(R::MODEL, R::NAME, e))
    }
}

/// The columns of a discriminator and its key inside a query.
pub struct TargetCols<S, C: Cardinality> {
    /// The discriminator.
    pub kind: Col<S, C::Col<String>>,
}
impl<S, C: Cardinality> Clone for TargetCols<S, C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S, C: Cardinality> Copy for TargetCols<S, C> {}

impl<S, C: Cardinality> TargetCols<S, C>
where
    C::Col<String>: SqlType,
{
    /// The columns of one table reference, where `columns` begin with them. Called by generated code.
    pub const fn new(source: Source, discriminator: &'static Column) -> Self {
        TargetCols {
            kind: Col::new(source, discriminator),
        }
    }
}
