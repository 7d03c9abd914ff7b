//! Every kind of value there and back, and what cannot make the way.

use orm_core::driver::{Driver, Runner};
use orm_core::error::ErrorKind;
use orm_core::value::{
    Date, DecimalParts, Element, EnumType, LocalTimestamp, TimeOfDay, Timestamp, Type, Value,
};

use crate::support::{connect, exec, query, rows, sql};

static MOOD: EnumType = EnumType {
    schema: Some("odd \"schema"),
    name: "Mood of \"day\"",
    labels: &["good", "it's bad"],
};
static PLAIN: EnumType = EnumType {
    schema: None,
    name: "plain_mood",
    labels: &["up", "down"],
};

async fn back(db: &dyn Driver, cast: &str, value: Value) -> Value {
    let text = format!("SELECT $1{cast}");
    let got = query(db, &text, vec![value.clone()], &[value.ty()]).await;
    got.unwrap_or_else(|e| panic!("{value:?}: {e}"))
        .remove(0)
        .remove(0)
}

fn micros(v: i64) -> Value {
    Value::Timestamp(Timestamp::from_micros(v))
}
fn decimal(mantissa: i128, scale: u32) -> Value {
    Value::Decimal(DecimalParts { mantissa, scale })
}

#[tokio::test]
async fn every_kind_at_its_extremes() {
    let db = connect("values", 2).await;
    let mut values = vec![
        Value::Bool(true),
        Value::Bool(false),
        Value::I16(i16::MIN),
        Value::I16(i16::MAX),
        Value::I32(i32::MIN),
        Value::I32(i32::MAX),
        Value::I64(i64::MIN),
        Value::I64(i64::MAX),
        Value::I64(0),
        Value::F32(f32::MIN_POSITIVE),
        Value::F32(f32::MAX),
        Value::F32(f32::INFINITY),
        Value::F32(1e-45),
        Value::F64(f64::MAX),
        Value::F64(f64::NEG_INFINITY),
        Value::F64(5e-324),
        Value::F64(-0.0),
        Value::Text(String::new()),
        Value::Text("ä 💾 '\"\\ \u{1}\n".into()),
        Value::Text("x".repeat(100_000)),
        Value::Bytes(vec![]),
        Value::Bytes((0..=255).collect()),
        Value::Uuid([0; 16]),
        Value::Uuid([0xff; 16]),
        micros(0),
        micros(-1),
        micros(1),
        micros(i64::MAX),
        micros(-210_866_803_200_000_000),
        Value::LocalTimestamp(LocalTimestamp::from_micros(253_402_300_799_999_999)),
        Value::Date(Date::from_days(0)),
        Value::Date(Date::from_days(2_145_042_905)),
        Value::Date(Date::from_days(-2_440_588)),
        Value::Time(TimeOfDay::from_micros(0).unwrap()),
        Value::Time(TimeOfDay::from_micros(86_399_999_999).unwrap()),
        Value::Json("null".into()),
        Value::Json("{\"a\": [1, 2.50, \"ü\"]}".into()),
        decimal(0, 0),
        decimal(1, 0),
        decimal(-1, 28),
        decimal(i128::MAX, 0),
        decimal(-i128::MAX, 20),
        decimal(10_000, 4),
        decimal(123_456_789_000, 5),
        decimal(5, 1),
    ];
    let arrays = [
        Value::Array(
            Element::I32,
            vec![Value::I32(1), Value::Null(Type::I32), Value::I32(-1)].into(),
        ),
        Value::Array(Element::I64, vec![Value::I64(i64::MIN); 1000].into()),
        Value::Array(Element::I16, vec![Value::I16(7)].into()),
        Value::Array(Element::Bool, vec![Value::Bool(true)].into()),
        Value::Array(Element::F32, vec![Value::F32(1.5)].into()),
        Value::Array(Element::F64, vec![Value::F64(1.5)].into()),
        Value::Array(
            Element::Text,
            vec![Value::Text("a,\"b{".into()), Value::Text(String::new())].into(),
        ),
        Value::Array(Element::Bytes, vec![Value::Bytes(vec![0, 1])].into()),
        Value::Array(Element::Uuid, vec![Value::Uuid([7; 16])].into()),
        Value::Array(Element::Timestamp, vec![micros(9)].into()),
        Value::Array(
            Element::LocalTimestamp,
            vec![Value::LocalTimestamp(LocalTimestamp::from_micros(3))].into(),
        ),
        Value::Array(Element::Date, vec![Value::Date(Date::from_days(3))].into()),
        Value::Array(
            Element::Time,
            vec![Value::Time(TimeOfDay::from_micros(3).unwrap())].into(),
        ),
        Value::Array(Element::Json, vec![Value::Json("[1]".into())].into()),
        Value::Array(Element::Decimal(0, 0), vec![decimal(15, 1)].into()),
        Value::Array(Element::Text, vec![].into()),
        Value::Array(Element::I64, vec![Value::Null(Type::I64)].into()),
    ];
    values.extend(arrays);
    for value in values {
        let got = back(&*db, "", value.clone()).await;
        match (&value, &got) {
            (Value::F64(a), Value::F64(b)) => assert_eq!(a.to_bits(), b.to_bits()),
            _ => assert_eq!(got, value),
        }
        let null = Value::Null(value.ty());
        assert_eq!(back(&*db, "", null.clone()).await, null);
    }
    let Value::F64(nan) = back(&*db, "", Value::F64(f64::NAN)).await else {
        panic!()
    };
    assert!(nan.is_nan());
    assert_eq!(
        back(&*db, "", Value::Str("static")).await,
        Value::Text("static".into())
    );
}

#[tokio::test]
async fn enums_and_their_arrays() {
    let db = connect("enums", 1).await;
    for ddl in [
        "DROP SCHEMA IF EXISTS \"odd \"\"schema\" CASCADE",
        "CREATE SCHEMA \"odd \"\"schema\"",
        "CREATE TYPE \"odd \"\"schema\".\"Mood of \"\"day\"\"\" AS ENUM ('good', 'it''s bad')",
        "DROP TYPE IF EXISTS plain_mood CASCADE",
        "CREATE TYPE plain_mood AS ENUM ('up', 'down')",
    ] {
        exec(&*db, ddl).await.unwrap();
    }
    for (e, label) in [(&MOOD, "it's bad"), (&PLAIN, "down")] {
        let (ty, element) = (Type::Enum(e), Element::Enum(e));
        for value in [
            Value::Enum(e, label),
            Value::Null(ty),
            Value::Array(element, Box::new([])),
            Value::Array(element, Box::new([Value::Enum(e, label), Value::Null(ty)])),
            Value::Null(Type::Array(element)),
        ] {
            assert_eq!(back(&*db, "", value.clone()).await, value);
        }
    }
    // A type that is dropped and made anew has another OID: found out by itself.
    exec(&*db, "DROP TYPE plain_mood").await.unwrap();
    exec(&*db, "CREATE TYPE plain_mood AS ENUM ('up', 'down')")
        .await
        .unwrap();
    let value = Value::Enum(&PLAIN, "up");
    assert_eq!(back(&*db, "", value.clone()).await, value);
    exec(&*db, "ALTER TYPE plain_mood ADD VALUE 'sideways'")
        .await
        .unwrap();
    let element = Element::Enum(&PLAIN);
    let e = query(
        &*db,
        "SELECT ARRAY['sideways'::plain_mood]",
        vec![],
        &[Type::Array(element)],
    )
    .await;
    assert_eq!(e.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn what_no_rust_value_stands_for_is_an_error() {
    let db = connect("undecodable", 1).await;
    for (text, ty) in [
        ("'infinity'::timestamptz", Type::Timestamp),
        ("'-infinity'::timestamptz", Type::Timestamp),
        ("'294276-12-31'::timestamptz", Type::Timestamp),
        ("'infinity'::timestamp", Type::LocalTimestamp),
        ("'infinity'::date", Type::Date),
        ("'-infinity'::date", Type::Date),
        ("'24:00'::time", Type::Time),
        ("'NaN'::numeric", Type::Decimal(0, 0)),
        ("'-Infinity'::numeric", Type::Decimal(0, 0)),
        ("10::numeric ^ 200", Type::Decimal(0, 0)),
        ("('0.' || repeat('3', 60))::numeric", Type::Decimal(0, 0)),
        ("ARRAY[[1,2],[3,4]]", Type::Array(Element::I32)),
        ("1::int8", Type::Text),
        ("'1'::text", Type::I64),
        ("now()::timestamp", Type::Timestamp),
        ("ARRAY[100000]", Type::Array(Element::I16)),
        ("'(1,2)'::point", Type::Text),
        ("1.5::float8", Type::Decimal(0, 0)),
    ] {
        let e = query(&*db, &format!("SELECT {text}"), vec![], &[ty])
            .await
            .unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Decode, "{text}: {e}");
    }
    // Nothing was lost by it: the one connection still serves.
    assert_eq!(db.status().open, 1);
    for (text, mantissa, scale) in [
        ("1::numeric(200, 100)", 10i128.pow(28), 28),
        ("0::numeric(200, 100)", 0, 28),
        ("1e37::numeric", 10i128.pow(37), 0),
        ("0.00000000000000000001", 1, 20),
        ("12345678.9::numeric", 123_456_789, 1),
        ("7::int4", 7, 0),
    ] {
        let got = query(&*db, &format!("SELECT {text}"), vec![], &[Type::Decimal(0, 0)])
            .await
            .unwrap();
        assert_eq!(got[0][0], decimal(mantissa, scale), "{text}");
    }
}

#[tokio::test]
async fn refused_before_anything_is_sent() {
    let db = connect("unencodable", 1).await;
    for value in [
        Value::Text("canary\0".into()),
        Value::Json("\"canary\0\"".into()),
        Value::Refused("no counterpart"),
        micros(i64::MIN),
        micros(-300_000_000_000_000_000),
        Value::Date(Date::from_days(i32::MAX)),
        Value::Date(Date::from_days(i32::MIN)),
        decimal(1, 20_000),
        Value::Array(Element::Text, vec![Value::Text("canary\0".into())].into()),
        Value::Array(Element::I32, vec![Value::I64(1)].into()),
        Value::Array(
            Element::I32,
            vec![Value::Array(Element::I32, Box::new([]))].into(),
        ),
        Value::Bytes(vec![0; 0x4000_0000]),
    ] {
        let text = "SELECT $1 /* never sent */";
        let e = db
            .run(sql(text, vec![value], vec![]), rows(&[]))
            .await
            .err()
            .expect("refused");
        assert_eq!(e.kind(), ErrorKind::Encode);
        assert!(!format!("{e} {e:?}").contains("canary"));
    }
    let e = query(&*db, "SELECT 1", vec![Value::I16(1); 70_000], &[])
        .await
        .unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Encode);
    assert_eq!(
        crate::support::number(&*db, "SELECT count(*) FROM pg_prepared_statements").await,
        1
    );
}

#[tokio::test]
async fn the_same_text_with_other_types_is_another_statement() {
    let db = connect("signatures", 1).await;
    let text = "SELECT $1::numeric::text";
    for (value, expected) in [
        (Value::I64(5), "5"),
        (Value::F64(2.5), "2.5"),
        (Value::I64(6), "6"),
        (Value::I32(7), "7"),
        (Value::Text("8.5".into()), "8.5"),
        (Value::F64(-1.5), "-1.5"),
    ] {
        let got = query(&*db, text, vec![value], &[Type::Text]).await.unwrap();
        assert_eq!(got[0][0], Value::Text(expected.into()));
    }
}

#[tokio::test]
async fn wide_and_unexpected_columns() {
    let db = connect("columns", 1).await;
    let got = query(
        &*db,
        "SELECT 1::int2, 2::int4, 3::int8, 4::oid, 1.5::float4",
        vec![],
        &[Type::I64, Type::I64, Type::I32, Type::I64, Type::F64],
    )
    .await
    .unwrap();
    assert_eq!(
        got[0],
        [
            Value::I64(1),
            Value::I64(2),
            Value::I32(3),
            Value::I64(4),
            Value::F64(1.5)
        ]
    );
    let texts = "SELECT 'a'::varchar(3), 'b'::char(2), 'c'::name, 'd', 'e'::\"char\"";
    let got = query(&*db, texts, vec![], &[Type::Text; 5]).await.unwrap();
    assert_eq!(got[0][1], Value::Text("b ".into()));
    assert_eq!(got[0][4], Value::Text("e".into()));
    let e = query(&*db, "SELECT 1, 2", vec![], &[Type::I32])
        .await
        .unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Decode);
    let got = query(&*db, "SELECT '{\"a\":1}'::json", vec![], &[Type::Json])
        .await
        .unwrap();
    assert_eq!(got[0][0], Value::Json("{\"a\":1}".into()));
}
