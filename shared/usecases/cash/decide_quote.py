"""The customer's page of a quote: look, open, accept, decline, ask for a new one (Q1, I31).

Whoever merely fetches the link changes nothing: mail scanners do. Opening, accepting and declining are what a person
asks for on the page. A decision is made once; a repeat of the same one is shown as made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from enum import StrEnum
from hmac import compare_digest

from shared import log
from shared.domain.cash.contract import FAILED
from shared.domain.cash.deal import Deal, Step, chain_step
from shared.domain.cash.quote import Acceptance, Quote, QuoteStatus
from shared.domain.values import dataclass
from shared.errors import InputError, NotFoundError
from shared.ports.blobs import Blobs
from shared.ports.documents import Write
from shared.ports.papers import Letterhead
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.cash import CashRecords
from shared.records.store import TenantStore, guarded
from shared.records.stored import Stored
from shared.records.todos import Todos
from shared.usecases.cash.send_quote import letterhead, link_digest, pdf_key

LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True)
class QuotePage:
    """What the page shows. expired: past its last day; today: the day it is shown (UTC)."""

    quote: Quote
    head: Letterhead
    expired: bool
    today: date


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who decides, as they say, and the address their request came from."""

    name: str
    email: str
    ip: str


class DeedKind(StrEnum):
    OPEN = "open"
    ACCEPT = "accept"
    DECLINE = "decline"
    RENEW = "renew"


@dataclass(frozen=True, slots=True)
class Deed:
    """What a person asked for on the page. reason: why they decline."""

    kind: DeedKind
    visitor: Visitor
    reason: str = ""


def decide(store: TenantStore, quote_id: str, token: str, deed: Deed, *, clock: Clock, jitter: Jitter) -> None:
    """Carry out what was asked for. Raises: NotFoundError; InputError with what the customer can do."""
    match deed.kind:
        case DeedKind.OPEN:
            open_quote(store, quote_id, token, clock=clock, jitter=jitter)
        case DeedKind.ACCEPT:
            accept_quote(store, quote_id, token, deed.visitor, clock=clock, jitter=jitter)
        case DeedKind.DECLINE:
            decline_quote(store, quote_id, token, deed.reason, clock=clock, jitter=jitter)
        case DeedKind.RENEW:
            ask_renewal(store, quote_id, token, clock=clock, jitter=jitter)


def read_quote_page(store: TenantStore, quote_id: str, token: str, *, clock: Clock) -> QuotePage:
    """Changes nothing. Raises: NotFoundError for a link that is not the quote's newest one."""
    quote = _find(store, quote_id, token).value
    today = clock.now().astimezone(UTC).date()
    return QuotePage(quote, letterhead(store, quote), quote.expired(today), today)


def open_quote(store: TenantStore, quote_id: str, token: str, *, clock: Clock, jitter: Jitter) -> None:
    """Somebody asked on the page to see it: count it, and note the first time. Raises: NotFoundError."""

    def attempt() -> None:
        stored = _find(store, quote_id, token)
        quote, now = stored.value, clock.now()
        opened = replace(quote, opens=quote.opens + 1, viewed_at=quote.viewed_at or now)
        writes: list[Write] = []
        if quote.status is QuoteStatus.SENT:
            opened = replace(opened, status=QuoteStatus.VIEWED)
            writes.append(_step(store, quote, Step.QUOTE_VIEWED, now, f"Quote {quote.number} was opened."))
        store.commit([CashRecords(store).quotes.updating(quote_id, opened, stored.version), *writes])

    guarded(jitter, f"quote {quote_id}", attempt)


def accept_quote(
    store: TenantStore, quote_id: str, token: str, visitor: Visitor, *, clock: Clock, jitter: Jitter
) -> Quote:
    """Once, before its end, and only one quote of a deal. What was seen is kept with it: the digest of the PDF.

    Raises: NotFoundError; InputError with what the customer can do.
    """
    name, email = visitor.name.strip()[:LONGEST_TEXT], visitor.email.strip()[:LONGEST_TEXT]
    if not name or "@" not in email:
        raise InputError("Please enter your name and your email address.")

    def attempt() -> Quote:
        stored = _find(store, quote_id, token)
        quote, now = stored.value, clock.now()
        if quote.status is QuoteStatus.ACCEPTED:
            return quote
        _require_open(quote, now)
        records = CashRecords(store)
        deal = records.deals.get(quote.deal_id)
        _require_only_one(records, deal.value, quote)
        assert quote.pdf_sha256 is not None
        acceptance = Acceptance(name, email, now, visitor.ip, quote.pdf_sha256)
        accepted = replace(quote, status=QuoteStatus.ACCEPTED, acceptance=acceptance)
        total = quote.totals.total
        amount = total if quote.sets_amount else deal.value.amount
        deal_after = replace(deal.value, accepted_quote_id=quote_id, amount=amount)
        sentence = f"Quote {quote.number} over {total} was accepted by {name}."
        if deal.value.amount != amount:
            sentence += f" The deal's amount was {deal.value.amount} and is now {amount}."
        todo = (f"Quote {quote.number} was accepted; send the contract.", ("quote-accepted", quote_id))
        store.commit(
            [
                records.quotes.updating(quote_id, accepted, stored.version),
                records.deals.updating(quote.deal_id, deal_after, deal.version),
                _step(store, quote, Step.QUOTE_ACCEPTED, now, sentence),
                Todos(store).asking(deal.value.owner_id, quote.deal_id, todo[0], now, new=todo[1]),
                Audit(store).recording(
                    "customer", "quote.accepted", quote_id, now, after={"pdf_sha256": quote.pdf_sha256}
                ),
            ]
        )
        log.event("quote.accepted", tenant=store.tenant, quote=quote_id)
        return accepted

    return guarded(jitter, f"quote {quote_id}", attempt)


def decline_quote(store: TenantStore, quote_id: str, token: str, reason: str, *, clock: Clock, jitter: Jitter) -> Quote:
    """Raises: NotFoundError; InputError for one that was accepted, or has ended."""
    said = " ".join(reason.split())[:LONGEST_TEXT]

    def change(quote: Quote, deal: Deal, now: datetime) -> tuple[Quote, list[Write]]:
        if quote.status is QuoteStatus.DECLINED:
            return quote, []
        _require_open(quote, now)
        declined = replace(quote, status=QuoteStatus.DECLINED, declined_at=now, decline_reason=said)
        why = f": {said.rstrip('.')}." if said else ", no reason was given."
        sentence = f"Quote {quote.number} was declined{why}"
        todo = Todos(store).asking(deal.owner_id, quote.deal_id, sentence, now, new=("quote-declined", quote_id))
        return declined, [_step(store, quote, Step.QUOTE_DECLINED, now, sentence), todo]

    return _change(store, quote_id, token, change, clock, jitter)


def ask_renewal(store: TenantStore, quote_id: str, token: str, *, clock: Clock, jitter: Jitter) -> Quote:
    """The customer wants a quote that has ended: its owner is asked, once. Raises: NotFoundError; InputError."""

    def change(quote: Quote, deal: Deal, now: datetime) -> tuple[Quote, list[Write]]:
        if quote.renewal_asked_at is not None:
            return quote, []
        if not quote.expired(now.astimezone(UTC).date()):
            raise InputError("This quote has not ended; you can accept it.")
        asked = replace(quote, status=QuoteStatus.EXPIRED, renewal_asked_at=now)
        sentence = f"The customer asks for quote {quote.number} anew, which ended on {quote.expires_on}."
        new = ("quote-renewal", quote_id, str(quote.sent_at))
        todo = Todos(store).asking(deal.owner_id, quote.deal_id, sentence, now, new=new)
        return asked, [_step(store, quote, Step.QUOTE_RENEWAL_ASKED, now, sentence), todo]

    return _change(store, quote_id, token, change, clock, jitter)


def read_quote_pdf(store: TenantStore, quote_id: str, token: str, *, blobs: Blobs) -> tuple[str, bytes]:
    """File name and content of exactly what was sent. Raises: NotFoundError."""
    quote = _find(store, quote_id, token).value
    if quote.pdf_sha256 is None:
        raise NotFoundError(f"quote {quote_id} has no document")
    return f"{quote.number}.pdf", blobs.get(pdf_key(store, quote_id, quote.pdf_sha256))


# ------------------------------------------------------------------------------------------------------------ the rules


def _find(store: TenantStore, quote_id: str, token: str) -> Stored[Quote]:
    """Raises: NotFoundError, the same for a quote that is not there and for a token that is not its own."""
    stored = CashRecords(store).quotes.find(quote_id)
    link = stored.value.link if stored else None
    if stored is None or link is None or not compare_digest(link, link_digest(token)):
        raise NotFoundError(f"no quote {quote_id} under this link")
    return stored


def _require_open(quote: Quote, now: datetime) -> None:
    if quote.expired(now.astimezone(UTC).date()):
        raise InputError(f"This quote ended on {quote.expires_on}. You can ask for a new one on its page.")
    if not quote.open:
        raise InputError(f"This quote was {quote.status} already.")


def _require_only_one(records: CashRecords, deal: Deal, quote: Quote) -> None:
    """Another quote of the deal counts as accepted until its contract came to nothing."""
    other = deal.accepted_quote_id
    if other is None or other == quote.quote_id:
        return
    contracts = [stored.value for stored in records.contracts_of_deal(deal.deal_id) if stored.value.quote_id == other]
    if not contracts or any(contract.status not in FAILED for contract in contracts):
        raise InputError("Another quote for this was accepted before. Please write to us if you prefer this one.")


def _change(
    store: TenantStore,
    quote_id: str,
    token: str,
    change: Callable[[Quote, Deal, datetime], tuple[Quote, list[Write]]],
    clock: Clock,
    jitter: Jitter,
) -> Quote:
    def attempt() -> Quote:
        stored = _find(store, quote_id, token)
        records = CashRecords(store)
        after, writes = change(stored.value, records.deals.get(stored.value.deal_id).value, clock.now())
        if after != stored.value:
            store.commit([records.quotes.updating(quote_id, after, stored.version), *writes])
        return after

    return guarded(jitter, f"quote {quote_id}", attempt)


def _step(store: TenantStore, quote: Quote, step: Step, at: datetime, sentence: str) -> Write:
    """Of this sending of the quote; a renewed one has its steps again."""
    told = chain_step(
        quote.deal_id,
        step,
        at,
        cause="customer",
        other_id=quote.number,
        sentence=sentence,
        new=(quote.quote_id, str(quote.sent_at)),
    )
    return CashRecords(store).stepping(told)
