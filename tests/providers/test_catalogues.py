"""Whatever a connection may be said to suffer from has its entry in the catalogue of its provider (G36)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from shared.providers.words import Kind, Problem
from shared.usecases.cash.connect_ledger import NEEDS_CUSTOM_NUMBERS

SHARED = Path(__file__).parents[2] / "shared"
PROVIDERS = sorted(path.parent.name for path in (SHARED / "providers").glob("*/catalogue.py"))
LEDGERS = ("netsuite", "quickbooks")
NAMING = frozenset({"AdminActionError", "ConnectionRevokedError"})
"""The errors whose `reason` is stored with a connection and shown on its page."""


def catalogue(provider: str) -> dict[str, Problem]:
    return dict(import_module(f"shared.providers.{provider}.catalogue").PROBLEMS)


def named_in(folder: Path) -> set[str]:
    """Ids that the code writes out: reasons of errors, and entries it looks up."""
    return {id_ for path in folder.rglob("*.py") for id_ in _ids(ast.parse(path.read_text()))}


def _ids(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in NAMING:
            yield from (_text(keyword.value) for keyword in node.keywords if keyword.arg == "reason")
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "PROBLEMS":
            yield from (_text(choice) for choice in _choices(node.slice))


def _choices(node: ast.expr) -> list[ast.expr]:
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]


def _text(node: ast.expr) -> str:
    """ "" for an id that is looked up and not written out."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_every_provider_has_a_catalogue() -> None:
    folders = {path.parent.name for path in (SHARED / "providers").glob("*/errors.py")}
    assert folders == set(PROVIDERS)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_id_the_code_names_is_in_the_catalogue(provider: str) -> None:
    assert named_in(SHARED / "providers" / provider) - {""} <= set(catalogue(provider))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_entry_can_be_met(provider: str) -> None:
    """By a code of the vendor's, or because our own code names it."""
    ours = named_in(SHARED / "providers" / provider) | (_of_ledgers() if provider in LEDGERS else set())
    codeless = {problem.id for problem in catalogue(provider).values() if not problem.codes}
    assert codeless <= ours


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_stops_a_connection_says_what_to_do(provider: str) -> None:
    for problem in catalogue(provider).values():
        assert problem.sentence.endswith("."), problem.id
        if problem.kind in {Kind.RECONNECT, Kind.ADMIN, Kind.INPUT}:
            assert problem.action.endswith("."), problem.id
        if problem.kind is Kind.RECONNECT:
            assert problem.link, problem.id


@pytest.mark.parametrize("provider", LEDGERS)
def test_what_use_cases_say_of_a_ledger_is_in_its_catalogue(provider: str) -> None:
    assert _of_ledgers() <= set(catalogue(provider))


def test_use_cases_name_no_entry_that_only_some_providers_have() -> None:
    assert named_in(SHARED / "usecases") - {""} == set()


def _of_ledgers() -> set[str]:
    return {NEEDS_CUSTOM_NUMBERS}
