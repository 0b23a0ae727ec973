"""What is right, where it is computed: the reference model beside the tree's, and where stretches lie."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from bughunt.content.installed import tree_folder
from bughunt.lab.expected import position_wise
from bughunt.lab.expected.batches import assert_varied
from bughunt.lab.expected.gaps import gaps_by_position
from bughunt.lab.expected.streams import expected_batches, find_stretch, flat_stream, steps_ahead
from bughunt.lab.measuring.streams import draw_cases
from bughunt.lab.measuring.weights import draw_weights


@pytest.mark.parametrize(("T", "attention"), [(1, True), (3, False)], ids=["one token", "longer"])
def test_loss_and_gradients_are_the_trees(T: int, attention: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """For all weights, but for attention's output projections where rows are longer than a token."""
    monkeypatch.syspath_prepend(str(tree_folder()))
    import torch

    from bughunt.lab.measuring.tiny_run import build_model

    rng = Random(T)
    weights = draw_weights(rng, 2, 4, 9, attention=attention)
    inputs, targets = ([rng.randrange(9) for _ in range(6 * T)] for _ in "xy")
    model = build_model({"weights": weights, "layers": 2, "T": T})
    loss = model(torch.tensor(inputs).view(-1, T), torch.tensor(targets).view(-1, T))
    loss.backward()
    right_loss, right = position_wise.mean_loss_and_gradients(weights, inputs, targets)
    assert loss.item() == pytest.approx(right_loss, rel=1e-5)
    for name, weight in model.named_parameters():
        if T == 1 or not name.endswith("attn.c_proj.weight"):
            torch.testing.assert_close(weight.grad, torch.tensor(right[name]), rtol=1e-3, atol=1e-5)


def batches_of(case: dict[str, Any], stride: int, ahead: int = 1) -> list[tuple[list[int], list[int]]]:
    size = case["B"] * case["T"]
    tokens = flat_stream(case["stream"], case["rank"], case["world_size"]) * 9
    first = case["skip_batches"] * stride
    starts = [first + number * stride for number in range(case["batches"])]
    return [(tokens[i : i + size], tokens[i + ahead : i + ahead + size]) for i in starts]


@pytest.mark.parametrize("number", range(5))
def test_batches_go_on_where_the_last_one_ended(number: int) -> None:
    case = draw_cases(Random(number), (5000, 900))[number]
    size = case["B"] * case["T"]
    for stride in (size, size + 1):
        right = batches_of(case, stride)
        assert expected_batches(case, right) == right
        late = batches_of(case, stride, ahead=2)
        assert expected_batches(case, late) == right
        assert [steps_ahead(x, y, case) for x, y in late] == [2] * case["batches"]
    assert (
        expected_batches(case, batches_of({**case, "skip_batches": case["skip_batches"] + 1}, size)) is None
    )


def test_a_stretch_that_is_not_there() -> None:
    assert find_stretch([2, 3], [1, 2, 3, 2]) == 1
    assert find_stretch([3, 1], [1, 2, 3, 2]) is None


def test_gaps_are_of_positions_over_all_rows() -> None:
    one = [[[0.0, 1.0], [2.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]]]
    other = [[[0.0, 1.5], [2.0, 2.0]], [[0.0, 0.0], [3.0, 0.0]]]
    assert gaps_by_position(one, other) == [0.5, 3.0]


def test_a_batch_of_two_may_be_the_beginning_of_a_document_and_no_more() -> None:
    assert_varied("inputs", [256, 256])
    assert_varied("inputs", [256, 256, 1])
    with pytest.raises(AssertionError, match="all inputs are the same token"):
        assert_varied("inputs", [256, 256, 256])
