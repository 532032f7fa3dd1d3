"""The changes that a mutant makes: usual ones, and those that match how this code goes wrong."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

_OTHERS = {
    **{"Lt": "LtE GtE", "LtE": "Lt Gt", "Gt": "GtE LtE", "GtE": "Gt Lt", "Eq": "NotEq"},
    **{"NotEq": "Eq", "Is": "IsNot", "IsNot": "Is", "In": "NotIn", "NotIn": "In"},
    **{"Add": "Sub", "Sub": "Add", "Mult": "FloorDiv", "Div": "Mult", "FloorDiv": "Mult"},
    **{"Mod": "Mult", "And": "Or", "Or": "And"},
}
_SWAPPED = {
    **{"min": "max", "max": "min", "any": "all", "all": "any"},
    **{"key1": "key2", "key2": "key1", "KEY1": "KEY2", "KEY2": "KEY1"},
}
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_EMPTY = ("None", "True", "False", "[]", "()", "{}")


def is_left_out(node: ast.AST | None) -> bool:
    """Return whether a node is a text, a log line, or ``strict=True``, which no test repeats."""
    if isinstance(node, ast.Expr | ast.FormattedValue | ast.Await):
        return is_left_out(node.value)
    if isinstance(node, ast.Call):
        return bool({*ast.unparse(node.func).split(".")[-2:]} & {"log", "_log", "log_fields"})
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str | bytes)
    return isinstance(node, ast.JoinedStr) or getattr(node, "arg", "") == "strict"


def changes(node: ast.AST, durations: frozenset[str]) -> Iterator[tuple[str, ast.AST]]:
    """Yield the name and the result of each change of a node, given the names of durations."""
    yield from _of_expression(node)
    yield from _of_statement(node)
    made = isinstance(node, ast.Call) and ast.unparse(node.func) == "timedelta"
    if (made and ast.unparse(node) != "timedelta()") or _read(node) in durations:
        yield "time", _parsed(f"({ast.unparse(node)}) * 2")


def _of_expression(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Compare(left, [op], right):
            for new in _others(op):
                yield "compare", ast.Compare(left, [new], right)
        case ast.BoolOp(op, parts):
            yield "and/or", ast.BoolOp(_others(op)[0], parts)
            for rest in _without_each(parts):
                yield "drop operand", rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
        case ast.comprehension(target, source, ifs, is_async):
            for rest in _without_each(ifs):
                yield "drop operand", ast.comprehension(target, source, rest, is_async)
        case ast.UnaryOp(ast.Not(), operand):
            yield "not", operand
        case ast.IfExp(_, body, orelse):
            yield from (("one branch", body), ("one branch", orelse))
        case ast.BinOp(left, op, right) if not (is_left_out(left) or is_left_out(right)):
            yield from (("arithmetic", ast.BinOp(left, new, right)) for new in _others(op))
        case ast.Constant(bool(value)):
            yield "constant", ast.Constant(not value)
        case ast.Constant(int(value)):
            yield from (("constant", ast.Constant(value + step)) for step in (1, -1))
        case ast.Subscript(value, ast.Slice(ast.UnaryOp(_, size), None), ctx):
            yield "first/last", ast.Subscript(value, ast.Slice(None, size), ctx)
        case ast.Subscript(value, ast.Constant(0) | ast.UnaryOp(ast.USub()) as index, ctx):
            other = _parsed("-1" if isinstance(index, ast.Constant) else "0")
            yield "first/last", ast.Subscript(value, other, ctx)
        case ast.Dict(keys, found):
            for pairs in _without_each(list(zip(keys, found, strict=True))):
                yield "drop element", ast.Dict([k for k, _ in pairs], [v for _, v in pairs])
        case ast.Tuple(parts, ast.Load()) | ast.List(parts, ast.Load()):
            if len(parts) > 2 or any(isinstance(part, ast.Starred) for part in parts):
                for rest in _without_each(parts):
                    yield "drop element", type(node)(rest, ast.Load())
        case ast.Name(name, ast.Load()) if name in _SWAPPED:
            yield "min/max", ast.Name(_SWAPPED[name], ast.Load())
        case ast.Attribute(value, name, ast.Load()) if name in _SWAPPED:
            yield "other slot", ast.Attribute(value, _SWAPPED[name], ast.Load())
        case ast.Attribute(value, "other", ast.Load()):
            yield "other slot", value
        case ast.Name() | ast.Attribute() if _read(node) in ("slot", "candidate"):
            yield "other slot", ast.Attribute(node, "other", ast.Load())
        case ast.Call(ast.Name("reversed"), [first]):
            yield "first/last", first
        case ast.Call(function, args, keywords):
            for one, rest in zip(keywords, _without_each(keywords), strict=True):
                if one.arg and not is_left_out(one.value) and not is_left_out(one):
                    yield "drop argument", ast.Call(function, args, rest)


def _of_statement(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.If(test) | ast.While(test) if not is_left_out(test):
            if not isinstance(test, ast.Compare | ast.UnaryOp):
                yield "negate", type(node)(ast.UnaryOp(ast.Not(), test), node.body, node.orelse)
            if isinstance(node.body[-1], _LEAVES) and not node.orelse:
                yield "drop rule", ast.Pass()
        case ast.Return(ast.expr() as value):
            if not is_left_out(value) and ast.unparse(value) not in _EMPTY:
                yield "return", ast.Return(ast.Constant(None))
        case ast.Expr(ast.Call() | ast.Await()) | ast.AugAssign() | ast.Delete():
            yield "drop statement", ast.Pass()
        case ast.Assign([ast.Subscript() | ast.Attribute()]):
            yield "drop statement", ast.Pass()
        case ast.Assign([ast.Name(name)], value) if f"'{name}'" in ast.dump(value):
            yield "drop statement", ast.Pass()


def _others(op: ast.AST) -> list[Any]:
    return [getattr(ast, name)() for name in _OTHERS.get(type(op).__name__, "").split()]


def _parsed(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body


def _read(node: ast.AST) -> str:
    """Return the name that an expression reads, without what it is an attribute of."""
    is_read = isinstance(getattr(node, "ctx", None), ast.Load)
    return str(getattr(node, "attr", getattr(node, "id", ""))) if is_read else ""


def _without_each(parts: list[Any]) -> Iterator[list[Any]]:
    yield from ([*parts[:index], *parts[index + 1 :]] for index in range(len(parts)))
