//! What only the text of a statement tells: SQLite keeps names of constraints, collations, conditions and the like in
//! the CREATE statements of its catalogue and nowhere else. Expressions are not understood, only where they end. `None`
//! means that the text is no statement as SQLite writes it.

use orm_core::schema::Action;

use crate::introspect::cursor::{Cursor, Range};
use crate::introspect::token::{self, Kind};
use crate::schema::{
    Check, Column, Deferrable, Fill, ForeignKey, Index, IndexPart, Key, Name, OnConflict, Table, Unique, View,
};

/// CREATE TABLE, with the names as they are written in it.
pub(crate) fn table(sql: &str) -> Option<Table> {
    let mut p = Cursor::new(sql);
    p.create("TABLE")?;
    let mut table = Table {
        name: Name::new(p.qualified()?),
        ..Table::default()
    };
    let end = p.open()?;
    while p.at < end {
        if p.constraint_begins() {
            p.table_constraint(&mut table)?;
            p.symbol(b',');
        } else {
            p.column(&mut table)?;
            if !p.symbol(b',') && p.at < end {
                return None;
            }
        }
    }
    p.at = end + 1;
    let (mut strict, mut without_rowid) = (false, false);
    while !p.done() {
        match p.eat_one(&["STRICT", "WITHOUT"]) {
            Some("STRICT") => strict = true,
            Some(_) => {
                without_rowid = true;
                p.expect("ROWID")?;
            }
            None if p.symbol(b',') => {}
            None => return None,
        }
    }
    table.options = match (strict, without_rowid) {
        (false, false) => "",
        (true, false) => "STRICT",
        (false, true) => "WITHOUT ROWID",
        (true, true) => "STRICT, WITHOUT ROWID",
    }
    .to_owned();
    Some(table)
}

/// CREATE INDEX. `is_column` tells a column from an expression that is one word.
pub(crate) fn index(sql: &str, is_column: &dyn Fn(&str) -> bool) -> Option<Index> {
    let mut p = Cursor::new(sql);
    p.expect("CREATE")?;
    let unique = p.eat("UNIQUE");
    p.expect("INDEX")?;
    p.if_not_exists()?;
    let name = p.qualified()?;
    p.expect("ON")?;
    p.name()?;
    let parts = p.group()?;
    let parts = p.split(parts);
    let parts = parts.into_iter().map(|range| p.part(range, is_column));
    let mut index = Index {
        name,
        unique,
        parts: parts.collect::<Option<_>>()?,
        ..Index::default()
    };
    if p.eat("WHERE") {
        index.filter = Some(p.rest()?);
    }
    p.done().then_some(index)
}

/// CREATE VIEW.
pub(crate) fn view(sql: &str) -> Option<View> {
    let mut p = Cursor::new(sql);
    p.create("VIEW")?;
    let name = Name::new(p.qualified()?);
    let columns = match p.peek_symbol(b'(') {
        true => p.names()?,
        false => Vec::new(),
    };
    p.expect("AS")?;
    Some(View {
        name,
        columns,
        query: p.rest()?,
        ..View::default()
    })
}

/// CREATE VIRTUAL TABLE: what stands behind USING.
pub(crate) fn module(sql: &str) -> Option<String> {
    let mut p = Cursor::new(sql);
    p.expect("CREATE")?;
    p.expect("VIRTUAL")?;
    p.expect("TABLE")?;
    p.if_not_exists()?;
    p.qualified()?;
    p.expect("USING")?;
    p.rest()
}

/// A whole statement, without comments and semicolons around it.
pub(crate) fn whole(sql: &str) -> Option<String> {
    Cursor::new(sql).rest()
}

impl Cursor<'_> {
    fn create(&mut self, what: &str) -> Option<()> {
        self.expect("CREATE")?;
        let _ = self.eat("TEMP") || self.eat("TEMPORARY");
        self.expect(what)?;
        self.if_not_exists()
    }
    fn if_not_exists(&mut self) -> Option<()> {
        if self.eat("IF") {
            self.expect("NOT")?;
            self.expect("EXISTS")?;
        }
        Some(())
    }

    /// A list of names in parentheses. A direction or a collation behind one means nothing where names are asked for.
    fn names(&mut self) -> Option<Vec<String>> {
        let range = self.group()?;
        let first = |(from, to): Range| {
            let token = self.tokens.get(from..to)?.first()?;
            token::name(token.kind, self.text(token))
        };
        self.split(range).into_iter().map(first).collect()
    }

    fn collation(&self, at: usize) -> Option<String> {
        let token = self.tokens.get(at)?;
        let text = self.text(token);
        let known = ["BINARY", "NOCASE", "RTRIM"]
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(text));
        token::name(token.kind, text).map(|_| known.unwrap_or(text).to_owned())
    }

    /// An entry of an index.
    fn part(&self, (from, mut to): Range, is_column: &dyn Fn(&str) -> bool) -> Option<IndexPart> {
        let mut part = IndexPart::default();
        let last = to.checked_sub(1)?;
        if to > from + 1 && (self.word_at(last, "DESC") || self.word_at(last, "ASC")) {
            part.desc = self.word_at(last, "DESC");
            to -= 1;
        }
        if to > from + 2 && self.word_at(to - 2, "COLLATE") {
            part.collation = Some(self.collation(to - 1)?);
            to -= 2;
        }
        let only = self.tokens.get(from).filter(|_| to == from + 1);
        let name = only.and_then(|t| token::name(t.kind, self.text(t)));
        if let Some(name) = name.filter(|name| is_column(name)) {
            part.key = name;
            return Some(part);
        }
        part.expression = true;
        part.key = self.slice(self.inside((from, to)))?;
        Some(part)
    }
    fn column(&mut self, table: &mut Table) -> Option<()> {
        let name = self.name()?;
        let mut column = Column {
            name: name.clone(),
            ty: self.column_type()?,
            nullable: true,
            ..Column::default()
        };
        let mut called = None;
        // where the column's last foreign key stands, for what may follow it
        let mut key = None;
        while let Some(word) = self.column_constraint() {
            if word == "CONSTRAINT" {
                called = Some(self.name()?);
                continue;
            }
            let called = called.take();
            match word {
                "PRIMARY" => {
                    let made = self.column_key(called, &name)?;
                    table.primary_key = Some(made);
                    if self.eat("AUTOINCREMENT") {
                        column.fill = Fill::Identity { always: false };
                    }
                }
                "NOT" if self.eat("NULL") => {
                    column.nullable = false;
                    column.on_null = self.on_conflict()?;
                }
                "NULL" => {
                    self.on_conflict()?;
                }
                "UNIQUE" => table.uniques.push(Unique {
                    name: called,
                    columns: vec![name.clone()],
                    on_conflict: self.on_conflict()?,
                    ..Unique::default()
                }),
                "CHECK" => self.check(called, table)?,
                "DEFAULT" => column.fill = Fill::Default(self.default()?),
                "COLLATE" => {
                    column.collation = Some(self.collation(self.at)?).filter(|c| c != "BINARY");
                    self.at += 1;
                }
                "REFERENCES" => {
                    key = Some(table.foreign_keys.len());
                    let made = self.references(called, vec![name.clone()])?;
                    table.foreign_keys.push(made);
                }
                "GENERATED" | "AS" => column.fill = self.generated(word)?,
                // `NOT DEFERRABLE` and `DEFERRABLE` may stand apart from their key
                _ => {
                    self.at -= 1;
                    let mut nothing = ForeignKey::default();
                    let key = key.and_then(|i: usize| table.foreign_keys.get_mut(i));
                    self.deferrable(key.unwrap_or(&mut nothing)).then_some(())?;
                }
            }
        }
        table.columns.push(column);
        Some(())
    }

    fn column_constraint(&mut self) -> Option<&'static str> {
        self.eat_one(&[
            "CONSTRAINT",
            "PRIMARY",
            "NOT",
            "NULL",
            "UNIQUE",
            "CHECK",
            "DEFAULT",
            "COLLATE",
            "REFERENCES",
            "GENERATED",
            "AS",
            "DEFERRABLE",
        ])
    }
    fn column_key(&mut self, called: Option<String>, column: &str) -> Option<Key> {
        self.expect("KEY")?;
        let desc = self.eat_one(&["ASC", "DESC"]) == Some("DESC");
        let descending = desc.then(|| IndexPart {
            key: column.to_owned(),
            desc,
            ..IndexPart::default()
        });
        Some(Key {
            name: called,
            columns: vec![column.to_owned()],
            parts: descending.into_iter().collect(),
            on_conflict: self.on_conflict()?,
            ..Key::default()
        })
    }
    fn generated(&mut self, word: &str) -> Option<Fill> {
        if word == "GENERATED" {
            self.expect("ALWAYS")?;
            self.expect("AS")?;
        }
        let sql = self.expression()?;
        Some(match self.eat_one(&["STORED", "VIRTUAL"]) {
            Some("STORED") => Fill::Stored(sql),
            _ => Fill::Virtual(sql),
        })
    }

    /// The words of a type, and the numbers behind them.
    fn column_type(&mut self) -> Option<String> {
        const ENDS: [&str; 11] = [
            "CONSTRAINT",
            "PRIMARY",
            "NOT",
            "NULL",
            "UNIQUE",
            "CHECK",
            "DEFAULT",
            "COLLATE",
            "REFERENCES",
            "AS",
            "DEFERRABLE",
        ];
        let start = self.at;
        while let Some(token) = self.tokens.get(self.at) {
            let word = token.kind == Kind::Word;
            let ends = ENDS.iter().any(|end| self.is(end))
                || self.is("GENERATED") && self.word_at(self.at + 1, "ALWAYS");
            if word && ends || !(word || matches!(token.kind, Kind::Quoted | Kind::Text)) {
                break;
            }
            self.at += 1;
        }
        if self.at == start {
            return Some(String::new());
        }
        if self.peek_symbol(b'(') {
            self.group()?;
        }
        self.slice((start, self.at))
    }

    /// An expression in parentheses, or one constant.
    fn default(&mut self) -> Option<String> {
        if self.peek_symbol(b'(') {
            return self.expression();
        }
        let start = self.at;
        let _ = self.symbol(b'-') || self.symbol(b'+');
        let constant = self.tokens.get(self.at)?;
        if matches!(constant.kind, Kind::Symbol(_)) {
            return None;
        }
        self.at += 1;
        self.slice((start, self.at))
    }

    fn check(&mut self, name: Option<String>, table: &mut Table) -> Option<()> {
        let condition = self.expression()?;
        self.on_conflict()?;
        table.checks.push(Check {
            name,
            condition,
            ..Check::default()
        });
        Some(())
    }

    fn on_conflict(&mut self) -> Option<Option<OnConflict>> {
        if !(self.is("ON") && self.word_at(self.at + 1, "CONFLICT")) {
            return Some(None);
        }
        self.at += 2;
        Some(
            match self.eat_one(&["ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE"])? {
                "ROLLBACK" => Some(OnConflict::Rollback),
                "FAIL" => Some(OnConflict::Fail),
                "IGNORE" => Some(OnConflict::Ignore),
                "REPLACE" => Some(OnConflict::Replace),
                _ => None,
            },
        )
    }

    fn references(&mut self, name: Option<String>, columns: Vec<String>) -> Option<ForeignKey> {
        let mut key = ForeignKey {
            name,
            columns,
            target: Name::new(self.name()?),
            ..ForeignKey::default()
        };
        if self.peek_symbol(b'(') {
            key.target_columns = self.names()?;
        }
        loop {
            if self.eat("ON") {
                match self.eat_one(&["DELETE", "UPDATE", "INSERT"])? {
                    "DELETE" => key.on_delete = self.action()?,
                    "UPDATE" => key.on_update = self.action()?,
                    // read by SQLite, and without effect
                    _ => {
                        self.action()?;
                    }
                }
            } else if self.eat("MATCH") {
                self.name()?;
            } else if !self.deferrable(&mut key) {
                return Some(key);
            }
        }
    }
    fn action(&mut self) -> Option<Action> {
        Some(match self.eat_one(&["CASCADE", "RESTRICT", "NO", "SET"])? {
            "CASCADE" => Action::Cascade,
            "RESTRICT" => Action::Restrict,
            "NO" => {
                self.expect("ACTION")?;
                Action::NoAction
            }
            _ => match self.eat_one(&["NULL", "DEFAULT"])? {
                "NULL" => Action::SetNull,
                _ => Action::SetDefault,
            },
        })
    }
    /// `[NOT] DEFERRABLE [INITIALLY …]`, if that is what stands here.
    fn deferrable(&mut self, key: &mut ForeignKey) -> bool {
        let not = self.is("NOT") && self.word_at(self.at + 1, "DEFERRABLE");
        self.at += usize::from(not);
        if !self.eat("DEFERRABLE") {
            return false;
        }
        let mut when = Deferrable::Immediate;
        if self.eat("INITIALLY") {
            if self.eat("DEFERRED") {
                when = Deferrable::Deferred;
            }
            let _ = self.eat("IMMEDIATE");
        }
        key.deferrable = (!not).then_some(when);
        true
    }

    fn constraint_begins(&self) -> bool {
        let words = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];
        words.iter().any(|word| self.is(word))
    }
    fn table_constraint(&mut self, table: &mut Table) -> Option<()> {
        let mut called = None;
        while self.eat("CONSTRAINT") {
            called = Some(self.name()?);
        }
        match self.eat_one(&["PRIMARY", "UNIQUE", "CHECK", "FOREIGN"]) {
            Some("PRIMARY") => {
                self.expect("KEY")?;
                let (columns, parts, generated) = self.key()?;
                let first = columns.first().filter(|_| generated);
                let same = |c: &&mut Column| first.is_some_and(|name| c.name.eq_ignore_ascii_case(name));
                if let Some(column) = table.columns.iter_mut().find(same) {
                    column.fill = Fill::Identity { always: false };
                }
                table.primary_key = Some(Key {
                    name: called,
                    columns,
                    parts,
                    on_conflict: self.on_conflict()?,
                    ..Key::default()
                });
            }
            Some("UNIQUE") => {
                let (columns, parts, _) = self.key()?;
                table.uniques.push(Unique {
                    name: called,
                    columns,
                    parts,
                    on_conflict: self.on_conflict()?,
                    ..Unique::default()
                });
            }
            Some("CHECK") => self.check(called, table)?,
            Some(_) => {
                self.expect("KEY")?;
                let columns = self.names()?;
                self.expect("REFERENCES")?;
                let key = self.references(called, columns)?;
                table.foreign_keys.push(key);
            }
            // a name without a constraint
            None if called.is_some() && (self.peek_symbol(b',') || self.peek_symbol(b')')) => {}
            None => return None,
        }
        Some(())
    }
    /// The columns of a key; its entries where they say more; whether it is generated.
    fn key(&mut self) -> Option<(Vec<String>, Vec<IndexPart>, bool)> {
        let (from, mut to) = self.group()?;
        let generated = to > from + 1 && self.word_at(to - 1, "AUTOINCREMENT");
        to -= usize::from(generated);
        let entries = self.split((from, to)).into_iter();
        let parts: Vec<IndexPart> = entries
            .map(|range| self.part(range, &|_| true))
            .collect::<Option<_>>()?;
        let columns = parts.iter().map(|p| p.key.clone()).collect();
        let plain = parts.iter().all(|p| !p.desc && p.collation.is_none());
        Some((columns, if plain { Vec::new() } else { parts }, generated))
    }
}

#[cfg(test)]
mod tests;
