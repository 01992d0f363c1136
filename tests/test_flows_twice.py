"""Every flow's input delivered once more after all is done: queues, topics and vendors promise no less than once."""

from __future__ import annotations

import pytest

from tests.crash_flows import FunctionFlow
from tests.test_crash_flows import all_flows


@pytest.mark.parametrize("found", all_flows(), ids=lambda found: found.flow.name)
def test_an_input_delivered_twice_ends_as_one_delivered_once(found: FunctionFlow) -> None:
    flow = found.flow
    world = flow.build()
    flow.run(world)
    once = flow.end_state(world)
    flow.before_redelivery(world)
    flow.run(world)
    assert flow.end_state(world) == once
