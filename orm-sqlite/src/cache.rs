//! Which text is prepared in which slot: least recently used out first.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// How many statements stay prepared on a connection.
const CAPACITY: usize = 128;
/// How many addresses are told apart.
const ADDRESSES: usize = 32;

#[derive(Default)]
pub(crate) struct Cache {
    by_text: HashMap<Arc<str>, usize, BuildHasherDefault<TextHasher>>,
    entries: Vec<Entry>,
    /// Entries by the address of their text: the same `Arc` comes back again and again.
    by_address: [u8; ADDRESSES],
    clock: u64,
}

/// Eight bytes at a time: a keyed read takes 3 µs, and the map's own hash of its text would be a tenth of that. The
/// texts come from the program, so nobody can send colliding ones.
#[derive(Default)]
struct TextHasher(u64);

impl Hasher for TextHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let mut le = [0; 8];
            le.copy_from_slice(word);
            self.mix(u64::from_le_bytes(le));
        }
        let mut rest = [0; 8];
        rest[..words.remainder().len()].copy_from_slice(words.remainder());
        self.mix(u64::from_le_bytes(rest) ^ bytes.len() as u64);
    }
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

impl TextHasher {
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

struct Entry {
    text: Arc<str>,
    slot: usize,
    used: u64,
}

impl Cache {
    /// The slot of a text.
    pub(crate) fn find(&mut self, text: &Arc<str>) -> Option<usize> {
        self.clock += 1;
        let address = Arc::as_ptr(text).cast::<u8>().addr();
        let hint = &mut self.by_address[(address >> 4) % ADDRESSES];
        let at = match self.entries.get(usize::from(*hint)) {
            Some(entry) if Arc::ptr_eq(&entry.text, text) => usize::from(*hint),
            _ => *self.by_text.get(text)?,
        };
        *hint = at as u8;
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
