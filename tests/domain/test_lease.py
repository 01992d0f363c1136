"""Leases and promises: who may write, and when what was promised is late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.domain.lease import FREE, LEASE_FOR, RUN_AT_MOST, Lease
from shared.domain.outbox import OVERDUE_AFTER, promise

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_a_run_ends_well_before_its_lease() -> None:
    assert timedelta(seconds=90) == LEASE_FOR
    assert timedelta(seconds=60) == RUN_AT_MOST


def test_a_lease_nobody_took_is_free() -> None:
    assert FREE.free(NOW)


def test_a_taken_lease_is_free_again_when_its_time_is_over_and_not_before() -> None:
    taken = FREE.taken("anna", NOW)
    assert taken == Lease("anna", NOW + LEASE_FOR, 1)
    assert not taken.free(NOW)
    assert not taken.free(NOW + LEASE_FOR - timedelta(microseconds=1))
    assert taken.free(NOW + LEASE_FOR)


def test_a_lease_without_an_end_binds_nobody() -> None:
    assert Lease(owner="anna").free(NOW)
    assert Lease(until=NOW + LEASE_FOR).free(NOW)


def test_every_taking_counts_and_a_renewal_does_not() -> None:
    later = NOW + timedelta(seconds=40)
    taken = FREE.taken("anna", NOW).released().taken("anna", NOW)
    assert taken.fence == 2
    assert taken.renewed(later) == Lease("anna", later + LEASE_FOR, 2)


def test_a_released_lease_remembers_how_often_it_was_taken() -> None:
    assert FREE.taken("anna", NOW).released() == Lease(None, None, 1)


def test_a_promise_is_late_after_five_minutes() -> None:
    assert timedelta(minutes=5) == OVERDUE_AFTER


def test_a_promise_has_its_function_queue_and_an_id_made_from_its_cause() -> None:
    made = promise("invoice_push", {"tenant": "acme"}, NOW, "i-1")
    assert (made.queue, made.function, made.promised_at, made.rev) == ("invoice-push", "invoice_push", NOW, 1)
    assert made == promise("invoice_push", {"tenant": "acme"}, NOW, "i-1")
    assert made.promise_id != promise("invoice_push", {"tenant": "acme"}, NOW, "i-2").promise_id
    assert made.promise_id != promise("invoice_send", {"tenant": "acme"}, NOW, "i-1").promise_id


def test_a_promise_made_again_gets_a_task_of_its_own() -> None:
    made, later = promise("invoice_push", {"tenant": "acme"}, NOW, "i-1"), NOW + OVERDUE_AFTER
    again = made.again(later)
    assert (again.promise_id, again.rev, again.promised_at) == (made.promise_id, 2, later)
    assert again.task_name != made.task_name


def test_two_organizations_never_share_a_task() -> None:
    acme = promise("invoice_push", {"tenant": "acme"}, NOW, "i-1")
    globex = promise("invoice_push", {"tenant": "globex"}, NOW, "i-1")
    assert acme.task_name != globex.task_name
