//! The driver as the core sees it: statements by hand, a collecting sink.

mod cancel;
mod connect;
mod heartbeat;
mod pool;
mod statements;
mod support;
mod transactions;
