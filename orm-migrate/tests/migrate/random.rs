//! Random schemas, turned into one another on a real database: what is read back is what was wanted, there and back,
//! and the rows are all there.
//!
//! `ORM_RANDOM_PAIRS` says how many pairs each part tries, `ORM_RANDOM_SEED` where the first begins: a failure names its seed.

use orm::Db;
use orm::driver::{Discard, Sink};
use orm::value::Cells;
use orm_migrate::Backend;
use orm_migrate::diff::Renames;
use orm_migrate::introspect::introspect;
use orm_migrate::plan::{Plan, Planned, Script, plan};
use orm_migrate::schema::{
    Action, Check, Column, Enum, Fill, ForeignKey, Function, Index, IndexPart, Key, Name, Schema, Table,
    Trigger, Unique, View,
};
use orm_migrate::snapshot;

use crate::support::statement;

/// Pairs of one part in an ordinary run; there are five parts.
const PAIRS: u64 = 100;

macro_rules! parts {
    ($($name:ident: $part:literal),*) => {$(
        #[orm::test]
        async fn $name(db: Db) -> orm::Result<()> {
            pairs(&db, $part).await
        }
    )*};
}
parts!(
    one_schema_becomes_another_and_comes_back: 0,
    a_second_hundred: 1,
    a_third_hundred: 2,
    a_fourth_hundred: 3,
    a_fifth_hundred: 4
);

async fn pairs(db: &Db, part: u64) -> orm::Result<()> {
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let pairs = number("ORM_RANDOM_PAIRS").unwrap_or(PAIRS);
    let first = number("ORM_RANDOM_SEED").unwrap_or(1) + part * pairs;
    for seed in first..first + pairs {
        if let Err(why) = pair(db, seed).await {
            panic!("ORM_RANDOM_SEED={seed} ORM_RANDOM_PAIRS=1: {why}");
        }
    }
    Ok(())
}

async fn pair(db: &Db, seed: u64) -> Result<(), String> {
    let database = Backend::named(db.dialect().name()).unwrap();
    let mut random = Random::new(seed, database);
    let empty = Schema::default();
    let a = random.schema();
    let b = random.changed(&a);

    // what the database makes of the second one alone
    let made = decided(&empty, &b, database)?;
    apply(db, &made.up).await?;
    let wanted = read(db).await?;
    let again = decided(&wanted, &wanted, database)?.changes;
    if !again.is_empty() {
        return Err(format!("changes of what is there already: {again:?}"));
    }
    apply(db, &made.down).await?;
    same("what is left of nothing", &empty, &read(db).await?)?;

    let first = decided(&empty, &a, database)?;
    apply(db, &first.up).await?;
    let before = read(db).await?;
    fill(db, &a).await?;

    // by the schemas as they were written, and as the database prints them
    for (from, to) in [(&a, &b), (&before, &wanted)] {
        let rows = rows(db, &a, &b).await?;
        let plan = decided(from, to, database)?;
        apply(db, &plan.up).await?;
        same("the way there", &shape(&wanted), &shape(&read(db).await?))?;
        let kept = self::rows(db, &b, &a).await?;
        if kept != rows {
            return Err(format!("rows that were {rows:?} are {kept:?}"));
        }
        apply(db, &plan.down).await?;
        same("the way back", &shape(&before), &shape(&read(db).await?))?;
    }
    apply(db, &first.down).await?;
    same("what is left at the end", &empty, &read(db).await?)
}

fn same(what: &str, wanted: &Schema, found: &Schema) -> Result<(), String> {
    if wanted == found {
        return Ok(());
    }
    let (wanted, found) = (snapshot::write(wanted, ""), snapshot::write(found, ""));
    let only = |a: &str, b: &str| {
        let lines = a.lines().filter(|line| !b.lines().any(|other| other == *line));
        lines.map(str::trim).collect::<Vec<_>>().join("\n")
    };
    Err(format!(
        "{what}\nwanted\n{}\nfound\n{}\nin {found}",
        only(&wanted, &found),
        only(&found, &wanted)
    ))
}

/// The order of columns is not a part of the comparison: a column that is added stands behind the others.
fn shape(schema: &Schema) -> Schema {
    let mut out = schema.clone();
    for table in &mut out.tables {
        table.columns.sort_by(|a, b| a.name.cmp(&b.name));
    }
    out
}

fn decided(from: &Schema, to: &Schema, database: Backend) -> Result<Plan, String> {
    let mut renames = Renames::default();
    loop {
        match plan(from, to, &renames, database).map_err(|e| e.to_string())? {
            Planned::Plan(plan) => return Ok(plan),
            Planned::NeedsDecision(questions) => renames.denied.extend(questions),
        }
    }
}

async fn read(db: &Db) -> Result<Schema, String> {
    let mut schema = introspect(db).await.map_err(|e| e.to_string())?;
    // rights are the test server's matter
    schema.grants.clear();
    Ok(schema)
}

async fn apply(db: &Db, script: &Script) -> Result<(), String> {
    let texts = || script.statements().collect::<Vec<_>>().join(";\n");
    let statements = script
        .statements()
        .map(|text| statement(text, &[]))
        .collect::<Vec<_>>();
    if db.dialect().features().add_constraint {
        for sql in statements {
            let text = sql.text.clone();
            let done = db.driver().run(sql, Box::new(Discard)).await;
            done.map_err(|e| format!("{e} in {text}\nof\n{}", texts()))?;
        }
        return Ok(());
    }
    // foreign keys off, one transaction
    let done = db.driver().drop_tables(statements).await;
    done.map_err(|e| format!("{e} in\n{}", texts()))
}

/// Rows of texts.
#[derive(Default)]
struct Texts(Vec<Vec<Option<String>>>);

impl Sink for Texts {
    fn row(&mut self, cells: &dyn Cells) -> orm::Result<()> {
        let mut row = Vec::with_capacity(cells.len());
        for i in 0..cells.len() {
            row.push(cells.text(i)?.map(str::to_owned));
        }
        self.0.push(row);
        Ok(())
    }
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send> {
        self
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Three rows in every table.
async fn fill(db: &Db, schema: &Schema) -> Result<(), String> {
    for table in &schema.tables {
        let columns: Vec<&Column> = table.columns.iter().filter(|c| !c.fill.is_generated()).collect();
        let names: Vec<String> = columns.iter().map(|c| quoted(&c.name)).collect();
        for i in 1..=3 {
            let values: Vec<String> = columns.iter().map(|c| value(table, c, i)).collect();
            let text = format!(
                "INSERT INTO {} ({}) VALUES ({})",
                quoted(&table.name.name),
                names.join(", "),
                values.join(", ")
            );
            let done = db
                .driver()
                .run(statement(&text, &[]), Box::new(Texts::default()))
                .await;
            done.map_err(|e| format!("{e} in {text}"))?;
        }
    }
    Ok(())
}

fn value(table: &Table, column: &Column, i: i64) -> String {
    if table
        .foreign_keys
        .iter()
        .any(|key| key.columns.contains(&column.name))
    {
        return "NULL".into();
    }
    match column.ty.as_str() {
        "bigint" | "integer" | "INTEGER" => i.to_string(),
        "text" | "TEXT" => format!("'it''s {i}'"),
        "numeric(10,2)" | "REAL" => format!("{i}.5"),
        "boolean" => "true".into(),
        "BLOB" => format!("X'0{i}'"),
        "mood" => "'good'".into(),
        ty => literal(ty, i).unwrap_or_else(|| panic!("no value for {ty}")),
    }
}

/// A value of one of PostgreSQL's own types, in the words of the database.
fn literal(ty: &str, n: i64) -> Option<String> {
    let text = match ty {
        "interval" => format!("0{n}:00:00"),
        "int4range" => format!("[{n},9)"),
        "daterange" => format!("[2024-01-0{},)", n + 1),
        "inet" => format!("10.0.0.{n}/8"),
        "cidr" => format!("10.0.{n}.0/24"),
        "macaddr" => format!("08:00:2b:01:02:0{n}"),
        "bit varying" => format!("{n:04b}"),
        "integer[]" | "bigint[]" => format!("{{{n},NULL}}"),
        "text[]" => format!("{{it''s,{n}}}"),
        "interval[]" => format!("{{0{n}:00:00}}"),
        "int4range[]" => format!("{{\"[{n},9)\",empty}}"),
        "inet[]" => format!("{{10.0.0.{n}}}"),
        "mood[]" => "{good,bad}".into(),
        _ => return None,
    };
    Some(format!("'{text}'::{ty}"))
}

/// PostgreSQL's own types, arrays among them.
const OWN: [&str; 12] = [
    "interval",
    "int4range",
    "daterange",
    "inet",
    "cidr",
    "macaddr",
    "bit varying",
    "integer[]",
    "text[]",
    "interval[]",
    "int4range[]",
    "inet[]",
];

/// The rows of the tables and columns that both schemas have, as text.
async fn rows(db: &Db, schema: &Schema, other: &Schema) -> Result<Vec<Vec<Option<String>>>, String> {
    let mut out = Vec::new();
    for table in &schema.tables {
        let Some(same) = other.table(&table.name) else {
            continue;
        };
        let mut names: Vec<&str> = table
            .columns
            .iter()
            .filter(|c| !c.fill.is_generated())
            .filter(|c| same.column(&c.name).is_some_and(|o| !o.fill.is_generated()))
            .map(|c| c.name.as_str())
            .collect();
        names.sort();
        let list: Vec<String> = names
            .iter()
            .map(|n| format!("CAST({} AS text)", quoted(n)))
            .collect();
        let order: Vec<String> = (1..=list.len()).map(|i| i.to_string()).collect();
        let text = format!(
            "SELECT {} FROM {} ORDER BY {}",
            list.join(", "),
            quoted(&table.name.name),
            order.join(", ")
        );
        let done = db
            .driver()
            .run(statement(&text, &[]), Box::new(Texts::default()))
            .await;
        let sink = done.map_err(|e| format!("{e} in {text}"))?.sink;
        let texts = sink.into_any().downcast::<Texts>().map_err(|_| "another sink")?;
        out.push(vec![Some(table.name.to_string())]);
        out.extend(texts.0);
    }
    Ok(out)
}

/// Names that need quotes, and some that are words of SQL.
const TABLES: [&str; 6] = ["alpha", "Beta", "gam ma", "del\"ta", "order", "zeta"];
const COLUMNS: [&str; 7] = ["c0", "c1", "Mixed", "sp ace", "qu\"ote", "select", "c6"];

struct Random {
    state: u64,
    /// Tables and columns that hold rows: another one of the same name and of any type could not take their values.
    filled: Schema,
    postgres: bool,
}

impl Random {
    fn new(seed: u64, database: Backend) -> Self {
        Random {
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            filled: Schema::default(),
            postgres: database == Backend::Postgres,
        }
    }
    fn below(&mut self, n: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 33) as usize % n.max(1)
    }
    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn schema(&mut self) -> Schema {
        let mut out = Schema::default();
        if self.postgres && self.one_in(2) {
            out.enums.push(Enum {
                name: Name::new("mood"),
                labels: vec!["good".into(), "bad".into()],
                ..Enum::default()
            });
        }
        for _ in 0..1 + self.below(4) {
            self.add_table(&mut out);
        }
        for _ in 0..self.below(8) {
            self.change(&mut out);
        }
        out.normalize();
        out
    }
    fn changed(&mut self, of: &Schema) -> Schema {
        let mut out = of.clone();
        self.filled = of.clone();
        for _ in 0..1 + self.below(8) {
            self.change(&mut out);
        }
        out.normalize();
        out
    }

    fn integer(&self) -> &'static str {
        if self.postgres { "bigint" } else { "INTEGER" }
    }
    fn text(&self) -> &'static str {
        if self.postgres { "text" } else { "TEXT" }
    }

    fn had(&self, table: &Table, column: &str) -> bool {
        let filled = self.filled.table(&table.name);
        table.column(column).is_some() || filled.is_some_and(|t| t.column(column).is_some())
    }

    fn add_table(&mut self, schema: &mut Schema) {
        let name = Name::new(*self.pick(&TABLES));
        if schema.table(&name).is_some() || self.filled.table(&name).is_some() {
            return;
        }
        let key = |name: &str, ty: &str, fill| Column {
            name: name.into(),
            ty: ty.into(),
            fill,
            ..Column::default()
        };
        let (integer, text) = (self.integer(), self.text());
        let columns = match self.below(4) {
            0 | 1 => vec![key("id", integer, Fill::Identity { always: false })],
            2 => vec![key("code", text, Fill::None)],
            _ => vec![key("a", integer, Fill::None), key("b", text, Fill::None)],
        };
        let mut table = Table {
            primary_key: Some(Key {
                name: Some(format!("pk_{}", name.name)),
                columns: columns.iter().map(|c| c.name.clone()).collect(),
                deferrable: None,
                ..Key::default()
            }),
            columns,
            options: if self.postgres { "" } else { "STRICT" }.into(),
            name,
            ..Table::default()
        };
        for _ in 0..self.below(5) {
            let name = *self.pick(&COLUMNS);
            if table.column(name).is_none() {
                let column = self.column(schema, name);
                table.columns.push(column);
            }
        }
        schema.tables.push(table);
    }

    fn column(&mut self, schema: &Schema, name: &str) -> Column {
        let types: &[&str] = match (self.postgres, schema.enums.is_empty()) {
            (true, true) => &["bigint", "integer", "text", "numeric(10,2)", "boolean"],
            (true, false) => &["bigint", "integer", "text", "numeric(10,2)", "boolean", "mood"],
            (false, _) => &["INTEGER", "TEXT", "REAL", "BLOB"],
        };
        let ty = match self.postgres && self.one_in(3) {
            true if !schema.enums.is_empty() && self.one_in(8) => "mood[]",
            true => *self.pick(&OWN),
            false => *self.pick(types),
        };
        let nullable = self.one_in(2);
        Column {
            name: name.into(),
            ty: ty.into(),
            nullable,
            // a new column without a default would refuse rows that are there
            fill: match nullable && self.one_in(2) {
                true => Fill::None,
                false => Fill::Default(self.default(ty)),
            },
            comment: (self.postgres && self.one_in(4)).then(|| "it's \"one\"".to_owned()),
            ..Column::default()
        }
    }
    fn default(&mut self, ty: &str) -> String {
        let n = self.below(9);
        match ty {
            "text" => format!("'x''{n}'::text"),
            "TEXT" => format!("'x''{n}'"),
            "boolean" => "true".into(),
            "numeric(10,2)" | "REAL" => format!("{n}.5"),
            "BLOB" => "X'00'".into(),
            "mood" => "'good'::mood".into(),
            _ => literal(ty, n as i64).unwrap_or_else(|| n.to_string()),
        }
    }

    fn change(&mut self, schema: &mut Schema) {
        if schema.tables.is_empty() {
            return self.add_table(schema);
        }
        let t = self.below(schema.tables.len());
        match self.below(16) {
            0 => self.add_table(schema),
            1 => drop_table(schema, t),
            2 | 3 => {
                let name = *self.pick(&COLUMNS);
                if !self.had(&schema.tables[t], name) {
                    let column = self.column(schema, name);
                    schema.tables[t].columns.push(column);
                }
            }
            4 => {
                if let Some(name) = self.ordinary(&schema.tables[t]) {
                    drop_column(schema, t, &name);
                }
            }
            5 | 6 => self.alter_column(schema, t),
            7 => self.add_index(&mut schema.tables[t]),
            8 => {
                let n = schema.tables[t].indexes.len();
                if n > 0 {
                    let i = self.below(n);
                    schema.tables[t].indexes.remove(i);
                }
            }
            9 => self.add_check(&mut schema.tables[t]),
            10 => self.add_unique(&mut schema.tables[t]),
            11 | 12 => self.add_foreign_key(schema, t),
            13 => self.add_view(schema, t),
            14 => self.add_trigger(schema, t),
            _ => self.add_generated(&mut schema.tables[t]),
        }
    }

    /// A column that no key has.
    fn ordinary(&mut self, table: &Table) -> Option<String> {
        let key = table
            .primary_key
            .as_ref()
            .map(|k| k.columns.clone())
            .unwrap_or_default();
        let names: Vec<&Column> = table.columns.iter().filter(|c| !key.contains(&c.name)).collect();
        (!names.is_empty()).then(|| self.pick(&names).name.clone())
    }
    fn of_type(&mut self, table: &Table, types: &[&str]) -> Option<String> {
        let fits = |c: &&Column| types.contains(&c.ty.as_str()) && !c.fill.is_generated();
        let names: Vec<&Column> = table.columns.iter().filter(fits).collect();
        (!names.is_empty()).then(|| self.pick(&names).name.clone())
    }

    fn alter_column(&mut self, schema: &mut Schema, t: usize) {
        let Some(name) = self.ordinary(&schema.tables[t]) else {
            return;
        };
        let what = self.below(4);
        let table = &schema.tables[t];
        let key = table.foreign_keys.iter().any(|k| k.columns.contains(&name));
        let Some(column) = table.column(&name).cloned() else {
            return;
        };
        if key || column.fill.is_generated() {
            return;
        }
        let mut new = column.clone();
        match what {
            // rows that are there, or come back, need a value
            0 if new.fill == Fill::None => return,
            0 => new.nullable = !new.nullable,
            1 => new.fill = Fill::Default(self.default(&column.ty)),
            2 if new.nullable => new.fill = Fill::None,
            2 => return,
            _ => {
                // nothing that counts on the type may stand on it
                let named = |sql: &str| sql.contains(&quoted(&name));
                let stands = table.checks.iter().any(|c| named(&c.condition))
                    || table
                        .indexes
                        .iter()
                        .any(|i| i.parts.iter().any(|p| p.expression && named(&p.key)))
                    || table
                        .columns
                        .iter()
                        .any(|c| matches!(&c.fill, Fill::Stored(sql) if named(sql)));
                new.ty = match column.ty.as_str() {
                    "integer" => "bigint",
                    "bigint" | "boolean" if !stands => "text",
                    // casts there and back that alter no value
                    "interval" | "int4range" | "macaddr" | "text[]" if !stands => "text",
                    "integer[]" if !stands => "bigint[]",
                    "cidr" if !stands => "inet",
                    "INTEGER" if !stands => "TEXT",
                    _ => return,
                }
                .into();
                new.fill = match &new.fill {
                    Fill::Default(_) => Fill::Default(self.default(&new.ty)),
                    other => other.clone(),
                };
            }
        }
        if let Some(column) = schema.tables[t].columns.iter_mut().find(|c| c.name == name) {
            *column = new;
        }
    }

    fn add_index(&mut self, table: &mut Table) {
        let Some(name) = self.ordinary(table) else {
            return;
        };
        let text = self.of_type(table, &["text", "TEXT"]);
        let part = |key: String, expression, desc| IndexPart {
            key,
            expression,
            desc,
            ..IndexPart::default()
        };
        let mut index = Index {
            name: format!("ix_{}_{}", table.name.name, self.below(3)),
            ..Index::default()
        };
        match (self.below(3), text) {
            (0, Some(text)) => index
                .parts
                .push(part(format!("lower({})", quoted(&text)), true, false)),
            (1, _) => {
                index.filter = Some(format!("{} IS NOT NULL", quoted(&name)));
                index.parts.push(part(name, false, false));
            }
            _ => index.parts.push(part(name, false, self.one_in(2))),
        }
        // names of indexes are one name space
        if !table.indexes.iter().any(|i| i.name == index.name) {
            table.indexes.push(index);
        }
    }
    fn add_check(&mut self, table: &mut Table) {
        if let Some(name) = self.of_type(table, &["bigint", "integer", "INTEGER"]) {
            let limit = self.below(9);
            let check = Check {
                name: Some(format!("ck_{}_{}", table.name.name, self.below(2))),
                condition: format!("{} > -{}", quoted(&name), limit + 1),
                not_valid: false,
                ..Check::default()
            };
            if !table.checks.iter().any(|c| c.name == check.name) {
                table.checks.push(check);
            }
        }
    }
    fn add_unique(&mut self, table: &mut Table) {
        let keys: Vec<String> = table
            .foreign_keys
            .iter()
            .flat_map(|k| k.columns.clone())
            .collect();
        // values of rows that get a default are all the same
        let Some(name) = self.of_type(table, &["bigint", "integer", "INTEGER"]) else {
            return;
        };
        let key = table
            .primary_key
            .as_ref()
            .map(|k| k.columns.clone())
            .unwrap_or_default();
        if keys.contains(&name) || key.is_empty() || table.uniques.len() > 1 {
            return;
        }
        let mut columns = key;
        columns.retain(|c| *c != name);
        columns.push(name);
        let unique = Unique {
            name: Some(format!("uq_{}_{}", table.name.name, table.uniques.len())),
            columns,
            ..Unique::default()
        };
        let alike = |u: &Unique| u.columns == unique.columns || u.name == unique.name;
        let is_key = table
            .primary_key
            .as_ref()
            .is_some_and(|k| k.columns == unique.columns);
        if !is_key && !table.uniques.iter().any(alike) {
            table.uniques.push(unique);
        }
    }
    fn add_foreign_key(&mut self, schema: &mut Schema, t: usize) {
        let other = self.below(schema.tables.len());
        let target = &schema.tables[other];
        let Some([key]) = target.primary_key.as_ref().map(|k| k.columns.as_slice()) else {
            return;
        };
        let (target_name, target_columns) = (target.name.clone(), vec![key.clone()]);
        let ty = target.column(key).map(|c| c.ty.clone()).unwrap_or_default();
        let on_delete = *self.pick(&[
            Action::NoAction,
            Action::Cascade,
            Action::SetNull,
            Action::Restrict,
        ]);
        let name = format!("ref_{}", self.below(3));
        if self.had(&schema.tables[t], &name) {
            return;
        }
        let table = &mut schema.tables[t];
        table.columns.push(Column {
            name: name.clone(),
            ty,
            nullable: true,
            ..Column::default()
        });
        table.foreign_keys.push(ForeignKey {
            name: Some(format!("fk_{}_{name}", table.name.name)),
            columns: vec![name],
            target: target_name,
            target_columns,
            on_delete,
            on_update: Action::NoAction,
            deferrable: None,
            not_valid: false,
            ..ForeignKey::default()
        });
    }
    fn add_view(&mut self, schema: &mut Schema, t: usize) {
        let table = &schema.tables[t];
        let column = table.columns[self.below(table.columns.len())].name.clone();
        let view = View {
            name: Name::new(format!("view_{}", self.below(2))),
            query: format!("SELECT {} FROM {}", quoted(&column), quoted(&table.name.name)),
            ..View::default()
        };
        if !schema.views.iter().any(|v| v.name == view.name) {
            schema.views.push(view);
        }
    }
    fn add_trigger(&mut self, schema: &mut Schema, t: usize) {
        let table = quoted(&schema.tables[t].name.name);
        let trigger = |definition: String| Trigger {
            name: "noticed".into(),
            definition,
            ..Trigger::default()
        };
        if !schema.tables[t].triggers.is_empty() {
            return;
        }
        if !self.postgres {
            let name = format!("noticed_{t}_{}", self.below(100));
            let used = |x: &Table| x.triggers.iter().any(|g| g.name == name);
            if !schema.tables.iter().any(used) {
                schema.tables[t].triggers.push(Trigger {
                    definition: format!(
                        "CREATE TRIGGER \"{name}\" AFTER INSERT ON {table} BEGIN SELECT 1; END"
                    ),
                    name,
                    ..Trigger::default()
                });
            }
            return;
        }
        if schema.functions.is_empty() {
            schema.functions.push(Function {
                name: Name::new("notice"),
                arguments: String::new(),
                procedure: false,
                definition: "CREATE OR REPLACE FUNCTION notice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$".into(),
                ..Function::default()
            });
        }
        schema.tables[t].triggers.push(trigger(format!(
            "CREATE TRIGGER noticed AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION notice()"
        )));
    }
    fn add_generated(&mut self, table: &mut Table) {
        if let Some(of) = self.of_type(table, &["bigint", "INTEGER"])
            && table.column("twice").is_none()
        {
            table.columns.push(Column {
                name: "twice".into(),
                ty: self.integer().into(),
                nullable: true,
                fill: Fill::Stored(format!("{} * 2", quoted(&of))),
                ..Column::default()
            });
        }
    }
}

fn drop_table(schema: &mut Schema, t: usize) {
    let gone = schema.tables.remove(t);
    schema
        .views
        .retain(|v| !v.query.ends_with(&quoted(&gone.name.name)));
    for table in &mut schema.tables {
        table.foreign_keys.retain(|k| k.target != gone.name);
    }
}

fn drop_column(schema: &mut Schema, t: usize, name: &str) {
    let table = &mut schema.tables[t];
    let text = quoted(name);
    let calculated: Vec<String> = table
        .columns
        .iter()
        .filter(|c| matches!(&c.fill, Fill::Stored(sql) if sql.contains(&text)))
        .map(|c| c.name.clone())
        .collect();
    table.columns.retain(|c| c.name != name);
    table.checks.retain(|c| !c.condition.contains(&text));
    table.uniques.retain(|u| !u.columns.iter().any(|c| c == name));
    table
        .foreign_keys
        .retain(|k| !k.columns.iter().any(|c| c == name));
    let names = |sql: &str| sql.contains(&text);
    table.indexes.retain(|i| {
        let part = |p: &IndexPart| p.key == name || (p.expression && names(&p.key));
        !i.parts.iter().any(part) && !i.filter.as_deref().is_some_and(names)
    });
    let own = table.name.clone();
    let selected = format!("SELECT {text} FROM {}", quoted(&own.name));
    schema.views.retain(|v| v.query != selected);
    for column in calculated {
        drop_column(schema, t, &column);
    }
}
