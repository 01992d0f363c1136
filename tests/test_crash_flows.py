"""Every function, stopped at every side effect: redelivery always comes to the same end."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from shared.errors import InputError, ProviderUnavailableError
from tests.crash import try_every_point
from tests.crash_flows import FunctionFlow, end_state
from tests.mail_world import ANNA, EVERY_SCOPE, mail_world

HERE = Path(__file__).parent

READ_ONLY = {
    "backfill_estimate": "lists and samples, stores nothing",
    "chain_read": "reads what is stored",
    "connection_status": "reads what is stored",
    "connections": "says the same to everybody",
    "integration_log_read": "reads what is stored",
    "invoices_read": "reads what is stored",
    "message_read": "reads what is stored",
    "missing_explain": "reads what is stored, and searches the mailbox",
    "timeline_read": "reads what is stored",
}
"""Functions without a side effect, and why."""


def all_flows() -> list[FunctionFlow]:
    """FLOWS of every module beside this one that is called `*_flows`: a new area brings its own file."""
    modules = sorted(path.stem for path in HERE.glob("*_flows.py") if not path.stem.startswith("test_"))
    return [found for module in modules for found in importlib.import_module(f"tests.{module}").FLOWS]


@pytest.mark.parametrize("found", all_flows(), ids=lambda found: found.flow.name)
def test_every_point_of_a_flow(found: FunctionFlow, capsys: pytest.CaptureFixture[str]) -> None:
    report = try_every_point(found.flow)
    with capsys.disabled():
        print(f"\n  {str(report).splitlines()[0]}", end="")
    assert len(report.calls) >= found.least, report
    assert not report.failures, str(report)


def test_every_function_has_a_flow() -> None:
    folders = {path.parent.name for path in (HERE.parent / "functions").glob("*/main.py")}
    flown = {function for found in all_flows() for function in found.functions}
    assert flown | set(READ_ONLY) == folders
    assert not flown & set(READ_ONLY)


def test_a_code_that_was_traded_in_a_crash_leaves_the_person_unconnected() -> None:
    """The code works once: the reload is told to start again, and starting again connects."""
    world = mail_world(mailboxes=False)
    state, binding = world.starts()
    code = world.google.agree(ANNA, EVERY_SCOPE)
    before = end_state(world)
    world.google.on_exchange = lambda: setattr(world.memory, "down", True)
    with pytest.raises(ProviderUnavailableError):
        world.returns(state, binding, code)
    world.memory.down, world.google.on_exchange = False, None
    with pytest.raises(InputError, match="start connecting again"):
        world.returns(state, binding, code)
    assert {**end_state(world), "grants": False} == before
    world.connects()
    assert end_state(world)["connections"]
