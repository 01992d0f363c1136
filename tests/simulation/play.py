"""Play a plan to its end: what happens, then calm, then the check that everything came to rest as it must."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from tests.simulation.cloud import Cloud
from tests.simulation.expected_mail import wrong_mail
from tests.simulation.expected_meetings import wrong_meetings
from tests.simulation.happenings import connect, happen, people_help
from tests.simulation.hub import RestlessError
from tests.simulation.plan import Plan, moment
from tests.simulation.quiet import needing_a_person, undone
from tests.simulation.scene import Scene

SETTLES_WITHIN = timedelta(hours=24)
LOOKS_AFTER_MIN = (12, 22, 42, 72, 132, 252, 492, 972, 1440)
"""Minutes after the last fault at which somebody looks whether all is at rest, between two polls."""


@dataclass
class Outcome:
    """wrong: what was not as it must be in the end, empty where all was well. settled_after: the last fault. persons:
    the named states that wait for somebody."""

    plan: Plan
    wrong: list[str]
    settled_after: timedelta | None
    persons: list[str]
    faults: Counter[str]
    calls: Counter[str]
    simulated_s: float
    real_s: float
    lines: list[tuple[datetime, str]] = field(repr=False)


def play(plan: Plan, *, patience: timedelta = SETTLES_WITHIN) -> Outcome:
    began = time.perf_counter()
    cloud = Cloud(
        plan.seed,
        start=plan.start,
        under=plan.weather,
        tombstone_s=plan.tombstone_s,
        page=plan.page,
        addresses=sorted({seat.account for seat in plan.seats}),
    )
    scene = Scene(plan, cloud)
    with cloud.wired():
        try:
            wrong, settled_after = _play(scene, patience)
        except RestlessError as restless:
            busiest = ", ".join(f"{name} {times} times" for name, times in cloud.calls.most_common(4))
            wrong, settled_after = [f"{restless}: {busiest}"], None
        persons = needing_a_person(scene)
    return Outcome(
        plan=plan,
        wrong=wrong,
        settled_after=settled_after,
        persons=persons,
        faults=cloud.faults,
        calls=cloud.calls,
        simulated_s=(cloud.hub.now - plan.start).total_seconds(),
        real_s=time.perf_counter() - began,
        lines=cloud.lines,
    )


def _play(scene: Scene, patience: timedelta) -> tuple[list[str], timedelta | None]:
    plan, cloud = scene.plan, scene.cloud
    scene.found()
    cloud.schedule_jobs()
    for number, seat in enumerate(plan.seats):
        cloud.hub.after(1 + 7 * number, partial(connect, scene, seat))
    for happening in plan.happenings:
        cloud.hub.at(moment(plan, happening.at_s), partial(happen, scene, happening))
    calm_at = moment(plan, plan.calm_at_s)
    cloud.hub.run_until(calm_at)
    if cloud.bugs:
        return cloud.bugs, None
    cloud.calms_down()
    cloud.tell("calm: no fault strikes any more")
    if plan.people_help:
        for minutes in (1, 30, 90):
            cloud.hub.after(60 * minutes, partial(people_help, scene))
    wrong: list[str] = []
    for minutes in LOOKS_AFTER_MIN:
        look_at = _between_polls(calm_at + timedelta(minutes=minutes))
        if look_at - calm_at > patience + timedelta(minutes=5):
            break
        cloud.hub.run_until(look_at)
        if cloud.bugs:
            return cloud.bugs, None
        wrong = undone(scene)
        if not wrong:
            wrong = [*wrong_mail(scene), *wrong_meetings(scene)]
        if not wrong:
            return [], look_at - calm_at
    return wrong, None


def _between_polls(moment_at: datetime) -> datetime:
    """Two and a half minutes after a poll began."""
    whole = moment_at.replace(minute=moment_at.minute // 5 * 5, second=0, microsecond=0)
    return whole + timedelta(minutes=2, seconds=30)
