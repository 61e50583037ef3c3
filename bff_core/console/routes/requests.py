"""The API of requests: the list, one request, and the same request once more."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bff_core.console.answers import ConsoleProblem, answer
from bff_core.console.app import Console
from bff_core.console.model import Live
from bff_core.console.request_detail import detail_of
from bff_core.console.request_list import RequestFilter, listed
from bff_core.console.request_store import RequestStore, StoredRequest

MAX_LIVE_ROWS = 50
"""Requests in one message of the live stream; the rest is counted."""


class RequestNews:
    """Adds the requests since the last message to the live stream."""

    def __init__(self, store: RequestStore) -> None:
        self._store = store
        self._order = 0
        self._dropped = 0

    async def __call__(self, live: Live, is_all: bool) -> None:
        """Add the newest requests."""
        store = self._store
        if not is_all:
            await store.pull(is_fresh=True)
        since = 0 if is_all else self._order
        fresh = sorted((o for o in store.all() if o.order > since), key=lambda one: one.order)
        live.requests += [one.row for one in fresh[-MAX_LIVE_ROWS:]]
        if not is_all:
            live.rows_dropped += store.dropped - self._dropped + max(0, len(fresh) - MAX_LIVE_ROWS)
            self._order, self._dropped = store.order, store.dropped


def routes(console: Console) -> list[Route]:
    """Return the routes of this area."""
    store = RequestStore(console.sources)
    console.put(store)
    console.live.add(RequestNews(store))

    async def get_list(request: Request) -> Response:
        wanted = RequestFilter.of(request.query_params)
        console.sources.selected(wanted.gateway)
        await store.pull()
        return answer(listed(store, wanted, console.wall()))

    async def get_one(request: Request) -> Response:
        stored = await found(request)
        url = console.sources.get(stored.row.gateway).url
        return answer(detail_of(stored, url=url or str(request.base_url)))

    async def found(request: Request) -> StoredRequest:
        request_id = request.path_params["id"]
        one = store.get(request_id)
        if one is None:
            await store.pull(is_fresh=True)
            one = store.get(request_id)
        if one is None:
            raise ConsoleProblem(
                404,
                "This request is not stored",
                "Only the newest requests are; send it again, or look for its id in the logs.",
            )
        return one

    return [
        Route("/requests", get_list, methods=["GET"]),
        Route("/requests/{id}", get_one, methods=["GET"]),
    ]
