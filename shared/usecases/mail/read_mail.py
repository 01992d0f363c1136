"""Read headers and bodies at the lowest price: alone, or through the thread from three of one thread on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.domain.backfill import Group
from shared.domain.mail.envelope import MailHeaders
from shared.domain.values import dataclass
from shared.errors import PayloadError
from shared.ports.mailbox import FullMessage, ListPage, Mailbox, PermanentFailure


@dataclass(frozen=True, slots=True)
class HeadersRead:
    """headers: by Gmail id, None for a message that is gone. whole_threads: threads that were read and hold nothing
    but wanted messages; only these may be read in full, or bodies nobody asked for would come with them."""

    headers: Mapping[str, MailHeaders | None]
    whole_threads: frozenset[str]


def read_headers(gmail: Mailbox, groups: Sequence[Group]) -> HeadersRead:
    """Headers of every message of the groups."""
    alone = [wanted.gmail_id for group in groups if not group.through_thread for wanted in group.messages]
    headers: dict[str, MailHeaders | None] = dict(gmail.headers(alone)) if alone else {}
    whole = set()
    for group in groups:
        if not group.through_thread:
            continue
        thread_id = group.messages[0].gmail_thread_id
        thread = {found.gmail_id: found for found in gmail.thread_headers(thread_id)}
        headers |= {wanted.gmail_id: thread.get(wanted.gmail_id) for wanted in group.messages}
        if set(thread) == {wanted.gmail_id for wanted in group.messages}:
            whole.add(thread_id)
    return HeadersRead(headers, frozenset(whole))


def list_page(gmail: Mailbox, after: datetime, before: datetime | None, page: str | None) -> ListPage:
    """One page of a listing. A page token that went stale is no reason to stop: the listing begins anew."""
    try:
        return gmail.list_messages(after=after, before=before, page=page)
    except PayloadError:
        if page is None:
            raise
        return gmail.list_messages(after=after, before=before, page=None)


def bodies_of_thread(gmail: Mailbox, gmail_thread_id: str) -> Mapping[str, FullMessage | PermanentFailure]:
    return {
        message.gmail_id if isinstance(message, PermanentFailure) else message.headers.gmail_id: message
        for message in gmail.thread(gmail_thread_id)
    }
