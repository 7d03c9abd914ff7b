//! The text of models, and what of a table is not in it.

use crate::Backend;
use crate::pull::search::{self, Searched};
use crate::pull::{Draft, EnumDraft, FieldDraft, ModelDraft, name};
use crate::schema::{Action, Check, Deferrable, Fill, Index, Key, RowSecurity, Unique};

/// The longest name of a constraint.
const MAX_BYTES: usize = orm_core::schema::name::MAX_BYTES;

/// `search(title = A, body, language = "english")`.
fn searched_text(model: &ModelDraft<'_>, searched: &Searched) -> String {
    let fields = searched.columns.iter().flat_map(|(column, weight)| {
        let named = model.idents(std::slice::from_ref(column)).into_iter();
        named.map(move |ident| match weight {
            Some(letter) => format!("{ident} = {letter}"),
            None => ident,
        })
    });
    let mut words: Vec<String> = fields.collect();
    if searched.language != "simple" {
        words.push(format!("language = {:?}", searched.language));
    }
    format!("search({})", words.join(", "))
}

impl<'s> Draft<'s> {
    pub(super) fn write(&mut self, out: &mut String) {
        out.push_str("use orm::prelude::*;\n");
        for e in &self.enums {
            enum_text(e, out);
        }
        let mut notes = Vec::new();
        for i in 0..self.models.len() {
            self.model(i, out, &mut notes);
        }
        self.left_out.append(&mut notes);
        let names: Vec<&str> = self.models.iter().map(|m| m.ident.as_str()).collect();
        let list = names.join(", ");
        out.push_str("\n/// All models.\npub fn schema() -> orm::schema::Schema {\n");
        match list.len() <= 80 {
            true => out.push_str(&format!("    orm::schema![{list}]\n")),
            false => {
                out.push_str("    orm::schema![\n");
                names
                    .iter()
                    .for_each(|n| out.push_str(&format!("        {n},\n")));
                out.push_str("    ]\n");
            }
        }
        out.push_str("}\n");
    }

    fn model(&self, i: usize, out: &mut String, notes: &mut Vec<String>) {
        let model = &self.models[i];
        let table = model.table;
        let mut note = |text: String| notes.push(format!("{}: {text}", table.name));
        let mut on_fields: Vec<(String, String)> = Vec::new();
        let mut attributes = Vec::new();
        let mut first = Vec::new();
        if name::table(&model.ident) != table.name.name {
            first.push(format!("table = {:?}", table.name.name));
        }
        first.extend(table.name.schema.iter().map(|s| format!("schema = {s:?}")));
        first.extend(model.rename_all.map(|case| format!("rename_all = {case:?}")));
        if model.key.len() > 1 {
            first.push(format!("id({})", model.idents(&model.key).join(", ")));
        }
        first.extend(comment(table.comment.as_deref()));
        if !first.is_empty() {
            attributes.push(format!("orm({})", first.join(", ")));
        }
        if let Some(searched) = &model.searched {
            attributes.push(format!("orm({})", searched_text(model, searched)));
        }
        if let Some(key) = &table.primary_key {
            primary_key(key, &table.name.name, &mut note);
        }
        for unique in &table.uniques {
            match unique_text(model, unique) {
                Ok(One::Field(column)) => on_fields.push((column, "unique".to_owned())),
                Ok(One::Struct(text)) => attributes.push(format!("orm({text})")),
                Err(reason) => note(format!("unique ({}): {reason}", unique.columns.join(", "))),
            }
        }
        let of_words = |index: &&Index| model.searched.is_some() && search::is_index(table, index);
        for index in table.indexes.iter().filter(|index| !of_words(index)) {
            match index_text(model, index) {
                Ok(Some(One::Field(column))) => on_fields.push((column, "index".to_owned())),
                Ok(Some(One::Struct(text))) => attributes.push(format!("orm({text})")),
                Ok(None) => {}
                Err(reason) => note(format!("index {}: {reason}", index.name)),
            }
        }
        let of_types: Vec<usize> = model.fields.iter().filter_map(|f| f.ty.check).collect();
        for (_, check) in table
            .checks
            .iter()
            .enumerate()
            .filter(|(at, _)| !of_types.contains(at))
        {
            if check.not_valid || check.no_inherit {
                note(format!(
                    "check ({}): NOT VALID and NO INHERIT are not in models",
                    check.condition
                ));
            }
            match check_text(model, check, &on_fields) {
                One::Field(column) => on_fields.push((column, format!("check = {:?}", check.condition))),
                One::Struct(text) => attributes.push(format!("orm({text})")),
            }
        }
        for key in &model.foreign_keys {
            let name = name::constraint("fk", &table.name.name, key.key.columns.iter().map(String::as_str));
            let columns = key.key.columns.join(", ");
            if key.key.name.as_ref().is_some_and(|n| *n != name) {
                note(format!("foreign key ({columns}): models call it {name}"));
            }
            if !covered(model, &key.key.columns, None) {
                note(format!(
                    "no index begins with its foreign key ({columns}), models add one"
                ));
            }
            if key.key.columns.len() > 1 {
                let by = model.idents(&key.key.columns).join(", ");
                attributes.push(self.belongs_to(key, &format!(", by = ({by})")));
            }
        }
        self.others(i, &mut note);
        attributes.extend(model.inverse.iter().cloned());

        out.push('\n');
        docs(table.comment.as_deref(), "", out);
        out.push_str("#[derive(Model, Clone, Debug)]\n");
        attributes.iter().for_each(|a| out.push_str(&format!("#[{a}]\n")));
        out.push_str(&format!("pub struct {} {{\n", model.ident));
        for field in &model.fields {
            let own = on_fields.iter().filter(|(c, _)| *c == field.column.name);
            let own = own.map(|(_, text)| text.clone()).collect();
            self.field(i, field, own, out, &mut note);
        }
        out.push_str("}\n");
    }

    fn belongs_to(&self, key: &crate::pull::KeyDraft<'_>, by: &str) -> String {
        let mut text = format!(
            "belongs_to({}: {}{by}",
            name::ident(&key.name),
            self.models[key.target].ident
        );
        if key.key.on_delete != Action::Restrict {
            text.push_str(&format!(", on_delete = {}", action(key.key.on_delete)));
        }
        if key.key.on_update != Action::NoAction {
            text.push_str(&format!(", on_update = {}", action(key.key.on_update)));
        }
        match key.key.deferrable {
            Some(Deferrable::Immediate) => text.push_str(", deferrable"),
            Some(Deferrable::Deferred) => text.push_str(", deferrable, initially_deferred"),
            None => {}
        }
        text + ")"
    }

    fn field(
        &self,
        i: usize,
        field: &FieldDraft<'s>,
        own: Vec<String>,
        out: &mut String,
        note: &mut dyn FnMut(String),
    ) {
        let model = &self.models[i];
        let column = field.column;
        let is_key = model.is_key(&column.name);
        let mut words = Vec::new();
        if is_key && model.key.len() == 1 && field.ident != "id" {
            words.push("id".to_owned());
        }
        let cased = model
            .rename_all
            .and_then(|case| name::CASES.iter().find(|(n, _)| *n == case));
        let spelled = cased.map_or_else(|| field.ident.clone(), |(_, case)| case(&field.ident));
        if spelled != column.name {
            words.push(format!("column = {:?}", column.name));
        }
        words.extend(field.ty.sql.as_ref().map(|ty| format!("ty = {ty:?}")));
        words.extend(field.ty.decimal.map(|(p, s)| format!("decimal({p}, {s})")));
        words.extend(own);
        match &column.fill {
            Fill::None => {}
            Fill::Default(sql) => words.push(format!("default(sql = {sql:?})")),
            Fill::Identity { always } => {
                if !(is_key && model.generated) {
                    note(format!(
                        "column {}: only keys are counted up by the database",
                        column.name
                    ));
                } else if *always {
                    note(format!(
                        "column {}: models make it GENERATED BY DEFAULT",
                        column.name
                    ));
                }
            }
            Fill::Stored(sql) => words.push(format!("generated = {sql:?}")),
            Fill::Virtual(sql) => words.push(format!("generated(sql = {sql:?}, virtual)")),
        }
        words.extend(comment(column.comment.as_deref()));
        let mut say = |text: &str| note(format!("column {}: {text}", column.name));
        if is_key && model.generated && column.fill == Fill::None && field.ty.rust == "i64" {
            say("models make the key AUTOINCREMENT");
        }
        if is_key && model.generated && field.ty.rust == "Vec<u8>" {
            say("the key is taken for a UUID");
        }
        if is_key && column.nullable {
            say("models have no key that may be NULL");
        }
        if let Some(text) = &field.ty.note {
            say(text);
        }
        if let Some(collation) = &column.collation {
            say(&format!("models have no COLLATE {collation}"));
        }
        if column.on_null.is_some() {
            say("models have no ON CONFLICT");
        }
        if column.identity_options.is_some() {
            say("models have no options of its sequence");
        }

        docs(column.comment.as_deref(), "    ", out);
        let alone = model
            .foreign_keys
            .iter()
            .find(|k| k.key.columns == [column.name.clone()]);
        if let Some(key) = alone {
            out.push_str(&format!("    #[{}]\n", self.belongs_to(key, "")));
        }
        if !words.is_empty() {
            out.push_str(&format!("    #[orm({})]\n", words.join(", ")));
        }
        let mut ty = self.rust_type(i, &column.name, 0);
        if column.nullable && !is_key {
            ty = format!("Option<{ty}>");
        }
        out.push_str(&format!("    pub {}: {ty},\n", name::ident(&field.ident)));
    }

    /// What a table has that no attribute says.
    fn others(&self, i: usize, note: &mut dyn FnMut(String)) {
        let table = self.models[i].table;
        for it in &table.exclusions {
            note(format!("exclusion {}: models have none", it.name));
        }
        let of_words =
            |it: &&crate::schema::Trigger| self.models[i].searched.is_some() && search::is_trigger(table, it);
        for it in table.triggers.iter().filter(|it| !of_words(it)) {
            note(format!("trigger {}: models have none of one's own", it.name));
        }
        if table.row_security != RowSecurity::Off {
            note("models have no row-level security".to_owned());
        }
        for it in &table.policies {
            note(format!("policy {}: models have none", it.name));
        }
        if table.partition_by.is_some() {
            note("models have no partitions".to_owned());
        }
        if table.unlogged {
            note("models are not UNLOGGED".to_owned());
        }
        let usual = match self.backend {
            Backend::Sqlite => "STRICT",
            Backend::Postgres => "",
        };
        if table.options != usual {
            let said = |options: &str| match options {
                "" => "nothing".to_owned(),
                options => options.to_owned(),
            };
            note(format!(
                "its options are {}, those of models {}",
                said(&table.options),
                said(usual)
            ));
        }
    }
}

/// Where an attribute stands: on the field of a column, or on the struct.
enum One {
    Field(String),
    Struct(String),
}

fn primary_key(key: &Key, table: &str, note: &mut dyn FnMut(String)) {
    let usual = orm_core::schema::name::conventional("pk", table, []);
    if key.name.as_ref().is_some_and(|n| *n != usual) {
        note(format!("primary key: models call it {usual}"));
    }
    if !key.parts.is_empty()
        || !key.include.is_empty()
        || key.deferrable.is_some()
        || key.on_conflict.is_some()
    {
        note("primary key: models have its columns only".to_owned());
    }
}

fn has_options(unique: &Unique) -> bool {
    let plain = unique.parts.is_empty() && unique.include.is_empty();
    !plain || unique.nulls_not_distinct || unique.deferrable.is_some() || unique.on_conflict.is_some()
}

fn unique_text(model: &ModelDraft<'_>, unique: &Unique) -> Result<One, &'static str> {
    if has_options(unique) {
        return Err("models have its columns only, and no options");
    }
    if unique.columns == model.key {
        return Err("the primary key says it already");
    }
    let usual = name::constraint(
        "uq",
        &model.table.name.name,
        unique.columns.iter().map(String::as_str),
    );
    let named = unique.name.as_ref().filter(|n| **n != usual);
    if named.is_some_and(|n| n.len() > MAX_BYTES) {
        return Err("its name is too long");
    }
    Ok(match (unique.columns.as_slice(), named) {
        ([only], None) => One::Field(only.clone()),
        (columns, named) => {
            let named = named.map(|n| format!(", name = {n:?}")).unwrap_or_default();
            One::Struct(format!("unique({}{named})", model.idents(columns).join(", ")))
        }
    })
}

/// Why no attribute says the index.
fn index_refusal(index: &Index) -> Option<String> {
    if index.nulls_not_distinct || index.invalid || index.parts.iter().any(|p| p.collation.is_some()) {
        return Some("models have no collations and no NULLS NOT DISTINCT".to_owned());
    }
    if index.name.len() > MAX_BYTES {
        return Some("its name is too long".to_owned());
    }
    let methods = ["hash", "gin", "gist", "spgist", "brin", "hnsw", "ivfflat"];
    if let Some(method) = index.method.as_ref().filter(|m| !methods.contains(&m.as_str())) {
        return Some(format!("models have no method {method}"));
    }
    let ordered = |p: &crate::schema::IndexPart| p.expression && (p.desc || p.nulls_first.is_some());
    let ordered = index.parts.iter().any(ordered);
    ordered.then(|| "models have no order of an expression".to_owned())
}

fn index_text(model: &ModelDraft<'_>, index: &Index) -> Result<Option<One>, String> {
    if let Some(reason) = index_refusal(index) {
        return Err(reason);
    }
    let prefix = if index.unique { "uq" } else { "ix" };
    let keys = index.parts.iter().map(|p| p.key.as_str());
    let usual = name::constraint(prefix, &model.table.name.name, keys);
    let columns: Vec<String> = index.parts.iter().map(|p| p.key.clone()).collect();
    let bare = |p: &crate::schema::IndexPart| {
        !p.expression && !p.desc && p.nulls_first.is_none() && p.op_class.is_none()
    };
    let plain = index.parts.iter().all(bare)
        && index.name == usual
        && !index.unique
        && (index.method.is_none() && index.include.is_empty())
        && (index.storage.is_none() && index.filter.is_none());
    if plain {
        let of_key = |k: &&crate::pull::KeyDraft<'_>| k.key.columns == columns;
        let first_of_others = |k: &&crate::pull::KeyDraft<'_>| {
            k.key.columns != columns && k.key.columns.first() == columns.first()
        };
        let keys = &model.foreign_keys;
        if keys.iter().any(|k| of_key(&k))
            && !keys.iter().any(|k| first_of_others(&k))
            && !covered(model, &columns, Some(index))
        {
            return Ok(None);
        }
        if let ([only], false) = (columns.as_slice(), columns == model.key) {
            let unique = model.table.uniques.iter().any(|u| u.columns == columns);
            if !unique {
                return Ok(Some(One::Field(only.clone())));
            }
        }
    }
    let mut parts = Vec::new();
    for part in &index.parts {
        let mut text = match part.expression {
            true => format!("{:?}", part.key),
            false => match model.idents(std::slice::from_ref(&part.key)).as_slice() {
                // a flag of the attribute otherwise
                [only] if only == "unique" => "r#unique".to_owned(),
                [only] => only.clone(),
                _ => return Err("its columns are not in the table".to_owned()),
            },
        };
        text.push_str(if part.desc { ".desc()" } else { "" });
        text.push_str(match part.nulls_first {
            Some(true) => ".nulls_first()",
            Some(false) => ".nulls_last()",
            None => "",
        });
        if let Some(class) = &part.op_class {
            text.push_str(&format!(".op_class({class:?})"));
        }
        parts.push(text);
    }
    if index.unique {
        parts.push("unique".to_owned());
    }
    parts.extend(index.method.as_ref().map(|m| format!("method = {m}")));
    if !index.include.is_empty() {
        parts.push(format!("include({})", model.idents(&index.include).join(", ")));
    }
    parts.extend(index.filter.as_ref().map(|f| format!("where = {f:?}")));
    parts.extend(index.storage.as_ref().map(|s| format!("with = {s:?}")));
    if index.name != usual {
        parts.push(format!("name = {:?}", index.name));
    }
    Ok(Some(One::Struct(format!("index({})", parts.join(", ")))))
}

/// Whether a key or index of the models begins with the columns.
fn covered(model: &ModelDraft<'_>, columns: &[String], but: Option<&Index>) -> bool {
    let uniques = model
        .table
        .uniques
        .iter()
        .filter(|u| !has_options(u))
        .map(|u| &u.columns);
    let full = |i: &&Index| i.filter.is_none() && i.method.is_none() && index_refusal(i).is_none();
    let full = model.table.indexes.iter().filter(full);
    let mut full = full.filter(|i| but.is_none_or(|but| *i != but)).map(|i| {
        let plain = i
            .parts
            .iter()
            .take_while(|p| !p.expression && p.op_class.is_none());
        plain.map(|p| p.key.clone()).collect::<Vec<_>>()
    });
    model.key.starts_with(columns)
        || uniques.into_iter().any(|k| k.starts_with(columns))
        || full.any(|k| k.starts_with(columns))
}

fn check_text(model: &ModelDraft<'_>, check: &Check, on_fields: &[(String, String)]) -> One {
    let name = check.name.as_ref().filter(|n| n.len() <= MAX_BYTES);
    let free = |column: &str| {
        !on_fields
            .iter()
            .any(|(c, text)| c == column && text.starts_with("check"))
    };
    let of_column = |column: &str| {
        let usual = name::constraint("ck", &model.table.name.name, [column]);
        name.is_some_and(|n| *n == usual) && free(column)
    };
    if let Some(field) = model.fields.iter().find(|f| of_column(&f.column.name)) {
        return One::Field(field.column.name.clone());
    }
    let named = name.map(|n| format!(", name = {n:?}")).unwrap_or_default();
    One::Struct(format!("check({:?}{named})", check.condition))
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Restrict => "restrict",
        Action::NoAction => "no_action",
        Action::Cascade => "cascade",
        Action::SetNull => "set_null",
        Action::SetDefault => "set_default",
    }
}

/// A comment that doc comments would not give back as it is.
fn comment(text: Option<&str>) -> Option<String> {
    let text = text.filter(|text| !is_line(text) && !text.trim().is_empty())?;
    Some(format!("comment = {text:?}"))
}

fn is_line(text: &str) -> bool {
    !text.contains(|c: char| c.is_control()) && text.trim() == text && !text.is_empty()
}

fn docs(text: Option<&str>, indent: &str, out: &mut String) {
    for line in text.unwrap_or_default().lines() {
        let line: String = line.chars().filter(|c| !c.is_control()).collect();
        out.push_str(format!("{indent}/// {}", line.trim()).trim_end());
        out.push('\n');
    }
}

fn enum_text(e: &EnumDraft, out: &mut String) {
    out.push('\n');
    docs(e.comment.as_deref(), "", out);
    out.push_str("#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]\n");
    if name::snake(&e.ident) != e.name {
        out.push_str(&format!("#[orm(name = {:?})]\n", e.name));
    }
    out.push_str(&format!("pub enum {} {{\n", e.ident));
    let mut seen: Vec<String> = Vec::new();
    for label in &e.labels {
        let mut wanted = name::pascal(&name::words_of_rust(label));
        if wanted.is_empty() || wanted == "Self" {
            wanted = format!("Label{wanted}");
        }
        let mut ident = wanted.clone();
        let mut n = 2;
        while seen.contains(&ident) {
            ident = format!("{wanted}{n}");
            n += 1;
        }
        if name::snake(&ident) != *label {
            out.push_str(&format!("    #[orm(rename = {label:?})]\n"));
        }
        out.push_str(&format!("    {ident},\n"));
        seen.push(ident);
    }
    out.push_str("}\n");
}
