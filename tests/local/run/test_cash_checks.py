"""What the cash scene checks: it must say no where something is wrong, or its yes is worth nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from local.run.cash.deal import require
from local.run.cash.invoicing import the_one
from local.run.cash.ledgers import InvoiceThere
from local.run.cash.signing import DocuSign, Notices
from local.run.cash.vendor import Vendor, minor, whole
from local.run.http import Http
from local.run.waiting import NotSeenError

INVOICE = InvoiceThere("15", "INV-1", 2_268_000, 168_000, 2_268_000, (675_000, 1_200_000, 425_000))


@dataclass
class Ledger:
    """Books with these invoices, and nobody who uses them."""

    found: list[InvoiceThere]
    name: str = "QuickBooks"
    page: str = ""

    def invoices(self) -> list[InvoiceThere]:
        return self.found

    def connect(self, who: Any) -> tuple[str, str]:
        raise NotImplementedError

    def choices(self, offered: Any) -> dict[str, Any]:
        raise NotImplementedError

    def pay(self, invoice_id: str, amount_minor: int) -> str:
        raise NotImplementedError

    def bounce(self, payment_id: str) -> None:
        raise NotImplementedError

    def told(self) -> None:
        raise NotImplementedError


def test_one_invoice_is_taken() -> None:
    assert the_one(Ledger([INVOICE])) is INVOICE


@pytest.mark.parametrize(("found", "count"), [([], 0), ([INVOICE, INVOICE], 2)])
def test_none_or_two_invoices_in_the_ledger_are_told(found: list[InvoiceThere], count: int) -> None:
    with pytest.raises(NotSeenError, match=f"exactly one invoice in QuickBooks; there are {count}"):
        the_one(Ledger(found))


@pytest.mark.parametrize(("told", "cents"), [(22680.0, 2_268_000), ("1680.07", 168_007), (Decimal("0.1"), 10), (0, 0)])
def test_amounts_of_a_vendor_are_cents(told: object, cents: int) -> None:
    assert minor(told) == cents


def test_an_amount_with_part_of_a_cent_is_not_rounded_away() -> None:
    with pytest.raises(NotSeenError, match="whole cents"):
        minor("0.005")


def test_a_bookkeeper_types_whole_units() -> None:
    assert (whole(1_268_000), whole(7)) == ("12680.00", "0.07")


def test_what_was_expected_and_not_seen_is_named() -> None:
    require(True, "anything")
    with pytest.raises(NotSeenError, match="a deal that is won"):
        require(False, "a deal that is won")


@dataclass(frozen=True, slots=True)
class Connect(Vendor):
    """DocuSign's control API as far as its log of notices."""

    log: list[dict[str, Any]] = field(default_factory=list)
    waiting: int = 0

    def ask(self, path: str) -> dict[str, Any]:
        assert path == "connect"
        return {"log": self.log, "waiting": self.waiting}


def line(event: str, second: int, *, envelope: str = "e-1", outcome: str = "delivered") -> dict[str, Any]:
    return {"envelope": envelope, "event": event, "happened": f"2026-03-02T09:00:{second:02}Z", "outcome": outcome}


def told(*log: dict[str, Any], waiting: int = 0) -> Notices | None:
    return DocuSign(Connect(Http(), "http://127.0.0.1:9", list(log), waiting)).notices("e-1")


def test_notices_that_come_twice_and_late_are_counted_as_such() -> None:
    sent, completed, signed = line("envelope-sent", 1), line("envelope-completed", 3), line("recipient-completed", 2)

    assert told(sent, sent, completed, signed) == Notices(delivered=4, distinct=3, late=1)


def test_notices_of_others_and_those_that_failed_do_not_count() -> None:
    log = [
        line("envelope-sent", 1),
        line("envelope-sent", 2, envelope="e-2"),
        line("x", 3, outcome="to be tried again"),
    ]

    assert told(*log) == Notices(delivered=1, distinct=1, late=0)


def test_while_one_is_on_its_way_nothing_is_told() -> None:
    assert told(line("envelope-sent", 1), waiting=1) is None
