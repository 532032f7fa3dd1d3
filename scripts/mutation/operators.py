"""The changes that a mutant makes: usual ones, and those that match how this code goes wrong."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

_OTHERS = {
    **{"Lt": "LtE GtE", "LtE": "Lt Gt", "Gt": "GtE LtE", "GtE": "Gt Lt", "Eq": "NotEq"},
    **{"NotEq": "Eq", "Is": "IsNot", "IsNot": "Is", "In": "NotIn", "NotIn": "In"},
    **{"Add": "Sub", "Sub": "Add", "Mult": "FloorDiv", "Div": "Mult", "FloorDiv": "Mult"},
    **{"Mod": "Mult", "And": "Or", "Or": "And"},
}
_SWAPPED = {
    **{"min": "max", "max": "min", "any": "all", "all": "any"},
    **{"key1": "key2", "key2": "key1", "KEY1": "KEY2", "KEY2": "KEY1"},
    **{"slot": "slot.other", "candidate": "candidate.other"},
}
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_EMPTY = ("None", "True", "False", "[]", "()", "{}")


def is_left_out(node: ast.AST | None) -> bool:
    """Return whether no test repeats a node: a text, a log line, ``strict=True``, or a default."""
    if isinstance(node, ast.Expr):
        return is_left_out(node.value)
    if isinstance(node, ast.Call):
        return bool({*ast.unparse(node.func).split(".")[-2:]} & {"log", "_log", "log_fields"})
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str | bytes)
    if isinstance(node, ast.If):
        return all(map(is_left_out, [*node.body, *node.orelse]))
    is_strict = isinstance(node, ast.keyword) and node.arg == "strict"
    return is_strict or isinstance(node, ast.JoinedStr | ast.arguments)


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield the name and the result of each change of a node."""
    match node:
        case ast.Compare(left, [op], right):
            yield from (("compare", ast.Compare(left, [new], right)) for new in _others(op))
        case ast.BinOp(left, op, right) if not (is_left_out(left) or is_left_out(right)):
            yield from (("arithmetic", ast.BinOp(left, new, right)) for new in _others(op))
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
        case ast.Constant(bool(value)):
            yield "constant", ast.Constant(not value)
        case ast.Constant(int(value)):
            yield from (("constant", ast.Constant(value + step)) for step in (1, -1))
        case ast.Subscript(value, ast.Slice(ast.UnaryOp(_, size), None), ctx):
            yield "first/last", ast.Subscript(value, ast.Slice(None, size), ctx)
        case ast.Subscript(value, ast.Constant(0) | ast.UnaryOp(ast.USub()) as index, ctx):
            other = ast.Constant(-1 if isinstance(index, ast.Constant) else 0)
            yield "first/last", ast.Subscript(value, other, ctx)
        case ast.Tuple(parts, ast.Load()) | ast.List(parts, ast.Load()):
            if len(parts) > 2 or any(isinstance(part, ast.Starred) for part in parts):
                for rest in _without_each(parts):
                    yield "drop element", type(node)(rest, ast.Load())
        case ast.Dict(keys, values):
            for pairs in _without_each(list(zip(keys, values, strict=True))):
                yield "drop element", ast.Dict([k for k, _ in pairs], [v for _, v in pairs])
        case ast.Call(ast.Name("reversed"), [first]):
            yield "first/last", first
        case ast.Call(function, args, keywords):
            for one, rest in zip(keywords, _without_each(keywords), strict=True):
                if not is_left_out(one.value) and not is_left_out(one):
                    yield "drop argument", ast.Call(function, args, rest)
            if ast.unparse(function) == "timedelta" and (args or keywords):
                yield "time", _parsed(f"{ast.unparse(node)} * 2")
        case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()):
            yield from _of_name(ast.unparse(node))
        case ast.stmt():
            yield from _of_statement(node)


def _of_name(text: str) -> Iterator[tuple[str, ast.AST]]:
    name = text.rpartition(".")[2]
    if name in _SWAPPED:
        yield "swap", _parsed(text.removesuffix(name) + _SWAPPED[name])
    if text.endswith(".other"):
        yield "swap", _parsed(text.removesuffix(".other"))
    if name in _durations():
        yield "time", _parsed(f"({text}) * 2")


def _of_statement(node: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.If(test, body, orelse) | ast.While(test, body, orelse) if not is_left_out(test):
            if not isinstance(test, ast.Compare | ast.UnaryOp):
                yield "negate", type(node)(ast.UnaryOp(ast.Not(), test), body, orelse)
            if isinstance(body[-1], _LEAVES) and not orelse:
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


def _without_each(parts: list[Any]) -> Iterator[list[Any]]:
    yield from ([*parts[:index], *parts[index + 1 :]] for index in range(len(parts)))


@functools.cache
def _durations() -> frozenset[str]:
    """Return the names of the service's fields and constants that hold a duration."""
    source = "\n".join(file.read_text() for file in (ROOT / "rotation").rglob("*.py"))
    return frozenset(re.findall(r"^ *(\w+)(?:: timedelta\b| = timedelta\()", source, re.MULTILINE))
