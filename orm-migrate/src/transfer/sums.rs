//! Checksums over rows, in whatever order they come. Pure.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::transfer::convert::{Cell, Datum};
use crate::transfer::report::Checksum;

/// The sums of a table: one over its rows, and one over each column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sums {
    pub(super) rows: Checksum,
    pub(super) columns: Vec<Checksum>,
}

impl Sums {
    pub(super) fn of(columns: usize) -> Self {
        Sums {
            rows: Checksum(0),
            columns: vec![Checksum(0); columns],
        }
    }
    /// Takes a row in. `compared` says which of its values both sides print alike.
    pub(super) fn add(&mut self, row: &[Datum], compared: &[bool]) {
        self.count(row, compared, u128::wrapping_add);
    }
    /// Takes a row out again.
    pub(super) fn remove(&mut self, row: &[Datum], compared: &[bool]) {
        self.count(row, compared, u128::wrapping_sub);
    }
    fn count(&mut self, row: &[Datum], compared: &[bool], count: fn(u128, u128) -> u128) {
        let mut whole = Sha256::new();
        let mut bytes = Vec::new();
        for ((datum, sum), compared) in row.iter().zip(&mut self.columns).zip(compared) {
            if !compared {
                continue;
            }
            bytes.clear();
            canonical(datum, &mut bytes);
            let digest = first(&Sha256::digest(&bytes));
            whole.update(digest.to_be_bytes());
            sum.0 = count(sum.0, digest);
        }
        self.rows.0 = count(self.rows.0, first(&whole.finalize()));
    }
}

fn first(digest: &[u8]) -> u128 {
    digest
        .iter()
        .take(16)
        .fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

/// The one form of a value, behind a letter for its type: equal values have equal bytes, others never.
fn canonical(datum: &Datum, out: &mut Vec<u8>) {
    let mut put = |letter: u8, bytes: &[u8]| {
        out.push(letter);
        out.extend_from_slice(bytes);
    };
    match datum {
        Datum::Null => put(b'0', b""),
        Datum::Bool(v) => put(b'?', &[u8::from(*v)]),
        Datum::Int(v) => put(b'i', &v.to_be_bytes()),
        // zero has one sign
        Datum::Float(v) => put(b'f', &(v + 0.0).to_bits().to_be_bytes()),
        Datum::Decimal(digits) => put(b'n', digits.as_bytes()),
        Datum::Text(text) => put(b't', text.as_bytes()),
        Datum::Bytes(bytes) => put(b'b', bytes),
        Datum::Date(date) => put(b'd', &date.days().to_be_bytes()),
        Datum::Time(time) => put(b'c', &time.micros().to_be_bytes()),
        Datum::Local(at) => put(b'l', &at.micros().to_be_bytes()),
        Datum::Instant(at) => put(b'@', &at.micros().to_be_bytes()),
        Datum::Uuid(bytes) => put(b'u', bytes),
        Datum::Json(text) => {
            out.push(b'j');
            match serde_json::from_str(text) {
                Ok(value) => json(&value, out),
                Err(_) => out.extend_from_slice(text.as_bytes()),
            }
        }
        Datum::Stored(cell) => match cell {
            Cell::Null => put(b'0', b""),
            Cell::Int(v) => put(b'i', &v.to_be_bytes()),
            Cell::Real(v) => put(b'f', &(v + 0.0).to_bits().to_be_bytes()),
            Cell::Text(text) => put(b't', text.as_bytes()),
            Cell::Mangled(bytes) => put(b't', bytes),
            Cell::Blob(bytes) => put(b'b', bytes),
        },
    }
}

/// JSON with its keys in order. Numbers are compared as integers of 64 bits, or else as floats.
fn json(value: &serde_json::Value, out: &mut Vec<u8>) {
    use serde_json::Value;
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => {
            out.extend_from_slice(value.to_string().as_bytes())
        }
        Value::Number(n) => {
            let whole = n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from));
            let float = n.as_f64().unwrap_or_default();
            let text = match whole {
                Some(n) => n.to_string(),
                // 1.0 and 1e2 are integers to a database
                None if float.fract() == 0.0 && float.abs() < 9e15 => (float as i64).to_string(),
                None => format!("{float:?}"),
            };
            out.extend_from_slice(text.as_bytes());
        }
        Value::Array(items) => {
            out.push(b'[');
            for item in items {
                json(item, out);
                out.push(b',');
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by(|a, b| a.0.cmp(b.0));
            out.push(b'{');
            for (key, field) in fields {
                out.extend_from_slice(Value::String(key.clone()).to_string().as_bytes());
                out.push(b':');
                json(field, out);
                out.push(b',');
            }
            out.push(b'}');
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::transfer::convert::Datum;
    use crate::transfer::sums::Sums;

    fn sum(rows: &[[Datum; 2]]) -> Sums {
        let mut sums = Sums::of(2);
        rows.iter().for_each(|row| sums.add(row, &[true, true]));
        sums
    }

    #[test]
    fn the_order_of_rows_says_nothing_but_all_else_does() {
        let int = Datum::Int;
        let one = sum(&[[int(1), int(2)], [int(3), int(4)]]);
        assert_eq!(one, sum(&[[int(3), int(4)], [int(1), int(2)]]));
        let crossed = sum(&[[int(1), int(4)], [int(3), int(2)]]);
        assert_eq!(one.columns, crossed.columns);
        assert_ne!(one.rows, crossed.rows, "values of two rows were exchanged");
        assert_ne!(one, sum(&[[int(1), int(2)], [int(3), int(5)]]));
        assert_ne!(
            sum(&[[Datum::Null, int(2)]]),
            sum(&[[Datum::Text(String::new()), int(2)]])
        );
        let mut three = sum(&[[int(1), int(2)], [int(9), int(9)], [int(3), int(4)]]);
        three.remove(&[int(9), int(9)], &[true, true]);
        assert_eq!(one, three);
    }

    #[test]
    fn json_is_compared_by_what_it_says() {
        let of = |text: &str| sum(&[[Datum::Json(text.into()), Datum::Null]]);
        assert_eq!(of(r#"{"a":1.0,"b":[1e2,-0]}"#), of(r#"{"b": [100, 0], "a": 1}"#));
        assert_ne!(of(r#"["1"]"#), of("[1]"));
        assert_ne!(of("[[1],2]"), of("[[1,2]]"));
    }
}
