"""Write down an invoice of the ledger as it was read, and what the deal's money comes to with it (Q11, I24).

Every writing of an invoice goes through here. The deal's standing is written under its guard in the same commit: two
invoices of one deal that change at once cannot both miss that everything is paid.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from shared.domain.cash.accounting import InvoiceDraft, LedgerInvoice
from shared.domain.cash.deal import ChainStep, Step, chain_step
from shared.domain.cash.deal_money import NOT_OWED, RANK, DealMoneyState, DealStanding, money_state
from shared.domain.cash.intent import IntentState, InvoiceIntent
from shared.domain.cash.mirror import InvoiceMirror
from shared.domain.cash.money import total
from shared.ports.documents import Write
from shared.records.cash import CashRecords
from shared.records.mailboxes import Stored

FORWARD_STEPS = {
    DealMoneyState.PARTIALLY_PAID: Step.DEAL_PARTIALLY_PAID,
    DealMoneyState.PAID: Step.DEAL_PAID,
}


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
        return [write]
    edits = _edit_steps(records, before.value if before else None, after, now, cause)
    return [write, *edits, *_standing(records, before, after, now, cause)]


def _edit_steps(
    records: CashRecords, before: InvoiceMirror | None, after: InvoiceMirror, now: datetime, cause: str
) -> list[Write]:
    """What the chain says of the change itself: voided, edited field by field, sent."""
    if before is None or after.deal_id is None:
        return []
    was, invoice = before.invoice, after.invoice
    told: list[tuple[Step, str]] = []
    if invoice.status in NOT_OWED and was.status is not invoice.status:
        told.append((Step.INVOICE_VOIDED, f"Invoice {invoice.number} was {invoice.status.value} in the ledger."))
    elif after.conflicts and after.conflicts != before.conflicts:
        fields = "; ".join(f"{edit.field}: {edit.theirs} instead of {edit.ours}" for edit in after.conflicts)
        told.append((Step.INVOICE_EDITED, f"Invoice {invoice.number} was edited in the ledger. {fields}."))
    sent = [sent_step(after, after.deal_id, now, cause=cause)] if invoice.emailed and not was.emailed else []
    return [
        *map(records.stepping, sent),
        *(
            records.stepping(
                chain_step(
                    after.deal_id,
                    step,
                    now,
                    cause=cause,
                    other_id=invoice.invoice_id,
                    sentence=sentence,
                    new=(after.key, invoice.version, sentence),
                )
            )
            for step, sentence in told
        ),
    ]


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
    moved = replace(known, state=state, written=known.written + 1)
    writes = [
        records.standings.updating(deal_id, moved, stored.version)
        if stored
        else records.standings.creating(deal_id, moved)
    ]
    step = _money_step(known.state, state, first=before is None)
    if step is not None:
        owed = [invoice for invoice in invoices if invoice.status not in NOT_OWED]
        same = [invoice for invoice in owed if invoice.total.currency == after.invoice.total.currency]
        outstanding = total((invoice.balance for invoice in same), after.invoice.total.currency)
        invoiced = total((invoice.total for invoice in same), after.invoice.total.currency)
        sentence = f"{invoiced - outstanding} of {invoiced} is settled; {outstanding} is outstanding."
        writes.append(
            records.stepping(
                chain_step(
                    deal_id,
                    step,
                    now,
                    cause=cause,
                    other_id=after.invoice.invoice_id,
                    sentence=sentence,
                    new=(moved.written,),
                )
            )
        )
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
    if intent.deal_id is None:
        return []
    equal = intent.state is IntentState.CREATED
    step = chain_step(
        intent.deal_id,
        Step.INVOICE_CREATED if equal else Step.INVOICE_STOPPED,
        now,
        cause=cause,
        other_id=invoice.invoice_id,
        sentence=f"Invoice {invoice.number} over {invoice.total} is in the ledger." if equal else intent.reason,
        new=(intent.intent_id, intent.state.value),
    )
    return [records.stepping(step)]
