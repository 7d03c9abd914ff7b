//! N+1 detection: the same read from one place, again and again, inside one scope.
//!
//! What is counted are calls, not statements: what a call sends beyond its first statement (relations it loads, steps of
//! a write) is its own affair. Counts belong to a future, and lie in a thread-local while that is polled, so that nobody
//! pays for them who does not ask.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::exec::fetch::Site;
use crate::schema::{RelationDef, Table};

thread_local! {
    static WATCH: Cell<Option<Box<Watch>>> = const { Cell::new(None) };
}

/// Reports reads that are sent `limit` times or more from one place while `work` runs: what a relation loaded with the
/// rows above would bring in one statement.
///
/// Yields what `work` yields, and the reads that repeat, in the order of their places. Each of them is also a `tracing`
/// warning, once, as soon as it reaches the limit. Reads of different places are not added up; writes, the statements
/// that load relations beside the rows of one call, and tasks that `work` spawns are not counted. Inside another such
/// future, the inner one counts.
///
/// ```
/// # use orm_core::exec::{Db, Record, Serves, watch_repeats};
/// # use orm_core::model::Model;
/// # async fn run<M: Model>(db: &Db, ids: Vec<M::Id>) -> orm_core::error::Result<()> where Db: Serves<M> {
/// let (read, repeats) = watch_repeats(10, async {
///     for id in ids {
///         M::get(db, id).await?; // repeats[0].to_string(): "src/shop.rs:7: `users` is read 25 times from here, …"
///     }
///     Ok(())
/// })
/// .await;
/// # let _ = repeats;
/// # read }
/// ```
pub fn watch_repeats<F: Future>(limit: u32, work: F) -> Watched<F> {
    let watch = Watch {
        limit,
        reads: HashMap::new(),
    };
    Watched {
        work: Box::pin(work),
        watch: Some(Box::new(watch)),
    }
}

/// A future whose reads are counted. Made by [`watch_repeats`].
#[must_use = "futures run only when awaited"]
pub struct Watched<F> {
    work: Pin<Box<F>>,
    watch: Option<Box<Watch>>,
}

/// A read that is sent again and again from one place. Displays as a sentence that says what to do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Repeat {
    /// The place.
    pub site: &'static Location<'static>,
    /// The statement; it holds no values.
    pub text: Arc<str>,
    /// The table that is read, where it is known.
    pub table: Option<&'static str>,
    /// How often it was sent.
    pub times: u32,
    /// The relations that would bring the rows at once: the one that the query follows, or those that its conditions
    /// may mean.
    pub relations: Vec<&'static RelationDef>,
}

impl fmt::Display for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line) = (self.site.file(), self.site.line());
        match self.table {
            Some(table) => write!(f, "{file}:{line}: `{table}` is read")?,
            None => write!(f, "{file}:{line}: the same statement is sent")?,
        }
        write!(f, " {} times from here, ", self.times)?;
        if self.relations.is_empty() {
            return f.write_str("read all the rows with one statement: `.filter(|m| m.id.in_(ids))`");
        }
        f.write_str("load it with the rows above: ")?;
        for (i, relation) in self.relations.iter().enumerate() {
            let RelationDef { model, name, .. } = relation;
            let or = if i == 0 { "" } else { ", or " };
            let row = model.chars().next().unwrap_or('m').to_lowercase();
            write!(f, "{or}`{model}::query().with(|{row}| {row}.{name})`")?;
        }
        Ok(())
    }
}

/// The reads of one future.
struct Watch {
    limit: u32,
    reads: HashMap<(Site, Arc<str>), Repeat>,
}

impl Watch {
    fn count(&mut self, read: Read<'_>) {
        let key = (read.site, read.text.clone());
        let repeat = self.reads.entry(key).or_insert_with(|| read.once());
        repeat.times = repeat.times.saturating_add(1);
        if repeat.times == self.limit {
            repeat.relations = read.relations();
            tracing::warn!(
                target: "orm::query",
                { db.collection.name = repeat.table,
                db.query.text = &*repeat.text,
                code.file.path = repeat.site.file(),
                code.line.number = repeat.site.line() },
                "{repeat}"
            );
        }
    }
    fn repeats(self) -> Vec<Repeat> {
        let limit = self.limit;
        let mut found: Vec<Repeat> = self.reads.into_values().filter(|r| r.times >= limit).collect();
        found.sort_by(|a, b| (a.site, &a.text).cmp(&(b.site, &b.text)));
        found
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = (F::Output, Vec<Repeat>);
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Watched { work, watch } = &mut *self;
        let within = Within::new(watch);
        let polled = work.as_mut().poll(cx);
        drop(within);
        let value = ready!(polled);
        Poll::Ready((value, watch.take().map_or_else(Vec::new, |watch| watch.repeats())))
    }
}

/// While it lives, the thread counts for another; also when a panic ends that.
struct Within<'a>(&'a mut Option<Box<Watch>>);

impl<'a> Within<'a> {
    fn new(watch: &'a mut Option<Box<Watch>>) -> Self {
        swap(watch);
        Within(watch)
    }
}
impl Drop for Within<'_> {
    fn drop(&mut self) {
        swap(self.0);
    }
}

fn swap(watch: &mut Option<Box<Watch>>) {
    // a thread that ends counts nothing any more
    let _ = WATCH.try_with(|current| *watch = current.replace(watch.take()));
}

/// Without counting: a step of something that is counted as a whole, or not at all.
pub(crate) fn uncounted<T>(step: impl FnOnce() -> T) -> T {
    let mut nobody = None;
    let _within = Within::new(&mut nobody);
    step()
}

/// A future whose statements are not counted.
pub(crate) async fn apart<F: Future>(work: F) -> F::Output {
    let mut work = Box::pin(work);
    poll_fn(|cx| uncounted(|| work.as_mut().poll(cx))).await
}

/// A call that reads.
pub(crate) struct Read<'a> {
    pub(crate) site: Site,
    pub(crate) text: &'a Arc<str>,
    pub(crate) target: Option<&'static str>,
    pub(crate) table: Option<&'static Table>,
    /// The relation it follows from a row in memory.
    pub(crate) relation: Option<&'static RelationDef>,
}

impl Read<'_> {
    /// Counts it, if somebody watches.
    pub(crate) fn count(self) {
        let mut current = None;
        swap(&mut current);
        if let Some(watch) = &mut current {
            watch.count(self);
            swap(&mut current);
        }
    }
    fn once(&self) -> Repeat {
        Repeat {
            site: self.site,
            text: self.text.clone(),
            table: self.table.map(Table::name).or(self.target),
            times: 0,
            relations: Vec::new(),
        }
    }
    /// The relation that the call follows; else those to its table whose columns stand in its condition.
    fn relations(&self) -> Vec<&'static RelationDef> {
        if let Some(relation) = self.relation {
            return vec![relation];
        }
        let (Some(table), Some((_, condition))) = (self.table, self.text.split_once(" WHERE ")) else {
            return Vec::new();
        };
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let names = |name: &str| condition.split(|c| !is_word(c)).any(|word| word == name);
        let mut found: Vec<&'static RelationDef> = Vec::new();
        // a relation to this table is declared by a model that this one declares a relation to
        for back in table.relations.iter().flat_map(|r| (r.table)().relations) {
            let meant = match &back.through {
                Some(through) => names((through.table)().name()),
                None => (back.child)().iter().all(|c| names(c.column.name)),
            };
            let here = std::ptr::eq((back.table)(), table);
            if here && meant && !found.iter().any(|r| std::ptr::eq(*r, *back)) {
                found.push(back);
            }
        }
        found
    }
}
