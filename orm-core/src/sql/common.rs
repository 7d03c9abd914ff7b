//! Common table expressions that bring their definitions along: each is written when it is first met, and put in front of
//! the whole statement at its end. Placeholders are numbered, so that the order of their texts does not matter.

use std::sync::Arc;

use crate::ast::{Cte, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::SqlWriter;
use crate::sql::writer::{RECURSIVE, WITH};
use crate::value::Timestamp;

/// What is known of them while a statement is written.
#[derive(Default)]
pub(crate) struct Common {
    known: Vec<Known>,
    /// The definitions, what others refer to first.
    text: String,
    recursive: bool,
    /// How many definitions are being written, each inside the one before.
    depth: usize,
    /// Where the statement's own list begins behind its first word, and whether that allows recursion.
    own: Option<bool>,
    /// The tables of the statement: the first ones without an allocation, which every statement would pay for.
    first: [Option<&'static Table>; 4],
    more: Vec<&'static Table>,
}

struct Known {
    cte: Arc<Cte>,
    /// The time of which the rows are that it reads.
    as_of: Option<Timestamp>,
}

impl SqlWriter<'_> {
    /// Takes note of a table, whose name no expression may hide.
    pub(crate) fn saw_table(&mut self, table: &'static Table) {
        match self.common.first.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => *slot = Some(table),
            None => self.common.more.push(table),
        }
    }
    /// Takes note of a list that begins here.
    pub(crate) fn begin_with(&mut self, recursive: bool) {
        if self.is_blank() && self.common.depth == 0 {
            self.common.own = Some(recursive);
        }
    }
    /// Writes the name of the expression, and sees to its definition.
    pub(crate) fn common(&mut self, cte: &Arc<Cte>) -> Result<()> {
        let as_of = self.as_of;
        match self.common.known.iter().find(|known| known.cte.name == cte.name) {
            Some(known) if Arc::ptr_eq(&known.cte, cte) && known.as_of == as_of => {}
            Some(_) => {
                let name = cte.name;
                let text = format!("two common table expressions of one statement are called `{name}`");
                return Err(Error::new(ErrorKind::InvalidQuery, text));
            }
            None => {
                let cte = cte.clone();
                self.common.known.push(Known {
                    cte: cte.clone(),
                    as_of,
                });
                self.define_common(&cte)?;
            }
        }
        self.ident(cte.name)
    }
    fn define_common(&mut self, cte: &Cte) -> Result<()> {
        self.common.depth += 1;
        self.common.recursive |= cte.recursive;
        let text = self.apart(|w| w.cte(cte))?;
        self.common.depth -= 1;
        if !self.common.text.is_empty() {
            self.common.text.push_str(", ");
        }
        self.common.text.push_str(&text);
        Ok(())
    }
    /// Puts the definitions in front of the statement.
    pub(crate) fn put_common(&mut self) -> Result<()> {
        if self.common.known.is_empty() {
            return Ok(());
        }
        let mut tables = self.common.first.iter().flatten().chain(&self.common.more);
        let hidden = |table: &&&'static Table| {
            let named = |known: &Known| known.cte.name.eq_ignore_ascii_case(table.name);
            table.schema.is_none() && self.common.known.iter().any(named)
        };
        if let Some(table) = tables.find(hidden) {
            let name = table.name;
            let text =
                format!("a common table expression is called `{name}`, as a table of the same statement is");
            return Err(Error::new(ErrorKind::InvalidQuery, text));
        }
        let own = self.common.own;
        let recursive = self.common.recursive || own == Some(true);
        let mut front = String::from(if recursive { RECURSIVE } else { WITH });
        front.push_str(&self.common.text);
        let replaced = match own {
            Some(true) => RECURSIVE.len(),
            Some(false) => WITH.len(),
            None => 0,
        };
        front.push_str(if own.is_some() { ", " } else { " " });
        self.replace_front(replaced, &front);
        Ok(())
    }
}
