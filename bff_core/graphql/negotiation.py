"""Which media type answers, and what its status code means (GraphQL over HTTP, section 6)."""

from dataclasses import dataclass
from functools import lru_cache

from starlette.exceptions import HTTPException

from bff_core.edge.negotiation import preferred


@dataclass(frozen=True, slots=True)
class Medium:
    """A media type; where it `tells_status` a refused request is a 4xx, else 200 all the same."""

    content_type: bytes
    tells_status: bool


RESPONSE = Medium(b"application/graphql-response+json; charset=utf-8", tells_status=True)
JSON = Medium(b"application/json; charset=utf-8", tells_status=False)


_BY_TYPE = {medium.content_type.partition(b";")[0]: medium for medium in (JSON, RESPONSE)}
_TYPES = tuple(_BY_TYPE)


@lru_cache(maxsize=128)
def medium_for(accept: str | None) -> Medium:
    """Return the media type that the client prefers; raise 406 where it takes neither.

    Without the header it is the one made for GraphQL; a wildcard gets plain JSON, as clients
    that do not know of the other expect. Of two that are named with equal weights the first wins.
    """
    if not accept:
        return RESPONSE
    found = preferred(accept.encode("latin-1"), _TYPES)
    if found is None:
        raise HTTPException(
            406, "Answers are application/graphql-response+json or application/json."
        )
    return _BY_TYPE[found]
