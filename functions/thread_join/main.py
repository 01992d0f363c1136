"""Make one conversation of two. Trigger: Cloud Tasks, queue thread-join."""

from functools import partial

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.mail.join_threads import join_parent, join_threads
from shared.usecases.promises import keep_promise


@functions_framework.http
@task_endpoint
def thread_join(call: TaskCall) -> None:
    ids = call.payload
    store, user_id, jitter = wiring.store(ids["tenant"]), ids["user"] or None, wiring.jitter()
    if "parent" in ids:
        join = partial(join_parent, message=ids["message"], parent=ids["parent"])
    else:
        join = partial(join_threads, loser=ids["loser"], winner=ids["winner"])
    keep_promise(store, ids["promise"], lambda: join(store, user_id=user_id, jitter=jitter))
