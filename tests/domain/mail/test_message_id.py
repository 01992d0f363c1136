"""Which message this is, and which ones it answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.mail.headers import Headers
from shared.domain.mail.message_id import REFERENCES_KEPT, canonical_message_id, fingerprint, references

DATE = "2026-03-05T10:11:00+00:00"


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        ("<Ab.1@Mail.Example.COM>", "Ab.1@mail.example.com"),
        ("Ab.1@mail.example.com", "Ab.1@mail.example.com"),
        ("  <a@x.example>\r\n", "a@x.example"),
        ("<a\r\n b@x.example>", "ab@x.example"),
        ("<a@x.example> (added by relay)", "a@x.example"),
        ("(added by relay) a@x.example", "a@x.example"),
        ("Message from Jane <a@x.example>; today", "a@x.example"),
        ("<<a@x.example>>", "a@x.example"),
        ("<a@x.example", "a@x.example"),
        ("<no-at-sign>", "no-at-sign"),
        ("", None),
        ("<>", None),
        (None, None),
        ("<" + "a" * 999 + "@x.example>", None),
    ],
)
def test_an_id_has_one_spelling(value: str | None, canonical: str | None) -> None:
    assert canonical_message_id(value) == canonical


def test_letter_case_counts_on_the_left_alone() -> None:
    assert canonical_message_id("<ABC@x.example>") != canonical_message_id("<abc@x.example>")
    assert canonical_message_id("<abc@X.EXAMPLE>") == canonical_message_id("<abc@x.example>")


@given(st.text(st.characters() | st.sampled_from("<>@,;()\"' \r\n\udce9"), max_size=40))
def test_a_canonical_id_stays_as_it_is(text: str) -> None:
    canonical = canonical_message_id(text)
    assert canonical_message_id(canonical) == canonical
    (canonical or "").encode()


def named(**fields: str) -> tuple[str, ...]:
    return references(Headers(tuple((name.replace("_", "-"), value) for name, value in fields.items())))


def test_references_come_oldest_first_and_the_answered_message_last() -> None:
    assert named(References="<a@x>\r\n <b@x>", In_Reply_To="<c@x>") == ("a@x", "b@x", "c@x")
    assert named(References="<a@x><b@x>", In_Reply_To="<a@x>") == ("a@x", "b@x")
    assert named(In_Reply_To="<a@x>") == ("a@x",)
    assert named(Subject="none") == ()


def test_references_without_brackets_and_with_commas_are_read() -> None:
    assert named(References="a@x, b@x") == ("a@x", "b@x")
    assert named(In_Reply_To="Your mail to jane@example.com of Monday") == ()


def test_a_message_does_not_answer_itself() -> None:
    assert named(Message_ID="<me@x>", References="<a@x> <me@x>") == ("a@x",)


def test_of_a_long_conversation_the_root_and_the_newest_are_kept() -> None:
    kept = named(References=" ".join(f"<{n}@x>" for n in range(1000)))
    assert len(kept) == REFERENCES_KEPT
    assert (kept[0], kept[1], kept[-1]) == ("0@x", "901@x", "999@x")


def test_a_fingerprint_is_the_same_for_every_copy_and_differs_for_every_message() -> None:
    copy = fingerprint("jane@x.example", DATE, "An  offer", "a@x.example", "b@x.example")
    assert copy == fingerprint("jane@x.example", DATE, "An offer", "b@x.example", "a@x.example", "a@x.example")
    assert copy != fingerprint("jane@x.example", DATE, "An offer", "a@x.example")
    assert copy != fingerprint("john@x.example", DATE, "An offer", "a@x.example", "b@x.example")
