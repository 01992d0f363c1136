"""The `Documents` port on Firestore, by the official synchronous client.

Guards are create-if-absent and compare-and-set on the update time; there are no transactions, whose reads would lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from google.api_core import exceptions as google
from google.api_core.retry import Retry, if_exception_type
from google.cloud import firestore_v1 as firestore
from google.cloud.firestore_v1.aggregation import AggregationQuery
from google.cloud.firestore_v1.field_path import FieldPath

from shared.errors import AlreadyExistsError, ContendedError, ProviderUnavailableError, StaleWriteError
from shared.platform.clock import SystemJitter
from shared.platform.firestore.queries import check_query
from shared.platform.firestore.values import Value, check_document_path, checked, split_field_path
from shared.ports.documents import (
    ID,
    Create,
    Delete,
    Document,
    Drop,
    Increment,
    Maximum,
    Merge,
    Query,
    Remove,
    Replace,
    Union,
    Update,
    Version,
    Write,
)
from shared.ports.marks import reads
from shared.ports.time import Jitter

GET_ALL_AT_ONCE = 100
COMMIT_ATTEMPTS = 6
_TIMEOUT_S = 20.0

_UNKNOWN_OUTCOME = (
    google.ServiceUnavailable,
    google.DeadlineExceeded,
    google.InternalServerError,
    google.Unknown,
    google.Cancelled,
    google.ResourceExhausted,
    google.RetryError,
)


class FirestoreDocuments:
    """All documents of one database."""

    def __init__(self, client: firestore.Client, jitter: Jitter | None = None) -> None:
        self._client = client
        self._jitter = jitter or SystemJitter()
        # Reads may be asked again; within one call, so that a function ends before its own time is up.
        self._read_again = Retry(
            predicate=if_exception_type(google.ServiceUnavailable, google.InternalServerError),
            initial=0.1,
            maximum=2.0,
            timeout=_TIMEOUT_S,
        )

    @reads
    def get(self, path: str) -> Document | None:
        return self.get_all([path])[0]

    @reads
    def get_all(self, paths: Sequence[str]) -> list[Document | None]:
        for path in paths:
            check_document_path(path)
        wanted = list(dict.fromkeys(paths))
        found: dict[str, Document | None] = {}
        with _translated():
            for start in range(0, len(wanted), GET_ALL_AT_ONCE):
                references = [self._client.document(path) for path in wanted[start : start + GET_ALL_AT_ONCE]]
                for snapshot in self._client.get_all(references, retry=self._read_again, timeout=_TIMEOUT_S):
                    found[snapshot.reference.path] = _document(snapshot)
        return [found[path] for path in paths]

    @reads
    def find(self, query: Query) -> list[Document]:
        check_query(query)
        with _translated():
            snapshots = self._query(query).get(retry=self._read_again, timeout=_TIMEOUT_S)
            documents = [_document(snapshot) for snapshot in snapshots]
        return [document for document in documents if document is not None]

    @reads
    def count(self, query: Query) -> int:
        check_query(query)
        with _translated():
            counting = AggregationQuery(self._query(query))
            counting.count()
            answer: Any = counting.get(retry=self._read_again, timeout=_TIMEOUT_S)  # rows of results; typed as one row
        return int(answer[0][0].value)

    def commit(self, writes: Sequence[Write]) -> list[Version]:
        batch_of = [checked(write) for write in writes]
        for attempt in range(COMMIT_ATTEMPTS):
            batch = self._client.batch()
            for write in batch_of:
                self._add(batch, write)
            try:
                # Not retried by the client: after an unknown outcome a repeat may count twice, so the caller decides.
                results = batch.commit(retry=None, timeout=_TIMEOUT_S)
            except google.Aborted:
                self._jitter.wait(attempt)  # somebody else held one of the documents; nothing was written
            except google.AlreadyExists as error:
                raise AlreadyExistsError(f"one of {_paths(batch_of)} exists") from error
            except (google.FailedPrecondition, google.NotFound) as error:
                if not any(_is_guarded(write) for write in batch_of):
                    raise  # no such database, for one: not an answer to a guard
                raise StaleWriteError(f"one of {_paths(batch_of)} changed or is gone") from error
            except _UNKNOWN_OUTCOME as error:
                raise ProviderUnavailableError(f"Firestore: {type(error).__name__}") from error
            else:
                return [_version(result.update_time) for result in results]
        raise ContendedError(f"{_paths(batch_of)} stayed locked for {COMMIT_ATTEMPTS} attempts")

    def _add(self, batch: firestore.WriteBatch, write: Write) -> None:
        reference = self._client.document(write.path)
        match write:
            case Create(fields=fields):
                batch.create(reference, _encoded(fields))
            case Update(fields=fields, version=version):
                changes = {
                    FieldPath(*split_field_path(key)).to_api_repr(): _encoded(value) for key, value in fields.items()
                }
                batch.update(reference, changes, option=self._at(version))
            case Merge(fields=fields):
                batch.set(reference, _encoded(fields), merge=True)
            case Replace(fields=fields):
                batch.set(reference, _encoded(fields))
            case Delete(version=version):
                batch.delete(reference, option=self._at(version))

    def _at(self, version: Version | None) -> firestore.WriteOption | None:
        if version is None:
            return None
        return self._client.write_option(last_update_time=datetime.fromisoformat(version.token))

    def _query(self, query: Query) -> firestore.Query:
        asked = firestore.Query(self._client.collection(query.collection), all_descendants=query.group)
        for name, op, value in query.where:
            operand = self._references(value) if name == ID else value
            asked = asked.where(filter=firestore.FieldFilter(_quoted(name), op, operand))
        for name in query.order_by:
            direction = firestore.Query.DESCENDING if name.startswith("-") else firestore.Query.ASCENDING
            asked = asked.order_by(_quoted(name.removeprefix("-")), direction=direction)
        if query.start_after is not None:
            names = [name.removeprefix("-") for name in query.order_by]
            values = zip(names, query.start_after, strict=True)
            asked = asked.start_after([self._references(value) if name == ID else value for name, value in values])
        return asked if query.limit is None else asked.limit(query.limit)

    def _references(self, paths: str | Sequence[str]) -> Value:
        if isinstance(paths, str):
            return self._client.document(paths)
        return [self._client.document(path) for path in paths]


@contextmanager
def _translated() -> Iterator[None]:
    """Reading changed nothing, so whatever was out of reach may be asked again."""
    try:
        yield
    except (*_UNKNOWN_OUTCOME, google.Aborted) as error:
        raise ProviderUnavailableError(f"Firestore: {type(error).__name__}") from error


def _is_guarded(write: Write) -> bool:
    return isinstance(write, Update) or (isinstance(write, Delete) and write.version is not None)


def _paths(writes: Sequence[Write]) -> str:
    return ", ".join(write.path for write in writes[:5]) + (", ..." if len(writes) > 5 else "")


def _quoted(name: str) -> str:
    return name if name == ID else FieldPath(*split_field_path(name)).to_api_repr()


def _encoded(value: Value) -> Value:
    match value:
        case Mapping():
            return {name: _encoded(item) for name, item in value.items()}
        case Increment(amount=amount):
            return firestore.Increment(amount)
        case Maximum(value=number):
            return firestore.Maximum(number)
        case Union(values=values):
            return firestore.ArrayUnion(list(values))
        case Remove(values=values):
            return firestore.ArrayRemove(list(values))
        case Drop():
            return firestore.DELETE_FIELD
        case _:
            return value


def _document(snapshot: firestore.DocumentSnapshot[firestore.DocumentReference]) -> Document | None:
    if not snapshot.exists:
        return None
    fields: dict[str, Any] = _decoded(snapshot.to_dict())
    return Document(snapshot.reference.path, fields, _version(snapshot.update_time))


def _version(updated_at: Value) -> Version:
    """Source: WriteResult.update_time, "not set after a delete"; Precondition.update_time, microsecond aligned."""
    if updated_at is None:
        return Version("")
    # Collection group queries hand the protobuf's own timestamp through, all else a datetime with nanoseconds.
    at = updated_at if isinstance(updated_at, datetime) else updated_at.ToDatetime(UTC)
    return Version(_plain_time(at).isoformat())


def _plain_time(value: datetime) -> datetime:
    return datetime.combine(value.date(), value.time(), UTC)


def _decoded(value: Value) -> Value:
    match value:
        case dict():
            return {name: _decoded(item) for name, item in value.items()}
        case list():
            return [_decoded(item) for item in value]
        case datetime():
            return _plain_time(value)
        case _:
            return value
