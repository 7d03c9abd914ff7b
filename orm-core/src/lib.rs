//! The backend-free core of `orm`. Use the `orm` crate; this one is for backends and generated code.
//!
//! ```text
//! #[derive(Model)] ─▶ schema::Table ─▶ query::Select ─▶ ast ─▶ sql::render ─▶ driver ─▶ Sink ─▶ Model::decode
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod ast;
pub mod driver;
pub mod error;
pub mod exec;
pub mod model;
#[doc(hidden)]
pub mod private;
pub mod query;
pub mod relation;
pub mod schema;
pub mod sql;
pub mod value;
