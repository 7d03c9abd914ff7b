//! Columns, defaults, constraints and comments.

use orm::model::DbEnum;
use orm::prelude::Model;
use orm::query::New;
use orm::schema::{Column, Default, IndexKey, IndexPart, Nulls, Role, Table, TableKind};
use orm::sql;
use orm::value::{Id, Json, Scalar, Type, Value};

use crate::{Comment, Mood, NewPost, NewUser, Post, Tag, User};

fn columns(table: &Table) -> Vec<(&str, Type, bool)> {
    table
        .columns
        .iter()
        .map(|c| (c.column.name, c.column.ty, c.column.nullable))
        .collect()
}

fn column(table: &'static Table, name: &str) -> &'static Column {
    table.column(name).unwrap()
}

fn literal(column: &Column) -> Option<Value> {
    match column.default {
        Default::Literal(value) => Some(value()),
        _ => None,
    }
}

#[test]
fn columns_are_fields_then_shadow_columns() {
    let posts = Post::TABLE;
    assert_eq!(
        (posts.name(), posts.model, posts.kind),
        ("posts", "Post", TableKind::Table)
    );
    assert_eq!(
        columns(posts),
        [
            ("id", Type::I64, false),
            ("author_id", Type::I64, false),
            ("category_id", Type::I64, true),
            ("title", Type::Text, false),
            ("published", Type::Bool, false),
            ("views", Type::I64, false),
            ("version", Type::I64, false),
            ("created_at", Type::Timestamp, false),
            ("updated_at", Type::Timestamp, false),
            ("deleted_at", Type::Timestamp, true),
        ]
    );
    assert_eq!(posts.fields, 7);
    assert_eq!(posts.key, [0]);
}

#[test]
fn comments_are_doc_comments() {
    assert_eq!(
        Post::TABLE.comment,
        "Doc comments become table and column comments."
    );
    assert_eq!(User::TABLE.comment, "");
    assert_eq!(column(Article::TABLE, "title").comment, "The headline.");
    assert_eq!(column(Article::TABLE, "secret").comment, "for nobody");
}

#[test]
fn defaults() {
    let default = |name: &str| literal(column(Post::TABLE, name));
    assert_eq!(default("published"), Some(Value::Bool(false)));
    assert_eq!(default("views"), Some(Value::I64(0)));
    assert!(matches!(column(Post::TABLE, "id").default, Default::Identity));
    assert!(matches!(column(Post::TABLE, "title").default, Default::None));
    let of_article = |name: &str| column(Article::TABLE, name).default;
    assert_eq!(
        literal(column(Article::TABLE, "language")),
        Some(Value::Text("en".into()))
    );
    assert_eq!(
        literal(column(Article::TABLE, "subtitle")),
        Some(Value::Text("-".into()))
    );
    assert_eq!(literal(column(Article::TABLE, "score")), Some(Value::F64(-0.5)));
    assert!(matches!(of_article("seen_at"), Default::Sql("now()")));
    let Default::Function(mood) = of_article("mood") else {
        panic!("a function")
    };
    assert_eq!(mood(), Mood::Happy.into_value());
}

#[test]
fn constraints_and_indexes() {
    let posts = Post::TABLE;
    let names: Vec<_> = posts
        .indexes
        .iter()
        .map(|index| (index.name, index.filter))
        .collect();
    assert_eq!(
        names,
        [
            ("ix_posts_author_id_created_at", None),
            ("ix_posts_title", Some("published"))
        ]
    );
    assert_eq!(
        posts.indexes[0].parts[1],
        IndexPart {
            key: IndexKey::Column(7),
            op_class: None,
            desc: true,
            nulls: Nulls::Default
        }
    );
    let uniques: Vec<_> = Tag::TABLE
        .uniques
        .iter()
        .map(|unique| (unique.name, unique.columns))
        .collect();
    assert_eq!(uniques, [("uq_tags_name", [1].as_slice())]);
    let sets: Vec<Vec<_>> = Tag::TABLE
        .table
        .unique
        .iter()
        .map(|set| set.iter().map(|c| c.name).collect())
        .collect();
    assert_eq!(sets, [["id"], ["name"]]);
    let checks: Vec<_> = Article::TABLE
        .checks
        .iter()
        .map(|check| (check.name, check.sql))
        .collect();
    assert_eq!(
        checks,
        [
            ("ck_articles_words", "words > 0"),
            ("ck_articles_length", "length(title) < words")
        ]
    );
    let partial = &Article::TABLE.uniques[0];
    assert_eq!(
        (partial.columns, partial.filter),
        ([2, 3].as_slice(), Some("words > 10"))
    );
    assert_eq!(Article::TABLE.table.unique.len(), 1);
}

#[test]
fn special_columns() {
    let articles = Article::TABLE;
    assert!(column(articles, "secret").column.sensitive && !column(articles, "title").column.sensitive);
    assert_eq!(column(articles, "tags").column.ty, Type::Json);
    assert!(column(articles, "extra").column.nullable);
    assert_eq!(column(articles, "price").column.ty, Type::Decimal(12, 2));
    let generated = column(articles, "double").generated.unwrap();
    assert_eq!((generated.sql, generated.stored), ("words * 2", true));
    assert!(articles.column("cache").is_none());
    assert_eq!(
        column(articles, "title").types,
        [("postgres", "varchar(80)"), ("sqlite", "ANY")]
    );
    assert_eq!(column(articles, "language").types, [("", "char(2)")]);
    assert!(column(articles, "words").types.is_empty());
    assert!(articles.columns.iter().all(|column| column.role == Role::Plain));
}

#[test]
fn a_new_row_has_the_required_columns() {
    assert_eq!(NewUser::COLUMNS, [1, 2]);
    let mut values = Vec::new();
    NewUser {
        email: "a".into(),
        name: "b".into(),
    }
    .values(&mut values);
    assert_eq!(values, [Value::Text("a".into()), Value::Text("b".into())]);
    assert_eq!(NewPost::COLUMNS, [1, 3]);
    let post = NewPost {
        author_id: Id::new(7),
        title: String::new(),
    };
    values.clear();
    post.values(&mut values);
    assert_eq!(values[0], Value::I64(7));
}

#[test]
fn enums_have_labels() {
    assert_eq!(column(Comment::TABLE, "mood").column.ty, Type::Enum(Mood::ENUM));
    assert_eq!(
        (Mood::ENUM.name, Mood::ENUM.labels),
        ("mood", ["happy", "so so"].as_slice())
    );
    assert_eq!(
        (Mood::SoSo.label(), Mood::from_label("so so")),
        ("so so", Some(Mood::SoSo))
    );
    assert_eq!(Mood::from_label("sad"), None);
}

#[test]
fn debug_hides_what_is_sensitive() {
    let text = format!("{:?}", article());
    assert!(
        text.contains("title: \"t\"") && text.contains("secret: ***"),
        "{text}"
    );
}

#[test]
fn views_have_no_new() {
    assert_eq!(TopAuthor::TABLE.kind, TableKind::View);
    assert_eq!(TopAuthor::TABLE.name(), "top_authors");
    let view = TopAuthor::TABLE.view.unwrap();
    assert!(!view.materialized && view.definition.is_none());
    assert!(User::TABLE.view.is_none());
    // who it refers to is known to queries, and no constraint
    assert!(TopAuthor::TABLE.foreign_keys.is_empty());
    assert_eq!(TopAuthor::TABLE.relations.len(), 1);
}

#[test]
fn statements_bind_their_values() {
    let (ids, pattern) = (vec![Id::<User>::new(1), Id::new(2)], "a%");
    let statement = sql!("select '{{}}' from users where name like {pattern} and id in ({..ids})");
    let text = format!("{statement:?}");
    assert!(text.contains("select '{}' from users"), "{text}");
    assert!(text.contains("I64(1), I64(2)"), "{text}");
}

fn article() -> Article {
    Article {
        id: 1,
        title: "t".into(),
        language: "en".into(),
        subtitle: None,
        words: 3,
        score: 0.0,
        seen_at: orm::value::Timestamp::from_micros(0),
        mood: Mood::Happy,
        secret: "s".into(),
        tags: vec![],
        extra: None,
        price: rust_decimal::Decimal::ONE,
        double: 6,
        cache: 0,
    }
}

#[derive(Model)]
#[orm(debug, check("length(title) < words", name = "ck_articles_length"))]
#[orm(unique(language, subtitle, where = "words > 10"))]
struct Article {
    id: i64,
    /// The headline.
    #[orm(ty(postgres = "varchar(80)", sqlite = "ANY"))]
    title: String,
    #[orm(default = "en", ty = "char(2)")]
    language: String,
    #[orm(default = "-")]
    subtitle: Option<String>,
    #[orm(check = "words > 0")]
    words: i32,
    #[orm(default = -0.5)]
    score: f64,
    #[orm(default(sql = "now()"))]
    seen_at: orm::value::Timestamp,
    #[orm(default = Mood::Happy)]
    mood: Mood,
    /// Not shown.
    #[orm(sensitive, comment = "for nobody")]
    secret: String,
    #[orm(json)]
    tags: Vec<u8>,
    #[orm(json)]
    extra: Option<std::collections::BTreeMap<String, i32>>,
    #[orm(decimal(12, 2))]
    price: rust_decimal::Decimal,
    #[orm(generated = "words * 2")]
    double: i32,
    #[orm(skip)]
    cache: u8,
}

#[derive(Model, Clone, Debug)]
#[orm(view)]
struct TopAuthor {
    #[orm(id)]
    #[belongs_to(author: User)]
    author_id: Id<User>,
    posts: i64,
    settings: Json<Vec<i32>>,
}
