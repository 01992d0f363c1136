"""Envelopes, recipients, templates and documents as DocuSign's API shows them: every number and boolean is a text."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from local.docusign.accounts import Template
from local.docusign.envelopes import Envelope, Recipient
from local.docusign.errors import Json
from local.docusign.pdf import pdf


def iso(at: datetime) -> str:
    """Seven digits after the point, as DocuSign writes times."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"


def envelope_json(envelope: Envelope, include: Collection[str]) -> Json:
    """An Envelope. include: "recipients", "custom_fields"."""
    root = f"/envelopes/{envelope.envelope_id}"
    times = {
        "createdDateTime": envelope.created_at,
        "sentDateTime": envelope.sent_at,
        "deliveredDateTime": envelope.delivered_at,
        "completedDateTime": envelope.completed_at,
        "declinedDateTime": envelope.declined_at,
        "voidedDateTime": envelope.voided_at,
        "statusChangedDateTime": envelope.changed_at,
    }
    shown: Json = {
        "envelopeId": envelope.envelope_id,
        "status": envelope.status,
        "emailSubject": envelope.subject,
        "emailBlurb": envelope.blurb,
        "envelopeUri": root,
        "recipientsUri": f"{root}/recipients",
        "documentsCombinedUri": f"{root}/documents/combined",
        "certificateUri": f"{root}/documents/summary",
        **{name: iso(at) for name, at in times.items() if at},
    }
    if envelope.void_reason:
        shown["voidedReason"] = envelope.void_reason
    if envelope.transaction_id:
        shown["transactionId"] = envelope.transaction_id
    if "recipients" in include:
        shown["recipients"] = recipients_json(envelope)
    if "custom_fields" in include:
        shown["customFields"] = {"textCustomFields": envelope.custom_fields, "listCustomFields": []}
    return shown


def recipients_json(envelope: Envelope) -> Json:
    return {
        "signers": [_signer(one) for one in envelope.recipients],
        "agents": [],
        "carbonCopies": [],
        "certifiedDeliveries": [],
        "recipientCount": str(len(envelope.recipients)),
        "currentRoutingOrder": str(min((one.order for one in envelope.turn), default=1)),
    }


def template_json(template: Template, include: Collection[str]) -> Json:
    """An EnvelopeTemplate. include: "recipients", "tabs"."""
    shown: Json = {"templateId": template.template_id, "name": template.name, "shared": "false"}
    if "recipients" not in include:
        return shown
    signers = []
    for role in template.roles:
        signer: Json = {
            "recipientId": role.recipient_id,
            "roleName": role.name,
            "routingOrder": str(role.order),
            "name": "",
            "email": "",
            "recipientType": "signer",
        }
        if "tabs" in include:
            tabs: dict[str, list[Json]] = {"signHereTabs": [{"tabLabel": "Sign Here", "documentId": "1"}]}
            for label, kind in role.tabs.items():
                tabs.setdefault(kind, []).append({"tabLabel": label, "documentId": "1", "pageNumber": "1"})
            signer["tabs"] = tabs
        signers.append(signer)
    return {**shown, "recipients": {"signers": signers, "recipientCount": str(len(signers))}}


def combined_pdf(envelope: Envelope, *, certificate: bool) -> bytes:
    """All documents with what was filled in and who signed."""
    values = {label: value for one in envelope.recipients for label, value in one.tabs.items()}
    lines = []
    for document in envelope.documents:
        lines += [document.name, ""]
        for line in document.lines:
            for label, value in values.items():
                line = line.replace(f"{{{label}}}", value)
            lines.append(line)
        lines += ["", *(f"{label}: {value}" for label, value in values.items()), ""]
    lines += [_signature(one) for one in envelope.recipients if one.signed_at]
    return pdf([*lines, *(["", *certificate_lines(envelope)] if certificate else [])])


def certificate_lines(envelope: Envelope) -> list[str]:
    """The certificate of completion: who did what, and when."""
    lines = ["Certificate Of Completion", f"Envelope Id: {envelope.envelope_id}", f"Status: {envelope.status}", ""]
    for one in envelope.recipients:
        lines.append(f"Signer: {one.name} <{one.email}>, signing order {one.order}")
        for what, at in (("Sent", one.sent_at), ("Viewed", one.delivered_at), ("Signed", one.signed_at)):
            if at:
                lines.append(f"    {what}: {iso(at)}")
        if one.declined_at:
            lines.append(f"    Declined: {iso(one.declined_at)}: {one.declined_reason}")
    return lines


def _signature(one: Recipient) -> str:
    return f"Signed by: {one.name} <{one.email}> on {iso(one.signed_at) if one.signed_at else ''}"


def _signer(one: Recipient) -> Json:
    times = {
        "sentDateTime": one.sent_at,
        "deliveredDateTime": one.delivered_at,
        "signedDateTime": one.signed_at,
        "declinedDateTime": one.declined_at,
    }
    shown: Json = {
        "recipientId": one.recipient_id,
        "recipientIdGuid": one.guid,
        "recipientType": "signer",
        "roleName": one.role,
        "name": one.name,
        "email": one.email,
        "routingOrder": str(one.order),
        "status": one.status,
        **{name: iso(at) for name, at in times.items() if at},
    }
    if one.client_user_id:
        shown["clientUserId"] = one.client_user_id
    if one.declined_reason:
        shown["declinedReason"] = one.declined_reason
    return shown
