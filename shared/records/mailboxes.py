"""Mailboxes and what lies under each: streams, wishes, the budget and the backfill."""

from __future__ import annotations

from shared.domain.backfill import BackfillRun, Chunk
from shared.domain.budget import Bucket
from shared.domain.mailbox import MailboxRecord, MailStream, MailWatch
from shared.errors import NotFoundError
from shared.ports.documents import (
    ID,
    Conditions,
    Create,
    Delete,
    Document,
    Maximum,
    Merge,
    Query,
    Replace,
    Update,
    Version,
    Write,
)
from shared.records.codec import Kind
from shared.records.store import TenantStore
from shared.records.stored import Stored, stored

MAILBOX: Kind[MailboxRecord] = Kind(MailboxRecord)
MAIL_STREAM: Kind[MailStream] = Kind(MailStream)
BUCKET: Kind[Bucket] = Kind(Bucket)
BACKFILL: Kind[BackfillRun] = Kind(BackfillRun)
CHUNK: Kind[Chunk] = Kind(Chunk)

MAIL_WATCH: Kind[MailWatch] = Kind(MailWatch)

MAIL = "mail"
"""The name of a mailbox's mail stream; calendars have one stream each."""


class Mailboxes:
    def __init__(self, store: TenantStore) -> None:
        self._store = store

    def get(self, mailbox_id: str) -> Stored[MailboxRecord]:
        """Raises: NotFoundError."""
        return require_mailbox(self._store.get(mailbox_path(mailbox_id)), mailbox_id)

    def find(self, mailbox_id: str) -> Stored[MailboxRecord] | None:
        return stored(MAILBOX, self._store.get(mailbox_path(mailbox_id)))

    def all(self) -> list[MailboxRecord]:
        return [MAILBOX.value(found.fields) for found in self._store.find(Query("mailboxes", order_by=(ID,)))]

    def of_connection(self, connection_id: str) -> list[Stored[MailboxRecord]]:
        where: Conditions = (("connection_id", "==", connection_id),)
        found = self._store.find(Query("mailboxes", where=where))
        return [Stored(MAILBOX.value(document.fields), document.version) for document in found]

    def creating(self, mailbox: MailboxRecord) -> Write:
        return Create(mailbox_path(mailbox.mailbox_id), MAILBOX.fields(mailbox))

    def updating(self, mailbox: MailboxRecord, version: Version) -> Write:
        return Update(mailbox_path(mailbox.mailbox_id), MAILBOX.fields(mailbox), version)


def mailbox_path(mailbox_id: str) -> str:
    return f"mailboxes/{mailbox_id}"


def require_mailbox(document: Document | None, mailbox_id: str) -> Stored[MailboxRecord]:
    found = stored(MAILBOX, document)
    if found is None:
        raise NotFoundError(f"mailbox {mailbox_id} does not exist")
    return found


class MailStreams:
    """The mail stream of one mailbox, the wish beside it, its budget and its backfill."""

    def __init__(self, store: TenantStore, mailbox_id: str) -> None:
        self._store = store
        self._base = mailbox_path(mailbox_id)
        self.path = f"{self._base}/streams/{MAIL}"
        self.watch_path = f"{self._base}/streams/{MAIL}-watch"
        self.wanted_path = f"{self._base}/wanted/{MAIL}"
        self.budget_path = f"{self._base}/budget/{MAIL}"
        self.backfill_path = f"{self._base}/backfill/run"

    def get(self) -> Stored[MailStream] | None:
        return stored(MAIL_STREAM, self._store.get(self.path))

    def with_mailbox(self) -> tuple[Stored[MailboxRecord], Stored[MailStream] | None]:
        """The mailbox and its stream, asked for at once. Raises: NotFoundError."""
        mailbox, stream = self._store.get_all([self._base, self.path])
        return require_mailbox(mailbox, self._base.rpartition("/")[2]), stored(MAIL_STREAM, stream)

    def creating(self, stream: MailStream) -> Write:
        return Create(self.path, MAIL_STREAM.fields(stream))

    def updating(self, stream: MailStream, version: Version) -> Write:
        return Update(self.path, MAIL_STREAM.fields(stream), version)

    def watch(self) -> Stored[MailWatch] | None:
        return stored(MAIL_WATCH, self._store.get(self.watch_path))

    def writing_watch(self, watch: MailWatch) -> Write:
        """Unguarded: of two renewals either tells the truth, since renewing twice replaces the watch by itself."""
        return Replace(self.watch_path, MAIL_WATCH.fields(watch))

    def stopping_watch(self) -> Write:
        return Delete(self.watch_path)

    def forgetting_budget(self) -> Write:
        return Delete(self.budget_path)

    def wishing(self, history_id: int) -> Write:
        return Merge(self.wanted_path, {"history_id": Maximum(history_id)})

    def wanted(self) -> int:
        """The furthest history id somebody wished for; 0 if nobody did."""
        document = self._store.get(self.wanted_path)
        return int(document.fields["history_id"]) if document else 0

    def backfill(self) -> Stored[BackfillRun] | None:
        return stored(BACKFILL, self._store.get(self.backfill_path))

    def creating_backfill(self, run: BackfillRun) -> Write:
        return Create(self.backfill_path, BACKFILL.fields(run))

    def updating_backfill(self, run: BackfillRun, version: Version) -> Write:
        return Update(self.backfill_path, BACKFILL.fields(run), version)

    def chunk(self, run_id: str, kind: str, number: int) -> Chunk:
        """Raises: NotFoundError."""
        document = self._store.get(self._chunk_path(run_id, kind, number))
        if document is None:
            raise NotFoundError(f"chunk {kind}{number} of run {run_id} does not exist")
        return CHUNK.value(document.fields)

    def writing_chunk(self, run_id: str, kind: str, number: int, chunk: Chunk) -> Write:
        return Replace(self._chunk_path(run_id, kind, number), CHUNK.fields(chunk))

    def deleting_chunk(self, run_id: str, kind: str, number: int) -> Write:
        return Delete(self._chunk_path(run_id, kind, number))

    def _chunk_path(self, run_id: str, kind: str, number: int) -> str:
        return f"{self._base}/backfill/{run_id}-{kind}-{number}"
