"""A deploy, step by step: check, prepare, plan; then, once somebody approved, apply, try, and go back if that fails.

Everything may be run again at any point: what is there already is left alone, a release's id is made from what it
holds, and terraform continues from what its state knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra.bundles.bundle import Bundler
from infra.bundles.written import write_bundles
from infra.deploy.checks import Checked, check
from infra.deploy.cloud import Cloud, Http
from infra.deploy.commands import Commands
from infra.deploy.problems import DeployError, Problem
from infra.deploy.releases import Releases
from infra.deploy.schema import Schema, raised, raises
from infra.deploy.smoke import domain_test, smoke_test
from infra.deploy.stage import stage
from infra.deploy.target import Target
from infra.deploy.terraform import Plan, Terraform, refuse_losses


@dataclass(frozen=True, slots=True)
class World:
    """What a deploy works with. build: the folder for bundles and releases. say: tells a person one line."""

    target: Target
    root: Path
    build: Path
    commands: Commands
    http: Http
    cloud: Cloud
    schema: Schema
    say: Callable[[str], None]
    wait: Callable[[float], None]

    @property
    def releases(self) -> Releases:
        return Releases(self.cloud, self.target.state_bucket)

    def terraform(self, folder: Path) -> Terraform:
        """Signed in as gcloud is. Raises: CommandError."""
        signed_in = self.commands.with_variables({"GOOGLE_OAUTH_ACCESS_TOKEN": self.cloud.access_token()})
        return Terraform(folder, signed_in, self.target)

    @property
    def folder(self) -> Path:
        return self.build / "release"


def checked(world: World) -> Checked:
    """Raises: DeployError with everything that is missing. Nothing is changed."""
    found = check(world.target, cloud=world.cloud, commands=world.commands, schema=world.schema, root=world.root)
    for note in found.notes:
        world.say(note)
    if found.problems:
        raise DeployError(found.problems)
    return found


def planned(world: World) -> tuple[str, Plan]:
    """Check, turn on what is off, build, and plan; returns the release's id and the plan, both kept in the bucket.

    Raises: DeployError, CommandError, LockError. Nothing that serves people was changed then.
    """
    found = checked(world)
    target = world.target
    if found.services_off:
        world.say(f"Turning on {len(found.services_off)} APIs ...")
        world.cloud.enable(found.services_off)
    if not found.bucket:
        world.say(f"Making the bucket {target.state_bucket} ...")
        world.cloud.make_bucket(target.state_bucket, target.region)
    world.say("Building the bundles ...")
    write_bundles(Bundler(world.root), world.build / "bundles")
    release = stage(world.root, world.build / "bundles", target, found.billing_account, world.folder)
    terraform = world.terraform(world.folder)
    terraform.init()
    plan = terraform.plan()
    refuse_losses(plan)
    world.releases.keep(release, world.folder)
    world.say(f"{plan.sentence} This is release {release}.")
    for address in plan.deleted:
        world.say(f"  deleted: {address}")
    return release, plan


def applied(world: World, release: str) -> None:
    """Apply a kept plan, try the functions, and go back to the release before if either fails.

    Raises: DeployError, which says what runs now; CommandError if the bucket cannot be reached.
    """
    releases = world.releases
    before, stored = releases.current(), releases.schema()
    releases.may_write(raised(stored, world.schema))
    try:
        _apply(world, release)
    except DeployError as failed:
        if any(problem.nothing_done for problem in failed.problems):
            releases.may_write(stored)
            raise
        problems = list(failed.problems)
    else:
        problems = _tried(world, world.folder)
        if not problems:
            releases.now_runs(release)
            world.say(f"Release {release} runs.")
            return
    raise DeployError([*problems, _went_back(world, release, before, raises(stored, world.schema))])


def _apply(world: World, release: str) -> None:
    world.releases.fetch(release, world.folder, with_plan=True)
    terraform = world.terraform(world.folder)
    terraform.init()
    terraform.apply()


def _tried(world: World, folder: Path) -> list[Problem]:
    world.say("Asking every function ...")
    outputs = world.terraform(folder).outputs()
    manifests = (folder / "functions").glob("*/function.yaml")
    names, public = [path.parent.name for path in manifests], outputs["public_functions"]
    found = smoke_test(outputs["functions_base_url"], names, public, http=world.http, wait=world.wait)
    return found + (domain_test(world.target.domain, public, http=world.http) if world.target.domain else [])


def _went_back(world: World, release: str, before: str | None, upgraded: list[str]) -> Problem:
    again = "mend what is said above, then the same command again"
    if before is None:
        return Problem("There is no earlier release to go back to; what was made so far is kept.", again)
    if before == release:
        return Problem(f"Release {release} is also the one that ran before; nothing was taken back.", again)
    if upgraded:
        return Problem(
            f"Nothing was taken back: {', '.join(upgraded)} may already be stored in a version that release {before} "
            "cannot read. Work that meets such documents waits, and is not lost.",
            again,
        )
    world.say(f"Going back to release {before} ...")
    try:
        back_to(world, before)
    except DeployError as failed:
        return Problem(
            f"Going back to release {before} failed as well: {failed.problems[0].sentence}",
            f"make deploy ... ROLLBACK={before}",
        )
    return Problem(f"Release {before} runs again, as before.", again)


def back_to(world: World, release: str) -> None:
    """Apply a kept release anew. Raises: DeployError; CommandError, also for a release that was never kept."""
    folder = world.build / "rollback"
    world.releases.fetch(release, folder, with_plan=False)
    terraform = world.terraform(folder)
    terraform.init()
    refuse_losses(terraform.plan())
    terraform.apply()
    problems = _tried(world, folder)
    if problems:
        raise DeployError(problems)
    world.releases.now_runs(release)
