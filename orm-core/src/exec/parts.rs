//! Writes of rows whose columns lie in several tables: those of a variant with a table of its own, and of its enum.
//!
//! The table of the enum is the one that every other knows: it holds the key, the discriminator and what the library
//! keeps, and so it is written first, and a condition is asked there once. What it gives back are keys, and by them the
//! other tables are written. All of it is one unit of work.

use crate::ast::{
    Assignment, Column as AstColumn, Delete, Deleted, Expr as Node, FromItem, Guard, InList, InsertSource,
    Join, JoinKind, Lock, LockStrength, LockWait, Select, Source, Statement, TablePart, TableRef, Unfiltered,
    Update, columns_of,
};
use crate::driver::{Discard, Done, Sink};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::Raw;
use crate::exec::collect::Values;
use crate::exec::fetch::{Site, single};
use crate::exec::hooks::rows_of;
use crate::exec::key::{Key, among};
use crate::exec::transaction::Unit;
use crate::query::{InsertParts, chunk, insert_statement, nodes};
use crate::schema::{Column, Default, Role, Table};
use crate::value::{Held, Type, Value};

/// The table, if its rows lie in several.
pub(crate) fn apart(table: Option<&'static Table>) -> Option<&'static Table> {
    table.filter(|t| !t.table.parts.is_empty())
}

/// Whether the statement writes rows of such a table, and not only reads them.
pub(crate) fn written(statement: &Statement, table: Option<&'static Table>) -> Option<&'static Table> {
    match statement {
        Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_) => apart(table),
        Statement::Select(_) | Statement::Ddl(_) | Statement::Raw(_) => None,
    }
}

/// Runs a write as the writes of its tables.
pub(crate) async fn statement(
    raw: &Raw<'_>,
    statement: Statement,
    table: &'static Table,
    sink: Box<dyn Sink>,
    site: Site,
) -> Result<Done> {
    match statement {
        Statement::Update(mut update) => {
            refuse_mixed(table, &update)?;
            if update.returning.is_empty() && update.set.iter().all(|a| a.column.part == 0) {
                let filter = std::mem::take(&mut update.filter);
                update.filter = in_own_columns(table, update.source, update.guard, filter);
                return single(raw, Statement::Update(update), Some(table), sink, site).await;
            }
            let unit = Unit::open(raw.again(), site).await?;
            let outcome = self::update(&unit.raw(), *update, table, sink, site).await;
            let outcome = unit.sent(outcome).await;
            unit.end(outcome).await
        }
        Statement::Delete(mut delete) if delete.returning.is_empty() && delete.using.is_empty() => {
            let filter = std::mem::take(&mut delete.filter);
            delete.filter = in_own_columns(table, delete.source, delete.guard, filter);
            // the other tables follow by their foreign keys
            single(raw, Statement::Delete(delete), Some(table), sink, site).await
        }
        Statement::Delete(delete) => {
            let unit = Unit::open(raw.again(), site).await?;
            let outcome = self::delete(&unit.raw(), *delete, table, sink, site).await;
            let outcome = unit.sent(outcome).await;
            unit.end(outcome).await
        }
        Statement::Insert(insert) => {
            if matches!(insert.rows, InsertSource::Query(_)) {
                return Err(refused(
                    table,
                    "an INSERT from a query of rows that lie in several tables",
                ));
            }
            if insert.conflict.is_some() {
                return Err(refused(
                    table,
                    "an upsert into several tables: insert the row, or change the one that is there",
                ));
            }
            let parts = InsertParts {
                columns: insert
                    .columns
                    .iter()
                    .filter_map(|c| column_of(table, c))
                    .collect(),
                rows: insert.rows,
                overriding: insert.overriding,
                returning: !insert.returning.is_empty(),
                unless_taken: false,
            };
            inserts(raw, vec![parts], table, sink, site).await
        }
        other => single(raw, other, Some(table), sink, site).await,
    }
}

fn refused(table: &'static Table, message: &'static str) -> Error {
    Error::new(ErrorKind::Unsupported, message).with_model(table.model)
}

fn column_of(table: &'static Table, column: &AstColumn) -> Option<&'static Column> {
    table.position(column).map(|i| &table.columns[i])
}

/// What one table is set to cannot be told from another one: the other is written before or after it.
fn refuse_mixed(table: &'static Table, update: &Update) -> Result<()> {
    for assignment in &update.set {
        let used = columns_of(update.source, std::slice::from_ref(&assignment.value));
        if used.iter().any(|c| c.part != assignment.column.part) {
            let message = "an assignment reads a column of another table of the same row: read it first, and set the value";
            return Err(refused(table, message).with_field(assignment.column.name));
        }
    }
    let apart = columns_of(update.source, &update.filter)
        .iter()
        .any(|c| c.part > 0);
    if apart && !update.from.is_empty() {
        return Err(refused(
            table,
            "a change from a list by columns of another table of the same row",
        ));
    }
    Ok(())
}

async fn update(
    raw: &Raw<'_>,
    update: Update,
    table: &'static Table,
    sink: Box<dyn Sink>,
    site: Site,
) -> Result<Done> {
    let Update {
        with,
        source,
        table: target,
        guard,
        set,
        from,
        joins,
        filter,
        returning,
    } = update;
    let (own, others): (Vec<Assignment>, Vec<Assignment>) = set.into_iter().partition(|a| a.column.part == 0);
    let key = nodes(source, table.key_columns());
    let keys = if own.is_empty() {
        let mut select = Select::from(whole(table, source, guard));
        select.joins = from
            .iter()
            .cloned()
            .map(cross)
            .chain(joins.iter().cloned())
            .collect();
        select.filter = filter.clone();
        select.lock = Some(Lock {
            strength: LockStrength::Update,
            of: vec![source],
            wait: LockWait::Wait,
        });
        keys_of(raw, select, table, site).await?
    } else {
        let update = Update {
            with,
            source,
            table: target,
            guard,
            set: own,
            from: from.clone(),
            joins: joins.clone(),
            filter: in_own_columns(table, source, guard, filter.clone()),
            returning: key.clone(),
        };
        let types = types_of(table.key_columns());
        let statement = Statement::Update(Box::new(update));
        let done = single(raw, statement, Some(table), Values::boxed(types), site).await?;
        keys(Values::take(done.sink)?)
    };
    let affected = keys.len() as u64;
    if keys.is_empty() {
        return Ok(Done { sink, affected });
    }
    // what ties the rows of a list to those of the table
    let is_key = |c: &&AstColumn| table.key_columns().any(|k| std::ptr::eq(&k.column, *c));
    let by_key = |node: &&Node| {
        columns_of(source, std::slice::from_ref(*node))
            .iter()
            .all(&is_key)
    };
    let tied: Vec<Node> = match from.is_empty() {
        true => Vec::new(),
        false => filter.iter().filter(by_key).cloned().collect(),
    };
    for (i, part) in (1..).zip(table.table.parts) {
        let set: Vec<Assignment> = others.iter().filter(|a| a.column.part == i).cloned().collect();
        if set.is_empty() {
            continue;
        }
        let update = Update {
            with: Vec::new(),
            source,
            table: part.table,
            guard: Guard::default(),
            set,
            from: from.clone(),
            joins: joins.clone(),
            filter: tied
                .iter()
                .cloned()
                .chain([Node::Any(among(&key, &keys, raw))])
                .collect(),
            returning: Vec::new(),
        };
        let statement = Statement::Update(Box::new(update));
        single(raw, statement, Some(table), Box::new(Discard), site).await?;
    }
    if returning.is_empty() {
        return Ok(Done { sink, affected });
    }
    let done = read_back(raw, table, source, returning, &keys, sink, site).await?;
    Ok(Done { affected, ..done })
}

async fn delete(
    raw: &Raw<'_>,
    delete: Delete,
    table: &'static Table,
    sink: Box<dyn Sink>,
    site: Site,
) -> Result<Done> {
    let Delete {
        with,
        source,
        table: target,
        guard,
        using,
        filter,
        returning,
    } = delete;
    // what is gone cannot be read any more
    let mut select = Select::from(whole(table, source, guard));
    select.joins = using.iter().cloned().map(cross).collect();
    select.filter = filter;
    select.lock = Some(Lock {
        strength: LockStrength::Update,
        of: vec![source],
        wait: LockWait::Wait,
    });
    let keys = keys_of(raw, select, table, site).await?;
    if keys.is_empty() {
        return Ok(Done { sink, affected: 0 });
    }
    let sink = match returning.is_empty() {
        true => sink,
        false => {
            let read = read_back(raw, table, source, returning, &keys, sink, site);
            read.await?.sink
        }
    };
    let key = nodes(source, table.key_columns());
    let filter = vec![Node::Any(among(&key, &keys, raw))];
    let delete = Delete {
        with,
        source,
        table: target,
        guard,
        using: Vec::new(),
        filter,
        returning: Vec::new(),
    };
    let statement = Statement::Delete(Box::new(delete));
    let done = single(raw, statement, Some(table), Box::new(Discard), site).await?;
    Ok(Done {
        sink,
        affected: done.affected,
    })
}

/// The conditions as ones on the first table alone.
fn in_own_columns(table: &'static Table, source: Source, guard: Guard, filter: Vec<Node>) -> Vec<Node> {
    if !columns_of(source, &filter).iter().any(|c| c.part > 0) {
        return filter;
    }
    let mut select = Select::from(whole(table, source, guard));
    select.columns = nodes(source, table.key_columns());
    select.filter = filter;
    let key = match nodes(source, table.key_columns()) {
        mut one if one.len() == 1 => one.remove(0),
        several => Node::Tuple(several),
    };
    vec![Node::In(Box::new(key), Box::new(InList::Query(Box::new(select))))]
}

/// The rows with the columns of all tables.
fn whole(table: &'static Table, source: Source, guard: Guard) -> TableRef {
    TableRef {
        source,
        item: FromItem::Table(&table.table),
        guard,
    }
}

fn cross(table: TableRef) -> Join {
    Join {
        kind: JoinKind::Cross,
        table,
        on: Vec::new(),
    }
}

async fn keys_of(raw: &Raw<'_>, mut select: Select, table: &'static Table, site: Site) -> Result<Vec<Key>> {
    let source = select.root();
    select.columns = nodes(source, table.key_columns());
    let sink = Values::boxed(types_of(table.key_columns()));
    let done = single(raw, Statement::Select(Box::new(select)), Some(table), sink, site).await?;
    Ok(keys(Values::take(done.sink)?))
}

fn keys(rows: Vec<Vec<Value>>) -> Vec<Key> {
    rows.into_iter().map(Key::new).collect()
}

fn types_of(columns: impl Iterator<Item = &'static Column>) -> Vec<Type> {
    columns.map(|c| c.column.ty).collect()
}

/// Rows as they are now, whoever may see them.
async fn read_back(
    raw: &Raw<'_>,
    table: &'static Table,
    source: Source,
    columns: Vec<Node>,
    keys: &[Key],
    sink: Box<dyn Sink>,
    site: Site,
) -> Result<Done> {
    let guard = Guard {
        deleted: Deleted::Included,
        all_tenants: true,
        unfiltered: Unfiltered::ALL,
        as_of: None,
    };
    let mut select = Select::from(whole(table, source, guard));
    select.columns = columns;
    select.filter = vec![Node::Any(among(&nodes(source, table.key_columns()), keys, raw))];
    single(raw, Statement::Select(Box::new(select)), Some(table), sink, site).await
}

/// A new row on its way: what its columns are set to, and what they are.
struct New {
    set: Vec<(&'static Column, Node)>,
    overriding: bool,
    values: Vec<Value>,
    /// The table of its variant's columns, if it has one.
    part: Option<(u8, &'static TablePart)>,
}

/// Inserts rows in their order: first into the table of all, then into those of their variants.
pub(crate) async fn inserts(
    raw: &Raw<'_>,
    batch: Vec<InsertParts>,
    table: &'static Table,
    mut sink: Box<dyn Sink>,
    site: Site,
) -> Result<Done> {
    let (mut rows, mut back) = (Vec::new(), false);
    for parts in batch {
        if parts.unless_taken {
            return Err(refused(
                table,
                "rows of several tables that are left out where they are taken",
            ));
        }
        back |= parts.returning;
        for nodes in rows_of(&parts.rows, parts.columns.len()) {
            let set: Vec<_> = parts.columns.iter().copied().zip(nodes).collect();
            rows.push(New {
                part: part_of(table, &set),
                set,
                overriding: parts.overriding,
                values: table.columns.iter().map(|c| Value::Null(c.column.ty)).collect(),
            });
        }
    }
    let affected = rows.len() as u64;
    let unit = Unit::open(raw.again(), site).await?;
    let inner = unit.raw();
    let outcome = async {
        insert_into(&inner, table, &mut rows, None, site).await?;
        for (i, part) in (1..).zip(table.table.parts) {
            insert_into(&inner, table, &mut rows, Some((i, part)), site).await?;
        }
        Ok(())
    };
    let outcome = unit.sent(outcome.await).await;
    drop(inner);
    unit.end(outcome).await?;
    if back {
        let width = match table.trail {
            Some(_) => table.columns.len(),
            None => table.fields,
        };
        for row in &rows {
            sink.row(&Held(&row.values[..width]))?;
        }
    }
    Ok(Done { sink, affected })
}

/// The table with the columns of the row's variant: the only one of a variant, and of an enum that of the label.
fn part_of(table: &'static Table, set: &[(&'static Column, Node)]) -> Option<(u8, &'static TablePart)> {
    let parts = || (1..).zip(table.table.parts);
    if table.base.is_some() {
        return parts().next();
    }
    let label = set
        .iter()
        .find(|(c, _)| c.role == Role::Discriminator)
        .map(|(_, node)| node);
    let variants = table.variants.iter().map(|v| v());
    let mut joined = variants.filter(|v| !v.table.parts.is_empty());
    let at = joined.position(|v| match (v.table.tag, label) {
        (Some(tag), Some(Node::Value(Value::Str(label)))) => tag.label == *label,
        _ => false,
    })?;
    parts().nth(at)
}

/// Inserts what the rows have in one of the tables, and takes over what the database makes of it.
async fn insert_into(
    raw: &Raw<'_>,
    table: &'static Table,
    rows: &mut [New],
    part: Option<(u8, &'static TablePart)>,
    site: Site,
) -> Result<()> {
    let number = part.map_or(0, |(i, _)| i);
    let is_key = |c: &Column| table.key_columns().any(|k| std::ptr::eq(k, c));
    let here: Vec<usize> = (0..table.columns.len())
        .filter(|&i| table.columns[i].column.part == number || is_key(&table.columns[i]))
        .collect();
    let free = |c: &Column| c.column.nullable && matches!((c.role, c.default), (Role::Plain, Default::None));
    // rows that set different columns are one statement where what they leave out is NULL
    let set = |c: &Column| {
        rows.iter()
            .any(|row| row.set.iter().any(|(s, _)| std::ptr::eq(*s, c)))
    };
    let nulls: Vec<&'static Column> = here
        .iter()
        .map(|&i| &table.columns[i])
        .filter(|c| free(c) && set(c))
        .collect();
    let mut groups: Vec<(Vec<&'static Column>, bool, Vec<usize>)> = Vec::new();
    for (i, row) in rows.iter_mut().enumerate() {
        if number > 0 && row.part.map(|(i, _)| i) != Some(number) {
            continue;
        }
        if number > 0 {
            // the key is known by now
            row.set.retain(|(c, _)| !is_key(c));
            let key = table
                .key
                .iter()
                .map(|&k| (&table.columns[k], Node::Value(row.values[k].clone())));
            row.set.extend(key);
        }
        let unset = nulls
            .iter()
            .filter(|c| !row.set.iter().any(|(s, _)| std::ptr::eq(*s, **c)));
        let unset: Vec<_> = unset
            .map(|c| (*c, Node::Value(Value::Null(c.column.ty))))
            .collect();
        row.set.extend(unset);
        row.set.sort_by_key(|(c, _)| table.position(&c.column));
        let columns = row.set.iter().map(|(c, _)| *c);
        let columns: Vec<_> = columns.filter(|c| c.column.part == number || is_key(c)).collect();
        let same = |(known, overriding, _): &&mut (Vec<&'static Column>, bool, Vec<usize>)| {
            *overriding == row.overriding
                && known.len() == columns.len()
                && known.iter().zip(&columns).all(|(a, b)| std::ptr::eq(*a, *b))
        };
        match groups.iter_mut().find(same) {
            Some((_, _, group)) => group.push(i),
            None => groups.push((columns, row.overriding, vec![i])),
        }
    }
    let most = |width: usize| match raw.runner.dialect().features().max_params / width.max(1) {
        _ if width == 0 => 1,
        n => n.clamp(1, ROWS),
    };
    for (columns, overriding, group) in groups {
        let (mut group, most) = (&group[..], most(columns.len()));
        while !group.is_empty() {
            let (chunk, rest) = group.split_at(chunk(group.len(), most));
            group = rest;
            let mut list = Vec::with_capacity(chunk.len() * columns.len());
            for &i in chunk {
                for column in &columns {
                    let found = rows[i].set.iter().position(|(c, _)| std::ptr::eq(*c, *column));
                    let node = found.map(|at| std::mem::replace(&mut rows[i].set[at].1, Node::Clock));
                    list.push(node.unwrap_or(Node::Value(Value::Null(column.column.ty))));
                }
            }
            let mut insert = insert_statement(
                table,
                InsertParts {
                    columns: columns.clone(),
                    rows: InsertSource::Rows(list),
                    overriding: overriding && number == 0,
                    returning: false,
                    unless_taken: false,
                },
            );
            if let Some((_, part)) = part {
                insert.table = part.table;
            }
            insert.returning = nodes(insert.source, here.iter().map(|&i| &table.columns[i]));
            let types = types_of(here.iter().map(|&i| &table.columns[i]));
            let statement = Statement::Insert(Box::new(insert));
            let done = single(raw, statement, Some(table), Values::boxed(types), site).await?;
            let back = Values::take(done.sink)?;
            if back.len() != chunk.len() {
                return Err(crate::exec::db::no_row(table.model));
            }
            for (&i, values) in chunk.iter().zip(back) {
                for (&at, value) in here.iter().zip(values) {
                    rows[i].values[at] = value;
                }
            }
        }
    }
    Ok(())
}

/// So many rows in one statement.
const ROWS: usize = 512;
