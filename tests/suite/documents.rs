//! Places in JSON documents: one answer on every backend.

use orm::prelude::*;
use orm::query::Assignable;
use serde_json::{Value, json};

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Paper {
    pub id: Id<Paper>,
    pub doc: Value,
    pub extra: Option<Value>,
}

fn papers() -> orm::schema::Schema {
    orm::schema![Paper]
}

async fn paper(db: &Db, doc: Value) -> orm::Result<Paper> {
    NewPaper { doc }.insert(db).await
}
async fn select<T: orm::query::Selection<Paper>>(
    db: &Db,
    f: impl FnOnce(PaperCols<Paper>) -> T,
) -> orm::Result<T::Out> {
    Paper::query().select(f).one(db).await
}
async fn put<V: Assignable<Paper, Value>>(
    db: &Db,
    f: impl FnOnce(PaperCols<Paper>) -> V,
) -> orm::Result<Value> {
    Paper::update_where(|p| p.doc.document().is_json_null().or(p.doc.document().exists()))
        .set(|p| p.doc.to(f(p)))
        .exec(db)
        .await?;
    select(db, |p| p.doc).await
}

#[orm::test(schema = papers())]
async fn values_are_read_by_type(db: Db) -> orm::Result<()> {
    let doc = json!({"s": "a\"b", "i": 7, "f": -1.5, "t": true, "n": null, "l": [1, "x", [2]], "o": {"k": {"d": 5}}});
    paper(&db, doc.clone()).await?;
    let kinds: Vec<Option<String>> = {
        let mut all = Vec::new();
        for key in ["s", "i", "f", "t", "n", "l", "o", "missing"] {
            all.push(select(&db, |p| p.doc.path(key).kind()).await?);
        }
        all
    };
    let want =
        ["string", "number", "number", "boolean", "null", "array", "object"].map(|k| Some(k.to_owned()));
    assert_eq!(kinds[..7], want);
    assert_eq!(kinds[7], None);
    for (key, text, int, float, truth) in [
        ("s", Some("a\"b"), None, None, None),
        ("i", Some("7"), Some(7), Some(7.0), None),
        ("f", Some("-1.5"), Some(-1), Some(-1.5), None),
        ("t", Some("true"), None, None, Some(true)),
        ("n", None, None, None, None),
        ("l", Some(""), None, None, None),
        ("missing", None, None, None, None),
    ] {
        let got: (Option<String>, Option<i64>, Option<f64>, Option<bool>) = select(&db, |p| {
            let at = p.doc.path(key);
            (
                at.clone().text(),
                at.clone().int(),
                at.clone().float(),
                at.boolean(),
            )
        })
        .await?;
        match key {
            "l" => assert!(
                got.0
                    .is_some_and(|t| serde_json::from_str::<Value>(&t).unwrap() == doc["l"])
            ),
            _ => assert_eq!(got.0.as_deref(), text, "{key}"),
        }
        assert_eq!((got.1, got.2, got.3), (int, float, truth), "{key}");
    }
    let deep: (Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>) = select(&db, |p| {
        (
            p.doc.path("o").path("k").path("d").int(),
            p.doc.path("l").path(2).path(0).int(),
            p.doc.path("l").path(-3).int(),
            p.doc.path("l").path(9).int(),
            p.doc.path("s").path("k").int(),
        )
    })
    .await?;
    assert_eq!(deep, (Some(5), Some(2), Some(1), None, None));
    let lengths: (Option<i64>, Option<i64>, Option<i64>) = select(&db, |p| {
        (
            p.doc.path("l").length(),
            p.doc.path("o").length(),
            p.doc.document().length(),
        )
    })
    .await?;
    assert_eq!(lengths, (Some(3), None, None));
    let parts: (Option<Value>, Option<Value>, Option<Value>) = select(&db, |p| {
        (
            p.doc.path("o").json(),
            p.doc.path("n").json(),
            p.doc.path("x").json(),
        )
    })
    .await?;
    assert_eq!(parts, (Some(doc["o"].clone()), Some(Value::Null), None));
    Ok(())
}

#[orm::test(schema = papers())]
async fn a_json_null_is_not_null(db: Db) -> orm::Result<()> {
    paper(&db, json!({"a": null})).await?;
    NewPaper { doc: Value::Null }
        .set(|p| p.extra.to(Value::Null))
        .insert(&db)
        .await?;
    let count = async |f: fn(PaperCols<Paper>) -> Filter<Paper>| Paper::query().filter(f).count(&db).await;
    assert_eq!(count(|p| p.doc.path("a").is_json_null()).await?, 1);
    assert_eq!(count(|p| p.doc.path("a").exists()).await?, 1);
    assert_eq!(count(|p| p.doc.path("b").exists()).await?, 0);
    assert_eq!(count(|p| !p.doc.path("b").is_json_null()).await?, 2);
    assert_eq!(count(|p| p.doc.document().is_json_null()).await?, 1);
    assert_eq!(count(|p| p.extra.is_null()).await?, 1);
    assert_eq!(count(|p| p.extra.document().is_json_null()).await?, 1);
    let rows = Paper::query()
        .order_by(|p| p.id.asc())
        .select(|p| p.extra)
        .all(&db)
        .await?;
    assert_eq!(rows, [None, Some(Value::Null)]);
    Ok(())
}

/// Keys are values, whatever they look like to a path.
#[orm::test(schema = papers())]
async fn keys_may_be_any_text(db: Db) -> orm::Result<()> {
    let keys = [
        "", " ", "a.b", "$", "$.a", "[0]", "#", "a\"b", "a\\b", "a'b", "ü", "0", "*", "{}", "a\nb",
        "'); DROP", "\"",
    ];
    let mut doc = serde_json::Map::new();
    for (i, key) in keys.iter().enumerate() {
        doc.insert((*key).to_owned(), json!(i));
    }
    paper(&db, Value::Object(doc.clone())).await?;
    for (i, key) in keys.into_iter().enumerate() {
        let got: Option<i64> = select(&db, |p| p.doc.path(key).int()).await?;
        assert_eq!(got, Some(i as i64), "{key:?}");
        let set = put(&db, |p| p.doc.path(key).set("new")).await?;
        assert_eq!(
            (set.as_object().unwrap().len(), &set[key]),
            (keys.len(), &json!("new")),
            "{key:?}"
        );
        let removed = put(&db, |p| p.doc.path(key).remove()).await?;
        assert!(
            removed.get(key).is_none() && removed.as_object().unwrap().len() == keys.len() - 1,
            "{key:?}"
        );
        put(&db, |p| p.doc.merge(doc.clone())).await?;
    }
    Ok(())
}

#[orm::test(schema = papers())]
async fn parts_are_written(db: Db) -> orm::Result<()> {
    paper(&db, json!({"a": {"b": 1}, "l": [1, 2]})).await?;
    let got = put(&db, |p| p.doc.path("a").path("c").set(vec!["x"])).await?;
    assert_eq!(got, json!({"a": {"b": 1, "c": ["x"]}, "l": [1, 2]}));
    let got = put(&db, |p| p.doc.path("l").path(1).set(json!({"deep": null}))).await?;
    assert_eq!(got["l"], json!([1, {"deep": null}]));
    let got = put(&db, |p| p.doc.path("l").path(2).set(3)).await?;
    assert_eq!(got["l"], json!([1, {"deep": null}, 3]));
    let before = got;
    let got = put(&db, |p| p.doc.path("x").path("y").set(1)).await?;
    assert_eq!(got, before, "objects on the way are not made");
    let got = put(&db, |p| p.doc.path("l").path(0).remove()).await?;
    assert_eq!(got["l"], json!([{"deep": null}, 3]));
    let got = put(&db, |p| {
        p.doc.path("missing").remove().path("a").path("b").remove()
    })
    .await?;
    assert_eq!(got["a"], json!({"c": ["x"]}));
    let Value::Object(more) = json!({"a": 1, "z": {"y": [true]}, "n": null}) else {
        unreachable!()
    };
    let got = put(&db, |p| p.doc.merge(more)).await?;
    assert_eq!(
        got,
        json!({"a": 1, "l": [{"deep": null}, 3], "z": {"y": [true]}, "n": null})
    );
    let got = put(&db, |p| p.doc.merge(serde_json::Map::new())).await?;
    assert_eq!(got["a"], json!(1));
    let got = put(&db, |p| p.doc.document().set("whole")).await?;
    assert_eq!(got, json!("whole"));
    Ok(())
}

#[orm::test(schema = papers())]
async fn documents_are_filtered_and_sorted_by(db: Db) -> orm::Result<()> {
    for (n, name) in [(10, "b"), (9, "a"), (100, "c")] {
        paper(&db, json!({"n": n, "name": name, "tags": ["x", name]})).await?;
    }
    let names: Vec<Option<String>> = Paper::query()
        .filter(|p| {
            p.doc
                .path("n")
                .int()
                .gt(9)
                .and(p.doc.path("tags").path(1).text().ne("zz"))
        })
        .order_by(|p| p.doc.path("n").int().desc())
        .select(|p| p.doc.path("name").text())
        .all(&db)
        .await?;
    assert_eq!(names, [Some("c".to_owned()), Some("b".to_owned())]);
    let groups: Vec<(Option<String>, i64)> = Paper::query()
        .group_by(|p| p.doc.path("tags").path(0).text())
        .select(|g| (g.key(), g.count()))
        .all(&db)
        .await?;
    assert_eq!(groups, [(Some("x".to_owned()), 3)]);
    Ok(())
}

#[orm::test(schema = papers())]
async fn containment(db: Db) -> orm::Result<()> {
    paper(
        &db,
        json!({"tags": ["a", "b"], "o": {"k": 1, "l": [2, {"m": null}]}, "n": 10}),
    )
    .await?;
    let count = async |f: fn(PaperCols<Paper>) -> Filter<Paper>| Paper::query().filter(f).count(&db).await;
    assert_eq!(count(|p| p.doc.path("tags").contains(["b"])).await?, 1);
    assert_eq!(count(|p| p.doc.path("tags").contains(["c"])).await?, 0);
    assert_eq!(count(|p| p.doc.path("tags").contains("a")).await?, 1);
    assert_eq!(count(|p| p.doc.path("none").contains(1)).await?, 0);
    assert_eq!(count(|p| p.doc.path("none").contains(1).not()).await?, 0, "NULL");
    for (part, expected) in [
        (json!({"o": {"l": [{"m": null}]}}), 1),
        (json!({"o": {"l": [3]}}), 0),
        (json!({"o": {"l": 2}}), 0),
        (json!({"n": 10.0}), 1),
        (json!({"n": "10"}), 0),
        (json!({"tags": ["b", "a", "a"]}), 1),
        (json!({"tags": []}), 1),
        (json!({"tags": {}}), 0),
        (json!({}), 1),
        (json!([]), 0),
    ] {
        let q = Paper::query().filter(|p| p.doc.document().contains(&part));
        assert_eq!(q.count(&db).await?, expected, "{part}");
    }
    Ok(())
}

#[orm::test(schema = papers())]
async fn keys_of_documents(db: Db) -> orm::Result<()> {
    paper(&db, json!({"a": {"k": 1}, "tags": ["x", "y", 3], "s": "text"})).await?;
    let count = async |f: fn(PaperCols<Paper>) -> Filter<Paper>| Paper::query().filter(f).count(&db).await;
    assert_eq!(count(|p| p.doc.document().has_key("a")).await?, 1);
    assert_eq!(count(|p| p.doc.document().has_key("k")).await?, 0);
    assert_eq!(count(|p| p.doc.path("a").has_key("k")).await?, 1);
    assert_eq!(count(|p| p.doc.path("tags").has_key("y")).await?, 1);
    assert_eq!(count(|p| p.doc.path("tags").has_key("3")).await?, 0);
    assert_eq!(count(|p| p.doc.path("s").has_key("text")).await?, 1);
    assert_eq!(count(|p| p.doc.document().has_any_key(["z", "s"])).await?, 1);
    assert_eq!(count(|p| p.doc.document().has_all_keys(["a", "s"])).await?, 1);
    assert_eq!(count(|p| p.doc.document().has_all_keys(["a", "z"])).await?, 0);
    assert_eq!(count(|p| p.doc.document().has_all_keys([""; 0])).await?, 1);
    assert_eq!(count(|p| p.doc.document().has_any_key([""; 0])).await?, 0);
    assert_eq!(count(|p| p.doc.path("none").has_key("a").not()).await?, 0, "NULL");
    Ok(())
}
