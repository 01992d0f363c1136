"""The lattice of a contract: forward only, and the same end in whatever order the words come (I22)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.cash.contract import FORWARD, Contract, ContractStatus, apply_envelope
from shared.domain.cash.signing import EnvelopeState, EnvelopeStatus, SignerState, SignerStatus

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
DRAFT = Contract("y-1", "CT-1", "d-1", "msa", (), sent_at=BEGIN)
ENDS = {
    EnvelopeStatus.COMPLETED: ContractStatus.FULLY_SIGNED,
    EnvelopeStatus.DECLINED: ContractStatus.DECLINED,
    EnvelopeStatus.VOIDED: ContractStatus.VOIDED,
}

Word = tuple[EnvelopeState, datetime]
"""What a notice or a reading says, and when it was so."""


@st.composite
def histories(draw: st.DrawFn) -> list[Word]:
    """Everything the service tells of one envelope, in order: snapshots of a walk with bounces and corrections."""
    signers = [SignerState(str(n), f"P{n}", f"p{n}@customer.example", SignerStatus.CREATED, n) for n in (1, 2, 3)]
    signers = signers[: draw(st.integers(1, 3))]
    at, words, turn = BEGIN, [], 0
    signers[0] = replace(signers[0], status=SignerStatus.SENT)

    def tell(status: EnvelopeStatus, **fields: object) -> None:
        told = tuple(signers) if draw(st.integers(0, 9)) else ()  # a notice may come without its signers
        words.append((EnvelopeState("e-1", status, at, told, **fields), at))  # type: ignore[arg-type]

    tell(EnvelopeStatus.SENT)
    for _ in range(draw(st.integers(0, 8))):
        at += timedelta(seconds=draw(st.integers(1, 900)))
        now = signers[turn]
        match draw(st.sampled_from(["view", "sign", "bounce", "correct", "decline", "void"])):
            case "view":
                signers[turn] = replace(now, status=SignerStatus.VIEWED, viewed_at=now.viewed_at or at)
            case "bounce":
                signers[turn] = replace(now, status=SignerStatus.BOUNCED)
            case "correct":
                fresh = f"p{now.recipient_id}-{len(words)}@customer.example"
                signers[turn] = SignerState(now.recipient_id, "Another", fresh, SignerStatus.SENT, now.order)
            case "decline":
                signers[turn] = replace(now, status=SignerStatus.DECLINED, reason="No")
                tell(EnvelopeStatus.DECLINED)
                return words
            case "void":
                tell(EnvelopeStatus.VOIDED, void_reason="Wrong")
                return words
            case _:
                signers[turn] = replace(now, status=SignerStatus.SIGNED, viewed_at=now.viewed_at or at, signed_at=at)
                if turn + 1 == len(signers):
                    tell(EnvelopeStatus.COMPLETED, completed_at=at)
                    return words
                turn += 1
                signers[turn] = replace(signers[turn], status=SignerStatus.SENT)
        tell(EnvelopeStatus.DELIVERED)
    return words


def after(words: list[Word]) -> Contract:
    contract = DRAFT
    for state, at in words:
        contract = apply_envelope(contract, state, at)
    return contract


def uncounted(contract: Contract) -> Contract:
    """How often something came late is a matter of the order it came in."""
    return replace(contract, late_words=0)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_order_and_any_repetition_ends_in_the_same_state(data: st.DataObject) -> None:
    words = data.draw(histories())
    told = data.draw(st.lists(st.sampled_from(words), max_size=12)) + words
    shuffled = data.draw(st.permutations(told))
    assert uncounted(after(shuffled)) == uncounted(after(words))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_contract_only_moves_forward_and_an_end_is_an_end(data: st.DataObject) -> None:
    words = data.draw(st.permutations(data.draw(histories()) + data.draw(histories())))
    contract = DRAFT
    for state, at in words:
        before, contract = contract, apply_envelope(contract, state, at)
        assert contract.status is before.status or contract.status in FORWARD[before.status]
        if before.ended:
            assert contract.status is before.status


@pytest.mark.parametrize("first", ENDS)
@pytest.mark.parametrize("second", ENDS)
def test_a_word_that_contradicts_an_end_is_refused_and_counted(first: EnvelopeStatus, second: EnvelopeStatus) -> None:
    ended = after([(EnvelopeState("e-1", first, BEGIN), BEGIN)])
    later = BEGIN + timedelta(hours=1)
    found = apply_envelope(ended, EnvelopeState("e-1", second, later), later)
    assert found.status is ENDS[first]
    assert found.refused_moves == (0 if first is second else 1)


def test_another_envelopes_word_is_refused_and_counted() -> None:
    known = after([(EnvelopeState("e-1", EnvelopeStatus.SENT, BEGIN), BEGIN)])
    found = apply_envelope(known, EnvelopeState("e-2", EnvelopeStatus.COMPLETED, BEGIN), BEGIN)
    assert (found.status, found.envelope_id, found.refused_moves) == (ContractStatus.SENT, "e-1", 1)


def test_a_late_word_is_counted_apart_from_refused_ones() -> None:
    ended = after([(EnvelopeState("e-1", EnvelopeStatus.COMPLETED, BEGIN), BEGIN)])
    found = apply_envelope(ended, EnvelopeState("e-1", EnvelopeStatus.SENT, BEGIN), BEGIN)
    assert (found.status, found.late_words, found.refused_moves) == (ContractStatus.FULLY_SIGNED, 1, 0)


def test_every_status_says_where_it_may_go() -> None:
    assert set(FORWARD) == set(ContractStatus)
    reachable = {target for targets in FORWARD.values() for target in targets}
    assert reachable == set(ContractStatus) - {ContractStatus.DRAFT}
