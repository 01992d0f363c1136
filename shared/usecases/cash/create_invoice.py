"""An invoice made by hand, from a contract, a deal or a contact: shown first, then asked for once (Q12)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from shared.domain.cash.intent import IntentState, InvoiceIntent, intent_id, intent_id_by_hand, invoice_number
from shared.domain.cash.money import Money
from shared.domain.cash.quote import DEFAULT_SCHEDULE, Quote, QuoteLine, QuoteStatus, instalments, require_sendable
from shared.domain.people import Role, User, Viewer
from shared.domain.values import dataclass
from shared.errors import InputError, NotFoundError
from shared.ports.tasks import Tasks
from shared.ports.time import Chance, Clock, Jitter
from shared.records.audit import Audit
from shared.records.cash import CashRecords
from shared.records.ledgers import ledgers
from shared.records.people import Contacts
from shared.records.store import TenantStore
from shared.usecases.cash.decide_invoice import retry_invoice
from shared.usecases.cash.finance import may_see_deal, require_finance
from shared.usecases.cash.plan_invoices import add_intent, claim_quote, contract_intent, ledger_to_use


@dataclass(frozen=True, slots=True)
class Source:
    """What it is made from: a contract's instalment, a deal, or a contact. key: of what was shown, so that a second
    click is the same invoice."""

    key: str
    contract_id: str | None = None
    instalment: int = 1
    deal_id: str | None = None
    contact_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What the person left of the proposal. sends: the ledger mails it once it equals. term_id: of the ledger."""

    lines: tuple[QuoteLine, ...]
    currency: str
    tax_percent: Decimal = Decimal(0)
    discount_percent: Decimal | None = None
    discount_amount: Money | None = None
    memo: str = ""
    term_id: str | None = None
    sends: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is shown before anything is made. number: the one it will have. earlier: numbers of invoices that the deal
    has already."""

    source: Source
    number: str
    connection_id: str
    customer_key: str
    reviewed: Reviewed
    amount: Money
    earlier: tuple[str, ...]


def propose_invoice(store: TenantStore, source: Source, viewer: User, *, chance: Chance) -> Proposal:
    """Lines of the contract's or the deal's quote, to be reviewed. Nothing is written.

    source: without a key, one is made.
    Raises: ForbiddenError, NotFoundError; InputError, also where no ledger is connected.
    """
    require_finance(store, viewer)
    records = CashRecords(store)
    _require_source(records, source, viewer.viewer)
    source = source if source.key else replace(source, key=chance.token())
    connection_id = ledger_to_use(records)
    currency = ledgers(store).get(connection_id).value.company.currency
    quote = _quote_behind(records, source)
    reviewed = Reviewed(
        lines=quote.lines if quote else (),
        currency=quote.currency if quote else currency,
        tax_percent=quote.tax_percent if quote else Decimal(0),
        discount_percent=quote.discount_percent if quote else None,
        discount_amount=quote.discount_amount if quote else None,
        memo=quote.memo if quote else "",
    )
    deal_id, customer_key = _customer(records, source, quote)
    earlier = records.intents_of_deal(deal_id) if deal_id else []
    return Proposal(
        source=source,
        number=invoice_number(_intent_id(records, source)),
        connection_id=connection_id,
        customer_key=customer_key,
        reviewed=reviewed,
        amount=_amount(quote, source) if quote else Money(0, currency),
        earlier=tuple(kept.value.number for kept in earlier),
    )


def create_invoice(
    store: TenantStore,
    source: Source,
    reviewed: Reviewed,
    actor: User,
    *,
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> str:
    """Plan it and queue its making; returns the intent's id. Asking twice is one invoice.

    A contract's instalment is the very one that automatic invoices would make, so there is never a second; its lines
    are the contract's and are not changed here.
    Raises: ForbiddenError, NotFoundError; InputError with what to correct.
    """
    require_finance(store, actor)
    records, now = CashRecords(store), clock.now()
    _require_source(records, source, actor.viewer)
    intent = (
        _of_contract(records, source, reviewed, actor, clock)
        if source.contract_id
        else _by_hand(records, source, reviewed, actor, clock)
    )
    known = records.intents.find(intent.intent_id)
    if known is not None and known.value.state is IntentState.STOPPED:
        retry_invoice(store, intent.intent_id, actor, tasks=tasks, clock=clock, jitter=jitter)
        return intent.intent_id
    if add_intent(records, intent, tasks=tasks, now=now):
        store.commit([Audit(store).recording(actor.user_id, "invoice.asked", intent.intent_id, now)])
    return intent.intent_id


def _require_source(records: CashRecords, source: Source, viewer: Viewer) -> None:
    """Finance invoices everybody's deals and contacts. A role that was granted invoices was not granted the records of
    others: of those it hears what it hears of records that are not there.

    Raises: NotFoundError.
    """
    deal_id = source.deal_id
    if source.contract_id:
        deal_id = records.contracts.get(source.contract_id).value.deal_id
    if deal_id and not may_see_deal(records.deals.get(deal_id).value, viewer):
        raise NotFoundError(f"deal {deal_id} does not exist")
    if source.contact_id and viewer.role is not Role.FINANCE:
        owner_id = Contacts(records.store).get(source.contact_id).contact.owner_id
        if not viewer.may_see_records_of(owner_id):
            raise NotFoundError(f"contact {source.contact_id} does not exist")


def _intent_id(records: CashRecords, source: Source) -> str:
    if source.contract_id:
        return intent_id(records.store.tenant, source.contract_id, source.instalment)
    if not source.key:
        raise InputError("Look at the invoice once more before it is made.")
    return intent_id_by_hand(records.store.tenant, source.key)


def _quote_behind(records: CashRecords, source: Source) -> Quote | None:
    if source.contract_id:
        contract = records.contracts.get(source.contract_id).value
        if contract.quote_id is None:
            raise InputError(f"Contract {contract.number} has no quote, so there are no lines to invoice.")
        return records.quotes.get(contract.quote_id).value
    if not source.deal_id:
        return None
    quotes = [kept.value for kept in records.quotes.where((("deal_id", "==", source.deal_id),))]
    accepted = [quote for quote in quotes if quote.status is QuoteStatus.ACCEPTED]
    return next(iter([*accepted, *quotes]), None)


def _amount(quote: Quote, source: Source) -> Money:
    if not source.contract_id:
        return quote.totals.total
    parts = instalments(quote)
    if not 1 <= source.instalment <= len(parts):
        raise InputError(f"Quote {quote.number} has {len(parts)} instalments, and no number {source.instalment}.")
    return parts[source.instalment - 1]


def _customer(records: CashRecords, source: Source, quote: Quote | None) -> tuple[str | None, str]:
    """The deal it is shown on, and our id of who pays."""
    deal_id = source.deal_id
    if source.contract_id:
        deal_id = records.contracts.get(source.contract_id).value.deal_id
    deal = records.deals.get(deal_id).value if deal_id else None
    contact_id = source.contact_id or (quote.contact_id if quote else None)
    contact_id = contact_id or (deal.contacts[0].contact_id if deal and deal.contacts else None)
    if deal and deal.company_id:
        return deal_id, deal.company_id
    if contact_id is None:
        raise InputError("Choose a deal, a contract or a contact to invoice.")
    contact = Contacts(records.store).get(contact_id).contact
    return deal_id, contact.company_ids[0] if contact.company_ids else contact_id


def _of_contract(records: CashRecords, source: Source, reviewed: Reviewed, actor: User, clock: Clock) -> InvoiceIntent:
    assert source.contract_id is not None
    contract = records.contracts.get(source.contract_id).value
    if not contract.signed:
        raise InputError(f"Contract {contract.number} is not signed by everyone, so it cannot be invoiced.")
    quote = _quote_behind(records, source)
    assert quote is not None
    amount = _amount(quote, source)
    claim_quote(records, quote, contract)
    deal = records.deals.get(contract.deal_id).value
    part, now = quote.schedule[source.instalment - 1], clock.now()
    intent = contract_intent(records, deal, contract, quote, part, amount, ledger_to_use(records), now, now)
    return replace(intent, by_hand=actor.user_id, sends=reviewed.sends, term_id=reviewed.term_id)


def _by_hand(records: CashRecords, source: Source, reviewed: Reviewed, actor: User, clock: Clock) -> InvoiceIntent:
    id_, now = _intent_id(records, source), clock.now()
    quote = _quote_behind(records, source)
    deal_id, customer_key = _customer(records, source, quote)
    bill = Quote(
        quote_id=id_,
        number=invoice_number(id_),
        deal_id=deal_id or "",
        contact_id=source.contact_id or (quote.contact_id if quote else customer_key),
        currency=reviewed.currency,
        lines=reviewed.lines,
        tax_percent=reviewed.tax_percent,
        discount_percent=reviewed.discount_percent,
        discount_amount=reviewed.discount_amount,
        schedule=DEFAULT_SCHEDULE,
        memo=reviewed.memo,
    )
    require_sendable(bill)
    return InvoiceIntent(
        intent_id=id_,
        deal_id=deal_id,
        contract_id=None,
        instalment=1,
        connection_id=ledger_to_use(records),
        number=bill.number,
        expected=bill.totals.total,
        state=IntentState.PLANNED,
        planned_at=now,
        start_at=now,
        customer_key=customer_key,
        bill=bill,
        by_hand=actor.user_id,
        sends=reviewed.sends,
        term_id=reviewed.term_id,
    )
