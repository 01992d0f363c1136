"""Requests that are answered well, to begin from: most of what is wrong is found one step away from what is right."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from shared.domain.mailbox import mailbox_id
from tests.cash_world import LEDGER
from tests.fake_signing import ACCOUNT, TEMPLATE
from tests.hostile.sent import Sent, values
from tests.mail_world import ANNA

Records = Mapping[str, Mapping[str, Any]]
Form = dict[str, Any]

BOX = {"mailbox": mailbox_id(ANNA)}
DEAL = {"deal": "d-1"}

LINE = {
    "product": "licence",
    "description": "Licence",
    "quantity": "2",
    "unit_price": "50.00",
    "discount_percent": "10",
    "override": "80.00",
    "taxable": True,
}
QUOTE: Form = {
    "key": "k-9",
    "deal": "d-1",
    "contact": "c-carla",
    "currency": "USD",
    "lines": [LINE],
    "tax_percent": "8",
    "discount_amount": "1.00",
    "schedule": [{"due": "at_signing", "percent": "100", "days": 0}],
    "expires_on": "2026-04-01",
    "memo": "Thanks",
}
SIGNERS = [
    {"role": "Customer", "name": "Sam Signer", "email": "sam@globex.example", "order": 1},
    {"role": "Countersigner", "name": "Anna Rep", "email": "anna@acme.example", "order": 2, "ours": True},
]
TYPE: Form = {
    "id": "nda",
    "name": "Non-disclosure agreement",
    "roles": [{"role": "Customer", "side": "customer", "order": 1}, {"role": "Countersigner", "side": "us"}],
    "templates": [{"id": TEMPLATE, "name": "NDA", "prefill": {"Customer": {"Company": "company.name"}}}],
    "terms": "Be quiet.",
    "months": 12,
}
KEYS: Form = {
    "way": "oauth1_tokens",
    "account_id": "123456",
    "company_name": "Acme",
    "currency": "USD",
    "time_zone": "America/New_York",
    **dict.fromkeys(("consumer_key", "consumer_secret", "token_id", "token_secret"), "abc"),
}
PIXELS = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAC0lEQVR4nGNgQAYAAA4AAamRc7EAAAAASUVORK5CYII="
)
INVOICE: Form = {
    "key": "k-9",
    "contact": "c-carla",
    "currency": "USD",
    "lines": [{"product": "services", "description": "Work", "quantity": "1", "unit_price": "10.00"}],
    "tax_percent": "0",
    "memo": "",
}


def good(records: Records) -> Mapping[str, list[tuple[str, Mapping[str, str], Any]]]:
    """Method, arguments and body (a form, or bytes), by function; a function without any is tried by chance alone.

    records: path -> fields of everything there is.
    """

    def one(collection: str, **wanted: str) -> str:
        """The id of the first such record."""
        return next(
            path.rpartition("/")[2]
            for path, fields in records.items()
            if path.split("/")[-2] == collection and wanted.items() <= fields.items()
        )

    accepted, drafted = one("quotes", deal_id="d-3"), one("quotes", deal_id="d-5")
    sent, draft, connection = (
        {"contract": one("contracts", deal_id="d-2")},
        {"contract": one("contracts", deal_id="d-4")},
        {"connection": LEDGER},
    )
    invoice, intent = {"invoice": one("invoices")}, {"intent": one("invoice_intents")}
    mapping = ("customers", "choices", "settings", "blocking", "listed", "unmatched")
    desk: Form = {**connection, "action": "decide", "key": "c-carla", "decision": "create", "percent": 90}
    saved: Form = {
        **connection,
        "action": "save",
        "items": {"services": "1"},
        "default_item": "1",
        "fields": {},
        "frequency": "real_time",
    }
    csv = b"Email,First name,Last name,Company,Phone\nnew@customer.example,New,One,Customer,+49 30 901820\n"
    pdf = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
    return {
        "backfill_estimate": [("GET", {**BOX, "months": "6"}, None)],
        "chain_read": [("GET", DEAL, None), ("GET", {**DEAL, "as": "table"}, None)],
        "connection_control": [("POST", {}, {**BOX, "action": action}) for action in ("pause", "resume", "disconnect")],
        "connection_status": [("GET", BOX, None)],
        "contacts_import": [("POST", {"region": "DE", "dry_run": "1"}, csv), ("POST", {}, csv)],
        "contract_control": [
            ("POST", sent, {"action": "correct", "recipient": "41", "name": "Sam S", "email": "s@globex.example"}),
            *(
                ("POST", sent, {"action": action, "reason": "It changed."})
                for action in ("remind", "void", "reconcile")
            ),
        ],
        "contract_send": [("GET", draft, None), ("POST", draft, {})],
        "contract_upload": [
            ("POST", {**draft, "signed_on": "2026-03-01", "signed_by": "Sam <sam@globex.example>"}, pdf)
        ],
        "contract_write": [
            (
                "POST",
                {},
                {"key": "k-9", "quote": accepted, "type": "msa", "starts_on": "2026-03-05", "signers": SIGNERS},
            ),
            ("PUT", draft, {"signers": SIGNERS}),
        ],
        "deletions_settle": [("POST", {**BOX, "stream": "mail", "verdict": "keep"}, {})],
        "duplicates_settle": [("GET", {}, None), ("POST", {}, {"notice": "x", "action": "move", "contact": "c-carl"})],
        "finance_grant": [("POST", {}, {"role": "manager", "granted": True})],
        "integration_log_read": [("GET", connection, None)],
        "invoice_control": [
            ("POST", {}, {"action": "retry", **intent}),
            ("POST", {}, {"action": "send", **intent}),
            ("POST", {}, {"action": "void", **invoice, "reason": "Wrong"}),
            ("POST", {}, {"action": "push_ours", **invoice}),
        ],
        "invoice_create": [("GET", {"contact": "c-carla", "key": "k"}, None), ("POST", {}, INVOICE)],
        "invoices_read": [("GET", DEAL, None)],
        "ledger_connect": [("POST", {}, KEYS)],
        "ledger_mapping": [("GET", {**connection, "action": action, "pipeline": "sales"}, None) for action in mapping]
        + [("POST", {}, desk), ("POST", {}, saved)]
        + [("POST", {}, {**connection, "action": "items", "products": {"p": "Services"}})]
        + [("POST", {}, {**connection, "action": "switch", "pipeline": "sales", "on": True})],
        "logo_upload": [("POST", {}, PIXELS)],
        "message_read": [("GET", {"message": one("messages")}, None)],
        "missing_explain": [("GET", {**BOX, "message_id": "<a@customer.example>"}, None)],
        "oauth_start": [("GET", {"provider": provider}, None) for provider in ("google", "docusign", "quickbooks")],
        "oauth_callback": [("GET", {"state": "acme.x", "code": "x"}, None)],
        "quarantine_replay": [("GET", {}, None), ("POST", {}, {"entry": "x"})],
        "quote_page": [("GET", {"open": "1"}, None), ("GET", {"document": "1"}, None)],
        "quote_send": [("POST", {}, {"quote": drafted, "expires_on": "2026-05-01"})],
        "quote_write": [("POST", {}, QUOTE), ("PUT", {"quote": drafted}, {**QUOTE, "deal": "d-5"})],
        "signing_setup": [
            ("GET", {}, None),
            ("POST", {}, {"account": ACCOUNT.account_id, "keys": ["one", "two"], "refresh_templates": True}),
            ("POST", {}, {"contract_type": TYPE}),
        ],
        "timeline_read": [
            ("GET", {"contact": "c-carl"}, None),
            ("GET", DEAL, None),
            ("GET", {"company": "co-globex"}, None),
        ],
    }


def bent(function: str, records: Records) -> SearchStrategy[Sent]:
    """A good request with some of its values put out of shape. Nothing, for a function that has none."""
    known = good(records).get(function, [])
    anything = values(("c-carla", "d-1", "USD"))

    @st.composite
    def one(draw: DrawFn) -> Sent:
        method, arguments, body = draw(st.sampled_from(known))
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(_bent(draw, body)).encode()
        changed = tuple((name, _text(_bent(draw, value))) for name, value in arguments.items())
        person = draw(st.sampled_from(("u-ada", "u-ada", "u-fiona", "u-fiona", "u-anna")))
        return Sent(method, None, changed, {"Content-Type": "application/json"}, content, person)

    def _bent(draw: DrawFn, value: Any) -> Any:
        if isinstance(value, dict):
            kept = {name: _bent(draw, inner) for name, inner in value.items()}
            return kept if draw(st.integers(0, 9)) else {**kept, draw(st.text(max_size=5)): draw(anything)}
        if isinstance(value, list):
            rows = [_bent(draw, inner) for inner in value]
            return rows * draw(st.sampled_from([1, 1, 1, 1, 1, 0, 2, 300]))
        return value if draw(st.integers(0, 7)) else draw(anything)

    return one() if known else st.nothing()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
