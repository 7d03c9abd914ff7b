//! `chrono` types as columns (feature `chrono`). Nanoseconds are cut to microseconds, which both backends hold.

use ::chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};

use crate::error::{Error, Result};
use crate::value::{Cells, Date, LocalTimestamp, Scalar, TimeOfDay, Timestamp, Type, Value};

#[cold]
fn out_of_range() -> Error {
    Error::decode("the stored date lies outside what chrono can hold")
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(t: DateTime<Utc>) -> Self {
        Timestamp::from_micros(t.timestamp_micros())
    }
}
impl From<Timestamp> for Option<DateTime<Utc>> {
    fn from(t: Timestamp) -> Self {
        DateTime::from_timestamp_micros(t.micros())
    }
}
impl PartialEq<DateTime<Utc>> for Timestamp {
    fn eq(&self, other: &DateTime<Utc>) -> bool {
        self.micros() == other.timestamp_micros()
    }
}

impl Scalar for DateTime<Utc> {
    const TYPE: Type = Type::Timestamp;
    fn into_value(self) -> Value {
        Value::Timestamp(self.into())
    }
    #[inline]
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        match cells.timestamp(i)? {
            None => Ok(None),
            Some(t) => DateTime::from_timestamp_micros(t.micros())
                .map(Some)
                .ok_or_else(out_of_range),
        }
    }
}
impl Scalar for NaiveDateTime {
    const TYPE: Type = Type::LocalTimestamp;
    fn into_value(self) -> Value {
        Value::LocalTimestamp(LocalTimestamp::from_micros(self.and_utc().timestamp_micros()))
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        match cells.local_timestamp(i)? {
            None => Ok(None),
            Some(t) => {
                let t = DateTime::from_timestamp_micros(t.micros()).ok_or_else(out_of_range)?;
                Ok(Some(t.naive_utc()))
            }
        }
    }
}
impl Scalar for NaiveDate {
    const TYPE: Type = Type::Date;
    fn into_value(self) -> Value {
        Value::Date(Date::from_days(self.num_days_from_ce() - UNIX_EPOCH_FROM_CE))
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(d) = cells.date(i)? else { return Ok(None) };
        let days = d
            .days()
            .checked_add(UNIX_EPOCH_FROM_CE)
            .ok_or_else(out_of_range)?;
        NaiveDate::from_num_days_from_ce_opt(days)
            .map(Some)
            .ok_or_else(out_of_range)
    }
}
const UNIX_EPOCH_FROM_CE: i32 = 719_163;

impl Scalar for NaiveTime {
    const TYPE: Type = Type::Time;
    fn into_value(self) -> Value {
        let micros = self.num_seconds_from_midnight() as i64 * 1_000_000 + (self.nanosecond() / 1000) as i64;
        TimeOfDay::from_micros(micros).map_or(
            Value::Refused("a leap second has no counterpart in a database"),
            Value::Time,
        )
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(t) = cells.time(i)? else { return Ok(None) };
        let (secs, micros) = (t.micros() / 1_000_000, t.micros() % 1_000_000);
        NaiveTime::from_num_seconds_from_midnight_opt(secs as u32, micros as u32 * 1000)
            .map(Some)
            .ok_or_else(out_of_range)
    }
}
