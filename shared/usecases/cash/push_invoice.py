"""Make one invoice in the ledger, at most once ever (I23).

The intent says `calling` before the ledger is called, and whoever finds it so looks the invoice up before calling
again. One worker at a time holds the intent's lease. Our number, our external id and the ledger's own idempotency key
are all made from the intent, so that even a call nobody knows of can only meet its own invoice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta

from shared import log
from shared.domain.cash.accounting import InvoiceDraft, LedgerInvoice
from shared.domain.cash.billing import draft_of
from shared.domain.cash.deal import Step, chain_step
from shared.domain.cash.intent import IntentState, InvoiceIntent, request_key
from shared.domain.cash.ledger_settings import LedgerSettings
from shared.errors import AlreadyExistsError, InputError, RateLimitedError, RetryableError
from shared.ports import Chance, Clock, Version, Write
from shared.ports.cash import Ledger
from shared.records.cash import CashRecords, InvoiceMirror
from shared.records.ledgers import ledgers
from shared.records.people import Contacts
from shared.records.store import TenantStore
from shared.usecases.lease import Held, take_lease

SETTLED = frozenset({IntentState.CREATED, IntentState.DIFFERS, IntentState.STOPPED})
BUSY_FOR = timedelta(seconds=30)

OpenLedger = Callable[[str], Ledger]
"""The ledger of a connection, by its id."""


def push_invoice(
    store: TenantStore, intent_id: str, *, open_ledger: OpenLedger, clock: Clock, chance: Chance
) -> InvoiceIntent:
    """Bring the intent to an end: created, differing, or stopped with the reason on the deal. Safe to repeat.

    Raises: NotFoundError; RateLimitedError while another worker is at it; what the ledger raises for now.
    """
    records = CashRecords(store)
    stored = records.intents.get(intent_id)
    if stored.value.state in SETTLED:
        return stored.value

    def updating(intent: InvoiceIntent, version: Version) -> Write:
        return records.intents.updating(intent.intent_id, intent, version)

    held = take_lease(stored, updating, store=store, clock=clock, chance=chance)
    if held is None:
        raise RateLimitedError(f"intent {intent_id} is being worked on", resume_at=clock.now() + BUSY_FOR)
    try:
        return _push(records, held, open_ledger, clock)
    except InputError as refused:
        return _stop(records, held, str(refused), clock)
    except RetryableError:
        held.release(held.value)
        raise


def _push(records: CashRecords, held: Held[InvoiceIntent], open_ledger: OpenLedger, clock: Clock) -> InvoiceIntent:
    intent = held.value
    settings = ledgers(records.store).get(intent.connection_id).value
    ledger = open_ledger(intent.connection_id)
    found: LedgerInvoice | None = None
    if intent.state is IntentState.CALLING:
        found = ledger.find_invoice(intent.number, intent.intent_id)
    else:
        held.commit(replace(intent, state=IntentState.CALLING, draft=_draft(records, intent, settings, clock)))
    if found is None:
        found = _create(held, ledger)
    return _settle(records, held, found, clock)


def _draft(records: CashRecords, intent: InvoiceIntent, settings: LedgerSettings, clock: Clock) -> InvoiceDraft:
    """What is to be sent, from the quote behind the contract. Raises: InputError."""
    contract = records.contracts.get(intent.contract_id).value
    if contract.quote_id is None:
        raise InputError(f"Contract {contract.number} has no quote, so there are no lines to invoice.")
    quote = records.quotes.get(contract.quote_id).value
    deal = records.deals.get(intent.deal_id).value
    billed = next(iter(Contacts(records.store).get_all([quote.contact_id])), None)
    email = billed.contact.emails[0] if billed and billed.contact.emails else ""
    today = clock.now().astimezone(UTC).date()
    return draft_of(
        intent, quote, settings, customer_key=deal.company_id or quote.contact_id, issued_on=today, email=email
    )


def _create(held: Held[InvoiceIntent], ledger: Ledger) -> LedgerInvoice:
    intent = held.value
    assert intent.draft is not None
    held.commit(replace(intent, calls=intent.calls + 1))
    try:
        return ledger.create_invoice(intent.draft, request_key(intent))
    except AlreadyExistsError:
        found = ledger.find_invoice(intent.number, intent.intent_id)
        if found is None:
            raise InputError(
                f"The ledger says number {intent.number} is taken, but shows no such invoice; look for it there."
            ) from None
        return found


def _settle(records: CashRecords, held: Held[InvoiceIntent], invoice: LedgerInvoice, clock: Clock) -> InvoiceIntent:
    """Compare with the quote, to the cent. An invoice that differs stays in the ledger, unsent, and a person decides:
    we never delete it."""
    intent = held.value
    draft = intent.draft
    assert draft is not None
    equal = invoice.total == draft.total and invoice.tax == draft.tax
    state = IntentState.CREATED if equal else IntentState.DIFFERS
    reason = "" if equal else _difference(invoice, draft)
    settled = replace(intent, state=state, invoice=invoice, reason=reason)
    step = chain_step(
        intent.deal_id,
        Step.INVOICE_CREATED if equal else Step.INVOICE_STOPPED,
        clock.now(),
        cause=intent.intent_id,
        other_id=invoice.invoice_id,
        sentence=f"Invoice {invoice.number} over {invoice.total} is in the ledger." if equal else reason,
        new=(intent.intent_id, state.value),
    )
    mirror = InvoiceMirror(invoice, intent.connection_id, intent.deal_id, intent.contract_id, intent.intent_id)
    held.release(settled, [records.writing_invoice(mirror), records.stepping(step)])
    log.event("invoice.created", tenant=records.store.tenant, intent=intent.intent_id, equal=equal)
    return settled


def _difference(invoice: LedgerInvoice, draft: InvoiceDraft) -> str:
    return (
        f"Invoice {invoice.number} differs: the ledger has {invoice.total} with tax {invoice.tax}, the quote "
        f"{draft.total} with tax {draft.tax}. It was not sent; correct the tax or the mapping, or take the ledger's."
    )


def _stop(records: CashRecords, held: Held[InvoiceIntent], reason: str, clock: Clock) -> InvoiceIntent:
    """Nothing was made, and the deal says why."""
    intent = held.value
    stopped = replace(intent, state=IntentState.STOPPED, reason=reason)
    step = chain_step(
        intent.deal_id,
        Step.INVOICE_STOPPED,
        clock.now(),
        cause=intent.intent_id,
        sentence=reason,
        new=(intent.intent_id, reason),
    )
    held.release(stopped, [records.stepping(step)])
    log.event("invoice.stopped", severity="WARNING", tenant=records.store.tenant, intent=intent.intent_id)
    return stopped
