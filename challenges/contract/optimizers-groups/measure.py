"""Sets up a model's optimizers, and looks which weights they train, at which rates."""

from bughunt.lab.measuring.models import make_model
from bughunt.lab.measuring.processes import first_of
from bughunt.lab.measuring.replacing import environment, replaced
from bughunt.lab.measuring.shapes import shape_of


def draw(rng):
    """Shapes, and rates for one of them; for the other they are those by default."""
    rates = [round(rng.uniform(0.001, 0.3), 5) for _ in range(3)]
    names = ("unembedding_lr", "embedding_lr", "matrix_lr")
    return {
        "by default": {"shape": shape_of(2, 1, layers=2, head_dim=4), "options": {}},
        "with rates given": {
            "shape": shape_of(rng.randint(3, 5), 1, layers=rng.randint(1, 2), vocabulary=30),
            "options": dict(zip(names, rates, strict=True)),
        },
    }


def measure(inputs):
    """For every weight the rates of the groups that it is in, alone and as one of two processes; and whether
    the weights have the same order each time, as saved states need it."""
    found = {}
    for place, case in inputs.items():
        model = make_model(**case["shape"])
        alone, order = rates(model, model.setup_optimizers(**case["options"]))
        with first_of(2):
            one_of_two, _ = rates(model, model.setup_optimizers(**case["options"]))
        other = make_model(**case["shape"])
        found[place] = {
            "alone": alone,
            "one of two processes": one_of_two,
            "the same order each time": order == rates(other, other.setup_optimizers())[1],
        }
    found["together with others"] = together_with_others()
    return found


def together_with_others():
    """As a process that belongs to no group, as the first of two, and as one alone in its group."""
    import torch.distributed as dist
    from nanochat.gpt import is_distributed

    found = [is_distributed()]
    with first_of(2):
        found.append(is_distributed())
        with replaced(dist, get_world_size=lambda *_, **__: 1), environment(WORLD_SIZE="1"):
            found.append(is_distributed())
    return found


def rates(model, optimizers):
    """By name, and the names in their order. A rate is given in thousandths."""
    names = {id(weight): name for name, weight in model.named_parameters()}
    found, order = {name: [] for name in sorted(names.values())}, []
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            for weight in group["params"]:
                name = names.get(id(weight), "not the model's")
                order.append(name)
                found.setdefault(name, []).append(
                    {
                        "rate": 1000.0 * group["lr"],
                        "rate before any schedule": 1000.0 * group.get("initial_lr", -1.0),
                        "momentum of a schedule": group.get("momentum"),
                    }
                )
    return found, order
