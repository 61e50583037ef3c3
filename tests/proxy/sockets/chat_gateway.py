"""A gateway with one route, which passes web sockets on to the service `chat`."""

from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send

from bff_core import Policy, Upstream, gateway
from bff_core.http_exchange.request_context import SCOPE
from bff_core.policy.upstream.bulkhead import Bulkhead
from bff_core.policy.upstream.connection import Connection
from bff_core.proxy.socket_forwarding import forward_socket
from bff_core.proxy.sockets import Socket
from bff_core.upstream.forwarding import ForwardedRequest


class Chat(Upstream):
    """A service with many web sockets."""

    policy = Policy(
        bulkhead=Bulkhead(concurrent=10_000), connection=Connection(max_connections=10_000)
    )


app = gateway("chats", services=[Chat])


class Chats:
    """The application behind the route."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chat = app.running.services[Chat].bind(scope[SCOPE])
        request = ForwardedRequest(
            method="GET", target="/", audience=None, headers=tuple(scope["headers"])
        )
        await forward_socket(scope, receive, send, upstream=chat, request=request, options=Socket())


app.router.routes.append(WebSocketRoute("/chat", Chats()))
