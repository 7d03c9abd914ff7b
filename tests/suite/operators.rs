//! Operators of arrays, ranges and vectors.

use std::ops::Bound;

use orm::prelude::*;
use orm::value::{Date, Range, Vector};
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Shelf {
    pub id: Id<Shelf>,
    pub name: String,
    pub tags: Vec<String>,
    pub numbers: Vec<Option<i64>>,
    pub flags: Option<Vec<bool>>,
    pub keys: Vec<Uuid>,
    pub sizes: Vec<f64>,
    pub during: Range<i32>,
    pub days: Option<Range<Date>>,
    pub price: Range<Decimal>,
}

fn shelf(name: &str, tags: &[&str], numbers: Vec<Option<i64>>, during: impl Into<Range<i32>>) -> NewShelf {
    NewShelf {
        name: name.into(),
        tags: tags.iter().map(|t| (*t).to_owned()).collect(),
        numbers,
        keys: vec![Uuid::from_u128(1), Uuid::from_u128(2)],
        sizes: vec![0.5, -0.0, 1e300],
        during: during.into(),
        price: (
            Bound::Excluded(Decimal::new(15, 1)),
            Bound::Included(Decimal::new(250, 2)),
        )
            .into(),
    }
}

async fn shelves(db: &Db) -> orm::Result<()> {
    let rows = [
        shelf("a", &["x", "y, z", "\"q\""], vec![Some(1), None, Some(3)], 1..5),
        shelf("b", &["x"], vec![Some(1)], 5..8),
        shelf("c", &[], vec![], 3..3),
        shelf("d", &["Y", "x", "x"], vec![None], 2..),
    ];
    NewShelf::insert_all(db, rows).await?;
    Shelf::update_where(|s| s.name.eq("a"))
        .set(|s| {
            (
                s.flags.to(vec![true, false]),
                s.days.to(Range::from(day(1)..day(10))),
            )
        })
        .exec(db)
        .await?;
    Ok(())
}

fn day(n: i32) -> Date {
    Date::from_days(20_000 + n)
}

async fn found(db: &Db, f: impl FnOnce(ShelfCols<Shelf>) -> Filter<Shelf>) -> orm::Result<String> {
    let names = Shelf::query()
        .filter(f)
        .order_by(|s| s.name.asc())
        .select(|s| s.name);
    Ok(names.all(db).await?.concat())
}
fn list(tags: &[&str]) -> Vec<String> {
    tags.iter().map(|t| (*t).to_owned()).collect()
}

#[orm::test(schema = orm::schema![Shelf])]
async fn arrays_are_asked(db: Db) -> orm::Result<()> {
    shelves(&db).await?;
    assert_eq!(found(&db, |s| s.tags.has("x")).await?, "abd");
    assert_eq!(found(&db, |s| s.tags.has("y, z")).await?, "a");
    assert_eq!(found(&db, |s| s.tags.has(s.name.upper())).await?, "");
    assert_eq!(found(&db, |s| s.tags.has("x").not()).await?, "c");
    // a NULL could be anything
    assert_eq!(found(&db, |s| s.numbers.has(3)).await?, "a");
    assert_eq!(found(&db, |s| s.numbers.has(3).not()).await?, "bc");
    assert_eq!(found(&db, |s| s.numbers.has(s.numbers.length())).await?, "ab");
    assert_eq!(found(&db, |s| s.flags.has(false)).await?, "a");
    assert_eq!(found(&db, |s| s.flags.has(false).not()).await?, "");
    assert_eq!(found(&db, |s| s.keys.has(Uuid::from_u128(2))).await?, "abcd");
    assert_eq!(found(&db, |s| s.keys.has(Uuid::from_u128(3))).await?, "");
    assert_eq!(found(&db, |s| s.keys.has(s.keys.at(1))).await?, "abcd");
    assert_eq!(
        found(&db, |s| s.sizes.has(0.0).and(s.sizes.has(1e300))).await?,
        "abcd"
    );
    assert_eq!(
        found(&db, |s| s.tags.has_all(list(&["x", "y, z", "x"]))).await?,
        "a"
    );
    assert_eq!(found(&db, |s| s.tags.has_all(list(&[]))).await?, "abcd");
    assert_eq!(found(&db, |s| s.numbers.has_all(vec![Some(1)])).await?, "ab");
    assert_eq!(found(&db, |s| s.numbers.has_all(vec![Some(1), None])).await?, "");
    assert_eq!(found(&db, |s| s.tags.has_any(list(&["y, z", "Y"]))).await?, "ad");
    assert_eq!(found(&db, |s| s.numbers.has_any(vec![None, Some(7)])).await?, "");
    assert_eq!(found(&db, |s| s.tags.is_within(list(&["x", "Y"]))).await?, "bcd");
    assert_eq!(found(&db, |s| s.tags.is_within(s.tags)).await?, "abcd");
    assert_eq!(found(&db, |s| s.tags.length().gt(1)).await?, "ad");
    assert_eq!(found(&db, |s| s.tags.at(2).eq("x")).await?, "d");
    assert_eq!(found(&db, |s| s.numbers.at(2).is_null()).await?, "abcd");
    Ok(())
}

#[orm::test(schema = orm::schema![Shelf])]
async fn items_are_rows(db: Db) -> orm::Result<()> {
    use orm::query::unnest;
    shelves(&db).await?;
    let tags: Vec<(String, i64)> = Shelf::query()
        .join_lateral(|s| unnest(s.tags))
        .filter(|(s, tag)| s.name.ne("b").and(tag.ne("Y")))
        .group_by(|(_, tag)| tag)
        .order_by(|g| g.key().asc())
        .select(|g| (g.key(), g.count()))
        .all(&db)
        .await?;
    let counted = [
        ("x".to_owned(), 3),
        ("y, z".to_owned(), 1),
        ("\"q\"".to_owned(), 1),
    ];
    assert!(
        tags.len() == 3 && counted.iter().all(|row| tags.contains(row)),
        "{tags:?}"
    );
    let numbers: Vec<(String, Option<i64>)> = Shelf::query()
        .left_join_lateral(|s| unnest(s.numbers))
        .order_by(|(s, n)| (s.name.asc(), n.asc()))
        .select(|(s, n)| (s.name, n))
        .all(&db)
        .await?;
    let rows: Vec<(&str, Option<i64>)> = numbers.iter().map(|(s, n)| (s.as_str(), *n)).collect();
    assert_eq!(
        rows,
        [
            ("a", Some(1)),
            ("a", Some(3)),
            ("a", None),
            ("b", Some(1)),
            ("c", None),
            ("d", None)
        ]
    );
    let flags = Shelf::query()
        .join_lateral(|s| unnest(s.flags))
        .select(|(_, flag)| flag);
    let mut flags = flags.all(&db).await?;
    flags.sort();
    assert_eq!(flags, [false, true]);
    Ok(())
}

#[orm::test(schema = orm::schema![Shelf])]
async fn arrays_are_made(db: Db) -> orm::Result<()> {
    shelves(&db).await?;
    let rows = Shelf::query()
        .filter(|s| s.name.eq("a"))
        .select(|s| {
            (
                (
                    s.tags.at(1),
                    s.tags.at(9),
                    s.tags.at(0),
                    s.flags.at(2),
                    s.keys.at(2),
                    s.sizes.at(3),
                ),
                (
                    s.tags.slice(2, 3),
                    s.tags.slice(3, 2),
                    s.numbers.slice(0, 2),
                    s.flags.slice(2, 9),
                ),
                (s.tags.append("n"), s.numbers.append(4), s.flags.append(true)),
                (
                    s.tags.concat(s.tags.slice(1, 1)),
                    s.tags.without("x"),
                    s.numbers.without(1),
                ),
                s.flags.length(),
            )
        })
        .one(&db)
        .await?;
    let tags = ["x", "y, z", "\"q\""];
    let (items, slices, more, others, length) = rows;
    assert_eq!(
        items,
        (
            Some("x".into()),
            None,
            None,
            Some(false),
            Some(Uuid::from_u128(2)),
            Some(1e300)
        )
    );
    assert_eq!(
        slices,
        (list(&tags[1..]), vec![], vec![Some(1), None], Some(vec![false]))
    );
    assert_eq!(more.0, list(&[tags[0], tags[1], tags[2], "n"]));
    assert_eq!(
        (more.1, more.2),
        (vec![Some(1), None, Some(3), Some(4)], vec![true, false, true])
    );
    assert_eq!(others.0, list(&[tags[0], tags[1], tags[2], tags[0]]));
    assert_eq!((others.1, others.2), (list(&tags[1..]), vec![None, Some(3)]));
    assert_eq!(length, Some(2));
    // of NULL
    let nothing = Shelf::query()
        .filter(|s| s.name.eq("b"))
        .select(|s| {
            (
                s.flags.length(),
                s.flags.append(true),
                s.flags.concat(vec![false]),
                s.flags.without(true),
            )
        })
        .one(&db)
        .await?;
    assert_eq!(nothing, (None, vec![true], Some(vec![false]), None));
    Shelf::update_where(|s| s.tags.has("Y"))
        .set(|s| s.tags.to(s.tags.without("x").append("z")))
        .exec(&db)
        .await?;
    assert_eq!(
        Shelf::query().filter(|s| s.name.eq("d")).one(&db).await?.tags,
        list(&["Y", "z"])
    );
    let all = Shelf::query()
        .aggregate(|s| {
            (
                s.name.array_agg().order_by(s.name.desc()),
                s.id.array_agg().filter(s.name.eq("none")),
                s.flags.at(1).array_agg().order_by(s.name.asc()),
                s.keys.at(2).array_agg().distinct(),
            )
        })
        .one(&db)
        .await?;
    assert_eq!(all.0, Some(list(&["d", "c", "b", "a"])));
    assert!(all.1.is_none());
    assert_eq!(all.2, Some(vec![Some(true), None, None, None]));
    assert_eq!(all.3, Some(vec![Some(Uuid::from_u128(2))]));
    Ok(())
}

#[orm::test(schema = orm::schema![Shelf])]
async fn ranges_are_asked(db: Db) -> orm::Result<()> {
    shelves(&db).await?;
    // a: [1,5), b: [5,8), c: empty, d: [2,)
    let r = |from: i32, to: i32| Range::from(from..to);
    assert_eq!(found(&db, |s| s.during.has(5)).await?, "bd");
    assert_eq!(
        found(&db, |s| s.during.has(s.tags.length().cast::<i32>())).await?,
        "ad"
    );
    assert_eq!(found(&db, |s| s.during.covers(r(2, 4))).await?, "ad");
    assert_eq!(found(&db, |s| s.during.covers(Range::EMPTY)).await?, "abcd");
    assert_eq!(found(&db, |s| s.during.is_within(r(0, 8))).await?, "abc");
    assert_eq!(found(&db, |s| s.during.overlaps(r(4, 6))).await?, "abd");
    assert_eq!(found(&db, |s| s.during.overlaps(r(8, 9))).await?, "d");
    assert_eq!(found(&db, |s| s.during.adjoins(r(8, 9))).await?, "b");
    assert_eq!(found(&db, |s| s.during.adjoins(r(0, 1))).await?, "a");
    assert_eq!(found(&db, |s| s.during.is_before(r(5, 6))).await?, "a");
    assert_eq!(found(&db, |s| s.during.is_after(r(0, 5))).await?, "b");
    assert_eq!(found(&db, |s| s.during.is_empty()).await?, "c");
    assert_eq!(found(&db, |s| s.during.upper().is_null()).await?, "cd");
    assert_eq!(
        found(&db, |s| s.days.overlaps(Range::from(day(9)..day(20)))).await?,
        "a"
    );
    assert_eq!(
        found(&db, |s| s.days.overlaps(Range::from(day(10)..day(20))).not()).await?,
        "a"
    );
    assert_eq!(found(&db, |s| s.days.has(day(1))).await?, "a");
    assert_eq!(found(&db, |s| s.price.has(Decimal::new(25, 1))).await?, "abcd");
    assert_eq!(found(&db, |s| s.price.has(Decimal::new(150, 2))).await?, "");
    let made = Shelf::query()
        .filter(|s| s.name.ne("c"))
        .order_by(|s| s.name.asc())
        .select(|s| {
            (
                s.during.intersect(r(4, 7)),
                s.during.merge(r(10, 12)),
                s.during.lower(),
                s.during.upper(),
                (s.days.lower(), s.days.upper(), s.price.lower(), s.price.upper()),
                s.days.intersect(Range::from(day(5)..)),
            )
        })
        .all(&db)
        .await?;
    let price = (Some(Decimal::new(15, 1)), Some(Decimal::new(25, 1)));
    let (a, b, d) = (&made[0], &made[1], &made[2]);
    assert_eq!((a.0, a.1, a.2, a.3), (r(4, 5), r(1, 12), Some(1), Some(5)));
    assert_eq!(a.4, (Some(day(1)), Some(day(10)), price.0, price.1));
    assert_eq!(a.5, Some(Range::from(day(5)..day(10))));
    assert_eq!((b.0, b.1, b.2, b.3), (r(5, 7), r(5, 12), Some(5), Some(8)));
    assert_eq!((b.4, b.5), ((None, None, price.0, price.1), None));
    assert_eq!((d.0, d.1, d.2, d.3), (r(4, 7), Range::from(2..), Some(2), None));
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Passage {
    pub id: Id<Passage>,
    pub name: String,
    pub embedding: Vector,
}

/// The servers of these tests lack the extension; what is sent there is a test of texts.
#[orm::test(schema = orm::schema![Passage], requires = |f| !f.arrays)]
async fn the_nearest_vectors(db: Db) -> orm::Result<()> {
    let rows = [
        ("x", [1.0, 0.0]),
        ("y", [0.0, 2.0]),
        ("xy", [3.0, 3.0]),
        ("o", [0.0, 0.0]),
    ];
    for (name, at) in rows {
        NewPassage {
            name: name.into(),
            embedding: Vector(at.to_vec()),
        }
        .insert(&db)
        .await?;
    }
    let q = Vector(vec![1.0, 1.0]);
    let near = Passage::query()
        .order_by(|p| (p.embedding.distance(&q).asc(), p.id.asc()))
        .limit(3)
        .select(|p| (p.name, p.embedding.distance(&q)))
        .all(&db)
        .await?;
    assert_eq!(near[0], ("x".into(), 1.0));
    assert_eq!((&*near[1].0, &*near[2].0), ("y", "o"));
    let alike = Passage::query()
        .order_by(|p| (p.embedding.cosine_distance(&q).asc(), p.id.asc()))
        .select(|p| {
            (
                p.name,
                p.embedding.cosine_distance(&q),
                p.embedding.negative_inner_product(&q),
            )
        })
        .all(&db)
        .await?;
    assert!(alike[0].0 == "xy" && alike[0].1.abs() < 1e-9 && alike[0].2 == -6.0);
    assert_eq!(alike[3], ("o".into(), 1.0, -0.0));
    let other = Passage::query().filter(|p| p.embedding.distance(Vector(vec![1.0])).lt(2.0));
    assert_eq!(other.count(&db).await.unwrap_err().kind(), ErrorKind::Database);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Tariff {
    pub id: Id<Tariff>,
    pub item: i32,
    pub cents: i64,
    pub valid: Range<Date>,
}

/// Effective dates: the constraint is hand-written, its violation and what is asked of the ranges are typed.
#[orm::test(schema = orm::schema![Tariff], requires = |f| f.index_methods)]
async fn effective_dates_do_not_overlap(db: Db) -> orm::Result<()> {
    sql!("ALTER TABLE tariffs ADD EXCLUDE USING gist (int4range(item, item, '[]') WITH &&, valid WITH &&)")
        .exec(&db)
        .await?;
    let tariff = |item, cents, valid: Range<Date>| NewTariff { item, cents, valid };
    tariff(1, 100, Range::from(day(0)..day(10))).insert(&db).await?;
    let next = tariff(1, 120, Range::from(day(10)..)).insert(&db).await?;
    tariff(2, 90, Range::from(day(5)..)).insert(&db).await?;
    let refused = tariff(1, 110, Range::from(day(9)..day(11))).insert(&db).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ExclusionViolation);
    let wider = next
        .update()
        .set(|t| t.valid.to(Range::from(day(9)..)))
        .save(&db)
        .await;
    assert_eq!(wider.unwrap_err().kind(), ErrorKind::ExclusionViolation);
    let then = Tariff::query()
        .filter(|t| t.item.eq(1).and(t.valid.has(day(9))))
        .select(|t| t.cents)
        .one(&db)
        .await?;
    assert_eq!(then, 100);
    Ok(())
}
