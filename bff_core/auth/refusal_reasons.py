"""Reasons why credentials are refused: fixed words for logs, without anything that was sent."""

from typing import Final

from bff_core.errors import ClientError

REFUSAL: Final = "The access token is not valid."
"""The detail of every 401 for an access token, whatever the reason."""

DEFAULT_REASON: Final = "refused"
"""The reason of a refusal whose authenticator names none."""


class CredentialsRefused(Exception):
    """A token is not accepted; the reason is logged, and never sent to the caller."""


def reason_of(error: BaseException | None) -> str:
    """Return the reason of a refusal; empty for an error that refuses no credentials.

    The reason of the token check that caused the error comes first.
    """
    if not isinstance(error, ClientError):
        return ""
    return str(error.__cause__) if isinstance(error.__cause__, CredentialsRefused) else error.reason


def name_refusal(error: ClientError, authenticator: str) -> None:
    """Set the authenticator that refused (the innermost one) and the reason of an error."""
    error.refused_by = error.refused_by or authenticator
    error.reason = reason_of(error) or DEFAULT_REASON
