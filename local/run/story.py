"""The steps of a run, in order; what each one proves is said where it is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from local.run.arrival import Arrival
from local.run.cash.scene import play_sale
from local.run.cast import Cast, Member
from local.run.connecting import connect_mailboxes, open_company
from local.run.http import RefusedError
from local.run.importing import Import, span
from local.run.material import Material
from local.run.options import Options, Scene
from local.run.proof import surprises_in_calendars, surprises_in_mail, wait_for_calendars
from local.run.scene import only_mail, play
from local.run.screen import Screen
from local.run.showing import show_explanations, show_quarantine, show_receipts, show_timelines
from local.run.starting import Cloud
from local.run.waiting import NotSeenError, until
from local.run.words import count, day
from local.sample.cash import load_sales
from local.sample.model import Sample
from shared.domain.budget import FRACTION_OF_QUOTA, rate_per_s
from shared.providers.google.prices import DEFAULT_QUOTA_UNITS_PER_MINUTE
from shared.records.calendar import CalendarStreams

WATCHED_WITHIN_S = 60.0
SURPRISES_SHOWN = 5
TIMELINES_OF_AN_EXPORT = 3


@dataclass(slots=True)
class Story:
    """sample: where the material is the sample. missed: steps that were not seen to happen, in words."""

    options: Options
    cloud: Cloud
    material: Material
    sample: Sample | None
    data: Path
    screen: Screen
    missed: list[str] = field(default_factory=list)

    def tell(self) -> None:
        """Raises: NotSeenError, RefusedError, MaterialError where nothing can follow; other misses are collected."""
        if self.options.scene.has_mail:
            self._tell_mail()
        if self.sample is not None and self.options.scene.has_cash:
            self._tell_cash()

    def _tell_mail(self) -> None:
        self.screen.chapter("An organization, its people, and their accounts at Google")
        cast = open_company(self.cloud, self.material, self.data, self.screen)
        connected_at_s = connect_mailboxes(self.cloud, cast, self.screen)
        self.screen.chapter("The past is read while the present goes on")
        self._import(cast, connected_at_s)
        if self.sample is not None:
            self._try(lambda: self._prove(cast))
            if self.options.scene is not Scene.NONE:
                self.screen.chapter("Live")
                self._try(lambda: self._play(cast))
        self.screen.chapter("What people see")
        one = self.sample is not None
        self._try(lambda: show_timelines(cast, self.screen, how_many=1 if one else TIMELINES_OF_AN_EXPORT))
        self.screen.chapter("Does it add up?")
        self._try(lambda: show_receipts(cast, self.screen))
        self._try(lambda: show_explanations(cast, self.screen))
        self._try(lambda: show_quarantine(cast, self.screen))
        self._try(lambda: self._check_google(cast))

    def _tell_cash(self) -> None:
        for sale in load_sales():
            self.screen.chapter(f"Quote to cash: {sale.name}, with DocuSign and {sale.ledger.shown}")
            self._try(partial(play_sale, self.cloud, sale, self.data, self.screen))

    def _try(self, chapter: Callable[[], None]) -> None:
        try:
            chapter()
        except (NotSeenError, RefusedError) as miss:
            self.screen.failed(str(miss))
            self.missed.append(str(miss))

    def _import(self, cast: Cast, connected_at_s: dict[Member, float]) -> None:
        for member in cast.members:
            self._wait_for_watch(member)
        sender = next((one.contact for one in cast.rows.contacts() if one.contact.owner_id is None), None)
        arrival = Arrival(cast, sender) if self.sample is not None and sender is not None else None
        Import(self.screen, connected_at_s).watch(arrival.meanwhile if arrival else lambda _: None)
        if arrival is not None and arrival.latency_s is None:
            self.missed.append("a mail that arrives during the import")
            self.screen.failed(self.missed[-1])
        self._tell_cost(cast)
        events = wait_for_calendars(cast)
        channels = sum(
            CalendarStreams(cast.rows.store, member.mailbox_id).watch(stream.stream_id) is not None
            for member in cast.members
            for stream in CalendarStreams(cast.rows.store, member.mailbox_id).all()
        )
        self.screen.done(f"{count(events, 'event')} read from calendars", f"{count(channels, 'channel')} open")

    def _wait_for_watch(self, member: Member) -> None:
        def watched() -> str | None:
            told: str | None = member.product.connection(member.mailbox_id)["watch_expires_at"]
            return told

        expires_at = until(watched, f"the Gmail watch of {member.email}", within_s=WATCHED_WITHIN_S, every_s=0.1)
        until_day = day(datetime.fromisoformat(expires_at), datetime.now(UTC))
        self.screen.done(f"{member.email}: cursor pinned, Gmail watched until {until_day}")

    def _tell_cost(self, cast: Cast) -> None:
        units, refused = cast.google.gmail_units(), cast.google.gmail_refusals()
        self.screen.done(f"{units:,} Gmail units spent", f"{count(refused, 'call')} refused as too fast")
        quota = DEFAULT_QUOTA_UNITS_PER_MINUTE
        if self.options.quota_units_per_minute != quota:
            share, at_google = f"{FRACTION_OF_QUOTA * 100:.0f} %", span(units / rate_per_s(quota))
            self.screen.line(
                f"At the {quota:,} units a minute of a new Google project, {share} of which are used, the same import "
                f"takes {at_google}."
            )

    def _prove(self, cast: Cast) -> None:
        assert self.sample is not None
        mails, meetings = self.sample.expected, self.sample.expected_meetings
        surprises = [*surprises_in_mail(cast, self.sample), *surprises_in_calendars(cast, meetings)]
        for sentence in surprises[:SURPRISES_SHOWN]:
            self.screen.line(f"{sentence}")
        if surprises:
            raise NotSeenError(f"the expected outcome of {count(len(surprises), 'message or event')}")
        self.screen.done(f"all {len(mails)} messages and {len(meetings)} events became what their stories say")

    def _play(self, cast: Cast) -> None:
        assert self.sample is not None
        steps = self.sample.scene
        play(cast, only_mail(steps) if self.options.scene is Scene.MAIL else steps, self.screen)

    def _check_google(self, cast: Cast) -> None:
        violations = cast.google.violations()
        if violations:
            raise NotSeenError(f"legal answers from the simulated Google ({violations[0]})")
