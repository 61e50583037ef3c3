"""The API of requests: the list, one request, and the same request once more."""

import asyncio

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bff_core.console.answers import ConsoleProblem, answer, read_json
from bff_core.console.console import Console
from bff_core.console.installation import INFO
from bff_core.console.model import GatewayInfo, Live, PartBytes, Replay, Replayed, RequestDetail
from bff_core.console.origins.exchange import OriginsRequest
from bff_core.console.origins.from_process import origins_of
from bff_core.console.requests.captured import CapturedRequests
from bff_core.console.requests.detail import (
    IN_PRODUCTION,
    NO_BODY,
    NOT_CAPTURED,
    add_capture,
    detail_of,
)
from bff_core.console.requests.list import RequestFilter, listed
from bff_core.console.requests.received_bytes import add_received
from bff_core.console.requests.replay import REPLAY_SECONDS, SEND, ReplayAnswer, may_change
from bff_core.console.requests.store import RequestStore, StoredRequest
from bff_core.gateway.captures import Capture

ORIGIN_SECONDS = 2.0
"""How long a page waits for the parts that a body comes from."""

FoundParts = tuple[dict[str, str], list[PartBytes]]

MAX_LIVE_ROWS = 50
"""Requests in one message of the live stream; the rest is counted."""


class RequestNews:
    """Adds the requests since the last message to the live stream."""

    def __init__(self, store: RequestStore, captured: CapturedRequests | None = None) -> None:
        self._store = store
        self._captured = captured
        self._order = 0
        self._dropped = 0

    async def __call__(self, live: Live, is_all: bool) -> None:
        """Add the newest requests."""
        store = self._store
        if not is_all:
            await store.pull(is_fresh=True)
        since = 0 if is_all else self._order
        fresh = sorted((o for o in store.all() if o.order > since), key=lambda one: one.order)
        newest = sorted(fresh[-MAX_LIVE_ROWS:], key=lambda one: (one.row.time, one.order))
        live.requests += [one.row for one in newest]  # those of several processes by time
        if not is_all:
            live.rows_dropped += store.dropped - self._dropped + max(0, len(fresh) - MAX_LIVE_ROWS)
            self._order, self._dropped = store.order, store.dropped
            if self._captured is not None and fresh:
                await self._captured.read(fresh)


class _Requests:
    """The handlers of this area."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._store = RequestStore(console.sources)
        self._captured = CapturedRequests(console.sources)
        console.live.add(
            RequestNews(self._store, self._captured if console.is_development else None)
        )

    async def list(self, request: Request) -> Response:
        """Answer with the newest requests that match."""
        wanted = RequestFilter.of(request.query_params)
        self._console.sources.selected(wanted.gateway)
        await self._store.pull()
        return answer(listed(self._store, wanted, self._console.wall()))

    async def detail(self, request: Request) -> Response:
        """Answer with one request."""
        stored = await self._found(request)
        gateway = stored.row.gateway
        url = self._console.sources.get(gateway).url or str(request.base_url)
        found = detail_of(stored, url=url)
        run, request_id = self._console.run, stored.record.request_id
        if run is not None and request_id:
            found.logs = run.logs.page(request=request_id).lines
        if self._console.is_development:
            capture = await self._captured.get(stored)
            add_capture(found, capture, url=url, graphql=await self._graphql(gateway))
            if capture is not None and found.body and stored.record.screen:
                await self._add_origins(found, stored, capture)
        return answer(found)

    async def replay(self, request: Request) -> Response:
        """Send a request again."""
        stored, wanted = await self._found(request), await read_json(request, Replay)
        capture = None
        if self._console.is_development:
            capture = await self._captured.get(stored)
        if capture is None or capture.is_request_cut:
            why = NO_BODY if capture is not None else f"{NOT_CAPTURED} Use curl."
            raise ConsoleProblem(
                409,
                "This request can't be sent again",
                why if self._console.is_development else f"{IN_PRODUCTION} Use curl.",
            )
        gateway = stored.row.gateway
        if not wanted.confirm and may_change(capture, await self._graphql(gateway)):
            raise ConsoleProblem(
                409, "This request may change something", "Confirm to send it again."
            )
        self._console.audit(
            request, gateway, f"sent `{stored.row.method} {stored.row.route}` again"
        )
        body = await self._console.sources.send_one(
            gateway, SEND, msgspec.json.encode(capture), seconds=REPLAY_SECONDS + 1
        )
        found = msgspec.json.decode(body, type=ReplayAnswer)
        if not found.request_id:
            raise ConsoleProblem(
                503, "The gateway did not answer", "It is overloaded, or its route hangs."
            )
        await self._store.pull(is_fresh=True)
        return answer(Replayed(id=found.request_id))

    async def _add_origins(
        self, detail: RequestDetail, stored: StoredRequest, capture: Capture
    ) -> None:
        """Add which part each place of the body comes from, if that is known soon.

        It takes longer the first time, when a gateway's process learns it for a route.
        """
        wanted = OriginsRequest(
            method=capture.method,
            target=capture.target,
            span_id=stored.record.span_id,
            body=capture.request.decode("utf-8", "replace"),
            response=capture.response.decode("utf-8", "replace"),
        )
        found: list[FoundParts] = []

        async def find() -> None:
            found.append(await origins_of(self._console.sources, stored.row.gateway, wanted))

        await asyncio.wait({self._console.background.spawn(find())}, timeout=ORIGIN_SECONDS)
        if found:
            detail.origins, detail.bytes = found[0]
            add_received(detail.bytes, stored.record)

    async def _found(self, request: Request) -> StoredRequest:
        request_id = request.path_params["id"]
        one = self._store.get(request_id)
        if one is None:
            await self._store.pull(is_fresh=True)
            one = self._store.get(request_id)
        if one is None:
            raise ConsoleProblem(
                404,
                "This request is not stored",
                "Only the newest requests are; send it again, or look for its id in the logs.",
            )
        return one

    async def _graphql(self, gateway: str) -> str:
        """Return the path of a gateway's GraphQL endpoint; empty without one."""
        answers = await self._console.sources.send_all(gateway, INFO)
        return next((one.graphql for one in answers.decoded(GatewayInfo)), "")


def routes(console: Console) -> list[Route]:
    """Return the routes of this area."""
    requests = _Requests(console)
    return [
        Route("/requests", requests.list, methods=["GET"]),
        Route("/requests/{id}", requests.detail, methods=["GET"]),
        Route("/requests/{id}/replay", requests.replay, methods=["POST"]),
    ]
