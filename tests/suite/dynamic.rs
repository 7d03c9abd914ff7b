//! Filters and orders from outside; functions by declaration; expressions written by hand.

use orm::prelude::*;
use orm::query::{Allowed, Ident};
use orm::raw_expr;
use serde_json::{Value, json};

use crate::models::*;

fn allowed() -> Allowed<Post> {
    Allowed::new()
        .field("title", |p: PostCols<Post>| p.title)
        .field("views", |p| p.views)
        .field("score", |p| p.score)
        .field("published", |p| p.published)
        .field("created_at", |p| p.created_at)
        .field("author", |p| p.author_id)
        .field("size", |p| p.title.length())
        .sort_only("id", |p| p.id)
}

async fn titles(db: &Db, filter: Value, order: &str) -> orm::Result<Vec<String>> {
    let allowed = allowed();
    let q = allowed.filter(Post::query(), &filter)?;
    allowed.sort(q, order)?.select(|p| p.title).all(db).await
}

async fn posts(db: &Db) -> orm::Result<User> {
    let ann = user(db, "ann").await;
    for (title, views, score, published) in [
        ("rust", 5, None, true),
        ("Rusty", 7, Some(1), false),
        ("go%", 9, Some(2), true),
    ] {
        NewPost {
            author_id: ann.id,
            title: title.into(),
        }
        .set(|p| (p.views.to(views), p.score.to(score), p.published.to(published)))
        .insert(db)
        .await?;
    }
    Ok(ann)
}

#[orm::test(schema = blog())]
async fn what_is_allowed_is_filtered_and_sorted(db: Db) -> orm::Result<()> {
    let ann = posts(&db).await?;
    for (filter, want) in [
        (json!(null_list()), &["rust", "Rusty", "go%"][..]),
        (
            json!({"field": "views", "op": "gt", "value": 5}),
            &["Rusty", "go%"],
        ),
        (
            json!({"field": "views", "op": "gt", "value": "5"}),
            &["Rusty", "go%"],
        ),
        (json!({"field": "views", "value": 5}), &["rust"]),
        (
            json!({"field": "views", "op": "in", "value": [5, 9, 5]}),
            &["rust", "go%"],
        ),
        (json!({"field": "views", "op": "in", "value": []}), &[]),
        (
            json!({"field": "views", "op": "not_in", "value": []}),
            &["rust", "Rusty", "go%"],
        ),
        (
            json!({"field": "views", "op": "between", "value": [6, 8]}),
            &["Rusty"],
        ),
        (json!({"field": "score", "value": null}), &["rust"]),
        (
            json!({"field": "score", "op": "is_null", "value": false}),
            &["Rusty", "go%"],
        ),
        (json!({"field": "published", "value": true}), &["rust", "go%"]),
        (
            json!({"field": "title", "op": "contains", "value": "%"}),
            &["go%"],
        ),
        (
            json!({"field": "title", "op": "istarts_with", "value": "RUST"}),
            &["rust", "Rusty"],
        ),
        (json!({"field": "size", "op": "le", "value": 4}), &["rust", "go%"]),
        (
            json!({"field": "author", "value": ann.id.raw()}),
            &["rust", "Rusty", "go%"],
        ),
        (
            json!({"field": "created_at", "op": "lt", "value": "2000-01-01T00:00:00Z"}),
            &[],
        ),
        (
            json!({"or": [{"field": "views", "value": 5}, {"and": [{"field": "views", "op": "ge", "value": 7},
                {"not": {"field": "published", "value": true}}]}]}),
            &["rust", "Rusty"],
        ),
        (
            json!([{"field": "views", "op": "ge", "value": 7}, {"field": "published", "value": true}]),
            &["go%"],
        ),
    ] {
        assert_eq!(titles(&db, filter.clone(), "id").await?, want, "{filter}");
    }
    assert_eq!(
        titles(&db, json!([]), "-published, -views").await?,
        ["go%", "rust", "Rusty"]
    );
    assert_eq!(titles(&db, json!([]), "").await?.len(), 3);
    Ok(())
}

fn null_list() -> Vec<Value> {
    Vec::new()
}

#[orm::test(schema = blog())]
async fn everything_else_is_an_error_that_names_the_field(db: Db) -> orm::Result<()> {
    posts(&db).await?;
    for (filter, field) in [
        (json!({"field": "version", "value": 1}), Some("version")),
        (json!({"field": "id", "value": 1}), Some("id")),
        (json!({"field": "views\"; DROP", "value": 1}), None),
        (
            json!({"field": "views", "op": "gt", "value": "s3cret"}),
            Some("views"),
        ),
        (json!({"field": "views", "op": "like", "value": 1}), Some("views")),
        (json!({"field": "views", "op": 3, "value": 1}), Some("views")),
        (
            json!({"field": "views", "op": "contains", "value": "1"}),
            Some("views"),
        ),
        (json!({"field": "views", "value": null}), Some("views")),
        (json!({"field": "views", "op": "in", "value": 1}), Some("views")),
        (
            json!({"field": "views", "op": "between", "value": [1]}),
            Some("views"),
        ),
        (
            json!({"field": "published", "op": "gt", "value": true}),
            Some("published"),
        ),
        (json!({"field": "views", "value": 1.5}), Some("views")),
        (json!({"field": "views", "value": 1, "sql": "1 = 1"}), None),
        (json!({"and": [], "or": []}), None),
        (json!("views"), None),
        (json!(7), None),
    ] {
        let e = refused(titles(&db, filter.clone(), "").await);
        assert_eq!(
            (e.kind(), e.field()),
            (ErrorKind::InvalidQuery, field),
            "{filter}: {e}"
        );
        assert!(!format!("{e} {e:?}").contains("s3cret") && !e.to_string().contains("DROP"));
    }
    for order in [
        "version",
        "-",
        "title,title",
        "title;drop",
        "title,",
        "title desc",
        "-title,-title",
    ] {
        let e = refused(titles(&db, json!([]), order).await);
        assert_eq!(e.kind(), ErrorKind::InvalidQuery, "{order}");
    }
    let mut nested = json!({"field": "views", "value": 5});
    for _ in 0..5 {
        nested = json!({"not": nested});
    }
    assert_eq!(titles(&db, nested.clone(), "").await?.len(), 2);
    for _ in 0..100 {
        nested = Value::Array(vec![nested]);
    }
    let e = refused(titles(&db, nested, "").await);
    assert_eq!(e.message(), "the filter is nested too deeply");
    let many: Vec<Value> = (0..51).map(|n| json!({"field": "views", "value": n})).collect();
    assert!(titles(&db, json!(many[..50]), "").await.is_ok());
    assert!(titles(&db, json!(many), "").await.is_err());
    let long: Vec<i64> = (0..1001).collect();
    let e = refused(titles(&db, json!({"field": "views", "op": "in", "value": long}), "").await);
    assert_eq!(e.field(), Some("views"));
    Ok(())
}

orm::sql_fn! {
    /// On every database by its name.
    fn replace(text: String, from: String, to: String) -> String;
    /// By another name.
    fn shout(text: String) -> String = "upper";
    /// By names of its own.
    fn first_of(a: i64, b: i64) -> i64 = { postgres: "least", sqlite: "min" };
    /// With an argument that may be NULL.
    fn either(a: Option<i64>, b: i64) -> i64 = "coalesce";
    /// On one database only.
    fn only_there(n: i64) -> i64 = { nowhere: "f" };
    aggregate fn most(n: i64) -> Option<i64>;
}

#[orm::test(schema = blog())]
async fn functions_by_declaration(db: Db) -> orm::Result<()> {
    posts(&db).await?;
    let row: (String, String, i64, Option<i64>, i64) = Post::query()
        .filter(|p| shout(p.title).eq("RUST"))
        .select(|p| {
            (
                replace(p.title, "ru", p.title),
                shout("x"),
                first_of(p.views, 3),
                first_of(p.score, p.views),
                either(p.score, 8),
            )
        })
        .one(&db)
        .await?;
    assert_eq!(
        (row.0.as_str(), row.1.as_str(), row.2, row.4),
        ("rustst", "X", 3, 8)
    );
    let e = refused(Post::query().select(|p| only_there(p.views)).all(&db).await);
    assert_eq!(e.kind(), ErrorKind::Unsupported);
    assert!(e.message().contains("`only_there`"), "{e}");
    let e = refused(Post::query().aggregate(|p| most(p.views)).one(&db).await);
    assert_eq!(e.kind(), ErrorKind::UndefinedObject);
    Ok(())
}

#[orm::test(schema = blog())]
async fn expressions_by_hand(db: Db) -> orm::Result<()> {
    posts(&db).await?;
    let (low, list) = (6_i64, vec![7_i64, 9]);
    let found: Vec<(String, i64)> = Post::query()
        .filter(|p| raw_expr!(bool, "{p.views} > {low} and {p.views} in ({..list})"))
        .filter(|p| !raw_expr!(bool, "{p.views} = 9 or {p.views} = 1"))
        .select(|p| (p.title, raw_expr!(i64, "coalesce({p.score}, 0) + {p.views * 2}")))
        .all(&db)
        .await?;
    assert_eq!(found, [("Rusty".to_owned(), 15)]);
    // a name stands for nothing but a name
    let name = Ident::new("no such \" column");
    let e = refused(
        Post::query()
            .filter(|_| raw_expr!(bool, "{name} = 1"))
            .all(&db)
            .await,
    );
    assert_eq!(e.kind(), ErrorKind::UndefinedObject);
    Ok(())
}
