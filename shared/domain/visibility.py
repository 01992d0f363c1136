"""Who reads how much of a timeline: one pure function for every page, export, webhook and log (D7, G14, I10, I11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from shared.domain.people import Viewer
from shared.domain.settings import Share
from shared.domain.threads import Summary
from shared.domain.timeline import Entry, Happening, MeetingSummary

RANK = {Share.METADATA: 1, Share.SUBJECT: 2, Share.FULL: 3}


def reader_key(user_id: str, share: Share) -> str:
    """How a holder stands in a `readers` list."""
    return f"{user_id}:{share}"


def reader_keys(user_id: str) -> tuple[str, ...]:
    """All keys this user may stand under: what is removed when a holder goes."""
    return tuple(reader_key(user_id, share) for share in Share)


def level(readers: Iterable[str], viewer: Viewer) -> Share | None:
    """How much the viewer reads: everything as a holder, else the most that any holder shares; None if nobody holds it.

    Whether the viewer may see the contact at all is decided before an entry is ever read.
    """
    best: Share | None = None
    for reader in readers:
        user_id, _, shared = reader.rpartition(":")
        if user_id == viewer.user_id:
            return Share.FULL
        share = Share(shared)
        if best is None or RANK[share] > RANK[best]:
            best = share
    return best


def visible(entry: Entry, viewer: Viewer, *, figures: bool = False) -> Entry | None:
    """The entry as this viewer may read it; None where nothing of it is theirs to see.

    figures: whether invoices and the ledger's figures are for this viewer (R2).
    """
    messages = {kept.message_id: kept for summary in entry.messages.values() if (kept := _message(summary, viewer))}
    meeting = _meeting(entry.meeting, viewer) if entry.meeting else None
    happening = _happening(entry.happening, figures) if entry.happening else None
    if not messages and meeting is None and happening is None:
        return None
    return replace(entry, messages=messages, meeting=meeting, happening=happening)


def _message(summary: Summary, viewer: Viewer) -> Summary | None:
    share = level(summary.readers, viewer)
    if share is None:
        return None
    shown = replace(summary, readers=())
    if share is Share.FULL:
        return shown
    shown = replace(shown, snippet="", attachments=0)
    return shown if share is Share.SUBJECT else replace(shown, subject="")


def _happening(happening: Happening, figures: bool) -> Happening:
    """What happened is told to everybody who may see the timeline; the figures are not."""
    told = happening.sentence if figures else happening.plain or happening.sentence
    return replace(happening, sentence=told, plain="")


def _meeting(meeting: MeetingSummary, viewer: Viewer) -> MeetingSummary | None:
    share = level(meeting.readers, viewer)
    if share is None:
        return None
    shown = replace(meeting, readers=())
    if share is Share.FULL:
        return shown
    shown = replace(shown, location="", meet_url="")
    return shown if share is Share.SUBJECT else replace(shown, title="")
