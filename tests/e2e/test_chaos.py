"""The laptop cloud under faults: real processes are killed and frozen, and nothing is lost, doubled or left behind."""

from __future__ import annotations

import pytest

from bench.chaos.run import Wanted, run
from bench.chaos.storm import Fault

pytestmark = [pytest.mark.e2e, pytest.mark.emulator, pytest.mark.timeout(420)]


def test_mail_and_contracts_come_through_kills_freezes_and_errors() -> None:
    wanted = Wanted(
        seed=3,
        messages=120,
        contracts=4,
        kills=6,
        every_s=1.0,
        isolated=False,
        hasten=True,
        settles_within_s=300.0,
    )
    story: list[str] = []

    outcome = run(wanted, story.append)

    assert outcome.surprises == [], "\n".join(story)
    assert outcome.told["faults"].keys() == {fault.value for fault in Fault}
    assert outcome.told["faults"][Fault.KILL_FUNCTION] + outcome.told["faults"][Fault.KILL_TASKS] == 6
    assert sum(outcome.told["firestore_errors"].values()) > 0
    assert (outcome.told["rows"], outcome.told["invoices"]) == (120, 4)
