"""The changes that a mutant makes: usual ones, and those that match how this code goes wrong.

Texts and log lines are not changed: no test is asked to repeat them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

Change = tuple[str, ast.AST]  # the operator, and the node that replaces the present one

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
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_EMPTY = ("None", "True", "False", "[]", "()", "{}")


def is_log(node: ast.AST) -> bool:
    """Return whether a node is a call that writes a log line."""
    if isinstance(node, ast.Expr | ast.Await):
        return is_log(node.value)
    called = ast.unparse(node.func).split(".") if isinstance(node, ast.Call) else []
    return bool({*called[-2:]} & {*_LOGS})


def is_text(node: ast.AST | None) -> bool:
    """Return whether a node is a text, or a statement that is only a docstring."""
    if isinstance(node, ast.Expr | ast.FormattedValue):
        return is_text(node.value)
    constant = isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    return constant or isinstance(node, ast.JoinedStr)


def is_strict(node: ast.AST) -> bool:
    """Return whether a node is ``strict=True``, a check that never fails in correct code."""
    return isinstance(node, ast.keyword) and node.arg == "strict"


def changes(node: ast.AST, durations: frozenset[str]) -> Iterator[Change]:
    """Yield the changes of one node. ``durations`` are the names of durations."""
    for kind in (_logic, _values, _collections, _names, _calls, _statements):
        yield from kind(node)
    if _is_made_duration(node) or _loaded(node) in durations:
        yield "time", ast.parse(f"({ast.unparse(node)}) * 2", mode="eval").body


def _logic(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=[op]):
            for new in _COMPARE[type(op)]:
                yield "compare", ast.Compare(node.left, [new()], node.comparators)
        case ast.BoolOp(op, parts):
            yield "and/or", ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), parts)
            for rest in _without_each(parts):
                yield "drop operand", rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
        case ast.comprehension(target, source, ifs, is_async):
            for rest in _without_each(ifs):
                yield "drop operand", ast.comprehension(target, source, rest, is_async)
        case ast.UnaryOp(ast.Not(), operand):
            yield "not", operand
        case ast.IfExp(_, body, orelse):
            yield from (("one branch", body), ("one branch", orelse))


def _values(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.BinOp(left, op, right) if type(op) in _ARITHMETIC:
            if not is_text(left) and not is_text(right):
                yield "arithmetic", ast.BinOp(left, _ARITHMETIC[type(op)](), right)
        case ast.Constant(bool(value)):
            yield "constant", ast.Constant(not value)
        case ast.Constant(int(value)):
            yield from (("constant", ast.Constant(value + step)) for step in (1, -1))


def _collections(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Subscript(value, ast.Slice(ast.UnaryOp(_, size), None), ctx):
            yield "first/last", ast.Subscript(value, ast.Slice(None, size), ctx)
        case ast.Subscript(value, ast.Constant(0) | ast.UnaryOp(ast.USub()) as index, ctx):
            other = "-1" if isinstance(index, ast.Constant) else "0"
            yield "first/last", ast.Subscript(value, ast.parse(other, mode="eval").body, ctx)
        case ast.Dict(keys, found):
            for pairs in _without_each(list(zip(keys, found, strict=True))):
                yield "drop element", ast.Dict([k for k, _ in pairs], [v for _, v in pairs])
        case ast.Tuple(parts, ast.Load()) | ast.List(parts, ast.Load()):
            if len(parts) > 2 or any(isinstance(part, ast.Starred) for part in parts):
                for rest in _without_each(parts):
                    yield "drop element", type(node)(rest, ast.Load())


def _names(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Name(name, ast.Load()) if name in _SWAPPED:
            yield "min/max", ast.Name(_SWAPPED[name], ast.Load())
        case ast.Attribute(value, name, ast.Load()) if name in _SLOTS:
            yield "other slot", ast.Attribute(value, _SLOTS[name], ast.Load())
        case ast.Attribute(value, "other", ast.Load()):
            yield "other slot", value
        case ast.Name() | ast.Attribute() if _loaded(node) in ("slot", "candidate"):
            yield "other slot", ast.Attribute(node, "other", ast.Load())


def _calls(node: ast.AST) -> Iterator[Change]:
    if not isinstance(node, ast.Call):
        return
    if _called(node) == "reversed":
        yield "first/last", node.args[0]
    for one in node.keywords:
        if one.arg and not is_text(one.value) and not is_strict(one):
            rest = [other for other in node.keywords if other is not one]
            yield "drop argument", ast.Call(node.func, node.args, rest)


def _statements(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.If(test) | ast.While(test) if not is_log(test):
            if not isinstance(test, ast.Compare | ast.UnaryOp):
                negated = ast.UnaryOp(ast.Not(), test)
                yield "negate", type(node)(negated, node.body, node.orelse)
            if isinstance(node.body[-1], _LEAVES) and not node.orelse:
                yield "drop rule", ast.Pass()
        case ast.Return(ast.expr() as value):
            if not is_text(value) and ast.unparse(value) not in _EMPTY:
                yield "return", ast.Return(ast.Constant(None))
        case ast.Expr(ast.Call() | ast.Await()) | ast.AugAssign() | ast.Delete():
            yield "drop statement", ast.Pass()
        case ast.Assign([ast.Subscript() | ast.Attribute()]):
            yield "drop statement", ast.Pass()
        case ast.Assign([ast.Name(name)], value) if name in _names_in(value):
            yield "drop statement", ast.Pass()


def _is_made_duration(node: ast.AST) -> bool:
    """Return whether a node makes a duration other than zero."""
    made = isinstance(node, ast.Call) and bool(node.args or node.keywords)
    return made and _called(node) == "timedelta"


def _called(node: ast.AST) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def _loaded(node: ast.AST) -> str:
    """Return the name that an expression reads, without what it is an attribute of."""
    is_read = isinstance(getattr(node, "ctx", None), ast.Load)
    return str(getattr(node, "attr", getattr(node, "id", ""))) if is_read else ""


def _names_in(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _without_each(parts: list[Any]) -> Iterator[list[Any]]:
    yield from ([*parts[:index], *parts[index + 1 :]] for index in range(len(parts)))
