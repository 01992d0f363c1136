"""What a reader may ask of `make run`, and the sentences that answer a mistake."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from local.run.options import OptionError, Scene, read_options


@pytest.fixture
def mbox(tmp_path: Path) -> Path:
    path = tmp_path / "my mail.mbox"
    path.write_bytes(b"From a@b Mon Jan  1 00:00:00 2026\n\n")
    return path


def test_without_anything_the_sample_is_served_and_kept_running() -> None:
    options = read_options({})

    assert not options.once
    assert not options.own_input
    assert options.scene is Scene.ALL
    assert options.quota_units_per_minute == 6_000
    assert options.data == Path(".local")


def test_once_and_isolated_are_switches() -> None:
    options = read_options({"ONCE": "1", "ISOLATED": "0"})

    assert options.once
    assert not options.isolated


def test_own_mail_raises_the_quota_and_plays_no_scene(mbox: Path) -> None:
    options = read_options({"MBOX": str(mbox), "ME": "Me <Me@Example.com>"})

    assert options.me == "me@example.com"
    assert options.quota_units_per_minute == 600_000
    assert options.scene is Scene.NONE


def test_the_cash_scene_is_played_alone_without_mail() -> None:
    scene = read_options({"SCENE": "cash"}).scene

    assert (scene.has_mail, scene.has_cash) == (False, True)


def test_the_mail_scene_sells_nothing() -> None:
    scene = read_options({"SCENE": "mail"}).scene

    assert (scene.has_mail, scene.has_cash) == (True, False)


def test_ones_own_mail_has_nothing_to_sell(mbox: Path) -> None:
    with pytest.raises(OptionError, match="SCENE=cash sells what the sample sells"):
        read_options({"MBOX": str(mbox), "ME": "me@example.com", "SCENE": "cash"})


def test_a_name_with_a_space_is_one_file(mbox: Path) -> None:
    assert read_options({"MBOX": str(mbox), "ME": "me@example.com"}).mbox == (mbox,)


@pytest.mark.parametrize("between", [" ", ",", ", "])
def test_several_files_are_separated_by_spaces_or_commas(tmp_path: Path, between: str) -> None:
    first, second = tmp_path / "one.mbox", tmp_path / "two.mbox"
    for path in (first, second):
        path.touch()

    options = read_options({"MBOX": f"{first}{between}{second}", "ME": "me@example.com"})

    assert options.mbox == (first, second)


def test_a_port_can_be_moved_out_of_the_way() -> None:
    options = read_options({"PORTS": "functions=9010, google=9005"})

    assert (options.ports.functions, options.ports.google, options.ports.identity) == (9010, 9005, 8206)


def test_the_quota_can_be_set_for_both_sides() -> None:
    assert read_options({"GMAIL_QUOTA_UNITS_PER_MINUTE": "15000"}).quota_units_per_minute == 15_000


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"MBOX": "{mbox}"}, "need ME=you@example.com"),
        ({"MBOX": "{mbox}", "ME": "nobody"}, "ME=nobody is not an email address"),
        ({"MBOX": "/nowhere/mail.mbox", "ME": "me@example.com"}, "MBOX: /nowhere/mail.mbox"),
        ({"CONTACTS": "{mbox}"}, "go with MBOX= or ICS="),
        ({"PORTS": "kitchen=80"}, "PORTS=kitchen=80 is not understood"),
        ({"SCENE": "opera"}, "SCENE=opera is not known"),
        ({"GMAIL_QUOTA_UNITS_PER_MINUTE": "lots"}, "is not a number of units"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(mbox: Path, variables: dict[str, str], sentence: str) -> None:
    given = {name: value.replace("{mbox}", str(mbox)) for name, value in variables.items()}

    with pytest.raises(OptionError, match=re.escape(sentence)):
        read_options(given)
