"""`make ops CMD="receipts --tenant acme"`: look at a running system, and mend it, with one plain command each.

Every command may be run again at any time, also after it was interrupted. What changes something has --dry-run.
Without PROJECT and REGION they work on the laptop cloud that `make run` started.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence

from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError

from infra.deploy.commands import CommandError, SystemCommands
from infra.ops.commands import GROUPS
from infra.ops.desk import ASKED_WRONGLY, TRY_AGAIN, Desk
from infra.ops.place import settle_environment
from infra.ops.screen import Screen
from shared.errors import AppError, PayloadError, RetryableError


def parser() -> ArgumentParser:
    found = ArgumentParser(prog="make ops", description=__doc__)
    found.add_argument("--project", help="a Google Cloud project; the laptop cloud without it")
    found.add_argument("--region", help="the project's region")
    found.add_argument("--plain", action="store_true", help="tab-separated lines, also on a terminal")
    commands = found.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for group in GROUPS:
        group.register(commands)
    return found


def main(arguments: Sequence[str] | None = None, desk: Desk | None = None) -> int:
    """Run one command; returns its exit code. desk: for tests; the real one is made here."""
    asked = parser().parse_args(arguments)
    rich = sys.stdout.isatty() and not asked.plain
    desk = desk or Desk(Screen(rich=rich), SystemCommands(), sys.stdin)
    try:
        settle_environment(os.environ, project=asked.project, region=asked.region)
        with events_to(desk.screen):
            return int(asked.run(desk, asked))
    except (RetryableError, CommandError) as later:
        desk.screen.problem(f"{str(later).rstrip('.')}. Nothing is half done: run the same command again.")
        return TRY_AGAIN
    except PayloadError as unreadable:
        desk.screen.problem(f"{unreadable}: this key or file does not belong to these data.")
        return ASKED_WRONGLY
    except GoogleAuthError as unknown:
        desk.screen.problem(f"{unknown} Sign in first: gcloud auth application-default login")
        return ASKED_WRONGLY
    except GoogleAPICallError as refused:
        desk.screen.problem(f"Google Cloud refused ({refused.code}): {refused.message}")
        return ASKED_WRONGLY
    except (AppError, OSError, RuntimeError) as refused_here:
        desk.screen.problem(str(refused_here))
        return ASKED_WRONGLY


@contextlib.contextmanager
def events_to(screen: Screen) -> Iterator[None]:
    """The product's log lines are for Cloud Logging and would stand between the rows: warnings are shown, apart."""
    with contextlib.redirect_stdout(_Events(screen)):
        yield


class _Events(io.TextIOBase):
    """Takes what the product logs, a line a write."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def write(self, text: str) -> int:
        try:
            severity = json.loads(text).get("severity")
        except (ValueError, AttributeError):
            severity = None
        if severity in ("WARNING", "ERROR", "CRITICAL"):
            self._screen.problem(text.strip())
        return len(text)


if __name__ == "__main__":
    sys.exit(main())
