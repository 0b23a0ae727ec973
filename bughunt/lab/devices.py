"""Does code work on another device than the CPU? Found out on a machine that has none.

The device "meta" stands in: its tensors have shapes and no numbers, and do not mix with the CPU's. Computing
with them makes torch import a good deal at first, so a quicker question comes before: does the code stay on
the CPU when every tensor that is made without saying where is made elsewhere?
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def trouble_elsewhere(prepare: Callable[[str], T], work: Callable[[T], Any]) -> str | None:
    """Why `work` fails on another device, or None. `prepare` puts on a device what `work` needs; `work` makes
    a tensor of it, which should be there as well."""
    import torch

    prepared = prepare("cpu")
    try:
        with torch.device("meta"):
            if work(prepared).device.type == "cpu":
                return None
    except Exception:
        pass  # Numbers without a shape may come from the CPU: the longer way decides.
    try:
        found = work(prepare("meta")).device.type
    except Exception as error:
        message = str(error).strip().split("\n")[0]
        return f"{type(error).__name__}: {message}"[:300]
    return None if found == "meta" else f"what comes out is on the device {found}"
