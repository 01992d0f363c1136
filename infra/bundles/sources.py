"""The project's own modules: where each lies, what it imports and which names its definitions use.

Only what runs counts: imports under `if TYPE_CHECKING:` and annotations (all of which `from __future__ import
annotations` keeps as text) bring nothing into a process.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

BODY = ""
"""The part of a module that runs when it is imported, beside its functions and classes by their names."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Import:
    """`import module` (name None) or `from module import name`, under the name it gets here."""

    module: str
    name: str | None
    bound_to: str


@dataclass(slots=True)
class Part:
    """What a module's body or one of its definitions imports and names. dotted: "wiring.tasks" as well as "tasks"."""

    imports: list[Import] = field(default_factory=list)
    dotted: set[str] = field(default_factory=set)


class Sources:
    """The modules below some folders of the project, each read once."""

    def __init__(self, root: Path, folders: tuple[str, ...] = ("shared", "functions")) -> None:
        self.root = root
        self.paths = {name: path for folder in folders for name, path in _modules(root, folder)}
        self._read: dict[str, dict[str, Part]] = {}

    @cached_property
    def packages(self) -> frozenset[str]:
        """Everything that has a module below it, with or without an __init__.py."""
        return frozenset(parent for name in self.paths for parent in parents(name))

    def parts(self, module: str) -> dict[str, Part]:
        """The module's parts, by definition, with BODY among them."""
        if module not in self._read:
            path = self.paths[module]
            package = module if path.name == "__init__.py" else module.rpartition(".")[0]
            self._read[module] = _parts(ast.parse(path.read_text("utf-8"), str(path)), package)
        return self._read[module]


def parents(module: str) -> Iterator[str]:
    """The packages around a module, outermost first."""
    names = module.split(".")
    for length in range(1, len(names)):
        yield ".".join(names[:length])


def _modules(root: Path, folder: str) -> Iterator[tuple[str, Path]]:
    for path in sorted((root / folder).rglob("*.py")):
        names = path.relative_to(root).with_suffix("").parts
        yield ".".join(names[:-1] if names[-1] == "__init__" else names), path


def _parts(tree: ast.Module, package: str) -> dict[str, Part]:
    found = {BODY: Part()}
    for statement in tree.body:
        if isinstance(statement, Definition):
            part = found.setdefault(statement.name, Part())
            _Reader(part, package, whole=True).visit(statement)
        _Reader(found[BODY], package, whole=False).visit(statement)
    return found


class _Reader(ast.NodeVisitor):
    """Fills a Part. whole: bodies of functions too; without, what runs when the statement itself runs."""

    def __init__(self, part: Part, package: str, *, whole: bool) -> None:
        self._part, self._package, self._whole = part, package, whole

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test).split(".")[-1] != "TYPE_CHECKING":
            self.generic_visit(node)
            return
        for statement in node.orelse:
            self.visit(statement)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._read_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._read_function(node)

    def _read_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        defaults = [default for default in (*node.args.defaults, *node.args.kw_defaults) if default is not None]
        for part in (*node.decorator_list, *defaults, *(node.body if self._whole else ())):
            self.visit(part)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.target)
        if node.value is not None:
            self.visit(node.value)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            bound_to = alias.asname or alias.name.split(".")[0]
            module = alias.name if alias.asname else alias.name.split(".")[0]
            self._part.imports.append(Import(alias.name, None, "" if module != alias.name else bound_to))
            if module != alias.name:
                self._part.imports.append(Import(module, None, bound_to))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level:
            above = self._package.split(".")
            module = ".".join([*above[: len(above) - node.level + 1], *([module] if module else [])])
        for alias in node.names:
            self._part.imports.append(Import(module, alias.name, alias.asname or alias.name))

    def visit_Name(self, node: ast.Name) -> None:
        self._part.dotted.add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        dotted = _dotted(node)
        if dotted is None:
            self.generic_visit(node)
        else:
            self._part.dotted.add(dotted)


def _dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := _dotted(node.value)) is not None:
        return f"{before}.{node.attr}"
    return None
