"""The changes that a mutant makes: usual ones, and those that match how this code goes wrong.

Texts and log lines are not changed: no test is asked to repeat them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")

Change = tuple[str, ast.AST]  # the operator and the node to put in the place of the present one

_COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}
_SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}
_SLOTS = {"key1": "key2", "key2": "key1", "KEY1": "KEY2", "KEY2": "KEY1"}
_LOGS = ("log", "_log", "log_fields")


def is_log(node: ast.AST) -> bool:
    """Return whether a node is a call that writes a log line."""
    if isinstance(node, ast.Expr | ast.Await):
        return is_log(node.value)
    found = node.func if isinstance(node, ast.Call) else None
    if isinstance(found, ast.Attribute):
        owner = found.value
        return found.attr in _LOGS or (isinstance(owner, ast.Name) and owner.id in _LOGS)
    return isinstance(found, ast.Name) and found.id in _LOGS


def is_text(node: ast.AST | None) -> bool:
    """Return whether a node is a text, or a statement that is only a docstring."""
    if isinstance(node, ast.Expr | ast.FormattedValue):
        return is_text(node.value)
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    )


def changes(node: ast.AST, durations: frozenset[str], *, again: bool = False) -> Iterator[Change]:
    """Yield the changes of one node.

    ``durations`` are names of durations; ``again`` says that the node assigns to a variable that
    has a value already.
    """
    yield from _logic(node)
    yield from _values(node, durations)
    yield from _statements(node)
    if again:
        yield "drop statement", ast.Pass()


def _logic(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=[op]):
            for new in _COMPARE.get(type(op), ()):
                yield "compare", ast.Compare(node.left, [new()], node.comparators)
        case ast.BoolOp(values=parts):
            yield "and/or", ast.BoolOp(ast.Or() if _is_and(node) else ast.And(), parts)
            for rest in _without_each(parts):
                yield "drop operand", rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
        case ast.UnaryOp(op=ast.Not()):
            yield "not", node.operand
        case ast.IfExp():
            yield "one branch", node.body
            yield "one branch", node.orelse
        case ast.comprehension(ifs=[_, *_]):
            for rest in _without_each(node.ifs):
                yield (
                    "drop operand",
                    ast.comprehension(node.target, node.iter, rest, node.is_async),
                )


def _values(node: ast.AST, durations: frozenset[str]) -> Iterator[Change]:
    match node:
        case ast.BinOp(op=op) if not is_text(node.left) and not is_text(node.right):
            if type(op) in _ARITHMETIC:
                yield "arithmetic", ast.BinOp(node.left, _ARITHMETIC[type(op)](), node.right)
        case ast.Constant(value=bool(value)):
            yield "constant", ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield "constant", ast.Constant(value + 1)
            yield "constant", ast.Constant(value - 1)
        case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
            yield from _named(node, name, durations)
        case ast.Subscript(slice=ast.Slice(lower=ast.UnaryOp(operand=size), upper=None)):
            yield "first/last", ast.Subscript(node.value, ast.Slice(None, size), node.ctx)
        case ast.Subscript(slice=ast.Constant(value=0)):
            yield "first/last", ast.Subscript(node.value, _minus_one(), node.ctx)
        case ast.Subscript(slice=ast.UnaryOp(op=ast.USub())):
            yield "first/last", ast.Subscript(node.value, ast.Constant(0), node.ctx)
        case ast.Dict(keys=keys, values=found):
            for pairs in _without_each(list(zip(keys, found, strict=True))):
                yield "drop element", ast.Dict([k for k, _ in pairs], [v for _, v in pairs])
        case ast.Tuple(elts=parts, ctx=ast.Load()) | ast.List(elts=parts, ctx=ast.Load()):
            if len(parts) > 2 or any(isinstance(part, ast.Starred) for part in parts):
                for rest in _without_each(parts):
                    yield "drop element", type(node)(rest, node.ctx)
        case ast.Call():
            yield from _call(node)


def _named(node: ast.expr, name: str, durations: frozenset[str]) -> Iterator[Change]:
    if name in _SWAPPED and isinstance(node, ast.Name):
        yield "min/max", ast.Name(_SWAPPED[name], ast.Load())
    if isinstance(node, ast.Attribute):
        if name in _SLOTS:
            yield "other slot", ast.Attribute(node.value, _SLOTS[name], node.ctx)
        if name == "other":
            yield "other slot", node.value
    if name in ("slot", "candidate"):
        yield "other slot", ast.Attribute(node, "other", ast.Load())
    if name in durations:
        yield "time", ast.BinOp(node, ast.Mult(), ast.Constant(2))


def _call(node: ast.Call) -> Iterator[Change]:
    called = ast.unparse(node.func)
    if called == "timedelta" and (node.args or node.keywords):
        yield "time", ast.BinOp(node, ast.Mult(), ast.Constant(2))
    if called == "reversed":
        yield "first/last", node.args[0]
    for keyword in node.keywords:
        if keyword.arg and not is_text(keyword.value):
            rest = [other for other in node.keywords if other is not keyword]
            yield "drop argument", ast.Call(node.func, node.args, rest)


def _statements(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.If(test=test) | ast.While(test=test) if not is_log(test):
            if not isinstance(test, ast.Compare | ast.UnaryOp):
                yield "negate", _with_test(node, ast.UnaryOp(ast.Not(), test))
            leaves = isinstance(node.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
            if isinstance(node, ast.If) and leaves and not node.orelse:
                yield "drop rule", ast.Pass()
        case ast.Return(value=value) if value is not None and not _is_plain(value):
            yield "return", ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.AugAssign() | ast.Delete():
            yield "drop statement", ast.Pass()
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
            yield "drop statement", ast.Pass()


def _with_test(node: ast.If | ast.While, test: ast.expr) -> ast.stmt:
    return type(node)(test, node.body, node.orelse)


def _is_plain(value: ast.expr) -> bool:
    """Return whether a returned value is a text, a constant or empty: None is much the same."""
    return is_text(value) or ast.unparse(value) in ("None", "True", "False", "[]", "()", "{}")


def _is_and(node: ast.BoolOp) -> bool:
    return isinstance(node.op, ast.And)


def _minus_one() -> ast.expr:
    return ast.UnaryOp(ast.USub(), ast.Constant(1))


def _without_each(parts: list[T]) -> Iterator[list[T]]:
    for index in range(len(parts)):
        yield [*parts[:index], *parts[index + 1 :]]
