"""What Google's refusals become. The bodies are Google's, shortened where they repeat themselves."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import (
    AdminActionError,
    AppError,
    ConnectionRevokedError,
    CursorExpiredError,
    ForbiddenError,
    NotFoundError,
    PermanentError,
    ProviderUnavailableError,
    RateLimitedError,
    RetryableError,
)
from shared.providers.google.errors import api_error, token_error
from shared.providers.wire import Answer

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CALL = "gmail.users.messages.get"


def refusal(code: int, reason: str, message: str = "", **more: object) -> Answer:
    error = {"code": code, "message": message, "errors": [{"message": message, "domain": "global", "reason": reason}]}
    return Answer(code, {}, json.dumps({"error": {**error, **more}}).encode())


def read(answer: Answer, cursor_lost_on: frozenset[int] = frozenset()) -> AppError:
    return api_error(answer, call=CALL, now=NOW, fraction=0.5, cursor_lost_on=cursor_lost_on)


def read_token(answer: Answer) -> AppError:
    return token_error(answer, call="google.token.refresh", now=NOW, fraction=0.5)


def resume_at(error: AppError) -> datetime:
    assert isinstance(error, RateLimitedError)
    return error.resume_at


# ------------------------------------------------------------------------------------------------- the six kinds of 403


def test_a_missing_permission_asks_the_person_to_reconnect() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]
    message = "Request had insufficient authentication scopes."
    error = read(refusal(403, "insufficientPermissions", message, status="PERMISSION_DENIED", details=details))
    assert isinstance(error, ConnectionRevokedError)


def test_an_api_that_is_not_switched_on_is_the_administrators_matter() -> None:
    message = "Gmail API has not been used in project 123456789012 before or it is disabled. Enable it by visiting ..."
    details = [
        {"@type": "type.googleapis.com/google.rpc.Help", "links": []},
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"},
    ]
    for answer in (
        refusal(403, "accessNotConfigured", message, status="PERMISSION_DENIED"),
        refusal(403, "forbidden", message, status="PERMISSION_DENIED", details=details),
    ):
        error = read(answer)
        assert isinstance(error, AdminActionError)
        assert error.reason == "api_not_enabled"


def test_an_organizations_policy_is_the_administrators_matter() -> None:
    error = read(refusal(403, "domainPolicy", "The domain administrators have disabled Gmail apps."))
    assert isinstance(error, AdminActionError)
    assert error.reason == "admin_policy"


def test_a_quota_refusal_waits_until_the_time_google_names() -> None:
    answer = refusal(403, "userRateLimitExceeded", "User-rate limit exceeded.  Retry after 2026-03-02T09:04:51.196Z")
    assert resume_at(read(answer)) == datetime(2026, 3, 2, 9, 4, 51, 196000, tzinfo=UTC)


def test_a_calendar_that_may_not_be_seen_is_not_an_outage() -> None:
    assert isinstance(read(refusal(403, "requiredAccessLevel")), ForbiddenError)


def test_a_403_without_a_known_reason_is_tried_again() -> None:
    assert isinstance(read(refusal(403, "somethingNew")), ProviderUnavailableError)
    assert isinstance(read(Answer(403, {}, b"<html>Forbidden</html>")), ProviderUnavailableError)


# ---------------------------------------------------------------------------------------------------------- rate limits


def test_429_with_the_time_in_the_message() -> None:
    answer = refusal(429, "rateLimitExceeded", "User-rate limit exceeded.  Retry after 2026-03-02T09:00:30Z (Mail)")
    assert resume_at(read(answer)) == NOW + timedelta(seconds=30)


@pytest.mark.parametrize(("value", "pause_s"), [("7", 7), ("Mon, 02 Mar 2026 09:02:00 GMT", 120)])
def test_429_with_the_time_in_the_header(value: str, pause_s: float) -> None:
    answer = Answer(429, {"retry-after": value}, refusal(429, "rateLimitExceeded").body)
    assert resume_at(read(answer)) == NOW + timedelta(seconds=pause_s)


def test_too_many_concurrent_requests_pause_for_a_second() -> None:
    answer = refusal(429, "rateLimitExceeded", "Too many concurrent requests for user", status="RESOURCE_EXHAUSTED")
    assert resume_at(read(answer)) == NOW + timedelta(seconds=1)


def test_a_limit_without_a_time_pauses_briefly_and_spread() -> None:
    message = "Resource has been exhausted (e.g. check quota)."
    answer = refusal(429, "rateLimitExceeded", message, status="RESOURCE_EXHAUSTED")
    pauses = [
        resume_at(api_error(answer, call=CALL, now=NOW, fraction=fraction)) - NOW for fraction in (0.0, 0.5, 0.99)
    ]
    assert pauses == [timedelta(seconds=1), timedelta(seconds=1.5), timedelta(seconds=1.99)]


def test_a_used_up_minute_pauses_for_part_of_a_minute() -> None:
    message = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service 'gmail'."
    with_reason = refusal(403, "rateLimitExceeded", message)
    without_reason = Answer(403, {}, json.dumps({"error": {"code": 403, "message": message}}).encode())
    for answer in (with_reason, without_reason):
        assert resume_at(read(answer)) == NOW + timedelta(seconds=22.5)


def test_a_used_up_day_pauses_for_more_than_an_hour() -> None:
    assert resume_at(read(refusal(403, "dailyLimitExceeded", "Daily Limit Exceeded"))) > NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("stated", "pause"),
    [("2020-01-21T12:57:51.196Z", timedelta(0)), ("2099-01-01T00:00:00Z", timedelta(hours=24))],
)
def test_an_absurd_time_neither_hurries_nor_stalls(stated: str, pause: timedelta) -> None:
    answer = refusal(429, "rateLimitExceeded", f"User-rate limit exceeded.  Retry after {stated}")
    assert resume_at(read(answer)) == NOW + pause


def test_a_time_that_is_none_is_not_believed() -> None:
    answer = refusal(429, "rateLimitExceeded", "User-rate limit exceeded.  Retry after 2026-13-40T99:99:99Z")
    assert resume_at(read(answer)) == NOW + timedelta(seconds=1.5)


# ------------------------------------------------------------------------------------------------------ everything else


def test_401_never_says_that_the_grant_is_gone() -> None:
    answer = refusal(401, "authError", "Invalid Credentials", status="UNAUTHENTICATED")
    assert isinstance(read(answer), ProviderUnavailableError)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_trouble_at_google_is_tried_again_whatever_its_reason(status: int) -> None:
    for reason in ("backendError", "insufficientPermissions", "notFound"):
        assert isinstance(read(refusal(status, reason)), ProviderUnavailableError)


def test_an_account_without_gmail_is_the_administrators_matter() -> None:
    error = read(refusal(400, "failedPrecondition", "Mail service not enabled", status="FAILED_PRECONDITION"))
    assert isinstance(error, AdminActionError)
    assert error.reason == "mail_service_not_enabled"


def test_a_request_that_google_calls_wrong_is_not_repeated() -> None:
    for answer in (refusal(400, "invalidArgument"), refusal(400, "failedPrecondition", "Precondition check failed.")):
        error = read(answer)
        assert isinstance(error, PermanentError)
        assert not isinstance(error, RetryableError)


def test_404_and_410_mean_gone_unless_the_call_carried_a_cursor() -> None:
    lost_history = refusal(404, "notFound", "Requested entity was not found.", status="NOT_FOUND")
    lost_sync = refusal(410, "fullSyncRequired", "Sync token is no longer valid, a full sync is required.")
    assert isinstance(read(lost_history), NotFoundError)
    assert isinstance(read(lost_sync), NotFoundError)
    assert isinstance(read(lost_history, frozenset({404})), CursorExpiredError)
    assert isinstance(read(lost_sync, frozenset({410})), CursorExpiredError)


def test_messages_carry_the_call_and_the_reason_but_nothing_google_wrote() -> None:
    answer = refusal(403, "forbidden", "Delegation denied for kim@customer.example")
    assert str(read(answer)) == f"{CALL} answered 403 forbidden"


# --------------------------------------------------------------------------------------------------- the token endpoint


def token_refusal(status: int, code: str, **more: str) -> Answer:
    return Answer(status, {}, json.dumps({"error": code, **more}).encode())


@pytest.mark.parametrize("more", [{}, {"error_subtype": "invalid_rapt"}, {"error_description": "Bad Request"}])
def test_invalid_grant_says_that_the_grant_is_gone(more: dict[str, str]) -> None:
    assert isinstance(read_token(token_refusal(400, "invalid_grant", **more)), ConnectionRevokedError)


@pytest.mark.parametrize(
    "answer",
    [
        token_refusal(400, "internal_failure"),
        token_refusal(400, "server_error"),
        token_refusal(400, "temporarily_unavailable"),
        token_refusal(400, "something_new"),
        token_refusal(401, "something_new"),
        token_refusal(403, "something_new"),
        token_refusal(503, "invalid_grant"),
        Answer(502, {}, b"<html>Bad Gateway</html>"),
        Answer(400, {}, b""),
        Answer(302, {}, b""),
    ],
)
def test_nothing_else_does_so_and_it_is_tried_again(answer: Answer) -> None:
    assert isinstance(read_token(answer), ProviderUnavailableError)


def test_a_refusal_in_another_shape_is_not_quoted() -> None:
    answer = Answer(400, {}, json.dumps({"error": {"code": 400, "message": "for kim@customer.example"}}).encode())
    assert str(read_token(answer)) == "google.token.refresh answered 400"


def test_a_rate_limited_token_endpoint_waits() -> None:
    answer = Answer(429, {"retry-after": "30"}, token_refusal(429, "invalid_grant").body)
    assert resume_at(read_token(answer)) == NOW + timedelta(seconds=30)
    assert resume_at(read_token(token_refusal(403, "rateLimitExceeded"))) == NOW + timedelta(seconds=1.5)


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (400, "admin_policy_enforced", "admin_policy"),
        (403, "org_internal", "org_internal"),
        (401, "deleted_client", "client_deleted"),
        (401, "invalid_client", "client_invalid"),
        (401, "unauthorized_client", "client_invalid"),
        (400, "redirect_uri_mismatch", "redirect_uri_mismatch"),
    ],
)
def test_the_administrators_matters_are_named(status: int, code: str, reason: str) -> None:
    error = read_token(token_refusal(status, code))
    assert isinstance(error, AdminActionError)
    assert error.reason == reason
