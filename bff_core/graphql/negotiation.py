"""Content negotiation: the media type of answers (GraphQL over HTTP, section 6)."""

from dataclasses import dataclass
from functools import lru_cache

from starlette.exceptions import HTTPException

from bff_core.policy.edge.negotiation import preferred


@dataclass(frozen=True, slots=True)
class Medium:
    """A media type; with `has_error_status`, requests that are not executed get a 4xx, else 200."""

    content_type: bytes
    has_error_status: bool


RESPONSE = Medium(b"application/graphql-response+json; charset=utf-8", has_error_status=True)
JSON = Medium(b"application/json; charset=utf-8", has_error_status=False)


_BY_TYPE = {medium.content_type.partition(b";")[0]: medium for medium in (JSON, RESPONSE)}
_TYPES = tuple(_BY_TYPE)


@lru_cache(maxsize=128)
def medium_for(accept: str | None) -> Medium:
    """Return the media type that the client prefers; raise 406 if it accepts neither.

    Without the header it is GraphQL's own type. A wildcard gets plain JSON, which is what clients
    that do not know GraphQL's type expect. Of two types with equal weights the first is chosen.
    """
    if not accept:
        return RESPONSE
    found = preferred(accept.encode("latin-1"), _TYPES)
    if found is None:
        raise HTTPException(
            406, "Answers are application/graphql-response+json or application/json."
        )
    return _BY_TYPE[found]
