"""Calls: counted against the account's limit, reported to the integration log, told apart when they fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.domain.cash.accounting import ChoiceKind
from shared.errors import (
    AdminActionError,
    AlreadyExistsError,
    AppError,
    ConnectionRevokedError,
    InputError,
    NotFoundError,
    PermanentError,
    ProviderUnavailableError,
    RateLimitedError,
)
from shared.providers import exact_json
from shared.providers.netsuite.errors import UnknownTableError, api_error
from shared.providers.netsuite.ledger import NetsuiteLedger
from shared.providers.wire import Answer
from tests.providers.netsuite.world import START, World, new_customer

# --------------------------------------------------------------------------------------------------------------- limits


def test_too_many_at_once_comes_back_in_seconds(world: World, ledger: NetsuiteLedger) -> None:
    world.control("settings", concurrency=0)
    with pytest.raises(RateLimitedError) as refusal:
        ledger.choices(ChoiceKind.ITEM)
    assert timedelta(seconds=2) <= refusal.value.resume_at - START <= timedelta(seconds=4)
    assert world.reported[-1].result == "CONCURRENCY_LIMIT_EXCEEDED"


def test_every_request_takes_a_slot_and_gives_it_back(world: World) -> None:
    events: list[str] = []

    @contextmanager
    def slot() -> Iterator[None]:
        events.append("taken")
        try:
            yield
        finally:
            events.append("given back")

    ledger = world.ledger(world.client(slot=slot))
    ledger.create_customer(new_customer(), "key")
    requests = len(world.reported) - len(world.called("token.issued"))
    assert events == ["taken", "given back"] * requests
    assert requests == 3

    world.control("faults", operation="suiteql", reply_lost=True)
    with pytest.raises(ProviderUnavailableError):
        ledger.choices(ChoiceKind.ITEM)
    assert events[-1] == "given back"


def test_without_a_free_slot_nothing_is_sent(world: World) -> None:
    @contextmanager
    def slot() -> Iterator[None]:
        raise RateLimitedError("all slots are taken", resume_at=START)
        yield

    with pytest.raises(RateLimitedError):
        world.ledger(world.client(slot=slot)).choices(ChoiceKind.ITEM)
    assert world.called("item.listed") == []


def test_slots_keep_many_workers_below_the_limit(world: World) -> None:
    world.control("settings", concurrency=2)
    world.control("faults", operation="suiteql", delay_s=0.02, times=8)
    slots = threading.Semaphore(2)

    @contextmanager
    def slot() -> Iterator[None]:
        with slots:
            yield

    ledger = world.ledger(world.client(slot=slot))
    workers = [threading.Thread(target=ledger.choices, args=(ChoiceKind.ITEM,)) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [call.result for call in world.called("item.listed")] == ["ok"] * 8


# ------------------------------------------------------------------------------------------------------ integration log


def test_every_call_is_reported_with_purpose_result_and_netsuites_own_id(world: World, ledger: NetsuiteLedger) -> None:
    ledger.create_invoice(world.draft(), "key")
    assert [(call.purpose, call.result, call.status) for call in world.reported] == [
        ("token.issued", "ok", 200),
        ("currency.listed", "ok", 200),
        ("invoice.described", "ok", 200),
        ("invoice.created", "ok", 204),
        ("invoice.read", "ok", 200),
        ("transaction.stamp_read", "ok", 200),
    ]
    assert len({call.trace_id for call in world.reported}) == 6
    assert all(call.started_at == START and call.duration_s > 0 for call in world.reported)


def test_a_call_without_an_answer_is_reported_too(world: World, ledger: NetsuiteLedger) -> None:
    world.control("faults", operation="invoice.create", reply_lost=True)
    with pytest.raises(ProviderUnavailableError):
        ledger.create_invoice(world.draft(), "key")
    last = world.reported[-1]
    assert (last.purpose, last.result, last.status, last.trace_id) == ("invoice.created", "no_answer", 0, "")


# --------------------------------------------------------------------------------------------------------------- errors


def refusal(status: int, code: str = "", detail: str = "", **headers: str) -> Answer:
    """An error body as NetSuite writes it."""
    details = [{"detail": detail, "o:errorCode": code, "o:errorPath": "item.items[0].item"}]
    body = {"type": "https://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html", "title": "x", "status": status}
    return Answer(status, headers, exact_json.dumps({**body, "o:errorDetails": details}).encode())


def translated(answer: Answer, *, renewable: bool = True) -> AppError:
    return api_error(answer, purpose="invoice.created", renewable=renewable, now=START, fraction=0.5)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (
            refusal(400, "USER_ERROR", "Error while accessing a resource. This entity already exists."),
            AlreadyExistsError,
        ),
        (refusal(400, "USER_ERROR", "This record already exists."), AlreadyExistsError),
        (refusal(400, "DUP_RCRD"), AlreadyExistsError),
        (refusal(400, "USER_ERROR", "Please enter value(s) for: Customer"), InputError),
        (refusal(400, "INVALID_CONTENT", "You have entered an Invalid Field Value 9"), InputError),
        (refusal(400, "SSS_REQUEST_LIMIT_EXCEEDED"), RateLimitedError),
        (refusal(400, "INVALID_PARAMETER", "Record 'subsidiary' was not found."), UnknownTableError),
        (refusal(400, "INVALID_HEADER"), PermanentError),
        (refusal(401, "INVALID_LOGIN"), ProviderUnavailableError),
        (refusal(403, "INSUFFICIENT_PERMISSION"), AdminActionError),
        (refusal(403, "SOMETHING_NEW"), AdminActionError),
        (refusal(404, "NONEXISTENT_ID"), NotFoundError),
        (refusal(404, "RCRD_DSNT_EXIST"), NotFoundError),
        (refusal(429, "CONCURRENCY_LIMIT_EXCEEDED"), RateLimitedError),
        (refusal(429), RateLimitedError),
        (refusal(500, "UNEXPECTED_ERROR"), ProviderUnavailableError),
        (refusal(501, "NOT_SIMULATED"), PermanentError),
        (Answer(503, {}, b"<html>The system is down for maintenance</html>"), ProviderUnavailableError),
        (Answer(302, {"location": "https://elsewhere.example/"}, b""), ProviderUnavailableError),
        (Answer(400, {}, b"[]"), PermanentError),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else f"{value.status}",
)
def test_a_refusal_answers_whether_to_try_again(answer: Answer, error: type[AppError]) -> None:
    assert type(translated(answer)) is error


def test_a_login_refused_without_anything_to_renew_is_the_end() -> None:
    assert type(translated(refusal(401, "INVALID_LOGIN"), renewable=False)) is ConnectionRevokedError


def test_only_a_persons_error_quotes_netsuite() -> None:
    said = "Northwind Traders is on credit hold"
    assert said in str(translated(refusal(400, "USER_ERROR", said)))
    for answer in (refusal(403, "INSUFFICIENT_PERMISSION", said), refusal(500, "UNEXPECTED_ERROR", said)):
        assert said not in str(translated(answer))


@pytest.mark.parametrize(("stated", "wait_s"), [("", 3), ("1", 3), ("60", 60), ("86400", 300), ("soon", 3)])
def test_a_retry_after_is_believed_within_reason(stated: str, wait_s: int) -> None:
    error = translated(refusal(429, **{"retry-after": stated}))
    assert isinstance(error, RateLimitedError)
    assert error.resume_at == START + timedelta(seconds=wait_s)


def test_a_call_that_the_simulator_does_not_know_is_loud(world: World) -> None:
    with pytest.raises(PermanentError, match="501"):
        world.client().get("record/v1/invoice", params={"q": "memo IS x"}, purpose="invoice.searched")


@pytest.mark.parametrize("text", ["<html></html>", "[]"])
def test_an_answer_that_is_no_answer_is_tried_again(world: World, ledger: NetsuiteLedger, text: str) -> None:
    world.control("faults", operation="suiteql", status=200, text=text)
    with pytest.raises(ProviderUnavailableError, match="garbled"):
        ledger.choices(ChoiceKind.ITEM)


def test_a_write_that_does_not_say_what_it_wrote_is_in_doubt(world: World, ledger: NetsuiteLedger) -> None:
    world.control("faults", operation="customer.upsert", status=204, text="")
    with pytest.raises(ProviderUnavailableError, match="without saying which"):
        ledger.create_customer(new_customer(), "key")


# ----------------------------------------------------------------------------------------------------------------- JSON


def test_amounts_keep_every_digit_both_ways() -> None:
    text = exact_json.dumps({"amount": Decimal("22680.00"), "lines": [Decimal("1E+3"), 1, "ü", None, True]})
    assert text == '{"amount":22680.00,"lines":[1000,1,"\\u00fc",null,true]}'
    assert exact_json.loads('{"amount": 0.1000000000000000055}') == {"amount": Decimal("0.1000000000000000055")}
    with pytest.raises(TypeError):
        exact_json.dumps({"amount": 0.1})
