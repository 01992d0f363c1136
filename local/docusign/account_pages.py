"""The account server on the wire: consent page, tokens and userinfo."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, redirect, request
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from local.docusign.accounts import Client, User
from local.docusign.errors import Json, OAuthError
from local.docusign.grants import SCOPES
from local.docusign.simulator import Simulator
from local.docusign.wire import perform
from local.google.html import page

_CARRIED = ("client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method")


class _PageError(Exception):
    """The page cannot be shown, and the browser must not be sent back to an address nobody registered."""


@dataclass(frozen=True, slots=True)
class _Wish:
    client: Client
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    challenge: str


def account_blueprint(simulator: Simulator) -> Blueprint:
    """The routes of account.docusign.com that the product uses."""
    routes = Blueprint("account", __name__)

    @routes.errorhandler(_PageError)
    def explain(problem: _PageError) -> tuple[str, int]:
        return page("DocuSign cannot continue", Markup("<p>{}</p>").format(str(problem))), 400

    @routes.get("/oauth/auth")
    def ask() -> str:
        with simulator.lock:
            wish = _wish(simulator, request.args)
            return _consent_page(wish, list(simulator.directory.users.values()), request.args.get("login_hint", ""))

    @routes.post("/oauth/auth")
    def decide() -> AnyResponse:
        with simulator.lock:
            wish = _wish(simulator, request.form)
            user = simulator.directory.users.get(request.form.get("user", ""))
            if user is None:
                raise _PageError("Choose one of the users on the page.")
            if request.form.get("decision") != "allow":
                return _back(wish, {"error": "access_denied", "error_message": "The user did not consent."})
            return _back(wish, {"code": simulator.grants.allow(wish.client, user, wish.scopes, wish.challenge)})

    @routes.post("/oauth/token")
    def token() -> Response:
        def work() -> tuple[int, Json]:
            with simulator.lock:
                return 200, simulator.grants.token(_client_form(), host=request.host)

        return perform(simulator.faults, "oauth.token", work, dict)

    @routes.post("/oauth/revoke")
    def revoke() -> Response:
        def work() -> tuple[int, None]:
            with simulator.lock:
                simulator.grants.revoke(_client_form())
                return 200, None

        return perform(simulator.faults, "oauth.revoke", work, dict)

    @routes.get("/oauth/userinfo")
    def userinfo() -> Response:
        def work() -> tuple[int, Json]:
            with simulator.lock:
                return 200, _userinfo(simulator)

        return perform(simulator.faults, "oauth.userinfo", work, dict)

    return routes


def _wish(simulator: Simulator, values: Mapping[str, str]) -> _Wish:
    client = simulator.directory.clients.get(values.get("client_id", ""))
    if client is None:
        raise _PageError("The client id provided is not registered with DocuSign.")
    redirect_uri = values.get("redirect_uri", "")
    if redirect_uri not in client.redirect_uris:
        raise _PageError("The redirect URI is not registered properly with DocuSign.")
    if values.get("response_type") != "code":
        raise _PageError("This server answers response_type=code.")
    scopes = tuple(values.get("scope", "").split())
    if not scopes or any(scope not in SCOPES for scope in scopes):
        raise _PageError(f"The scopes this server knows are {', '.join(SCOPES)}.")
    challenge = values.get("code_challenge", "")
    if challenge and values.get("code_challenge_method") != "S256":
        raise _PageError("This server checks code challenges with the method S256.")
    return _Wish(client, redirect_uri, scopes, values.get("state", ""), challenge)


def _consent_page(wish: _Wish, users: list[User], hint: str) -> str:
    hidden = [
        Markup('<input type="hidden" name="{}" value="{}">').format(name, request.args[name])
        for name in _CARRIED
        if name in request.args
    ]
    people = [
        Markup('<label><input type="radio" name="user" value="{}" required{}> {} <small>{}</small></label>').format(
            user.user_id, Markup(" checked") if user.email == hint or len(users) == 1 else "", user.name, user.email
        )
        for user in users
    ]
    wants = [Markup("<li>{}</li>").format(SCOPES[scope]) for scope in wish.scopes]
    form = Markup(
        '<form method="post" action="/oauth/auth">{}<fieldset><legend>User</legend>{}</fieldset>'
        "<p>{} wants to</p><ul>{}</ul>"
        '<button name="decision" value="allow">Allow Access</button>'
        '<button name="decision" value="deny" formnovalidate>Decline</button></form>'
        "<p><small>This page is simulated: nothing leaves this machine.</small></p>"
    ).format(Markup("").join(hidden), Markup("").join(people), wish.client.name, Markup("").join(wants))
    return page(f"Log in to DocuSign for {wish.client.name}", form)


def _back(wish: _Wish, answer: Mapping[str, str]) -> AnyResponse:
    parts = urlsplit(wish.redirect_uri)
    query = urlencode({**answer, **({"state": wish.state} if wish.state else {})})
    return redirect(urlunsplit(parts._replace(query=f"{parts.query}&{query}" if parts.query else query)))


def _client_form() -> Json:
    """The form, with the integration key and secret from HTTP Basic."""
    form: Json = dict(request.form.items())
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as wrong:
        raise OAuthError(401, "invalid_client") from wrong
    return {**form, "client_id": client_id, "client_secret": secret}


def _userinfo(simulator: Simulator) -> Json:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    bearer = simulator.grants.bearer(token) if scheme.lower() == "bearer" else None
    if bearer is None:
        raise OAuthError(401, "invalid_token")
    user = simulator.directory.users[bearer.user_id]
    accounts = [simulator.directory.accounts[account_id] for account_id in user.accounts]
    return {
        "sub": user.user_id,
        "name": user.name,
        "email": user.email,
        "created": "2026-01-05T09:00:00.45",
        "accounts": [
            {
                "account_id": account.account_id,
                "is_default": number == 0,
                "account_name": account.name,
                "base_uri": f"{request.host_url}{account.site}",
            }
            for number, account in enumerate(accounts)
        ],
    }
