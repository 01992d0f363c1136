"""Connecting and setting up the signing service: one connection, its accounts, keys, templates and kinds (Q2, R2)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.cash.contract_type import ContractType, RoleMapping, Side, TemplateMapping
from shared.domain.cash.signing import SigningAccount
from shared.domain.connection import Connection
from shared.domain.people import Role, User
from shared.errors import ForbiddenError, InputError
from shared.records.connections import Connections
from shared.records.signing import signing_services
from shared.usecases.access_token import Credit
from shared.usecases.cash.set_up_signing import (
    SetupChoice,
    SigningSetup,
    connect_keys,
    open_signing,
    read_setup,
    set_up,
)
from shared.usecases.connect import consented_provider, finish_consent, start_consent
from shared.usecases.connect_organization import organization_connection_id, organization_keeper
from tests.contract_world import ADA, ANNA, CONNECTION, ContractWorld, contract_world
from tests.fake_signing import ACCOUNT, KEYS, TEMPLATE
from tests.fakes import FakeAuthorization

EUROPE = SigningAccount("acc-2", "Acme Europe", "https://eu.docusign.example/restapi", False, True)
SCOPES = frozenset({"signature", "extended"})


def setup(world: ContractWorld) -> SigningSetup:
    return read_setup(world.store, CONNECTION, ADA, signing=lambda: world.signing)


def choose(world: ContractWorld, choice: SetupChoice, user: User = ADA) -> None:
    set_up(
        world.store,
        CONNECTION,
        choice,
        user,
        signing=lambda: world.signing,
        vault=world.vault,
        clock=world.clock,
        jitter=world.jitter,
    )


# ---------------------------------------------------------------------------------------------------------- connecting


def credit(world: ContractWorld) -> Credit:
    vendor = FakeAuthorization(world.clock)
    return Credit(world.store, world.vault, vendor, world.clock, world.chance, world.jitter)


def connect(
    world: ContractWorld, found: Credit, user_id: str = ADA.user_id, account: str = "ola@acme.example"
) -> Connection:
    vendor = found.authorization
    assert isinstance(vendor, FakeAuthorization)
    request = start_consent(found, provider="docusign", user_id=user_id, allowed=frozenset({Role.ADMIN}))
    state = request.url.partition("state=")[2]
    assert consented_provider(world.store, state) == "docusign"
    code = vendor.agree(account, SCOPES)
    return finish_consent(
        found,
        provider="docusign",
        state=state,
        binding=request.binding,
        exchange=lambda verifier: vendor.exchange(code=code, verifier=verifier),
        keep=organization_keeper(opens="signing_open"),
        tasks=world.tasks,
    )


def test_an_admin_connects_for_the_organization_and_who_connects_again_takes_it_over() -> None:
    world = contract_world()
    found = credit(world)
    first = connect(world, found)
    world.passes(days=1)
    second = connect(world, found, account="other@acme.example")
    assert first.connection_id == second.connection_id == organization_connection_id("docusign")
    assert Connections(world.store).get(CONNECTION).value.account == "other@acme.example"
    opened = world.queue.pending("signing-open")
    assert [task.payload["connection"] for task in opened] == [CONNECTION, CONNECTION]


def test_nobody_else_connects_it() -> None:
    world = contract_world()
    with pytest.raises(ForbiddenError):
        connect(world, credit(world), user_id=ANNA.user_id)


def test_several_accounts_of_a_vendor_are_connections_of_their_own() -> None:
    assert organization_connection_id("quickbooks", "1") != organization_connection_id("quickbooks", "2")
    assert organization_connection_id("quickbooks", "1") != organization_connection_id("docusign", "1")


# ------------------------------------------------------------------------------------------------------------- set-up


def test_the_only_account_is_chosen_and_of_several_a_person_chooses() -> None:
    world = contract_world()
    open_signing(world.store, "n-two", "docusign", accounts=lambda: (ACCOUNT, EUROPE))
    services = signing_services(world.store)
    assert services.get("n-two").value.account is None
    assert services.get(CONNECTION).value.account == ACCOUNT


def test_a_chosen_account_stays_chosen_when_somebody_connects_again() -> None:
    world = contract_world()
    open_signing(world.store, CONNECTION, "docusign", accounts=lambda: (EUROPE, replace(ACCOUNT, name="Renamed")))
    chosen = signing_services(world.store).get(CONNECTION).value.account
    assert chosen is not None
    assert (chosen.account_id, chosen.name) == (ACCOUNT.account_id, "Renamed")
    assert connect_keys(world.store, CONNECTION, vault=lambda: world.vault) == tuple(KEYS)


def test_the_page_says_what_still_stops_contracts() -> None:
    world = contract_world()
    assert setup(world).problems == ()
    world.docusign.simulator.directory.templates.clear()
    assert setup(world).problems == (
        "The template Master services agreement of Master services agreement does not exist any more; choose another.",
    )
    world.contract_type(templates=(), terms="")
    assert setup(world).problems == ("Master services agreement has neither a template nor text; choose one.",)


def test_a_role_without_a_mapping_and_a_field_that_does_not_exist_are_sentences() -> None:
    world = contract_world()
    prefill = {"Customer": {"Company": "company.nme"}}
    world.contract_type(
        roles=(RoleMapping("Customer", Side.CUSTOMER, 1),), templates=(TemplateMapping(TEMPLATE, "MSA", prefill),)
    )
    assert setup(world).problems == (
        "The field 'Company' is mapped to 'company.nme', which does not exist; map it anew.",
        "The template Master services agreement has the role 'Countersigner', and nobody is mapped to it.",
    )


def test_templates_are_refreshed_and_another_account_forgets_them() -> None:
    world = contract_world()
    choose(world, SetupChoice(refresh_templates=True))
    assert [template.name for template in setup(world).settings.templates] == ["Master services agreement"]
    open_signing(world.store, CONNECTION, "docusign", accounts=lambda: (ACCOUNT, EUROPE))
    choose(world, SetupChoice(account_id=EUROPE.account_id))
    settings = signing_services(world.store).get(CONNECTION).value
    assert (settings.account, settings.templates) == (EUROPE, ())
    with pytest.raises(InputError, match="not one of those"):
        choose(world, SetupChoice(account_id="somebody-elses"))


def test_keys_are_sealed_and_several_are_valid_while_they_change() -> None:
    world = contract_world()
    choose(world, SetupChoice(keys=("first", " second ", "first", "")))
    assert connect_keys(world.store, CONNECTION, vault=lambda: world.vault) == ("first", "second")
    sealed = signing_services(world.store).get(CONNECTION).value.keys
    assert all(b"first" not in key and b"second" not in key for key in sealed)
    with pytest.raises(InputError, match="1 to 10"):
        choose(world, SetupChoice(keys=(" ",)))


def test_a_connection_nobody_knows_has_no_key_and_opens_no_vault() -> None:
    world = contract_world()

    def never() -> None:
        raise AssertionError("opened a vault for whoever asked")

    assert connect_keys(world.store, "n-none", vault=never) == ()  # type: ignore[arg-type]  # must not be called


def test_only_admins_set_it_up() -> None:
    world = contract_world()
    for choice in (SetupChoice(account_id="x"), SetupChoice(keys=("k",)), SetupChoice(refresh_templates=True)):
        with pytest.raises(ForbiddenError):
            choose(world, choice, ANNA)
    with pytest.raises(ForbiddenError):
        read_setup(world.store, CONNECTION, ANNA, signing=lambda: world.signing)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (ContractType("", "NDA", (RoleMapping("A", Side.US, 1),)), "short id"),
        (ContractType("nda", "NDA", ()), "at least one person"),
        (ContractType("nda", "NDA", (RoleMapping("A", Side.US, 1), RoleMapping("A", Side.US, 2))), "a role twice"),
    ],
)
def test_a_kind_of_contract_that_cannot_work_is_refused(kind: ContractType, sentence: str) -> None:
    world = contract_world()
    with pytest.raises(InputError, match=sentence):
        choose(world, SetupChoice(contract_type=kind))
