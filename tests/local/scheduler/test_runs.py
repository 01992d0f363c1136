"""Scheduled jobs: called as Cloud Scheduler calls, retried as configured, never two runs of one job at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from queue import SimpleQueue

import pytest
from flask import Flask, request
from werkzeug.datastructures import Headers

from local.cloud.manifests import JobSettings, parse_manifest
from local.cloud.serving import running
from local.scheduler.cron import Cron
from local.scheduler.face import create_app
from local.scheduler.jobs import HttpCall, Job, jobs_of
from local.scheduler.runner import AlreadyRunningError, Runner

NOON = datetime(2026, 1, 30, 12, 0, tzinfo=UTC)
SOON_S = 10.0


def job(url: str = "http://127.0.0.1:1/renew", *, every_s: float | None = None, retries: int = 0) -> Job:
    settings = JobSettings(retries=retries, min_backoff_s=0.01, max_backoff_s=0.02)
    return Job("renew", url, Cron.parse("*/5 * * * *"), every_s, deadline_s=5.0, settings=settings)


class Door:
    """An attempt that stays under way until it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.leave = threading.Event()
        self.calls = 0

    def __call__(self, _job: Job, _due_at: datetime) -> int:
        self.calls += 1
        self.entered.release()
        assert self.leave.wait(SOON_S)
        return 204


@pytest.fixture
def started() -> Iterator[Callable[[Runner], Runner]]:
    runners: list[Runner] = []

    def start(runner: Runner) -> Runner:
        runners.append(runner)
        runner.start()
        return runner

    yield start
    for runner in runners:
        runner.stop()


def answering(*statuses: int) -> Callable[[Job, datetime], int]:
    left = list(statuses)
    return lambda _job, _due_at: left.pop(0)


def test_job_is_called_with_the_headers_and_token_of_cloud_scheduler() -> None:
    seen: SimpleQueue[tuple[str, Headers]] = SimpleQueue()
    app = Flask("functions")

    @app.post("/renew")
    def renew() -> tuple[str, int]:
        seen.put((request.method, request.headers))
        return "", 204

    with running(app) as url:
        status = HttpCall(lambda audience: f"token for {audience}")(job(f"{url}/renew"), NOON)

    method, headers = seen.get_nowait()
    assert (status, method) == (204, "POST")
    assert headers["User-Agent"] == "Google-Cloud-Scheduler"
    assert headers["X-CloudScheduler"] == "true"
    assert headers["X-CloudScheduler-JobName"] == "renew"
    assert headers["X-CloudScheduler-ScheduleTime"] == "2026-01-30T12:00:00+00:00"
    assert headers["Authorization"] == f"Bearer token for {url}/renew"


def test_function_that_is_not_there_counts_as_no_answer() -> None:
    assert HttpCall(lambda _: "token")(job(), NOON) == 0


def test_failed_run_is_left_to_the_next_one_unless_retries_are_configured() -> None:
    assert Runner(job(), answering(503)).run_now().attempts == 1


def test_configured_retries_stop_at_the_first_success() -> None:
    run = Runner(job(retries=5), answering(503, 0, 204)).run_now()

    assert (run.status, run.attempts, run.succeeded) == (204, 3, True)


def test_configured_retries_end() -> None:
    run = Runner(job(retries=2), answering(500, 500, 503)).run_now()

    assert (run.status, run.attempts, run.succeeded) == (503, 3, False)


def test_job_fires_again_and_again_at_its_pace(started: Callable[[Runner], Runner]) -> None:
    fired = threading.Semaphore(0)

    def attempt(_job: Job, _due_at: datetime) -> int:
        fired.release()
        return 204

    started(Runner(job(every_s=0.01), attempt))

    assert all(fired.acquire(timeout=SOON_S) for _ in range(3))


def test_run_on_demand_never_overlaps_a_scheduled_one(started: Callable[[Runner], Runner]) -> None:
    door = Door()
    runner = started(Runner(job(every_s=0.01), door))
    assert door.entered.acquire(timeout=SOON_S)

    with pytest.raises(AlreadyRunningError):
        runner.run_now()

    assert door.calls == 1
    runner.stop()
    door.leave.set()


def test_times_that_come_during_a_run_are_skipped(started: Callable[[Runner], Runner]) -> None:
    door, looked_at_clock = Door(), threading.Semaphore(0)

    def now() -> datetime:
        looked_at_clock.release()
        return datetime.now(UTC)

    runner = Runner(job(every_s=0.01), door, now)
    by_hand = threading.Thread(target=runner.run_now)
    by_hand.start()
    assert door.entered.acquire(timeout=SOON_S)

    started(runner)
    assert all(looked_at_clock.acquire(timeout=SOON_S) for _ in range(20))
    assert door.calls == 1

    door.leave.set()
    by_hand.join()
    assert door.entered.acquire(timeout=SOON_S)


def test_run_on_demand_is_refused_while_the_job_runs() -> None:
    door = Door()
    runner = Runner(job(), door)
    first = threading.Thread(target=runner.run_now)
    first.start()
    assert door.entered.acquire(timeout=SOON_S)
    browser = create_app([runner]).test_client()

    assert browser.post("/run?job=renew").status_code == 409
    assert browser.get("/jobs").get_json()["renew"]["running"] is True

    door.leave.set()
    first.join()
    assert browser.post("/run?job=renew").get_json()["status"] == 204
    assert door.calls == 2


def test_unknown_job_is_refused_with_the_names_there_are() -> None:
    answer = create_app([Runner(job(), answering())]).test_client().post("/run?job=renewal")

    assert answer.status_code == 404
    assert answer.get_json()["jobs"] == ["renew"]


def test_jobs_come_from_the_manifests() -> None:
    manifest = parse_manifest(
        "watch_renewal",
        {
            "trigger": "schedule",
            "schedule": "0 3 * * *",
            "local_every_s": 60,
            "public": False,
            "memory": "256Mi",
            "timeout_s": 120,
            "concurrency": 1,
            "min_instances": 0,
            "providers": ["google"],
            "owner": "mail",
            "job_settings": {"retries": 3},
        },
        source="function.yaml",
    )

    (found,) = jobs_of([manifest], "http://127.0.0.1:8210")

    assert found.url == "http://127.0.0.1:8210/watch_renewal"
    assert (found.every_s, found.deadline_s, found.settings.retries) == (60.0, 120, 3)
    assert (found.due_after(NOON) - NOON).total_seconds() == 60
