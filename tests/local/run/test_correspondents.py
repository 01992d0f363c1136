"""Who becomes a contact when a reader brings mail and no contacts."""

from __future__ import annotations

import mailbox
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path

import pytest

from local.run.correspondents import frequent_correspondents
from local.takeout.files import UnreadableFileError

ME = "me@firm.example"


def _mail(sender: str, to: Sequence[str], **headers: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, ", ".join(to), "Hello"
    mail["Date"] = "Mon, 02 Mar 2026 10:00:00 +0000"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Text")
    return mail


def _found(tmp_path: Path, *mails: EmailMessage) -> list[tuple[str, str]]:
    path = tmp_path / "mail.mbox"
    box = mailbox.mbox(path)
    for mail in mails:
        box.add(mail)
    box.close()
    people = frequent_correspondents([path], ME, scratch=tmp_path / "scratch", limit=3)
    return [(one.address, one.name) for one in people]


def test_people_one_writes_to_come_before_people_who_write(tmp_path: Path) -> None:
    mails = [_mail("Shop <anna@shop.example>", [ME])] * 2 + [_mail(ME, ["Carl <carl@customer.example>"])]

    assert _found(tmp_path, *mails) == [("carl@customer.example", "Carl"), ("anna@shop.example", "Shop")]


def test_newsletters_robots_colleagues_and_oneself_are_no_contacts(tmp_path: Path) -> None:
    found = _found(
        tmp_path,
        _mail("News <jane@news.example>", [ME], List_Unsubscribe="<https://news.example/u>"),
        _mail("no-reply@bank.example", [ME]),
        _mail("Ben <ben@firm.example>", [ME]),
        _mail(ME, [ME]),
        _mail("junk@spam.example", [ME], X_Gmail_Labels="Spam"),
        _mail("Carl <carl@customer.example>", [ME]),
    )

    assert found == [("carl@customer.example", "Carl")]


def test_tags_and_capitals_are_one_person(tmp_path: Path) -> None:
    found = _found(tmp_path, _mail("Carl+Sales@Customer.example", [ME]), _mail("carl@customer.example", [ME]))

    assert found == [("carl@customer.example", "Carl")]


def test_a_file_that_is_no_mbox_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mail.mbox"
    path.write_bytes(b"PK\x03\x04")

    with pytest.raises(UnreadableFileError):
        frequent_correspondents([path], ME, scratch=tmp_path / "scratch", limit=3)
