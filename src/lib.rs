//! An async ORM: one derive on a plain struct, queries that read like Rust, statements at the speed of the driver.
//!
//! ```no_run
//! use orm::prelude::*;
//!
//! #[derive(Model, Clone, Debug)]
//! pub struct User {
//!     pub id: Id<User>,
//!     #[orm(unique)]
//!     pub email: String,
//!     pub name: String,
//! }
//!
//! # async fn run() -> orm::Result<()> {
//! let db = Db::connect("sqlite::memory:").await?;
//! db.create_all(&orm::schema![User]).await?;
//! let ann = NewUser { email: "ann@x.io".into(), name: "Ann".into() }.insert(&db).await?;
//! let found = User::query().filter(|u| u.email.eq("ann@x.io")).optional(&db).await?;
//! assert_eq!(found.map(|u| u.id), Some(ann.id));
//! # Ok(()) }
//! ```
//!
//! The [`prelude`] holds what every file with queries needs.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod audit;
mod connect;
mod from_row;
#[cfg(feature = "garde")]
mod garde;
#[cfg(doctest)]
mod guide;
#[cfg(feature = "postgres")]
mod notify;
#[cfg(feature = "testing")]
pub mod testing;

pub use audit::{AuditLog, AuditOperation, AuditTrail};
pub use connect::Connect;
#[cfg(feature = "garde")]
#[cfg_attr(docsrs, doc(cfg(feature = "garde")))]
pub use garde::{Invalid, garde};
pub use orm_core::ast::DatePart;
pub use orm_core::driver::{Isolation, PoolConfig, PoolOrder, PoolStatus, PrePing};
pub use orm_core::error::{Error, ErrorKind, Result};
pub use orm_core::exec::{
    Acting, ChainFault, ChainHead, ChainReport, Change, Committed, Cursor, Db, DbOptions, Echo, Edit, Exec,
    Explain, ForRequest, Graph, HashChain, History, HookHandle, Hooks, InTx, InsertGraph, Inserts,
    LoadRelations, MemoryRepository, Merge, Mergeable, Merged, Pending, Record, Ref, Repeat, Replaced,
    Repository, Serves, Session, Snapshot, Tenant, Tracked, Tx, UnitOfWork, Version, Write, WriteKind,
    Writes, watch_repeats,
};
pub use orm_core::model::{DbEnum, Embed, Forest, Model, Part, Path, Shape, Tree};
#[doc(inline)]
pub use orm_core::query::{cte, exists, from, recursive, values};
/// What generated code names, and nothing else does. No part of it is a promise to users.
#[doc(hidden)]
pub mod private {
    pub use orm_core::private::*;
    #[cfg(feature = "migrate")]
    pub use orm_migrate::Migrations;

    pub use crate::__from_row as from_row;
    pub use crate::audit::AuditLog;
}
pub use orm_core::query::{NumberedPage, Page, PageCursor};
pub use orm_core::relation::Polymorphic;
pub use orm_core::schema::Schema;
pub use orm_core::sql::plan::Plan;
pub use orm_core::sql_fn;
#[cfg(feature = "json")]
pub use orm_core::value::Json;
#[cfg(feature = "decimal")]
pub use orm_core::value::Scaled;
pub use orm_core::value::{
    Bits, CiText, Cidr, Date, Hstore, Id, Inet, Interval, LocalTimestamp, Ltree, MacAddr, MacAddr8,
    Multirange, Range, RowVersion, Scalar, TimeOfDay, Timestamp, TsVector, Vector, Weight,
};
pub use orm_core::{ast, driver, error, exec, model, query, relation, schema, sql, value};
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub use orm_derive::test;
pub use orm_derive::{Composite, DbEnum, Embed, Model, Polymorphic, Scalar, Shape, hybrid, raw_expr, sql};

/// Migrations: files, the history in the database, and the migrator that applies and undoes them.
#[cfg(feature = "migrate")]
#[cfg_attr(docsrs, doc(cfg(feature = "migrate")))]
pub mod migrate {
    pub use orm_derive::migrations as embed;
    #[doc(inline)]
    pub use orm_migrate::*;
}

// modules, not renamed crates: rustc names what they hold by a path that can be imported
/// PostgreSQL: connection options, and operators that only it has.
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub mod postgres {
    pub use crate::notify::notify;
    #[doc(inline)]
    pub use orm_postgres::*;
}
/// SQLite: connection options, and where an application keeps its file.
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub mod sqlite {
    #[doc(inline)]
    pub use orm_sqlite::*;
}

/// Window functions, for `.over(|w| ..)`.
pub mod window {
    pub use orm_core::query::{
        Over, Window, WindowFn, cume_dist, dense_rank, ntile, percent_rank, rank, row_number,
    };
}

/// What every file with queries needs.
pub mod prelude {
    #[cfg(feature = "json")]
    pub use crate::Json;
    #[cfg(feature = "decimal")]
    pub use crate::Scaled;
    pub use crate::query::{Cond, Expr, Filter, New, Query, Upserted, all_of, any_of, case, case_of, exists};
    // for its methods: a model may be called so that its columns have this name
    #[doc(no_inline)]
    pub use crate::query::SearchCols as _;
    pub use crate::{
        Acting, AuditTrail, Connect, Db, DbEnum, Embed, Error, ErrorKind, Exec, Forest, HashChain, History,
        Id, InsertGraph, Inserts, Interval, LoadRelations, Merge, Model, Polymorphic, Record, Serves, Shape,
        Tenant, Timestamp, Tree, Tx, Writes, sql,
    };
}
