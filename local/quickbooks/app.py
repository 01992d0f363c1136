"""The simulated QuickBooks' HTTP face: Intuit's own paths, /control/ for tests, and / for people."""

from __future__ import annotations

from flask import Flask, Response, request

from local.google.html import page, table
from local.quickbooks.api import api_blueprint
from local.quickbooks.authorization import oauth_blueprint
from local.quickbooks.control import control_blueprint
from local.quickbooks.errors import Json
from local.quickbooks.simulator import Simulator


def create_app(simulator: Simulator) -> Flask:
    """Return the WSGI application around one simulator."""
    app = Flask(__name__)
    app.register_blueprint(oauth_blueprint(simulator))
    app.register_blueprint(api_blueprint(simulator))
    app.register_blueprint(control_blueprint(simulator))

    @app.after_request
    def remember(response: Response) -> Response:
        simulator.unsaved = simulator.unsaved or request.method == "POST"
        return response

    @app.get("/")
    def home() -> str:
        with simulator.lock:
            return _home(simulator)

    return app


def _home(simulator: Simulator) -> str:
    tables = []
    for books in simulator.companies.values():
        settings = books.settings
        title = f"{settings.name} ({settings.country}, {settings.currency}), realm {settings.realm_id}"
        invoices = [
            (body.get("DocNumber"), body["CustomerRef"].get("name"), body["TxnDate"], body["DueDate"], body["TotalAmt"],
             body["TxnTaxDetail"]["TotalTax"], body["Balance"], _state(body), body["EmailStatus"], body["SyncToken"])
            for body in books.tables["Invoice"].values()
        ]  # fmt: skip
        columns = ("number", "customer", "date", "due", "total", "tax", "balance", "state", "mail", "version")
        tables.append(table(f"{title}: invoices", columns, invoices))
        money = [
            (kind, body["Id"], body["CustomerRef"].get("name"), body["TxnDate"], body["TotalAmt"], _applied(body),
             body.get("PrivateNote", ""))
            for kind in ("Payment", "CreditMemo", "RefundReceipt")
            for body in books.tables[kind].values()
        ]  # fmt: skip
        tables.append(
            table(
                "Payments, credits, refunds", ("kind", "id", "customer", "date", "amount", "applied to", "note"), money
            )
        )
        customers = [
            (body["Id"], body["DisplayName"], (body.get("PrimaryEmailAddr") or {}).get("Address", ""))
            for body in books.tables["Customer"].values()
        ]
        tables.append(table("Customers", ("id", "name", "address"), customers))
    notices = [
        (
            one.state,
            one.attempts,
            ", ".join(f"{change.entity} {change.id} {change.operation}" for change in one.changes),
        )
        for one in simulator.notices.deliveries[-50:]
    ]
    tables.append(table("Notices, the newest last", ("state", "attempts", "what changed"), notices))
    grants = [
        (family.realm_id, family.begun_at.isoformat(timespec="seconds"), len(family.used),
         "revoked" if family.revoked else "live")
        for family in simulator.grants.families
    ]  # fmt: skip
    tables.append(table("Connections", ("realm", "since", "refreshes", "state"), grants))
    return page("QuickBooks Online, simulated", *tables)


def _state(invoice: Json) -> str:
    if str(invoice.get("PrivateNote", "")).startswith("Voided"):
        return "void"
    return "paid" if not invoice["Balance"] else "open" if invoice["Balance"] == invoice["TotalAmt"] else "partly paid"


def _applied(body: Json) -> str:
    links = [
        f"{line['LinkedTxn'][0]['TxnType']} {line['LinkedTxn'][0]['TxnId']}: {line['Amount']}"
        for line in body.get("Line", [])
        if line.get("LinkedTxn")
    ]
    return ", ".join(links)
