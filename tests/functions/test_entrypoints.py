"""What each caller is told for each outcome, with the caller's proof checked first."""

from __future__ import annotations

import base64
import json
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask, Request, Response

import shared
from shared import log
from shared.entrypoints import (
    Endpoint,
    Push,
    ScheduleCall,
    TaskCall,
    http_endpoint,
    push_endpoint,
    schedule_endpoint,
    task_endpoint,
    webhook_endpoint,
)
from shared.errors import (
    AdminActionError,
    ConnectionRevokedError,
    ContendedError,
    CursorExpiredError,
    ForbiddenError,
    InputError,
    NotFoundError,
    PayloadError,
    ProofError,
    ProviderUnavailableError,
    RateLimitedError,
    StaleWriteError,
    TooLargeError,
)
from shared.platform.identity import ServiceCaller
from tests.fakes import START, FakeClock, FakeTasks

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
RESUME_AT = START + timedelta(minutes=7)


@dataclass
class Parked:
    kind: str
    key: str
    reason: str
    ids: Mapping[str, str]


@dataclass
class FakeWiring:
    """Stands in for shared.wiring. Tokens are "good for <audience>"."""

    queues: FakeTasks = field(default_factory=FakeTasks)
    parked: list[Parked] = field(default_factory=list)
    quarantine_down: bool = False

    def service_tokens(self) -> FakeWiring:
        return self

    def verify(self, bearer: str | None, audience: str) -> ServiceCaller:
        if bearer != f"good-for-{audience}":
            raise ProofError("wrong token")
        return ServiceCaller("functions@crm.iam.example")

    def function_url(self, name: str) -> str:
        return f"https://crm.example/{name}"

    def tasks(self) -> FakeTasks:
        return self.queues

    def clock(self) -> FakeClock:
        return FakeClock()

    def park(self, kind: str, key: str, reason: str, ids: Mapping[str, str]) -> None:
        if self.quarantine_down:
            raise ProviderUnavailableError("the quarantine is down")
        self.parked.append(Parked(kind, key, reason, dict(ids)))


@pytest.fixture
def wiring(monkeypatch: pytest.MonkeyPatch) -> FakeWiring:
    fake = FakeWiring()
    monkeypatch.setitem(sys.modules, "shared.wiring", fake)
    monkeypatch.setattr(shared, "wiring", fake, raising=False)
    return fake


def call(endpoint: Endpoint, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Response:
    from flask import request

    with Flask("test").test_request_context("/", method="POST", data=body, headers=dict(headers or {})):
        return endpoint(request)


def failing(error: Exception) -> Callable[[Any], None]:
    def worker(_: object) -> None:
        raise error

    return worker


def problem(response: Response) -> dict[str, Any]:
    assert response.mimetype == "application/problem+json"
    found: dict[str, Any] = json.loads(response.get_data())
    return found


# -------------------------------------------------------------------------------------------------------------- http


def test_a_person_gets_their_data() -> None:
    @http_endpoint
    def page(request: Request) -> dict[str, int]:
        return {"answer": 42}

    response = call(page)
    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert json.loads(response.get_data()) == {"answer": 42}


def test_a_person_gets_nothing_or_a_response_made_for_them() -> None:
    assert call(http_endpoint(lambda _: None)).status_code == 204
    assert call(http_endpoint(lambda _: Response(status=302))).status_code == 302


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InputError("Give a day that is not in the future."), 400, "input"),
        (PayloadError("m1"), 400, "unreadable"),
        (ProofError("m1"), 401, "sign-in"),
        (ForbiddenError("m1"), 403, "forbidden"),
        (NotFoundError("m1"), 404, "not-found"),
        (ConnectionRevokedError("m1"), 409, "reconnect"),
        (AdminActionError("m1", reason="api-disabled"), 409, "api-disabled"),
        (CursorExpiredError("m1"), 409, "conflict"),
        (TooLargeError("m1"), 413, "too-large"),
        (ContendedError("m1"), 503, "again"),
        (ValueError("m1"), 500, "failed"),
        (StaleWriteError("m1"), 500, "failed"),
    ],
)
def test_a_person_gets_a_problem_they_can_read(error: Exception, status: int, code: str) -> None:
    response = call(http_endpoint(failing(error)))
    found = problem(response)
    assert (response.status_code, found["status"], found["code"]) == (status, status, code)
    assert found["title"]
    assert found["detail"].endswith(".")
    assert "m1" not in json.dumps(found)


def test_the_words_of_a_wrong_input_reach_its_person() -> None:
    response = call(http_endpoint(failing(InputError("Give a day that is not in the future."))))
    assert problem(response)["detail"] == "Give a day that is not in the future."


def test_a_person_is_told_when_to_come_again() -> None:
    assert call(http_endpoint(failing(ContendedError("m1")))).headers["Retry-After"] == "10"
    limited = call(http_endpoint(failing(RateLimitedError("m1", resume_at=RESUME_AT))))
    assert limited.headers["Retry-After"] == "Mon, 02 Mar 2026 09:07:00 GMT"


# ----------------------------------------------------------------------------------------------------------- webhook


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ProofError("no signature"), 401),
        (TooLargeError("30 MB"), 413),
        (ProviderUnavailableError("down"), 503),
        (PayloadError("no envelope"), 202),
        (NotFoundError("no contract"), 202),
        (KeyError("bug"), 500),
        (StaleWriteError("bug"), 500),
    ],
)
def test_a_vendor_is_told_what_became_of_its_delivery(wiring: FakeWiring, error: Exception, status: int) -> None:
    response = call(webhook_endpoint(failing(error)), b"payload")
    assert response.status_code == status
    assert response.get_data() == b""
    assert len(wiring.parked) == (1 if status == 202 else 0)
    assert ("Retry-After" in response.headers) == (status == 503)


def test_a_vendor_hears_204_or_what_its_handshake_needs(wiring: FakeWiring) -> None:
    assert call(webhook_endpoint(lambda _: None)).status_code == 204
    assert call(webhook_endpoint(lambda _: Response("challenge"))).get_data() == b"challenge"


def test_the_same_unreadable_delivery_is_parked_under_one_key(wiring: FakeWiring) -> None:
    endpoint = webhook_endpoint(failing(PayloadError("no envelope")))
    call(endpoint, b"one")
    call(endpoint, b"one")
    call(endpoint, b"two")
    keys = [parked.key for parked in wiring.parked]
    assert keys[0] == keys[1] != keys[2]
    assert wiring.parked[0].kind == "webhook"
    assert wiring.parked[0].reason == "PayloadError: no envelope"
    assert wiring.parked[0].ids["function"] == "worker"


# -------------------------------------------------------------------------------------------------------------- push

MESSAGE: dict[str, Any] = {
    "data": base64.b64encode(b'{"historyId": 7}').decode(),
    "attributes": {"kind": "mail"},
    "messageId": "m-1",
    "message_id": "m-1",
    "publishTime": "2026-03-02T09:00:00Z",
}
PUSH: dict[str, Any] = {"message": MESSAGE, "subscription": "projects/crm/subscriptions/mail", "deliveryAttempt": 3}


def proof(function: str) -> dict[str, str]:
    return {"Authorization": f"Bearer good-for-https://crm.example/{function}"}


def push(work: Callable[[Push], None], body: object = PUSH, headers: Mapping[str, str] | None = None) -> Response:
    return call(push_endpoint(work), json.dumps(body).encode(), proof("worker") if headers is None else headers)


def test_a_push_reaches_its_function_whole(wiring: FakeWiring) -> None:
    seen: list[Push] = []

    def worker(delivered: Push) -> None:
        seen.append(delivered)

    assert push(worker).status_code == 204
    (delivered,) = seen
    assert delivered == Push(b'{"historyId": 7}', {"kind": "mail"}, "m-1", 3, "projects/crm/subscriptions/mail")


def test_a_push_without_data_attributes_or_attempt_is_whole_too(wiring: FakeWiring) -> None:
    seen: list[Push] = []

    def worker(delivered: Push) -> None:
        seen.append(delivered)

    assert push(worker, {"message": {"messageId": "m-2"}, "subscription": "s"}).status_code == 204
    assert seen == [Push(b"", {}, "m-2", None, "s")]


@pytest.mark.parametrize(
    ("error", "status", "parked"),
    [
        (ProviderUnavailableError("down"), 503, False),
        (RateLimitedError("slow down", resume_at=RESUME_AT), 503, False),
        (PayloadError("no history id"), 204, True),
        (NotFoundError("no mailbox"), 204, True),
        (ProofError("channel token"), 401, False),
        (TypeError("bug"), 500, False),
    ],
)
def test_pub_sub_is_told_what_became_of_its_push(
    wiring: FakeWiring, error: Exception, status: int, parked: bool
) -> None:
    assert push(failing(error)).status_code == status
    assert bool(wiring.parked) == parked


def test_a_parked_push_keeps_ids_reason_and_attempt(wiring: FakeWiring) -> None:
    push(failing(PayloadError("no history id")))
    (parked,) = wiring.parked
    assert (parked.kind, parked.reason) == ("push", "PayloadError: no history id")
    assert parked.ids == {
        "function": "worker",
        "message": "m-1",
        "subscription": "projects/crm/subscriptions/mail",
        "attempt": "3",
    }


def test_words_meant_for_a_person_are_not_parked(wiring: FakeWiring) -> None:
    push(failing(InputError("You wrote secret")))
    assert wiring.parked[0].reason == "InputError"


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        {},
        {"message": []},
        {"message": {"messageId": 7}, "subscription": "s"},
        {"message": {"messageId": "m"}},
        {"message": {"messageId": "m", "data": "%%%"}, "subscription": "s"},
        {"message": {"messageId": "m", "data": 7}, "subscription": "s"},
        {"message": {"messageId": "m", "attributes": {"a": 1}}, "subscription": "s"},
        {"message": {"messageId": "m"}, "subscription": "s", "deliveryAttempt": "3"},
    ],
)
def test_garbage_from_a_proven_pub_sub_is_parked_once(wiring: FakeWiring, body: object) -> None:
    never = failing(AssertionError("the function must not run"))
    assert push(never, body).status_code == 204
    assert push(never, body).status_code == 204
    assert wiring.parked[0] == wiring.parked[1]
    assert wiring.parked[0].ids.keys() == {"function", "body_sha256"}


def test_garbage_that_cannot_be_parked_comes_again(wiring: FakeWiring) -> None:
    wiring.quarantine_down = True
    assert push(failing(PayloadError("m1"))).status_code == 503
    assert push(failing(PayloadError("m1")), []).status_code == 503


# ------------------------------------------------------------------------------------------------------------- proof


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer good-for-https://crm.example/other"},
        {"Authorization": "Basic good-for-https://crm.example/worker"},
        {"Authorization": "good-for-https://crm.example/worker"},
    ],
)
@pytest.mark.parametrize("decorator", [push_endpoint, task_endpoint, schedule_endpoint])
def test_whoever_proves_nothing_is_refused_and_nothing_is_stored(
    wiring: FakeWiring, decorator: Callable[[Callable[[Any], None]], Endpoint], headers: dict[str, str]
) -> None:
    never = failing(AssertionError("the function must not run"))
    assert call(decorator(never), b"garbage", headers).status_code == 401
    assert wiring.parked == []


# -------------------------------------------------------------------------------------------------------------- task


def task(
    work: Callable[[TaskCall], None],
    payload: object = None,
    *,
    retries: int = 0,
    extra: Mapping[str, str] | None = None,
) -> Response:
    headers = proof("worker") | {
        "X-CloudTasks-QueueName": "mailbox-sync",
        "X-CloudTasks-TaskName": "a1b2",
        "X-CloudTasks-TaskRetryCount": str(retries),
        "X-CloudTasks-TaskExecutionCount": "1",
    }
    body = {"mailbox": "m1", "page": 2} if payload is None else payload
    return call(task_endpoint(work), json.dumps(body).encode(), headers | dict(extra or {}))


def test_a_task_reaches_its_function_whole(wiring: FakeWiring) -> None:
    seen: list[TaskCall] = []

    def worker(call: TaskCall) -> None:
        seen.append(call)

    assert task(worker, retries=4).status_code == 204
    assert seen == [TaskCall({"mailbox": "m1", "page": 2}, "a1b2", 4, 1)]


@pytest.mark.parametrize(
    ("error", "status", "parked"),
    [
        (ProviderUnavailableError("down"), 503, False),
        (ContendedError("m1"), 503, False),
        (NotFoundError("m1"), 204, True),
        (PayloadError("m1"), 204, True),
        (ConnectionRevokedError("c1"), 204, False),
        (AdminActionError("c1", reason="api-disabled"), 204, False),
        (ProofError("m1"), 401, False),
        (ZeroDivisionError("bug"), 500, False),
        (StaleWriteError("bug"), 500, False),
    ],
)
def test_the_queue_is_told_what_became_of_its_task(
    wiring: FakeWiring, error: Exception, status: int, parked: bool
) -> None:
    response = task(failing(error))
    assert response.status_code == status
    assert "Retry-After" not in response.headers
    assert bool(wiring.parked) == parked
    assert wiring.queues.pending() == []


def test_the_twentieth_entry_is_parked_before_it_works(wiring: FakeWiring) -> None:
    entered: list[int] = []

    def worker(call: TaskCall) -> None:
        entered.append(call.attempt + 1)

    assert task(worker, retries=18).status_code == 204
    assert task(worker, retries=19).status_code == 204
    assert task(worker, retries=25).status_code == 204
    assert entered == [19]
    first = wiring.parked[0]
    assert (first.kind, first.key, first.reason) == ("task", "a1b2", "TriedOftenEnoughError: entered 20 times")
    assert first.ids == {
        "function": "worker",
        "queue": "mailbox-sync",
        "task": "a1b2",
        "attempt": "19",
        "payload": '{"mailbox": "m1", "page": 2}',
    }


def test_a_rate_limited_task_comes_again_later_without_a_strike(wiring: FakeWiring) -> None:
    limited = failing(RateLimitedError("slow down", resume_at=RESUME_AT))
    assert task(limited, retries=7).status_code == 204
    assert task(limited, retries=8).status_code == 204
    (again,) = wiring.queues.pending("mailbox-sync")
    assert (again.function, again.payload, again.not_before) == ("worker", {"mailbox": "m1", "page": 2}, RESUME_AT)
    assert again.name != "a1b2"
    assert wiring.parked == []


def test_a_rate_limited_task_that_cannot_be_queued_is_tried_by_its_queue(wiring: FakeWiring) -> None:
    wiring.queues.down = True
    assert task(failing(RateLimitedError("slow down", resume_at=RESUME_AT))).status_code == 503


def test_an_outage_is_no_strike_the_task_begins_anew(wiring: FakeWiring) -> None:
    """However long it lasts, the twentieth entry never comes; a repeat of the call makes no second task."""
    down = failing(ProviderUnavailableError("down"))
    assert task(down, retries=8).status_code == 503
    assert task(down, retries=9).status_code == 204
    assert task(down, retries=10).status_code == 204
    (again,) = wiring.queues.pending("mailbox-sync")
    assert again.function == "worker"
    assert again.name != "a1b2"
    assert again.payload == {"mailbox": "m1", "page": 2, "failing_since": START.isoformat()}
    assert again.not_before == START + timedelta(minutes=2)
    assert wiring.parked == []


def test_after_a_day_a_failing_task_is_left_to_its_last_entry(wiring: FakeWiring) -> None:
    payload = {"mailbox": "m1", "failing_since": (START - timedelta(hours=25)).isoformat()}
    assert task(failing(ProviderUnavailableError("down")), payload, retries=9).status_code == 503
    assert wiring.queues.pending() == []


@pytest.mark.parametrize(
    ("payload", "extra"),
    [
        ([1], {}),
        ("text", {}),
        ({}, {"X-CloudTasks-TaskName": ""}),
        ({}, {"X-CloudTasks-TaskRetryCount": "many"}),
    ],
)
def test_garbage_from_a_proven_queue_is_parked(wiring: FakeWiring, payload: object, extra: dict[str, str]) -> None:
    never = failing(AssertionError("the function must not run"))
    assert task(never, payload, extra=extra).status_code == 204
    assert [parked.kind for parked in wiring.parked] == ["task"]


# ---------------------------------------------------------------------------------------------------------- schedule


def run_job(work: Callable[[ScheduleCall], None], **headers: str) -> Response:
    sent = {"X-CloudScheduler-JobName": "poll", "X-CloudScheduler-ScheduleTime": "2026-03-02T01:41:00-07:00"}
    return call(schedule_endpoint(work), b"", proof("worker") | sent | headers)


def test_a_job_knows_its_name_and_the_time_it_was_meant_for(wiring: FakeWiring) -> None:
    seen: list[ScheduleCall] = []

    def worker(call: ScheduleCall) -> None:
        seen.append(call)

    assert run_job(worker).status_code == 204
    assert seen == [ScheduleCall("poll", datetime(2026, 3, 2, 8, 41, tzinfo=UTC))]


@pytest.mark.parametrize(
    ("error", "status", "parked"),
    [(ContendedError("m1"), 503, False), (NotFoundError("m1"), 204, True), (RuntimeError("bug"), 500, False)],
)
def test_the_scheduler_is_told_what_became_of_its_job(
    wiring: FakeWiring, error: Exception, status: int, parked: bool
) -> None:
    assert run_job(failing(error)).status_code == status
    assert bool(wiring.parked) == parked


@pytest.mark.parametrize("at", ["", "soon", "2026-03-02T01:41:00"])
def test_a_job_without_a_usable_time_is_parked(wiring: FakeWiring, at: str) -> None:
    never = failing(AssertionError("the function must not run"))
    assert run_job(never, **{"X-CloudScheduler-ScheduleTime": at}).status_code == 204
    assert len(wiring.parked) == 1


# ------------------------------------------------------------------------------------------------------- all of them


def test_a_bug_is_logged_without_its_words(wiring: FakeWiring, capsys: pytest.CaptureFixture[str]) -> None:
    assert task(failing(ValueError("secret"))).status_code == 500
    assert call(http_endpoint(failing(ValueError("secret")))).status_code == 500
    written = capsys.readouterr().out
    assert written.count('"severity": "ERROR"') == 2
    assert "secret" not in written


def test_the_trace_goes_with_the_work(wiring: FakeWiring) -> None:
    seen: list[str | None] = []

    def worker(_: object) -> None:
        seen.append(log.traceparent())

    header = {"traceparent": TRACEPARENT}
    call(http_endpoint(worker), b"", header)
    call(webhook_endpoint(worker), b"", header)
    task(worker, extra=header)
    push(worker, PUSH | {"message": MESSAGE | {"attributes": header}})
    assert seen == [TRACEPARENT] * 4


@pytest.mark.parametrize(
    "decorator", [http_endpoint, webhook_endpoint, push_endpoint, task_endpoint, schedule_endpoint]
)
def test_a_decorated_function_is_still_a_function_of_its_name(decorator: Callable[[Any], Endpoint]) -> None:
    def gmail_push(_: object) -> None:
        """What Gmail says."""

    decorated = decorator(gmail_push)
    assert isinstance(decorated, types.FunctionType)
    assert (decorated.__name__, decorated.__doc__) == ("gmail_push", "What Gmail says.")
