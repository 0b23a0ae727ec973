//! Byte-pair encoding: training a vocabulary on text, and encoding text with it.
//!
//! Text is cut into chunks by a split pattern (`split`), the distinct chunks are counted on several threads
//! (`count`), the most frequent pair of tokens is merged again and again (`merge`), and the merges encode text
//! (`encode`). `boundary` offers this to C, and so to Python.

#![deny(unsafe_code)]

#[allow(unsafe_code)]
pub mod boundary;
#[rustfmt::skip]
pub mod classes;
pub mod count;
pub mod encode;
pub mod merge;
pub mod split;
mod words;

pub use words::WordMap;
