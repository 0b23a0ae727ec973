"""The modules of bughunt, and what each of them imports: read from the source, nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import bughunt

PACKAGE = Path(bughunt.__file__).resolve().parent


@dataclass(frozen=True)
class Import:
    """`importer` imports `module` (or, for a name of a package, that name) in line `line`.

    `loads` is False for what only a type checker sees, `now` for what waits until a function is called.
    """

    importer: str
    module: str
    line: int
    loads: bool = True
    now: bool = True

    def __str__(self) -> str:
        return f"{self.importer}, line {self.line}: {self.module}"


@cache
def modules() -> dict[str, Path]:
    """The path of each module of bughunt, by its dotted name."""
    paths = sorted(path for path in PACKAGE.rglob("*.py") if "data" not in path.relative_to(PACKAGE).parts)
    return {_name(path): path for path in paths}


@cache
def imports() -> tuple[Import, ...]:
    """All that the modules of bughunt import, in functions and for type checkers, too."""
    return tuple(one for name in modules() for one in imports_of(name))


def imports_of(name: str) -> Iterator[Import]:
    """What one module imports."""
    tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
    yield from _walk(name, tree, loads=True, now=True)


def folder_of(module: str) -> str:
    """The folder of bughunt/ that a module is in; "" for those at the package's top."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (PACKAGE / parts[1]).is_dir() else ""


def _name(path: Path) -> str:
    parts = ("bughunt", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _walk(importer: str, node: ast.AST, *, loads: bool, now: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(importer, alias.name, child.lineno, loads, now)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{importer} imports relatively in line {child.lineno}"
            for alias in child.names:
                yield Import(importer, _module(child.module or "", alias.name), child.lineno, loads, now)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for statement in child.body:
                yield from _walk(importer, ast.Module([statement], []), loads=False, now=now)
            for statement in child.orelse:
                yield from _walk(importer, ast.Module([statement], []), loads=loads, now=now)
        else:
            inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from _walk(importer, child, loads=loads, now=now and not inside)


def _module(package: str, name: str) -> str:
    """What `from package import name` imports: a module of that name, or the package itself."""
    return f"{package}.{name}" if f"{package}.{name}" in modules() else package
