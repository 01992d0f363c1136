"""Every bundle, started as the buildpack starts it, in an environment of its own lock, answers its first request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.processes import first_answer_s
from bench.trivial_request import TrivialRequest
from infra.bundles.bundle import Bundler
from infra.bundles.environments import Environments
from infra.bundles.first_answers import FirstAnswer, first_answers
from infra.bundles.written import write_bundles
from infra.deploy.commands import SystemCommands

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(420)]  # the first test waits for all of them

BUNDLER = Bundler(Path(__file__).parents[2])


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FirstAnswer]:
    folder = tmp_path_factory.mktemp("bundles")
    written = write_bundles(BUNDLER, folder / "zips")
    return {answer.function: answer for answer in first_answers(written, folder, at_once=2)}


@pytest.mark.parametrize("name", BUNDLER.functions)
def test_the_bundle_starts_alone_and_answers(name: str, answers: dict[str, FirstAnswer]) -> None:
    assert answers[name].problem == ""


def test_a_bundle_that_lacks_a_module_does_not_start(tmp_path: Path) -> None:
    """Or the test above could not fail: the project itself must be out of reach."""
    whole = BUNDLER.bundle("gmail_push")
    files = {path: content for path, content in whole.files.items() if path.name != "notice_mail.py"}
    replace(whole, files=files).write_to(tmp_path / "bundle")
    framework = Environments(tmp_path / "environments", SystemCommands()).make(whole.lock) / "functions-framework"

    with pytest.raises(RuntimeError, match="the process ended"):
        first_answer_s(tmp_path / "bundle", "gmail_push", TrivialRequest("GET"), {}, framework)
