"""Quotes whose last day passed without a decision have ended, and their owners hear of it (Q1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from shared import log
from shared.domain.cash.deal import Step, chain_step
from shared.domain.cash.quote import QuoteStatus
from shared.ports.documents import Documents
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.cash import CashRecords
from shared.records.store import TenantStore, guarded
from shared.records.sweeps import quotes_ended
from shared.records.todos import Todos


def expire_quotes(documents: Documents, *, clock: Clock, jitter: Jitter) -> int:
    """Every quote that ended; returns how many. Safe to repeat, and to miss days."""
    today = clock.now().astimezone(UTC).date()
    found = [(ended.tenant, ended.segment(1)) for ended in quotes_ended(documents, today)]
    expired = sum(_expire(TenantStore(documents, tenant), quote_id, clock, jitter) for tenant, quote_id in found)
    log.event("quotes.expired", considered=len(found), expired=expired)
    return expired


def _expire(store: TenantStore, quote_id: str, clock: Clock, jitter: Jitter) -> bool:
    """Whether it ended now: the customer may decide, or its owner renew it, at the same moment."""

    def attempt() -> bool:
        records = CashRecords(store)
        stored = records.quotes.get(quote_id)
        quote, now = stored.value, clock.now()
        if not quote.open or not quote.expired(now.astimezone(UTC).date()):
            return False
        sentence = f"Quote {quote.number} ended on {quote.expires_on} without a decision."
        new = (quote_id, str(quote.sent_at))
        step = chain_step(
            quote.deal_id,
            Step.QUOTE_EXPIRED,
            now,
            cause="quote.dates",
            other_id=quote.number,
            sentence=sentence,
            new=new,
        )
        owner_id = records.deals.get(quote.deal_id).value.owner_id
        store.commit(
            [
                records.quotes.updating(quote_id, replace(quote, status=QuoteStatus.EXPIRED), stored.version),
                records.stepping(step),
                Todos(store).asking(owner_id, quote.deal_id, sentence, now, new=("quote-expired", *new)),
                Audit(store).recording("system", "quote.expired", quote_id, now),
            ]
        )
        return True

    return guarded(jitter, f"quote {quote_id}", attempt)
