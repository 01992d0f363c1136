"""Calls of Google's APIs over a real connection to a server that says what the test scripts."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading

import pytest

from shared.errors import (
    ConnectionRevokedError,
    CursorExpiredError,
    NotFoundError,
    ProviderUnavailableError,
    RateLimitedError,
)
from shared.providers.google.batch import ApiRequest
from shared.providers.google.http import GoogleHttp, Usage
from shared.providers.wire import Wire
from tests.fakes import FakeChance, FakeClock
from tests.providers.google.scripted import Reply, ScriptedServer, batch_of

UNAUTHORIZED = Reply(401, {"error": {"code": 401, "errors": [{"reason": "authError"}], "status": "UNAUTHENTICATED"}})
NOT_FOUND = Reply(404, {"error": {"code": 404, "errors": [{"reason": "notFound"}]}})
TOO_MANY = Reply(429, {"error": {"code": 429, "errors": [{"reason": "rateLimitExceeded"}]}})


class Tokens:
    """Hands out numbered tokens; a forced refresh gives the next one."""

    def __init__(self) -> None:
        self.number = 1

    def __call__(self, refresh: bool) -> str:
        self.number += refresh
        return f"token-{self.number}"


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def http(google: ScriptedServer, tokens: Tokens) -> GoogleHttp:
    return GoogleHttp(tokens, clock=FakeClock(), chance=FakeChance(), root_url=google.url)


def get_profile(http: GoogleHttp) -> ApiRequest:
    request: ApiRequest = http.gmail.users().getProfile(userId="me")
    return request


def get_messages(http: GoogleHttp, count: int) -> list[ApiRequest]:
    return [http.gmail.users().messages().get(userId="me", id=f"{number:x}") for number in range(count)]


def test_gmail_calendar_and_batches_all_go_to_the_configured_root(google: ScriptedServer, http: GoogleHttp) -> None:
    google.replies(Reply(), Reply(), batch_of(Reply()), batch_of(Reply()))
    http.call(get_profile(http))
    http.call(http.calendar.calendarList().list())
    http.batch(get_messages(http, 1))
    http.batch([http.calendar.calendars().get(calendarId="primary")])
    assert [asked.path for asked in google.asked] == [
        "/gmail/v1/users/me/profile",
        "/calendar/v3/users/me/calendarList",
        "/batch",
        "/batch/calendar/v3",
    ]


def test_without_a_root_calls_go_to_google() -> None:
    http = GoogleHttp(Tokens(), clock=FakeClock(), chance=FakeChance())
    assert get_profile(http).uri.startswith("https://gmail.googleapis.com/gmail/v1/")
    assert http.calendar.calendarList().list().uri.startswith("https://www.googleapis.com/calendar/v3/")


def test_a_call_the_product_does_not_make_does_not_exist(http: GoogleHttp) -> None:
    assert not hasattr(http.gmail.users().messages(), "send")
    assert not hasattr(http.calendar.events(), "delete")


def test_heavy_clients_are_not_loaded_before_the_first_call() -> None:
    heavy = {"googleapiclient", "httplib2", "urllib3", "google.auth", "cryptography", "nh3"}
    script = (
        f"import sys, shared.providers.google.gmail, shared.providers.google.oauth; print({heavy!r} & {{*sys.modules}})"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout == "set()\n"


def test_an_answer_without_content_is_an_empty_one(google: ScriptedServer, http: GoogleHttp) -> None:
    google.replies(Reply(204, b""))
    assert http.call(http.gmail.users().stop(userId="me")) == {}


# ------------------------------------------------------------------------------------------------------- refused tokens


def test_a_refused_token_is_refreshed_once_and_the_call_repeated(google: ScriptedServer, http: GoogleHttp) -> None:
    google.replies(UNAUTHORIZED, Reply(200, {"historyId": "7"}))
    assert http.call(get_profile(http)) == {"historyId": "7"}
    assert [asked.headers["authorization"] for asked in google.asked] == ["Bearer token-1", "Bearer token-2"]


def test_a_token_refused_after_its_refresh_is_googles_trouble(google: ScriptedServer, http: GoogleHttp) -> None:
    google.replies(UNAUTHORIZED, UNAUTHORIZED)
    with pytest.raises(ProviderUnavailableError):
        http.call(get_profile(http))
    assert len(google.asked) == 2


def test_a_gone_grant_is_told_by_the_token_and_passes_through(google: ScriptedServer) -> None:
    def token(refresh: bool) -> str:
        if refresh:
            raise ConnectionRevokedError("google.token.refresh answered 400 invalid_grant")
        return "stale"

    google.replies(UNAUTHORIZED)
    http = GoogleHttp(token, clock=FakeClock(), chance=FakeChance(), root_url=google.url)
    with pytest.raises(ConnectionRevokedError):
        http.call(get_profile(http))


# ----------------------------------------------------------------------------------------------------- nothing repeated


@pytest.mark.parametrize("reply", [TOO_MANY, Reply(503, b"<html>"), Reply(403, {}), Reply(302, {}, {"Location": "/"})])
def test_other_refusals_are_left_to_the_queue(google: ScriptedServer, http: GoogleHttp, reply: Reply) -> None:
    google.replies(reply, Reply())
    with pytest.raises((RateLimitedError, ProviderUnavailableError)):
        http.call(get_profile(http))
    assert len(google.asked) == 1


@pytest.mark.parametrize("lost", [Reply(hang_up=True), Reply(reset=True)], ids=["closed", "reset"])
@pytest.mark.parametrize("warm", [False, True], ids=["first call", "open connection"])
def test_a_lost_answer_is_not_asked_for_twice_and_the_next_call_works(
    google: ScriptedServer, http: GoogleHttp, lost: Reply, warm: bool
) -> None:
    if warm:
        google.replies(Reply())
        http.call(get_profile(http))
        google.asked.clear()
    google.replies(lost, Reply(200, {"historyId": "7"}))
    with pytest.raises(ProviderUnavailableError, match=r"gmail\.users\.getProfile was not answered"):
        http.call(get_profile(http))
    assert len(google.asked) == 1
    assert http.call(get_profile(http)) == {"historyId": "7"}


def test_silence_ends_at_the_timeout_and_the_next_call_works(google: ScriptedServer, tokens: Tokens) -> None:
    http = GoogleHttp(tokens, clock=FakeClock(), chance=FakeChance(), root_url=google.url, wire=Wire(0.2))
    google.replies(Reply(silent=True), Reply(200, {"historyId": "7"}))
    with pytest.raises(ProviderUnavailableError, match="TimeoutError"):
        http.call(get_profile(http))
    assert http.call(get_profile(http)) == {"historyId": "7"}


def test_nobody_listening_is_an_outage(google: ScriptedServer, http: GoogleHttp) -> None:
    google.stop()
    with pytest.raises(ProviderUnavailableError, match="NewConnectionError"):
        http.call(get_profile(http))


@pytest.mark.parametrize("body", [b'{"historyId": "7', b"<html>", b"[]"])
def test_a_garbled_success_is_an_outage(google: ScriptedServer, http: GoogleHttp, body: bytes) -> None:
    google.replies(Reply(200, body))
    with pytest.raises(ProviderUnavailableError, match="garbled"):
        http.call(get_profile(http))


def test_a_lost_cursor_is_told_from_a_lost_thing(google: ScriptedServer, http: GoogleHttp) -> None:
    google.replies(NOT_FOUND, NOT_FOUND)
    with pytest.raises(NotFoundError):
        http.call(get_profile(http))
    with pytest.raises(CursorExpiredError):
        http.call(get_profile(http), cursor_lost_on=frozenset({404}))


def test_search_words_and_bodies_stay_out_of_errors_and_logs(
    google: ScriptedServer, http: GoogleHttp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    google.replies(Reply(403, b"no mail for kim@customer.example"), Reply(hang_up=True))
    for _ in range(2):
        with pytest.raises(ProviderUnavailableError) as caught:
            http.call(http.gmail.users().messages().list(userId="me", q="from:kim@customer.example"))
        assert "customer" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert "customer" not in caplog.text


# -------------------------------------------------------------------------------------------------------------- batches


def test_a_batch_gives_each_its_own_result_in_order(google: ScriptedServer, http: GoogleHttp) -> None:
    google.replies(batch_of(Reply(200, {"id": "0"}), NOT_FOUND, TOO_MANY, None))
    found, gone, limited, unanswered = http.batch(get_messages(http, 4))
    assert found == {"id": "0"}
    assert isinstance(gone, NotFoundError)
    assert isinstance(limited, RateLimitedError)
    assert isinstance(unanswered, ProviderUnavailableError)


def test_25_calls_go_in_batches_of_10(google: ScriptedServer, http: GoogleHttp) -> None:
    google.replies(*(batch_of(*[Reply()] * size) for size in (10, 10, 5)))
    assert http.batch(get_messages(http, 25)) == [{}] * 25
    assert [asked.body.count(b"GET /gmail") for asked in google.asked] == [10, 10, 5]


def test_no_calls_are_no_batch(google: ScriptedServer, http: GoogleHttp) -> None:
    assert http.batch([]) == []
    assert google.asked == []


def test_refused_parts_alone_are_sent_again_with_a_new_token(google: ScriptedServer, http: GoogleHttp) -> None:
    google.replies(batch_of(Reply(200, {"id": "0"}), UNAUTHORIZED), batch_of(Reply(200, {"id": "1"})))
    assert http.batch(get_messages(http, 2)) == [{"id": "0"}, {"id": "1"}]
    assert google.asked[1].headers["authorization"] == "Bearer token-2"
    assert google.asked[1].body.count(b"GET /gmail") == 1


def test_a_refused_batch_raises(google: ScriptedServer, http: GoogleHttp) -> None:
    google.replies(TOO_MANY)
    with pytest.raises(RateLimitedError):
        http.batch(get_messages(http, 2))


# ------------------------------------------------------------------------------------------------------ usage, threads


def test_usage_counts_every_attempt_in_calls_and_units(google: ScriptedServer, tokens: Tokens) -> None:
    usage = Usage()
    http = GoogleHttp(tokens, clock=FakeClock(), chance=FakeChance(), root_url=google.url, usage=usage)
    google.replies(Reply(), Reply(503, {}), batch_of(*[Reply()] * 3))
    http.call(get_profile(http))
    with pytest.raises(ProviderUnavailableError):
        http.call(get_profile(http))
    http.batch(get_messages(http, 3))
    assert usage.calls == {"gmail.users.getProfile": 2, "gmail.users.messages.get": 3}
    assert usage.units == 2 * 1 + 3 * 20


def test_threads_share_it_without_mixing_answers(google: ScriptedServer, http: GoogleHttp) -> None:
    for number in range(4):
        google.always[f"/gmail/v1/users/me/messages/{number}"] = Reply(200, {"id": str(number)})
    wrong: list[object] = []

    def read(number: int) -> None:
        for _ in range(20):
            answer = http.call(http.gmail.users().messages().get(userId="me", id=str(number)))
            if answer != {"id": str(number)}:
                wrong.append(answer)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert http.usage.calls == {"gmail.users.messages.get": 80}
