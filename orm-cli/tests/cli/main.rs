//! `cargo orm` as its users run it: the real program, in folders of its own, on SQLite and PostgreSQL.

#![cfg(unix)]

mod db;
mod models;
mod run;
mod session;
mod support;
