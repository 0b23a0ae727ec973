"""A speedrun whose stages leave at once what the true ones leave: the figures of its report."""

import re
from itertools import pairwise

SHAPE = {"sequence_len": 32, "vocab_size": 265, "n_layer": 1, "n_head": 1, "n_kv_head": 1, "n_embd": 8}


def draw(rng):
    """What the stages leave, the machine's rate, a question and the answer to it.

    The seconds of the stages are by the clock; by their metrics, both trainings took longer: they went on.
    """

    def records(key, seconds):
        return [
            {
                "step": step,
                "loss": round(rng.uniform(1, 5), 3),
                "lr_multiplier": rng.random(),
                "grad_norm": rng.random(),
                "tokens": rng.randint(100_000, 999_999),
                "clipped": False,
                "seconds": seconds * (step + 1),
                key: round(rng.uniform(1, 5), 3),
            }
            for step in range(rng.randint(6, 9))
        ]

    suites = [
        {
            "name": f"suite {n}",
            "correct": rng.randint(1, 40),
            "total": 50,
            "malformed": n,
            "tool_calls": 77 + n,
            "wrong": [],
        }
        for n in range(2)
    ]
    shortest = {"tok_train": 0, "base_train": 20, "chat_sft": 30, "chat_eval": 40}
    return {
        "base_train": records("val_bpb", 1000.0),
        "chat_sft": records("val_loss", 100.0),
        "suites": suites,
        "seconds": {name: 0.25 + least * rng.randint(2, 4) for name, least in shortest.items()},
        "rate": rng.randint(2000, 8000),
        "question": rng.choice(["Why?", "Who?"]),
        "answer": rng.choice("~^$@"),
    }


def measure(inputs):
    """The files of the report, and its figures."""
    import contextlib
    import io

    from scripts import speedrun

    from bughunt.lab.measuring.base_folder import base_folder
    from bughunt.lab.measuring.flushing import flushes_noted
    from bughunt.lab.measuring.replacing import replaced
    from bughunt.lab.measuring.speedrun_stages import stages_replaced
    from bughunt.lab.measuring.told_clock import told_clock

    machine = {"matmul_rate": lambda *_, **__: inputs["rate"] * 1e9, "QUESTIONS": [inputs["question"]]}
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(base_folder())
        clock = stack.enter_context(told_clock())
        stack.enter_context(flushes_noted())
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(replaced(speedrun, **machine))

        def stage(name, flags):
            clock.seconds += inputs["seconds"][name]
            leave(folder, name, inputs)

        stack.enter_context(stages_replaced(stage))
        speedrun.main(["--device", "cpu"])
        text = (folder / "report" / "report.md").read_text(encoding="utf-8")
        files = sorted(path.name for path in (folder / "report").iterdir())
    return {"files": files, "figures": figures(text, inputs)}


def leave(folder, name, inputs):
    """What the script leaves: a tokenizer of bytes; metrics and a model; or results."""
    import json

    from nanochat.checkpoint_manager import build_meta, save_checkpoint

    from bughunt.lab.measuring.scripted_chat import byte_tokenizer

    place = folder / {"tok_train": "tokenizer", "base_train": "base"}.get(name, "sft")
    place.mkdir(exist_ok=True)
    if name == "tok_train":
        byte_tokenizer().save(place)
    elif name == "chat_eval":
        results = json.dumps({"step": 3, "suites": inputs["suites"]})
        (place / "chat_eval.json").write_text(results, encoding="utf-8")
    else:
        lines = "".join(json.dumps(record) + "\n" for record in inputs[name])
        (place / "metrics.jsonl").write_text(lines, encoding="utf-8")
        model = answering(inputs["answer"])
        meta = build_meta(model, last={"val_bpb": 1.375, "seconds": 1.0})
        # a state that cannot be read as plain data: a report has no use for it
        save_checkpoint(place, 3, model.state_dict(), [{"of the optimizer": place}], meta)


def answering(answer):
    """A model that answers anything by one character: the last token alone says what comes next."""
    import torch
    from nanochat.checkpoint_manager import build_model

    from bughunt.lab.measuring.scripted_chat import byte_tokenizer

    special = byte_tokenizer().encode_special
    model = build_model(SHAPE)
    embedding, head = model.transformer.wte.weight, model.lm_head.weight
    chain = [special("<|assistant_start|>"), ord(answer), special("<|assistant_end|>")]
    with torch.no_grad():
        embedding.zero_()
        head.zero_()
        for channel, (token, following) in enumerate(pairwise(chain)):
            embedding[token, channel] = 1.0
            head[following, channel] = 5.0
    return model


def figures(text, inputs):
    """The report's figures: in the rows of tables by what they are of, and elsewhere."""
    lines = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip().replace(",", "") for cell in line] for line in lines]
    suites = [suite["name"] for suite in inputs["suites"]]
    stages = ("tokenizer", "pretraining", "fine-tuning", "evaluation")
    spent = inputs["seconds"] | {name: inputs[name][-1]["seconds"] for name in ("base_train", "chat_sft")}
    total = f"{sum(spent.values()):.0f}"
    return {
        "results": [row for row in rows if row[0] in suites],
        "stages": [row for row in rows if row[0] in stages],
        "all stages": [row[1:] for row in rows if row[1:2] == [total]],
        "shape": [row for row in rows if row[0] in SHAPE],
        "parameters": [row[1:] for row in rows if "parameters" in row[0]],
        "rate": re.findall(rf"\b{inputs['rate']}\b", text.replace(",", "")),
        "bits per byte": "1.375" in text,
        "conversation": [inputs["question"] in text, inputs["answer"] in text],
    }
