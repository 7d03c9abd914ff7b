//! JSON columns (feature `json`): `serde_json::Value` untyped, `Json<T>` typed.

use std::ops::{Deref, DerefMut};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::value::{Cells, Date, LocalTimestamp, Scalar, TimeOfDay, Timestamp, Type, Value};

/// A value stored as JSON.
///
/// ```
/// use orm_core::value::Json;
/// let tags = Json(vec!["a".to_string()]);
/// assert_eq!(tags.len(), 1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Json<T>(pub T);

impl<T> Deref for Json<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
impl<T> From<T> for Json<T> {
    fn from(v: T) -> Self {
        Json(v)
    }
}
impl<T: Serialize> Serialize for Json<T> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}
impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Json<T> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
        T::deserialize(d).map(Json)
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Scalar for Json<T> {
    const TYPE: Type = Type::Json;
    fn into_value(self) -> Value {
        write(&self.0)
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        Ok(read(cells, i)?.map(Json))
    }
}
impl Scalar for serde_json::Value {
    const TYPE: Type = Type::Json;
    fn into_value(self) -> Value {
        write(&self)
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        read(cells, i)
    }
}

fn write(v: &impl Serialize) -> Value {
    serde_json::to_string(v).map_or(Value::Refused("the value cannot be written as JSON"), Value::Json)
}

fn read<T: DeserializeOwned>(cells: &dyn Cells, i: usize) -> Result<Option<T>> {
    let Some(text) = cells.json(i)? else {
        return Ok(None);
    };
    serde_json::from_str(text).map(Some).map_err(|e| {
        // serde's own text may quote the data; its position does not
        Error::decode(format!(
            "the stored JSON does not fit the Rust type, line {} column {}",
            e.line(),
            e.column()
        ))
    })
}

/// Times are text in JSON, in the form that `Display` writes and `parse` reads.
macro_rules! times {
    ($($Ty:ident $form:literal;)+) => {$(
        impl Serialize for $Ty {
            fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $Ty {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                $Ty::parse(&text).ok_or_else(|| serde::de::Error::custom(concat!("expected ", $form)))
            }
        }
    )+};
}
times! {
    Timestamp "an instant such as 2026-01-02T03:04:05Z";
    LocalTimestamp "a date and time such as 2026-01-02T03:04:05";
    Date "a date such as 2026-01-02";
    TimeOfDay "a time of day such as 03:04:05";
}

#[cfg(test)]
mod tests {
    use crate::value::{Date, LocalTimestamp, TimeOfDay, Timestamp};

    fn there_and_back<T: serde::Serialize + serde::de::DeserializeOwned>(value: T, text: &str) -> T {
        let json = serde_json::to_string(&value).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn times_are_text() {
        let instant = Timestamp::parse("2026-01-02T03:04:05.6Z").unwrap();
        assert_eq!(there_and_back(instant, "2026-01-02T03:04:05.600000Z"), instant);
        let local = LocalTimestamp::parse("2026-01-02T03:04:05").unwrap();
        assert_eq!(there_and_back(local, "2026-01-02T03:04:05.000000"), local);
        let date = Date::from_ymd(2026, 1, 2).unwrap();
        assert_eq!(there_and_back(date, "2026-01-02"), date);
        let time = TimeOfDay::parse("03:04:05").unwrap();
        assert_eq!(there_and_back(time, "03:04:05.000000"), time);
        let e = serde_json::from_str::<Timestamp>("\"s3cr3t\"").unwrap_err();
        assert!(!e.to_string().contains("s3cr3t"));
    }
}
