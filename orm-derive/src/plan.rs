//! Second room, first half: every decision about a model in one value. Column and constraint names, what the key
//! is, which columns the library keeps itself, which fields a new row needs.
//!
//! Pure and lenient: a name that does not exist is left out here and reported by `check`. What expands a plan
//! decides nothing.

mod columns;

pub(crate) use crate::plan::columns::key_fields;

use proc_macro2::Span;
use quote::format_ident;
use syn::{Ident, LitStr, Path, Type};

use crate::name::{self, Constraint};
use crate::parse::field::{DefaultValue, Field};
use crate::parse::index::{Method, Part, PartKey};
use crate::parse::relation::{ActionKind, Relation, RelationKind};
use crate::parse::{FieldPath, Model, plain};
use crate::ty;

pub(crate) struct Plan<'m> {
    pub(crate) model: &'m Model,
    /// Of an embedded struct: columns, and nothing that a table has beside them.
    pub(crate) is_embed: bool,
    pub(crate) table: String,
    /// Stored columns: those of the fields in their order, then the shadow columns.
    pub(crate) columns: Vec<Column<'m>>,
    pub(crate) key: Key,
    pub(crate) uniques: Vec<Unique<'m>>,
    pub(crate) indexes: Vec<Index<'m>>,
    pub(crate) foreign_keys: Vec<ForeignKey<'m>>,
    pub(crate) checks: Vec<Check<'m>>,
    pub(crate) relations: Vec<RelationPlan<'m>>,
}

/// One column, or those of an embedded struct.
pub(crate) struct Column<'m> {
    /// `None`: a shadow column, which the struct does not show.
    pub(crate) field: Option<&'m Field>,
    /// Its name in Rust.
    pub(crate) member: Ident,
    /// Its name in SQL; of an embedded struct what stands before the names.
    pub(crate) name: String,
    pub(crate) ty: ColumnType<'m>,
    pub(crate) nullable: bool,
    pub(crate) kind: Kind,
    pub(crate) insert: Insert,
    pub(crate) role: Option<Role>,
}

/// A single column of the table.
#[derive(Clone)]
pub(crate) struct Slot {
    pub(crate) column: usize,
    pub(crate) span: Span,
    /// The field of an embedded struct, `city` or `geo.lat`; else empty.
    pub(crate) part: String,
}

impl Slot {
    pub(crate) fn whole(column: usize) -> Self {
        Slot {
            column,
            span: Span::call_site(),
            part: String::new(),
        }
    }

    /// The part as the end of a name.
    pub(crate) fn suffix(&self) -> String {
        self.part.replace('.', "_")
    }
}

#[derive(Clone, Copy)]
pub(crate) enum ColumnType<'m> {
    Field(&'m Type),
    Timestamp,
    OptionTimestamp,
    Actor(&'m Type),
    OptionActor(&'m Type),
    Text,
}

/// What may be done with a column by type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Unique,
    /// The key, made by the library or the database.
    Pk,
    /// The key, given by the user.
    NaturalPk,
    /// One column of a key of several.
    KeyPart,
    /// Set by the library or the database only.
    Managed,
}

/// Part in `NewX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Insert {
    /// A field of `NewX`.
    Required,
    /// May be set.
    Optional,
    /// May not be set.
    Never,
}

/// What the library uses a column for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    CreatedAt,
    UpdatedAt,
    DeletedAt,
    CreatedBy,
    UpdatedBy,
    DeletedBy,
    Version,
    Tenant,
    Discriminator,
}

impl Role {
    /// Those that a table keeps the places of.
    pub(crate) const MANAGED: usize = 8;
}

/// The primary key as indices into the columns; empty when there is none.
pub(crate) struct Key {
    pub(crate) columns: Vec<usize>,
    pub(crate) generation: Option<Generation>,
}

/// Who makes a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generation {
    /// The database counts up.
    Identity,
    /// The client makes a UUID version 7.
    UuidV7,
}

pub(crate) struct Unique<'m> {
    pub(crate) name: String,
    pub(crate) columns: Vec<Slot>,
    /// Rows the user limits it to; then its columns are not unique in the table.
    pub(crate) predicate: Option<String>,
    pub(crate) origin: Origin<'m>,
}

pub(crate) struct Index<'m> {
    pub(crate) name: String,
    pub(crate) parts: Vec<IndexPart>,
    pub(crate) unique: bool,
    pub(crate) predicate: Option<String>,
    pub(crate) include: Vec<Slot>,
    pub(crate) method: Method,
    pub(crate) storage: Option<String>,
    pub(crate) origin: Origin<'m>,
}

impl Index<'_> {
    /// The columns it sorts by.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &Slot> {
        self.parts.iter().filter_map(|part| match &part.key {
            IndexKey::Column(slot) => Some(slot),
            IndexKey::Expression(_) => None,
        })
    }
}

pub(crate) struct IndexPart {
    pub(crate) key: IndexKey,
    pub(crate) op_class: Option<String>,
    pub(crate) descending: bool,
    pub(crate) nulls_first: Option<bool>,
}

pub(crate) enum IndexKey {
    Column(Slot),
    Expression(String),
}

/// What asked for an index or a check, for messages about it.
#[derive(Clone, Copy)]
pub(crate) enum Origin<'m> {
    Struct(Span),
    Field(&'m Field),
}

pub(crate) struct ForeignKey<'m> {
    pub(crate) name: String,
    pub(crate) columns: Vec<usize>,
    pub(crate) target: Target<'m>,
    pub(crate) on_delete: ActionKind,
    pub(crate) on_update: ActionKind,
    pub(crate) deferrable: bool,
    pub(crate) initially_deferred: bool,
}

/// The model whose key is referred to.
#[derive(Clone, Copy)]
pub(crate) enum Target<'m> {
    Model(&'m Path),
    /// From `audit(by = Id<User>)`.
    Actor(&'m Type),
}

pub(crate) struct Check<'m> {
    pub(crate) name: String,
    pub(crate) sql: String,
    pub(crate) origin: Origin<'m>,
}

pub(crate) struct RelationPlan<'m> {
    pub(crate) relation: &'m Relation,
    /// `UserPosts`, the zero-sized type of the relation.
    pub(crate) marker: Ident,
    /// Own columns: the foreign key of `belongs_to`, else the primary key.
    pub(crate) local: Vec<usize>,
    /// Columns of the other model (`has_*`) or of the join table (`many_to_many`) that refer to `local`.
    pub(crate) foreign: Vec<Ident>,
    /// `many_to_many`: the join table's columns that refer to the other model.
    pub(crate) to: Vec<Ident>,
    /// `belongs_to` and `belongs_to_any`: the key may be NULL.
    pub(crate) optional: bool,
}

impl<'m> Plan<'m> {
    pub(crate) fn of_embed(model: &'m Model) -> Self {
        Plan {
            model,
            is_embed: true,
            key: Key {
                columns: vec![],
                generation: None,
            },
            columns: columns::columns(model),
            table: plain(&model.ident),
            uniques: Vec::new(),
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            relations: Vec::new(),
        }
    }

    pub(crate) fn new(model: &'m Model) -> Self {
        let mut plan = Plan::of_embed(model);
        plan.is_embed = false;
        plan.table = match &model.options.table {
            Some(table) => table.value(),
            None => name::table(&table_word(model)),
        };
        plan.key();
        plan.uniques();
        plan.kinds();
        plan.indexes();
        plan.foreign_keys();
        plan.checks();
        plan.relations();
        plan
    }

    /// An enum of variants.
    pub(crate) fn is_base(&self) -> bool {
        !self.model.variants.is_empty()
    }

    /// What the discriminator says of a variant.
    pub(crate) fn label(&self) -> String {
        let options = &self.model.options;
        let tag = options.tag.as_ref().map(LitStr::value);
        tag.unwrap_or_else(|| name::snake(&plain(&self.model.ident)))
    }

    /// The column of a field or shadow column, by its Rust name without `r#`.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns
            .iter()
            .position(|column| plain(&column.member) == name)
    }

    pub(crate) fn role(&self, role: Role) -> Option<usize> {
        self.columns.iter().position(|column| column.role == Some(role))
    }

    fn all(&self, names: &[Ident]) -> Vec<usize> {
        names
            .iter()
            .filter_map(|name| self.column(&plain(name)))
            .collect()
    }

    /// The column of a field; none where an embedded struct is meant as a whole.
    pub(crate) fn slot(&self, path: &FieldPath) -> Option<Slot> {
        let column = self.column(&plain(&path.head))?;
        let embedded = self.columns.get(column)?.embed().is_some();
        let part: Vec<String> = path.rest.iter().map(plain).collect();
        (embedded != part.is_empty()).then(|| Slot {
            column,
            span: path.rest.last().unwrap_or(&path.head).span(),
            part: part.join("."),
        })
    }

    fn slots(&self, paths: &[FieldPath]) -> Vec<Slot> {
        paths.iter().filter_map(|path| self.slot(path)).collect()
    }

    /// Its name in SQL, as far as it is known here: an embedded struct may rename its columns.
    pub(crate) fn sql_name(&self, slot: &Slot) -> String {
        let column = self.columns.get(slot.column);
        column.map_or("", |column| column.name.as_str()).to_owned() + &slot.suffix()
    }

    fn named(&self, kind: Constraint, slots: &[Slot], given: Option<&LitStr>) -> String {
        let names = || slots.iter().map(|slot| self.sql_name(slot)).collect::<Vec<_>>();
        given.map_or_else(|| constraint(kind, &self.table, &names()), LitStr::value)
    }

    fn named_columns(&self, kind: Constraint, columns: &[usize]) -> String {
        let slots: Vec<Slot> = columns.iter().copied().map(Slot::whole).collect();
        self.named(kind, &slots, None)
    }

    fn key(&mut self) {
        let fields = columns::key_fields(self.model);
        self.key.columns = fields
            .iter()
            .filter_map(|field| self.column(&field.name()))
            .collect();
        if let [field] = fields.as_slice() {
            self.key.generation = columns::generation(self.model, field);
        }
    }

    fn uniques(&mut self) {
        let mut uniques = Vec::new();
        for (i, column) in self.columns.iter().enumerate() {
            if let Some(field) = column.field.filter(|f| f.attrs.unique.is_some()) {
                let columns = vec![Slot::whole(i)];
                let name = self.named(Constraint::Unique, &columns, None);
                let origin = Origin::Field(field);
                uniques.push(Unique {
                    name,
                    columns,
                    predicate: None,
                    origin,
                });
            }
        }
        for unique in &self.model.options.uniques {
            let columns = self.slots(&unique.columns);
            let name = self.named(Constraint::Unique, &columns, unique.name.as_ref());
            let predicate = unique.predicate.as_ref().map(LitStr::value);
            uniques.push(Unique {
                name,
                columns,
                predicate,
                origin: Origin::Struct(unique.span),
            });
        }
        self.uniques = uniques;
    }

    fn kinds(&mut self) {
        let generated = self.key.generation.is_some();
        let single: Vec<usize> = self
            .uniques
            .iter()
            .filter(|unique| unique.columns.len() == 1 && unique.predicate.is_none())
            .filter_map(|unique| unique.columns.first().filter(|slot| slot.part.is_empty()))
            .map(|slot| slot.column)
            .collect();
        for (i, column) in self.columns.iter_mut().enumerate() {
            let key = self.key.columns.contains(&i);
            column.kind = match () {
                () if column.role.is_some() || column.is_generated() => Kind::Managed,
                () if key && self.key.columns.len() > 1 => Kind::KeyPart,
                () if key && generated => Kind::Pk,
                () if key => Kind::NaturalPk,
                () if single.contains(&i) => Kind::Unique,
                () => Kind::Plain,
            };
            column.insert = match column.kind {
                Kind::Managed | Kind::Pk => Insert::Never,
                _ if column.nullable || column.default().is_some() => Insert::Optional,
                _ => Insert::Required,
            };
        }
    }

    fn indexes(&mut self) {
        let mut indexes = Vec::new();
        for (i, column) in self.columns.iter().enumerate() {
            if let Some(field) = column.field.filter(|f| f.attrs.index.is_some()) {
                indexes.push(self.plain_index(i, Origin::Field(field)));
            }
        }
        for written in &self.model.options.indexes {
            let kind = if written.unique {
                Constraint::Unique
            } else {
                Constraint::Index
            };
            let parts: Vec<IndexPart> = written.parts.iter().filter_map(|part| self.part(part)).collect();
            let words: Vec<String> = parts.iter().map(|part| self.part_name(part)).collect();
            indexes.push(Index {
                name: written
                    .name
                    .as_ref()
                    .map_or_else(|| constraint(kind, &self.table, &words), LitStr::value),
                unique: written.unique,
                predicate: written.predicate.as_ref().map(LitStr::value),
                include: self.slots(&written.include),
                method: written.method.unwrap_or(Method::BTree),
                storage: written.storage.as_ref().map(LitStr::value),
                origin: Origin::Struct(written.span),
                parts,
            });
        }
        for relation in self.pairs() {
            let leads = |slot: Option<&Slot>, at| slot.is_some_and(|slot: &Slot| slot.column == at);
            let Some(at) = relation.by.first().and_then(|by| self.column(&plain(by))) else {
                continue;
            };
            let indexed = indexes
                .iter()
                .any(|index: &Index<'_>| leads(index.columns().next(), at))
                || self
                    .uniques
                    .iter()
                    .any(|unique| leads(unique.columns.first(), at));
            if !indexed {
                indexes.push(self.index_of_pair(relation, at));
            }
        }
        self.indexes = indexes;
    }

    /// The associations by discriminator and key.
    fn pairs(&self) -> impl Iterator<Item = &'m Relation> + use<'m> {
        let any =
            |relation: &&Relation| relation.kind == RelationKind::BelongsToAny && relation.arc.is_none();
        self.model.relations.iter().filter(any)
    }

    /// The rows that belong to one row are found as by a foreign key.
    fn index_of_pair(&self, relation: &Relation, column: usize) -> Index<'m> {
        let part = |part: &str| IndexPart {
            key: IndexKey::Column(Slot {
                column,
                span: relation.name.span(),
                part: part.to_owned(),
            }),
            descending: false,
            nulls_first: None,
            op_class: None,
        };
        Index {
            name: constraint(Constraint::Index, &self.table, &self.names_of_pair(column)),
            parts: vec![part("kind"), part("id")],
            unique: false,
            predicate: None,
            include: vec![],
            method: Method::BTree,
            storage: None,
            origin: Origin::Struct(relation.name.span()),
        }
    }

    fn names_of_pair(&self, column: usize) -> [String; 2] {
        let prefix = self.columns.get(column).map_or("", |column| column.name.as_str());
        ["type", "id"].map(|name| format!("{prefix}{name}"))
    }

    fn part(&self, part: &Part) -> Option<IndexPart> {
        let key = match &part.key {
            PartKey::Column(name) => IndexKey::Column(self.slot(name)?),
            PartKey::Expression(sql) => IndexKey::Expression(sql.value()),
        };
        Some(IndexPart {
            key,
            op_class: part.op_class.as_ref().map(LitStr::value),
            descending: part.descending,
            nulls_first: part.nulls_first,
        })
    }

    fn part_name(&self, part: &IndexPart) -> String {
        match &part.key {
            IndexKey::Column(slot) => self.sql_name(slot),
            IndexKey::Expression(sql) => sql.clone(),
        }
    }

    fn plain_index(&self, column: usize, origin: Origin<'m>) -> Index<'m> {
        let ascending = IndexPart {
            key: IndexKey::Column(Slot::whole(column)),
            op_class: None,
            descending: false,
            nulls_first: None,
        };
        Index {
            name: self.named_columns(Constraint::Index, &[column]),
            parts: vec![ascending],
            unique: false,
            predicate: None,
            include: vec![],
            method: Method::BTree,
            storage: None,
            origin,
        }
    }

    fn foreign_keys(&mut self) {
        // a view refers to rows as its tables do
        if self.model.options.view.is_some() {
            return;
        }
        let written = self
            .model
            .relations
            .iter()
            .filter(|relation| relation.kind == RelationKind::BelongsTo);
        let mut keys: Vec<ForeignKey<'m>> = written.map(|relation| self.foreign_key(relation)).collect();
        for role in [Role::CreatedBy, Role::UpdatedBy, Role::DeletedBy] {
            keys.extend(self.actor_key(role));
        }
        self.foreign_keys = keys;
    }

    fn foreign_key(&self, relation: &'m Relation) -> ForeignKey<'m> {
        let columns = self.all(&relation.by);
        ForeignKey {
            name: self.named_columns(Constraint::ForeignKey, &columns),
            columns,
            target: Target::Model(&relation.target),
            on_delete: relation
                .on_delete
                .map_or(ActionKind::Restrict, |action| action.kind),
            on_update: relation
                .on_update
                .map_or(ActionKind::NoAction, |action| action.kind),
            deferrable: relation.deferrable.is_some() || relation.initially_deferred.is_some(),
            initially_deferred: relation.initially_deferred.is_some(),
        }
    }

    /// Only an `Id<Model>` says what it refers to, and a relation over the same column says it already.
    fn actor_key(&self, role: Role) -> Option<ForeignKey<'m>> {
        let audit = self.model.options.audit.as_ref()?;
        let column = self.role(role)?;
        let target = Target::Actor(ty::id(&audit.by)?.model);
        let member = self.columns.get(column).map(|column| plain(&column.member))?;
        let mut keys = self.model.relations.iter().map(|relation| relation.by.as_slice());
        if keys.any(|by| matches!(by, [only] if plain(only) == member)) {
            return None;
        }
        Some(ForeignKey {
            name: self.named_columns(Constraint::ForeignKey, &[column]),
            columns: vec![column],
            target,
            on_delete: ActionKind::Restrict,
            on_update: ActionKind::NoAction,
            deferrable: false,
            initially_deferred: false,
        })
    }

    fn checks(&mut self) {
        let mut checks = Vec::new();
        for column in &self.columns {
            if let Some((field, sql)) = column
                .field
                .and_then(|f| f.attrs.check.as_ref().map(|sql| (f, sql)))
            {
                let name = constraint(Constraint::Check, &self.table, &[&column.name]);
                checks.push(Check {
                    name,
                    sql: sql.value(),
                    origin: Origin::Field(field),
                });
            }
        }
        for relation in &self.model.relations {
            if let Some(sql) = self.condition_of_any(relation) {
                checks.push(Check {
                    name: constraint(Constraint::Check, &self.table, &[plain(&relation.name)]),
                    sql,
                    origin: Origin::Struct(relation.name.span()),
                });
            }
        }
        for check in &self.model.options.checks {
            let sql = check.sql.value();
            let name = check
                .name
                .as_ref()
                .map_or_else(|| name::check(&self.table, &sql), LitStr::value);
            checks.push(Check {
                name,
                sql,
                origin: Origin::Struct(check.sql.span()),
            });
        }
        self.checks = checks;
    }

    /// An arc has one key, and a discriminator stands with its key.
    fn condition_of_any(&self, relation: &Relation) -> Option<String> {
        let columns = self.all(&relation.by);
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        match (relation.kind, relation.arc, columns.as_slice()) {
            (RelationKind::BelongsToAny, None, [only]) => {
                let [kind, id] = self.names_of_pair(*only).map(|name| quoted(&name));
                let nullable = self.columns.get(*only)?.nullable;
                nullable.then(|| format!("({kind} IS NULL) = ({id} IS NULL)"))
            }
            (RelationKind::BelongsToAny, Some(_), columns) => {
                let names = columns.iter().filter_map(|&i| self.columns.get(i));
                let set = names.map(|c| format!("CASE WHEN {} IS NULL THEN 0 ELSE 1 END", quoted(&c.name)));
                let (sum, how_many) = (
                    set.collect::<Vec<_>>().join(" + "),
                    relation.optional.map_or("=", |_| "<="),
                );
                Some(format!("{sum} {how_many} 1"))
            }
            _ => None,
        }
    }

    fn relations(&mut self) {
        self.relations = self
            .model
            .relations
            .iter()
            .map(|relation| self.relation(relation))
            .collect();
    }

    fn relation(&self, relation: &'m Relation) -> RelationPlan<'m> {
        let model = &self.model.ident;
        let word = name::pascal(&plain(&relation.name));
        let belongs = matches!(
            relation.kind,
            RelationKind::BelongsTo | RelationKind::BelongsToAny
        );
        let local = if belongs {
            self.all(&relation.by)
        } else {
            self.key.columns.clone()
        };
        let mut nullable = local
            .iter()
            .map(|&i| self.columns.get(i).is_some_and(|column| column.nullable));
        let optional = match relation.arc {
            Some(_) => relation.optional.is_some(),
            None => belongs && nullable.any(|nullable| nullable),
        };
        let by_convention = |names: &[Ident], model: &Ident| match names {
            [] => vec![Ident::new(
                &name::foreign_key_column(&plain(model)),
                relation.name.span(),
            )],
            given => given.to_vec(),
        };
        let target = relation
            .target
            .segments
            .last()
            .map_or(model, |segment| &segment.ident);
        RelationPlan {
            relation,
            marker: format_ident!("{}{}", plain(model), word, span = relation.name.span()),
            local,
            foreign: if belongs || relation.by_association.is_some() {
                Vec::new()
            } else {
                by_convention(&relation.by, model)
            },
            to: match relation.kind {
                RelationKind::ManyToMany => by_convention(&relation.to, target),
                RelationKind::HasOne
                | RelationKind::HasMany
                | RelationKind::BelongsTo
                | RelationKind::BelongsToAny => Vec::new(),
            },
            optional,
        }
    }
}

impl<'m> Column<'m> {
    /// The discriminator of a variant, which nobody asks for or sets.
    pub(crate) fn is_hidden(&self) -> bool {
        self.role == Some(Role::Discriminator) && plain(&self.member) == columns::HIDDEN
    }

    pub(crate) fn is_generated(&self) -> bool {
        self.field.is_some_and(|field| field.attrs.generated.is_some())
    }

    /// Stored as JSON: the place of the attribute.
    pub(crate) fn json(&self) -> Option<Span> {
        self.field.and_then(|field| field.attrs.json)
    }

    /// An embedded struct: the place of the attribute.
    pub(crate) fn embed(&self) -> Option<Span> {
        self.field.and_then(|field| field.attrs.embed)
    }

    pub(crate) fn default(&self) -> Option<&'m DefaultValue> {
        self.field.and_then(|field| field.attrs.default.as_ref())
    }
}

/// The model whose plural is the table's name.
fn table_word(model: &Model) -> String {
    let base = model
        .options
        .variant_of
        .as_ref()
        .filter(|_| model.options.joined.is_none());
    let last = base.and_then(|base| base.segments.last());
    plain(last.map_or(&model.ident, |segment| &segment.ident))
}

fn constraint<S: AsRef<str>>(kind: Constraint, table: &str, parts: &[S]) -> String {
    name::constraint(kind, table, parts)
}
