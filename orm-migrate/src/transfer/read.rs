//! Rows of a table as they are stored, in pieces whose size is bounded by rows and bytes.

use std::any::Any;

use orm_core::driver::{Connection, Discard, Isolation, Sink, TxMode};
use orm_core::error::{Error, Result};
use orm_core::exec::Db;
use orm_core::sql::{Effort, Sql};
use orm_core::value::{Cells, Type, Value};

use crate::Backend;
use crate::schema::Name;
use crate::sql::name;
use crate::transfer::convert::Cell;
use crate::words::quoted;

/// How PostgreSQL prints values, whatever the server's settings are: so that both sides print alike.
pub(super) const PRINTED: [&str; 5] = [
    "SET LOCAL datestyle = 'ISO, YMD'",
    "SET LOCAL timezone = 'UTC'",
    "SET LOCAL intervalstyle = 'postgres'",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL bytea_output = 'hex'",
];

/// A piece holds about so many bytes.
pub(super) const PIECE: usize = 4 << 20;

/// A database at one moment.
pub(super) struct Reader {
    conn: Box<dyn Connection>,
    backend: Backend,
    /// Whether a cast to BLOB gives a text as UTF-8.
    utf8: bool,
}

/// What is read of a table.
pub(super) struct Wanted<'a> {
    pub(super) table: &'a Name,
    pub(super) columns: Vec<&'a str>,
    /// SQL that orders the rows of `t`.
    pub(super) order: String,
    /// Rows that were read before.
    pub(super) skip: u64,
    /// Rows of a piece at most.
    pub(super) batch: usize,
}

/// An open table.
pub(super) struct Rows<'r> {
    reader: &'r mut Reader,
    width: usize,
    batch: usize,
    /// How many rows the next piece has.
    next: usize,
    more: bool,
}

impl Reader {
    pub(super) async fn open(db: &Db, backend: Backend) -> Result<Self> {
        let mode = TxMode {
            isolation: (backend == Backend::Postgres).then_some(Isolation::RepeatableRead),
            read_only: true,
            ..TxMode::default()
        };
        let conn = db.driver().begin(mode).await?;
        let mut reader = Reader {
            conn,
            backend,
            utf8: true,
        };
        match backend {
            Backend::Postgres => {
                for text in PRINTED {
                    reader.conn.run(statement(text, &[]), Box::new(Discard)).await?;
                }
            }
            Backend::Sqlite => {
                let encoding = reader.texts("PRAGMA encoding", 1).await?;
                reader.utf8 = encoding.first().and_then(|r| r[0].as_deref()) == Some("UTF-8");
            }
        }
        Ok(reader)
    }

    /// Rows of texts.
    pub(super) async fn texts(&mut self, query: &str, width: usize) -> Result<Vec<Vec<Option<String>>>> {
        let types = vec![Type::Text; width];
        let sink = Box::new(Texts {
            width,
            rows: Vec::new(),
        });
        let done = self.conn.run(statement(query, &types), sink).await?;
        Ok(taken::<Texts>(done.sink)?.rows)
    }

    pub(super) async fn count(&mut self, table: &Name) -> Result<u64> {
        let query = format!("SELECT CAST(count(*) AS TEXT) FROM {}", name(table));
        let rows = self.texts(&query, 1).await?;
        let count = rows
            .first()
            .and_then(|r| r[0].as_deref())
            .and_then(|n| n.parse().ok());
        count.ok_or_else(|| Error::decode("a count came back that is no number"))
    }

    pub(super) async fn rows(&mut self, wanted: Wanted<'_>) -> Result<Rows<'_>> {
        let expression = |column: &&str| {
            let column = quoted(column);
            match self.backend {
                Backend::Postgres => format!("{column}::text"),
                // a text is read as its bytes, so that one which is not UTF-8 or holds NUL comes over whole
                Backend::Sqlite if self.utf8 => format!(
                    "typeof({column}), CASE typeof({column}) WHEN 'text' THEN CAST({column} AS BLOB) ELSE {column} END"
                ),
                Backend::Sqlite => format!("typeof({column}), {column}"),
            }
        };
        let mut list: Vec<String> = wanted.columns.iter().map(expression).collect();
        if list.is_empty() {
            list.push(match self.backend {
                Backend::Postgres => "''::text".to_owned(),
                Backend::Sqlite => "'', ''".to_owned(),
            });
        }
        let mut query = format!("SELECT {} FROM {} AS t", list.join(", "), name(wanted.table));
        if !wanted.order.is_empty() {
            query += &format!(" ORDER BY {}", wanted.order);
        }
        match self.backend {
            Backend::Postgres => query += &format!(" OFFSET {}", wanted.skip),
            Backend::Sqlite => query += &format!(" LIMIT -1 OFFSET {}", wanted.skip),
        }
        let types = match self.backend {
            Backend::Postgres => vec![Type::Text; list.len()],
            Backend::Sqlite => vec![],
        };
        self.conn.open_cursor(statement(&query, &types)).await?;
        Ok(Rows {
            width: wanted.columns.len(),
            batch: wanted.batch.max(1),
            next: wanted.batch.clamp(1, 64),
            more: true,
            reader: self,
        })
    }

    pub(super) async fn close(self) -> Result<()> {
        self.conn.rollback().await
    }
}

impl Rows<'_> {
    /// The next piece; none behind the last row.
    pub(super) async fn piece(&mut self) -> Result<Option<Vec<Vec<Cell>>>> {
        if !self.more {
            return Ok(None);
        }
        let sink = Box::new(Piece {
            backend: self.reader.backend,
            width: self.width,
            wants: self.next,
            size: 0,
            rows: Vec::with_capacity(self.next),
        });
        let (sink, more) = self.reader.conn.fetch_cursor(sink).await?;
        let piece = taken::<Piece>(sink)?;
        self.more = more && !piece.rows.is_empty();
        if !self.more {
            self.reader.conn.close_cursor().await?;
        }
        if piece.rows.is_empty() {
            return Ok(None);
        }
        let row = (piece.size / piece.rows.len()).max(1);
        self.next = (PIECE / row).clamp(1, self.batch);
        Ok(Some(piece.rows))
    }
}

/// A statement that reads.
fn statement(text: &str, columns: &[Type]) -> Sql {
    Sql {
        text: text.into(),
        params: Vec::<Value>::new(),
        columns: columns.into(),
        effort: Effort::Long,
        writes: false,
        operation: "TRANSFER",
        target: None,
        sensitive: true,
        site: None,
    }
}

pub(super) fn taken<T: 'static>(sink: Box<dyn Sink>) -> Result<Box<T>> {
    let back = sink.into_any().downcast::<T>();
    back.map_err(|_| Error::decode("the rows came back in another sink"))
}

/// Collects rows of texts.
pub(super) struct Texts {
    pub(super) width: usize,
    pub(super) rows: Vec<Vec<Option<String>>>,
}

impl Sink for Texts {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        let cell = |i| cells.text(i).map(|t| t.map(str::to_owned));
        self.rows.push((0..self.width).map(cell).collect::<Result<_>>()?);
        Ok(())
    }
    fn rows(&self) -> usize {
        self.rows.len()
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// Collects rows as they are stored.
pub(super) struct Piece {
    pub(super) backend: Backend,
    pub(super) width: usize,
    pub(super) wants: usize,
    pub(super) size: usize,
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Sink for Piece {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        let mut row = Vec::with_capacity(self.width);
        for i in 0..self.width {
            let cell = match self.backend {
                Backend::Postgres => cells.text(i)?.map_or(Cell::Null, |t| Cell::Text(t.to_owned())),
                Backend::Sqlite => stored(cells, i * 2)?,
            };
            self.size += cell.size();
            row.push(cell);
        }
        self.rows.push(row);
        Ok(())
    }
    fn wants(&self) -> Option<usize> {
        Some(self.wants)
    }
    fn rows(&self) -> usize {
        self.rows.len()
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// A value of SQLite: its type, and behind it the value.
fn stored(cells: &dyn Cells, i: usize) -> Result<Cell> {
    let absent = || Error::decode("a value came back as NULL that was none");
    Ok(match cells.text(i)? {
        Some("null") | None => Cell::Null,
        Some("integer") => Cell::Int(cells.i64(i + 1)?.ok_or_else(absent)?),
        Some("real") => Cell::Real(cells.f64(i + 1)?.ok_or_else(absent)?),
        Some("blob") => Cell::Blob(cells.bytes(i + 1)?.ok_or_else(absent)?.to_vec()),
        Some(_) => match cells.bytes(i + 1) {
            Ok(bytes) => match String::from_utf8(bytes.ok_or_else(absent)?.to_vec()) {
                Ok(text) => Cell::Text(text),
                Err(e) => Cell::Mangled(e.into_bytes()),
            },
            // a database in UTF-16: the text itself
            Err(_) => Cell::Text(cells.text(i + 1)?.ok_or_else(absent)?.to_owned()),
        },
    })
}
