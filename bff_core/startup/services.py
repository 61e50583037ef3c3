"""Checks that services can be called: they have addresses, valid reply types, and secrets."""

from collections.abc import Sequence

from bff_core.settings.model import Settings
from bff_core.upstream.client import Upstream
from bff_core.upstream.credentials.factory import secrets
from bff_core.upstream.graphql.client import GraphQLUpstream
from bff_core.upstream.reading.reply_type_checks import check_reply_types


def check_services(services: Sequence[type[Upstream]], settings: Settings) -> None:
    """Raise `ConfigurationError` for a service that can't be called.

    It has no address, a reply type that JSON can't be converted to, or a credential without secret.
    """
    for kind in services:
        settings.upstream(kind.name)
        check_reply_types(kind, kind.decoders, is_graphql=issubclass(kind, GraphQLUpstream))
    for name in secrets(services):
        settings.secret(name)
