//! Which type a column gets, and what a type of PostgreSQL holds. Pure.

use serde::{Deserialize, Serialize};

use crate::schema::{Name, Schema, Table};

/// What a column of the target holds, as far as its values have to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Bool,
    /// Of so many bits.
    Int(u8),
    Float,
    /// Single precision.
    Single,
    /// Precision and scale, where they are bounded.
    Decimal(Option<(u32, u32)>),
    /// So many characters at most.
    Text(Option<usize>),
    /// So many characters, with blanks behind them.
    Padded(usize),
    Bytes,
    Date,
    /// With so many digits behind the second.
    Time(u8),
    Local(u8),
    Instant(u8),
    Uuid,
    Json,
    Jsonb,
    Enum(Vec<String>),
    /// Whatever PostgreSQL reads from a text, which need not print it alike.
    Read,
    /// PostgreSQL's own text of a value, from one PostgreSQL to another.
    Verbatim,
    /// A value of SQLite as it is stored, from one SQLite to another.
    Stored,
}

/// What a type of PostgreSQL holds, by the name `format_type` gives it or one that a user wrote.
pub(super) fn kind(ty: &str, schema: &Schema) -> Kind {
    let lower = ty.trim().to_ascii_lowercase();
    let (word, numbers) = match lower.split_once('(') {
        Some((word, rest)) => {
            let (numbers, tail) = rest.split_once(')').unwrap_or((rest, ""));
            (format!("{}{tail}", word.trim_end()), numbers.to_owned())
        }
        None => (lower.clone(), String::new()),
    };
    let numbers: Vec<u32> = numbers.split(',').filter_map(|n| n.trim().parse().ok()).collect();
    let first = numbers.first().copied();
    let digits = first.map_or(6, |n| n.min(6) as u8);
    match word.as_str() {
        "boolean" | "bool" => Kind::Bool,
        "smallint" | "int2" => Kind::Int(16),
        "integer" | "int" | "int4" => Kind::Int(32),
        "bigint" | "int8" => Kind::Int(64),
        "real" | "float4" => Kind::Single,
        "double precision" | "float8" => Kind::Float,
        "numeric" | "decimal" => Kind::Decimal(first.map(|p| (p, numbers.get(1).copied().unwrap_or(0)))),
        "text" => Kind::Text(None),
        "character varying" | "varchar" => Kind::Text(first.map(|n| n as usize)),
        "character" | "char" | "bpchar" if word == "bpchar" && first.is_none() => Kind::Text(None),
        "character" | "char" | "bpchar" => Kind::Padded(first.unwrap_or(1) as usize),
        "bytea" => Kind::Bytes,
        "date" => Kind::Date,
        "time" | "time without time zone" => Kind::Time(digits),
        "timestamp" | "timestamp without time zone" => Kind::Local(digits),
        "timestamptz" | "timestamp with time zone" => Kind::Instant(digits),
        "uuid" => Kind::Uuid,
        "json" => Kind::Json,
        "jsonb" => Kind::Jsonb,
        _ => {
            let same = |name: &Name| {
                let plain = name.to_string();
                plain == ty || crate::sql::name(name) == ty || crate::words::quoted(&name.name) == ty
            };
            if let Some(it) = schema.enums.iter().find(|e| same(&e.name)) {
                return Kind::Enum(it.labels.clone());
            }
            match schema.domains.iter().find(|d| same(&d.name)) {
                Some(domain) if domain.ty != ty => kind(&domain.ty, schema),
                _ => Kind::Read,
            }
        }
    }
}

/// Whether PostgreSQL compares the two, as a foreign key has to.
pub(super) fn comparable(one: &Kind, other: &Kind) -> bool {
    let family = |kind: &Kind| match kind {
        Kind::Int(_) | Kind::Decimal(_) => 1,
        Kind::Float | Kind::Single => 2,
        Kind::Text(_) | Kind::Padded(_) => 3,
        Kind::Local(_) | Kind::Instant(_) | Kind::Date => 4,
        _ => 0,
    };
    one == other || family(one) != 0 && family(one) == family(other)
}

/// The type of PostgreSQL for a column of SQLite, by what its declaration means to people: SQLite itself has but five.
pub(super) fn from_sqlite(table: &Table, column: usize) -> String {
    let Some(column) = table.columns.get(column) else {
        return "text".to_owned();
    };
    let lower = column.ty.trim().to_ascii_lowercase();
    let numbers = lower
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map(|(n, _)| n);
    let has = |word: &str| lower.contains(word);
    if has("bool") || is_zero_or_one(table, &column.name) {
        return "boolean".to_owned();
    }
    if has("uuid") || has("guid") || has("uniqueidentifier") {
        return "uuid".to_owned();
    }
    if has("json") {
        return "jsonb".to_owned();
    }
    if has("timestamp") || has("datetime") {
        return "timestamp with time zone".to_owned();
    }
    // before DATE: `interval` and `point` are no integers to people, yet SQLite makes them so; they stay texts
    if has("interval") || has("point") {
        return "text".to_owned();
    }
    if has("int") {
        return "bigint".to_owned();
    }
    if has("char") || has("clob") || has("text") || has("string") || has("enum") {
        return "text".to_owned();
    }
    if has("blob") || has("binary") || has("bytea") {
        return "bytea".to_owned();
    }
    if has("real") || has("floa") || has("doub") {
        return "double precision".to_owned();
    }
    if has("date") {
        return "date".to_owned();
    }
    if has("time") {
        return "time without time zone".to_owned();
    }
    if has("dec") || has("num") || has("money") {
        let bounded: Vec<u32> = numbers
            .map(|n| n.split(',').filter_map(|n| n.trim().parse().ok()).collect())
            .unwrap_or_default();
        return match bounded.as_slice() {
            [p @ 1..=1000, s] if s <= p => format!("numeric({p},{s})"),
            [p @ 1..=1000] => format!("numeric({p},0)"),
            _ => "numeric".to_owned(),
        };
    }
    // without a type, or with ANY, it holds anything
    "text".to_owned()
}

/// Whether a check says that the column is 0 or 1.
pub(super) fn is_zero_or_one(table: &Table, column: &str) -> bool {
    let plain = |text: &str| -> String {
        let kept = text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '"' | '`' | '[' | ']'));
        kept.collect::<String>().to_ascii_lowercase()
    };
    let column = plain(column);
    table.checks.iter().any(|check| {
        let said = plain(&check.condition);
        let said = said
            .strip_prefix('(')
            .and_then(|s| s.strip_suffix("))"))
            .map_or(said.clone(), |s| format!("{s})"));
        said == format!("{column}in(0,1)") || said == format!("{column}in(1,0)")
    })
}

/// The default of a column of SQLite in PostgreSQL, where it means the same there.
pub(super) fn default(sql: &str, kind: &Kind) -> Option<String> {
    let bare = sql.trim();
    let upper = bare.to_ascii_uppercase();
    let inner = bare.trim_start_matches('(').trim_end_matches(')').trim();
    let is_number = inner.parse::<f64>().is_ok() && !inner.contains(|c: char| c.is_alphabetic());
    match kind {
        Kind::Bool => match inner.trim_matches('\'').to_ascii_lowercase().as_str() {
            "1" | "true" => Some("true".to_owned()),
            "0" | "false" => Some("false".to_owned()),
            _ => None,
        },
        Kind::Int(_) | Kind::Float | Kind::Single | Kind::Decimal(_) if is_number => Some(inner.to_owned()),
        Kind::Instant(_) | Kind::Local(_) if upper.trim_matches(['(', ')']) == "CURRENT_TIMESTAMP" => {
            Some("CURRENT_TIMESTAMP".to_owned())
        }
        Kind::Date if matches!(upper.as_str(), "CURRENT_DATE" | "CURRENT_TIMESTAMP") => {
            Some("CURRENT_DATE".to_owned())
        }
        Kind::Text(None) if is_literal(inner) => Some(inner.to_owned()),
        Kind::Text(None) if is_number => Some(format!("'{inner}'")),
        _ => None,
    }
}

/// One string in quotes, without a backslash that a server could take for an escape.
fn is_literal(sql: &str) -> bool {
    let inside = sql.strip_prefix('\'').and_then(|s| s.strip_suffix('\''));
    inside.is_some_and(|s| !s.replace("''", "").contains(['\'', '\\', '\0']))
}

#[cfg(test)]
mod tests {
    use crate::schema::{Check, Column, Schema, Table};
    use crate::transfer::types::{Kind, default, from_sqlite, kind};

    #[test]
    fn declared_types() {
        for (declared, ty) in [
            ("INTEGER", "bigint"),
            ("unsigned big int", "bigint"),
            ("BOOLEAN", "boolean"),
            ("DATETIME", "timestamp with time zone"),
            ("timestamp", "timestamp with time zone"),
            ("DATE", "date"),
            ("TIME", "time without time zone"),
            ("VARCHAR(20)", "text"),
            ("NVARCHAR(70)", "text"),
            ("NUMERIC(10,2)", "numeric(10,2)"),
            ("decimal(5)", "numeric(5,0)"),
            ("DECIMAL", "numeric"),
            ("numeric(2,5)", "numeric"),
            ("REAL", "double precision"),
            ("float", "double precision"),
            ("BLOB", "bytea"),
            ("varbinary(16)", "bytea"),
            ("JSON", "jsonb"),
            ("UUID", "uuid"),
            ("", "text"),
            ("ANY", "text"),
            ("POINT", "text"),
        ] {
            let column = Column {
                name: "c".into(),
                ty: declared.into(),
                ..Column::default()
            };
            let table = Table {
                columns: vec![column],
                ..Table::default()
            };
            assert_eq!(from_sqlite(&table, 0), ty, "{declared}");
        }
    }

    #[test]
    fn a_check_makes_a_boolean() {
        for (condition, ty) in [
            ("\"on\" IN (0, 1)", "boolean"),
            ("([on] in (1,0))", "boolean"),
            ("\"on\" IN (0, 1, 2)", "bigint"),
            ("\"other\" IN (0, 1)", "bigint"),
        ] {
            let table = Table {
                columns: vec![Column {
                    name: "on".into(),
                    ty: "INTEGER".into(),
                    ..Column::default()
                }],
                checks: vec![Check {
                    condition: condition.into(),
                    ..Check::default()
                }],
                ..Table::default()
            };
            assert_eq!(from_sqlite(&table, 0), ty, "{condition}");
        }
    }

    #[test]
    fn kinds() {
        let schema = Schema::default();
        for (ty, expected) in [
            ("numeric(12,2)", Kind::Decimal(Some((12, 2)))),
            ("numeric", Kind::Decimal(None)),
            ("character varying(20)", Kind::Text(Some(20))),
            ("character(3)", Kind::Padded(3)),
            ("timestamp(3) with time zone", Kind::Instant(3)),
            ("timestamp without time zone", Kind::Local(6)),
            ("TIMESTAMPTZ", Kind::Instant(6)),
            ("interval", Kind::Read),
            ("integer[]", Kind::Read),
        ] {
            assert_eq!(kind(ty, &schema), expected, "{ty}");
        }
    }

    #[test]
    fn defaults() {
        for (sql, of, expected) in [
            ("1", Kind::Bool, Some("true")),
            ("'x'", Kind::Text(None), Some("'x'")),
            ("'it''s'", Kind::Text(None), Some("'it''s'")),
            ("'a' || 'b'", Kind::Text(None), None),
            ("(-1.5)", Kind::Float, Some("-1.5")),
            ("CURRENT_TIMESTAMP", Kind::Instant(6), Some("CURRENT_TIMESTAMP")),
            ("datetime('now')", Kind::Instant(6), None),
            ("0x10", Kind::Int(64), None),
            ("inf", Kind::Float, None),
        ] {
            assert_eq!(default(sql, &of).as_deref(), expected, "{sql}");
        }
    }
}
