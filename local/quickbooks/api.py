"""The Accounting API on the wire: find the call, check who asks, meet a fault, do the work.

Source: developer.intuit.com, "Accounting API"; paths under /v3/company/{realmId}/.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request

from local.cloud.serving import log_lines
from local.google.wire import hang_up
from local.quickbooks.books import Books
from local.quickbooks.errors import Json, VendorError, invalid, not_simulated
from local.quickbooks.faults import HTML, Fault
from local.quickbooks.forms import PROPERTIES
from local.quickbooks.simulator import Simulator
from shared.providers import exact_json

_BY_PATH = {entity.lower(): entity for entity in PROPERTIES}
_log = log_lines("quickbooks")

Work = Callable[[Books], Json]


def api_blueprint(simulator: Simulator) -> Blueprint:
    """Return the routes of quickbooks.api.intuit.com."""
    routes = Blueprint("api", __name__, url_prefix="/v3/company/<realm_id>")

    @routes.route("/<path:path>", methods=["GET", "POST"])
    def answer(realm_id: str, path: str) -> Response:
        try:
            name, work = _find(path)
            return _performed(simulator, realm_id, name, work)
        except VendorError as error:
            return fault_response(simulator, error)

    return routes


def _performed(simulator: Simulator, realm_id: str, name: str, work: Work) -> Response:
    _authenticate(simulator, realm_id)
    if "json" not in request.headers.get("Accept", ""):
        return _response(simulator, 200, b'<?xml version="1.0"?><IntuitResponse/>', "application/xml")
    fault = simulator.faults.take(name, realm_id)
    if fault and fault.delay_s:
        time.sleep(fault.delay_s)
    if fault and (refused := _refused(simulator, fault)):
        return refused
    with simulator.lock:
        simulator.count(realm_id, name)
        try:
            body = work(simulator.companies[realm_id])
        except VendorError:
            raise
        except Exception as crash:
            _log.exception("the simulator is wrong in %s", name)
            raise VendorError("10000", "The simulator is wrong", str(crash), status=500, kind="SystemFault") from crash
        body["time"] = simulator.companies[realm_id].stamp()
        content = exact_json.dumps(body).encode()
    if fault and fault.reply_lost:
        hang_up()
    return _response(simulator, 200, content)


def fault_response(simulator: Simulator, error: VendorError) -> Response:
    """A fault. The gateway that checks tokens and throttles writes its names in lower case."""
    body = error.body(simulator.clock().isoformat(timespec="milliseconds"))
    if error.kind in {"AUTHENTICATION", "THROTTLE"}:
        errors = [{name.lower(): value for name, value in one.items()} for one in body["Fault"]["Error"]]
        body = {"warnings": None, "fault": {"error": errors, "type": error.kind}, "queryResponse": None}
    return _response(simulator, error.status, exact_json.dumps(body).encode())


def _response(simulator: Simulator, status: int, content: bytes, kind: str = "application/json") -> Response:
    return Response(content, status, {"Content-Type": kind, "intuit_tid": f"1-{simulator.new_token()[:24]}"})


def _refused(simulator: Simulator, fault: Fault) -> Response | None:
    if fault.html:
        return _response(simulator, fault.status or 503, HTML, "text/html")
    if error := fault.refusal:
        response = fault_response(simulator, error)
    elif fault.status is not None:
        response = _response(simulator, fault.status, exact_json.dumps(fault.body or {}).encode())
    else:
        return None
    response.headers.extend(dict(fault.headers))
    return response


def _authenticate(simulator: Simulator, realm_id: str) -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    with simulator.lock:
        opened = simulator.grants.realm_of(token) if scheme == "Bearer" else None
    if opened is None:
        message = "message=AuthenticationFailed; errorCode=003200; statusCode=401"
        raise VendorError("3200", message, status=401, kind="AUTHENTICATION")
    if opened != realm_id or realm_id not in simulator.companies:
        message = "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403"
        raise VendorError("3100", message, status=403, kind="AUTHENTICATION")


def _find(path: str) -> tuple[str, Work]:
    """The call's name and what it does. Raises: VendorError 501 for a call the simulator does not know."""
    parts, query = path.split("/"), request.args
    if path == "query":
        statement = query.get("query", "") if request.method == "GET" else request.get_data(as_text=True)
        return "query", lambda books: books.query(statement)
    if path == "cdc" and request.method == "GET":
        return "cdc", _changes
    if path == "preferences" and request.method == "GET":
        return "preferences.read", lambda books: {"Preferences": books.settings.preferences(_meta(books))}
    if parts[0] == "companyinfo" and len(parts) == 2 and request.method == "GET":
        return "companyinfo.read", lambda books: {"CompanyInfo": books.settings.company_info(_meta(books))}
    entity = _BY_PATH.get(parts[0])
    if entity and request.method == "GET" and len(parts) == 2:
        return f"{parts[0]}.read", lambda books: {entity: books.read(entity, parts[1])}
    if entity == "Invoice" and request.method == "POST" and len(parts) == 3 and parts[2] == "send":
        return "invoice.send", lambda books: {"Invoice": books.send(parts[1], query.get("sendTo"))}
    if entity and request.method == "POST" and len(parts) == 1:
        return _written(entity, parts[0])
    raise not_simulated(f"{request.method} {path}")


def _written(entity: str, name: str) -> tuple[str, Work]:
    body, request_id = _body(), request.args.get("requestid")
    operation, include = request.args.get("operation", ""), request.args.get("include", "")
    if request_id and len(request_id) > 50:
        raise invalid("requestid: at most 50 characters")
    if operation == "delete":
        return f"{name}.delete", lambda books: {entity: books.delete(entity, body)}
    # An invoice is voided by its own operation, every other form by an update that includes the voiding.
    if (operation == "void" and entity == "Invoice") or (operation == "update" and include == "void"):
        return f"{name}.void", lambda books: {entity: books.void(entity, body)}
    if operation not in {"", "update"}:
        raise not_simulated(f"operation={operation} of {entity}")
    if body.get("Id"):
        return f"{name}.update", lambda books: {entity: books.update(entity, body, request_id)}
    return f"{name}.create", lambda books: {entity: books.create(entity, body, request_id)}


def _changes(books: Books) -> Json:
    entities = request.args.get("entities", "").split(",")
    try:
        since = datetime.fromisoformat(request.args.get("changedSince", ""))
    except ValueError:
        raise invalid("changedSince") from None
    if since.tzinfo is None:
        raise invalid("changedSince: without an offset, which the simulator does not guess")
    return books.changed_since(entities, since)


def _body() -> Json:
    try:
        body: Any = exact_json.loads(request.get_data())
    except ValueError:
        raise invalid("the body is not JSON") from None
    if not isinstance(body, dict):
        raise invalid("the body is no object")
    return body


def _meta(books: Books) -> Json:
    return {"CreateTime": "2025-01-02T08:00:00-08:00", "LastUpdatedTime": books.stamp()}
