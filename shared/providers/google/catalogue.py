"""Google's error codes in our words: vendor code -> our id -> what a person reads and does about it.

One entry is one thing that can be wrong. `kind` decides which of our errors it becomes (errors.py reads it from here),
so that the sentence on a page and the behaviour of the code cannot drift apart.

Source: developers.google.com/workspace/gmail/api/guides/handle-errors, .../calendar/api/guides/errors and
developers.google.com/identity/protocols/oauth2/web-server (error codes, "Authorization errors").
"""

from __future__ import annotations

from shared.providers.words import Kind, Problem, by_id

_CONSOLE = "https://console.cloud.google.com"
_ADMIN_APPS = "https://admin.google.com/ac/owl/list?tab=configuredApps"

CATALOGUE: tuple[Problem, ...] = (
    # ------------------------------------------------------------------------------------------------- the grant
    Problem(
        "grant_gone",
        Kind.RECONNECT,
        ("invalid_grant",),
        "Google no longer accepts this connection: access was removed, the password was changed, or the app is still "
        "in testing, where access ends after seven days.",
        "Connect your Google account again. Nothing is lost: what arrived meanwhile is fetched then.",
        "https://myaccount.google.com/connections",
    ),
    Problem(
        "scope_missing",
        Kind.RECONNECT,
        ("insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
        "Google did not give us the permission this needs: a box was left unticked when the account was connected.",
        "Connect your Google account again and tick every box you want to use.",
        "https://myaccount.google.com/connections",
    ),
    Problem(
        "access_denied",
        Kind.INPUT,
        ("access_denied",),
        "You did not allow access on Google's page.",
        "Start again, and choose Allow.",
    ),
    Problem(
        "code_used",
        Kind.INPUT,
        (),  # invalid_grant too, but in answer to a code; only the caller knows which it sent
        "This sign-in was used already, or took longer than a few minutes.",
        "Connect your Google account once more.",
    ),
    # ----------------------------------------------------------------------------------- an administrator's matter
    Problem(
        "admin_policy",
        Kind.ADMIN,
        ("admin_policy_enforced", "domainPolicy"),
        "Your Google administrator has not allowed this app.",
        "Ask the administrator to trust the app's client id: Admin console > Security > Access and data control > API "
        "controls > Manage third-party app access.",
        _ADMIN_APPS,
    ),
    Problem(
        "org_internal",
        Kind.ADMIN,
        ("org_internal",),
        "The app's consent screen is Internal, and this account belongs to another organization.",
        "Connect an account of your own organization, or ask the administrator to set the user type to External.",
        f"{_CONSOLE}/auth/audience",
    ),
    Problem(
        "client_deleted",
        Kind.ADMIN,
        ("deleted_client", "disabled_client"),
        "The OAuth client this product signs in with was deleted or disabled at Google, as happens to clients that are "
        "not used for six months.",
        "Ask the administrator to restore the client (possible for 30 days) or to enter a new one.",
        f"{_CONSOLE}/auth/clients",
    ),
    Problem(
        "client_invalid",
        Kind.ADMIN,
        ("invalid_client", "unauthorized_client"),
        "Google does not accept the client id and secret of this product.",
        "Ask the administrator to enter the client id and secret again.",
        f"{_CONSOLE}/auth/clients",
    ),
    Problem(
        "redirect_uri_mismatch",
        Kind.ADMIN,
        ("redirect_uri_mismatch",),
        "The redirect address of this product is not registered with the OAuth client.",
        "Ask the administrator to add the address shown on the set-up page to the client's authorized redirect URIs.",
        f"{_CONSOLE}/auth/clients",
    ),
    Problem(
        "api_not_enabled",
        Kind.ADMIN,
        ("accessNotConfigured", "SERVICE_DISABLED"),
        "The Gmail API or the Google Calendar API is not switched on in the Google Cloud project.",
        "Ask the administrator to enable both; it takes effect within a few minutes.",
        f"{_CONSOLE}/apis/library/gmail.googleapis.com",
    ),
    Problem(
        "mail_service_not_enabled",
        Kind.ADMIN,
        (),  # failedPrecondition, which means other things too; told by its message
        "This Google account has no Gmail mailbox.",
        "Ask the administrator to switch Gmail on for the account, or connect another one.",
        "https://admin.google.com/ac/appslist/core",
    ),
    Problem(
        "calendar_service_not_enabled",
        Kind.ADMIN,
        ("notACalendarUser",),
        "This Google account has no Google Calendar.",
        "Ask the administrator to switch Calendar on for the account, or connect another one.",
        "https://admin.google.com/ac/appslist/core",
    ),
    # ------------------------------------------------------------------------------------------- nothing to be done
    Problem(
        "quota_used_up",
        Kind.WAIT,
        ("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"),
        "Google asked us to slow down.",
        "",
    ),
    Problem(
        "daily_quota_used_up",
        Kind.WAIT,
        ("dailyLimitExceeded",),
        "The project's Google quota for today is used up.",
        "If this happens often, ask the administrator to request a higher quota.",
        f"{_CONSOLE}/apis/api/gmail.googleapis.com/quotas",
    ),
    Problem(
        "google_unavailable",
        Kind.RETRY,
        (
            "backendError",
            "internalError",
            "UNAVAILABLE",
            "INTERNAL",
            "internal_failure",
            "server_error",
            "temporarily_unavailable",
            # Refusals of fresh tokens have been seen to pass; only the token endpoint says that a grant is gone.
            "authError",
            "UNAUTHENTICATED",
        ),
        "Google does not answer properly at the moment.",
        "",
        "https://www.google.com/appsstatus/dashboard/",
    ),
    Problem(
        "not_found",
        Kind.GONE,
        ("notFound", "NOT_FOUND", "deleted", "resourceDeleted"),
        "It was deleted at Google.",
        "",
    ),
    Problem(
        "no_access",
        Kind.FORBIDDEN,
        ("forbidden", "requiredAccessLevel", "forbiddenForNonOrganizer"),
        "This account may not see that calendar or message.",
        "Ask its owner to share it, or leave it out.",
    ),
)

PROBLEMS = by_id(CATALOGUE)
BY_CODE: dict[str, Problem] = {code: problem for problem in CATALOGUE for code in problem.codes}
