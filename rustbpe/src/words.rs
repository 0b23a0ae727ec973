//! A table from byte strings to numbers, made for the short words of text.
//!
//! A word of up to `SHORT` bytes is one 128-bit key, compared and hashed without touching the text again; longer
//! ones go to an ordinary hash map.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

/// The longest word that fits a key: the last of its sixteen bytes holds the length.
pub const SHORT: usize = 15;

/// Bytes that must stand behind the last word of a text given to `key_in`.
pub const PADDING: usize = 16;

/// The key of a short word: its bytes, then its length in the top byte. No word has the key 0.
pub type Key = u128;

/// The key of `text[start..end]`, at least 1 and at most `SHORT` bytes, in a text with `PADDING` bytes behind it.
#[inline(always)]
pub fn key_in(text: &[u8], start: usize, end: usize) -> Key {
    let length = end - start;
    let bytes: [u8; 16] = text[start..start + 16].try_into().expect("sixteen bytes");
    let kept = u128::MAX >> (128 - 8 * length as u32);
    (u128::from_le_bytes(bytes) & kept) | (length as u128) << 120
}

/// The key of a short word that has no padding behind it.
pub fn key_of(word: &[u8]) -> Key {
    let mut bytes = [0; 16];
    bytes[..word.len()].copy_from_slice(word);
    bytes[15] = word.len() as u8;
    u128::from_le_bytes(bytes)
}

#[inline(always)]
pub fn hash_key(key: Key, seed: u64) -> u64 {
    fold(key as u64 ^ seed, (key >> 64) as u64 ^ 0x9e37_79b9_7f4a_7c15)
}

pub fn hash_number(number: u64) -> u64 {
    fold(number, 0x9e37_79b9_7f4a_7c15)
}

/// Both halves of a product, folded into one: every bit of the input reaches every bit of the output.
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = (u128::from(a | 1) * u128::from(b)) ^ (u128::from(a) << 32);
    (product as u64) ^ (product >> 64) as u64
}

/// A number that differs from process to process, so that no text can be made to collide.
pub fn random_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[derive(Clone, Copy)]
struct Slot {
    key: Key,
    value: u64,
}

/// From words to values that are not 0 (a value of 0 is that of a word not there).
pub struct WordMap {
    seed: u64,
    slots: Vec<Slot>,
    used: usize,
    long: HashMap<Box<[u8]>, u64, WordHash>,
}

impl WordMap {
    pub fn new(seed: u64) -> WordMap {
        WordMap {
            seed,
            slots: vec![Slot { key: 0, value: 0 }; 1 << 10],
            used: 0,
            long: HashMap::with_hasher(WordHash(seed)),
        }
    }

    /// The value of a short word, to be read or changed; a word not seen before gets the value 0.
    #[inline(always)]
    pub fn short_mut(&mut self, key: Key) -> &mut u64 {
        if self.used * 2 >= self.slots.len() {
            self.grow();
        }
        let at = self.place(key);
        let slot = &mut self.slots[at];
        if slot.key == 0 {
            slot.key = key;
            self.used += 1;
        }
        &mut slot.value
    }

    #[inline(always)]
    pub fn short(&self, key: Key) -> u64 {
        self.slots[self.place(key)].value
    }

    /// Add to the value of a word longer than `SHORT`, copied only when it is new.
    pub fn add_long(&mut self, word: &[u8], value: u64) {
        match self.long.get_mut(word) {
            Some(total) => *total += value,
            None => {
                self.long.insert(word.into(), value);
            }
        }
    }

    /// Add to the value of any word but the empty one, which is never there.
    pub fn add(&mut self, word: &[u8], value: u64) {
        if word.is_empty() || value == 0 {
            return;
        }
        if word.len() <= SHORT {
            *self.short_mut(key_of(word)) += value;
        } else {
            self.add_long(word, value);
        }
    }

    pub fn long(&self, word: &[u8]) -> u64 {
        self.long.get(word).copied().unwrap_or(0)
    }

    /// Add every value of another map to this one's.
    pub fn absorb(&mut self, mut other: WordMap) {
        if self.used < other.used {
            std::mem::swap(self, &mut other);
        }
        for slot in other.slots.iter().filter(|slot| slot.key != 0) {
            *self.short_mut(slot.key) += slot.value;
        }
        for (word, value) in other.long {
            *self.long.entry(word).or_insert(0) += value;
        }
    }

    /// Call `visit` with every word and its value, in no particular order.
    pub fn for_each(&self, mut visit: impl FnMut(&[u8], u64)) {
        for slot in self.slots.iter().filter(|slot| slot.key != 0) {
            let bytes = slot.key.to_le_bytes();
            visit(&bytes[..usize::from(bytes[15])], slot.value);
        }
        for (word, &value) in &self.long {
            visit(word, value);
        }
    }

    /// Where `key` is, or where it would be put.
    #[inline(always)]
    fn place(&self, key: Key) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = hash_key(key, self.seed) as usize & mask;
        loop {
            let found = self.slots[at].key;
            if found == key || found == 0 {
                return at;
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![Slot { key: 0, value: 0 }; self.slots.len() * 2];
        for slot in std::mem::replace(&mut self.slots, larger) {
            if slot.key != 0 {
                let at = self.place(slot.key);
                self.slots[at] = slot;
            }
        }
    }
}

/// Hashes for words longer than a key.
#[derive(Clone)]
struct WordHash(u64);

impl BuildHasher for WordHash {
    type Hasher = WordHasher;

    fn build_hasher(&self) -> WordHasher {
        WordHasher(self.0)
    }
}

struct WordHasher(u64);

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut blocks = bytes.chunks_exact(8);
        for block in &mut blocks {
            self.write_u64(u64::from_le_bytes(block.try_into().expect("eight bytes")));
        }
        let mut rest = [0; 8];
        rest[..blocks.remainder().len()].copy_from_slice(blocks.remainder());
        self.write_u64(u64::from_le_bytes(rest) ^ (bytes.len() as u64) << 56);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = fold(self.0 ^ number, 0x9e37_79b9_7f4a_7c15 ^ number.rotate_left(32));
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
