//! What about a query will be slow however good the planner is, and how to say it instead. It knows the declared
//! indexes, not the data: [`explain`](crate::exec) tells what a database does.

use std::fmt;
use std::ptr;

use crate::ast::{Column, Expr, FromItem, Function, InList, Select, Source, Statement, TableRef, TextOp};
use crate::query::source::AnyQuery;
use crate::schema::{Index, IndexKey, Schema, Table};
use crate::value::Value;

/// As many rows may be skipped before another form is advised.
const DEEP: u64 = 1000;
/// As many columns may be read together before a shape is advised.
const WIDE: usize = 24;

/// A part of a query that no index can help, and what to write instead. Its `Display` says both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What it is about.
    pub kind: AdviceKind,
    /// The column, as `table.column`; the table alone where all of its columns are meant.
    pub place: String,
    /// What to write instead.
    pub instead: &'static str,
}

/// What an [`Advice`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdviceKind {
    /// An OFFSET of more than a thousand rows, which are read and thrown away.
    DeepOffset,
    /// An indexed column inside of a function or of arithmetic, where its index does not serve.
    FunctionOnIndexedColumn,
    /// An indexed column as another type, where its index does not serve.
    CastOfIndexedColumn,
    /// OR between columns of several indexes, of which one can serve.
    OrAcrossIndexes,
    /// A text that is looked for in the middle or at the end of a column.
    LeadingWildcard,
    /// Whole rows of many columns.
    WideRow,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            AdviceKind::DeepOffset => "the rows that OFFSET skips are read and thrown away",
            AdviceKind::FunctionOnIndexedColumn => "an index does not serve a function of its column",
            AdviceKind::CastOfIndexedColumn => "an index does not serve its column as another type",
            AdviceKind::OrAcrossIndexes => "one index cannot serve both sides of OR",
            AdviceKind::LeadingWildcard => "an index does not serve what may stand anywhere in a text",
            AdviceKind::WideRow => "all columns of a wide table are read",
        };
        write!(f, "{}: {what}: {}", self.place, self.instead)
    }
}

/// Looks a query through, sub-queries included. `schema` tells which indexes there are: of tables it does not hold,
/// nothing is said about columns.
///
/// NULLs in `NOT IN (query)` and products of tables that nothing connects need no advice: the first is written so that
/// it means what it says, the second is an error.
pub fn advice(query: impl AnyQuery, schema: &Schema) -> Vec<Advice> {
    let mut review = Review {
        schema,
        scope: Vec::new(),
        found: Vec::new(),
    };
    review.select(&query.into_select());
    review.found
}

struct Review<'a> {
    schema: &'a Schema,
    /// The tables that columns may be of, outer queries first.
    scope: Vec<(Source, &'static Table)>,
    found: Vec<Advice>,
}

impl Review<'_> {
    fn select(&mut self, s: &Select) {
        let outside = self.scope.len();
        let root = s.from.as_ref().and_then(|from| self.source(from));
        for join in &s.joins {
            self.source(&join.table);
        }
        if let Some(root) = root {
            if s.offset.is_some_and(|n| n > DEEP) {
                let instead = "go on after the last row: `.page(n)` and its cursor";
                self.say(AdviceKind::DeepOffset, root.name().to_owned(), instead);
            }
            let whole = s.columns.len() >= root.columns.len() && root.columns.len() > WIDE;
            if whole && s.group.is_empty() {
                let instead = "name what you need: a `#[derive(Shape)]`, or `.select(..)`";
                self.say(AdviceKind::WideRow, root.name().to_owned(), instead);
            }
        }
        let on = s.joins.iter().flat_map(|join| &join.on);
        for e in s.filter.iter().chain(on).chain(&s.having) {
            self.condition(e);
        }
        for column in &s.columns {
            self.nested(column);
        }
        for cte in &s.with {
            self.statement(&cte.body);
        }
        for operation in &s.compound {
            self.select(&operation.query);
        }
        self.scope.truncate(outside);
    }

    fn source(&mut self, t: &TableRef) -> Option<&'static Table> {
        match &t.item {
            FromItem::Table(table) => {
                let known = |t: &&&'static Table| ptr::eq(&t.table, *table);
                let table = self.schema.tables().iter().find(known).copied()?;
                self.scope.push((t.source, table));
                Some(table)
            }
            FromItem::Query { query, .. } => {
                self.select(query);
                None
            }
            FromItem::Common(cte) => {
                self.statement(&cte.body);
                None
            }
            FromItem::Cte(_)
            | FromItem::Values { .. }
            | FromItem::Unnest { .. }
            | FromItem::Function { .. } => None,
        }
    }
    fn statement(&mut self, s: &Statement) {
        if let Statement::Select(query) = s {
            self.select(query);
        }
    }

    fn condition(&mut self, e: &Expr) {
        match e {
            Expr::All(list) => list.iter().for_each(|e| self.condition(e)),
            Expr::Any(list) => {
                self.alternatives(list);
                list.iter().for_each(|e| self.condition(e));
            }
            Expr::Not(e) | Expr::IsTrue(e) => self.condition(e),
            Expr::Compare(_, a, b) => {
                self.side(a);
                self.side(b);
            }
            Expr::Between(three) => three.iter().for_each(|e| self.side(e)),
            Expr::In(e, list) => {
                self.side(e);
                if let InList::Query(q) = &**list {
                    self.select(q);
                }
            }
            Expr::Text(op, text, pattern) => self.text(*op, text, pattern),
            e => self.nested(e),
        }
    }

    /// A side of a comparison: an index serves a bare column.
    fn side(&mut self, e: &Expr) {
        let (inner, kind, instead) = match e {
            Expr::Call(function, args) => {
                let instead = match **function {
                    Function::DatePart(_) | Function::DateTrunc(_) => {
                        "compare the column with the ends of the period: `.ge(start).and(.. .lt(end))`"
                    }
                    _ => "compare the column itself, or declare an index on the expression",
                };
                (args.first(), AdviceKind::FunctionOnIndexedColumn, instead)
            }
            Expr::Math(_, a, b) => {
                let column = [a, b].into_iter().find(|e| matches!(***e, Expr::Column(..)));
                let instead = "calculate on the other side of the comparison";
                (column.map(|e| &**e), AdviceKind::FunctionOnIndexedColumn, instead)
            }
            Expr::Cast(e, _) => {
                let instead = "compare with a value of the column's type";
                (Some(&**e), AdviceKind::CastOfIndexedColumn, instead)
            }
            e => return self.nested(e),
        };
        if let Some(Expr::Column(source, column)) = inner
            && let Some(table) = self.indexed(*source, column)
            && !is_expression(table, column)
        {
            self.say(kind, place(table, column), instead);
        }
        self.nested(e);
    }

    fn text(&mut self, op: TextOp, text: &Expr, pattern: &Expr) {
        let anywhere = match op {
            TextOp::Contains | TextOp::EndsWith | TextOp::ContainsNoCase | TextOp::EndsWithNoCase => true,
            TextOp::Like | TextOp::LikeNoCase => match pattern {
                Expr::Value(Value::Text(pattern)) => pattern.starts_with(['%', '_']),
                Expr::Value(Value::Str(pattern)) => pattern.starts_with(['%', '_']),
                _ => false,
            },
            _ => false,
        };
        if anywhere
            && let Expr::Column(source, column) = text
            && let Some(table) = self.table(*source)
            && !indexes_on(table, column).any(by_pieces)
        {
            let instead = "search in a full-text index, or declare one of trigrams (`gin`, `gin_trgm_ops`)";
            self.say(AdviceKind::LeadingWildcard, place(table, column), instead);
        }
        self.nested(text);
    }

    /// Alternatives about several columns, each with an index of its own.
    fn alternatives(&mut self, list: &[Expr]) {
        let mut columns: Vec<(&'static Table, &'static Column)> = Vec::new();
        for e in list {
            let side = match e {
                Expr::Compare(_, a, _) => a,
                Expr::In(e, _) => e,
                _ => return,
            };
            let Expr::Column(source, column) = **side else {
                return;
            };
            let Some(table) = self.indexed(source, column) else {
                return;
            };
            if columns.iter().all(|(_, other)| !ptr::eq(*other, column)) {
                columns.push((table, column));
            }
        }
        if let [(table, column), _, ..] = columns[..] {
            let instead = "unite two queries: `.union(..)`";
            self.say(AdviceKind::OrAcrossIndexes, place(table, column), instead);
        }
    }

    /// Queries inside of an expression.
    fn nested(&mut self, e: &Expr) {
        match e {
            Expr::Exists(q) | Expr::Subquery(q) => self.select(q),
            Expr::Quantified(_, _, e, q) => {
                self.nested(e);
                self.select(q);
            }
            Expr::Not(e) | Expr::Cast(e, _) | Expr::Negate(e) | Expr::IsTrue(e) | Expr::IsNull(e, _) => {
                self.nested(e)
            }
            Expr::Call(_, list) | Expr::All(list) | Expr::Any(list) | Expr::Tuple(list) => {
                list.iter().for_each(|e| self.nested(e));
            }
            Expr::Compare(_, a, b) | Expr::Math(_, a, b) | Expr::Text(_, a, b) => {
                self.nested(a);
                self.nested(b);
            }
            Expr::Case { arms, otherwise, .. } => {
                for (condition, value) in arms {
                    self.condition(condition);
                    self.nested(value);
                }
                otherwise.iter().for_each(|e| self.nested(e));
            }
            _ => {}
        }
    }

    fn table(&self, source: Source) -> Option<&'static Table> {
        let (_, table) = self.scope.iter().rev().find(|(s, _)| *s == source)?;
        Some(table)
    }
    /// The column's table, where an index begins with the column.
    fn indexed(&self, source: Source, column: &'static Column) -> Option<&'static Table> {
        let table = self.table(source)?;
        let at = table.position(column)?;
        let of_key = table
            .table
            .unique
            .iter()
            .any(|set| set.first().is_some_and(|c| ptr::eq(*c, column)));
        let of_reference = table
            .foreign_keys
            .iter()
            .any(|key| key.columns.first() == Some(&at));
        let of_index = table.indexes.iter().any(|index| begins_with(index, at));
        (of_key || of_reference || of_index).then_some(table)
    }
    fn say(&mut self, kind: AdviceKind, place: String, instead: &'static str) {
        let advice = Advice { kind, place, instead };
        if !self.found.contains(&advice) {
            self.found.push(advice);
        }
    }
}

fn place(table: &Table, column: &Column) -> String {
    format!("{}.{}", table.name(), column.name)
}

fn begins_with(index: &Index, at: usize) -> bool {
    index
        .parts
        .first()
        .is_some_and(|part| part.key == IndexKey::Column(at))
}

fn indexes_on(table: &'static Table, column: &Column) -> impl Iterator<Item = &'static Index> {
    let at = table.position(column);
    let about = move |index: &&Index| {
        index
            .parts
            .iter()
            .any(|part| Some(part.key) == at.map(IndexKey::Column))
    };
    table.indexes.iter().filter(about)
}

/// Whether an index holds pieces of the texts, each of which is found.
fn by_pieces(index: &Index) -> bool {
    let mut classes = index.parts.iter().filter_map(|part| part.op_class);
    classes.any(|class| class.contains("trgm"))
}

/// Whether an index holds an expression of the column.
fn is_expression(table: &Table, column: &Column) -> bool {
    let parts = table.indexes.iter().flat_map(|index| index.parts);
    let mut expressions = parts.filter_map(|part| match part.key {
        IndexKey::Expression(sql) => Some(sql),
        IndexKey::Column(_) => None,
    });
    expressions.any(|sql| sql.contains(column.name))
}
