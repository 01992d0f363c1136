"""Three vendors in one process: each at its own port, and each with what was registered there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import urllib3

from local.cloud.environment import docusign_client_file, prepare, quickbooks_client_file, registrations_file
from local.cloud.ports import Ports
from local.run.waiting import until

WITHIN_S = 30.0
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def ports() -> Ports:
    return Ports.free()


@pytest.fixture(scope="module")
def data(ports: Ports, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vendors")
    prepare(ports, folder)
    return folder


@pytest.fixture(scope="module")
def http() -> urllib3.PoolManager:
    return urllib3.PoolManager(retries=False, timeout=5.0)


@pytest.fixture(scope="module")
def vendors(ports: Ports, data: Path, http: urllib3.PoolManager) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "local.cloud.vendors", "--data", str(data)]
    command += [f"--{name}={getattr(ports, name)}" for name in ("docusign", "quickbooks", "netsuite")]
    process = subprocess.Popen([*command, "--registrations", str(registrations_file(data))], cwd=ROOT)

    def answers() -> bool:
        try:
            return http.request("GET", f"http://127.0.0.1:{ports.netsuite}/").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    until(answers, "the vendors", within_s=WITHIN_S, every_s=0.05)
    yield process
    process.kill()
    process.wait()


@pytest.mark.usefixtures("vendors")
@pytest.mark.parametrize("vendor", ["DocuSign", "QuickBooks", "NetSuite"])
def test_each_shows_its_own_page(ports: Ports, http: urllib3.PoolManager, vendor: str) -> None:
    page = http.request("GET", f"http://127.0.0.1:{getattr(ports, vendor.lower())}/").data.decode()

    assert f"{vendor}" in page
    assert "simulated" in page


@pytest.mark.usefixtures("vendors")
@pytest.mark.parametrize(
    ("vendor", "path", "scope"),
    [("docusign", "oauth/auth", "signature"), ("quickbooks", "connect/oauth2", "com.intuit.quickbooks.accounting")],
)
def test_our_client_may_ask_for_consent(
    ports: Ports, data: Path, http: urllib3.PoolManager, vendor: str, path: str, scope: str
) -> None:
    file = docusign_client_file(data) if vendor == "docusign" else quickbooks_client_file(data)
    asked = {
        "client_id": json.loads(file.read_text())["client_id"],
        "redirect_uri": f"http://127.0.0.1:{ports.functions}/oauth_callback",
        "response_type": "code",
        "scope": scope,
        "state": "s",
    }
    url = f"http://127.0.0.1:{getattr(ports, vendor)}/{path}?"

    assert http.request("GET", url + urlencode(asked)).status == 200
    assert http.request("GET", url + urlencode({**asked, "client_id": "nobody"})).status == 400


def test_all_end_together(vendors: subprocess.Popen[bytes]) -> None:
    vendors.send_signal(signal.SIGTERM)

    assert vendors.wait(timeout=WITHIN_S) == 0
