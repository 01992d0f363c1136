"""`ports.PdfWriter` with fpdf2: A4, the seller's name or logo above, a table of lines, totals by the quote's own rule.

The same input gives the same bytes: the creation date is the day it was written on, and the font is a subset of what is
used, in a fixed order.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

from shared.domain.cash.contract import Contract
from shared.domain.cash.quote import Quote, instalments
from shared.domain.cash.quote_words import COLUMNS, cells, due_words, plain, sums
from shared.errors import InputError
from shared.ports.marks import reads
from shared.ports.papers import Letterhead

if TYPE_CHECKING:
    from fpdf import FPDF

FONTS = Path(__file__).parent / "fonts"
FONT = "DejaVu"
LOGO_HEIGHT_MM = 16
LEADING = 1.45
"""Height of a line of text, in heights of its letters."""

MM_PER_POINT = 25.4 / 72

Anchor = Callable[[str], str]
"""The hidden text, by recipient id, at which a signing service puts a signature or a date."""


class PaperWriter:
    def __init__(self, *, signature_anchor: Anchor, date_anchor: Anchor) -> None:
        """The anchors are the signing service's; nothing is loaded before the first document."""
        self._signature_anchor = signature_anchor
        self._date_anchor = date_anchor

    @reads
    def quote(self, quote: Quote, head: Letterhead, written_on: date) -> bytes:
        """One quote with its lines, totals, instalments and last day."""
        pdf = _sheet(f"Quote {quote.number}", head, written_on)
        _heading(pdf, f"Quote {quote.number}", head, written_on)
        if quote.expires_on:
            _write(pdf, f"Valid until {quote.expires_on:%d %B %Y}")
        _lines(pdf, quote)
        _schedule(pdf, quote)
        if quote.memo:
            pdf.ln(4)
            _write(pdf, quote.memo)
        return bytes(pdf.output())

    @reads
    def contract(
        self, contract: Contract, quote: Quote | None, facts: Mapping[str, str], head: Letterhead, written_on: date
    ) -> bytes:
        """Raises: InputError for text with a merge field that does not exist."""
        pdf = _sheet(f"Contract {contract.number}", head, written_on)
        _heading(pdf, f"Contract {contract.number}", head, written_on)
        pdf.ln(2)
        _write(pdf, merged(contract.terms, facts))
        if quote is not None:
            _lines(pdf, quote)
            _schedule(pdf, quote)
        self._signatures(pdf, contract)
        return bytes(pdf.output())

    def _signatures(self, pdf: FPDF, contract: Contract) -> None:
        pdf.ln(10)
        for signer in sorted(contract.signers, key=lambda signer: signer.order):
            if pdf.will_page_break(24):
                pdf.add_page()
            top = pdf.get_y()
            pdf.set_text_color(255, 255, 255)
            pdf.set_xy(pdf.l_margin, top)
            pdf.cell(text=self._signature_anchor(signer.recipient_id))
            pdf.set_xy(pdf.l_margin + 110, top)
            pdf.cell(text=self._date_anchor(signer.recipient_id))
            pdf.set_text_color(0, 0, 0)
            pdf.line(pdf.l_margin, top + 12, pdf.l_margin + 90, top + 12)
            pdf.line(pdf.l_margin + 110, top + 12, pdf.l_margin + 150, top + 12)
            pdf.set_xy(pdf.l_margin, top + 13)
            pdf.cell(text=f"{signer.name} ({signer.role})")
            pdf.set_xy(pdf.l_margin + 110, top + 13)
            pdf.cell(text="Date")
            pdf.set_xy(pdf.l_margin, top + 24)


def merged(terms: str, facts: Mapping[str, str]) -> str:
    """Text whose {contact.name} and the like are filled in. Raises: InputError."""
    parts = []
    try:
        for text, name, _, _ in Formatter().parse(terms):
            parts.append(text)
            if name is None:
                continue
            if name not in facts:
                raise InputError(f"The text has the merge field '{name}', which does not exist.")
            parts.append(facts[name])
    except ValueError as error:
        raise InputError("The text has a brace that is not closed; write {{ for a brace of its own.") from error
    return "".join(parts)


def _sheet(title: str, head: Letterhead, written_on: date) -> FPDF:
    from fpdf import FPDF

    pdf = FPDF(format="A4")
    pdf.set_creation_date(datetime.combine(written_on, time(), tzinfo=UTC))
    pdf.set_title(title)
    pdf.set_author(head.seller)
    pdf.set_margin(18)
    pdf.set_auto_page_break(True, margin=18)
    pdf.add_font(FONT, "", FONTS / "DejaVuSans.ttf")
    pdf.add_font(FONT, "B", FONTS / "DejaVuSans-Bold.ttf")
    pdf.set_font(FONT, size=10)
    pdf.add_page()
    return pdf


def _heading(pdf: FPDF, title: str, head: Letterhead, written_on: date) -> None:
    if head.logo:
        pdf.image(io.BytesIO(head.logo), h=LOGO_HEIGHT_MM)
        pdf.ln(3)
    _write(pdf, head.seller, size=13, style="B")
    pdf.ln(6)
    _write(pdf, title, size=18, style="B")
    for text in (head.customer, head.contact):
        if text:
            _write(pdf, text)
    _write(pdf, f"{written_on:%d %B %Y}")


def _write(pdf: FPDF, text: str, *, size: int = 10, style: str = "") -> None:
    pdf.set_font(FONT, style=style, size=size)
    pdf.multi_cell(0, h=size * MM_PER_POINT * LEADING, text=text, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(FONT, size=10)


def _lines(pdf: FPDF, quote: Quote) -> None:
    pdf.ln(5)
    pdf.set_font(FONT, size=9)
    *rest, last = sums(quote)
    with pdf.table(
        borders_layout="HORIZONTAL_LINES",
        col_widths=(40, 12, 16, 13, 19),
        text_align=("LEFT", "RIGHT", "RIGHT", "RIGHT", "RIGHT"),
        line_height=6,
    ) as table:
        table.row(COLUMNS)
        for line in quote.lines:
            table.row(cells(line))
        for label, amount in rest:
            table.row((label, "", "", "", plain(amount)))
        pdf.set_font(FONT, style="B", size=9)
        table.row((last[0], "", "", "", plain(last[1])))
    pdf.set_font(FONT, size=10)


def _schedule(pdf: FPDF, quote: Quote) -> None:
    if len(quote.schedule) < 2:
        return
    pdf.ln(4)
    for part, amount in zip(quote.schedule, instalments(quote), strict=True):
        _write(pdf, f"Instalment {part.number}: {amount}, {due_words(part)}")
