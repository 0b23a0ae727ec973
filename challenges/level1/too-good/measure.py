"""Loads batches of a known stream, and lets a tiny model learn from batches of real text."""

from bughunt.lab import streams, texts

STEPS = 60
VOCABULARY = 300


def draw(rng):
    """A stream of known tokens and the batches to ask for; text for the tiny model and for decoding."""
    words = [texts.word(rng) for _ in range(40)]
    return {
        "stream": streams.draw_stream(rng, groups=12, largest_id=30_000),
        "cases": streams.draw_cases(rng),
        "text": [texts.document(rng, words, rng.randint(60, 120)) for _ in range(30)],
    }


def measure(inputs):
    """`batches`: inputs and targets of every case. `demo`: a decoded row and a tiny model's losses."""
    from nanochat.dataloader import tokenizing_distributed_data_loader

    cases = []
    for case in inputs["cases"]:
        loaded = streams.load_batches(tokenizing_distributed_data_loader, inputs["stream"], case, "cpu")
        cases.append([{"inputs": x.tolist(), "targets": y.tolist()} for x, y in loaded])
    try:
        demo = _demo(tokenizing_distributed_data_loader, inputs["text"])
    except Exception as error:
        demo = {"error": f"{type(error).__name__}: {error}"}
    return {"batches": cases, "demo": demo}


def _demo(loader, documents):
    from nanochat.tokenizer import RustBPETokenizer

    tokenizer = RustBPETokenizer.train_from_iterator(iter(documents), VOCABULARY)
    batches = loader(8, 24, "train", documents=[documents], tokenizer=tokenizer, rank=0, world_size=1)
    x, y = next(batches)
    decoded = {
        name: [tokenizer.decode([number]) for number in tensor[0, :16].tolist()]
        for name, tensor in (("inputs", x), ("targets", y))
    }
    return {**decoded, "losses": _tiny_model_losses(batches, tokenizer.get_vocab_size())}


def _tiny_model_losses(batches, vocab_size, width=48, rate=20.0):
    """Cross-entropy of a model that sees one token and guesses its target: an embedding and a linear layer."""
    import torch
    from torch.nn import functional as F

    generator = torch.Generator().manual_seed(0)
    embedding = torch.randn(vocab_size, width, generator=generator).mul_(0.3).requires_grad_()
    head = torch.zeros(vocab_size, width).requires_grad_()
    losses = []
    for _ in range(STEPS):
        x, y = next(batches)
        loss = F.cross_entropy((embedding[x.long()] @ head.T).flatten(0, 1), y.long().flatten())
        gradients = torch.autograd.grad(loss, (embedding, head))
        with torch.no_grad():
            for parameter, gradient in zip((embedding, head), gradients, strict=True):
                parameter -= rate * gradient
        losses.append(loss.item())
    return losses
