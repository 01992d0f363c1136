"""A served NetSuite, a connection to it, and a quote's worth of invoice."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from local.netsuite.roles import permissions_of
from local.netsuite.simulator import Simulator
from shared.domain.cash.accounting import InvoiceDraft, InvoiceLine, LedgerInvoice, NewCustomer
from shared.domain.cash.money import Money
from shared.providers.call_record import CallRecord
from shared.providers.netsuite.access import Access, BearerAccess
from shared.providers.netsuite.account import Account
from shared.providers.netsuite.client import NetsuiteClient
from shared.providers.netsuite.ledger import LedgerSettings, NetsuiteLedger
from shared.providers.netsuite.manifest import MANIFEST
from shared.providers.netsuite.oauth1 import SignedAccess, TokenCredentials
from shared.providers.netsuite.oauth2 import ClientCredentials, ClientCredentialsGrant
from shared.providers.wire import Wire
from tests.fakes import FakeChance, FakeClock

START = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)
CLIENT_ID = "throughline-client"

PERMISSIONS = permissions_of((permission.name, permission.level) for permission in MANIFEST.permissions)
"""What the set-up page asks for."""

Slot = Callable[[], AbstractContextManager[None]]


@dataclass
class World:
    """`url` serves `simulator`; `clock` is the time of both sides; `reported` are the calls of the connection."""

    simulator: Simulator
    url: str
    clock: FakeClock
    chance: FakeChance = field(default_factory=FakeChance)
    reported: list[CallRecord] = field(default_factory=list)

    @property
    def account(self) -> Account:
        return Account(self.simulator.account_id, self.url)

    # ------------------------------------------------------------------------------------------------------ our side

    def grant(self, key: Literal["ec", "rsa"] = "ec", role: str = "integration") -> ClientCredentialsGrant:
        """A certificate mapped to `role`, and the grant that uses it."""
        if role == "integration" and role not in self.simulator.roles:
            self.simulator.set_role(role, PERMISSIONS)
        private, certificate = key_pair(key)
        certificate_id = self.control("certificates", client_id=CLIENT_ID, certificate=certificate, role=role)
        credentials = ClientCredentials(CLIENT_ID, certificate_id["certificate_id"], private)
        return ClientCredentialsGrant(
            self.account, credentials, clock=self.clock, chance=self.chance, on_call=self.reported.append
        )

    def token_access(self, role: str = "integration") -> SignedAccess:
        if role == "integration" and role not in self.simulator.roles:
            self.simulator.set_role(role, PERMISSIONS)
        issued = self.control("tokens", role=role)
        credentials = TokenCredentials(
            issued["consumer_key"], issued["consumer_secret"], issued["token_id"], issued["token_secret"]
        )
        return SignedAccess(self.account, credentials, clock=self.clock, chance=self.chance)

    def client(
        self, access: Access | None = None, slot: Slot = nullcontext, wire: Wire | None = None
    ) -> NetsuiteClient:
        return NetsuiteClient(
            self.account,
            access or BearerAccess(self.grant().mint, clock=self.clock),
            clock=self.clock,
            chance=self.chance,
            on_call=self.reported.append,
            slot=slot,
            wire=wire,
        )

    def ledger(self, client: NetsuiteClient | None = None, **settings: Any) -> NetsuiteLedger:
        chosen = LedgerSettings(
            company_name="Harbor",
            currency="USD",
            time_zone=self.simulator.settings.time_zone,
            subsidiary_id=self.id("subsidiary", "Harbor Inc"),
            discount_item_id=self.id("discountItem", "Quote discount"),
        )
        return NetsuiteLedger(client or self.client(), replace(chosen, **settings), clock=self.clock)

    def draft(self, **changes: Any) -> InvoiceDraft:
        """The quote of 22,680.00: lines of 23,000.00 after their discounts, 2,000.00 off the whole, 8 % tax."""
        draft = InvoiceDraft(
            number="TL-1001",
            external_id="intent-1001",
            customer_id=self.id("customer", "Northwind Traders"),
            lines=(
                self._line("Consulting hour", 50, "150", 675_000),
                self._line("Platform licence", 1, "12000", 1_200_000),
                self._line("Onboarding", 1, "5000", 425_000),
            ),
            discount=usd(200_000),
            tax=usd(168_000),
            total=usd(2_268_000),
            issued_on=date(2026, 11, 23),
            due_on=date(2026, 12, 23),
            term_id=self.id("term", "Net 30"),
            tax_code_id=self.id("salesTaxItem", "Sales tax 8 %"),
            memo="Deal 42",
        )
        return replace(draft, **changes)

    def _line(self, item: str, quantity: int, unit_price: str, amount_minor: int) -> InvoiceLine:
        return InvoiceLine(
            description=item,
            quantity=Decimal(quantity),
            unit_price=Decimal(unit_price),
            amount=usd(amount_minor),
            item_id=self.id("serviceSaleItem", item),
        )

    # ---------------------------------------------------------------------------------------------------- their side

    def id(self, kind: str, name: str) -> str:
        for record in self.simulator.books.all(kind):
            if name in (record.text("name"), record.text("itemId"), record.text("entityId")):
                return record.id
        raise LookupError(name)

    def bookkeeper(self, action: str, **spec: Any) -> str:
        """What the bookkeeper does, a second after what came before."""
        self.clock.advance(1)
        return str(self.control(f"bookkeeper/{action}", **spec)["id"])

    def control(self, path: str, **body: Any) -> Any:
        answer = Wire().send("POST", f"{self.url}/control/{path}", body=json.dumps(body), call="control")
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def invoices(self) -> list[Any]:
        """Every invoice in the books, as REST shows it."""
        answer = Wire().send("GET", f"{self.url}/control/records/invoice", call="control")
        found: list[Any] = json.loads(answer.body)["records"]
        return found

    def called(self, purpose: str) -> list[CallRecord]:
        return [record for record in self.reported if record.purpose == purpose]


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def new_customer(**changes: Any) -> NewCustomer:
    customer = NewCustomer("company-7", "Fabrikam Ltd", "billing@fabrikam.example", "USD", phone="+1 555 0100")
    return replace(customer, **changes)


def changed(invoice: LedgerInvoice | None) -> LedgerInvoice:
    assert invoice is not None
    return invoice


@cache
def key_pair(kind: Literal["ec", "rsa"]) -> tuple[bytes, str]:
    """A private key and its certificate, both PEM."""
    private = ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, 3072)
    return pem(private), certificate_of(private)


def pem(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def certificate_of(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, days: int = 720) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throughline")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(START - timedelta(days=1))
        .not_valid_after(START + timedelta(days=days))
        .sign(private, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def items(body: Mapping[str, Any]) -> list[Any]:
    lines: list[Any] = body["item"]["items"]
    return lines
