"""No regular expression of ours can be made to try for ever: repetition within repetition never gives back."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the parser of `re` has no public name
    import sre_constants
    import sre_parse

ROOT = Path(__file__).parents[2]
CALLS = {"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
MANY = 20
"""Repetitions from which on giving back is dear."""


def patterns() -> Iterator[tuple[str, str]]:
    """(place, pattern) of each call of `re` in shared/ and functions/, names of its module filled in."""
    for path in sorted([*ROOT.glob("shared/**/*.py"), *ROOT.glob("functions/**/*.py")]):
        tree = ast.parse(path.read_text())
        known = {
            target.id: node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {f"re.{name}" for name in CALLS} and node.args:
                pattern = text_of(node.args[0], known)
                if pattern is not None:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", pattern


def text_of(node: ast.expr, known: dict[str, ast.expr]) -> str | None:
    """The text an expression makes. None for another's `.pattern`, which is looked at where it is written."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Constant(value=bytes(content)):
            return content.decode("latin-1")
        case ast.Name(id=name) if name in known:
            return text_of(known[name], known)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = [text_of(left, known), text_of(right, known)]
        case ast.JoinedStr(values=values):
            parts = [text_of(value, known) for value in values]
        case ast.FormattedValue(value=value):
            return text_of(value, known) or "x"
        case _:
            return None
    return "".join(part or "" for part in parts)


def repeated_within_repeated(parsed: Any, inside: bool = False) -> bool:
    """Whether a repetition that may give back holds another one that may."""
    for code, argument in parsed:
        if code in (sre_constants.MAX_REPEAT, sre_constants.MIN_REPEAT):
            _, most, body = argument
            many = most >= MANY and not one_character(body)
            if inside and most >= MANY and not closed_off(parsed, code, argument):
                return True
            if repeated_within_repeated(body, inside or many):
                return True
        elif any(repeated_within_repeated(inner, inside) for inner in branches(code, argument)):
            return True
    return False


def one_character(body: Any) -> bool:
    if len(body) != 1:
        return False
    code, argument = body[0]
    if code is sre_constants.BRANCH:
        return all(map(one_character, argument[1]))
    return code in (sre_constants.IN, sre_constants.LITERAL, sre_constants.ANY)


def closed_off(parsed: Any, code: Any, argument: Any) -> bool:
    """Whether a mark must stand beside the inner repetition which it cannot take itself: then there is one way only."""
    items = list(parsed)
    place = items.index((code, argument))
    characters = taken(argument[2])
    beside = [items[near] for near in (place - 1, place + 1) if 0 <= near < len(items)]
    marks = [chr(value) for kind, value in beside if kind is sre_constants.LITERAL]
    return characters is not None and any(not characters(mark) for mark in marks)


def taken(body: Any) -> Any:
    """Tells whether a one-character body takes a character; None where that cannot be told."""
    if not one_character(body):
        return None
    compiled = sre_parse.SubPattern(sre_parse.State(), list(body))
    pattern = re.compile(rebuilt(compiled), re.DOTALL)
    return lambda mark: pattern.fullmatch(mark) is not None


def rebuilt(parsed: Any) -> str:
    [(code, argument)] = list(parsed)
    if code is sre_constants.BRANCH:
        return "(?:" + "|".join(map(rebuilt, argument[1])) + ")"
    if code is sre_constants.ANY:
        return "."
    if code is sre_constants.LITERAL:
        return re.escape(chr(argument))
    inner = ""
    for kind, value in argument:
        if kind is sre_constants.NEGATE:
            inner += "^"
        elif kind is sre_constants.LITERAL:
            inner += re.escape(chr(value))
        elif kind is sre_constants.RANGE:
            inner += f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
        else:
            inner += CATEGORIES[str(value)]
    return f"[{inner}]"


CATEGORIES = {
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}


def branches(code: Any, argument: Any) -> list[Any]:
    if code is sre_constants.BRANCH:
        return list(argument[1])
    if code is sre_constants.SUBPATTERN:
        return [argument[3]]
    if code in (sre_constants.ASSERT, sre_constants.ASSERT_NOT):
        return [argument[1]]
    return []  # possessive and atomic ones give nothing back


FOUND = list(patterns())


def test_all_of_them_are_found() -> None:
    assert len(FOUND) > 60


@pytest.mark.parametrize(("place", "pattern"), FOUND, ids=[place for place, _ in FOUND])
def test_no_repetition_gives_back_within_another(place: str, pattern: str) -> None:
    assert not repeated_within_repeated(sre_parse.parse(pattern, re.VERBOSE if "\n" in pattern else 0)), place


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(\w+\s?)*$", r"(?:x+x+)+y", r"([a-z]+\.)*[a-z]+a*|(b*)*"])
def test_the_check_finds_what_it_looks_for(pattern: str) -> None:
    known_safe = r"([a-z]+\.)*"
    assert repeated_within_repeated(sre_parse.parse(pattern))
    assert not repeated_within_repeated(sre_parse.parse(known_safe))
    assert not repeated_within_repeated(sre_parse.parse(r"(?:[^a]*+)*x+y+"))
