"""What gcloud and terraform complain of, as a sentence and the command that mends it.

Both hand on Google's own words; the rest of a complaint is printed above the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from infra.deploy.problems import Problem
from infra.deploy.target import Target

BORDER = " │╷╵"
"""What terraform draws around a complaint."""

AGAIN = "then the same command again"


@dataclass(frozen=True, slots=True)
class _Known:
    words: str
    problem: Callable[[re.Match[str], Target], Problem]


def explain(said: str, target: Target) -> Problem:
    """The first complaint we know in what a program said; else its own first line."""
    for known in _KNOWN:
        match = re.search(known.words, said, re.IGNORECASE | re.DOTALL)
        if match:
            return known.problem(match, target)
    return Problem(f"Google or Terraform stopped with: {_first_line(said)}", f"mend it, {AGAIN}")


def _first_line(said: str) -> str:
    lines = [line.strip(BORDER) for line in said.splitlines()]
    told = [line for line in lines if line]
    errors = [line for line in told if line.startswith(("Error:", "ERROR:"))]
    return (errors or told or ["no words at all"])[0]


def _login(_: re.Match[str], __: Target) -> Problem:
    return Problem(
        "Your sign-in with Google has ended, or the service account's key has expired or was deleted.",
        f"gcloud auth login   (a service account: gcloud auth activate-service-account --key-file=NEW_KEY), {AGAIN}",
    )


def _locked(match: re.Match[str], _: Target) -> Problem:
    lock = match["lock"] or "ID"
    return Problem(
        "Another deploy of this project is running, or one was killed before it could say that it had ended.",
        f"wait for it; if there is none: terraform -chdir=build/release/infra force-unlock {lock}, {AGAIN}",
        nothing_done=True,
    )


def _permission(match: re.Match[str], target: Target) -> Problem:
    what = match["permission"]
    return Problem(
        f"You lack the permission {what} in project {target.project}.",
        f"an owner runs: gcloud projects add-iam-policy-binding {target.project} --member=user:YOU --role=roles/owner, "
        f"{AGAIN}",
    )


def _not_allowed(_: re.Match[str], target: Target) -> Problem:
    return Problem(
        f"You may not do this in project {target.project}: what Google says above names the thing.",
        f"an owner runs: gcloud projects add-iam-policy-binding {target.project} --member=user:YOU --role=roles/owner, "
        f"{AGAIN}",
    )


def _service(match: re.Match[str], target: Target) -> Problem:
    return Problem(
        f"The API {match['service']} is not on yet; after it was turned on that takes Google some minutes.",
        f"gcloud services enable {match['service']} --project={target.project}, {AGAIN}",
    )


def _billing(_: re.Match[str], target: Target) -> Problem:
    return Problem(
        f"Project {target.project} has no billing account that pays for it.",
        f"gcloud billing projects link {target.project} --billing-account=ACCOUNT_ID, {AGAIN}",
    )


def _outsiders(_: re.Match[str], target: Target) -> Problem:
    return Problem(
        "Your organization forbids functions that everybody may call (the policy iam.allowedPolicyMemberDomains), "
        "and vendors' webhooks need some.",
        "an administrator runs: gcloud resource-manager org-policies delete iam.allowedPolicyMemberDomains "
        f"--project={target.project}, {AGAIN}",
    )


def _quota(match: re.Match[str], target: Target) -> Problem:
    return Problem(
        f"A quota of project {target.project} is used up: {match[0].strip(' │')[:200]}",
        f"ask for more: https://console.cloud.google.com/iam-admin/quotas?project={target.project}, {AGAIN}",
    )


def _empty_secrets(match: re.Match[str], target: Target) -> Problem:
    names = sorted(set(re.findall(_NO_VERSION, match.string)))
    return Problem(
        f"Some secrets have no content yet, which Terraform never holds: {', '.join(names)}. What was made stays.",
        f"for each (docs/deploying.md says what it holds): gcloud secrets versions add {names[0]} "
        f"--project={target.project} --data-file=FILE, {AGAIN}",
    )


def _stale(_: re.Match[str], __: Target) -> Problem:
    sentence = "Something was deployed after this plan was made, so that it no longer holds."
    return Problem(sentence, "plan anew: the same make deploy, or the build of the commit", nothing_done=True)


_NO_VERSION = r"projects/[^/\s]+/secrets/([\w-]+)/versions/[^\n]{1,40}not found"

_KNOWN = (
    _Known(r"error acquiring the state lock(?:.*?ID:\s+(?P<lock>[\w-]+))?", _locked),
    _Known(r"saved plan is stale", _stale),
    _Known(_NO_VERSION, _empty_secrets),
    _Known(
        r"invalid_grant|reauthentication (?:is )?(?:required|failed)|invalid_rapt|no credentialed accounts|"
        r"not currently have an active account|could not find default credentials|ACCESS_TOKEN_EXPIRED|"
        r"invalid authentication credentials|Request had invalid authentication",
        _login,
    ),
    _Known(
        r"(?:has not been used in project|API \[|is not enabled)[^\n]*?(?P<service>[a-z]+\.googleapis\.com)",
        _service,
    ),
    _Known(r"billing (?:account )?(?:is )?(?:disabled|not enabled|must be enabled|not found|not open)", _billing),
    _Known(r"billing account for project [^\n]* is not found", _billing),
    _Known(r"do(?:es)? not belong to a permitted customer|allowedPolicyMemberDomains", _outsiders),
    _Known(r"permission ['\"]?(?P<permission>[a-z]+\.[a-zA-Z.]+)['\"]? (?:is )?denied", _permission),
    _Known(r"(?:required|missing|lacks?|needs?) ['\"]?(?P<permission>[a-z]+\.[a-zA-Z]+\.[a-zA-Z]+)['\"]?", _permission),
    _Known(r"[^\n]*(?:quota exceeded|quota '[^']+' exceeded|exceeded .{0,40}quota|RATE_LIMIT_EXCEEDED)[^\n]*", _quota),
    _Known(r"PERMISSION_DENIED|does not have permission|Error 403", _not_allowed),
)
