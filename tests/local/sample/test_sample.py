"""What lies in the sample: enough of everything, every hard case, and nothing that could not be true."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path
from shutil import copytree

import pytest

from local.google.calendar import series
from local.google.gmail.seed import SeedMessage
from local.sample.load import FOLDER, load_sample
from local.sample.model import Expected, Outcome, Sample
from shared.csv_table import read_table
from tests.local.google.calendar_world import World as CalendarWorld
from tests.local.sample.world import MONDAY


@dataclass(frozen=True)
class Shown:
    """A copy that claims to show a hard case."""

    raw: bytes
    labels: tuple[str, ...]
    mailbox: str
    outcome: str
    received_at: datetime
    holders: int

    @property
    def mail(self) -> Message:
        return message_from_bytes(self.raw)

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def head(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[0]

    def part(self, kind: str) -> bool:
        return any(part.get_content_type() == kind for part in self.mail.walk())

    def names(self, *headers: str) -> str:
        return " ".join(str(self.mail[name] or "") for name in headers)

    def text(self, kind: str) -> str:
        """What the parts of this kind say, as UTF-8."""
        found = [part.get_payload(decode=True) for part in self.mail.walk() if part.get_content_type() == kind]
        return "".join(content.decode("utf-8", "replace") for content in found if isinstance(content, bytes))


@pytest.fixture(scope="module")
def sample() -> Sample:
    return load_sample(MONDAY)


def depth(mail: Message) -> int:
    inner = mail.get_payload()
    return (
        1 + max((depth(part) for part in inner if isinstance(part, Message)), default=0)
        if isinstance(inner, list)
        else 0
    )


def unread_by(rule: str) -> Callable[[Shown], bool]:
    return lambda shown: shown.outcome == rule


def encoded(charset: str) -> Callable[[Shown], bool]:
    return lambda shown: f'charset="{charset}"'.encode() in shown.raw.lower()


def sent(shown: Shown) -> bool:
    return "SENT" in shown.labels


CASES: dict[str, Callable[[Shown], bool]] = {
    "absurd_date": lambda shown: "1970" in shown.names("Date"),
    "address_on_two_contacts": lambda shown: "reception@" in shown.names("From", "To"),
    "alias_as_recipient": lambda shown: "birchline-iberia.example" in shown.names("To"),
    "alias_as_sender": lambda shown: re.search("nora.lindqvist@|birchline-iberia", shown.names("From")) is not None,
    "answered_by_us": sent,
    "attached_message": lambda shown: shown.part("message/rfc822"),
    "attachment_csv": lambda shown: shown.part("text/csv"),
    "attachment_pdf": lambda shown: shown.part("application/pdf"),
    "attachment_png": lambda shown: shown.part("image/png"),
    "bcc_copy": lambda shown: not sent(shown) and shown.mailbox not in shown.names("To", "Cc"),
    "broken_charset": lambda shown: b"utf8-or-so" in shown.body,
    "calendar_invitation": lambda shown: shown.part("text/calendar"),
    "colleague_copy": lambda shown: shown.holders > 1,
    "company_subdomain": lambda shown: "procurement.redwater.example" in shown.names("From", "To"),
    "contact_with_two_addresses": lambda shown: "homepost.example" in shown.names("From", "To"),
    "draft": lambda shown: shown.labels == ("DRAFT",),
    "eight_bit_headers": lambda shown: not shown.head.isascii(),
    "encoded_words": lambda shown: b"=?utf-8?" in shown.head,
    "group_address": lambda shown: "info@birchline.example" in shown.names("To", "Cc"),
    "hostile_html": lambda shown: "<script>" in shown.text("text/html") and "onclick" in shown.text("text/html"),
    "html_only": lambda shown: shown.part("text/html") and not shown.part("text/plain"),
    "inline_image": lambda shown: "cid:" in shown.text("text/html") and b"Content-ID: <" in shown.raw,
    "internal_only": unread_by("internal_only"),
    "iso_2022_jp": encoded("iso-2022-jp"),
    "late_parent": lambda shown: shown.received_at - parsedate_to_datetime(shown.names("Date")) > timedelta(days=1),
    "latin1_labelled_utf8": lambda shown: b"charset=utf-8" in shown.raw and b"Graut\xf6ne" in shown.body,
    "long_history": lambda shown: " wrote:\r\n> " in shown.text("text/plain"),
    "mailing_list": lambda shown: bool(shown.mail["List-Post"]),
    "many_recipients": lambda shown: shown.names("To").count("@") == 250,
    "missing_message_id": lambda shown: shown.mail["Message-ID"] is None,
    "newsletter": lambda shown: bool(shown.mail["List-Unsubscribe"]),
    "no_access": unread_by("no_access"),
    "no_date": lambda shown: shown.mail["Date"] is None,
    "no_reply_sender": lambda shown: "no-reply@" in shown.names("From"),
    "older_than_the_window": lambda shown: shown.received_at < MONDAY - timedelta(days=183),
    "organization_never_log": unread_by("organization_never_log"),
    "personal_never_log": unread_by("personal_never_log"),
    "plus_addressing": lambda shown: "+" in shown.names("From", "To"),
    "remote_image": lambda shown: 'src="https://' in shown.text("text/html"),
    "reply_across_mailboxes": lambda shown: "In-Reply-To" in shown.mail and "maya@" in shown.names("From"),
    "reused_message_id": lambda shown: shown.names("Message-ID") == "<po-7731@coppergate.example>",
    "sender_unknown": unread_by("sender_unknown"),
    "spam": lambda shown: shown.labels == ("SPAM",),
    "split_encoded_word": lambda shown: shown.head.count(b"=?UTF-8?B?") > 2,
    "thirty_deep": lambda shown: depth(shown.mail) == 30,
    "trash": lambda shown: shown.labels == ("TRASH",),
    "trimmed_references": lambda shown: len(shown.names("References").split()) == 1,
    "truncated_multipart": lambda shown: b"--minutes--" not in shown.raw,
    "unmatched": lambda shown: shown.outcome in ("no_match", "own_record"),
    "unmatched_at_a_customers_domain": lambda shown: "@redwater.example" in shown.names("From"),
    "windows_1252": encoded("windows-1252"),
}


def shown_in(sample: Sample, case: str) -> list[list[Shown]]:
    """The messages that claim to show the case, each as all its copies."""
    found: dict[str, list[Shown]] = {}
    holders = Counter(one.key for one in sample.expected)
    for seed, one in copies(sample):
        if case in one.shows:
            word = (one.rule or one.outcome).value
            shown = Shown(raw(seed), seed.labels, one.mailbox, word, seed.received_at, holders[one.key])
            found.setdefault(one.key, []).append(shown)
    return list(found.values())


def copies(sample: Sample) -> list[tuple[SeedMessage, Expected]]:
    return [
        pair
        for address, seeds in sample.mailboxes.items()
        for pair in zip(seeds, [one for one in sample.expected if one.mailbox == address], strict=True)
    ]


def raw(seed: SeedMessage) -> bytes:
    assert isinstance(seed.raw, bytes)
    return seed.raw


@pytest.mark.parametrize("case", CASES)
def test_the_hard_case_is_there(sample: Sample, case: str) -> None:
    messages = shown_in(sample, case)
    assert messages
    for message in messages:
        assert any(CASES[case](copy) for copy in message)


def test_no_message_claims_a_case_that_nobody_checks(sample: Sample) -> None:
    assert {case for one in sample.expected for case in one.shows} == set(CASES)


def test_there_is_enough_of_everything(sample: Sample) -> None:
    keys = {one.key for one in sample.expected}
    assert len(keys) >= 80
    assert len({key.partition("/")[0] for key in keys}) >= 25
    rows = read_table(sample.contacts_csv).rows
    assert len(rows) == 15
    assert 6 <= len({row["Company"] for row in rows}) <= 8
    assert len({meeting.key for meeting in sample.expected_meetings}) >= 20
    assert len(sample.users) == len(sample.mailboxes) == len(sample.events) == 3


def test_meetings_show_their_kinds(sample: Sample) -> None:
    events = [event for calendar in sample.events.values() for event in calendar]
    zones = {event["start"]["timeZone"] for event in events if "dateTime" in event.get("start", {})}
    assert {"Europe/Helsinki", "America/Chicago", "Asia/Tokyo"} <= zones
    assert any("date" in event.get("start", {}) for event in events), "all day"
    assert any("recurrence" in event for event in events)
    assert any("recurringEventId" in event and "start" in event for event in events), "a moved instance"
    assert any("recurringEventId" in event and event["status"] == "cancelled" for event in events)
    assert any(event.get("visibility") == "private" for event in events)
    assert any("hangoutLink" in event for event in events)
    organizers = {event["organizer"]["email"].partition("@")[2] for event in events}
    assert {"birchline.example", "hafenkante.example"} <= organizers


def test_a_series_keeps_its_hour_over_a_change_of_clocks(sample: Sample) -> None:
    mine = sample.events["nora@birchline.example"]
    [master] = [event for event in mine if event.get("summary") == "Pilot check-in" and "recurrence" in event]
    starts = [start for start in series.starts(master) if isinstance(start, datetime)]
    assert {start.hour for start in starts} == {9}
    assert len({start.utcoffset() for start in starts}) == 2


def test_the_simulated_calendar_takes_every_event(sample: Sample, tmp_path: Path) -> None:
    world = CalendarWorld(tmp_path)
    for user in sample.users:
        world.service.open_account(world.accounts.create({"email": user.email, "aliases": list(user.aliases)}))
        events = sample.events[user.email]
        answer = world.control("seed", email=user.email, events=events)
        assert answer == {"added": len(events), "left_out": []}


def test_the_simulated_calendar_plays_the_scene(sample: Sample, tmp_path: Path) -> None:
    world = CalendarWorld(tmp_path)
    world.now = MONDAY
    for user in sample.users:
        world.service.open_account(world.accounts.create({"email": user.email, "aliases": list(user.aliases)}))
        world.control("seed", email=user.email, events=sample.events[user.email])
    for step in sample.scene:
        for call in step.calls:
            if call.service == "calendar":
                world.control(call.action, **call.body)


MOMENTS = [
    MONDAY,
    datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    datetime(2026, 11, 22, 0, 5, tzinfo=UTC),
    datetime(2028, 2, 29, 23, 59, tzinfo=UTC),
]


@pytest.mark.parametrize("now", MOMENTS, ids=str)
def test_it_is_fresh_at_any_moment(now: datetime) -> None:
    sample = load_sample(now)
    assert all(one.received_at < now for one in sample.expected)
    listed = [one.received_at for one in sample.expected if one.outcome is not Outcome.UNLISTED]
    assert min(listed) > now - timedelta(days=180)
    assert len(sample.scene) == 9


def test_loading_twice_gives_the_same_bytes() -> None:
    assert load_sample(MONDAY) == load_sample(MONDAY)


def test_no_two_messages_of_a_mailbox_arrive_in_one_second(sample: Sample) -> None:
    arrivals = [(one.mailbox, one.received_at) for one in sample.expected]
    assert len(set(arrivals)) == len(arrivals)


def test_everybody_lives_under_example_domains(sample: Sample) -> None:
    named = {
        address
        for seed, _ in copies(sample)
        for name in ("From", "To", "Cc", "Bcc", "Delivered-To")
        for _, address in getaddresses([str(message_from_bytes(raw(seed))[name] or "")])
    }
    named |= {event["organizer"]["email"] for calendar in sample.events.values() for event in calendar}
    named |= {row["Email"] for row in read_table(sample.contacts_csv).rows}
    assert {address for address in named if address and not address.endswith(".example")} == set()


def test_a_slip_of_the_pen_is_refused_with_its_place(tmp_path: Path) -> None:
    folder = Path(copytree(FOLDER, tmp_path / "sample"))
    story = folder / "mail" / "sofia.yaml"
    story.write_text(
        story.read_text(encoding="utf-8").replace("      cc: [oskar]", "      cq: [oskar]"), encoding="utf-8"
    )
    with pytest.raises(ValueError, match="sofia-travel/m1: nobody reads cq"):
        load_sample(MONDAY, folder)
