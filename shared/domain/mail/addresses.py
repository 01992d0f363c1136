"""Mail addresses: read from headers, brought to one spelling, and told apart by kind.

Two spellings are the same address only where mail systems agree that they are: letter case, and the two forms of an
international domain. Dots, tags and look-alike letters make different addresses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from shared.domain.mail.address_scanner import LONGEST_ADDRESS, scan
from shared.domain.mail.charsets import repair
from shared.domain.mail.free_mail import FREE_MAIL_DOMAINS
from shared.domain.mail.headers import decode_header_value
from shared.domain.values import dataclass

__all__ = [
    "FREE_MAIL_DOMAINS",
    "Address",
    "domain_of",
    "is_free_mail",
    "is_role_address",
    "normalize",
    "parse_addresses",
    "untagged",
]

_LONGEST_NAME = 200

# White space and invisible marks that come along when an address is pasted.
_AROUND = " \t\r\n\v\f\x00\xa0\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_UNFIT = re.compile(r'[\s\x00-\x1f\x7f-\x9f<>(),;"@\ufffd]')
_QUOTED_WITHOUT_NEED = re.compile(r'"([^\s"\\@<>(),:;\[\]]+)"')
_FULL_STOPS = re.compile("[\u3002\uff0e\uff61]")

_SEPARATORS = re.compile(r"[-_.]+")
_ROLE_WORDS = """
    abuse accounting accounts admin administrator alert alerts auto automailer automated autoreply billing bot
    bounce bounces buchhaltung business careers cases compliance contact contacts contactus cs customercare
    customerservice customersupport digest donotreply einkauf enquiries enquiry events faktura feedback finance ftp
    hello help helpdesk hi hostmaster hr info information inquiries inquiry invoice invoices invoicing jobs kontakt
    kundenservice legal listserv mail mailer mailerdaemon marketing media members membership networking news
    newsletter newsletters noc noreply notification notifications notify office order orders payments payroll poczta
    postmaster press privacy purchasing receipts reception rechnung rechnungen recruiting recruitment replies reply
    reservas reservations returns root sales security service servicedesk services shop soporte spam staff
    statements subscribe subscriptions supplier support sysadmin system team ticket tickets unsubscribe updates
    usenet vendas ventas verify vertrieb web webmaster welcome www
"""
_ROLES = frozenset(_ROLE_WORDS.split())
_NOBODY_READS = (
    "noreply",
    "donotreply",
    "nepasrepondre",
    "noresponder",
    "nichtantworten",
    "mailerdaemon",
    "postmaster",
)


@dataclass(frozen=True, slots=True)
class Address:
    """email: normalized, "local@domain". name: the decoded display name, empty if there is none."""

    email: str
    name: str = ""


def parse_addresses(header_values: Sequence[str]) -> list[Address]:
    """Every address in these raw header values, in order, repeats included. Whatever holds no address is left out.

    Groups, comments, quoted commas, encoded words, 8-bit text, missing brackets or commas: all are read. Never raises.
    """
    found: list[Address] = []
    for value in header_values:
        for raw_email, raw_name in scan(repair(value)):
            email = normalize(raw_email)
            if _is_address(email):
                name = _tidy_name(raw_name)
                found.append(Address(email, "" if name.lower() == email else name))
    return found


def normalize(email: str) -> str:
    """The one spelling used for comparing: trimmed, lower case, international domains as A-labels ("xn--...").

    Dots in the local part stay, since only some systems ignore them. Text that is no address comes back lower-cased.
    """
    text = email.strip(_AROUND)
    local, at, domain = text.rpartition("@")
    if not at:
        return _lower(text)
    quoted = _QUOTED_WITHOUT_NEED.fullmatch(local)
    return f"{_lower(quoted[1] if quoted else local)}@{_domain(domain)}"


def untagged(email: str) -> str:
    """`email` without "+tag" in its local part: mail for "jane+shop@example.com" is Jane's."""
    local, at, domain = email.rpartition("@")
    if local.startswith('"'):
        return email
    name = local.partition("+")[0]
    return f"{name}@{domain}" if at and name else email


def domain_of(email: str) -> str:
    """What follows the last at sign; empty if there is none."""
    return email.rpartition("@")[2] if "@" in email else ""


def domains_up(domain: str) -> list[str]:
    """The domain and those above it, the nearest first; without the last label, which nobody can be below alone:
    "mail.acme.co.uk" -> ["mail.acme.co.uk", "acme.co.uk", "co.uk"]."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def is_free_mail(domain: str) -> bool:
    """Whether anybody can get a mailbox at `domain`, so that it names no company."""
    return domain.lower() in FREE_MAIL_DOMAINS


def is_role_address(email: str) -> bool:
    """Whether the address belongs to a function or a machine ("info@", "no-reply@"), not to a person."""
    local = untagged(normalize(email)).rpartition("@")[0]
    plain = _SEPARATORS.sub("", local)
    return plain in _ROLES or plain.startswith(_NOBODY_READS) or plain.endswith("noreply")


def _is_address(email: str) -> bool:
    local, _, domain = email.rpartition("@")
    if not local or not domain or len(email) > LONGEST_ADDRESS or _UNFIT.search(domain):
        return False
    quoted = len(local) > 2 and local.startswith('"') and local.endswith('"')
    return local.isprintable() if quoted else not _UNFIT.search(local)


def _tidy_name(raw: str) -> str:
    name = " ".join(decode_header_value(raw).split()).strip("\"'<> ")
    return name[:_LONGEST_NAME]


def _lower(text: str) -> str:
    """Lower case, character by character. The Kelvin sign stays itself: its lower case is an ASCII letter."""
    if text.isascii():
        return text.lower()
    return "".join(char.lower() if char.isascii() or not char.lower().isascii() else char for char in text)


def _domain(domain: str) -> str:
    name = domain.lower() if domain.isascii() else _international_domain(domain)
    return name.lstrip(_AROUND).rstrip(_AROUND + ".")


@lru_cache(maxsize=4096)
def _international_domain(domain: str) -> str:
    """Each label by the rules browsers follow (UTS 46, non-transitional: "ß" stays), as an A-label.

    The labels are not checked against the registry's rules: a name nobody can register is still one name.
    """
    labels = _FULL_STOPS.sub(".", domain).split(".")
    mapped = (_lower_always(unicodedata.normalize("NFKC", _lower_always(label))) for label in labels)
    return ".".join(_a_label(unicodedata.normalize("NFKC", label)) for label in mapped)


def _lower_always(text: str) -> str:
    return "".join(char.lower() for char in text)


def _a_label(label: str) -> str:
    if label.isascii() or len(label) > 63:
        return label
    return "xn--" + label.encode("punycode").decode("ascii")
