//! Operators of arrays, ranges, vectors, and keys of JSON documents.

use orm_core::ast::Column;
use orm_core::query::{self, IntoExpr};
use orm_core::value::{Element, Range, RangeOf, Scalar, Type, Value, Vector};

use crate::support::*;

const fn column(name: &'static str, ty: Type) -> Column {
    Column {
        name,
        ty,
        nullable: false,
        sensitive: false,
        system: false,
        part: 0,
    }
}
static TAGS: Column = column("tags", Type::Array(Element::Text));
static DURING: Column = column("during", Type::Range(RangeOf::I32));
static EMBEDDING: Column = column("embedding", <Vector as Scalar>::TYPE);
static DOC: Column = column("doc", Type::Json);

fn tags() -> query::Expr<(), Vec<String>> {
    query::Expr::from_node(c(&TAGS))
}
fn during() -> query::Expr<(), Range<i32>> {
    query::Expr::from_node(c(&DURING))
}
fn embedding() -> query::Expr<(), Vector> {
    query::Expr::from_node(c(&EMBEDDING))
}
fn doc() -> query::Expr<(), serde_json::Value> {
    query::Expr::from_node(c(&DOC))
}
fn name() -> query::Expr<(), Option<String>> {
    query::Expr::from_node(c(&NAME))
}

/// SQLite's text is not prepared here: its table has no such columns.
#[track_caller]
fn written<X: IntoExpr<()>>(e: X, on_postgres: &str, on_sqlite: &str) -> (Vec<Value>, Vec<Value>) {
    use orm_core::sql::render;
    let mut s = users();
    s.columns = vec![e.into_expr().into_node()];
    let s = orm_core::ast::Statement::Select(Box::new(s));
    let full = |text: &str| format!(r#"SELECT {text} FROM "users" AS t0"#);
    let a = render(&s, postgres(), &scope()).unwrap();
    let b = render(&s, sqlite(), &scope()).unwrap();
    assert_eq!(&*a.text, full(on_postgres));
    assert_eq!(&*b.text, full(on_sqlite));
    (a.params, b.params)
}

#[test]
fn arrays() {
    let two = || vec!["a".to_owned(), "b".to_owned()];
    let (a, b) = written(
        tags().has("a"),
        r#"($1 = ANY(t0."tags"))"#,
        r#"orm_array_has(t0."tags", ?1)"#,
    );
    assert_eq!(a, [Value::Text("a".into())]);
    assert_eq!(b, [Value::Array(Element::Text, [Value::Text("a".into())].into())]);
    written(
        tags().has(name()),
        r#"(t0."name" = ANY(t0."tags"))"#,
        r#"orm_array_has(t0."tags", json_array(t0."name"))"#,
    );
    written(
        tags().has_all(two()),
        r#"(t0."tags" @> $1)"#,
        r#"orm_array_has_all(t0."tags", ?1)"#,
    );
    written(
        tags().is_within(two()),
        r#"($1 @> t0."tags")"#,
        r#"orm_array_has_all(?1, t0."tags")"#,
    );
    written(
        tags().has_any(tags()),
        r#"(t0."tags" && t0."tags")"#,
        r#"orm_array_has_any(t0."tags", t0."tags")"#,
    );
    written(
        tags().length(),
        r#"CAST(cardinality(t0."tags") AS bigint)"#,
        r#"json_array_length(t0."tags")"#,
    );
    written(
        tags().at(2),
        r#"(t0."tags")[$1]"#,
        r#"json_extract(t0."tags", ?1)"#,
    );
    written(
        tags().slice(1, 2),
        r#"(t0."tags")[$1:$2]"#,
        r#"orm_array_slice(t0."tags", ?1, ?2)"#,
    );
    written(
        tags().append("c"),
        r#"array_append(t0."tags", $1)"#,
        r#"orm_array_concat(coalesce(t0."tags", '[]'), ?1)"#,
    );
    written(
        tags().concat(two()),
        r#"(t0."tags" || $1)"#,
        r#"orm_array_concat(t0."tags", ?1)"#,
    );
    written(
        tags().without("c"),
        r#"array_remove(t0."tags", $1)"#,
        r#"orm_array_remove(t0."tags", ?1)"#,
    );
}

#[derive(orm::Model)]
struct Tagged {
    id: orm::Id<Tagged>,
    tags: Vec<String>,
    keys: Vec<uuid::Uuid>,
}

#[test]
fn items_as_rows() {
    use orm::prelude::*;
    use orm::query::unnest;
    use orm_core::sql::render_select;
    let q = Tagged::query()
        .join_lateral(|t| unnest(t.tags))
        .select(|(t, tag)| (t.id, tag));
    let text = |dialect| render_select(q.ast(), dialect, &scope()).unwrap().text;
    assert_eq!(
        &*text(postgres()),
        r#"SELECT t0."id", t1."value" FROM "taggeds" AS t0 JOIN unnest(t0."tags") AS t1("value") ON TRUE"#
    );
    assert_eq!(
        &*text(sqlite()),
        r#"SELECT t0."id", t1."value" FROM "taggeds" AS t0 JOIN json_each(t0."tags") AS t1 ON TRUE"#
    );
    let q = Tagged::query()
        .join_lateral(|t| unnest(t.keys))
        .select(|(t, key)| (t.id, key));
    let refused = render_select(q.ast(), sqlite(), &scope()).unwrap_err();
    assert_eq!(refused.kind(), orm::ErrorKind::Unsupported);
}

#[test]
fn ranges() {
    let other = || Range::from(1..5);
    written(
        during().has(3),
        r#"(t0."during" @> $1)"#,
        r#"orm_range_has('int4', t0."during", ?1)"#,
    );
    for (e, operator, function) in [
        (during().covers(other()), "@>", "contains"),
        (during().overlaps(other()), "&&", "overlaps"),
        (during().adjoins(other()), "-|-", "adjacent"),
        (during().is_before(other()), "<<", "before"),
    ] {
        written(
            e,
            &format!(r#"(t0."during" {operator} $1)"#),
            &format!(r#"orm_range_{function}('int4', t0."during", ?1)"#),
        );
    }
    written(
        during().is_after(other()),
        r#"(t0."during" >> $1)"#,
        r#"orm_range_before('int4', ?1, t0."during")"#,
    );
    written(
        during().is_within(other()),
        r#"($1 @> t0."during")"#,
        r#"orm_range_contains('int4', ?1, t0."during")"#,
    );
    written(
        during().intersect(other()),
        r#"(t0."during" * $1)"#,
        r#"orm_range_intersect('int4', t0."during", ?1)"#,
    );
    written(
        during().merge(other()).upper(),
        r#"upper(range_merge(t0."during", $1))"#,
        r#"orm_range_upper('int4', orm_range_merge('int4', t0."during", ?1))"#,
    );
    written(
        during().lower(),
        r#"lower(t0."during")"#,
        r#"orm_range_lower('int4', t0."during")"#,
    );
    written(
        during().is_empty(),
        r#"isempty(t0."during")"#,
        r#"orm_range_is_empty('int4', t0."during")"#,
    );
}

#[test]
fn distances() {
    let q = || Vector(vec![1.0, 0.0]);
    written(
        embedding().distance(q()),
        r#"(t0."embedding" <-> $1)"#,
        r#"orm_distance(t0."embedding", ?1)"#,
    );
    written(
        embedding().cosine_distance(q()),
        r#"(t0."embedding" <=> $1)"#,
        r#"orm_cosine_distance(t0."embedding", ?1)"#,
    );
    written(
        embedding().negative_inner_product(q()),
        r#"(t0."embedding" <#> $1)"#,
        r#"orm_negative_inner_product(t0."embedding", ?1)"#,
    );
}

#[derive(orm::Model)]
#[orm(
    index(embedding.op_class("vector_l2_ops"), method = hnsw, with = "m = 16"),
    index(embedding.op_class("vector_cosine_ops"), method = ivfflat, name = "ix_lists")
)]
struct Passage {
    id: orm::Id<Passage>,
    #[orm(ty(postgres = "vector(3)"))]
    embedding: Vector,
}

#[test]
fn indexes_of_vectors() {
    use orm_core::exec::create::create_statements;
    let list = create_statements(&orm::schema![Passage], postgres().features());
    assert_eq!(
        crate::create::texts(&list[1..], postgres()),
        [
            r#"CREATE INDEX "ix_passages_embedding" ON "passages" USING hnsw ("embedding" vector_l2_ops) WITH (m = 16)"#,
            r#"CREATE INDEX "ix_lists" ON "passages" USING ivfflat ("embedding" vector_cosine_ops)"#,
        ]
    );
    let list = create_statements(&orm::schema![Passage], sqlite().features());
    let refused = orm_core::sql::render_ddl(&list[1], sqlite(), &scope()).unwrap_err();
    assert_eq!(refused.kind(), orm::ErrorKind::Unsupported);
}

#[test]
fn keys_of_documents() {
    written(
        doc().document().contains(["a"]),
        r#"(t0."doc" @> $1)"#,
        r#"orm_json_contains(t0."doc", ?1)"#,
    );
    written(
        doc().path("a").has_key("b"),
        r#"((t0."doc" -> $1) ?| $2)"#,
        r#"orm_json_has_any(t0."doc" -> ?1, ?2)"#,
    );
    written(
        doc().document().has_all_keys(["a", "b"]),
        r#"(t0."doc" ?& $1)"#,
        r#"orm_json_has_all(t0."doc", ?1)"#,
    );
}
