//! Shapes.

use syn::DeriveInput;

use crate::ctxt::Ctxt;
use crate::parse;
use crate::tests::errors_of;

fn shape_errors(source: &str) -> Vec<String> {
    errors_of(|cx, input| drop(parse::shape::shape(cx, input)), source)
}

/// The mistakes of a shape with one field.
fn shape_field(field: &str) -> String {
    shape_errors(&format!("#[shape(User)] struct Page {{ {field} }}")).join("|")
}

#[test]
fn shapes() {
    let correct = r#"
        /// A page.
        #[shape(crate::models::User, crate = my::orm)]
        #[serde(rename_all = "camelCase")]
        struct Page {
            id: Id<User>,
            #[serde(skip)] r#type: String,
            #[col(r#in)] inside: bool,
            #[expr(|u| u.name.lower())] lower: String,
            #[expr(shout)] loud: String,
            #[count(posts)] posts_count: i64,
            #[count(posts, filter = |p| p.published,)] published: i64,
            #[agg(posts, |p| p.views.sum())] views: Option<i64>,
            #[rel] profile: Option<Card>,
            #[rel()] other: Option<Card>,
            #[rel(posts)] all: Vec<Post>,
            #[rel(posts, with_deleted, filter = |p| p.published, order = |p| (p.id.desc(), p.title.asc()), limit = 5, offset = N)]
            some: Vec<Post>,
            #[rel(live, joined, select = |p| p.id)] writer: Option<Id<User>>,
        }"#;
    assert_eq!(shape_errors(correct), Vec::<String>::new());
    let input: DeriveInput = syn::parse_str(correct).unwrap();
    let cx = Ctxt::new();
    let shape = parse::shape::shape(&cx, &input).unwrap();
    cx.finish().unwrap();
    let loads: Vec<String> = shape
        .fields
        .iter()
        .filter_map(|field| field.relation())
        .map(|load| {
            let calls: Vec<String> = load.calls.iter().map(|(name, _)| name.to_string()).collect();
            format!("{} {} {}", load.name, calls.join("."), load.select.is_some())
        })
        .collect();
    assert_eq!(
        loads,
        [
            "profile  false",
            "other  false",
            "posts  false",
            "posts with_deleted.filter.order_by.limit.offset false",
            "writer live.joined true",
        ]
    );
}

#[test]
fn shapes_of_no_model() {
    let usage = "`shape` is written `shape(User)`";
    assert_eq!(
        shape_errors("struct M { a: i64 }"),
        ["a shape names the model whose rows it is read from: `#[shape(User)]`"]
    );
    assert_eq!(shape_errors("#[shape()] struct M { a: i64 }"), [usage]);
    assert_eq!(shape_errors("#[shape(User Post)] struct M { a: i64 }"), [usage]);
    assert_eq!(
        shape_errors("#[shape] struct M { a: i64 }"),
        ["`#[shape]` is written `#[shape(User)]`"]
    );
    assert_eq!(
        shape_errors("#[shape(User)] #[shape(Post)] struct M { a: i64 }"),
        ["a shape is read from the rows of one model"]
    );
    assert_eq!(
        shape_errors("#[shape(User, crate)] struct M { a: i64 }"),
        ["expected a path: `crate = my_crate::orm`"]
    );
    assert_eq!(
        shape_errors("#[rel] #[shape(User)] struct M { a: i64 }"),
        ["`#[rel]` belongs on a field, not on the struct"]
    );
}

#[test]
fn fields_of_shapes() {
    let rel = "`rel` is written `rel(posts, order = |p| p.id.desc(), limit = 5)`";
    assert_eq!(shape_field("#[rel(posts, limit)] a: Vec<A>"), rel);
    assert_eq!(shape_field("#[rel(posts, limit(5))] a: Vec<A>"), rel);
    assert_eq!(shape_field("#[rel(posts, live = true)] a: Vec<A>"), rel);
    assert_eq!(
        shape_field("#[rel = posts] a: Vec<A>"),
        "`#[rel]` is written `#[rel(posts, order = |p| p.id.desc(), limit = 5)]`"
    );
    assert_eq!(
        shape_field("#[rel(posts, filtre = |p| p.published)] a: Vec<A>"),
        "unknown option `filtre` of `rel`, did you mean `filter`?"
    );
    assert_eq!(
        shape_field("#[rel(posts, limit = 1, limit = 2)] a: Vec<A>"),
        "`limit` is given twice"
    );
    assert_eq!(
        shape_field("#[expr] a: i64"),
        "`#[expr]` is written `#[expr(|u| u.name.lower())]`"
    );
    assert_eq!(
        shape_field("#[expr()] a: i64"),
        "`expr` is written `expr(|u| u.name.lower())`"
    );
    assert_eq!(
        shape_field("#[agg(|p| p.views.sum())] a: i64"),
        "`agg` is written `agg(posts, |p| p.views.sum())`"
    );
    let count = "`count` is written `count(posts, filter = |p| p.published)`";
    assert_eq!(shape_field("#[count(filter = |p| p.published)] a: i64"), count);
    assert_eq!(shape_field("#[count(posts, filter)] a: i64"), count);
    assert_eq!(
        shape_field("#[col(a)] #[col(b)] c: i64"),
        "`#[col]` beside `#[col]`: one thing fills a field"
    );
    let endless = "a shape that holds itself would be read without end: let it hold another one";
    assert_eq!(shape_field("#[rel] a: Vec<Page>"), endless);
    assert_eq!(shape_field("#[rel] a: Option<Self>"), endless);
    assert_eq!(shape_field("#[rel(select = |p| p.id)] a: Vec<Id<Page>>"), "");
}
