"""Mutants that no test can or should notice, by module and name, and why."""

from __future__ import annotations

from collections.abc import Mapping

ANY_ORDER = "an id's parts may stand in any order that stays; the id is as unique."

EXPLAINED: Mapping[str, Mapping[str, str]] = {
    "shared/domain/cash/money.py": {
        "rounded: 1 -> 2": "quantize takes the exponent of its argument, and both have the same.",
    },
    "shared/domain/outbox.py": {
        "Promise.task_name: digest('promise', self.payload['tenant'], self.promise_id, self.rev) -> "
        "digest(self.payload['tenant'], 'promise', self.promise_id, self.rev)": ANY_ORDER,
        "promise: short_id('o', function, *parts) -> short_id(function, 'o', *parts)": ANY_ORDER,
    },
    "shared/domain/visibility.py": {
        "module: 3 -> 4": "the ranks only tell which share is more.",
        "level: RANK[share] > RANK[best] -> RANK[share] >= RANK[best]": "equal ranks are the same share.",
    },
}
