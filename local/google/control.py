"""The control API under /control/: what tests and people do to the simulated Google that no product could.

Every call takes a JSON object and answers one; what cannot be carried out is answered 400 with {"error": sentence}.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify, request

from local.google.errors import ApiError, ControlError, Json
from local.google.simulator import Simulator


def control_blueprint(simulator: Simulator) -> Blueprint:
    """Return the routes of the shell, and one for every action of every API."""
    routes = Blueprint("control", __name__, url_prefix="/control")

    @routes.errorhandler(ControlError)
    def explain(problem: ControlError) -> tuple[Response, int]:
        return jsonify(error=str(problem)), 400

    @routes.errorhandler(ApiError)
    def explain_api(problem: ApiError) -> tuple[Response, int]:
        return jsonify(error=problem.message), 400

    @routes.get("/quota")
    def quota() -> Response:
        return jsonify({mount.service.name: mount.quota.usage() for mount in simulator.mounts})

    @routes.post("/quota/reset")
    def forget_quota() -> Response:
        for mount in simulator.mounts:
            mount.quota.reset()
        return jsonify({})

    @routes.get("/violations")
    def violations() -> Response:
        return jsonify(violations=simulator.gateway.violations)

    @routes.get("/accounts")
    def accounts() -> Response:
        return jsonify(accounts=simulator.accounts.dump())

    @routes.post("/accounts")
    def create_account() -> Response:
        return jsonify(asdict(simulator.create_account(_body())))

    @routes.post("/clients")
    def register_client() -> Response:
        return jsonify(client_id=simulator.grants.register(_body()).client_id)

    @routes.post("/tokens")
    def issue_tokens() -> Response:
        body = _body()
        client = simulator.grants.clients.get(_text(body, "client_id"))
        if client is None:
            raise ControlError("client_id names no registered client")
        return jsonify(simulator.grants.issue(_text(body, "email"), body.get("scopes", []), client))

    @routes.post("/revoke")
    def revoke() -> Response:
        simulator.grants.revoke_account(_text(_body(), "email"))
        return jsonify({})

    @routes.post("/password")
    def change_password() -> Response:
        simulator.grants.change_password(_text(_body(), "email"))
        return jsonify({})

    @routes.post("/faults")
    def arm() -> Response:
        simulator.faults.arm(_body())
        return jsonify({})

    @routes.post("/faults/clear")
    def disarm() -> Response:
        simulator.faults.clear()
        return jsonify({})

    @routes.post("/clock")
    def clock() -> Response:
        body = _body()
        if "advance_s" in body:
            simulator.set_offset(simulator.clock.offset_s + float(body["advance_s"]))
        elif "offset_s" in body:
            simulator.set_offset(float(body["offset_s"]))
        return jsonify(now=simulator.clock().isoformat(), offset_s=simulator.clock.offset_s)

    @routes.post("/save")
    def save() -> Response:
        simulator.save(_text(_body(), "name"))
        return jsonify({})

    @routes.post("/load")
    def load() -> Response:
        simulator.load(_text(_body(), "name"))
        return jsonify({})

    @routes.post("/reset")
    def reset() -> Response:
        simulator.reset()
        return jsonify({})

    @routes.post("/<name>/<action>")
    def act(name: str, action: str) -> Response:
        mount = simulator.mount(name)
        handler = mount.service.controls.get(action)
        if handler is None:
            raise ControlError(f"{name} has no action {action}; it has {', '.join(sorted(mount.service.controls))}")
        with mount.lock:
            return jsonify(handler(_body()) or {})

    return routes


def _body() -> Json:
    body: Any = request.get_json(force=True, silent=True) if request.get_data() else {}
    if not isinstance(body, dict):
        raise ControlError("the body must be a JSON object")
    return body


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ControlError(f"{name} is missing")
    return value
