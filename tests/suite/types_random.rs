//! Values of every type, there and back: generated ones with the edges among them, none altered.
//!
//! `ORM_TEST_VALUES=100000` sends more of each type, `ORM_TEST_SEED=17` other ones.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Bound;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use orm::prelude::*;
use orm::{Bits, Cidr, Date, Hstore, Inet, Interval, LocalTimestamp, Ltree, MacAddr, Range, TimeOfDay};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use crate::models::*;
use crate::random::mix;

/// The types with a text of their own, and arrays of all.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Rich {
    pub id: Id<Rich>,
    pub letter: char,
    pub span: Interval,
    pub ints: Range<i32>,
    pub longs: Range<i64>,
    pub prices: Range<Decimal>,
    pub days: Range<NaiveDate>,
    pub instants: Range<Timestamp>,
    pub hours: Range<LocalTimestamp>,
    pub meetings: Range<DateTime<Utc>>,
    pub host: IpAddr,
    pub inet: Inet,
    pub cidr: Cidr,
    pub card: MacAddr,
    pub bits: Bits,
    pub own: Email,
    pub key: Id<User>,
    pub bools: Vec<bool>,
    pub bytes8: Vec<i8>,
    pub shorts: Vec<Option<i16>>,
    pub numbers: Vec<u32>,
    pub bigs: Vec<i64>,
    pub singles: Vec<f32>,
    pub doubles: Vec<f64>,
    pub texts: Vec<Option<String>>,
    pub blobs: Vec<Vec<u8>>,
    pub uuids: Vec<Uuid>,
    pub decimals: Vec<Decimal>,
    pub dates: Vec<NaiveDate>,
    pub times: Vec<TimeOfDay>,
    pub stamps: Vec<Timestamp>,
    pub locals: Vec<NaiveDateTime>,
    pub spans: Vec<Interval>,
    pub ranges: Vec<Range<i32>>,
    pub hosts: Vec<Inet>,
    pub jsons: Vec<Option<serde_json::Value>>,
    pub moods: Vec<Mood>,
    pub owns: Vec<Email>,
    pub maybe_span: Option<Interval>,
    pub maybe_range: Option<Range<Date>>,
    pub maybe_moods: Option<Vec<Mood>>,
    pub maybe_json: Option<serde_json::Value>,
}

/// A column type of one's own.
#[derive(orm::Scalar, Clone, Debug, PartialEq)]
pub struct Email(pub String);

/// The same values for the same seed.
struct Gen(u64);

impl Gen {
    fn next(&mut self) -> u64 {
        mix(&mut self.0)
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
    fn flag(&mut self) -> bool {
        self.below(2) == 0
    }
    fn of<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize].clone()
    }
    /// An edge now and then, else something of every size.
    fn i64(&mut self) -> i64 {
        match self.below(4) {
            0 => self.of(&[
                i64::MIN,
                i64::MIN + 1,
                -1,
                0,
                1,
                1 << 53,
                (1 << 53) + 1,
                i64::MAX - 1,
                i64::MAX,
            ]),
            _ => (self.next() as i64) >> self.below(64),
        }
    }
    fn i32(&mut self) -> i32 {
        match self.below(4) {
            0 => self.of(&[i32::MIN, -1, 0, 1, i32::MAX - 1, i32::MAX]),
            _ => (self.next() as i32) >> self.below(32),
        }
    }
    fn f64(&mut self) -> f64 {
        match self.below(3) {
            0 => self.of(&[
                0.0,
                f64::MIN,
                f64::MAX,
                f64::MIN_POSITIVE,
                5e-324,
                f64::EPSILON,
                0.1 + 0.2,
                f64::INFINITY,
                f64::NEG_INFINITY,
                9_007_199_254_740_993.0,
            ]),
            _ => Some(f64::from_bits(self.next()))
                .filter(|v| !v.is_nan())
                .unwrap_or(1.5),
        }
    }
    fn f32(&mut self) -> f32 {
        match self.below(3) {
            0 => self.of(&[
                0.0,
                f32::MIN,
                f32::MAX,
                f32::MIN_POSITIVE,
                1e-45,
                0.1,
                f32::INFINITY,
            ]),
            _ => Some(f32::from_bits(self.next() as u32))
                .filter(|v| !v.is_nan())
                .unwrap_or(1.5),
        }
    }
    fn text(&mut self) -> String {
        const LETTERS: [char; 22] = [
            'a', 'Z', '0', ' ', '"', '\'', '\\', ',', '{', '}', '[', ']', '\n', '\t', '\u{1}', 'ß',
            '\u{301}', '日', '😀', '\u{200f}', '\u{fffd}', '%',
        ];
        let known = [
            "",
            "NULL",
            "null",
            "\"",
            "\\",
            "'; DROP TABLE riches; --",
            "{}",
            "e\u{301}",
            "\r\n",
        ];
        match self.below(4) {
            0 => self.of(&known).into(),
            _ => (0..self.below(12)).map(|_| self.of(&LETTERS)).collect(),
        }
    }
    fn bytes(&mut self) -> Vec<u8> {
        (0..self.below(20)).map(|_| self.next() as u8).collect()
    }
    fn uuid(&mut self) -> Uuid {
        let any = Uuid::from_u64_pair(self.next(), self.next());
        self.of(&[Uuid::nil(), Uuid::max(), any, any, any])
    }
    /// The years that all backends hold: 0 to 9999.
    fn micros(&mut self) -> i64 {
        const FIRST: i64 = -62_167_219_200_000_000;
        const LAST: i64 = 253_402_300_799_999_999;
        match self.below(4) {
            0 => self.of(&[
                FIRST,
                FIRST + 1,
                -1,
                0,
                1,
                946_684_799_999_999,
                946_684_800_000_000,
                LAST,
            ]),
            _ => FIRST + (self.next() % (LAST - FIRST + 1) as u64) as i64,
        }
    }
    fn days(&mut self) -> i32 {
        self.micros().div_euclid(86_400_000_000) as i32
    }
    fn instant(&mut self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.micros()).unwrap()
    }
    fn date(&mut self) -> NaiveDate {
        NaiveDate::from_ymd_opt(1970, 1, 1).unwrap() + TimeDelta::days(self.days().into())
    }
    fn time(&mut self) -> TimeOfDay {
        let any = self.below(86_400_000_000) as i64;
        let micros = self.of(&[0, 1, 86_399_999_999, any, any, any]);
        TimeOfDay::from_micros(micros).unwrap()
    }
    fn clock(&mut self) -> NaiveTime {
        let micros = self.time().micros();
        NaiveTime::from_num_seconds_from_midnight_opt(
            (micros / 1_000_000) as u32,
            (micros % 1_000_000) as u32 * 1000,
        )
        .unwrap()
    }
    /// At most so many digits, so many of them behind the point.
    fn decimal(&mut self, digits: u32, scale: u32) -> Decimal {
        let most = 10i128.pow(digits) - 1;
        let any = (i128::from(self.next()) << 40 | i128::from(self.next() & 0xff_ffff_ffff)) % (most + 1);
        let mantissa = self.of(&[0, 1, -1, most, -most, any, -any, any / 1000, -any / 1_000_000]);
        Decimal::from_i128_with_scale(mantissa, scale)
    }
    fn interval(&mut self) -> Interval {
        Interval {
            months: self.i32().clamp(-100_000_000, 100_000_000),
            days: self.i32().clamp(-100_000_000, 100_000_000),
            micros: self
                .i64()
                .clamp(-9_000_000_000_000_000_000, 9_000_000_000_000_000_000),
        }
    }
    /// A range with a lower bound that is none above the upper one, and never the largest value.
    fn range<T: orm::value::RangeItem>(&mut self, mut value: impl FnMut(&mut Gen) -> T) -> Range<T> {
        let (a, b) = (value(self), value(self));
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        let mut bound = |v: T| match self.below(3) {
            0 => Bound::Unbounded,
            1 => Bound::Excluded(v),
            _ => Bound::Included(v),
        };
        let (lower, upper) = (bound(a), bound(b));
        match self.below(10) {
            0 => Range::EMPTY,
            _ => Range::new(lower, upper),
        }
    }
    fn address(&mut self) -> IpAddr {
        let v4 = IpAddr::from((self.next() as u32).to_be_bytes());
        let v6 = IpAddr::from(self.uuid().into_bytes());
        let known = [
            "0.0.0.0",
            "255.255.255.255",
            "127.0.0.1",
            "::",
            "::1",
            "::ffff:1.2.3.4",
        ];
        let known = self.of(&known).parse().unwrap();
        self.of(&[v4, v6, known])
    }
    fn inet(&mut self) -> Inet {
        let address = self.address();
        let bits = if address.is_ipv4() { 33 } else { 129 };
        Inet::new(address, self.below(bits) as u8).unwrap()
    }
    fn cidr(&mut self) -> Cidr {
        let inet = self.inet();
        let (bits, prefix) = match inet.address() {
            IpAddr::V4(a) => (u128::from(a.to_bits()) << 96, inet.prefix()),
            IpAddr::V6(a) => (a.to_bits(), inet.prefix()),
        };
        let bits = bits & u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
        let address = match inet.address() {
            IpAddr::V4(_) => IpAddr::from(((bits >> 96) as u32).to_be_bytes()),
            IpAddr::V6(_) => IpAddr::from(bits.to_be_bytes()),
        };
        Cidr::new(address, prefix).unwrap()
    }
    fn json(&mut self, depth: u32) -> serde_json::Value {
        match self.below(if depth == 0 { 6 } else { 8 }) {
            0 => json!(null),
            1 => json!(self.flag()),
            2 => json!(self.i64()),
            3 => json!(self.below(1000) as f64 / 8.0),
            4 | 5 => json!(self.text()),
            6 => (0..self.below(4)).map(|_| self.json(depth - 1)).collect(),
            _ => (0..self.below(4))
                .map(|_| (self.text(), self.json(depth - 1)))
                .collect(),
        }
    }
    fn list<T>(&mut self, mut item: impl FnMut(&mut Gen) -> T) -> Vec<T> {
        (0..self.below(5)).map(|_| item(self)).collect()
    }
    fn maybe<T>(&mut self, item: impl FnOnce(&mut Gen) -> T) -> Option<T> {
        (self.below(3) > 0).then(|| item(self))
    }
    fn mood(&mut self) -> Mood {
        self.of(&[Mood::Happy, Mood::SoSo, Mood::Sad])
    }
    fn sample(&mut self) -> NewSample {
        NewSample {
            flag: self.flag(),
            tiny: self.i64() as i8,
            small: self.i64() as i16,
            int: self.i32(),
            big: self.i64(),
            byte: self.i64() as u8,
            word: self.i64() as u16,
            dword: self.i64() as u32,
            qword: self.i64().unsigned_abs().min(i64::MAX as u64),
            single: self.f32(),
            double: self.f64(),
            text: self.text(),
            bytes: self.bytes(),
            uuid: self.uuid(),
            instant: self.instant(),
            local: self.instant().naive_utc(),
            date: self.date(),
            time: self.clock(),
            json: self.json(3),
            address: Address {
                street: self.text(),
                lines: self.list(Gen::text),
            },
            price: self.decimal(10, 2),
            exact: self.decimal(28, 10),
            mood: self.mood(),
        }
    }
    fn rich(&mut self) -> NewRich {
        NewRich {
            letter: self.of(&['a', '"', '\u{1}', 'é', '日', '😀']),
            span: self.interval(),
            ints: self.range(|g| g.i32().min(i32::MAX - 1)),
            longs: self.range(|g| g.i64().min(i64::MAX - 1)),
            prices: self.range(|g| g.decimal(20, 4)),
            days: self.range(|g| g.date().min(NaiveDate::from_ymd_opt(9999, 12, 30).unwrap())),
            instants: self.range(|g| Timestamp::from_micros(g.micros())),
            hours: self.range(|g| LocalTimestamp::from_micros(g.micros())),
            meetings: self.range(Gen::instant),
            host: self.address(),
            inet: self.inet(),
            cidr: self.cidr(),
            card: MacAddr(std::array::from_fn(|_| self.next() as u8)),
            bits: Bits((0..self.below(20)).map(|_| self.flag()).collect()),
            own: Email(self.text()),
            key: Id::from(self.i64()),
            bools: self.list(Gen::flag),
            bytes8: self.list(|g| g.i64() as i8),
            shorts: self.list(|g| g.maybe(|g| g.i64() as i16)),
            numbers: self.list(|g| g.i64() as u32),
            bigs: self.list(Gen::i64),
            singles: self.list(Gen::f32),
            doubles: self.list(Gen::f64),
            texts: self.list(|g| g.maybe(Gen::text)),
            blobs: self.list(Gen::bytes),
            uuids: self.list(Gen::uuid),
            decimals: self.list(|g| g.decimal(20, 4)),
            dates: self.list(Gen::date),
            times: self.list(Gen::time),
            stamps: self.list(|g| Timestamp::from_micros(g.micros())),
            locals: self.list(|g| g.instant().naive_utc()),
            spans: self.list(Gen::interval),
            ranges: self.list(|g| g.range(|g| g.i32().min(i32::MAX - 1))),
            hosts: self.list(Gen::inet),
            jsons: self.list(|g| g.maybe(|g| g.json(2))),
            moods: self.list(Gen::mood),
            owns: self.list(|g| Email(g.text())),
        }
    }
}

/// The fields of a row that are those of what was inserted.
macro_rules! same {
    ($row:expr, $new:expr; $($field:ident)*) => {{
        let (row, new) = ($row, $new);
        $(assert_eq!(row.$field, new.$field, stringify!($field));)*
    }};
}

fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |v| v.parse().expect(name))
}

/// How many rows, and what makes their values. The seed is told.
fn wanted() -> (u64, Gen) {
    let seed = number("ORM_TEST_SEED", 1);
    println!("ORM_TEST_SEED={seed}");
    (number("ORM_TEST_VALUES", 500), Gen(seed))
}

#[orm::test(schema = orm::schema![Sample])]
async fn ordinary_types_come_back_unaltered(db: Db) -> orm::Result<()> {
    let (mut left, mut g) = wanted();
    while left > 0 {
        let n = left.min(100);
        left -= n;
        let mut again = Gen(g.0);
        let sent: Vec<NewSample> = (0..n).map(|_| g.sample()).collect();
        let made = NewSample::insert_all(&db, sent).await?;
        let first = made[0].id;
        let read = Sample::query()
            .filter(|s| s.id.ge(first))
            .order_by(|s| s.id.asc());
        let read = read.all(&db).await?;
        assert_eq!(read, made, "RETURNING and SELECT agree");
        for row in read {
            same!(row, again.sample(); flag tiny small int big byte word dword qword single double text bytes uuid
                instant local date time json address price exact mood);
        }
    }
    Ok(())
}

#[orm::test(schema = orm::schema![Rich])]
async fn types_with_a_text_and_arrays_come_back_unaltered(db: Db) -> orm::Result<()> {
    let (mut left, mut g) = wanted();
    while left > 0 {
        let n = left.min(100);
        left -= n;
        let mut again = Gen(g.0);
        let sent: Vec<NewRich> = (0..n).map(|_| g.rich()).collect();
        let made = NewRich::insert_all(&db, sent).await?;
        let first = made[0].id;
        let read = Rich::query().filter(|s| s.id.ge(first)).order_by(|s| s.id.asc());
        let read = read.all(&db).await?;
        assert_eq!(read, made, "RETURNING and SELECT agree");
        for row in read {
            assert_eq!(
                (row.maybe_span, row.maybe_range, &row.maybe_moods, &row.maybe_json),
                (None, None, &None, &None)
            );
            same!(row, again.rich(); letter span ints longs prices days instants hours meetings host inet cidr
                card bits own key bools bytes8 shorts numbers bigs singles doubles texts blobs uuids decimals dates times
                stamps locals spans ranges hosts jsons moods owns);
        }
    }
    Ok(())
}

/// One row through everything that is no plain INSERT: single values, updates, conditions, keys of maps.
#[orm::test(schema = orm::schema![Rich])]
async fn conditions_and_updates_take_them(db: Db) -> orm::Result<()> {
    let (_, mut g) = wanted();
    for _ in 0..20 {
        let made = g.rich().insert(&db).await?;
        let (span, days, moods) = (
            g.interval(),
            Range::from(Date::from_days(3)..),
            vec![Mood::Sad, Mood::Happy],
        );
        let set = moods.clone();
        let row = made
            .update()
            .set(|r| {
                (
                    r.maybe_span.to(span),
                    r.maybe_range.to(days),
                    r.maybe_moods.to(set),
                    r.maybe_json.to(json!(null)),
                )
            })
            .save(&db)
            .await?;
        assert_eq!(
            (row.maybe_span, row.maybe_range, &row.maybe_moods),
            (Some(span), Some(days), &Some(moods))
        );
        assert_eq!(row.maybe_json, Some(json!(null)), "a null of JSON is no NULL");
        let found = Rich::query()
            .filter(|r| r.id.eq(row.id).and(r.span.eq(row.span)).and(r.ints.eq(row.ints)))
            .filter(|r| {
                r.meetings
                    .eq(row.meetings)
                    .and(r.inet.eq(row.inet))
                    .and(r.card.eq(row.card))
            })
            .filter(|r| {
                r.bits
                    .eq(row.bits.clone())
                    .and(r.texts.eq(row.texts.clone()))
                    .and(r.moods.eq(row.moods.clone()))
            })
            .filter(|r| {
                r.own
                    .eq(row.own.clone())
                    .and(r.cidr.in_([row.cidr]))
                    .and(r.span.in_([row.span]))
            })
            .filter(|r| r.maybe_json.is_not_null())
            .one(&db)
            .await?;
        assert_eq!(found, row);
    }
    Ok(())
}

/// Types of extensions of PostgreSQL; elsewhere their text.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Extended {
    pub id: Id<Extended>,
    pub map: Hstore,
    pub maps: Vec<Hstore>,
    pub path: Ltree,
    pub maybe_map: Option<Hstore>,
}

/// Whether the type can be used: its extension is there, or none is needed.
async fn has(db: &Db, extension: &str) -> orm::Result<bool> {
    if !db.dialect().features().arrays {
        return Ok(true);
    }
    let found: i64 = sql!("SELECT count(*) FROM pg_available_extensions WHERE name = {extension}")
        .fetch_one(db)
        .await?;
    if found == 0 {
        println!("skipped: the server has not the extension {extension}");
        return Ok(false);
    }
    match extension {
        "hstore" => sql!("CREATE EXTENSION hstore").exec(db).await?,
        "ltree" => sql!("CREATE EXTENSION ltree").exec(db).await?,
        "citext" => sql!("CREATE EXTENSION citext").exec(db).await?,
        _ => sql!("CREATE EXTENSION vector").exec(db).await?,
    };
    Ok(true)
}

#[orm::test]
async fn types_of_extensions_come_back_unaltered(db: Db) -> orm::Result<()> {
    if !(has(&db, "hstore").await? && has(&db, "ltree").await?) {
        return Ok(());
    }
    db.create_all(&orm::schema![Extended]).await?;
    let (n, mut g) = wanted();
    let map = |g: &mut Gen| {
        let pairs: BTreeMap<String, Option<String>> =
            g.list(|g| (g.text(), g.maybe(Gen::text))).into_iter().collect();
        Hstore(pairs)
    };
    for _ in 0..n.div_ceil(50) {
        let mut again = Gen(g.0);
        let new = |g: &mut Gen| NewExtended {
            map: map(g),
            maps: g.list(map),
            path: Ltree(g.of(&["", "a", "Top.Science.x_1"]).into()),
        };
        let sent: Vec<NewExtended> = (0..50).map(|_| new(&mut g)).collect();
        for row in NewExtended::insert_all(&db, sent).await? {
            let new = new(&mut again);
            assert_eq!((&row.map, &row.maps, &row.path), (&new.map, &new.maps, &new.path));
            assert_eq!(Extended::get(&db, row.id).await?, row);
        }
    }
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Embedding {
    pub id: Id<Embedding>,
    pub vector: orm::Vector,
}

#[orm::test]
async fn vectors_come_back_unaltered(db: Db) -> orm::Result<()> {
    if !has(&db, "vector").await? {
        return Ok(());
    }
    db.create_all(&orm::schema![Embedding]).await?;
    let (_, mut g) = wanted();
    for _ in 0..50 {
        let vector: Vec<f32> = (0..1 + g.below(20))
            .map(|_| g.f32())
            .map(|v| if v.is_finite() { v } else { 0.5 })
            .collect();
        let row = NewEmbedding {
            vector: orm::Vector(vector.clone()),
        }
        .insert(&db)
        .await?;
        assert_eq!(row.vector.0, vector);
    }
    let e = NewEmbedding {
        vector: orm::Vector(vec![f32::NAN]),
    }
    .insert(&db)
    .await;
    assert_eq!(refused(e).kind(), ErrorKind::Encode);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Account {
    pub id: Id<Account>,
    #[orm(unique)]
    pub login: orm::CiText,
}

#[orm::test]
async fn text_without_case_is_native_or_refused(db: Db) -> orm::Result<()> {
    if !db.dialect().features().arrays {
        let e = refused(db.create_all(&orm::schema![Account]).await);
        assert_eq!(e.kind(), ErrorKind::Unsupported);
        assert!(e.message().contains("citext"), "{e}");
        return Ok(());
    }
    if !has(&db, "citext").await? {
        return Ok(());
    }
    db.create_all(&orm::schema![Account]).await?;
    let ann = NewAccount {
        login: orm::CiText("Ann".into()),
    }
    .insert(&db)
    .await?;
    assert_eq!(ann.login.0, "Ann");
    let again = NewAccount {
        login: orm::CiText("ANN".into()),
    }
    .insert(&db)
    .await;
    assert_eq!(refused(again).kind(), ErrorKind::UniqueViolation);
    let found = Account::query().filter(|a| a.login.eq(orm::CiText("aNN".into())));
    assert_eq!(found.all(&db).await?, [ann]);
    Ok(())
}

#[orm::test(schema = orm::schema![Rich])]
async fn what_no_column_holds_is_refused_before_it_is_sent(db: Db) -> orm::Result<()> {
    let mut g = Gen(1);
    #[allow(clippy::reversed_empty_ranges)]
    let backwards = (Bound::Included(5), Bound::Excluded(3)).into();
    let largest = (1..=i32::MAX).into();
    for ints in [backwards, largest] {
        let e = refused(NewRich { ints, ..g.rich() }.insert(&db).await);
        assert_eq!(e.kind(), ErrorKind::Encode, "{e}");
    }
    for texts in [vec![Some("a\0".to_string())], vec![None, Some("\0".to_string())]] {
        let e = refused(NewRich { texts, ..g.rich() }.insert(&db).await);
        assert_eq!(e.kind(), ErrorKind::Encode, "{e}");
    }
    let far = Range::from(..Timestamp::from_micros(i64::MIN));
    let e = refused(
        NewRich {
            instants: far,
            ..g.rich()
        }
        .insert(&db)
        .await,
    );
    assert_eq!(e.kind(), ErrorKind::Encode, "{e}");
    assert_eq!(Rich::query().count(&db).await?, 0);
    Ok(())
}

/// What the database holds and the type of the field does not is an error that names the field.
#[orm::test(schema = orm::schema![Rich])]
async fn what_no_field_holds_names_the_field(db: Db) -> orm::Result<()> {
    let row = Gen(1).rich().insert(&db).await?;
    let null: Vec<Option<String>> = vec![None];
    row.update().set(|r| r.texts.to(null)).save(&db).await?;
    let read: orm::Result<Vec<Strict>> = sql!("SELECT texts, letter FROM riches").fetch(&db).await;
    let e = refused(read);
    assert_eq!(
        (e.kind(), e.field(), e.model()),
        (ErrorKind::Decode, Some("texts"), Some("Strict")),
        "{e}"
    );
    Ok(())
}

#[derive(Shape, Debug)]
#[shape(Lenient)]
pub struct Strict {
    pub texts: Vec<String>,
    pub letter: String,
}
#[derive(Model, Debug)]
#[orm(table = "riches")]
pub struct Lenient {
    pub id: Id<Lenient>,
    pub texts: Vec<String>,
    pub letter: String,
}
