"""Where a browser lands after consent: what is connected and what happens now, and nothing about anybody."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import functions_framework
import pytest
from werkzeug.test import Client

from shared.domain.connection import connection_id

MAIN = Path(__file__).parents[2] / "functions" / "connections" / "main.py"
LANDING = f"/{connection_id('google', 'u-anna')}"


@pytest.fixture
def browser() -> Iterator[Client]:
    app = functions_framework.create_app("connections", str(MAIN))  # type: ignore[no-untyped-call]  # it has no types
    yield app.test_client()
    os.environ.pop("FUNCTION_SIGNATURE_TYPE", None)  # left behind by the framework


def test_a_person_reads_that_their_account_is_connected_and_what_happens_now(browser: Client) -> None:
    shown = browser.get(f"{LANDING}?provider=google")
    assert (shown.status_code, shown.mimetype) == (200, "text/html")
    assert "Your account is connected with Google" in shown.text
    assert "past mail is read now" in shown.text


@pytest.mark.parametrize(("provider", "name"), [("docusign", "DocuSign"), ("quickbooks", "QuickBooks")])
def test_an_organizations_connection_says_so(browser: Client, provider: str, name: str) -> None:
    assert f"Your organization is connected with {name}" in browser.get(f"{LANDING}?provider={provider}").text


def test_the_page_loads_nothing_runs_nothing_and_is_kept_nowhere(browser: Client) -> None:
    shown = browser.get(f"{LANDING}?provider=google")
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert shown.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script|src=|href=|http", shown.text)
    assert LANDING.strip("/") not in shown.text


@pytest.mark.parametrize("path", ["/", "/n1", f"{LANDING}/more", f"{LANDING}x"])
def test_an_address_nobody_was_sent_to_is_not_found(browser: Client, path: str) -> None:
    assert browser.get(f"{path}?provider=google").status_code == 404


@pytest.mark.parametrize("provider", ["", "nobody", "../google", "<b>"])
def test_a_provider_that_is_not_there_is_refused_in_a_sentence(browser: Client, provider: str) -> None:
    shown = browser.get(LANDING, query_string={"provider": provider})
    assert shown.status_code == 400
    assert "no such provider" in shown.text
    assert "<b>" not in shown.text
