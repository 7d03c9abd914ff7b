//! Conditions, orders, limits, expressions.

use orm::prelude::*;
use orm::query::Order;

use crate::models::*;

async fn people(db: &Db) -> orm::Result<()> {
    for (name, age, bio) in [
        ("Ann", 30, Some("climbs 100%")),
        ("bob", 20, None),
        ("Cid", 40, Some("a_b")),
        ("dora", 25, Some("Axb")),
    ] {
        NewUser {
            email: format!("{name}@x.io"),
            name: name.into(),
        }
        .set(|u| (u.age.to(age), u.bio.to(bio.map(str::to_owned))))
        .insert(db)
        .await?;
    }
    Ok(())
}

async fn names<C: Cond<User>>(db: &Db, f: impl FnOnce(UserCols<User>) -> C) -> orm::Result<Vec<String>> {
    User::query()
        .filter(f)
        .order_by(|u| u.id.asc())
        .select(|u| u.name)
        .all(db)
        .await
}

#[orm::test(schema = blog())]
async fn comparisons(db: Db) -> orm::Result<()> {
    people(&db).await?;
    assert_eq!(names(&db, |u| u.age.gt(25)).await?, ["Ann", "Cid"]);
    assert_eq!(
        names(&db, |u| u.age.ge(25).and(u.age.le(30))).await?,
        ["Ann", "dora"]
    );
    assert_eq!(names(&db, |u| u.age.between(20, 25)).await?, ["bob", "dora"]);
    assert_eq!(
        names(&db, |u| u.age.lt(25).or(u.name.eq("Cid"))).await?,
        ["bob", "Cid"]
    );
    assert_eq!(names(&db, |u| u.age.ne(30)).await?, ["bob", "Cid", "dora"]);
    assert_eq!(names(&db, |u| u.age.gt(25).not()).await?, ["bob", "dora"]);
    assert_eq!(names(&db, |u| (u.age + 10).gt(39)).await?, ["Ann", "Cid"]);
    assert_eq!(names(&db, |u| (u.age * 2 - u.age).eq(40)).await?, ["Cid"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn null_is_neither_equal_nor_different(db: Db) -> orm::Result<()> {
    people(&db).await?;
    assert_eq!(names(&db, |u| u.bio.is_null()).await?, ["bob"]);
    assert_eq!(names(&db, |u| u.bio.is_not_null()).await?.len(), 3);
    assert_eq!(names(&db, |u| u.bio.ne("a_b")).await?, ["Ann", "dora"]);
    assert_eq!(names(&db, |u| u.bio.eq("a_b").not()).await?, ["Ann", "dora"]);
    let none: Option<&str> = None;
    assert_eq!(names(&db, |u| u.bio.eq_opt(none)).await?, ["bob"]);
    assert_eq!(names(&db, |u| u.bio.eq_opt(Some("a_b"))).await?, ["Cid"]);
    assert_eq!(
        names(&db, |u| u.bio.ne_opt(Some("a_b"))).await?,
        ["Ann", "bob", "dora"]
    );
    assert_eq!(names(&db, |u| u.bio.or_else("none").eq("none")).await?, ["bob"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_selected_comparison_over_null_is_false_not_an_error(db: Db) -> orm::Result<()> {
    people(&db).await?;
    let rows: Vec<(String, bool)> = User::query()
        .order_by(|u| u.id.asc())
        .select(|u| (u.name, u.bio.eq("a_b")))
        .all(&db)
        .await?;
    assert_eq!(
        rows.iter().map(|r| r.1).collect::<Vec<_>>(),
        [false, false, true, false]
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn lists_also_empty_and_long_ones(db: Db) -> orm::Result<()> {
    people(&db).await?;
    assert_eq!(names(&db, |u| u.age.in_([20, 40])).await?, ["bob", "Cid"]);
    assert_eq!(names(&db, |u| u.name.in_(["Ann", "nobody"])).await?, ["Ann"]);
    assert_eq!(
        names(&db, |u| u.age.in_(Vec::<i32>::new())).await?,
        Vec::<String>::new()
    );
    assert_eq!(names(&db, |u| u.age.not_in(Vec::<i32>::new())).await?.len(), 4);
    assert_eq!(names(&db, |u| u.bio.not_in(Vec::<String>::new())).await?.len(), 4);
    assert_eq!(names(&db, |u| u.bio.in_(Vec::<String>::new())).await?.len(), 0);
    assert_eq!(names(&db, |u| u.age.not_in([20, 30])).await?, ["Cid", "dora"]);
    let many: Vec<i32> = (0..100_000).collect();
    assert_eq!(names(&db, |u| u.age.in_(&many)).await?.len(), 4);
    let words: Vec<String> = (0..5000)
        .map(|i| format!("w{i}"))
        .chain(["Cid".to_owned()])
        .collect();
    assert_eq!(names(&db, |u| u.name.in_(&words)).await?, ["Cid"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn lists_of_every_length_share_few_statements(db: Db) -> orm::Result<()> {
    people(&db).await?;
    for n in 1..60 {
        let list: Vec<i32> = (1..=n).collect();
        assert_eq!(
            names(&db, |u| u.age.in_(&list)).await?.len(),
            [20, 25, 30, 40].iter().filter(|a| **a <= n).count()
        );
    }
    Ok(())
}

#[orm::test(schema = blog())]
async fn lists_from_a_query_and_its_negation_over_nulls(db: Db) -> orm::Result<()> {
    people(&db).await?;
    let ann = User::query().filter(|u| u.name.eq("Ann")).one(&db).await?;
    post(&db, &ann, "t").await;
    let authors = Post::query().select(|p| p.author_id);
    assert_eq!(names(&db, |u| u.id.in_(authors.clone())).await?, ["Ann"]);
    assert_eq!(
        names(&db, |u| u.id.not_in(authors)).await?,
        ["bob", "Cid", "dora"]
    );
    // a NULL in the inner list must not make every row vanish
    let bios = User::query().select(|u| u.bio);
    assert_eq!(names(&db, |u| u.name.not_in(bios)).await?.len(), 4);
    Ok(())
}

#[orm::test(schema = blog())]
async fn text_is_matched_literally_and_by_case(db: Db) -> orm::Result<()> {
    people(&db).await?;
    assert_eq!(names(&db, |u| u.name.contains("o")).await?, ["bob", "dora"]);
    assert_eq!(names(&db, |u| u.name.contains("O")).await?, Vec::<String>::new());
    assert_eq!(names(&db, |u| u.name.icontains("O")).await?, ["bob", "dora"]);
    assert_eq!(names(&db, |u| u.name.starts_with("d")).await?, ["dora"]);
    assert_eq!(
        names(&db, |u| u.name.starts_with("D")).await?,
        Vec::<String>::new()
    );
    assert_eq!(names(&db, |u| u.name.istarts_with("D")).await?, ["dora"]);
    assert_eq!(names(&db, |u| u.name.ends_with("b")).await?, ["bob"]);
    assert_eq!(names(&db, |u| u.name.iends_with("NN")).await?, ["Ann"]);
    assert_eq!(names(&db, |u| u.name.ieq("BOB")).await?, ["bob"]);
    assert_eq!(names(&db, |u| u.bio.contains("%")).await?, ["Ann"]);
    assert_eq!(names(&db, |u| u.bio.contains("_")).await?, ["Cid"]);
    assert_eq!(names(&db, |u| u.bio.icontains("_B")).await?, ["Cid"]);
    assert_eq!(names(&db, |u| u.bio.istarts_with("A_")).await?, ["Cid"]);
    assert_eq!(names(&db, |u| u.bio.like("a_b")).await?, ["Cid"]);
    assert_eq!(names(&db, |u| u.bio.like("_x_")).await?, ["dora"]);
    assert_eq!(names(&db, |u| u.bio.like("%100\\%")).await?, ["Ann"]);
    assert_eq!(names(&db, |u| u.name.like("B%")).await?, Vec::<String>::new());
    assert_eq!(names(&db, |u| u.name.contains("")).await?.len(), 4);
    assert_eq!(names(&db, |u| u.name.starts_with("*")).await?.len(), 0);
    assert_eq!(names(&db, |u| u.name.contains(u.name)).await?.len(), 4);
    Ok(())
}

#[orm::test(schema = blog())]
async fn text_functions(db: Db) -> orm::Result<()> {
    NewUser {
        email: "e".into(),
        name: "  Ünï ".into(),
    }
    .insert(&db)
    .await?;
    let (trimmed, length, joined): (String, i64, String) = User::query()
        .select(|u| (u.name.trim(), u.name.length(), u.email.concat("!")))
        .one(&db)
        .await?;
    assert_eq!((trimmed.as_str(), length, joined.as_str()), ("Ünï", 6, "e!"));
    let (lower, upper): (String, String) = User::query()
        .select(|u| (u.email.lower(), u.email.upper()))
        .one(&db)
        .await?;
    assert_eq!((lower.as_str(), upper.as_str()), ("e", "E"));
    let joined: Option<String> = User::query().select(|u| u.name.concat(u.bio)).one(&db).await?;
    assert_eq!(joined, None, "text joined with NULL is NULL");
    Ok(())
}

#[orm::test(schema = blog())]
async fn nulls_are_last_ascending_and_first_descending(db: Db) -> orm::Result<()> {
    people(&db).await?;
    let by = async |f: fn(UserCols<User>) -> Order<User>| {
        User::query().order_by(f).select(|u| u.bio).all(&db).await
    };
    assert_eq!(by(|u| u.bio.asc()).await?.last(), Some(&None));
    assert_eq!(by(|u| u.bio.desc()).await?.first(), Some(&None));
    assert_eq!(by(|u| u.bio.asc().nulls_first()).await?.first(), Some(&None));
    assert_eq!(by(|u| u.bio.desc().nulls_last()).await?.last(), Some(&None));
    Ok(())
}

#[orm::test(schema = blog())]
async fn text_is_ordered_the_same_everywhere(db: Db) -> orm::Result<()> {
    people(&db).await?;
    let names = User::query()
        .order_by(|u| u.name.asc())
        .select(|u| u.name)
        .all(&db)
        .await?;
    assert_eq!(names, ["Ann", "Cid", "bob", "dora"]);
    Ok(())
}

#[orm::test(schema = blog())]
async fn limit_and_offset(db: Db) -> orm::Result<()> {
    people(&db).await?;
    let page = async |limit: Option<u64>, offset: Option<u64>| {
        let mut q = User::query().order_by(|u| u.age.asc());
        if let Some(n) = limit {
            q = q.limit(n);
        }
        if let Some(n) = offset {
            q = q.offset(n);
        }
        q.select(|u| u.age).all(&db).await
    };
    assert_eq!(page(Some(2), None).await?, [20, 25]);
    assert_eq!(page(Some(2), Some(1)).await?, [25, 30]);
    assert_eq!(page(None, Some(3)).await?, [40]);
    assert_eq!(page(Some(0), None).await?, Vec::<i32>::new());
    assert_eq!(page(Some(5), Some(0)).await?.len(), 4);
    assert_eq!(page(Some(5), Some(u64::from(u32::MAX))).await?.len(), 0);
    assert_eq!(page(Some(i64::MAX as u64), None).await?.len(), 4);
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_limit_beyond_what_databases_count_is_no_panic(db: Db) -> orm::Result<()> {
    people(&db).await?;
    match User::query().limit(u64::MAX).all(&db).await {
        Ok(rows) => assert_eq!(rows.len(), 4),
        Err(e) => assert!(matches!(
            e.kind(),
            ErrorKind::OutOfRange | ErrorKind::Encode | ErrorKind::InvalidQuery
        )),
    }
    Ok(())
}

#[orm::test(schema = blog())]
async fn distinct_and_count(db: Db) -> orm::Result<()> {
    people(&db).await?;
    User::update_where(|u| u.age.lt(30))
        .set(|u| u.age.to(1))
        .exec(&db)
        .await?;
    let ages = User::query().select(|u| u.age).distinct();
    assert_eq!(
        ages.clone().order_by(|u| u.age.asc()).all(&db).await?,
        [1, 30, 40]
    );
    assert_eq!(ages.count(&db).await?, 3);
    assert_eq!(User::query().order_by(|u| u.age.asc()).count(&db).await?, 4);
    assert_eq!(User::query().limit(3).count(&db).await?, 3);
    assert_eq!(User::query().offset(3).count(&db).await?, 1);
    assert!(User::query().filter(|u| u.age.eq(40)).exists(&db).await?);
    assert!(!User::query().filter(|u| u.age.eq(41)).exists(&db).await?);
    assert!(!User::query().limit(0).exists(&db).await?);
    assert!(!User::query().offset(4).exists(&db).await?);
    Ok(())
}

#[orm::test(schema = blog())]
async fn conditions_are_put_together_at_run_time(db: Db) -> orm::Result<()> {
    people(&db).await?;
    let words = ["An", "do"];
    assert_eq!(
        names(&db, |u| any_of(words.iter().map(|w| u.name.contains(*w)))).await?,
        ["Ann", "dora"]
    );
    assert_eq!(names(&db, |_| any_of(Vec::<Filter<User>>::new())).await?.len(), 0);
    assert_eq!(names(&db, |_| all_of(Vec::<Filter<User>>::new())).await?.len(), 4);
    let mut q = User::query();
    for low in [10, 22] {
        q = q.filter(|u| u.age.gt(low));
    }
    q = q.order_by(|u| vec![u.age.desc(), u.name.asc()]);
    assert_eq!(q.clone().select(|u| u.age).all(&db).await?, [40, 30, 25]);
    assert_eq!(
        q.filter_some(None::<i32>, |u, n| u.age.eq(n)).count(&db).await?,
        3
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_condition_of_a_thousand_parts(db: Db) -> orm::Result<()> {
    people(&db).await?;
    assert_eq!(
        names(&db, |u| any_of((0..1000).map(|i| u.age.eq(i))))
            .await?
            .len(),
        4
    );
    assert_eq!(
        names(&db, |u| (0..1000)
            .fold(u.age.gt(0), |f, i| f.and(u.age.ne(1000 + i))))
        .await?
        .len(),
        4
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn case_expressions(db: Db) -> orm::Result<()> {
    people(&db).await?;
    let rows: Vec<(String, Option<i64>)> = User::query()
        .order_by(|u| u.age.asc())
        .select(|u| {
            (
                case(u.age.ge(40), "old")
                    .when(u.age.ge(30), "middle")
                    .or_else("young"),
                case(u.bio.is_null(), 1i64).or_null(),
            )
        })
        .all(&db)
        .await?;
    assert_eq!(
        rows,
        [
            ("young".into(), Some(1)),
            ("young".into(), None),
            ("middle".into(), None),
            ("old".into(), None)
        ]
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn arithmetic_is_the_same_everywhere(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    NewPost {
        author_id: ann.id,
        title: "t".into(),
    }
    .set(|p| p.views.to(7))
    .insert(&db)
    .await?;
    let (div, rem, neg): (i64, i64, i64) = Post::query()
        .select(|p| (p.views / 2, p.views % 4, (p.views - 10) / 2))
        .one(&db)
        .await?;
    assert_eq!((div, rem, neg), (3, 3, -1), "integer division cuts towards zero");
    let (sum, lifted, other): (i64, Option<i64>, i64) = Post::query()
        .select(|p| (p.views + 1, p.views + p.score, p.score.or_else(5)))
        .one(&db)
        .await?;
    assert_eq!((sum, lifted, other), (8, None, 5));
    Ok(())
}

#[orm::test(schema = blog())]
async fn division_by_zero_is_an_error_or_null_but_never_a_number(db: Db) -> orm::Result<()> {
    let ann = user(&db, "ann").await;
    post(&db, &ann, "t").await;
    let result: orm::Result<Vec<i64>> = Post::query().select(|p| p.views / (p.views * 2)).all(&db).await;
    assert!(result.is_err());
    Ok(())
}

#[orm::test(schema = blog())]
async fn parts_of_instants_are_read_in_utc(db: Db) -> orm::Result<()> {
    use orm::DatePart;
    let ann = user(&db, "ann").await;
    post(&db, &ann, "t").await;
    let (at, y, m, d, h): (Timestamp, i64, i64, i64, i64) = Post::query()
        .select(|p| {
            (
                p.created_at,
                p.created_at.year(),
                p.created_at.month(),
                p.created_at.day(),
                p.created_at.date_part(DatePart::Hour),
            )
        })
        .one(&db)
        .await?;
    let text = at.to_string();
    let want: Vec<i64> = [&text[0..4], &text[5..7], &text[8..10], &text[11..13]]
        .iter()
        .map(|s| s.parse().unwrap())
        .collect();
    assert_eq!([y, m, d, h], want[..]);
    let day: Timestamp = Post::query()
        .select(|p| p.created_at.date_trunc(DatePart::Day))
        .one(&db)
        .await?;
    assert_eq!(day.to_string(), format!("{}T00:00:00.000000Z", &text[..10]));
    Ok(())
}

#[orm::test(schema = blog())]
async fn conditions_are_reusable_functions(db: Db) -> orm::Result<()> {
    fn popular<S>(p: PostCols<S>) -> Filter<S> {
        p.views.gt(100).and(p.published)
    }
    let ann = user(&db, "ann").await;
    for (title, views, published) in [("hot", 101, true), ("cold", 1, true), ("secret", 200, false)] {
        NewPost {
            author_id: ann.id,
            title: title.into(),
        }
        .set(|p| (p.views.to(views), p.published.to(published)))
        .insert(&db)
        .await?;
    }
    assert_eq!(
        Post::query().filter(popular).select(|p| p.title).all(&db).await?,
        ["hot"]
    );
    assert_eq!(
        User::query().filter(|u| u.posts.any(popular)).count(&db).await?,
        1
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn patterns_and_regular_expressions(db: Db) -> orm::Result<()> {
    people(&db).await?;
    assert_eq!(names(&db, |u| u.name.ilike("a%")).await?, ["Ann"]);
    assert_eq!(names(&db, |u| u.bio.regex("^[ac]")).await?, ["Ann", "Cid"]);
    assert_eq!(
        names(&db, |u| u.name.iregex("^[ab]|A$")).await?,
        ["Ann", "bob", "dora"]
    );
    assert_eq!(
        names(&db, |u| u.name.regex(r"^\w{3}$")).await?,
        ["Ann", "bob", "Cid"]
    );
    let refused = names(&db, |u| u.name.regex("(a")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Database);
    assert_eq!(refused.message(), "the regular expression is not valid");
    Ok(())
}

/// Each pattern with texts, and whether it matches there: the contract between PostgreSQL's syntax and ours.
#[orm::test(schema = blog())]
async fn regular_expressions_mean_the_same_everywhere(db: Db) -> orm::Result<()> {
    let texts = [
        "", "a", "ab", "a\nb", "a.b", "AB", "a-b", "é", "É", "x1_", "a b", "aaa", "{", "]", "\t",
    ];
    for (i, text) in texts.into_iter().enumerate() {
        tag(&db, text).await;
        assert_eq!(Tag::query().count(&db).await?, i as i64 + 1);
    }
    let patterns: &[(&str, &[&str], &[&str])] = &[
        ("^$", &[""], &[""]),
        (
            "a.b",
            &["a\nb", "a.b", "a-b", "a b"],
            &["a\nb", "a.b", "a-b", "a b"],
        ),
        (r"a\.b", &["a.b"], &["a.b"]),
        ("^a+$", &["a", "aaa"], &["a", "aaa"]),
        ("^a{2,}$", &["aaa"], &["aaa"]),
        ("^ab|]$", &["ab", "]"], &["ab", "AB", "]"]),
        ("[]é]", &["é", "]"], &["é", "É", "]"]),
        ("^[^[:alpha:]]$", &["{", "]", "\t"], &["{", "]", "\t"]),
        (
            "^[[:lower:]]",
            &["a", "ab", "a\nb", "a.b", "a-b", "é", "x1_", "a b", "aaa"],
            &[
                "a", "ab", "a\nb", "a.b", "AB", "a-b", "é", "É", "x1_", "a b", "aaa",
            ],
        ),
        (r"^\w\d", &["x1_"], &["x1_"]),
        (r"\s", &["a\nb", "a b", "\t"], &["a\nb", "a b", "\t"]),
        (
            r"\mb\M",
            &["a\nb", "a.b", "a-b", "a b"],
            &["a\nb", "a.b", "a-b", "a b"],
        ),
        ("^b", &[], &[]),
        ("(?n)^b", &["a\nb"], &["a\nb"]),
        ("(?i)^É$", &["é", "É"], &["é", "É"]),
        (
            "^(?:a|b)*?$",
            &["", "a", "ab", "aaa"],
            &["", "a", "ab", "AB", "aaa"],
        ),
        (r"\x61\Z", &["a", "aaa"], &["a", "aaa"]),
        ("***={", &["{"], &["{"]),
    ];
    for (pattern, sensitive, any_case) in patterns {
        let found = async |no_case: bool| {
            let mut names = Tag::query()
                .filter(|t| match no_case {
                    true => t.name.iregex(*pattern),
                    false => t.name.regex(*pattern),
                })
                .select(|t| t.name)
                .all(&db)
                .await?;
            names.sort_by_key(|n| texts.iter().position(|t| t == n));
            orm::Result::Ok(names)
        };
        assert_eq!(&found(false).await?, sensitive, "{pattern}");
        assert_eq!(&found(true).await?, any_case, "(?i) {pattern}");
    }
    Ok(())
}

#[orm::test(schema = blog())]
async fn patterns_that_are_columns(db: Db) -> orm::Result<()> {
    people(&db).await?;
    assert_eq!(User::query().filter(|u| u.name.like(u.name)).count(&db).await?, 4);
    assert_eq!(
        names(&db, |u| u.name.like(u.name.left(1).concat("%n"))).await?,
        ["Ann"]
    );
    assert_eq!(
        names(&db, |u| u.name.ilike(u.name.upper().left(2).concat("_"))).await?,
        ["Ann", "bob", "Cid"]
    );
    assert_eq!(
        names(&db, |u| u.name.iregex(u.name.upper().left(1).concat("O"))).await?,
        ["bob", "dora"]
    );
    assert_eq!(
        names(&db, |u| u.name.icontains(u.name.upper().right(2)))
            .await?
            .len(),
        4
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_query_inside_its_own_clone_is_over_other_rows(db: Db) -> orm::Result<()> {
    people(&db).await?;
    NewUser {
        email: "second@x.io".into(),
        name: "Ann".into(),
    }
    .insert(&db)
    .await?;
    let all = User::query();
    let namesakes = all.clone().filter(|u| {
        let others = all.clone().filter(|v| v.name.eq(u.name).and(v.id.ne(u.id)));
        u.name.in_(others.select(|v| v.name))
    });
    let found: Vec<String> = namesakes.clone().select(|u| u.name).all(&db).await?;
    assert_eq!(found, ["Ann", "Ann"]);
    // the clone says the same in the same words
    assert_eq!(
        namesakes.to_sql(db.dialect())?.text,
        namesakes.clone().to_sql(db.dialect())?.text
    );
    Ok(())
}

#[orm::test(schema = blog())]
async fn a_join_inside_its_own_clone_is_over_other_rows(db: Db) -> orm::Result<()> {
    people(&db).await?;
    let (ann, bob) = (
        User::query().filter(|u| u.name.eq("Ann")).one(&db).await?,
        User::query().filter(|u| u.name.eq("bob")).one(&db).await?,
    );
    for (author, title) in [(&ann, "one"), (&ann, "two"), (&bob, "three")] {
        post(&db, author, title).await;
    }
    let tag = tag(&db, "t").await;
    for p in Post::query().all(&db).await? {
        label(&db, &p, &tag).await;
    }
    // posts of an author who wrote another one
    let all = Post::query().join(|p| p.author).join(|(p, _)| p.tags);
    let more = all.clone().filter(|(p, a, _)| {
        let others = all.clone().filter(|(q, b, _)| b.id.eq(a.id).and(q.id.ne(p.id)));
        a.name.in_(others.select(|(_, b, _)| b.name))
    });
    let found = more
        .clone()
        .select(|(p, _, t)| (p.title, t.name))
        .order_by(|p| p.title.asc())
        .all(&db)
        .await?;
    assert_eq!(found, [("one".into(), "t".into()), ("two".into(), "t".into())]);
    // the clone says the same in the same words
    let same = more.clone().select(|(p, _, _)| p.id).to_sql(db.dialect())?;
    assert_eq!(
        more.select(|(p, _, _)| p.id).to_sql(db.dialect())?.text,
        same.text
    );
    Ok(())
}

/// A table that is called what the library would call a table reference.
#[derive(Model, Clone, Debug, PartialEq)]
#[orm(table = "t0")]
#[has_many(leaves: Leaf, by = twig_id)]
pub struct Twig {
    pub id: Id<Twig>,
    pub size: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[orm(table = "T1")]
pub struct Leaf {
    pub id: Id<Leaf>,
    #[belongs_to(twig: Twig)]
    pub twig_id: Id<Twig>,
}

#[orm::test(schema = orm::schema![Twig, Leaf])]
async fn a_table_may_be_called_like_an_alias(db: Db) -> orm::Result<()> {
    let mut twigs = Vec::new();
    for size in [1, 2, 3] {
        twigs.push(NewTwig { size }.insert(&db).await?);
    }
    NewLeaf { twig_id: twigs[0].id }.insert(&db).await?;
    let gone = Id::<Leaf>::new(0);
    let n = Twig::update_where(|t| t.leaves.any(|l| l.id.ne(gone)))
        .set(|t| t.size.to(t.size + t.leaves.count()))
        .exec(&db)
        .await?;
    assert_eq!(n, 1);
    let sizes = Twig::query().order_by(|t| t.id.asc()).select(|t| t.size);
    assert_eq!(sizes.clone().all(&db).await?, [2, 2, 3]);
    assert_eq!(
        Leaf::update_where(|l| l.twig.any(|t| t.size.gt(5)))
            .set(|l| l.twig_id.to(twigs[1].id))
            .exec(&db)
            .await?,
        0
    );
    assert_eq!(
        Leaf::delete_where(|l| l.twig.any(|t| t.size.gt(5)))
            .exec(&db)
            .await?,
        0
    );
    assert_eq!(
        Twig::delete_where(|t| t.leaves.none(|l| l.id.ne(gone)))
            .exec(&db)
            .await?,
        2
    );
    assert_eq!(sizes.all(&db).await?, [2]);
    Ok(())
}

/// An index on `lower(..)` must mean the same to every program that opens the file: SQLite's own `lower` stays, and
/// `orm_lower` stands beside it.
#[orm::test(schema = blog())]
async fn letters_beyond_ascii_have_a_case(db: Db) -> orm::Result<()> {
    tag(&db, "ÉCOLE à Łódź").await;
    let found = async |f: fn(TagCols<Tag>) -> Filter<Tag>| Tag::query().filter(f).exists(&db).await;
    assert!(found(|t| t.name.icontains("éCOLE À")).await?);
    assert!(found(|t| t.name.istarts_with("école")).await?);
    assert!(found(|t| t.name.iends_with("łÓDŹ")).await?);
    assert!(found(|t| t.name.ieq("école À ŁÓDŹ")).await?);
    assert!(found(|t| t.name.ilike("_COLE%")).await?);
    assert!(found(|t| t.name.lower().eq("école à łódź")).await?);
    assert!(found(|t| t.name.upper().eq("ÉCOLE À ŁÓDŹ")).await?);
    assert!(found(|t| t.name.icontains(t.name.lower())).await?);
    assert!(found(|t| t.name.istarts_with(t.name.lower().left(3))).await?);
    assert!(found(|t| t.name.iends_with(t.name.upper().right(3))).await?);
    // letters that are written the same way are found in either case of their ASCII neighbours
    assert!(found(|t| t.name.icontains("Écol")).await?);
    assert!(!found(|t| t.name.contains("École")).await?);
    Ok(())
}

/// What a query on posts can be narrowed to, whatever it yields.
trait PostScopes {
    fn published(self) -> Self;
    fn by(self, author: &User) -> Self;
    fn newest(self, n: u64) -> Self;
}

impl<O> PostScopes for Query<Post, O> {
    fn published(self) -> Self {
        self.filter(|p| p.published)
    }
    fn by(self, author: &User) -> Self {
        self.filter(|p| p.author_id.eq(author.id))
    }
    fn newest(self, n: u64) -> Self {
        self.order_by(|p| p.id.desc()).limit(n)
    }
}

#[orm::test(schema = blog())]
async fn scopes_of_a_model_chain_on_every_query_of_it(db: Db) -> orm::Result<()> {
    let (ann, bob) = (user(&db, "ann").await, user(&db, "bob").await);
    for (author, title) in [(&ann, "a"), (&ann, "b"), (&bob, "c"), (&ann, "d")] {
        post(&db, author, title).await;
    }
    Post::update_where(|p| p.title.ne("d"))
        .set(|p| p.published.to(true))
        .exec(&db)
        .await?;
    let titles = |posts: Vec<Post>| posts.into_iter().map(|p| p.title).collect::<Vec<_>>();
    assert_eq!(
        titles(Post::query().published().by(&ann).newest(5).all(&db).await?),
        ["b", "a"]
    );
    assert_eq!(
        titles(ann.posts().query().published().newest(1).all(&db).await?),
        ["b"]
    );
    assert_eq!(Post::query().select(|p| p.title).by(&bob).all(&db).await?, ["c"]);
    assert_eq!(Post::query().by(&ann).count(&db).await?, 3);
    Ok(())
}
