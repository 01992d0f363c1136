"""What a newcomer sees: one command, and a mailbox becomes customer timelines before their eyes."""

from __future__ import annotations

import mailbox
import re
import signal
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Ended, Runs

pytestmark = [pytest.mark.e2e, pytest.mark.emulator, pytest.mark.timeout(240)]
ME = "me@example.com"


def test_the_sample_run_shows_every_step_and_ends_well(once: Callable[..., Ended]) -> None:
    ended = once()

    assert ended.code == 0, ended.out + ended.err
    for line in (
        r"ready in \d+\.\d s +\d+ MB",
        r"organization Birchline",
        r"nora@birchline\.example connected: +gmail\.readonly",
        r"nora@birchline\.example: cursor pinned, Gmail watched until",
        r"meanwhile a mail for .* arrived: on the timeline after",
        r"Nora Lindqvist: \d+/\d+ +100 %",
        r"all \d+ messages and \d+ events became what their stories say",
        r"A mail arrives +\d+ ms",
        r"Nora answers from Gmail +\d+ ms",
        r"A colleague's copy of the first mail arrives +\d+ ms",
        r"A Bcc'd copy arrives +\d+ ms",
        r"A meeting is booked +\d+ ms",
        r"The meeting is moved +\d+ ms",
        r"One instance of a series is cancelled +\d+ ms",
        r"A mail goes to trash +\d+ ms",
        r"Another comes back from spam +\d+ ms",
        r"coming up",
        r"Two more rooms after all  2 messages",
        r"unexplained +0 +0 +0",
        r"Quote to cash: Birchline, with DocuSign and QuickBooks",
        r"Quote to cash: Harbor, with DocuSign and NetSuite",
        r"Every step was seen to happen\.",
    ):
        assert re.search(line, ended.out), f"{line} is missing in:\n{ended.out}"
    assert ended.out.count("Everyone on it is a colleague") == 1
    assert_plain(ended.out)


def test_the_cash_scene_alone_goes_from_quote_to_cash_in_two_ledgers(once: Callable[..., Ended]) -> None:
    ended = once(SCENE="cash")

    assert ended.code == 0, ended.out + ended.err
    assert "Gmail units" not in ended.out
    sales = ended.out.split("Quote to cash: ")[1:]
    assert [sale.split(",")[0] for sale in sales] == ["Birchline", "Harbor"]
    for sale, ledger in zip(sales, ("QuickBooks", "NetSuite"), strict=True):
        text = " ".join(sale.split())
        for line in (
            "connected DocuSign: account",
            f"connected {ledger}:",
            "% alike, accepted",
            "quotes 22,680.00 USD",
            "Mail scanners fetch the link and everything behind it nothing happens",
            "opens the quote and presses Accept",
            "partially signed; the deal is still open",
            "signs for us: Closed Won",
            "2 signatures, one contract signed",
            "Signed PDF and certificate are kept in our own bucket",
            "counted there: 1; tax 1,680.00 USD",
            "the deal shows: partially paid",
            "the deal shows: paid",
            "The second payment bounces: open again",
        ):
            assert line in text, f"{line} is missing in:\n{sale}"
        assert re.findall(r"^ +\d\d:\d\d:\d\d +([a-z.]+\.[a-z_]+)", sale, re.MULTILINE).count("invoice.created") == 1
    assert_plain(ended.out)


def assert_plain(out: str) -> None:
    """As it reads where no terminal is."""
    assert "\x1b" not in out
    assert max(len(line) for line in out.splitlines()) <= 80


def test_ones_own_mail_and_calendar_become_ones_own_timelines(once: Callable[..., Ended], tmp_path: Path) -> None:
    mbox, ics, contacts = _export(tmp_path)

    ended = once(MBOX=str(mbox), ICS=str(ics), CONTACTS=str(contacts), ME=ME)

    assert ended.code == 0, ended.out + ended.err
    assert "5 mails and 1 event" in ended.out
    assert "Row 3: 'nowhere' is not an email address" in ended.out
    assert "the same import takes" in ended.out
    assert "Carl Custom" in ended.out
    assert "Plan of the year" in ended.out
    assert re.search(r"listed by Gmail +5", ended.out)
    assert re.search(r"logged +4", ended.out)
    assert re.search(r"unexplained +0", ended.out)
    assert "It is a newsletter" in ended.out


def test_without_contacts_those_one_writes_with_are_the_contacts(once: Callable[..., Ended], tmp_path: Path) -> None:
    mbox, _, _ = _export(tmp_path)

    ended = once(MBOX=str(mbox), ME=ME)

    assert ended.code == 0, ended.out + ended.err
    assert "Without CONTACTS= the 2 people you write with most are the contacts" in ended.out
    assert "dora@other.example" in ended.out


def test_a_run_goes_on_until_ctrl_c_and_then_leaves_nothing(runs: Runs, tmp_path: Path) -> None:
    mbox, _, _ = _export(tmp_path)
    run = runs.start(MBOX=str(mbox), ME=ME)
    assert run.stdout is not None
    until_closing = iter(run.stdout.readline, "")
    assert any(line.startswith("stop ") for line in until_closing)

    run.send_signal(signal.SIGINT)

    assert run.wait() == 0
    assert runs.left() == []


def test_a_taken_port_is_a_sentence_and_nothing_is_started(runs: Runs) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        ended = runs.to_the_end(PORTS=f"firestore={port}", ONCE="1")

    assert ended.code == 2
    assert re.fullmatch(rf"port {port} for firestore is taken by pid \d+ .*: stop it, then start again\n", ended.err)
    assert runs.left() == []


def test_a_machine_without_java_is_told_what_to_install(runs: Runs, tmp_path: Path) -> None:
    ended = runs.to_the_end(PATH=str(tmp_path))

    assert ended.code == 2
    assert ended.err.startswith("Java is missing")
    assert "apt-get install" in ended.err


def _export(folder: Path) -> tuple[Path, Path, Path]:
    """An mbox of five mails, a calendar of one meeting, and contacts of which one row is wrong."""
    mbox, ics, contacts = folder / "mail.mbox", folder / "calendar.ics", folder / "contacts.csv"
    box = mailbox.mbox(mbox)
    first = _mail("Carl <carl@customer.example>", ME, "Offer", "<offer@customer.example>", days_ago=900)
    answer = _mail(ME, "carl@customer.example", "Re: Offer", "<answer@example.com>", days_ago=3)
    answer["In-Reply-To"] = "<offer@customer.example>"
    twin = _mail("Dora <dora@other.example>", ME, "Another mail of this id", "<offer@customer.example>", days_ago=2)
    nameless = _mail("carl@customer.example", ME, "No id at all", None, days_ago=1)
    news = _mail("news@letters.example", ME, "Ten ceilings", "<news@letters.example>", days_ago=1)
    news["List-Unsubscribe"] = "<https://letters.example/u>"
    for mail in (first, answer, twin, nameless, news):
        box.add(mail)
    box.close()
    start = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y%m%dT100000Z")
    ics.write_text(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//t//EN\nBEGIN:VEVENT\nUID:plan@example.com\n"
        f"DTSTART:{start}\nDURATION:PT1H\nSUMMARY:Plan of the year\nORGANIZER:mailto:{ME}\n"
        f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:carl@customer.example\nATTENDEE;PARTSTAT=ACCEPTED:mailto:{ME}\n"
        "END:VEVENT\nEND:VCALENDAR\n"
    )
    contacts.write_text(
        "Name,Email\nCarl Custom,carl@customer.example\nNo One,nowhere\nDora Other,dora@other.example\n"
    )
    return mbox, ics, contacts


def _mail(sender: str, to: str, subject: str, message_id: str | None, *, days_ago: int) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = format_datetime(datetime.now(UTC) - timedelta(days=days_ago))
    if message_id:
        mail["Message-ID"] = message_id
    mail.set_content("A few words.")
    return mail
