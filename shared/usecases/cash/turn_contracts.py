"""What a day brings: contracts begin, end, and remind their owners before they do (Q4, Q17)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from shared import log
from shared.domain.cash.contract import Contract, ContractStatus
from shared.domain.cash.deal import Step, chain_step
from shared.ports.documents import Documents, Write
from shared.ports.time import Clock, Jitter
from shared.records.cash import CashRecords
from shared.records.signing import contract_types
from shared.records.store import TenantStore, guarded
from shared.records.sweeps import contracts_ending, contracts_signed
from shared.records.todos import Todos
from shared.usecases.cash.tell import telling
from shared.usecases.cash.write_contract import starting

REMIND_DAYS = (7, 30, 90)
"""Before the last day, the nearest first."""


def turn_contracts(documents: Documents, *, clock: Clock, jitter: Jitter) -> int:
    """Every contract that begins, ends or is to be reminded of today; returns how many changed or were told.

    Safe to repeat, and to miss days: what is due is due until it is done.
    """
    today = clock.now().astimezone(UTC).date()
    due = [(found.tenant, found.segment(1)) for found in contracts_signed(documents)]
    due += [(found.tenant, found.segment(1)) for found in contracts_ending(documents, today + timedelta(days=90))]
    turned = 0
    for tenant, contract_id in due:
        turned += _turn(TenantStore(documents, tenant), contract_id, today, clock, jitter)
    log.event("contracts.turned", considered=len(due), turned=turned)
    return turned


def _turn(store: TenantStore, contract_id: str, today: date, clock: Clock, jitter: Jitter) -> bool:
    def attempt() -> bool:
        records = CashRecords(store)
        stored = records.contracts.get(contract_id)
        now = clock.now()
        after, step, sentence = _turned(store, stored.value, today, now)
        writes: list[Write] = []
        if step is not None:
            new = (contract_id, *_new(after, step, today))
            told = chain_step(after.deal_id, step, now, cause="contract.dates", sentence=sentence, new=new)
            if not records.has_step(told):
                writes += telling(records, told)
                owner_id = records.deals.get(after.deal_id).value.owner_id
                if step is not Step.CONTRACT_ACTIVE:
                    writes.append(Todos(store).asking(owner_id, after.deal_id, sentence, now, new=(told.step_id,)))
        if after != stored.value:
            writes.append(records.contracts.updating(contract_id, after, stored.version))
        if writes:
            store.commit(writes)
        return bool(writes)

    return guarded(jitter, f"contract {contract_id}", attempt)


def _turned(store: TenantStore, contract: Contract, today: date, now: datetime) -> tuple[Contract, Step | None, str]:
    """The contract today, and what there is to tell."""
    if contract.status is ContractStatus.FULLY_SIGNED:
        return _begun(store, contract, today, now)
    if contract.status is not ContractStatus.ACTIVE or contract.ends_on is None:
        return contract, None, ""
    left = (contract.ends_on - today).days
    if left < 0:
        expired = replace(contract, status=ContractStatus.EXPIRED, status_at=now)
        return expired, Step.CONTRACT_EXPIRED, f"Contract {contract.number} ended on {contract.ends_on}."
    if contract.renewed_by is not None or left > REMIND_DAYS[-1]:
        return contract, None, ""
    return contract, Step.CONTRACT_ENDING, f"Contract {contract.number} ends on {contract.ends_on}, in {left} days."


def _begun(store: TenantStore, contract: Contract, today: date, now: datetime) -> tuple[Contract, Step | None, str]:
    signed_on = (contract.signed_at or now).astimezone(UTC).date()
    kind = contract_types(store).find(contract.contract_type)
    dated = starting(contract, signed_on, kind.value.months if kind else None)
    assert dated.starts_on is not None
    if dated.starts_on > today:
        return contract, None, ""
    active = replace(dated, status=ContractStatus.ACTIVE, status_at=now)
    until = f" until {active.ends_on}" if active.ends_on else ""
    return active, Step.CONTRACT_ACTIVE, f"Contract {contract.number} is active since {active.starts_on}{until}."


def _new(contract: Contract, step: Step, today: date) -> tuple[str | int, ...]:
    """A reminder is one for each of its days; the others happen once."""
    if step is not Step.CONTRACT_ENDING or contract.ends_on is None:
        return (step.value,)
    left = (contract.ends_on - today).days
    return (step.value, next(days for days in REMIND_DAYS if left <= days))
