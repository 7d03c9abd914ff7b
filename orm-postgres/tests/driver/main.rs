//! The driver against a real server.

mod cancel;
mod config;
mod failure;
mod listen;
mod lost;
mod own;
mod proxy;
mod restart;
mod support;
#[cfg(any(feature = "tls-rustls-ring-webpki", feature = "tls-rustls-ring-native-roots"))]
mod tls;
mod transaction;
mod values;
