"""Send a quote: its PDF is kept, and a tracked link leads to the page on which the customer decides (Q1, I31).

The link's token is random; only its digest is stored. Sending again renews the quote: a new link and, if asked for, a
new last day; the old link then says that there is a newer one.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, date

from shared.domain.cash.deal import Step, chain_step
from shared.domain.cash.quote import Quote, QuoteStatus, require_sendable
from shared.domain.ids import digest
from shared.domain.people import User
from shared.domain.values import dataclass
from shared.errors import InputError
from shared.ports.blobs import Blobs
from shared.ports.papers import Letterhead, PdfWriter
from shared.ports.time import Chance, Clock, Jitter
from shared.records.audit import Audit
from shared.records.cash import CashRecords
from shared.records.organizations import Organizations
from shared.records.people import Companies, Contacts
from shared.records.store import TenantStore, guarded
from shared.usecases.cash.set_logo import with_logo
from shared.usecases.cash.write_quote import require_deal

PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class SentQuote:
    """link: what the customer is mailed; it is shown once and stored nowhere."""

    quote: Quote
    link: str


def send_quote(
    store: TenantStore,
    quote_id: str,
    *,
    page_url: str,
    expires_on: date | None,
    user: User,
    writer: PdfWriter,
    blobs: Blobs,
    chance: Chance,
    clock: Clock,
    jitter: Jitter,
) -> SentQuote:
    """Make the PDF and the link. expires_on: the last day to accept; None keeps what the quote says.

    page_url: the public page; the link is below it. Repeating it makes a new link, and the one before is of no use.
    Raises: NotFoundError; ForbiddenError; InputError with the sentence a person acts on.
    """
    token = chance.token()

    def attempt() -> Quote:
        records = CashRecords(store)
        stored = records.quotes.get(quote_id)
        require_deal(records, stored.value.deal_id, user)
        now = clock.now()
        today = now.astimezone(UTC).date()
        renewed = replace(stored.value, expires_on=expires_on or stored.value.expires_on)
        require_sendable(renewed)
        if renewed.expires_on is not None and renewed.expires_on < today:
            raise InputError(f"Quote {renewed.number} ended on {renewed.expires_on}; choose a later last day.")
        content = writer.quote(renewed, with_logo(store, letterhead(store, renewed), blobs), today)
        sha256 = hashlib.sha256(content).hexdigest()
        blobs.put(pdf_key(store, quote_id, sha256), content, PDF)
        sent = replace(
            renewed,
            status=QuoteStatus.SENT,
            link=link_digest(token),
            sent_at=now,
            pdf_sha256=sha256,
            viewed_at=None,
            renewal_asked_at=None,
        )
        step = chain_step(
            sent.deal_id,
            Step.QUOTE_SENT,
            now,
            cause=user.user_id,
            other_id=sent.number,
            sentence=f"Quote {sent.number} over {sent.totals.total} was sent.",
            new=(quote_id, sha256),
        )
        audit = Audit(store).recording(user.user_id, "quote.sent", quote_id, now, after={"pdf_sha256": sha256})
        store.commit([records.quotes.updating(quote_id, sent, stored.version), records.stepping(step), audit])
        return sent

    sent = guarded(jitter, f"quote {quote_id}", attempt)
    return SentQuote(sent, f"{page_url}/{store.tenant}/{quote_id}/{token}")


def letterhead(store: TenantStore, quote: Quote) -> Letterhead:
    """Who the quote is from and for. Raises: NotFoundError."""
    contact = Contacts(store).get(quote.contact_id).contact
    deal = CashRecords(store).deals.get(quote.deal_id).value
    company_id = deal.company_id or (contact.company_ids[0] if contact.company_ids else None)
    company = Companies(store).find(company_id) if company_id else None
    seller = Organizations(store).get().name
    return Letterhead(seller=seller, customer=company.name if company else "", contact=contact.name)


def link_digest(token: str) -> str:
    return digest("quote-link", token)


def pdf_key(store: TenantStore, quote_id: str, sha256: str) -> str:
    """By its digest: what was sent once is never overwritten."""
    return f"{store.tenant}/quotes/{quote_id}/{sha256}.pdf"
