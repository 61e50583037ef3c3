"""What tests of credentials need: viewers with tokens, providers by script, stacks over both."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from msgspec import structs

from bff_core.call import Call, Reply, find_header
from bff_core.oauth.endpoint import token_service
from bff_core.oauth.tokens import token_sources
from bff_core.policy.upstream.credentials import Credentials
from bff_core.policy.upstream.policy import Policy
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, Step, reply
from bff_core.upstream.client import Upstream
from bff_core.upstream.credentials.factory import CredentialFactory
from bff_core.upstream.registry import UpstreamRegistry
from bff_core.upstream.stack import UpstreamStack, open_stack

GOLDEN = "a-secret-that-nobody-tells-to-anybody"
SECRETS = {"gateway": GOLDEN, "billing_key": "0123456789abcdef0123456789abcdef"}
VIEWER = "4:shop:user-7"


@dataclass
class Held:
    """The token of a viewer, and those that come in its place when it is refused."""

    value: str = "viewer-1"
    next: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    takes: float = 0.0

    async def current(self) -> str:
        if self.takes:
            await asyncio.sleep(self.takes)
        return self.value

    async def renewed(self, refused: str, /) -> str | None:
        self.asked.append(refused)
        if not self.next:
            return None
        self.value = self.next.pop(0)
        return self.value


class Counter:
    """An upstream over a script, and a provider over another, as a gateway has them."""

    def __init__(
        self,
        credentials: Credentials,
        *steps: Step,
        provider: tuple[Step, ...] = (),
        secrets: Mapping[str, str] = SECRETS,
        **policy: object,
    ) -> None:
        self.bench = LayerRuntime("orders")
        self.service = Scripted(*steps)
        self.provider = Scripted(*provider)
        self.wallet = CredentialFactory(
            secrets.__getitem__,
            token_sources(lambda: roster.services),
            wall=lambda: 1_700_000_000.0,
        )
        runtime = replace(self.bench.runtime, credential=self.wallet.open)
        self.transport = ScriptedTransport({"10.0.0.1": self.service, "10.0.0.9": self.provider})
        roster = UpstreamRegistry(
            lambda _: ("http://10.0.0.9",),
            lambda name: replace(runtime, upstream=name),
            lambda *_: self.transport,
        )
        kind = token_service("identity")
        roster.adopt({kind: kind.policy})
        self.policy = Policy(credentials=credentials, **policy)
        self.stack: UpstreamStack = open_stack(
            self.policy, ["http://10.0.0.1"], runtime, lambda *_: self.transport
        )

    def call(self, token: Held | None = None, **more) -> Call:
        """Return a call of a viewer, who has a token or none."""
        audience = VIEWER if token is not None else "anonymous"
        return structs.replace(self.bench.call(**{"audience": audience, **more}), token=token)

    async def send(self, token: Held | None = None, **more) -> Reply:
        """Send a call down the stack."""
        return await self.stack.handler(self.call(token, **more))

    @property
    def shown(self) -> list[str | None]:
        """Return the Authorization of each call that the service received."""
        return [shown_in(call) for call in self.service.calls]


def shown_in(call: Call, name: bytes = b"authorization") -> str | None:
    """Return what a call showed."""
    value = find_header(call.headers, name)
    return None if value is None else value.decode()


def token(value: str = "own-1", *, lifetime: float | None = 3600, after: float = 0, **more) -> Step:
    """Answer as a provider that gives a token."""
    told = {"access_token": value, "token_type": "Bearer", "expires_in": lifetime, **more}
    given = {name: one for name, one in told.items() if one is not None}
    return reply(200, given, after=after)


def accepting(*tokens: str) -> Step:
    """Answer 200 to those who show one of these tokens, 401 to others."""

    async def step(call: Call) -> Reply:
        shown = (shown_in(call) or "").removeprefix("Bearer ")
        return Reply(200 if shown in tokens else 401)

    return step


class Orders(Upstream):
    """A service client over the stack of a counter."""
