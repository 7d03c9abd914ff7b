//! Schemas as values, and how one becomes another. Use it through the `orm` crate's feature `migrate`.
//!
//! ```text
//! models ──────┐
//! a database ──┼─▶ schema::Schema ─▶ diff ─▶ Vec<Change> ─▶ plan ─▶ Vec<Step> ─▶ SQL
//! a snapshot ──┘
//! ```
//!
//! Everything up to there is pure: no database is asked but by introspection.
//!
//! ```text
//! files, code ─▶ Migrations ─▶ Graph ─▶ Migrator ─▶ one session, under a lock ─▶ history
//! ```
//!
//! [`Migrator`] is the only part that changes a database.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod backend;
mod backfill;
pub mod change;
mod code;
pub mod data;
pub mod diff;
mod dir;
pub mod docs;
pub mod drift;
pub mod frozen;
pub mod generate;
mod graph;
mod header;
mod history;
pub mod introspect;
pub mod lint;
mod lock;
pub mod plan;
pub mod preflight;
pub mod pull;
mod run;
pub mod schema;
mod segments;
pub mod snapshot;
mod sql;
pub mod squash;
mod target;
mod text;
pub mod transfer;
mod wire;
mod words;

pub use backend::Backend;
pub use backfill::{Backfill, Progress};
pub use dir::{Draft, Migration, Migrations, Script};
pub use graph::Graph;
pub use header::{Header, Kind, Phase};
pub use history::{Entry, Foreign, HISTORY_TABLE, Signature, Status};
pub use lock::LOCK_TABLE;
pub use run::{
    Adopted, At, Check, Direction, Failure, Migrator, Outcome, Planned, Ran, Repair, Report, Result, State,
    script,
};
pub use segments::{Limits, Work};
pub use target::Target;
pub use text::{Statement, checksum, statements};
