"""A mailbox's day: what goes on all the time, and what people do, by the hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bench.scale.deployment import functions
from bench.scale.facts import Assumptions, assumptions
from bench.scale.scenes import Scenes, scenes
from bench.scale.work import NOTHING, Work, asked
from shared.domain.settings import MailOptions
from shared.usecases.mail.poll_mailboxes import NEXT_POLL_IN

DAY_S = 86_400
DAYS_A_MONTH = 30
PAGE = "pages"
"""Stands for the functions that people's browsers ask."""


@dataclass(frozen=True, slots=True)
class Load:
    """One mailbox's work of one day. steady: spread evenly, such as polls. human: with the hours of the day.

    body_bytes: texts of its mails of one day, which have no index. past, past_body_bytes: what its import brings, once.
    """

    steady: Work
    human: Work
    peak_hour: float
    body_bytes: float = 0
    past: Work = NOTHING
    past_body_bytes: float = 0

    @property
    def day(self) -> Work:
        return self.steady + self.human

    @property
    def peak(self) -> Work:
        """Of one second of the busiest hour."""
        return self.steady * (1 / DAY_S) + self.human * (self.peak_hour / 3600)

    def hour(self, share: float) -> Work:
        """Of one second of an hour that has this share of the day."""
        return self.steady * (1 / DAY_S) + self.human * (share / 3600)


def mailbox_load(
    *,
    poll_every: timedelta = NEXT_POLL_IN,
    happened: Scenes | None = None,
    assumed: Assumptions | None = None,
) -> Load:
    """poll_every: mailbox and calendar alike, as they are polled together."""
    once, told = happened or scenes(), assumed or assumptions()
    habits = told.mailbox
    polls = timedelta(days=1) / poll_every
    imported = mails_imported(told)
    past = once.backfilled * imported
    new_a_day = habits.new_a_month / DAYS_A_MONTH
    steady = (once.poll + once.calendar_poll) * polls + once.refresh * 24 + once.day + past * new_a_day
    mails = habits.mails_a_day
    logged = habits.new_conversation + habits.reply
    body_bytes = habits.body_kib * 1024 * logged
    mail = (
        once.new_conversation * habits.new_conversation
        + once.reply * habits.reply
        + once.second_holder * habits.second_holder
        + once.left_out * habits.left_out
        + once.in_spam * habits.in_spam
        + once.further_contact * (habits.further_contacts * logged)
    )
    pages = asked(PAGE) + Work(reads=habits.documents_a_page)
    human = (
        mail * mails
        + once.notice * (mails + habits.other_changes_a_day)
        + once.meeting * habits.meetings_a_day
        + (once.contract + once.invoice + once.payment) * (habits.contracts_a_month / DAYS_A_MONTH)
        + pages * habits.pages_a_day
    )
    return Load(
        steady=_with_tokens(steady, once.token),
        human=_with_tokens(human, once.token),
        peak_hour=told.world.peak_hour,
        body_bytes=body_bytes * mails,
        past=past,
        past_body_bytes=body_bytes * imported,
    )


def mails_imported(assumed: Assumptions) -> float:
    """Mails of the past that a new mailbox brings, in the window that is set unless somebody chooses another."""
    return assumed.mailbox.mails_a_day * 365 / 12 * MailOptions().backfill_months


def speaking(requests: Mapping[str, float]) -> float:
    """Requests that open a sealed token."""
    return sum(times for name, times in requests.items() if name != PAGE and functions()[name].speaks)


def _with_tokens(work: Work, token: Work) -> Work:
    """Every request that speaks for a mailbox reads its token; an instance that asked within five minutes does not, so
    this is the most it can be."""
    return work + (token * speaking(work.requests) if work.requests else NOTHING)
