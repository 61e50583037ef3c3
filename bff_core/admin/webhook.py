"""The purge webhook: a service that knows a secret purges what it changed, `POST /hooks/purge`."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.admin.cache import GetCache, purge
from bff_core.admin.endpoints import MAX_BODY_BYTES, send_json
from bff_core.clock import Clock
from bff_core.edge.body_limit import whole
from bff_core.errors import ClientError, NotAllowed
from bff_core.exchange.context import exchange_of
from bff_core.policy.edge.webhook import SKEW, Signatures, SignedMessage
from bff_core.routing.path import path_of

PATH = "/hooks/purge"


class Webhook:
    """Beside the admin endpoints: serves `POST /hooks/purge`, signed as Standard Webhooks say.

    A message that was received before is answered and not acted upon. `wall` returns Unix time,
    the clock that senders and gateways share.
    """

    __slots__ = ("_app", "_cache", "_signatures", "_wall")

    def __init__(
        self, app: ASGIApp, *, secrets: Sequence[str], cache: GetCache, wall: Clock
    ) -> None:
        self._app = app
        self._cache = cache
        self._signatures = Signatures(secrets)
        self._wall = wall

    def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer a message; pass other requests on."""
        if scope["type"] != "http" or path_of(scope) != PATH:
            return self._app(scope, receive, send)
        return self._receive(scope, receive, send)

    async def _receive(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            raise HTTPException(405, headers={"allow": "POST"})
        message, now = _message(exchange_of(scope).fields.get), self._wall()
        if not message.is_timely(now):
            raise NotAllowed(f"The message was not signed within the last {SKEW / 60:.0f} minutes.")
        body = await whole(receive, scope, MAX_BODY_BYTES)
        if not self._signatures.match(message, body):
            raise NotAllowed("The signature is of no secret that is known here.")
        if self._signatures.has_seen(message, body, now):
            await send_json({"purged": [], "dropped": 0}, send)
            return
        done = await purge(self._cache(), body, "webhook")
        self._signatures.remember(message, body)
        await send_json(done, send)


def _message(field: Callable[[bytes, bytes], bytes]) -> SignedMessage:
    message = SignedMessage(
        field(b"webhook-id", b""),
        field(b"webhook-timestamp", b""),
        field(b"webhook-signature", b""),
    )
    if not message.is_readable:
        raise ClientError(
            "A message has webhook-id, webhook-timestamp (Unix time in seconds) and "
            "webhook-signature."
        )
    return message
