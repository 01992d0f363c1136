"""Messages as the Gmail API tells them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from local.google.gmail import mime
from local.google.gmail.headers import addresses_in, as_gmail_tells, split_head


def told(raw: bytes | str) -> dict[str, Any]:
    content = raw if isinstance(raw, bytes) else raw.replace("\n", "\r\n").encode()
    return mime.payload(content, mime.parse(content), mime.AttachmentId())


def text_of(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64decode(part["body"]["data"]).decode()


def shape(part: dict[str, Any]) -> Any:
    """The tree as (part id, media type) and children."""
    return (part["partId"], part["mimeType"], [shape(child) for child in part.get("parts", [])])


MIXED = """From: kim@client.example
Subject: Offer
Content-Type: multipart/mixed; boundary="outer"

This is a message for old readers.
--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe
--inner
Content-Type: text/html; charset=utf-8

<p>Grüße</p>
--inner--
--outer
Content-Type: application/pdf; name="offer.pdf"
Content-Disposition: attachment; filename="offer.pdf"
Content-Transfer-Encoding: base64

JVBERi0xLjQK
JVBERi0xLjQK
--outer--
trailing words
"""


def test_a_mail_with_alternatives_and_a_file_is_a_tree_with_numbered_parts() -> None:
    payload = told(MIXED)
    assert shape(payload) == (
        "",
        "multipart/mixed",
        [
            ("0", "multipart/alternative", [("0.0", "text/plain", []), ("0.1", "text/html", [])]),
            ("1", "application/pdf", []),
        ],
    )
    assert payload["body"] == {"size": 0}


def test_text_comes_inline_in_utf8_whatever_its_charset_was() -> None:
    alternatives = told(MIXED)["parts"][0]["parts"]
    assert text_of(alternatives[0]) == "Grüße"
    assert text_of(alternatives[1]) == "<p>Grüße</p>"
    assert alternatives[0]["body"]["size"] == len("Grüße".encode())


def test_a_file_comes_as_an_id_with_its_decoded_size() -> None:
    file = told(MIXED)["parts"][1]
    assert file["filename"] == "offer.pdf"
    assert file["body"].keys() == {"attachmentId", "size"}
    assert file["body"]["size"] == 18


def test_attachment_ids_change_at_every_read_and_all_name_the_part() -> None:
    ids = mime.AttachmentId()
    first, second = ids.make("1.2"), ids.make("1.2")
    assert first != second
    assert ids.part_id(first) == ids.part_id(second) == "1.2"
    assert ids.part_id("made up") is None


def test_headers_keep_order_case_and_duplicates() -> None:
    payload = told("Received: two\nRECEIVED: one\nX-Odd:\nSubject: a: b\n\nHi")
    assert payload["headers"] == [
        {"name": "Received", "value": "two"},
        {"name": "RECEIVED", "value": "one"},
        {"name": "X-Odd", "value": ""},
        {"name": "Subject", "value": "a: b"},
    ]


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("Subject", b"=?utf-8?q?Gr=C3=BC=C3=9Fe_aus?= =?utf-8?q?_K=C3=B6ln?=", "Grüße aus Köln"),
        ("Subject", b"=?utf-8?b?w6Q=?= plain =?iso-8859-1?q?=E9?=", "ä plain é"),
        ("Subject", b"=?utf-8?q?half_a_=C3?= =?utf-8?q?=A9?=", "half a é"),
        ("Subject", b"=?x-unknown?q?abc?=", "=?x-unknown?q?abc?="),
        ("Subject", b"folded\r\n\t over two lines", "folded\t over two lines"),
        ("Subject", "Grüße, roh".encode(), "Grüße, roh"),
        ("Subject", b"latin \xe9", "latin �"),
        ("From", b"=?utf-8?q?Doe=2C_Jane?= <jane@client.example>", '"Doe, Jane" <jane@client.example>'),
        ("From", b'"=?utf-8?q?Doe=2C_Jane?=" <jane@client.example>', '"Doe, Jane" <jane@client.example>'),
        ("From", b"=?utf-8?q?J=C3=A4ne?= <jane@client.example>", "Jäne <jane@client.example>"),
    ],
)
def test_header_values_are_unfolded_and_decoded(name: str, raw: bytes, expected: str) -> None:
    assert as_gmail_tells(name, raw) == expected


def test_a_text_file_with_a_name_is_an_attachment() -> None:
    payload = told("Content-Type: text/plain\nContent-Disposition: attachment; filename*=utf-8''n%C3%B6te.txt\n\nHi")
    assert payload["filename"] == "nöte.txt"
    assert "attachmentId" in payload["body"]


def test_a_forwarded_message_shows_its_own_parts() -> None:
    payload = told(
        "Content-Type: multipart/report; boundary=b\n\n--b\n\nIt bounced.\n--b\n"
        "Content-Type: message/rfc822\n\nSubject: Inner\nContent-Type: text/html\n\n<p>Hi</p>\n--b--\n"
    )
    assert shape(payload)[2][1] == ("1", "message/rfc822", [("1.0", "text/html", [])])
    assert payload["parts"][1]["parts"][0]["headers"][0] == {"name": "Subject", "value": "Inner"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe",
        b"no header at all",
        b"Subject: no body",
        b"Content-Type: multipart/mixed; boundary=b\n\nno part",
        b"Content-Type: multipart/mixed\n\n--b\n\nno boundary parameter",
        b"Content-Type: text/plain; charset=klingon\n\n\xe9",
        b"Content-Type: ;;;=\nContent-Disposition: attachment; filename*=x'y\n\nHi",
        b"Content-Transfer-Encoding: base64\n\nYQ=x=Y!",
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsame",
    ],
)
def test_no_broken_message_breaks_the_simulator(raw: bytes) -> None:
    assert told(raw)["partId"] == ""
    assert isinstance(mime.snippet(raw, mime.parse(raw)), str)


def test_a_part_cut_off_by_the_end_of_the_message_is_told_as_far_as_it_goes() -> None:
    payload = told("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nFirst\n--b\n\nSecond, cut o")
    assert [text_of(part) for part in payload["parts"]] == ["First", "Second, cut o"]


def test_a_longer_boundary_or_one_inside_a_line_ends_no_part() -> None:
    payload = told("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee --b\n--bb\nHi\n--b--\n")
    assert [text_of(part) for part in payload["parts"]] == ["see --b\r\n--bb\r\nHi"]


def test_bytes_that_their_charset_cannot_decode_stay_as_they_are() -> None:
    payload = told(b"Content-Type: text/plain; charset=utf-8\r\n\r\ncaf\xe9")
    assert base64.urlsafe_b64decode(payload["body"]["data"]) == b"caf\xe9"


def nested(depth: int) -> bytes:
    head = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(depth))
    tail = "".join(f"\r\n--b{n}--" for n in reversed(range(depth)))
    return f"Subject: deep\r\n{head}Content-Type: text/plain\r\n\r\nHi{tail}".encode()


@pytest.mark.parametrize("depth", [30, 3000])
def test_deep_multiparts_survive(depth: int) -> None:
    payload, levels = told(nested(depth)), 0
    while payload.get("parts"):
        (payload,), levels = payload["parts"], levels + 1
    assert levels == min(depth, mime.MAX_DEPTH)


def test_a_file_of_twenty_two_megabytes_is_found_and_decoded() -> None:
    file = base64.encodebytes(bytes(22_000_000)).replace(b"\n", b"\r\n")
    raw = MIXED.replace("\n", "\r\n").encode().replace(b"JVBERi0xLjQK\r\nJVBERi0xLjQK\r\n", file)
    assert len(raw) > 30_000_000
    root = mime.parse(raw)
    assert len(mime.content(raw, root.children[1])) == 22_000_000


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Content-Type: text/plain\n\n  Hello\n\n  you & me <3\n", "Hello you &amp; me &lt;3"),
        ("Content-Type: text/html\n\n<style>p{}</style><p>It&#39;s <b>on</b></p>", "It&#39;s on"),
        ("Content-Type: application/pdf\n\nx", ""),
    ],
)
def test_the_snippet_is_the_beginning_of_the_text_escaped(raw: str, expected: str) -> None:
    content = raw.encode()
    assert mime.snippet(content, mime.parse(content)) == expected


def test_a_snippet_ends_after_two_hundred_characters() -> None:
    content = b"\n" + b"word " * 100
    assert len(mime.snippet(content, mime.parse(content))) == 200


def test_a_from_line_before_the_headers_is_passed_over() -> None:
    lines, body = split_head(b"From kim@client.example Mon Nov 2\nSubject: x\n\nHi")
    assert [name for name, _ in lines] == ["Subject"]
    assert body == len(b"From kim@client.example Mon Nov 2\nSubject: x\n\n")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"Doe, Jane" <Jane@Client.example>, kim@client.example', ("jane@client.example", "kim@client.example")),
        ("Team: a@x.example, b@x.example; , a@x.example", ("a@x.example", "b@x.example")),
        ("undisclosed-recipients:;", ()),
        ("@handle, kim@, kim at client.example", ()),
        ("a" * 1_000_000, ()),
    ],
)
def test_addresses_are_found_wherever_they_stand(value: str, expected: tuple[str, ...]) -> None:
    assert addresses_in(value) == expected
