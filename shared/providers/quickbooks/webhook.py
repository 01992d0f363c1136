"""Intuit's notices: verified over their raw bytes, then read in either format.

A notice says that a record changed, in no order and at least once; what the record is now has to be read. One POST may
carry several companies.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from shared.domain.cash.accounting import LedgerChange, RecordKind
from shared.domain.ids import digest
from shared.errors import PayloadError, ProofError
from shared.providers import exact_json

SIGNATURE_HEADER = "intuit-signature"

KINDS: Mapping[str, RecordKind] = {
    "customer": RecordKind.CUSTOMER,
    "invoice": RecordKind.INVOICE,
    "payment": RecordKind.PAYMENT,
    "creditmemo": RecordKind.CREDIT_MEMO,
    "refundreceipt": RecordKind.REFUND,
}
"""Entities by their name in small letters; notices of any other kind are left out."""

GONE = frozenset({"delete", "deleted"})
MERGED = frozenset({"merge", "merged"})

_TYPE = re.compile(r"qbo\.([a-z_]+)\.([a-z]+)\.v\d+", re.IGNORECASE)


def verify_signature(body: bytes, headers: Mapping[str, str], *, keys: Sequence[str]) -> None:
    """Raises: ProofError unless one of the verifier tokens signed exactly these bytes. A missing proof is a wrong one.

    Args:
        headers: of the request, names in any case.
        keys: the app's verifier tokens; two while one replaces the other.
    Source:
        developer.intuit.com, "Validating the notification": base64 of HMAC-SHA256 over the payload.
    """
    given = next((value for name, value in headers.items() if name.lower() == SIGNATURE_HEADER), "")
    proofs = [hmac.new(key.encode(), body, hashlib.sha256).digest() for key in keys if key]
    right = [hmac.compare_digest(base64.b64encode(proof), given.strip().encode()) for proof in proofs]
    if not any(right):
        raise ProofError("a QuickBooks notice whose signature no verifier token made")


def parse_delivery(body: bytes) -> tuple[LedgerChange, ...]:
    """What changed, in the order told: an array of CloudEvents, or the older object with eventNotifications.

    Returns:
        company_id: the realmId. event_id: the CloudEvent's id; in the older format made from everything that makes the
        event this event, so that a repeat has the same.
    Raises:
        PayloadError: no JSON, neither format, or an event without its ids.
    Source:
        [{"id", "type": "qbo.invoice.updated.v1", "time", "intuitentityid", "intuitaccountid"}]; {"eventNotifications":
        [{"realmId", "dataChangeEvent": {"entities": [{"name", "id", "operation", "lastUpdated", "deletedId"}]}}]}.
    """
    try:
        content = exact_json.loads(body)
    except ValueError as error:
        raise PayloadError("a QuickBooks notice that is not JSON") from error
    if isinstance(content, list):
        return tuple(change for event in content for change in _from_cloud_event(_object(event)))
    if isinstance(content, dict) and "specversion" in content:
        return tuple(_from_cloud_event(content))
    if isinstance(content, dict) and isinstance(content.get("eventNotifications"), list):
        return tuple(change for company in content["eventNotifications"] for change in _from_older(_object(company)))
    raise PayloadError("a QuickBooks notice in no known format")


def _from_cloud_event(event: Mapping[str, Any]) -> Iterator[LedgerChange]:
    named = _TYPE.fullmatch(str(event.get("type", "")))
    if named is None:
        raise PayloadError("a QuickBooks event without a known type")
    kind = KINDS.get(named[1].replace("_", "").lower())
    if kind:
        yield LedgerChange(
            kind=kind,
            id=_text(event, "intuitentityid"),
            changed_at=_time(event, "time"),
            deleted=named[2].lower() in GONE,
            company_id=_text(event, "intuitaccountid"),
            event_id=_text(event, "id"),
        )


def _from_older(company: Mapping[str, Any]) -> Iterator[LedgerChange]:
    realm_id = _text(company, "realmId")
    entities = _object(company.get("dataChangeEvent")).get("entities")
    for entity in map(_object, entities if isinstance(entities, list) else []):
        name, operation = _text(entity, "name"), _text(entity, "operation")
        kind = KINDS.get(name.lower())
        if kind is None:
            continue
        record, changed_at = _text(entity, "id"), _time(entity, "lastUpdated")
        gone = operation.lower() in GONE
        parts = (realm_id, name, record, operation, changed_at.isoformat())
        yield LedgerChange(kind, record, changed_at, gone, realm_id, digest("quickbooks-notice", *parts))
        merged_away = str(entity.get("deletedId") or "")
        if operation.lower() in MERGED and merged_away:
            event_id = digest("quickbooks-notice", *parts, merged_away)
            yield LedgerChange(kind, merged_away, changed_at, True, realm_id, event_id)


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise PayloadError("a QuickBooks notice with something other than an object in it")
    return value


def _text(event: Mapping[str, Any], key: str) -> str:
    value = event.get(key)
    if not isinstance(value, str | int) or isinstance(value, bool) or not str(value).strip():
        raise PayloadError(f"a QuickBooks event without {key}")
    return str(value).strip()


def _time(event: Mapping[str, Any], key: str) -> datetime:
    try:
        found = datetime.fromisoformat(_text(event, key))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:  # the year 1 in a zone east of us is before time
        raise PayloadError(f"a QuickBooks event whose {key} is no time") from error
