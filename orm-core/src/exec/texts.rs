//! Texts of statements that differ in nothing but their values: rendered once, and found by what they have in common.

use std::sync::{PoisonError, RwLock};

use crate::sql::Sql;

/// Rendered statements without their values. A program meets few kinds of them and each again and again, so a list is
/// walked faster than a map is asked.
pub(crate) struct Texts<K>(RwLock<Vec<(K, Sql)>>);

/// A program that meets more kinds than this starts anew: what it needs is soon there again.
const MOST: usize = 256;

impl<K> Default for Texts<K> {
    fn default() -> Self {
        Texts(RwLock::default())
    }
}

impl<K: PartialEq> Texts<K> {
    /// The statement, without a value.
    pub(crate) fn find(&self, same: impl Fn(&K) -> bool) -> Option<Sql> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (_, sql) = known.iter().find(|(key, _)| same(key))?;
        Some(sql.clone())
    }
    /// Remembers a statement, but not its values.
    pub(crate) fn remember(&self, key: K, sql: &Sql) {
        let (params, columns, text) = (Vec::new(), sql.columns.clone(), sql.text.clone());
        let sql = Sql {
            params,
            columns,
            text,
            ..*sql
        };
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        if known.iter().all(|(k, _)| *k != key) {
            known.push((key, sql));
        }
    }
}
