"""A person answers what became of events that a whole reading no longer contained (G27, I17)."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.calendar.stream import Absence, Verdict
from shared.domain.people import Role, User
from shared.domain.quarantine import ParkedState
from shared.errors import ContendedError, ForbiddenError, InputError, StaleWriteError
from shared.records.audit import Audit
from shared.records.followups import Quarantine
from shared.records.mailboxes import Mailboxes
from shared.usecases.calendar.queue_work import Cause, sync_task
from shared.usecases.calendar.remove_absent import held_deletions_id
from shared.usecases.calendar.served import ServedCalendars
from shared.usecases.lease import take_lease


def verdict_named(name: str) -> Verdict:
    """Raises: InputError for anything but "remove" and "keep"."""
    for verdict in (Verdict.REMOVE, Verdict.KEEP):
        if name == verdict.value:
            return verdict
    raise InputError("Say 'remove' if the missing events are gone, or 'keep' if they shall stay.")


def settle_held_deletions(served: ServedCalendars, stream_id: str, actor: User, verdict: Verdict) -> None:
    """remove: the missing events are gone, take them away. keep: they stay as they are.

    The answer is written on the stream, and its next reading carries it out. Events that came back meanwhile are not
    missing any more. A question that is answered already stays answered.

    Raises: ForbiddenError for anybody but the mailbox's user and admins; NotFoundError if nothing is held;
    ContendedError while the calendar is being read.
    """
    mailbox = Mailboxes(served.store).get(served.mailbox_id).value
    if mailbox.user_id != actor.user_id and actor.role is not Role.ADMIN:
        raise ForbiddenError("Only its user or an admin may answer for this calendar.")
    quarantine = Quarantine(served.store)
    question = quarantine.get(held_deletions_id(served, stream_id))
    if question.value.state is not ParkedState.PARKED:
        return
    stored = served.streams.get(stream_id)
    held = take_lease(stored, served.streams.updating, store=served.store, clock=served.clock, chance=served.chance)
    if held is None:
        raise ContendedError(f"calendar stream {stream_id} is being read")
    if held.value.absence is not None:
        held.release(held.value)
        raise ContendedError(f"calendar stream {stream_id} has a newer reading to finish first")
    now = served.clock.now()
    answered = quarantine.updating(replace(question.value, state=ParkedState.REPLAYED), question.version)
    noted = Audit(served.store).recording(
        actor.user_id, "deletions.settled", stream_id, now, after={"verdict": verdict.value}
    )
    absence = Absence(int(question.value.ids["generation"]), verdict)
    try:
        held.release(replace(held.value, absence=absence), [answered, noted])
    except StaleWriteError:
        raise ContendedError(f"the question about calendar stream {stream_id} changed") from None
    ids = (served.store.tenant, served.mailbox_id, stream_id)
    served.tasks.create([sync_task(*ids, Cause.CONTINUE, "settled", now.isoformat())])
