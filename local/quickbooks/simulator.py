"""The simulated QuickBooks Online: companies, grants, notices and faults behind one lock. No sockets of its own."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from local.cloud.serving import log_lines
from local.google.clock import Clock
from local.quickbooks.books import Books
from local.quickbooks.errors import ControlError, Json, VendorError
from local.quickbooks.faults import Faults
from local.quickbooks.grants import Grants
from local.quickbooks.notices import Notices, Post, post_over_http
from local.quickbooks.settings import CompanySettings
from shared.providers import exact_json

STATE_FILE = "quickbooks.json"
TICK_S = 0.1


class Simulator:
    """Every answer is made under `lock`; notices are posted without it, since whoever hears one asks back at once."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        clock: Clock | None = None,
        new_token: Callable[[], str] | None = None,
        calls_per_minute: int = 500,
        post: Post = post_over_http,
    ) -> None:
        """folder: where the state is kept between runs; None keeps none. post: how notices leave."""
        self.clock = clock or Clock()
        self.new_token = new_token or (lambda: secrets.token_urlsafe(24))
        self.lock = threading.RLock()
        self.faults = Faults()
        self.grants = Grants(self.clock, self.new_token)
        self.notices = Notices(self.clock, self.new_token)
        self.companies: dict[str, Books] = {}
        self.calls: dict[str, int] = {}
        self._calls_per_minute = calls_per_minute
        self._recent: dict[str, deque[datetime]] = {}
        self._folder = folder
        self._post = post
        self._posting = threading.Lock()
        self.unsaved = False
        if folder and (folder / STATE_FILE).exists():
            self._load(exact_json.loads((folder / STATE_FILE).read_bytes()))

    def create_company(self, wish: Json) -> Books:
        """A company from {"realm_id"?, and settings}, with items, an income account, terms and tax codes."""
        wish = dict(wish)
        realm_id = str(wish.pop("realm_id", "") or 9_341_450_000_000_000 + len(self.companies) + 1)
        if realm_id in self.companies or not realm_id.isdecimal():
            raise ControlError(f"the realm id {realm_id} is taken or is no number")
        settings = CompanySettings(realm_id)
        settings.change(wish)
        books = Books(settings, self.clock, self.notices.tell)
        for entity, body in _FIRST_OBJECTS:
            books.create(entity, body)
        for entity, body in _US_TAX if settings.country == "US" else _OTHER_TAX:
            books.create(entity, body)
        self.companies[realm_id] = books
        return books

    def books(self, realm_id: str) -> Books:
        if realm_id not in self.companies:
            raise ControlError(f"there is no company {realm_id}; there are {', '.join(self.companies) or 'none'}")
        return self.companies[realm_id]

    def count(self, realm_id: str, call: str) -> None:
        """Charge one call. Raises: VendorError 3001 for more than Intuit takes in a minute."""
        self.calls[call] = self.calls.get(call, 0) + 1
        recent, now = self._recent.setdefault(realm_id, deque()), self.clock()
        while recent and recent[0] <= now - timedelta(minutes=1):
            recent.popleft()
        if len(recent) >= self._calls_per_minute:
            message = "message=ThrottleExceeded; errorCode=003001; statusCode=429"
            raise VendorError("003001", message, status=429, kind="THROTTLE")
        recent.append(now)

    def tick(self) -> None:
        """Send what is due and keep the state."""
        with self.lock:
            self.notices.gather()
            self._save()
        with self._posting:
            self.notices.send_due(self._post)

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Tick in a thread while the block runs."""
        stopped = threading.Event()
        thread = threading.Thread(target=self._tick_until, args=(stopped,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def advance(self, seconds: float) -> None:
        self.clock.offset_s += seconds

    def _tick_until(self, stopped: threading.Event) -> None:
        while not stopped.wait(TICK_S):
            try:
                self.tick()
            except Exception:
                log_lines("quickbooks").exception("what was due could not be done")  # the next tick must come

    def _save(self) -> None:
        if self._folder is None or not self.unsaved:
            return
        state = exact_json.dumps(
            {
                "companies": [books.dump() for books in self.companies.values()],
                "grants": self.grants.dump(),
                "notices": self.notices.dump(),
            }
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f"{STATE_FILE}.new"
        draft.write_text(state)
        draft.replace(self._folder / STATE_FILE)
        self.unsaved = False

    def _load(self, state: Json) -> None:
        for one in state["companies"]:
            books = Books(CompanySettings(one["settings"]["realm_id"]), self.clock, self.notices.tell)
            books.load(one)
            self.companies[books.settings.realm_id] = books
        self.grants.load(state["grants"])
        self.notices.load(state["notices"])


_FIRST_OBJECTS: tuple[tuple[str, Json], ...] = (
    ("Account", {"Name": "Sales of Product Income", "AccountType": "Income", "Active": True}),
    ("Account", {"Name": "Accounts Receivable", "AccountType": "Accounts Receivable", "Active": True}),
    ("Item", {"Name": "Services", "Type": "Service", "Active": True, "IncomeAccountRef": {"value": "1"}}),
    ("Item", {"Name": "Licences", "Type": "Service", "Active": True, "IncomeAccountRef": {"value": "1"}}),
    ("Item", {"Name": "Everything", "Type": "Category", "Active": True}),
    ("Term", {"Name": "Due on receipt", "DueDays": 0, "Active": True}),
    ("Term", {"Name": "Net 15", "DueDays": 15, "Active": True}),
    ("Term", {"Name": "Net 30", "DueDays": 30, "Active": True}),
)


def _tax(name: str, percent: str, rate_id: str, code_id: str) -> tuple[tuple[str, Json], ...]:
    """A rate and the code that uses it. rate_id: the id that the company gives the rate."""
    details = [{"TaxRateRef": {"value": rate_id}, "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": 0}]
    return (
        ("TaxRate", {"Name": name, "RateValue": Decimal(percent), "Active": True}),
        (
            "TaxCode",
            {"Id": code_id, "Name": name, "Active": True, "SalesTaxRateList": {"TaxRateDetail": details}},
        ),
    )


_US_TAX: tuple[tuple[str, Json], ...] = (
    ("TaxCode", {"Id": "TAX", "Name": "TAX", "Taxable": True, "Active": True}),
    ("TaxCode", {"Id": "NON", "Name": "NON", "Taxable": False, "Active": True}),
    *_tax("California", "8", "9", "12"),
)
_OTHER_TAX: tuple[tuple[str, Json], ...] = (
    *_tax("20.0% S", "20", "9", "4"),
    *_tax("Exempt", "0", "10", "5"),
)
