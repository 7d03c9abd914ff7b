//! Which foreign keys models can say, and what their relations are called on both sides.

use crate::pull::{Draft, KeyDraft, METHODS, ModelDraft, name};
use crate::schema::{Action, ForeignKey, Index};

impl<'s> Draft<'s> {
    pub(super) fn foreign_keys(&mut self) {
        for i in 0..self.models.len() {
            for key in &self.models[i].table.foreign_keys {
                match self.sayable(i, key) {
                    Ok(target) => self.models[i].foreign_keys.push(KeyDraft {
                        key,
                        target,
                        name: String::new(),
                    }),
                    Err(reason) => self.without(i, key, &reason),
                }
            }
        }
        // a key that is left out changes the types of columns that refer to its own
        while let Some((i, k)) = self.mistyped() {
            let key = self.models[i].foreign_keys.remove(k).key;
            self.without(i, key, "its columns have other types than those it refers to");
        }
        for i in 0..self.models.len() {
            let model = &mut self.models[i];
            if let ([only], false) = (model.key.as_slice(), model.generated) {
                let refers = model.foreign_keys.iter().any(|k| k.key.columns == [only.clone()]);
                let taken = |name: &String| model.fields.iter().any(|f| f.ident == *name);
                let mut free = "key".to_owned();
                while taken(&free) {
                    free.push_str("_of_row");
                }
                let field = model.fields.iter_mut().find(|f| f.column.name == *only);
                let field = field.filter(|f| f.ident == "id" && !refers && !f.column.fill.is_generated());
                // a number called `id` is made by the database, and this one is given
                if let Some(field) = field.filter(|f| ["i16", "i32", "i64"].contains(&f.ty.rust.as_str()))
                    && matches!(field.column.fill, crate::schema::Fill::None)
                {
                    field.ident = free;
                    model.rename_all = None;
                }
            }
        }
        for i in 0..self.models.len() {
            for k in 0..self.models[i].foreign_keys.len() {
                let name = self.name_of_key(i, k);
                self.models[i].relations.push(name.clone());
                self.models[i].foreign_keys[k].name = name;
            }
        }
    }

    fn without(&mut self, i: usize, key: &ForeignKey, reason: &str) {
        let table = self.models[i].table.name.clone();
        self.say(
            table,
            format_args!(
                "foreign key ({}) to {}: {reason}",
                key.columns.join(", "),
                key.target
            ),
        );
    }

    fn sayable(&self, i: usize, key: &'s ForeignKey) -> Result<usize, String> {
        let model = &self.models[i];
        let target = self.model_of(&key.target).ok_or("its table is no model")?;
        let refuse = |reason: &str| Err(reason.to_owned());
        if self.models[target].key != key.target_columns {
            return refuse("it refers to other columns than the primary key in its order");
        }
        if key.not_valid || key.match_full || !key.on_delete_columns.is_empty() {
            return refuse("models have no NOT VALID, no MATCH FULL and no columns for ON DELETE");
        }
        if model.foreign_keys.iter().any(|k| k.key.columns == key.columns) {
            return refuse("another one has the same columns");
        }
        let fields: Vec<_> = key.columns.iter().filter_map(|c| model.field(c)).collect();
        if fields.len() != key.columns.len() {
            return refuse("its columns are not in the table");
        }
        for action in [key.on_delete, key.on_update] {
            if action == Action::SetNull
                && fields
                    .iter()
                    .any(|f| !f.column.nullable || model.is_key(&f.column.name))
            {
                return refuse("SET NULL of a column that is NOT NULL");
            }
            if action == Action::SetDefault
                && fields
                    .iter()
                    .any(|f| !matches!(f.column.fill, crate::schema::Fill::Default(_)))
            {
                return refuse("SET DEFAULT of a column without a default");
            }
        }
        let base = |f: &str, of: usize| self.models[of].field(f).map(|f| f.ty.rust.clone());
        let pairs = key.columns.iter().zip(&key.target_columns);
        for (own, theirs) in pairs {
            if base(own, i) != base(theirs, target) {
                return refuse("its columns have other types than those it refers to");
            }
        }
        Ok(target)
    }

    fn mistyped(&self) -> Option<(usize, usize)> {
        for (i, model) in self.models.iter().enumerate() {
            for (k, key) in model.foreign_keys.iter().enumerate() {
                let pairs = key.key.columns.iter().zip(&key.key.target_columns);
                let mut pairs =
                    pairs.map(|(a, b)| (self.rust_type(i, a, 0), self.rust_type(key.target, b, 0)));
                if pairs.any(|(a, b)| a != b) {
                    return Some((i, k));
                }
            }
        }
        None
    }

    /// Whether the relation would have the name of something else.
    fn is_free(&self, i: usize, wanted: &str) -> bool {
        let model = &self.models[i];
        let marker = format!("{}{}", model.ident, name::pascal(wanted));
        !METHODS.contains(&wanted)
            && !model.fields.iter().any(|f| f.ident == wanted)
            && !model.relations.iter().any(|r| r == wanted)
            && !self.taken.contains(&marker)
    }

    fn free(&self, i: usize, wanted: &[String], end: &str) -> String {
        if let Some(found) = wanted.iter().find(|w| self.is_free(i, w)) {
            return found.clone();
        }
        let last = wanted.last().map(String::as_str).unwrap_or_default();
        let mut name = format!("{last}_{end}");
        let mut n = 2;
        while !self.is_free(i, &name) {
            name = format!("{last}_{end}{n}");
            n += 1;
        }
        name
    }

    /// `author` of `author_id`; else the name of the model.
    fn name_of_key(&self, i: usize, k: usize) -> String {
        let model = &self.models[i];
        let key = &model.foreign_keys[k];
        let target = name::snake(&self.models[key.target].ident);
        let alone = model
            .foreign_keys
            .iter()
            .filter(|k| k.target == key.target)
            .count()
            == 1;
        let mut wanted = Vec::new();
        let mut by_column = None;
        if let [only] = key.key.columns.as_slice()
            && let Some(field) = model.field(only)
        {
            let stem = field.ident.strip_suffix("_id").filter(|s| !s.is_empty());
            wanted.extend(stem.map(str::to_owned));
            let stem = stem.unwrap_or(&field.ident);
            by_column = (stem != target).then(|| format!("{stem}_{target}"));
        }
        match alone && wanted.is_empty() {
            true => wanted.extend([Some(target), by_column].into_iter().flatten()),
            false => wanted.extend([by_column, Some(target)].into_iter().flatten()),
        }
        wanted.retain(|w| !["self", "super", "crate"].contains(&w.as_str()));
        self.free(i, &wanted, "row")
    }

    pub(super) fn relations(&mut self) {
        for i in 0..self.models.len() {
            if let Some((a, b)) = self.join_table(i) {
                self.many_to_many(i, a, b);
                self.many_to_many(i, b, a);
                continue;
            }
            for k in 0..self.models[i].foreign_keys.len() {
                self.has(i, k);
            }
        }
    }

    /// The two keys of a table that has nothing else.
    fn join_table(&self, i: usize) -> Option<(usize, usize)> {
        let model = &self.models[i];
        let [a, b] = model.foreign_keys.as_slice() else {
            return None;
        };
        let ([x], [y]) = (a.key.columns.as_slice(), b.key.columns.as_slice()) else {
            return None;
        };
        let pure = model.key.len() == 2 && model.fields.len() == 2 && x != y;
        (pure && model.is_key(x) && model.is_key(y)).then_some((0, 1))
    }

    fn many_to_many(&mut self, via: usize, own: usize, other: usize) {
        let model = &self.models[via];
        let (own, other) = (&model.foreign_keys[own], &model.foreign_keys[other]);
        let (at, to) = (own.target, other.target);
        let by = model.idents(&own.key.columns).concat();
        let to_field = model.idents(&other.key.columns).concat();
        let convention = |of: usize| format!("{}_id", name::snake(&self.models[of].ident));
        let plural = name::plural_last(&name::snake(&self.models[to].ident));
        let named = name::plural_last(&other.name);
        let wanted = match at == to {
            true => vec![named],
            false => vec![
                plural.clone(),
                format!("{plural}_by_{}", name::snake(&model.ident)),
            ],
        };
        let relation = self.free(at, &wanted, "rows");
        let mut text = format!(
            "many_to_many({}: {}, via = {}",
            name::ident(&relation),
            self.models[to].ident,
            model.ident
        );
        if by != convention(at) {
            text.push_str(&format!(", by = {by}"));
        }
        if to_field != convention(to) {
            text.push_str(&format!(", to = {to_field}"));
        }
        text.push(')');
        self.models[at].relations.push(relation);
        self.models[at].inverse.push(text);
    }

    fn has(&mut self, i: usize, k: usize) {
        let model = &self.models[i];
        let key = &model.foreign_keys[k];
        let at = key.target;
        let one = is_unique(model, &key.key.columns);
        let snake = name::snake(&model.ident);
        let word = match one {
            true => snake,
            false => name::plural_last(&snake),
        };
        let alone = at != i
            && model
                .foreign_keys
                .iter()
                .filter(|other| other.target == at)
                .count()
                == 1;
        let by_key = format!("{word}_by_{}", key.name);
        let wanted = match alone {
            true => vec![word, by_key],
            false => vec![by_key],
        };
        let relation = self.free(at, &wanted, "rows");
        let by = match model.idents(&key.key.columns).as_slice() {
            [only] if *only == format!("{}_id", name::snake(&self.models[at].ident)) => String::new(),
            [only] => format!(", by = {only}"),
            several => format!(", by = ({})", several.join(", ")),
        };
        let kind = if one { "has_one" } else { "has_many" };
        let text = format!("{kind}({}: {}{by})", name::ident(&relation), model.ident);
        self.models[at].relations.push(relation);
        self.models[at].inverse.push(text);
    }
}

/// Whether no two rows share the values.
fn is_unique(model: &ModelDraft<'_>, columns: &[String]) -> bool {
    let whole = |i: &&Index| i.unique && i.filter.is_none() && i.parts.iter().all(|p| !p.expression);
    let same =
        |names: Vec<&String>| names.len() == columns.len() && columns.iter().all(|c| names.contains(&c));
    let indexes = model.table.indexes.iter().filter(whole);
    let mut indexes = indexes.map(|i| i.parts.iter().map(|p| &p.key).collect::<Vec<_>>());
    same(model.key.iter().collect())
        || model
            .table
            .uniques
            .iter()
            .any(|u| same(u.columns.iter().collect()))
        || indexes.any(same)
}
