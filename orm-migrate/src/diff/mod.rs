//! The difference of two schemas: changes in an order in which they can be carried out. Pure, and of no dialect.

mod order;
mod rename;

use std::collections::BTreeSet;

use crate::change::{Change, Commented, Constraint, Use};
use crate::schema::{Column, Composite, Enum, Extension, Fill, Function, Grant, Name, Schema, Table, View};
use crate::words::mentions;

/// What was said about renames, beside `renamed_from` in the schema itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renames {
    /// Tables: the name before, the name after.
    pub tables: Vec<(Name, Name)>,
    /// Columns: the table (as it is called after), the name before, the name after.
    pub columns: Vec<(Name, String, String)>,
    /// What is no rename: the one goes, the other is new.
    pub denied: Vec<Question>,
}

/// Something goes and something like it comes: is it the same under another name?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Of tables.
    RenameTable {
        /// The one that goes.
        from: Name,
        /// The one that comes.
        to: Name,
    },
    /// Of columns.
    RenameColumn {
        /// Their table.
        table: Name,
        /// The one that goes.
        from: String,
        /// The one that comes.
        to: String,
    },
}

/// What [`diff`] finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Diff {
    /// The changes, in order. None when the schemas are equal.
    Changes(Vec<Change>),
    /// Nothing before these are answered, in [`Renames`]: dropping and adding would lose the data of a rename.
    NeedsDecision(Vec<Question>),
}

/// What turns the schema `from` into the schema `to`.
///
/// ```
/// use orm_migrate::diff::{Diff, Renames, diff};
/// use orm_migrate::schema::{Column, Name, Schema, Table};
///
/// let column = |name: &str| Column { name: name.into(), ty: "text".into(), ..Column::default() };
/// let users = |columns: &[&str]| Schema {
///     tables: vec![Table {
///         name: Name::new("users"),
///         columns: columns.iter().map(|c| column(c)).collect(),
///         ..Table::default()
///     }],
///     ..Schema::default()
/// };
/// let Diff::Changes(changes) = diff(&users(&["id"]), &users(&["id", "name"]), &Renames::default()) else { panic!() };
/// assert_eq!(changes[0].describe(), "add column users.name");
///
/// // gone and come, and alike: nobody guesses
/// let asked = diff(&users(&["id", "name"]), &users(&["id", "title"]), &Renames::default());
/// assert!(matches!(asked, Diff::NeedsDecision(questions) if questions.len() == 1));
/// let renames = Renames { columns: vec![(Name::new("users"), "name".into(), "title".into())], ..Renames::default() };
/// let Diff::Changes(changes) = diff(&users(&["id", "name"]), &users(&["id", "title"]), &renames) else { panic!() };
/// assert_eq!(changes[0].describe(), "rename column users.name to title");
/// ```
pub fn diff(from: &Schema, to: &Schema, renames: &Renames) -> Diff {
    let (base, renamed) = rename::apply(from, to, renames);
    let questions = rename::questions(&base, to, renames);
    if !questions.is_empty() {
        return Diff::NeedsDecision(questions);
    }
    let mut found = Found {
        renames: renamed,
        ..Found::default()
    };
    found.types(&base, to);
    found.functions(&base, to);
    found.sequences(&base, to);
    found.tables(&base, to);
    found.virtual_tables(&base, to);
    found.views(&base, to);
    found.grants(&base, to);
    Diff::Changes(found.in_order())
}

/// Nothing is a rename: what goes, goes. For schemas that are both there already, where nobody can be asked.
pub(crate) fn denied(from: &Schema, to: &Schema) -> Renames {
    denying(from, to, Renames::default())
}

/// Nothing is a rename but what is known to be one.
pub(crate) fn denying(from: &Schema, to: &Schema, mut renames: Renames) -> Renames {
    while let Diff::NeedsDecision(mut questions) = diff(from, to, &renames) {
        questions.retain(|q| !renames.denied.contains(q));
        if questions.is_empty() {
            break;
        }
        renames.denied.extend(questions);
    }
    renames
}

/// The difference, where nobody can be asked what was renamed.
pub(crate) fn changes(from: &Schema, to: &Schema) -> Vec<Change> {
    match diff(from, to, &denied(from, to)) {
        Diff::Changes(changes) => changes,
        Diff::NeedsDecision(_) => Vec::new(),
    }
}

/// The older schema under the names of the newer one.
pub(crate) fn renamed(from: &Schema, to: &Schema, renames: &Renames) -> Schema {
    rename::apply(from, to, renames).0
}

/// What undoes a list of changes: each one's reverse, the last one first.
pub fn reverse(changes: Vec<Change>) -> Vec<Change> {
    changes.into_iter().rev().map(Change::reverse).collect()
}

/// The part of a database's schema that was in the schema it was last left with: what somebody else made there is
/// nobody's to drop.
pub fn known(live: &Schema, last: &Schema) -> Schema {
    let mut out = live.clone();
    let keep = |name: &Name, of: &[Name]| of.contains(name);
    macro_rules! only {
        ($($field:ident),*) => {$(
            let names: Vec<Name> = last.$field.iter().map(|x| x.name.clone()).collect();
            out.$field.retain(|x| keep(&x.name, &names));
        )*};
    }
    only!(
        enums,
        domains,
        composites,
        sequences,
        tables,
        virtual_tables,
        views,
        functions
    );
    out.schemas.retain(|s| last.schemas.contains(s));
    out.extensions
        .retain(|e| last.extensions.iter().any(|l| l.name == e.name));
    out.grants.retain(|g| {
        last.grants
            .iter()
            .any(|l| l.object == g.object && l.role == g.role)
    });
    out
}

/// Changes by when they are due. Every list but the first and the last may count on those before it.
#[derive(Default)]
struct Found {
    renames: Vec<Change>,
    /// Views, triggers, policies, grants that go or come back later.
    let_go: Vec<Change>,
    /// Foreign keys that go.
    unlinked: Vec<Change>,
    /// Indexes and constraints that go, or are called otherwise.
    loosened: Vec<Change>,
    /// Schemas, extensions, types, sequences, functions that tables need.
    types: Vec<Change>,
    tables: Vec<Change>,
    columns: Vec<Change>,
    /// Keys, checks, indexes that come.
    tightened: Vec<Change>,
    /// Foreign keys that come.
    linked: Vec<Change>,
    functions: Vec<Change>,
    views: Vec<Change>,
    /// Triggers, policies, grants, comments.
    attached: Vec<Change>,
    dropped_tables: Vec<Change>,
    dropped: Vec<Change>,
    /// Tables and columns that views have to be away for.
    moved: BTreeSet<Name>,
}

impl Found {
    fn in_order(self) -> Vec<Change> {
        let Found {
            renames,
            let_go,
            unlinked,
            loosened,
            types,
            tables,
            columns,
            tightened,
            linked,
            functions,
            views,
            attached,
            dropped_tables,
            dropped,
            moved: _,
        } = self;
        [
            renames,
            let_go,
            unlinked,
            loosened,
            types,
            tables,
            columns,
            tightened,
            linked,
            functions,
            views,
            attached,
            dropped_tables,
            dropped,
        ]
        .concat()
    }

    fn types(&mut self, from: &Schema, to: &Schema) {
        for schema in to.schemas.iter().filter(|s| !from.schemas.contains(s)) {
            self.types.push(Change::CreateSchema(schema.clone()));
        }
        let there = |e: &&Extension| from.extensions.iter().any(|f| f.serves(e));
        for it in to.extensions.iter().filter(|e| !there(e)) {
            self.types.push(Change::CreateExtension(it.clone()));
        }
        for new in &to.enums {
            match from.enums.iter().find(|e| e.name == new.name) {
                None => self.types.push(Change::CreateEnum(plain(new))),
                Some(old) => {
                    if old.labels != new.labels {
                        self.types.push(Change::AlterEnum {
                            from: plain(old),
                            to: new.clone(),
                            uses: uses(from, new),
                        });
                    }
                    self.comment(Commented::Type(new.name.clone()), &old.comment, &new.comment);
                }
            }
        }
        for new in &to.domains {
            match from.domains.iter().find(|d| d.name == new.name) {
                None => self.types.push(Change::CreateDomain(new.clone())),
                // there is no way to another type: refused by the database while a column has it
                Some(old) if old.ty != new.ty => {
                    self.types.push(Change::DropDomain(old.clone()));
                    self.types.push(Change::CreateDomain(new.clone()));
                }
                Some(old) => {
                    let said = |d: &crate::schema::Domain| (d.nullable, d.default.clone(), d.checks.clone());
                    if said(old) != said(new) {
                        self.types.push(Change::AlterDomain {
                            from: old.clone(),
                            to: new.clone(),
                        });
                    }
                    self.comment(Commented::Domain(new.name.clone()), &old.comment, &new.comment);
                }
            }
        }
        for new in behind_their_fields(&to.composites) {
            match from.composites.iter().find(|c| c.name == new.name) {
                None => self.types.push(Change::CreateComposite(new.clone())),
                Some(old) if old.attributes != new.attributes => {
                    self.types.push(Change::DropComposite(old.clone()));
                    self.types.push(Change::CreateComposite(new.clone()));
                }
                Some(old) => self.comment(Commented::Type(new.name.clone()), &old.comment, &new.comment),
            }
        }
        let gone = |o: &&Composite| !to.composites.iter().any(|c| c.name == o.name);
        for old in behind_their_fields(&from.composites)
            .into_iter()
            .rev()
            .filter(gone)
        {
            self.dropped.push(Change::DropComposite(old.clone()));
        }
        for old in from
            .domains
            .iter()
            .filter(|o| !to.domains.iter().any(|d| d.name == o.name))
        {
            self.dropped.push(Change::DropDomain(old.clone()));
        }
        for old in from
            .enums
            .iter()
            .filter(|o| !to.enums.iter().any(|e| e.name == o.name))
        {
            self.dropped.push(Change::DropEnum(plain(old)));
        }
        let stays = |e: &&Extension| to.extensions.iter().any(|t| e.serves(t));
        for it in from.extensions.iter().filter(|e| !stays(e)) {
            self.dropped.push(Change::DropExtension(it.clone()));
        }
        for schema in from.schemas.iter().filter(|s| !to.schemas.contains(s)) {
            self.dropped.push(Change::DropSchema(schema.clone()));
        }
    }

    fn sequences(&mut self, from: &Schema, to: &Schema) {
        for new in &to.sequences {
            let old = from.sequences.iter().find(|s| s.name == new.name);
            let unowned = |s: &crate::schema::Sequence| crate::schema::Sequence {
                owned_by: None,
                comment: None,
                ..s.clone()
            };
            let on = Commented::Sequence(new.name.clone());
            self.comment(on, &old.and_then(|s| s.comment.clone()), &new.comment);
            match old {
                None => self.types.push(Change::CreateSequence(unowned(new))),
                Some(old) if unowned(old) != unowned(new) => self.types.push(Change::AlterSequence {
                    from: unowned(old),
                    to: unowned(new),
                }),
                Some(_) => {}
            }
            let owner = old.and_then(|s| s.owned_by.clone());
            if owner != new.owned_by {
                self.attached.push(Change::OwnSequence {
                    sequence: new.name.clone(),
                    from: owner,
                    to: new.owned_by.clone(),
                });
            }
        }
        for old in from
            .sequences
            .iter()
            .filter(|o| !to.sequences.iter().any(|s| s.name == o.name))
        {
            if old.owned_by.is_some() {
                self.let_go.push(Change::OwnSequence {
                    sequence: old.name.clone(),
                    from: old.owned_by.clone(),
                    to: None,
                });
            }
            self.dropped.push(Change::DropSequence(crate::schema::Sequence {
                owned_by: None,
                ..old.clone()
            }));
        }
    }

    fn functions(&mut self, from: &Schema, to: &Schema) {
        let same = |a: &Function, b: &Function| a.name == b.name && a.arguments == b.arguments;
        for new in &to.functions {
            let old = from.functions.iter().find(|old| same(old, new));
            let on = Commented::Function {
                name: new.name.clone(),
                arguments: new.arguments.clone(),
                procedure: new.procedure,
            };
            self.comment(on, &old.and_then(|f| f.comment.clone()), &new.comment);
            let change = match old {
                None => Change::CreateFunction(new.clone()),
                Some(old) if old.definition == new.definition && old.procedure == new.procedure => continue,
                Some(old) if returns(old) != returns(new) || old.procedure != new.procedure => {
                    self.let_go.push(Change::DropFunction(old.clone()));
                    Change::CreateFunction(new.clone())
                }
                Some(old) => Change::ReplaceFunction {
                    from: old.clone(),
                    to: new.clone(),
                },
            };
            match order::needed_by_tables(new, to) {
                true => self.types.push(change),
                false => self.functions.push(change),
            }
        }
        for old in from
            .functions
            .iter()
            .filter(|o| !to.functions.iter().any(|f| same(f, o)))
        {
            self.dropped.push(Change::DropFunction(old.clone()));
        }
    }

    fn tables(&mut self, from: &Schema, to: &Schema) {
        // what stands on a column whose type changes has to be away meanwhile
        let retyped: BTreeSet<(Name, String)> = to
            .tables
            .iter()
            .filter_map(|new| Some((from.table(&new.name)?, new)))
            .flat_map(|(old, new)| retyped(old, new, &self.types))
            .collect();
        for new in order::tables(&to.tables) {
            match from.table(&new.name) {
                None => self.new_table(new),
                Some(old) => self.table(old, new, &retyped),
            }
        }
        for old in order::tables(&from.tables).into_iter().rev() {
            if to.table(&old.name).is_some() {
                continue;
            }
            self.moved.insert(old.name.clone());
            let table = || old.name.clone();
            for trigger in &old.triggers {
                self.let_go.push(Change::DropTrigger {
                    table: table(),
                    trigger: trigger.clone(),
                });
            }
            for policy in &old.policies {
                self.let_go.push(Change::DropPolicy {
                    table: table(),
                    policy: policy.clone(),
                });
            }
            for key in &old.foreign_keys {
                self.unlinked.push(Change::DropConstraint {
                    table: table(),
                    constraint: Constraint::ForeignKey(key.clone()),
                });
            }
            self.dropped_tables.push(Change::DropTable(bare(old)));
        }
    }

    fn new_table(&mut self, new: &Table) {
        let table = || new.name.clone();
        self.tables.push(Change::CreateTable(bare(new)));
        for key in &new.foreign_keys {
            self.linked.push(Change::AddConstraint {
                table: table(),
                constraint: Constraint::ForeignKey(key.clone()),
            });
        }
        for trigger in &new.triggers {
            self.attached.push(Change::CreateTrigger {
                table: table(),
                trigger: trigger.clone(),
            });
        }
        for policy in &new.policies {
            self.attached.push(Change::CreatePolicy {
                table: table(),
                policy: policy.clone(),
            });
        }
    }

    fn table(&mut self, old: &Table, new: &Table, retyped: &BTreeSet<(Name, String)>) {
        let table = || new.name.clone();
        let here: Vec<&str> = retyped
            .iter()
            .filter(|(of, _)| *of == new.name)
            .map(|(_, column)| column.as_str())
            .collect();
        let gone: Vec<&str> = old
            .columns
            .iter()
            .filter(|c| new.column(&c.name).is_none())
            .map(|c| c.name.as_str())
            .collect();
        if !here.is_empty() || !gone.is_empty() {
            self.moved.insert(table());
        }
        let again = calculated_anew(old, new, &here);
        let touched = |sql: &str| {
            let mut columns = here.iter().chain(&gone).chain(&again);
            columns.any(|column| mentions(sql, column))
        };
        if old.table_options() != new.table_options() {
            self.columns.push(Change::TableOptions {
                table: table(),
                from: old.table_options(),
                to: new.table_options(),
            });
        }
        if old.partition_of != new.partition_of {
            self.columns.push(Change::Partition {
                table: table(),
                from: old.partition_of.clone(),
                to: new.partition_of.clone(),
            });
        }
        self.columns(old, new, &again);
        self.constraints(old, new, retyped, &again, &touched);
        self.indexes(&new.name, &old.indexes, &new.indexes, &again, &touched);
        if old.row_security != new.row_security {
            self.attached.push(Change::RowSecurity {
                table: table(),
                from: old.row_security,
                to: new.row_security,
            });
        }
        for trigger in &old.triggers {
            if !new.triggers.contains(trigger) || touched(&trigger.definition) {
                self.let_go.push(Change::DropTrigger {
                    table: table(),
                    trigger: trigger.clone(),
                });
            }
        }
        for trigger in &new.triggers {
            if !old.triggers.contains(trigger) || touched(&trigger.definition) {
                self.attached.push(Change::CreateTrigger {
                    table: table(),
                    trigger: trigger.clone(),
                });
            }
        }
        for policy in &old.policies {
            if !new.policies.contains(policy) || touched(&policy.definition) {
                self.let_go.push(Change::DropPolicy {
                    table: table(),
                    policy: policy.clone(),
                });
            }
        }
        for policy in &new.policies {
            if !old.policies.contains(policy) || touched(&policy.definition) {
                self.attached.push(Change::CreatePolicy {
                    table: table(),
                    policy: policy.clone(),
                });
            }
        }
        self.comment(Commented::Table(table()), &old.comment, &new.comment);
    }

    fn columns(&mut self, old: &Table, new: &Table, again: &[&str]) {
        let table = || new.name.clone();
        let (mut gone, mut come) = (Vec::new(), Vec::new());
        for column in &new.columns {
            let before = old.column(&column.name);
            let Some(before) = before.filter(|_| !again.contains(&column.name.as_str())) else {
                gone.extend(before.map(unhinted));
                come.push(unhinted(column));
                continue;
            };
            if plain_column(before) != plain_column(column) {
                self.columns.push(Change::AlterColumn {
                    table: table(),
                    from: plain_column(before),
                    to: plain_column(column),
                });
            }
            let on = Commented::Column(table(), column.name.clone());
            self.comment(on, &before.comment, &column.comment);
        }
        gone.extend(
            old.columns
                .iter()
                .filter(|c| new.column(&c.name).is_none())
                .map(unhinted),
        );
        // calculated columns stand on the others: they go first, and come last
        gone.sort_by_key(|c| !c.fill.is_generated());
        come.sort_by_key(|c| c.fill.is_generated());
        let calculated = gone.iter().take_while(|c| c.fill.is_generated()).count();
        let gone = gone.into_iter().map(|column| Change::DropColumn {
            table: table(),
            column,
        });
        let mut gone: Vec<Change> = gone.collect();
        let others = gone.split_off(calculated);
        self.columns.splice(0..0, gone);
        self.columns.extend(others);
        self.columns
            .extend(come.into_iter().map(|column| Change::AddColumn {
                table: table(),
                column,
            }));
    }

    fn constraints(
        &mut self,
        old: &Table,
        new: &Table,
        retyped: &BTreeSet<(Name, String)>,
        again: &[&str],
        touched: &dyn Fn(&str) -> bool,
    ) {
        let table = || new.name.clone();
        let on_those = |columns: &[String]| columns.iter().any(|c| again.contains(&c.as_str()));
        let stands_in_the_way = |c: &Constraint| match c {
            Constraint::Check(check) => touched(&check.condition),
            Constraint::Exclusion(exclusion) => touched(&exclusion.definition),
            Constraint::ForeignKey(key) => {
                let own = key.columns.iter().map(|c| (new.name.clone(), c.clone()));
                let theirs = key.target_columns.iter().map(|c| (key.target.clone(), c.clone()));
                own.chain(theirs).any(|column| retyped.contains(&column)) || on_those(&key.columns)
            }
            Constraint::PrimaryKey(key) => on_those(&key.columns),
            Constraint::Unique(unique) => on_those(&unique.columns),
        };
        let (before, mut after) = (old.constraints(), new.constraints());
        let mut unmatched = Vec::new();
        for constraint in before {
            let named = |c: &Constraint| c.name() == constraint.name();
            if let Some(i) = after.iter().position(|c| named(c) && *c == constraint) {
                let kept = after.remove(i);
                if stands_in_the_way(&kept) {
                    self.drop_constraint(table(), constraint);
                    self.add_constraint(table(), kept);
                }
                continue;
            }
            let validated = constraint.validated();
            let now_valid = |c: &Constraint| named(c) && *c == validated && validated != constraint;
            if let Some(i) = after.iter().position(now_valid) {
                let constraint = after.remove(i);
                self.tightened.push(Change::ValidateConstraint {
                    table: table(),
                    constraint,
                });
                continue;
            }
            unmatched.push(constraint);
        }
        for constraint in unmatched {
            // the same under another name; one without a name is taken as it is
            let nameless = constraint.renamed(None);
            let alike = |c: &Constraint| c.renamed(None) == nameless && !stands_in_the_way(c);
            match (after.iter().position(alike), constraint.name()) {
                (Some(i), None) => drop(after.remove(i)),
                (Some(i), Some(name)) if after[i].name().is_some() => {
                    let to = after.remove(i).name().unwrap_or_default().to_owned();
                    self.loosened.push(Change::RenameConstraint {
                        table: table(),
                        from: name.to_owned(),
                        to,
                    });
                }
                (Some(_), Some(_)) | (None, _) => self.drop_constraint(table(), constraint),
            }
        }
        for constraint in after {
            self.add_constraint(table(), constraint);
        }
    }

    fn drop_constraint(&mut self, table: Name, constraint: Constraint) {
        let list = match constraint {
            Constraint::ForeignKey(_) => &mut self.unlinked,
            _ => &mut self.loosened,
        };
        list.push(Change::DropConstraint { table, constraint });
    }
    fn add_constraint(&mut self, table: Name, constraint: Constraint) {
        let list = match constraint {
            Constraint::ForeignKey(_) => &mut self.linked,
            _ => &mut self.tightened,
        };
        list.push(Change::AddConstraint { table, constraint });
    }

    fn indexes(
        &mut self,
        table: &Name,
        old: &[crate::schema::Index],
        new: &[crate::schema::Index],
        again: &[&str],
        touched: &dyn Fn(&str) -> bool,
    ) {
        let in_the_way = |index: &crate::schema::Index| {
            let plain = index.parts.iter().filter(|p| !p.expression).map(|p| &p.key);
            if plain.chain(&index.include).any(|c| again.contains(&c.as_str())) {
                return true;
            }
            let parts = index
                .parts
                .iter()
                .filter(|p| p.expression)
                .map(|p| p.key.as_str());
            parts.chain(index.filter.as_deref()).any(touched)
        };
        let mut after: Vec<&crate::schema::Index> = new.iter().collect();
        let mut unmatched = Vec::new();
        for index in old {
            match after.iter().position(|i| *i == index) {
                Some(i) if !in_the_way(index) => drop(after.remove(i)),
                _ => unmatched.push(index),
            }
        }
        for index in unmatched {
            let called = |i: &crate::schema::Index| crate::schema::Index {
                name: String::new(),
                ..i.clone()
            };
            let alike = |i: &&crate::schema::Index| i.name != index.name && called(i) == called(index);
            match after.iter().position(alike) {
                Some(i) if !in_the_way(index) => {
                    let to = after.remove(i).clone();
                    self.loosened.push(Change::RenameIndex {
                        table: table.clone(),
                        from: index.clone(),
                        to,
                    });
                }
                _ => self.loosened.push(Change::DropIndex {
                    table: table.clone(),
                    index: index.clone(),
                }),
            }
        }
        self.tightened
            .extend(after.into_iter().map(|index| Change::CreateIndex {
                table: table.clone(),
                index: index.clone(),
            }));
    }

    fn views(&mut self, from: &Schema, to: &Schema) {
        // away: what goes, what changes, and what stands on a table or view that moves
        let said = |v: &View| View {
            indexes: Vec::new(),
            comment: None,
            ..v.clone()
        };
        let mut away: Vec<&View> = Vec::new();
        loop {
            let before = away.len();
            for view in &from.views {
                let changed = to
                    .views
                    .iter()
                    .find(|v| v.name == view.name)
                    .is_none_or(|v| said(v) != said(view));
                let stands = self.moved.iter().any(|t| mentions(&view.query, &t.name))
                    || away.iter().any(|v| mentions(&view.query, &v.name.name));
                if (changed || stands) && !away.iter().any(|v| v.name == view.name) {
                    away.push(view);
                }
            }
            if away.len() == before {
                break;
            }
        }
        let gone = order::views(&from.views).into_iter().rev();
        let gone = gone.filter(|v| away.iter().any(|a| a.name == v.name));
        let gone: Vec<Change> = gone.map(|v| Change::DropView(v.clone())).collect();
        self.let_go.splice(0..0, gone);
        for new in order::views(&to.views) {
            let old = from.views.iter().find(|v| v.name == new.name);
            match old.filter(|v| !away.iter().any(|a| a.name == v.name)) {
                None => self.views.push(Change::CreateView(new.clone())),
                Some(old) => {
                    self.indexes(&new.name, &old.indexes, &new.indexes, &[], &|_| false);
                    let on = Commented::View {
                        name: new.name.clone(),
                        materialized: new.materialized,
                    };
                    self.comment(on, &old.comment, &new.comment);
                }
            }
        }
    }

    fn grants(&mut self, from: &Schema, to: &Schema) {
        // a view that goes and comes back has lost what was granted on it
        let again: Vec<&Name> = self
            .views
            .iter()
            .filter_map(|change| match change {
                Change::CreateView(view) => Some(&view.name),
                _ => None,
            })
            .collect();
        let anew = |g: &Grant| g.kind == "TABLE" && again.contains(&&g.object);
        let known = |s: &Schema, g: &Grant| {
            let view = || s.views.iter().any(|v| v.name == g.object);
            g.kind != "TABLE" || s.table(&g.object).is_some() || view()
        };
        for old in &from.grants {
            if known(to, old) && (!to.grants.contains(old) || anew(old)) {
                self.let_go.insert(0, Change::Revoke(old.clone()));
            }
        }
        for new in &to.grants {
            if !from.grants.contains(new) || anew(new) {
                self.attached.push(Change::Grant(new.clone()));
            }
        }
    }

    fn virtual_tables(&mut self, from: &Schema, to: &Schema) {
        for old in from
            .virtual_tables
            .iter()
            .filter(|t| !to.virtual_tables.contains(t))
        {
            self.let_go.push(Change::DropVirtualTable(old.clone()));
        }
        for new in to
            .virtual_tables
            .iter()
            .filter(|t| !from.virtual_tables.contains(t))
        {
            // one that is over a table reads its rows, whose columns have to be there
            match new.is_index() {
                true => self.attached.push(Change::CreateVirtualTable(new.clone())),
                false => self.tables.push(Change::CreateVirtualTable(new.clone())),
            }
        }
    }

    fn comment(&mut self, on: Commented, from: &Option<String>, to: &Option<String>) {
        if from != to {
            self.attached.push(Change::Comment {
                on,
                from: from.clone(),
                to: to.clone(),
            });
        }
    }
}

/// What is said about a type, without where it came from.
fn plain(it: &Enum) -> Enum {
    Enum {
        renamed_from: None,
        renamed_labels: Vec::new(),
        ..it.clone()
    }
}

/// The column without what it was called.
fn unhinted(column: &Column) -> Column {
    Column {
        renamed_from: None,
        ..column.clone()
    }
}

/// What counts when columns are compared.
fn plain_column(column: &Column) -> Column {
    Column {
        comment: None,
        ..unhinted(column)
    }
}

/// The table without what is created and dropped by changes of its own.
fn bare(table: &Table) -> Table {
    Table {
        renamed_from: None,
        foreign_keys: Vec::new(),
        triggers: Vec::new(),
        policies: Vec::new(),
        ..table.clone()
    }
}

/// Columns that hold the type when it changes: new ones come later.
fn uses(from: &Schema, it: &Enum) -> Vec<Use> {
    let columns = from
        .tables
        .iter()
        .flat_map(|t| t.columns.iter().map(move |c| (t, c)));
    let using = columns.filter(|(_, c)| mentions(&c.ty, &it.name.name));
    using
        .map(|(table, column)| Use {
            table: table.name.clone(),
            column: plain_column(column),
        })
        .collect()
}

/// What a label is called after: as was told, in whichever direction.
pub(crate) fn relabelled<'a>(label: &'a str, from: &'a Enum, to: &'a Enum) -> &'a str {
    let there = to
        .renamed_labels
        .iter()
        .find(|(old, _)| old == label)
        .map(|(_, new)| new);
    let back = from
        .renamed_labels
        .iter()
        .find(|(_, new)| new == label)
        .map(|(old, _)| old);
    there.or(back).map_or(label, String::as_str)
}

/// Whether labels only come: then no column has to be written anew.
pub(crate) fn only_adds(from: &Enum, to: &Enum) -> bool {
    let mut rest = to.labels.iter();
    let mut before = from.labels.iter().map(|label| relabelled(label, from, to));
    before.all(|label| rest.any(|l| l == label))
}

/// Columns of the table that are written anew under another type.
fn retyped(old: &Table, new: &Table, types: &[Change]) -> Vec<(Name, String)> {
    let rebuilt: Vec<&Use> = types
        .iter()
        .filter_map(|change| match change {
            Change::AlterEnum { from, to, uses } if !only_adds(from, to) => Some(uses),
            _ => None,
        })
        .flatten()
        .collect();
    let differs = |column: &&Column| {
        let before = old.column(&column.name);
        before.is_some_and(|b| b.ty != column.ty || b.collation != column.collation)
            || rebuilt
                .iter()
                .any(|u| u.table == new.name && u.column.name == column.name)
    };
    new.columns
        .iter()
        .filter(differs)
        .map(|c| (new.name.clone(), c.name.clone()))
        .collect()
}

/// Calculated columns that are dropped and added again: changed, or standing on one whose type changes. Nothing is lost
/// by that.
fn calculated_anew<'t>(old: &Table, new: &'t Table, retyped: &[&str]) -> Vec<&'t str> {
    let anew = |column: &&Column| {
        let Some(before) = old.column(&column.name) else {
            return false;
        };
        let stands = match &column.fill {
            Fill::Stored(sql) | Fill::Virtual(sql) => retyped.iter().any(|c| mentions(sql, c)),
            Fill::None | Fill::Default(_) | Fill::Identity { .. } => false,
        };
        let generated = before.fill.is_generated() || column.fill.is_generated();
        generated && (stands || plain_column(before) != plain_column(column))
    };
    new.columns.iter().filter(anew).map(|c| c.name.as_str()).collect()
}

/// What stands between RETURNS and what follows it.
fn returns(function: &Function) -> Option<&str> {
    let (_, rest) = function.definition.split_once("RETURNS")?;
    rest.split_once("LANGUAGE")
        .or_else(|| rest.split_once(" AS "))
        .map(|(ty, _)| ty.trim())
}

/// The composite types, each behind those that its fields are of.
fn behind_their_fields(types: &[Composite]) -> Vec<&Composite> {
    fn add<'a>(it: &'a Composite, types: &'a [Composite], out: &mut Vec<&'a Composite>, depth: usize) {
        // a type does not hold itself, but what reads a schema cannot rely on it
        if depth > types.len() || out.iter().any(|o| o.name == it.name) {
            return;
        }
        let used = |other: &&Composite| {
            let is = |ty: &str| {
                ty.split('[')
                    .next()
                    .is_some_and(|ty| ty.replace('"', "") == other.name.to_string().replace('"', ""))
            };
            it.attributes.iter().any(|(_, ty)| is(ty))
        };
        for other in types.iter().filter(used) {
            add(other, types, out, depth + 1);
        }
        out.push(it);
    }
    let mut out = Vec::with_capacity(types.len());
    for it in types {
        add(it, types, &mut out, 0);
    }
    out
}
