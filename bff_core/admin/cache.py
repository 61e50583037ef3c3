"""The admin endpoints of the cache: `POST /operator/purge`, `GET /operator/cache`."""

from collections.abc import Callable, Mapping
from typing import Annotated

import msgspec

from bff_core.admin.actions import AdminAction, AdminActions
from bff_core.cache.response_cache import PurgeSource, ResponseCache
from bff_core.edge.json_errors import unreadable

MAX_TAGS = 1000
MAX_TAG_CHARACTERS = 1024

GetCache = Callable[[], ResponseCache]


class PurgeRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a purge, which drops all entries with any of these tags."""

    tags: Annotated[
        list[Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TAG_CHARACTERS)]],
        msgspec.Meta(min_length=1, max_length=MAX_TAGS),
    ]


def cache_actions(cache: GetCache) -> AdminActions:
    """Return the endpoints that purge the cache and report its statistics."""

    async def act_purge(body: bytes) -> Mapping[str, object]:
        return await purge(cache(), body, "operator")

    async def act_report(_: bytes) -> Mapping[str, object]:
        return cache().report()

    return {
        "/operator/purge": AdminAction("POST", act_purge),
        "/operator/cache": AdminAction("GET", act_report),
    }


async def purge(cache: ResponseCache, body: bytes, by: PurgeSource) -> Mapping[str, object]:
    """Drop the entries with the tags of a body, `{"tags": [...]}`.

    Raises `InvalidInput` for any other body.
    """
    try:
        tags = msgspec.json.decode(body, type=PurgeRequest).tags
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(body, error, expected='{"tags": ["…"]}') from error
    return {"purged": tags, "dropped": await cache.purge(*tags, by=by)}
