"""The audit log: who did what, when, from where, to which record (R8). Ids; values only where they are no secret."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from shared.domain.ids import short_id
from shared.domain.values import dataclass
from shared.ports.documents import ID, Merge, Query, Write
from shared.records.codec import Kind
from shared.records.store import TenantStore


@dataclass(frozen=True, slots=True)
class AuditRow:
    """actor: a user's id, or "system". action: noun and past verb. before, after: what changed, as short texts.
    ip: the address a person's request came from; "" for what the product does by itself."""

    actor: str
    action: str
    subject: str
    at: datetime
    before: Mapping[str, str]
    after: Mapping[str, str]
    ip: str = ""


AUDIT: Kind[AuditRow] = Kind(AuditRow)


class Audit:
    def __init__(self, store: TenantStore) -> None:
        self._store = store

    def recording(
        self,
        actor: str,
        action: str,
        subject: str,
        at: datetime,
        *,
        before: Mapping[str, str] | None = None,
        after: Mapping[str, str] | None = None,
    ) -> Write:
        """Part of the commit it tells of; a repeat of that commit is the same row."""
        row = AuditRow(actor, action, subject, at, before or {}, after or {}, self._store.asked_from)
        row_id = short_id("u", actor, action, subject, at.isoformat())
        return Merge(f"audit/{row_id}", AUDIT.fields(row))

    def newest(self, limit: int) -> list[AuditRow]:
        found = self._store.find(Query("audit", order_by=("-at", f"-{ID}"), limit=limit))
        return [AUDIT.value(document.fields) for document in found]
