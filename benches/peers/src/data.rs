//! The rows every peer works on: the same people, computed from their number, so that no peer's table differs.

use chrono::{DateTime, Duration, Utc};

/// How many people a table holds before anything is measured; their keys are `1..=SEEDED`.
pub(crate) const SEEDED: i64 = 10_000;

/// One row as a library without a model of its own reads it.
#[derive(Clone, Debug, PartialEq, diesel::Queryable, sqlx::FromRow)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) age: i32,
    pub(crate) score: f64,
    pub(crate) active: bool,
    pub(crate) bio: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
}

/// One row to be written. Peers get it by value, so that none has to clone what its interface wants to own.
#[derive(Clone, Debug)]
pub(crate) struct NewPerson {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) age: i32,
    pub(crate) score: f64,
    pub(crate) active: bool,
    pub(crate) bio: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
}

impl NewPerson {
    /// The person with this number; microseconds in the timestamp, no biography for every third.
    pub(crate) fn numbered(number: i64) -> NewPerson {
        NewPerson {
            name: format!("Person number {number}"),
            email: format!("person.{number}@mail.example"),
            age: 18 + (number % 70) as i32,
            score: number as f64 * 0.37,
            active: number % 2 == 0,
            bio: (number % 3 != 0).then(|| format!("Lives in house {number} at the end of the street.")),
            created_at: DateTime::UNIX_EPOCH
                + Duration::seconds(1_700_000_000 + number * 37)
                + Duration::microseconds(number * 7_919 % 1_000_000),
        }
    }

    /// The people with the numbers `first..first + count`.
    pub(crate) fn several(first: i64, count: i64) -> Vec<NewPerson> {
        (first..first + count).map(NewPerson::numbered).collect()
    }

    /// The row the database should hold once it has given this person a key.
    pub(crate) fn keyed(self, id: i64) -> Person {
        let NewPerson {
            name,
            email,
            age,
            score,
            active,
            bio,
            created_at,
        } = self;
        Person {
            id,
            name,
            email,
            age,
            score,
            active,
            bio,
            created_at,
        }
    }
}

/// `count` keys of seeded people in an order that looks random and is the same for the same `salt`.
pub(crate) fn keys(count: usize, salt: u64) -> Vec<i64> {
    let mut state = salt.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        1 + (state % SEEDED as u64) as i64
    };
    (0..count).map(|_| next()).collect()
}
