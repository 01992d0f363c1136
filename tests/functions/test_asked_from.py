"""The audit log tells from where a person asked (R8); a log line never does."""

from __future__ import annotations

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from shared import wiring
from shared.domain.people import User
from shared.platform.identity import SignedIn
from shared.records.audit import Audit
from shared.records.people import Users
from shared.records.store import TenantStore
from tests.fakes import START, MemoryDocuments

ANNA = User("u-anna", "Anna", "anna@acme.example")


class AnnasToken:
    def verify(self, _bearer: str | None) -> SignedIn:
        return SignedIn("u-anna", "acme", ANNA.email, "sales_rep", ())


@pytest.fixture
def documents(monkeypatch: pytest.MonkeyPatch) -> MemoryDocuments:
    kept = MemoryDocuments()
    store = TenantStore(kept, "acme")
    store.commit([Users(store).creating(ANNA)])
    monkeypatch.setattr(wiring, "documents", lambda: kept)
    monkeypatch.setattr(wiring, "user_tokens", AnnasToken)
    return kept


def request(forwarded: str = "", path: str = "/") -> Request:
    headers = {"Authorization": "Bearer token"} | ({"X-Forwarded-For": forwarded} if forwarded else {})
    return Request(
        EnvironBuilder(path=path, headers=[*headers.items()], environ_base={"REMOTE_ADDR": "192.0.2.1"}).get_environ()
    )


@pytest.mark.parametrize(
    ("forwarded", "ip"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("10.0.0.1, 203.0.113.9", "203.0.113.9"),  # what the browser claimed comes first, what our front end saw last
        ("", "192.0.2.1"),
        ("x" * 5_000, "x" * 45),
    ],
)
def test_what_a_person_does_tells_from_where(
    documents: MemoryDocuments, forwarded: str, ip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store, user = wiring.signed_in(request(forwarded))
    store.commit([Audit(store).recording(user.user_id, "deal.won", "d-1", START)])
    [row] = Audit(TenantStore(documents, "acme")).newest(10)
    assert (row.actor, row.ip) == ("u-anna", ip)
    assert ip not in capsys.readouterr().out


def test_what_a_customer_does_on_a_quotes_page_tells_from_where(documents: MemoryDocuments) -> None:
    store, _, _ = wiring.quote_link(request("203.0.113.9", "/acme/q-1/token"))
    store.commit([Audit(store).recording("customer", "quote.accepted", "q-1", START)])
    assert [row.ip for row in Audit(TenantStore(documents, "acme")).newest(10)] == ["203.0.113.9"]


def test_what_the_product_does_by_itself_comes_from_nowhere(documents: MemoryDocuments) -> None:
    store = wiring.store("acme")
    store.commit([Audit(store).recording("system", "invoice.created", "i-1", START)])
    assert [row.ip for row in Audit(TenantStore(documents, "acme")).newest(10)] == [""]
