"""Stand-ins for what an operator sets up at vendors that the laptop cloud does not simulate."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLIENT = {"client_id": "bench", "client_secret": "none", "verifier_tokens": ["none"]}


def vendor_clients(folder: Path) -> dict[str, str]:
    """Environment variables that name an OAuth client for every provider; the file is written to `folder`."""
    file = folder / "vendor_client.json"
    file.write_text(json.dumps(CLIENT))
    providers = sorted(path.parent.name for path in (ROOT / "shared" / "providers").glob("*/__init__.py"))
    return {f"{provider.upper()}_OAUTH_CLIENT": str(file) for provider in providers}
