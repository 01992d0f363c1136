"""The backfill of a mailbox: which messages are read together, and what that costs in units (G8).

Headers of one message cost as much as a body. A thread's headers cost as much as two messages', so three wanted
messages of one thread are read through the thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.values import dataclass

DAYS_A_MONTH = 30.5
HEADERS_A_PAGE = 25
THROUGH_THREAD_FROM = 3


def window_start(now: datetime, months: int) -> datetime:
    """Where the past of so many months begins."""
    return now - timedelta(days=round(months * DAYS_A_MONTH))


@dataclass(frozen=True, slots=True)
class Wanted:
    """One message to read, as lists name it."""

    gmail_id: str
    gmail_thread_id: str


@dataclass(frozen=True, slots=True)
class Group:
    """Messages read in one go: one message, or at least THROUGH_THREAD_FROM of one thread."""

    messages: tuple[Wanted, ...]

    @property
    def through_thread(self) -> bool:
        return len(self.messages) >= THROUGH_THREAD_FROM


def grouped(wanted: Iterable[Wanted]) -> list[Group]:
    """The groups in the order their first message comes."""
    by_thread: dict[str, list[Wanted]] = {}
    for message in wanted:
        by_thread.setdefault(message.gmail_thread_id, []).append(message)
    groups: list[Group] = []
    for messages in by_thread.values():
        if len(messages) >= THROUGH_THREAD_FROM:
            groups.append(Group(tuple(messages)))
        else:
            groups.extend(Group((message,)) for message in messages)
    return groups


def pages(groups: Sequence[Group]) -> list[list[Group]]:
    """Pages of at most HEADERS_A_PAGE messages; a longer thread is a page of its own."""
    result: list[list[Group]] = []
    room = 0
    for group in groups:
        size = len(group.messages)
        if not result or size > room:
            result.append([])
            room = HEADERS_A_PAGE
        result[-1].append(group)
        room -= size
    return result


def header_units(groups: Iterable[Group], prices: Mapping[str, int]) -> int:
    """What reading the headers of these costs."""
    return sum(
        prices["gmail.users.threads.get"]
        if group.through_thread
        else prices["gmail.users.messages.get"] * len(group.messages)
        for group in groups
    )


def body_units(logged: int, *, whole_thread: bool, prices: Mapping[str, int]) -> int:
    """What reading the bodies of `logged` messages costs; through their thread where nothing else is in it."""
    if whole_thread and logged >= THROUGH_THREAD_FROM:
        return prices["gmail.users.threads.get"]
    return prices["gmail.users.messages.get"] * logged


SEARCH_FROM_UNITS = 10_000
"""Two minutes of reading headers, at Google's quota for new projects."""


def search_pays(contacts: int, units_without: int, addresses_a_search: int, prices: Mapping[str, int]) -> bool:
    """Whether searching for all contacts costs less than half of reading every header: the hits are read besides.

    A small mailbox is read whole all the same: its receipt then names the very rule by which a message was left out.
    """
    searches = contacts // addresses_a_search + 1
    return units_without >= SEARCH_FROM_UNITS and 2 * searches * prices["gmail.users.messages.list"] < units_without


class Phase(StrEnum):
    LISTING = "listing"
    SEARCHING = "searching"
    READING = "reading"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class BackfillRun:
    """One backfill of one mailbox.

    listed: ids listed so far (all of them once the phase is READING). chunk, page: the next page to read. decided:
    messages whose fate a page settled. fresh: no run was before, so no row is expected to exist. moved_at: when its
    last step ended. by_search: only hits of searches for contacts are read; searched_after: the last contact searched
    for, hit_chunks: how many chunks of hits there are.
    """

    run_id: str
    after: datetime
    before: datetime
    started_at: datetime
    moved_at: datetime
    phase: Phase = Phase.LISTING
    list_page: str | None = None
    chunks: int = 0
    chunk: int = 0
    page: int = 0
    listed: int = 0
    decided: int = 0
    fresh: bool = True
    by_search: bool = False
    searched_after: str | None = None
    hit_chunks: int = 0
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Part of a run's list. While listing: ids as listed. While reading: whole groups in reading order."""

    messages: tuple[Wanted, ...]
