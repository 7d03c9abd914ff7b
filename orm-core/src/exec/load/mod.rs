//! Loading relations: one statement for each relation and level, whatever the number of rows above.
//!
//! The rows of a level are decoded while the driver steps, together with the values that relate them to the rows above
//! and below. A row that belongs to several rows above (the author of many posts) is decoded once for each of them, so
//! that nothing has to be cloned.

mod hand;
mod keys;
mod window;

pub use hand::LoadRelations;

use std::any::Any;

use crate::ast::{Expr as Node, Select, Statement};
use crate::driver::{BoxFuture, Sink};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::Raw;
use crate::exec::collect::other_sink;
use crate::exec::fetch::{Site, step};
use crate::exec::key::cell;
use crate::exec::load::keys::{END, Keys, Owners};
use crate::exec::load::window::of_each;
use crate::exec::repeats::apart;
use crate::relation::{Branch, owner};
use crate::schema::{Column, RelationDef, RelationKind, Table};
use crate::value::{Cells, Children, Collector, Output, Places, Rows};

/// Rows of a query and what was loaded beside them.
pub(crate) struct Loaded {
    rows: Box<dyn Any + Send>,
    children: Vec<Children>,
}

impl Loaded {
    pub(crate) fn finish<O: Output>(self) -> Result<Vec<O>> {
        Rows::<O>::of(self.rows)?.finish(self.children)
    }
}

/// Runs a query and loads relations beside its rows.
pub(crate) async fn load(
    raw: &Raw<'_>,
    mut select: Box<Select>,
    loads: Vec<Branch>,
    rows: Box<dyn Collector>,
    table: &'static Table,
    site: Site,
) -> Result<Loaded> {
    let keys = readers(&mut select, &loads)?;
    let level = Level::new(rows, None, keys);
    let done = step(raw, Statement::Select(select), Some(table), Box::new(level), site).await?;
    let level = Level::back(done.sink)?;
    let children = below(raw, level.keys, loads, site).await?;
    Ok(Loaded {
        rows: level.rows.into_any(),
        children,
    })
}

/// Relations that are loaded batch by batch, beside the rows of a cursor.
pub(crate) struct Batches {
    keys: Vec<Keys>,
    loads: Vec<Branch>,
}

impl Batches {
    pub(crate) fn new(select: &mut Select, loads: Vec<Branch>) -> Result<Self> {
        let keys = readers(select, &loads)?;
        Ok(Batches { keys, loads })
    }
    /// The receiver of one batch.
    pub(crate) fn sink(&self, rows: Box<dyn Collector>, most: usize) -> Box<dyn Sink> {
        let keys = self.keys.iter().map(Keys::empty).collect();
        let mut level = Level::new(rows, None, keys);
        level.wants = Some(most);
        Box::new(level)
    }
    /// Loads what belongs to the rows of a batch.
    pub(crate) async fn finish(&self, raw: &Raw<'_>, sink: Box<dyn Sink>, site: Site) -> Result<Loaded> {
        let level = Level::back(sink)?;
        let children = below(raw, level.keys, self.loads.clone(), site).await?;
        Ok(Loaded {
            rows: level.rows.into_any(),
            children,
        })
    }
}

/// What is loaded beside the rows of a level, relation by relation.
async fn below(raw: &Raw<'_>, keys: Vec<Keys>, loads: Vec<Branch>, site: Site) -> Result<Vec<Children>> {
    let mut children = Vec::with_capacity(loads.len());
    for (keys, branch) in keys.into_iter().zip(loads) {
        children.push(apart(branch_of(raw, keys, branch, site)).await?);
    }
    Ok(children)
}

fn branch_of<'a>(
    raw: &'a Raw<'_>,
    keys: Keys,
    branch: Branch,
    site: Site,
) -> BoxFuture<'a, Result<Children>> {
    Box::pin(async move {
        let Branch {
            relation,
            mut select,
            loads,
            rows,
            beside: _,
        } = branch;
        let readers = readers(&mut select, &loads)?;
        let owner = owner(relation, &mut select);
        let at = owner
            .iter()
            .map(|c| cell(&mut select, c))
            .collect::<Result<_>>()?;
        let parents = keys.len();
        let (owners, wanted) = Owners::new(keys, at, relation);
        let mut level = Level::new(rows(), Some(owners), readers);
        let table = (relation.table)();
        for (i, condition) in wanted.conditions(&owner, raw).into_iter().enumerate() {
            let mut select = select.clone();
            select.filter.push(condition);
            let select = of_each(select, &owner, table, raw.runner.dialect().features())?;
            let step = step(raw, Statement::Select(select), Some(table), Box::new(level), site);
            // the keys of one call, in as many statements as their number asks for
            let done = if i == 0 { step.await? } else { apart(step).await? };
            level = Level::back(done.sink)?;
        }
        let children = below(raw, level.keys, loads, site).await?;
        let single = match relation.kind {
            RelationKind::HasMany | RelationKind::ManyToMany => None,
            RelationKind::HasOne | RelationKind::BelongsTo => Some((relation.model, relation.name)),
        };
        let places = Places {
            of: &level.slots,
            parents,
            single,
        };
        level.rows.place(children, places)
    })
}

/// Adds the columns that relate the rows to those below, where the select lacks them.
pub(crate) fn select_keys(select: &mut Select, loads: &[Branch]) -> Result<()> {
    readers(select, loads).map(drop)
}

/// What reads, from each row of the select, the values that relate it to the rows below.
fn readers(select: &mut Select, loads: &[Branch]) -> Result<Vec<Keys>> {
    let beside = || loads.iter().filter(|b| b.beside);
    for (i, branch) in beside().enumerate() {
        if beside()
            .take(i)
            .any(|b| std::ptr::eq(b.relation, branch.relation))
        {
            let text = "this relation is loaded twice; the second one would hide the first";
            let RelationDef { model, name, .. } = branch.relation;
            return Err(Error::new(ErrorKind::InvalidQuery, text)
                .with_model(model)
                .with_field(*name));
        }
    }
    let root = select.root();
    let mut reader = |branch: &Branch| {
        let columns = (branch.relation.parent)();
        let mut at = |c: &'static Column| cell(select, &Node::Column(root, &c.column));
        let keys = Keys::read_from(columns.into_iter().map(&mut at).collect::<Result<_>>()?);
        match (branch.relation.kind, branch.relation.label()) {
            (RelationKind::BelongsTo, Some(label)) => Ok(Keys::Labelled {
                at: at((label.column)())?.0,
                label: label.value,
                keys: Box::new(keys),
            }),
            _ => Ok(keys),
        }
    };
    loads.iter().map(&mut reader).collect()
}

/// The rows of one level while they arrive.
struct Level {
    rows: Box<dyn Collector>,
    owners: Option<Owners>,
    /// For each row the row above.
    slots: Vec<u32>,
    keys: Vec<Keys>,
    wants: Option<usize>,
}

impl Level {
    fn new(rows: Box<dyn Collector>, owners: Option<Owners>, keys: Vec<Keys>) -> Level {
        Level {
            rows,
            owners,
            slots: Vec::new(),
            keys,
            wants: None,
        }
    }
    fn back(sink: Box<dyn Sink>) -> Result<Level> {
        let level = sink.into_any().downcast::<Level>();
        level.map(|level| *level).map_err(|_| other_sink())
    }
    fn take(&mut self, cells: &dyn Cells) -> Result<()> {
        self.rows.push(cells)?;
        self.keys.iter_mut().try_for_each(|keys| keys.push(cells))
    }
}

impl Sink for Level {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        let Some(owners) = &mut self.owners else {
            return self.take(cells);
        };
        let mut slot = owners.find(cells)?;
        while slot != END {
            self.slots.push(slot);
            self.take(cells)?;
            slot = self.owners.as_ref().map_or(END, |o| o.next[slot as usize]);
        }
        Ok(())
    }
    fn wants(&self) -> Option<usize> {
        self.wants.map(|n| n.saturating_sub(self.rows.len()))
    }
    fn rows(&self) -> usize {
        self.rows.len()
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
