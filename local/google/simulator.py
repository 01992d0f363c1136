"""The simulated Google as one object: accounts, authorization server, APIs, faults and time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

import local.google
from local.google.accounts import Account, Accounts
from local.google.clock import Clock, Now
from local.google.errors import ControlError, Json
from local.google.faults import Faults
from local.google.gateway import Gateway, Mount
from local.google.oauth.grants import Grants
from local.google.oauth.signing import GoogleSigningKey
from local.google.service import Context, Publish, Service, Settings, repeatable
from local.identity.keys import SigningKey


class Simulator:
    """Everything behind the HTTP face. A simulation may drive `service(name)` directly, without sockets.

    Args:
        publish: where Gmail's notifications go.
        base: the time under the clock's offset; the machine's by default.
        key: signs ID tokens; by default the one in the data folder, made if there is none.
    """

    def __init__(
        self, settings: Settings, *, publish: Publish, base: Now | None = None, key: SigningKey | None = None
    ) -> None:
        self.settings = settings
        self.clock = Clock(base)
        self.accounts = Accounts()
        self.faults = Faults()
        key = key or GoogleSigningKey.load_or_create(settings.folder / "signing-key.pem")
        assert isinstance(key, GoogleSigningKey)
        self.grants = Grants(self.clock, self.accounts, key)
        context = Context(settings, self.clock, self.accounts, publish, repeatable(settings.seed))
        self.mounts = [Mount(service, self.clock) for service in _services(context)]
        self.gateway = Gateway(
            self.mounts, bearers=self.grants, accounts=self.accounts, faults=self.faults, now=self.clock
        )

    def mount(self, name: str) -> Mount:
        """Return one API's place. Raises ControlError when there is no such API."""
        for mount in self.mounts:
            if mount.service.name == name:
                return mount
        raise ControlError(f"there is no API {name}; there are {', '.join(m.service.name for m in self.mounts)}")

    def create_account(self, spec: Json) -> Account:
        """Add a person (see `Accounts.create`), with an empty mailbox, calendar ... in every API."""
        with self.still():
            account = self.accounts.create(spec)
            for mount in self.mounts:
                mount.service.open_account(account)
        return account

    def tick(self) -> None:
        """Let every API do what is due."""
        for mount in self.mounts:
            with mount.lock:
                mount.service.tick()

    def set_offset(self, offset_s: float) -> None:
        """Shift the clock; what becomes due by it happens at once."""
        self.clock.offset_s = offset_s
        self.tick()

    def reset(self) -> None:
        """Forget everything but the registered OAuth clients."""
        with self.still():
            self.faults.clear()
            self.accounts.clear()
            self.grants.clear()
            self.gateway.violations.clear()
            self.clock.offset_s = 0.0
            for mount in self.mounts:
                mount.service.reset()
                mount.quota.reset()

    def save(self, name: str) -> None:
        """Write the state to `<folder>/<name>.state.json`; quota use, armed faults and access tokens are left out."""
        with self.still():
            state = {
                "offset_s": self.clock.offset_s,
                "accounts": self.accounts.dump(),
                "grants": self.grants.dump(),
                "services": {mount.service.name: mount.service.dump() for mount in self.mounts},
            }
        path = self.settings.folder / f"{_plain(name)}.state.json"
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(state))
        draft.replace(path)

    def load(self, name: str) -> None:
        """Replace the state by what `save` wrote.

        Raises:
            ControlError: nothing was saved under this name.
        """
        path = self.settings.folder / f"{_plain(name)}.state.json"
        if not path.exists():
            raise ControlError(f"there is no saved state {name}")
        state = json.loads(path.read_text())
        self.reset()
        with self.still():
            self.clock.offset_s = state["offset_s"]
            self.accounts.load(state["accounts"])
            self.grants.load(state["grants"])
            for mount in self.mounts:
                if mount.service.name in state["services"]:
                    mount.service.load(state["services"][mount.service.name])

    @contextmanager
    def still(self) -> Iterator[None]:
        """Hold every API still, for changes that concern all of them."""
        with ExitStack() as locks:
            for mount in self.mounts:
                locks.enter_context(mount.lock)
            yield


def _services(context: Context) -> list[Service]:
    """Build every API: each folder here that has a `service.py` with `build(context)`."""
    found = []
    for module in iter_modules(local.google.__path__):
        name = f"local.google.{module.name}"
        if module.ispkg and find_spec(f"{name}.service"):
            found.append(import_module(f"{name}.service").build(context))
    return found


def _plain(name: str) -> str:
    if not name or not name.replace("-", "").replace("_", "").isalnum():
        raise ControlError("a saved state's name has letters, digits, - and _ only")
    return name
