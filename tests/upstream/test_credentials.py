"""Calls prove to a service who makes them, and nothing is proved to anybody else."""

import asyncio
from base64 import b64encode
from dataclasses import dataclass, field, replace
from hashlib import sha256
from hmac import digest
from urllib.parse import parse_qs

import pytest

from bff_core import (
    ApiKey,
    ClientCredentials,
    Composition,
    Policy,
    Relay,
    Scope,
    Signature,
    TokenExchange,
    Upstream,
    optional,
)
from bff_core.call import find_header
from bff_core.composition.wiring import Wiring
from bff_core.errors import ConfigurationError
from bff_core.events import Events
from bff_core.testing.scripted import Scripted, ScriptedTransport, fail, reply
from bff_core.testing.workbench import Workbench
from bff_core.upstream.credentials.fixed import SignatureSource
from bff_core.upstream.provider import provider
from bff_core.upstream.roster import Roster
from bff_core.upstream.vault import CredentialsUnavailable, Vault

pytestmark = pytest.mark.virtual_time

SECRETS = {"shop": "s3cret & more", "key": "the key"}
OWN = ClientCredentials(client_id="shop", secret="shop", scope=("stock",))
EXCHANGED = TokenExchange(audience="https://stock.example", client_id="shop", secret="shop")


@dataclass
class Token:
    """A viewer's access token, and those that come after it."""

    values: list[str]
    renewals: list[str] = field(default_factory=list)

    async def current(self) -> str:
        return self.values[0]

    async def renewed(self, refused: str) -> str | None:
        self.renewals.append(refused)
        if len(self.values) > 1:
            self.values.pop(0)
        return None if self.values[0] == refused else self.values[0]


def given(token: str, **more):
    """Return what a provider answers."""
    return reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": 300, **more})


class Bench:
    """A service that is called with credentials, and the provider that gives tokens."""

    def __init__(self, credentials, *, service=(), told=()) -> None:
        class Stock(Upstream):
            policy = Policy(credentials=credentials, retry=None)

            async def count(self) -> int:
                return await self.get("/count", int)

            async def change(self) -> int:
                return await self.post("/count", int, json=1)

        self.kind = Stock
        self.work = Workbench("stock")
        self.service = Scripted(*(service or (reply(200, 7),)))
        self.provider = Scripted(*(told or (given("own-1"),)))
        runtime = self.work.runtime
        vault = Vault(self.secret, lambda name: self.roster.services[provider(name)], runtime.spawn)
        addresses = {"stock": "http://10.0.0.1", "identity": "http://10.0.0.2"}
        scripts = {"10.0.0.1": self.service, "10.0.0.2": self.provider}
        self.roster = Roster(
            lambda name: (addresses[name],),
            lambda _: replace(runtime, vault=vault),
            lambda *_: ScriptedTransport(scripts),
        )
        kinds = [Stock, provider("identity")]
        self.roster.adopt({kind: kind.policy for kind in kinds})

    @staticmethod
    def secret(name: str) -> str:
        if name not in SECRETS:
            raise ConfigurationError(f"BFF_SECRET_{name.upper()} is not set")
        return SECRETS[name]

    def bound(self, token: Token | None = None) -> Upstream:
        """Return the service as one request has it."""
        scope = Scope(self.work.now + 5, audience="1:a:b", token=token)
        return self.roster.services[self.kind].bind(scope)

    def sent(self, name: str = "authorization") -> list[str | None]:
        """Return a header of each call that the service received."""
        found = [find_header(call.headers, name.encode()) for call in self.service.calls]
        return [None if one is None else one.decode() for one in found]

    def asked(self) -> list[dict[str, str]]:
        """Return the forms that the provider was sent."""
        told = [parse_qs(call.body.decode()) for call in self.provider.calls]
        return [{name: values[0] for name, values in one.items()} for one in told]


async def test_the_viewers_token_is_relayed():
    """And nothing is sent for nobody."""
    bench = Bench(Relay())

    await bench.bound(Token(["viewers"])).count()
    await bench.bound().count()

    assert bench.sent() == ["Bearer viewers", None]
    assert bench.provider.calls == []


@pytest.mark.parametrize("method", ["count", "change"])
async def test_a_token_that_is_refused_is_renewed_once(method):
    """The call is sent again with the new one, whatever its method: nothing was done yet."""
    bench = Bench(Relay(), service=(reply(401), reply(200, 7)))
    token = Token(["old", "new"])

    answer = await getattr(bench.bound(token), method)()

    assert answer == 7
    assert bench.sent() == ["Bearer old", "Bearer new"]
    assert token.renewals == ["old"]


async def test_a_service_that_refuses_everything_is_not_asked_for_ever():
    """Twice, and then it is the service's answer."""
    bench = Bench(Relay(), service=(reply(401),))
    token = Token(["old", "new", "newer"])

    answer = await bench.bound(token).request("GET", "/count")

    assert answer.status == 401
    assert bench.sent() == ["Bearer old", "Bearer new"]


async def test_a_stream_is_opened_with_credentials():
    """The road beside the layers has them, too, and renews them."""
    bench = Bench(Relay(), service=(reply(401), reply(200, 7)))

    async with bench.bound(Token(["old", "new"])).stream("/count") as opened:
        body = b"".join([piece async for piece in opened])

    assert body == b"7"
    assert bench.sent() == ["Bearer old", "Bearer new"]


async def test_the_gateways_own_token_is_fetched_once():
    """However many calls need it at a time."""
    bench = Bench(OWN)

    await asyncio.gather(*(bench.bound().request("POST", "/x") for _ in range(20)))

    assert set(bench.sent()) == {"Bearer own-1"}
    assert bench.asked() == [{"grant_type": "client_credentials", "scope": "stock"}]
    (call,) = bench.provider.calls
    credentials = b64encode(b"shop:s3cret+%26+more").decode()
    assert find_header(call.headers, b"authorization") == f"Basic {credentials}".encode()


async def test_an_own_token_is_replaced_before_it_ends():
    """Behind the calls that use it; they don't wait."""
    bench = Bench(OWN, told=(given("own-1"), given("own-2")))
    await bench.bound().count()

    await asyncio.sleep(250)
    await bench.bound().change()
    await asyncio.sleep(1)
    await bench.bound().change()

    assert bench.sent() == ["Bearer own-1", "Bearer own-1", "Bearer own-2"]


async def test_an_own_token_is_used_while_the_provider_is_down():
    """Until it ends; then the call is not sent at all, and the service is not blamed."""
    bench = Bench(OWN, told=(given("own-1"), fail()))
    await bench.bound().count()
    await asyncio.sleep(280)
    await bench.bound().change()
    await asyncio.sleep(30)

    with pytest.raises(CredentialsUnavailable) as caught:
        await bench.bound().change()

    assert caught.value.status == 503
    assert caught.value.retry_after
    assert bench.sent() == ["Bearer own-1", "Bearer own-1"]


async def test_an_own_token_that_is_refused_is_asked_for_anew():
    """It may have been withdrawn."""
    bench = Bench(OWN, service=(reply(401), reply(200, 7)), told=(given("own-1"), given("own-2")))

    assert await bench.bound().count() == 7
    assert bench.sent() == ["Bearer own-1", "Bearer own-2"]


async def test_the_viewers_token_is_exchanged_for_one_audience():
    """Once for each viewer's token; nobody's calls have none."""
    bench = Bench(EXCHANGED, told=(given("for-stock"),))
    token = Token(["viewers"])

    await bench.bound(token).count()
    await bench.bound(token).change()
    await bench.bound().change()

    assert bench.sent() == ["Bearer for-stock", "Bearer for-stock", None]
    (asked,) = bench.asked()
    assert asked["subject_token"] == "viewers"
    assert asked["audience"] == "https://stock.example"


async def test_an_exchange_that_is_refused_is_a_403():
    """The viewer may not be served by that service."""
    bench = Bench(EXCHANGED, told=(reply(400, {"error": "invalid_grant"}),))

    with pytest.raises(Exception, match="no token") as caught:
        await bench.bound(Token(["viewers"])).count()

    assert caught.value.status == 403
    assert bench.service.calls == []


async def test_a_key_is_sent_in_place_of_what_the_author_wrote():
    """Under whatever header the service wants it."""
    bench = Bench(ApiKey(secret="key", header="X-Service-Key", prefix="v1 "))

    await bench.bound().request("GET", "/count", headers={"x-service-key": "mine"})

    assert bench.sent("x-service-key") == ["v1 the key"]


async def test_a_signature_holds_for_one_request():
    """Anybody who knows the secret can make the same of the request (RFC 9421)."""
    bench = Bench(None)
    vault = Vault(bench.secret, lambda _: bench.bound(), bench.work.runtime.spawn)
    source = SignatureSource(
        Signature(secret="key", key_id="k1"), vault, wall=lambda: 1_800_000_000
    )
    call = replace(bench.work.call("/count?a=1", method="POST"), body=b"[1]")

    told = dict(await source.headers(call))

    body = b64encode(sha256(b"[1]").digest()).decode()
    params = (
        '("@method" "@path" "@query" "content-digest")'
        ';created=1800000000;keyid="k1";alg="hmac-sha256"'
    )
    base = (
        f'"@method": POST\n"@path": /count\n"@query": ?a=1\n'
        f'"content-digest": sha-256=:{body}:\n"@signature-params": {params}'
    )
    proof = b64encode(digest(b"the key", base.encode(), "sha256")).decode()
    assert told[b"content-digest"].decode() == f"sha-256=:{body}:"
    assert told[b"signature-input"].decode() == f"bff={params}"
    assert told[b"signature"].decode() == f"bff=:{proof}:"


async def test_a_redirect_takes_nothing_elsewhere():
    """It is an answer like any other, and is not followed."""
    bench = Bench(Relay(), service=(reply(302, headers={"location": "http://evil.example/"}),))

    answer = await bench.bound(Token(["viewers"])).request("GET", "/count")

    assert answer.status == 302
    assert len(bench.service.calls) == 1


@pytest.mark.parametrize("path", ["http://evil.example/x", "x"])
async def test_no_path_leads_to_another_origin(path):
    """Credentials go where the settings say, or nowhere."""
    bench = Bench(Relay())

    with pytest.raises(Exception, match="path"):
        await bench.bound(Token(["viewers"])).request("GET", path)

    assert bench.service.calls == []


@pytest.mark.parametrize("credentials", [Relay(), EXCHANGED])
@pytest.mark.parametrize("shared", ["public", "per_tenant"])
def test_what_speaks_for_a_viewer_is_not_shared(credentials, shared):
    """The cache's audience follows from the credentials."""
    with pytest.raises(ConfigurationError, match="leave out public and per_tenant"):
        Policy(credentials=credentials, **{shared: True})


async def test_a_secret_that_is_missing_is_found_at_start_up():
    """The sentence names the variable."""
    with pytest.raises(ConfigurationError, match="BFF_SECRET_NOWHERE"):
        Bench(ApiKey(secret="nowhere"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Policy(credentials="Bearer x"),
        lambda: ApiKey(secret=""),
        lambda: ApiKey(secret="key", header="x y"),
        lambda: Signature(secret="key", key_id='a"b'),
        lambda: ClientCredentials(client_id="", secret="shop"),
        lambda: TokenExchange(audience="", client_id="a", secret="shop"),
    ],
)
def test_what_can_not_be_meant_is_refused(make):
    """When it is written, not when it is sent."""
    with pytest.raises(ConfigurationError):
        make()


async def test_an_optional_part_goes_without_a_service_that_can_not_be_proved_to():
    """The provider is down: the part has its fallback, and says why."""
    bench = Bench(OWN, told=(fail(),))

    class Page(Composition):
        stock: bench.kind

        @optional(fallback=0)
        async def count(self) -> int:
            return await self.stock.count()

    wiring = Wiring(
        bench.roster.services.values(),
        loop=asyncio.get_running_loop(),
        clock=bench.work.runtime.clock,
        events=Events(),
    )
    page = wiring.build(Page, Scope(bench.work.now + 5), {})

    assert await page.count() == 0
    assert [part.reason for part in page.degraded] == ["credentials_unavailable"]


async def test_nothing_secret_is_shown():
    """The stack tells what kind of credentials it has."""
    bench = Bench(ApiKey(secret="key"))

    shown = repr(bench.roster.services[bench.kind])

    assert "credential ApiKey" in shown
    assert "the key" not in shown
