"""I23 and I24 together, under a thousand schedules of everything that can go wrong at once."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.cash_schedules import Schedule

SCHEDULES = 1_000
CHUNKS = 4

MUST_HAPPEN = (
    "died before a commit",
    "died after a commit",
    "commit without an answer",
    "ledger unreachable",
    "ledger did it without an answer",
    "ledger does it later",
    "task delivered twice",
    "notice heard",
    "two at once",
    "token refreshed",
    "paid",
    "payment taken back",
)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_one_invoice_per_intent_equal_to_the_cent_and_paid_as_the_ledger_says(
    chunk: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """One invoice each, its total the quote's, mailed at most once, payments as in the ledger, no token lost."""
    counts: Counter[str] = Counter()
    each = SCHEDULES // CHUNKS
    for seed in range(chunk * each, (chunk + 1) * each):
        schedule = Schedule(seed)
        schedule.run()
        assert not schedule.disagreements(), f"schedule {seed}: {schedule.disagreements()}"
        counts += schedule.counts
        capsys.readouterr()
    assert not [what for what in MUST_HAPPEN if not counts[what]]
    with capsys.disabled():
        print(f"\n  {each} schedules: " + ", ".join(f"{what} {counts[what]}" for what in MUST_HAPPEN), end="")
