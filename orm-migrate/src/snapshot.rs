//! A schema as a file: JSON, one thing a line, in one order, so that two branches that change the same table conflict
//! in version control.

use orm_core::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::schema::Schema;

/// The format of the file; one with a higher number is refused.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct File<S> {
    format: u32,
    dialect: String,
    schema: S,
}

/// Writes a schema of a database of this dialect (`postgres`, `sqlite`).
///
/// ```
/// # use orm_migrate::{schema::Schema, snapshot};
/// let text = snapshot::write(&Schema::default(), "sqlite");
/// assert_eq!(snapshot::read(&text, "sqlite")?, Schema::default());
/// # Ok::<(), orm_core::error::Error>(())
/// ```
pub fn write(schema: &Schema, dialect: &str) -> String {
    let file = File {
        format: FORMAT,
        dialect: dialect.to_owned(),
        schema,
    };
    // cannot fail: no map with keys that are no text, no type that refuses
    let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// `Config` when it is no such file, when a newer version wrote it, or when it belongs to another database.
pub fn read(text: &str, dialect: &str) -> Result<Schema> {
    let refuse = |why: String| Error::new(ErrorKind::Config, why);
    let file: File<Schema> =
        serde_json::from_str(text).map_err(|e| refuse(format!("the snapshot cannot be read: {e}")))?;
    if file.format > FORMAT {
        return Err(refuse(format!(
            "the snapshot has format {}, and this version reads up to {FORMAT}",
            file.format
        )));
    }
    if file.dialect != dialect {
        return Err(refuse(format!(
            "the snapshot is of {}, and this database is {dialect}",
            file.dialect
        )));
    }
    Ok(file.schema)
}
