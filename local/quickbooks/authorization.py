"""Intuit's authorization server on the wire: the page where a person chooses a company, tokens, revocation."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from markupsafe import Markup

from local.google.html import page
from local.google.wire import hang_up
from local.quickbooks.errors import Json
from local.quickbooks.faults import HTML
from local.quickbooks.grants import SCOPE, Client, OAuthError
from local.quickbooks.simulator import Simulator
from shared.providers import exact_json

CONSENT_PATH = "/connect/oauth2"


def oauth_blueprint(simulator: Simulator) -> Blueprint:
    """Return the routes of appcenter.intuit.com, oauth.platform.intuit.com and developer.api.intuit.com."""
    routes = Blueprint("oauth", __name__)

    @routes.errorhandler(OAuthError)
    def explain(error: OAuthError) -> Response:
        return _answer(simulator, error.status, error.body)

    @routes.get(CONSENT_PATH)
    def ask() -> str:
        client = _asking_client(simulator)
        return _page(simulator, client)

    @routes.post(CONSENT_PATH)
    def decide() -> Response:
        client = _asking_client(simulator)
        state, redirect_uri = request.values.get("state", ""), request.values["redirect_uri"]
        realm_id = request.values.get("realm_id", "")
        if request.values.get("decision") != "connect" or realm_id not in simulator.companies:
            return _redirect(redirect_uri, {"error": "access_denied", "state": state})
        with simulator.lock:
            code = simulator.grants.allow(client, realm_id, redirect_uri)
        return _redirect(redirect_uri, {"code": code, "state": state, "realmId": realm_id})

    @routes.post("/oauth2/v1/tokens/bearer")
    def token() -> Response:
        client, form = _authenticated(simulator), dict(request.form.items())
        hard_end = request.headers.get("x-include-refresh-token-hard-expires-in") == "true"
        if form.get("grant_type") == "authorization_code":
            return _worked(simulator, "exchange", lambda: simulator.grants.exchange(form, client, hard_end=hard_end))
        if form.get("grant_type") == "refresh_token":
            return _worked(simulator, "refresh", lambda: simulator.grants.refresh(form, client, hard_end=hard_end))
        raise OAuthError(400, "unsupported_grant_type", f"grant_type {form.get('grant_type')}")

    @routes.post("/v2/oauth2/tokens/revoke")
    def revoke() -> Response:
        _authenticated(simulator)
        token = str((request.get_json(silent=True) or {}).get("token"))

        def work() -> Json:
            simulator.grants.revoke(token)
            return {}

        return _worked(simulator, "revoke", work)

    return routes


def _asking_client(simulator: Simulator) -> Client:
    """The client of the authorization request. The browser is sent to registered places only."""
    client = simulator.grants.clients.get(request.values.get("client_id", ""))
    if client is None or request.values.get("redirect_uri") not in client.redirect_uris:
        raise OAuthError(400, "invalid_redirect_uri", "The client or its redirect_uri is not registered.")
    if request.values.get("response_type") != "code" or request.values.get("scope") != SCOPE:
        raise OAuthError(400, "invalid_scope", f"This server knows response_type=code and the scope {SCOPE}.")
    if not request.values.get("state"):
        raise OAuthError(400, "invalid_request", "state is missing")
    return client


def _authenticated(simulator: Simulator) -> Client:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        client_id, secret = "", ""
    client = simulator.grants.clients.get(client_id)
    if scheme != "Basic" or client is None or secret != client.client_secret:
        raise OAuthError(401, "invalid_client", "The client could not be authenticated.")
    return client


def _worked(simulator: Simulator, name: str, work: Callable[[], Json]) -> Response:
    fault = simulator.faults.take(f"oauth.{name}", None)
    if fault and fault.delay_s:
        time.sleep(fault.delay_s)
    if fault and fault.html:
        return Response(HTML, fault.status or 503, {"Content-Type": "text/html"})
    if fault and fault.status is not None:
        return _answer(simulator, fault.status, fault.body or {})
    with simulator.lock:
        simulator.calls[f"oauth.{name}"] = simulator.calls.get(f"oauth.{name}", 0) + 1
        body = work()
    if fault and fault.reply_lost:
        hang_up()
    return _answer(simulator, 200, body)


def _answer(simulator: Simulator, status: int, body: Json) -> Response:
    headers = {"Content-Type": "application/json", "intuit_tid": f"1-{simulator.new_token()[:24]}"}
    return Response(exact_json.dumps(body), status, headers)


def _redirect(uri: str, answer: Json) -> Response:
    return Response(status=302, headers={"Location": f"{uri}{'&' if '?' in uri else '?'}{urlencode(answer)}"})


def _page(simulator: Simulator, client: Client) -> str:
    carried = ("client_id", "redirect_uri", "response_type", "scope", "state")
    hidden = [
        Markup('<input type="hidden" name="{}" value="{}">').format(name, request.values.get(name, ""))
        for name in carried
    ]
    companies = [
        Markup('<label><input type="radio" name="realm_id" value="{}" required> {} <small>{}</small></label>').format(
            realm_id, books.settings.name, realm_id
        )
        for realm_id, books in simulator.companies.items()
    ]
    form = Markup(
        '<form method="post" action="{}">{}<fieldset><legend>Company</legend>{}</fieldset>'
        '<button name="decision" value="connect">Connect</button>'
        '<button name="decision" value="cancel" formnovalidate>No, thanks</button></form>'
        "<p><small>This page is simulated: nothing leaves this machine.</small></p>"
    ).format(CONSENT_PATH, Markup("").join(hidden), Markup("").join(companies))
    return page(f"Connect {client.name} to QuickBooks", form)
