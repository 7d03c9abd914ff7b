//! Objects of PostgreSQL.
