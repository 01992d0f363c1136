"""One execution of a handler: its worker's clock, its dice, and when it is to die."""

from __future__ import annotations

import random
from typing import Literal

from shared.errors import ProviderUnavailableError
from shared.ports.time import Clock
from tests.crash import Crash

Ending = Literal["crash", "lost"]


class Run:
    """A handler on its way. dies_in: port calls until its process ends; None: it lives."""

    def __init__(self, name: str, clock: Clock, dice: random.Random) -> None:
        self.name = name
        self.clock = clock
        self.dice = dice
        self.dies_in: int | None = None
        self.worker = 0
        self.dead = False

    def check_alive(self) -> None:
        """A dead process tidies nothing up: whatever `finally` tries after a crash fails as well."""
        if self.dead:
            raise Crash(f"{self.name} after its crash")

    def ends_here(self) -> bool:
        """Whether this is the port call at which the process ends."""
        if self.dies_in is None:
            return False
        self.dies_in -= 1
        return self.dies_in < 0

    def finish(self, ending: Ending, call: str) -> None:
        """After an effect: the process dies, or the answer is lost on its way."""
        if ending == "crash":
            self.dead = True
            raise Crash(f"{self.name} after {call}")
        raise ProviderUnavailableError(f"{call}: done, but the reply was lost")
