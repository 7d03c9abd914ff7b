//! `Model::get`: the statement is the same each time but for the key, so it is rendered once per table.

use std::sync::{PoisonError, RwLock};

use crate::driver::Done;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::collect::Single;
use crate::exec::fetch::{Site, rendered};
use crate::exec::{Pending, Raw};
use crate::model::{Key, Model};
use crate::query::Query;
use crate::schema::Table;
use crate::sql::{self, Sql};
use crate::value::Value;

/// Rendered statements without their values, by the address of the table. A program has few tables and reads by key
/// far more often than it meets a new one, so a list is walked faster than a map is asked.
#[derive(Default)]
pub(crate) struct KeyedStatements(RwLock<Vec<(usize, Sql)>>);

impl KeyedStatements {
    fn find(&self, table: &'static Table, key: &mut Vec<Value>) -> Option<Sql> {
        let address = std::ptr::from_ref(table).addr();
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (_, sql) = known.iter().find(|(a, _)| *a == address)?;
        let mut sql = sql.clone();
        sql.params = std::mem::take(key);
        Some(sql)
    }
    /// Remembers a statement whose binds are the key and nothing else.
    fn remember(&self, table: &'static Table, sql: &Sql) {
        let (params, columns, text) = (Vec::new(), sql.columns.clone(), sql.text.clone());
        let address = std::ptr::from_ref(table).addr();
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.iter().all(|(a, _)| *a != address) {
            known.push((
                address,
                Sql {
                    params,
                    columns,
                    text,
                    ..*sql
                },
            ));
        }
    }
}

/// The row of this key.
pub(crate) fn get<'a, M: Model>(raw: Raw<'a>, id: M::Id, site: Site) -> Pending<'a, M> {
    let mut key = Vec::with_capacity(M::TABLE.key.len());
    id.add_to(&mut key);
    let sql = match raw.shared.keyed.find(M::TABLE, &mut key) {
        Some(sql) => Ok(sql),
        None => render::<M>(&raw, key),
    };
    match sql {
        Ok(sql) => rendered(raw, sql, Some(M::TABLE), Single::<M>::boxed(), only::<M>, site),
        Err(e) => Pending::failed(e),
    }
}

fn only<M: Model>(done: Done) -> Result<M> {
    match Single::<M>::take(done.sink)? {
        (Some(row), 1) => Ok(row),
        (None, _) => Err(Error::not_found(M::TABLE.model)),
        _ => Err(more_than_one(M::TABLE.model)),
    }
}

#[cold]
fn more_than_one(model: &'static str) -> Error {
    Error::new(ErrorKind::MoreThanOne, "more than one row found").with_model(model)
}

fn render<M: Model>(raw: &Raw<'_>, key: Vec<Value>) -> Result<Sql> {
    let query = Query::<M>::new().with_key(key.clone());
    let sql = sql::render_select(query.ast(), raw.runner.dialect(), &raw.scope)?;
    if sql.params == key {
        raw.shared.keyed.remember(M::TABLE, &sql);
    }
    Ok(sql)
}
