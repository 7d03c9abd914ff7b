//! The tables of a model as the database has them: one, or several where variants keep columns of their own apart. Pure.

use crate::ast::ddl::{self, CreateIndex, CreateTable, DefaultDef, Name};
use crate::exec::create::{self, name_of};
use crate::schema::{Column, Role, Table, name};

/// A table as it is created.
pub(crate) struct Physical {
    /// Without foreign keys: what they refer to may come later.
    pub(crate) create: CreateTable,
    pub(crate) foreign_keys: Vec<ddl::ForeignKey>,
    pub(crate) indexes: Vec<CreateIndex>,
    /// Of the table, and of its columns by name.
    pub(crate) comments: Vec<(Option<String>, String)>,
    /// Whose rows it holds.
    pub(crate) model: &'static Table,
}

impl Physical {
    pub(crate) fn name(&self) -> &Name {
        &self.create.name
    }
}

/// The tables of a model, those of its variants behind its own.
pub(crate) fn tables_of(table: &'static Table) -> Vec<Physical> {
    let mut own = Physical {
        create: create::create_table(table),
        foreign_keys: create::foreign_keys(table).collect(),
        indexes: create::indexes(table),
        comments: comments(table, 0),
        model: table,
    };
    if table.variants.is_empty() {
        return vec![own];
    }
    let variants: Vec<&'static Table> = table.variants.iter().map(|v| v()).collect();
    let parts = variants.iter().filter_map(|v| part(table, v)).collect::<Vec<_>>();
    for v in &variants {
        join(&mut own, v);
    }
    own.create.checks.extend(kinds(table, &variants));
    std::iter::once(own).chain(parts).collect()
}

fn comments(table: &'static Table, part: u8) -> Vec<(Option<String>, String)> {
    let columns = table.columns.iter().filter(|c| c.column.part == part);
    let columns = columns.map(|c| (Some(c.column.name.to_owned()), c.comment.to_owned()));
    let all = std::iter::once((None, table.comment.to_owned())).chain(columns);
    all.filter(|(_, text)| !text.is_empty()).collect()
}

/// Adds what a variant says of columns in the table of all.
fn join(all: &mut Physical, variant: &'static Table) {
    let in_part = in_part(variant);
    let here = |columns: &[String]| !columns.iter().any(|c| in_part(c));
    let other = |name: &str| variant.uniques.iter().any(|u| u.name == name);
    let table = all.name().clone();
    for unique in create::create_table(variant).uniques {
        let known = all.create.uniques.iter().any(|(_, columns)| *columns == unique.1);
        if here(&unique.1) && !known {
            all.create.uniques.push(unique);
        }
    }
    for index in create::indexes(variant) {
        let same =
            |i: &CreateIndex| i.name == index.name || (i.parts == index.parts && i.filter == index.filter);
        let known = all.indexes.iter().any(same);
        let doubled = other(&index.name) && all.create.uniques.iter().any(|(name, _)| *name == index.name);
        if !is_apart(variant, &index) && !known && !doubled {
            all.indexes.push(CreateIndex {
                table: table.clone(),
                ..index
            });
        }
    }
    for key in create::foreign_keys(variant) {
        let known = |k: &ddl::ForeignKey| k.columns == key.columns && k.target == key.target;
        if here(&key.columns) && !all.foreign_keys.iter().any(known) {
            all.foreign_keys.push(key);
        }
    }
    if let Some(tag) = variant.table.tag {
        let (kind, label) = (quoted(tag.column.name), literal(tag.label));
        for (name, sql) in create::create_table(variant).checks {
            let own = variant.table.parts.is_empty() || of_common(variant, &name);
            if own && !all.create.checks.iter().any(|(known, _)| *known == name) {
                all.create
                    .checks
                    .push((name, format!("{kind} <> {label} OR ({sql})")));
            }
        }
    }
}

/// The table with the columns of one variant: its key refers to that of the table of all.
fn part(base: &'static Table, variant: &'static Table) -> Option<Physical> {
    let part = variant.table.parts.first()?;
    let own = Name {
        schema: part.table.schema.map(str::to_owned),
        name: part.table.name.to_owned(),
    };
    let in_part = in_part(variant);
    let all_here = |columns: &[String]| columns.iter().any(|c| in_part(c));
    let mut create = create::create_table(variant);
    let key: Vec<String> = variant.key_columns().map(|c| c.column.name.to_owned()).collect();
    create
        .columns
        .retain(|c| key.contains(&c.name) || in_part(&c.name));
    for column in create.columns.iter_mut().filter(|c| key.contains(&c.name)) {
        column.default = DefaultDef::None;
    }
    create.primary_key = Some((name::conventional("pk", part.table.name, []), key.clone()));
    // whether a row is deleted stands in the other table: what is unique here is unique among all rows
    let names = |columns: &[usize]| -> Vec<String> {
        let names = columns.iter().filter_map(|&i| variant.columns.get(i));
        names.map(|c| c.column.name.to_owned()).collect()
    };
    let whole = variant.uniques.iter().filter(|u| u.filter.is_none());
    let whole = whole.map(|u| (u.name.to_owned(), names(u.columns)));
    create.uniques = whole.filter(|(_, columns)| all_here(columns)).collect();
    create.name = own.clone();
    create.checks.retain(|(name, _)| !of_common(variant, name));
    let uniques = &create.uniques;
    let indexes = create::indexes(variant)
        .into_iter()
        .filter(|i| is_apart(variant, i) && !uniques.iter().any(|(name, _)| *name == i.name))
        .map(|i| CreateIndex {
            table: own.clone(),
            filter: match variant.uniques.iter().find(|u| u.name == i.name) {
                Some(unique) => unique.filter.map(str::to_owned),
                None => i.filter,
            },
            ..i
        });
    let to_base = ddl::ForeignKey {
        name: name::conventional("fk", part.table.name, key.iter().map(String::as_str)),
        columns: key.clone(),
        target: name_of(base),
        target_columns: key,
        on_delete: "CASCADE",
        on_update: "CASCADE",
        deferrable: None,
    };
    let others = create::foreign_keys(variant).filter(|key| all_here(&key.columns));
    Some(Physical {
        indexes: indexes.collect(),
        foreign_keys: std::iter::once(to_base).chain(others).collect(),
        comments: comments(variant, 1),
        create,
        model: variant,
    })
}

/// Whether a column of the variant stands in its own table.
fn in_part(variant: &'static Table) -> impl Fn(&str) -> bool {
    |name| {
        variant
            .columns
            .iter()
            .any(|c| c.column.part > 0 && c.column.name == name)
    }
}

/// Whether an index is one of the variant's own table. What it says in SQL is about that.
fn is_apart(variant: &'static Table, index: &CreateIndex) -> bool {
    let columns = columns_of(index);
    let in_part = in_part(variant);
    !variant.table.parts.is_empty() && (columns.is_empty() || columns.iter().any(|c| in_part(c)))
}

/// Whether a check of a variant with a table of its own is that of a common column.
fn of_common(variant: &'static Table, check: &str) -> bool {
    let own = name_of(variant).name;
    let common = variant.columns.iter().filter(|c| c.column.part == 0);
    let mut names = common.map(|c| name::conventional("ck", &own, [c.column.name]));
    names.any(|name| name == check)
}

fn columns_of(index: &CreateIndex) -> Vec<String> {
    let columns = index.parts.iter().filter_map(|part| match &part.key {
        ddl::IndexKey::Column(name) => Some(name.clone()),
        ddl::IndexKey::Expression(_) => None,
    });
    columns.collect()
}

/// That the discriminator names a variant, and that columns of variants are there in their rows and nowhere else.
fn kinds(table: &'static Table, variants: &[&'static Table]) -> Vec<(String, String)> {
    let Some(kind) = table.columns.iter().find(|c| c.role == Role::Discriminator) else {
        return Vec::new();
    };
    let column = quoted(kind.column.name);
    let labels = |of: &dyn Fn(&'static Table) -> bool| -> String {
        let tags = variants.iter().filter(|v| of(v)).filter_map(|v| v.table.tag);
        tags.map(|tag| literal(tag.label)).collect::<Vec<_>>().join(", ")
    };
    let known = format!("{column} IN ({})", labels(&|_| true));
    let mut out = vec![(name::conventional("ck", table.name(), [kind.column.name]), known)];
    for c in table
        .columns
        .iter()
        .filter(|c| c.column.part == 0 && c.generated.is_none())
    {
        let own = |v: &'static Table| {
            v.columns
                .iter()
                .find(|o| o.column.name == c.column.name && o.column.part == 0)
        };
        let missing = variants.iter().any(|v| own(v).is_none());
        let required = |v: &'static Table| own(v).is_some_and(|o: &Column| !o.column.nullable);
        if !missing && (!c.column.nullable || !variants.iter().any(|v| required(v))) {
            continue;
        }
        let (name, with, needs) = (
            quoted(c.column.name),
            labels(&|v| own(v).is_some()),
            labels(&|v| required(v)),
        );
        let condition = match (with == needs, needs.is_empty(), missing) {
            (true, ..) => format!("({column} IN ({with})) = ({name} IS NOT NULL)"),
            (false, true, _) => format!("{column} IN ({with}) OR {name} IS NULL"),
            (false, false, false) => format!("{column} NOT IN ({needs}) OR {name} IS NOT NULL"),
            (false, false, true) => format!(
                "({column} IN ({with}) OR {name} IS NULL) AND ({column} NOT IN ({needs}) OR {name} IS NOT NULL)"
            ),
        };
        let words = [c.column.name, kind.column.name];
        out.push((name::conventional("ck", table.name(), words), condition));
    }
    out
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
