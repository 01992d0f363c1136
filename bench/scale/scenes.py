"""What each thing that happens costs, counted over the in-memory store: the product's own use cases, from the notice to
the last task that follows from it.

Mails are counted in the scenes of bench/operations.py with everything around them; tests/bench/test_scale.py holds the
two to each other. The store bills as Firestore does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from functools import cache
from io import StringIO
from typing import Any

from bench.mailboxes import CONTACT, Shape, messages
from bench.operations import expect, units_of
from bench.scale.work import Work, asked, metered
from shared.domain.backfill import window_start
from shared.domain.ledger import State
from shared.domain.mailbox import mailbox_id
from shared.records.mailboxes import Mailboxes
from shared.usecases.access_token import access_token
from shared.usecases.mail.audit_mailboxes import audit_mailboxes
from shared.usecases.mail.backfill_mailbox import start_backfill
from shared.usecases.mail.open_mailbox import pin_cursor
from shared.usecases.renew_watches import renew_watches
from tests.cash_world import line, sold
from tests.contract_world import contract_world
from tests.mail_world import ANNA, BEN, CARL, DORA, MailWorld, mail_world
from tests.usecases.calendar.fake_calendar import at, event
from tests.usecases.calendar.world import ANN_MAILBOX, World
from tests.usecases.calendar.world import CARLA as GUEST

MAILBOXES = 2
"""In the in-memory company; sweeps are counted over both and told per mailbox."""

BACKFILLED, MONTHS = 120, 6
PAST = Shape("short conversations", (1, 1, 2), strangers_every=2)
"""Half of it with contacts, and no conversation long enough to be read as one: the most that a past costs."""

RENEWED_EVERY_DAYS = 5
"""A channel lives seven days and is renewed two before its end."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """Everything that happens, once.

    new_conversation ... in_spam: a mail, by what becomes of it, without its notice; further_contact: what each further
    contact adds. notice: Gmail tells of a change, and two readings find nothing. poll, calendar_poll: one mailbox, one
    calendar. token: what a task pays to speak for a mailbox; refresh: once an hour instead. day: audit and renewals
    of a mailbox. backfilled: one mail of the past. contract: from the quote to the deal won; invoice: until it is in
    QuickBooks; payment: until it stands on the deal.
    """

    new_conversation: Work
    reply: Work
    second_holder: Work
    left_out: Work
    in_spam: Work
    further_contact: Work
    notice: Work
    poll: Work
    calendar_poll: Work
    token: Work
    refresh: Work
    day: Work
    backfilled: Work
    meeting: Work
    contract: Work
    invoice: Work
    payment: Work


@cache
def scenes() -> Scenes:
    """Count everything; counts do not vary."""
    with redirect_stdout(StringIO()):  # what building the worlds logs
        notice = of_notice()
        mail, two = of_mail([CARL]), of_mail([CARL, DORA])
        return Scenes(
            new_conversation=mail - notice,
            reply=of_mail([CARL], replies=True) - notice,
            second_holder=of_second_holder() - notice,
            left_out=of_stranger(State.LEFT_OUT) - notice,
            in_spam=of_stranger(State.LEFT_OUT, labels=("SPAM",)) - notice,
            further_contact=two - mail,
            notice=notice,
            poll=of_poll(),
            calendar_poll=of_calendar_poll(),
            token=of_token(),
            refresh=of_refresh(),
            day=of_day(),
            backfilled=of_backfill(),
            meeting=of_meeting(),
            contract=of_contract(),
            invoice=of_invoice(),
            payment=of_payment(),
        )


# ----------------------------------------------------------------------------------------------------------------- mail


def of_mail(people: Sequence[str], *, replies: bool = False) -> Work:
    """A mail from the first of these contacts, the others in Cc, from Gmail's notice to its rows."""
    world = mail_world(contacts=people)
    links: dict[str, Any] = {}
    if replies:
        root = world.arrives(subject="Offer")
        world.sync()
        links = {"in_reply_to": root, "references": [root]}
    return _heard(world, lambda: world.arrives(subject="Offer", cc=people[1:], **links), State.LOGGED)


def of_second_holder() -> Work:
    """ben's copy of a mail that anna's mailbox brought."""
    world = mail_world()
    world.arrives(to=[ANNA, BEN], subject="To both")
    world.sync(ANNA)
    return _heard(world, lambda: None, State.LOGGED, BEN)


def of_stranger(state: State, **fields: Any) -> Work:
    world = mail_world()
    return _heard(world, lambda: world.arrives(sender="eve@stranger.example", subject="Buy this", **fields), state)


def of_notice() -> Work:
    """A mail was marked as read: a notice, and nothing to do."""
    world = mail_world()
    root = world.arrives(subject="Offer")
    world.sync()
    world.pushed()
    return _heard(world, lambda: world.relabels(root, remove=["UNREAD"]), State.LOGGED)


def _heard(world: MailWorld, happens: Callable[[], object], state: State, address: str = ANNA) -> Work:
    """The last notice that `happens` (or what came before it) left for the mailbox, and all that follows."""
    world.time.advance(60)
    if address == ANNA:
        world.pushed()
    happens()
    notice = [told for told in world.pushed() if told.address == address][-1]
    units = _units(world)
    with metered(world.memory, world.queue) as meter:
        world.hears(notice)
        world.drain()
    expect(world, address, state)
    return replace(meter.work, units=_units(world) - units) + asked("gmail_push")


def _units(world: MailWorld) -> int:
    return units_of(world.anna) + units_of(world.ben)


# ------------------------------------------------------------------------------------------------------ a quiet mailbox


def of_poll() -> Work:
    """The scheduler's poll of one mailbox without news."""
    world = mail_world()
    world.sync(ANNA)
    world.sync(BEN)
    units = _units(world)
    with metered(world.memory, world.queue) as meter:
        world.poll_job()
        world.drain()
    return replace(meter.work, units=_units(world) - units) * (1 / MAILBOXES)


def of_day() -> Work:
    """A night's audit and a watch's renewal, and a channel's by its share."""
    world = mail_world()
    world.sync(ANNA)
    world.sync(BEN)
    world.time.advance(2 * 86_400)  # the watches are due
    units = _units(world)
    with metered(world.memory, world.queue) as meter:
        audit_mailboxes(world.documents, tasks=world.tasks, slot=world.clock.now())
        renew_watches(world.documents, tasks=world.tasks, clock=world.clock, slot=world.clock.now())
        world.drain()
    mail = replace(meter.work, units=_units(world) - units) * (1 / MAILBOXES)
    calendars = World()
    calendars.connect()
    calendars.clock.advance(RENEWED_EVERY_DAYS * 86_400 + 1)
    with metered(calendars.documents, calendars.tasks) as meter:
        calls = len(calendars.ann.calls)
        renew_watches(calendars.documents, tasks=calendars.tasks, clock=calendars.clock, slot=calendars.clock.now())
        calendars.drain()
    renewal = replace(meter.work, calls={"calendar": len(calendars.ann.calls) - calls})
    return mail + renewal * (1 / RENEWED_EVERY_DAYS)


def of_token() -> Work:
    """The mailbox's connection and its access token, which an instance keeps for some minutes."""
    return _token(after_s=60)


def of_refresh() -> Work:
    """The token is old: one more is fetched."""
    return _token(after_s=2 * 3_600) - of_token()


def _token(after_s: float) -> Work:
    world = mail_world(mailboxes=False)
    world.connects()
    credit = world.credit()
    connection = Mailboxes(world.store).get(mailbox_id(ANNA)).value.connection_id
    access_token(credit, connection)
    world.time.advance(after_s)
    with metered(world.memory, world.queue) as meter:
        kept = Mailboxes(world.store).get(mailbox_id(ANNA)).value.connection_id
        access_token(credit, kept)
    return meter.work


def of_backfill() -> Work:
    """One mail of a mailbox's past, with its share of lists and pages."""
    world = mail_world(contacts=(CONTACT,), connected=False)
    world.gmail.seed(ANNA, messages(PAST, BACKFILLED, owner=ANNA, until=world.clock.now()))
    served, now = world.served(), world.clock.now()
    pin_cursor(served)
    units = _units(world)
    with metered(world.memory, world.queue) as meter:
        start_backfill(served, after=window_start(now, MONTHS), before=now)
        world.drain()
    rows = len(world.rows())
    if rows != BACKFILLED:
        raise RuntimeError(f"{rows} of {BACKFILLED} mails were read")
    return replace(meter.work, units=_units(world) - units) * (1 / BACKFILLED)


# ------------------------------------------------------------------------------------------------------------- calendar


def of_calendar_poll() -> Work:
    """A poll of one calendar without news."""
    world = World()
    world.connect()
    calls = len(world.ann.calls)
    with metered(world.documents, world.tasks) as meter:
        world.read(ANN_MAILBOX)
    return replace(meter.work, calls={"calendar": len(world.ann.calls) - calls})


def of_meeting() -> Work:
    """A meeting with one contact is made: notice, reading, and its row on the timeline."""
    world = World()
    world.connect()
    calls = len(world.ann.calls)
    world.ann.put(event("kick-off", at(2026, 3, 10, 9), GUEST))
    with metered(world.documents, world.tasks) as meter:
        world.notice(world.ann.running()[0])
        world.drain()
    if world.titles() != ["About kick-off"]:
        raise RuntimeError("the meeting should be on the timeline")
    return replace(meter.work, calls={"calendar": len(world.ann.calls) - calls}) + asked("calendar_push")


# -------------------------------------------------------------------------------------------------------- quote to cash


def of_contract() -> Work:
    """A quote is written, sent, opened and accepted; its contract is sent, signed by two, stored; the deal is won."""
    world = contract_world()
    calls = len(world.docusign.wire.calls)
    with metered(world.documents, world.queue) as meter:
        contract = world.signed()
    if contract.signed_at is None or world.deal().won_at is None:
        raise RuntimeError("the contract should be signed and the deal won")
    calls = len(world.docusign.wire.calls) - calls
    notices = meter.work.tasks["contract-sync"]  # one task each
    return replace(meter.work, calls={"docusign": calls}) + asked("docusign_webhook", notices)


def of_invoice() -> Work:
    """A won deal's one invoice, until the ledger has it and its own notice of it is worked on."""
    world = sold(line(1, "100.00"))
    with metered(world.documents, world.queue) as meter:
        world.wins()
        notices = len(world.books.notices)
        world.hears_all()
    if len(world.mirrors()) != 1:
        raise RuntimeError("the invoice should be in the ledger")
    return replace(meter.work, calls={"ledger": world.books.calls.total()}) + asked("quickbooks_webhook", notices)


def of_payment() -> Work:
    """It is paid in full."""
    world = sold(line(1, "100.00"))
    world.wins()
    world.hears_all()
    calls = world.books.calls.total()
    with metered(world.documents, world.queue) as meter:
        world.books.pays(world.mirror().invoice.invoice_id, 10_000)
        notices = len(world.books.notices)
        world.hears_all()
    calls = world.books.calls.total() - calls
    return replace(meter.work, calls={"ledger": calls}) + asked("quickbooks_webhook", notices)
