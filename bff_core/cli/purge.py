"""`bff purge`: removes cached entries by tag, through a gateway or in the shared cache."""

import asyncio
import http.client
import sys
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from bff_core.admin.cache import MAX_TAG_CHARACTERS, MAX_TAGS
from bff_core.background import Background
from bff_core.cache.stores.redis import RedisCacheStore
from bff_core.cli.environment import address_of, development_project, variables
from bff_core.cli.errors import CannotRun, CommandFailed
from bff_core.cli.event_loop import in_event_loop
from bff_core.cli.output import print_json
from bff_core.cli.project import find_project
from bff_core.clock import chance, monotonic
from bff_core.events import Events
from bff_core.redis.clients_by_url import RedisClients
from bff_core.settings.values import without_password

TOKEN: Final = "BFF_OPERATOR_TOKEN"  # noqa: S105 # the name of the variable

TIMEOUT_SECONDS: Final = 10.0


def through_gateway(tags: Sequence[str], *, gateway: str, url: str, as_json: bool) -> None:
    """Purge by the admin endpoint of a gateway, which reaches all processes that share its cache.

    Raises `CannotRun` without a token or an address, `CommandFailed` if the gateway refuses.
    """
    check_tags(tags)
    name = "" if url else gateway or _only_gateway()
    token = variables(name).get(TOKEN, "").strip()
    if not token:
        raise CannotRun(
            f"{TOKEN} is not set: set it to the token of the gateway (20 characters or more; "
            "without it, the gateway has no admin endpoints), or purge the shared cache itself: "
            "bff purge --store redis://HOST TAG"
        )
    address = url or address_of(development_project().gateway(name))
    status, answer = _posted(address, token, msgspec.json.encode({"tags": tags}))
    if status != 200:
        raise CommandFailed(_refusal(status, answer, address))
    dropped = answer.get("dropped", 0)
    if as_json:
        print_json(answer)
    else:
        entries = "1 entry" if dropped == 1 else f"{dropped} entries"
        sys.stdout.write(f"purged {', '.join(tags)}: {entries} of the process that answered\n")


@in_event_loop
async def in_store(tags: Sequence[str], *, store: str, as_json: bool) -> None:
    """Purge in the Redis that gateways share as their cache; all of them drop the entries."""
    check_tags(tags)
    if not store.startswith(("redis://", "rediss://")):
        raise CannotRun(f"--store {store!r}: give redis://HOST or rediss://HOST (BFF_CACHE_URL)")
    clients = RedisClients(clock=monotonic, chance=chance, events=Events())
    background = Background(asyncio.get_running_loop(), Events())
    try:
        shared = RedisCacheStore(
            clients.to(store), gateway="", spawn=background.spawn, clock=monotonic, chance=chance
        )
        await shared.purge(tags)
        await shared.aclose()
        is_done = not shared.has_pending_purges
    finally:
        await background.aclose()
        await clients.aclose()
    if not is_done:
        raise CommandFailed(
            f"{without_password(store)} is not answering: nothing is purged, try again"
        )
    if as_json:
        print_json({"purged": tags})
    else:
        sys.stdout.write(f"purged {', '.join(tags)} in {without_password(store)}\n")


def check_tags(tags: Sequence[str]) -> None:
    """Raise `CannotRun` for tags that no gateway accepts."""
    if len(tags) > MAX_TAGS:
        raise CannotRun(f"{len(tags)} tags: a purge takes {MAX_TAGS} at most")
    for tag in tags:
        if not tag or len(tag) > MAX_TAG_CHARACTERS:
            raise CannotRun(f"{tag[:20]!r} is no tag: it has 1 to {MAX_TAG_CHARACTERS} characters")


def _only_gateway() -> str:
    """Return the gateway of a project that has one; raise `CannotRun` for several."""
    gateways = find_project().gateways
    if len(gateways) == 1:
        return next(iter(gateways))
    raise CannotRun(
        f"which gateway? The project has {', '.join(gateways) or 'none'}: add --gateway NAME, or "
        "--url http://HOST:PORT"
    )


def _posted(address: str, token: str, body: bytes) -> tuple[int, Mapping[str, object]]:
    """Post a purge; return status and answer. Raises `CommandFailed` if nothing answers."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CannotRun(f"{address!r} is no address of a gateway: write http://HOST:PORT")
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    connection = _connection(parts)
    try:
        connection.request("POST", f"{parts.path.rstrip('/')}/operator/purge", body, headers)
        reply = connection.getresponse()
        return reply.status, _decoded(reply.read())
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise CommandFailed(
            f"no gateway answers at {address} ({reason}): start it with bff dev or bff serve, or "
            "name another address by --url"
        ) from None
    finally:
        connection.close()


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)


def _decoded(body: bytes) -> Mapping[str, object]:
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except msgspec.DecodeError:
        return {}


def _refusal(status: int, answer: Mapping[str, object], address: str) -> str:
    """Return why a gateway did not purge, and what to do."""
    if status == 401:
        return f"{address} refuses the token: set {TOKEN} to the one that the gateway has"
    if status == 404:
        return (
            f"{address} has no admin endpoint for purges: the gateway has no cache "
            f"(Policy(cache=Cache())), or runs without {TOKEN}"
        )
    detail = answer.get("detail") or answer.get("title") or "no reason given"
    return f"{address} answered {status}: {detail}"
