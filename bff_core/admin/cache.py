"""What an operator may have done: policies read again, answers purged, figures told."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, NoReturn

import msgspec

from bff_core.admin.endpoints import AdminAction
from bff_core.cache.response_cache import ResponseCache, Who
from bff_core.edge.json_errors import unreadable
from bff_core.errors import ConfigurationError, InvalidInput

MOST_TAGS = 1000
LONGEST_TAG = 1024

Read = Callable[[], Sequence[str]]
"""Reads the policies again and returns what changed; raises `ConfigurationError`."""

GetCache = Callable[[], ResponseCache]

AdminActions = Mapping[str, AdminAction]
"""By path."""


def no_cache() -> NoReturn:
    """Say that there is none."""
    raise ConfigurationError("nothing is kept here, so nothing can be purged")


class Purge(msgspec.Struct, forbid_unknown_fields=True):
    """What changed: answers that are known by any of these tags are forgotten."""

    tags: Annotated[
        list[Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_TAG)]],
        msgspec.Meta(min_length=1, max_length=MOST_TAGS),
    ]


def errands(*, read: Read | None, cache: GetCache | None) -> AdminActions:
    """Return what an operator may ask of a gateway with policies of a file, or with a cache."""
    found: dict[str, AdminAction] = {}
    if read is not None:
        found["/operator/policies"] = _reading(read)
    if cache is not None:
        found["/operator/purge"] = _purging(cache)
        found["/operator/cache"] = _showing(cache)
    return found


async def purge(cache: ResponseCache, body: bytes, by: Who) -> Mapping[str, object]:
    """Forget what a body names, `{"tags": [...]}`; raise `InvalidInput` where it names nothing."""
    try:
        tags = msgspec.json.decode(body, type=Purge).tags
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(body, error, expected='{"tags": ["…"]}') from error
    return {"purged": tags, "dropped": await cache.purge(*tags, by=by)}


def _reading(read: Read) -> AdminAction:
    async def act(_: bytes) -> Mapping[str, object]:
        try:
            return {"changed": list(read())}
        except ConfigurationError as error:
            raise InvalidInput(str(error)) from error

    return AdminAction("POST", act)


def _purging(cache: GetCache) -> AdminAction:
    async def act(body: bytes) -> Mapping[str, object]:
        return await purge(cache(), body, "operator")

    return AdminAction("POST", act)


def _showing(cache: GetCache) -> AdminAction:
    async def act(_: bytes) -> Mapping[str, object]:
        return cache().report()

    return AdminAction("GET", act)
