"""Take in what a ledger says has changed: store it for whose it is, queue it, answer (I25, D9)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from shared import log
from shared.domain.cash.accounting import LedgerChange, RecordKind
from shared.domain.delivery import DeliveryState
from shared.domain.ids import digest
from shared.errors import StaleWriteError
from shared.ports.secrets import Vault
from shared.ports.tasks import Tasks
from shared.ports.time import Clock, Jitter
from shared.records.routes import Routes, Target
from shared.records.store import TenantStore
from shared.usecases.accept_delivery import accept_delivery, delivered_body, done, find_delivery
from shared.usecases.cash.open_ledger import OpenLedger
from shared.usecases.cash.sync_ledger_record import PAYMENT_KINDS, sync_ledger_record

KIND = "ledger.changed"
WORKER = "payment_sync"


def accept_changes(
    provider: str,
    changes: Sequence[LedgerChange],
    *,
    routes: Routes,
    store_of: Callable[[str], TenantStore],
    vault_of: Callable[[str], Vault],
    tasks: Tasks,
    clock: Clock,
) -> int:
    """One delivery for each connection that a verified notice is for; returns how many.

    A notice may carry several companies: each organization is given its own changes and sees no other's. A company that
    nobody connected is counted and forgotten.
    Raises: ProviderUnavailableError; the sender then tries again.
    """
    by_company: defaultdict[str, list[LedgerChange]] = defaultdict(list)
    for change in changes:
        by_company[change.company_id].append(change)
    accepted = 0
    for company_id, told in by_company.items():
        targets = routes.targets(provider, company_id)
        if not targets:
            log.event("delivery.not_ours", provider=provider, changes=len(told))
        for target in targets:
            _accept(provider, target, told, store_of(target.tenant), vault_of(target.tenant), tasks, clock)
            accepted += 1
    return accepted


def _accept(
    provider: str,
    target: Target,
    changes: Sequence[LedgerChange],
    store: TenantStore,
    vault: Vault,
    tasks: Tasks,
    clock: Clock,
) -> None:
    accept_delivery(
        store,
        provider=provider,
        connection_id=target.mailbox_id,
        event_key=digest(*sorted(change.event_id for change in changes)),
        kind=KIND,
        body=json.dumps([change_fields(change) for change in changes]).encode(),
        function=WORKER,
        vault=vault,
        tasks=tasks,
        clock=clock,
    )


def sync_delivery(
    store: TenantStore,
    delivery_id: str,
    *,
    vault: Vault,
    open_ledger: OpenLedger,
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> None:
    """Read again everything a delivery names. Safe to repeat; one that is done is not read again.

    Raises: what reading a record raises; the rest of the delivery is then read by the next try.
    """
    found = find_delivery(store, delivery_id)
    if found is None or found.value.state is DeliveryState.DONE:
        return
    connection_id = found.value.connection_id
    changes = [change_from(fields) for fields in json.loads(delivered_body(vault, found.value))]
    ledger = open_ledger(connection_id)
    named = {(change.kind, change.id): change for change in changes}.values()
    for change in sorted(named, key=lambda change: change.kind not in PAYMENT_KINDS):  # a cause before its effect
        sync_ledger_record(store, connection_id, change, ledger=ledger, tasks=tasks, clock=clock, jitter=jitter)
    try:
        store.commit([done(found.value, found.version)])
    except StaleWriteError:
        log.event("delivery.repeated", tenant=store.tenant, delivery=delivery_id)


def change_fields(change: LedgerChange) -> dict[str, str]:
    """As tasks and deliveries carry it: ids and a time."""
    return {
        "kind": change.kind.value,
        "id": change.id,
        "changed_at": change.changed_at.isoformat(),
        "company": change.company_id,
        "event": change.event_id,
    }


def change_from(fields: Mapping[str, str]) -> LedgerChange:
    return LedgerChange(
        kind=RecordKind(fields["kind"]),
        id=fields["id"],
        changed_at=datetime.fromisoformat(fields["changed_at"]),
        company_id=fields["company"],
        event_id=fields["event"],
    )
