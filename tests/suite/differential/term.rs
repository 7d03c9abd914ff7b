//! What is generated: terms over one row of a sheet, and over one of its pieces.

use orm::prelude::*;

use crate::random::Gen;

pub fn number(g: &mut Gen) -> i64 {
    g.below(9) as i64 - 4
}
pub fn word(g: &mut Gen) -> String {
    g.pick(&["", "a", "b", "ab", "Ba", "%", "a_b", " a ", "'\"\\"])
        .to_owned()
}
pub fn price(g: &mut Gen) -> Decimal {
    Decimal::new(g.below(801) as i64 - 400, 2)
}
pub fn day(g: &mut Gen) -> NaiveDate {
    let days = g.pick(&[10_957, 11_015, 11_322, 19_782, 20_088]);
    chrono::DateTime::UNIX_EPOCH.date_naive() + chrono::Duration::days(days)
}

pub use chrono::NaiveDate;
pub use rust_decimal::Decimal;

#[derive(Clone, Copy, Debug)]
pub enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Clone, Debug)]
pub enum Num {
    A,
    B,
    Lit(Option<i64>),
    Add(Box<Num>, Box<Num>),
    Sub(Box<Num>, Box<Num>),
    Mul(Box<Num>, Box<Num>),
    /// By a number that is not zero.
    Div(Box<Num>, i64),
    Rem(Box<Num>, i64),
    Abs(Box<Num>),
    Length(Box<Txt>),
    Else(Box<Num>, Box<Num>),
    Case(Vec<(Cond, i64)>, Option<i64>),
    Year,
    Month,
    Pieces(Box<Piecewise>),
    Sum(Box<Piecewise>),
}

#[derive(Clone, Debug)]
pub enum Txt {
    T,
    U,
    Lit(String),
    Lower(Box<Txt>),
    Upper(Box<Txt>),
    Trim(Box<Txt>),
    Concat(Box<Txt>, Box<Txt>),
    Else(Box<Txt>, String),
}

#[derive(Clone, Debug)]
pub enum Cond {
    Num(Op, Num, Num),
    /// Of texts only whether they are the same: their order is the collation's.
    Txt(bool, Txt, Txt),
    Price(Op, Decimal),
    /// `price * a` beside `other`.
    Cost(Op, Decimal),
    Day(Op, NaiveDate),
    Between(Num, i64, i64),
    In(Num, Vec<i64>),
    NotIn(Num, Vec<i64>),
    SameAs(Num, Option<i64>),
    OtherThan(Num, Option<i64>),
    Null(Num),
    NotNull(Txt),
    Contains(Txt, String),
    Starts(Txt, String),
    Ends(Txt, String),
    IContains(Txt, String),
    Yes,
    On,
    All(Vec<Cond>),
    Any(Vec<Cond>),
    Not(Box<Cond>),
    SomePiece(Piecewise),
    NoPiece(Piecewise),
    EveryPiece(Piecewise),
    /// The key is among those of such pieces, NULL among them.
    Listed(Piecewise),
    Unlisted(Piecewise),
}

/// A condition on a piece; its sheet is in scope.
#[derive(Clone, Debug)]
pub enum Piecewise {
    True,
    Num(Op, i64),
    Outer(Op, Num),
    Word(String),
    Null,
    Both(Box<Piecewise>, Box<Piecewise>),
    Either(Box<Piecewise>, Box<Piecewise>),
    Not(Box<Piecewise>),
}

impl Op {
    pub fn of(g: &mut Gen) -> Op {
        g.pick(&[Op::Eq, Op::Ne, Op::Lt, Op::Le, Op::Gt, Op::Ge])
    }
}

fn divisor(g: &mut Gen) -> i64 {
    g.pick(&[-3, -2, -1, 1, 2, 3])
}

impl Num {
    pub fn of(g: &mut Gen, depth: u32) -> Num {
        let Some(depth) = depth.checked_sub(1) else {
            return match g.below(3) {
                0 => Num::A,
                1 => Num::B,
                _ => Num::Lit(g.maybe(number)),
            };
        };
        let n = |g: &mut Gen| Box::new(Num::of(g, depth));
        match g.below(16) {
            0 | 1 => Num::A,
            2 => Num::B,
            3 => Num::Add(n(g), n(g)),
            4 => Num::Sub(n(g), n(g)),
            // of small numbers only: nothing leaves the range, which is an error on one database and not on the other
            5 => Num::Mul(Box::new(Num::of(g, 0)), Box::new(Num::of(g, 0))),
            6 => Num::Div(n(g), divisor(g)),
            7 => Num::Rem(n(g), divisor(g)),
            8 => Num::Abs(n(g)),
            9 => Num::Length(Box::new(Txt::of(g, depth))),
            10 => Num::Else(n(g), n(g)),
            11 => {
                let mut arms = vec![(Cond::of(g, depth), number(g))];
                arms.extend(g.several(2, |g| (Cond::of(g, depth), number(g))));
                Num::Case(arms, g.maybe(number))
            }
            12 => Num::Year,
            13 => Num::Month,
            14 => Num::Pieces(Box::new(Piecewise::of(g, depth))),
            _ => Num::Sum(Box::new(Piecewise::of(g, depth))),
        }
    }
}

impl Txt {
    pub fn of(g: &mut Gen, depth: u32) -> Txt {
        let Some(depth) = depth.checked_sub(1) else {
            return if g.one_in(2) { Txt::T } else { Txt::U };
        };
        let t = |g: &mut Gen| Box::new(Txt::of(g, depth));
        match g.below(9) {
            0 | 1 => Txt::T,
            2 => Txt::U,
            3 => Txt::Lit(word(g)),
            4 => Txt::Lower(t(g)),
            5 => Txt::Upper(t(g)),
            6 => Txt::Trim(t(g)),
            7 => Txt::Concat(t(g), t(g)),
            _ => Txt::Else(t(g), word(g)),
        }
    }
}

impl Cond {
    pub fn of(g: &mut Gen, depth: u32) -> Cond {
        let Some(depth) = depth.checked_sub(1) else {
            return match g.below(5) {
                0 => Cond::Yes,
                1 => Cond::On,
                2 => Cond::Price(Op::of(g), price(g)),
                3 => Cond::Day(Op::of(g), day(g)),
                _ => Cond::Num(Op::of(g), Num::of(g, 0), Num::of(g, 0)),
            };
        };
        let n = |g: &mut Gen| Num::of(g, depth);
        let t = |g: &mut Gen| Txt::of(g, depth);
        let c = |g: &mut Gen| Cond::of(g, depth);
        match g.below(28) {
            0..=2 => Cond::Num(Op::of(g), n(g), n(g)),
            3 => Cond::Txt(g.one_in(2), t(g), t(g)),
            4 => Cond::Cost(Op::of(g), price(g)),
            5 => Cond::Between(n(g), number(g), number(g)),
            6 => Cond::In(n(g), g.several(3, number)),
            7 => Cond::NotIn(n(g), g.several(3, number)),
            8 => Cond::SameAs(n(g), g.maybe(number)),
            9 => Cond::OtherThan(n(g), g.maybe(number)),
            10 => Cond::Null(n(g)),
            11 => Cond::NotNull(t(g)),
            12 => Cond::Contains(t(g), word(g)),
            13 => Cond::Starts(t(g), word(g)),
            14 => Cond::Ends(t(g), word(g)),
            15 => Cond::IContains(t(g), word(g)),
            16..=17 => Cond::All(g.several(3, c)),
            18..=19 => Cond::Any(g.several(3, c)),
            20..=21 => Cond::Not(Box::new(c(g))),
            22 => Cond::SomePiece(Piecewise::of(g, depth)),
            23 => Cond::NoPiece(Piecewise::of(g, depth)),
            24 => Cond::EveryPiece(Piecewise::of(g, depth)),
            25 => Cond::Listed(Piecewise::alone(g)),
            26 => Cond::Unlisted(Piecewise::alone(g)),
            _ => Cond::of(g, 0),
        }
    }
}

impl Piecewise {
    pub fn of(g: &mut Gen, depth: u32) -> Piecewise {
        let p = |g: &mut Gen| Box::new(Piecewise::of(g, depth.saturating_sub(1)));
        match g.below(if depth == 0 { 4 } else { 8 }) {
            0 => Piecewise::True,
            1 => Piecewise::Num(Op::of(g), number(g)),
            2 => Piecewise::Word(word(g)),
            3 => Piecewise::Null,
            4 => Piecewise::Outer(Op::of(g), Num::of(g, depth.saturating_sub(1))),
            5 => Piecewise::Both(p(g), p(g)),
            6 => Piecewise::Either(p(g), p(g)),
            _ => Piecewise::Not(p(g)),
        }
    }
    /// One that names nothing of the sheet.
    fn alone(g: &mut Gen) -> Piecewise {
        Piecewise::of(g, 0)
    }
}

/// A sheet.
#[derive(Model, Clone, Debug, PartialEq)]
#[has_many(pieces: Piece)]
pub struct Sheet {
    pub id: Id<Sheet>,
    pub a: Option<i64>,
    pub b: i64,
    pub t: Option<String>,
    pub u: String,
    pub yes: Option<bool>,
    pub on: bool,
    #[orm(decimal(10, 2))]
    pub price: Option<Decimal>,
    pub day: Option<NaiveDate>,
}

/// A piece of it, or of none.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Piece {
    pub id: Id<Piece>,
    #[belongs_to(sheet: Sheet)]
    pub sheet_id: Option<Id<Sheet>>,
    pub n: Option<i64>,
    pub w: String,
}
