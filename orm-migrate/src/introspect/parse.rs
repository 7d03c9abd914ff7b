//! What only the text of a statement tells: SQLite keeps names of constraints, collations, conditions and the like in
//! the CREATE statements of its catalogue and nowhere else. Expressions are not understood, only where they end. `None`
//! means that the text is no statement as SQLite writes it.

use orm_core::schema::Action;

use crate::introspect::token::{self, Kind, Token, tokens};
use crate::schema::{
    Check, Column, Deferrable, Fill, ForeignKey, Index, IndexPart, Key, Name, OnConflict, Table, Unique, View,
};

/// CREATE TABLE, with the names as they are written in it.
pub(crate) fn table(sql: &str) -> Option<Table> {
    let mut p = Parser::new(sql);
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
    let mut p = Parser::new(sql);
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
    let mut p = Parser::new(sql);
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
    let mut p = Parser::new(sql);
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
    Parser::new(sql).rest()
}

/// Tokens from one to before another.
type Range = (usize, usize);

struct Parser<'s> {
    sql: &'s str,
    tokens: Vec<Token>,
    at: usize,
}

impl<'s> Parser<'s> {
    fn new(sql: &'s str) -> Self {
        let mut tokens = tokens(sql);
        while tokens.last().is_some_and(|t| t.kind == Kind::Symbol(b';')) {
            tokens.pop();
        }
        Parser { sql, tokens, at: 0 }
    }

    fn done(&self) -> bool {
        self.at >= self.tokens.len()
    }
    fn text(&self, token: &Token) -> &'s str {
        self.sql.get(token.start..token.end).unwrap_or_default()
    }
    /// The text from the first token of the range to its last, without comments around it.
    fn slice(&self, (from, to): Range) -> Option<String> {
        let first = self.tokens.get(from..to)?.first()?;
        let last = self.tokens.get(from..to)?.last()?;
        Some(self.sql.get(first.start..last.end)?.to_owned())
    }
    fn rest(&mut self) -> Option<String> {
        let range = (self.at, self.tokens.len());
        self.at = self.tokens.len();
        self.slice(range)
    }

    fn word_at(&self, at: usize, word: &str) -> bool {
        let found = self.tokens.get(at).filter(|t| t.kind == Kind::Word);
        found.is_some_and(|t| self.text(t).eq_ignore_ascii_case(word))
    }
    fn is(&self, word: &str) -> bool {
        self.word_at(self.at, word)
    }
    fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        self.at += usize::from(found);
        found
    }
    /// Steps behind one of these words; which it was.
    fn eat_one(&mut self, words: &[&'static str]) -> Option<&'static str> {
        words.iter().copied().find(|word| self.eat(word))
    }
    fn expect(&mut self, word: &str) -> Option<()> {
        self.eat(word).then_some(())
    }
    fn peek_symbol(&self, symbol: u8) -> bool {
        let token = self.tokens.get(self.at);
        token.is_some_and(|t| t.kind == Kind::Symbol(symbol))
    }
    fn symbol(&mut self, symbol: u8) -> bool {
        let found = self.peek_symbol(symbol);
        self.at += usize::from(found);
        found
    }
    fn name(&mut self) -> Option<String> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        token::name(token.kind, self.text(token))
    }
    /// A name, perhaps behind that of its schema, which is dropped.
    fn qualified(&mut self) -> Option<String> {
        let name = self.name()?;
        match self.symbol(b'.') {
            true => self.name(),
            false => Some(name),
        }
    }
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

    /// Steps behind an opening parenthesis; where its closing one stands.
    fn open(&mut self) -> Option<usize> {
        if !self.symbol(b'(') {
            return None;
        }
        let mut depth = 1;
        for (i, token) in self.tokens.iter().enumerate().skip(self.at) {
            match token.kind {
                Kind::Symbol(b'(') => depth += 1,
                Kind::Symbol(b')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(i);
            }
        }
        None
    }
    /// What stands in parentheses, and steps behind them.
    fn group(&mut self) -> Option<Range> {
        let end = self.open()?;
        let range = (self.at, end);
        self.at = end + 1;
        Some(range)
    }
    fn expression(&mut self) -> Option<String> {
        let range = self.group()?;
        self.slice(range)
    }
    /// The entries of a list.
    fn split(&self, (from, to): Range) -> Vec<Range> {
        let (mut depth, mut start, mut out) = (0usize, from, Vec::new());
        for (i, token) in self.tokens.iter().enumerate().take(to).skip(from) {
            match token.kind {
                Kind::Symbol(b'(') => depth += 1,
                Kind::Symbol(b')') => depth = depth.saturating_sub(1),
                Kind::Symbol(b',') if depth == 0 => {
                    out.push((start, i));
                    start = i + 1;
                }
                _ => {}
            }
        }
        out.push((start, to));
        out
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
    /// What stands between the parentheses around the whole range, if there are any.
    fn inside(&self, (from, to): Range) -> Range {
        let mut probe = Parser {
            sql: self.sql,
            tokens: self.tokens.get(from..to).unwrap_or_default().to_vec(),
            at: 0,
        };
        match probe.open() {
            Some(end) if from + end + 1 == to => (from + 1, to - 1),
            _ => (from, to),
        }
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
mod tests {
    use crate::introspect::parse::{index, module, table, view, whole};
    use crate::schema::Fill;

    const TEXTS: [&str; 6] = [
        "CREATE TABLE \"a\"\"b\" (id integer constraint [p k] primary key desc on conflict replace autoincrement, \
         x varchar(10, -2) not null on conflict fail default (1 + (2)) collate nocase unique check (x > ')') -- c\n, \
         `y` \"odd type\" as (x * 2) stored, z generated always as (x) references t (a, b) on delete set null on update \
         no action match full not deferrable initially deferred, constraint n primary key (id, x collate rtrim desc) on \
         conflict ignore constraint o unique (x) check (x <> 1) on conflict rollback foreign key (x) references u \
         deferrable) strict, without rowid;",
        "create unique index if not exists main.i on t (a collate nocase desc, lower(b), (a + 1) asc, 'c') where a > 0",
        "CREATE VIEW v (a, \"b\") AS select 1, ';' /* c */ from [t];",
        "CREATE VIRTUAL TABLE f USING fts5(a, b, tokenize = 'porter')",
        "CREATE TRIGGER t after insert on x begin select 'end;'; end; -- done",
        "CREATE TABLE t(é 'text' default -1.5e-3 default x'00' default null)",
    ];

    /// Numbers that are the same in every run.
    struct Dice(u64);
    impl Dice {
        fn below(&mut self, n: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 % n.max(1) as u64) as usize
        }
    }

    fn all(sql: &str) {
        let _ = (
            table(sql),
            index(sql, &|n| n == "a"),
            view(sql),
            module(sql),
            whole(sql),
        );
    }

    #[test]
    fn no_text_makes_it_panic() {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let bits = [
            "'", "\"", "[", "]", "`", "(", ")", ",", "--", "/*", "*/", ".", ";", "é", "\0", " ",
        ];
        for round in 0..20_000 {
            let mut chars: Vec<char> = TEXTS[round % TEXTS.len()].chars().collect();
            for _ in 0..=dice.below(6) {
                let at = dice.below(chars.len());
                match dice.below(5) {
                    0 => chars.truncate(at),
                    1 => drop(chars.drain(at..(at + dice.below(20)).min(chars.len()))),
                    2 => {
                        let to = dice.below(chars.len());
                        chars.swap(at, to);
                    }
                    3 => {
                        let copy: Vec<char> = chars[at..(at + dice.below(30)).min(chars.len())].to_vec();
                        let to = dice.below(chars.len());
                        chars.splice(to..to, copy);
                    }
                    _ => {
                        let bit = bits[dice.below(bits.len())];
                        chars.splice(at..at, bit.chars());
                    }
                }
                if chars.is_empty() {
                    break;
                }
            }
            all(&chars.iter().collect::<String>());
        }
        for text in TEXTS {
            for at in 0..text.len() {
                all(text.get(..at).unwrap_or_default());
                all(text.get(at..).unwrap_or_default());
            }
        }
    }

    #[test]
    fn deep_nesting_takes_no_stack() {
        let deep = format!(
            "create table t (a check ({}1{}))",
            "(".repeat(50_000),
            ")".repeat(50_000)
        );
        let read = table(&deep).unwrap();
        assert_eq!(read.checks[0].condition.len(), 100_001);
        assert!(table(&"(".repeat(100_000)).is_none());
    }

    #[test]
    fn what_is_no_statement_is_refused() {
        for sql in [
            "",
            "create",
            "create table t",
            "create table t (",
            "create table t (a b c d) what",
            "create table t (a default)",
            "create table t (a default ))",
            "create table t (a primary)",
            "create table t (a, primary key)",
            "create table t (a references t on delete nothing)",
            "create table t (a) without",
            "create table t as select 1",
        ] {
            assert!(table(sql).is_none(), "{sql}");
        }
        assert!(index("create index i on t (a) what", &|_| true).is_none());
        assert!(view("create view v select 1").is_none());
    }

    #[test]
    fn words_that_may_be_names() {
        let read =
            table("create table t (generated text, key as (1), stored int, match references x match y)")
                .unwrap();
        let columns: Vec<_> = read
            .columns
            .iter()
            .map(|c| (c.name.as_str(), c.ty.as_str()))
            .collect();
        assert_eq!(
            columns,
            [
                ("generated", "text"),
                ("key", ""),
                ("stored", "int"),
                ("match", "")
            ]
        );
        assert_eq!(read.columns[1].fill, Fill::Virtual("1".into()));
    }
}
