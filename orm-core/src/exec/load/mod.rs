//! Loading relations: one statement for each relation and level, whatever the number of rows above; none for a relation
//! that is joined to the statement of the rows above.
//!
//! The rows of a level are decoded while the driver steps, together with the values that relate them to the rows above
//! and below. A row that belongs to several rows above (the author of many posts) is decoded once for each of them, so
//! that nothing has to be cloned.

mod beside;
mod hand;
mod keys;
mod order;
mod window;

pub use hand::LoadRelations;

use std::any::Any;

use crate::ast::{Select, Statement};
use crate::driver::{BoxFuture, Sink};
use crate::error::Result;
use crate::exec::Raw;
use crate::exec::collect::other_sink;
use crate::exec::fetch::{Site, step};
use crate::exec::key::cell;
use crate::exec::load::beside::{Beside, Here, Layout, keys, layout, once_each};
use crate::exec::load::keys::{END, Keys, Owners};
use crate::exec::load::order::ByIntegers;
use crate::exec::load::window::of_each;
use crate::exec::repeats::apart;
use crate::relation::{Branch, owner};
use crate::schema::{RelationDef, RelationKind, Table};
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
    let layout = whole(&mut select, &loads)?;
    let level = Level::new(rows, None, &layout);
    let done = step(raw, Statement::Select(select), Some(table), Box::new(level), site).await?;
    let level = Level::back(done.sink)?;
    let children = below(raw, level.rows.len(), level.beside, loads, site).await?;
    Ok(Loaded {
        rows: level.rows.into_any(),
        children,
    })
}

/// Relations that are loaded batch by batch, beside the rows of a cursor.
pub(crate) struct Batches {
    layout: Vec<Layout>,
    loads: Vec<Branch>,
}

impl Batches {
    pub(crate) fn new(select: &mut Select, loads: Vec<Branch>) -> Result<Self> {
        let layout = whole(select, &loads)?;
        Ok(Batches { layout, loads })
    }
    /// The receiver of one batch.
    pub(crate) fn sink(&self, rows: Box<dyn Collector>, most: usize) -> Box<dyn Sink> {
        let mut level = Level::new(rows, None, &self.layout);
        level.wants = Some(most);
        Box::new(level)
    }
    /// Loads what belongs to the rows of a batch.
    pub(crate) async fn finish(&self, raw: &Raw<'_>, sink: Box<dyn Sink>, site: Site) -> Result<Loaded> {
        let level = Level::back(sink)?;
        let children = below(raw, level.rows.len(), level.beside, self.loads.clone(), site).await?;
        Ok(Loaded {
            rows: level.rows.into_any(),
            children,
        })
    }
}

/// What is loaded beside the rows of a level, relation by relation.
async fn below(
    raw: &Raw<'_>,
    parents: usize,
    beside: Vec<Beside>,
    loads: Vec<Branch>,
    site: Site,
) -> Result<Vec<Children>> {
    let mut children = Vec::with_capacity(loads.len());
    for (beside, branch) in beside.into_iter().zip(loads) {
        children.push(match beside {
            Beside::Later(keys) => apart(branch_of(raw, keys, branch, site)).await?,
            Beside::Here(here) => joined(raw, parents, here, branch, site).await?,
        });
    }
    Ok(children)
}

/// Related rows that came with the rows above.
fn joined<'a>(
    raw: &'a Raw<'_>,
    parents: usize,
    here: Here,
    branch: Branch,
    site: Site,
) -> BoxFuture<'a, Result<Children>> {
    Box::pin(async move {
        let children = below(raw, here.rows.len(), here.below, branch.loads, site).await?;
        let places = Places {
            of: &here.slots,
            parents,
            single: single(branch.relation),
            order: None,
        };
        here.rows.place(children, places)
    })
}

/// How errors name a relation to at most one row.
fn single(relation: &'static RelationDef) -> Option<(&'static str, &'static str)> {
    match relation.kind {
        RelationKind::HasMany | RelationKind::ManyToMany => None,
        RelationKind::HasOne | RelationKind::BelongsTo => Some((relation.model, relation.name)),
    }
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
            joined: _,
        } = branch;
        let layout = match select.limit.or(select.offset) {
            None => whole(&mut select, &loads)?,
            // a limit for each row above stands around the select, and so would the joins
            Some(_) => keys_only(&mut select, &loads)?,
        };
        let owner = owner(relation, &mut select);
        let at = owner
            .iter()
            .map(|c| cell(&mut select, c))
            .collect::<Result<_>>()?;
        let parents = keys.len();
        let (owners, wanted) = Owners::new(keys, at, relation);
        let mut level = Level::new(rows(), Some(owners), &layout);
        level.order = ByIntegers::instead_of(&mut select)?;
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
        let children = below(raw, level.rows.len(), level.beside, loads, site).await?;
        let order = level.order.and_then(|order| order.rows(&level.slots, parents));
        let places = Places {
            of: &level.slots,
            parents,
            single: single(relation),
            order,
        };
        level.rows.place(children, places)
    })
}

/// Adds the columns that relate the rows to those below, where the select lacks them.
pub(crate) fn select_keys(select: &mut Select, loads: &[Branch]) -> Result<()> {
    keys_only(select, loads).map(drop)
}

/// Adds what is loaded beside the rows as far as it comes with their own statement: joins and columns.
pub(crate) fn select_beside(select: &mut Select, loads: &[Branch]) -> Result<()> {
    whole(select, loads).map(drop)
}

fn whole(select: &mut Select, loads: &[Branch]) -> Result<Vec<Layout>> {
    let root = select.root();
    layout(select, root, loads)
}

fn keys_only(select: &mut Select, loads: &[Branch]) -> Result<Vec<Layout>> {
    once_each(loads)?;
    let root = select.root();
    let mut one = |branch: &Branch| keys(select, root, branch.relation).map(Layout::Later);
    loads.iter().map(&mut one).collect()
}

/// The rows of one level while they arrive.
struct Level {
    rows: Box<dyn Collector>,
    owners: Option<Owners>,
    /// For each row the row above.
    slots: Vec<u32>,
    /// The order of the rows of one row above, unless they come in it.
    order: Option<ByIntegers>,
    beside: Vec<Beside>,
    wants: Option<usize>,
}

impl Level {
    fn new(rows: Box<dyn Collector>, owners: Option<Owners>, layout: &[Layout]) -> Level {
        Level {
            rows,
            owners,
            slots: Vec::new(),
            order: None,
            beside: layout.iter().map(Layout::start).collect(),
            wants: None,
        }
    }
    fn back(sink: Box<dyn Sink>) -> Result<Level> {
        let level = sink.into_any().downcast::<Level>();
        level.map(|level| *level).map_err(|_| other_sink())
    }
    fn take(&mut self, cells: &dyn Cells) -> Result<()> {
        let slot = self.rows.len() as u32;
        self.rows.push(cells, 0)?;
        self.beside.iter_mut().try_for_each(|b| b.push(cells, slot))
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
            if let Some(order) = &mut self.order {
                order.push(cells)?;
            }
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
