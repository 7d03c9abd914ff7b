//! The Rust type of a column.

use crate::schema::{Column, Domain, Enum, Table};

/// What is known of a column's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ColumnType {
    /// In Rust, without `Option`.
    pub(super) rust: String,
    /// `ty = ".."`, where the Rust type has another one in SQL.
    pub(super) sql: Option<String>,
    /// `decimal(..)`.
    pub(super) decimal: Option<(u32, u32)>,
    /// The check that goes with the Rust type: its place among the table's.
    pub(super) check: Option<usize>,
    /// What the models cannot say of it.
    pub(super) note: Option<String>,
}

fn plain(rust: &str) -> ColumnType {
    ColumnType {
        rust: rust.to_owned(),
        sql: None,
        decimal: None,
        check: None,
        note: None,
    }
}

impl ColumnType {
    fn called(self, sql: &str) -> Self {
        ColumnType {
            sql: Some(sql.to_owned()),
            ..self
        }
    }
    fn noted(self, note: impl Into<String>) -> Self {
        ColumnType {
            note: Some(note.into()),
            ..self
        }
    }
}

/// By the names of `format_type`.
pub(super) fn postgres(ty: &str, domains: &[Domain], enums: &[(&Enum, String)]) -> ColumnType {
    if let Some(element) = ty.strip_suffix("[]") {
        let element = postgres(element, domains, enums);
        return match element {
            ColumnType { decimal: Some(_), .. } => plain("Vec<rust_decimal::Decimal>").called(ty),
            ColumnType { sql: None, rust, .. } if rust.starts_with("Scaled<") => {
                plain("Vec<rust_decimal::Decimal>").called(ty)
            }
            ColumnType { sql: None, rust, .. } => plain(&format!("Vec<{rust}>")),
            _ => plain("String")
                .called(ty)
                .noted(format!("the type {ty} is taken for text")),
        };
    }
    if let Some((_, rust)) = enums
        .iter()
        .find(|(e, _)| e.name.schema.is_none() && same_name(ty, &e.name.name))
    {
        return plain(rust);
    }
    if let Some(domain) = domains.iter().find(|d| same_name(ty, &d.name.to_string())) {
        let of = postgres(&domain.ty, domains, enums);
        return ColumnType { decimal: None, ..of }.called(ty);
    }
    let (name, numbers) = match ty.split_once('(') {
        Some((name, rest)) => (name.trim(), rest.split(')').next().unwrap_or_default()),
        None => (ty, ""),
    };
    match name {
        "boolean" => plain("bool"),
        "smallint" => plain("i16"),
        "integer" => plain("i32"),
        "bigint" => plain("i64"),
        "real" => plain("f32"),
        "double precision" => plain("f64"),
        "text" => plain("String"),
        "bytea" => plain("Vec<u8>"),
        "uuid" => plain("uuid::Uuid"),
        "jsonb" => plain("serde_json::Value"),
        "json" => plain("serde_json::Value").called(ty),
        "date" => plain("orm::Date"),
        "character varying" | "character" | "name" => plain("String").called(ty),
        "numeric" => decimal(ty, numbers),
        "int4range" => plain("orm::Range<i32>"),
        "int8range" => plain("orm::Range<i64>"),
        "numrange" => plain("orm::Range<rust_decimal::Decimal>"),
        "daterange" => plain("orm::Range<orm::Date>"),
        "tstzrange" => plain("orm::Range<Timestamp>"),
        "tsrange" => plain("orm::Range<orm::LocalTimestamp>"),
        "int4multirange" => plain("orm::Multirange<i32>"),
        "int8multirange" => plain("orm::Multirange<i64>"),
        "nummultirange" => plain("orm::Multirange<rust_decimal::Decimal>"),
        "datemultirange" => plain("orm::Multirange<orm::Date>"),
        "tstzmultirange" => plain("orm::Multirange<Timestamp>"),
        "tsmultirange" => plain("orm::Multirange<orm::LocalTimestamp>"),
        "inet" => plain("orm::Inet"),
        "cidr" => plain("orm::Cidr"),
        "macaddr" => plain("orm::MacAddr"),
        "macaddr8" => plain("orm::MacAddr8"),
        "tsvector" => plain("orm::TsVector"),
        "interval" => as_printed("orm::Interval", ty, "interval"),
        "bit varying" | "bit" => as_printed("orm::Bits", ty, "bit varying"),
        "vector" => as_printed("orm::Vector", ty, "vector"),
        "hstore" => plain("orm::Hstore"),
        "ltree" => plain("orm::Ltree"),
        "citext" => plain("orm::CiText"),
        _ => match ty {
            "timestamptz" | "timestamp with time zone" => plain("Timestamp"),
            "timestamp" | "timestamp without time zone" => plain("orm::LocalTimestamp"),
            "time" | "time without time zone" => plain("orm::TimeOfDay"),
            _ if name.starts_with("interval ") => plain("orm::Interval").called(ty),
            _ if ty.starts_with("timestamp(") && ty.ends_with("with time zone") => {
                plain("Timestamp").called(ty)
            }
            _ if ty.starts_with("timestamp(") => plain("orm::LocalTimestamp").called(ty),
            _ if ty.starts_with("time(") && ty.ends_with("without time zone") => {
                plain("orm::TimeOfDay").called(ty)
            }
            _ => plain("String")
                .called(ty)
                .noted(format!("the type {ty} is taken for text")),
        },
    }
}

/// A Rust type whose column has another type than `usual`, such as one of a length.
fn as_printed(rust: &str, ty: &str, usual: &str) -> ColumnType {
    match ty == usual {
        true => plain(rust),
        false => plain(rust).called(ty),
    }
}

fn decimal(ty: &str, numbers: &str) -> ColumnType {
    let mut numbers = numbers.split(',').map(|n| n.trim().parse::<u32>());
    match (numbers.next(), numbers.next()) {
        (Some(Ok(precision @ 1..=18)), Some(Ok(scale))) if scale <= precision => {
            plain(&format!("Scaled<{precision}, {scale}>"))
        }
        (Some(Ok(precision @ 1..=28)), Some(Ok(scale))) if scale <= precision => ColumnType {
            decimal: Some((precision, scale)),
            ..plain("rust_decimal::Decimal")
        },
        (Some(Err(_)) | None, _) => plain("rust_decimal::Decimal"),
        _ => plain("rust_decimal::Decimal").called(ty),
    }
}

/// By the affinity of the declared type, and by the checks that stand for types.
pub(super) fn sqlite(
    column: &Column,
    table: &Table,
    labels: &mut dyn FnMut(&Column, Vec<String>) -> String,
) -> ColumnType {
    let standard = ["INTEGER", "REAL", "TEXT", "BLOB"].contains(&column.ty.as_str());
    let upper = column.ty.to_uppercase();
    let quoted = format!("\"{}\"", column.name.replace('"', "\"\""));
    if upper.starts_with("INT") || upper.starts_with("BOOL") {
        let as_models = format!("{quoted} IN (0, 1)");
        for (i, check) in table.checks.iter().enumerate() {
            if members(&check.condition, &column.name).as_deref() == Some(&["0".to_owned(), "1".to_owned()]) {
                let mut found = ColumnType {
                    check: Some(i),
                    ..plain("bool")
                };
                if !standard {
                    found = found.called(&column.ty);
                }
                return match check.condition == as_models && check.name.is_none() {
                    true => found,
                    false => found.noted(format!(
                        "its check is written {as_models} in models, without a name"
                    )),
                };
            }
        }
        if upper.starts_with("BOOL") {
            let found = plain("bool").called(&column.ty);
            return found.noted(format!("models add the check {as_models}"));
        }
        for (i, check) in table.checks.iter().enumerate().filter(|(_, c)| c.name.is_none()) {
            let digits = (1..=18).find(|p| {
                let most = 10i64.pow(*p) - 1;
                check.condition == format!("{quoted} BETWEEN -{most} AND {most}")
            });
            if let Some(digits) = digits {
                let found = ColumnType {
                    check: Some(i),
                    ..plain(&format!("Scaled<{digits}, 0>"))
                };
                return found.noted("the scale of the decimal is not in the database: 0 is taken");
            }
        }
    }
    if column.ty == "TEXT" {
        for (i, check) in table.checks.iter().enumerate().filter(|(_, c)| c.name.is_none()) {
            let found = members(&check.condition, &column.name).and_then(texts);
            if let Some(found) = found {
                let written: Vec<String> = found
                    .iter()
                    .map(|l| format!("'{}'", l.replace('\'', "''")))
                    .collect();
                if check.condition == format!("{quoted} IN ({})", written.join(", ")) {
                    return ColumnType {
                        check: Some(i),
                        ..plain(&labels(column, found))
                    };
                }
            }
        }
    }
    let found = match upper.as_str() {
        "" => return plain("Vec<u8>").noted("it has no type: models make it BLOB"),
        _ if upper.contains("INT") => plain("i64"),
        _ if ["CHAR", "CLOB", "TEXT", "DATE", "TIME"]
            .iter()
            .any(|t| upper.contains(t)) =>
        {
            plain("String")
        }
        _ if upper.contains("BLOB") => plain("Vec<u8>"),
        _ if ["REAL", "FLOA", "DOUB", "NUM", "DEC"]
            .iter()
            .any(|t| upper.contains(t)) =>
        {
            plain("f64")
        }
        _ => plain("String").noted(format!("the type {} is taken for text", column.ty)),
    };
    match standard {
        true => found,
        false => found.called(&column.ty),
    }
}

/// The entries of `column IN (a, b)`.
fn members(condition: &str, column: &str) -> Option<Vec<String>> {
    let quoted = format!("\"{}\"", column.replace('"', "\"\""));
    let rest = match condition.strip_prefix(&quoted) {
        Some(rest) => rest,
        None => condition
            .get(..column.len())
            .filter(|c| c.eq_ignore_ascii_case(column))
            .and_then(|_| condition.get(column.len()..))?,
    };
    let rest = rest.trim_start();
    let rest = rest
        .get(..2)
        .filter(|w| w.eq_ignore_ascii_case("in"))
        .and_then(|_| rest.get(2..))?;
    let inner = rest.trim_start().strip_prefix('(')?.strip_suffix(')')?;
    let (mut out, mut entry, mut open) = (Vec::new(), String::new(), false);
    for c in inner.chars() {
        match c {
            '\'' => open = !open,
            ',' if !open => {
                out.push(std::mem::take(&mut entry).trim().to_owned());
                continue;
            }
            '(' | ')' if !open => return None,
            _ => {}
        }
        entry.push(c);
    }
    out.push(entry.trim().to_owned());
    Some(out)
}

/// The texts of literals, where all are.
fn texts(entries: Vec<String>) -> Option<Vec<String>> {
    let text = |e: &String| Some(e.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'"));
    entries.iter().map(text).collect()
}

/// A type's name as the database prints it, in quotes where it needs them.
fn same_name(printed: &str, name: &str) -> bool {
    printed == name || printed == format!("\"{}\"", name.replace('"', "\"\""))
}
