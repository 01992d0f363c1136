"""What Gmail publishes about a watched mailbox, and how Google answers a consent page, in our words."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.json_text import read_json
from shared.domain.values import dataclass
from shared.errors import InputError, PayloadError
from shared.providers.google.catalogue import BY_CODE

HISTORY_ID_LIMIT = 2**63


@dataclass(frozen=True, slots=True)
class MailNotice:
    """That a mailbox changed. history_id: where it stands now; not where to read from (I7)."""

    address: str
    history_id: int


def read_notice(data: bytes) -> MailNotice:
    """Raises: PayloadError for anything but a notice.

    Source: developers.google.com/workspace/gmail/api/guides/push, "Receive notifications": {"emailAddress",
    "historyId"}; the id has been seen as a text and as a number.
    """
    try:
        found = read_json(data)
    except ValueError as error:
        raise PayloadError("a Gmail notice that is not JSON") from error
    if not isinstance(found, dict):
        raise PayloadError("a Gmail notice that is no object")
    address, history_id = found.get("emailAddress"), found.get("historyId")
    if not isinstance(address, str) or "@" not in address or isinstance(history_id, bool):
        raise PayloadError("a Gmail notice without an address")
    if not isinstance(history_id, int | str) or not str(history_id).isascii() or not str(history_id).isdigit():
        raise PayloadError("a Gmail notice without a history id")
    number = int(history_id) if len(str(history_id)) < 20 else HISTORY_ID_LIMIT
    if number >= HISTORY_ID_LIMIT:
        raise PayloadError("a Gmail notice whose history id is too large")
    return MailNotice(address, number)


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """A person who agreed comes back with both."""

    state: str
    code: str


def read_consent_answer(arguments: Mapping[str, str]) -> ConsentAnswer:
    """The query of the redirect. Raises: InputError with what to do, where the person or Google refused.

    Source: developers.google.com/identity/protocols/oauth2/web-server, "Handle the OAuth 2.0 server response".
    """
    error = arguments.get("error")
    if error is not None:
        problem = BY_CODE.get(error)
        sentence = f"{problem.sentence} {problem.action}" if problem else "Google did not give access."
        raise InputError(f"{sentence} Please start connecting again.")
    state, code = arguments.get("state"), arguments.get("code")
    if not state or not code:
        raise InputError("This link is not complete. Please start connecting again.")
    return ConsentAnswer(state, code)
