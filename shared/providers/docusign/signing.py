"""`ports.Signing` at DocuSign, for one account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.domain.cash.signing import (
    EnvelopeRequest,
    EnvelopeState,
    EnvelopeStatus,
    SignerState,
    SignerStatus,
    SigningTemplate,
)
from shared.errors import InputError, NotFoundError, PermanentError, ProviderUnavailableError
from shared.ports.marks import reads
from shared.providers.docusign.catalogue import PROBLEMS
from shared.providers.docusign.client import DocuSignHttp
from shared.providers.docusign.mapping import (
    CONTRACT_FIELD,
    INTENT_FIELD,
    TemplateRole,
    custom_fields,
    document_envelope,
    embedded_id,
    envelope_state,
    iso,
    moment,
    one_line,
    signing_template,
    template_envelope,
    template_roles,
    transaction_id,
)
from shared.providers.words import spoken

PAGE_SIZE = 100
MOST_PAGES = 100
LONGEST_SUBJECT = 100
LONGEST_VOID_REASON = 200
LARGEST_DOCUMENT = 25 * 1024 * 1024
"""Bytes; larger ones DocuSign refuses."""

CLOCKS_APART = timedelta(minutes=5)
"""How far DocuSign's clock and ours may be apart when we ask for what happened since."""

_ALL_TOLD = {"include": "recipients,custom_fields"}


class DocuSignSigning:
    """Envelopes, templates and documents of one account. Nothing is sent until the first call."""

    def __init__(self, http: DocuSignHttp) -> None:
        self._http = http

    # ---------------------------------------------------------------------------------------------------- templates

    @reads
    def templates(self) -> tuple[SigningTemplate, ...]:
        """Every template this user may use, by name; without roles and fields, which `template` tells.

        Source: GET /templates -> {"envelopeTemplates": [...], "endPosition", "totalSetSize"}.
        """
        pages = self._pages(("templates",), "envelopeTemplates", {}, purpose="templates.listed")
        return tuple(sorted((signing_template(row) for row in pages), key=lambda template: template.name))

    @reads
    def template(self, template_id: str) -> SigningTemplate:
        """With its roles and fields. Raises: NotFoundError."""
        return signing_template(self._template(template_id))

    def _template(self, template_id: str) -> dict[str, Any]:
        query = {"include": "recipients,tabs"}
        return self._http.call("GET", "templates", template_id, purpose="template.read", query=query)

    # ------------------------------------------------------------------------------------------------------ sending

    def send(self, request: EnvelopeRequest) -> EnvelopeState:
        """Send an envelope. A template is read first: its fields differ in kind, and an unknown role is not refused by
        DocuSign but added as a signer who has nothing to sign.

        Returns:
            signers carry DocuSign's recipient ids; with a template these are the template's, told apart by role.
        Raises:
            InputError: a role, field, document, address or the template is refused; the sentence says which.
            ProviderUnavailableError: it may have been sent; ask `find_sent`.
        Source:
            POST /envelopes -> 201 {"envelopeId", "status", "statusDateTime", "uri"}.
        """
        if not 0 < len(request.subject) <= LONGEST_SUBJECT:
            raise InputError(f"The subject of the contract must have 1 to {LONGEST_SUBJECT} characters.")
        if not request.signers:
            raise InputError("The contract has no signer.")
        if request.template_id is not None:
            roles = self._roles(request)
            definition = template_envelope(request, roles)
            recipient_ids = {role.name: role.recipient_id for role in roles}
        else:
            definition = document_envelope(request, _pdf(request))
            recipient_ids = {signer.role: signer.recipient_id for signer in request.signers}
        try:
            answer = self._http.call("POST", "envelopes", purpose="envelope.sent", body=definition)
        except NotFoundError as error:
            raise InputError(spoken(PROBLEMS["template_gone"])) from error
        return _sent(answer, request, recipient_ids)

    def _roles(self, request: EnvelopeRequest) -> tuple[TemplateRole, ...]:
        """The template's roles, once they fit the request."""
        try:
            roles = template_roles(self._template(request.template_id or ""))
        except NotFoundError as error:
            raise InputError(spoken(PROBLEMS["template_gone"])) from error
        known = {role.name: role for role in roles}
        named = [signer.role for signer in request.signers]
        if unknown := [name for name in named if name not in known]:
            raise InputError(f"The template has no role {unknown[0]!r}; it has {', '.join(known) or 'none'}.")
        if unnamed := [name for name in known if name not in named]:
            raise InputError(f"The template's role {unnamed[0]!r} has no signer.")
        if len(set(named)) < len(named):
            raise InputError("Two signers have the same role; each needs a role of their own.")
        for name, values in request.prefill.items():
            if missing := [label for label in values if name not in known or label not in known[name].kinds]:
                raise InputError(f"The template has no field {missing[0]!r} for the role {name!r}.")
        return roles

    @reads
    def find_sent(self, intent: str, since: datetime) -> EnvelopeState | None:
        """The envelope that carries this intent, if there is one.

        Asked by the transaction id, which DocuSign keeps for seven days, and then by our custom field among the
        envelopes created since, which is searched in an index that may lag behind.

        Source: GET /envelopes?transaction_ids=, ?custom_field=name=value.
        """
        by_field = {
            "custom_field": f"{INTENT_FIELD}={intent}",
            "from_date": iso(since - CLOCKS_APART),
            "from_to_status": "created",
        }
        for query in ({"transaction_ids": transaction_id(intent)}, by_field):
            found = self._http.call("GET", "envelopes", purpose="envelope.searched", query={**query, **_ALL_TOLD})
            for row in _told(found.get("envelopes")):
                state = envelope_state(row)
                if state.intent == intent:
                    return state
        return None

    # ------------------------------------------------------------------------------------------------------ reading

    @reads
    def envelope(self, envelope_id: str) -> EnvelopeState:
        """The truth, signers and our ids included. Within 15 minutes after another one: RateLimitedError.

        Raises: NotFoundError.
        Source: GET /envelopes/{id}?include=recipients,custom_fields.
        """
        found = self._http.call("GET", "envelopes", envelope_id, purpose="envelope.read", query=_ALL_TOLD)
        return envelope_state(found)

    @reads
    def changed_since(self, since: datetime) -> tuple[EnvelopeState, ...]:
        """Our envelopes whose status changed, signers included, newest change first. Those that carry no contract's id
        were sent by others in the same account and are left out.

        What changes while the pages are read moves to the front: it is seen twice or next time, never skipped.

        Source: GET /envelopes?from_date=&from_to_status=changed -> {"envelopes", "endPosition", "totalSetSize"}.
        """
        query = {
            "from_date": iso(since - CLOCKS_APART),
            "from_to_status": "changed",
            "order_by": "status_changed",
            "order": "desc",
            **_ALL_TOLD,
        }
        states: dict[str, EnvelopeState] = {}
        for row in self._pages(("envelopes",), "envelopes", query, purpose="envelopes.listed"):
            if CONTRACT_FIELD in custom_fields(row):
                state = envelope_state(row)
                states.setdefault(state.envelope_id, state)
        return tuple(states.values())

    @reads
    def signed_document(self, envelope_id: str) -> bytes:
        """All documents as one PDF, without the certificate, whatever the account's setting."""
        query = {"certificate": "false"}
        return self._http.pdf("envelopes", envelope_id, "documents", "combined", purpose="document.read", query=query)

    @reads
    def certificate(self, envelope_id: str) -> bytes:
        """The certificate of completion, a PDF."""
        return self._http.pdf("envelopes", envelope_id, "documents", "certificate", purpose="certificate.read")

    @reads
    def signing_link(self, envelope_id: str, recipient_id: str, *, name: str, email: str, return_url: str) -> str:
        """A one-use address, good for five minutes. DocuSign adds `event=signing_complete` (or decline, cancel ...) to
        `return_url`, which proves nothing.

        Raises: InputError while it is not this signer's turn, or for one who signs by mail.
        Source: POST /envelopes/{id}/views/recipient -> {"url"}.
        """
        body = {
            "returnUrl": return_url,
            "authenticationMethod": "none",
            "clientUserId": embedded_id(recipient_id),
            "userName": one_line(name),
            "email": one_line(email),
        }
        path = ("envelopes", envelope_id, "views", "recipient")
        url = self._http.call("POST", *path, purpose="signing_link.made", body=body).get("url")
        if not isinstance(url, str) or not url:
            raise ProviderUnavailableError("signing_link.made answered without an address")
        return url

    # ----------------------------------------------------------------------------------------------------- changing

    def void(self, envelope_id: str, reason: str) -> None:
        """The reason is mailed to the signers; DocuSign keeps 200 characters of it.

        Raises: InputError for an envelope that is completed, declined or voided.
        Source: PUT /envelopes/{id} {"status": "voided", "voidedReason"}.
        """
        if not reason.strip():
            raise InputError("Say why the contract is voided; the signers are told.")
        body = {"status": "voided", "voidedReason": reason[:LONGEST_VOID_REASON]}
        self._http.call("PUT", "envelopes", envelope_id, purpose="envelope.voided", body=body)

    def remind(self, envelope_id: str) -> None:
        """Mail those whose turn it is once more.

        Raises: InputError for an envelope that is completed, declined or voided.
        Source: PUT /envelopes/{id}?resend_envelope=true.
        """
        query = {"resend_envelope": "true"}
        self._http.call("PUT", "envelopes", envelope_id, purpose="envelope.resent", query=query, body={})

    def correct(self, envelope_id: str, recipient_id: str, *, name: str, email: str) -> None:
        """Change a signer who has not signed, and send them the envelope anew.

        Raises: InputError for one who has signed: DocuSign answers 200 and says so inside.
        Source: PUT /envelopes/{id}/recipients?resend_envelope=true -> {"recipientUpdateResults": [{"recipientId",
            "errorDetails": {"errorCode": "SUCCESS", "message"}}]}.
        """
        answer = self._http.call(
            "PUT",
            "envelopes",
            envelope_id,
            "recipients",
            purpose="recipient.corrected",
            query={"resend_envelope": "true"},
            body={"signers": [{"recipientId": recipient_id, "name": one_line(name), "email": one_line(email)}]},
        )
        results = answer.get("recipientUpdateResults")
        for row in results if isinstance(results, list) else []:
            details = row.get("errorDetails") if isinstance(row, dict) else None
            if isinstance(details, dict) and details.get("errorCode") != "SUCCESS":
                raise _correction_refused(str(details.get("errorCode")))

    def _pages(
        self, path: tuple[str, ...], key: str, query: Mapping[str, str], *, purpose: str
    ) -> Iterator[Mapping[str, Any]]:
        """Rows of a list, page by page. Positions are texts: {"startPosition": "0", "endPosition": "99",
        "totalSetSize": "230"}; a page that ends where it began is the last."""
        start = 0
        for _ in range(MOST_PAGES):
            page = {**query, "count": str(PAGE_SIZE), "start_position": str(start)}
            answer = self._http.call("GET", *path, purpose=purpose, query=page)
            rows = answer.get(key)
            rows = rows if isinstance(rows, list) else []
            yield from (row for row in rows if isinstance(row, dict))
            start += len(rows)
            if not rows or start >= _number(answer.get("totalSetSize")):
                return
        raise PermanentError(f"{purpose} has more than {MOST_PAGES * PAGE_SIZE} rows")


def _sent(answer: Mapping[str, Any], request: EnvelopeRequest, recipient_ids: Mapping[str, str]) -> EnvelopeState:
    envelope_id, sent_at = answer.get("envelopeId"), answer.get("statusDateTime")
    if not isinstance(envelope_id, str) or not isinstance(sent_at, str):
        raise ProviderUnavailableError("envelope.sent answered without an envelope")
    first = min(signer.order for signer in request.signers)
    return EnvelopeState(
        envelope_id=envelope_id.lower(),
        status=EnvelopeStatus.SENT,
        changed_at=moment(sent_at),
        signers=tuple(
            SignerState(
                recipient_id=recipient_ids[signer.role],
                name=signer.name,
                email=signer.email,
                status=SignerStatus.SENT if signer.order == first else SignerStatus.CREATED,
                order=signer.order,
                role=signer.role,
            )
            for signer in sorted(request.signers, key=lambda signer: signer.order)
        ),
        contract_id=request.contract_id,
        tenant=request.tenant,
        intent=request.intent,
    )


def _pdf(request: EnvelopeRequest) -> bytes:
    """The document, once it can be sent."""
    if request.prefill:
        raise InputError("A generated document has no fields to fill in: its text is final.")
    if request.document is None or not request.document.startswith(b"%PDF-"):
        raise InputError("The document is not a PDF. Save it as a PDF and try again.")
    if len(request.document) > LARGEST_DOCUMENT:
        raise InputError("The document is larger than 25 MB, which DocuSign does not take.")
    return request.document


def _correction_refused(code: str) -> InputError:
    named = PROBLEMS["signer_unknown"] if "UNKNOWN" in code or "INVALID_RECIPIENT" in code else PROBLEMS["signer_done"]
    return InputError(spoken(named))


def _told(rows: object) -> Iterator[Mapping[str, Any]]:
    """Rows of a search; one that stands for an unknown transaction id carries errorDetails and no envelope."""
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and row.get("envelopeId") and row.get("status"):
            yield row


def _number(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() else 0
