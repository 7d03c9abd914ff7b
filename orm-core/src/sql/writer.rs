//! The only code that appends to the text of a statement, numbers placeholders and names sources.

use std::cell::Cell;
use std::sync::Arc;

use crate::ast::types::shortest;
use crate::ast::{Column, NamedFilter, Source, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::common::Common;
use crate::sql::dialect::require;
use crate::sql::window::Named;
use crate::sql::{Dialect, Effort, Features, Scope, Sql};
use crate::value::{OtherType, Timestamp, Type, Value, Wire};

thread_local! {
    /// The buffer of the last statement rendered on this thread: a small statement allocates its final text only.
    static SCRATCH: Cell<String> = const { Cell::new(String::new()) };
}

/// What a database lacks that keeps no version of rows.
pub(crate) const ROW_VERSION: &str = "a version of rows that the database keeps (`RowVersion`)";

/// What begins a list of common table expressions.
pub(crate) const WITH: &str = "WITH ";
/// The same where one refers to itself.
pub(crate) const RECURSIVE: &str = "WITH RECURSIVE ";

/// A buffer larger than this is not kept.
const SCRATCH_LIMIT: usize = 64 * 1024;

/// Text and values of a statement in the making. Dialects write through it.
pub struct SqlWriter<'a> {
    text: String,
    params: Vec<Value>,
    dialect: &'a dyn Dialect,
    features: &'a Features,
    scope: &'a Scope,
    refs: Vec<Ref>,
    root: Option<Source>,
    aliases: u32,
    clock: Option<usize>,
    /// Values are constants of the text: the statement stays in the database, which keeps no binds.
    pub(crate) constant: bool,
    /// Only the binds matter: the text is known from a statement of the same form.
    mute: bool,
    actor: Option<usize>,
    tenant: Option<usize>,
    /// Whether a column that must not be logged took part in more than the list of results.
    pub(crate) sensitive: bool,
    /// Whether something in the statement writes.
    pub(crate) writes: bool,
    /// Whether an expression written twice must have the same text: equal values share one placeholder, and a source
    /// keeps its alias.
    pub(crate) repeatable: bool,
    /// Whether what is written next is a result of the whole statement: there types that need it become text.
    pub(crate) outermost: bool,
    /// Aliases to keep.
    known: Vec<(Source, u32)>,
    /// Tables with a history are those of this time.
    pub(crate) as_of: Option<Timestamp>,
    /// Whether every SELECT must have a WHERE.
    pub(crate) force_where: bool,
    /// The named filters that are being written, each inside the one before.
    filters: Vec<&'static NamedFilter>,
    /// Parts of tables whose columns were written.
    parts: Vec<(Source, u8)>,
    /// The names of the columns of derived tables.
    derived: Vec<(Source, Vec<&'static str>)>,
    /// The named windows of the select that is being written.
    pub(crate) windows: Vec<Named>,
    /// Whether keys of groups may be NULL because rows of totals leave them out.
    pub(crate) totals: bool,
    /// Whether a window function is being written.
    pub(crate) in_window: bool,
    /// Whether the opposite of a condition is being written, so that "unknown" is not the same as "false".
    pub(crate) negated: bool,
    /// Common table expressions that stand in front of the statement.
    pub(crate) common: Common,
}

/// A source in scope.
#[derive(Clone, Copy)]
struct Ref {
    source: Source,
    name: RefName,
    /// Rows may be missing because of an outer join: every column may be NULL.
    outer: bool,
}

impl Ref {
    /// Whether the table's own name is that of an alias, in any case.
    fn is_called(&self, alias: u32) -> bool {
        let RefName::Table(table) = self.name else {
            return false;
        };
        let number = table.name.strip_prefix(['t', 'T']);
        number.is_some_and(|digits| digits.parse() == Ok(alias))
    }
}

#[derive(Clone, Copy)]
enum RefName {
    Alias(u32),
    Table(&'static Table),
    Excluded,
}

/// What was in scope before a statement inside the statement.
pub(crate) struct Frame {
    refs: usize,
    root: Option<Source>,
    negated: bool,
}

/// The rest of a [`Sql`] beside text and values.
pub(crate) struct Outcome {
    pub(crate) columns: Vec<Type>,
    pub(crate) effort: Effort,
    pub(crate) operation: &'static str,
    pub(crate) target: Option<&'static str>,
}

impl Outcome {
    /// That of a schema statement.
    pub(crate) fn ddl(operation: &'static str) -> Self {
        Outcome {
            columns: Vec::new(),
            effort: Effort::Long,
            operation,
            target: None,
        }
    }
}

impl<'a> SqlWriter<'a> {
    pub(crate) fn new(dialect: &'a dyn Dialect, scope: &'a Scope) -> Self {
        let mut text = SCRATCH.take();
        text.clear();
        SqlWriter {
            text,
            params: Vec::new(),
            dialect,
            features: dialect.features(),
            scope,
            refs: Vec::with_capacity(4),
            root: None,
            aliases: 0,
            clock: None,
            constant: false,
            mute: false,
            actor: None,
            tenant: None,
            sensitive: false,
            writes: false,
            force_where: false,
            repeatable: false,
            outermost: true,
            known: Vec::new(),
            filters: Vec::new(),
            as_of: scope.as_of,
            parts: Vec::new(),
            derived: Vec::new(),
            windows: Vec::new(),
            totals: false,
            in_window: false,
            negated: false,
            common: Common::default(),
        }
    }

    /// A writer that gathers the binds of a statement whose text is known.
    pub(crate) fn muted(dialect: &'a dyn Dialect, scope: &'a Scope) -> Self {
        SqlWriter {
            mute: true,
            ..SqlWriter::new(dialect, scope)
        }
    }
    /// The binds alone.
    pub(crate) fn into_params(self) -> Vec<Value> {
        self.params
    }
    pub(crate) fn finish(mut self, outcome: Outcome) -> Result<Sql> {
        let Outcome {
            columns,
            effort,
            operation,
            target,
        } = outcome;
        self.put_common()?;
        let max = self.features.max_params;
        if self.params.len() > max {
            return Err(Error::new(
                ErrorKind::InvalidQuery,
                format!("the statement binds more than {max} values; send it in parts"),
            ));
        }
        let text: Arc<str> = Arc::from(self.text.as_str());
        if self.text.capacity() <= SCRATCH_LIMIT {
            SCRATCH.set(std::mem::take(&mut self.text));
        }
        Ok(Sql {
            text,
            sensitive: self.sensitive && !self.params.is_empty(),
            params: self.params,
            columns: columns.into(),
            effort,
            writes: self.writes,
            operation,
            target,
            site: None,
        })
    }

    /// The database this is written for.
    pub fn dialect(&self) -> &'a dyn Dialect {
        self.dialect
    }
    /// What it can do.
    pub fn features(&self) -> &'a Features {
        self.features
    }
    pub(crate) fn scope(&self) -> &'a Scope {
        self.scope
    }
    /// Fails with the feature's name unless the database has it.
    pub fn require(&self, has: bool, feature: &str) -> Result<()> {
        require(has, feature, self.dialect)
    }
    /// The error for something this database cannot do.
    pub fn unsupported(&self, feature: &str) -> Error {
        Error::unsupported(feature, self.dialect.name())
    }

    /// Whether nothing is written yet.
    pub(crate) fn is_blank(&self) -> bool {
        self.text.is_empty()
    }
    /// What is written by this, as a text of its own that sees nothing of the statement around it.
    pub(crate) fn apart(&mut self, write: impl FnOnce(&mut Self) -> Result<()>) -> Result<String> {
        let text = std::mem::take(&mut self.text);
        let refs = std::mem::take(&mut self.refs);
        let (root, repeatable) = (self.root.take(), std::mem::replace(&mut self.repeatable, false));
        let force_where = std::mem::replace(&mut self.force_where, false);
        write(self)?;
        (self.root, self.repeatable, self.force_where) = (root, repeatable, force_where);
        self.refs = refs;
        Ok(std::mem::replace(&mut self.text, text))
    }
    /// Puts this text in the place of so many bytes at the beginning.
    pub(crate) fn replace_front(&mut self, bytes: usize, front: &str) {
        self.text.replace_range(..bytes, front);
    }

    /// Appends SQL as it is.
    #[inline]
    pub fn push(&mut self, sql: &str) {
        if !self.mute {
            self.text.push_str(sql);
        }
    }
    /// Appends a whole number.
    #[inline]
    pub fn number(&mut self, n: u64) {
        if self.mute {
            return;
        }
        if n < 10 {
            self.text.push((b'0' + n as u8) as char);
            return;
        }
        self.digits(n);
    }
    fn digits(&mut self, mut n: u64) {
        // as many as the largest number has
        let mut digits = [b'0'; 20];
        let mut from = digits.len();
        while n > 0 && from > 0 {
            from -= 1;
            digits[from] = b'0' + (n % 10) as u8;
            n /= 10;
        }
        self.text
            .extend(digits[from..].iter().map(|&digit| char::from(digit)));
    }
    /// Appends a quoted identifier.
    pub fn ident(&mut self, name: &str) -> Result<()> {
        if self.mute {
            return Ok(());
        }
        if name.bytes().any(|b| b == b'"' || b == 0) {
            return self.quoted(name, '"', "a name in the database must not contain NUL");
        }
        self.text.push('"');
        self.text.push_str(name);
        self.text.push('"');
        Ok(())
    }
    /// Appends a text literal.
    pub fn literal(&mut self, text: &str) -> Result<()> {
        self.quoted(text, '\'', "a text literal must not contain NUL")
    }
    fn quoted(&mut self, text: &str, quote: char, refused: &'static str) -> Result<()> {
        if self.mute {
            return Ok(());
        }
        self.text.push(quote);
        if text.bytes().any(|b| b == quote as u8 || b == 0) {
            for c in text.chars() {
                if c == '\0' {
                    return Err(Error::new(ErrorKind::InvalidQuery, refused));
                }
                if c == quote {
                    self.text.push(quote);
                }
                self.text.push(c);
            }
        } else {
            self.text.push_str(text);
        }
        self.text.push(quote);
        Ok(())
    }
    /// Appends hexadecimal digits.
    pub(crate) fn hex(&mut self, bytes: &[u8]) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for b in bytes {
            self.text.push(DIGITS[(b >> 4) as usize] as char);
            self.text.push(DIGITS[(b & 15) as usize] as char);
        }
    }
    /// Appends the name of a function or collation that the programmer wrote; only letters, digits, `_` and `.`.
    pub fn name(&mut self, name: &str) -> Result<()> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'.';
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(Error::new(
                ErrorKind::InvalidQuery,
                "a function's name has letters, digits, `_` and `.` only",
            ));
        }
        self.push(name);
        Ok(())
    }
    /// Appends the name of a type.
    pub fn type_name(&mut self, ty: Type) -> Result<()> {
        let name = self.dialect.type_name(ty)?;
        self.push(&name);
        Ok(())
    }
    /// Appends a table's name with its schema.
    pub(crate) fn table(&mut self, table: &Table) -> Result<()> {
        self.qualified(table.schema, table.name)
    }
    pub(crate) fn qualified(&mut self, schema: Option<&str>, name: &str) -> Result<()> {
        if let Some(schema) = self.scope.schemas.used(schema) {
            self.require(self.features.schemas, "a schema in front of a table's name")?;
            self.ident(schema)?;
            self.push(".");
        }
        self.ident(name)
    }
    /// Appends names in parentheses.
    pub(crate) fn ident_list<S: AsRef<str>>(&mut self, names: impl IntoIterator<Item = S>) -> Result<()> {
        self.push("(");
        for (i, name) in names.into_iter().enumerate() {
            self.comma(i);
            self.ident(name.as_ref())?;
        }
        self.push(")");
        Ok(())
    }
    /// A comma before every item but the first.
    #[inline]
    pub fn comma(&mut self, i: usize) {
        if i > 0 {
            self.push(", ");
        }
    }

    /// Makes room for so many more values.
    pub(crate) fn reserve(&mut self, values: usize) {
        self.params.reserve(values);
    }
    /// Binds a value and appends its placeholder.
    #[inline]
    pub fn param(&mut self, value: Value) -> Result<()> {
        if self.constant {
            return self.constant(value);
        }
        if is_plain(&value) {
            self.plain_param(value);
            return Ok(());
        }
        self.special_param(value)
    }
    /// Binds a value that is sent as it is. Inlined: a bulk insert does little else.
    #[inline(always)]
    pub(crate) fn plain_param(&mut self, value: Value) {
        let n = self.number_of(value);
        self.placeholder(n);
    }
    /// Binds a value that may be refused, rewritten, or in need of a cast.
    fn special_param(&mut self, value: Value) -> Result<()> {
        let value = match value {
            Value::Refused(why) => return Err(Error::encode(why)),
            Value::Decimal(d) if self.features.scaled_decimals => Value::Decimal(shortest(d)),
            Value::Array(_, ref items) => {
                if let Some(Value::Refused(why)) = items.iter().find(|v| matches!(v, Value::Refused(_))) {
                    return Err(Error::encode(*why));
                }
                value
            }
            value => value,
        };
        let ty = value.ty();
        let named = matches!(ty, Type::Enum(_) | Type::Array(crate::value::Element::Enum(_)));
        let cast = self.features.enum_types && (named || ty.is_cast());
        let n = self.number_of(value);
        if !cast {
            self.placeholder(n);
            return Ok(());
        }
        self.push("CAST(");
        self.placeholder(n);
        self.push(" AS ");
        self.type_name(ty)?;
        self.push(")");
        Ok(())
    }
    /// The number of the placeholder that stands for this value.
    #[inline(always)]
    fn number_of(&mut self, value: Value) -> usize {
        if self.repeatable
            && let Some(i) = self.known_param(&value)
        {
            return i + 1;
        }
        self.params.push(value);
        self.params.len()
    }
    fn known_param(&self, value: &Value) -> Option<usize> {
        self.params.iter().position(|p| p == value)
    }
    #[inline]
    fn placeholder(&mut self, n: usize) {
        if self.mute {
            return;
        }
        self.text.push(self.features.placeholder);
        self.number(n as u64);
    }
    /// The clock of the operation: the server's, or one bound value for the whole statement.
    pub(crate) fn clock(&mut self) -> Result<()> {
        if self.scope.clock.is_none() && self.features.server_clock {
            self.push(self.dialect.clock());
            return Ok(());
        }
        if self.constant {
            self.push(self.dialect.clock());
            return Ok(());
        }
        if let Some(n) = self.clock {
            self.placeholder(n);
            return Ok(());
        }
        let now = self.scope.clock.unwrap_or_else(Timestamp::now);
        self.clock = Some(self.params.len() + 1);
        self.param(Value::Timestamp(now))
    }
    pub(crate) fn actor(&mut self) -> Result<()> {
        if self.constant {
            return Err(of_nobody());
        }
        if let Some(n) = self.actor {
            self.placeholder(n);
            return Ok(());
        }
        let Some(actor) = &self.scope.actor else {
            return Err(Error::new(
                ErrorKind::InvalidQuery,
                "the statement records who acts, and the handle does not say: use `acting_as`",
            ));
        };
        self.actor = Some(self.params.len() + 1);
        self.param(actor.clone())
    }
    pub(crate) fn tenant(&mut self) -> Result<()> {
        if self.constant {
            return Err(of_nobody());
        }
        if let Some(n) = self.tenant {
            self.placeholder(n);
            return Ok(());
        }
        let Some(tenant) = &self.scope.tenant else {
            return Err(Error::new(
                ErrorKind::InvalidQuery,
                "the table belongs to tenants, and the handle has none: use `tenant`",
            ));
        };
        self.tenant = Some(self.params.len() + 1);
        self.param(tenant.clone())
    }

    /// Begins the condition of a named filter. One that leads back to itself would never end.
    pub(crate) fn begin_filter(&mut self, table: &Table, filter: &'static NamedFilter) -> Result<()> {
        if self.filters.iter().any(|open| std::ptr::eq(*open, filter)) {
            let (name, table) = (filter.name, table.name);
            let text = format!(
                "the filter `{name}` of `{table}` leads back to itself: switch it off inside the condition, with `without_filter` on the relation"
            );
            return Err(Error::new(ErrorKind::InvalidQuery, text));
        }
        self.filters.push(filter);
        Ok(())
    }
    pub(crate) fn end_filter(&mut self) {
        self.filters.pop();
    }

    /// Begins a statement inside the statement (or the outermost one).
    pub(crate) fn enter(&mut self, root: Option<Source>) -> Frame {
        let frame = Frame {
            refs: self.refs.len(),
            root: self.root,
            negated: std::mem::take(&mut self.negated),
        };
        self.root = root;
        frame
    }
    /// Ends it: its sources are out of scope.
    pub(crate) fn leave(&mut self, frame: Frame) {
        self.refs.truncate(frame.refs);
        self.root = frame.root;
        self.negated = frame.negated;
    }
    /// Gives the next alias to a source, or the one it had where expressions repeat.
    pub(crate) fn define(&mut self, source: Source, outer: bool) {
        let kept = if self.repeatable {
            self.kept_alias(source)
        } else {
            None
        };
        let alias = kept.unwrap_or_else(|| self.next_alias(source));
        let name = RefName::Alias(alias);
        self.refs.push(Ref { source, name, outer });
    }
    /// Not while the source is in scope: then the inner one needs a name of its own.
    fn kept_alias(&self, source: Source) -> Option<u32> {
        let (_, alias) = self.known.iter().find(|(s, _)| *s == source)?;
        let open = self.refs.iter().any(|r| r.source == source);
        (!open).then_some(*alias)
    }
    fn next_alias(&mut self, source: Source) -> u32 {
        // the target of a write is known by its table's name, which may look like an alias
        while self.refs.iter().any(|r| r.is_called(self.aliases)) {
            self.aliases += 1;
        }
        let alias = self.aliases;
        self.aliases += 1;
        if self.repeatable {
            self.known.push((source, alias));
        }
        alias
    }
    /// Makes a source known by its table's own name: the target of a write.
    pub(crate) fn define_target(&mut self, source: Source, table: &'static Table) {
        self.refs.push(Ref {
            source,
            name: RefName::Table(table),
            outer: false,
        });
    }
    /// Makes the proposed row of an upsert known.
    pub(crate) fn define_excluded(&mut self) {
        self.refs.push(Ref {
            source: Source::EXCLUDED,
            name: RefName::Excluded,
            outer: false,
        });
    }
    /// Everything defined since the frame may be missing from a row.
    pub(crate) fn outer_since(&mut self, frame: &Frame) {
        for r in &mut self.refs[frame.refs..] {
            r.outer = true;
        }
    }
    fn find(&self, source: Source) -> Option<Ref> {
        let source = self.resolve(source)?;
        self.refs.iter().rev().find(|r| r.source == source).copied()
    }
    /// The source itself, or what the innermost statement's root is.
    pub(crate) fn resolve(&self, source: Source) -> Option<Source> {
        if source == Source::ROOT {
            self.root.or(Some(source))
        } else {
            Some(source)
        }
    }
    /// Whether an outer join may leave the columns of this source NULL.
    pub(crate) fn is_outer(&self, source: Source) -> bool {
        self.find(source).is_none_or(|r| r.outer)
    }
    /// Appends the alias of a source.
    pub(crate) fn source(&mut self, source: Source, field: &'static str) -> Result<()> {
        let Some(r) = self.find(source) else {
            return Err(Error::new(
                ErrorKind::InvalidQuery,
                "a column is used outside the closure it came from",
            )
            .with_field(field));
        };
        match r.name {
            RefName::Alias(n) => {
                self.text.push('t');
                self.number(n as u64);
            }
            RefName::Table(t) => self.table(t)?,
            RefName::Excluded => self.push("excluded"),
        }
        Ok(())
    }
    /// Appends `alias."column"`.
    pub fn column(&mut self, source: Source, column: &'static Column) -> Result<()> {
        if !self.derived.is_empty() && self.is_derived(source, column)? {
            return self.field(source, column.name);
        }
        if column.system {
            return self.row_version(source);
        }
        self.source(source, column.name)?;
        if column.part > 0 {
            self.of_part(source, column)?;
        }
        self.text.push('.');
        self.ident(column.name)
    }
    /// Makes known what columns a derived table has.
    pub(crate) fn define_columns(&mut self, source: Source, columns: &[&'static str]) {
        self.derived.push((source, columns.to_vec()));
    }
    /// Whether the reference is to a derived table.
    pub(crate) fn is_query(&self, source: Source) -> bool {
        let source = self.resolve(source);
        self.derived.iter().any(|(s, _)| Some(*s) == source)
    }
    /// Whether the column is one of a derived table.
    #[cold]
    fn is_derived(&self, source: Source, column: &'static Column) -> Result<bool> {
        let source = self.resolve(source);
        let Some((_, columns)) = self.derived.iter().find(|(s, _)| Some(*s) == source) else {
            return Ok(false);
        };
        match columns.contains(&column.name) {
            true => Ok(true),
            false => Err(Error::new(
                ErrorKind::InvalidQuery,
                "a query on the rows of another query names a column that the other one does not select",
            )
            .with_field(column.name)),
        }
    }
    /// Appends the version that the database keeps of each row, as an integer.
    fn row_version(&mut self, source: Source) -> Result<()> {
        let Some(name) = self.features.row_version else {
            return Err(self.unsupported(ROW_VERSION));
        };
        self.push("CAST(CAST(");
        self.source(source, name)?;
        self.push(".");
        self.ident(name)?;
        self.push(" AS ");
        self.type_name(Type::Text)?;
        self.push(") AS ");
        self.type_name(Type::I64)?;
        self.push(")");
        Ok(())
    }
    #[cold]
    fn of_part(&mut self, source: Source, column: &'static Column) -> Result<()> {
        let Some(found) = self.find(source) else {
            return Ok(());
        };
        match found.name {
            RefName::Alias(_) => {
                self.part_suffix(column.part);
                if !self.uses(found.source, column.part) {
                    self.parts.push((found.source, column.part));
                }
                Ok(())
            }
            // the part itself is written
            RefName::Table(table) if table.parts.is_empty() => Ok(()),
            RefName::Table(_) | RefName::Excluded => {
                let message = "a write of one table reads a column of another table of the same row";
                Err(Error::new(ErrorKind::InvalidQuery, message).with_field(column.name))
            }
        }
    }
    /// Appends what the alias of a part has behind that of its table.
    pub(crate) fn part_suffix(&mut self, part: u8) {
        self.push("_");
        self.number(part.into());
    }
    /// Whether a column of this part was written.
    pub(crate) fn uses(&self, source: Source, part: u8) -> bool {
        self.parts.contains(&(source, part))
    }
    /// Whether columns of optional parts of this source were written.
    pub(crate) fn uses_any(&self, source: Source) -> bool {
        self.parts.iter().any(|(s, _)| *s == source)
    }
    /// Appends `alias."name"` of a derived table, or of a column that no model has.
    pub fn field(&mut self, source: Source, name: &'static str) -> Result<()> {
        self.source(source, name)?;
        self.text.push('.');
        self.ident(name)
    }
}

/// A definition in the database belongs to no handle.
#[cold]
fn of_nobody() -> Error {
    Error::new(
        ErrorKind::InvalidQuery,
        "the definition of a view knows no tenant and nobody who acts: select the tenant's column from a model without `tenant`, or write it as SQL",
    )
}

/// Whether a value is sent as it is, without a cast, on every database.
#[inline]
pub(crate) fn is_plain(value: &Value) -> bool {
    !matches!(
        value,
        Value::Refused(_)
            | Value::Decimal(_)
            | Value::Array(..)
            | Value::Enum(..)
            | Value::Null(_)
            | Value::Other(OtherType { wire: Wire::Cast, .. }, _)
    )
}
