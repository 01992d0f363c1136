"""Connect: what happened to an envelope, told to the address the envelope names, until it is acknowledged.

A notice is written when its event happens (JSON SIM) and signed when it goes out, with every key its account has then.
Of one envelope, one notice is on its way at a time; one that waits for a retry holds up nobody, so later ones overtake.

Source: developers.docusign.com/platform/webhooks/connect (retries: 15 s, then ever longer, for seven days or 45 times).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.docusign.envelopes import Envelope, Recipient
from local.docusign.errors import ControlError, Json
from local.docusign.shapes import envelope_json, iso
from local.google.clock import Now

FIRST_RETRY = timedelta(seconds=15)
LONGEST_RETRY = timedelta(hours=12)
MOST_ATTEMPTS = 45
GIVEN_UP_AFTER = timedelta(days=7)
HELD_BACK = timedelta(seconds=30)
"""How long a notice waits at most for a later one that is to overtake it."""

DISTURBANCES = ("drop", "double", "reorder", "delay", "bare")

_CONFIGURATION_ID = 10_417_331


@dataclass(eq=False, slots=True)
class Notice:
    """One notice on its way. attempt: how often it was sent. overtaken_by: it waits for the next of its envelope."""

    number: int
    envelope_id: str
    account_id: str
    event: str
    url: str
    body: Json
    due_at: datetime
    made_at: datetime
    needs_acknowledgment: bool
    signed: bool
    attempt: int = 0
    sending: bool = False
    held_back: bool = False

    def content(self) -> bytes:
        """The bytes of this attempt: retryCount makes each attempt's different."""
        return json.dumps({**self.body, "retryCount": max(self.attempt - 1, 0)}, separators=(",", ":")).encode()


@dataclass(slots=True)
class Disturbance:
    """What happens to the next `times` notices whose event is `event` ("*": any)."""

    kind: str
    times: int = 1
    event: str = "*"
    delay_s: float = 0.0


Keys = Callable[[str], list[str]]
"""The HMAC keys of an account, the first signs as -1."""


class Connect:
    """Notices that wait, in order. log: what became of each attempt, oldest first."""

    def __init__(self, now: Now, keys: Keys, note: Callable[[Json], None]) -> None:
        """note: told of each line of the log."""
        self.log: list[Json] = []
        self._now = now
        self._keys = keys
        self._note_down = note
        self._waiting: list[Notice] = []
        self._disturbances: list[Disturbance] = []
        self._made = 0

    @property
    def waiting(self) -> tuple[Notice, ...]:
        """Notices that were not acknowledged yet."""
        return tuple(self._waiting)

    def disturb(self, disturbance: Disturbance) -> None:
        """Raises: ControlError."""
        if disturbance.kind not in DISTURBANCES or disturbance.times < 1:
            raise ControlError(f"notices are disturbed by {', '.join(DISTURBANCES)}, once or several times")
        if disturbance.kind == "delay" and disturbance.delay_s <= 0:
            raise ControlError("a delay needs delay_s")
        self._disturbances.append(disturbance)

    def tell(self, envelope: Envelope, event: str, recipient: Recipient | None) -> None:
        """Write a notice of this event, if the envelope asks for it."""
        wish = envelope.notification
        if wish is None or event not in wish.get("events", []):
            return
        self._made += 1
        now = self._now()
        notice = Notice(
            number=self._made,
            envelope_id=envelope.envelope_id,
            account_id=envelope.account_id,
            event=event,
            url=str(wish["url"]),
            body=_body(envelope, event, recipient, wish, now),
            due_at=now,
            made_at=now,
            needs_acknowledgment=wish.get("requireAcknowledgment") == "true",
            signed=wish.get("includeHMAC") == "true",
        )
        for late in [one for one in self._waiting if one.held_back and one.envelope_id == notice.envelope_id]:
            self._made += 1  # a later number puts it behind this notice and before the next
            late.number, late.held_back, late.due_at = self._made, False, now
        self._waiting += self._disturbed(notice)

    def due(self) -> list[Notice]:
        """What must be sent now, one of each envelope; each stays out until `settle`."""
        now = self._now()
        busy = {one.envelope_id for one in self._waiting if one.sending}
        found = []
        for notice in sorted(self._waiting, key=lambda one: (one.due_at, one.number)):
            if notice.due_at <= now and notice.envelope_id not in busy:
                busy.add(notice.envelope_id)
                notice.sending, notice.held_back = True, False
                notice.attempt += 1
                found.append(notice)
        return found

    def headers(self, notice: Notice, content: bytes) -> Mapping[str, str]:
        """The signatures of these bytes, one for each key of the account."""
        headers = {"Content-Type": "application/json; charset=utf-8"}
        keys = self._keys(notice.account_id) if notice.signed else []
        for number, key in enumerate(keys, start=1):
            digest = hmac.new(key.encode(), content, hashlib.sha256).digest()
            headers[f"X-DocuSign-Signature-{number}"] = base64.b64encode(digest).decode()
        if keys:
            headers["X-Authorization-Digest"] = "HMACSHA256"
        return headers

    def settle(self, notice: Notice, status: int | None) -> None:
        """Note the receiver's answer; None: none came. What was forgotten meanwhile stays forgotten."""
        if notice not in self._waiting:
            return
        notice.sending = False
        answered = status is not None
        if answered and (not notice.needs_acknowledgment or 200 <= (status or 0) < 300):
            outcome = "delivered"
        elif notice.attempt >= MOST_ATTEMPTS or self._now() - notice.made_at >= GIVEN_UP_AFTER:
            outcome = "given up"
        else:
            outcome = "to be tried again"
            notice.due_at = self._now() + min(FIRST_RETRY * 2 ** (notice.attempt - 1), LONGEST_RETRY)
        if outcome != "to be tried again":
            self._waiting.remove(notice)
        self._note(notice, outcome, status)

    def clear(self) -> None:
        for memory in (self.log, self._waiting, self._disturbances):
            memory.clear()

    def _disturbed(self, notice: Notice) -> list[Notice]:
        disturbance = self._next_disturbance(notice.event)
        if disturbance is None:
            return [notice]
        if disturbance.kind == "drop":
            self._note(notice, "dropped", None)
            return []
        if disturbance.kind == "double":
            return [notice, _copy(notice)]
        if disturbance.kind == "bare":
            data = {key: value for key, value in notice.body["data"].items() if key != "envelopeSummary"}
            notice.body = {**notice.body, "data": data}
        elif disturbance.kind == "delay":
            notice.due_at += timedelta(seconds=disturbance.delay_s)
        else:
            notice.held_back, notice.due_at = True, notice.due_at + HELD_BACK
        return [notice]

    def _next_disturbance(self, event: str) -> Disturbance | None:
        for disturbance in self._disturbances:
            if disturbance.event in ("*", event):
                disturbance.times -= 1
                if disturbance.times <= 0:
                    self._disturbances.remove(disturbance)
                return disturbance
        return None

    def _note(self, notice: Notice, outcome: str, status: int | None) -> None:
        line = {
            "at": iso(self._now()),
            "envelope": notice.envelope_id,
            "event": notice.event,
            "happened": iso(notice.made_at),
            "attempt": notice.attempt,
            "status": status,
            "outcome": outcome,
        }
        self.log.append(line)
        self._note_down(line)


def _copy(notice: Notice) -> Notice:
    return Notice(
        notice.number,
        notice.envelope_id,
        notice.account_id,
        notice.event,
        notice.url,
        notice.body,
        notice.due_at,
        notice.made_at,
        notice.needs_acknowledgment,
        notice.signed,
    )


def _body(envelope: Envelope, event: str, recipient: Recipient | None, wish: Json, now: datetime) -> Json:
    data: Json = {
        "accountId": envelope.account_id,
        "userId": envelope.user_id,
        "envelopeId": envelope.envelope_id,
    }
    if recipient is not None:
        data["recipientId"] = recipient.recipient_id
    include = wish.get("eventData", {}).get("includeData", [])
    if include:
        data["envelopeSummary"] = envelope_json(envelope, include)
    return {
        "event": event,
        "apiVersion": "v2.1",
        "uri": f"/restapi/v2.1/accounts/{envelope.account_id}/envelopes/{envelope.envelope_id}",
        "retryCount": 0,
        "configurationId": _CONFIGURATION_ID,
        "generatedDateTime": iso(now),
        "data": data,
    }
