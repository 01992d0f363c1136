"""Mail exports of Takeout, Thunderbird and mutt, whole, damaged and large."""

from __future__ import annotations

import gzip
import re
import tempfile
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.google.gmail.seed import FileSlice, SeedMessage
from local.takeout.files import UnreadableFileError
from local.takeout.mbox import read_mbox

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ME = "ada@example.com"


@dataclass
class Export:
    """A folder with exported files, and what the reader said about them."""

    folder: Path
    scratch: Path
    notices: list[str] = field(default_factory=list)

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def read(self, *paths: Path) -> list[SeedMessage]:
        return list(
            read_mbox(
                paths or [self.folder], own_addresses=[ME], scratch=self.scratch, now=NOW, report=self.notices.append
            )
        )


@pytest.fixture
def export(tmp_path: Path) -> Export:
    for name in ("export", "scratch"):
        (tmp_path / name).mkdir()
    return Export(tmp_path / "export", tmp_path / "scratch")


def bytes_of(message: SeedMessage) -> bytes:
    return message.raw if isinstance(message.raw, bytes) else message.raw.read()


def mail(body: bytes = b"Hello\n", *, separator: bytes = b"", **headers: str) -> bytes:
    lines = {"From": "bob@example.org", "Date": "Tue, 2 Jan 2024 03:04:05 +0000", **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in lines.items() if value)
    return (
        (separator or b"From bob@example.org Tue Jan  2 03:04:05 2024") + b"\n" + head.encode() + b"\n" + body + b"\n"
    )


def subjects(messages: list[SeedMessage]) -> list[str]:
    return [message_from_bytes(bytes_of(message))["Subject"] for message in messages]


def test_a_takeout_file_gives_labels_thread_and_the_exact_bytes(export: Export) -> None:
    body = b"Subject: Offer\nX-GM-THRID: 1828754568043628583\nX-Gmail-Labels: Inbox,Unread,Starred,Opened,Acme\n\nHi\n"
    path = export.write("Mail.mbox", b"From 1828754568043628583@xxx Mon Apr 07 14:31:02 +0000 2025\n" + body)

    (message,) = export.read(path)

    assert bytes_of(message) == body
    assert message.labels == ("INBOX", "UNREAD", "STARRED", "Acme")
    assert message.thread_hint == "1828754568043628583"
    assert message.received_at == datetime(2025, 4, 7, 14, 31, 2, tzinfo=UTC)
    assert isinstance(message.raw, FileSlice)
    assert message.raw.path == path


@pytest.mark.parametrize(
    ("header", "labels"),
    [
        ("Sent,Important", ("SENT", "IMPORTANT")),
        ("Trash", ("TRASH",)),
        ("Spam,Unread", ("SPAM", "UNREAD")),
        ("Drafts", ("DRAFT",)),
        ("Chat", ("CHAT",)),
        ("Archived,Opened,IMAP_$NotJunk", ()),
        ("Archived,Category Updates", ("CATEGORY_UPDATES",)),
        ('Inbox,"Deals, 2026",Acme/North', ("INBOX", "Deals, 2026", "Acme/North")),
        (
            "=?UTF-8?Q?Posteingang,Ge=C3=B6ffnet,Kategorie:_=22=22Pers=C3=B6nlich=22=22?=",
            ("INBOX", "CATEGORY_PERSONAL"),
        ),
        ("=?UTF-8?Q?Bo=C3=AEte_de_r=C3=A9ception,Non_lus?=", ("INBOX", "UNREAD")),
        (
            "=?UTF-8?Q?Messages_archiv=C3=A9s,Cat=C3=A9gorie=C2=A0:_E-mails_?=\n"
            ' =?UTF-8?Q?personnels,"Th=C3=A9,_caf=C3=A9"?=',
            ("CATEGORY_PERSONAL", "Thé, café"),
        ),
        ("=?UTF-8?B?6YCB5L+h5riI44G/?=", ("SENT",)),
        ("Boîte de réception", ("INBOX",)),
    ],
)
def test_takeout_labels_in_any_language_become_gmails(export: Export, header: str, labels: tuple[str, ...]) -> None:
    export.write("Mail.mbox", mail(X_Gmail_Labels=header))
    assert export.read()[0].labels == labels


def test_labels_in_an_unknown_language_are_kept_and_own_mail_is_still_sent(export: Export) -> None:
    export.write(
        "Mail.mbox", mail(X_Gmail_Labels="Postkista") + mail(From=f"Ada <{ME.upper()}>", X_Gmail_Labels="Farin")
    )
    assert [message.labels for message in export.read()] == [("Postkista", "INBOX"), ("Farin", "SENT")]


def test_without_label_headers_mail_from_me_is_sent_and_other_mail_is_in_the_inbox(export: Export) -> None:
    export.write("archive.mbox", mail(From=f"Ada L. <{ME}>") + mail(From="bob@example.org"))
    assert [message.labels for message in export.read()] == [("SENT",), ("INBOX",)]


def test_thunderbird_folders_flags_and_deleted_mail(export: Export) -> None:
    export.write("Inbox.msf", b"// index, no mail")
    separator = b"From - Tue Jan 02 03:04:05 2024"
    export.write(
        "Inbox",
        mail(separator=separator, Subject="read", X_Mozilla_Status="0001")
        + mail(separator=separator, Subject="deleted", X_Mozilla_Status="0009")
        + mail(separator=separator, Subject="starred", X_Mozilla_Status="0004"),
    )
    export.write("Trash", mail(separator=separator, Subject="binned"))

    messages = export.read()

    assert subjects(messages) == ["read", "starred", "binned"]
    assert [message.labels for message in messages] == [("INBOX",), ("INBOX", "UNREAD", "STARRED"), ("TRASH",)]
    assert ["deleted in Thunderbird" in notice for notice in export.notices] == [True]


def test_the_file_that_says_including_spam_and_trash_is_no_trash_folder(export: Export) -> None:
    export.write("All mail Including Spam and Trash.mbox", mail())
    assert export.read()[0].labels == ("INBOX",)


def test_mutt_status_headers_mark_unread_and_flagged_mail(export: Export) -> None:
    export.write("work", mail(Status="RO") + mail(Status="O", X_Status="F"))
    assert [message.labels for message in export.read()] == [("INBOX",), ("INBOX", "UNREAD", "STARRED")]


def test_quoted_from_lines_lose_one_mark(export: Export) -> None:
    body = b"Hello\n\n>From here on\n>>From deeper\n> From a reply\nend >From\n"
    export.write("Mail.mbox", mail(body, Subject="quoted") + mail(Subject="next"))

    first, second = export.read()

    assert bytes_of(first).endswith(b"\n\nHello\n\nFrom here on\n>From deeper\n> From a reply\nend >From\n")
    assert message_from_bytes(bytes_of(second))["Subject"] == "next"


@pytest.mark.parametrize("split_after", range(-1, 8))
def test_a_quoted_line_in_a_large_message_is_unquoted_wherever_it_lies(export: Export, split_after: int) -> None:
    head = len(mail(b"").partition(b"\n")[2]) - 1
    filler = b"x" * (1024 * 1024 - head - 1 - split_after) + b"\n"  # messages are rewritten in pieces of 1 MiB
    export.write("Mail.mbox", mail(filler + b">From the edge\n" + filler))
    (message,) = export.read()
    assert bytes_of(message).endswith(filler + b"From the edge\n" + filler)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_the_blank_line_after_a_message_is_not_part_of_the_message(export: Export, newline: bytes) -> None:
    content = (mail(b"one\n") + mail(b"two\n")).replace(b"\n", newline)
    export.write("Mail.mbox", content)
    first, second = export.read()
    assert bytes_of(first).endswith(newline + newline + b"one" + newline)
    assert bytes_of(second).endswith(newline + newline + b"two" + newline)


@pytest.mark.parametrize(
    "separator",
    [
        b"From 1828754568043628583@xxx Mon Apr 07 14:31:02 +0000 2025",
        b"From - Tue Jan 02 03:04:05 2024",
        b"From MAILER-DAEMON Tue Jan  2 03:04:05 2024",
        b"From bob@example.org Tue Jan  2 03:04:05 CET 2024",
        b"From bob@example.org  Tue Jan 2 3:04 2024",
        b"From bob@example.org 2024-01-02 03:04:05",
        b"From bob@example.org 02/01/24 03:04",
        b"From bob@example.org",
        b"From -",
    ],
)
def test_separators_with_odd_dates_still_separate(export: Export, separator: bytes) -> None:
    export.write("Mail.mbox", mail(Subject="one") + mail(separator=separator, Subject="two"))
    assert subjects(export.read()) == ["one", "two"]


@pytest.mark.parametrize(
    "body",
    [
        b"Prices:\n\nFrom Monday on they rise\nNote: this is final\n",
        b"Prices:\n\nFrom here it is easy.\n\nBye\n",
        b"Dear all,\nFrom bob@example.org we heard\nSubject: nothing\n",
        b"Trip\n\nFrom Oslo to Bergen\n",
    ],
)
def test_body_lines_that_begin_with_from_do_not_separate(export: Export, body: bytes) -> None:
    export.write("Mail.mbox", mail(body) + mail(Subject="next"))
    first, _ = export.read()
    assert bytes_of(first).endswith(body)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(["", "From bob@example.org Tue Jan  2 03:04:05 2024", ">From me", "From: x", "text"])),
        min_size=1,
        max_size=5,
    )
)
def test_what_was_quoted_when_written_comes_back_as_it_was(bodies: list[list[str]]) -> None:
    written = [("\n".join(["Subject: x", "", *body, "end"]) + "\n").encode() for body in bodies]
    separator = b"From bob@example.org Tue Jan  2 03:04:05 2024\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "Mail.mbox")
        path.write_bytes(b"".join(separator + re.sub(rb"(?m)^(>*From )", rb">\1", mail) + b"\n" for mail in written))
        read = read_mbox([path], own_addresses=[ME], scratch=Path(folder), now=NOW, report=print)
        assert [bytes_of(message) for message in read] == written


def test_a_missing_blank_line_before_an_exact_separator_is_forgiven(export: Export) -> None:
    export.write("Mail.mbox", mail(Subject="one").removesuffix(b"\n") + mail(Subject="two"))
    assert subjects(export.read()) == ["one", "two"]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Date": "Wed, 6 May 2026 18:21:24 +0200"}, datetime(2026, 5, 6, 16, 21, 24, tzinfo=UTC)),
        (
            {
                "Date": "Wed, 6 May 2026 18:21:24 +0200",
                "Received": "by mx.example.com; Wed, 6 May 2026 09:21:37 -0700 (PDT)",
            },
            datetime(2026, 5, 6, 16, 21, 37, tzinfo=UTC),
        ),
        (
            {"Date": "Fri, 1 Jan 2099 00:00:00 +0000", "Received": "by mx.example.com; Wed, 6 May 2026 16:21:37 +0000"},
            datetime(2026, 5, 6, 16, 21, 37, tzinfo=UTC),
        ),
        ({"Date": "Thu, 1 Jan 1970 00:00:00 +0000"}, datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ({"Date": "yesterday, honest"}, datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ({"Date": "Tue, 99 Foo 99999999999 77:88:99 +9999"}, datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ({"Date": ""}, datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ({"Date": "2026-05-06 18:21:24"}, datetime(2026, 5, 6, 18, 21, 24, tzinfo=UTC)),
    ],
)
def test_the_time_comes_from_the_best_source_that_can_be_believed(
    export: Export, headers: dict[str, str], expected: datetime
) -> None:
    export.write("Mail.mbox", mail(b"Hello\n", separator=b"", **headers))
    assert export.read()[0].received_at == expected


def test_mail_without_any_date_keeps_its_place_in_the_file(export: Export) -> None:
    dateless = mail(separator=b"From -", Date="")
    export.write("Mail.mbox", mail(Date="Wed, 6 May 2026 18:21:24 +0000") + dateless + dateless)
    times = [message.received_at for message in export.read()]
    assert [moment.second for moment in times] == [24, 25, 26]


def test_damaged_headers_are_read_as_they_are(export: Export) -> None:
    head = (
        b"From bob@example.org Tue Jan  2 03:04:05 2024\n"
        b"Subject: =?no-such-charset?Q?caf=E9?= =?utf-8?B?!!!?= caf\xe9\n"
        b"From: =?utf-8?Q?J\xf6rg <joerg@example.org>\n"
        b"X-Gmail-Labels: =?no-such-charset?Q?Inbox?=,\xff\xfe\n\n\xe9\x00\xff\n"
    )
    export.write("Mail.mbox", head)
    (message,) = export.read()
    assert bytes_of(message) == head.partition(b"\n")[2]


def test_missing_and_repeated_message_ids_lose_no_mail(export: Export) -> None:
    export.write("Mail.mbox", mail() + mail(Message_ID="<1@example.org>") + mail(Message_ID="<1@example.org>") + mail())
    assert len(export.read()) == 4


def test_one_message_exported_under_two_labels_is_read_once(export: Export) -> None:
    message = mail(
        separator=b"From 1828754568043628583@xxx Mon Apr 07 14:31:02 +0000 2025", X_Gmail_Labels="Inbox,Acme"
    )
    export.write("Acme.mbox", message)
    export.write("Inbox.mbox", message)
    assert [message.labels for message in export.read()] == [("INBOX", "Acme")]
    assert len(export.notices) == 1


def test_a_thirty_deep_multipart_is_one_message(export: Export) -> None:
    inner = b"Content-Type: text/plain\n\ndeep\n"
    for level in range(30):
        mark = b"b%d" % level
        inner = (
            b"Content-Type: multipart/mixed; boundary="
            + mark
            + b"\n\n--"
            + mark
            + b"\n"
            + inner
            + b"--"
            + mark
            + b"--\n"
        )
    export.write(
        "Mail.mbox", b"From bob@example.org Tue Jan  2 03:04:05 2024\nSubject: deep\n" + inner + b"\n" + mail()
    )
    assert len(export.read()) == 2


def test_a_truncated_last_message_is_kept(export: Export) -> None:
    export.write("Mail.mbox", (mail(Subject="whole") + mail(b"x" * 200, Subject="cut"))[:-150])
    assert subjects(export.read()) == ["whole", "cut"]
    export.write("Mail.mbox", mail(Subject="whole") + b"From bob@example.org Tue Jan  2 03:04:05 2024\nSubj")
    assert subjects(export.read()) == ["whole"]


def test_an_empty_file_is_an_empty_mailbox(export: Export) -> None:
    assert export.read(export.write("Mail.mbox", b"")) == []


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, b"PK\x03\x04", b"Dear diary\n", b"\x00" * 9]
)
def test_a_file_that_is_no_mailbox_is_named_with_the_offset(export: Export, content: bytes) -> None:
    path = export.write("holiday.mbox", content)
    with pytest.raises(UnreadableFileError, match=r"holiday\.mbox: byte 0 does not begin a mailbox"):
        export.read(path)


def test_junk_after_a_separator_is_left_out_with_its_offset(export: Export) -> None:
    junk = b"From bob@example.org Tue Jan  2 03:04:05 2024\n\n" + bytes(range(128, 256)) + b"\n\n"
    export.write("Mail.mbox", mail(Subject="one") + junk + mail(Subject="two"))
    assert subjects(export.read()) == ["one", "two"]
    assert "Mail.mbox: the message at byte " in export.notices[0]


def test_a_compressed_mailbox_reads_like_a_plain_one(export: Export) -> None:
    content = mail(Subject="one") + mail(b">From quoted\n", Subject="two")
    export.write("Mail.mbox.gz", gzip.compress(content))
    first, second = export.read()
    assert subjects([first, second]) == ["one", "two"]
    assert bytes_of(second).endswith(b"\n\nFrom quoted\n")


def test_a_compressed_mailbox_that_ends_early_gives_what_is_there(export: Export) -> None:
    content = b"".join(mail(Subject=str(number), X_Noise=f"{number * 7919 % 10007}") for number in range(2000))
    packed = gzip.compress(content)
    messages = export.read(export.write("Mail.mbox.gz", packed[: len(packed) // 2]))
    assert 100 < len(messages) < 2000
    assert "ends or breaks after byte" in export.notices[0]


def test_a_compressed_file_of_something_else_is_named(export: Export) -> None:
    path = export.write("Mail.mbox.gz", b"not packed at all")
    with pytest.raises(UnreadableFileError, match=r"Mail\.mbox\.gz: byte 0"):
        export.read(path)


def test_a_folder_gives_its_mailboxes_in_natural_order_and_nothing_else(export: Export) -> None:
    export.write("notes.txt", b"From me to you\n")
    export.write("logo", b"\x89PNG")
    for part in (10, 2, 1):
        export.write(f"Takeout/part{part}.mbox", mail(Subject=str(part)))
    assert subjects(export.read()) == ["1", "2", "10"]


def test_a_path_that_does_not_exist_and_an_empty_folder_are_named(export: Export) -> None:
    with pytest.raises(UnreadableFileError, match="no such file"):
        export.read(export.folder / "gone.mbox")
    with pytest.raises(UnreadableFileError, match="holds no mbox file"):
        export.read()


def test_large_messages_cost_no_memory(export: Export) -> None:
    path = export.write("Mail.mbox", mail((b"A" * 76 + b"\n") * 400_000, Subject="large") + mail(Subject="small"))
    assert path.stat().st_size > 30_000_000
    assert peak_memory_of(lambda: export.read(path)) < 4_000_000


def test_many_messages_cost_little_memory_each(export: Export) -> None:
    path = export.write("Mail.mbox", b"".join(mail(Subject=str(number)) for number in range(3000)))
    kept = 0

    def count() -> None:
        nonlocal kept
        for _ in read_mbox([path], own_addresses=[ME], scratch=export.scratch, now=NOW, report=export.notices.append):
            kept += 1

    assert peak_memory_of(count) < 2_000_000
    assert kept == 3000


def peak_memory_of(action: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
