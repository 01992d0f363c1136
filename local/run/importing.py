"""The import as a person watches it: how far each mailbox is, how fast it goes, and when it will be done."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from local.run.cast import Member
from local.run.screen import Screen
from local.run.waiting import NotSeenError

SILENT_AT_MOST_S = 120.0
"""A import in which nothing moves for so long is stuck: Gmail asks for a minute's patience at most."""

KNOWN_AFTER_S = 3.0

_LOOK_AT_LEAST_EVERY_S = 0.15
_SPARED = 4
"""Counting rows of a large mailbox takes a while; most of the time is left to the import."""

_PLAIN_LINE_EVERY = 25


@dataclass(slots=True)
class Progressing:
    """How far one mailbox is. listed: 0 until Google has listed it. decided: messages whose headers were judged.
    waiting: bodies still to be fetched."""

    member: Member
    began: float
    listed: int = 0
    decided: int = 0
    waiting: int = 0
    logged: int = 0
    percent: int = 0
    done: bool = False
    took_s: float = 0.0

    def take(self, page: dict[str, Any]) -> bool:
        """Read a connection page; True if anything moved."""
        if self.done:
            return False
        before = (self.listed, self.decided, self.waiting, self.logged, self.done)
        backfill, receipt = page["backfill"], page["receipt"]
        if backfill is not None:
            self.listed = backfill["listed"] or 0
            self.decided = backfill["decided"]
            self.waiting = receipt["waiting"] + receipt["unexplained"]
            self.logged = receipt["logged"]
            all_judged = backfill["percent"] == 100
            self.done = all_judged and self.waiting == 0
            self.percent = 100 if self.done else min(99, self._settled * 100 // self.listed) if self.listed else 0
        self.took_s = time.monotonic() - self.began
        return before != (self.listed, self.decided, self.waiting, self.logged, self.done)

    @property
    def _settled(self) -> int:
        return max(0, self.decided - self.waiting)

    @property
    def per_s(self) -> float:
        return self._settled / self.took_s if self.took_s else 0.0

    @property
    def left_s(self) -> float | None:
        """At the rate so far; None while nobody can know: the first page is free, the next ones are not."""
        if not self.listed or self.per_s == 0 or self.took_s < KNOWN_AFTER_S:
            return None
        return max(0.0, (self.listed - self._settled) / self.per_s)

    @property
    def figures(self) -> str:
        if not self.listed and not self.done:
            return "listing"
        text = f"{self._settled}/{self.listed}  {self.percent:3d} %  {self.per_s:4.1f}/s"
        if self.done:
            return f"{text}  done in {span(self.took_s)}"
        return f"{text}  {span(self.left_s)} left" if self.left_s is not None else text


@dataclass(slots=True)
class Import:
    """All mailboxes' imports, watched together. connected_at_s: by the monotonic clock."""

    screen: Screen
    connected_at_s: Mapping[Member, float]
    states: list[Progressing] = field(init=False)

    def __post_init__(self) -> None:
        self.states = [Progressing(member, at) for member, at in self.connected_at_s.items()]

    def watch(self, meanwhile: Callable[[Import], str | None]) -> None:
        """Show the progress until every mailbox is read.

        meanwhile: called at each look; a sentence it returns is shown above the bars.
        Raises: NotSeenError when nothing moves any more.
        """
        bars = _Bars(self.states) if self.screen.live else None
        shown: AbstractContextManager[Any] = bars.progress if bars else nullcontext()
        lines = _Lines(self.screen)
        moved_at = time.monotonic()
        with shown:
            while not all(state.done for state in self.states):
                looked_at = time.monotonic()
                moved = [state.take(state.member.product.connection(state.member.mailbox_id)) for state in self.states]
                now = time.monotonic()
                if any(moved):
                    moved_at = now
                elif now - moved_at > SILENT_AT_MOST_S:
                    raise NotSeenError("the end of the import")
                if said := meanwhile(self):
                    (bars.say if bars else self.screen.done)(said)
                bars.show(self.states) if bars else lines.show(self.states)
                time.sleep(max(_LOOK_AT_LEAST_EVERY_S, _SPARED * (now - looked_at)))


class _Bars:
    """One bar per mailbox, redrawn in place."""

    def __init__(self, states: Sequence[Progressing]) -> None:
        width = max(len(state.member.name) for state in states)
        self.progress = Progress(
            TextColumn("   {task.fields[who]}"), BarColumn(bar_width=18), TextColumn("{task.fields[figures]}")
        )
        self._tasks: list[TaskID] = [
            self.progress.add_task("", total=100, who=state.member.name.ljust(width), figures="waiting for the watch")
            for state in states
        ]

    def show(self, states: Sequence[Progressing]) -> None:
        for task, state in zip(self._tasks, states, strict=True):
            self.progress.update(task, completed=state.percent, figures=state.figures)

    def say(self, text: str) -> None:
        Screen(self.progress.console).done(text)


class _Lines:
    """The same where lines cannot be redrawn: one for each quarter of each mailbox."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._told: dict[str, int] = {}

    def show(self, states: Sequence[Progressing]) -> None:
        for state in states:
            quarter = state.percent // _PLAIN_LINE_EVERY
            if state.listed and quarter > self._told.get(state.member.user_id, -1):
                self._told[state.member.user_id] = quarter
                self._screen.line(f"{state.member.name}: {state.figures}")


def span(seconds: float | None) -> str:
    """A duration as people say it: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if seconds is None:
        return "unknown"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
