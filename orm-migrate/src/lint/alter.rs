//! Rules about ALTER TABLE.

use crate::lint::changes::is_volatile;
use crate::lint::read::{NewColumn, Reader, has, has_all, inside, new_column, parts, plain_name, type_name};
use crate::lint::statements::advise;
use crate::lint::text::{Look, Seen};
use crate::lint::{Finding, Lock, Severity, Work};
use crate::schema::Fill;
use crate::text::Token;
use crate::words::quoted;
use Severity::{Error, Info, Warning};

pub(crate) fn table(look: &mut Look<'_>, seen: &mut Seen, mut r: Reader<'_, '_>) {
    r.eat(&["IF", "EXISTS"]);
    r.eat(&["ONLY"]);
    let before = r.rest();
    let Some(table) = r.name() else { return };
    let raw: String = before[..before.len() - r.rest().len()]
        .iter()
        .map(|t| t.text)
        .collect();
    if r.rest().first().is_some_and(|t| t.text == "*") {
        r.skip(1);
    }
    let actions = parts(r.rest());
    let only = actions.len() == 1;
    let fresh = seen.tables.contains(&table);
    for action in actions {
        let mut r = Reader::new(action);
        let mut one = Action {
            look,
            seen,
            table: &table,
            raw: &raw,
            fresh,
            only,
        };
        if !r.is("VALIDATE") && !fresh {
            one.seen.locked.insert((one.look.place.segment, table.clone()));
        }
        if r.eat(&["ADD"]) {
            one.add(r);
        } else if r.eat(&["ALTER"]) {
            r.eat(&["COLUMN"]);
            one.alter(r);
        } else if r.eat(&["DROP"]) {
            one.drop(r);
        } else if r.eat(&["RENAME"]) {
            one.rename(r);
        } else if r.eat(&["VALIDATE", "CONSTRAINT"]) {
            one.validate(r);
        } else {
            one.other(r);
        }
    }
}

struct Action<'l, 'a> {
    look: &'l mut Look<'a>,
    seen: &'l mut Seen,
    table: &'l str,
    /// The table as the script writes it.
    raw: &'l str,
    /// The script has made the table.
    fresh: bool,
    /// The statement does nothing else.
    only: bool,
}

impl Action<'_, '_> {
    /// A finding, unless the table is new.
    fn push(&mut self, finding: impl FnOnce(&Look<'_>) -> Finding) {
        if !self.fresh {
            let finding = finding(self.look);
            self.look.out.push(finding);
        }
    }

    fn add(&mut self, mut r: Reader<'_, '_>) {
        if r.eat(&["CONSTRAINT"]) {
            let name = r.name().unwrap_or_default();
            return self.add_constraint(name, r);
        }
        let table_constraint = ["CHECK", "UNIQUE", "PRIMARY", "FOREIGN", "EXCLUDE"];
        if table_constraint.iter().any(|w| r.is(w)) {
            return self.add_constraint(String::new(), r);
        }
        r.eat(&["COLUMN"]);
        r.eat(&["IF", "NOT", "EXISTS"]);
        let Some(new) = new_column(r.rest()) else { return };
        let what = format!("add column {}.{}", self.table, new.column.name);
        if !self.fresh {
            match self.look.is_postgres() {
                true => self.add_column(&what, &new),
                false => self.add_column_sqlite(&what, &new),
            }
        }
        advise(self.look, &what, r.rest());
    }

    fn add_column(&mut self, what: &str, new: &NewColumn) {
        let filled = match &new.column.fill {
            Fill::None if !new.column.nullable && !new.column.ty.contains("serial") => {
                return self.push(|l| required(l, what));
            }
            Fill::None => new.column.ty.contains("serial"),
            Fill::Default(sql) => {
                if is_volatile(sql) {
                    self.push(|l| {
                        l.found(
                            "volatile-default",
                            Error,
                            what,
                            "every row is written anew, for each gets another value",
                        )
                        .under(Lock::AccessExclusive, Work::Rewrite)
                        .instead("add it without a default, set the default, fill rows in batches")
                    });
                }
                true
            }
            Fill::Stored(_) => {
                self.push(|l| {
                    l.found(
                        "stored-generated-column",
                        Warning,
                        what,
                        "every row is written anew while reads and writes wait",
                    )
                    .under(Lock::AccessExclusive, Work::Rewrite)
                    .instead("add a plain column, keep it by a trigger, fill rows in batches")
                });
                true
            }
            Fill::Identity { .. } => true,
            Fill::Virtual(_) => false,
        };
        if matches!(new.column.fill, Fill::Identity { .. }) || new.column.ty.contains("serial") {
            self.push(|l| {
                l.found(
                    "add-identity",
                    Warning,
                    what,
                    "every row is written anew while reads and writes wait",
                )
                .under(Lock::AccessExclusive, Work::Rewrite)
                .instead("add a plain column, fill it in batches, attach a sequence")
            });
        }
        if new.primary_key {
            self.push(|l| {
                key(l, "add-pk-direct", what).instead("add the column first, then the key by USING INDEX")
            });
        }
        if new.unique {
            self.push(|l| {
                key(l, "add-unique-direct", what)
                    .instead("add the column first, then the constraint by USING INDEX")
            });
        }
        // a column of NULLs refers to nothing, and is not looked at
        if new.references && filled {
            self.push(|l| foreign_key(l, what).instead("add the column first, then the key NOT VALID"));
        }
        if new.check {
            self.push(|l| check(l, what).instead("add the column first, then the check NOT VALID"));
        }
    }

    fn add_column_sqlite(&mut self, what: &str, new: &NewColumn) {
        let refused = |why: &'static str| {
            move |l: &Look<'_>| {
                l.found("add-column-refused", Error, what, why)
                    .instead("build the table anew, under `-- orm: foreign_keys=off`")
            }
        };
        if new.primary_key || new.unique {
            return self.push(refused("SQLite adds no column that is UNIQUE or a key"));
        }
        match &new.column.fill {
            Fill::None if !new.column.nullable => self.push(|l| required(l, what)),
            Fill::Stored(_) => self.push(refused("SQLite adds no stored generated column")),
            Fill::Default(sql) if sql.starts_with('(') || sql.to_uppercase().starts_with("CURRENT_") => {
                self.push(refused(
                    "SQLite adds no column with a default that is not constant to a table with rows",
                ));
            }
            Fill::Default(_) if new.references => {
                self.push(refused(
                    "SQLite adds no column that refers to a table and has a default",
                ));
            }
            _ => {}
        }
    }

    fn add_constraint(&mut self, name: String, mut r: Reader<'_, '_>) {
        let what = format!("add constraint {name} on {}", self.table).replace("  ", " ");
        let segment = self.look.place.segment;
        let not_null = r.is("CHECK").then(|| checked_column(inside(r.rest()))).flatten();
        let known = (self.table.to_owned(), name.clone());
        self.seen.constraints.insert(known, (segment, not_null.clone()));
        let not_valid = has_all(r.rest(), &["NOT", "VALID"]);
        let by_index = has_all(r.rest(), &["USING", "INDEX"]);
        if !self.look.is_postgres() || by_index {
            return;
        }
        let (raw, only) = (self.raw.to_owned(), self.only);
        let validated = move |l: &Look<'_>, finding: Finding| match only && !name.is_empty() {
            true => finding.instead(format!("{} NOT VALID", l.sql())).instead(format!(
                "-- in a migration of its own\nALTER TABLE {raw} VALIDATE CONSTRAINT {}",
                bare(&name)
            )),
            false => {
                finding.instead("add it by name and NOT VALID, and validate it in a migration of its own")
            }
        };
        if r.is("FOREIGN") && !not_valid {
            self.push(|l| validated(l, foreign_key(l, &what)));
        } else if r.is("CHECK") && !not_valid {
            if let Some(column) = not_null {
                self.seen.filled.insert((self.table.to_owned(), column));
            }
            self.push(|l| validated(l, check(l, &what)));
        } else if r.is("UNIQUE") || r.is("PRIMARY") {
            let (rule, kind) = match r.eat(&["UNIQUE"]) {
                true => ("add-unique-direct", "UNIQUE"),
                false => ("add-pk-direct", "PRIMARY KEY"),
            };
            let columns: Vec<&str> = inside(r.rest()).iter().map(|t| t.text).collect();
            let columns = columns.join(" ").replace(" ,", ",");
            let raw = self.raw.to_owned();
            self.push(|l| {
                key(l, rule, &what)
                    .instead(format!("CREATE UNIQUE INDEX CONCURRENTLY … ON {raw} ({columns})"))
                    .instead(format!("ALTER TABLE {raw} ADD CONSTRAINT … {kind} USING INDEX …"))
            });
        } else if r.is("EXCLUDE") {
            self.push(|l| {
                l.found(
                    "add-exclusion",
                    Warning,
                    &what,
                    "reads and writes wait while its index is built, and there is no other way to add one",
                )
                .under(Lock::AccessExclusive, Work::Scan)
                .instead("make a new table with it and move the rows, or choose a quiet hour")
            });
        }
    }

    fn validate(&mut self, mut r: Reader<'_, '_>) {
        let Some(name) = r.name() else { return };
        let what = format!("validate constraint {name} on {}", self.table);
        let known = self.seen.constraints.get(&(self.table.to_owned(), name)).cloned();
        let Some((segment, column)) = known else { return };
        if let Some(column) = column {
            self.seen.filled.insert((self.table.to_owned(), column));
        }
        if segment == self.look.place.segment {
            self.push(|l| {
                l.found(
                    "validate-in-same-transaction",
                    Error,
                    &what,
                    "the lock of adding it is kept while every row is looked at",
                )
                .under(Lock::AccessExclusive, Work::Scan)
                .instead("validate it in a migration of its own, or say `-- no-transaction` above the script")
            });
        }
    }

    fn alter(&mut self, mut r: Reader<'_, '_>) {
        let Some(column) = r.name() else { return };
        let what = format!("alter column {}.{column}", self.table);
        if r.eat(&["SET", "NOT", "NULL"]) {
            if !self
                .seen
                .filled
                .contains(&(self.table.to_owned(), column.clone()))
            {
                let raw = self.raw.to_owned();
                let (named, check) = (bare(&column), bare(&format!("nn_{column}")));
                self.push(|l| {
                    l.found(
                        "set-not-null-scan",
                        Error,
                        &what,
                        "every row is read while reads and writes wait",
                    )
                    .under(Lock::AccessExclusive, Work::Scan)
                    .instead(format!(
                        "ALTER TABLE {raw} ADD CONSTRAINT {check} CHECK ({named} IS NOT NULL) NOT VALID"
                    ))
                    .instead(format!("ALTER TABLE {raw} VALIDATE CONSTRAINT {check}"))
                    .instead(format!("ALTER TABLE {raw} ALTER COLUMN {named} SET NOT NULL"))
                    .instead(format!("ALTER TABLE {raw} DROP CONSTRAINT {check}"))
                });
            }
        } else if r.eat(&["SET", "DATA", "TYPE"]) || r.eat(&["TYPE"]) {
            let using = has(r.rest(), "USING");
            let end = r.rest().iter().position(|t| t.is("USING") || t.is("COLLATE"));
            let ty = type_name(&r.rest()[..end.unwrap_or(r.rest().len())]);
            let may_be_free = !using
                && ["text", "varchar", "character varying", "numeric"]
                    .iter()
                    .any(|t| ty.starts_with(t));
            let (severity, why) = match may_be_free {
                true => (
                    Warning,
                    "unless it was a narrower type of the same kind, every row is written anew",
                ),
                false => (
                    Error,
                    "every row and index is written anew while reads and writes wait",
                ),
            };
            self.push(|l| {
                l.found("type-change-rewrite", severity, &what, why)
                    .under(Lock::AccessExclusive, Work::Rewrite)
                    .instead("add a column of the new type, keep it by a trigger, fill it in batches, then swap the names")
                    .breaking()
            });
        } else if r.eat(&["DROP", "NOT", "NULL"]) {
            self.push(|l| {
                l.found(
                    "drop-not-null",
                    Info,
                    &what,
                    "programs that do not expect NULL may meet it",
                )
                .breaking()
            });
        } else if r.eat(&["DROP", "DEFAULT"]) {
            self.push(|l| {
                l.found(
                    "drop-default",
                    Warning,
                    &what,
                    "programs that leave the column out fail, or insert NULL",
                )
                .breaking()
            });
        } else if r.is("ADD") && has(r.rest(), "IDENTITY") {
            self.push(|l| {
                l.found(
                    "add-identity",
                    Warning,
                    &what,
                    "the sequence begins at its start, not behind the last key",
                )
                .under(Lock::AccessExclusive, Work::Catalogue)
                .instead("RESTART it behind the last key in the same transaction")
            });
        }
    }

    fn drop(&mut self, mut r: Reader<'_, '_>) {
        let constraint = r.eat(&["CONSTRAINT"]);
        if !constraint {
            r.eat(&["COLUMN"]);
        }
        r.eat(&["IF", "EXISTS"]);
        let Some(name) = r.name() else { return };
        if constraint {
            if self
                .seen
                .constraints
                .contains_key(&(self.table.to_owned(), name.clone()))
            {
                return;
            }
            let what = format!("drop constraint {name} on {}", self.table);
            return self.push(|l| {
                l.found(
                    "drop-constraint",
                    Warning,
                    &what,
                    "rows that it refused may come, and going back to it will fail then",
                )
                .breaking()
            });
        }
        let what = format!("drop column {}.{name}", self.table);
        self.push(|l| {
            l.found(
                "drop-column",
                Error,
                &what,
                "programs that still use it fail, and what it held is gone",
            )
            .instead("first let the program stop using it, and drop it with a later migration")
            .breaking()
        });
    }

    fn rename(&mut self, mut r: Reader<'_, '_>) {
        const WHY: &str = "programs that know the old name fail from that moment on";
        if r.eat(&["CONSTRAINT"]) {
            return;
        }
        if r.eat(&["TO"]) {
            let to = r.name().unwrap_or_default();
            let what = format!("rename table {} to {to}", self.table);
            if self.fresh {
                self.seen.tables.insert(to);
            }
            return self.push(|l| {
                l.found("rename-table", Error, &what, WHY)
                    .instead("leave a view under the old name until no program needs it")
                    .breaking()
            });
        }
        r.eat(&["COLUMN"]);
        let Some(column) = r.name() else { return };
        let what = format!("rename column {}.{column}", self.table);
        self.push(|l| {
            l.found("rename-column", Error, &what, WHY)
                .instead("add the new column, keep both alike by a trigger, fill it, drop the old one later")
                .breaking()
        });
    }

    fn other(&mut self, mut r: Reader<'_, '_>) {
        let table = self.table;
        if r.eat(&["SET", "TABLESPACE"]) || r.eat(&["SET", "ACCESS", "METHOD"]) {
            self.push(|l| {
                l.found(
                    "set-tablespace",
                    Error,
                    &format!("move table {table}"),
                    "the whole table is copied while reads and writes wait",
                )
                .under(Lock::AccessExclusive, Work::Rewrite)
                .instead("pg_repack")
            });
        } else if r.eat(&["SET", "LOGGED"]) || r.eat(&["SET", "UNLOGGED"]) {
            self.push(|l| {
                l.found(
                    "set-logged",
                    Error,
                    &format!("alter table {table}"),
                    "the whole table is written anew while reads and writes wait",
                )
                .under(Lock::AccessExclusive, Work::Rewrite)
            });
        } else if r.eat(&["SET", "SCHEMA"]) {
            self.push(|l| {
                l.found(
                    "rename-table",
                    Error,
                    &format!("move table {table} to another schema"),
                    "programs that know the old name fail from that moment on",
                )
                .breaking()
            });
        } else if r.eat(&["DETACH", "PARTITION"]) {
            if !has(r.rest(), "CONCURRENTLY") {
                let instead = format!("{} CONCURRENTLY", self.look.sql());
                self.push(|l| {
                    l.found(
                        "partition-detach",
                        Warning,
                        &format!("detach a partition of {table}"),
                        "reads and writes of the whole partitioned table wait",
                    )
                    .under(Lock::AccessExclusive, Work::Catalogue)
                    .instead(instead)
                });
            }
        } else if r.eat(&["DISABLE", "TRIGGER"]) {
            self.push(|l| {
                l.found(
                    "disable-trigger",
                    Warning,
                    &format!("alter table {table}"),
                    "what it did is done no more, for everybody; ALL and USER take foreign keys along",
                )
                .under(Lock::ShareRowExclusive, Work::Catalogue)
                .breaking()
            });
        } else if has_all(r.rest(), &["ROW", "LEVEL", "SECURITY"]) {
            self.push(|l| {
                l.found(
                    "row-security",
                    Warning,
                    &format!("alter table {table}"),
                    "rows may be seen or written by others than before",
                )
                .breaking()
            });
        }
    }
}

fn required(l: &Look<'_>, what: &str) -> Finding {
    l.found(
        "add-required-column",
        Error,
        what,
        "it fails when the table has rows, and programs that do not know it cannot insert",
    )
    .instead("give it a default, or add it nullable, fill it, and set it NOT NULL later")
    .breaking()
}

fn foreign_key(l: &Look<'_>, what: &str) -> Finding {
    l.found(
        "add-fk-validated",
        Error,
        what,
        "writes to both tables wait while every row is looked at",
    )
    .under(Lock::ShareRowExclusive, Work::Scan)
}

fn check(l: &Look<'_>, what: &str) -> Finding {
    l.found(
        "add-check-validated",
        Error,
        what,
        "reads and writes wait while every row is looked at",
    )
    .under(Lock::AccessExclusive, Work::Scan)
}

fn key(l: &Look<'_>, rule: &'static str, what: &str) -> Finding {
    l.found(
        rule,
        Error,
        what,
        "reads and writes wait while its index is built",
    )
    .under(Lock::AccessExclusive, Work::Scan)
}

/// A name as SQL: in quotes where it needs them.
fn bare(name: &str) -> String {
    let plain = |c: char| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit();
    match name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        true => name.to_owned(),
        false => quoted(name),
    }
}

/// The column of `CHECK (column IS NOT NULL)`.
fn checked_column(condition: &[Token<'_>]) -> Option<String> {
    let condition = match condition.first() {
        Some(open) if open.is_sign("(") => inside(condition),
        _ => condition,
    };
    match condition {
        [column, tail @ ..] if tail.len() == 3 && has_all(tail, &["IS", "NOT", "NULL"]) => plain_name(column),
        _ => None,
    }
}
