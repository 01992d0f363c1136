"""The notices that webhooks are timed with are ones that the product takes for genuine."""

from __future__ import annotations

from bench.cash import docusign_notice, quickbooks_notice
from shared.domain.cash.accounting import RecordKind
from shared.providers.docusign import webhook as docusign
from shared.providers.quickbooks import webhook as quickbooks


def test_docusign_s_is_proven_and_each_is_another() -> None:
    posts = [docusign_notice("key", "/acme/n-1") for _ in range(2)]
    for post in posts:
        docusign.verify_signature(post.body, post.headers, keys=["key"])
    first, second = (docusign.parse_delivery(post.body) for post in posts)
    assert first.state is not None, "it carries its envelope, as Connect is asked to"
    assert docusign.delivery_key(first) != docusign.delivery_key(second)


def test_quickbooks_s_is_proven_and_tells_of_a_payment() -> None:
    post = quickbooks_notice("9130350000000001", "verifier")
    quickbooks.verify_signature(post.body, post.headers, keys=["verifier"])
    [change] = quickbooks.parse_delivery(post.body)
    assert (change.company_id, change.kind) == ("9130350000000001", RecordKind.PAYMENT)
