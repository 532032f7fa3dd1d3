"""Mutants of the service's functions, and the code that runs instead of the original."""

from __future__ import annotations

import ast
import functools
import gc
import hashlib
import importlib
import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType

import rotation

from .operators import changes, is_log, is_strict, is_text

ROOT = Path(__file__).parents[2]
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, eq=False)
class Mutant:
    """One change of one function. ``key`` names it as long as the function stays the same."""

    path: str
    function: str
    operator: str
    text: str  # the code before and after
    lines: range  # of the statement
    key: str
    tree: ast.Module
    old: ast.AST
    new: ast.AST

    @property
    def name(self) -> tuple[str, str, str]:
        """Names the mutant in the list of reviewed survivors."""
        module = self.path.removesuffix(".py").replace("/", ".")
        return f"{module}.{self.function}", self.operator, self.text

    def code(self, *, control: bool = False) -> CodeType:
        """Compile the mutated function; as a control, the original."""
        new = ast.fix_missing_locations(ast.copy_location(self.new, self.old))
        used = self.old if control else new
        _Replace(self.old, used).visit(self.tree)
        try:
            module = compile(self.tree, str(ROOT / self.path), "exec", dont_inherit=True)
        finally:
            _Replace(used, self.old).visit(self.tree)
        return next(code for code in _codes(module) if code.co_qualname == self.function)


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else self.generic_visit(node)


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
        for file in files:
            tree = ast.parse(file.read_text())
            for name, definition in _functions(tree.body):
                if wanted in ("", name) and not file.match("runtime/log.py"):
                    mutated = _of(str(file.relative_to(ROOT)), tree, name, definition)
                    found.update((mutant.key, mutant) for mutant in mutated)
    return list(found.values())


def _functions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, _Function]]:
    for node in body:
        if isinstance(node, _Function) and node.name != "_log":
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}.")


def _of(path: str, tree: ast.Module, name: str, definition: _Function) -> Iterator[Mutant]:
    source = f"{path} {name} {ast.unparse(definition)}"
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    sites = (
        (*site, change) for site in _sites(definition) for change in changes(site[0], _durations())
    )
    for number, (old, lines, (operator, new)) in enumerate(sites):
        text = f"{_text(old)} → {_text(new)}"
        yield Mutant(path, name, operator, text, lines, f"{digest}-{number}", tree, old, new)


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.If | ast.While):
        return f"if {ast.unparse(node.test)}: …"
    return " ".join(ast.unparse(node).split())


def _sites(definition: _Function) -> Iterator[tuple[ast.AST, range]]:
    """Yield the nodes that may be changed, with the lines of their statements.

    Texts, log lines, decorators, defaults and annotations are left out.
    """
    todo: list[tuple[ast.AST, range]] = [(node, range(0)) for node in definition.body]
    for node, lines in todo:
        if is_text(node) or is_log(node) or is_strict(node):
            continue
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", [])
            end = body[0].lineno if body else (node.end_lineno or 0) + 1
            lines = range(node.lineno, max(end, node.lineno + 1))
        yield node, lines
        skipped = {"annotation", "returns", "decorator_list"}
        skipped |= {"args"} if isinstance(node, ast.Lambda | ast.stmt) else set()
        fields = (value for name, value in ast.iter_fields(node) if name not in skipped)
        inner = (one for value in fields for one in (value if isinstance(value, list) else [value]))
        todo += [(child, lines) for child in inner if isinstance(child, ast.AST)]


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
