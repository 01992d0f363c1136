"""The functions of the ledgers as they are called from outside, over fakes: real HTTP requests into real `main.py`s."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import functions_framework
import pytest
from flask.testing import FlaskClient

from shared import wiring
from shared.domain.people import User
from shared.domain.quarantine import Parked
from shared.ports.tasks import Task
from shared.records.routes import Routes
from shared.records.store import TenantStore
from tests.cash_world import FIONA, LEDGER, CashWorld

ROOT = Path(__file__).parents[2] / "functions"
VERIFIER = "verifier-token-of-the-app"


class AnyServiceToken:
    """Lets every caller of our own queues in; who may come in is proven elsewhere."""

    def verify(self, bearer: str | None, audience: str) -> None:
        assert audience


class Doors:
    """user: who is signed in. parked: what entry points could not hand on."""

    def __init__(self, world: CashWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.user: User = FIONA
        self.parked: list[Parked] = []
        replaced = {
            "routes": lambda: Routes(world.documents),
            "documents": lambda: world.documents,
            "store": lambda tenant: TenantStore(world.documents, tenant),
            "vault": lambda _: world.vault,
            "tasks": lambda: world.tasks,
            "clock": lambda: world.clock,
            "chance": lambda: world.chance,
            "jitter": lambda: world.jitter,
            "open_ledger": lambda _: world.open_ledger,
            "ledger": lambda *_: world.ledger,
            "ledger_credit": lambda *_: world.credit,
            "keys_credit": lambda *_: world.credit,
            "signed_in": lambda _: (world.store, self.user),
            "notice_keys": lambda _: (VERIFIER,),
            "service_tokens": AnyServiceToken,
            "function_url": lambda name: f"https://functions.example/{name}",
            "park": lambda *parked: self.parked.append(parked),
        }
        for name, replacement in replaced.items():
            monkeypatch.setattr(wiring, name, replacement)

    def post(self, function: str, body: Any, **headers: str) -> Any:
        """Returns the answer of the function, as JSON where it has any, else its status."""
        return _read(client(function).post("/", json=body, headers=headers))

    def get(self, function: str, **arguments: str) -> Any:
        return _read(client(function).get("/", query_string=arguments))

    def notices(self, body: bytes, *, signature: str | None = None) -> int:
        """A POST of Intuit's, signed as Intuit does unless something else is given."""
        made = base64.b64encode(hmac.new(VERIFIER.encode(), body, hashlib.sha256).digest()).decode()
        headers = {"intuit-signature": made if signature is None else signature}
        answer = client("quickbooks_webhook").post(
            "/", data=body, headers=headers, content_type="application/cloudevents+json"
        )
        return answer.status_code

    def schedule(self, function: str) -> int:
        headers = {
            "X-CloudScheduler-JobName": function,
            "X-CloudScheduler-ScheduleTime": self.world.clock.now().isoformat(),
        }
        return client(function).post("/", headers=headers).status_code

    def drain(self) -> list[str]:
        """Every task that is due, through its own function; returns their names in order."""
        ran = []
        while due := self.world.queue.due():
            task: Task = due[0]
            headers = {"X-CloudTasks-TaskName": task.name, "X-CloudTasks-QueueName": task.queue}
            answer = client(task.function).post("/", data=json.dumps(task.payload), headers=headers)
            assert answer.status_code == 204, f"{task.function}: {answer.status_code}"
            self.world.queue.done(task)
            ran.append(task.function)
        return ran


@cache
def client(function: str) -> FlaskClient:
    app = functions_framework.create_app(function, str(ROOT / function / "main.py"))  # type: ignore[no-untyped-call]  # it has no types
    os.environ.pop("FUNCTION_SIGNATURE_TYPE", None)  # left behind by the framework
    return app.test_client()  # type: ignore[no-any-return]  # a Flask app


def _read(answer: Any) -> Any:
    if answer.status_code == 200:
        return answer.get_json()
    return answer.get_json()["detail"] if answer.data else answer.status_code


def cloud_event(kind: str, id_: str, *, event: str = "e-1", realm: str = "9130350000000001") -> Mapping[str, object]:
    """As Intuit sends it since 2026."""
    return {
        "specversion": "1.0",
        "id": event,
        "source": "intuit.example",
        "type": f"qbo.{kind}.updated.v1",
        "datacontenttype": "application/json",
        "time": "2026-03-02T09:00:00Z",
        "intuitentityid": id_,
        "intuitaccountid": realm,
        "data": {},
    }


def older(name: str, id_: str, realm: str = "9130350000000001") -> Mapping[str, object]:
    """As Intuit sent it before."""
    entity = {"name": name, "id": id_, "operation": "Update", "lastUpdated": "2026-03-02T09:00:00Z"}
    return {"eventNotifications": [{"realmId": realm, "dataChangeEvent": {"entities": [entity]}}]}


CONNECTION = {"connection": LEDGER}
