"""Connecting a company, and keeping and ending the connection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from http.client import HTTPConnection
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from shared.errors import (
    AdminActionError,
    ConnectionRevokedError,
    InputError,
    ProviderUnavailableError,
    RateLimitedError,
)
from shared.ports.oauth import Authorization
from shared.providers.quickbooks.manifest import MANIFEST, SCOPES, Endpoints
from shared.providers.quickbooks.oauth import (
    ConsentAnswer,
    OAuthClient,
    QuickBooksAuthorization,
    read_consent_answer,
)
from tests.fakes import START, FakeClock
from tests.providers.google.scripted import Reply, ScriptedServer
from tests.providers.quickbooks.world import CLIENT, REALM, World


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    scripted = ScriptedServer()
    yield scripted
    scripted.stop()


def at(server: ScriptedServer) -> QuickBooksAuthorization:
    endpoints = Endpoints.under(server.url)
    return QuickBooksAuthorization(CLIENT, clock=FakeClock(), on_call=lambda _: None, endpoints=endpoints)


def consent(world: World, decision: str = "connect") -> ConsentAnswer:
    """Do what a person does on Intuit's page; return what the browser comes back with."""
    asked = urlsplit(world.authorization.url(state="s1", verifier="v" * 43, login_hint=None))
    fields = {name: values[0] for name, values in parse_qs(asked.query).items()}
    connection = HTTPConnection(asked.netloc)
    connection.request("GET", f"{asked.path}?{asked.query}")
    assert b"Example Books" in connection.getresponse().read()
    form = urlencode({**fields, "realm_id": REALM, "decision": decision})
    connection.request("POST", asked.path, form, {"content-type": "application/x-www-form-urlencoded"})
    location = urlsplit(connection.getresponse().headers["Location"])
    connection.close()
    assert f"{location.scheme}://{location.netloc}{location.path}" == CLIENT.redirect_uri
    return read_consent_answer({name: values[0] for name, values in parse_qs(location.query).items()})


def test_a_person_connects_the_company_they_chose(world: World) -> None:
    answer = consent(world)
    assert (answer.state, answer.account_id) == ("s1", REALM)

    grant = world.authorization.exchange(code=answer.code, verifier="", account_id=answer.account_id)
    assert (grant.account_id, grant.scopes) == (REALM, frozenset(SCOPES))
    assert grant.refresh_token
    assert grant.expires_at == world.clock.now() + timedelta(hours=1)
    assert grant.idle_end_at == world.clock.now() + timedelta(days=100)
    assert grant.hard_end_at == world.clock.now() + timedelta(days=5 * 365)


def test_the_adapter_is_an_authorization(world: World) -> None:
    authorization: Authorization = world.authorization
    assert "com.intuit.quickbooks.accounting" in authorization.url(state="s", verifier="v", login_hint=None)


def test_a_code_works_once(world: World) -> None:
    answer = consent(world)
    world.authorization.exchange(code=answer.code, verifier="", account_id=REALM)
    with pytest.raises(InputError, match="used already"):
        world.authorization.exchange(code=answer.code, verifier="", account_id=REALM)


def test_a_redirect_without_its_company_is_not_exchanged(world: World) -> None:
    with pytest.raises(InputError, match="which company"):
        world.authorization.exchange(code="c", verifier="")
    assert world.purposes() == []


def test_a_person_who_declines_is_told_to_start_again(world: World) -> None:
    with pytest.raises(InputError, match="did not allow"):
        consent(world, decision="cancel")


@pytest.mark.parametrize("arguments", [{}, {"state": "s", "code": "c"}, {"state": "s", "code": "c", "realmId": "../x"}])
def test_an_incomplete_redirect_is_refused(arguments: dict[str, str]) -> None:
    with pytest.raises(InputError, match="not complete"):
        read_consent_answer(arguments)


def test_every_refresh_brings_the_value_to_store(world: World) -> None:
    first = world.authorization.refresh(world.tokens["refresh_token"])
    second = world.authorization.refresh(str(first.refresh_token))
    assert len({world.tokens["refresh_token"], first.refresh_token, second.refresh_token}) == 3
    assert second.hard_end_at is not None
    assert second.idle_end_at is not None


def test_a_value_that_did_not_change_is_returned_all_the_same(world: World) -> None:
    world.control("rotation", rotate_after_s=86400)
    assert world.authorization.refresh(world.tokens["refresh_token"]).refresh_token == world.tokens["refresh_token"]


def test_two_refreshers_with_one_value_lose_the_connection(world: World) -> None:
    winner = world.authorization.refresh(world.tokens["refresh_token"])
    with pytest.raises(ConnectionRevokedError):
        world.authorization.refresh(world.tokens["refresh_token"])
    with pytest.raises(ConnectionRevokedError):
        world.authorization.refresh(str(winner.refresh_token))


def test_a_hundred_idle_days_end_it(world: World) -> None:
    world.control("clock", advance_s=101 * 86400)
    with pytest.raises(ConnectionRevokedError):
        world.authorization.refresh(world.tokens["refresh_token"])


def test_revoking_ends_it_and_may_be_repeated(world: World) -> None:
    world.authorization.revoke(world.tokens["refresh_token"])
    world.authorization.revoke(world.tokens["refresh_token"])
    with pytest.raises(ConnectionRevokedError):
        world.authorization.refresh(world.tokens["refresh_token"])


def test_wrong_keys_are_the_administrators_matter(world: World) -> None:
    stranger = OAuthClient(CLIENT.client_id, "wrong", CLIENT.redirect_uri)
    endpoints = Endpoints.under(world.url)
    authorization = QuickBooksAuthorization(
        stranger, clock=world.clock, on_call=world.calls.append, endpoints=endpoints
    )
    with pytest.raises(AdminActionError) as refused:
        authorization.refresh(world.tokens["refresh_token"])
    assert refused.value.reason == "client_invalid"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(429, {}), RateLimitedError),
        (Reply(503, b"<html>no</html>"), ProviderUnavailableError),
        (Reply(400, {"error": "something_new"}), ProviderUnavailableError),
        (Reply(400, b"<html>no</html>"), ProviderUnavailableError),
        (Reply(200, b"<html>no</html>"), ProviderUnavailableError),
        (Reply(200, {"access_token": "a"}), ProviderUnavailableError),
        (Reply(hang_up=True), ProviderUnavailableError),
        (Reply(400, {"error": "invalid_grant"}), ConnectionRevokedError),
    ],
)
def test_only_invalid_grant_says_that_the_connection_is_gone(
    server: ScriptedServer, reply: Reply, error: type[Exception]
) -> None:
    server.replies(reply)
    with pytest.raises(error):
        at(server).refresh("r1")


def test_the_token_request_asks_for_the_hard_end_and_signs_in_with_the_secret(server: ScriptedServer) -> None:
    server.replies(Reply(200, {"access_token": "a", "refresh_token": "r2", "expires_in": 3600}))
    token = at(server).refresh("r1")
    asked = server.asked[0]
    assert asked.headers["x-include-refresh-token-hard-expires-in"] == "true"
    assert asked.headers["authorization"] == "Basic dGhyb3VnaGxpbmUuZXhhbXBsZTpodXNo"
    assert asked.form == {"grant_type": "refresh_token", "refresh_token": "r1"}
    assert (token.expires_at, token.hard_end_at) == (START + timedelta(hours=1), None)
    assert "r2" not in repr(token)


def test_calls_of_the_authorization_server_are_recorded(world: World) -> None:
    world.authorization.refresh(world.tokens["refresh_token"])
    world.authorization.revoke("unknown")
    assert [(call.purpose, call.result) for call in world.calls] == [
        ("token.refreshed", "ok"),
        ("grant.revoked", "invalid_request"),
    ]
    assert all(call.trace_id for call in world.calls)


def test_the_manifest_names_each_problem_once() -> None:
    codes = [code for problem in MANIFEST.errors for code in problem.codes]
    assert len(codes) == len(set(codes))
    assert len({problem.id for problem in MANIFEST.errors}) == len(MANIFEST.errors)
    assert MANIFEST.sandbox.api != MANIFEST.endpoints.api
