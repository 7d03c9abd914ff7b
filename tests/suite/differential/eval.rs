//! What a term means, without a database: three-valued logic over rows in memory.

use std::cmp::Ordering;

use chrono::Datelike;

use super::term::{Cond, Decimal, Num, Op, Piece, Piecewise, Sheet, Txt};

/// All rows.
pub struct Rows {
    pub sheets: Vec<Sheet>,
    pub pieces: Vec<Piece>,
}

impl Rows {
    fn of<'a>(&'a self, sheet: &'a Sheet) -> impl Iterator<Item = &'a Piece> {
        self.pieces.iter().filter(|p| p.sheet_id == Some(sheet.id))
    }

    pub fn num(&self, s: &Sheet, term: &Num) -> Option<i64> {
        let n = |term: &Num| self.num(s, term);
        match term {
            Num::A => s.a,
            Num::B => Some(s.b),
            Num::Lit(v) => *v,
            Num::Add(a, b) => Some(n(a)? + n(b)?),
            Num::Sub(a, b) => Some(n(a)? - n(b)?),
            Num::Mul(a, b) => Some(n(a)? * n(b)?),
            // towards zero, and the remainder has the sign of what is divided
            Num::Div(a, by) => Some(n(a)? / by),
            Num::Rem(a, by) => Some(n(a)? % by),
            Num::Abs(a) => Some(n(a)?.abs()),
            Num::Length(t) => Some(self.txt(s, t)?.chars().count() as i64),
            Num::Else(a, b) => n(a).or_else(|| n(b)),
            Num::Case(arms, otherwise) => {
                let hit = arms.iter().find(|(c, _)| self.cond(s, c) == Some(true));
                hit.map(|(_, v)| *v).or(*otherwise)
            }
            Num::Year => Some(s.day?.year().into()),
            Num::Month => Some(s.day?.month().into()),
            Num::Pieces(p) => Some(self.met(s, p).count() as i64),
            Num::Sum(p) => {
                let numbers: Vec<i64> = self.met(s, p).filter_map(|p| p.n).collect();
                (!numbers.is_empty()).then(|| numbers.iter().sum())
            }
        }
    }

    fn met<'a>(&'a self, s: &'a Sheet, p: &'a Piecewise) -> impl Iterator<Item = &'a Piece> {
        self.of(s)
            .filter(|piece| self.piece(Some(s), piece, p) == Some(true))
    }

    pub fn txt(&self, s: &Sheet, term: &Txt) -> Option<String> {
        let t = |term: &Txt| self.txt(s, term);
        match term {
            Txt::T => s.t.clone(),
            Txt::U => Some(s.u.clone()),
            Txt::Lit(v) => Some(v.clone()),
            Txt::Lower(a) => Some(t(a)?.to_lowercase()),
            Txt::Upper(a) => Some(t(a)?.to_uppercase()),
            Txt::Trim(a) => Some(t(a)?.trim_matches(' ').to_owned()),
            Txt::Concat(a, b) => Some(t(a)? + &t(b)?),
            Txt::Else(a, b) => t(a).or_else(|| Some(b.clone())),
        }
    }

    pub fn cond(&self, s: &Sheet, term: &Cond) -> Option<bool> {
        let n = |term: &Num| self.num(s, term);
        let t = |term: &Txt| self.txt(s, term);
        let c = |term: &Cond| self.cond(s, term);
        let listed = |term: &Piecewise| {
            let met = |p: &&Piece| self.piece(None, p, term) == Some(true);
            // the library's promise: NULL among the keys of a sub-query hides nothing
            self.pieces.iter().filter(met).any(|p| p.sheet_id == Some(s.id))
        };
        match term {
            Cond::Num(op, a, b) => compare(*op, n(a), n(b)),
            Cond::Txt(same, a, b) => compare(if *same { Op::Eq } else { Op::Ne }, t(a), t(b)),
            Cond::Price(op, v) => compare(*op, s.price, Some(*v)),
            Cond::Cost(op, v) => {
                let cost = s.price.zip(s.a).map(|(price, a)| price * Decimal::from(a));
                compare(*op, cost, Some(*v))
            }
            Cond::Day(op, v) => compare(*op, s.day, Some(*v)),
            Cond::Between(a, low, high) => n(a).map(|v| *low <= v && v <= *high),
            Cond::In(a, list) => among(n(a), list),
            Cond::NotIn(a, list) => among(n(a), list).map(|found| !found),
            // NULL is a value like others to these two
            Cond::SameAs(a, v) => Some(n(a) == *v),
            Cond::OtherThan(a, v) => Some(n(a) != *v),
            Cond::Null(a) => Some(n(a).is_none()),
            Cond::NotNull(a) => Some(t(a).is_some()),
            Cond::Contains(a, v) => t(a).map(|a| a.contains(v)),
            Cond::Starts(a, v) => t(a).map(|a| a.starts_with(v)),
            Cond::Ends(a, v) => t(a).map(|a| a.ends_with(v)),
            Cond::IContains(a, v) => t(a).map(|a| a.to_lowercase().contains(&v.to_lowercase())),
            Cond::Yes => s.yes,
            Cond::On => Some(s.on),
            Cond::All(list) => all(list.iter().map(c)),
            Cond::Any(list) => all(list.iter().map(|term| c(term).map(|v| !v))).map(|v| !v),
            Cond::Not(a) => c(a).map(|v| !v),
            Cond::SomePiece(p) => Some(self.met(s, p).next().is_some()),
            Cond::NoPiece(p) => Some(self.met(s, p).next().is_none()),
            // no piece for which it is not true
            Cond::EveryPiece(p) => Some(
                self.of(s)
                    .all(|piece| self.piece(Some(s), piece, p) == Some(true)),
            ),
            Cond::Listed(p) => Some(listed(p)),
            Cond::Unlisted(p) => Some(!listed(p)),
        }
    }

    pub fn piece(&self, s: Option<&Sheet>, piece: &Piece, term: &Piecewise) -> Option<bool> {
        let p = |term: &Piecewise| self.piece(s, piece, term);
        match term {
            Piecewise::True => Some(true),
            Piecewise::Num(op, v) => compare(*op, piece.n, Some(*v)),
            Piecewise::Outer(op, v) => compare(*op, piece.n, self.num(s?, v)),
            Piecewise::Word(v) => Some(piece.w == *v),
            Piecewise::Null => Some(piece.n.is_none()),
            Piecewise::Both(a, b) => all([p(a), p(b)].into_iter()),
            Piecewise::Either(a, b) => all([p(a).map(|v| !v), p(b).map(|v| !v)].into_iter()).map(|v| !v),
            Piecewise::Not(a) => p(a).map(|v| !v),
        }
    }
}

pub fn compare<T: Ord>(op: Op, a: Option<T>, b: Option<T>) -> Option<bool> {
    let order = a?.cmp(&b?);
    Some(match op {
        Op::Eq => order == Ordering::Equal,
        Op::Ne => order != Ordering::Equal,
        Op::Lt => order == Ordering::Less,
        Op::Le => order != Ordering::Greater,
        Op::Gt => order == Ordering::Greater,
        Op::Ge => order != Ordering::Less,
    })
}

/// AND: false wins, then unknown.
pub fn all(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut out = Some(true);
    for value in values {
        match value {
            Some(false) => return Some(false),
            None => out = None,
            Some(true) => {}
        }
    }
    out
}

/// IN: an empty list holds nothing, not even NULL.
fn among(v: Option<i64>, list: &[i64]) -> Option<bool> {
    if list.is_empty() {
        return Some(false);
    }
    Some(list.contains(&v?))
}
