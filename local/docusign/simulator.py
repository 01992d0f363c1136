"""The simulated DocuSign as one object: people, envelopes, Connect, limits, faults and time."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from local.cloud.serving import log_lines
from local.docusign.accounts import Directory
from local.docusign.connect import Connect, Notice
from local.docusign.envelopes import Envelope, Envelopes, Recipient
from local.docusign.errors import ControlError, Json
from local.docusign.faults import Faults
from local.docusign.grants import Grants
from local.docusign.limits import Limits
from local.docusign.sender import HttpSender, Post
from local.google.clock import Clock, Now

LINK_LIFETIME = timedelta(minutes=5)
TICK_S = 0.05


class Sender(Protocol):
    """Whoever carries notices to their receivers."""

    def send(self, post: Post) -> None: ...
    def answers(self) -> list[tuple[Notice, int | None]]: ...


@dataclass(frozen=True, slots=True)
class Seat:
    """A signer's way to the signing page. return_url: set for an embedded one. ends_at: until when it can be opened."""

    envelope_id: str
    recipient_id: str
    return_url: str = ""
    ends_at: datetime | None = None


class Simulator:
    """Everything behind the HTTP face. Hold `lock` while reading or changing what is in it."""

    def __init__(
        self, folder: Path | None = None, *, base: Now | None = None, sender: Sender | None = None, seed: int = 1
    ) -> None:
        """folder: gets connect.jsonl, one line for each attempt to deliver a notice. base: the time under the clock's
        offset. sender: over HTTP by default. seed: of all randomness, so that a run can be repeated."""
        self.lock = threading.RLock()
        self.clock = Clock(base)
        self._folder = folder
        self._sender = sender or HttpSender()
        chance = random.Random(seed)  # noqa: S311 - nothing here is secret, and runs must be repeatable
        self.directory = Directory(chance)
        self.grants = Grants(self.clock, self.directory, chance)
        self.faults = Faults()
        self.limits = Limits(self.clock)
        self.connect = Connect(self.clock, self._keys, self._write_down)
        self.envelopes = Envelopes(self.clock, self.connect.tell, self._mail)
        self.mails: list[Json] = []
        """Mails with a link to sign, oldest first: {"to", "envelope", "recipient", "key"}."""
        self._seats: dict[str, Seat] = {}
        self._doors: dict[str, Seat] = {}

    # ---------------------------------------------------------------------------------------------------- signing

    def open_door(self, envelope: Envelope, recipient: Recipient, return_url: str) -> str:
        """A one-use token for an embedded signer's link."""
        token = self.directory.guid()
        self._doors[token] = Seat(
            envelope.envelope_id, recipient.recipient_id, return_url, self.clock() + LINK_LIFETIME
        )
        return token

    def enter(self, token: str) -> tuple[Seat, str] | None:
        """Use up a token: the seat and the key of its signing page, "" when the token came too late; None if used."""
        seat = self._doors.pop(token, None)
        if seat is None:
            return None
        if seat.ends_at is not None and seat.ends_at <= self.clock():
            return seat, ""
        key = self.directory.guid()
        self._seats[key] = seat
        return seat, key

    def seat(self, key: str) -> tuple[Seat, Envelope, Recipient] | None:
        """Who sits at this signing page."""
        seat = self._seats.get(key)
        envelope = self.envelopes.find(seat.envelope_id) if seat else None
        recipient = envelope.recipient(seat.recipient_id) if seat and envelope else None
        return (seat, envelope, recipient) if seat and envelope and recipient else None

    def act(self, envelope_id: str, recipient_id: str, action: str, reason: str = "") -> Envelope:
        """Let a signer view, sign, decline or bounce. Raises: ControlError, ApiError."""
        envelope = self.envelopes.find(envelope_id)
        recipient = envelope.recipient(recipient_id) if envelope else None
        if envelope is None or recipient is None:
            raise ControlError("there is no such envelope or recipient")
        actions: dict[str, Callable[[], None]] = {
            "view": lambda: self.envelopes.view(envelope, recipient),
            "sign": lambda: self.envelopes.sign(envelope, recipient),
            "decline": lambda: self.envelopes.decline(envelope, recipient, reason or "No reason given"),
            "bounce": lambda: self.envelopes.bounce(envelope, recipient),
        }
        if action not in actions:
            raise ControlError(f"a signer can {', '.join(actions)}")
        actions[action]()
        return envelope

    def sign_everything(self, envelope_id: str) -> Envelope:
        """The signing robot: everybody signs, in routing order. Raises: ControlError, ApiError."""
        envelope = self.envelopes.find(envelope_id)
        if envelope is None:
            raise ControlError("there is no such envelope")
        while envelope.turn:
            self.envelopes.sign(envelope, envelope.turn[0])
        return envelope

    # ------------------------------------------------------------------------------------------------------- time

    def tick(self) -> None:
        """Note what receivers answered, and send what is due."""
        with self.lock:
            for notice, status in self._sender.answers():
                self.connect.settle(notice, status)
            for notice in self.connect.due():
                content = notice.content()
                self._sender.send(Post(notice, content, self.connect.headers(notice, content)))

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Tick in a thread while the block runs."""
        stopped = threading.Event()
        thread = threading.Thread(target=self._tick_until, args=(stopped,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def set_offset(self, offset_s: float) -> None:
        """Shift the clock; what becomes due by it happens at once."""
        self.clock.offset_s = offset_s
        self.tick()

    def reset(self) -> None:
        """Forget everything but the integration keys."""
        with self.lock:
            for part in (self.directory, self.grants, self.faults, self.limits, self.connect, self.envelopes):
                part.clear()
            for memory in (self._seats, self._doors):
                memory.clear()
            self.mails.clear()
            self.clock.offset_s = 0.0

    def _tick_until(self, stopped: threading.Event) -> None:
        while not stopped.wait(TICK_S):
            try:
                self.tick()
            except Exception:
                log_lines("docusign").exception(
                    "what was due could not be done"
                )  # the next tick must come all the same

    def _keys(self, account_id: str) -> list[str]:
        account = self.directory.accounts.get(account_id)
        return account.hmac_keys if account else []

    def _mail(self, envelope: Envelope, recipient: Recipient) -> None:
        key = self.directory.guid()
        self._seats[key] = Seat(envelope.envelope_id, recipient.recipient_id)
        self.mails.append(
            {
                "to": recipient.email,
                "envelope": envelope.envelope_id,
                "recipient": recipient.recipient_id,
                "key": key,
            }
        )

    def _write_down(self, line: Json) -> None:
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "connect.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
