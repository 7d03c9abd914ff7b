//! Full-text search: the same answers on every backend.

use orm::prelude::*;

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(soft_delete, search(title = A, body))]
#[has_many(notes: Note, by = article_id)]
pub struct Article {
    pub id: Id<Article>,
    #[orm(unique)]
    pub name: String,
    pub title: String,
    pub body: Option<String>,
    #[orm(default = 0)]
    pub views: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(search(text, language = "english"))]
pub struct Note {
    pub id: Id<Note>,
    #[belongs_to(article: Article)]
    pub article_id: Id<Article>,
    pub text: String,
}

fn articles() -> orm::Schema {
    orm::schema![Article, Note]
}

fn article(name: &str, title: &str, body: Option<&str>) -> orm::query::Insert<Article> {
    let new = NewArticle {
        name: name.into(),
        title: title.into(),
    };
    new.set(|a| a.body.to(body.map(str::to_owned)))
}

async fn written(db: &Db) -> orm::Result<()> {
    for (name, title, body) in [
        ("a", "Rust in Action", Some("The borrow checker and you")),
        ("b", "Async ORM", Some("rust, sql & an orm: fast; don't wait")),
        ("c", "Gardening", None),
        (
            "d",
            "Borrow a book",
            Some("checker flags -- na\u{ef}ve Gr\u{f6}\u{df}e, first-class"),
        ),
    ] {
        article(name, title, body).insert(db).await?;
    }
    Ok(())
}

async fn found(db: &Db, text: &str) -> orm::Result<String> {
    let q = Article::query().search(text).order_by(|a| a.name.asc());
    Ok(q.select(|a| a.name).all(db).await?.concat())
}

#[orm::test(schema = articles())]
async fn what_is_looked_for(db: Db) -> orm::Result<()> {
    written(&db).await?;
    for (text, expected) in [
        ("rust", "ab"),
        ("RUST orm", "b"),
        ("rust -orm", "a"),
        ("rust -\"borrow checker\"", "b"),
        ("\"borrow checker\"", "a"),
        ("borrow checker", "ad"),
        ("checker borrow", "ad"),
        ("\"checker borrow\"", ""),
        ("rust or gardening", "abc"),
        ("rust action OR orm fast", "ab"),
        ("rust wait or action nothing", "b"),
        ("-rust", "cd"),
        ("-rust -borrow", "c"),
        ("gardening or -rust", "cd"),
        ("-rust or -borrow", "bcd"),
        ("--rust", "ab"),
        ("rust - orm", "a"),
        ("\"rust\"-orm", "a"),
        ("the", "a"),
        ("gr\u{d6}\u{df}e", "d"),
        ("na\u{ef}ve", "d"),
        ("naive", ""),
        ("don't", "b"),
        ("first-class", "d"),
        ("class", "d"),
        ("rust*", "ab"),
        ("rust|orm", "b"),
        ("(rust) & !action", "a"),
        ("title:rust", ""),
        ("NEAR(rust orm, 10)", ""),
        ("rust AND orm", ""),
        ("gard", ""),
        ("rust \"", "ab"),
        ("\"rust in", "a"),
        ("rust or", ""),
        ("or rust", ""),
        ("", ""),
        ("  \t\n", ""),
        ("\"\"", ""),
        ("-", ""),
        ("!!! ( ) * ^ {} [] : ; ' \\ % _ ~ --", ""),
    ] {
        assert_eq!(found(&db, text).await?, expected, "{text}");
    }
    Ok(())
}

/// Whatever is typed, it is no error.
#[orm::test(schema = articles())]
async fn no_text_is_an_error(db: Db) -> orm::Result<()> {
    written(&db).await?;
    let alphabet = [
        "a",
        "rust",
        "\"",
        "-",
        " ",
        "or",
        "(",
        ")",
        "*",
        "^",
        ":",
        "'",
        "AND",
        "NEAR(",
        "{",
        "\u{df}",
        "\u{1f600}",
        ",",
    ];
    let mut state = 7u64;
    for _ in 0..200 {
        let mut text = String::new();
        for _ in 0..9 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            text.push_str(alphabet[(state >> 33) as usize % alphabet.len()]);
        }
        let q = Article::query().search(&*text);
        let asked = q.select(|a| (a.id, a.search_rank(&*text), a.headline(a.body, &*text)));
        assert!(asked.all(&db).await.is_ok(), "{text:?}");
    }
    let many = "word or -other ".repeat(1000);
    assert_eq!(found(&db, &many).await?, "abcd");
    Ok(())
}

#[orm::test(schema = articles())]
async fn the_best_first(db: Db) -> orm::Result<()> {
    written(&db).await?;
    article(
        "e",
        "Nothing",
        Some("rust and many words that are about something else"),
    )
    .insert(&db)
    .await?;
    let best = Article::query()
        .search("rust")
        .order_by(|a| (a.search_rank("rust").desc(), a.id.asc()))
        .select(|a| a.name)
        .all(&db)
        .await?;
    assert_eq!(best[0], "a", "the title counts more: {best:?}");
    let ranks = Article::query()
        .order_by(|a| a.name.asc())
        .select(|a| (a.search_rank("rust"), a.search_rank("")))
        .all(&db)
        .await?;
    let positive: Vec<bool> = ranks.iter().map(|(rank, _)| *rank > 0.0).collect();
    assert_eq!(positive, [true, true, false, false, true]);
    assert!(ranks.iter().all(|(_, none)| *none == 0.0));
    Ok(())
}

#[orm::test(schema = articles())]
async fn what_was_found_is_shown(db: Db) -> orm::Result<()> {
    written(&db).await?;
    let shown = Article::query()
        .order_by(|a| a.name.asc())
        .select(|a| {
            (
                a.highlight(a.title, "rust or book"),
                a.highlight(a.body, "rust or book"),
            )
        })
        .all(&db)
        .await?;
    let titles: Vec<&str> = shown.iter().map(|(title, _)| title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "<b>Rust</b> in Action",
            "Async ORM",
            "Gardening",
            "Borrow a <b>book</b>"
        ]
    );
    assert_eq!(
        shown[1].1.as_deref(),
        Some("<b>rust</b>, sql & an orm: fast; don't wait")
    );
    assert_eq!(shown[2].1, None);
    let long = format!("{} needle {}", "before ".repeat(100), "behind ".repeat(100));
    article("z", "Long", Some(&long)).insert(&db).await?;
    let excerpt = Article::query()
        .search("needle")
        .select(|a| a.headline(a.body, "needle"))
        .one(&db)
        .await?
        .unwrap();
    assert!(
        excerpt.contains("<b>needle</b>") && excerpt.len() < 400,
        "{excerpt}"
    );
    let other = Article::query().select(|a| a.highlight(a.name, "rust"));
    let refused = other.all(&db).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidQuery);
    assert_eq!(
        refused.message(),
        "the column `name` is not searched: name it in `search(..)`"
    );
    Ok(())
}

#[orm::test(schema = articles())]
async fn words_follow_their_rows(db: Db) -> orm::Result<()> {
    written(&db).await?;
    let a = Article::query().filter(|a| a.name.eq("a")).one(&db).await?;
    a.update().set(|a| a.body.to(None)).save(&db).await?;
    assert_eq!(
        (found(&db, "checker").await?, found(&db, "rust").await?),
        ("d".into(), "ab".into())
    );
    Article::update_where(|a| a.search("gardening"))
        .set(|a| a.title.to("Rust"))
        .exec(&db)
        .await?;
    assert_eq!(
        (found(&db, "rust").await?, found(&db, "gardening").await?),
        ("abc".into(), "".into())
    );
    // nothing of what is searched
    Article::update_where(|a| a.name.eq("b"))
        .set(|a| a.views.to(1))
        .exec(&db)
        .await?;
    assert_eq!(found(&db, "rust").await?, "abc");
    let upserted = article("d", "Rust again", None).upsert(|a| a.name);
    upserted
        .update(|a, new| (a.title.to(new.title), a.body.to(new.body)))
        .exec(&db)
        .await?;
    assert_eq!(
        (found(&db, "rust").await?, found(&db, "flags").await?),
        ("abcd".into(), "".into())
    );
    // soft-deleted rows are hidden as everywhere
    Article::delete_where(|a| a.name.eq("a")).exec(&db).await?;
    assert_eq!(found(&db, "rust").await?, "bcd");
    let all = Article::query().with_deleted().search("rust");
    assert_eq!(all.count(&db).await?, 4);
    let tx = db.begin().await?;
    let again = Article::query().search("again").one(&tx).await?;
    Article::purge(&tx, again.id).await?;
    assert_eq!(Article::query().search("rust").count(&tx).await?, 2);
    tx.rollback().await?;
    assert_eq!(found(&db, "rust").await?, "bcd");
    let rows = (0..200).map(|i| NewArticle {
        name: format!("n{i}"),
        title: format!("Copied {i}"),
    });
    NewArticle::copy_all(&db, rows).await?;
    assert_eq!(Article::query().search("copied").count(&db).await?, 200);
    assert_eq!(Article::query().search("copied 7").count(&db).await?, 1);
    Ok(())
}

#[orm::test(schema = articles())]
async fn a_search_is_a_condition_like_others(db: Db) -> orm::Result<()> {
    written(&db).await?;
    let rows = Article::query().order_by(|a| a.name.asc()).all(&db).await?;
    for (row, text) in [
        (&rows[0], "Running the tests"),
        (&rows[2], "run, tested & gone"),
        (&rows[3], "runway"),
    ] {
        NewNote {
            article_id: row.id,
            text: text.into(),
        }
        .insert(&db)
        .await?;
    }
    // english: stems, and no frequent words
    let notes = async |text: &str| Note::query().search(text).count(&db).await;
    assert_eq!(
        (
            notes("test runs").await?,
            notes("the test").await?,
            notes("the").await?
        ),
        (2, 2, 0)
    );
    assert_eq!(
        (notes("-the").await?, notes("\"running the tests\"").await?),
        (0, 1)
    );
    let q = Article::query().filter(|a| a.notes.any(|n| n.search("testing")).and(a.search("rust").not()));
    assert_eq!(q.select(|a| a.name).all(&db).await?, ["c"]);
    let joined = Note::query()
        .join(|n| n.article)
        .filter(|(n, a)| n.search("run").or(a.search("book")))
        .order_by(|(_, a)| a.name.asc())
        .select(|(_, a)| (a.name, a.search_rank("rust").gt(0.0)))
        .all(&db)
        .await?;
    assert_eq!(
        joined,
        [("a".into(), true), ("c".into(), false), ("d".into(), false)]
    );
    let page = Article::query()
        .search("rust or book")
        .order_by(|a| a.name.asc())
        .page(2)
        .fetch(&db)
        .await?;
    assert_eq!(page.items.len(), 2);
    let inner = Article::query().search("rust").select(|a| a.name);
    assert_eq!(
        orm::from(inner)
            .filter(|name| name.ne("a"))
            .select(|name| name)
            .all(&db)
            .await?,
        ["b"]
    );
    let outside = orm::from(Article::query().limit(9))
        .filter(|a| a.search("rust"))
        .select(|a| a.name);
    assert_eq!(
        outside.all(&db).await.unwrap_err().kind(),
        ErrorKind::InvalidQuery
    );
    Ok(())
}

#[orm::test]
async fn objects_come_and_go_with_the_schema(db: Db) -> orm::Result<()> {
    for _ in 0..2 {
        db.create_all(&articles()).await?;
        written(&db).await?;
        assert_eq!(found(&db, "rust").await?, "ab");
        db.drop_all(&articles()).await?;
    }
    Ok(())
}

#[derive(Model, Clone, Debug)]
#[orm(search(text))]
pub struct Keyed {
    #[orm(id)]
    pub code: String,
    pub text: String,
}

#[orm::test]
async fn words_beside_a_table_need_an_integer_key(db: Db) -> orm::Result<()> {
    let made = db.create_all(&orm::schema![Keyed]).await;
    let q = Keyed::query().search("rust");
    if db.dialect().features().arrays {
        made?;
        assert_eq!(q.count(&db).await?, 0);
        return Ok(());
    }
    assert_eq!(made.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(q.count(&db).await.unwrap_err().kind(), ErrorKind::Unsupported);
    Ok(())
}
