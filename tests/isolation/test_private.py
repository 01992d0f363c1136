"""What is one person's alone leaves no trace that anybody else can read (I11, I29, G28, D7).

A company lives twice: once with and once without the messages and meetings that are Ben's secret. Whatever anybody but
Ben asks of any function, both companies answer the same, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from shared.domain.ledger import Rule, State
from shared.domain.mailbox import mailbox_id
from shared.domain.people import User
from shared.domain.settings import MailOptions, NeverLog, Share
from shared.ports.documents import Create
from shared.records.people import Users
from shared.usecases.read_receipt import UNKNOWN
from tests.isolation.company import HOME, PEOPLE
from tests.isolation.doors import MANIFESTS, Stage
from tests.isolation.tries import BY_PEOPLE
from tests.mail_world import ANNA, BEN, CARL, DORA, MailWorld, mail_world
from tests.usecases.calendar.fake_calendar import at as time_of
from tests.usecases.calendar.fake_calendar import event
from tests.usecases.calendar.world import ANN_MAILBOX, ANN_STREAM, CARLA, DAN
from tests.usecases.calendar.world import World as Calendars

DOCTOR = "doctor@clinic.example"
BEN_MAILBOX = mailbox_id(BEN)
READERS = [user for name, user in PEOPLE.items() if name != "rep"] + [User("u-sam", "Sam", "sam@acme.example")]
"""Everybody but Ben, whose secrets these are."""

COUNTS_BEFORE_ANY_RULE = frozenset({"backfill_estimate"})
"""It says what lies at Google, whatever becomes of it."""


def company(*, secrets: bool, own_record: bool = True, share: Share = Share.FULL) -> MailWorld:
    """Mail that everybody may know of; and, with secrets, what Ben alone may."""
    world = mail_world(contacts=(CARL, DORA))
    world.contact(DOCTOR, contact_id="c-doctor")
    world.options(
        BEN, own_record=own_record, share=share, never_log=NeverLog(frozenset({DOCTOR}), frozenset({"secret.example"}))
    )
    first = world.arrives(subject="Offer", to=[ANNA, BEN], message_id="offer@x")
    world.arrives(subject="Re: Offer", to=BEN, in_reply_to=first, references=[first], message_id="again@x")
    hidden = [BEN] if secrets else []
    world.sends(ANNA, bcc=hidden, subject="Between us", in_reply_to="again@x", references=[first], message_id="bcc@x")
    if secrets:
        tell_secrets(world)
    else:  # spam is never read: that there is some is counted, how it came nobody knows
        world.arrives(sender="eve@stranger.example", to=BEN, labels=("SPAM",), message_id="spam-for-all@x")
    for address in (ANNA, BEN):
        world.sync(address)
    return world


SECRETS = ("doctor@x", "list@x", "strangers@x", "spam@x", "thread@x", "internal@x")


def tell_secrets(world: MailWorld) -> None:
    """One for each way in which mail can be nobody else's business. None reaches anybody but Ben."""
    world.arrives(sender=DOCTOR, to=BEN, subject="Results", message_id="doctor@x")
    world.arrives(sender="a@secret.example", to=[BEN, CARL], subject="Club", message_id="list@x")
    elsewhere = "someone@elsewhere.example"
    world.arrives(sender="eve@stranger.example", to=elsewhere, bcc=[BEN], subject="Psst", message_id="strangers@x")
    world.arrives(to=elsewhere, bcc=[BEN], subject="Hidden", labels=("SPAM",), message_id="spam@x")
    world.arrives(
        sender=DORA,
        to=elsewhere,
        bcc=[BEN],
        subject="Re: Offer",
        in_reply_to="offer@x",
        references=["offer@x"],
        message_id="thread@x",
    )
    world.arrives(
        sender="ada@acme.example", to="eve@acme.example", bcc=[BEN], subject="Us two", message_id="internal@x"
    )


def staged(patch: pytest.MonkeyPatch, world: MailWorld) -> Stage:
    stage = Stage().wire(patch)
    stage.documents.commit(
        [Create(path, fields) for path, fields in world.memory.dump().items() if "/keys/" not in path]
    )
    users = Users(stage.store(HOME))
    for user in (*PEOPLE.values(), READERS[-1]):
        stage.store(HOME).commit([users.updating(user) if users.find(user.user_id) else users.creating(user)])
    stage.companies[HOME] = Holding(world)  # type: ignore[assignment]  # of a company only its mail is asked for
    stage.blobs[HOME] = world.bucket
    return stage


@dataclass
class Holding:
    """A company that has mail alone."""

    mail: MailWorld


def everything_asked(stage: Stage, asks: list[User]) -> dict[tuple[str, str], tuple[int, bytes]]:
    """What each of them is told by each function that reads, with every id there is."""
    told = {}
    ids = [path.split("/") for path in stage.documents.paths() if path.startswith(f"tenants/{HOME}/")]
    contacts = sorted({parts[3] for parts in ids if parts[2] == "contacts"})
    messages = sorted({parts[3] for parts in ids if parts[2] == "messages"})
    sent = ("offer@x", "again@x", "bcc@x", *SECRETS, "never@x")
    requests: list[tuple[str, dict[str, str]]] = [
        ("duplicates_settle", {}),
        ("quarantine_replay", {}),
        ("timeline_read", {}),
        ("connection_status", {"mailbox": BEN_MAILBOX}),
        ("connection_status", {"mailbox": mailbox_id(ANNA)}),
        *(("timeline_read", {"contact": contact}) for contact in contacts),
        *(("message_read", {"message": message}) for message in messages),
        *(("missing_explain", {"mailbox": BEN_MAILBOX, "message_id": message}) for message in sent),
        *(("missing_explain", {"mailbox": mailbox_id(ANNA), "message_id": message}) for message in sent),
    ]
    for user in asks:
        for function, query in requests:
            answer = stage.asks(function, user, HOME, method="GET", query_string=query)
            told[f"{user.user_id} {function}", repr(query)] = (answer.status_code, answer.get_data())
    return told


@pytest.mark.parametrize("own_record", [True, False])
@pytest.mark.parametrize("share", [Share.FULL, Share.METADATA])
def test_nobody_else_is_told_anything_that_they_would_not_be_told_without_it(
    monkeypatch: pytest.MonkeyPatch, own_record: bool, share: Share
) -> None:
    without = everything_asked(staged(monkeypatch, company(secrets=False, own_record=own_record, share=share)), READERS)
    secretive = everything_asked(
        staged(monkeypatch, company(secrets=True, own_record=own_record, share=share)), READERS
    )
    assert secretive.keys() == without.keys()
    for asked, answer in without.items():
        assert secretive[asked] == answer, asked


@pytest.mark.parametrize("own_record", [True, False])
def test_ben_is_told_of_all_of_it(monkeypatch: pytest.MonkeyPatch, own_record: bool) -> None:
    """Or the test above would prove nothing."""
    world = company(secrets=True, own_record=own_record)
    stage = staged(monkeypatch, world)
    told = {
        message: stage.asks(
            "missing_explain",
            PEOPLE["rep"],
            HOME,
            method="GET",
            query_string={"mailbox": BEN_MAILBOX, "message_id": message},
        ).get_json()
        for message in (*SECRETS, "bcc@x")
    }
    assert all(answer["sentence"] != UNKNOWN for answer in told.values())
    assert told["doctor@x"]["rule"] == Rule.PERSONAL_NEVER_LOG
    assert told["spam@x"]["rule"] == Rule.SYSTEM_LABEL
    logged = {message for message, answer in told.items() if answer["state"] == State.LOGGED}
    assert logged == ({"bcc@x", "strangers@x", "thread@x"} if own_record else set())
    own = stage.asks("timeline_read", PEOPLE["rep"], HOME, method="GET").get_json()["data"]
    assert len(own) == (2 if own_record else 0)  # two conversations
    receipt = stage.asks(
        "connection_status", PEOPLE["rep"], HOME, method="GET", query_string={"mailbox": BEN_MAILBOX}
    ).get_json()["receipt"]
    assert receipt["listed"] == 9
    assert receipt["balanced"]


def test_an_admin_s_receipt_balances_without_what_is_kept_from_them(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = staged(monkeypatch, company(secrets=True))
    query = {"mailbox": BEN_MAILBOX}
    page = stage.asks("connection_status", PEOPLE["admin"], HOME, method="GET", query_string=query).get_json()
    assert (page["receipt"]["listed"], page["receipt"]["left_out"], page["receipt"]["balanced"]) == (
        3,
        {"system_label": 1},
        True,
    )


def test_nothing_of_it_is_on_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither which of Ben's mails came by Bcc, nor what his own list left out."""
    world = company(secrets=True)
    bcc = world.message("bcc@x")
    assert bcc is not None
    lines = [line for line in capsys.readouterr().out.splitlines() if BEN_MAILBOX in line]
    assert lines
    assert not any(bcc.message_id in line or Rule.PERSONAL_NEVER_LOG in line for line in lines)


def calendar(*, secrets: bool) -> Calendars:
    """Meetings that everybody may know of; and, with secrets, one that is private and one that Ann's own list names."""
    world = Calendars()
    world.change_mailbox(options=MailOptions(never_log=NeverLog(addresses=frozenset({DAN}))))
    world.ann.put(event("open", time_of(2026, 3, 4, 10), CARLA))
    if secrets:
        world.ann.put(event("private", time_of(2026, 3, 5, 10), CARLA, private=True, title="Surgery"))
        world.ann.put(event("listed", time_of(2026, 3, 6, 10), CARLA, DAN, title="Lawyers"))
    world.connect()
    return world


def meetings_told(patch: pytest.MonkeyPatch, world: Calendars) -> dict[str, bytes]:
    stage = Stage().wire(patch)
    stage.documents.commit([Create(path, fields) for path, fields in world.documents.dump().items()])
    users = Users(stage.store(HOME))
    stage.store(HOME).commit([users.creating(user) for user in PEOPLE.values()])
    queries = [{"contact": "carla"}, {"contact": "dan"}, {"mailbox": ANN_MAILBOX}]
    return {
        f"{who} {query}": stage.asks(
            "connection_status" if "mailbox" in query else "timeline_read", user, HOME, method="GET", query_string=query
        ).get_data()
        for who, user in PEOPLE.items()
        for query in queries
    }


def test_private_meetings_and_those_of_a_personal_list_are_told_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a private one its owner's calendar keeps that they are busy; on no timeline is even that."""
    secretive, without = calendar(secrets=True), calendar(secrets=False)
    assert len(secretive.copies().of_root(ANN_STREAM, "private")) == 1
    assert not any(word in secretive.words() for word in ("Surgery", "Lawyers"))
    told = meetings_told(monkeypatch, secretive)
    assert told == meetings_told(monkeypatch, without)
    assert b"About open" in told["executive {'contact': 'carla'}"]


def test_every_function_that_reads_what_mailboxes_hold_is_asked() -> None:
    """A new one belongs into the questions above. Deals, ledgers and signing accounts hold nothing of a mailbox."""
    asked = {
        "duplicates_settle",
        "quarantine_replay",
        "timeline_read",
        "connection_status",
        "message_read",
        "missing_explain",
    }
    of_other_things = {"contracts", "ledgers"}
    holding = {tried.function for tried in BY_PEOPLE if tried.method == "GET"} - COUNTS_BEFORE_ANY_RULE
    assert {name for name in holding if MANIFESTS[name].owner not in of_other_things} == asked
