"""Draw Gmail units from a mailbox's budget: one document per organization, one draw per sync run or page (D5, D6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from shared.domain.budget import Bucket, Draw, blocked, divided, draw, live_share, new_bucket
from shared.ports.documents import Create, Update, Version
from shared.ports.time import Clock, Jitter
from shared.records.mailboxes import BUCKET
from shared.records.store import TenantStore, guarded
from shared.records.stored import Stored, stored


class MailBudget:
    """The budget at `path`, shared by everything in this organization that reads the mailbox.

    quota_units_per_minute: the vendor's. sharers: asks at every draw how many organizations read the mailbox; each has
    its part of the quota, and all together never more than it.
    """

    def __init__(
        self,
        store: TenantStore,
        path: str,
        *,
        quota_units_per_minute: int,
        sharers: Callable[[], int],
        clock: Clock,
        jitter: Jitter,
    ) -> None:
        self._store = store
        self._path = path
        self._quota = quota_units_per_minute
        self._sharers = sharers
        self._clock = clock
        self._jitter = jitter

    def draw(self, cost: int, *, past: bool = False, may_owe: bool) -> Draw:
        """Take `cost` units as domain.budget.draw decides; a refused one writes no more than a new bucket or part.

        past: for mail that is no news; the share of live mail is left to it.
        """
        sharers = self._sharers()
        part = self._quota // sharers
        floor = live_share(part) if past else 0.0

        def attempt() -> Draw:
            now = self._clock.now()
            document = stored(BUCKET, self._store.get(self._path))
            bucket = self._bucket(document, sharers, now)
            result = draw(bucket, cost, now, quota_units_per_minute=part, floor=floor, may_owe=may_owe)
            if result.granted or document is None or result.bucket != document.value:
                self._write(result.bucket, document.version if document else None)
            return result

        return guarded(self._jitter, "the unit budget", attempt)

    def block(self, resume_at: datetime) -> None:
        """The vendor refused: nobody draws before `resume_at`."""
        sharers = self._sharers()

        def attempt() -> None:
            document = stored(BUCKET, self._store.get(self._path))
            bucket = self._bucket(document, sharers, self._clock.now())
            self._write(blocked(bucket, resume_at), document.version if document else None)

        guarded(self._jitter, "the unit budget", attempt)

    def _bucket(self, document: Stored[Bucket] | None, sharers: int, now: datetime) -> Bucket:
        if document is None:
            return new_bucket(self._quota // sharers, now, sharers)
        return divided(document.value, now, quota_units_per_minute=self._quota, sharers=sharers)

    def _write(self, bucket: Bucket, version: Version | None) -> None:
        fields = BUCKET.fields(bucket)
        self._store.commit([Update(self._path, fields, version) if version else Create(self._path, fields)])
