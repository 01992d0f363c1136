"""What a function's code can reach from its main.py: parts of the wiring, ports it touches, words it says.

Names are followed through the syntax trees of functions/ and shared/: a function or class that is named is reached, and
everything it names in turn. That is more than what runs, and never less, but for the one module found at run time (a
provider's `connecting`), of which everything is reached that bears the name of some attribute.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

Name = tuple[str, str]
"""Module, and a function, class or constant on its first level."""

PORT_CALLS = frozenset(
    {
        ("blobs", "put"),
        ("blobs", "get"),
        ("blobs", "delete"),
        ("publisher", "publish"),
        ("subscriptions", "lives_for"),
        ("tasks", "create"),
        ("vault", "open"),
        ("vault", "seal"),
    }
)
"""Calls that need a permission, by the name the port goes by everywhere."""

FINDS_CONNECTING = ("shared.providers.connecting", "connecting")


@dataclass(frozen=True, slots=True)
class Reached:
    """wiring: its functions. touched: (port, method). words: every string constant."""

    wiring: frozenset[str]
    touched: frozenset[tuple[str, str]]
    words: frozenset[str]

    def touches(self, port: str) -> bool:
        return any(found == port for found, _ in self.touched)


class _Module:
    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        tree = ast.parse(path.read_text())
        self.definitions: dict[str, ast.AST] = dict(_definitions(tree))
        self.imported: dict[str, Name] = {}
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                self.imported |= imports_within(node)


def _definitions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node
            case ast.Assign(targets=targets):
                yield from ((target.id, node.value) for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.AST() as value):
                yield name, value


def imports_within(tree: ast.AST) -> dict[str, Name]:
    """Local name -> (module, name in it), of what the project itself has."""
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "shared"
        for alias in node.names
    }


@dataclass(frozen=True, slots=True)
class _Said:
    """What one definition says: other names, calls of ports, strings, and attributes of whatever."""

    names: frozenset[Name]
    touched: frozenset[tuple[str, str]]
    words: frozenset[str]
    attributes: frozenset[str]


class Code:
    """The syntax trees of one source tree."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._modules: dict[str, _Module | None] = {}
        self._said: dict[Name, _Said] = {}

    def reached(self, function: str, providers: Iterable[str]) -> Reached:
        """Everything below functions/<function>/main.py; providers: whose modules it may find at run time."""
        main = f"functions.{function}.main"
        connecting = [f"shared.providers.{provider}.connecting" for provider in providers]
        waiting = self._defined(main)
        seen = set(waiting)
        said: list[_Said] = []
        while waiting:
            said.append(self._read(waiting.pop()))
            new = set(said[-1].names)
            if FINDS_CONNECTING in seen and not waiting and not new - seen:
                asked = frozenset().union(*(each.attributes for each in said))
                new = {name for module in connecting for name in self._defined(module) if name[1] in asked}
            waiting += new - seen
            seen |= new
        wired = frozenset(name for module, name in seen if module == "shared.wiring")
        touched = frozenset(call for each in said for call in each.touched)
        return Reached(wired, touched, frozenset(word for each in said for word in each.words))

    def _defined(self, module: str) -> list[Name]:
        loaded = self._module(module)
        return [(module, name) for name in loaded.definitions] if loaded else []

    def _read(self, name: Name) -> _Said:
        if name not in self._said:
            module = self._module(name[0])
            tree = module.definitions.get(name[1]) if module else None
            self._said[name] = self._said_by(module, tree) if module and tree else _Said(*(frozenset(),) * 4)
        return self._said[name]

    def _said_by(self, module: _Module, tree: ast.AST) -> _Said:
        late = imports_within(tree)
        nodes = list(ast.walk(tree))
        return _Said(
            names=frozenset(name for node in nodes for name in self._meant(module, late, node)),
            touched=frozenset(call for node in nodes if isinstance(node, ast.Call) and (call := _port_call(node))),
            words=frozenset(
                node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
            ),
            attributes=frozenset(node.attr for node in nodes if isinstance(node, ast.Attribute)),
        )

    def _meant(self, module: _Module, late: Mapping[str, Name], node: ast.AST) -> Iterator[Name]:
        """The names that a node stands for; late: what the definition imports itself."""
        if isinstance(node, ast.Name):
            if node.id in module.definitions and node.id not in late:
                yield module.name, node.id
            elif target := (late.get(node.id) or module.imported.get(node.id)):
                yield self._where_defined(target)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            target = late.get(node.value.id) or module.imported.get(node.value.id)
            if target and self._module(".".join(target)):
                yield ".".join(target), node.attr

    def _where_defined(self, name: Name) -> Name:
        """Follows a name that a module only hands on."""
        module = self._module(name[0])
        if module and name[1] not in module.definitions and (further := module.imported.get(name[1])):
            return self._where_defined(further)
        return name

    def _module(self, name: str) -> _Module | None:
        if name not in self._modules:
            path = self._root.joinpath(*name.split("."))
            file = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
            self._modules[name] = _Module(name, file) if file.is_file() else None
        return self._modules[name]


def _port_call(node: ast.Call) -> tuple[str, str] | None:
    """("blobs", "put") for `self._blobs.put(...)`, `blobs.put(...)` and `wiring.blobs(tenant).put(...)`."""
    if not isinstance(node.func, ast.Attribute):
        return None
    receiver = node.func.value
    if isinstance(receiver, ast.Call):
        receiver = receiver.func
    if isinstance(receiver, ast.Attribute):
        name = receiver.attr
    elif isinstance(receiver, ast.Name):
        name = receiver.id
    else:
        return None
    call = (name.strip("_"), node.func.attr)
    return call if call in PORT_CALLS else None
