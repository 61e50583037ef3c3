"""Backends-for-Frontends: a screen written once as typed Python, served to each client as it needs.

The GraphQL face is imported from `bff_core.graphql`, the authenticators for access tokens and for
browsers from `bff_core.auth`, so that a gateway without them does not load what they need.
"""

from bff_core.auth.access import ANYONE, Require, access
from bff_core.auth.authenticator import FirstOf
from bff_core.auth.viewer import SignedIn, Viewer
from bff_core.cache.response_cache import ResponseCache
from bff_core.call import Call, Handler, Layer, Reply
from bff_core.composition.bulk import ItemResult, bulk
from bff_core.composition.composition import Composition
from bff_core.composition.decorators import critical, optional
from bff_core.composition.gather import gather
from bff_core.composition.loader import loader
from bff_core.composition.locale import Locale
from bff_core.composition.part_status import PartStatus
from bff_core.edge.concern import Concern
from bff_core.edge.options import CorsOptions, EdgeOptions
from bff_core.edge.shedding.criticality import criticality
from bff_core.errors import (
    BadPayload,
    BadStatus,
    BFFError,
    BulkheadFull,
    CircuitOpen,
    ClientError,
    CompositionCycle,
    ConfigurationError,
    CredentialsUnavailable,
    DeadlineExceeded,
    InvalidInput,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    NotSent,
    PartFailed,
    TooManyRequests,
    TransportFailed,
    UpstreamError,
)
from bff_core.gateway.app import Gateway
from bff_core.gateway.factory import gateway
from bff_core.http_exchange.request_context import RequestContext
from bff_core.policy.edge.idempotency import IdempotencyOptions
from bff_core.policy.edge.rate_limits import Limit
from bff_core.policy.upstream.balance import Balance
from bff_core.policy.upstream.breaker import Breaker
from bff_core.policy.upstream.bulkhead import Bulkhead
from bff_core.policy.upstream.cache import Cache
from bff_core.policy.upstream.concurrency import Adaptive
from bff_core.policy.upstream.connection import Connection
from bff_core.policy.upstream.credentials import (
    ApiKey,
    Basic,
    ClientCredentials,
    Relay,
    Signature,
    TokenExchange,
)
from bff_core.policy.upstream.hedge import Hedge
from bff_core.policy.upstream.policy import Policy
from bff_core.policy.upstream.retry import Retry
from bff_core.rest.bulk import BulkAnswer, bulk_answer
from bff_core.rest.compose import compose
from bff_core.rest.forwarding import ForwardedResponse, forwarded_request
from bff_core.rest.progressive_parts import early
from bff_core.rest.views import Views
from bff_core.saga.errors import SagaFailed
from bff_core.saga.policy import SagaPolicy
from bff_core.saga.saga import Saga, step
from bff_core.scope import Scope, writing_as
from bff_core.settings.model import Settings
from bff_core.streamed_body import StreamedBody
from bff_core.upstream.client import Upstream
from bff_core.upstream.error_mapping import as_problem
from bff_core.upstream.forwarding import ForwardedRequest
from bff_core.upstream.request_bodies import FilePart
from bff_core.upstream.transport.httpx_transport import HttpxTransport
from bff_core.upstream.typed_reply import TypedReply

__all__ = [
    "ANYONE",
    "Adaptive",
    "ApiKey",
    "BFFError",
    "BadPayload",
    "BadStatus",
    "Balance",
    "Basic",
    "Breaker",
    "BulkAnswer",
    "Bulkhead",
    "BulkheadFull",
    "Cache",
    "Call",
    "CircuitOpen",
    "ClientCredentials",
    "ClientError",
    "Composition",
    "CompositionCycle",
    "Concern",
    "ConfigurationError",
    "Connection",
    "CorsOptions",
    "CredentialsUnavailable",
    "DeadlineExceeded",
    "EdgeOptions",
    "FilePart",
    "FirstOf",
    "ForwardedRequest",
    "ForwardedResponse",
    "Gateway",
    "Handler",
    "Hedge",
    "HttpxTransport",
    "IdempotencyOptions",
    "InvalidInput",
    "ItemResult",
    "Layer",
    "Limit",
    "Locale",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "NotSent",
    "PartFailed",
    "PartStatus",
    "Policy",
    "Relay",
    "Reply",
    "RequestContext",
    "Require",
    "ResponseCache",
    "Retry",
    "Saga",
    "SagaFailed",
    "SagaPolicy",
    "Scope",
    "Settings",
    "Signature",
    "SignedIn",
    "StreamedBody",
    "TokenExchange",
    "TooManyRequests",
    "TransportFailed",
    "TypedReply",
    "Upstream",
    "UpstreamError",
    "Viewer",
    "Views",
    "access",
    "as_problem",
    "bulk",
    "bulk_answer",
    "compose",
    "critical",
    "criticality",
    "early",
    "forwarded_request",
    "gateway",
    "gather",
    "loader",
    "optional",
    "step",
    "writing_as",
]
