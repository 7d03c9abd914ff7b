//! Who has connections, for the error of those who waited for one in vain.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::Instant;

/// The line of the program that asked for something.
pub type Site = &'static Location<'static>;

/// What a connection was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// One statement, or several sent as one.
    Statement,
    /// A transaction.
    Transaction,
    /// Code outside of the library.
    Lent,
}

/// Who asks: to notice a task that waits for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// A task of the runtime.
    Task(tokio::task::Id),
    /// Outside of a task, that is in `block_on`.
    Thread(ThreadId),
}

impl Asker {
    /// The code that runs now.
    pub fn current() -> Self {
        match tokio::task::try_id() {
            Some(id) => Asker::Task(id),
            None => Asker::Thread(std::thread::current().id()),
        }
    }
}

/// Who has the connections of one pool. Its `Display` goes behind the message of a `PoolTimeout`: the oldest first, by
/// their line in the program and how long they have had it, never a value.
#[derive(Clone, Default)]
pub struct Holders(Arc<Mutex<List>>);

#[derive(Default)]
struct List {
    taken: u64,
    held: Vec<Entry>,
}

struct Entry {
    number: u64,
    purpose: Purpose,
    site: Option<Site>,
    since: Instant,
    asker: Asker,
}

/// A connection is held as long as this lives.
pub struct Hold {
    holders: Holders,
    number: u64,
}

/// So many are told; the rest is counted.
const TOLD: usize = 4;

impl Holders {
    /// Notes that the current task has a connection from now on.
    pub fn hold(&self, purpose: Purpose, site: Option<Site>) -> Hold {
        let (since, asker) = (Instant::now(), Asker::current());
        let mut list = self.list();
        list.taken += 1;
        let number = list.taken;
        list.held.push(Entry {
            number,
            purpose,
            site,
            since,
            asker,
        });
        drop(list);
        Hold {
            holders: self.clone(),
            number,
        }
    }
    fn list(&self) -> MutexGuard<'_, List> {
        // a list is changed by one push or one removal: nothing can be half done under this lock
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut list = self.holders.list();
        if let Some(at) = list.held.iter().position(|e| e.number == self.number) {
            list.held.remove(at);
        }
    }
}

impl fmt::Display for Holders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (list, me) = (self.list(), Asker::current());
        let mut lead = "; held by ";
        for entry in list.held.iter().take(TOLD) {
            f.write_str(lead)?;
            lead = ", ";
            f.write_str(match entry.purpose {
                Purpose::Statement => "a statement",
                Purpose::Transaction => "a transaction",
                Purpose::Lent => "code outside of the library",
            })?;
            if let Some(site) = entry.site {
                write!(f, " of {}:{}", site.file(), site.line())?;
            }
            write!(f, " for {:.1} s", entry.since.elapsed().as_secs_f64())?;
            if entry.asker == me {
                f.write_str(" (this very task: use the transaction's handle)")?;
            }
        }
        match list.held.len().saturating_sub(TOLD) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use crate::driver::{Holders, Purpose};

    #[test]
    fn the_oldest_are_told_and_the_rest_is_counted() {
        let holders = Holders::default();
        assert_eq!(holders.to_string(), "");
        let first = holders.hold(Purpose::Transaction, Some(Location::caller()));
        let others: Vec<_> = (0..5).map(|_| holders.hold(Purpose::Statement, None)).collect();
        let text = holders.to_string();
        assert!(
            text.starts_with("; held by a transaction of ") && text.contains("holders.rs:"),
            "{text}"
        );
        assert!(
            text.ends_with(" and 2 more") && text.matches("a statement").count() == 3,
            "{text}"
        );
        drop(first);
        assert!(!holders.to_string().contains("a transaction of"), "{holders}");
        drop(others);
        assert_eq!(holders.to_string(), "");
    }
}
