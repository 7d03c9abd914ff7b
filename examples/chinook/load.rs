//! From the CSV files to the database: every table in foreign-key order, in one transaction, keys kept.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use csv::StringRecord;
use orm::prelude::*;
use orm::query::{Insert, IntoInsert};

use crate::models::*;
use crate::progress::Progress;

/// Anything that may go wrong here: the database, or a file that does not read.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// How many rows go in at once: enough for speed, few enough for the bar to move.
const CHUNK: usize = 1000;

/// Every file, embedded so that the example runs from any folder.
const FILES: [(&str, &str); 11] = [
    ("artist", include_str!("data/artist.csv")),
    ("genre", include_str!("data/genre.csv")),
    ("media_type", include_str!("data/media_type.csv")),
    ("employee", include_str!("data/employee.csv")),
    ("playlist", include_str!("data/playlist.csv")),
    ("album", include_str!("data/album.csv")),
    ("customer", include_str!("data/customer.csv")),
    ("track", include_str!("data/track.csv")),
    ("invoice", include_str!("data/invoice.csv")),
    ("playlist_track", include_str!("data/playlist_track.csv")),
    ("invoice_line", include_str!("data/invoice_line.csv")),
];

/// Creates the tables and fills them; how many rows.
pub async fn load(db: &Db) -> Result<usize, Error> {
    let tables = FILES
        .iter()
        .map(|(name, text)| Table::read(name, text))
        .collect::<Result<Vec<_>, Error>>()?;
    let rows = tables.iter().map(|t| t.rows.len()).sum();
    db.create_all(&schema()).await?;
    let mut progress = Progress::new(rows);
    let loaded = db
        .transaction(async |tx| -> Result<(), Error> {
            for table in &tables {
                insert(tx, table, &mut progress).await?;
            }
            Ok(())
        })
        .await;
    progress.clear();
    loaded.map(|()| rows)
}

async fn insert(tx: &Tx, table: &Table, progress: &mut Progress) -> Result<(), Error> {
    for cells in table.rows.chunks(CHUNK) {
        let rows: Vec<Row<'_>> = cells.iter().map(|cells| Row { table, cells }).collect();
        match table.name {
            "artist" => all::<NewArtist>(tx, &rows, artist).await?,
            "genre" => all::<NewGenre>(tx, &rows, genre).await?,
            "media_type" => all::<NewMediaType>(tx, &rows, media_type).await?,
            "employee" => all::<NewEmployee>(tx, &rows, employee).await?,
            "playlist" => all::<NewPlaylist>(tx, &rows, playlist).await?,
            "album" => all::<NewAlbum>(tx, &rows, album).await?,
            "customer" => all::<NewCustomer>(tx, &rows, customer).await?,
            "track" => all::<NewTrack>(tx, &rows, track).await?,
            "invoice" => all::<NewInvoice>(tx, &rows, invoice).await?,
            "playlist_track" => all::<NewPlaylistTrack>(tx, &rows, playlist_track).await?,
            "invoice_line" => all::<NewInvoiceLine>(tx, &rows, invoice_line).await?,
            name => return Err(format!("no table for {name}.csv").into()),
        }
        progress.add(table.name, rows.len());
    }
    Ok(())
}

/// How a row of a file becomes an insert.
type Parse<N> = fn(&Row<'_>) -> Result<Insert<<N as New>::Model>, Error>;

async fn all<N: New>(tx: &Tx, rows: &[Row<'_>], parse: Parse<N>) -> Result<(), Error>
where
    Tx: Writes<N::Model>,
{
    let inserts = rows.iter().map(parse).collect::<Result<Vec<_>, Error>>()?;
    N::exec_all(tx, inserts).await?;
    Ok(())
}

fn artist(row: &Row<'_>) -> Result<Insert<Artist>, Error> {
    let new = NewArtist {
        name: row.get("name")?,
    };
    Ok(new.with_id(row.get("id")?))
}

fn genre(row: &Row<'_>) -> Result<Insert<Genre>, Error> {
    let new = NewGenre {
        name: row.get("name")?,
    };
    Ok(new.with_id(row.get("id")?))
}

fn media_type(row: &Row<'_>) -> Result<Insert<MediaType>, Error> {
    let new = NewMediaType {
        name: row.get("name")?,
    };
    Ok(new.with_id(row.get("id")?))
}

fn playlist(row: &Row<'_>) -> Result<Insert<Playlist>, Error> {
    let new = NewPlaylist {
        name: row.get("name")?,
    };
    Ok(new.with_id(row.get("id")?))
}

fn album(row: &Row<'_>) -> Result<Insert<Album>, Error> {
    let new = NewAlbum {
        title: row.get("title")?,
        artist_id: row.get("artist_id")?,
    };
    Ok(new.with_id(row.get("id")?))
}

fn track(row: &Row<'_>) -> Result<Insert<Track>, Error> {
    let (album_id, genre_id): (Option<Id<Album>>, Option<Id<Genre>>) =
        (row.opt("album_id")?, row.opt("genre_id")?);
    let (composer, bytes): (Option<String>, Option<i64>) = (row.opt("composer")?, row.opt("bytes")?);
    let new = NewTrack {
        name: row.get("name")?,
        media_type_id: row.get("media_type_id")?,
        milliseconds: row.get("milliseconds")?,
        unit_price: row.get("unit_price")?,
    };
    Ok(new.with_id(row.get("id")?).set(|t| {
        (
            t.album_id.to(album_id),
            t.genre_id.to(genre_id),
            t.composer.to(composer),
            t.bytes.to(bytes),
        )
    }))
}

fn playlist_track(row: &Row<'_>) -> Result<Insert<PlaylistTrack>, Error> {
    let new = NewPlaylistTrack {
        playlist_id: row.get("playlist_id")?,
        track_id: row.get("track_id")?,
    };
    Ok(new.into_insert())
}

fn employee(row: &Row<'_>) -> Result<Insert<Employee>, Error> {
    let reports_to: Option<Id<Employee>> = row.opt("reports_to")?;
    let (born, hired): (Option<DateTime<Utc>>, Option<DateTime<Utc>>) =
        (row.opt("birth_date")?, row.opt("hire_date")?);
    let new = NewEmployee {
        last_name: row.get("last_name")?,
        first_name: row.get("first_name")?,
    };
    Ok(new.with_id(row.get("id")?).set(|e| {
        (
            e.title.to(row.text("title")),
            e.reports_to.to(reports_to),
            e.birth_date.to(born),
            e.hire_date.to(hired),
            e.address.to(row.text("address")),
            e.city.to(row.text("city")),
            e.state.to(row.text("state")),
            e.country.to(row.text("country")),
            e.postal_code.to(row.text("postal_code")),
            e.phone.to(row.text("phone")),
            e.fax.to(row.text("fax")),
            e.email.to(row.text("email")),
        )
    }))
}

fn customer(row: &Row<'_>) -> Result<Insert<Customer>, Error> {
    let support_rep_id: Option<Id<Employee>> = row.opt("support_rep_id")?;
    let new = NewCustomer {
        first_name: row.get("first_name")?,
        last_name: row.get("last_name")?,
        country: row.get("country")?,
        email: row.get("email")?,
    };
    Ok(new.with_id(row.get("id")?).set(|c| {
        (
            c.company.to(row.text("company")),
            c.address.to(row.text("address")),
            c.city.to(row.text("city")),
            c.state.to(row.text("state")),
            c.postal_code.to(row.text("postal_code")),
            c.phone.to(row.text("phone")),
            c.fax.to(row.text("fax")),
            c.support_rep_id.to(support_rep_id),
        )
    }))
}

fn invoice(row: &Row<'_>) -> Result<Insert<Invoice>, Error> {
    let new = NewInvoice {
        customer_id: row.get("customer_id")?,
        invoice_date: row.get("invoice_date")?,
        billing_country: row.get("billing_country")?,
        total: row.get("total")?,
    };
    Ok(new.with_id(row.get("id")?).set(|i| {
        (
            i.billing_address.to(row.text("billing_address")),
            i.billing_city.to(row.text("billing_city")),
            i.billing_state.to(row.text("billing_state")),
            i.billing_postal_code.to(row.text("billing_postal_code")),
        )
    }))
}

fn invoice_line(row: &Row<'_>) -> Result<Insert<InvoiceLine>, Error> {
    let new = NewInvoiceLine {
        invoice_id: row.get("invoice_id")?,
        track_id: row.get("track_id")?,
        unit_price: row.get("unit_price")?,
        quantity: row.get("quantity")?,
    };
    Ok(new.with_id(row.get("id")?))
}

/// A file with its header.
struct Table {
    name: &'static str,
    header: StringRecord,
    rows: Vec<StringRecord>,
}

impl Table {
    fn read(name: &'static str, text: &str) -> Result<Table, Error> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers()?.clone();
        let rows = reader.records().collect::<Result<_, _>>()?;
        Ok(Table { name, header, rows })
    }
}

/// A row of a file; cells are read by the name of their column.
struct Row<'a> {
    table: &'a Table,
    cells: &'a StringRecord,
}

impl Row<'_> {
    /// The cell as text; `None` when it is empty, which stands for NULL.
    fn text(&self, column: &str) -> Option<String> {
        let at = self.table.header.iter().position(|name| name == column)?;
        self.cells
            .get(at)
            .filter(|cell| !cell.is_empty())
            .map(str::to_owned)
    }
    /// The cell as a number, key, price or RFC 3339 instant; `None` when it is empty.
    fn opt<T: FromStr<Err: std::fmt::Display>>(&self, column: &str) -> Result<Option<T>, Error> {
        let parse = |cell: String| cell.parse().map_err(|e| self.error(column, &format!("{e}")));
        self.text(column).map(parse).transpose()
    }
    /// The cell that must not be empty.
    fn get<T: FromStr<Err: std::fmt::Display>>(&self, column: &str) -> Result<T, Error> {
        self.opt(column)?
            .ok_or_else(|| self.error(column, "an empty field"))
    }
    fn error(&self, column: &str, what: &str) -> Error {
        let line = self.cells.position().map_or(0, csv::Position::line);
        format!("{}.csv line {line}, {column}: {what}", self.table.name).into()
    }
}
