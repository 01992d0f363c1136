"""Quotes: written, sent by a tracked link, opened, accepted or declined on a page, renewed (Q1, I31)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from shared.cash_input import quote_draft
from shared.domain.cash.deal import Step
from shared.domain.cash.money import Money
from shared.domain.cash.quote import Due, Instalment, QuoteStatus
from shared.domain.people import Role, User
from shared.errors import ForbiddenError, InputError, NotFoundError
from shared.records.audit import Audit
from shared.records.store import TenantStore
from shared.records.todos import Todos
from shared.usecases.cash.decide_quote import Deed, DeedKind, Visitor, decide, read_quote_page, read_quote_pdf
from shared.usecases.cash.send_quote import SentQuote, pdf_key
from shared.usecases.cash.set_logo import LARGEST, set_logo
from shared.usecases.cash.write_quote import QuoteDraft, approve_quote
from tests.contract_world import (
    ADA,
    ANNA,
    BEN,
    BUYER,
    DEAL,
    TENANT,
    VISITOR,
    WORKED_EXAMPLE,
    ContractWorld,
    contract_world,
    line,
    usd,
)

PNG = b"\x89PNG\r\n\x1a\n and what follows"


def token(sent: SentQuote) -> str:
    return sent.link.rpartition("/")[2]


def worked(world: ContractWorld) -> SentQuote:
    quote = world.quotes(*WORKED_EXAMPLE, tax_percent=Decimal(8), discount_amount=usd("2000.00"))
    return world.sends_quote(quote)


def test_the_worked_example_comes_to_22_680_and_sets_the_deals_amount() -> None:
    world = contract_world()
    sent = worked(world)
    totals = sent.quote.totals
    assert [line.amount for line in sent.quote.lines] == [usd("6750.00"), usd("12000.00"), usd("4250.00")]
    assert (totals.subtotal, totals.net, totals.tax) == (usd("23000.00"), usd("21000.00"), usd("1680.00"))
    assert totals.total == usd("22680.00")

    world.decides(sent, DeedKind.ACCEPT)
    assert world.deal().amount == usd("22680.00")
    assert world.deal().accepted_quote_id == sent.quote.quote_id
    assert world.said(Step.QUOTE_ACCEPTED) == (
        "Quote QT-000001 over 22,680.00 USD was accepted by Carla Buyer. "
        "The deal's amount was 20,000.00 USD and is now 22,680.00 USD."
    )


def test_a_quote_may_leave_the_deals_amount_alone() -> None:
    world = contract_world()
    world.accepted(line(1, "100.00"), sets_amount=False)
    assert world.deal().amount == usd("20000.00")


def test_numbers_follow_each_other_and_a_repeated_request_is_one_quote() -> None:
    world = contract_world()
    first, again, second = world.quotes(key="a"), world.quotes(key="a"), world.quotes(key="b")
    assert (first.number, again, second.number) == ("QT-000001", first, "QT-000002")


def test_only_who_may_see_the_deal_writes_and_sends_its_quotes() -> None:
    world = contract_world()
    with pytest.raises(ForbiddenError):
        world.quotes(line(1, "1.00"), user=BEN)
    quote = world.quotes(line(1, "1.00"), user=ADA)
    with pytest.raises(ForbiddenError):
        world.sends_quote(quote, user=BEN)


def test_a_draft_is_changed_and_what_was_sent_is_not() -> None:
    world = contract_world()
    quote = world.quotes(line(1, "1.00"))
    draft = QuoteDraft(DEAL, BUYER, "USD", (line(2, "1.00"),))
    assert world.changes_quote(quote, draft).totals.total == usd("2.00")
    world.sends_quote(world.quote(quote.quote_id))
    with pytest.raises(InputError, match="was sent already"):
        world.changes_quote(quote, draft)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"lines": ()}, "has no lines"),
        ({"lines": (line(1, "0.00"),)}, "must come to more than zero"),
        ({"lines": (line(1, "10.00"),), "discount_amount": usd("20.00")}, "must come to more than zero"),
        ({"lines": (line(0, "10.00"),)}, "quantity is not positive"),
        ({"lines": (line(1, "-10.00"), line(1, "20.00", name="other"))}, "negative amount"),
        ({"lines": (line(1, "10.00", discount=101),)}, "between 0 and 100"),
        ({"lines": (line(1, "10.00"), replace(line(1, "1.00"), unit_price=Money(100, "EUR")))}, "mixes EUR and USD"),
        ({"lines": (line(1, "10.00"),), "tax_percent": Decimal(-1)}, "negative tax"),
        (
            {"lines": (line(1, "10.00"),), "discount_percent": Decimal(1), "discount_amount": usd(1)},
            "two discounts on the whole",
        ),
        (
            {"lines": (line(1, "10.00"),), "schedule": (Instalment(1, percent=Decimal(40)),)},
            "adds up to 40 percent",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_sent_is_said_in_a_sentence(fields: dict[str, Any], sentence: str) -> None:
    world = contract_world()
    quote = world.quotes(*fields.pop("lines"), **fields)
    with pytest.raises(InputError, match=sentence):
        world.sends_quote(quote)
    assert world.steps() == []


MAYA = User("u-maya", "Maya", "maya@acme.example", Role.EXECUTIVE)


def limited_to(percent: int) -> ContractWorld:
    world = contract_world()
    stored = world.records.pipelines.get(world.deal().pipeline_id)
    limited = replace(stored.value, discount_limit=Decimal(percent))
    world.store.commit([world.records.pipelines.updating(limited.pipeline_id, limited, stored.version)])
    return world


def approves(world: ContractWorld, quote_id: str, user: User = MAYA) -> None:
    approve_quote(world.store, quote_id, user=user, clock=world.clock, jitter=world.jitter)


def test_a_discount_beyond_the_limit_waits_for_somebody_above_the_owner() -> None:
    world = limited_to(14)
    quote = world.quotes(*WORKED_EXAMPLE, discount_amount=usd("2000.00"))
    assert quote.status is QuoteStatus.APPROVAL_REQUIRED  # 3,500.00 off 24,500.00
    with pytest.raises(InputError, match="waits for approval"):
        world.sends_quote(quote)
    with pytest.raises(ForbiddenError):
        approves(world, quote.quote_id, ANNA)
    for _ in range(2):
        approves(world, quote.quote_id)
    assert world.sends_quote(quote).quote.status is QuoteStatus.SENT
    asked = [todo.sentence for todo in Todos(world.store).of_deal(DEAL)]
    assert sorted(asked) == [
        f"Quote {quote.number} takes 14.29 % off and needs the approval of a manager before it can be sent.",
        f"The discount of quote {quote.number} was approved; it can be sent.",
    ]


def test_a_discount_within_the_limit_waits_for_nobody() -> None:
    world = limited_to(15)
    quote = world.quotes(*WORKED_EXAMPLE, discount_amount=usd("2000.00"))
    assert quote.status is QuoteStatus.DRAFT
    with pytest.raises(InputError, match="waits for no approval"):
        approves(world, quote.quote_id)


def test_a_price_by_quantity_is_copied_into_the_line_and_is_no_discount() -> None:
    row = {
        "description": "Licences",
        "quantity": "50",
        "unit_price": "160.00",
        "price_breaks": [{"at_least": "100", "unit_price": "140.00"}, {"at_least": "50", "unit_price": "150.00"}],
    }
    shape = {"deal": DEAL, "contact": BUYER, "currency": "USD"}
    for quantity, price in (("49", "160.00"), ("50", "150.00"), ("100", "140.00"), ("5000", "140.00")):
        [written] = quote_draft({**shape, "lines": [{**row, "quantity": quantity}]}).lines
        assert written.unit_price == usd(price)
    world = limited_to(0)
    assert world.quotes(written).status is QuoteStatus.DRAFT


def test_a_discount_that_waits_for_approval_is_not_sent() -> None:
    world = contract_world()
    quote = world.quotes(line(1, "10.00"))
    stored = world.records.quotes.get(quote.quote_id)
    waiting = replace(quote, status=QuoteStatus.APPROVAL_REQUIRED)
    world.store.commit([world.records.quotes.updating(quote.quote_id, waiting, stored.version)])
    with pytest.raises(InputError, match="waits for approval"):
        world.sends_quote(quote)


def test_the_links_token_is_stored_nowhere() -> None:
    world = contract_world()
    sent = worked(world)
    assert len(token(sent)) == 43
    assert sent.link == f"https://crm.example/quote_page/{TENANT}/{sent.quote.quote_id}/{token(sent)}"
    assert token(sent) not in repr(world.documents.dump())  # type: ignore[attr-defined]  # MemoryDocuments
    assert world.records.quotes.get(sent.quote.quote_id).value.link


def test_a_guessed_token_and_an_unknown_quote_answer_alike() -> None:
    world = contract_world()
    sent = worked(world)
    for quote_id, guess in ((sent.quote.quote_id, "guess"), ("q-none", token(sent))):
        with pytest.raises(NotFoundError):
            read_quote_page(world.store, quote_id, guess, clock=world.clock)


def test_opening_is_counted_each_time_and_noted_once() -> None:
    world = contract_world()
    sent = worked(world)
    for _ in range(3):
        world.decides(sent, DeedKind.OPEN)
    quote = world.quote(sent.quote.quote_id)
    assert (quote.opens, quote.status) == (3, QuoteStatus.VIEWED)
    assert world.steps().count(Step.QUOTE_VIEWED) == 1


def test_an_acceptance_keeps_who_when_from_where_and_the_exact_pdf() -> None:
    world = contract_world()
    sent = worked(world)
    name, content = read_quote_pdf(world.store, sent.quote.quote_id, token(sent), blobs=world.blobs)
    world.passes(hours=2)
    world.decides(sent, DeedKind.ACCEPT)
    accepted = world.quote(sent.quote.quote_id).acceptance
    assert accepted is not None
    assert (accepted.name, accepted.email, accepted.ip) == (VISITOR.name, VISITOR.email, VISITOR.ip)
    assert accepted.at == world.clock.now()
    assert accepted.pdf_sha256 == sha256(content).hexdigest()
    assert (name, world.blobs.get(pdf_key(world.store, sent.quote.quote_id, accepted.pdf_sha256))) == (
        "QT-000001.pdf",
        content,
    )


def test_a_quote_is_accepted_once() -> None:
    world = contract_world()
    sent = worked(world)
    world.decides(sent, DeedKind.ACCEPT)
    world.passes(days=1)
    world.decides(sent, DeedKind.ACCEPT, visitor=Visitor("Somebody Else", "else@globex.example", "198.51.100.1"))
    accepted = world.quote(sent.quote.quote_id).acceptance
    assert accepted is not None
    assert accepted.name == "Carla Buyer"
    assert world.steps().count(Step.QUOTE_ACCEPTED) == 1
    with pytest.raises(InputError, match="was accepted already"):
        world.decides(sent, DeedKind.DECLINE)


def test_who_accepts_says_who_they_are() -> None:
    world = contract_world()
    sent = worked(world)
    with pytest.raises(InputError, match="your name and your email"):
        world.decides(sent, DeedKind.ACCEPT, visitor=Visitor(" ", "carla@globex.example", ""))
    assert world.quote(sent.quote.quote_id).status is QuoteStatus.SENT


def test_of_several_quotes_of_a_deal_one_is_accepted() -> None:
    world = contract_world()
    first, second = (world.sends_quote(world.quotes(line(1, "10.00"), key=key)) for key in ("a", "b"))
    world.decides(first, DeedKind.ACCEPT)
    with pytest.raises(InputError, match="Another quote for this was accepted"):
        world.decides(second, DeedKind.ACCEPT)
    assert world.deal().accepted_quote_id == first.quote.quote_id


def test_declining_keeps_the_reason_and_tells_the_owner() -> None:
    world = contract_world()
    sent = worked(world)
    world.decides(sent, DeedKind.DECLINE, reason="  Too\nexpensive. ")
    quote = world.quote(sent.quote.quote_id)
    assert (quote.status, quote.decline_reason) == (QuoteStatus.DECLINED, "Too expensive.")
    assert world.asked() == ["Quote QT-000001 was declined: Too expensive."]
    assert world.deal().accepted_quote_id is None


def test_after_its_last_day_it_is_refused_and_can_be_renewed() -> None:
    world = contract_world()
    quote = world.quotes(*WORKED_EXAMPLE, expires_on=world.today())
    sent = world.sends_quote(quote)
    with pytest.raises(InputError, match="has not ended"):
        world.decides(sent, DeedKind.RENEW)
    world.passes(days=1)
    with pytest.raises(InputError, match="ended on 2026-03-02"):
        world.decides(sent, DeedKind.ACCEPT)

    world.decides(sent, DeedKind.RENEW)
    world.decides(sent, DeedKind.RENEW)
    assert world.asked() == ["The customer asks for quote QT-000001 anew, which ended on 2026-03-02."]
    with pytest.raises(InputError, match="choose a later last day"):
        world.sends_quote(quote)

    renewed = world.sends_quote(quote, expires_on=world.today() + timedelta(days=14))
    with pytest.raises(NotFoundError):
        world.decides(sent, DeedKind.ACCEPT)
    world.decides(renewed, DeedKind.ACCEPT)
    assert world.quote(quote.quote_id).status is QuoteStatus.ACCEPTED


def test_the_last_day_itself_still_counts() -> None:
    world = contract_world()
    sent = world.sends_quote(world.quotes(line(1, "10.00"), expires_on=world.today()))
    world.passes(hours=14)
    world.decides(sent, DeedKind.ACCEPT)
    assert world.quote(sent.quote.quote_id).status is QuoteStatus.ACCEPTED


def test_what_was_decided_is_not_sent_again() -> None:
    world = contract_world()
    quote = world.accepted(line(1, "10.00"))
    with pytest.raises(InputError, match="was accepted already"):
        world.sends_quote(quote)


def test_instalments_add_up_to_the_cent() -> None:
    world = contract_world()
    thirds = tuple(
        Instalment(number, Due.DAYS_AFTER, percent=percent, days=30 * number)
        for number, percent in enumerate((Decimal("33.33"), Decimal("33.33"), Decimal("33.34")), start=1)
    )
    sent = world.sends_quote(world.quotes(line(1, "100.01"), schedule=thirds))
    assert sent.quote.totals.total == usd("100.01")


def test_the_page_knows_what_it_may_show() -> None:
    world = contract_world()
    sent = worked(world)
    shown = read_quote_page(world.store, sent.quote.quote_id, token(sent), clock=world.clock)
    assert (shown.head.seller, shown.head.customer, shown.head.contact) == ("Acme", "Globex Inc", "Carla Buyer")
    assert (shown.expired, shown.today) == (False, date(2026, 3, 2))


def test_the_audit_tells_what_was_sent_and_accepted() -> None:
    world = contract_world()
    sent = worked(world)
    world.decides(sent, DeedKind.ACCEPT)
    rows = {row.action: row for row in Audit(world.store).newest(20)}
    assert rows["quote.sent"].after == {"pdf_sha256": sent.quote.pdf_sha256}
    assert rows["quote.accepted"].after == {"pdf_sha256": sent.quote.pdf_sha256}
    assert VISITOR.email not in repr(rows)


def test_another_tenants_link_opens_nothing() -> None:
    world = contract_world()
    sent = worked(world)
    with pytest.raises(NotFoundError):
        decide(
            TenantStore(world.documents, "other"),
            sent.quote.quote_id,
            token(sent),
            Deed(DeedKind.ACCEPT, VISITOR),
            clock=world.clock,
            jitter=world.jitter,
        )


def test_a_quote_whose_last_day_passed_has_ended_and_its_owner_hears_of_it() -> None:
    world = contract_world()
    sent = world.sends_quote(world.quotes(line(1, "100.00"), expires_on=world.today()))
    assert world.expires() == 0
    world.passes(days=1)
    assert (world.expires(), world.expires()) == (1, 0)
    assert world.quote(sent.quote.quote_id).status is QuoteStatus.EXPIRED
    assert world.steps().count(Step.QUOTE_EXPIRED) == 1
    assert [text for text in world.asked() if "without a decision" in text]


def test_an_ended_quote_can_be_asked_for_anew_and_sent_again() -> None:
    world = contract_world()
    sent = world.sends_quote(world.quotes(line(1, "100.00"), expires_on=world.today()))
    world.passes(days=1)
    world.expires()
    world.decides(sent, DeedKind.RENEW)
    renewed = world.sends_quote(sent.quote, expires_on=world.today() + timedelta(days=5))
    world.decides(renewed, DeedKind.ACCEPT)
    assert world.quote(sent.quote.quote_id).status is QuoteStatus.ACCEPTED


def test_what_was_decided_or_has_no_last_day_does_not_end() -> None:
    world = contract_world()
    world.accepted(expires_on=world.today())
    world.sends_quote(world.quotes(line(2, "100.00"), key="k-2"))
    world.passes(days=400)
    assert world.expires() == 0


# ---------------------------------------------------------------------------------------------------------- the logo


def sets_logo(world: ContractWorld, content: bytes, *, user: User = ADA, drawable: bool = True) -> None:
    set_logo(
        world.store,
        content,
        user,
        is_image=lambda _: drawable,
        blobs=world.blobs,
        clock=world.clock,
        jitter=world.jitter,
    )


def test_a_quote_carries_the_logo_as_it_was_when_it_was_sent() -> None:
    world = contract_world()
    quote = world.quotes(line(1, "100.00"))
    plain = world.sends_quote(quote).quote.pdf_sha256
    sets_logo(world, PNG)
    assert world.paper.heads[-1].logo is None
    with_it = world.sends_quote(quote).quote.pdf_sha256
    assert world.paper.heads[-1].logo == PNG
    sets_logo(world, b"")
    assert world.sends_quote(quote).quote.pdf_sha256 == plain != with_it


@pytest.mark.parametrize(("content", "drawable"), [(b"GIF89a", True), (PNG, False), (PNG + b"x" * LARGEST, True)])
def test_only_a_small_png_or_jpeg_that_can_be_drawn_is_a_logo(content: bytes, drawable: bool) -> None:
    with pytest.raises(InputError, match="logo"):
        sets_logo(contract_world(), content, drawable=drawable)


def test_the_logo_is_the_administrators() -> None:
    with pytest.raises(ForbiddenError):
        sets_logo(contract_world(), PNG, user=BEN)
