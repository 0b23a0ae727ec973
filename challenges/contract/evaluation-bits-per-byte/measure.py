"""Bits per byte of a tiny model on given batches: ignored targets, special tokens, steps, processes."""

from bughunt.lab.measuring.weights import draw_weights

VOCABULARY, WIDTH, T = 12, 8, 5


def draw(rng):
    """Weights without attention, lengths of tokens in bytes (some 0), batches with targets that are none."""
    lengths = [rng.randint(1, 9) for _ in range(VOCABULARY)]
    # one within and the last token stand for no text, the first one does
    for special in (rng.randint(1, VOCABULARY - 2), VOCABULARY - 1):
        lengths[special] = 0
    text = [token for token, length in enumerate(lengths) if length]

    def batch(rows, share):
        ids, targets = (
            [[rng.randrange(VOCABULARY) for _ in range(T)] for _ in range(rows)] for _ in range(2)
        )
        targets = [[target if rng.random() < share else -1 for target in row] for row in targets]
        targets[0][:4] = [rng.choice(text), 0, -1, VOCABULARY - 1]
        return {"ids": ids, "targets": targets}

    return {
        "weights": draw_weights(rng, 1, WIDTH, VOCABULARY, attention=False),
        "lengths": lengths,
        "batches": [batch(rows, share) for rows, share in ((2, 0.9), (1, 0.5), (3, 1.0), (2, 0.7))],
    }


def measure(inputs):
    """The figure for some of the batches, what was read for it, and what it leaves behind."""
    import torch
    from nanochat.loss_eval import evaluate_bpb

    from bughunt.lab.measuring.models import load_weights, make_model
    from bughunt.lab.measuring.processes import first_of

    model = make_model(sequence_len=T, vocab_size=VOCABULARY, n_head=2, n_embd=WIDTH)
    load_weights(model, inputs["weights"])
    lengths = torch.tensor(inputs["lengths"], dtype=torch.int32)

    def batches():
        for one in inputs["batches"]:
            yield torch.tensor(one["ids"], dtype=torch.int32), torch.tensor(one["targets"])

    with_gradient = []
    model.transformer.wte.register_forward_hook(lambda *_: with_gradient.append(torch.is_grad_enabled()))
    data = {"steps": {}, "each batch": [evaluate_bpb(model, [one], 1, lengths) for one in batches()]}
    for steps in (1, 2, 4, 9):
        rows = batches()
        data["steps"][str(steps)] = evaluate_bpb(model, rows, steps, lengths)
        data["steps"][f"{steps}, batches left"] = len(list(rows))
    data["several processes"] = []
    for processes in (2, 3):
        with first_of(processes):
            data["several processes"].append(evaluate_bpb(model, list(batches()), 3, lengths))
    data["of the processes, all text counts"] = share_of_two(model, batches, lengths)
    data["sure of what comes"] = sure(evaluate_bpb, inputs["lengths"])
    data["longer tokens"] = evaluate_bpb(model, list(batches()), 4, lengths * 3)
    data["kept for gradients"] = any(with_gradient)
    data["gradients afterwards"] = torch.is_grad_enabled()
    data["a number"] = type(evaluate_bpb(model, list(batches()), 2, lengths)).__name__
    data["targets are as they were"] = untouched(evaluate_bpb, model, list(batches()), lengths)
    nothing = [(torch.zeros(1, 3, dtype=torch.int32), torch.tensor([[VOCABULARY - 1, -1, VOCABULARY - 1]]))]
    data["no text at all"] = [raises(evaluate_bpb, model, one, lengths) for one in (nothing, [])]
    return data


def share_of_two(model, batches, lengths):
    """The figure that one process has when another one brings as many bits, but more bytes."""
    import torch
    import torch.distributed as dist
    from nanochat.loss_eval import evaluate_bpb

    from bughunt.lab.measuring.processes import first_of
    from bughunt.lab.measuring.replacing import replaced

    def with_another(tensor, *_, **__):
        with torch.no_grad():
            tensor.add_(100.0)

    def next_to_another(tensors, tensor, *_, **__):
        with torch.no_grad():
            tensors[1].fill_(100.0)
            tensors[0].copy_(tensor)

    def objects_next_to_another(objects, own, *_, **__):
        objects[:] = [own, [100.0] * len(own) if isinstance(own, list | tuple) else 100.0]

    others = {
        "all_reduce": with_another,
        "all_gather": next_to_another,
        "all_gather_object": objects_next_to_another,
    }
    with first_of(2), replaced(dist, **others):
        return evaluate_bpb(model, list(batches()), 2, lengths)


def sure(evaluate_bpb, lengths):
    """The figure of a model that always expects the one token that comes, as surely as it can."""
    import torch

    from bughunt.lab.measuring.models import make_model

    model = make_model(sequence_len=T, vocab_size=VOCABULARY, n_head=2, n_embd=WIDTH)
    with torch.no_grad():
        model.transformer.wte.weight.fill_(1.0)
        model.lm_head.weight.fill_(-1000.0)
        model.lm_head.weight[0].fill_(1000.0)
    rows = torch.zeros(2, T, dtype=torch.int64)
    return evaluate_bpb(model, [(rows.int(), rows)], 1, torch.tensor(lengths, dtype=torch.int32))


def untouched(evaluate_bpb, model, rows, lengths):
    """Are ids and targets after the evaluation what they were?"""
    before = [(ids.tolist(), targets.tolist()) for ids, targets in rows]
    evaluate_bpb(model, rows, len(rows), lengths)
    return before == [(ids.tolist(), targets.tolist()) for ids, targets in rows]


def raises(evaluate_bpb, model, rows, lengths):
    """Is there no figure?"""
    try:
        evaluate_bpb(model, rows, 1, lengths)
    except ValueError:
        return True
    return False
