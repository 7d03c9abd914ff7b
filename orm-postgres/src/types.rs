//! Which PostgreSQL type stands for which logical type, by OID. The built-in OIDs never change between versions.

use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use orm_core::value::{Element, OtherType, RangeOf, Type, Value, Wire};
use sqlx::TypeInfo;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgTypeInfo, PgTypeKind};

/// Microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL begins to count.
pub(crate) const EPOCH_MICROS: i64 = 946_684_800_000_000;
/// Days from 1970-01-01 to 2000-01-01.
pub(crate) const EPOCH_DAYS: i32 = 10_957;

/// The type a parameter is declared with.
pub(crate) fn declared(ty: Type) -> PgTypeInfo {
    match (oid(ty), ty) {
        (Some(oid), _) => PgTypeInfo::with_oid(Oid(oid)),
        (None, Type::Array(Element::Enum(e))) => PgTypeInfo::with_name(name(e.schema, e.name, true)),
        (None, Type::Array(Element::Other(o))) => PgTypeInfo::with_name(name(o.schema, o.name, true)),
        (None, Type::Enum(e)) => PgTypeInfo::with_name(name(e.schema, e.name, false)),
        (None, Type::Other(o)) => PgTypeInfo::with_name(name(o.schema, o.name, false)),
        (None, _) => PgTypeInfo::with_oid(Oid(25)),
    }
}

/// The OID of a built-in type; `None` for enums, types of extensions and arrays of both, whose OIDs each database chooses.
pub(crate) fn oid(ty: Type) -> Option<u32> {
    Some(match ty {
        Type::Bool => 16,
        Type::I16 => 21,
        Type::I32 => 23,
        Type::I64 => 20,
        Type::F32 => 700,
        Type::F64 => 701,
        Type::Text => 25,
        Type::Bytes => 17,
        Type::Uuid => 2950,
        Type::Timestamp => 1184,
        Type::LocalTimestamp => 1114,
        Type::Date => 1082,
        Type::Time => 1083,
        Type::Json => 3802,
        Type::Decimal(..) => 1700,
        Type::Interval => 1186,
        Type::Range(of) => range(of).0,
        Type::Other(OtherType { wire: Wire::Cast, .. }) => 25,
        Type::Other(other) => built_in(other)?.0,
        Type::Enum(_) => return None,
        Type::Array(element) => match element {
            Element::Bool => 1000,
            Element::I16 => 1005,
            Element::I32 => 1007,
            Element::I64 => 1016,
            Element::F32 => 1021,
            Element::F64 => 1022,
            Element::Text => 1009,
            Element::Bytes => 1001,
            Element::Uuid => 2951,
            Element::Timestamp => 1185,
            Element::LocalTimestamp => 1115,
            Element::Date => 1182,
            Element::Time => 1183,
            Element::Json => 3807,
            Element::Decimal(..) => 1231,
            Element::Interval => 1187,
            Element::Range(of) => range(of).1,
            Element::Other(OtherType { wire: Wire::Cast, .. }) => 1009,
            Element::Other(other) => built_in(other)?.1,
            Element::Enum(_) => return None,
        },
    })
}

/// The range and its array.
const fn range(of: RangeOf) -> (u32, u32) {
    match of {
        RangeOf::I32 => (3904, 3905),
        RangeOf::Decimal => (3906, 3907),
        RangeOf::LocalTimestamp => (3908, 3909),
        RangeOf::Timestamp => (3910, 3911),
        RangeOf::Date => (3912, 3913),
        RangeOf::I64 => (3926, 3927),
    }
}

const RANGES: [RangeOf; 6] = [
    RangeOf::I32,
    RangeOf::I64,
    RangeOf::Decimal,
    RangeOf::Date,
    RangeOf::Timestamp,
    RangeOf::LocalTimestamp,
];

/// A type that crosses as text and its array, where every database has them under one number.
fn built_in(other: &OtherType) -> Option<(u32, u32)> {
    Some(match (other.schema, other.name) {
        (None, "inet") => (869, 1041),
        (None, "cidr") => (650, 651),
        (None, "macaddr") => (829, 1040),
        (None, "macaddr8") => (774, 775),
        (None, "bit") => (1560, 1561),
        (None, "varbit") => (1562, 1563),
        (None, "xml") => (142, 143),
        _ => return None,
    })
}

type NameKey = (Option<&'static str>, &'static str, bool);

/// The quoted name of a type or of its array. sqlx wants it `'static`: one small leak per type, not per use.
fn name(schema: Option<&'static str>, name: &'static str, array: bool) -> &'static str {
    static NAMES: LazyLock<RwLock<HashMap<NameKey, &'static str>>> = LazyLock::new(RwLock::default);
    let key = (schema, name, array);
    if let Some(name) = NAMES.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return name;
    }
    let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let mut name = schema.map(|s| quote(s) + ".").unwrap_or_default() + &quote(name);
    if array {
        name.push_str("[]");
    }
    let mut names = NAMES.write().unwrap_or_else(PoisonError::into_inner);
    names
        .entry(key)
        .or_insert_with(|| Box::leak(name.into_boxed_str()))
}

/// A fingerprint of the parameters' types. sqlx finds a prepared statement by its text alone, and the same text with
/// other types must not run on it: an `i64` would be read as the bits of an `f64`.
pub(crate) fn signature(params: &[Value]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for value in params {
        let code = match (oid(value.ty()), value.ty()) {
            (Some(oid), _) => oid as u64,
            (None, Type::Enum(e)) => 1 << 32 | text_hash(e.name),
            (None, Type::Array(Element::Enum(e))) => 1 << 33 | text_hash(e.name),
            (None, Type::Other(o)) => 1 << 34 | text_hash(o.name),
            (None, Type::Array(Element::Other(o))) => 1 << 35 | text_hash(o.name),
            (None, _) => 0,
        };
        hash = (hash ^ code).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash
}

fn text_hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4, |h, b| {
        (h ^ b as u64).wrapping_mul(0x0100_0193) & 0xffff_ffff
    })
}

/// How the bytes of a result cell are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Text,
    Bytes,
    Uuid,
    Timestamptz,
    Timestamp,
    Date,
    Time,
    Json,
    Jsonb,
    Numeric,
    Interval,
    Range(RangeOf),
    Inet,
    MacAddr,
    MacAddr8,
    Bits,
    Hstore,
    Ltree,
    Vector,
    Other,
}

/// The kind of a result column, or of the elements of an array column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    One(Kind),
    Many(Kind),
}

impl Shape {
    pub(crate) fn of(info: &PgTypeInfo) -> Self {
        match info.kind() {
            PgTypeKind::Array(element) => Shape::Many(Kind::of(element)),
            _ => Shape::One(Kind::of(info)),
        }
    }

    /// Whether a column that is expected to hold `ty` can be read from this one. Integers of any width and floats of
    /// any width are interchangeable; the range is checked cell by cell.
    pub(crate) fn holds(self, ty: Type) -> bool {
        match (self, ty) {
            (Shape::Many(kind), Type::Array(element)) => kind.holds(element.ty()),
            (Shape::One(kind), ty) => kind.holds(ty),
            (Shape::Many(_), _) => false,
        }
    }
}

impl Kind {
    pub(crate) fn of(info: &PgTypeInfo) -> Self {
        match info.kind() {
            PgTypeKind::Enum(_) => return Kind::Text,
            PgTypeKind::Domain(base) => return Kind::of(base),
            _ => {}
        }
        match info.oid().map(|o| o.0) {
            Some(16) => Kind::Bool,
            Some(21) => Kind::Int2,
            Some(23) => Kind::Int4,
            Some(20) => Kind::Int8,
            Some(26) => Kind::Oid,
            Some(700) => Kind::Float4,
            Some(701) => Kind::Float8,
            // text, varchar, bpchar, name, "char", unknown
            Some(25 | 1043 | 1042 | 19 | 18 | 705) => Kind::Text,
            Some(17) => Kind::Bytes,
            Some(2950) => Kind::Uuid,
            Some(1184) => Kind::Timestamptz,
            Some(1114) => Kind::Timestamp,
            Some(1082) => Kind::Date,
            Some(1083) => Kind::Time,
            Some(114) => Kind::Json,
            Some(3802) => Kind::Jsonb,
            Some(1700) => Kind::Numeric,
            Some(1186) => Kind::Interval,
            Some(869 | 650) => Kind::Inet,
            Some(829) => Kind::MacAddr,
            Some(774) => Kind::MacAddr8,
            Some(1560 | 1562) => Kind::Bits,
            // xml
            Some(142) => Kind::Text,
            oid => match info.name().rsplit('.').next() {
                Some("citext") => Kind::Text,
                Some("hstore") => Kind::Hstore,
                Some("ltree") => Kind::Ltree,
                Some("vector") => Kind::Vector,
                _ => oid.and_then(ranges).unwrap_or(Kind::Other),
            },
        }
    }

    pub(crate) fn holds(self, ty: Type) -> bool {
        match ty {
            Type::Bool => self == Kind::Bool,
            Type::I16 | Type::I32 | Type::I64 => {
                matches!(self, Kind::Int2 | Kind::Int4 | Kind::Int8 | Kind::Oid)
            }
            Type::F32 | Type::F64 => matches!(self, Kind::Float4 | Kind::Float8),
            Type::Text | Type::Enum(_) => self == Kind::Text,
            Type::Bytes => matches!(self, Kind::Bytes | Kind::Other),
            Type::Uuid => self == Kind::Uuid,
            Type::Timestamp => self == Kind::Timestamptz,
            Type::LocalTimestamp => self == Kind::Timestamp,
            Type::Date => self == Kind::Date,
            Type::Time => self == Kind::Time,
            Type::Json => matches!(self, Kind::Json | Kind::Jsonb),
            Type::Decimal(..) => {
                matches!(self, Kind::Numeric | Kind::Int2 | Kind::Int4 | Kind::Int8)
            }
            Type::Interval => self == Kind::Interval,
            Type::Range(of) => self == Kind::Range(of),
            Type::Other(other) => match other.wire {
                Wire::Text | Wire::Cast => self == Kind::Text,
                Wire::Versioned => self == Kind::Ltree,
                Wire::Network => self == Kind::Inet,
                Wire::MacAddr => self == Kind::MacAddr,
                Wire::MacAddr8 => self == Kind::MacAddr8,
                Wire::Bits => self == Kind::Bits,
                Wire::Hstore => self == Kind::Hstore,
                Wire::Vector => self == Kind::Vector,
            },
            Type::Array(_) => false,
        }
    }
}

/// The range with this OID.
fn ranges(oid: u32) -> Option<Kind> {
    let of = RANGES.iter().find(|of| range(**of).0 == oid);
    of.map(|of| Kind::Range(*of))
}
