"""Put a mutant in the place of a module that is loaded already, so that everybody who imported from it meets it.

The function that differs gets the mutant's code and defaults; a constant is exchanged under its name wherever it was
imported. Nothing is written to disk. A process that did this is of no other use.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType

from tests.mutation.mutants import Mutant


def swap_in(module: ModuleType, mutant: Mutant) -> None:
    """Raises: LookupError if the module has no function of that name; whatever the mutant raises when imported."""
    namespace: dict[str, object] = {"__name__": module.__name__, "__file__": module.__file__}
    exec(compile(mutant.tree, str(module.__file__), "exec"), namespace)  # noqa: S102  # our own module, one word changed
    if mutant.where == "module":
        _exchange_constants(module, mutant.tree, namespace)
        return
    functions = list(_functions(vars(module), mutant.where))
    if not functions:
        raise LookupError(f"{module.__name__} has no function {mutant.where}")
    for old, new in zip(functions, _functions(namespace, mutant.where), strict=True):
        old.__code__ = new.__code__
        if repr(old.__defaults__) != repr(new.__defaults__) or repr(old.__kwdefaults__) != repr(new.__kwdefaults__):
            old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__


def _exchange_constants(module: ModuleType, tree: ast.Module, namespace: dict[str, object]) -> None:
    for name in (target for node in tree.body for target in _assigned(node)):
        old, new = getattr(module, name), namespace[name]
        if repr(old) == repr(new) or isinstance(old, FunctionType):
            continue
        for other in list(sys.modules.values()):
            if getattr(other, "__dict__", {}).get(name) is old:
                setattr(other, name, new)


def _assigned(node: ast.stmt) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    yield from (target.id for target in targets if isinstance(target, ast.Name))


def _functions(members: dict[str, object], name: str) -> Iterator[FunctionType]:
    """The function or method of that name, from behind the property, class method or cache it is wrapped in."""
    outer, _, inner = name.partition(".")
    member = vars(members[outer]).get(inner) if inner else members[outer]
    for layer in (member, getattr(member, "fget", None), getattr(member, "__func__", None)):
        bare = layer
        while bare is not None:
            if hasattr(bare, "cache_clear"):
                bare.cache_clear()
            if isinstance(bare, FunctionType) and not hasattr(bare, "__wrapped__"):
                yield bare
            bare = getattr(bare, "__wrapped__", None)
