//! `Model::get`: the statement is the same each time but for the key, so it is rendered once per table.

use crate::driver::Done;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::collect::Single;
use crate::exec::fetch::{Site, rendered};
use crate::exec::{Pending, Raw};
use crate::model::{Key, Model};
use crate::query::Query;
use crate::sql::{self, Sql};
use crate::value::Value;

/// The row of this key.
pub(crate) fn get<'a, M: Model>(raw: Raw<'a>, id: M::Id, site: Site) -> Pending<'a, M> {
    let mut key = Vec::with_capacity(M::TABLE.key.len());
    id.add_to(&mut key);
    let address = std::ptr::from_ref(M::TABLE).addr();
    let sql = match raw.shared.keyed.find(|a| *a == address) {
        Some(sql) => Ok(Sql { params: key, ..sql }),
        None => render::<M>(&raw, address, key),
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

fn render<M: Model>(raw: &Raw<'_>, address: usize, key: Vec<Value>) -> Result<Sql> {
    let query = Query::<M>::new().with_key(key.clone());
    let sql = sql::render_select(query.ast(), raw.runner.dialect(), &raw.scope)?;
    // only a statement whose binds are the key and nothing else; what a filter says is up to its function each time
    if sql.params == key && M::TABLE.table.filters.is_empty() {
        raw.shared.keyed.remember(address, &sql);
    }
    Ok(sql)
}
