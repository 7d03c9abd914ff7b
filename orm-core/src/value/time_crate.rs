//! Types of the crate `time` as columns (feature `time`). Nanoseconds are cut to microseconds, which both backends hold.

use ::time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcDateTime};

use crate::error::{Error, Result};
use crate::value::{Cells, LocalTimestamp, Scalar, TimeOfDay, Timestamp, Type, Value};

/// The Julian day of 1970-01-01.
const EPOCH: i32 = 2_440_588;

const OUT_OF_RANGE: &str = "the stored date lies outside what the crate `time` can hold";
const REFUSED: &str = "the date lies outside what 64 bits of microseconds hold";

#[cold]
fn out_of_range() -> Error {
    Error::decode(OUT_OF_RANGE)
}

/// Rounded down, as the other types are. The feature `large-dates` has years that do not fit.
fn micros(nanos: i128) -> Option<i64> {
    i64::try_from(nanos.div_euclid(1000)).ok()
}
fn instant(micros: i64) -> Result<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).map_err(|_| out_of_range())
}

/// The instant; its offset is not stored, and what is read is in UTC.
impl Scalar for OffsetDateTime {
    const TYPE: Type = Type::Timestamp;
    fn into_value(self) -> Value {
        let micros = micros(self.unix_timestamp_nanos());
        micros.map_or(Value::Refused(REFUSED), |v| {
            Value::Timestamp(Timestamp::from_micros(v))
        })
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let stored = cells.timestamp(i)?;
        stored.map(|t| instant(t.micros())).transpose()
    }
}
impl Scalar for UtcDateTime {
    const TYPE: Type = Type::Timestamp;
    fn into_value(self) -> Value {
        let micros = micros(self.unix_timestamp_nanos());
        micros.map_or(Value::Refused(REFUSED), |v| {
            Value::Timestamp(Timestamp::from_micros(v))
        })
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let stored = cells.timestamp(i)?;
        stored.map(|t| instant(t.micros()).map(Into::into)).transpose()
    }
}
impl Scalar for PrimitiveDateTime {
    const TYPE: Type = Type::LocalTimestamp;
    fn into_value(self) -> Value {
        let micros = micros(self.assume_utc().unix_timestamp_nanos());
        micros.map_or(Value::Refused(REFUSED), |v| {
            Value::LocalTimestamp(LocalTimestamp::from_micros(v))
        })
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(t) = cells.local_timestamp(i)? else {
            return Ok(None);
        };
        let t = instant(t.micros())?;
        Ok(Some(PrimitiveDateTime::new(t.date(), t.time())))
    }
}
impl Scalar for Date {
    const TYPE: Type = Type::Date;
    fn into_value(self) -> Value {
        Value::Date(crate::value::Date::from_days(self.to_julian_day() - EPOCH))
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(d) = cells.date(i)? else { return Ok(None) };
        let day = d.days().checked_add(EPOCH).ok_or_else(out_of_range)?;
        Date::from_julian_day(day).map(Some).map_err(|_| out_of_range())
    }
}
impl Scalar for Time {
    const TYPE: Type = Type::Time;
    fn into_value(self) -> Value {
        let (hour, minute, second, micros) = self.as_hms_micro();
        let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
        let time = TimeOfDay::from_micros(seconds * 1_000_000 + i64::from(micros));
        time.map_or(
            Value::Refused("the time of day lies beyond midnight"),
            Value::Time,
        )
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(t) = cells.time(i)? else { return Ok(None) };
        let (seconds, micros) = (t.micros() / 1_000_000, (t.micros() % 1_000_000) as u32);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        Time::from_hms_micro(hour as u8, minute as u8, second as u8, micros)
            .map(Some)
            .map_err(|_| out_of_range())
    }
}
