"""Google's notices at the function's door: proven, queued, answered."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import functions_framework
import pytest

from shared import wiring
from shared.records.routes import Routes
from shared.records.store import TenantStore
from tests.usecases.calendar.fake_calendar import at, event
from tests.usecases.calendar.world import CARLA, TENANT, World

MAIN = Path(__file__).parents[2] / "functions" / "calendar_push" / "main.py"


class Post(Protocol):
    def __call__(self, channel_id: str, **changed: str) -> int: ...


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    world.connect()
    monkeypatch.setattr(wiring, "routes", lambda: Routes(world.documents))
    monkeypatch.setattr(wiring, "store", lambda tenant: TenantStore(world.documents, tenant))
    monkeypatch.setattr(wiring, "tasks", lambda: world.tasks)
    return world


@pytest.fixture
def post(world: World) -> Iterator[Post]:
    """Post a notice of a channel of Ann's, as Google does: headers and an empty body."""
    app = functions_framework.create_app("calendar_push", str(MAIN))  # type: ignore[no-untyped-call]  # it has no types
    client = app.test_client()

    def send(channel_id: str, **changed: str) -> int:
        channel = world.ann.channels.get(channel_id)
        headers = {
            "X-Goog-Channel-ID": channel_id,
            "X-Goog-Channel-Token": channel.token if channel else "guessed",
            "X-Goog-Resource-ID": f"resource of {channel.calendar_id}" if channel else "none",
            "X-Goog-Resource-State": "exists",
            "X-Goog-Message-Number": "2",
        }
        headers.update({f"X-Goog-{name.replace('_', '-')}": value for name, value in changed.items()})
        return int(client.post("/", headers=headers).status_code)

    yield send
    os.environ.pop("FUNCTION_SIGNATURE_TYPE", None)  # left behind by the framework


def test_a_notice_queues_one_reading_however_often_it_comes(world: World, post: Post) -> None:
    (channel,) = world.ann.running()
    world.ann.put(event("intro", at(2026, 3, 4, 10), CARLA))
    assert [post(channel), post(channel)] == [204, 204]
    assert len(world.tasks.pending("calendar-sync")) == 1
    world.drain()
    assert world.titles() == ["About intro"]


def test_a_channels_first_notice_is_answered_and_queues_nothing(world: World, post: Post) -> None:
    (channel,) = world.ann.running()
    assert post(channel, Resource_State="sync") == 204
    assert world.tasks.pending("calendar-sync") == []


@pytest.mark.parametrize("wrong", [{"Channel_Token": "guessed"}, {"Resource_ID": "another"}, {"Channel_Token": ""}])
def test_a_wrong_proof_is_401_and_nothing_is_written(world: World, post: Post, wrong: dict[str, str]) -> None:
    (channel,) = world.ann.running()
    before = world.documents.dump()
    assert post(channel, **wrong) == 401
    assert post("a channel nobody opened") == 401
    assert (world.documents.dump(), world.tasks.pending()) == (before, [])


def test_an_outage_of_ours_asks_google_to_come_again(world: World, post: Post) -> None:
    (channel,) = world.ann.running()
    world.tasks.down = True
    assert post(channel) == 503
    world.tasks.down = False
    assert post(channel) == 204
    assert [task.payload["tenant"] for task in world.tasks.pending("calendar-sync")] == [TENANT]
