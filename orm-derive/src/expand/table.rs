//! The table as data: two statics that everything else points at.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use crate::expand::embed::{self, position};
use crate::expand::family;
use crate::expand::names::{Names, column_type, field, named};
use crate::name;
use crate::parse::field::{DefaultValue, Field};
use crate::parse::index::Method;
use crate::parse::relation::{ActionKind, RelationKind};
use crate::parse::{Definition, plain};
use crate::plan::{
    Check, Column, ForeignKey, Generation, Index, IndexKey, IndexPart, Plan, Role, Slot, Target, Unique,
};
use crate::ty;

/// `__COLUMNS` and `__TABLE`.
pub(crate) fn statics(plan: &Plan<'_>, names: &Names) -> TokenStream {
    let columns = columns(plan);
    let family = family::statics(plan, names);
    let fields = family::fields(plan);
    let (model, comment) = (
        plain(&plan.model.ident),
        text(plan.model.options.comment.as_deref()),
    );
    let statement = statement(plan);
    let kind = match plan.model.options.view {
        Some(_) => quote!(View),
        None => quote!(Table),
    };
    let view = option(plan.model.options.view.as_ref().map(|view| {
        let materialized = plan.model.options.materialized.is_some();
        let definition = option(
            view.definition
                .as_ref()
                .map(|definition| definition_of(plan, definition)),
        );
        quote!(__orm::View { materialized: #materialized, definition: #definition })
    }));
    let key = positions(plan, &plan.key.columns);
    let uniques = plan.uniques.iter().map(|u| unique(plan, u));
    let indexes = plan.indexes.iter().map(|i| index(plan, i));
    let checks = plan.checks.iter().map(check);
    let foreign_keys = plan.foreign_keys.iter().map(|key| foreign_key(plan, key));
    let managed = managed(plan);
    let (options, ident) = (&plan.model.options, &plan.model.ident);
    let validators = options.validators.iter().map(|path| {
        validator(
            path,
            |check| quote!(__orm::check_row::<#ident, _>(values, #check)),
        )
    });
    let validated = validated(plan);
    let validated = match plan.is_base() {
        true => quote!(#validated || __orm::watched(__KINDS)),
        false => quote!(#validated),
    };
    let hooks = option(options.hooks.map(|span| {
        quote_spanned! {span=> || {
            static HOOKS: __orm::HookTable = __orm::HookTable::of::<#ident>();
            &HOOKS
        }}
    }));
    let trail = option(options.audit_trail.map(|trail| {
        let engine = match trail.by_triggers {
            true => quote!(Triggers),
            false => quote!(Library),
        };
        quote! {
            __orm::Trail {
                log: || <__orm::AuditLog as __orm::Model>::TABLE,
                engine: __orm::TrailEngine::#engine,
            }
        }
    }));
    let append_only = options.append_only.is_some();
    let chain = option(options.hash_chain.map(|_| quote!(&__CHAIN)));
    let searched = option(options.search.as_ref().map(|_| quote!(&__SEARCH)));
    let search_static = search(plan);
    let history_static = options
        .history
        .map(|_| beside(plan, "__HISTORY", "history", true));
    let chain_static = options
        .hash_chain
        .map(|_| beside(plan, "__CHAIN", "chain", false));
    let (module, relations) = (
        &names.module,
        plan.relations
            .iter()
            .filter(|relation| relation.relation.kind != RelationKind::BelongsToAny)
            .map(|relation| &relation.marker),
    );
    let (base, variants) = (family::base(plan), family::variants(plan));
    quote! {
        #columns
        #history_static
        #chain_static
        #search_static
        #family
        static __TABLE: __orm::Table = __orm::Table {
            table: #statement,
            model: #model,
            kind: __orm::TableKind::#kind,
            view: #view,
            columns: &__COLUMNS,
            fields: #fields,
            key: &[#key],
            uniques: &[#(#uniques),*],
            indexes: &[#(#indexes),*],
            checks: &[#(#checks),*],
            foreign_keys: &[#(#foreign_keys),*],
            managed: #managed,
            validators: &[#(#validators),*],
            validated: #validated,
            hooks: #hooks,
            trail: #trail,
            append_only: #append_only,
            chain: #chain,
            search: #searched,
            base: #base,
            variants: #variants,
            relations: &[#(<#module::#relations as __orm::Rel>::DEF),*],
            comment: #comment,
        };
    }
}

/// What the rows of a view are. Errors about a query land on it.
fn definition_of(plan: &Plan<'_>, definition: &Definition) -> TokenStream {
    let query = match definition {
        Definition::Sql(sql) => return quote!(__orm::Definition::Sql(#sql)),
        Definition::Query(query) => query,
    };
    let private = quote!(__orm);
    let stored = plan.columns.iter().filter(|column| column.field.is_some());
    let types: Vec<TokenStream> = stored.map(|column| column_type(column, &private)).collect();
    let row = match types.as_slice() {
        [one] => quote!(#one),
        several => quote!((#(#several),*)),
    };
    quote_spanned!(query.span()=> __orm::Definition::Query(|| __orm::definition::<#row, _>(#query)))
}

/// Whether the model has validators of its own.
pub(crate) fn validated(plan: &Plan<'_>) -> bool {
    let of_field = |field: &Field| field.attrs.validate.is_some();
    !plan.model.options.validators.is_empty() || plan.model.fields.iter().any(of_field)
}

/// `__COLUMNS`.
pub(crate) fn columns(plan: &Plan<'_>) -> TokenStream {
    let (name, count) = (
        family::own_columns(plan),
        embed::own_position(plan, plan.columns.len()),
    );
    let placed = |columns: TokenStream| family::placed(plan, columns);
    let columns = plan.columns.iter().enumerate();
    if plan.columns.iter().all(|c| c.embed().is_none()) {
        let columns = columns.map(|(i, c)| column(plan, i, c));
        let columns = placed(quote!([#(#columns),*]));
        return quote!(static #name: [__orm::Column; #count] = #columns;);
    }
    let (mut own, mut embeds): (Vec<TokenStream>, Vec<TokenStream>) = (Vec::new(), Vec::new());
    for (i, c) in columns {
        if c.embed().is_some() {
            let comment = text(c.field.and_then(|field| field.attrs.comment.as_deref()));
            embeds.push(embed::embedding(i, c, own.len(), comment));
        } else {
            own.push(column(plan, i, c));
        }
    }
    let (lists, checks) = (embed::lists(plan), embed::checks(plan));
    let columns = placed(quote!(__orm::columns(&[#(#own),*], &[#(#embeds),*])));
    quote! {
        #lists
        static #name: [__orm::Column; #count] = #columns;
        #checks
    }
}

fn positions(plan: &Plan<'_>, columns: &[usize]) -> TokenStream {
    let positions = columns.iter().map(|&i| position(plan, i));
    quote!(#(#positions),*)
}

fn slots(plan: &Plan<'_>, slots: &[Slot]) -> TokenStream {
    let positions = slots.iter().map(|slot| embed::slot(plan, slot));
    quote!(#(#positions),*)
}

fn text(text: Option<&str>) -> &str {
    text.unwrap_or("")
}

pub(crate) fn option(value: Option<impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// The part of the table that statements need.
fn statement(plan: &Plan<'_>) -> TokenStream {
    let (schema, name) = family::name(plan);
    let (tag, parts) = (family::tag(plan), family::parts(plan));
    let whole = plan.uniques.iter().filter(|unique| unique.predicate.is_none());
    let key: Vec<Slot> = plan.key.columns.iter().copied().map(Slot::whole).collect();
    let key = (!key.is_empty()).then_some(&key);
    let unique = key
        .into_iter()
        .chain(whole.map(|unique| &unique.columns))
        .map(|slots| {
            let columns = slots.iter().map(|slot| embed::slot(plan, slot));
            quote!(&[#(&__COLUMNS[#columns].column),*])
        });
    let guard = |role: Role| {
        option(plan.role(role).map(|i| {
            let at = position(plan, i);
            quote!(&__COLUMNS[#at].column)
        }))
    };
    let (soft_delete, tenant) = (guard(Role::DeletedAt), guard(Role::Tenant));
    let ident = &plan.model.ident;
    let filters = plan.model.options.filters.iter().map(|filter| {
        let (name, condition) = (plain(&filter.name), &filter.condition);
        let condition = quote_spanned!(condition.span()=> __orm::condition::<#ident, _>(source, #condition));
        quote!(__orm::ast::NamedFilter { name: #name, condition: |source| #condition })
    });
    let history = option(plan.model.options.history.map(|_| quote!(&__HISTORY)));
    quote! {
        __orm::AstTable {
            schema: #schema,
            name: #name,
            unique: &[#(#unique),*],
            soft_delete: #soft_delete,
            tenant: #tenant,
            filters: &[#(#filters),*],
            history: #history,
            tag: #tag,
            parts: #parts,
        }
    }
}

/// A table that the library keeps beside that of the model.
fn beside(plan: &Plan<'_>, name: &str, suffix: &str, guarded: bool) -> TokenStream {
    let ident = quote::format_ident!("{name}");
    let schema = option(plan.model.options.schema.as_ref());
    let table = name::shorten(format!("{}_{suffix}", plan.table));
    let guard = |role: Role| {
        option(plan.role(role).filter(|_| guarded).map(|i| {
            let at = position(plan, i);
            quote!(&__COLUMNS[#at].column)
        }))
    };
    let (soft_delete, tenant) = (guard(Role::DeletedAt), guard(Role::Tenant));
    quote! {
        static #ident: __orm::AstTable = __orm::AstTable {
            schema: #schema,
            name: #table,
            unique: &[],
            soft_delete: #soft_delete,
            tenant: #tenant,
            filters: &[],
            history: ::core::option::Option::None,
            tag: ::core::option::Option::None,
            parts: &[],
        };
    }
}

/// What a full-text search looks at, and that it is text.
fn search(plan: &Plan<'_>) -> Option<TokenStream> {
    let search = plan.model.options.search.as_ref()?;
    let name = name::shorten(format!("{}_search", plan.table));
    let at = |i: usize| position(plan, i);
    let key = option(match plan.key.columns.as_slice() {
        &[i] => {
            let at = at(i);
            Some(quote!(&__COLUMNS[#at].column))
        }
        _ => None,
    });
    let fields = search.fields.iter().filter_map(|(name, letter)| {
        let i = plan.column(&plain(name))?;
        Some((i, plan.columns.get(i)?, letter))
    });
    let fields: Vec<_> = fields.collect();
    let columns = fields.iter().map(|(i, _, letter)| {
        let at = at(*i);
        let weight = letter
            .as_ref()
            .map_or_else(|| quote!(D), ToTokens::to_token_stream);
        let weight = format_ident!("{}", weight.to_string());
        quote!(__orm::SearchColumn { column: &__COLUMNS[#at].column, weight: __orm::SearchWeight::#weight })
    });
    let checks = fields.iter().map(|(_, column, _)| {
        let ty = column_type(column, &quote!(__orm));
        let span = column
            .field
            .map_or_else(proc_macro2::Span::call_site, |field| field.ty.span());
        quote_spanned!(span=> const _: () = __orm::searched::<#ty>();)
    });
    let language = search
        .language
        .as_ref()
        .map_or_else(|| "simple".to_owned(), syn::LitStr::value);
    Some(quote! {
        static __SEARCH: __orm::Search = __orm::Search {
            name: #name,
            key: #key,
            columns: &[#(#columns),*],
            language: #language,
        };
        #(#checks)*
    })
}

fn managed(plan: &Plan<'_>) -> TokenStream {
    let set = plan.columns.iter().enumerate().filter_map(|(i, column)| {
        let name = match column.role? {
            Role::CreatedAt => quote!(created_at),
            Role::UpdatedAt => quote!(updated_at),
            Role::DeletedAt => quote!(deleted_at),
            Role::CreatedBy => quote!(created_by),
            Role::UpdatedBy => quote!(updated_by),
            Role::DeletedBy => quote!(deleted_by),
            Role::Version => quote!(version),
            Role::Tenant => quote!(tenant),
            Role::Discriminator => return None,
        };
        let at = position(plan, i);
        Some(quote!(#name: ::core::option::Option::Some(#at)))
    });
    let set: Vec<TokenStream> = set.collect();
    match set.as_slice() {
        [] => quote!(__orm::Managed::NONE),
        all if all.len() == Role::MANAGED => quote!(__orm::Managed { #(#all),* }),
        set => quote!(__orm::Managed { #(#set,)* ..__orm::Managed::NONE }),
    }
}

/// A column; what is not said is as in an ordinary one.
fn column(plan: &Plan<'_>, at: usize, column: &Column<'_>) -> TokenStream {
    if let (true, Some(base)) = (column.is_hidden(), &plan.model.options.variant_of) {
        return family::discriminator(base);
    }
    let ty = column_type(column, &quote!(__orm));
    let (name, member) = (&column.name, plain(&column.member));
    let comment = text(column.field.and_then(|field| field.attrs.comment.as_deref()));
    let described = field(plan, column);
    let mut built = quote!(#described.column(#name, #member, #comment));
    if let Some(field) = column.field {
        if let Some(decimal) = &field.attrs.decimal {
            let (precision, scale) = (decimal.precision as u8, decimal.scale as u8);
            built = quote_spanned!(decimal.span=> __orm::decimal(#built, #precision, #scale));
        }
        if matches!(
            column.role,
            Some(Role::CreatedAt | Role::UpdatedAt | Role::DeletedAt)
        ) {
            built = quote_spanned!(syn::spanned::Spanned::span(&field.ty)=> __orm::instant(#built));
        }
        if column.role == Some(Role::Version) {
            built = quote_spanned!(field.ty.span()=> __orm::version::<#ty>(#built));
        }
        if field.attrs.sensitive.is_some() {
            built = quote!(__orm::sensitive(#built));
        }
        if let Some(path) = &field.attrs.validate {
            let validator = validator(path, |check| {
                let value = match (column.json(), column.nullable) {
                    (None, _) => quote!(#check(value)),
                    (Some(_), false) => quote!(#check(&value.0)),
                    (Some(_), true) => quote!(match value {
                        ::core::option::Option::Some(json) => #check(&json.0),
                        ::core::option::Option::None => ::core::result::Result::Ok(()),
                    }),
                };
                quote!(__orm::check_value::<#ty, _>(values, |value| #value))
            });
            built = quote!(__orm::validated(#built, #validator));
        }
    }
    let default = default(plan, at, column, &ty).map(|default| quote!(default: #default,));
    let generated = column
        .field
        .and_then(|field| field.attrs.generated.as_ref())
        .map(|generated| {
            let (sql, stored) = (&generated.sql, generated.stored);
            quote!(generated: ::core::option::Option::Some(__orm::Generated { sql: #sql, stored: #stored }),)
        });
    let role = column.role.map(|role| {
        let role = role_name(role);
        quote!(role: __orm::Role::#role,)
    });
    let types = column
        .field
        .and_then(|field| field.attrs.ty.as_ref())
        .map(|types| {
            let types = types.iter().map(|(dialect, sql)| quote!((#dialect, #sql)));
            quote!(types: &[#(#types),*],)
        });
    let embedded = plan.is_embed.then(|| {
        let attrs = column.field.map(|field| &field.attrs);
        let index = attrs.and_then(|a| a.index).map(|_| quote!(index: true,));
        let check = attrs.and_then(|a| a.check.as_ref()).map(embed::condition);
        quote!(#index #check)
    });
    let changes: TokenStream = [types, default, generated, role, embedded]
        .into_iter()
        .flatten()
        .collect();
    match changes.is_empty() {
        true => built,
        false => quote!(__orm::Column { #changes ..#built }),
    }
}

/// A rule in the program, called by the name of its function.
fn validator(path: &Path, call: impl FnOnce(&Path) -> TokenStream) -> TokenStream {
    let name = path.segments.last().map(|s| plain(&s.ident)).unwrap_or_default();
    let call = call(path);
    quote_spanned!(path.span()=> __orm::Validator { name: #name, check: |values| #call })
}

fn role_name(role: Role) -> TokenStream {
    match role {
        Role::CreatedAt => quote!(CreatedAt),
        Role::UpdatedAt => quote!(UpdatedAt),
        Role::DeletedAt => quote!(DeletedAt),
        Role::CreatedBy => quote!(CreatedBy),
        Role::UpdatedBy => quote!(UpdatedBy),
        Role::DeletedBy => quote!(DeletedBy),
        Role::Version => quote!(Version),
        Role::Tenant => quote!(Tenant),
        Role::Discriminator => quote!(Discriminator),
    }
}

fn default(plan: &Plan<'_>, at: usize, column: &Column<'_>, ty: &TokenStream) -> Option<TokenStream> {
    let described = field(plan, column);
    let value = |value: TokenStream| quote!(|| #described.value(#value));
    if let Some(default) = column.default() {
        return Some(match default {
            DefaultValue::Sql(sql) => quote!(__orm::Default::Sql(#sql)),
            DefaultValue::Client(expr) => {
                let value = value(column.wrap_json(quote!(#expr)));
                quote!(__orm::Default::Function(#value))
            }
            DefaultValue::Literal(expr) => {
                let literal = match is_text(expr) {
                    true => quote!(::core::convert::Into::into(#expr)),
                    false => quote!(#expr),
                };
                quote! {
                    __orm::Default::Literal(|| {
                        <<#ty as __orm::SqlType>::Base as __orm::Scalar>::into_value(#literal)
                    })
                }
            }
        });
    }
    match plan.key.generation.filter(|_| plan.key.columns == [at])? {
        Generation::Identity => Some(quote!(__orm::Default::Identity)),
        Generation::UuidV7 => {
            let fresh = match ty::id(column.field.map(|field| &field.ty)?) {
                Some(_) => quote!(__orm::Id::new(__orm::new_v7())),
                None => quote!(__orm::new_v7()),
            };
            let value = value(fresh);
            Some(quote!(__orm::Default::Function(#value)))
        }
    }
}

fn is_text(expr: &syn::Expr) -> bool {
    matches!(expr, syn::Expr::Lit(lit) if matches!(lit.lit, syn::Lit::Str(_)))
}

fn unique(plan: &Plan<'_>, unique: &Unique<'_>) -> TokenStream {
    let (name, filter) = (&unique.name, option(unique.predicate.as_ref()));
    let columns = slots(plan, &unique.columns);
    quote!(__orm::Unique { name: #name, columns: &[#columns], filter: #filter })
}

fn index(plan: &Plan<'_>, index: &Index<'_>) -> TokenStream {
    let (name, unique, include) = (&index.name, index.unique, slots(plan, &index.include));
    let parts = index.parts.iter().map(|p| part(plan, p));
    let method = method(index.method);
    let (filter, storage) = (option(index.predicate.as_ref()), option(index.storage.as_ref()));
    quote! {
        __orm::Index {
            name: #name,
            parts: &[#(#parts),*],
            unique: #unique,
            method: __orm::IndexMethod::#method,
            include: &[#include],
            storage: #storage,
            filter: #filter,
        }
    }
}

fn method(method: Method) -> TokenStream {
    match method {
        Method::BTree => quote!(BTree),
        Method::Hash => quote!(Hash),
        Method::Gin => quote!(Gin),
        Method::Gist => quote!(Gist),
        Method::SpGist => quote!(SpGist),
        Method::Hnsw => quote!(Hnsw),
        Method::IvfFlat => quote!(IvfFlat),
        Method::Brin => quote!(Brin),
    }
}

fn part(plan: &Plan<'_>, part: &IndexPart) -> TokenStream {
    let desc = part.descending;
    let nulls = match part.nulls_first {
        None => quote!(Default),
        Some(true) => quote!(First),
        Some(false) => quote!(Last),
    };
    let key = match &part.key {
        IndexKey::Column(slot) => {
            let column = embed::slot(plan, slot);
            quote!(Column(#column))
        }
        IndexKey::Expression(sql) => quote!(Expression(#sql)),
    };
    let op_class = option(part.op_class.as_ref());
    quote! {
        __orm::IndexPart {
            key: __orm::IndexKey::#key,
            op_class: #op_class,
            desc: #desc,
            nulls: __orm::Nulls::#nulls,
        }
    }
}

fn check(check: &Check<'_>) -> TokenStream {
    let (name, sql) = (&check.name, &check.sql);
    quote!(__orm::Check { name: #name, sql: #sql })
}

fn foreign_key(plan: &Plan<'_>, key: &ForeignKey<'_>) -> TokenStream {
    let (name, columns) = (&key.name, positions(plan, &key.columns));
    let target = match key.target {
        Target::Model(path) => named(path),
        Target::Actor(ty) => named(ty),
    };
    let (on_delete, on_update) = (action(key.on_delete), action(key.on_update));
    let deferrable = option(key.deferrable.then_some(key.initially_deferred));
    quote! {
        __orm::ForeignKey {
            name: #name,
            columns: &[#columns],
            target: || <#target as __orm::Model>::TABLE,
            on_delete: __orm::Action::#on_delete,
            on_update: __orm::Action::#on_update,
            deferrable: #deferrable,
        }
    }
}

fn action(action: ActionKind) -> TokenStream {
    match action {
        ActionKind::Restrict => quote!(Restrict),
        ActionKind::NoAction => quote!(NoAction),
        ActionKind::Cascade => quote!(Cascade),
        ActionKind::SetNull => quote!(SetNull),
        ActionKind::SetDefault => quote!(SetDefault),
    }
}
