"""What Connect posts: proven by its signature first, read afterwards.

Source: developers.docusign.com/platform/webhooks/connect/hmac and .../connect/json-sim-event-model.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from shared.domain.cash.signing import EnvelopeState, SignatureEvent
from shared.domain.ids import digest
from shared.domain.json_text import read_json
from shared.errors import PayloadError, ProofError
from shared.providers.docusign.mapping import envelope_state, moment

_SIGNATURE_HEADER = re.compile(r"x-docusign-signature-\d{1,3}")

MOST_SIGNATURES = 100
"""One per active key of the account; it can have as many."""


def verify_signature(body: bytes, headers: Mapping[str, str], *, keys: Sequence[str]) -> None:
    """Raise ProofError unless the bytes were signed with one of the account's keys.

    Args:
        body: as received; JSON written anew has other bytes.
        headers: `X-DocuSign-Signature-1` to `-N`, in any case, one for each key the account has active.
        keys: all that are valid now, as Connect shows them; while they change, the old and the new one.
    """
    stated = [value for name, value in headers.items() if _SIGNATURE_HEADER.fullmatch(name.lower())]
    if not keys or not stated or len(stated) > MOST_SIGNATURES:
        raise ProofError("a DocuSign notice without a signature, or an account without a key")
    genuine = False
    for key in keys:
        if not key:
            raise ProofError("an empty Connect key proves nothing")
        expected = base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest())
        for value in stated:
            genuine |= hmac.compare_digest(expected, value.strip().encode("utf-8", "surrogateescape"))
    if not genuine:
        raise ProofError("a DocuSign notice signed with another key")


def parse_delivery(body: bytes) -> SignatureEvent:
    """Read a verified notice. Its state is None where it carries no summary, or one without what the event is about.

    Raises: PayloadError for anything but a JSON SIM notice about an envelope (XML comes from accounts that are set to
        it).
    Source:
        {"event", "retryCount", "configurationId" (a number or a text), "generatedDateTime", "data": {"accountId",
        "envelopeId", "recipientId"? (events of a recipient), "envelopeSummary"?}}.
    """
    notice = _object(body)
    data = notice.get("data")
    if not isinstance(data, dict):
        raise PayloadError("a DocuSign notice without data")
    kind, generated = _text(notice, "event"), _text(notice, "generatedDateTime")
    if not kind.startswith(("envelope-", "recipient-")):
        raise PayloadError("a DocuSign notice about something else than an envelope")
    event = SignatureEvent(
        account=str(data.get("accountId") or ""),
        envelope_id=_text(data, "envelopeId").lower(),
        kind=kind,
        generated_at=moment(generated),
        recipient_id=_recipient(data),
        attempt=_attempt(notice.get("retryCount")),
    )
    return replace(event, state=_state(data, event))


def delivery_key(event: SignatureEvent) -> str:
    """What makes the notice this notice: a retry of it has the same, though its bytes differ (retryCount)."""
    return digest("docusign", event.envelope_id, event.kind, event.recipient_id or "", event.generated_at.isoformat())


def _state(data: Mapping[str, Any], event: SignatureEvent) -> EnvelopeState | None:
    summary = data.get("envelopeSummary")
    if not isinstance(summary, dict) or not summary.get("status"):
        return None
    state = envelope_state({"envelopeId": event.envelope_id, **summary}, fallback_at=event.generated_at)
    if state.envelope_id != event.envelope_id:
        raise PayloadError("a DocuSign notice about two envelopes")
    told = {signer.recipient_id for signer in state.signers}
    if event.kind.startswith("recipient-") and event.recipient_id not in told:
        return None
    return state


def _recipient(data: Mapping[str, Any]) -> str | None:
    """recipientId as the envelope's signers have it; a notice may give the recipient's GUID instead."""
    stated = data.get("recipientId")
    if stated in (None, ""):
        return None
    summary = data.get("envelopeSummary")
    recipients = summary.get("recipients") if isinstance(summary, dict) else None
    rows = recipients.get("signers") if isinstance(recipients, dict) else None
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and row.get("recipientIdGuid") == stated:
            return str(row.get("recipientId"))
    return str(stated)


def _attempt(count: object) -> int:
    text = str(count)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = read_json(body, parse_float=Decimal)
    except ValueError as error:
        raise PayloadError("a DocuSign notice that is not JSON") from error
    if not isinstance(found, dict):
        raise PayloadError("a DocuSign notice that is no object")
    return found


def _text(shape: Mapping[str, Any], key: str) -> str:
    value = shape.get(key)
    if not isinstance(value, str) or not value:
        raise PayloadError(f"a DocuSign notice without {key}")
    return value
