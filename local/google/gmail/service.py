"""Gmail's face for the wire: API calls and control actions, translated for the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, cast

from local.google.accounts import Account
from local.google.clock import iso_ms
from local.google.errors import ApiError, Json, invalid_argument
from local.google.gmail.controls import controls_of
from local.google.gmail.model import Format, Gmail
from local.google.gmail.spool import Spool
from local.google.quota import QuotaPolicy
from local.google.service import Call, Context, Service, Table, repeatable
from shared.providers.google.prices import GMAIL_UNITS

_METADATA_SCOPE = "https://www.googleapis.com/auth/gmail.metadata"


def build(context: Context) -> Service:
    """Build Gmail for the simulator."""
    return GmailService(context)


class GmailService:
    """Implements `Service`."""

    name = "gmail"
    version = "v1"

    def __init__(self, context: Context) -> None:
        self._context = context
        self._folder = context.settings.folder / "mail"
        self._spool = Spool(self._folder)
        self.model = Gmail(context.now, context.publish, repeatable(context.settings.seed), keep=self._spool.keep)
        self.quota = QuotaPolicy(
            units_per_minute=context.settings.gmail_units_per_minute,
            prices=GMAIL_UNITS,
            refusal=_used_up,
            in_flight_refusal=_too_many_at_once,
        )
        self.controls: Mapping[str, Callable[[Json], Json | None]] = controls_of(
            self.model, scratch=context.settings.folder / "seeds"
        )
        self.calls: Mapping[str, Callable[[Call], Json | None]] = {
            "gmail.users.getProfile": self._profile,
            "gmail.users.watch": self._watch,
            "gmail.users.stop": self._stop,
            "gmail.users.messages.list": self._list,
            "gmail.users.messages.get": self._get,
            "gmail.users.messages.attachments.get": self._attachment,
            "gmail.users.threads.get": self._thread,
            "gmail.users.history.list": self._history,
            "gmail.users.settings.sendAs.list": self._send_as,
            "gmail.users.labels.list": self._labels,
        }

    def open_account(self, account: Account) -> None:
        self.model.open(account)

    def tick(self) -> None:
        self.model.pushes.tick()

    def tables(self) -> Sequence[Table]:
        mailboxes = [
            (
                address,
                len(mailbox.messages),
                len(mailbox.threads),
                *(sum(label in m.labels for m in mailbox.messages.values()) for label in ("INBOX", "SENT", "TRASH")),
                mailbox.history_id,
            )
            for address, mailbox in self.model.mailboxes.items()
        ]
        watches = [
            (address, watch.topic, ", ".join(watch.label_ids) or "all", iso_ms(watch.expires_at))
            for address, watch in self.model.pushes.watches.items()
        ]
        return [
            Table("Mailboxes", ("address", "messages", "threads", "inbox", "sent", "trash", "history id"), mailboxes),
            Table("Watches", ("address", "topic", "labels", "until"), watches),
            Table("Notifications", ("what became of them", "number"), sorted(self.model.pushes.counts.items())),
        ]

    def dump(self) -> Json:
        return self.model.dump(self._folder)

    def load(self, state: Json) -> None:
        self.model.load(state, self._context.accounts)

    def reset(self) -> None:
        self.model.reset()
        self._spool.clear()

    def _profile(self, call: Call) -> Json:
        return self.model.profile(_address(call))

    def _watch(self, call: Call) -> Json:
        return self.model.start_watch(
            _address(call),
            topic=call.body.get("topicName", ""),
            label_ids=call.body.get("labelIds", ()),
            exclude="exclude" in (call.body.get("labelFilterBehavior"), call.body.get("labelFilterAction")),
        )

    def _stop(self, call: Call) -> None:
        self.model.stop_watch(_address(call))

    def _list(self, call: Call) -> Json:
        if call.text("q") and _only_metadata(call):
            raise ApiError(403, "forbidden", "Metadata scope does not support 'q' parameter")
        return self.model.list_messages(
            _address(call),
            q=call.text("q"),
            label_ids=call.texts("labelIds"),
            include_spam_trash=call.flag("includeSpamTrash"),
            limit=call.number("maxResults", 100),
            page_token=call.text("pageToken"),
        )

    def _get(self, call: Call) -> Json:
        form = cast(Format, call.text("format", "full"))
        _require_bodies(call, form)
        return self.model.message(_address(call), call.text("id"), form=form, headers=call.texts("metadataHeaders"))

    def _attachment(self, call: Call) -> Json:
        return self.model.attachment(_address(call), call.text("messageId"), call.text("id"))

    def _thread(self, call: Call) -> Json:
        form = cast(Literal["minimal", "metadata", "full"], call.text("format", "full"))
        _require_bodies(call, form)
        return self.model.thread(_address(call), call.text("id"), form=form, headers=call.texts("metadataHeaders"))

    def _history(self, call: Call) -> Json:
        if not call.text("startHistoryId"):
            raise invalid_argument("Missing required parameter: startHistoryId")
        return self.model.history(
            _address(call),
            start=int(call.text("startHistoryId")),
            changes=call.texts("historyTypes"),
            label_id=call.text("labelId"),
            limit=call.number("maxResults", 100),
            page_token=call.text("pageToken"),
        )

    def _send_as(self, call: Call) -> Json:
        return self.model.send_as(_address(call))

    def _labels(self, call: Call) -> Json:
        return self.model.labels(_address(call))


def _address(call: Call) -> str:
    """A token opens its own mailbox only."""
    own = call.account.email
    if call.text("userId").lower() not in ("me", own):
        raise ApiError(403, "forbidden", f"Delegation denied for {own}")
    return own


def _only_metadata(call: Call) -> bool:
    return not any(scope != _METADATA_SCOPE for scope in call.scopes if "/gmail." in scope or "mail.google" in scope)


def _require_bodies(call: Call, form: str) -> None:
    if form in ("full", "raw") and _only_metadata(call):
        raise ApiError(403, "forbidden", f"Metadata scope doesn't allow format {form.upper()}")


def _used_up(free_at: datetime, refusals: int) -> ApiError:
    """Google says it in two ways; they take turns here, so that clients learn both."""
    sentence = f"User-rate limit exceeded.  Retry after {iso_ms(free_at.astimezone(UTC))}"
    if refusals % 2 == 0:
        return ApiError(403, "userRateLimitExceeded", sentence, domain="usageLimits")
    return ApiError(429, "rateLimitExceeded", sentence)


def _too_many_at_once() -> ApiError:
    return ApiError(429, "rateLimitExceeded", "Too many concurrent requests for user")
