//! Objects of SQLite.

use orm::prelude::*;
use orm_migrate::introspect::introspect;
use orm_migrate::schema::{
    Action, Check, Column, Deferrable, Fill, ForeignKey, Index, IndexPart, Key, Name, OnConflict, Schema,
    Table, Trigger, Unique, View, VirtualTable,
};

use crate::introspect::{column, expression, part, required, run, strings};

fn table(name: &str, columns: Vec<Column>) -> Table {
    Table {
        name: Name::new(name),
        columns,
        ..Table::default()
    }
}
fn key(name: Option<&str>, columns: &[&str]) -> Option<Key> {
    Some(Key {
        name: name.map(str::to_owned),
        columns: strings(columns),
        ..Key::default()
    })
}

#[orm::test(requires = |f| !f.schemas)]
async fn constraints_of_every_kind(db: Db) -> orm::Result<()> {
    run(
        &db,
        &[
            "create table Parents (A integer, b text, primary key (a, B))",
            "create table children (
                id integer constraint pk primary key autoincrement, -- the key (not this)
                code text not null unique on conflict ignore collate nocase,
                a integer, b text default 'x' constraint named_unique unique,
                size integer check (size > 0 /* always */) default (1 + 2),
                double integer generated always as (size * 2) stored,
                half integer as (size / 2),
                parent integer references children on delete set null deferrable initially deferred,
                other integer not null on conflict replace default -1 references Children(ID) not deferrable,
                constraint both unique (a, b collate nocase) on conflict fail,
                constraint \"ck one\" check (a <> ')'),
                constraint fk foreign key (A, b) references Parents on update cascade on delete restrict deferrable
            ) strict",
        ],
    )
    .await;
    let schema = introspect(&db).await?;
    let parents = Table {
        primary_key: key(None, &["A", "b"]),
        ..table("Parents", vec![column("A", "INTEGER"), column("b", "TEXT")])
    };
    let to = |columns: &[&str], target: &str, names: &[&str]| ForeignKey {
        columns: strings(columns),
        target: Name::new(target),
        target_columns: strings(names),
        ..ForeignKey::default()
    };
    let mut columns = vec![
        required("id", "INTEGER"),
        required("code", "TEXT"),
        column("a", "INTEGER"),
        column("b", "TEXT"),
        column("size", "INTEGER"),
        column("double", "INTEGER"),
        column("half", "INTEGER"),
        column("parent", "INTEGER"),
        required("other", "INTEGER"),
    ];
    columns[0].fill = Fill::Identity { always: false };
    columns[1].collation = Some("NOCASE".into());
    columns[3].fill = Fill::Default("'x'".into());
    columns[4].fill = Fill::Default("1 + 2".into());
    columns[5].fill = Fill::Stored("size * 2".into());
    columns[6].fill = Fill::Virtual("size / 2".into());
    columns[8].fill = Fill::Default("-1".into());
    columns[8].on_null = Some(OnConflict::Replace);
    let children = Table {
        primary_key: key(Some("pk"), &["id"]),
        uniques: vec![
            Unique {
                columns: strings(&["code"]),
                on_conflict: Some(OnConflict::Ignore),
                ..Unique::default()
            },
            Unique {
                name: Some("both".into()),
                columns: strings(&["a", "b"]),
                parts: vec![
                    part("a"),
                    IndexPart {
                        collation: Some("NOCASE".into()),
                        ..part("b")
                    },
                ],
                on_conflict: Some(OnConflict::Fail),
                ..Unique::default()
            },
            Unique {
                name: Some("named_unique".into()),
                columns: strings(&["b"]),
                ..Unique::default()
            },
        ],
        checks: vec![
            Check {
                condition: "size > 0".into(),
                ..Check::default()
            },
            Check {
                name: Some("ck one".into()),
                condition: "a <> ')'".into(),
                ..Check::default()
            },
        ],
        foreign_keys: vec![
            to(&["other"], "children", &["id"]),
            ForeignKey {
                on_delete: Action::SetNull,
                deferrable: Some(Deferrable::Deferred),
                ..to(&["parent"], "children", &["id"])
            },
            ForeignKey {
                name: Some("fk".into()),
                on_update: Action::Cascade,
                on_delete: Action::Restrict,
                deferrable: Some(Deferrable::Immediate),
                ..to(&["a", "b"], "Parents", &["A", "b"])
            },
        ],
        options: "STRICT".into(),
        ..table("children", columns)
    };
    assert_eq!(
        schema,
        Schema {
            tables: vec![parents, children],
            ..Schema::default()
        }
    );
    assert_eq!(introspect(&db).await?, schema);
    Ok(())
}

/// A file from before STRICT: types as people wrote them, nothing has a name.
#[orm::test(requires = |f| !f.schemas)]
async fn old_files_are_read_as_they_are(db: Db) -> orm::Result<()> {
    run(
        &db,
        &[
            "CREATE TABLE [order details] ( `Order ID` int REFERENCES orders, \"a\"\"b\" varchar ( 10 , 2 ) DEFAULT 'it''s',
                price decimal(10,2) NOT NULL DEFAULT 1.5e3, at datetime default CURRENT_TIMESTAMP, anything,
                flag boolean default true, raw blob default x'00ff', [what ever] unsigned big int,
                UNIQUE(price) UNIQUE(at), PRIMARY KEY(`Order ID`, \"a\"\"b\" DESC)) WITHOUT ROWID",
            "create table orders(id integer primary key, \"check\" text check(\"check\" in ('a', 'b)')), x, y, FOREIGN KEY (x) REFERENCES nowhere(y))",
            "create table codes(code text primary key)",
            "create table t as select 1 as one, 'x' as two",
            "alter table orders add column late text collate rtrim not null default ''",
            "alter table orders rename column y to \"y y\"",
            "alter table codes rename to \"new codes\"",
        ],
    )
    .await;
    let schema = introspect(&db).await?;
    let names: Vec<String> = schema.tables.iter().map(|t| t.name.to_string()).collect();
    assert_eq!(names, ["new codes", "order details", "orders", "t"]);
    let details = &schema.tables[1];
    assert_eq!(details.options, "WITHOUT ROWID");
    let columns: Vec<_> = details
        .columns
        .iter()
        .map(|c| (c.name.as_str(), c.ty.as_str(), c.nullable))
        .collect();
    assert_eq!(
        columns,
        [
            ("Order ID", "INT", false),
            ("a\"b", "varchar ( 10 , 2 )", false),
            ("price", "decimal(10,2)", false),
            ("at", "datetime", true),
            ("anything", "", true),
            ("flag", "boolean", true),
            ("raw", "BLOB", true),
            ("what ever", "unsigned big int", true),
        ]
    );
    let fills: Vec<_> = details.columns.iter().map(|c| c.fill.clone()).collect();
    let default = |sql: &str| Fill::Default(sql.to_owned());
    assert_eq!(
        fills,
        [
            Fill::None,
            default("'it''s'"),
            default("1.5e3"),
            default("CURRENT_TIMESTAMP"),
            Fill::None,
            default("true"),
            default("x'00ff'"),
            Fill::None,
        ]
    );
    let key = details.primary_key.as_ref().unwrap();
    assert_eq!(
        (key.name.as_deref(), key.columns.clone()),
        (None, strings(&["Order ID", "a\"b"]))
    );
    assert!(key.parts[1].desc && !key.parts[0].desc, "{:?}", key.parts);
    let uniques: Vec<_> = details
        .uniques
        .iter()
        .map(|u| (u.name.clone(), u.columns.join(",")))
        .collect();
    assert_eq!(uniques, [(None, "at".to_owned()), (None, "price".to_owned())]);
    assert_eq!(details.foreign_keys[0].target_columns, ["id"]);

    let orders = &schema.tables[2];
    assert!(!orders.columns[0].nullable, "a row's number is never NULL");
    assert_eq!(orders.columns[0].fill, Fill::None);
    assert_eq!(orders.checks[0].condition, "\"check\" in ('a', 'b)')");
    assert_eq!(orders.columns[3].name, "y y");
    let late = &orders.columns[4];
    assert_eq!(
        (late.collation.as_deref(), &late.fill),
        (Some("RTRIM"), &default("''"))
    );
    assert_eq!(orders.foreign_keys[0].target, Name::new("nowhere"));

    assert!(
        schema.tables[0].columns[0].nullable,
        "SQLite takes NULL in such keys"
    );
    let types: Vec<_> = schema.tables[3].columns.iter().map(|c| c.ty.as_str()).collect();
    assert_eq!(types, ["", ""]);
    Ok(())
}

#[orm::test(requires = |f| !f.schemas)]
async fn indexes_views_triggers_and_virtual_tables(db: Db) -> orm::Result<()> {
    run(
        &db,
        &[
            "create table t (a text, b integer, \"c d\" text) strict",
            "create unique index \"odd \"\"ix\" on T (A collate nocase desc, lower(b) asc, (b + 1) desc, \"C D\")
                where a is not null and (b > 0) -- some",
            "create index plain on t (b)",
            "create view v (x, \"y y\") as select a, b from t where a <> ';' /* all */",
            "create temp view gone as select 1",
            "create trigger tr after update of a on t when new.a <> 'end' begin update t set b = 1; select 2; end /* . */",
            "create trigger vr instead of insert on v begin insert into t (a) values (new.x); end",
            "create virtual table words using fts5(word, tokenize = 'porter ascii')",
            "create table orm_migrations (id integer primary key) strict",
            "create index orm_i on orm_migrations (id)",
            "create table seq (id integer primary key autoincrement) strict",
        ],
    )
    .await;
    let schema = introspect(&db).await?;
    let odd = Index {
        name: "odd \"ix".into(),
        unique: true,
        parts: vec![
            IndexPart {
                collation: Some("NOCASE".into()),
                desc: true,
                ..part("a")
            },
            expression("lower(b)"),
            IndexPart {
                desc: true,
                ..expression("b + 1")
            },
            part("c d"),
        ],
        filter: Some("a is not null and (b > 0)".into()),
        ..Index::default()
    };
    let plain = Index {
        name: "plain".into(),
        parts: vec![part("b")],
        ..Index::default()
    };
    let trigger = |name: &str, definition: &str| Trigger {
        name: name.into(),
        definition: definition.into(),
        enabled: None,
    };
    let columns = vec![column("a", "TEXT"), column("b", "INTEGER"), column("c d", "TEXT")];
    let t = Table {
        indexes: vec![odd, plain],
        triggers: vec![trigger(
            "tr",
            "CREATE TRIGGER tr after update of a on t when new.a <> 'end' begin update t set b = 1; select 2; end",
        )],
        options: "STRICT".into(),
        ..table("t", columns)
    };
    let mut id = required("id", "INTEGER");
    id.fill = Fill::Identity { always: false };
    let seq = Table {
        primary_key: key(None, &["id"]),
        options: "STRICT".into(),
        ..table("seq", vec![id])
    };
    let view = View {
        name: Name::new("v"),
        columns: strings(&["x", "y y"]),
        query: "select a, b from t where a <> ';'".into(),
        triggers: vec![trigger(
            "vr",
            "CREATE TRIGGER vr instead of insert on v begin insert into t (a) values (new.x); end",
        )],
        ..View::default()
    };
    assert_eq!(
        schema,
        Schema {
            tables: vec![seq, t],
            virtual_tables: vec![VirtualTable {
                name: Name::new("words"),
                module: "fts5(word, tokenize = 'porter ascii')".into(),
            }],
            views: vec![view],
            ..Schema::default()
        }
    );
    Ok(())
}

/// What cannot be used can be read.
#[orm::test(requires = |f| !f.schemas)]
async fn broken_views_are_read(db: Db) -> orm::Result<()> {
    run(
        &db,
        &[
            "create table t (a)",
            "create view broken as select gone from nowhere",
            "create virtual table words using fts5(a)",
        ],
    )
    .await;
    let schema = introspect(&db).await?;
    assert_eq!(schema.views[0].query, "select gone from nowhere");
    assert_eq!(
        schema.tables.len(),
        1,
        "the tables behind a virtual table are its own"
    );
    Ok(())
}
