"""Quote to cash in the running laptop cloud: webhooks answered, a signature's way to its invoice, calls per invoice."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from bench.cloud import BenchCloud, running_cloud
from bench.report import Aim, Figure, Report
from bench.sellers import Seller, Signed, reading_the_store
from bench.timings import percentile
from local.cloud.environment import quickbooks_client_file
from local.sample.cash import load_sales

P99_MS = 150.0
WARM_UP = 10
POSTS, QUICK_POSTS = 120, 30
GAP_S = 0.05
"""Between two posts, so that the tasks they queue run beside them and do not pile up."""

INVOICES, QUICK_INVOICES = 5, 1
SIGN_ON = ("oauth", "token")
"""Calls for access tokens are made once an hour, not once an invoice."""


@dataclass(frozen=True, slots=True)
class Post:
    """One signed notice of a vendor. path: below the function."""

    function: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def run(quick: bool) -> Report:
    """Both organizations of the cash scene, one with QuickBooks and one with NetSuite."""
    figures: list[Figure] = []
    with running_cloud() as cloud, reading_the_store(cloud) as data:
        sellers = [Seller(cloud, sale) for sale in load_sales()]
        for seller in sellers:
            figures += _invoices(seller, QUICK_INVOICES if quick else INVOICES)
        first = sellers[0]
        verifier = json.loads(quickbooks_client_file(data).read_text())["verifier_tokens"][0]
        posts = QUICK_POSTS if quick else POSTS
        figures += _answers(
            cloud, "docusign_webhook", lambda: docusign_notice(first.connect_key, first.notices_path), posts
        )
        figures += _answers(cloud, "quickbooks_webhook", lambda: quickbooks_notice(first.realm, verifier), posts)
    notes = (
        "Signature: from the last signer's button on DocuSign's page to the invoice in the ledger's books, through the "
        "real functions; the simulators and the emulators share the machine. Calls: all that the ledger was asked "
        "from one signature to the next, re-reads after its own notices and scheduled readings included, access tokens "
        "left out.",
        "A webhook is answered when its notice is proven, sealed and stored, and its task is queued.",
    )
    return Report("cash", tuple(figures), notes)


def _invoices(seller: Seller, count: int) -> list[Figure]:
    name = seller.sale.ledger.shown
    seller.sign(0)  # the first one warms functions and tokens
    before = Counter(_without_sign_on(seller.calls()))
    signed: list[Signed] = [seller.sign(number) for number in range(1, count + 1)]
    asked = Counter(_without_sign_on(seller.calls()))
    asked.subtract(before)
    mix = ", ".join(f"{times / count:g} {operation}" for operation, times in sorted(asked.items()) if times)
    detail = f"{count} invoices" if count > 1 else "1 invoice"
    return [
        Figure(
            f"signature to invoice in {name}, p50", 1000 * median(one.in_books_s for one in signed), "ms", None, detail
        ),
        Figure(f"signature to invoice on the deal, {name}, p50", 1000 * median(one.on_deal_s for one in signed), "ms"),
        Figure(f"calls per invoice to {name}", asked.total() / count, "calls", None, mix),
    ]


def _without_sign_on(calls: Mapping[str, int]) -> dict[str, int]:
    return {name: times for name, times in calls.items() if not any(word in name.lower() for word in SIGN_ON)}


def _answers(cloud: BenchCloud, function: str, next_notice: Callable[[], Post], count: int) -> list[Figure]:
    for _ in range(WARM_UP):
        _answered_ms(cloud, next_notice())
    taken_ms = []
    for _ in range(count):
        taken_ms.append(_answered_ms(cloud, next_notice()))
        time.sleep(GAP_S)
    detail = f"{count} notices, one after the other"
    return [
        Figure(f"{function} answered, p50", percentile(taken_ms, 50), "ms", None, detail),
        Figure(f"{function} answered, p99", percentile(taken_ms, 99), "ms", Aim(P99_MS)),
    ]


def _answered_ms(cloud: BenchCloud, post: Post) -> float:
    began = time.perf_counter()
    url = f"{cloud.url(post.function)}{post.path}"
    answer = cloud.http.request("POST", url, body=post.body, headers=dict(post.headers))
    took_s = time.perf_counter() - began
    if answer.status != 204:
        raise RuntimeError(f"{post.function} answered {answer.status}")
    return 1000 * took_s


def docusign_notice(key: str, path: str) -> Post:
    """Another event of an envelope that no contract of ours has: its task finds that out and ends.

    path: of the account's notices, below the function.
    """
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    summary = {
        "status": "delivered",
        "statusChangedDateTime": now,
        "recipients": {"signers": [{"recipientId": "1", "email": "carl@customer.example", "status": "delivered"}]},
    }
    data = {"accountId": "a-bench", "envelopeId": str(uuid.uuid4()), "recipientId": "1", "envelopeSummary": summary}
    notice = {"event": "recipient-delivered", "retryCount": 0, "configurationId": 1, "generatedDateTime": now}
    body = json.dumps({**notice, "data": data}).encode()
    headers = {"X-DocuSign-Signature-1": _signature(key, body), "Content-Type": "application/json"}
    return Post("docusign_webhook", path, headers, body)


def quickbooks_notice(realm: str, verifier: str) -> Post:
    """Another payment changed; its task asks QuickBooks for it."""
    event = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "intuit.example",
        "type": "qbo.payment.updated.v1",
        "datacontenttype": "application/json",
        "time": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "intuitentityid": "999999",
        "intuitaccountid": realm,
        "data": {},
    }
    body = json.dumps([event]).encode()
    headers = {"intuit-signature": _signature(verifier, body), "Content-Type": "application/cloudevents-batch+json"}
    return Post("quickbooks_webhook", "", headers, body)


def _signature(key: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()
