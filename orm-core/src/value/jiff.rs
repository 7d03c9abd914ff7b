//! Types of the crate `jiff` as columns (feature `jiff`). Nanoseconds are cut to microseconds, which both backends hold.
//!
//! A `Zoned` is no column type: a database keeps the instant and forgets the zone.

use ::jiff::Timestamp as Instant;
use ::jiff::civil::{Date, DateTime, Time};

use crate::error::{Error, Result};
use crate::value::{Cells, LocalTimestamp, Scalar, TimeOfDay, Timestamp, Type, Value};

const DAY: i64 = 86_400_000_000;

#[cold]
fn out_of_range() -> Error {
    Error::decode("the stored date lies outside what jiff can hold")
}

fn days(date: Date) -> Option<i32> {
    let (year, month, day) = (date.year().into(), date.month(), date.day());
    let date = crate::value::Date::from_ymd(year, month.try_into().ok()?, day.try_into().ok()?)?;
    Some(date.days())
}
fn date(days: i32) -> Option<Date> {
    let (year, month, day) = crate::value::Date::from_days(days).ymd();
    Date::new(
        year.try_into().ok()?,
        month.try_into().ok()?,
        day.try_into().ok()?,
    )
    .ok()
}
fn micros(time: Time) -> i64 {
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    seconds * 1_000_000 + i64::from(time.subsec_nanosecond() / 1000)
}
fn time(micros: i64) -> Option<Time> {
    let (seconds, micros) = (micros / 1_000_000, (micros % 1_000_000) as i32);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Time::new(hour as i8, minute as i8, second as i8, micros * 1000).ok()
}
/// Every date of jiff has a place among ours.
const REFUSED: Value = Value::Refused("the date lies outside what a database holds");

impl Scalar for Instant {
    const TYPE: Type = Type::Timestamp;
    fn into_value(self) -> Value {
        match i64::try_from(self.as_nanosecond().div_euclid(1000)) {
            Ok(micros) => Value::Timestamp(Timestamp::from_micros(micros)),
            Err(_) => REFUSED,
        }
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(t) = cells.timestamp(i)? else {
            return Ok(None);
        };
        // microseconds end before the last second of jiff does
        Instant::from_nanosecond(i128::from(t.micros()) * 1000)
            .map(Some)
            .map_err(|_| out_of_range())
    }
}
impl Scalar for DateTime {
    const TYPE: Type = Type::LocalTimestamp;
    fn into_value(self) -> Value {
        days(self.date()).map_or(REFUSED, |days| {
            let micros = i64::from(days) * DAY + micros(self.time());
            Value::LocalTimestamp(LocalTimestamp::from_micros(micros))
        })
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(t) = cells.local_timestamp(i)? else {
            return Ok(None);
        };
        let days = i32::try_from(t.micros().div_euclid(DAY)).ok();
        let (date, time) = (days.and_then(date), time(t.micros().rem_euclid(DAY)));
        match (date, time) {
            (Some(date), Some(time)) => Ok(Some(DateTime::from_parts(date, time))),
            _ => Err(out_of_range()),
        }
    }
}
impl Scalar for Date {
    const TYPE: Type = Type::Date;
    fn into_value(self) -> Value {
        days(self).map_or(REFUSED, |days| Value::Date(crate::value::Date::from_days(days)))
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(d) = cells.date(i)? else { return Ok(None) };
        date(d.days()).map(Some).ok_or_else(out_of_range)
    }
}
impl Scalar for Time {
    const TYPE: Type = Type::Time;
    fn into_value(self) -> Value {
        TimeOfDay::from_micros(micros(self)).map_or(REFUSED, Value::Time)
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(t) = cells.time(i)? else { return Ok(None) };
        time(t.micros()).map(Some).ok_or_else(out_of_range)
    }
}
