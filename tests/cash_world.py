"""A small company in memory that sells something: a deal, its quote, a signed contract, a mapped ledger, and queues.

Everything is a fake of a port; the use cases and records are the product's own. `FUNCTIONS` is the functions' wiring
without HTTP: whoever tests another part of quote to cash adds its functions there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.domain.cash.accounting import LedgerChange
from shared.domain.cash.contract import Contract, ContractStatus
from shared.domain.cash.deal import ChainStep, ContactRole, Deal, DealContact, Pipeline, Stage, Step
from shared.domain.cash.intent import InvoiceIntent, intent_id
from shared.domain.cash.ledger_settings import LedgerSettings
from shared.domain.cash.mapping import CustomerMatch, MatchState
from shared.domain.cash.mirror import InvoiceMirror
from shared.domain.cash.money import Money
from shared.domain.cash.quote import DEFAULT_SCHEDULE, Instalment, Quote, QuoteLine, QuoteStatus
from shared.domain.connection import Connection
from shared.domain.ids import digest
from shared.domain.mailbox import SERVED, Status
from shared.domain.people import Company, Contact, Role, User
from shared.domain.settings import Organization
from shared.domain.timeline import Entry
from shared.errors import AdminActionError, ConnectionRevokedError, RateLimitedError, RetryableError
from shared.platform.vault import EnvelopeVault
from shared.ports.blobs import Blobs
from shared.ports.cash import Ledger
from shared.ports.documents import Documents
from shared.ports.oauth import Authorization
from shared.ports.secrets import Vault, WrappingKey
from shared.ports.tasks import Task, Tasks
from shared.ports.time import Chance, Clock, Jitter
from shared.records.cash import CashRecords
from shared.records.connections import Connections
from shared.records.ledgers import customer_matches, ledgers
from shared.records.mail import Timelines, company_owner, contact_owner, deal_owner
from shared.records.organizations import Organizations
from shared.records.people import Companies, Contacts, Users
from shared.records.routes import Routes, Target, adding_route
from shared.records.store import TenantStore
from shared.usecases.access_token import Credit
from shared.usecases.cash.accept_changes import accept_changes, change_from, sync_delivery
from shared.usecases.cash.connect_ledger import connect_ledger
from shared.usecases.cash.note_refusals import noting_refusals
from shared.usecases.cash.plan_invoices import plan_invoices
from shared.usecases.cash.push_invoice import push_invoice
from shared.usecases.cash.read_ledger import read_ledger
from shared.usecases.cash.send_invoice import send_invoice
from shared.usecases.cash.sync_ledger_record import sync_ledger_record
from shared.usecases.promises import keep_promise, sweep_outbox
from tests.fake_ledger import COMPANY, FakeLedger
from tests.fakes import (
    FakeAuthorization,
    FakeBlobs,
    FakeChance,
    FakeClock,
    FakeJitter,
    FakeTasks,
    FakeWrappingKey,
    MemoryDocuments,
)
from tests.firestore_indexes import require_index

TENANT = "acme"
LEDGER = "n-ledger"
PIPELINE, DEAL, QUOTE, CONTRACT = "sales", "d-1", "qt-1", "ct-1"
BUYER, BUYING_COMPANY, CUSTOMER = "c-carla", "co-globex", "58"
FIONA = User("u-fiona", "Fiona", "fiona@acme.example", Role.FINANCE)
ANNA = User("u-anna", "Anna", "anna@acme.example", Role.SALES_REP)
ADA = User("u-ada", "Ada", "ada@acme.example", Role.ADMIN)
AUTOMATIC_SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def usd(amount: str | int | Decimal) -> Money:
    """In whole units: usd("22680.00")."""
    return Money(int(Decimal(amount) * 100), "USD")


def line(
    quantity: str | int, price: str | int, *, discount: str | int = 0, product: str = "services", **fields: Any
) -> QuoteLine:
    return QuoteLine(
        line_id=f"{product}-{quantity}-{price}",
        product_id=product,
        description=product.capitalize(),
        quantity=Decimal(quantity),
        unit_price=usd(price),
        discount_percent=Decimal(discount),
        **fields,
    )


WORKED_EXAMPLE = (
    line(50, "150.00", discount=10, product="licence"),
    line(1, "12000.00", product="onboarding"),
    line(1, "5000.00", discount=15, product="training"),
)
"""23,000.00 in lines; with 2,000.00 off the whole and 8 % tax it comes to 22,680.00."""


@dataclass
class CashWorld:
    """Ports as fields, so that a harness can stand before each."""

    documents: Documents
    tasks: Tasks
    blobs: Blobs
    clock: Clock
    chance: Chance
    jitter: Jitter
    ledger: Ledger
    wrapping_key: WrappingKey
    authorization: Authorization

    @property
    def store(self) -> TenantStore:
        return TenantStore(self.documents, TENANT)

    @property
    def records(self) -> CashRecords:
        return CashRecords(self.store)

    @property
    def vault(self) -> Vault:
        return EnvelopeVault(self.documents, TENANT, self.wrapping_key, self.clock, self.chance)

    @property
    def credit(self) -> Credit:
        return Credit(self.store, self.vault, self.authorization, self.clock, self.chance, self.jitter)

    @property
    def time(self) -> FakeClock:
        return self.clock  # type: ignore[return-value]  # a FakeClock, maybe behind the harness's proxy

    @property
    def queue(self) -> FakeTasks:
        return self.tasks  # type: ignore[return-value]  # a FakeTasks, maybe behind the harness's proxy

    @property
    def books(self) -> FakeLedger:
        return self.ledger  # type: ignore[return-value]  # a FakeLedger, maybe behind the harness's proxy

    # ------------------------------------------------------------------------------------------------------ the records

    def add_quote(self, *lines: QuoteLine, quote_id: str = QUOTE, **fields: Any) -> Quote:
        quote = Quote(
            quote_id=quote_id,
            number=quote_id.upper(),
            deal_id=fields.pop("deal_id", DEAL),
            contact_id=BUYER,
            currency="USD",
            lines=lines,
            status=QuoteStatus.ACCEPTED,
            **fields,
        )
        self.store.commit([self.records.quotes.creating(quote_id, quote)])
        return quote

    def add_contract(self, *, contract_id: str = CONTRACT, quote_id: str | None = QUOTE, **fields: Any) -> Contract:
        """Signed by everyone, unless `status` says otherwise."""
        contract = Contract(
            contract_id=contract_id,
            number=contract_id.upper(),
            deal_id=fields.pop("deal_id", DEAL),
            contract_type="SOW",
            signers=(),
            quote_id=quote_id,
            status=fields.pop("status", ContractStatus.FULLY_SIGNED),
            signed_at=fields.pop("signed_at", self.clock.now()),
            **fields,
        )
        self.store.commit([self.records.contracts.creating(contract_id, contract)])
        return contract

    def add_deal(self, *, deal_id: str = DEAL, won: bool = True, **fields: Any) -> Deal:
        deal = Deal(
            deal_id=deal_id,
            name="Globex rollout",
            pipeline_id=PIPELINE,
            stage="won" if won else "negotiation",
            amount=usd("22680.00"),
            owner_id=ANNA.user_id,
            company_id=fields.pop("company_id", BUYING_COMPANY),
            contacts=(DealContact(BUYER, ContactRole.BUYER),),
            won_at=fields.pop("won_at", self.clock.now()) if won else None,
            **fields,
        )
        self.store.commit([self.records.deals.creating(deal_id, deal)])
        return deal

    def settings(self, **changes: Any) -> LedgerSettings:
        stored = ledgers(self.store).get(LEDGER)
        after = replace(stored.value, **changes)
        self.store.commit([ledgers(self.store).updating(LEDGER, after, stored.version)])
        return after

    def pipeline(self, **changes: Any) -> None:
        stored = self.records.pipelines.get(PIPELINE)
        self.store.commit([self.records.pipelines.updating(PIPELINE, replace(stored.value, **changes), stored.version)])

    def maps(self, key: str, customer_id: str) -> None:
        match = CustomerMatch(key, MatchState.ACCEPTED, customer_id)
        self.store.commit([customer_matches(self.store, LEDGER).creating(key, match)])

    def unmaps(self, key: str = BUYING_COMPANY) -> None:
        matches = customer_matches(self.store, LEDGER)
        rejected = CustomerMatch(key, MatchState.REJECTED, None)
        self.store.commit([matches.updating(key, rejected, matches.get(key).version)])

    # --------------------------------------------------------------------------------------------------------- the work

    def wins(self, deal_id: str = DEAL) -> None:
        """What follows once the deal is won, to its end."""
        plan_invoices(self.store, deal_id, tasks=self.tasks, clock=self.clock)
        self.drain(redeliver=True)

    def hears(self, *changes: LedgerChange) -> None:
        """One notice of the ledger is delivered; what it queues is left to run."""
        accept_changes(
            "quickbooks",
            changes,
            routes=Routes(self.documents),
            store_of=lambda tenant: TenantStore(self.documents, tenant),
            vault_of=lambda _: self.vault,
            tasks=self.tasks,
            clock=self.clock,
        )

    def hears_all(self) -> None:
        """Every notice that is waiting is delivered once, and worked on."""
        told, self.books.notices = self.books.notices, []
        if told:
            self.hears(*told)
        self.drain(redeliver=True)

    def reconciles(self, *, thorough: bool = False) -> None:
        read_ledger(
            self.store,
            LEDGER,
            ledger=self.ledger,
            tasks=self.tasks,
            clock=self.clock,
            jitter=self.jitter,
            thorough=thorough,
        )
        self.drain(redeliver=True)

    def sweeps(self) -> None:
        sweep_outbox(self.documents, tasks=self.tasks, clock=self.clock)
        self.drain(redeliver=True)

    def passes(self, **time: float) -> None:
        self.time.advance(timedelta(**time).total_seconds())

    def drain(self, *, redeliver: bool = False) -> int:
        """Run what is queued until nothing is left, time passing to what is due later while the sweep of promises goes
        on; returns how many ran.

        redeliver: a task that fails comes again after half a minute, as a queue would bring it.
        """
        ran = 0
        while ran < 5_000:
            due = self.queue.due()
            if not due:
                later = self.queue.pending()
                if not later or later[0].not_before is None:
                    return ran
                self.time.set(max(self.time.now(), later[0].not_before))
                sweep_outbox(self.documents, tasks=self.tasks, clock=self.clock)
                continue
            for task in due:
                ran += 1
                try:
                    self.run(task)
                except RetryableError:
                    if not redeliver:
                        raise
                    self.queue.put_off(task, 30)
                else:
                    self.queue.done(task)
        raise AssertionError("the queues never run dry")

    def run(self, task: Task) -> None:
        """One dispatch, as a task endpoint would answer it."""
        try:
            FUNCTIONS[task.function](self, task.payload)
        except RateLimitedError as limited:
            again = replace(task, name=digest(task.name, limited.resume_at.isoformat()), not_before=limited.resume_at)
            self.tasks.create([again])
        except (ConnectionRevokedError, AdminActionError):
            return

    def any_ledger(self, connection_id: str) -> Ledger:
        """Whatever state its connection is in."""
        connection = Connections(self.store).get(connection_id).value
        return noting_refusals(self.ledger, connection, lambda: self.credit)

    def open_ledger(self, connection_id: str) -> Ledger:
        """As the product opens one: only while its connection is served, and a refusal is said on it."""
        connection = Connections(self.store).get(connection_id).value
        if connection.status not in SERVED:
            raise ConnectionRevokedError(f"connection {connection_id} waits for a person")
        return self.any_ledger(connection_id)

    # ----------------------------------------------------------------------------------------------------- what is seen

    def intent(self, instalment: int = 1, contract_id: str = CONTRACT) -> InvoiceIntent:
        return self.records.intents.get(intent_id(TENANT, contract_id, instalment)).value

    def intents(self) -> list[InvoiceIntent]:
        return [kept.value for kept in self.records.intents.where(())]

    def mirrors(self) -> list[InvoiceMirror]:
        return [kept.value for kept in self.records.invoices.where(())]

    def mirror(self) -> InvoiceMirror:
        """The only one."""
        (found,) = self.mirrors()
        return found

    def chain(self, deal_id: str = DEAL) -> list[ChainStep]:
        return self.records.chain(deal_id)

    def steps(self, deal_id: str = DEAL) -> list[Step]:
        return [step.step for step in self.chain(deal_id)]

    def entries(self, owner: str) -> list[Entry]:
        """What stands on a timeline, newest first."""
        return Timelines(self.store).page(owner, before=None, limit=200)

    def timelines(self) -> dict[str, list[tuple[str, str]]]:
        """What happened, as it stands on every timeline there is."""
        deals = [deal_owner(kept.value.deal_id) for kept in self.records.deals.where(())]
        owners = [*deals, company_owner(BUYING_COMPANY), contact_owner(BUYER)]
        return {
            owner: sorted((kept.what, kept.sentence) for entry in self.entries(owner) if (kept := entry.happening))
            for owner in owners
        }

    def said(self, step: Step, deal_id: str = DEAL) -> str:
        """The sentence of the newest such step."""
        return [kept.sentence for kept in self.chain(deal_id) if kept.step is step][-1]


def cash_world(
    *, ledger: FakeLedger | None = None, documents: MemoryDocuments | None = None, seed: int = 0
) -> CashWorld:
    """The company before anything was sold: people, pipeline, and a ledger that is connected and mapped."""
    clock = FakeClock()
    world = CashWorld(
        documents=documents or MemoryDocuments(require_index),
        tasks=FakeTasks(clock),
        blobs=FakeBlobs(TENANT),
        clock=clock,
        chance=FakeChance(seed),
        jitter=FakeJitter(),
        ledger=ledger or FakeLedger(clock),
        wrapping_key=FakeWrappingKey(),
        authorization=FakeAuthorization(clock),
    )
    world.books.has_customer("Globex Corporation", customer_id=CUSTOMER)
    store, records = world.store, world.records
    stages = (Stage("negotiation", "Negotiation", 50), Stage("won", "Closed Won", 100), Stage("lost", "Closed Lost", 0))
    pipeline = Pipeline(PIPELINE, "Sales", stages, "won", "lost", invoices_on_win=True, invoices_since=AUTOMATIC_SINCE)
    settings = LedgerSettings(
        connection_id=LEDGER,
        provider="quickbooks",
        company=COMPANY,
        default_item="1",
        reviewed_at=clock.now(),
        run_at=clock.now(),
        read_until=clock.now(),
    )
    connection = Connection(
        connection_id=LEDGER,
        provider="quickbooks",
        user_id=FIONA.user_id,
        account=COMPANY.name,
        account_id=COMPANY.company_id,
        scopes=frozenset(),
        refused=frozenset(),
        status=Status.CONNECTED,
        connected_at=clock.now(),
    )
    writes = [
        Users(store).creating(FIONA),
        Users(store).creating(ANNA),
        Users(store).creating(ADA),
        Organizations(store).creating(Organization(TENANT, "Acme", b"k" * 32)),
        Contacts(store).creating(Contact(BUYER, "Carla", "Buyer", emails=("carla@globex.example",))),
        Companies(store).creating(Company(BUYING_COMPANY, "Globex Inc")),
        records.pipelines.creating(PIPELINE, pipeline),
        ledgers(store).creating(LEDGER, settings),
        Connections(store).writing(connection),
    ]
    route = adding_route("quickbooks", COMPANY.company_id, Target(TENANT, LEDGER))
    world.documents.commit([*store.absolute(writes), route])
    world.maps(BUYING_COMPANY, CUSTOMER)
    return world


def sold(
    *lines: QuoteLine,
    tax: str | int = 0,
    schedule: Sequence[Instalment] = DEFAULT_SCHEDULE,
    documents: MemoryDocuments | None = None,
    **quote: Any,
) -> CashWorld:
    """The company with one deal that was just won by a signed contract. The ledger computes the quote's tax rate."""
    world = cash_world(documents=documents)
    world.books.tax_percent = Decimal(tax)
    world.add_quote(*(lines or (line(1, "100.00"),)), tax_percent=Decimal(tax), schedule=tuple(schedule), **quote)
    world.add_contract()
    world.add_deal()
    return world


def worked_example() -> CashWorld:
    return sold(*WORKED_EXAMPLE, tax=8, discount_amount=usd("2000.00"))


def in_days(days: int) -> date:
    """From the day stories begin."""
    return date(2026, 3, 2) + timedelta(days=days)


# ------------------------------------------------------------------------------------------------------------ functions


def _plan(world: CashWorld, payload: Mapping[str, Any]) -> None:
    keep_promise(
        world.store,
        payload["promise"],
        lambda: plan_invoices(world.store, payload["deal"], tasks=world.tasks, clock=world.clock),
    )


def _push(world: CashWorld, payload: Mapping[str, Any]) -> None:
    keep_promise(
        world.store,
        payload["promise"],
        lambda: push_invoice(
            world.store,
            payload["intent"],
            open_ledger=world.open_ledger,
            tasks=world.tasks,
            clock=world.clock,
            chance=world.chance,
            jitter=world.jitter,
        ),
    )


def _send(world: CashWorld, payload: Mapping[str, Any]) -> None:
    keep_promise(
        world.store,
        payload["promise"],
        lambda: send_invoice(
            world.store, payload["intent"], open_ledger=world.open_ledger, clock=world.clock, jitter=world.jitter
        ),
    )


def _sync(world: CashWorld, payload: Mapping[str, Any]) -> None:
    if "delivery" in payload:
        sync_delivery(
            world.store,
            payload["delivery"],
            vault=world.vault,
            open_ledger=world.open_ledger,
            tasks=world.tasks,
            clock=world.clock,
            jitter=world.jitter,
        )
    else:
        sync_ledger_record(
            world.store,
            payload["connection"],
            change_from(payload),
            ledger=world.open_ledger(payload["connection"]),
            tasks=world.tasks,
            clock=world.clock,
            jitter=world.jitter,
        )


def _open(world: CashWorld, payload: Mapping[str, Any]) -> None:
    keep_promise(
        world.store,
        payload["promise"],
        lambda: connect_ledger(
            world.store,
            payload["connection"],
            ledger=world.any_ledger(payload["connection"]),
            has_notices=True,
            documents=world.documents,
            clock=world.clock,
            jitter=world.jitter,
        ),
    )


def _read(world: CashWorld, payload: Mapping[str, Any]) -> None:
    read_ledger(
        world.store,
        payload["connection"],
        ledger=world.open_ledger(payload["connection"]),
        tasks=world.tasks,
        clock=world.clock,
        jitter=world.jitter,
        thorough=bool(payload["thorough"]),
    )


def _of_mail(_world: CashWorld, payload: Mapping[str, Any]) -> None:
    """What follows for stored mail is not this company's concern; its promise is kept."""
    keep_promise(_world.store, payload["promise"], lambda: None)


FUNCTIONS: dict[str, Callable[[CashWorld, Mapping[str, Any]], None]] = {
    "invoice_trigger": _plan,
    "invoice_push": _push,
    "invoice_send": _send,
    "payment_sync": _sync,
    "ledger_open": _open,
    "ledger_read": _read,
    "contact_reattach": _of_mail,
}
