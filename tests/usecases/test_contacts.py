"""Contacts that change, and files that bring many (R3, R4, R5, R7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.csv_table import read_table
from shared.domain.people import Company, Contact, Phone
from shared.errors import InputError, NotFoundError
from shared.platform.public_suffixes import is_public_suffix
from shared.ports.documents import Query
from shared.records.people import Companies, Contacts
from shared.usecases.contact_figures import mail_figures
from shared.usecases.import_contacts import ImportResult, import_contacts
from shared.usecases.save_contact import save_company
from tests.fakes import START
from tests.mail_world import ANNA, BEN, CARL, DORA, MailWorld, mail_world

DORA_CONTACT = Contact("c-dora", "Dora", "Customer", emails=(DORA,))

# ------------------------------------------------------------------------------------------------ addresses change, R7


def test_a_new_contact_finds_the_mail_that_is_here_and_the_mail_that_was_left_out() -> None:
    world = mail_world()
    world.arrives(sender=DORA, subject="left out")
    world.arrives(cc=[DORA], subject="stored")
    other = world.arrives(sender="eve@stranger.example")
    world.sync()
    world.saves(DORA_CONTACT)
    headers = world.box(ANNA).calls["headers"]
    world.drain()
    assert sorted(world.subjects("c-dora")) == ["left out", "stored"]
    assert Contacts(world.store).get("c-dora").figures.mails == 2
    assert world.box(ANNA).calls["headers"] == headers + 1, "only the hit is read"
    row = world.row(other)
    assert row is not None
    assert row.rev == 1


def test_mail_in_somebodys_own_record_comes_to_the_contact_it_gains() -> None:
    world = mail_world()
    world.options(own_record=True)
    world.arrives(sender=DORA, subject="private until then")
    world.sync()
    assert [kept.subject for entry in world.own_record() for kept in entry.messages.values()] == ["private until then"]
    world.saves(DORA_CONTACT)
    world.drain()
    assert world.subjects("c-dora") == ["private until then"]
    assert world.own_record() == []


def test_the_catch_up_goes_no_further_than_the_window() -> None:
    world = mail_world()
    world.arrives(sender=DORA, subject="old", at=START - timedelta(days=300))
    world.arrives(sender=DORA, subject="new", at=START - timedelta(days=30))
    world.skips_history()
    world.saves(DORA_CONTACT)
    world.drain()
    assert world.subjects("c-dora") == ["new"]


def test_an_address_that_goes_takes_its_mail_along() -> None:
    world = mail_world(contacts=(CARL, DORA))
    world.arrives(cc=[DORA], subject="of both")
    world.arrives(subject="Carl's alone")
    world.sync()
    carl = Contacts(world.store).get("c-carl").contact
    world.saves(replace(carl, emails=("carl@elsewhere.example",)))
    world.drain()
    assert world.subjects("c-carl") == []
    assert world.subjects("c-dora") == ["of both"]
    assert Contacts(world.store).get("c-carl").figures.mails == 0

    world.time.advance(60)
    world.saves(carl)
    world.drain()
    assert sorted(world.subjects("c-carl")) == ["Carl's alone", "of both"]
    assert Contacts(world.store).get("c-carl").figures.mails == 2


def test_a_hidden_recipient_is_attached_by_its_hash_alone() -> None:
    world = mail_world()
    world.sends(bcc=[DORA], subject="with Dora in Bcc")
    world.sync()
    world.saves(DORA_CONTACT)
    world.drain()
    assert world.subjects("c-dora") == ["with Dora in Bcc"]
    message = world.messages()[0]
    assert DORA not in repr((message.to, message.cc))


def test_a_contact_nobody_who_holds_the_mail_may_see_stays_without_it() -> None:
    world = mail_world()
    world.arrives(cc=[DORA], subject="Anna's")
    world.sync()
    world.saves(replace(DORA_CONTACT, owner_id="u-ben"))
    world.drain()
    assert world.subjects("c-dora") == []

    world.time.advance(60)
    world.saves(replace(DORA_CONTACT, owner_id="u-anna"))
    world.drain()
    assert world.subjects("c-dora") == ["Anna's"]


def test_a_change_that_touches_no_address_queues_nothing() -> None:
    world = mail_world()
    carl = Contacts(world.store).get("c-carl").contact
    world.saves(replace(carl, title="Head of purchasing"))
    assert world.queue.pending() == []
    assert Contacts(world.store).get("c-carl").contact.title == "Head of purchasing"


def test_figures_survive_a_change_of_the_contact() -> None:
    world = mail_world()
    world.arrives()
    world.sync()
    carl = Contacts(world.store).get("c-carl")
    world.saves(replace(carl.contact, title="Boss"))
    assert Contacts(world.store).get("c-carl").figures == carl.figures


@pytest.mark.parametrize(
    "contact", [Contact("c-x", "", "", emails=("x@y.example",)), Contact("c-x", "Xenia", "Y")], ids=["name", "address"]
)
def test_a_contact_needs_a_name_and_a_way_to_reach_it(contact: Contact) -> None:
    with pytest.raises(InputError):
        mail_world().saves(contact)


def test_a_free_mail_domain_belongs_to_no_company() -> None:
    world = mail_world()
    with pytest.raises(InputError, match="free-mail"):
        saves_company(world, "gmail.com")


def test_a_public_suffix_belongs_to_no_company() -> None:
    with pytest.raises(InputError, match=r"below co\.uk"):
        saves_company(mail_world(), "co.uk")


def test_mail_from_below_a_companys_domain_is_the_companys() -> None:
    world = mail_world(contacts=())
    world.organization(match_company_domains=True)
    saves_company(world, "customer.co.uk")
    world.arrives(sender="it@mail.customer.co.uk", subject="From below")
    world.arrives(sender="it@stranger.co.uk", subject="From beside")
    world.sync()
    [message] = world.messages()
    assert (message.subject, message.company_ids) == ("From below", ("y-1",))


def saves_company(world: MailWorld, *domains: str) -> None:
    company = Company("y-1", "Customer", domains)
    save_company(world.store, company, is_public_suffix=is_public_suffix, jitter=world.jitter)


# ------------------------------------------------------------------------------------------------------- figures, R5


def test_the_figures_are_true_whatever_came_and_went() -> None:
    world = mail_world()
    world.arrives(subject="old", at=START - timedelta(days=40))
    world.arrives(subject="inbound", at=START - timedelta(days=3))
    last = world.sends(subject="outbound")
    world.sync()
    figures = mail_figures(world.store, "c-carl", world.clock)
    assert (figures.mails, figures.mails_30_days) == (3, 2)
    assert figures.last_interaction_at == START + timedelta(minutes=1)
    assert figures.last_inbound_at == START - timedelta(days=3)

    world.trashes(last)
    world.sync()
    figures = mail_figures(world.store, "c-carl", world.clock)
    assert (figures.mails, figures.mails_30_days) == (2, 1)
    assert figures.last_interaction_at == figures.last_inbound_at == START - timedelta(days=3)


def test_a_second_holder_counts_nothing_twice() -> None:
    world = mail_world()
    mail = world.arrives(to=[ANNA, BEN])
    world.sync(ANNA)
    world.sync(BEN)
    world.trashes(mail, BEN)
    world.sync(BEN)
    assert mail_figures(world.store, "c-carl", world.clock).mails == 1


# -------------------------------------------------------------------------------------------------------- import, R4


def brought(world: MailWorld, content: bytes, *, dry_run: bool = False) -> ImportResult:
    table = read_table(content)
    result = import_contacts(
        world.store,
        table.header,
        table.rows,
        actor="u-anna",
        read_phone=lambda typed: typed if typed.startswith("+") else None,
        is_public_suffix=is_public_suffix,
        tasks=world.tasks,
        clock=world.clock,
        jitter=world.jitter,
        dry_run=dry_run,
    )
    world.drain()
    return result


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("latin-1"),
        lambda text: b"\xef\xbb\xbf" + text.encode("utf-8"),
        lambda text: b"\xef\xbb\xbf" + text.encode("latin-1"),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace(",", ";").encode("cp1252"),
        lambda text: text.replace("\n", "\r\n").encode("utf-8"),
    ],
    ids=["latin-1", "utf-8 with BOM", "latin-1 with BOM", "utf-16", "cp1252 and semicolons", "CRLF"],
)
def test_a_file_of_any_usual_encoding_brings_its_contacts(encode: Callable[[str], bytes]) -> None:
    world = mail_world()
    text = (
        "First name,Last name,Email,Company\nZoë,Müller,zoe@kunde.example,Kunde\nCarl,Customer,carl@customer.example,\n"
    )
    result = brought(world, encode(text))
    assert (result.new, result.errors) == (1, ())
    [zoe] = [found.contact for found in Contacts(world.store).page(after=None, limit=10) if found.contact.company_ids]
    assert zoe.emails == ("zoe@kunde.example",)
    if not encode(text).startswith(b"\xef\xbb\xbfFirst name,Last name,Email,Company\nZo\xeb"):
        assert zoe.name == "Zoë Müller"
    assert Companies(world.store).get(zoe.company_ids[0]).domains == ("kunde.example",)


def test_importing_twice_changes_nothing_the_second_time() -> None:
    world = mail_world()
    content = b"Name,Email,Phone\nDora Customer,dora@customer.example,+15550100\nCarl Customer,CARL@customer.example,\n"
    first, second = brought(world, content), brought(world, content)
    assert (first.new, first.updated + first.unchanged) == (1, 1)
    assert (second.new, second.updated, second.unchanged) == (0, 0, 2)


def test_a_row_that_names_a_known_address_updates_and_empties_nothing() -> None:
    world = mail_world()
    world.saves(replace(Contacts(world.store).get("c-carl").contact, title="Buyer"))
    result = brought(world, b"Name,Email,E-mail 2,Title\nCarl Customer,carl@customer.example,carl@new.example,\n")
    assert (result.new, result.updated) == (0, 1)
    carl = Contacts(world.store).get("c-carl").contact
    assert (carl.emails, carl.title) == ((CARL, "carl@new.example"), "Buyer")


def test_what_is_wrong_is_said_row_by_row_and_the_rest_is_imported() -> None:
    world = mail_world()
    rows = ["Name,Email", f"Dora Customer,{DORA}", ",x@y.example", "No Address,", "Bad Address,not-an-address"]
    result = brought(world, "\n".join(rows).encode())
    assert result.new == 1
    assert [error.row for error in result.errors] == [3, 4, 5]
    assert all(str(error.row) in error.sentence for error in result.errors)


def test_a_dry_run_counts_and_writes_nothing() -> None:
    world = mail_world()
    before = world.stored_words()
    assert brought(world, b"Name,Email\nDora Customer,dora@customer.example\n", dry_run=True).new == 1
    assert world.stored_words() == before


def test_fifty_thousand_and_one_rows_are_refused_before_anything_is_written() -> None:
    world = mail_world()
    content = b"Name,Email\n" + b"".join(b"P %d,p%d@x.example\n" % (number, number) for number in range(50_001))
    before = world.stored_words()
    with pytest.raises(InputError, match="split it"):
        brought(world, content)
    assert world.stored_words() == before


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x00\x01\x02\x03" * 10, b"Colour,Size\nred,9\n"])
def test_a_file_that_is_no_contact_list_says_so(content: bytes) -> None:
    with pytest.raises(InputError):
        brought(mail_world(), content)


@pytest.mark.parametrize(
    "content", [b"Email\n" + b"a\n" * 50_001, b"Email" + b",a" * 999 + b"\na" * 4_001, b"a," * 4_000_001]
)
def test_a_file_of_too_many_rows_or_cells_says_so(content: bytes) -> None:
    with pytest.raises(InputError, match="too long"):
        read_table(content)


# ------------------------------------------------------------------------------------- an address on two contacts, I30


def twins(**changes: Any) -> MailWorld:
    """Carl, and Dora who was saved with his address."""
    world = mail_world()
    world.saves(replace(DORA_CONTACT, emails=(CARL, DORA), **changes))
    world.drain()
    return world


def test_a_shared_address_is_told_once_however_often_the_two_are_saved() -> None:
    world = twins()
    carl = Contacts(world.store).get("c-carl").contact
    world.saves(replace(carl, emails=(CARL, "c@elsewhere.example")))
    world.drain()
    assert len(world.duplicates()) == 1


def test_two_that_are_saved_at_one_time_are_told_of_all_the_same() -> None:
    world = mail_world(contacts=())
    for contact_id in ("c-one", "c-two"):
        world.saves(Contact(contact_id, "Carl", "Customer", emails=(CARL,)))
    world.drain()
    assert len(world.duplicates()) == 1


def test_what_was_dismissed_does_not_come_back() -> None:
    world = twins()
    [told] = world.duplicates()
    world.settles(told.notice.notice_id, "dismiss")
    carl = Contacts(world.store).get("c-carl").contact
    for emails in ((), (CARL,)):
        world.time.advance(60)
        world.saves(replace(carl, emails=emails, phones=(Phone("1", None),)))
        world.drain()
    assert world.duplicates() == []


def test_only_who_may_see_both_contacts_is_told_and_may_settle() -> None:
    world = twins(owner_id="u-ben")
    [told] = world.duplicates("u-ben")
    assert world.duplicates("u-anna") == []
    with pytest.raises(NotFoundError):
        world.settles(told.notice.notice_id, "dismiss", actor="u-anna")


def test_an_address_is_not_taken_from_a_contact_that_has_nothing_else() -> None:
    world = twins()
    [told] = world.duplicates()
    with pytest.raises(InputError, match="all that is known of Carl"):
        world.settles(told.notice.notice_id, "move", keeper="c-dora")
    with pytest.raises(InputError, match="one of the two"):
        world.settles(told.notice.notice_id, "move", keeper="c-nobody")
    assert len(world.duplicates()) == 1


def test_tagged_forms_of_one_address_are_two_people_on_purpose() -> None:
    world = mail_world(contacts=())
    for tag in ("a", "b"):
        world.saves(Contact(f"c-{tag}", tag, "Customer", emails=(f"ann+{tag}@customer.example",)))
    world.drain()
    assert world.duplicates() == []


def test_a_shared_address_that_one_of_them_loses_is_no_more_told() -> None:
    world = twins()
    world.time.advance(60)
    world.saves(DORA_CONTACT)
    world.drain()
    assert world.duplicates() == []
    assert world.store.find(Query("duplicates")) == []
