//! Full-text search, and what it needs in the database.

use orm::prelude::*;
use orm_core::exec::create::{create_statements, drop_statements};
use orm_core::sql::Dialect;

use crate::create::texts;
use crate::support::{postgres, scope, sqlite};

#[derive(Model)]
#[orm(search(title = A, body = B))]
struct Page {
    id: Id<Page>,
    title: String,
    body: Option<String>,
}

#[derive(Model)]
#[orm(search(text, language = "english"))]
struct Note {
    id: Id<Note>,
    text: String,
}

#[derive(Model)]
#[orm(search(text, language = "german"))]
struct Notiz {
    id: Id<Notiz>,
    text: String,
}

fn created(dialect: &'static dyn Dialect) -> Vec<String> {
    texts(
        &create_statements(&orm::schema![Page], dialect.features()),
        dialect,
    )
}

#[test]
fn a_column_on_postgres() {
    let list = created(postgres());
    assert!(
        list[0].contains(
            r#" "search_vector" tsvector GENERATED ALWAYS AS (setweight(to_tsvector('simple', coalesce("title", '')), 'A') || setweight(to_tsvector('simple', coalesce("body", '')), 'B')) STORED"#
        ),
        "{}",
        list[0]
    );
    assert_eq!(
        list[1..],
        [r#"CREATE INDEX "ix_pages_search_vector" ON "pages" USING gin ("search_vector")"#]
    );
}

#[test]
fn a_table_on_sqlite() {
    let gone = r#"INSERT INTO "pages_search" ("pages_search", rowid, "title", "body") VALUES ('delete', OLD."id", OLD."title", OLD."body"); "#;
    let come =
        r#"INSERT INTO "pages_search" (rowid, "title", "body") VALUES (NEW."id", NEW."title", NEW."body"); "#;
    let trigger = |word: &str, body: &str| {
        let event = match word {
            "update" => r#"UPDATE OF "id", "title", "body""#.to_owned(),
            word => word.to_uppercase(),
        };
        format!(
            r#"CREATE TRIGGER "search_pages_{word}" AFTER {event} ON "pages" FOR EACH ROW BEGIN {body}END"#
        )
    };
    assert_eq!(
        created(sqlite())[1..],
        [
            r#"CREATE VIRTUAL TABLE "pages_search" USING fts5("title", "body", content='pages', content_rowid='id', tokenize='unicode61 remove_diacritics 0')"#.to_owned(),
            trigger("insert", come),
            trigger("update", &format!("{gone}{come}")),
            trigger("delete", gone),
        ]
    );
    let dropped = texts(
        &drop_statements(&orm::schema![Page], sqlite().features()),
        sqlite(),
    );
    assert_eq!(
        dropped,
        [
            r#"DROP TABLE IF EXISTS "pages""#,
            r#"DROP TABLE IF EXISTS "pages_search""#
        ]
    );
    let note = texts(
        &create_statements(&orm::schema![Note], sqlite().features()),
        sqlite(),
    );
    assert!(note[1].ends_with("tokenize='porter unicode61 remove_diacritics 0')"));
    let list = create_statements(&orm::schema![Notiz], sqlite().features());
    let refused = orm_core::sql::render_ddl(&list[1], sqlite(), &scope()).unwrap_err();
    assert_eq!(
        refused.message(),
        "full-text search in `german` (`simple` and `english` are there) is not supported on sqlite"
    );
}

#[track_caller]
fn check<O>(q: &Query<Page, O>, on_postgres: &str, on_sqlite: &str) -> Vec<orm::value::Value> {
    let render = |dialect| orm_core::sql::render_select(q.ast(), dialect, &scope()).unwrap();
    let (a, b) = (render(postgres()), render(sqlite()));
    assert_eq!((&*a.text, &*b.text), (on_postgres, on_sqlite));
    b.params
}

#[test]
fn conditions() {
    let found = check(
        &Page::query().search("rust -orm").select(|p| p.id),
        r#"SELECT t0."id" FROM "pages" AS t0 WHERE (t0."search_vector" @@ websearch_to_tsquery('simple', $1))"#,
        r#"SELECT t0."id" FROM "pages" AS t0 WHERE (t0."id" IN (SELECT rowid FROM "pages_search" WHERE "pages_search" MATCH ?1))"#,
    );
    assert_eq!(
        found,
        [orm::value::Value::Text(r#"(("rust") NOT ("orm"))"#.into())]
    );
    check(
        &Page::query().filter(|p| p.search("a or -b")).select(|p| p.id),
        r#"SELECT t0."id" FROM "pages" AS t0 WHERE (t0."search_vector" @@ websearch_to_tsquery('simple', $1))"#,
        r#"SELECT t0."id" FROM "pages" AS t0 WHERE (t0."id" IN (SELECT rowid FROM "pages_search" WHERE "pages_search" MATCH ?1) OR t0."id" NOT IN (SELECT rowid FROM "pages_search" WHERE "pages_search" MATCH ?2))"#,
    );
    check(
        &Page::query().search("!!").select(|p| p.id),
        r#"SELECT t0."id" FROM "pages" AS t0 WHERE (t0."search_vector" @@ websearch_to_tsquery('simple', $1))"#,
        r#"SELECT t0."id" FROM "pages" AS t0 WHERE (FALSE)"#,
    );
}

#[test]
fn ranks_and_excerpts() {
    check(
        &Page::query()
            .order_by(|p| p.search_rank("rust").desc())
            .select(|p| (p.highlight(p.title, "rust"), p.headline(p.body, "rust"))),
        r#"SELECT ts_headline('simple', t0."title", websearch_to_tsquery('simple', $1), 'HighlightAll=true, StartSel=<b>, StopSel=</b>'), ts_headline('simple', t0."body", websearch_to_tsquery('simple', $2), 'MaxWords=32, MinWords=16, StartSel=<b>, StopSel=</b>') FROM "pages" AS t0 ORDER BY CAST(ts_rank(t0."search_vector", websearch_to_tsquery('simple', $3)) AS double precision) DESC"#,
        r#"SELECT coalesce((SELECT highlight("pages_search", 0, '<b>', '</b>') FROM "pages_search" WHERE "pages_search" MATCH ?1 AND rowid = t0."id"), t0."title"), coalesce((SELECT snippet("pages_search", 1, '<b>', '</b>', '…', 32) FROM "pages_search" WHERE "pages_search" MATCH ?2 AND rowid = t0."id"), t0."body") FROM "pages" AS t0 ORDER BY coalesce((SELECT "s"."r" FROM (SELECT rowid AS "k", -bm25("pages_search", 1.0, 0.4) AS "r" FROM "pages_search" WHERE "pages_search" MATCH ?3 LIMIT -1) AS "s" WHERE "s"."k" = t0."id"), 0.0) DESC NULLS FIRST"#,
    );
}
