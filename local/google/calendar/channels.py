"""Push channels: who is told when a calendar's events change, and the messages on their way.

Source: Calendar API, "Push notifications". A message has no body and says only that something changed. Receivers answer
200, 201, 202, 204 or 102; 500, 502, 503 and 504 are tried again with growing pauses; any other answer loses the
message. A connection that fails is tried again like a 503.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote, urlsplit

from local.google.clock import Now, epoch_ms
from local.google.errors import ApiError, ControlError, Json

_API = "https://www.googleapis.com/calendar/v3"
DEFAULT_LIFETIME_S = 604_800
_ACCEPTED = frozenset({102, 200, 201, 202, 204})
_TRIED_AGAIN = frozenset({500, 502, 503, 504})
_MAX_ATTEMPTS = 8
_LOG_SIZE = 500
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_FAULTS = ("drop", "duplicate", "delay")


@dataclass(slots=True)
class Channel:
    """One channel; `number` is that of its last message."""

    id: str
    resource_id: str
    resource_uri: str
    address: str
    token: str
    expires_ms: int
    owner: str
    calendar_id: str
    number: int = 0


@dataclass(slots=True, eq=False)
class Message:
    """One notification on its way. `due_at`: when it may be sent, or sent again; `sending`: somebody is at it."""

    channel_id: str
    state: str
    number: int
    address: str
    headers: Mapping[str, str]
    due_at: datetime
    attempt: int = 0
    sending: bool = False


@dataclass(slots=True)
class MessageFault:
    """What happens to the next `times` notifications after the sync message: drop, duplicate, or delay by `delay_s`."""

    kind: str
    times: int = 1
    delay_s: float = 0.0


class Channels:
    """All channels and the outbox of their messages. Its owner sends what `due` gives and reports to `settle`."""

    def __init__(self, now: Now, chance: random.Random) -> None:
        self.log: deque[Json] = deque(maxlen=_LOG_SIZE)
        """What became of each message, newest last: channel, number, state, outcome."""
        self._now = now
        self._chance = chance
        self._channels: dict[str, Channel] = {}
        self._outbox: list[Message] = []
        self._faults: list[MessageFault] = []

    def __iter__(self) -> Iterator[Channel]:
        return iter(self._channels.values())

    def watch(self, owner: str, calendar_id: str, wish: Json) -> tuple[Json, Message]:
        """Open a channel; its sync message is in the outbox at once.

        Returns: the answer to events.watch, and the sync message.
        Raises: ApiError 400 for what Google refuses.
        """
        channel_id, address, token = (str(wish.get(name, "")) for name in ("id", "address", "token"))
        if not re.fullmatch(r"[A-Za-z0-9\-_+/=]{1,64}", channel_id):
            raise _refused("channelIdInvalid", "The channel id must have 1 to 64 characters of A-Z a-z 0-9 - _ + / =")
        if channel_id in self._channels:
            raise _refused("channelIdNotUnique", f"Channel id {channel_id} not unique")
        if wish.get("type") != "web_hook":
            raise _refused("channelTypeUnknown", f"Unknown channel type {wish.get('type')}")
        parts = urlsplit(address)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise _refused("push.webhookUrlNotHttps", f"WebHook callback must be HTTPS: {address}")
        if len(token) > 256:
            raise _refused("channelTokenTooLong", "The channel token must not be longer than 256 characters")
        channel = Channel(
            id=channel_id,
            resource_id=hashlib.sha256(f"{owner}\n{calendar_id}".encode()).hexdigest()[:27],
            resource_uri=f"{_API}/calendars/{quote(calendar_id, safe='')}/events?alt=json",
            address=address,
            token=token,
            expires_ms=self._expiry(wish),
            owner=owner,
            calendar_id=calendar_id,
        )
        self._channels[channel_id] = channel
        answer: Json = {
            "kind": "api#channel",
            "id": channel.id,
            "resourceId": channel.resource_id,
            "resourceUri": channel.resource_uri,
            "expiration": str(channel.expires_ms),
        }
        if token:
            answer["token"] = token
        sync = self._message(channel, "sync", number=1)
        self._outbox.append(sync)
        return answer, sync

    def stop(self, owner: str, channel_id: str, resource_id: str) -> None:
        """Close a channel. Raises: ApiError 404 unless id, resource id and user are those of an open channel."""
        channel = self._channels.get(channel_id)
        if channel is None or (channel.owner, channel.resource_id) != (owner, resource_id):
            raise ApiError(404, "notFound", f"Channel '{channel_id}' not found for project 'simulated'", status_name="")
        self._close(channel)

    def changed(self, owner: str, calendar_id: str) -> None:
        """Queue one message for each open channel of a calendar whose events changed."""
        self._close_expired()
        for channel in self:
            if (channel.owner, channel.calendar_id) == (owner, calendar_id):
                message = self._message(channel, "exists", number=channel.number + self._chance.randint(1, 900))
                self._outbox.extend(self._after_faults(message))

    def due(self) -> list[Message]:
        """The messages to be sent now; each is given out once, until `settle` puts it back."""
        self._close_expired()
        found = [message for message in self._outbox if not message.sending and message.due_at <= self._now()]
        for message in found:
            message.sending = True
            message.attempt += 1
        return found

    def settle(self, message: Message, status: int | None) -> None:
        """Note a receiver's answer; None means that no answer came. Messages from before a reset are forgotten."""
        if message not in self._outbox:
            return
        message.sending = False
        if status in _ACCEPTED:
            outcome = "delivered"
        elif status is not None and status not in _TRIED_AGAIN:
            outcome = f"lost: {status}"
        elif message.attempt >= _MAX_ATTEMPTS or message.channel_id not in self._channels:
            outcome = "lost: given up"
        else:
            outcome = "to be tried again"
            message.due_at = self._now() + timedelta(seconds=min(2 ** (message.attempt - 1), 64))
        if outcome != "to be tried again":
            self._outbox.remove(message)
        self._note(message, outcome)

    def arm(self, fault: MessageFault) -> None:
        """Arm a fault. Raises: ControlError when it is none that is known."""
        if fault.kind not in _FAULTS or fault.times < 1 or (fault.kind == "delay" and fault.delay_s <= 0):
            raise ControlError(f"a message fault has a kind ({', '.join(_FAULTS)}), times >= 1, and delay_s for delay")
        self._faults.append(fault)

    def clear(self) -> None:
        self.log.clear()
        self._channels.clear()
        self._outbox.clear()
        self._faults.clear()

    def dump(self) -> list[Json]:
        """The open channels; messages on their way are lost, which polling must survive."""
        return [asdict(channel) for channel in self]

    def load(self, saved: list[Json]) -> None:
        self.clear()
        self._channels.update({row["id"]: Channel(**row) for row in saved})

    def _expiry(self, wish: Json) -> int:
        now_ms = epoch_ms(self._now())
        if "expiration" in wish:
            expires_ms = int(wish["expiration"])
        else:
            ttl = str(wish.get("params", {}).get("ttl", DEFAULT_LIFETIME_S))
            expires_ms = now_ms + 1000 * int(ttl) if ttl.isdigit() else 0
        if expires_ms <= now_ms:
            raise _refused("channelExpired", "The channel would end before it begins")
        return expires_ms

    def _message(self, channel: Channel, state: str, *, number: int) -> Message:
        channel.number = number
        expires_at = datetime.fromtimestamp(channel.expires_ms / 1000, tz=UTC)
        headers = {
            "X-Goog-Channel-ID": channel.id,
            "X-Goog-Channel-Expiration": format_datetime(expires_at, usegmt=True),
            "X-Goog-Resource-State": state,
            "X-Goog-Message-Number": str(number),
            "X-Goog-Resource-ID": channel.resource_id,
            "X-Goog-Resource-URI": channel.resource_uri,
        }
        if channel.token:
            headers["X-Goog-Channel-Token"] = channel.token
        return Message(channel.id, state, number, channel.address, headers, self._now())

    def _after_faults(self, message: Message) -> list[Message]:
        if not self._faults:
            return [message]
        fault = self._faults[0]
        fault.times -= 1
        if fault.times <= 0:
            self._faults.pop(0)
        if fault.kind == "drop":
            self._note(message, "dropped")
            return []
        if fault.kind == "delay":
            message.due_at += timedelta(seconds=fault.delay_s)
            return [message]
        again = Message(
            message.channel_id, message.state, message.number, message.address, message.headers, message.due_at
        )
        return [message, again]

    def _close_expired(self) -> None:
        for channel in [channel for channel in self if channel.expires_ms <= epoch_ms(self._now())]:
            self._close(channel)

    def _close(self, channel: Channel) -> None:
        del self._channels[channel.id]
        self._outbox = [message for message in self._outbox if message.channel_id != channel.id or message.sending]

    def _note(self, message: Message, outcome: str) -> None:
        self.log.append(
            {"channel": message.channel_id, "number": message.number, "state": message.state, "outcome": outcome}
        )


def _refused(reason: str, message: str) -> ApiError:
    return ApiError(400, reason, message, status_name="")
