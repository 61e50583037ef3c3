"""A bearer authenticator over an issuer that publishes its keys, some of them unfit."""

import warnings

from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from bff_core.auth.authenticator import Resources
from bff_core.auth.bearer import BearerAuthenticator
from bff_core.auth.issuer_config import Issuer
from bff_core.clock import chance
from bff_core.events import Events
from bff_core.redis.clients_by_url import RedisClients
from bff_core.scope import Scope
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, reply
from bff_core.upstream.registry import UpstreamRegistry
from tests.auth.tokens import AUDIENCE, ISSUER, encoded, key_set, wall
from tests.shop_with_view_cache import in_production

with warnings.catch_warnings():
    warnings.simplefilter("ignore", SecurityWarning)
    WEAK = RSAKey.generate_key(1024, {"kid": "weak"}, private=True)
SIGNER = RSAKey.generate_key(2048, {"kid": "signer", "key_ops": ["sign"]}, private=True)
CRYPT = RSAKey.generate_key(2048, {"kid": "crypt", "use": "enc"}, private=True)
OTHER_CURVE = ECKey.generate_key("P-384", {"kid": "p384"}, private=True)
PUBLISHED = [
    *key_set()["keys"],
    *({**key.as_dict(private=False), **more} for key, more in (
        (WEAK, {}), (SIGNER, {"key_ops": ["sign"]}), (CRYPT, {"use": "enc"}), (OTHER_CURVE, {}),
    )),
    {"kty": "oct", "kid": "shared", "k": encoded(b"secret").decode()},
    {"kty": "unheard-of", "kid": "new"},
    "no key at all",
]  # fmt: skip


class Identity:
    """A bearer authenticator over an issuer that publishes its keys, by a script."""

    def __init__(self, *steps, issuers=None) -> None:
        self.bench = LayerRuntime("identity")
        self.service = Scripted(*(steps or (reply(200, {"keys": PUBLISHED}),)))
        self.others = Scripted(reply(200, key_set()))
        self.bearer = BearerAuthenticator(
            *(issuers or [Issuer(issuer=ISSUER, audience=(AUDIENCE,))]),
            clock=self.bench.runtime.clock,
            wall=wall,
        )
        scripts = {"10.0.0.1": self.service, "10.0.0.2": self.others}
        addresses = {"identity": "http://10.0.0.1", "friend": "http://10.0.0.2"}
        self.roster = UpstreamRegistry(
            lambda kind: (addresses[kind.name],),
            lambda _: self.bench.runtime,
            lambda *_: ScriptedTransport(scripts),
        )
        self.roster.adopt({kind: kind.policy for kind in self.bearer.services})
        self._opening = self.bearer.open(self._resources())
        self._is_open = False

    def _resources(self) -> Resources:
        runtime, events = self.bench.runtime, Events()
        return Resources(
            "shop",
            in_production([]),
            self.roster.services,
            RedisClients(clock=runtime.clock, chance=chance, events=events),
            runtime.spawn,
            runtime.clock,
            events,
        )

    async def authenticate(self, token: str, scheme: str = "Bearer"):
        """Return the viewer of a token."""
        if not self._is_open:
            self._is_open = True
            await self._opening.__aenter__()
        headers = ((b"authorization", f"{scheme} {token}".encode()),)
        return await self.bearer.authenticate(Scope(self.bench.now + 5, headers=headers))
