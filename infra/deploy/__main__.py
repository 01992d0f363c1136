"""`python -m infra.deploy STEP --project P --region R [--environment production] [--domain D] [--alert-emails A,B]`.

STEP is one of:
  check     everything a deploy needs, each missing thing as a sentence with the command that mends it
  plan      check, bundle, plan; keeps the release in the state bucket and writes its id to build/release.txt
  apply     apply a planned release (--release ID), try it, go back if that fails
  deploy    plan, ask, apply: what a person at a laptop runs
  rollback  back to a kept release (--release ID)

It ends with 0 if all is well, and with 1 after saying what is wrong; the same command may then be run again.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from infra.bundles.lock import LockError
from infra.deploy.cloud import RESOURCE_MANAGER, SERVICE_USAGE, Cloud
from infra.deploy.commands import CommandError, SystemCommands
from infra.deploy.complaints import explain
from infra.deploy.http import WebHttp
from infra.deploy.problems import DeployError, Problem
from infra.deploy.schema import code_schema
from infra.deploy.steps import World, applied, back_to, checked, planned
from infra.deploy.target import ROOT, Target

STEPS = ("check", "plan", "apply", "deploy", "rollback")


def main() -> int:
    options = _options()
    target = Target(options.project, options.region, options.environment, options.domain or None, options.alert_emails)
    commands, http = SystemCommands(), WebHttp()
    roots = {RESOURCE_MANAGER: options.google_root, SERVICE_USAGE: options.google_root} if options.google_root else {}
    world = World(
        target=target,
        root=ROOT,
        build=options.build,
        commands=commands,
        http=http,
        cloud=Cloud(target.project, commands, http, roots),
        schema=code_schema(ROOT),
        say=lambda line: print(line, flush=True),
        wait=time.sleep,
    )
    try:
        _run(options, world)
    except DeployError as failed:
        return _tell(list(failed.problems))
    except (LockError, CommandError) as failed:
        said = failed.done.said if isinstance(failed, CommandError) else str(failed)
        print(said, file=sys.stderr)
        return _tell([explain(said, target)])
    except KeyboardInterrupt:
        return _tell([Problem("You stopped it.", "the same command continues where it was")])
    return 0


def _run(options: argparse.Namespace, world: World) -> None:
    match options.step:
        case "check":
            checked(world)
            world.say("Nothing is missing.")
        case "plan":
            release, _ = planned(world)
            (world.build / "release.txt").write_text(release)
        case "apply":
            applied(world, options.release)
        case "rollback":
            back_to(world, options.release)
            world.say(f"Release {options.release} runs again.")
        case _:
            release, plan = planned(world)
            if not plan.counts.total():
                world.say("There is nothing to change; trying what runs.")
            elif not options.yes and not _approved():
                raise DeployError([Problem("Nothing was applied.", f"this plan: apply --release {release}")])
            applied(world, release)


def _approved() -> bool:
    try:
        return input("Apply this plan? Only 'yes' does: ").strip() == "yes"
    except EOFError:
        return False


def _tell(problems: list[Problem]) -> int:
    print(file=sys.stderr)
    for problem in problems:
        print(f"- {problem}", file=sys.stderr)
    return 1


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m infra.deploy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("step", choices=STEPS)
    made.add_argument("--project", required=True)
    made.add_argument("--region", required=True)
    made.add_argument("--environment", default="production")
    made.add_argument("--domain", default="")
    made.add_argument("--alert-emails", type=_comma_separated, default=())
    made.add_argument("--release", help="of apply and rollback")
    made.add_argument("--yes", action="store_true", help="apply without asking")
    made.add_argument("--build", type=Path, default=ROOT / "build", help="folder for bundles and releases")
    made.add_argument("--google-root", default="", help="a server that speaks for Google's REST APIs")
    return made


def _options() -> argparse.Namespace:
    made = parser()
    options = made.parse_args()
    if options.step in ("apply", "rollback") and not options.release:
        made.error(f"{options.step} needs --release")
    return options


def _comma_separated(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


if __name__ == "__main__":
    sys.exit(main())
