"""Why credentials were refused, for the log: a fixed word, and nothing that was sent."""

from typing import Final

from bff_core.errors import ClientError

OTHER: Final = "refused"
"""The reason of an authenticator that gives none."""


class CredentialsRefused(Exception):
    """A token is not accepted; the reason is for logs, never for the caller."""


def reason_of(error: BaseException | None) -> str:
    """Return the reason of a refusal; empty for an error that refuses no credentials.

    What a check of a token said goes before what was made of it.
    """
    if not isinstance(error, ClientError):
        return ""
    return str(error.__cause__) if isinstance(error.__cause__, CredentialsRefused) else error.reason


def name_refusal(error: ClientError, authenticator: str) -> None:
    """Note in a refusal which authenticator it is of, the innermost one, and its reason."""
    error.refused_by = error.refused_by or authenticator
    error.reason = reason_of(error) or OTHER
