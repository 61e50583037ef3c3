"""Admin endpoints: the paths below `/operator`, and the token that they require."""

import json
from collections.abc import Awaitable, Mapping

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bff_core.admin.actions import AdminAction, AdminActions
from bff_core.admin.cache import AfterPurge, GetCache, cache_actions
from bff_core.admin.operator_token import OperatorToken
from bff_core.admin.policies import Reload, policy_actions
from bff_core.auth.authenticator import Authenticator, HasKeys, each_of
from bff_core.edge.body_limit import whole
from bff_core.edge.concern import HTTP_ONLY
from bff_core.http_exchange.request_context import RequestContext
from bff_core.routing.path import path_of

MAX_BODY_BYTES = 64 * 1024
"""The largest body that an admin endpoint or the webhook reads."""


def admin_actions(
    *,
    reload: Reload | None,
    cache: GetCache | None,
    after_purge: AfterPurge,
    authenticator: Authenticator | None,
    operations: AdminActions,
) -> AdminActions:
    """Return the admin endpoints for the policy file, the cache and the API keys of a gateway.

    `operations` are those of services and sagas.

    Endpoints for something that the gateway does not have are left out.
    """
    found: dict[str, AdminAction] = {**operations}
    if reload is not None:
        found |= policy_actions(reload)
    if cache is not None:
        found |= cache_actions(cache, after_purge)
    for one in each_of(authenticator):
        if isinstance(one, HasKeys):
            # The module is slow to import, and most gateways issue no keys.
            from bff_core.admin.api_keys import api_key_actions  # noqa: PLC0415 # see above

            found |= api_key_actions(one)
    return found


class AdminEndpoints:
    """After the limits by address: answers requests for the paths of `/operator`.

    Requests must have the operator token as a bearer token (RFC 6750). It identifies no viewer: no
    authenticator accepts it.
    """

    __slots__ = ("_actions", "_token")
    kinds = HTTP_ONLY

    def __init__(self, *, token: OperatorToken, actions: AdminActions) -> None:
        self._token = token
        self._actions = actions

    def check(self, context: RequestContext) -> Awaitable[Response] | None:
        """Answer the operator; requests for other paths pass."""
        action = self._actions.get(path_of(context.asgi))
        return None if action is None else self._run(action, context)

    async def _run(self, action: AdminAction, context: RequestContext) -> Response:
        self._token.check(context, "admin")
        if context.scope.method != action.method:
            raise HTTPException(405, headers={"allow": action.method})
        return json_response(
            await action.act(await whole(context.receive, context.asgi, MAX_BODY_BYTES))
        )


def json_response(content: Mapping[str, object]) -> Response:
    """Return the result of an action as JSON, with `Cache-Control: no-store`."""
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return Response(json.dumps(content), headers=headers)
