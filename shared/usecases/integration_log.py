"""The integration log: every call to a contract or ledger provider, written beside the work and never lost unnoticed.

A call is written at once, outside the commits that move money. Where that fails, it waits in memory for the next one;
of more than can wait the oldest go, and the next that is written says how many.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Lock

from shared import log
from shared.domain.integration_call import LEDGERS, IntegrationCall
from shared.domain.people import Role, User
from shared.errors import AppError
from shared.ports.time import Clock
from shared.records.ledgers import IntegrationLog
from shared.records.store import TenantStore
from shared.usecases.cash.finance import require_ledger_setup

WAITING_AT_MOST = 200
SHOWN_AT_MOST = 500


class CallLog:
    """Of one connection in one process. Threads may share it."""

    def __init__(self, store: TenantStore) -> None:
        self._store = store
        self._lock = Lock()
        self._waiting: list[IntegrationCall] = []
        self._missed = 0

    def write(self, call: IntegrationCall) -> None:
        """Keep one call. Raises nothing: a log that fails must not fail the work it tells of."""
        with self._lock:
            self._waiting.append(replace(call, missed=self._missed))
            self._missed = 0
            batch = list(self._waiting)
        writing = IntegrationLog(self._store).writing
        try:
            self._store.commit([writing(kept) for kept in batch])
        except AppError as error:
            self._keep_waiting(call, error)
            return
        with self._lock:
            self._waiting = [kept for kept in self._waiting if kept not in batch]

    def _keep_waiting(self, call: IntegrationCall, error: AppError) -> None:
        log.event(
            "integration_log.unwritten",
            severity="ERROR",
            tenant=self._store.tenant,
            connection=call.connection_id,
            purpose=call.purpose,
            result=call.result,
            error=type(error).__name__,
        )
        with self._lock:
            over = max(0, len(self._waiting) - WAITING_AT_MOST)
            self._missed += over + sum(kept.missed for kept in self._waiting[:over])
            self._waiting = self._waiting[over:]


def read_calls(store: TenantStore, connection_id: str, viewer: User, *, clock: Clock) -> list[IntegrationCall]:
    """The newest calls of one connection, newest first, of the last 30 days. Who may connect ledgers alone is shown
    calls to ledgers alone (R2). Raises: ForbiddenError.
    """
    require_ledger_setup(viewer)
    calls = IntegrationLog(store).newest(connection_id, clock.now(), SHOWN_AT_MOST)
    return [call for call in calls if viewer.role is Role.ADMIN or call.provider in LEDGERS]
