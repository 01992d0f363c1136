"""Small wrong versions of a module: what a tired person would get wrong, one at a time.

Left alone, because a change there says nothing about what the code decides: texts, annotations, log lines, and what
stands in a class body beside its methods.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
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
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}
OPPOSITES = {"min": "max", "max": "min", "any": "all", "all": "any"}
SAYS_NOTHING = frozenset({"annotation", "returns", "decorator_list", "bases"})


@dataclass(frozen=True)
class Mutant:
    """where: the function or method, or "module". was, became: the changed code. tree: the module with the change."""

    line: int
    where: str
    was: str
    became: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Stable while the code around it changes."""
        return f"{self.where}: {self.was} -> {self.became}"


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    original = ast.parse(source)
    for place in _places(original, "module", ()):
        for change in _changes(place.node):
            tree = copy.deepcopy(original)
            parent, field, index = _follow(tree, place.path)
            node = getattr(parent, field) if index is None else getattr(parent, field)[index]
            changed = change(node)
            was, became = _short(place.node), _short(changed)
            if was == became:
                continue
            if index is None:
                setattr(parent, field, changed)
            else:
                getattr(parent, field)[index] = changed
            yield Mutant(place.node.lineno, place.where, was, became, ast.fix_missing_locations(tree))


Path = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class _Place:
    node: ast.stmt | ast.expr
    where: str
    path: Path


def _places(node: ast.AST, where: str, path: Path) -> Iterator[_Place]:
    """Every node that may be changed, with the way to it from the root."""
    if isinstance(node, (ast.stmt, ast.expr)):
        yield _Place(node, where, path)
    if isinstance(node, ast.ClassDef) and where == "module":
        where = f"{node.name}."
    elif isinstance(node, ast.FunctionDef) and (where == "module" or where.endswith(".")):
        where = node.name if where == "module" else where + node.name
    for field, value in ast.iter_fields(node):
        if field in SAYS_NOTHING:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(child, ast.AST) and not _says_nothing(node, child):
                yield from _places(child, where, (*path, (field, index)))


def _says_nothing(parent: ast.AST, child: ast.AST) -> bool:
    if isinstance(child, (ast.Import, ast.ImportFrom)):
        return True
    if isinstance(parent, ast.ClassDef):
        return not isinstance(child, ast.FunctionDef)
    return isinstance(child, ast.Expr) and ast.unparse(child).startswith(("log.", "...", "'", '"'))


def _follow(tree: ast.Module, path: Path) -> tuple[ast.AST, str, int | None]:
    parent: ast.AST = tree
    for field, index in path[:-1]:
        value = getattr(parent, field)
        parent = value if index is None else value[index]
    return (parent, *path[-1])


def _short(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0][:100]


# --------------------------------------------------------------------------------------------------------- the changes

Change = Callable[[ast.AST], ast.AST]


def _changes(node: ast.stmt | ast.expr) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=ops):
            for index, operator in enumerate(ops):
                for other in COMPARISONS[type(operator)]:
                    yield _comparing(index, other)
        case ast.BoolOp(op=joined):
            yield _with(op=ast.Or() if isinstance(joined, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield lambda _: operand
        case ast.BinOp(op=operation) if type(operation) in ARITHMETIC:
            yield _with(op=ARITHMETIC[type(operation)]())
        case ast.Constant(value=bool(said)):
            yield _with(value=not said)
        case ast.Constant(value=int(number)):
            yield _with(value=number + 1)
        case ast.Call():
            yield from _call_changes(node)
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            if not isinstance(test, (ast.Compare, ast.UnaryOp)):
                yield _with(test=ast.UnaryOp(ast.Not(), test))
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield _with(value=ast.Constant(None))
        case ast.Raise() | ast.AugAssign() | ast.Continue() | ast.Break() | ast.Expr():
            yield lambda _: ast.Pass()
        case _:
            return


def _call_changes(call: ast.Call) -> Iterator[Change]:
    if isinstance(call.func, ast.Name) and call.func.id in OPPOSITES:
        yield _with(func=ast.Name(OPPOSITES[call.func.id], ast.Load()))
    plain = not any(isinstance(argument, ast.Starred) for argument in call.args[:2])
    either_way = isinstance(call.func, ast.Name) and call.func.id in OPPOSITES
    if len(call.args) >= 2 and plain and not either_way:
        yield _with(args=[call.args[1], call.args[0], *call.args[2:]])


def _with(**fields: object) -> Change:
    def change(node: ast.AST) -> ast.AST:
        changed = copy.copy(node)
        for name, value in fields.items():
            setattr(changed, name, value)
        return changed

    return change


def _comparing(index: int, other: type[ast.cmpop]) -> Change:
    def change(node: ast.AST) -> ast.AST:
        changed = copy.copy(node)
        assert isinstance(changed, ast.Compare)
        changed.ops = [other() if at == index else operator for at, operator in enumerate(changed.ops)]
        return changed

    return change


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
