"""Whether what a run leaves behind (logs, parked work, calls, errors) tells what it worked on (I28)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from shared.domain.mail.addresses import normalize

SHORTEST = 5
"""A shorter word is found by chance."""

_ADDRESS = re.compile(r"[\w.+-]++@[\w-]++(?:\.[\w-]++)+")
_SERVICE_ACCOUNT = re.compile(r"@[\w-]+\.iam\.(?:gserviceaccount\.com|example)$")


def told(trace: str, private: Iterable[str]) -> list[str]:
    """What of `private` (tokens, addresses, subjects, words of bodies) stands in `trace`, as it is or encoded; and any
    address at all but those of service accounts."""
    low = trace.lower()
    found = {text for text in private if len(text) >= SHORTEST and any(form in low for form in _forms(text))}
    return sorted(found | {one for one in _ADDRESS.findall(trace) if not _SERVICE_ACCOUNT.search(one)})


def texts_of(fields: object) -> set[str]:
    """Every text below a stored value."""
    if isinstance(fields, str):
        return {fields}
    inner = fields.values() if isinstance(fields, Mapping) else fields if isinstance(fields, list | tuple) else ()
    return {text for one in inner for text in texts_of(one)}


def _forms(text: str) -> set[str]:
    plain = text.strip()
    encoded = base64.b64encode(plain.encode()).decode().rstrip("=")
    return {form.lower() for form in (plain, quote(plain, safe=""), encoded, normalize(plain))}
