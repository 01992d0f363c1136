"""What the reader asked for, from the environment: `make run ONCE=1 MBOX=mail.mbox ME=me@example.com`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from local.cloud.ports import Ports
from local.takeout.files import UnreadableFileError, files_named
from shared.domain.mail.addresses import normalize, parse_addresses
from shared.providers.google.prices import DEFAULT_QUOTA_UNITS_PER_MINUTE

QUOTA_VARIABLE = "GMAIL_QUOTA_UNITS_PER_MINUTE"
"""Read by the product and by the simulated Gmail alike."""

REAL_INPUT_UNITS_PER_MINUTE = 600_000
"""Importing ten years of mail at the 6,000 units of a new Google project takes hours; older projects have more."""


class OptionError(Exception):
    """An option cannot be used; the message is one sentence for the person."""


class Scene(StrEnum):
    """What is played after the import; CASH is played without one."""

    ALL = "all"
    MAIL = "mail"
    CASH = "cash"
    NONE = "none"

    @property
    def has_mail(self) -> bool:
        return self is not Scene.CASH

    @property
    def has_cash(self) -> bool:
        return self in (Scene.ALL, Scene.CASH)


@dataclass(frozen=True, slots=True)
class Options:
    """mbox, ics, contacts: files and folders of the reader's own export; without them the sample is served."""

    data: Path
    once: bool = False
    isolated: bool = False
    ports: Ports = field(default_factory=Ports)
    mbox: tuple[Path, ...] = ()
    ics: tuple[Path, ...] = ()
    contacts: tuple[Path, ...] = ()
    me: str | None = None
    scene: Scene = Scene.ALL
    quota_units_per_minute: int = DEFAULT_QUOTA_UNITS_PER_MINUTE

    @property
    def own_input(self) -> bool:
        """Whether the reader brought mail or a calendar."""
        return bool(self.mbox or self.ics)


def read_options(variables: Mapping[str, str]) -> Options:
    """Raises: OptionError."""
    mbox, ics, contacts = (_paths(variables, name) for name in ("MBOX", "ICS", "CONTACTS"))
    me = _address(variables["ME"]) if variables.get("ME") else None
    own_input = bool(mbox or ics)
    if own_input and me is None:
        raise OptionError("MBOX= and ICS= need ME=you@example.com: the address whose mail and calendar it is")
    if (contacts or me) and not own_input:
        raise OptionError("CONTACTS= and ME= go with MBOX= or ICS=: the sample brings its own people")
    return Options(
        data=Path(variables.get("DATA") or ".local"),
        once=_switch(variables, "ONCE"),
        isolated=_switch(variables, "ISOLATED"),
        ports=_ports(variables.get("PORTS", "")),
        mbox=mbox,
        ics=ics,
        contacts=contacts,
        me=me,
        scene=_scene(variables, own_input=own_input),
        quota_units_per_minute=_quota(variables, own_input=own_input),
    )


def _switch(variables: Mapping[str, str], name: str) -> bool:
    return variables.get(name, "").lower() not in ("", "0", "no", "false")


def _ports(text: str) -> Ports:
    """ "free" for any that are, or "functions=9000" to move one part; with commas between several."""
    if text == "free":
        return Ports.free()
    moved: dict[str, int] = {}
    for one in text.split(",") if text else ():
        name, _, number = one.strip().partition("=")
        if name not in Ports.__dataclass_fields__ or not number.isascii() or not number.isdigit():
            raise OptionError(
                f"PORTS={text} is not understood: free, or {', '.join(Ports.__dataclass_fields__)}=number"
            )
        moved[name] = int(number)
    return replace(Ports(), **moved)


def _paths(variables: Mapping[str, str], name: str) -> tuple[Path, ...]:
    """Several are separated by commas or spaces; quotes and backslashes protect a space inside a name.

    A value that is one existing file or folder is taken as it is, whatever it contains.
    """
    text = variables.get(name, "").strip()
    if not text:
        return ()
    whole = Path(text).expanduser()
    try:
        named = [whole] if whole.exists() else [Path(word).expanduser() for word in shlex.split(text.replace(",", " "))]
        list(files_named(named, wanted=lambda _: True, kind=name.lower()))
    except (UnreadableFileError, ValueError, OSError) as problem:
        raise OptionError(f"{name}: {problem}") from problem
    return tuple(path.resolve() for path in named)


def _address(text: str) -> str:
    found = parse_addresses([text])
    if len(found) != 1 or not re.fullmatch(r"[^@\s]+@[^@\s]+", found[0].email):
        raise OptionError(f"ME={text} is not an email address")
    return normalize(found[0].email)


def _scene(variables: Mapping[str, str], *, own_input: bool) -> Scene:
    text = variables.get("SCENE", "")
    if text and text not in set(Scene):
        raise OptionError(f"SCENE={text} is not known: all, mail, cash or none")
    scene = Scene(text) if text else Scene.NONE if own_input else Scene.ALL
    if own_input and scene is Scene.CASH:
        raise OptionError("SCENE=cash sells what the sample sells: it goes without MBOX= and ICS=")
    return scene


def _quota(variables: Mapping[str, str], *, own_input: bool) -> int:
    text = variables.get(QUOTA_VARIABLE, "")
    if not text:
        return REAL_INPUT_UNITS_PER_MINUTE if own_input else DEFAULT_QUOTA_UNITS_PER_MINUTE
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise OptionError(f"{QUOTA_VARIABLE}={text} is not a number of units")
    return int(text)
