"""`make run`: see local/run/options.py for what it takes, docs for what it shows.

Exit codes: 0 stopped, or with ONCE=1 every step was seen to happen; 1 a step was not seen; 2 it could not start.
"""

from __future__ import annotations

import os
import signal
import sys

from local.cloud.manifests import ManifestError
from local.cloud.requirements_check import MissingToolError
from local.cloud.supervisor import StartError
from local.run.export import Export
from local.run.folder import FolderError, fresh_folder
from local.run.http import RefusedError
from local.run.material import MaterialError
from local.run.options import OptionError, read_options
from local.run.screen import open_screen
from local.run.starting import running_cloud
from local.run.story import tell
from local.run.waiting import NotSeenError


def main() -> int:
    screen = open_screen()
    signal.signal(signal.SIGTERM, _as_interrupt)
    signal.signal(signal.SIGHUP, _as_interrupt)
    try:
        options = read_options(os.environ)
        with fresh_folder(options.data) as data:
            screen.heading(1, "The laptop cloud")
            with running_cloud(options, data, screen) as cloud:
                material = Export(options.me or "", options.mbox, options.ics, options.contacts, data / "import")
                tell(options, cloud, material, data, screen)
                return 0
    except (OptionError, FolderError, MissingToolError, ManifestError, StartError, MaterialError) as problem:
        print(problem, file=sys.stderr)
        return 2
    except (NotSeenError, RefusedError) as failure:
        screen.failed(str(failure))
        return 1
    except KeyboardInterrupt:
        return 0


def _as_interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
