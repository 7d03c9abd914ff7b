//! Walks that run: rows, nested trees, shortest ways, and the move of a subtree.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::panic::Location;

use crate::ast::{
    CompareOp, Deleted, Expr as Node, InList, Lock, LockStrength, LockWait, Select, Source, Statement,
};
use crate::driver::{Done, Sink};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::collect::other_sink;
use crate::exec::fetch::{Site, statement, step};
use crate::exec::key::{Cell, Identities, Key, cell};
use crate::exec::transaction::Unit;
use crate::exec::{Pending, Raw, Serves};
use crate::model::{Forest, Key as _, Model, Rel};
use crate::query::{self, LeadsBack, LeadsDown, Query, Update, Walk, ascending};
use crate::relation::RelRef;
use crate::schema::{Column, RelationDef, RelationKind};
use crate::value::{Cells, Output, Row, Value, finished};

impl<R: Rel> Walk<R> {
    /// All rows that were reached. See [`Query::all`].
    #[track_caller]
    pub fn all<'a, E: Serves<R::Child> + ?Sized>(self, ex: &'a E) -> Pending<'a, Vec<R::Child>> {
        self.query().all(ex)
    }
    /// How many rows are reached. See [`Query::count`].
    #[track_caller]
    pub fn count<'a, E: Serves<R::Child> + ?Sized>(self, ex: &'a E) -> Pending<'a, i64> {
        self.query().count(ex)
    }
    /// Whether any row is reached. See [`Query::exists`].
    #[track_caller]
    pub fn exists<'a, E: Serves<R::Child> + ?Sized>(self, ex: &'a E) -> Pending<'a, bool> {
        self.query().exists(ex)
    }
    /// The rows as nested trees, by one statement: each row under the one that it belongs to, if that was reached too. A
    /// ring in the data is opened above its row of the least depth.
    ///
    /// `InvalidQuery` on a relation over a join table: there a row may stand under several others.
    #[track_caller]
    pub fn tree<'a, E: Serves<R::Child> + ?Sized>(self, ex: &'a E) -> Pending<'a, Forest<R::Child>>
    where
        R::Card: LeadsDown,
    {
        match nodes::<R>(self) {
            Ok((ast, sink)) => {
                let table = Some(R::Child::TABLE);
                let finish = Nodes::<R::Child>::plant;
                statement(
                    ex.raw(),
                    Statement::Select(ast),
                    table,
                    sink,
                    finish,
                    Location::caller(),
                )
            }
            Err(e) => Pending::failed(e),
        }
    }
}

#[cold]
fn misused(def: &RelationDef, why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidQuery, why)
        .with_model(def.model)
        .with_field(def.name)
}

/// Rows of a tree while they arrive.
struct Nodes<M: Output> {
    rows: Vec<M::Local>,
    /// Where the key is, where the key of the row above, where the depth.
    at: (Vec<Cell>, Vec<Cell>, usize),
    /// Where a row says to which model the row above belongs, and what it says of its own.
    label: Option<(usize, &'static str)>,
    keys: Vec<Option<Key>>,
    above: Vec<Option<Key>>,
    depths: Vec<i64>,
}

/// The select of a walk's rows, and what gathers them.
fn nodes<R: Rel>(mut walk: Walk<R>) -> Result<(Box<Select>, Box<dyn Sink>)> {
    if R::DEF.through.is_some() {
        let why = "a relation over a join table is a graph, where a row may stand under several others: read its rows \
                   with `.all(..)` or `.with_depth()`";
        return Err(misused(R::DEF, why));
    }
    let siblings = walk.take_siblings();
    let (mut ast, depth) = walk.reached();
    ast.order = siblings;
    let root = ast.root();
    let mut cells = |columns: Vec<_>| -> Result<Vec<Cell>> {
        let node = |c: &'static Column| Node::Column(root, &c.column);
        columns.into_iter().map(|c| cell(&mut ast, &node(c))).collect()
    };
    let (key, above) = (cells((R::DEF.parent)())?, cells((R::DEF.child)())?);
    let label = match R::DEF.label() {
        Some(label) => cells(vec![(label.column)()])?.first().map(|c| (c.0, label.value)),
        None => None,
    };
    let at = (key, above, ast.columns.len());
    ast.columns.push(depth);
    let sink = Nodes::<R::Child> {
        rows: Vec::new(),
        at,
        label,
        keys: Vec::new(),
        above: Vec::new(),
        depths: Vec::new(),
    };
    Ok((ast, Box::new(sink)))
}

impl<M: Output> Sink for Nodes<M> {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        let (key, above, depth) = &self.at;
        self.rows.push(M::decode(&mut Row::new(cells))?);
        self.keys.push(Key::read(cells, key)?);
        let of_this_model = match self.label {
            Some((at, label)) => cells.text(at)? == Some(label),
            None => true,
        };
        self.above.push(match of_this_model {
            true => Key::read(cells, above)?,
            false => None,
        });
        self.depths.push(cells.i64(*depth)?.unwrap_or(0));
        Ok(())
    }
    fn rows(&self) -> usize {
        self.rows.len()
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

impl<M: Output> Nodes<M> {
    fn plant(done: Done) -> Result<Forest<M>> {
        let nodes = done.sink.into_any().downcast::<Self>();
        let Nodes {
            rows,
            keys,
            above,
            depths,
            ..
        } = *nodes.map_err(|_| other_sink())?;
        let keys = keys.into_iter().enumerate();
        let places: HashMap<Key, usize> = keys.filter_map(|(i, key)| Some((key?, i))).collect();
        let above = above.iter().map(|key| places.get(key.as_ref()?).copied());
        Ok(Forest::plant(finished::<M>(rows)?, above.collect(), &depths))
    }
}

/// Others may move what stands above while it is being locked; then it is locked anew, so many times.
const ATTEMPTS: usize = 16;

pub(crate) fn move_to<'a, M: Model, R: Rel<Parent = M>>(
    row: &M,
    raw: Raw<'a>,
    place: Option<M::Id>,
    site: Site,
) -> Pending<'a, M>
where
    R::Child: LeadsBack<M>,
{
    let (own, place) = (row.id().into_values(), place.map(|id| id.into_values()));
    match (moved::<M, R>(row, &own, place.as_deref()), place) {
        (Err(e), _) => Pending::failed(e),
        (Ok(update), None) => update.save_by(raw, site),
        (Ok(update), Some(place)) => Pending::steps(move_under::<M, R>(raw, update, own, place, site)),
    }
}

async fn move_under<M: Model, R: Rel<Parent = M>>(
    raw: Raw<'_>,
    update: Update<M>,
    own: Vec<Value>,
    place: Vec<Value>,
    site: Site,
) -> Result<M>
where
    R::Child: LeadsBack<M>,
{
    for _ in 0..ATTEMPTS {
        // a transaction of its own is begun anew: who asks for more locks while it holds some may meet another such
        let unit = Unit::open(raw.again(), site).await?;
        match may_stand_under::<M, R>(&unit.raw(), &own, &place, site).await {
            Ok(true) => {
                let saved = update.save_by(unit.raw(), site).await;
                return unit.end(saved).await;
            }
            Ok(false) => drop(unit.end::<()>(Err(elsewhere(R::DEF))).await),
            Err(e) => return unit.end(Err(e)).await,
        }
    }
    Err(elsewhere(R::DEF))
}

#[cold]
fn elsewhere(def: &RelationDef) -> Error {
    let text = "others moved what stands above the new place again and again";
    Error::new(ErrorKind::Serialization, text).with_model(def.model)
}

/// The change of the foreign key. Columns that are a part of the row's own key as well stay as they are.
fn moved<M: Model, R: Rel<Parent = M>>(row: &M, own: &[Value], place: Option<&[Value]>) -> Result<Update<M>> {
    if R::DEF.kind != RelationKind::BelongsTo {
        return Err(misused(
            R::DEF,
            "a row is moved along the `belongs_to` that leads up",
        ));
    }
    let mut update = Update::of(row);
    for (i, link) in (R::DEF.parent)().into_iter().enumerate() {
        let value = place.and_then(|place| place.get(i));
        let kept = M::TABLE
            .key_columns()
            .zip(own)
            .find(|(c, _)| std::ptr::eq(*c, link));
        match (kept, value) {
            (Some((_, own)), Some(value)) if own != value => {
                let why = "the new place differs in a column that is a part of the row's own key";
                return Err(misused(R::DEF, why));
            }
            (Some(_), _) => {}
            (None, Some(value)) => update.set.push((link, Node::Value(value.clone()))),
            (None, None) if link.column.nullable => {
                update.set.push((link, Node::Value(Value::Null(link.column.ty))));
            }
            (None, None) => {}
        }
    }
    if let Some(association) = &R::DEF.association {
        let label = association.label.map(|label| (label.column)());
        let nullable = label.filter(|c| c.column.nullable || place.is_some());
        update.set.extend(nullable.map(|column| {
            let value = match (place, association.label) {
                (Some(_), Some(label)) => Value::Str(label.value),
                _ => Value::Null(column.column.ty),
            };
            (column, Node::Value(value))
        }));
        let others = place.map(|_| (association.others)()).into_iter().flatten();
        update
            .set
            .extend(others.map(|c| (c, Node::Value(Value::Null(c.column.ty)))));
    }
    match update.set.is_empty() {
        true => Err(misused(
            R::DEF,
            "the row must have one: it cannot be moved to the top",
        )),
        false => Ok(update),
    }
}

/// Fails unless the place is there and neither the row itself nor under it. What stands above the place is locked
/// together with the row: whoever moves one of them at the same time waits, and sees what was done. `false` when others
/// have put the place somewhere else before it was locked.
async fn may_stand_under<M: Model, R: Rel<Parent = M>>(
    raw: &Raw<'_>,
    own: &[Value],
    place: &[Value],
    site: Site,
) -> Result<bool>
where
    R::Child: LeadsBack<M>,
{
    let locked = match raw.runner.dialect().features().row_locks {
        true => Some(keys_of::<M>(raw, locking::<M, R>(own, place), site).await?),
        false => None,
    };
    let above = keys_of::<M>(raw, above::<M, R>(place), site).await?;
    if above.contains(&Key::new(own.to_vec())) {
        let text = "the row would become its own ancestor: the new place is the row itself or under it";
        let cycle = Error::new(ErrorKind::Cycle, text);
        return Err(cycle.with_model(R::DEF.model).with_field(R::DEF.name));
    }
    if above.is_empty() {
        return Err(Error::not_found(M::TABLE.model));
    }
    Ok(locked.is_none_or(|locked| above.is_subset(&locked)))
}

/// The keys of the place and of what stands above it. Rows that are deleted or filtered out count: they may be restored,
/// and would close the cycle then.
fn above<M: Model, R: Rel<Parent = M>>(place: &[Value]) -> Box<Select>
where
    R::Child: LeadsBack<M>,
{
    let start = Query::<M>::new().with_key(place.to_vec());
    let mut walk = start.walk(|_| RelRef::<M, R>::new(Source::ROOT)).include_start();
    walk.step_over_hidden();
    let (mut select, _) = walk.reached();
    select.columns = key_of::<M>(select.root());
    select
}

/// The same with the row itself, locked in the order of the keys.
fn locking<M: Model, R: Rel<Parent = M>>(own: &[Value], place: &[Value]) -> Box<Select>
where
    R::Child: LeadsBack<M>,
{
    let mut select = Query::<M>::new().into_ast();
    let root = select.root();
    let mut key = key_of::<M>(root);
    select.columns = key.clone();
    select.order = key.iter().cloned().map(ascending).collect();
    let itself = key.iter().cloned().zip(own.iter().cloned().map(Node::Value));
    let itself = Node::All(
        itself
            .map(|(c, v)| Node::Compare(CompareOp::Eq, Box::new(c), Box::new(v)))
            .collect(),
    );
    let key = match key.len() {
        1 => key.remove(0),
        _ => Node::Tuple(key),
    };
    let above = Node::In(Box::new(key), Box::new(InList::Query(above::<M, R>(place))));
    select.filter.push(Node::Any(vec![itself, above]));
    if let Some(from) = &mut select.from {
        from.guard = query::in_hand(Deleted::Included);
    }
    select.lock = Some(Lock {
        strength: LockStrength::NoKeyUpdate,
        of: vec![root],
        wait: LockWait::Wait,
    });
    select
}

fn key_of<M: Model>(source: Source) -> Vec<Node> {
    query::nodes(source, M::TABLE.key_columns())
}

async fn keys_of<M: Model>(raw: &Raw<'_>, ast: Box<Select>, site: Site) -> Result<HashSet<Key>> {
    let types = M::TABLE.key_columns().map(|c| c.column.ty);
    let sink = Identities::boxed(types.enumerate().collect());
    let done = step(raw, Statement::Select(ast), Some(M::TABLE), sink, site).await?;
    Identities::take(done.sink)
}
