"""Splits a mail's text into what its author wrote now, what they quoted, and how they signed (G15).

Careful rather than complete: what is not surely history stays visible, and nothing is ever dropped. Every line is
looked at a bounded number of times; text from strangers must not cost more than it is long.
"""

from __future__ import annotations

import re

from shared.domain.values import dataclass

_LONGEST_ATTRIBUTION = 400
_ATTRIBUTION_LINES = 4
_HEADER_BLOCK_LINES = 8
_SIGNATURE_LINES = 20

_SAID = """
wrote schrieb écrit escribió scritto escreveu schreef skrev skreiv napisał napsal napísal írta kirjoitti написал пишет
пише έγραψε yazdı rašė scris
"""
_VERBS = frozenset(_SAID.split())
_TIME_OR_YEAR = re.compile(r"\b\d{1,2}[:.h]\d{2}\b|\b(?:19|20)\d\d\b|\d{4}年|\d{4}년")
_ADDRESS = re.compile(r"[<(\[][^\s<>()\[\]@]+@[^\s<>()\[\]@]+[>)\]]")

_SEPARATOR = re.compile(
    r"[-_ ]{2,}(?:original message|original appointment|ursprüngliche nachricht|message d'origine|mensaje original"
    r"|messaggio originale|mensagem original|oorspronkelijk bericht|ursprungligt meddelande|oprindelig meddelelse"
    r"|opprinnelig melding|oryginalna wiadomość|původní zpráva|alkuperäinen viesti|исходное сообщение)[-_ ]{2,}",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"\*?(?:from|von|de|da|van|från|fra|od|lähettäjä|от|差出人|发件人|寄件者|보낸 사람)\s?:\*? *\S", re.IGNORECASE
)
_SENT_TO_SUBJECT = re.compile(
    r"\*?(?:sent|date|to|cc|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviado(?: el)?|fecha|para|asunto|inviato"
    r"|data|a|oggetto|assunto|verzonden|aan|onderwerp|skickat|till|ämne|sendt|til|emne|wysłano|do|temat|odesláno|komu|předmět"
    r"|lähetetty|vastaanottaja|aihe|отправлено|кому|тема"
    r"|送信日時|宛先|件名|发送时间|收件人|主题|보낸 날짜|받는 사람|제목)\s?:\*?",
    re.IGNORECASE,
)
_SENT_FROM_PHONE = re.compile(
    r"(?:sent from (?:my|outlook|mail|yahoo|proton)|get outlook for|von meinem|gesendet (?:von|mit)"
    r"|envoyé (?:de|depuis)|enviado (?:desde|do)|inviato da|verzonden vanaf|skickat från|sendt fra|wysłane z"
    r"|odesláno z|отправлено с|lähetetty).{0,80}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Folded:
    """visible: what the author wrote now. quoted: earlier mail. signature: with its "-- " line. Either may be empty."""

    visible: str
    quoted: str = ""
    signature: str = ""


def fold(text: str) -> Folded:
    """Take history and signature off `text`. Every line that is not blank is in exactly one of the three parts.

    Answers written between quotes stay visible with the quotes they answer. If nothing else would be left (a plain
    forward), everything stays visible.
    """
    lines = text.splitlines()
    start, end = _history(lines)
    written = [*lines[:start], *lines[end:]]
    if not any(line.strip() for line in written):
        return Folded(visible=_joined(lines))
    signed = _signature(written)
    return Folded(_joined(written[:signed]), _joined(lines[start:end]), _joined(written[signed:]))


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n")


def _history(lines: list[str]) -> tuple[int, int]:
    """The half-open range of lines that are history; empty (start = end) if there is none."""
    whole = len(lines)
    for index, line in enumerate(lines):
        text = line.strip()
        if not text:
            continue
        if _SEPARATOR.fullmatch(text) or _opens_header_block(lines, index):
            return index, whole
        if text.startswith(">"):
            return _quote(lines, index, index)
        if (after := _attribution_end(lines, index)) is not None:
            quote = next((number for number in range(after, whole) if lines[number].strip()), whole)
            if quote < whole and lines[quote].lstrip().startswith(">"):
                return _quote(lines, index, quote)
            return index, whole
    return whole, whole


def _quote(lines: list[str], start: int, quote: int) -> tuple[int, int]:
    """History that begins at `start` and has its first quoted line at `quote`.

    An answer below a single quote leaves the quote foldable; with several quotes between answers only the last, if
    nothing follows it, is.
    """

    def is_quoted(line: str) -> bool:
        return line.lstrip().startswith(">")

    whole = len(lines)
    end = next(
        (number for number in range(quote, whole) if lines[number].strip() and not is_quoted(lines[number])), whole
    )
    if end == whole:
        return start, whole
    if not any(is_quoted(line) for line in lines[end:]):
        return (start, end) if not any(line.strip() for line in lines[:start]) else (whole, whole)
    last = next(number for number in range(whole - 1, -1, -1) if lines[number].strip())
    if not is_quoted(lines[last]):
        return whole, whole
    while last > 0 and (is_quoted(lines[last - 1]) or not lines[last - 1].strip()):
        last -= 1
    return last, whole


def _attribution_end(lines: list[str], index: int) -> int | None:
    """The line after an "On ... Jane wrote:" that begins at `index`; it may be wrapped over some lines."""
    text = ""
    for number in range(index, min(index + _ATTRIBUTION_LINES, len(lines))):
        line = lines[number].strip()
        if not line or line.startswith(">") or len(text) + len(line) > _LONGEST_ATTRIBUTION:
            return None
        text = f"{text} {line}"
        if line.endswith((":", "：")):
            return number + 1 if _is_attribution(text.lower()) else None
    return None


def _is_attribution(text: str) -> bool:
    words = re.split(r"[\s:(]+", text)
    said = not _VERBS.isdisjoint(words)
    return bool(_TIME_OR_YEAR.search(text)) and (said or bool(_ADDRESS.search(text)))


def _opens_header_block(lines: list[str], index: int) -> bool:
    """Outlook's way: a From line with at least two more header lines right below it."""
    if not _FROM.match(lines[index].strip()):
        return False
    below = [line.strip() for line in lines[index + 1 : index + _HEADER_BLOCK_LINES] if line.strip()]
    return sum(1 for line in below if _SENT_TO_SUBJECT.match(line)) >= 2


def _signature(lines: list[str]) -> int:
    """The line the signature begins at; the number of lines if there is none."""
    last = max(number for number, line in enumerate(lines) if line.strip())
    for number in range(last, max(last - _SIGNATURE_LINES, 0), -1):
        if lines[number].rstrip() in ("--", "\u2014"):
            return number
    return last if last > 0 and _SENT_FROM_PHONE.fullmatch(lines[last].strip()) else len(lines)
