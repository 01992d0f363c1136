"""Make one invoice in the ledger, at most once ever (I23).

The intent says `calling` before the ledger is called, and whoever finds that it was called before looks the invoice up
first. One worker at a time holds the intent's lease. Our number, our external id and the ledger's own idempotency key
are all made from the intent, so that even a call nobody knows of can only meet its own invoice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from shared import log
from shared.domain.cash.accounting import InvoiceDraft, LedgerInvoice, RecordKind
from shared.domain.cash.billing import draft_of
from shared.domain.cash.intent import IntentState, InvoiceIntent, believed, equals, request_key
from shared.domain.cash.ledger_settings import QUOTE_CURRENCY, LedgerSettings
from shared.domain.cash.mirror import Agreed, InvoiceMirror, agreed_of, invoice_key
from shared.domain.cash.quote import Quote
from shared.errors import (
    AdminActionError,
    AlreadyExistsError,
    ConnectionRevokedError,
    InputError,
    PermanentError,
    ProviderUnavailableError,
    RateLimitedError,
    RetryableError,
)
from shared.ports.cash import Ledger
from shared.ports.documents import Version, Write
from shared.ports.tasks import Tasks
from shared.ports.time import Chance, Clock, Jitter
from shared.records.cash import CashRecords
from shared.records.followups import Outbox
from shared.records.ledgers import ledgers
from shared.records.numbers import next_number
from shared.records.people import Contacts
from shared.records.store import TenantStore, guarded
from shared.usecases.cash.book_invoice import booking, created_step, difference
from shared.usecases.cash.ensure_customer import ensure_customer
from shared.usecases.cash.open_ledger import OpenLedger
from shared.usecases.cash.promise_sending import sendings
from shared.usecases.cash.tell_stop import stop_told
from shared.usecases.lease import Held, take_lease
from shared.usecases.promises import keep_promise_tasks

PREFIX = "INV"
BUSY_FOR = timedelta(seconds=30)
CALLS_AT_MOST = 5
"""After so many calls, a ledger that says our number is taken and shows nobody by it is not asked again."""


def push_invoice(
    store: TenantStore,
    intent_id: str,
    *,
    open_ledger: OpenLedger,
    tasks: Tasks,
    clock: Clock,
    chance: Chance,
    jitter: Jitter,
) -> InvoiceIntent:
    """Bring the intent to an end: created, differing, or stopped with the reason on the deal. Safe to repeat.

    Raises: NotFoundError; RateLimitedError while another worker is at it or its time has not come; what the ledger
    raises for now.
    """
    records = CashRecords(store)
    stored = records.intents.get(intent_id)
    if stored.value.settled:
        return stored.value
    if stored.value.start_at > clock.now():
        raise RateLimitedError(f"intent {intent_id} starts later", resume_at=stored.value.start_at)

    def updating(intent: InvoiceIntent, version: Version) -> Write:
        return records.intents.updating(intent.intent_id, intent, version)

    held = take_lease(stored, updating, store=store, clock=clock, chance=chance)
    if held is None:
        raise RateLimitedError(f"intent {intent_id} is being worked on", resume_at=clock.now() + BUSY_FOR)
    try:
        found = _find_or_create(records, held, open_ledger, clock, jitter)
    except InputError as refused:
        return _stop(records, held, str(refused), clock)
    except (RetryableError, ConnectionRevokedError, AdminActionError):
        held.release(held.value)
        raise
    except PermanentError as unexpected:
        log.exception("invoice.not_understood", unexpected, tenant=store.tenant, intent=intent_id)
        return _stop(
            records,
            held,
            "The ledger's answer could not be used; the integration log shows the call. Look for the number "
            f"{held.value.number} there, then try again.",
            clock,
        )
    return _settle(records, held, found, tasks, clock, jitter)


def _find_or_create(
    records: CashRecords, held: Held[InvoiceIntent], open_ledger: OpenLedger, clock: Clock, jitter: Jitter
) -> LedgerInvoice:
    intent = held.value
    settings = ledgers(records.store).get(intent.connection_id).value
    ledger = open_ledger(intent.connection_id)
    found = _look_up(ledger, intent) if intent.calls else None
    if found is not None:
        return found
    draft = intent.draft if intent.state is IntentState.CALLING else None
    if draft is None:
        if not settings.goes(RecordKind.INVOICE):
            raise InputError(f"Invoices do not go to {settings.company.name}; the mapping page says so.")
        draft = _draft(records, intent, settings, ledger, clock, jitter)
    held.commit(replace(intent, state=IntentState.CALLING, draft=draft, calls=intent.calls + 1, reason=""))
    _write_records(records, held.value, settings, ledger)
    return _create(ledger, held.value, draft)


def _write_records(records: CashRecords, intent: InvoiceIntent, settings: LedgerSettings, ledger: Ledger) -> None:
    """Records of the owner's own types, each with the intent's id: writing them again changes nothing."""
    if not settings.records:
        return
    facts = _facts(records, intent, settings)
    for record in settings.records:
        known = {theirs: facts[ours] for theirs, ours in record.fields.items() if facts.get(ours)}
        if known:
            ledger.write_record(record.record_type, intent.intent_id, known)


def _look_up(ledger: Ledger, intent: InvoiceIntent) -> LedgerInvoice | None:
    """Ours, if the ledger has it. Raises: InputError where somebody else's has our number."""
    found = ledger.find_invoice(intent.number, intent.intent_id)
    if found is not None and found.external_id not in (None, "", intent.intent_id):
        raise InputError(f"Another invoice in the ledger has the number {intent.number}; give that one another number.")
    return found


def _create(ledger: Ledger, intent: InvoiceIntent, draft: InvoiceDraft) -> LedgerInvoice:
    try:
        return ledger.create_invoice(draft, request_key(intent))
    except AlreadyExistsError:
        found = _look_up(ledger, intent)
        if found is not None:
            return found
        if intent.calls < CALLS_AT_MOST:  # its search may lag behind its own refusal
            raise ProviderUnavailableError(f"intent {intent.intent_id}: taken, and not shown yet") from None
        raise InputError(
            f"The ledger says number {intent.number} is taken, but shows no such invoice; look for it there."
        ) from None


def _draft(
    records: CashRecords, intent: InvoiceIntent, settings: LedgerSettings, ledger: Ledger, clock: Clock, jitter: Jitter
) -> InvoiceDraft:
    """What is to be sent, from the reviewed lines or the quote behind the contract. Raises: InputError."""
    quote = intent.bill or _quote(records, intent)
    facts = _facts(records, intent, settings)
    settings = settings.for_sale({**facts, QUOTE_CURRENCY: quote.currency})
    customer_id = ensure_customer(records.store, settings, intent.customer_key, ledger=ledger, jitter=jitter)
    billed = next(iter(Contacts(records.store).get_all([quote.contact_id])), None)
    email = billed.contact.emails[0] if billed and billed.contact.emails else ""
    today = clock.now().astimezone(ZoneInfo(settings.company.time_zone)).date()
    draft = draft_of(
        intent,
        quote,
        settings,
        customer_id=customer_id,
        issued_on=today,
        email=email,
        facts=facts,
    )
    if draft.total != intent.expected:
        raise InputError(
            f"Quote {quote.number} comes to {draft.total} now, and {intent.expected} was planned; it changed after the "
            "contract was signed."
        )
    return draft


def _facts(records: CashRecords, intent: InvoiceIntent, settings: LedgerSettings) -> Mapping[str, str]:
    """What custom fields are filled from and rules look at; read only where there are some."""
    wanted = settings.fields or settings.records or settings.rules_need_facts
    if not wanted or intent.deal_id is None:
        return {}
    from shared.usecases.cash.review_contract import contract_facts, deal_facts

    contract = records.contracts.find(intent.contract_id) if intent.contract_id else None
    return contract_facts(records.store, contract.value) if contract else deal_facts(records.store, intent.deal_id)


def _quote(records: CashRecords, intent: InvoiceIntent) -> Quote:
    contract = records.contracts.get(intent.contract_id).value if intent.contract_id else None
    if contract is None or contract.quote_id is None:
        raise InputError("There is no quote behind this invoice, so there are no lines to invoice.")
    return records.quotes.get(contract.quote_id).value


def _settle(
    records: CashRecords,
    held: Held[InvoiceIntent],
    invoice: LedgerInvoice,
    tasks: Tasks,
    clock: Clock,
    jitter: Jitter,
) -> InvoiceIntent:
    """Compare with the quote, to the cent. An invoice that differs stays in the ledger, unsent, and a person decides:
    we never delete it."""
    intent = held.value
    draft = intent.draft
    assert draft is not None
    now, tenant = clock.now(), records.store.tenant
    equal = equals(invoice, draft)
    outcome = replace(
        intent,
        state=IntentState.CREATED if equal else IntentState.DIFFERS,
        invoice_id=invoice.invoice_id,
        reason="" if equal else difference(invoice, draft),
    )
    sending = sendings(records, outcome, invoice, now)

    def attempt() -> None:
        record_number, taking = _record_number(records, outcome)
        settled = replace(outcome, record_number=record_number)
        before = records.invoices.find(invoice_key(intent.connection_id, invoice.invoice_id))
        mirror = InvoiceMirror(
            invoice=believed(before.value.invoice if before else None, invoice),
            connection_id=intent.connection_id,
            customer_id=invoice.customer_id,
            deal_id=intent.deal_id,
            contract_id=intent.contract_id,
            intent_id=intent.intent_id,
            agreed=agreed_of(invoice) if equal else _asked_for(invoice, draft),
            record_number=record_number,
        )
        writes = taking + booking(records, before, mirror, now, cause=intent.intent_id)
        writes += created_step(records, settled, invoice, now, cause=intent.intent_id)
        writes += [Outbox(records.store).creating(kept) for kept in sending]
        held.release(settled, writes)

    guarded(jitter, f"intent {intent.intent_id}", attempt)
    tasks.create(keep_promise_tasks(sending))
    log.event("invoice.created", tenant=tenant, intent=intent.intent_id, equal=equal)
    return held.value


def _record_number(records: CashRecords, intent: InvoiceIntent) -> tuple[str, list[Write]]:
    """The next number of our own row, taken in the commit of the outcome: an invoice that was never made uses up none,
    and one that was stopped after it stood in the ledger keeps its own."""
    if intent.record_number:
        return intent.record_number, []
    number, taking = next_number(records.store, PREFIX)
    return number, [taking]


def _asked_for(invoice: LedgerInvoice, draft: InvoiceDraft) -> Agreed:
    """What was asked for, so that the ledger's figures show as differences; a due date is the ledger's to compute."""
    return Agreed(draft.number, draft.customer_id, draft.total, draft.tax, invoice.due_on)


def _stop(records: CashRecords, held: Held[InvoiceIntent], reason: str, clock: Clock) -> InvoiceIntent:
    """Nothing was made, and the deal says why. A person mends the cause and tries again."""
    intent = held.value
    stopped = replace(intent, state=IntentState.STOPPED, reason=reason)
    held.release(stopped, stop_told(records, intent, reason, clock.now()))
    log.event("invoice.stopped", severity="WARNING", tenant=records.store.tenant, intent=intent.intent_id)
    return held.value
