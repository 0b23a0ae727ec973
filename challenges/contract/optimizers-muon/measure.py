"""Lets Muon take steps with given gradients, as it comes and with every option of its own."""

from bughunt.lab.measuring.matrices import give_gradients, moves, parameters_of, values_of

# Two are alike once they are laid on their side.
SHAPES = [(6, 6), (4, 8), (8, 4), (12, 3), (3, 5)]
# Has no gradient in any step, none in the second, or one of zeros in the last.
NEVER, LATE, STILL = 4, 2, 0
STEPS = 3


def draw(rng):
    """Options, which a schedule may change after the first step; groups with rates of their own."""
    rate = round(rng.uniform(0.1, 0.5), 3)
    low, high = round(rng.uniform(0.3, 0.6), 2), round(rng.uniform(0.7, 0.9), 2)
    cases = {
        "as it comes": {"options": {}},
        "without looking ahead": {"options": {"lr": rate, "momentum": high, "nesterov": False}},
        "few iterations": {"options": {"lr": rate, "momentum": low, "ns_steps": 2}},
        "a schedule": {"options": {"lr": rate, "momentum": low}, "later": {"lr": 2 * rate, "momentum": high}},
        "two groups": {"options": {"lr": rate}, "groups": {"lr": rate / 2, "momentum": low}},
    }
    return {place: {**case, "seed": rng.randrange(1 << 30)} for place, case in cases.items()}


def measure(inputs):
    """For every case and step how far each matrix goes, in units of the rate; what is refused."""
    import torch
    from nanochat.muon import Muon

    found = {}
    for place, case in inputs.items():
        parameters = parameters_of(SHAPES, case["seed"])
        groups = parameters
        if "groups" in case:
            groups = [{"params": parameters[:2]}, {"params": parameters[2:], **case["groups"]}]
        optimizer = Muon(groups, **case["options"])
        steps = []
        for number in range(STEPS):
            give_gradients(parameters, case["seed"] + number, [NEVER, LATE] if number == 1 else [NEVER])
            parameters[STILL].grad *= number < STEPS - 1
            before = values_of(parameters)
            optimizer.step()
            optimizer.zero_grad()
            steps.append(moves(parameters, before, case["options"].get("lr", 0.02)))
            for group in optimizer.param_groups:
                group.update(case.get("later", {}))
        found[place] = {f"step {number}": step for number, step in enumerate(steps)}
    found["refused"] = {
        name: refused(Muon, [torch.nn.Parameter(torch.zeros(shape))])
        for name, shape in (("a vector", (4,)), ("a stack", (2, 2, 2)), ("a row", (1, 4)), ("a number", ()))
    }
    return found


def refused(optimizer, parameters):
    try:
        optimizer(parameters)
    except ValueError:
        return True
    return False
