//! What the shop does beside asking: a catalogue page as JSON, the staff as an outline, an order and its history.

use std::future::Future;
use std::pin::Pin;

use chrono::{DateTime, Utc};
use orm::prelude::*;
use orm::{AuditLog, Path};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::models::*;
use crate::table::{Cell, Cells};

/// What is shown, and the rows behind it, twice: by the library and by SQL written by hand.
pub struct Stop {
    pub title: &'static str,
    pub shown: String,
    pub rows: Vec<Vec<String>>,
    pub proof: Vec<Vec<String>>,
}

/// A stop on its way.
pub type Visited<'a> = Pin<Box<dyn Future<Output = orm::Result<Stop>> + Send + 'a>>;

/// All stops, in the order they are visited.
pub const STOPS: &[fn(&Db) -> Visited<'_>] = &[
    |db| Box::pin(catalogue(db)),
    |db| Box::pin(staff(db)),
    |db| Box::pin(order(db)),
];

fn cells<R: Cells>(rows: &[R]) -> Vec<Vec<String>> {
    rows.iter().map(R::cells).collect()
}

/// A page of the catalogue: what is selected is what the structs name.
#[derive(Shape, Serialize)]
#[shape(Artist)]
struct ArtistPage {
    name: String,
    #[rel(order = |b| b.title.asc())]
    albums: Vec<AlbumCard>,
}

#[derive(Shape, Serialize)]
#[shape(Album)]
struct AlbumCard {
    title: String,
    #[rel(order = |t| t.id.asc(), limit = 3)]
    tracks: Vec<TrackLine>,
}

#[derive(Shape, Serialize)]
#[shape(Track)]
struct TrackLine {
    name: String,
    #[expr(|t| t.milliseconds / 1000)]
    seconds: i64,
    #[rel(genre, select = |g| g.name)]
    genre: Option<String>,
}

/// Four statements: the artist, its albums, the first three tracks of each, and their genres.
async fn catalogue(db: &Db) -> orm::Result<Stop> {
    let page = Artist::query().filter(|a| a.name.eq("AC/DC"));
    let page = page.shape::<ArtistPage>().one(db).await?;
    let rows: Vec<_> = page
        .albums
        .iter()
        .flat_map(|b| {
            b.tracks
                .iter()
                .map(|t| (b.title.clone(), t.name.clone(), t.seconds, t.genre.clone()))
        })
        .collect();
    let proof = sql!(
        "select album, track, seconds, genre
         from (select b.title as album, t.name as track, t.milliseconds / 1000 as seconds, g.name as genre, t.id,
                      row_number() over (partition by b.id order by t.id) as place
               from artists a
               join albums b on b.artist_id = a.id
               join tracks t on t.album_id = b.id
               left join genres g on g.id = t.genre_id
               where a.name = 'AC/DC') numbered
         where place <= 3
         order by album, id"
    );
    let proof: Vec<(String, String, i64, Option<String>)> = proof.fetch(db).await?;
    let json = serde_json::to_string_pretty(&page).map_err(|e| Error::decode(e.to_string()))?;
    Ok(Stop {
        title: "A page of the catalogue as JSON",
        shown: json,
        rows: cells(&rows),
        proof: cells(&proof),
    })
}

/// One statement: everybody below those that report to nobody, in the order of an outline.
async fn staff(db: &Db) -> orm::Result<Stop> {
    let outline: Vec<(Employee, Path<Employee>)> = Employee::query()
        .roots(|e| e.reports)
        .walk(|e| e.reports)
        .include_start()
        .order_siblings_by(|e| e.id.asc())
        .depth_first()
        .with_path()
        .all(db)
        .await?;
    let name = |e: &Employee| format!("{} {}", e.first_name, e.last_name);
    let line = |(e, path): &(Employee, Path<Employee>)| {
        let title = e.title.as_deref().unwrap_or("–");
        format!("{}{}, {title}\n", "    ".repeat(path.depth()), name(e))
    };
    let row = |(e, path): &(Employee, Path<Employee>)| {
        let way: Vec<String> = path.iter().map(Id::to_string).collect();
        (path.depth() as i64, name(e), way.join("/"))
    };
    let rows: Vec<(i64, String, String)> = outline.iter().map(row).collect();
    let proof = sql!(
        "with recursive t (id, level, way) as (
           select id, 0, cast(id as text) from employees where reports_to is null
           union all
           select e.id, t.level + 1, t.way || '/' || cast(e.id as text)
           from t join employees e on e.reports_to = t.id
         )
         select t.level, e.first_name || ' ' || e.last_name, t.way
         from t join employees e on e.id = t.id
         order by t.way"
    );
    let proof: Vec<(i64, String, String)> = proof.fetch(db).await?;
    Ok(Stop {
        title: "Who works here",
        shown: outline.iter().map(line).collect(),
        rows: cells(&rows),
        proof: cells(&proof),
    })
}

/// An invoice and its lines in one expression, a change of mind, and what the audit trail says of both. It is taken back
/// at the end: the shop's data stays as it is in the files.
async fn order(db: &Db) -> orm::Result<Stop> {
    let tx = db.acting_as("Jane Peacock".to_owned()).begin().await?;
    let customer = Customer::query().order_by(|c| c.id.asc()).first(&tx).await?;
    let customer = customer.ok_or_else(|| Error::not_found("Customer"))?;
    let tracks = Track::query()
        .filter(|t| t.album.any(|b| b.artist.any(|a| a.name.eq("AC/DC"))))
        .order_by(|t| t.id.asc())
        .limit(3)
        .select(|t| (t.id, t.unit_price))
        .all(&tx)
        .await?;
    let placed = NewInvoice {
        customer_id: customer.id,
        invoice_date: DateTime::<Utc>::UNIX_EPOCH,
        billing_country: customer.country,
        total: tracks.iter().map(|(_, price)| *price).sum(),
    }
    .set(|i| i.billing_city.to(customer.city))
    .with(
        |i| i.lines,
        move |invoice_id| {
            tracks
                .into_iter()
                .map(move |(track_id, unit_price)| NewInvoiceLine {
                    invoice_id,
                    track_id,
                    unit_price,
                    quantity: 1,
                })
        },
    )
    .insert(&tx)
    .await?;
    let (invoice, lines) = placed.into_parts();
    // the customer wants the first one twice
    let mut changed = tx.unit_of_work();
    for line in lines.into_iter().take(1) {
        let mut line = line.edit();
        line.quantity = 2;
        let mut total = invoice.clone().edit();
        total.total += line.unit_price;
        changed.save(line)?;
        changed.save(total)?;
    }
    changed.commit().await?;
    // two statements: the customer comes with the invoice, and each track with its line
    let invoice = Invoice::query()
        .with(|i| i.customer.joined())
        .with(|i| i.lines.order_by(|l| l.id.asc()).with(|l| l.track.joined()))
        .get(&tx, invoice.id)
        .await?;
    let total: Decimal = invoice
        .lines
        .iter()
        .map(|l| l.unit_price * Decimal::from(l.quantity))
        .sum();
    let history = invoice.trail(&tx).await?;
    let whole = history
        .first()
        .map(|entry| entry.transaction_id.clone())
        .unwrap_or_default();
    let entries = AuditLog::query().filter(|a| a.transaction_id.eq(whole.as_str()));
    let entries = entries
        .order_by(|a| (a.table_name.asc(), a.id.asc()))
        .all(&tx)
        .await?;
    let told = |a: &AuditLog| {
        let who = a.actor.clone().unwrap_or_default();
        (
            who,
            format!("{:?}", a.operation).to_lowercase(),
            a.table_name.clone(),
            a.changed.clone(),
        )
    };
    let mut rows = cells(&entries.iter().map(told).collect::<Vec<_>>());
    rows.push(cells(&[(invoice.total,)]).remove(0));
    let proof = sql!(
        "select actor, operation, table_name, changed from audit_log
         where transaction_id = {whole} order by table_name, id"
    );
    let proof: Vec<(String, String, String, String)> = proof.fetch(&tx).await?;
    let mut proof = cells(&proof);
    proof.push(vec![total.text()]);
    let shown = history.iter().map(|a| {
        let (who, operation, ..) = told(a);
        let fields = a.changed_fields();
        let fields = match operation.as_str() {
            "insert" => format!("{} fields", fields.len()),
            _ => fields.join(", "),
        };
        format!("{operation:<7} by {who}: {fields}\n")
    });
    let lines = invoice
        .lines
        .iter()
        .map(|l| format!("{} × {}\n", l.quantity, l.track.name));
    let shown = format!(
        "{}{} for {}. The history of the invoice, the latest first:\n\n{}",
        lines.collect::<String>(),
        invoice.total,
        invoice.customer.last_name,
        shown.collect::<String>()
    );
    tx.rollback().await?;
    Ok(Stop {
        title: "An order, one track of it taken twice in the end",
        shown,
        rows,
        proof,
    })
}
