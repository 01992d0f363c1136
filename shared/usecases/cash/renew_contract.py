"""Renew a contract: its quote and terms go into a new deal (Q17)."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.cash.contract import Contract, ContractStatus
from shared.domain.cash.deal import Deal, Step, chain_step
from shared.domain.cash.quote import Quote, QuoteStatus
from shared.domain.ids import short_id
from shared.domain.people import User
from shared.errors import InputError
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.cash import CashRecords
from shared.records.numbers import next_number
from shared.records.store import TenantStore, guarded
from shared.usecases.cash.write_quote import PREFIX, require_deal

RENEWABLE = frozenset({ContractStatus.FULLY_SIGNED, ContractStatus.ACTIVE, ContractStatus.EXPIRED})


def renew_contract(
    store: TenantStore, contract_id: str, *, user: User, clock: Clock, jitter: Jitter
) -> tuple[Deal, Quote]:
    """A new deal in the pipeline's first stage with a draft of the same quote; once for a contract. Safe to repeat.

    The contract that is made from that quote starts the day after this one ends.
    Raises: NotFoundError; ForbiddenError; InputError for a contract that is not signed or has no quote.
    """
    deal_id, quote_id = short_id("d", "renewal", contract_id), short_id("q", "renewal", contract_id)

    def attempt() -> tuple[Deal, Quote]:
        records = CashRecords(store)
        stored = records.contracts.get(contract_id)
        contract = stored.value
        require_deal(records, contract.deal_id, user)
        if contract.renewed_by is not None:
            return records.deals.get(contract.renewed_by).value, records.quotes.get(quote_id).value
        old_quote = _quote(records, contract)
        old_deal = records.deals.get(contract.deal_id).value
        pipeline = records.pipelines.get(old_deal.pipeline_id).value
        number, taking = next_number(store, PREFIX)
        deal = replace(
            old_deal,
            deal_id=deal_id,
            name=f"{old_deal.name} (renewal)",
            stage=pipeline.stages[0].stage_id,
            amount=old_quote.totals.total,
            close_on=contract.ends_on,
            won_at=None,
            lost_at=None,
            accepted_quote_id=None,
        )
        quote = Quote(
            quote_id=quote_id,
            number=number,
            deal_id=deal_id,
            contact_id=old_quote.contact_id,
            currency=old_quote.currency,
            lines=old_quote.lines,
            tax_percent=old_quote.tax_percent,
            discount_percent=old_quote.discount_percent,
            discount_amount=old_quote.discount_amount,
            schedule=old_quote.schedule,
            status=QuoteStatus.DRAFT,
            memo=old_quote.memo,
            sets_amount=old_quote.sets_amount,
            renews=contract_id,
        )
        now = clock.now()
        step = chain_step(
            contract.deal_id,
            Step.CONTRACT_RENEWED,
            now,
            cause=user.user_id,
            other_id=number,
            sentence=f"Contract {contract.number} is renewed by the deal {deal.name}, quote {number}.",
            new=(contract_id,),
        )
        store.commit(
            [
                records.contracts.updating(contract_id, replace(contract, renewed_by=deal_id), stored.version),
                records.deals.creating(deal_id, deal),
                records.quotes.creating(quote_id, quote),
                taking,
                records.stepping(step),
                Audit(store).recording(user.user_id, "contract.renewed", contract_id, now),
            ]
        )
        return deal, quote

    return guarded(jitter, f"contract {contract_id}", attempt)


def _quote(records: CashRecords, contract: Contract) -> Quote:
    if contract.status not in RENEWABLE:
        raise InputError(f"Contract {contract.number} is not signed; it cannot be renewed.")
    if contract.quote_id is None:
        raise InputError(f"Contract {contract.number} has no quote to renew.")
    return records.quotes.get(contract.quote_id).value
