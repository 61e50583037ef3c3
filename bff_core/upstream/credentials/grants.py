"""Tokens that a provider gives to the gateway: kept while they are good, asked for once."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bff_core.call import Call
from bff_core.clock import Clock
from bff_core.errors import BFFError, NotAllowed
from bff_core.policy.credentials import ClientCredentials, TokenExchange
from bff_core.upstream.provider import ProviderUnavailable, basic, post, told_in
from bff_core.upstream.vault import CredentialsUnavailable, Vault

EARLY: Final = 0.8
"""The part of its life after which a token is replaced behind the calls that use it."""

MARGIN: Final = 5.0
"""Seconds before its end at which a token is not used any more."""

BRIEF: Final = 300.0
"""Seconds that a token is used of which the provider does not say for how long."""

SELDOM: Final = 1.0
"""Seconds between two questions for the same token, after one that was not answered."""


class GrantRefused(ProviderUnavailable):
    """The provider refuses the gateway, or what it asks for."""


class NotExchanged(NotAllowed):
    """The provider gives the viewer no token for a service."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A token, and the instants at which it is replaced, and ends."""

    token: str = field(repr=False)
    renew_at: float
    ends_at: float


class Grants:
    """The tokens of one policy, by name; one question at a time for each, whoever waits."""

    def __init__(
        self,
        vault: Vault,
        options: ClientCredentials | TokenExchange,
        clock: Clock,
        *,
        most: int = 1,
    ) -> None:
        self._options = options
        self._basic = basic(options.client_id, vault.secret(options.secret))
        self._vault = vault
        self._clock = clock
        self._most = most
        self._known: dict[str, Granted] = {}
        self._asking: dict[str, asyncio.Future[Granted]] = {}
        self._rest_until = 0.0

    async def get(self, name: str, asked: Mapping[str, str], call: Call) -> Granted:
        """Return a token that is good; raises `CredentialsUnavailable` where there is none."""
        known, now = self._known.get(name), self._clock()
        if known is not None and now < known.renew_at:
            return known
        if known is not None and now < known.ends_at - MARGIN:
            if now >= self._rest_until:
                self._ask(name, asked)
            return known
        try:
            return await asyncio.shield(self._ask(name, asked))
        except ProviderUnavailable as error:
            raise CredentialsUnavailable(str(error), call=call, attempts=0) from error

    def forget(self, name: str, token: str) -> None:
        """Drop a token that a service refused, unless it was replaced meanwhile."""
        known = self._known.get(name)
        if known is not None and known.token == token:
            del self._known[name]

    def _ask(self, name: str, asked: Mapping[str, str]) -> "asyncio.Future[Granted]":
        flight = self._asking.get(name)
        if flight is None:
            flight = self._asking[name] = asyncio.get_running_loop().create_future()
            self._vault.spawn(self._fly(name, asked, flight))
        return flight

    async def _fly(
        self, name: str, asked: Mapping[str, str], flight: "asyncio.Future[Granted]"
    ) -> None:
        failure: BFFError = ProviderUnavailable("the gateway is closing")
        try:
            flight.set_result(await self._granted(name, asked))
        except BFFError as error:
            failure, self._rest_until = error, self._clock() + SELDOM
        finally:
            del self._asking[name]
            if not flight.done():
                flight.set_exception(failure)
                flight.exception()  # looked at, whoever waits

    async def _granted(self, name: str, asked: Mapping[str, str]) -> Granted:
        service = self._vault.service(self._options.upstream)
        began = self._clock()
        reply = await post(service, self._options.path, asked, self._basic)
        told = told_in(reply)
        token = told.get("access_token")
        if reply.status == 400 and told.get("error") in {"invalid_grant", "invalid_request"}:
            raise NotExchanged("The provider gives no token for this.")
        if reply.status != 200 or not isinstance(token, str) or not token:
            raise GrantRefused(f"answered {reply.status} {told.get('error', '')}".rstrip())
        seconds = _seconds(told)
        granted = Granted(token, began + seconds * EARLY, began + seconds)
        self._known.pop(name, None)
        self._known[name] = granted
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        return granted


def _seconds(told: Mapping[str, object]) -> float:
    seconds = told.get("expires_in", BRIEF)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0:
        return BRIEF
    return float(seconds)
