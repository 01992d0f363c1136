"""Where a person signs: from the link in a mail, or from a one-use link an application asked for."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from local.docusign.envelopes import Envelope, Recipient
from local.docusign.errors import ApiError
from local.docusign.simulator import Seat, Simulator
from local.google.html import page, table

_SAID = {"sign": "signing_complete", "decline": "decline", "later": "cancel"}


def signing_blueprint(simulator: Simulator) -> Blueprint:
    """The routes of the signing pages."""
    routes = Blueprint("signing", __name__)

    @routes.get("/Signing/MTRedeem/v1")
    def enter() -> Response | str:
        with simulator.lock:
            entered = simulator.enter(request.args.get("t", ""))
        if entered is None:
            return page("This link was used already", Markup("<p>Ask for a new one.</p>"))
        seat, key = entered
        return redirect(f"/signing/{key}" if key else _back(seat, "ttl_expired"))

    @routes.get("/signing/<key>")
    def show(key: str) -> Response | str:
        with simulator.lock:
            found = simulator.seat(key)
            if found is None:
                return page("There is nothing to sign here", Markup("<p>The link is not known.</p>"))
            _, envelope, recipient = found
            try:
                simulator.envelopes.view(envelope, recipient)
            except ApiError:
                return page(envelope.subject, _state(envelope))
            return page(envelope.subject, _state(envelope), _form(key, envelope, recipient))

    @routes.post("/signing/<key>")
    def decide(key: str) -> Response | str:
        with simulator.lock:
            found = simulator.seat(key)
            if found is None:
                return page("There is nothing to sign here", Markup("<p>The link is not known.</p>"))
            seat, envelope, recipient = found
            action = request.form.get("action", "")
            try:
                if action == "sign":
                    simulator.envelopes.sign(envelope, recipient)
                elif action == "decline":
                    simulator.envelopes.decline(envelope, recipient, request.form.get("reason") or "No reason given")
            except ApiError as refusal:
                return page("That is not possible", Markup("<p>{}</p>").format(refusal.body["message"]))
            return redirect(_back(seat, _SAID.get(action, "cancel")) if seat.return_url else f"/signing/{key}")

    return routes


def _back(seat: Seat, event: str) -> str:
    joint = "&" if "?" in seat.return_url else "?"
    return f"{seat.return_url}{joint}{urlencode({'event': event})}"


def _state(envelope: Envelope) -> Markup:
    rows = [(one.order, one.name, one.email, one.role, one.status) for one in envelope.recipients]
    return table(f"This envelope is {envelope.status}", ("order", "name", "address", "role", "status"), rows)


def _form(key: str, envelope: Envelope, recipient: Recipient) -> Markup:
    lines = [line for document in envelope.documents for line in (document.name, *document.lines)]
    fields = [(label, value) for one in envelope.recipients for label, value in one.tabs.items()]
    return Markup(
        "{}{}<form method='post' action='/signing/{}'><p>You sign as {} ({}).</p>"
        "<button name='action' value='sign'>Sign</button> <button name='action' value='later'>Later</button>"
        "<fieldset><legend>Or refuse</legend><label>Why <input name='reason'></label>"
        "<button name='action' value='decline'>Decline to sign</button></fieldset></form>"
    ).format(
        Markup("").join(Markup("<p>{}</p>").format(line) for line in lines),
        table("Fields", ("label", "text"), fields),
        key,
        recipient.name,
        recipient.role,
    )
