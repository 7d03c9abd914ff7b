//! Schemas as values, against both databases where one is asked.

mod data;
mod docs;
mod drift;
mod folder;
mod foreign;
mod frozen;
mod generate;
mod introspect;
mod killed;
mod lint;
mod lint_sql;
mod models;
mod online;
mod plans;
mod preflight;
mod pull;
mod random;
mod run;
mod search;
mod squash;
mod support;
mod transfer;
mod traps;
mod types;
mod views;
