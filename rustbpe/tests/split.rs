mod common;

use common::{Random, PARTS, PATTERNS};
use rustbpe::split::Rules;

fn chunks(pattern: &str, text: &str) -> Vec<String> {
    Rules::for_pattern(pattern).expect("a known pattern").split(text).map(str::to_string).collect()
}

#[test]
fn numbers_come_in_groups_of_the_pattern_s_length() {
    assert_eq!(chunks(PATTERNS[0], "x12345"), ["x", "12", "34", "5"]);
    assert_eq!(chunks(PATTERNS[1], "x12345"), ["x", "123", "45"]);
    assert_eq!(chunks(PATTERNS[3], "x 12345"), ["x", " 12345"]);
}

#[test]
fn contractions_end_a_word_in_any_case_for_gpt4_and_in_lower_case_for_gpt2() {
    assert_eq!(chunks(PATTERNS[1], "I'm WE'RE"), ["I", "'m", " WE", "'RE"]);
    assert_eq!(chunks(PATTERNS[1], "it'\u{17f}t"), ["it", "'\u{17f}", "t"]);
    assert_eq!(chunks(PATTERNS[3], "I'm WE'RE"), ["I", "'m", " WE", "'", "RE"]);
}

#[test]
fn the_last_of_several_spaces_belongs_to_the_word() {
    for pattern in PATTERNS {
        assert_eq!(chunks(pattern, "a   b"), ["a", "  ", " b"]);
        assert_eq!(chunks(pattern, "a   "), ["a", "   "]);
    }
}

#[test]
fn line_ends_close_white_space_and_punctuation_in_gpt4() {
    assert_eq!(chunks(PATTERNS[1], "a);\r\n\n  b"), ["a", ");\r\n\n", " ", " b"]);
    assert_eq!(chunks(PATTERNS[1], "a \n  \n  b"), ["a", " \n  \n", " ", " b"]);
    assert_eq!(chunks(PATTERNS[1], "a\n  "), ["a", "\n", "  "]);
    assert_eq!(chunks(PATTERNS[2], "a\n  "), ["a", "\n  "]);
    assert_eq!(chunks(PATTERNS[3], "a\n\nb"), ["a", "\n", "\n", "b"]);
}

#[test]
fn chunks_together_are_the_text() {
    let mut random = Random(1);
    for _ in 0..20_000 {
        let text = random.text(PARTS, 20);
        for pattern in PATTERNS {
            assert_eq!(chunks(pattern, &text).concat(), text);
        }
    }
}

#[test]
fn a_text_cut_at_a_safe_place_has_the_same_chunks() {
    let mut random = Random(2);
    for _ in 0..20_000 {
        let text = random.text(PARTS, 30);
        let cut = Rules::safe_cut(text.as_bytes(), random.below(text.len() + 1));
        for pattern in PATTERNS {
            let parts = [chunks(pattern, &text[..cut]), chunks(pattern, &text[cut..])];
            assert_eq!(parts.concat(), chunks(pattern, &text), "{text:?} cut at {cut}");
        }
    }
}

#[test]
fn bytes_that_are_no_text_neither_panic_nor_stop_the_scanner() {
    let mut random = Random(3);
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..random.below(12) + 1).map(|_| random.below(256) as u8).collect();
        for pattern in PATTERNS {
            let rules = Rules::for_pattern(pattern).unwrap();
            let mut at = 0;
            while at < bytes.len() {
                let end = rules.chunk_end(&bytes, at);
                assert!(at < end && end <= bytes.len(), "{bytes:?} at {at}");
                at = end;
            }
            assert!(Rules::safe_cut(&bytes, random.below(bytes.len())) <= bytes.len());
        }
    }
}

#[test]
fn other_patterns_are_not_taken_for_known_ones() {
    assert!(Rules::for_pattern(&PATTERNS[0].replace("{1,2}", "{1,12}")).is_some());
    for digits in ["{1,0}", "{1,}", "{1,+2}", "{1,02}", "{2}", "{1,2}?"] {
        assert_eq!(Rules::for_pattern(&PATTERNS[0].replace("{1,2}", digits)), None, "{digits}");
    }
    assert_eq!(Rules::for_pattern(""), None);
    assert_eq!(Rules::for_pattern(r"\w+"), None);
}
