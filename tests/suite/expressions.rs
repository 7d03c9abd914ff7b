//! Operators and functions: one answer on every backend.

use orm::prelude::*;
use orm::query::{row, today};
use orm::{Date, DatePart};
use rust_decimal::Decimal;

use crate::models::refused;

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Event {
    pub id: Id<Event>,
    pub name: String,
    pub note: Option<String>,
    pub at: Timestamp,
    pub local: orm::LocalTimestamp,
    pub day: Date,
    pub due: Option<Date>,
    pub n: i64,
    pub m: Option<i64>,
    pub x: f64,
    #[orm(decimal(10, 2))]
    pub price: Decimal,
    pub ok: bool,
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}
fn day(text: &str) -> Date {
    Date::parse(text).unwrap()
}
fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn event(name: &str) -> NewEvent {
    NewEvent {
        name: name.into(),
        at: at("2024-01-31T23:59:59.999999Z"),
        local: orm::LocalTimestamp::parse("2024-01-31T23:59:59.5").unwrap(),
        day: day("2024-01-31"),
        n: 7,
        x: -2.5,
        price: dec("12.35"),
        ok: true,
    }
}

fn events() -> orm::schema::Schema {
    orm::schema![Event]
}

/// What the only row becomes.
async fn select<T: orm::query::Selection<Event>>(
    db: &Db,
    f: impl FnOnce(EventCols<Event>) -> T,
) -> orm::Result<T::Out> {
    Event::query().select(f).one(db).await
}

#[orm::test(schema = events())]
async fn conditions_as_operators(db: Db) -> orm::Result<()> {
    for (name, n, ok) in [("a", 1, true), ("b", 2, false), ("c", 3, true)] {
        event(name)
            .set(|e| e.m.to((n > 1).then_some(n)))
            .insert(&db)
            .await?;
        Event::update_where(|e| e.name.eq(name))
            .set(|e| (e.ok.to(ok), e.n.to(n)))
            .exec(&db)
            .await?;
    }
    let names = async |f: fn(EventCols<Event>) -> Filter<Event>| {
        let q = Event::query().filter(f).order_by(|e| e.id.asc());
        q.select(|e| e.name).all(&db).await
    };
    assert_eq!(names(|e| !e.ok).await?, ["b"]);
    // & before |, as in Rust and in SQL
    assert_eq!(names(|e| e.n.eq(1) | e.ok & e.n.eq(2)).await?, ["a"]);
    assert_eq!(names(|e| (e.n.eq(1) | e.ok) & e.n.ge(2)).await?, ["c"]);
    assert_eq!(names(|e| e.n.eq(1).or(e.ok).and(e.n.ge(2))).await?, ["c"]);
    assert_eq!(names(|e| !(e.n.eq(1) | e.n.eq(2))).await?, ["c"]);
    assert_eq!(names(|e| e.m.is_distinct_from(e.n)).await?, ["a"]);
    assert_eq!(names(|e| e.m.is_not_distinct_from(2)).await?, ["b"]);
    assert_eq!(names(|e| e.m.ne(2)).await?, ["c"]);
    assert_eq!(names(|e| e.m.is_distinct_from(2)).await?, ["a", "c"]);
    assert_eq!(
        names(|e| row((e.n, e.name)).in_([(1, "a"), (2, "x"), (3, "c")])).await?,
        ["a", "c"]
    );
    assert_eq!(
        names(|e| row((e.n, e.name)).not_in([(1, "a")])).await?,
        ["b", "c"]
    );
    assert_eq!(
        names(|e| row((e.n, e.name)).in_(Vec::<(i64, String)>::new()))
            .await?
            .len(),
        0
    );
    assert_eq!(
        names(|e| row((e.n, e.name)).not_in(Vec::<(i64, String)>::new()))
            .await?
            .len(),
        3
    );
    assert_eq!(names(|e| row((e.n, e.name)).gt((1, "a"))).await?, ["b", "c"]);
    assert_eq!(names(|e| row((e.n, e.m)).le((2, 2))).await?, ["a", "b"]);
    Ok(())
}

#[orm::test(schema = events())]
async fn alternatives_and_nulls(db: Db) -> orm::Result<()> {
    event("e").insert(&db).await?;
    let none: (i64, i64, Option<i64>, Option<i64>, Option<String>, String) = select(&db, |e| {
        (
            e.n.greatest(e.m),
            e.m.least(9),
            e.m.greatest(e.m),
            e.n.null_if(7),
            e.note.or_else(e.note),
            e.note.or_else(e.note).or_else(e.name),
        )
    })
    .await?;
    assert_eq!(none, (7, 9, None, None, None, "e".into()));
    Event::update_where(|_| all_of(Vec::<Filter<Event>>::new()))
        .set(|e| e.m.to(8))
        .exec(&db)
        .await?;
    let some: (i64, i64, i64, Option<i64>) = select(&db, |e| {
        (
            e.n.greatest(e.m),
            e.m.least(9),
            e.n.greatest(3).greatest(e.m),
            e.n.null_if(1),
        )
    })
    .await?;
    assert_eq!(some, (8, 8, 8, Some(7)));
    let largest: (Decimal, Option<Decimal>) = select(&db, |e| {
        (e.price.greatest(dec("12.4")), e.price.null_if(dec("12.350")))
    })
    .await?;
    assert_eq!(largest, (dec("12.40"), None));
    Ok(())
}

#[orm::test(schema = events())]
async fn cases_of_values_columns_and_nulls(db: Db) -> orm::Result<()> {
    event("e").insert(&db).await?;
    let got: (String, Option<String>, Option<i64>, i64) = select(&db, |e| {
        (
            case(e.n.gt(100), "large")
                .when(e.n.gt(5), e.name)
                .or_else("small"),
            case(e.ok, e.note).or_else("no"),
            case_of(e.name, "x", 1_i64).or_null(),
            case_of(e.n, 1, e.n * 2).when(7, e.n * 3).or_else(0),
        )
    })
    .await?;
    assert_eq!(got, ("e".into(), None, None, 21));
    // NULL equals no value, not even itself
    let of_null: i32 = select(&db, |e| case_of(e.m, e.m, 1).or_else(2)).await?;
    assert_eq!(of_null, 2);
    let sums: Option<i64> = Event::query()
        .aggregate(|e| case(e.ok, e.n).or_else(0).sum())
        .one(&db)
        .await?;
    assert_eq!(sums, Some(7));
    Ok(())
}

#[orm::test(schema = events())]
async fn casts_that_fit_and_casts_that_are_refused(db: Db) -> orm::Result<()> {
    event(" 42 ").insert(&db).await?;
    let got: (i64, f64, String, i64, i64, String, bool) = select(&db, |e| {
        (
            e.name.cast::<i64>(),
            e.name.cast::<f64>(),
            e.n.cast::<String>(),
            e.x.cast::<i64>(),
            e.ok.cast::<i64>(),
            e.ok.cast::<String>(),
            e.n.cast::<bool>(),
        )
    })
    .await?;
    assert_eq!(got, (42, 42.0, "7".into(), -3, 1, "true".into(), true));
    let exact: (i64, f64, Scaled<10, 2>) = select(&db, |e| {
        (
            e.price.cast::<i64>(),
            e.price.cast::<f64>(),
            e.n.cast::<Scaled<10, 2>>(),
        )
    })
    .await?;
    assert_eq!(exact, (12, 12.35, Scaled(dec("7"))));
    for x in [0.1, 1.0, -0.0, 1e14, 1e15, 123456.789, 1.5e300, 1e-4, 1.25e-5] {
        Event::update_where(|e| e.n.eq(7))
            .set(|e| e.x.to(x))
            .exec(&db)
            .await?;
        let text: String = select(&db, |e| e.x.cast::<String>()).await?;
        assert_eq!(text.parse::<f64>().unwrap(), x);
        assert_eq!(
            text.contains('e'),
            x != 0.0 && !(1e-4..1e15).contains(&x.abs()),
            "{text}"
        );
        assert!(!text.ends_with(".0"), "{text}");
    }
    for wrong in ["", "x", "4x", "1.5", "0x10"] {
        Event::update_where(|e| e.n.eq(7))
            .set(|e| e.name.to(wrong))
            .exec(&db)
            .await?;
        let e = refused(select(&db, |e| e.name.cast::<i64>()).await);
        assert_eq!(e.kind(), ErrorKind::Database, "{wrong}");
        assert!(wrong.is_empty() || !e.to_string().contains(wrong));
    }
    Event::update_where(|e| e.n.eq(7))
        .set(|e| (e.name.to("9223372036854775808"), e.x.to(1e300)))
        .exec(&db)
        .await?;
    let e = refused(select(&db, |e| e.name.cast::<i64>()).await);
    assert_eq!(e.kind(), ErrorKind::OutOfRange);
    let e = refused(select(&db, |e| e.x.cast::<i64>()).await);
    assert_eq!(e.kind(), ErrorKind::OutOfRange);
    Ok(())
}

#[orm::test(schema = events())]
async fn functions_of_texts(db: Db) -> orm::Result<()> {
    event(" Ünï@x.io ").insert(&db).await?;
    let got: (String, String, String, String, String, String) = select(&db, |e| {
        let s = e.name.trim();
        (
            e.name.trim_start(),
            e.name.trim_end(),
            s.clone().substr(1, 3),
            s.clone().substr_from(5),
            s.clone().left(2),
            s.right(2),
        )
    })
    .await?;
    let want = ["Ünï@x.io ", " Ünï@x.io", "Ünï", "x.io", "Ün", "io"].map(String::from);
    assert_eq!(<[String; 6]>::from(got), want);
    let name = || "abc";
    Event::update_where(|e| e.n.eq(7))
        .set(|e| e.name.to(name()))
        .exec(&db)
        .await?;
    for (start, length, want) in [
        (0, 2, "a"),
        (-1, 2, ""),
        (-1, 3, "a"),
        (1, 0, ""),
        (2, -1, ""),
        (2, 100, "bc"),
        (4, 1, ""),
        (-5, 100, "abc"),
    ] {
        let bound: String = select(&db, |e| e.name.substr(start, length)).await?;
        let computed: String = select(&db, |e| e.name.substr(e.n - 7 + start, e.n - 7 + length)).await?;
        assert_eq!(
            (bound.as_str(), computed.as_str()),
            (want, want),
            "substr({start}, {length})"
        );
    }
    let ends: Vec<(String, String)> = {
        let mut all = Vec::new();
        for n in [0, 1, 3, 9] {
            all.push(select(&db, |e| (e.name.left(n), e.name.right(n))).await?);
        }
        all
    };
    let want = [("", ""), ("a", "c"), ("abc", "abc"), ("abc", "abc")];
    assert_eq!(ends, want.map(|(a, b)| (a.to_owned(), b.to_owned())));
    let padded: (String, String, String, String) = select(&db, |e| {
        (
            e.name.pad_start(7, "xy"),
            e.name.pad_end(7, "xy"),
            e.name.pad_start(2, "x"),
            e.name.pad_end(5, ""),
        )
    })
    .await?;
    let want = ["xyxyabc", "abcxyxy", "ab", "abc"].map(String::from);
    assert_eq!(<[String; 4]>::from(padded), want);
    let found: (i64, i64, i64, String, Option<String>) = select(&db, |e| {
        (
            e.name.position("c"),
            e.name.position("x"),
            e.name.position(""),
            e.name.replace("b", "--"),
            e.name.replace("b", e.note),
        )
    })
    .await?;
    assert_eq!(found, (3, 0, 1, "a--c".into(), None));
    let parts = async |text: &'static str, separator: &'static str, n: u32| {
        Event::update_where(|e| e.n.eq(7))
            .set(|e| e.name.to(text))
            .exec(&db)
            .await?;
        select(&db, |e| e.name.split_part(separator, n)).await
    };
    assert_eq!(parts("a,b,,d", ",", 2).await?, "b");
    assert_eq!(parts("a,b,,d", ",", 3).await?, "");
    assert_eq!(parts("a,b,,d", ",", 4).await?, "d");
    assert_eq!(parts("a,b,,d", ",", 5).await?, "");
    assert_eq!(parts("a<>b", "<>", 2).await?, "b");
    assert_eq!(parts("abc", "", 1).await?, "abc");
    assert!(parts("abc", ",", 0).await.is_err());
    Ok(())
}

#[orm::test(schema = events())]
async fn functions_of_numbers(db: Db) -> orm::Result<()> {
    event("e").insert(&db).await?;
    let whole: (i64, i64, i64, i64, i64, i64) = select(&db, |e| {
        (
            -e.n,
            (-e.n) / 2,
            (-e.n) % 4,
            e.n.sign(),
            (e.n - 7).sign(),
            (-e.n).abs(),
        )
    })
    .await?;
    assert_eq!(whole, (-7, -3, -3, 1, 0, 7));
    for x in [-2.5, 2.5, 0.5, -0.49, 7.0, 1.005, 123.456] {
        Event::update_where(|e| e.n.eq(7))
            .set(|e| e.x.to(x))
            .exec(&db)
            .await?;
        let got: (f64, f64, f64, f64, f64) = select(&db, |e| {
            (e.x.floor(), e.x.ceil(), e.x.trunc(), e.x.round(0), e.x.round(1))
        })
        .await?;
        assert_eq!(
            (got.0, got.1, got.2, got.3),
            (x.floor(), x.ceil(), x.trunc(), x.round()),
            "{x}"
        );
        assert!((got.4 - x).abs() <= 0.05 + 1e-9, "{x}: {}", got.4);
    }
    for price in ["12.35", "-12.35", "12.00", "0.99", "-0.01", "12.25"] {
        Event::update_where(|e| e.n.eq(7))
            .set(|e| e.price.to(dec(price)))
            .exec(&db)
            .await?;
        let got: (Decimal, Decimal, Decimal, Decimal, Decimal) = select(&db, |e| {
            (
                e.price.floor(),
                e.price.ceil(),
                e.price.trunc(),
                e.price.round(1),
                e.price.round(5),
            )
        })
        .await?;
        let p = dec(price);
        let away = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
        let want = (
            p.floor(),
            p.ceil(),
            p.trunc(),
            p.round_dp_with_strategy(1, away),
            p,
        );
        assert_eq!(got, want, "{price}");
    }
    Event::update_where(|e| e.n.eq(7))
        .set(|e| (e.x.to(0.25), e.price.to(dec("2.25"))))
        .exec(&db)
        .await?;
    let floats: (f64, f64, f64, f64, f64, f64) = select(&db, |e| {
        (
            e.x.sqrt(),
            e.price.sqrt(),
            e.n.power(2.0),
            e.x.exp(),
            e.x.ln(),
            e.price.log10(),
        )
    })
    .await?;
    let want = (0.5, 1.5, 49.0, 0.25f64.exp(), 0.25f64.ln(), 2.25f64.log10());
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b.abs().max(1.0);
    assert!(
        near(floats.0, want.0) && near(floats.1, want.1) && near(floats.2, want.2),
        "{floats:?}"
    );
    assert!(
        near(floats.3, want.3) && near(floats.4, want.4) && near(floats.5, want.5),
        "{floats:?}"
    );
    let angles: (f64, f64, f64, f64, f64, f64) = select(&db, |e| {
        (
            e.x.sin(),
            e.x.cos(),
            e.x.tan(),
            e.x.asin(),
            e.x.acos(),
            e.x.atan2(2.0),
        )
    })
    .await?;
    let x = 0.25f64;
    let want = [x.sin(), x.cos(), x.tan(), x.asin(), x.acos(), x.atan2(2.0)];
    assert!(
        <[f64; 6]>::from(angles)
            .into_iter()
            .zip(want)
            .all(|(a, b)| near(a, b)),
        "{angles:?}"
    );
    let kind = |e: orm::Error| e.kind();
    assert_eq!(
        kind(refused(select(&db, |e| (-e.x).sqrt()).await)),
        ErrorKind::OutOfRange
    );
    assert_eq!(
        kind(refused(select(&db, |e| (e.x - 0.25).ln()).await)),
        ErrorKind::OutOfRange
    );
    assert_eq!(
        kind(refused(select(&db, |e| (e.n * 1000).exp()).await)),
        ErrorKind::OutOfRange
    );
    assert_eq!(
        kind(refused(select(&db, |e| e.n.asin()).await)),
        ErrorKind::OutOfRange
    );
    assert_eq!(
        kind(refused(select(&db, |e| (-e.n).power(0.5)).await)),
        ErrorKind::OutOfRange
    );
    let none: Option<f64> = select(&db, |e| e.m.sqrt()).await?;
    assert_eq!(none, None);
    Ok(())
}

#[orm::test(schema = events())]
async fn parts_of_dates(db: Db) -> orm::Result<()> {
    event("e")
        .set(|e| e.due.to(day("2020-12-31")))
        .insert(&db)
        .await?;
    let of_instant: (i64, i64, i64, i64, i64, i64, i64) = select(&db, |e| {
        (
            e.at.year(),
            e.at.month(),
            e.at.day(),
            e.at.hour(),
            e.at.minute(),
            e.at.second(),
            e.at.date_part(DatePart::Microsecond),
        )
    })
    .await?;
    assert_eq!(of_instant, (2024, 1, 31, 23, 59, 59, 999_999));
    let of_date: (Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>) = select(&db, |e| {
        (
            e.due.quarter(),
            e.due.week(),
            e.due.weekday(),
            e.due.day_of_year(),
            e.due.epoch(),
        )
    })
    .await?;
    assert_eq!(
        of_date,
        (Some(4), Some(53), Some(4), Some(366), Some(1_609_372_800))
    );
    let epochs: (i64, i64) = select(&db, |e| (e.at.epoch(), e.local.epoch())).await?;
    assert_eq!(epochs, (1_706_745_599, 1_706_745_599));
    let cut: (Timestamp, Date, Date, Option<Date>) = select(&db, |e| {
        (
            e.at.date_trunc(DatePart::Quarter),
            e.at.date(),
            e.local.date(),
            e.due.date_trunc(DatePart::Week),
        )
    })
    .await?;
    let want = (
        at("2024-01-01T00:00:00Z"),
        day("2024-01-31"),
        day("2024-01-31"),
        Some(day("2020-12-28")),
    );
    assert_eq!(cut, want);
    let texts: (String, String, Option<String>) = select(&db, |e| {
        (
            e.at.format("%F %T"),
            e.local.format("day %j at %H\"%M' 100%%\\"),
            e.due.format("%d.%m.%Y"),
        )
    })
    .await?;
    assert_eq!(texts.0, "2024-01-31 23:59:59");
    assert_eq!(texts.1, "day 031 at 23\"59' 100%\\");
    assert_eq!(texts.2.as_deref(), Some("31.12.2020"));
    let e = refused(select(&db, |e| e.day.hour()).await);
    assert_eq!(e.kind(), ErrorKind::InvalidQuery);
    let now: i64 = Event::query().filter(|e| e.day.lt(today())).count(&db).await?;
    assert_eq!(now, 1);
    Ok(())
}

#[orm::test(schema = events())]
async fn dates_and_spans(db: Db) -> orm::Result<()> {
    event("e").insert(&db).await?;
    for (span, want) in [
        (Interval::months(1), "2024-02-29T23:59:59.999999Z"),
        (Interval::months(13), "2025-02-28T23:59:59.999999Z"),
        (Interval::months(-2), "2023-11-30T23:59:59.999999Z"),
        (Interval::years(1), "2025-01-31T23:59:59.999999Z"),
        (Interval::days(30), "2024-03-01T23:59:59.999999Z"),
        (Interval::days(-31), "2023-12-31T23:59:59.999999Z"),
        (Interval::weeks(1), "2024-02-07T23:59:59.999999Z"),
        (Interval::hours(1), "2024-02-01T00:59:59.999999Z"),
        (Interval::seconds(-60), "2024-01-31T23:58:59.999999Z"),
        (Interval::micros(1), "2024-02-01T00:00:00.000000Z"),
        (Interval::micros(-1_000_001), "2024-01-31T23:59:58.999998Z"),
        (
            Interval::months(1) + Interval::days(1),
            "2024-03-01T23:59:59.999999Z",
        ),
        (
            Interval::months(1) + Interval::days(1) + Interval::micros(1),
            "2024-03-02T00:00:00.000000Z",
        ),
        (Interval::days(-60_000), "1859-10-23T23:59:59.999999Z"),
        (Interval::seconds(-3_000_000_000), "1929-01-07T18:39:59.999999Z"),
        (
            Interval::micros(-3_000_000_000_000_001),
            "1929-01-07T18:39:59.999998Z",
        ),
    ] {
        let got: (Timestamp, Timestamp) = select(&db, |e| (e.at.plus(span), e.at.minus(-span))).await?;
        assert_eq!(got, (at(want), at(want)), "{span:?}");
    }
    let dates: (Date, Date, Option<Date>, orm::LocalTimestamp) = select(&db, |e| {
        (
            e.day.plus(Interval::months(1)),
            e.day.plus_days(e.n),
            e.day.plus_months(e.m),
            e.local.minus(std::time::Duration::from_millis(500)),
        )
    })
    .await?;
    let local = orm::LocalTimestamp::parse("2024-01-31T23:59:59").unwrap();
    assert_eq!(dates, (day("2024-02-29"), day("2024-02-07"), None, local));
    let since: (i64, i64, i64, i64, i64) = select(&db, |e| {
        (
            e.at.days_since(at("2024-01-31T00:00:00Z")),
            e.at.days_since(at("2023-12-31T23:59:59.999999Z")),
            e.at.months_since(at("2022-12-31T00:00:00Z")),
            e.at.seconds_since(at("2024-01-31T23:59:00.000001Z")),
            e.at.seconds_since(at("2024-02-01T00:00:01Z")),
        )
    })
    .await?;
    assert_eq!(since, (0, 31, 13, 59, -1));
    let micros: (i64, i64, i64, Option<i64>) = select(&db, |e| {
        (
            e.at.micros_since(at("1900-01-01T00:00:00.000001Z")),
            e.day.seconds_since(day("2024-01-30")),
            e.day.days_since(day("1900-02-28")),
            e.due.days_since(e.day),
        )
    })
    .await?;
    let exact = at("2024-01-31T23:59:59.999999Z").micros() - at("1900-01-01T00:00:00.000001Z").micros();
    assert_eq!(micros, (exact, 86_400, 45_262, None));
    let late: i64 = Event::query()
        .filter(|e| e.at.plus(Interval::days(1)).lt(orm::query::now()))
        .count(&db)
        .await?;
    assert_eq!(late, 1);
    Event::update_where(|e| e.n.eq(7))
        .set(|e| {
            (
                e.at.to(e.at.plus(Interval::months(1))),
                e.due.to(e.day.plus(Interval::days(1))),
            )
        })
        .exec(&db)
        .await?;
    let row = Event::query().one(&db).await?;
    assert_eq!(
        (row.at, row.due),
        (at("2024-02-29T23:59:59.999999Z"), Some(day("2024-02-01")))
    );
    Ok(())
}
