"""Does code work on another device than the CPU? Found out on a machine that has none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from bughunt.lab.measuring.attempts import describe_error
from bughunt.lab.measuring.replacing import replaced

T = TypeVar("T")


def trouble_elsewhere(prepare: Callable[[str], T], work: Callable[[T], Any]) -> str | None:
    """Why `work` fails on another device, or None. `prepare` puts on a device what `work` needs; `work` makes
    a tensor of it, which should be there as well.

    The device "meta" stands in: its tensors have shapes and no numbers, and do not mix with the CPU's.
    Computing with them makes torch import a good deal at first, so a quicker question comes before: does the
    code stay on the CPU when every tensor that is made without saying where is made elsewhere?
    """
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
        return describe_error(error)
    return None if found == "meta" else f"what comes out is on the device {found}"


@contextmanager
def unmixed() -> Iterator[None]:
    """Makes "meta" refuse what any real device refuses: to choose elements of the CPU by a tensor that is
    elsewhere. Torch lets "meta" pass, and chooses nothing. The other way round is allowed everywhere."""
    import torch
    from torch.overrides import TorchFunctionMode

    def chooses_from_elsewhere(tensor: Any, index: Any) -> bool:
        parts = index if isinstance(index, tuple) else (index,)
        return tensor.device.type == "cpu" and any(
            isinstance(part, torch.Tensor) and part.device.type != "cpu" for part in parts
        )

    class Unmixed(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            chooses = function in (torch.Tensor.__getitem__, torch.Tensor.__setitem__)
            if chooses and chooses_from_elsewhere(*args[:2]):
                raise RuntimeError("Tensor on device meta is not on the expected device cpu!")
            return function(*args, **(kwargs or {}))

    with Unmixed():
        yield


@contextmanager
def pretended_cuda() -> Iterator[None]:
    """Lets code that asks for "cuda" run where there is none: its tensors are on the CPU after all."""
    import torch
    from torch.overrides import TorchFunctionMode

    def asks_for_cuda(argument: Any) -> bool:
        return isinstance(argument, (str, torch.device)) and str(argument).split(":")[0] == "cuda"

    class OnTheCpu(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if function in (torch.Tensor.cuda, torch.Tensor.pin_memory):
                return args[0]
            if function is torch.device:
                return function(*args, **(kwargs or {}))
            cpu = torch.device("cpu")
            args = tuple(cpu if asks_for_cuda(one) else one for one in args)
            kwargs = {name: cpu if asks_for_cuda(one) else one for name, one in (kwargs or {}).items()}
            kwargs.pop("pin_memory", None)
            return function(*args, **kwargs)

    with OnTheCpu():
        yield


@contextmanager
def without_accelerators() -> Iterator[None]:
    """Torch says that this machine has nothing but its CPU."""
    import torch

    answer = {"is_available": lambda: False}
    with replaced(torch.cuda, **answer), replaced(torch.backends.mps, **answer):
        yield


@contextmanager
def pretended_gpu() -> Iterator[None]:
    """Lets a script that is given the device "cuda" run as on a machine with one GPU: on the CPU."""
    import torch

    answers = {"is_available": lambda: True, "device_count": lambda: 1, "current_device": lambda: 0}
    silent = dict.fromkeys(("set_device", "manual_seed"), lambda *_: None)
    load = torch.load

    def load_here(file: Any, map_location: Any = None, *arguments: Any, **options: Any) -> Any:
        return load(file, "cpu", *arguments, **options)

    own = {"set_float32_matmul_precision": lambda _: None, "load": load_here}
    with replaced(torch.cuda, **answers, **silent), replaced(torch, **own), pretended_cuda():
        yield
