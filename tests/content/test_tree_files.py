"""The files of a tree, and what is defined in them."""

from __future__ import annotations

import pytest

from bughunt.content.tree import definitions, is_by_product


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("runs/base/model.pt", True),
        ("nanochat/__pycache__/gpt.cpython-311.pyc", True),
        (".mypy_cache/x.json", True),
        ("nanochat/.ipynb_checkpoints/gpt.py", True),
        ("nanochat/gpt.pyc", True),
        ("nanochat/gpt.py", False),
        (".gitignore", False),
        ("nanochat/runs.py", False),
        ("docs/runs/notes.md", False),
    ],
)
def test_by_products(path: str, expected: bool) -> None:
    assert is_by_product(path) is expected


def test_definitions_are_dotted_names() -> None:
    source = (
        "class A:\n    class B:\n        def f(self): pass\n    async def g(self):\n        def h(): pass\n"
    )
    assert definitions(source) == {"A", "A.B", "A.B.f", "A.g", "A.g.h"}
