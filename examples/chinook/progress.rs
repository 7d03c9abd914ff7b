//! A progress bar on stderr, drawn only when somebody looks.

use std::io::{IsTerminal, Write};

/// Width of the bar in characters.
const WIDTH: usize = 30;

/// How far the load is. Silent when stderr is not a terminal.
pub struct Progress {
    visible: bool,
    total: usize,
    done: usize,
}

impl Progress {
    /// A bar over so many rows.
    pub fn new(total: usize) -> Self {
        let visible = std::io::stderr().is_terminal();
        Progress {
            visible,
            total,
            done: 0,
        }
    }
    /// So many more rows of this table are in.
    pub fn add(&mut self, table: &str, rows: usize) {
        self.done += rows;
        if self.visible {
            let full = WIDTH * self.done.min(self.total) / self.total.max(1);
            let percent = 100 * self.done.min(self.total) / self.total.max(1);
            let (bar, rest) = ("█".repeat(full), "░".repeat(WIDTH - full));
            // a progress bar that cannot be drawn is no reason to stop loading
            let _ = write!(std::io::stderr(), "\r  {bar}{rest} {percent:>3} %  {table:<15}");
        }
    }
    /// Removes the bar.
    pub fn clear(&self) {
        if self.visible {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}
