"""Go through which customer and product of the ledger is which of ours, before anything is invoiced (Q8, Q9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from enum import StrEnum

from shared.domain.cash.accounting import ChoiceKind, LedgerChoice, LedgerCustomer
from shared.domain.cash.contract_type import FIELDS
from shared.domain.cash.deal import Deal
from shared.domain.cash.ledger_settings import (
    QUOTE_CURRENCY,
    CustomRecord,
    Direction,
    Frequency,
    LedgerSettings,
    SubsidiaryRule,
)
from shared.domain.cash.mapping import Candidate, CustomerMatch, MappingRow, MatchState, comparable, row_of
from shared.domain.people import User
from shared.domain.values import dataclass
from shared.errors import InputError
from shared.ports.cash import Ledger
from shared.ports.documents import ID, Query
from shared.ports.time import Clock, Jitter
from shared.records.audit import Audit
from shared.records.cash import CashRecords
from shared.records.ledgers import customer_matches, ledgers
from shared.records.people import COMPANY, CONTACT
from shared.records.store import TenantStore, guarded
from shared.usecases.cash.ensure_customer import create_customer
from shared.usecases.cash.finance import require_ledger_setup
from shared.usecases.cash.open_ledger import OpenLedger
from shared.usecases.cash.sync_customer import known_of, ours_of

ROWS_A_PAGE = 200
CANDIDATES = 3
LEAST_PERCENT = 50

Similar = Callable[[str, Sequence[str], int], Sequence[tuple[int, float]]]
"""The most similar of some names to one: (name, names, how many) -> their positions and percent, best first."""


class Decision(StrEnum):
    ACCEPT = "accept"
    OVERRIDE = "override"
    REJECT = "reject"
    CREATE = "create"


@dataclass(frozen=True, slots=True)
class MappingPage:
    """rows: of this page. next_after: where the next page begins, None after the last."""

    rows: tuple[MappingRow, ...]
    next_after: str | None


def preview_customers(
    store: TenantStore, connection_id: str, viewer: User, *, ledger: Ledger, similar: Similar, after: str | None = None
) -> MappingPage:
    """Our companies, then contacts without one, each with the ledger's most similar customers in percent.

    Raises: ForbiddenError; what the ledger raises.
    """
    require_ledger_setup(viewer)
    ours, next_after = _ours(store, after)
    customers = [customer for customer in ledger.customers() if customer.active]
    names = [comparable(customer.name) for customer in customers]
    matches = customer_matches(store, connection_id)
    rows = []
    for key, name in ours:
        match = matches.find(key)
        rows.append(row_of(key, name, _candidates(name, customers, names, similar), match.value if match else None))
    return MappingPage(tuple(rows), next_after)


def _candidates(
    name: str, customers: Sequence[LedgerCustomer], names: Sequence[str], similar: Similar
) -> list[Candidate]:
    found = similar(comparable(name), names, CANDIDATES)
    return [
        Candidate(customers[index].customer_id, customers[index].name, int(percent))
        for index, percent in found
        if percent >= LEAST_PERCENT
    ]


def _ours(store: TenantStore, after: str | None) -> tuple[list[tuple[str, str]], str | None]:
    """Ids and names of one page. after: "companies:ID" or "contacts:ID", as the page before said."""
    collection, _, last = (after or "companies:").partition(":")
    if collection not in ("companies", "contacts"):
        raise InputError("This cursor does not come from a page before.")
    start = (f"{collection}/{last}",) if last else None
    found = store.find(Query(collection, order_by=(ID,), limit=ROWS_A_PAGE, start_after=start))
    if collection == "companies":
        rows = [(document.id, COMPANY.value(document.fields).name) for document in found]
        more = f"companies:{found[-1].id}" if len(found) == ROWS_A_PAGE else "contacts:"
        return rows, more
    people = [CONTACT.value(document.fields) for document in found]
    rows = [(person.contact_id, person.name) for person in people if not person.company_ids]
    return rows, f"contacts:{found[-1].id}" if len(found) == ROWS_A_PAGE else None


def decide_customer(
    store: TenantStore,
    connection_id: str,
    key: str,
    decision: Decision,
    actor: User,
    *,
    ledger: Ledger,
    clock: Clock,
    jitter: Jitter,
    customer_id: str = "",
    percent: int = 100,
) -> CustomerMatch:
    """Remember what a person decided for one company or contact; a later decision takes the place of an earlier.

    customer_id: of the ledger; for accept and override.
    Raises: ForbiddenError, NotFoundError; InputError.
    """
    require_ledger_setup(actor)
    settings = ledgers(store).get(connection_id).value
    matches = customer_matches(store, connection_id)
    if decision is Decision.CREATE:
        create_customer(store, settings, key, ledger=ledger, jitter=jitter)
        return matches.get(key).value
    if decision is not Decision.REJECT and not customer_id:
        raise InputError("Choose a customer of the ledger.")
    states = {
        Decision.ACCEPT: MatchState.ACCEPTED,
        Decision.OVERRIDE: MatchState.OVERRIDDEN,
        Decision.REJECT: MatchState.REJECTED,
    }
    chosen = ledger.customer(customer_id) if decision is not Decision.REJECT else None
    if decision is not Decision.REJECT and (chosen is None or not chosen.active):
        raise InputError("The ledger has no such customer (any more); choose another one.")
    kept = chosen.customer_id if chosen else None
    ours = ours_of(store, key) if chosen else {}
    theirs = known_of(chosen, ours) if chosen else {}
    match = CustomerMatch(key, states[decision], kept, percent, theirs=theirs, ours=ours)

    def attempt() -> CustomerMatch:
        before = matches.find(key)
        write = matches.updating(key, match, before.version) if before else matches.creating(key, match)
        audit = Audit(store).recording(
            actor.user_id, "ledger_customer.decided", key, clock.now(), after={"decision": decision.value}
        )
        store.commit([write, audit])
        return match

    return guarded(jitter, f"customer {key}", attempt)


def suggest_items(
    viewer: User, products: Mapping[str, str], *, ledger: Ledger, similar: Similar
) -> tuple[MappingRow, ...]:
    """products: our product's id and name. Suggested in the same way as customers. Raises: ForbiddenError."""
    require_ledger_setup(viewer)
    items = [item for item in ledger.choices(ChoiceKind.ITEM) if item.active]
    names = [comparable(item.name) for item in items]
    rows = []
    for product_id, name in products.items():
        found = similar(comparable(name), names, CANDIDATES)
        candidates = [Candidate(items[at].id, items[at].name, int(percent)) for at, percent in found]
        likely = [candidate for candidate in candidates if candidate.percent >= LEAST_PERCENT]
        rows.append(row_of(product_id, name, likely, None))
    return tuple(rows)


def ledger_choices(viewer: User, *, ledger: Ledger) -> Mapping[ChoiceKind, tuple[LedgerChoice, ...]]:
    """Everything that can be chosen. Raises: ForbiddenError."""
    require_ledger_setup(viewer)
    return {kind: ledger.choices(kind) for kind in ChoiceKind}


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose on the mapping page; the whole page at once."""

    items: Mapping[str, str]
    default_item: str | None = None
    income_account_id: str | None = None
    term_id: str | None = None
    tax_code_id: str | None = None
    subsidiary_id: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    creates_customers: bool = False
    creates_always: bool = False
    sends_invoices: bool = False
    frequency: Frequency = Frequency.REAL_TIME
    subsidiaries: tuple[SubsidiaryRule, ...] = ()
    directions: Mapping[str, Direction] = field(default_factory=dict)
    records: tuple[CustomRecord, ...] = ()


def save_choices(
    store: TenantStore,
    connection_id: str,
    choices: Choices,
    actor: User,
    *,
    open_ledger: OpenLedger,
    clock: Clock,
    jitter: Jitter,
) -> LedgerSettings:
    """Custom fields are held against the ledger's own description of its invoices before anything is kept.

    Raises: ForbiddenError, NotFoundError; InputError naming every field that one of both sides does not have.
    """
    require_ledger_setup(actor)
    if choices.fields:
        _require_fields(choices.fields, open_ledger(connection_id).choices(ChoiceKind.FIELD), "invoices")
    for record in choices.records:
        theirs = open_ledger(connection_id).record_fields(record.record_type)
        _require_fields(record.fields, theirs, f"records {record.record_type}")
    rules = _checked_rules(choices.subsidiaries, open_ledger, connection_id)

    def change(settings: LedgerSettings) -> LedgerSettings:
        return replace(
            settings,
            items=choices.items,
            default_item=choices.default_item,
            income_account_id=choices.income_account_id,
            term_id=choices.term_id,
            tax_code_id=choices.tax_code_id,
            subsidiary_id=choices.subsidiary_id,
            fields=choices.fields,
            creates_customers=choices.creates_customers,
            creates_always=choices.creates_always,
            sends_invoices=choices.sends_invoices,
            frequency=choices.frequency,
            subsidiaries=rules,
            directions=choices.directions,
            records=choices.records,
        )

    return _change(store, connection_id, change, actor, "ledger.mapped", clock, jitter)


def _checked_rules(
    rules: Sequence[SubsidiaryRule], open_ledger: OpenLedger, connection_id: str
) -> tuple[SubsidiaryRule, ...]:
    """Each with the currency of its subsidiary's books. Raises: InputError for a field or subsidiary there is not."""
    if not rules:
        return ()
    if unknown := sorted({rule.field for rule in rules} - {*FIELDS, QUOTE_CURRENCY}):
        raise InputError(f"There is no field {', '.join(unknown)} here that a rule could look at.")
    known = {choice.id: choice for choice in open_ledger(connection_id).choices(ChoiceKind.SUBSIDIARY) if choice.active}
    if unknown := sorted({rule.subsidiary_id for rule in rules} - set(known)):
        raise InputError(f"The ledger has no subsidiary {', '.join(unknown)} that can invoice.")
    return tuple(replace(rule, currency=known[rule.subsidiary_id].currency) for rule in rules)


def _require_fields(fields: Mapping[str, str], offered: Sequence[LedgerChoice], what: str) -> None:
    theirs = {choice.id for choice in offered if choice.active}
    if unknown := sorted(set(fields) - theirs):
        raise InputError(f"The ledger's {what} have no custom field {', '.join(unknown)} that can be written.")
    if unknown := sorted(set(fields.values()) - set(FIELDS)):
        raise InputError(f"There is no field {', '.join(unknown)} here; choose one of {', '.join(sorted(FIELDS))}.")


def finish_review(
    store: TenantStore, connection_id: str, actor: User, *, clock: Clock, jitter: Jitter
) -> LedgerSettings:
    """A person went through the mapping. Raises: ForbiddenError, NotFoundError."""
    require_ledger_setup(actor)
    now = clock.now()
    return _change(
        store,
        connection_id,
        lambda settings: replace(settings, reviewed_at=now),
        actor,
        "ledger.reviewed",
        clock,
        jitter,
    )


def _change(
    store: TenantStore,
    connection_id: str,
    change: Callable[[LedgerSettings], LedgerSettings],
    actor: User,
    action: str,
    clock: Clock,
    jitter: Jitter,
) -> LedgerSettings:
    def attempt() -> LedgerSettings:
        stored = ledgers(store).get(connection_id)
        after = change(stored.value)
        audit = Audit(store).recording(actor.user_id, action, connection_id, clock.now())
        store.commit([ledgers(store).updating(connection_id, after, stored.version), audit])
        return after

    return guarded(jitter, f"ledger {connection_id}", attempt)


# ---------------------------------------------------------------------------------------------------------- the switch


def blocking(store: TenantStore, connection_id: str, pipeline_id: str) -> tuple[str, ...]:
    """What still has to be done before the pipeline's deals invoice themselves, in sentences (Q9).

    Raises: NotFoundError.
    """
    settings = ledgers(store).get(connection_id).value
    found = list(settings.blocking())
    if not settings.creates_customers and (unmapped := _unmapped(store, connection_id, pipeline_id)):
        found.append(f"Map the customers of open deals: {_few(unmapped)}.")
    if settings.default_item is None and settings.items and (products := _without_item(store, settings, pipeline_id)):
        found.append(f"Map the products of open deals: {_few(products)}.")
    if settings.run_at is None:
        found.append("Run it once by hand and look at what would be invoiced.")
    return tuple(found)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _open_deals(records: CashRecords, pipeline_id: str) -> list[Deal]:
    deals = [kept.value for kept in records.deals.where((("pipeline_id", "==", pipeline_id),))]
    return [deal for deal in deals if deal.won_at is None and deal.lost_at is None]


def _without_item(store: TenantStore, settings: LedgerSettings, pipeline_id: str) -> list[str]:
    """Descriptions of lines whose product is no item of the ledger yet."""
    records = CashRecords(store)
    names: dict[str, str] = {}
    for deal in _open_deals(records, pipeline_id):
        for kept in records.quotes.where((("deal_id", "==", deal.deal_id),)):
            names |= {line.product_id: line.description for line in kept.value.lines}
    return [name for product_id, name in names.items() if product_id not in settings.items]


def _unmapped(store: TenantStore, connection_id: str, pipeline_id: str) -> list[str]:
    """Names of open deals whose customer is not mapped."""
    matches, names = customer_matches(store, connection_id), []
    for deal in _open_deals(CashRecords(store), pipeline_id):
        keys = [deal.company_id] if deal.company_id else [contact.contact_id for contact in deal.contacts[:1]]
        if any(not ((match := matches.find(key)) and match.value.mapped) for key in keys):
            names.append(deal.name)
    return names


def switch_invoicing(
    store: TenantStore, pipeline_id: str, on: bool, actor: User, *, clock: Clock, jitter: Jitter
) -> None:
    """Let the pipeline's won deals invoice themselves, from now on and never for the past (I32), or no longer.

    Raises: ForbiddenError, NotFoundError; InputError with everything that still blocks it.
    """
    require_ledger_setup(actor)
    records = CashRecords(store)
    if on:
        _require_ready(store, pipeline_id)

    def attempt() -> None:
        stored = records.pipelines.get(pipeline_id)
        if stored.value.invoices_on_win is on:
            return
        now = clock.now()
        switched = replace(stored.value, invoices_on_win=on, invoices_since=now if on else None)
        audit = Audit(store).recording(
            actor.user_id, "invoicing.switched", pipeline_id, now, after={"on": "yes" if on else "no"}
        )
        store.commit([records.pipelines.updating(pipeline_id, switched, stored.version), audit])

    guarded(jitter, f"pipeline {pipeline_id}", attempt)


def _require_ready(store: TenantStore, pipeline_id: str) -> None:
    connected = [stored.value for stored in ledgers(store).where(())]
    if not connected:
        raise InputError("Connect a ledger first.")
    found = [blocking(store, settings.connection_id, pipeline_id) for settings in connected]
    if all(found):
        raise InputError("Automatic invoices cannot be switched on yet. " + " ".join(found[0]))
