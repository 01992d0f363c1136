"""The two tables that are typed by hand: vendors.yaml and assumptions.yaml. Everything else is measured or read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

Standing = Literal["page", "second_hand", "memory"]
STANDINGS: tuple[Standing, ...] = get_args(Standing)


@dataclass(frozen=True, slots=True)
class Price:
    """`usd` for `per` of something, beyond `free` of it a month."""

    usd: float
    per: float
    free: float
    standing: Standing
    read: str
    source: str

    def of(self, amount: float) -> float:
        """Dollars for a month's amount."""
        return max(0.0, amount - self.free) * self.usd / self.per


@dataclass(frozen=True, slots=True)
class Limit:
    """A vendor's limit; its name says of what and in which time."""

    value: float
    standing: Standing
    read: str
    source: str


@dataclass(frozen=True, slots=True)
class Vendors:
    prices: Mapping[str, Price]
    limits: Mapping[str, Limit]


@dataclass(frozen=True, slots=True)
class Habits:
    """One mailbox and its person; see assumptions.yaml for each field's meaning."""

    mails_a_day: float
    new_conversation: float
    reply: float
    second_holder: float
    left_out: float
    in_spam: float
    further_contacts: float
    other_changes_a_day: float
    meetings_a_day: float
    pages_a_day: float
    documents_a_page: float
    kib_a_page: float
    contracts_a_month: float
    paper_kib: float
    papers: float
    body_kib: float
    new_a_month: float


@dataclass(frozen=True, slots=True)
class World:
    mailboxes_a_tenant: float
    hours_of_day: Sequence[float]

    @property
    def peak_hour(self) -> float:
        """Share of the day's work in its busiest hour."""
        return max(self.hours_of_day)


@dataclass(frozen=True, slots=True)
class Service:
    """How the cloud serves us. seconds: by function, with a default."""

    seconds: Mapping[str, float]
    requests_at_once: float
    task_create_s: float
    page_read_s: float
    request_log_bytes: float
    index_factor: float
    headroom: float
    instance_starts_a_day: float

    def seconds_of(self, function: str) -> float:
        return self.seconds.get(function, self.seconds["default"])


@dataclass(frozen=True, slots=True)
class Assumptions:
    mailbox: Habits
    world: World
    service: Service


@cache
def vendors() -> Vendors:
    tables = _read("vendors.yaml")
    prices = {name: Price(**{**row, "read": str(row["read"])}) for name, row in tables["prices"].items()}
    limits = {name: Limit(**{**row, "read": str(row["read"])}) for name, row in tables["limits"].items()}
    return Vendors(prices, limits)


@cache
def assumptions() -> Assumptions:
    values = {part: {name: row["value"] for name, row in rows.items()} for part, rows in assumption_rows().items()}
    return Assumptions(Habits(**values["mailbox"]), World(**values["world"]), Service(**values["service"]))


def assumption_rows() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """part -> name -> {value, why}, as the file has them."""
    return _read("assumptions.yaml")


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((Path(__file__).parent / name).read_text())
    return content
