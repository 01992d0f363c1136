"""The gRPC service google.cloud.tasks.v2.CloudTasks, as far as the product calls it.

The client library ships no servicer, so the methods are registered by name with its own message classes. Methods that
are not listed answer UNIMPLEMENTED. BatchCreateTasks answers with a finished operation and ignores `request_id`: a
repeated batch meets ALREADY_EXISTS task by task.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

import grpc
from google.cloud.tasks_v2 import types
from google.longrunning import operations_pb2  # type: ignore[import-untyped]  # generated, shipped without types

from local.tasks import messages
from local.tasks.engine import Engine
from local.tasks.model import TaskQueues
from local.tasks.values import (
    AlreadyExistsError,
    InvalidArgumentError,
    NotFoundError,
    TasksError,
    UnsupportedError,
)

SERVICE = "google.cloud.tasks.v2.CloudTasks"
THREADS = 16
MAX_BATCH = 100
MAX_PAGE = 1000
CODES: dict[type[TasksError], grpc.StatusCode] = {
    NotFoundError: grpc.StatusCode.NOT_FOUND,
    AlreadyExistsError: grpc.StatusCode.ALREADY_EXISTS,
    InvalidArgumentError: grpc.StatusCode.INVALID_ARGUMENT,
    UnsupportedError: grpc.StatusCode.UNIMPLEMENTED,
}
Item = TypeVar("Item")
Request = TypeVar("Request")
Answer = TypeVar("Answer")


class GrpcFace:
    """Each public method is one RPC: request message in, answer message out (None is google.protobuf.Empty)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create_queue(self, request: types.CreateQueueRequest) -> types.Queue:
        settings = messages.settings_from(request.queue)
        if not settings.name.startswith(f"{request.parent}/queues/"):
            raise InvalidArgumentError("The queue's name must begin with the parent of the request")
        with self._engine.changing() as queues:
            return messages.queue_message(queues.create_queue(settings))

    def update_queue(self, request: types.UpdateQueueRequest) -> types.Queue:
        with self._engine.changing() as queues:
            try:
                current = queues.queue(request.queue.name)
            except NotFoundError:
                current = None
            settings = messages.updated_settings(current, request.queue, list(request.update_mask.paths))
            return messages.queue_message(queues.update_queue(settings))

    def get_queue(self, request: types.GetQueueRequest) -> types.Queue:
        with self._engine.reading() as queues:
            return messages.queue_message(queues.queue(request.name))

    def list_queues(self, request: types.ListQueuesRequest) -> types.ListQueuesResponse:
        if request.filter:
            raise UnsupportedError("Filters are not emulated")
        with self._engine.reading() as queues:
            page, token = _page(
                queues.queues(request.parent), request.page_size, request.page_token, lambda queue: queue.settings.name
            )
            found = [messages.queue_message(queue) for queue in page]
        return types.ListQueuesResponse(queues=found, next_page_token=token)

    def delete_queue(self, request: types.DeleteQueueRequest) -> None:
        with self._engine.changing() as queues:
            queues.delete_queue(request.name)

    def pause_queue(self, request: types.PauseQueueRequest) -> types.Queue:
        with self._engine.changing() as queues:
            return messages.queue_message(queues.pause_queue(request.name))

    def resume_queue(self, request: types.ResumeQueueRequest) -> types.Queue:
        with self._engine.changing() as queues:
            return messages.queue_message(queues.resume_queue(request.name))

    def purge_queue(self, request: types.PurgeQueueRequest) -> types.Queue:
        with self._engine.changing() as queues:
            return messages.queue_message(queues.purge_queue(request.name))

    def create_task(self, request: types.CreateTaskRequest) -> types.Task:
        with self._engine.changing() as queues:
            return _create(queues, request)

    def batch_create_tasks(self, request: types.BatchCreateTasksRequest) -> operations_pb2.Operation:
        if len(request.requests) > MAX_BATCH:
            raise InvalidArgumentError(f"A batch holds at most {MAX_BATCH} tasks")
        if any(each.parent != request.parent for each in request.requests):
            raise InvalidArgumentError("All tasks of a batch must be for the queue of the batch")
        started_at = datetime.now(UTC)
        created, failed = [], {}
        with self._engine.changing() as queues:
            queues.queue(request.parent)  # a missing queue fails the call, not its tasks one by one
            for index, each in enumerate(request.requests):
                try:
                    created.append(_create(queues, each))
                except TasksError as error:
                    failed[index] = {"code": CODES[type(error)].value[0], "message": str(error)}
        state = types.BatchCreateTasksMetadata.State
        metadata = types.BatchCreateTasksMetadata(
            start_time=started_at,
            end_time=datetime.now(UTC),
            state=state.PARTIALLY_SUCCEEDED if failed else state.SUCCEEDED,
            failed_requests=failed,
        )
        location = request.parent.partition("/queues/")[0]
        operation = operations_pb2.Operation(name=f"{location}/operations/{uuid.uuid4().hex}", done=True)
        operation.metadata.Pack(types.BatchCreateTasksMetadata.pb(metadata))
        operation.response.Pack(types.BatchCreateTasksResponse.pb(types.BatchCreateTasksResponse(tasks=created)))
        return operation

    def get_task(self, request: types.GetTaskRequest) -> types.Task:
        with self._engine.reading() as queues:
            return messages.task_message(queues.task(request.name), request.response_view)

    def list_tasks(self, request: types.ListTasksRequest) -> types.ListTasksResponse:
        with self._engine.reading() as queues:
            page, token = _page(
                queues.tasks(request.parent), request.page_size, request.page_token, lambda task: task.name
            )
            found = [messages.task_message(task, request.response_view) for task in page]
        return types.ListTasksResponse(tasks=found, next_page_token=token)

    def delete_task(self, request: types.DeleteTaskRequest) -> None:
        with self._engine.changing() as queues:
            queues.delete_task(request.name)

    def run_task(self, request: types.RunTaskRequest) -> types.Task:
        with self._engine.changing() as queues:
            return messages.task_message(queues.run_task(request.name), request.response_view)


def make_server(face: GrpcFace, port: int) -> tuple[grpc.Server, int]:
    """Return a server that listens on 127.0.0.1 but is not started, and its port (chosen by the system if 0).

    Raises: OSError: the port is taken.
    """
    # Without this option a second emulator would share the port and get half of the calls.
    server = grpc.server(ThreadPoolExecutor(THREADS), options=[("grpc.so_reuseport", 0)])
    handlers = {
        "CreateQueue": _handler(face.create_queue, types.CreateQueueRequest.deserialize, types.Queue.serialize),
        "UpdateQueue": _handler(face.update_queue, types.UpdateQueueRequest.deserialize, types.Queue.serialize),
        "GetQueue": _handler(face.get_queue, types.GetQueueRequest.deserialize, types.Queue.serialize),
        "ListQueues": _handler(
            face.list_queues, types.ListQueuesRequest.deserialize, types.ListQueuesResponse.serialize
        ),
        "DeleteQueue": _handler(face.delete_queue, types.DeleteQueueRequest.deserialize, _empty),
        "PauseQueue": _handler(face.pause_queue, types.PauseQueueRequest.deserialize, types.Queue.serialize),
        "ResumeQueue": _handler(face.resume_queue, types.ResumeQueueRequest.deserialize, types.Queue.serialize),
        "PurgeQueue": _handler(face.purge_queue, types.PurgeQueueRequest.deserialize, types.Queue.serialize),
        "CreateTask": _handler(face.create_task, types.CreateTaskRequest.deserialize, types.Task.serialize),
        "BatchCreateTasks": _handler(
            face.batch_create_tasks,
            types.BatchCreateTasksRequest.deserialize,
            operations_pb2.Operation.SerializeToString,
        ),
        "GetTask": _handler(face.get_task, types.GetTaskRequest.deserialize, types.Task.serialize),
        "ListTasks": _handler(face.list_tasks, types.ListTasksRequest.deserialize, types.ListTasksResponse.serialize),
        "DeleteTask": _handler(face.delete_task, types.DeleteTaskRequest.deserialize, _empty),
        "RunTask": _handler(face.run_task, types.RunTaskRequest.deserialize, types.Task.serialize),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    try:
        return server, server.add_insecure_port(f"127.0.0.1:{port}")
    except RuntimeError as error:  # what grpcio raises for every failure to bind
        raise OSError(f"port {port} is taken") from error


def _handler(
    method: Callable[[Request], Answer],
    deserialize: Callable[[bytes], Request],
    serialize: Callable[[Answer], bytes],
) -> grpc.RpcMethodHandler:
    def call(request: Request, context: grpc.ServicerContext) -> Answer:
        try:
            return method(request)
        except TasksError as error:
            context.abort(CODES[type(error)], str(error))
            raise  # not reached: abort raises

    return grpc.unary_unary_rpc_method_handler(call, request_deserializer=deserialize, response_serializer=serialize)


def _empty(_: None) -> bytes:
    """Serialize google.protobuf.Empty."""
    return b""


def _create(queues: TaskQueues, request: types.CreateTaskRequest) -> types.Task:
    task = queues.create_task(request.parent, messages.new_task_from(request.task))
    return messages.task_message(task, request.response_view)


def _page(items: Sequence[Item], size: int, token: str, name: Callable[[Item], str]) -> tuple[Sequence[Item], str]:
    """Return the items after the one called `token`, at most `size` (0: the maximum), and the next page's token."""
    if size < 0:
        raise InvalidArgumentError("The page size must not be negative")
    rest = [item for item in items if name(item) > token]
    page = rest[: min(size or MAX_PAGE, MAX_PAGE)]
    return page, name(page[-1]) if len(page) < len(rest) else ""
