"""Errors the caller can act on: the docstring is the message, the class is the HTTP status.

A *finding* is a fact about the world and is returned and stored, never raised. A *bug* asserts and rolls back.
"""

from __future__ import annotations


class EcmError(Exception):
    """Something went wrong that the caller can act on."""

    status = 500
    slug = "error"

    def __init__(self, detail: str = "", *, retry_after_seconds: int | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds

    @property
    def title(self) -> str:
        return (type(self).__doc__ or "").strip().splitlines()[0]

    @property
    def type(self) -> str:
        """The stable problem type of RFC 9457."""
        return f"/problems/{self.slug}"


class NotSignedIn(EcmError):
    """Sign in, or send a valid key, and try again."""

    status, slug = 401, "not-signed-in"


class NotPermitted(EcmError):
    """This account or key may not do that."""

    status, slug = 403, "not-permitted"


class Left(NotPermitted):
    """That care worker has left, and is shown nothing more. What they recorded before still arrives."""

    slug = "left"


class StepUpNeeded(NotPermitted):
    """Prove again that it is you, and send this once more."""

    slug = "step-up-needed"


class FinishSettingUp(NotPermitted):
    """Finish setting up how you sign in; until then nothing else is open."""

    slug = "finish-setting-up"


class LockedOut(NotPermitted):
    """You may not change that."""


class NotFound(EcmError):
    """There is no such thing here."""

    status, slug = 404, "not-found"


class Conflict(EcmError):
    """That contradicts what is already recorded."""

    status, slug = 409, "conflict"


class TooLarge(EcmError):
    """That is larger than this door takes; send it in parts."""

    status, slug = 413, "too-large"


class NotUnderstood(EcmError):
    """The request could not be understood; what was sent is described in detail."""

    status, slug = 422, "not-understood"


class TooMany(EcmError):
    """Too many requests; wait and send again."""

    status, slug = 429, "too-many"


class Unavailable(EcmError):
    """The service cannot answer just now; keep what you have and try again."""

    status, slug = 503, "unavailable"


class DatabaseAway(Unavailable):
    """The database is away; keep what you have and try again."""

    slug = "database-away"


class StoppedByFullDisk(DatabaseAway):
    """The database stopped because its disk is full; keep what you have and try again."""

    slug = "storage-full"


class StorageFull(Unavailable):
    """The database has no room left; keep what you have and try again."""

    slug = "storage-full"
