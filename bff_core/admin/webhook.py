"""The purge webhook: services invalidate the cache by a signed message, `POST /hooks/purge`."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bff_core.admin.cache import GetCache, purge, tags_in
from bff_core.admin.endpoints import MAX_BODY_BYTES, json_response
from bff_core.clock import Clock
from bff_core.edge.body_limit import whole
from bff_core.edge.concern import HTTP_ONLY
from bff_core.errors import ClientError, NotAllowed
from bff_core.http_exchange.request_context import RequestContext
from bff_core.policy.edge.webhook_signature import (
    MAX_SKEW_SECONDS,
    SignatureVerifier,
    SignedMessage,
)
from bff_core.routing.path import path_of

PURGE_PATH = "/hooks/purge"


class Webhook:
    """After the admin endpoints: answers `POST /hooks/purge`, signed as in Standard Webhooks.

    A message that was received before is answered, and purges nothing. `wall` returns Unix time,
    the clock that senders and gateways share.
    """

    __slots__ = ("_cache", "_signatures", "_wall")
    kinds = HTTP_ONLY

    def __init__(self, secrets: Sequence[str], *, cache: GetCache, wall: Clock) -> None:
        self._cache = cache
        self._signatures = SignatureVerifier(secrets)
        self._wall = wall

    def check(self, context: RequestContext) -> Awaitable[Response] | None:
        """Purge what the message of a service names; requests for other paths pass."""
        return self._purge(context) if path_of(context.asgi) == PURGE_PATH else None

    async def _purge(self, context: RequestContext) -> Response:
        if context.scope.method != "POST":
            raise HTTPException(405, headers={"allow": "POST"})
        message, now = _message(context.fields.get), self._wall()
        if not message.is_recent(now):
            raise NotAllowed(
                f"The message was not signed within the last {MAX_SKEW_SECONDS / 60:.0f} minutes."
            )
        body = await whole(context.receive, context.asgi, MAX_BODY_BYTES)
        if not self._signatures.match(message, body):
            raise NotAllowed("The signature matches none of the secrets of this gateway.")
        if self._signatures.is_replay(message, body, now):
            return json_response({"purged": [], "dropped": 0})
        done = await purge(self._cache(), tags_in(body), "webhook")
        self._signatures.remember(message, body)
        return json_response(done)


def _message(field: Callable[[bytes, bytes], bytes]) -> SignedMessage:
    message = SignedMessage(
        field(b"webhook-id", b""),
        field(b"webhook-timestamp", b""),
        field(b"webhook-signature", b""),
    )
    if not message.is_well_formed:
        raise ClientError(
            "A message has webhook-id, webhook-timestamp (Unix time in seconds) and "
            "webhook-signature."
        )
    return message
