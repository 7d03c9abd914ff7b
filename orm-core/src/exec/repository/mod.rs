//! The repository pattern: rows of a model behind an interface that a unit test can replace.

mod memory;

pub use memory::MemoryRepository;

use crate::ast::{Nulls, Order};
use crate::exec::{Edit, Pending, Record, Writes};
use crate::model::Writable;
use crate::query::{Insert, Query};
use crate::schema::Column;

/// Rows of a model, wherever they are kept: in a database (every handle that may write the model is a repository of
/// it), or in the memory of a unit test ([`MemoryRepository`]).
///
/// It holds what both can do alike; conditions are SQL in one place and closures in the other. What an application asks
/// beside that belongs into a trait of its own, `trait Users: Repository<User>`, written once with a query and once with
/// [`MemoryRepository::find`].
///
/// ```
/// # use orm_core::exec::{Db, MemoryRepository, Repository, Writes};
/// # use orm_core::model::Writable;
/// # use orm_core::error::Result;
/// async fn is_new<M: Writable + Clone>(rows: &dyn Repository<M>) -> Result<bool> {
///     Ok(rows.count().await? == 0)
/// }
/// # async fn run<User: Writable + Clone>(db: Db) -> Result<()> where Db: Writes<User> {
/// is_new::<User>(&db).await?;                                    // the application
/// assert!(is_new::<User>(&MemoryRepository::new()).await?);      // its unit test
/// # Ok(()) }
/// ```
///
/// Every method is a [`Pending`], so that `&dyn Repository<User>` is a type.
pub trait Repository<M: Writable + Clone>: Send + Sync {
    /// The row of this key, or `NotFound`.
    #[track_caller]
    fn get(&self, id: M::Id) -> Pending<'_, M>;
    /// All rows in the order of their keys.
    #[track_caller]
    fn list(&self) -> Pending<'_, Vec<M>>;
    /// At most `limit` rows behind the first `offset`, in the order of their keys.
    #[track_caller]
    fn page(&self, limit: u64, offset: u64) -> Pending<'_, Vec<M>>;
    /// How many rows there are.
    #[track_caller]
    fn count(&self) -> Pending<'_, i64>;
    /// Inserts a row and returns it with all that was filled in: `repository.insert(NewUser { .. }.into())`, or what
    /// `.set(..)` and `.with_id(..)` make of it.
    ///
    /// # Errors
    /// `UniqueViolation` and the other violations of constraints.
    #[track_caller]
    fn insert(&self, new: Insert<M>) -> Pending<'_, M>;
    /// Writes the columns that changed, and returns the row: `repository.save(edit)`, see [`Record::edit`].
    ///
    /// # Errors
    /// `Stale` when the model has a version and somebody changed the row since it was read, `NotFound` when it is
    /// gone, `InvalidQuery` when a managed column was changed; violations of constraints.
    #[track_caller]
    fn save(&self, row: Edit<M>) -> Pending<'_, M>;
    /// Deletes a row, softly where the model says so. Whether there was one.
    ///
    /// # Errors
    /// `Stale` when the model has a version and somebody changed the row since it was read.
    #[track_caller]
    fn delete(&self, row: M) -> Pending<'_, bool>;
}

/// All rows in the order of their keys.
fn by_key<M: Writable>() -> Query<M> {
    let mut query = Query::<M>::new();
    let root = query.ast().root();
    let order = |c: &'static Column| Order {
        expr: crate::ast::Expr::Column(root, &c.column),
        desc: false,
        nulls: Nulls::Default,
    };
    query.ast_mut().order = M::TABLE.key_columns().map(order).collect();
    query
}

impl<M: Writable + Clone, E: Writes<M>> Repository<M> for E {
    fn get(&self, id: M::Id) -> Pending<'_, M> {
        M::get(self, id)
    }
    fn list(&self) -> Pending<'_, Vec<M>> {
        by_key::<M>().all(self)
    }
    fn page(&self, limit: u64, offset: u64) -> Pending<'_, Vec<M>> {
        by_key::<M>().limit(limit).offset(offset).all(self)
    }
    fn count(&self) -> Pending<'_, i64> {
        Query::<M>::new().count(self)
    }
    fn insert(&self, new: Insert<M>) -> Pending<'_, M> {
        new.insert(self)
    }
    fn save(&self, row: Edit<M>) -> Pending<'_, M> {
        row.save(self)
    }
    fn delete(&self, row: M) -> Pending<'_, bool> {
        row.delete(self)
    }
}
