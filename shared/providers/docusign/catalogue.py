"""DocuSign's error codes in our words: vendor code -> our id -> what a person reads and does about it.

`kind` decides which of our errors an entry becomes (errors.py reads it from here), so that the sentence on a page and
the behaviour of the code cannot drift apart. DocuSign writes some codes in mixed case: they are compared without it.

Source: developers.docusign.com/docs/esign-rest-api/esign101/rules-and-limits (limits), .../esign101/error-codes and
.../platform/auth (token endpoint).
"""

from __future__ import annotations

from shared.providers.words import Kind, Problem, by_id

_APPS = "https://apps.docusign.com/admin/apps-and-keys"
_ADMIN = "https://apps.docusign.com/admin"

CATALOGUE: tuple[Problem, ...] = (
    # ------------------------------------------------------------------------------------------------- the grant
    Problem(
        "grant_gone",
        Kind.RECONNECT,
        ("invalid_grant",),
        "DocuSign no longer accepts this connection: access was removed, or it was not used for 30 days.",
        "Connect your DocuSign account again. Contracts that were signed meanwhile are brought up to date then.",
        _APPS,
    ),
    Problem(
        "consent_required",
        Kind.RECONNECT,
        ("consent_required",),
        "The DocuSign user this connection acts for has not agreed to it, or took the agreement back.",
        "Connect once more as that user, and choose Allow Access.",
        _APPS,
    ),
    Problem(
        "access_denied",
        Kind.INPUT,
        ("access_denied",),
        "You did not allow access on DocuSign's page.",
        "Start again, and choose Allow Access.",
    ),
    Problem(
        "code_used",
        Kind.INPUT,
        (),  # invalid_grant too, but in answer to a code; only the caller knows which it sent
        "This sign-in was used already, or took longer than two minutes.",
        "Connect your DocuSign account once more.",
    ),
    # ----------------------------------------------------------------------------------- an administrator's matter
    Problem(
        "client_invalid",
        Kind.ADMIN,
        ("invalid_client", "unauthorized_client", "PARTNER_AUTHENTICATION_FAILED"),
        "DocuSign does not accept the integration key and secret of this product.",
        "Ask the administrator to enter the integration key and secret again, of the environment that is connected.",
        _APPS,
    ),
    Problem(
        "integration_key_unknown",
        Kind.ADMIN,
        ("issuer_not_found",),
        "DocuSign does not know the integration key in this environment.",
        "Ask the administrator to enter the integration key of this environment; sandbox keys go live by a review.",
        _APPS,
    ),
    Problem(
        "jwt_key_unknown",
        Kind.ADMIN,
        ("no_valid_keys_or_signatures",),
        "DocuSign does not know the key this product signs in with.",
        "Ask the administrator to add the RSA key pair to the integration key, and to enter its private key here.",
        _APPS,
    ),
    Problem(
        "jwt_user_unknown",
        Kind.ADMIN,
        ("user_not_found",),
        "DocuSign does not know the user this connection acts for.",
        "Ask the administrator to enter the API user id of a user of this account.",
        _APPS,
    ),
    Problem(
        "permission_missing",
        Kind.ADMIN,
        (
            "ACCOUNT_LACKS_PERMISSIONS",
            "USER_LACKS_PERMISSIONS",
            "USER_LACKS_MEMBERSHIP",
            "USER_DOES_NOT_BELONG_TO_SPECIFIED_ACCOUNT",
        ),
        "The DocuSign account or its user may not do this.",
        "Ask the DocuSign administrator to give the connected user the right to send envelopes in this account.",
        _ADMIN,
    ),
    Problem(
        "account_closed",
        Kind.ADMIN,
        ("ACCOUNT_HAS_BEEN_SUSPENDED", "ACCOUNT_DOES_NOT_EXIST_IN_SYSTEM"),
        "The DocuSign account was suspended or closed, or lives in another environment.",
        "Ask the DocuSign administrator, then choose the account again.",
        _ADMIN,
    ),
    Problem(
        "envelopes_used_up",
        Kind.INPUT,
        ("ENVELOPE_ALLOWANCE_EXCEEDED",),
        "The envelopes of the DocuSign plan are used up.",
        "Ask the DocuSign administrator to add envelopes to the plan.",
        _ADMIN,
    ),
    # ------------------------------------------------------------------------------------------- nothing to be done
    Problem(
        "hourly_limit",
        Kind.WAIT,
        ("HOURLY_APIINVOCATION_LIMIT_EXCEEDED", "HOURLY_APIINVOCATION_ENVELOPE_LIMIT_EXCEEDED"),
        "The DocuSign account's calls of this hour are used up.",
        "If this happens often, ask the administrator to raise the limit in DocuSign's API Usage Center.",
        "https://developers.docusign.com/tools/api-usage-center",
    ),
    Problem(
        "burst_limit",
        Kind.WAIT,
        (
            "BURST_APIINVOCATION_LIMIT_EXCEEDED",
            "BURST_APIINVOCATION_ENVELOPE_LIMIT_EXCEEDED",
            "BURST_ENVELOPE_POLLING_LIMIT_EXCEEDED",
            "API_REQUEST_IS_THROTTLED",
        ),
        "DocuSign asked us to slow down.",
        "",
    ),
    Problem(
        "polling_limit",
        Kind.WAIT,
        ("HOURLY_ENVELOPE_POLLING_LIMIT_EXCEEDED",),
        "This envelope was read a short time ago; DocuSign allows it every 15 minutes.",
        "",
    ),
    Problem(
        "docusign_unavailable",
        Kind.RETRY,
        (
            "INTERNAL_SERVER_ERROR",
            "SERVICE_UNAVAILABLE",
            "server_error",
            "temporarily_unavailable",
            # Refusals of fresh tokens have been seen to pass; only the token endpoint says that a grant is gone.
            "USER_AUTHENTICATION_FAILED",
            "AUTHORIZATION_INVALID_TOKEN",
        ),
        "DocuSign does not answer properly at the moment.",
        "",
        "https://status.docusign.com",
    ),
    Problem(
        "envelope_gone",
        Kind.GONE,
        ("ENVELOPE_DOES_NOT_EXIST", "DOCUMENT_DOES_NOT_EXIST", "RESOURCE_NOT_FOUND"),
        "The envelope does not exist at DocuSign (any more).",
        "",
    ),
    Problem(
        "template_gone",
        Kind.GONE,
        ("TEMPLATE_ID_INVALID", "TEMPLATE_NOT_FOUND", "INVALID_TEMPLATE_ID"),
        "The DocuSign template was removed, or this user may not use it.",
        "Choose another template, or refresh the list of templates.",
    ),
    Problem(
        "no_access",
        Kind.FORBIDDEN,
        ("ACCOUNT_NOT_AUTHORIZED_FOR_ENVELOPE", "USER_NOT_ENVELOPE_SENDER_OR_RECIPIENT"),
        "The connected DocuSign user may not see this envelope.",
        "Connect the user who sent it, or ask the DocuSign administrator to share it.",
    ),
    # --------------------------------------------------------------------------------------- what a person can change
    Problem(
        "email_refused",
        Kind.INPUT,
        ("INVALID_EMAIL_ADDRESS_FOR_RECIPIENT",),
        "DocuSign does not accept the email address of a signer.",
        "Correct the address and send again.",
    ),
    Problem(
        "duplicate_signers",
        Kind.INPUT,
        ("ENVELOPE_HAS_DUPLICATE_RECIPIENTS", "DUPLICATE_RECIPIENT"),
        "Two signers of this envelope are the same to DocuSign.",
        "Give each signer a role of their own.",
    ),
    Problem(
        "envelope_incomplete",
        Kind.INPUT,
        ("ENVELOPE_IS_INCOMPLETE",),
        "Something is missing for sending: a document, a subject, or a signer of a role.",
        "Name a signer for every role of the template, and try again.",
    ),
    Problem(
        "envelope_closed",
        Kind.INPUT,
        ("ENVELOPE_CANNOT_VOID_INVALID_STATE", "ENVELOPE_INVALID_STATUS", "EDIT_LOCK_INVALID_STATE_FOR_LOCK"),
        "The envelope is completed, declined or voided; it cannot be changed any more.",
        "Send a new one instead.",
    ),
    Problem(
        "signer_done",
        Kind.INPUT,
        ("RECIPIENT_UPDATE_FAILED", "RECIPIENT_HAS_ALREADY_SIGNED"),
        "This signer has signed or declined already and cannot be changed.",
        "Void the envelope and send a new one if the signature must be another person's.",
    ),
    Problem(
        "not_their_turn",
        Kind.INPUT,
        ("RECIPIENT_NOT_IN_SEQUENCE",),
        "It is not this signer's turn: somebody before them has not signed.",
        "Wait for the signers before, or remind them.",
    ),
    Problem(
        "signer_unknown",
        Kind.INPUT,
        ("UNKNOWN_ENVELOPE_RECIPIENT", "INVALID_RECIPIENT_ID"),
        "This envelope has no such signer, or the signer gets mail instead of signing on our page.",
        "Open the contract again to see its signers.",
    ),
    Problem(
        "anchor_missing",
        Kind.INPUT,
        ("ANCHOR_TAB_STRING_NOT_FOUND",),
        "The place for the signature was not found in the document.",
        "Add the signature mark to the document and send again.",
    ),
    Problem(
        "document_refused",
        Kind.INPUT,
        ("PDF_VALIDATION_FAILED", "UNABLE_TO_CONVERT_DOCUMENT", "INVALID_DOCUMENT", "DOCUMENT_CONVERSION_FAILED"),
        "DocuSign cannot read the document.",
        "Open it, save it as a PDF again, and send that.",
    ),
    Problem(
        "request_wrong",
        Kind.OURS,
        ("INVALID_REQUEST_BODY", "INVALID_REQUEST_PARAMETER", "invalid_request", "unsupported_grant_type"),
        "DocuSign did not understand the request.",
        "",
    ),
)

PROBLEMS = by_id(CATALOGUE)
_BY_CODE: dict[str, Problem] = {code.upper(): problem for problem in CATALOGUE for code in problem.codes}


def problem_of(code: str) -> Problem | None:
    """The entry for one of DocuSign's codes, in whatever case it came."""
    return _BY_CODE.get(code.upper())
