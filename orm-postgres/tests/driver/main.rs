//! The driver against a real server.

mod cancel;
mod config;
mod failure;
mod lost;
mod proxy;
mod restart;
mod support;
mod transaction;
mod values;
