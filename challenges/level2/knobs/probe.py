"""Which optimizer holds which parameter at which rate, and how far it moves."""

from bughunt.lab.measuring.weights import shapes_of
from bughunt.views import Table, Text


def view(inputs, measured):
    for case, found in zip(inputs["cases"][:2], measured["cases"][:2], strict=True):
        shape, options, groups = case["shape"], case["options"] or {}, found["alone"]
        rates = ", ".join(f"{key}={value:g}" for key, value in options.items()) or "default rates"
        title = f"Width {shape['n_embd']}, vocabulary {shape['vocab_size']}, {rates}"
        if isinstance(groups, str):
            yield Text(f"The optimizers could not be set up: {groups}", "warn")
            continue
        rows = []
        for name, size in shapes_of(shape).items():
            held = [group for group in groups if name in group["parameters"]]
            short = name.removeprefix("transformer.").removesuffix(".weight")
            kinds = "\n".join(group["kinds"][0] for group in held) or "none"
            columns = [
                "\n".join(f"{group[key]:.5g}" if key in group else "-" for group in held) or "-"
                for key in ("lr", "initial_lr")
            ]
            rows.append((short, "×".join(map(str, size)), kinds, *columns))
        yield Table(("parameter", "shape", "optimizer", "lr", "initial_lr"), rows, title=title)
    yield Text("The rates of head and embedding are given at width 768 and scale with 1/√width.", "dim")
