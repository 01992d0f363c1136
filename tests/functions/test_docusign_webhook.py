"""DocuSign's notices at the function's door: proven on their bytes, stored, queued, answered (I21, I25)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import functions_framework
import pytest

from shared import wiring
from shared.records.store import TenantStore
from tests.contract_world import CONNECTION, TENANT, ContractWorld, contract_world
from tests.fake_signing import Delivered
from tests.usecases.cash.test_contract_sync import signed_anew

MAIN = Path(__file__).parents[2] / "functions" / "docusign_webhook" / "main.py"


class Post(Protocol):
    def __call__(self, delivered: Delivered, path: str = ...) -> int: ...


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> ContractWorld:
    world = contract_world()
    wiring._connect_keys.cache_clear()
    monkeypatch.setattr(wiring, "store", lambda tenant: TenantStore(world.documents, tenant))
    monkeypatch.setattr(wiring, "vault", lambda _tenant: world.vault)
    monkeypatch.setattr(wiring, "tasks", lambda: world.tasks)
    monkeypatch.setattr(wiring, "clock", lambda: world.clock)
    monkeypatch.setattr(wiring, "park", lambda *_: None)
    return world


@pytest.fixture
def post() -> Iterator[Post]:
    app = functions_framework.create_app("docusign_webhook", str(MAIN))  # type: ignore[no-untyped-call]  # no types
    client = app.test_client()

    def send(delivered: Delivered, path: str = f"/{TENANT}/{CONNECTION}") -> int:
        return int(client.post(path, data=delivered.body, headers=dict(delivered.headers)).status_code)

    yield send
    os.environ.pop("FUNCTION_SIGNATURE_TYPE", None)  # left behind by the framework


@pytest.fixture
def notice(world: ContractWorld) -> Delivered:
    world.sends(world.contracts(world.accepted()))
    return world.docusign.posts()[0]


def deliveries(world: ContractWorld) -> int:
    return sum("/deliveries/" in path for path in world.documents.dump())  # type: ignore[attr-defined]  # memory


def test_a_notice_is_stored_and_queued_once_however_often_it_comes(
    world: ContractWorld, post: Post, notice: Delivered
) -> None:
    assert notice.url == f"https://crm.example/docusign_webhook/{TENANT}/{CONNECTION}"
    assert [post(notice) for _ in range(3)] == [204, 204, 204]
    assert deliveries(world) == 1
    assert len(world.queue.pending("contract-sync")) == 1


def test_store_outage_is_finished_by_the_next_delivery(world: ContractWorld, post: Post, notice: Delivered) -> None:
    world.queue.down = True
    assert post(notice) == 503
    world.queue.down = False
    assert post(notice) == 204
    assert len(world.queue.pending("contract-sync")) == 1


def test_without_proof_nothing_is_stored(world: ContractWorld, post: Post, notice: Delivered) -> None:
    again = json.dumps(json.loads(notice.body)).encode()
    assert again != notice.body
    assert post(replace(notice, headers={})) == 401
    assert post(replace(notice, body=again)) == 401
    assert post(replace(notice, body=b"not even JSON")) == 401
    assert deliveries(world) == 0


@pytest.mark.parametrize(
    "path", ["/", f"/{TENANT}", f"/{TENANT}/n-other", f"/other/{CONNECTION}", f"/{TENANT}/{CONNECTION}/more"]
)
def test_another_address_has_no_key(world: ContractWorld, post: Post, notice: Delivered, path: str) -> None:
    assert post(notice, path) == 401
    assert deliveries(world) == 0


def test_a_proven_notice_nobody_can_read_is_parked(world: ContractWorld, post: Post, notice: Delivered) -> None:
    assert post(signed_anew(notice, b"<DocuSignEnvelopeInformation/>")) == 202
    assert deliveries(world) == 0


def test_a_notice_that_is_too_large_is_refused_unread(world: ContractWorld, post: Post, notice: Delivered) -> None:
    assert post(replace(notice, body=b"x" * 900_001)) == 413
