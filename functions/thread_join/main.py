"""Move a thread's messages into the one that took it over. Trigger: Cloud Tasks, queue thread-join."""

from functools import partial

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.mail.join_threads import join_threads
from shared.usecases.promises import keep_promise


@functions_framework.http
@task_endpoint
def thread_join(call: TaskCall) -> None:
    ids = call.payload
    store = wiring.store(ids["tenant"])
    join = partial(join_threads, store, user_id=ids["user"] or None, loser=ids["loser"], winner=ids["winner"])
    keep_promise(store, ids["promise"], lambda: join(jitter=wiring.jitter()))
