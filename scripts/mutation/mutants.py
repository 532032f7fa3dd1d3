"""Mutants of the service's functions, and the code that runs instead of the original."""

from __future__ import annotations

import ast
import functools
import gc
import hashlib
import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from types import CodeType, FunctionType

import rotation

from .operators import changes, is_log, is_text

ROOT = Path(__file__).parents[2]

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_LENGTH = 80


@dataclass(frozen=True, eq=False)
class Mutant:
    """One change of one function. ``text`` says what changed; ``digest`` names the function."""

    path: str
    function: str
    operator: str
    text: str
    lines: range  # of the statement
    digest: str
    number: int
    tree: ast.Module
    definition: _Function
    old: ast.AST
    new: ast.AST

    @property
    def key(self) -> str:
        """Names the mutant, as long as its function stays the same."""
        return f"{self.digest}-{self.number}"

    def code(self) -> CodeType:
        """Compile the mutated function."""
        ast.copy_location(self.new, self.old)
        new = ast.fix_missing_locations(self.new)
        _Replace(self.old, new).visit(self.definition)
        try:
            return _find(compile(self.tree, str(ROOT / self.path), "exec", dont_inherit=True), self)
        finally:
            _Replace(new, self.old).visit(self.definition)

    def original(self) -> CodeType:
        """Compile the function without the change, for a control."""
        return _find(compile(self.tree, str(ROOT / self.path), "exec", dont_inherit=True), self)


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else self.generic_visit(node)


def mutants(paths: Iterable[str]) -> list[Mutant]:
    """Return every mutant of files, directories and functions (``file.py::name``)."""
    durations, found = _durations(), dict[str, Mutant]()
    for path, _, wanted in (path.partition("::") for path in sorted(paths)):
        for file in sorted(_files(ROOT / path)):
            tree = ast.parse(file.read_text())
            for name, definition in _functions(tree.body):
                if wanted in ("", name) and not file.match("runtime/log.py"):
                    relative = str(file.relative_to(ROOT))
                    some = _of(relative, tree, name, definition, durations)
                    found.update((mutant.key, mutant) for mutant in some)
    return list(found.values())


def _files(path: Path) -> list[Path]:
    return [path] if path.suffix else list(path.rglob("*.py"))


def _functions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, _Function]]:
    for node in body:
        if isinstance(node, _Function) and node.name != "_log":
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}.")


def _of(
    path: str, tree: ast.Module, name: str, definition: _Function, durations: frozenset[str]
) -> Iterator[Mutant]:
    source = f"{path} {name} {ast.unparse(definition)}"
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    again = _assigned_again(definition)
    number = 0
    for node, lines in _sites(definition):
        for operator, new in changes(node, durations, again=node in again):
            text = _text(node, new)
            yield Mutant(
                path, name, operator, text, lines, digest, number, tree, definition, node, new
            )
            number += 1


def _text(old: ast.AST, new: ast.AST) -> str:
    """Return the code before and after; of long code, only what differs and its surroundings."""
    before, after = _code(old), _code(new)
    if len(before) <= _LENGTH:
        return f"{before} → {after}"
    start = _shared(before, after)
    end = _shared(before[start:][::-1], after[start:][::-1])
    parts = (f"…{code[max(start - 20, 0) : len(code) - end + 20]}…" for code in (before, after))
    return " → ".join(parts)


def _shared(one: str, other: str) -> int:
    """Return how many characters both texts begin with."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))


def _code(node: ast.AST) -> str:
    if isinstance(node, ast.If | ast.While):
        return f"if {ast.unparse(node.test)}: …"
    return " ".join(ast.unparse(node).split())


def _sites(definition: _Function) -> Iterator[tuple[ast.AST, range]]:
    """Yield the nodes that may be changed, with the lines of their statements.

    Texts, log lines and annotations are left out.
    """
    todo: list[tuple[ast.AST, range]] = [(node, range(0)) for node in definition.body]
    for node, lines in todo:
        if is_text(node) or is_log(node):
            continue
        if isinstance(node, ast.stmt):
            body: list[ast.AST] = getattr(node, "body", [])
            end = getattr(body[0], "lineno", 0) if body else (node.end_lineno or 0) + 1
            lines = range(node.lineno, max(end, node.lineno + 1))
        yield node, lines
        skipped = {"annotation", "returns", "decorator_list"}
        skipped |= set() if isinstance(node, ast.Call) else {"args"}
        for name, value in ast.iter_fields(node):
            inner = value if isinstance(value, list) else [value]
            if name not in skipped:
                todo += [(child, lines) for child in inner if isinstance(child, ast.AST)]


def _assigned_again(definition: _Function) -> set[ast.AST]:
    """Return the assignments to variables that have a value already."""
    bound = {node.arg for node in ast.walk(definition.args) if isinstance(node, ast.arg)}
    found: set[ast.AST] = set()
    simple = [node for node in ast.walk(definition) if isinstance(node, ast.Assign)]
    for node in sorted(simple, key=lambda node: node.lineno):
        names = {n.id for n in ast.walk(node.targets[0]) if isinstance(n, ast.Name)}
        if isinstance(node.targets[0], ast.Name | ast.Tuple) and names <= bound:
            found.add(node)
        bound |= names
    return found


def _durations() -> frozenset[str]:
    """Return the names of all fields and constants of the service that hold a duration."""
    names: set[str] = set()
    for file in (ROOT / "rotation").rglob("*.py"):
        body = ast.parse(file.read_text()).body
        fields = [f for node in body if isinstance(node, ast.ClassDef) for f in node.body]
        for node in (*body, *fields):
            if isinstance(node, ast.AnnAssign) and "timedelta" in ast.unparse(node.annotation):
                names.add(ast.unparse(node.target))
            elif isinstance(node, ast.Assign) and "timedelta(" in ast.unparse(node.value):
                names |= {n.id for n in ast.walk(node.targets[0]) if isinstance(n, ast.Name)}
    return frozenset(names)


def _find(code: CodeType, mutant: Mutant) -> CodeType:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_qualname == mutant.function:
                return constant
            if mutant.function.startswith(f"{constant.co_qualname}."):
                return _find(constant, mutant)
    raise LookupError(mutant.function)


class Installer:
    """Replaces the code of functions in this process, wherever they were imported to."""

    def __init__(self) -> None:
        for module in pkgutil.walk_packages(rotation.__path__, "rotation."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
        self._functions: dict[tuple[str, str], list[FunctionType]] = defaultdict(list)
        objects = gc.get_objects()
        for found in objects:
            if isinstance(found, FunctionType) and found.__code__.co_filename.startswith(str(ROOT)):
                path = str(Path(found.__code__.co_filename).relative_to(ROOT))
                self._functions[path, found.__code__.co_qualname].append(found)
        self._caches = [c for c in objects if isinstance(c, functools._lru_cache_wrapper)]

    def install(self, mutant: Mutant, code: CodeType) -> None:
        """Run ``code`` instead of the mutant's function from now on."""
        for function in self._functions[mutant.path, mutant.function]:
            function.__code__ = code
        for cache in self._caches:
            cache.cache_clear()
