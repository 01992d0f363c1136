"""Notices from Intuit: whose they are, and what they say, in both formats."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.cash.accounting import LedgerChange, RecordKind
from shared.errors import PayloadError, ProofError
from shared.providers.quickbooks.webhook import parse_delivery, verify_signature

REALM = "9341450000000001"
TOKEN = "verifier-1"


def cloud_event(kind: str = "qbo.invoice.updated.v1", **changes: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "88cd52aa-33b6-4351-9aa4-47572edbd068",
        "source": "intuit.dsnBgbseACLLRZNxo2dfc4evmEJdxde58xeeYcZliOU=",
        "type": kind,
        "datacontenttype": "application/json",
        "time": "2026-03-02T21:31:25.179Z",
        "intuitentityid": "131",
        "intuitaccountid": REALM,
        "data": {},
        **changes,
    }


def legacy(*entities: dict[str, Any], realm_id: str = REALM) -> dict[str, Any]:
    return {"eventNotifications": [{"realmId": realm_id, "dataChangeEvent": {"entities": list(entities)}}]}


def entity(name: str = "Invoice", operation: str = "Update", **changes: Any) -> dict[str, Any]:
    return {"name": name, "id": "131", "operation": operation, "lastUpdated": "2026-03-02T13:31:25-08:00", **changes}


def parsed(content: Any) -> tuple[LedgerChange, ...]:
    return parse_delivery(json.dumps(content).encode())


def signed(body: bytes, token: str = TOKEN) -> dict[str, str]:
    proof = hmac.new(token.encode(), body, hashlib.sha256).digest()
    return {"Intuit-Signature": base64.b64encode(proof).decode()}


# ------------------------------------------------------------------------------------------------------- whose it is

BODY = json.dumps([cloud_event()], indent=1).encode()


def test_a_signature_by_the_verifier_token_is_right() -> None:
    verify_signature(BODY, signed(BODY), keys=[TOKEN])


def test_while_the_token_is_changed_either_one_signs() -> None:
    for token in ("verifier-1", "verifier-2"):
        verify_signature(BODY, signed(BODY, token), keys=["verifier-1", "verifier-2"])


@pytest.mark.parametrize(
    ("headers", "keys"),
    [
        (signed(BODY, "verifier-3"), ["verifier-1", "verifier-2"]),
        ({}, [TOKEN]),
        ({"Intuit-Signature": ""}, [TOKEN]),
        ({"Intuit-Signature": "ünicode"}, [TOKEN]),
        (signed(BODY), []),
        (signed(BODY, ""), [""]),
    ],
    ids=["another key", "no header", "empty header", "not ascii", "no key here", "an empty key"],
)
def test_a_wrong_or_missing_proof_is_refused(headers: dict[str, str], keys: list[str]) -> None:
    with pytest.raises(ProofError):
        verify_signature(BODY, headers, keys=keys)


def test_the_signature_covers_the_bytes_and_not_what_they_mean() -> None:
    again = json.dumps(json.loads(BODY)).encode()
    assert json.loads(again) == json.loads(BODY)
    with pytest.raises(ProofError):
        verify_signature(again, signed(BODY), keys=[TOKEN])


# -------------------------------------------------------------------------------------------------------- what it says


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("customer", RecordKind.CUSTOMER),
        ("invoice", RecordKind.INVOICE),
        ("payment", RecordKind.PAYMENT),
        ("creditmemo", RecordKind.CREDIT_MEMO),
        ("refundreceipt", RecordKind.REFUND),
    ],
)
@pytest.mark.parametrize("verb", ["created", "updated", "deleted", "voided", "emailed", "merged"])
def test_every_kind_and_verb_of_cloud_events(name: str, kind: RecordKind, verb: str) -> None:
    assert parsed([cloud_event(f"qbo.{name}.{verb}.v1")]) == (
        LedgerChange(
            kind=kind,
            id="131",
            changed_at=datetime(2026, 3, 2, 21, 31, 25, 179_000, tzinfo=UTC),
            deleted=verb == "deleted",
            company_id=REALM,
            event_id="88cd52aa-33b6-4351-9aa4-47572edbd068",
        ),
    )


@pytest.mark.parametrize("operation", ["Create", "Update", "Delete", "Merge", "Void", "Emailed"])
@pytest.mark.parametrize("name", ["Customer", "Invoice", "Payment", "CreditMemo", "RefundReceipt"])
def test_every_kind_and_operation_of_the_older_format(name: str, operation: str) -> None:
    (change,) = parsed(legacy(entity(name, operation)))
    assert (change.id, change.company_id, change.deleted) == ("131", REALM, operation == "Delete")
    assert change.changed_at == datetime(2026, 3, 2, 21, 31, 25, tzinfo=UTC)


def test_the_older_formats_event_ids_are_made_from_what_makes_the_event() -> None:
    told = legacy(entity())
    assert parsed(told) == parsed(told)
    others = [
        legacy(entity(), realm_id="9341450000000002"),
        legacy(entity("Payment")),
        legacy(entity(id="132")),
        legacy(entity(operation="Void")),
        legacy(entity(lastUpdated="2026-03-02T13:31:26-08:00")),
    ]
    assert len({change.event_id for content in [told, *others] for change in parsed(content)}) == 6


def test_customers_that_were_merged_are_one_changed_and_one_gone() -> None:
    changes = parsed(legacy(entity("Customer", "Merge", deletedId="99")))
    assert [(change.id, change.deleted) for change in changes] == [("131", False), ("99", True)]


def test_one_post_may_tell_of_several_companies() -> None:
    other = "9341450000000002"
    cloud = parsed([cloud_event(), cloud_event(intuitaccountid=other, id="e2")])
    older = parsed({"eventNotifications": [*legacy(entity())["eventNotifications"],
                                           *legacy(entity(), realm_id=other)["eventNotifications"]]})  # fmt: skip
    assert [change.company_id for change in cloud] == [change.company_id for change in older] == [REALM, other]


def test_kinds_that_do_not_matter_here_are_left_out() -> None:
    assert parsed([cloud_event("qbo.vendor.updated.v1"), cloud_event("qbo.bill.created.v1")]) == ()
    assert parsed(legacy(entity("Vendor"), entity("Estimate"))) == ()
    assert parsed([]) == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<xml/>",
        b'"text"',
        b"{}",
        b"[1]",
        b'{"eventNotifications": {}, "more": NaN}',
        json.dumps([cloud_event("something.else")]).encode(),
        json.dumps([cloud_event(intuitentityid="")]).encode(),
        json.dumps([cloud_event(intuitaccountid=None)]).encode(),
        json.dumps([cloud_event(time="yesterday")]).encode(),
        json.dumps([cloud_event(id=True)]).encode(),
        json.dumps(legacy(entity(lastUpdated=""))).encode(),
        json.dumps(legacy({"name": "Invoice"})).encode(),
        json.dumps({"eventNotifications": [{"dataChangeEvent": {}}]}).encode(),
    ],
)
def test_what_cannot_be_read_is_a_payload_error(body: bytes) -> None:
    with pytest.raises(PayloadError):
        parse_delivery(body)
