"""Sends the request of a screen to a gateway, and measures the answer."""

import asyncio
import gzip
import http.client
import inspect
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from bff_core.cli.environment import address_of
from bff_core.cli.errors import CannotRun, CommandFailed
from bff_core.cli.gateways import LoadedGateway
from bff_core.composition.wiring import shape_of
from bff_core.events import AnyEvent, Attempted, Events
from bff_core.inspection.explanation import requests_of
from bff_core.inspection.routes import RouteDescription
from bff_core.testing.gateway_client import running
from bff_core.upstream.configured_addresses import urls_of

Send = Callable[[str, str, bytes], Awaitable[tuple[int, Mapping[str, str], bytes]]]
"""Sends a method, a target and a body; returns status, headers and body."""

MAX_DEPTH: Final = 6
"""Levels of objects that a query of all fields has at most."""

TIMEOUT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenAnswer:
    """What a client gets of a screen: the size of each field and of the answer, in bytes.

    `calls` are those that services received, None if they are unknown. `problem` says why there is
    no answer; all else is empty then. `missing` are inputs without which there can be none.
    """

    gateway: str
    title: str
    size: int = 0
    compressed: int = 0
    fields: Mapping[str, int] = field(default_factory=dict)
    leaves: int = 0
    calls: tuple[str, ...] | None = None
    degraded: str = ""
    problem: str = ""
    missing: tuple[str, ...] = ()


@asynccontextmanager
async def in_process(
    loaded: LoadedGateway, headers: Mapping[str, str]
) -> AsyncIterator[tuple[Send, list[str]]]:
    """Run a gateway in this process; yield how to send requests to it, and the calls it makes."""
    calls: list[str] = []

    def count(event: AnyEvent) -> None:
        if isinstance(event, Attempted):
            calls.append(f"{event.upstream}  {event.operation}")

    app = loaded.app
    app.configure(replace(app.config, events=Events(count)))
    async with running(app, headers=headers) as client:

        async def send(
            method: str, target: str, body: bytes
        ) -> tuple[int, Mapping[str, str], bytes]:
            kind = {"content-type": "application/json"} if body else {}
            reply = await client.request(method, target, content=body, headers=kind)
            return reply.status_code, reply.headers, reply.content

        yield send, calls


def to_running(loaded: LoadedGateway, headers: Mapping[str, str]) -> Send:
    """Return how to send requests to a gateway that runs at its port."""
    if loaded.entry is None:
        raise CannotRun(f"{loaded.name} has no port: --live takes gateways of [tool.bff]")
    url = urlsplit(address_of(loaded.entry))

    def exchange(method: str, target: str, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        connection = http.client.HTTPConnection(
            url.hostname or "", url.port, timeout=TIMEOUT_SECONDS
        )
        kind = {"content-type": "application/json"} if body else {}
        try:
            connection.request(method, target, body or None, {**headers, **kind})
            reply = connection.getresponse()
            fields = {name.lower(): value for name, value in reply.getheaders()}
            return reply.status, fields, reply.read()
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise CommandFailed(
                f"{loaded.name} does not answer at port {url.port} ({reason}): start it with "
                "bff dev, or compare without --live"
            ) from None
        finally:
            connection.close()

    async def send(method: str, target: str, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        return await asyncio.to_thread(exchange, method, target, body)

    return send


async def answer_of(
    loaded: LoadedGateway,
    route: RouteDescription,
    send: Send,
    given: Mapping[str, str],
    calls: list[str] | None,
) -> ScreenAnswer:
    """Return what a client gets from a route; `given` are its inputs."""
    title = f"{route.title} (all fields)" if route.kind == "field" else f"GET {route.path}"
    try:
        if route.kind == "field":
            sent = await _queried(loaded, route, send, given, calls)
        else:
            sent = await send("GET", _target(route, given), b"")
    except LookupError as error:
        options = " ".join(f"--set {name}=VALUE" for name in error.args)
        return ScreenAnswer(
            gateway=loaded.name, title=title, problem=f"add {options}", missing=error.args
        )
    status, headers, body = sent
    value, problem = _value(status, body, route)
    if problem:
        return ScreenAnswer(gateway=loaded.name, title=title, problem=problem)
    states = headers.get("part-status", "")
    return ScreenAnswer(
        gateway=loaded.name,
        title=title,
        size=len(body),
        compressed=len(gzip.compress(body, 6)),
        fields={name: len(msgspec.json.encode(one)) for name, one in value.items()},
        leaves=len(set(_leaves(value))),
        calls=None if calls is None else tuple(sorted(set(calls))),
        degraded=", ".join(one for one in states.split(", ") if one and "=ok" not in one),
    )


def _target(route: RouteDescription, given: Mapping[str, str]) -> str:
    """Return path and query of a request; raise `LookupError` with the inputs that are missing."""
    names = re.findall(r"\{(\w+)\}", route.path)
    missing = [name for name in names if name not in given]
    if missing:
        raise LookupError(*missing)
    path = re.sub(r"\{(\w+)\}", lambda found: quote(given[found[1]], safe=""), route.path)
    known = {one.name for screen in route.screens for one in shape_of(screen).inputs}
    if route.function is not None:
        known |= {*inspect.signature(route.function).parameters}
    query = {name: one for name, one in given.items() if name in known and name not in names}
    return f"{path}?{urlencode(query)}" if query else path


async def _queried(
    loaded: LoadedGateway,
    route: RouteDescription,
    send: Send,
    given: Mapping[str, str],
    calls: list[str] | None,
) -> tuple[int, Mapping[str, str], bytes]:
    """Send a query of all fields, as deep as the gateway accepts."""
    # Imported here because gateways without GraphQL need no library of it.
    from bff_core.inspection.graphql_fields import query_of, root_field  # noqa: PLC0415 # see above

    path, one = root_field(loaded.app, route.path)
    for depth in range(MAX_DEPTH, 0, -1):
        if calls is not None:
            calls.clear()
        query = msgspec.json.encode({"query": query_of(one, given, depth)})
        sent = await send("POST", path, query)
        if sent[0] == 200 and b'"data"' in sent[2]:
            break
    return sent


def _value(status: int, body: bytes, route: RouteDescription) -> tuple[dict[str, Any], str]:
    """Return the object that the client gets, or why there is none."""
    try:
        decoded = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}, f"{status}, not JSON"
    if isinstance(decoded, dict) and status == 200 and route.kind == "field":
        found = (decoded.get("data") or {}).get(route.path.rpartition(".")[2])
        if found is None:
            errors = decoded.get("errors") or [{}]
            return {}, f"null: {errors[0].get('message', 'no reason given')}"
        decoded = found
    if status != 200:
        reason = decoded.get("detail") or decoded.get("title") if isinstance(decoded, dict) else ""
        return {}, f"{status} {reason or ''}".strip()
    return (decoded if isinstance(decoded, dict) else {"(all)": decoded}), ""


def _leaves(value: object, path: str = "") -> Iterator[str]:
    """Yield the paths of fields without fields inside; those of all items of a list are one."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _leaves(one, f"{path}.{name}")
    elif isinstance(value, list) and value:
        for one in value:
            yield from _leaves(one, f"{path}[]")
    else:
        yield path


def services_down(loaded: LoadedGateway, route: RouteDescription) -> list[str]:
    """Return the services of a route that accept no connection."""
    kinds = dict.fromkeys(one.service for one in requests_of(route.find_step()))
    settings = loaded.app.settings
    first = {kind.name: next(iter(urls_of(kind, settings)), "") for kind in kinds}
    return [name for name, url in first.items() if url.startswith("http") and not _is_up(url)]


def _is_up(address: str) -> bool:
    url = urlsplit(address)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        socket.create_connection((url.hostname or "", port), 2.0).close()
    except OSError:
        return False
    return True
