"""Each function as it is deployed: what its function.yaml says, its own account, and no permission it does not name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from local.cloud.manifests import Manifest, Trigger
from tests.infra.terraform.planning import PROJECT, REGION, Plan, Planned

BASE_URL = f"https://{REGION}-{PROJECT}.cloudfunctions.net"
CALLER = f"caller@{PROJECT}.iam.gserviceaccount.com"

MEANT_TO_BE_PUBLIC = frozenset({Trigger.HTTP})


def _functions(plan: Plan) -> Mapping[str, Planned]:
    return {found.values["name"]: found for found in plan.of("google_cloudfunctions2_function")}


def _account(plan: Plan, name: str) -> str:
    [service] = _functions(plan)[name].values["service_config"]
    return str(service["service_account_email"])


def test_every_folder_is_a_function(plan: Plan, manifests: Mapping[str, Manifest]) -> None:
    assert _functions(plan).keys() == manifests.keys()


def test_a_function_gets_what_its_manifest_asks_for(plan: Plan, manifests: Mapping[str, Manifest]) -> None:
    for name, function in _functions(plan).items():
        manifest, [build], [service] = (
            manifests[name],
            function.values["build_config"],
            function.values["service_config"],
        )
        assert (build["runtime"], build["entry_point"]) == ("python313", name)
        assert service["available_memory"] == manifest.memory
        assert service["timeout_seconds"] == manifest.timeout_s
        assert service["max_instance_request_concurrency"] == manifest.concurrency
        assert service["min_instance_count"] == manifest.min_instances
        assert service["available_cpu"] == "1", f"{name}: less than one cpu serves one request at a time"
        assert service["max_instance_count"] > service["min_instance_count"]


def test_instances_are_enough_for_what_the_queue_lets_through(plan: Plan, manifests: Mapping[str, Manifest]) -> None:
    for name, function in _functions(plan).items():
        manifest, [service] = manifests[name], function.values["service_config"]
        if manifest.trigger is Trigger.TASK:
            at_once = service["max_instance_count"] * service["max_instance_request_concurrency"]
            assert at_once > manifest.queue_settings.concurrent, name


def test_a_bundle_is_named_by_its_content(plan: Plan, manifests: Mapping[str, Manifest]) -> None:
    objects = {found.values["name"] for found in plan.of("google_storage_bucket_object")} - {"environments/production"}
    assert {name.partition("/")[0] for name in objects} == manifests.keys()
    assert all(len(name.partition("/")[2]) == len("sha256-in-hex.zip") + 51 for name in objects)
    for name, function in _functions(plan).items():
        [source] = function.values["build_config"][0]["source"][0]["storage_source"]
        assert source["object"] in objects
        assert source["object"].startswith(f"{name}/")


def test_every_function_has_an_account_of_its_own(plan: Plan, manifests: Mapping[str, Manifest]) -> None:
    accounts = {name: _account(plan, name) for name in manifests}
    assert len(set(accounts.values())) == len(manifests)
    assert all(len(email.partition("@")[0]) <= 30 for email in accounts.values())


def test_only_functions_meant_for_people_and_vendors_answer_strangers(
    plan: Plan, manifests: Mapping[str, Manifest]
) -> None:
    invokers = {found.values["name"]: found.values for found in plan.of("google_cloud_run_v2_service_iam_member")}
    assert len(invokers) == len(manifests)
    for name, manifest in manifests.items():
        invoker = invokers[manifest.cloud_name]
        assert invoker["role"] == "roles/run.invoker"
        if manifest.public:
            assert manifest.trigger in MEANT_TO_BE_PUBLIC, name
            assert invoker["member"] == "allUsers"
        else:
            assert invoker["member"] == f"serviceAccount:{CALLER}", name


def test_nothing_else_is_open_to_everybody(plan: Plan) -> None:
    everybody = ("allUsers", "allAuthenticatedUsers")
    open_to_all = [found for found in plan.everything() if found.values.get("member") in everybody]
    assert {found.kind for found in open_to_all} == {"google_cloud_run_v2_service_iam_member"}


def test_an_account_may_do_what_uses_says_and_no_more(plan: Plan, manifests: Mapping[str, Manifest]) -> None:
    granted = _grants(plan)
    for name, manifest in manifests.items():
        expected = {("project", "roles/datastore.user")}
        expected |= {(f"queue {queue}", "roles/cloudtasks.enqueuer") for queue in manifest.uses.queues}
        expected |= {("account of the caller", "roles/iam.serviceAccountUser")} if manifest.uses.queues else set()
        expected |= {(f"secret {secret}", "roles/secretmanager.secretAccessor") for secret in manifest.uses.secrets}
        expected |= {(f"bucket {PROJECT}-{bucket}", "roles/storage.objectUser") for bucket in manifest.uses.buckets}
        expected |= {
            (f"key google_kms_crypto_key/{key}", "roles/cloudkms.cryptoKeyEncrypterDecrypter")
            for key in manifest.uses.keys
        }
        for topic in {*manifest.uses.topics, *manifest.publishes}:
            expected |= {(f"topic {topic}", "roles/pubsub.publisher")}
            ends = [each.cloud_name for each in manifests.values() if each.topic == topic]
            expected |= {(f"subscription {end}", "roles/pubsub.viewer") for end in ends}
        assert granted[_account(plan, name)] == expected, name


def _grants(plan: Plan) -> dict[str, set[tuple[str, str]]]:
    """By account: what was granted on what."""
    where = {
        "google_project_iam_member": "project",
        "google_cloud_tasks_queue_iam_member": "queue {name}",
        "google_service_account_iam_member": "account of the caller",
        "google_secret_manager_secret_iam_member": "secret {secret_id}",
        "google_storage_bucket_iam_member": "bucket {bucket}",
        "google_kms_crypto_key_iam_member": "key {crypto_key_id}",
        "google_pubsub_topic_iam_member": "topic {topic}",
        "google_pubsub_subscription_iam_member": "subscription {subscription}",
    }
    granted: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for found in plan.everything():
        if found.kind in where and found.values["member"].startswith("serviceAccount:"):
            account = found.values["member"].removeprefix("serviceAccount:")
            granted[account].add((where[found.kind].format(**found.values), found.values["role"]))
    return granted


def test_nobody_is_given_the_whole_project(plan: Plan) -> None:
    broad = {"roles/owner", "roles/editor", "roles/viewer", "roles/storage.admin", "roles/datastore.owner"}
    roles = {found.values["role"] for found in plan.of("google_project_iam_member")}
    assert not roles & broad
    assert roles == {"roles/datastore.user", "roles/logging.logWriter", "roles/storage.objectViewer"}
    [sources] = [found for found in plan.of("google_project_iam_member") if "storage" in found.values["role"]]
    assert "gcf-v2-sources-" in sources.values["condition"][0]["expression"]


def test_the_caller_may_call_and_nothing_else(plan: Plan) -> None:
    assert _grants(plan)[CALLER] == set()
    assert any(
        found.values["member"] == f"serviceAccount:{CALLER}"
        for found in plan.of("google_cloud_run_v2_service_iam_member")
    )


def test_a_secret_is_a_file_of_the_functions_that_name_it(plan: Plan, manifests: Mapping[str, Manifest]) -> None:
    for name, function in _functions(plan).items():
        [service] = function.values["service_config"]
        mounted = {volume["secret"]: volume["mount_path"] for volume in service["secret_volumes"] or ()}
        assert mounted.keys() == set(manifests[name].uses.secrets), name
        for secret, path in mounted.items():
            variable = secret.upper().replace("-", "_")
            assert service["environment_variables"][variable] == f"{path}/value"
