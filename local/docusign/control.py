"""The control API under /control/: what tests and people do to the simulated DocuSign that no product could.

Every call takes a JSON object and answers one; what cannot be carried out is answered 400 with {"error": sentence}.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from local.docusign.connect import Disturbance
from local.docusign.envelopes import Envelope
from local.docusign.errors import ApiError, ControlError, Json
from local.docusign.shapes import envelope_json
from local.docusign.simulator import Simulator
from local.docusign.wire import control_body

_EVERYTHING = ("recipients", "custom_fields")


def control_blueprint(simulator: Simulator) -> Blueprint:
    """The routes; README.md lists them."""
    routes = Blueprint("control", __name__, url_prefix="/control")

    @routes.errorhandler(ControlError)
    def explain(problem: ControlError) -> tuple[Response, int]:
        return jsonify(error=str(problem)), 400

    @routes.errorhandler(ApiError)
    def explain_api(problem: ApiError) -> tuple[Response, int]:
        return jsonify(error=problem.body["message"]), 400

    @routes.post("/accounts")
    def add_account() -> Response:
        with simulator.lock:
            return jsonify(account_id=simulator.directory.add_account(control_body()).account_id)

    @routes.post("/users")
    def add_user() -> Response:
        with simulator.lock:
            return jsonify(user_id=simulator.directory.add_user(control_body()).user_id)

    @routes.post("/clients")
    def add_client() -> Response:
        with simulator.lock:
            return jsonify(client_id=simulator.directory.add_client(control_body()).client_id)

    @routes.post("/templates")
    def add_template() -> Response:
        with simulator.lock:
            return jsonify(template_id=simulator.directory.add_template(control_body()).template_id)

    @routes.post("/templates/remove")
    def remove_template() -> Response:
        with simulator.lock:
            simulator.directory.templates.pop(_text(control_body(), "template_id"), None)
            return jsonify({})

    @routes.post("/keys")
    def change_keys() -> Response:
        """{"account_id", "hmac_keys": [...]}: the account's Connect keys from now on."""
        body = control_body()
        with simulator.lock:
            account = simulator.directory.accounts.get(_text(body, "account_id"))
            if account is None:
                raise ControlError("there is no such account")
            account.hmac_keys[:] = [str(key) for key in body.get("hmac_keys", [])]
            return jsonify(hmac_keys=account.hmac_keys)

    @routes.post("/tokens")
    def issue_tokens() -> Response:
        """{"client_id", "user_id", "scopes"?}: consent and exchange in one step."""
        body = control_body()
        with simulator.lock:
            client = simulator.directory.clients.get(_text(body, "client_id"))
            user = simulator.directory.users.get(_text(body, "user_id"))
            if client is None or user is None:
                raise ControlError("client_id or user_id names nobody")
            code = simulator.grants.allow(client, user, body.get("scopes", ["signature", "extended"]), "")
            form = {"client_id": client.client_id, "client_secret": client.client_secret, "code": code}
            return jsonify(simulator.grants.token({"grant_type": "authorization_code", **form}, host=""))

    @routes.post("/revoke")
    def revoke() -> Response:
        with simulator.lock:
            simulator.grants.revoke_user(_text(control_body(), "user_id"))
            return jsonify({})

    @routes.post("/expire-tokens")
    def expire_tokens() -> Response:
        with simulator.lock:
            simulator.grants.expire_access_tokens()
            return jsonify({})

    @routes.get("/envelopes")
    def envelopes() -> Response:
        with simulator.lock:
            return jsonify(envelopes=[_shown(one) for one in simulator.envelopes])

    @routes.get("/mails")
    def mails() -> Response:
        with simulator.lock:
            return jsonify(mails=simulator.mails)

    @routes.post("/act")
    def act() -> Response:
        """{"envelope", "recipient", "action": view | sign | decline | bounce, "reason"?}"""
        body = control_body()
        with simulator.lock:
            envelope = simulator.act(
                _text(body, "envelope"), _text(body, "recipient"), _text(body, "action"), str(body.get("reason", ""))
            )
            return jsonify(envelope_json(envelope, _EVERYTHING))

    @routes.post("/robot")
    def robot() -> Response:
        with simulator.lock:
            return jsonify(envelope_json(simulator.sign_everything(_text(control_body(), "envelope")), _EVERYTHING))

    @routes.post("/connect")
    def disturb() -> Response:
        """{"next": drop | double | reorder | delay | bare, "times"?, "event"?, "delay_s"?} for the coming notices."""
        body = control_body()
        with simulator.lock:
            simulator.connect.disturb(
                Disturbance(
                    _text(body, "next"),
                    int(body.get("times", 1)),
                    str(body.get("event", "*")),
                    float(body.get("delay_s", 0)),
                )
            )
            return jsonify({})

    @routes.get("/connect")
    def connect_log() -> Response:
        with simulator.lock:
            return jsonify(log=simulator.connect.log, waiting=len(simulator.connect.waiting))

    @routes.post("/limits")
    def limits() -> Response:
        """{"hourly"?, "burst"?, "status"? (400 or 429)} -> the use of this hour."""
        body = control_body()
        with simulator.lock:
            for name in ("hourly", "burst", "status"):
                if name in body:
                    setattr(simulator.limits, name, int(body[name]))
            return jsonify(simulator.limits.usage())

    @routes.post("/faults")
    def arm() -> Response:
        simulator.faults.arm(control_body())
        return jsonify({})

    @routes.post("/faults/clear")
    def disarm() -> Response:
        simulator.faults.clear()
        return jsonify({})

    @routes.post("/clock")
    def clock() -> Response:
        body = control_body()
        if "advance_s" in body:
            simulator.set_offset(simulator.clock.offset_s + float(body["advance_s"]))
        elif "offset_s" in body:
            simulator.set_offset(float(body["offset_s"]))
        return jsonify(now=simulator.clock().isoformat(), offset_s=simulator.clock.offset_s)

    @routes.post("/reset")
    def reset() -> Response:
        simulator.reset()
        return jsonify({})

    return routes


def _shown(envelope: Envelope) -> Json:
    """With what is filled into each signer's fields: {label: text}."""
    shown = envelope_json(envelope, _EVERYTHING)
    for signer, recipient in zip(shown["recipients"]["signers"], envelope.recipients, strict=True):
        signer["filled_in"] = dict(recipient.tabs)
    return shown


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ControlError(f"{name} is missing")
    return value
