"""NetSuite as a ledger, over HTTP: customers, invoices, payments and what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from local.netsuite.record_types import CUSTOM_RECORD
from local.netsuite.roles import OPENS, permissions_of
from shared.domain.cash.accounting import ChoiceKind, InvoiceStatus, PaymentKind, RecordKind
from shared.domain.cash.money import Money
from shared.errors import (
    AdminActionError,
    AlreadyExistsError,
    InputError,
    NotFoundError,
    PayloadError,
    ProviderUnavailableError,
)
from shared.providers.netsuite.ledger import OVERLAP, NetsuiteLedger
from shared.providers.netsuite.manifest import MANIFEST
from tests.providers.netsuite.world import World, changed, items, new_customer, usd

# ------------------------------------------------------------------------------------------------------------- company


def test_the_company_is_the_subsidiary_that_invoices(ledger: NetsuiteLedger, world: World) -> None:
    company = ledger.company()
    assert (company.company_id, company.name, company.currency) == ("9876543_SB1", "Harbor Inc", "USD")
    assert company.computes_tax

    german = world.ledger(subsidiary_id=world.id("subsidiary", "Harbor GmbH")).company()
    assert (german.name, german.currency) == ("Harbor GmbH", "EUR")


def test_a_subsidiary_tells_in_which_currency_it_counts(ledger: NetsuiteLedger) -> None:
    told = {choice.name: choice.currency for choice in ledger.choices(ChoiceKind.SUBSIDIARY)}
    assert (told["Harbor Inc"], told["Harbor GmbH"]) == ("USD", "EUR")


def test_an_account_without_subsidiaries_or_currencies_is_served_too(world: World) -> None:
    world.control("settings", features=[])
    ledger = world.ledger(subsidiary_id=None)

    assert ledger.company().name == "Harbor"
    assert ledger.choices(ChoiceKind.SUBSIDIARY) == ()
    assert ledger.create_invoice(world.draft(), "key").total == usd(2_268_000)
    with pytest.raises(InputError, match="no currency EUR"):
        ledger.create_customer(new_customer(currency="EUR"), "key")


def test_what_can_be_mapped_is_listed(ledger: NetsuiteLedger) -> None:
    names = {kind: [choice.name for choice in ledger.choices(kind)] for kind in ChoiceKind}
    assert names == {
        ChoiceKind.ITEM: ["Consulting hour", "Platform licence", "Onboarding"],
        ChoiceKind.ACCOUNT: [],
        ChoiceKind.TERM: ["Net 15", "Net 30"],
        ChoiceKind.TAX_CODE: ["Sales tax 8 %", "VAT 19 %"],
        ChoiceKind.SUBSIDIARY: ["Harbor Inc", "Harbor GmbH"],
        ChoiceKind.FIELD: [],
    }
    assert [term.days for term in ledger.choices(ChoiceKind.TERM)] == [15, 30]


def test_permissions_are_tried_one_by_one(world: World) -> None:
    world.simulator.set_role("clerk", {"customer": "view", "invoice": "full", "item": "view", "currency": "view"})
    access = world.token_access("clerk")
    assert world.ledger(world.client(access)).permissions() == {
        "customer": True,
        "invoice": True,
        "customerPayment": False,
        "creditMemo": False,
        "customerRefund": False,
        "item": True,
        "term": False,
        "salestaxitem": False,
        "currency": True,
        "subsidiary": False,
    }


def test_the_permissions_that_are_asked_for_open_every_kind_of_record_and_no_more(world: World) -> None:
    """NetSuite's own words on the set-up page, and what this product calls, agree."""
    assert world.ledger().permissions() == dict.fromkeys(world.ledger().permissions(), True)
    assert set(OPENS) == {permission.name for permission in MANIFEST.permissions}
    for permission in MANIFEST.permissions:
        ticked = ((one.name, one.level) for one in MANIFEST.permissions if one is not permission)
        world.simulator.set_role("without", permissions_of(ticked))
        allowed = world.ledger(world.client(world.token_access("without"))).permissions()
        tried = set(OPENS[permission.name]) - {CUSTOM_RECORD}  # which is asked for where one is mapped
        assert (False in allowed.values()) == bool(tried), permission.name


def test_a_record_of_the_accounts_own_type_is_described_and_written_once(world: World) -> None:
    world.control("record_types", name="customrecord_project")
    for name, kind in (("custrecord_title", "text"), ("custrecord_hours", "number")):
        world.control("fields", record="customrecord_project", name=name, kind=kind)
    ledger = world.ledger()
    offered = [choice.id for choice in ledger.record_fields("customrecord_project")]
    assert offered == ["custrecord_hours", "custrecord_title"]
    for title in ("First", "Second"):
        ledger.write_record("customrecord_project", "i-1", {"custrecord_title": title, "custrecord_hours": "12"})
    [kept] = world.simulator.books.all("customrecord_project")
    assert (kept.text("custrecord_title"), kept.fields["custrecord_hours"]) == ("Second", Decimal(12))


@pytest.mark.parametrize("record_type", ["customrecord_gone", "invoice", "customrecord_x/../invoice"])
def test_only_record_types_of_the_accounts_own_are_written(ledger: NetsuiteLedger, record_type: str) -> None:
    with pytest.raises(InputError):
        ledger.record_fields(record_type)
    with pytest.raises(InputError):
        ledger.write_record(record_type, "i-1", {"custrecord_title": "First"})


@pytest.mark.parametrize("missing", ["Subsidiaries", "Currency"])
def test_a_role_that_sees_no_company_is_the_administrators_matter(world: World, missing: str) -> None:
    ticked = ((one.name, one.level) for one in MANIFEST.permissions if one.name != missing)
    world.simulator.set_role("without", permissions_of(ticked))
    with pytest.raises(AdminActionError) as refusal:
        world.ledger(world.client(world.token_access("without"))).company()
    assert refusal.value.reason == "permission_missing"


def test_a_subsidiary_that_is_not_there_is_said_and_not_parked(world: World) -> None:
    with pytest.raises(AdminActionError) as refusal:
        world.ledger(subsidiary_id="999999").company()
    assert refusal.value.reason == "subsidiary_missing"


# ----------------------------------------------------------------------------------------------------------- customers


def test_a_customer_created_twice_is_one(ledger: NetsuiteLedger) -> None:
    first = ledger.create_customer(new_customer(), "key")
    again = ledger.create_customer(new_customer(), "key")

    assert again == first
    assert ledger.find_customer("Fabrikam Ltd") == first
    assert len(ledger.customers()) == 3


def test_a_customer_belongs_to_the_subsidiary_it_was_given(ledger: NetsuiteLedger, world: World) -> None:
    german = world.id("subsidiary", "Harbor GmbH")
    created = ledger.create_customer(new_customer(currency="EUR", subsidiary_id=german), "key")

    kept = world.simulator.books.by_id(created.customer_id)
    assert kept is not None
    assert kept.reference("subsidiary") == german
    assert changed_currency(ledger, "Fabrikam Ltd") == "EUR"


def changed_currency(ledger: NetsuiteLedger, name: str) -> str:
    found = ledger.find_customer(name)
    assert found is not None
    return found.currency


def test_a_name_that_is_taken_says_so(ledger: NetsuiteLedger) -> None:
    with pytest.raises(AlreadyExistsError):
        ledger.create_customer(new_customer(name="Northwind Traders"), "key")


@pytest.mark.parametrize("name", ["O'Hara & Söhne", "x' OR 'a' = 'a", '100 % \\ "quoted"', "Two\u00a0words"])
def test_names_are_looked_up_as_they_are(ledger: NetsuiteLedger, name: str) -> None:
    assert ledger.find_customer(name) is None
    created = ledger.create_customer(new_customer(name=name), "key")
    found = ledger.find_customer(name)
    assert found == created


def test_an_external_id_may_hold_any_character(ledger: NetsuiteLedger) -> None:
    created = ledger.create_customer(new_customer(external_id="company/7 ä?#%"), "key")
    assert ledger.create_customer(new_customer(external_id="company/7 ä?#%"), "key") == created
    assert changed_external_id(ledger) == "company/7 ä?#%"


def changed_external_id(ledger: NetsuiteLedger) -> str | None:
    found = ledger.find_customer("Fabrikam Ltd")
    assert found is not None
    return found.external_id


def test_inactive_customers_are_not_offered(ledger: NetsuiteLedger, world: World) -> None:
    world.bookkeeper("edit", record=world.id("customer", "Contoso GmbH"), fields={"isInactive": True})
    assert [customer.name for customer in ledger.customers()] == ["Northwind Traders"]


# ------------------------------------------------------------------------------------------------------------ invoices


def test_an_invoice_equals_its_quote_to_the_cent(ledger: NetsuiteLedger, world: World) -> None:
    invoice = ledger.create_invoice(world.draft(), "key")

    assert (invoice.total, invoice.tax, invoice.balance) == (usd(2_268_000), usd(168_000), usd(2_268_000))
    assert (invoice.number, invoice.external_id, invoice.status) == ("TL-1001", "intent-1001", InvoiceStatus.OPEN)
    assert invoice.due_on == world.draft().due_on
    assert not invoice.emailed
    [kept] = world.invoices()
    assert [(line["quantity"], line["amount"]) for line in items(kept)] == [(50, 6750.0), (1, 12000.0), (1, 4250.0)]
    assert kept["memo"] == "Deal 42"


def test_a_price_that_multiplies_is_shown_and_one_that_does_not_gives_way(world: World, ledger: NetsuiteLedger) -> None:
    draft = world.draft()
    third = replace(draft.lines[0], quantity=Decimal("0.333"), unit_price=Decimal("99.99"), amount=usd(3_330))
    ledger.create_invoice(replace(draft, lines=(draft.lines[1], third)), "key")

    whole, part = items(world.invoices()[0])
    assert (whole["rate"], whole["amount"]) == (12000, 12000)
    assert part["amount"] == 33.30
    assert part["rate"] == pytest.approx(100)


def test_untaxed_lines_stay_untaxed(world: World, ledger: NetsuiteLedger) -> None:
    draft = world.draft(discount=usd(0))
    lines = (draft.lines[0], replace(draft.lines[1], taxable=False))
    assert ledger.create_invoice(replace(draft, lines=lines), "key").tax == usd(54_000)


def test_a_second_post_of_one_intent_is_refused_and_the_first_is_found(world: World, ledger: NetsuiteLedger) -> None:
    made = ledger.create_invoice(world.draft(), "key")
    with pytest.raises(AlreadyExistsError):
        ledger.create_invoice(world.draft(), "key")

    assert ledger.find_invoice("TL-1001", "intent-1001") == made
    assert len(world.invoices()) == 1
    assert len(items(world.invoices()[0])) == 3


def test_an_invoice_whose_answer_was_lost_is_adopted(world: World, ledger: NetsuiteLedger) -> None:
    world.control("faults", operation="invoice.create", reply_lost=True)
    with pytest.raises(ProviderUnavailableError):
        ledger.create_invoice(world.draft(), "key")

    found = changed(ledger.find_invoice("TL-1001", "intent-1001"))
    assert found.total == usd(2_268_000)
    assert len(world.invoices()) == 1


def test_an_invoice_that_was_never_made_is_not_found(world: World, ledger: NetsuiteLedger) -> None:
    world.control("faults", operation="invoice.create", status=503)
    with pytest.raises(ProviderUnavailableError):
        ledger.create_invoice(world.draft(), "key")
    assert ledger.find_invoice("TL-1001", "intent-1001") is None


def test_an_invoice_typed_in_with_our_number_is_found_but_another_intents_is_not(
    world: World, ledger: NetsuiteLedger
) -> None:
    ledger.create_invoice(world.draft(external_id="intent-other"), "key")
    assert ledger.find_invoice("TL-1001", "intent-1001") is None

    line = {"item": {"id": world.id("serviceSaleItem", "Onboarding")}, "amount": 10}
    customer = {"id": world.id("customer", "Northwind Traders")}
    typed_in = world.control("records/invoice", tranId="TL-1001", entity=customer, item={"items": [line]})
    assert changed(ledger.find_invoice("TL-1001", "intent-1001")).invoice_id == typed_in["id"]


def test_where_netsuite_numbers_invoices_ours_are_found_by_external_id(world: World) -> None:
    world.control("settings", own_numbers=False)
    ledger = world.ledger(own_numbers=False)
    made = ledger.create_invoice(world.draft(), "key")

    assert made.number != "TL-1001"
    assert not ledger.company().custom_numbers
    assert ledger.find_invoice("TL-1001", "intent-1001") == made


def test_our_fields_go_where_they_are_mapped(world: World) -> None:
    world.control("fields", record="invoice", name="custbody_deal", kind="text")
    world.control("fields", record="invoice", name="custbody_seats", kind="integer")
    world.control("fields", record="invoice", name="custbody_renewal", kind="check")
    mapped = {"custbody_deal": "D-42", "custbody_seats": "12", "custbody_renewal": "true"}
    world.ledger().create_invoice(world.draft(fields=mapped), "key")

    [kept] = world.invoices()
    assert (kept["custbody_deal"], kept["custbody_seats"], kept["custbody_renewal"]) == ("D-42", 12, True)


def test_the_fields_an_account_added_can_be_mapped(world: World) -> None:
    assert world.ledger().choices(ChoiceKind.FIELD) == ()
    world.control("fields", record="invoice", name="custbody_deal", kind="text")
    world.control("fields", record="customer", name="custentity_since", kind="date")
    assert [field.id for field in world.ledger().choices(ChoiceKind.FIELD)] == ["custbody_deal"]


def test_a_customer_is_read_with_what_comes_back_to_us(world: World, ledger: NetsuiteLedger) -> None:
    made = ledger.create_customer(new_customer(), "key")
    assert ledger.customer(made.customer_id) == made
    assert ledger.customer("999999") is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"custbody_deal": "D-42", "custbody_gone": "x"}, "no field custbody_gone that"),
        ({"amountRemaining": "0"}, "no field amountRemaining"),
        ({"custbody_seats": "many"}, "'many' is none"),
    ],
)
def test_a_wrong_field_mapping_is_refused_before_anything_is_written(
    world: World, fields: dict[str, str], sentence: str
) -> None:
    world.control("fields", record="invoice", name="custbody_deal", kind="text")
    world.control("fields", record="invoice", name="custbody_seats", kind="integer")
    with pytest.raises(InputError, match=sentence):
        world.ledger().create_invoice(world.draft(fields=fields), "key")
    assert world.called("invoice.created") == []


def test_the_description_of_a_record_is_read_once(world: World, ledger: NetsuiteLedger) -> None:
    ledger.create_invoice(world.draft(), "key")
    ledger.create_invoice(world.draft(external_id="intent-2", number="TL-2"), "key")
    assert len(world.called("invoice.described")) == 1


def test_a_field_that_is_gone_since_is_refused_and_not_left_out(world: World, ledger: NetsuiteLedger) -> None:
    ledger.create_invoice(world.draft(), "key")
    world.control("settings", features=["multicurrency"])
    with pytest.raises(InputError, match="subsidiary"):
        ledger.create_invoice(world.draft(external_id="intent-2", number="TL-2"), "key")
    assert len(world.invoices()) == 1


def test_a_discount_on_the_whole_needs_its_item(world: World) -> None:
    ledger = world.ledger(discount_item_id=None)
    with pytest.raises(InputError, match="discount item"):
        ledger.create_invoice(world.draft(), "key")
    assert ledger.create_invoice(world.draft(discount=usd(0)), "key").total == usd(2_484_000)


def test_a_currency_that_netsuite_lacks_is_a_sentence(world: World, ledger: NetsuiteLedger) -> None:
    with pytest.raises(InputError, match="no currency CHF"):
        ledger.create_invoice(world.draft(total=Money(1, "CHF")), "key")


def test_what_netsuite_refuses_names_the_field(world: World, ledger: NetsuiteLedger) -> None:
    lines = (replace(world.draft().lines[0], item_id="99999"),)
    with pytest.raises(InputError, match=r"item\.items\[0\]\.item.*Invalid Field Value 99999"):
        ledger.create_invoice(world.draft(lines=lines), "key")
    german = world.id("subsidiary", "Harbor GmbH")
    with pytest.raises(InputError, match="subsidiary"):
        ledger.create_invoice(world.draft(subsidiary_id=german), "key")
    assert world.invoices() == []


def test_a_role_that_may_not_invoice_is_the_administrators_matter(world: World) -> None:
    world.simulator.set_role("reader", {"customer": "view", "invoice": "view", "currency": "view"})
    ledger = world.ledger(world.client(world.token_access("reader")))
    with pytest.raises(AdminActionError) as refusal:
        ledger.create_invoice(world.draft(), "key")
    assert refusal.value.reason == "permission_missing"


def test_sending_an_invoice_makes_netsuite_mail_it(world: World, ledger: NetsuiteLedger) -> None:
    made = ledger.create_invoice(world.draft(), "key")
    assert world.simulator.books.mailed == []

    assert ledger.send_invoice(made.invoice_id, "buyer@northwind.example").emailed
    assert world.simulator.books.mailed == [(made.invoice_id, "buyer@northwind.example")]
    assert len(items(world.invoices()[0])) == 3


def test_an_invoice_is_taken_back_by_one_credit_memo(world: World, ledger: NetsuiteLedger) -> None:
    made = ledger.create_invoice(world.draft(), "key")
    world.clock.advance(1)
    world.control("faults", operation="invoice.transform", reply_lost=True)
    with pytest.raises(ProviderUnavailableError):
        ledger.void_invoice(made.invoice_id)

    void = ledger.void_invoice(made.invoice_id)
    assert (void.status, void.balance) == (InvoiceStatus.VOID, usd(0))
    assert void.version > made.version
    assert ledger.void_invoice(made.invoice_id) == void
    [credit] = ledger.payments_of(made.invoice_id)
    assert (credit.kind, credit.amount) == (PaymentKind.CREDIT_MEMO, usd(2_268_000))


def test_a_paid_invoice_is_not_taken_back(world: World, ledger: NetsuiteLedger) -> None:
    made = ledger.create_invoice(world.draft(), "key")
    world.bookkeeper("pay", invoice=made.invoice_id, amount=1)
    with pytest.raises(InputError, match="paid or credited"):
        ledger.void_invoice(made.invoice_id)


def test_a_credit_memo_that_the_bookkeeper_took_off_is_pointed_out(world: World, ledger: NetsuiteLedger) -> None:
    made = ledger.create_invoice(world.draft(), "key")
    ledger.void_invoice(made.invoice_id)
    [credit] = ledger.payments_of(made.invoice_id)
    world.bookkeeper("unapply", record=credit.payment_id)

    assert changed(ledger.invoice(made.invoice_id)).status is InvoiceStatus.OPEN
    with pytest.raises(InputError, match="not applied"):
        ledger.void_invoice(made.invoice_id)


def test_an_invoice_voided_or_deleted_there_shows(world: World, ledger: NetsuiteLedger) -> None:
    made = ledger.create_invoice(world.draft(), "key")
    world.bookkeeper("void", record=made.invoice_id)
    assert changed(ledger.invoice(made.invoice_id)).status is InvoiceStatus.VOID

    world.bookkeeper("delete", record=made.invoice_id)
    assert ledger.invoice(made.invoice_id) is None
    assert ledger.invoice("not-a-number") is None
    with pytest.raises(NotFoundError):
        ledger.void_invoice(made.invoice_id)


# ------------------------------------------------------------------------------------------------------------ payments


def test_two_part_payments_a_bounce_and_back_to_open(world: World, ledger: NetsuiteLedger) -> None:
    made = ledger.create_invoice(world.draft(), "key")
    seen = [made]

    def reread() -> tuple[InvoiceStatus, int]:
        seen.append(changed(ledger.invoice(made.invoice_id)))
        return seen[-1].status, seen[-1].balance.minor

    world.bookkeeper("pay", invoice=made.invoice_id, amount="10000.00")
    assert reread() == (InvoiceStatus.PARTIALLY_PAID, 1_268_000)
    second = world.bookkeeper("pay", invoice=made.invoice_id)
    assert reread() == (InvoiceStatus.PAID, 0)
    assert [payment.applied for payment in ledger.payments_of(made.invoice_id)] == [
        {made.invoice_id: 1_000_000},
        {made.invoice_id: 1_268_000},
    ]

    world.bookkeeper("void", record=second)
    assert reread() == (InvoiceStatus.PARTIALLY_PAID, 1_268_000)
    bounced = ledger.payment(PaymentKind.PAYMENT, second)
    assert bounced is not None
    assert (bounced.voided, bounced.applied) == (True, {})
    assert len(ledger.payments_of(made.invoice_id)) == 1
    assert [invoice.version for invoice in seen] == sorted({invoice.version for invoice in seen})


def test_an_unapplied_payment_keeps_its_amount_and_pays_nothing(world: World, ledger: NetsuiteLedger) -> None:
    made = ledger.create_invoice(world.draft(), "key")
    payment_id = world.bookkeeper("pay", invoice=made.invoice_id)
    world.bookkeeper("unapply", record=payment_id)

    payment = ledger.payment(PaymentKind.PAYMENT, payment_id)
    assert payment is not None
    assert (payment.amount, payment.applied, payment.voided) == (usd(2_268_000), {}, False)
    assert changed(ledger.invoice(made.invoice_id)).status is InvoiceStatus.OPEN


def test_credits_and_refunds_are_read_with_what_they_settle(world: World, ledger: NetsuiteLedger) -> None:
    made = ledger.create_invoice(world.draft(), "key")
    credit_id = world.bookkeeper("credit", invoice=made.invoice_id, amount=680)
    overpaid = world.bookkeeper("pay", invoice=made.invoice_id, amount=22_500, applied=22_000)
    refund_id = world.bookkeeper("refund", record=overpaid)

    credit = ledger.payment(PaymentKind.CREDIT_MEMO, credit_id)
    refund = ledger.payment(PaymentKind.REFUND, refund_id)
    assert credit is not None
    assert credit.applied == {made.invoice_id: 68_000}
    assert refund is not None
    assert (refund.amount, refund.applied) == (usd(50_000), {overpaid: 50_000})
    assert refund.customer_id == made.customer_id
    assert changed(ledger.invoice(made.invoice_id)).status is InvoiceStatus.PAID


def test_a_deleted_payment_is_gone(world: World, ledger: NetsuiteLedger) -> None:
    made = ledger.create_invoice(world.draft(), "key")
    payment_id = world.bookkeeper("pay", invoice=made.invoice_id)
    world.bookkeeper("delete", record=payment_id)
    assert ledger.payment(PaymentKind.PAYMENT, payment_id) is None
    assert ledger.payments_of(made.invoice_id) == []


def test_a_currency_that_was_added_meanwhile_is_not_guessed(world: World, ledger: NetsuiteLedger) -> None:
    made = ledger.create_invoice(world.draft(), "key")
    franc = world.control("records/currency", name="Franc", symbol="CHF")["id"]
    world.bookkeeper("edit", record=made.invoice_id, fields={"currency": {"id": franc}})
    with pytest.raises(PayloadError, match=franc):
        ledger.invoice(made.invoice_id)


# ------------------------------------------------------------------------------------------------------------- changes


def test_changes_name_what_changed_and_nothing_older(world: World, ledger: NetsuiteLedger) -> None:
    made = ledger.create_invoice(world.draft(), "key")
    world.clock.advance(3600)
    since = world.clock.now()
    paid = world.bookkeeper("pay", invoice=made.invoice_id, amount=22_000)
    credit = world.bookkeeper("credit", invoice=made.invoice_id)
    world.bookkeeper("edit", record=made.customer_id, fields={"phone": "1"})

    page = ledger.changes_since(since)
    assert {(change.kind, change.id) for change in page.changes} == {
        (RecordKind.PAYMENT, paid),
        (RecordKind.CREDIT_MEMO, credit),
        (RecordKind.INVOICE, made.invoice_id),
        (RecordKind.CUSTOMER, made.customer_id),
    }
    assert all(change.changed_at >= since and change.company_id == "9876543_SB1" for change in page.changes)
    assert page.complete_until == world.clock.now() - OVERLAP
    assert ledger.changes_since(world.clock.now() + timedelta(seconds=1)).changes == ()


def test_polls_overlap_so_that_nothing_falls_between_them(world: World, ledger: NetsuiteLedger) -> None:
    first = ledger.changes_since(world.clock.now())
    made = ledger.create_invoice(world.draft(), "key")
    world.clock.advance(60)
    assert made.invoice_id in {change.id for change in ledger.changes_since(first.complete_until).changes}


def test_more_changes_than_a_page_are_all_told(world: World, ledger: NetsuiteLedger) -> None:
    kind = world.simulator.books.kind("customer")
    subsidiary = {"id": world.id("subsidiary", "Harbor Inc")}
    since = world.clock.now()
    world.clock.advance(1)
    made = {
        world.simulator.books.create(kind, {"companyName": f"Company {n}", "subsidiary": subsidiary}).id
        for n in range(1200)
    }
    assert {change.id for change in ledger.changes_since(since + timedelta(seconds=1)).changes} == made
    assert len(world.called("customer.changes_read")) == 2
