"""What HTTP functions answer: domain objects as JSON. Times are ISO 8601 in UTC; nothing here decides anything."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.domain.ids import is_id
from shared.domain.json_text import read_json
from shared.errors import InputError
from shared.records.codec import encode

if TYPE_CHECKING:  # a function that answers one of these must not load all the others
    from shared.domain.quarantine import Parked
    from shared.domain.receipt import Receipt
    from shared.domain.timeline import Entry
    from shared.usecases.cash.set_up_signing import SigningSetup
    from shared.usecases.estimate_backfill import Estimate
    from shared.usecases.import_contacts import ImportResult
    from shared.usecases.read_connection import ConnectionPage
    from shared.usecases.read_receipt import Explanation
    from shared.usecases.read_timeline import OpenedMessage, TimelinePage
    from shared.usecases.settle_duplicates import Duplicate

Answer = Mapping[str, Any]


def as_json(value: Any) -> Any:
    """Any domain value as JSON."""
    return _timed(encode(value))


def _timed(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _timed(kept) for name, kept in value.items()}
    if isinstance(value, list):
        return [_timed(kept) for kept in value]
    return value


def connection_answer(page: ConnectionPage) -> Answer:
    progress = page.progress
    return {
        "mailbox": page.mailbox.mailbox_id,
        "address": page.mailbox.address,
        "status": page.status.value,
        "problem": page.problem,
        "scopes": sorted(page.connection.scopes) if page.connection else [],
        "refused": sorted(page.connection.refused) if page.connection else [],
        "covered_until": as_json(page.covered_until),
        "last_push_at": as_json(page.last_push_at),
        "last_poll_at": as_json(page.last_poll_at),
        "watch_expires_at": as_json(page.watch_expires_at),
        "changed_by": page.mailbox.changed_by,
        "changed_at": as_json(page.mailbox.changed_at),
        "backfill": {"decided": progress.decided, "listed": progress.listed, "percent": progress.percent}
        if progress
        else None,
        "receipt": receipt_answer(page.receipt),
    }


def receipt_answer(receipt: Receipt) -> Answer:
    return {**as_json(receipt), "left_out_total": sum(receipt.left_out.values()), "balanced": receipt.balanced}


def timeline_answer(page: TimelinePage) -> Answer:
    cursor = cursor_of(page.next_before) if page.next_before else None
    return {"data": [_entry(entry) for entry in page.entries], "meta": {"next_cursor": cursor}}


def _entry(entry: Entry) -> Answer:
    answer = as_json(entry)
    newest_first = sorted(entry.messages.values(), key=lambda kept: kept.sent_at, reverse=True)
    answer["messages"] = [as_json(summary) for summary in newest_first]
    return answer  # type: ignore[no-any-return]  # an Entry encodes to a map


def message_answer(opened: OpenedMessage) -> Answer:
    message = opened.message
    return {
        "message": message.message_id,
        "thread": message.thread_id,
        "sent_at": as_json(message.sent_at),
        "direction": message.direction.value,
        "from": as_json(message.from_),
        "to": as_json(message.to),
        "cc": as_json(message.cc),
        "subject": message.subject,
        "text": opened.text,
        "html": opened.html,
        "attachments": as_json(message.attachments),
        "truncated": message.body_truncated,
    }


def signing_answer(setup: SigningSetup) -> Answer:
    """Without the keys; how many there are is told."""
    settings = setup.settings
    account = settings.account
    return {
        "connection": settings.connection_id,
        "accounts": as_json(settings.accounts),
        "account": as_json(account),
        "environment": None if account is None else "production" if account.production else "sandbox",
        "keys": len(settings.keys),
        "templates": as_json(settings.templates),
        "templates_at": as_json(settings.templates_at),
        "contract_types": as_json(setup.types),
        "problems": list(setup.problems),
    }


def explanation_answer(explanation: Explanation) -> Answer:
    return as_json(explanation)  # type: ignore[no-any-return]  # a dataclass encodes to a map


def estimate_answer(estimate: Estimate) -> Answer:
    return {
        "messages": estimate.messages,
        "sampled": estimate.sampled,
        "logged": estimate.logged,
        "error": estimate.error,
        "units": estimate.units,
        "takes_s": int(estimate.takes.total_seconds()),
    }


def import_answer(result: ImportResult) -> Answer:
    return as_json(result)  # type: ignore[no-any-return]  # a dataclass encodes to a map


def quarantine_answer(parked: Sequence[Parked]) -> Answer:
    return {"data": [{"entry": entry.parked_id, **as_json(entry)} for entry in parked]}


def duplicates_answer(found: Sequence[Duplicate]) -> Answer:
    from shared.domain.duplicate import WHAT_NOW

    return {"data": [_duplicate(duplicate) for duplicate in found], "meta": {"sentence": WHAT_NOW}}


def _duplicate(duplicate: Duplicate) -> Answer:
    return {
        "notice": duplicate.notice.notice_id,
        "address": duplicate.address,
        "noticed_at": as_json(duplicate.notice.noticed_at),
        "contacts": [
            {
                "contact": stored.contact.contact_id,
                "name": stored.contact.name,
                "mails": stored.figures.mails,
                "last_interaction_at": as_json(stored.figures.last_interaction_at),
            }
            for stored in duplicate.contacts
        ],
        "actions": ["move", "dismiss"],
    }


def months_of(text: str) -> int:
    """Raises: InputError."""
    if not text.isascii() or not text.isdigit() or len(text) > 2 or int(text) > 12:
        raise InputError("A backfill reads 0 to 12 months.")
    return int(text)


def cursor_of(position: tuple[datetime, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([position[0].isoformat(), position[1]]).encode()).decode()


def position_of(cursor: str | None) -> tuple[datetime, str] | None:
    """Raises: InputError for a cursor that no page answered with."""
    if cursor is None:
        return None
    try:
        at, entry_id = read_json(base64.urlsafe_b64decode(cursor))
        moment = datetime.fromisoformat(at)
    except (ValueError, TypeError, binascii.Error) as error:
        raise InputError("This cursor does not come from a page before.") from error
    if moment.tzinfo is None or not isinstance(entry_id, str) or not is_id(entry_id):
        raise InputError("This cursor does not come from a page before.")
    return moment, entry_id
