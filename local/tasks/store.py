"""Queues and tasks in one SQLite file, so that a killed emulator loses nothing.

Write-ahead log with synchronous=NORMAL: a committed change survives the death of the process, not that of the machine.
The file is locked while it is open: two emulators cannot share it.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from local.tasks.journal import SavedQueue
from local.tasks.values import HttpTarget, LastAttempt, Progress, QueueSettings, RateLimits, RetryConfig, Task

_SCHEMA = """
CREATE TABLE IF NOT EXISTS queues (name TEXT PRIMARY KEY, settings TEXT, paused INTEGER, purged_at TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tasks (name TEXT PRIMARY KEY, queue TEXT, fixed TEXT, body BLOB, progress TEXT);
CREATE TABLE IF NOT EXISTS tombstones (name TEXT PRIMARY KEY, queue TEXT, ended_at TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS options (name TEXT PRIMARY KEY, value REAL) WITHOUT ROWID;
"""


class StoreInUseError(Exception):
    """Another process has the file open."""


class SqliteStore:
    """A `Journal` on disk. Changes gather in one transaction until `commit`; callers hold one lock around all calls."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises: StoreInUseError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=0.5, check_same_thread=False)
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            self._db.close()
            if "locked" in str(error):
                raise StoreInUseError(f"{path} is in use by another emulator") from error
            raise

    def load(self) -> list[SavedQueue]:
        """Return everything as it was at the last commit. Tasks that were in flight are due again at their old time."""
        queues: dict[str, SavedQueue] = {}
        for name, settings, paused, purged_at in self._rows("SELECT name, settings, paused, purged_at FROM queues"):
            queues[name] = SavedQueue(_settings(json.loads(settings)), bool(paused), _time(purged_at))
        for name, queue, fixed, body, progress in self._rows("SELECT name, queue, fixed, body, progress FROM tasks"):
            queues[queue].tasks[name] = _task(name, queue, json.loads(fixed), body, json.loads(progress))
        for name, queue, ended_at in self._rows("SELECT name, queue, ended_at FROM tombstones ORDER BY ended_at"):
            queues[queue].ended[name] = datetime.fromisoformat(ended_at)
        return list(queues.values())

    def option(self, name: str) -> float | None:
        """Return a stored number of the emulator itself, such as how far its clock is ahead."""
        row = self._db.execute("SELECT value FROM options WHERE name = ?", (name,)).fetchone()
        return None if row is None else float(row[0])

    def set_option(self, name: str, value: float) -> None:
        """Store a number of the emulator itself."""
        self._db.execute("REPLACE INTO options VALUES (?, ?)", (name, value))

    def commit(self) -> None:
        """Make everything since the last commit survive a kill."""
        self._db.commit()

    def close(self) -> None:
        """Commit and let go of the file."""
        self._db.commit()
        self._db.close()

    def queue_saved(self, queue: SavedQueue) -> None:
        settings = json.dumps(asdict(queue.settings))
        purged_at = queue.purged_at and queue.purged_at.isoformat()
        row = (queue.settings.name, settings, queue.paused, purged_at)
        self._db.execute("REPLACE INTO queues VALUES (?, ?, ?, ?)", row)

    def queue_deleted(self, name: str) -> None:
        self._db.execute("DELETE FROM queues WHERE name = ?", (name,))
        self._db.execute("DELETE FROM tasks WHERE queue = ?", (name,))
        self._db.execute("DELETE FROM tombstones WHERE queue = ?", (name,))

    def task_added(self, task: Task) -> None:
        row = (task.name, task.queue, json.dumps(_fixed(task)), task.target.body, _progress_text(task.progress))
        self._db.execute("INSERT INTO tasks VALUES (?, ?, ?, ?, ?)", row)

    def task_moved(self, task: Task) -> None:
        self._db.execute("UPDATE tasks SET progress = ? WHERE name = ?", (_progress_text(task.progress), task.name))

    def task_ended(self, task: Task, at: datetime) -> None:
        self._db.execute("DELETE FROM tasks WHERE name = ?", (task.name,))
        self._db.execute("REPLACE INTO tombstones VALUES (?, ?, ?)", (task.name, task.queue, _text(at)))

    def tombstones_dropped(self, queue: str, before: datetime) -> None:
        self._db.execute("DELETE FROM tombstones WHERE queue = ? AND ended_at < ?", (queue, _text(before)))

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(self._db.execute(query)) as cursor:
            return cursor.fetchall()


def _text(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")  # one width, so that text sorts as time does


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _fixed(task: Task) -> dict[str, Any]:
    target = {name: value for name, value in asdict(task.target).items() if name != "body"}
    return {
        "target": target,
        "created_at": _text(task.created_at),
        "dispatch_deadline_s": task.dispatch_deadline_s,
        "retry": asdict(task.retry) if task.retry else None,
    }


def _progress_text(progress: Progress) -> str:
    return json.dumps(asdict(progress), default=_text)


def _settings(stored: dict[str, Any]) -> QueueSettings:
    return QueueSettings(stored["name"], RateLimits(**stored["rate"]), RetryConfig(**stored["retry"]))


def _task(name: str, queue: str, fixed: dict[str, Any], body: bytes, progress: dict[str, Any]) -> Task:
    return Task(
        name=name,
        queue=queue,
        target=HttpTarget(**fixed["target"], body=body),
        created_at=datetime.fromisoformat(fixed["created_at"]),
        dispatch_deadline_s=fixed["dispatch_deadline_s"],
        retry=RetryConfig(**fixed["retry"]) if fixed["retry"] else None,
        progress=_progress(progress),
    )


def _progress(stored: dict[str, Any]) -> Progress:
    last = stored["last"]
    if last:
        last = LastAttempt(
            scheduled_at=datetime.fromisoformat(last["scheduled_at"]),
            dispatched_at=datetime.fromisoformat(last["dispatched_at"]),
            responded_at=_time(last["responded_at"]),
            http_status=last["http_status"],
            reason=last["reason"],
        )
    return Progress(
        scheduled_at=datetime.fromisoformat(stored["scheduled_at"]),
        dispatch_count=stored["dispatch_count"],
        response_count=stored["response_count"],
        execution_count=stored["execution_count"],
        first_dispatched_at=_time(stored["first_dispatched_at"]),
        last=last,
    )
