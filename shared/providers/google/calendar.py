"""Google Calendar as `ports.Calendar`: one person's calendars, read only; and the notices of their channels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain.calendar.event import (
    GUESTS_KEPT,
    TEXT_KEPT,
    Answer,
    CalendarEvent,
    EventStatus,
    Guest,
    LinkedDocument,
    Times,
    days,
    start_key,
)
from shared.domain.calendar.stream import ChannelNotice
from shared.domain.mail.addresses import domain_of, normalize
from shared.errors import NotFoundError, PayloadError, ProofError
from shared.ports.calendar import CalendarListing, EventPage, OpenedChannel, UnreadableEvent
from shared.ports.marks import reads
from shared.providers.google.http import GoogleHttp, Service

PAGE_SIZE = 250
"""Events a page; the rows of a page are one commit, so it is not the 2,500 that Google would give."""

TOKEN_EXPIRED = frozenset({410})

DOCUMENTS_KEPT = 25
"""The most that an event can have."""

CALENDAR_DOMAIN = "calendar.google.com"
"""Shared calendars and rooms have addresses below this domain; nobody reads mail there."""

_ANSWERS = {"accepted": Answer.YES, "tentative": Answer.MAYBE, "declined": Answer.NO}
_PRIVATE = frozenset({"private", "confidential"})


class GoogleCalendar:
    """The calendars that `http`'s token opens.

    Every method raises ConnectionRevokedError, AdminActionError, RateLimitedError or ProviderUnavailableError as
    `GoogleHttp.call` does; below, only what a method adds is named.
    """

    def __init__(self, http: GoogleHttp) -> None:
        self._http = http

    @reads
    def calendars(self) -> tuple[CalendarListing, ...]:
        """Every calendar on the person's list, the primary one first.

        Source: calendarList.list -> {"items": [{"id", "primary", "selected", "timeZone"}], "nextPageToken"}; the flags
        are absent where they are false.
        """
        found = tuple(self._listings())
        return tuple(sorted(found, key=lambda listing: not listing.primary))

    @reads
    def events(self, calendar_id: str, *, since: datetime, sync_token: str | None, page: str | None) -> EventPage:
        """A page of what changed since `sync_token`, or of everything that ends after `since`.

        Series come as series, with their changed and cancelled instances beside them; deleted events come only with a
        sync token.

        Raises:
            CursorExpiredError: Google forgot the token (410, "fullSyncRequired").
            NotFoundError, ForbiddenError: the calendar was deleted, or is not shared with this person any more.
        Source:
            events.list -> {"items", "nextPageToken" or "nextSyncToken", "timeZone"}. A sync token goes with none of
            the filters; every other parameter must be the same from call to call.
        """
        window = {"syncToken": sync_token} if sync_token else {"timeMin": since.astimezone(UTC).isoformat()}
        answer = self._http.call(
            self._service.events().list(
                calendarId=calendar_id, maxResults=PAGE_SIZE, singleEvents=False, pageToken=page, **window
            ),
            cursor_lost_on=TOKEN_EXPIRED,
        )
        events: list[CalendarEvent] = []
        unreadable: list[UnreadableEvent] = []
        for item in answer.get("items", []):
            try:
                events.append(event_from_google(item, default_zone=answer.get("timeZone", "UTC")))
            except PayloadError as error:
                unreadable.append(UnreadableEvent(str(item.get("id", "")), str(error)))
        return EventPage(tuple(events), tuple(unreadable), answer.get("nextPageToken"), answer.get("nextSyncToken"))

    def open_channel(self, calendar_id: str, *, channel_id: str, token: str, address: str) -> OpenedChannel:
        """Have Google post a notice to `address` whenever an event of this calendar changes.

        Args:
            channel_id: ours, unique in the project, up to 64 characters. token: comes back with every notice, up to
                256 characters. address: HTTPS, with a certificate that is valid.
        Returns:
            expires_at: 7 days ahead unless Google says otherwise.
        Source:
            events.watch -> {"id", "resourceId", "expiration": epoch ms, as text or number}.
        """
        body = {"id": channel_id, "type": "web_hook", "address": address, "token": token}
        answer = self._http.call(self._service.events().watch(calendarId=calendar_id, body=body))
        expires_at = datetime.fromtimestamp(int(answer["expiration"]) / 1000, tz=UTC)
        return OpenedChannel(resource_id=answer["resourceId"], expires_at=expires_at)

    def close_channel(self, channel_id: str, resource_id: str) -> None:
        """Stop a channel of the same person; one that ended or never was is stopped.

        Source: channels.stop, answered with nothing; 404 for a channel Google does not know.
        """
        try:
            self._http.call(self._service.channels().stop(body={"id": channel_id, "resourceId": resource_id}))
        except NotFoundError:
            return

    def _listings(self) -> Iterator[CalendarListing]:
        page: str | None = None
        while True:
            answer = self._http.call(self._service.calendarList().list(maxResults=PAGE_SIZE, pageToken=page))
            for item in answer.get("items", []):
                primary, selected = bool(item.get("primary")), bool(item.get("selected"))
                yield CalendarListing(item["id"], primary, selected, item.get("timeZone", "UTC"))
            page = answer.get("nextPageToken")
            if page is None:
                return

    @property
    def _service(self) -> Service:
        return self._http.calendar


def event_from_google(item: Mapping[str, Any], *, default_zone: str) -> CalendarEvent:
    """An item of events.list in our words.

    Args:
        default_zone: the calendar's, for times that name none.
    Raises:
        PayloadError: names the event by its id, and quotes nothing of it.
    Source:
        the Event resource. A cancelled instance has its id, recurringEventId and originalStartTime for certain, any
        other cancelled event its id alone.
    """
    try:
        return _event(item, default_zone)
    except (KeyError, TypeError, ValueError, AttributeError, OSError):
        raise PayloadError(f"event {item.get('id', '')} cannot be read") from None


def _event(item: Mapping[str, Any], default_zone: str) -> CalendarEvent:
    organizer = item.get("organizer", {})
    status = EventStatus(item.get("status", "confirmed"))
    attendees = [guest for guest in item.get("attendees", []) if not guest.get("resource")]
    original = item.get("originalStartTime")
    times = _times(item, default_zone) if "start" in item else None
    if times is None and status is not EventStatus.CANCELLED:
        raise ValueError("an event without times")
    return CalendarEvent(
        event_id=item["id"],
        status=status,
        ical_uid=item.get("iCalUID", "") if status is EventStatus.CANCELLED else item["iCalUID"],
        times=times,
        series_id=item.get("recurringEventId"),
        original_start=start_key(_moment(original, default_zone)) if original else None,
        recurrence=tuple(item.get("recurrence", ())),
        title=item.get("summary", "")[:TEXT_KEPT],
        location=item.get("location", "")[:TEXT_KEPT],
        meet_url=_meet_url(item),
        organizer=_person(organizer.get("email", "")),
        creator=_person(item.get("creator", {}).get("email", "")),
        organizer_is_self=bool(organizer.get("self")),
        guests=tuple(_guest(guest) for guest in attendees[:GUESTS_KEPT] if guest.get("email")),
        guests_omitted=bool(item.get("attendeesOmitted")) or len(attendees) > GUESTS_KEPT,
        documents=tuple(_document(document) for document in item.get("attachments", [])[:DOCUMENTS_KEPT]),
        private=item.get("visibility") in _PRIVATE,
        event_type=item.get("eventType", "default"),
        updated_at=datetime.fromisoformat(item["updated"]).astimezone(UTC) if "updated" in item else None,
    )


def _times(item: Mapping[str, Any], default_zone: str) -> Times:
    zone = item["start"].get("timeZone") or default_zone
    start, end = _moment(item["start"], zone), _moment(item.get("end") or item["start"], zone)
    if isinstance(start, datetime) and isinstance(end, datetime):
        return Times(start.astimezone(UTC), end.astimezone(UTC), zone)
    if isinstance(start, datetime) or isinstance(end, datetime):
        raise ValueError("an event half in days and half in hours")
    return days(start, end, zone)


def _moment(time: Mapping[str, str], default_zone: str) -> date | datetime:
    """Source: EventDateTime {"date"} or {"dateTime", "timeZone"}; the offset may be missing where a zone is given."""
    if "date" in time:
        return date.fromisoformat(time["date"])
    moment = datetime.fromisoformat(time["dateTime"])
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(time.get("timeZone") or default_zone))


def _guest(guest: Mapping[str, Any]) -> Guest:
    return Guest(
        email=normalize(guest["email"]),
        name=guest.get("displayName", "")[:TEXT_KEPT],
        answer=_ANSWERS.get(guest.get("responseStatus", ""), Answer.NONE),
        is_self=bool(guest.get("self")),
        optional=bool(guest.get("optional")),
    )


def _person(email: str) -> str:
    """Empty for a calendar's own address: it calls no meeting, its creator does."""
    address = normalize(email)
    return "" if domain_of(address).endswith(CALENDAR_DOMAIN) else address


def _document(attachment: Mapping[str, Any]) -> LinkedDocument:
    return LinkedDocument(
        attachment.get("title", "")[:TEXT_KEPT], attachment.get("fileUrl", ""), attachment.get("mimeType", "")
    )


def _meet_url(item: Mapping[str, Any]) -> str:
    """Of a conference whose link is made; of any kind of conference, since guests join all of them by link."""
    entries = item.get("conferenceData", {}).get("entryPoints", [])
    video = [entry.get("uri", "") for entry in entries if entry.get("entryPointType") == "video"]
    return str(item.get("hangoutLink") or next(iter(video), ""))


def read_channel_notice(headers: Mapping[str, str]) -> ChannelNotice:
    """The notice a channel posts; all of it is in the headers.

    Args:
        headers: of the request, whatever the case of their names.
    Raises:
        ProofError: it lacks what would prove it.
    Source:
        developers.google.com/workspace/calendar/api/guides/push: X-Goog-Channel-ID, -Channel-Token, -Resource-ID,
        -Resource-State (sync, exists, not_exists), -Message-Number. The body is empty.
    """
    by_name = {name.lower(): value for name, value in headers.items()}
    fields = {name: by_name.get(f"x-goog-{name}", "") for name in ("channel-id", "channel-token", "resource-id")}
    if not all(fields.values()):
        raise ProofError("a notice without its channel, token or resource")
    return ChannelNotice(
        channel_id=fields["channel-id"],
        token=fields["channel-token"],
        resource_id=fields["resource-id"],
        number=by_name.get("x-goog-message-number", ""),
        opening=by_name.get("x-goog-resource-state") == "sync",
    )
