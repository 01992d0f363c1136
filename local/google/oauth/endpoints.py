"""The authorization server on the wire: consent page, token, revocation and key endpoints.

Source: developers.google.com/identity/protocols/oauth2/web-server and .../resources/granular-permissions.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, jsonify, request
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from local.google.accounts import Account
from local.google.errors import Json
from local.google.faults import Faults
from local.google.gateway import Answer, refused
from local.google.html import page
from local.google.oauth.grants import SIGN_IN_SCOPES, Client, Grants, OAuthError, Wish
from local.google.wire import to_response

AUTH_PATH = "/o/oauth2/v2/auth"
_CARRIED = (
    "client_id", "redirect_uri", "response_type", "scope", "state", "access_type", "prompt", "nonce",
    "include_granted_scopes", "code_challenge", "code_challenge_method",
)  # fmt: skip


class _PageError(Exception):
    """The consent page cannot be shown, and the browser must not be sent back to a place nobody registered."""

    def __init__(self, status: int, error: str, sentence: str) -> None:
        super().__init__(error)
        self.status, self.error, self.sentence = status, error, sentence


def oauth_blueprint(grants: Grants, faults: Faults, scope_texts: Mapping[str, str]) -> Blueprint:
    """Return the routes of accounts.google.com and oauth2.googleapis.com that the product uses.

    Args:
        scope_texts: every scope that may be asked for, and what it allows in Google's words.
    """
    routes = Blueprint("oauth", __name__)

    @routes.errorhandler(_PageError)
    def show_error(problem: _PageError) -> tuple[str, int]:
        title = f"Access blocked: error {problem.status}: {problem.error}"
        return page(title, Markup("<p>{}</p>").format(problem.sentence)), problem.status

    @routes.get(AUTH_PATH)
    def ask() -> Response | str:
        wish = _wish(request.args, grants, scope_texts)
        hinted = grants.accounts.find(request.args.get("login_hint"))
        wants_page = wish.prompt_consent or "select_account" in request.args.get("prompt", "").split()
        if hinted and not wants_page and grants.consented(wish, hinted):
            return _back(wish, {"code": grants.allow(wish, hinted, wish.scopes), "scope": " ".join(wish.scopes)})
        return _consent_page(wish, list(grants.accounts), hinted, scope_texts)

    @routes.post(AUTH_PATH)
    def decide() -> Response:
        wish = _wish(request.form, grants, scope_texts)
        account = grants.accounts.find(request.form.get("user"))
        if account is None:
            raise _PageError(400, "invalid_request", "Choose one of the accounts on the page.")
        ticked = {*SIGN_IN_SCOPES.values(), *request.form.getlist("granted")} if _tickable(wish) else {*wish.scopes}
        given = [scope for scope in wish.scopes if scope in ticked]
        if request.form.get("decision") != "allow" or not given:
            return _back(wish, {"error": "access_denied"})
        return _back(wish, {"code": grants.allow(wish, account, given), "scope": " ".join(given)})

    @routes.post("/token")
    def token() -> Response:
        form = _client_form()
        kinds: dict[str, tuple[str, Callable[[Json], Json]]] = {
            "authorization_code": ("oauth.token.exchange", grants.exchange),
            "refresh_token": ("oauth.token.refresh", grants.refresh),
        }
        kind = str(form.get("grant_type", ""))
        if kind not in kinds:
            return _oauth_error(OAuthError(400, "unsupported_grant_type", f"Invalid grant_type: {kind}"))
        name, answer = kinds[kind]
        return _with_fault(faults, name, lambda: answer(form))

    @routes.post("/revoke")
    def revoke() -> Response:
        def work() -> Json:
            grants.revoke(request.values.get("token", ""))
            return {}

        return _with_fault(faults, "oauth.revoke", work)

    @routes.get("/oauth2/v3/certs")
    def keys() -> Response:
        return jsonify(grants.signing.jwks())

    @routes.get("/oauth2/v1/certs")
    def certificates() -> Response:
        return jsonify(grants.signing.certs())

    return routes


def _wish(values: MultiDict[str, str], grants: Grants, scope_texts: Mapping[str, str]) -> Wish:
    client = grants.clients.get(values.get("client_id", ""))
    if client is None:
        raise _PageError(401, "invalid_client", "The OAuth client was not found.")
    redirect_uri = _registered(values.get("redirect_uri", ""), client)
    if values.get("response_type") != "code":
        raise _PageError(400, "unsupported_response_type", "This server answers response_type=code.")
    scopes = [SIGN_IN_SCOPES.get(scope, scope) for scope in values.get("scope", "").split()]
    if not scopes:
        raise _PageError(400, "invalid_request", "Missing required parameter: scope")
    known = {*scope_texts, *SIGN_IN_SCOPES.values()}
    if unknown := [scope for scope in scopes if scope not in known]:
        raise _PageError(400, "invalid_scope", f"Some requested scopes were invalid: {', '.join(unknown)}")
    if "none" in values.get("prompt", "").split():
        raise _PageError(501, "not_simulated", "The simulator does not know prompt=none.")
    challenge = values.get("code_challenge", "")
    if challenge and values.get("code_challenge_method", "plain") != "S256":
        raise _PageError(400, "invalid_request", "This server checks code challenges with the method S256.")
    return Wish(
        client=client,
        redirect_uri=redirect_uri,
        scopes=tuple(dict.fromkeys(scopes)),
        state=values.get("state", ""),
        challenge=challenge,
        nonce=values.get("nonce", ""),
        offline=values.get("access_type") == "offline",
        prompt_consent="consent" in values.get("prompt", "").split(),
        include_granted=values.get("include_granted_scopes") == "true",
    )


def _registered(redirect_uri: str, client: Client) -> str:
    if redirect_uri not in client.redirect_uris:
        raise _PageError(
            400,
            "redirect_uri_mismatch",
            f"You can't sign in to this app because it doesn't comply with Google's OAuth 2.0 policy: register the "
            f"redirect URI {redirect_uri} for this client.",
        )
    return redirect_uri


def _tickable(wish: Wish) -> bool:
    """Google shows checkboxes as soon as two things are asked for, of which sign-in counts as one."""
    return len(wish.scopes) > 1


def _consent_page(wish: Wish, accounts: list[Account], hinted: Account | None, scope_texts: Mapping[str, str]) -> str:
    hidden = [
        Markup('<input type="hidden" name="{}" value="{}">').format(name, request.args[name])
        for name in _CARRIED
        if name in request.args
    ]
    people = [
        Markup('<label><input type="radio" name="user" value="{}" required{}> {} <small>{}</small></label>').format(
            account.email,
            Markup(" checked") if account is hinted or len(accounts) == 1 else "",
            account.name,
            account.email,
        )
        for account in accounts
    ]
    boxes = [
        Markup(
            '<label><input type="checkbox" name="granted" value="{}" checked{}> {} <small>{}</small></label>'
        ).format(scope, "" if _tickable(wish) else Markup(" disabled"), scope_texts.get(scope, scope), scope)
        for scope in wish.scopes
        if scope not in SIGN_IN_SCOPES.values()
    ]
    form = Markup(
        '<form method="post" action="{}">{}<fieldset><legend>Account</legend>{}</fieldset>'
        "<fieldset><legend>{} wants to</legend>{}</fieldset>"
        '<button name="decision" value="allow">Allow</button>'
        '<button name="decision" value="deny" formnovalidate>Deny</button></form>'
        "<p><small>This page is simulated: nothing leaves this machine.</small></p>"
    ).format(AUTH_PATH, Markup("").join(hidden), Markup("").join(people), wish.client.name, Markup("").join(boxes))
    return page(f"Sign in to {wish.client.name}", form)


def _back(wish: Wish, answer: Mapping[str, str]) -> Response:
    parts = urlsplit(wish.redirect_uri)
    query = urlencode({**({"state": wish.state} if wish.state else {}), **answer})
    target = urlunsplit(parts._replace(query=f"{parts.query}&{query}" if parts.query else query))
    return to_response(Answer(302, b"", {"Location": target}))


def _client_form() -> Json:
    """The form, with the client's id and secret taken from HTTP Basic where they were sent that way."""
    form: Json = dict(request.form.items())
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
        form = {"client_id": client_id, "client_secret": secret, **form}
    return form


def _with_fault(faults: Faults, name: str, work: Callable[[], Json]) -> Response:
    fault = faults.take(name, None)
    if fault and fault.delay_s:
        time.sleep(fault.delay_s)
    if fault and fault.status is not None:
        return to_response(refused(fault))
    try:
        body = work()
    except OAuthError as error:
        return _oauth_error(error)
    return to_response(Answer(0, b"", lost=True) if fault and fault.reply_lost else Answer.of(200, body))


def _oauth_error(error: OAuthError) -> Response:
    return to_response(Answer.of(error.status, error.body))
