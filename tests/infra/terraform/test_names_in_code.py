"""What the code names and what infra/ makes are the same, both ways; `uses:` is what the code can reach."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from local.cloud.manifests import Manifest, Trigger
from shared.usecases.check_push_path import SUBSCRIPTION, TOPIC
from shared.wiring import GMAIL_TOPIC
from tests.infra.terraform.planning import Plan
from tests.infra.terraform.reach import Code, Reached
from tests.infra.terraform.tools import ROOT

PROVIDERS = tuple(sorted(path.parent.name for path in (ROOT / "shared/providers").glob("*/connecting.py")))
WITHOUT_A_CLIENT = frozenset({"netsuite"})
"""Connected by keys that a person types in: there is no client of ours to keep secret."""

LAPTOP_ONLY = {
    "CLOUD_TASKS_EMULATOR_HOST": "the laptop's queues",
    "PUBSUB_EMULATOR_HOST": "the laptop's topics",
    "LOCAL_WRAPPING_KEY_FILE": "a file where the cloud has KMS",
    "GOOGLE_API_ROOT": "the simulated Google",
    "NETSUITE_API_ROOT": "the simulated NetSuite",
    ".+_API_ROOT": "any simulated vendor",
}
"""Variables the wiring reads that a deployed function must not have."""


Reach = Mapping[str, Reached]


@pytest.fixture(scope="module")
def code() -> Code:
    return Code(ROOT)


@pytest.fixture(scope="module")
def reach(code: Code, manifests: Mapping[str, Manifest]) -> Reach:
    return {name: code.reached(name, _providers(manifest)) for name, manifest in manifests.items()}


def _providers(manifest: Manifest) -> tuple[str, ...]:
    return PROVIDERS if manifest.providers == ("all",) else manifest.providers


# ------------------------------------------------------------------------------------------------------------- `uses:`


def test_the_queues_a_function_names_are_those_its_code_can_reach(
    reach: Reach, manifests: Mapping[str, Manifest]
) -> None:
    from_documents = {"quarantine_replay": _all_queues(manifests), "outbox_sweep": _promised()}
    expected = {name: _queues(reach[name], manifest, manifests) for name, manifest in manifests.items()}
    assert _wrong(manifests, "queues", expected | from_documents) == {}


def _wrong(manifests: Mapping[str, Manifest], kind: str, expected: Mapping[str, set[str]]) -> dict[str, str]:
    """What to change in whose function.yaml."""
    found: dict[str, str] = {}
    for name, manifest in manifests.items():
        named = set(getattr(manifest.uses, kind))
        if named != expected[name]:
            lacks, idle = sorted(expected[name] - named), sorted(named - expected[name])
            found[name] = f"uses.{kind}: lacks {lacks}, has without need {idle}"
    return found


def _queues(reached: Reached, manifest: Manifest, manifests: Mapping[str, Manifest]) -> set[str]:
    """Those named, or whose function is named, by code that creates tasks; a task may also be put back into its own."""
    own = {manifest.queue} if manifest.queue else set()
    if not reached.touches("tasks"):
        return own
    return own | {each.queue for each in manifests.values() if each.queue and {each.queue, each.name} & reached.words}


def _all_queues(manifests: Mapping[str, Manifest]) -> set[str]:
    """A parked task goes back where it came from."""
    return {manifest.queue for manifest in manifests.values() if manifest.queue}


def _promised() -> set[str]:
    """Every function that some use case promises to call: promise("thread_join", ...); or hands on as `opens`."""
    found: set[str] = set()
    for tree in _trees("shared"):
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            named = call.args[:1] if _called(call) == "promise" else []
            named += [word.value for word in call.keywords if word.arg == "opens"]
            found |= {word.value for word in named if isinstance(word, ast.Constant) and isinstance(word.value, str)}
    return {function.replace("_", "-") for function in found}


def test_a_function_names_the_bucket_if_its_code_reads_or_writes_blobs(
    reach: Reach, manifests: Mapping[str, Manifest]
) -> None:
    expected = {name: {"content"} if reach[name].touches("blobs") else set() for name in manifests}
    assert _wrong(manifests, "buckets", expected) == {}


def test_a_function_names_the_key_if_its_code_seals_or_opens(reach: Reach, manifests: Mapping[str, Manifest]) -> None:
    sealing = {name for name, found in reach.items() if found.touches("vault") and "wrapping_key" in found.wiring}
    expected = {name: {"tenants"} if name in sealing else set() for name in manifests}
    assert _wrong(manifests, "keys", expected) == {}


def test_a_function_names_the_clients_of_its_providers_if_its_code_reads_them(
    reach: Reach, manifests: Mapping[str, Manifest]
) -> None:
    expected: dict[str, set[str]] = {name: set() for name in manifests}
    for name, manifest in manifests.items():
        if reach[name].wiring & {"oauth_client", "notice_keys"}:
            expected[name] = {f"{each}-oauth-client" for each in _providers(manifest) if each not in WITHOUT_A_CLIENT}
    assert _wrong(manifests, "secrets", expected) == {}


def test_a_function_names_the_topics_its_code_publishes_to(reach: Reach, manifests: Mapping[str, Manifest]) -> None:
    expected = {
        name: {GMAIL_TOPIC} & found.words if found.touches("publisher") else set() for name, found in reach.items()
    }
    assert _wrong(manifests, "topics", expected) == {}
    assert {name: set(manifest.publishes) for name, manifest in manifests.items()} == expected


def test_what_the_search_for_names_finds_is_what_a_person_would(code: Code) -> None:
    """The search itself, on functions small enough to be read."""
    webhook = code.reached("docusign_webhook", ["docusign"])
    assert webhook.touched == {("tasks", "create"), ("vault", "seal")}
    page = code.reached("quote_page", PROVIDERS)
    assert ("blobs", "get") in page.touched
    assert not page.touches("vault")
    callback = code.reached("oauth_callback", PROVIDERS)
    assert {"mailbox_open", "signing_open", "ledger_open"} <= callback.words, "found at run time, by provider"


# --------------------------------------------------------------------------------------------------------------- names


def test_every_task_is_created_in_the_queue_of_its_function(manifests: Mapping[str, Manifest]) -> None:
    served = {manifest.queue: manifest.name for manifest in manifests.values() if manifest.trigger is Trigger.TASK}
    named = [pair for tree in _trees("shared") for pair in _tasks(tree)]
    assert len(named) > 10
    for queue, function in named:
        assert served.get(queue) == function, f"a task for {function} in {queue}"


def _tasks(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Queue and function of each Task(...) that says them outright, or chooses between two."""
    constants = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) == "Task"):
        given = dict(zip(("queue", "function"), call.args, strict=False))
        given |= {word.arg: word.value for word in call.keywords if word.arg in ("queue", "function")}
        queues, functions = (_choices(given.get(key), constants) for key in ("queue", "function"))
        if queues and functions:
            yield from zip(queues, functions, strict=True)


def _choices(node: ast.expr | None, constants: Mapping[str, ast.expr]) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.Name(id=name) if name in constants:
            return _choices(constants[name], {})
        case ast.IfExp(body=body, orelse=orelse):
            return _choices(body, constants) + _choices(orelse, constants)
    return []


def test_the_topics_and_subscriptions_the_code_names_are_made(plan: Plan) -> None:
    topics = {found.values["name"] for found in plan.of("google_pubsub_topic")}
    assert {GMAIL_TOPIC, TOPIC} <= topics
    assert SUBSCRIPTION in {found.values["name"] for found in plan.of("google_pubsub_subscription")}


def test_every_topic_has_somebody_who_hears_it(plan: Plan) -> None:
    heard = {found.values["topic"].rpartition("/")[2] for found in plan.of("google_pubsub_subscription")}
    assert {found.values["name"] for found in plan.of("google_pubsub_topic")} == heard


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("secrets", "google_secret_manager_secret"),
        ("keys", "google_kms_crypto_key"),
        ("buckets", "google_storage_bucket"),
    ],
)
def test_what_functions_use_is_made_and_nothing_is_made_for_nobody(
    plan: Plan, manifests: Mapping[str, Manifest], kind: str, key: str
) -> None:
    made = {found.key for found in plan.of(key) if found.address.startswith(f"{key}.used[")}
    assert made == {name for manifest in manifests.values() for name in getattr(manifest.uses, kind)}


# ----------------------------------------------------------------------------------------------------- the environment


def test_a_function_finds_what_the_wiring_reads_and_nothing_else(plan: Plan) -> None:
    read = _read_by_the_wiring()
    assert len(read) > 15
    given: set[str] = set()
    for function in plan.of("google_cloudfunctions2_function"):
        given |= function.values["service_config"][0]["environment_variables"].keys()
    patterns = [name for name in read if name not in LAPTOP_ONLY]
    for name in patterns:
        assert any(re.fullmatch(name, variable) for variable in given), (
            f"the wiring reads {name}; infra/ does not give it"
        )
    for variable in given:
        assert any(re.fullmatch(name, variable) for name in patterns), f"infra/ gives {variable}; nobody reads it"


def test_nothing_of_the_laptop_reaches_the_cloud(plan: Plan) -> None:
    assert LAPTOP_ONLY.keys() <= _read_by_the_wiring()
    for function in plan.of("google_cloudfunctions2_function"):
        for variable in function.values["service_config"][0]["environment_variables"]:
            assert not any(re.fullmatch(name, variable) for name in LAPTOP_ONLY), variable
            assert "EMULATOR" not in variable


def _read_by_the_wiring() -> set[str]:
    """Names of variables; where part of one is computed, a pattern."""
    tree = ast.parse((ROOT / "shared/wiring.py").read_text())
    reading = {"_env": 0, "get": 0}
    found: set[str] = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if _called(call) not in reading or not call.args:
            continue
        if _called(call) == "get" and not ast.unparse(call.func).startswith("os.environ"):
            continue
        match call.args[0]:
            case ast.Constant(value=str(name)):
                found.add(name)
            case ast.JoinedStr(values=parts):
                found.add("".join(str(part.value) if isinstance(part, ast.Constant) else ".+" for part in parts))
    return found


# ---------------------------------------------------------------------------------------------------- reading the code


def _trees(folder: str) -> Iterator[ast.Module]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield ast.parse(Path(path).read_text())


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
