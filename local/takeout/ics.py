"""Calendar exports (ics) of Google, Outlook and Apple, as events to fill a calendar with."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from icalendar import Calendar
from icalendar.cal import Component

from local.google.calendar.shapes import ApiEvent
from local.takeout.files import UnreadableFileError, files_named
from local.takeout.ics_event import EventMapper, uid_of
from local.takeout.ics_zones import Zones, zone_of
from shared.csv_table import text_of

_EVENT = re.compile(r"^BEGIN:VEVENT\s*$.*?^END:VEVENT\s*$", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_ZONE = re.compile(r"^BEGIN:VTIMEZONE\s*$.*?^END:VTIMEZONE\s*$", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_NAME = re.compile(r"^X-WR-CALNAME(?:;[^:\r\n]*)?:(.*)$", re.MULTILINE | re.IGNORECASE)
_HOME = re.compile(r"^X-WR-TIMEZONE(?:;[^:\r\n]*)?:(.*)$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ExportedCalendar:
    """One file's calendar: events as the Calendar API's Events resource, series masters before their exceptions."""

    name: str
    time_zone: str
    events: list[ApiEvent]


def read_ics(
    paths: Iterable[Path],
    *,
    own_addresses: Collection[str],
    default_zone: ZoneInfo,
    report: Callable[[str], None],
) -> Iterator[ExportedCalendar]:
    """Yield one calendar per ics file; folders are searched for *.ics.

    Args:
        own_addresses: the calendar owner's; such guests and organizers are marked `self`.
        default_zone: for times without zone when the file names no zone of its own.
        report: called with a sentence for each event that cannot be read.
    Raises: UnreadableFileError when a named file is no calendar.
    """
    for path in files_named(paths, wanted=lambda file: file.suffix.lower() == ".ics", kind="ics"):
        yield _calendar(path, own_addresses, default_zone, report)


def _calendar(
    path: Path, own_addresses: Collection[str], default_zone: ZoneInfo, report: Callable[[str], None]
) -> ExportedCalendar:
    text = text_of(path.read_bytes())
    if text.strip() and not text.lstrip().upper().startswith("BEGIN:VCALENDAR"):
        raise UnreadableFileError(
            f'{path}: byte 0 does not begin a calendar: an ics file starts with "BEGIN:VCALENDAR"'
        )
    name, home = _NAME.search(text), _HOME.search(text)
    zone = zone_of(home[1].strip() if home else "", default_zone)
    mapper = EventMapper(Zones(zone), own_addresses)
    components = list(_components(path, text, report))
    return ExportedCalendar(
        name=name[1].strip() if name else path.stem,
        time_zone=zone.key,
        events=list(_events(path, components, mapper, report)),
    )


def _components(path: Path, text: str, report: Callable[[str], None]) -> Iterator[Component]:
    blocks = list(_EVENT.finditer(text))
    whole = _parsed(text)
    if len(whole) == len(blocks):
        yield from whole
    else:  # one broken line makes the library give up the file: read the events one by one instead
        zones = "\r\n".join(_ZONE.findall(text))
        for block in blocks:
            found = _parsed(f"BEGIN:VCALENDAR\r\n{zones}\r\n{block[0]}\r\nEND:VCALENDAR\r\n")
            if not found:
                report(f"{path}: the event at character {block.start()} cannot be read and was left out")
            yield from found
    begun = len(re.findall(r"^BEGIN:VEVENT\s*$", text, re.MULTILINE | re.IGNORECASE))
    if begun > len(blocks):
        report(f"{path}: the file ends inside an event, which was left out")


def _parsed(text: str) -> list[Component]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library tells about every zone name it has to guess
        try:
            return [event for calendar in Calendar.from_ical(text, multiple=True) for event in calendar.walk("VEVENT")]
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError):
            return []  # what the library raises for broken lines and zones


def _events(
    path: Path, components: list[Component], mapper: EventMapper, report: Callable[[str], None]
) -> Iterator[ApiEvent]:
    masters: dict[str, ApiEvent] = {}
    left_out: dict[str, dict[str, ApiEvent]] = {}
    for component in components:
        if "RECURRENCE-ID" not in component:
            with _readable(path, component, report):
                event = mapper.event(component)
                if _is_newer(event, masters.get(event["iCalUID"])):
                    masters[event["iCalUID"]] = event
                    gone = mapper.left_out(component, event) if "recurrence" in event else ()
                    left_out[event["iCalUID"]] = {instance["id"]: instance for instance in gone}
    exceptions: dict[str, ApiEvent] = {}
    for component in components:
        if "RECURRENCE-ID" in component:
            with _readable(path, component, report):
                exception = mapper.exception(component, masters.get(uid_of(component)))
                if _is_newer(exception, exceptions.get(exception["id"])):
                    exceptions[exception["id"]] = exception
    yield from masters.values()
    yield from {
        key: event for instances in (*left_out.values(), exceptions) for key, event in instances.items()
    }.values()


@contextmanager
def _readable(path: Path, component: Component, report: Callable[[str], None]) -> Iterator[None]:
    """Leave out what cannot be mapped, with a sentence."""
    try:
        yield
    except (ValueError, OverflowError, TypeError) as problem:  # TypeError: rules that the library cannot write again
        report(f"{path}: the event with UID {uid_of(component)} was left out: {problem}")


def _is_newer(event: ApiEvent, kept: ApiEvent | None) -> bool:
    """Which of two copies of one event counts: higher SEQUENCE, then later LAST-MODIFIED, then the later one."""
    if kept is None:
        return True
    return (event.get("sequence", 0), event.get("updated", "")) >= (kept.get("sequence", 0), kept.get("updated", ""))
