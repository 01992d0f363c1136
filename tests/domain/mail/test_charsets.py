"""Bytes under honest, lying and hostile charset labels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.mail.charsets import decode_bytes, repair
from shared.domain.mail.headers import decode_header_value

LABELS = ("utf-8", "utf-7", "iso-8859-1", "gb2312", "shift_jis", "iso-2022-jp", "utf-16", "idna", "no-such", None)


def test_half_a_character_in_utf_7_is_replaced() -> None:
    assert decode_bytes(b"Caf+2AA- x", "utf-7") == "Caf\ufffd x"
    assert decode_header_value("=?utf-7?Q?Caf+2AA-_x?=").encode() == "Caf\ufffd x".encode()


@given(st.binary(max_size=200), st.sampled_from(LABELS), st.booleans())
def test_whatever_comes_the_text_can_be_stored(data: bytes, label: str | None, maybe_utf8: bool) -> None:
    assert decode_bytes(data, label, maybe_utf8=maybe_utf8).encode("utf-8") is not None


@given(st.text(alphabet=st.characters(), max_size=100))
def test_a_repaired_text_can_be_stored(text: str) -> None:
    assert repair(text).encode("utf-8") is not None


@pytest.mark.parametrize(("data", "label"), [("Grüße".encode("latin-1"), "utf-8"), ("Grüße".encode(), "iso-8859-1")])
def test_a_lying_label_does_not_matter(data: bytes, label: str) -> None:
    assert decode_bytes(data, label) == "Grüße"
