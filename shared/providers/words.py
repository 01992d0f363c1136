"""The words in which every provider describes itself: what can go wrong with it, and what a person does to set it up.

A provider's `catalogue` is made of `Problem`s and its `manifest` of `Scope`s and `Step`s, so that a page which shows
one provider shows them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum

from shared.domain.values import dataclass
from shared.errors import (
    AdminActionError,
    AlreadyExistsError,
    AppError,
    ConnectionRevokedError,
    ForbiddenError,
    InputError,
    NotFoundError,
    PermanentError,
    ProviderUnavailableError,
    RateLimitedError,
    StaleWriteError,
)


class Kind(Enum):
    """What an error means for the work that met it; decides which of our errors it becomes."""

    RECONNECT = "only a person can help, by connecting again"
    ADMIN = "an administrator at the other side must act first"
    WAIT = "a limit is used up; the work comes back by itself"
    RETRY = "the vendor is in trouble; the work comes back by itself"
    GONE = "what was asked for does not exist any more"
    FORBIDDEN = "this person may not see what was asked for"
    TAKEN = "the name, number or external id is used already"
    STALE = "somebody changed it meanwhile"
    INPUT = "the vendor refuses what was entered; a person corrects it"
    OURS = "we asked in a way that the vendor does not understand"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that can be wrong.

    id: ours, stable; it is stored with a connection and found in logs.
    codes: the vendor's words for it, exactly as sent; empty where only we can tell.
    sentence: what happened, for the person. action: what to do about it; empty where nothing is to be done.
    link: where to do it or read more, or None.
    """

    id: str
    kind: Kind
    codes: tuple[str, ...]
    sentence: str
    action: str
    link: str | None = None


def by_id(catalogue: Iterable[Problem]) -> Mapping[str, Problem]:
    return {problem.id: problem for problem in catalogue}


def spoken(problem: Problem) -> str:
    """What the person reads."""
    return f"{problem.sentence} {problem.action}".rstrip()


def error_of(problem: Problem, label: str, *, resume_at: datetime, sentence: str = "") -> AppError:
    """Our error for an entry of a catalogue.

    label: for those that end up in logs; ids and codes alone. resume_at: for limits. sentence: for the person, where it
    says more than the entry.
    """
    match problem.kind:
        case Kind.RECONNECT:
            return ConnectionRevokedError(label, reason=problem.id)
        case Kind.ADMIN:
            return AdminActionError(label, reason=problem.id)
        case Kind.WAIT:
            return RateLimitedError(label, resume_at=resume_at)
        case Kind.RETRY:
            return ProviderUnavailableError(label)
        case Kind.GONE:
            return NotFoundError(label)
        case Kind.FORBIDDEN:
            return ForbiddenError(label)
        case Kind.TAKEN:
            return AlreadyExistsError(label)
        case Kind.STALE:
            return StaleWriteError(label)
        case Kind.INPUT:
            return InputError(sentence or spoken(problem))
        case Kind.OURS:
            return PermanentError(label)


@dataclass(frozen=True, slots=True)
class Scope:
    """A permission. feature: what is switched off without it. reason: one line for the person."""

    name: str
    feature: str
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step an administrator takes at the vendor before anybody can connect."""

    title: str
    text: str
    link: str
