"""Write down an invoice of the ledger as it was read, and what the deal's money comes to with it (Q11, I24).

Every writing of an invoice goes through here. The deal's standing is written under its guard in the same commit: two
invoices of one deal that change at once cannot both miss that everything is paid.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from shared.domain.cash.accounting import InvoiceDraft, InvoiceStatus, LedgerInvoice
from shared.domain.cash.deal import ChainStep, Step, chain_step
from shared.domain.cash.deal_money import NOT_OWED, RANK, DealMoneyState, DealStanding, money_state
from shared.domain.cash.intent import IntentState, InvoiceIntent
from shared.domain.cash.mirror import InvoiceMirror
from shared.domain.cash.money import total
from shared.ports.documents import Write
from shared.records.cash import CashRecords
from shared.records.stored import Stored
from shared.usecases.cash.tell import telling, telling_customer

FORWARD_STEPS = {
    DealMoneyState.PARTIALLY_PAID: Step.DEAL_PARTIALLY_PAID,
    DealMoneyState.PAID: Step.DEAL_PAID,
}
CUSTOMER_STEPS = {
    InvoiceStatus.OPEN: (Step.DEAL_OPEN_AGAIN, "is open again"),
    InvoiceStatus.PARTIALLY_PAID: (Step.DEAL_PARTIALLY_PAID, "is paid in part"),
    InvoiceStatus.PAID: (Step.DEAL_PAID, "is paid"),
    InvoiceStatus.VOID: (Step.INVOICE_VOIDED, "was voided in the ledger"),
    InvoiceStatus.DELETED: (Step.INVOICE_VOIDED, "was deleted in the ledger"),
}
"""What is told of an invoice that belongs to no deal, by what it has become."""


def booking(
    records: CashRecords, before: Stored[InvoiceMirror] | None, after: InvoiceMirror, now: datetime, *, cause: str
) -> list[Write]:
    """The writes: mirror, standing and chain steps, all guarded by what was read.

    A commit with them raises StaleWriteError or AlreadyExistsError where somebody wrote in between: read anew.
    """
    write = (
        records.invoices.updating(after.key, after, before.version)
        if before
        else records.invoices.creating(after.key, after)
    )
    if after.deal_id is None:
        return [write, *_told_customer(records, before.value if before else None, after, now)]
    edits = _edit_steps(records, before.value if before else None, after, now, cause)
    return [write, *edits, *_standing(records, before, after, now, cause)]


def _edit_steps(
    records: CashRecords, before: InvoiceMirror | None, after: InvoiceMirror, now: datetime, cause: str
) -> list[Write]:
    """What the chain says of the change itself: voided, edited field by field, sent."""
    if before is None or after.deal_id is None:
        return []
    deal_id = after.deal_id
    was, invoice = before.invoice, after.invoice
    told: list[tuple[Step, str]] = []
    if invoice.status in NOT_OWED and was.status is not invoice.status:
        told.append((Step.INVOICE_VOIDED, f"Invoice {invoice.number} was {invoice.status.value} in the ledger."))
    elif after.conflicts and after.conflicts != before.conflicts:
        fields = "; ".join(f"{edit.field}: {edit.theirs} instead of {edit.ours}" for edit in after.conflicts)
        told.append((Step.INVOICE_EDITED, f"Invoice {invoice.number} was edited in the ledger. {fields}."))
    steps = [
        chain_step(
            deal_id,
            step,
            now,
            cause=cause,
            other_id=invoice.invoice_id,
            sentence=sentence,
            new=(after.key, invoice.version, sentence),
        )
        for step, sentence in told
    ]
    if invoice.emailed and not was.emailed:
        steps.append(sent_step(after, deal_id, now, cause=cause))
    return telling(records, *steps)


def _told_customer(
    records: CashRecords, before: InvoiceMirror | None, after: InvoiceMirror, now: datetime
) -> list[Write]:
    """An invoice made by hand for a contact has no deal and no chain: what becomes of it stands on their timeline."""
    intent = records.intents.find(after.intent_id) if after.intent_id else None
    was, invoice = before.invoice if before else None, after.invoice
    if intent is None or was is None or was.status is invoice.status:
        return []
    step, word = CUSTOMER_STEPS[invoice.status]
    sentence = f"Invoice {invoice.number} over {was.total} {word}; {invoice.balance} is outstanding."
    keys, new = customer_keys(intent.value), (after.key, invoice.version)
    return telling_customer(records.store, keys, step, now, sentence, new=new)


def customer_keys(intent: InvoiceIntent) -> tuple[str, ...]:
    """Whose timelines tell of an invoice without a deal: who pays, and the contact it was made for."""
    contact_id = intent.bill.contact_id if intent.bill else intent.customer_key
    return tuple(dict.fromkeys((intent.customer_key, contact_id)))


def sent_step(mirror: InvoiceMirror, deal_id: str, at: datetime, *, cause: str) -> ChainStep:
    """One for an invoice, whoever hears of it first: its sender, or whoever reads it anew."""
    sentence = f"Invoice {mirror.invoice.number} was sent to the customer."
    other_id, new = mirror.invoice.invoice_id, ("sent", mirror.key)
    return chain_step(deal_id, Step.INVOICE_SENT, at, cause=cause, other_id=other_id, sentence=sentence, new=new)


def _standing(
    records: CashRecords, before: Stored[InvoiceMirror] | None, after: InvoiceMirror, now: datetime, cause: str
) -> list[Write]:
    """Written also where it stays the same: its guard is what makes two invoices of one deal wait for each other."""
    deal_id = after.deal_id
    assert deal_id is not None
    stored = records.standings.find(deal_id)
    known = stored.value if stored else DealStanding(deal_id)
    others = [kept.value.invoice for kept in records.invoices_of_deal(deal_id) if kept.value.key != after.key]
    invoices = [*others, after.invoice]
    state = money_state(invoices)
    step = _money_step(known.state, state, first=before is None)
    open_again = step is Step.DEAL_OPEN_AGAIN if step else known.open_again and state is known.state
    moved = replace(known, state=state, written=known.written + 1, open_again=open_again)
    writes = [
        records.standings.updating(deal_id, moved, stored.version)
        if stored
        else records.standings.creating(deal_id, moved)
    ]
    if step is not None:
        owed = [invoice for invoice in invoices if invoice.status not in NOT_OWED]
        same = [invoice for invoice in owed if invoice.total.currency == after.invoice.total.currency]
        outstanding = total((invoice.balance for invoice in same), after.invoice.total.currency)
        invoiced = total((invoice.total for invoice in same), after.invoice.total.currency)
        sentence = f"{invoiced - outstanding} of {invoiced} is settled; {outstanding} is outstanding."
        told = chain_step(
            deal_id,
            step,
            now,
            cause=cause,
            other_id=after.invoice.invoice_id,
            sentence=sentence,
            new=(moved.written,),
        )
        writes += telling(records, told)
    return writes


def _money_step(was: DealMoneyState, state: DealMoneyState, *, first: bool) -> Step | None:
    """first: this invoice is new; that the deal owes again because of it is no step back."""
    if state is was or state is DealMoneyState.NOT_INVOICED:
        return None
    if RANK[state] < RANK[was] and not first:
        return Step.DEAL_OPEN_AGAIN
    return FORWARD_STEPS.get(state)


def difference(invoice: LedgerInvoice, draft: InvoiceDraft) -> str:
    return (
        f"Invoice {invoice.number} differs: the ledger has {invoice.total} with tax {invoice.tax}, the quote "
        f"{draft.total} with tax {draft.tax}. It was not sent; correct the tax or the mapping, or take the ledger's."
    )


def created_step(
    records: CashRecords, intent: InvoiceIntent, invoice: LedgerInvoice, now: datetime, *, cause: str
) -> list[Write]:
    """The deal's chain hears that the invoice stands, or why it is held back."""
    equal = intent.state is IntentState.CREATED
    new = (intent.intent_id, intent.state.value)
    if intent.deal_id is None:
        made = f"Invoice {intent.record_number}, {invoice.number} in the ledger, over {invoice.total} was made."
        keys = customer_keys(intent)
        return telling_customer(records.store, keys, Step.INVOICE_CREATED, now, made, new=new) if equal else []
    step = chain_step(
        intent.deal_id,
        Step.INVOICE_CREATED if equal else Step.INVOICE_STOPPED,
        now,
        cause=cause,
        other_id=invoice.invoice_id,
        sentence=f"Invoice {intent.record_number} over {invoice.total} is in the ledger as {invoice.number}."
        if equal
        else intent.reason,
        new=new,
    )
    return telling(records, step)
