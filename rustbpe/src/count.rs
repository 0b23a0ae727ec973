//! Counting the distinct chunks of a stream of documents on several threads.
//!
//! The caller's documents are gathered into pieces of text of a fixed size; worker threads take the pieces from a
//! short queue, split them and count, each in a map of its own. What is held at any time is the queue and the maps:
//! it grows with the number of distinct words, not with the text.

use crate::split::Rules;
use crate::words::{key_in, random_seed, WordMap, PADDING, SHORT};
use std::collections::VecDeque;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Bytes of text that a worker takes at a time; a longer document is cut where no chunk is hurt.
const PIECE: usize = 1 << 18;

/// Text of one or more documents, or of a part of one.
#[derive(Default)]
struct Piece {
    /// `PADDING` bytes of no meaning follow the last document.
    text: Vec<u8>,
    /// Where each document ends.
    ends: Vec<usize>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Piece>,
    /// Emptied pieces, to be filled again.
    spare: Vec<Piece>,
    working: usize,
    closed: bool,
    failure: Option<String>,
}

struct Shared {
    rules: Rules,
    seed: u64,
    threads: usize,
    queue: Mutex<Queue>,
    /// Something was put into the queue, or it was closed.
    filled: Condvar,
    /// A worker took or finished something, or failed.
    drained: Condvar,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_drained<'q>(&self, queue: MutexGuard<'q, Queue>, limit: Duration) -> MutexGuard<'q, Queue> {
        self.drained.wait_timeout(queue, limit).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// How far `Counter::feed` came in the documents given to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub document: usize,
    /// In that document.
    pub byte: usize,
}

/// Counts the chunks of the documents that are fed to it.
pub struct Counter {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<WordMap>>,
    /// The piece that is being filled.
    piece: Piece,
}

impl Counter {
    pub fn new(rules: Rules, threads: usize) -> Counter {
        let threads = threads.max(1);
        let shared = Arc::new(Shared {
            rules,
            seed: random_seed(),
            threads,
            queue: Mutex::default(),
            filled: Condvar::new(),
            drained: Condvar::new(),
        });
        Counter { shared, workers: Vec::new(), piece: Piece::default() }
    }

    /// Take in documents from `from` on until all are taken (true) or `deadline` has passed with the workers still
    /// behind (false); `from` is moved to what is to be fed next.
    pub fn feed(
        &mut self,
        documents: &[&[u8]],
        from: &mut Position,
        deadline: Instant,
    ) -> Result<bool, String> {
        loop {
            if self.piece.text.len() >= PIECE && !self.hand_over(deadline)? {
                return Ok(false);
            }
            let Some(document) = documents.get(from.document) else {
                return Ok(true);
            };
            let rest = document.get(from.byte..).unwrap_or_default();
            let cut = if rest.len() <= PIECE { rest.len() } else { Rules::safe_cut(rest, PIECE) };
            if cut > 0 {
                self.piece.text.extend_from_slice(&rest[..cut]);
                self.piece.ends.push(self.piece.text.len());
            }
            from.byte += cut;
            if from.byte >= document.len() {
                *from = Position { document: from.document + 1, byte: 0 };
            }
        }
    }

    /// Wait until all that was fed is counted and give the counts, or `None` if `deadline` came first.
    pub fn finish(&mut self, deadline: Instant) -> Result<Option<WordMap>, String> {
        if !self.piece.text.is_empty() && !self.hand_over(deadline)? {
            return Ok(None);
        }
        let mut queue = self.shared.queue();
        queue.closed = true;
        self.shared.filled.notify_all();
        while !queue.waiting.is_empty() || queue.working > 0 {
            let now = Instant::now();
            if now >= deadline {
                return Ok(None);
            }
            queue = self.shared.wait_drained(queue, deadline - now);
        }
        if let Some(failure) = queue.failure.take() {
            return Err(failure);
        }
        drop(queue);
        let mut maps = Vec::new();
        for worker in self.workers.drain(..) {
            maps.push(worker.join().map_err(|_| "a counting thread stopped".to_string())?);
        }
        Ok(Some(join_maps(maps)))
    }

    /// Queue the filled piece for the workers; false if there was no room before the deadline.
    fn hand_over(&mut self, deadline: Instant) -> Result<bool, String> {
        let mut queue = self.shared.queue();
        if let Some(failure) = &queue.failure {
            return Err(failure.clone());
        }
        while queue.waiting.len() > self.shared.threads {
            let now = Instant::now();
            if now >= deadline {
                return Ok(false);
            }
            queue = self.shared.wait_drained(queue, deadline - now);
        }
        self.piece.text.extend_from_slice(&[0; PADDING]);
        let empty = queue.spare.pop().unwrap_or_default();
        queue.waiting.push_back(std::mem::replace(&mut self.piece, empty));
        let behind = queue.waiting.len() + queue.working > self.workers.len();
        drop(queue);
        self.shared.filled.notify_one();
        if behind && self.workers.len() < self.shared.threads {
            let shared = Arc::clone(&self.shared);
            let worker = thread::Builder::new().spawn(move || work(&shared)).map_err(|e| e.to_string())?;
            self.workers.push(worker);
        }
        Ok(true)
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        let mut queue = self.shared.queue();
        queue.closed = true;
        queue.waiting.clear();
        drop(queue);
        self.shared.filled.notify_all();
        for worker in self.workers.drain(..) {
            // A worker that failed has said so in the queue, and nobody asks any more.
            let _ = worker.join();
        }
    }
}

/// Count piece after piece until the queue is closed and empty.
fn work(shared: &Shared) -> WordMap {
    let mut words = WordMap::new(shared.seed);
    let mut queue = shared.queue();
    loop {
        if let Some(mut piece) = queue.waiting.pop_front() {
            queue.working += 1;
            drop(queue);
            shared.drained.notify_all();
            let outcome = catch_unwind(AssertUnwindSafe(|| count_piece(&shared.rules, &piece, &mut words)));
            piece.text.clear();
            piece.ends.clear();
            queue = shared.queue();
            queue.working -= 1;
            queue.spare.push(piece);
            if let Err(failure) = outcome.unwrap_or_else(|_| Err("a counting thread failed".to_string())) {
                queue.failure.get_or_insert(failure);
            }
            shared.drained.notify_all();
        } else if queue.closed {
            return words;
        } else {
            queue = shared.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn count_piece(rules: &Rules, piece: &Piece, words: &mut WordMap) -> Result<(), String> {
    let mut at = 0;
    for &document_end in &piece.ends {
        let text = &piece.text[..document_end];
        std::str::from_utf8(&text[at..]).map_err(|e| format!("a document is not UTF-8: {e}"))?;
        while at < document_end {
            let end = rules.chunk_end(text, at);
            if end - at <= SHORT {
                *words.short_mut(key_in(&piece.text, at, end)) += 1;
            } else {
                words.add_long(&text[at..end], 1);
            }
            at = end;
        }
    }
    Ok(())
}

/// Add up the maps of all workers, two by two.
fn join_maps(mut maps: Vec<WordMap>) -> WordMap {
    while maps.len() > 1 {
        let half = maps.split_off(maps.len().div_ceil(2));
        thread::scope(|scope| {
            for (map, other) in maps.iter_mut().zip(half) {
                scope.spawn(|| map.absorb(other));
            }
        });
    }
    maps.pop().unwrap_or_else(|| WordMap::new(random_seed()))
}
