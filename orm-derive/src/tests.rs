//! Models as text: what is refused with which words, and what is decided about the correct ones.

mod embeds;
mod enums;
mod options;
mod plan;
mod polymorphic;
mod refused;
mod shapes;

use syn::DeriveInput;

use crate::check;
use crate::ctxt::Ctxt;
use crate::parse;
use crate::parse::Model;
use crate::plan::Plan;

fn errors_of(read: impl FnOnce(&Ctxt, &DeriveInput), source: &str) -> Vec<String> {
    let input: DeriveInput = syn::parse_str(source).unwrap();
    let cx = Ctxt::new();
    read(&cx, &input);
    match cx.finish() {
        Ok(()) => Vec::new(),
        Err(errors) => errors.into_iter().map(|error| error.to_string()).collect(),
    }
}

fn model_errors(source: &str) -> Vec<String> {
    let read = |cx: &Ctxt, input: &DeriveInput| {
        if let Some(model) = parse::model(cx, input) {
            check::check(cx, &Plan::new(&model));
        }
    };
    errors_of(read, source)
}

fn embed_errors(source: &str) -> Vec<String> {
    let read = |cx: &Ctxt, input: &DeriveInput| {
        if let Some(model) = parse::embed(cx, input) {
            check::embed(cx, &Plan::of_embed(&model));
        }
    };
    errors_of(read, source)
}

fn enum_errors(source: &str) -> Vec<String> {
    errors_of(|cx, input| drop(parse::db_enum::db_enum(cx, input)), source)
}

fn polymorphic_errors(source: &str) -> Vec<String> {
    errors_of(
        |cx, input| drop(parse::polymorphic::polymorphic(cx, input)),
        source,
    )
}

fn model(source: &str) -> Model {
    assert_eq!(model_errors(source), Vec::<String>::new());
    let input: DeriveInput = syn::parse_str(source).unwrap();
    let cx = Ctxt::new();
    let model = parse::model(&cx, &input).unwrap();
    cx.finish().unwrap();
    model
}

/// A model `M` with a key and these further fields.
fn fields(fields: &str) -> String {
    format!("struct M {{ id: Id<M>, {fields} }}")
}

/// A model `M` with a key, two columns and these attributes.
fn attrs(attrs: &str) -> String {
    format!("{attrs} struct M {{ id: Id<M>, title: String, author_id: Id<User> }}")
}

const POST: &str = r#"
    /// A post
    /// of a blog.
    #[orm(timestamps, soft_delete)]
    #[orm(index(author_id, created_at.desc()), index(title, "lower(body)", where = "published"))]
    #[orm(unique(author_id, title), check("views >= 0"))]
    #[has_many(comments: Comment)]
    #[many_to_many(tags: Tag, via = PostTag)]
    pub struct Post {
        pub id: Id<Self>,
        #[belongs_to(author: User, on_delete = restrict)] pub author_id: Id<User>,
        #[belongs_to(category: Category, on_delete = set_null)] pub category_id: Option<Id<Category>>,
        /// Headline.
        #[orm(unique)] pub title: String,
        pub r#type: String,
        #[orm(default = false)] pub published: bool,
        #[orm(default = 0, check = "views < 10")] pub views: i64,
        #[orm(default(sql = "now()"))] pub seen_at: Timestamp,
        #[orm(version)] pub version: i64,
        #[orm(skip)] pub cache: Vec<String>,
    }"#;
