"""Queues, topics, subscriptions and jobs: as function.yaml says, with the laptop's defaults, and nothing lost."""

from __future__ import annotations

from collections.abc import Mapping

from local.cloud.manifests import DEAD_LETTER_TOPIC, Manifest, Trigger
from tests.infra.terraform.planning import PROJECT_NUMBER, Plan
from tests.infra.terraform.test_functions import BASE_URL, CALLER

PUBSUB = f"serviceAccount:service-{PROJECT_NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com"


def _of(manifests: Mapping[str, Manifest], trigger: Trigger) -> list[Manifest]:
    return [manifest for manifest in manifests.values() if manifest.trigger is trigger]


def test_every_task_function_has_its_queue_with_its_rates(plan: Plan, manifests: Mapping[str, Manifest]) -> None:
    queues = {found.values["name"]: found.values for found in plan.of("google_cloud_tasks_queue")}
    tasks = _of(manifests, Trigger.TASK)
    assert queues.keys() == {manifest.queue for manifest in tasks}
    for manifest in tasks:
        [rate], [retry] = queues[manifest.queue or ""]["rate_limits"], queues[manifest.queue or ""]["retry_config"]
        settings = manifest.queue_settings
        assert rate["max_dispatches_per_second"] == settings.rate_per_s
        assert rate["max_concurrent_dispatches"] == settings.concurrent
        assert retry["max_attempts"] == settings.max_attempts
        assert _seconds(retry["min_backoff"]) == settings.min_backoff_s
        assert _seconds(retry["max_backoff"]) == settings.max_backoff_s


def test_no_queue_gives_up_before_the_function_parks(plan: Plan) -> None:
    assert {found.values["retry_config"][0]["max_attempts"] for found in plan.of("google_cloud_tasks_queue")} == {-1}


def test_every_push_function_has_a_subscription_that_proves_itself_and_never_ends(
    plan: Plan, manifests: Mapping[str, Manifest]
) -> None:
    subscriptions = {found.values["name"]: found.values for found in plan.of("google_pubsub_subscription")}
    pushes = _of(manifests, Trigger.PUSH)
    assert subscriptions.keys() == {manifest.cloud_name for manifest in pushes}
    for manifest in pushes:
        found = subscriptions[manifest.cloud_name]
        [push], [retry] = found["push_config"], found["retry_policy"]
        url = f"{BASE_URL}/{manifest.name}"
        assert push["push_endpoint"] == url
        assert push["oidc_token"] == [{"service_account_email": CALLER, "audience": url}]
        assert found["topic"].endswith(f"/{manifest.topic}")
        assert found["expiration_policy"] == [{"ttl": ""}], "a subscription that is idle for a month would be deleted"
        assert found["ack_deadline_seconds"] == manifest.ack_deadline_s
        assert _seconds(retry["minimum_backoff"]) == manifest.push_settings.min_backoff_s
        assert _seconds(retry["maximum_backoff"]) == manifest.push_settings.max_backoff_s


def test_what_pubsub_gives_up_arrives_where_it_is_parked(plan: Plan, manifests: Mapping[str, Manifest]) -> None:
    for subscription in plan.of("google_pubsub_subscription"):
        [manifest] = [each for each in manifests.values() if each.cloud_name == subscription.values["name"]]
        if manifest.topic == DEAD_LETTER_TOPIC:  # the last stop: a month of trying, and an alert after an hour
            assert subscription.values["message_retention_duration"] == "2678400s"
            continue
        [policy] = subscription.values["dead_letter_policy"]
        assert policy["dead_letter_topic"].endswith(f"/{DEAD_LETTER_TOPIC}")
        assert policy["max_delivery_attempts"] == manifest.push_settings.max_attempts
        takes = [found.values for found in plan.of("google_pubsub_subscription_iam_member")]
        taking = {"subscription": manifest.cloud_name, "role": "roles/pubsub.subscriber", "member": PUBSUB}
        assert any(taking.items() <= grant.items() for grant in takes), manifest.name
    assert any(manifest.topic == DEAD_LETTER_TOPIC for manifest in manifests.values()), "dead letters need a reader"
    assert _may_publish(plan, DEAD_LETTER_TOPIC) == {PUBSUB}


def test_gmail_may_publish_to_its_topic(plan: Plan) -> None:
    assert "serviceAccount:gmail-api-push@system.gserviceaccount.com" in _may_publish(plan, "gmail-push")


def _may_publish(plan: Plan, topic: str) -> set[str]:
    grants = [found.values for found in plan.of("google_pubsub_topic_iam_member")]
    return {
        grant["member"] for grant in grants if grant["topic"] == topic and grant["role"] == "roles/pubsub.publisher"
    }


def test_every_scheduled_function_has_its_job(plan: Plan, manifests: Mapping[str, Manifest]) -> None:
    jobs = {found.values["name"]: found.values for found in plan.of("google_cloud_scheduler_job")}
    scheduled = _of(manifests, Trigger.SCHEDULE)
    assert jobs.keys() == {manifest.cloud_name for manifest in scheduled}
    for manifest in scheduled:
        job = jobs[manifest.cloud_name]
        [target], [retry] = job["http_target"], job["retry_config"]
        url = f"{BASE_URL}/{manifest.name}"
        assert (job["schedule"], job["time_zone"]) == (manifest.schedule, "Etc/UTC")
        assert (target["uri"], target["http_method"]) == (url, "POST")
        assert target["oidc_token"] == [{"service_account_email": CALLER, "audience": url}]
        assert retry["retry_count"] == manifest.job_settings.retries
        assert _seconds(retry["min_backoff_duration"]) == manifest.job_settings.min_backoff_s
        assert _seconds(retry["max_backoff_duration"]) == manifest.job_settings.max_backoff_s
        assert _seconds(job["attempt_deadline"]) >= manifest.timeout_s


def test_no_two_jobs_of_one_minute_are_more_than_a_handful(plan: Plan) -> None:
    """Vendors ask that schedules be spread; nothing of ours begins at midnight."""
    schedules = [found.values["schedule"].split() for found in plan.of("google_cloud_scheduler_job")]
    assert not [fields for fields in schedules if fields[:2] == ["0", "0"]]


def _seconds(duration: str) -> float:
    assert duration.endswith("s")
    return float(duration.removesuffix("s"))
