//! Random text without a crate for it: the same on every run.

pub const PATTERNS: [&str; 4] = [
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
];

/// A xorshift generator.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % bound as u64) as usize
    }

    /// A string of fewer than `longest` of the given parts.
    pub fn text(&mut self, parts: &[&str], longest: usize) -> String {
        (0..self.below(longest)).map(|_| parts[self.below(parts.len())]).collect()
    }
}

/// Parts of text that the rules of the patterns treat differently.
pub const PARTS: &[&str] = &[
    "a",
    "b",
    "word",
    "S",
    "'",
    "'s",
    "'LL",
    "'\u{17f}",
    "1",
    "23",
    "\u{664}",
    " ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\u{a0}",
    "\u{2028}",
    "\u{3000}",
    "\u{1c}",
    ".",
    "=",
    "\u{301}",
    "\u{e9}",
    "\u{6f22}",
    "\u{5b57}",
    "\u{1f600}",
];
