"""The backfill that searches: only mail that may belong to a contact is read, and what is left is checked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.backfill import SEARCH_FROM_UNITS, search_pays
from shared.domain.ledger import Rule
from shared.domain.mailbox import mailbox_id
from shared.providers.google.prices import GMAIL_UNITS
from shared.records.mailboxes import Mailboxes
from shared.usecases.mail.audit_mailbox import audit_mailbox
from shared.usecases.mail.backfill_mailbox import start_backfill
from shared.usecases.mail.catch_up_mailbox import ADDRESSES_A_SEARCH
from shared.usecases.mail.open_mailbox import pin_cursor
from shared.usecases.read_receipt import read_receipt
from tests.mail_world import ANNA, CARL, MailWorld, mail_world

STRANGERS = SEARCH_FROM_UNITS // 20


def old_mail(world: MailWorld) -> None:
    """Mails of strangers, enough that searching pays, and two of Carl's, all from before the connect."""
    now = world.clock.now()
    for number in range(STRANGERS):
        at = now - timedelta(hours=8 * number + 1)
        world.arrives(sender=f"s{number}@stranger.example", subject=f"Offer {number}", at=at)
    world.arrives(sender=CARL, subject="Hello", at=now - timedelta(days=3, hours=1))
    world.arrives(sender=f"x <{CARL.replace('@', '+shop@')}>", subject="Tagged", at=now - timedelta(days=4, hours=1))


def import_all(world: MailWorld) -> None:
    now = world.clock.now()
    pin_cursor(world.served())
    start_backfill(world.served(), after=now - timedelta(days=180), before=now)
    world.drain()


def test_only_what_a_search_finds_is_read() -> None:
    world = mail_world(connected=False)
    old_mail(world)
    import_all(world)
    assert "Hello" in world.subjects()
    assert world.box(ANNA).calls["headers"] <= 2
    assert world.seen().count(rule=Rule.NO_SEARCH_HIT) >= STRANGERS
    receipt = read_receipt(world.store, mailbox_id(ANNA), world.clock)
    assert receipt.balanced
    assert receipt.listed == STRANGERS + 2
    assert receipt.unexplained == receipt.waiting == 0


def test_everything_is_read_where_unmatched_mail_is_kept() -> None:
    for change in ({"log_all_mail": True}, {"match_company_domains": True}):
        world = mail_world(connected=False)
        world.organization(**change)
        old_mail(world)
        import_all(world)
        assert world.seen().count(rule=Rule.NO_SEARCH_HIT) == 0
        assert world.box(ANNA).calls["headers"] == STRANGERS + 2


def test_a_small_mailbox_is_read_whole_so_that_every_rule_has_its_name() -> None:
    world = mail_world(connected=False)
    stranger = world.arrives(sender="s@stranger.example", at=world.clock.now() - timedelta(days=1))
    import_all(world)
    row = world.seen().get(world.gmail_id(stranger))
    assert row is not None
    assert row.value.rule is Rule.NO_MATCH


@pytest.mark.parametrize(("contacts", "pays"), [(100, True), (15_000, True), (30_000, False)])
def test_searching_pays_while_contacts_are_few_beside_the_mail(contacts: int, pays: bool) -> None:
    assert search_pays(contacts, SEARCH_FROM_UNITS, ADDRESSES_A_SEARCH, GMAIL_UNITS) is pays


def test_one_miss_of_the_search_and_everything_is_read_after_all() -> None:
    world = mail_world(connected=False)
    old_mail(world)
    search = world.box(ANNA).list_messages

    def blind(**query: object) -> object:
        """A search that finds nothing, as when Gmail's index lags."""
        page = search(**query)  # type: ignore[arg-type]  # the port's own arguments
        return type(page)((), None) if query.get("search") else page

    world.box(ANNA).list_messages = blind  # type: ignore[method-assign,assignment]  # the fault of this story
    import_all(world)
    assert world.subjects() == []

    for number in range(0, STRANGERS, 5):
        world.contact(f"s{number}@stranger.example")
    now = world.clock.now()
    for _ in range(8):  # each night reads another random sample
        audit_mailbox(world.served(), after=now - timedelta(days=3), before=now)
        world.drain()
    assert not Mailboxes(world.store).get(mailbox_id(ANNA)).value.search_trusted
    assert world.seen().count(rule=Rule.NO_SEARCH_HIT) == 0
    assert "Hello" in world.subjects()


def test_a_crash_between_any_two_steps_of_searching_repeats_and_ends_the_same() -> None:
    world = mail_world(connected=False)
    old_mail(world)
    now = world.clock.now()
    start_backfill(world.served(), after=now - timedelta(days=180), before=now)
    for task in world.queue.pending():
        world.run(task)  # once more than the queue would
    world.drain()
    assert "Hello" in world.subjects()
    assert read_receipt(world.store, mailbox_id(ANNA), world.clock).balanced
