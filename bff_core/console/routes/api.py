"""The API of the API page: contracts of the gateways, proxied routes, and requests to them."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bff_core.console.answers import HEADERS, ConsoleProblem, answer, read_json
from bff_core.console.api.sent_request import MAX_ANSWER_SECONDS, check
from bff_core.console.commands.api import OPENAPI, PROXY, SCHEMA, SEND
from bff_core.console.console import Console
from bff_core.console.installation import INFO
from bff_core.console.model import GatewayInfo, Send, Sent

MARGIN: Final = 2.0
"""How much longer than a request its command may take (seconds)."""

SDL: Final = "text/plain; charset=utf-8"


def routes(console: Console) -> list[Route]:
    """Return the routes of this area."""

    def contract(command: str, media_type: str) -> Callable[[Request], Awaitable[Response]]:
        async def get(request: Request) -> Response:
            body = await console.sources.send_one(request.path_params["gateway"], command)
            return Response(body, headers=HEADERS, media_type=media_type)

        return get

    async def send(request: Request) -> Response:
        gateway = console.sources.get(request.path_params["gateway"]).name
        wanted = await read_json(request, Send)
        check(wanted)
        # Of one process only: another would carry out a write twice.
        found = await console.sources.send_all(gateway, INFO)
        if wanted.with_session and console.is_development:
            wanted.headers += _session_of(request, found.decoded(GatewayInfo)[:1])
        process = next((one.process for one in found.answered), "")
        body = msgspec.json.encode(wanted)
        answered = await console.sources.send_one(
            gateway, SEND, body, process=process, seconds=MAX_ANSWER_SECONDS + MARGIN
        )
        sent = msgspec.json.decode(answered, type=Sent)
        if not sent.status:
            raise ConsoleProblem(
                504,
                f"{gateway} did not answer",
                f"It took more than {MAX_ANSWER_SECONDS:g} seconds.",
            )
        return answer(sent)

    return [
        Route(
            "/gateways/{gateway}/openapi.json",
            contract(OPENAPI, "application/json"),
            methods=["GET"],
        ),
        Route("/gateways/{gateway}/proxy", contract(PROXY, "application/json"), methods=["GET"]),
        Route("/gateways/{gateway}/schema.graphql", contract(SCHEMA, SDL), methods=["GET"]),
        Route("/gateways/{gateway}/send", send, methods=["POST"]),
    ]


def _session_of(request: Request, gateway: Sequence[GatewayInfo]) -> Iterator[tuple[str, str]]:
    """Yield a header with the session cookie that the browser has for a gateway: no other cookie.

    Browsers send cookies to all ports of a host.
    """
    for kind in (kind for one in gateway for kind in one.credentials if kind.sign_in):
        value = request.cookies.get(kind.prefix.removesuffix("="))
        if value:
            yield "Cookie", f"{kind.prefix}{value}"
