"""Rows of a CSV file to contacts: which column means what, and what is wrong with a row (R3, R4)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from shared.domain.mail.addresses import normalize, parse_addresses
from shared.domain.values import dataclass

ROWS_AT_MOST = 50_000

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "first_name": ("first name", "given name", "firstname", "vorname", "prénom"),
    "last_name": ("last name", "family name", "surname", "lastname", "nachname", "nom"),
    "name": ("name", "full name", "display name", "contact"),
    "company": ("company", "organization", "organization name", "organization 1 - name", "account", "firma"),
    "title": ("title", "job title", "organization title", "organization 1 - title", "position"),
    "status": ("status", "lifecycle stage"),
    "owner": ("owner", "owner email", "contact owner"),
}
"""Header words that mean a field, in lower case. Google's, Outlook's and hand-made files use these."""

EMAIL_COLUMN = re.compile(r"e-?mail( \d+)?( address)?( \d+)?( - value)?$")
PHONE_COLUMN = re.compile(
    r"(primary |mobile |home |business |work |other )?(phone|telephone|mobile|telefon)( \d+)?( - value)?$"
)
SEVERAL = re.compile(r"\s*(?::::|;|,)\s*")
"""Google joins several values of one column with ":::"."""


@dataclass(frozen=True, slots=True)
class ImportedContact:
    """One row, understood. `row` counts from 2: the header is row 1, as a spreadsheet shows it."""

    row: int
    first_name: str
    last_name: str
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    company: str
    title: str
    status: str
    owner_email: str


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row was not imported, in a sentence its owner can act on."""

    row: int
    sentence: str


def guess_columns(header: Sequence[str]) -> dict[str, list[str]]:
    """Which columns feed which field; columns nobody understands are left out."""
    mapping: dict[str, list[str]] = {}
    for column in header:
        field = _field_of(" ".join(column.lower().replace("_", " ").split()))
        if field is not None:
            mapping.setdefault(field, []).append(column)
    return mapping


def _field_of(word: str) -> str | None:
    if EMAIL_COLUMN.fullmatch(word):
        return "emails"
    if PHONE_COLUMN.fullmatch(word):
        return "phones"
    return next((field for field, words in COLUMNS.items() if word in words), None)


def read_row(number: int, row: Mapping[str, str], mapping: Mapping[str, Sequence[str]]) -> ImportedContact | RowError:
    """One row as a contact, or the reason it is none. A contact needs a name and an address or a phone."""

    def value(field: str) -> str:
        return next((text for column in mapping.get(field, ()) if (text := row.get(column, "").strip())), "")

    def values(field: str) -> list[str]:
        cells = [row.get(column, "").strip() for column in mapping.get(field, ())]
        return [part for cell in cells if cell for part in SEVERAL.split(cell) if part]

    raw_emails = values("emails")
    emails: list[str] = []
    for raw in raw_emails:
        parsed = parse_addresses([raw])
        if len(parsed) != 1 or "@" not in parsed[0].email:
            return RowError(number, f"Row {number}: {raw!r} is not an email address; correct it and import again.")
        emails.append(normalize(parsed[0].email))
    first, last = value("first_name"), value("last_name")
    if not first and not last:
        first, last = _split_name(value("name"))
    phones = tuple(dict.fromkeys(values("phones")))
    if not first and not last:
        return RowError(number, f"Row {number} has no name; a contact needs a first and last name.")
    if not emails and not phones:
        return RowError(number, f"Row {number} has neither an email address nor a phone number; a contact needs one.")
    return ImportedContact(
        row=number,
        first_name=first,
        last_name=last,
        emails=tuple(dict.fromkeys(emails)),
        phones=phones,
        company=value("company"),
        title=value("title"),
        status=value("status").lower(),
        owner_email=normalize(value("owner")) if value("owner") else "",
    )


def _split_name(name: str) -> tuple[str, str]:
    """ "Last, First" and "First Middle Last" as people write them."""
    if "," in name:
        last, _, first = name.partition(",")
        return first.strip(), last.strip()
    first, _, last = name.strip().rpartition(" ")
    return (first, last) if first else (last, "")
