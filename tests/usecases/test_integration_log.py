"""Every call to a vendor is written down, beside the work, and none is lost unnoticed (Q13)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from shared.domain.integration_call import IntegrationCall
from shared.errors import ForbiddenError
from shared.usecases.integration_log import WAITING_AT_MOST, CallLog, read_calls
from tests.cash_world import ANNA, FIONA, CashWorld, cash_world
from tests.fakes import START, MemoryDocuments


def call(number: int = 0, *, connection: str = "n-1", at: datetime = START) -> IntegrationCall:
    return IntegrationCall(
        connection, "quickbooks", "invoice.created", "ok", 200, at + timedelta(seconds=number), 0.25, f"tid-{number}"
    )


def memory(world: CashWorld) -> MemoryDocuments:
    assert isinstance(world.documents, MemoryDocuments)
    return world.documents


def test_the_newest_calls_of_one_connection_come_first_in_one_query() -> None:
    world = cash_world()
    log = CallLog(world.store)
    for number in range(3):
        log.write(call(number))
    log.write(call(9, connection="n-2"))
    memory(world).queries.clear()
    shown = read_calls(world.store, "n-1", FIONA, clock=world.clock)
    assert [kept.trace_id for kept in shown] == ["tid-2", "tid-1", "tid-0"]
    assert len(memory(world).queries) == 1


def test_what_is_older_than_thirty_days_is_not_shown() -> None:
    world = cash_world()
    CallLog(world.store).write(call())
    world.passes(days=31)
    assert read_calls(world.store, "n-1", FIONA, clock=world.clock) == []


def test_a_store_that_is_down_does_not_fail_the_work_and_nothing_is_lost() -> None:
    world = cash_world()
    log = CallLog(world.store)
    memory(world).down = True
    log.write(call(1))
    memory(world).down = False
    log.write(call(2))
    assert len(read_calls(world.store, "n-1", FIONA, clock=world.clock)) == 2


def test_of_more_than_can_wait_the_number_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    world = cash_world()
    log = CallLog(world.store)
    memory(world).down = True
    for number in range(WAITING_AT_MOST + 5):
        log.write(call(number))
    assert capsys.readouterr().out.count("integration_log.unwritten") == WAITING_AT_MOST + 5
    memory(world).down = False
    log.write(call(WAITING_AT_MOST + 5))
    shown = read_calls(world.store, "n-1", FIONA, clock=world.clock)
    assert len(shown) + sum(kept.missed for kept in shown) == WAITING_AT_MOST + 6


def test_a_sales_rep_does_not_read_it() -> None:
    with pytest.raises(ForbiddenError):
        read_calls(cash_world().store, "n-1", ANNA, clock=cash_world().clock)
