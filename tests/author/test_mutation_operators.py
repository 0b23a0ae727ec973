"""Each operator of `dev mutate`: a line that it changes, into what, and one that it leaves alone."""

from __future__ import annotations

import textwrap

import pytest

pytest.importorskip("libcst")

from bughunt.author.mutation.making import mutants_of
from bughunt.author.mutation.mutant import Mutant
from bughunt.author.mutation.operators import OPERATORS

IN_A_METHOD = "class C:\n    def f(self, a, b, xs, path=None):\n"

# An operator; statements of a method; what it makes of the last one; a last one that it leaves alone.
CASES = [
    ("comparison off by one", "return a < b", ["return a <= b"], "return a == b"),
    ("comparison off by one", "return a >= b", ["return a > b"], "return a is b"),
    ("comparison negated", "return a == b", ["return a != b"], "return a + b"),
    ("comparison negated", "return a not in xs", ["return a in xs"], "return xs"),
    ("comparison negated", "return a < b", ["return a >= b"], "return not a"),
    ("and/or", "return a or b and xs", ["return a and (b and xs)", "return a or (b or xs)"], "return a"),
    ("and/or", "return a and b and xs", ["return (a and b) or xs", "return (a or b) and xs"], "return a"),
    ("condition inverted", "xs = a if b else xs", ["xs = a if not (b) else xs"], "xs = a if a < b else b"),
    ("condition inverted", "a = {x for x in b if a}", ["a = {x for x in b if not (a)}"], "a = {b}"),
    ("not dropped", "return not (a or b)", ["return (a or b)"], "return a or b"),
    ("slice bound off by one", "return xs[a:]", ["return xs[a + 1:]", "return xs[a - 1:]"], "return xs[:]"),
    ("slice bound off by one", "xs[: a or b]", ["xs[: (a or b) + 1]", "xs[: (a or b) - 1]"], "return 1"),
    ("index off by one", "return xs[a]", ["return xs[a + 1]"], 'return xs["key"]'),
    ("range off by one", "return range(a)", ["return range(a + 1)", "return range(a - 1)"], "return list(a)"),
    ("axis changed", "return xs.sum(dim=-1)", ["return xs.sum(dim=0)"], "return xs.sum(start=-1)"),
    ("dtype changed", "return xs.to(torch.int32)", ["return xs.to(torch.int64)"], "return xs.to(a.int32)"),
    ("whole number changed", "return a - 7", ["return a - 8", "return a - 6"], "return a - 7.5"),
    ("whole number changed", "return -1", ["return 0", "return -2"], "return -a"),
    ("float changed", "return 0.5 * a", ["return 1.0 * a", "return 0.0 * a"], "return 5 * a"),
    ("string changed", 'return xs["loss"]', ["return xs['lossx']"], 'return xs.join("a sentence of words")'),
    ("string changed", 'return {"two words": a}', ["return {'two wordsx': a}"], 'raise ValueError("word")'),
    ("switch flipped", "return f(a, strip=True)", ["return f(a, strip=False)"], "return f(a, strip=None)"),
    ("operator changed", "return a * b", ["return a / b"], 'return "text" + b'),
    ("operator changed", "return a - b - 1", ["return a - b + 1", "return a + b - 1"], "return a @ b"),
    ("operator changed", "return a / b ** xs", ["return a * b ** xs", "return a / (b * xs)"], "return a @ b"),
    ("operands swapped", "return a - b", ["return b - a"], "return a + b"),
    ("operands swapped", "return a / (b + 1)", ["return (b + 1) / a"], "return a * b"),
    ("sign dropped", "return -a", ["return a"], "return +a"),
    ("running total changed", "a += b", ["a -= b", "a = b"], "a = a + b"),
    ("arguments swapped", "return f(a, (b, xs))", ["return f((b, xs), a)"], "return f(a, key=b)"),
    ("argument dropped", "return f(a, key=b)", ["return f(a)"], "return f(a, b)"),
    ("argument dropped", "return f(key=a, to=b)", ["return f(to=b)", "return f(key=a)"], "return f(*a)"),
    ("argument dropped", "return xs.get(a, (b))", ["return xs.get(a)"], "print(a, end=b)"),
    ("call left out", "return xs.detach()", ["return xs"], "xs.detach()"),
    ("call left out", "return xs.to(a)", ["return xs"], "return xs.insert(a)"),
    ("call left out", "return norm(a + b)", ["return (a + b)"], "return norm(a, b)"),
    ("method swapped", "return min(a, b)", ["return max(a, b)"], "return f(a, b)"),
    ("method swapped", "return xs.argmax()", ["return xs.argmin()"], "return xs.argmax"),
    ("state not reset", "self.cache = None", ["pass"], "self.cache = a"),
    ("statement left out", "self.cache = a", ["pass"], "cache = a"),
    ("statement left out", "a = a.strip()", ["pass"], "print(a)"),
    ("statement left out", "xs.append(a)", ["pass"], '"""A text."""'),
    ("statement left out", "del a", ["pass"], "return a"),
    ("result lost", "return a", ["return None"], "return None"),
    ("neighbouring name taken", "t0, t1 = a\nreturn xs[t0]", ["return xs[t1]"], "return xs[0]"),
    ("neighbouring attribute taken", "x = a.to_x, a.to_y\nreturn a.to_y", ["return a.to_x"], "return a.b"),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "statements", "expected", "other"), CASES)
def test_this_is_changed_and_that_left(
    operator: str, statements: str, expected: list[str], other: str
) -> None:
    *before, line = statements.splitlines()
    made = [one.after for one in made_of(statements, operator) if one.before == line]
    assert made == expected
    assert [one.after for one in made_of("\n".join([*before, other]), operator) if one.before == other] == []


def test_every_operator_has_a_case() -> None:
    elsewhere = {
        *("default changed", "early return left out", "statements exchanged"),
        *("decorator dropped", "context dropped"),
    }
    assert {one.name for one in OPERATORS} == {case[0] for case in CASES} | elsewhere
    assert len({one.name for one in OPERATORS}) == len(OPERATORS)


def test_a_default_is_lost() -> None:
    source = "def f(pattern=PATTERN, cache=None, size=4):\n    return pattern\n"
    assert after("default changed", source) == [
        "def f(pattern=None, cache=None, size=4):",
        "def f(pattern=PATTERN, cache=0, size=4):",
    ]


def test_a_return_is_left_out_only_where_more_follows() -> None:
    source = "def f(a):\n    if a:\n        return 1\n    return 2\n"
    assert [(one.line, one.after) for one in mutants(source, "early return left out")] == [(3, "pass")]


def test_what_depends_on_each_other_is_exchanged() -> None:
    source = """\
    def f(self, a, b):
        self.total += a
        self.counts.append(self.total)
        x = b
        y = x
        z = a
    """
    assert after("statements exchanged", textwrap.dedent(source)) == [
        "self.counts.append(self.total)\nself.total += a"
    ]


def test_a_mode_is_dropped() -> None:
    source = "@torch.no_grad()\n@other\ndef f():\n    pass\n"
    assert after("decorator dropped", source) == [""]
    source = "def f():\n    with torch.no_grad():\n        pass\n    with open(1) as file:\n        pass\n"
    assert after("context dropped", source) == ['with __import__("contextlib").nullcontext():']


EXCLUDED = '''\
"""A text, 1 < 2."""
from __future__ import annotations
import torch
__all__ = ["f"]
Batch = tuple[int, 4]
if TYPE_CHECKING:
    size = 1
class Groups(Protocol):
    def size(self) -> int:
        return 1
def f(a: Literal["b"] = ...) -> tuple[int, 1]:
    """A text."""
    print(f"{1 + 1} texts", end="")
    raise ValueError(f"{1 + 1}")
    setting(help="word")
    zip(strict=True)
if __name__ == "__main__":
    f(1)
'''


def test_texts_hints_and_imports_are_left_alone() -> None:
    made = [(one.operator, one.before) for one in mutants_of("f.py", EXCLUDED.encode())]
    assert made == [
        ("statement left out", 'raise ValueError(f"{1 + 1}")'),
        ("statement left out", 'setting(help="word")'),
        ("statement left out", "zip(strict=True)"),
    ]


def test_no_two_mutants_are_the_same_and_none_is_the_clean_code() -> None:
    source = b"def f(xs):\n    return xs[1:] if xs[0] < xs[1] else (1)\n"
    texts = [one.edit.of(source) for one in mutants_of("f.py", source)]
    assert len(set(texts)) == len(texts)
    assert source not in texts


def test_an_identity_outlives_changes_elsewhere() -> None:
    one = "def f(x):\n    return x + 1\n"
    moved = f"def g(x):\n    return x * 2\n\n\n{one}\n\ndef h(x):\n    return x + 1\n"
    before = {one.id for one in mutants_of("f.py", one.encode())}
    after = [mutant.id for mutant in mutants_of("f.py", moved.encode())]
    assert before <= set(after)
    assert len(set(after)) == len(after)


def test_equal_changes_of_equal_lines_are_told_apart() -> None:
    made = mutants("def f(x):\n    x += 1\n    x += 1\n", "running total changed")
    assert [(one.before, one.number) for one in made if one.after == "x = 1"] == [
        ("x += 1", 0),
        ("x += 1", 1),
    ]


def test_it_is_said_what_a_statement_needs() -> None:
    source = 'def f(device):\n    if device == "cuda":\n        g(1)\n    g(2)\n'
    needs = {one.line: one.needs for one in mutants_of("f.py", source.encode())}
    assert needs == {2: "cuda", 3: "cuda", 4: ""}


def test_methods_belong_to_their_class_and_inner_functions_to_outer_ones() -> None:
    method = "    def f(self):\n        def g():\n            return 1\n        return g\n"
    source = f"SIZE = 1\nclass C:\n    size = 1\n{method}"
    assert {one.function for one in mutants_of("f.py", source.encode())} == {"", "C", "C.f"}


def made_of(statements: str, operator: str) -> list[Mutant]:
    return mutants(IN_A_METHOD + textwrap.indent(statements, " " * 8) + "\n", operator)


def mutants(source: str, operator: str) -> list[Mutant]:
    return [one for one in mutants_of("f.py", source.encode()) if one.operator == operator]


def after(operator: str, source: str) -> list[str]:
    return [one.after for one in mutants(source, operator)]
