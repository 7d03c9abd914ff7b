//! Where queries meet a database: the only async code of the core, and the only place that both renders and runs.

mod beside;
mod bulk;
mod cascade;
mod chain;
mod collect;
mod compound;
mod context;
mod copy;
pub mod create;
mod cursor;
mod db;
mod ddl;
mod edit;
mod executor;
mod explain;
mod fetch;
mod handle;
mod history;
mod hooks;
mod insert;
mod key;
mod keyed;
mod link;
mod load;
mod names;
mod observe;
mod page;
mod parts;
mod pending;
mod physical;
mod read;
mod repeats;
mod repository;
mod search;
mod session;
mod set_based;
mod snapshot;
mod texts;
pub(crate) mod trail;
mod transaction;
mod tree;
mod upsert;
mod view;
mod work;
mod wrapped;
mod write;

pub use chain::{ChainFault, ChainHead, ChainReport, HashChain};
pub use cursor::Cursor;
pub use db::{Db, DbOptions, Echo};
pub use edit::{Change, Edit};
#[doc(hidden)]
pub use executor::FindsByKey;
pub use executor::{AllowsRead, AllowsWrite, Exec, Raw, Serves, Writer, Writes};
pub use explain::Explain;
pub use handle::{Handle, InTx, Outcome, Retry, TxFn, TxFnOnce, TxOptions};
pub use history::{History, Version};
pub use hooks::{Event, HookHandle, HookTable, Hooks, Write, WriteKind};
pub use link::Replaced;
pub use load::LoadRelations;
pub use pending::Pending;
pub use repeats::{Repeat, Watched, watch_repeats};
pub use repository::{MemoryRepository, Repository};
pub use session::{Session, Tracked};
pub use snapshot::Snapshot;
pub use transaction::Tx;
pub use view::Refresh;
pub use work::{
    Committed, Graph, InsertGraph, IntoGraph, Merge, MergeContent, Mergeable, Merged, Ref, UnitOfWork,
};
#[doc(hidden)]
pub use work::{Finish, List, plan_relation};
pub use wrapped::{Acting, ForRequest, Tenant};
pub(crate) use write::insert_variants;
pub use write::{Inserts, Record};
