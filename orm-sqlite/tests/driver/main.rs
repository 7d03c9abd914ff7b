//! The driver as the core sees it: statements by hand, a collecting sink.

mod cancel;
mod connect;
mod heartbeat;
mod own;
mod pool;
mod statements;
mod support;
mod transactions;
