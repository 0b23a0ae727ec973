use rustbpe::boundary::*;
use std::ptr::{null, null_mut};

const PATTERN: &str = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

fn message() -> String {
    let mut bytes = [0; 200];
    let length = unsafe { rustbpe_error(bytes.as_mut_ptr(), 200) } as usize;
    String::from_utf8(bytes[..length.min(200)].to_vec()).unwrap()
}

fn trainer() -> u64 {
    let mut handle = 0;
    assert_eq!(unsafe { rustbpe_trainer_new(PATTERN.as_ptr(), PATTERN.len() as u64, 2, &mut handle) }, OK);
    handle
}

fn feed(trainer: u64, text: &[u8], ends: &[u64]) -> i32 {
    let (mut document, mut byte) = (0, 0);
    unsafe {
        rustbpe_trainer_feed(
            trainer,
            text.as_ptr(),
            text.len() as u64,
            ends.as_ptr(),
            ends.len() as u64,
            60_000,
            &mut document,
            &mut byte,
        )
    }
}

fn trained(text: &[u8], vocab_size: u32) -> u64 {
    let trainer = trainer();
    assert_eq!(feed(trainer, text, &[text.len() as u64]), OK);
    let mut found = 0;
    while unsafe { rustbpe_trainer_merge(trainer, vocab_size, 60_000, &mut found) } == AGAIN {}
    let mut encoder = 0;
    assert_eq!(unsafe { rustbpe_trainer_encoder(trainer, &mut encoder) }, OK, "{}", message());
    assert_eq!(rustbpe_trainer_free(trainer), OK);
    encoder
}

#[test]
fn text_goes_in_and_tokens_come_out() {
    let encoder = trained(b"ab ab abc", 258);
    let mut pairs = [0; 4];
    let mut found = 0;
    assert_eq!(unsafe { rustbpe_encoder_merges(encoder, pairs.as_mut_ptr(), 4, &mut found) }, OK);
    assert_eq!((found, pairs), (2, [97, 98, 32, 256]));
    let mut tokens = [0; 6];
    let mut ends = [0; 2];
    let status = unsafe {
        rustbpe_encoder_encode(
            encoder,
            b"ab abc".as_ptr(),
            6,
            [2, 6].as_ptr(),
            2,
            1,
            tokens.as_mut_ptr(),
            ends.as_mut_ptr(),
        )
    };
    assert_eq!((status, ends, &tokens[..3]), (OK, [1, 3], &[256, 257, 99][..]));
    assert_eq!(rustbpe_encoder_free(encoder), OK);
}

#[test]
fn a_panic_becomes_a_status() {
    assert_eq!(rustbpe_panic(), PANICKED);
    assert_eq!(message(), "a panic was asked for");
}

#[test]
fn wrong_handles_are_errors() {
    let stale = trainer();
    assert_eq!(rustbpe_trainer_free(stale), OK);
    for handle in [0, stale, u64::MAX] {
        assert_eq!(rustbpe_trainer_free(handle), INVALID);
        assert_eq!(rustbpe_encoder_free(handle), INVALID);
        assert_eq!(feed(handle, b"text", &[4]), INVALID);
        assert_eq!(unsafe { rustbpe_trainer_merge(handle, 300, 1, &mut 0) }, INVALID);
        assert_eq!(unsafe { rustbpe_trainer_encoder(handle, &mut 0) }, INVALID);
        assert!(message().contains("handle"));
    }
}

#[test]
fn null_unaligned_and_overlong_pointers_are_errors() {
    let trainer = trainer();
    let mut number = 0;
    unsafe {
        assert_eq!(rustbpe_trainer_new(null(), 4, 1, &mut number), INVALID);
        assert_eq!(rustbpe_trainer_new(PATTERN.as_ptr(), PATTERN.len() as u64, 1, null_mut()), INVALID);
        assert_eq!(rustbpe_has_scanner(PATTERN.as_ptr(), u64::MAX), INVALID);
        assert_eq!(rustbpe_trainer_merge(trainer, 300, 1, null_mut()), INVALID);
        let unaligned = std::ptr::addr_of!(number).cast::<u8>().add(1).cast::<u64>();
        assert_eq!(
            rustbpe_trainer_feed(trainer, b"ab".as_ptr(), 2, unaligned, 1, 1, &mut 0, &mut 0),
            INVALID
        );
        assert!(message().contains("aligned"));
        assert_eq!(
            rustbpe_trainer_feed(trainer, b"ab".as_ptr(), 2, &2, u64::MAX / 8, 1, &mut 0, &mut 0),
            INVALID
        );
    }
    assert_eq!(rustbpe_trainer_free(trainer), OK);
}

#[test]
fn ends_that_do_not_fit_the_text_are_errors() {
    let trainer = trainer();
    for ends in [&[5][..], &[3, 2, 4], &[3], &[], &[u64::MAX]] {
        assert_eq!(feed(trainer, b"text", ends), INVALID, "{ends:?}");
    }
    assert_eq!(feed(trainer, b"", &[]), OK);
    assert_eq!(rustbpe_trainer_free(trainer), OK);
}

#[test]
fn a_trainer_for_an_unknown_pattern_counts_nothing_itself() {
    let mut handle = 0;
    assert_eq!(unsafe { rustbpe_trainer_new(b"x+".as_ptr(), 2, 1, &mut handle) }, OK);
    assert_eq!(feed(handle, b"text", &[4]), INVALID);
    assert!(message().contains("pattern"));
    assert_eq!(rustbpe_trainer_free(handle), OK);
}

#[test]
fn merging_before_and_encoding_after_their_time_are_errors() {
    let trainer = trainer();
    assert_eq!(unsafe { rustbpe_trainer_encoder(trainer, &mut 0) }, INVALID);
    assert_eq!(unsafe { rustbpe_trainer_merge(trainer, 255, 1, &mut 0) }, INVALID);
    assert!(message().contains("256"));
    assert_eq!(rustbpe_trainer_free(trainer), OK);
}
