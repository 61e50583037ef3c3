"""The viewer's own token, shown as it is."""

from bff_core.cache.key import is_one_viewer
from bff_core.call import Call, Headers, ViewerToken
from bff_core.upstream.credentials.redacted_headers import AUTHORIZATION, bearer, token_in


class RelayedToken:
    """Shows each viewer's token; calls for nobody go without, and the service says what it may."""

    __slots__ = ()

    names = AUTHORIZATION

    def __repr__(self) -> str:
        return "the viewer's token"

    def ready(self, call: Call) -> Headers | None:
        """Return nothing for nobody; a token is to be asked for."""
        return () if viewers(call) is None else None

    async def fetched(self, call: Call) -> Headers:
        """Return the token as it is now."""
        token = call.token
        return () if token is None else bearer(await token.current())

    async def replaced(self, call: Call, refused: Headers) -> Headers | None:
        """Return another token of the viewer, where there is one."""
        token, shown = call.token, token_in(refused)
        other = None if token is None else await token.renewed(shown)
        return None if other is None or other == shown else bearer(other)


def viewers(call: Call) -> ViewerToken | None:
    """Return the token of the one viewer for whom a call is made.

    Where several share their replies, as all guests do, nobody's token is shown: the next one
    would be answered with what was told to the first.
    """
    token = call.token
    return token if token is not None and is_one_viewer(call.audience) else None
