"""Which media type answers, and what its status code means (GraphQL over HTTP, section 6)."""

from dataclasses import dataclass
from functools import lru_cache

from starlette.exceptions import HTTPException


@dataclass(frozen=True, slots=True)
class Medium:
    """A media type; where it `tells_status` a refused request is a 4xx, else 200 all the same."""

    content_type: bytes
    tells_status: bool


RESPONSE = Medium(b"application/graphql-response+json; charset=utf-8", tells_status=True)
JSON = Medium(b"application/json; charset=utf-8", tells_status=False)


@lru_cache(maxsize=128)
def medium_for(accept: str | None) -> Medium:
    """Return the media type that the client prefers; raise 406 where it takes neither.

    Without the header it is the one made for GraphQL; a wildcard gets plain JSON, as clients
    that do not know of the other expect.
    """
    if accept is None:
        return RESPONSE
    wanted = dict(map(_weighed, accept.lower().split(",")))
    anything = wanted.get("application/*", wanted.get("*/*", 0.0))
    response = wanted.get("application/graphql-response+json", 0.0)
    plain = wanted.get("application/json", anything)
    if not response and not plain:
        raise HTTPException(
            406, "Answers are application/graphql-response+json or application/json."
        )
    return RESPONSE if response >= plain else JSON


def _weighed(member: str) -> tuple[str, float]:
    kind, *parameters = (one.strip() for one in member.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            return kind, _weight(parameter[2:])
    return kind, 1.0


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
