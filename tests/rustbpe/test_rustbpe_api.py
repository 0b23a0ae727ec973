"""What a caller of the Python package sees, error by error."""

import copy
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

pytest.importorskip("rustbpe.native", reason="needs this repository's rustbpe, built with cargo")

from rustbpe_texts import GPT4, KNOWN, TREE, UNKNOWN, prose

import rustbpe
from rustbpe import native


@pytest.fixture
def trained(rng):
    tokenizer = rustbpe.Tokenizer()
    tokenizer.train_from_iterator([prose(rng, 2000)], vocab_size=400, pattern=TREE)
    return tokenizer


def test_an_untrained_tokenizer_knows_the_bytes():
    tokenizer = rustbpe.Tokenizer()
    assert tokenizer.vocab_size == 256
    assert tokenizer.get_pattern() == ""
    assert tokenizer.get_mergeable_ranks() == [(bytes([byte]), byte) for byte in range(256)]
    assert tokenizer.decode([104, 105]) == "hi"
    assert tokenizer.encode("hi") == []


def test_the_default_pattern_is_gpt4s():
    tokenizer = rustbpe.Tokenizer()
    tokenizer.train_from_iterator(["hello"], 256)
    assert tokenizer.get_pattern() == GPT4


def test_training_by_position_and_by_name_is_the_same(rng):
    texts = [prose(rng, 200) for _ in range(5)]
    one, other = rustbpe.Tokenizer(), rustbpe.Tokenizer()
    one.train_from_iterator(texts, 300, 2, TREE)
    other.train_from_iterator(iterator=iter(texts), vocab_size=300, buffer_size=8192, pattern=TREE)
    assert one.get_mergeable_ranks() == other.get_mergeable_ranks()


def test_a_vocabulary_larger_than_the_text_can_fill_stops_at_the_last_pair():
    tokenizer = rustbpe.Tokenizer()
    tokenizer.train_from_iterator(["aaaa"], (1 << 32) - 1)
    assert tokenizer.get_mergeable_ranks()[256:] == [(b"aa", 256), (b"aaaa", 257)]
    assert tokenizer.vocab_size == 258


@pytest.mark.parametrize("texts", [[], [""], ["", "", "x"], "", "ab", {"a": 1}])
def test_text_without_pairs_gives_the_bytes(texts):
    tokenizer = rustbpe.Tokenizer()
    tokenizer.train_from_iterator(texts, 1000)
    assert tokenizer.vocab_size == 256
    assert tokenizer.encode("né") == [110, 195, 169]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"vocab_size": 255}, ValueError, "vocab_size must be at least 256"),
        ({"vocab_size": 0}, ValueError, "256"),
        ({"vocab_size": -1}, ValueError, "256"),
        ({"vocab_size": 1 << 32}, OverflowError, "vocab_size"),
        ({"vocab_size": 300.0}, TypeError, "float"),
        ({"buffer_size": 0}, ValueError, "buffer_size must be at least 1"),
        ({"threads": 0}, ValueError, "threads must be at least 1"),
        ({"pattern": "("}, ValueError, "Invalid regex pattern"),
        ({"iterator": 5}, TypeError, "not iterable"),
        ({"iterator": ["fine", b"bytes"]}, TypeError, "bytes"),
        ({"iterator": ["fine", None]}, TypeError, "NoneType"),
        ({"iterator": ["lone \ud800 surrogate"]}, UnicodeEncodeError, "surrogates not allowed"),
    ],
)
@pytest.mark.parametrize("pattern", [TREE, r"\w+"])
def test_what_cannot_be_trained_on_is_refused_and_changes_nothing(
    trained, arguments, error, message, pattern
):
    before = trained.get_pattern(), trained.get_mergeable_ranks()
    call = {"iterator": ["some text"], "vocab_size": 300, "pattern": pattern} | arguments
    with pytest.raises(error, match=message):
        trained.train_from_iterator(**call)
    assert (trained.get_pattern(), trained.get_mergeable_ranks()) == before


def test_an_error_of_the_iterator_comes_through(trained):
    def documents():
        yield "one document"
        raise KeyError("second")

    before = trained.get_mergeable_ranks()
    with pytest.raises(KeyError, match="second"):
        trained.train_from_iterator(documents(), 300)
    assert trained.get_mergeable_ranks() == before


@pytest.mark.parametrize("stage", ["count", "merge"])
def test_an_error_of_the_progress_callback_comes_through(trained, stage):
    def progress(current, done, total):
        if current == stage:
            raise LookupError(stage)

    before = trained.get_mergeable_ranks()
    with pytest.raises(LookupError, match=stage):
        trained.train_from_iterator(["some text"], 300, progress=progress)
    assert trained.get_mergeable_ranks() == before


@pytest.mark.parametrize("pattern", [TREE, r"\w+"])
def test_progress_counts_bytes_then_merges(pattern):
    calls = []
    text = "naïve words " * 100
    tokenizer = rustbpe.Tokenizer()
    tokenizer.train_from_iterator(
        [text] * 7, 260, buffer_size=2, pattern=pattern, progress=lambda *call: calls.append(call)
    )
    size = len(text.encode())
    counted = [call for call in calls if call[0] == "count"]
    assert counted == [("count", size * documents, None) for documents in (2, 4, 6, 7)]
    merged = calls[len(counted) :]
    assert {(stage, total) for stage, _, total in merged} == {("merge", 4)}
    assert [done for _, done, _ in merged] == sorted(done for _, done, _ in merged)
    assert merged[-1] == ("merge", 4, 4)


def test_documents_are_drawn_no_further_ahead_than_the_buffer():
    drawn = 0
    ahead = []

    def documents():
        nonlocal drawn
        for _ in range(10):
            drawn += 1
            yield "word"

    def progress(stage, done, total):
        if stage == "count":
            ahead.append(drawn - done // len("word"))

    rustbpe.Tokenizer().train_from_iterator(documents(), 300, buffer_size=3, progress=progress)
    assert ahead == [0, 0, 0, 0]


@pytest.mark.parametrize("pattern", [*KNOWN.values(), *UNKNOWN.values()], ids=[*KNOWN, *UNKNOWN])
def test_threads_and_buffers_do_not_change_the_result(rng, pattern):
    texts = [prose(rng, rng.randint(0, 3000)) for _ in range(40)]
    results = []
    for threads, buffer_size in [(1, 8192), (2, 1), (7, 3)]:
        tokenizer = rustbpe.Tokenizer()
        tokenizer.train_from_iterator(texts, 500, buffer_size, pattern, threads=threads)
        results.append(tokenizer.get_mergeable_ranks())
    assert results[0] == results[1] == results[2]


def test_decode_refuses_what_is_no_token(trained):
    for unknown in (trained.vocab_size, -1, 1 << 40):
        with pytest.raises(ValueError, match=f"Unknown token id: {unknown}"):
            trained.decode([97, unknown])
    for no_ids in ("97", ["97"], [97.0], 97, [None]):
        with pytest.raises(TypeError):
            trained.decode(no_ids)
    with pytest.raises(UnicodeDecodeError):
        trained.decode([0xE9])


def test_decode_takes_any_iterable_of_ids(trained):
    ids = trained.encode("the token, it's naïve")
    for form in (ids, tuple(ids), iter(ids)):
        assert trained.decode(form) == "the token, it's naïve"
    assert trained.decode(b"bytes") == "bytes"
    assert trained.decode([]) == ""


def test_encode_refuses_what_is_no_text(trained):
    for no_text in (b"bytes", None, 5, ["list"]):
        with pytest.raises(TypeError):
            trained.encode(no_text)
    for no_texts in ("a string", [b"bytes"], ["fine", None], iter(["iterator"]), 5):
        with pytest.raises(TypeError):
            trained.batch_encode(no_texts)
    for call in (lambda text: trained.encode(text), lambda text: trained.batch_encode([text])):
        with pytest.raises(UnicodeEncodeError):
            call("lone \udfff surrogate")
    with pytest.raises(ValueError, match="threads"):
        trained.batch_encode(["text"], threads=0)


def test_a_tokenizer_can_be_trained_again(trained):
    trained.train_from_iterator(["zz zz"], 257, pattern=r"\w+")
    assert trained.get_pattern() == r"\w+"
    assert trained.encode("zz!zzz") == [256, 256, 122]


def test_a_tokenizer_is_neither_pickled_nor_copied_by_half(trained):
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="pickle"):
            attempt(trained)


def test_the_size_cannot_be_set_and_attributes_cannot_be_added(trained):
    with pytest.raises(AttributeError):
        trained.vocab_size = 300
    with pytest.raises(AttributeError):
        trained.vocabulary_size = 300


def test_a_panic_in_the_crate_is_an_exception_here(capfd):
    with pytest.raises(RuntimeError, match="a panic was asked for"):
        native._checked(native.lib.rustbpe_panic())
    assert "panicked" in capfd.readouterr().err


def test_tokenizers_work_in_several_threads_at_once(rng):
    texts = [[prose(rng, 500) for _ in range(10)] for _ in range(6)]
    alone = []
    for documents in texts:
        tokenizer = rustbpe.Tokenizer()
        tokenizer.train_from_iterator(documents, 400)
        alone.append((tokenizer.get_mergeable_ranks(), tokenizer.batch_encode(documents)))
    together = [None] * len(texts)

    def work(place):
        tokenizer = rustbpe.Tokenizer()
        tokenizer.train_from_iterator(texts[place], 400)
        together[place] = tokenizer.get_mergeable_ranks(), tokenizer.batch_encode(texts[place])

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_ends_a_training_in_the_crate():
    # No callback of ours runs between the last document and the end of the merges, which take seconds here.
    program = """
        import os, random, signal, threading
        import rustbpe

        letters = random.Random(0).choices("abcdefghijklmnopqrstuvwxyz", k=6_000_000)
        text = "".join(letters)
        drawn = threading.Event()

        def documents():
            for start in range(0, len(text), 4000):
                yield " ".join(text[at : at + 8] for at in range(start, start + 4000, 8))
            drawn.set()

        def interrupt():
            drawn.wait()
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt).start()
        tokenizer = rustbpe.Tokenizer()
        try:
            tokenizer.train_from_iterator(documents(), 1_000_000)
        except KeyboardInterrupt:
            print("interrupted", tokenizer.vocab_size)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert done.stdout == "interrupted 256\n", done.stderr


@pytest.mark.soak
@pytest.mark.skipif(sys.platform == "win32", reason="measures with the resource module")
def test_memory_grows_with_the_words_and_not_with_the_text():
    program = """
        import random, resource, sys
        import rustbpe

        words = ["".join(random.Random(n).choices("abcdefgh", k=8)) for n in range(20_000)]

        def documents(megabytes):
            rng = random.Random(1)
            for _ in range(megabytes * 250):
                yield " ".join(rng.choices(words, k=444))

        rustbpe.Tokenizer().train_from_iterator(documents(int(sys.argv[1])), 2000, threads=2)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    """
    peaks = [
        int(subprocess.check_output([sys.executable, "-c", textwrap.dedent(program), str(megabytes)]))
        for megabytes in (20, 200)
    ]
    assert peaks[1] < peaks[0] * 1.2
