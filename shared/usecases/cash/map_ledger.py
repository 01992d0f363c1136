"""One person at the mapping page of one ledger: what the page asks for, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.cash.mapping import CustomerField
from shared.domain.people import User
from shared.domain.values import dataclass
from shared.errors import InputError
from shared.ports.tasks import Tasks
from shared.ports.time import Clock, Jitter
from shared.records.ledgers import ledgers
from shared.records.store import TenantStore
from shared.usecases.cash import review_mapping
from shared.usecases.cash.connect_ledger import reopen_ledger
from shared.usecases.cash.decide_invoice import match_invoice, unmatched_invoices
from shared.usecases.cash.finance import require_ledger_setup
from shared.usecases.cash.forms import Form, choice, choices_from, record_id, text
from shared.usecases.cash.open_ledger import OpenLedger
from shared.usecases.cash.plan_invoices import won_before_the_switch
from shared.usecases.cash.read_ledger import read_task
from shared.usecases.cash.review_mapping import Decision, Similar
from shared.usecases.cash.run_by_hand import run_by_hand
from shared.usecases.cash.sync_customer import settle_conflict


@dataclass(frozen=True, slots=True)
class MappingDesk:
    """Every action is open to administrators and finance alone; those that show invoices, to whom those are shown.

    waiting_ledger: opens the ledger also while its connection waits for an administrator, to see what is missing.
    """

    store: TenantStore
    connection_id: str
    user: User
    open_ledger: OpenLedger
    similar: Similar
    tasks: Tasks
    clock: Clock
    jitter: Jitter
    waiting_ledger: OpenLedger

    def act(self, action: str, form: Form) -> Any:
        """Carry out what the page asks for and return what it shows.

        Raises: ForbiddenError; InputError for an action that is not there; what the action raises.
        """
        require_ledger_setup(self.user)
        method = ACTIONS.get(action)
        if method is None:
            raise InputError(f"The action is one of {', '.join(ACTIONS)}.")
        return method(self, form)

    def customers(self, form: Form) -> Any:
        ledger, after = self.open_ledger(self.connection_id), text(form, "after", "") or None
        return review_mapping.preview_customers(
            self.store, self.connection_id, self.user, ledger=ledger, similar=self.similar, after=after
        )

    def choices(self, _form: Form) -> Any:
        return review_mapping.ledger_choices(self.user, ledger=self.open_ledger(self.connection_id))

    def permissions(self, _form: Form) -> Any:
        return self.waiting_ledger(self.connection_id).permissions()

    def reopen(self, _form: Form) -> Any:
        reopen_ledger(self.store, self.connection_id, self.user, tasks=self.tasks, clock=self.clock)
        return {"queued": True}

    def settings(self, _form: Form) -> Any:
        return ledgers(self.store).get(self.connection_id).value

    def blocking(self, form: Form) -> Any:
        return review_mapping.blocking(self.store, self.connection_id, record_id(form, "pipeline"))

    def listed(self, form: Form) -> Any:
        return won_before_the_switch(self.store, record_id(form, "pipeline"))

    def unmatched(self, _form: Form) -> Any:
        found = unmatched_invoices(self.store, self.connection_id, self.user)
        return [{"key": mirror.key, "invoice": mirror.invoice} for mirror in found]

    def decide(self, form: Form) -> Any:
        percent = form.get("percent", 100)
        return review_mapping.decide_customer(
            self.store,
            self.connection_id,
            record_id(form, "key"),
            choice(form, "decision", Decision),
            self.user,
            ledger=self.open_ledger(self.connection_id),
            clock=self.clock,
            jitter=self.jitter,
            customer_id=text(form, "customer", ""),
            percent=percent if isinstance(percent, int) else 100,
        )

    def settle(self, form: Form) -> Any:
        return settle_conflict(
            self.store,
            self.connection_id,
            record_id(form, "key"),
            choice(form, "field", CustomerField),
            take_theirs=form.get("take_theirs") is True,
            actor=self.user.user_id,
            tasks=self.tasks,
            clock=self.clock,
            jitter=self.jitter,
        )

    def items(self, form: Form) -> Any:
        products = form.get("products")
        if not isinstance(products, dict) or not all(isinstance(name, str) for name in products.values()):
            raise InputError("The field 'products' maps ids to names.")
        ledger = self.open_ledger(self.connection_id)
        return review_mapping.suggest_items(self.user, products, ledger=ledger, similar=self.similar)

    def save(self, form: Form) -> Any:
        return review_mapping.save_choices(
            self.store,
            self.connection_id,
            choices_from(form),
            self.user,
            open_ledger=self.open_ledger,
            clock=self.clock,
            jitter=self.jitter,
        )

    def reviewed(self, _form: Form) -> Any:
        return review_mapping.finish_review(
            self.store, self.connection_id, self.user, clock=self.clock, jitter=self.jitter
        )

    def run(self, form: Form) -> Any:
        pipeline = record_id(form, "pipeline")
        return run_by_hand(self.store, self.connection_id, pipeline, self.user, clock=self.clock, jitter=self.jitter)

    def switch(self, form: Form) -> Any:
        pipeline, on = record_id(form, "pipeline"), form.get("on") is True
        review_mapping.switch_invoicing(self.store, pipeline, on, self.user, clock=self.clock, jitter=self.jitter)
        return {"on": on}

    def match(self, form: Form) -> Any:
        invoice, deal = record_id(form, "invoice"), record_id(form, "deal")
        match_invoice(self.store, invoice, deal, self.user, clock=self.clock, jitter=self.jitter)
        return {"deal": deal}

    def reconcile(self, _form: Form) -> Any:
        now = self.clock.now().isoformat()
        self.tasks.create([read_task(self.store.tenant, self.connection_id, now, thorough=True)])
        return {"queued": True}


ACTIONS: Mapping[str, Any] = {
    name: getattr(MappingDesk, name)
    for name in (
        "customers", "choices", "permissions", "settings", "blocking", "listed", "unmatched", "decide", "items", "save",
        "reviewed", "settle", "run", "switch", "match", "reconcile", "reopen",
    )
}  # fmt: skip
