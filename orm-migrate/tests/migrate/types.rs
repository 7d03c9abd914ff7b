//! A column of every type: models, the database, the snapshot and the models that are pulled all say the same.

use std::net::IpAddr;

use orm::prelude::*;
use orm::{Bits, CiText, Cidr, Hstore, Inet, Interval, LocalTimestamp, Ltree, MacAddr, MacAddr8};
use orm::{Date, Json, Multirange, Range, TimeOfDay, TsVector, Vector};
use orm_migrate::change::Change;
use orm_migrate::diff::{Diff, Renames, diff};
use orm_migrate::drift::in_words_of;
use orm_migrate::generate::{Generated, generate};
use orm_migrate::introspect::introspect;
use orm_migrate::pull::{self, Pulled};
use orm_migrate::schema::{Extension, Fill, Name, Schema};
use orm_migrate::{Migrations, Migrator, snapshot};
use rust_decimal::Decimal;

use crate::models::Mood;
use crate::support::{backend, exec, is_postgres, set, texts};

#[derive(orm::Scalar, Clone, Debug, PartialEq)]
pub(crate) struct Email(pub(crate) String);

/// Every type that needs no extension, with NULL too, and with a default where the two databases have one text for it.
macro_rules! every {
    ($($name:ident, $maybe:ident, $list:ident: $Ty:ty;)+) => {
        #[derive(Model, Clone, Debug)]
        pub(crate) struct Every {
            pub(crate) id: Id<Every>,
            $(
                pub(crate) $name: $Ty,
                pub(crate) $maybe: Option<$Ty>,
                pub(crate) $list: Vec<$Ty>,
            )+
            pub(crate) a_u8: u8,
            #[orm(ty(postgres = "numeric(10,2)[]"))]
            pub(crate) sums: Vec<Decimal>,
            pub(crate) gaps: Vec<Option<i32>>,
            pub(crate) maybe_gaps: Option<Vec<Option<Range<Date>>>>,
            #[orm(decimal(12, 3))]
            pub(crate) exact: Decimal,
            pub(crate) scaled: Scaled<10, 2>,
        }
    };
}
every! {
    a_bool, maybe_bool, bools: bool;
    an_i8, maybe_i8, i8s: i8;
    an_i16, maybe_i16, i16s: i16;
    an_i32, maybe_i32, i32s: i32;
    an_i64, maybe_i64, i64s: i64;
    a_u16, maybe_u16, u16s: u16;
    a_u32, maybe_u32, u32s: u32;
    a_u64, maybe_u64, u64s: u64;
    an_f32, maybe_f32, f32s: f32;
    an_f64, maybe_f64, f64s: f64;
    a_char, maybe_char, chars: char;
    text, maybe_text, texts: String;
    bytes, maybe_bytes, blobs: Vec<u8>;
    uuid, maybe_uuid, uuids: uuid::Uuid;
    key, maybe_key, keys: Id<Every>;
    instant, maybe_instant, instants: Timestamp;
    local, maybe_local, locals: LocalTimestamp;
    day, maybe_day, days: Date;
    time, maybe_time, times: TimeOfDay;
    utc, maybe_utc, utcs: chrono::DateTime<chrono::Utc>;
    interval, maybe_interval, intervals: Interval;
    decimal, maybe_decimal, decimals: Decimal;
    json, maybe_json, jsons: Json<Vec<String>>;
    mood, maybe_mood, moods: Mood;
    own, maybe_own, owns: Email;
    ints, maybe_ints, int_ranges: Range<i32>;
    longs, maybe_longs, long_ranges: Range<i64>;
    prices, maybe_prices, price_ranges: Range<Decimal>;
    period, maybe_period, periods: Range<Date>;
    span, maybe_span, spans: Range<Timestamp>;
    hours, maybe_hours, hour_ranges: Range<LocalTimestamp>;
    host, maybe_host, hosts: IpAddr;
    inet, maybe_inet, inets: Inet;
    cidr, maybe_cidr, cidrs: Cidr;
    card, maybe_card, cards: MacAddr;
    bits, maybe_bits, bit_strings: Bits;
    card8, maybe_card8, card8s: MacAddr8;
    int_set, maybe_int_set, int_sets: Multirange<i32>;
    long_set, maybe_long_set, long_sets: Multirange<i64>;
    price_set, maybe_price_set, price_sets: Multirange<Decimal>;
    day_set, maybe_day_set, day_sets: Multirange<Date>;
    span_set, maybe_span_set, span_sets: Multirange<Timestamp>;
    hour_set, maybe_hour_set, hour_sets: Multirange<LocalTimestamp>;
    words, maybe_words, word_lists: TsVector;
}

/// Defaults, in texts that both databases take.
#[derive(Model, Clone, Debug)]
pub(crate) struct Preset {
    pub(crate) id: Id<Preset>,
    #[orm(default = "it's")]
    pub(crate) text: String,
    #[orm(default(sql = "'x'"))]
    pub(crate) letter: char,
    #[orm(default(sql = "'a@x.io'"))]
    pub(crate) own: Email,
    #[orm(default(sql = "'P0M1DT2.000000S'"))]
    pub(crate) interval: Interval,
    #[orm(default(sql = "'[1,5)'"))]
    pub(crate) ints: Range<i32>,
    #[orm(default(sql = "'[2024-01-01,)'"))]
    pub(crate) period: Range<Date>,
    #[orm(default(sql = "'empty'"))]
    pub(crate) prices: Option<Range<Decimal>>,
    #[orm(default(sql = "'10.0.0.1/8'"))]
    pub(crate) inet: Inet,
    #[orm(default(sql = "'10.0.0.0/8'"))]
    pub(crate) cidr: Cidr,
    #[orm(default(sql = "'08:00:2b:01:02:03'"))]
    pub(crate) card: MacAddr,
    #[orm(default(sql = "'0101'"))]
    pub(crate) bits: Bits,
    #[orm(default(sql = "'2024-02-29'"))]
    pub(crate) day: Date,
}

/// Arrays have no text in common.
#[derive(Model, Clone, Debug)]
#[orm(table = "preset_arrays")]
pub(crate) struct PresetArray {
    pub(crate) id: Id<PresetArray>,
    #[orm(default(sql = "'{}'"))]
    pub(crate) none: Vec<i32>,
    #[orm(default(sql = "'{good,bad}'"))]
    pub(crate) moods: Vec<Mood>,
    #[orm(default(sql = "ARRAY['1 day'::interval]"))]
    pub(crate) intervals: Vec<Interval>,
    #[orm(default(sql = "array['[1,2)'::int4range, NULL]"))]
    pub(crate) ranges: Vec<Option<Range<i32>>>,
    #[orm(ty(postgres = "bit varying(8)"), default(sql = "B'01'"))]
    pub(crate) bits: Bits,
    #[orm(ty(postgres = "bit(8)"))]
    pub(crate) byte: Bits,
    #[orm(ty(postgres = "interval(3)"))]
    pub(crate) short: Interval,
    #[orm(ty(postgres = "interval day to second"))]
    pub(crate) time: Interval,
}

#[derive(Model, Clone, Debug)]
#[orm(table = "hstores")]
pub(crate) struct WithHstore {
    pub(crate) id: Id<WithHstore>,
    #[orm(default(sql = "'\"a\"=>\"1\"'"))]
    pub(crate) map: Hstore,
    pub(crate) maybe: Option<Hstore>,
    pub(crate) maps: Vec<Hstore>,
}

#[derive(Model, Clone, Debug)]
#[orm(table = "ltrees")]
pub(crate) struct WithLtree {
    pub(crate) id: Id<WithLtree>,
    #[orm(default(sql = "'top.science'"))]
    pub(crate) path: Ltree,
    pub(crate) maybe: Option<Ltree>,
    pub(crate) paths: Vec<Ltree>,
}

#[derive(Model, Clone, Debug)]
#[orm(table = "citexts")]
pub(crate) struct WithCitext {
    pub(crate) id: Id<WithCitext>,
    #[orm(unique, default(sql = "'Ann'"))]
    pub(crate) name: CiText,
    pub(crate) maybe: Option<CiText>,
    pub(crate) names: Vec<CiText>,
}

#[derive(Model, Clone, Debug)]
#[orm(table = "vectors")]
pub(crate) struct WithVector {
    pub(crate) id: Id<WithVector>,
    #[orm(ty(postgres = "vector(3)"), default(sql = "'[1,2,3]'"))]
    pub(crate) point: Vector,
    pub(crate) maybe: Option<Vector>,
    pub(crate) points: Vec<Vector>,
}

fn plain(db: &Db) -> orm::schema::Schema {
    match is_postgres(db) {
        true => orm::schema![Every, Preset, PresetArray],
        false => orm::schema![Every, Preset],
    }
}

/// Models of the types of extensions that the server has; what it lacks is said.
async fn extended(db: &Db) -> Vec<(&'static str, orm::schema::Schema)> {
    if !is_postgres(db) {
        // their text is stored, and citext is refused
        return vec![
            ("hstore", orm::schema![WithHstore]),
            ("ltree", orm::schema![WithLtree]),
            ("vector", orm::schema![WithVector]),
        ];
    }
    let there = texts(db, "SELECT name::text FROM pg_available_extensions").await;
    let mut out = vec![
        ("hstore", orm::schema![WithHstore]),
        ("ltree", orm::schema![WithLtree]),
        ("citext", orm::schema![WithCitext]),
        ("vector", orm::schema![WithVector]),
    ];
    out.retain(|(name, _)| {
        let has = there.iter().any(|n| n == name);
        if !has {
            println!("skipped: the server has not the extension {name}");
        }
        has
    });
    out
}

/// The schema as the database prints it; SQLite keeps it as it is written.
async fn in_words(db: &Db, schema: Schema) -> orm_migrate::Result<Schema> {
    if !is_postgres(db) {
        return Ok(schema);
    }
    let (printed, as_written) = in_words_of(db, &schema).await?;
    assert_eq!(as_written, Vec::<String>::new());
    Ok(printed)
}

fn changes(from: &Schema, to: &Schema) -> Vec<String> {
    match diff(from, to, &Renames::default()) {
        Diff::Changes(changes) => changes.iter().map(Change::describe).collect(),
        Diff::NeedsDecision(questions) => panic!("{questions:?}"),
    }
}

/// What the first migration of the models makes is what they mean, as often as it is read, and what its snapshot says.
async fn there_and_back(db: &Db, models: &orm::schema::Schema) -> orm_migrate::Result<()> {
    let meant = Schema::of_models(models, db.dialect())?;
    let none = Migrations::of([])?;
    let made = generate("first", &none, &meant, &Renames::default(), backend(db))?;
    let Generated::Draft(made) = made else {
        panic!("{made:?}")
    };
    let made = made.0;
    let up = made.header.write() + &made.up;
    let (down, snap) = (made.down.as_deref().unwrap(), made.snapshot.as_deref().unwrap());
    let files = [
        ("1_first.up.sql", up.as_str()),
        ("1_first.down.sql", down),
        ("1_first.snap.json", snap),
    ];
    let migrations = set(&files);
    let again = generate("again", &migrations, &meant, &Renames::default(), backend(db))?;
    assert!(matches!(again, Generated::Nothing));
    let migrator = Migrator::new(db, migrations)?;
    migrator.up().await?;

    let found = introspect(db).await?;
    let wanted = in_words(db, meant.clone()).await?;
    for (found, wanted) in found.tables.iter().zip(&wanted.tables) {
        for (found, wanted) in found.columns.iter().zip(&wanted.columns) {
            assert_eq!(found, wanted);
        }
    }
    for (from, to) in [(&found, &wanted), (&wanted, &found)] {
        assert_eq!(changes(from, to), Vec::<String>::new());
    }
    assert_eq!(introspect(db).await?, found);
    let text = snapshot::write(&found, db.dialect().name());
    assert_eq!(snapshot::read(&text, db.dialect().name())?, found);
    let of_file = snapshot::read(snap, db.dialect().name())?;
    assert_eq!(changes(&of_file, &meant), Vec::<String>::new());
    let drift = migrator.drift(Some(&meant), &Default::default()).await?;
    assert_eq!((drift.exit_code(), drift.models), (0, vec![]));

    let last = set(&files);
    let down = last.iter().next_back().and_then(|m| m.down()).unwrap();
    let digest = down.acknowledgement(backend(db))?.unwrap();
    migrator.allow_destructive(&digest).down("-1").await?;
    assert_eq!(introspect(db).await?, Schema::default());
    Ok(())
}

#[orm::test]
async fn types_there_and_back(db: Db) -> orm_migrate::Result<()> {
    there_and_back(&db, &plain(&db)).await
}

#[orm::test]
async fn types_of_extensions_there_and_back(db: Db) -> orm_migrate::Result<()> {
    for (name, models) in extended(&db).await {
        let meant = Schema::of_models(&models, db.dialect())?;
        let names: Vec<&str> = meant.extensions.iter().map(|e| e.name.as_str()).collect();
        let needed: &[&str] = if is_postgres(&db) { &[name] } else { &[] };
        assert_eq!(names, needed);
        there_and_back(&db, &models).await?;
    }
    Ok(())
}

#[derive(orm::Composite, Clone, Debug, PartialEq)]
struct Measure {
    width: f64,
    at: Timestamp,
    local: LocalTimestamp,
    time: TimeOfDay,
    mood: Option<Mood>,
}
#[derive(orm::Composite, Clone, Debug, PartialEq)]
#[orm(name = "a label")]
struct Label {
    text: String,
    price: Decimal,
    range: Range<i32>,
    measure: Measure,
}
#[derive(Model, Clone, Debug)]
struct Crate {
    id: Id<Crate>,
    label: Label,
    measures: Vec<Measure>,
}

#[orm::test]
async fn composite_types_there_and_back(db: Db) -> orm_migrate::Result<()> {
    there_and_back(&db, &orm::schema![Crate]).await
}

#[test]
fn types_of_extensions_make_them_first() {
    let models = orm::schema![WithCitext, WithVector];
    let meant = Schema::of_models(&models, &orm::postgres::DIALECT).unwrap();
    let none = Migrations::of([]).unwrap();
    let backend = orm_migrate::Backend::Postgres;
    let made = generate("first", &none, &meant, &Renames::default(), backend).unwrap();
    let Generated::Draft(made) = made else {
        panic!("{made:?}")
    };
    let lines: Vec<&str> = made.0.up.lines().filter(|l| !l.starts_with("--")).collect();
    assert_eq!(lines[0], "CREATE EXTENSION IF NOT EXISTS \"citext\";");
    assert!(lines.contains(&"CREATE EXTENSION IF NOT EXISTS \"vector\";"));
    let down = made.0.down.unwrap();
    assert_eq!(down.lines().last(), Some("DROP EXTENSION \"citext\";"));

    // wherever somebody has put it
    let elsewhere = |name: &str| Extension {
        name: name.into(),
        schema: Some("extensions".into()),
    };
    let there = Schema {
        extensions: vec![elsewhere("citext"), elsewhere("vector")],
        ..meant.clone()
    };
    assert_eq!(changes(&there, &meant), Vec::<String>::new());
    let refused = Schema::of_models(&models, &orm::sqlite::DIALECT).unwrap_err();
    assert_eq!(refused.kind(), orm::ErrorKind::Unsupported);
}

/// What is expected, compiled.
#[allow(dead_code, unused_imports, unreachable_pub)]
mod pulled {
    pub(crate) mod sqlite {
        include!("pulled/types_sqlite.rs");
    }
    pub(crate) mod postgres {
        include!("pulled/types_postgres.rs");
    }
    pub(crate) mod extended {
        include!("pulled/types_extended.rs");
    }
}

async fn pulled_again(
    db: &Db,
    models: &orm::schema::Schema,
    file: &str,
    pulled: &orm::schema::Schema,
) -> orm_migrate::Result<()> {
    db.create_all(models).await?;
    let found = introspect(db).await?;
    let Pulled { source, left_out, .. } = pull::models(&found, backend(db));
    crate::pull::assert_file(file, &source);
    let unscaled = |column| {
        format!("everies: column {column}: the scale of the decimal is not in the database: 0 is taken")
    };
    let expected = match is_postgres(db) {
        true => vec![],
        false => vec![unscaled("exact"), unscaled("scaled")],
    };
    assert_eq!(left_out, expected);
    let again = in_words(db, Schema::of_models(pulled, db.dialect())?).await?;
    assert_eq!(changes(&found, &again), Vec::<String>::new());
    assert_eq!(changes(&again, &found), Vec::<String>::new());
    Ok(())
}

#[orm::test]
async fn types_are_pulled(db: Db) -> orm_migrate::Result<()> {
    let (file, pulled) = match is_postgres(&db) {
        true => ("types_postgres.rs", pulled::postgres::schema()),
        false => ("types_sqlite.rs", pulled::sqlite::schema()),
    };
    pulled_again(&db, &plain(&db), file, &pulled).await
}

#[orm::test(requires = |f| f.arrays)]
async fn types_of_extensions_are_pulled(db: Db) -> orm_migrate::Result<()> {
    let there = extended(&db).await;
    let all = ["hstore", "ltree", "citext"];
    if !all.iter().all(|name| there.iter().any(|(n, _)| n == name)) {
        return Ok(());
    }
    for name in all {
        exec(&db, &format!("CREATE EXTENSION {name}")).await?;
    }
    let models = orm::schema![WithHstore, WithLtree, WithCitext];
    pulled_again(&db, &models, "types_extended.rs", &pulled::extended::schema()).await
}

/// A vector's type and name, of a database that need not be there.
#[test]
fn types_of_vectors_are_pulled() {
    let meant = Schema::of_models(&orm::schema![WithVector], &orm::postgres::DIALECT).unwrap();
    let Pulled { source, left_out, .. } = pull::models(&meant, orm_migrate::Backend::Postgres);
    assert_eq!(left_out, Vec::<String>::new());
    for line in [
        "#[orm(ty = \"vector(3)\", default(sql = \"'[1,2,3]'\"))]\n    pub point: orm::Vector,",
        "pub maybe: Option<orm::Vector>,",
        "pub points: Vec<orm::Vector>,",
    ] {
        assert!(source.contains(line), "{line}\n{source}");
    }
    let table = meant.table(&Name::new("vectors")).unwrap();
    assert_eq!(table.columns[1].fill, Fill::Default("'[1,2,3]'".into()));
}
