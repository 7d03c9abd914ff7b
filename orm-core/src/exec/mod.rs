//! Where queries meet a database: the only async code of the core, and the only place that both renders and runs.

mod bulk;
mod cascade;
mod collect;
pub mod create;
mod cursor;
mod db;
mod ddl;
mod edit;
mod executor;
mod fetch;
mod handle;
mod key;
mod keyed;
mod link;
mod load;
mod names;
mod observe;
mod pending;
mod read;
mod transaction;
mod upsert;
mod work;
mod wrapped;
mod write;

pub use cursor::Cursor;
pub use db::{Db, DbOptions, Echo};
pub use edit::{Change, Edit};
pub use executor::{AllowsRead, AllowsWrite, Exec, Raw, Serves, Writes};
pub use handle::{Handle, InTx, Outcome, Retry, TxFn, TxFnOnce, TxOptions};
pub use link::Replaced;
pub use load::LoadRelations;
pub use pending::Pending;
pub use transaction::Tx;
pub use work::{Committed, Graph, InsertGraph, IntoGraph, Ref, UnitOfWork};
pub use wrapped::{Acting, Tenant};
pub use write::{Inserts, Record};
