"""Mocks of services for development and tests: ASGI apps that answer from a contract."""

from bff_core.mocks.call import MockCall, MockReply
from bff_core.mocks.factory import mock_service
from bff_core.mocks.faults import MockFaults
from bff_core.mocks.graphql_service import MockGraphQL, mock_graphql
from bff_core.mocks.service import MockService
from bff_core.public_names import publish

__all__ = [
    "MockCall",
    "MockFaults",
    "MockGraphQL",
    "MockReply",
    "MockService",
    "mock_graphql",
    "mock_service",
]

publish(__name__, __all__)
