"""A mail that arrives while the past is still being read: it must not wait for the end of the import."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from local.google.gmail.compose import MailFields, build
from local.run.cast import Cast, Member
from local.run.importing import Import, Progressing, span
from local.run.scene import PEOPLE_PAUSE_S
from local.run.waiting import NotSeenError, until
from shared.domain.people import Contact

LANDS_WITHIN_S = 30.0
_TEXT = "Hello,\n\nthis one is new. Your import is still running, and I am on the timeline already.\n"


@dataclass(slots=True)
class Arrival:
    """Delivered once, to the mailbox that still has most to read."""

    cast: Cast
    sender: Contact
    latency_s: float | None = None

    def meanwhile(self, importing: Import) -> str | None:
        """Deliver as soon as an import is well under way, wait until the row is there, and tell of it.

        Raises: NotSeenError when it does not land, or lands only after the end of the import.
        """
        if self.latency_s is not None:
            return None
        state = max(importing.states, key=_still_to_read)
        if not state.decided or state.done or state.took_s < PEOPLE_PAUSE_S:
            return None
        member = state.member
        message_id = f"<during-the-import.{int(time.time())}@{self.sender.emails[0].rpartition('@')[2]}>"
        began = time.monotonic()
        self.cast.google.deliver(member.email, _mail(self.sender, member, message_id))
        until(
            lambda: self.cast.rows.message(message_id),
            "the mail that arrived during the import",
            within_s=LANDS_WITHIN_S,
        )
        self.latency_s = time.monotonic() - began
        if self.cast.rows.backfill_finished_at(member.mailbox_id) is not None:
            raise NotSeenError("a mail that lands before the import ends")
        return (
            f"meanwhile a mail for {member.name} arrived: on the timeline after {span(self.latency_s)}, "
            f"while {state.listed - state.decided} older ones are still unread"
        )


def _still_to_read(state: Progressing) -> int:
    return state.listed - state.decided


def _mail(sender: Contact, member: Member, message_id: str) -> bytes:
    fields = MailFields(
        sender=f"{sender.name} <{sender.emails[0]}>",
        to=[f"{member.name} <{member.email}>"],
        subject="While you are importing",
        text=_TEXT,
    )
    return build(fields, sent_at=datetime.now(UTC), message_id=message_id, with_bcc=False)
