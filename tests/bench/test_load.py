"""When a rate counts as too high, and how growth is told from noise."""

from __future__ import annotations

import pytest

from bench.load.generator import Answers
from bench.load.run import Step
from bench.load.watching import Watched, slope_per_minute


def test_a_calm_rate_does_not_bend() -> None:
    assert _step([20.0] * 100).bends == ""


def test_slow_answers_bend() -> None:
    assert _step([20.0] * 95 + [3000.0] * 5).bends == "p99 is 3000 ms"


def test_errors_bend() -> None:
    assert _step([20.0] * 100, status=503).bends == "100.0% errors"


def test_work_that_piles_up_bends() -> None:
    assert _step([20.0] * 100, due=[0, 10, 40, 90, 160]).bends == "90 tasks are due"


def test_a_poll_of_every_mailbox_at_once_is_no_backlog() -> None:
    assert _step([20.0] * 100, due=[0, 0, 0, 2, 1, 60, 0, 1]).bends == ""


def test_no_answer_is_an_error() -> None:
    answers = Answers()
    for status in (204, 204, 204, 0):
        answers.add("mail", 1.0, status)
    assert answers.error_rate == 0.25


@pytest.mark.parametrize(
    ("points", "slope"),
    [([(0.0, 100.0), (30.0, 101.0), (60.0, 102.0)], 2.0), ([(0.0, 5.0), (60.0, 5.0)], 0.0), ([(0.0, 5.0)], 0.0)],
)
def test_growth_is_the_slope_of_the_line_through_all_points(points: list[tuple[float, float]], slope: float) -> None:
    assert slope_per_minute(points) == pytest.approx(slope)


def _step(taken_ms: list[float], *, status: int = 204, due: list[int] | None = None) -> Step:
    answers = Answers()
    for taken in taken_ms:
        answers.add("mail", taken, status)
    backlog = [(float(second), tasks) for second, tasks in enumerate(due or [0, 0, 0, 0, 0])]
    return Step(10.0, answers, Watched(backlog))
