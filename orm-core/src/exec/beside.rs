//! What is created beside a table: the table of its versions, that of its chain of hashes, and the triggers that write
//! down what happens to its rows. Pure: nothing is run here.

use crate::ast;
use crate::ast::ddl::{
    ColumnDef, CreateIndex, CreateTable, Ddl, DefaultDef, LoggedColumn, Name, RowEvent, RowLog, RowTrigger,
};
use crate::exec::create::{column, name_of, plain_part};
use crate::exec::trail::table_name;
use crate::schema::{Column, Table, Trail, TrailEngine, name};
use crate::value::Type;

/// The number of a row in a chain, without gaps.
pub(crate) static POSITION: ast::Column = stored("chain_position", Type::I64, false);
/// The hash over a row and the hash before it.
pub(crate) static HASH: ast::Column = stored("chain_hash", Type::Bytes, false);
/// What began a version.
pub(crate) static OPERATION: ast::Column = stored("operation", Type::Text, false);
/// The number of a version: later ones have higher numbers.
pub(crate) static VERSION_ID: ast::Column = stored("history_id", Type::I64, false);

const fn stored(name: &'static str, ty: Type, nullable: bool) -> ast::Column {
    ast::Column {
        name,
        ty,
        nullable,
        sensitive: false,
        system: false,
        part: 0,
    }
}

/// Creates a table's history and chain.
pub(crate) fn beside(table: &'static Table, out: &mut Vec<Ddl>) {
    if let Some(history) = table.table.history {
        out.push(Ddl::CreateTable(history_table(table, history)));
        out.push(Ddl::CreateIndex(history_index(table, history)));
    }
    if let Some(chain) = table.chain {
        out.push(Ddl::CreateTable(chain_table(table, chain)));
    }
}

/// The columns of a model take NULL there but for its key: the model may get others, which old versions do not have.
fn history_table(table: &'static Table, history: &'static ast::Table) -> CreateTable {
    let mut columns = vec![ColumnDef {
        default: DefaultDef::Identity,
        ..definition(&VERSION_ID)
    }];
    columns.extend(table.columns.iter().enumerate().map(|(i, c)| ColumnDef {
        nullable: !table.key.contains(&i),
        ..copied(c)
    }));
    let own = [ast::Table::VALID_FROM, ast::Table::VALID_TO, &OPERATION];
    columns.extend(own.into_iter().map(definition));
    new_table(history, columns, &VERSION_ID)
}

fn history_index(table: &'static Table, history: &'static ast::Table) -> CreateIndex {
    let key: Vec<&str> = table.key_columns().map(|c| c.column.name).collect();
    let columns = key.into_iter().chain([ast::Table::VALID_FROM.name]);
    CreateIndex {
        name: name::conventional("ix", history.name, columns.clone()),
        table: ast_name(history),
        unique: false,
        method: None,
        parts: columns.map(|c| plain_part(c.to_owned())).collect(),
        include: Vec::new(),
        storage: None,
        filter: None,
    }
}

fn chain_table(table: &'static Table, chain: &'static ast::Table) -> CreateTable {
    let mut columns = vec![definition(&POSITION)];
    columns.extend(table.key_columns().map(copied));
    columns.push(definition(&HASH));
    let key: Vec<&str> = table.key_columns().map(|c| c.column.name).collect();
    let once = name::conventional("uq", chain.name, key.iter().copied());
    let mut created = new_table(chain, columns, &POSITION);
    created.uniques = vec![(once, key.into_iter().map(str::to_owned).collect())];
    created
}

fn new_table(table: &'static ast::Table, columns: Vec<ColumnDef>, key: &ast::Column) -> CreateTable {
    CreateTable {
        name: ast_name(table),
        if_not_exists: false,
        columns,
        primary_key: Some((
            name::conventional("pk", table.name, []),
            vec![key.name.to_owned()],
        )),
        uniques: Vec::new(),
        checks: Vec::new(),
        foreign_keys: Vec::new(),
    }
}

fn definition(column: &'static ast::Column) -> ColumnDef {
    ColumnDef {
        name: column.name.to_owned(),
        ty: column.ty,
        types: &[],
        nullable: column.nullable,
        default: DefaultDef::None,
        generated: None,
    }
}

/// A column that holds what another one held.
fn copied(c: &'static Column) -> ColumnDef {
    ColumnDef {
        default: DefaultDef::None,
        generated: None,
        ..column(c)
    }
}

pub(crate) fn ast_name(table: &'static ast::Table) -> Name {
    Name {
        schema: table.schema.map(str::to_owned),
        name: table.name.to_owned(),
    }
}

/// The triggers that write down what happens to a table's rows.
pub(crate) fn row_triggers(table: &'static Table) -> Vec<RowTrigger> {
    let mut out = Vec::new();
    if let Some(Trail {
        log,
        engine: TrailEngine::Triggers,
    }) = table.trail
    {
        let log = log();
        let operation = log.columns.iter().find(|c| c.field == "operation");
        let trail = RowLog::Trail {
            log: name_of(log),
            label: table_name(table),
            operation: operation.map_or(Type::Text, |c| c.column.ty),
        };
        out.extend(of_each_event(table, "trail", &trail));
    }
    if let Some(history) = table.table.history {
        out.extend(of_each_event(
            table,
            "history",
            &RowLog::History(ast_name(history)),
        ));
    }
    out
}

fn of_each_event<'a>(
    table: &'static Table,
    prefix: &'a str,
    log: &'a RowLog,
) -> impl Iterator<Item = RowTrigger> + use<'a> {
    let events = [
        (RowEvent::Insert, "insert"),
        (RowEvent::Update, "update"),
        (RowEvent::Delete, "delete"),
    ];
    events.into_iter().map(move |(event, word)| RowTrigger {
        name: Name {
            schema: table.table.schema.map(str::to_owned),
            name: name::conventional(prefix, table.name(), [word]),
        },
        table: name_of(table),
        event,
        log: log.clone(),
        columns: table.columns.iter().map(logged).collect(),
        key: table.key.to_vec(),
        deleted_at: table.managed.deleted_at,
        tenant: table.managed.tenant,
    })
}

fn logged(c: &'static Column) -> LoggedColumn {
    LoggedColumn {
        name: c.column.name.to_owned(),
        field: c.field.to_owned(),
        ty: c.column.ty,
        sensitive: c.column.sensitive,
    }
}
