"""The chain of a deal on the terminal: every step with its cause and its id at the other side, none of them cut."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from local.run.cash.chain_table import chain_table

ENVELOPE = "be6521cc-3e24-44e3-baf0-27bc08d6af57"


def step(name: str, cause: str, other_id: str) -> dict[str, Any]:
    return {"at": "2026-03-02T09:00:07.123456+00:00", "step": name, "cause": cause, "other_id": other_id}


def shown(*steps: dict[str, Any], width: int = 110) -> list[str]:
    console = Console(file=StringIO(), width=width)
    with console.capture() as captured:
        console.print(chain_table(steps))
    return [" ".join(line.split()) for line in captured.get().splitlines()[2:] if line.strip()]


def test_a_step_is_a_line_with_time_cause_and_other_id() -> None:
    assert shown(step("contract.sent", "u-anna", ENVELOPE)) == [f"09:00:07 contract.sent u-anna {ENVELOPE}"]


def test_what_is_as_above_is_not_repeated() -> None:
    lines = shown(step("contract.signed_by", "v1", ENVELOPE), step("contract.signed", "v1", ENVELOPE))

    assert lines[1] == '09:00:07 contract.signed " "'


def test_a_step_without_an_id_says_none() -> None:
    lines = shown(step("deal.won", "y1", ""), step("invoice.planned", "y1", ""))

    assert lines == ["09:00:07 deal.won y1", '09:00:07 invoice.planned "']


def test_on_a_narrow_terminal_ids_go_on_below_and_nothing_is_lost() -> None:
    text = "".join(shown(step("contract.sent", "v9" * 16, ENVELOPE), width=80)).replace(" ", "")

    assert len(text) == len(f"09:00:07contract.sent{'v9' * 16}{ENVELOPE}")
