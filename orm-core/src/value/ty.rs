//! The closed list of logical column types. A new one stops every backend from compiling until it is mapped.

/// A logical column type. Each backend maps it to its own storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// True or false.
    Bool,
    /// 16-bit integer.
    I16,
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// Single precision float.
    F32,
    /// Double precision float.
    F64,
    /// Text without limit.
    Text,
    /// Bytes.
    Bytes,
    /// UUID.
    Uuid,
    /// An instant with microseconds, in UTC.
    Timestamp,
    /// Date and time without zone, with microseconds.
    LocalTimestamp,
    /// Calendar date.
    Date,
    /// Time of day with microseconds.
    Time,
    /// JSON.
    Json,
    /// Exact number: precision and scale, `(0, _)` when unbounded.
    Decimal(u8, u8),
    /// A closed set of labels.
    Enum(&'static EnumType),
    /// Months, days and microseconds.
    Interval,
    /// Range of values.
    Range(RangeOf),
    /// A type that crosses as text.
    Other(&'static OtherType),
    /// One-dimensional array.
    Array(Element),
}

/// What ranges are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RangeOf {
    /// 32-bit integers.
    I32,
    /// 64-bit integers.
    I64,
    /// Exact numbers.
    Decimal,
    /// Calendar dates.
    Date,
    /// Instants.
    Timestamp,
    /// Dates and times without zone.
    LocalTimestamp,
}

/// A type of a database that values reach as text: one text for one value.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct OtherType {
    /// The schema it lives in, where it is not found without.
    pub schema: Option<&'static str>,
    /// The name of the type.
    pub name: &'static str,
    /// What the text is on the wire of a database with the type.
    pub wire: Wire,
    /// Whether its text is stored where a database has not the type; else it is refused there.
    pub portable: bool,
    /// The fields of a composite type, empty for all others. The database gets the type with the first table that has it.
    pub fields: &'static [(&'static str, Type)],
}

/// The binary form of a type that crosses as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wire {
    /// The text itself.
    Text,
    /// The text behind the number of a version, 1.
    Versioned,
    /// An address on the internet with a prefix: `10.0.0.1/8`.
    Network,
    /// The address of a network card: `08:00:2b:01:02:03`.
    MacAddr,
    /// One of eight bytes: `08:00:2b:01:02:03:04:05`.
    MacAddr8,
    /// Bits: `0101`.
    Bits,
    /// Texts by texts: `"a"=>"1", "b"=>NULL`.
    Hstore,
    /// Numbers of single precision: `[1.0,0.5]`.
    Vector,
    /// None that is used: statements cast the value from and to text. Any type of the database can cross this way;
    /// hand-written SQL has to write the cast itself.
    Cast,
}

impl OtherType {
    /// A type whose text is stored where the database has it not.
    pub const fn portable(name: &'static str, wire: Wire) -> Self {
        let (schema, portable) = (None, true);
        OtherType {
            schema,
            name,
            wire,
            portable,
            fields: &[],
        }
    }
    /// A type that is refused where the database has it not.
    pub const fn native(name: &'static str, wire: Wire) -> Self {
        let (schema, portable) = (None, false);
        OtherType {
            schema,
            name,
            wire,
            portable,
            fields: &[],
        }
    }
}

impl RangeOf {
    /// The type of the bounds.
    pub const fn ty(self) -> Type {
        match self {
            RangeOf::I32 => Type::I32,
            RangeOf::I64 => Type::I64,
            RangeOf::Decimal => Type::Decimal(0, 0),
            RangeOf::Date => Type::Date,
            RangeOf::Timestamp => Type::Timestamp,
            RangeOf::LocalTimestamp => Type::LocalTimestamp,
        }
    }
    /// Whether every value has a next one, so that there is one way to write a range.
    pub const fn is_discrete(self) -> bool {
        matches!(self, RangeOf::I32 | RangeOf::I64 | RangeOf::Date)
    }
}

/// What an array may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// True or false.
    Bool,
    /// 16-bit integer.
    I16,
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// Single precision float.
    F32,
    /// Double precision float.
    F64,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// UUID.
    Uuid,
    /// An instant.
    Timestamp,
    /// Date and time without zone.
    LocalTimestamp,
    /// Calendar date.
    Date,
    /// Time of day.
    Time,
    /// JSON.
    Json,
    /// Exact number.
    Decimal(u8, u8),
    /// A closed set of labels.
    Enum(&'static EnumType),
    /// Months, days and microseconds.
    Interval,
    /// A range.
    Range(RangeOf),
    /// A type that crosses as text.
    Other(&'static OtherType),
}

/// An enum type of the database: its name and its labels in order.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct EnumType {
    /// The schema it lives in, where the backend has schemas.
    pub schema: Option<&'static str>,
    /// The name of the type.
    pub name: &'static str,
    /// The labels in their order.
    pub labels: &'static [&'static str],
}

impl Type {
    /// This type as the element of an array, if it may be one.
    pub const fn element(self) -> Option<Element> {
        Some(match self {
            Type::Bool => Element::Bool,
            Type::I16 => Element::I16,
            Type::I32 => Element::I32,
            Type::I64 => Element::I64,
            Type::F32 => Element::F32,
            Type::F64 => Element::F64,
            Type::Text => Element::Text,
            Type::Bytes => Element::Bytes,
            Type::Uuid => Element::Uuid,
            Type::Timestamp => Element::Timestamp,
            Type::LocalTimestamp => Element::LocalTimestamp,
            Type::Date => Element::Date,
            Type::Time => Element::Time,
            Type::Json => Element::Json,
            Type::Decimal(p, s) => Element::Decimal(p, s),
            Type::Enum(e) => Element::Enum(e),
            Type::Interval => Element::Interval,
            Type::Range(of) => Element::Range(of),
            Type::Other(other) => Element::Other(other),
            Type::Array(_) => return None,
        })
    }
    /// Whether statements cast values of this type from and to text.
    pub(crate) const fn is_cast(self) -> bool {
        matches!(
            self,
            Type::Other(OtherType { wire: Wire::Cast, .. })
                | Type::Array(Element::Other(OtherType { wire: Wire::Cast, .. }))
        )
    }
    /// Whether values of this type are integers.
    pub const fn is_integer(self) -> bool {
        matches!(self, Type::I16 | Type::I32 | Type::I64)
    }
}

impl Element {
    /// The element as a type of its own.
    pub const fn ty(self) -> Type {
        match self {
            Element::Bool => Type::Bool,
            Element::I16 => Type::I16,
            Element::I32 => Type::I32,
            Element::I64 => Type::I64,
            Element::F32 => Type::F32,
            Element::F64 => Type::F64,
            Element::Text => Type::Text,
            Element::Bytes => Type::Bytes,
            Element::Uuid => Type::Uuid,
            Element::Timestamp => Type::Timestamp,
            Element::LocalTimestamp => Type::LocalTimestamp,
            Element::Date => Type::Date,
            Element::Time => Type::Time,
            Element::Json => Type::Json,
            Element::Decimal(p, s) => Type::Decimal(p, s),
            Element::Enum(e) => Type::Enum(e),
            Element::Interval => Type::Interval,
            Element::Range(of) => Type::Range(of),
            Element::Other(other) => Type::Other(other),
        }
    }
}
