//! `sqlx::FromRow` for models and shapes, for the backends of this build and no other: the derives call one macro, and
//! what it becomes is decided here.

/// Called by the derives.
#[doc(hidden)]
#[macro_export]
macro_rules! __from_row {
    ($Row:ty) => {
        $crate::__from_sqlite_row!($Row);
        $crate::__from_postgres_row!($Row);
    };
}

/// The impl for the rows of one backend.
#[doc(hidden)]
#[macro_export]
macro_rules! __from_row_of {
    ($backend:ident, $Fetched:ty, $Row:ty) => {
        #[automatically_derived]
        impl<'__r> $crate::$backend::sqlx::FromRow<'__r, $Fetched> for $Row {
            fn from_row(row: &'__r $Fetched) -> $crate::$backend::sqlx::Result<Self> {
                $crate::$backend::from_row(row)
            }
        }
    };
}

/// The part of SQLite.
#[cfg(feature = "sqlite")]
#[doc(hidden)]
#[macro_export]
macro_rules! __from_sqlite_row {
    ($Row:ty) => {
        $crate::__from_row_of!(sqlite, $crate::sqlite::sqlx::sqlite::SqliteRow, $Row);
    };
}
/// SQLite is no part of this build.
#[cfg(not(feature = "sqlite"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __from_sqlite_row {
    ($Row:ty) => {};
}

/// The part of PostgreSQL.
#[cfg(feature = "postgres")]
#[doc(hidden)]
#[macro_export]
macro_rules! __from_postgres_row {
    ($Row:ty) => {
        $crate::__from_row_of!(postgres, $crate::postgres::sqlx::postgres::PgRow, $Row);
    };
}
/// PostgreSQL is no part of this build.
#[cfg(not(feature = "postgres"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __from_postgres_row {
    ($Row:ty) => {};
}
