"""A target is the next token where the assistant says it, and -1 everywhere else, in padding too."""

import math

from bughunt.lab.expected import position_wise
from bughunt.lab.expected.batches import assert_there
from bughunt.lab.expected.forms import ADDRESS, Either, assert_form, exactly
from bughunt.lab.measuring import conversations

# Largest difference between float32 and the exact loss, and of an element of the gradient; measured on the
# clean tree over 100 seeds: at most 5.0e-7 and 9.6e-7.
TOLERANCE = 1e-4
DATA = ("conversations", "long")


def rendered(inputs, data):
    """The ids and the mask of every conversation of a data set, as far as they are not cut off."""
    return [
        [part[: inputs["max_tokens"]] for part in conversations.render(talk, inputs["vocabulary"])]
        for talk in inputs[data]
    ]


def rows(inputs, measured):
    """(inputs, targets, ids, mask) of every row of every batch."""
    for case, batches in zip(inputs["cases"], measured["batches"], strict=True):
        assert len(batches) == case["batches"], (
            f"The generator should go on for ever; it gave {len(batches)} of {case['batches']} batches."
        )
        talks = rendered(inputs, case.get("data", "conversations"))
        rank, world = case["options"].get("rank", 0), case["options"].get("world_size", 1)
        first = case["options"].get("skip_batches", 0) * case["batch_size"]
        for number, batch in enumerate(batches):
            x, y = batch["inputs"], batch["targets"]
            assert batch["dtypes"] == ["int64", "int64"], (
                f"Inputs and targets are int64; these are {' and '.join(batch['dtypes'])}."
            )
            assert len(x) == len(y) == case["batch_size"], (
                f"A batch of {case['batch_size']} has {len(x)} rows of inputs and {len(y)} of targets."
            )
            for row in range(case["batch_size"]):
                place = first + number * case["batch_size"] + row
                yield x[row], y[row], *talks[(place * world + rank) % len(talks)]


def test_inputs_are_the_conversations(inputs, measured):
    padding = inputs["vocabulary"].index("<|assistant_end|>")
    reused = any(
        len({batch["memory"] for batch in batches}) < len(batches) for batches in measured["batches"]
    )
    for x, y, ids, _ in rows(inputs, measured):
        length = len(ids) - 1
        assert len(x) == len(y), (
            f"Every input has its target, or -1; a row of {len(x)} inputs has {len(y)} targets."
        )
        assert x[:length] == ids[:-1], (
            "The inputs of a row should be its conversation without the last token, then padding: "
            f"{ids[:6]} … They are {x[:6]} …"
            + f" There are {len(x)} where {length} are needed." * (x == ids[: len(x)])
            + " A step draws all its batches before it uses the first; here, one overwrites another." * reused
        )
        # A batch cut from whole conversations has the last token in it, too: no target, and no harm.
        rest = x[length + 1 :] if x[length : length + 1] == ids[-1:] else x[length:]
        assert set(rest) <= {padding}, (
            f"Inputs are filled up with the token that ends the assistant's turn, {padding}; after the "
            f"conversation come {x[length : length + 6]} …"
        )


def test_the_device(inputs, measured):
    for batches in measured["batches"]:
        for batch in batches:
            found = batch["elsewhere"]
            assert not isinstance(found, str), (
                f"Asked for on another device than the CPU, a batch cannot be made: {found}"
            )
            for name, device in zip(("inputs", "targets"), found or (), strict=False):
                assert_there(name, device, "meta")


def right(ids, mask, width):
    targets = [token if own else -1 for token, own in zip(ids[1:], mask[1:], strict=True)]
    return targets + [-1] * (width - len(targets))


def test_what_is_trained(inputs, measured):
    # Rows too short for their conversations fail in the test above.
    whole = [row for row in rows(inputs, measured) if len(row[1]) >= len(row[2]) - 1]
    wrong = [(y, ids, mask) for _, y, ids, mask in whole if y != right(ids, mask, len(y))]
    if wrong:
        # A row with a tool call in it, if there is one, says most; a very long one says too much.
        tool, longest = inputs["vocabulary"].index("<|python_start|>"), inputs["max_tokens"]
        y, ids, mask = max(wrong, key=lambda row: (len(row[1]) < longest, tool in row[1], sum(row[2])))
        raise AssertionError(describe(y, ids, mask, inputs["vocabulary"]))


def test_the_conversation_itself(inputs, measured):
    """Whoever renders a conversation gets the same as fine-tuning does."""
    right_ones = [one for data in DATA for one in rendered(inputs, data)]
    for found, (ids, mask) in zip(measured["rendered"], right_ones, strict=True):
        assert found[0] == ids, (
            f"A conversation should be rendered as {ids[:6]} … ({len(ids)} ids); it is {found[0][:6]} … "
            f"({len(found[0])} ids)."
        )
        wrong = [t for t, both in enumerate(zip(found[1], mask, strict=False)) if both[0] != both[1]]
        assert found[1] == mask, (
            "The batches fit the conversations. Rendered, a conversation comes with a mask "
            f"that is 1 on what the assistant says and 0 on the rest; of {len(mask)} tokens, the mask of "
            f"{len(wrong)} is another, such as {shown([t - 1 for t in wrong], ids, inputs['vocabulary'])}."
        )


def test_the_loss_is_the_mean_over_what_is_trained(inputs, measured):
    case = inputs["tuned"]
    for step, found in zip(case["steps"], measured["tuned"], strict=True):
        x, y = trained_in(case, step)
        loss, gradients = position_wise.mean_loss_and_gradients(case["weights"], x, y)
        where = (
            f"In a step of fine-tuning on {len(case['rendered'])} conversations, "
            f"{step['device_batch_size']} at a time, {len(y)} tokens are trained"
        )
        count = len(y) * step.get("processes", 1)
        assert found["targets"] == count, (
            f"{where}, by all processes {count}; the metrics say {found['targets']}."
        )
        assert abs(found["loss"] - loss) <= TOLERANCE, (
            f"{where}. The reported loss should be the mean over these, {loss:.4f}; it is "
            f"{found['loss']:.4f}."
        )
        assert abs(found["validation"] - loss) <= TOLERANCE, (
            f"{where}. On the same conversations and with the same weights the validation loss should be the "
            f"same as in training, {loss:.4f}; it is {found['validation']:.4f}."
        )
        for name, matrix in found["gradients"].items():
            right = gradients[name]
            apart = [
                abs(a - b) for rows in zip(matrix, right, strict=True) for a, b in zip(*rows, strict=True)
            ]
            assert max(apart) <= TOLERANCE, (
                f"{where}, and the loss is right. The gradient of {name} should be that of the mean over "
                f"these tokens, {length(right):.4g} long; it is {length(matrix):.4g} long."
            )


def length(matrix):
    return math.sqrt(sum(value * value for row in matrix for value in row))


def trained_in(case, step):
    """Inputs and targets, position by position, of the conversations that a step's first process is given."""
    talks = case["rendered"][:: step.get("processes", 1)]
    pairs = [(ids[t], ids[t + 1]) for ids, mask in talks for t in range(len(ids) - 1) if mask[t + 1]]
    return [x for x, _ in pairs], [y for _, y in pairs]


def test_everything_was_measured(inputs, measured):
    """A batch may be longer than its longest conversation: the padding is trained nowhere."""
    forms = []
    for case, batches in zip(inputs["cases"], measured["batches"], strict=True):
        there = Either(None, ("meta", "meta"))
        for batch in batches:
            rows = ((int,) * len(batch["inputs"][0]),) * case["batch_size"]
            forms.append(
                {
                    "inputs": rows,
                    "targets": rows,
                    "memory": ADDRESS,
                    "dtypes": ("int64", "int64"),
                    "elsewhere": there,
                }
            )
    flat = [batch for batches in measured["batches"] for batch in batches]
    weights = inputs["tuned"]["weights"]
    gradients = {
        name: ((float,) * len(rows[0]),) * len(rows) for name, rows in weights.items() if ".attn." not in name
    }
    step = {"loss": float, "targets": int, "validation": float, "gradients": gradients}
    assert_form(
        {**measured, "batches": flat},
        {
            "batches": tuple(forms),
            "rendered": tuple(exactly(one) for data in DATA for one in rendered(inputs, data)),
            "tuned": (step,) * len(inputs["tuned"]["steps"]),
        },
    )


def describe(y, ids, mask, vocabulary):
    """What of one row is trained and should not be, and the other way round."""
    length = len(ids) - 1
    expected = right(ids, mask, len(y))
    extra = [t for t in range(length) if y[t] != -1 and expected[t] == -1]
    missing = [t for t in range(length) if y[t] == -1 and expected[t] != -1]
    shifted = [t for t in range(length) if y[t] not in (-1, ids[t + 1])]
    padding = [t for t in range(length, len(y)) if y[t] != -1]
    said = sum(mask[1:])
    message = f"Of {length} targets of a conversation {said} are the assistant's."
    if shifted:
        message += f" {len(shifted)} are neither the token that follows nor -1, which alone means no target."
    if missing:
        message += f" Not trained are {len(missing)} of these, such as {shown(missing, ids, vocabulary)}."
    if extra:
        message += f" Trained are {len(extra)} others, such as {shown(extra, ids, vocabulary)}."
    if padding:
        message += f" {len(padding)} places in the padding are trained; none should be."
    if missing and extra and not shifted and is_moved(y, ids, mask):
        message += " The choice is off by one token: the target of a position is the token after its input."
    elif extra and not missing and not shifted:
        message += " All that the assistant says is trained; what it is told, also by tools, must not be."
    elif missing and not extra and not shifted and all(ids[t + 1] == 0 for t in missing):
        message += " Each is the token of id 0, which is one like any other."
    elif missing and not extra and not shifted and mask[-1] and all(mask[missing[0] + 1 :]):
        message += " The answer is cut short with its conversation; what there is of it is to be trained."
    elif missing and not extra and not shifted:
        message += (
            " Everything that the assistant says is to be trained: every turn, its calls of a tool, and the "
            "token that ends a turn."
        )
    return message


def is_moved(y, ids, mask):
    """Is the choice of targets the right one for the token before or after?"""
    chosen = [int(target != -1) for target in y[: len(ids) - 1]]
    return chosen in (mask[:-1], [*mask[2:], 0])


def shown(places, ids, vocabulary):
    return ", ".join(repr(vocabulary[ids[t + 1]]) for t in places[:5])
