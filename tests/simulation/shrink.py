"""Cut a failing plan down to what it needs to fail: fewer happenings, fairer weather, less of everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.simulation.plan import Plan, without

Fails = Callable[[Plan], bool]


def shrink(plan: Plan, fails: Fails, *, tries: int = 400) -> Plan:
    """The smallest plan found that still fails. It is tried at most so often."""
    left = tries
    again = True
    while again and left > 0:
        again = False
        for smaller in _smaller(plan):
            left -= 1
            if left <= 0:
                break
            if fails(smaller):
                plan, again = smaller, True
                break
    return plan


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Plans with less in them, the boldest cuts first."""
    number = len(plan.happenings)
    size = number // 2
    while size >= 1:
        for start in range(0, number, size):
            yield without(plan, happenings=frozenset(range(start, min(start + size, number))))
        size //= 2
    if len(plan.weather) > 1:
        yield without(plan, words=plan.weather)
    for word in sorted(plan.weather):
        yield without(plan, words=frozenset({word}))
    if plan.past_mails:
        yield replace(plan, past_mails=0)
        yield replace(plan, past_mails=plan.past_mails - 1)
    for seat in plan.seats if len(plan.seats) > 1 else ():
        yield replace(plan, seats=tuple(kept for kept in plan.seats if kept != seat))
    for known in plan.contacts:
        yield replace(plan, contacts=tuple(kept for kept in plan.contacts if kept != known))
    if plan.page != 250:
        yield replace(plan, page=250)
