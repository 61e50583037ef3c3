"""The service clients of a gateway: finds all of them, and makes the registry that opens them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bff_core.auth.authenticator import Authenticator, GatewayAuthenticator
from bff_core.oauth.endpoint import ProviderService
from bff_core.oauth.tokens import token_services, token_sources
from bff_core.settings.model import Settings
from bff_core.upstream.client import Upstream
from bff_core.upstream.configured_addresses import addresses_of
from bff_core.upstream.credentials.factory import CredentialFactory
from bff_core.upstream.graphql.client import GraphQLUpstream
from bff_core.upstream.planned_stack import PlannedStack
from bff_core.upstream.registry import Policies, UpstreamRegistry
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.stack import MakeTransport


def all_services(
    services: Sequence[type[Upstream]], authenticator: Authenticator | None, settings: Settings
) -> tuple[Sequence[type[Upstream]], Settings]:
    """Return all services of a gateway, including those of its authenticator and credentials.

    The settings are returned with the addresses of identity providers that have further origins.
    """
    of_authenticator = (
        authenticator.services if isinstance(authenticator, GatewayAuthenticator) else ()
    )
    found = list(dict.fromkeys([*services, *token_services(services), *of_authenticator]))
    origins = {
        kind.name: (kind.origin,)
        for kind in found
        if issubclass(kind, ProviderService) and kind.origin
    }
    if origins:
        settings = settings.model_copy(update={"upstreams": {**origins, **settings.upstreams}})
    return found, settings


def may_cache(services: Sequence[type[Upstream]], settings: Settings) -> bool:
    """Whether the gateway needs a cache; a policy file may turn caching on while it runs."""
    is_configured = bool(settings.cache_url or settings.policies)
    return is_configured or any(kind.policy.cache is not None for kind in services)


def open_registry(
    settings: Settings, runtime: Runtime, make_transport: MakeTransport
) -> UpstreamRegistry:
    """Return an empty registry of services, with credentials from the settings."""
    credentials = CredentialFactory(settings.secret, token_sources(lambda: registry.services))
    registry = UpstreamRegistry(
        lambda kind: addresses_of(kind, settings),
        lambda name: replace(
            runtime,
            upstream=name,
            credential=credentials.open,
            signing_secrets=settings.affinity_secrets,
        ),
        make_transport,
    )
    return registry


def planned_services(
    policies: Policies, settings: Settings, make_transport: MakeTransport, *, has_cache: bool
) -> Mapping[type[Upstream], Upstream]:
    """Return services for a gateway that does not run: their stacks can be shown, not called."""
    credentials = CredentialFactory(settings.secret, token_sources(dict))
    return {
        kind: kind(
            PlannedStack(
                kind.name,
                policy,
                addresses_of(kind, settings),
                make_transport,
                credentials.open,
                has_cache=has_cache,
                is_graphql=issubclass(kind, GraphQLUpstream),
                signing_secrets=settings.affinity_secrets,
            )
        )
        for kind, policy in policies.items()
    }
