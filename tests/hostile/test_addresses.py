"""An address that looks like another's is not it; one that is written in another way is still the same."""

from __future__ import annotations

import pytest

from shared.domain.mail.addresses import normalize, parse_addresses, untagged
from tests.mail_world import CARL, mail_world

SAME = [
    ("Carl@Customer.Example", "carl@customer.example"),
    (" carl@customer.example\u200b", "carl@customer.example"),
    ("\ufeffcarl@customer.example", "carl@customer.example"),
    ('"carl"@customer.example', "carl@customer.example"),
    ("carl@customer.example.", "carl@customer.example"),
    ("carl@bücher.example", "carl@xn--bcher-kva.example"),
    ("carl@BÜCHER.example", "carl@bücher.example"),
    ("carl@bu\u0308cher.example", "carl@bücher.example"),
    ("carl@ｃustomer.example", "carl@customer.example"),
    ("carl@customer。example", "carl@customer.example"),
    ("carl@XN--BCHER-KVA.example", "carl@bücher.example"),
]
OTHERS = [
    ("cаrl@customer.example", CARL),  # a Cyrillic а
    ("carl@custоmer.example", CARL),  # a Cyrillic о
    ("carl@customer.example.evil.example", CARL),
    ("carl@customer-example.evil.example", CARL),
    ("car1@customer.example", CARL),
    ("c.arl@customer.example", CARL),
    ("carl@straße.example", "carl@strasse.example"),
    ("strauß@customer.example", "strauss@customer.example"),
    ("\u212aarl@customer.example", "karl@customer.example"),  # the Kelvin sign
    ("\u0130nes@customer.example", "ines@customer.example"),  # the Turkish dotted capital
    ("\u0131nes@customer.example", "ines@customer.example"),  # the Turkish dotless one
    ("\ufb01nn@customer.example", "finn@customer.example"),  # a ligature
    ("ca\u200brl@customer.example", CARL),
    ("ca\u00adrl@customer.example", CARL),
    ("ca\u202erl@customer.example", CARL),
    ('"carl "@customer.example', CARL),
    ('"carl@evil"@customer.example', CARL),
    ("carl%customer.example@evil.example", CARL),
    ("carl@customer.example@evil.example", CARL),
    ("carl+x@customer.example", CARL),
    (f"{'a' * 64}@customer.example", f"{'a' * 65}@customer.example"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_person_is_not_split(one: str, other: str) -> None:
    assert normalize(one) == normalize(other)
    assert normalize(normalize(one)) == normalize(one)


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_two_people_are_not_merged(one: str, other: str) -> None:
    assert normalize(one) != normalize(other)


def test_a_tag_is_taken_off_and_nothing_else() -> None:
    assert untagged("carl+news@customer.example") == CARL
    assert untagged("+news@customer.example") == "+news@customer.example"
    assert untagged('"a+b"@customer.example') == '"a+b"@customer.example'


@pytest.mark.parametrize(
    "sender",
    [
        f'"{CARL}" <mallory@evil.example>',
        f"{CARL} <mallory@evil.example>",
        f"=?utf-8?Q?{CARL.replace('@', '=40')}?= <mallory@evil.example>",
        f"mallory@evil.example ({CARL})",
        f'"x" <mallory@evil.example> ({CARL})',
        "cаrl@customer.example",
        "carl@xn--custmer-ohg.example",
        "Carl <carl@customer.example.evil.example>",
        '"carl@customer.example"@evil.example',
        "<carl@customer.example@evil.example>",
    ],
)
def test_a_sender_who_looks_like_a_customer_is_not_on_the_customers_timeline(sender: str) -> None:
    assert CARL not in {address.email for address in parse_addresses([sender])[:1]}
    world = mail_world()
    world.arrives(sender=sender, subject="Please pay here")
    world.sync()
    assert "Please pay here" not in world.subjects()


@pytest.mark.parametrize("length", [320, 321, 10_000, 1_000_000])
def test_an_address_longer_than_any_can_be_is_none(length: int) -> None:
    domain = "@customer.example"
    found = parse_addresses(["a" * (length - len(domain)) + domain])
    assert len(found) == (1 if length <= 320 else 0)
