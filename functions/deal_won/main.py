"""A contract is signed: its deal is won. Trigger: Cloud Tasks, queue deal-won."""

from functools import partial

import functions_framework

from shared import wiring
from shared.entrypoints import TaskCall, task_endpoint
from shared.usecases.cash.win_deal import win_deal
from shared.usecases.promises import keep_promise


@functions_framework.http
@task_endpoint
def deal_won(call: TaskCall) -> None:
    store = wiring.store(call.payload["tenant"])
    work = partial(
        win_deal,
        store,
        call.payload["contract"],
        tasks=wiring.tasks(),
        clock=wiring.clock(),
        jitter=wiring.jitter(),
    )
    keep_promise(store, call.payload["promise"], work)
