//! The driver against a real server.

mod cancel;
mod config;
mod failure;
mod support;
mod transaction;
mod values;
