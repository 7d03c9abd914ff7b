//! Hostile texts.

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
        table("create table t (generated text, key as (1), stored int, match references x match y)").unwrap();
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
