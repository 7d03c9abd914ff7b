//! Full-text search.

use crate::ast::{Column, Source};

/// What a full-text search of a table looks at.
#[derive(Debug, PartialEq)]
pub struct Search {
    /// The table that holds the words, where it is one beside.
    pub name: &'static str,
    /// The primary key, where it is one column.
    pub key: Option<&'static Column>,
    /// The columns with their words.
    pub columns: &'static [SearchColumn],
    /// The language whose words are reduced to their stems and whose frequent ones are left out; `simple` for none.
    pub language: &'static str,
}

impl Search {
    /// What is searched as it is written.
    pub const SIMPLE: &'static str = "simple";
    /// Where among the columns this one is.
    pub fn position(&self, column: &Column) -> Option<usize> {
        self.columns.iter().position(|c| std::ptr::eq(c.column, column))
    }
}

/// A column that is searched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchColumn {
    /// The column.
    pub column: &'static Column,
    /// How much its words count.
    pub weight: SearchWeight,
}

/// How much the words of a column count in the rank of a row: 1, 0.4, 0.2 and 0.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SearchWeight {
    /// Most.
    A,
    /// Less than half of that.
    B,
    /// Half of that.
    C,
    /// Least: what columns without a weight have.
    #[default]
    D,
}

impl SearchWeight {
    /// Its letter.
    pub const fn letter(self) -> &'static str {
        match self {
            SearchWeight::A => "A",
            SearchWeight::B => "B",
            SearchWeight::C => "C",
            SearchWeight::D => "D",
        }
    }
    /// Its number.
    pub const fn number(self) -> &'static str {
        match self {
            SearchWeight::A => "1.0",
            SearchWeight::B => "0.4",
            SearchWeight::C => "0.2",
            SearchWeight::D => "0.1",
        }
    }
}

/// A full-text search in an expression.
#[derive(Clone, Debug)]
pub struct SearchCall {
    /// The table reference.
    pub source: Source,
    /// Where its words are.
    pub search: &'static Search,
    /// What is asked.
    pub op: SearchOp,
    /// What somebody looks for: words, `"phrases"`, `-words`, `or`.
    pub text: Box<str>,
}

/// What is asked of a search.
#[derive(Clone, Copy, Debug)]
pub enum SearchOp {
    /// Whether the row is found.
    Matches,
    /// How well, as a number: the larger, the better.
    Rank,
    /// A column with what was found in `<b>`.
    Highlight(&'static Column),
    /// An excerpt of a column with what was found in `<b>`.
    Headline(&'static Column),
}
