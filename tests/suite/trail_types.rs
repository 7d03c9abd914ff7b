//! Types with a text of their own, and arrays: a trail by triggers tells of them what the library tells.

use std::net::IpAddr;

use orm::prelude::*;
use orm::{AuditLog, Bits, Cidr, Date, Inet, Interval, LocalTimestamp, MacAddr, Range, TimeOfDay};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

#[derive(orm::Scalar, Clone, Debug, PartialEq)]
pub struct Tag(pub String);

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[orm(name = "told_mood")]
pub enum ToldMood {
    Happy,
    #[orm(rename = "so, \"so\"")]
    SoSo,
}

macro_rules! twin {
    ($name:ident, $new:ident, $run:ident, $table:literal, $($trail:tt)*) => {
        #[derive(Model, Clone, Debug, PartialEq)]
        #[orm(table = $table, $($trail)*)]
        pub struct $name {
            pub id: Id<$name>,
            pub letter: char,
            pub span: Interval,
            pub ints: Range<i32>,
            pub longs: Range<i64>,
            pub prices: Range<Decimal>,
            pub days: Range<Date>,
            pub instants: Range<Timestamp>,
            pub hours: Range<LocalTimestamp>,
            pub host: IpAddr,
            pub inet: Inet,
            pub cidr: Cidr,
            pub card: MacAddr,
            pub bits: Bits,
            pub own: Tag,
            pub bools: Vec<bool>,
            pub shorts: Vec<Option<i16>>,
            pub bigs: Vec<i64>,
            pub singles: Vec<f32>,
            pub doubles: Vec<f64>,
            pub texts: Vec<Option<String>>,
            pub blobs: Vec<Vec<u8>>,
            pub uuids: Vec<Uuid>,
            pub decimals: Vec<Decimal>,
            pub dates: Vec<Date>,
            pub times: Vec<TimeOfDay>,
            pub stamps: Vec<Timestamp>,
            pub locals: Vec<LocalTimestamp>,
            pub spans: Vec<Interval>,
            pub ranges: Vec<Range<i32>>,
            pub hosts: Vec<Inet>,
            pub jsons: Vec<Option<serde_json::Value>>,
            pub moods: Vec<ToldMood>,
            pub owns: Vec<Tag>,
            pub maybe_span: Option<Interval>,
            pub maybe_days: Option<Range<Date>>,
            pub maybe_host: Option<IpAddr>,
            pub maybe_bits: Option<Bits>,
            pub maybe_moods: Option<Vec<ToldMood>>,
            pub maybe_jsons: Option<Vec<serde_json::Value>>,
        }

        /// A row of much and one of little, which is changed from NULL and back to it.
        async fn $run(db: &Db) -> orm::Result<[$name; 2]> {
            let day = |s: &str| Date::parse(s).expect("a date");
            let local = |s: &str| LocalTimestamp::parse(s).expect("a time");
            let at = Timestamp::from_micros;
            let much = || $new {
                letter: '"',
                span: Interval { months: -14, days: 3, micros: -1_500_000 },
                ints: (1..5).into(),
                longs: (i64::MIN..).into(),
                prices: (Decimal::new(-150, 2)..=Decimal::new(20, 1)).into(),
                days: (day("2024-02-29")..day("2024-03-01")).into(),
                instants: (at(1_700_000_000_123_456)..).into(),
                hours: (..local("2024-02-29T23:59:59.5")).into(),
                host: "10.0.0.1".parse().expect("an address"),
                inet: "2001:db8::1/64".parse().expect("an address"),
                cidr: "10.0.0.0/8".parse().expect("a network"),
                card: MacAddr([8, 0, 0x2b, 1, 2, 0xff]),
                bits: Bits(vec![false, true, true]),
                own: Tag("a\n\"b\"".into()),
                bools: vec![true, false],
                shorts: vec![Some(-1), None],
                bigs: vec![i64::MIN, i64::MAX],
                singles: vec![0.1, -2.5, 1.0],
                doubles: vec![0.1, 1e300, -0.5],
                texts: vec![Some("a,\"b\\".into()), None, Some(String::new()), Some("é\n𝄞".into())],
                blobs: vec![vec![0, 255], vec![]],
                uuids: vec![Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef)],
                decimals: vec![Decimal::new(-5, 2), Decimal::new(7, 0)],
                dates: vec![day("0007-01-02")],
                times: vec![TimeOfDay::parse("01:02:03.4").expect("a time")],
                stamps: vec![at(0)],
                locals: vec![local("2024-02-29T23:59:59.000001")],
                spans: vec![Interval::hours(25), Interval::default()],
                ranges: vec![(1..5).into(), (3..3).into(), (..7).into()],
                hosts: vec!["::ffff:10.0.0.1".parse().expect("an address")],
                jsons: vec![Some(json!({"a": [1, null, "ü,"]})), None, Some(json!("x"))],
                moods: vec![ToldMood::SoSo, ToldMood::Happy],
                owns: vec![Tag("x".into())],
            };
            let little = || $new {
                letter: 'é',
                span: Interval::default(),
                ints: (5..5).into(),
                longs: (..).into(),
                prices: (..).into(),
                days: (..).into(),
                instants: (at(5)..at(5)).into(),
                hours: (..).into(),
                host: "::".parse().expect("an address"),
                inet: "0.0.0.0/0".parse().expect("an address"),
                cidr: "::/0".parse().expect("a network"),
                card: MacAddr([0; 6]),
                bits: Bits(vec![]),
                own: Tag(String::new()),
                bools: vec![],
                shorts: vec![],
                bigs: vec![],
                singles: vec![],
                doubles: vec![],
                texts: vec![],
                blobs: vec![],
                uuids: vec![],
                decimals: vec![],
                dates: vec![],
                times: vec![],
                stamps: vec![],
                locals: vec![],
                spans: vec![],
                ranges: vec![],
                hosts: vec![],
                jsons: vec![],
                moods: vec![],
                owns: vec![],
            };
            let row = much().insert(db).await?;
            let other = little().insert(db).await?;
            let mut edit = other.clone().edit();
            edit.maybe_span = Some(row.span);
            edit.maybe_days = Some(row.days.clone());
            edit.maybe_host = Some(row.host);
            edit.maybe_bits = Some(row.bits.clone());
            edit.maybe_moods = Some(row.moods.clone());
            edit.maybe_jsons = Some(vec![json!([1]), json!(null)]);
            let other = edit.save(db).await?;
            // `changed` tells these and no others
            let mut edit = other.edit();
            edit.letter = row.letter;
            edit.span = row.span;
            edit.prices = row.prices.clone();
            edit.inet = row.inet;
            edit.singles = row.singles.clone();
            edit.decimals = row.decimals.clone();
            edit.jsons = row.jsons.clone();
            edit.spans = row.spans.clone();
            edit.maybe_days = None;
            edit.maybe_jsons = None;
            let other = edit.save(db).await?;
            Ok([row, other])
        }
    };
}
twin!(
    ToldByLibrary,
    NewToldByLibrary,
    by_library,
    "told_by_library",
    audit_trail
);
twin!(
    ToldByTriggers,
    NewToldByTriggers,
    by_triggers,
    "told_by_triggers",
    audit_trail = triggers,
    history
);

async fn of_table(db: &Db, table: &str) -> orm::Result<Vec<AuditLog>> {
    let all = AuditLog::query().filter(|a| a.table_name.eq(table));
    all.order_by(|a| a.id.asc()).all(db).await
}

/// The members of a row, so that one that differs is named.
fn members(row: &Option<String>) -> Vec<(String, String)> {
    let Some(row) = row else { return vec![] };
    let value: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(row).expect("an object of JSON");
    value
        .into_iter()
        .map(|(name, value)| (name, value.to_string()))
        .collect()
}

#[orm::test(schema = orm::schema![ToldByLibrary, ToldByTriggers, AuditLog])]
async fn types_and_arrays_are_told_alike(db: Db) -> orm::Result<()> {
    let [a, b] = by_library(&db).await?;
    assert!(a.delete(&db).await? && b.delete(&db).await?);
    let [a, b] = by_triggers(&db).await?;
    assert!(a.delete(&db).await? && b.delete(&db).await?);
    let (library, triggers) = (
        of_table(&db, "told_by_library").await?,
        of_table(&db, "told_by_triggers").await?,
    );
    for (a, b) in library.iter().zip(&triggers) {
        for (a, b) in [(&a.before, &b.before), (&a.after, &b.after)] {
            for (a, b) in members(a).iter().zip(&members(b)) {
                assert_eq!(a, b);
            }
        }
        assert_eq!(
            (a.operation, &a.changed, &a.before, &a.after),
            (b.operation, &b.changed, &b.before, &b.after)
        );
    }
    assert_eq!((library.len(), triggers.len()), (6, 6));
    Ok(())
}

#[orm::test(schema = orm::schema![ToldByTriggers, AuditLog])]
async fn a_history_holds_types_and_arrays(db: Db) -> orm::Result<()> {
    let rows = by_triggers(&db).await?;
    let kept = ToldByTriggers::as_of(Timestamp::now()).order_by(|r| r.id.asc());
    assert_eq!(kept.all(&db).await?, rows);
    Ok(())
}
