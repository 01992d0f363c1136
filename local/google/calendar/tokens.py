"""Sync and page tokens: opaque to clients; inside, what the reading that made them has asked for and has seen."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import asdict, dataclass

from local.google.errors import ApiError, Json

_UNREADABLE = (binascii.Error, ValueError, TypeError)


@dataclass(frozen=True, slots=True)
class SyncToken:
    """Everything of `calendar` up to `revision` was delivered, to a reading with these parameters."""

    calendar: str
    generation: int
    revision: int
    parameters: Json
    window: Json

    def text(self) -> str:
        return _encoded("sync", asdict(self))

    @classmethod
    def read(cls, text: str) -> SyncToken:
        """Raises: ApiError 400 when it is none of ours."""
        try:
            return cls(**_decoded("sync", text))
        except _UNREADABLE as problem:
            raise _invalid("Invalid sync token value.", "syncToken") from problem


@dataclass(frozen=True, slots=True)
class PageToken:
    """Where a reading goes on: after the event `after`, up to `revision`; `since` is None for a full reading."""

    calendar: str
    generation: int
    revision: int
    since: int | None
    after: str
    parameters: Json
    window: Json
    omitted: tuple[str, ...]
    breaks: bool

    def text(self) -> str:
        return _encoded("page", asdict(self))

    @classmethod
    def read(cls, text: str) -> PageToken:
        """Raises: ApiError 400 when it is none of ours."""
        try:
            return cls(**_decoded("page", text))
        except _UNREADABLE as problem:
            raise _invalid("Invalid page token value.", "pageToken") from problem


def _encoded(kind: str, content: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps([kind, content], separators=(",", ":")).encode()).decode()


def _decoded(kind: str, text: str) -> Json:
    found, content = json.loads(base64.b64decode(text, altchars=b"-_", validate=True))
    if found != kind:
        raise ValueError(f"a {found} token")
    return dict(content)


def _invalid(message: str, parameter: str) -> ApiError:
    return ApiError(400, "invalid", message, location=("parameter", parameter), status_name="")
