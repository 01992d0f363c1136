"""Which customer of the ledger is which company or contact of ours, and how a person decides it (Q8)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from enum import StrEnum

from shared.domain.values import dataclass

SUGGESTED_FROM = 80
"""Percent of similarity from which a name is suggested."""

AMBIGUOUS_WITHIN = 5
"""Two names this close to each other: neither is suggested."""

_LEGAL = re.compile(
    r"\b(inc|incorporated|llc|ltd|limited|corp|corporation|co|company|gmbh|ag|kg|sa|sarl|sas|bv|nv|oy|ab|plc|pty|srl)\b"
)
_NOT_WORDS = re.compile(r"[\W_]+")


class MatchState(StrEnum):
    """accepted: as suggested. overridden: another was chosen. created: made there for us. rejected: none of them."""

    ACCEPTED = "accepted"
    OVERRIDDEN = "overridden"
    CREATED = "created"
    REJECTED = "rejected"


class CustomerField(StrEnum):
    """What of a customer comes back from the ledger."""

    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    EMAIL = "email"
    PHONE = "phone"


Fields = Mapping[str, str]
"""Text by `CustomerField`; a field that a side does not have is absent, one that it leaves empty is ""."""


@dataclass(frozen=True, slots=True)
class CustomerMatch:
    """What was decided for one company or contact, and is remembered. percent: similarity of the names then.

    theirs, ours: the fields of both sides as they were last compared, so that a later change shows on whose side it was
    made. conflicts: fields that both sides changed, with the ledger's text, until a person decides. gone: the ledger's
    customer was deleted, merged away or made inactive.
    """

    key: str
    state: MatchState
    customer_id: str | None
    percent: int = 100
    theirs: Fields = field(default_factory=dict)
    ours: Fields = field(default_factory=dict)
    conflicts: Fields = field(default_factory=dict)
    gone: bool = False

    @property
    def being_made(self) -> bool:
        """Written before the ledger is asked to make it, so that what a crash left there is known as ours."""
        return self.state is MatchState.CREATED and self.customer_id is None

    @property
    def mapped(self) -> str | None:
        """The ledger's customer to be invoiced."""
        return None if self.gone or self.state is MatchState.REJECTED else self.customer_id


def compared(match: CustomerMatch, ours: Fields, theirs: Fields) -> tuple[CustomerMatch, Fields]:
    """The match after both sides were read, and what changes here.

    Field by field: what only the ledger changed comes here; what only we changed stays on both sides as it is, for
    nothing is written back (I20); what both changed is a conflict. A text that was emptied there is not emptied here.
    The first reading only remembers: names that differ were matched by a person as they are.
    """
    changes: dict[str, str] = {}
    conflicts = dict(match.conflicts)
    for name, mine in ours.items():
        told, before = theirs.get(name, ""), match.theirs.get(name)
        if told == mine:
            conflicts.pop(name, None)
        elif before is not None and told not in ("", before):
            if mine == match.ours.get(name):
                changes[name] = told
                conflicts.pop(name, None)
            else:
                conflicts[name] = told
    known = {name: text for name, text in theirs.items() if name in ours}
    return replace(match, theirs=known, ours={**ours, **changes}, conflicts=conflicts, gone=False), changes


class RowState(StrEnum):
    DECIDED = "decided"
    SUGGESTED = "suggested"
    AMBIGUOUS = "ambiguous"
    NO_MATCH = "no_match"


@dataclass(frozen=True, slots=True)
class Candidate:
    id: str
    name: str
    percent: int


@dataclass(frozen=True, slots=True)
class MappingRow:
    """One line of the preview. key: ours. candidates: most similar first. match: what was decided before."""

    key: str
    name: str
    state: RowState
    candidates: tuple[Candidate, ...]
    match: CustomerMatch | None = None


def comparable(name: str) -> str:
    """A name without legal form, punctuation and capitals; the whole name where nothing else is left."""
    plain = _NOT_WORDS.sub(" ", name.casefold())
    return " ".join(_LEGAL.sub(" ", plain).split()) or " ".join(plain.split())


def row_of(key: str, name: str, candidates: Sequence[Candidate], match: CustomerMatch | None) -> MappingRow:
    best = sorted(candidates, key=lambda candidate: (-candidate.percent, candidate.name))
    if match is not None:
        return MappingRow(key, name, RowState.DECIDED, tuple(best), match)
    likely = [candidate for candidate in best if candidate.percent >= SUGGESTED_FROM]
    if not likely:
        return MappingRow(key, name, RowState.NO_MATCH, tuple(best))
    close = [candidate for candidate in likely if likely[0].percent - candidate.percent < AMBIGUOUS_WITHIN]
    return MappingRow(key, name, RowState.AMBIGUOUS if len(close) > 1 else RowState.SUGGESTED, tuple(best))
