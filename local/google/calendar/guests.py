"""Guests of an event, and what of a meeting is each guest's own."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from local.google.calendar.shapes import ApiEvent
from local.google.errors import Json

_OWN_FIELDS = ("colorId", "eventLabelId", "reminders", "transparency", "visibility")


def addresses(event: ApiEvent) -> frozenset[str]:
    """The guests' addresses."""
    return frozenset(guest["email"] for guest in event.get("attendees", ()))


def complete_guests(event: ApiEvent, before: Iterable[Json]) -> None:
    """Fill in what Google fills in; guests that were there before keep their answers."""
    answers = {guest["email"]: guest["responseStatus"] for guest in before}
    for guest in event.get("attendees", ()):
        guest["email"] = str(guest["email"]).lower()
        guest.setdefault("responseStatus", answers.get(guest["email"], "needsAction"))


def guests_copy(event: ApiEvent, copy: ApiEvent | None) -> ApiEvent:
    """The leading copy's fields, and of the guest's copy so far those that are the guest's own.

    A first copy takes over the visibility: a private meeting arrives private.
    """
    own = {"visibility": event["visibility"]} if "visibility" in event else {}
    if copy is not None:
        own = {key: copy[key] for key in _OWN_FIELDS if key in copy}
    shared = {key: value for key, value in event.items() if key not in (*_OWN_FIELDS, "extendedProperties")}
    properties = {
        "private": (copy or {}).get("extendedProperties", {}).get("private"),
        "shared": event.get("extendedProperties", {}).get("shared"),
    }
    if any(properties.values()):
        shared["extendedProperties"] = {kind: values for kind, values in properties.items() if values}
    return deepcopy({**shared, **own})


def mark(person: dict[str, Any], flag: str, value: bool) -> None:
    """Set a flag that Google leaves out when it is false."""
    person.pop(flag, None)
    if value:
        person[flag] = True
