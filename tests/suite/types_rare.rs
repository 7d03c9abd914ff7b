//! Types of the crates `time` and `jiff`, and types that reach the database as text: there and back, and refused where no
//! database or no calendar holds them.
//!
//! `ORM_TEST_VALUES=100000` makes more rows, `ORM_TEST_SEED=17` others.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use orm::prelude::*;
use orm::value::{ArrayItem, Cells, OtherType, Scalar, Type, Value, Wire};
use orm::{Date, LocalTimestamp, MacAddr8, Multirange, Range, TimeOfDay, TsVector, Weight};
use rust_decimal::Decimal;

use crate::models::refused;
use crate::random::mix;

struct Gen(u64);
impl Gen {
    fn next(&mut self) -> u64 {
        mix(&mut self.0)
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
    /// Years 0 to 9999; whole seconds, days and the ends come more often than by chance.
    fn micros(&mut self) -> i64 {
        let (first, last) = (-62_167_219_200_000_000_i64, 253_402_300_799_999_999_i64);
        let any = first + (self.next() % (last - first + 1) as u64) as i64;
        match self.below(8) {
            0 => first,
            1 => last,
            2 => any - any.rem_euclid(86_400_000_000),
            3 => any - any.rem_euclid(1_000_000),
            4 => self.below(3) as i64 - 1,
            _ => any,
        }
    }
    fn list<T>(&mut self, mut item: impl FnMut(&mut Gen) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| item(self)).collect()
    }
    fn maybe<T>(&mut self, item: impl FnOnce(&mut Gen) -> T) -> Option<T> {
        (self.below(3) > 0).then(|| item(self))
    }
    fn small(&mut self) -> i64 {
        match self.below(4) {
            0 => self.next() as i64 >> 1,
            _ => self.below(40) as i64 - 20,
        }
    }
    fn set<T: orm::value::RangeItem>(&mut self, mut item: impl FnMut(&mut Gen) -> T) -> Multirange<T> {
        let ranges = self.list(|g| {
            let (a, b) = (item(g), item(g));
            let (a, b) = if b < a { (b, a) } else { (a, b) };
            match g.below(6) {
                0 => (..b).into(),
                1 => (a..).into(),
                2 => (a..=b).into(),
                3 => (std::ops::Bound::Excluded(a), std::ops::Bound::Included(b)).into(),
                _ => (a..b).into(),
            }
        });
        ranges.into()
    }
    fn words(&mut self) -> TsVector {
        let pieces = ["a", "B", "'", "\\", " ", "é", "日", ":", "1", ",", "\n"];
        let mut words = BTreeMap::new();
        for _ in 0..self.below(5) {
            let word: String = (0..1 + self.below(4))
                .map(|_| pieces[self.below(pieces.len() as u64) as usize])
                .collect();
            let mut at = 0;
            let places = self.list(|g| {
                at += 1 + g.below(5000) as u16;
                (
                    at,
                    [Weight::A, Weight::B, Weight::C, Weight::D][g.below(4) as usize],
                )
            });
            words.insert(word, places);
        }
        TsVector(words)
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |v| v.parse().expect(name))
}
fn wanted() -> (u64, Gen) {
    let seed = number("ORM_TEST_SEED", 1);
    println!("ORM_TEST_SEED={seed}");
    (number("ORM_TEST_VALUES", 500), Gen(seed))
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Diary {
    pub id: Id<Diary>,
    pub moment: time::OffsetDateTime,
    pub utc: time::UtcDateTime,
    pub local: time::PrimitiveDateTime,
    pub day: time::Date,
    pub clock: time::Time,
    pub maybe: Option<time::Date>,
    pub moments: Vec<time::OffsetDateTime>,
    pub days: Range<time::Date>,
    pub j_moment: jiff::Timestamp,
    pub j_local: jiff::civil::DateTime,
    pub j_day: jiff::civil::Date,
    pub j_clock: jiff::civil::Time,
    pub j_maybe: Option<jiff::Timestamp>,
    pub j_clocks: Vec<Option<jiff::civil::Time>>,
    pub j_days: Range<jiff::civil::Date>,
}

fn by_time(micros: i64) -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).unwrap()
}
fn by_jiff_moment(micros: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_nanosecond(i128::from(micros) * 1000).unwrap()
}
fn by_jiff(micros: i64) -> jiff::civil::DateTime {
    let moment = by_jiff_moment(micros);
    jiff::tz::Offset::UTC.to_datetime(moment)
}
/// The last instant of jiff lies a day before the end of the year 9999.
fn within_jiff(micros: i64) -> i64 {
    micros.min(jiff::Timestamp::MAX.as_microsecond())
}

impl Gen {
    fn diary(&mut self) -> NewDiary {
        let local = |g: &mut Gen| {
            let t = by_time(g.micros());
            time::PrimitiveDateTime::new(t.date(), t.time())
        };
        let (a, b) = (by_time(self.micros()).date(), by_time(self.micros()).date());
        let last = time::Date::MAX.previous_day().unwrap();
        let (c, d) = (
            by_jiff(within_jiff(self.micros())),
            by_jiff(within_jiff(self.micros())),
        );
        let j_last = jiff::civil::date(9999, 12, 30);
        NewDiary {
            moment: by_time(self.micros()),
            utc: by_time(self.micros()).into(),
            local: local(self),
            day: by_time(self.micros()).date(),
            clock: by_time(self.micros()).time(),
            moments: self.list(|g| by_time(g.micros())),
            days: (a.min(b)..=a.max(b).min(last).max(a.min(b).min(last))).into(),
            j_moment: by_jiff_moment(within_jiff(self.micros())),
            j_local: by_jiff(within_jiff(self.micros())),
            j_day: by_jiff(within_jiff(self.micros())).date(),
            j_clock: by_jiff(within_jiff(self.micros())).time(),
            j_clocks: self.list(|g| g.maybe(|g| by_jiff(within_jiff(g.micros())).time())),
            j_days: (c.min(d).date().min(j_last)..=c.max(d).date().min(j_last)).into(),
        }
    }
}

macro_rules! same {
    ($row:expr, $new:expr; $($field:ident)*) => {{
        let (row, new) = (&$row, &$new);
        $(assert_eq!(row.$field, new.$field, stringify!($field));)*
    }};
}

#[orm::test(schema = orm::schema![Diary])]
async fn times_of_other_crates_come_back_unaltered(db: Db) -> orm::Result<()> {
    let (mut left, mut g) = wanted();
    while left > 0 {
        let n = left.min(100);
        left -= n;
        let mut again = Gen(g.0);
        let sent: Vec<NewDiary> = (0..n).map(|_| g.diary()).collect();
        let made = NewDiary::insert_all(&db, sent).await?;
        let read = Diary::query()
            .filter(|d| d.id.ge(made[0].id))
            .order_by(|d| d.id.asc());
        let read = read.all(&db).await?;
        assert_eq!(read, made, "RETURNING and SELECT agree");
        for row in read {
            same!(row, again.diary(); moment utc local day clock moments days j_moment j_local j_day j_clock j_clocks j_days);
            assert_eq!((row.maybe, row.j_maybe), (None, None));
        }
    }
    Ok(())
}

/// Conditions, functions and the offset, which is not stored.
#[orm::test(schema = orm::schema![Diary])]
async fn times_of_other_crates_in_queries(db: Db) -> orm::Result<()> {
    let (_, mut g) = wanted();
    let east = time::UtcOffset::from_hms(5, 30, 0).unwrap();
    let moment = by_time(1_700_000_000_123_456);
    let new = NewDiary {
        moment: moment.to_offset(east),
        j_day: jiff::civil::date(2024, 1, 31),
        ..g.diary()
    };
    let row = new.insert(&db).await?;
    assert_eq!((row.moment, row.moment.offset()), (moment, time::UtcOffset::UTC));
    let found = Diary::query()
        .filter(|d| {
            d.moment
                .eq(moment.to_offset(east))
                .and(d.day.ge(row.day))
                .and(d.clock.in_([row.clock]))
        })
        .filter(|d| d.j_moment.le(row.j_moment).and(d.j_days.eq(row.j_days)))
        .select(|d| {
            (
                d.j_day.plus(Interval::months(1)),
                d.moment.year(),
                d.moment.date(),
                d.j_day,
            )
        });
    let found: Vec<(jiff::civil::Date, i64, time::Date, jiff::civil::Date)> = found.all(&db).await?;
    assert_eq!(
        found,
        [(jiff::civil::date(2024, 2, 29), 2023, moment.date(), row.j_day)]
    );
    let nanos = moment + time::Duration::nanoseconds(999);
    row.update().set(|d| d.moment.to(nanos)).save(&db).await?;
    assert_eq!(
        Diary::get(&db, row.id).await?.moment,
        moment,
        "nanoseconds are cut"
    );
    Ok(())
}

/// The value of an expression as this type.
async fn one<T: orm::value::Output>(db: &Db, text: &str) -> orm::Result<T> {
    // the texts are this file's own
    match text {
        "∞" => sql!("select 'infinity'::timestamptz").fetch_one(db).await,
        "-∞" => sql!("select '-infinity'::timestamptz").fetch_one(db).await,
        "∞ local" => sql!("select 'infinity'::timestamp").fetch_one(db).await,
        "-∞ local" => sql!("select '-infinity'::timestamp").fetch_one(db).await,
        "∞ day" => sql!("select 'infinity'::date").fetch_one(db).await,
        "-∞ day" => sql!("select '-infinity'::date").fetch_one(db).await,
        "late" => {
            sql!("select '294276-12-31T23:59:59.999999Z'::timestamptz")
                .fetch_one(db)
                .await
        }
        "late local" => {
            sql!("select '294276-12-31T23:59:59.999999'::timestamp")
                .fetch_one(db)
                .await
        }
        "late day" => sql!("select '5874897-12-31'::date").fetch_one(db).await,
        "early" => {
            sql!("select '4713-01-01T00:00:00Z BC'::timestamptz")
                .fetch_one(db)
                .await
        }
        "early local" => {
            sql!("select '4713-01-01T00:00:00 BC'::timestamp")
                .fetch_one(db)
                .await
        }
        "early day" => sql!("select '4713-01-01 BC'::date").fetch_one(db).await,
        "24" => sql!("select '24:00'::time").fetch_one(db).await,
        other => panic!("{other}"),
    }
}

#[orm::test(requires = |f: &orm::sql::Features| f.arrays)]
async fn what_a_calendar_does_not_hold_is_an_error(db: Db) -> orm::Result<()> {
    macro_rules! refuse {
        ($($t:ty: $($text:literal)+;)+) => {$($(
            let e = refused(one::<$t>(&db, $text).await.map(|t| format!("{t:?}")));
            assert_eq!(e.kind(), ErrorKind::Decode, "{} {}: {e}", stringify!($t), $text);
            let maybe = refused(one::<Option<$t>>(&db, $text).await.map(|t| format!("{t:?}")));
            assert_eq!(maybe.kind(), ErrorKind::Decode);
        )+)+};
    }
    refuse! {
        Timestamp: "∞" "-∞";
        DateTime<Utc>: "∞" "-∞" "late";
        time::OffsetDateTime: "∞" "-∞" "late";
        time::UtcDateTime: "∞" "-∞" "late";
        jiff::Timestamp: "∞" "-∞" "late";
        LocalTimestamp: "∞ local" "-∞ local";
        NaiveDateTime: "∞ local" "-∞ local" "late local";
        time::PrimitiveDateTime: "∞ local" "-∞ local" "late local";
        jiff::civil::DateTime: "∞ local" "-∞ local" "late local";
        Date: "∞ day" "-∞ day";
        NaiveDate: "∞ day" "-∞ day" "late day";
        time::Date: "∞ day" "-∞ day" "late day";
        jiff::civil::Date: "∞ day" "-∞ day" "late day";
        TimeOfDay: "24";
        chrono::NaiveTime: "24";
        time::Time: "24";
        jiff::civil::Time: "24";
    }
    // years before the first are held by all of them
    assert_eq!(one::<time::Date>(&db, "early day").await?.year(), -4712);
    assert_eq!(one::<jiff::civil::Date>(&db, "early day").await?.year(), -4712);
    assert_eq!(one::<time::OffsetDateTime>(&db, "early").await?.year(), -4712);
    assert_eq!(
        one::<jiff::civil::DateTime>(&db, "early local").await?.year(),
        -4712
    );
    one::<jiff::Timestamp>(&db, "early").await?;
    one::<time::PrimitiveDateTime>(&db, "early local").await?;
    one::<DateTime<Utc>>(&db, "early").await?;
    Ok(())
}

/// What lies before the first year of PostgreSQL, or outside the years 0 to 9999 of SQLite.
#[orm::test]
async fn dates_that_no_database_holds_are_refused(db: Db) -> orm::Result<()> {
    macro_rules! refuse {
        ($($value:expr;)+) => {$({
            let value = $value;
            let e = refused(sql!("select {value} is null").fetch_one::<bool, _>(&db).await);
            assert_eq!(e.kind(), ErrorKind::Encode, "{}: {e}", stringify!($value));
        })+};
    }
    let early = time::Date::from_calendar_date(-4800, time::Month::January, 1).unwrap();
    refuse! {
        NaiveDate::MIN;
        NaiveDateTime::MIN;
        DateTime::<Utc>::MIN_UTC;
        early;
        time::PrimitiveDateTime::new(early, time::Time::MIDNIGHT);
        time::PrimitiveDateTime::new(early, time::Time::MIDNIGHT).assume_utc();
        time::UtcDateTime::new(early, time::Time::MIDNIGHT);
        jiff::civil::Date::MIN;
        jiff::civil::DateTime::MIN;
        jiff::Timestamp::MIN;
        Timestamp::from_micros(i64::MIN);
        LocalTimestamp::from_micros(i64::MIN);
        Date::from_days(i32::MIN);
        Date::from_days(i32::MAX);
    }
    Ok(())
}

static POINT: OtherType = OtherType::portable("point", Wire::Cast);

/// A type of PostgreSQL that the library does not know, as its text.
#[derive(Clone, Debug, PartialEq)]
pub struct Point(pub i32, pub i32);
impl Scalar for Point {
    const TYPE: Type = Type::Other(&POINT);
    fn into_value(self) -> Value {
        Value::Other(&POINT, format!("({},{})", self.0, self.1).into())
    }
    fn decode(cells: &dyn Cells, i: usize) -> orm::Result<Option<Self>> {
        let Some(Value::Other(_, text)) = cells.value(i, Self::TYPE)? else {
            return Ok(None);
        };
        let inner = text.trim_matches(['(', ')']).split_once(',');
        let point = inner.and_then(|(x, y)| Some(Point(x.parse().ok()?, y.parse().ok()?)));
        point
            .map(Some)
            .ok_or_else(|| Error::decode("the cell holds no point"))
    }
}
impl ArrayItem for Point {}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Rare {
    pub id: Id<Rare>,
    pub ints: Multirange<i32>,
    pub longs: Multirange<i64>,
    pub prices: Multirange<Decimal>,
    pub days: Multirange<Date>,
    pub moments: Multirange<Timestamp>,
    pub locals: Multirange<LocalTimestamp>,
    pub j_days: Multirange<jiff::civil::Date>,
    pub sets: Vec<Multirange<i32>>,
    pub words: TsVector,
    pub texts: Vec<TsVector>,
    pub card: MacAddr8,
    pub cards: Vec<MacAddr8>,
    pub place: Point,
    pub places: Vec<Option<Point>>,
    pub maybe_ints: Option<Multirange<i32>>,
    pub maybe_words: Option<TsVector>,
}

impl Gen {
    fn day(&mut self) -> i32 {
        (self.micros().div_euclid(86_400_000_000) as i32).min(2_932_895)
    }
    fn rare(&mut self) -> NewRare {
        NewRare {
            ints: self.set(|g| (g.small() as i32).min(i32::MAX - 1)),
            longs: self.set(|g| g.small().min(i64::MAX - 1)),
            prices: self.set(|g| Decimal::new(g.small() >> 4, 2)),
            days: self.set(|g| Date::from_days(g.day().max(-719_162))),
            moments: self.set(|g| Timestamp::from_micros(g.micros().max(-62_135_596_800_000_000))),
            locals: self.set(|g| LocalTimestamp::from_micros(g.micros().max(-62_135_596_800_000_000))),
            j_days: self
                .set(|g| by_jiff(within_jiff(i64::from(g.day().max(-719_162)) * 86_400_000_000)).date()),
            sets: self.list(|g| g.set(|g| g.below(50) as i32)),
            words: self.words(),
            texts: self.list(Gen::words),
            card: MacAddr8(self.next().to_be_bytes()),
            cards: self.list(|g| MacAddr8(g.next().to_be_bytes())),
            place: Point(self.next() as i32, self.small() as i32),
            places: self.list(|g| g.maybe(|g| Point(g.next() as i32, 0))),
        }
    }
}

#[orm::test(schema = orm::schema![Rare])]
async fn types_that_are_cast_come_back_unaltered(db: Db) -> orm::Result<()> {
    let (mut left, mut g) = wanted();
    while left > 0 {
        let n = left.min(100);
        left -= n;
        let mut again = Gen(g.0);
        let sent: Vec<NewRare> = (0..n).map(|_| g.rare()).collect();
        let made = NewRare::insert_all(&db, sent).await?;
        let read = Rare::query()
            .filter(|d| d.id.ge(made[0].id))
            .order_by(|d| d.id.asc());
        let read = read.all(&db).await?;
        assert_eq!(read, made, "RETURNING and SELECT agree");
        for row in read {
            same!(row, again.rare(); ints longs prices days moments locals j_days sets words texts card cards place places);
            assert_eq!((row.maybe_ints, row.maybe_words), (None, None));
        }
    }
    Ok(())
}

#[orm::test(schema = orm::schema![Rare])]
async fn types_that_are_cast_in_queries(db: Db) -> orm::Result<()> {
    let (_, mut g) = wanted();
    let set: Multirange<i32> = [Range::from(1..3), (5..9).into()].into();
    let words = TsVector([("cat".to_owned(), vec![(2, Weight::A)])].into());
    let (first, second) = (g.rare(), g.rare());
    let first = NewRare {
        ints: set.clone(),
        words: words.clone(),
        place: Point(1, 2),
        ..first
    };
    let row = first.insert(&db).await?;
    let other = second.insert(&db).await?;
    assert_eq!(Rare::get(&db, row.id).await?, row);
    let found = Rare::query()
        .filter(|r| {
            r.ints
                .eq(set.clone())
                .and(r.ints.in_([set.clone()]))
                .and(r.sets.eq(row.sets.clone()))
        })
        .filter(|r| r.maybe_ints.is_null().and(r.card.eq(row.card)));
    assert_eq!(found.clone().all(&db).await?, [row.clone()]);
    // inside another query they are what they are, and text at its end only
    let inner = Rare::query().select(|r| (r.id, r.ints, r.words));
    let outer = orm::from(inner.clone()).filter(|(_, ints, _)| ints.eq(set.clone()));
    let outer = outer.select(|columns| columns);
    assert_eq!(outer.all(&db).await?, [(row.id, set.clone(), words.clone())]);
    let named = orm::cte("named", inner);
    let joined = Rare::query()
        .join_on(&named, |r, (id, ints, _)| r.id.eq(id).and(r.ints.eq(ints)))
        .order_by(|(r, _)| r.id.asc())
        .select(|(r, (_, ints, words))| (r.ints, ints, words));
    let joined = joined.all(&db).await?;
    assert_eq!(
        (joined.len(), &joined[0]),
        (2, &(set.clone(), set.clone(), words.clone()))
    );
    let union = Rare::query()
        .select(|r| r.ints)
        .union(Rare::query().filter(|r| r.id.eq(row.id)).select(|r| r.ints));
    assert_eq!(union.all(&db).await?.len(), 2);
    let case = Rare::query()
        .order_by(|r| r.id.asc())
        .select(|r| case(r.id.eq(row.id), r.ints).or_else(set.clone()));
    assert_eq!(case.all(&db).await?, [set.clone(), set.clone()]);
    let changed = Rare::update_where(|r| r.id.eq(other.id))
        .set(|r| {
            (
                r.maybe_ints.to(set.clone()),
                r.maybe_words.to(words.clone()),
                r.ints.to(set.clone()),
            )
        })
        .returning(&db)
        .await?;
    assert_eq!(
        (&changed[0].maybe_ints, &changed[0].maybe_words),
        (&Some(set.clone()), &Some(words))
    );
    let none = other.update().set(|r| r.maybe_ints.to(None)).save(&db).await?;
    assert_eq!(none.maybe_ints, None);
    let keyed = Rare::query()
        .group_by(|r| r.ints)
        .select(|g| (g.key(), g.count()));
    assert_eq!(keyed.all(&db).await?, [(set, 2)]);
    Ok(())
}

/// However the session writes instants, and in bulk.
#[orm::test(schema = orm::schema![Rare])]
async fn types_that_are_cast_in_any_zone_and_in_bulk(db: Db) -> orm::Result<()> {
    let (_, mut g) = wanted();
    let sent: Vec<NewRare> = (0..50).map(|_| g.rare()).collect();
    let mut again = Gen(number("ORM_TEST_SEED", 1));
    NewRare::copy_all(&db, sent).await?;
    let native = db.dialect().features().arrays;
    let read = db
        .transaction(async |tx| {
            if native {
                // it had seconds in earlier times, and begins the year 10000 first
                sql!("set local timezone = 'Asia/Kolkata'").exec(tx).await?;
            }
            Rare::query().order_by(|r| r.id.asc()).all(tx).await
        })
        .await?;
    assert_eq!(read.len(), 50);
    for row in read {
        same!(row, again.rare(); ints longs prices days moments locals j_days sets words texts card cards place places);
    }
    Ok(())
}

#[orm::test(schema = orm::schema![Rare])]
async fn what_these_types_do_not_hold_is_refused(db: Db) -> orm::Result<()> {
    let mut g = Gen(1);
    let words = |word: &str, places: &[u16]| {
        let places = places.iter().map(|at| (*at, Weight::D)).collect();
        TsVector([(word.to_owned(), places)].into())
    };
    for words in [
        words("", &[]),
        words(&"x".repeat(2047), &[]),
        words("a\0", &[]),
        words("a", &[0]),
        words("a", &[16384]),
        words("a", &[3, 3]),
        words("a", &[4, 3]),
    ] {
        let e = refused(NewRare { words, ..g.rare() }.insert(&db).await);
        assert_eq!(e.kind(), ErrorKind::Encode, "{e}");
    }
    for far in [i64::MAX - 1, -62_135_596_800_000_001] {
        let moments: Multirange<Timestamp> = [Range::from(Timestamp::from_micros(far)..)].into();
        let e = refused(NewRare { moments, ..g.rare() }.insert(&db).await);
        assert_eq!(e.kind(), ErrorKind::Encode, "{e}");
    }
    assert_eq!(Rare::query().count(&db).await?, 0);
    Ok(())
}

/// A type that nobody here knows is read as the text that the statement makes of it, or as its bytes.
#[orm::test(requires = |f: &orm::sql::Features| f.arrays)]
async fn unknown_types_are_text_or_bytes(db: Db) -> orm::Result<()> {
    let text: String = sql!("select point(1, 2)::text").fetch_one(&db).await?;
    assert_eq!(text, "(1,2)");
    let bytes: Vec<u8> = sql!("select point(1, 2)").fetch_one(&db).await?;
    let coordinates = [1.0_f64.to_be_bytes(), 2.0_f64.to_be_bytes()];
    assert_eq!(bytes, coordinates.concat());
    let e = refused(sql!("select point(1, 2)").fetch_one::<String, _>(&db).await);
    assert_eq!(e.kind(), ErrorKind::Decode);
    let set: String = sql!("select '{{[1,3),[5,9)}}'::int4multirange::text")
        .fetch_one(&db)
        .await?;
    assert_eq!(set, "{[1,3),[5,9)}");
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Contact {
    pub id: Id<Contact>,
    #[orm(ty(postgres = "email"), check = "length(email) > 3")]
    pub email: String,
    #[orm(ty(postgres = "email"))]
    pub second: Option<String>,
}

/// A domain is the type below it, and its rule a typed error.
#[orm::test]
async fn domains_come_back_and_hold_their_rules(db: Db) -> orm::Result<()> {
    let native = db.dialect().features().arrays;
    if native {
        sql!("create domain email as text check (value like '%@%')")
            .exec(&db)
            .await?;
    }
    db.create_all(&orm::schema![Contact]).await?;
    let ann = NewContact {
        email: "ann@x.io".into(),
    }
    .set(|c| c.second.to("a@b"))
    .insert(&db)
    .await?;
    assert_eq!(
        (ann.email.as_str(), ann.second.as_deref()),
        ("ann@x.io", Some("a@b"))
    );
    let found = Contact::query().filter(|c| c.email.eq("ann@x.io").and(c.second.in_(["a@b"])));
    assert_eq!(found.all(&db).await?, [ann.clone()]);
    let many = (0..20).map(|i| NewContact {
        email: format!("{i}@x.io"),
    });
    assert_eq!(
        NewContact::insert_all(&db, many.collect::<Vec<_>>()).await?.len(),
        20
    );
    let wrong = if native { "nobody" } else { "no" };
    let e = refused(NewContact { email: wrong.into() }.insert(&db).await);
    assert_eq!(e.kind(), ErrorKind::CheckViolation, "{e}");
    if native {
        let e = refused(ann.update().set(|c| c.second.to("nobody")).save(&db).await);
        assert_eq!(e.kind(), ErrorKind::CheckViolation, "{e}");
    }
    assert_eq!(Contact::query().count(&db).await?, 21);
    Ok(())
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Bill {
    pub id: Id<Bill>,
    pub exact: Decimal,
    pub maybe: Option<Decimal>,
    #[orm(decimal(10, 2))]
    pub price: Decimal,
    #[orm(decimal(12, 4))]
    pub rate: Decimal,
}

/// A decimal without fixed precision beside one with: equal where the numbers are, whatever the zeros behind them.
#[orm::test(schema = orm::schema![Bill])]
async fn decimals_with_and_without_precision_meet(db: Db) -> orm::Result<()> {
    let dec = |text: &str| text.parse::<Decimal>().unwrap();
    let rows = [
        ("12.50", "12.5", "12.5000"),
        ("0", "0.00", "0.0001"),
        ("-3", "-3.00", "-3"),
        ("100", "100", "99.9999"),
        ("0.01", "0.01", "0.01"),
        ("1.005", "1.00", "1.005"),
        ("-0.50", "-0.5", "0.5"),
    ];
    for (exact, price, rate) in rows {
        let (exact, price, rate) = (dec(exact), dec(price), dec(rate));
        NewBill { exact, price, rate }.insert(&db).await?;
    }
    let bills = Bill::query().order_by(|b| b.id.asc()).all(&db).await?;
    let ids = |f: fn(&Bill) -> bool| bills.iter().filter(|b| f(b)).map(|b| b.id).collect::<Vec<_>>();
    let found = async |f: fn(BillCols<Bill>) -> Filter<Bill>| {
        let query = Bill::query().filter(f).order_by(|b| b.id.asc());
        query.select(|b| b.id).all(&db).await
    };
    assert_eq!(found(|b| b.exact.eq(b.price)).await?, ids(|b| b.exact == b.price));
    assert_eq!(found(|b| b.price.eq(b.exact)).await?, ids(|b| b.exact == b.price));
    assert_eq!(found(|b| b.exact.ne(b.rate)).await?, ids(|b| b.exact != b.rate));
    assert_eq!(
        found(|b| b.rate.is_distinct_from(b.exact)).await?,
        ids(|b| b.exact != b.rate)
    );
    assert_eq!(found(|b| b.price.eq(b.rate)).await?, ids(|b| b.price == b.rate));
    assert_eq!(
        found(|b| b.exact.in_([b.price, b.rate])).await?,
        ids(|b| b.exact == b.price || b.exact == b.rate)
    );
    let joined = Bill::query()
        .join_on(Bill::query(), |a, b| a.exact.eq(b.price))
        .order_by(|(a, b)| (a.id.asc(), b.id.asc()))
        .select(|(a, b)| (a.id, b.id));
    let pairs: Vec<_> = bills
        .iter()
        .flat_map(|a| bills.iter().filter(|b| a.exact == b.price).map(|b| (a.id, b.id)))
        .collect();
    assert_eq!(joined.all(&db).await?, pairs);
    // alternatives, assignments and arms of a union keep the number
    let either = Bill::query()
        .order_by(|b| b.id.asc())
        .select(|b| b.maybe.or_else(b.price));
    let prices: Vec<Decimal> = bills.iter().map(|b| b.price).collect();
    assert_eq!(either.all(&db).await?, prices);
    let cases = Bill::query()
        .order_by(|b| b.id.asc())
        .select(|b| case(b.id.eq(bills[0].id), b.exact).or_else(b.rate));
    let expected: Vec<Decimal> = bills
        .iter()
        .map(|b| if b.id == bills[0].id { b.exact } else { b.rate })
        .collect();
    assert_eq!(cases.all(&db).await?, expected);
    Bill::update_where(|b| b.id.ge(Id::new(0)))
        .set(|b| b.maybe.to(b.rate))
        .exec(&db)
        .await?;
    let copied = Bill::query()
        .order_by(|b| b.id.asc())
        .select(|b| b.maybe)
        .all(&db)
        .await?;
    assert_eq!(copied, bills.iter().map(|b| Some(b.rate)).collect::<Vec<_>>());
    let union = Bill::query()
        .select(|b| b.exact)
        .union(Bill::query().select(|b| b.price));
    let mut both: Vec<Decimal> = union.all(&db).await?;
    both.sort();
    let mut numbers: Vec<Decimal> = bills.iter().flat_map(|b| [b.exact, b.price]).collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(both, numbers);
    // what has no exact form is refused before it is sent, or right
    let less = Bill::query()
        .filter(|b| b.exact.lt(b.price))
        .order_by(|b| b.id.asc())
        .select(|b| b.id);
    let sum = Bill::query().aggregate(|b| b.exact.sum());
    let order = Bill::query().order_by(|b| b.exact.asc()).select(|b| b.exact);
    if db.dialect().features().scaled_decimals {
        for e in [
            refused(less.all(&db).await),
            refused(sum.one(&db).await),
            refused(order.all(&db).await),
            refused(Bill::query().select(|b| b.exact + b.price).all(&db).await),
            refused(
                Bill::update_where(|b| b.id.ge(Id::new(0)))
                    .set(|b| b.price.to(b.exact))
                    .exec(&db)
                    .await,
            ),
        ] {
            assert_eq!(e.kind(), ErrorKind::Unsupported, "{e}");
        }
    } else {
        assert_eq!(less.all(&db).await?, ids(|b| b.exact < b.price));
        assert_eq!(sum.one(&db).await?, Some(bills.iter().map(|b| b.exact).sum()));
        let mut sorted: Vec<Decimal> = bills.iter().map(|b| b.exact).collect();
        sorted.sort();
        assert_eq!(order.all(&db).await?, sorted);
    }
    Ok(())
}

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
#[orm(name = "part_kind")]
pub enum PartKind {
    Left,
    #[orm(rename = "so, \"so\"")]
    Right,
}

#[derive(orm::Composite, Clone, Debug, PartialEq)]
pub struct PartSize {
    pub width: f64,
    pub height: Option<f64>,
}

#[derive(orm::Composite, Clone, Debug, PartialEq)]
#[orm(name = "part of it")]
pub struct PartOf {
    pub flag: bool,
    pub small: i16,
    pub int: Option<i32>,
    pub big: i64,
    pub single: f32,
    pub text: String,
    pub maybe: Option<String>,
    pub bytes: Vec<u8>,
    pub uuid: uuid::Uuid,
    pub at: Timestamp,
    pub local: LocalTimestamp,
    pub day: jiff::civil::Date,
    pub time: TimeOfDay,
    pub price: Decimal,
    pub kind: Option<PartKind>,
    pub range: Range<Timestamp>,
    pub set: Multirange<i32>,
    pub size: PartSize,
}

#[derive(Model, Clone, Debug, PartialEq)]
pub struct Machine {
    pub id: Id<Machine>,
    pub part: PartOf,
    pub size: Option<PartSize>,
    pub sizes: Vec<Option<PartSize>>,
}

impl Gen {
    fn word(&mut self) -> String {
        let pieces = [
            "a", "", ",", "(", ")", "\"", "\\", "'", " ", "NULL", "é", "\n", "{",
        ];
        (0..self.below(5))
            .map(|_| pieces[self.below(pieces.len() as u64) as usize])
            .collect()
    }
    fn float(&mut self) -> f64 {
        match self.below(4) {
            0 => 0.1,
            1 => (self.next() as i64 as f64) / 1e9,
            2 => 1e300,
            _ => -0.5,
        }
    }
    fn size(&mut self) -> PartSize {
        PartSize {
            width: self.float(),
            height: self.maybe(Gen::float),
        }
    }
    fn instant(&mut self) -> Timestamp {
        Timestamp::from_micros(self.micros().max(-62_135_596_800_000_000))
    }
    fn machine(&mut self) -> NewMachine {
        let (a, b) = (self.instant(), self.instant());
        let part = PartOf {
            flag: self.below(2) == 0,
            small: self.next() as i16,
            int: self.maybe(|g| g.next() as i32),
            big: self.next() as i64,
            single: self.float() as f32,
            text: self.word(),
            maybe: self.maybe(Gen::word),
            bytes: self.list(|g| g.next() as u8),
            uuid: uuid::Uuid::from_u128(u128::from(self.next()) << 64 | u128::from(self.next())),
            at: self.instant(),
            local: LocalTimestamp::from_micros(self.instant().micros()),
            day: by_jiff(within_jiff(self.instant().micros())).date(),
            time: TimeOfDay::from_micros((self.next() % 86_400_000_000) as i64).unwrap(),
            price: Decimal::new(self.small() >> 4, 3),
            kind: self.maybe(|g| [PartKind::Left, PartKind::Right][g.below(2) as usize]),
            range: (a.min(b)..a.max(b)).into(),
            set: self.set(|g| g.below(50) as i32),
            size: self.size(),
        };
        NewMachine {
            part,
            sizes: self.list(|g| g.maybe(Gen::size)),
        }
    }
}

#[orm::test(schema = orm::schema![Machine])]
async fn composite_types_come_back_unaltered(db: Db) -> orm::Result<()> {
    let (mut left, mut g) = wanted();
    while left > 0 {
        let n = left.min(100);
        left -= n;
        let mut again = Gen(g.0);
        let sent: Vec<NewMachine> = (0..n).map(|_| g.machine()).collect();
        let made = NewMachine::insert_all(&db, sent).await?;
        let read = Machine::query()
            .filter(|d| d.id.ge(made[0].id))
            .order_by(|d| d.id.asc());
        let read = read.all(&db).await?;
        assert_eq!(read, made, "RETURNING and SELECT agree");
        for row in read {
            same!(row, again.machine(); part sizes);
            assert_eq!(row.size, None);
        }
    }
    Ok(())
}

#[orm::test(schema = orm::schema![Machine])]
async fn composite_types_in_queries(db: Db) -> orm::Result<()> {
    let (_, mut g) = wanted();
    let row = g.machine().insert(&db).await?;
    let size = PartSize {
        width: 1.5,
        height: None,
    };
    let set = row.update().set(|m| m.size.to(size.clone())).save(&db).await?;
    assert_eq!(set.size, Some(size.clone()));
    let found = Machine::query().filter(|m| m.size.eq(size.clone()).and(m.part.eq(set.part.clone())));
    assert_eq!(found.one(&db).await?, set);
    let early = PartOf {
        at: Timestamp::from_micros(-62_135_596_800_000_001),
        ..set.part.clone()
    };
    let e = refused(set.update().set(|m| m.part.to(early)).save(&db).await);
    assert_eq!(e.kind(), ErrorKind::Encode, "{e}");
    db.drop_all(&orm::schema![Machine]).await?;
    db.create_all(&orm::schema![Machine]).await?;
    assert_eq!(Machine::query().count(&db).await?, 0);
    Ok(())
}
