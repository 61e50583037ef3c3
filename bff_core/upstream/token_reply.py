"""Reads what token endpoints answer: lifetimes, and errors of OAuth with what they mean."""

import re
from collections.abc import Mapping
from enum import Enum
from math import isfinite
from typing import Final

DEFAULT_LIFETIME: Final = 300.0
"""Seconds that a token is used whose provider does not say for how long (RFC 6749, section 5.1)."""

SHORTEST_LIFETIME: Final = 1.0
LONGEST_LIFETIME: Final = 366 * 86_400.0
"""Bounds of what a provider says of the lifetime of an access token, in seconds."""

GRANT_ERRORS: Final = frozenset({
    # RFC 6749, section 5.2 and 4.1.2.1
    "invalid_grant", "access_denied", "invalid_scope",
    # OpenID Connect Core, section 3.1.2.6; Unmet Authentication Requirements; RFC 9470
    "interaction_required", "login_required", "consent_required", "account_selection_required",
    "unmet_authentication_requirements", "insufficient_user_authentication",
    # RFC 6750, RFC 8628
    "invalid_token", "expired_token",
})  # fmt: skip
"""Errors that say: this grant is over, its user has to sign in again."""

CLIENT_ERRORS: Final = frozenset({
    # RFC 6749, section 5.2; RFC 8707; RFC 9449
    "invalid_request", "invalid_client", "unauthorized_client", "unsupported_grant_type",
    "invalid_target", "invalid_dpop_proof", "use_dpop_nonce",
    # not registered, but sent by providers for a client that they do not know
    "unauthorized", "incorrect_client_credentials", "invalid_client_credentials",
})  # fmt: skip
"""Errors that say: this gateway is registered or set up wrongly; no user can mend that."""

OUTAGE_ERRORS: Final = frozenset({
    "server_error", "temporarily_unavailable", "slow_down", "authorization_pending",
    "too_many_requests", "rate_limit_exceeded", "internal_error", "internal_server_error",
    "service_unavailable", "timeout",
})  # fmt: skip
"""Errors that say: try again later."""

TOO_MANY_REQUESTS: Final = 429

_is_code: Final = re.compile(r"[a-z][a-z0-9_.-]{0,63}").fullmatch
_is_decimal: Final = re.compile(r"[0-9]{1,300}(?:\.[0-9]{0,300})?").fullmatch


class TokenErrorMeaning(Enum):
    """What follows from an answer of a token endpoint that gave no token."""

    REFUSED = "refused"
    """The grant is over."""

    MISCONFIGURED = "misconfigured"
    """The provider does not take this gateway for its client, or not for this."""

    OUTAGE = "outage"
    """Nothing is known of the grant."""


def verdict_of(status: int, error: str) -> TokenErrorMeaning:
    """Return what an answer means by its status and its OAuth error.

    A known error counts whatever the status is, since providers differ: 400, 401, 403, 200, 500.
    429 is about the rate of requests, never about the grant. An error that is not known refuses
    the grant where OAuth has its errors (200, 400, 401, 403), and nothing elsewhere: a proxy's
    404 is no word of the provider.
    """
    if error in CLIENT_ERRORS:
        return TokenErrorMeaning.MISCONFIGURED
    if not error or status == TOO_MANY_REQUESTS or error in OUTAGE_ERRORS:
        return TokenErrorMeaning.OUTAGE
    if error in GRANT_ERRORS or status in {200, 400, 401, 403}:
        return TokenErrorMeaning.REFUSED
    return TokenErrorMeaning.OUTAGE


def reason_of(status: int, error: str) -> str:
    """Return why there is no token, for logs: a known error, else the status.

    An error that is not known may be anything, also a secret that was sent.
    """
    is_known = error in GRANT_ERRORS or error in CLIENT_ERRORS or error in OUTAGE_ERRORS
    return error if is_known else f"status_{status}"


def error_in(answer: Mapping[str, object]) -> str:
    """Return the OAuth error of an answer; empty where it has none, or a sentence for one."""
    error = answer.get("error")
    code = error.strip().lower() if isinstance(error, str) else ""
    return code if _is_code(code) else ""


def seconds_in(value: object) -> float | None:
    """Return a number of seconds that a provider wrote as a number, or as its digits.

    None for what says nothing: null, true, NaN, an infinite number, words.
    """
    if isinstance(value, str):
        digits = value.strip()
        return float(digits) if _is_decimal(digits) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:  # an integer of hundreds of digits
        return None
    return seconds if isfinite(seconds) else None


def lifetime_in(answer: Mapping[str, object]) -> float:
    """Return for how many seconds an access token is used.

    A number, or its digits as text, counts. Five minutes where there is none, or one that would
    mean that the token has ended already: the refresh token that it came for is spent.
    """
    seconds = seconds_in(answer.get("expires_in"))
    if seconds is None or seconds <= 0:
        return DEFAULT_LIFETIME
    return min(max(seconds, SHORTEST_LIFETIME), LONGEST_LIFETIME)
