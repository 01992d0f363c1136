"""The control API under /control/: what tests and people do to the simulated NetSuite that no product could.

Every call takes a JSON object and answers one; what cannot be carried out is answered 400 with {"error": sentence}.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, request

from local.netsuite import representation
from local.netsuite.errors import ApiError, ControlError, Json
from local.netsuite.simulator import ADMINISTRATOR, Simulator
from shared.providers import exact_json


def control_blueprint(simulator: Simulator) -> Blueprint:
    """Return the routes. Each holds the simulator still while it works."""
    routes = Blueprint("control", __name__, url_prefix="/control")

    @routes.errorhandler(ControlError)
    def explain(problem: ControlError) -> tuple[Response, int]:
        return _json({"error": str(problem)}), 400

    @routes.errorhandler(ApiError)
    def explain_api(problem: ApiError) -> tuple[Response, int]:
        return _json({"error": problem.detail}), 400

    @routes.post("/certificates")
    def map_certificate() -> Response:
        body = _body()
        with simulator.lock:
            mapped = simulator.gate.map_certificate(
                _text(body, "client_id"), _text(body, "certificate"), str(body.get("role", ADMINISTRATOR))
            )
            simulator.save()
        return _json({"certificate_id": mapped.certificate_id, "ends_at": mapped.ends_at})

    @routes.post("/tokens")
    def issue_tokens() -> Response:
        with simulator.lock:
            pair = simulator.gate.issue_tokens(str(_body().get("role", ADMINISTRATOR)))
            simulator.save()
        return _json({"account_id": simulator.account_id, **asdict(pair)})

    @routes.post("/revoke")
    def revoke() -> Response:
        with simulator.lock:
            simulator.gate.revoke(_text(_body(), "id"))
            simulator.save()
        return _json({})

    @routes.post("/expire")
    def expire() -> Response:
        with simulator.lock:
            simulator.gate.expire_access_tokens()
        return _json({})

    @routes.post("/roles")
    def set_role() -> Response:
        body = _body()
        with simulator.lock:
            simulator.set_role(_text(body, "role"), body.get("permissions", {}))
        return _json({})

    @routes.post("/settings")
    def change_settings() -> Response:
        body = _body()
        with simulator.lock:
            if "concurrency" in body:
                simulator.concurrency = int(body["concurrency"])
            if "features" in body:
                simulator.set_features(body["features"])
            if "own_numbers" in body:
                simulator.books.own_numbers = bool(body["own_numbers"])
            if "payments_touch" in body:
                simulator.books.payments_touch = bool(body["payments_touch"])
        return _json({})

    @routes.post("/fields")
    def add_field() -> Response:
        body = _body()
        with simulator.lock:
            simulator.books.catalog.add_field(_text(body, "record"), _text(body, "name"), body.get("kind", "text"))
        return _json({})

    @routes.post("/record_types")
    def add_type() -> Response:
        with simulator.lock:
            simulator.books.catalog.add_type(_text(_body(), "name"))
        return _json({})

    @routes.post("/faults")
    def arm() -> Response:
        simulator.faults.arm(_body())
        return _json({})

    @routes.post("/faults/clear")
    def disarm() -> Response:
        simulator.faults.clear()
        return _json({})

    @routes.post("/clock")
    def clock() -> Response:
        body = _body()
        with simulator.lock:
            if "advance_s" in body:
                simulator.clock.offset_s += float(body["advance_s"])
            elif "offset_s" in body:
                simulator.clock.offset_s = float(body["offset_s"])
        return _json({"now": simulator.clock().isoformat(), "offset_s": str(simulator.clock.offset_s)})

    @routes.post("/records/<kind>")
    def create_record(kind: str) -> Response:
        with simulator.lock:
            record = simulator.books.create(simulator.books.kind(kind), _body())
            simulator.save()
        return _json({"id": record.id})

    @routes.get("/records/<kind>")
    def records(kind: str) -> Response:
        with simulator.lock:
            found = list(simulator.books.all(simulator.books.kind(kind).name))
            shown = [representation.shown(simulator.books, record, "", expand=True) for record in found]
        return _json({"records": shown})

    @routes.post("/bookkeeper/<action>")
    def act(action: str) -> Response:
        body = _body()
        with simulator.lock:
            record_id = simulator.bookkeeper.do(action, body)
            simulator.save()
        return _json({"id": record_id})

    @routes.get("/calls")
    def calls() -> Response:
        return _json(dict(simulator.calls))

    @routes.get("/mailed")
    def mailed() -> Response:
        return _json({"mailed": [{"invoice": invoice, "email": email} for invoice, email in simulator.books.mailed]})

    @routes.post("/reset")
    def reset() -> Response:
        with simulator.lock:
            simulator.reset()
        return _json({})

    return routes


def _json(body: Json) -> Response:
    return Response(exact_json.dumps(body), content_type="application/json")


def _body() -> Json:
    try:
        body: Any = exact_json.loads(request.get_data() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ControlError("the body must be a JSON object")
    return body


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ControlError(f"{name} is missing")
    return value
