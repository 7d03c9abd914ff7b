//! Names for the columns of derived tables that have none of their own.

use std::sync::{Mutex, PoisonError};

/// The name of the column at this position, counted from 0: `_1`, `_2`, …
pub(crate) fn numbered(i: usize) -> &'static str {
    static NAMES: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    while names.len() <= i {
        let name = format!("_{}", names.len() + 1);
        names.push(Box::leak(name.into_boxed_str()));
    }
    names[i]
}
