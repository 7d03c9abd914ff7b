//! Twenty questions the owner of the shop may ask, each as one typed query.

use std::future::Future;
use std::pin::Pin;

use orm::DatePart;
use orm::model::Model;
use orm::prelude::*;
use orm::value::Output;
use rust_decimal::Decimal;

use crate::check;
use crate::models::*;
use crate::table::Cells;

/// What a question yields, ready to print.
pub struct Answer {
    pub title: &'static str,
    pub header: &'static [&'static str],
    pub rows: Vec<Vec<String>>,
    /// The statement that was sent.
    pub sql: String,
}

/// An answer on its way.
pub type Asked<'a> = Pin<Box<dyn Future<Output = orm::Result<Answer>> + Send + 'a>>;

/// A question, and the same in SQL written by hand.
pub struct Question {
    pub ask: fn(&Db) -> Asked<'_>,
    pub proof: fn(&Db) -> check::Proved<'_>,
}

macro_rules! questions {
    ($($name:ident)*) => {
        /// All questions, in the order they are asked.
        pub const QUESTIONS: &[Question] = &[$(Question { ask: $name, proof: check::$name }),*];
    };
}
questions! {
    top_artists countries team months reps_by_year never_sold longest_tracks albums best_customers
    above_average baskets media_types composers jazz_not_metal playlist_pairs playlists
    artists_without_albums genres_in_brazil runners_up classical_countries
}

fn ask<'a, M, R>(
    db: &'a Db,
    title: &'static str,
    header: &'static [&'static str],
    query: Query<M, R>,
) -> Asked<'a>
where
    M: Model,
    R: Output + Cells,
    Db: Serves<M>,
{
    Box::pin(async move {
        let sql = query.to_sql(db.dialect())?.text.to_string();
        let rows = query.all(db).await?.iter().map(R::cells).collect();
        Ok(Answer {
            title,
            header,
            rows,
            sql,
        })
    })
}

/// What a customer has spent; usable in any query that has customers at hand.
fn spent<S>(c: CustomerCols<S>) -> Expr<S, Option<Decimal>> {
    c.invoices.agg(|i| i.total.sum())
}

/// Whether a track of this genre is on the invoice.
fn has_genre<S>(i: InvoiceCols<S>, genre: &str) -> Filter<S> {
    i.lines
        .any(|l| l.track.any(|t| t.genre.any(|g| g.name.eq(genre))))
}

/// Joins over four tables, a sum of products per group.
fn top_artists(db: &Db) -> Asked<'_> {
    let query = InvoiceLine::query()
        .join(|l| l.track)
        .join(|(_, t)| t.album)
        .join(|(_, _, b)| b.artist)
        .group_by(|(.., a)| (a.id, a.name))
        .order_by(|g| (g.sum(|(l, ..)| l.unit_price * l.quantity).desc(), g.key().0.asc()))
        .limit(10)
        .select(|g| {
            (
                g.key().1,
                g.sum(|(l, ..)| l.quantity),
                g.sum(|(l, ..)| l.unit_price * l.quantity),
            )
        });
    ask(
        db,
        "Which artists earn the most?",
        &["artist", "sold", "revenue"],
        query,
    )
}

/// Left join, counting distinct rows, HAVING.
fn countries(db: &Db) -> Asked<'_> {
    let query = Customer::query()
        .left_join(|c| c.invoices)
        .group_by(|(c, _)| c.country)
        .having(|g| g.agg(|(c, _)| c.id.count_distinct()).gt(1))
        .order_by(|g| (g.sum(|(_, i)| i.map(|i| i.total)).desc(), g.key().asc()))
        .select(|g| {
            (
                g.key(),
                g.agg(|(c, _)| c.id.count_distinct()),
                g.agg(|(_, i)| i.map(|i| i.id).count()),
                g.sum(|(_, i)| i.map(|i| i.total)),
            )
        });
    let header = &["country", "customers", "invoices", "revenue"];
    ask(
        db,
        "Where do several customers live, and what do they spend?",
        header,
        query,
    )
}

/// A tree from its roots down, relation counts and nested relation aggregates.
fn team(db: &Db) -> Asked<'_> {
    let query = Employee::query()
        .roots(|e| e.reports)
        .walk(|e| e.reports)
        .include_start()
        .breadth_first()
        .order_siblings_by(|e| e.id.asc())
        .select_with_depth(|e, depth| {
            (
                depth,
                e.first_name.concat(" ").concat(e.last_name),
                e.title,
                e.manager.col(|m| m.last_name),
                e.customers.count(),
                e.customers.agg(|c| spent(c).sum()),
            )
        });
    let header = &["level", "employee", "title", "reports to", "customers", "revenue"];
    ask(
        db,
        "Who reports to whom, and looks after how many customers?",
        header,
        query,
    )
}

/// Instants cut to the month.
fn months(db: &Db) -> Asked<'_> {
    let query = Invoice::query()
        .group_by(|i| i.invoice_date.date_trunc(DatePart::Month))
        .order_by(|g| g.key().desc())
        .limit(12)
        .select(|g| (g.key(), g.count(), g.sum(|i| i.total), g.max(|i| i.total)));
    let header = &["month", "invoices", "revenue", "largest"];
    ask(db, "How did the last twelve months go?", header, query)
}

/// Two joins, grouped by a column of one table and the year of another.
fn reps_by_year(db: &Db) -> Asked<'_> {
    let query = Invoice::query()
        .join(|i| i.customer)
        .join(|(_, c)| c.support_rep)
        .group_by(|(i, _, e)| (e.last_name, i.invoice_date.year()))
        .order_by(|g| (g.key().0.asc(), g.key().1.asc()))
        .select(|g| (g.key().0, g.key().1, g.count(), g.sum(|(i, ..)| i.total)));
    let header = &["sales rep", "year", "invoices", "revenue"];
    ask(db, "What does each sales rep bring in per year?", header, query)
}

/// An aggregate over a part of the group, chosen by a relation predicate.
fn never_sold(db: &Db) -> Asked<'_> {
    let query = Track::query()
        .left_join(|t| t.genre)
        .group_by(|(_, g)| g.map(|g| g.name))
        .order_by(|g| (g.count().desc(), g.key().asc()))
        .select(|g| {
            (
                g.key(),
                g.count(),
                g.agg(|(t, _)| t.id.count().filter(t.lines.exist().not())),
            )
        });
    let header = &["genre", "tracks", "never sold"];
    ask(db, "How much of the catalogue was never sold?", header, query)
}

/// Compared with an aggregate of a relation of a joined table.
fn longest_tracks(db: &Db) -> Asked<'_> {
    let query = Track::query()
        .join(|t| t.genre)
        .filter(|(t, g)| t.milliseconds.eq(g.tracks.agg(|other| other.milliseconds.max())))
        .order_by(|(t, _)| (t.milliseconds.desc(), t.id.asc()))
        .select(|(t, g)| (g.name, t.name, t.milliseconds / 60_000));
    let header = &["genre", "track", "minutes"];
    ask(db, "What is the longest track of each genre?", header, query)
}

/// A column, a count and an aggregate across relations, without a join.
fn albums(db: &Db) -> Asked<'_> {
    let query = Album::query()
        .order_by(|b| (b.tracks.count().desc(), b.id.asc()))
        .limit(10)
        .select(|b| {
            (
                b.title,
                b.artist.col(|a| a.name),
                b.tracks.count(),
                b.tracks.agg(|t| t.milliseconds.sum()) / 60_000,
            )
        });
    let header = &["album", "artist", "tracks", "minutes"];
    ask(db, "Which albums have the most tracks?", header, query)
}

/// A join on a condition: nobody in the same country has spent more.
fn best_customers(db: &Db) -> Asked<'_> {
    let query = Customer::query()
        .left_join_on(Customer::query(), |c, other| {
            other.country.eq(c.country).and(spent(other).gt(spent(c)))
        })
        .filter(|(_, other)| other.map(|o| o.id).is_null())
        .order_by(|(c, _)| (c.country.asc(), c.id.asc()))
        .select(|(c, _)| (c.country, c.first_name.concat(" ").concat(c.last_name), spent(c)));
    let header = &["country", "customer", "spent"];
    ask(db, "Who is the best customer of each country?", header, query)
}

/// A query as a value in a condition.
fn above_average(db: &Db) -> Asked<'_> {
    let average = Invoice::query().aggregate(|i| i.total.avg());
    let query = Invoice::query()
        .filter(|i| i.total.gt(average))
        .order_by(|i| (i.total.desc(), i.id.asc()))
        .select(|i| (i.id, i.customer.col(|c| c.last_name), i.invoice_date, i.total));
    let header = &["invoice", "customer", "date", "total"];
    ask(db, "Which invoices are above the average?", header, query)
}

/// Grouped by a CASE over a relation count.
fn baskets(db: &Db) -> Asked<'_> {
    let query = Invoice::query()
        .group_by(|i| {
            case(i.lines.count().le(2), "small (up to 2 tracks)")
                .when(i.lines.count().le(6), "medium (up to 6 tracks)")
                .or_else("large")
        })
        .order_by(|g| (g.count().desc(), g.key().asc()))
        .select(|g| (g.key(), g.count(), g.sum(|i| i.total), g.avg(|i| i.total)));
    let header = &["basket", "invoices", "revenue", "average"];
    ask(db, "How large are the baskets?", header, query)
}

/// Arithmetic between an aggregate and a query.
fn media_types(db: &Db) -> Asked<'_> {
    let all = Track::query().aggregate(|t| t.id.count());
    let query = Track::query()
        .join(|t| t.media_type)
        .group_by(|(_, m)| m.name)
        .order_by(|g| (g.count().desc(), g.key().asc()))
        .select(|g| {
            let megabytes = g.sum(|(t, _)| t.bytes) / 1_000_000;
            (g.key(), g.count(), g.count() * 100 / all, megabytes)
        });
    let header = &["media type", "tracks", "percent", "megabytes"];
    ask(db, "In which formats are the tracks?", header, query)
}

/// A nullable column as the key, NULLs left out.
fn composers(db: &Db) -> Asked<'_> {
    let query = Track::query()
        .filter(|t| t.composer.is_not_null())
        .group_by(|t| t.composer)
        .having(|g| g.count().ge(10))
        .order_by(|g| (g.count().desc(), g.key().asc()))
        .limit(10)
        .select(|g| (g.key(), g.count(), g.agg(|t| t.album_id.count_distinct())));
    let header = &["composer", "tracks", "albums"];
    ask(db, "Who composed the most tracks?", header, query)
}

/// Predicates along four relations: at least one, and none.
fn jazz_not_metal(db: &Db) -> Asked<'_> {
    let query = Customer::query()
        .filter(|c| c.invoices.any(|i| has_genre(i, "Jazz")))
        .filter(|c| c.invoices.none(|i| has_genre(i, "Metal")))
        .order_by(|c| c.id.asc())
        .select(|c| (c.first_name.concat(" ").concat(c.last_name), c.country));
    let header = &["customer", "country"];
    ask(db, "Who bought Jazz, but never Metal?", header, query)
}

/// A table joined to itself on a condition, then to two more.
fn playlist_pairs(db: &Db) -> Asked<'_> {
    let query = PlaylistTrack::query()
        .join_on(PlaylistTrack::query(), |a, b| {
            a.track_id.eq(b.track_id).and(a.playlist_id.lt(b.playlist_id))
        })
        .join(|(a, _)| a.playlist)
        .join(|(_, b, _)| b.playlist)
        .group_by(|(_, _, p, q)| (p.id, p.name, q.id, q.name))
        .order_by(|g| (g.count().desc(), g.key().0.asc(), g.key().2.asc()))
        .limit(10)
        .select(|g| (g.key().1, g.key().3, g.count()));
    let header = &["playlist", "and", "tracks in both"];
    ask(db, "Which playlists share the most tracks?", header, query)
}

/// Many-to-many: counted and summed through the table in between, empty playlists included.
fn playlists(db: &Db) -> Asked<'_> {
    let query = Playlist::query()
        .order_by(|p| (p.tracks.count().desc(), p.id.asc()))
        .select(|p| {
            let hours = p.tracks.agg(|t| t.milliseconds.sum()).or_else(0) / 3_600_000;
            (p.id, p.name, p.tracks.count(), hours)
        });
    let header = &["id", "playlist", "tracks", "hours"];
    ask(db, "How long are the playlists?", header, query)
}

/// No related row at all.
fn artists_without_albums(db: &Db) -> Asked<'_> {
    let query = Artist::query()
        .filter(|a| a.albums.exist().not())
        .order_by(|a| a.name.asc())
        .select(|a| (a.name,));
    ask(db, "Which artists have no album in the shop?", &["artist"], query)
}

/// A query with joins of its own inside IN.
fn genres_in_brazil(db: &Db) -> Asked<'_> {
    let sold = InvoiceLine::query()
        .join(|l| l.invoice)
        .join(|(l, _)| l.track)
        .filter(|(_, i, _)| i.billing_country.eq("Brazil"))
        .select(|(.., t)| t.genre_id);
    let query = Genre::query()
        .filter(|g| g.id.in_(sold))
        .order_by(|g| g.name.asc())
        .select(|g| (g.name, g.tracks.count()));
    ask(db, "Which genres sell in Brazil?", &["genre", "tracks"], query)
}

/// A page of a list: OFFSET and LIMIT.
fn runners_up(db: &Db) -> Asked<'_> {
    let query = Customer::query()
        .order_by(|c| (spent(c).desc(), c.id.asc()))
        .offset(10)
        .limit(10)
        .select(|c| {
            let last = c.invoices.agg(|i| i.invoice_date.max());
            (c.first_name.concat(" ").concat(c.last_name), spent(c), last)
        });
    let header = &["customer", "spent", "last invoice"];
    ask(db, "Which customers come in places 11 to 20?", header, query)
}

/// Equal rows once.
fn classical_countries(db: &Db) -> Asked<'_> {
    let query = Invoice::query()
        .filter(|i| has_genre(i, "Classical"))
        .select(|i| (i.billing_country,))
        .distinct()
        .order_by(|i| i.billing_country.asc());
    ask(
        db,
        "In which countries is classical music bought?",
        &["country"],
        query,
    )
}
