//! A term as the library says it.

use orm::prelude::*;
use orm::query::{Expr, Filter, value};

use super::term::{Cond, Num, Op, Piece, PieceCols, Piecewise, SheetCols, Txt};

pub type Number<S> = Expr<S, Option<i64>>;
pub type Words<S> = Expr<S, Option<String>>;

macro_rules! by {
    ($op:expr, $a:expr, $b:expr) => {
        match $op {
            Op::Eq => $a.eq($b),
            Op::Ne => $a.ne($b),
            Op::Lt => $a.lt($b),
            Op::Le => $a.le($b),
            Op::Gt => $a.gt($b),
            Op::Ge => $a.ge($b),
        }
    };
}

pub fn num<S: Model>(s: SheetCols<S>, term: &Num) -> Number<S> {
    match term {
        Num::A => s.a.expr(),
        Num::B => s.b + value(Some(0i64)),
        Num::Lit(v) => value(*v),
        Num::Add(a, b) => num(s, a) + num(s, b),
        Num::Sub(a, b) => num(s, a) - num(s, b),
        Num::Mul(a, b) => num(s, a) * num(s, b),
        Num::Div(a, by) => num(s, a) / *by,
        Num::Rem(a, by) => num(s, a) % *by,
        Num::Abs(a) => num(s, a).abs(),
        Num::Length(t) => txt(s, t).length(),
        Num::Else(a, b) => num(s, a).or_else(num(s, b)),
        Num::Case(arms, otherwise) => {
            let mut arms = arms.iter();
            let Some((first, then)) = arms.next() else {
                return value(*otherwise);
            };
            let first = case(cond(s, first), *then);
            let all = arms.fold(first, |case, (c, v)| case.when(cond(s, c), *v));
            match otherwise {
                Some(v) => all.or_else(value(Some(*v))),
                None => all.or_null(),
            }
        }
        Num::Year => s.day.year(),
        Num::Month => s.day.month(),
        Num::Pieces(p) => s.pieces.count_where(|c| piece(Some(s), c, p)) + value(Some(0i64)),
        Num::Sum(p) => s.pieces.agg(|c| c.n.sum().filter(piece(Some(s), c, p))),
    }
}

pub fn txt<S: Model>(s: SheetCols<S>, term: &Txt) -> Words<S> {
    match term {
        Txt::T => s.t.expr(),
        Txt::U => s.u.concat(value(Some(String::new()))),
        Txt::Lit(v) => value(Some(v.clone())),
        Txt::Lower(a) => txt(s, a).lower(),
        Txt::Upper(a) => txt(s, a).upper(),
        Txt::Trim(a) => txt(s, a).trim(),
        Txt::Concat(a, b) => txt(s, a).concat(txt(s, b)),
        Txt::Else(a, b) => txt(s, a).or_else(value(Some(b.clone()))),
    }
}

pub fn cond<S: Model>(s: SheetCols<S>, term: &Cond) -> Filter<S> {
    match term {
        Cond::Num(op, a, b) => by!(op, num(s, a), num(s, b)),
        Cond::Txt(true, a, b) => txt(s, a).eq(txt(s, b)),
        Cond::Txt(false, a, b) => txt(s, a).ne(txt(s, b)),
        Cond::Price(op, v) => by!(op, s.price, *v),
        Cond::Cost(op, v) => by!(op, (s.price * s.a), *v),
        Cond::Day(op, v) => by!(op, s.day, *v),
        Cond::Between(a, low, high) => num(s, a).between(*low, *high),
        Cond::In(a, list) => num(s, a).in_(list.clone()),
        Cond::NotIn(a, list) => num(s, a).not_in(list.clone()),
        Cond::SameAs(a, v) => num(s, a).eq_opt(*v),
        Cond::OtherThan(a, v) => num(s, a).ne_opt(*v),
        Cond::Null(a) => num(s, a).is_null(),
        Cond::NotNull(a) => txt(s, a).is_not_null(),
        Cond::Contains(a, v) => txt(s, a).contains(v.as_str()),
        Cond::Starts(a, v) => txt(s, a).starts_with(v.as_str()),
        Cond::Ends(a, v) => txt(s, a).ends_with(v.as_str()),
        Cond::IContains(a, v) => txt(s, a).icontains(v.as_str()),
        Cond::Yes => all_of([s.yes]),
        Cond::On => all_of([s.on]),
        Cond::All(list) => all_of(list.iter().map(|c| cond(s, c))),
        Cond::Any(list) => any_of(list.iter().map(|c| cond(s, c))),
        Cond::Not(a) => cond(s, a).not(),
        Cond::SomePiece(p) => s.pieces.any(|c| piece(Some(s), c, p)),
        Cond::NoPiece(p) => s.pieces.none(|c| piece(Some(s), c, p)),
        Cond::EveryPiece(p) => s.pieces.all(|c| piece(Some(s), c, p)),
        Cond::Listed(p) => s.id.in_(keys(p)),
        Cond::Unlisted(p) => s.id.not_in(keys(p)),
    }
}

fn keys(p: &Piecewise) -> Query<Piece, Option<Id<super::term::Sheet>>> {
    Piece::query()
        .filter(|c| piece(None, c, p))
        .select(|c| c.sheet_id)
}

pub fn piece<S: Model>(s: Option<SheetCols<S>>, c: PieceCols<S>, term: &Piecewise) -> Filter<S> {
    match term {
        Piecewise::True => all_of(Vec::<Filter<S>>::new()),
        Piecewise::Num(op, v) => by!(op, c.n, *v),
        Piecewise::Outer(op, v) => match s {
            Some(s) => by!(op, c.n, num(s, v)),
            None => any_of(Vec::<Filter<S>>::new()),
        },
        Piecewise::Word(v) => c.w.eq(v.as_str()),
        Piecewise::Null => c.n.is_null(),
        Piecewise::Both(a, b) => piece(s, c, a).and(piece(s, c, b)),
        Piecewise::Either(a, b) => piece(s, c, a).or(piece(s, c, b)),
        Piecewise::Not(a) => piece(s, c, a).not(),
    }
}
