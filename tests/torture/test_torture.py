"""The run of all proofs: what fails, is missing, hangs or says nothing fails the run, in a sentence."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.torture.__main__ import main
from tests.torture.counts import summed
from tests.torture.parts import FIGURES, PARTS, Part
from tests.torture.run import ROOT, carry_out

GOOD = Part(
    key="good",
    what="a proof that holds",
    unit="plans",
    needs=("Makefile",),
    long=(("-c", "print('7 plans, 0 failures')"),),
    quick=(("-c", "print('2 plans, 0 failures')"),),
    count=summed(r"^(\d+) plans, (\d+) failures"),
    limit_s=60,
)
BAD = replace(GOOD, key="bad", long=(("-c", "print('7 plans, 3 failures'); raise SystemExit(1)"),))


def test_every_proof_is_there_and_has_a_short_form() -> None:
    for part in PARTS:
        assert part.quick, part.key
        assert [path for path in part.needs if not (ROOT / path).exists()] == [], part.key


def test_every_path_a_proof_runs_exists() -> None:
    named = {argument for part in PARTS for command in (*part.long, *part.quick) for argument in command}

    assert [path for path in named if path.startswith("tests/") and not (ROOT / path).exists()] == []


def test_make_runs_it() -> None:
    assert re.search(r"^torture: .*\n\t@.* -m tests\.torture ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_a_proof_that_holds_is_counted_and_what_it_said_is_kept(tmp_path: Path) -> None:
    outcome = carry_out(GOOD, tmp_path, quick=False)

    assert outcome.count is not None
    assert (outcome.failed, outcome.count.tried) == (False, 7)
    assert (tmp_path / "good.txt").read_text() == "7 plans, 0 failures\n"


def test_the_short_form_is_another_command(tmp_path: Path) -> None:
    outcome = carry_out(GOOD, tmp_path, quick=True)

    assert outcome.count is not None
    assert outcome.count.tried == 2


def test_several_commands_are_counted_together(tmp_path: Path) -> None:
    outcome = carry_out(replace(GOOD, long=(*GOOD.long, *GOOD.quick)), tmp_path, quick=False)

    assert outcome.count is not None
    assert outcome.count.tried == 9
    assert [path.name for path in outcome.details] == ["good-1.txt", "good-2.txt"]


def test_one_command_of_several_that_breaks_fails_the_proof(tmp_path: Path) -> None:
    broken = ("-c", "raise SystemExit(4)")

    assert carry_out(replace(GOOD, long=(*GOOD.long, broken)), tmp_path, quick=False).wrong == (
        "ended with exit code 4",
    )


def test_figures_go_beside_what_it_said_and_old_ones_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text("old")
    outcome = carry_out(replace(GOOD, long=(("-c", "import sys; print(sys.argv[1])", FIGURES),)), tmp_path, quick=False)

    assert (tmp_path / "good.txt").read_text().strip() == str(tmp_path / "good.json")
    assert not (tmp_path / "good.json").exists()
    assert outcome.wrong == ("said nothing that can be counted",)


def test_a_proof_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    outcome = carry_out(replace(GOOD, needs=("tests/nowhere.py",)), tmp_path, quick=False)

    assert outcome.wrong == ("tests/nowhere.py does not exist: there is no such proof",)


def test_a_proof_that_tried_nothing_is_a_failure(tmp_path: Path) -> None:
    nothing = replace(GOOD, long=(("-c", "print('0 plans, 0 failures')"),))

    assert carry_out(nothing, tmp_path, quick=False).wrong == ("tried nothing",)


def test_a_proof_that_hangs_is_stopped(tmp_path: Path) -> None:
    hangs = replace(GOOD, long=(("-c", "import threading; threading.Event().wait()"),), limit_s=0.2)
    outcome = carry_out(hangs, tmp_path, quick=False)

    assert outcome.wrong[0] == "not done after 0 s, and stopped"


def test_the_run_is_one_table_and_fails_with_any_of_its_proofs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--folder", str(tmp_path)], [GOOD, BAD]) == 1
    told = capsys.readouterr().out

    assert "bad: 3 of 7 plans failed" in told
    assert "bad: ended with exit code 1" in told
    assert "\x1b" not in told
    told = json.loads((tmp_path / "summary.json").read_text())
    assert {key: (part["tried"], part["failed"]) for key, part in told.items()} == {"good": (7, 0), "bad": (7, 3)}


def test_figures_of_parts_that_ran_before_are_kept(tmp_path: Path) -> None:
    main(["--folder", str(tmp_path)], [GOOD, BAD])
    main(["--folder", str(tmp_path), "--only", "good", "--quick"], [GOOD, BAD])

    told = json.loads((tmp_path / "summary.json").read_text())
    assert [(key, part["quick"], part["tried"]) for key, part in told.items()] == [("good", True, 2), ("bad", False, 7)]


def test_proofs_are_run_alone_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--folder", str(tmp_path), "--only", "good", "--quick"], [GOOD, BAD]) == 0
    assert "a proof that holds" in capsys.readouterr().out
    assert not (tmp_path / "bad.txt").exists()


def test_a_name_that_is_none_is_told_what_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--folder", str(tmp_path), "--only", "god"], [GOOD, BAD]) == 2
    assert capsys.readouterr().out == "no part god; there are: good, bad\n"
