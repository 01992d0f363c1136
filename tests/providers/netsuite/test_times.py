"""NetSuite tells minutes in UTC and seconds in wall time; polls and versions hold all the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from local.cloud.serving import running
from local.netsuite.app import create_app
from local.netsuite.simulator import Settings, Simulator
from shared.domain.cash.accounting import InvoiceStatus
from shared.errors import AdminActionError, InputError, NotFoundError
from shared.providers.netsuite import suiteql
from shared.providers.netsuite.ledger import NetsuiteLedger
from tests.fakes import FakeClock
from tests.providers.netsuite.world import World, changed

NEW_YORK = ZoneInfo("America/New_York")
BACK_AT = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
"""When New York's clocks go from 02:00 back to 01:00."""


def test_a_moment_is_written_as_the_accounts_clocks_show_it() -> None:
    at = datetime(2026, 7, 1, 12, 0, 30, tzinfo=UTC)
    assert suiteql.since(at, NEW_YORK) == "TO_DATE('2026-07-01 08:00:30', 'YYYY-MM-DD HH24:MI:SS')"
    assert suiteql.told_at("2026-07-01 08:00:30", NEW_YORK) == at


def test_when_clocks_go_back_an_hour_more_is_asked_for() -> None:
    assert "00:30:00" in suiteql.since(BACK_AT - timedelta(minutes=30), NEW_YORK)
    assert "23:30:00" in suiteql.since(BACK_AT - timedelta(minutes=150), NEW_YORK)
    assert "01:30:00" in suiteql.since(BACK_AT + timedelta(minutes=30), NEW_YORK)


@pytest.mark.parametrize(
    ("minute", "told", "precise", "another_zone"),
    [
        ("2026-07-01T12:00", "2026-07-01 08:00:31", "2026-07-01T12:00:31", False),
        ("2026-11-01T05:30", "2026-11-01 01:30:07", "2026-11-01T05:30:07", False),
        ("2026-11-01T06:30", "2026-11-01 01:30:07", "2026-11-01T06:30:07", False),
        ("2026-07-01T12:00", "2026-07-01 08:01:02", None, False),
        ("2026-07-01T12:00", "2026-07-01 05:00:31", None, True),
        ("2026-07-01T12:00", "2026-07-01 07:45:31", None, True),
    ],
    ids=["summer", "the hour's first time", "its second time", "changed in between", "far away", "a quarter off"],
)
def test_seconds_are_believed_where_they_fit_the_minute(
    minute: str, told: str, precise: str | None, another_zone: bool
) -> None:
    at = datetime.fromisoformat(minute).replace(tzinfo=UTC)
    wanted = datetime.fromisoformat(precise).replace(tzinfo=UTC) if precise else None
    assert suiteql.precise(at, told, NEW_YORK) == wanted
    assert suiteql.is_of_another_zone(at, told, NEW_YORK) is another_zone


def test_literals_cannot_break_out() -> None:
    assert suiteql.text("x' OR '1' = '1") == "'x'' OR ''1'' = ''1'"
    with pytest.raises(InputError):
        suiteql.text("line\nbreak")
    for wrong in ("1 OR 1=1", "", "-1", "٣"):
        with pytest.raises(NotFoundError):
            suiteql.number(wrong)


def test_nothing_is_lost_and_no_version_shrinks_while_clocks_go_back(tmp_path: Path) -> None:
    clock = FakeClock(BACK_AT - timedelta(minutes=30))
    simulator = Simulator(Settings(folder=tmp_path), base=clock.now)
    with running(create_app(simulator)) as url:
        world = World(simulator, url, clock)
        ledger: NetsuiteLedger = world.ledger()
        made = ledger.create_invoice(world.draft(), "key")
        since = clock.now() + timedelta(seconds=1)
        clock.set(BACK_AT + timedelta(minutes=10))
        paid = world.bookkeeper("pay", invoice=made.invoice_id)

        assert paid in {change.id for change in ledger.changes_since(since).changes}
        assert changed(ledger.invoice(made.invoice_id)).version > made.version


def test_a_wrong_time_zone_is_said_and_not_lived_with(world: World) -> None:
    ledger = world.ledger(time_zone="Europe/Berlin")
    with pytest.raises(AdminActionError) as refusal:
        ledger.create_invoice(world.draft(), "key")
    assert refusal.value.reason == "time_zone_wrong"


def test_a_change_between_two_readings_is_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = world.ledger()
    made = ledger.create_invoice(world.draft(), "key")
    world.clock.advance(3600)
    read = ledger._record
    paid: list[str] = []

    def pay_after_reading(record_type: str, record_id: str, purpose: str) -> dict[str, Any]:
        record = read(record_type, record_id, purpose)
        if not paid:
            paid.append(world.bookkeeper("pay", invoice=record_id))
        return record

    monkeypatch.setattr(ledger, "_record", pay_after_reading)
    seen = changed(ledger.invoice(made.invoice_id))
    assert (seen.status, seen.updated_at) == (InvoiceStatus.PAID, world.clock.now())
