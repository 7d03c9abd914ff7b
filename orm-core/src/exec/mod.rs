//! Where statements are made to run.

pub mod ddl;
pub mod name;
