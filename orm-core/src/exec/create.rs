//! The statements that create and drop a whole schema. Pure: nothing is run here.

use crate::ast::Nulls;
use crate::ast::ddl::{self, CreateIndex, CreateTable, Ddl, DefaultDef, Name, Refused};
use crate::exec::beside::{ast_name, beside, row_triggers};
use crate::exec::physical::{Physical, tables_of};
use crate::exec::search;
use crate::exec::view::{view, views};
use crate::schema::{
    Action, Column, Default, ForeignKey, Index, IndexKey, IndexMethod, IndexPart, Schema, Table, TableKind,
    embed, enums_of, name,
};
use crate::sql::{Features, Refusal, TriggerForm};
use crate::value::{Element, EnumType, OtherType, Type};

/// What creates the schema's tables, in foreign-key order: schemas, enum types, tables, indexes, the foreign keys that
/// close a cycle (where they can be added later; elsewhere a table may refer to one that comes after it), histories and
/// chains, triggers, comments, and the views that say what they are, those that others read first.
pub fn create_statements(schema: &Schema, features: &Features) -> Vec<Ddl> {
    let tables = base_tables(schema);
    let mut out = Vec::new();
    if features.schemas {
        let all: Vec<&'static Table> = tables.iter().copied().chain(views(schema)).collect();
        out.extend(schemas(&all).into_iter().map(Ddl::CreateSchema));
    }
    if features.enum_types {
        out.extend(enums(&tables).into_iter().map(|e| Ddl::CreateEnum {
            name: enum_name(e),
            labels: e.labels.iter().map(|l| l.to_string()).collect(),
        }));
        out.extend(composites(&tables).into_iter().map(|ty| {
            Ddl::CreateComposite {
                name: composite_name(ty),
                fields: ty
                    .fields
                    .iter()
                    .map(|(name, ty)| (name.to_string(), *ty))
                    .collect(),
            }
        }));
    }
    let mut all: Vec<Physical> = tables.iter().flat_map(|t| tables_of(t)).collect();
    all.iter_mut().for_each(|table| search::column(table, features));
    let mut later = Vec::new();
    for (i, table) in all.iter().enumerate() {
        let mut create = table.create.clone();
        for def in &table.foreign_keys {
            let known = all[..=i].iter().any(|t| *t.name() == def.target);
            if known || !features.add_constraint {
                create.foreign_keys.push(def.clone());
            } else {
                later.push(Ddl::AddForeignKey {
                    table: table.name().clone(),
                    key: def.clone(),
                });
            }
        }
        out.push(Ddl::CreateTable(create));
    }
    for table in &all {
        out.extend(table.indexes.iter().cloned().map(Ddl::CreateIndex));
    }
    out.append(&mut later);
    for table in &tables {
        beside(table, &mut out);
        search::beside(table, features, &mut out);
    }
    let guarded = all
        .iter()
        .filter(|t| t.model.append_only)
        .map(|t| t.name().clone());
    for name in guarded.chain(tables.iter().filter_map(|t| t.chain).map(ast_name)) {
        refusals(name, features, &mut out);
    }
    if features.context_table.is_some() && tables.iter().any(|t| t.has_triggers()) {
        out.push(Ddl::CreateContext);
    }
    for table in &tables {
        for trigger in row_triggers(table) {
            if matches!(features.trigger, TriggerForm::Function(..)) {
                out.push(Ddl::CreateRowFunction(trigger.clone()));
            }
            out.push(Ddl::CreateRowTrigger(trigger));
        }
    }
    if features.comments {
        for table in &all {
            out.extend(table.comments.iter().map(|(column, text)| Ddl::Comment {
                table: table.name().clone(),
                column: column.clone(),
                text: text.clone(),
            }));
        }
    }
    for table in views(schema) {
        view(table, features, &mut out);
    }
    out
}

/// The function that the triggers of an append-only table call.
fn refusal_name(table: &Name) -> Name {
    Name {
        schema: table.schema.clone(),
        name: name::conventional("ao", &table.name, []),
    }
}

/// What keeps the rows of an append-only table as they are, also from hand-written SQL.
fn refusals(table: Name, features: &Features, out: &mut Vec<Ddl>) {
    let changes: &[(Refused, &str)] = match features.refusal {
        Refusal::Inline(_) => &[(Refused::Update, "update"), (Refused::Delete, "delete")],
        Refusal::Function(_) => {
            out.push(Ddl::CreateRefusal(refusal_name(&table)));
            &[
                (Refused::Update, "update"),
                (Refused::Delete, "delete"),
                (Refused::Truncate, "truncate"),
            ]
        }
    };
    out.extend(changes.iter().map(|&(change, word)| Ddl::Refuse {
        name: name::conventional("ao", &table.name, [word]),
        table: table.clone(),
        change,
        function: refusal_name(&table),
    }));
}

/// What drops the schema's tables and types, the other way round. On a database that cannot drop constraints, tables
/// in a cycle need foreign keys to be off while this runs.
pub fn drop_statements(schema: &Schema, features: &Features) -> Vec<Ddl> {
    let tables = base_tables(schema);
    let all: Vec<Physical> = tables.iter().flat_map(|t| tables_of(t)).collect();
    let mut out = Vec::new();
    let gone = views(schema).into_iter().rev();
    out.extend(gone.map(|view| Ddl::DropView {
        name: name_of(view),
        materialized: view.view.is_some_and(|view| view.materialized),
    }));
    if features.add_constraint {
        for (i, table) in all.iter().enumerate() {
            let closing = table
                .foreign_keys
                .iter()
                .filter(|key| !all[..=i].iter().any(|t| *t.name() == key.target));
            out.extend(closing.map(|key| Ddl::DropConstraint {
                table: table.name().clone(),
                name: key.name.clone(),
            }));
        }
    }
    let beside = tables.iter().rev().flat_map(|t| [t.chain, t.table.history]);
    out.extend(beside.flatten().map(|t| Ddl::DropTable(ast_name(t))));
    out.extend(all.iter().rev().map(|t| Ddl::DropTable(t.name().clone())));
    // the triggers that write there are gone
    out.extend(tables.iter().filter_map(|t| search::dropped(t, features)));
    if matches!(features.refusal, Refusal::Function(_)) {
        let guarded = all
            .iter()
            .filter(|t| t.model.append_only)
            .map(|t| t.name().clone());
        let names = guarded.chain(tables.iter().filter_map(|t| t.chain).map(ast_name));
        out.extend(names.map(|name| Ddl::DropRefusal(refusal_name(&name))));
    }
    let triggers = || tables.iter().flat_map(|t| row_triggers(t));
    if matches!(features.trigger, TriggerForm::Function(..)) {
        out.extend(triggers().map(|trigger| Ddl::DropRowFunction(trigger.name)));
    }
    if features.context_table.is_some() && triggers().next().is_some() {
        out.push(Ddl::DropContext);
    }
    if features.enum_types {
        let composites = composites(&tables).into_iter().rev();
        out.extend(composites.map(|ty| Ddl::DropEnum(composite_name(ty))));
        out.extend(
            enums(&tables)
                .into_iter()
                .rev()
                .map(|e| Ddl::DropEnum(enum_name(e))),
        );
    }
    out
}

fn base_tables(schema: &Schema) -> Vec<&'static Table> {
    let mut tables = schema.in_foreign_key_order();
    tables.retain(|t| t.kind == TableKind::Table);
    tables
}

fn schemas(tables: &[&'static Table]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let of_enums = enums(tables).into_iter().filter_map(|e| e.schema);
    for schema in tables.iter().filter_map(|t| t.table.schema).chain(of_enums) {
        if !out.iter().any(|s| s == schema) {
            out.push(schema.to_owned());
        }
    }
    out
}

fn enums(tables: &[&'static Table]) -> Vec<&'static EnumType> {
    let mut out: Vec<&'static EnumType> = Vec::new();
    let fields = composites(tables).into_iter().flat_map(|ty| ty.fields);
    let of_fields = fields.filter_map(|(_, ty)| match ty {
        Type::Enum(e) => Some(*e),
        _ => None,
    });
    for e in tables.iter().flat_map(|t| enums_of(t)).chain(of_fields) {
        if !out.contains(&e) {
            out.push(e);
        }
    }
    out
}

/// The composite types of all columns, each behind those of its fields.
fn composites(tables: &[&'static Table]) -> Vec<&'static OtherType> {
    fn add(ty: Type, out: &mut Vec<&'static OtherType>) {
        let (Type::Other(ty) | Type::Array(Element::Other(ty))) = ty else {
            return;
        };
        if !ty.fields.is_empty() && !out.contains(&ty) {
            ty.fields.iter().for_each(|(_, ty)| add(*ty, out));
            out.push(ty);
        }
    }
    let mut out = Vec::new();
    for column in tables.iter().flat_map(|t| t.columns) {
        add(column.column.ty, &mut out);
    }
    out
}

fn composite_name(ty: &OtherType) -> Name {
    Name {
        schema: ty.schema.map(str::to_owned),
        name: ty.name.to_owned(),
    }
}

fn enum_name(e: &EnumType) -> Name {
    Name {
        schema: e.schema.map(str::to_owned),
        name: e.name.to_owned(),
    }
}

/// The table's name as DDL has it: that of its own columns where a variant keeps them apart.
pub fn name_of(table: &Table) -> Name {
    if let (Some(_), Some(part)) = (table.base, table.table.parts.first()) {
        return Name {
            schema: part.table.schema.map(str::to_owned),
            name: part.table.name.to_owned(),
        };
    }
    Name {
        schema: table.table.schema.map(str::to_owned),
        name: table.table.name.to_owned(),
    }
}

pub(crate) fn names(table: &Table, columns: &[usize]) -> Vec<String> {
    columns
        .iter()
        .map(|&i| table.columns[i].column.name.to_owned())
        .collect()
}

/// CREATE TABLE without its foreign keys.
pub fn create_table(table: &'static Table) -> CreateTable {
    CreateTable {
        name: name_of(table),
        if_not_exists: false,
        columns: stored(table)
            .filter(|c| c.column.part == 0 || table.base.is_some())
            .map(column)
            .collect(),
        primary_key: (!table.key.is_empty())
            .then(|| (crate::schema::primary_key_name(table), names(table, table.key))),
        uniques: table
            .uniques
            .iter()
            .filter(|u| u.filter.is_none() && table.managed.deleted_at.is_none())
            .map(|u| (u.name.to_owned(), names(table, u.columns)))
            .collect(),
        checks: checks(table),
        foreign_keys: Vec::new(),
    }
}

/// Names and conditions of the table's checks, and of those that embedded structs ask for.
fn checks(table: &'static Table) -> Vec<(String, String)> {
    let own = table.checks.iter().map(|c| (c.name.to_owned(), c.sql.to_owned()));
    let embedded = table.columns.iter().filter_map(|c| {
        let name = name::conventional("ck", &name_of(table).name, [c.column.name]);
        Some((name, embed::condition(table, c, c.check?)))
    });
    own.chain(embedded).collect()
}

/// The columns that the table's definition has.
fn stored(table: &'static Table) -> impl Iterator<Item = &'static Column> {
    table.columns.iter().filter(|c| !c.column.system)
}

pub(crate) fn column(c: &'static Column) -> ddl::ColumnDef {
    ddl::ColumnDef {
        name: c.column.name.to_owned(),
        ty: c.column.ty,
        types: c.types,
        nullable: c.column.nullable,
        default: match c.default {
            Default::None | Default::Function(_) => DefaultDef::None,
            Default::Literal(value) => DefaultDef::Literal(value()),
            Default::Sql(sql) => DefaultDef::Sql(sql.to_owned()),
            Default::Identity => DefaultDef::Identity,
        },
        generated: c.generated.map(|g| (g.sql.to_owned(), g.stored)),
    }
}

/// The table's foreign keys in order.
pub fn foreign_keys(table: &'static Table) -> impl Iterator<Item = ddl::ForeignKey> {
    table.foreign_keys.iter().map(move |key| foreign_key(table, key))
}

fn foreign_key(table: &'static Table, key: &ForeignKey) -> ddl::ForeignKey {
    let target = (key.target)();
    ddl::ForeignKey {
        name: key.name.to_owned(),
        columns: names(table, key.columns),
        target: name_of(target),
        target_columns: names(target, target.key),
        on_delete: action(key.on_delete),
        on_update: action(key.on_update),
        deferrable: key.deferrable,
    }
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Restrict => "RESTRICT",
        Action::NoAction => "NO ACTION",
        Action::Cascade => "CASCADE",
        Action::SetNull => "SET NULL",
        Action::SetDefault => "SET DEFAULT",
    }
}

/// All indexes of a table: partial unique constraints, those that were asked for, and one for each foreign key, and for
/// each column of an embedded struct that asks for one, that no other key or index begins with.
pub fn indexes(table: &'static Table) -> Vec<CreateIndex> {
    let mut out = unique_indexes(table);
    out.extend(table.indexes.iter().map(|i| index(table, i)));
    let mut covered: Vec<Vec<usize>> = covering(table);
    let embedded = table.columns.iter().enumerate().filter(|(_, c)| c.index);
    let keys = table.foreign_keys.iter().map(|key| key.columns.to_vec());
    for wanted in keys.chain(embedded.map(|(i, _)| vec![i])) {
        if covered.iter().any(|c| c.starts_with(&wanted)) {
            continue;
        }
        let columns = names(table, &wanted);
        covered.push(wanted);
        out.push(CreateIndex {
            name: free_name(table, &columns, &out),
            table: name_of(table),
            unique: false,
            method: None,
            parts: columns.into_iter().map(plain_part).collect(),
            include: Vec::new(),
            storage: None,
            filter: None,
        });
    }
    out
}

/// The conventional name, or another one where an index over a part of the rows has it.
fn free_name(table: &'static Table, columns: &[String], indexes: &[CreateIndex]) -> String {
    let (columns, own) = (columns.iter().map(String::as_str), name_of(table).name);
    let name = name::conventional("ix", &own, columns.clone());
    match indexes.iter().any(|index| index.name == name) {
        true => name::conventional("ix", &own, columns.chain(["all"])),
        false => name,
    }
}

pub(crate) fn plain_part(column: String) -> ddl::IndexPart {
    ddl::IndexPart {
        key: ddl::IndexKey::Column(column),
        op_class: None,
        desc: false,
        nulls: Nulls::Default,
    }
}

/// Unique constraints with a condition. In a soft-deleting table every unique constraint holds among living rows only.
fn unique_indexes(table: &'static Table) -> Vec<CreateIndex> {
    let living = table.managed.deleted_at.map(|i| {
        let column = table.columns[i].column.name.replace('"', "\"\"");
        format!("\"{column}\" IS NULL")
    });
    let filter = |own: Option<&str>| match (own, &living) {
        (None, living) => living.clone(),
        (Some(own), None) => Some(own.to_owned()),
        (Some(own), Some(living)) => Some(format!("({own}) AND {living}")),
    };
    let partial = table
        .uniques
        .iter()
        .filter_map(|u| filter(u.filter).map(|f| (u, f)));
    partial
        .map(|(u, filter)| CreateIndex {
            name: u.name.to_owned(),
            table: name_of(table),
            unique: true,
            method: None,
            parts: names(table, u.columns).into_iter().map(plain_part).collect(),
            include: Vec::new(),
            storage: None,
            filter: Some(filter),
        })
        .collect()
}

pub(crate) fn index(table: &'static Table, index: &Index) -> CreateIndex {
    CreateIndex {
        name: index.name.to_owned(),
        table: name_of(table),
        unique: index.unique,
        method: match index.method {
            IndexMethod::BTree => None,
            IndexMethod::Hash => Some("hash"),
            IndexMethod::Gin => Some("gin"),
            IndexMethod::Gist => Some("gist"),
            IndexMethod::SpGist => Some("spgist"),
            IndexMethod::Hnsw => Some("hnsw"),
            IndexMethod::IvfFlat => Some("ivfflat"),
            IndexMethod::Brin => Some("brin"),
        },
        parts: index.parts.iter().map(|part| index_part(table, *part)).collect(),
        include: names(table, index.include),
        storage: index.storage.map(str::to_owned),
        filter: index.filter.map(str::to_owned),
    }
}

fn index_part(table: &'static Table, part: IndexPart) -> ddl::IndexPart {
    let IndexPart {
        key,
        op_class,
        desc,
        nulls,
    } = part;
    let key = match key {
        IndexKey::Column(column) => ddl::IndexKey::Column(table.columns[column].column.name.to_owned()),
        IndexKey::Expression(sql) => ddl::IndexKey::Expression(sql.to_owned()),
    };
    ddl::IndexPart {
        key,
        op_class,
        desc,
        nulls,
    }
}

/// Column lists that a foreign key may be the beginning of: keys, full unique constraints, full B-tree indexes.
fn covering(table: &'static Table) -> Vec<Vec<usize>> {
    let mut out = vec![table.key.to_vec()];
    if table.managed.deleted_at.is_none() {
        out.extend(
            table
                .uniques
                .iter()
                .filter(|u| u.filter.is_none())
                .map(|u| u.columns.to_vec()),
        );
    }
    let full = table
        .indexes
        .iter()
        .filter(|i| i.filter.is_none() && i.method == IndexMethod::BTree);
    out.extend(full.map(|i| {
        let leading = i.parts.iter().map_while(|part| match (part.key, part.op_class) {
            (IndexKey::Column(column), None) => Some(column),
            // an operator class of another kind may not serve `=`
            (IndexKey::Column(_), Some(_)) | (IndexKey::Expression(_), _) => None,
        });
        leading.collect()
    }));
    out
}
