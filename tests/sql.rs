//! One statement, its text on every dialect side by side. The SQLite text is prepared by a real SQLite as well.

#[path = "sql/advice.rs"]
mod advice;
#[path = "sql/casts.rs"]
mod casts;
#[path = "sql/create.rs"]
mod create;
#[path = "sql/ctes.rs"]
mod ctes;
#[path = "sql/ddl.rs"]
mod ddl;
#[path = "sql/decimals.rs"]
mod decimals;
#[path = "sql/documents.rs"]
mod documents;
#[path = "sql/effort.rs"]
mod effort;
#[path = "sql/embeds.rs"]
mod embeds;
#[path = "sql/expressions.rs"]
mod expressions;
#[path = "sql/functions.rs"]
mod functions;
#[path = "sql/groups.rs"]
mod groups;
#[path = "sql/guards.rs"]
mod guards;
#[path = "sql/history.rs"]
mod history;
#[path = "sql/hybrids.rs"]
mod hybrids;
#[path = "sql/inheritance.rs"]
mod inheritance;
#[path = "sql/operators.rs"]
mod operators;
#[path = "sql/pages.rs"]
mod pages;
#[path = "sql/plans.rs"]
mod plans;
#[path = "sql/polymorphic.rs"]
mod polymorphic;
#[path = "sql/search.rs"]
mod search;
#[path = "sql/selects.rs"]
mod selects;
#[path = "sql/set_based.rs"]
mod set_based;
#[path = "sql/sets.rs"]
mod sets;
#[path = "sql/sources.rs"]
mod sources;
#[path = "sql/support.rs"]
mod support;
#[path = "sql/values.rs"]
mod values;
#[path = "sql/views.rs"]
mod views;
#[path = "sql/windows.rs"]
mod windows;
#[path = "sql/writes.rs"]
mod writes;
