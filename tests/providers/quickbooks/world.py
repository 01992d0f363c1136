"""The simulated QuickBooks over HTTP with one company, and the product's way to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from local.quickbooks.simulator import Simulator
from shared.domain.cash.accounting import InvoiceDraft, InvoiceLine, LedgerCustomer, LedgerInvoice, NewCustomer
from shared.domain.cash.money import Money, total
from shared.providers.call_record import CallRecord
from shared.providers.quickbooks.client import QuickBooksHttp
from shared.providers.quickbooks.ledger import QuickBooksLedger
from shared.providers.quickbooks.manifest import Endpoints
from shared.providers.quickbooks.oauth import OAuthClient, QuickBooksAuthorization
from shared.providers.wire import Wire
from tests.fakes import FakeClock

CLIENT = OAuthClient("throughline.example", "hush", "https://crm.example/oauth_callback")
REALM = "9341450000000001"
SERVICES = "3"  # the company's first item


def usd(minor: int) -> Money:
    return Money(minor, "USD")


class World:
    def __init__(self, simulator: Simulator, url: str, settings: Mapping[str, Any] | None = None) -> None:
        self.simulator = simulator
        self.url = url
        self.clock = FakeClock(datetime.now(UTC))
        self.calls: list[CallRecord] = []
        self.control("clients", client_id=CLIENT.client_id, client_secret="hush", redirect_uris=[CLIENT.redirect_uri])
        self.control("companies", realm_id=REALM, name="Example Books", **(settings or {}))
        self.tokens = self.control("tokens", client_id=CLIENT.client_id, realm_id=REALM)
        self.authorization = QuickBooksAuthorization(
            CLIENT, clock=self.clock, on_call=self.calls.append, endpoints=Endpoints.under(url)
        )
        self.http = QuickBooksHttp(self._token, realm_id=REALM, api=url, clock=self.clock, on_call=self.calls.append)
        self.ledger = QuickBooksLedger(self.http, clock=self.clock)

    def _token(self, refresh: bool) -> str:
        if refresh:
            newer = self.authorization.refresh(self.tokens["refresh_token"])
            self.tokens = {"access_token": newer.token, "refresh_token": newer.refresh_token}
        return str(self.tokens["access_token"])

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        answer = Wire().send("POST", f"{self.url}/control/{path}", body=json.dumps(body), call=f"control {path}")
        assert answer.status == 200, answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def bookkeeper(self, act: str, **wish: Any) -> dict[str, Any]:
        return self.control(f"companies/{REALM}/{act}", **wish)

    def fault(self, call: str, **fault: Any) -> None:
        self.control("faults", call=call, **fault)

    def setting(self, **settings: Any) -> None:
        self.control(f"companies/{REALM}", **settings)

    def customer(self, name: str = "Northwind Example") -> LedgerCustomer:
        wanted = NewCustomer("c1", name, "pay@northwind.example", self.currency)
        return self.ledger.create_customer(wanted, key=f"customer {name}")

    @property
    def currency(self) -> str:
        return self.simulator.companies[REALM].settings.currency

    def draft(self, customer: LedgerCustomer, *lines: InvoiceLine, **changes: Any) -> InvoiceDraft:
        """Without lines the invoice is one consulting day of 1,000.00, not taxed."""
        lines = lines or (line("1000.00", taxable=False),)
        net = total((one.amount for one in lines), "USD")
        return InvoiceDraft(
            **{
                "number": "INV-AAAABBBBCCCCDDDDE",
                "external_id": "i-northwind-1",
                "customer_id": customer.customer_id,
                "lines": lines,
                "discount": usd(0),
                "tax": usd(0),
                "total": net,
                "issued_on": date(2026, 3, 2),
                "due_on": date(2026, 4, 1),
                **changes,
            }
        )

    def invoice(self, **changes: Any) -> LedgerInvoice:
        return self.ledger.create_invoice(self.draft(self.customer(), **changes), key="intent 1")

    def purposes(self) -> list[str]:
        return [call.purpose for call in self.calls]


def line(amount: str, *, quantity: str = "1", unit_price: str = "", **changes: Any) -> InvoiceLine:
    """amount and unit_price in dollars."""
    return InvoiceLine(
        **{
            "description": "Consulting",
            "quantity": Decimal(quantity),
            "unit_price": Decimal(unit_price or amount),
            "amount": usd(int(Decimal(amount) * 100)),
            "item_id": SERVICES,
            **changes,
        }
    )
