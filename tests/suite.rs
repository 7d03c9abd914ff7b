//! The behaviours every backend must show, as one binary: each test runs on SQLite and on PostgreSQL, in a database of
//! its own. Backends are told apart by what they can do, never by name, except where a difference itself is tested.
#![allow(missing_docs, unreachable_pub, dead_code, clippy::cloned_ref_to_slice_refs)]

#[path = "suite/aggregates.rs"]
mod aggregates;
#[path = "suite/audit.rs"]
mod audit;
#[path = "suite/bulk.rs"]
mod bulk;
#[path = "suite/cancel.rs"]
mod cancel;
#[path = "suite/cascade.rs"]
mod cascade;
#[path = "suite/chains.rs"]
mod chains;
#[path = "suite/constraints.rs"]
mod constraints;
#[path = "suite/copy.rs"]
mod copy;
#[path = "suite/crud.rs"]
mod crud;
#[path = "suite/ctes.rs"]
mod ctes;
#[path = "suite/dependents.rs"]
mod dependents;
#[path = "suite/differential/mod.rs"]
mod differential;
#[path = "suite/documents.rs"]
mod documents;
#[path = "suite/dynamic.rs"]
mod dynamic;
#[path = "suite/edit.rs"]
mod edit;
#[path = "suite/embeds.rs"]
mod embeds;
#[path = "suite/errors.rs"]
mod errors;
#[path = "suite/expressions.rs"]
mod expressions;
#[path = "suite/filters.rs"]
mod filters;
#[path = "suite/from_row.rs"]
mod from_row;
#[path = "suite/generated.rs"]
mod generated;
#[path = "suite/generic.rs"]
mod generic;
#[path = "suite/graphs.rs"]
mod graphs;
#[path = "suite/groups.rs"]
mod groups;
#[path = "suite/history.rs"]
mod history;
#[path = "suite/hooks.rs"]
mod hooks;
#[path = "suite/hostile.rs"]
mod hostile;
#[path = "suite/hybrids.rs"]
mod hybrids;
#[path = "suite/inheritance.rs"]
mod inheritance;
#[path = "suite/inheritance_joined.rs"]
mod inheritance_joined;
#[path = "suite/joined.rs"]
mod joined;
#[path = "suite/joins.rs"]
mod joins;
#[path = "suite/loading.rs"]
mod loading;
#[path = "suite/merge.rs"]
mod merge;
#[path = "suite/models.rs"]
mod models;
#[path = "suite/named_filters.rs"]
mod named_filters;
#[path = "suite/observe.rs"]
mod observe;
#[path = "suite/operators.rs"]
mod operators;
#[path = "suite/orphans.rs"]
mod orphans;
#[path = "suite/outlines.rs"]
mod outlines;
#[path = "suite/pages.rs"]
mod pages;
#[path = "suite/partition.rs"]
mod partition;
#[path = "suite/plans.rs"]
mod plans;
#[path = "suite/polymorphic.rs"]
mod polymorphic;
#[path = "suite/pools.rs"]
mod pools;
#[path = "suite/random.rs"]
mod random;
#[path = "suite/raw.rs"]
mod raw;
#[path = "suite/references.rs"]
mod references;
#[path = "suite/relations.rs"]
mod relations;
#[path = "suite/repeats.rs"]
mod repeats;
#[path = "suite/repository.rs"]
mod repository;
#[path = "suite/schema.rs"]
mod schema;
#[path = "suite/schema_map.rs"]
mod schema_map;
#[path = "suite/search.rs"]
mod search;
#[path = "suite/session.rs"]
mod session;
#[path = "suite/set_based.rs"]
mod set_based;
#[path = "suite/sets.rs"]
mod sets;
#[path = "suite/shadow.rs"]
mod shadow;
#[path = "suite/shapes.rs"]
mod shapes;
#[path = "suite/snapshots.rs"]
mod snapshots;
#[path = "suite/sources.rs"]
mod sources;
#[path = "suite/special.rs"]
mod special;
#[path = "suite/threads.rs"]
mod threads;
#[path = "suite/trail_types.rs"]
mod trail_types;
#[path = "suite/trails.rs"]
mod trails;
#[path = "suite/transactions.rs"]
mod transactions;
#[path = "suite/trees.rs"]
mod trees;
#[path = "suite/types.rs"]
mod types;
#[path = "suite/types_random.rs"]
mod types_random;
#[path = "suite/types_rare.rs"]
mod types_rare;
#[path = "suite/unit.rs"]
mod unit;
#[path = "suite/upsert.rs"]
mod upsert;
#[path = "suite/valid.rs"]
mod valid;
#[path = "suite/versions.rs"]
mod versions;
#[path = "suite/views.rs"]
mod views;
#[path = "suite/windows.rs"]
mod windows;
