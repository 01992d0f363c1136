"""Contracts: made from a quote, reviewed, sent, reminded, corrected, voided, signed by hand, renewed (Q2-Q6, Q17)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.cash.contract import ContractStatus
from shared.domain.cash.contract_type import RoleMapping, Side, TemplateMapping
from shared.domain.cash.deal import Step
from shared.domain.cash.signing import Signer, SignerStatus
from shared.errors import ForbiddenError, InputError, NotFoundError, ProviderUnavailableError, RateLimitedError
from shared.usecases.cash.control_contract import ActionKind
from shared.usecases.cash.decide_quote import DeedKind
from shared.usecases.cash.send_contract import review_sending
from tests.contract_world import (
    ANNA,
    BEN,
    PDF,
    WORKED_EXAMPLE,
    ContractWorld,
    contract_world,
    line,
    usd,
)
from tests.fake_signing import TEMPLATE

# ------------------------------------------------------------------------------------------------------------- making


def test_the_deals_contact_roles_propose_who_signs_and_its_owner_countersigns() -> None:
    world = contract_world()
    contract = world.contracts(world.accepted())
    assert contract.number == "CT-000001"
    assert [(signer.role, signer.name, signer.order, signer.ours) for signer in contract.signers] == [
        ("Customer", "Sam Signer", 1, False),
        ("Countersigner", "Anna Rep", 2, True),
    ]


def test_a_deal_without_a_signer_proposes_its_buyer() -> None:
    world = contract_world()
    world.changes_deal(contacts=())
    assert world.contracts(world.accepted()).signers[0].name == "Carla Buyer"


def test_a_contract_needs_an_accepted_quote_and_a_quote_has_one_contract() -> None:
    world = contract_world()
    with pytest.raises(InputError, match="not accepted yet"):
        world.contracts(world.quotes(line(1, "1.00"), key="other"))
    quote = world.accepted()
    first = world.contracts(quote)
    assert world.contracts(quote).contract_id == first.contract_id
    with pytest.raises(InputError, match="has contract CT-000001 already"):
        world.contracts(quote, key="k-2")


def test_only_who_may_see_the_deal_makes_and_sends_its_contracts() -> None:
    world = contract_world()
    quote = world.accepted()
    with pytest.raises(ForbiddenError):
        world.contracts(quote, user=BEN)
    contract = world.contracts(quote)
    with pytest.raises(ForbiddenError):
        world.sends(contract, user=BEN)


# ---------------------------------------------------------------------------------------------------------- reviewing


def problems(world: ContractWorld) -> tuple[str, ...]:
    contract = world.contracts(world.accepted())
    return review_sending(world.store, contract.contract_id, world.sending, user=ANNA).problems


def test_what_is_filled_in_comes_from_contact_company_deal_and_quote() -> None:
    world = contract_world()
    contract = world.contracts(world.accepted(*WORKED_EXAMPLE))
    readiness = review_sending(world.store, contract.contract_id, world.sending, user=ANNA)
    assert readiness.problems == ()
    assert readiness.prefill == {"Customer": {"Company": "Globex Inc", "Amount": "23,000.00 USD"}}


def test_a_field_that_would_stay_empty_is_said_and_a_recommended_one_advised() -> None:
    world = contract_world()
    prefill = {"Customer": {"Company": "contact.title", "Amount": "deal.close_on"}}
    world.contract_type(templates=(TemplateMapping(TEMPLATE, "MSA", prefill),))
    world.changes_deal(close_on=None)
    contract = world.contracts(world.accepted())
    readiness = review_sending(world.store, contract.contract_id, world.sending, user=ANNA)
    assert readiness.problems == ("The deal's close date is missing; the field 'Amount' would stay empty.",)
    assert readiness.advice == ()


def test_a_signer_without_an_email_or_a_name_stops_it() -> None:
    world = contract_world()
    contract = world.contracts(world.accepted(), signers=(Signer("1", "Customer", "Sam", "", 1),))
    with pytest.raises(InputError, match="Sam has no email address") as refused:
        world.sends(contract)
    assert "the role 'Countersigner', and nobody is mapped to it" in str(refused.value)
    assert world.docusign.envelopes() == []


def test_a_role_nobody_is_left_for_stays_open() -> None:
    world = contract_world()
    roles = (RoleMapping("Customer", Side.CUSTOMER, 1), RoleMapping("Countersigner", Side.CUSTOMER, 2))
    world.contract_type(roles=roles)
    world.changes_deal(contacts=())
    assert problems(world) == (
        "Countersigner has no email address; add one to send the contract.",
        "The signer Countersigner has no name; add one to send the contract.",
    )


def test_the_same_person_may_sign_in_two_roles_but_a_role_is_one_persons() -> None:
    world = contract_world()
    twice = tuple(Signer(str(n), role, "Sam", "sam@globex.example", n) for n, role in enumerate(("A", "A"), start=1))
    contract = world.contracts(world.accepted(), signers=twice)
    with pytest.raises(InputError, match="Two signers have the role 'A'"):
        world.sends(contract)


def test_a_template_that_changed_since_it_was_mapped_stops_it() -> None:
    world = contract_world()
    template = world.docusign.simulator.directory.templates[TEMPLATE]
    renamed = replace(template, roles=(replace(template.roles[0], name="Client"), template.roles[1]))
    world.docusign.simulator.directory.templates[TEMPLATE] = renamed
    assert problems(world) == (
        "The template Master services agreement has the role 'Client', and nobody is mapped to it.",
        "The template Master services agreement has no role 'Customer' (any more); map the signer anew.",
        "The template Master services agreement has no field 'Company' for Customer (any more); map it anew.",
        "The template Master services agreement has no field 'Amount' for Customer (any more); map it anew.",
    )


def test_a_template_that_is_gone_stops_it() -> None:
    world = contract_world()
    contract = world.contracts(world.accepted())
    world.docusign.simulator.directory.templates.clear()
    with pytest.raises(InputError, match="does not exist any more"):
        world.sends(contract)


def test_an_unmapped_template_cannot_be_chosen() -> None:
    world = contract_world()
    with pytest.raises(InputError, match="not mapped to the contract type"):
        world.contracts(world.accepted(), template_id="unknown")


# ------------------------------------------------------------------------------------------------------------- sending


def test_it_goes_out_with_its_fields_filled_in_and_its_way_back() -> None:
    world = contract_world()
    contract = world.out(*WORKED_EXAMPLE)
    envelope = world.docusign.only
    assert (contract.status, contract.envelope_id) == (ContractStatus.SENT, envelope.envelope_id)
    assert world.docusign.recipient("Customer").email == "sam@globex.example"
    assert world.docusign.recipient("Customer").tabs == {"Company": "Globex Inc", "Amount": "23,000.00 USD"}


def test_a_contract_without_a_template_is_written_here() -> None:
    world = contract_world()
    world.contract_type(templates=(), terms="Between {company.name} and us.")
    contract = world.out()
    assert contract.status is ContractStatus.SENT
    assert world.paper.rendered == 2  # the quote and the contract


def test_sending_twice_is_one_envelope() -> None:
    world = contract_world()
    contract = world.out()
    assert world.sends(contract).envelope_id == contract.envelope_id
    assert len(world.docusign.envelopes()) == 1


def test_a_send_whose_answer_was_lost_is_found_and_not_repeated() -> None:
    world = contract_world()
    contract = world.contracts(world.accepted())
    review_sending(world.store, contract.contract_id, world.sending, user=ANNA)
    world.docusign.wire.losing.append("POST envelopes")
    with pytest.raises(ProviderUnavailableError):
        world.sends(contract)
    with pytest.raises(RateLimitedError):
        world.sends(contract)
    world.passes(minutes=3)
    assert world.sends(contract).status is ContractStatus.SENT
    assert len(world.docusign.envelopes()) == 1
    assert world.docusign.counted("POST envelopes") == 1


def test_what_the_service_refuses_can_be_mended_and_sent_at_once() -> None:
    world = contract_world()
    contract = world.contracts(world.accepted())
    world.docusign.simulator.faults.arm(
        {"call": "envelopes.create", "status": 400, "code": "INVALID_EMAIL_ADDRESS_FOR_RECIPIENT"}
    )
    with pytest.raises(InputError):
        world.sends(contract)
    assert world.sends(contract).status is ContractStatus.SENT


def test_a_notice_that_overtakes_the_answer_to_sending_is_believed() -> None:
    world = contract_world()
    contract = world.contracts(world.accepted())
    world.docusign.wire.losing.append("POST envelopes")
    with pytest.raises(ProviderUnavailableError):
        world.sends(contract)
    world.hears_all()
    assert world.contract(contract).status is ContractStatus.SENT
    assert world.sends(contract).status is ContractStatus.SENT
    assert len(world.docusign.envelopes()) == 1


def test_signers_of_a_draft_are_changed_and_of_one_that_is_out_corrected() -> None:
    world = contract_world()
    contract = world.contracts(world.accepted())
    others = (replace(contract.signers[0], name="Olga Other"), contract.signers[1])
    assert world.changes_signers(contract, others).signers[0].name == "Olga Other"
    world.sends(contract)
    with pytest.raises(InputError, match="correct the signer instead"):
        world.changes_signers(contract, others)


# ---------------------------------------------------------------------------------------------------------- controlling


def test_a_reminder_mails_whose_turn_it_is() -> None:
    world = contract_world()
    contract = world.out()
    world.does(contract, ActionKind.REMIND)
    assert [mail["to"] for mail in world.docusign.simulator.mails] == ["sam@globex.example"] * 2
    assert Step.CONTRACT_REMINDED in world.steps()


def test_voiding_needs_a_reason_which_the_signers_and_the_chain_are_told() -> None:
    world = contract_world()
    contract = world.out()
    with pytest.raises(InputError, match="Say why"):
        world.does(contract, ActionKind.VOID, reason=" ")
    world.does(contract, ActionKind.VOID, reason="Wrong price.")
    world.hears_all()
    assert world.contract(contract).status is ContractStatus.VOIDED
    assert world.docusign.only.void_reason == "Wrong price."
    assert world.said(Step.CONTRACT_VOIDED) == "Contract CT-000001 was voided: Wrong price."
    assert world.deal().stage == "negotiation"
    assert "Contract CT-000001 was voided; the deal stays where it is." in world.asked()


def test_a_voided_contract_makes_room_for_another_and_for_another_quote() -> None:
    world = contract_world()
    quote = world.accepted()
    contract = world.contracts(quote)
    world.does(contract, ActionKind.VOID, reason="Not needed")
    assert world.docusign.envelopes() == []
    assert world.contracts(quote, key="k-2").number == "CT-000002"
    world.does(world.contracts(quote, key="k-2"), ActionKind.VOID, reason="Not needed either")
    assert world.accepted(line(2, "10.00"), key="better").quote_id == world.deal().accepted_quote_id


def test_a_signed_contract_is_not_voided() -> None:
    world = contract_world()
    contract = world.signed()
    with pytest.raises(InputError, match="fully signed; it cannot be voided"):
        world.does(contract, ActionKind.VOID, reason="Changed our mind")


def test_mail_that_came_back_is_shown_and_mended_by_a_correction() -> None:
    world = contract_world()
    contract = world.out()
    world.passes(minutes=1)
    world.docusign.act("Customer", "bounce")
    world.hears_all()
    assert world.said(Step.CONTRACT_BOUNCED) == (
        "Mail about contract CT-000001 to Sam Signer (the customer's side) came back."
    )
    asked = world.contract(contract).signers_now[0]
    assert asked.status is SignerStatus.BOUNCED

    world.passes(minutes=1)
    world.does(
        contract, ActionKind.CORRECT, recipient_id=asked.recipient_id, name="Sue Signer", email="sue@globex.example"
    )
    world.hears_all()
    mended = world.contract(contract)
    first = mended.signers_now[0]
    assert (first.name, first.status) == ("Sue Signer", SignerStatus.SENT)
    assert mended.signers[0].email == "sue@globex.example"
    assert world.docusign.recipient("Customer").email == "sue@globex.example"

    world.signs()
    world.hears_all()
    assert world.contract(contract).signed
    assert "Sue Signer (the customer's side) signed contract CT-000001." in [step.sentence for step in world.chain()]


def test_who_has_signed_is_not_replaced() -> None:
    world = contract_world()
    contract = world.out()
    world.signs("Customer")
    world.hears_all()
    with pytest.raises(InputError, match="has signed already"):
        world.does(contract, ActionKind.CORRECT, recipient_id="41", name="Sue", email="sue@globex.example")


def test_an_embedded_signer_signs_on_our_page_in_turn() -> None:
    world = contract_world()
    roles = (RoleMapping("Customer", Side.CUSTOMER, 1), RoleMapping("Countersigner", Side.US, 2, embedded=True))
    world.contract_type(roles=roles)
    contract = world.out()
    with pytest.raises(InputError):
        world.does(contract, ActionKind.SIGNING_LINK, recipient_id="7", return_url="https://crm.example")
    world.signs("Customer")
    world.hears_all()
    link = world.does(contract, ActionKind.SIGNING_LINK, recipient_id="7", return_url="https://crm.example").link
    assert link.startswith("http")


# ------------------------------------------------------------------------------------------------------ after signing


def test_everyone_signed_stores_both_documents_and_wins_the_deal() -> None:
    world = contract_world()
    contract = world.signed(*WORKED_EXAMPLE, tax_percent=Decimal(8), discount_amount=usd("2000.00"))
    assert contract.status is ContractStatus.FULLY_SIGNED
    assert contract.document_blob is not None
    assert contract.certificate_blob is not None
    for key in (contract.document_blob, contract.certificate_blob):
        assert world.blobs.get(key).startswith(b"%PDF-")
    assert (world.deal().stage, world.deal().won_at is not None) == ("won", True)
    tail = [step for step in world.steps() if step.value.startswith(("contract.s", "deal"))][-3:]
    assert tail == [Step.CONTRACT_SIGNED, Step.CONTRACT_STORED, Step.DEAL_WON]
    assert world.contract(contract).considered_at is not None


def test_a_lost_deal_is_not_moved_and_its_owner_gets_a_task() -> None:
    world = contract_world()
    contract = world.out()
    world.changes_deal(stage="lost")
    world.signs()
    world.hears_all()
    assert world.contract(contract).signed
    assert world.deal().stage == "lost"
    assert "Contract CT-000001 was signed, but the deal is lost; it was not moved." in world.asked()


def test_a_deal_won_by_hand_stays_and_one_moved_afterwards_too() -> None:
    world = contract_world()
    world.out()
    world.changes_deal(stage="won", won_at=world.clock.now())
    world.signs()
    world.hears_all()
    assert world.said(Step.DEAL_NOT_MOVED) == "Contract CT-000001 was signed; the deal was won before."
    world.changes_deal(stage="negotiation", won_at=None)
    world.reconciles()
    world.sweeps()
    assert world.deal().stage == "negotiation"


def test_a_pipeline_can_leave_moving_deals_to_people() -> None:
    world = contract_world()
    world.pipeline(moves_on_signature=False)
    world.signed()
    assert world.deal().stage == "negotiation"
    assert "moving deals is switched off" in world.said(Step.DEAL_NOT_MOVED)


def test_a_deal_that_says_another_amount_than_its_quote_is_pointed_out() -> None:
    world = contract_world()
    world.out(line(1, "100.00"))
    world.changes_deal(amount=usd("90.00"))
    world.signs()
    world.hears_all()
    assert world.said(Step.DEAL_WON).endswith(
        "The deal says 90.00 USD, the quote 100.00 USD; the quote is what is invoiced."
    )


# ------------------------------------------------------------------------------------------------------------- by hand


def test_an_uploaded_pdf_marks_it_signed_and_the_same_follows() -> None:
    world = contract_world()
    contract = world.contracts(world.accepted())
    world.uploads(contract)
    world.drain()
    signed = world.contract(contract)
    assert (signed.status, signed.by_hand) == (ContractStatus.FULLY_SIGNED, ANNA.user_id)
    assert [signer.name for signer in signed.signers_now] == ["Carla Buyer", "Anna Rep"]
    assert world.blobs.get(signed.document_blob or "") == PDF
    assert world.deal().stage == "won"
    assert world.said(Step.CONTRACT_SIGNED).endswith("was marked as signed by hand, with an uploaded PDF.")


@pytest.mark.parametrize(
    ("content", "fields", "sentence"),
    [
        (b"MZ\x90\x00", {}, "not a PDF"),
        (b"%PDF-1.7 cut off", {}, "not a PDF"),
        (PDF, {"signed_on": date(2027, 1, 1)}, "in the future"),
        (PDF, {"signed_by": ()}, "who signed"),
        (PDF, {"user": BEN}, "may not work on deal"),
    ],
)
def test_an_upload_that_proves_nothing_is_refused(content: bytes, fields: dict[str, Any], sentence: str) -> None:
    world = contract_world()
    contract = world.contracts(world.accepted())
    with pytest.raises((InputError, ForbiddenError), match=sentence):
        world.uploads(contract, content, **fields)
    assert world.contract(contract).status is ContractStatus.DRAFT


def test_a_contract_that_is_out_is_not_signed_by_hand() -> None:
    world = contract_world()
    contract = world.out()
    with pytest.raises(InputError, match="out for signature"):
        world.uploads(contract)


# --------------------------------------------------------------------------------------------------- days and renewals


def test_a_signed_contract_runs_for_its_months_reminds_and_ends() -> None:
    world = contract_world()
    contract = world.signed()
    assert world.turns() == 1
    active = world.contract(contract)
    assert (active.status, active.starts_on, active.ends_on) == (
        ContractStatus.ACTIVE,
        date(2026, 3, 2),
        date(2027, 3, 1),
    )
    told = []
    for days in (91, 90, 60, 30, 7, 1, 0, -1):
        world.time.set(world.clock.now().replace(year=2027, month=3, day=1) - timedelta(days=days))
        world.turns()
        world.turns()
        told.append((days, world.steps().count(Step.CONTRACT_ENDING)))
    assert told == [(91, 0), (90, 1), (60, 1), (30, 2), (7, 3), (1, 3), (0, 3), (-1, 3)]
    assert world.contract(contract).status is ContractStatus.EXPIRED
    assert "Contract CT-000001 ended on 2027-03-01." in world.asked()


def test_a_contract_that_begins_later_waits_for_its_first_day() -> None:
    world = contract_world()
    contract = world.contracts(world.accepted(), starts_on=date(2026, 4, 1))
    world.uploads(contract)
    world.turns()
    assert world.contract(contract).status is ContractStatus.FULLY_SIGNED
    world.passes(days=40)
    world.turns()
    assert (world.contract(contract).status, world.contract(contract).ends_on) == (
        ContractStatus.ACTIVE,
        date(2027, 3, 31),
    )


def test_a_renewal_copies_quote_and_terms_into_a_new_deal_once() -> None:
    world = contract_world()
    contract = world.signed(*WORKED_EXAMPLE)
    world.turns()
    deal_id = world.does(contract, ActionKind.RENEW).deal_id
    assert world.does(contract, ActionKind.RENEW).deal_id == deal_id
    deal = world.deal(deal_id)
    assert (deal.name, deal.stage, deal.amount, deal.accepted_quote_id) == (
        "Globex rollout (renewal)",
        "negotiation",
        usd("23000.00"),
        None,
    )
    (quote,) = [kept.value for kept in world.records.quotes.where((("deal_id", "==", deal_id),))]
    assert (quote.number, quote.lines, quote.renews) == ("QT-000002", WORKED_EXAMPLE, contract.contract_id)

    sent = world.sends_quote(quote)
    world.decides(sent, DeedKind.ACCEPT)
    renewal = world.contracts(world.quote(quote.quote_id))
    assert (renewal.starts_on, renewal.ends_on, renewal.template_id) == (
        date(2027, 3, 2),
        date(2028, 3, 1),
        contract.template_id,
    )
    world.time.set(world.clock.now().replace(year=2027, month=2, day=25))
    world.turns()
    assert Step.CONTRACT_ENDING not in world.steps()


def test_an_unsigned_contract_is_not_renewed() -> None:
    world = contract_world()
    with pytest.raises(InputError, match="is not signed"):
        world.does(world.out(), ActionKind.RENEW)


# ------------------------------------------------------------------------------------------------------------ the chain


def test_the_chain_is_one_table_with_time_cause_and_the_id_at_the_other_side() -> None:
    world = contract_world()
    contract = world.signed()
    table = world.shown().table.splitlines()
    assert table[0].split("  ")[0] == "time (UTC)"
    assert all(column in table[0] for column in ("step", "cause", "id at the other side", "what happened"))
    assert any(contract.envelope_id in row and "contract.signed_by" in row for row in table if contract.envelope_id)
    assert len(table) == len(world.chain()) + 1


def test_the_chain_is_for_who_may_see_the_deal() -> None:
    world = contract_world()
    world.signed()
    with pytest.raises(NotFoundError):
        world.shown(BEN)
