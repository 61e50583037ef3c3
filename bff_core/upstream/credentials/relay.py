"""The viewer's own access token, relayed unchanged."""

from bff_core.cache.key import is_one_viewer
from bff_core.call import Call, Headers, ViewerToken
from bff_core.upstream.credentials.redacted_headers import AUTHORIZATION, bearer, token_in


class RelayedToken:
    """Adds each viewer's token. Anonymous calls carry none, and the service decides on them."""

    __slots__ = ()

    names = AUTHORIZATION

    def __repr__(self) -> str:
        return "the viewer's token"

    def ready(self, call: Call) -> Headers | None:
        """Return no header for an anonymous call, None for others: they wait for a token."""
        return () if viewer_token(call) is None else None

    async def fetched(self, call: Call) -> Headers:
        """Return the header with the current token."""
        token = call.token
        return () if token is None else bearer(await token.current())

    async def replaced(self, call: Call, refused: Headers) -> Headers | None:
        """Return a header with another token of the viewer, if there is one."""
        token, sent = call.token, token_in(refused)
        other = None if token is None else await token.renewed(sent)
        return None if other is None or other == sent else bearer(other)


def viewer_token(call: Call) -> ViewerToken | None:
    """Return the token of the one viewer for whom a call is made.

    Calls whose replies are shared by several viewers, as those of all anonymous viewers are, carry
    no token: the next viewer would get the reply to the first one's token.
    """
    token = call.token
    return token if token is not None and is_one_viewer(call.audience) else None
