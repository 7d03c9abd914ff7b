//! What turns one schema into another, one thing at a time. Each change knows its reverse, its sentence, and what it
//! would lose.

use crate::schema::{
    Check, Column, Composite, Domain, Enum, Exclusion, Extension, ForeignKey, Function, Grant, Index, Key,
    Name, Policy, RowSecurity, Sequence, Table, Trigger, Unique, View, VirtualTable,
};

/// One change of a schema. Both sides are kept where there are two, so that it can be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// CREATE SCHEMA.
    CreateSchema(String),
    /// DROP SCHEMA.
    DropSchema(String),
    /// CREATE EXTENSION.
    CreateExtension(Extension),
    /// DROP EXTENSION.
    DropExtension(Extension),
    /// CREATE TYPE … AS ENUM.
    CreateEnum(Enum),
    /// DROP TYPE.
    DropEnum(Enum),
    /// Labels added, renamed, removed or put into another order, or another name.
    AlterEnum {
        /// Before.
        from: Enum,
        /// After.
        to: Enum,
        /// The columns that hold it: in another type of other labels they have to be written anew.
        uses: Vec<Use>,
    },
    /// CREATE DOMAIN.
    CreateDomain(Domain),
    /// DROP DOMAIN.
    DropDomain(Domain),
    /// Another default, other conditions.
    AlterDomain {
        /// Before.
        from: Domain,
        /// After.
        to: Domain,
    },
    /// CREATE TYPE … AS (…).
    CreateComposite(Composite),
    /// DROP TYPE.
    DropComposite(Composite),
    /// CREATE SEQUENCE.
    CreateSequence(Sequence),
    /// DROP SEQUENCE.
    DropSequence(Sequence),
    /// Other numbers.
    AlterSequence {
        /// Before.
        from: Sequence,
        /// After.
        to: Sequence,
    },
    /// A sequence goes with a column from now on (and is dropped with it), or no more.
    OwnSequence {
        /// The sequence.
        sequence: Name,
        /// Before.
        from: Option<(Name, String)>,
        /// After.
        to: Option<(Name, String)>,
    },
    /// CREATE TABLE, with its indexes and comments; foreign keys, triggers and policies are changes of their own.
    CreateTable(Table),
    /// DROP TABLE.
    DropTable(Table),
    /// Another name.
    RenameTable {
        /// Before.
        from: Name,
        /// After.
        to: Name,
    },
    /// A storage parameter, STRICT, WITHOUT ROWID, UNLOGGED, the tables it inherits from.
    TableOptions {
        /// The table.
        table: Name,
        /// Before.
        from: TableOptions,
        /// After.
        to: TableOptions,
    },
    /// CREATE VIRTUAL TABLE.
    CreateVirtualTable(VirtualTable),
    /// DROP TABLE.
    DropVirtualTable(VirtualTable),
    /// A partition comes under its table, or goes.
    Partition {
        /// The partition.
        table: Name,
        /// Whose partition it was, and for what.
        from: Option<(Name, String)>,
        /// Whose it is then.
        to: Option<(Name, String)>,
    },
    /// Row-level security goes on or off.
    RowSecurity {
        /// The table.
        table: Name,
        /// Before.
        from: RowSecurity,
        /// After.
        to: RowSecurity,
    },
    /// ADD COLUMN.
    AddColumn {
        /// The table.
        table: Name,
        /// The column.
        column: Column,
    },
    /// DROP COLUMN.
    DropColumn {
        /// The table.
        table: Name,
        /// The column.
        column: Column,
    },
    /// Another name.
    RenameColumn {
        /// The table.
        table: Name,
        /// Before.
        from: String,
        /// After.
        to: String,
    },
    /// Another type, nullability, default, collation.
    AlterColumn {
        /// The table.
        table: Name,
        /// Before.
        from: Column,
        /// After.
        to: Column,
    },
    /// ADD CONSTRAINT.
    AddConstraint {
        /// The table.
        table: Name,
        /// The constraint.
        constraint: Constraint,
    },
    /// DROP CONSTRAINT.
    DropConstraint {
        /// The table.
        table: Name,
        /// The constraint.
        constraint: Constraint,
    },
    /// Another name.
    RenameConstraint {
        /// The table.
        table: Name,
        /// Before.
        from: String,
        /// After.
        to: String,
    },
    /// VALIDATE CONSTRAINT: rows that were there before it are looked at.
    ValidateConstraint {
        /// The table.
        table: Name,
        /// The constraint as it is then.
        constraint: Constraint,
    },
    /// CREATE INDEX.
    CreateIndex {
        /// The table or materialized view.
        table: Name,
        /// The index.
        index: Index,
    },
    /// DROP INDEX.
    DropIndex {
        /// The table or materialized view.
        table: Name,
        /// The index.
        index: Index,
    },
    /// Another name.
    RenameIndex {
        /// The table.
        table: Name,
        /// Before.
        from: Index,
        /// After.
        to: Index,
    },
    /// CREATE FUNCTION.
    CreateFunction(Function),
    /// DROP FUNCTION.
    DropFunction(Function),
    /// Another body.
    ReplaceFunction {
        /// Before.
        from: Function,
        /// After.
        to: Function,
    },
    /// CREATE VIEW.
    CreateView(View),
    /// DROP VIEW.
    DropView(View),
    /// CREATE TRIGGER.
    CreateTrigger {
        /// The table.
        table: Name,
        /// The trigger.
        trigger: Trigger,
    },
    /// DROP TRIGGER.
    DropTrigger {
        /// The table.
        table: Name,
        /// The trigger.
        trigger: Trigger,
    },
    /// CREATE POLICY.
    CreatePolicy {
        /// The table.
        table: Name,
        /// The policy.
        policy: Policy,
    },
    /// DROP POLICY.
    DropPolicy {
        /// The table.
        table: Name,
        /// The policy.
        policy: Policy,
    },
    /// GRANT.
    Grant(Grant),
    /// REVOKE.
    Revoke(Grant),
    /// COMMENT ON.
    Comment {
        /// What it is about.
        on: Commented,
        /// Before.
        from: Option<String>,
        /// After.
        to: Option<String>,
    },
}

/// A constraint of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// PRIMARY KEY.
    PrimaryKey(Key),
    /// UNIQUE.
    Unique(Unique),
    /// CHECK.
    Check(Check),
    /// FOREIGN KEY.
    ForeignKey(ForeignKey),
    /// EXCLUDE.
    Exclusion(Exclusion),
}

/// What a table is beside its columns and constraints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableOptions {
    /// What stands behind the closing parenthesis.
    pub options: String,
    /// PARTITION BY.
    pub partition_by: Option<String>,
    /// INHERITS.
    pub inherits: Vec<Name>,
    /// UNLOGGED.
    pub unlogged: bool,
}

impl Table {
    pub(crate) fn table_options(&self) -> TableOptions {
        TableOptions {
            options: self.options.clone(),
            partition_by: self.partition_by.clone(),
            inherits: self.inherits.clone(),
            unlogged: self.unlogged,
        }
    }
}

/// A column that holds a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Its table.
    pub table: Name,
    /// The column as it is when the type has changed.
    pub column: Column,
}

/// What a comment is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commented {
    /// A table.
    Table(Name),
    /// A column of a table.
    Column(Name, String),
    /// A view.
    View {
        /// Its name.
        name: Name,
        /// Whether it is materialized.
        materialized: bool,
    },
    /// A sequence.
    Sequence(Name),
    /// A function or procedure.
    Function {
        /// Its name.
        name: Name,
        /// The types of its arguments.
        arguments: String,
        /// Whether it is a procedure.
        procedure: bool,
    },
    /// A type.
    Type(Name),
    /// A domain.
    Domain(Name),
}

impl Constraint {
    /// Its name, if it has one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Constraint::PrimaryKey(key) => key.name.as_deref(),
            Constraint::Unique(unique) => unique.name.as_deref(),
            Constraint::Check(check) => check.name.as_deref(),
            Constraint::ForeignKey(key) => key.name.as_deref(),
            Constraint::Exclusion(exclusion) => Some(&exclusion.name),
        }
    }
    /// The same under another name.
    pub(crate) fn renamed(&self, name: Option<String>) -> Constraint {
        let mut out = self.clone();
        match &mut out {
            Constraint::PrimaryKey(key) => key.name = name,
            Constraint::Unique(unique) => unique.name = name,
            Constraint::Check(check) => check.name = name,
            Constraint::ForeignKey(key) => key.name = name,
            Constraint::Exclusion(exclusion) => exclusion.name = name.unwrap_or_default(),
        }
        out
    }
    /// The same as if all rows had been looked at.
    pub(crate) fn validated(&self) -> Constraint {
        let mut out = self.clone();
        match &mut out {
            Constraint::Check(check) => check.not_valid = false,
            Constraint::ForeignKey(key) => key.not_valid = false,
            Constraint::PrimaryKey(_) | Constraint::Unique(_) | Constraint::Exclusion(_) => {}
        }
        out
    }
    /// `unique constraint "uq_x"`, for sentences.
    fn says(&self) -> String {
        let kind = match self {
            Constraint::PrimaryKey(_) => "primary key",
            Constraint::Unique(_) => "unique constraint",
            Constraint::Check(_) => "check",
            Constraint::ForeignKey(_) => "foreign key",
            Constraint::Exclusion(_) => "exclusion constraint",
        };
        match self.name() {
            Some(name) => format!("{kind} {name}"),
            None => kind.to_owned(),
        }
    }
}

impl Table {
    /// All constraints: the primary key, unique constraints, checks, exclusions, foreign keys.
    pub fn constraints(&self) -> Vec<Constraint> {
        let mut out: Vec<Constraint> = Vec::new();
        out.extend(self.primary_key.iter().cloned().map(Constraint::PrimaryKey));
        out.extend(self.uniques.iter().cloned().map(Constraint::Unique));
        out.extend(self.checks.iter().cloned().map(Constraint::Check));
        out.extend(self.exclusions.iter().cloned().map(Constraint::Exclusion));
        out.extend(self.foreign_keys.iter().cloned().map(Constraint::ForeignKey));
        out
    }
}

impl Change {
    /// What undoes it. Rows that it lost do not come back.
    pub fn reverse(self) -> Change {
        use Change::*;
        match self {
            CreateSchema(name) => DropSchema(name),
            DropSchema(name) => CreateSchema(name),
            CreateExtension(it) => DropExtension(it),
            DropExtension(it) => CreateExtension(it),
            CreateEnum(it) => DropEnum(it),
            DropEnum(it) => CreateEnum(it),
            AlterEnum { from, to, uses } => AlterEnum {
                from: to,
                to: from,
                uses,
            },
            CreateDomain(it) => DropDomain(it),
            DropDomain(it) => CreateDomain(it),
            AlterDomain { from, to } => AlterDomain { from: to, to: from },
            CreateComposite(it) => DropComposite(it),
            DropComposite(it) => CreateComposite(it),
            CreateSequence(it) => DropSequence(it),
            DropSequence(it) => CreateSequence(it),
            AlterSequence { from, to } => AlterSequence { from: to, to: from },
            OwnSequence { sequence, from, to } => OwnSequence {
                sequence,
                from: to,
                to: from,
            },
            CreateTable(it) => DropTable(it),
            DropTable(it) => CreateTable(it),
            RenameTable { from, to } => RenameTable { from: to, to: from },
            TableOptions { table, from, to } => TableOptions {
                table,
                from: to,
                to: from,
            },
            CreateVirtualTable(it) => DropVirtualTable(it),
            DropVirtualTable(it) => CreateVirtualTable(it),
            Partition { table, from, to } => Partition {
                table,
                from: to,
                to: from,
            },
            RowSecurity { table, from, to } => RowSecurity {
                table,
                from: to,
                to: from,
            },
            AddColumn { table, column } => DropColumn { table, column },
            DropColumn { table, column } => AddColumn { table, column },
            RenameColumn { table, from, to } => RenameColumn {
                table,
                from: to,
                to: from,
            },
            AlterColumn { table, from, to } => AlterColumn {
                table,
                from: to,
                to: from,
            },
            AddConstraint { table, constraint } => DropConstraint { table, constraint },
            DropConstraint { table, constraint } => AddConstraint { table, constraint },
            RenameConstraint { table, from, to } => RenameConstraint {
                table,
                from: to,
                to: from,
            },
            // that rows were looked at need not be undone
            ValidateConstraint { table, constraint } => ValidateConstraint { table, constraint },
            CreateIndex { table, index } => DropIndex { table, index },
            DropIndex { table, index } => CreateIndex { table, index },
            RenameIndex { table, from, to } => RenameIndex {
                table,
                from: to,
                to: from,
            },
            CreateFunction(it) => DropFunction(it),
            DropFunction(it) => CreateFunction(it),
            ReplaceFunction { from, to } => ReplaceFunction { from: to, to: from },
            CreateView(it) => DropView(it),
            DropView(it) => CreateView(it),
            CreateTrigger { table, trigger } => DropTrigger { table, trigger },
            DropTrigger { table, trigger } => CreateTrigger { table, trigger },
            CreatePolicy { table, policy } => DropPolicy { table, policy },
            DropPolicy { table, policy } => CreatePolicy { table, policy },
            Grant(it) => Revoke(it),
            Revoke(it) => Grant(it),
            Comment { on, from, to } => Comment {
                on,
                from: to,
                to: from,
            },
        }
    }

    /// It in a sentence: `add column users.age`.
    pub fn describe(&self) -> String {
        use Change::*;
        match self {
            CreateSchema(name) => format!("create schema {name}"),
            DropSchema(name) => format!("drop schema {name}"),
            CreateExtension(it) => format!("create extension {}", it.name),
            DropExtension(it) => format!("drop extension {}", it.name),
            CreateEnum(it) => format!("create enum {}", it.name),
            DropEnum(it) => format!("drop enum {}", it.name),
            AlterEnum { from, to, .. } if from.name != to.name && from.labels == to.labels => {
                format!("rename enum {} to {}", from.name, to.name)
            }
            AlterEnum { to, .. } => format!("change the labels of enum {}", to.name),
            CreateDomain(it) => format!("create domain {}", it.name),
            DropDomain(it) => format!("drop domain {}", it.name),
            AlterDomain { to, .. } => format!("change domain {}", to.name),
            CreateComposite(it) => format!("create type {}", it.name),
            DropComposite(it) => format!("drop type {}", it.name),
            CreateSequence(it) => format!("create sequence {}", it.name),
            DropSequence(it) => format!("drop sequence {}", it.name),
            AlterSequence { to, .. } => format!("change sequence {}", to.name),
            OwnSequence { sequence, .. } => format!("change the owner of sequence {sequence}"),
            CreateTable(it) => format!("create table {}", it.name),
            DropTable(it) => format!("drop table {}", it.name),
            RenameTable { from, to } => format!("rename table {from} to {to}"),
            TableOptions { table, .. } => format!("change the options of table {table}"),
            CreateVirtualTable(it) => format!("create virtual table {}", it.name),
            DropVirtualTable(it) => format!("drop virtual table {}", it.name),
            Partition {
                table,
                to: Some((of, _)),
                ..
            } => format!("make {table} a partition of {of}"),
            Partition { table, to: None, .. } => format!("detach partition {table}"),
            RowSecurity { table, .. } => format!("change row-level security of {table}"),
            AddColumn { table, column } => format!("add column {table}.{}", column.name),
            DropColumn { table, column } => format!("drop column {table}.{}", column.name),
            RenameColumn { table, from, to } => format!("rename column {table}.{from} to {to}"),
            AlterColumn { table, from, to } => {
                let mut what = Vec::new();
                for (differs, word) in [
                    (from.ty != to.ty, "type"),
                    (from.nullable != to.nullable, "nullability"),
                    (from.fill != to.fill, "default"),
                    (from.collation != to.collation, "collation"),
                ] {
                    what.extend(differs.then_some(word));
                }
                format!("change {} of column {table}.{}", what.join(" and "), to.name)
            }
            AddConstraint { table, constraint } => format!("add {} to {table}", constraint.says()),
            DropConstraint { table, constraint } => format!("drop {} of {table}", constraint.says()),
            RenameConstraint { table, from, to } => format!("rename constraint {from} of {table} to {to}"),
            ValidateConstraint { table, constraint } => format!("validate {} of {table}", constraint.says()),
            CreateIndex { table, index } => format!("create index {} on {table}", index.name),
            DropIndex { table, index } => format!("drop index {} of {table}", index.name),
            RenameIndex { from, to, .. } => format!("rename index {} to {}", from.name, to.name),
            CreateFunction(it) => format!("create function {}({})", it.name, it.arguments),
            DropFunction(it) => format!("drop function {}({})", it.name, it.arguments),
            ReplaceFunction { to, .. } => format!("replace function {}({})", to.name, to.arguments),
            CreateView(it) => format!("create view {}", it.name),
            DropView(it) => format!("drop view {}", it.name),
            CreateTrigger { table, trigger } => format!("create trigger {} on {table}", trigger.name),
            DropTrigger { table, trigger } => format!("drop trigger {} of {table}", trigger.name),
            CreatePolicy { table, policy } => format!("create policy {} on {table}", policy.name),
            DropPolicy { table, policy } => format!("drop policy {} of {table}", policy.name),
            Grant(it) => format!(
                "grant {} on {} to {}",
                it.privileges.join(", "),
                it.object,
                it.role
            ),
            Revoke(it) => format!(
                "revoke {} on {} from {}",
                it.privileges.join(", "),
                it.object,
                it.role
            ),
            Comment { on, .. } => match on {
                Commented::Table(name) => format!("comment table {name}"),
                Commented::Column(table, column) => format!("comment column {table}.{column}"),
                Commented::View { name, .. } => format!("comment view {name}"),
                Commented::Type(name) | Commented::Domain(name) => format!("comment type {name}"),
                Commented::Sequence(name) => format!("comment sequence {name}"),
                Commented::Function { name, .. } => format!("comment function {name}"),
            },
        }
    }

    /// The data that would be lost, in words: `the rows of table users`. `None` when nothing can be.
    pub fn loses(&self) -> Option<String> {
        match self {
            Change::DropTable(table) if table.partition_by.is_none() => {
                Some(format!("the rows of table {}", table.name))
            }
            Change::DropVirtualTable(it) if it.is_index() => None,
            Change::DropVirtualTable(it) => Some(format!("the rows of table {}", it.name)),
            Change::DropColumn { table, column } if !column.fill.is_generated() => {
                Some(format!("the values of column {table}.{}", column.name))
            }
            Change::DropSequence(sequence) => Some(format!("the state of sequence {}", sequence.name)),
            Change::AlterColumn { table, from, to } if from.ty != to.ty && !widens(&from.ty, &to.ty) => {
                Some(format!(
                    "what {} of column {table}.{} cannot hold of {}",
                    to.ty, to.name, from.ty
                ))
            }
            _ => None,
        }
    }
}

/// Whether every value of one type is one of the other, and comes back as it was.
fn widens(from: &str, to: &str) -> bool {
    const WIDER: [(&str, &[&str]); 7] = [
        ("smallint", &["integer", "bigint", "numeric"]),
        ("integer", &["bigint", "numeric", "double precision"]),
        ("bigint", &["numeric"]),
        ("real", &["double precision"]),
        ("date", &["timestamp without time zone"]),
        ("json", &["jsonb", "text"]),
        ("uuid", &["text"]),
    ];
    let base = |ty: &str| ty.split('(').next().unwrap_or(ty).trim().to_owned();
    let length = |ty: &str| -> Option<Vec<u32>> {
        let inside = ty.split_once('(')?.1.strip_suffix(')')?;
        inside.split(',').map(|n| n.trim().parse().ok()).collect()
    };
    if WIDER.iter().any(|(a, wider)| *a == from && wider.contains(&to)) {
        return true;
    }
    match (base(from).as_str(), base(to).as_str()) {
        ("character varying", "text") => true,
        ("character varying", "character varying") => match (length(from), length(to)) {
            (_, None) => true,
            (Some(a), Some(b)) => a <= b,
            (None, Some(_)) => false,
        },
        ("numeric", "numeric") => match (length(from).as_deref(), length(to).as_deref()) {
            (_, None) => true,
            (Some([p, s]), Some([q, t])) => s <= t && p - s.min(p) <= q - t.min(q),
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::change::widens;

    #[test]
    fn widening_is_known_and_all_else_is_a_loss() {
        for (from, to, wide) in [
            ("integer", "bigint", true),
            ("bigint", "integer", false),
            ("character varying(10)", "character varying(20)", true),
            ("character varying(20)", "character varying(10)", false),
            ("character varying", "character varying(10)", false),
            ("character varying(10)", "text", true),
            ("numeric(10,2)", "numeric(12,2)", true),
            ("numeric(10,2)", "numeric(10,4)", false),
            ("numeric(10,2)", "numeric", true),
            ("text", "integer", false),
        ] {
            assert_eq!(widens(from, to), wide, "{from} to {to}");
        }
    }
}
