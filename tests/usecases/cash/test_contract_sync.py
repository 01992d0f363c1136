"""What the signing service tells, as it tells it: doubled, late, reordered, bare, lost (Q4, Q7, I22)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.cash.contract import ContractStatus
from shared.domain.cash.deal import Step
from shared.domain.cash.signing import SignerStatus
from shared.domain.delivery import DeliveryState
from shared.errors import PayloadError, ProviderUnavailableError
from shared.ports.documents import Delete
from shared.usecases.accept_delivery import find_delivery
from shared.usecases.cash.control_contract import ActionKind
from shared.usecases.cash.reconcile_contracts import Repairs, queue_reconciles
from tests.contract_world import TENANT, ContractWorld, contract_world
from tests.fake_signing import KEYS, Delivered

SIGNED_STEPS = {
    Step.CONTRACT_SENT: 1,
    Step.CONTRACT_VIEWED: 2,
    Step.CONTRACT_SIGNED_BY: 2,
    Step.CONTRACT_SIGNED: 1,
    Step.CONTRACT_STORED: 1,
    Step.DEAL_WON: 1,
}


def counted(world: ContractWorld) -> dict[Step, int]:
    return {step: world.steps().count(step) for step in SIGNED_STEPS}


def event(post: Delivered) -> str:
    return str(json.loads(post.body)["event"])


def signed_anew(post: Delivered, body: bytes) -> Delivered:
    """Other bytes, signed with the account's key all the same."""
    proof = base64.b64encode(hmac.new(KEYS[0].encode(), body, hashlib.sha256).digest()).decode()
    return replace(post, body=body, headers={"X-DocuSign-Signature-1": proof})


def told_everything(world: ContractWorld) -> list[Delivered]:
    """Every notice of a contract that everybody signed; none is delivered yet."""
    world.sends(world.contracts(world.accepted()))
    world.signs()
    return told(world)


def told(world: ContractWorld) -> list[Delivered]:
    """Every notice that is on its way, in order; the service thinks it was taken."""
    posts: list[Delivered] = []
    while more := world.docusign.posts():
        posts += more
        for post in more:
            world.docusign.acknowledge(post)
    return posts


def test_statuses_follow_the_notices_signer_by_signer() -> None:
    world = contract_world()
    contract = world.out()
    assert [signer.status for signer in contract.signers_now] == [SignerStatus.SENT, SignerStatus.CREATED]
    world.docusign.act("Customer", "view")
    world.hears_all()
    assert world.contract(contract).signers_now[0].viewed_at == world.clock.now()
    world.signs("Customer")
    world.hears_all()
    assert world.contract(contract).status is ContractStatus.PARTIALLY_SIGNED
    world.signs("Countersigner")
    world.hears_all()
    assert world.contract(contract).status is ContractStatus.FULLY_SIGNED
    assert world.contract(contract).refused_moves == 0


def test_a_notice_that_tells_enough_reads_nothing_and_an_end_reads_once() -> None:
    world = contract_world()
    world.out()
    world.signs("Customer")
    world.hears_all()
    assert world.docusign.reads() == 0
    world.signs("Countersigner")
    world.hears_all()
    assert world.docusign.reads() == 1


@pytest.mark.parametrize("order", ["as told", "backwards", "the end first"])
def test_in_any_order_and_doubled_it_ends_the_same(order: str) -> None:
    world = contract_world()
    posts = told_everything(world)
    if order == "backwards":
        posts = posts[::-1]
    elif order == "the end first":
        posts = sorted(posts, key=lambda post: event(post) != "envelope-completed")
    world.hears(*[post for post in posts for _ in range(2)])
    (contract,) = world.shown().contracts
    assert (contract.status, contract.refused_moves) == (ContractStatus.FULLY_SIGNED, 0)
    assert counted(world) == SIGNED_STEPS
    assert world.docusign.reads() == 1


def test_one_delivery_is_worked_on_once() -> None:
    world = contract_world()
    contract = world.out()
    world.docusign.act("Customer", "view")
    (post,) = [post for post in world.docusign.posts() if event(post) == "recipient-delivered"]
    delivery_id = world.receives(post)
    assert world.receives(post) == delivery_id
    assert len(world.queue.pending("contract-sync")) == 1
    world.drain()
    found = find_delivery(world.store, delivery_id)
    assert found is not None
    assert found.value.state is DeliveryState.DONE
    assert b"sam@globex.example" not in found.value.body
    world.receives(post)
    world.drain()
    assert world.contract(contract).late_words == 0


def test_a_retry_of_the_sender_is_the_same_delivery_although_its_bytes_differ() -> None:
    world = contract_world()
    world.sends(world.contracts(world.accepted()))
    first = world.docusign.posts()[0]
    world.docusign.acknowledge(first, 503)
    world.passes(minutes=1)
    again = next(post for post in told(world) if post.notice is first.notice)
    assert again.body != first.body
    assert world.receives(first) == world.receives(again)


def test_a_notice_without_its_summary_causes_one_reading() -> None:
    world = contract_world()
    contract = world.out()
    world.docusign.disturb("bare", event="recipient-delivered")
    world.docusign.act("Customer", "view")
    world.hears_all()
    assert world.docusign.reads() == 1
    assert world.contract(contract).signers_now[0].status is SignerStatus.VIEWED


def test_a_second_wish_to_read_waits_its_fifteen_minutes_and_is_one_task() -> None:
    world = contract_world()
    contract = world.out()
    world.docusign.disturb("bare", times=4)
    world.docusign.act("Customer", "view")
    world.docusign.act("Customer", "bounce")
    posts = told(world)
    assert [event(post) for post in posts] == ["recipient-delivered", "recipient-autoresponded"]
    for post in posts:
        world.receives(post)
    started = world.clock.now()
    world.drain(until=started + timedelta(minutes=14))
    assert world.docusign.reads() == 1
    (waiting,) = world.queue.pending("contract-read")
    assert waiting.not_before == started + timedelta(minutes=15)
    world.drain()
    assert world.docusign.reads() == 2
    assert world.docusign.simulator.limits.refused == []
    assert world.contract(contract).read_at == started + timedelta(minutes=15)


def test_an_end_is_read_within_the_fifteen_minutes() -> None:
    world = contract_world()
    contract = world.out()
    world.docusign.disturb("bare", event="recipient-delivered")
    world.docusign.act("Customer", "view")
    world.hears_all()
    world.signs(minutes=0.1)
    world.hears_all()
    assert world.contract(contract).signed
    assert world.docusign.reads() == 2
    assert world.docusign.simulator.limits.refused == []


def test_a_reading_that_died_has_used_its_turn() -> None:
    world = contract_world()
    contract = world.out()
    world.docusign.disturb("bare", event="recipient-delivered")
    world.docusign.act("Customer", "view")
    world.docusign.wire.losing.append("GET envelopes/")
    (post,) = [post for post in world.docusign.posts() if event(post) == "recipient-delivered"]
    world.receives(post)
    with pytest.raises(ProviderUnavailableError):
        world.drain()
    world.drain(redeliver=True)
    assert world.contract(contract).signers_now[0].status is SignerStatus.VIEWED
    assert world.docusign.simulator.limits.refused == []


def test_declining_keeps_the_reason_and_leaves_the_deal() -> None:
    world = contract_world()
    contract = world.out()
    world.docusign.act("Customer", "decline", "The price is wrong")
    world.hears_all()
    declined = world.contract(contract)
    assert declined.status is ContractStatus.DECLINED
    assert world.said(Step.CONTRACT_DECLINED) == "Contract CT-000001 was declined: The price is wrong."
    assert "Contract CT-000001 was declined; the deal stays where it is." in world.asked()
    assert world.deal().stage == "negotiation"
    assert world.steps().count(Step.DEAL_WON) == 0


def test_an_envelope_nobody_knows_waits_a_little_and_is_then_not_ours() -> None:
    world = contract_world()
    contract = world.out()
    world.docusign.disturb("bare")
    world.docusign.act("Customer", "view")
    world.store.commit([Delete(f"contracts/{contract.contract_id}")])
    (post, *_) = world.docusign.posts()
    delivery_id = world.receives(post)
    received_at = world.clock.now()
    world.drain()
    found = find_delivery(world.store, delivery_id)
    assert found is not None
    assert found.value.state is DeliveryState.DONE
    assert world.clock.now() == received_at + timedelta(minutes=2)
    assert world.docusign.reads() == 0


def test_a_notice_nobody_can_read_is_refused_before_it_is_stored() -> None:
    world = contract_world()
    world.sends(world.contracts(world.accepted()))
    post = world.docusign.posts()[0]
    with pytest.raises(PayloadError):
        world.receives(signed_anew(post, b"<xml/>"))
    assert world.queue.pending("contract-sync") == []


# --------------------------------------------------------------------------------------------------------- reconciling


def test_the_reconcile_repairs_what_lost_notices_left_in_one_listing() -> None:
    world = contract_world()
    contract = world.sends(world.contracts(world.accepted()))
    world.signs()
    world.loses_notices()
    assert world.contract(contract).status is ContractStatus.SENT

    assert world.reconciles() == Repairs(listed=1, ours=1, moved=1)
    assert world.contract(contract).status is ContractStatus.FULLY_SIGNED
    assert counted(world) == SIGNED_STEPS
    assert world.docusign.counted("GET envelopes") == 1 + 2  # the listing, and two documents
    assert world.docusign.reads() == 0
    world.passes(days=1)
    assert world.reconciles().moved == 0


def test_the_reconcile_finds_a_sending_whose_answer_was_lost() -> None:
    world = contract_world()
    contract = world.contracts(world.accepted())
    world.docusign.wire.losing.append("POST envelopes")
    with pytest.raises(ProviderUnavailableError):
        world.sends(contract)
    world.loses_notices()
    assert world.reconciles().moved == 1
    assert world.contract(contract).envelope_id == world.docusign.only.envelope_id


def test_the_reconcile_goes_on_from_where_it_was_with_an_overlap() -> None:
    world = contract_world()
    world.out()
    world.reconciles()
    world.passes(days=2)
    assert world.reconciles() == Repairs(listed=1, ours=1, moved=0)
    assert world.reconciles() == Repairs(0, 0, 0)
    world.docusign.act("Customer", "decline", "No")
    world.loses_notices()
    world.passes(days=1)
    assert world.reconciles().moved == 1


def test_the_schedule_and_a_person_queue_one_reconcile_each() -> None:
    world = contract_world()
    contract = world.out()
    slot = world.clock.now()
    for _ in range(2):
        assert queue_reconciles(world.documents, tasks=world.tasks, slot=slot) == 1
        world.does(contract, ActionKind.RECONCILE)
    waiting = world.queue.pending("contract-reconcile")
    assert len(waiting) == 2
    assert {task.payload["tenant"] for task in waiting} == {TENANT}
