//! Functions of dates and instants. Everything is in UTC, on every backend.

use crate::ast::{DatePart, DateUnit, Expr as Node, Function};
use crate::query::{Col, Expr, Operand};
use crate::value::{Date, Interval, Scalar, SqlType, Value};

/// Dates, instants and their `Option`s.
#[diagnostic::on_unimplemented(message = "date functions need a date or an instant, and this is `{Self}`")]
pub trait Temporal: SqlType {
    /// The type of its day.
    type Day: Scalar;
}
macro_rules! temporal {
    ($($t:ty => $day:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl Temporal for $t {
            type Day = $day;
        }
        #[diagnostic::do_not_recommend]
        impl Temporal for Option<$t> {
            type Day = $day;
        }
    )*};
}
temporal! {
    crate::value::Timestamp => Date;
    crate::value::LocalTimestamp => Date;
    Date => Date;
}
#[cfg(feature = "chrono")]
temporal! {
    chrono::DateTime<chrono::Utc> => chrono::NaiveDate;
    chrono::NaiveDateTime => chrono::NaiveDate;
    chrono::NaiveDate => chrono::NaiveDate;
}
#[cfg(feature = "time")]
temporal! {
    ::time::OffsetDateTime => ::time::Date;
    ::time::UtcDateTime => ::time::Date;
    ::time::PrimitiveDateTime => ::time::Date;
    ::time::Date => ::time::Date;
}
#[cfg(feature = "jiff")]
temporal! {
    ::jiff::Timestamp => ::jiff::civil::Date;
    ::jiff::civil::DateTime => ::jiff::civil::Date;
    ::jiff::civil::Date => ::jiff::civil::Date;
}

/// Today in UTC, by the clock of [`now`](crate::query::now).
pub fn today<S>() -> Expr<S, Date> {
    Expr::new(Node::call(Function::DateOf, vec![Node::Clock]))
}

fn call(f: Function, args: Vec<Node>) -> Node {
    Node::call(f, args)
}

fn later(of: Node, span: Interval) -> Node {
    let Interval { months, days, micros } = span;
    let add = |of, unit, n: i64| match n {
        0 => of,
        n => call(Function::DateAdd(unit), vec![of, Node::Value(Value::I64(n))]),
    };
    let of = add(of, DateUnit::Months, months.into());
    let of = add(of, DateUnit::Days, days.into());
    match micros % 1_000_000 {
        0 => add(of, DateUnit::Seconds, micros / 1_000_000),
        _ => add(of, DateUnit::Micros, micros),
    }
}

macro_rules! moments {
    ($Ty:ident, [$($k:tt)*]) => {
        impl<S, T: Temporal, $($k)*> $Ty<S, T, $($k)*> {
            /// A part of the date or instant, in UTC. Hours and smaller parts of a date without time are an
            /// `InvalidQuery` error.
            pub fn date_part(self, part: DatePart) -> Expr<S, T::With<i64>> {
                Expr::new(call(Function::DatePart(part), vec![self.node()]))
            }
            /// The year.
            pub fn year(self) -> Expr<S, T::With<i64>> {
                self.date_part(DatePart::Year)
            }
            /// The quarter, 1–4.
            pub fn quarter(self) -> Expr<S, T::With<i64>> {
                self.date_part(DatePart::Quarter)
            }
            /// The month, 1–12.
            pub fn month(self) -> Expr<S, T::With<i64>> {
                self.date_part(DatePart::Month)
            }
            /// The week as ISO 8601 counts them, 1–53.
            pub fn week(self) -> Expr<S, T::With<i64>> {
                self.date_part(DatePart::Week)
            }
            /// The day of the month.
            pub fn day(self) -> Expr<S, T::With<i64>> {
                self.date_part(DatePart::Day)
            }
            /// The day of the week, Monday 1 to Sunday 7.
            pub fn weekday(self) -> Expr<S, T::With<i64>> {
                self.date_part(DatePart::Weekday)
            }
            /// The day of the year, 1–366.
            pub fn day_of_year(self) -> Expr<S, T::With<i64>> {
                self.date_part(DatePart::DayOfYear)
            }
            /// The hour, 0–23.
            pub fn hour(self) -> Expr<S, T::With<i64>> {
                self.date_part(DatePart::Hour)
            }
            /// The minute.
            pub fn minute(self) -> Expr<S, T::With<i64>> {
                self.date_part(DatePart::Minute)
            }
            /// The second, without its fraction.
            pub fn second(self) -> Expr<S, T::With<i64>> {
                self.date_part(DatePart::Second)
            }
            /// Whole seconds since 1970-01-01T00:00:00.
            pub fn epoch(self) -> Expr<S, T::With<i64>> {
                self.date_part(DatePart::Epoch)
            }
            /// The start of the year, month, day, … it lies in, in UTC.
            pub fn date_trunc(self, part: DatePart) -> Expr<S, T> {
                Expr::new(call(Function::DateTrunc(part), vec![self.node()]))
            }
            /// The day it lies on, in UTC.
            pub fn date(self) -> Expr<S, T::With<T::Day>> {
                Expr::new(call(Function::DateOf, vec![self.node()]))
            }
            /// So much later: `p.due.plus(Interval::days(3))`, or a `std::time::Duration`. Hours and less on a date without
            /// time are an `InvalidQuery` error; the years 0 to 9999 are what both backends hold.
            pub fn plus(self, span: impl Into<Interval>) -> Expr<S, T> {
                Expr::new(later(self.node(), span.into()))
            }
            /// So much earlier.
            pub fn minus(self, span: impl Into<Interval>) -> Expr<S, T> {
                Expr::new(later(self.node(), -span.into()))
            }
            /// So many days later, as an expression says.
            pub fn plus_days<R: Operand<S, i64>>(self, n: R) -> Expr<S, R::Lift<T>> {
                Expr::new(call(Function::DateAdd(DateUnit::Days), vec![self.node(), n.into_node()]))
            }
            /// So many months later, on the last day of the month where there is no such day.
            pub fn plus_months<R: Operand<S, i64>>(self, n: R) -> Expr<S, R::Lift<T>> {
                Expr::new(call(Function::DateAdd(DateUnit::Months), vec![self.node(), n.into_node()]))
            }
            /// So many seconds later.
            pub fn plus_seconds<R: Operand<S, i64>>(self, n: R) -> Expr<S, R::Lift<T>> {
                Expr::new(call(Function::DateAdd(DateUnit::Seconds), vec![self.node(), n.into_node()]))
            }
            /// How many midnights lie between the other and this one: the difference of their dates.
            pub fn days_since<R: Operand<S, T::Base>>(self, other: R) -> Expr<S, R::Lift<T::With<i64>>> {
                Expr::new(call(Function::DateDiff(DateUnit::Days), vec![self.node(), other.into_node()]))
            }
            /// How many months begin between the other and this one: the difference of their months.
            pub fn months_since<R: Operand<S, T::Base>>(self, other: R) -> Expr<S, R::Lift<T::With<i64>>> {
                Expr::new(call(Function::DateDiff(DateUnit::Months), vec![self.node(), other.into_node()]))
            }
            /// Whole seconds from the other to this one, cut towards zero.
            pub fn seconds_since<R: Operand<S, T::Base>>(self, other: R) -> Expr<S, R::Lift<T::With<i64>>> {
                Expr::new(call(Function::DateDiff(DateUnit::Seconds), vec![self.node(), other.into_node()]))
            }
            /// Microseconds from the other to this one.
            pub fn micros_since<R: Operand<S, T::Base>>(self, other: R) -> Expr<S, R::Lift<T::With<i64>>> {
                Expr::new(call(Function::DateDiff(DateUnit::Micros), vec![self.node(), other.into_node()]))
            }
            /// As text: `%Y` year, `%m` month, `%d` day, `%H` hour, `%M` minute, `%S` second, `%j` day of the year, `%F` for
            /// `%Y-%m-%d`, `%T` for `%H:%M:%S`, `%%`; everything else is itself. Another letter is an `InvalidQuery` error.
            pub fn format(self, pattern: &'static str) -> Expr<S, T::With<String>> {
                Expr::new(call(Function::DateFormat(pattern), vec![self.node()]))
            }
        }
    };
}
moments!(Col, [K]);
moments!(Expr, []);
