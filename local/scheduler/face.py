"""The scheduler over HTTP, for people and tests.

GET  /healthz        200 once serving
GET  /jobs           every job: whether it runs, and how its last run ended
POST /run?job=NAME   run it now and answer when it ended: 200 with the run, 404 no such job, 409 it runs already
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Flask, request
from flask.typing import ResponseReturnValue

from local.scheduler.runner import AlreadyRunningError, Run, Runner


def create_app(runners: Iterable[Runner]) -> Flask:
    """Return the app for these runners."""
    app = Flask("scheduler")
    by_name = {runner.job.name: runner for runner in runners}

    @app.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return {"ok": True}

    @app.get("/jobs")
    def jobs() -> ResponseReturnValue:
        return {
            name: {"running": runner.is_running, "last": _shown(runner.last) if runner.last else None}
            for name, runner in by_name.items()
        }

    @app.post("/run")
    def run() -> ResponseReturnValue:
        name = request.args.get("job", "")
        if name not in by_name:
            return {"error": f"no job named '{name}'", "jobs": sorted(by_name)}, 404
        try:
            return _shown(by_name[name].run_now())
        except AlreadyRunningError:
            return {"error": f"{name} runs already"}, 409

    return app


def _shown(run: Run) -> dict[str, Any]:
    return {"job": run.job, "due_at": run.due_at.isoformat(), "status": run.status, "attempts": run.attempts}
