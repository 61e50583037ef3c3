"""Backends-for-Frontends: a screen written once as typed Python, served to each client as it needs.

The GraphQL face is imported from `bff_core.graphql`, the authenticators for access tokens and for
browsers from `bff_core.auth`, so that a gateway without them does not load what they need.
"""

import bff_core.compat.opentelemetry_api  # noqa: F401 # isort: skip - before FastAPI
from bff_core.auth.access import ANYONE, Require, access
from bff_core.auth.authenticator import FirstOf
from bff_core.auth.viewer import SignedIn, Viewer
from bff_core.cache.response_cache import ResponseCache
from bff_core.call import (
    Attempt,
    Call,
    ClientEndpoint,
    Decode,
    EndpointChoice,
    Handler,
    Headers,
    Layer,
    Reply,
    Reuse,
    ViewerToken,
)
from bff_core.clock import Clock
from bff_core.composition.bulk import (
    BulkMethod,
    DuplicateItem,
    ItemResult,
    ItemTimedOut,
    NotAttempted,
    bulk,
)
from bff_core.composition.composition import Composition
from bff_core.composition.decorators import PartMethod, critical, optional
from bff_core.composition.errors import PartCancelled, PartTimedOut
from bff_core.composition.executed_plan import ExecutedPlan
from bff_core.composition.gather import gather
from bff_core.composition.loader import loader
from bff_core.composition.locale import Locale
from bff_core.composition.part_status import PartStatus
from bff_core.edge.concern import Checked, Concern
from bff_core.edge.idempotency import KeyInUse, MalformedKey
from bff_core.edge.json_errors import Unreadable
from bff_core.edge.options import CorsOptions, EdgeOptions
from bff_core.edge.rate_limits import LimitExceeded
from bff_core.edge.shedding.criticality import criticality
from bff_core.errors import (
    AffinityLost,
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
    GraphQLFailed,
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
from bff_core.forwarding.request import forwarded_request
from bff_core.forwarding.response import ForwardedResponse
from bff_core.gateway.app import Gateway, Lifespan
from bff_core.gateway.factory import gateway
from bff_core.graphql_response import GraphQLError
from bff_core.http_exchange.request_context import RequestContext
from bff_core.objective import objective
from bff_core.policy.edge.idempotency import IdempotencyOptions
from bff_core.policy.edge.rate_limits import Limit
from bff_core.policy.upstream.affinity import Affinity
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
from bff_core.policy.upstream.endpoints import EndpointOptions
from bff_core.policy.upstream.health import HealthCheck
from bff_core.policy.upstream.hedge import Hedge
from bff_core.policy.upstream.policy import Policy
from bff_core.policy.upstream.retry import Retry
from bff_core.public_names import publish
from bff_core.reply_stream import ReplyStream
from bff_core.rest.bulk import BulkAnswer, BulkItem, bulk_answer
from bff_core.rest.compose import compose
from bff_core.rest.idempotency import KeyRule
from bff_core.rest.progressive_parts import EarlyPart, early
from bff_core.rest.response_model import InvalidResult
from bff_core.rest.result_check import WrongResult
from bff_core.rest.view_options import ReadOptions, StreamOptions, WriteOptions
from bff_core.rest.views import Views
from bff_core.routing.access import RouteAccess
from bff_core.routing.face import Face
from bff_core.routing.fastapi_options import FastAPIOptions, FormLimits, RouteOptions, RouterOptions
from bff_core.saga.errors import SagaFailed, SagaUnderWay, SagaUnsettled
from bff_core.saga.policy import SagaPolicy
from bff_core.saga.record import SagaRecord, StepFailure, StepRecord
from bff_core.saga.saga import Saga, Step, step
from bff_core.scope import Scope, writing_as
from bff_core.settings.model import Settings
from bff_core.streamed_body import StreamedBody
from bff_core.upstream.client import Upstream
from bff_core.upstream.discovery.interface import Discovery
from bff_core.upstream.error_mapping import as_problem
from bff_core.upstream.forwarding import ForwardedRequest
from bff_core.upstream.graphql.client import GraphQLUpstream
from bff_core.upstream.reading.tolerant import Reduced
from bff_core.upstream.request_bodies import Content, FilePart
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.stack import MakeTransport
from bff_core.upstream.streaming import ServerSentEvent
from bff_core.upstream.transport.httpx_protocols import HttpxClient, HttpxResponse
from bff_core.upstream.transport.httpx_transport import HttpxConnector, HttpxTransport
from bff_core.upstream.transport.interface import Connector, Endpoint, Load, Transport
from bff_core.upstream.transport.request_writer import UnsafeRequest
from bff_core.upstream.typed_reply import TypedReply

__all__ = [
    "ANYONE",
    "Adaptive",
    "Affinity",
    "AffinityLost",
    "ApiKey",
    "Attempt",
    "BFFError",
    "BadPayload",
    "BadStatus",
    "Balance",
    "Basic",
    "Breaker",
    "BulkAnswer",
    "BulkItem",
    "BulkMethod",
    "Bulkhead",
    "BulkheadFull",
    "Cache",
    "Call",
    "Checked",
    "CircuitOpen",
    "ClientCredentials",
    "ClientEndpoint",
    "ClientError",
    "Clock",
    "Composition",
    "CompositionCycle",
    "Concern",
    "ConfigurationError",
    "Connection",
    "Connector",
    "Content",
    "CorsOptions",
    "CredentialsUnavailable",
    "DeadlineExceeded",
    "Decode",
    "Discovery",
    "DuplicateItem",
    "EarlyPart",
    "EdgeOptions",
    "Endpoint",
    "EndpointChoice",
    "EndpointOptions",
    "ExecutedPlan",
    "Face",
    "FastAPIOptions",
    "FilePart",
    "FirstOf",
    "FormLimits",
    "ForwardedRequest",
    "ForwardedResponse",
    "Gateway",
    "GraphQLError",
    "GraphQLFailed",
    "GraphQLUpstream",
    "Handler",
    "Headers",
    "HealthCheck",
    "Hedge",
    "HttpxClient",
    "HttpxConnector",
    "HttpxResponse",
    "HttpxTransport",
    "IdempotencyOptions",
    "InvalidInput",
    "InvalidResult",
    "ItemResult",
    "ItemTimedOut",
    "KeyInUse",
    "KeyRule",
    "Layer",
    "Lifespan",
    "Limit",
    "LimitExceeded",
    "Load",
    "Locale",
    "MakeTransport",
    "MalformedKey",
    "NotAllowed",
    "NotAttempted",
    "NotAuthenticated",
    "NotFound",
    "NotSent",
    "PartCancelled",
    "PartFailed",
    "PartMethod",
    "PartStatus",
    "PartTimedOut",
    "Policy",
    "ReadOptions",
    "Reduced",
    "Relay",
    "Reply",
    "ReplyStream",
    "RequestContext",
    "Require",
    "ResponseCache",
    "Retry",
    "Reuse",
    "RouteAccess",
    "RouteOptions",
    "RouterOptions",
    "Runtime",
    "Saga",
    "SagaFailed",
    "SagaPolicy",
    "SagaRecord",
    "SagaUnderWay",
    "SagaUnsettled",
    "Scope",
    "ServerSentEvent",
    "Settings",
    "Signature",
    "SignedIn",
    "Step",
    "StepFailure",
    "StepRecord",
    "StreamOptions",
    "StreamedBody",
    "TokenExchange",
    "TooManyRequests",
    "Transport",
    "TransportFailed",
    "TypedReply",
    "Unreadable",
    "UnsafeRequest",
    "Upstream",
    "UpstreamError",
    "Viewer",
    "ViewerToken",
    "Views",
    "WriteOptions",
    "WrongResult",
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
    "objective",
    "optional",
    "step",
    "writing_as",
]

publish(__name__, __all__)
