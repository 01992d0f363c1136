"""What a function.yaml may say, and the sentence a mistake in it gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.cloud.manifests import Backoff, ManifestError, Trigger, load_manifests, parse_manifest

PAGE = {
    "trigger": "http",
    "public": True,
    "memory": "512Mi",
    "timeout_s": 60,
    "concurrency": 20,
    "min_instances": 0,
    "providers": "all",
    "owner": "web",
}
PUSH = {**PAGE, "trigger": "push", "public": False, "topic": "gmail-push", "providers": ["google"]}
TASK = {**PAGE, "trigger": "task", "public": False, "queue": "mailbox-sync"}
JOB = {**PAGE, "trigger": "schedule", "public": False, "schedule": "*/5 * * * *"}

MANIFEST = """
trigger: task
queue: {queue}
public: false
memory: 512Mi
timeout_s: 60
concurrency: 20
min_instances: 0
providers: [google]
uses: {{queues: [mailbox-sync], topics: [], secrets: [], buckets: [], keys: []}}
publishes: []
owner: mail
answers: {{retries: done}}
queue_settings: {{rate_per_s: 5, max_attempts: 10}}
"""


def sentence(content: object, name: str = "gmail_push") -> str:
    with pytest.raises(ManifestError) as refused:
        parse_manifest(name, content, source="function.yaml")
    return str(refused.value)


def write(functions: Path, name: str, text: str | None) -> None:
    folder = functions / name
    folder.mkdir(parents=True)
    (folder / "main.py").write_text("")
    if text is not None:
        (folder / "function.yaml").write_text(text)


def test_folder_of_functions_is_read(tmp_path: Path) -> None:
    write(tmp_path, "mailbox_sync", MANIFEST.format(queue="mailbox-sync"))
    (tmp_path / "__pycache__").mkdir()

    (manifest,) = load_manifests(tmp_path)

    assert (manifest.name, manifest.cloud_name) == ("mailbox_sync", "mailbox-sync")
    assert (manifest.trigger, manifest.queue) == (Trigger.TASK, "mailbox-sync")
    assert (manifest.queue_settings.rate_per_s, manifest.queue_settings.concurrent) == (5.0, 20)
    assert manifest.uses.queues == ("mailbox-sync",)
    assert manifest.answers == {"retries": "done"}


def test_push_retries_sooner_on_the_laptop_than_in_the_cloud() -> None:
    manifest = parse_manifest("gmail_push", PUSH, source="function.yaml")

    assert manifest.push_settings.min_backoff_s == 10
    assert manifest.push_settings.local_backoff == Backoff(1, 10)


@pytest.mark.parametrize(("timeout_s", "ack_deadline_s"), [(5, 10), (60, 60), (3600, 600)])
def test_push_may_take_as_long_as_its_function_within_pubsubs_limits(timeout_s: int, ack_deadline_s: int) -> None:
    manifest = parse_manifest("gmail_push", {**PUSH, "timeout_s": timeout_s}, source="function.yaml")

    assert manifest.ack_deadline_s == ack_deadline_s


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({**PAGE, "trigger": "mail"}, "trigger must be http, push, task or schedule, not 'mail'"),
        ({**PAGE, "memory": "512MB"}, "memory must be a size such as 512Mi, not '512MB'"),
        ({**PAGE, "public": "yes"}, "public must be true or false, not 'yes'"),
        ({**PAGE, "timeout_s": True}, "timeout_s must be a whole number from 1 to 3600, not True"),
        ({**PAGE, "providers": "google"}, "providers must be a list of names, not 'google'"),
        ({**PAGE, "uses": {"queue": ["a"]}}, "uses.queue is no key of uses"),
        ({**PAGE, "queue": "mailbox-sync"}, "queue is no key of a function with trigger 'http'"),
        ({**PUSH, "topic": "Gmail"}, "topic must be a cloud name (lower case, digits, -; 3 to 63), not 'Gmail'"),
        ({**PUSH, "push_settings": {"local_backoff": {"min": 1}}}, "push_settings.local_backoff.min is no key"),
        ({**PUSH, "public": True}, "public must be false, since trigger 'push' is called by Google alone"),
        ({**TASK, "queue_settings": {"rate_per_s": 900}}, "queue_settings.rate_per_s must be a number from 0.01 to"),
        ({**JOB, "schedule": "* * *"}, "schedule must be a cron expression ('* * *' has 3 fields where cron has 5)"),
        ([], "the file must be a mapping of keys to values"),
    ],
)
def test_mistake_is_one_sentence_naming_file_and_key(content: object, expected: str) -> None:
    said = sentence(content)

    assert said.startswith(f"function.yaml: {expected}")
    assert "\n" not in said


@pytest.mark.parametrize("key", ["trigger", "public", "memory", "timeout_s", "owner", "providers"])
def test_missing_key_is_named(key: str) -> None:
    content: dict[str, Any] = {name: value for name, value in PAGE.items() if name != key}

    assert sentence(content) == f"function.yaml: {key} is missing"


def test_function_without_its_manifest_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "gmail_push", None)

    with pytest.raises(ManifestError, match=r"gmail_push/function\.yaml is missing beside main\.py"):
        load_manifests(tmp_path)


def test_file_that_is_not_yaml_is_refused_in_one_line(tmp_path: Path) -> None:
    write(tmp_path, "gmail_push", "trigger: [push")

    with pytest.raises(ManifestError, match=r"function\.yaml is not YAML: .*line 1") as refused:
        load_manifests(tmp_path)
    assert "\n" not in str(refused.value)


def test_queue_serves_one_function(tmp_path: Path) -> None:
    for name in ("mailbox_poll", "mailbox_sync"):
        write(tmp_path, name, MANIFEST.format(queue="mailbox-sync"))

    with pytest.raises(ManifestError, match="queue 'mailbox-sync' already serves mailbox_poll"):
        load_manifests(tmp_path)


def test_folder_name_must_be_a_function_name() -> None:
    assert "the folder 'Gmail-Push' is no function name" in sentence(PAGE, name="Gmail-Push")
