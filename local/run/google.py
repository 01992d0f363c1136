"""What people and the world do at the simulated Google: mail arrives, meetings move (local/google/README.md)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.google.gmail.seed import FileSlice, SeedMessage
from local.run.http import Http

_READ = "https://www.googleapis.com/auth/gmail.readonly"


@dataclass(frozen=True, slots=True)
class Held:
    """A message as a mailbox holds it.

    rfc822_id: its Message-ID without brackets, empty where it has none. internal_ms: when Gmail accepted it,
    milliseconds since 1970.
    """

    gmail_id: str
    rfc822_id: str
    internal_ms: int


class Google:
    """The control API of the simulated Google at `root`, and its token endpoint for reading a mailbox as its owner."""

    def __init__(self, http: Http, root: str, client_id: str) -> None:
        self._http = http
        self.root = root
        self._client_id = client_id

    # ------------------------------------------------------------------------------------------------------- people

    def add_person(self, email: str, name: str, aliases: Sequence[str] = ()) -> None:
        self._control("accounts", {"email": email, "name": name, "aliases": list(aliases)})

    def fill_mailbox(self, email: str, messages: Iterable[SeedMessage]) -> tuple[int, list[str]]:
        """Returns: how many messages were put in, and a sentence for each that was not."""
        return self._seeded(self._control("gmail/seed", {"email": email, "messages": [_row(one) for one in messages]}))

    def fill_mailbox_from(self, email: str, paths: Sequence[Path]) -> tuple[int, list[str]]:
        return self._seeded(self._control("gmail/seed", {"email": email, "paths": [str(path) for path in paths]}))

    def fill_calendar(
        self, email: str, events: Sequence[Mapping[str, Any]], time_zone: str | None = None
    ) -> tuple[int, list[str]]:
        zone = {"time_zone": time_zone} if time_zone else {}
        return self._seeded(self._control("calendar/seed", {"email": email, "events": list(events), **zone}))

    def fill_calendar_from(self, email: str, paths: Sequence[Path]) -> tuple[int, list[str]]:
        return self._seeded(self._control("calendar/seed", {"email": email, "paths": [str(path) for path in paths]}))

    def mailbox(self, email: str) -> list[Held]:
        """Everything in a mailbox, newest first, spam and trash included."""
        held = self._control("gmail/mailbox", {"email": email})["messages"]
        return [Held(row["id"], row["rfc822_id"], row["internal_ms"]) for row in held]

    # --------------------------------------------------------------------------------------------------- what happens

    def deliver(self, email: str, raw: bytes) -> None:
        """A message arrives in one mailbox's inbox."""
        self.act("gmail", "deliver", {"email": email, "raw_base64": base64.b64encode(raw).decode()})

    def act(self, service: str, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the control API of "gmail" or "calendar" offers. Raises: RefusedError with its sentence."""
        return self._control(f"{service}/{action}", body)

    # ------------------------------------------------------------------------------------------------- looking at it

    def headers(self, email: str, gmail_id: str, names: Sequence[str]) -> dict[str, str]:
        """Headers of a message, as its owner would read them in Gmail, by lower-case name."""
        token = self._control("tokens", {"client_id": self._client_id, "email": email, "scopes": [_READ]})
        names_asked = "&".join(f"metadataHeaders={name}" for name in names)
        url = f"{self.root}/gmail/v1/users/me/messages/{gmail_id}?format=metadata&{names_asked}"
        told = self._http.json("GET", url, headers={"Authorization": f"Bearer {token['access_token']}"})
        return {row["name"].lower(): row["value"] for row in told["payload"].get("headers", ())}

    def gmail_units(self) -> int:
        """Quota units that were spent since the start, by all mailboxes."""
        usage = self._http.json("GET", f"{self.root}/control/quota")["gmail"]
        return sum(int(one["units_total"]) for one in usage.values())

    def gmail_refusals(self) -> int:
        """How often Gmail said: too fast."""
        usage = self._http.json("GET", f"{self.root}/control/quota")["gmail"]
        return sum(sum(one["refused"].values()) for one in usage.values())

    def violations(self) -> list[Any]:
        """Where the simulator itself did what Google would not."""
        return list(self._http.json("GET", f"{self.root}/control/violations")["violations"])

    def _control(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        content = json.dumps(body).encode()
        answer = self._http.json(
            "POST", f"{self.root}/control/{path}", body=content, headers={"Content-Type": "application/json"}
        )
        return answer or {}

    @staticmethod
    def _seeded(answer: Mapping[str, Any]) -> tuple[int, list[str]]:
        return int(answer["added"]), list(answer["left_out"])


def _row(message: SeedMessage) -> dict[str, Any]:
    raw = message.raw.read() if isinstance(message.raw, FileSlice) else message.raw
    return {
        "raw_base64": base64.b64encode(raw).decode(),
        "labels": list(message.labels),
        "received_at": message.received_at.isoformat(),
        "thread_hint": message.thread_hint,
    }
