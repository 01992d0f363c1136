"""The eSignature REST API v2.1 on the wire: the calls this product makes; any other is refused loudly.

Source: developers.docusign.com/docs/esign-rest-api/reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, Response, request

from local.docusign.definitions import Maker
from local.docusign.envelopes import TRANSACTION_LIFETIME, Envelope
from local.docusign.errors import ApiError, Json, invalid_parameter, not_simulated
from local.docusign.pdf import pdf
from local.docusign.shapes import certificate_lines, combined_pdf, envelope_json, iso, template_json
from local.docusign.simulator import Simulator
from local.docusign.wire import json_body, perform

ROOT = "/<site>/restapi/v2.1/accounts/<account_id>"


def api_blueprint(simulator: Simulator) -> Blueprint:
    """The routes below an account's base address."""
    routes = Blueprint("api", __name__)

    def answer(call: str, site: str, account_id: str, work: Callable[[_Calls], tuple[int, Json | bytes]]) -> Response:
        def authorized() -> tuple[int, Json | bytes]:
            with simulator.lock:
                user_id = _authorized_user(simulator, site, account_id)
                simulator.limits.spend(account_id)
                return work(_Calls(simulator, account_id, user_id))

        def headers() -> Mapping[str, str]:
            with simulator.lock:
                return simulator.limits.headers(account_id)

        return perform(simulator.faults, call, authorized, headers)

    @routes.get(f"{ROOT}/templates")
    def list_templates(site: str, account_id: str) -> Response:
        return answer("templates.list", site, account_id, _Calls.list_templates)

    @routes.get(f"{ROOT}/templates/<template_id>")
    def get_template(site: str, account_id: str, template_id: str) -> Response:
        return answer("templates.get", site, account_id, lambda calls: calls.get_template(template_id))

    @routes.get(f"{ROOT}/envelopes")
    def list_envelopes(site: str, account_id: str) -> Response:
        return answer("envelopes.list", site, account_id, _Calls.list_envelopes)

    @routes.post(f"{ROOT}/envelopes")
    def create_envelope(site: str, account_id: str) -> Response:
        return answer("envelopes.create", site, account_id, _Calls.create_envelope)

    @routes.get(f"{ROOT}/envelopes/<envelope_id>")
    def get_envelope(site: str, account_id: str, envelope_id: str) -> Response:
        return answer("envelopes.get", site, account_id, lambda calls: calls.get_envelope(envelope_id))

    @routes.put(f"{ROOT}/envelopes/<envelope_id>")
    def update_envelope(site: str, account_id: str, envelope_id: str) -> Response:
        return answer("envelopes.update", site, account_id, lambda calls: calls.update_envelope(envelope_id))

    @routes.put(f"{ROOT}/envelopes/<envelope_id>/recipients")
    def update_recipients(site: str, account_id: str, envelope_id: str) -> Response:
        return answer("recipients.update", site, account_id, lambda calls: calls.update_recipients(envelope_id))

    @routes.get(f"{ROOT}/envelopes/<envelope_id>/documents/<document_id>")
    def get_document(site: str, account_id: str, envelope_id: str, document_id: str) -> Response:
        return answer("documents.get", site, account_id, lambda calls: calls.get_document(envelope_id, document_id))

    @routes.post(f"{ROOT}/envelopes/<envelope_id>/views/recipient")
    def create_view(site: str, account_id: str, envelope_id: str) -> Response:
        return answer("views.create", site, account_id, lambda calls: calls.create_view(envelope_id))

    return routes


def _authorized_user(simulator: Simulator, site: str, account_id: str) -> str:
    """Whose token it is. Raises: ApiError for one not good for this account, or an account that lives elsewhere."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    bearer = simulator.grants.bearer(token) if scheme.lower() == "bearer" else None
    if bearer is None or "signature" not in bearer.scopes:
        raise ApiError(
            401, "AUTHORIZATION_INVALID_TOKEN", "The access token provided is expired, revoked or malformed."
        )
    account = simulator.directory.accounts.get(account_id)
    if account is None or account.site != site:
        raise ApiError(404, "ACCOUNT_DOES_NOT_EXIST_IN_SYSTEM", "The account does not exist in the system.")
    if account_id not in simulator.directory.users[bearer.user_id].accounts:
        raise ApiError(
            401,
            "USER_DOES_NOT_BELONG_TO_SPECIFIED_ACCOUNT",
            "The specified User is not a member of the specified Account.",
        )
    return bearer.user_id


@dataclass(frozen=True, slots=True)
class _Calls:
    """What each call does, for this account and user, under the simulator's lock."""

    simulator: Simulator
    account_id: str
    user_id: str

    def list_templates(self) -> tuple[int, Json]:
        found = [one for one in self.simulator.directory.templates.values() if one.account_id == self.account_id]
        return 200, _page("envelopeTemplates", [template_json(one, _include()) for one in found])

    def get_template(self, template_id: str) -> tuple[int, Json]:
        template = self.simulator.directory.templates.get(template_id)
        if template is None or template.account_id != self.account_id:
            raise ApiError(404, "TEMPLATE_ID_INVALID", "Invalid template ID.")
        return 200, template_json(template, _include())

    def list_envelopes(self) -> tuple[int, Json]:
        found = [one for one in self.simulator.envelopes if one.account_id == self.account_id]
        if ids := request.args.get("transaction_ids"):
            return 200, _page("envelopes", [self._by_transaction(found, one) for one in ids.split(",")])
        since = _moment("from_date")
        kind = request.args.get("from_to_status", "changed").lower()
        if kind not in {"changed", "created"}:
            raise not_simulated(f"from_to_status={kind}")
        found = [one for one in found if (one.changed_at if kind == "changed" else one.created_at) >= since]
        if wanted := request.args.get("custom_field"):
            name, _, value = wanted.partition("=")
            found = [one for one in found if {"name": name, "value": value}.items() <= _field(one, name).items()]
        descending = request.args.get("order") == "desc"
        found.sort(key=lambda one: one.changed_at, reverse=descending)
        return 200, _page("envelopes", [envelope_json(one, _include()) for one in found])

    def create_envelope(self) -> tuple[int, Json]:
        directory, now = self.simulator.directory, self.simulator.clock()
        templates = {key: one for key, one in directory.templates.items() if one.account_id == self.account_id}
        definition = json_body()
        maker = Maker(templates, directory.guid, now)
        envelope = maker.envelope(definition, account_id=self.account_id, user_id=self.user_id)
        self.simulator.envelopes.add(envelope, send=definition["status"] == "sent")
        return 201, {
            "envelopeId": envelope.envelope_id,
            "uri": f"/envelopes/{envelope.envelope_id}",
            "statusDateTime": iso(envelope.changed_at),
            "status": envelope.status,
        }

    def get_envelope(self, envelope_id: str) -> tuple[int, Json]:
        envelope = self.simulator.envelopes.get(self.account_id, envelope_id)
        self.simulator.limits.poll(envelope, "")
        return 200, envelope_json(envelope, _include())

    def update_envelope(self, envelope_id: str) -> tuple[int, Json]:
        envelope, body = self.simulator.envelopes.get(self.account_id, envelope_id), json_body()
        if request.args.get("resend_envelope") == "true" and not body:
            self.simulator.envelopes.resend(envelope)
        elif body.get("status") == "voided" and not request.args:
            reason = str(body.get("voidedReason", ""))
            if not reason:
                raise invalid_parameter("voidedReason")
            self.simulator.envelopes.void(envelope, reason[:200])
        else:
            raise not_simulated("this change of an envelope")
        return 200, {"envelopeId": envelope.envelope_id}

    def update_recipients(self, envelope_id: str) -> tuple[int, Json]:
        """A recipient that cannot be changed is refused inside a 200."""
        envelope, body = self.simulator.envelopes.get(self.account_id, envelope_id), json_body()
        if request.args.get("resend_envelope") != "true" or set(body) != {"signers"}:
            raise not_simulated("changing recipients other than signers who are mailed again")
        return 200, {"recipientUpdateResults": [self._corrected(envelope, row) for row in body["signers"]]}

    def get_document(self, envelope_id: str, document_id: str) -> tuple[int, bytes]:
        envelope = self.simulator.envelopes.get(self.account_id, envelope_id)
        if document_id not in {"combined", "certificate"}:
            raise not_simulated(f"the document {document_id}")
        self.simulator.limits.poll(envelope, f"documents/{document_id}")
        if document_id == "certificate":
            return 200, pdf(certificate_lines(envelope))
        return 200, combined_pdf(envelope, certificate=request.args.get("certificate") == "true")

    def create_view(self, envelope_id: str) -> tuple[int, Json]:
        envelope, body = self.simulator.envelopes.get(self.account_id, envelope_id), json_body()
        asked = {key: str(body.get(key, "")) for key in ("returnUrl", "clientUserId", "userName", "email")}
        if missing := [key for key, value in asked.items() if not value]:
            raise invalid_parameter(missing[0])
        recipient = next(
            (
                one
                for one in envelope.recipients
                if (one.client_user_id, one.name, one.email)
                == (asked["clientUserId"], asked["userName"], asked["email"])
            ),
            None,
        )
        if recipient is None:
            raise ApiError(
                400,
                "UNKNOWN_ENVELOPE_RECIPIENT",
                "The recipient you have identified is not a valid recipient of the specified envelope.",
            )
        if recipient not in envelope.turn:
            raise ApiError(
                400, "RECIPIENT_NOT_IN_SEQUENCE", "The token for an out of sequence recipient cannot be generated."
            )
        token = self.simulator.open_door(envelope, recipient, asked["returnUrl"])
        return 201, {"url": f"{request.host_url}Signing/MTRedeem/v1?t={token}"}

    def _by_transaction(self, envelopes: list[Envelope], transaction_id: str) -> Json:
        oldest = self.simulator.clock() - TRANSACTION_LIFETIME
        for one in envelopes:
            if one.transaction_id == transaction_id and one.created_at >= oldest:
                return envelope_json(one, _include())
        message = "The envelope specified either does not exist or you have no rights to it."
        details = {"errorCode": "ENVELOPE_DOES_NOT_EXIST", "message": message}
        return {"transactionId": transaction_id, "errorDetails": details}

    def _corrected(self, envelope: Envelope, row: Json) -> Json:
        recipient = envelope.recipient(str(row.get("recipientId", "")))
        if recipient is None:
            code = "INVALID_RECIPIENT_ID"
        else:
            changed = self.simulator.envelopes.correct(
                envelope, recipient, name=str(row.get("name", "")), email=str(row.get("email", ""))
            )
            code = "SUCCESS" if changed else "RECIPIENT_UPDATE_FAILED"
        return {"recipientId": str(row.get("recipientId", "")), "errorDetails": {"errorCode": code, "message": code}}


def _page(key: str, rows: list[Json]) -> Json:
    start = _number("start_position", 0)
    shown = rows[start : start + _number("count", 1000)]
    end = start + len(shown)
    return {
        key: shown,
        "resultSetSize": str(len(shown)),
        "startPosition": str(start),
        "endPosition": str(max(end - 1, 0)),
        "totalSetSize": str(len(rows)),
        **({"nextUri": f"/{key}?start_position={end}"} if end < len(rows) else {}),
    }


def _include() -> frozenset[str]:
    return frozenset(filter(None, request.args.get("include", "").split(",")))


def _field(envelope: Envelope, name: str) -> Json:
    return next((row for row in envelope.custom_fields if row["name"] == name), {})


def _number(name: str, default: int) -> int:
    text = request.args.get(name, str(default))
    if not text.isdecimal():
        raise invalid_parameter(name)
    return int(text)


def _moment(name: str) -> datetime:
    text = request.args.get(name)
    if text is None:
        raise ApiError(400, "INVALID_REQUEST_PARAMETER", f"Query parameter '{name}' must be set to a valid DateTime.")
    try:
        found = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise invalid_parameter(name) from wrong
    return found if found.tzinfo else found.replace(tzinfo=UTC)
