"""A withdrawn signing key: ID tokens, logout tokens, bound tokens and devices are refused."""

import pytest

from bff_core import gateway
from bff_core.auth import BearerAuthenticator, DeviceSessions, DPoP, Issuer
from bff_core.auth.jwks import FRESH_SECONDS
from bff_core.auth.oidc.client import OIDCClient
from bff_core.auth.oidc.config import OpenIDProvider
from bff_core.auth.refusal_reasons import CredentialsRefused
from bff_core.events import Events
from bff_core.oauth.tokens import Grant
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, reply
from bff_core.upstream.registry import UpstreamRegistry
from tests.auth.native.test_dpop import HERE, bound, proof, sent
from tests.auth.test_bearer_gateway import views
from tests.auth.tokens import AUDIENCE, ISSUER, NOW, RSA, STRANGER, key_set, signed, wall
from tests.shop_with_view_cache import by_script, client_of, in_production

WITHDRAWN = {"keys": key_set(STRANGER, kid="new")["keys"]}

DISCOVERY = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
}

EVENTS = {"http://schemas.openid.net/event/backchannel-logout": {}}


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Provider:
    """A provider with keys by a script, and a gateway that is its client."""

    def __init__(self) -> None:
        bench, self.clock = LayerRuntime("identity"), Clock()
        self.published = key_set(RSA)

        async def step(call):
            is_discovery = call.target.startswith("/.well-known/")
            return await reply(200, DISCOVERY if is_discovery else self.published)(call)

        options = {"issuer": ISSUER, "client_id": AUDIENCE, "client_secret": "s"}
        provider = OpenIDProvider(**options)
        script = {"10.0.0.1": Scripted(step)}
        roster = UpstreamRegistry(
            lambda _: ("http://10.0.0.1",),
            lambda _: bench.runtime,
            lambda *_: ScriptedTransport(script),
        )
        roster.adopt({kind: kind.policy for kind in provider.services})
        self.client = OIDCClient(
            provider,
            roster.services,
            spawn=bench.runtime.spawn,
            events=Events(),
            clock=self.clock,
            wall=wall,
        )


def id_token() -> str:
    """Return an ID token of the key that is withdrawn later."""
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "1",
        "iat": NOW,
        "exp": NOW + 9e6,
        "nonce": "n",
    }
    return signed({**payload, "iat": NOW, "exp": NOW + 9e6}, typ="JWT")


def logout_token(number: int) -> str:
    """Return a logout token of that key."""
    payload = {"iss": ISSUER, "aud": AUDIENCE, "sub": "1", "iat": NOW, "exp": NOW + 9e6}
    return signed({**payload, "jti": f"j{number}", "events": EVENTS}, typ="logout+jwt")


@pytest.mark.parametrize("quiet", [FRESH_SECONDS + 1, 3600, 80_000])
async def test_tokens_of_the_provider_are_refused_after_their_key_is_withdrawn(quiet) -> None:
    """The first ones after five minutes are refused, on a gateway without a sign-in since."""
    provider = Provider()
    grant = Grant("access", "", id_token(), 300, None)
    claims = await provider.client.identified(grant, "n")
    ended = await provider.client.logged_out(logout_token(1))
    provider.published = WITHDRAWN
    provider.clock.now += quiet

    with pytest.raises(CredentialsRefused, match="key"):
        await provider.client.identified(grant, "n")
    with pytest.raises(CredentialsRefused, match="key"):
        await provider.client.logged_out(logout_token(2))

    assert (claims["sub"], ended.subject) == ("1", "1")


@pytest.mark.parametrize("quiet", [FRESH_SECONDS + 1, 3600])
async def test_bound_tokens_and_devices_are_refused_with_the_key(quiet) -> None:
    """Tokens that were accepted a moment ago are refused like any other."""
    clock, service = Clock(), Scripted(reply(200, key_set(RSA)))
    auth = BearerAuthenticator(
        Issuer(issuer=ISSUER, audience=(AUDIENCE,)),
        dpop=DPoP(),
        devices=DeviceSessions(wall=wall),
        clock=clock,
        wall=wall,
    )
    app = gateway(
        "shop",
        faces=[views],
        settings=in_production(["identity"]).model_copy(update={"public_url": HERE}),
        authenticator=auth,
        events=Events(),
        transport=by_script({"identity": service}),
    )
    token, plain = bound(), signed()
    bearer = {"authorization": f"Bearer {plain}"}
    async with client_of(app) as client:
        before = [
            await client.get("/v1/me", headers=sent(token, proof(token))),
            await client.get("/bff/devices", headers=bearer),
        ]
        service.then(reply(200, WITHDRAWN))
        clock.now += quiet
        after = [
            await client.get("/v1/me", headers=sent(token, proof(token, jti="b"))),
            await client.get("/bff/devices", headers=bearer),
        ]

    assert [one.status_code for one in before] == [200, 200]
    assert [one.status_code for one in after] == [401, 401]
