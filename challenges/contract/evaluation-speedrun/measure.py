"""The speedrun with stages that do nothing but note that they ran: order, flags, going on, report."""

SCRIPTS = ("tok_train", "base_train", "chat_sft", "chat_eval")


def draw(rng):
    """Metrics of both trainings, results of the evaluation, the stage that is interrupted."""
    steps = rng.randint(6, 9)

    def records(key):
        return [
            {
                "step": step,
                "loss": round(rng.uniform(1, 5), 3),
                "lr_multiplier": rng.random(),
                "grad_norm": rng.random(),
                "tokens": rng.randint(100, 999),
                "clipped": step % 3 == 0,
                "seconds": 1000.0 * (step + 1),
                **({key: round(rng.uniform(1, 5), 3)} if step % 2 else {}),
            }
            for step in range(steps)
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
    return {
        "base": records("val_bpb"),
        "sft": records("val_loss"),
        "suites": suites,
        "interrupted": rng.randrange(1, 4),
    }


def measure(inputs):
    """Which stages run with which flags, what is refused, and the report that comes of it."""
    from bughunt.lab.measuring.flushing import flushes_noted
    from bughunt.lab.measuring.fresh import freshly_imported

    with freshly_imported("scripts.speedrun", *(f"scripts.{name}" for name in SCRIPTS)), flushes_noted():
        from scripts import speedrun

        speedrun.matmul_rate = lambda *_, **__: 5e9
        plain = speedrun.Settings()
        return {
            "defaults": [plain.scale, plain.overwrite, plain.device],
            "recipes": speedrun.RECIPES,
            "questions": speedrun.QUESTIONS,
            "stages": stages(speedrun, inputs),
            "report": report(speedrun, inputs),
        }


def noting(speedrun, ran, die_at=None):
    """Put in place of the stages' scripts what notes the name and the flags."""
    for name in SCRIPTS:

        def main(argv=None, name=name):
            if name == die_at:
                raise InterruptedError
            ran.append([name, *argv])

        getattr(speedrun, name).main = main


def stages(speedrun, inputs):
    """What runs at first, after an interruption, when all is done, with another recipe, and anew."""
    from nanochat.checkpoint_manager import latest_step, save_checkpoint
    from nanochat.common import UserError

    from bughunt.lab.measuring.base_folder import base_folder

    def run(**settings):
        ran.clear()
        try:
            state = speedrun.run_stages(folder, speedrun.Settings(device="cpu", **settings))
        except (UserError, InterruptedError) as error:
            return [type(error).__name__, *ran]
        return [state["scale"], sorted(state["seconds"]), sorted(state["commands"]), *ran]

    ran, data = [], {}
    with base_folder() as folder:
        noting(speedrun, ran, die_at=SCRIPTS[inputs["interrupted"]])
        data["interrupted"] = run()
        noting(speedrun, ran)
        data["gone on"] = run()
        data["all is done"] = run()
        data["another recipe"] = run(scale="hours")
        save_checkpoint(folder / "base", 3, {}, [], {})
        data["anew"] = [run(scale="gpu", overwrite=True), latest_step(folder / "base")]
    for name in ("base", "sft"):
        with base_folder() as folder:
            save_checkpoint(folder / name, 3, {}, [], {})
            data[f"a model of another kind in {name}"] = [run(), latest_step(folder / name)]
    return data


def report(speedrun, inputs):
    """The figures in the report of stages that left models, metrics and results."""
    import json
    import re

    from nanochat.checkpoint_manager import build_meta, build_model, save_checkpoint
    from nanochat.tokenizer import RustBPETokenizer

    from bughunt.lab.measuring.base_folder import base_folder

    shape = {"sequence_len": 8, "vocab_size": 265, "n_layer": 1, "n_head": 1, "n_kv_head": 1, "n_embd": 8}
    model = build_model(shape)
    with base_folder() as folder:
        RustBPETokenizer({bytes([byte]): byte for byte in range(256)}).save(folder / "tokenizer")
        for name in ("base", "sft"):
            (folder / name).mkdir()
            lines = "".join(json.dumps(record) + "\n" for record in inputs[name])
            (folder / name / "metrics.jsonl").write_text(lines, encoding="utf-8")
        results = json.dumps({"step": 3, "suites": inputs["suites"]})
        (folder / "sft" / "chat_eval.json").write_text(results, encoding="utf-8")
        noting(speedrun, [])
        speedrun.QUESTIONS = []
        state = speedrun.run_stages(folder, speedrun.Settings(device="cpu"))
        for name in ("base", "sft"):
            last = {"val_bpb": 1.375, "seconds": 1.0}
            save_checkpoint(folder / name, 3, model.state_dict(), [], build_meta(model, last=last))
        seconds = {name: round(value, 1) for name, value in state["seconds"].items()}
        markdown, page = speedrun.make_report(folder, state)
        text = markdown.read_text(encoding="utf-8")
        files = sorted(path.name for path in markdown.parent.iterdir())
    tokens = [f"{sum(record['tokens'] for record in inputs[name]):,}" for name in ("base", "sft")]
    rows = [line for line in text.splitlines() if line.startswith("|")]
    first = re.findall(r"\| (suite .*?) \|(.*)", "\n".join(rows))
    return {
        "files": [files, page.name],
        "results": [[name, [cell.strip() for cell in cells.strip("| ").split("|")]] for name, cells in first],
        "seconds": {name: value for name, value in seconds.items() if value > 1},
        "tokens are told": [number in text for number in tokens],
        "bits per byte are told": "1.375" in text,
        "shape is told": [f"| {name} | {value} |" in text for name, value in shape.items()],
        "charts": curves(speedrun, inputs),
    }


def curves(speedrun, inputs):
    """The lines of the charts by name, and the shares that are told beside them."""
    import re

    blocks = speedrun.curves({"pretraining": inputs["base"], "fine-tuning": inputs["sft"]})
    charts = {
        block.name: [
            block.log_y,
            {name: [list(point) for point in line] for name, line in block.lines.items()},
        ]
        for block in blocks
        if hasattr(block, "lines")
    }
    told = [re.findall(r"\d+%", block.text) for block in blocks if hasattr(block, "text")]
    return [charts, [one for one in told if one]]
