"""DocuSign's shapes and ours: envelopes, recipients, templates and their fields.

Source: developers.docusign.com/docs/esign-rest-api/reference/envelopes/envelopes (EnvelopeDefinition, Envelope,
Signer, EventNotification) and .../templates/templates (EnvelopeTemplate, Tabs). Numbers and booleans are texts there.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from shared.domain.cash.signing import (
    EnvelopeRequest,
    EnvelopeState,
    EnvelopeStatus,
    Signer,
    SignerState,
    SignerStatus,
    SigningTemplate,
)
from shared.domain.values import dataclass
from shared.errors import PayloadError

TENANT_FIELD = "throughline_tenant"
CONTRACT_FIELD = "throughline_contract"
INTENT_FIELD = "throughline_intent"
LONGEST_FIELD = 100
"""Characters of an envelope custom field's value."""

EVENTS = (
    "envelope-sent",
    "envelope-resent",
    "envelope-delivered",
    "envelope-completed",
    "envelope-declined",
    "envelope-voided",
    "envelope-corrected",
    "envelope-deleted",
    "recipient-sent",
    "recipient-resent",
    "recipient-autoresponded",
    "recipient-delivered",
    "recipient-completed",
    "recipient-declined",
    "recipient-authenticationfailed",
    "recipient-reassign",
)
"""What each envelope asks to be told about. One that no state follows from leads to a look at the envelope."""

_ENVELOPE_STATUS = {
    "created": EnvelopeStatus.CREATED,
    "queued": EnvelopeStatus.CREATED,
    "processing": EnvelopeStatus.CREATED,
    "sent": EnvelopeStatus.SENT,
    "correct": EnvelopeStatus.SENT,  # its sender is changing it
    "delivered": EnvelopeStatus.DELIVERED,
    "signed": EnvelopeStatus.DELIVERED,  # everybody signed and it is being sealed: completed follows
    "completed": EnvelopeStatus.COMPLETED,
    "declined": EnvelopeStatus.DECLINED,
    "voided": EnvelopeStatus.VOIDED,
    "timedout": EnvelopeStatus.VOIDED,
    "deleted": EnvelopeStatus.VOIDED,
}

_SIGNER_STATUS = {
    "created": SignerStatus.CREATED,
    "sent": SignerStatus.SENT,
    "faxpending": SignerStatus.SENT,
    "delivered": SignerStatus.VIEWED,  # opened at DocuSign, not: mail delivered
    "signed": SignerStatus.SIGNED,
    "completed": SignerStatus.SIGNED,
    "declined": SignerStatus.DECLINED,
    "autoresponded": SignerStatus.BOUNCED,
}

_VALUE_KEYS = {
    "textTabs": "value",
    "numberTabs": "value",
    "numericalTabs": "numericalValue",
    "dateTabs": "value",
    "emailTabs": "value",
    "companyTabs": "value",
    "titleTabs": "value",
    "noteTabs": "value",
    "ssnTabs": "value",
    "zipTabs": "value",
    "listTabs": "value",
    "checkboxTabs": "selected",
}
"""The kinds of field that can be filled in, and where the text goes."""


@dataclass(frozen=True, slots=True)
class TemplateRole:
    """One role of a template. kinds: data label -> kind of field ("textTabs" ...)."""

    name: str
    recipient_id: str
    order: int
    kinds: Mapping[str, str]


# ------------------------------------------------------------------------------------------------------ what goes out

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def transaction_id(intent: str) -> str:
    """A GUID made from the intent; DocuSign finds an envelope by it for seven days."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"throughline:{intent}"))


def signature_anchor(recipient_id: str) -> str:
    """The text a generated document carries (white on white) where this signer signs.

    A document without it can be signed all the same: the signer then places the signature.
    """
    return f"/signature:{recipient_id}/"


def date_anchor(recipient_id: str) -> str:
    """The text a generated document carries where the signing date goes."""
    return f"/date:{recipient_id}/"


def template_envelope(request: EnvelopeRequest, roles: Iterable[TemplateRole]) -> dict[str, Any]:
    """An EnvelopeDefinition from a template whose roles are these."""
    by_name = {role.name: role for role in roles}
    return {
        **_frame(request),
        "templateId": request.template_id,
        "templateRoles": [
            {
                "roleName": signer.role,
                "name": one_line(signer.name),
                "email": one_line(signer.email),
                "routingOrder": str(signer.order),
                **_embedded(signer, by_name[signer.role].recipient_id),
                **_tabs(request.prefill.get(signer.role, {}), by_name[signer.role].kinds),
            }
            for signer in request.signers
        ],
    }


def one_line(text: str) -> str:
    """As it may stand in a mail's header: the service mails signers under the names they are given."""
    return " ".join(_CONTROLS.sub(" ", text).split())


def document_envelope(request: EnvelopeRequest, document: bytes) -> dict[str, Any]:
    """An EnvelopeDefinition around one PDF."""
    name = request.document_name or "Contract"
    return {
        **_frame(request),
        "documents": [
            {
                "documentId": "1",
                "name": name,
                "fileExtension": "pdf",
                "documentBase64": base64.b64encode(document).decode(),
            }
        ],
        "recipients": {
            "signers": [
                {
                    "recipientId": signer.recipient_id,
                    "roleName": signer.role,
                    "name": one_line(signer.name),
                    "email": one_line(signer.email),
                    "routingOrder": str(signer.order),
                    **_embedded(signer, signer.recipient_id),
                    "tabs": {
                        "signHereTabs": [_anchored(signature_anchor(signer.recipient_id))],
                        "dateSignedTabs": [_anchored(date_anchor(signer.recipient_id))],
                    },
                }
                for signer in request.signers
            ]
        },
    }


def embedded_id(recipient_id: str) -> str:
    """What marks a signer as ours to show the envelope to; asked for again with the link."""
    return f"throughline-{recipient_id}"


def _frame(request: EnvelopeRequest) -> dict[str, Any]:
    fields = {TENANT_FIELD: request.tenant, CONTRACT_FIELD: request.contract_id, INTENT_FIELD: request.intent}
    for name, value in fields.items():
        if not 0 < len(value) <= LONGEST_FIELD:
            raise ValueError(f"{name} must have 1 to {LONGEST_FIELD} characters")
    return {
        "status": "sent",
        "emailSubject": request.subject,
        "emailBlurb": request.message,
        "transactionId": transaction_id(request.intent),
        "customFields": {
            "textCustomFields": [
                {"name": name, "value": value, "show": "false", "required": "false"} for name, value in fields.items()
            ]
        },
        "eventNotification": {
            "url": request.notify_url,
            # Off by default: without it a notice counts as delivered whatever we answer.
            "requireAcknowledgment": "true",
            "loggingEnabled": "true",
            "deliveryMode": "SIM",
            "includeHMAC": "true",
            "events": list(EVENTS),
            "eventData": {"version": "restv2.1", "format": "json", "includeData": ["recipients", "custom_fields"]},
        },
    }


def _embedded(signer: Signer, recipient_id: str) -> dict[str, str]:
    return {"clientUserId": embedded_id(recipient_id)} if signer.embedded else {}


def _anchored(text: str) -> dict[str, str]:
    return {"anchorString": text, "anchorIgnoreIfNotPresent": "true"}


def _tabs(values: Mapping[str, str], kinds: Mapping[str, str]) -> dict[str, Any]:
    tabs: dict[str, list[dict[str, str]]] = {}
    for label, value in values.items():
        kind = kinds[label]
        tabs.setdefault(kind, []).append({"tabLabel": label, _VALUE_KEYS[kind]: value})
    return {"tabs": tabs} if tabs else {}


# ------------------------------------------------------------------------------------------------------- what comes in


def envelope_state(envelope: Mapping[str, Any], *, fallback_at: datetime | None = None) -> EnvelopeState:
    """An Envelope, or the envelopeSummary of a notice.

    fallback_at: stands for the time of the last change where the shape carries none.
    Raises: PayloadError for a shape without id, known status or time.
    """
    status = _ENVELOPE_STATUS.get(str(envelope.get("status", "")).lower())
    envelope_id = envelope.get("envelopeId")
    if status is None or not isinstance(envelope_id, str) or not envelope_id:
        raise PayloadError("an envelope without an id or with an unknown status")
    changed_at = _time(envelope, "statusChangedDateTime") or _time(envelope, "statusDateTime") or fallback_at
    if changed_at is None:
        raise PayloadError(f"envelope {envelope_id} without the time of its last change")
    fields = custom_fields(envelope)
    return EnvelopeState(
        envelope_id=envelope_id.lower(),
        status=status,
        changed_at=changed_at,
        signers=signers(envelope),
        contract_id=fields.get(CONTRACT_FIELD),
        tenant=fields.get(TENANT_FIELD),
        intent=fields.get(INTENT_FIELD),
        completed_at=_time(envelope, "completedDateTime"),
        void_reason=str(envelope.get("voidedReason") or ""),
    )


def signers(envelope: Mapping[str, Any]) -> tuple[SignerState, ...]:
    """The signers in signing order; empty where the shape leaves the recipients out. Copies sent to others are not
    signers."""
    rows = _rows(_object(envelope, "recipients"), "signers")
    return tuple(sorted((_signer(row) for row in rows), key=lambda signer: signer.order))


def custom_fields(envelope: Mapping[str, Any]) -> dict[str, str]:
    """Text custom fields by name."""
    rows = _rows(_object(envelope, "customFields"), "textCustomFields")
    return {str(row.get("name", "")): str(row.get("value") or "") for row in rows}


def template_roles(template: Mapping[str, Any]) -> tuple[TemplateRole, ...]:
    """The roles that sign, in signing order."""
    roles = []
    for row in _rows(_object(template, "recipients"), "signers"):
        tabs = _object(row, "tabs")
        kinds = {str(tab["tabLabel"]): kind for kind in _VALUE_KEYS for tab in _rows(tabs, kind) if tab.get("tabLabel")}
        roles.append(TemplateRole(str(row.get("roleName") or ""), str(row.get("recipientId", "")), _order(row), kinds))
    return tuple(sorted(roles, key=lambda role: role.order))


def signing_template(template: Mapping[str, Any]) -> SigningTemplate:
    """Raises: PayloadError without an id."""
    template_id = template.get("templateId")
    if not isinstance(template_id, str) or not template_id:
        raise PayloadError("a template without an id")
    roles = template_roles(template)
    return SigningTemplate(
        template_id=template_id,
        name=str(template.get("name") or ""),
        roles=tuple(role.name for role in roles),
        fields={role.name: tuple(role.kinds) for role in roles},
    )


def moment(text: str) -> datetime:
    """DocuSign's time: ISO 8601 with up to seven digits after the point; UTC where it names no zone.

    Raises: PayloadError.
    """
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:  # the year 1 in a zone east of us is before time
        raise PayloadError("a time that cannot be read") from error


def iso(at: datetime) -> str:
    """A time as DocuSign takes it in queries."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _signer(row: Mapping[str, Any]) -> SignerState:
    status = _SIGNER_STATUS.get(str(row.get("status", "")).lower())
    recipient_id = str(row.get("recipientId") or "")
    if status is None or not recipient_id:
        raise PayloadError("a signer without an id or with an unknown status")
    return SignerState(
        recipient_id=recipient_id,
        name=str(row.get("name") or ""),
        email=str(row.get("email") or ""),
        status=status,
        order=_order(row),
        role=str(row.get("roleName") or ""),
        viewed_at=_time(row, "deliveredDateTime"),
        signed_at=_time(row, "signedDateTime"),
        reason=str(row.get("declinedReason") or ""),
    )


def _order(row: Mapping[str, Any]) -> int:
    order = str(row.get("routingOrder", ""))
    return int(order) if order.isdecimal() else 1


def _time(shape: Mapping[str, Any], key: str) -> datetime | None:
    value = shape.get(key)
    return moment(value) if isinstance(value, str) and value else None


def _object(shape: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = shape.get(key)
    return value if isinstance(value, dict) else {}


def _rows(shape: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = shape.get(key)
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
