"""Measures authentication per request: `python -m bench.auth`.

Prints the rows as JSON. Each authenticator knows the caller already; what is measured is
`authenticate(scope)` alone, on a provider that would answer at once.
"""

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256

from joserfc import jwt
from joserfc.jwk import ECKey

from bff_core.auth import (
    ApiKeyAuthenticator,
    Authenticator,
    BearerAuthenticator,
    DeviceSessions,
    DPoP,
    Introspection,
    IntrospectionAuthenticator,
    Issuer,
    OpenIDProvider,
    SessionAuthenticator,
)
from bff_core.auth.authenticator import GatewayAuthenticator, Resources
from bff_core.auth.session.session import Session, SessionTokens
from bff_core.background import Background
from bff_core.call import Call, Headers, Reply
from bff_core.clock import chance, monotonic
from bff_core.events import Events
from bff_core.redis.clients_by_url import RedisClients
from bff_core.scope import Scope
from bff_core.settings.model import Settings
from bff_core.testing.scripted import Scripted, ScriptedTransport
from bff_core.upstream.registry import UpstreamRegistry
from bff_core.upstream.runtime import Runtime

REQUESTS = 5_000
ROUNDS = 7
MUST_US = 15.0
"""Targets for a request of a known caller."""

HERE = "https://shop.example"
ISSUER = "https://id.example"
KEY = ECKey.generate_key("P-256", {"kid": "k1"}, private=True)
SETTINGS = Settings(
    env="production",
    public_url=HERE,
    session_keys=("a secret of the bench that is long enough",),
    api_keys_url="sqlite://",
)


def introspected(call: Call) -> object:
    """Return what the provider answers."""
    if call.method == "GET":
        return {"keys": [KEY.as_dict(private=False)]}
    ends = time.time() + 3600
    return {"active": True, "aud": "shop", "sub": "7", "scope": "a", "exp": ends}


async def provider(call: Call) -> Reply:
    """Answer at once."""
    return Reply(
        200, ((b"content-type", b"application/json"),), json.dumps(introspected(call)).encode()
    )


def token(**more: object) -> str:
    """Return an access token."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": "shop", "sub": "7", "iat": now, "exp": now + 3600, **more}
    return jwt.encode({"alg": "ES256", "kid": "k1", "typ": "at+jwt"}, claims, KEY)


@asynccontextmanager
async def opened(auth: Authenticator) -> AsyncIterator[None]:
    """Hold an authenticator open, as a gateway does."""
    loop, events = asyncio.get_running_loop(), Events()
    background, links = (
        Background(loop, events),
        RedisClients(clock=monotonic, chance=chance, events=events),
    )
    runtime = Runtime("identity", loop, monotonic, chance, events, background.spawn)
    script = ScriptedTransport({"10.0.0.1": Scripted(provider)})
    roster = UpstreamRegistry(lambda _: ("http://10.0.0.1",), lambda _: runtime, lambda *_: script)
    assert isinstance(auth, GatewayAuthenticator)
    roster.adopt({kind: kind.policy for kind in auth.services})
    resources = Resources(
        "bench", SETTINGS, roster.services, links, background.spawn, monotonic, events
    )
    async with auth.open(resources):
        yield
    await background.aclose()


@dataclass(frozen=True)
class Case:
    """A caller and what it sends; `fresh` makes it anew for each request."""

    name: str
    auth: Authenticator
    headers: Callable[[], Awaitable[Headers]]
    fresh: Callable[[int], Headers] | None = None


def bearer(value: str, scheme: str = "Bearer") -> Headers:
    """Return the header of a token."""
    return ((b"authorization", f"{scheme} {value}".encode()),)


def cases() -> list[Case]:
    """Return the measured callers."""
    issuer = Issuer(issuer=ISSUER, audience=("shop",))
    sessions = SessionAuthenticator(
        OpenIDProvider(issuer=ISSUER, client_id="web", client_secret="s", upstream="identity")
    )
    keys = ApiKeyAuthenticator()
    opaque = IntrospectionAuthenticator(
        Introspection(client_id="a", client_secret="b", audience=("shop",))
    )
    bound = token(cnf={"jkt": KEY.thumbprint()})

    async def session() -> Headers:
        tokens = SessionTokens("access", "refresh", time.time(), time.time() + 3600)
        secret = await sessions.sessions.begin(Session("h", "7", tokens=tokens))
        page = ((b"x-csrf", b"1"), (b"sec-fetch-site", b"same-origin"))
        return ((b"cookie", f"theme=dark; __Host-bff={secret}".encode()), *page)

    async def key() -> Headers:
        made, _ = await keys.keyring().issue("bench", "7")
        return ((b"x-api-key", made.encode()),)

    async def plain(value: str = token()) -> Headers:
        return bearer(value)

    async def unknown() -> Headers:
        return bearer("opaque")

    async def nothing() -> Headers:
        return ()

    return [
        Case("access token, verified before", BearerAuthenticator(issuer), plain),
        Case(
            "the same, of a known device",
            BearerAuthenticator(issuer, devices=DeviceSessions()),
            plain,
        ),
        Case("session in memory", sessions, session),
        Case("API key, verified before", keys, key),
        Case("opaque token, introspected before", opaque, unknown),
        Case(
            "access token with a DPoP proof",
            BearerAuthenticator(issuer, dpop=DPoP()),
            nothing,
            lambda number: proved(bound, number),
        ),
    ]


def proved(bound: str, number: int) -> Headers:
    """Return a token with a proof that was not sent before."""
    claims = {
        "htm": "GET",
        "htu": f"{HERE}/v1/home",
        "iat": int(time.time()),
        "jti": str(number),
        "ath": urlsafe_b64encode(sha256(bound.encode()).digest()).rstrip(b"=").decode(),
    }
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.as_dict(private=False)}
    return (*bearer(bound, "DPoP"), (b"dpop", jwt.encode(header, claims, KEY).encode()))


async def measure(case: Case) -> float:
    """Return µs per request: the best of the rounds."""
    async with opened(case.auth):
        sent = await case.headers()
        rounds = []
        for number in range(ROUNDS):
            count = REQUESTS if case.fresh is None else REQUESTS // 25
            scopes = [Scope(0.0, path="/v1/home", headers=sent) for _ in range(count)]
            if case.fresh is not None:
                made = [case.fresh(number * count + each) for each in range(count)]
                scopes = [replace(one, headers=of) for one, of in zip(scopes, made, strict=True)]
            began = time.perf_counter()
            for scope in scopes:
                viewer = await case.auth.authenticate(scope)
            rounds.append((time.perf_counter() - began) / count * 1e6)
            assert viewer is not None
            assert viewer.subject == "7"
        return min(rounds)


async def main() -> list[dict[str, object]]:
    """Return the rows."""
    rows = []
    for case in cases():
        us = await measure(case)
        is_known = case.fresh is None
        verdict = ("must met" if us <= MUST_US else "missed") if is_known else ""
        rows.append({"who": case.name, "us": round(us, 2), "verdict": verdict})
    return rows


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
