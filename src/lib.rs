//! Async Rust ORM.
#![forbid(unsafe_code)]

pub use orm_core::model::{DbEnum, Model};
#[doc(hidden)]
pub use orm_core::private;
pub use orm_core::{error, model, query, schema, value};
pub use orm_derive::{DbEnum, Model, sql};
