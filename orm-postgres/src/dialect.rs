//! What PostgreSQL does its own way.

use orm_core::error::Result;
use orm_core::sql::{BulkInsert, Dialect, Features};
use orm_core::value::Type;

/// The dialect of PostgreSQL 14 and later.
#[derive(Debug)]
pub struct PostgresDialect;

/// The one value of [`PostgresDialect`].
pub static DIALECT: PostgresDialect = PostgresDialect;

static FEATURES: Features = Features {
    distinct_on: true,
    row_locks: true,
    lateral: true,
    writing_cte: true,
    grouping_sets: true,
    regex: true,
    arrays: true,
    enum_types: true,
    schemas: true,
    comments: true,
    covering_indexes: true,
    index_methods: true,
    add_constraint: true,
    server_clock: true,
    ordered_set_aggregates: true,
    max_params: 65_535,
    bulk_insert: BulkInsert::Arrays,
};

impl Dialect for PostgresDialect {
    fn name(&self) -> &'static str {
        "postgres"
    }
    fn system(&self) -> &'static str {
        "postgresql"
    }
    fn features(&self) -> &Features {
        &FEATURES
    }
    fn type_name(&self, ty: Type) -> Result<String> {
        Ok(format!("{ty:?}"))
    }
}
