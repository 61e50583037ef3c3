"""Which endpoint a request's calls should go to: by a hash of the request, or by affinity."""

from typing import Final

from bff_core.call import ClientEndpoint, EndpointChoice, Headers
from bff_core.policy.upstream.policy import Policy
from bff_core.scope import Scope
from bff_core.upstream.affinity_values import AffinityValues
from bff_core.upstream.runtime import Runtime

ANONYMOUS: Final = "anonymous"
"""The audience that all anonymous viewers have."""


class Steering:
    """Makes the `EndpointChoice` of the calls of one upstream.

    Raises `ConfigurationError` for affinity without a key that signs.
    """

    def __init__(self, policy: Policy, runtime: Runtime) -> None:
        self.affinity = policy.affinity
        self.values = (
            None
            if policy.affinity is None
            else AffinityValues(
                policy.affinity, runtime.upstream, runtime.signing_secrets, wall=runtime.wall
            )
        )
        by = policy.balance.hash_by if policy.balance.algorithm == "hash" else ""
        self._kind, _, name = by.partition(":")
        self._name = name.encode()

    def choice(
        self, scope: Scope | None, target: str, headers: Headers, client: ClientEndpoint | None
    ) -> EndpointChoice:
        """Return the choice for a call, with the headers of the client's request."""
        return EndpointChoice(self._key(scope, target, headers), client)

    def client(self, scope: Scope | None, headers: Headers) -> ClientEndpoint | None:
        """Return the endpoint that a client belongs to; None without affinity or a client."""
        if self.values is None or (scope is None and not headers):
            return None
        wanted, is_due = self.values.read(headers) or (b"", False)
        client = ClientEndpoint(wanted, [] if scope is None else scope.added)
        client.is_due = is_due
        return client

    def without_value(self, headers: Headers) -> Headers:
        """Return headers for a service, without the client's value."""
        return headers if self.values is None else self.values.without(headers)

    def _key(self, scope: Scope | None, target: str, headers: Headers) -> bytes:
        match self._kind:
            case "viewer":
                audience = ANONYMOUS if scope is None else scope.audience
                # The viewer's rights follow the last "#": another token of it is the same viewer.
                viewer = audience.rpartition("#")[0] or audience
                return b"" if viewer == ANONYMOUS else viewer.encode()
            case "path":
                return target.partition("?")[0].encode()
            case "header":
                own = self._name.lower()
                return b",".join(value for name, value in headers if name.lower() == own)
            case "cookie":
                return _cookie(headers, self._name)
        return b""


def steering_of(policy: Policy, runtime: Runtime) -> Steering | None:
    """Return the steering of a policy; None for one whose calls may go to any endpoint."""
    if policy.affinity is None and policy.balance.algorithm != "hash":
        return None
    return Steering(policy, runtime)


def _cookie(headers: Headers, name: bytes) -> bytes:
    """Return the first value of a cookie, or nothing."""
    lines = (value for key, value in headers if key.lower() == b"cookie")
    pairs = (pair.strip(b" \t").partition(b"=") for line in lines for pair in line.split(b";"))
    return next((value for own, _, value in pairs if own == name), b"")
