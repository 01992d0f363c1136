"""What a message says, after reading: text, safe HTML, and what hangs on it."""

from __future__ import annotations

from shared.domain.mail.folding import fold
from shared.domain.values import dataclass

SNIPPET_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Attachment:
    """part_id and filename find the content again: the vendor's own attachment ids do not last.

    size_bytes: decoded. content_id: without brackets, None if the part has none. inline: the HTML shows it.
    """

    part_id: str
    filename: str
    mime_type: str
    size_bytes: int
    content_id: str | None = None
    inline: bool = False


@dataclass(frozen=True, slots=True)
class MailBody:
    """text: always there, made from the HTML where the sender wrote none. html: sanitized; remote images stand in
    `data-src` until a person asks for them. truncated: something was too large and was cut or left out.
    """

    text: str
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    truncated: bool = False

    @property
    def snippet(self) -> str:
        """The first words a person wrote, without what they quoted."""
        return snippet(fold(self.text).visible)


def snippet(text: str, length: int = SNIPPET_LENGTH) -> str:
    """The first `length` characters as one line, cut between words and ended with "…" if anything is missing."""
    line = " ".join(text[: 20 * length].split())
    if len(line) <= length:
        return line
    kept = line[: length - 1]
    return (kept.rpartition(" ")[0] or kept).rstrip() + "…"
