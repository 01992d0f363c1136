"""The simulated QuickBooks over HTTP: who may ask, what is refused, and what survives a restart."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request

from local.cloud.serving import running
from local.quickbooks.app import create_app
from local.quickbooks.simulator import Simulator
from shared.errors import ProviderUnavailableError
from shared.providers.quickbooks.webhook import parse_delivery, verify_signature
from shared.providers.wire import Answer, Wire

REALM = "9341450000000001"
CLIENT = {"client_id": "throughline.example", "client_secret": "hush", "redirect_uris": ["https://crm.example/back"]}


class Face:
    """Calls one simulator. bearer: sent with every call of the API."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bearer = ""
        self._wire = Wire()

    def control(self, path: str, **body: Any) -> Any:
        answer = self._wire.send("POST", f"{self.url}/control/{path}", body=json.dumps(body), call=path)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def api(
        self, method: str, path: str, body: Any = None, *, realm: str = REALM, accept: str = "application/json"
    ) -> Answer:
        headers = {"authorization": f"Bearer {self.bearer}", "accept": accept}
        content = None if body is None else json.dumps(body)
        return self._wire.send(
            method, f"{self.url}/v3/company/{realm}/{path}", headers=headers, body=content, call=path
        )

    def get(self, path: str) -> Answer:
        return self._wire.send("GET", f"{self.url}{path}", call=path)

    def connect(self) -> None:
        self.control("clients", **CLIENT)
        self.control("companies", realm_id=REALM)
        self.bearer = self.control("tokens", client_id=CLIENT["client_id"], realm_id=REALM)["access_token"]


@pytest.fixture
def face() -> Iterator[Face]:
    with running(create_app(Simulator(calls_per_minute=5))) as url:
        found = Face(url)
        found.connect()
        yield found


def code(answer: Answer) -> str:
    body = json.loads(answer.body)
    return str(body["Fault"]["Error"][0]["code"] if "Fault" in body else body["fault"]["error"][0]["code"])


def test_every_answer_carries_intuits_id_of_the_call(face: Face) -> None:
    answers = [face.api("GET", "preferences"), face.api("GET", "customer/999"), face.api("GET", "no/such/call")]
    assert len({answer.headers["intuit_tid"] for answer in answers}) == 3


def test_nobody_reads_without_a_token_or_another_company(face: Face) -> None:
    other = face.api("GET", "preferences", realm="123")
    assert (other.status, code(other)) == (403, "3100")
    face.bearer = "invented"
    refused = face.api("GET", "preferences")
    assert (refused.status, code(refused)) == (401, "3200")


def test_without_asking_for_json_the_answer_is_xml(face: Face) -> None:
    assert face.api("GET", "preferences", accept="*/*").headers["content-type"] == "application/xml"


@pytest.mark.parametrize(
    "path", ["reports/ProfitAndLoss", "invoice/1/pdf", "estimate/1", "query?query=select%20*%20from%20Bill"]
)
def test_a_call_it_does_not_know_is_refused_loudly(face: Face, path: str) -> None:
    answer = face.api("GET", path)
    assert answer.status == 501
    assert b"does not know" in answer.body


def test_more_calls_than_intuit_takes_in_a_minute_are_429(face: Face) -> None:
    answers = [face.api("GET", "preferences") for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    face.control("clock", advance_s=61)
    assert face.api("GET", "preferences").status == 200


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"code": "5010"}, 400), ({"code": "6240"}, 400), ({"code": "6140"}, 400), ({"code": "3200"}, 401),
        ({"code": "3001"}, 429), ({"html": True}, 503), ({"status": 418, "body": {"a": 1}}, 418),
    ],
)  # fmt: skip
def test_an_armed_fault_is_met_once_and_the_work_is_not_done(face: Face, fault: dict[str, Any], status: int) -> None:
    face.control("faults", call="customer.create", **fault)
    body = {"DisplayName": "Northwind Example"}
    assert face.api("POST", "customer", body).status == status
    assert face.api("POST", "customer", body).status == 200


def test_a_lost_answer_means_the_work_was_done(face: Face) -> None:
    face.control("faults", call="customer.create", reply_lost=True)
    body = {"DisplayName": "Northwind Example"}
    with pytest.raises(ProviderUnavailableError):
        face.api("POST", "customer?requestid=r1", body)
    assert json.loads(face.api("POST", "customer?requestid=r1", body).body)["Customer"]["SyncToken"] == "0"
    assert code(face.api("POST", "customer?requestid=r2", body)) == "6240"


def test_a_fault_that_changes_nothing_is_refused(face: Face) -> None:
    answer = Wire().send("POST", f"{face.url}/control/faults", body='{"call": "query"}', call="faults")
    assert answer.status == 400


def test_a_notice_reaches_a_listener_over_http_and_comes_again_when_refused(face: Face) -> None:
    listener, statuses, heard = Flask("listener"), [503, 204], list[tuple[bytes, dict[str, str]]]()

    @listener.post("/hook")
    def hear() -> Response:
        heard.append((request.get_data(), dict(request.headers)))
        return Response(status=statuses.pop(0))

    with running(listener) as url:
        face.control("webhook", url=f"{url}/hook", verifier_token="verifier")
        face.api("POST", "customer", {"DisplayName": "Northwind Example"})
        for pause in (0, 30, 300):
            face.control("clock", advance_s=pause)
    assert heard[0][0] == heard[1][0]
    assert statuses == []
    for body, headers in heard:
        verify_signature(body, headers, keys=["verifier"])
    assert parse_delivery(heard[0][0])[0].company_id == REALM


def test_a_person_sees_the_books_escaped(face: Face) -> None:
    customer = json.loads(face.api("POST", "customer", {"DisplayName": "<b>Northwind</b>"}).body)["Customer"]
    line = {"DetailType": "SalesItemLineDetail", "Amount": 5, "SalesItemLineDetail": {"ItemRef": {"value": "3"}}}
    face.api("POST", "invoice", {"CustomerRef": {"value": customer["Id"]}, "DocNumber": "A-1", "Line": [line]})
    page = face.get("/").body.decode()
    assert "A-1" in page
    assert "&lt;b&gt;Northwind" in page
    assert "<b>Northwind" not in page


def test_a_browser_is_sent_to_registered_addresses_only(face: Face) -> None:
    query = "client_id=throughline.example&response_type=code&scope=com.intuit.quickbooks.accounting&state=s"
    assert face.get(f"/connect/oauth2?{query}&redirect_uri=https://evil.example/").status == 400
    assert face.get(f"/connect/oauth2?{query}&redirect_uri=https://crm.example/back").status == 200


def test_books_and_connections_outlive_a_restart(tmp_path: Path) -> None:
    first = Simulator(tmp_path)
    with running(create_app(first)) as url:
        face = Face(url)
        face.connect()
        face.api("POST", "customer", {"DisplayName": "Northwind Example"})
        first.tick()
    with running(create_app(Simulator(tmp_path))) as url:
        again = Face(url)
        again.bearer = face.bearer
        found = json.loads(again.api("GET", "query?query=select%20*%20from%20Customer").body)
        assert found["QueryResponse"]["Customer"][0]["DisplayName"] == "Northwind Example"


def test_it_runs_as_a_command_and_ends_when_told(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clients = tmp_path / "clients.json"
    clients.write_text(json.dumps([CLIENT]))
    command = [
        sys.executable,
        "-m",
        "local.quickbooks",
        "--port",
        str(port),
        "--data",
        str(tmp_path),
        "--clients",
        str(clients),
    ]
    process = subprocess.Popen(command)
    try:
        assert _answers(port, process)
        assert Face(f"http://127.0.0.1:{port}").control("companies")["realm_id"].isdecimal()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Whether it listens, asked until it does or ends."""
    not_yet = threading.Event()
    while process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == 200
        except OSError:
            not_yet.wait(0.02)
        finally:
            connection.close()
    return False
