"""Sets of HTTP statuses, each with its source."""

from collections.abc import Mapping
from typing import Final

WITHOUT_BODY: Final = frozenset({204, 304})
"""A response with one of these ends after its head, whatever its fields (RFC 9112, 6.3)."""

WITHOUT_CONTENT: Final = WITHOUT_BODY | {205}
"""A response with one of these has no content (RFC 9110, 15.3.5, 15.3.6 and 15.4.5)."""

WITH_LOCATION: Final = frozenset({201, 202, 303})
"""`Location` is where the result of a write is, or will be (RFC 9110, section 15)."""

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
"""`Location` is where to send the request instead (RFC 9110, section 15.4)."""

UNCHANGED: Final = frozenset({200, 304})
"""The answers to a conditional read of what exists (RFC 9110, section 13.2.2)."""

NOT_ADMITTED: Final = frozenset({401, 403})
"""The caller is refused, which says nothing about services (RFC 9110, 15.5.2 and 15.5.4)."""

ABSENT: Final = frozenset({404, 410})
"""There is no such resource (RFC 9110, sections 15.5.5 and 15.5.11)."""

TRY_LATER: Final = frozenset({408, 425, 429})
"""The request may succeed later (RFC 9110, section 15.5.9; RFC 8470; RFC 6585)."""

FAILED_SERVICE: Final = frozenset({502, 503, 504})
"""A gateway answers with these if a service fails (RFC 9110, section 15.6)."""

STALE_IF_ERROR: Final = frozenset({500, 502, 503, 504})
"""A stale reply may be served in place of these (RFC 5861, section 4)."""

RETRYABLE: Final = STALE_IF_ERROR | {429}
"""The default of `Retry.statuses`; a 429 is retried only if it has a Retry-After."""

DECIDED: Final = frozenset({402, 404, 409, 410, 422})
"""The service has refused the request: the same key gets the same answer again."""

DECIDED_IN_JSON: Final = DECIDED | {400}
"""`DECIDED` for a service that answers in JSON: its 400 does not come from a proxy."""

PASSES_THROUGH: Final = DECIDED | {412, 423}
"""The default of `Upstream.passes_through`: a service's statuses that clients get.

They answer the client's request. 400, 401, 403 and 429 are about the gateway's request: its
mistake, its credentials, its rate.
"""

OF_THE_CALLER: Final = frozenset({401, 403, 406, 415, 429})
"""About the credentials, the headers and the rate of the caller."""

OF_PROBLEMS: Final = frozenset(
    {400, 401, 402, 403, 404, 409, 410, 412, 413, 415, 422, 423, 429, 500, 502, 503, 504}
)
"""Those for which the framework documents problem codes."""

HEURISTICALLY_CACHEABLE: Final = frozenset({200, 203, 204, 300, 301, 308, 404, 405, 410, 414})
"""May be stored without an explicit lifetime (RFC 9110, section 15.1).

Only these get the lifetime of a policy. 206 is left out as it is partial, 501 as it is a failure.
"""

UNDERSTOOD: Final = HEURISTICALLY_CACHEABLE | {
    *(302, 303, 307, 400, 401, 402, 403, 406, 407, 408, 409),
    *(411, 412, 413, 415, 416, 417, 421, 422, 426),
}
"""Statuses that the cache understands, for must-understand (RFC 9111, section 5.2.2.3)."""

NEVER_STORED: Final = frozenset({304, 428, 429, 431})
"""304 updates a stored reply; the others must not be stored (RFC 6585)."""

CLIENT_ERROR_TITLES: Final[Mapping[int, str]] = {
    400: "Bad request",
    401: "Not authenticated",
    402: "Payment required",
    403: "Not allowed",
    404: "Not found",
    406: "Not acceptable",
    409: "Conflict",
    410: "Gone",
    412: "Precondition failed",
    413: "Content too large",
    415: "Unsupported media type",
    416: "Range not satisfiable",
    422: "Unprocessable content",
    423: "Locked",
    424: "Failed dependency",
    425: "Too early",
    428: "Precondition required",
    429: "Too many requests",
    451: "Unavailable for legal reasons",
}
"""The statuses that a service's error may pass to a client, with the titles of problem details.

The other 4xx (405, 408, 431 ...) are about the message between gateway and service: a client can
do nothing about them.
"""

INSTEAD_OF_502: Final[Mapping[int, int]] = {429: 503, 503: 503, 504: 504}
"""The client's status for a service's status that is not passed through; 502 for any other."""
