"""Loads batches of a known stream, and lets a tiny model learn from batches of real text."""

from bughunt.lab.measuring import streams, texts
from bughunt.lab.measuring.attempts import attempt

STEPS = 60
VOCABULARY = 300

# Narrow inputs, too, can hold these: whether they can hold more is not what is asked here.
LARGEST_IDS = (30_000, 9_000)

DEVICES = ("cpu", "cpu:0", "cuda")


def draw(rng):
    """Streams of known tokens and the batches to ask for; text for the tiny model and for decoding."""
    words = [texts.word(rng) for _ in range(40)]
    return {
        "cases": streams.draw_cases(rng, LARGEST_IDS),
        "text": [texts.document(rng, words, rng.randint(60, 120)) for _ in range(30)],
    }


def measure(inputs):
    """`batches`: inputs and targets of every case and device. `demo`: a decoded row, a tiny model's losses.

    `elsewhere`: for every case, where a batch is that was asked for on "meta", which stands for any device
    other than the CPU; None where it cannot be told.
    "cuda" is pretended, so that a machine without one can tell. Where something else than the loader
    fails (the real tokenizer, the pretence), it is left out.
    """
    from nanochat.dataloader import tokenizing_distributed_data_loader

    measured = []
    for case in inputs["cases"]:
        found = {}
        for device in DEVICES:
            batches = streams.try_to_load(tokenizing_distributed_data_loader, case, device)
            found[device] = batches and [
                {
                    "inputs": streams.written(case, x),
                    "targets": streams.written(case, y),
                    "shapes": [list(x.shape), list(y.shape)],
                    "targets_dtype": str(y.dtype).removeprefix("torch."),
                    "memory": [x.data_ptr(), y.data_ptr()],
                }
                for x, y in batches
            ]
        measured.append(found)
    demo = attempt(_demo, tokenizing_distributed_data_loader, inputs["text"])
    elsewhere = [_elsewhere(tokenizing_distributed_data_loader, case) for case in inputs["cases"]]
    return {"batches": measured, "elsewhere": elsewhere, "demo": demo}


def _elsewhere(loader, case):
    try:
        ((x, y),) = streams.load_batches(loader, {**case, "batches": 1}, "meta")
    except Exception:
        return None
    return {"inputs": x.device.type, "targets": y.device.type}


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
    """Cross-entropy of a model that sees one token and guesses its target: embedding and linear layer."""
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
