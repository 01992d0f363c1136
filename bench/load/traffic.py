"""What comes in: mail with Gmail's notice of it, and notices of DocuSign and QuickBooks, each with a valid proof."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count, cycle

from google.cloud import firestore

from bench.cash import Post, docusign_notice, quickbooks_notice
from bench.cloud import TENANT, BenchCloud, wait_for
from bench.sellers import Seller
from bench.trivial_requests import push_of
from local.bridge.envelope import push_headers
from local.cloud.environment import quickbooks_client_file
from local.cloud.ports import PROJECT
from local.sample.cash import LedgerKind, load_sales
from shared.domain.ids import short_id

MAILBOXES = 30
CONTACTS = 60
MIX = ("mail", "mail", "mail", "docusign", "quickbooks")
NOTICES_DROPPED = 200_000
"""More than a run has: the simulated Gmail's own notices are lost, since the generator brings each itself."""

CONNECTED_WITHIN_S = 240.0
TEXT = "Thank you for the offer. We looked at it together and have two questions about the second part.\n" * 4


@dataclass(slots=True)
class Traffic:
    """delivered_at: when each mail came to Gmail, by the path of the row it becomes."""

    cloud: BenchCloud
    seller: Seller
    verifier: str
    addresses: list[str]
    delivered_at: dict[str, datetime] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)
    _kinds: Iterator[str] = field(default_factory=lambda: cycle(MIX))

    def next(self) -> tuple[str, Callable[[], Post]]:
        """The kind of what comes next, and what makes it: mail is delivered at Gmail by that."""
        kind, number = next(self._kinds), next(self._numbers)
        makers: dict[str, Callable[[], Post]] = {
            "mail": lambda: self._mail(number),
            "docusign": lambda: docusign_notice(self.seller.connect_key, self.seller.notices_path),
            "quickbooks": lambda: quickbooks_notice(self.seller.realm, self.verifier),
        }
        return kind, makers[kind]

    def landed(self) -> dict[str, float]:
        """Seconds from a mail's delivery at Gmail to its row, by the row's path; mails without a row are absent."""
        client = firestore.Client(project=PROJECT)
        references = [client.document(path) for path in self.delivered_at]
        return {
            found.reference.path: (found.create_time - self.delivered_at[found.reference.path]).total_seconds()
            for found in client.get_all(references)
            if found.exists
        }

    @staticmethod
    def _row(message_id: str) -> str:
        return f"tenants/{TENANT}/messages/{short_id('m', 'message-id', message_id)}"

    def _mail(self, number: int) -> Post:
        address, sender = self.addresses[number % len(self.addresses)], _contact(number)
        message_id = f"load-{number}@customer.example"
        mail = {"from": sender, "to": [address], "subject": f"Offer {number}", "text": TEXT}
        told = self.cloud.control("/gmail/deliver", {**mail, "message_id": f"<{message_id}>"})
        self.delivered_at[self._row(message_id)] = datetime.now(UTC)
        body = push_of(address, history_id=int(told["messages"][address]["history_id"]))
        return Post("gmail_push", "", push_headers(self.cloud.service_token("gmail_push")), body)


def open_traffic(cloud: BenchCloud) -> Traffic:
    """Connect everybody, as people do it; contacts are there before."""
    sale = next(sale for sale in load_sales() if sale.ledger is LedgerKind.QUICKBOOKS)
    seller = Seller(cloud, sale)
    verifier = json.loads(quickbooks_client_file(cloud.supervisor.data).read_text())["verifier_tokens"][0]
    cloud.add_contacts([_contact(number) for number in range(CONTACTS)])
    addresses = [cloud.add_user(f"seller{number}") for number in range(MAILBOXES)]
    for address in addresses:
        cloud.connect(address)
    wait_for(lambda: all(map(cloud.imported, addresses)), within_s=CONNECTED_WITHIN_S, every_s=0.2)
    cloud.control("/gmail/pushes", {"next": "drop", "times": NOTICES_DROPPED})
    return Traffic(cloud, seller, verifier, addresses)


def _contact(number: int) -> str:
    return f"buyer{number % CONTACTS}@customer.example"
