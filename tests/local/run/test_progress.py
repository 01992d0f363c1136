"""How far an import is, as its connection page tells it."""

from __future__ import annotations

import time
from typing import Any

from local.run.cast import Member
from local.run.http import Http
from local.run.importing import Progressing
from local.run.material import Person
from local.run.product import Product
from shared.domain.people import User

NORA = Member(Person(User("u-nora", "Nora Lind", "nora@firm.example")), Product(Http(), "http://127.0.0.1:9", "token"))


def _page(decided: int, listed: int | None, *, waiting: int = 0, percent: int = 0) -> dict[str, Any]:
    receipt = {"waiting": waiting, "unexplained": 0, "logged": decided - waiting}
    return {"backfill": {"decided": decided, "listed": listed, "percent": percent}, "receipt": receipt}


def _progress(*, running_s: float) -> Progressing:
    return Progressing(NORA, time.monotonic() - running_s)


def test_until_google_has_listed_everything_there_is_no_percentage() -> None:
    progress = _progress(running_s=1)

    progress.take(_page(0, None))

    assert progress.figures == "listing"


def test_counts_percent_rate_and_time_left() -> None:
    progress = _progress(running_s=10)

    assert progress.take(_page(40, 100))

    assert progress.figures == "40/100   40 %   4.0/s  15 s left"


def test_a_message_whose_body_is_still_to_be_fetched_is_not_done() -> None:
    progress = _progress(running_s=10)

    progress.take(_page(100, 100, waiting=30, percent=100))

    assert not progress.done
    assert progress.percent == 70


def test_no_time_is_promised_from_the_first_page_alone() -> None:
    progress = _progress(running_s=0.5)

    progress.take(_page(25, 1000))

    assert progress.left_s is None


def test_the_end_is_the_end() -> None:
    progress = _progress(running_s=20)

    assert progress.take(_page(100, 100, percent=100))
    assert progress.done
    assert not progress.take(_page(100, 100, percent=100))
    assert progress.figures.endswith("done in 20 s")


def test_a_page_that_says_the_same_again_is_no_movement() -> None:
    progress = _progress(running_s=5)

    assert progress.take(_page(25, 100))
    assert not progress.take(_page(25, 100))
