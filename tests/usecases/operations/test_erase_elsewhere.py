"""Erasing somebody who met us, and somebody who signed with us."""

from __future__ import annotations

import pytest

from shared.domain.calendar.copy import CopyState
from shared.domain.cash.contract import ContractStatus
from shared.domain.erasure import ERASED, ErasureState
from shared.domain.ledger import Rule
from shared.domain.matching import Known
from shared.errors import InputError
from shared.platform.recurrence import DateutilRecurrence
from shared.platform.vault import EnvelopeVault
from shared.ports.documents import Query
from shared.records.addresses import Addresses
from shared.records.people import Contacts
from shared.usecases.calendar.queue_work import Cause
from shared.usecases.calendar.sync_calendar import sync_calendar
from shared.usecases.operations.erase_person import Eraser, Outcome, SignedPapers, erase_person
from tests.contract_world import SIGNER, ContractWorld, contract_world
from tests.fakes import FakeBlobs, FakeWrappingKey
from tests.usecases.calendar.fake_calendar import at, event
from tests.usecases.calendar.world import ANN, ANN_MAILBOX, ANN_STREAM, BEN, BEN_MAILBOX, CARLA, DAN, World

WHEN = at(2026, 3, 4, 10)


def forget(world: World, contact_id: str = "carla") -> Outcome:
    vault = EnvelopeVault(world.documents, "acme", FakeWrappingKey(), world.clock, world.chance)
    eraser = Eraser(
        world.documents, world.store, FakeBlobs("acme"), vault, DateutilRecurrence(), world.clock, world.jitter
    )
    return erase_person(eraser, contact_id, papers=None, actor="operator")


@pytest.fixture
def met() -> World:
    """Carla came to a weekly meeting that two of us hold, and Dan to another one."""
    world = World()
    weekly = event("weekly", WHEN, ANN, BEN, CARLA, DAN, title="Weekly", recurrence=("RRULE:FREQ=WEEKLY;COUNT=3",))
    world.ann.put(weekly)
    world.ben.put(weekly)
    world.ann.put(event("dan", at(2026, 3, 5, 10), ANN, DAN, title="With Dan"))
    world.connect(ANN_MAILBOX, BEN_MAILBOX)
    return world


def test_meetings_the_person_was_invited_to_are_left_out_as_the_rule_says(met: World) -> None:
    assert met.titles("dan") == ["Weekly", "With Dan", "Weekly", "Weekly"]
    assert forget(met).left == ()
    assert met.titles("dan") == ["With Dan"]
    assert CARLA not in met.words()
    assert [copy.event.title for copy in met.copies().logged(after=None, limit=10)] == ["With Dan"]


def test_reading_the_calendars_again_brings_nobody_back(met: World) -> None:
    forget(met)
    sync_calendar(met.served(), ANN_STREAM, cause=Cause.REREAD)
    met.drain()
    assert met.titles("dan") == ["With Dan"]
    assert CARLA not in met.words()
    rows = met.store.find(Query(f"mailboxes/{ANN_MAILBOX}/copies"))
    left_out = [row.fields["rule"] for row in rows if row.fields["state"] == CopyState.LEFT_OUT.value]
    assert left_out == [Rule.ERASED.value]


# ------------------------------------------------------------------------------------------------------ signed papers


@pytest.fixture
def signed() -> ContractWorld:
    world = contract_world()
    addresses = Addresses(world.store, b"k" * 32)
    known = Known("sam@globex.example", "contact", SIGNER)
    world.store.commit([addresses.adding(known)])
    world.signed()
    world.drain()
    return world


def erase(world: ContractWorld, papers: SignedPapers | None) -> Outcome:
    eraser = Eraser(
        world.documents, world.store, world.blobs, world.vault, DateutilRecurrence(), world.clock, world.jitter
    )
    return erase_person(eraser, SIGNER, papers=papers, actor="operator")


def words(world: ContractWorld) -> str:
    return repr(world.documents.dump()) + repr(world.blobs.contents())  # type: ignore[attr-defined]  # the fakes


def test_signed_papers_ask_for_a_decision_first(signed: ContractWorld) -> None:
    before = words(signed)
    with pytest.raises(InputError, match=r"contracts/.*--papers keep"):
        erase(signed, None)
    assert words(signed) == before


def test_a_contract_under_way_must_be_ended_first() -> None:
    world = contract_world()
    world.out()
    with pytest.raises(InputError, match="void it first"):
        erase(world, SignedPapers.ERASE)


def test_kept_papers_are_all_that_stays_and_the_proof_lists_them(signed: ContractWorld) -> None:
    outcome = erase(signed, SignedPapers.KEEP)
    assert outcome.left == ()
    (kept,) = outcome.erasure.kept
    assert kept.startswith("contracts/")
    rest = {path: fields for path, fields in signed.documents.dump().items() if not path.endswith(kept)}  # type: ignore[attr-defined]  # the fake
    assert "sam@globex.example" not in repr(rest)
    assert "Sam Signer" not in repr(rest)


def test_papers_can_lose_the_person_as_well(signed: ContractWorld) -> None:
    outcome = erase(signed, SignedPapers.ERASE)
    assert outcome.erasure.state is ErasureState.SETTLING
    assert outcome.left == ()
    assert "sam@globex.example" not in words(signed)
    assert "Sam Signer" not in words(signed)
    (contract,) = [found.value for found in signed.records.contracts.where(())]
    assert contract.status is ContractStatus.FULLY_SIGNED
    assert ERASED in {signer.name for signer in contract.signers}
    assert (contract.document_blob, contract.certificate_blob) == (None, None)
    assert Contacts(signed.store).get("c-carla").contact.first_name == "Carla"


def test_the_deal_stays_with_everybody_else(signed: ContractWorld) -> None:
    erase(signed, SignedPapers.KEEP)
    assert [person.contact_id for person in signed.deal().contacts] == ["c-carla"]
