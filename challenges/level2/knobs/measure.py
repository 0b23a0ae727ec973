"""Sets up the optimizers of several models, and lets them take two steps with known gradients."""

from bughunt.lab.measuring import tiny_run, tiny_tuning
from bughunt.lab.measuring.attempts import describe_error
from bughunt.lab.measuring.models import make_model
from bughunt.lab.measuring.processes import first_of

# Elements of a weight that are noted one by one, of those weights whose every element moves by itself.
SAMPLES = 24
SAMPLED = ("lm_head.weight", "transformer.wte.weight")
# Shapes of the recipe, the default one and a larger one; here, only a shell of such a model is made.
SIZES = (
    {"n_layer": 2, "n_head": 1, "n_kv_head": 1, "n_embd": 128, "vocab_size": 4096, "sequence_len": 256},
    {"n_layer": 12, "n_head": 6, "n_kv_head": 2, "n_embd": 768, "vocab_size": 50_000, "sequence_len": 1024},
)
# The singular values of a matrix's gradients lie between these.
SMALLEST, LARGEST = 0.2, 1.0


def draw(rng):
    """Shapes, learning rates for each (None: the defaults), and by how much a schedule scales them.

    `samples` are some elements of some weights, what each is at first, and its gradients in two steps.
    `sizes` are the recipe's shapes, with rates; in training there are `rows`.
    """
    shapes = []
    for index, (layers, heads, kv_heads, head_dim) in enumerate(
        (
            (1, 2, 2, rng.choice([4, 8])),
            (rng.randint(2, 3), 2, 1, rng.choice([8, 16])),
            (2, 4, 2, rng.choice([4, 8])),
        )
    ):
        width = heads * head_dim
        # The head and the embedding have the shape of none of the blocks' matrices, or that of one of them.
        others = [size for size in range(20, 60) if size % 4]
        vocabulary = 4 * width if index == 2 else rng.choice(others)
        shapes.append(
            {
                "n_layer": layers,
                "n_head": heads,
                "n_kv_head": kv_heads,
                "n_embd": width,
                "vocab_size": vocabulary,
                "sequence_len": 8,
            }
        )
    cases = []
    for index, shape in enumerate(shapes):
        rates = [round(rng.uniform(0.001, 0.3), 5) for _ in range(3)]
        options = dict(zip(("unembedding_lr", "embedding_lr", "matrix_lr"), rates, strict=True))
        if index == 1:
            options["weight_decay"] = round(rng.uniform(0.05, 0.3), 3)
        cases.append(
            {
                "shape": shape,
                "options": None if index == 0 else options,
                "multipliers": [round(rng.uniform(0.3, 1.0), 3), round(rng.uniform(0.3, 1.0), 3)],
                "seed": rng.randrange(1 << 30),
                "samples": {name: draw_samples(rng, shape) for name in SAMPLED},
            }
        )
    rates = {
        "unembedding_lr": round(rng.uniform(0.001, 0.3), 5),
        "matrix_lr": round(rng.uniform(0.01, 0.1), 5),
    }
    return {
        "cases": cases,
        "sizes": [{"shape": shape, "options": rng.choice([None, rates])} for shape in SIZES],
        "rows": [rng.sample(range(20), 8) for _ in range(2)],
    }


def draw_samples(rng, shape):
    """At first they are exact in a float32. The gradients go down to where an epsilon of 1e-10 shows."""
    return {
        "elements": rng.sample(range(shape["vocab_size"] * shape["n_embd"]), SAMPLES),
        "before": [round(rng.gauss(0.0, 0.5) * 1024) / 1024 for _ in range(SAMPLES)],
        "gradients": [
            [rng.gauss(0.0, 1.0) * 10.0 ** rng.uniform(-10.5, 0.0) for _ in range(SAMPLES)] for _ in range(2)
        ],
    }


def measure(inputs):
    """For every case the optimizers' groups in one process and in one of two, and the steps they take.

    `trained` are the groups after a step of training with each case's rates, and the rate that each began
    with; None where the training itself fails. `sizes` are the groups of models of the recipe's shapes, on a
    device that has shapes and no numbers; None where that cannot be. `orders` are the parameters of several
    models, alone and in one process of two, in the order in which each optimizer has them.
    """
    return {
        "cases": [
            {
                "alone": _set_up(case),
                "one_of_two": _set_up_as_one_of_two(case),
                "moves": _moves(case),
                "trained": {
                    "pretraining": _train(case, inputs["rows"], tiny_run.optimizers_of_a_run),
                    "fine-tuning": _train(case, inputs["rows"], tiny_tuning.optimizers_of_tuning),
                },
            }
            for case in inputs["cases"]
        ],
        "sizes": [_set_up_shell(case) for case in inputs["sizes"]],
        "orders": {"alone": _orders(1), "one_of_two": _orders(2)},
    }


def _shell(shape):
    """A model without numbers, which says of itself what only a model on a large machine would."""
    import torch
    from nanochat.gpt import GPT, GPTConfig

    with torch.device("meta"):
        return GPT(GPTConfig(**shape)).to(torch.bfloat16).eval()


def _set_up_shell(case):
    try:
        model = _shell(case["shape"])
        return _groups(model, model.setup_optimizers(**case["options"] or {}))
    except Exception:
        return None


def _orders(processes):
    """Two models of one shape, and one with more layers, whose parameters are others in the same order."""
    shape = {"n_head": 2, "n_kv_head": 1, "n_embd": 8, "vocab_size": 20, "sequence_len": 8}
    orders = []
    with first_of(processes):
        for layers in (3, 3, 9):
            model = make_model(n_layer=layers, **shape)
            try:
                optimizers = list(model.setup_optimizers())
            except (ValueError, KeyError, TypeError):
                return None
            names = {id(parameter): name for name, parameter in model.named_parameters()}
            orders.append(
                [
                    [
                        names.get(id(parameter), "not the model's")
                        for group in optimizer.param_groups
                        for parameter in group["params"]
                    ]
                    for optimizer in optimizers
                ]
            )
    return orders


def _build(case):
    import torch

    model = make_model(**case["shape"]).train()
    torch.manual_seed(case["seed"])
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(std=0.5)
            if name in case["samples"]:
                sample = case["samples"][name]
                parameter.view(-1)[sample["elements"]] = torch.tensor(sample["before"])
    return model, list(model.setup_optimizers(**case["options"] or {}))


def _set_up(case):
    """Every group of every optimizer: of which classes that is, the group's parameters, and its numbers."""
    try:
        model, optimizers = _build(case)
    except (ValueError, KeyError, TypeError) as error:
        return describe_error(error)
    return _groups(model, optimizers)


def _groups(model, optimizers):
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return [
        {
            "trainable": all(parameter.requires_grad for parameter in group["params"]),
            "kinds": [kind.__name__ for kind in type(optimizer).__mro__],
            "parameters": [names.get(id(parameter), "not the model's") for parameter in group["params"]],
            **{
                key: float(group[key])
                for key in ("lr", "initial_lr", "momentum", "nesterov", "ns_steps")
                if group.get(key) is not None
            },
            "adamw": {
                key: [float(number) for number in _several(group[key])]
                for key in ("betas", "eps", "weight_decay")
                if group.get(key) is not None
            },
        }
        for optimizer in optimizers
        for group in optimizer.param_groups
    ]


def _several(value):
    return value if isinstance(value, (list, tuple)) else [value]


def _train(case, rows, optimizers_of):
    """The groups of the optimizers after a step of training that is told the case's rates, if any, each with
    those of its parameters that are as they were before."""
    import torch

    model = make_model(**case["shape"]).train()
    torch.manual_seed(case["seed"])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.5)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    given = {"T": len(rows[0]) // 2, "inputs": [rows[0]], "targets": [rows[1]]}
    try:
        groups = _groups(model, optimizers_of(model, given, **case["options"] or {}))
        still = [name for name, one in model.named_parameters() if torch.equal(one.detach(), before[name])]
        return [
            {
                "parameters": group["parameters"],
                "rate": group.get("initial_lr", group["lr"]),
                "still": [name for name in group["parameters"] if name in still],
            }
            for group in groups
        ]
    except Exception:
        return None


def _set_up_as_one_of_two(case):
    """The groups when this process is one of two. Nothing is communicated."""
    with first_of(2):
        return _set_up(case)


def _moves(case):
    """Two steps at the scheduled rates: the samples after each, and how far each of the blocks' matrices went
    in the direction in which it went least, and most."""
    import torch

    try:
        model, optimizers = _build(case)
    except (ValueError, KeyError, TypeError) as error:
        return describe_error(error)
    bases = {
        name: [torch.linalg.qr(torch.randn(size, min(parameter.shape)))[0] for size in parameter.shape]
        for name, parameter in model.named_parameters()
        if "transformer.h." in name
    }
    steps = []
    for number, multiplier in enumerate(case["multipliers"]):
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group.get("initial_lr", group["lr"]) * multiplier
        before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
        for name, parameter in model.named_parameters():
            parameter.grad = _gradient(parameter, bases.get(name), case["samples"].get(name), number)
        for optimizer in optimizers:
            optimizer.step()
        steps.append(
            {
                name: _singular_values(parameter.detach() - before[name])
                if name in bases
                else parameter.detach().flatten()[case["samples"][name]["elements"]].tolist()
                for name, parameter in model.named_parameters()
            }
        )
    return steps


def _gradient(parameter, bases, sample, number):
    """Of a block's matrix, one with singular values that are known; else of all magnitudes, and that which
    the samples have in the step of this number."""
    import torch

    if bases is None:
        gradient = torch.randn(parameter.shape) * 10.0 ** torch.empty(parameter.shape).uniform_(-10.5, 0.0)
        gradient.view(-1)[sample["elements"]] = torch.tensor(sample["gradients"][number])
        return gradient
    rows, columns = bases
    values = torch.empty(rows.size(1)).uniform_(SMALLEST, LARGEST)
    # Both ends of the range, so that what only scales a gradient cannot look like what evens it out.
    values[0], values[-1] = LARGEST, SMALLEST
    return rows * values @ columns.T


def _singular_values(matrix):
    import torch

    values = torch.linalg.svdvals(matrix)
    return [values.min().item(), values.max().item()]
