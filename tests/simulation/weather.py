"""The alphabet of faults that need no occasion, and how often each strikes while it lasts.

Each is one word; a plan is under some of them. What is counted is what struck, not what was planned.
"""

from __future__ import annotations

PUSHES_LOST = "pushes lost"
PUSHES_DOUBLED = "pushes doubled"
PUSHES_DELAYED = "pushes delayed for hours"
PUSHES_REORDERED = "pushes out of order"
TASKS_DOUBLED = "tasks delivered twice"
TASKS_LATE = "tasks delivered late"
STORE_REFUSES = "store aborts a write"
STORE_SILENT = "store writes, its answer is lost"
STORE_UNREADABLE = "store fails a read"
VENDOR_STUMBLES = "a vendor's call fails"
VENDOR_SILENT = "a vendor acts, its answer is lost"
WORKERS_STALL = "workers stall for up to 100 s"
CLOCKS_DIFFER = "workers' clocks differ"
JOBS_MISSED = "scheduler jobs missed"
JOBS_DOUBLED = "scheduler jobs run twice"

RATES: dict[str, float] = {
    PUSHES_LOST: 0.15,
    PUSHES_DOUBLED: 0.15,
    PUSHES_DELAYED: 0.1,
    PUSHES_REORDERED: 0.2,
    TASKS_DOUBLED: 0.05,
    TASKS_LATE: 0.05,
    STORE_REFUSES: 0.01,
    STORE_SILENT: 0.01,
    STORE_UNREADABLE: 0.003,
    VENDOR_STUMBLES: 0.02,
    VENDOR_SILENT: 0.05,
    WORKERS_STALL: 0.01,
    CLOCKS_DIFFER: 1.0,
    JOBS_MISSED: 0.05,
    JOBS_DOUBLED: 0.05,
}
"""Of pushes, tasks, calls of a port or jobs, whichever the fault is about."""
