"""A file of the tree as the operators see it: LibCST's nodes, each with its place in the text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, CodeSpan, MetadataWrapper

from bughunt.author.mutation.mutant import Edit

# What binds less tightly than an operand has to.
_LOOSE = (cst.BinaryOperation, cst.BooleanOperation, cst.Comparison, cst.IfExp, cst.Lambda, cst.NamedExpr)
_LOOSE_UNARY = (cst.UnaryOperation, cst.Yield, cst.Await, cst.GeneratorExp)
_MARKS = (
    *(cst.BaseParenthesizableWhitespace, cst.TrailingWhitespace, cst.EmptyLine, cst.Newline, cst.Comment),
    *(cst.Comma, cst.Dot, cst.Colon, cst.Semicolon, cst.AssignEqual, cst.LeftParen, cst.RightParen),
    *(cst.LeftSquareBracket, cst.RightSquareBracket, cst.LeftCurlyBrace, cst.RightCurlyBrace),
)


@dataclass(eq=False)
class Source:
    """One file: its bytes, its nodes, and their parents."""

    path: str
    content: bytes
    module: cst.Module = field(init=False)
    spans: dict[cst.CSTNode, CodeSpan] = field(init=False)
    parents: dict[cst.CSTNode, cst.CSTNode] = field(init=False, default_factory=dict)
    _children: dict[cst.CSTNode, Sequence[cst.CSTNode]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        wrapper = MetadataWrapper(cst.parse_module(self.content), unsafe_skip_copy=True)
        self.module = wrapper.module
        self.spans = dict(wrapper.resolve(ByteSpanPositionProvider))
        for node in self.walk(self.module):
            for child in self.children(node):
                self.parents[child] = node

    def walk(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The node and all below it, in the order of the text."""
        pending = [node]
        while pending:
            yield (one := pending.pop())
            pending += reversed(self.children(one))

    def children(self, node: cst.CSTNode) -> Sequence[cst.CSTNode]:
        """What the node consists of: without white space and punctuation, of which no mutant is made."""
        found = self._children.get(node)
        if found is None:
            found = self._children[node] = [one for one in node.children if not isinstance(one, _MARKS)]
        return found

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """Where the node begins and ends, in bytes, without parentheses and white space around it."""
        span = self.spans[node]
        return span.start, span.start + span.length

    def text(self, node: cst.CSTNode) -> str:
        start, end = self.span(node)
        return self.content[start:end].decode()

    def operand(self, node: cst.CSTNode) -> str:
        """The node's text for a place where it has to hold together."""
        text = self.text(node)
        return f"({text})" if isinstance(node, (*_LOOSE, *_LOOSE_UNARY)) or _has_parentheses(node) else text

    def line(self, offset: int) -> int:
        return self.content.count(b"\n", 0, offset) + 1

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The node's parent, its parent, and so on."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def outer_function(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """The outermost function that the node is in."""
        functions = [one for one in (node, *self.ancestors(node)) if isinstance(one, cst.FunctionDef)]
        return functions[-1] if functions else None

    def scope(self, node: cst.CSTNode) -> str:
        """The outermost function around the node, with its class; or the class, or ""."""
        names: list[str] = []
        for one in (node, *self.ancestors(node)):
            if isinstance(one, cst.FunctionDef):
                names = [one.name.value]
            elif isinstance(one, cst.ClassDef):
                names = [one.name.value, *names]
        return ".".join(names)

    def replaced(self, node: cst.CSTNode, text: str) -> Edit:
        return Edit(*self.span(node), text)

    @cached_property
    def modules(self) -> frozenset[str]:
        """The names that this file gives to modules it imports."""
        found = set()
        for node in self.walk(self.module):
            if isinstance(node, cst.Import):
                for alias in node.names:
                    name = alias.asname.name if alias.asname else _first(alias.name)
                    found.add(self.text(name))
        return frozenset(found)


def _first(name: cst.BaseExpression) -> cst.BaseExpression:
    while isinstance(name, cst.Attribute):
        name = name.value
    return name


def _has_parentheses(node: cst.CSTNode) -> bool:
    """A tuple, or what spans lines: within its parentheses alone it is right."""
    return isinstance(node, cst.Tuple) or bool(getattr(node, "lpar", ()))


def called(node: cst.CSTNode) -> str:
    """The last part of the name of what is called, such as "no_grad"; "" for anything else."""
    function = node.func if isinstance(node, cst.Call) else node
    if isinstance(function, cst.Attribute):
        return function.attr.value
    return function.value if isinstance(function, cst.Name) else ""


def number_of(node: cst.CSTNode) -> int | None:
    """The value of a whole number as it is written, with or without a minus."""
    if isinstance(node, cst.Integer):
        return int(node.evaluated_value)
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        inner = number_of(node.expression)
        return None if inner is None else -inner
    return None


def small_statements(body: Sequence[cst.CSTNode]) -> list[cst.CSTNode | None]:
    """For each line of a block its one small statement, or None for anything else."""
    return [
        one.body[0] if isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 else None
        for one in body
    ]
