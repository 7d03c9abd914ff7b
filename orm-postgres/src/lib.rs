//! The PostgreSQL backend of `orm`.

pub mod dialect;
