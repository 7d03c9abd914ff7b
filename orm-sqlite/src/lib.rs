//! The SQLite backend of `orm`. Use the `orm` crate; this one is for its facade and for settings beyond a URL.
//!
//! sqlx opens, configures and owns each connection; statements are prepared and stepped here, through SQLite's C
//! interface: a keyed read costs 3 µs this way and ten times that through another thread.
//!
//! ```text
//! Sqlite ─▶ Connections (a writer, readers) ─▶ Lease ─▶ Task ─▶ RawConnection ─▶ Sink
//!                                                └─▶ offload: the same on a blocking thread
//! ```
#![deny(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cache;
mod calls;
mod dates;
pub mod dialect;
mod document;
mod driver;
mod error;
mod from_row;
mod functions;
mod json;
mod offload;
mod open;
mod operators;
mod options;
mod own;
mod path;
mod plan;
mod pool;
mod ranges;
#[allow(unsafe_code)]
mod raw;
mod regex;
mod search;
mod several;
mod task;
mod transaction;
mod types;
mod url;
mod watch;

pub use sqlx;

pub use dialect::{DIALECT, SqliteDialect};
pub use driver::Sqlite;
#[doc(hidden)]
pub use from_row::from_row;
pub use options::{ReadMode, SqliteOptions, Synchronous};
pub use path::sqlite_path;
