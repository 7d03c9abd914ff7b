//! The table of types in the guide is that of the code: each Rust type with what the dialects call its storage.

use std::path::Path;

use orm::sql::Dialect;
use orm::value::{Element, Range, Scalar, SqlType, Type};

/// The rows of the table, in its order.
macro_rules! rows {
    ($($Rust:ty $(, $note:literal)?;)+) => {
        vec![$((stringify!($Rust).replace(" ", ""), <$Rust as SqlType>::TYPE, concat!($($note)?))),+]
    };
}

#[derive(orm::DbEnum, Clone, Copy, Debug, PartialEq)]
enum Mood {
    Good,
    Bad,
}
#[derive(orm::Scalar, Clone, Debug, PartialEq)]
struct Email(String);
#[derive(orm::Composite, Clone, Debug, PartialEq)]
struct Address {
    street: String,
    number: i32,
}
type Ids = orm::Id<Model>;
struct Model;

fn table() -> Vec<(String, Type, &'static str)> {
    use orm::{Bits, CiText, Cidr, Hstore, Inet, Interval, Json, Ltree, MacAddr, MacAddr8, Multirange};
    use orm::{Date, LocalTimestamp, TimeOfDay, Timestamp};
    use orm::{Scaled, TsVector, Vector};
    use std::net::IpAddr;
    rows! {
        bool, "0 or 1 by a CHECK";
        i8; i16; i32; i64;
        u8; u16; u32;
        u64, "refused beyond `i64::MAX`";
        f32, "NaN is refused on SQLite";
        f64, "NaN is refused on SQLite";
        char, "one character";
        String, "no NUL";
        Vec<u8>;
        uuid::Uuid, "feature `uuid`; text with hyphens is read too";
        Ids, "as its key";
        Timestamp, "microseconds; years 0 to 9999 on SQLite";
        LocalTimestamp, "no zone";
        Date;
        TimeOfDay;
        chrono::DateTime<chrono::Utc>, "feature `chrono`; nanoseconds are cut";
        chrono::NaiveDateTime;
        chrono::NaiveDate;
        chrono::NaiveTime, "no leap seconds";
        time::OffsetDateTime, "feature `time`; its offset is not stored, nanoseconds are cut";
        time::UtcDateTime;
        time::PrimitiveDateTime;
        time::Date;
        time::Time;
        jiff::Timestamp, "feature `jiff`; nanoseconds are cut";
        jiff::civil::DateTime;
        jiff::civil::Date;
        jiff::civil::Time;
        Interval, "ISO 8601 on SQLite";
        rust_decimal::Decimal, "feature `decimal`; `#[orm(decimal(p, s))]` sets both";
        Scaled<10, 2>, "for hand-written SQL; INTEGER up to 18 digits on SQLite";
        serde_json::Value, "feature `json`; a null of JSON is no NULL";
        Json<Vec<String>>, "any type of serde";
        Mood, "`#[derive(DbEnum)]`; a CHECK on SQLite";
        Email, "`#[derive(orm::Scalar)]`, as what it holds";
        Address, "`#[derive(orm::Composite)]`: a composite type; the text of its row on SQLite";
        Range<i32>;
        Range<i64>;
        Range<rust_decimal::Decimal>;
        Range<Date>;
        Range<Timestamp>;
        Range<LocalTimestamp>;
        Multirange<i32>, "years 1 to 9999 where it has any";
        Multirange<i64>;
        Multirange<rust_decimal::Decimal>;
        Multirange<Date>;
        Multirange<Timestamp>;
        Multirange<LocalTimestamp>;
        IpAddr, "with all bits: `10.0.0.1/32`";
        Inet; Cidr; MacAddr; MacAddr8; Bits;
        TsVector, "words with places and weights";
        Hstore, "extension `hstore`";
        Ltree, "extension `ltree`";
        Vector, "extension `vector`; `#[orm(ty(postgres = \"vector(3)\"))]` sets the dimensions";
        CiText, "extension `citext`";
        Vec<i32>, "arrays of every type above; JSON on SQLite";
        Vec<Option<String>>, "with NULLs";
        Vec<Range<Date>>;
    }
}

fn stored(dialect: &dyn Dialect, ty: Type) -> String {
    dialect.type_name(ty).unwrap_or_else(|_| "refused".into())
}

#[test]
fn the_table_of_types_is_that_of_the_code() {
    let mut expected = String::from("| Rust | PostgreSQL | SQLite | |\n|---|---|---|---|\n");
    for (rust, ty, note) in table() {
        let rust = rust.replace("Ids", "Id<Model>").replace(',', ", ");
        let (postgres, sqlite) = (
            stored(&orm::postgres::DIALECT, ty),
            stored(&orm::sqlite::DIALECT, ty),
        );
        let postgres = postgres.replace('"', "");
        expected += &format!("| `{rust}` | {postgres} | {sqlite} | {note} |\n");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/23-types.md");
    let page = std::fs::read_to_string(&path).unwrap();
    if std::env::var("ORM_UPDATE").is_ok() {
        let (head, rest) = page.split_once("| Rust | PostgreSQL").unwrap();
        let behind = rest.split_once("\n\n").unwrap().1;
        std::fs::write(&path, format!("{head}{expected}\n{behind}")).unwrap();
        return;
    }
    assert!(
        page.contains(&expected),
        "ORM_UPDATE=1 writes it anew; it should be:\n{expected}"
    );
}

/// Each logical type is in the table, so that a new one comes with its row.
#[test]
fn every_logical_type_has_a_row() {
    let types: Vec<Type> = table().iter().map(|row| row.1).collect();
    for ty in [
        Type::Bool,
        Type::I16,
        Type::I32,
        Type::I64,
        Type::F32,
        Type::F64,
        Type::Text,
        Type::Bytes,
        Type::Uuid,
        Type::Timestamp,
        Type::LocalTimestamp,
        Type::Date,
        Type::Time,
        Type::Json,
        Type::Interval,
        Type::Decimal(0, 0),
        Type::Array(Element::I32),
        <Mood as Scalar>::TYPE,
    ] {
        assert!(types.contains(&ty), "{ty:?}");
    }
}
