"""Envelopes and the people who sign them: routing, states, and the events that follow. No sockets, a given clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from local.docusign.errors import ApiError, Json
from local.google.clock import Now

FINAL = frozenset({"completed", "declined", "voided"})
DONE = frozenset({"completed", "declined"})
TRANSACTION_LIFETIME = timedelta(days=7)


@dataclass(slots=True)
class Recipient:
    """A signer. tabs: data label -> value. client_user_id: set for one who signs on the sender's own page."""

    recipient_id: str
    guid: str
    role: str
    name: str
    email: str
    order: int
    client_user_id: str = ""
    tabs: dict[str, str] = field(default_factory=dict)
    status: str = "created"
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    signed_at: datetime | None = None
    declined_at: datetime | None = None
    declined_reason: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """lines: what the simulator prints of it; for an uploaded one these name it and its digest."""

    name: str
    lines: tuple[str, ...]


@dataclass(slots=True)
class Envelope:
    """notification: the eventNotification it was made with, or None."""

    envelope_id: str
    account_id: str
    user_id: str
    subject: str
    blurb: str
    recipients: list[Recipient]
    documents: list[Document]
    custom_fields: list[Json]
    notification: Json | None
    transaction_id: str
    created_at: datetime
    changed_at: datetime
    status: str = "created"
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    completed_at: datetime | None = None
    declined_at: datetime | None = None
    voided_at: datetime | None = None
    void_reason: str = ""

    def recipient(self, recipient_id: str) -> Recipient | None:
        return next((one for one in self.recipients if one.recipient_id == recipient_id), None)

    @property
    def turn(self) -> list[Recipient]:
        """Those who may act now."""
        return [one for one in self.recipients if one.status in {"sent", "delivered", "autoresponded"}]


Notify = Callable[[Envelope, str, Recipient | None], None]
"""Told of each event by DocuSign's name ("recipient-completed")."""

Mail = Callable[[Envelope, Recipient], None]
"""Told of each mail with a link to sign."""


class Envelopes:
    """All accounts' envelopes, newest last."""

    def __init__(self, now: Now, notify: Notify, mail: Mail) -> None:
        self._now = now
        self._notify = notify
        self._mail = mail
        self._envelopes: dict[str, Envelope] = {}

    def __iter__(self) -> Iterator[Envelope]:
        return iter(list(self._envelopes.values()))

    def get(self, account_id: str, envelope_id: str) -> Envelope:
        """Raises: ApiError ENVELOPE_DOES_NOT_EXIST, for another account's too."""
        envelope = self._envelopes.get(envelope_id.lower())
        if envelope is None or envelope.account_id != account_id:
            raise ApiError(
                404,
                "ENVELOPE_DOES_NOT_EXIST",
                "The envelope specified either does not exist or you have no rights to it.",
            )
        return envelope

    def find(self, envelope_id: str) -> Envelope | None:
        return self._envelopes.get(envelope_id.lower())

    def clear(self) -> None:
        self._envelopes.clear()

    # ------------------------------------------------------------------------------------------------- the sender

    def add(self, envelope: Envelope, *, send: bool) -> None:
        self._envelopes[envelope.envelope_id] = envelope
        if send:
            now = self._now()
            envelope.sent_at = now
            self._move(envelope, "sent")
            self._notify(envelope, "envelope-sent", None)
            self._pass_on(envelope)

    def void(self, envelope: Envelope, reason: str) -> None:
        """Raises: ApiError for an envelope that is not out."""
        if envelope.status not in {"sent", "delivered"}:
            raise ApiError(
                400,
                "ENVELOPE_CANNOT_VOID_INVALID_STATE",
                "Only envelopes in the 'Sent' or 'Delivered' states may be voided.",
            )
        envelope.void_reason, envelope.voided_at = reason, self._now()
        self._move(envelope, "voided")
        self._notify(envelope, "envelope-voided", None)

    def resend(self, envelope: Envelope) -> None:
        """Mail everybody whose turn it is once more. Raises: ApiError for an envelope that is not out."""
        _require_open(envelope)
        self._notify(envelope, "envelope-resent", None)
        for recipient in envelope.turn:
            self._write_to(envelope, recipient)
            self._notify(envelope, "recipient-resent", recipient)

    def correct(self, envelope: Envelope, recipient: Recipient, *, name: str, email: str) -> bool:
        """Change a recipient, and mail them if it is their turn; False for one who has acted already.

        Through the API this raises no envelope-corrected: that event needs an envelope lock.
        Raises: ApiError for an envelope that is not out.
        """
        _require_open(envelope)
        if recipient.status in DONE:
            return False
        recipient.name, recipient.email = name or recipient.name, email or recipient.email
        if recipient in envelope.turn:
            self._give_turn(envelope, recipient)
        return True

    # ------------------------------------------------------------------------------------------------- the signers

    def view(self, envelope: Envelope, recipient: Recipient) -> None:
        """They open it at DocuSign. Raises: ApiError when it is not their turn."""
        _require_turn(envelope, recipient)
        if recipient.status == "delivered":
            return
        recipient.status, recipient.delivered_at = "delivered", self._now()
        self._notify(envelope, "recipient-delivered", recipient)
        if envelope.status == "sent" and all(one.delivered_at for one in envelope.recipients):
            envelope.delivered_at = self._now()
            self._move(envelope, "delivered")
            self._notify(envelope, "envelope-delivered", None)

    def sign(self, envelope: Envelope, recipient: Recipient) -> None:
        """They sign, having opened it. Raises: ApiError when it is not their turn."""
        self.view(envelope, recipient)
        recipient.status, recipient.signed_at = "completed", self._now()
        self._notify(envelope, "recipient-completed", recipient)
        if all(one.status == "completed" for one in envelope.recipients):
            envelope.completed_at = self._now()
            self._move(envelope, "completed")
            self._notify(envelope, "envelope-completed", None)
        else:
            self._pass_on(envelope)

    def decline(self, envelope: Envelope, recipient: Recipient, reason: str) -> None:
        """They refuse, having opened it; that ends the envelope. Raises: ApiError when it is not their turn."""
        self.view(envelope, recipient)
        recipient.status, recipient.declined_at, recipient.declined_reason = "declined", self._now(), reason
        self._notify(envelope, "recipient-declined", recipient)
        envelope.declined_at = self._now()
        self._move(envelope, "declined")
        self._notify(envelope, "envelope-declined", None)

    def bounce(self, envelope: Envelope, recipient: Recipient) -> None:
        """The mail to them came back. Raises: ApiError when it is not their turn."""
        _require_turn(envelope, recipient)
        recipient.status = "autoresponded"
        self._notify(envelope, "recipient-autoresponded", recipient)

    # ---------------------------------------------------------------------------------------------------- details

    def _pass_on(self, envelope: Envelope) -> None:
        """Give the turn to those with the lowest routing order, once nobody before them is left."""
        waiting = [one for one in envelope.recipients if one.status == "created"]
        if envelope.turn or not waiting:
            return
        order = min(one.order for one in waiting)
        for recipient in waiting:
            if recipient.order == order:
                self._give_turn(envelope, recipient)

    def _give_turn(self, envelope: Envelope, recipient: Recipient) -> None:
        recipient.status, recipient.sent_at = "sent", self._now()
        self._write_to(envelope, recipient)
        self._notify(envelope, "recipient-sent", recipient)

    def _write_to(self, envelope: Envelope, recipient: Recipient) -> None:
        if not recipient.client_user_id:  # an embedded signer gets no mail
            self._mail(envelope, recipient)

    def _move(self, envelope: Envelope, status: str) -> None:
        envelope.status, envelope.changed_at = status, self._now()


def _require_open(envelope: Envelope) -> None:
    if envelope.status in FINAL:
        raise ApiError(400, "ENVELOPE_INVALID_STATUS", "Invalid envelope status.")


def _require_turn(envelope: Envelope, recipient: Recipient) -> None:
    if envelope.status in FINAL or recipient not in envelope.turn:
        raise ApiError(
            400, "RECIPIENT_NOT_IN_SEQUENCE", "The token for an out of sequence recipient cannot be generated."
        )
