"""NetSuite's error codes in our words: vendor code -> our id -> what a person reads and does about it.

One entry is one thing that can be wrong; `kind` decides which of our errors it becomes (errors.py reads it here).

Source: docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_156570709583.html ("Error Handling in REST Web
Services"), subsect_158521885412.html (authentication errors), bridgehead_1525252812.html (concurrency).
"""

from __future__ import annotations

from shared.providers.words import Kind, Problem, by_id

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
        "subsidiary_missing",
        Kind.ADMIN,
        (),  # no refusal: an answer without rows
        "NetSuite shows this connection no subsidiary of the id that was entered.",
        "Compare the id with Setup > Company > Subsidiaries, let the role see that one, and enter the keys again.",
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
        "custom_numbers_off",
        Kind.ADMIN,
        (),  # no refusal: connecting sees it
        "NetSuite numbers invoices by itself, so one whose answer was lost could not be found by our number.",
        "Allow Override for invoices under Setup > Company > Auto-Generated Numbers, then connect again.",
        _HELP,
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

PROBLEMS = by_id(CATALOGUE)
BY_CODE: dict[str, Problem] = {code: problem for problem in CATALOGUE for code in problem.codes}
