//! Values and names that somebody chose in order to break something.

use orm::prelude::*;
use orm::schema::Schema;

use crate::models::*;

/// Strings without NUL.
fn strings() -> Vec<String> {
    let mut all: Vec<String> = [
        "",
        " ",
        "  \t\n\r ",
        "'",
        "''",
        "\"",
        "\"\"",
        "`",
        "[",
        "]",
        "\\",
        "\\\\",
        "\\'",
        "\\\"",
        "\\0",
        "\\x00",
        "%",
        "_",
        "%%",
        "%_%",
        "*",
        "?",
        "[a-z]",
        "$1",
        "?1",
        ":a",
        "@a",
        "{name}",
        "{{}}",
        "{}",
        "--",
        "-- comment",
        "/* */",
        "*/",
        "/*",
        ";",
        ";;",
        "'; DROP TABLE tags; --",
        "\"; DROP TABLE tags; --",
        "' OR '1'='1",
        "1; SELECT pg_sleep(10)",
        "') UNION SELECT 1 --",
        "$$",
        "$tag$x$tag$",
        "E'\\n'",
        "x'41'",
        "NULL",
        "null",
        "None",
        "true",
        "0",
        "-0",
        "1e309",
        "NaN",
        "Infinity",
        "infinity",
        "-infinity",
        "0x41",
        "1_000",
        "undefined",
        "İ",
        "ı",
        "ß",
        "ẞ",
        "é",
        "e\u{301}",
        "Ω",
        "ﬁ",
        "\u{200B}",
        "\u{200D}",
        "\u{FEFF}",
        "\u{FFFD}",
        "\u{202E}txet desrever",
        "\u{2066}isolate\u{2069}",
        "שלום",
        "مرحبا بالعالم",
        "日本語テキスト",
        "ไทย",
        "👩‍👩‍👧‍👦🏳️‍🌈",
        "\u{1F980}",
        "\u{10FFFF}",
        "\u{7F}",
        "\u{1}\u{2}\u{1F}",
        "\u{85}",
        "\u{2028}\u{2029}",
        "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤a̴̟l̷g̡o",
        "\r\n.\r\n",
        "<script>alert(1)</script>",
        "&amp;",
        "{\"a\":1}",
        "\\.",
        "\\N",
        "a,b",
        "(1,2)",
        "{1,2}",
        "{\"x\",NULL}",
        "\"x\",",
        "../../etc/passwd",
        "file:///etc/passwd",
        "C:\\x",
    ]
    .map(str::to_owned)
    .into();
    all.push("x".repeat(1 << 20));
    all.push("'\"\\%_".repeat(10_000));
    all.push("\u{1F980}".repeat(30_000));
    all
}

#[orm::test(schema = blog())]
async fn text_means_itself_in_every_position_of_a_value(db: Db) -> orm::Result<()> {
    for (i, s) in strings().into_iter().enumerate() {
        let what: String = s.chars().take(30).collect();
        let u = NewUser {
            email: format!("{i}"),
            name: s.clone(),
        }
        .set(|u| u.bio.to(&s))
        .insert(&db)
        .await?;
        assert_eq!((&u.name, u.bio.as_ref()), (&s, Some(&s)), "{what:?}");
        let me = |c: UserCols<User>| c.id.eq(u.id);
        let count = async |q: Query<User>| q.count(&db).await;
        assert_eq!(
            count(User::query().filter(me).filter(|c| c.name.eq(&s))).await?,
            1,
            "eq {what:?}"
        );
        assert_eq!(
            count(User::query().filter(me).filter(|c| c.name.ne(&s))).await?,
            0,
            "ne {what:?}"
        );
        assert_eq!(
            count(
                User::query()
                    .filter(me)
                    .filter(|c| c.name.in_([&s, &String::from("other")]))
            )
            .await?,
            1,
            "in {what:?}"
        );
        assert_eq!(
            count(User::query().filter(me).filter(|c| c.name.between(&s, &s))).await?,
            1,
            "between {what:?}"
        );
        assert_eq!(
            count(User::query().filter(me).filter(|c| c.bio.eq_opt(Some(&s)))).await?,
            1,
            "eq_opt {what:?}"
        );
        assert_eq!(
            count(User::query().filter(me).filter(|c| c.name.eq(c.bio))).await?,
            1,
            "column {what:?}"
        );
        let (joined, literal): (String, String) = User::query()
            .filter(me)
            .select(|c| (c.email.concat(&s), case(c.age.eq(0), s.clone()).or_else("no")))
            .one(&db)
            .await?;
        assert_eq!(
            (joined, literal),
            (format!("{i}{s}"), s.clone()),
            "select {what:?}"
        );
        let raw: Vec<String> = sql!("select name from users where name = {s} and id = {u.id}")
            .fetch(&db)
            .await?;
        assert_eq!(raw, [s.clone()], "raw {what:?}");
        let again = u
            .update()
            .set(|c| (c.name.to("z"), c.bio.to(c.name)))
            .save(&db)
            .await?;
        assert_eq!(again.bio.as_ref(), Some(&s), "update {what:?}");
    }
    // an entry of an index has a largest size
    let all: Vec<String> = strings().into_iter().filter(|s| s.len() < 2000).collect();
    let tags = NewTag::insert_all(&db, all.iter().map(|s| NewTag { name: s.clone() })).await?;
    assert!(tags.iter().zip(&all).all(|(t, s)| t.name == *s));
    for s in &all {
        let up = NewTag { name: s.clone() }
            .upsert(|t| t.name)
            .update(|t, new| t.name.to(new.name))
            .exec(&db)
            .await?;
        assert!(!up.is_inserted());
    }
    let found = Tag::query().filter(|t| t.name.in_(&all)).count(&db).await?;
    assert_eq!(found, all.len() as i64);
    Ok(())
}

#[orm::test(schema = blog())]
async fn text_operators_take_every_text_literally(db: Db) -> orm::Result<()> {
    for s in strings().into_iter().filter(|s| s.len() < 1000) {
        Tag::delete_everything().exec(&db).await?;
        NewTag {
            name: format!("<{s}>"),
        }
        .insert(&db)
        .await?;
        let hits = async |f: Filter<Tag>| Tag::query().filter(|_| f).count(&db).await;
        let c = |f: fn(TagCols<Tag>, String) -> Filter<Tag>, s: String| Tag::query().filter(move |t| f(t, s));
        assert_eq!(
            c(|t, s| t.name.contains(s), s.clone()).count(&db).await?,
            1,
            "contains {s:?}"
        );
        assert_eq!(
            c(|t, s| t.name.starts_with(s), format!("<{s}"))
                .count(&db)
                .await?,
            1,
            "starts {s:?}"
        );
        assert_eq!(
            c(|t, s| t.name.ends_with(s), format!("{s}>")).count(&db).await?,
            1,
            "ends {s:?}"
        );
        assert_eq!(
            c(|t, s| t.name.contains(s), format!("{s}#")).count(&db).await?,
            0,
            "not contains {s:?}"
        );
        if s.is_ascii() {
            assert_eq!(
                c(|t, s| t.name.icontains(s), s.to_uppercase()).count(&db).await?,
                1,
                "icontains {s:?}"
            );
            assert_eq!(
                c(|t, s| t.name.istarts_with(s), format!("<{s}"))
                    .count(&db)
                    .await?,
                1,
                "istarts {s:?}"
            );
            assert_eq!(
                c(|t, s| t.name.iends_with(s), format!("{s}>")).count(&db).await?,
                1,
                "iends {s:?}"
            );
            assert_eq!(
                c(|t, s| t.name.ieq(s), format!("<{s}>").to_uppercase())
                    .count(&db)
                    .await?,
                1,
                "ieq {s:?}"
            );
        }
        let escaped: String = s
            .chars()
            .flat_map(|c| {
                if "%_\\".contains(c) {
                    vec!['\\', c]
                } else {
                    vec![c]
                }
            })
            .collect();
        assert_eq!(
            c(|t, s| t.name.like(s), format!("_{escaped}%"))
                .count(&db)
                .await?,
            1,
            "like {s:?}"
        );
        let _ = hits;
    }
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_nul_in_text_is_refused_before_it_is_sent(db: Db) -> orm::Result<()> {
    for s in ["\0", "a\0b", "end\0"] {
        let e = refused(NewTag { name: s.into() }.insert(&db).await);
        assert!(
            matches!(e.kind(), ErrorKind::Encode | ErrorKind::OutOfRange),
            "{e:?}"
        );
        let e = refused(Tag::query().filter(|t| t.name.eq(s)).count(&db).await);
        assert!(
            matches!(e.kind(), ErrorKind::Encode | ErrorKind::OutOfRange),
            "{e:?}"
        );
        let e =
            refused(NewTag::insert_all(&db, [NewTag { name: "x".into() }, NewTag { name: s.into() }]).await);
        assert!(
            matches!(e.kind(), ErrorKind::Encode | ErrorKind::OutOfRange),
            "{e:?}"
        );
    }
    assert_eq!(Tag::query().count(&db).await?, 0);
    Ok(())
}

#[orm::test(schema = orm::schema![Sample])]
async fn floats_without_a_place_in_numbers_are_kept_or_refused(db: Db) -> orm::Result<()> {
    for v in [
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        -0.0,
        f64::MIN_POSITIVE,
        5e-324,
        f64::EPSILON,
        0.1 + 0.2,
    ] {
        match insert_double(&db, v).await {
            Ok(got) => assert!(
                got.to_bits() == v.to_bits() || (got.is_nan() && v.is_nan()),
                "{v} became {got}"
            ),
            Err(e) => {
                assert!(v.is_nan(), "{v}: {e:?}");
                assert_eq!(e.kind(), ErrorKind::Encode, "{e:?}");
            }
        }
    }
    Ok(())
}

async fn insert_double(db: &Db, v: f64) -> orm::Result<f64> {
    let got: f64 = sql!("select cast({v} as double precision)").fetch_one(db).await?;
    Ok(got)
}

#[orm::test(schema = blog())]
async fn numbers_that_do_not_fit_are_refused_before_they_are_sent(db: Db) -> orm::Result<()> {
    let big = u64::MAX;
    let e = refused(sql!("select {big}").fetch_one::<i64, _>(&db).await);
    assert_eq!(e.kind(), ErrorKind::Encode);
    let e = refused(sql!("select 5000000000").fetch_one::<i32, _>(&db).await);
    assert_eq!(e.kind(), ErrorKind::Decode);
    Ok(())
}

/// Names that every layer must quote.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(table = "select \"from\" 'where'; -- ünï")]
#[orm(index(group_by), index(quoted, title.desc()))]
pub struct Odd {
    pub id: Id<Odd>,
    #[orm(column = "order by")]
    pub group_by: i32,
    #[orm(column = "a\"b", unique)]
    pub quoted: String,
    #[orm(column = "'; drop table x; --")]
    pub title: String,
    #[orm(column = "Ключ 🦀 %s ?1 $1 {x}", default = 5)]
    pub crab: i64,
    #[orm(column = "TABLE")]
    pub table: Option<String>,
    #[orm(column = "back\\slash`[x]")]
    pub slash: Option<i32>,
    #[belongs_to(parent: Self)]
    #[orm(column = "user")]
    pub r#type: Option<Id<Odd>>,
}

fn odd() -> Schema {
    orm::schema![Odd]
}

#[orm::test(schema = odd())]
async fn odd_names_of_tables_and_columns_work_everywhere(db: Db) -> orm::Result<()> {
    let new = |q: &str| NewOdd {
        group_by: 1,
        quoted: q.into(),
        title: "t".into(),
    };
    let a = new("a")
        .set(|o| (o.table.to("x"), o.slash.to(2)))
        .insert(&db)
        .await?;
    let rows = NewOdd::insert_all(&db, [new("b"), new("c")]).await?;
    assert_eq!(
        (a.crab, a.table.as_deref(), a.slash, rows.len()),
        (5, Some("x"), Some(2), 2)
    );
    let a = a
        .update()
        .set(|o| (o.crab.to(o.crab + 1), o.r#type.to(rows[0].id)))
        .save(&db)
        .await?;
    assert_eq!(a.crab, 6);
    assert_eq!(Odd::get(&db, a.id).await?, a);
    let found = Odd::query()
        .filter(|o| {
            o.table
                .eq("x")
                .and(o.title.contains("t"))
                .and(o.parent.any(|p| p.quoted.eq("b")))
        })
        .order_by(|o| (o.quoted.desc(), o.group_by.asc()))
        .all(&db)
        .await?;
    assert_eq!(found, [a.clone()]);
    let groups: Vec<(i32, i64)> = Odd::query()
        .group_by(|o| o.group_by)
        .select(|g| (g.key(), g.count()))
        .all(&db)
        .await?;
    assert_eq!(groups, [(1, 3)]);
    let joined: Vec<(String, Option<String>)> = Odd::query()
        .left_join(|o| o.parent)
        .order_by(|(o, _)| o.id.asc())
        .select(|(o, p)| (o.quoted, p.map(|p| p.quoted)))
        .all(&db)
        .await?;
    assert_eq!(joined[0], ("a".into(), Some("b".into())));
    let up = new("a")
        .upsert(|o| o.quoted)
        .update(|o, new| o.title.to(new.quoted))
        .exec(&db)
        .await?;
    assert!(matches!(up, Upserted::Updated(o) if o.title == "a"));
    let e = refused(new("a").insert(&db).await);
    assert_eq!(e.columns(), ["a\"b"], "{e:?}");
    assert_eq!(
        Odd::delete_where(|o| o.table.is_null())
            .exec(&db)
            .await
            .map_err(|e| e.kind()),
        Err(ErrorKind::ForeignKeyViolation)
    );
    db.drop_all(&odd()).await?;
    db.create_all(&odd()).await?;
    assert_eq!(Odd::query().count(&db).await?, 0);
    Ok(())
}
