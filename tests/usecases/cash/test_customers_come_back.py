"""What is changed about a customer in the ledger comes back to our company or contact, field by field (Q8, I20)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.cash.mapping import CustomerField, CustomerMatch, MatchState, compared
from shared.domain.people import Phone
from shared.errors import InputError
from shared.ports.documents import Delete
from shared.records.audit import Audit
from shared.records.ledgers import customer_matches
from shared.records.people import Companies, Contacts
from tests.cash_flows import desk
from tests.cash_world import BUYER, BUYING_COMPANY, CUSTOMER, LEDGER, CashWorld, cash_world, sold

WRITES = {"create_customer", "create_invoice", "restore_invoice", "void_invoice", "send_invoice"}


@pytest.fixture
def world() -> CashWorld:
    """The company Globex Inc is the customer Globex Corporation there, and its buyer a customer of the own name."""
    found = cash_world()
    found.books.has_customer("Carla Buyer", customer_id="77", email="carla@globex.example")
    maps(found, BUYING_COMPANY, CUSTOMER)
    maps(found, BUYER, "77")
    return found


def maps(world: CashWorld, key: str, customer_id: str) -> None:
    desk(world).act("decide", {"key": key, "decision": "override", "customer": customer_id})


def match(world: CashWorld, key: str = BUYING_COMPANY) -> CustomerMatch:
    return customer_matches(world.store, LEDGER).get(key).value


def company(world: CashWorld) -> str:
    return Companies(world.store).get(BUYING_COMPANY).name


def rename_ours(world: CashWorld, name: str) -> None:
    companies = Companies(world.store)
    stored = companies.stored(BUYING_COMPANY)
    assert stored is not None
    world.store.commit([companies.updating(replace(stored.value, name=name), stored.version)])


def test_a_new_name_there_is_the_companys_name_here(world: CashWorld) -> None:
    world.books.renames(CUSTOMER, name="Globex Holding")
    world.hears_all()
    assert company(world) == "Globex Holding"
    row = next(row for row in Audit(world.store).newest(9) if row.action == "ledger_customer.changed")
    assert (row.before, row.after) == ({"name": "Globex Inc"}, {"name": "Globex Holding"})


def test_names_that_differed_when_they_were_matched_stay_as_they_are(world: CashWorld) -> None:
    world.books.renames(CUSTOMER, email="office@globex.example")
    world.hears_all()
    assert company(world) == "Globex Inc"


def test_a_new_address_and_number_come_first_and_the_old_ones_stay(world: CashWorld) -> None:
    world.books.renames("77", email="Carla.Buyer@Globex.example", phone="+1 555 010 0199")
    world.hears_all()
    contact = Contacts(world.store).get(BUYER).contact
    assert contact.emails == ("carla.buyer@globex.example", "carla@globex.example")
    assert contact.phones == (Phone("+1 555 010 0199", "+15550100199"),)


def test_what_was_emptied_there_is_not_emptied_here(world: CashWorld) -> None:
    world.books.renames("77", email="")
    world.hears_all()
    assert Contacts(world.store).get(BUYER).contact.emails == ("carla@globex.example",)


def test_what_only_we_changed_stays_ours_and_is_not_written_there(world: CashWorld) -> None:
    rename_ours(world, "Globex Group")
    world.books.renames(CUSTOMER, email="office@globex.example")
    world.hears_all()
    assert company(world) == "Globex Group"
    assert match(world).conflicts == {}
    assert not WRITES & set(world.books.calls)


def test_what_both_sides_changed_waits_for_a_person(world: CashWorld) -> None:
    rename_ours(world, "Globex Group")
    world.books.renames(CUSTOMER, name="Globex Holding")
    world.hears_all()
    assert company(world) == "Globex Group"
    assert match(world).conflicts == {"name": "Globex Holding"}


@pytest.mark.parametrize(("take_theirs", "name"), [(True, "Globex Holding"), (False, "Globex Group")])
def test_a_person_takes_theirs_or_keeps_ours(world: CashWorld, take_theirs: bool, name: str) -> None:
    rename_ours(world, "Globex Group")
    world.books.renames(CUSTOMER, name="Globex Holding")
    world.hears_all()
    settle = {"key": BUYING_COMPANY, "field": "name", "take_theirs": take_theirs}
    desk(world).act("settle", settle)
    assert (company(world), match(world).conflicts) == (name, {})
    with pytest.raises(InputError, match="nothing to decide"):
        desk(world).act("settle", settle)
    world.books.renames(CUSTOMER, phone="555 0100")
    world.hears_all()
    assert company(world) == name


def test_the_echo_of_a_customer_we_made_changes_nothing() -> None:
    world = sold()
    world.settings(creates_customers=True)
    world.store.commit([customer_matches_deleted(world)])
    world.wins()
    made = match(world)
    world.books.renames(str(made.customer_id))
    before = dict(world.books.calls)
    world.hears_all()
    assert match(world) == made
    assert company(world) == "Globex Inc"
    assert {name: count for name, count in world.books.calls.items() if name in WRITES} == {
        name: count for name, count in before.items() if name in WRITES
    }


def customer_matches_deleted(world: CashWorld) -> Delete:
    return Delete(customer_matches(world.store, LEDGER).path(BUYING_COMPANY))


@pytest.mark.parametrize("how", ["deleted", "inactive"])
def test_a_customer_that_is_gone_there_is_mapped_no_longer(world: CashWorld, how: str) -> None:
    if how == "deleted":
        world.books.removes_customer(CUSTOMER)
    else:
        world.books.renames(CUSTOMER, active=False)
    world.hears_all()
    assert match(world).mapped is None
    maps_again = world.books.has_customer("Globex Two")
    maps(world, BUYING_COMPANY, maps_again.customer_id)
    assert match(world).mapped == maps_again.customer_id


def test_one_that_comes_back_to_life_is_mapped_again(world: CashWorld) -> None:
    world.books.renames(CUSTOMER, active=False)
    world.hears_all()
    world.books.renames(CUSTOMER, active=True)
    world.hears_all()
    assert match(world).mapped == CUSTOMER


def test_a_customer_that_is_not_there_cannot_be_chosen(world: CashWorld) -> None:
    with pytest.raises(InputError, match="no such customer"):
        maps(world, BUYING_COMPANY, "nobody")


def test_somebody_elses_customer_is_not_read(world: CashWorld) -> None:
    world.books.has_customer("Initech", customer_id="99")
    world.books.renames("99", name="Initech Two")
    read = world.books.calls["customer"]
    world.hears_all()
    assert world.books.calls["customer"] == read


def test_comparing_again_finds_nothing_new() -> None:
    """Whatever both sides say, the second look at the same words changes nothing."""
    name = CustomerField.NAME
    texts = ["", "a", "b", "c"]
    for theirs in texts:
        for ours in texts:
            for before in texts:
                known = CustomerMatch("k", MatchState.ACCEPTED, "1", theirs={name: before}, ours={name: "a"})
                after, changes = compared(known, {name: ours}, {name: theirs})
                again, more = compared(after, {name: ours, **changes}, {name: theirs})
                assert (again, more) == (after, {})
