"""Reading history: the lease, what history tells, and work that was lost on the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.domain.lease import LEASE_FOR
from shared.domain.ledger import State
from shared.domain.mailbox import Status
from shared.errors import ConnectionRevokedError, ContendedError, ProviderUnavailableError, RateLimitedError
from shared.ports.documents import Document, Query
from shared.usecases.lease import take_lease
from shared.usecases.mail.sync_mailbox import sync_mailbox
from tests.fakes import MemoryDocuments
from tests.mail_world import ANNA, BEN, DORA, MailWorld, mail_world


def history_id(world: MailWorld) -> int:
    return int(world.gmail.profile(ANNA)["historyId"])


def somebody_holds(world: MailWorld) -> None:
    """Another instance took the lease, and dies with it."""
    stored, streams = world.streams().get(), world.streams()
    assert take_lease(stored, streams.updating, store=world.store, clock=world.clock, chance=world.chance)


def test_a_zombie_cannot_write() -> None:
    """Its lease ran out while it waited for Gmail; another run read the page meanwhile."""
    world = mail_world()
    world.arrives(subject="one")
    rows: list[int] = []

    def overtaken() -> None:
        world.time.advance(LEASE_FOR.total_seconds() + 1)
        world.sync_alone()
        rows.append(len(world.store.find(Query(f"mailboxes/{world.mailbox().mailbox_id}/seen"))))
        world.arrives(subject="two")

    world.box(ANNA).before("history", 1, overtaken)
    with pytest.raises(ContendedError):
        sync_mailbox(world.served(), wish=None)
    assert rows == [1]
    world.drain()
    world.sync()
    assert sorted(world.subjects()) == ["one", "two"]


def test_a_wish_is_not_lost_when_the_holder_dies() -> None:
    world = mail_world()
    somebody_holds(world)
    world.arrives(subject="wished for")
    sync_mailbox(world.served(), wish=history_id(world))
    assert world.subjects() == []
    world.drain()
    assert world.subjects() == ["wished for"]


def test_a_notice_of_what_is_known_costs_one_question_to_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    world = mail_world()
    world.arrives(subject="known")
    world.sync()
    asked: list[int] = []
    get_all = MemoryDocuments.get_all

    def counted(documents: MemoryDocuments, paths: Sequence[str]) -> list[Document | None]:
        asked.append(len(paths))
        return get_all(documents, paths)

    monkeypatch.setattr(MemoryDocuments, "get_all", counted)
    sync_mailbox(world.served(), wish=history_id(world))
    assert asked == [2]


def test_many_wishes_for_a_held_mailbox_make_one_task() -> None:
    world = mail_world()
    somebody_holds(world)
    for _ in range(10):
        world.arrives()
        sync_mailbox(world.served(), wish=history_id(world))
    assert len(world.queue.pending("mailbox-sync")) == 1
    world.drain()
    assert len(world.subjects()) == 10


def test_a_failed_reading_gives_its_lease_back() -> None:
    world = mail_world()
    world.arrives()
    for error in (ConnectionRevokedError("gone"), RateLimitedError("slow", resume_at=world.clock.now())):
        world.box(ANNA).fail_next("history", error)
        with pytest.raises(type(error)):
            sync_mailbox(world.served(), wish=None)
        assert world.stream().lease.owner is None


def test_a_run_that_takes_too_long_continues_in_another_task() -> None:
    world = mail_world(page=1)
    for number in range(6):
        world.arrives(subject=str(number))
    for nth in range(1, 7):
        world.box(ANNA).before("history", nth, lambda: world.time.advance(25))
    sync_mailbox(world.served(), wish=None)
    assert world.stream().reading is not None
    assert len(world.queue.pending("mailbox-sync")) == 1
    world.drain()
    assert len(world.subjects()) == 6
    assert world.stream().cursor == history_id(world)


def test_a_mail_that_is_added_and_deleted_between_two_readings_costs_nothing() -> None:
    world = mail_world()
    world.deletes(world.arrives())
    world.sync()
    assert sum(world.box(ANNA).calls[method] for method in ("headers", "message", "thread")) == 0
    assert world.receipt().gone == 1


def test_a_mail_that_goes_before_its_task_runs_is_gone_without_a_trace() -> None:
    world = mail_world()
    mail = world.arrives(subject="quokka")
    gmail_id = world.gmail_id(mail)
    world.sync_alone()
    world.deletes(mail)
    world.drain()
    row = world.seen().get(gmail_id)
    assert row is not None
    assert row.value.state is State.GONE
    assert "quokka" not in world.stored_words()


def test_other_labels_cost_nothing() -> None:
    world = mail_world()
    mail = world.arrives()
    world.sync()
    calls = world.box(ANNA).calls.copy()
    world.relabels(mail, add=["STARRED", "IMPORTANT"], remove=["UNREAD"])
    world.sync()
    assert {name: count for name, count in (world.box(ANNA).calls - calls).items() if name != "history"} == {}


def test_trash_and_back_many_times_ends_as_it_began() -> None:
    world = mail_world()
    mail = world.arrives(subject="boomerang")
    for _ in range(8):
        world.sync()
        world.trashes(mail)
        world.sync()
        assert world.subjects() == []
        world.restores(mail)
    world.sync()
    assert world.subjects() == ["boomerang"]
    assert world.parked() == []
    assert world.receipt().balanced


def test_lost_tasks_come_back_with_the_next_poll() -> None:
    world = mail_world()
    world.arrives(subject="late")
    world.sync_alone()
    assert world.queue.lose() == 1
    world.poll()
    assert world.subjects() == []
    world.time.advance(6 * 60)
    world.poll()
    assert world.subjects() == ["late"]


def test_an_old_task_that_comes_late_finds_nothing_to_do() -> None:
    world = mail_world()
    world.arrives()
    world.sync_alone()
    [old] = world.queue.due("message-ingest")
    world.queue.lose()
    world.time.advance(6 * 60)
    world.poll()
    calls = world.box(ANNA).calls.copy()
    world.run(old)
    assert world.box(ANNA).calls == calls


def test_a_mailbox_that_waits_for_its_person_calls_nobody() -> None:
    world = mail_world()
    world.arrives()
    world.sync_alone()
    [task] = world.queue.due("message-ingest")
    for status in Status:
        if status in (Status.CONNECTED, Status.IMPORTING):
            continue
        world.becomes(status)
        calls = world.box(ANNA).calls.copy()
        world.run(task)
        world.poll_alone()
        world.sync_alone()
        assert world.box(ANNA).calls == calls, status


def test_rows_that_waited_for_their_person_go_on_after_the_reconnect() -> None:
    world = mail_world()
    world.arrives(subject="patient")
    world.sync_alone()
    world.becomes(Status.RECONNECT_NEEDED)
    world.drain()
    world.time.advance(3 * 86_400)
    world.becomes(Status.CONNECTED)
    world.passes(timedelta(minutes=6))
    assert world.subjects() == ["patient"]
    assert world.parked() == []


# ------------------------------------------------------------------------------------- threads under contention


def test_a_conversation_that_everybody_writes_to_at_once_loses_nothing() -> None:
    """Before each commit of one message, another mailbox's copy of the thread is settled."""
    world = mail_world(contacts=("carl@customer.example", DORA))
    first = world.arrives(to=[ANNA, BEN], subject="T", message_id="1@x")
    for number in range(2, 6):
        world.arrives(to=[ANNA, BEN], sender=DORA, subject="Re: T", message_id=f"{number}@x", references=[first])
    world.sync_alone(ANNA)
    world.sync_alone(BEN)
    world.interleaves()
    assert world.waits(), "nobody met anybody"
    [entry] = world.timeline("c-dora")
    assert entry.count == 4
    assert all(sorted(kept.readers) == ["u-anna:full", "u-ben:full"] for kept in entry.messages.values())


def test_two_threads_that_two_workers_join_at_once_become_one() -> None:
    world = mail_world()
    world.arrives(subject="A", message_id="a@x")
    world.time.advance(60)
    world.arrives(subject="B", message_id="b@x")
    world.sync()
    world.time.advance(60)
    world.arrives(subject="joins", message_id="j1@x", in_reply_to="b@x", references=["a@x", "b@x"])
    world.arrives(subject="joins too", message_id="j2@x", in_reply_to="a@x", references=["b@x", "a@x"])
    world.sync_alone()
    world.interleaves()
    assert world.waits(), "nobody met anybody"
    [entry] = world.timeline()
    assert sorted(kept.subject for kept in entry.messages.values()) == ["A", "B", "joins", "joins too"]
    assert len({message.thread_id for message in world.messages()}) == 1


@pytest.mark.parametrize("first", ["join", "removal"])
def test_a_copy_that_leaves_while_its_thread_is_joined_is_gone_in_the_end(first: str) -> None:
    world = mail_world()
    world.arrives(subject="Old", message_id="old@x")
    world.time.advance(60)
    leaving = world.arrives(subject="Re: Mid", message_id="c@x", in_reply_to="mid@x", references=["mid@x"])
    world.sync()
    world.time.advance(60)
    world.arrives(subject="Mid", message_id="mid@x", in_reply_to="old@x", references=["old@x"])
    world.sync_alone()
    [task] = world.queue.due("message-ingest")
    world.run(task)
    world.queue.done(task)
    [join] = world.queue.due("thread-join")
    world.deletes(leaving)
    world.sync_alone()
    removal = next(task for task in world.queue.due("message-ingest"))
    for task in (join, removal) if first == "join" else (removal, join):
        world.run(task)
        world.queue.done(task)
    world.drain()
    [entry] = world.timeline()
    assert sorted(kept.subject for kept in entry.messages.values()) == ["Mid", "Old"]


def test_a_late_reply_to_an_erased_conversation_still_finds_its_place() -> None:
    world = mail_world()
    world.arrives(subject="Old", message_id="old@x")
    world.time.advance(60)
    world.arrives(subject="Re: Mid", message_id="c@x", in_reply_to="mid@x", references=["mid@x"])
    world.sync()
    world.time.advance(60)
    world.arrives(subject="Mid", message_id="mid@x", in_reply_to="old@x", references=["old@x"])
    world.sync()
    for mail in ("old@x", "c@x", "mid@x"):
        world.trashes(mail)
    world.sync()
    world.time.advance(31 * 86_400)
    assert world.erases() == 3
    assert "Mid" not in world.stored_words()
    world.arrives(subject="Late", message_id="late@x", in_reply_to="c@x", references=["mid@x", "c@x"])
    world.sync()
    assert world.subjects() == ["Late"]


def hidden_for_a_month() -> tuple[MailWorld, str]:
    """A mail with a body too long for its row, in the trash since."""
    world = mail_world()
    mail = world.arrives(subject="Long", text="word " * 200_000)
    world.sync()
    world.trashes(mail)
    world.sync()
    world.time.advance(31 * 86_400)
    return world, mail


def body_of(world: MailWorld) -> str:
    [message] = world.messages()
    assert message.text_blob is not None
    return world.bucket.get(message.text_blob).decode()


def test_mail_that_returns_at_the_moment_it_is_erased_has_its_whole_body() -> None:
    world, mail = hidden_for_a_month()
    delete = world.bucket.delete

    def comes_back(key: str) -> None:
        world.bucket.delete = delete  # type: ignore[method-assign]  # once
        world.restores(mail)
        world.sync_alone()
        world.drain(redeliver=True, until=world.clock.now() + timedelta(seconds=1))
        delete(key)

    world.bucket.delete = comes_back  # type: ignore[method-assign]  # for one call
    world.erases()
    world.drain(redeliver=True)
    assert world.subjects() == ["Long"]
    assert body_of(world).startswith("word word")


def test_mail_that_returns_to_an_erasure_that_died_does_not_wait_for_the_next_one() -> None:
    world, mail = hidden_for_a_month()
    world.bucket.down = True
    with pytest.raises(ProviderUnavailableError):
        world.erases()
    world.bucket.down = False
    world.restores(mail)
    world.sync_alone()
    world.passes(timedelta(minutes=30))
    assert world.subjects() == ["Long"]
    assert body_of(world).startswith("word word")
