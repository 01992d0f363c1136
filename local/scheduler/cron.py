"""Unix cron expressions, as far as Cloud Scheduler reads them: five fields, `*`, lists, ranges, steps; UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7))
_SUNDAY_AS_7 = 7
_LONGEST_GAP = timedelta(days=366 * 8)  # 29 February across a century that is no leap year


@dataclass(frozen=True, slots=True)
class Cron:
    """When a job is due, to the minute."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday
    any_day: bool
    any_weekday: bool

    @classmethod
    def parse(cls, expression: str) -> Cron:
        """Read "*/5 * * * *".

        Raises:
            ValueError: one sentence naming the field that cannot be read, or that the day never comes.
        """
        parts = expression.split()
        if len(parts) != len(_FIELDS):
            raise ValueError(f"'{expression}' has {len(parts)} fields where cron has 5")
        values = [_field(part, *field) for part, field in zip(parts, _FIELDS, strict=True)]
        minutes, hours, days, months, weekdays = values
        weekdays = frozenset(day % _SUNDAY_AS_7 for day in weekdays)
        cron = cls(minutes, hours, days, months, weekdays, any_day=parts[2] == "*", any_weekday=parts[4] == "*")
        cron.next_after(datetime(2024, 1, 1, tzinfo=UTC))
        return cron

    def next_after(self, moment: datetime) -> datetime:
        """Return the first due minute later than `moment` (aware UTC)."""
        due = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        last = moment + _LONGEST_GAP
        while due <= last:
            if due.month not in self.months or not self._day_matches(due):
                due = (due + timedelta(days=1)).replace(hour=0, minute=0)
            elif due.hour not in self.hours:
                due = (due + timedelta(hours=1)).replace(minute=0)
            elif due.minute not in self.minutes:
                due += timedelta(minutes=1)
            else:
                return due
        raise ValueError("the schedule names a day that never comes")

    def _day_matches(self, moment: datetime) -> bool:
        by_day = moment.day in self.days
        by_weekday = moment.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return by_day and by_weekday
        return by_day or by_weekday  # cron's old rule: two restricted day fields widen each other


def _field(text: str, name: str, low: int, high: int) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        first_text, dash, last_text = span.partition("-")
        try:
            first, last = (low, high) if span == "*" else (int(first_text), int(last_text if dash else first_text))
            step = int(step_text) if slash else 1
        except ValueError:
            raise ValueError(f"'{part}' is not a {name}") from None
        if slash and span != "*" and not dash:
            last = high
        if not (low <= first <= last <= high) or step < 1:
            raise ValueError(f"'{part}' is outside {low}-{high}, the range of a {name}")
        values.update(range(first, last + 1, step))
    return frozenset(values)
