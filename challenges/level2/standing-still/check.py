"""The learning rate is whole at the last step of warm-up, then level, and falls linearly at the end."""

import math
from itertools import pairwise

from bughunt.lab.expected.forms import Either, assert_form

# The schedule is a handful of operations on floats: over 300 seeds the clean tree and other ways to write
# the same formula differ by at most 1e-15. Rates that went through a float32 would differ by 6e-8.
TOLERANCE = 1e-6
# What the schedule's ratios are where a caller leaves them out.
DEFAULT_WARMUP, DEFAULT_WARMDOWN = 0.05, 0.3


def right(it, n, warmup, warmdown, final):
    if it < warmup:
        return (it + 1) / warmup
    if n - it >= warmdown:
        return 1.0
    return final + (1.0 - final) * (n - it) / warmdown


def schedule(run):
    n = run["num_iterations"]
    return [right(it, n, run["warmup"], run["warmdown"], run["final_lr_frac"]) for it in range(n)]


def near(found, expected):
    return abs(found - expected) <= TOLERANCE


def part(it, run):
    if it < run["warmup"]:
        return "warm-up"
    return "warm-down" if run["num_iterations"] - it < run["warmdown"] else "level part"


def described(run):
    n = run["num_iterations"]
    return f"a run of {n} step{'s' * (n != 1)}, {run['warmup']} of warm-up and {run['warmdown']} of warm-down"


def judge(run, found):
    """Raises the assertion for a run whose multipliers, step by step, are not what they should be."""
    assert not isinstance(found, str), (
        f"For {described(run)}, the multiplier cannot be computed: {found}. A run may do without a warm-up."
    )
    expected = schedule(run)
    assert len(found) <= len(expected), f"In {described(run)}, there are {len(found)} multipliers."
    wrong = {it for it in range(len(expected)) if it >= len(found) or not near(found[it], expected[it])}
    if not wrong:
        return
    it = min(wrong)
    parts = {part(step, run) for step in wrong}
    shown = f"{found[it]:.6g}" if it < len(found) else "missing"
    message = (
        f"In {described(run)}, the multiplier of step {it} (the first is 0) should be {expected[it]:.6g} "
        f"and is {shown}."
    )
    last = min(run["warmup"], len(found)) - 1
    if "warm-up" not in parts:
        message += f" The warm-up is right; the {' and the '.join(sorted(parts))} must stay as it was."
    elif not near(found[last], 1.0):
        message += f" At the last step of warm-up it should be 1 and is {found[last]:.6g}."
    elif is_even(found[: run["warmup"]]):
        message += " It arrives at the whole in time, by equal steps, and sets out from the wrong place."
    else:
        message += " It arrives at the whole in time; on the way up it should rise by the same at every step."
    raise AssertionError(message)


def is_even(values):
    """Do the values rise by the same at every step?"""
    rises = {round((b - a) / TOLERANCE) for a, b in pairwise(values)}
    return len(rises) == 1 and min(rises) > 0


def test_every_step_of_every_schedule(inputs, measured):
    runs = list(zip(inputs["exact"], measured["exact"], strict=True))
    # What is wrong with a longer warm-up says more than what is wrong with none.
    for run, found in sorted(runs, key=lambda pair: -pair[0]["warmup"]):
        judge(run, found)


def test_a_long_run(inputs, measured):
    run, found = inputs["long"], measured["long"]
    assert not isinstance(found, str), f"For {described(run)}, the multiplier cannot be computed: {found}."
    for it, value in zip(run["steps"], found, strict=True):
        ratios = run["warmup"], run["warmdown"], run["final_lr_frac"]
        expected = right(it, run["num_iterations"], *ratios)
        assert near(value, expected), (
            f"Short runs are right. In {described(run)}, the multiplier of step {it} should be "
            f"{expected:.6g} and is {value:.6g}."
        )


def test_ratios_left_out(inputs, measured):
    for n, found in zip(inputs["defaults"], measured["defaults"], strict=True):
        judge(
            {
                "num_iterations": n,
                "warmup": round(DEFAULT_WARMUP * n),
                "warmdown": round(DEFAULT_WARMDOWN * n),
                "final_lr_frac": 0.0,
            },
            found,
        )


def test_ratios_that_give_no_whole_number_of_steps(inputs, measured):
    for run, found in zip(inputs["uneven"], measured["uneven"], strict=True):
        n, warmup = run["num_iterations"], run["warmup_ratio"] * run["num_iterations"]
        what = f"In a run of {n} steps with a warm-up ratio that makes {warmup:.2f} of them"
        assert not isinstance(found, str), f"{what}, the multiplier cannot be computed: {found}."
        assert all(0 <= value <= 1 + TOLERANCE for value in found), (
            f"{what}, the multiplier should be between 0 and 1; it is between {min(found):.6g} and "
            f"{max(found):.6g}."
        )
        # Whole steps rounded down, to the nearest or up, or not at all: it is between the two ends.
        warmdown, final = run["warmdown_ratio"] * n, run["final_lr_frac"]
        for it in range(n):
            low, high = (
                right(it, n, whole(warmup), whole(warmdown), final) for whole in (math.ceil, math.floor)
            )
            shown = f"{low:.6g}" if low == high else f"between {low:.6g} and {high:.6g}"
            assert low - TOLERANCE <= found[it] <= high + TOLERANCE, (
                f"{what}, and {warmdown:.2f} of warm-down, the multiplier of step {it} should be {shown} and "
                f"is {found[it]:.6g}."
            )


def test_the_multiplier_is_a_number(inputs, measured):
    assert not measured["types"], (
        "The multipliers are right. They should be plain numbers, for the metrics to write down and the "
        f"learning rates to be multiplied with; some are of type {' and '.join(measured['types'])}."
    )


def test_the_rates_that_reach_the_optimizers(inputs, measured):
    for run, found in zip(inputs["trained"], measured["trained"], strict=True):
        judge_rates(found, run, described(run))


def test_the_rates_of_a_resumed_run(inputs, measured):
    run = inputs["resumed"]
    resumed = f"{described(run)}, which goes on from a checkpoint after step {run['at'] - 1}"
    judge_rates(measured["resumed"], run, resumed)
    if measured["tuned"] is not None:
        judge_rates(measured["tuned"], run, f"{resumed}, all in fine-tuning")


def judge_rates(found, run, what):
    expected = schedule(run)
    assert not isinstance(found, str), f"{what.capitalize()} ended with {found}."
    assert len(found) == len(expected), f"{what.capitalize()} made {len(found)} steps."
    for it, (rates, right_one) in enumerate(zip(found, expected, strict=True)):
        assert rates and all(near(rate, right_one) for rate in rates), (
            f"The schedule is right when it is asked. In {what}, step {it} should be made with "
            f"{right_one:.6g} of each initial learning rate, and is made with "
            f"{', '.join(f'{rate:.6g}' for rate in sorted(set(rates))) or 'none'}."
        )


def test_everything_was_measured(inputs, measured):
    assert_form(
        measured,
        {
            **{
                name: tuple((float,) * run["num_iterations"] for run in inputs[name])
                for name in ("exact", "uneven")
            },
            "long": (float,) * len(inputs["long"]["steps"]),
            "defaults": tuple((float,) * n for n in inputs["defaults"]),
            "types": (),
            "trained": tuple(([float],) * run["num_iterations"] for run in inputs["trained"]),
            "resumed": ([float],) * inputs["resumed"]["num_iterations"],
            "tuned": Either(None, ([float],) * inputs["resumed"]["num_iterations"]),
        },
    )
