//! Rules about single statements, all but ALTER TABLE.

use crate::lint::changes::types;
use crate::lint::read::{Reader, flat, has, has_all, inside, joined, new_column, parts};
use crate::lint::text::{Look, Seen};
use crate::lint::{Lock, Severity, Work, alter};
use crate::schema::Fill;
use crate::text::{Kind, Token};
use Severity::{Error, Info, Warning};

pub(crate) fn look(look: &mut Look<'_>, seen: &mut Seen) {
    let tokens = &look.piece.tokens;
    let mut r = Reader::new(tokens);
    let first = tokens[0].text.to_uppercase();
    r.skip(1);
    match first.as_str() {
        "BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "ABORT" | "SAVEPOINT" | "RELEASE" => {
            transaction(look, &first);
        }
        "PREPARE" if r.is("TRANSACTION") => transaction(look, &first),
        "CREATE" => create(look, seen, r),
        "DROP" => drop(look, seen, r),
        "ALTER" => alter_object(look, seen, r),
        "TRUNCATE" => truncate(look, seen, r),
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "WITH" | "COPY" | "REPLACE" => rows(look, seen),
        "PRAGMA" => pragma(look, r),
        "DO" | "CALL" => look.out.push(look.found(
            "not-looked-into",
            Info,
            &first.to_lowercase(),
            "what it does is known to the database alone",
        )),
        _ if look.is_postgres() => upkeep(look, seen, &first, r),
        _ => {}
    }
    concurrently(look);
}

fn transaction(look: &mut Look<'_>, word: &str) {
    look.out.push(
        look.found(
            "transaction-nesting",
            Error,
            &word.to_lowercase(),
            "the migrator opens and ends the transaction, and refuses a script that does",
        )
        .instead("take it out; `-- no-transaction` above the script runs every statement by itself"),
    );
}

fn concurrently(look: &mut Look<'_>) {
    let tokens = &look.piece.tokens;
    let verb = ["CREATE", "DROP", "REINDEX", "ALTER"]
        .iter()
        .any(|w| tokens[0].is(w));
    if !look.is_postgres() || !verb || !has(tokens, "CONCURRENTLY") {
        return;
    }
    if look.place.begun {
        look.out.push(
            look.found(
                "concurrently-in-transaction",
                Error,
                "concurrently",
                "PostgreSQL refuses it between BEGIN and COMMIT",
            )
            .instead("take BEGIN and COMMIT out"),
        );
    } else if look.count > 1 && !look.header.no_transaction {
        look.out.push(look.found(
            "concurrently-in-transaction",
            Info,
            "concurrently",
            "the migrator runs it alone: the statements before it are committed by then, and a failure does not undo \
             them. `-- no-transaction` above the script says so",
        ));
    }
}

/// In a script of single statements, one that ran is run again after a failure that nobody noted.
fn robust(look: &mut Look<'_>, what: &str, words: &str) {
    if look.header.no_transaction {
        look.out.push(
            look.found(
                "prefer-robust",
                Info,
                what,
                "each statement is a transaction of its own; by hand, the script cannot be run a second time",
            )
            .instead(words),
        );
    }
}

fn create(look: &mut Look<'_>, seen: &mut Seen, mut r: Reader<'_, '_>) {
    let robust_here = !has_all(r.rest(), &["IF", "NOT", "EXISTS"]);
    let replaces = r.eat(&["OR", "REPLACE"]);
    r.pass(&[
        "GLOBAL",
        "LOCAL",
        "TEMP",
        "TEMPORARY",
        "UNLOGGED",
        "UNIQUE",
        "RECURSIVE",
        "CONSTRAINT",
        "VIRTUAL",
        "FOREIGN",
    ]);
    if r.eat(&["INDEX"]) {
        create_index(look, seen, r);
        return;
    }
    let Some(kind) = kind(&mut r) else { return };
    r.eat(&["IF", "NOT", "EXISTS"]);
    let Some(name) = r.name() else { return };
    if !replaces {
        match kind {
            "table" => seen.tables.insert(name.clone()),
            _ => seen.objects.insert((kind.to_owned(), name.clone())),
        };
    }
    if kind == "table" {
        let what = format!("create table {name}");
        for part in parts(inside(r.rest())) {
            advise(look, &what, part);
        }
        if robust_here {
            robust(look, &what, "CREATE TABLE IF NOT EXISTS");
        }
    }
    if !look.is_postgres() {
        return;
    }
    if kind == "domain" && has(r.rest(), "CHECK") {
        look.out.push(look.found(
            "domain-check",
            Info,
            &format!("create domain {name}"),
            "the conditions of a domain are hard to change later; a CHECK of the column is not",
        ));
    }
    if kind == "policy" {
        row_security(look, seen, &format!("create policy {name}"), r);
    }
}

fn row_security(look: &mut Look<'_>, seen: &Seen, what: &str, mut r: Reader<'_, '_>) {
    r.eat(&["ON"]);
    if r.name().is_some_and(|table| seen.tables.contains(&table)) {
        return;
    }
    look.out.push(
        look.found(
            "row-security",
            Warning,
            what,
            "rows may be seen or written by others than before",
        )
        .breaking(),
    );
}

/// Advice about the type of a new column.
pub(crate) fn advise(look: &mut Look<'_>, what: &str, part: &[Token<'_>]) {
    let Some(mut new) = new_column(part).filter(|_| look.is_postgres()) else {
        return;
    };
    if new.primary_key && new.column.fill == Fill::None && new.column.ty == "integer" {
        // a key that counts is meant
        new.column.fill = Fill::Identity { always: false };
    }
    let about = look.about(what);
    types(&about, &new.column, &mut look.out);
}

fn create_index(look: &mut Look<'_>, seen: &mut Seen, mut r: Reader<'_, '_>) {
    let concurrently = r.eat(&["CONCURRENTLY"]);
    let robust_here = !r.eat(&["IF", "NOT", "EXISTS"]);
    let name = if r.is("ON") { None } else { r.name() };
    r.eat(&["ON"]);
    r.eat(&["ONLY"]);
    let Some(table) = r.name() else { return };
    let name = name.unwrap_or_default();
    seen.objects.insert(("index".to_owned(), name.clone()));
    let what = format!("create index {name} on {table}").replace("  ", " ");
    if robust_here {
        robust(look, &what, "CREATE INDEX … IF NOT EXISTS");
    }
    if look.is_postgres() && !concurrently && !seen.tables.contains(&table) {
        seen.locked.insert((look.place.segment, table));
        let instead = look.with("CONCURRENTLY", "INDEX");
        look.out.push(
            look.found(
                "index-not-concurrent",
                Error,
                &what,
                "writes to the table wait until the index is built",
            )
            .under(Lock::Share, Work::Scan)
            .instead(instead),
        );
    }
}

/// The kind of object, as DROP and CREATE name it.
pub(crate) fn kind(r: &mut Reader<'_, '_>) -> Option<&'static str> {
    const KINDS: [(&[&str], &str); 20] = [
        (&["MATERIALIZED", "VIEW"], "view"),
        (&["FOREIGN", "TABLE"], "table"),
        (&["EVENT", "TRIGGER"], "trigger"),
        (&["TABLE"], "table"),
        (&["VIEW"], "view"),
        (&["INDEX"], "index"),
        (&["SCHEMA"], "schema"),
        (&["DATABASE"], "database"),
        (&["SEQUENCE"], "sequence"),
        (&["DOMAIN"], "domain"),
        (&["TYPE"], "type"),
        (&["FUNCTION"], "function"),
        (&["PROCEDURE"], "function"),
        (&["ROUTINE"], "function"),
        (&["AGGREGATE"], "function"),
        (&["TRIGGER"], "trigger"),
        (&["RULE"], "rule"),
        (&["POLICY"], "policy"),
        (&["EXTENSION"], "extension"),
        (&["OWNED"], "owned"),
    ];
    KINDS
        .iter()
        .find(|(words, _)| r.eat(words))
        .map(|(_, kind)| *kind)
}

fn drop(look: &mut Look<'_>, seen: &mut Seen, mut r: Reader<'_, '_>) {
    let Some(kind) = kind(&mut r) else { return };
    let concurrently = r.eat(&["CONCURRENTLY"]);
    let robust_here = !r.eat(&["IF", "EXISTS"]);
    let cascades = r.rest().last().is_some_and(|t| t.is("CASCADE"));
    for part in parts(r.rest()) {
        let mut r = Reader::new(part);
        let Some(name) = r.name() else { continue };
        let what = format!("drop {kind} {name}");
        let fresh = match kind {
            "table" => seen.tables.contains(&name),
            _ => seen.made(kind, &name),
        };
        if robust_here {
            robust(look, &what, &format!("DROP {} IF EXISTS", kind.to_uppercase()));
        }
        if fresh {
            continue;
        }
        dropped(look, seen, kind, &name, &what, concurrently, r);
        if cascades {
            look.out.push(
                look.found(
                    "drop-cascade",
                    Warning,
                    &what,
                    "it takes along what it does not name",
                )
                .instead("drop what depends on it by name, before it"),
            );
        }
    }
}

fn dropped(
    look: &mut Look<'_>,
    seen: &mut Seen,
    kind: &str,
    name: &str,
    what: &str,
    concurrently: bool,
    r: Reader<'_, '_>,
) {
    const GONE: &str = "programs that still use it fail, and what it held is gone";
    const USED: &str = "programs that still use it fail";
    let (rule, severity, why) = match kind {
        "table" => {
            if !look.is_postgres() {
                return drop_table_sqlite(look, seen, name, what);
            }
            seen.locked.insert((look.place.segment, name.to_owned()));
            ("drop-table", Error, GONE)
        }
        "schema" => ("drop-schema", Error, GONE),
        "database" => ("drop-database", Error, GONE),
        "owned" => ("drop-owned", Error, GONE),
        "sequence" => ("drop-sequence", Error, GONE),
        "extension" => ("drop-extension", Error, GONE),
        "domain" => ("drop-domain", Error, GONE),
        "type" => ("drop-type", Error, GONE),
        "view" => ("drop-view", Warning, USED),
        "function" => ("drop-function", Warning, USED),
        "trigger" | "rule" => ("drop-trigger", Info, "what it did is done no more"),
        "policy" => return row_security(look, seen, what, r),
        "index" => {
            if look.is_postgres() && !concurrently {
                let instead = look.with("CONCURRENTLY", "INDEX");
                look.out.push(
                    look.found(
                        "drop-index-not-concurrent",
                        Warning,
                        what,
                        "it waits for every transaction on the table, and everybody waits behind it",
                    )
                    .under(Lock::AccessExclusive, Work::Catalogue)
                    .instead(instead),
                );
            }
            return;
        }
        _ => return,
    };
    // CREATE VIEW of the same name below: it is replaced
    let replaced = look.later.iter().any(|p| {
        let names = &p.tokens;
        names[0].is("CREATE")
            && has(names, kind)
            && names.iter().take(8).enumerate().any(|(at, _)| {
                let mut r = Reader::new(&names[at..]);
                r.name().is_some_and(|n| n == name)
            })
    });
    let mut finding = look.found(rule, severity, what, why).breaking();
    if matches!(kind, "view" | "function" | "trigger") && replaced {
        finding.severity = Info;
        finding.breaks_old_program = false;
        finding.why = "it is made again below; rights that were granted on it are not".to_owned();
    } else if severity == Error {
        finding = finding.instead("first let the program stop using it, and drop it with a later migration");
    }
    look.out.push(finding);
}

/// SQLite deletes the rows before it drops the table, and what refers to them goes along.
fn drop_table_sqlite(look: &mut Look<'_>, seen: &Seen, name: &str, what: &str) {
    let rebuilt = look.later.iter().any(|p| {
        let mut r = Reader::new(&p.tokens);
        r.eat(&["ALTER", "TABLE"])
            && r.name().is_some_and(|from| seen.tables.contains(&from))
            && r.eat(&["RENAME", "TO"])
            && r.name().as_deref() == Some(name)
    });
    if rebuilt {
        look.out.push(
            look.found(
                "table-rebuild",
                Info,
                what,
                "the table is written anew, and nobody else writes meanwhile",
            )
            .under(Lock::Writer, Work::Rewrite),
        );
    } else {
        look.out.push(
            look.found(
                "drop-table",
                Error,
                what,
                "programs that still use it fail, and what it held is gone",
            )
            .instead("first let the program stop using it, and drop it with a later migration")
            .breaking(),
        );
    }
    if !look.header.foreign_keys_off {
        let severity = if rebuilt { Error } else { Warning };
        look.out.push(
            look.found(
                "foreign-keys-on",
                severity,
                what,
                "its rows are deleted first: rows that refer to them are deleted or emptied with them, without an error",
            )
            .instead("-- orm: foreign_keys=off"),
        );
    }
}

fn alter_object(look: &mut Look<'_>, seen: &mut Seen, mut r: Reader<'_, '_>) {
    if r.eat(&["TABLE"]) {
        alter::table(look, seen, r);
        return;
    }
    let Some(kind) = kind(&mut r) else { return };
    r.eat(&["IF", "EXISTS"]);
    let Some(name) = r.name() else { return };
    if seen.made(kind, &name) {
        return;
    }
    let what = format!("alter {kind} {name}");
    match kind {
        "type" if r.eat(&["ADD", "VALUE"]) => add_label(look, &name, r),
        "type" if r.eat(&["RENAME", "VALUE"]) => look.out.push(
            look.found(
                "rename-enum-label",
                Error,
                &what,
                "programs that know the old label fail from that moment on",
            )
            .instead("add the new label, write both, move rows, drop the old one later")
            .breaking(),
        ),
        "type" if r.eat(&["RENAME", "TO"]) => look.out.push(
            look.found(
                "rename-type",
                Warning,
                &what,
                "programs that name the type fail from that moment on",
            )
            .breaking(),
        ),
        "domain" if r.eat(&["ADD"]) && !has_all(r.rest(), &["NOT", "VALID"]) => look.out.push(
            look.found(
                "domain-check",
                Warning,
                &what,
                "every column of the domain is read, in all tables",
            )
            .under(Lock::Share, Work::Scan)
            .instead("add it NOT VALID, and validate it in a step of its own"),
        ),
        "schema" | "view" | "sequence" | "function" | "domain"
            if r.eat(&["RENAME"]) || has_all(r.rest(), &["SET", "SCHEMA"]) =>
        {
            let rule = if kind == "schema" {
                "rename-schema"
            } else {
                "rename-object"
            };
            look.out.push(
                look.found(
                    rule,
                    Error,
                    &what,
                    "programs that know the old name fail from that moment on",
                )
                .breaking(),
            );
        }
        _ => {}
    }
}

fn add_label(look: &mut Look<'_>, name: &str, r: Reader<'_, '_>) {
    let Some(label) = r.rest().iter().find(|t| t.kind == Kind::Text) else {
        return;
    };
    let label = label.text.trim_matches('\'').replace("''", "'");
    let used = look
        .later
        .iter()
        .take_while(|p| !p.tokens[0].is("COMMIT"))
        .any(|p| {
            p.tokens
                .iter()
                .any(|t| t.kind == Kind::Text && t.text.contains(&label))
        });
    if !used || look.header.no_transaction && !look.place.begun {
        return;
    }
    let what = format!("alter type {name}");
    let (severity, why) = match look.place.begun {
        true => (
            Error,
            "a new value cannot be used before the transaction that adds it is committed",
        ),
        false => (
            Info,
            "a new value is used below: the migrator commits up to here, and a failure does not undo it",
        ),
    };
    look.out.push(
        look.found("enum-value-used", severity, &what, why)
            .instead("use the value in a later migration"),
    );
}

fn truncate(look: &mut Look<'_>, seen: &mut Seen, mut r: Reader<'_, '_>) {
    r.eat(&["TABLE"]);
    r.eat(&["ONLY"]);
    let cascades = has(r.rest(), "CASCADE");
    for part in parts(r.rest()) {
        let Some(name) = Reader::new(part).name() else {
            continue;
        };
        if seen.tables.contains(&name) {
            continue;
        }
        let what = format!("truncate {name}");
        let (rule, why) = match cascades {
            true => (
                "truncate-cascade",
                "every table that refers to it is emptied as well",
            ),
            false => ("truncate", "every row is gone, and reads and writes wait"),
        };
        look.out.push(
            look.found(rule, Error, &what, why)
                .under(Lock::AccessExclusive, Work::Catalogue),
        );
        seen.locked.insert((look.place.segment, name));
    }
}

fn rows(look: &mut Look<'_>, seen: &mut Seen) {
    let tokens = &look.piece.tokens;
    let mut many = tokens[0].is("MERGE") || tokens[0].is("COPY");
    many |= (tokens[0].is("INSERT") || tokens[0].is("WITH")) && has(tokens, "SELECT") && has(tokens, "INTO");
    for (at, token) in tokens.iter().enumerate() {
        let delete = token.is("DELETE");
        // ON UPDATE, FOR UPDATE and DO UPDATE begin no statement
        let begins = at == 0 || tokens[at - 1].is_sign("(") || tokens[at - 1].is_sign(")");
        if !begins || !(delete || token.is("UPDATE")) {
            continue;
        }
        many = true;
        let body = &tokens[at + 1..];
        let mut depth = 0isize;
        let end = body.iter().position(|t| {
            depth += isize::from(t.is_sign("(")) - isize::from(t.is_sign(")"));
            depth < 0
        });
        let body = &body[..end.unwrap_or(body.len())];
        let mut r = Reader::new(body);
        r.eat(&["OR"]).then(|| r.skip(1));
        r.eat(&["FROM"]);
        r.eat(&["ONLY"]);
        let Some(name) = r.name() else { continue };
        if seen.tables.contains(&name) || flat(body).any(|(_, t)| t.is("WHERE")) {
            continue;
        }
        let finding = match delete {
            true => look.found(
                "delete-without-where",
                Error,
                &format!("delete from {name}"),
                "every row is gone",
            ),
            false => look.found(
                "update-without-where",
                Warning,
                &format!("update {name}"),
                "every row is written in one transaction, and other writers of the rows wait for all of them",
            ),
        };
        look.out.push(
            finding.instead("a `Backfill`, which commits after each batch, or a WHERE that says which rows"),
        );
    }
    if many {
        seen.written.insert(look.place.segment);
    }
}

fn pragma(look: &mut Look<'_>, mut r: Reader<'_, '_>) {
    let name = r.name().unwrap_or_default();
    if name == "foreign_keys" && !r.rest().is_empty() {
        look.out.push(
            look.found(
                "foreign-keys-pragma",
                Error,
                "pragma foreign_keys",
                "inside a transaction this pragma does nothing, and the migrator refuses it",
            )
            .instead("-- orm: foreign_keys=off"),
        );
    }
}

/// What PostgreSQL alone has.
fn upkeep(look: &mut Look<'_>, seen: &mut Seen, first: &str, mut r: Reader<'_, '_>) {
    let whole = &look.piece.tokens;
    match first {
        "REINDEX" if !has(whole, "CONCURRENTLY") => {
            let what = joined(whole).to_lowercase();
            if r.rest().first().is_some_and(|t| t.is_sign("(")) {
                let close = r.rest().iter().position(|t| t.is_sign(")")).unwrap_or_default();
                r.skip(close + 1);
            }
            let target = r.rest().first().map_or("INDEX", |t| t.text);
            r.skip(1);
            if r.name()
                .is_some_and(|n| seen.tables.contains(&n) || seen.made("index", &n))
            {
                return;
            }
            look.out.push(
                look.found(
                    "reindex-not-concurrent",
                    Error,
                    &what,
                    "writes to the table wait, and reads by that index",
                )
                .under(Lock::AccessExclusive, Work::Scan)
                .instead(look.with("CONCURRENTLY", target)),
            );
        }
        "VACUUM" if has(whole, "FULL") => look.out.push(
            look.found(
                "vacuum-full",
                Error,
                "vacuum full",
                "the table is written anew while reads and writes wait",
            )
            .under(Lock::AccessExclusive, Work::Rewrite)
            .instead("VACUUM, or pg_repack"),
        ),
        "CLUSTER" => look.out.push(
            look.found(
                "cluster",
                Error,
                "cluster",
                "the table is written anew while reads and writes wait",
            )
            .under(Lock::AccessExclusive, Work::Rewrite)
            .instead("pg_repack"),
        ),
        "LOCK" => {
            r.eat(&["TABLE"]);
            r.eat(&["ONLY"]);
            let name = r.name().unwrap_or_default();
            if !seen.tables.contains(&name) {
                look.out.push(
                    look.found(
                        "lock-table",
                        Warning,
                        &format!("lock table {name}"),
                        "others wait until the end of the transaction",
                    )
                    .under(Lock::AccessExclusive, Work::Catalogue),
                );
            }
        }
        "REFRESH" if !has(whole, "CONCURRENTLY") => {
            r.eat(&["MATERIALIZED", "VIEW"]);
            let name = r.name().unwrap_or_default();
            if !seen.made("view", &name) {
                look.out.push(
                    look.found(
                        "refresh-not-concurrent",
                        Warning,
                        &format!("refresh {name}"),
                        "readers of the view wait until it is filled",
                    )
                    .under(Lock::AccessExclusive, Work::Rewrite)
                    .instead(look.with("CONCURRENTLY", "VIEW")),
                );
            }
        }
        "REVOKE" => look.out.push(
            look.found("revoke", Warning, "revoke", "programs under that role may fail")
                .breaking(),
        ),
        _ => {}
    }
}
