//! The SQLite backend of `orm`.

pub mod dialect;
