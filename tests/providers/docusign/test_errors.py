"""What DocuSign's refusals mean: by their code, whatever their status and case."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from shared.errors import (
    AdminActionError,
    AppError,
    ForbiddenError,
    InputError,
    NotFoundError,
    PermanentError,
    ProviderUnavailableError,
    RateLimitedError,
)
from shared.providers.docusign.errors import api_error
from shared.providers.wire import Answer
from tests.fakes import START

NOW = START + timedelta(minutes=20)
HOUR = START + timedelta(hours=1)


def refusal(status: int, code: str | None = None, headers: dict[str, str] | None = None) -> AppError:
    body = {} if code is None else {"errorCode": code, "message": "The address kim@customer.example is wrong."}
    answer = Answer(status, headers or {}, json.dumps(body).encode())
    return api_error(answer, purpose="envelope.sent", now=NOW, fraction=0.5)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "INVALID_EMAIL_ADDRESS_FOR_RECIPIENT", InputError),
        (400, "ANCHOR_TAB_STRING_NOT_FOUND", InputError),
        (400, "ENVELOPE_CANNOT_VOID_INVALID_STATE", InputError),
        (400, "ENVELOPE_INVALID_STATUS", InputError),
        (400, "A_CODE_NOBODY_WROTE_DOWN", InputError),
        (400, None, InputError),
        (400, "INVALID_REQUEST_BODY", PermanentError),
        (400, "TEMPLATE_ID_INVALID", NotFoundError),
        (404, "ENVELOPE_DOES_NOT_EXIST", NotFoundError),
        (400, "ENVELOPE_DOES_NOT_EXIST", NotFoundError),
        (404, None, NotFoundError),
        (400, "ACCOUNT_LACKS_PERMISSIONS", AdminActionError),
        (401, "USER_DOES_NOT_BELONG_TO_SPECIFIED_ACCOUNT", AdminActionError),
        (403, "USER_NOT_ENVELOPE_SENDER_OR_RECIPIENT", ForbiddenError),
        (401, "USER_AUTHENTICATION_FAILED", ProviderUnavailableError),
        (401, None, ProviderUnavailableError),
        (500, "INVALID_EMAIL_ADDRESS_FOR_RECIPIENT", ProviderUnavailableError),
        (503, None, ProviderUnavailableError),
        (302, None, ProviderUnavailableError),
        (400, "HOURLY_APIINVOCATION_LIMIT_EXCEEDED", RateLimitedError),
        (429, "BURST_APIINVOCATION_LIMIT_EXCEEDED", RateLimitedError),
        (400, "Hourly_Envelope_Polling_Limit_Exceeded", RateLimitedError),
        (400, "BURST_ENVELOPE_POLLING_LIMIT_EXCEEDED", RateLimitedError),
        (400, "Hourly_APIInvocation_Envelope_Limit_Exceeded", RateLimitedError),
        (400, "API_REQUEST_IS_THROTTLED", RateLimitedError),
        (429, None, RateLimitedError),
        (429, "INVALID_REQUEST_BODY", RateLimitedError),
    ],
)
def test_a_refusal_becomes_the_error_that_says_what_to_do(status: int, code: str | None, error: type[AppError]) -> None:
    found = refusal(status, code)
    assert type(found) is error
    assert "kim" not in str(found)


@pytest.mark.parametrize(
    ("status", "code", "headers", "resume_at"),
    [
        (400, "HOURLY_APIINVOCATION_LIMIT_EXCEEDED", {}, HOUR + timedelta(seconds=15)),
        (
            429,
            "HOURLY_APIINVOCATION_LIMIT_EXCEEDED",
            {"x-ratelimit-reset": str(int(HOUR.timestamp()) - 600)},
            HOUR - timedelta(seconds=585),
        ),
        (400, "HOURLY_APIINVOCATION_LIMIT_EXCEEDED", {"x-ratelimit-reset": "1"}, HOUR + timedelta(seconds=15)),
        (400, "HOURLY_APIINVOCATION_LIMIT_EXCEEDED", {"x-ratelimit-reset": "9" * 40}, HOUR + timedelta(seconds=15)),
        (400, "HOURLY_APIINVOCATION_LIMIT_EXCEEDED", {"x-ratelimit-reset": "soon"}, HOUR + timedelta(seconds=15)),
        (400, "BURST_APIINVOCATION_LIMIT_EXCEEDED", {}, NOW + timedelta(seconds=45)),
        (400, "Hourly_Envelope_Polling_Limit_Exceeded", {}, NOW + timedelta(minutes=15)),
        (429, None, {"retry-after": "12"}, NOW + timedelta(seconds=12)),
        (429, None, {"retry-after": "9" * 400}, NOW + timedelta(hours=2)),
        (429, None, {"retry-after": "later"}, NOW + timedelta(seconds=45)),
    ],
)
def test_a_limit_says_when_to_come_back(
    status: int, code: str | None, headers: dict[str, str], resume_at: object
) -> None:
    found = refusal(status, code, headers)
    assert isinstance(found, RateLimitedError)
    assert found.resume_at == resume_at


def test_a_code_that_is_no_code_is_not_repeated() -> None:
    found = refusal(400, "kim@customer.example is <b>wrong</b>")
    assert str(found) == "DocuSign refused this. Check it, then try again."
