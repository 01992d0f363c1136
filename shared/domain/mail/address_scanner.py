"""Takes an address list apart into (address, display name) pairs: what RFC 5322 allows, and what people send.

Every character is looked at a bounded number of times, so ten thousand recipients cost ten thousand times one. An
address in brackets always wins over one in a display name, since anybody can write a foreign address there.
Source: RFC 5322 sections 3.2.2, 3.4 and 4.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.domain.mail.headers import ENCODED_WORD, decode_header_value

LONGEST_ADDRESS = 320
"""Characters: 64 before the at sign and 255 after it, by RFC 5321; nothing longer can be delivered."""

_QUOTED = r'(?P<quoted>"[^"\\]*+(?:\\.[^"\\]*+)*+") |'
_OTHERS = rf"""
      (?P<word>{re.sub(r"[(](?![?])", "(?:", ENCODED_WORD.pattern)})
    | <(?P<angle>(?:[^<>"]|"[^"<>]*+")*+)>
    | (?P<mark>[,;:])
    | (?P<space>[\s\x00]+)
    | (?P<open>\()
    | (?P<atom>(?:\[[^\[\]\s<>,]*+\]|(?!=\?)[^\s\x00"(<,;:])+|.)
"""
_TOKEN = re.compile(_QUOTED + _OTHERS, re.VERBOSE | re.DOTALL)
_TOKEN_AFTER_OPEN_QUOTE = re.compile(_OTHERS, re.VERBOSE | re.DOTALL)
_COMMENT_EDGE = re.compile(r"\\.|[()]", re.DOTALL)
_COMMENT = re.compile(r"\([^()]*+\)")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(slots=True)
class _Word:
    """Pieces that touched in the header. raw: as written; shown: without quotes."""

    raw: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Mailbox:
    """What was read since the last comma."""

    words: list[_Word] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    touching: bool = False

    def add(self, raw: str, shown: str) -> None:
        if not self.touching:
            self.words.append(_Word())
        self.words[-1].raw.append(raw)
        self.words[-1].shown.append(shown)
        self.touching = True

    def name(self) -> str:
        return " ".join("".join(word.shown) for word in self.words) or " ".join(self.comments)


def scan(value: str, *, encoded: bool = True) -> Iterator[tuple[str, str]]:
    """Every mailbox in `value`, in order: (address, display name), neither decoded nor normalized.

    encoded: an address may hide in an encoded word, which some mailers wrongly put around a whole mailbox.
    """
    mailbox = _Mailbox()
    surname = ""  # of an unquoted "Doe, Jane <jane@example.com>"
    for kind, text in _tokens(value):
        if kind == "space":
            mailbox.touching = False
        elif kind == "comment":
            mailbox.comments.append(text)
        elif kind == "angle":
            yield _without_route(text), ", ".join(filter(None, [surname, mailbox.name()]))
            mailbox, surname = _Mailbox(), ""
        elif kind == "quoted":
            mailbox.add(text, _ESCAPE.sub(r"\1", text[1:-1]))
        elif kind != "mark":
            mailbox.add(text, text)
        elif text == ":":  # what came before names a group, or is "mailto"
            mailbox, surname = _Mailbox(), ""
        else:
            found = list(_without_brackets(mailbox, encoded=encoded))
            yield from found
            surname = mailbox.name() if text == "," and not found else ""
            mailbox = _Mailbox()
    yield from _without_brackets(mailbox, encoded=encoded)


def _tokens(value: str) -> Iterator[tuple[str, str]]:
    """Tokens as (kind, text). A quote, bracket or parenthesis that is never closed is an ordinary character."""
    comments = _comment_ends(value)
    pattern = _TOKEN
    position = 0
    while token := pattern.match(value, position):
        kind, start, position = str(token.lastgroup), position, token.end()
        text = token[kind]
        if kind == "open" and start in comments:
            kind, text, position = "comment", value[position : comments[start] - 1].strip(), comments[start]
        elif text == '"':
            pattern = _TOKEN_AFTER_OPEN_QUOTE
        yield kind, text


def _comment_ends(value: str) -> dict[int, int]:
    """Where the comment ends that opens at a position; one that never ends is missing. Comments nest."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for edge in _COMMENT_EDGE.finditer(value):
        if edge[0] == "(":
            opened.append(edge.start())
        elif edge[0] == ")" and opened:
            ends[opened.pop()] = edge.end()
    return ends


def _without_brackets(mailbox: _Mailbox, *, encoded: bool) -> Iterator[tuple[str, str]]:
    """Addresses that stand alone, each with the words before it as its name."""
    name: list[str] = []
    found = False
    for raw, shown in _joined_at_sign(mailbox.words):
        if "@" in raw.strip("@") and "=?" not in raw:
            yield raw.strip("'<>"), " ".join(name) or " ".join(mailbox.comments)
            name, found = [], True
        else:
            name.append(shown)
    text = " ".join(name)
    if encoded and not found and "=?" in text:
        yield from scan(decode_header_value(text), encoded=False)


def _joined_at_sign(words: list[_Word]) -> Iterator[tuple[str, str]]:
    """(raw, shown) of each word; "jane @ example.com" is one."""
    before = ("", "")
    for word in words:
        raw, shown = "".join(word.raw), "".join(word.shown)
        joins = raw.startswith("@") or before[0].endswith("@")
        if before[0] and joins and len(before[0]) + len(raw) <= LONGEST_ADDRESS:
            before = (before[0] + raw, before[1] + shown)
            continue
        if before[0]:
            yield before
        before = (raw, shown)
    if before[0]:
        yield before


def _without_route(angle: str) -> str:
    """The address between brackets, without white space, comments, a source route or "mailto:"."""
    text = _COMMENT.sub("", angle)
    if '"' not in text:
        text = "".join(text.split())
    if text.startswith("@") or text[:7].lower() == "mailto:":
        text = text.partition(":")[2]
    return text.strip()
