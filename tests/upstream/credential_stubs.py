"""Stubs for tests of credentials: viewers' tokens, and an upstream with a scripted provider."""

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

SECRET_VALUE = "a-secret-that-no-log-contains"
SECRETS = {"gateway": SECRET_VALUE, "billing_key": "0123456789abcdef0123456789abcdef"}
VIEWER = "4:shop:user-7"


@dataclass
class ScriptedToken:
    """The token of a viewer, and the tokens that replace it when it is refused."""

    value: str = "viewer-1"
    next: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    takes: float = 0.0

    async def current(self) -> str:
        if self.takes:
            await asyncio.sleep(self.takes)
        return self.value

    async def renewed(self, refused: str, /) -> str | None:
        self.refused.append(refused)
        if not self.next:
            return None
        self.value = self.next.pop(0)
        return self.value


class OrdersService:
    """The stack of a scripted service with credentials, and a scripted provider."""

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
        self.credentials = CredentialFactory(
            secrets.__getitem__,
            token_sources(lambda: registry.services),
            wall=lambda: 1_700_000_000.0,
        )
        runtime = replace(self.bench.runtime, credential=self.credentials.open)
        self.transport = ScriptedTransport({"10.0.0.1": self.service, "10.0.0.9": self.provider})
        registry = UpstreamRegistry(
            lambda _: ("http://10.0.0.9",),
            lambda name: replace(runtime, upstream=name),
            lambda *_: self.transport,
        )
        kind = token_service("identity")
        registry.adopt({kind: kind.policy})
        self.policy = Policy(credentials=credentials, **policy)
        self.stack: UpstreamStack = open_stack(
            self.policy, ["http://10.0.0.1"], runtime, lambda *_: self.transport
        )

    def call(self, token: ScriptedToken | None = None, **more) -> Call:
        """Return a call of a viewer with a token, or an anonymous one."""
        audience = VIEWER if token is not None else "anonymous"
        return structs.replace(self.bench.call(**{"audience": audience, **more}), token=token)

    async def send(self, token: ScriptedToken | None = None, **more) -> Reply:
        """Send a call down the stack."""
        return await self.stack.handler(self.call(token, **more))

    @property
    def sent_headers(self) -> list[str | None]:
        """Return the Authorization of each call that the service received."""
        return [header_of(call) for call in self.service.calls]


def header_of(call: Call, name: bytes = b"authorization") -> str | None:
    """Return a header of a call."""
    value = find_header(call.headers, name)
    return None if value is None else value.decode()


def token(value: str = "own-1", *, lifetime: float | None = 3600, after: float = 0, **more) -> Step:
    """Answer as a provider that issues a token."""
    members = {"access_token": value, "token_type": "Bearer", "expires_in": lifetime, **more}
    given = {name: one for name, one in members.items() if one is not None}
    return reply(200, given, after=after)


def accepting(*tokens: str) -> Step:
    """Answer 200 to calls with one of these tokens, 401 to others."""

    async def step(call: Call) -> Reply:
        sent = (header_of(call) or "").removeprefix("Bearer ")
        return Reply(200 if sent in tokens else 401)

    return step


class Orders(Upstream):
    """A service client over such a stack."""
