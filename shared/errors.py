"""Errors answer one question: try again?

AppError
├── RetryableError                  503: the queue or the sender tries again
│   ├── ProviderUnavailableError    a vendor answered 5xx, timed out or hung up
│   ├── ContendedError              too many lost races for one document
│   ├── NewerDocumentError          a document written by a newer version of this code
│   └── RateLimitedError            carries `resume_at`; re-scheduled, never counted as a failure
└── PermanentError                  parked in quarantine, then acknowledged
    ├── ProofError                  401: nothing is stored
    ├── TooLargeError               413: refused by its stated size, before it is read
    ├── PayloadError                the sender proved who it is, and we cannot read it
    ├── InputError                  a person's input; the message is the sentence they read
    ├── ForbiddenError              this person may not do this
    ├── NotFoundError               what was named does not exist (any more)
    ├── ConnectionRevokedError      a person must reconnect
    ├── AdminActionError            the organization's administrator must act first
    └── CursorExpiredError          control flow: list the gap

AlreadyExistsError and StaleWriteError are the two answers of a guarded write. They are control flow for whoever wrote,
and reach an entry point only by mistake. Anything that is not an AppError is our bug: let it crash, loudly.

Messages carry ids, never addresses, subjects, tokens or bodies: they end up in logs and in quarantine. The exception is
InputError, whose message goes back to the person who made the input and nowhere else.
"""

from __future__ import annotations

from datetime import datetime


class AppError(Exception):
    """Root of all errors this product raises on purpose."""


class RetryableError(AppError):
    """The same call may succeed later; nothing is half-done that a repeat would double."""


class ProviderUnavailableError(RetryableError):
    """A vendor answered 5xx, timed out, or closed the connection: whether it acted is unknown."""


class ContendedError(RetryableError):
    """Lost too many races for one document."""


class NewerDocumentError(RetryableError):
    """A document carries a version this code does not know: a newer deployment wrote it."""


class RateLimitedError(RetryableError):
    """A quota is used up until `resume_at` (aware UTC)."""

    def __init__(self, message: str, *, resume_at: datetime) -> None:
        super().__init__(message)
        self.resume_at = resume_at


class PermanentError(AppError):
    """Trying again changes nothing."""


class ProofError(PermanentError):
    """The proof of who is asking (signature, OIDC token, channel token) is missing or wrong."""


class TooLargeError(PermanentError):
    """Refused by its stated size."""


class PayloadError(PermanentError):
    """The sender is genuine and what it sent cannot be read."""


class InputError(PermanentError):
    """A person's input cannot be used; the message tells them why and what to do."""


class ForbiddenError(PermanentError):
    """The signed-in person may not do this."""


class NotFoundError(PermanentError):
    """What was named does not exist, or does not exist any more."""


class ConnectionRevokedError(PermanentError):
    """The grant is gone; only its person can reconnect. `reason` is an id of the error catalogue."""

    def __init__(self, message: str, *, reason: str = "grant_gone") -> None:
        super().__init__(message)
        self.reason = reason


class AdminActionError(PermanentError):
    """An administrator at the other side must act first; `reason` is an id of the error catalogue."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class CursorExpiredError(PermanentError):
    """The vendor no longer knows our cursor: list the gap, then switch to a fresh one."""


class AlreadyExistsError(AppError):
    """A create met a document that is there: the work was done before, or by somebody else."""


class StaleWriteError(AppError):
    """A guarded write met a document that changed, or is gone, since it was read."""
