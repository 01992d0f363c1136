"""A company to begin with: two subsidiaries, their currencies, terms, taxes, items and one customer of each."""

from __future__ import annotations

from local.netsuite.books import Books
from local.netsuite.errors import Json


def seed(books: Books) -> dict[str, str]:
    """Fill empty books; return name -> internal id."""
    ids: dict[str, str] = {}

    def add(name: str, kind: str, body: Json) -> None:
        ids[name] = books.create(books.catalog.named(kind), body).id

    add("USD", "currency", {"name": "US Dollar", "symbol": "USD"})
    add("EUR", "currency", {"name": "Euro", "symbol": "EUR"})
    add("Harbor Inc", "subsidiary", {"name": "Harbor Inc", "currency": {"id": ids["USD"]}})
    add("Harbor GmbH", "subsidiary", {"name": "Harbor GmbH", "currency": {"id": ids["EUR"]}})
    add("Net 15", "term", {"name": "Net 15", "daysUntilNetDue": 15})
    add("Net 30", "term", {"name": "Net 30", "daysUntilNetDue": 30})
    add("Sales tax 8 %", "salesTaxItem", {"itemId": "Sales tax 8 %", "rate": 8})
    add("VAT 19 %", "salesTaxItem", {"itemId": "VAT 19 %", "rate": 19})
    add("Consulting hour", "serviceSaleItem", {"itemId": "Consulting hour", "basePrice": 150})
    add("Platform licence", "serviceSaleItem", {"itemId": "Platform licence", "basePrice": 12000})
    add("Onboarding", "serviceSaleItem", {"itemId": "Onboarding", "basePrice": 5000})
    add("Quote discount", "discountItem", {"itemId": "Quote discount"})
    for name, subsidiary in (("Northwind Traders", "Harbor Inc"), ("Contoso GmbH", "Harbor GmbH")):
        email = f"accounts@{name.split()[0].lower()}.example"
        add(name, "customer", {"companyName": name, "email": email, "subsidiary": {"id": ids[subsidiary]}})
    return ids
