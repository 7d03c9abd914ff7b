//! The values that relate the rows of one level to those of the next.

use std::collections::HashMap;
use std::hash::Hash;

use crate::error::{Error, Result};
use crate::exec::key::{Cell, Key, Wanted};
use crate::schema::RelationDef;
use crate::value::Cells;

/// The values that relate the rows of a level to those of the next one, row by row. Nothing where one of them is NULL:
/// it relates to nothing.
pub(super) enum Keys {
    /// One integer: what nearly all keys are.
    Integers {
        at: usize,
        values: Vec<Option<i64>>,
    },
    Others {
        at: Vec<Cell>,
        values: Vec<Option<Key>>,
    },
    /// Keys of rows whose discriminator has this label; the others relate to nothing here.
    Labelled {
        at: usize,
        label: &'static str,
        keys: Box<Keys>,
    },
}

impl Keys {
    pub(super) fn read_from(at: Vec<Cell>) -> Keys {
        match at.as_slice() {
            [(at, ty)] if ty.is_integer() => Keys::Integers {
                at: *at,
                values: Vec::new(),
            },
            _ => Keys::Others {
                at,
                values: Vec::new(),
            },
        }
    }
    /// The same reader, without values.
    pub(super) fn empty(&self) -> Keys {
        match self {
            Keys::Integers { at, .. } => Keys::Integers {
                at: *at,
                values: Vec::new(),
            },
            Keys::Others { at, .. } => Keys::Others {
                at: at.clone(),
                values: Vec::new(),
            },
            Keys::Labelled { at, label, keys } => Keys::Labelled {
                at: *at,
                label,
                keys: Box::new(keys.empty()),
            },
        }
    }
    pub(super) fn len(&self) -> usize {
        match self {
            Keys::Integers { values, .. } => values.len(),
            Keys::Others { values, .. } => values.len(),
            Keys::Labelled { keys, .. } => keys.len(),
        }
    }
    pub(super) fn push(&mut self, cells: &dyn Cells) -> Result<()> {
        match self {
            Keys::Integers { at, values } => values.push(cells.i64(*at)?),
            Keys::Others { at, values } => values.push(Key::read(cells, at)?),
            Keys::Labelled { at, label, keys } => match cells.text(*at)? == Some(*label) {
                true => keys.push(cells)?,
                false => keys.push_none(),
            },
        }
        Ok(())
    }
    fn push_none(&mut self) {
        match self {
            Keys::Integers { values, .. } => values.push(None),
            Keys::Others { values, .. } => values.push(None),
            Keys::Labelled { keys, .. } => keys.push_none(),
        }
    }
}

/// No further row.
pub(super) const END: u32 = u32::MAX;

/// Finds the rows above that a row belongs to.
pub(super) struct Owners {
    index: Index,
    /// For each row above the next one with the same key.
    pub(super) next: Vec<u32>,
    relation: &'static RelationDef,
}

/// The first row above with a key.
enum Index {
    Integers {
        at: usize,
        first: Firsts,
        /// Rows of one owner often come together.
        last: (i64, u32),
    },
    Others {
        at: Vec<Cell>,
        first: HashMap<Key, u32>,
    },
}

/// The first row above with an integer.
enum Firsts {
    /// All of them in a row, none twice: where rows are read in the order of their keys nothing has to be hashed.
    Ascending(Vec<i64>),
    Hashed(HashMap<i64, u32>),
}

impl Firsts {
    /// `near` is where the key of the row before was found: the next one often stands behind it.
    fn find(&self, key: i64, near: u32) -> u32 {
        let keys = match self {
            Firsts::Ascending(keys) => keys,
            Firsts::Hashed(first) => return first.get(&key).copied().unwrap_or(END),
        };
        let behind = near.wrapping_add(1);
        if keys.get(behind as usize) == Some(&key) {
            return behind;
        }
        keys.binary_search(&key).map_or(END, |slot| slot as u32)
    }
}

/// The keys, if there is one in each row and they ascend.
fn ascending(keys: &[Option<i64>]) -> Option<Vec<i64>> {
    let keys: Vec<i64> = keys.iter().copied().collect::<Option<_>>()?;
    keys.is_sorted_by(|a, b| a < b).then_some(keys)
}

/// Fills `next` and gives the first row of each key, and the keys in the order of these rows.
fn chain<K: Eq + Hash + Copy>(keys: &[Option<K>], next: &mut [u32]) -> (HashMap<K, u32>, Vec<K>) {
    let mut first = HashMap::with_capacity(keys.len());
    for (slot, key) in keys.iter().enumerate().rev() {
        if let Some(key) = key {
            next[slot] = first.insert(*key, slot as u32).unwrap_or(END);
        }
    }
    let is_first =
        |&(slot, key): &(usize, &Option<K>)| key.is_some_and(|k| first.get(&k) == Some(&(slot as u32)));
    let wanted = keys
        .iter()
        .enumerate()
        .filter(is_first)
        .filter_map(|(_, key)| *key)
        .collect();
    (first, wanted)
}

impl Owners {
    pub(super) fn new(keys: Keys, at: Vec<Cell>, relation: &'static RelationDef) -> (Owners, Wanted) {
        match keys {
            Keys::Integers { values, .. } => {
                let mut next = vec![END; values.len()];
                let (first, wanted) = match ascending(&values) {
                    Some(keys) => (Firsts::Ascending(keys.clone()), keys),
                    None => {
                        let (first, wanted) = chain(&values, &mut next);
                        (Firsts::Hashed(first), wanted)
                    }
                };
                let at = at.first().map_or(0, |c| c.0);
                let last = (0, first.find(0, END));
                let index = Index::Integers { at, first, last };
                (
                    Owners {
                        index,
                        next,
                        relation,
                    },
                    Wanted::Integers(wanted),
                )
            }
            Keys::Others { values, .. } => {
                let mut next = vec![END; values.len()];
                let borrowed: Vec<Option<&Key>> = values.iter().map(Option::as_ref).collect();
                let (first, wanted) = chain(&borrowed, &mut next);
                let first = first.into_iter().map(|(key, slot)| (key.clone(), slot)).collect();
                let wanted = wanted.into_iter().cloned().collect();
                let index = Index::Others { at, first };
                (
                    Owners {
                        index,
                        next,
                        relation,
                    },
                    Wanted::Others(wanted),
                )
            }
            Keys::Labelled { keys, .. } => Owners::new(*keys, at, relation),
        }
    }
    /// The first row above that the row belongs to.
    pub(super) fn find(&mut self, cells: &dyn Cells) -> Result<u32> {
        let found = match &mut self.index {
            Index::Integers { at, first, last } => {
                let key = cells.i64(*at)?.ok_or_else(|| astray(self.relation))?;
                if last.0 != key {
                    *last = (key, first.find(key, last.1));
                }
                last.1
            }
            Index::Others { at, first } => {
                let key = Key::read(cells, at)?.ok_or_else(|| astray(self.relation))?;
                first.get(&key).copied().unwrap_or(END)
            }
        };
        if found == END {
            Err(astray(self.relation))
        } else {
            Ok(found)
        }
    }
}

/// The database says that a row is related, and its values say otherwise: to drop it would be to lose it.
#[cold]
fn astray(relation: &RelationDef) -> Error {
    Error::decode(
        "a loaded row belongs to none of the rows above: its key equals theirs in the database only",
    )
    .with_model(relation.model)
    .with_field(relation.name)
}

#[cfg(test)]
mod tests {
    use crate::exec::load::keys::{END, Firsts, ascending, chain};

    #[test]
    fn a_key_is_found_with_and_without_a_hash() {
        let keys = [-5, -1, 0, 3, 4, 9].map(Some);
        let found = Firsts::Ascending(ascending(&keys).unwrap());
        let hashed = Firsts::Hashed(chain(&keys, &mut [END; 6]).0);
        for key in -7..12 {
            let at = keys.iter().position(|k| *k == Some(key));
            let at = at.map_or(END, |slot| slot as u32);
            // wherever the row before was found
            for near in (0..6).chain([END]) {
                assert_eq!(found.find(key, near), at, "{key} behind {near}");
                assert_eq!(hashed.find(key, near), at, "{key}");
            }
        }
        assert_eq!(Firsts::Ascending(Vec::new()).find(0, END), END);
    }
    #[test]
    fn keys_are_hashed_unless_they_ascend() {
        assert_eq!(ascending(&[]), Some(vec![]));
        for keys in [&[Some(2), Some(1)][..], &[Some(1), Some(1)], &[Some(1), None]] {
            assert_eq!(ascending(keys), None);
        }
    }
}
