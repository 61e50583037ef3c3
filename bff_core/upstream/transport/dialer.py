"""Opens connections: TCP, then TLS, within `connect_timeout` and the call's deadline.

If an address refuses, the next address of the host is tried within the same time.
"""

import asyncio
import ssl
from typing import Final

from bff_core.call import Call
from bff_core.errors import DeadlineExceeded, TransportFailed
from bff_core.policy.upstream.connection import Connection
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.transport.connection import Owner, WireConnection
from bff_core.upstream.transport.interface import Endpoint
from bff_core.upstream.transport.tls import reason_of

LIFETIME_JITTER: Final = 0.2
"""The largest share by which a lifetime is reduced at random, so that not all end at once."""


class Dialer:
    """Opens connections to one endpoint; errors are those of a call that was not sent."""

    def __init__(
        self,
        endpoint: Endpoint,
        options: Connection,
        runtime: Runtime,
        context: ssl.SSLContext | None,
    ) -> None:
        self._endpoint = endpoint
        self._options = options
        self._runtime = runtime
        self._context = context
        self._addresses = [
            endpoint.address,
            *endpoint.fallbacks,
        ]  # the last one that worked is first

    async def dial(self, owner: Owner, call: Call) -> WireConnection:
        """Return a new connection; raise `TransportFailed` or `DeadlineExceeded`."""
        left = call.deadline - self._runtime.clock()
        try:
            async with asyncio.timeout(min(self._options.connect_timeout, left)):
                return await self._connect(owner)
        except TimeoutError as error:
            self._addresses.append(self._addresses.pop(0))
            if left <= self._options.connect_timeout:
                message = "not connected in time"
                raise DeadlineExceeded(message, call=call, is_sent=False) from error
            message = f"not connected within {self._options.connect_timeout} s"
            raise TransportFailed(message, call=call, is_sent=False) from error
        except OSError as error:
            raise self._failed(error, call) from error

    def _failed(self, error: OSError, call: Call) -> TransportFailed:
        where, reason = self._endpoint.name, reason_of(error)
        if reason is None:
            message = f"can't connect to {where}: {error}"
            return TransportFailed(message, call=call, is_sent=False)
        message = f"TLS with {where} failed: {reason.text} ({error})"
        return TransportFailed(message, call=call, is_sent=False, code=reason.code, is_lasting=True)

    async def _connect(self, owner: Owner) -> WireConnection:
        """Connect to the first address that accepts."""
        failed: list[OSError] = []
        for address in [*self._addresses]:
            try:
                connection = await self._connect_to(address, owner)
            except ssl.SSLError:
                raise
            except OSError as error:
                failed.append(error)
                continue
            if failed:
                self._addresses.remove(address)
                self._addresses.insert(0, address)
            return connection
        raise failed[0] if len(failed) == 1 else OSError("; ".join(map(str, failed)))

    async def _connect_to(self, address: str, owner: Owner) -> WireConnection:
        name = self._options.server_name or self._endpoint.host
        life = self._options.lifetime * (1 - LIFETIME_JITTER * self._runtime.chance())
        retires_at = self._runtime.clock() + life
        _, connection = await self._runtime.loop.create_connection(
            lambda: WireConnection(owner, self._runtime, retires_at),
            address,
            self._endpoint.port,
            ssl=self._context,
            server_hostname=name if self._context else None,
        )
        if self._context is not None:
            await _settle(connection)
        return connection


async def _settle(connection: WireConnection) -> None:
    try:
        await connection.settle()
    except BaseException:
        connection.abort()
        raise
