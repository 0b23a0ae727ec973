"""Importing a file that is on no module search path."""

from __future__ import annotations

import importlib.util
from types import ModuleType


def load_module(path: str, name: str) -> ModuleType:
    """Imports the file at `path` under `name`, beside the module search path."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
