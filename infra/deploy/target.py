"""What is deployed where: one environment of the product, in one Google Cloud project and one region."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from infra.deploy.problems import Problem

ROOT = Path(__file__).resolve().parents[2]

_PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_REGION = re.compile(r"[a-z]+-[a-z]+[0-9]{1,2}")
_DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")


@dataclass(frozen=True, slots=True)
class Target:
    """domain: where vendors and browsers reach the functions; None for Google's own address.

    alert_emails: who is told when an alert fires.
    """

    project: str
    region: str
    environment: str = "production"
    domain: str | None = None
    alert_emails: tuple[str, ...] = ()

    @property
    def state_bucket(self) -> str:
        """Terraform's state, the releases, and the mark of the environment the project belongs to (environment.tf)."""
        return f"{self.project}-throughline-state"

    def problems(self, root: Path = ROOT) -> list[Problem]:
        """What is wrong with the words themselves, before anybody is asked."""
        environments = sorted(path.stem for path in (root / "infra" / "environments").glob("*.tfvars"))
        checks = (
            (
                _PROJECT.fullmatch(self.project),
                f"'{self.project}' is no project id, which has 6 to 30 lower-case letters, digits and hyphens.",
                "gcloud projects list",
            ),
            (
                _REGION.fullmatch(self.region),
                f"'{self.region}' is no region; Firestore and everything else is put there for good.",
                "gcloud run regions list",
            ),
            (
                self.environment in environments,
                f"There is no environment '{self.environment}'; there are: {', '.join(environments)}.",
                f"ls {root / 'infra' / 'environments'}",
            ),
            (
                self.domain is None or _DOMAIN.fullmatch(self.domain),
                f"'{self.domain}' is no domain: give the bare name, such as crm.example.com, without https:// or path.",
                "make deploy ... DOMAIN=crm.example.com",
            ),
            (
                all(_EMAIL.fullmatch(one) for one in self.alert_emails),
                "ALERT_EMAILS holds something that is no address; addresses are separated by commas.",
                "make deploy ... ALERT_EMAILS=ops@example.com",
            ),
        )
        return [Problem(sentence, mend) for good, sentence, mend in checks if not good]
