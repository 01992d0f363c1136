"""DocuSign's limits: calls an hour, calls in 30 seconds, and how often one resource of an envelope may be read.

Source: developers.docusign.com/docs/esign-rest-api/esign101/rules-and-limits. There, too frequent reading is written
down and fails the review before going live; here it is refused at once, with the code DocuSign has for the extreme.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from local.docusign.envelopes import FINAL, Envelope
from local.docusign.errors import ApiError, Json
from local.google.clock import Now

BURST_WINDOW = timedelta(seconds=30)
POLLING_PAUSE = timedelta(minutes=15)


@dataclass(slots=True)
class _Use:
    hour: datetime
    calls: int = 0
    recent: deque[datetime] = field(default_factory=deque)


@dataclass(slots=True)
class Limits:
    """status: what a used-up limit answers, 400 today and 429 tomorrow. refused: every refusal's code, oldest first."""

    now: Now
    hourly: int = 3000
    burst: int = 500
    status: int = 400
    refused: list[str] = field(default_factory=list)
    _use: dict[str, _Use] = field(default_factory=dict)
    _read_at: dict[str, datetime] = field(default_factory=dict)

    def spend(self, account_id: str) -> None:
        """Count one call of the account. Raises: ApiError, when a limit is used up."""
        now, use = self.now(), self._current(account_id)
        while use.recent and use.recent[0] <= now - BURST_WINDOW:
            use.recent.popleft()
        if use.calls >= self.hourly:
            raise self._refusal(
                account_id,
                "HOURLY_APIINVOCATION_LIMIT_EXCEEDED",
                "The maximum number of hourly API invocations has been exceeded.",
            )
        if len(use.recent) >= self.burst:
            raise self._refusal(
                account_id,
                "BURST_APIINVOCATION_LIMIT_EXCEEDED",
                "The maximum number of burst API invocations has been exceeded.",
            )
        use.calls += 1
        use.recent.append(now)

    def poll(self, envelope: Envelope, resource: str) -> None:
        """Note that a resource of the envelope is read. Raises: ApiError within 15 minutes of the last time, unless the
        envelope has reached an end: what is final is read to be stored, and again after a crash."""
        key, now = f"{envelope.envelope_id}/{resource}", self.now()
        last = self._read_at.get(key)
        if last is not None and now < last + POLLING_PAUSE and envelope.status not in FINAL:
            raise self._refusal(
                envelope.account_id,
                "Hourly_Envelope_Polling_Limit_Exceeded",
                "The maximum number of requests for this envelope has been exceeded.",
            )
        self._read_at[key] = now

    def headers(self, account_id: str) -> Mapping[str, str]:
        """What every answer says about the account's limits."""
        use = self._current(account_id)
        return {
            "X-RateLimit-Limit": str(self.hourly),
            "X-RateLimit-Remaining": str(max(self.hourly - use.calls, 0)),
            "X-RateLimit-Reset": str(int((use.hour + timedelta(hours=1)).timestamp())),
            "X-BurstLimit-Limit": str(self.burst),
            "X-BurstLimit-Remaining": str(max(self.burst - len(use.recent), 0)),
        }

    def usage(self) -> Json:
        """Calls of this hour by account, and how often each code was given."""
        calls = {account_id: use.calls for account_id, use in self._use.items()}
        return {"calls": calls, "refused": {code: self.refused.count(code) for code in dict.fromkeys(self.refused)}}

    def clear(self) -> None:
        self._use.clear()
        self._read_at.clear()
        self.refused.clear()
        self.hourly, self.burst, self.status = 3000, 500, 400

    def _current(self, account_id: str) -> _Use:
        hour = self.now().replace(minute=0, second=0, microsecond=0)
        use = self._use.setdefault(account_id, _Use(hour))
        if use.hour != hour:
            use.hour, use.calls = hour, 0
        return use

    def _refusal(self, account_id: str, code: str, message: str) -> ApiError:
        self.refused.append(code)
        return ApiError(self.status, code, message, headers=self.headers(account_id))
