"""A quote goes to the customer, whose link does nothing until a person presses the button (Q1, I31)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from local.run.browser import Browser
from local.run.cash.deal import DealPages, require
from local.run.cash.people import Sellers
from local.run.http import Http
from local.run.screen import Screen

VALID_FOR = timedelta(days=30)


def quote_and_accept(sellers: Sellers, deal: DealPages, screen: Screen) -> None:
    """Raises: NotSeenError, RefusedError."""
    sale, product, buyer = sellers.sale, sellers.seller.product, sellers.buyer
    asked = {"deal": sale.deal_id, "contact": buyer.contact_id, **sale.quote}
    written = product.post("quote_write", asked, key=f"quote-{sale.deal_id}")
    total = written["totals"]["total"]
    require(total["minor"] == sale.expected_total_minor, f"a quote over {sale.expected_total_minor} cents")
    require(written["totals"]["tax"]["minor"] == sale.expected_tax_minor, f"{sale.expected_tax_minor} cents of tax")
    quote_id = str(written["quote"]["quote_id"])
    expires_on = (datetime.now(UTC) + VALID_FOR).date().isoformat()
    link = str(product.post("quote_send", {"expires_on": expires_on}, quote=quote_id)["link"])
    screen.done(
        f"{sellers.seller.user.name} quotes {amount(total['minor'], total['currency'])}",
        f"{written['quote']['number']} to {buyer.name}",
    )
    _fetch_only(link, deal)
    screen.done("Mail scanners fetch the link and everything behind it", "nothing happens")
    browser = Browser(Http())
    page = browser.press(link, ("deed", "open"))
    require(f"{total['minor'] / 100:,.2f}" in page, "the quote's total on the customer's page")
    typed = {"name": buyer.name, "email": buyer.emails[0], "agree": "yes"}
    page = browser.press(f"{link}?open=1", ("deed", "accept"), typed)
    require(f"Accepted by {buyer.name}" in page, "the customer's page saying that the quote was accepted")
    require(deal.quote()["status"] == "accepted", "an accepted quote on the deal")
    screen.done(f"{buyer.name} opens the quote and presses Accept", "who, when, from where and which PDF are kept")


def _fetch_only(link: str, deal: DealPages) -> None:
    before = deal.chain()
    stranger = Browser(Http())
    for address in (link, f"{link}?open=1", f"{link}?document=1&deed=accept", f"{link}?deed=accept&agree=yes"):
        for method in ("HEAD", "GET"):
            stranger.fetch(method, address)
    require(deal.chain() == before, "a deal that stays as it is when the link is merely fetched")


def amount(minor_units: int, currency: str) -> str:
    return f"{minor_units / 100:,.2f} {currency}"
