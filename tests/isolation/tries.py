"""One try or more of every function, with the ids that it takes: what each test of this folder plays in its own way.

An id of a record is written as "@name" and filled in from a company's records.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import TestResponse

from local.cloud.manifests import Trigger
from shared.domain.outbox import Promise
from shared.domain.people import User
from shared.records.followups import Outbox
from tests.contract_world import PDF
from tests.fakes import FakeChance
from tests.isolation.doors import MANIFESTS, VERIFIER, Stage
from tests.mail_world import ANNA

PROMISE = "o-try"


@dataclass(frozen=True)
class Try:
    """One request. what: what it asks for, where a function has several answers. sends: the body as it is."""

    function: str
    what: str = ""
    method: str = "POST"
    path: str = ""
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    sends: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.function}: {self.what}" if self.what else self.function

    @property
    def trigger(self) -> Trigger:
        return MANIFESTS[self.function].trigger

    @property
    def names(self) -> frozenset[str]:
        """The records it names."""
        return frozenset(_names([self.path, self.query, self.body, self.headers]))


def get(function: str, what: str = "", **query: str) -> Try:
    return Try(function, what, method="GET", query=query)


def post(function: str, what: str = "", **body: Any) -> Try:
    return Try(function, what, body=body)


def task(function: str, what: str = "", **payload: Any) -> Try:
    return Try(function, what, body=payload)


LINES = [{"description": "Licence", "quantity": "1", "unit_price": "100.00"}]
QUOTE = {"deal": "@deal", "contact": "@contact", "currency": "USD", "lines": LINES}
BILL = {"currency": "USD", "lines": LINES, "key": "shown-1"}
SIGNER = {"role": "Customer", "name": "Sam Signer", "email": "sam@globex.example"}
KEYS = {
    "way": "oauth2_client_credentials", "account_id": "9876543-sb1", "client_id": "client", "currency": "USD",
    "certificate_id": "certificate", "private_key": "-----BEGIN PRIVATE KEY-----", "company_name": "Acme Books",
    "time_zone": "America/New_York",
}  # fmt: skip
SIGNED_BY_HAND = {"signed_on": "2026-03-02", "signed_by": "Carla Buyer"}
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

BY_PEOPLE = (
    get("timeline_read", "of a contact", contact="@contact"),
    get("timeline_read", "of a company", company="@company"),
    get("timeline_read", "of a deal", deal="@deal"),
    get("timeline_read", "own record"),
    get("message_read", "of everybody's contact", message="@message"),
    get("message_read", "of the owner's contact", message="@dora's message"),
    get("missing_explain", mailbox="@mailbox", message_id="offer@x"),
    get("connection_status", mailbox="@mailbox"),
    get("backfill_estimate", mailbox="@mailbox", months="6"),
    get("duplicates_settle", "list"),
    get("quarantine_replay", "list"),
    get("integration_log_read", "of a ledger", connection="@ledger"),
    get("integration_log_read", "of the signing service", connection="@signing"),
    get("chain_read", "steps", deal="@deal"),
    get("chain_read", "table", deal="@deal", **{"as": "table"}),
    get("invoices_read", deal="@deal"),
    get("contract_send", "review", contract="@draft contract"),
    get("invoice_create", "propose from a deal", deal="@deal"),
    get("invoice_create", "propose from a contract", contract="@signed contract"),
    get("invoice_create", "propose for a contact", contact="@contact"),
    get("ledger_mapping", "customers", action="customers", connection="@ledger"),
    get("ledger_mapping", "choices", action="choices", connection="@ledger"),
    get("ledger_mapping", "permissions", action="permissions", connection="@ledger"),
    get("ledger_mapping", "settings", action="settings", connection="@ledger"),
    get("ledger_mapping", "blocking", action="blocking", connection="@ledger", pipeline="@pipeline"),
    get("ledger_mapping", "listed", action="listed", connection="@ledger", pipeline="@pipeline"),
    get("ledger_mapping", "unmatched", action="unmatched", connection="@ledger"),
    get("signing_setup", "read"),
    post("connection_control", "pause", mailbox="@mailbox", action="pause"),
    post("connection_control", "resume", mailbox="@mailbox", action="resume"),
    post("connection_control", "disable", mailbox="@calendar mailbox", action="disable"),
    Try("contacts_import", sends=b"Email,First name,Last name,Title\ndora@customer.example,Dora,Customer,Boss\n"),
    post("contract_control", "remind", contract="@contract out", action="remind"),
    post("contract_control", "reconcile", contract="@contract out", action="reconcile"),
    post("contract_control", "renew", contract="@signed contract", action="renew"),
    post("contract_control", "void", contract="@contract out", action="void", reason="mistake"),
    Try("contract_write", "change", method="PUT", query={"contract": "@draft contract"}, body={"signers": [SIGNER]}),
    Try("contract_upload", query={"contract": "@draft contract", **SIGNED_BY_HAND}, sends=PDF),
    post("contract_send", "send", contract="@draft contract"),
    post("contract_write", "from a quote", key="new", quote="@accepted quote", type="msa"),
    post("quote_write", "new", key="new", **QUOTE),
    Try("quote_write", "change", method="PUT", query={"quote": "@draft quote"}, body=QUOTE),
    post("quote_send", quote="@draft quote"),
    post("deletions_settle", mailbox="@calendar mailbox", stream="@stream", verdict="keep"),
    post("duplicates_settle", "dismiss", notice="@notice", action="dismiss"),
    post("duplicates_settle", "move", notice="@notice", action="move", contact="c-carl"),
    post("finance_grant", role="manager", granted=True),
    post("invoice_control", "send", action="send", intent="@intent"),
    post("invoice_control", "retry", action="retry", intent="@intent"),
    post("invoice_control", "take theirs", action="take_theirs", invoice="@invoice"),
    post("invoice_control", "void", action="void", invoice="@invoice", reason="mistake"),
    post("invoice_create", "make", **BILL, deal="@deal"),
    post("ledger_connect", **KEYS),
    post("ledger_mapping", "decide", connection="@ledger", action="decide", key="@company", decision="reject"),
    post("ledger_mapping", "settle", connection="@ledger", action="settle", key="@company", field="name"),
    post("ledger_mapping", "items", connection="@ledger", action="items", products={"p-1": "Services"}),
    post("ledger_mapping", "save", connection="@ledger", action="save", items={}, default_item="1"),
    post("ledger_mapping", "reviewed", connection="@ledger", action="reviewed"),
    post("ledger_mapping", "switch", connection="@ledger", action="switch", pipeline="@pipeline", on=True),
    post("ledger_mapping", "match", connection="@ledger", action="match", invoice="@invoice", deal="@deal"),
    post("ledger_mapping", "reconcile", connection="@ledger", action="reconcile"),
    Try("logo_upload", sends=PICTURE),
    post("quarantine_replay", "replay", entry="@entry"),
    post("signing_setup", "set", refresh_templates=True),
    post("oauth_start", "google"),
    Try("oauth_start", "docusign", query={"provider": "docusign"}),
    Try("oauth_start", "quickbooks", query={"provider": "quickbooks"}),
)  # fmt: skip
"""What signed-in people ask for, what changes nothing first."""

QUICKBOOKS = json.dumps(
    {
        "specversion": "1.0", "id": "e-1", "source": "intuit.example", "type": "qbo.invoice.updated.v1",
        "time": "2026-03-02T09:00:00Z", "intuitentityid": "101", "intuitaccountid": "9130350000000001", "data": {},
    }
).encode()  # fmt: skip
SIGNED_BY_INTUIT = {
    "Content-Type": "application/cloudevents+json",
    "intuit-signature": base64.b64encode(hmac.new(VERIFIER.encode(), QUICKBOOKS, hashlib.sha256).digest()).decode(),
}
GUESSED_NOTICE = {
    "X-Goog-Channel-ID": "@channel", "X-Goog-Channel-Token": "guessed", "X-Goog-Resource-ID": "r",
    "X-Goog-Resource-State": "exists", "X-Goog-Message-Number": "2",
}  # fmt: skip

BY_STRANGERS = (
    Try("quote_page", "fetch", method="GET", path="/{tenant}/@sent quote/@token"),
    Try("quote_page", "document", method="GET", path="/{tenant}/@sent quote/@token", query={"document": "1"}),
    Try(
        "quote_page", "accept", path="/{tenant}/@sent quote/@token",
        sends=b"deed=accept&agree=yes&name=Carla&email=carla%40globex.example",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    ),
    Try("docusign_webhook", path="/{tenant}/@signing", sends=b'{"event": "envelope-sent"}'),
    Try("calendar_push", headers=GUESSED_NOTICE),
    Try("oauth_callback", method="GET", query={"state": "{tenant}.guessed", "code": "code"}),
    Try("quickbooks_webhook", sends=QUICKBOOKS, headers=SIGNED_BY_INTUIT),
    Try("connections", method="GET", path="/n" + "0" * 32, query={"provider": "google"}),
)  # fmt: skip
"""What vendors, customers and browsers send without a sign-in."""

CALENDAR = {"mailbox": "@calendar mailbox", "stream": "@stream"}
CHANGE = {
    "kind": "invoice", "id": "101", "changed_at": "2026-03-02T09:00:00+00:00", "company": "9130350000000001",
    "event": "e-1",
}  # fmt: skip

TASKS = (
    task("mailbox_sync", "history", mailbox="@mailbox", wish=None),
    task("mailbox_sync", "poll", mailbox="@mailbox", poll="2026-03-02T15:00:00+00:00"),
    task("message_ingest", mailbox="@mailbox", messages=[["@gmail id", 1]]),
    task("backfill_ingest", mailbox="@mailbox", messages=[["@gmail id", 1]]),
    task("mailbox_audit", mailbox="@mailbox", after="2026-03-01T00:00:00+00:00", before="2026-03-02T12:00:00+00:00"),
    task("mailbox_backfill", mailbox="@mailbox", run="run-1"),
    task("mailbox_open", mailbox="@mailbox", promise=PROMISE),
    task("mailbox_catch_up", mailbox="@mailbox", contact="@contact", promise=PROMISE),
    task("watch_renew", mailbox="@mailbox"),
    task("calendar_sync", **CALENDAR, cause="poll"),
    task("channel_renew", **CALENDAR),
    task("channel_stop", **CALENDAR, channel="@channel", resource="r", promise=PROMISE),
    task("meeting_rebuild", meeting="@meeting"),
    task("thread_join", "threads", user="", loser="@thread", winner="@other thread", promise=PROMISE),
    task("thread_join", "parent", user="", message="@message", parent="@dora's message", promise=PROMISE),
    task("contact_refresh", contact="@contact", promise=PROMISE),
    task("contact_reattach", contact="@contact", keys="@key", promise=PROMISE),
    task("contract_sync", delivery="@delivery"),
    task("contract_read", contract="@contract out", connection="@signing"),
    task("contract_reconcile", connection="@signing"),
    task("contract_store", contract="@signed contract", promise=PROMISE),
    task("deal_won", contract="@signed contract", promise=PROMISE),
    task("invoice_trigger", deal="@deal", promise=PROMISE),
    task("invoice_push", intent="@intent", promise=PROMISE),
    task("invoice_send", intent="@intent", promise=PROMISE),
    task("payment_sync", "a record", connection="@ledger", **CHANGE),
    task("payment_sync", "a delivery", delivery="@delivery"),
    task("ledger_open", connection="@ledger", promise=PROMISE),
    task("ledger_read", connection="@ledger", thorough=True),
    task("signing_open", connection="@signing", promise=PROMISE),
    task("mailbox_close", mailbox="@mailbox", connection="@google", promise=PROMISE),
)  # fmt: skip
"""What queues bring. The tenant is the payload's."""

NOTICE = base64.b64encode(json.dumps({"emailAddress": ANNA, "historyId": 99}).encode()).decode()
BY_PUB_SUB = (
    Try("gmail_push", body={"message": {"data": NOTICE, "messageId": "m-1"}, "subscription": "gmail-push"}),
    Try("dead_letter_push", body={"message": {"data": NOTICE, "messageId": "m-2"}, "subscription": "dead-letter"}),
)

ON_SCHEDULE = tuple(Try(name) for name, manifest in MANIFESTS.items() if manifest.trigger is Trigger.SCHEDULE)
"""Jobs carry no ids."""

REACH_EVERYBODY = (
    *ON_SCHEDULE,
    *(tried for tried in (*BY_STRANGERS, *BY_PUB_SUB) if tried.function in ("quickbooks_webhook", "gmail_push")),
)
"""Jobs, and notices about an account at a vendor: for every organization that has it, each for itself."""

EVERY_TRY = (*BY_PEOPLE, *BY_STRANGERS, *TASKS, *BY_PUB_SUB, *ON_SCHEDULE)


def play(stage: Stage, tried: Try, tenant: str, user: User, ids: Mapping[str, str]) -> TestResponse:
    """Make the try as somebody of `tenant`: a person of it, its queue, or whoever knows its address.

    A tenant's dice fall anew with each try, and the same way on every stage.
    """
    stage.chance = FakeChance(zlib.crc32(f"{tenant} {tried.name}".encode()))
    filled: Any = _filled({"path": tried.path, "query": tried.query, "headers": tried.headers}, ids, tenant)
    request: dict[str, Any] = {"method": tried.method, "path": filled["path"], "query_string": filled["query"]}
    request["headers"] = dict(filled["headers"])
    body = _filled(tried.body, ids, tenant) if tried.body is not None else None
    if body is not None:
        request["json"] = body
    if tried.sends is not None:
        request["data"] = tried.sends
    match tried.trigger:
        case Trigger.TASK:
            if "promise" in (tried.body or {}):
                _promise(stage, tried.function, tenant)
            return stage.dispatches(tried.function, {**(body or {}), "tenant": tenant})
        case Trigger.SCHEDULE:
            return stage.schedules(tried.function)
        case Trigger.PUSH:
            return stage.pushes(tried.function, body or {})
    if tried in BY_STRANGERS:
        return stage.calls(tried.function, **request)
    return stage.asks(tried.function, user, tenant, **request)


def _promise(stage: Stage, function: str, tenant: str) -> None:
    """What this task keeps, as the commit of its cause would have promised it."""
    store = stage.store(tenant)
    outbox = Outbox(store)
    if outbox.find(PROMISE) is None:
        queue = MANIFESTS[function].queue or ""
        promised = Promise(PROMISE, queue, function, {"tenant": tenant}, stage.clock.now())
        store.commit([outbox.creating(promised)])


def _filled(value: Any, ids: Mapping[str, str], tenant: str) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(kept, ids, tenant) for name, kept in value.items()}
    if isinstance(value, list):
        return [_filled(kept, ids, tenant) for kept in value]
    if not isinstance(value, str):
        return value
    parts = value.replace("{tenant}", tenant).split("/")
    return "/".join(ids[part[1:]] if part.startswith("@") else part for part in parts)


def _names(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [name for kept in value.values() for name in _names(kept)]
    if isinstance(value, list):
        return [name for kept in value for name in _names(kept)]
    if not isinstance(value, str):
        return []
    return [part[1:] for part in value.split("/") if part.startswith("@")]
