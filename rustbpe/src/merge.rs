//! Finding the merges: again and again the most frequent pair of neighbouring tokens becomes a new token.
//!
//! Of pairs that are equally frequent, the one with the smallest first token id is merged, and of those the one
//! with the smallest second. The words' order, the number of threads and the hash seed have no part in it.

use crate::words::{hash_number, WordMap};
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, HashMap};
use std::ops::Range;
use std::time::Instant;

pub type Token = u32;

/// Stands between words, and at the places inside a token that are neither its first nor its last byte's.
const NONE: Token = Token::MAX;

/// Occurrences of a pair that are looked up together.
const BATCH: usize = 64;

/// One byte of one word. Where a token begins and where it ends, `token` is that token, so that both neighbours
/// of any token are found without links: the next begins right behind it, the previous ends right before it.
#[derive(Clone, Copy)]
struct Cell {
    token: Token,
    /// How often the word occurs, as an index into `Merger::word_counts`.
    count: u32,
}

/// A pair of tokens: how often it occurs, and where in `Merger::places` its occurrences are listed.
struct Pair {
    left: Token,
    right: Token,
    count: u64,
    first_place: usize,
    places: u32,
}

impl Pair {
    fn tokens(&self) -> (Token, Token) {
        (self.left, self.right)
    }
}

/// A pair and a count that it once had, ordered as merges are chosen: the count stands above the pair, whose bits
/// are inverted, so that the largest candidate is the most frequent pair and of equals the smallest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate(u128);

impl Candidate {
    fn new(count: u64, left: Token, right: Token) -> Candidate {
        Candidate(u128::from(count) << 64 | u128::from(!pair_key(left, right)))
    }

    fn count(self) -> u64 {
        (self.0 >> 64) as u64
    }

    fn pair(self) -> (Token, Token) {
        let key = !(self.0 as u64);
        ((key >> 32) as Token, key as Token)
    }
}

/// Training at work: the words as they are tokenized so far, and every pair in them.
pub struct Merger {
    wanted: usize,
    merges: Vec<(Token, Token)>,
    /// In bytes, by token.
    lengths: Vec<u32>,
    cells: Vec<Cell>,
    /// The different numbers of times that words occur: few, so that they stay in the cache.
    word_counts: Vec<u64>,
    pairs: Vec<Pair>,
    index: PairIndex,
    /// Positions in `cells` where the left token of a pair begins, ascending within each pair. Some are out of
    /// date: another merge has taken one of the two tokens.
    places: Vec<u32>,
    heap: BinaryHeap<Candidate>,
    neighbours: Neighbours,
}

impl Merger {
    /// Prepare to find the merges of a vocabulary of `256 + wanted` tokens in words with the given counts.
    pub fn new(words: WordMap, wanted: usize) -> Result<Merger, String> {
        let mut bytes = 0;
        words.for_each(|word, _| bytes += word.len() + 1);
        let mut cells = Vec::with_capacity(bytes + 1);
        cells.push(Cell { token: NONE, count: 0 });
        let mut word_counts = Vec::new();
        let mut count_indices = HashMap::new();
        words.for_each(|word, count| {
            if word.len() < 2 {
                return;
            }
            let index = *count_indices.entry(count).or_insert_with(|| {
                word_counts.push(count);
                word_counts.len() as u32 - 1
            });
            cells.extend(word.iter().map(|&byte| Cell { token: Token::from(byte), count: index }));
            cells.push(Cell { token: NONE, count: 0 });
        });
        drop(words);
        if cells.len() > u32::MAX as usize {
            return Err("the distinct words together are longer than 4 GiB".to_string());
        }
        let mut merger = Merger {
            wanted,
            merges: Vec::new(),
            lengths: vec![1; 256],
            cells,
            word_counts,
            pairs: Vec::new(),
            index: PairIndex::default(),
            places: Vec::new(),
            heap: BinaryHeap::new(),
            neighbours: Neighbours::default(),
        };
        merger.count_byte_pairs();
        Ok(merger)
    }

    pub fn merges(&self) -> &[(Token, Token)] {
        &self.merges
    }

    pub fn into_merges(self) -> Vec<(Token, Token)> {
        self.merges
    }

    /// Merge until all wanted merges are found or no pair is left (true), or until `deadline` has passed (false).
    pub fn run_until(&mut self, deadline: Instant) -> bool {
        while self.merges.len() < self.wanted {
            let Some(index) = self.most_frequent() else {
                return true;
            };
            self.merge(index);
            if Instant::now() >= deadline {
                return self.merges.len() >= self.wanted;
            }
        }
        true
    }

    /// Take the most frequent pair off the heap, putting those that have lost occurrences back where they belong.
    fn most_frequent(&mut self) -> Option<usize> {
        while let Some(mut top) = self.heap.peek_mut() {
            let (left, right) = top.pair();
            let index = find(&self.index, &self.pairs, left, right) as usize;
            let count = self.pairs[index].count;
            if count == 0 {
                PeekMut::pop(top);
            } else if count != top.count() {
                *top = Candidate::new(count, left, right);
            } else {
                PeekMut::pop(top);
                return Some(index);
            }
        }
        None
    }

    /// Count the pairs of single bytes and list where each occurs.
    fn count_byte_pairs(&mut self) {
        const PAIRS: usize = 1 << 16;
        let pair_at = |cells: &[Cell], at: usize| {
            let (left, right) = (cells[at].token, cells[at + 1].token);
            (left != NONE && right != NONE).then_some((left << 8 | right) as usize)
        };
        let mut counts = vec![0u64; PAIRS];
        let mut places = vec![0u32; PAIRS];
        for at in 0..self.cells.len() - 1 {
            if let Some(pair) = pair_at(&self.cells, at) {
                counts[pair] += self.word_counts[self.cells[at].count as usize];
                places[pair] += 1;
            }
        }
        let mut next_place = vec![0; PAIRS];
        let mut total = 0;
        for pair in 0..PAIRS {
            next_place[pair] = total;
            if places[pair] > 0 {
                self.add_pair((pair >> 8) as Token, (pair & 255) as Token, counts[pair], total, places[pair]);
                total += places[pair] as usize;
            }
        }
        self.places = vec![0; total];
        for at in 0..self.cells.len() - 1 {
            if let Some(pair) = pair_at(&self.cells, at) {
                self.places[next_place[pair]] = at as u32;
                next_place[pair] += 1;
            }
        }
    }

    fn add_pair(&mut self, left: Token, right: Token, count: u64, first_place: usize, places: u32) {
        let index = self.pairs.len() as u32;
        self.pairs.push(Pair { left, right, count, first_place, places });
        self.index.insert(index, |index| self.pairs[index as usize].tokens());
        self.heap.push(Candidate::new(count, left, right));
    }

    /// Make a pair a token: join it wherever it occurs, and count what that does to the pairs around it.
    fn merge(&mut self, index: usize) {
        let Pair { left, right, first_place, places, .. } = self.pairs[index];
        let new = self.lengths.len() as Token;
        self.merges.push((left, right));
        self.lengths.push(self.lengths[left as usize] + self.lengths[right as usize]);
        let mut batch = [(0, 0); BATCH];
        let last_place = first_place + places as usize;
        for start in (first_place..last_place).step_by(BATCH) {
            let found = self.occurrences(left, right, start..last_place.min(start + BATCH), &mut batch);
            for &(at, count) in &batch[..found] {
                self.join(left, right, new, at, count);
            }
        }
        self.pairs[index].count = 0;
        self.settle(left, right, new);
    }

    /// Gather where a pair still occurs among its listed places, each with the count of its word.
    ///
    /// The places are far apart in memory. Looking at many before any is changed lets the machine fetch them
    /// all at once.
    fn occurrences(
        &self,
        left: Token,
        right: Token,
        places: Range<usize>,
        batch: &mut [(usize, u64); BATCH],
    ) -> usize {
        let left_length = self.lengths[left as usize] as usize;
        let mut found = 0;
        for &at in &self.places[places] {
            let at = at as usize;
            let cell = self.cells[at];
            batch[found] = (at, self.word_counts[cell.count as usize]);
            found += usize::from(cell.token == left && self.cells[at + left_length].token == right);
        }
        found
    }

    /// Join one occurrence of a pair into `new` and note its neighbours.
    fn join(&mut self, left: Token, right: Token, new: Token, at: usize, count: u64) {
        let middle = at + self.lengths[left as usize] as usize;
        let end = at + self.lengths[new as usize] as usize;
        if self.cells[at].token != left || self.cells[middle].token != right {
            // A token paired with itself: the occurrence overlapped the previous one.
            return;
        }
        let before = self.cells[at - 1].token;
        let after = self.cells[end].token;
        self.cells[middle - 1].token = NONE;
        self.cells[middle].token = NONE;
        self.cells[at].token = new;
        self.cells[end - 1].token = new;
        if before != NONE {
            let before_at = (at - self.lengths[before as usize] as usize) as u32;
            if before == new {
                // Until now the previous occurrence had this one's left token behind it.
                self.neighbours.after.unform(left, count);
                self.neighbours.after.add(new, 0, count, before_at);
            } else {
                self.neighbours.before.add(before, count, count, before_at);
            }
        }
        if after != NONE {
            self.neighbours.after.add(after, count, count, at as u32);
        }
    }

    /// Take the occurrences that `new` displaced from the old pairs, and enter the pairs that it forms.
    fn settle(&mut self, left: Token, right: Token, new: Token) {
        let mut neighbours = std::mem::take(&mut self.neighbours);
        neighbours.before.list_places(&mut self.places);
        for token in &neighbours.before.tokens {
            self.take(token.id, left, token.displaced, (left, right));
            self.enter(token.id, new, token);
        }
        neighbours.after.list_places(&mut self.places);
        for token in &neighbours.after.tokens {
            self.take(right, token.id, token.displaced, (left, right));
            self.enter(new, token.id, token);
        }
        neighbours.before.clear();
        neighbours.after.clear();
        self.neighbours = neighbours;
    }

    fn take(&mut self, left: Token, right: Token, count: u64, merged: (Token, Token)) {
        if count > 0 && (left, right) != merged {
            let index = find(&self.index, &self.pairs, left, right);
            self.pairs[index as usize].count -= count;
        }
    }

    fn enter(&mut self, left: Token, right: Token, neighbour: &Neighbour) {
        if neighbour.formed > 0 {
            self.add_pair(left, right, neighbour.formed, neighbour.first_place, neighbour.places);
        }
    }
}

/// The number of a pair that has been entered.
fn find(index: &PairIndex, pairs: &[Pair], left: Token, right: Token) -> u32 {
    index.get(left, right, |number| pairs[number as usize].tokens()).expect("a pair that occurs is known")
}

/// The tokens found next to the occurrences of one merge.
#[derive(Default)]
struct Neighbours {
    before: Side,
    after: Side,
}

/// The tokens on one side, gathered so that each pair is looked up once a merge.
#[derive(Default)]
struct Side {
    tokens: Vec<Neighbour>,
    /// Where in `tokens` a token is, by its id.
    slots: Vec<u32>,
    /// A slot and a position in `Merger::cells`, in the order of the positions.
    seen: Vec<(u32, u32)>,
}

struct Neighbour {
    id: Token,
    /// How often the token was the neighbour of what has been merged.
    displaced: u64,
    /// How often it is the neighbour of the new token.
    formed: u64,
    first_place: usize,
    places: u32,
}

impl Side {
    fn slot(&mut self, id: Token) -> usize {
        if self.slots.len() <= id as usize {
            self.slots.resize(id as usize + 1, NONE);
        }
        if self.slots[id as usize] == NONE {
            self.slots[id as usize] = self.tokens.len() as u32;
            self.tokens.push(Neighbour { id, displaced: 0, formed: 0, first_place: 0, places: 0 });
        }
        self.slots[id as usize] as usize
    }

    fn add(&mut self, id: Token, displaced: u64, formed: u64, place: u32) {
        let slot = self.slot(id);
        let neighbour = &mut self.tokens[slot];
        neighbour.displaced += displaced;
        neighbour.formed += formed;
        neighbour.places += 1;
        self.seen.push((slot as u32, place));
    }

    /// Undo one formed pair whose neighbour has itself been merged.
    fn unform(&mut self, id: Token, count: u64) {
        let slot = self.slot(id);
        self.tokens[slot].formed -= count;
    }

    /// Append the positions of each neighbour to `places`, one neighbour after the other.
    fn list_places(&mut self, places: &mut Vec<u32>) {
        let mut next = places.len();
        places.resize(next + self.seen.len(), 0);
        for token in &mut self.tokens {
            token.first_place = next;
            next += token.places as usize;
            token.places = 0;
        }
        for &(slot, place) in &self.seen {
            let token = &mut self.tokens[slot as usize];
            places[token.first_place + token.places as usize] = place;
            token.places += 1;
        }
    }

    fn clear(&mut self) {
        for token in &self.tokens {
            self.slots[token.id as usize] = NONE;
        }
        self.tokens.clear();
        self.seen.clear();
    }
}

/// Numbers by pairs of tokens: a hash table with open addressing that only grows. It holds numbers alone; whoever
/// uses it has the pairs, and says with `pair_of` which pair a number stands for.
pub struct PairIndex {
    slots: Vec<u32>,
    used: usize,
}

const NO_PAIR: u32 = u32::MAX;

impl Default for PairIndex {
    fn default() -> PairIndex {
        PairIndex { slots: vec![NO_PAIR; 1 << 10], used: 0 }
    }
}

impl PairIndex {
    #[inline]
    pub fn get(&self, left: Token, right: Token, pair_of: impl Fn(u32) -> (Token, Token)) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut at = hash_number(pair_key(left, right)) as usize & mask;
        loop {
            match self.slots[at] {
                NO_PAIR => return None,
                number if pair_of(number) == (left, right) => return Some(number),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Enter the number of a pair that is not there yet.
    pub fn insert(&mut self, number: u32, pair_of: impl Fn(u32) -> (Token, Token)) {
        if self.used * 2 >= self.slots.len() {
            let larger = vec![NO_PAIR; self.slots.len() * 2];
            for number in std::mem::replace(&mut self.slots, larger) {
                if number != NO_PAIR {
                    self.put(number, pair_of(number));
                }
            }
        }
        self.put(number, pair_of(number));
        self.used += 1;
    }

    fn put(&mut self, number: u32, (left, right): (Token, Token)) {
        let mask = self.slots.len() - 1;
        let mut at = hash_number(pair_key(left, right)) as usize & mask;
        while self.slots[at] != NO_PAIR {
            at = (at + 1) & mask;
        }
        self.slots[at] = number;
    }
}

fn pair_key(left: Token, right: Token) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}
