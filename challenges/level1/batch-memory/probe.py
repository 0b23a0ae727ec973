"""Dtype and bytes of a batch."""

from bughunt.views import Table, Text

DEVICES = ("cpu", "meta")


def view(inputs, measured):
    cases = [
        (case, found)
        for case, found in zip(inputs["cases"], measured, strict=True)
        if all(found[device] for device in DEVICES)
    ]
    rows = []
    for case, found in cases[:3]:
        for device in DEVICES:
            batch = found[device][0]
            for name in ("inputs", "targets"):
                rows.append(
                    (
                        f"{case['B']} × {case['T']}",
                        device,
                        name,
                        batch[name]["dtype"],
                        batch[name]["bytes"],
                        f"{batch[name]['bytes'] / (case['B'] * case['T']):g}",
                    )
                )
    yield Table(("batch", "device", "tensor", "dtype", "bytes", "bytes a token"), rows, title="One batch")
    yield Text(
        "The device “meta” holds no data: it shows what any device other than the CPU would be given.", "dim"
    )
    case, found = cases[0]
    both = found["cpu"][0]
    each = (both["inputs"]["bytes"] + both["targets"]["bytes"]) / (case["B"] * case["T"])
    yield Text(
        f"Inputs and targets together: {each:g} bytes a token. A run over a billion tokens moves {each:g} GB."
    )
