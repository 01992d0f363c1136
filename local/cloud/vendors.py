"""python -m local.cloud.vendors --docusign 8211 --quickbooks 8212 --netsuite 8213 --data DIR [--registrations FILE]

The simulated DocuSign, QuickBooks and NetSuite in one process, each at its own port: they are idle most of the time,
and three processes would take 50 MB more. FILE says what a developer registered at the vendors beforehand:
{"docusign": {...as its seed file}, "quickbooks": {"clients": [...], "webhook": {"url", "verifier_token"}}}.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from local.cloud.serving import serve_together_until_stopped
from local.docusign.app import create_app as docusign_app
from local.docusign.errors import ControlError as DocuSignControlError
from local.docusign.simulator import Simulator as DocuSign
from local.netsuite.app import create_app as netsuite_app
from local.netsuite.errors import ControlError as NetsuiteControlError
from local.netsuite.simulator import Settings as NetsuiteSettings
from local.netsuite.simulator import Simulator as Netsuite
from local.quickbooks.app import create_app as quickbooks_app
from local.quickbooks.errors import ControlError as QuickBooksControlError
from local.quickbooks.notices import Endpoint
from local.quickbooks.simulator import Simulator as QuickBooks


def main() -> None:
    """Read the arguments, build the simulators and serve them until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.cloud.vendors", description="DocuSign, QuickBooks, NetSuite")
    for name in ("docusign", "quickbooks", "netsuite"):
        parser.add_argument(f"--{name}", type=int, required=True, help="its port")
    parser.add_argument("--data", type=Path, required=True, help="each keeps what it keeps in a folder of its own here")
    parser.add_argument("--registrations", type=Path, help="JSON: what was registered at the vendors")
    arguments = parser.parse_args()
    data: Path = arguments.data
    try:
        registered = json.loads(arguments.registrations.read_text()) if arguments.registrations else {}
        docusign = DocuSign(data / "docusign")
        docusign.directory.seed(registered.get("docusign", {}))
        quickbooks = QuickBooks(data / "quickbooks")
        _register(quickbooks, registered.get("quickbooks", {}))
        netsuite = Netsuite(NetsuiteSettings(folder=data / "netsuite"))
    except (DocuSignControlError, QuickBooksControlError, NetsuiteControlError, OSError, ValueError) as problem:
        sys.exit(f"the simulated vendors cannot start: {problem}")
    with docusign.ticking(), quickbooks.ticking():
        serve_together_until_stopped(
            {
                arguments.docusign: docusign_app(docusign),
                arguments.quickbooks: quickbooks_app(quickbooks),
                arguments.netsuite: netsuite_app(netsuite),
            }
        )


def _register(quickbooks: QuickBooks, registered: dict[str, Any]) -> None:
    for client in registered.get("clients", ()):
        quickbooks.grants.register(client)
    if webhook := registered.get("webhook"):
        quickbooks.notices.endpoint = Endpoint(**webhook)


if __name__ == "__main__":
    main()
