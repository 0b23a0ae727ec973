"""The cache and the engine: with a real model, and with one that is scripted to say what a test needs."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from nanochat.engine import Engine, KVCache
from nanochat.gpt import GPT, GPTConfig

SPECIAL = ["<|bos|>", "<|user_start|>", "<|user_end|>", "<|assistant_start|>", "<|assistant_end|>"]
SPECIAL += ["<|python_start|>", "<|python_end|>", "<|output_start|>", "<|output_end|>"]
VOCAB = 128 + len(SPECIAL)
BOS, ASSISTANT_END = 128, 132
PYTHON_START, PYTHON_END, OUTPUT_START, OUTPUT_END = 133, 134, 135, 136


class CharTokenizer:
    """One token for each ASCII character, then the special tokens."""

    def encode_special(self, text: str) -> int:
        return 128 + SPECIAL.index(text)

    def get_bos_token_id(self) -> int:
        return BOS

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def decode(self, ids: list[int]) -> str:
        return "".join(chr(i) if i < 128 else SPECIAL[i - 128] for i in ids)


def ids_of(text: str) -> list[int]:
    """The ids of a text in which {name} stands for a special token."""
    tokens: list[int] = []
    for part in text.replace("}", "{").split("{"):
        tokens += [128 + SPECIAL.index(f"<|{part}|>")] if f"<|{part}|>" in SPECIAL else map(ord, part)
    return tokens


class ScriptedModel:
    """Says `say(row, n)` as token n of a row; it keeps no cache, and counts what it was given to read."""

    def __init__(self, say: Callable[[int, int], int]) -> None:
        self.config = SimpleNamespace(n_head=1, n_kv_head=1, n_embd=4, n_layer=1, sequence_len=64)
        self.say = say
        self.reads: list[list[list[int]]] = []

    def get_device(self) -> torch.device:
        return torch.device("cpu")

    def forward(self, ids: torch.Tensor, kv_cache: KVCache | None = None) -> torch.Tensor:
        logits = torch.zeros(*ids.shape, VOCAB)
        for row in range(ids.size(0)):
            logits[row, -1, self.say(row, len(self.reads))] = 100.0
        self.reads.append(ids.tolist())
        return logits


def scripted(*lines: str) -> ScriptedModel:
    """Says a line in each row, then ends its turn. A forced token takes the place of one in the line."""
    scripts = [ids_of(line) for line in lines]

    def say(row: int, n: int) -> int:
        return scripts[row][n] if n < len(scripts[row]) else ASSISTANT_END

    return ScriptedModel(say)


def random_model(n_layer: int = 2, n_head: int = 4, n_kv_head: int = 2) -> GPT:
    torch.manual_seed(0)
    config = GPTConfig(
        sequence_len=64, vocab_size=VOCAB, n_layer=n_layer, n_head=n_head, n_kv_head=n_kv_head, n_embd=32
    )
    model = GPT(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=1.5 / parameter.size(-1) ** 0.5)
    return model


def endless_model(n_layer: int = 2, n_head: int = 4, n_kv_head: int = 2) -> GPT:
    """A random model to which the special tokens are never likely: it ends no turn and calls no tool."""
    model = random_model(n_layer, n_head, n_kv_head)
    forward = model.forward

    def without_special_tokens(ids: torch.Tensor, kv_cache: KVCache | None = None) -> torch.Tensor:
        logits = forward(ids, kv_cache=kv_cache)
        logits[..., 128:] = -100.0
        return logits

    model.forward = without_special_tokens
    return model


@pytest.fixture
def endless() -> GPT:
    return endless_model()


def insert_random(cache: KVCache, t: int, layers: int = 2) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Insert t positions in every layer; returns what each layer got back."""
    B, H, D = cache.kv_shape[2], cache.kv_shape[3], cache.kv_shape[5]
    return [
        cache.insert_kv(layer, torch.randn(B, H, t, D), torch.randn(B, H, t, D)) for layer in range(layers)
    ]


def test_inserted_keys_and_values_come_back_whole_and_the_position_advances_once() -> None:
    cache = KVCache(batch_size=2, num_heads=3, seq_len=10, head_dim=4, num_layers=3)
    inserted = torch.zeros(3, 2, 2, 3, 0, 4)
    for t in (3, 1, 4):
        chunk = torch.randn(3, 2, 2, 3, t, 4)
        inserted = torch.cat((inserted, chunk), dim=4)
        for layer in range(3):
            assert cache.get_pos() == inserted.size(4) - t
            keys, values = cache.insert_kv(layer, chunk[layer, 0], chunk[layer, 1])
            assert torch.equal(keys, inserted[layer, 0]) and torch.equal(values, inserted[layer, 1])
        assert cache.get_pos() == inserted.size(4)


def test_growth_keeps_the_contents_and_follows_the_need() -> None:
    cache = KVCache(batch_size=1, num_heads=2, seq_len=5, head_dim=4, num_layers=2)
    insert_random(cache, 5)
    before = cache.kv_cache.clone()
    insert_random(cache, 1)
    assert cache.kv_cache.size(4) == 2048  # 6 + 1024, rounded up
    assert torch.equal(cache.kv_cache[..., :5, :], before)
    insert_random(cache, 2048 - 6)
    assert cache.kv_cache.size(4) == 2048
    insert_random(cache, 1)
    assert cache.kv_cache.size(4) == 4096
    assert torch.equal(cache.kv_cache[..., :5, :], before)
    insert_random(cache, 5000)
    assert cache.get_pos() == 7049 and cache.kv_cache.size(4) == 8192


def test_a_long_conversation_holds_no_more_than_it_needs_and_seldom_grows() -> None:
    cache = KVCache(batch_size=1, num_heads=1, seq_len=16, head_dim=2, num_layers=1)
    capacities = []
    for _ in range(500):
        insert_random(cache, 23, layers=1)
        capacities.append(cache.kv_cache.size(4))
        assert cache.kv_cache.size(4) <= max(16, cache.get_pos() + 2048)
    assert len(set(capacities)) <= 500 * 23 / 1024 + 1


def test_reset_frees_the_memory_and_leaves_the_cache_as_new() -> None:
    cache = KVCache(batch_size=1, num_heads=2, seq_len=5, head_dim=4, num_layers=2)
    insert_random(cache, 50)
    cache.reset()
    assert cache.kv_cache is None and cache.get_pos() == 0
    insert_random(cache, 3)
    assert cache.get_pos() == 3 and cache.kv_cache.size(4) == 5


def test_prefill_spreads_one_row_over_all_and_shares_no_memory() -> None:
    source = KVCache(batch_size=1, num_heads=2, seq_len=6, head_dim=4, num_layers=2)
    insert_random(source, 6)
    copy = KVCache(batch_size=3, num_heads=2, seq_len=9, head_dim=4, num_layers=2)
    copy.prefill(source)
    assert copy.get_pos() == 6 and copy.kv_cache.size(4) == 9
    for row in range(3):
        assert torch.equal(copy.kv_cache[:, :, row, :, :6], source.kv_cache[:, :, 0])
    before = source.kv_cache.clone()
    insert_random(copy, 2)
    copy.kv_cache.zero_()
    assert torch.equal(source.kv_cache, before) and source.get_pos() == 6


def test_prefill_from_a_cache_that_outgrew_this_one() -> None:
    source = KVCache(batch_size=1, num_heads=2, seq_len=2, head_dim=4, num_layers=2)
    insert_random(source, 40)
    copy = KVCache(batch_size=2, num_heads=2, seq_len=10, head_dim=4, num_layers=2)
    copy.prefill(source)
    keys, _ = insert_random(copy, 1)[0]
    assert torch.equal(keys[1, :, :40], source.kv_cache[0, 0, 0, :, :40])


def test_prefill_from_an_empty_cache_leaves_this_one_empty() -> None:
    copy = KVCache(3, 2, 9, 4, 2)
    copy.prefill(KVCache(1, 2, 9, 4, 2))
    assert copy.kv_cache is None and copy.get_pos() == 0


def test_prefill_says_what_does_not_fit() -> None:
    source = KVCache(2, 2, 6, 4, 2)
    insert_random(source, 3)
    used = KVCache(2, 2, 6, 4, 2)
    insert_random(used, 1)
    for target, message in (
        (used, "reset"),
        (KVCache(3, 2, 6, 4, 2), "spread 2 rows over 3"),
        (KVCache(2, 3, 6, 4, 2), "different models"),
        (KVCache(2, 2, 6, 5, 2), "different models"),
        (KVCache(2, 2, 6, 4, 1), "different models"),
    ):
        with pytest.raises(AssertionError, match=message):
            target.prefill(source)


@pytest.mark.parametrize(("n_layer", "n_head", "n_kv_head"), [(1, 1, 1), (2, 4, 4), (3, 4, 2), (2, 4, 1)])
def test_the_engine_says_what_the_model_says_without_a_cache(
    n_layer: int, n_head: int, n_kv_head: int
) -> None:
    model = endless_model(n_layer, n_head, n_kv_head)
    engine = Engine(model, CharTokenizer())
    prompt = ids_of("{bos}what is it?")
    for options in ({"temperature": 0.0}, {"temperature": 0.8, "top_k": 20, "seed": 3}, {"seed": 4}):
        columns = [column for column, _ in engine.generate(prompt, max_tokens=40, **options)]
        assert columns == [[token] for token in model.generate(prompt, 40, **options)]


def test_greedy_rows_of_a_batch_all_say_what_one_row_says(endless: GPT) -> None:
    engine = Engine(endless, CharTokenizer())
    prompt = ids_of("{bos}hello")
    (one,), _ = engine.generate_batch(prompt, max_tokens=30, temperature=0.0)
    many, _ = engine.generate_batch(prompt, num_samples=5, max_tokens=30, temperature=0.0)
    assert len(one) == len(prompt) + 30
    assert many == [one] * 5


def test_each_row_samples_its_own_first_token(endless: GPT) -> None:
    engine = Engine(endless, CharTokenizer())
    column, masks = next(engine.generate(ids_of("{bos}a"), num_samples=64, temperature=3.0))
    assert len(column) == 64 and masks == [1] * 64
    assert len(set(column)) > 16


def test_first_tokens_are_distributed_as_the_prompt_says() -> None:
    model = random_model()
    prompt = ids_of("{bos}x")
    probabilities = model(torch.tensor([prompt]))[0, -1].softmax(-1)
    column, _ = next(Engine(model, CharTokenizer()).generate(prompt, num_samples=4000, max_tokens=1))
    frequencies = torch.bincount(torch.tensor(column), minlength=VOCAB) / 4000
    # Four standard deviations of the most uncertain token, with room for the number of tokens.
    assert (frequencies - probabilities).abs().max() < 4 * 0.5 / 4000**0.5


def test_a_seed_repeats_and_another_differs(endless: GPT) -> None:
    engine = Engine(endless, CharTokenizer())

    def sample(seed: int) -> list[list[int]]:
        torch.rand(7)  # the global generator has no say
        return engine.generate_batch(ids_of("{bos}hi"), num_samples=3, max_tokens=20, top_k=30, seed=seed)[0]

    assert sample(1) == sample(1)
    assert sample(1) != sample(2)


def test_top_k_keeps_the_likeliest_and_may_exceed_the_vocabulary(endless: GPT) -> None:
    engine = Engine(endless, CharTokenizer())
    prompt = ids_of("{bos}hi")
    greedy = engine.generate_batch(prompt, max_tokens=10, temperature=0.0)
    assert engine.generate_batch(prompt, max_tokens=10, temperature=5.0, top_k=1) == greedy
    everything = engine.generate_batch(prompt, max_tokens=10)
    assert engine.generate_batch(prompt, max_tokens=10, top_k=VOCAB + 5) == everything
    likeliest = endless.forward(torch.tensor([prompt]))[0, -1].topk(3).indices.tolist()
    column, _ = next(engine.generate(prompt, num_samples=200, temperature=10.0, top_k=3))
    assert set(column) == set(likeliest)


def test_generation_goes_on_past_the_length_the_model_was_made_for(endless: GPT) -> None:
    engine = Engine(endless, CharTokenizer())
    prompt = ids_of("{bos}long")
    columns = []
    for column, _ in engine.generate(prompt, temperature=0.0):  # no limit: the cache is made for 64 positions
        columns.append(column)
        if len(columns) == 150:
            break
    assert [[token] for token in endless.generate(prompt, 150, temperature=0.0)] == columns


# With a scripted model. The prompt is read as one row, so all rows begin with the same token.


def test_the_prompt_is_read_once_and_then_a_column_at_a_time() -> None:
    model = scripted("abc", "axyz")
    prompt = ids_of("{bos}hey")
    results, masks = Engine(model, CharTokenizer()).generate_batch(prompt, num_samples=2, temperature=0.0)
    assert results == [prompt + ids_of("abc"), prompt + ids_of("axyz")]
    assert masks == [[0] * 4 + [1] * 3, [0] * 4 + [1] * 4]
    a, b, c, x, y, z = ids_of("abcxyz")
    assert model.reads == [[prompt], [[a], [a]], [[b], [x]], [[c], [y]], [[ASSISTANT_END], [z]]]


def test_a_row_that_has_ended_stays_ended_with_mask_0() -> None:
    engine = Engine(scripted("ab{bos}cd", "axyz"), CharTokenizer())
    columns = list(engine.generate(ids_of("?"), num_samples=2, temperature=0.0))
    tokens = [[column[i] for column, _ in columns] for i in range(2)]
    masks = [[mask[i] for _, mask in columns] for i in range(2)]
    assert tokens == [
        [*ids_of("ab{bos}"), ASSISTANT_END, ASSISTANT_END],
        [*ids_of("axyz"), ASSISTANT_END],
    ]
    assert masks == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]


@pytest.mark.parametrize("max_tokens", [0, 1, 3])
def test_max_tokens(max_tokens: int) -> None:
    model = scripted("abcdef")
    columns = list(Engine(model, CharTokenizer()).generate(ids_of("?"), max_tokens=max_tokens))
    assert [column for column, _ in columns] == [[token] for token in ids_of("abc")[:max_tokens]]
    assert len(model.reads) <= max(1, max_tokens)  # nothing is read that no token follows


def test_a_tool_call_is_answered_between_the_output_tokens() -> None:
    call = "so {python_start}12*3{python_end}"
    model = scripted(call + "????" + "it is 36")
    results, masks = Engine(model, CharTokenizer()).generate_batch([65], temperature=0.0)
    assert results == [[65, *ids_of(call + "{output_start}36{output_end}it is 36")]]
    assert masks == [[0] + [1] * 9 + [0] * 4 + [1] * 8]
    # The answer is read by the model as well as shown.
    assert [[[token]] for token in ids_of("{output_start}36{output_end}")] == model.reads[10:14]


def test_each_call_of_each_row_gets_its_own_answer() -> None:
    first = "{python_start}1+1{python_end}???{python_start}2*40{python_end}????."
    second = "{python_start}'otto'.count('o'){python_end}???{python_start}9{python_end}???!"
    results, _ = Engine(
        scripted(first, second, "{python_start}none, really"), CharTokenizer()
    ).generate_batch([65], num_samples=3, temperature=0.0)
    answer = "{{output_start}}{}{{output_end}}"
    assert results == [
        [65, *ids_of(first.replace("????", answer.format(80)).replace("???", answer.format(2)))],
        [65, *ids_of(second.replace("???!", answer.format(9) + "!").replace("???", answer.format(2)))],
        [65, *ids_of("{python_start}none, really")],
    ]


@pytest.mark.parametrize(
    "line",
    [
        "{python_start}1/0{python_end}ah",  # has no value
        "{python_start}import os{python_end}ah",
        "{python_start}{python_end}ah",
        "1+1{python_end}ah",  # never began
        "{python_start}2{python_start}{python_end}ah",  # began again, with nothing
        "{python_start}1+{user_start}1{python_end}ah",
    ],
)
def test_a_call_without_a_value_forces_nothing(line: str) -> None:
    results, masks = Engine(scripted(line), CharTokenizer()).generate_batch([65], temperature=0.0)
    assert results == [[65, *ids_of(line)]]
    assert masks == [[0] + [1] * len(ids_of(line))]


def test_a_stray_end_does_not_answer_an_earlier_call() -> None:
    line = "{python_start}5+5{python_end}????{python_end}ah"
    results, _ = Engine(scripted(line), CharTokenizer()).generate_batch([65], temperature=0.0)
    assert results == [[65, *ids_of(line.replace("????", "{output_start}10{output_end}"))]]


def test_a_conversation_goes_on_in_its_cache(endless: GPT) -> None:
    """Turn after turn in one cache, stopped by a limit or by the listener, as if it were all read anew."""
    engine = Engine(endless, CharTokenizer())
    cache = KVCache(batch_size=1, num_heads=2, seq_len=16, head_dim=8, num_layers=2)
    conversation: list[int] = []
    for question, answer_length in (("{bos}who?", 9), ("and why?", 12), ("!", 5)):
        conversation += ids_of(question)
        expected = list(endless.generate(conversation, answer_length, temperature=0.0))
        rest = conversation[cache.get_pos() :]
        answer = []
        for column, _ in engine.generate(rest, max_tokens=12, temperature=0.0, kv_cache=cache):
            answer += column
            if len(answer) == answer_length:
                break
        assert answer == expected
        conversation += answer
        assert cache.get_pos() == len(conversation) - 1
    cache.reset()
    again, _ = engine.generate_batch(ids_of("{bos}who?"), max_tokens=9, temperature=0.0, kv_cache=cache)
    assert again[0] == conversation[: len(again[0])]


def test_impossible_requests_are_refused() -> None:
    engine = Engine(scripted("a"), CharTokenizer())
    for tokens, options, message in (
        ([], {}, "at least one token"),
        ([1], {"num_samples": 0}, "num_samples"),
        ([1], {"num_samples": 2, "kv_cache": KVCache(1, 1, 8, 4, 1)}, "one row"),
        ([1], {"temperature": -1.0}, "temperature"),
        ([1], {"top_k": 0}, "top_k"),
    ):
        with pytest.raises(AssertionError, match=message):
            list(engine.generate(tokens, **options))


def test_a_cache_that_the_engine_filled_serves_the_model_outside_it() -> None:
    """In any mode of autograd, and after growing: the engine itself runs in inference mode."""
    model = random_model()
    tokens = torch.randint(128, (1, 40))
    cache = KVCache(batch_size=1, num_heads=2, seq_len=16, head_dim=8, num_layers=2)
    engine = Engine(model, CharTokenizer())
    for column, _ in engine.generate(tokens[0, :30].tolist(), temperature=0.0, kv_cache=cache):
        assert len(column) == 1
        break
    found = [model(tokens[:, 30:34], kv_cache=cache)]
    with torch.no_grad():
        found.append(model(tokens[:, 34:35], kv_cache=cache))
    with torch.inference_mode():
        found.append(model(tokens[:, 35:], kv_cache=cache))
    torch.testing.assert_close(torch.cat(found, dim=1), model(tokens)[:, 30:], atol=1e-4, rtol=0)
