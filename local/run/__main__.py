"""`make run`: the laptop cloud at work; `local/run/options.py` says what can be set.

Exit codes: 0 stopped, or with ONCE=1 every step was seen to happen; 1 a step was not seen, or a part of the cloud ended
by itself; 2 it could not start.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from local.cloud.manifests import ManifestError
from local.cloud.requirements_check import MissingToolError
from local.cloud.supervisor import StartError
from local.run.closing import closing_block
from local.run.export import Export
from local.run.folder import FolderError, fresh_folder
from local.run.http import RefusedError
from local.run.material import Material, MaterialError
from local.run.options import OptionError, Options, read_options
from local.run.sampled import SampleMaterial
from local.run.screen import Screen, open_screen
from local.run.starting import Cloud, running_cloud
from local.run.story import Story
from local.run.waiting import NotSeenError
from local.sample.load import load_sample
from local.sample.model import Sample

_LOOK_EVERY_S = 0.25
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    screen = open_screen()
    for number in _SIGNALS:
        signal.signal(number, _as_interrupt)
    try:
        options = read_options(os.environ)
        with fresh_folder(options.data) as data:
            code = _until_stopped(options, data, screen)
    except (OptionError, FolderError, MissingToolError, ManifestError, StartError, MaterialError) as problem:
        print(problem, file=sys.stderr)
        return 2
    screen.line("Stopped; nothing of it is running any more.")
    return code


def _until_stopped(options: Options, data: Path, screen: Screen) -> int:
    """Ctrl-C at any time is an ordinary end, unless every step was to be seen."""
    try:
        return _run(options, data, screen)
    except KeyboardInterrupt:
        screen.blank()
        return 1 if options.once else 0


def _run(options: Options, data: Path, screen: Screen) -> int:
    began = time.monotonic()
    sample = None if options.own_input else _sample()
    screen.chapter("The laptop cloud")
    with running_cloud(options, data, screen) as cloud:
        story = Story(options, cloud, _material(options, sample, data), sample, data, screen)
        try:
            story.tell()
        except (NotSeenError, RefusedError) as miss:
            screen.failed(f"{miss}; the logs are in {data / 'logs'}")
            return 1
        screen.show(closing_block(cloud, options, story.missed, time.monotonic() - began))
        if options.once:
            return 1 if story.missed else 0
        return _serve(cloud, screen)


def _sample() -> Sample:
    try:
        return load_sample(datetime.now(UTC))
    except (ValueError, KeyError) as unreadable:
        raise MaterialError(f"local/sample was edited into something that cannot be read: {unreadable}") from unreadable


def _material(options: Options, sample: Sample | None, data: Path) -> Material:
    if sample is not None:
        return SampleMaterial(sample)
    return Export(options.me or "", options.mbox, options.ics, options.contacts, data / "import")


def _serve(cloud: Cloud, screen: Screen) -> int:
    """Wait for Ctrl-C; return 1 when a part of the cloud ended by itself."""
    while not (ended := cloud.supervisor.ended()):
        time.sleep(_LOOK_EVERY_S)
    for name in ended:
        screen.failed(f"{name} ended by itself: see {cloud.supervisor.log_file(name)}")
    return 1


def _as_interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
