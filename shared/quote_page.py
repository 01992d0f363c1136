"""The public page of a quote. Nothing happens by fetching it: each deed is a form that a person sends (I31)."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from flask import Response

from shared.domain.cash.quote import QuoteStatus, instalments
from shared.domain.cash.quote_words import COLUMNS, cells, due_words, plain, sums
from shared.errors import InputError
from shared.usecases.cash.decide_quote import Deed, DeedKind, Visitor
from shared.web_page import HEADERS, page

if TYPE_CHECKING:
    from shared.domain.cash.quote import Quote
    from shared.usecases.cash.decide_quote import QuotePage


def wanted(form: Mapping[str, str], ip: str) -> Deed:
    """What a sent form asks for. ip: the address it came from. Raises: InputError."""
    try:
        kind = DeedKind(form.get("deed", ""))
    except ValueError as error:
        raise InputError("Please use the buttons of the page.") from error
    if kind is DeedKind.ACCEPT and form.get("agree") != "yes":
        raise InputError("Please tick the box to accept the quote.")
    return Deed(kind, Visitor(form.get("name", ""), form.get("email", ""), ip), form.get("reason", ""))


def opened() -> Response:
    """After a deed: the page once more, in a way that a reload repeats nothing."""
    return Response(status=303, headers={**HEADERS, "Location": "?open=1"})


def closed_page(shown: QuotePage) -> Response:
    """What anybody who fetches the link sees: who wrote, and a button that opens the quote."""
    quote = shown.quote
    content = (
        f'<p class="soft">{escape(shown.head.seller)}</p><h1>Quote {escape(quote.number)}</h1>'
        f"<p>{escape(shown.head.seller)} has prepared a quote for you.</p>{_form(DeedKind.OPEN, 'Open the quote')}"
    )
    return page(f"Quote {quote.number}", content)


def open_page(shown: QuotePage) -> Response:
    """The whole quote, and what can be done with it now."""
    quote = shown.quote
    until = f"Valid until {quote.expires_on:%d %B %Y}" if quote.expires_on else ""
    company = f" at {escape(shown.head.customer)}" if shown.head.customer else ""
    content = (
        f'<p class="soft">{escape(shown.head.seller)}</p><h1>Quote {escape(quote.number)}</h1>'
        f"<p>For {escape(shown.head.contact)}{company}</p>"
        f'<p class="soft">{until}</p>{_table(quote)}{_schedule(quote)}'
        f"{f'<p>{escape(quote.memo)}</p>' if quote.memo else ''}"
        '<p><a href="?document=1">Download as PDF</a></p>'
        f"{_what_now(shown)}"
    )
    return page(f"Quote {quote.number}", content)


def _what_now(shown: QuotePage) -> str:
    quote = shown.quote
    if quote.status is QuoteStatus.ACCEPTED and quote.acceptance:
        accepted = quote.acceptance
        return _note(f"Accepted by {escape(accepted.name)} on {accepted.at:%d %B %Y at %H:%M} UTC. Thank you.")
    if quote.status is QuoteStatus.DECLINED:
        return _note("This quote was declined.")
    if shown.expired:
        if quote.renewal_asked_at:
            return _note("This quote has ended. You asked for a new one; we will write to you.")
        return _note("This quote has ended.") + _form(DeedKind.RENEW, "Ask for a new quote")
    return _accept_form(quote) + _decline_form()


def _accept_form(quote: Quote) -> str:
    total = escape(str(quote.totals.total))
    return (
        f'<h2>Accept</h2><form method="post"><input type="hidden" name="deed" value="{DeedKind.ACCEPT}">'
        '<label for="name">Your name</label><input id="name" name="name" type="text" autocomplete="name" required '
        'maxlength="200"><label for="email">Your email address</label><input id="email" name="email" type="email" '
        'autocomplete="email" required maxlength="200"><label class="tick"><input type="checkbox" name="agree" '
        f'value="yes" required><span>I accept quote {escape(quote.number)} over {total}. My name, the time and the '
        "address of this computer are kept with it.</span></label>"
        '<button type="submit">Accept the quote</button></form>'
    )


def _decline_form() -> str:
    return (
        '<details><summary>Decline</summary><form method="post">'
        f'<input type="hidden" name="deed" value="{DeedKind.DECLINE}">'
        '<label for="reason">Why, if you like</label><textarea id="reason" name="reason" rows="3" maxlength="500">'
        '</textarea><button type="submit" class="second">Decline the quote</button></form></details>'
    )


def _form(deed: DeedKind, button: str) -> str:
    return (
        f'<form method="post"><input type="hidden" name="deed" value="{deed}">'
        f'<button type="submit">{escape(button)}</button></form>'
    )


def _note(sentence: str) -> str:
    return f'<p class="note">{sentence}</p>'


def _table(quote: Quote) -> str:
    heads = "".join(f'<th scope="col">{head}</th>' for head in COLUMNS)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells(line))}</tr>" for line in quote.lines)
    foot = "".join(
        f'<tr><th scope="row" colspan="4">{escape(label)}</th><td>{plain(amount)}</td></tr>'
        for label, amount in sums(quote)
    )
    return (
        f'<div class="scroll"><table><caption>All amounts in {escape(quote.currency)}</caption><thead><tr>{heads}</tr>'
        f"</thead><tbody>{rows}</tbody><tfoot>{foot}</tfoot></table></div>"
    )


def _schedule(quote: Quote) -> str:
    if len(quote.schedule) < 2:
        return ""
    items = "".join(
        f"<li>{escape(str(amount))}, {due_words(part)}</li>"
        for part, amount in zip(quote.schedule, instalments(quote), strict=True)
    )
    return f"<h2>Instalments</h2><ol>{items}</ol>"
