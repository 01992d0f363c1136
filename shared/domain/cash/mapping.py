"""Which customer of the ledger is which company or contact of ours, and how a person decides it (Q8)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

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


@dataclass(frozen=True, slots=True)
class CustomerMatch:
    """What was decided for one company or contact, and is remembered. percent: similarity of the names then."""

    key: str
    state: MatchState
    customer_id: str | None
    percent: int = 100

    @property
    def mapped(self) -> str | None:
        """The ledger's customer to be invoiced."""
        return None if self.state is MatchState.REJECTED else self.customer_id


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
