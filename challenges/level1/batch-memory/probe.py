"""Dtype and bytes of a batch."""

from bughunt.views import Table, Text


def view(inputs, measured):
    rows = []
    for case, found in zip(inputs["cases"], measured, strict=True):
        for device in ("cpu", "meta"):
            batch = found[device][0]
            for name in ("inputs", "targets"):
                tokens = case["B"] * case["T"]
                rows.append(
                    (
                        f"{case['B']} × {case['T']}",
                        device,
                        name,
                        batch[name]["dtype"],
                        batch[name]["bytes"],
                        f"{batch[name]['bytes'] / tokens:g}",
                    )
                )
    yield Table(("batch", "device", "tensor", "dtype", "bytes", "bytes a token"), rows, title="One batch")
    both = measured[0]["cpu"][0]
    tokens = inputs["cases"][0]["B"] * inputs["cases"][0]["T"]
    bytes_a_token = (both["inputs"]["bytes"] + both["targets"]["bytes"]) / tokens
    yield Text(
        f"Inputs and targets together: {bytes_a_token:g} bytes a token, so a run over a billion tokens moves "
        f"{bytes_a_token:g} GB. (The device “meta” holds no data: it shows what any other device would get.)"
    )
