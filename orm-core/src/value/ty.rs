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
    /// One-dimensional array.
    Array(Element),
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
            Type::Array(_) => return None,
        })
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
        }
    }
}
