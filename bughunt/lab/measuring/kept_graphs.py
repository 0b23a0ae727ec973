"""Whether an object keeps a graph for gradients alive through the tensors that it holds."""

from __future__ import annotations

import gc

# What leads out of an object into the rest of the program.
_PASSED_OVER = ("type", "module", "function", "builtin_function_or_method", "code", "frame", "weakref")


def keeps_graph(thing: object) -> bool:
    """Whether a tensor that can be reached from the object needs gradients."""
    import torch

    seen: set[int] = set()
    waiting = [thing]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or type(one).__name__ in _PASSED_OVER:
            continue
        seen.add(id(one))
        if isinstance(one, torch.Tensor):
            if one.requires_grad:
                return True
        else:
            waiting += gc.get_referents(one)
    return False
