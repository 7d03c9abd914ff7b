//! Generated queries against an interpreter of our own: what the library reads is what the terms mean, on every
//! database alike. Each seed is one query, written with the typed methods.
//!
//! What the databases are known to differ in is not generated, and is written down in the guide ("Traps"): the order of
//! texts is the collation's, and integers beyond 64 bits are an error.
//!
//! `ORM_TEST_QUERIES=100000` runs more queries (with `ORM_TEST_TIMEOUT=7200`), `ORM_TEST_SEED=17` that one alone.

mod beyond;
mod build;
mod eval;
mod term;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use orm::prelude::*;
use orm::schema::Schema;

use crate::random::{Gen, seeds};
use build::{cond, num, txt};
use eval::Rows;
use term::{Cond, NewPiece, NewSheet, Num, Piece, Sheet, Txt, day, number, price, word};

fn sheets() -> Schema {
    orm::schema![Sheet, Piece]
}

async fn fill(db: &Db, seed: u64) -> orm::Result<Rows> {
    let g = &mut Gen::new(seed);
    let sheets = (0..14).map(|_| {
        let (a, t, yes) = (g.maybe(number), g.maybe(word), g.maybe(|g| g.one_in(2)));
        let (price, day) = (g.maybe(price), g.maybe(day));
        let new = NewSheet {
            b: number(g),
            u: word(g),
            on: g.one_in(2),
        };
        new.set(|s| {
            (
                s.a.to(a),
                s.t.to(t),
                s.yes.to(yes),
                s.price.to(price),
                s.day.to(day),
            )
        })
    });
    let sheets = NewSheet::insert_all(db, sheets.collect::<Vec<_>>()).await?;
    let pieces = (0..30).map(|_| {
        let of = g.maybe(|g| sheets[g.below(14) as usize].id);
        let n = g.maybe(number);
        NewPiece { w: word(g) }.set(|p| (p.sheet_id.to(of), p.n.to(n)))
    });
    let pieces = NewPiece::insert_all(db, pieces.collect::<Vec<_>>()).await?;
    Ok(Rows { sheets, pieces })
}

/// Ascending with NULLs last, or the other way round.
fn ordered(a: Option<i64>, b: Option<i64>, descending: bool) -> Ordering {
    let order = match (a, b) {
        (Some(a), Some(b)) => a.cmp(&b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    };
    if descending { order.reverse() } else { order }
}

/// Columns, expressions and the condition itself of the rows that meet it, in an order, a part of them.
async fn rows(db: &Db, rows: &Rows, g: &mut Gen) -> orm::Result<()> {
    let (c, n, t, marked) = (Cond::of(g, 3), Num::of(g, 3), Txt::of(g, 2), Cond::of(g, 2));
    let (by, descending) = (Num::of(g, 2), g.one_in(2));
    let (limit, offset) = (g.maybe(|g| g.below(8)), g.maybe(|g| g.below(4)));
    let mut query = Sheet::query()
        .filter(|s| cond(s, &c))
        .order_by(|s| match descending {
            true => num(s, &by).desc(),
            false => num(s, &by).asc(),
        })
        .order_by(|s| s.id.asc());
    if let Some(n) = limit {
        query = query.limit(n);
    }
    if let Some(n) = offset {
        query = query.offset(n);
    }
    let found = query
        .select(|s| (s.id, num(s, &n), txt(s, &t), cond(s, &marked)))
        .all(db)
        .await?;
    let mut met: Vec<&Sheet> = rows
        .sheets
        .iter()
        .filter(|s| rows.cond(s, &c) == Some(true))
        .collect();
    met.sort_by(|x, y| {
        ordered(rows.num(x, &by), rows.num(y, &by), descending).then(x.id.raw().cmp(&y.id.raw()))
    });
    let expected: Vec<_> = met
        .into_iter()
        .skip(offset.unwrap_or(0) as usize)
        .take(limit.unwrap_or(100) as usize)
        .map(|s| {
            (
                s.id,
                rows.num(s, &n),
                rows.txt(s, &t),
                rows.cond(s, &marked) == Some(true),
            )
        })
        .collect();
    assert_eq!(
        found, expected,
        "{c:?}\nselects {n:?}\n{t:?}\n{marked:?}\nby {by:?}"
    );
    Ok(())
}

/// NoREC: as many rows as an unoptimised reading of the condition says, whatever the plan. The condition as a filter, as a
/// value, its opposite, and both beside "unknown".
async fn counts(db: &Db, rows: &Rows, g: &mut Gen) -> orm::Result<()> {
    let c = Cond::of(g, 4);
    let yes = Sheet::query().filter(|s| cond(s, &c)).count(db).await?;
    let marks = Sheet::query().select(|s| cond(s, &c)).all(db).await?;
    let no = Sheet::query().filter(|s| cond(s, &c).not()).count(db).await?;
    let of = |v: Option<bool>| rows.sheets.iter().filter(|s| rows.cond(s, &c) == v).count() as i64;
    assert_eq!(yes as i64, of(Some(true)), "{c:?}");
    assert_eq!(
        marks.into_iter().filter(|m| *m).count() as i64,
        of(Some(true)),
        "{c:?}"
    );
    assert_eq!(no as i64, of(Some(false)), "{c:?}");
    Ok(())
}

type Summary = (i64, i64, Option<i64>, Option<i64>, Option<i64>, i64);

fn summary(numbers: &[Option<i64>]) -> Summary {
    let mut there: Vec<i64> = numbers.iter().copied().flatten().collect();
    let sum = (!there.is_empty()).then(|| there.iter().sum());
    let count = there.len() as i64;
    there.sort_unstable();
    let ends = (there.first().copied(), there.last().copied());
    there.dedup();
    (
        numbers.len() as i64,
        count,
        sum,
        ends.0,
        ends.1,
        there.len() as i64,
    )
}

/// Groups by an expression, with a condition on the groups, and the same over all rows.
async fn groups(db: &Db, rows: &Rows, g: &mut Gen) -> orm::Result<()> {
    let (c, key, n) = (Cond::of(g, 2), Num::of(g, 2), Num::of(g, 2));
    let least = g.below(3) as i64;
    let found = Sheet::query()
        .filter(|s| cond(s, &c))
        .group_by(|s| num(s, &key))
        .having(|group| group.count().gt(least))
        .select(|group| {
            (
                group.key(),
                (
                    group.count(),
                    group.agg(|s| num(s, &n).count()),
                    group.sum(|s| num(s, &n)),
                    group.min(|s| num(s, &n)),
                    group.max(|s| num(s, &n)),
                    group.agg(|s| num(s, &n).count_distinct()),
                ),
            )
        })
        .all(db)
        .await?;
    let met: Vec<&Sheet> = rows
        .sheets
        .iter()
        .filter(|s| rows.cond(s, &c) == Some(true))
        .collect();
    let mut lists: BTreeMap<Option<i64>, Vec<Option<i64>>> = BTreeMap::new();
    for s in &met {
        lists.entry(rows.num(s, &key)).or_default().push(rows.num(s, &n));
    }
    let expected: BTreeMap<Option<i64>, Summary> = lists
        .iter()
        .filter(|(_, list)| list.len() as i64 > least)
        .map(|(key, list)| (*key, summary(list)))
        .collect();
    let size = found.len();
    let found: BTreeMap<Option<i64>, Summary> = found.into_iter().collect();
    assert_eq!(size, found.len(), "each group once: {key:?}");
    assert_eq!(found, expected, "{c:?}\nby {key:?}\nof {n:?}, more than {least}");
    let one: Summary = Sheet::query()
        .filter(|s| cond(s, &c))
        .aggregate(|s| {
            (
                s.id.count(),
                num(s, &n).count(),
                num(s, &n).sum(),
                num(s, &n).min(),
                num(s, &n).max(),
                num(s, &n).count_distinct(),
            )
        })
        .one(db)
        .await?;
    let numbers: Vec<_> = met.iter().map(|s| rows.num(s, &n)).collect();
    assert_eq!(one, summary(&numbers), "{c:?}\nof {n:?}");
    Ok(())
}

/// Different values, each once.
async fn different(db: &Db, rows: &Rows, g: &mut Gen) -> orm::Result<()> {
    let (c, n, t) = (Cond::of(g, 2), Num::of(g, 3), Txt::of(g, 2));
    let mut found = Sheet::query()
        .filter(|s| cond(s, &c))
        .select(|s| (num(s, &n), txt(s, &t)))
        .distinct()
        .all(db)
        .await?;
    found.sort();
    let met = rows.sheets.iter().filter(|s| rows.cond(s, &c) == Some(true));
    let mut expected: Vec<_> = met.map(|s| (rows.num(s, &n), rows.txt(s, &t))).collect();
    expected.sort();
    expected.dedup();
    assert_eq!(found, expected, "{c:?}\nselects {n:?}\n{t:?}");
    Ok(())
}

/// Pieces beside their sheets, with and without those that have none.
async fn joins(db: &Db, rows: &Rows, g: &mut Gen) -> orm::Result<()> {
    let (c, n) = (Cond::of(g, 2), Num::of(g, 2));
    let found = Piece::query()
        .join(|p| p.sheet)
        .filter(|(_, s)| cond(s, &c))
        .order_by(|(p, _)| p.id.asc())
        .select(|(p, s)| (p.id, num(s, &n)))
        .all(db)
        .await?;
    let sheet = |p: &Piece| rows.sheets.iter().find(|s| Some(s.id) == p.sheet_id);
    let pairs = rows.pieces.iter().filter_map(|p| Some((p, sheet(p)?)));
    let expected: Vec<_> = pairs
        .filter(|(_, s)| rows.cond(s, &c) == Some(true))
        .map(|(p, s)| (p.id, rows.num(s, &n)))
        .collect();
    assert_eq!(found, expected, "{c:?}\nselects {n:?}");
    let found = Piece::query()
        .left_join(|p| p.sheet)
        .order_by(|(p, _)| p.id.asc())
        .select(|(p, s)| (p.id, s.map(|s| num(s, &n)), s.map(|s| s.u)))
        .all(db)
        .await?;
    // an expression beside no row is what it is over NULLs: only plain columns are compared there
    for (piece, (id, number, word)) in rows.pieces.iter().zip(found) {
        assert_eq!(piece.id, id);
        assert_eq!(word, sheet(piece).map(|s| s.u.clone()));
        if let Some(s) = sheet(piece) {
            assert_eq!(number, rows.num(s, &n), "{n:?}");
        }
    }
    Ok(())
}

#[orm::test(schema = sheets())]
async fn generated_queries_mean_what_they_say(db: Db) -> orm::Result<()> {
    let all = fill(&db, 1).await?;
    for seed in seeds(2000) {
        let g = &mut Gen::new(seed);
        match g.below(13) {
            0..=2 => rows(&db, &all, g).await?,
            3 => counts(&db, &all, g).await?,
            4 => groups(&db, &all, g).await?,
            5 => different(&db, &all, g).await?,
            6 => joins(&db, &all, g).await?,
            7 => beyond::windows(&db, &all, g).await?,
            8 => beyond::sets(&db, &all, g).await?,
            9 => beyond::derived(&db, &all, g).await?,
            10 => beyond::recursive(&db, &all, g).await?,
            11 => beyond::nested(&db, &all, g).await?,
            _ => beyond::writes(&db, &all, g).await?,
        }
    }
    Ok(())
}
