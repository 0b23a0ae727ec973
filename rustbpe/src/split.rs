//! Cutting text into the chunks that no merge crosses.
//!
//! What a split pattern's regular expression says, done by one scanner over a table of character classes. The
//! patterns it knows are GPT-2's and GPT-4's, with numbers in groups of any length, in the spellings in use.
//! What they mean is what tiktoken does with them.

use crate::classes::{BLOCKS, CASE_VARIANTS, CLASSES};

const OTHER: u8 = 0;
const LETTER: u8 = 1;
const NUMBER: u8 = 2;
const SPACE: u8 = 3;
/// In `BYTE_CLASS`: the byte is part of a longer character.
const WIDE: u8 = 4;

const BYTE_CLASS: [u8; 256] = {
    let mut table = [WIDE; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = code_point_class(byte as u32);
        byte += 1;
    }
    table
};

const fn code_point_class(code: u32) -> u8 {
    let block = BLOCKS[(code >> 8) as usize] as usize;
    let word = CLASSES[block][(code >> 5 & 7) as usize];
    (word >> (2 * (code & 31)) & 3) as u8
}

/// What differs between the patterns that the scanner knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    family: Family,
    /// Numbers are cut into groups of at most so many digits.
    max_digits: u32,
    /// `\s++$` stands before the rule for line ends: white space that ends the text is one chunk.
    whole_tail: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Gpt2,
    Gpt4,
}

const GPT2_SPELLINGS: &[&str] = &[
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"'s|'t|'re|'ve|'m|'ll|'d| ?[\p{L}]+| ?[\p{N}]+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
];

/// Before and after the longest group of digits, and whether white space at the end is one chunk.
const GPT4_SPELLINGS: &[(&str, &str, bool)] = &[
    (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,",
        r"}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
        false,
    ),
    (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,",
        r"}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
        true,
    ),
    (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,",
        r"}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        false,
    ),
];

impl Rules {
    /// The rules of a pattern that the scanner knows, or `None`.
    pub fn for_pattern(pattern: &str) -> Option<Rules> {
        if GPT2_SPELLINGS.contains(&pattern) {
            return Some(Rules { family: Family::Gpt2, max_digits: u32::MAX, whole_tail: false });
        }
        GPT4_SPELLINGS.iter().find_map(|&(before, after, whole_tail)| {
            let digits = pattern.strip_prefix(before)?.strip_suffix(after)?;
            let plain = digits.starts_with(|c: char| ('1'..='9').contains(&c)) && digits.len() <= 3;
            let max_digits = digits.parse().ok().filter(|_| plain)?;
            Some(Rules { family: Family::Gpt4, max_digits, whole_tail })
        })
    }

    /// The chunks of `text` from first to last: together they are the whole text.
    pub fn split<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> + 't {
        let rules = *self;
        let mut start = 0;
        std::iter::from_fn(move || {
            if start == text.len() {
                return None;
            }
            let end = rules.chunk_end(text.as_bytes(), start);
            let chunk = &text[start..end];
            start = end;
            Some(chunk)
        })
    }

    /// Where the chunk that begins at `start` ends. `text` is UTF-8 and longer than `start`.
    #[inline(always)]
    pub fn chunk_end(&self, text: &[u8], start: usize) -> usize {
        match self.family {
            Family::Gpt4 => self.gpt4_chunk_end(text, start),
            Family::Gpt2 => gpt2_chunk_end(text, start),
        }
    }

    #[inline(always)]
    fn gpt4_chunk_end(&self, text: &[u8], start: usize) -> usize {
        let (class, width) = class_at(text, start);
        let next = start + width;
        match class {
            LETTER => run_end(text, next, LETTER),
            NUMBER => {
                let mut end = next;
                for _ in 1..self.max_digits {
                    match class_at(text, end) {
                        (NUMBER, width) if width > 0 => end += width,
                        _ => break,
                    }
                }
                end
            }
            _ => {
                let first = text[start];
                if first == b'\'' {
                    if let Some(end) = contraction_end(text, next, true) {
                        return end;
                    }
                }
                let line_end = is_line_end(first);
                let (follower, follower_width) = class_at(text, next);
                if follower == LETTER && !line_end {
                    return run_end(text, next + follower_width, LETTER);
                }
                let punctuation = class == OTHER || (first == b' ' && follower == OTHER);
                if punctuation && (class == OTHER || follower_width > 0) {
                    let mut end = run_end(text, next, OTHER);
                    while end < text.len() && is_line_end(text[end]) {
                        end += 1;
                    }
                    return end;
                }
                if follower != SPACE && !line_end {
                    return next;
                }
                self.space_end_with_lines(text, start, next)
            }
        }
    }

    /// The end of a chunk of white space where a line end closes one.
    fn space_end_with_lines(&self, text: &[u8], start: usize, next: usize) -> usize {
        let end = run_end(text, next, SPACE);
        if self.whole_tail && end == text.len() {
            return end;
        }
        match text[start..end].iter().rposition(|&byte| is_line_end(byte)) {
            Some(last) => start + last + 1,
            None => without_last(text, start, end),
        }
    }

    /// A place at or after `from` where `text` may be cut into two with no chunk changed: a letter stands before
    /// it and none after it, which no chunk of any known pattern contains. The end of the text if there is none.
    pub fn safe_cut(text: &[u8], from: usize) -> usize {
        let mut at = from.min(text.len());
        while at < text.len() && text[at] & 0xc0 == 0x80 {
            at += 1;
        }
        let mut after_letter = false;
        while at < text.len() {
            let (class, width) = class_at(text, at);
            if after_letter && class != LETTER {
                return at;
            }
            after_letter = class == LETTER;
            at += width;
        }
        at
    }
}

#[inline(always)]
fn gpt2_chunk_end(text: &[u8], start: usize) -> usize {
    let (class, width) = class_at(text, start);
    let next = start + width;
    if class != SPACE {
        if text[start] == b'\'' {
            if let Some(end) = contraction_end(text, next, false) {
                return end;
            }
        }
        return run_end(text, next, class);
    }
    let (follower, follower_width) = class_at(text, next);
    if follower_width == 0 {
        return next;
    }
    if follower != SPACE {
        return if text[start] == b' ' { run_end(text, next + follower_width, follower) } else { next };
    }
    without_last(text, start, run_end(text, next, SPACE))
}

/// The end of a run of white space, less its last character when something follows that it must leave room for.
fn without_last(text: &[u8], start: usize, end: usize) -> usize {
    if end == text.len() {
        return end;
    }
    let mut last = end - 1;
    while text[last] & 0xc0 == 0x80 {
        last -= 1;
    }
    if last > start {
        last
    } else {
        end
    }
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// The end of the run of characters of `class` that goes on at `at`.
#[inline(always)]
fn run_end(text: &[u8], mut at: usize, class: u8) -> usize {
    while let Some(&byte) = text.get(at) {
        let byte_class = BYTE_CLASS[byte as usize];
        if byte_class == class {
            at += 1;
        } else if byte_class == WIDE {
            let (wide_class, width) = wide_class_at(text, at);
            if wide_class != class {
                break;
            }
            at += width;
        } else {
            break;
        }
    }
    at
}

/// The class and the width in bytes of the character at `at`; width 0 at the end of the text.
#[inline(always)]
fn class_at(text: &[u8], at: usize) -> (u8, usize) {
    match text.get(at) {
        None => (OTHER, 0),
        Some(&byte) => match BYTE_CLASS[byte as usize] {
            WIDE => wide_class_at(text, at),
            class => (class, 1),
        },
    }
}

fn wide_class_at(text: &[u8], at: usize) -> (u8, usize) {
    let (code, width) = code_point_at(text, at);
    (code_point_class(code), width)
}

/// Decode one character beyond ASCII. Bytes that are not UTF-8 give some code point and never a width of 0.
#[inline(always)]
fn code_point_at(text: &[u8], at: usize) -> (u32, usize) {
    let lead = u32::from(text[at]);
    let tail = |offset: usize| u32::from(text.get(at + offset).copied().unwrap_or(0)) & 0x3f;
    let (code, width) = match lead {
        0xf0.. => ((lead & 7) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4),
        0xe0.. => ((lead & 15) << 12 | tail(1) << 6 | tail(2), 3),
        _ => ((lead & 31) << 6 | tail(1), 2),
    };
    (code.min(0x10ffff), width.min(text.len() - at))
}

/// The end of `s`, `d`, `m`, `t`, `ll`, `ve` or `re` at `at`, in any case if `any_case`.
#[inline(always)]
fn contraction_end(text: &[u8], at: usize, any_case: bool) -> Option<usize> {
    let (first, middle) = contraction_letter(text, at, any_case)?;
    if matches!(first, b's' | b'd' | b'm' | b't') {
        return Some(middle);
    }
    let (second, end) = contraction_letter(text, middle, any_case)?;
    matches!((first, second), (b'l', b'l') | (b'v', b'e') | (b'r', b'e')).then_some(end)
}

/// The ASCII letter that the character at `at` counts as, in lower case, and where the character ends.
#[inline(always)]
fn contraction_letter(text: &[u8], at: usize, any_case: bool) -> Option<(u8, usize)> {
    let byte = *text.get(at)?;
    if byte < 0x80 {
        return Some((if any_case { byte.to_ascii_lowercase() } else { byte }, at + 1));
    }
    if !any_case {
        return None;
    }
    let (code, width) = code_point_at(text, at);
    let &(_, letter) = CASE_VARIANTS.iter().find(|&&(variant, _)| variant == code)?;
    Some((letter, at + width))
}
