"""The metadata of a provider: fetched once, refreshed hourly, used for a day during an outage."""

import asyncio

import pytest

from bff_core.call import Call, Reply
from bff_core.errors import ProviderUnavailable, UntrustedMetadata
from bff_core.events import Crashed
from bff_core.oauth.discovery import (
    MAX_AGE_SECONDS,
    REFRESH_SECONDS,
    RETRY_SECONDS,
    DiscoveryOptions,
    MetadataCache,
)
from bff_core.oauth.endpoint import document_service
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, Step, fail, reply
from bff_core.upstream.registry import UpstreamRegistry

pytestmark = pytest.mark.virtual_time

ISSUER = "https://id.example"
DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
}
WRONG = {**DOCUMENT, "issuer": "https://else.example"}


class Provider:
    """A metadata cache over a provider that answers by a script."""

    def __init__(self, *steps: Step) -> None:
        self.bench = LayerRuntime("identity")
        self.script = Scripted(*steps)
        registry = UpstreamRegistry(
            lambda _: ("http://10.0.0.1",),
            lambda _: self.bench.runtime,
            lambda *_: ScriptedTransport({"10.0.0.1": self.script}),
        )
        kind = document_service("identity")
        registry.adopt({kind: kind.policy})
        runtime = self.bench.runtime
        self.cache = MetadataCache(
            DiscoveryOptions(ISSUER, "identity"),
            registry.services,
            runtime.spawn,
            clock=runtime.clock,
            events=runtime.events,
        )

    @property
    def fetches(self) -> int:
        """How often the document was requested."""
        return len(self.script.calls)

    @property
    def reports(self) -> list[str]:
        """The errors that were logged."""
        return [str(event.error) for event in self.bench.events_of(Crashed)]


async def test_a_document_is_fetched_once_for_all():
    """Twenty sign-ins at the start cause one request."""
    provider = Provider(reply(200, DOCUMENT, after=1))

    found = await asyncio.gather(*(provider.cache.get() for _ in range(20)))

    assert {one.token.target for one in found} == {"/token"}
    assert provider.fetches == 1


async def test_a_document_is_refreshed_in_the_background():
    """It is an hour old, and the sign-in does not wait."""
    moved = {**DOCUMENT, "token_endpoint": f"{ISSUER}/v2/token"}
    provider = Provider(reply(200, DOCUMENT), reply(200, moved, after=1))
    await provider.cache.get()
    await asyncio.sleep(REFRESH_SECONDS + 1)

    before = await provider.cache.get()
    await asyncio.sleep(2)
    after = await provider.cache.get()

    assert (before.token.target, after.token.target) == ("/token", "/v2/token")


@pytest.mark.parametrize("trouble", [fail(), reply(503), reply(429), reply(200, WRONG)])
async def test_the_last_good_document_is_used_for_a_day(trouble):
    """Sign-ins work while the provider can't serve its document, and not for ever."""
    provider = Provider(reply(200, DOCUMENT), trouble)
    await provider.cache.get()
    await asyncio.sleep(MAX_AGE_SECONDS - 1)
    last = await provider.cache.get()
    await asyncio.sleep(RETRY_SECONDS)
    with pytest.raises(ProviderUnavailable):
        await provider.cache.get()
    provider.script.then(reply(200, DOCUMENT))
    await asyncio.sleep(RETRY_SECONDS + 1)
    again = await provider.cache.get()

    assert last.token.target == again.token.target == "/token"


async def test_callers_wait_for_a_document_in_place_of_an_expired_one():
    """A gateway without a sign-in for a day reads it before the next one."""
    moved = {**DOCUMENT, "token_endpoint": f"{ISSUER}/v2/token"}
    provider = Provider(reply(200, DOCUMENT), reply(200, moved, after=1))
    await provider.cache.get()
    await asyncio.sleep(MAX_AGE_SECONDS)

    assert (await provider.cache.get()).token.target == "/v2/token"


async def test_a_provider_that_is_down_is_called_seldom():
    """Each call fails at once in the five seconds after a failure."""
    provider = Provider(reply(429))

    for _ in range(100):
        with pytest.raises(ProviderUnavailable, match="no metadata"):
            await provider.cache.get()
        await asyncio.sleep(0.1)

    assert provider.fetches <= 4


async def test_a_wrong_document_is_reported_once_and_read_until_it_is_right():
    """The log has one line, readiness has the reason, and no sign-in is needed."""
    provider = Provider(*[reply(200, WRONG)] * 3, reply(200, DOCUMENT))
    await provider.cache.start()
    fault = provider.cache.fault
    await asyncio.sleep(3 * RETRY_SECONDS + 1)

    assert "https://else.example" in fault
    assert (provider.cache.fault, provider.fetches) == ("", 4)
    assert provider.reports == [fault]


async def test_a_wrong_document_raises_what_is_wrong():
    """The sign-in page's log line has the reason, and no other failure."""
    provider = Provider(reply(200, WRONG), reply(200, DOCUMENT))

    with pytest.raises(ProviderUnavailable, match=r"else\.example") as raised:
        await provider.cache.get()
    await asyncio.sleep(RETRY_SECONDS + 1)

    assert not isinstance(raised.value, UntrustedMetadata)
    assert raised.value.__cause__ is None


async def test_a_start_does_not_wait_for_a_provider_that_hangs():
    """Start-up takes three seconds at most; the first sign-in may retry at once."""

    async def hanging(_: Call) -> Reply:
        await asyncio.sleep(60)
        return Reply(200)

    provider = Provider(hanging, hanging, reply(200, DOCUMENT))
    began = provider.bench.now
    await provider.cache.start()
    waited = provider.bench.now - began
    await asyncio.sleep(3)

    assert waited == pytest.approx(3.0)
    assert (await provider.cache.get()).token.target == "/token"
