"""The admin endpoints of the cache: `POST /operator/purge`, `GET /operator/cache`."""

from collections.abc import Callable, Mapping
from typing import Annotated, NoReturn

import msgspec

from bff_core.admin.actions import AdminAction, AdminActions
from bff_core.cache.response_cache import NO_CACHE, PurgeSource, ResponseCache
from bff_core.edge.json_errors import unreadable
from bff_core.errors import ConfigurationError

MAX_TAGS = 1000
MAX_TAG_CHARACTERS = 1024

GetCache = Callable[[], ResponseCache]


def no_cache() -> NoReturn:
    """Raise `ConfigurationError`: this gateway has no cache."""
    raise ConfigurationError(NO_CACHE)


class PurgeRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a purge: entries with any of these tags are dropped."""

    tags: Annotated[
        list[Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TAG_CHARACTERS)]],
        msgspec.Meta(min_length=1, max_length=MAX_TAGS),
    ]


def cache_actions(cache: GetCache) -> AdminActions:
    """Return the endpoints that purge the cache and report its figures."""

    async def act_purge(body: bytes) -> Mapping[str, object]:
        return await purge(cache(), body, "operator")

    async def act_report(_: bytes) -> Mapping[str, object]:
        return cache().report()

    return {
        "/operator/purge": AdminAction("POST", act_purge),
        "/operator/cache": AdminAction("GET", act_report),
    }


async def purge(cache: ResponseCache, body: bytes, by: PurgeSource) -> Mapping[str, object]:
    """Drop what a body names, `{"tags": [...]}`; raise `InvalidInput` where it names nothing."""
    try:
        tags = msgspec.json.decode(body, type=PurgeRequest).tags
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(body, error, expected='{"tags": ["…"]}') from error
    return {"purged": tags, "dropped": await cache.purge(*tags, by=by)}
