"""The ledger of one mailbox: `mailboxes/{m}/seen/{gmail id}` (D2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from shared.domain.ledger import Rule, SeenRow, State
from shared.ports.documents import ID, Conditions, Create, Op, Query, Update, Version, Write
from shared.records.codec import Kind
from shared.records.mailboxes import mailbox_path
from shared.records.store import TenantStore
from shared.records.stored import Stored, stored

SEEN: Kind[SeenRow] = Kind(SeenRow)


class Seen:
    def __init__(self, store: TenantStore, mailbox_id: str) -> None:
        self._store = store
        self._rows = f"{mailbox_path(mailbox_id)}/seen"

    def path(self, gmail_id: str) -> str:
        return f"{self._rows}/{gmail_id}"

    def get(self, gmail_id: str) -> Stored[SeenRow] | None:
        return stored(SEEN, self._store.get(self.path(gmail_id)))

    def get_all(self, gmail_ids: Sequence[str]) -> dict[str, Stored[SeenRow]]:
        """Rows by Gmail id; an id without a row is absent."""
        documents = self._store.get_all([self.path(gmail_id) for gmail_id in gmail_ids])
        found = (stored(SEEN, document) for document in documents)
        return {row.value.gmail_id: row for row in found if row}

    def creating(self, row: SeenRow) -> Write:
        return Create(self.path(row.gmail_id), SEEN.fields(row))

    def updating(self, row: SeenRow, version: Version) -> Write:
        return Update(self.path(row.gmail_id), SEEN.fields(row), version)

    def queued_before(self, moment: datetime, limit: int) -> list[Stored[SeenRow]]:
        """Rows queued at or before `moment`, oldest first."""
        where: Conditions = (("state", "==", State.QUEUED.value), ("queued_at", "<=", moment))
        return self._find(Query(self._rows, where=where, order_by=("queued_at",), limit=limit))

    def oldest_queued(self) -> SeenRow | None:
        """The queued row that was listed first."""
        where: Conditions = (("state", "==", State.QUEUED.value),)
        found = self._find(Query(self._rows, where=where, order_by=("listed_at",), limit=1))
        return found[0].value if found else None

    def by_message_key(self, message_key: str) -> list[SeenRow]:
        found = self._find(Query(self._rows, where=(("message_key", "==", message_key),), order_by=(ID,)))
        return [row.value for row in found]

    def of_message(self, message_id: str) -> list[Stored[SeenRow]]:
        """Rows that posted this message of ours."""
        return self._find(Query(self._rows, where=(("message_id", "==", message_id),), order_by=(ID,)))

    def by_rule(self, rule: Rule, limit: int) -> list[Stored[SeenRow]]:
        """Left-out rows of one rule, the smallest ids first."""
        return self._find(Query(self._rows, where=(("rule", "==", rule.value),), order_by=(ID,), limit=limit))

    def private_queued(self) -> list[SeenRow]:
        """Queued rows that only the mailbox's own user may know of."""
        where: Conditions = (("state", "==", State.QUEUED.value), ("private", "==", True))
        return [row.value for row in self._find(Query(self._rows, where=where, order_by=(ID,)))]

    def of_days(self, first: date, last: date, *, after: tuple[str, str] | None, limit: int) -> list[Stored[SeenRow]]:
        """Rows of a range of UTC days in (day, id) order; `after` is the last row's (day, id)."""
        where: Conditions = (("day", ">=", first.isoformat()), ("day", "<=", last.isoformat()))
        start = (after[0], self.path(after[1])) if after else None
        return self._find(Query(self._rows, where=where, order_by=("day", ID), limit=limit, start_after=start))

    def count(
        self,
        *,
        day: date | None = None,
        state: State | None = None,
        rule: Rule | None = None,
        listed_before: datetime | None = None,
        private: bool | None = None,
    ) -> int:
        where: list[tuple[str, Op, Any]] = []
        if day is not None:
            where.append(("day", "==", day.isoformat()))
        if state is not None:
            where.append(("state", "==", state.value))
        if rule is not None:
            where.append(("rule", "==", rule.value))
        if private is not None:
            where.append(("private", "==", private))
        if listed_before is not None:
            where.append(("listed_at", "<=", listed_before))
        return self._store.count(Query(self._rows, where=tuple(where)))

    def _find(self, query: Query) -> list[Stored[SeenRow]]:
        return [Stored(SEEN.value(found.fields), found.version) for found in self._store.find(query)]
