"""The viewer's own access token, relayed unchanged."""

from collections.abc import Awaitable

from bff_core.cache.key import is_one_viewer
from bff_core.call import Call, Headers, ViewerToken
from bff_core.upstream.credentials.redacted_headers import AUTHORIZATION, bearer, token_in


class RelayedToken:
    """Adds each viewer's token; anonymous calls carry none."""

    __slots__ = ()

    names = AUTHORIZATION

    def __repr__(self) -> str:
        return "the viewer's token"

    def headers(self, call: Call) -> Headers | Awaitable[Headers]:
        """Return the header with the viewer's current token; nothing for an anonymous call."""
        token = viewer_token(call)
        return () if token is None else _current(token)

    async def replaced(self, call: Call, refused: Headers) -> Headers | None:
        """Return a header with another token of the viewer, if there is one."""
        token, sent = call.token, token_in(refused)
        other = None if token is None else await token.renewed(sent)
        return None if other is None or other == sent else bearer(other)


async def _current(token: ViewerToken) -> Headers:
    return bearer(await token.current())


def viewer_token(call: Call) -> ViewerToken | None:
    """Return the token of the viewer for whom a call is made; None for calls of several viewers.

    Several viewers, such as all anonymous ones, may share the reply to a call: one viewer's token
    must not decide what the others get.
    """
    token = call.token
    return token if token is not None and is_one_viewer(call.audience) else None
