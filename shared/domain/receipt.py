"""The completeness receipt: listed = logged + left out + quarantined + gone, and nothing unexplained (G19, I3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from shared.domain.ledger import Rule
from shared.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class Receipt:
    """Counts of the ledger rows of one mailbox, of one UTC day or (day None) of all.

    waiting: queued, and not for long. unexplained: queued longer than fifteen minutes after its listing.
    """

    day: date | None
    listed: int
    logged: int
    left_out: Mapping[Rule, int]
    quarantined: int
    gone: int
    waiting: int
    unexplained: int
    covered_until: datetime | None

    @property
    def balanced(self) -> bool:
        settled = self.logged + sum(self.left_out.values()) + self.quarantined + self.gone
        return self.listed == settled + self.waiting + self.unexplained
