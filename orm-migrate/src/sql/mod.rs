//! Changes as SQL. What both databases say alike is here, the rest in a file of each.

pub(crate) mod postgres;
pub(crate) mod sqlite;

use orm_core::error::{Error, ErrorKind, Result};

use crate::change::Constraint;
use crate::schema::{
    Action, Check, Deferrable, ForeignKey, Index, IndexPart, Key, Name, OnConflict, Unique, action_sql,
};
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
            columns,
            parts,
            include,
            on_conflict,
            deferrable,
        }) => {
            let key = key(columns, parts, include, *on_conflict);
            format!("PRIMARY KEY {key}{}", wait(*deferrable))
        }
        Constraint::Unique(Unique {
            name: _,
            columns,
            parts,
            include,
            on_conflict,
            nulls_not_distinct,
            deferrable,
        }) => {
            let nulls = if *nulls_not_distinct {
                "NULLS NOT DISTINCT "
            } else {
                ""
            };
            let key = key(columns, parts, include, *on_conflict);
            format!("UNIQUE {nulls}{key}{}", wait(*deferrable))
        }
        Constraint::Check(Check {
            name: _,
            condition,
            no_inherit,
            not_valid,
        }) => {
            let own = if *no_inherit { " NO INHERIT" } else { "" };
            format!("CHECK ({condition}){own}{}", valid(*not_valid))
        }
        Constraint::ForeignKey(key) => foreign_key(key),
        Constraint::Exclusion(exclusion) => format!("EXCLUDE {}", exclusion.definition),
    };
    named + &said
}

fn key(names: &[String], parts: &[IndexPart], include: &[String], conflict: Option<OnConflict>) -> String {
    let mut out = match parts.is_empty() {
        true => columns(names),
        false => index_parts(parts),
    };
    if !include.is_empty() {
        out += &format!(" INCLUDE {}", columns(include));
    }
    out + &on_conflict(conflict)
}

/// What SQLite does in place of an error.
pub(crate) fn on_conflict(it: Option<OnConflict>) -> String {
    let word = match it {
        None => return String::new(),
        Some(OnConflict::Rollback) => "ROLLBACK",
        Some(OnConflict::Fail) => "FAIL",
        Some(OnConflict::Ignore) => "IGNORE",
        Some(OnConflict::Replace) => "REPLACE",
    };
    format!(" ON CONFLICT {word}")
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
        match_full,
        on_delete_columns,
    } = key;
    let mut out = format!("FOREIGN KEY {} REFERENCES {}", columns(own), name(target));
    if !target_columns.is_empty() {
        out += &format!(" {}", columns(target_columns));
    }
    if *match_full {
        out += " MATCH FULL";
    }
    for (event, action) in [("DELETE", on_delete), ("UPDATE", on_update)] {
        if *action != Action::NoAction {
            out += &format!(" ON {event} {}", action_sql(*action));
        }
        if event == "DELETE" && !on_delete_columns.is_empty() {
            out += &format!(" {}", columns(on_delete_columns));
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
        invalid: _,
    } = index;
    let unique = if *unique { "UNIQUE " } else { "" };
    let mut out = format!("CREATE {unique}INDEX {} ON {}", quoted(index_name), name(table));
    if let Some(method) = method {
        out += &format!(" USING {method}");
    }
    out += &format!(" {}", index_parts(parts));
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

fn index_parts(parts: &[IndexPart]) -> String {
    let part = |part: &IndexPart| {
        let IndexPart {
            key,
            expression,
            collation,
            op_class,
            desc,
            nulls_first,
        } = part;
        let mut out = match expression {
            true => format!("({key})"),
            false => quoted(key),
        };
        if let Some(collation) = collation {
            out += &format!(" COLLATE {collation}");
        }
        if let Some(op_class) = op_class {
            out += &format!(" {op_class}");
        }
        if *desc {
            out += " DESC";
        }
        out += match nulls_first {
            None => "",
            Some(true) => " NULLS FIRST",
            Some(false) => " NULLS LAST",
        };
        out
    };
    let parts: Vec<String> = parts.iter().map(part).collect();
    format!("({})", parts.join(", "))
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
