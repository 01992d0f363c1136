"""Notices without proof, doubled, late or out of order, and links that mail scanners open: I21, I22, I25, I31."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.cash.contract import ContractStatus
from shared.domain.cash.deal import Step
from shared.domain.cash.quote import QuoteStatus
from shared.errors import InputError, NotFoundError, ProofError, ProviderUnavailableError
from shared.providers.docusign.webhook import verify_signature
from shared.records.cash import CashRecords
from shared.records.store import TenantStore
from shared.usecases.cash.decide_quote import DeedKind, read_quote_page, read_quote_pdf
from shared.usecases.cash.set_up_signing import connect_keys, set_keys
from tests.contract_world import ADA, CONNECTION, ContractWorld, contract_world, line
from tests.fake_signing import KEYS, Delivered


def signature(body: bytes, key: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def first_notice(world: ContractWorld) -> Delivered:
    world.sends(world.contracts(world.accepted()))
    return world.docusign.posts()[0]


def knows(world: ContractWorld, *keys: str) -> None:
    set_keys(world.store, CONNECTION, keys, ADA, vault=world.vault, clock=world.clock, jitter=world.jitter)


def nothing_came_in(world: ContractWorld) -> bool:
    stored = [path for path in world.documents.dump() if "/deliveries/" in path]  # type: ignore[attr-defined]  # memory
    return not stored and not world.queue.pending("contract-sync")


# ----------------------------------------------------------------------------------------------------------- I21: proof


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("no signature", {}),
        ("an empty one", {"X-DocuSign-Signature-1": ""}),
        ("another key's", {"X-DocuSign-Signature-1": "wrong key"}),
        ("in another header", {"X-Signature": "right key"}),
        ("of the re-serialized JSON", {"X-DocuSign-Signature-1": "re-serialized"}),
    ],
)
def test_i21_a_missing_proof_is_a_wrong_proof(name: str, headers: dict[str, str]) -> None:
    world = contract_world()
    post = first_notice(world)
    rewritten = json.dumps(json.loads(post.body), indent=1).encode()
    proofs = {
        "wrong key": signature(post.body, "guessed"),
        "right key": signature(post.body, KEYS[0]),
        "re-serialized": signature(rewritten, KEYS[0]),
    }
    with pytest.raises(ProofError):
        world.receives(replace(post, headers={key: proofs.get(value, value) for key, value in headers.items()}))
    assert nothing_came_in(world)


def test_i21_an_account_without_keys_believes_nobody() -> None:
    world = contract_world()
    post = first_notice(world)
    assert connect_keys(TenantStore(world.documents, "other"), CONNECTION, vault=lambda: world.vault) == ()
    with pytest.raises(ProofError):
        verify_signature(post.body, post.headers, keys=())


def test_i21_while_keys_change_the_old_and_the_new_one_are_good() -> None:
    world = contract_world()
    post = first_notice(world)
    for key in KEYS:
        knows(world, key, "unrelated")
        world.receives(replace(post, headers={"x-docusign-signature-2": signature(post.body, key)}))
    knows(world, "unrelated")
    with pytest.raises(ProofError):
        world.receives(post)


def test_i21_nothing_is_parsed_before_it_is_verified() -> None:
    world = contract_world()
    post = first_notice(world)
    with pytest.raises(ProofError):
        world.receives(replace(post, body=b"\xff not JSON"))


# ------------------------------------------------------------------------------------- I22: doubled, late, reordered

EVERY_STEP = Counter(
    {
        Step.QUOTE_SENT: 1,
        Step.QUOTE_VIEWED: 1,
        Step.QUOTE_ACCEPTED: 1,
        Step.CONTRACT_PREPARED: 1,
        Step.CONTRACT_SENT: 1,
        Step.CONTRACT_VIEWED: 2,
        Step.CONTRACT_SIGNED_BY: 2,
        Step.CONTRACT_SIGNED: 1,
        Step.CONTRACT_STORED: 1,
        Step.DEAL_WON: 1,
        Step.INVOICE_STOPPED: 1,
    }
)


def signed_in_disorder(seed: int) -> ContractWorld:
    """The way of one contract, its notices doubled, held back, stripped, lost and mixed, as the seed has it."""
    dice = random.Random(seed)
    world = contract_world(seed=seed)
    contract = world.contracts(world.accepted())
    if dice.random() < 0.3:
        world.docusign.wire.losing.append("POST envelopes")
        with pytest.raises(ProviderUnavailableError):
            world.sends(contract)
        world.passes(minutes=3)
    world.sends(contract)
    held: list[Delivered] = []
    for role in ("Customer", "Countersigner"):
        for kind in ("double", "bare", "drop", "reorder"):
            if dice.random() < 0.4:
                world.docusign.disturb(kind)
        world.passes(minutes=dice.choice((0.2, 3, 40)))
        world.docusign.act(role, "sign")
        while posts := world.docusign.posts():
            for post in posts:
                world.docusign.acknowledge(post)
                held += [post] * dice.choice((1, 1, 2))
            world.passes(seconds=31)
        dice.shuffle(held)
        for post in [held.pop() for _ in range(dice.randint(0, len(held)))]:
            world.receives(post)
            if dice.random() < 0.5:
                world.drain(redeliver=True, until=world.clock.now() + timedelta(minutes=1))
    for post in held:
        world.receives(post)
    world.drain(redeliver=True)
    world.passes(days=1)
    world.reconciles()
    world.sweeps()
    return world


@pytest.mark.parametrize("seed", range(60))
def test_i22_whatever_becomes_of_the_notices_the_contract_ends_signed_once(seed: int) -> None:
    world = signed_in_disorder(seed)
    (contract,) = world.shown().contracts
    assert (contract.status, contract.refused_moves) == (ContractStatus.FULLY_SIGNED, 0)
    assert [signer.name for signer in contract.signers_now] == ["Sam Signer", "Anna Rep"]
    assert Counter(world.steps()) == EVERY_STEP
    assert len(world.docusign.envelopes()) == 1
    assert world.docusign.simulator.limits.refused == []
    assert world.blobs.get(contract.document_blob or "").startswith(b"%PDF-")


def test_i22_terminal_is_terminal_whatever_a_notice_says() -> None:
    world = contract_world()
    contract = world.signed()
    post = told_voided(world)
    world.receives(post)
    world.drain()
    after = world.contract(contract)
    assert (after.status, after.refused_moves) == (ContractStatus.FULLY_SIGNED, 1)
    assert world.shown().refused_moves == 1
    assert world.deal().stage == "won"


def told_voided(world: ContractWorld) -> Delivered:
    """A genuine notice that says the signed envelope was voided."""
    envelope = world.docusign.only
    world.passes(hours=1)
    envelope.status, envelope.void_reason, envelope.changed_at = "voided", "A mistake", world.clock.now()
    world.docusign.simulator.connect.tell(envelope, "envelope-voided", None)
    (post,) = world.docusign.posts()
    return post


def test_i22_readings_of_an_envelope_are_fifteen_minutes_apart_except_for_its_end() -> None:
    world = contract_world()
    contract = world.out()
    world.docusign.disturb("bare", times=99)
    read_at = []
    for _ in range(6):
        world.docusign.act("Customer", "bounce")
        for post in world.docusign.posts():
            world.receives(post)
            world.docusign.acknowledge(post)
        before = world.docusign.reads()
        world.drain(until=world.clock.now() + timedelta(minutes=4))
        if world.docusign.reads() > before:
            read_at.append(world.contract(contract).read_at)
        world.passes(minutes=4)
    assert world.docusign.simulator.limits.refused == []
    gaps = [later - earlier for earlier, later in itertools.pairwise(read_at) if later and earlier]
    assert all(gap >= timedelta(minutes=15) for gap in gaps)
    assert len(read_at) == 2


# ----------------------------------------------------------------------------------------- I25: verify, store, enqueue


def test_i25_a_delivery_is_stored_and_queued_and_nothing_else() -> None:
    world = contract_world()
    post = first_notice(world)
    calls = len(world.docusign.wire.calls)
    before = set(world.documents.dump())  # type: ignore[attr-defined]  # memory
    world.receives(post)
    new = set(world.documents.dump()) - before  # type: ignore[attr-defined]  # memory
    assert len(world.docusign.wire.calls) == calls
    assert all("/deliveries/" in path for path in new)
    assert len(new) == 1
    assert len(world.queue.pending("contract-sync")) == 1


def test_i25_a_queue_outage_is_finished_by_the_next_delivery() -> None:
    world = contract_world()
    post = first_notice(world)
    world.queue.down = True
    with pytest.raises(ProviderUnavailableError):
        world.receives(post)
    world.queue.down = False
    world.receives(post)
    assert len(world.queue.pending("contract-sync")) == 1
    world.drain()
    (contract,) = world.shown().contracts
    assert contract.status is ContractStatus.SENT


# --------------------------------------------------------------------------------------- I31: scanners open every link


def test_i31_fetching_a_quotes_link_changes_nothing_however_often() -> None:
    world = contract_world()
    sent = world.sends_quote(world.quotes(line(1, "10.00")))
    token = sent.link.rpartition("/")[2]
    before = world.documents.dump()  # type: ignore[attr-defined]  # memory
    for _ in range(5):
        read_quote_page(world.store, sent.quote.quote_id, token, clock=world.clock)
        read_quote_pdf(world.store, sent.quote.quote_id, token, blobs=world.blobs)
    assert world.documents.dump() == before  # type: ignore[attr-defined]  # memory
    assert world.quote(sent.quote.quote_id).opens == 0


def test_i31_a_decision_is_made_once_and_not_after_the_end() -> None:
    world = contract_world()
    sent = world.sends_quote(world.quotes(line(1, "10.00"), expires_on=world.today()))
    world.passes(days=1)
    with pytest.raises(InputError):
        world.decides(sent, DeedKind.ACCEPT)
    renewed = world.sends_quote(sent.quote, expires_on=world.today())
    world.decides(renewed, DeedKind.DECLINE)
    with pytest.raises(InputError, match="was declined already"):
        world.decides(renewed, DeedKind.ACCEPT)
    assert world.quote(sent.quote.quote_id).status is QuoteStatus.DECLINED


def test_i31_an_older_link_decides_nothing() -> None:
    world = contract_world()
    old = world.sends_quote(world.quotes(line(1, "10.00")))
    world.sends_quote(old.quote)
    for kind in DeedKind:
        with pytest.raises(NotFoundError):
            world.decides(old, kind)


def test_i27_a_contract_of_another_tenant_is_not_moved_by_this_ones_notices() -> None:
    world = contract_world()
    contract = world.out()
    other = TenantStore(world.documents, "other")
    assert CashRecords(other).contracts.find(contract.contract_id) is None
    assert CashRecords(other).contract_of_envelope(contract.envelope_id or "") is None
