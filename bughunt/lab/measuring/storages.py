"""The memory of the tensors that can be reached from something: not what is said, but what is held."""

from __future__ import annotations

import gc
import sys
import types
from collections.abc import Iterable
from typing import Any

# Bytes of a number, such as a position. That it moves in memory is not of interest.
_SMALL = 16


def weigh(one: Any) -> dict[str, int]:
    """The bytes of all storages that can be reached from an object, its class and its module; and a mark that
    changes when they do."""
    module = sys.modules.get(type(one).__module__)
    roots = [one, *(vars(base) for base in type(one).__mro__), vars(module) if module else {}]
    storages = _reachable_storages(roots)
    kept = sorted(item for item in storages.items() if item[1] > _SMALL)
    return {"bytes": sum(storages.values()), "mark": hash(tuple(kept))}


def bytes_held(one: Any) -> int:
    """The bytes alone."""
    return weigh(one)["bytes"]


def _reachable_storages(roots: Iterable[Any]) -> dict[int, int]:
    """Bytes by address."""
    import torch

    # What leads out of the object into the rest of the program.
    code = (type, types.ModuleType, types.BuiltinFunctionType, types.CodeType, types.FrameType)
    passed_over = (*code, torch.nn.Module, str, bytes, int, float, type(None))
    storages: dict[int, int] = {}
    seen: set[int] = set()
    waiting = list(roots)
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, torch.Tensor):
            storage = one.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
        elif isinstance(one, torch.UntypedStorage):
            storages[one.data_ptr()] = one.nbytes()
        elif isinstance(one, types.FunctionType):
            waiting += [one.__defaults__, one.__kwdefaults__, one.__closure__, vars(one)]
        elif not isinstance(one, passed_over):
            waiting += gc.get_referents(one)
    storages.pop(0, None)
    return storages
