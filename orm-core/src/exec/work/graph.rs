//! A row and the rows that belong to it, inserted in one expression.

use std::panic::Location;

use crate::ast::{Expr as Node, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::link::{only_links, several};
use crate::exec::work::{Finish, Kind, List, Ref, run};
use crate::exec::{Pending, Writes};
use crate::model::{Content as _, Holds, Insertable, Key, Linkable, Model, Rel, Shape, Whole, named};
use crate::query::{Insert, New, put};
use crate::relation::RelRef;
use crate::schema::RelationKind;
use crate::value::{Children, Loads, Value};

type Plan<M, O> = Box<dyn FnOnce(&mut List) -> Result<(Ref<M>, Finish<O>)> + Send>;

/// A new row with related rows. `O` is what comes back: the row with the relations beside it.
///
/// ```text
/// let ann: UserWithPosts = NewUser { email, name }
///     .with(|u| u.posts, |author_id| [NewPost { author_id, title }])
///     .insert(&db)
///     .await?;
/// ```
#[must_use = "a graph is inserted by `.insert(&db)`"]
pub struct Graph<M: Model, O> {
    /// Puts the row into a unit; what it becomes, and its reference.
    plan: Plan<M, O>,
}

/// What can stand in a graph: `NewX { .. }`, with `.set(..)`, or with related rows of its own.
pub trait IntoGraph<M: Model>: Sized {
    /// What comes back.
    type Out: Shape<Model = M>;
    /// As a graph.
    fn into_graph(self) -> Graph<M, Self::Out>;
}
impl<M: Insertable> IntoGraph<M> for Insert<M> {
    type Out = M;
    fn into_graph(self) -> Graph<M, M> {
        Graph {
            plan: Box::new(move |list| {
                let row = list.insert(self)?;
                let again = row.clone();
                let finish: Finish<M> = Box::new(move |done| done.take(&again));
                Ok((row, finish))
            }),
        }
    }
}
impl<N: New> IntoGraph<N::Model> for N {
    type Out = N::Model;
    fn into_graph(self) -> Graph<N::Model, N::Model> {
        self.into_insert().into_graph()
    }
}
impl<M: Model, O: Shape<Model = M>> IntoGraph<M> for Graph<M, O> {
    type Out = O;
    fn into_graph(self) -> Graph<M, O> {
        self
    }
}

/// What a relation holds of related rows that were inserted with a row.
type Inserted<R, O> = <<R as Rel>::Card as Holds>::Columns<O, Whole>;

/// Adds related rows to a new row.
pub trait InsertGraph<M: Insertable>: IntoGraph<M> {
    /// Inserts related rows with this one, as one unit. The closure gets the key of this row (a placeholder, where the
    /// database makes it), for the foreign key of the related rows; over a join table the links are inserted too.
    fn with<R, I>(
        self,
        relation: impl FnOnce(M::Cols<M>) -> RelRef<M, R>,
        rows: impl FnOnce(M::Id) -> I + Send + 'static,
    ) -> Graph<M, R::With<Self::Out, Inserted<R, <I::Item as IntoGraph<R::Child>>::Out>>>
    where
        R: Linkable<Parent = M>,
        I: IntoIterator<Item: IntoGraph<R::Child>>,
        R::Child: Insertable,
        R::Through: Insertable,
    {
        let _ = relation(M::cols(Source::ROOT));
        let Graph { plan } = self.into_graph();
        Graph {
            plan: Box::new(move |list| {
                let (row, finish) = plan(list)?;
                let mut below = Vec::new();
                for item in rows(row.id()) {
                    let (child, finish) = (item.into_graph().plan)(list)?;
                    list.relate::<R>(&row, &child)?;
                    below.push(finish);
                }
                let finish: Finish<_> = Box::new(move |done| {
                    let row = finish(done)?;
                    let rows = below.into_iter().map(|f| f(done)).collect::<Result<Vec<_>>>()?;
                    let to_many = matches!(R::DEF.kind, RelationKind::HasMany | RelationKind::ManyToMany);
                    let mut children = [Children::of_one(rows, to_many).ok_or_else(|| several(R::DEF))?];
                    let content = Inserted::<R, _>::load(&mut Loads::new(&mut children));
                    Ok(R::attach(
                        row,
                        content.map_err(|e| named(R::DEF.model, R::DEF.name, e))?,
                    ))
                });
                Ok((row, finish))
            }),
        }
    }
    /// Links rows that are there already to this one.
    fn link<R>(
        self,
        relation: impl FnOnce(M::Cols<M>) -> RelRef<M, R>,
        ids: impl IntoIterator<Item = <R::Child as Model>::Id>,
    ) -> Graph<M, Self::Out>
    where
        R: Linkable<Parent = M>,
        R::Through: Insertable,
    {
        let _ = relation(M::cols(Source::ROOT));
        let Graph { plan } = self.into_graph();
        let ids: Vec<_> = ids.into_iter().collect();
        Graph {
            plan: Box::new(move |list| {
                let (row, finish) = plan(list)?;
                for id in ids {
                    list.link::<R>(&row, id)?;
                }
                Ok((row, finish))
            }),
        }
    }
}
impl<M: Insertable, G: IntoGraph<M>> InsertGraph<M> for G {}

impl List {
    /// Makes the child belong to the row: by its foreign key, or by a row of the join table.
    fn relate<R: Linkable>(&mut self, row: &Ref<R::Parent>, child: &Ref<R::Child>) -> Result<()>
    where
        R::Through: Insertable,
    {
        if R::DEF.through.is_some() {
            return self.join::<R>(row.id().into_values(), child.id().into_values());
        }
        if let Some(Kind::Insert { row: set, .. }) = self.steps.get_mut(child.at).map(|s| &mut s.kind) {
            for (column, value) in R::DEF.linked(row.id().into_values()) {
                set.retain(|(c, _)| !std::ptr::eq(*c, column));
                set.push((column, put(column, Node::Value(value))));
            }
        }
        Ok(())
    }
    fn link<R: Linkable>(&mut self, row: &Ref<R::Parent>, id: <R::Child as Model>::Id) -> Result<()>
    where
        R::Through: Insertable,
    {
        match R::DEF.through {
            Some(_) => self.join::<R>(row.id().into_values(), id.into_values()),
            None => {
                let text =
                    "only rows over a join table can be linked to a new row; link the others afterwards";
                let e = Error::new(ErrorKind::InvalidQuery, text);
                Err(e.with_model(R::DEF.model).with_field(R::DEF.name))
            }
        }
    }
    /// A row of the join table.
    fn join<R: Linkable>(&mut self, parent: Vec<Value>, child: Vec<Value>) -> Result<()>
    where
        R::Through: Insertable,
    {
        let Some(through) = &R::DEF.through else {
            return Ok(());
        };
        let (own, other) = ((through.parent)(), (through.child)());
        only_links((through.table)(), &own, &other)?;
        let columns = own.into_iter().chain(other).zip(parent.into_iter().chain(child));
        let row = columns.map(|(c, v)| (c, put(c, Node::Value(v)))).collect();
        self.insert(Insert::<R::Through>::of_row(row, false))?;
        Ok(())
    }
}

impl<M: Insertable, O: Send + 'static> Graph<M, O> {
    /// Inserts all rows as one unit: one statement for each model and level. The row comes back with the relations
    /// that were inserted beside it.
    ///
    /// Models of the graph that record who writes them, or that belong to a tenant, need a handle that says so: an
    /// `InvalidQuery` error otherwise.
    #[track_caller]
    pub fn insert<E: Writes<M> + ?Sized>(self, ex: &E) -> Pending<'_, O> {
        let (raw, site) = (ex.raw(), Location::caller());
        let mut list = List::new();
        let finish = match (self.plan)(&mut list) {
            Ok((_, finish)) => finish,
            Err(e) => return Pending::failed(e),
        };
        Pending::steps(async move {
            let mut committed = run::commit(raw, list, site).await?;
            finish(&mut committed)
        })
    }
}
