"""Let series roll on: occurrences that came over the horizon are built (I19)."""

from __future__ import annotations

from shared import log
from shared.ports.documents import Documents
from shared.ports.tasks import Tasks
from shared.ports.time import Clock
from shared.records.sweeps import series_to_roll
from shared.usecases.calendar.queue_work import rebuild_task


def roll_series(documents: Documents, *, tasks: Tasks, clock: Clock) -> int:
    """Queue a rebuild for every series whose next occurrence is due; returns how many.

    A rebuild sets when the series is due again, so a run that dies goes on where it was.
    """
    queued = 0
    for found in series_to_roll(documents, clock.now()):
        due = found.at.isoformat() if found.at else ""
        tasks.create([rebuild_task(found.tenant, found.segment(1), "roll", due)])
        queued += 1
    log.event("series.rolled", queued=queued)
    return queued
