//! Rows as text, and text as tables.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use orm::Id;
use rust_decimal::Decimal;

/// A value as it stands in a table.
pub trait Cell {
    /// The text, without padding.
    fn text(&self) -> String;
}

impl Cell for String {
    fn text(&self) -> String {
        self.clone()
    }
}
impl Cell for i64 {
    fn text(&self) -> String {
        self.to_string()
    }
}
impl<M> Cell for Id<M> {
    fn text(&self) -> String {
        self.to_string()
    }
}
impl Cell for Decimal {
    fn text(&self) -> String {
        format!("{:.2}", self.round_dp(2))
    }
}
impl Cell for DateTime<Utc> {
    fn text(&self) -> String {
        self.format("%Y-%m-%d").to_string()
    }
}
impl<T: Cell> Cell for Option<T> {
    fn text(&self) -> String {
        self.as_ref().map_or_else(|| "–".to_owned(), T::text)
    }
}

/// A row of a query as the cells of a table.
pub trait Cells {
    /// One text per column.
    fn cells(&self) -> Vec<String>;
}

macro_rules! cells {
    ($($T:ident)+) => {
        impl<$($T: Cell),+> Cells for ($($T,)+) {
            #[allow(non_snake_case)]
            fn cells(&self) -> Vec<String> {
                let ($($T,)+) = self;
                vec![$($T.text()),+]
            }
        }
    };
}
cells!(A);
cells!(A B);
cells!(A B C);
cells!(A B C D);
cells!(A B C D E);
cells!(A B C D E F);

/// Cells longer than this are cut.
const WIDEST: usize = 42;

/// Prints a table with at most so many rows; numbers stand to the right.
pub fn print(out: &mut impl Write, header: &[&str], rows: &[Vec<String>], limit: usize) -> io::Result<()> {
    let shown = &rows[..rows.len().min(limit)];
    let cell = |row: &Vec<String>, i: usize| row.get(i).map(|text| cut(text)).unwrap_or_default();
    let number = |i: usize| shown.iter().all(|row| is_number(&cell(row, i)));
    let columns: Vec<(usize, bool)> = (0..header.len())
        .map(|i| {
            let widest = shown.iter().map(|row| cell(row, i).chars().count()).max();
            (widest.unwrap_or(0).max(header[i].chars().count()), number(i))
        })
        .collect();
    line(out, &columns, header.iter().map(|name| name.to_string()))?;
    line(out, &columns, columns.iter().map(|(width, _)| "─".repeat(*width)))?;
    for row in shown {
        line(out, &columns, (0..header.len()).map(|i| cell(row, i)))?;
    }
    if rows.len() > shown.len() {
        writeln!(out, "   … {} more", rows.len() - shown.len())?;
    }
    Ok(())
}

fn line(
    out: &mut impl Write,
    columns: &[(usize, bool)],
    cells: impl Iterator<Item = String>,
) -> io::Result<()> {
    let mut text = String::from("  ");
    for ((width, right), cell) in columns.iter().zip(cells) {
        match right {
            true => text.push_str(&format!(" {cell:>width$} ")),
            false => text.push_str(&format!(" {cell:<width$} ")),
        }
    }
    writeln!(out, "{}", text.trim_end())
}

fn cut(text: &str) -> String {
    match text.chars().count() > WIDEST {
        true => text.chars().take(WIDEST - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

fn is_number(text: &str) -> bool {
    text == "–" || text.parse::<f64>().is_ok()
}
