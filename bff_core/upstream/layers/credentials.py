"""Between bulkhead and attempt: adds credentials to calls, and renews refused ones once."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from bff_core.call import Call, Handler, Headers, Reply
from bff_core.errors import ConfigurationError, CredentialsUnavailable
from bff_core.events import Unauthorized
from bff_core.upstream.runtime import Credential, HasTokens, Runtime
from bff_core.upstream.state import CredentialState

T = TypeVar("T")

SPARE_SECONDS = 0.005
"""How long before its deadline a call stops waiting for a token.

If the deadline ended the wait, that would count as a failure of a service that was not called.
"""


class CredentialsLayer:
    """Adds the header fields of a `Credential` to each call.

    A service did not act on a call that it answered with 401. If there are other credentials, the
    call is therefore sent once more, whatever its method. A client's header of the same name is not
    forwarded.
    """

    __slots__ = ("_credential", "_names", "_runtime", "_timers", "inner")

    def __init__(
        self,
        credential: Credential,
        runtime: Runtime,
        inner: Handler,
    ) -> None:
        self.inner = inner
        self._credential = credential
        self._names = credential.names
        self._runtime = runtime
        self._timers = runtime.timers

    def __repr__(self) -> str:
        return f"credentials {self._credential!r}"

    def state(self) -> CredentialState:
        """Return what operators see: never the credentials."""
        credential = self._credential
        if isinstance(credential, HasTokens):
            return credential.state()
        return CredentialState(repr(credential))

    async def __call__(self, call: Call) -> Reply:
        """Pass the call on with credentials, and once more with others if they are refused."""
        if call.is_forwarded:
            call = call.without_headers(self._names)
        fields = self._fields(call)
        if not isinstance(fields, tuple):
            fields = await self._in_time(call, fields)
        if not fields:
            return await self.inner(call)
        reply = await self.inner(call.with_headers(fields))
        if reply.status != 401 or not call.can_be_sent_again:
            return reply
        try:
            others = await self._others(call, fields)
        except BaseException:
            await reply.aclose()
            raise
        if others is None:
            return reply
        await reply.aclose()
        return await self.inner(call.with_headers(others))

    def _fields(self, call: Call) -> Headers | Awaitable[Headers]:
        """Return the fields for a call; raise `ConfigurationError` if it has one of them."""
        names = self._names
        for name, _ in call.headers:
            if name in names:
                raise ConfigurationError(
                    f"{call.upstream}: {call.operation}: the header {name.decode('latin-1')!r} is "
                    "what the policy's credentials set: leave it out of the call, or call through "
                    "an upstream class without credentials"
                )
        return self._credential.headers(call)

    async def _others(self, call: Call, refused: Headers) -> Headers | None:
        others = await self._in_time(call, self._credential.replaced(call, refused))
        if self._runtime.events.sinks:
            is_sent_again = others is not None
            self._runtime.events.emit(
                Unauthorized(call.upstream, call.operation, is_sent_again, span=call.span)
            )
        return others

    async def _in_time(self, call: Call, wait: Awaitable[T]) -> T:
        """Wait until shortly before the call's deadline; raise `CredentialsUnavailable` then."""
        timer = self._timers.cancel_at(call.deadline - SPARE_SECONDS)
        try:
            return await wait
        except asyncio.CancelledError:
            if timer.uncancel():
                raise CredentialsUnavailable("no credentials in time", call=call) from None
            raise
        finally:
            self._timers.stop(timer)
