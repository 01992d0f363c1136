"""Tell what happened: on the deal's chain, and on the timelines of the deal, its company and its contacts (Q1, R13).

Chain and timelines are written in the commit they tell of. An entry has its step's id, so a repeat is the same entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from shared.domain.cash.deal import ChainStep, Deal, Step
from shared.domain.cash.told import KINDS, PLAIN
from shared.domain.ids import short_id
from shared.domain.timeline import Entry, Happening
from shared.ports.documents import Write
from shared.records.cash import CashRecords
from shared.records.mail import Timelines, company_owner, contact_owner, deal_owner
from shared.records.people import Companies
from shared.records.store import TenantStore


def telling(records: CashRecords, *steps: ChainStep) -> list[Write]:
    """The steps on their deal's chain, and what concerns the customer on the timelines of everybody in the deal."""
    writes = [records.stepping(step) for step in steps]
    concerning = [step for step in steps if step.step in KINDS]
    deals = {deal_id: records.deals.find(deal_id) for deal_id in {step.deal_id for step in concerning}}
    for step in concerning:
        deal = deals[step.deal_id]
        if deal is not None:
            entry = _entry(step.step, step.at, step.sentence, step.step_id, deal_ids=(step.deal_id,))
            writes += [Timelines(records.store).writing(owner, entry) for owner in _owners(deal.value)]
    return writes


def telling_customer(
    store: TenantStore, keys: Iterable[str], step: Step, at: datetime, sentence: str, *, new: tuple[str | int, ...]
) -> list[Write]:
    """An entry for what happened to a customer and belongs to no deal. keys: ids of our companies or contacts.

    new: what makes this entry this one; a repeat of its cause is the same entry.
    """
    entry_id = short_id("s", "customer", step.value, *new)
    entry = _entry(step, at, sentence, entry_id)
    return [Timelines(store).writing(_customer_owner(store, key), entry) for key in keys]


def _owners(deal: Deal) -> list[str]:
    company = [company_owner(deal.company_id)] if deal.company_id else []
    contacts = dict.fromkeys(person.contact_id for person in deal.contacts)
    return [deal_owner(deal.deal_id), *company, *map(contact_owner, contacts)]


def _customer_owner(store: TenantStore, key: str) -> str:
    return company_owner(key) if Companies(store).find(key) else contact_owner(key)


def _entry(step: Step, at: datetime, sentence: str, entry_id: str, *, deal_ids: tuple[str, ...] = ()) -> Entry:
    """deal_ids: on the timelines of others it is shown to those who may see the deal."""
    happening = Happening(step.value, sentence, PLAIN.get(step, ""))
    return Entry(entry_id, KINDS[step], at, count=1, deal_ids=deal_ids, happening=happening)
