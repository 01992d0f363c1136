"""The part of Gmail's search language that the product uses; everything else is refused, never guessed.

    after:1700000000 before:1700086400 (epoch seconds)   rfc822msgid:<id>   in:sent|inbox|draft|trash|spam|anywhere
    from: to: cc: bcc: with an address or a domain, or a group of them: from:(a@x.example OR b@x.example), to:{a b}
    a b (both)   a OR b   {a b} (one of them)   -a (not)   (a b)

Source: support.google.com/mail/answer/7190 and developers.google.com/workspace/gmail/api/guides/filtering.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from local.google.errors import ApiError, invalid_argument, not_simulated
from local.google.gmail.stored import StoredMessage

Matches = Callable[[StoredMessage], bool]

_TOKEN = re.compile(r'\s*([(){}]|-(?=\S)|[a-z0-9_]+:(?=[({])|[a-z0-9_]*:?"[^"]*"|[^\s(){}]+)', re.IGNORECASE)
_PLACES = {"sent": "SENT", "inbox": "INBOX", "draft": "DRAFT", "drafts": "DRAFT", "trash": "TRASH", "spam": "SPAM"}
_PEOPLE = ("from", "to", "cc", "bcc")


@dataclass(frozen=True, slots=True)
class Query:
    """A search, ready to be asked of messages. `reaches_spam_and_trash`: it names them, so they are not left out."""

    matches: Matches
    reaches_spam_and_trash: bool


def parse_query(text: str) -> Query:
    """Read a search.

    Raises:
        ApiError: 400 it is malformed; 501 it uses words the simulator does not know.
    """
    reader = _Reader([found[1] for found in _TOKEN.finditer(text)])
    matches = reader.all_of("")
    if reader.more():
        raise invalid_argument("Invalid query")
    return Query(matches, reader.reaches_spam_and_trash)


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self.reaches_spam_and_trash = False

    def more(self) -> bool:
        return self._at < len(self._tokens)

    def all_of(self, operator: str) -> Matches:
        """Terms until the group ends: side by side means both, OR binds its two neighbours tighter."""
        groups: list[list[Matches]] = []
        alternative = False
        while self.more() and self._peek() not in (")", "}"):
            if self._peek() == "OR":
                self._next()
                alternative = bool(groups)
                continue
            term = self._term(operator)
            if alternative:
                groups[-1].append(term)
            else:
                groups.append([term])
            alternative = False
        return lambda message: all(any(term(message) for term in group) for group in groups)

    def _one_of(self, operator: str) -> Matches:
        terms: list[Matches] = []
        while self.more() and self._peek() not in (")", "}"):
            if self._peek() == "OR":
                self._next()
                continue
            terms.append(self._term(operator))
        return lambda message: any(term(message) for term in terms)

    def _term(self, operator: str) -> Matches:
        token = self._next()
        if token == "-":
            unwanted = self._term(operator)
            return lambda message: not unwanted(message)
        if token in ("(", "{"):
            group = self.all_of(operator) if token == "(" else self._one_of(operator)
            self._expect(")" if token == "(" else "}")
            return group
        if token.endswith(":") and not operator:
            return self._term(token[:-1].lower())
        if operator:
            return self._leaf(operator, token)
        name, _, value = token.partition(":")
        return self._leaf(name.lower() if value else "", value or token)

    def _leaf(self, operator: str, value: str) -> Matches:
        value = value.strip('"').lower() if operator != "rfc822msgid" else value.strip('"')
        if operator in ("after", "before"):
            return _time_test(operator, value)
        if operator == "rfc822msgid":
            wanted = value.strip("<>")
            return lambda message: message.rfc822_id == wanted
        if operator == "in":
            return self._place_test(value)
        if operator in _PEOPLE:
            return _people_test(operator, value)
        raise not_simulated(f"the search {operator + ':' if operator else 'for words such as '}{value!r}")

    def _place_test(self, place: str) -> Matches:
        if place == "anywhere":
            self.reaches_spam_and_trash = True
            return _everywhere
        if place not in _PLACES:
            raise not_simulated(f"the search in:{place}")
        label = _PLACES[place]
        self.reaches_spam_and_trash |= label in ("TRASH", "SPAM")
        return lambda message: label in message.labels

    def _peek(self) -> str:
        return self._tokens[self._at]

    def _next(self) -> str:
        if not self.more():
            raise invalid_argument("Invalid query")
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, token: str) -> None:
        if not self.more() or self._next() != token:
            raise invalid_argument("Invalid query")


def _everywhere(_message: StoredMessage) -> bool:
    return True


def _time_test(operator: str, value: str) -> Matches:
    if not value.isdigit():
        raise _dates_are_ambiguous(value)
    limit_ms = int(value) * 1000
    if operator == "after":
        return lambda message: message.internal_ms >= limit_ms
    return lambda message: message.internal_ms < limit_ms


def _people_test(operator: str, value: str) -> Matches:
    wanted = value.strip("<>")
    if "@" in wanted.strip("@"):
        return lambda message: wanted in message.people(operator)
    domain = wanted.removeprefix("@")
    if "." not in domain:
        raise not_simulated(f"the search {operator}:{value}, which is neither an address nor a domain")
    return lambda message: any(address.endswith(("@" + domain, "." + domain)) for address in message.people(operator))


def _dates_are_ambiguous(value: str) -> ApiError:
    return not_simulated(f"the date {value!r} in a search: days begin at midnight Pacific time, so pass epoch seconds")
