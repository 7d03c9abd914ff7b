//! One moment of the database: a handle for reads that see nothing of what is committed meanwhile.

use crate::driver::{BoxFuture, Isolation, TxMode};
use crate::error::Result;
use crate::exec::{AllowsRead, Exec, Handle, InTx, Raw, Tx};
use crate::model::{TenantScoped, Tenanted};

/// A handle whose reads all see the database as it was at the first of them, also the statements of one load. It only
/// reads: writing through it does not compile. Made by `db.snapshot()`, and with its tenant by `db.tenant(id).snapshot()`.
///
/// On PostgreSQL it is a transaction that is repeatable read and read only, on SQLite a transaction of a reader. It holds
/// a connection until [`end`](Snapshot::end), or until it is dropped, which on PostgreSQL closes the connection.
pub struct Snapshot<H = Tx> {
    tx: H,
}

impl<H: InTx> Snapshot<H> {
    pub(crate) fn open<'a, D: Handle<Inner = H>>(handle: &'a D, mode: TxMode) -> BoxFuture<'a, Result<Self>>
    where
        H: 'a,
    {
        let mode = TxMode {
            isolation: Some(Isolation::RepeatableRead),
            read_only: true,
            ..mode
        };
        Box::pin(async move {
            let tx = handle.open(mode).await?;
            Ok(Snapshot { tx })
        })
    }
    /// Gives the connection back.
    pub async fn end(self) -> Result<()> {
        self.tx.into_tx().commit().await
    }
}

#[diagnostic::do_not_recommend]
impl<H: Exec> Exec for Snapshot<H> {
    fn raw(&self) -> Raw<'_> {
        self.tx.raw()
    }
}
#[diagnostic::do_not_recommend]
impl<H: Handle> Handle for Snapshot<H> {
    type Inner = Snapshot<H::Inner>;
    type Shared<'a>
        = Snapshot<H::Shared<'a>>
    where
        Self: 'a;
    fn open(&self, mode: TxMode) -> BoxFuture<'_, Result<Self::Inner>> {
        Box::pin(async move {
            let tx = self.tx.open(mode).await?;
            Ok(Snapshot { tx })
        })
    }
    fn share(&self) -> Self::Shared<'_> {
        let tx = self.tx.share();
        Snapshot { tx }
    }
}
/// So that rows can be streamed.
#[diagnostic::do_not_recommend]
impl<H: InTx> InTx for Snapshot<H> {
    fn tx(&self) -> &Tx {
        self.tx.tx()
    }
    fn into_tx(self) -> Tx {
        self.tx.into_tx()
    }
}
#[diagnostic::do_not_recommend]
impl<M: Tenanted, H: Exec> AllowsRead<Snapshot<H>> for TenantScoped<M> where Self: AllowsRead<H> {}
