"""The simulated DocuSign's HTTP face: DocuSign's own paths, /control/ for tests, and / for people."""

from __future__ import annotations

from flask import Flask, Response, request
from markupsafe import Markup

from local.docusign.account_pages import account_blueprint
from local.docusign.api import api_blueprint
from local.docusign.control import control_blueprint
from local.docusign.errors import not_simulated
from local.docusign.signing_pages import signing_blueprint
from local.docusign.simulator import Simulator
from local.docusign.wire import respond
from local.google.html import page, table

_LAST = 40
"""Lines of a log that the page shows."""


def create_app(simulator: Simulator) -> Flask:
    """The WSGI application around one simulator; notices go out while `simulator.ticking()`."""
    app = Flask(__name__)
    app.register_blueprint(control_blueprint(simulator))
    app.register_blueprint(account_blueprint(simulator))
    app.register_blueprint(signing_blueprint(simulator))
    app.register_blueprint(api_blueprint(simulator))

    @app.get("/")
    def home() -> str:
        with simulator.lock:
            return _home(simulator)

    @app.route("/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def unknown(path: str) -> Response:
        error = not_simulated(f"{request.method} /{path}")
        return respond(error.status, error.body)

    return app


def _home(simulator: Simulator) -> str:
    """What happens comes first, what was set up comes last."""
    directory, envelopes = simulator.directory, list(simulator.envelopes)
    usage = simulator.limits.usage()
    signers = [
        (_short(envelope.envelope_id), one.order, one.role, one.name, one.email, one.status, one.declined_reason)
        for envelope in envelopes
        for one in envelope.recipients
    ]
    refused = table("Refused by limits", ("code", "times"), usage["refused"].items()) if usage["refused"] else Markup()
    return page(
        "DocuSign, simulated",
        table(
            "Envelopes",
            ("id", "subject", "status", "changed (UTC)", "void reason"),
            [
                (one.envelope_id, one.subject, one.status, _moment(one.changed_at.isoformat()), one.void_reason)
                for one in envelopes
            ],
        ),
        table("Signers", ("envelope", "order", "role", "name", "address", "status", "reason"), signers),
        table(
            "Mails with a link to sign",
            ("to", "envelope", "link"),
            [
                (mail["to"], _short(mail["envelope"]), Markup('<a href="/signing/{}">open</a>').format(mail["key"]))
                for mail in simulator.mails[-_LAST:]
            ],
        ),
        table(
            f"Connect: {len(simulator.connect.waiting)} notices wait",
            ("sent (UTC)", "envelope", "event", "happened", "attempt", "answer", "outcome"),
            [
                (_moment(line["at"]), _short(line["envelope"]), line["event"], _moment(line["happened"]),
                 line["attempt"], line["status"] or "none", line["outcome"])
                for line in simulator.connect.log[-_LAST:]
            ],
        ),
        refused,
        table(
            "Templates",
            ("id", "name", "roles"),
            [
                (one.template_id, one.name, ", ".join(role.name for role in one.roles))
                for one in directory.templates.values()
            ],
        ),
        table(
            "Accounts",
            ("id", "name", "site", "Connect keys", "calls this hour"),
            [
                (one.account_id, one.name, one.site, len(one.hmac_keys), usage["calls"].get(one.account_id, 0))
                for one in directory.accounts.values()
            ],
        ),
        table(
            "Users", ("id", "name", "address"), [(one.user_id, one.name, one.email) for one in directory.users.values()]
        ),
    )  # fmt: skip


def _short(envelope_id: str) -> str:
    """Enough of it to tell two apart on one page."""
    return envelope_id[:8]


def _moment(told: str) -> str:
    """The time of day of an ISO 8601 time, to the millisecond."""
    return told[11:23]
