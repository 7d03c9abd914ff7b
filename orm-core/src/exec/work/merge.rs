//! Merging: rows with loaded relations, as the program wants them to be, against what the database has.
//!
//! What a merge takes is known only once the database was asked. Then each row becomes an ordinary step of the unit, or
//! none; rows that a collection has no more become steps as well.

use std::collections::{HashMap, HashSet};
use std::panic::Location;

use crate::ast::{Deleted, Expr as Node, Lock, LockStrength, LockWait, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::cascade::rows;
use crate::exec::edit::{changes, is_first, key_of, settable, version_of};
use crate::exec::fetch::Site;
use crate::exec::hooks::read_rows;
use crate::exec::key::{Key, Place, among, place};
use crate::exec::link::orphaned;
use crate::exec::work::{Boxed, Finish, Kind, List, Ref, Set, Step, Typed, key_from, run, stand_in, typed};
use crate::exec::{Exec, Pending, Raw, Writes};
use crate::model::{Content, Entity, Model, Rel, Writable};
use crate::query::{in_hand, nodes, put};
use crate::relation::{RelRef, label_is};
use crate::schema::{Column, Default, Orphans, RelationDef, RelationKind, Role, Table};
use crate::value::Value;

/// A row with its loaded relations, to be written as it is now: `order.merge(&db)`.
///
/// Every row of the graph is compared with the database, found by its key:
///
/// - A row that is there is updated where it differs, and nothing is sent where it does not. With a version it is
///   `Stale` when somebody changed it since it was read. Managed columns (timestamps, who wrote it) are not compared.
/// - A row without a key is inserted: one whose key the database makes and which is 0 (`Id::new(0)`), or whose key is a
///   UUID and nil. So is a row with a key that the program makes and that no row has yet. Its foreign key to the row
///   above is set.
/// - A row of a loaded to-many or `has_one` relation that is in the database and not in the graph is an orphan: unlinked,
///   or deleted with `orphans = delete` on the relation. This is so for rows as well that somebody else added since the
///   graph was read. Over a join table the links come and go.
/// - What was not loaded stays as it is. A load that was filtered, limited or counted cannot be merged, and neither can a
///   loaded `belongs_to_any`: take it off with `into_parts` before.
///
/// The row of a loaded `belongs_to` is written like the others; a new one becomes the row that the foreign key refers to.
///
/// ```
/// # use orm_core::error::Result;
/// # use orm_core::exec::{Db, Merge, Mergeable, Writes};
/// # async fn run<O: Mergeable>(db: &Db, order: O) -> Result<()> where Db: Writes<O::Model> {
/// // let mut order = Order::query().with(|o| o.lines).get(&db, id).await?;
/// // order.lines.retain(|l| l.amount > 0);
/// // order.lines.push(Line { id: Id::new(0), order_id: order.id, amount: 5 });
/// let merged = order.merge(db).await?;
/// println!("{} new, {} changed, {} gone", merged.inserted, merged.updated, merged.deleted);
/// # Ok(()) }
/// ```
pub trait Merge: Entity {
    /// Writes the difference between this graph and the database as one transaction, or as a part of the open one.
    ///
    /// # Errors
    /// `Stale` for a row that somebody else changed, `NotFound` for one that is gone, `InvalidQuery` when a relation has
    /// lost rows that can be neither unlinked nor deleted, when a row and its foreign key disagree, or when a row stands
    /// in the graph twice with different values. Nothing of the graph is written then.
    #[track_caller]
    fn merge<E: Writes<Self::Model> + ?Sized>(self, ex: &E) -> Pending<'_, Merged<Self>>
    where
        Self: Mergeable,
    {
        let (raw, site) = (Exec::raw(ex), Location::caller());
        let mut list = List::new();
        let finish = match self.plan(&mut list) {
            Ok((_, finish)) => finish,
            Err(e) => return Pending::failed(e),
        };
        Pending::steps(async move {
            let mut done = run::commit(raw, list, site).await?;
            Ok(Merged {
                row: finish(&mut done)?,
                inserted: done.inserted,
                updated: done.updated,
                deleted: done.deleted,
                linked: done.linked,
                unlinked: done.unlinked,
            })
        })
    }
    /// The row with a relation beside it, as if it had been loaded: for a graph that comes from somewhere else, such as
    /// JSON. For a to-many relation `rows` is a `Vec`, for a `has_one` or an optional foreign key an `Option`.
    fn attach<R, C>(
        self,
        relation: impl FnOnce(<Self::Model as Model>::Cols<Self::Model>) -> RelRef<Self::Model, R>,
        rows: C,
    ) -> R::With<Self, C>
    where
        R: Rel<Parent = Self::Model>,
        C: MergeContent<R>,
    {
        let _ = relation(<Self::Model as Model>::cols(Source::ROOT));
        R::attach(self, rows)
    }
}

impl<O: Entity> Merge for O {}

/// A row that can be merged, with relations that can. Implemented by the derive.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be merged",
    label = "expected a row of a model that is written, with relations that were loaded as a whole",
    note = "load its relations without filter, limit, count or columns; models have to be `Clone`, and no views"
)]
pub trait Mergeable: Entity {
    /// Puts the graph into a unit; what it becomes afterwards.
    #[doc(hidden)]
    fn plan(self, list: &mut List) -> Result<(Ref<Self::Model>, Finish<Self>)>;
}

/// What a merge did, and the graph as the database has it now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Merged<O> {
    /// The row with its relations.
    pub row: O,
    /// How many rows were inserted.
    pub inserted: u64,
    /// How many rows were changed, with those that were unlinked by their foreign key.
    pub updated: u64,
    /// How many rows were deleted, without those that relations took along.
    pub deleted: u64,
    /// How many links were made over join tables.
    pub linked: u64,
    /// How many links over join tables went.
    pub unlinked: u64,
}

/// What is loaded of a relation, as it can be merged: all related rows, or the one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not all that the relation has, and cannot be merged",
    label = "expected `Vec<_>`, `Option<_>` or a row, as a load without filter, limit, count or columns brings it"
)]
pub trait MergeContent<R: Rel>: Content {
    /// Puts the rows into a unit.
    #[doc(hidden)]
    fn plan_rows(self, list: &mut List) -> Result<(Vec<Ref<R::Child>>, Finish<Self>)>;
}

#[diagnostic::do_not_recommend]
impl<M: Writable + Clone + Entity> Mergeable for M {
    fn plan(self, list: &mut List) -> Result<(Ref<M>, Finish<M>)> {
        let row = list.merge(self)?;
        let again = row.clone();
        Ok((row, Box::new(move |done| done.take(&again))))
    }
}

impl<R: Rel, N: Mergeable<Model = R::Child>> MergeContent<R> for N {
    fn plan_rows(self, list: &mut List) -> Result<(Vec<Ref<R::Child>>, Finish<N>)> {
        let (row, finish) = self.plan(list)?;
        Ok((vec![row], finish))
    }
}
impl<R: Rel, N: Mergeable<Model = R::Child>> MergeContent<R> for Option<N> {
    fn plan_rows(self, list: &mut List) -> Result<(Vec<Ref<R::Child>>, Finish<Self>)> {
        let Some(row) = self else {
            return Ok((Vec::new(), Box::new(|_| Ok(None))));
        };
        let (row, finish) = row.plan(list)?;
        Ok((vec![row], Box::new(move |done| finish(done).map(Some))))
    }
}
impl<R: Rel, N: Mergeable<Model = R::Child>> MergeContent<R> for Vec<N> {
    fn plan_rows(self, list: &mut List) -> Result<(Vec<Ref<R::Child>>, Finish<Self>)> {
        let (mut refs, mut below) = (Vec::with_capacity(self.len()), Vec::with_capacity(self.len()));
        for row in self {
            let (row, finish) = row.plan(list)?;
            refs.push(row);
            below.push(finish);
        }
        Ok((
            refs,
            Box::new(move |done| below.into_iter().map(|f| f(done)).collect()),
        ))
    }
}

/// Puts a row and a relation of it into a unit. Called by generated code.
pub fn plan_relation<R, B, C>(
    base: B,
    content: C,
    list: &mut List,
) -> Result<(Ref<R::Parent>, Finish<R::With<B, C>>)>
where
    R: Rel,
    B: Mergeable<Model = R::Parent>,
    C: MergeContent<R>,
{
    let (row, base) = base.plan(list)?;
    let (rows, content) = content.plan_rows(list)?;
    list.relations.push(Relation {
        def: R::DEF,
        parent: row.at,
        rows: rows.iter().map(|row| row.at).collect(),
        child: typed::<R::Child>(),
    });
    let finish: Finish<R::With<B, C>> = Box::new(move |done| {
        let base = base(done)?;
        Ok(R::attach(base, content(done)?))
    });
    Ok((row, finish))
}

/// A loaded relation of a row.
pub(super) struct Relation {
    def: &'static RelationDef,
    /// The step of the row.
    parent: usize,
    /// The steps of the related rows.
    rows: Vec<usize>,
    child: Typed,
}

/// A row that a merge wants to be there.
pub(super) struct Wanted {
    /// The values of its fields.
    row: Vec<Value>,
    /// What was set since.
    pub(super) set: Set,
    /// The key, with a placeholder where the database makes it.
    key: Vec<Value>,
    placeholder: Option<Value>,
    copy: fn(&Boxed) -> Option<Boxed>,
}

impl List {
    fn merge<M: Writable + Clone>(&mut self, row: M) -> Result<Ref<M>> {
        let mut row = row.into_values();
        let (mut key, mut placeholder) = (Vec::new(), None);
        for (&at, column) in M::TABLE.key.iter().zip(M::TABLE.key_columns()) {
            let Some(slot) = row.get_mut(at) else { continue };
            match (column.default, &*slot) {
                (Default::Identity, Value::I64(0) | Value::I32(0) | Value::I16(0)) => {
                    *slot = placeholder.insert(stand_in(M::TABLE, column)?).clone();
                }
                (Default::Function(f), Value::Uuid(id)) if id.iter().all(|b| *b == 0) => *slot = f(),
                _ => {}
            }
            key.push(slot.clone());
        }
        let id = key_from::<M>(&key)?;
        let wanted = Wanted {
            row,
            set: Vec::new(),
            key,
            placeholder,
            copy: |row| {
                let row = row.downcast_ref::<M>()?;
                Some(Box::new(row.clone()))
            },
        };
        let at = self.add(M::TABLE, Kind::Merge(Box::new(wanted)), typed::<M>());
        Ok(self.row(at, id))
    }
}

/// What a merge has to do after the steps: links over join tables, and rows that stand in the graph several times.
#[derive(Default)]
pub(super) struct Rest {
    pub(super) links: Vec<Links>,
    /// A step, the one of the same row before it, and how its row is copied.
    pub(super) again: Vec<(usize, usize, fn(&Boxed) -> Option<Boxed>)>,
}

/// The links of a row over a join table; placeholders stand for keys that are still to come.
pub(super) struct Links {
    pub(super) def: &'static RelationDef,
    pub(super) parent: Vec<Value>,
    pub(super) is_new: bool,
    pub(super) rows: Vec<Vec<Value>>,
}

/// Rows of the database, by model and key.
type Stored = HashMap<Place, Vec<Value>>;

/// Makes ordinary steps of the rows to be merged.
pub(super) async fn resolve(raw: &Raw<'_>, list: &mut List, site: Site) -> Result<Rest> {
    if !list.steps.iter().any(|s| matches!(s.kind, Kind::Merge(_))) {
        return Ok(Rest::default());
    }
    let relations = std::mem::take(&mut list.relations);
    // from above: a key may hold that of the row above
    for relation in relations.iter().rev() {
        relate(list, relation)?;
    }
    let mut stored = Stored::new();
    // rows from above first, so that everybody takes locks in one order
    let below: HashSet<usize> = relations.iter().flat_map(|r| r.rows.iter().copied()).collect();
    let roots = (0..list.steps.len()).filter(|i| !below.contains(i)).collect();
    read_by_key(raw, list, roots, &mut stored, site).await?;
    let members = read_members(raw, list, &relations, &mut stored, site).await?;
    read_by_key(raw, list, (0..list.steps.len()).collect(), &mut stored, site).await?;
    let mut rest = Rest::default();
    for relation in &relations {
        rest.links.extend(linked(list, relation));
    }
    // a row of the graph has its place there
    let wanted = (0..list.steps.len()).filter_map(|i| wanted(list, i));
    let placed = wanted
        .map(|(table, w)| place(table, Key::new(w.key.clone())))
        .collect();
    let mut seen: HashMap<Place, (usize, Vec<Value>)> = HashMap::new();
    for i in 0..list.steps.len() {
        step(list, i, &stored, &mut seen, &mut rest)?;
    }
    orphans(list, &relations, members, placed, &stored)?;
    Ok(rest)
}

/// The links over a join table that a relation wants.
fn linked(list: &List, relation: &Relation) -> Option<Links> {
    relation.def.through.as_ref()?;
    let (_, above) = wanted(list, relation.parent)?;
    let keys = relation.rows.iter().filter_map(|row| wanted(list, *row));
    Some(Links {
        def: relation.def,
        parent: above.key.clone(),
        is_new: above.placeholder.is_some(),
        rows: keys.map(|(_, row)| row.key.clone()).collect(),
    })
}

fn wanted(list: &List, at: usize) -> Option<(&'static Table, &Wanted)> {
    match list.steps.get(at).map(|s| (s.table, &s.kind)) {
        Some((table, Kind::Merge(wanted))) => Some((table, wanted)),
        _ => None,
    }
}

/// Sets foreign keys: of the related rows, or of the row that belongs to one.
fn relate(list: &mut List, relation: &Relation) -> Result<()> {
    let Relation {
        def, parent, rows, ..
    } = relation;
    match def.kind {
        RelationKind::ManyToMany => {}
        RelationKind::HasOne | RelationKind::HasMany => {
            let Some((_, above)) = wanted(list, *parent) else {
                return Ok(());
            };
            let linked = def.linked(above.key.clone());
            rows.iter().for_each(|&row| assign(list, row, &linked));
        }
        RelationKind::BelongsTo => {
            let target = rows.first().and_then(|row| wanted(list, *row));
            let Some((key, is_new)) = target.map(|(_, w)| (w.key.clone(), w.placeholder.is_some())) else {
                return Ok(());
            };
            let columns = (def.parent)();
            let Some((table, own)) = wanted(list, *parent) else {
                return Ok(());
            };
            let held = columns
                .iter()
                .filter_map(|c| own.row.get(table.position(&c.column)?).cloned());
            if !is_new && Key::new(held.collect()) != Key::new(key.clone()) {
                let text = "the foreign key and the loaded row disagree: assign both";
                let e = Error::new(ErrorKind::InvalidQuery, text);
                return Err(e.with_model(def.model).with_field(def.name));
            }
            if is_new {
                let linked: Vec<_> = columns.into_iter().zip(key).collect();
                assign(list, *parent, &linked);
            }
        }
    }
    Ok(())
}

/// Puts a foreign key into a row, and into its key where it is a part of that.
fn assign(list: &mut List, at: usize, linked: &[(&'static Column, Value)]) {
    let Some(Step { table, kind, .. }) = list.steps.get_mut(at) else {
        return;
    };
    let Kind::Merge(wanted) = kind else { return };
    for (column, value) in linked {
        match (
            table.position(&column.column).and_then(|i| wanted.row.get_mut(i)),
            value,
        ) {
            // the label of a discriminator comes without its type
            (Some(Value::Enum(_, old)), Value::Str(new)) if old == new => {}
            (Some(slot), value) => *slot = value.clone(),
            (None, value) => wanted.set.push((column, Node::Value(value.clone()))),
        }
    }
    wanted.key = key_of(table, &wanted.row);
}

/// Reads the rows of these steps that were not read yet.
async fn read_by_key(
    raw: &Raw<'_>,
    list: &List,
    steps: Vec<usize>,
    stored: &mut Stored,
    site: Site,
) -> Result<()> {
    let mut tables: Vec<(&'static Table, Vec<Key>)> = Vec::new();
    for (table, wanted) in steps.into_iter().filter_map(|i| wanted(list, i)) {
        let key = Key::new(wanted.key.clone());
        if wanted.placeholder.is_some() || stored.contains_key(&place(table, key.clone())) {
            continue;
        }
        match tables.iter_mut().find(|(t, _)| std::ptr::eq(*t, table)) {
            Some((_, keys)) => keys.push(key),
            None => tables.push((table, vec![key])),
        }
    }
    for (table, keys) in tables {
        let columns: Vec<&'static Column> = table.key_columns().collect();
        read(raw, table, &columns, &keys, None, stored, site).await?;
    }
    Ok(())
}

/// Reads the rows that the relations have in the database, and says which those are.
async fn read_members(
    raw: &Raw<'_>,
    list: &List,
    relations: &[Relation],
    stored: &mut Stored,
    site: Site,
) -> Result<Vec<(usize, Key)>> {
    let mut groups: Vec<(&'static RelationDef, Vec<(usize, Key)>)> = Vec::new();
    for (i, relation) in relations.iter().enumerate() {
        let owns = matches!(relation.def.kind, RelationKind::HasOne | RelationKind::HasMany);
        let Some((_, above)) = wanted(list, relation.parent).filter(|_| owns) else {
            continue;
        };
        if above.placeholder.is_some() {
            continue;
        }
        let member = (i, Key::new(above.key.clone()));
        match groups
            .iter_mut()
            .find(|(def, _)| std::ptr::eq(*def, relation.def))
        {
            Some((_, group)) => group.push(member),
            None => groups.push((relation.def, vec![member])),
        }
    }
    let mut members = Vec::new();
    for (def, group) in groups {
        let (table, columns) = ((def.table)(), (def.child)());
        let keys: Vec<Key> = group.iter().map(|(_, key)| key.clone()).collect();
        let label = |source| def.label().map(|label| label_is(source, label));
        let found = read(raw, table, &columns, &keys, Some(&label), stored, site).await?;
        let relation_of: HashMap<Key, usize> = group.into_iter().map(|(i, key)| (key, i)).collect();
        for (key, owner) in found {
            members.extend(relation_of.get(&owner).map(|i| (*i, key)));
        }
    }
    Ok(members)
}

/// Reads and locks the rows whose columns have one of these values; their keys, and the values that were asked for.
async fn read(
    raw: &Raw<'_>,
    table: &'static Table,
    columns: &[&'static Column],
    keys: &[Key],
    and: Option<&(dyn Fn(Source) -> Option<Node> + Sync)>,
    stored: &mut Stored,
    site: Site,
) -> Result<Vec<(Key, Key)>> {
    let source = Source::fresh();
    let mut found = Vec::new();
    for condition in among(&nodes(source, columns.iter().copied()), keys, raw) {
        let mut select = rows(table, source, in_hand(Deleted::Hidden));
        select.columns = nodes(source, table.columns);
        select.filter = and
            .and_then(|and| and(source))
            .into_iter()
            .chain([condition])
            .collect();
        select.lock = Some(Lock {
            strength: LockStrength::Update,
            of: Vec::new(),
            wait: LockWait::Wait,
        });
        for row in read_rows(raw, select, table, table.columns, site).await? {
            let key = Key::new(key_of(table, &row));
            let of = columns
                .iter()
                .filter_map(|c| row.get(table.position(&c.column)?).cloned());
            found.push((key.clone(), Key::new(of.collect())));
            stored.insert(place(table, key), row);
        }
    }
    Ok(found)
}

/// Makes an insert, a change or nothing of a row to be merged.
fn step(
    list: &mut List,
    at: usize,
    stored: &Stored,
    seen: &mut HashMap<Place, (usize, Vec<Value>)>,
    rest: &mut Rest,
) -> Result<()> {
    let Some(Step { table, kind, rows }) = list.steps.get_mut(at) else {
        return Ok(());
    };
    let (table, rows) = (*table, *rows);
    let wanted = match std::mem::replace(kind, Kind::Keep) {
        Kind::Merge(wanted) => *wanted,
        other => {
            *kind = other;
            return Ok(());
        }
    };
    let Wanted {
        row,
        set,
        key,
        placeholder,
        copy,
    } = wanted;
    let (row, calculated) = with_set(table, row, set);
    let place = place(table, Key::new(key.clone()));
    if let Some((first, same)) = seen.get(&place) {
        if !calculated.is_empty() || !changes(table, same, row).is_empty() {
            return Err(twice(table));
        }
        rest.again.push((at, *first, copy));
        return Ok(());
    }
    if placeholder.is_none() {
        seen.insert(place.clone(), (at, row.clone()));
    }
    *kind = match stored.get(&place) {
        Some(now) => {
            // as the model writes them: JSON, for one, is the same in other words
            let before = (rows.as_written)(&now[..table.fields])?;
            if version_of(table, &before) != version_of(table, &row) {
                let text = "the row was changed since it was read";
                return Err(Error::new(ErrorKind::Stale, text).with_model(table.model));
            }
            let differ = changes(table, &before, row).into_iter();
            let own = differ.filter(|c| settable(table, c.column));
            let mut set: Set = own
                .map(|c| (c.column, put(c.column, Node::Value(c.after))))
                .collect();
            set.extend(calculated);
            match set.is_empty() {
                true => {
                    list.kept.insert(at, (rows.of_values)(&before)?);
                    Kind::Keep
                }
                false => Kind::Update {
                    set,
                    before,
                    reuses: false,
                },
            }
        }
        None => {
            let is_new = placeholder.is_some() || table.key_columns().all(made_by_the_program);
            if !is_new || version_of(table, &row).is_some_and(|v| !is_first(&v)) {
                return Err(Error::not_found(table.model));
            }
            let fields = table.columns.iter().zip(row);
            let own = fields.filter(|(c, v)| {
                matches!(c.role, Role::Plain) && c.generated.is_none() && Some(v) != placeholder.as_ref()
            });
            let mut row: Set = own.map(|(c, v)| (c, put(c, Node::Value(v)))).collect();
            for (column, node) in calculated {
                row.retain(|(c, _)| !std::ptr::eq(*c, column));
                row.push((column, node));
            }
            Kind::Insert {
                row,
                overriding: false,
                key,
                placeholder,
            }
        }
    };
    Ok(())
}

fn made_by_the_program(column: &'static Column) -> bool {
    !matches!(column.default, Default::Identity)
}

/// The row with what was set, and what the database calculates.
fn with_set(table: &'static Table, mut row: Vec<Value>, set: Set) -> (Vec<Value>, Set) {
    let mut calculated = Set::new();
    for (column, node) in set {
        calculated.retain(|(c, _)| !std::ptr::eq(*c, column));
        match (node, table.position(&column.column).and_then(|i| row.get_mut(i))) {
            (Node::Value(value), Some(slot)) => *slot = value,
            (node, _) => calculated.push((column, node)),
        }
    }
    (row, calculated)
}

#[cold]
fn twice(table: &'static Table) -> Error {
    let text = "the same row stands in the graph twice, with different values";
    Error::new(ErrorKind::InvalidQuery, text).with_model(table.model)
}

/// Adds steps for the rows that a relation has in the database and not in the graph, unless they found another place.
fn orphans(
    list: &mut List,
    relations: &[Relation],
    members: Vec<(usize, Key)>,
    mut placed: HashSet<Place>,
    stored: &Stored,
) -> Result<()> {
    let mut changed: HashMap<Place, usize> = HashMap::new();
    for (i, Step { table, kind, .. }) in list.steps.iter().enumerate() {
        match kind {
            Kind::Delete { before } => {
                placed.insert(place(table, Key::new(key_of(table, before))));
            }
            Kind::Update { before, .. } => {
                changed.insert(place(table, Key::new(key_of(table, before))), i);
            }
            Kind::Insert { .. } | Kind::Keep | Kind::Merge(_) => {}
        }
    }
    for (relation, key) in members {
        let Some(Relation { def, child, .. }) = relations.get(relation) else {
            continue;
        };
        let table = (def.table)();
        let place = place(table, key);
        if placed.contains(&place) {
            continue;
        }
        let changed = changed.get(&place).copied();
        let foreign = (def.child)();
        if let Some(Kind::Update { set, .. }) = changed.map(|i| &list.steps[i].kind)
            && set
                .iter()
                .any(|(c, _)| foreign.iter().any(|f| std::ptr::eq(*f, *c)))
        {
            continue;
        }
        let before = stored
            .get(&place)
            .map_or_else(Vec::new, |row| row[..table.fields].to_vec());
        let kind = match orphaned(def) {
            Some(Orphans::Delete) => Kind::Delete { before },
            Some(Orphans::Unlink) => {
                let unlinked = def.unlinked().into_iter();
                let null = unlinked.map(|(c, v)| (c, Node::Value(v)));
                match changed {
                    Some(i) => {
                        if let Kind::Update { set, .. } = &mut list.steps[i].kind {
                            set.extend(null);
                        }
                        continue;
                    }
                    None => Kind::Update {
                        set: null.collect(),
                        before,
                        reuses: false,
                    },
                }
            }
            None => return Err(required(def)),
        };
        placed.insert(place);
        match changed {
            Some(i) => list.steps[i].kind = kind,
            None => {
                list.add(table, kind, *child);
            }
        }
    }
    Ok(())
}

#[cold]
fn required(def: &'static RelationDef) -> Error {
    let text = "rows are missing from this relation, and their foreign key is required: say `orphans = delete` on it, \
                or delete them";
    Error::new(ErrorKind::InvalidQuery, text)
        .with_model(def.model)
        .with_field(def.name)
}
