"""Mutants of the service's functions, and the code that runs instead of the original."""

from __future__ import annotations

import ast
import functools
import gc
import hashlib
import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import rotation

from .operators import changes, is_left_out

ROOT = Path(__file__).parents[2]
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Site = tuple[Any, Any, range]  # a list or dictionary, the place of a node in it, and its lines


@dataclass(frozen=True, eq=False)
class Mutant:
    """One change of one function. ``name`` and ``source``, a hash of the function, identify it."""

    path: str
    function: str
    name: str  # module and function, operator, code before and after
    source: str
    lines: range  # of the statement
    tree: ast.Module
    site: _Site
    new: ast.AST

    def code(self, *, control: bool = False) -> CodeType:
        """Compile the mutated function; as a control, the original."""
        holder, place, _ = self.site
        old = holder[place]
        if not control:
            holder[place] = ast.fix_missing_locations(ast.copy_location(self.new, old))
        try:
            module = compile(self.tree, str(ROOT / self.path), "exec", dont_inherit=True)
        finally:
            holder[place] = old
        return next(code for code in _codes(module) if code.co_qualname == self.function)


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def mutants(paths: Iterable[str]) -> list[Mutant]:
    """Return every mutant of files, directories and functions (``file.py::name``)."""
    found: dict[str, Mutant] = {}
    for path, _, wanted in (path.partition("::") for path in sorted(paths)):
        files = [ROOT / path] if path.endswith(".py") else sorted((ROOT / path).rglob("*.py"))
        for file in (file for file in files if not file.match("runtime/log.py")):
            tree = ast.parse(file.read_text())
            for name, definition in _functions(tree.body):
                if wanted in ("", name):
                    mutated = _of(str(file.relative_to(ROOT)), tree, name, definition)
                    found.update((mutant.name, mutant) for mutant in mutated)
    return list(found.values())


def _functions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, _Function]]:
    for node in body:
        if isinstance(node, _Function) and node.name != "_log":
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}.")


def _of(path: str, tree: ast.Module, function: str, definition: _Function) -> Iterator[Mutant]:
    source = hashlib.sha256(ast.unparse(definition).encode()).hexdigest()[:12]
    module, times = path.removesuffix(".py").replace("/", "."), Counter[str]()
    for holder, place, lines in _sites(definition, range(0)):
        for operator, new in changes(holder[place], _durations()):
            name = f"{module}.{function} | {operator} | {_text(holder[place])} → {_text(new)}"
            times[name] += 1
            name += f" #{times[name]}" if times[name] > 1 else ""
            yield Mutant(path, function, name, source, lines, tree, (holder, place, lines), new)


def _text(node: ast.AST) -> str:
    """Return a node as code; Python's versions quote differently."""
    code = f"if {ast.unparse(node.test)}: …" if isinstance(node, ast.If) else ast.unparse(node)
    return " ".join(code.replace('"', "'").split())


def _sites(node: ast.AST, lines: range) -> Iterator[_Site]:
    """Yield the places of the nodes that may be changed, with the lines of their statements."""
    kept = {"annotation", "returns", "decorator_list"}
    kept |= {"args"} if isinstance(node, ast.Lambda | ast.stmt) else set()
    for name, value in ast.iter_fields(node):
        in_list = isinstance(value, list)
        for place in () if name in kept else range(len(value)) if in_list else (name,):
            holder: Any = value if in_list else vars(node)
            child = holder[place]
            if isinstance(child, ast.AST) and not is_left_out(child):
                at = _lines(child) if isinstance(child, ast.stmt) else lines
                yield holder, place, at
                yield from _sites(child, at)


def _lines(statement: ast.stmt) -> range:
    """Return the lines of a statement without its body."""
    body = getattr(statement, "body", [])
    end = body[0].lineno if body else (statement.end_lineno or 0) + 1
    return range(statement.lineno, max(end, statement.lineno + 1))


@functools.cache
def _durations() -> frozenset[str]:
    """Return the names of the service's fields and constants that hold a duration."""
    source = "\n".join(file.read_text() for file in (ROOT / "rotation").rglob("*.py"))
    return frozenset(re.findall(r"^ *(\w+)(?:: timedelta\b| = timedelta\()", source, re.MULTILINE))


class Installer:
    """Replaces the code of functions in this process, also in modules that import them."""

    def __init__(self) -> None:
        for module in pkgutil.walk_packages(rotation.__path__, "rotation."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
        objects = gc.get_objects()
        found = [one for one in objects if isinstance(one, FunctionType)]
        service = str(ROOT / "rotation")
        self._functions = [one for one in found if one.__code__.co_filename.startswith(service)]
        self._caches = [one for one in objects if isinstance(one, functools._lru_cache_wrapper)]

    def install(self, mutant: Mutant, code: CodeType) -> None:
        """Run ``code`` instead of the mutant's function from now on."""
        wanted = (code.co_filename, code.co_qualname)
        for one in self._functions:
            if (one.__code__.co_filename, one.__code__.co_qualname) == wanted:
                one.__code__ = code
        for cache in self._caches:
            cache.cache_clear()
