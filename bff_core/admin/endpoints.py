"""Admin endpoints: which there are, below `/operator`, and the token that they require."""

import json
from collections.abc import Awaitable, Mapping
from hmac import compare_digest

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.admin.actions import AdminAction, AdminActions
from bff_core.admin.cache import GetCache, cache_actions
from bff_core.admin.policies import ReadPolicies, policy_actions
from bff_core.auth.authenticator import Authenticator, HasKeys, each_of
from bff_core.edge.body_limit import whole
from bff_core.errors import NotAuthenticated
from bff_core.exchange.context import exchange_of
from bff_core.routing.path import path_of

MAX_BODY_BYTES = 64 * 1024
"""The largest body that an admin endpoint or the webhook reads."""


def admin_actions(
    *,
    read_policies: ReadPolicies | None,
    cache: GetCache | None,
    authenticator: Authenticator | None,
) -> AdminActions:
    """Return the admin endpoints of a gateway: only those that have something to act on."""
    found: dict[str, AdminAction] = {}
    if read_policies is not None:
        found |= policy_actions(read_policies)
    if cache is not None:
        found |= cache_actions(cache)
    for one in each_of(authenticator):
        if isinstance(one, HasKeys):
            # What issues keys is slow to import, and most gateways issue none.
            from bff_core.admin.api_keys import api_key_actions  # noqa: PLC0415 # see above

            found |= api_key_actions(one)
    return found


class AdminEndpoints:
    """Between the limits by address and authentication: serves the paths of `/operator`.

    The operator's token is sent as a bearer token (RFC 6750). It is not a viewer's: no
    authenticator takes it.
    """

    __slots__ = ("_actions", "_app", "_expected")

    def __init__(self, app: ASGIApp, *, token: str, actions: AdminActions) -> None:
        self._app = app
        self._expected = b"Bearer " + token.encode()
        self._actions = actions

    def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer a request to an admin endpoint; pass others on."""
        action = self._actions.get(path_of(scope))
        if action is None or scope["type"] != "http":
            return self._app(scope, receive, send)
        return self._run(action, scope, receive, send)

    async def _run(
        self, action: AdminAction, scope: ASGIScope, receive: Receive, send: Send
    ) -> None:
        exchange = exchange_of(scope)
        exchange.challenge = b"Bearer"
        given = exchange.fields.get(b"authorization", b"")
        if not compare_digest(given, self._expected):
            raise NotAuthenticated("This takes the operator's token.", reason="operator_token")
        if scope["method"] != action.method:
            raise HTTPException(405, headers={"allow": action.method})
        await send_json(await action.act(await whole(receive, scope, MAX_BODY_BYTES)), send)


async def send_json(content: Mapping[str, object], send: Send) -> None:
    """Send an answer as JSON that no cache stores."""
    body = json.dumps(content).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
