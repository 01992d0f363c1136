"""Ask the signing service what changed, in one call, and repair what lost notices left behind (Q7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from shared import log
from shared.domain.cash.contract import Contract
from shared.domain.cash.signing import EnvelopeState
from shared.domain.ids import digest
from shared.domain.values import dataclass
from shared.ports.cash import Signing
from shared.ports.documents import Documents
from shared.ports.tasks import Task, Tasks
from shared.ports.time import Clock, Jitter
from shared.records.cash import CashRecords
from shared.records.signing import signing_services
from shared.records.store import TenantStore, guarded
from shared.records.sweeps import signing_connections
from shared.usecases.cash.move_contract import move_contract

OVERLAP = timedelta(hours=1)
"""Asked for again, because two clocks differ and a listing may lag."""

FIRST_TIME = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Repairs:
    """listed: envelopes that changed. ours: those of our contracts. moved: contracts that were behind."""

    listed: int
    ours: int
    moved: int


def queue_reconciles(documents: Documents, *, tasks: Tasks, slot: datetime) -> int:
    """One task for each signing account. slot: of the scheduler's run."""
    found = [(kept.tenant, kept.segment(1)) for kept in signing_connections(documents)]
    tasks.create([reconcile_task(tenant, connection_id, slot.isoformat()) for tenant, connection_id in found])
    return len(found)


def reconcile_task(tenant: str, connection_id: str, slot: str) -> Task:
    """slot: what makes this one new: the scheduler's run, or the moment a person asked."""
    payload = {"tenant": tenant, "connection": connection_id}
    name = digest("contract-reconcile", tenant, connection_id, slot)
    return Task("contract-reconcile", "contract_reconcile", name, payload)


def reconcile_contracts(
    store: TenantStore,
    connection_id: str,
    *,
    signing: Callable[[], Signing],
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> Repairs:
    """Bring every contract up to what the service says. Safe to repeat: the cursor moves after the last one.

    Raises: NotFoundError; what the signing service raises for now.
    """
    services = signing_services(store)
    known = services.get(connection_id).value
    now = clock.now()
    if known.account is None:
        return Repairs(0, 0, 0)
    since = known.read_until - OVERLAP if known.read_until else now - FIRST_TIME
    states = signing().changed_since(since)
    ours = moved = 0
    for state in states:
        contract = _contract_of(store, state)
        if contract is None:
            continue
        ours += 1
        after = move_contract(
            store,
            contract.contract_id,
            state,
            cause="contract.reconciled",
            told_at=None,
            read_at=None,
            tasks=tasks,
            clock=clock,
            jitter=jitter,
        )
        moved += after.status is not contract.status

    def finish() -> None:
        stored = services.get(connection_id)
        until = max(filter(None, (stored.value.read_until, now)))
        store.commit([services.updating(connection_id, replace(stored.value, read_until=until), stored.version)])

    guarded(jitter, f"signing service {connection_id}", finish)
    log.event("contracts.reconciled", tenant=store.tenant, listed=len(states), ours=ours, moved=moved)
    return Repairs(len(states), ours, moved)


def _contract_of(store: TenantStore, state: EnvelopeState) -> Contract | None:
    if state.tenant not in (None, store.tenant):
        return None
    records = CashRecords(store)
    named = state.contract_id if state.contract_id and "/" not in state.contract_id else None
    found = records.contracts.find(named) if named else records.contract_of_envelope(state.envelope_id)
    return found.value if found else None
