//! The C interface. The only unsafe code of the crate is here: reading and writing the caller's memory.
//!
//! Every function returns `OK`, `AGAIN` (out of time: call again to go on) or a negative status, whose message
//! `rustbpe_error` gives on the same thread. Trainers and encoders are named by numbers, not by addresses, so a
//! wrong or stale one is an error like any other. A panic is caught here and becomes a status.
//!
//! Pointers must be valid for the lengths given with them, which nothing can check; that they are aligned, not
//! null and of a possible length is checked. Documents are given as one text and the offsets where each ends.

use crate::count::{Counter, Position};
use crate::encode::Encoder;
use crate::merge::{Merger, Token};
use crate::split::Rules;
use crate::words::{random_seed, WordMap};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub const OK: i32 = 0;
pub const AGAIN: i32 = 1;
pub const INVALID: i32 = -1;
pub const PANICKED: i32 = -2;

const MAX_THREADS: usize = 256;

thread_local! {
    static ERROR: RefCell<String> = const { RefCell::new(String::new()) };
}

static TRAINERS: Registry<Mutex<Trainer>> = Registry::new();
static ENCODERS: Registry<SplittingEncoder> = Registry::new();

/// Objects by number.
struct Registry<T>(Mutex<(u64, BTreeMap<u64, Arc<T>>)>);

impl<T> Registry<T> {
    const fn new() -> Registry<T> {
        Registry(Mutex::new((0, BTreeMap::new())))
    }

    fn add(&self, item: T) -> u64 {
        let mut entries = lock(&self.0);
        entries.0 += 1;
        let handle = entries.0;
        entries.1.insert(handle, Arc::new(item));
        handle
    }

    fn get(&self, handle: u64) -> Result<Arc<T>, String> {
        lock(&self.0).1.get(&handle).cloned().ok_or_else(|| format!("no object has the handle {handle}"))
    }

    fn remove(&self, handle: u64) -> Result<Arc<T>, String> {
        lock(&self.0).1.remove(&handle).ok_or_else(|| format!("no object has the handle {handle}"))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One training, from the first document to the last merge.
struct Trainer {
    rules: Option<Rules>,
    counter: Option<Counter>,
    /// Chunks that the caller has split and counted, and in the end all of them.
    words: WordMap,
    merger: Option<Merger>,
}

struct SplittingEncoder {
    rules: Option<Rules>,
    encoder: Encoder,
}

const NO_SCANNER: &str = "the crate has no scanner for this pattern";

/// 1 if the crate can split by `pattern` itself, 0 if the caller has to.
///
/// # Safety
/// See the module.
#[no_mangle]
pub unsafe extern "C" fn rustbpe_has_scanner(pattern: *const u8, pattern_len: u64) -> i32 {
    guarded(|| {
        let pattern = unsafe { utf8(pattern, pattern_len) }?;
        Ok(i32::from(Rules::for_pattern(pattern).is_some()))
    })
}

/// Write where each chunk of a text ends. `ends` has room for as many as the text has bytes, `chunks` receives how
/// many there are.
///
/// # Safety
/// See the module.
#[no_mangle]
pub unsafe extern "C" fn rustbpe_split(
    pattern: *const u8,
    pattern_len: u64,
    text: *const u8,
    text_len: u64,
    ends: *mut u64,
    chunks: *mut u64,
) -> i32 {
    guarded(|| {
        let rules = Rules::for_pattern(unsafe { utf8(pattern, pattern_len) }?).ok_or(NO_SCANNER)?;
        let mut end = 0;
        let found: Vec<u64> = rules
            .split(unsafe { utf8(text, text_len) }?)
            .map(|chunk| {
                end += chunk.len() as u64;
                end
            })
            .collect();
        unsafe { write(ends, &found) }?;
        unsafe { write(chunks, &[found.len() as u64]) }?;
        Ok(OK)
    })
}

/// Begin a training; `trainer` receives its handle.
///
/// # Safety
/// See the module.
#[no_mangle]
pub unsafe extern "C" fn rustbpe_trainer_new(
    pattern: *const u8,
    pattern_len: u64,
    threads: u64,
    trainer: *mut u64,
) -> i32 {
    guarded(|| {
        let rules = Rules::for_pattern(unsafe { utf8(pattern, pattern_len) }?);
        let threads = thread_count(threads)?;
        let handle = TRAINERS.add(Mutex::new(Trainer {
            rules,
            counter: rules.map(|rules| Counter::new(rules, threads)),
            words: WordMap::new(random_seed()),
            merger: None,
        }));
        unsafe { write(trainer, &[handle]) }?;
        Ok(OK)
    })
}

/// Count documents. On `AGAIN`, `document` and `byte` say where to go on, and are to be given back as they are.
///
/// # Safety
/// See the module.
#[no_mangle]
pub unsafe extern "C" fn rustbpe_trainer_feed(
    trainer: u64,
    text: *const u8,
    text_len: u64,
    ends: *const u64,
    ends_len: u64,
    milliseconds: u64,
    document: *mut u64,
    byte: *mut u64,
) -> i32 {
    guarded(|| {
        let deadline = deadline(milliseconds);
        let documents = unsafe { documents(text, text_len, ends, ends_len) }?;
        let trainer = TRAINERS.get(trainer)?;
        let mut trainer = lock(&trainer);
        let counter = trainer.counter.as_mut().ok_or(NO_SCANNER)?;
        let mut from = Position {
            document: length(unsafe { slice(document, 1) }?[0])?,
            byte: length(unsafe { slice(byte, 1) }?[0])?,
        };
        let done = counter.feed(&documents, &mut from, deadline)?;
        unsafe { write(document, &[from.document as u64]) }?;
        unsafe { write(byte, &[from.byte as u64]) }?;
        Ok(if done { OK } else { AGAIN })
    })
}

/// Add chunks that the caller has counted.
///
/// # Safety
/// See the module.
#[no_mangle]
pub unsafe extern "C" fn rustbpe_trainer_add_chunks(
    trainer: u64,
    text: *const u8,
    text_len: u64,
    ends: *const u64,
    counts: *const u64,
    ends_len: u64,
) -> i32 {
    guarded(|| {
        let chunks = unsafe { documents(text, text_len, ends, ends_len) }?;
        let counts = unsafe { slice(counts, ends_len) }?;
        let trainer = TRAINERS.get(trainer)?;
        let mut trainer = lock(&trainer);
        for (chunk, &count) in chunks.iter().zip(counts) {
            trainer.words.add(chunk, count);
        }
        Ok(OK)
    })
}

/// Finish counting, then find merges for a vocabulary of `vocab_size`; `found` receives how many there are so far.
///
/// # Safety
/// See the module.
#[no_mangle]
pub unsafe extern "C" fn rustbpe_trainer_merge(
    trainer: u64,
    vocab_size: u32,
    milliseconds: u64,
    found: *mut u64,
) -> i32 {
    guarded(|| {
        let deadline = deadline(milliseconds);
        let trainer = TRAINERS.get(trainer)?;
        let mut trainer = lock(&trainer);
        unsafe { write(found, &[0]) }?;
        if trainer.merger.is_none() {
            let wanted = vocab_size.checked_sub(256).ok_or("vocab_size must be at least 256")?;
            if let Some(counter) = &mut trainer.counter {
                let Some(counted) = counter.finish(deadline)? else {
                    return Ok(AGAIN);
                };
                trainer.counter = None;
                trainer.words.absorb(counted);
            }
            let words = std::mem::replace(&mut trainer.words, WordMap::new(0));
            trainer.merger = Some(Merger::new(words, wanted as usize)?);
            unsafe { write(found, &[0]) }?;
            return Ok(AGAIN);
        }
        let merger = trainer.merger.as_mut().ok_or("nothing to merge")?;
        let done = merger.run_until(deadline);
        unsafe { write(found, &[merger.merges().len() as u64]) }?;
        Ok(if done { OK } else { AGAIN })
    })
}

/// Make an encoder of what a trainer has found; `encoder` receives its handle.
///
/// # Safety
/// See the module.
#[no_mangle]
pub unsafe extern "C" fn rustbpe_trainer_encoder(trainer: u64, encoder: *mut u64) -> i32 {
    guarded(|| {
        let trainer = TRAINERS.get(trainer)?;
        let mut trainer = lock(&trainer);
        let merger = trainer.merger.take().ok_or("the training has not ended")?;
        let merges = merger.into_merges();
        let handle = ENCODERS.add(SplittingEncoder { rules: trainer.rules, encoder: Encoder::new(merges) });
        unsafe { write(encoder, &[handle]) }?;
        Ok(OK)
    })
}

/// End a training, at any time.
#[no_mangle]
pub extern "C" fn rustbpe_trainer_free(trainer: u64) -> i32 {
    guarded(|| TRAINERS.remove(trainer).map(|_| OK))
}

#[no_mangle]
pub extern "C" fn rustbpe_encoder_free(encoder: u64) -> i32 {
    guarded(|| ENCODERS.remove(encoder).map(|_| OK))
}

/// Write the two tokens of each merge in order, as many as fit; `found` receives how many merges there are.
///
/// # Safety
/// See the module.
#[no_mangle]
pub unsafe extern "C" fn rustbpe_encoder_merges(
    encoder: u64,
    pairs: *mut u32,
    room: u64,
    found: *mut u64,
) -> i32 {
    guarded(|| {
        let encoder = ENCODERS.get(encoder)?;
        let merges = encoder.encoder.merges();
        let flat: Vec<Token> = merges.iter().take(length(room)? / 2).flat_map(|&(a, b)| [a, b]).collect();
        unsafe { write(pairs, &flat) }?;
        unsafe { write(found, &[merges.len() as u64]) }?;
        Ok(OK)
    })
}

/// Encode documents on up to `threads` threads. `tokens` has room for as many as the text has bytes, `token_ends`
/// receives where the tokens of each document end.
///
/// # Safety
/// See the module.
#[no_mangle]
pub unsafe extern "C" fn rustbpe_encoder_encode(
    encoder: u64,
    text: *const u8,
    text_len: u64,
    ends: *const u64,
    ends_len: u64,
    threads: u64,
    tokens: *mut u32,
    token_ends: *mut u64,
) -> i32 {
    guarded(|| {
        let encoder = ENCODERS.get(encoder)?;
        let rules = encoder.rules.ok_or(NO_SCANNER)?;
        let texts = unsafe { documents(text, text_len, ends, ends_len) }?
            .into_iter()
            .map(|text| std::str::from_utf8(text).map_err(|e| format!("a document is not UTF-8: {e}")))
            .collect::<Result<Vec<&str>, String>>()?;
        let (found, counts) = encoder.encoder.encode_batch(&rules, &texts, thread_count(threads)?)?;
        unsafe { write_tokens(&found, &counts, text_len, tokens, token_ends) }
    })
}

/// The same for chunks that the caller has split: each is encoded by itself.
///
/// # Safety
/// See the module.
#[no_mangle]
pub unsafe extern "C" fn rustbpe_encoder_encode_chunks(
    encoder: u64,
    text: *const u8,
    text_len: u64,
    ends: *const u64,
    ends_len: u64,
    tokens: *mut u32,
    token_ends: *mut u64,
) -> i32 {
    guarded(|| {
        let encoder = ENCODERS.get(encoder)?;
        let mut found = Vec::new();
        let mut counts = Vec::new();
        for chunk in unsafe { documents(text, text_len, ends, ends_len) }? {
            let before = found.len();
            encoder.encoder.encode_chunk(chunk, &mut found);
            counts.push(found.len() - before);
        }
        unsafe { write_tokens(&found, &counts, text_len, tokens, token_ends) }
    })
}

/// Write the message of the last failure on this thread, as much as fits, and return its whole length in bytes.
///
/// # Safety
/// See the module.
#[no_mangle]
pub unsafe extern "C" fn rustbpe_error(message: *mut u8, room: u64) -> u64 {
    ERROR.with_borrow(|error| {
        let shown = error.len().min(usize::try_from(room).unwrap_or(0));
        // A caller whose memory cannot be written to has already been told of a failure by the status.
        let _ = unsafe { write(message, &error.as_bytes()[..shown]) };
        error.len() as u64
    })
}

/// Panic, so that a test can see what becomes of a panic.
#[no_mangle]
pub extern "C" fn rustbpe_panic() -> i32 {
    guarded(|| panic!("a panic was asked for"))
}

/// Run the body of an interface function: keep its message if it fails, and stop its panics.
fn guarded(body: impl FnOnce() -> Result<i32, String>) -> i32 {
    let (status, message) = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(status)) => return status,
        Ok(Err(message)) => (INVALID, message),
        Err(panic) => (PANICKED, panic_message(&*panic)),
    };
    ERROR.with_borrow_mut(|error| *error = message);
    status
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("unknown panic").to_string()
}

fn deadline(milliseconds: u64) -> Instant {
    Instant::now() + Duration::from_millis(milliseconds.min(60_000))
}

fn length(number: u64) -> Result<usize, String> {
    usize::try_from(number).map_err(|_| format!("{number} is more than this machine can hold"))
}

/// A number of threads that no machine chokes on.
fn thread_count(wanted: u64) -> Result<usize, String> {
    Ok(length(wanted)?.min(MAX_THREADS))
}

/// Check what can be checked of `len` items at `start`.
fn check<T>(start: *const T, len: u64) -> Result<usize, String> {
    let len = length(len)?;
    let bytes = len.checked_mul(size_of::<T>()).ok_or("a length is too large")?;
    if bytes > isize::MAX as usize {
        return Err("a length is too large".to_string());
    }
    if len > 0 && (start.is_null() || start as usize % align_of::<T>() != 0) {
        return Err("a pointer is null or not aligned".to_string());
    }
    Ok(len)
}

/// # Safety
/// `start` must point to `len` items that live and do not change for `'a`, unless `check` refuses it.
unsafe fn slice<'a, T>(start: *const T, len: u64) -> Result<&'a [T], String> {
    match check(start, len)? {
        0 => Ok(&[]),
        // SAFETY: the pointer and the length have been checked; the memory behind them is the caller's promise.
        len => Ok(unsafe { std::slice::from_raw_parts(start, len) }),
    }
}

/// # Safety
/// `start` must have room for `items`, unless `check` refuses it.
unsafe fn write<T: Copy>(start: *mut T, items: &[T]) -> Result<(), String> {
    if check(start, items.len() as u64)? > 0 {
        // SAFETY: the pointer has been checked; the room behind it is the caller's promise.
        unsafe { std::ptr::copy_nonoverlapping(items.as_ptr(), start, items.len()) };
    }
    Ok(())
}

/// # Safety
/// As for `slice`.
unsafe fn utf8<'a>(start: *const u8, len: u64) -> Result<&'a str, String> {
    std::str::from_utf8(unsafe { slice(start, len) }?).map_err(|e| e.to_string())
}

/// # Safety
/// As for `slice`, twice.
unsafe fn documents<'a>(
    text: *const u8,
    text_len: u64,
    ends: *const u64,
    ends_len: u64,
) -> Result<Vec<&'a [u8]>, String> {
    let text: &[u8] = unsafe { slice(text, text_len) }?;
    let ends: &[u64] = unsafe { slice(ends, ends_len) }?;
    let mut start = 0;
    let mut documents = Vec::with_capacity(ends.len());
    for &end in ends {
        let end = length(end)?;
        documents.push(text.get(start..end).ok_or("a document ends beyond the text or before it begins")?);
        start = end;
    }
    if start != text.len() {
        return Err("the last document does not end where the text ends".to_string());
    }
    Ok(documents)
}

/// # Safety
/// `tokens` must have room for `room` tokens, `token_ends` for one number for each of `counts`.
unsafe fn write_tokens(
    found: &[Token],
    counts: &[usize],
    room: u64,
    tokens: *mut u32,
    token_ends: *mut u64,
) -> Result<i32, String> {
    if found.len() as u64 > room {
        return Err("more tokens than bytes".to_string());
    }
    let mut end = 0;
    let ends: Vec<u64> = counts
        .iter()
        .map(|&count| {
            end += count as u64;
            end
        })
        .collect();
    unsafe { write(tokens, found) }?;
    unsafe { write(token_ends, &ends) }?;
    Ok(OK)
}
