//! Macros of the `orm` crate, which exports them; depend on that one.
//!
//! Each runs through three rooms: `parse` reads what was written, `plan` and `check` decide and refuse, `expand` writes
//! what is left as tokens. All mistakes of one item are reported at once.
#![forbid(unsafe_code)]

mod attr;
mod check;
mod composite;
mod ctxt;
mod expand;
mod fallback;
mod hybrid;
mod migrations;
mod name;
mod parse;
mod plan;
mod sql;
mod suggest;
mod test;
mod ty;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

use crate::ctxt::Ctxt;
use crate::plan::Plan;

/// Makes a struct with named fields a row of a table.
#[proc_macro_derive(
    Model,
    attributes(orm, common, has_one, has_many, many_to_many, belongs_to, belongs_to_any)
)]
pub fn model(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand_model(&input).into()
}

/// Makes an enum without data a column type, stored by the names of its variants.
#[proc_macro_derive(DbEnum, attributes(orm))]
pub fn db_enum(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand_enum(&input).into()
}

/// Makes a struct around one column type a column type of its own, stored as what it holds.
///
/// ```text
/// #[derive(Scalar, Clone, Debug, PartialEq)]
/// pub struct Email(pub String);
/// ```
///
/// A value that needs a rule, or another form in the database, implements the trait `Scalar` by hand.
#[proc_macro_derive(Scalar, attributes(orm))]
pub fn scalar(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand_scalar(&input).into()
}

/// Makes a struct with named fields a column type: a composite type of PostgreSQL, text such as `("Main St",42)` elsewhere.
///
/// ```text
/// #[derive(Composite, Clone, Debug, PartialEq)]
/// #[orm(name = "address")]
/// pub struct Address { pub street: String, pub number: Option<i32> }
/// ```
///
/// Its fields are column types, but for intervals and arrays, in the order of the type's; without `name` the type is called
/// as the struct, in snake case. `create_all` and migrations create it. For several columns in place of one there is `Embed`.
#[proc_macro_derive(Composite, attributes(orm))]
pub fn composite(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    composite::expand(&input).into()
}

/// Makes a struct with named fields a shape of a model's rows: what a query reads into it, checked field by field.
///
/// ```text
/// #[derive(Shape)]
/// #[shape(User)]
/// struct UserPage {
///     id: Id<User>,                                                   // the column of this name
///     #[col(name)] title: String,                                     // a column of another name
///     #[expr(|u| u.name.lower())] lower: String,                      // an expression
///     #[count(posts)] post_count: i64,
///     #[agg(posts, |p| p.views.sum())] views: Option<i64>,
///     #[rel] profile: Option<Profile>,                                // a relation: models or other shapes
///     #[rel(posts, order = |p| p.id.desc(), limit = 5)] latest: Vec<PostCard>,
/// }
/// ```
#[proc_macro_derive(Shape, attributes(shape, col, expr, count, agg, rel))]
pub fn shape(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand_shape(&input).into()
}

/// Makes a struct with named fields several columns of the models that hold it.
///
/// ```text
/// #[derive(Embed, Clone, Debug)]
/// pub struct Address { pub street: String, pub city: String }
///
/// #[derive(Model)]
/// pub struct Customer {
///     pub id: Id<Customer>,
///     #[orm(embed)]
///     pub home: Address,              // home_street, home_city
///     #[orm(embed, prefix = ship_)]
///     pub shipping: Option<Address>,  // ship_street, ship_city; `None` is both NULL
/// }
/// ```
///
/// In queries `c.home` derefs to the columns (`c.home.city.eq("Oslo")`) and is the whole value as well
/// (`c.home.to(address)`, `.select(|c| c.home)`). Every field of the struct is a column type, or another such struct with
/// `#[orm(embed)]`.
#[proc_macro_derive(Embed, attributes(orm))]
pub fn embed(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand_embed(&input).into()
}

/// Makes an enum of models what a row may belong to: a polymorphic association.
///
/// ```text
/// #[derive(Polymorphic, Clone, Debug)]
/// pub enum Subject { Post(Post), Photo(Photo) }
///
/// #[derive(Model)]
/// pub struct Note {
///     pub id: Id<Note>,
///     #[belongs_to_any(subject: Subject)]
///     pub subject_id: SubjectId,          // subject_type, subject_id
///     pub body: String,
/// }
/// ```
///
/// `SubjectId`, made by the derive, is the same enum of keys. Each variant holds one model, whose key is one column.
/// The labels of the discriminator are the names of the variants in snake case; `rename_all` and `rename` change them.
#[proc_macro_derive(Polymorphic, attributes(orm))]
pub fn polymorphic(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand_polymorphic(&input).into()
}

/// An SQL statement with values in braces: `sql!("select name from users where id = {id}")`.
#[proc_macro]
pub fn sql(input: TokenStream) -> TokenStream {
    let cx = Ctxt::new();
    let statement = sql::sql(&cx, input.into());
    match (cx.finish(), statement) {
        (Ok(()), Some(statement)) => expand::sql(&statement).into(),
        (Ok(()), None) => TokenStream::new(),
        (Err(errors), _) => fallback::expression(&errors).into(),
    }
}

/// An SQL expression of a stated type: `raw_expr!(i64, "cardinality({p.tags})")`. What stands in braces is a column or
/// an expression of the closure's argument, a bound value, or a quoted name (`Ident`); `{..list}` is a list of values.
#[proc_macro]
pub fn raw_expr(input: TokenStream) -> TokenStream {
    let cx = Ctxt::new();
    let expression = sql::raw_expr(&cx, input.into());
    match (cx.finish(), expression) {
        (Ok(()), Some((ty, expression))) => expand::raw_expr(&ty, &expression).into(),
        (Ok(()), None) => TokenStream::new(),
        (Err(errors), _) => fallback::expression(&errors).into(),
    }
}

/// The migrations of a folder, built into the program: `orm::migrate::embed!("migrations")`, relative to the crate's
/// `Cargo.toml`. Gives what `Migrations::read` gives at run time.
///
/// A changed file is noticed by itself. For one that is added, the crate needs a `build.rs` that prints
/// `cargo:rerun-if-changed=migrations`.
#[proc_macro]
pub fn migrations(input: TokenStream) -> TokenStream {
    migrations::embed(input.into())
        .unwrap_or_else(|e| e.to_compile_error())
        .into()
}

/// A test that runs once for every backend of the build, each time in a fresh database of its own.
///
/// ```text
/// #[orm::test(schema = orm::schema![User, Post])]
/// async fn a_user_has_posts(db: Db) -> orm::Result<()> { .. }
/// ```
///
/// makes the tests `a_user_has_posts::sqlite` and `a_user_has_posts::postgres`. The argument is a `Db`, or a
/// `orm::testing::TestDb` for tests that connect once more. Options, all of them optional:
///
/// - `schema = expression`: created before the test begins;
/// - `requires = |f: &Features| f.row_locks`: backends without this are skipped, and the output says so;
/// - `n_plus_one = 5`: the test fails when one place of it sends the same read five times or more;
/// - `flavor = "multi_thread"`: runs on four threads instead of one;
/// - `crate = path`: where the `orm` crate is, if not at `::orm`.
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    test::expand(options.into(), item.into())
        .unwrap_or_else(|e| e.to_compile_error())
        .into()
}

/// Gives the columns of a model the methods of this `impl`: one definition for an instance and for SQL.
///
/// ```text
/// #[orm::hybrid]
/// impl Post {
///     pub fn is_popular(&self) -> bool {
///         self.published && self.views > 100
///     }
/// }
/// ```
///
/// `post.is_popular()` computes it in Rust, `Post::query().filter(|p| p.is_popular())` in the database. A body is one
/// expression over fields, literals, parameters and other hybrids, with `let` in front; what has no counterpart in SQL with
/// the same answer does not compile. What does not mention `self` is computed in Rust and bound.
#[proc_macro_attribute]
pub fn hybrid(options: TokenStream, item: TokenStream) -> TokenStream {
    hybrid::expand(options.into(), item.into()).into()
}

fn expand_model(input: &DeriveInput) -> proc_macro2::TokenStream {
    let cx = Ctxt::new();
    let Some(model) = parse::model(&cx, input) else {
        return fallback::nothing(cx);
    };
    let plan = Plan::new(&model);
    check::check(&cx, &plan);
    match cx.finish() {
        Ok(()) => expand::model(&plan),
        Err(errors) => fallback::model(&errors, input, plan),
    }
}

fn expand_shape(input: &DeriveInput) -> proc_macro2::TokenStream {
    let cx = Ctxt::new();
    let Some(shape) = parse::shape::shape(&cx, input) else {
        return fallback::nothing(cx);
    };
    match cx.finish() {
        Ok(()) => expand::shape(&shape, true),
        Err(errors) => fallback::shape(&errors, input, &shape),
    }
}

fn expand_embed(input: &DeriveInput) -> proc_macro2::TokenStream {
    let cx = Ctxt::new();
    let Some(model) = parse::embed(&cx, input) else {
        return fallback::nothing(cx);
    };
    let plan = Plan::of_embed(&model);
    check::embed(&cx, &plan);
    match cx.finish() {
        Ok(()) => expand::embed(&plan),
        Err(errors) => fallback::embed(&errors, input, &plan),
    }
}

fn expand_enum(input: &DeriveInput) -> proc_macro2::TokenStream {
    let cx = Ctxt::new();
    let Some(item) = parse::db_enum::db_enum(&cx, input) else {
        return fallback::nothing(cx);
    };
    match cx.finish() {
        Ok(()) => expand::db_enum(&item, true),
        Err(errors) => fallback::db_enum(&errors, input, &item),
    }
}

fn expand_scalar(input: &DeriveInput) -> proc_macro2::TokenStream {
    let cx = Ctxt::new();
    let Some(item) = parse::scalar::scalar(&cx, input) else {
        return fallback::nothing(cx);
    };
    match cx.finish() {
        Ok(()) => expand::scalar(&item),
        Err(errors) => errors.to_compile_error(),
    }
}

fn expand_polymorphic(input: &DeriveInput) -> proc_macro2::TokenStream {
    let cx = Ctxt::new();
    let Some(item) = parse::polymorphic::polymorphic(&cx, input) else {
        return fallback::nothing(cx);
    };
    match cx.finish() {
        Ok(()) => expand::polymorphic(&item),
        Err(errors) => fallback::polymorphic(&errors, input, &item),
    }
}

#[cfg(test)]
mod tests;
