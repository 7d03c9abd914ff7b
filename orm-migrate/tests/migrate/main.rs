//! Schemas as values, against both databases where one is asked.

mod killed;
mod models;
mod run;
mod support;
mod traps;
