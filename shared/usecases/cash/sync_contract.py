"""Work on one delivery of the signing service (I22).

A notice that carries signers and our ids moves the contract by itself, unless it tells of an end. An end, or a notice
that carries too little, causes one reading of the envelope; the same envelope is not read twice in fifteen minutes
except for an end, and a second wish within that time is a task after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from shared import log
from shared.domain.cash.contract import Contract
from shared.domain.cash.signing import FINAL_ENVELOPES, SignatureEvent
from shared.domain.delivery import DeliveryState
from shared.domain.ids import digest
from shared.errors import NotFoundError, RateLimitedError
from shared.ports.cash import Signing
from shared.ports.documents import Write
from shared.ports.secrets import Vault
from shared.ports.tasks import Task, Tasks
from shared.ports.time import Clock, Jitter
from shared.records.cash import CashRecords
from shared.records.store import TenantStore, guarded
from shared.usecases.accept_delivery import delivered_body, done, find_delivery
from shared.usecases.cash.move_contract import move_contract

READ_APART = timedelta(minutes=15)
KNOWN_WITHIN = timedelta(minutes=2)
"""A notice may overtake the answer to our sending; after this time an envelope nobody knows is not ours."""

FINAL_KINDS = frozenset({"envelope-completed", "envelope-declined", "envelope-voided"})

ReadEvent = Callable[[bytes], SignatureEvent]


def sync_contract(
    store: TenantStore,
    delivery_id: str,
    *,
    read_event: ReadEvent,
    signing: Callable[[str], Signing],
    vault: Vault,
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> None:
    """signing: the service behind a connection, opened only if it has to be asked. Safe to repeat.

    Raises: PayloadError for a body nobody can read; what the signing service raises for now; RateLimitedError while the
    envelope may still turn out to be ours.
    """
    stored = find_delivery(store, delivery_id)
    if stored is None or stored.value.state is DeliveryState.DONE:
        return
    event = read_event(delivered_body(vault, stored.value))
    settled = done(stored.value, stored.version)
    contract = _contract_of(store, event)
    if contract is None:
        decided_at = stored.value.received_at + KNOWN_WITHIN
        if clock.now() < decided_at:
            raise RateLimitedError(f"delivery {delivery_id} is about an envelope not known yet", resume_at=decided_at)
        store.commit([settled])
        log.event("envelope.not_ours", tenant=store.tenant, delivery=delivery_id)
        return
    final = event.kind in FINAL_KINDS or (event.state is not None and event.state.status in FINAL_ENVELOPES)
    if event.state is not None and (not final or contract.ended):
        move_contract(
            store,
            contract.contract_id,
            event.state,
            cause=delivery_id,
            told_at=event.generated_at,
            read_at=None,
            tasks=tasks,
            clock=clock,
            jitter=jitter,
            also=(settled,),
        )
        return
    read_contract(
        store,
        contract.contract_id,
        event.envelope_id,
        final=final,
        cause=delivery_id,
        signing=lambda: signing(stored.value.connection_id),
        connection_id=stored.value.connection_id,
        tasks=tasks,
        clock=clock,
        jitter=jitter,
        also=(settled,),
    )


def read_contract(
    store: TenantStore,
    contract_id: str,
    envelope_id: str,
    *,
    final: bool,
    cause: str,
    signing: Callable[[], Signing],
    connection_id: str,
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
    also: tuple[Write, ...] = (),
) -> None:
    """Ask the service what the envelope is now, or queue that for when it may be asked.

    That we ask is written first: a worker that dies has used its turn, and a second one waits for its own. A contract
    that came to its end needs no further reading. also: committed with what was learnt, or with the decision to wait.
    """
    now = clock.now()

    def claim() -> Contract | None:
        contracts = CashRecords(store).contracts
        stored = contracts.get(contract_id)
        known = stored.value
        if known.ended or (known.read_at is not None and now < known.read_at + READ_APART and not final):
            return None
        store.commit([contracts.updating(contract_id, replace(known, read_at=now), stored.version)])
        return known

    if guarded(jitter, f"contract {contract_id}", claim) is None:
        known = CashRecords(store).contracts.get(contract_id).value
        if not known.ended:
            start = (known.read_at or now) + READ_APART
            tasks.create([_reading_task(store, contract_id, connection_id, start)])
        _settle(store, also)
        return
    try:
        state = signing().envelope(envelope_id)
    except NotFoundError:
        log.event("envelope.gone", severity="WARNING", tenant=store.tenant, contract=contract_id)
        _settle(store, also)
        return
    move_contract(
        store,
        contract_id,
        state,
        cause=cause,
        told_at=None,
        read_at=now,
        tasks=tasks,
        clock=clock,
        jitter=jitter,
        also=also,
    )


def read_contract_task(
    store: TenantStore,
    contract_id: str,
    connection_id: str,
    *,
    signing: Callable[[], Signing],
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> None:
    """The second wish, after its time: what the envelope is by then. Safe to repeat. Raises: NotFoundError."""
    contract = CashRecords(store).contracts.get(contract_id).value
    if contract.envelope_id is None:
        return
    read_contract(
        store,
        contract_id,
        contract.envelope_id,
        final=False,
        cause="contract.read_later",
        signing=signing,
        connection_id=connection_id,
        tasks=tasks,
        clock=clock,
        jitter=jitter,
    )


def _reading_task(store: TenantStore, contract_id: str, connection_id: str, start: datetime) -> Task:
    """One for each turn, however many wish for it."""
    payload = {"tenant": store.tenant, "contract": contract_id, "connection": connection_id}
    name = digest("contract-read", store.tenant, contract_id, start.isoformat())
    return Task("contract-read", "contract_read", name, payload, not_before=start)


def _settle(store: TenantStore, also: tuple[Write, ...]) -> None:
    if also:
        store.commit(list(also))


def _contract_of(store: TenantStore, event: SignatureEvent) -> Contract | None:
    """By the id that travelled with the envelope, else by the envelope."""
    records = CashRecords(store)
    if event.state is not None and event.state.tenant not in (None, store.tenant):
        return None
    if event.state is not None and event.state.contract_id is not None:
        by_id = records.contracts.find(event.state.contract_id) if "/" not in event.state.contract_id else None
        return by_id.value if by_id else None
    by_envelope = records.contract_of_envelope(event.envelope_id)
    return by_envelope.value if by_envelope else None
