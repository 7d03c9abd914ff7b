//! The same questions in SQL written by hand, to compare the answers with.

use std::future::Future;
use std::pin::Pin;

use chrono::{DateTime, Utc};
use orm::Pending;
use orm::prelude::*;
use orm::query::RawSql;
use orm::value::{Cells as Row, Output, Scalar, Type, Value};
use rust_decimal::Decimal;

use crate::questions::QUESTIONS;
use crate::table::{Cell, Cells};
use crate::tour::{STOPS, Stop};

/// Rows of hand-written SQL on their way.
pub type Proved<'a> = Pin<Box<dyn Future<Output = orm::Result<Vec<Vec<String>>>> + Send + 'a>>;

/// Whether a typed answer is the one that hand-written SQL gives.
pub struct Verdict {
    pub title: &'static str,
    pub rows: usize,
    pub matches: bool,
}

/// Asks everything twice.
pub async fn check(db: &Db) -> orm::Result<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    for question in QUESTIONS {
        let answer = (question.ask)(db).await?;
        let proof = (question.proof)(db).await?;
        verdicts.push(Verdict {
            title: answer.title,
            rows: proof.len(),
            matches: !proof.is_empty() && answer.rows == proof,
        });
    }
    for visit in STOPS {
        let Stop {
            title, rows, proof, ..
        } = visit(db).await?;
        verdicts.push(Verdict {
            title,
            rows: proof.len(),
            matches: !proof.is_empty() && rows == proof,
        });
    }
    Ok(verdicts)
}

fn rows<R: Output + Cells>(fetched: Pending<'_, Vec<R>>) -> Proved<'_> {
    Box::pin(async move { Ok(fetched.await?.iter().map(R::cells).collect()) })
}

/// Money counted in cents: a column type of this example's own.
struct Cents(i64);

impl Scalar for Cents {
    const TYPE: Type = Type::I64;
    fn into_value(self) -> Value {
        Value::I64(self.0)
    }
    fn decode(cells: &dyn Row, i: usize) -> orm::Result<Option<Self>> {
        Ok(cells.i64(i)?.map(Cents))
    }
}
impl Cell for Cents {
    fn text(&self) -> String {
        Decimal::new(self.0, 2).text()
    }
}

fn sqlite(db: &Db) -> bool {
    db.dialect().name() == "sqlite"
}

/// What turns a stored price into cents: SQLite holds exact decimals as whole numbers of the last digit.
fn cent(db: &Db) -> i64 {
    if sqlite(db) { 1 } else { 100 }
}

pub fn top_artists(db: &Db) -> Proved<'_> {
    let cent = cent(db);
    let sql = sql!(
        "select a.name, sum(l.quantity), cast(sum(l.unit_price * l.quantity) * {cent} as bigint)
         from invoice_lines l
         join tracks t on t.id = l.track_id
         join albums b on b.id = t.album_id
         join artists a on a.id = b.artist_id
         group by a.id, a.name
         order by 3 desc, a.id
         limit 10"
    );
    rows(sql.fetch::<(String, i64, Cents), _>(db))
}

pub fn countries(db: &Db) -> Proved<'_> {
    let cent = cent(db);
    let sql = sql!(
        "select c.country, count(distinct c.id), count(i.id), cast(sum(i.total) * {cent} as bigint)
         from customers c
         left join invoices i on i.customer_id = c.id
         group by c.country
         having count(distinct c.id) > 1
         order by 4 desc, c.country"
    );
    rows(sql.fetch::<(String, i64, i64, Cents), _>(db))
}

pub fn team(db: &Db) -> Proved<'_> {
    let cent = cent(db);
    let sql = sql!(
        "with recursive t (id, level) as (
           select id, 0 from employees where reports_to is null
           union all
           select e.id, t.level + 1 from t join employees e on e.reports_to = t.id
         )
         select t.level, e.first_name || ' ' || e.last_name, e.title, m.last_name, count(distinct c.id),
                cast(sum(i.total) * {cent} as bigint)
         from t
         join employees e on e.id = t.id
         left join employees m on m.id = e.reports_to
         left join customers c on c.support_rep_id = e.id
         left join invoices i on i.customer_id = c.id
         group by t.level, e.id, e.first_name, e.last_name, e.title, m.last_name
         order by t.level, e.id"
    );
    type Member = (i64, String, Option<String>, Option<String>, i64, Option<Cents>);
    rows(sql.fetch::<Member, _>(db))
}

pub fn months(db: &Db) -> Proved<'_> {
    type Month = (DateTime<Utc>, i64, Cents, Cents);
    if sqlite(db) {
        let sql = sql!(
            "select substr(invoice_date, 1, 7) || '-01T00:00:00.000000Z', count(*), sum(total), max(total)
             from invoices group by 1 order by 1 desc limit 12"
        );
        return rows(sql.fetch::<Month, _>(db));
    }
    let sql = sql!(
        "select date_trunc('month', invoice_date, 'UTC'), count(*),
                cast(sum(total) * 100 as bigint), cast(max(total) * 100 as bigint)
         from invoices group by 1 order by 1 desc limit 12"
    );
    rows(sql.fetch::<Month, _>(db))
}

pub fn reps_by_year(db: &Db) -> Proved<'_> {
    let sql: RawSql = if sqlite(db) {
        sql!(
            "select e.last_name, cast(substr(i.invoice_date, 1, 4) as integer), count(*), sum(i.total)
             from invoices i
             join customers c on c.id = i.customer_id
             join employees e on e.id = c.support_rep_id
             group by 1, 2 order by 1, 2"
        )
    } else {
        sql!(
            "select e.last_name, cast(extract(year from i.invoice_date at time zone 'UTC') as bigint), count(*),
                    cast(sum(i.total) * 100 as bigint)
             from invoices i
             join customers c on c.id = i.customer_id
             join employees e on e.id = c.support_rep_id
             group by 1, 2 order by 1, 2"
        )
    };
    rows(sql.fetch::<(String, i64, i64, Cents), _>(db))
}

pub fn never_sold(db: &Db) -> Proved<'_> {
    let sql = sql!(
        "select g.name, count(*), sum(case when s.track_id is null then 1 else 0 end)
         from tracks t
         left join genres g on g.id = t.genre_id
         left join (select distinct track_id from invoice_lines) s on s.track_id = t.id
         group by g.name
         order by 2 desc, 1"
    );
    rows(sql.fetch::<(Option<String>, i64, i64), _>(db))
}

pub fn longest_tracks(db: &Db) -> Proved<'_> {
    let sql = sql!(
        "select genre, track, milliseconds / 60000
         from (select g.name as genre, t.name as track, t.id, t.milliseconds,
                      rank() over (partition by g.id order by t.milliseconds desc) as place
               from tracks t join genres g on g.id = t.genre_id) ranked
         where place = 1
         order by milliseconds desc, id"
    );
    rows(sql.fetch::<(String, String, i64), _>(db))
}

pub fn albums(db: &Db) -> Proved<'_> {
    let sql = sql!(
        "select b.title, a.name, count(t.id), cast(sum(t.milliseconds) as bigint) / 60000
         from albums b
         join artists a on a.id = b.artist_id
         left join tracks t on t.album_id = b.id
         group by b.id, b.title, a.name
         order by 3 desc, b.id
         limit 10"
    );
    rows(sql.fetch::<(String, String, i64, i64), _>(db))
}

pub fn best_customers(db: &Db) -> Proved<'_> {
    let cent = cent(db);
    let sql = sql!(
        "select country, name, cast(spent * {cent} as bigint)
         from (select c.id, c.country, c.first_name || ' ' || c.last_name as name, sum(i.total) as spent,
                      rank() over (partition by c.country order by sum(i.total) desc) as place
               from customers c join invoices i on i.customer_id = c.id
               group by c.id, c.country, c.first_name, c.last_name) ranked
         where place = 1
         order by country, id"
    );
    rows(sql.fetch::<(String, String, Cents), _>(db))
}

pub fn above_average(db: &Db) -> Proved<'_> {
    let cent = cent(db);
    let sql = sql!(
        "select i.id, c.last_name, i.invoice_date, cast(i.total * {cent} as bigint)
         from invoices i join customers c on c.id = i.customer_id
         where i.total > (select avg(total) from invoices)
         order by i.total desc, i.id"
    );
    rows(sql.fetch::<(i64, String, DateTime<Utc>, Cents), _>(db))
}

pub fn baskets(db: &Db) -> Proved<'_> {
    let cent = cent(db);
    let sql = sql!(
        "select basket, count(*), cast(sum(total) * {cent} as bigint),
                cast(round(avg(total) * {cent}) as bigint)
         from (select i.total, case when count(l.id) <= 2 then 'small (up to 2 tracks)'
                                    when count(l.id) <= 6 then 'medium (up to 6 tracks)'
                                    else 'large' end as basket
               from invoices i left join invoice_lines l on l.invoice_id = i.id
               group by i.id, i.total) sized
         group by basket
         order by 2 desc, 1"
    );
    rows(sql.fetch::<(String, i64, Cents, Cents), _>(db))
}

pub fn media_types(db: &Db) -> Proved<'_> {
    let sql = sql!(
        "select m.name, count(*), count(*) * 100 / (select count(*) from tracks),
                cast(sum(t.bytes) as bigint) / 1000000
         from tracks t join media_types m on m.id = t.media_type_id
         group by m.name
         order by 2 desc, 1"
    );
    rows(sql.fetch::<(String, i64, i64, i64), _>(db))
}

pub fn composers(db: &Db) -> Proved<'_> {
    let sql = sql!(
        "select composer, count(*), count(distinct album_id)
         from tracks
         where composer is not null
         group by composer
         having count(*) >= 10
         order by 2 desc, 1
         limit 10"
    );
    rows(sql.fetch::<(String, i64, i64), _>(db))
}

pub fn jazz_not_metal(db: &Db) -> Proved<'_> {
    let sql = sql!(
        "with bought as (
             select i.customer_id, g.name as genre
             from invoices i
             join invoice_lines l on l.invoice_id = i.id
             join tracks t on t.id = l.track_id
             join genres g on g.id = t.genre_id)
         select c.first_name || ' ' || c.last_name, c.country
         from customers c
         where c.id in (select customer_id from bought where genre = 'Jazz')
           and c.id not in (select customer_id from bought where genre = 'Metal')
         order by c.id"
    );
    rows(sql.fetch::<(String, String), _>(db))
}

pub fn playlist_pairs(db: &Db) -> Proved<'_> {
    let sql = sql!(
        "select p.name, q.name, count(*)
         from playlist_tracks a
         join playlist_tracks b on b.track_id = a.track_id and b.playlist_id > a.playlist_id
         join playlists p on p.id = a.playlist_id
         join playlists q on q.id = b.playlist_id
         group by p.id, p.name, q.id, q.name
         order by 3 desc, p.id, q.id
         limit 10"
    );
    rows(sql.fetch::<(String, String, i64), _>(db))
}

pub fn playlists(db: &Db) -> Proved<'_> {
    let sql = sql!(
        "select p.id, p.name, count(t.id), cast(coalesce(sum(t.milliseconds), 0) as bigint) / 3600000
         from playlists p
         left join playlist_tracks pt on pt.playlist_id = p.id
         left join tracks t on t.id = pt.track_id
         group by p.id, p.name
         order by 3 desc, p.id"
    );
    rows(sql.fetch::<(i64, String, i64, i64), _>(db))
}

pub fn artists_without_albums(db: &Db) -> Proved<'_> {
    let sql = sql!(
        "select a.name from artists a
         left join albums b on b.artist_id = a.id
         where b.id is null
         order by a.name"
    );
    rows(sql.fetch::<(String,), _>(db))
}

pub fn genres_in_brazil(db: &Db) -> Proved<'_> {
    let sql = sql!(
        "select g.name, count(distinct t.id)
         from genres g join tracks t on t.genre_id = g.id
         group by g.id, g.name
         having exists (select 1 from tracks s
                        join invoice_lines l on l.track_id = s.id
                        join invoices i on i.id = l.invoice_id
                        where s.genre_id = g.id and i.billing_country = 'Brazil')
         order by g.name"
    );
    rows(sql.fetch::<(String, i64), _>(db))
}

pub fn runners_up(db: &Db) -> Proved<'_> {
    let cent = cent(db);
    let sql = sql!(
        "select c.first_name || ' ' || c.last_name, cast(sum(i.total) * {cent} as bigint), max(i.invoice_date)
         from customers c join invoices i on i.customer_id = c.id
         group by c.id, c.first_name, c.last_name
         order by 2 desc, c.id
         limit 10 offset 10"
    );
    rows(sql.fetch::<(String, Cents, DateTime<Utc>), _>(db))
}

pub fn classical_countries(db: &Db) -> Proved<'_> {
    let sql = sql!(
        "select distinct i.billing_country
         from invoices i
         join invoice_lines l on l.invoice_id = i.id
         join tracks t on t.id = l.track_id
         join genres g on g.id = t.genre_id
         where g.name = 'Classical'
         order by 1"
    );
    rows(sql.fetch::<(String,), _>(db))
}
