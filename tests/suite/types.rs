//! Every column type, there and back, at its limits.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use orm::prelude::*;
use orm::schema::Schema;
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use crate::models::*;

fn schema() -> Schema {
    orm::schema![Sample]
}

pub fn plain() -> NewSample {
    let date = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
    NewSample {
        flag: true,
        tiny: 1,
        small: 2,
        int: 3,
        big: 4,
        byte: 5,
        word: 6,
        dword: 7,
        qword: 8,
        single: 1.5,
        double: 2.5,
        text: "text".into(),
        bytes: vec![0, 255, 7],
        uuid: Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
        instant: DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap(),
        local: date.and_hms_micro_opt(23, 59, 59, 999_999).unwrap(),
        date,
        time: NaiveTime::from_hms_micro_opt(1, 2, 3, 4).unwrap(),
        json: json!({"a": [1, null, "ü", {"b": true}], "n": 1.5}),
        address: Address {
            street: "Main \"St\"".into(),
            lines: vec!["a".into(), String::new()],
        },
        price: Decimal::new(1999, 2),
        exact: Decimal::new(1, 10),
        mood: Mood::Happy,
    }
}

async fn back(db: &Db, new: NewSample) -> orm::Result<Sample> {
    let made = new.insert(db).await?;
    let read = Sample::get(db, made.id).await?;
    assert_eq!(read, made, "RETURNING and SELECT agree");
    Ok(read)
}

#[orm::test(schema = schema())]
async fn every_type_comes_back_as_it_went_in(db: Db) -> orm::Result<()> {
    let s = back(&db, plain()).await?;
    let p = plain();
    assert!(s.flag);
    assert_eq!((s.tiny, s.small, s.int, s.big), (1, 2, 3, 4));
    assert_eq!((s.byte, s.word, s.dword, s.qword), (5, 6, 7, 8));
    assert_eq!((s.single, s.double), (1.5, 2.5));
    assert_eq!((&s.text, &s.bytes, s.uuid), (&p.text, &p.bytes, p.uuid));
    assert_eq!(
        (s.instant, s.local, s.date, s.time),
        (p.instant, p.local, p.date, p.time)
    );
    assert_eq!((&s.json, &s.address), (&p.json, &p.address));
    assert_eq!((s.price, s.exact, s.mood), (p.price, p.exact, p.mood));
    assert_eq!(
        (
            s.maybe_text,
            s.maybe_int,
            s.maybe_time,
            s.maybe_mood,
            s.maybe_price
        ),
        (None, None, None, None, None)
    );
    Ok(())
}

#[orm::test(schema = schema())]
async fn smallest_and_largest_values(db: Db) -> orm::Result<()> {
    let low = NewSample {
        flag: false,
        tiny: i8::MIN,
        small: i16::MIN,
        int: i32::MIN,
        big: i64::MIN,
        byte: 0,
        word: 0,
        dword: 0,
        qword: 0,
        single: f32::MIN,
        double: f64::MIN,
        text: String::new(),
        bytes: Vec::new(),
        uuid: Uuid::nil(),
        instant: "0001-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap(),
        local: NaiveDate::from_ymd_opt(1, 1, 1)
            .unwrap()
            .and_hms_opt(0, 0, 0)
            .unwrap(),
        date: NaiveDate::from_ymd_opt(1, 1, 1).unwrap(),
        time: NaiveTime::MIN,
        json: json!(null),
        price: Decimal::new(-9_999_999_999, 2),
        exact: Decimal::from_str_exact("-999999999999999999.9999999999").unwrap(),
        mood: Mood::SoSo,
        ..plain()
    };
    let s = back(&db, low).await?;
    assert_eq!(
        (s.tiny, s.small, s.int, s.big),
        (i8::MIN, i16::MIN, i32::MIN, i64::MIN)
    );
    assert_eq!(
        (s.single, s.double, s.json, s.mood),
        (f32::MIN, f64::MIN, json!(null), Mood::SoSo)
    );
    assert_eq!(
        (s.instant.timestamp_micros(), s.time),
        (-62_135_596_800_000_000, NaiveTime::MIN)
    );
    assert_eq!(s.price, Decimal::new(-9_999_999_999, 2));
    assert_eq!(s.exact.to_string(), "-999999999999999999.9999999999");
    assert_eq!(s.uuid, Uuid::nil());
    let high = NewSample {
        tiny: i8::MAX,
        small: i16::MAX,
        int: i32::MAX,
        big: i64::MAX,
        byte: u8::MAX,
        word: u16::MAX,
        dword: u32::MAX,
        qword: i64::MAX as u64,
        single: f32::MAX,
        double: f64::MAX,
        uuid: Uuid::max(),
        instant: "9999-12-31T23:59:59.999999Z".parse::<DateTime<Utc>>().unwrap(),
        local: NaiveDate::from_ymd_opt(9999, 12, 31)
            .unwrap()
            .and_hms_micro_opt(23, 59, 59, 999_999)
            .unwrap(),
        date: NaiveDate::from_ymd_opt(9999, 12, 31).unwrap(),
        time: NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap(),
        json: json!(9_007_199_254_740_993_i64),
        price: Decimal::new(9_999_999_999, 2),
        exact: Decimal::from_str_exact("999999999999999999.9999999999").unwrap(),
        mood: Mood::Sad,
        ..plain()
    };
    let s = back(&db, high).await?;
    assert_eq!(
        (s.tiny, s.small, s.int, s.big),
        (i8::MAX, i16::MAX, i32::MAX, i64::MAX)
    );
    assert_eq!(
        (s.byte, s.word, s.dword, s.qword),
        (u8::MAX, u16::MAX, u32::MAX, i64::MAX as u64)
    );
    assert_eq!((s.single, s.double), (f32::MAX, f64::MAX));
    assert_eq!(s.instant.timestamp_micros(), 253_402_300_799_999_999);
    assert_eq!(
        (s.date.to_string().as_str(), s.time.to_string().as_str()),
        ("9999-12-31", "23:59:59.999999")
    );
    assert_eq!(
        s.json,
        json!(9_007_199_254_740_993_i64),
        "integers beyond 2^53 stay exact"
    );
    Ok(())
}

#[orm::test(schema = schema())]
async fn many_rows_take_the_same_values(db: Db) -> orm::Result<()> {
    let rows = (0..20).map(|i| NewSample {
        int: i,
        text: format!("t{i}"),
        mood: [Mood::Happy, Mood::SoSo, Mood::Sad][i as usize % 3],
        price: Decimal::new(i.into(), 2),
        ..plain()
    });
    let made = NewSample::insert_all(&db, rows).await?;
    for (i, s) in made.iter().enumerate() {
        assert_eq!(
            (s.int, s.text.as_str(), s.price),
            (i as i32, format!("t{i}").as_str(), Decimal::new(i as i64, 2))
        );
        assert_eq!(
            (s.uuid, s.instant, &s.json, &s.bytes),
            (plain().uuid, plain().instant, &plain().json, &plain().bytes)
        );
        assert_eq!(
            (s.local, s.date, s.time, s.exact),
            (plain().local, plain().date, plain().time, plain().exact)
        );
        assert_eq!(
            (s.address.clone(), s.flag, s.single, s.double),
            (plain().address, true, 1.5, 2.5)
        );
        assert_eq!(*s, Sample::get(&db, s.id).await?);
    }
    let set = (0..3).map(|i| {
        plain().set(|s| {
            (
                s.maybe_text.to("x"),
                s.maybe_int.to(i),
                s.maybe_mood.to(Mood::Sad),
                s.maybe_price.to(Decimal::new(105, 2)),
                s.maybe_time.to(Timestamp::from_micros(5)),
            )
        })
    });
    let made = NewSample::insert_all(&db, set).await?;
    assert!(made.iter().all(|s| s.maybe_mood == Some(Mood::Sad)
        && s.maybe_price == Some(Decimal::new(105, 2))
        && s.maybe_time == Some(Timestamp::from_micros(5))));
    Ok(())
}

#[orm::test(schema = schema())]
async fn every_type_can_be_compared_with_a_bound_value(db: Db) -> orm::Result<()> {
    let s = back(&db, plain()).await?;
    let found = Sample::query()
        .filter(|c| {
            c.flag
                .eq(s.flag)
                .and(c.tiny.eq(s.tiny))
                .and(c.small.eq(s.small))
                .and(c.int.eq(s.int))
                .and(c.big.eq(s.big))
        })
        .filter(|c| {
            c.byte
                .eq(s.byte)
                .and(c.word.eq(s.word))
                .and(c.dword.eq(s.dword))
                .and(c.qword.eq(s.qword))
        })
        .filter(|c| {
            c.single
                .eq(s.single)
                .and(c.double.eq(s.double))
                .and(c.text.eq(&s.text))
                .and(c.bytes.eq(s.bytes.clone()))
        })
        .filter(|c| {
            c.uuid
                .eq(s.uuid)
                .and(c.instant.eq(s.instant))
                .and(c.local.eq(s.local))
                .and(c.date.eq(s.date))
                .and(c.time.eq(s.time))
        })
        .filter(|c| {
            c.price
                .eq(s.price)
                .and(c.exact.eq(s.exact))
                .and(c.mood.eq(s.mood))
        })
        .one(&db)
        .await?;
    assert_eq!(found, s);
    let lists = Sample::query()
        .filter(|c| {
            c.flag
                .in_([true, false])
                .and(c.small.in_([1i16, 2]))
                .and(c.int.in_([3, 4]))
                .and(c.big.in_([4i64, 9]))
        })
        .filter(|c| {
            c.double
                .in_([2.5, 9.0])
                .and(c.uuid.in_([s.uuid, Uuid::nil()]))
                .and(c.date.in_([s.date, NaiveDate::MIN.max(s.date)]))
        })
        .filter(|c| {
            c.mood
                .in_([Mood::Happy, Mood::Sad])
                .and(c.price.in_([Decimal::new(1999, 2), Decimal::ONE]))
        })
        .filter(|c| {
            c.instant
                .in_([s.instant, s.instant])
                .and(c.bytes.in_([vec![1u8], s.bytes.clone()]))
                .and(c.time.in_([s.time, s.time]))
        })
        .count(&db)
        .await?;
    assert_eq!(lists, 1);
    Ok(())
}

#[orm::test(schema = schema())]
async fn order_of_every_type_is_the_order_of_its_values(db: Db) -> orm::Result<()> {
    for (i, price) in [
        Decimal::new(-5, 1),
        Decimal::new(2, 0),
        Decimal::new(10, 0),
        Decimal::new(105, 1),
    ]
    .into_iter()
    .enumerate()
    {
        let at = DateTime::from_timestamp(-10 + 10 * i as i64, 0).unwrap();
        NewSample {
            price,
            instant: at,
            local: at.naive_utc(),
            date: NaiveDate::from_num_days_from_ce_opt(700_000 + i as i32).unwrap(),
            double: i as f64 - 1.5,
            ..plain()
        }
        .insert(&db)
        .await?;
    }
    let ids = Sample::query()
        .order_by(|s| s.id.asc())
        .select(|s| s.id)
        .all(&db)
        .await?;
    assert_eq!(
        Sample::query()
            .order_by(|s| s.price.asc())
            .select(|s| s.id)
            .all(&db)
            .await?,
        ids
    );
    assert_eq!(
        Sample::query()
            .order_by(|s| s.instant.asc())
            .select(|s| s.id)
            .all(&db)
            .await?,
        ids
    );
    assert_eq!(
        Sample::query()
            .order_by(|s| s.local.asc())
            .select(|s| s.id)
            .all(&db)
            .await?,
        ids
    );
    assert_eq!(
        Sample::query()
            .order_by(|s| s.date.asc())
            .select(|s| s.id)
            .all(&db)
            .await?,
        ids
    );
    assert_eq!(
        Sample::query()
            .order_by(|s| s.double.asc())
            .select(|s| s.id)
            .all(&db)
            .await?,
        ids
    );
    assert_eq!(
        Sample::query()
            .filter(|s| s.price.gt(Decimal::new(95, 1)))
            .count(&db)
            .await?,
        2
    );
    Ok(())
}

#[orm::test(schema = schema())]
async fn decimals_are_exact_in_sums_products_and_comparisons(db: Db) -> orm::Result<()> {
    let cents = std::iter::repeat_n(99, 14)
        .chain(std::iter::repeat_n(199, 7))
        .chain(std::iter::repeat_n(99, 3));
    NewSample::exec_all(
        &db,
        cents.map(|c| NewSample {
            price: Decimal::new(c, 2),
            ..plain()
        }),
    )
    .await?;
    let sum: Option<Decimal> = Sample::query().aggregate(|s| s.price.sum()).one(&db).await?;
    assert_eq!(sum, Some(Decimal::new(3076, 2)));
    let (min, max): (Option<Decimal>, Option<Decimal>) = Sample::query()
        .aggregate(|s| (s.price.min(), s.price.max()))
        .one(&db)
        .await?;
    assert_eq!(
        (min, max),
        (Some(Decimal::new(99, 2)), Some(Decimal::new(199, 2)))
    );
    let product: Decimal = Sample::query()
        .filter(|s| s.price.gt(Decimal::ONE))
        .limit(1)
        .select(|s| s.price * s.price)
        .one(&db)
        .await?;
    assert_eq!(product.normalize(), Decimal::new(39_601, 4));
    let plus: Decimal = Sample::query()
        .filter(|s| s.price.gt(Decimal::ONE))
        .limit(1)
        .select(|s| s.price + Decimal::new(1, 2))
        .one(&db)
        .await?;
    assert_eq!(plus, Decimal::new(200, 2));
    Ok(())
}

#[orm::test(schema = schema())]
async fn a_decimal_with_too_many_digits_is_refused_or_rounded_by_the_database_never_cut_silently_wrong(
    db: Db,
) -> orm::Result<()> {
    let e = refused(
        NewSample {
            price: Decimal::new(12_345_678_901, 2),
            ..plain()
        }
        .insert(&db)
        .await,
    );
    assert!(
        matches!(
            e.kind(),
            ErrorKind::OutOfRange | ErrorKind::Encode | ErrorKind::CheckViolation
        ),
        "{e:?}"
    );
    match (NewSample {
        price: Decimal::new(12_345, 3),
        ..plain()
    })
    .insert(&db)
    .await
    {
        Ok(s) => assert!(s.price == Decimal::new(1235, 2) || s.price == Decimal::new(1234, 2)),
        Err(e) => assert!(
            matches!(e.kind(), ErrorKind::OutOfRange | ErrorKind::Encode),
            "{e:?}"
        ),
    }
    Ok(())
}

#[orm::test(schema = schema())]
async fn json_null_is_not_sql_null_and_paths_hold_any_text(db: Db) -> orm::Result<()> {
    for v in [
        json!(null),
        json!([]),
        json!({}),
        json!("\u{1F980} \\ \" \n"),
        json!({"ключ": {"a.b": [[[]]]}}),
        json!(true),
        json!(-0.5),
    ] {
        assert_eq!(
            back(
                &db,
                NewSample {
                    json: v.clone(),
                    ..plain()
                }
            )
            .await?
            .json,
            v
        );
    }
    Ok(())
}

#[orm::test(schema = schema())]
async fn nanoseconds_are_cut_to_microseconds_before_they_are_stored(db: Db) -> orm::Result<()> {
    let at = DateTime::from_timestamp(1, 123_456_789).unwrap();
    let s = back(
        &db,
        NewSample {
            instant: at,
            ..plain()
        },
    )
    .await?;
    assert_eq!(s.instant.timestamp_subsec_nanos(), 123_456_000);
    let before = DateTime::from_timestamp(-1, 999_999_999).unwrap();
    assert_eq!(
        back(
            &db,
            NewSample {
                instant: before,
                ..plain()
            }
        )
        .await?
        .instant
        .timestamp_micros(),
        -1
    );
    Ok(())
}

#[orm::test(schema = schema())]
async fn updates_take_every_type(db: Db) -> orm::Result<()> {
    let s = back(&db, plain()).await?;
    let s = s
        .update()
        .set(|c| {
            (
                c.flag.to(false),
                c.tiny.to(-1),
                c.bytes.to(vec![9u8]),
                c.uuid.to(Uuid::nil()),
                c.json.to(json!([1])),
                c.mood.to(Mood::Sad),
                c.price.to(Decimal::new(1, 2)),
            )
        })
        .set(|c| {
            (
                c.maybe_text.to("t"),
                c.maybe_mood.to(Some(Mood::SoSo)),
                c.maybe_price.to(Decimal::new(7, 0)),
                c.address.to(Json(Address {
                    street: "x".into(),
                    lines: vec![],
                })),
            )
        })
        .save(&db)
        .await?;
    assert_eq!(
        (s.flag, s.tiny, s.bytes.as_slice(), s.mood),
        (false, -1, &[9u8][..], Mood::Sad)
    );
    assert_eq!(
        (s.maybe_mood, s.maybe_price, s.json.clone()),
        (Some(Mood::SoSo), Some(Decimal::new(7, 0)), json!([1]))
    );
    assert_eq!(s.address.street, "x");
    let s = s
        .update()
        .set(|c| {
            (
                c.maybe_mood.to(None),
                c.maybe_price.to(None),
                c.maybe_time.to(None),
            )
        })
        .save(&db)
        .await?;
    assert_eq!((s.maybe_mood, s.maybe_price), (None, None));
    Ok(())
}
