"""What benchmarks say about their numbers."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.console import Console

from bench.mix import cheapest_units
from bench.report import Aim, Figure, Report, missed, print_report
from bench.timings import percentile
from tests.mail_world import ANNA, CARL, mail_world

FIGURES = (
    Figure("quick", 40, "ms", Aim(60)),
    Figure("slow", 80, "ms", Aim(60)),
    Figure("used", 96, "%", Aim(95, "at least")),
    Figure("plain", 3, "units"),
)
REPORT = Report("example", FIGURES, ("On a busy machine.",))


def test_a_figure_beside_its_aim_is_met_or_missed() -> None:
    assert [figure.met for figure in FIGURES] == [True, False, True, None]
    assert missed([REPORT]) == ["example: slow"]


def test_the_table_shows_value_aim_and_verdict() -> None:
    console = Console(width=100, record=True, file=StringIO())
    print_report(console, REPORT)
    text = console.export_text()
    assert all(word in text for word in ("slow", "80 ms", "≤ 60", "missed", "≥ 95", "met", "On a busy machine."))


def test_the_json_carries_the_same() -> None:
    told = json.loads(json.dumps(REPORT.as_json()))
    assert told["figures"][1] == {
        "name": "slow", "value": 80, "unit": "ms", "aim": 60, "sense": "at most", "met": False,
    }  # fmt: skip


@pytest.mark.parametrize(("percent", "expected"), [(50, 5), (90, 9), (99, 10), (100, 10)])
def test_a_percentile_is_one_of_the_values(percent: float, expected: float) -> None:
    assert percentile([10, 1, 9, 2, 8, 3, 7, 4, 6, 5], percent) == expected


@pytest.mark.parametrize(
    ("in_thread", "logged", "units"),
    [
        (1, 1, 5 + 20 + 20),
        (2, 2, 5 + 40 + 40),
        (5, 5, 5 + 40 + 40),
        (5, 4, 5 + 40 + 4 * 20),
        (5, 0, 5 + 40),
    ],
)
def test_the_cheapest_mix_takes_whole_threads_where_they_cost_less(in_thread: int, logged: int, units: int) -> None:
    world = mail_world()
    root = world.arrives(subject="Offer")
    for _ in range(in_thread - 1):
        world.arrives(subject="Re: Offer", in_reply_to=root, references=[root])
    ids = list(world.gmail.mailbox(ANNA).messages)
    assert len({world.gmail.mailbox(ANNA).messages[id_].thread_id for id_ in ids}) == 1
    assert cheapest_units(world.gmail, ANNA, ids, ids[:logged]) == units


def test_a_draft_costs_the_cheapest_mix_nothing() -> None:
    world = mail_world()
    world.arrives(sender=CARL, labels=("DRAFT",))
    assert cheapest_units(world.gmail, ANNA, list(world.gmail.mailbox(ANNA).messages), []) == 5
