//! What is loaded beside the rows of one statement: by a statement of its own, or as columns of the same one.

use crate::ast::{Deleted, Distinct, Expr as Node, FromItem, JoinKind, Select, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::key::cell;
use crate::exec::load::keys::Keys;
use crate::relation::{Branch, joins};
use crate::schema::{RelationDef, RelationKind};
use crate::value::{Cells, Collector};

/// How one relation is read beside the rows of a statement.
pub(super) enum Layout {
    /// A statement of its own asks for the values that these read; they hold none yet.
    Later(Keys),
    /// The related row is in the same row.
    Here {
        rows: fn() -> Box<dyn Collector>,
        /// The first cell of the related row.
        at: usize,
        /// A cell that is NULL where there is no related row and never else: the first of its key.
        key: usize,
        /// What is loaded beside the related rows.
        below: Vec<Layout>,
    },
}

/// One relation beside the rows of a level, while they arrive.
pub(super) enum Beside {
    Later(Keys),
    Here(Here),
}

/// Related rows that were joined.
pub(super) struct Here {
    pub(super) rows: Box<dyn Collector>,
    at: usize,
    key: usize,
    /// For each related row the row above.
    pub(super) slots: Vec<u32>,
    pub(super) below: Vec<Beside>,
}

impl Layout {
    /// What takes the rows that arrive.
    pub(super) fn start(&self) -> Beside {
        match self {
            Layout::Later(keys) => Beside::Later(keys.empty()),
            Layout::Here { rows, at, key, below } => Beside::Here(Here {
                rows: rows(),
                at: *at,
                key: *key,
                slots: Vec::new(),
                below: below.iter().map(Layout::start).collect(),
            }),
        }
    }
}

impl Beside {
    /// Takes what belongs to this row of the level.
    pub(super) fn push(&mut self, cells: &dyn Cells, slot: u32) -> Result<()> {
        let here = match self {
            Beside::Later(keys) => return keys.push(cells),
            Beside::Here(here) => here,
        };
        if cells.is_null(here.key) {
            return Ok(());
        }
        let own = here.slots.len() as u32;
        here.slots.push(slot);
        here.rows.push(cells, here.at)?;
        here.below.iter_mut().try_for_each(|b| b.push(cells, own))
    }
}

/// What reads, from each row of the select, what is loaded beside the rows of `root`; joins what can be joined.
pub(super) fn layout(select: &mut Select, root: Source, loads: &[Branch]) -> Result<Vec<Layout>> {
    once_each(loads)?;
    let one = |branch: &Branch| match joinable(select, branch) {
        true => join(select, root, branch),
        false => keys(select, root, branch.relation).map(Layout::Later),
    };
    loads.iter().map(one).collect()
}

/// What reads the values that relate the rows of `root` to those below.
pub(super) fn keys(select: &mut Select, root: Source, relation: &'static RelationDef) -> Result<Keys> {
    let mut at = |c: &'static crate::schema::Column| cell(select, &Node::Column(root, &c.column));
    let columns = (relation.parent)().into_iter();
    let keys = Keys::read_from(columns.map(&mut at).collect::<Result<_>>()?);
    match (relation.kind, relation.label()) {
        (RelationKind::BelongsTo, Some(label)) => Ok(Keys::Labelled {
            at: at((label.column)())?.0,
            label: label.value,
            keys: Box::new(keys),
        }),
        _ => Ok(keys),
    }
}

/// A relation may be beside a row once: a second field of its name would hide the first.
pub(super) fn once_each(loads: &[Branch]) -> Result<()> {
    let mut seen: Vec<&'static RelationDef> = Vec::new();
    for branch in loads.iter().filter(|b| b.beside) {
        if seen.iter().any(|r| std::ptr::eq(*r, branch.relation)) {
            let text = "this relation is loaded twice; the second one would hide the first";
            let RelationDef { model, name, .. } = branch.relation;
            let e = Error::new(ErrorKind::InvalidQuery, text);
            return Err(e.with_model(model).with_field(*name));
        }
        seen.push(branch.relation);
    }
    Ok(())
}

/// Whether a join brings neither more rows nor others than the statement has, and finds what a statement of its own
/// would find.
fn joinable(select: &Select, branch: &Branch) -> bool {
    let related = &branch.select;
    branch.joined
        && select.compound.is_empty()
        && select.group.is_empty()
        && matches!(select.distinct, Distinct::No)
        && related.limit.is_none()
        && related.offset.is_none()
        && related.joins.is_empty()
        && at_most_one(branch)
}

/// Whether a key keeps the related rows of one row to one.
fn at_most_one(branch: &Branch) -> bool {
    let table = (branch.relation.table)();
    let columns = (branch.relation.child)();
    let covers = |key: &[usize]| {
        key.iter()
            .filter_map(|&i| table.columns.get(i))
            .all(|c| columns.iter().any(|own| std::ptr::eq(*own, c)))
    };
    if !table.key.is_empty() && covers(table.key) {
        return true;
    }
    // among deleted rows the others do not hold
    let guard = branch.select.from.as_ref().map(|from| from.guard.deleted);
    let living = table.managed.deleted_at.is_none() || guard == Some(Deleted::Hidden);
    let mut uniques = table.uniques.iter().filter(|u| u.filter.is_none());
    living && uniques.any(|u| covers(u.columns))
}

fn join(select: &mut Select, root: Source, branch: &Branch) -> Result<Layout> {
    let related = branch.select.clone();
    let (Some(table), Some(key)) = (related.from, (branch.relation.table)().key_columns().next()) else {
        return Err(Error::new(
            ErrorKind::InvalidQuery,
            "only rows of tables are joined",
        ));
    };
    debug_assert!(
        matches!(table.item, FromItem::Table(_)),
        "related rows are those of a table"
    );
    let child = table.source;
    let mut join = joins(
        branch.relation,
        root,
        child,
        JoinKind::Left,
        table.guard.unfiltered,
    );
    if let Some(join) = join.last_mut() {
        join.table = table;
        join.on.extend(related.filter);
    }
    select.joins.append(&mut join);
    if let Some(lock) = &mut select.lock
        && lock.of.is_empty()
    {
        // rows that a left join lacks cannot be locked, and nobody asked for those that it has
        lock.of = vec![root];
    }
    let at = select.columns.len();
    select.columns.extend(related.columns);
    let key = cell(select, &Node::Column(child, &key.column))?.0;
    let below = layout(select, child, &branch.loads)?;
    let rows = branch.rows;
    Ok(Layout::Here { rows, at, key, below })
}
