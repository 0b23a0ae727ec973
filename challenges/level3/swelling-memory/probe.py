"""What a cache needs and what it holds, over a long conversation and after it."""

from bughunt.views import Plot, Series, Table, Text


def view(inputs, measured):
    demo = measured["demo"]
    if "error" in demo:
        yield Text(f"The long conversation could not be held: {demo['error']}", "warn")
    else:
        need, capacity = demo["need"], demo["capacity"]
        turns = list(range(1, len(need) + 1))
        yield Plot(
            "A long conversation in one cache, made for 256 positions",
            [Series("positions held", turns, need), Series("positions there is room for", turns, capacity)],
            x_label="turn",
            y_label="positions",
        )
        grown = [i for i in range(len(turns)) if i == 0 or capacity[i] != capacity[i - 1]]
        yield Table(
            ("turn", "positions held", "room for", "ratio"),
            [(turns[i], need[i], capacity[i], f"{capacity[i] / need[i]:.2f}") for i in grown],
            title="Where the memory changed",
        )
        yield Text(
            f"At the end there is room for {capacity[-1]:,} positions, {capacity[-1] / need[-1]:.2f} times "
            f"what is held. After reset() the cache still holds memory for {demo['after_reset']:,} positions."
        )
    rows = []
    for case, found in zip(inputs["cases"], measured["cases"], strict=True):
        size = found.get("bytes_a_position", 1)
        after = found.get("after_reset")
        rows.append(
            (
                case["capacity"],
                sum(case["lengths"]) + case["single_tokens"],
                found["steps"][-1]["bytes"] // size if found["steps"] else "-",
                after["bytes"] // size if after else "-",
                found["again"][-1]["bytes"] // size if found.get("again") else "-",
            )
        )
    yield Table(
        ("made for", "then given", "room at the end", "after reset()", "with a short text again"),
        rows,
        title="Caches under a real model, in positions",
    )
    for found in measured["cases"]:
        if "error" in found:
            yield Text(f"One conversation ended with an error: {found['error']}", "warn")
            break
