//! The only traits that user signatures mention.

use std::sync::Arc;

use crate::driver::Runner;
use crate::exec::db::Shared;
use crate::exec::wrapped::{Acting, ForRequest, Tenant};
use crate::exec::{Handle, Pending, Session, Tx, UnitOfWork};
use crate::model::{Audited, Model, Open, Signed, TenantScoped, Tenanted};
use crate::schema::RelationDef;
use crate::sql::{Dialect, Scope};

/// A runner of statements, with what the handle adds to each of them.
pub struct Raw<'a> {
    pub(crate) runner: &'a dyn Runner,
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) scope: Scope,
    /// The transaction, where the runner is one.
    pub(crate) tx: Option<&'a Tx>,
    /// The relation that a read follows from a row in memory.
    pub(crate) relation: Option<&'static RelationDef>,
}

impl<'a> Raw<'a> {
    /// The same once more.
    pub(crate) fn again(&self) -> Raw<'a> {
        Raw {
            runner: self.runner,
            shared: self.shared,
            scope: self.scope.clone(),
            tx: self.tx,
            relation: self.relation,
        }
    }
    /// The dialect of the database.
    pub fn dialect(&self) -> &'static dyn Dialect {
        self.runner.dialect()
    }
    /// What the handle adds to its statements.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
}

/// A handle that runs statements: `Db`, `Tx`, a `Snapshot`, or one of them with a tenant or an actor.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot run queries",
    label = "expected `&db` or a transaction",
    note = "pass a reference: `.all(&db)`, or `.all(tx)` inside a transaction"
)]
pub trait Exec: Send + Sync {
    /// The runner under the handle.
    #[doc(hidden)]
    fn raw(&self) -> Raw<'_>;
    /// Collects inserts, changes and deletes of many models, and sends them together in the order their foreign keys
    /// ask for.
    #[track_caller]
    fn unit_of_work(&self) -> UnitOfWork<'_, Self> {
        UnitOfWork::new(self)
    }
    /// An identity map over this handle: the same key gives the same row, read once. Nothing but units of work made on
    /// the session writes through it.
    fn session(&self) -> Session<&Self>
    where
        Self: Handle + Sized,
    {
        Session::new(self)
    }
}

/// A handle that may read `M`. Every handle serves ordinary models; a tenant-scoped one needs a tenant.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot run queries on `{M}`",
    label = "expected `&db` or a transaction"
)]
pub trait Serves<M>: Exec {}

/// A handle that may write `M`. An audited model needs an actor.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot write `{M}`",
    label = "expected `&db` or a transaction"
)]
pub trait Writes<M>: Serves<M> {}

impl<M: Model, E: Exec + ?Sized> Serves<M> for E where M::Reads: AllowsRead<E> {}
impl<M: Model, E: Writer + Serves<M> + ?Sized> Writes<M> for E where M::Writes: AllowsWrite<E> {}

/// What finds a row of `M` by its key. Nothing does, for views without one: it carries the message.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{M}` is a view without a primary key: find its rows with `{M}::query().filter(..)`",
    label = "no key tells the rows of `{M}` apart",
    note = "where one column does, mark it with `#[orm(id)]`"
)]
pub trait FindsByKey<M> {
    /// The row.
    fn find(self) -> Pending<'static, M>;
}

/// `Self` is what a model asks of a reader, `E` the handle.
#[diagnostic::on_unimplemented(
    message = "this model is tenant-scoped and `{E}` carries no tenant",
    label = "use `db.tenant(id)`",
    note = "in code generic over the model, take `&impl Serves<M>`"
)]
pub trait AllowsRead<E: ?Sized> {}

/// `Self` is what a model asks of a writer, `E` the handle.
#[diagnostic::on_unimplemented(
    message = "this model records who writes it and `{E}` does not say who",
    label = "use `db.acting_as(user_id)`",
    note = "in code generic over the model, take `&impl Writes<M>`"
)]
pub trait AllowsWrite<E: ?Sized> {}

/// A handle that does more than read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` only reads",
    label = "write through `&db` or a transaction",
    note = "in code generic over the handle, take `&impl Writes<M>`"
)]
pub trait Writer: Exec {}
#[diagnostic::do_not_recommend]
impl<E: Writer + ?Sized> Writer for &E {}
#[diagnostic::do_not_recommend]
impl<E: Writer + ?Sized> Writer for &mut E {}

#[diagnostic::do_not_recommend]
impl<E: Exec + ?Sized> AllowsRead<E> for Open {}
#[diagnostic::do_not_recommend]
impl<E: Exec + ?Sized> AllowsWrite<E> for Open {}
#[diagnostic::do_not_recommend]
impl<M: Tenanted, H: Exec> AllowsRead<Tenant<H, M::Tenant>> for TenantScoped<M> {}
#[diagnostic::do_not_recommend]
impl<M: Tenanted, H, A> AllowsRead<Acting<H, A>> for TenantScoped<M> where Self: AllowsRead<H> {}
#[diagnostic::do_not_recommend]
impl<M: Tenanted, H, R> AllowsRead<ForRequest<H, R>> for TenantScoped<M> where Self: AllowsRead<H> {}
#[diagnostic::do_not_recommend]
impl<M: Tenanted, E> AllowsRead<&E> for TenantScoped<M> where Self: AllowsRead<E> {}
#[diagnostic::do_not_recommend]
impl<M: Signed, H: Exec> AllowsWrite<Acting<H, M::Actor>> for Audited<M> {}
#[diagnostic::do_not_recommend]
impl<M: Signed, H, T> AllowsWrite<Tenant<H, T>> for Audited<M> where Self: AllowsWrite<H> {}
#[diagnostic::do_not_recommend]
impl<M: Signed, H, R> AllowsWrite<ForRequest<H, R>> for Audited<M> where Self: AllowsWrite<H> {}
#[diagnostic::do_not_recommend]
impl<M: Signed, E> AllowsWrite<&E> for Audited<M> where Self: AllowsWrite<E> {}

#[diagnostic::do_not_recommend]
impl<E: Exec + ?Sized> Exec for &E {
    fn raw(&self) -> Raw<'_> {
        (**self).raw()
    }
}
#[diagnostic::do_not_recommend]
impl<E: Exec + ?Sized> Exec for &mut E {
    fn raw(&self) -> Raw<'_> {
        (**self).raw()
    }
}
