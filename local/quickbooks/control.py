"""The control API under /control/: what tests and people do to the simulated QuickBooks that no product could.

Every call takes a JSON object and answers one; what cannot be carried out is answered 400 with {"error": sentence}.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, request

from local.quickbooks.bookkeeper import act
from local.quickbooks.errors import ControlError, Json, VendorError
from local.quickbooks.notices import Endpoint
from local.quickbooks.simulator import Simulator
from shared.providers import exact_json


def control_blueprint(simulator: Simulator) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("control", __name__, url_prefix="/control")

    @routes.errorhandler(ControlError)
    def explain(problem: ControlError) -> Response:
        return _json({"error": str(problem)}, 400)

    @routes.errorhandler(VendorError)
    def explain_refusal(problem: VendorError) -> Response:
        return _json({"error": str(problem)}, 400)

    @routes.post("/companies")
    def create_company() -> Response:
        with simulator.lock:
            books = simulator.create_company(_body())
        return _json({"realm_id": books.settings.realm_id})

    @routes.post("/companies/<realm_id>")
    def change_company(realm_id: str) -> Response:
        with simulator.lock:
            simulator.books(realm_id).settings.change(_body())
        return _json({})

    @routes.get("/companies/<realm_id>/<entity>")
    def objects(realm_id: str, entity: str) -> Response:
        with simulator.lock:
            return _json({"objects": list(simulator.books(realm_id).tables.get(entity, {}).values())})

    @routes.post("/companies/<realm_id>/<action>")
    def bookkeeping(realm_id: str, action: str) -> Response:
        with simulator.lock:
            return _json(act(simulator.books(realm_id), action, _body()))

    @routes.post("/clients")
    def register_client() -> Response:
        with simulator.lock:
            return _json({"client_id": simulator.grants.register(_body()).client_id})

    @routes.post("/tokens")
    def issue_tokens() -> Response:
        body = _body()
        with simulator.lock:
            client = simulator.grants.clients.get(str(body.get("client_id")))
            if client is None:
                raise ControlError("client_id names no registered client")
            realm_id = simulator.books(str(body.get("realm_id"))).settings.realm_id
            return _json(simulator.grants.answer_of(simulator.grants.begin(client, realm_id)))

    @routes.post("/tokens/revoke")
    def disconnect() -> Response:
        with simulator.lock:
            simulator.grants.end(str(_body().get("realm_id")))
        return _json({})

    @routes.post("/tokens/expire")
    def expire() -> Response:
        with simulator.lock:
            simulator.grants.expire_access(str(_body().get("realm_id")))
        return _json({})

    @routes.post("/rotation")
    def rotation() -> Response:
        simulator.grants.rotate_after_s = float(_body().get("rotate_after_s", 0))
        return _json({})

    @routes.post("/webhook")
    def webhook() -> Response:
        body = _body()
        try:
            simulator.notices.endpoint = Endpoint(**body) if body else None
        except TypeError as wrong:
            raise ControlError("an endpoint has url, verifier_token and format (cloudevents or legacy)") from wrong
        return _json({})

    @routes.post("/webhook/mischief")
    def mischief() -> Response:
        with simulator.lock:
            simulator.notices.mischief.change(_body())
        return _json({})

    @routes.get("/webhook/deliveries")
    def deliveries() -> Response:
        with simulator.lock:
            found = [
                {
                    "state": one.state,
                    "attempts": one.attempts,
                    "changes": [{**asdict(change), "at": change.at.isoformat()} for change in one.changes],
                }
                for one in simulator.notices.deliveries
            ]
        return _json({"deliveries": found})

    @routes.post("/faults")
    def arm() -> Response:
        simulator.faults.arm(_body())
        return _json({})

    @routes.post("/faults/clear")
    def disarm() -> Response:
        simulator.faults.clear()
        return _json({})

    @routes.get("/calls")
    def calls() -> Response:
        with simulator.lock:
            return _json({"calls": dict(simulator.calls)})

    @routes.post("/clock")
    def clock() -> Response:
        simulator.advance(float(_body().get("advance_s", 0)))
        simulator.tick()
        return _json({"now": simulator.clock().isoformat()})

    return routes


def _json(body: Json, status: int = 200) -> Response:
    return Response(exact_json.dumps(body), status, {"Content-Type": "application/json"})


def _body() -> Json:
    try:
        body: Any = exact_json.loads(request.get_data() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ControlError("the body must be a JSON object")
    return body
