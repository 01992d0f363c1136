"""How Firestore's refusals and outages reach the product; what documents do is in tests/contracts/test_documents.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
from google.api_core import exceptions as google
from google.cloud import firestore_v1 as firestore

from shared.errors import ContendedError, ProviderUnavailableError, StaleWriteError
from shared.platform.firestore.documents import COMMIT_ATTEMPTS, FirestoreDocuments
from shared.ports.documents import Create, Increment, Merge, Update, Write
from tests.fakes import FakeJitter

Refusal = Callable[[str], Exception]


class BrokenClient:
    """A client whose commits and reads end with the errors given, one after the other."""

    def __init__(self, *errors: Refusal) -> None:
        self.errors = list(errors)
        self.commits = 0

    def document(self, path: str) -> str:
        return path

    def batch(self) -> BrokenClient:
        return self

    def create(self, *_: object) -> None: ...

    def set(self, *_: object, **__: object) -> None: ...

    def update(self, *_: object, **__: object) -> None: ...

    def commit(self, *, retry: None, timeout: float) -> list[firestore.types.WriteResult]:
        self.commits += 1
        if self.errors:
            raise self.errors.pop(0)("m")
        return [firestore.types.WriteResult()]

    def get_all(self, *_: object, **__: object) -> list[object]:
        raise self.errors.pop(0)("m")


def documents(client: BrokenClient, jitter: FakeJitter | None = None) -> FirestoreDocuments:
    return FirestoreDocuments(cast("firestore.Client", client), jitter or FakeJitter())


COUNT = Merge("t/a", {"n": Increment(1)})


def test_a_batch_that_met_a_lock_is_written_again_after_a_jitter() -> None:
    client, jitter = BrokenClient(google.Aborted, google.Aborted), FakeJitter()
    assert len(documents(client, jitter).commit([COUNT])) == 1
    assert client.commits == 3
    assert jitter.waits == [0, 1]


def test_a_batch_that_meets_locks_for_ever_is_contended() -> None:
    client = BrokenClient(*[google.Aborted] * 100)
    with pytest.raises(ContendedError):
        documents(client).commit([COUNT])
    assert client.commits == COMMIT_ATTEMPTS


@pytest.mark.parametrize(
    "error",
    [
        google.ServiceUnavailable,
        google.DeadlineExceeded,
        google.Unknown,
        google.InternalServerError,
        google.Cancelled,
        google.ResourceExhausted,
    ],
)
def test_a_batch_of_unknown_outcome_is_not_repeated_here(error: Refusal) -> None:
    client = BrokenClient(error)
    with pytest.raises(ProviderUnavailableError):
        documents(client).commit([COUNT])
    assert client.commits == 1


@pytest.mark.parametrize("error", [google.NotFound, google.FailedPrecondition])
def test_a_refusal_no_guard_asked_for_is_our_bug(error: type[Exception]) -> None:
    unguarded: list[Write] = [COUNT, Create("t/b", {})]
    with pytest.raises(error):
        documents(BrokenClient(error)).commit(unguarded)
    with pytest.raises(StaleWriteError):
        documents(BrokenClient(error)).commit([*unguarded, Update("t/c", {"n": 1})])


def test_a_request_firestore_cannot_read_is_our_bug() -> None:
    with pytest.raises(google.InvalidArgument):
        documents(BrokenClient(google.InvalidArgument)).commit([COUNT])


@pytest.mark.parametrize("error", [google.ServiceUnavailable, google.Aborted])
def test_a_read_that_fails_may_be_asked_again(error: Refusal) -> None:
    with pytest.raises(ProviderUnavailableError):
        documents(BrokenClient(error)).get("t/a")


def test_words_of_an_error_name_few_documents() -> None:
    with pytest.raises(StaleWriteError) as raised:
        documents(BrokenClient(google.NotFound)).commit([Update(f"t/{n}", {"n": 1}) for n in range(500)])
    assert len(str(raised.value)) < 100
