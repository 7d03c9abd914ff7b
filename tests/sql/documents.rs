//! Places in JSON documents.

use orm_core::ast::Column;
use orm_core::query::{self, IntoExpr};
use orm_core::value::Type;

use crate::support::*;

static DOC: Column = Column {
    name: "secret",
    ty: Type::Json,
    nullable: true,
    sensitive: false,
    system: false,
    part: 0,
};

fn doc() -> query::Expr<(), Option<serde_json::Value>> {
    query::Expr::from_node(c(&DOC))
}

#[track_caller]
fn selected<X: IntoExpr<()>>(e: X, on_postgres: &str, on_sqlite: &str) -> Type {
    let full = |text: &str| format!(r#"SELECT {text} FROM "users" AS t0"#);
    let mut s = users();
    s.columns = vec![e.into_expr().into_node()];
    check(s, &full(on_postgres), &full(on_sqlite)).0.columns[0]
}

#[test]
fn places_are_read() {
    let at = || doc().path("a").path(0);
    assert_eq!(
        selected(
            at().json(),
            r#"(t0."secret" -> $1 -> $2)"#,
            r#"(t0."secret" -> ?1)"#
        ),
        Type::Json
    );
    selected(
        at().text(),
        r#"((t0."secret" -> $1 -> $2) #>> '{}')"#,
        r#"CASE json_type(t0."secret", ?1) WHEN 'text' THEN json_extract(t0."secret", ?2) WHEN 'null' THEN NULL ELSE t0."secret" -> ?3 END"#,
    );
    assert_eq!(
        selected(
            doc().path("a").int(),
            r#"CASE WHEN jsonb_typeof((t0."secret" -> $1)) = 'number' THEN CAST(trunc(CAST((t0."secret" -> $2) AS numeric)) AS bigint) END"#,
            r#"CASE json_type(t0."secret", ?1) WHEN 'integer' THEN json_extract(t0."secret", ?2) WHEN 'real' THEN CAST(json_extract(t0."secret", ?3) AS INTEGER) END"#
        ),
        Type::I64
    );
    selected(
        doc().path("a").exists(),
        r#"jsonb_typeof((t0."secret" -> $1)) IS NOT NULL"#,
        r#"CASE json_type(t0."secret", ?1) WHEN 'integer' THEN 'number' WHEN 'real' THEN 'number' WHEN 'text' THEN 'string' WHEN 'true' THEN 'boolean' WHEN 'false' THEN 'boolean' ELSE json_type(t0."secret", ?2) END IS NOT NULL"#,
    );
    selected(
        doc().document().length(),
        r#"CASE WHEN jsonb_typeof(t0."secret") = 'array' THEN CAST(jsonb_array_length(t0."secret") AS bigint) END"#,
        r#"CASE json_type(t0."secret", ?1) WHEN 'array' THEN json_array_length(t0."secret", ?2) END"#,
    );
}

#[test]
fn places_are_written() {
    selected(
        doc().path("a").set(1),
        r#"jsonb_set(t0."secret", $1, $2)"#,
        r#"json_set(t0."secret", ?1, json(?2))"#,
    );
    selected(
        doc().path("a").path("b").set(1),
        r#"jsonb_set(t0."secret", $1, $2)"#,
        r#"CASE WHEN json_type(t0."secret", ?1) IN ('object', 'array') THEN json_set(t0."secret", ?2, json(?3)) ELSE t0."secret" END"#,
    );
    selected(
        doc().path(1).remove(),
        r#"(t0."secret" #- $1)"#,
        r#"json_remove(t0."secret", ?1)"#,
    );
    let serde_json::Value::Object(keys) = serde_json::json!({"a": 1, "b": 2}) else {
        unreachable!()
    };
    selected(
        doc().merge(keys),
        r#"(t0."secret" || $1)"#,
        r#"json_set(t0."secret", ?1, json(?2), ?3, json(?4))"#,
    );
}
