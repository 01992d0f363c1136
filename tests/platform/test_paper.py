"""Quotes and contracts as PDF: readable, in any European name, and the same bytes for the same quote."""

from __future__ import annotations

import io
import zlib
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from pypdf import PdfReader

from shared.domain.cash.contract import Contract
from shared.domain.cash.quote import Due, Instalment, Quote
from shared.domain.cash.signing import Signer
from shared.errors import InputError
from shared.platform.paper.writer import PaperWriter, merged
from shared.ports.papers import Letterhead
from tests.contract_world import WORKED_EXAMPLE, line, usd

HEAD = Letterhead("Acme GmbH", "Żółć Kft", "Łucja Nováková")
TODAY = date(2026, 3, 2)
HALVES = (
    Instalment(1, percent=Decimal(40)),
    Instalment(2, Due.DAYS_AFTER, percent=Decimal(60), days=30),
)
QUOTE = Quote(
    "q-1",
    "QT-000001",
    "d-1",
    "c-1",
    "USD",
    WORKED_EXAMPLE,
    tax_percent=Decimal(8),
    discount_amount=usd("2000.00"),
    schedule=HALVES,
    expires_on=date(2026, 4, 1),
    memo="Prices hold until then.",
)
SIGNERS = (
    Signer("1", "Customer", "Sam Signer", "sam@globex.example", 1),
    Signer("2", "Acme", "Anna", "a@b.example", 2),
)
CONTRACT = Contract("y-1", "CT-000001", "d-1", "msa", SIGNERS, terms="Between {company.name} and us, {{sic}}.")


@pytest.fixture(scope="module")
def writer() -> PaperWriter:
    return PaperWriter(signature_anchor=lambda id_: f"/signature:{id_}/", date_anchor=lambda id_: f"/date:{id_}/")


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_a_quote_shows_its_lines_its_sums_and_its_instalments(writer: PaperWriter) -> None:
    text = text_of(writer.quote(QUOTE, HEAD, TODAY))
    for shown in (
        "Quote QT-000001", "Acme GmbH", "Żółć Kft", "Łucja Nováková", "02 March 2026", "Valid until 01 April 2026",
        "Licence", "50", "150.00", "10 %", "6,750.00", "12,000.00", "4,250.00", "Subtotal", "23,000.00", "-2,000.00",
        "21,000.00", "Tax 8 %", "1,680.00", "Total USD", "22,680.00", "Instalment 1: 9,072.00 USD, at signing",
        "Instalment 2: 13,608.00 USD, 30 days after signing", "Prices hold until then.",
    ):  # fmt: skip
        assert shown in text, shown


def test_the_same_quote_gives_the_same_bytes_and_another_other_ones(writer: PaperWriter) -> None:
    first = writer.quote(QUOTE, HEAD, TODAY)
    assert first == writer.quote(QUOTE, HEAD, TODAY)
    assert first != writer.quote(QUOTE, HEAD, date(2026, 3, 3))
    assert first.startswith(b"%PDF-")
    assert first.rstrip().endswith(b"%%EOF")


def test_a_long_quote_goes_on_to_further_pages(writer: PaperWriter) -> None:
    lines = tuple(line(1, "10.00", name=f"item number {number}") for number in range(80))
    pdf = writer.quote(replace(QUOTE, lines=lines, discount_amount=None, schedule=QUOTE.schedule), HEAD, TODAY)
    assert len(PdfReader(io.BytesIO(pdf)).pages) > 1
    assert "Item number 79" in text_of(pdf)


def test_a_logo_stands_above(writer: PaperWriter) -> None:
    pdf = writer.quote(QUOTE, replace(HEAD, logo=_png()), TODAY)
    assert len(PdfReader(io.BytesIO(pdf)).pages[0].images) == 1


def test_a_contract_has_its_text_filled_in_and_a_place_for_every_signer(writer: PaperWriter) -> None:
    text = text_of(writer.contract(CONTRACT, QUOTE, {"company.name": "Globex Inc"}, HEAD, TODAY))
    for shown in (
        "Contract CT-000001", "Between Globex Inc and us, {sic}.", "22,680.00", "Sam Signer (Customer)",
        "/signature:1/", "/date:1/", "/signature:2/", "/date:2/",
    ):  # fmt: skip
        assert shown in text, shown


@pytest.mark.parametrize(
    ("terms", "sentence"), [("{company.nme}", "'company.nme', which does not exist"), ("{oops", "not closed")]
)
def test_a_merge_field_that_does_not_exist_is_said(terms: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        merged(terms, {"company.name": "Globex"})


def _png() -> bytes:
    """One red pixel."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        sum_ = zlib.crc32(kind + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + kind + content + sum_

    header = (1).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    pixel = zlib.compress(b"\x00\xff\x00\x00")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
