use orm::prelude::*;

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Good,
    Bad,
}

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaybeMood {
    Good,
    Bad,
}

#[derive(Model, Clone, Debug)]
pub struct Every {
    pub id: Id<Every>,
    pub a_bool: bool,
    pub maybe_bool: Option<bool>,
    pub bools: String,
    pub an_i8: i64,
    pub maybe_i8: Option<i64>,
    pub i8s: String,
    pub an_i16: i64,
    pub maybe_i16: Option<i64>,
    pub i16s: String,
    pub an_i32: i64,
    pub maybe_i32: Option<i64>,
    pub i32s: String,
    pub an_i64: i64,
    pub maybe_i64: Option<i64>,
    pub i64s: String,
    pub a_u16: i64,
    pub maybe_u16: Option<i64>,
    pub u16s: String,
    pub a_u32: i64,
    pub maybe_u32: Option<i64>,
    pub u32s: String,
    pub a_u64: i64,
    pub maybe_u64: Option<i64>,
    pub u64s: String,
    pub an_f32: f64,
    pub maybe_f32: Option<f64>,
    pub f32s: String,
    pub an_f64: f64,
    pub maybe_f64: Option<f64>,
    pub f64s: String,
    pub a_char: String,
    pub maybe_char: Option<String>,
    pub chars: String,
    pub text: String,
    pub maybe_text: Option<String>,
    pub texts: String,
    pub bytes: Vec<u8>,
    pub maybe_bytes: Option<Vec<u8>>,
    pub blobs: String,
    pub uuid: Vec<u8>,
    pub maybe_uuid: Option<Vec<u8>>,
    pub uuids: String,
    pub key: i64,
    pub maybe_key: Option<i64>,
    pub keys: String,
    pub instant: String,
    pub maybe_instant: Option<String>,
    pub instants: String,
    pub local: String,
    pub maybe_local: Option<String>,
    pub locals: String,
    pub day: String,
    pub maybe_day: Option<String>,
    pub days: String,
    pub time: String,
    pub maybe_time: Option<String>,
    pub times: String,
    pub utc: String,
    pub maybe_utc: Option<String>,
    pub utcs: String,
    pub interval: String,
    pub maybe_interval: Option<String>,
    pub intervals: String,
    pub decimal: String,
    pub maybe_decimal: Option<String>,
    pub decimals: String,
    pub json: String,
    pub maybe_json: Option<String>,
    pub jsons: String,
    pub mood: Mood,
    pub maybe_mood: Option<MaybeMood>,
    pub moods: String,
    pub own: String,
    pub maybe_own: Option<String>,
    pub owns: String,
    pub ints: String,
    pub maybe_ints: Option<String>,
    pub int_ranges: String,
    pub longs: String,
    pub maybe_longs: Option<String>,
    pub long_ranges: String,
    pub prices: String,
    pub maybe_prices: Option<String>,
    pub price_ranges: String,
    pub period: String,
    pub maybe_period: Option<String>,
    pub periods: String,
    pub span: String,
    pub maybe_span: Option<String>,
    pub spans: String,
    pub hours: String,
    pub maybe_hours: Option<String>,
    pub hour_ranges: String,
    pub host: String,
    pub maybe_host: Option<String>,
    pub hosts: String,
    pub inet: String,
    pub maybe_inet: Option<String>,
    pub inets: String,
    pub cidr: String,
    pub maybe_cidr: Option<String>,
    pub cidrs: String,
    pub card: String,
    pub maybe_card: Option<String>,
    pub cards: String,
    pub bits: String,
    pub maybe_bits: Option<String>,
    pub bit_strings: String,
    pub a_u8: i64,
    pub sums: String,
    pub gaps: String,
    pub maybe_gaps: Option<String>,
    pub exact: Scaled<12, 0>,
    pub scaled: Scaled<10, 0>,
}

#[derive(Model, Clone, Debug)]
pub struct Preset {
    pub id: Id<Preset>,
    #[orm(default(sql = "'it''s'"))]
    pub text: String,
    #[orm(default(sql = "'x'"))]
    pub letter: String,
    #[orm(default(sql = "'a@x.io'"))]
    pub own: String,
    #[orm(default(sql = "'P0M1DT2.000000S'"))]
    pub interval: String,
    #[orm(default(sql = "'[1,5)'"))]
    pub ints: String,
    #[orm(default(sql = "'[2024-01-01,)'"))]
    pub period: String,
    #[orm(default(sql = "'empty'"))]
    pub prices: Option<String>,
    #[orm(default(sql = "'10.0.0.1/8'"))]
    pub inet: String,
    #[orm(default(sql = "'10.0.0.0/8'"))]
    pub cidr: String,
    #[orm(default(sql = "'08:00:2b:01:02:03'"))]
    pub card: String,
    #[orm(default(sql = "'0101'"))]
    pub bits: String,
    #[orm(default(sql = "'2024-02-29'"))]
    pub day: String,
}

/// All models.
pub fn schema() -> orm::schema::Schema {
    orm::schema![Every, Preset]
}
