//! The typed surface: columns, expressions and statements as values. Everything generic is phantom around one AST.
//!
//! Nothing here can run: it imports neither `sql` nor `driver` nor `exec`.

mod advice;
mod aggregate;
mod arrays;
mod case;
mod changed;
mod column;
mod cte;
mod declare;
mod delete;
#[cfg(feature = "json")]
mod dynamic;
mod embed;
mod expr;
mod group;
#[doc(hidden)]
pub mod hybrid;
mod insert;
mod insert_from;
mod join;
mod joined;
#[cfg(feature = "json")]
mod json;
mod moments;
mod numbers;
mod operand;
mod page;
mod quantified;
mod ranges;
mod raw;
mod rows;
mod search;
mod select;
mod set;
pub mod shape;
mod source;
mod texts;
mod update;
mod upsert;
mod values;
mod vectors;
mod view;
mod walk;
mod window;
mod write;

pub use advice::{Advice, AdviceKind, advice};
pub use aggregate::{Agg, Aggregates, ComparesAggregates};
pub use arrays::{ItemsOf, Unnest, unnest};
pub use case::{Case, CaseOf, CaseResult, case, case_of};
pub use changed::Changed;
pub(crate) use changed::SetWrite;
pub use column::{Col, KeyRef, kind};
pub use cte::{Cte, CteBody, cte, recursive};
pub use delete::DeleteWhere;
#[cfg(feature = "json")]
pub use dynamic::Allowed;
pub use embed::{EmbedCol, EmbedType, EmbedValue};
pub use expr::{
    Cond, Expr, Filter, IntoExpr, Order, Orders, Selection, Set, Sets, actor, all_of, any_of, now, value,
};
pub use group::{Group, Grouped, GroupingSets, Keys};
pub use hybrid::Ordered;
pub(crate) use insert::chunk;
pub use insert::{Batch, HasVariant, Insert, InsertGroup, IntoInsert, New};
pub use insert_from::{InsertFrom, UpsertFrom};
pub(crate) use join::related_table;
pub use join::{Join, Opt, Sources};
pub use joined::{JoinedDelete, JoinedUpdate};
#[cfg(feature = "json")]
pub use json::{JsonDoc, JsonPath, JsonStep};
pub use moments::{Temporal, today};
pub(crate) use operand::put;
pub use operand::{Assignable, ComparesWithNone, InList, Operand, TakesNone};
pub(crate) use page::Position;
pub use page::{NumberedPage, NumberedPages, Page, PageCursor, PageStart, Paged};
pub use quantified::{Quantified, all_rows, any_row};
pub use raw::{
    Ident, RawArg, RawOf, RawOperand, RawPiece, RawSql, declared, declared_aggregate, raw_expr, raw_list,
    raw_operand, raw_value,
};
pub use rows::{Row, RowList, RowOf, RowValue, row};
pub use search::SearchCols;
pub use select::Query;
pub(crate) use select::{all_fields, table_ref};
pub use set::Compound;
pub(crate) use shape::Plan;
pub use shape::Projection;
pub use source::{
    AnyQuery, ColsOf, Derived, Fields, IntoSource, MaybeOf, Place, Reference, Root, SourceRow, exists, from,
};
pub use update::{Update, UpdateWhere};
pub use upsert::{
    ConflictTarget, Decided, UniqueKey, Upsert, UpsertAll, UpsertNothing, UpsertUpdate, Upserted,
};
pub(crate) use upsert::{conflict, is_key, update_action};
pub use values::{Memory, Values, ValuesCell, ValuesRow, values};
pub use view::Defines;
#[doc(hidden)]
pub use view::definition;
pub(crate) use walk::ascending;
pub use walk::{LeadsBack, LeadsDown, LeadsUp, Walk};
pub use window::{
    BesideWindow, HasNoWindow, Over, Window, WindowFn, cume_dist, dense_rank, ntile, percent_rank, rank,
    row_number,
};
pub(crate) use write::{
    InsertParts, conflict_update, delete_or_hide, delete_statement, first_version, in_hand, insert_statement,
    key_equals, key_filter, nodes, returning, soft_delete_set, touch, update_statement, version_filter,
};

/// A marker that owns nothing and is always `Send`.
pub(crate) type Phantom<T> = std::marker::PhantomData<fn() -> T>;
