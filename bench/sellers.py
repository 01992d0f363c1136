"""An organization that sells in the running laptop cloud: connected to DocuSign and a ledger, with deals to sign.

Everything is set up and signed as a person does it, with the steps of the cash scene of `make run`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

from rich.console import Console

from bench.cloud import BenchCloud
from local.run.cash.deal import DealPages
from local.run.cash.ledgers import Books, NetsuiteBooks, QuickBooksBooks
from local.run.cash.people import WON, Sellers, open_sellers
from local.run.cash.quoting import quote_and_accept
from local.run.cash.setup import connect_ledger, connect_signing, map_ledger
from local.run.cash.signing import DocuSign
from local.run.cash.vendor import Vendor
from local.run.http import Http
from local.run.screen import Screen
from local.run.starting import Cloud
from local.run.waiting import until
from local.sample.cash import LedgerKind, Sale
from shared import wiring
from shared.records.cash import CashRecords

WITHIN_S = 60.0
LOOK_EVERY_S = 0.01
QUIET_FOR_S = 1.5


@dataclass(frozen=True, slots=True)
class Signed:
    """Seconds from the last signature's button to the invoice in the ledger's books, and from there to the deal."""

    in_books_s: float
    on_deal_s: float


class Seller:
    """One organization whose set-up is complete. connection: its ledger's."""

    def __init__(self, cloud: BenchCloud, sale: Sale) -> None:
        there = Cloud(cloud.supervisor, 0.0)
        self.sale = sale
        self._screen = Screen(Console(file=StringIO()))
        self._docusign = DocuSign(Vendor(Http(), there.docusign_url))
        self._vendor, self._books = _books(there, sale)
        self._sellers = open_sellers(there, sale, cloud.supervisor.data)
        connect_signing(self._sellers, self._docusign, there.functions_url, self._screen)
        self.connection = connect_ledger(self._sellers, self._books, self._screen)
        map_ledger(self._sellers, self._books, self.connection, self._screen)

    @property
    def connect_key(self) -> str:
        """What this organization's DocuSign account signs its notices with."""
        return wiring.connect_keys(self.sale.tenant, wiring.signing_connection())[0]

    @property
    def notices_path(self) -> str:
        """Where on docusign_webhook its notices go."""
        return f"/{self.sale.tenant}/{wiring.signing_connection()}"

    @property
    def realm(self) -> str:
        assert isinstance(self._books, QuickBooksBooks)
        return self._books.realm

    def sign(self, number: int) -> Signed:
        """A deal of its own, from its quote to its invoice."""
        sellers = self._with_deal(f"{self.sale.deal_id}-{number}")
        deal = DealPages(sellers.seller.product, sellers.finance.product, sellers.sale.deal_id)
        quote_and_accept(sellers, deal, self._screen)
        product, kind = sellers.seller.product, sellers.sale.contract_type["id"]
        asked = {"quote": deal.quote()["quote_id"], "type": kind}
        contract = str(product.post("contract_write", asked, key=sellers.sale.deal_id)["contract"]["contract_id"])
        envelope = str(product.post("contract_send", contract=contract)["contract"]["envelope_id"])
        self._docusign.sign(envelope, sellers.signer.emails[0])
        deal.wait(lambda: deal.contract()["status"] == "partially_signed", "a partially signed contract")
        before, began = len(self._books.invoices()), time.perf_counter()
        self._docusign.sign(envelope, sellers.countersigner.email)
        until(lambda: len(self._books.invoices()) > before, "an invoice", within_s=WITHIN_S, every_s=LOOK_EVERY_S)
        in_books_s = time.perf_counter() - began
        deal.wait_for_step("invoice.created")
        on_deal_s = time.perf_counter() - began
        if deal.chain()["deal"]["stage"] != WON:
            raise RuntimeError("the invoice's deal is not won")
        return Signed(in_books_s, on_deal_s)

    def calls(self) -> Mapping[str, int]:
        """What the ledger was asked so far, by operation, once nothing was asked for a while."""
        seen, since = self._asked(), time.monotonic()
        while time.monotonic() - since < QUIET_FOR_S:
            time.sleep(QUIET_FOR_S / 10)
            if (now := self._asked()) != seen:
                seen, since = now, time.monotonic()
        return seen

    def _asked(self) -> dict[str, int]:
        told = self._vendor.ask("calls")
        return dict(told.get("calls", told))

    def _with_deal(self, deal_id: str) -> Sellers:
        records = CashRecords(self._sellers.store)
        deal = replace(records.deals.get(self.sale.deal_id).value, deal_id=deal_id)
        self._sellers.store.commit([records.deals.creating(deal_id, deal)])
        return replace(self._sellers, sale=replace(self.sale, deal_id=deal_id))


def _books(cloud: Cloud, sale: Sale) -> tuple[Vendor, Books]:
    if sale.ledger is LedgerKind.QUICKBOOKS:
        vendor = Vendor(Http(), cloud.quickbooks_url)
        return vendor, QuickBooksBooks(vendor, sale.books, cloud.functions_url)
    vendor = Vendor(Http(), cloud.netsuite_url)
    return vendor, NetsuiteBooks(vendor, sale.books, f"{cloud.scheduler_url}/run?job=netsuite_poll")


@contextmanager
def reading_the_store(cloud: BenchCloud) -> Iterator[Path]:
    """While the block runs, this process reads what the functions wrote, as they read it."""
    before = {name: os.environ.get(name) for name in cloud.supervisor.environment}
    os.environ.update(cloud.supervisor.environment)
    wiring.documents.cache_clear()
    wiring.vault.cache_clear()
    wiring.wrapping_key.cache_clear()
    try:
        yield cloud.supervisor.data
    finally:
        wiring.documents.cache_clear()
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
