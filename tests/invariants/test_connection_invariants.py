"""Tokens, grants and proofs: I15, I21, I25, I26."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.mailbox import Status
from shared.errors import (
    ConnectionRevokedError,
    InputError,
    PayloadError,
    ProviderUnavailableError,
    RateLimitedError,
    RetryableError,
)
from shared.providers.google.notices import MailNotice, read_notice
from shared.records.audit import Audit
from shared.records.connections import Connections
from shared.usecases.access_token import access_token
from tests.mail_world import ANNA, EVERY_SCOPE, MailWorld, mail_world

HALF_GONE = timedelta(minutes=57).total_seconds()
ENDED = timedelta(minutes=61).total_seconds()


def connected() -> tuple[MailWorld, str]:
    world = mail_world(mailboxes=False)
    connection = world.connects()
    world.drain()
    return world, connection.connection_id


def told(world: MailWorld) -> int:
    """How often the person was told that the connection broke."""
    return [row.action for row in Audit(world.store).newest(100)].count("connection.broken")


# ---------------------------------------------------------------------------------------------------- I15: revoked


def test_i15_invalid_grant_stops_all_work_and_is_told_once() -> None:
    world, connection_id = connected()
    world.google.end_grants(ANNA)
    world.time.advance(ENDED)
    for _ in range(5):
        with pytest.raises(ConnectionRevokedError):
            access_token(world.credit(), connection_id)
    assert told(world) == 1
    assert world.mailbox().status is Status.RECONNECT_NEEDED

    calls, refreshes = world.box(ANNA).calls.copy(), world.google.refreshes
    world.arrives()
    world.passes(timedelta(hours=1))
    assert world.box(ANNA).calls == calls
    assert world.google.refreshes == refreshes


@pytest.mark.parametrize(
    "failure",
    [ProviderUnavailableError("the token endpoint is down"), "rate limited"],
    ids=["down", "rate limited"],
)
def test_i15_a_token_endpoint_that_fails_is_not_read_as_revoked(failure: RetryableError | str) -> None:
    world, connection_id = connected()
    world.time.advance(ENDED)
    later = world.clock.now() + timedelta(minutes=5)
    error = failure if isinstance(failure, RetryableError) else RateLimitedError("slow down", resume_at=later)
    world.google.failing.append(error)
    with pytest.raises(type(error)):
        access_token(world.credit(), connection_id)
    assert (told(world), world.mailbox().status) == (0, Status.CONNECTED)
    assert access_token(world.credit(), connection_id) in world.google.minted


def test_i15_reconnecting_goes_on_where_the_mail_was_read_last() -> None:
    world, connection_id = connected()
    world.google.end_grants(ANNA)
    world.time.advance(ENDED)
    with pytest.raises(ConnectionRevokedError):
        access_token(world.credit(), connection_id)
    cursor = world.stream().cursor
    world.time.advance(86_400)
    world.arrives(subject="while nobody could read")
    world.connects()
    assert world.stream().cursor == cursor
    world.drain()
    assert world.subjects() == ["while nobody could read"]
    assert world.mailbox().status is Status.CONNECTED
    assert access_token(world.credit(), connection_id) == world.google.minted[-1]


def test_i15_a_refresh_that_was_overtaken_by_a_reconnect_changes_nothing() -> None:
    world, connection_id = connected()
    world.time.advance(ENDED)

    def reconnects() -> None:
        world.google.on_refresh = None
        world.connects()

    world.google.on_refresh = reconnects
    with pytest.raises(RetryableError):
        access_token(world.credit(), connection_id)
    assert access_token(world.credit(), connection_id) in world.google.minted
    assert told(world) == 0
    world.time.advance(ENDED)
    access_token(world.credit(), connection_id)


# --------------------------------------------------------------------------------------------- I26: single flight


def test_i26_of_two_workers_the_vendor_hears_one() -> None:
    world, connection_id = connected()
    world.time.advance(ENDED)
    busy: list[RateLimitedError] = []

    def second_worker() -> None:
        world.google.on_refresh = None
        with pytest.raises(RateLimitedError) as caught:
            access_token(world.credit(), connection_id)
        busy.append(caught.value)

    world.google.on_refresh = second_worker
    token = access_token(world.credit(), connection_id)
    assert world.google.refreshes == 1
    assert busy[0].resume_at > world.clock.now()
    assert access_token(world.credit(), connection_id) == token


def test_i26_while_one_refreshes_the_others_use_the_token_that_still_lasts() -> None:
    world, connection_id = connected()
    old = access_token(world.credit(), connection_id)
    world.time.advance(HALF_GONE)
    used: list[str] = []

    def second_worker() -> None:
        world.google.on_refresh = None
        used.append(access_token(world.credit(), connection_id))

    world.google.on_refresh = second_worker
    assert access_token(world.credit(), connection_id) != old
    assert (used, world.google.refreshes) == ([old], 1)


def test_i26_a_worker_that_died_refreshing_holds_nobody_up_for_long() -> None:
    world, connection_id = connected()
    world.time.advance(ENDED)

    def dies() -> None:
        raise KeyboardInterrupt

    world.google.on_refresh = dies
    with pytest.raises(KeyboardInterrupt):
        access_token(world.credit(), connection_id)
    world.google.on_refresh = None
    with pytest.raises(RateLimitedError):
        access_token(world.credit(), connection_id)
    world.time.advance(91)
    assert access_token(world.credit(), connection_id) in world.google.minted


def test_i26_a_token_the_vendor_refused_is_not_handed_out_again() -> None:
    world, connection_id = connected()
    refused = access_token(world.credit(), connection_id)
    assert access_token(world.credit(), connection_id, rejected=refused) != refused
    assert world.google.refreshes == 1


# ---------------------------------------------------------------------------------- I21, I25: proof, and nothing else


@pytest.mark.parametrize("binding", ["", "another browser's", None])
def test_i21_a_missing_proof_is_a_wrong_proof(binding: str | None) -> None:
    world = mail_world(mailboxes=False)
    state, own = world.starts()
    code = world.google.agree(ANNA, EVERY_SCOPE)
    before = world.stored_words()
    with pytest.raises(InputError):
        world.returns(
            state if binding is not None else "acme.forged", binding or own if binding is None else binding, code
        )
    assert world.stored_words() == before
    assert world.google.minted == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'"x"',
        b'{"emailAddress": "anna@acme.example"}',
        b'{"emailAddress": 7, "historyId": "1"}',
        b'{"emailAddress": "anna", "historyId": "1"}',
        b'{"emailAddress": "anna@acme.example", "historyId": "-1"}',
        b'{"emailAddress": "anna@acme.example", "historyId": true}',
        b'{"emailAddress": "anna@acme.example", "historyId": "99999999999999999999"}',
        b"{" * 5_000,
    ],
)
def test_i21_garbage_from_a_genuine_sender_is_refused_as_unreadable(data: bytes) -> None:
    with pytest.raises(PayloadError):
        read_notice(data)


def test_i25_a_push_is_answered_after_one_read_and_two_tasks() -> None:
    world = mail_world()
    [notice, *_] = world.pushed()
    reads, writes, calls = world.memory.reads, world.memory.writes, world.box(ANNA).calls.copy()
    world.hears(notice)
    assert (world.memory.reads - reads, world.memory.writes - writes) == (1, 0)
    assert len(world.queue.pending("mailbox-sync")) == 2
    assert world.box(ANNA).calls == calls


def test_i25_a_push_for_a_mailbox_nobody_serves_is_not_ours() -> None:
    world = mail_world()
    world.hears(MailNotice("nobody@acme.example", 7))
    assert world.queue.pending() == []


def test_a_connection_that_broke_while_paused_is_not_resumed_into_a_loop() -> None:
    world, connection_id = connected()
    world.controls(Status.PAUSED)
    world.google.end_grants(ANNA)
    world.time.advance(ENDED)
    with pytest.raises(ConnectionRevokedError):
        access_token(world.credit(), connection_id)
    connection = Connections(world.store).get(connection_id).value
    assert connection.status is Status.RECONNECT_NEEDED
    with pytest.raises(InputError, match="connected again"):
        world.controls(Status.CONNECTED)
