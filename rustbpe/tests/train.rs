mod common;

use common::{Random, PARTS, PATTERNS};
use rustbpe::count::{Counter, Position};
use rustbpe::encode::Encoder;
use rustbpe::merge::{Merger, Token};
use rustbpe::split::Rules;
use rustbpe::WordMap;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

type Merges = Vec<(Token, Token)>;

fn later() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

fn count(rules: Rules, documents: &[&[u8]], threads: usize) -> Result<BTreeMap<Vec<u8>, u64>, String> {
    let mut counter = Counter::new(rules, threads);
    assert!(counter.feed(documents, &mut Position::default(), later())?);
    let words = counter.finish(later())?.expect("an hour is enough");
    let mut counts = BTreeMap::new();
    words.for_each(|word, count| {
        assert!(counts.insert(word.to_vec(), count).is_none());
    });
    Ok(counts)
}

fn count_one_by_one(rules: Rules, documents: &[&str]) -> BTreeMap<Vec<u8>, u64> {
    let mut counts = BTreeMap::new();
    for chunk in documents.iter().flat_map(|document| rules.split(document)) {
        *counts.entry(chunk.as_bytes().to_vec()).or_insert(0) += 1;
    }
    counts
}

fn merges_of(counts: &BTreeMap<Vec<u8>, u64>, wanted: usize) -> Merges {
    let mut words = WordMap::new(7);
    for (word, &count) in counts {
        words.add(word, count);
    }
    let mut merger = Merger::new(words, wanted).unwrap();
    assert!(merger.run_until(later()));
    merger.into_merges()
}

/// The definition of training, with everything counted anew for every merge.
fn merges_by_definition(counts: &BTreeMap<Vec<u8>, u64>, wanted: usize) -> Merges {
    let mut words: Vec<(Vec<Token>, u64)> =
        counts.iter().map(|(word, &count)| (word.iter().map(|&b| Token::from(b)).collect(), count)).collect();
    let mut merges = Merges::new();
    while merges.len() < wanted {
        let mut pairs = BTreeMap::new();
        for (word, count) in &words {
            for pair in word.windows(2) {
                *pairs.entry((pair[0], pair[1])).or_insert(0) += count;
            }
        }
        // Of equals, `max_by_key` takes the last: the smallest pair, counting down.
        let Some((&best, _)) = pairs.iter().rev().max_by_key(|&(_, count)| count) else {
            break;
        };
        let new = 256 + merges.len() as Token;
        merges.push(best);
        for (word, _) in &mut words {
            let mut merged = Vec::new();
            let mut at = 0;
            while at < word.len() {
                let joined = word.get(at + 1).is_some_and(|&next| (word[at], next) == best);
                merged.push(if joined { new } else { word[at] });
                at += 1 + usize::from(joined);
            }
            *word = merged;
        }
    }
    merges
}

#[test]
fn counts_do_not_depend_on_threads() {
    let mut random = Random(4);
    let texts: Vec<String> = (0..2000).map(|_| random.text(PARTS, 300)).collect();
    let documents: Vec<&str> = texts.iter().map(String::as_str).collect();
    let bytes: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    for pattern in PATTERNS {
        let rules = Rules::for_pattern(pattern).unwrap();
        let expected = count_one_by_one(rules, &documents);
        for threads in [1, 2, 5] {
            assert_eq!(count(rules, &bytes, threads).unwrap(), expected);
        }
    }
}

#[test]
fn a_long_document_is_counted_as_a_whole() {
    let mut random = Random(5);
    let text: String = (0..6000).map(|_| random.text(PARTS, 300)).collect();
    assert!(text.len() > 1 << 20);
    for pattern in PATTERNS {
        let rules = Rules::for_pattern(pattern).unwrap();
        assert_eq!(count(rules, &[text.as_bytes()], 3).unwrap(), count_one_by_one(rules, &[&text]));
    }
}

#[test]
fn feeding_goes_on_where_its_time_ran_out() {
    let rules = Rules::for_pattern(PATTERNS[0]).unwrap();
    let text = "some words and more ".repeat(100_000);
    let documents: [&[u8]; 4] = [text.as_bytes(), b"", b"end", text.as_bytes()];
    let mut counter = Counter::new(rules, 1);
    let mut from = Position::default();
    let mut pauses = 0;
    while !counter.feed(&documents, &mut from, Instant::now()).unwrap() {
        pauses += 1;
    }
    assert!(pauses > 0);
    assert_eq!(from, Position { document: 4, byte: 0 });
    let words = loop {
        if let Some(words) = counter.finish(Instant::now()).unwrap() {
            break words;
        }
    };
    let mut total = 0;
    words.for_each(|word, count| total += word.len() as u64 * count);
    assert_eq!(total, 2 * text.len() as u64 + 3);
}

#[test]
fn bytes_that_are_not_utf8_are_an_error() {
    let rules = Rules::for_pattern(PATTERNS[0]).unwrap();
    let failure = count(rules, &[b"fine", b"not \xff fine"], 2).unwrap_err();
    assert!(failure.contains("UTF-8"), "{failure}");
}

#[test]
fn a_counter_can_be_dropped_at_work() {
    let rules = Rules::for_pattern(PATTERNS[0]).unwrap();
    let text = "some words and more ".repeat(100_000);
    let mut counter = Counter::new(rules, 4);
    counter.feed(&[text.as_bytes()], &mut Position::default(), later()).unwrap();
}

#[test]
fn merges_follow_the_definition() {
    let mut random = Random(6);
    let alphabets: [&[&str]; 5] = [&["a"], &["a", "b"], &["a", "a", "a", "b"], &["ab", "ba", "c"], PARTS];
    for round in 0..400 {
        let alphabet = alphabets[round % alphabets.len()];
        let mut counts = BTreeMap::new();
        for _ in 0..random.below(12) {
            let word = random.text(alphabet, 40).into_bytes();
            if !word.is_empty() {
                counts.insert(word, 1 + random.below(3) as u64);
            }
        }
        let wanted = random.below(60);
        assert_eq!(merges_of(&counts, wanted), merges_by_definition(&counts, wanted), "{counts:?}");
    }
}

#[test]
fn equal_counts_are_settled_by_the_smallest_pair() {
    let counts =
        BTreeMap::from([(b"dc".to_vec(), 2), (b"ab".to_vec(), 2), (b"ac".to_vec(), 2), (b"zz".to_vec(), 3)]);
    let expected = [(b'z', b'z'), (b'a', b'b'), (b'a', b'c'), (b'd', b'c')];
    assert_eq!(merges_of(&counts, 10), expected.map(|(left, right)| (left.into(), right.into())));
}

#[test]
fn a_very_long_word_is_merged_and_encoded() {
    let mut random = Random(8);
    let word: Vec<u8> = (0..200_000).map(|_| b'a' + random.below(4) as u8).collect();
    let counts = BTreeMap::from([(word.clone(), 1)]);
    let merges = merges_of(&counts, 2000);
    assert_eq!(merges.len(), 2000);
    let encoder = Encoder::new(merges);
    let mut tokens = Vec::new();
    encoder.encode_chunk(&word, &mut tokens);
    assert_eq!(decoded(&encoder, &tokens), word);
}

fn decoded(encoder: &Encoder, tokens: &[Token]) -> Vec<u8> {
    fn expand(merges: &[(Token, Token)], token: Token, bytes: &mut Vec<u8>) {
        match merges.get((token as usize).wrapping_sub(256)) {
            Some(&(left, right)) => {
                expand(merges, left, bytes);
                expand(merges, right, bytes);
            }
            None => bytes.push(token as u8),
        }
    }
    let mut bytes = Vec::new();
    for &token in tokens {
        expand(encoder.merges(), token, &mut bytes);
    }
    bytes
}

/// Encoding by its definition: the merges in their order, each wherever it applies.
fn encode_by_definition(merges: &Merges, chunk: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = chunk.bytes().map(Token::from).collect();
    for (&(left, right), new) in merges.iter().zip(256..) {
        let mut at = 0;
        while at + 1 < tokens.len() {
            if (tokens[at], tokens[at + 1]) == (left, right) {
                tokens.splice(at..at + 2, [new]);
            }
            at += 1;
        }
    }
    tokens
}

#[test]
fn encoding_follows_the_definition() {
    let mut random = Random(9);
    let rules = Rules::for_pattern(PATTERNS[0]).unwrap();
    for alphabet in [&["a", "b"][..], &["a", "a", "b", " "], PARTS] {
        let text = random.text(alphabet, 5000);
        let merges = merges_of(&count_one_by_one(rules, &[&text]), 300);
        let encoder = Encoder::new(merges.clone());
        for length in [2, 10, 60, 140, 300, 1000] {
            for _ in 0..20 {
                let text = random.text(alphabet, length);
                let expected: Vec<Token> =
                    rules.split(&text).flat_map(|chunk| encode_by_definition(&merges, chunk)).collect();
                let mut tokens = Vec::new();
                encoder.encode(&rules, &text, &mut tokens);
                assert_eq!(tokens, expected, "{text:?}");
            }
        }
    }
}

#[test]
fn a_batch_is_encoded_like_its_texts() {
    let mut random = Random(10);
    let rules = Rules::for_pattern(PATTERNS[0]).unwrap();
    let texts: Vec<String> = (0..500).map(|_| random.text(PARTS, 1000)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let encoder = Encoder::new(merges_of(&count_one_by_one(rules, &texts), 500));
    let mut tokens = Vec::new();
    let mut counts = Vec::new();
    for text in &texts {
        let before = tokens.len();
        encoder.encode(&rules, text, &mut tokens);
        counts.push(tokens.len() - before);
    }
    for threads in [1, 2, 3, 64] {
        assert_eq!(encoder.encode_batch(&rules, &texts, threads).unwrap(), (tokens.clone(), counts.clone()));
    }
    assert_eq!(encoder.encode_batch(&rules, &[], 4).unwrap(), (vec![], vec![]));
}
