//! Pages: the order is made total, the rows behind the cursor's values are read, one more than asked for.

mod numbered;
mod terms;
mod values;

use std::any::Any;
use std::panic::Location;

use crate::ast::{Distinct, Expr as Node, Select, Statement};
use crate::driver::{Discard, Done, Sink};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::collect::{Collect, other_sink};
use crate::exec::explain::selected;
use crate::exec::fetch::{Site, step};
use crate::exec::key::Cell;
use crate::exec::load::{Batches, Loaded, select_beside};
use crate::exec::page::terms::Term;
use crate::exec::read::following;
use crate::exec::{Explain, Pending, Raw, Serves};
use crate::model::Model;
use crate::query::{Page, PageCursor, Paged, Position};
use crate::relation::Branch;
use crate::schema::Table;
use crate::sql::{self, Dialect, Scope, Sql};
use crate::value::{Cells, Output, Rows, Value, read, sha256};

impl<M: Model, O: Output> Paged<M, O> {
    /// The rows of the page, and the cursors of the pages beside it.
    ///
    /// # Errors
    /// `InvalidCursor` when the cursor is of another query; `InvalidQuery` when the query has a limit of its own, when
    /// nothing identifies its rows, or when its order has values that no cursor holds.
    #[track_caller]
    pub fn fetch<'a, E: Serves<M> + ?Sized>(self, ex: &'a E) -> Pending<'a, Page<O>> {
        let site = Location::caller();
        let raw = following(ex.raw(), &self.query);
        let sinks = Sinks::of::<O>();
        let (ast, loads) = self.query.into_parts();
        let (position, size) = (self.position, self.size);
        let rows = async move {
            let plan = Plan::new(ast, position, size, raw.runner.dialect(), &raw.scope);
            plan.map_err(|e| e.with_model(M::TABLE.model))?
                .run(&raw, M::TABLE, loads, sinks, site)
                .await
        };
        Pending::hooked(Box::pin(rows), Cut::page::<O>)
    }
    /// How the database finds the page; see [`Query::explain`](crate::query::Query::explain).
    #[track_caller]
    pub fn explain<'a, E: Serves<M> + ?Sized>(self, ex: &'a E) -> Explain<'a> {
        let raw = following(ex.raw(), &self.query);
        let (ast, loads) = self.query.into_parts();
        let dialect = raw.runner.dialect();
        let plan = Plan::new(ast, self.position, self.size, dialect, &raw.scope);
        let select = plan.and_then(|mut plan| {
            select_beside(&mut plan.select, &loads)?;
            plan.cells();
            Ok(plan.select)
        });
        selected(raw, select, M::TABLE, Location::caller())
    }
}

impl<M: Model, O> Paged<M, O> {
    /// The text and the binds of the page in a dialect, for reading; see [`Query::to_sql`](crate::query::Query::to_sql).
    ///
    /// # Errors
    /// As [`fetch`](Paged::fetch), before anything is sent.
    pub fn to_sql(&self, dialect: &dyn Dialect) -> Result<Sql> {
        let (ast, loads) = self.query.clone().into_parts();
        let scope = Scope::default();
        let mut plan = Plan::new(ast, self.position.clone(), self.size, dialect, &scope)?;
        select_beside(&mut plan.select, &loads)?;
        plan.cells();
        sql::render_select(&plan.select, dialect, &scope)
    }
}

/// Makes the receivers of rows whose type is erased here.
struct Sinks {
    plain: fn() -> Box<dyn Sink>,
    loaded: fn(&Batches) -> Box<dyn Sink>,
}

impl Sinks {
    fn of<O: Output>() -> Sinks {
        Sinks {
            plain: Collect::<O>::boxed,
            loaded: |batches| batches.sink(Rows::<O>::collector(), usize::MAX),
        }
    }
}

/// The statement of a page.
struct Plan {
    select: Box<Select>,
    terms: Vec<Term>,
    fingerprint: u64,
    position: Position,
    size: usize,
}

impl Plan {
    fn new(
        mut select: Box<Select>,
        position: Position,
        size: u64,
        dialect: &dyn Dialect,
        scope: &Scope,
    ) -> Result<Plan> {
        if size == 0 {
            return Err(Error::new(ErrorKind::InvalidQuery, "a page has at least one row"));
        }
        let mut terms = terms::terms(&mut select)?;
        let fingerprint = fingerprint(&select, dialect, scope)?;
        let (cursor, backwards) = match &position {
            Position::First => (None, false),
            Position::Last => (None, true),
            Position::After(cursor) => (Some(cursor), false),
            Position::Before(cursor) => (Some(cursor), true),
        };
        if backwards {
            terms::reverse(&mut select, &mut terms);
        }
        if let Some(cursor) = cursor {
            if cursor.fingerprint != fingerprint {
                return Err(PageCursor::invalid(
                    "the cursor is of a query with another order or other conditions",
                ));
            }
            let values = values::read(cursor, terms.iter().map(|t| t.ty))?;
            terms::restrict(&mut select, &terms, values, cursor.inclusive);
        }
        select.limit = Some(size.saturating_add(1));
        Ok(Plan {
            select,
            terms,
            fingerprint,
            position,
            size: usize::try_from(size).unwrap_or(usize::MAX),
        })
    }
    /// Where the values for cursors stand in the rows.
    fn cells(&mut self) -> Vec<Cell> {
        terms::cells(&mut self.select, &self.terms)
    }
    async fn run(
        mut self,
        raw: &Raw<'_>,
        table: &'static Table,
        loads: Vec<Branch>,
        sinks: Sinks,
        site: Site,
    ) -> Result<Done> {
        let batches = match loads.is_empty() {
            true => None,
            false => Some(Batches::new(&mut self.select, loads)?),
        };
        let rows = match &batches {
            None => (sinks.plain)(),
            Some(batches) => (sinks.loaded)(batches),
        };
        let at = self.cells();
        let cut = Box::new(Cut {
            rows,
            loaded: None,
            at,
            size: self.size,
            seen: 0,
            ends: [None, None],
            fingerprint: self.fingerprint,
            position: self.position,
        });
        let done = step(raw, Statement::Select(self.select), Some(table), cut, site).await?;
        let Some(batches) = batches else {
            return Ok(done);
        };
        let mut cut = Cut::back(done.sink)?;
        let rows = std::mem::replace(&mut cut.rows, Box::new(Discard));
        cut.loaded = Some(batches.finish(raw, rows, site).await?);
        Ok(Done {
            sink: cut,
            affected: done.affected,
        })
    }
}

/// What a cursor must have in common with the query it is used with: tables, conditions and order, not their values.
fn fingerprint(select: &Select, dialect: &dyn Dialect, scope: &Scope) -> Result<u64> {
    let mut shape = select.clone();
    shape.columns = vec![Node::one()];
    shape.distinct = Distinct::No;
    shape.lock = None;
    let text = sql::render_select(&shape, dialect, scope)?.text;
    let digest = sha256::sha256(text.as_bytes());
    let first: [u8; 8] = std::array::from_fn(|i| digest[i]);
    Ok(u64::from_be_bytes(first))
}

/// Keeps the rows of a page, and the values of its first and last row.
struct Cut {
    rows: Box<dyn Sink>,
    loaded: Option<Loaded>,
    at: Vec<Cell>,
    size: usize,
    seen: usize,
    /// The values of the first row that was read, and of the last one of a full page.
    ends: [Option<Vec<u8>>; 2],
    fingerprint: u64,
    position: Position,
}

impl Cut {
    fn back(sink: Box<dyn Sink>) -> Result<Box<Cut>> {
        sink.into_any().downcast().map_err(|_| other_sink())
    }
    fn values(&self, cells: &dyn Cells) -> Result<Option<Vec<u8>>> {
        let mut out = Vec::new();
        for &(i, ty) in &self.at {
            let value: Option<Value> = read(cells, i, ty)?;
            values::write(&mut out, value.as_ref());
        }
        Ok(Some(out))
    }
    /// The rows and their cursors.
    fn page<O: Output>(done: Done) -> Result<Page<O>> {
        let Cut {
            rows,
            loaded,
            size,
            seen,
            ends,
            fingerprint,
            position,
            ..
        } = *Cut::back(done.sink)?;
        let mut items = match loaded {
            None => Collect::<O>::take(rows)?,
            Some(loaded) => loaded.finish::<O>()?,
        };
        let [begin, end] = ends.map(|end| {
            end.map(|values| PageCursor {
                fingerprint,
                inclusive: false,
                values,
            })
        });
        // a page follows in the direction of reading when there was a row too many
        let end = end.filter(|_| seen > size);
        let turned = |from: PageCursor| Some(begin.unwrap_or_else(|| from.including()));
        let (next, previous) = match position {
            Position::First => (end, None),
            Position::After(from) => (end, turned(from)),
            Position::Last => {
                items.reverse();
                (None, end)
            }
            Position::Before(from) => {
                items.reverse();
                (turned(from), end)
            }
        };
        Ok(Page {
            items,
            next,
            previous,
        })
    }
}

impl Sink for Cut {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        self.seen += 1;
        if self.seen > self.size {
            return Ok(());
        }
        if self.seen == 1 {
            self.ends[0] = self.values(cells)?;
        }
        if self.seen == self.size {
            self.ends[1] = self.values(cells)?;
        }
        self.rows.row(cells)
    }
    fn rows(&self) -> usize {
        self.seen.min(self.size)
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
