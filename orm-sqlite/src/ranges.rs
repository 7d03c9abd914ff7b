//! What PostgreSQL answers about ranges, for ranges that are stored as text.

use std::cmp::Ordering;
use std::ops::Bound;

use orm_core::value::{Date, DecimalParts, RangeOf, RangeValue, Value, parse_range, range_text};

/// A range that is not empty, and of whole numbers and dates without its upper bound.
pub(crate) struct Range {
    lower: Bound<Value>,
    upper: Bound<Value>,
}

/// What stands for the type of the bounds in a call.
pub(crate) fn of(name: &str) -> Option<RangeOf> {
    Some(match name {
        "int4" => RangeOf::I32,
        "int8" => RangeOf::I64,
        "num" => RangeOf::Decimal,
        "date" => RangeOf::Date,
        "tstz" => RangeOf::Timestamp,
        "ts" => RangeOf::LocalTimestamp,
        _ => return None,
    })
}

/// Reads a range; `Some(None)` is the empty one.
#[allow(clippy::option_option)]
pub(crate) fn read(text: &str, of: RangeOf) -> Option<Option<Range>> {
    let RangeValue::Between(bounds) = parse_range(text, of)? else {
        return Some(None);
    };
    let (mut lower, mut upper) = *bounds;
    if of.is_discrete() {
        if let Bound::Excluded(v) = &lower {
            lower = Bound::Included(next(v)?);
        }
        if let Bound::Included(v) = &upper {
            upper = Bound::Excluded(next(v)?);
        }
    }
    Some(made(lower, upper))
}

/// `None` where nothing lies between.
fn made(lower: Bound<Value>, upper: Bound<Value>) -> Option<Range> {
    if let (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) =
        (&lower, &upper)
    {
        let closed = matches!((&lower, &upper), (Bound::Included(_), Bound::Included(_)));
        match compare(a, b) {
            Ordering::Less => {}
            Ordering::Equal if closed => {}
            Ordering::Equal | Ordering::Greater => return None,
        }
    }
    Some(Range { lower, upper })
}

/// The text that is stored; `None` for a year beyond what is.
pub(crate) fn write(range: Option<Range>) -> Option<String> {
    let value = match range {
        None => RangeValue::Empty,
        Some(Range { lower, upper }) => RangeValue::Between(Box::new((lower, upper))),
    };
    range_text(&value).ok()
}

impl Range {
    pub(crate) fn contains(&self, part: &Range) -> bool {
        lowers(&self.lower, &part.lower).is_le() && uppers(&self.upper, &part.upper).is_ge()
    }
    pub(crate) fn overlaps(&self, other: &Range) -> bool {
        !self.before(other) && !other.before(self)
    }
    pub(crate) fn before(&self, other: &Range) -> bool {
        match (&self.upper, &other.lower) {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(a), Bound::Included(b)) => compare(a, b).is_lt(),
            (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) => {
                compare(a, b).is_le()
            }
        }
    }
    pub(crate) fn adjacent(&self, other: &Range) -> bool {
        let meet = |end: &Bound<Value>, start: &Bound<Value>| match (end, start) {
            (Bound::Included(a), Bound::Excluded(b)) | (Bound::Excluded(a), Bound::Included(b)) => {
                compare(a, b).is_eq()
            }
            _ => false,
        };
        meet(&self.upper, &other.lower) || meet(&other.upper, &self.lower)
    }
    pub(crate) fn intersect(self, other: Range) -> Option<Range> {
        if !self.overlaps(&other) {
            return None;
        }
        let from_self = lowers(&self.lower, &other.lower).is_ge();
        let to_self = uppers(&self.upper, &other.upper).is_le();
        made(
            if from_self { self.lower } else { other.lower },
            if to_self { self.upper } else { other.upper },
        )
    }
    pub(crate) fn merge(self, other: Range) -> Range {
        let from_self = lowers(&self.lower, &other.lower).is_le();
        let to_self = uppers(&self.upper, &other.upper).is_ge();
        Range {
            lower: if from_self { self.lower } else { other.lower },
            upper: if to_self { self.upper } else { other.upper },
        }
    }
    pub(crate) fn lower(self) -> Option<Value> {
        inner(self.lower)
    }
    pub(crate) fn upper(self) -> Option<Value> {
        inner(self.upper)
    }
}

fn inner(bound: Bound<Value>) -> Option<Value> {
    match bound {
        Bound::Included(v) | Bound::Excluded(v) => Some(v),
        Bound::Unbounded => None,
    }
}

fn next(v: &Value) -> Option<Value> {
    Some(match v {
        Value::I32(v) => Value::I32(v.checked_add(1)?),
        Value::I64(v) => Value::I64(v.checked_add(1)?),
        Value::Date(v) => Value::Date(Date::from_days(v.days().checked_add(1)?)),
        _ => return None,
    })
}

fn lowers(a: &Bound<Value>, b: &Bound<Value>) -> Ordering {
    match (a, b) {
        (Bound::Unbounded, Bound::Unbounded) => Ordering::Equal,
        (Bound::Unbounded, _) => Ordering::Less,
        (_, Bound::Unbounded) => Ordering::Greater,
        (Bound::Included(a), Bound::Excluded(b)) => compare(a, b).then(Ordering::Less),
        (Bound::Excluded(a), Bound::Included(b)) => compare(a, b).then(Ordering::Greater),
        (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) => compare(a, b),
    }
}

fn uppers(a: &Bound<Value>, b: &Bound<Value>) -> Ordering {
    match (a, b) {
        (Bound::Unbounded, Bound::Unbounded) => Ordering::Equal,
        (Bound::Unbounded, _) => Ordering::Greater,
        (_, Bound::Unbounded) => Ordering::Less,
        (Bound::Included(a), Bound::Excluded(b)) => compare(a, b).then(Ordering::Greater),
        (Bound::Excluded(a), Bound::Included(b)) => compare(a, b).then(Ordering::Less),
        (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) => compare(a, b),
    }
}

/// Two bounds of one range's type.
fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::I32(a), Value::I32(b)) => a.cmp(b),
        (Value::I64(a), Value::I64(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
        (Value::LocalTimestamp(a), Value::LocalTimestamp(b)) => a.cmp(b),
        (Value::Decimal(a), Value::Decimal(b)) => decimals(*a, *b),
        // both were read as the same type
        _ => Ordering::Equal,
    }
}

fn decimals(a: DecimalParts, b: DecimalParts) -> Ordering {
    let negative = |d: DecimalParts| d.mantissa < 0;
    match (negative(a), negative(b)) {
        (true, false) => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        _ => {}
    }
    // digits before the point without zeros in front, those behind it without zeros at the end
    let parts = |d: DecimalParts| {
        let scale = d.scale as usize;
        let digits = format!("{:0>width$}", d.mantissa.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let whole = whole.trim_start_matches('0').to_owned();
        (whole.len(), whole, fraction.trim_end_matches('0').to_owned())
    };
    let order = parts(a).cmp(&parts(b));
    if negative(a) { order.reverse() } else { order }
}

#[cfg(test)]
mod tests {
    use orm_core::value::RangeOf;

    use crate::ranges::{Range, read, write};

    fn range(text: &str) -> Range {
        read(text, RangeOf::Decimal)
            .flatten()
            .unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn ranges_of_exact_numbers() {
        let (a, b) = (|| range("[1,5)"), |text| range(text));
        assert!(a().contains(&b("[1,4.99]")) && !a().contains(&b("[1,5]")) && b("(,)").contains(&a()));
        assert!(!b("(1,5)").contains(&a()) && b("[-10,10.5]").contains(&b("(-9.5,2)")));
        assert!(
            a().overlaps(&b("[4.9,7]")) && !a().overlaps(&b("[5,7]")) && b("[1,5]").overlaps(&b("[5,7]"))
        );
        assert!(a().adjacent(&b("[5,7]")) && b("(5,7)").adjacent(&b("[1,5]")) && !a().adjacent(&b("(5,7]")));
        assert!(a().before(&b("[5,)")) && !b("[1,5]").before(&b("[5,)")) && b("[1,5]").before(&b("(5,)")));
        assert_eq!(write(a().intersect(b("(2,9)"))).unwrap(), "(2,5)");
        assert_eq!(write(a().intersect(b("[5,9)"))).unwrap(), "empty");
        assert_eq!(write(b("[1,5]").intersect(b("[5,9)"))).unwrap(), "[5,5]");
        assert_eq!(write(Some(a().merge(b("[7,9]")))).unwrap(), "[1,9]");
        assert_eq!(write(Some(a().merge(b("(,2]")))).unwrap(), "(,5)");
    }

    #[test]
    fn whole_numbers_are_counted() {
        let one = |text| read(text, RangeOf::I32).flatten();
        assert_eq!(write(one("(1,4]")).unwrap(), "[2,5)");
        assert!(one("(1,2)").is_none() && one("empty").is_none());
        assert!(read("[1,2147483647]", RangeOf::I32).is_none() && read("1,2", RangeOf::I32).is_none());
    }
}
