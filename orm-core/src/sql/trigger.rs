//! Triggers that write down what happens to rows: entries of an audit trail, the same that `exec/trail.rs` writes, and
//! versions for a history.
//!
//! Their statements are standard SQL over OLD and NEW. What differs is asked of the dialect: how a value becomes JSON,
//! and how triggers are told who writes.

use crate::ast::ddl::{LoggedColumn, Name, RowEvent, RowLog, RowTrigger};
use crate::error::Result;
use crate::sql::{SqlWriter, Told, TriggerForm};
use crate::value::Type;

impl SqlWriter<'_> {
    pub(crate) fn row_trigger(&mut self, trigger: &RowTrigger) -> Result<()> {
        self.push("CREATE TRIGGER ");
        self.ident(&trigger.name.name)?;
        self.push(match trigger.event {
            RowEvent::Insert => " AFTER INSERT ON ",
            RowEvent::Update => " AFTER UPDATE ON ",
            RowEvent::Delete => " AFTER DELETE ON ",
        });
        self.full_name(&trigger.table)?;
        self.push(" FOR EACH ROW ");
        match self.features().trigger {
            TriggerForm::Function(..) => {
                self.push("EXECUTE FUNCTION ");
                self.full_name(&trigger.name)?;
                self.push("()");
            }
            TriggerForm::Inline(open, close) => {
                self.push(open);
                self.statements(trigger)?;
                self.push(close);
            }
        }
        Ok(())
    }
    pub(crate) fn row_function(&mut self, trigger: &RowTrigger) -> Result<()> {
        let TriggerForm::Function(open, close) = self.features().trigger else {
            return self.require(false, "CREATE FUNCTION");
        };
        self.push("CREATE FUNCTION ");
        self.full_name(&trigger.name)?;
        self.push(open);
        self.statements(trigger)?;
        self.push(close);
        Ok(())
    }
    fn statements(&mut self, trigger: &RowTrigger) -> Result<()> {
        match &trigger.log {
            RowLog::Trail {
                log,
                label,
                operation,
            } => self.entries(trigger, log, label, *operation),
            RowLog::History(history) => self.versions(trigger, history),
        }
    }

    /// One entry of an audit trail for each change; two where the key changes.
    fn entries(&mut self, t: &RowTrigger, log: &Name, label: &str, operation: Type) -> Result<()> {
        let entry = |w: &mut Self, e: Entry<'_>| w.entry(t, log, label, operation, e);
        let whole = list(t, |_| None);
        let born = Entry {
            operation: "'insert'",
            before: None,
            after: Some("NEW"),
            changed: &whole,
            filter: None,
        };
        let gone = Entry {
            operation: "'delete'",
            before: Some("OLD"),
            after: None,
            ..born
        };
        match t.event {
            RowEvent::Insert => entry(self, born),
            RowEvent::Delete => entry(self, gone),
            RowEvent::Update => {
                let differs = |c: &LoggedColumn| Some(self.differs(c));
                let changed = list(t, differs);
                let filter = format!("{} AND {}", self.same_key(t), self.any_differs(t));
                let operation = match t.deleted_at.and_then(|i| t.columns.get(i)) {
                    None => "'update'".to_owned(),
                    Some(c) => {
                        let (old, new) = (of("OLD", c), of("NEW", c));
                        format!(
                            "CASE WHEN {old} IS NULL AND {new} IS NOT NULL THEN 'delete' \
                             WHEN {old} IS NOT NULL AND {new} IS NULL THEN 'restore' ELSE 'update' END"
                        )
                    }
                };
                let moved = format!("NOT ({})", self.same_key(t));
                entry(
                    self,
                    Entry {
                        operation: &operation,
                        before: Some("OLD"),
                        after: Some("NEW"),
                        changed: &changed,
                        filter: Some(&filter),
                    },
                )?;
                for e in [born, gone] {
                    let filter = Some(moved.as_str());
                    entry(self, Entry { filter, ..e })?;
                }
                Ok(())
            }
        }
    }

    fn entry(
        &mut self,
        t: &RowTrigger,
        log: &Name,
        label: &str,
        operation: Type,
        entry: Entry<'_>,
    ) -> Result<()> {
        let Entry {
            operation: done,
            before,
            after,
            changed,
            filter,
        } = entry;
        self.push("INSERT INTO ");
        self.full_name(log)?;
        self.push(" ");
        self.ident_list(TRAIL_COLUMNS)?;
        self.push(" SELECT ");
        for told in [Told::Transaction, Told::Clock] {
            self.push(self.dialect().told(told));
            self.push(", ");
        }
        self.literal(label)?;
        self.push(", ");
        let row = after.or(before).unwrap_or("NEW");
        let key = t.key.iter().filter_map(|&i| t.columns.get(i));
        let key: Vec<String> = key.map(|c| self.json_of(row, c)).collect();
        self.push(&format!(
            "'[' || {} || ']', CAST({done} AS ",
            key.join(" || ',' || ")
        ));
        self.type_name(operation)?;
        self.push("), ");
        self.push(self.dialect().told(Told::Actor));
        self.push(", ");
        let tenant = self.dialect().told(Told::Tenant);
        match t.tenant.and_then(|i| t.columns.get(i)) {
            None => self.push(tenant),
            // hand-written SQL does not say for whom, but the row does
            Some(c) => self.push(&format!("coalesce({tenant}, {})", self.plain(row, c))),
        }
        self.push(", ");
        self.push(self.dialect().told(Told::Request));
        for row in [before, after] {
            self.push(", ");
            self.push(&row.map_or("NULL".to_owned(), |row| self.object(t, row)));
        }
        self.push(", ");
        self.push(changed);
        if let Some(filter) = filter {
            self.push(" WHERE ");
            self.push(filter);
        }
        self.push("; ");
        Ok(())
    }

    /// Ends the version that held, and begins another. What is gone for good leaves a version that held for no time.
    fn versions(&mut self, t: &RowTrigger, history: &Name) -> Result<()> {
        let (changed, same) = (self.any_differs(t), self.same_key(t));
        let moved = format!("NOT ({same})");
        match t.event {
            RowEvent::Insert => self.begin_version(t, history, "NEW", "'insert'", None),
            RowEvent::Delete => {
                self.end_version(t, history, None)?;
                self.begin_version(t, history, "OLD", "'delete'", None)
            }
            RowEvent::Update => {
                let operation = match t.deleted_at.and_then(|i| t.columns.get(i)) {
                    None => "'update'".to_owned(),
                    Some(c) => {
                        let (old, new) = (of("OLD", c), of("NEW", c));
                        format!(
                            "CASE WHEN {old} IS NULL AND {new} IS NOT NULL THEN 'delete' \
                             WHEN {old} IS NOT NULL AND {new} IS NULL THEN 'restore' ELSE 'update' END"
                        )
                    }
                };
                self.end_version(t, history, Some(&changed))?;
                self.begin_version(t, history, "OLD", "'delete'", Some(&moved))?;
                let kept = format!("{same} AND {changed}");
                self.begin_version(t, history, "NEW", &operation, Some(&kept))?;
                self.begin_version(t, history, "NEW", "'insert'", Some(&moved))
            }
        }
    }

    fn end_version(&mut self, t: &RowTrigger, history: &Name, filter: Option<&str>) -> Result<()> {
        let begun = self.dialect().told(Told::Begun);
        self.push("UPDATE ");
        self.full_name(history)?;
        self.push(&format!(
            " SET \"valid_to\" = CASE WHEN \"valid_from\" > {begun} THEN \"valid_from\" ELSE {begun} END WHERE \
             \"valid_to\" IS NULL"
        ));
        for c in t.key.iter().filter_map(|&i| t.columns.get(i)) {
            self.push(&format!(" AND {} = {}", quoted(&c.name), of("OLD", c)));
        }
        if let Some(filter) = filter {
            self.push(" AND ");
            self.push(filter);
        }
        self.push("; ");
        Ok(())
    }

    /// A version never begins before the last one of its row ended, also when transactions overlap or the clock is put
    /// back.
    fn begin_version(
        &mut self,
        t: &RowTrigger,
        history: &Name,
        row: &str,
        operation: &str,
        filter: Option<&str>,
    ) -> Result<()> {
        self.push("INSERT INTO ");
        self.full_name(history)?;
        let own = t.columns.iter().map(|c| c.name.as_str());
        self.push(" ");
        let names: Vec<&str> = own.chain(["valid_from", "valid_to", "operation"]).collect();
        self.ident_list(&names)?;
        self.push(" SELECT ");
        for c in &t.columns {
            self.push(&of(row, c));
            self.push(", ");
        }
        let gone = row == "OLD";
        self.since(t, history, row)?;
        self.push(", ");
        match gone {
            true => self.since(t, history, row)?,
            false => self.push("NULL"),
        }
        self.push(", ");
        self.push(operation);
        if let Some(filter) = filter {
            self.push(" WHERE ");
            self.push(filter);
        }
        self.push("; ");
        Ok(())
    }
    fn since(&mut self, t: &RowTrigger, history: &Name, row: &str) -> Result<()> {
        let begun = self.dialect().told(Told::Begun);
        self.push(&format!(
            "(SELECT max(q.t) FROM (SELECT {begun} AS t UNION ALL SELECT coalesce(h.\"valid_to\", h.\"valid_from\") \
             FROM "
        ));
        self.full_name(history)?;
        self.push(" AS h WHERE ");
        let key = t.key.iter().filter_map(|&i| t.columns.get(i));
        let same = key.map(|c| format!("h.{} = {}", quoted(&c.name), of(row, c)));
        self.push(&same.collect::<Vec<_>>().join(" AND "));
        self.push(") AS q)");
        Ok(())
    }

    fn json_of(&self, row: &str, c: &LoggedColumn) -> String {
        self.dialect().json_text(&of(row, c), c.ty)
    }
    fn differs(&self, c: &LoggedColumn) -> String {
        let texts = format!("{} <> {}", self.json_of("OLD", c), self.json_of("NEW", c));
        match c.ty {
            // a null of JSON is a value
            Type::Json => format!(
                "{texts} OR ({} IS NULL) <> ({} IS NULL)",
                of("OLD", c),
                of("NEW", c)
            ),
            _ => texts,
        }
    }
    fn any_differs(&self, t: &RowTrigger) -> String {
        let differ: Vec<String> = t.columns.iter().map(|c| self.differs(c)).collect();
        format!("({})", differ.join(" OR "))
    }
    fn same_key(&self, t: &RowTrigger) -> String {
        let key = t.key.iter().filter_map(|&i| t.columns.get(i));
        let same = key.map(|c| format!("{} = {}", self.json_of("OLD", c), self.json_of("NEW", c)));
        same.collect::<Vec<_>>().join(" AND ")
    }
    /// A value as a person reads it.
    fn plain(&self, row: &str, c: &LoggedColumn) -> String {
        match c.ty {
            Type::Text | Type::Enum(_) => format!("CAST({} AS text)", of(row, c)),
            _ => format!("trim({}, '\"')", self.json_of(row, c)),
        }
    }
    /// A row as a JSON object, without its sensitive columns.
    fn object(&self, t: &RowTrigger, row: &str) -> String {
        let open = t.columns.iter().filter(|c| !c.sensitive);
        let member = |(i, c): (usize, &LoggedColumn)| {
            let comma = if i > 0 { "," } else { "" };
            format!("'{comma}\"{}\":' || {}", escaped(&c.field), self.json_of(row, c))
        };
        let members: Vec<String> = open.enumerate().map(member).collect();
        match members.is_empty() {
            true => "'{}'".to_owned(),
            false => format!("'{{' || {} || '}}'", members.join(" || ")),
        }
    }
}

/// An entry of an audit trail, in SQL.
#[derive(Clone, Copy)]
struct Entry<'a> {
    operation: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
    changed: &'a str,
    filter: Option<&'a str>,
}

/// The columns of the log that an entry fills.
const TRAIL_COLUMNS: &[&str] = &[
    "transaction_id",
    "at",
    "table_name",
    "row_key",
    "operation",
    "actor",
    "tenant",
    "request_id",
    "before",
    "after",
    "changed",
];

/// The names of fields as a JSON array: all of them, or those that meet a condition.
fn list(t: &RowTrigger, condition: impl Fn(&LoggedColumn) -> Option<String>) -> String {
    let name = |c: &LoggedColumn| {
        let name = format!("',\"{}\"'", escaped(&c.field));
        match condition(c) {
            None => name,
            Some(when) => format!("CASE WHEN {when} THEN {name} ELSE '' END"),
        }
    };
    let names: Vec<String> = t.columns.iter().map(name).collect();
    format!("'[' || substr({}, 2) || ']'", names.join(" || "))
}

fn of(row: &str, c: &LoggedColumn) -> String {
    format!("{row}.{}", quoted(&c.name))
}
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
/// The name of a field inside a text literal. It is an identifier of Rust, which JSON takes as it is.
fn escaped(field: &str) -> String {
    field.replace('\'', "''")
}
