"""A small company in memory that quotes and contracts: a deal, its people, a signing account, and queues.

Everything is a fake of a port, or the vendor's simulator without its sockets; use cases and records are the product's
own. `FUNCTIONS` is the functions' wiring without HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.domain.cash.contract import Contract
from shared.domain.cash.contract_type import DEFAULT_ROLES, ContractType, TemplateMapping
from shared.domain.cash.deal import ChainStep, ContactRole, Deal, DealContact, Pipeline, Stage, Step
from shared.domain.cash.money import Money
from shared.domain.cash.quote import Quote, QuoteLine
from shared.domain.cash.signing import Signer
from shared.domain.connection import Connection
from shared.domain.ids import digest
from shared.domain.mailbox import Status
from shared.domain.people import Company, Contact, Role, User
from shared.domain.settings import Organization
from shared.errors import AdminActionError, ConnectionRevokedError, RateLimitedError, RetryableError
from shared.platform.vault import EnvelopeVault
from shared.ports.blobs import Blobs
from shared.ports.cash import Signing
from shared.ports.documents import Documents
from shared.ports.marks import reads
from shared.ports.papers import Letterhead
from shared.ports.secrets import Vault, WrappingKey
from shared.ports.tasks import Task, Tasks
from shared.ports.time import Chance, Clock, Jitter
from shared.providers.docusign.webhook import delivery_key, parse_delivery, verify_signature
from shared.records.cash import CashRecords
from shared.records.connections import Connections
from shared.records.mail import Timelines, company_owner, contact_owner, deal_owner
from shared.records.organizations import Organizations
from shared.records.people import Companies, Contacts, Users
from shared.records.signing import contract_types, signing_services
from shared.records.store import TenantStore
from shared.records.todos import Todos
from shared.usecases.accept_delivery import accept_delivery
from shared.usecases.cash.control_contract import Action, ActionKind, ActionResult, control_contract
from shared.usecases.cash.decide_quote import Deed, DeedKind, Visitor, decide
from shared.usecases.cash.expire_quotes import expire_quotes
from shared.usecases.cash.plan_invoices import plan_invoices
from shared.usecases.cash.read_chain import Chain, read_chain
from shared.usecases.cash.reconcile_contracts import Repairs, reconcile_contracts
from shared.usecases.cash.render_contract import contract_renderer
from shared.usecases.cash.send_contract import Sending, send_contract
from shared.usecases.cash.send_quote import SentQuote, send_quote
from shared.usecases.cash.set_up_signing import connect_keys, open_signing, set_keys
from shared.usecases.cash.store_contract import SignedByHand, store_contract, upload_signed
from shared.usecases.cash.sync_contract import read_contract_task, sync_contract
from shared.usecases.cash.turn_contracts import turn_contracts
from shared.usecases.cash.win_deal import win_deal
from shared.usecases.cash.write_contract import ContractDraft, change_signers, create_contract
from shared.usecases.cash.write_quote import QuoteDraft, change_quote, create_quote
from shared.usecases.connect_organization import organization_connection_id
from shared.usecases.promises import keep_promise, sweep_outbox
from tests.fake_signing import ACCOUNT, KEYS, TEMPLATE, Delivered, FakeSigning
from tests.fakes import FakeBlobs, FakeChance, FakeClock, FakeJitter, FakeTasks, FakeWrappingKey, MemoryDocuments

TENANT = "acme"
CONNECTION = organization_connection_id("docusign")
PIPELINE, DEAL = "sales", "d-1"
BUYER, SIGNER, COMPANY = "c-carla", "c-sam", "co-globex"
ANNA = User("u-anna", "Anna Rep", "anna@acme.example", Role.SALES_REP)
BEN = User("u-ben", "Ben Rep", "ben@acme.example", Role.SALES_REP)
ADA = User("u-ada", "Ada Admin", "ada@acme.example", Role.ADMIN)
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
PAGE = "https://crm.example/quote_page"
VISITOR = Visitor("Carla Buyer", "carla@globex.example", "203.0.113.9")


def usd(amount: str | int) -> Money:
    """In whole units: usd("22680.00")."""
    return Money(int(Decimal(amount) * 100), "USD")


def line(quantity: str | int, price: str | int, *, discount: str | int = 0, **fields: Any) -> QuoteLine:
    name = fields.pop("name", "licence")
    return QuoteLine(name, name, name.capitalize(), Decimal(quantity), usd(price), Decimal(discount), **fields)


WORKED_EXAMPLE = (
    line(50, "150.00", discount=10),
    line(1, "12000.00", name="onboarding"),
    line(1, "5000.00", discount=15, name="training"),
)
"""23,000.00 in lines; with 2,000.00 off the whole and 8 % tax it comes to 22,680.00."""


class FakePaper:
    """Writes documents that begin as PDFs and say what they are about; `rendered` counts them, `heads` are those of
    quotes."""

    def __init__(self) -> None:
        self.rendered = 0
        self.heads: list[Letterhead] = []

    @reads
    def quote(self, quote: Quote, head: Letterhead, written_on: date) -> bytes:
        self.rendered += 1
        self.heads.append(head)
        return f"%PDF-1.7 {quote.number} {quote.totals.total} {head} {written_on} {quote.expires_on}\n%%EOF".encode()

    @reads
    def contract(
        self, contract: Contract, quote: Quote | None, facts: Mapping[str, str], head: Letterhead, written_on: date
    ) -> bytes:
        self.rendered += 1
        return f"%PDF-1.7 {contract.number} {contract.terms} {dict(facts)}\n%%EOF".encode()


@dataclass
class ContractWorld:
    """Ports as fields, so that a harness can stand before each. mailed: what customers were mailed, which the product
    does not keep. posted: the signing service's notices that came in, should they come again."""

    documents: Documents
    tasks: Tasks
    blobs: Blobs
    clock: Clock
    chance: Chance
    jitter: Jitter
    signing: Signing
    wrapping_key: WrappingKey
    paper: FakePaper
    mailed: list[SentQuote] = field(default_factory=list)
    posted: list[Delivered] = field(default_factory=list)

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
    def time(self) -> FakeClock:
        return self.clock  # type: ignore[return-value]  # a FakeClock, maybe behind the harness's proxy

    @property
    def queue(self) -> FakeTasks:
        return self.tasks  # type: ignore[return-value]  # a FakeTasks, maybe behind the harness's proxy

    @property
    def docusign(self) -> FakeSigning:
        return self.signing  # type: ignore[return-value]  # a FakeSigning, maybe behind the harness's proxy

    # ------------------------------------------------------------------------------------------------------ the records

    def add_deal(self, deal_id: str = DEAL, **fields: Any) -> Deal:
        people = (DealContact(BUYER, ContactRole.BUYER), DealContact(SIGNER, ContactRole.SIGNER))
        deal = Deal(
            deal_id=deal_id,
            name="Globex rollout",
            pipeline_id=PIPELINE,
            stage=fields.pop("stage", "negotiation"),
            amount=fields.pop("amount", usd("20000.00")),
            owner_id=ANNA.user_id,
            company_id=COMPANY,
            contacts=fields.pop("contacts", people),
            **fields,
        )
        self.store.commit([self.records.deals.creating(deal_id, deal)])
        return deal

    def deal(self, deal_id: str = DEAL) -> Deal:
        return self.records.deals.get(deal_id).value

    def changes_deal(self, **fields: Any) -> None:
        stored = self.records.deals.get(DEAL)
        self.store.commit([self.records.deals.updating(DEAL, replace(stored.value, **fields), stored.version)])

    def pipeline(self, **fields: Any) -> None:
        stored = self.records.pipelines.get(PIPELINE)
        self.store.commit([self.records.pipelines.updating(PIPELINE, replace(stored.value, **fields), stored.version)])

    def contract_type(self, **fields: Any) -> ContractType:
        types = contract_types(self.store)
        stored = types.get("msa")
        changed = replace(stored.value, **fields)
        self.store.commit([types.updating("msa", changed, stored.version)])
        return changed

    # ------------------------------------------------------------------------------------------------------- the people

    def quotes(self, *lines: QuoteLine, key: str = "k-1", user: User = ANNA, **fields: Any) -> Quote:
        draft = QuoteDraft(
            deal_id=fields.pop("deal_id", DEAL),
            contact_id=BUYER,
            currency=fields.pop("currency", "USD"),
            lines=lines,
            **fields,
        )
        return create_quote(self.store, draft, key=key, user=user, clock=self.clock, jitter=self.jitter)

    def sends_quote(self, quote: Quote, *, expires_on: date | None = None, user: User = ANNA) -> SentQuote:
        return send_quote(
            self.store,
            quote.quote_id,
            page_url=PAGE,
            expires_on=expires_on,
            user=user,
            writer=self.paper,
            blobs=self.blobs,
            chance=self.chance,
            clock=self.clock,
            jitter=self.jitter,
        )

    def changes_quote(self, quote: Quote, draft: QuoteDraft, *, user: User = ANNA) -> Quote:
        return change_quote(self.store, quote.quote_id, draft, user=user, clock=self.clock, jitter=self.jitter)

    def decides(self, sent: SentQuote, kind: DeedKind, *, reason: str = "", visitor: Visitor = VISITOR) -> None:
        """The customer uses a button of the page."""
        deed = Deed(kind, visitor, reason)
        token = sent.link.rpartition("/")[2]
        decide(self.store, sent.quote.quote_id, token, deed, clock=self.clock, jitter=self.jitter)

    def accepted(self, *lines: QuoteLine, **fields: Any) -> Quote:
        """A quote that was sent, opened and accepted."""
        sent = self.sends_quote(self.quotes(*(lines or (line(1, "100.00"),)), **fields))
        self.decides(sent, DeedKind.OPEN)
        self.decides(sent, DeedKind.ACCEPT)
        return self.quote(sent.quote.quote_id)

    def quote(self, quote_id: str) -> Quote:
        return self.records.quotes.get(quote_id).value

    def contracts(self, quote: Quote, *, key: str = "k-1", user: User = ANNA, **fields: Any) -> Contract:
        draft = ContractDraft(quote.quote_id, fields.pop("type_id", "msa"), **fields)
        return create_contract(self.store, draft, key=key, user=user, clock=self.clock, jitter=self.jitter)

    def changes_signers(self, contract: Contract, signers: tuple[Signer, ...]) -> Contract:
        return change_signers(
            self.store, contract.contract_id, signers, user=ANNA, clock=self.clock, jitter=self.jitter
        )

    @property
    def sending(self) -> Sending:
        return Sending(
            signing=self.signing,
            connection_id=CONNECTION,
            notify_url=f"https://crm.example/docusign_webhook/{TENANT}/{CONNECTION}",
            render=contract_renderer(self.store, writer=self.paper, blobs=self.blobs, clock=self.clock),
            tasks=self.tasks,
            clock=self.clock,
            jitter=self.jitter,
        )

    def sends(self, contract: Contract, *, user: User = ANNA) -> Contract:
        return send_contract(self.store, contract.contract_id, self.sending, user=user)

    def does(self, contract: Contract, kind: ActionKind, *, user: User = ANNA, **fields: Any) -> ActionResult:
        return control_contract(
            self.store,
            contract.contract_id,
            Action(kind, **fields),
            user=user,
            signing=lambda: self.signing,
            tasks=self.tasks,
            clock=self.clock,
            jitter=self.jitter,
        )

    def uploads(self, contract: Contract, content: bytes = PDF, *, user: User = ANNA, **fields: Any) -> Contract:
        upload = SignedByHand(
            content,
            fields.pop("signed_on", self.clock.now().astimezone(UTC).date()),
            fields.pop("signed_by", (("Carla Buyer", "carla@globex.example"), ("Anna Rep", "anna@acme.example"))),
            user,
        )
        return upload_signed(
            self.store,
            contract.contract_id,
            upload,
            blobs=self.blobs,
            tasks=self.tasks,
            clock=self.clock,
            jitter=self.jitter,
        )

    def contract(self, contract: Contract) -> Contract:
        """As it is now."""
        return self.records.contracts.get(contract.contract_id).value

    def out(self, *lines: QuoteLine, **fields: Any) -> Contract:
        """A contract that is out for signature, its notices delivered."""
        contract = self.sends(self.contracts(self.accepted(*lines, **fields)))
        self.hears_all()
        return self.contract(contract)

    def signs(self, *roles: str, minutes: float = 1) -> None:
        """Signers sign one after the other; notices wait."""
        for role in roles or ("Customer", "Countersigner"):
            self.passes(minutes=minutes)
            self.docusign.act(role, "sign")

    def signed(self, *lines: QuoteLine, **fields: Any) -> Contract:
        contract = self.out(*lines, **fields)
        self.signs()
        self.hears_all()
        return self.contract(contract)

    # --------------------------------------------------------------------------------------------------------- the work

    def receives(self, delivered: Delivered) -> str:
        """One delivery comes in, as docusign_webhook takes it. Raises: ProofError; PayloadError."""
        keys = connect_keys(self.store, CONNECTION, vault=lambda: self.vault)
        verify_signature(delivered.body, delivered.headers, keys=keys)
        event = parse_delivery(delivered.body)
        return accept_delivery(
            self.store,
            provider="docusign",
            connection_id=CONNECTION,
            event_key=delivery_key(event),
            kind=event.kind,
            body=delivered.body,
            function="contract_sync",
            vault=self.vault,
            tasks=self.tasks,
            clock=self.clock,
        )

    def hears(self, *posts: Delivered) -> None:
        """Deliveries come in in this order, and are worked on."""
        for post in posts:
            self.receives(post)
            self.docusign.acknowledge(post)
            self.drain(redeliver=True)

    def hears_all(self) -> None:
        """Whatever the service has to tell, until it has no more."""
        while posts := self.docusign.posts():
            self.hears(*posts)
        self.drain(redeliver=True)

    def loses_notices(self) -> None:
        """Every notice that is due never arrives, and is not tried again."""
        for post in self.docusign.posts():
            self.docusign.acknowledge(post)

    def reconciles(self) -> Repairs:
        repairs = reconcile_contracts(
            self.store,
            CONNECTION,
            signing=lambda: self.signing,
            tasks=self.tasks,
            clock=self.clock,
            jitter=self.jitter,
        )
        self.drain(redeliver=True)
        return repairs

    def expires(self) -> int:
        return expire_quotes(self.documents, clock=self.clock, jitter=self.jitter)

    def turns(self) -> int:
        return turn_contracts(self.documents, clock=self.clock, jitter=self.jitter)

    def sweeps(self) -> None:
        sweep_outbox(self.documents, tasks=self.tasks, clock=self.clock)
        self.drain(redeliver=True)

    def passes(self, **time: float) -> None:
        self.time.advance(timedelta(**time).total_seconds())

    def drain(self, *, redeliver: bool = False, until: datetime | None = None) -> int:
        """Run what is queued until nothing is left, time passing to what is due later; returns how many ran.

        redeliver: a task that fails comes again after half a minute, as a queue would bring it. until: no longer.
        """
        ran = 0
        while ran < 5_000:
            due = self.queue.due()
            if not due:
                later = self.queue.pending()
                if not later or later[0].not_before is None or (until is not None and later[0].not_before > until):
                    return ran
                self.time.set(max(self.time.now(), later[0].not_before))
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

    def open_signing(self, connection_id: str) -> Signing:
        assert connection_id == CONNECTION
        return self.signing

    # ----------------------------------------------------------------------------------------------------- what is seen

    def chain(self, deal_id: str = DEAL) -> list[ChainStep]:
        return self.records.chain(deal_id)

    def steps(self, deal_id: str = DEAL) -> list[Step]:
        return [step.step for step in self.chain(deal_id)]

    def timeline(self, owner: str) -> list[tuple[str, str]]:
        """What happened and how it is told, oldest first."""
        entries = reversed(Timelines(self.store).page(owner, before=None, limit=200))
        return [(told.what, told.sentence) for entry in entries if (told := entry.happening)]

    def timelines(self) -> dict[str, list[tuple[str, str]]]:
        owners = (deal_owner(DEAL), company_owner(COMPANY), contact_owner(BUYER), contact_owner(SIGNER))
        return {owner: sorted(self.timeline(owner)) for owner in owners}

    def said(self, step: Step, deal_id: str = DEAL) -> str:
        """The sentence of the newest such step."""
        return [kept.sentence for kept in self.chain(deal_id) if kept.step is step][-1]

    def shown(self, user: User = ANNA) -> Chain:
        return read_chain(self.store, DEAL, user)

    def asked(self) -> list[str]:
        """What the deal's owner was asked to do."""
        return sorted(todo.sentence for todo in Todos(self.store).of_deal(DEAL))

    def today(self) -> date:
        return self.clock.now().astimezone(UTC).date()


def contract_world(*, seed: int = 0) -> ContractWorld:
    """People, a pipeline, a deal, and a signing account with one mapped template."""
    clock, chance = FakeClock(), FakeChance(seed)
    world = ContractWorld(
        documents=MemoryDocuments(),
        tasks=FakeTasks(clock),
        blobs=FakeBlobs(TENANT),
        clock=clock,
        chance=chance,
        jitter=FakeJitter(),
        signing=FakeSigning(clock, chance),
        wrapping_key=FakeWrappingKey(),
        paper=FakePaper(),
    )
    store, records = world.store, world.records
    stages = (Stage("negotiation", "Negotiation", 50), Stage("won", "Closed Won", 100), Stage("lost", "Closed Lost", 0))
    prefill = {"Customer": {"Company": "company.name", "Amount": "quote.total"}}
    kind = ContractType(
        type_id="msa",
        name="Master services agreement",
        roles=DEFAULT_ROLES,
        templates=(TemplateMapping(TEMPLATE, "Master services agreement", prefill),),
        months=12,
    )
    connection = Connection(
        connection_id=CONNECTION,
        provider="docusign",
        user_id=ADA.user_id,
        account="ola@acme.example",
        account_id="ola",
        scopes=frozenset({"signature"}),
        refused=frozenset(),
        status=Status.CONNECTED,
        connected_at=clock.now(),
    )
    store.commit(
        [
            Organizations(store).creating(Organization(TENANT, "Acme", b"k" * 32)),
            *(Users(store).creating(user) for user in (ANNA, BEN, ADA)),
            Contacts(store).creating(
                Contact(BUYER, "Carla", "Buyer", ("carla@globex.example",), company_ids=(COMPANY,), title="Head of IT")
            ),
            Contacts(store).creating(Contact(SIGNER, "Sam", "Signer", ("sam@globex.example",), company_ids=(COMPANY,))),
            Companies(store).creating(Company(COMPANY, "Globex Inc")),
            records.pipelines.creating(PIPELINE, Pipeline(PIPELINE, "Sales", stages, "won", "lost")),
            contract_types(store).creating("msa", kind),
            Connections(store).writing(connection),
        ]
    )
    open_signing(store, CONNECTION, "docusign", accounts=lambda: (ACCOUNT,))
    set_keys(store, CONNECTION, tuple(KEYS), ADA, vault=world.vault, clock=clock, jitter=world.jitter)
    assert signing_services(store).get(CONNECTION).value.account == ACCOUNT
    world.add_deal()
    return world


# ------------------------------------------------------------------------------------------------------------ functions

Payload = Mapping[str, Any]


def _contract_sync(world: ContractWorld, payload: Payload) -> None:
    sync_contract(
        world.store,
        payload["delivery"],
        read_event=parse_delivery,
        signing=world.open_signing,
        vault=world.vault,
        tasks=world.tasks,
        clock=world.clock,
        jitter=world.jitter,
    )


def _contract_read(world: ContractWorld, payload: Payload) -> None:
    read_contract_task(
        world.store,
        payload["contract"],
        payload["connection"],
        signing=lambda: world.signing,
        tasks=world.tasks,
        clock=world.clock,
        jitter=world.jitter,
    )


def _contract_store(world: ContractWorld, payload: Payload) -> None:
    def work() -> None:
        store_contract(
            world.store,
            payload["contract"],
            open_signing=world.open_signing,
            blobs=world.blobs,
            clock=world.clock,
            jitter=world.jitter,
        )

    keep_promise(world.store, payload["promise"], work)


def _deal_won(world: ContractWorld, payload: Payload) -> None:
    def work() -> None:
        win_deal(world.store, payload["contract"], tasks=world.tasks, clock=world.clock, jitter=world.jitter)

    keep_promise(world.store, payload["promise"], work)


def _invoice_trigger(world: ContractWorld, payload: Payload) -> None:
    def work() -> None:
        plan_invoices(world.store, payload["deal"], tasks=world.tasks, clock=world.clock)

    keep_promise(world.store, payload["promise"], work)


def _contract_reconcile(world: ContractWorld, payload: Payload) -> None:
    reconcile_contracts(
        world.store,
        payload["connection"],
        signing=lambda: world.signing,
        tasks=world.tasks,
        clock=world.clock,
        jitter=world.jitter,
    )


FUNCTIONS: dict[str, Callable[[ContractWorld, Payload], None]] = {
    "contract_sync": _contract_sync,
    "contract_read": _contract_read,
    "contract_store": _contract_store,
    "contract_reconcile": _contract_reconcile,
    "deal_won": _deal_won,
    "invoice_trigger": _invoice_trigger,
}
