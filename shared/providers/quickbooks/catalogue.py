"""Intuit's error codes in our words: vendor code -> our id -> what a person reads and does about it.

One entry is one thing that can be wrong; `kind` decides which of our errors it becomes (errors.py reads it from here).

Source: developer.intuit.com, "Error codes" of the Accounting API, and the OAuth 2.0 errors of its token endpoint.
"""

from __future__ import annotations

from shared.providers.words import Kind, Problem, by_id

_KEYS = "https://developer.intuit.com/dashboard"
_SETTINGS = "https://qbo.intuit.com/app/accountsettings"

CATALOGUE: tuple[Problem, ...] = (
    # ------------------------------------------------------------------------------------------------- the grant
    Problem(
        "grant_gone",
        Kind.RECONNECT,
        ("invalid_grant",),
        "QuickBooks no longer accepts this connection: access was removed there, it was not used for 100 days, or it "
        "reached the age of five years.",
        "Connect QuickBooks again. Nothing is lost: what changed meanwhile is read then.",
        "https://qbo.intuit.com/app/appcenter/myapps",
    ),
    Problem(
        "access_denied",
        Kind.INPUT,
        ("access_denied",),
        "You did not allow access on Intuit's page.",
        "Start again, choose the company and then Connect.",
    ),
    Problem(
        "code_used",
        Kind.INPUT,
        (),  # invalid_grant too, but in answer to a code; only the caller knows which it sent
        "This sign-in was used already, or took longer than a few minutes.",
        "Connect QuickBooks once more.",
    ),
    # ----------------------------------------------------------------------------------- an administrator's matter
    Problem(
        "client_invalid",
        Kind.ADMIN,
        ("invalid_client", "unauthorized_client", "invalid_redirect_uri"),
        "Intuit does not accept the client id, secret or redirect address of this product.",
        "Ask the administrator to enter the production keys again, and to register the redirect address shown on the "
        "set-up page.",
        _KEYS,
    ),
    Problem(
        "no_rights",
        Kind.ADMIN,
        ("3100", "5020", "120"),
        "The person who connected QuickBooks has no right to do this there.",
        "Let an administrator or the accountant of the company connect it.",
    ),
    Problem(
        "company_closed",
        Kind.ADMIN,
        ("6190", "6000001"),
        "The QuickBooks subscription of this company has ended or is not paid.",
        "Ask the company's administrator to renew it.",
        "https://qbo.intuit.com/app/billing",
    ),
    Problem(
        "custom_numbers_off",
        Kind.ADMIN,
        (),  # no refusal: connecting sees it in the company's preferences
        "This company numbers invoices by itself, so one whose answer was lost could not be found by our number.",
        "Switch on custom transaction numbers under Account and settings > Sales, then connect again.",
        _SETTINGS,
    ),
    # ------------------------------------------------------------------------------------------- nothing to be done
    Problem("quota_used_up", Kind.WAIT, ("3001", "003001"), "QuickBooks asked us to slow down.", ""),
    Problem(
        "quickbooks_unavailable",
        Kind.RETRY,
        # 3200: a refusal of a token that was just refreshed; only the token endpoint says that a grant is gone.
        ("10000", "3200", "server_error", "temporarily_unavailable"),
        "QuickBooks does not answer properly at the moment.",
        "",
        "https://status.quickbooks.intuit.com",
    ),
    Problem("not_found", Kind.GONE, ("610",), "It was deleted in QuickBooks.", ""),
    Problem("name_taken", Kind.TAKEN, ("6240",), "A customer, vendor or employee of this name exists already.", ""),
    Problem("number_taken", Kind.TAKEN, ("6140",), "A document with this number exists already.", ""),
    Problem("stale", Kind.STALE, ("5010",), "Somebody changed it in QuickBooks at the same moment.", ""),
    # ----------------------------------------------------------------------------------------- what a person corrects
    Problem(
        "reference_gone",
        Kind.INPUT,
        ("2500",),
        "The customer, an item, the terms or a tax code of this document is no longer usable in QuickBooks.",
        "Review the mapping and choose another one.",
    ),
    Problem(
        "period_closed",
        Kind.INPUT,
        ("6210",),
        "The books of this date are closed in QuickBooks.",
        "Use a later date, or ask the accountant to open the period.",
        _SETTINGS,
    ),
    Problem(
        "refused",
        Kind.INPUT,
        ("2010", "2020", "2030", "2040", "2050", "2170", "6000", "6070"),
        "QuickBooks did not accept it.",
        "Correct what it names and try again.",
    ),
    Problem(
        "bad_query",
        Kind.OURS,
        ("4000", "4001", "4002"),
        "QuickBooks did not understand our question.",
        "",
    ),
)

PROBLEMS = by_id(CATALOGUE)
BY_CODE: dict[str, Problem] = {code: problem for problem in CATALOGUE for code in problem.codes}
