"""Who may sign in on the laptop: DIR/users.json, a list of people with the claims their tokens carry.

[{"user_id": "u-ada", "email": "ada@acme.example", "name": "Ada", "tenant": "t-acme", "role": "admin",
  "teams": ["sales"]}]
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FILE_NAME = "users.json"


@dataclass(frozen=True, slots=True)
class DemoUser:
    """One person of the sample organization, and the claims of their token."""

    user_id: str
    email: str
    name: str
    tenant: str
    role: str
    teams: tuple[str, ...] = ()


def read_users(data: Path) -> tuple[DemoUser, ...]:
    """Return the people in `data`/users.json, in its order; none if the file is not there yet."""
    path = data / FILE_NAME
    if not path.exists():
        return ()
    return tuple(_user(row) for row in json.loads(path.read_text()))


def write_users(data: Path, users: tuple[DemoUser, ...]) -> None:
    """Replace `data`/users.json; the sign-in page shows them at once."""
    path = data / FILE_NAME
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps([asdict(user) for user in users], indent=1))
    draft.replace(path)


def _user(row: dict[str, Any]) -> DemoUser:
    return DemoUser(**{**row, "teams": tuple(row.get("teams", ()))})
