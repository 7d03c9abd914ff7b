//! Which text is prepared in which slot: least recently used out first.

use std::collections::HashMap;
use std::sync::Arc;

/// How many statements stay prepared on a connection.
const CAPACITY: usize = 128;

#[derive(Default)]
pub(crate) struct Cache {
    by_text: HashMap<Arc<str>, usize>,
    entries: Vec<Entry>,
    clock: u64,
}

struct Entry {
    text: Arc<str>,
    slot: usize,
    used: u64,
}

impl Cache {
    /// The slot of a text. A text that is shared with the last ones is found by its address.
    pub(crate) fn find(&mut self, text: &Arc<str>) -> Option<usize> {
        self.clock += 1;
        let at = match self.entries.iter().position(|e| Arc::ptr_eq(&e.text, text)) {
            Some(at) => at,
            None => {
                let at = *self.by_text.get(text)?;
                self.entries[at].text = text.clone();
                at
            }
        };
        self.entries[at].used = self.clock;
        Some(self.entries[at].slot)
    }
    /// Remembers a text that was not there.
    pub(crate) fn insert(&mut self, text: Arc<str>, slot: usize) {
        self.by_text.insert(text.clone(), self.entries.len());
        self.entries.push(Entry {
            text,
            slot,
            used: self.clock,
        });
    }
    /// Makes room for one more; the slot to free, if any.
    pub(crate) fn evict(&mut self) -> Option<usize> {
        if self.entries.len() < CAPACITY {
            return None;
        }
        let at = (0..self.entries.len()).min_by_key(|&i| self.entries[i].used)?;
        let gone = self.entries.swap_remove(at);
        self.by_text.remove(&gone.text);
        if let Some(moved) = self.entries.get(at) {
            self.by_text.insert(moved.text.clone(), at);
        }
        Some(gone.slot)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::cache::{CAPACITY, Cache};

    #[test]
    fn the_least_recently_used_text_goes() {
        let mut cache = Cache::default();
        let texts: Vec<Arc<str>> = (0..CAPACITY).map(|i| Arc::from(i.to_string())).collect();
        for (slot, text) in texts.iter().enumerate() {
            assert_eq!(cache.find(text), None);
            assert_eq!(cache.evict(), None);
            cache.insert(text.clone(), slot);
        }
        assert_eq!(cache.find(&Arc::from("0")), Some(0));
        assert_eq!(cache.evict(), Some(1));
        assert_eq!(cache.find(&texts[1]), None);
        cache.insert(texts[1].clone(), 1);
        for (slot, text) in texts.iter().enumerate() {
            assert_eq!(cache.find(text), Some(slot));
        }
    }
}
