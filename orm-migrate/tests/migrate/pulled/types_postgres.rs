use orm::prelude::*;

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Good,
    Bad,
}

#[derive(Model, Clone, Debug)]
pub struct Every {
    pub id: Id<Every>,
    pub a_bool: bool,
    pub maybe_bool: Option<bool>,
    pub bools: Vec<bool>,
    pub an_i8: i16,
    pub maybe_i8: Option<i16>,
    pub i8s: Vec<i16>,
    pub an_i16: i16,
    pub maybe_i16: Option<i16>,
    pub i16s: Vec<i16>,
    pub an_i32: i32,
    pub maybe_i32: Option<i32>,
    pub i32s: Vec<i32>,
    pub an_i64: i64,
    pub maybe_i64: Option<i64>,
    pub i64s: Vec<i64>,
    pub a_u16: i32,
    pub maybe_u16: Option<i32>,
    pub u16s: Vec<i32>,
    pub a_u32: i64,
    pub maybe_u32: Option<i64>,
    pub u32s: Vec<i64>,
    pub a_u64: i64,
    pub maybe_u64: Option<i64>,
    pub u64s: Vec<i64>,
    pub an_f32: f32,
    pub maybe_f32: Option<f32>,
    pub f32s: Vec<f32>,
    pub an_f64: f64,
    pub maybe_f64: Option<f64>,
    pub f64s: Vec<f64>,
    pub a_char: String,
    pub maybe_char: Option<String>,
    pub chars: Vec<String>,
    pub text: String,
    pub maybe_text: Option<String>,
    pub texts: Vec<String>,
    pub bytes: Vec<u8>,
    pub maybe_bytes: Option<Vec<u8>>,
    pub blobs: Vec<Vec<u8>>,
    pub uuid: uuid::Uuid,
    pub maybe_uuid: Option<uuid::Uuid>,
    pub uuids: Vec<uuid::Uuid>,
    pub key: i64,
    pub maybe_key: Option<i64>,
    pub keys: Vec<i64>,
    pub instant: Timestamp,
    pub maybe_instant: Option<Timestamp>,
    pub instants: Vec<Timestamp>,
    pub local: orm::LocalTimestamp,
    pub maybe_local: Option<orm::LocalTimestamp>,
    pub locals: Vec<orm::LocalTimestamp>,
    pub day: orm::Date,
    pub maybe_day: Option<orm::Date>,
    pub days: Vec<orm::Date>,
    pub time: orm::TimeOfDay,
    pub maybe_time: Option<orm::TimeOfDay>,
    pub times: Vec<orm::TimeOfDay>,
    pub utc: Timestamp,
    pub maybe_utc: Option<Timestamp>,
    pub utcs: Vec<Timestamp>,
    pub interval: orm::Interval,
    pub maybe_interval: Option<orm::Interval>,
    pub intervals: Vec<orm::Interval>,
    pub decimal: rust_decimal::Decimal,
    pub maybe_decimal: Option<rust_decimal::Decimal>,
    pub decimals: Vec<rust_decimal::Decimal>,
    pub json: serde_json::Value,
    pub maybe_json: Option<serde_json::Value>,
    pub jsons: Vec<serde_json::Value>,
    pub mood: Mood,
    pub maybe_mood: Option<Mood>,
    pub moods: Vec<Mood>,
    pub own: String,
    pub maybe_own: Option<String>,
    pub owns: Vec<String>,
    pub ints: orm::Range<i32>,
    pub maybe_ints: Option<orm::Range<i32>>,
    pub int_ranges: Vec<orm::Range<i32>>,
    pub longs: orm::Range<i64>,
    pub maybe_longs: Option<orm::Range<i64>>,
    pub long_ranges: Vec<orm::Range<i64>>,
    pub prices: orm::Range<rust_decimal::Decimal>,
    pub maybe_prices: Option<orm::Range<rust_decimal::Decimal>>,
    pub price_ranges: Vec<orm::Range<rust_decimal::Decimal>>,
    pub period: orm::Range<orm::Date>,
    pub maybe_period: Option<orm::Range<orm::Date>>,
    pub periods: Vec<orm::Range<orm::Date>>,
    pub span: orm::Range<Timestamp>,
    pub maybe_span: Option<orm::Range<Timestamp>>,
    pub spans: Vec<orm::Range<Timestamp>>,
    pub hours: orm::Range<orm::LocalTimestamp>,
    pub maybe_hours: Option<orm::Range<orm::LocalTimestamp>>,
    pub hour_ranges: Vec<orm::Range<orm::LocalTimestamp>>,
    pub host: orm::Inet,
    pub maybe_host: Option<orm::Inet>,
    pub hosts: Vec<orm::Inet>,
    pub inet: orm::Inet,
    pub maybe_inet: Option<orm::Inet>,
    pub inets: Vec<orm::Inet>,
    pub cidr: orm::Cidr,
    pub maybe_cidr: Option<orm::Cidr>,
    pub cidrs: Vec<orm::Cidr>,
    pub card: orm::MacAddr,
    pub maybe_card: Option<orm::MacAddr>,
    pub cards: Vec<orm::MacAddr>,
    pub bits: orm::Bits,
    pub maybe_bits: Option<orm::Bits>,
    pub bit_strings: Vec<orm::Bits>,
    pub card8: orm::MacAddr8,
    pub maybe_card8: Option<orm::MacAddr8>,
    pub card8s: Vec<orm::MacAddr8>,
    pub int_set: orm::Multirange<i32>,
    pub maybe_int_set: Option<orm::Multirange<i32>>,
    pub int_sets: Vec<orm::Multirange<i32>>,
    pub long_set: orm::Multirange<i64>,
    pub maybe_long_set: Option<orm::Multirange<i64>>,
    pub long_sets: Vec<orm::Multirange<i64>>,
    pub price_set: orm::Multirange<rust_decimal::Decimal>,
    pub maybe_price_set: Option<orm::Multirange<rust_decimal::Decimal>>,
    pub price_sets: Vec<orm::Multirange<rust_decimal::Decimal>>,
    pub day_set: orm::Multirange<orm::Date>,
    pub maybe_day_set: Option<orm::Multirange<orm::Date>>,
    pub day_sets: Vec<orm::Multirange<orm::Date>>,
    pub span_set: orm::Multirange<Timestamp>,
    pub maybe_span_set: Option<orm::Multirange<Timestamp>>,
    pub span_sets: Vec<orm::Multirange<Timestamp>>,
    pub hour_set: orm::Multirange<orm::LocalTimestamp>,
    pub maybe_hour_set: Option<orm::Multirange<orm::LocalTimestamp>>,
    pub hour_sets: Vec<orm::Multirange<orm::LocalTimestamp>>,
    pub words: orm::TsVector,
    pub maybe_words: Option<orm::TsVector>,
    pub word_lists: Vec<orm::TsVector>,
    pub a_u8: i16,
    #[orm(ty = "numeric(10,2)[]")]
    pub sums: Vec<rust_decimal::Decimal>,
    pub gaps: Vec<i32>,
    pub maybe_gaps: Option<Vec<orm::Range<orm::Date>>>,
    pub exact: Scaled<12, 3>,
    pub scaled: Scaled<10, 2>,
}

/// Arrays have no text in common.
#[derive(Model, Clone, Debug)]
pub struct PresetArray {
    pub id: Id<PresetArray>,
    #[orm(default(sql = "'{}'::integer[]"))]
    pub none: Vec<i32>,
    #[orm(default(sql = "'{good,bad}'::mood[]"))]
    pub moods: Vec<Mood>,
    #[orm(default(sql = "ARRAY['1 day'::interval]"))]
    pub intervals: Vec<orm::Interval>,
    #[orm(default(sql = "ARRAY['[1,2)'::int4range, NULL::int4range]"))]
    pub ranges: Vec<orm::Range<i32>>,
    #[orm(ty = "bit varying(8)", default(sql = "'01'::\"bit\""))]
    pub bits: orm::Bits,
    #[orm(ty = "bit(8)")]
    pub byte: orm::Bits,
    #[orm(ty = "interval(3)")]
    pub short: orm::Interval,
    #[orm(ty = "interval day to second")]
    pub time: orm::Interval,
}

/// Defaults, in texts that both databases take.
#[derive(Model, Clone, Debug)]
pub struct Preset {
    pub id: Id<Preset>,
    #[orm(default(sql = "'it''s'::text"))]
    pub text: String,
    #[orm(default(sql = "'x'::text"))]
    pub letter: String,
    #[orm(default(sql = "'a@x.io'::text"))]
    pub own: String,
    #[orm(default(sql = "'1 day 00:00:02'::interval"))]
    pub interval: orm::Interval,
    #[orm(default(sql = "'[1,5)'::int4range"))]
    pub ints: orm::Range<i32>,
    #[orm(default(sql = "'[2024-01-01,)'::daterange"))]
    pub period: orm::Range<orm::Date>,
    #[orm(default(sql = "'empty'::numrange"))]
    pub prices: Option<orm::Range<rust_decimal::Decimal>>,
    #[orm(default(sql = "'10.0.0.1/8'::inet"))]
    pub inet: orm::Inet,
    #[orm(default(sql = "'10.0.0.0/8'::cidr"))]
    pub cidr: orm::Cidr,
    #[orm(default(sql = "'08:00:2b:01:02:03'::macaddr"))]
    pub card: orm::MacAddr,
    #[orm(default(sql = "'0101'::bit varying"))]
    pub bits: orm::Bits,
    #[orm(default(sql = "'2024-02-29'::date"))]
    pub day: orm::Date,
}

/// All models.
pub fn schema() -> orm::schema::Schema {
    orm::schema![Every, PresetArray, Preset]
}
