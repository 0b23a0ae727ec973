from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
import torch
from nanochat.common import UserError, get_base_dir
from nanochat.dataloader import tokenizing_distributed_data_loader
from nanochat.dataset import document_groups
from nanochat.tokenizer import RustBPETokenizer

Batch = tuple[torch.Tensor, torch.Tensor]

DOCUMENTS = [f"The cat {i} sat on mat {i * i}." for i in range(23)]


def loader(
    tokenizer: RustBPETokenizer, B: int, T: int, documents: Any = DOCUMENTS, **options: Any
) -> Iterator[Batch]:
    options = {"rank": 0, "world_size": 1, "tokenizer_threads": 2} | options
    return tokenizing_distributed_data_loader(
        B, T, "train", tokenizer=tokenizer, documents=documents, **options
    )


def stream(tokenizer: RustBPETokenizer, documents: list[str]) -> list[int]:
    """The tokens of documents laid end to end, each behind its bos."""
    bos = tokenizer.get_bos_token_id()
    return [id for text in documents for id in (bos, *tokenizer.encode(text))]


def tokens_of(batches: Iterator[Batch]) -> list[int]:
    """The tokens that batches were cut from, B*T+1 for each."""
    return [id for x, y in batches for id in (*x.flatten().tolist(), y.flatten()[-1].item())]


@pytest.mark.parametrize(("B", "T"), [(1, 1), (1, 7), (3, 1), (2, 5), (4, 16)])
def test_batches_are_consecutive_stretches_of_the_token_stream(
    tokenizer: RustBPETokenizer, B: int, T: int
) -> None:
    expected = stream(tokenizer, DOCUMENTS)
    number = len(expected) // (B * T + 1)
    batches = list(islice(loader(tokenizer, B, T), number))
    for i, (inputs, targets) in enumerate(batches):
        stretch = expected[i * (B * T + 1) : (i + 1) * (B * T + 1)]
        assert inputs.shape == targets.shape == (B, T)
        assert inputs.flatten().tolist() == stretch[:-1]
        assert targets.flatten().tolist() == stretch[1:]


@pytest.mark.parametrize("device", ["cpu", "meta", torch.device("cpu")])
def test_inputs_are_int32_and_targets_int64_on_the_device(tokenizer: RustBPETokenizer, device: Any) -> None:
    inputs, targets = next(loader(tokenizer, 2, 8, device=device))
    assert (inputs.dtype, targets.dtype) == (torch.int32, torch.int64)
    assert inputs.device == targets.device == torch.device(device)


def test_batches_do_not_share_memory(tokenizer: RustBPETokenizer) -> None:
    batches = loader(tokenizer, 2, 8)
    inputs, targets = next(batches)
    kept = targets.clone()
    inputs.zero_()
    next(batches)
    assert torch.equal(targets, kept)


def test_documents_are_read_over_and_over(tokenizer: RustBPETokenizer) -> None:
    expected = stream(tokenizer, DOCUMENTS) * 3
    number = len(expected) // 11
    assert tokens_of(islice(loader(tokenizer, 2, 5), number)) == expected[: number * 11]


def test_a_one_shot_iterator_ends_the_loader(tokenizer: RustBPETokenizer) -> None:
    expected = stream(tokenizer, DOCUMENTS)
    batches = list(loader(tokenizer, 2, 5, iter(DOCUMENTS)))
    assert len(batches) == len(expected) // 11
    assert list(loader(tokenizer, 2, 5, iter([]))) == []


def test_an_endless_iterator_is_read_as_needed(tokenizer: RustBPETokenizer) -> None:
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "The cat"

    batches = loader(tokenizer, 1, 2, endless(), tokenizer_batch_size=4)
    assert read == 0
    next(batches)
    assert read == 4


@pytest.mark.parametrize("batch_size", [1, 3, 128])
def test_how_many_are_tokenized_at_a_time_changes_nothing(
    tokenizer: RustBPETokenizer, batch_size: int
) -> None:
    one, other = (
        tokens_of(islice(loader(tokenizer, 2, 5, tokenizer_batch_size=size, tokenizer_threads=size), 30))
        for size in (batch_size, 7)
    )
    assert one == other


def test_groups_are_read_as_they_are(tokenizer: RustBPETokenizer) -> None:
    groups = [DOCUMENTS[:5], [], DOCUMENTS[5:6], DOCUMENTS[6:]]
    assert tokens_of(islice(loader(tokenizer, 2, 5, groups), 40)) == tokens_of(
        islice(loader(tokenizer, 2, 5), 40)
    )


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_each_rank_reads_its_stripe_of_the_groups(tokenizer: RustBPETokenizer, world_size: int) -> None:
    groups = [DOCUMENTS[i : i + 4] for i in range(0, 20, 4)]
    for rank in range(world_size):
        mine = [text for group in groups[rank::world_size] for text in group]
        expected = stream(tokenizer, mine) * 2
        number = len(expected) // 7
        batches = loader(tokenizer, 2, 3, groups, rank=rank, world_size=world_size)
        assert tokens_of(islice(batches, number)) == expected[: number * 7]


def test_plain_documents_are_striped_in_groups_of_the_tokenizer_batch(tokenizer: RustBPETokenizer) -> None:
    mine = [*DOCUMENTS[3:6], *DOCUMENTS[9:12], *DOCUMENTS[15:18], *DOCUMENTS[21:]]
    batches = loader(tokenizer, 2, 3, rank=1, world_size=2, tokenizer_batch_size=3)
    assert tokens_of(islice(batches, 10)) == stream(tokenizer, mine)[:70]


def test_rank_and_world_size_default_to_torchruns(
    tokenizer: RustBPETokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    groups = [[text] for text in DOCUMENTS]
    batches = loader(tokenizer, 2, 3, groups, rank=None, world_size=None)
    assert tokens_of(islice(batches, 10)) == stream(tokenizer, DOCUMENTS[1::2])[:70]


def test_documents_and_tokenizer_default_to_the_configured_ones(tokenizer: RustBPETokenizer) -> None:
    with pytest.raises(UserError, match="tok_train"):
        next(tokenizing_distributed_data_loader(2, 8, "val"))
    tokenizer.save(get_base_dir() / "tokenizer")
    first = next(iter(document_groups("val")))
    batches = tokenizing_distributed_data_loader(2, 8, "val")
    assert tokens_of(islice(batches, 20)) == stream(tokenizer, first)[: 20 * 17]


def test_default_documents_are_striped_too(tokenizer: RustBPETokenizer) -> None:
    first = next(iter(document_groups("val", start=1, step=2)))
    batches = tokenizing_distributed_data_loader(2, 8, "val", tokenizer=tokenizer, rank=1, world_size=2)
    assert tokens_of(islice(batches, 20)) == stream(tokenizer, first)[: 20 * 17]


@pytest.mark.parametrize("skipped", [1, 7, 40])
def test_skipping_batches_goes_on_where_they_end(tokenizer: RustBPETokenizer, skipped: int) -> None:
    whole = tokens_of(islice(loader(tokenizer, 2, 5), skipped + 5))
    assert tokens_of(islice(loader(tokenizer, 2, 5, skip_batches=skipped), 5)) == whole[skipped * 11 :]


@pytest.mark.parametrize("documents", [[], [[]], [[], []]])
def test_no_documents_are_a_sentence_not_an_endless_loop(tokenizer: RustBPETokenizer, documents: Any) -> None:
    with pytest.raises(UserError, match="no documents for rank 0 of 1"):
        next(loader(tokenizer, 2, 5, documents))


def test_a_rank_without_a_group_is_told_so(tokenizer: RustBPETokenizer) -> None:
    with pytest.raises(UserError, match=r"rank 2 of 3 .* use fewer processes"):
        next(loader(tokenizer, 2, 5, [["a"], ["b"]], rank=2, world_size=3))


@pytest.mark.parametrize(
    "options",
    [
        {"B": 0},
        {"T": 0},
        {"tokenizer_batch_size": 0},
        {"tokenizer_threads": 0},
        {"skip_batches": -1},
        {"rank": 2, "world_size": 2},
        {"rank": -1},
        {"world_size": 0},
    ],
)
def test_sizes_that_make_no_sense_are_refused(tokenizer: RustBPETokenizer, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        next(loader(tokenizer, **({"B": 2, "T": 5} | options)))


def test_a_single_string_is_not_taken_for_documents(tokenizer: RustBPETokenizer) -> None:
    with pytest.raises(TypeError, match="not one string"):
        next(loader(tokenizer, 2, 5, "The cat"))


def test_records_are_not_taken_for_documents(tokenizer: RustBPETokenizer) -> None:
    with pytest.raises(TypeError, match="not dict"):
        next(loader(tokenizer, 2, 5, [{"text": "The cat"}]))


def test_unknown_splits_are_refused(tokenizer: RustBPETokenizer) -> None:
    with pytest.raises(ValueError, match="'test'"):
        next(tokenizing_distributed_data_loader(2, 5, "test", tokenizer=tokenizer))
