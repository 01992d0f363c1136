"""NetSuite's error codes in our words: vendor code -> our id -> what a person reads and does about it.

One entry is one thing that can be wrong; `kind` decides which of our errors it becomes (errors.py reads it here).

Source: docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_156570709583.html ("Error Handling in REST Web
Services"), subsect_158521885412.html (authentication errors), bridgehead_1525252812.html (concurrency).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What an error means for the work that met it."""

    RECONNECT = "somebody must enter working credentials"
    ADMIN = "a NetSuite administrator must act first"
    WAIT = "too many requests at once; the work comes back by itself"
    RETRY = "NetSuite is in trouble; the work comes back by itself"
    GONE = "what was asked for does not exist any more"
    TAKEN = "somebody else has that name, number or external id"
    INPUT = "what was sent cannot be used; a person corrects it"


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry.

    id: ours, stable. codes: `o:errorCode`, or the token endpoint's `error`, exactly as sent.
    sentence: what happened. action: what to do about it; empty where nothing is to be done. link: where, or None.
    """

    id: str
    kind: Kind
    codes: tuple[str, ...]
    sentence: str
    action: str
    link: str | None = None


_HELP = "https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help"

CATALOGUE: tuple[Problem, ...] = (
    Problem(
        "credentials_refused",
        Kind.RECONNECT,
        ("invalid_client", "invalid_grant", "unauthorized_client"),
        "NetSuite no longer accepts this connection: its certificate was revoked or ended, the integration was "
        "blocked, or the sandbox was refreshed.",
        "Map a new certificate under Setup > Integration > OAuth 2.0 Client Credentials and connect again.",
        f"{_HELP}/section_162686838198.html",
    ),
    Problem(
        "token_refused",
        Kind.RECONNECT,
        (),  # INVALID_LOGIN too, but in answer to a token that cannot be renewed; only the caller knows
        "NetSuite no longer accepts this connection's token: it was revoked, or its role or user changed.",
        "Issue a new token under Setup > Users/Roles > Access Tokens and enter it here; the Login Audit Trail says why "
        "the old one was refused.",
        f"{_HELP}/subsect_156935170194.html",
    ),
    Problem(
        "login_malformed",
        Kind.ADMIN,
        ("invalid_request", "invalid_scope", "unsupported_grant_type"),
        "NetSuite could not use our request to sign in.",
        "Compare client id, certificate id and account id with NetSuite's, and see that the integration allows the "
        "client credentials grant for REST web services.",
        f"{_HELP}/section_162755359851.html",
    ),
    Problem(
        "permission_missing",
        Kind.ADMIN,
        ("INSUFFICIENT_PERMISSION", "INSUFFICIENT_PERMISSIONS", "USER_ACCESS_DENIED"),
        "The role of this connection may not do that in NetSuite.",
        "Add the missing permission to the role under Setup > Users/Roles > Manage Roles; the connection's page lists "
        "which kinds of record the role may read.",
        f"{_HELP}/chapter_1540391670.html",
    ),
    Problem(
        "feature_off",
        Kind.ADMIN,
        ("FEATURE_DISABLED", "FeatureDisabled"),
        "A feature this connection needs is switched off in NetSuite.",
        "Switch on REST Web Services and OAuth 2.0 under Setup > Company > Enable Features > SuiteCloud.",
        f"{_HELP}/chapter_1540391670.html",
    ),
    Problem(
        "time_zone_wrong",
        Kind.ADMIN,
        (),  # NetSuite does not know; ledger.py sees it by comparing two of its times
        "The time zone entered for this NetSuite account is not the account's: changes would be missed.",
        "Enter the time zone of Setup > Company > Company Information.",
        f"{_HELP}/section_157305090645.html",
    ),
    Problem(
        "too_many_at_once",
        Kind.WAIT,
        ("CONCURRENCY_LIMIT_EXCEEDED", "SSS_REQUEST_LIMIT_EXCEEDED", "WS_REQUEST_BLOCKED"),
        "NetSuite was asked too many things at once.",
        "If this happens often, ask the administrator to keep part of the account's concurrency for this integration.",
    ),
    Problem(
        "netsuite_unavailable",
        Kind.RETRY,
        ("UNEXPECTED_ERROR", "SERVER_ERROR", "server_error", "temporarily_unavailable", "INVALID_LOGIN"),
        "NetSuite does not answer properly at the moment.",
        "",
        "https://status.netsuite.com/",
    ),
    Problem(
        "not_found",
        Kind.GONE,
        ("RCRD_DSNT_EXIST", "NONEXISTENT_ID"),
        "It was deleted in NetSuite.",
        "",
    ),
    Problem(
        "already_exists",
        Kind.TAKEN,
        ("DUP_RCRD", "DUP_ENTITY", "UNIQUE_CUST_ID_REQD"),
        "NetSuite has a record with that name, number or external id already.",
        "",
    ),
    Problem(
        "refused",
        Kind.INPUT,
        ("USER_ERROR", "INVALID_CONTENT", "MANDATORY_FIELD", "INVALID_KEY_OR_REF", "INVALID_FLD_VALUE"),
        "NetSuite refused what we sent.",
        "Correct the mapping or the record named here, then try again.",
    ),
)

PROBLEMS: dict[str, Problem] = {problem.id: problem for problem in CATALOGUE}
BY_CODE: dict[str, Problem] = {code: problem for problem in CATALOGUE for code in problem.codes}
