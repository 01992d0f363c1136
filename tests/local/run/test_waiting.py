"""A state that is waited for comes, or the step is named that was not seen."""

from __future__ import annotations

import pytest

from local.run.waiting import NotSeenError, until


def test_the_first_thing_seen_is_returned() -> None:
    looks = iter([None, False, "row"])

    assert until(lambda: next(looks), "the row", within_s=5, every_s=0) == "row"


def test_what_never_comes_is_named() -> None:
    with pytest.raises(NotSeenError, match="the row was not seen within 0 s"):
        until(lambda: None, "the row", within_s=0, every_s=0)
