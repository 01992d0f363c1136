"""Header values from every decade of mail, as one line of readable text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.mail.charsets import decode_bytes
from shared.domain.mail.headers import Headers, decode_header_value


@pytest.mark.parametrize(
    ("raw", "readable"),
    [
        ("Plain subject", "Plain subject"),
        ("=?utf-8?Q?Caf=C3=A9_offer?=", "Café offer"),
        ("=?ISO-8859-1?B?Q2Fm6Q==?= at five", "Café at five"),
        ("Re: =?utf-8?B?Q2Fmw6k?= and =?utf-8?Q?t=C3=A9a?=", "Re: Café and téa"),
        ("=?utf-8?B?Q2Fmww==?=\r\n =?utf-8?B?qQ=?=", "Café"),
        ("=?utf-8?Q?Caf=C3?= =?utf-8?Q?=A9?=", "Café"),
        ("=?utf-8*en?Q?Really??=", "Really?"),
        ("=?utf-8?Q?with space?=", "with space"),
        ("=?koi8-r?B?8NLJ18XU?=", "Привет"),
        ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        ("=?gb2312?B?xOO6ww==?=", "你好"),
        ("=?utf-7?Q?1_+AOk-?=", "1 é"),
        ("=?windows-1252?Q?Caf=C3=A9?=", "Café"),
        ("=?utf-8?Q?Caf=E9?=", "Café"),
        ("=?nonsense?Q?Caf=E9?=", "Café"),
        ("=?unicode_escape?Q?=5Cx41?=", "\\x41"),
        ("folded\r\n over\r\n\tlines", "folded over lines"),
        ("nul\x00 and bell\x07", "nul and bell"),
        ("=?utf-8?Q?line=0D=0ABcc:_x?=", "line  Bcc: x"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("Caf\udcc3\udca9 and Caf\udce9", "Café and Café"),
        ("lone \ud83d half", "lone \ufffd half"),
        ("=?utf-8?Q?never closed", "=?utf-8?Q?never closed"),
        ("1 =?= 2", "1 =?= 2"),
    ],
)
def test_a_value_is_decoded(raw: str, readable: str) -> None:
    assert decode_header_value(raw) == readable


@given(st.text(st.characters() | st.sampled_from("=?qQbB_\r\n\udce9"), max_size=80))
def test_every_text_can_be_decoded_and_stored(raw: str) -> None:
    value = decode_header_value(raw)
    value.encode()
    assert not any(char in value for char in "\r\n\x00")


@given(
    st.binary(max_size=60),
    st.none() | st.text(max_size=20) | st.sampled_from(["idna", "zlib", "utf-16", "hz", "undefined"]),
)
def test_every_byte_string_can_be_decoded_under_every_label(data: bytes, label: str | None) -> None:
    decode_bytes(data, label).encode()
    decode_bytes(data, label, maybe_utf8=True).encode()


@pytest.mark.parametrize("piece", ["=?a?q?", "=?a?q?x?=", "=?a?q?=", "\r\n ", " ", "=", "?="])
def test_a_hostile_value_costs_no_more_than_its_length(piece: str) -> None:
    started = time.process_time()
    decode_header_value(piece * (200_000 // len(piece)))
    assert time.process_time() - started < 2


def test_damaged_utf8_keeps_its_good_characters() -> None:
    assert decode_bytes("Привет".encode()[:-1], "utf-8") == "Приве\ufffd"


def test_a_body_converted_to_utf8_is_believed_over_its_old_label() -> None:
    assert decode_bytes("日本".encode(), "shift_jis", maybe_utf8=True) == "日本"
    assert decode_bytes("日本".encode("shift_jis"), "shift_jis", maybe_utf8=True) == "日本"
    assert decode_bytes("naïve".encode("utf-16"), "utf-16") == "naïve"
    assert decode_bytes(b"plain", "utf-16", maybe_utf8=True) == "plain"


def test_fields_are_found_without_case_in_order_and_as_often_as_they_come() -> None:
    headers = Headers((("To", "a@x.example"), ("Subject", "=?utf-8?Q?=C3=A9?="), ("TO", "b@x.example")))
    assert headers.all("to") == ("a@x.example", "b@x.example")
    assert headers.first("SUBJECT") == "é"
    assert headers.raw("subject") == ("=?utf-8?Q?=C3=A9?=",)
    assert headers.first("Cc") is None
