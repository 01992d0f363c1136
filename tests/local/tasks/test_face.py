"""What the official client sees over gRPC, and what a worker sees over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2

from tests.local.tasks.conftest import WORKERS, Client
from tests.local.tasks.story import LOCATION, QUEUE, Worker, until

EMAIL = "caller@demo.iam.gserviceaccount.example"


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


class TestQueues:
    def test_a_new_queue_gets_the_defaults_of_cloud_tasks(self, emulator: Client) -> None:
        queue = emulator.create_queue()
        assert (queue.rate_limits.max_dispatches_per_second, queue.rate_limits.max_concurrent_dispatches) == (500, 1000)
        assert (queue.retry_config.max_attempts, queue.retry_config.max_doublings) == (100, 16)
        assert (queue.retry_config.min_backoff, queue.retry_config.max_backoff) == (seconds(0.1), seconds(3600))
        assert queue.state == tasks_v2.Queue.State.RUNNING

    def test_queues_are_created_once_listed_paused_resumed_and_deleted(self, emulator: Client) -> None:
        emulator.create_queue()
        with pytest.raises(exceptions.AlreadyExists):
            emulator.create_queue()
        assert [queue.name for queue in emulator.tasks.list_queues(parent=LOCATION)] == [QUEUE]
        assert emulator.tasks.pause_queue(name=QUEUE).state == tasks_v2.Queue.State.PAUSED
        assert emulator.tasks.get_queue(name=QUEUE).state == tasks_v2.Queue.State.PAUSED
        assert emulator.tasks.resume_queue(name=QUEUE).state == tasks_v2.Queue.State.RUNNING
        emulator.tasks.delete_queue(name=QUEUE)
        with pytest.raises(exceptions.NotFound):
            emulator.tasks.get_queue(name=QUEUE)

    def test_an_update_with_a_mask_changes_only_what_it_names(self, emulator: Client) -> None:
        emulator.create_queue(retry_config={"max_attempts": -1, "max_doublings": 3})
        wanted = tasks_v2.Queue(
            name=QUEUE, rate_limits={"max_dispatches_per_second": 7}, retry_config={"min_backoff": seconds(2)}
        )
        paths = ["rate_limits.max_dispatches_per_second", "retry_config.min_backoff"]
        queue = emulator.tasks.update_queue(request={"queue": wanted, "update_mask": {"paths": paths}})
        assert queue.rate_limits.max_dispatches_per_second == 7
        assert queue.rate_limits.max_concurrent_dispatches == 1000
        assert (queue.retry_config.max_attempts, queue.retry_config.max_doublings) == (-1, 3)
        assert queue.retry_config.min_backoff == seconds(2)
        with pytest.raises(exceptions.InvalidArgument):
            emulator.tasks.update_queue(request={"queue": wanted, "update_mask": {"paths": ["state"]}})

    def test_an_update_creates_a_missing_queue(self, emulator: Client) -> None:
        emulator.tasks.update_queue(queue=tasks_v2.Queue(name=QUEUE))
        assert emulator.tasks.get_queue(name=QUEUE).name == QUEUE

    def test_a_purge_empties_the_queue(self, emulator: Client, worker: Worker) -> None:
        emulator.create_queue()
        emulator.tasks.pause_queue(name=QUEUE)
        emulator.create(worker.url)
        assert emulator.tasks.purge_queue(name=QUEUE).purge_time is not None
        assert list(emulator.tasks.list_tasks(parent=QUEUE)) == []


class TestTasks:
    def test_a_task_arrives_as_cloud_tasks_sends_it(self, emulator: Client, worker: Worker) -> None:
        emulator.create_queue()
        before = datetime.now(UTC).timestamp()
        emulator.create(worker.url + "?a=1", "task-1", body=b"\x00\xff", headers={"X-Mine": "1", "User-Agent": "me"})
        until(emulator.idle)

        (call,) = worker.calls
        assert (call.method, call.path, call.body) == ("POST", "/work?a=1", b"\x00\xff")
        assert call.headers["User-Agent"] == "Google-Cloud-Tasks"
        assert call.headers["Content-Type"] == "application/octet-stream"
        assert call.headers["X-Mine"] == "1"
        assert call.headers["X-CloudTasks-QueueName"] == "mailbox-sync"
        assert call.headers["X-CloudTasks-TaskName"] == "task-1"
        assert call.headers["X-CloudTasks-TaskRetryCount"] == "0"
        assert call.headers["X-CloudTasks-TaskExecutionCount"] == "0"
        assert before <= float(call.headers["X-CloudTasks-TaskETA"]) <= datetime.now(UTC).timestamp()
        assert "X-CloudTasks-TaskPreviousResponse" not in call.headers
        assert "Authorization" not in call.headers

    def test_a_content_type_of_its_own_is_kept_and_forged_headers_are_dropped(
        self, emulator: Client, worker: Worker
    ) -> None:
        emulator.create_queue()
        forged = {"content-type": "application/json", "x-cloudtasks-taskretrycount": "20", "Host": "forged.example"}
        emulator.create(worker.url, headers=forged)
        until(emulator.idle)
        (call,) = worker.calls
        names = [name.lower() for name in call.headers]
        assert names.count("x-cloudtasks-taskretrycount") == 1
        assert call.headers["X-CloudTasks-TaskRetryCount"] == "0"
        assert names.count("content-type") == 1
        assert call.headers["content-type"] == "application/json"
        assert call.headers["Host"].startswith("127.0.0.1:")

    def test_more_tasks_than_worker_threads_all_arrive(self, emulator: Client, worker: Worker) -> None:
        emulator.create_queue()
        for _ in range(3 * WORKERS):
            emulator.create(worker.url)
        until(emulator.idle)
        assert len(worker.calls) == 3 * WORKERS

    def test_tasks_that_may_not_overlap_follow_each_other(self, emulator: Client, worker: Worker) -> None:
        emulator.create_queue(rate_limits={"max_concurrent_dispatches": 1})
        emulator.tasks.pause_queue(name=QUEUE)
        for _ in range(5):
            emulator.create(worker.url)
        emulator.tasks.resume_queue(name=QUEUE)
        until(emulator.idle)

    def test_a_get_carries_no_body(self, emulator: Client, worker: Worker) -> None:
        emulator.create_queue()
        emulator.create(worker.url, http_method=tasks_v2.HttpMethod.GET)
        until(emulator.idle)
        assert (worker.calls[0].method, worker.calls[0].body) == ("GET", b"")
        assert "Content-Type" not in worker.calls[0].headers

    def test_the_token_is_for_the_audience_named_or_else_for_the_url(self, emulator: Client, worker: Worker) -> None:
        emulator.create_queue()
        token = tasks_v2.OidcToken(service_account_email=EMAIL, audience="https://functions.example/mailbox_sync")
        emulator.create(worker.url, oidc_token=token, headers={"authorization": "Bearer forged"})
        until(emulator.idle)
        emulator.create(worker.url, oidc_token=tasks_v2.OidcToken(service_account_email=EMAIL))
        until(emulator.idle)
        seen = [call.headers["Authorization"] for call in worker.calls]
        assert seen == [
            f"Bearer token-for https://functions.example/mailbox_sync as {EMAIL}",
            f"Bearer token-for {worker.url} as {EMAIL}",
        ]

    def test_a_failure_is_retried_with_its_history_in_the_headers(self, emulator: Client, worker: Worker) -> None:
        emulator.create_queue(retry_config={"min_backoff": seconds(0.01)})
        worker.answers = [(500, {}), (404, {})]
        emulator.create(worker.url)
        until(emulator.idle)
        history = [
            (
                call.headers["X-CloudTasks-TaskRetryCount"],
                call.headers["X-CloudTasks-TaskExecutionCount"],
                call.headers.get("X-CloudTasks-TaskPreviousResponse"),
                call.headers.get("X-CloudTasks-TaskRetryReason"),
            )
            for call in worker.calls
        ]
        assert history == [
            ("0", "0", None, None),
            ("1", "0", "500", "HTTP status code 500"),
            ("2", "1", "404", "HTTP status code 404"),
        ]

    def test_a_redirect_is_a_failure_and_is_not_followed(self, emulator: Client, worker: Worker) -> None:
        emulator.create_queue(retry_config={"min_backoff": seconds(0.01)})
        worker.answers = [(308, {"Location": "/work/"})]
        emulator.create(worker.url)
        until(emulator.idle)
        assert [call.path for call in worker.calls] == ["/work", "/work"]

    @pytest.mark.parametrize("as_date", [False, True])
    def test_retry_after_is_honoured_in_seconds_and_as_a_date(
        self, emulator: Client, worker: Worker, as_date: bool
    ) -> None:
        emulator.create_queue()
        after = format_datetime(datetime.now(UTC) + seconds(900), usegmt=True) if as_date else "900"
        worker.answers = [(503, {"Retry-After": after})]
        task = emulator.create(worker.url)
        until(lambda: emulator.tasks.get_task(name=task.name).response_count == 1)

        seen = emulator.tasks.get_task(name=task.name)
        pause = seen.schedule_time - seen.last_attempt.response_time
        assert seconds(895) < pause <= seconds(901)
        assert seen.last_attempt.response_status.code == 14
        assert emulator.queue_state()["pace"] == 0.5
        emulator.post("/advance?s=901")
        until(emulator.idle)

    def test_a_worker_that_is_down_is_tried_again(self, emulator: Client) -> None:
        emulator.create_queue(retry_config={"max_attempts": 3, "min_backoff": seconds(0.01)})
        gone = Worker()
        gone.close()
        emulator.create(gone.url)
        until(emulator.idle)

    def test_an_attempt_past_its_deadline_is_given_up_and_repeated(self, emulator: Client, worker: Worker) -> None:
        emulator.create_queue()
        worker.hold.clear()
        request = tasks_v2.HttpRequest(url=worker.url)
        task = emulator.create_task(tasks_v2.Task(http_request=request, dispatch_deadline=seconds(15)))
        until(lambda: len(worker.calls) == 1)
        emulator.post("/advance?s=15")
        until(lambda: len(worker.calls) == 2)
        assert emulator.tasks.get_task(name=task.name).dispatch_count == 2
        worker.hold.set()
        until(emulator.idle)

    def test_a_used_name_is_refused_until_the_tombstone_is_changed(self, emulator: Client, worker: Worker) -> None:
        emulator.create_queue()
        emulator.create(worker.url, "once")
        until(emulator.idle)
        with pytest.raises(exceptions.AlreadyExists):
            emulator.create(worker.url, "once")
        emulator.post("/settings?tombstone_s=0")
        emulator.create(worker.url, "once")
        until(lambda: len(worker.calls) == 2)

    def test_tasks_can_be_read_listed_run_and_deleted(self, emulator: Client, worker: Worker) -> None:
        emulator.create_queue()
        later = datetime.now(UTC) + seconds(3600)
        request = tasks_v2.HttpRequest(url=worker.url, body=b"secret")
        tasks = [emulator.create_task(tasks_v2.Task(http_request=request, schedule_time=later)) for _ in range(3)]
        names = sorted(task.name for task in tasks)
        full = tasks_v2.Task.View.FULL
        assert emulator.tasks.get_task(name=names[0]).http_request.body == b""
        read = emulator.tasks.get_task(request={"name": names[0], "response_view": full})
        assert (read.http_request.body, read.schedule_time) == (b"secret", later)

        pages = emulator.tasks.list_tasks(request={"parent": QUEUE, "page_size": 2}).pages
        assert [[task.name for task in page.tasks] for page in pages] == [names[:2], names[2:]]

        assert emulator.tasks.run_task(name=names[0]).dispatch_count == 1
        until(lambda: len(worker.calls) == 1)
        emulator.tasks.delete_task(name=names[1])
        with pytest.raises(exceptions.NotFound):
            emulator.tasks.delete_task(name=names[1])
        until(lambda: emulator.queue_state()["depth"] == 1)

    def test_a_batch_creates_what_it_can_and_names_what_it_cannot(self, emulator: Client, worker: Worker) -> None:
        emulator.create_queue()
        emulator.tasks.pause_queue(name=QUEUE)
        emulator.create(worker.url, "a")
        task = tasks_v2.HttpRequest(url=worker.url)
        requests = [
            tasks_v2.CreateTaskRequest(
                parent=QUEUE, task=tasks_v2.Task(name=f"{QUEUE}/tasks/{task_id}", http_request=task)
            )
            for task_id in "abc"
        ]
        operation: Any = emulator.tasks.batch_create_tasks(request={"parent": QUEUE, "requests": requests})
        assert [created.name[-1] for created in operation.result(timeout=5).tasks] == ["b", "c"]
        assert {index: status.code for index, status in operation.metadata.failed_requests.items()} == {0: 6}


class TestRefusals:
    def test_a_task_over_100_kb_is_refused_and_one_just_below_is_not(self, emulator: Client, worker: Worker) -> None:
        emulator.create_queue()
        task = tasks_v2.Task(http_request=tasks_v2.HttpRequest(url=worker.url, body=b"x" * 102_000))
        room = 100 * 1024 - tasks_v2.Task.pb(task).ByteSize()
        task.http_request.body += b"x" * room
        emulator.create_task(task)
        task.http_request.body += b"x"
        with pytest.raises(exceptions.InvalidArgument):
            emulator.create_task(task)

    @pytest.mark.parametrize(
        "fields",
        [
            {"name": f"{QUEUE}/tasks/not allowed"},
            {"schedule_time": datetime.now(UTC) + timedelta(days=31)},
            {"dispatch_deadline": seconds(14)},
            {"http_request": {"url": "worker.example"}},
            {"http_request": None},
        ],
    )
    def test_what_can_never_succeed_is_an_invalid_argument(self, emulator: Client, fields: dict[str, object]) -> None:
        emulator.create_queue()
        with pytest.raises(exceptions.InvalidArgument):
            emulator.create_task(tasks_v2.Task({"http_request": {"url": "http://worker.example/"}, **fields}))

    def test_a_missing_queue_is_not_found(self, emulator: Client) -> None:
        with pytest.raises(exceptions.NotFound):
            emulator.create("http://worker.example/")

    def test_what_is_not_emulated_says_so(self, emulator: Client) -> None:
        emulator.create_queue()
        with pytest.raises(exceptions.MethodNotImplemented):
            emulator.create_task(tasks_v2.Task(app_engine_http_request={"relative_uri": "/"}))


class TestAdmin:
    def test_the_state_tells_depth_and_what_is_in_flight(self, emulator: Client, worker: Worker) -> None:
        emulator.create_queue()
        worker.hold.clear()
        emulator.create(worker.url, "running")
        until(lambda: len(worker.calls) == 1)
        later = datetime.now(UTC) + seconds(3600)
        emulator.create_task(tasks_v2.Task(http_request={"url": worker.url}, schedule_time=later))
        state = emulator.queue_state()
        assert (state["state"], state["depth"], state["due"], state["in_flight"]) == ("RUNNING", 2, 1, ["running"])
        assert datetime.fromisoformat(state["next_at"]) == later
        worker.hold.set()
        emulator.post("/advance?s=3600")
        until(emulator.idle)

    def test_a_reset_keeps_queues_unless_they_are_dropped(self, emulator: Client, worker: Worker) -> None:
        emulator.create_queue()
        emulator.create(worker.url, "once")
        until(emulator.idle)
        emulator.post("/reset")
        emulator.create(worker.url, "once")
        emulator.post("/reset?queues=drop")
        assert emulator.state()["queues"] == {}

    @pytest.mark.parametrize("path", ["/advance", "/advance?s=-1", "/advance?s=soon", "/settings?tombstone_s=86401"])
    def test_a_wrong_number_is_refused(self, emulator: Client, path: str) -> None:
        assert emulator.post(path) == 400
