//! Pages by number: the rows, and beside each of them how many there are in all, so that both are of one moment.

use std::any::Any;
use std::panic::Location;

use crate::ast::{Expr as Node, Select, Statement};
use crate::driver::{Discard, Done, Sink};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::collect::{Collect, other_sink};
use crate::exec::explain::selected;
use crate::exec::fetch::{Site, step};
use crate::exec::load::{Batches, Loaded, select_beside, select_keys};
use crate::exec::page::{Sinks, terms};
use crate::exec::read::{counting, following};
use crate::exec::{Explain, Pending, Raw, Serves};
use crate::model::Model;
use crate::query::{NumberedPage, NumberedPages, Query};
use crate::relation::Branch;
use crate::schema::Table;
use crate::sql::{self, Dialect, Scope, Sql};
use crate::value::{Cells, Output};

impl<M: Model, O: Output> NumberedPages<M, O> {
    /// The rows of the page, and how many rows and pages there are. The count is a part of the same statement; only a
    /// page without rows takes a second one for it.
    ///
    /// ```sql
    /// SELECT …, (SELECT count(*) FROM "posts" AS t1 WHERE …) FROM "posts" AS t0 WHERE … ORDER BY … LIMIT $1 OFFSET $2
    /// ```
    ///
    /// # Errors
    /// `InvalidQuery` for page 0, when the query has a limit of its own, or when nothing identifies its rows.
    #[track_caller]
    pub fn fetch<'a, E: Serves<M> + ?Sized>(self, ex: &'a E) -> Pending<'a, NumberedPage<O>> {
        let site = Location::caller();
        let raw = following(ex.raw(), &self.query);
        let sinks = Sinks::of::<O>();
        let rows = async move {
            let plan = Plan::new(self).map_err(|e| e.with_model(M::TABLE.model))?;
            plan.run(&raw, M::TABLE, sinks, site).await
        };
        Pending::hooked(Box::pin(rows), Counted::page::<O>)
    }
    /// How the database finds the page and counts the rows; see [`Query::explain`].
    #[track_caller]
    pub fn explain<'a, E: Serves<M> + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        let raw = following(ex.raw(), &self.query);
        let select = Plan::new(self).and_then(|mut plan| {
            select_beside(&mut plan.select, &plan.loads)?;
            plan.select.columns.push(Node::Subquery(plan.count));
            Ok(plan.select)
        });
        selected(raw, select, M::TABLE, Location::caller())
    }
}

impl<M: Model, O> NumberedPages<M, O> {
    /// The text and the binds of the page in a dialect, for reading; see [`Query::to_sql`].
    ///
    /// # Errors
    /// As [`fetch`](NumberedPages::fetch), before anything is sent.
    pub fn to_sql(&self, dialect: &dyn Dialect) -> Result<Sql> {
        let mut plan = Plan::new(self.clone())?;
        select_beside(&mut plan.select, &plan.loads)?;
        plan.select.columns.push(Node::Subquery(plan.count));
        sql::render_select(&plan.select, dialect, &Scope::default())
    }
}

struct Plan {
    select: Box<Select>,
    /// How many rows there are without the limit.
    count: Box<Select>,
    loads: Vec<Branch>,
    size: u64,
    number: u64,
}

impl Plan {
    fn new<M: Model, O>(pages: NumberedPages<M, O>) -> Result<Plan> {
        let NumberedPages { query, size, number } = pages;
        if size == 0 || number == 0 {
            let text = "pages have at least one row and are counted from 1";
            return Err(Error::new(ErrorKind::InvalidQuery, text));
        }
        // over rows of its own: it stands inside the other
        let (mut count, _) = Query::clone(&query).into_parts();
        let (mut select, loads) = query.into_parts();
        terms::terms(&mut select)?;
        select_keys(&mut count, &loads)?;
        select.limit = Some(size);
        select.offset = Some((number - 1).saturating_mul(size)).filter(|n| *n > 0);
        Ok(Plan {
            select,
            count: counting(count),
            loads,
            size,
            number,
        })
    }
    async fn run(mut self, raw: &Raw<'_>, table: &'static Table, sinks: Sinks, site: Site) -> Result<Done> {
        let batches = match self.loads.is_empty() {
            true => None,
            false => Some(Batches::new(&mut self.select, self.loads)?),
        };
        let rows = match &batches {
            None => (sinks.plain)(),
            Some(batches) => (sinks.loaded)(batches),
        };
        let at = self.select.columns.len();
        self.select.columns.push(Node::Subquery(self.count.clone()));
        let counted = Box::new(Counted {
            rows,
            loaded: None,
            at,
            total: None,
            size: self.size,
            number: self.number,
        });
        let done = step(raw, Statement::Select(self.select), Some(table), counted, site).await?;
        let mut counted = Counted::back(done.sink)?;
        if counted.total.is_none() && self.number > 1 {
            let count = Statement::Select(self.count);
            let done = step(raw, count, Some(table), Collect::<i64>::boxed(), site).await?;
            counted.total = Collect::<i64>::take(done.sink)?.pop();
        }
        if let Some(batches) = batches {
            let rows = std::mem::replace(&mut counted.rows, Box::new(Discard));
            counted.loaded = Some(batches.finish(raw, rows, site).await?);
        }
        Ok(Done {
            sink: counted,
            affected: done.affected,
        })
    }
}

/// Keeps the rows of a page, and the total that stands beside each.
struct Counted {
    rows: Box<dyn Sink>,
    loaded: Option<Loaded>,
    at: usize,
    total: Option<i64>,
    size: u64,
    number: u64,
}

impl Counted {
    fn back(sink: Box<dyn Sink>) -> Result<Box<Counted>> {
        sink.into_any().downcast().map_err(|_| other_sink())
    }
    fn page<O: Output>(done: Done) -> Result<NumberedPage<O>> {
        let counted = *Counted::back(done.sink)?;
        let items = match counted.loaded {
            None => Collect::<O>::take(counted.rows)?,
            Some(loaded) => loaded.finish::<O>()?,
        };
        let total = counted.total.map_or(0, i64::unsigned_abs);
        Ok(NumberedPage {
            items,
            number: counted.number,
            pages: total.div_ceil(counted.size),
            total,
        })
    }
}

impl Sink for Counted {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        if self.total.is_none() {
            self.total = cells.i64(self.at)?;
        }
        self.rows.row(cells)
    }
    fn rows(&self) -> usize {
        self.rows.rows()
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
