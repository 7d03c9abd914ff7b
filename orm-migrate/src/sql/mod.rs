//! Changes as SQL. What both databases say alike is here, the rest in a file of each.

pub(crate) mod postgres;
pub(crate) mod sqlite;

use orm_core::error::{Error, ErrorKind, Result};

use crate::change::Constraint;
use crate::schema::Action;
use crate::schema::{Check, Deferrable, ForeignKey, Index, Key, Name, Unique, action_sql};
use crate::words::quoted;

/// `"schema"."name"`.
pub(crate) fn name(name: &Name) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(&name.name)),
        None => quoted(&name.name),
    }
}

/// `("a", "b")`.
pub(crate) fn columns<S: AsRef<str>>(names: &[S]) -> String {
    let names: Vec<String> = names.iter().map(|n| quoted(n.as_ref())).collect();
    format!("({})", names.join(", "))
}

/// A constraint as it stands in CREATE TABLE, or behind ADD.
pub(crate) fn constraint(it: &Constraint) -> String {
    let named = match it.name() {
        Some(name) => format!("CONSTRAINT {} ", quoted(name)),
        None => String::new(),
    };
    let said = match it {
        Constraint::PrimaryKey(Key {
            name: _,
            columns: key,
            deferrable,
        }) => format!("PRIMARY KEY {}{}", columns(key), wait(*deferrable)),
        Constraint::Unique(Unique {
            name: _,
            columns: key,
            nulls_not_distinct,
            deferrable,
        }) => {
            let nulls = if *nulls_not_distinct {
                "NULLS NOT DISTINCT "
            } else {
                ""
            };
            format!("UNIQUE {nulls}{}{}", columns(key), wait(*deferrable))
        }
        Constraint::Check(Check {
            name: _,
            condition,
            not_valid,
        }) => format!("CHECK ({condition}){}", valid(*not_valid)),
        Constraint::ForeignKey(key) => foreign_key(key),
        Constraint::Exclusion(exclusion) => format!("EXCLUDE {}", exclusion.definition),
    };
    named + &said
}

fn foreign_key(key: &ForeignKey) -> String {
    let ForeignKey {
        name: _,
        columns: own,
        target,
        target_columns,
        on_delete,
        on_update,
        deferrable,
        not_valid,
    } = key;
    let mut out = format!("FOREIGN KEY {} REFERENCES {}", columns(own), name(target));
    if !target_columns.is_empty() {
        out += &format!(" {}", columns(target_columns));
    }
    for (event, action) in [("DELETE", on_delete), ("UPDATE", on_update)] {
        if *action != Action::NoAction {
            out += &format!(" ON {event} {}", action_sql(*action));
        }
    }
    out + wait(*deferrable) + valid(*not_valid)
}

fn wait(deferrable: Option<Deferrable>) -> &'static str {
    match deferrable {
        None => "",
        Some(Deferrable::Immediate) => " DEFERRABLE INITIALLY IMMEDIATE",
        Some(Deferrable::Deferred) => " DEFERRABLE INITIALLY DEFERRED",
    }
}

fn valid(not_valid: bool) -> &'static str {
    if not_valid { " NOT VALID" } else { "" }
}

/// CREATE INDEX.
pub(crate) fn create_index(table: &Name, index: &Index) -> String {
    let Index {
        name: index_name,
        unique,
        nulls_not_distinct,
        method,
        parts,
        include,
        storage,
        filter,
    } = index;
    let unique = if *unique { "UNIQUE " } else { "" };
    let mut out = format!("CREATE {unique}INDEX {} ON {}", quoted(index_name), name(table));
    if let Some(method) = method {
        out += &format!(" USING {method}");
    }
    let parts: Vec<String> = parts
        .iter()
        .map(|part| {
            let mut out = match part.expression {
                true => format!("({})", part.key),
                false => quoted(&part.key),
            };
            if let Some(collation) = &part.collation {
                out += &format!(" COLLATE {collation}");
            }
            if let Some(op_class) = &part.op_class {
                out += &format!(" {op_class}");
            }
            if part.desc {
                out += " DESC";
            }
            match part.nulls_first {
                None => out,
                Some(true) => out + " NULLS FIRST",
                Some(false) => out + " NULLS LAST",
            }
        })
        .collect();
    out += &format!(" ({})", parts.join(", "));
    if !include.is_empty() {
        out += &format!(" INCLUDE {}", columns(include));
    }
    if *nulls_not_distinct {
        out += " NULLS NOT DISTINCT";
    }
    if let Some(storage) = storage {
        out += &format!(" WITH ({storage})");
    }
    if let Some(filter) = filter {
        out += &format!(" WHERE {filter}");
    }
    out
}

/// What a change needs and this database has not.
pub(crate) fn unsupported(what: &str, database: &str) -> Error {
    Error::unsupported(what, database)
}

/// A constraint that has to be named to be dropped.
pub(crate) fn named(constraint: &Constraint, table: &Name) -> Result<String> {
    let name = constraint.name().map(quoted);
    name.ok_or_else(|| {
        Error::new(
            ErrorKind::Config,
            format!("a constraint of {table} has no name, so it cannot be dropped by it"),
        )
    })
}
