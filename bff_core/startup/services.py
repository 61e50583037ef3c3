"""Checks that services can be called: they have addresses, valid reply types, and secrets."""

from collections.abc import Sequence

from bff_core.errors import ConfigurationError
from bff_core.settings.model import Settings
from bff_core.upstream.affinity_values import NO_KEYS
from bff_core.upstream.client import Upstream
from bff_core.upstream.configured_addresses import addresses_of
from bff_core.upstream.credentials.factory import secrets
from bff_core.upstream.graphql.client import GraphQLUpstream
from bff_core.upstream.reading.reply_type_checks import check_reply_types


def check_services(services: Sequence[type[Upstream]], settings: Settings) -> None:
    """Raise `ConfigurationError` for a service that can't be called.

    It has no address, a reply type that JSON can't be converted to, a credential without secret, or
    affinity without a key that signs.
    """
    for kind in services:
        addresses_of(kind, settings)
        if kind.policy.affinity is not None and not settings.affinity_secrets:
            raise ConfigurationError(f"{kind.name}: {NO_KEYS}")
        check_reply_types(kind, kind.decoders, is_graphql=issubclass(kind, GraphQLUpstream))
    for name in secrets(services):
        settings.secret(name)
