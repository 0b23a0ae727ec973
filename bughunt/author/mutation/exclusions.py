"""What no mutant is made of: what is said, hinted or imported, and data.

These were fixed, as the operators were, before the first score was reported.
"""

from __future__ import annotations

import libcst as cst

from bughunt.author.mutation.source import Source, called

# Texts alone, and the pages of a report.
EXCLUDED_FILES = ("phrasings.py", "report.py")

_SAYING = frozenset({"print", "print0", "warn"})
# These end a program, with a text or a status.
_ENDING = frozenset({"error", "exit"})
_TEXTS = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString)
_SAID = frozenset({"help", "description", "title", "prog", "metavar", "unit", "epilog"})
# Assertions in another form, and what no reader of a file can tell.
_UNOBSERVED = frozenset({"strict", "flush", "encoding"})
_TYPES = frozenset({
    "dict", "list", "tuple", "set", "frozenset", "type", "Callable", "Iterable", "Iterator",
    "Sequence", "Literal", "Any", "Optional", "Union", "Counter", "deque", "Mapping", "Generator",
    "ClassVar", "Final",
})  # fmt: skip
_TYPE_MAKERS = frozenset({"TypeVar", "NewType", "ParamSpec", "NamedTuple"})
_OFF = ("if TYPE_CHECKING", "if __name__")


def is_excluded_file(path: str) -> bool:
    return path.rsplit("/", 1)[-1] in EXCLUDED_FILES


def is_excluded(node: cst.CSTNode, source: Source) -> bool:
    """Is neither this node nor anything below it to be changed?"""
    parent = source.parents.get(node)
    match node:
        case cst.Annotation() | cst.Import() | cst.ImportFrom() | cst.Global() | cst.Nonlocal():
            return True
        case cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString() | cst.Ellipsis()):
            return True
        case cst.Expr(value=cst.Call()):
            return called(node.value) in _SAYING
        case cst.If():
            return source.text(node).startswith(_OFF)
        case cst.FunctionDef():
            return any(called(one.decorator) == "overload" for one in node.decorators)
        case cst.ClassDef():
            return any(source.text(base.value).startswith("Protocol") for base in node.bases)
        case cst.Assign():
            return source.text(node).startswith("__") or _is_type(node.value, source)
        case cst.Subscript():
            return called(node.value) in _TYPES
        case cst.Arg():
            return is_said(node, parent)
    if isinstance(parent, cst.Raise):
        return True
    return isinstance(parent, cst.Assert) and parent.msg is node


def is_said(argument: cst.Arg, call: cst.CSTNode | None) -> bool:
    """Does the argument only say something to people?"""
    if argument.keyword and argument.keyword.value in _SAID | _UNOBSERVED:
        return True
    name = called(call) if isinstance(call, cst.Call) else ""
    if name in _ENDING:
        return isinstance(argument.value, _TEXTS)
    if name in _SAYING or name.endswith(("Error", "Exception", "Warning", "Exit")):
        return True
    second = isinstance(call, cst.Call) and call.args.index(argument) == 1 if call is not None else False
    return name == "setting" and second


def _is_type(value: cst.BaseExpression, source: Source) -> bool:
    """Is this the value of a name for a type?"""
    if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.BitOr):
        return _is_type(value.left, source)
    if isinstance(value, cst.Subscript):
        return called(value.value) in _TYPES
    return isinstance(value, cst.Call) and called(value) in _TYPE_MAKERS
