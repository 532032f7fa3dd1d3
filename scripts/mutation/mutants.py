"""Mutants of the service's functions, and the code that runs instead of the original."""

from __future__ import annotations

import ast
import functools
import gc
import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import rotation

from .operators import ROOT, changes, is_left_out

_Cache = functools._lru_cache_wrapper


@dataclass(frozen=True, eq=False)
class Mutant:
    """One change of one function: the node ``new`` in place of ``old``."""

    file: Path
    function: str  # the qualified name
    name: str  # module and function, operator, code before and after
    lines: range  # of the statement
    tree: ast.Module
    old: ast.AST
    new: ast.AST

    def install(self) -> None:
        """Run the mutated function in this process from now on; there is no way back."""
        new = ast.fix_missing_locations(ast.copy_location(self.new, self.old))
        self.old.__class__, self.old.__dict__ = type(new), new.__dict__
        self.recompile()

    def recompile(self) -> None:
        """Run the function as the tree has it in this process from now on."""
        module = compile(self.tree, str(self.file), "exec", dont_inherit=True)
        code = next(code for code in _codes(module) if code.co_qualname == self.function)
        for one in functions_and_caches():
            if isinstance(one, _Cache):
                one.cache_clear()
            elif _place(one.__code__) == _place(code):
                one.__code__ = code


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _place(code: CodeType) -> tuple[str, str]:
    return code.co_filename, code.co_qualname


@functools.cache
def functions_and_caches() -> list[Any]:
    """Return those of this process, in which all of the service is imported."""
    for module in pkgutil.walk_packages(rotation.__path__, "rotation."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return [one for one in gc.get_objects() if isinstance(one, FunctionType | _Cache)]


def mutants(paths: Iterable[str]) -> Iterator[Mutant]:
    """Yield the mutants of directories, files and functions (``rotation/a.py::name``)."""
    names = tuple(path.replace(".py", "").replace("::", ".").replace("/", ".") for path in paths)
    for file in sorted((ROOT / "rotation").rglob("*.py")):
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        tree = ast.parse(file.read_text())
        for function, body in _functions(tree.body):
            name, times = f"{module}.{function}", Counter[str]()
            for old, lines in _nodes(body, range(0)) if name.startswith(names) else ():
                for operator, new in changes(old):
                    change = f"{name} | {operator} | {_text(old)} → {_text(new)}"
                    times[change] += 1
                    change += f" #{times[change]}" if times[change] > 1 else ""
                    yield Mutant(file, function, change, lines, tree, old, new)


def _functions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, list[ast.stmt]]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != "_log":
            yield prefix + node.name, node.body
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}.")


def _text(node: ast.AST) -> str:
    """Return the first line of a node as code; Python's versions quote differently."""
    return ast.unparse(node).partition("\n")[0].replace('"', "'")


def _nodes(nodes: Iterable[ast.AST], lines: range) -> Iterator[tuple[ast.AST, range]]:
    """Yield the nodes that may be changed, with the lines of their statements."""
    for node in nodes:
        if not is_left_out(node):
            at = _lines(node) if isinstance(node, ast.stmt) else lines
            yield node, at
            yield from _nodes(ast.iter_child_nodes(node), at)


def _lines(statement: ast.stmt) -> range:
    """Return the lines of a statement without its body."""
    body = getattr(statement, "body", [])
    end = body[0].lineno if body else (statement.end_lineno or 0) + 1
    return range(statement.lineno, max(end, statement.lineno + 1))
