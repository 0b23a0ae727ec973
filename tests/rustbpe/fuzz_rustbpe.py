"""Look for text on which rustbpe and tiktoken disagree, for as long as it is let run.

    python tests/rustbpe/fuzz_rustbpe.py --seconds 600
    python tests/rustbpe/fuzz_rustbpe.py --every-code-point

Every round draws a pattern and texts, compares the chunks and, with merges trained on other such texts, the
token ids, and decodes them. A failure prints the seed of its round; `--seed` repeats it. The other form
leaves nothing to chance: every code point, in every context that can matter, by every pattern that has a
scanner.
"""

import argparse
import random
import sys
import time

import rustbpe_texts
import tiktoken
from test_rustbpe_split import UNLIKE, assert_split_alike, in_context

import rustbpe


def random_text(rng: random.Random) -> str:
    """Text of boundary parts, of a few characters drawn often, or of any code points at all."""
    kind = rng.randrange(3)
    if kind == 0:
        return rustbpe_texts.boundary_text(rng, 15)
    if kind == 1:
        few = rng.choices(rustbpe_texts.BOUNDARY_PARTS, k=3)
        return "".join(rng.choices(few, k=rng.randint(0, 20)))
    codes = (rng.randrange(rng.choice([0x80, 0x3000, 0x11_0000])) for _ in range(rng.randint(0, 15)))
    return "".join(chr(code) for code in codes if not 0xD800 <= code <= 0xDFFF)


def fuzz_round(seed: int, texts: int) -> None:
    """Compare everything on `texts` random texts."""
    rng = random.Random(seed)
    pattern = rng.choice(list(rustbpe_texts.KNOWN.values()))
    drawn = [random_text(rng) for _ in range(texts)]
    assert_split_alike(pattern, drawn)
    tokenizer = rustbpe.Tokenizer()
    training = [random_text(rng) for _ in range(500)]
    tokenizer.train_from_iterator(training, rng.randint(256, 3000), pattern=pattern)
    ranks = dict(tokenizer.get_mergeable_ranks())
    encoding = tiktoken.Encoding("ours", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    ours = tokenizer.batch_encode(drawn)
    assert ours == encoding.encode_ordinary_batch(drawn, num_threads=2)
    assert [tokenizer.decode(ids) for ids in ours] == drawn


def compare_every_code_point() -> None:
    """Compare the chunks of the patterns that differ in more than spelling."""
    codes = [code for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    for name in UNLIKE:
        for start in range(0, len(codes), 50_000):
            batch = codes[start : start + 50_000]
            assert_split_alike(rustbpe_texts.KNOWN[name], [in_context(chr(code)) for code in batch])
        print(f"{name}: {len(codes):,} code points, no difference", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, help="run this round only")
    parser.add_argument("--texts", type=int, default=10_000, help="texts a round")
    parser.add_argument("--every-code-point", action="store_true", help="instead of random text")
    arguments = parser.parse_args()
    if arguments.every_code_point:
        compare_every_code_point()
        return
    seed = random.randrange(1 << 32) if arguments.seed is None else arguments.seed
    end = time.monotonic() + arguments.seconds
    rounds = 0
    while rounds == 0 or (time.monotonic() < end and arguments.seed is None):
        try:
            fuzz_round(seed + rounds, arguments.texts)
        except BaseException:
            print(f"seed {seed + rounds}", file=sys.stderr)
            raise
        rounds += 1
    print(f"{rounds} rounds, {rounds * arguments.texts:,} texts, no difference")


if __name__ == "__main__":
    main()
