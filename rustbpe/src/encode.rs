//! Turning text into tokens with the merges that training found.

use crate::merge::{PairIndex, Token};
use crate::split::Rules;
use crate::words::random_seed;
use crate::words::{key_in, key_of, WordMap, PADDING, SHORT};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::thread;

/// Chunks of more bytes than this are merged with a heap: the time then grows no faster than n log n.
const LONG_CHUNK: usize = 128;

/// Work for a thread of its own in `Encoder::encode_batch`, in bytes.
const MIN_SHARE: usize = 1 << 15;

/// The tokens of a vocabulary, ready to encode.
pub struct Encoder {
    merges: Vec<(Token, Token)>,
    /// Merges by their pairs. The earlier a merge was found, the smaller its token: tokens are ranks.
    pairs: PairIndex,
    /// Tokens by their bytes, stored as token + 1.
    tokens: WordMap,
}

impl Encoder {
    pub fn new(merges: Vec<(Token, Token)>) -> Encoder {
        let mut pairs = PairIndex::default();
        let mut tokens = WordMap::new(random_seed());
        let mut bytes: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
        for (token, byte) in bytes.iter().enumerate() {
            tokens.add(byte, token as u64 + 1);
        }
        for (number, &(left, right)) in merges.iter().enumerate() {
            pairs.insert(number as u32, |number| merges[number as usize]);
            let word = [&bytes[left as usize][..], &bytes[right as usize][..]].concat();
            tokens.add(&word, bytes.len() as u64 + 1);
            bytes.push(word);
        }
        Encoder { merges, pairs, tokens }
    }

    pub fn merges(&self) -> &[(Token, Token)] {
        &self.merges
    }

    /// Append the tokens of `text`, split by `rules`, to `tokens`.
    pub fn encode(&self, rules: &Rules, text: &str, tokens: &mut Vec<Token>) {
        let text = text.as_bytes();
        let mut at = 0;
        while at < text.len() {
            let end = rules.chunk_end(text, at);
            let known = if end - at > SHORT {
                self.tokens.long(&text[at..end])
            } else if at + PADDING <= text.len() {
                self.tokens.short(key_in(text, at, end))
            } else {
                self.tokens.short(key_of(&text[at..end]))
            };
            match known {
                0 => self.merge_chunk(&text[at..end], tokens),
                token => tokens.push((token - 1) as Token),
            }
            at = end;
        }
    }

    /// Append the tokens of one chunk to `tokens`.
    pub fn encode_chunk(&self, chunk: &[u8], tokens: &mut Vec<Token>) {
        let known = match chunk.len() {
            0 => return,
            1..=SHORT => self.tokens.short(key_of(chunk)),
            _ => self.tokens.long(chunk),
        };
        match known {
            0 => self.merge_chunk(chunk, tokens),
            token => tokens.push((token - 1) as Token),
        }
    }

    /// Encode every text on up to `threads` threads; the tokens of all of them, and how many each has.
    pub fn encode_batch(
        &self,
        rules: &Rules,
        texts: &[&str],
        threads: usize,
    ) -> Result<(Vec<Token>, Vec<usize>), String> {
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        let shares = threads.min(bytes / MIN_SHARE).max(1);
        let encode = |texts: &[&str]| {
            let mut tokens = Vec::with_capacity(texts.iter().map(|text| text.len()).sum::<usize>() / 2);
            let counts = texts.iter().map(|text| {
                let before = tokens.len();
                self.encode(rules, text, &mut tokens);
                tokens.len() - before
            });
            let counts = counts.collect();
            (tokens, counts)
        };
        if shares == 1 {
            return Ok(encode(texts));
        }
        let mut parts = Vec::with_capacity(shares);
        let mut rest = texts;
        for share in (1..=shares).rev() {
            let wanted = rest.iter().map(|text| text.len()).sum::<usize>() / share;
            let mut taken = 0;
            let mut length = 0;
            while taken < rest.len() && (length < wanted || share == 1) {
                length += rest[taken].len();
                taken += 1;
            }
            let (part, remaining) = rest.split_at(taken);
            parts.push(part);
            rest = remaining;
        }
        thread::scope(|scope| {
            let workers: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || encode(part))).collect();
            let mut tokens = Vec::new();
            let mut counts = Vec::with_capacity(texts.len());
            for worker in workers {
                let (part_tokens, part_counts): (Vec<Token>, Vec<usize>) =
                    worker.join().map_err(|_| "an encoding thread failed".to_string())?;
                tokens.extend(part_tokens);
                counts.extend(part_counts);
            }
            Ok((tokens, counts))
        })
    }

    fn merge_chunk(&self, chunk: &[u8], tokens: &mut Vec<Token>) {
        if chunk.len() > LONG_CHUNK {
            self.merge_long(chunk, tokens);
        } else {
            self.merge_short(chunk, tokens);
        }
    }

    /// Join the pair of the smallest rank, the leftmost of equals, until no pair has one.
    fn merge_short(&self, chunk: &[u8], tokens: &mut Vec<Token>) {
        let mut parts = [0 as Token; LONG_CHUNK];
        let mut ranks = [NO_RANK; LONG_CHUNK];
        let mut length = chunk.len();
        for (part, &byte) in parts.iter_mut().zip(chunk) {
            *part = Token::from(byte);
        }
        for at in 0..length - 1 {
            ranks[at] = self.rank(parts[at], parts[at + 1]);
        }
        loop {
            let pairs = &ranks[..length - 1];
            let Some((at, &rank)) = pairs.iter().enumerate().min_by_key(|&(_, rank)| rank) else {
                break;
            };
            if rank == NO_RANK {
                break;
            }
            parts[at] = rank;
            parts.copy_within(at + 2..length, at + 1);
            ranks.copy_within(at + 1..length - 1, at);
            length -= 1;
            if at > 0 {
                ranks[at - 1] = self.rank(parts[at - 1], rank);
            }
            if at + 1 < length {
                ranks[at] = self.rank(rank, parts[at + 1]);
            }
        }
        tokens.extend_from_slice(&parts[..length]);
    }

    /// The same for a chunk of any length, with the candidates in a heap.
    fn merge_long(&self, chunk: &[u8], tokens: &mut Vec<Token>) {
        let end = chunk.len();
        let mut parts: Vec<Option<Token>> = chunk.iter().map(|&byte| Some(Token::from(byte))).collect();
        let mut next: Vec<usize> = (1..=end).collect();
        let mut previous: Vec<usize> = (0..end).map(|at| at.wrapping_sub(1)).collect();
        let mut heap = BinaryHeap::new();
        for at in 0..end - 1 {
            let rank = self.rank(Token::from(chunk[at]), Token::from(chunk[at + 1]));
            if rank != NO_RANK {
                heap.push(Reverse((rank, at)));
            }
        }
        while let Some(Reverse((rank, at))) = heap.pop() {
            let (Some(left), Some(&middle)) = (parts[at], next.get(at)) else {
                continue;
            };
            let Some(right) = parts.get(middle).copied().flatten() else {
                continue;
            };
            if self.rank(left, right) != rank {
                continue;
            }
            parts[at] = Some(rank);
            parts[middle] = None;
            let after = next[middle];
            next[at] = after;
            if let Some(&Some(token)) = parts.get(after) {
                previous[after] = at;
                let rank = self.rank(rank, token);
                if rank != NO_RANK {
                    heap.push(Reverse((rank, at)));
                }
            }
            let before = previous[at];
            if let Some(&Some(token)) = parts.get(before) {
                let rank = self.rank(token, rank);
                if rank != NO_RANK {
                    heap.push(Reverse((rank, before)));
                }
            }
        }
        tokens.extend(parts.into_iter().flatten());
    }

    #[inline]
    fn rank(&self, left: Token, right: Token) -> Token {
        match self.pairs.get(left, right, |number| self.merges[number as usize]) {
            Some(number) => 256 + number,
            None => NO_RANK,
        }
    }
}

/// The rank of a pair that was never merged.
const NO_RANK: Token = Token::MAX;
