"""Reads cash.yaml: two organizations that sell, each from a quote to its payment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from local.sample.people import Row, read_cast, user_id
from shared.domain.people import Role, User

FOLDER = Path(__file__).parent


class LedgerKind(StrEnum):
    QUICKBOOKS = "quickbooks"
    NETSUITE = "netsuite"

    @property
    def shown(self) -> str:
        return {LedgerKind.QUICKBOOKS: "QuickBooks", LedgerKind.NETSUITE: "NetSuite"}[self]


@dataclass(frozen=True, slots=True)
class BooksSeed:
    """The company at its ledger. customers, items: by name, made there before anything is connected. term, tax_code,
    discount_item: names of what is chosen on the mapping page."""

    company: str
    term: str
    customers: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    tax_code: str = ""
    discount_item: str = ""


@dataclass(frozen=True, slots=True)
class Sale:
    """One organization and one deal of it.

    contacts_csv: of its contacts, for the product's import. deal_amount: in whole units, as typed, before anything is
    quoted. buyer, signer: addresses of contacts. quote: as `quote_write` takes it, but for deal and contact.
    expected_..._minor: of the quote, and so of the invoice. payments_minor: how the customer pays, in this order;
    together the total.
    """

    tenant: str
    name: str
    users: tuple[User, ...]
    admin_id: str
    finance_id: str
    seller_id: str
    countersigner_id: str
    contacts_csv: bytes
    deal_id: str
    deal_name: str
    deal_amount: str
    buyer: str
    signer: str
    quote: Mapping[str, Any] = field(repr=False)
    expected_total_minor: int
    expected_tax_minor: int
    expected_lines_minor: tuple[int, ...]
    payments_minor: tuple[int, ...]
    contract_type: Mapping[str, Any]
    ledger: LedgerKind
    books: BooksSeed

    def user(self, user_id: str) -> User:
        return next(user for user in self.users if user.user_id == user_id)


def load_sales(folder: Path = FOLDER) -> tuple[Sale, ...]:
    """Raises: ValueError, KeyError where the text was edited into something that cannot be read."""
    cast = read_cast(yaml.safe_load((folder / "company.yaml").read_text(encoding="utf-8")))
    known = {name: user.record for name, user in cast.users.items()}
    rows: Mapping[str, Row] = yaml.safe_load((folder / "cash.yaml").read_text(encoding="utf-8"))
    usual_contacts = (folder / "contacts.csv").read_bytes()
    return tuple(_sale(tenant, row, known, usual_contacts) for tenant, row in rows.items())


def _sale(tenant: str, row: Row, known: Mapping[str, User], usual_contacts: bytes) -> Sale:
    expected, books = row["expected"], row["books"]
    payments = tuple(row["payments"])
    if sum(payments) != expected["total"]:
        raise ValueError(f"the payments of {tenant} do not come to the total")
    return Sale(
        tenant=tenant,
        name=row["name"],
        users=tuple(_user(name, about) if about else known[name] for name, about in row["users"].items()),
        admin_id=user_id(row["admin"]),
        finance_id=user_id(row["finance"]),
        seller_id=user_id(row["seller"]),
        countersigner_id=user_id(row["countersigner"]),
        contacts_csv=row["contacts"].encode() if "contacts" in row else usual_contacts,
        deal_id=row["deal"]["id"],
        deal_name=row["deal"]["name"],
        deal_amount=row["deal"]["amount"],
        buyer=row["buyer"],
        signer=row["signer"],
        quote=row["quote"],
        expected_total_minor=expected["total"],
        expected_tax_minor=expected["tax"],
        expected_lines_minor=tuple(expected["lines"]),
        payments_minor=payments,
        contract_type=row["contract"],
        ledger=LedgerKind(row["ledger"]),
        books=BooksSeed(
            company=books["company"],
            term=books["term"],
            customers=tuple(books.get("customers", ())),
            items=tuple(books.get("items", ())),
            tax_code=books.get("tax_code", ""),
            discount_item=books.get("discount_item", ""),
        ),
    )


def _user(name: str, row: Row) -> User:
    return User(user_id(name), row["name"], row["email"], Role(row["role"]))
