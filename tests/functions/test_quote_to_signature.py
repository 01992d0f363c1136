"""From connecting DocuSign to a won deal: the real functions, over HTTP, with the vendor's own bytes (Q1 to Q7)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from werkzeug.test import Client, TestResponse

from local.functions_server.apps import load_functions
from shared import wiring
from shared.domain.mailbox import Status
from shared.domain.people import User
from shared.platform.paper.writer import PaperWriter
from shared.records.connections import Connections
from shared.records.signing import signing_services
from shared.records.store import TenantStore
from tests.contract_world import ADA, ANNA, CONNECTION, DEAL, PDF, ContractWorld, contract_world
from tests.fake_signing import CLIENT, KEYS, ROOT, TEMPLATE, USER
from tests.fakes import FakeChance

FUNCTIONS = Path(__file__).parents[2] / "functions"
BASE = "https://crm.example"
CALLBACK = f"{BASE}/oauth_callback"


class AnyCaller:
    """Stands for the check of our own callers' tokens, which has its own tests."""

    def verify(self, token: str | None, audience: str) -> None:
        """Everybody is who they say."""


@dataclass
class Product:
    """All functions, the world they work in, and who is signed in."""

    http: Client
    world: ContractWorld
    user: User = ANNA

    def ask(self, function: str, body: Mapping[str, Any] | None = None, *, method: str = "POST", **query: str) -> Any:
        answer = self.send(function, body, method=method, **query)
        assert answer.status_code < 300, (function, answer.status_code, answer.get_data(as_text=True))
        return answer.get_json()

    def send(
        self, function: str, body: Mapping[str, Any] | None = None, *, method: str = "POST", **query: str
    ) -> TestResponse:
        return self.http.open(f"/{function}", method=method, json=body, query_string=query)

    def work(self) -> None:
        """Every queued task is dispatched to its function, as Cloud Tasks would."""
        for _ in range(200):
            due = [task for task in self.world.queue.due() if task.function != "invoice_trigger"]
            if not due:
                return
            for task in due:
                headers = {"X-CloudTasks-TaskName": task.name, "X-CloudTasks-QueueName": task.queue}
                answer = self.http.post(f"/{task.function}", json=task.payload, headers=headers)
                assert answer.status_code == 204, (task.function, answer.status_code)
                self.world.queue.done(task)
        raise AssertionError("the queues never run dry")

    def scheduled(self, function: str) -> None:
        headers = {
            "X-CloudScheduler-JobName": function,
            "X-CloudScheduler-ScheduleTime": self.world.clock.now().isoformat(),
        }
        assert self.http.post(f"/{function}", headers=headers).status_code == 204
        self.work()

    def hear(self) -> None:
        """The vendor posts its notices to the address that each envelope carries."""
        while posts := self.world.docusign.posts():
            for post in posts:
                path = post.url.removeprefix(BASE)
                status = self.http.post(path, data=post.body, headers=dict(post.headers)).status_code
                self.world.docusign.acknowledge(post, status)
                assert status == 204
                self.work()

    def chain(self) -> list[str]:
        return [step["step"] for step in self.ask("chain_read", method="GET", deal=DEAL)["steps"]]

    def contract(self, quote_id: str) -> str:
        made = self.ask("contract_write", {"quote": quote_id, "type": "msa"}, key="request-1")
        return str(made["contract"]["contract_id"])


@pytest.fixture
def product(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Product:
    world = contract_world()
    client = {"client_id": CLIENT, "client_secret": "hush"}
    (tmp_path / "client.json").write_text(json.dumps({**client, "sandbox": True}))
    world.docusign.simulator.directory.add_client({**client, "redirect_uris": [CALLBACK]})
    for cached in (wiring.authorization, wiring._connect_keys, wiring._signing_token, wiring._call_log):
        cached.cache_clear()
    for name, value in {
        "DOCUSIGN_OAUTH_CLIENT": str(tmp_path / "client.json"),
        "DOCUSIGN_API_ROOT": ROOT,
        "PUBLIC_BASE_URL": BASE,
        "FUNCTIONS_BASE_URL": BASE,
        "WEB_URL": "https://app.crm.example",
    }.items():
        monkeypatch.setenv(name, value)
    product = Product(Client(load_functions(FUNCTIONS)), world)
    paper = PaperWriter(signature_anchor=str, date_anchor=str)
    for name, built in {
        "store": lambda tenant: TenantStore(world.documents, tenant),
        "documents": lambda: world.documents,
        "vault": lambda _tenant: world.vault,
        "blobs": lambda _tenant: world.blobs,
        "tasks": lambda: world.tasks,
        "clock": lambda: world.clock,
        "chance": lambda: chance,
        "jitter": lambda: world.jitter,
        "service_tokens": AnyCaller,
        "papers": lambda: paper,
        "_wire": lambda: world.docusign.wire,
        "signed_in": lambda _request: (world.store, product.user),
    }.items():
        monkeypatch.setattr(wiring, name, built)
    return product


chance = FakeChance(7)


def connects(product: Product) -> TestResponse:
    """An administrator goes to DocuSign, agrees, and comes back."""
    product.user = ADA
    begun = product.send("oauth_start", provider="docusign")
    assert begun.status_code == 200, begun.get_data(as_text=True)
    asked = urlsplit(begun.get_json()["url"])
    form = {**dict(parse_qsl(asked.query)), "user": USER, "decision": "allow"}
    wire = product.world.docusign.wire
    form_type = {"content-type": "application/x-www-form-urlencoded"}
    back = wire.send(
        "POST", begun.get_json()["url"].partition("?")[0], headers=form_type, body=urlencode(form), call=""
    )
    assert back.status == 302
    query = dict(parse_qsl(urlsplit(back.headers["location"]).query))
    cookie = begun.headers["Set-Cookie"].partition(";")[0]
    return product.http.get("/oauth_callback", query_string=query, headers={"Cookie": cookie})


def set_up(product: Product) -> None:
    product.user = ADA
    product.ask("signing_setup", {"keys": KEYS, "refresh_templates": True})
    product.ask(
        "signing_setup",
        {
            "contract_type": {
                "id": "msa",
                "name": "Master services agreement",
                "roles": [{"role": "Customer", "side": "customer"}, {"role": "Countersigner", "side": "us"}],
                "templates": [{"id": TEMPLATE, "name": "MSA", "prefill": {"Customer": {"Company": "company.name"}}}],
                "months": 12,
            }
        },
    )
    product.user = ANNA


QUOTE = {
    "deal": DEAL,
    "contact": "c-carla",
    "currency": "USD",
    "lines": [
        {"description": "Licence", "quantity": "50", "unit_price": "150.00", "discount_percent": "10"},
        {"description": "Onboarding", "unit_price": "12000.00"},
        {"description": "Training", "unit_price": "5000.00", "discount_percent": "15"},
    ],
    "discount_amount": "2000.00",
    "tax_percent": "8",
}


def quoted(product: Product) -> str:
    """A quote that the customer accepted on its page; returns its id."""
    quote = product.ask("quote_write", QUOTE, key="request-1")
    assert quote["totals"]["total"] == {"minor": 2_268_000, "currency": "USD"}
    quote_id = str(quote["quote"]["quote_id"])
    link = product.ask("quote_send", {"expires_on": "2026-04-01"}, quote=quote_id)["link"].removeprefix(BASE)
    assert product.http.get(link).status_code == 200
    for form in (
        {"deed": "open"},
        {"deed": "accept", "name": "Carla Buyer", "email": "carla@globex.example", "agree": "yes"},
    ):
        assert product.http.post(link, data=form).status_code == 303
    assert product.http.get(f"{link}?document=1").get_data().startswith(b"%PDF-")
    return quote_id


def test_the_whole_way_from_connecting_to_a_won_deal(product: Product) -> None:
    answer = connects(product)
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        f"https://app.crm.example/connections/{CONNECTION}?provider=docusign",
    )
    product.work()
    account = signing_services(product.world.store).get(CONNECTION).value.account
    assert account is not None
    assert (account.name, account.production) == ("Acme", False)
    set_up(product)

    contract_id = product.contract(quoted(product))
    assert product.ask("contract_send", method="GET", contract=contract_id)["readiness"]["problems"] == []
    assert product.ask("contract_send", contract=contract_id)["contract"]["status"] == "sent"
    product.hear()
    product.ask("contract_control", {"action": "remind"}, contract=contract_id)
    product.world.signs()
    product.hear()

    assert product.world.deal().stage == "won"
    assert product.chain() == [
        "quote.sent",
        "quote.viewed",
        "quote.accepted",
        "contract.prepared",
        "contract.sent",
        "contract.reminded",
        "contract.viewed",
        "contract.signed_by",
        "contract.viewed",
        "contract.signed_by",
        "contract.signed",
        "contract.stored",
        "deal.won",
    ]
    product.scheduled("contract_dates")
    product.scheduled("docusign_reconcile")
    table = product.send("chain_read", None, method="GET", deal=DEAL, **{"as": "table"}).get_data(as_text=True)
    assert len(table.splitlines()) == 1 + len(product.chain())
    read = product.ask("chain_read", method="GET", deal=DEAL)
    assert read["contracts"][0]["status"] == "active"
    assert read["refused_moves"] == 0


def test_lost_notices_are_made_up_for_by_the_reconcile(product: Product) -> None:
    connects(product)
    product.work()
    set_up(product)
    contract_id = product.contract(quoted(product))
    product.ask("contract_send", contract=contract_id)
    product.world.signs()
    product.world.loses_notices()
    product.ask("contract_control", {"action": "reconcile"}, contract=contract_id)
    product.work()
    assert product.world.deal().stage == "won"


def test_a_pdf_signed_elsewhere_wins_the_deal_too(product: Product) -> None:
    product.world.contract_type(terms="Between {company.name} and us.", templates=())
    contract_id = product.contract(quoted(product))
    query = {"contract": contract_id, "signed_on": "2026-03-01", "signed_by": "Carla Buyer <carla@globex.example>"}
    answer = product.http.post("/contract_upload", query_string=query, data=PDF)
    assert answer.get_json()["contract"]["status"] == "fully_signed"
    product.work()
    assert product.world.deal().stage == "won"


def test_who_declines_at_docusign_is_told_so(product: Product) -> None:
    product.user = ADA
    begun = product.send("oauth_start", provider="docusign").get_json()["url"]
    state = dict(parse_qsl(urlsplit(begun).query))["state"]
    answer = product.http.get("/oauth_callback", query_string={"state": state, "error": "access_denied"})
    assert answer.status_code == 400
    assert "start connecting again" in answer.get_json()["detail"]


def test_only_an_admin_connects_and_an_unknown_provider_is_not_there(product: Product) -> None:
    assert product.send("oauth_start", provider="docusign").status_code == 403
    for unknown in ("nowhere", "../google", "call_record", ""):
        assert product.send("oauth_start", provider=unknown).status_code == 400


def test_a_connection_that_waits_for_a_person_calls_nobody(product: Product) -> None:
    connections = Connections(product.world.store)
    stored = connections.get(CONNECTION)
    broken = replace(stored.value, status=Status.RECONNECT_NEEDED)
    product.world.store.commit([connections.updating(broken, stored.version)])
    contract_id = product.contract(quoted(product))
    answer = product.send("contract_send", contract=contract_id)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "reconnect")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({**QUOTE, "lines": [{"description": "X", "unit_price": "1.234"}]}, "more digits"),
        ({**QUOTE, "lines": [{"description": "X", "unit_price": 1.5}]}, "Write numbers as text"),
        ({**QUOTE, "lines": [{"description": "X"}]}, "A price is missing"),
        ({**QUOTE, "lines": [{"unit_price": "1.00"}]}, "'description' is missing"),
        ({**QUOTE, "lines": "many"}, "is a list"),
        ({**QUOTE, "currency": "dollars"}, "no currency"),
        ({**QUOTE, "expires_on": "soon"}, "is no day"),
        ({**QUOTE, "deal": "d/1"}, "not an id"),
        ({**QUOTE, "schedule": [{"percent": "100", "due": "whenever"}]}, "no due we know"),
        ({**QUOTE, "tax_percent": "NaN"}, "no number that can be used"),
    ],
)
def test_a_quote_nobody_can_read_is_refused_with_a_sentence(
    product: Product, body: dict[str, Any], sentence: str
) -> None:
    answer = product.send("quote_write", body, key="k")
    assert answer.status_code == 400
    assert sentence in answer.get_json()["detail"]
