//! Queries beyond one SELECT over tables: windows, set operations, derived tables, CTEs, sub-queries, writes.

use std::collections::{BTreeMap, BTreeSet};

use orm::prelude::*;
use orm::query::{Compound, Window, all_rows, any_row};
use orm::window::{dense_rank, rank, row_number};

use super::build::{cond, num, piece, txt};
use super::eval::{Rows, all, compare};
use super::ordered;
use super::term::{Cond, Num, Op, Piece, Piecewise, Sheet, SheetCols, Txt, number};
use crate::random::Gen;

fn met<'a>(rows: &'a Rows, c: &Cond) -> Vec<&'a Sheet> {
    let met = |s: &&Sheet| rows.cond(s, c) == Some(true);
    rows.sheets.iter().filter(met).collect()
}

fn sum(numbers: impl Iterator<Item = i64>) -> Option<i64> {
    numbers.fold(None, |sum, n| Some(sum.unwrap_or(0) + n))
}

type Seen = (
    Id<Sheet>,
    (i64, i64, i64),
    (Option<i64>, Option<i64>),
    (Option<i64>, i64, Option<i64>, Option<i64>),
);

/// Ranks, neighbours and aggregates over frames of every kind.
pub async fn windows(db: &Db, rows: &Rows, g: &mut Gen) -> orm::Result<()> {
    let (c, part, by, n) = (Cond::of(g, 2), Num::of(g, 1), Num::of(g, 2), Num::of(g, 2));
    let (only, descending) = (Cond::of(g, 1), g.one_in(2));
    let (before, after) = (g.below(3) as i64, g.below(3) as i64);
    let parts = |s: SheetCols<Sheet>, w: Window<Sheet>| w.partition_by(num(s, &part));
    let by_key = |s: SheetCols<Sheet>, w: Window<Sheet>| {
        parts(s, w).order_by(match descending {
            true => num(s, &by).desc(),
            false => num(s, &by).asc(),
        })
    };
    let in_order = |s: SheetCols<Sheet>, w: Window<Sheet>| {
        parts(s, w).order_by((
            match descending {
                true => num(s, &by).desc(),
                false => num(s, &by).asc(),
            },
            s.id.asc(),
        ))
    };
    let found = Sheet::query()
        .filter(|s| cond(s, &c))
        .order_by(|s| s.id.asc())
        .select(|s| {
            (
                s.id,
                (
                    row_number().over(|w| in_order(s, w)),
                    rank().over(|w| by_key(s, w)),
                    dense_rank().over(|w| by_key(s, w)),
                ),
                (
                    num(s, &n).lag(1).over(|w| in_order(s, w)),
                    num(s, &n).lead(2).over(|w| in_order(s, w)),
                ),
                (
                    num(s, &n)
                        .sum()
                        .filter(cond(s, &only))
                        .over(|w| in_order(s, w).rows(-before..=after)),
                    num(s, &n).count().over(|w| parts(s, w)),
                    // the frame nobody named: up to the last of the row's equals
                    num(s, &n).max().over(|w| by_key(s, w)),
                    num(s, &n)
                        .min()
                        .over(|w| by_key(s, w).groups(-1..=1).exclude_current_row()),
                ),
            )
        })
        .all(db)
        .await?;
    let mut parts: BTreeMap<Option<i64>, Vec<&Sheet>> = BTreeMap::new();
    for s in met(rows, &c) {
        parts.entry(rows.num(s, &part)).or_default().push(s);
    }
    let mut expected: Vec<Seen> = Vec::new();
    for list in parts.values_mut() {
        let key = |s: &Sheet| rows.num(s, &by);
        list.sort_by(|x, y| ordered(key(x), key(y), descending).then(x.id.raw().cmp(&y.id.raw())));
        let numbers: Vec<Option<i64>> = list.iter().map(|s| rows.num(s, &n)).collect();
        // which group of equals each row belongs to
        let groups: Vec<i64> = list
            .iter()
            .scan((0, None), |(group, last), s| {
                *group += i64::from(last.replace(key(s)).is_some_and(|last| last != key(s)));
                Some(*group)
            })
            .collect();
        for (i, s) in list.iter().enumerate() {
            let (at, group) = (i as i64, groups[i]);
            let chosen = |keep: &dyn Fn(usize) -> bool| -> Vec<i64> {
                let kept = (0..list.len()).filter(|j| keep(*j));
                kept.filter_map(|j| numbers[j]).collect()
            };
            let framed = chosen(&|j| {
                (at - before..=at + after).contains(&(j as i64)) && rows.cond(list[j], &only) == Some(true)
            });
            let up_to = chosen(&|j| groups[j] <= group);
            let around = chosen(&|j| (group - 1..=group + 1).contains(&groups[j]) && j != i);
            let first = groups
                .iter()
                .position(|of| *of == group)
                .map_or(0, |at| at as i64);
            expected.push((
                s.id,
                (at + 1, first + 1, group + 1),
                (
                    i.checked_sub(1).and_then(|i| numbers[i]),
                    numbers.get(i + 2).copied().flatten(),
                ),
                (
                    sum(framed.into_iter()),
                    chosen(&|_| true).len() as i64,
                    up_to.into_iter().max(),
                    around.into_iter().min(),
                ),
            ));
        }
    }
    expected.sort_by_key(|(id, ..)| id.raw());
    assert_eq!(
        found, expected,
        "{c:?}\nover parts of {part:?}\nby {by:?}, descending: {descending}\nof {n:?}, only {only:?}, {before} and {after} rows"
    );
    Ok(())
}

/// One side of a set operation: which numbers, and how many at most.
#[derive(Debug)]
struct Arm {
    c: Cond,
    n: Num,
    most: Option<u64>,
}

impl Arm {
    fn of(g: &mut Gen) -> Arm {
        Arm {
            c: Cond::of(g, 2),
            n: Num::of(g, 1),
            most: g.one_in(3).then(|| g.below(6)),
        }
    }
    fn query(&self) -> Query<Sheet, Option<i64>> {
        let query = Sheet::query().filter(|s| cond(s, &self.c));
        let query = match self.most {
            Some(most) => query
                .order_by(|s| (num(s, &self.n).asc(), s.id.asc()))
                .limit(most),
            None => query,
        };
        query.select(|s| num(s, &self.n))
    }
    fn numbers(&self, rows: &Rows) -> Vec<Option<i64>> {
        let mut numbers: Vec<_> = met(rows, &self.c)
            .into_iter()
            .map(|s| rows.num(s, &self.n))
            .collect();
        numbers.sort_by(|a, b| ordered(*a, *b, false));
        numbers.truncate(self.most.map_or(usize::MAX, |most| most as usize));
        numbers
    }
}

/// What a set operation leaves, each value with how often.
fn combine(op: u64, a: Vec<Option<i64>>, b: Vec<Option<i64>>) -> Vec<Option<i64>> {
    let times = |list: &[Option<i64>], v: &Option<i64>| list.iter().filter(|x| *x == v).count();
    let values: BTreeSet<Option<i64>> = a.iter().chain(&b).copied().collect();
    let left = values.into_iter().flat_map(|v| {
        let (a, b) = (times(&a, &v), times(&b, &v));
        let n = match op {
            0 => (a + b).min(1),
            1 => a + b,
            2 => a.min(b).min(1),
            3 => a.min(b),
            4 => usize::from(a > 0 && b == 0),
            _ => a.saturating_sub(b),
        };
        std::iter::repeat_n(v, n)
    });
    left.collect()
}

fn combined(
    op: u64,
    a: Compound<Sheet, Option<i64>>,
    b: Query<Sheet, Option<i64>>,
) -> Compound<Sheet, Option<i64>> {
    match op {
        0 => a.union(b),
        1 => a.union_all(b),
        2 => a.intersect(b),
        3 => a.intersect_all(b),
        4 => a.except(b),
        _ => a.except_all(b),
    }
}

/// Two to four arms, from left to right, and numbers of the other table among them.
pub async fn sets(db: &Db, rows: &Rows, g: &mut Gen) -> orm::Result<()> {
    let (first, p, op) = (Arm::of(g), Piecewise::of(g, 0), g.below(6));
    let pieces = || Piece::query().filter(|c| piece(None, c, &p)).select(|c| c.n);
    let numbers = rows
        .pieces
        .iter()
        .filter(|c| rows.piece(None, c, &p) == Some(true));
    let numbers: Vec<_> = numbers.map(|c| c.n).collect();
    let mut expected = combine(op, first.numbers(rows), numbers);
    let mut query = match op {
        0 => first.query().union(pieces()),
        1 => first.query().union_all(pieces()),
        2 => first.query().intersect(pieces()),
        3 => first.query().intersect_all(pieces()),
        4 => first.query().except(pieces()),
        _ => first.query().except_all(pieces()),
    };
    let more: Vec<(u64, Arm)> = g.several(2, |g| (g.below(6), Arm::of(g)));
    for (op, arm) in &more {
        query = combined(*op, query, arm.query());
        expected = combine(*op, expected, arm.numbers(rows));
    }
    let descending = g.one_in(2);
    let (most, offset) = (g.maybe(|g| g.below(9)), g.maybe(|g| g.below(3)));
    query = query.order_by(|n| if descending { n.desc() } else { n.asc() });
    expected.sort_by(|a, b| ordered(*a, *b, descending));
    if let Some(n) = offset {
        query = query.offset(n);
        expected.drain(..expected.len().min(n as usize));
    }
    if let Some(n) = most {
        query = query.limit(n);
        expected.truncate(n as usize);
    }
    let found = query.all(db).await?;
    assert_eq!(
        found, expected,
        "{first:?}\n{op} {p:?}\nthen {more:?}\ndescending: {descending}, {most:?} from {offset:?}"
    );
    Ok(())
}

/// Groups as a table, joined from both sides, derived or by name.
pub async fn derived(db: &Db, rows: &Rows, g: &mut Gen) -> orm::Result<()> {
    let (c, key, n) = (Cond::of(g, 2), Num::of(g, 2), Num::of(g, 2));
    // names the table: a join on nothing of it is refused
    let on = Num::Add(Box::new(Num::B), Box::new(Num::of(g, 1)));
    let least = g.below(3) as i64;
    let groups = || {
        Sheet::query()
            .filter(|s| cond(s, &c))
            .group_by(|s| num(s, &key))
            .select(|group| (group.key(), group.count(), group.sum(|s| num(s, &n))))
    };
    let mut lists: BTreeMap<Option<i64>, Vec<Option<i64>>> = BTreeMap::new();
    for s in met(rows, &c) {
        lists.entry(rows.num(s, &key)).or_default().push(rows.num(s, &n));
    }
    let groups_met: BTreeMap<Option<i64>, (i64, Option<i64>)> = lists
        .into_iter()
        .map(|(key, list)| (key, (list.len() as i64, sum(list.into_iter().flatten()))))
        .collect();
    let said = format!("{c:?}\nby {key:?}\nof {n:?}, on {on:?}, more than {least}");

    let sizes = orm::from(groups())
        .filter(|(_, size, _)| size.gt(least))
        .aggregate(|(key, size, _)| (key.count(), size.sum(), size.max()))
        .one(db)
        .await?;
    let sizes_met = || {
        groups_met
            .values()
            .map(|(size, _)| *size)
            .filter(|size| *size > least)
    };
    let keys = groups_met
        .iter()
        .filter(|(key, (size, _))| key.is_some() && *size > least);
    let expected = (keys.count() as i64, sum(sizes_met()), sizes_met().max());
    assert_eq!(sizes, expected, "{said}");

    let left = Sheet::query()
        .left_join_on(groups(), |s, (key, ..)| num(s, &on).eq(key))
        .order_by(|(s, _)| s.id.asc())
        .select(|(s, (_, size, sum))| (s.id, size, sum))
        .all(db)
        .await?;
    let group = |s: &Sheet| rows.num(s, &on).and_then(|on| groups_met.get(&Some(on)));
    let expected: Vec<_> = rows
        .sheets
        .iter()
        .map(|s| {
            (
                s.id,
                group(s).map(|(size, _)| *size),
                group(s).and_then(|(_, sum)| *sum),
            )
        })
        .collect();
    assert_eq!(left, expected, "{said}");

    let named = orm::cte("groups", groups());
    let most = orm::from(&named).aggregate(|(_, size, _)| size.max());
    let biggest = Sheet::query()
        .join_on(&named, |s, (key, ..)| num(s, &on).eq(key))
        .filter(|(_, (_, size, _))| size.eq(most))
        .order_by(|(s, _)| s.id.asc())
        .select(|(s, (_, size, _))| (s.id, size))
        .all(db)
        .await?;
    let most = groups_met.values().map(|(size, _)| *size).max();
    let pairs = rows.sheets.iter().filter_map(|s| Some((s.id, group(s)?.0)));
    let expected: Vec<_> = pairs.filter(|(_, size)| Some(*size) == most).collect();
    assert_eq!(biggest, expected, "{said}");
    Ok(())
}

/// Numbers that go on from themselves, with and without those that came before.
pub async fn recursive(db: &Db, rows: &Rows, g: &mut Gen) -> orm::Result<()> {
    let (c, step, least, each_once) = (Cond::of(g, 2), 1 + g.below(3) as i64, number(g), g.one_in(2));
    let start = Sheet::query().filter(|s| cond(s, &c)).select(|s| s.b);
    let down = orm::recursive("down", start, |down| {
        orm::from(down).filter(|n| n.gt(least)).select(|n| n - step)
    });
    let down = if each_once { down.distinct() } else { down };
    let found = orm::from(&down)
        .order_by(|n| n.asc())
        .select(|n| n)
        .all(db)
        .await?;
    let mut expected = Vec::new();
    for s in met(rows, &c) {
        let mut n = s.b;
        expected.push(n);
        while n > least {
            n -= step;
            expected.push(n);
        }
    }
    expected.sort_unstable();
    if each_once {
        expected.dedup();
    }
    assert_eq!(
        found, expected,
        "{c:?}\nby {step} down to {least}, each once: {each_once}"
    );
    Ok(())
}

/// Queries inside of conditions and columns.
pub async fn nested(db: &Db, rows: &Rows, g: &mut Gen) -> orm::Result<()> {
    let (c, x, y, n) = (Cond::of(g, 2), Num::of(g, 1), Num::of(g, 1), Num::of(g, 2));
    let (p, op) = (Piecewise::of(g, 0), Op::of(g));
    let said = format!("{c:?}\nwith {x:?}\nand {y:?}\nof {n:?}\n{op:?} {p:?}");
    let found = Sheet::query()
        .order_by(|s| s.id.asc())
        .select(|s| {
            let others = Sheet::query().filter(|o| cond(o, &c).and(num(o, &x).lt(num(s, &y))));
            (s.id, others.aggregate(|o| num(o, &n).max()).expr())
        })
        .all(db)
        .await?;
    let expected: Vec<_> = rows
        .sheets
        .iter()
        .map(|s| {
            let others = met(rows, &c)
                .into_iter()
                .filter(|o| compare(Op::Lt, rows.num(o, &x), rows.num(s, &y)) == Some(true));
            (s.id, others.filter_map(|o| rows.num(o, &n)).max())
        })
        .collect();
    assert_eq!(found, expected, "{said}");

    let numbers = || Piece::query().filter(|c| piece(None, c, &p)).select(|c| c.n);
    let of = |s: SheetCols<Sheet>| {
        let n = num(s, &n);
        let every = match op {
            Op::Eq => n.clone().eq(all_rows(numbers())),
            Op::Ne => n.clone().ne(all_rows(numbers())),
            Op::Lt => n.clone().lt(all_rows(numbers())),
            Op::Le => n.clone().le(all_rows(numbers())),
            Op::Gt => n.clone().gt(all_rows(numbers())),
            Op::Ge => n.clone().ge(all_rows(numbers())),
        };
        let some = match op {
            Op::Eq => n.eq(any_row(numbers())),
            Op::Ne => n.ne(any_row(numbers())),
            Op::Lt => n.lt(any_row(numbers())),
            Op::Le => n.le(any_row(numbers())),
            Op::Gt => n.gt(any_row(numbers())),
            Op::Ge => n.ge(any_row(numbers())),
        };
        (every, some)
    };
    let met: Vec<Option<i64>> = rows
        .pieces
        .iter()
        .filter(|c| rows.piece(None, c, &p) == Some(true))
        .map(|c| c.n)
        .collect();
    let every = |s: &Sheet| all(met.iter().map(|v| compare(op, rows.num(s, &n), *v)));
    let some = |s: &Sheet| all(met.iter().map(|v| compare(op, rows.num(s, &n), *v).map(|v| !v))).map(|v| !v);
    let there = |s: &Sheet| Some(met.contains(&Some(s.b)));
    let ids = async |query: Query<Sheet>| query.order_by(|s| s.id.asc()).select(|s| s.id).all(db).await;
    let expected = |of: &dyn Fn(&Sheet) -> Option<bool>, v: bool| -> Vec<Id<Sheet>> {
        let met = rows.sheets.iter().filter(|s| of(s) == Some(v));
        met.map(|s| s.id).collect()
    };
    let asked = ids(Sheet::query().filter(|s| of(s).0)).await?;
    assert_eq!(asked, expected(&every, true), "all\n{said}");
    let asked = ids(Sheet::query().filter(|s| of(s).0.not())).await?;
    assert_eq!(asked, expected(&every, false), "not all\n{said}");
    let asked = ids(Sheet::query().filter(|s| of(s).1)).await?;
    assert_eq!(asked, expected(&some, true), "any\n{said}");
    let asked = ids(Sheet::query().filter(|s| of(s).1.not())).await?;
    assert_eq!(asked, expected(&some, false), "not any\n{said}");
    let asked = ids(Sheet::query().filter(|s| {
        let b = s.b.outer();
        exists(Piece::query().filter(|c| piece(None, c, &p).and(c.n.eq(b))))
    }))
    .await?;
    assert_eq!(asked, expected(&there, true), "exists\n{said}");
    Ok(())
}

/// What a write by condition leaves behind.
pub async fn writes(db: &Db, rows: &Rows, g: &mut Gen) -> orm::Result<()> {
    let (c, n, t, p) = (Cond::of(g, 3), Num::of(g, 2), Txt::of(g, 2), Piecewise::of(g, 0));
    let tx = db.begin().await?;
    let changed = Sheet::update_where(|s| cond(s, &c))
        .set(|s| (s.a.to(num(s, &n)), s.t.to(txt(s, &t)), s.b.to(s.b + 1)))
        .exec(&tx)
        .await?;
    let mut expected = rows.sheets.clone();
    let hit = |s: &Sheet| rows.cond(s, &c) == Some(true);
    for s in expected.iter_mut().filter(|s| hit(s)) {
        // every value is that of the row before the write
        (s.a, s.t, s.b) = (rows.num(s, &n), rows.txt(s, &t), s.b + 1);
    }
    let now = Sheet::query().order_by(|s| s.id.asc()).all(&tx).await?;
    assert_eq!(now, expected, "{c:?}\nset {n:?}\nand {t:?}");
    assert_eq!(changed as usize, rows.sheets.iter().filter(|s| hit(s)).count());
    let gone = Piece::delete_where(|c| piece(None, c, &p)).exec(&tx).await?;
    let left = Piece::query().order_by(|c| c.id.asc()).all(&tx).await?;
    let stays = |c: &&Piece| rows.piece(None, c, &p) != Some(true);
    let expected: Vec<Piece> = rows.pieces.iter().filter(stays).cloned().collect();
    assert_eq!(left, expected, "without {p:?}");
    assert_eq!(gone as usize + left.len(), rows.pieces.len());
    tx.rollback().await
}
