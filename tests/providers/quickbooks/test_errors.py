"""Intuit's refusals, by their own codes, in our errors."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from shared.errors import (
    AdminActionError,
    AlreadyExistsError,
    InputError,
    NotFoundError,
    PermanentError,
    ProviderUnavailableError,
    RateLimitedError,
    StaleWriteError,
)
from shared.providers.quickbooks.errors import api_error, fault_of
from shared.providers.wire import Answer
from tests.fakes import START


def fault(code: str, status: int = 400, detail: str = "Secret Customer Ltd") -> Answer:
    """As the Accounting API writes it."""
    error = {"Message": "A sentence", "Detail": detail, "code": code, "element": ""}
    body = {"Fault": {"Error": [error], "type": "ValidationFault"}, "time": "2026-03-02T01:00:00.000-08:00"}
    return Answer(status, {"intuit_tid": "1-abc"}, json.dumps(body).encode())


GATEWAY = Answer(
    401,
    {},
    b'{"warnings":null,"fault":{"error":[{"message":"message=AuthenticationFailed; errorCode=003200; statusCode=401",'
    b'"detail":"Malformed bearer token","code":"3200","element":null}],"type":"AUTHENTICATION"},"queryResponse":null}',
)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (fault("5010"), StaleWriteError),
        (fault("6240"), AlreadyExistsError),
        (fault("6140"), AlreadyExistsError),
        (fault("610"), NotFoundError),
        (fault("2500"), InputError),
        (fault("2010"), InputError),
        (fault("6000"), InputError),
        (fault("6070"), InputError),
        (fault("6210"), InputError),
        (fault("9999"), InputError),
        (fault("4001"), PermanentError),
        (fault("3200", 401), ProviderUnavailableError),
        (fault("3100", 403), AdminActionError),
        (fault("5020", 403), AdminActionError),
        (fault("", 403), AdminActionError),
        (fault("6190", 400), AdminActionError),
        (fault("10000", 500), ProviderUnavailableError),
        (fault("003001", 429), RateLimitedError),
        (fault("3001", 403), RateLimitedError),
        (GATEWAY, ProviderUnavailableError),
        (Answer(503, {}, b"<html>Service Unavailable</html>"), ProviderUnavailableError),
        (Answer(302, {}, b""), ProviderUnavailableError),
        (Answer(200, {}, b"<html>maintenance</html>"), ProviderUnavailableError),
        (Answer(404, {}, b""), NotFoundError),
        (Answer(400, {}, b"not json"), PermanentError),
    ],
)
def test_each_code_means_one_of_our_errors(answer: Answer, error: type[Exception]) -> None:
    assert type(api_error(answer, call="invoice.created", now=START)) is error


def test_what_intuit_says_reaches_the_person_and_no_log() -> None:
    assert "Secret Customer Ltd" in str(api_error(fault("6000"), call="invoice.created", now=START))
    for code in ("5010", "6240", "610", "4001", "10000"):
        assert "Secret" not in str(api_error(fault(code), call="invoice.created", now=START))


def test_an_administrators_matter_names_its_entry_of_the_catalogue() -> None:
    error = api_error(fault("6190"), call="company.read", now=START)
    assert isinstance(error, AdminActionError)
    assert error.reason == "company_closed"


@pytest.mark.parametrize(("headers", "seconds"), [({}, 60), ({"retry-after": "7"}, 7), ({"retry-after": "soon"}, 60)])
def test_a_throttled_call_comes_back_when_intuit_says_or_after_a_minute(headers: dict[str, str], seconds: int) -> None:
    error = api_error(Answer(429, headers, b""), call="query", now=START)
    assert isinstance(error, RateLimitedError)
    assert error.resume_at == START + timedelta(seconds=seconds)


def test_the_gateways_small_letters_are_read_too() -> None:
    assert fault_of(GATEWAY).code == "3200"
    assert fault_of(fault("003200")).code == "3200"
    assert fault_of(Answer(500, {}, b"[]")).code == ""
