"""Which addresses a header names, and when two of them are one."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.mail.addresses import (
    FREE_MAIL_DOMAINS,
    Address,
    domain_of,
    is_free_mail,
    is_role_address,
    normalize,
    parse_addresses,
    untagged,
)

ANY_TEXT = st.text(st.characters() | st.sampled_from('"<>@,;:()\\ =?\r\n\x00\udce9'), max_size=60)


def pairs(*values: str) -> list[tuple[str, str]]:
    return [(address.email, address.name) for address in parse_addresses(values)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Jane <Jane@Example.COM>", [("jane@example.com", "Jane")]),
        ('"Doe, Jane" <jane@a.example>, bob@b.example', [("jane@a.example", "Doe, Jane"), ("bob@b.example", "")]),
        ("bob@a.example (Bob Jones)", [("bob@a.example", "Bob Jones")]),
        ("Bob (Sales (EU)) <bob@a.example>", [("bob@a.example", "Bob")]),
        ('"Jane \\"JD\\" Doe" <jane@a.example>', [("jane@a.example", 'Jane "JD" Doe')]),
        ('"john doe"@a.example', [('"john doe"@a.example', "")]),
        ("<@relay.example,@b.example:jane@a.example>", [("jane@a.example", "")]),
        ("Jane\r\n <jane@a.example>,\r\n\tbob@a.example", [("jane@a.example", "Jane"), ("bob@a.example", "")]),
        ("ops@[192.0.2.1]", [("ops@[192.0.2.1]", "")]),
    ],
)
def test_reads_what_the_standard_allows(value: str, expected: list[tuple[str, str]]) -> None:
    assert pairs(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Team: a@x.example, 'B' <b@x.example>; c@x.example", ["a@x.example", "b@x.example", "c@x.example"]),
        ("undisclosed-recipients:;", []),
        ("a@x.example; b@x.example", ["a@x.example", "b@x.example"]),
        ("a@x.example b@x.example", ["a@x.example", "b@x.example"]),
        ("A <a@x.example> B <b@x.example>", ["a@x.example", "b@x.example"]),
        ("Bob bob@x.example", ["bob@x.example"]),
        ("<<bob@x.example>>", ["bob@x.example"]),
        ("<a@x.example, <b@x.example>", ["a@x.example", "b@x.example"]),
        ('"open <a@x.example>, b@x.example', ["a@x.example", "b@x.example"]),
        ("(open <a@x.example>, b@x.example", ["a@x.example", "b@x.example"]),
        ("mailto:bob@x.example", ["bob@x.example"]),
        ("jane @ x.example", ["jane@x.example"]),
        ("'bob@x.example'", ["bob@x.example"]),
        ("=?utf-8?Q?Bob_<bob@x.example>?=", ["bob@x.example"]),
        ("bob\x00@x.example, a@x.example", ["bob@x.example", "a@x.example"]),
    ],
)
def test_reads_what_people_send_instead(value: str, expected: list[str]) -> None:
    assert [email for email, _ in pairs(value)] == expected


@pytest.mark.parametrize(
    "value", ["", "MAILER-DAEMON", "<>", "a@", "@x.example", "a@b@x.example", "x" * 400 + "@x.example"]
)
def test_leaves_out_what_is_no_address(value: str) -> None:
    assert pairs(value) == []


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("=?utf-8?B?SsO8cmdlbg==?= <j@x.example>", "Jürgen"),
        ('"=?utf-8?B?SsO8cmdlbg==?=" <j@x.example>', "Jürgen"),
        ("=?utf-8?Q?Doe,_Jane?= <j@x.example>", "Doe, Jane"),
        ("=?no-such-charset?Q?J=FCrgen?= <j@x.example>", "Jürgen"),
        ("J\udcfcrgen <j@x.example>", "Jürgen"),
        ("J\udcc3\udcbcrgen <j@x.example>", "Jürgen"),
        ("Doe, Jane <j@x.example>", "Doe, Jane"),
        ("'Jane' <j@x.example>", "Jane"),
        ("\u202eenaJ\u202c <j@x.example>", "enaJ"),
        ("j@x.example <j@x.example>", ""),
    ],
)
def test_shows_names_as_their_owners_meant_them(value: str, name: str) -> None:
    assert pairs(value) == [("j@x.example", name)]


def test_an_address_in_a_display_name_is_not_the_sender() -> None:
    assert pairs('"ceo@good.example" <thief@bad.example>') == [("thief@bad.example", "ceo@good.example")]
    assert [email for email, _ in pairs("=?utf-8?Q?ceo=40good.example?= <thief@bad.example>")] == ["thief@bad.example"]


def test_ten_thousand_recipients_take_well_under_a_second() -> None:
    header = ", ".join(f'"Person, Number {n}" <p{n}@company{n % 50}.example>' for n in range(10_000))
    started = time.process_time()
    assert len(parse_addresses([header])) == 10_000
    assert time.process_time() - started < 0.9


@pytest.mark.parametrize(
    "piece", ['"', '\\"', "(", "<", '<"', "[a", "=?a?q?", "=?a?q?x?=", "@ ", "a,", '"a"b', "(<", "é"]
)
def test_a_hostile_header_costs_no_more_than_its_length(piece: str) -> None:
    started = time.process_time()
    parse_addresses([piece * (100_000 // len(piece))])
    assert time.process_time() - started < 2


@given(ANY_TEXT)
def test_every_text_can_be_read(text: str) -> None:
    for address in parse_addresses([text]):
        assert address.email == normalize(address.email)
        assert "@" in address.email
        address.name.encode()
        address.email.encode()


@given(ANY_TEXT)
@example("jane@x.example \u3002")
@example('""jane""@x.example')
def test_normalizing_twice_changes_nothing(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


@given(st.lists(st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.example", fullmatch=True), max_size=20))
def test_what_was_written_plainly_is_read_back(emails: list[str]) -> None:
    assert parse_addresses([", ".join(f'"Name, {n}" <{email}>' for n, email in enumerate(emails))]) == [
        Address(email, f"Name, {n}") for n, email in enumerate(emails)
    ]


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        (" Jane.Doe@Example.COM ", "jane.doe@example.com"),
        ("\u200bjane@example.com\ufeff", "jane@example.com"),
        ("jane@MÜNCHEN.example", "jane@xn--mnchen-3ya.example"),
        ("jane@xn--mnchen-3ya.example", "jane@xn--mnchen-3ya.example"),
        ("jane@straße.example", "jane@xn--strae-oqa.example"),
        ("jane@例え。example", "jane@xn--r8jz45g.example"),
        ("jane@example.com.", "jane@example.com"),
        ('"jane"@example.com', "jane@example.com"),
        ("Not An Address", "not an address"),
    ],
)
def test_one_spelling_for_one_address(written: str, normal: str) -> None:
    assert normalize(written) == normal


def test_dots_tags_and_look_alikes_make_different_addresses() -> None:
    spellings = ["jane.doe@a.example", "janedoe@a.example", "janedoe+x@a.example", "jаnedoe@a.example"]
    spellings += ["jane@apple.example", "jane@аpple.example", "kim@a.example", "\u212aim@a.example"]
    assert len({normalize(spelling) for spelling in spellings}) == len(spellings)


def test_a_tag_is_taken_off_only_when_asked() -> None:
    assert untagged("jane+shop@example.com") == "jane@example.com"
    assert untagged("jane@example.com") == "jane@example.com"
    assert untagged("+jane@example.com") == "+jane@example.com"
    assert untagged('"a+b"@example.com') == '"a+b"@example.com'
    assert (domain_of("jane@example.com"), domain_of("jane")) == ("example.com", "")


@pytest.mark.parametrize(
    "local", ["info", "no-reply", "NoReply", "do_not_reply", "Mailer-Daemon", "support+42", "customer.service"]
)
def test_addresses_of_functions_and_machines_are_told_from_people(local: str) -> None:
    assert is_role_address(f"{local}@example.com")


@pytest.mark.parametrize("local", ["jane", "sally", "adminovich", "infante", "h.elp-man"])
def test_people_are_not_taken_for_functions(local: str) -> None:
    assert not is_role_address(f"{local}@example.com")


def test_free_mail_names_no_company() -> None:
    assert is_free_mail("gmail.com")
    assert is_free_mail("GMX.de")
    assert not is_free_mail("mail.example.com")
    assert len(FREE_MAIL_DOMAINS) > 150
    assert all(domain == normalize(f"x@{domain}").removeprefix("x@") for domain in FREE_MAIL_DOMAINS)
