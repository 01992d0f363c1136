"""Which domains anybody can register below, such as co.uk: they name no company."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


def is_public_suffix(domain: str) -> bool:
    """By the list at publicsuffix.org, as the package brings it; "acme.co.uk" is none, "co.uk" is one."""
    return bool(_list().is_public(domain))


@cache
def _list() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
