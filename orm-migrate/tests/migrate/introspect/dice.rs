//! Random tables: what is read of their text is what SQLite made of it.

use orm::ast::RawPart;
use orm::prelude::*;
use orm::query::RawSql;
use orm_migrate::introspect::introspect;
use orm_migrate::schema::{Action, Fill, Table};

/// Numbers that are the same in every run.
struct Dice(u64);
impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
    fn one<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
    fn some(&mut self, most: usize, list: &[&str]) -> String {
        let count = self.below(most + 1);
        let mut out = String::new();
        for _ in 0..count {
            out.push_str(self.one(&[" ", "\n", " /* ) ' */ ", " -- ' (\n"]));
            out.push_str(self.one(list));
        }
        out
    }
}

const NAMES: [&str; 6] = ["a", "\"b \"\"b\"", "[c'c]", "`d\"d`", "é", "\"check\""];
const TYPES: [&str; 9] = [
    "",
    "int",
    "Integer",
    "text",
    "varchar ( 10 )",
    "decimal(10,-2)",
    "\"my type\"",
    "double precision",
    "blob",
];
const OF_COLUMNS: [&str; 30] = [
    "not null",
    "not null on conflict replace",
    "null",
    "unique",
    "constraint u1 unique on conflict ignore",
    "check (1 > 0)",
    "constraint \"c ')\" check (')' <> '(' /* ( */)",
    "default 1",
    "default -1.5e-3",
    "default (1 + (2))",
    "default 'it''s (,'",
    "default x'0f'",
    "default current_timestamp",
    "default true",
    "default null",
    "default \"word\"",
    "collate nocase",
    "collate \"binary\"",
    "references p",
    "references p (x)",
    "references \"P\" ([X]) on delete cascade on update set default",
    "constraint f references p on delete no action match simple deferrable initially deferred",
    "not deferrable",
    "deferrable initially immediate",
    "as (1 + 1)",
    "generated always as ('x,)') stored",
    "primary key",
    "constraint pk primary key desc",
    "primary key autoincrement",
    "constraint dangling",
];
const OF_TABLES: [&str; 14] = [
    "primary key (NAME)",
    "constraint pk2 primary key (NAME, NAME desc) on conflict rollback",
    "primary key (NAME autoincrement)",
    "unique (NAME)",
    "unique (NAME collate nocase, NAME desc) on conflict fail",
    "constraint \"u,(\" unique (NAME, NAME)",
    "check (NAME <> ',')",
    "constraint c2 check ((1) and (2)) on conflict ignore",
    "foreign key (NAME) references p",
    "foreign key (NAME) references p (x) on update restrict on delete set null",
    "constraint f2 foreign key (NAME, NAME) references q (y, z) deferrable",
    "foreign key (NAME) references P (X) not deferrable initially deferred",
    "constraint dangling",
    "constraint one constraint two check (3)",
];

fn random_table(dice: &mut Dice) -> String {
    let mut sql = String::from("create table t (");
    let columns = 1 + dice.below(4);
    for (i, name) in NAMES.iter().enumerate().take(columns) {
        if i > 0 {
            sql.push_str(", ");
        }
        sql.push_str(name);
        sql.push(' ');
        sql.push_str(dice.one(&TYPES));
        sql.push_str(&dice.some(3, &OF_COLUMNS));
    }
    let mut more = false;
    for _ in 0..dice.below(3) {
        let mut constraint = dice.one(&OF_TABLES).to_owned();
        if constraint.matches("NAME").count() > columns {
            continue;
        }
        let mut next = dice.below(columns);
        while constraint.contains("NAME") {
            constraint = constraint.replacen("NAME", NAMES[next % columns], 1);
            next += 1;
        }
        sql.push_str(if more && dice.below(2) == 0 { " " } else { ", " });
        more = true;
        sql.push_str(&constraint);
    }
    sql.push(')');
    sql.push_str(dice.one(&[
        "",
        "",
        "",
        " strict",
        " without rowid",
        " Without RowId , STRICT -- x",
    ]));
    sql
}

type SeenColumn = (String, Option<String>, i64, i64, i64);
type SeenKey = (i64, String, String, Option<String>, String, String);

fn word(action: Action) -> &'static str {
    match action {
        Action::Restrict => "RESTRICT",
        Action::NoAction => "NO ACTION",
        Action::Cascade => "CASCADE",
        Action::SetNull => "SET NULL",
        Action::SetDefault => "SET DEFAULT",
    }
}

async fn compare(db: &Db, table: &Table, sql: &str) -> orm::Result<()> {
    let columns: Vec<SeenColumn> =
        sql!("select name, dflt_value, pk, hidden, \"notnull\" from pragma_table_xinfo('t')")
            .fetch(db)
            .await?;
    let mut key: Vec<(i64, String)> = Vec::new();
    for (column, (name, default, pk, hidden, not_null)) in table.columns.iter().zip(columns) {
        assert_eq!(column.name, name, "{sql}");
        let fill = match &column.fill {
            Fill::Default(sql) => (Some(sql.clone()), 0),
            Fill::Virtual(_) => (None, 2),
            Fill::Stored(_) => (None, 3),
            Fill::None | Fill::Identity { .. } => (None, 0),
        };
        // a column may have both, and AUTOINCREMENT beside a default
        if hidden == 0 && !matches!(column.fill, Fill::Identity { .. }) {
            assert_eq!(fill, (default, hidden), "{sql}");
        } else {
            assert_eq!(fill.1, hidden, "{sql}");
        }
        assert!(!(column.nullable && not_null == 1), "{sql}");
        key.extend((pk > 0).then_some((pk, name)));
    }
    key.sort();
    let key: Vec<String> = key.into_iter().map(|(_, name)| name).collect();
    let named = table.primary_key.iter().flat_map(|k| &k.columns).cloned();
    assert_eq!(named.collect::<Vec<_>>(), key, "{sql}");

    let seen: Vec<SeenKey> = sql!(
        "select id, \"table\", \"from\", \"to\", on_update, on_delete from pragma_foreign_key_list('t') order by id desc, seq"
    )
    .fetch(db)
    .await?;
    let mut seen: Vec<String> = seen
        .into_iter()
        .map(|(_, table, from, to, update, delete)| {
            let to = to.unwrap_or("x".into());
            format!(
                "{} {from} {} {update} {delete}",
                table.to_lowercase(),
                to.to_lowercase()
            )
        })
        .collect();
    let mut read: Vec<String> = Vec::new();
    for key in &table.foreign_keys {
        for (from, to) in key.columns.iter().zip(&key.target_columns) {
            let (update, delete) = (word(key.on_update), word(key.on_delete));
            read.push(format!("{} {from} {to} {update} {delete}", key.target.name));
        }
    }
    seen.sort();
    read.sort();
    assert_eq!(read, seen, "{sql}");

    // equal constraints share an index there, also with the key
    let indexes: Vec<String> = sql!(
        "select (select group_concat(x.name, '|') from pragma_index_info(l.name) x) from pragma_index_list('t') l
         where l.origin = 'u'"
    )
    .fetch(db)
    .await?;
    let uniques: Vec<String> = table.uniques.iter().map(|u| u.columns.join("|")).collect();
    for index in &indexes {
        assert!(uniques.contains(index), "{index}: {sql}");
    }
    let key = key.join("|");
    for unique in &uniques {
        assert!(indexes.contains(unique) || *unique == key, "{unique}: {sql}");
    }
    let options: (i64, i64) =
        sql!("select strict, wr from pragma_table_list where name = 't' and schema = 'main'")
            .fetch_one(db)
            .await?;
    let read = (
        table.options.contains("STRICT").into(),
        table.options.contains("WITHOUT ROWID").into(),
    );
    assert_eq!(options, read, "{sql}");
    let checks = sql.matches("check (").count();
    assert_eq!(table.checks.len(), checks, "{sql}");
    Ok(())
}

#[tokio::test]
async fn what_sqlite_takes_is_read_as_sqlite_reads_it() -> orm::Result<()> {
    let db = Db::connect("sqlite::memory:").await?;
    crate::introspect::run(
        &db,
        &[
            "create table p (x integer primary key)",
            "create table q (y, z, primary key (y, z))",
        ],
    )
    .await;
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let mut taken = 0;
    for _ in 0..3_000 {
        let sql = random_table(&mut dice);
        // leaked: a test's few thousand texts
        let text: &'static str = sql.clone().leak();
        if RawSql::new(vec![RawPart::Text(text)]).exec(&db).await.is_err() {
            continue;
        }
        taken += 1;
        let schema = introspect(&db).await;
        let schema = schema.unwrap_or_else(|e| panic!("{e}: {sql}"));
        let table = schema.tables.iter().find(|t| t.name.name == "t").unwrap();
        compare(&db, table, &sql).await?;
        sql!("drop table t").exec(&db).await?;
    }
    assert!(taken > 500, "only {taken} were tables");
    Ok(())
}
