"""The sign-in of the laptop cloud, over HTTP.

GET  /x509      public key as key id -> certificate, as googleapis.com/oauth2/v1/certs has it: OIDC_CERTS_URL and
               IDENTITY_CERTS_URL point here, so that the product verifies as in production, without PyJWT
GET  /certs     the same key as a JWK Set
GET  /signin    a page with one button per person of users.json; `return_to` (a loopback URL) is where they go next
POST /signin    `user_id` as JSON -> {"idToken", "expiresIn", "localId", "email"}, the words of Identity Platform's
                signInWithPassword; as a form -> the same token as cookie `__session`, and in the fragment of
                `return_to`, which stays in the browser
GET  /healthz   200 once serving
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, jsonify, render_template_string, request
from flask.typing import ResponseReturnValue

from local.identity.keys import TOKEN_LIFETIME_S, SigningKey
from local.identity.users import DemoUser, read_users

SESSION_COOKIE = "__session"

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in to Throughline</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 3rem auto; padding: 0 1rem; color: #1b1f24 }
button { font: inherit; width: 100%; text-align: left; padding: .75rem 1rem; margin: .25rem 0; cursor: pointer;
         border: 1px solid #c5ccd3; border-radius: .5rem; background: #fff }
button:hover, button:focus-visible { border-color: #0b57d0; outline: 2px solid #0b57d0 }
small { color: #57606a; display: block }
</style>
<main>
<h1>Sign in</h1>
{% if signed_in %}<p role="status">Signed in as {{ signed_in.name }}.</p>{% endif %}
{% if not users %}<p>Nobody is here yet: the sample data brings the people.</p>{% endif %}
<form method="post">
<input type="hidden" name="return_to" value="{{ return_to }}">
{% for user in users %}
<button name="user_id" value="{{ user.user_id }}">{{ user.name }}
<small>{{ user.email }} &middot; {{ user.role }} &middot; {{ user.tenant }}</small></button>
{% endfor %}
</form>
</main></html>
"""


def create_app(key: SigningKey, data: Path, *, project: str) -> Flask:
    """Return the app.

    Args:
        key: what signs; its public half is published.
        data: folder of users.json, read anew for each request.
        project: audience of user tokens, as Identity Platform's project id.
    """
    app = Flask("identity")

    @app.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return {"ok": True}

    @app.get("/certs")
    def certs() -> ResponseReturnValue:
        return _cached(jsonify(key.jwks()))

    @app.get("/x509")
    def x509() -> ResponseReturnValue:
        return _cached(jsonify(key.certs()))

    @app.get("/signin")
    def signin_page() -> ResponseReturnValue:
        return _page(data, request.args.get("return_to", ""))

    @app.post("/signin")
    def signin() -> ResponseReturnValue:
        posted = request.get_json() if request.is_json else request.form
        user = next((user for user in read_users(data) if user.user_id == posted.get("user_id")), None)
        if user is None:
            return {"error": {"code": 400, "message": "USER_NOT_FOUND"}}, 400
        token = key.mint_user_token(user.user_id, user.email, user.tenant, user.role, user.teams, project=project)
        if request.is_json:
            return {
                "idToken": token,
                "expiresIn": str(TOKEN_LIFETIME_S),
                "localId": user.user_id,
                "email": user.email,
            }
        return _signed_in(data, user, token, posted.get("return_to", ""))

    return app


def _signed_in(data: Path, user: DemoUser, token: str, return_to: str) -> Response:
    if _is_loopback(return_to):
        answer = Response(status=303)
        answer.location = f"{return_to}#{urlencode({'id_token': token})}"
    else:
        answer = Response(_page(data, "", user))
    answer.set_cookie(SESSION_COOKIE, token, max_age=TOKEN_LIFETIME_S, httponly=True, samesite="Lax")
    return answer


def _page(data: Path, return_to: str, signed_in: DemoUser | None = None) -> str:
    return render_template_string(_PAGE, users=read_users(data), return_to=return_to, signed_in=signed_in)


def _cached(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


def _is_loopback(url: str) -> bool:
    """Tokens go nowhere but back to this machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}
