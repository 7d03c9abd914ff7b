//! Schemas as values, and how one becomes another. Use it through the `orm` crate's feature `migrate`.
//!
//! ```text
//! models ──────┐
//! a database ──┼─▶ schema::Schema ─▶ diff ─▶ Vec<Change> ─▶ plan ─▶ Vec<Step> ─▶ SQL
//! a snapshot ──┘
//! ```
//!
//! Everything but [`introspect`] is pure: no database is asked.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod change;
pub mod diff;
pub mod docs;
pub mod introspect;
pub mod lint;
pub mod plan;
pub mod schema;
pub mod snapshot;
mod sql;
mod words;
