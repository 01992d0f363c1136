"""The simulated Google's HTTP face: Google's own paths, /control/ for tests, and / for people."""

from __future__ import annotations

from flask import Flask, Response, request

from local.google.batch import answer_batch
from local.google.control import control_blueprint
from local.google.gateway import WireRequest
from local.google.html import page, table
from local.google.oauth.endpoints import oauth_blueprint
from local.google.simulator import Simulator
from local.google.wire import to_response

_API_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def create_app(simulator: Simulator) -> Flask:
    """Return the WSGI application around one simulator."""
    app = Flask(__name__)
    scope_texts = {scope: text for mount in simulator.mounts for scope, text in mount.document.scope_texts.items()}
    app.register_blueprint(oauth_blueprint(simulator.grants, simulator.faults, scope_texts))
    app.register_blueprint(control_blueprint(simulator))

    @app.get("/")
    def home() -> str:
        return _home(simulator)

    @app.post("/batch")
    @app.post("/batch/gmail/v1")
    @app.post("/batch/calendar/v3")
    def batch() -> Response:
        return to_response(
            answer_batch(
                request.headers.get("Content-Type", ""),
                request.headers.get("Authorization", ""),
                request.get_data(),
                simulator.gateway.answer_together,
            )
        )

    @app.route("/<path:_>", methods=_API_METHODS)
    def api(_: str) -> Response:
        raw_path, _, query = request.environ["REQUEST_URI"].partition("?")
        wire = WireRequest(
            request.method, raw_path, query, request.headers.get("Authorization", ""), request.get_data(cache=False)
        )
        return to_response(simulator.gateway.answer(wire))

    return app


def _home(simulator: Simulator) -> str:
    people = [
        (account.email, account.name, account.hosted_domain or "consumer account") for account in simulator.accounts
    ]
    tables = [
        table("Accounts", ("address", "name", "domain"), people),
        table("Consents", ("address", "project", "scopes"), simulator.grants.consents()),
    ]
    for mount in simulator.mounts:
        with mount.lock:
            tables += [table(part.title, part.columns, part.rows) for part in mount.service.tables()]
        used = [
            (
                user,
                use["units_last_minute"],
                use["units_total"],
                sum(use["calls"].values()),
                sum(use["refused"].values()),
            )
            for user, use in mount.quota.usage().items()
        ]
        limit = f"Quota of {mount.service.name}: {mount.service.quota.units_per_minute} units a minute and user"
        tables.append(table(limit, ("address", "last minute", "in all", "calls", "refused"), used))
    return page("Google, simulated", *tables)
