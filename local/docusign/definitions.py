"""An EnvelopeDefinition checked as DocuSign checks it, and made into an envelope."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from local.docusign.accounts import Template
from local.docusign.envelopes import Document, Envelope, Recipient
from local.docusign.errors import ApiError, Json, invalid_parameter, not_simulated

_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+")
_VALUES = ("value", "numericalValue", "selected")

KNOWN_EVENTS = frozenset(
    {
        *(f"envelope-{what}" for what in ("created", "sent", "resent", "delivered", "completed", "declined", "voided")),
        *(f"envelope-{what}" for what in ("corrected", "purge", "deleted", "discard", "reminder-sent")),
        *(f"recipient-{what}" for what in ("sent", "resent", "delivered", "completed", "declined", "delegate")),
        *(f"recipient-{what}" for what in ("authenticationfailed", "autoresponded", "reassign", "finish-later")),
    }
)


class Maker:
    """Makes envelopes of one account. templates: those it has. guid: makes ids."""

    def __init__(self, templates: Mapping[str, Template], guid: Callable[[], str], now: datetime) -> None:
        self._templates = templates
        self._guid = guid
        self._now = now

    def envelope(self, definition: Json, *, account_id: str, user_id: str) -> Envelope:
        """Raises: ApiError with DocuSign's code for what is wrong."""
        known = {
            "status", "emailSubject", "emailBlurb", "templateId", "templateRoles", "documents", "recipients",
            "customFields", "eventNotification", "transactionId",
        }  # fmt: skip
        if unknown := sorted(set(definition) - known):
            raise not_simulated(f"{unknown[0]} of an envelope definition")
        if definition.get("status") not in {"sent", "created"}:
            raise invalid_parameter("status")
        subject = str(definition.get("emailSubject", ""))
        if len(subject) > 100:
            raise invalid_parameter("emailSubject")
        recipients, documents = self._content(definition)
        if not subject or not recipients or not documents or any(not one.name or not one.email for one in recipients):
            raise ApiError(
                400,
                "ENVELOPE_IS_INCOMPLETE",
                "The Envelope is not Complete. A Complete Envelope Requires Documents, Recipients, Tabs, and a Subject "
                "Line.",
            )
        _check_recipients(recipients)
        return Envelope(
            envelope_id=self._guid(),
            account_id=account_id,
            user_id=user_id,
            subject=subject,
            blurb=str(definition.get("emailBlurb", "")),
            recipients=recipients,
            documents=documents,
            custom_fields=self._custom_fields(definition),
            notification=_notification(definition.get("eventNotification")),
            transaction_id=str(definition.get("transactionId", "")),
            created_at=self._now,
            changed_at=self._now,
        )

    def _content(self, definition: Json) -> tuple[list[Recipient], list[Document]]:
        if "templateId" not in definition:
            documents = [_uploaded(row) for row in definition.get("documents", [])]
            texts = b"".join(_decoded(row) for row in definition.get("documents", []))
            return [self._signer(row, texts) for row in definition.get("recipients", {}).get("signers", [])], documents
        template = self._templates.get(str(definition["templateId"]))
        if template is None:
            raise ApiError(400, "TEMPLATE_ID_INVALID", "Invalid template ID.")
        return self._from_template(template, definition.get("templateRoles", [])), [
            Document(template.name, template.text)
        ]

    def _from_template(self, template: Template, rows: list[Json]) -> list[Recipient]:
        """Roles that fit are filled in; one that does not fit becomes a further recipient without tabs, silently."""
        named = {str(row.get("roleName", "")): row for row in rows}
        recipients = [
            self._recipient(named.get(role.name, {}), role.recipient_id, role.name, order=role.order, labels=role.tabs)
            for role in template.roles
        ]
        strangers = [row for name, row in named.items() if name not in {role.name for role in template.roles}]
        for number, row in enumerate(strangers, start=len(recipients) + 1):
            recipients.append(self._recipient(row, str(number), str(row.get("roleName", "")), order=1, labels={}))
        return recipients

    def _signer(self, row: Json, text: bytes) -> Recipient:
        for tabs in row.get("tabs", {}).values():
            for tab in tabs:
                anchor = str(tab.get("anchorString", ""))
                if anchor and tab.get("anchorIgnoreIfNotPresent") != "true" and anchor.encode() not in text:
                    raise ApiError(400, "ANCHOR_TAB_STRING_NOT_FOUND", f"Anchor Tab String Not Found. {anchor}")
        return self._recipient(row, str(row.get("recipientId", "")), str(row.get("roleName", "")), order=1, labels={})

    def _recipient(
        self, row: Json, recipient_id: str, role: str, *, order: int, labels: Mapping[str, str]
    ) -> Recipient:
        given = str(row.get("routingOrder", order))
        if not recipient_id.isdecimal() or not given.isdecimal():
            raise ApiError(400, "INVALID_RECIPIENT_ID", "A recipient id or routing order is not a number.")
        return Recipient(
            recipient_id=recipient_id,
            guid=self._guid(),
            role=role,
            name=str(row.get("name", "")),
            email=str(row.get("email", "")),
            order=int(given),
            client_user_id=str(row.get("clientUserId", "")),
            tabs=_filled(row.get("tabs", {}), labels),
        )

    def _custom_fields(self, definition: Json) -> list[Json]:
        fields = []
        for row in definition.get("customFields", {}).get("textCustomFields", []):
            name, value = str(row.get("name", "")), str(row.get("value", ""))
            if not name or len(name) > 50 or len(value) > 100:
                raise invalid_parameter("textCustomFields")
            shown = {"name": name, "value": value, "show": str(row.get("show", "false")), "required": "false"}
            fields.append({"fieldId": self._guid(), **shown})
        return fields


def _filled(tabs: Any, labels: Mapping[str, str]) -> dict[str, str]:
    """Values of tabs whose label and kind the template has; the others are passed over in silence, as DocuSign does."""
    found = {}
    for kind, rows in tabs.items() if isinstance(tabs, dict) else ():
        for row in rows:
            label = str(row.get("tabLabel", ""))
            value = next((str(row[key]) for key in _VALUES if key in row), None)
            if value is not None and labels.get(label) == kind:
                found[label] = value
    return found


def _check_recipients(recipients: list[Recipient]) -> None:
    for one in recipients:
        if not _ADDRESS.fullmatch(one.email):
            raise ApiError(
                400,
                "INVALID_EMAIL_ADDRESS_FOR_RECIPIENT",
                f"The email address for the recipient is invalid. {one.email}",
            )
    ids = [one.recipient_id for one in recipients]
    seats = [(one.name, one.email, one.order) for one in recipients]
    if len(set(ids)) < len(ids) or len(set(seats)) < len(seats):
        raise ApiError(400, "ENVELOPE_HAS_DUPLICATE_RECIPIENTS", "The envelope has duplicate recipients.")


def _uploaded(row: Json) -> Document:
    content = _decoded(row)
    if row.get("fileExtension") != "pdf":
        raise not_simulated("documents that are not PDF")
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-1024:]:
        raise ApiError(400, "UNABLE_TO_CONVERT_DOCUMENT", "System was unable to convert this document to a PDF.")
    digest = hashlib.sha256(content).hexdigest()
    return Document(str(row.get("name", "")), (f"Uploaded, {len(content)} bytes", f"SHA-256 {digest}"))


def _decoded(row: Json) -> bytes:
    try:
        return base64.b64decode(str(row.get("documentBase64", "")), validate=True)
    except binascii.Error as wrong:
        raise ApiError(400, "INVALID_REQUEST_BODY", "The request body is missing or improperly formatted.") from wrong


def _notification(wish: Any) -> Json | None:
    if wish is None:
        return None
    if not isinstance(wish, dict) or not str(wish.get("url", "")).startswith(("https://", "http://127.0.0.1")):
        raise invalid_parameter("eventNotification.url")
    if wish.get("deliveryMode") != "SIM" or wish.get("eventData", {}).get("format") != "json":
        raise not_simulated("Connect notices that are not JSON SIM")
    if unknown := sorted(set(wish.get("events", [])) - KNOWN_EVENTS):
        raise invalid_parameter(f"eventNotification.events {unknown[0]}")
    return wish
