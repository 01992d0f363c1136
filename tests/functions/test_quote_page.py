"""The customer's page of a quote, over HTTP: nothing by fetching, everything by a form, safe headers (Q1, I31)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import functions_framework
import pytest
from werkzeug.test import Client, TestResponse

from shared import wiring
from shared.domain.cash.quote import QuoteStatus
from shared.records.store import TenantStore
from shared.usecases.cash.send_quote import SentQuote
from tests.contract_world import PAGE, ContractWorld, contract_world, line

MAIN = Path(__file__).parents[2] / "functions" / "quote_page" / "main.py"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> ContractWorld:
    world = contract_world()
    monkeypatch.setattr(wiring, "store", lambda tenant: TenantStore(world.documents, tenant))
    monkeypatch.setattr(wiring, "blobs", lambda _tenant: world.blobs)
    monkeypatch.setattr(wiring, "clock", lambda: world.clock)
    monkeypatch.setattr(wiring, "jitter", lambda: world.jitter)
    return world


@pytest.fixture
def browser() -> Iterator[Client]:
    app = functions_framework.create_app("quote_page", str(MAIN))  # type: ignore[no-untyped-call]  # it has no types
    yield app.test_client()
    os.environ.pop("FUNCTION_SIGNATURE_TYPE", None)  # left behind by the framework


def path(sent: SentQuote) -> str:
    return sent.link.removeprefix(PAGE)


def sent(world: ContractWorld, *, days: int = 30) -> SentQuote:
    lines = (line(2, "50.00", name="<b>cheap</b>"), line(1, "23.45", name="training", discount=10))
    expires_on = world.today() + timedelta(days=days)
    return world.sends_quote(world.quotes(*lines, expires_on=expires_on, memo="Tom & Jerry"))


def post(browser: Client, quote: SentQuote, deed: str, **fields: str) -> TestResponse:
    headers = {"X-Forwarded-For": "10.0.0.1, 203.0.113.9"}
    return browser.post(path(quote), data={"deed": deed, **fields}, headers=headers)


def accept(browser: Client, quote: SentQuote, **changed: str) -> TestResponse:
    fields = {"name": "Carla Buyer", "email": "carla@globex.example", "agree": "yes", **changed}
    return post(browser, quote, "accept", **fields)


def test_the_link_shows_who_wrote_and_no_figure(world: ContractWorld, browser: Client) -> None:
    quote = sent(world)
    text = browser.get(path(quote)).get_data(as_text=True)
    assert "Quote QT-000001" in text
    assert "Acme has prepared a quote for you" in text
    assert "121.11" not in text
    assert world.quote(quote.quote.quote_id).opens == 0


def test_heads_and_fetches_of_every_kind_change_nothing(world: ContractWorld, browser: Client) -> None:
    quote = sent(world)
    before = world.documents.dump()  # type: ignore[attr-defined]  # memory
    for address in (path(quote), f"{path(quote)}?open=1", f"{path(quote)}?document=1", f"{path(quote)}?deed=accept"):
        assert browser.get(address).status_code == 200
        assert browser.head(address).status_code == 200
    assert world.documents.dump() == before  # type: ignore[attr-defined]  # memory


def test_opening_counts_and_shows_the_whole_quote(world: ContractWorld, browser: Client) -> None:
    quote = sent(world)
    answer = post(browser, quote, "open")
    assert (answer.status_code, answer.headers["Location"]) == (303, "?open=1")
    text = browser.get(f"{path(quote)}?open=1").get_data(as_text=True)
    assert world.quote(quote.quote.quote_id).opens == 1
    for shown in (
        "100.00",
        "21.11",
        "10 %",
        "Total USD",
        "121.11",
        "Valid until",
        "Tom &amp; Jerry",
        "Accept the quote",
    ):
        assert shown in text
    assert "&lt;b&gt;cheap&lt;/b&gt;" in text
    assert "<b>cheap" not in text
    assert "<script" not in text


def test_accepting_keeps_who_and_from_where_and_is_shown(world: ContractWorld, browser: Client) -> None:
    quote = sent(world)
    assert accept(browser, quote).status_code == 303
    accepted = world.quote(quote.quote.quote_id).acceptance
    assert accepted is not None
    assert (accepted.name, accepted.ip) == ("Carla Buyer", "203.0.113.9")
    text = browser.get(f"{path(quote)}?open=1").get_data(as_text=True)
    assert "Accepted by Carla Buyer on 02 March 2026 at 09:00 UTC" in text
    assert "<form" not in text


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [({"agree": ""}, "tick the box"), ({"name": " "}, "your name"), ({"email": "carla"}, "your email address")],
)
def test_an_incomplete_acceptance_is_explained(
    world: ContractWorld, browser: Client, changed: dict[str, str], sentence: str
) -> None:
    quote = sent(world)
    answer = accept(browser, quote, **changed)
    assert answer.status_code == 400
    assert sentence in answer.get_data(as_text=True)
    assert world.quote(quote.quote.quote_id).status is QuoteStatus.SENT


def test_declining_and_no_deed_at_all(world: ContractWorld, browser: Client) -> None:
    quote = sent(world)
    assert post(browser, quote, "").status_code == 400
    assert post(browser, quote, "decline", reason="Too expensive").status_code == 303
    assert "This quote was declined." in browser.get(f"{path(quote)}?open=1").get_data(as_text=True)
    assert accept(browser, quote).status_code == 400


def test_an_ended_quote_offers_to_ask_for_a_new_one(world: ContractWorld, browser: Client) -> None:
    quote = sent(world, days=1)
    world.passes(days=2)
    text = browser.get(f"{path(quote)}?open=1").get_data(as_text=True)
    assert "Ask for a new quote" in text
    assert "Accept the quote" not in text
    assert "ended on 2026-03-03" in accept(browser, quote).get_data(as_text=True)
    assert post(browser, quote, "renew").status_code == 303
    assert "You asked for a new one" in browser.get(f"{path(quote)}?open=1").get_data(as_text=True)


def test_the_pdf_is_a_download_of_exactly_what_was_sent(world: ContractWorld, browser: Client) -> None:
    quote = sent(world)
    answer = browser.get(f"{path(quote)}?document=1")
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="QT-000001.pdf"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.get_data().startswith(b"%PDF-")


@pytest.mark.parametrize("address", ["/", "/acme", "/acme/q-1/", "/acme/q-1/guess", "/other/q-1/guess/more"])
def test_any_other_address_is_a_page_that_says_so(world: ContractWorld, browser: Client, address: str) -> None:
    sent(world)
    answer = browser.get(address)
    assert answer.status_code == 404
    assert "does not exist" in answer.get_data(as_text=True)


def test_every_page_lets_nothing_else_in_and_is_kept_nowhere(world: ContractWorld, browser: Client) -> None:
    quote = sent(world)
    for answer in (browser.get(path(quote)), browser.get("/nothing"), post(browser, quote, "open")):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_what_is_down_is_a_page_too(world: ContractWorld, browser: Client) -> None:
    quote = sent(world)
    world.documents.down = True  # type: ignore[attr-defined]  # memory
    answer = browser.get(path(quote))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.mimetype == "text/html"
