"""HTML of strangers, in a real browser: nothing of it runs, nothing calls home, wherever we show it."""

from __future__ import annotations

import asyncio
import base64
import re
import shutil
from collections.abc import Iterable
from dataclasses import replace

import pytest
from playwright.async_api import Page, Route, async_playwright

from shared.domain.cash.quote import QuoteLine
from shared.providers.google import mail_html
from shared.providers.google.mime import body_from_gmail
from shared.quote_page import closed_page, open_page
from shared.usecases.cash.decide_quote import DeedKind, Visitor, read_quote_page
from shared.web_page import message_page
from tests.contract_world import contract_world, line
from tests.hostile.vectors import AWAY, VECTORS

CHROMIUM = shutil.which("chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]  # fmt: skip
HOME = "http://page.example/"
LISTENS = "window.fired=[];window.canary=()=>window.fired.push(1);window.alert=window.canary;"

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")


def mail(vector: str) -> str:
    """As it comes out of the mail that carried it."""
    data = base64.urlsafe_b64encode(vector.encode("utf-8", "replace")).decode()
    payload = {"mimeType": "text/html", "headers": [], "body": {"data": data}}
    body = body_from_gmail({"id": "g", "threadId": "t", "internalDate": "1", "payload": payload})
    return body.html or ""


def what_happens(pages: Iterable[str]) -> list[str]:
    """What acts or calls when each is opened, hovered and clicked."""
    return asyncio.run(_opened(list(pages)))


async def _opened(pages: list[str]) -> list[str]:
    happened: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = await browser.new_page()
        shown = ""

        async def answer(route: Route) -> None:
            if route.request.url == HOME and route.request.method == "GET":
                await route.fulfill(body=shown, content_type="text/html; charset=utf-8")
            else:
                happened.append(f"called {route.request.url[:80]}")
                await route.abort()

        await page.add_init_script(LISTENS)
        await page.route("**/*", answer)
        for content in pages:
            shown = content
            await page.goto(HOME, wait_until="load")
            happened += [f"ran: {content[:150]}"] * await _poked(page)
        await browser.close()
    return happened


async def _poked(page: Page) -> int:
    """Events of every element; returns how often something of the page's own ran."""
    return int(
        await page.evaluate(
            """() => {
                for (const element of document.querySelectorAll('body *')) {
                    for (const kind of ['click', 'mouseover', 'focus', 'error', 'load', 'toggle', 'animationstart'])
                        if (!(kind === 'click' && element.matches('a, button, summary')))
                            element.dispatchEvent(new Event(kind, {bubbles: true}))
                }
                for (const link of document.querySelectorAll('a'))
                    if (!/^(https?|mailto|tel|cid):$/.test(link.protocol) && link.hasAttribute('href')
                        && link.getAttribute('href') !== '?document=1') window.fired.push(link.href)
                return window.fired.length
            }"""
        )
    )


def in_page(html: str) -> str:
    return f"<!doctype html><meta charset=utf-8><main>{html}</main>"


def test_there_are_many_vectors_and_each_is_another() -> None:
    assert len(set(VECTORS)) == len(VECTORS) >= 150


@needs_browser
def test_the_browser_notices_what_acts() -> None:
    """Or the tests below would find nothing whatever there was."""
    acts = ["<img src=x onerror=canary()>", f"<img src={AWAY}/a.png>", "<a href='javascript:canary()'>x</a>"]
    found = what_happens(map(in_page, acts))
    assert any("ran: " in one for one in found)
    assert any("away.example" in one for one in found)
    assert len([one for one in found if "ran: " in one]) >= 2


@needs_browser
def test_nothing_in_a_mail_runs_or_calls_home_one_by_one_and_all_together() -> None:
    cleaned = [mail(vector) for vector in VECTORS]
    joined = [mail("".join(VECTORS[start : start + 40])) for start in range(0, len(VECTORS), 40)]
    twice = [mail_html.clean(html) for html in cleaned]
    assert what_happens(map(in_page, [*cleaned, *joined, in_page("".join(twice))])) == []


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_no_mail_keeps_what_can_act(vector: str) -> None:
    html = mail(vector).lower()
    for part in (
        "<script",
        "<style",
        "<iframe",
        "<svg",
        "<math",
        "<form",
        "<object",
        "<embed",
        "<base",
        "<meta",
        "<link",
    ):
        assert part not in html
    assert not re.search(r"""(?:href|src|action)=["'][\x00-\x20]*(?:javascript|vbscript|data:text)""", html)


@needs_browser
def test_nothing_runs_on_a_page_of_ours_whatever_names_people_have() -> None:
    """The pages without their Content-Security-Policy, which would stop what the escaping forgot."""
    shown: list[str] = []
    world = contract_world()
    for number, vector in enumerate(VECTORS[::12]):
        text = vector[:400].replace("\x00", "")
        item: QuoteLine = replace(line(1, "10.00"), description=text)
        world.add_deal(f"h-{number}")
        sent = world.sends_quote(world.quotes(item, deal_id=f"h-{number}", key=f"h-{number}", memo=text))
        token = sent.link.rpartition("/")[2]
        before = read_quote_page(world.store, sent.quote.quote_id, token, clock=world.clock)
        head = replace(before.head, seller=text, customer=text, contact=text)
        world.decides(sent, DeedKind.ACCEPT, visitor=Visitor(text, f"{text}@x.example", "203.0.113.9"))
        after = read_quote_page(world.store, sent.quote.quote_id, token, clock=world.clock)
        pages = [closed_page(replace(before, head=head)), open_page(replace(before, head=head))]
        pages += [open_page(replace(after, head=head)), message_page(400, text, text)]
        shown += [page.get_data(as_text=True) for page in pages]
    assert what_happens(shown) == []
