"""A contract's document where it has no template: its own text, filled in, with the quote's table (Q3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

from shared.domain.cash.contract import Contract
from shared.ports.blobs import Blobs
from shared.ports.papers import Letterhead, PdfWriter
from shared.ports.time import Clock
from shared.records.cash import CashRecords
from shared.records.organizations import Organizations
from shared.records.store import TenantStore
from shared.usecases.cash.review_contract import contract_facts
from shared.usecases.cash.send_quote import letterhead
from shared.usecases.cash.set_logo import with_logo


def contract_renderer(
    store: TenantStore, *, writer: PdfWriter, blobs: Blobs, clock: Clock
) -> Callable[[Contract], bytes]:
    def render(contract: Contract) -> bytes:
        """Raises: InputError for a merge field that does not exist."""
        stored = CashRecords(store).quotes.find(contract.quote_id) if contract.quote_id else None
        quote = stored.value if stored else None
        facts = contract_facts(store, contract)
        seller = Organizations(store).get().name
        head = letterhead(store, quote) if quote else Letterhead(seller, facts["company.name"], facts["contact.name"])
        head = with_logo(store, head, blobs)
        return writer.contract(contract, quote, facts, head, clock.now().astimezone(UTC).date())

    return render
