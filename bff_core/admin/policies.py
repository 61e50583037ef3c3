"""The admin endpoint that reloads the policy file: `POST /operator/policies`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from bff_core.admin.actions import AdminAction, AdminActions
from bff_core.errors import ConfigurationError, InvalidInput

Reload = Callable[[], Awaitable[Sequence[str]]]
"""Reloads the policies and returns what changed; raises `ConfigurationError`."""


def policy_actions(reload: Reload) -> AdminActions:
    """Return the endpoint that reloads the policy file."""

    async def act(_: bytes) -> Mapping[str, object]:
        try:
            return {"changed": list(await reload())}
        except ConfigurationError as error:
            raise InvalidInput(str(error)) from error

    return {"/operator/policies": AdminAction("POST", act)}
