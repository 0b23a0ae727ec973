"""The data loader: documents in, batches of training examples out.

Documents are tokenized as they come, each with a `<|bos|>` in front, and laid end to end in one stream of
tokens. Nothing is padded: a batch is the next stretch of the stream, cut into rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

import torch

from nanochat.common import UserError, get_dist_info
from nanochat.dataset import document_groups
from nanochat.tokenizer import RustBPETokenizer, get_tokenizer


def tokenizing_distributed_data_loader(
    B: int,
    T: int,
    split: str,
    tokenizer_threads: int = 4,
    tokenizer_batch_size: int = 128,
    device: str | torch.device = "cpu",
    *,
    documents: Iterable[str] | Iterable[list[str]] | None = None,
    tokenizer: RustBPETokenizer | None = None,
    rank: int | None = None,
    world_size: int | None = None,
    skip_batches: int = 0,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield `(inputs, targets)`: int32 and int64, both (B, T).

    Each batch takes the next B*T+1 tokens from the stream. The documents come in groups, of which rank r of
    w reads r, r+w, r+2w, ...; rank and world size default to torchrun's, the documents to the `split`
    ("train" or "val") of the configured data, the tokenizer to the saved one. `documents` may be strings
    (grouped `tokenizer_batch_size` at a time) or groups of strings. They are read over and over, epoch after
    epoch; only a one-shot iterator comes to an end, and the generator with it. `skip_batches` leaves out that
    many batches, to resume a run.

    Raises ValueError for sizes that make no sense and `UserError` when there are no documents to read.
    """
    if min(B, T, tokenizer_threads, tokenizer_batch_size) < 1 or skip_batches < 0:
        raise ValueError(
            "B, T, tokenizer_threads and tokenizer_batch_size must be 1 or more, skip_batches 0 or more"
        )
    # defaults
    _, default_rank, _, default_world_size = get_dist_info()
    rank = default_rank if rank is None else rank
    world_size = default_world_size if world_size is None else world_size
    if not 0 <= rank < world_size:
        raise ValueError(f"rank {rank} is not between 0 and world_size - 1 = {world_size - 1}")
    tokenizer = get_tokenizer() if tokenizer is None else tokenizer
    bos_token = tokenizer.get_bos_token_id()
    on_cuda = torch.device(device).type == "cuda"

    # tokens go in at the right of the buffer and out at the left
    needed_tokens = B * T + 1
    token_buffer: list[int] = []
    for texts in _text_batches(documents, split, rank, world_size, tokenizer_batch_size):
        # tokenize the next documents
        for row in tokenizer.encode(texts, prepend=bos_token, num_threads=tokenizer_threads):
            token_buffer.extend(row)

        # cut as many batches as there are
        used = 0
        while used + needed_tokens <= len(token_buffer):
            tokens = token_buffer[used : used + needed_tokens]
            used += needed_tokens
            if skip_batches > 0:
                skip_batches -= 1
                continue
            # 1-D, on the CPU
            scratch = torch.tensor(tokens, dtype=torch.int64, pin_memory=on_cuda)  # (B*T + 1,)
            inputs_cpu = scratch[:-1].to(dtype=torch.int32)
            targets_cpu = scratch[1:]
            # 2-D, on the device
            inputs = inputs_cpu.view(B, T).to(device=device, non_blocking=on_cuda)
            targets = targets_cpu.view(B, T).to(device=device, non_blocking=on_cuda)
            yield inputs, targets
        del token_buffer[:used]


def _text_batches(
    documents: Iterable[str] | Iterable[list[str]] | None,
    split: str,
    rank: int,
    world_size: int,
    batch_size: int,
) -> Iterator[list[str]]:
    """This rank's documents, `batch_size` at a time, for as many epochs as the documents can be read."""
    if isinstance(documents, str):
        raise TypeError("documents must be an iterable of strings, not one string")
    one_shot = isinstance(documents, Iterator)
    while True:
        if documents is None:
            groups: Iterable[list[str]] = document_groups(split, start=rank, step=world_size)
        else:
            groups = islice(_groups(documents, batch_size), rank, None, world_size)
        texts = chain.from_iterable(groups)
        batch = list(islice(texts, batch_size))
        if not batch and not one_shot:
            raise UserError(
                f"there are no documents for rank {rank} of {world_size} to read: "
                "use fewer processes, or data with more groups of documents"
            )
        while batch:
            yield batch
            batch = list(islice(texts, batch_size))
        if one_shot:
            return


def _groups(documents: Iterable[str] | Iterable[list[str]], size: int) -> Iterator[list[str]]:
    """Groups of documents as they are, or plain documents `size` at a time."""
    items = iter(documents)
    for item in items:
        if isinstance(item, list | tuple):
            yield list(item)
        elif isinstance(item, str):
            yield [item, *islice(items, size - 1)]
        else:
            raise TypeError(f"documents must be strings or lists of strings, not {type(item).__name__}")
