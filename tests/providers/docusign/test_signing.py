"""Sending contracts for signature, and what can be known and done about them: the adapter against the simulator."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from local.docusign.pdf import pdf
from shared.domain.cash.signing import EnvelopeStatus, Signer, SignerStatus
from shared.errors import (
    AdminActionError,
    InputError,
    NotFoundError,
    ProviderUnavailableError,
    RateLimitedError,
)
from shared.providers.docusign.mapping import signature_anchor
from tests.fakes import START
from tests.local.docusign.world import ACCOUNT, COUNTERSIGNER, CUSTOMER, SECOND_ACCOUNT, TEMPLATE, World

BACK = "https://crm.example/signed"


# ------------------------------------------------------------------------------------------------------------ templates


def test_templates_are_listed_and_tell_their_roles_and_fields(world: World) -> None:
    signing = world.signing()
    (listed,) = signing.templates()
    assert (listed.template_id, listed.name) == (TEMPLATE, "Master services agreement")
    template = signing.template(TEMPLATE)
    assert template.roles == ("Customer", "Acme")
    assert template.fields == {"Customer": ("Company", "Amount"), "Acme": ("Approved",)}


def test_templates_come_from_all_pages(world: World) -> None:
    for number in range(230):
        spec = {"account_id": ACCOUNT, "name": f"Order {number:03}", "roles": [{"name": "Customer"}]}
        world.simulator.directory.add_template(spec)
    names = [template.name for template in world.signing().templates()]
    assert len(names) == len(set(names)) == 231
    assert names == sorted(names)


def test_a_template_that_was_removed_is_not_found(world: World) -> None:
    world.control("templates/remove", {"template_id": TEMPLATE})
    with pytest.raises(NotFoundError):
        world.signing().template(TEMPLATE)
    with pytest.raises(InputError, match="template was removed"):
        world.signing().send(world.request())


# -------------------------------------------------------------------------------------------------------------- sending


def test_a_contract_is_sent_to_its_first_signer_with_its_fields_filled_in(world: World) -> None:
    state = world.signing().send(world.request())
    assert (state.status, state.changed_at) == (EnvelopeStatus.SENT, START)
    assert (state.contract_id, state.intent) == ("contract-1", "intent-1")
    assert [(one.role, one.recipient_id, one.status) for one in state.signers] == [
        ("Customer", "41", SignerStatus.SENT),
        ("Acme", "7", SignerStatus.CREATED),
    ]
    envelope = world.simulator.envelopes.find(state.envelope_id)
    assert envelope is not None
    assert [one.tabs for one in envelope.recipients] == [
        {"Company": "Customer Ltd", "Amount": "22680.00"},
        {"Approved": "true"},
    ]
    assert [mail["to"] for mail in world.simulator.mails] == ["kim@customer.example"]


def test_what_send_answers_is_what_docusign_has(world: World) -> None:
    signing = world.signing()
    sent = signing.send(world.request())
    assert signing.envelope(sent.envelope_id) == sent


def test_a_generated_document_is_sent_without_a_template(world: World) -> None:
    document = pdf(["Order form", signature_anchor("1"), signature_anchor("2")])
    request = world.request(template_id=None, document=document, document_name="Order form", prefill={})
    state = world.signing().send(request)
    assert [one.recipient_id for one in state.signers] == ["1", "2"]
    assert world.signing().envelope(state.envelope_id) == state


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"signers": (CUSTOMER,)}, "role 'Acme' has no signer"),
        ({"signers": (CUSTOMER, COUNTERSIGNER, COUNTERSIGNER)}, "same role"),
        ({"signers": ()}, "no signer"),
        ({"prefill": {"Customer": {"Colour": "red"}}}, "no field 'Colour' for the role 'Customer'"),
        ({"prefill": {"Nobody": {"Company": "Customer Ltd"}}}, "no field 'Company' for the role 'Nobody'"),
        ({"subject": "x" * 101}, "1 to 100 characters"),
        ({"template_id": None, "document": b"MZ", "prefill": {}}, "not a PDF"),
        ({"template_id": None, "prefill": {}}, "not a PDF"),
        ({"template_id": None, "document": b"%PDF-1.4"}, "no fields to fill in"),
        ({"template_id": None, "document": b"%PDF-" + b"x" * 26_214_400, "prefill": {}}, "25 MB"),
        ({"template_id": None, "document": b"%PDF-1.4 torn", "prefill": {}}, "cannot read the document"),
    ],
)
def test_what_cannot_be_sent_is_said_in_a_sentence_and_nothing_goes_out(
    world: World, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        world.signing().send(world.request(**changes))
    assert list(world.simulator.envelopes) == []


def test_a_role_the_template_lacks_is_refused_before_docusign_adds_a_stranger(world: World) -> None:
    stranger = Signer("3", "Guarantor", "Max Bank", "max@bank.example", 3)
    with pytest.raises(InputError, match="no role 'Guarantor'; it has Customer, Acme"):
        world.signing().send(world.request(signers=(CUSTOMER, COUNTERSIGNER, stranger)))


def test_an_address_docusign_refuses_is_a_sentence_without_the_address(world: World) -> None:
    broken = Signer("1", "Customer", "Kim Customer", "kim at customer", 1)
    with pytest.raises(InputError, match="email address of a signer") as caught:
        world.signing().send(world.request(signers=(broken, COUNTERSIGNER)))
    assert "kim" not in str(caught.value)


def test_our_ids_must_fit_into_docusigns_fields(world: World) -> None:
    with pytest.raises(ValueError, match="throughline_intent"):
        world.signing().send(world.request(intent="x" * 101))


# ------------------------------------------------------------------------------------------------------- was it sent?


def test_a_send_whose_answer_was_lost_is_found_again(world: World) -> None:
    world.control("faults", {"call": "envelopes.create", "reply_lost": True})
    with pytest.raises(ProviderUnavailableError):
        world.signing().send(world.request())
    (envelope,) = world.simulator.envelopes
    found = world.signing().find_sent("intent-1", START)
    assert found is not None
    assert (found.envelope_id, found.contract_id) == (envelope.envelope_id, "contract-1")
    assert [one.role for one in found.signers] == ["Customer", "Acme"]


def test_what_was_never_sent_is_not_found(world: World) -> None:
    world.control("faults", {"call": "envelopes.create", "status": 503})
    with pytest.raises(ProviderUnavailableError):
        world.signing().send(world.request())
    assert world.signing().find_sent("intent-1", START) is None


def test_a_week_later_it_is_found_by_our_own_field(world: World) -> None:
    sent = world.signing().send(world.request())
    world.signing().send(world.request("intent-2"))
    world.clock.advance(timedelta(days=30).total_seconds())
    found = world.signing().find_sent("intent-1", START)
    assert found is not None
    assert found.envelope_id == sent.envelope_id
    assert world.signing().find_sent("intent-1", START + timedelta(days=1)) is None


# -------------------------------------------------------------------------------------------------------- how far is it


def test_the_signing_moves_from_signer_to_signer_to_the_end(world: World) -> None:
    signing = world.signing()
    envelope_id = signing.send(world.request()).envelope_id
    world.clock.advance(60)
    world.control("act", {"envelope": envelope_id, "recipient": "41", "action": "view"})
    world.clock.advance(60)
    world.control("act", {"envelope": envelope_id, "recipient": "41", "action": "sign"})
    halfway = signing.envelope(envelope_id)
    assert halfway.status is EnvelopeStatus.SENT
    assert [one.status for one in halfway.signers] == [SignerStatus.SIGNED, SignerStatus.SENT]
    assert halfway.signers[0].viewed_at == START + timedelta(minutes=1)
    assert halfway.signers[0].signed_at == START + timedelta(minutes=2)

    world.control("robot", {"envelope": envelope_id})
    complete = signing.envelope(envelope_id)
    assert (complete.status, complete.completed_at) == (EnvelopeStatus.COMPLETED, START + timedelta(minutes=2))
    assert {one.status for one in complete.signers} == {SignerStatus.SIGNED}


def test_a_refusal_carries_its_reason_and_a_bounce_is_seen(world: World) -> None:
    signing = world.signing()
    declined = signing.send(world.request("intent-1")).envelope_id
    bounced = signing.send(world.request("intent-2")).envelope_id
    world.control("act", {"envelope": declined, "recipient": "41", "action": "decline", "reason": "Too expensive"})
    world.control("act", {"envelope": bounced, "recipient": "41", "action": "bounce"})
    refusal = signing.envelope(declined)
    assert (refusal.status, refusal.signers[0].reason) == (EnvelopeStatus.DECLINED, "Too expensive")
    assert signing.envelope(bounced).signers[0].status is SignerStatus.BOUNCED


def test_reading_the_same_envelope_twice_in_15_minutes_waits_until_it_is_allowed(world: World) -> None:
    signing = world.signing()
    envelope_id = signing.send(world.request()).envelope_id
    signing.envelope(envelope_id)
    world.clock.advance(60)
    with pytest.raises(RateLimitedError) as caught:
        signing.envelope(envelope_id)
    world.clock.set(caught.value.resume_at)
    assert signing.envelope(envelope_id).status is EnvelopeStatus.SENT


def test_an_unknown_envelope_is_not_found(world: World) -> None:
    with pytest.raises(NotFoundError):
        world.signing().envelope("dddddddd-0000-4000-8000-000000000001")


def test_changes_since_a_moment_come_in_one_listing_of_all_pages(world: World) -> None:
    signing = world.signing()
    signing.send(world.request("early"))
    world.clock.advance(3600)
    for number in range(150):
        signing.send(world.request(f"intent-{number}", contract_id=f"contract-{number}"))
        if number % 100 == 0:
            world.clock.advance(31)  # past the burst limit's window
    world.calls.clear()
    changed = signing.changed_since(START + timedelta(hours=1))
    assert len(changed) == 150
    assert {state.contract_id for state in changed} == {f"contract-{number}" for number in range(150)}
    assert all(state.signers for state in changed)
    assert [call.purpose for call in world.calls] == ["envelopes.listed"] * 2


def test_what_others_send_from_the_same_account_is_left_out(world: World) -> None:
    signing = world.signing()
    ours = signing.send(world.request())
    theirs = world.simulator.envelopes.find(signing.send(world.request("intent-2")).envelope_id)
    assert theirs is not None
    theirs.custom_fields.clear()
    theirs.status = "a status of the future"
    assert [state.envelope_id for state in signing.changed_since(START)] == [ours.envelope_id]


# ----------------------------------------------------------------------------------------------------------- documents


def test_the_signed_document_and_the_certificate_are_pdfs(world: World) -> None:
    signing = world.signing()
    envelope_id = signing.send(world.request()).envelope_id
    world.control("robot", {"envelope": envelope_id})
    document, certificate = signing.signed_document(envelope_id), signing.certificate(envelope_id)
    assert document.startswith(b"%PDF-")
    assert b"Between Acme and Customer Ltd, over 22680.00 USD." in document
    assert b"Signed by: Kim Customer" in document
    assert b"Certificate Of Completion" not in document
    assert b"Certificate Of Completion" in certificate


def test_something_else_in_the_place_of_a_pdf_is_docusigns_trouble(world: World) -> None:
    envelope_id = world.signing().send(world.request()).envelope_id
    world.control("faults", {"call": "documents.get", "status": 200, "body": "<html>Please wait</html>"})
    with pytest.raises(ProviderUnavailableError):
        world.signing().signed_document(envelope_id)


# ---------------------------------------------------------------------------------------------------- on our own page


def test_an_embedded_signer_gets_a_link_instead_of_a_mail(world: World) -> None:
    embedded = Signer("1", "Customer", "Kim Customer", "kim@customer.example", 1, embedded=True)
    signing = world.signing()
    state = signing.send(world.request(signers=(embedded, COUNTERSIGNER)))
    assert world.simulator.mails == []
    link = signing.signing_link(
        state.envelope_id, "41", name="Kim Customer", email="kim@customer.example", return_url=BACK
    )
    status, place = world.ask("GET", link.removeprefix(world.url))
    assert (status, place.startswith("/signing/")) == (302, True)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    world.ask("GET", place)
    assert world.ask("POST", place, "action=sign", form) == (302, f"{BACK}?event=signing_complete")
    assert signing.envelope(state.envelope_id).signers[0].status is SignerStatus.SIGNED


def test_a_link_is_refused_out_of_turn_and_for_one_who_signs_by_mail(world: World) -> None:
    embedded = Signer("2", "Acme", "Ola Sender", "ola@acme.example", 2, embedded=True)
    signing = world.signing()
    state = signing.send(world.request(signers=(CUSTOMER, embedded)))
    with pytest.raises(InputError, match="not this signer's turn"):
        signing.signing_link(state.envelope_id, "7", name="Ola Sender", email="ola@acme.example", return_url=BACK)
    with pytest.raises(InputError, match="gets mail instead"):
        signing.signing_link(
            state.envelope_id, "41", name="Kim Customer", email="kim@customer.example", return_url=BACK
        )


# ------------------------------------------------------------------------------------------------ void, remind, correct


def test_a_void_carries_its_reason_and_is_refused_at_the_end(world: World) -> None:
    signing = world.signing()
    envelope_id = signing.send(world.request()).envelope_id
    signing.void(envelope_id, "The price changed")
    state = signing.envelope(envelope_id)
    assert (state.status, state.void_reason) == (EnvelopeStatus.VOIDED, "The price changed")
    with pytest.raises(InputError, match="cannot be changed any more"):
        signing.void(envelope_id, "Again")
    with pytest.raises(InputError, match="cannot be changed any more"):
        signing.remind(envelope_id)
    with pytest.raises(InputError, match="Say why"):
        signing.void(envelope_id, " ")


def test_a_reminder_is_mailed_to_whose_turn_it_is(world: World) -> None:
    signing = world.signing()
    envelope_id = signing.send(world.request()).envelope_id
    signing.remind(envelope_id)
    assert [mail["to"] for mail in world.simulator.mails] == ["kim@customer.example"] * 2


def test_a_bounced_signer_is_corrected_and_mailed_anew(world: World) -> None:
    signing = world.signing()
    envelope_id = signing.send(world.request()).envelope_id
    world.control("act", {"envelope": envelope_id, "recipient": "41", "action": "bounce"})
    signing.correct(envelope_id, "41", name="Kim Customer", email="kim.customer@customer.example")
    assert world.simulator.mails[-1]["to"] == "kim.customer@customer.example"
    signer = signing.envelope(envelope_id).signers[0]
    assert (signer.email, signer.status) == ("kim.customer@customer.example", SignerStatus.SENT)


def test_a_signer_who_has_signed_cannot_be_corrected_though_docusign_answers_200(world: World) -> None:
    signing = world.signing()
    envelope_id = signing.send(world.request()).envelope_id
    world.control("act", {"envelope": envelope_id, "recipient": "41", "action": "sign"})
    with pytest.raises(InputError, match="signed or declined already"):
        signing.correct(envelope_id, "41", name="Max", email="max@customer.example")
    with pytest.raises(InputError, match="no such signer"):
        signing.correct(envelope_id, "99", name="Max", email="max@customer.example")


# --------------------------------------------------------------------------------------------------- calls and limits


def test_a_refused_token_is_refreshed_once_and_the_call_goes_through(world: World) -> None:
    good, asked = world.access_token(), list[bool]()

    def token(refresh: bool) -> str:
        asked.append(refresh)
        return good if refresh else "stale"

    world.signing(token).send(world.request())
    assert asked == [False, True, False, True]  # the template, then the envelope
    assert len(list(world.simulator.envelopes)) == 1


def test_a_token_that_stays_refused_is_docusigns_trouble_not_the_persons(world: World) -> None:
    with pytest.raises(ProviderUnavailableError):
        world.signing(lambda _: "stale").templates()


def test_the_hourly_limit_ends_on_the_hour_docusign_names(world: World) -> None:
    world.clock.advance(600)
    world.control("limits", {"hourly": 1})
    world.signing().templates()
    with pytest.raises(RateLimitedError) as caught:
        world.signing().templates()
    hour = START + timedelta(hours=1)
    assert hour <= caught.value.resume_at <= hour + timedelta(seconds=30)
    world.clock.set(caught.value.resume_at)
    world.signing().templates()


@pytest.mark.parametrize("status", [400, 429])
def test_the_burst_limit_is_known_by_its_code_under_either_status(world: World, status: int) -> None:
    world.control("limits", {"burst": 1, "status": status})
    world.signing().templates()
    with pytest.raises(RateLimitedError) as caught:
        world.signing().templates()
    assert START + timedelta(seconds=30) <= caught.value.resume_at <= START + timedelta(seconds=60)
    world.clock.set(caught.value.resume_at)
    world.signing().templates()


def test_an_account_is_called_where_it_lives_and_nowhere_else(world: World) -> None:
    assert world.signing(account=world.account(SECOND_ACCOUNT, "eu")).templates() == ()
    with pytest.raises(AdminActionError):
        world.signing(account=world.account(SECOND_ACCOUNT, "na3")).templates()


@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", "<errorDetails/>", ""])
def test_an_answer_that_is_not_json_is_docusigns_trouble(world: World, body: str) -> None:
    world.control("faults", {"call": "templates.list", "status": 200, "body": body})
    with pytest.raises(ProviderUnavailableError):
        world.signing().templates()


def test_every_call_is_written_down_with_its_result_and_docusigns_trace_and_nothing_else(world: World) -> None:
    signing = world.signing()
    envelope_id = signing.send(world.request()).envelope_id
    signing.envelope(envelope_id)
    with pytest.raises(RateLimitedError):
        signing.envelope(envelope_id)
    world.control("faults", {"call": "envelopes.update", "reply_lost": True})
    with pytest.raises(ProviderUnavailableError):
        signing.remind(envelope_id)
    assert [(call.purpose, call.result, call.status) for call in world.calls] == [
        ("template.read", "ok", 200),
        ("envelope.sent", "ok", 201),
        ("envelope.read", "ok", 200),
        ("envelope.read", "Hourly_Envelope_Polling_Limit_Exceeded", 400),
        ("envelope.resent", "no_answer", 0),
    ]
    assert all(call.trace_id for call in world.calls[:-1])
    assert "kim" not in repr(world.calls)
    assert world.access_token() not in repr(world.calls)
