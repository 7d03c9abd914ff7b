//! SQLite's differences.

use orm_core::error::{Error, Result};
use orm_core::sql::{BulkInsert, Dialect, Features};
use orm_core::value::Type;

/// SQLite 3.
#[derive(Debug)]
pub struct SqliteDialect;

/// The dialect.
pub static DIALECT: SqliteDialect = SqliteDialect;

static FEATURES: Features = Features {
    distinct_on: false,
    row_locks: false,
    lateral: false,
    writing_cte: false,
    grouping_sets: false,
    regex: false,
    arrays: false,
    enum_types: false,
    schemas: false,
    comments: false,
    covering_indexes: false,
    index_methods: false,
    add_constraint: false,
    server_clock: false,
    ordered_set_aggregates: false,
    max_params: 32_766,
    bulk_insert: BulkInsert::Values(64),
};

impl Dialect for SqliteDialect {
    fn name(&self) -> &'static str {
        "sqlite"
    }
    fn system(&self) -> &'static str {
        "sqlite"
    }
    fn features(&self) -> &Features {
        &FEATURES
    }
    fn type_name(&self, ty: Type) -> Result<String> {
        Ok(match ty {
            Type::Bool | Type::I16 | Type::I32 | Type::I64 => "INTEGER",
            Type::F32 | Type::F64 => "REAL",
            Type::Text | Type::Json | Type::Enum(_) => "TEXT",
            Type::Timestamp | Type::LocalTimestamp | Type::Date | Type::Time => "TEXT",
            Type::Bytes | Type::Uuid => "BLOB",
            Type::Decimal(1.., _) => "INTEGER",
            Type::Decimal(0, _) => "TEXT",
            Type::Array(_) => return Err(Error::unsupported("an array column", self.name())),
        }
        .to_owned())
    }
}
