//! The music shop, as a legacy file has it: rows of all kinds that go over without a loss.

use std::path::Path;

use orm::prelude::*;
use orm_migrate::transfer::Transfer;

use crate::support::{exec, texts};
use crate::transfer::{legacy, whole};

const SCHEMA: &[&str] = &[
    "CREATE TABLE artist (id INTEGER PRIMARY KEY, name NVARCHAR(120))",
    "CREATE TABLE album (id INTEGER PRIMARY KEY, title NVARCHAR(160) NOT NULL, artist_id INTEGER NOT NULL REFERENCES artist)",
    "CREATE TABLE employee (id INTEGER PRIMARY KEY, last_name NVARCHAR(20) NOT NULL, first_name NVARCHAR(20) NOT NULL, \
     title NVARCHAR(30), reports_to INTEGER REFERENCES employee, birth_date DATETIME, hire_date DATETIME, address NVARCHAR(70), \
     city NVARCHAR(40), state NVARCHAR(40), country NVARCHAR(40), postal_code NVARCHAR(10), phone NVARCHAR(24), fax NVARCHAR(24), \
     email NVARCHAR(60))",
    "CREATE TABLE customer (id INTEGER PRIMARY KEY, first_name NVARCHAR(40) NOT NULL, last_name NVARCHAR(20) NOT NULL, \
     company NVARCHAR(80), address NVARCHAR(70), city NVARCHAR(40), state NVARCHAR(40), country NVARCHAR(40), \
     postal_code NVARCHAR(10), phone NVARCHAR(24), fax NVARCHAR(24), email NVARCHAR(60) NOT NULL, \
     support_rep_id INTEGER REFERENCES employee)",
    "CREATE TABLE genre (id INTEGER PRIMARY KEY, name NVARCHAR(120))",
    "CREATE TABLE media_type (id INTEGER PRIMARY KEY, name NVARCHAR(120))",
    "CREATE TABLE invoice (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer, \
     invoice_date DATETIME NOT NULL, billing_address NVARCHAR(70), billing_city NVARCHAR(40), billing_state NVARCHAR(40), \
     billing_country NVARCHAR(40), billing_postal_code NVARCHAR(10), total NUMERIC(10,2) NOT NULL)",
    "CREATE TABLE track (id INTEGER PRIMARY KEY, name NVARCHAR(200) NOT NULL, album_id INTEGER REFERENCES album, \
     media_type_id INTEGER NOT NULL REFERENCES media_type, genre_id INTEGER REFERENCES genre, composer NVARCHAR(220), \
     milliseconds INTEGER NOT NULL, bytes INTEGER, unit_price NUMERIC(10,2) NOT NULL)",
    "CREATE TABLE invoice_line (id INTEGER PRIMARY KEY, invoice_id INTEGER NOT NULL REFERENCES invoice, \
     track_id INTEGER NOT NULL REFERENCES track, unit_price NUMERIC(10,2) NOT NULL, quantity INTEGER NOT NULL)",
    "CREATE TABLE playlist (id INTEGER PRIMARY KEY, name NVARCHAR(120))",
    "CREATE TABLE playlist_track (playlist_id INTEGER NOT NULL REFERENCES playlist, track_id INTEGER NOT NULL REFERENCES track, \
     PRIMARY KEY (playlist_id, track_id)) WITHOUT ROWID",
    "CREATE INDEX ix_track_album ON track (album_id)",
];

/// The records of a CSV file; an empty field is NULL.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                field.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            c => field.push(c),
        }
    }
    records
}

pub(super) async fn shop() -> orm::testing::TestDb {
    let db = legacy(SCHEMA).await;
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/chinook/data");
    exec(&db, "PRAGMA foreign_keys = OFF").await.unwrap();
    for table in [
        "artist",
        "album",
        "employee",
        "customer",
        "genre",
        "media_type",
        "invoice",
        "track",
        "invoice_line",
        "playlist",
        "playlist_track",
    ] {
        let text = std::fs::read_to_string(data.join(format!("{table}.csv"))).unwrap();
        let mut records = records(&text).into_iter();
        let columns = records.next().unwrap().join(", ");
        let rows: Vec<String> = records
            .map(|record| {
                let values: Vec<String> = record
                    .iter()
                    .map(|v| match v.is_empty() {
                        true => "NULL".to_owned(),
                        false => format!("'{}'", v.replace('\'', "''")),
                    })
                    .collect();
                format!("({})", values.join(", "))
            })
            .collect();
        for some in rows.chunks(500) {
            let insert = format!("INSERT INTO {table} ({columns}) VALUES {}", some.join(", "));
            exec(&db, &insert)
                .await
                .unwrap_or_else(|e| panic!("{table}: {e}"));
        }
    }
    db
}

#[orm::test(requires = |f| f.schemas)]
async fn the_shop_goes_over_whole(new: Db) -> orm::Result<()> {
    let old = shop().await;
    let report = Transfer::new(&old, &new).run().await?;
    whole(&report);
    assert_eq!((report.written(), report.rejected()), (15_607, 0));
    assert_eq!(report.left_out, [""; 0]);
    for table in &report.tables {
        assert!(
            table.rows.is_some_and(|c| c.agree() && c.written.0 != 0),
            "{}",
            table.source
        );
        assert!(
            table
                .columns
                .iter()
                .all(|c| c.checksums.is_some_and(|c| c.agree())),
            "{}",
            table.source
        );
    }
    // parents first
    let order: Vec<&str> = report.tables.iter().map(|t| t.source.as_str()).collect();
    let at = |name: &str| order.iter().position(|t| *t == name).unwrap();
    assert!(at("artist") < at("album") && at("album") < at("track") && at("track") < at("playlist_track"));
    // both say the same, asked in SQL
    for (query, answer) in [
        ("SELECT CAST(sum(total) AS TEXT) FROM invoice", "2328.60"),
        ("SELECT CAST(count(DISTINCT composer) AS TEXT) FROM track", ""),
        ("SELECT name FROM track WHERE id = 3503", "Koyaanisqatsi"),
    ] {
        let there = texts(&new, query).await;
        if answer.is_empty() {
            assert_eq!(there, texts(&old, query).await, "{query}");
        } else {
            assert_eq!(there, [answer], "{query}");
        }
    }
    assert_eq!(
        texts(
            &new,
            "INSERT INTO genre (name) VALUES ('Skiffle') RETURNING id::text"
        )
        .await,
        ["26"]
    );
    let lost = "DELETE FROM artist WHERE id = 1";
    assert!(exec(&new, lost).await.unwrap_err().is_foreign_key_violation());
    Ok(())
}
