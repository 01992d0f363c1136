"""Behind the proxy Firestore is as it is without, until trouble is asked for."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.cloud import firestore_v1

from local.firestore_proxy.proxy import FirestoreProxy, Trouble
from shared.errors import AlreadyExistsError, ContendedError, ProviderUnavailableError, StaleWriteError
from shared.platform.firestore.documents import FirestoreDocuments
from shared.ports.documents import Create, Merge, Query, Update
from tests.emulators import firestore_emulator

pytestmark = pytest.mark.emulator

NEVER = 0.0
ALWAYS = 1.0
HEARD_WITHIN_S = 20.0


class NoWait:
    def wait(self, attempt: int) -> None:
        """The next attempt comes at once."""


@pytest.fixture(scope="module")
def proxy() -> Iterator[FirestoreProxy]:
    with firestore_emulator() as host, FirestoreProxy(host) as running:
        yield running


@pytest.fixture(autouse=True)
def _fair_weather(proxy: FirestoreProxy) -> Iterator[None]:
    yield
    proxy.trouble = None
    proxy.troubled.clear()


@pytest.fixture
def client(proxy: FirestoreProxy, monkeypatch: pytest.MonkeyPatch) -> firestore_v1.Client:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", proxy.address)
    return firestore_v1.Client(project=f"test-{uuid.uuid4().hex[:12]}")


@pytest.fixture
def documents(client: firestore_v1.Client) -> FirestoreDocuments:
    return FirestoreDocuments(client, NoWait())


def test_documents_are_written_read_found_and_counted(documents: FirestoreDocuments) -> None:
    now = datetime.now(UTC)
    documents.commit([Create(f"tenants/t/rows/{number}", {"number": number, "at": now}) for number in range(30)])

    ten = documents.find(Query("tenants/t/rows", where=(("number", ">=", 20),), order_by=("number",)))

    assert [row.fields["number"] for row in ten] == list(range(20, 30))
    assert documents.count(Query("tenants/t/rows")) == 30
    assert documents.get("tenants/t/rows/none") is None


def test_refusals_come_through_as_they_are(documents: FirestoreDocuments) -> None:
    [version] = documents.commit([Create("a/b", {"n": 1})])
    documents.commit([Merge("a/b", {"n": 2})])

    with pytest.raises(AlreadyExistsError):
        documents.commit([Create("a/b", {"n": 1})])
    with pytest.raises(StaleWriteError):
        documents.commit([Update("a/b", {"n": 3}, version)])


def test_big_answers_fit_through(documents: FirestoreDocuments) -> None:
    text = "x" * 900_000
    for number in range(8):
        documents.commit([Create(f"a/{number}", {"text": text})])

    assert sum(len(row.fields["text"]) for row in documents.find(Query("a"))) == 8 * len(text)


def test_a_listener_hears_of_changes_as_they_happen(client: firestore_v1.Client, documents: FirestoreDocuments) -> None:
    first, changed = threading.Event(), threading.Event()

    def hear(snapshots: list[Any], *_: object) -> None:
        (changed if any(snapshot.exists for snapshot in snapshots) else first).set()

    watch: Any = client.document("a/b").on_snapshot(hear)  # the client's watch has no type hints
    assert first.wait(HEARD_WITHIN_S)
    documents.commit([Create("a/b", {"n": 1})])

    assert changed.wait(HEARD_WITHIN_S)
    watch.unsubscribe()


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED])
def test_a_commit_that_fails_was_not_made(
    proxy: FirestoreProxy, documents: FirestoreDocuments, code: grpc.StatusCode
) -> None:
    proxy.trouble = Trouble(code, answers_lost=NEVER)
    with pytest.raises(ProviderUnavailableError):
        documents.commit([Create("a/b", {"n": 1})])

    proxy.trouble = None
    assert documents.get("a/b") is None
    assert proxy.troubled == {code.name: 1}


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED])
def test_a_commit_whose_answer_is_lost_was_made(
    proxy: FirestoreProxy, documents: FirestoreDocuments, code: grpc.StatusCode
) -> None:
    proxy.trouble = Trouble(code, answers_lost=ALWAYS)
    with pytest.raises(ProviderUnavailableError):
        documents.commit([Create("a/b", {"n": 1})])

    proxy.trouble = None
    found = documents.get("a/b")
    assert found is not None
    assert found.fields == {"n": 1}
    assert proxy.troubled == {"answer lost": 1}


def test_an_aborted_commit_was_never_made_and_is_tried_again(
    proxy: FirestoreProxy, documents: FirestoreDocuments
) -> None:
    proxy.trouble = Trouble(grpc.StatusCode.ABORTED, answers_lost=ALWAYS)
    with pytest.raises(ContendedError):
        documents.commit([Create("a/b", {"n": 1})])

    proxy.trouble = None
    assert documents.get("a/b") is None


def test_reading_goes_on_when_the_trouble_ends(proxy: FirestoreProxy, documents: FirestoreDocuments) -> None:
    documents.commit([Create("a/b", {"n": 1})])
    proxy.trouble = Trouble(grpc.StatusCode.UNAVAILABLE)
    ending = threading.Thread(target=_end_after(proxy, answers=2))
    ending.start()

    found = documents.get("a/b")

    ending.join()
    assert found is not None
    assert proxy.troubled["UNAVAILABLE"] >= 2


def test_a_share_of_the_calls_has_trouble(proxy: FirestoreProxy, documents: FirestoreDocuments) -> None:
    proxy.trouble = Trouble(grpc.StatusCode.DEADLINE_EXCEEDED, share=0.5)
    failed = 0
    for number in range(60):
        try:
            documents.commit([Create(f"a/{number}", {"n": 1})])
        except ProviderUnavailableError:
            failed += 1

    assert 10 < failed < 50


def _end_after(proxy: FirestoreProxy, *, answers: int) -> Callable[[], None]:
    def end() -> None:
        seen = threading.Event()
        while sum(proxy.troubled.values()) < answers:
            seen.wait(0.01)
        proxy.trouble = None

    return end
