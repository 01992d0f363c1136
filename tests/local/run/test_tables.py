"""Receipts, explanations and the quarantine, as tables that fit a narrow terminal."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, RenderableType

from local.run.screen import Screen
from local.run.tables import PARKED_SHOWN, Explained, explanations_table, quarantine_table, receipts_table
from shared.domain.ledger import Rule
from shared.domain.quarantine import Parked


def _shown(table: RenderableType) -> list[str]:
    out = io.StringIO()
    Screen(Console(file=out, width=80, force_terminal=False)).show(table)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def _receipt(**figures: Any) -> dict[str, Any]:
    zero = {"listed": 0, "logged": 0, "left_out": {}, "quarantined": 0, "gone": 0, "waiting": 0, "unexplained": 0}
    return {**zero, **figures}


def test_a_receipt_has_a_column_per_mailbox_and_a_row_per_rule_that_hit() -> None:
    lines = _shown(
        receipts_table(
            {
                "Nora": _receipt(listed=7, logged=4, left_out={"bulk": 2}, quarantined=1),
                "Tomás": _receipt(listed=3, logged=3),
            }
        )
    )

    assert "mailbox of Nora Tomás" in lines
    assert "listed by Gmail 7 3" in lines
    assert "left out: newsletter, automatic 2 -" in lines
    assert "in quarantine 1 -" in lines
    assert "unexplained 0 0" in lines
    assert not any("internal" in line for line in lines)


def test_every_rule_of_the_ledger_has_a_name_on_the_receipt() -> None:
    lines = _shown(receipts_table({"Nora": _receipt(left_out={rule.value: 1 for rule in Rule})}))

    assert sum(line.startswith("left out:") for line in lines) == len(Rule)


def test_an_explanation_names_the_mail_and_the_reason() -> None:
    lines = _shown(explanations_table([Explained("Summer party", "Hannah", "Nora", "Its sender is unknown.")]))

    assert any(line.startswith("Summer party") and line.endswith("Its sender is unknown.") for line in lines)
    assert "from Hannah, in the mailbox of Nora" in lines


def test_the_quarantine_tells_what_and_why() -> None:
    parked = Parked("message", "b1/g1", "the headers end nowhere", datetime.now(UTC), {"gmail_id": "g1"})

    lines = _shown(quarantine_table([parked]))

    assert "message g1 the headers end nowhere" in lines


def test_a_long_quarantine_is_cut_and_says_so() -> None:
    parked = [Parked("message", f"k{n}", "reason", datetime.now(UTC), {}) for n in range(PARKED_SHOWN + 5)]

    assert "and 5 more" in _shown(quarantine_table(parked))
