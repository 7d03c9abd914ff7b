//! What came of a transfer: every row of the source is accounted for.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a transfer did, or on a dry run would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The dialect of the source.
    pub source: String,
    /// The dialect of the target.
    pub target: String,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Whether an earlier run was gone on with.
    pub resumed: bool,
    /// Its tables, in the order in which they were filled.
    pub tables: Vec<TableReport>,
    /// What of the source's schema has no counterpart in the target: defaults, checks, views, triggers, …, each with its reason.
    pub left_out: Vec<String>,
    /// How long this run took, in seconds.
    pub seconds: f64,
}

/// One table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TableReport {
    /// Its name in the source.
    pub source: String,
    /// Its name in the target.
    pub target: String,
    /// Rows that the source counts.
    pub in_source: u64,
    /// Rows that were read.
    pub read: u64,
    /// Rows that were written and stayed.
    pub written: u64,
    /// Rows that could not go over.
    pub rejected: u64,
    /// Rows that the target counts afterwards; none on a dry run.
    pub in_target: Option<u64>,
    /// How many rows were rejected for what, the most frequent first.
    pub rejects: Vec<RejectCount>,
    /// On a dry run: rows whose key, or whose other row, the target would miss, as the source compares values. They are not among
    /// the rejected ones.
    #[serde(default)]
    pub suspects: Vec<RejectCount>,
    /// The checksum over whole rows: of what was written, and of what the target holds.
    pub rows: Option<Checksums>,
    /// Its columns.
    pub columns: Vec<ColumnReport>,
}

/// One column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnReport {
    /// Its name in the source.
    pub source: String,
    /// Its type there.
    pub source_type: String,
    /// Its name in the target.
    pub target: String,
    /// Its type there.
    pub target_type: String,
    /// How many values were found in which form.
    pub found: BTreeMap<String, u64>,
    /// The checksums of both sides; none on a dry run, and for a type whose values the target prints in another form than it
    /// was given.
    pub checksums: Option<Checksums>,
}

/// A checksum on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksums {
    /// Over what was read, made values of the target, and written.
    pub written: Checksum,
    /// Over what the target gave back.
    pub found: Checksum,
}

impl Checksums {
    /// Whether both sides agree.
    pub fn agree(self) -> bool {
        self.written == self.found
    }
}

/// A sum of SHA-256 digests (their first 128 bits), which does not depend on the order of rows. In hexadecimal as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checksum(pub u128);

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for Checksum {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Checksum {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let sum = u128::from_str_radix(&text, 16).map_err(serde::de::Error::custom)?;
        Ok(Checksum(sum))
    }
}

/// Rows that were rejected for the same reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RejectCount {
    /// Why.
    pub reason: Reason,
    /// The column, or the constraint's columns.
    pub column: Option<String>,
    /// How many.
    pub rows: u64,
}

/// A row that could not go over: a line of the file of rejects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reject {
    /// The table, by its name in the source.
    pub table: String,
    /// What tells the row from others: the primary key, and where SQLite has one the rowid. All its values where there is no
    /// key.
    pub key: serde_json::Map<String, serde_json::Value>,
    /// The column of the source, or those of the constraint, separated by commas. None where the database did not say.
    pub column: Option<String>,
    /// Why.
    pub reason: Reason,
    /// The same in words.
    pub detail: String,
}

/// Why a row cannot go over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// NULL where the target wants a value.
    Null,
    /// A value of another type, which does not read as that of the target.
    Type,
    /// Neither true nor false.
    Boolean,
    /// Too great, too small, or a time outside of the years 1 to 9999.
    Range,
    /// More digits behind the point than the column holds.
    Decimal,
    /// No date, time or UUID in a format that is known.
    Format,
    /// No JSON.
    Json,
    /// The character NUL, which PostgreSQL's texts cannot hold.
    Nul,
    /// A text that is not UTF-8.
    Encoding,
    /// A text longer than the column.
    Length,
    /// No label of the enum.
    Label,
    /// A row with the same key, or the same values of a unique constraint, came before.
    Duplicate,
    /// The row it refers to is not there.
    Orphan,
    /// A CHECK, or an EXCLUDE.
    Check,
    /// The target refused it for another reason; the detail has its code.
    Refused,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Null => "null",
            Reason::Type => "type",
            Reason::Boolean => "boolean",
            Reason::Range => "range",
            Reason::Decimal => "decimal",
            Reason::Format => "format",
            Reason::Json => "json",
            Reason::Nul => "nul",
            Reason::Encoding => "encoding",
            Reason::Length => "length",
            Reason::Label => "label",
            Reason::Duplicate => "duplicate",
            Reason::Orphan => "orphan",
            Reason::Check => "check",
            Reason::Refused => "refused",
        })
    }
}

/// How far a transfer has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress<'a> {
    /// The table that is read.
    pub table: &'a str,
    /// Rows of it that were read.
    pub table_rows: u64,
    /// Rows it has.
    pub table_total: u64,
    /// Rows of all tables that were read, in earlier runs too.
    pub rows: u64,
    /// Rows that all tables have.
    pub total: u64,
    /// Rows that could not go over.
    pub rejected: u64,
    /// How long this run has taken.
    pub took: Duration,
    /// How long the remaining rows will take at this pace.
    pub left: Option<Duration>,
}

impl fmt::Display for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.rows as f64 / self.total.max(1) as f64 * 100.0;
        write!(
            f,
            "{}: {} of {} rows; {} of {} in all ({percent:.0} %)",
            self.table, self.table_rows, self.table_total, self.rows, self.total
        )?;
        if self.rejected > 0 {
            write!(f, ", {} rejected", self.rejected)?;
        }
        match self.left {
            Some(left) => write!(f, ", {} s left", left.as_secs()),
            None => Ok(()),
        }
    }
}

impl Report {
    /// Whether every row of the source was either written or rejected.
    pub fn accounts(&self) -> bool {
        self.tables
            .iter()
            .all(|t| t.in_source == t.read && t.read == t.written + t.rejected)
    }
    /// Whether the target holds what was written: as many rows, with the same checksums. Always so on a dry run, which writes nothing.
    pub fn verified(&self) -> bool {
        self.tables.iter().all(TableReport::verified)
    }
    /// How many rows could not go over.
    pub fn rejected(&self) -> u64 {
        self.tables.iter().map(|t| t.rejected).sum()
    }
    /// How many rows were written.
    pub fn written(&self) -> u64 {
        self.tables.iter().map(|t| t.written).sum()
    }
    /// The table of this name in the source.
    pub fn table(&self, source: &str) -> Option<&TableReport> {
        self.tables.iter().find(|t| t.source == source)
    }
    /// The report for people: a table of rows, then what was rejected, what was found in each column, and what was left out.
    pub fn to_markdown(&self) -> String {
        let mut out = String::new();
        let what = if self.dry_run {
            "Dry run of a transfer"
        } else {
            "Transfer"
        };
        // writing to a string does not fail
        let _ = writeln!(out, "# {what}: {} → {}\n", self.source, self.target);
        let verdict = match (self.dry_run, self.accounts(), self.verified()) {
            (true, true, _) => "Nothing was written. Rows that would go over, and those that would not:",
            (false, true, true) => "Every row is accounted for, and the checksums agree.",
            (_, false, _) => "**Not every row is accounted for: the source changed while it was read.**",
            (false, true, false) => "**The target does not hold what was written to it.**",
        };
        let _ = writeln!(out, "{verdict}\n");
        out += "| Table | In source | Read | Written | Rejected | In target | Checksum |\n|---|--:|--:|--:|--:|--:|---|\n";
        for table in &self.tables {
            let sum = match table.rows {
                None => "–",
                Some(_) if table.sums_agree() => "agrees",
                Some(_) => "**differs**",
            };
            let there = table.in_target.map_or("–".to_owned(), |n| n.to_string());
            let name = match table.source == table.target {
                true => cell(&table.source),
                false => format!("{} → {}", cell(&table.source), cell(&table.target)),
            };
            let _ = writeln!(
                out,
                "| {name} | {} | {} | {} | {} | {there} | {sum} |",
                table.in_source, table.read, table.written, table.rejected
            );
        }
        if self.rejected() > 0 {
            out += "\n## Rejected\n\n| Table | Column | Reason | Rows |\n|---|---|---|--:|\n";
            for table in &self.tables {
                for count in &table.rejects {
                    let column = cell(count.column.as_deref().unwrap_or("–"));
                    let _ = writeln!(
                        out,
                        "| {} | {column} | {} | {} |",
                        cell(&table.source),
                        count.reason,
                        count.rows
                    );
                }
            }
        }
        if self.tables.iter().any(|t| !t.suspects.is_empty()) {
            out += "\n## Suspects, as the source compares values\n\n| Table | Column | Reason | Rows |\n|---|---|---|--:|\n";
            for table in &self.tables {
                for count in &table.suspects {
                    let column = cell(count.column.as_deref().unwrap_or("–"));
                    let _ = writeln!(
                        out,
                        "| {} | {column} | {} | {} |",
                        cell(&table.source),
                        count.reason,
                        count.rows
                    );
                }
            }
        }
        out += "\n## Columns\n\n| Column | Type | In the target | Found |\n|---|---|---|---|\n";
        for table in &self.tables {
            for column in &table.columns {
                let found: Vec<String> = column.found.iter().map(|(k, n)| format!("{k}: {n}")).collect();
                let differs = if column.checksums.is_some_and(|c| !c.agree()) {
                    " **differs**"
                } else {
                    ""
                };
                let _ = writeln!(
                    out,
                    "| {}.{} | {} | {} {}{differs} | {} |",
                    cell(&table.source),
                    cell(&column.source),
                    cell(&column.source_type),
                    cell(&column.target),
                    cell(&column.target_type),
                    cell(&found.join(", "))
                );
            }
        }
        if !self.left_out.is_empty() {
            out += "\n## Left out\n\n";
            for item in &self.left_out {
                let _ = writeln!(out, "- {item}");
            }
        }
        out
    }
}

impl TableReport {
    /// Whether the target holds what was written.
    pub fn verified(&self) -> bool {
        self.in_target.is_none_or(|n| n == self.written) && self.sums_agree()
    }
    fn sums_agree(&self) -> bool {
        let columns = self.columns.iter().filter_map(|c| c.checksums);
        self.rows.into_iter().chain(columns).all(Checksums::agree)
    }
}

/// A name inside a cell of a table.
fn cell(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace(['\n', '\r'], " ")
}
