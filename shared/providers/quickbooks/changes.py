"""What changed in a company since a moment: change data capture, and queries where it does not reach."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.domain.cash.accounting import LedgerChange, RecordKind
from shared.domain.ids import digest
from shared.ports.cash import ChangesPage
from shared.providers.quickbooks.client import PAGE, Json, QuickBooksHttp, literal
from shared.providers.quickbooks.reading import text, updated_at_of

ENTITIES = {
    RecordKind.CUSTOMER: "Customer",
    RecordKind.INVOICE: "Invoice",
    RecordKind.PAYMENT: "Payment",
    RecordKind.CREDIT_MEMO: "CreditMemo",
    RecordKind.REFUND: "RefundReceipt",
}

LOOK_BACK = timedelta(days=29)
"""Change data capture answers for 30 days; one is left for clocks and queues."""

OVERLAP = timedelta(minutes=1)
"""Read twice between two reads of changes: times are whole seconds, and what is being written may show later."""


def changes_since(http: QuickBooksHttp, since: datetime, *, now: datetime) -> ChangesPage:
    """Changes in the order of their times, deleted records included.

    Change data capture tells at most 1,000 changes of a kind and remembers 30 days. Beyond either, that kind is listed
    by query, which knows no deleted records: those show when their own id is read.

    Source: GET cdc?entities=...&changedSince=... -> {"CDCResponse": [{"QueryResponse": [{"Invoice": [...]}]}], "time"};
    a deleted object is {"Id", "status": "Deleted", "MetaData"}.
    """
    found: list[LedgerChange] = []
    to_list, read_at = list(ENTITIES), now
    if since > now - LOOK_BACK:
        told, told_at = _told(http, since)
        found = [_change(http.realm_id, kind, body) for kind, bodies in told.items() for body in bodies]
        to_list = [kind for kind, bodies in told.items() if len(bodies) >= PAGE]
        read_at = min(now, told_at or now)
    for kind in to_list:
        where = f"MetaData.LastUpdatedTime >= {literal(_stamp(since))}"
        bodies = http.select(ENTITIES[kind], where, purpose="changes.listed")
        found.extend(_change(http.realm_id, kind, body) for body in bodies)
    unique = {change.event_id: change for change in found}
    changes = sorted(unique.values(), key=lambda change: (change.changed_at, change.kind, change.id))
    return ChangesPage(tuple(changes), complete_until=read_at - OVERLAP)


def _told(http: QuickBooksHttp, since: datetime) -> tuple[dict[RecordKind, list[Json]], datetime | None]:
    """Objects by kind, and when QuickBooks read them, by its own clock."""
    names = ",".join(ENTITIES.values())
    answer = http.get("cdc", purpose="changes.read", entities=names, changedSince=_stamp(since))
    groups = [group for one in answer.get("CDCResponse") or [] for group in one.get("QueryResponse") or []]
    told = {kind: [body for group in groups for body in group.get(name) or []] for kind, name in ENTITIES.items()}
    return told, _time_of(answer)


def _change(realm_id: str, kind: RecordKind, body: Json) -> LedgerChange:
    record, changed_at = text(body, "Id"), updated_at_of(body)
    deleted = body.get("status") == "Deleted"
    event_id = digest("quickbooks-change", realm_id, kind, record, changed_at.isoformat(), int(deleted))
    return LedgerChange(kind, record, changed_at, deleted, realm_id, event_id)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _time_of(answer: Json) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(answer.get("time") or ""))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None
