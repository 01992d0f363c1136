"""Nothing in silence: receipts, the audit, the quarantine, and "why is this mail not here?"."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.domain.ledger import Rule, State
from shared.domain.mailbox import mailbox_id
from shared.domain.quarantine import Parked
from shared.domain.settings import NeverLog
from shared.errors import ForbiddenError, InputError, ProviderUnavailableError, RetryableError
from shared.records.people import Contacts, Users
from shared.usecases.mail.audit_mailbox import audit_mailbox
from shared.usecases.mail.audit_mailboxes import audit_mailboxes
from shared.usecases.quarantine import list_parked, park, replay
from shared.usecases.read_receipt import read_receipt
from tests.fakes import START
from tests.mail_world import ANNA, BEN, CARL, DORA, MailWorld, mail_world

# -------------------------------------------------------------------------------------------------------- the audit


def audited(world: MailWorld, days: int = 3) -> tuple[int, int, int]:
    now = world.clock.now()
    result = audit_mailbox(world.served(), after=now - timedelta(days=days), before=now)
    world.drain()
    return result.listed, result.missing, result.vanished


def test_an_audit_finds_nothing_where_nothing_is_wrong() -> None:
    world = mail_world()
    for _ in range(3):
        world.arrives()
    world.arrives(labels=("SPAM",))
    world.sync()
    world.time.advance(2 * 86_400)
    assert audited(world) == (3, 0, 0)


def test_what_the_ledger_missed_is_found_and_logged() -> None:
    world = mail_world()
    world.arrives(subject="missed")
    world.skips_history()
    world.time.advance(3600)
    assert audited(world) == (1, 1, 0)
    assert world.subjects() == ["missed"]


def test_what_vanished_unheard_is_taken_away() -> None:
    world = mail_world()
    stays, gone, trashed = (world.arrives(subject=name) for name in ("stays", "gone", "trashed"))
    world.sync()
    world.time.advance(86_400)
    world.deletes(gone)
    world.trashes(trashed)
    world.skips_history()
    world.time.advance(86_400)
    assert audited(world) == (1, 0, 2)
    assert world.subjects() == ["stays"]
    assert world.why(stays).state is State.LOGGED


def test_a_mail_that_left_spam_unheard_comes_back() -> None:
    world = mail_world()
    mail = world.arrives(subject="no spam", labels=("SPAM",))
    world.sync()
    world.restores(mail)
    world.skips_history()
    world.time.advance(86_400)
    audited(world)
    assert world.subjects() == ["no spam"]


def test_the_nights_audit_asks_every_served_mailbox_once() -> None:
    world = mail_world()
    for _ in range(2):
        assert audit_mailboxes(world.documents, tasks=world.tasks, slot=START) == 2
    assert len(world.queue.pending("mailbox-audit")) == 2


# ---------------------------------------------------------------------------------------------------- the receipt


def test_a_receipt_of_a_day_counts_the_mail_of_that_day() -> None:
    world = mail_world()
    world.arrives(at=START - timedelta(days=2))
    world.arrives()
    world.sync()
    days = [
        read_receipt(world.store, mailbox_id(ANNA), world.clock, (START - timedelta(days=day)).date())
        for day in range(3)
    ]
    assert [day.listed for day in days] == [1, 0, 1]
    assert all(day.balanced for day in days)


class MailboxLife(RuleBasedStateMachine):
    """Whatever happens to a mailbox, in whatever order, the receipt balances; and once everything has settled, the
    timelines are what a reading from scratch would make of the mailbox."""

    SENDERS = (CARL, DORA, "eve@stranger.example", BEN)

    def __init__(self) -> None:
        super().__init__()
        self.world = mail_world(contacts=(CARL, DORA), page=3)
        self.mails: list[tuple[str, str]] = []
        self.number = 0

    @rule(sender=st.sampled_from(SENDERS), labels=st.sampled_from([("INBOX",), ("SPAM",)]), reply=st.booleans())
    def arrives(self, sender: str, labels: tuple[str, ...], reply: bool) -> None:
        self.number += 1
        references = [self.mails[-1][0]] if reply and self.mails else []
        links: dict[str, Any] = {"references": references, "in_reply_to": references[0]} if references else {}
        to = [ANNA, BEN] if self.number % 3 == 0 and sender != BEN else [ANNA]
        mail = self.world.arrives(sender=sender, to=to, subject=str(self.number), labels=labels, **links)
        self.mails.append((mail, self.world.gmail_id(mail)))
        self.world.time.advance(1)

    def some(self, position: int) -> str | None:
        """The Gmail id of a mail that is still there."""
        there = [gmail_id for _, gmail_id in self.mails if gmail_id in self.world.gmail.mailbox(ANNA).messages]
        return there[position % len(there)] if there else None

    @rule(position=st.integers(0, 50), label=st.sampled_from(["TRASH", "SPAM"]), back=st.booleans())
    def moves(self, position: int, label: str, back: bool) -> None:
        if gmail_id := self.some(position):
            add, remove = (["INBOX"], ["TRASH", "SPAM"]) if back else ([label], ["INBOX"])
            self.world.gmail.relabel(ANNA, gmail_id, add=add, remove=remove)

    @rule(position=st.integers(0, 50))
    def deletes(self, position: int) -> None:
        if gmail_id := self.some(position):
            self.world.gmail.delete(ANNA, gmail_id)

    @rule()
    def syncs(self) -> None:
        with suppress(RetryableError):
            self.world.sync_alone()

    @rule(address=st.sampled_from([ANNA, BEN]), work=st.integers(1, 5))
    def works(self, address: str, work: int) -> None:
        with suppress(RetryableError):
            self.world.sync_alone(address)
            for task in self.world.queue.due()[:work]:
                self.world.run(task)
                self.world.queue.done(task)

    @precondition(lambda self: self.world.queue.pending())
    @rule()
    def loses_its_tasks(self) -> None:
        self.world.queue.lose()

    @rule(method=st.sampled_from(["history", "headers", "message", "list_messages"]))
    def fails_once(self, method: str) -> None:
        self.world.box(ANNA).fail_next(method)

    @rule()
    def crashes_before_it_writes(self) -> None:
        self.world.memory.down = True
        with pytest.raises(ProviderUnavailableError):
            self.world.sync_alone()
        self.world.memory.down = False

    @rule()
    def forgets_history(self) -> None:
        self.world.history_expires()

    @rule()
    def waits(self) -> None:
        self.world.passes(timedelta(minutes=6))

    @invariant()
    def balances(self) -> None:
        assert self.world.receipt().balanced

    def teardown(self) -> None:
        world = self.world
        world.box(ANNA).failing.clear()
        world.passes(timedelta(minutes=20))
        receipt = world.receipt()
        assert (receipt.waiting, receipt.unexplained, receipt.quarantined) == (0, 0, 0)
        there = world.gmail.mailbox(ANNA).messages.values()
        listed = {message.id for message in there if not {"SPAM", "TRASH"} & set(message.labels)}
        logged = {row.id for row in world.rows() if row.fields["state"] == "logged"}
        left_out = {row.id for row in world.rows() if row.fields["state"] == "left_out"}
        assert logged <= listed <= logged | left_out
        for contact in ("c-carl", "c-dora"):
            assert self.shown(world, contact) == self.shown(self.from_scratch(), contact)

    def from_scratch(self) -> MailWorld:
        """Another organization's database over the same two mailboxes, read once."""
        fresh = mail_world(contacts=(CARL, DORA))
        fresh.gmail.mailboxes.update(self.world.gmail.mailboxes)
        fresh.time.set(self.world.time.now() + timedelta(seconds=60))
        for address in (ANNA, BEN):
            fresh.backfill(address)
        fresh.drain()
        return fresh

    @staticmethod
    def shown(world: MailWorld, contact: str) -> object:
        """The conversations of a contact, and its figures."""
        conversations = [
            sorted((kept.subject, tuple(sorted(kept.readers)), kept.direction) for kept in held)
            for entry in world.timeline(contact)
            if (held := [kept for kept in entry.messages.values() if kept.readers])
        ]
        return sorted(conversations), Contacts(world.store).get(contact).figures


MailboxLife.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=20,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
test_a_mailbox_balances_through_everything_and_ends_as_read_from_scratch = MailboxLife.TestCase


# -------------------------------------------------------------------------------------------------------- explained


def explained(world: MailWorld, mail: str) -> tuple[State | None, Rule | None]:
    found = world.why(mail)
    assert found.sentence.endswith(".")
    return found.state, found.rule


def test_every_outcome_has_its_sentence() -> None:
    world = mail_world(contacts=(CARL, DORA))
    world.contact("own@customer.example", owner_id="u-ben")
    world.organization(never_log=NeverLog(domains=frozenset({"clinic.example"})))
    world.options(never_log=NeverLog(addresses=frozenset({DORA})))
    mails = {
        (State.LOGGED, None): world.arrives(),
        (State.LEFT_OUT, Rule.INTERNAL): world.arrives(sender=BEN),
        (State.LEFT_OUT, Rule.ORGANIZATION_NEVER_LOG): world.arrives(cc=["x@clinic.example"]),
        (State.LEFT_OUT, Rule.PERSONAL_NEVER_LOG): world.arrives(sender=DORA),
        (State.LEFT_OUT, Rule.BULK): world.arrives(headers=[("List-Unsubscribe", "<https://list.example/u>")]),
        (State.LEFT_OUT, Rule.SENDER_UNKNOWN): world.arrives(sender="eve@stranger.example", to=[ANNA, CARL]),
        (State.LEFT_OUT, Rule.NO_ACCESS): world.arrives(sender="own@customer.example"),
        (State.LEFT_OUT, Rule.NO_MATCH): world.arrives(sender="eve@stranger.example"),
        (State.LEFT_OUT, Rule.SYSTEM_LABEL): world.arrives(labels=("SPAM",)),
        (State.QUARANTINED, None): world.arrives(subject="broken"),
    }
    world.box(ANNA).headless.add(world.gmail_id(mails[State.QUARANTINED, None]))
    world.sync()
    mails[State.QUEUED, None] = world.arrives()
    world.sync_alone()
    for outcome, mail in mails.items():
        assert explained(world, mail) == outcome
    assert len({world.why(mail).sentence for mail in mails.values()}) == len(mails)
    assert world.why(mails[State.QUARANTINED, None]).parked == world.parked()[0].parked_id


def test_a_deleted_mail_is_explained_as_long_as_its_hash_is_known() -> None:
    world = mail_world()
    mail = world.arrives()
    world.sync()
    world.deletes(mail)
    world.sync()
    assert explained(world, mail) == (State.GONE, None)


def test_a_mail_the_mailbox_never_had_is_said_to_be_unknown() -> None:
    assert explained(mail_world(), "<never@seen.example>") == (None, None)


def test_of_two_copies_the_one_that_is_here_answers() -> None:
    world = mail_world()
    mail = world.arrives()
    copy = world.gmail.deliver(ANNA, world.raw(mail)).id
    world.sync()
    world.gmail.delete(ANNA, copy)
    world.sync()
    assert explained(world, mail) == (State.LOGGED, None)


@pytest.mark.parametrize("asked", ["", "  ", "from:boss subject:secret", "<>"])
def test_what_is_no_message_id_searches_nothing(asked: str) -> None:
    world = mail_world()
    with pytest.raises(InputError, match="Message-ID"):
        world.why(asked)
    assert world.box(ANNA).calls["list_messages"] == 0


def test_a_message_id_carries_no_further_search_words() -> None:
    world = mail_world()
    world.arrives(subject="secret", labels=("SPAM",), message_id="x@y")
    world.sync()
    assert explained(world, "<x@y>") == (State.LEFT_OUT, Rule.SYSTEM_LABEL)
    assert explained(world, "<x@y subject:secret>")[0] is None
    assert explained(world, "<a@b} OR subject:secret>")[0] is None


def test_only_its_user_and_admins_ask() -> None:
    world = mail_world()
    mail = world.arrives()
    world.sync()
    assert world.why(mail, asked_by="u-ada").state is State.LOGGED
    with pytest.raises(ForbiddenError):
        world.why(mail, asked_by="u-ben")


# ------------------------------------------------------------------------------------------------------ quarantine


def test_a_replayed_message_that_is_still_broken_is_parked_again_and_counted() -> None:
    world = mail_world()
    mail = world.arrives()
    world.box(ANNA).headless.add(world.gmail_id(mail))
    world.sync()
    world.replays(world.parked()[0])
    [parked] = world.parked()
    assert parked.times == 2


def test_a_replay_that_is_asked_for_twice_runs_once() -> None:
    world = mail_world()
    mail = world.arrives(subject="mended")
    world.box(ANNA).headless.add(world.gmail_id(mail))
    world.sync()
    world.box(ANNA).headless.clear()
    [parked] = world.parked()
    admin = Users(world.store).get("u-ada")
    for _ in range(2):
        replay(world.store, parked.parked_id, admin, tasks=world.tasks, clock=world.clock)
    assert len(world.queue.pending("message-ingest")) == 1
    world.drain()
    assert world.subjects() == ["mended"]


def test_only_admins_see_and_replay_what_is_parked() -> None:
    world = mail_world()
    parked = park(world.store, Parked("push", "k", "r", START, {}), world.jitter)
    anna = Users(world.store).get("u-anna")
    with pytest.raises(ForbiddenError):
        list_parked(world.store, anna)
    with pytest.raises(ForbiddenError):
        replay(world.store, parked, anna, tasks=world.tasks, clock=world.clock)


def test_what_was_refused_for_good_has_nothing_to_replay_and_says_so() -> None:
    world = mail_world()
    parked = park(world.store, Parked("push", "k", "unreadable", START, {}), world.jitter)
    with pytest.raises(InputError, match="nothing to run again"):
        replay(world.store, parked, Users(world.store).get("u-ada"), tasks=world.tasks, clock=world.clock)
    assert len(world.parked()) == 1


def test_a_parked_task_runs_again_with_what_it_was_given() -> None:
    world = mail_world()
    world.arrives(subject="from the task")
    payload = {"tenant": "acme", "mailbox": mailbox_id(ANNA), "wish": None}
    task = Parked("task", "k", "r", START, {}, "mailbox-sync", "mailbox_sync", payload)
    park(world.store, task, world.jitter)
    world.replays(task)
    assert world.subjects() == ["from the task"]
