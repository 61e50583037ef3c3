"""The admin endpoints of the cache: `POST /operator/purge`, `GET /operator/cache`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated

import msgspec

from bff_core.admin.actions import AdminAction, AdminActions
from bff_core.cache.response_cache import PurgeSource, ResponseCache
from bff_core.edge.json_errors import unreadable

MAX_TAGS = 1000
MAX_TAG_CHARACTERS = 1024

GetCache = Callable[[], ResponseCache]

AfterPurge = Callable[[Sequence[str]], Awaitable[None]]
"""Purges the same tags in other processes, and reports it."""


class PurgeRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a purge, which drops all entries with any of these tags."""

    tags: Annotated[
        list[Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TAG_CHARACTERS)]],
        msgspec.Meta(min_length=1, max_length=MAX_TAGS),
    ]


def cache_actions(cache: GetCache, after_purge: AfterPurge) -> AdminActions:
    """Return the endpoints that purge the cache and report its statistics."""

    async def act_purge(body: bytes) -> Mapping[str, object]:
        tags = tags_in(body)
        done = await purge(cache(), tags, "operator")
        await after_purge(tags)
        return done

    async def act_report(_: bytes) -> Mapping[str, object]:
        return cache().report()

    return {
        "/operator/purge": AdminAction("POST", act_purge),
        "/operator/cache": AdminAction("GET", act_report),
    }


def tags_in(body: bytes) -> list[str]:
    """Return the tags of a body, `{"tags": [...]}`; raises `InvalidInput` for any other body."""
    try:
        return list(msgspec.json.decode(body, type=PurgeRequest).tags)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(body, error, expected='{"tags": ["…"]}') from error


async def purge(cache: ResponseCache, tags: Sequence[str], by: PurgeSource) -> Mapping[str, object]:
    """Drop the entries with any of these tags, and return how many this process had."""
    return {"purged": list(tags), "dropped": await cache.purge(*tags, by=by)}
