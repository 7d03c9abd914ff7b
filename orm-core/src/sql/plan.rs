//! What a database says it will do, or did, to answer a statement: one tree for every database.
//!
//! Backends make it of what EXPLAIN prints ([`Dialect::plan`]). What has no field of its own
//! here is kept under the database's name for it.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::sql::Dialect;
use crate::sql::dialect::require;

/// What EXPLAIN is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExplainOptions {
    /// Run the statement, and tell what happened.
    pub analyze: bool,
    /// Tell how many blocks were read from the cache and from disk.
    pub buffers: bool,
    /// Tell what every step yields.
    pub verbose: bool,
    /// Tell the settings that are not the server's own and matter to the planner.
    pub settings: bool,
    /// Tell how much was written to the log. Only of a statement that runs.
    pub wal: bool,
    /// Do not look at the clock for every row of a statement that runs.
    pub without_timing: bool,
}

impl ExplainOptions {
    /// Fails for what the database does not tell, and for what can only be told of a statement that runs.
    pub(crate) fn check(&self, dialect: &dyn Dialect) -> Result<()> {
        let ExplainOptions {
            analyze,
            buffers,
            verbose,
            settings,
            wal,
            without_timing,
        } = *self;
        let asked = [
            (analyze || wal || without_timing, "EXPLAIN ANALYZE"),
            (buffers, "EXPLAIN (BUFFERS)"),
            (verbose, "EXPLAIN (VERBOSE)"),
            (settings, "EXPLAIN (SETTINGS)"),
        ];
        for (_, feature) in asked.into_iter().filter(|(on, _)| *on) {
            require(dialect.features().explain_analyze, feature, dialect)?;
        }
        match analyze || !(wal || without_timing) {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::InvalidQuery,
                "`wal` and `without_timing` are about a statement that runs: add `.analyze()`",
            )),
        }
    }
}

/// How a database answers a statement. Made by `.explain(&db)` on queries and writes; printed as an indented tree.
///
/// ```
/// # use orm_core::sql::plan::{NodeKind, Plan, PlanNode};
/// let mut scan = PlanNode::new(NodeKind::IndexScan, "Index Scan");
/// scan.relation = Some("posts".into());
/// scan.index = Some("ix_posts_author_id".into());
/// let mut limit = PlanNode::new(NodeKind::Limit, "Limit");
/// limit.children.push(scan);
/// let plan = Plan::new(vec![limit]);
/// assert_eq!(plan.to_string(), "Limit\n  -> Index Scan on posts using ix_posts_author_id\n");
/// assert!(plan.uses_index("ix_posts_author_id") && plan.sequential_scans().next().is_none());
/// assert_eq!(plan.nodes().count(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The steps at the top: one on PostgreSQL; on SQLite the nested loops of the statement, from the outermost inwards, and
    /// what is done with their rows.
    pub roots: Vec<PlanNode>,
    /// How long the planner worked, in milliseconds.
    pub planning_ms: Option<f64>,
    /// How long the statement ran, in milliseconds.
    pub execution_ms: Option<f64>,
    /// What else the database says of the statement as a whole, by its own names: settings, triggers, JIT.
    pub other: Vec<(String, String)>,
}

impl Plan {
    /// A plan of these steps.
    pub fn new(roots: Vec<PlanNode>) -> Self {
        Plan {
            roots,
            ..Plan::default()
        }
    }
    /// All steps, each before those under it.
    pub fn nodes(&self) -> impl Iterator<Item = &PlanNode> {
        let mut stack: Vec<&PlanNode> = self.roots.iter().rev().collect();
        std::iter::from_fn(move || {
            let node = stack.pop()?;
            stack.extend(node.children.iter().rev());
            Some(node)
        })
    }
    /// Whether some step reads this index.
    pub fn uses_index(&self, name: &str) -> bool {
        self.nodes().any(|node| node.index.as_deref() == Some(name))
    }
    /// The steps that read a whole table row by row.
    pub fn sequential_scans(&self) -> impl Iterator<Item = &PlanNode> {
        self.nodes().filter(|node| node.kind == NodeKind::SequentialScan)
    }
    /// What the planner thinks the statement costs, in units of its own.
    pub fn cost(&self) -> Option<f64> {
        let costs = self.roots.iter().map(|node| Some(node.estimate?.cost));
        costs.sum()
    }
    /// Conditions show values that were bound. They are taken out where a column of the statement is sensitive.
    pub(crate) fn hide_values(&mut self) {
        fn hide(node: &mut PlanNode) {
            for text in [&mut node.condition, &mut node.filter].into_iter().flatten() {
                HIDDEN.clone_into(text);
            }
            for key in &mut node.keys {
                HIDDEN.clone_into(key);
            }
            for (_, text) in &mut node.other {
                if text.contains(['(', '\'', '[', '=']) {
                    HIDDEN.clone_into(text);
                }
            }
            node.children.iter_mut().for_each(hide);
        }
        self.roots.iter_mut().for_each(hide);
    }
}

const HIDDEN: &str = "hidden: a sensitive column is involved";

/// A step of a plan.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlanNode {
    /// What it does, the same for every database.
    pub kind: NodeKind,
    /// What the database calls it: `Index Only Scan`, `SEARCH`, `USE TEMP B-TREE FOR ORDER BY`.
    pub name: String,
    /// What it is for, where it is no part of the rows' way: `InitPlan 1 (returns $0)`, `CTE busy`.
    pub subplan: Option<String>,
    /// The table, view or common table expression that it reads or writes.
    pub relation: Option<String>,
    /// The schema of that.
    pub schema: Option<String>,
    /// What the statement calls it.
    pub alias: Option<String>,
    /// The index that it reads. `None` for a search by a table's own key on SQLite.
    pub index: Option<String>,
    /// The kind of a join: `Inner`, `Left`, `Semi`.
    pub join: Option<String>,
    /// What rows are found by: the condition of an index or a join.
    pub condition: Option<String>,
    /// What found rows have to meet.
    pub filter: Option<String>,
    /// What it sorts or groups by.
    pub keys: Vec<String>,
    /// What the planner expects.
    pub estimate: Option<Estimate>,
    /// What happened, of a statement that ran.
    pub actual: Option<Actual>,
    /// How many rows were found and did not meet the filter, for each time it ran.
    pub rows_removed: Option<f64>,
    /// Blocks read and written, with those of the steps below.
    pub buffers: Option<Buffers>,
    /// What else the database says, by its own names.
    pub other: Vec<(String, String)>,
    /// The steps that it takes its rows from.
    pub children: Vec<PlanNode>,
}

impl PlanNode {
    /// A step of which nothing more is known.
    pub fn new(kind: NodeKind, name: impl Into<String>) -> Self {
        PlanNode {
            kind,
            name: name.into(),
            subplan: None,
            relation: None,
            schema: None,
            alias: None,
            index: None,
            join: None,
            condition: None,
            filter: None,
            keys: Vec::new(),
            estimate: None,
            actual: None,
            rows_removed: None,
            buffers: None,
            other: Vec::new(),
            children: Vec::new(),
        }
    }
    /// What the database says under this name, of what has no field here.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.other.iter().find(|(n, _)| n == name);
        found.map(|(_, text)| text.as_str())
    }
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NodeKind {
    /// Reads all rows of a table.
    SequentialScan,
    /// Reads rows of a table by an index, or by its key.
    IndexScan,
    /// Reads an index alone.
    IndexOnlyScan,
    /// Gathers places of rows from indexes, or reads rows at such places.
    BitmapScan,
    /// Reads the rows of a common table expression.
    CteScan,
    /// Reads the rows of a sub-query.
    SubqueryScan,
    /// Reads the rows of a function.
    FunctionScan,
    /// Reads a list of values.
    ValuesScan,
    /// Reads something else: a foreign table, a virtual one, rows at places that the statement gives.
    OtherScan,
    /// Joins by looking up the other side for each row.
    NestedLoop,
    /// Joins through a hash table.
    HashJoin,
    /// Joins two sorted sides.
    MergeJoin,
    /// Fills the hash table of a join.
    Hash,
    /// Sorts.
    Sort,
    /// Groups and aggregates.
    Aggregate,
    /// Computes window functions.
    Window,
    /// Leaves out equal rows.
    Unique,
    /// Puts rows of several steps together, or those of UNION, INTERSECT, EXCEPT.
    SetOperation,
    /// Goes on from its own rows.
    Recursion,
    /// Stops after so many rows.
    Limit,
    /// Keeps rows to read them again.
    Materialize,
    /// Takes rows from parallel workers.
    Gather,
    /// Locks rows.
    Lock,
    /// Inserts, changes or deletes.
    Modify,
    /// A query inside the statement, or a part of one.
    Subquery,
    /// Yields rows of its own making.
    Result,
    /// None of these; the name says what.
    Other,
}

/// What the planner expects of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Estimate {
    /// The cost until its first row, in units of the planner's own.
    pub startup_cost: f64,
    /// The cost of all its rows.
    pub cost: f64,
    /// How many rows, each time it runs.
    pub rows: f64,
    /// The average size of a row in bytes.
    pub width: u64,
}

impl Estimate {
    /// An estimate.
    pub fn new(startup_cost: f64, cost: f64, rows: f64, width: u64) -> Self {
        Estimate {
            startup_cost,
            cost,
            rows,
            width,
        }
    }
}

/// What a step did when the statement ran.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Actual {
    /// How many rows, on average each time it ran.
    pub rows: f64,
    /// How often it ran; 0 for a step that was not needed.
    pub loops: f64,
    /// Milliseconds until its first row, on average; absent without timing.
    pub startup_ms: Option<f64>,
    /// Milliseconds for all its rows, on average.
    pub ms: Option<f64>,
}

impl Actual {
    /// What was measured.
    pub fn new(rows: f64, loops: f64, startup_ms: Option<f64>, ms: Option<f64>) -> Self {
        Actual {
            rows,
            loops,
            startup_ms,
            ms,
        }
    }
}

/// Blocks that were read and written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Buffers {
    /// Found in the cache.
    pub shared_hit: u64,
    /// Read from disk, or from the system's cache.
    pub shared_read: u64,
    /// Changed.
    pub shared_dirtied: u64,
    /// Written to make room.
    pub shared_written: u64,
    /// Of temporary tables: found in the cache.
    pub local_hit: u64,
    /// Of temporary tables: read.
    pub local_read: u64,
    /// Of temporary tables: changed.
    pub local_dirtied: u64,
    /// Of temporary tables: written.
    pub local_written: u64,
    /// Read from temporary files: of sorts and hashes that did not fit into memory.
    pub temp_read: u64,
    /// Written to them.
    pub temp_written: u64,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for root in &self.roots {
            root.line(f, 0)?;
        }
        if let Some(ms) = self.planning_ms {
            writeln!(f, "Planning: {ms:.3} ms")?;
        }
        if let Some(ms) = self.execution_ms {
            writeln!(f, "Execution: {ms:.3} ms")?;
        }
        Ok(())
    }
}

impl PlanNode {
    fn line(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let indent = "      ".repeat(depth.saturating_sub(1));
        let arrow = if depth > 0 { "  -> " } else { "" };
        write!(f, "{indent}{arrow}")?;
        if let Some(subplan) = &self.subplan {
            write!(f, "[{subplan}] ")?;
        }
        write!(f, "{}", self.name)?;
        if let Some(join) = &self.join {
            write!(f, " ({join})")?;
        }
        if let Some(relation) = &self.relation {
            write!(f, " on {relation}")?;
        }
        if let Some(alias) = self.alias.as_ref().filter(|a| Some(*a) != self.relation.as_ref()) {
            write!(f, " {alias}")?;
        }
        if let Some(index) = &self.index {
            write!(f, " using {index}")?;
        }
        if let Some(Estimate {
            startup_cost,
            cost,
            rows,
            width,
        }) = self.estimate
        {
            write!(
                f,
                "  (cost={startup_cost:.2}..{cost:.2} rows={rows} width={width})"
            )?;
        }
        if let Some(actual) = self.actual {
            write!(f, " (actual {actual})")?;
        }
        writeln!(f)?;
        let indent = "      ".repeat(depth) + "  ";
        if let Some(text) = &self.condition {
            writeln!(f, "{indent}by: {text}")?;
        }
        if let Some(text) = &self.filter {
            writeln!(f, "{indent}filter: {text}")?;
        }
        if let Some(n) = self.rows_removed.filter(|n| *n > 0.0) {
            writeln!(f, "{indent}rows removed: {n}")?;
        }
        if !self.keys.is_empty() {
            writeln!(f, "{indent}keys: {}", self.keys.join(", "))?;
        }
        if let Some(buffers) = self.buffers.filter(|b| *b != Buffers::default()) {
            writeln!(f, "{indent}buffers: {buffers}")?;
        }
        self.children
            .iter()
            .try_for_each(|child| child.line(f, depth + 1))
    }
}

impl fmt::Display for Actual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.loops == 0.0 {
            return write!(f, "never ran");
        }
        write!(f, "rows={} loops={}", self.rows, self.loops)?;
        match (self.startup_ms, self.ms) {
            (Some(first), Some(all)) => write!(f, " time={first:.3}..{all:.3} ms"),
            (None, Some(all)) => write!(f, " time={all:.3} ms"),
            (_, None) => Ok(()),
        }
    }
}

impl fmt::Display for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Buffers {
            shared_hit,
            shared_read,
            shared_dirtied,
            shared_written,
            local_hit,
            local_read,
            local_dirtied,
            local_written,
            temp_read,
            temp_written,
        } = *self;
        let all = [
            ("hit", shared_hit),
            ("read", shared_read),
            ("dirtied", shared_dirtied),
            ("written", shared_written),
            ("local hit", local_hit),
            ("local read", local_read),
            ("local dirtied", local_dirtied),
            ("local written", local_written),
            ("temp read", temp_read),
            ("temp written", temp_written),
        ];
        let mut between = "";
        for (name, n) in all.into_iter().filter(|(_, n)| *n > 0) {
            write!(f, "{between}{name} {n}")?;
            between = ", ";
        }
        Ok(())
    }
}
