"""What counts as a trace of a person, and what is left where it stood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.erasure import (
    ERASED,
    ERASED_ADDRESS,
    ERASED_CONTACT,
    Person,
    person_of,
    redacted,
    without_addresses,
    without_words,
)
from shared.domain.message import participant_key
from shared.domain.people import Contact, Phone

KEY = b"k" * 32
CARL = "carl@customer.example"
PERSON = person_of(
    Contact("c-carl", "Carl", "Customer", (CARL,), phones=(Phone("030 1234567", "+49301234567"),)),
    frozenset({CARL}),
    KEY,
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("write to carl@customer.example today", f"write to {ERASED} today"),
        ("CARL@Customer.EXAMPLE", ERASED),
        ("<carl+news@customer.example>, x", f"<{ERASED}>, x"),
        ("it is carl@customer.example.", f"it is {ERASED}."),
        ("it is carl@customer.example.Thanks", f"it is {ERASED}.Thanks"),
        ('<a href="mailto:carl@customer.example?subject=x">', f'<a href="mailto:{ERASED}?subject=x">'),
        ("https://x.example/u?to=carl%40customer.example&x=1", f"https://x.example/u?to={ERASED}&x=1"),
        ("?q%3Dcarl%40customer.example", f"?q%3D{ERASED}"),
        ("carl&#64;customer.example", ERASED),
        ("_carl@customer.example_", f"_{ERASED}_"),
        ("...carl@customer.example", f"...{ERASED}"),
        ("'carl@customer.example'", f"'{ERASED}'"),
    ],
)
def test_every_spelling_of_an_address_goes(text: str, left: str) -> None:
    assert without_addresses(text, PERSON) == left


@pytest.mark.parametrize(
    "text",
    [
        "anna.carl@customer.example",
        "carl@customer.example-shop.example",
        "carl@other.example",
        "oscarl@customer.example",
        "carl at customer.example",
        "@customer.example",
        "carl@customer",
    ],
)
def test_what_is_somebody_elses_stays(text: str) -> None:
    assert without_addresses(text, PERSON) == text


@given(st.text(alphabet="ab@.c+%40=_ <>&#;carlustomer.exp", max_size=60), st.text(max_size=20))
def test_what_was_taken_out_once_stays_out(text: str, other: str) -> None:
    for given_text in (text, f"{other} {CARL} {text}", f"{text}<{CARL}>{other}"):
        once = without_addresses(given_text, PERSON)
        assert without_addresses(once, PERSON) == once
    assert CARL not in without_addresses(f"{other} {CARL} {text}", PERSON)


def test_names_and_phones_go_where_they_are_asked_for() -> None:
    text = "Dear Carl\n Customer, call 030 1234567 or +49301234567. Carla Customers says hi, Carl."
    expected = f"Dear {ERASED}, call {ERASED} or {ERASED}. Carla Customers says hi, Carl."
    assert without_words(text, PERSON) == expected
    assert redacted(text, PERSON) == text


def test_records_lose_the_person_wherever_they_stand() -> None:
    key = participant_key(KEY, CARL)
    fields = {
        "contact_id": "c-carl",
        "contact_ids": ["c-carl", "c-dora"],
        "participant_keys": [key, "other"],
        "from_": {"email": CARL, "name": "Carl Customer"},
        "to": [{"email": "dora@x.example", "name": "Dora"}],
        "contacts": [{"contact_id": "c-carl", "role": "signer"}, {"contact_id": "c-dora", "role": "buyer"}],
        "answers": {"c-carl": "yes", "c-dora": "no"},
        "acceptance": {"email": CARL, "name": "C.", "ip": "203.0.113.9", "pdf_sha256": "ab"},
        "never_log": [CARL, "else@x.example"],
        "sender": CARL,
        "sender_name": "Carl",
        "v": 1,
        "half": 0.5,
        "nothing": None,
    }
    assert redacted(fields, PERSON) == {
        "contact_id": ERASED_CONTACT,
        "contact_ids": ["c-dora"],
        "participant_keys": ["other"],
        "from_": {"email": ERASED_ADDRESS, "name": ERASED},
        "to": [{"email": "dora@x.example", "name": "Dora"}],
        "contacts": [{"contact_id": "c-dora", "role": "buyer"}],
        "answers": {"c-dora": "no"},
        "acceptance": {"email": ERASED_ADDRESS, "name": ERASED, "ip": ERASED, "pdf_sha256": "ab"},
        "never_log": ["else@x.example"],
        "sender": ERASED_ADDRESS,
        "sender_name": ERASED,
        "v": 1,
        "half": 0.5,
        "nothing": None,
    }


def test_a_record_without_the_person_is_the_same_record() -> None:
    fields = {"email": "dora@x.example", "name": "Carl Customer", "ids": ["c-dora"], "text": "Carl"}
    assert redacted(fields, PERSON) == fields


def test_the_hashes_alone_find_the_person_after_the_contact_is_gone() -> None:
    by_hash = Person("c-carl", PERSON.keys, KEY)
    assert without_addresses(f"to {CARL}", by_hash) == f"to {ERASED}"
    assert CARL not in repr(by_hash)


@pytest.mark.parametrize(
    "text", ["a" * 200_000, "!" * 100_000, "@" * 200_000, "a@" * 100_000, "a@b." * 50_000, "a@" + "a." * 100_000]
)
def test_hostile_text_is_read_to_its_end(text: str) -> None:
    """The timeout of the suite says whether that takes a moment or an hour."""
    assert without_addresses(f"{text}@ {CARL}", PERSON) == f"{text}@ {ERASED}"
