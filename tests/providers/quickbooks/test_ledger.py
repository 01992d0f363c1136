"""What the product does with a QuickBooks company: mapping, invoices, and knowing what was paid."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.cash.accounting import (
    ChoiceKind,
    InvoiceStatus,
    LedgerPayment,
    NewCustomer,
    PaymentKind,
)
from shared.domain.cash.money import Money
from shared.errors import (
    AlreadyExistsError,
    ContendedError,
    InputError,
    NotFoundError,
    ProviderUnavailableError,
    RateLimitedError,
)
from shared.ports.cash import Ledger
from tests.providers.quickbooks.world import REALM, World, line, usd

LINES = (
    line("6750.00", quantity="50", unit_price="150.00", description="Seats"),
    line("12000.00", description="Set-up"),
    line("4250.00", unit_price="5000.00", description="Training"),
)
"""The worked example: 50 x 150.00 less 10 %, 1 x 12,000.00, 1 x 5,000.00 less 15 %."""


def test_the_adapter_is_a_ledger(world: World) -> None:
    ledger: Ledger = world.ledger
    assert ledger.choices(ChoiceKind.SUBSIDIARY) == ()


# -------------------------------------------------------------------------------------------------------- the company


def test_the_company_tells_its_currency_numbering_tax_and_time_zone(world: World) -> None:
    company = world.ledger.company()
    assert (company.company_id, company.name, company.currency) == (REALM, "Example Books", "USD")
    assert (company.custom_numbers, company.computes_tax, company.country) == (True, True, "US")
    assert company.time_zone == "America/New_York"

    world.setting(custom_numbers=False, sales_tax=False, time_zone="America/Denver")
    company = world.ledger.company()
    assert (company.custom_numbers, company.computes_tax, company.time_zone) == (False, False, "America/Denver")


def test_what_can_be_mapped_is_listed(world: World) -> None:
    assert [item.name for item in world.ledger.choices(ChoiceKind.ITEM)] == ["Services", "Licences"]
    assert [account.name for account in world.ledger.choices(ChoiceKind.ACCOUNT)] == ["Sales of Product Income"]
    assert [(term.name, term.days) for term in world.ledger.choices(ChoiceKind.TERM)] == [
        ("Due on receipt", 0), ("Net 15", 15), ("Net 30", 30),
    ]  # fmt: skip
    codes = {code.id: code.rate for code in world.ledger.choices(ChoiceKind.TAX_CODE)}
    assert codes == {"12": Decimal(8), "TAX": None, "NON": None}


# -------------------------------------------------------------------------------------------------------- customers


def test_custom_fields_of_sales_forms_are_listed_and_filled_in(world: World) -> None:
    assert world.ledger.choices(ChoiceKind.FIELD) == ()
    world.setting(custom_fields=["Deal", "Contract"])
    fields = {choice.name: choice.id for choice in world.ledger.choices(ChoiceKind.FIELD)}
    assert fields == {"Deal": "1", "Contract": "2"}

    draft = world.draft(world.customer(), fields={fields["Contract"]: "CT-000001"})
    made = world.ledger.create_invoice(draft, "with a field")
    kept = world.simulator.companies[REALM].read("Invoice", made.invoice_id)["CustomField"]
    assert kept == [{"DefinitionId": "2", "Type": "StringType", "StringValue": "CT-000001"}]


def test_all_active_customers_are_listed_over_pages(world: World) -> None:
    for number in range(3):
        world.bookkeeper("add", entity="Customer", body={"DisplayName": f"Company {number}"})
    world.bookkeeper("add", entity="Customer", body={"DisplayName": "Former", "Active": False})
    assert [customer.name for customer in world.ledger.customers()] == ["Company 0", "Company 1", "Company 2"]


def test_more_customers_than_one_page_holds(world: World) -> None:
    with world.simulator.lock:
        for number in range(1001):
            world.simulator.companies[REALM].create("Customer", {"DisplayName": f"Company {number}"})
    listed = world.ledger.customers()
    assert len(listed) == len({customer.customer_id for customer in listed}) == 1001
    assert world.purposes().count("customers.listed") == 2


@pytest.mark.parametrize("name", ["O'Brien & Sons", 'Back\\slash "Ltd"', "Ünïcode GmbH"])
def test_a_customer_is_found_by_its_name_whatever_is_in_it(world: World, name: str) -> None:
    made = world.customer(name)
    assert world.ledger.find_customer(name) == made
    assert world.ledger.find_customer(f"{name} 2") is None


def test_a_name_with_a_colon_is_written_as_quickbooks_takes_it_and_found_again(world: World) -> None:
    made = world.customer("Northwind: East")
    assert made.name == "Northwind East"
    assert world.ledger.find_customer("Northwind: East") == made


def test_a_name_that_a_vendor_has_is_taken(world: World) -> None:
    world.bookkeeper("add", entity="Vendor", body={"DisplayName": "Northwind Example"})
    with pytest.raises(AlreadyExistsError):
        world.customer("Northwind Example")
    assert world.ledger.find_customer("Northwind Example") is None


def test_a_customer_made_twice_with_one_key_is_one(world: World) -> None:
    wanted = NewCustomer("c1", "Northwind Example", "pay@northwind.example", "USD", phone="+1 555 0100")
    long_key = "k" * 64
    assert world.ledger.create_customer(wanted, long_key) == world.ledger.create_customer(wanted, long_key)
    assert len(world.ledger.customers()) == 1


# --------------------------------------------------------------------------------------------------------- invoices


def test_an_invoice_equals_its_quote_to_the_cent(world: World) -> None:
    draft = world.draft(
        world.customer(), *LINES, discount=usd(200_000), tax=usd(168_000), total=usd(2_268_000), term_id="8",
        due_on=None, memo="Thank you", email="pay@northwind.example",
    )  # fmt: skip
    invoice = world.ledger.create_invoice(draft, key="intent 1")

    assert (invoice.total, invoice.tax, invoice.balance) == (usd(2_268_000), usd(168_000), usd(2_268_000))
    assert (invoice.number, invoice.external_id, invoice.status) == (draft.number, "i-northwind-1", InvoiceStatus.OPEN)
    assert invoice.due_on == date(2026, 4, 1)  # by the term, 30 days
    assert not invoice.emailed
    assert world.ledger.invoice(invoice.invoice_id) == invoice


def test_quantity_and_price_are_shown_where_they_come_to_the_amount(world: World) -> None:
    lines = (
        *LINES,
        line("0.38", quantity="2.5", unit_price="0.15"),
        line("1861.08", quantity="128.35", unit_price="14.50"),
    )
    invoice = world.ledger.create_invoice(world.draft(world.customer(), *lines), key="intent 1")
    stored = world.simulator.companies[REALM].read("Invoice", invoice.invoice_id)
    shown = [
        (one["SalesItemLineDetail"]["Qty"], one["SalesItemLineDetail"]["UnitPrice"])
        for one in stored["Line"]
        if one["DetailType"] == "SalesItemLineDetail"
    ]
    assert shown == [
        (1, Decimal("6750.00")),  # after its discount 50 x 150.00 is not its amount
        (1, Decimal("12000.00")),
        (1, Decimal("4250.00")),
        (Decimal("2.5"), Decimal("0.15")),  # 0.375, rounded up
        (Decimal("128.35"), Decimal("14.50")),  # 1861.075: through floats this came out a cent short
    ]


def test_a_line_that_is_not_taxed_adds_no_tax(world: World) -> None:
    draft = world.draft(world.customer(), line("100.00"), line("50.00", taxable=False))
    assert world.ledger.create_invoice(draft, key="intent 1").tax == usd(800)


def test_a_company_without_automated_tax_takes_the_mapped_code_for_the_whole(world: World) -> None:
    world.setting(automated_tax=False)
    draft = world.draft(world.customer(), line("100.00", tax_code_id="12"), tax_code_id="12")
    assert world.ledger.create_invoice(draft, key="intent 1").tax == usd(800)


def test_a_ledger_that_rounds_otherwise_shows_in_the_invoice_it_made(world: World) -> None:
    world.setting(tax_off_by="0.01")
    invoice = world.ledger.create_invoice(world.draft(world.customer(), line("100.00")), key="intent 1")
    assert (invoice.tax, invoice.total) == (usd(801), usd(10_801))


def test_other_countries_have_a_numbered_code_on_every_line(british: World) -> None:
    pounds = [replace(line(amount, taxable=taxable, tax_code_id="4"), amount=Money(minor, "GBP"))
              for amount, minor, taxable in (("100.00", 10_000, True), ("50.00", 5_000, False))]  # fmt: skip
    changes: dict[str, Any] = {"discount": Money(0, "GBP"), "tax": Money(2_000, "GBP"), "total": Money(17_000, "GBP")}
    draft = replace(british.draft(british.customer()), lines=tuple(pounds), tax_code_id="4", **changes)
    invoice = british.ledger.create_invoice(draft, key="intent 1")
    assert (invoice.tax, invoice.total) == (Money(2_000, "GBP"), Money(17_000, "GBP"))


def test_a_line_without_tax_is_refused_with_a_sentence_where_its_code_cannot_be_told(british: World) -> None:
    british.bookkeeper("add", entity="TaxRate", body={"Name": "0.0% Z", "RateValue": 0})
    details = [{"TaxRateRef": {"value": "11"}}]
    zero = {"Id": "6", "Name": "0.0% Z", "Active": True, "SalesTaxRateList": {"TaxRateDetail": details}}
    british.bookkeeper("add", entity="TaxCode", body=zero)
    free = replace(line("50.00", taxable=False, tax_code_id="4"), amount=Money(5_000, "GBP"))
    draft = replace(british.draft(british.customer()), lines=(free,), tax_code_id="4", total=Money(5_000, "GBP"))
    with pytest.raises(InputError, match=r"not exactly one tax code of 0 % \(Exempt, 0.0% Z\)"):
        british.ledger.create_invoice(draft, key="intent 1")


def test_an_answer_that_was_lost_leaves_one_invoice_that_is_found_by_its_number(world: World) -> None:
    draft = world.draft(world.customer())
    world.fault("invoice.create", reply_lost=True)
    with pytest.raises(ProviderUnavailableError):
        world.ledger.create_invoice(draft, key="intent 1")

    found = world.ledger.find_invoice(draft.number, draft.external_id)
    assert found is not None
    assert found.external_id == draft.external_id
    assert world.ledger.create_invoice(draft, key="intent 1") == found


def test_a_number_that_is_taken_makes_no_second_invoice(world: World) -> None:
    world.invoice()
    with pytest.raises(AlreadyExistsError):
        world.ledger.create_invoice(world.draft(world.ledger.customers()[0]), key="another key")


def test_of_two_invoices_with_one_number_ours_is_found(world: World) -> None:
    world.setting(refuses_duplicates=False)
    theirs = world.invoice(external_id="i-other")
    ours = world.ledger.create_invoice(world.draft(world.ledger.customers()[0]), key="intent 2")
    assert theirs.number == ours.number
    assert world.ledger.find_invoice(ours.number, "i-northwind-1") == ours
    assert world.ledger.find_invoice("INV-NOBODY", "i-northwind-1") is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"customer_id": "999"}, "Review the mapping"),
        ({"term_id": "999"}, "Review the mapping"),
        ({"number": "INV-MUCH-TOO-LONG-FOR-QUICKBOOKS"}, "max 21"),
        ({"lines": ()}, "Line"),
    ],
)
def test_what_quickbooks_refuses_is_a_sentence_and_no_invoice(
    world: World, changes: dict[str, Any], sentence: str
) -> None:
    draft = replace(world.draft(world.customer()), **changes)
    with pytest.raises(InputError, match=sentence):
        world.ledger.create_invoice(draft, key="intent 1")
    assert world.ledger.find_invoice(draft.number, draft.external_id) is None


def test_a_discount_that_the_company_does_not_allow_is_a_sentence(world: World) -> None:
    world.setting(discounts=False)
    with pytest.raises(InputError, match="Discounts are switched off"):
        world.invoice(discount=usd(100))


def test_voiding_keeps_number_and_reference_and_is_not_done_twice(world: World) -> None:
    invoice = world.invoice()
    void = world.ledger.void_invoice(invoice.invoice_id)
    assert (void.status, void.total, void.number) == (InvoiceStatus.VOID, usd(0), invoice.number)
    assert void.external_id == invoice.external_id
    assert void.version > invoice.version
    assert world.ledger.void_invoice(invoice.invoice_id) == void


def test_what_was_edited_there_is_written_over_and_the_rest_is_kept(world: World) -> None:
    draft = world.draft(world.customer(), *LINES, discount=usd(200_000))
    made = world.ledger.create_invoice(draft, key="intent 1")
    other = world.customer("Somebody Example")
    sale = {"DetailType": "SalesItemLineDetail", "Amount": "1.00", "SalesItemLineDetail": {"ItemRef": {"value": "3"}}}
    fields = {"CustomerRef": {"value": other.customer_id}, "Line": [sale], "DueDate": "2026-09-09"}
    world.bookkeeper("edit", invoice=made.invoice_id, fields={**fields, "CustomerMemo": {"value": "See you soon"}})
    assert world.ledger.invoice(made.invoice_id) != made

    restored = world.ledger.restore_invoice(made.invoice_id, draft)
    assert restored == replace(made, version=made.version + 2, updated_at=restored.updated_at)
    stored = world.simulator.companies[REALM].read("Invoice", made.invoice_id)
    assert stored["CustomerMemo"] == {"value": "See you soon"}


def test_what_was_paid_stays_paid_when_the_lines_are_restored(world: World) -> None:
    made = world.invoice()
    world.bookkeeper("pay", invoice=made.invoice_id, amount="400.00")
    restored = world.ledger.restore_invoice(made.invoice_id, world.draft(world.ledger.customers()[0]))
    assert (restored.balance, restored.status) == (usd(60_000), InvoiceStatus.PARTIALLY_PAID)


def test_a_voided_invoice_is_not_written_over(world: World) -> None:
    made = world.invoice()
    world.ledger.void_invoice(made.invoice_id)
    with pytest.raises(InputError, match="voided"):
        world.ledger.restore_invoice(made.invoice_id, world.draft(world.ledger.customers()[0]))


def test_a_stale_version_is_read_again_once(world: World) -> None:
    invoice = world.invoice()
    draft = world.draft(world.ledger.customers()[0])
    world.fault("invoice.update", code="5010")
    assert world.ledger.restore_invoice(invoice.invoice_id, draft).version == invoice.version + 1

    world.fault("invoice.update", code="5010", times=2)
    with pytest.raises(ContendedError):
        world.ledger.restore_invoice(invoice.invoice_id, draft)


def test_sending_mails_it_from_quickbooks(world: World) -> None:
    invoice = world.invoice()
    sent = world.ledger.send_invoice(invoice.invoice_id, "pay@northwind.example")
    assert sent.emailed
    with pytest.raises(InputError):
        world.ledger.send_invoice(invoice.invoice_id, "nobody")


def test_a_deleted_invoice_is_none_and_cannot_be_changed(world: World) -> None:
    invoice = world.invoice()
    world.bookkeeper("delete", invoice=invoice.invoice_id)
    assert world.ledger.invoice(invoice.invoice_id) is None
    assert world.ledger.payments_of(invoice.invoice_id) == []
    with pytest.raises(NotFoundError):
        world.ledger.void_invoice(invoice.invoice_id)
    with pytest.raises(NotFoundError):
        world.ledger.send_invoice(invoice.invoice_id, "pay@northwind.example")


# --------------------------------------------------------------------------------------------------------- payments


def read(world: World, body: dict[str, Any], kind: PaymentKind = PaymentKind.PAYMENT) -> LedgerPayment:
    payment = world.ledger.payment(kind, body["Id"])
    assert payment is not None
    return payment


def status(world: World, invoice_id: str) -> InvoiceStatus:
    invoice = world.ledger.invoice(invoice_id)
    assert invoice is not None
    return invoice.status


def test_two_payments_make_an_invoice_partially_paid_then_paid(world: World) -> None:
    invoice = world.invoice()
    first = world.bookkeeper("pay", invoice=invoice.invoice_id, amount="400.00")
    assert status(world, invoice.invoice_id) is InvoiceStatus.PARTIALLY_PAID
    assert read(world, first).applied == {invoice.invoice_id: 40_000}

    second = world.bookkeeper("pay", invoice=invoice.invoice_id)
    assert status(world, invoice.invoice_id) is InvoiceStatus.PAID
    assert world.ledger.payments_of(invoice.invoice_id) == [read(world, first), read(world, second)]


def test_a_payment_that_bounced_opens_the_invoice_again(world: World) -> None:
    invoice = world.invoice()
    paid = world.bookkeeper("pay", invoice=invoice.invoice_id)
    before = world.ledger.invoice(invoice.invoice_id)
    world.bookkeeper("bounce", payment=paid["Id"])
    after = world.ledger.invoice(invoice.invoice_id)

    assert before is not None
    assert after is not None
    assert (before.status, after.status) == (InvoiceStatus.PAID, InvoiceStatus.OPEN)
    assert after.version > before.version
    bounced = read(world, paid)
    assert (bounced.voided, bounced.applied, bounced.amount) == (True, {}, usd(0))


def test_a_payment_that_was_deleted_is_none(world: World) -> None:
    invoice = world.invoice()
    paid = world.bookkeeper("pay", invoice=invoice.invoice_id)
    world.bookkeeper("bounce", payment=paid["Id"], by="delete")
    assert world.ledger.payment(PaymentKind.PAYMENT, paid["Id"]) is None
    assert status(world, invoice.invoice_id) is InvoiceStatus.OPEN


def test_money_that_is_unapplied_or_too_much_stays_with_the_customer(world: World) -> None:
    invoice = world.invoice()
    paid = world.bookkeeper("pay", invoice=invoice.invoice_id, amount="1100.00")
    assert read(world, paid).applied == {invoice.invoice_id: 100_000}

    world.bookkeeper("unapply", payment=paid["Id"])
    payment = read(world, paid)
    assert (payment.amount, payment.applied, payment.voided) == (usd(110_000), {}, False)
    assert status(world, invoice.invoice_id) is InvoiceStatus.OPEN


def test_a_credit_memo_takes_from_the_invoice_it_was_applied_to(world: World) -> None:
    invoice = world.invoice()
    memo = world.bookkeeper("credit", invoice=invoice.invoice_id, amount="250.00")
    paid = world.bookkeeper("pay", invoice=invoice.invoice_id)

    credit = read(world, memo, PaymentKind.CREDIT_MEMO)
    assert (credit.amount, credit.applied) == (usd(25_000), {invoice.invoice_id: 25_000})
    applied = world.ledger.payments_of(invoice.invoice_id)
    assert applied == [read(world, paid), credit]
    assert sum(one.applied[invoice.invoice_id] for one in applied) == invoice.total.minor


def test_a_credit_memo_that_nobody_applied_pays_nothing(world: World) -> None:
    invoice = world.invoice()
    memo = world.bookkeeper("credit", invoice=invoice.invoice_id, amount="250.00", apply=False)
    assert read(world, memo, PaymentKind.CREDIT_MEMO).applied == {}
    assert status(world, invoice.invoice_id) is InvoiceStatus.OPEN


def test_a_refund_stands_for_itself(world: World) -> None:
    invoice = world.invoice()
    refund = world.bookkeeper("refund", customer=invoice.customer_id, amount="99.00")
    found = read(world, refund, PaymentKind.REFUND)
    assert (found.kind, found.amount, found.applied) == (PaymentKind.REFUND, usd(9_900), {})


# ----------------------------------------------------------------------------------------------- trouble on the line


def test_a_token_that_was_refused_is_refreshed_once(world: World) -> None:
    world.control("tokens/expire", realm_id=REALM)
    assert world.ledger.company().name == "Example Books"
    assert [call.result for call in world.calls][:3] == ["3200", "ok", "ok"]


def test_a_token_refused_again_is_trouble_and_not_a_lost_connection(world: World) -> None:
    world.fault("companyinfo.read", code="3200", times=2)
    with pytest.raises(ProviderUnavailableError):
        world.ledger.company()


def test_a_gateway_page_is_trouble_that_passes(world: World) -> None:
    world.fault("*", html=True)
    with pytest.raises(ProviderUnavailableError):
        world.ledger.company()
    assert world.ledger.company().name == "Example Books"


def test_too_many_calls_wait_a_minute(world: World) -> None:
    world.fault("*", code="3001")
    with pytest.raises(RateLimitedError) as limited:
        world.ledger.company()
    assert (limited.value.resume_at - world.clock.now()).total_seconds() == 60


def test_every_exchange_is_recorded_with_intuits_own_id_and_no_secret(world: World) -> None:
    world.invoice()
    world.fault("invoice.read", html=True)
    with pytest.raises(ProviderUnavailableError):
        world.ledger.invoice("1")
    created, failed = (next(call for call in world.calls if call.purpose == name)
                       for name in ("invoice.created", "invoice.read"))  # fmt: skip
    assert (created.result, created.status, created.provider) == ("ok", 200, "quickbooks")
    assert (failed.result, failed.status) == ("http_503", 503)
    assert created.trace_id.startswith("1-")
    assert created.trace_id != failed.trace_id
    assert world.tokens["access_token"] not in str(world.calls)


def test_a_lost_answer_is_recorded_too(world: World) -> None:
    world.fault("preferences.read", reply_lost=True)
    with pytest.raises(ProviderUnavailableError):
        world.ledger.company()
    assert (world.calls[-1].result, world.calls[-1].status) == ("no_answer", 0)
