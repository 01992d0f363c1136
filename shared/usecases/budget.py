"""Draw Gmail units from a mailbox's budget: one document, one draw per sync run or page (D5)."""

from __future__ import annotations

from datetime import datetime

from shared.domain.budget import Bucket, Draw, blocked, draw, full_bucket, live_share
from shared.ports.documents import Create, Update, Version
from shared.ports.time import Clock, Jitter
from shared.records.mailboxes import BUCKET, stored
from shared.records.store import TenantStore, guarded


class MailBudget:
    """The budget at `path`, shared by everything that reads this mailbox."""

    def __init__(
        self, store: TenantStore, path: str, *, quota_units_per_minute: int, clock: Clock, jitter: Jitter
    ) -> None:
        self._store = store
        self._path = path
        self.quota_units_per_minute = quota_units_per_minute
        self._clock = clock
        self._jitter = jitter

    def draw(self, cost: int, *, past: bool = False, may_owe: bool) -> Draw:
        """Take `cost` units as domain.budget.draw decides; a refused draw writes nothing.

        past: for mail that is no news; the share of live mail is left to it.
        """
        floor = live_share(self.quota_units_per_minute) if past else 0.0

        def attempt() -> Draw:
            now = self._clock.now()
            document = stored(BUCKET, self._store.get(self._path))
            bucket = document.value if document else full_bucket(self.quota_units_per_minute, now)
            result = draw(
                bucket, cost, now, quota_units_per_minute=self.quota_units_per_minute, floor=floor, may_owe=may_owe
            )
            if result.granted:
                self._write(result.bucket, document.version if document else None)
            return result

        return guarded(self._jitter, "the unit budget", attempt)

    def block(self, resume_at: datetime) -> None:
        """The vendor refused: nobody draws before `resume_at`."""

        def attempt() -> None:
            document = stored(BUCKET, self._store.get(self._path))
            bucket = document.value if document else full_bucket(self.quota_units_per_minute, self._clock.now())
            self._write(blocked(bucket, resume_at), document.version if document else None)

        guarded(self._jitter, "the unit budget", attempt)

    def _write(self, bucket: Bucket, version: Version | None) -> None:
        fields = BUCKET.fields(bucket)
        self._store.commit([Update(self._path, fields, version) if version else Create(self._path, fields)])
