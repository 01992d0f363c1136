"""What people do at the two simulated ledgers, in one set of words: set up, connect, look, enter payments."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from local.netsuite.roles import permissions_of
from local.netsuite.simulator import ACCOUNT_ID, TIME_ZONE
from local.run.cash.people import Colleague
from local.run.cash.vendor import Vendor, minor, whole
from local.run.http import Http
from local.sample.cash import BooksSeed
from shared.providers.netsuite.manifest import MANIFEST

_ROLE = "throughline"
_CERTIFICATE_DAYS = 700


@dataclass(frozen=True, slots=True)
class InvoiceThere:
    """An invoice as the ledger itself has it; amounts in cents."""

    invoice_id: str
    number: str
    total_minor: int
    tax_minor: int
    open_minor: int
    lines_minor: tuple[int, ...]


class Books(Protocol):
    """An organization's books at its ledger."""

    name: str

    @property
    def page(self) -> str:
        """Where a person can watch them."""

    def connect(self, who: Colleague) -> tuple[str, str]:
        """Connect them to the product. Returns: the connection's id, and in words how it was done."""

    def choices(self, offered: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
        """What the person chooses on the mapping page beside items, of what it offers."""

    def invoices(self) -> list[InvoiceThere]:
        """All there are."""

    def pay(self, invoice_id: str, amount_minor: int) -> str:
        """The bookkeeper enters a payment. Returns: its id."""

    def bounce(self, payment_id: str) -> None:
        """The bank took the money back."""

    def told(self) -> None:
        """Let the product know that something changed, if the ledger does not tell by itself."""


@dataclass(slots=True)
class QuickBooksBooks:
    """Tells of changes by its webhook."""

    vendor: Vendor
    seed: BooksSeed
    functions_url: str
    name: str = "QuickBooks"
    realm: str = field(init=False)

    def __post_init__(self) -> None:
        self.realm = str(self.vendor.do("companies", {"name": self.seed.company})["realm_id"])
        for name in self.seed.customers:
            self._act("add", {"entity": "Customer", "body": {"DisplayName": name}})
        for name in self.seed.items:
            body = {"Name": name, "Type": "Service", "Active": True, "IncomeAccountRef": {"value": "1"}}
            self._act("add", {"entity": "Item", "body": body})

    @property
    def page(self) -> str:
        return self.vendor.root

    def connect(self, who: Colleague) -> tuple[str, str]:
        consent = who.browser.connect(
            f"{self.functions_url}/oauth_start?provider=quickbooks",
            who.id_token,
            choices=(("realm_id", self.realm), ("decision", "connect")),
            lands_below=f"{self.functions_url}/connections/",
        )
        return urlsplit(consent.landed_at).path.rpartition("/")[2], f"company {self.seed.company}, realm {self.realm}"

    def choices(self, offered: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
        return {"term": _named(offered["term"], self.seed.term), "income_account": offered["account"][0]["id"]}

    def invoices(self) -> list[InvoiceThere]:
        found = self.vendor.ask(f"companies/{self.realm}/Invoice")["objects"]
        return [
            InvoiceThere(
                invoice_id=str(one["Id"]),
                number=one["DocNumber"],
                total_minor=minor(one["TotalAmt"]),
                tax_minor=minor(one["TxnTaxDetail"]["TotalTax"]),
                open_minor=minor(one["Balance"]),
                lines_minor=tuple(
                    minor(line["Amount"]) for line in one["Line"] if line["DetailType"] == "SalesItemLineDetail"
                ),
            )
            for one in found
        ]

    def pay(self, invoice_id: str, amount_minor: int) -> str:
        return str(self._act("pay", {"invoice": invoice_id, "amount": whole(amount_minor)})["Id"])

    def bounce(self, payment_id: str) -> None:
        self._act("bounce", {"payment": payment_id})

    def told(self) -> None:
        """Its webhook does that."""

    def _act(self, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self.vendor.do(f"companies/{self.realm}/{action}", body)


@dataclass(slots=True)
class NetsuiteBooks:
    """Sends no notices; the product polls. poll_url: runs the scheduler's job now instead of within seconds."""

    vendor: Vendor
    seed: BooksSeed
    poll_url: str
    name: str = "NetSuite"

    @property
    def page(self) -> str:
        return self.vendor.root

    def connect(self, who: Colleague) -> tuple[str, str]:
        """As an administrator does it: a role, an integration, a certificate mapped to both, and the key typed in."""
        ticked = permissions_of((permission.name, permission.level) for permission in MANIFEST.permissions)
        self.vendor.do("roles", {"role": _ROLE, "permissions": ticked})
        private_key, certificate = _key_and_certificate()
        client_id = uuid.uuid4().hex + uuid.uuid4().hex
        mapped = self.vendor.do("certificates", {"client_id": client_id, "certificate": certificate, "role": _ROLE})
        subsidiary = _record(self.vendor.ask("records/subsidiary"), "name", self.seed.company)
        discount = _record(self.vendor.ask("records/discountItem"), "itemId", self.seed.discount_item)
        answer = who.product.post(
            "ledger_connect",
            {
                "way": "oauth2_client_credentials",
                "account_id": ACCOUNT_ID,
                "client_id": client_id,
                "certificate_id": mapped["certificate_id"],
                "private_key": private_key,
                "company_name": self.seed.company,
                "currency": "USD",
                "time_zone": TIME_ZONE,
                "subsidiary_id": subsidiary,
                "discount_item_id": discount,
            },
        )
        return str(answer["connection"]), f"account {ACCOUNT_ID}, role {_ROLE}, by certificate"

    def choices(self, offered: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
        return {
            "term": _named(offered["term"], self.seed.term),
            "tax_code": _named(offered["tax_code"], self.seed.tax_code),
            "subsidiary": _named(offered["subsidiary"], self.seed.company),
        }

    def invoices(self) -> list[InvoiceThere]:
        return [
            InvoiceThere(
                invoice_id=str(one["id"]),
                number=one["tranId"],
                total_minor=minor(one["total"]),
                tax_minor=minor(one["taxTotal"]),
                open_minor=minor(one["amountRemaining"]),
                lines_minor=tuple(minor(line["amount"]) for line in one["item"]["items"]),
            )
            for one in self.vendor.ask("records/invoice")["records"]
        ]

    def pay(self, invoice_id: str, amount_minor: int) -> str:
        entered = {"invoice": invoice_id, "amount": whole(amount_minor)}
        return str(self.vendor.do("bookkeeper/pay", entered)["id"])

    def bounce(self, payment_id: str) -> None:
        self.vendor.do("bookkeeper/void", {"record": payment_id})

    def told(self) -> None:
        """409 says that the poll runs already."""
        Http().request("POST", self.poll_url)


def _named(offered: list[dict[str, Any]], name: str) -> str:
    return next(str(one["id"]) for one in offered if one["name"] == name)


def _record(answer: Mapping[str, Any], field_name: str, name: str) -> str:
    return next(str(one["id"]) for one in answer["records"] if one[field_name] == name)


def _key_and_certificate() -> tuple[str, str]:
    """An EC key on P-256 and its self-signed certificate, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throughline")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=_CERTIFICATE_DAYS))
        .sign(key, SHA256())
    )
    private_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private_pem, certificate.public_bytes(Encoding.PEM).decode()
