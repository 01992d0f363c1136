"""Random schedules of everything that can go wrong between a won deal and its payment, one for each seed.

Webhooks come twice, late, in any order or never. Calls fail before they do anything, after they did, or carry on in the
ledger while nobody waits for them any more. Workers die between any two steps, another worker starts in the middle of
one, and tokens run out. In the end nothing goes wrong any more, time passes, and the two sides must agree.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from decimal import Decimal

from shared.domain.cash.accounting import LedgerChange, PaymentKind
from shared.domain.cash.deal import Step
from shared.domain.cash.deal_money import money_state
from shared.domain.cash.intent import IntentState
from shared.domain.cash.money import Money
from shared.domain.cash.quote import Due, Instalment, QuoteLine
from shared.domain.connection import Credentials
from shared.errors import ConnectionRevokedError, ProviderUnavailableError, RetryableError
from shared.ports.cash import Ledger
from shared.ports.documents import Version, Write
from shared.ports.marks import reads
from shared.ports.oauth import AccessToken, Grant
from shared.ports.tasks import Task
from shared.ports.time import Clock
from shared.records.connections import Connections
from shared.usecases.access_token import REFRESH_TOKEN, access_token
from shared.usecases.cash.plan_invoices import plan_invoices
from shared.usecases.cash.read_ledger import read_ledger
from shared.usecases.promises import sweep_outbox
from tests.cash_world import DEAL, LEDGER, CashWorld, line, sold
from tests.fake_ledger import FakeLedger
from tests.fakes import MemoryDocuments
from tests.firestore_indexes import require_index

ACTIONS = 25
DEEPEST = 2
"""Workers that may be in the middle of something at once, the first one left out."""


class Died(BaseException):
    """The worker is gone; nobody tidies up after it."""


class RotatingAuthorization:
    """A vendor whose refresh tokens are replaced by every use. A token works until a newer one was used, for whoever
    never heard of the newer; two refreshes at once, or an older token, end the connection for good."""

    def __init__(self, clock: Clock) -> None:
        self.refreshes = 0
        self.ended = False
        self.on_refresh: Callable[[], object] = lambda: None
        self._busy = False
        self._newest_used = 0
        self._clock = clock

    @reads
    def url(self, *, state: str, verifier: str, login_hint: str | None) -> str:
        raise NotImplementedError

    def exchange(self, *, code: str, verifier: str) -> Grant:
        raise NotImplementedError

    def refresh(self, refresh_token: str) -> AccessToken:
        number = int(refresh_token.removeprefix("refresh-"))
        self.ended = self.ended or self._busy or number < self._newest_used
        if self.ended:
            raise ConnectionRevokedError("invalid_grant")
        self._busy, self._newest_used = True, number
        try:
            self.on_refresh()
        finally:
            self._busy = False
        self.refreshes += 1
        ends_at = self._clock.now() + timedelta(hours=1)
        return AccessToken(f"access-{self.refreshes}", ends_at, f"refresh-{self.refreshes}")

    def revoke(self, refresh_token: str) -> None:
        self.ended = True


class ShakyDocuments(MemoryDocuments):
    """A store before and after whose commits something may happen."""

    def __init__(self) -> None:
        super().__init__(require_index)
        self.before: Callable[[], object] = lambda: None
        self.after: Callable[[], object] = lambda: None

    def commit(self, writes: Sequence[Write]) -> list[Version]:
        self.before()
        versions = super().commit(writes)
        self.after()
        return versions


class ScheduleWorld(CashWorld):
    """The usual company, whose ledger is opened with a token that runs out."""

    def open_ledger(self, connection_id: str) -> Ledger:
        access_token(self.credit, connection_id)
        return super().open_ledger(connection_id)


@dataclass
class Schedule:
    """One run. counts: what happened how often, for whoever wants to see that it happened at all."""

    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    _depth: int = 0
    _shaky: bool = False

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.world = self._company()
        self.told: list[LedgerChange] = []

    # ------------------------------------------------------------------------------------------------------- the world

    def _company(self) -> ScheduleWorld:
        dice = self.dice
        lines = [self._line(number) for number in range(dice.randint(1, 4))]
        parts = dice.choice([(100,), (100,), (50, 50), (33, 33, 34)])
        schedule = [
            Instalment(number, dice.choice([Due.AT_SIGNING, Due.DAYS_AFTER]), Decimal(percent), days=dice.randint(0, 3))
            for number, percent in enumerate(parts, 1)
        ]
        discount = Decimal(dice.choice([0, 0, 5, 12]))
        documents = ShakyDocuments()
        usual = sold(
            *lines,
            tax=dice.choice(["0", "8", "8.875", "19"]),
            schedule=schedule,
            discount_percent=discount,
            documents=documents,
        )
        ports = {entry.name: getattr(usual, entry.name) for entry in fields(usual)}
        authorization = RotatingAuthorization(usual.clock)
        authorization.on_refresh = self._on_refresh
        world = ScheduleWorld(**{**ports, "authorization": authorization})
        sealed = world.vault.seal(LEDGER, REFRESH_TOKEN, b"refresh-0")
        world.store.commit([Connections(world.store).writing_credentials(LEDGER, Credentials(sealed), None)])
        world.books.idempotent, world.books.unique = dice.choice([(True, True), (True, False), (False, True)])
        world.settings(sends_invoices=dice.random() < 0.5)
        documents.before, documents.after = self._before_commit, self._after_commit
        world.books.on_call = self._on_call
        return world

    def _line(self, number: int) -> QuoteLine:
        dice = self.dice
        price = Money(dice.randint(1, 500_000), "USD")
        return replace(
            line(dice.choice(["1", "3", "0.5", "12"]), "1.00", discount=dice.choice([0, 10, 15])),
            line_id=str(number),
            unit_price=price,
            taxable=dice.random() < 0.8,
        )

    # ---------------------------------------------------------------------------------------------- what may go wrong

    def _roll(self, what: str, chance: float) -> bool:
        happens = self._shaky and self.dice.random() < chance
        if happens:
            self.counts[what] += 1
        return happens

    def _before_commit(self) -> None:
        if self._roll("died before a commit", 0.04):
            raise Died
        self._somebody_else()

    def _after_commit(self) -> None:
        if self._roll("died after a commit", 0.04):
            raise Died
        if self._roll("commit without an answer", 0.04):
            raise ProviderUnavailableError("committed, but the answer was lost")

    def _on_call(self, method: str) -> None:
        if self._roll("ledger unreachable", 0.08):
            raise ProviderUnavailableError("no connection")
        if method in ("create_invoice", "send_invoice"):
            if self._roll("ledger did it without an answer", 0.3):
                self.world.books.lost_replies = 1
            elif method == "create_invoice" and self._roll("ledger does it later", 0.2):
                self.world.books.late = 1
        self._somebody_else()

    def _on_refresh(self) -> None:
        if self._shaky:
            self.counts["token refreshed"] += 1
        self._somebody_else()

    def _somebody_else(self) -> None:
        """Another worker, or a bookkeeper, in the middle of what this one does."""
        if self._depth < DEEPEST and self._roll("two at once", 0.12):
            self._depth += 1
            try:
                self._act()
            finally:
                self._depth -= 1

    # ------------------------------------------------------------------------------------------------- what happens

    def run(self) -> None:
        self._shaky = True
        for _ in range(ACTIONS):
            self._act()
        self._shaky = False
        self._come_to_rest()

    def _act(self) -> None:
        """One thing somebody does. A worker that dies or fails is somebody else's to bring back."""
        action = self.dice.choice(
            [self._plan, self._work, self._work, self._work, self._work, self._hear, self._hear, self._keep_books,
             self._wait, self._land, self._sweep, self._reconcile]
        )  # fmt: skip
        try:
            action()
        except (Died, RetryableError):
            self.counts["given up for now"] += 1

    def _plan(self) -> None:
        plan_invoices(self.world.store, DEAL, tasks=self.world.tasks, clock=self.world.clock)

    def _work(self) -> None:
        """Any task that is due; now and then it is delivered once more although it was done."""
        due = self.world.queue.due()
        if not due:
            return
        task: Task = self.dice.choice(due)
        self.world.run(task)
        if not self._roll("task delivered twice", 0.1):
            self.world.queue.done(task)

    def _hear(self) -> None:
        """A notice of the ledger: any of those there were, however old, or heard before."""
        self.told += self.world.books.notices
        self.world.books.notices.clear()
        if self.told:
            change = self.dice.choice(self.told)
            self.counts["notice heard"] += 1
            self.world.hears(change)

    def _keep_books(self) -> None:
        books, dice = self.world.books, self.dice
        open_ones = [invoice for invoice in books.invoices() if invoice.balance.minor > 0]
        applied = books.applied_payments()
        if open_ones and (not applied or dice.random() < 0.6):
            invoice = dice.choice(open_ones)
            minor = invoice.balance.minor if dice.random() < 0.6 else dice.randint(1, invoice.balance.minor)
            kind = PaymentKind.CREDIT_MEMO if dice.random() < 0.2 else PaymentKind.PAYMENT
            books.pays(invoice.invoice_id, minor, kind=kind)
            self.counts["paid"] += 1
        elif applied:
            payment = dice.choice(applied)
            ways: list[Callable[[str], None]] = [books.bounces, books.unapplies, books.deletes_payment]
            dice.choice(ways)(payment)
            self.counts["payment taken back"] += 1

    def _wait(self) -> None:
        self.world.passes(seconds=self.dice.choice([1, 20, 100, 400, 1_000, 4_000]))

    def _land(self) -> None:
        self.world.books.land()

    def _sweep(self) -> None:
        sweep_outbox(self.world.documents, tasks=self.world.tasks, clock=self.world.clock)

    def _reconcile(self) -> None:
        ledger = self.world.open_ledger(LEDGER)
        world = self.world
        read_ledger(world.store, LEDGER, ledger=ledger, tasks=world.tasks, clock=world.clock, jitter=world.jitter)

    def _come_to_rest(self) -> None:
        """Nothing fails any more. The notices that were not heard never come; the reconcile asks for what they told."""
        world = self.world
        world.books.lost_replies = world.books.late = 0
        world.books.land()
        self._plan()
        for _ in range(5):
            world.passes(days=1)
            world.sweeps()
            world.reconciles(thorough=True)

    # --------------------------------------------------------------------------------------------------- the agreement

    def disagreements(self) -> list[str]:
        """What is not as it must be; empty for a right product."""
        world, found = self.world, list[str]()
        books: FakeLedger = world.books
        for intent in world.intents():
            made = [invoice for invoice in books.invoices() if invoice.external_id == intent.intent_id]
            if len(made) != 1:
                found.append(f"{len(made)} invoices for intent {intent.instalment}, which is {intent.state}")
            elif intent.state is not IntentState.CREATED or made[0].total != intent.expected:
                found.append(f"intent {intent.instalment} is {intent.state} at {made[0].total}: {intent.reason}")
        if len(books.invoices()) != len(world.intents()) or not world.intents():
            found.append(f"{len(books.invoices())} invoices for {len(world.intents())} intents")
        mirrored = {kept.invoice.invoice_id: kept.invoice for kept in world.mirrors()}
        found += [f"{row.number}: {row} is shown as {mirrored.get(row.invoice_id)}" for row in books.invoices()
                  if mirrored.get(row.invoice_id) != row]  # fmt: skip
        standing = world.records.standings.find(DEAL)
        if standing is None or standing.value.state is not money_state(books.invoices()):
            found.append(f"the deal stands at {standing}, the ledger at {money_state(books.invoices())}")
        created = world.steps().count(Step.INVOICE_CREATED)
        if created != len(world.intents()):
            found.append(f"{created} steps tell of {len(world.intents())} invoices")
        doubled = [sent for sent, times in Counter(books.sent).items() if times > 1]
        if doubled:
            found.append(f"mailed more than once: {doubled}")
        if isinstance(world.authorization, RotatingAuthorization) and world.authorization.ended:
            found.append("the connection ended: a refresh token was used twice")
        return found
