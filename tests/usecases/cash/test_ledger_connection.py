"""Connecting a ledger, staying connected, reading it, and telling whose notices are whose (Q8, Q13, I27)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.cash.accounting import LedgerChange, RecordKind
from shared.domain.cash.ledger_settings import Frequency
from shared.domain.connection import Credentials
from shared.domain.mailbox import Status
from shared.errors import AdminActionError, ConnectionRevokedError, InputError
from shared.ports.oauth import Grant
from shared.records.connections import Connections
from shared.records.ledgers import ledgers
from shared.records.routes import Routes, Target, adding_route
from shared.records.store import TenantStore
from shared.records.todos import Todos
from shared.usecases.access_token import REFRESH_TOKEN
from shared.usecases.cash.accept_changes import accept_changes
from shared.usecases.cash.connect_ledger import NEEDS_CUSTOM_NUMBERS, connect_by_keys, connect_ledger, tend_connection
from shared.usecases.cash.read_ledger import read_ledgers
from tests.cash_flows import desk
from tests.cash_schedules import RotatingAuthorization
from tests.cash_world import FIONA, LEDGER, CashWorld, cash_world, sold
from tests.fake_ledger import COMPANY, FakeLedger
from tests.fakes import FakeClock

NETSUITE = Grant("Acme Books", "9876543", None, frozenset(), "", FakeClock().now(), "the keys, sealed")


def connect(world: CashWorld) -> str:
    connection = connect_by_keys(
        world.credit, provider="netsuite", user_id=FIONA.user_id, grant=NETSUITE, tasks=world.tasks
    )
    world.drain(redeliver=True)
    return connection


# ---------------------------------------------------------------------------------------------------------- connecting


def test_a_connected_company_is_read_routed_and_followed_from_now_on() -> None:
    world = cash_world()
    id_ = connect(world)
    settings = ledgers(world.store).get(id_).value
    assert (settings.company, settings.provider) == (COMPANY, "netsuite")
    assert settings.read_until == world.clock.now()
    assert Routes(world.documents).targets("netsuite", COMPANY.company_id) == (Target("acme", id_),)
    assert Connections(world.store).get(id_).value.status is Status.CONNECTED


def test_a_company_without_custom_transaction_numbers_is_refused_and_says_why() -> None:
    clock = FakeClock()
    world = cash_world(ledger=FakeLedger(clock, company=replace(COMPANY, custom_numbers=False)))
    id_ = connect(world)
    connection = Connections(world.store).get(id_).value
    assert (connection.status, connection.problem) == (Status.ADMIN_ACTION_NEEDED, NEEDS_CUSTOM_NUMBERS)
    assert ledgers(world.store).find(id_) is None


def test_connecting_again_keeps_what_was_mapped() -> None:
    world = cash_world()
    id_ = connect(world)
    stored = ledgers(world.store).get(id_)
    mapped = replace(stored.value, default_item="7")
    world.store.commit([ledgers(world.store).updating(id_, mapped, stored.version)])
    assert connect(world) == id_
    assert ledgers(world.store).get(id_).value.default_item == "7"


def test_the_keys_are_sealed() -> None:
    world = cash_world()
    id_ = connect(world)
    kept = Connections(world.store).credentials(id_)
    assert kept is not None
    assert b"sealed" not in kept.value.refresh_token


# ------------------------------------------------------------------------------------------------ a ledger that refuses


def standing(world: CashWorld, connection_id: str = LEDGER) -> tuple[Status, str | None]:
    connection = Connections(world.store).get(connection_id).value
    return connection.status, connection.problem


def test_a_role_that_may_not_read_the_company_is_said_on_the_connection() -> None:
    world = cash_world()
    world.books.shut_out = AdminActionError("no subsidiary", reason="permission_missing")
    id_ = connect(world)
    assert standing(world, id_) == (Status.ADMIN_ACTION_NEEDED, "permission_missing")


def test_what_the_administrator_did_is_tried_when_a_person_says_so() -> None:
    world = cash_world()
    world.books.shut_out = AdminActionError("no subsidiary", reason="permission_missing")
    id_ = connect(world)
    world.books.shut_out = None
    desk(world, id_).act("reopen", {})
    world.drain(redeliver=True)
    assert standing(world, id_) == (Status.CONNECTED, None)
    assert ledgers(world.store).get(id_).value.company == COMPANY
    with pytest.raises(InputError, match="does not wait"):
        desk(world, id_).act("reopen", {})


@pytest.mark.parametrize("name", ["invoice", "changes_since", "create_invoice", "customers"])
def test_a_refusal_of_any_call_stops_the_connection_and_says_why(name: str) -> None:
    """Keys that sign each request have no refresh that would tell."""
    world = sold()
    world.books.on_call = lambda called: setattr(
        world.books, "shut_out", ConnectionRevokedError("401", reason="token_refused") if called == name else None
    )
    opened = world.open_ledger(LEDGER)
    arguments = {"invoice": ("1",), "changes_since": (world.clock.now(),), "create_invoice": (None, "k")}
    with pytest.raises(ConnectionRevokedError):
        getattr(opened, name)(*arguments.get(name, ()))
    assert standing(world) == (Status.RECONNECT_NEEDED, "token_refused")
    with pytest.raises(ConnectionRevokedError, match="waits for a person"):
        world.open_ledger(LEDGER)


def test_a_refusal_of_keys_that_were_replaced_meanwhile_stops_nothing() -> None:
    world = cash_world()
    old = world.open_ledger(LEDGER)
    world.passes(seconds=1)
    stored = Connections(world.store).get(LEDGER)
    anew = replace(stored.value, connected_at=world.clock.now())
    world.store.commit([Connections(world.store).writing(anew)])
    world.books.shut_out = ConnectionRevokedError("401", reason="token_refused")
    with pytest.raises(ConnectionRevokedError):
        old.company()
    assert standing(world) == (Status.CONNECTED, None)


# --------------------------------------------------------------------------------------------------- staying connected


def granted(**ends: timedelta) -> tuple[CashWorld, RotatingAuthorization]:
    world = cash_world()
    vendor = RotatingAuthorization(world.clock)
    world.authorization = vendor
    now = world.clock.now()
    sealed = world.vault.seal(LEDGER, REFRESH_TOKEN, b"refresh-0")
    at = {name: now + left for name, left in ends.items()}
    credentials = Credentials(sealed, sealed, now, **at)  # type: ignore[arg-type]  # the two ends, by name
    world.store.commit([Connections(world.store).writing_credentials(LEDGER, credentials, None)])
    return world, vendor


def test_a_grant_nobody_used_for_a_week_is_refreshed() -> None:
    world, vendor = granted()
    world.passes(days=6)
    tend_connection(world.credit, LEDGER)
    assert vendor.refreshes == 0
    world.passes(days=2)
    tend_connection(world.credit, LEDGER)
    assert vendor.refreshes == 1


def test_before_a_grant_ends_its_person_is_told_at_30_and_at_7_days_once_each() -> None:
    world, _ = granted(hard_end_at=timedelta(days=40))
    told = []
    for _ in range(41):
        tend_connection(world.credit, LEDGER)
        told.append(len(Todos(world.store).of_deal("")))
        world.passes(days=1)
    assert (told[9], told[10], told[32], told[33], told[40]) == (0, 1, 1, 2, 2)
    sentence = Todos(world.store).of_deal("")[0].sentence
    assert sentence == "The connection to Acme Books ends on 2026-04-11. Connect it anew before that."


# -------------------------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("has_notices", "frequency", "hours", "due"),
    [
        (False, Frequency.REAL_TIME, 0, True),
        (True, Frequency.REAL_TIME, 5, False),
        (False, Frequency.HOURLY, 0.5, False),
        (True, Frequency.HOURLY, 1, True),
        (False, Frequency.DAILY, 23, False),
        (False, Frequency.DAILY, 24, True),
    ],
)
def test_a_poll_asks_a_ledger_as_often_as_is_wanted(
    has_notices: bool, frequency: Frequency, hours: float, due: bool
) -> None:
    world = cash_world()
    world.settings(has_notices=has_notices, frequency=frequency, read_at=world.clock.now())
    world.passes(hours=hours)
    queued = read_ledgers(world.documents, tasks=world.tasks, clock=world.clock, slot=world.clock.now(), thorough=False)
    assert queued == int(due)


def test_every_ledger_is_read_once_a_day_whatever_is_wanted() -> None:
    world = cash_world()
    world.settings(read_at=world.clock.now())
    slot = world.clock.now()
    for _ in range(2):  # the job runs twice for one slot
        read_ledgers(world.documents, tasks=world.tasks, clock=world.clock, slot=slot, thorough=True)
    assert len(world.queue.pending("ledger-read")) == 1


def test_reading_goes_on_from_where_it_was_with_an_overlap() -> None:
    world = cash_world()
    asked = []
    original = world.books.changes_since

    def noted(since: object) -> object:
        asked.append(since)
        return original(since)  # type: ignore[arg-type]  # a datetime

    world.books.changes_since = noted  # type: ignore[assignment, method-assign]  # listens to what it is asked
    first = world.clock.now()
    world.passes(hours=1)
    world.reconciles()
    second = world.clock.now()
    world.passes(hours=1)
    world.reconciles()
    assert asked == [first - timedelta(minutes=2), second - timedelta(minutes=2)]


def test_a_change_within_the_second_of_the_one_before_does_not_wait_for_its_turn() -> None:
    """The ledger tells whole seconds: both look the same, and a queue that remembers names must not drop the second."""
    world = sold()
    world.settings(has_notices=False)
    world.wins()
    world.settings(read_until=world.clock.now() + timedelta(minutes=1))  # as in the minutes after connecting
    payment = world.books.pays(world.mirror().invoice.invoice_id, 4_000)
    world.reconciles()
    stands_still = world.books._changes[-1].changed_at
    world.passes(seconds=2)
    world.books.bounces(payment)
    world.books._changes[:] = [replace(change, changed_at=stands_still) for change in world.books._changes]
    world.reconciles()
    assert world.records.payments.where(())[0].value.payment.voided


def test_a_change_that_lies_back_is_read_again_once_while_the_queue_remembers_it() -> None:
    world = sold()
    world.queue.tombstone_s = 3600  # without it the change is read at every reading, which costs calls and nothing else
    world.wins()
    world.reconciles()
    world.books.calls.clear()
    readings = []
    for _ in range(4):
        world.passes(seconds=30)
        world.settings(read_until=world.clock.now())
        world.reconciles()
        readings.append(world.books.calls["invoice"])
    assert readings[-1] == readings[-2]


def test_a_thorough_reading_finds_a_deletion_nobody_told_of() -> None:
    world = sold()
    world.wins()
    world.books.deletes(world.mirror().invoice.invoice_id)
    world.books.forget_changes()
    world.reconciles()
    assert world.mirror().invoice.status == "open"
    world.reconciles(thorough=True)
    assert world.mirror().invoice.status == "deleted"


# -------------------------------------------------------------------------------------------------- whose notices (I27)


def change(company: str, id_: str) -> LedgerChange:
    return LedgerChange(RecordKind.INVOICE, id_, FakeClock().now(), company_id=company, event_id=f"e-{company}-{id_}")


def deliveries(world: CashWorld, tenant: str) -> int:
    return sum(path.startswith(f"tenants/{tenant}/deliveries/") for path in world.documents.paths())  # type: ignore[attr-defined]  # MemoryDocuments


def test_one_post_for_several_companies_gives_each_organization_its_own() -> None:
    world = cash_world()
    world.documents.commit([adding_route("quickbooks", "other-realm", Target("rival", "n-rival"))])
    accepted = accept_changes(
        "quickbooks",
        [change(COMPANY.company_id, "1"), change("other-realm", "2"), change("nobodys", "3")],
        routes=Routes(world.documents),
        store_of=lambda tenant: TenantStore(world.documents, tenant),
        vault_of=lambda _: world.vault,
        tasks=world.tasks,
        clock=world.clock,
    )
    assert accepted == 2
    assert (deliveries(world, "acme"), deliveries(world, "rival")) == (1, 1)
    ours = [task.payload for task in world.queue.pending("payment-sync") if task.payload["tenant"] == "acme"]
    assert len(ours) == 1


def test_a_notice_delivered_twice_is_one_delivery_and_one_task() -> None:
    world = cash_world()
    for _ in range(2):
        world.hears(change(COMPANY.company_id, "1"))
    assert deliveries(world, "acme") == 1
    assert len(world.queue.pending("payment-sync")) == 1


def test_a_delivery_that_is_done_is_not_worked_on_again() -> None:
    world = sold()
    world.wins()
    world.books.pays(world.mirror().invoice.invoice_id, 10_000)
    told = list(world.books.notices)
    world.hears_all()
    world.books.calls.clear()
    world.queue.tombstone_s = 0
    world.hears(*told)
    world.drain()
    assert not world.books.calls


def test_connect_ledger_is_safe_to_repeat() -> None:
    world = cash_world()
    for _ in range(2):
        connect_ledger(
            world.store,
            LEDGER,
            ledger=world.ledger,
            has_notices=True,
            documents=world.documents,
            clock=world.clock,
            jitter=world.jitter,
        )
    assert Routes(world.documents).targets("quickbooks", COMPANY.company_id) == (Target("acme", LEDGER),)
