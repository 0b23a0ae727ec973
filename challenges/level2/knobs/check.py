"""Muon has the blocks' matrices and AdamW the rest, once each, at the learning rates that were asked for."""

import math

from bughunt.lab.expected.forms import Either, assert_form
from bughunt.lab.measuring.weights import shapes_of, weight_shapes

DEFAULTS = {"unembedding_lr": 0.004, "embedding_lr": 0.2, "matrix_lr": 0.02}
WIDTH_OF_THE_RATES = 768
BETAS, EPSILON = (0.8, 0.95), 1e-10
MUON = {"momentum": 0.95, "nesterov": 1.0, "ns_steps": 5.0}

# Rates are one product of floats.
RATE_TOLERANCE = 1e-6
# Of a move by AdamW, as a share of the learning rate: measured on the clean tree over 200 seeds, float32
# against exact, at most 2.1e-7. An epsilon of 1e-8 instead of 1e-10 would show as 0.2 and more, a second
# beta of 0.98 or a weight decay of 0.01 instead of none as 0.005 and more.
MOVE_TOLERANCE = 1e-4
# Singular values of a move by Muon over its rate. Measured over the same seeds: between 0.68 and 1.14. The
# gradients' own reach from 0.2 to 1, and a move by AdamW has some far above 2.
EVEN = (0.5, 1.5)
IN_TWO = " in one process of two"
HEAD, EMBEDDING = "lm_head.weight", "transformer.wte.weight"


def shapes(case):
    return shapes_of(case["shape"])


def role(name):
    return {HEAD: "head", EMBEDDING: "embedding"}.get(name, "blocks' matrices")


def rate(case, name):
    """The learning rate that the parameter of this name should have before any schedule."""
    options = {**DEFAULTS, **(case["options"] or {})}
    scale = (case["shape"]["n_embd"] / WIDTH_OF_THE_RATES) ** -0.5
    if name == HEAD:
        return options["unembedding_lr"] * scale
    return options["embedding_lr"] * scale if name == EMBEDDING else options["matrix_lr"]


def settings(case):
    return ", ".join(f"{name}={value:g}" for name, value in (case["options"] or {}).items())


def asked(case):
    shown = settings(case) or "the default rates"
    return f"set up with {shown}, at width {case['shape']['n_embd']},"


def kind(group):
    """Muon or AdamW, also where the class is one of a fix's own."""
    kinds = " ".join(group["kinds"])
    return next((kind for kind in ("Muon", "AdamW") if kind in kinds), "another")


def unshared(group):
    """Is it one of the known optimizers, but not made for several processes?"""
    return kind(group) != "another" and "Dist" not in " ".join(group["kinds"])


def sized(case):
    return f"a model of width {case['shape']['n_embd']} with {case['shape']['vocab_size']} tokens"


def set_ups(inputs, measured):
    """(case, its parameters, groups, in how many processes)"""
    for case, found in zip(inputs["cases"], measured["cases"], strict=True):
        for key, where in (("alone", ""), ("one_of_two", IN_TWO)):
            groups = found[key]
            assert not isinstance(groups, str), (
                f"The optimizers of {sized(case)} could not be set up{where}: {groups}"
            )
            yield case, shapes(case), groups, where
    for case, groups in zip(inputs["sizes"], measured["sizes"], strict=True):
        if groups is not None:
            yield case, shapes(case), groups, " on another device than the CPU"


def test_every_parameter_is_in_one_group(inputs, measured):
    for case, parameters, groups, where in set_ups(inputs, measured):
        held = [name for group in groups for name in group["parameters"]]
        for name in parameters:
            assert held.count(name) == 1, (
                f"Every parameter belongs to one group of one optimizer; in {sized(case)}, {name} is in "
                f"{held.count(name)}{where}."
            )
        assert all(group["trainable"] for group in groups), (
            f"Every parameter is there to be trained; in {sized(case)}, some are frozen once the optimizers "
            f"are set up{where}."
        )
        strangers = [name for name in held if name not in parameters]
        assert not strangers, f"{len(strangers)} of the tensors to be optimized are not the model's."


def test_who_has_what(inputs, measured):
    for case, _, groups, where in set_ups(inputs, measured):
        holders = {}
        for group in groups:
            for name in group["parameters"]:
                holders.setdefault(role(name), set()).add(kind(group))
        right = {"head": {"AdamW"}, "embedding": {"AdamW"}, "blocks' matrices": {"Muon"}}
        # A class that is neither by name is known by how it moves, below.
        wrong = [name for name, kinds in holders.items() if kinds - {"another"} - right[name]]
        shown = "; ".join(f"{name}: {' and '.join(sorted(kinds))}" for name, kinds in holders.items())
        assert not wrong, (
            "Muon is for the matrices of the blocks. The head and the embedding, whose rows belong to "
            f"tokens, are for AdamW. Found in {sized(case)}{where}: {shown}."
        )
        if where == IN_TWO:
            lonely = sorted({group["kinds"][0] for group in groups if unshared(group)})
            assert not lonely, (
                "Where several processes train together, the sharded optimizers are used; "
                f"{' and '.join(lonely)} is for one process."
            )


def test_rates(inputs, measured):
    for case, _, groups, where in set_ups(inputs, measured):
        for group in groups:
            for name in group["parameters"]:
                right, found, kept = rate(case, name), group["lr"], group.get("initial_lr")
                assert math.isclose(found, right, rel_tol=RATE_TOLERANCE), (
                    f"A model {asked(case)} should have the learning rate {right:.6g} for its {role(name)}; "
                    f"it has {found:.6g}{where}. (AdamW's scale with (width/768)^-0.5, Muon's does not.)"
                )
                assert kept is not None, (
                    f"The group of the {role(name)} does not keep its initial rate{where}: a schedule has "
                    "nothing to multiply there."
                )
                assert math.isclose(kept, right, rel_tol=RATE_TOLERANCE), (
                    f"The initial rate for a schedule to multiply should be {right:.6g} for the "
                    f"{role(name)}; it is {kept:.6g}{where}."
                )
            if kind(group) == "Muon":
                for key, right in MUON.items():
                    assert group.get(key, right) == right, (
                        f"Muon's {key} should be {right:g}; it is {group[key]:g}{where}."
                    )
            if kind(group) == "AdamW":
                decay = (case["options"] or {}).get("weight_decay", 0.0)
                for key, right in (("betas", BETAS), ("eps", (EPSILON,)), ("weight_decay", (decay,))):
                    found = group["adamw"].get(key, right)
                    assert len(found) == len(right) and all(map(math.isclose, found, right)), (
                        f"A model {asked(case)} should have the {key} {numbers(right)} for AdamW; it has "
                        f"{numbers(found)}{where}."
                    )


def numbers(values):
    return " and ".join(f"{value:g}" for value in values)


def test_rates_in_training(inputs, measured):
    for case, found in zip(inputs["cases"], measured["cases"], strict=True):
        for kind, groups in found["trained"].items():
            if groups is not None:
                judge_training(case, kind, groups)


def judge_training(case, kind, groups):
    assert groups, (
        f"Set up by itself, a model has the right optimizers. {kind.capitalize()} goes through them at every "
        "step; after its first step there are none left to go through."
    )
    held = [name for group in groups for name in group["parameters"]]
    assert sorted(held) == sorted(shapes(case)), (
        "Set up by itself, a model has each of its parameters in one group of one optimizer. Where "
        f"{kind} sets one up, {len(held)} of {len(shapes(case))} are left."
    )
    told = settings(case) or "nothing said about rates"
    for group in groups:
        for name in group["parameters"]:
            right, kept = rate(case, name), group["rate"]
            assert math.isclose(kept, right, rel_tol=RATE_TOLERANCE), (
                f"Set up by itself, a model has the right rates. Where {kind} sets one up, with {told}, the "
                f"{role(name)} should begin with the learning rate {right:.6g}; the rate is {kept:.6g}."
            )
        still = sorted({role(name) for name in group["still"]})
        assert not still, (
            f"Set up by itself, a model has the right optimizers. A step of {kind} moves all that it has; "
            f"the {' and the '.join(still)} stayed as before."
        )


def test_the_order_is_always_the_same(inputs, measured):
    """Processes that train together share out the parameters by their order, and a checkpoint goes by it."""
    for key, where in (("alone", ""), ("one_of_two", IN_TWO)):
        assert measured["orders"][key] is not None, (
            f"The optimizers of some models could not be set up{where}."
        )
        first, again, deeper = measured["orders"][key]
        known = {name for names in first for name in names}
        within = [[name for name in names if name in known] for names in deeper]
        assert first == again == within, (
            "Parameters have an order in their optimizer, and it should be the same whenever a model is set "
            f"up: other processes go by it, and so does a run that is resumed. It changes{where}, from one "
            "model to the next."
        )


def test_moves(inputs, measured):
    for case, found in zip(inputs["cases"], measured["cases"], strict=True):
        assert not isinstance(found["moves"], str), (
            f"The optimizers of {sized(case)} could not be set up: {found['moves']}"
        )
        for name, shape in shapes(case).items():
            steps = [step[name] for step in found["moves"]]
            rates = [rate(case, name) * multiplier for multiplier in case["multipliers"]]
            if name in (HEAD, EMBEDDING):
                check_adamw(case, name, steps, rates)
            else:
                check_muon(name, steps, rates, shape)


def check_adamw(case, name, steps, rates):
    decay, sample = (case["options"] or {}).get("weight_decay", 0.0), case["samples"][name]
    for element, first in enumerate(sample["before"]):
        mean = square = 0.0
        before = first
        for count, (step, lr) in enumerate(zip(steps, rates, strict=True), start=1):
            after, gradient = step[element], sample["gradients"][count - 1][element]
            mean = BETAS[0] * mean + (1 - BETAS[0]) * gradient
            square = BETAS[1] * square + (1 - BETAS[1]) * gradient * gradient
            root = math.sqrt(square / (1 - BETAS[1] ** count))
            right = -lr * (mean / (1 - BETAS[0] ** count) / (root + EPSILON) + decay * before)
            assert abs(after - before - right) <= MOVE_TOLERANCE * lr + 1e-6 * abs(before), (
                f"In step {count}, an element of the {role(name)} with the gradient {gradient:.3g} should "
                f"move by {right:.4g}, as AdamW does it with betas {BETAS}, eps {EPSILON:g} and weight decay "
                f"{decay:g} at the rate {lr:.4g}; it moved by {after - before:.4g}."
            )
            before = after


def check_muon(name, steps, rates, shape):
    for count, (step, lr) in enumerate(zip(steps, rates, strict=True), start=1):
        scale = lr * max(1.0, shape[0] / shape[1]) ** 0.5
        low, high = (value / scale for value in step)
        assert EVEN[0] <= low <= high <= EVEN[1], (
            f"In step {count}, the blocks' matrix {name} should move about equally far in all its "
            "directions, as Muon does it: its move's singular values, over its rate, should be near 1. They "
            f"are between {low:.3g} and {high:.3g}."
        )


def test_everything_was_measured(inputs, measured):
    """What a group says of its own settings is up to its optimizer, and where training fails there is nothing
    to be said of it."""

    def groups(found):
        return tuple(
            {
                "trainable": True,
                "kinds": [str],
                "parameters": [str],
                **dict.fromkeys(group.keys() & {"initial_lr", *MUON}, float),
                "lr": float,
                "adamw": {
                    key: form
                    for key, form in (
                        ("betas", (float, float)),
                        ("eps", (float,)),
                        ("weight_decay", (float,)),
                    )
                    if key in group["adamw"]
                },
            }
            for group in found
        )

    forms = []
    trained = Either(None, [{"parameters": [str], "rate": float, "still": []}])
    for case, found in zip(inputs["cases"], measured["cases"], strict=True):
        length = len(case["samples"][HEAD]["before"])
        sampled, turned = (float,) * length, (float, float)
        forms.append(
            {
                "alone": groups(found["alone"]),
                "one_of_two": groups(found["one_of_two"]),
                "moves": ({name: sampled if name in (HEAD, EMBEDDING) else turned for name in shapes(case)},)
                * 2,
                "trained": {"pretraining": trained, "fine-tuning": trained},
            }
        )
    sizes = [groups(found) if found is not None else None for found in measured["sizes"]]
    order = ([[str]],) * 3
    assert_form(
        measured,
        {"cases": tuple(forms), "sizes": tuple(sizes), "orders": {"alone": order, "one_of_two": order}},
    )
    for number, layers in enumerate((3, 3, 9)):
        every = sorted(weight_shapes(layers, 8, 20))
        for orders in measured["orders"].values():
            assert sorted(name for names in orders[number] for name in names) == every, (
                f"A model of {layers} layers has other parameters than its optimizers."
            )
    # A class that is neither by name is known by how it moves.
    assert all(
        group["kinds"] for found in measured["cases"] for group in (*found["alone"], *found["one_of_two"])
    )
    assert all(group["kinds"] for found in measured["sizes"] for group in found or ())
