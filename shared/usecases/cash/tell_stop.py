"""What a deal's chain says when its invoice stopped before it was made or sent."""

from __future__ import annotations

from datetime import datetime

from shared.domain.cash.deal import Step, chain_step
from shared.domain.cash.intent import InvoiceIntent
from shared.ports.documents import Write
from shared.records.cash import CashRecords


def stop_told(records: CashRecords, intent: InvoiceIntent, sentence: str, now: datetime) -> list[Write]:
    """The write of the step, once per sentence; none for an invoice without a deal."""
    if intent.deal_id is None:
        return []
    step = chain_step(
        intent.deal_id,
        Step.INVOICE_STOPPED,
        now,
        cause=intent.intent_id,
        sentence=sentence,
        new=(intent.intent_id, sentence),
    )
    return [records.stepping(step)]
