"""The simulated NetSuite's HTTP face: its REST services, /control/ for tests, and / for people."""

from __future__ import annotations

import socket
import time
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from flask import Flask, Response, request

from local.google.html import page, table
from local.netsuite.books import PAYING, Books, Record
from local.netsuite.control import control_blueprint
from local.netsuite.errors import ApiError, Json, TokenError, not_simulated, user_error
from local.netsuite.faults import Fault
from local.netsuite.simulator import Reply, Request, Simulator
from shared.providers import exact_json

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def create_app(simulator: Simulator) -> Flask:
    """Return the WSGI application around one simulator."""
    app = Flask(__name__)
    app.register_blueprint(control_blueprint(simulator))

    @app.get("/")
    def home() -> str:
        with simulator.lock:
            return _home(simulator)

    @app.post("/services/rest/auth/oauth2/v1/token")
    def token() -> Response:
        fault = simulator.faults.take("token")
        if fault and (refused := _faulted(fault)):
            return refused
        try:
            with simulator.lock:
                body = simulator.gate.buy(request.form)
        except TokenError as problem:
            return _json({"error": problem.error}, problem.status)
        return _lost() if fault and fault.reply_lost else _json(body)

    @app.route("/services/rest/<path:_>", methods=_METHODS)
    def rest(_: str) -> Response:
        try:
            with simulator.slot():
                return _rest(simulator)
        except ApiError as problem:
            response = _json(problem.body(), problem.status)
            if problem.status == 401:
                realm = simulator.account_id
                response.headers["WWW-Authenticate"] = f'Bearer realm="{realm}", error="invalid_token"'
            return response

    @app.route("/<path:_>", methods=_METHODS)
    def unknown(_: str) -> Response:
        problem = not_simulated(f"{request.method} /{_}")
        return _json(problem.body(), problem.status)

    @app.after_request
    def name_call(response: Response) -> Response:
        with simulator.lock:
            response.headers["X-N-OperationId"] = f"{simulator.chance.getrandbits(128):032x}"
        return response

    return app


def _rest(simulator: Simulator) -> Response:
    raw_path = request.environ["REQUEST_URI"].partition("?")[0]
    # Split before it is decoded: an external id may hold a slash.
    parts = tuple(unquote(part) for part in raw_path.removeprefix("/services/rest/").rstrip("/").split("/"))
    with simulator.lock:
        url = f"{request.host_url.rstrip('/')}{request.environ['REQUEST_URI']}"
        role = simulator.gate.role_of(request.method, url, request.headers.get("Authorization", ""))
    fault = simulator.faults.take(simulator.operation(request.method, parts))
    if fault and (refused := _faulted(fault)):
        return refused
    with simulator.lock:
        reply = simulator.answer(
            Request(
                method=request.method,
                parts=parts,
                role=role,
                root=f"{request.host_url.rstrip('/')}/services/rest",
                parameters=request.args.to_dict(),
                body=_content(),
                accept=request.headers.get("Accept", ""),
                prefer=request.headers.get("Prefer", ""),
                strict=request.headers.get("X-NetSuite-PropertyNameValidation", "").lower() == "error",
            )
        )
    return _lost() if fault and fault.reply_lost else _response(reply)


def _content() -> Any:
    if not request.get_data():
        return None
    try:
        return exact_json.loads(request.get_data())
    except ValueError:
        raise user_error("The request body is not valid JSON.") from None


def _faulted(fault: Fault) -> Response | None:
    """Wait as the fault asks; the refusal, if it is one."""
    if fault.delay_s:
        time.sleep(fault.delay_s)
    if fault.status is None:
        return None
    if fault.text is not None:
        response = Response(fault.text, status=fault.status, content_type="text/html")
    else:
        response = _json(fault.refusal(), fault.status)
    response.headers.update(fault.headers or {})
    return response


def _response(reply: Reply) -> Response:
    if reply.body is not None:
        return _json(reply.body)
    response = Response(status=204)
    if reply.location:
        response.headers["Location"] = reply.location
    return response


def _lost() -> Response:
    """Hang up; what is written afterwards goes nowhere."""
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
    return Response(status=500)


def _json(body: Json, status: int = 200) -> Response:
    return Response(exact_json.dumps(body), status=status, content_type="application/vnd.oracle.resource+json")


def _home(simulator: Simulator) -> str:
    books = simulator.books

    def who(record: Record) -> str:
        customer = books.by_id(record.reference("entity") or record.reference("customer") or "")
        return customer.text("entityId") if customer else ""

    invoices = [
        (
            record.id,
            record.text("tranId"),
            record.fields.get("externalId") or "",
            who(record),
            _money(books.total(record)),
            _money(books.remaining(record)),
            _state(books, record),
        )
        for record in books.all("invoice")
    ]
    payments = [
        (record.id, record.kind.name, who(record), _money(books.total(record)), _applied(record))
        for record in books.all(*PAYING, "customerRefund")
    ]
    customers = [
        (record.id, record.text("entityId"), record.fields.get("externalId") or "") for record in books.all("customer")
    ]
    ways = [
        (
            certificate.client_id,
            certificate.role,
            certificate.ends_at[:10],
            "revoked" if certificate.revoked else "live",
        )
        for certificate in simulator.gate.certificates.values()
    ]
    return page(
        f"NetSuite {simulator.account_id}, simulated",
        table("Invoices", ("id", "number", "external id", "customer", "total", "to pay", "state"), invoices),
        table("Payments, credits and refunds", ("id", "kind", "customer", "amount", "applied"), payments),
        table("Customers", ("id", "name", "external id"), customers),
        table("Mailed invoices", ("invoice", "to"), books.mailed),
        table("Certificates", ("client", "role", "until", "state"), ways),
        table("Calls", ("operation", "times"), sorted(simulator.calls.items())),
    )


def _state(books: Books, invoice: Record) -> str:
    if invoice.voided:
        return "void"
    left = books.remaining(invoice)
    return "paid" if not left else "open" if left == books.total(invoice) else "partly paid"


def _applied(record: Record) -> str:
    if record.voided:
        return "void"
    lines = record.lines("apply")
    return ", ".join(f"{_money(line['amount'])} to {line['doc']['id']}" for line in lines)


def _money(amount: Decimal | int) -> str:
    return f"{Decimal(amount):,.2f}"
