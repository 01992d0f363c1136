"""Connect's notices: proven over their bytes, read afterwards; one recorded shape for each kind of event."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.cash.signing import EnvelopeStatus, SignerStatus
from shared.errors import PayloadError, ProofError
from shared.providers.docusign.mapping import EVENTS
from shared.providers.docusign.webhook import delivery_key, parse_delivery, verify_signature
from tests.local.docusign.world import KEYS, World

ENVELOPE = "4b6f3a52-7d0c-4a3e-9d1f-2f8f6a0c9e11"
GUID = "f0a1c7de-1111-4222-8333-944445555666"
GENERATED = "2026-11-20T10:15:30.1234567Z"


def signer(status: str, recipient_id: str = "1", **more: str) -> dict[str, Any]:
    return {
        "recipientId": recipient_id,
        "recipientIdGuid": GUID if recipient_id == "1" else "f0a1c7de-2222-4222-8333-944445555666",
        "recipientType": "signer",
        "roleName": "Customer" if recipient_id == "1" else "Acme",
        "name": "Kim Customer",
        "email": "kim@customer.example",
        "routingOrder": recipient_id,
        "status": status,
        **more,
    }


def summary(status: str, *signers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "status": status,
        "documentsUri": f"/envelopes/{ENVELOPE}/documents",
        "emailSubject": "Please sign our agreement",
        "envelopeId": ENVELOPE,
        "customFields": {
            "textCustomFields": [
                {"fieldId": "1", "name": "throughline_contract", "show": "false", "value": "contract-1"},
                {"fieldId": "2", "name": "throughline_intent", "show": "false", "value": "intent-1"},
            ],
            "listCustomFields": [],
        },
        "statusChangedDateTime": "2026-11-20T10:15:30.05Z",
        "recipients": {"signers": list(signers), "carbonCopies": [], "recipientCount": str(len(signers))},
        **more,
    }


def notice(event: str, *, told: dict[str, Any] | None, recipient: str | None = None, **more: Any) -> bytes:
    data: dict[str, Any] = {"accountId": "a1", "userId": "u1", "envelopeId": ENVELOPE}
    if recipient:
        data["recipientId"] = recipient
    if told is not None:
        data["envelopeSummary"] = told
    body = {
        "event": event,
        "apiVersion": "v2.1",
        "uri": f"/restapi/v2.1/accounts/a1/envelopes/{ENVELOPE}",
        "retryCount": 0,
        "configurationId": 10417331,
        "generatedDateTime": GENERATED,
        "data": data,
        **more,
    }
    return json.dumps(body).encode()


def signature(body: bytes, key: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


# ----------------------------------------------------------------------------------------------------------- the proof


@pytest.mark.parametrize("header", ["X-DocuSign-Signature-1", "x-docusign-signature-1", "X-Docusign-Signature-17"])
def test_a_notice_signed_with_our_key_is_genuine(header: str) -> None:
    body = notice("envelope-sent", told=None)
    verify_signature(body, {"Content-Type": "application/json", header: signature(body, "key")}, keys=["key"])


def test_while_keys_change_any_of_ours_may_fit_any_of_theirs() -> None:
    body = notice("envelope-sent", told=None)
    headers = {
        "X-DocuSign-Signature-1": signature(body, "a key of theirs we do not know"),
        "X-DocuSign-Signature-2": signature(body, "new"),
    }
    verify_signature(body, headers, keys=["old", "new"])


@pytest.mark.parametrize(
    ("headers", "keys"),
    [
        pytest.param({}, ["key"], id="no signature"),
        pytest.param({"X-DocuSign-Signature-1": ""}, ["key"], id="empty signature"),
        pytest.param({"X-DocuSign-Signature-1": "bm90IGl0"}, ["key"], id="wrong signature"),
        pytest.param({"X-DocuSign-Signature-1": "käse"}, ["key"], id="not ASCII"),
        pytest.param({"X-DocuSign-Signature-1": signature(b"{}", "key")}, ["other key"], id="another key"),
        pytest.param({"X-DocuSign-Signature-1": signature(b"{}", "key")}, [], id="account without keys"),
        pytest.param({"X-DocuSign-Signature-1": signature(b"{}", "")}, [""], id="empty key"),
        pytest.param({"X-DocuSign-Signature": signature(b"{}", "key")}, ["key"], id="another header"),
        pytest.param({"X-Authorization-Digest": "HMACSHA256"}, ["key"], id="only the algorithm's name"),
        pytest.param(
            {f"X-DocuSign-Signature-{n}": signature(b"{}", "key") for n in range(101)}, ["key"], id="too many"
        ),
    ],
)
def test_a_missing_or_wrong_proof_is_refused(headers: dict[str, str], keys: list[str]) -> None:
    with pytest.raises(ProofError):
        verify_signature(b"{}", headers, keys=keys)


def test_the_bytes_are_signed_not_what_they_say() -> None:
    body = notice("envelope-sent", told=None)
    headers = {"X-DocuSign-Signature-1": signature(body, "key")}
    written_anew = json.dumps(json.loads(body), separators=(",", ":")).encode()
    with pytest.raises(ProofError):
        verify_signature(written_anew, headers, keys=["key"])


# ---------------------------------------------------------------------------------------------------------- the events


@pytest.mark.parametrize(
    ("event", "status", "expected"),
    [
        ("envelope-sent", "sent", EnvelopeStatus.SENT),
        ("envelope-resent", "sent", EnvelopeStatus.SENT),
        ("envelope-corrected", "correct", EnvelopeStatus.SENT),
        ("envelope-delivered", "delivered", EnvelopeStatus.DELIVERED),
        ("envelope-completed", "completed", EnvelopeStatus.COMPLETED),
        ("envelope-declined", "declined", EnvelopeStatus.DECLINED),
        ("envelope-voided", "voided", EnvelopeStatus.VOIDED),
        ("envelope-deleted", "deleted", EnvelopeStatus.VOIDED),
    ],
)
def test_an_envelopes_event_carries_where_it_stands_and_whose_it_is(
    event: str, status: str, expected: EnvelopeStatus
) -> None:
    read = parse_delivery(notice(event, told=summary(status, signer("sent"))))
    assert (read.kind, read.account, read.envelope_id, read.recipient_id) == (event, "a1", ENVELOPE, None)
    assert read.generated_at == datetime(2026, 11, 20, 10, 15, 30, 123456, tzinfo=UTC)
    assert read.state is not None
    assert (read.state.status, read.state.contract_id, read.state.intent) == (expected, "contract-1", "intent-1")
    assert read.state.changed_at == datetime(2026, 11, 20, 10, 15, 30, 50000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "status", "expected"),
    [
        ("recipient-sent", "sent", SignerStatus.SENT),
        ("recipient-resent", "sent", SignerStatus.SENT),
        ("recipient-delivered", "delivered", SignerStatus.VIEWED),
        ("recipient-completed", "completed", SignerStatus.SIGNED),
        ("recipient-declined", "declined", SignerStatus.DECLINED),
        ("recipient-autoresponded", "autoresponded", SignerStatus.BOUNCED),
        ("recipient-authenticationfailed", "sent", SignerStatus.SENT),
        ("recipient-reassign", "created", SignerStatus.CREATED),
    ],
)
def test_a_signers_event_carries_how_far_they_are(event: str, status: str, expected: SignerStatus) -> None:
    told = summary("sent", signer("created", "2"), signer(status, "1", declinedReason="Too expensive"))
    read = parse_delivery(notice(event, told=told, recipient="1"))
    assert read.state is not None
    assert read.recipient_id == "1"
    first, second = read.state.signers
    assert (first.recipient_id, first.role, first.status, first.reason) == ("1", "Customer", expected, "Too expensive")
    assert (second.recipient_id, second.status) == ("2", SignerStatus.CREATED)


def test_every_event_that_is_asked_for_has_a_shape_here() -> None:
    tested = {
        *("envelope-sent", "envelope-resent", "envelope-corrected", "envelope-delivered", "envelope-completed"),
        *("envelope-declined", "envelope-voided", "envelope-deleted", "recipient-sent", "recipient-resent"),
        *("recipient-delivered", "recipient-completed", "recipient-declined", "recipient-autoresponded"),
        *("recipient-authenticationfailed", "recipient-reassign"),
    }
    assert tested == set(EVENTS)


def test_the_details_of_an_end_are_read() -> None:
    told = summary(
        "completed",
        signer("completed", deliveredDateTime="2026-11-20T10:00:00Z", signedDateTime="2026-11-20T10:15:29.9Z"),
        completedDateTime="2026-11-20T10:15:30.05Z",
    )
    state = parse_delivery(notice("envelope-completed", told=told)).state
    assert state is not None
    assert state.completed_at == datetime(2026, 11, 20, 10, 15, 30, 50000, tzinfo=UTC)
    assert state.signers[0].signed_at == datetime(2026, 11, 20, 10, 15, 29, 900000, tzinfo=UTC)
    assert state.signers[0].viewed_at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    voided = parse_delivery(notice("envelope-voided", told=summary("voided", voidedReason="Expired"))).state
    assert voided is not None
    assert voided.void_reason == "Expired"


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(None, id="no summary"),
        pytest.param({}, id="empty summary"),
        pytest.param({"envelopeId": ENVELOPE, "emailSubject": "Please sign"}, id="no status"),
        pytest.param(summary("sent"), id="no recipients"),
        pytest.param(summary("sent", signer("completed", "2")), id="another recipient"),
    ],
)
def test_a_notice_that_tells_too_little_says_only_that_something_happened(told: dict[str, Any] | None) -> None:
    read = parse_delivery(notice("recipient-completed", told=told, recipient="1"))
    assert (read.envelope_id, read.kind, read.state) == (ENVELOPE, "recipient-completed", None)


def test_a_summary_without_times_takes_the_notices_own() -> None:
    told = {"status": "completed"}
    state = parse_delivery(notice("envelope-completed", told=told)).state
    assert state is not None
    assert state.changed_at == datetime(2026, 11, 20, 10, 15, 30, 123456, tzinfo=UTC)
    assert (state.signers, state.contract_id) == ((), None)


@pytest.mark.parametrize("configuration", [10417331, "10417331", None])
def test_the_configurations_id_may_be_a_number_or_a_text(configuration: object) -> None:
    body = notice("envelope-sent", told=None, configurationId=configuration)
    assert parse_delivery(body).kind == "envelope-sent"


def test_a_recipient_named_by_guid_is_the_one_of_the_envelope() -> None:
    told = summary("sent", signer("completed"))
    read = parse_delivery(notice("recipient-completed", told=told, recipient=GUID))
    assert read.recipient_id == "1"
    assert read.state is not None


# ----------------------------------------------------------------------------------------------------- one and the same


def test_a_retry_is_the_same_delivery_and_everything_else_is_another() -> None:
    told = summary("sent", signer("completed"))
    first = parse_delivery(notice("recipient-completed", told=told, recipient="1"))
    retry = parse_delivery(notice("recipient-completed", told=None, recipient="1", retryCount="3"))
    assert (first.attempt, retry.attempt) == (0, 3)
    assert delivery_key(first) == delivery_key(retry)
    others = [
        parse_delivery(notice("recipient-delivered", told=told, recipient="1")),
        parse_delivery(notice("recipient-completed", told=told, recipient="2")),
        parse_delivery(notice("recipient-completed", told=told)),
        parse_delivery(
            notice("recipient-completed", told=told, recipient="1", generatedDateTime="2026-11-20T10:15:31Z")
        ),
    ]
    assert len({delivery_key(event) for event in [first, *others]}) == 5


# ------------------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<?xml version='1.0'?><DocuSignEnvelopeInformation/>", id="XML"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"event": "envelope-sent"}', id="no data"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(notice("", told=None), id="no event"),
        pytest.param(notice("template-created", told=None), id="about a template"),
        pytest.param(notice("envelope-sent", told=None, generatedDateTime="yesterday"), id="no time"),
        pytest.param(notice("envelope-sent", told=None, generatedDateTime=None), id="time missing"),
        pytest.param(notice("envelope-sent", told=None, data={"accountId": "a1"}), id="no envelope"),
        pytest.param(notice("envelope-sent", told=summary("frozen")), id="unknown status"),
        pytest.param(notice("envelope-sent", told=summary("sent", signer("asleep"))), id="unknown signer status"),
        pytest.param(notice("envelope-sent", told={**summary("sent"), "envelopeId": "e2"}), id="two envelopes"),
    ],
)
def test_what_cannot_be_read_says_so_and_quotes_nothing(body: bytes) -> None:
    with pytest.raises(PayloadError) as caught:
        parse_delivery(body)
    assert "kim" not in str(caught.value)


# -------------------------------------------------------------------------------------------------- as they really come


def test_the_notices_of_a_whole_signing_are_genuine_and_readable(world: World) -> None:
    envelope_id = world.signing().send(world.request()).envelope_id
    world.control("robot", {"envelope": envelope_id})
    world.deliver()
    events = []
    for headers, body in world.receiver.received:
        for key in KEYS:
            verify_signature(body, headers, keys=[key])
        with pytest.raises(ProofError):
            verify_signature(body, headers, keys=["another key"])
        events.append(parse_delivery(body))
    assert len({delivery_key(event) for event in events}) == len(events) == 9
    assert all(event.state is not None and event.state.contract_id == "contract-1" for event in events)
    last = events[-1]
    assert last.kind == "envelope-completed"
    assert last.state == world.signing().envelope(envelope_id)
