//! Relations of rows in hand.

use std::any::Any;
use std::panic::Location;

use crate::ast::Source;
use crate::driver::BoxFuture;
use crate::error::Result;
use crate::exec::collect::other_sink;
use crate::exec::fetch::Site;
use crate::exec::key::Key;
use crate::exec::load::keys::Keys;
use crate::exec::load::{Loaded, branch_of};
use crate::exec::{Pending, Raw, Serves};
use crate::model::{Entity, Model, Shape};
use crate::relation::{Branch, LoadLater};
use crate::value::Loads;

/// Loads relations beside rows that were read before.
///
/// ```
/// # use orm_core::exec::{LoadRelations, Serves, Db};
/// # use orm_core::model::{Entity, Model};
/// # use orm_core::relation::{LoadLater, LoadOf};
/// # async fn run<M, L>(db: &Db, rows: Vec<M>, posts: fn(M::Cols<M>) -> L) -> orm_core::error::Result<()>
/// # where M: Model, Db: Serves<M>, M: Entity<Model = M>, L: LoadLater<M> {
/// let rows = rows.load(db, posts).await?; // rows.load(&db, |u| u.posts)
/// # Ok(()) }
/// ```
pub trait LoadRelations: Sized {
    /// A row.
    type Row: Entity;
    /// The same with the relation beside each row.
    type Loaded<T>;
    /// Loads a relation beside each row: one statement for all of them, none when there is no row.
    #[track_caller]
    fn load<'a, E, L>(
        self,
        ex: &'a E,
        f: impl FnOnce(<<Self::Row as Shape>::Model as Model>::Cols<<Self::Row as Shape>::Model>) -> L,
    ) -> Pending<'a, Self::Loaded<L::Out<Self::Row>>>
    where
        E: Serves<<Self::Row as Shape>::Model> + ?Sized,
        L: LoadLater<<Self::Row as Shape>::Model>;
}

fn start<'a, O: Entity, L: LoadLater<O::Model>>(
    rows: Vec<O>,
    raw: Raw<'a>,
    load: L,
    site: Site,
) -> BoxFuture<'a, Result<Loaded>> {
    let branches = load.branches();
    let keys = |branch| Keys::Others {
        at: Vec::new(),
        values: rows
            .iter()
            .map(|row| L::key(row.row(), branch).map(Key::new))
            .collect(),
    };
    let keys = (0..branches.len()).map(keys).collect();
    Box::pin(load_for(raw, Box::new(rows), keys, branches, site))
}

fn columns<M: Model>() -> M::Cols<M> {
    M::cols(Source::ROOT)
}

impl<O: Entity> LoadRelations for Vec<O> {
    type Row = O;
    type Loaded<T> = Vec<T>;
    fn load<'a, E, L>(
        self,
        ex: &'a E,
        f: impl FnOnce(<O::Model as Model>::Cols<O::Model>) -> L,
    ) -> Pending<'a, Vec<L::Out<O>>>
    where
        E: Serves<O::Model> + ?Sized,
        L: LoadLater<O::Model>,
    {
        let fut = start(self, ex.raw(), f(columns::<O::Model>()), Location::caller());
        Pending::loaded(fut, Loaded::attach::<O, L>)
    }
}

impl<O: Entity> LoadRelations for O {
    type Row = O;
    type Loaded<T> = T;
    fn load<'a, E, L>(
        self,
        ex: &'a E,
        f: impl FnOnce(<O::Model as Model>::Cols<O::Model>) -> L,
    ) -> Pending<'a, L::Out<O>>
    where
        E: Serves<O::Model> + ?Sized,
        L: LoadLater<O::Model>,
    {
        let fut = start(vec![self], ex.raw(), f(columns::<O::Model>()), Location::caller());
        Pending::loaded(fut, |loaded| {
            loaded.attach::<O, L>()?.pop().ok_or_else(other_sink)
        })
    }
}

impl Loaded {
    /// The rows in hand with what was loaded for them.
    fn attach<O: Entity, L: LoadLater<O::Model>>(mut self) -> Result<Vec<L::Out<O>>> {
        let rows = self.rows.downcast::<Vec<O>>().map_err(|_| other_sink())?;
        rows.into_iter()
            .map(|row| L::attach(row, &mut Loads::new(&mut self.children)))
            .collect()
    }
}

/// Loads a relation for rows in hand.
async fn load_for(
    raw: Raw<'_>,
    rows: Box<dyn Any + Send>,
    keys: Vec<Keys>,
    branches: Vec<Branch>,
    site: Site,
) -> Result<Loaded> {
    let mut children = Vec::with_capacity(branches.len());
    for (keys, branch) in keys.into_iter().zip(branches) {
        // a read of its own: in a loop it is one too many
        let raw = Raw {
            relation: Some(branch.relation),
            ..raw.again()
        };
        children.push(branch_of(&raw, keys, branch, site).await?);
    }
    Ok(Loaded { rows, children })
}
