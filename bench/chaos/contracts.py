"""Deals that are quoted, accepted, signed and invoiced during the storm, by people who try again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from bench.chaos.persistence import insistently
from bench.cloud import BenchCloud
from local.run.browser import Browser
from local.run.cash.deal import DealPages, Page
from local.run.cash.ledgers import QuickBooksBooks
from local.run.cash.people import WON, Sellers, open_sellers
from local.run.cash.quoting import VALID_FOR
from local.run.cash.setup import connect_ledger, connect_signing, map_ledger
from local.run.cash.signing import DocuSign
from local.run.cash.vendor import Vendor
from local.run.http import Http, RefusedError
from local.run.screen import Screen
from local.run.starting import Cloud
from local.run.waiting import NotSeenError
from local.sample.cash import LedgerKind, Sale, load_sales
from shared.domain.cash.contract import SIGNED
from shared.domain.cash.intent import IntentState
from shared.records.cash import CashRecords

AT_ONCE = 3
SOON_S = (1.0, 2.0, 4.0, 8.0, 16.0, 60.0, 120.0, 300.0)
"""Pauses before QuickBooks repeats a notice: sooner than its own 20 s, 2 min and more, so that a run ends."""


@dataclass(slots=True)
class Contracts:
    """failed: what a person gave up on, by deal."""

    cloud: BenchCloud
    count: int
    failed: dict[str, str] = field(default_factory=dict)
    _sellers: Sellers = field(init=False)
    _docusign: DocuSign = field(init=False)
    _books: QuickBooksBooks = field(init=False)

    def __post_init__(self) -> None:
        """Connected and mapped as an administrator does it, before anything goes wrong."""
        there, screen = Cloud(self.cloud.supervisor, 0.0), Screen(Console(file=StringIO()))
        self._docusign = DocuSign(Vendor(Http(), there.docusign_url))
        quickbooks = Vendor(Http(), there.quickbooks_url)
        sale = _with_quickbooks()
        self._books = QuickBooksBooks(quickbooks, sale.books, there.functions_url)
        self._sellers = open_sellers(there, sale, self.cloud.supervisor.data)
        connect_signing(self._sellers, self._docusign, there.functions_url, screen)
        connection = connect_ledger(self._sellers, self._books, screen)
        map_ledger(self._sellers, self._books, connection, screen)
        quickbooks.do("webhook/mischief", {"retry_s": list(SOON_S)})

    @property
    def deal_ids(self) -> list[str]:
        return [f"deal-{number}" for number in range(self.count)]

    @property
    def _records(self) -> CashRecords:
        return CashRecords(self._sellers.store)

    def sell(self) -> None:
        """A few at once; returns when every contract has both signatures, or was given up."""
        with ThreadPoolExecutor(AT_ONCE) as people:
            for deal_id in self.deal_ids:
                people.submit(self._sell, deal_id)

    def _sell(self, deal_id: str) -> None:
        try:
            self._sign(deal_id)
        except (RefusedError, NotSeenError) as given_up:
            self.failed[deal_id] = str(given_up)

    def _sign(self, deal_id: str) -> None:
        sellers = self._with_deal(deal_id)
        sale, product = sellers.sale, sellers.seller.product
        deal = DealPages(product, sellers.finance.product, deal_id)
        asked = {"deal": deal_id, "contact": sellers.buyer.contact_id, **sale.quote}
        quote_id = str(
            insistently(lambda: product.post("quote_write", asked, key=f"quote-{deal_id}"))["quote"]["quote_id"]
        )
        expires_on = (datetime.now(UTC) + VALID_FOR).date().isoformat()
        link = str(insistently(lambda: product.post("quote_send", {"expires_on": expires_on}, quote=quote_id))["link"])
        insistently(lambda: self._accept(deal, link))
        chosen = {"quote": quote_id, "type": sale.contract_type["id"]}
        written = insistently(lambda: product.post("contract_write", chosen, key=f"contract-{deal_id}"))
        contract_id = str(written["contract"]["contract_id"])
        sent = insistently(lambda: product.post("contract_send", contract=contract_id))
        envelope = str(sent["contract"]["envelope_id"])
        for email in (sellers.signer.emails[0], sellers.countersigner.email):
            self._docusign.sign(envelope, email)

    def _accept(self, deal: DealPages, link: str) -> None:
        """A page that was accepted has no button any more, so whoever doubts looks first."""
        if deal.quote()["status"] == "accepted":
            return
        buyer, browser = self._sellers.buyer, Browser(Http())
        typed = {"name": buyer.name, "email": buyer.emails[0], "agree": "yes"}
        browser.press(link, ("deed", "open"))
        browser.press(f"{link}?open=1", ("deed", "accept"), typed)

    def _with_deal(self, deal_id: str) -> Sellers:
        deal = replace(self._records.deals.get(self._sellers.sale.deal_id).value, deal_id=deal_id)
        self._sellers.store.commit([self._records.deals.creating(deal_id, deal)])
        return replace(self._sellers, sale=replace(self._sellers.sale, deal_id=deal_id))

    # ------------------------------------------------------------------------------------------------------- afterwards

    @property
    def tenant(self) -> str:
        return self._sellers.store.tenant

    def unfinished(self) -> int:
        """Deals that were signed and do not show their invoice yet."""
        done = len([1 for intent in self._records.intents.where(()) if intent.value.state is IntentState.CREATED])
        return self.count - len(self.failed) - int(done)

    def notices_waiting(self) -> int:
        """Notices of DocuSign and QuickBooks that were not acknowledged yet."""
        ports, http = self.cloud.ports, Http()
        docusign = Vendor(http, f"http://127.0.0.1:{ports.docusign}").ask("connect")["waiting"]
        posts: list[Page] = Vendor(http, f"http://127.0.0.1:{ports.quickbooks}").ask("webhook/deliveries")["deliveries"]
        return int(docusign) + len([post for post in posts if post["state"] == "waiting"])

    def invoices_there(self) -> int:
        return len(self._books.invoices())

    def surprises(self) -> Iterator[str]:
        """Sentences about everything that is not as it must be."""
        for deal_id, reason in self.failed.items():
            yield f"{deal_id} was given up: {reason}"
        books = self._books.invoices()
        if len(books) != self.count:
            yield f"{self.count} contracts, and {len(books)} invoices in the books"
        if len({one.number for one in books}) != len(books):
            yield "two invoices in the books have one number"
        if wrong := [one.number for one in books if one.total_minor != self._sellers.sale.expected_total_minor]:
            yield f"{len(wrong)} invoices are over another sum"
        envelopes = self._docusign.envelopes_for(self._sellers.signer.emails[0])
        if len(envelopes) != self.count:
            yield f"{self.count} contracts, and {len(envelopes)} envelopes at DocuSign"
        for deal_id in self.deal_ids:
            yield from self._deal_surprises(deal_id)

    def _deal_surprises(self, deal_id: str) -> Iterator[str]:
        contracts = [stored.value for stored in self._records.contracts_of_deal(deal_id)]
        if [contract.status in SIGNED for contract in contracts] != [True]:
            yield f"{deal_id} has the contracts {[contract.status.value for contract in contracts]}"
        if any(not contract.document_blob or not contract.certificate_blob for contract in contracts):
            yield f"the signed PDF of {deal_id} is not kept"
        states = [stored.value.state for stored in self._records.intents_of_deal(deal_id)]
        if states != [IntentState.CREATED]:
            yield f"{deal_id} has the intents {[state.value for state in states]}"
        with suppress(KeyError):
            steps = Counter(step.step.value for step in self._records.chain(deal_id))
            for step in ("quote.accepted", "contract.sent", "contract.signed", "deal.won", "invoice.created"):
                if steps[step] != 1:
                    yield f"the chain of {deal_id} has {step} {steps[step]} times"
        if self._records.deals.get(deal_id).value.stage != WON:
            yield f"{deal_id} is not won"


def _with_quickbooks() -> Sale:
    return next(sale for sale in load_sales() if sale.ledger is LedgerKind.QUICKBOOKS)
