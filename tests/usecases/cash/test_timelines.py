"""What happened to contracts and invoices stands on the timelines of deal, company and contacts (R13, R2)."""

from __future__ import annotations

import pytest

from shared.domain.cash.accounting import PaymentKind
from shared.domain.cash.quote import Instalment
from shared.domain.people import Role, User
from shared.domain.timeline import Kind
from shared.errors import NotFoundError
from shared.records.mail import company_owner, contact_owner, deal_owner
from shared.usecases.cash.control_contract import ActionKind
from shared.usecases.cash.create_invoice import Reviewed, Source, create_invoice
from shared.usecases.cash.finance import grant_finance
from shared.usecases.cash.read_deal_money import read_deal_money
from shared.usecases.read_timeline import (
    TimelinePage,
    read_company_timeline,
    read_contact_timeline,
    read_deal_timeline,
)
from tests.cash_world import (
    ADA,
    ANNA,
    BUYER,
    BUYING_COMPANY,
    CUSTOMER,
    DEAL,
    FIONA,
    CashWorld,
    line,
    sold,
    usd,
)
from tests.contract_world import BUYER as SIGNING_BUYER
from tests.contract_world import COMPANY, SIGNER, contract_world

OTTO = User("u-otto", "Otto", "otto@acme.example", Role.SALES_REP)


def invoiced(**quote: object) -> CashWorld:
    world = sold(line(1, "100.00"), **quote)  # type: ignore[arg-type]  # of the quote
    world.wins()
    world.hears_all()
    return world


def what(page: TimelinePage) -> list[str]:
    """Oldest first."""
    return [entry.happening.what for entry in reversed(page.entries) if entry.happening]


def said(page: TimelinePage) -> list[str]:
    return [entry.happening.sentence for entry in page.entries if entry.happening]


# ----------------------------------------------------------------------------------------------------------- contracts


def test_a_contract_is_told_from_sent_to_signed_to_everybody_in_the_deal() -> None:
    world = contract_world()
    world.out()
    world.passes(minutes=1)
    world.docusign.act("Customer", "view")
    world.signs()
    world.hears_all()
    told = [kind for kind, _ in world.timeline(deal_owner(DEAL))]
    assert told[0] == "contract.sent"
    assert {"contract.viewed", "contract.signed_by", "contract.signed", "deal.won"} <= set(told)
    assert told.count("contract.signed_by") == 2
    for owner in (company_owner(COMPANY), contact_owner(SIGNING_BUYER), contact_owner(SIGNER)):
        assert world.timeline(owner) == world.timeline(deal_owner(DEAL))


@pytest.mark.parametrize(("ending", "step"), [("decline", "contract.declined"), ("void", "contract.voided")])
def test_a_contract_that_comes_to_nothing_is_told_with_its_reason(ending: str, step: str) -> None:
    world = contract_world()
    contract = world.out()
    if ending == "void":
        world.does(contract, ActionKind.VOID, reason="Wrong price")
    else:
        world.docusign.act("Customer", "decline", reason="Wrong price")
    world.hears_all()
    (sentence,) = [text for kind, text in world.timeline(company_owner(COMPANY)) if kind == step]
    assert "Wrong price" in sentence


def test_the_same_notice_twice_is_one_entry() -> None:
    world = contract_world()
    world.out()
    world.signs()
    posts = world.docusign.posts()
    world.hears(*posts, *posts)
    told = world.timeline(deal_owner(DEAL))
    assert len(told) == len(set(told))


# ------------------------------------------------------------------------------------------------------------ invoices


def test_an_invoice_is_told_from_made_to_paid_and_open_again() -> None:
    world = invoiced()
    invoice = world.mirror().invoice.invoice_id
    world.books.pays(invoice, 4_000)
    world.hears_all()
    rest = world.books.pays(invoice, 6_000)
    world.hears_all()
    world.books.bounces(rest)
    world.hears_all()
    told = [
        "invoice.created",
        "deal.partially_paid",
        "payment.received",
        "deal.paid",
        "payment.received",
        "deal.open_again",
        "payment.unapplied",
    ]
    for page in (
        read_contact_timeline(world.store, BUYER, FIONA.viewer),
        read_company_timeline(world.store, BUYING_COMPANY, FIONA.viewer),
        read_deal_timeline(world.store, DEAL, FIONA.viewer),
    ):
        assert sorted(what(page)) == sorted(told)
        assert {entry.kind for entry in page.entries} == {Kind.INVOICE}


def test_amounts_are_for_finance_and_everybody_else_reads_the_same_without_them() -> None:
    world = invoiced()
    assert any("100.00 USD" in text for text in said(read_contact_timeline(world.store, BUYER, FIONA.viewer)))
    for viewer in (ANNA, ADA):
        page = read_contact_timeline(world.store, BUYER, viewer.viewer)
        assert said(page) == ["The invoice was made."]
        assert "USD" not in repr(page)


def test_an_administrator_sees_figures_once_the_role_was_granted_them_and_no_longer_than_that() -> None:
    world = invoiced()
    grant_finance(world.store, Role.ADMIN, True, ADA, clock=world.clock, jitter=world.jitter)
    assert any("100.00 USD" in text for text in said(read_deal_timeline(world.store, DEAL, ADA.viewer)))
    assert read_deal_money(world.store, DEAL, ADA, clock=world.clock).invoices
    grant_finance(world.store, Role.ADMIN, False, ADA, clock=world.clock, jitter=world.jitter)
    assert not read_deal_money(world.store, DEAL, ADA, clock=world.clock).invoices


def test_a_deals_timeline_is_for_whoever_may_see_the_deal_and_for_finance() -> None:
    world = invoiced()
    assert read_deal_timeline(world.store, DEAL, ANNA.viewer).entries
    assert read_deal_timeline(world.store, DEAL, FIONA.viewer).entries
    with pytest.raises(NotFoundError):
        read_deal_timeline(world.store, DEAL, OTTO.viewer)


def test_an_invoice_made_for_a_contact_alone_is_told_on_their_timeline() -> None:
    world = sold()
    source = Source(key="shown-once", contact_id=BUYER)
    world.maps(BUYER, "77")
    reviewed = Reviewed((line(1, "80.00"),), "USD")
    create_invoice(world.store, source, reviewed, FIONA, tasks=world.tasks, clock=world.clock, jitter=world.jitter)
    world.drain(redeliver=True)
    world.books.pays(world.mirror().invoice.invoice_id, 8_000)
    world.hears_all()
    page = read_contact_timeline(world.store, BUYER, FIONA.viewer)
    assert sorted(what(page)) == ["deal.paid", "invoice.created", "payment.received"]
    assert any("over 80.00 USD is paid; 0.00 USD is outstanding" in text for text in said(page))
    assert not read_deal_timeline(world.store, DEAL, FIONA.viewer).entries


# ------------------------------------------------------------------------------------- several deals of one customer


def two_deals() -> CashWorld:
    world = invoiced()
    world.add_quote(line(1, "300.00"), quote_id="qt-2", deal_id="d-2")
    world.add_contract(contract_id="ct-2", quote_id="qt-2", deal_id="d-2")
    world.add_deal(deal_id="d-2")
    world.wins("d-2")
    world.hears_all()
    return world


@pytest.mark.parametrize("kind", [PaymentKind.REFUND, PaymentKind.PAYMENT])
def test_what_belongs_to_no_deal_is_told_on_the_customer_and_guessed_onto_none(kind: PaymentKind) -> None:
    world = two_deals()
    world.books.enters(kind, 1_000, {}, CUSTOMER)
    world.hears_all()
    told = said(read_company_timeline(world.store, BUYING_COMPANY, FIONA.viewer))
    (sentence,) = [text for text in told if text.startswith(f"A {kind.value} of 10.00 USD")]
    assert sentence.endswith("It is not applied to a deal.")
    for deal in (DEAL, "d-2"):
        shown = read_deal_money(world.store, deal, FIONA, clock=world.clock)
        assert not shown.payments
        assert [mirror.payment.amount for mirror in shown.unapplied] == [usd(10)]
        assert not any("10.00 USD" in step.sentence for step in world.chain(deal))


def test_once_it_is_applied_it_is_told_on_its_deal() -> None:
    world = two_deals()
    payment = world.books.enters(PaymentKind.PAYMENT, 10_000, {}, CUSTOMER)
    world.hears_all()
    (mine,) = [mirror for mirror in world.mirrors() if mirror.deal_id == DEAL]
    world.books.unapplies(payment, to={mine.invoice.invoice_id: 10_000})
    world.hears_all()
    shown = read_deal_money(world.store, DEAL, FIONA, clock=world.clock)
    assert [mirror.payment.payment_id for mirror in shown.payments] == [payment]
    assert not shown.unapplied
    assert "payment.received" in what(read_deal_timeline(world.store, DEAL, FIONA.viewer))
    assert "payment.received" not in what(read_deal_timeline(world.store, "d-2", FIONA.viewer))


def test_instalments_of_one_deal_are_told_once_each() -> None:
    world = invoiced(
        schedule=(Instalment(1, percent=None, amount=usd(40)), Instalment(2, percent=None, amount=usd(60)))
    )
    assert what(read_deal_timeline(world.store, DEAL, FIONA.viewer)).count("invoice.created") == 2
