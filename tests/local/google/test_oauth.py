"""Signing in with Google: the consent page a person uses, and the endpoints the product uses."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httplib2
import pytest
from google.auth.transport.requests import Request
from google.oauth2 import id_token

from tests.local.google.conftest import CLIENT, READ_MAIL, Google

ADA = "ada@acme.example"
READ_CALENDAR = "https://www.googleapis.com/auth/calendar.readonly"
EMAIL = "https://www.googleapis.com/auth/userinfo.email"
REDIRECT = CLIENT["redirect_uris"][0]
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
WISH = {
    "client_id": CLIENT["client_id"],
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "scope": f"openid email {READ_MAIL} {READ_CALENDAR}",
    "state": "s-1",
    "access_type": "offline",
    "prompt": "consent",
    "login_hint": ADA,
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


class Person:
    """A browser that follows no redirects, and the product's calls to the token endpoint."""

    def __init__(self, google: Google) -> None:
        self.root = google.root
        self.http = httplib2.Http()
        self.http.follow_redirects = False

    def opens(self, **changed: str) -> tuple[int, str]:
        answer, content = self.http.request(f"{self.root}o/oauth2/v2/auth?{urlencode({**WISH, **changed})}")
        return answer.status, answer.get("location", "") or content.decode()

    def decides(self, granted: list[str], decision: str = "allow", **changed: str) -> dict[str, str]:
        """Press a button of the page; returns what the redirect carries."""
        form = {**WISH, "user": ADA, "decision": decision, "granted": granted, **changed}
        answer, content = self.post("o/oauth2/v2/auth", form)
        assert answer.status == 302, content
        assert answer["location"].startswith(REDIRECT)
        return {name: values[0] for name, values in parse_qs(urlsplit(answer["location"]).query).items()}

    def post(self, path: str, form: dict[str, Any]) -> tuple[httplib2.Response, str]:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer, content = self.http.request(self.root + path, "POST", urlencode(form, doseq=True), kind)
        return answer, content.decode()

    def trades(self, code: str, **changed: str) -> tuple[int, dict[str, Any]]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
            "client_id": CLIENT["client_id"],
            "client_secret": CLIENT["client_secret"],
            **changed,
        }
        answer, content = self.post("token", form)
        return answer.status, json.loads(content)

    def refreshes(self, refresh_token: str, **changed: str) -> tuple[int, dict[str, Any]]:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.trades("", **form, **changed)

    def connects(self, granted: list[str] | None = None, **changed: str) -> dict[str, Any]:
        back = self.decides([READ_MAIL, READ_CALENDAR] if granted is None else granted, **changed)
        status, tokens = self.trades(back["code"])
        assert status == 200, tokens
        return tokens


@pytest.fixture
def person(google: Google) -> Person:
    return Person(google)


# ---------------------------------------------------------------------------------------------------- the consent page


def test_the_page_names_the_app_lists_scopes_to_tick_and_chooses_the_hinted_account(person: Person) -> None:
    status, page = person.opens()
    assert status == 200
    assert "Sign in to Throughline" in page
    assert re.findall(r'name="granted" value="([^"]+)"', page) == [READ_MAIL, READ_CALENDAR]
    assert f'value="{ADA}" required checked' in page
    assert "View your email messages and settings" in page


def test_allowing_brings_state_and_code_back(person: Person) -> None:
    back = person.decides([READ_MAIL])
    assert back["state"] == "s-1"
    assert back["code"]


def test_denying_brings_access_denied_back(person: Person) -> None:
    assert person.decides([READ_MAIL], decision="deny") == {"error": "access_denied", "state": "s-1"}


def test_an_unregistered_redirect_address_is_told_to_the_person_and_never_visited(person: Person) -> None:
    status, page = person.opens(redirect_uri=REDIRECT + "/")
    assert status == 400
    assert "redirect_uri_mismatch" in page


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"client_id": "nobody"}, "invalid_client"),
        ({"scope": "openid https://www.googleapis.com/auth/made.up"}, "invalid_scope"),
        ({"scope": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"prompt": "none"}, "not_simulated"),
    ],
)
def test_a_wrong_request_shows_googles_error_page(person: Person, wrong: dict[str, str], error: str) -> None:
    status, page = person.opens(**wrong)
    assert status >= 400
    assert error in page


def test_what_the_application_sends_is_escaped(person: Person) -> None:
    _, page = person.opens(state='"><script>alert(1)</script>')
    assert "<script>" not in page


def test_somebody_who_consented_before_is_sent_back_at_once_unless_asked_again(person: Person) -> None:
    person.connects()
    status, target = person.opens(prompt="")
    assert status == 302
    assert "code=" in target
    assert person.opens()[0] == 200


# ------------------------------------------------------------------------------------------------------------- tokens


def test_a_code_becomes_tokens_that_open_the_mailbox(google: Google, person: Person) -> None:
    tokens = person.connects()
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 3599
    assert set(tokens["scope"].split()) == {"openid", EMAIL, READ_MAIL, READ_CALENDAR}
    answer, _ = httplib2.Http().request(
        f"{google.root}gmail/v1/users/me/profile", headers={"Authorization": f"Bearer {tokens['access_token']}"}
    )
    assert answer.status == 200


def test_the_id_token_proves_who_signed_in(google: Google, person: Person) -> None:
    tokens = person.connects(nonce="n-1")
    claims = id_token.verify_token(
        tokens["id_token"],
        Request(),
        audience=str(CLIENT["client_id"]),
        certs_url=f"{google.root}oauth2/v1/certs",
    )
    assert claims["iss"] == "https://accounts.google.com"
    assert (claims["email"], claims["email_verified"], claims["hd"]) == (ADA, True, "acme.example")
    assert claims["nonce"] == "n-1"
    assert google.simulator.accounts.get(ADA).subject == claims["sub"]


def test_unticked_scopes_are_missing_from_the_grant(google: Google, person: Person) -> None:
    tokens = person.connects(granted=[READ_CALENDAR])
    assert READ_MAIL not in tokens["scope"]
    answer, content = httplib2.Http().request(
        f"{google.root}gmail/v1/users/me/profile", headers={"Authorization": f"Bearer {tokens['access_token']}"}
    )
    assert answer.status == 403
    assert b"insufficientPermissions" in content


def test_earlier_grants_are_included_when_asked_for(person: Person) -> None:
    person.connects(granted=[READ_MAIL])
    assert READ_MAIL not in person.connects(granted=[READ_CALENDAR])["scope"]
    assert READ_MAIL in person.connects(granted=[READ_CALENDAR], include_granted_scopes="true")["scope"]


@pytest.mark.parametrize(
    ("changed", "status", "error", "description"),
    [
        ({"code_verifier": "w" * 64}, 400, "invalid_grant", "Invalid code verifier."),
        ({"code_verifier": ""}, 400, "invalid_grant", "Missing code verifier."),
        ({"redirect_uri": REDIRECT + "x"}, 400, "redirect_uri_mismatch", "Bad Request"),
        ({"client_secret": "guessed"}, 401, "invalid_client", "Unauthorized"),
        ({"client_id": "nobody"}, 401, "invalid_client", "The OAuth client was not found."),
        ({"code": "4/0Amade-up"}, 400, "invalid_grant", "Malformed auth code."),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", "Invalid grant_type: password"),
    ],
)
def test_a_wrong_exchange_is_refused_in_googles_words(
    person: Person, changed: dict[str, str], status: int, error: str, description: str
) -> None:
    code = person.decides([READ_MAIL])["code"]
    form = {"code": code, **changed}
    assert person.trades(**form) == (status, {"error": error, "error_description": description})


def test_a_code_works_once_and_for_ten_minutes(google: Google, person: Person) -> None:
    code = person.decides([READ_MAIL])["code"]
    assert person.trades(code)[0] == 200
    assert person.trades(code)[1]["error"] == "invalid_grant"
    late = person.decides([READ_MAIL])["code"]
    google.control("clock", {"advance_s": 601})
    assert person.trades(late)[1]["error"] == "invalid_grant"


def test_a_refresh_token_comes_with_the_first_grant_and_then_only_on_renewed_consent(person: Person) -> None:
    assert "refresh_token" in person.connects(prompt="")
    assert "refresh_token" not in person.connects(prompt="")
    assert "refresh_token" in person.connects(prompt="consent")
    assert "refresh_token" not in person.connects(access_type="online")


def test_refreshing_gives_a_new_access_token_and_keeps_the_refresh_token(google: Google, person: Person) -> None:
    tokens = person.connects()
    google.control("clock", {"advance_s": 3600})
    status, fresh = person.refreshes(tokens["refresh_token"])
    assert status == 200
    assert fresh["access_token"] != tokens["access_token"]
    assert fresh["scope"] == tokens["scope"]
    assert "refresh_token" not in fresh


def test_the_hundred_and_first_refresh_token_ends_the_first(google: Google, person: Person) -> None:
    first = person.connects()["refresh_token"]
    for _ in range(99):
        google.token(ADA)
    assert person.refreshes(first)[0] == 200
    google.token(ADA)
    assert person.refreshes(first)[1]["error"] == "invalid_grant"


GONE = (400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})


def test_revoking_one_token_ends_every_grant_to_the_project(google: Google, person: Person) -> None:
    first, second = person.connects(), person.connects()
    answer, _ = person.post("revoke", {"token": first["access_token"]})
    assert answer.status == 200
    assert person.refreshes(second["refresh_token"]) == GONE
    answer, _ = httplib2.Http().request(
        f"{google.root}gmail/v1/users/me/profile", headers={"Authorization": f"Bearer {second['access_token']}"}
    )
    assert answer.status == 401
    answer, content = person.post("revoke", {"token": first["access_token"]})
    assert (answer.status, "invalid_token" in content) == (400, True)


def test_a_person_may_remove_the_access_in_their_account(google: Google, person: Person) -> None:
    tokens = person.connects()
    google.control("revoke", {"email": ADA})
    assert person.refreshes(tokens["refresh_token"]) == GONE


def test_a_changed_password_ends_gmail_grants_only(google: Google, person: Person) -> None:
    mail, calendar = person.connects(), person.connects(granted=[READ_CALENDAR])
    google.control("password", {"email": ADA})
    assert person.refreshes(mail["refresh_token"]) == GONE
    assert person.refreshes(calendar["refresh_token"])[0] == 200


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, {"error": "temporarily_unavailable"}),
        (400, {"error": "internal_failure"}),
        (429, {"error": "rate_limit_exceeded"}),
        (400, {"error": "invalid_grant", "error_description": "Bad Request"}),
    ],
)
def test_the_token_endpoint_can_be_told_to_fail(
    google: Google, person: Person, status: int, body: dict[str, str]
) -> None:
    tokens = person.connects()
    google.control("faults", {"method": "oauth.token.refresh", "status": status, "body": body})
    assert person.refreshes(tokens["refresh_token"]) == (status, body)
    assert person.refreshes(tokens["refresh_token"])[0] == 200
