"""`GraphQLUpstream`, the base class of clients for GraphQL services."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final, Literal, NoReturn, TypeVar

from msgspec import UNSET
from msgspec.structs import replace
from typing_extensions import TypeForm

from bff_core.cache.tags import filled
from bff_core.call import NOT_DECODED, Call, Decode, Headers
from bff_core.errors import BadPayload, BadStatus, ConfigurationError, GraphQLFailed
from bff_core.parameter_values import Scalar, UnsupportedValue
from bff_core.policy.upstream.cache import Cache
from bff_core.policy.upstream.policy import Policy
from bff_core.streamed_body import StreamedBody
from bff_core.upstream.caller import NO_TRANSLATIONS, keyed, tags_of
from bff_core.upstream.client import Upstream
from bff_core.upstream.error_mapping import FailsWith
from bff_core.upstream.graphql.decoding import FIELDS_FAILED, Incomplete, OnErrors, graphql_decoding
from bff_core.upstream.graphql.operation import GraphQLOperation, operation_of
from bff_core.upstream.reading.tolerant import Reduced
from bff_core.upstream.request_bodies import FilePart, json_of
from bff_core.upstream.request_headers import Fields, encoded, replaced
from bff_core.upstream.request_target import encode_query, template

T = TypeVar("T")

Variables = Mapping[str, object]
"""The variables of an operation by name; `msgspec.UNSET` leaves one out, None is null."""

NO_VARIABLES: Final[Variables] = MappingProxyType({})
NO_PARAMETERS: Final[Mapping[str, Scalar]] = MappingProxyType({})

NO_STATUSES: Final = frozenset[int]()
"""The statuses that are passed through of a reply that is no GraphQL response."""

UNKNOWN_HASH: Final = frozenset({"PERSISTED_QUERY_NOT_FOUND", "PERSISTED_QUERY_NOT_SUPPORTED"})
"""The codes of a service that has not stored the document of a hash."""

MAX_TARGET_BYTES: Final = 4096
"""A query with a longer target is sent by POST: servers and proxies limit the request line."""

ACCEPT: Final[Headers] = ((b"accept", b"application/graphql-response+json, application/json"),)
POSTED: Final[Headers] = (*ACCEPT, (b"content-type", b"application/json"))


class GraphQLUpstream(Upstream):
    """Base of the clients of GraphQL services.

        class Catalog(GraphQLUpstream):
            policy = Policy(timeout=0.8, keyed=False)

            async def product(self, product_id: str) -> ProductResult:
                return await self.query(PRODUCT, ProductResult, variables={"id": product_id})

    A query is a read, although it is sent by POST: it may be retried, hedged and coalesced. With
    `queries_by = "GET"` it is sent by GET, which the service has to allow, and is cached as
    `Policy.cache` says. A mutation is a write. `persisted` sends the SHA-256 of a document in place
    of it (automatic persisted queries), and the document if the service does not know it yet.
    """

    policy: ClassVar[Policy] = Policy(keyed=False)
    path: ClassVar[str] = "/graphql"
    """The path of the endpoint."""
    queries_by: ClassVar[Literal["POST", "GET"]] = "POST"
    """The method of queries."""
    field_errors: ClassVar[OnErrors] = "partial"
    """What becomes of queries with data and errors, unless a call says otherwise."""
    persisted: ClassVar[bool] = False
    """Whether the hash of a document is sent first."""

    def __init_subclass__(cls, **options: object) -> None:
        taken = [name for name in ("query", "mutate") if name in vars(cls)]
        if taken:
            raise ConfigurationError(
                f"{cls.__name__}.{taken[0]}: every GraphQL upstream has one; rename it"
            )
        super().__init_subclass__(**options)
        if not isinstance(cls.path, str) or not cls.path.startswith("/"):
            raise ConfigurationError(f"{cls.__name__}.path must be a path, such as /graphql")
        if cls.field_errors not in {"partial", "raise"}:
            raise ConfigurationError(f"{cls.__name__}.field_errors must be partial or raise")
        if cls.queries_by not in {"POST", "GET"}:
            raise ConfigurationError(f"{cls.__name__}.queries_by must be POST or GET")
        if cls.policy.cache is not None and cls.queries_by == "POST":
            raise ConfigurationError(
                f"{cls.__name__}.policy: no cache stores replies to a POST: set queries_by = "
                '"GET" if the service allows it, or leave Policy(cache=...) out'
            )

    async def query(
        self,
        document: str,
        model: TypeForm[T],
        /,
        *,
        variables: Variables = NO_VARIABLES,
        errors: OnErrors | None = None,
        headers: Fields | None = None,
        cache: Cache | bool = True,
        fails_with: FailsWith = NO_TRANSLATIONS,
    ) -> T:
        """Send a query and return its data as `model`.

        If fields failed that may be null, they are None and the part is marked as partial; with
        `errors="raise"`, or `field_errors` of the class, that is an error, too. Raises
        `GraphQLFailed` if errors left no data, and any other `UpstreamError`. `cache` overrides the
        policy's; tags are filled with `variables`.
        """
        request = _Request(
            operation_of(document, "query"),
            _given(variables),
            graphql_decoding(self._decodings[model], errors or self.field_errors),
            headers,
            cache,
            tags_of(self._stack.policy.cache, cache, _tag_values(variables)),
        )
        return await self._answered(request, fails_with)  # type: ignore[return-value]  # by the decoding of the model

    async def mutate(
        self,
        document: str,
        model: TypeForm[T],
        /,
        *,
        variables: Variables = NO_VARIABLES,
        errors: OnErrors = "raise",
        headers: Fields | None = None,
        purges: Sequence[str] = (),
        fails_with: FailsWith = NO_TRANSLATIONS,
    ) -> T:
        """Send a mutation and return its data as `model`.

        Any error raises `GraphQLFailed`; with `errors="partial"` only those that left no data. It
        is sent again only with an `Idempotency-Key`, see `Policy.keyed`. `purges` are filled with
        `variables`.
        """
        request = _Request(
            operation_of(document, "mutation"),
            _given(variables),
            graphql_decoding(self._decodings[model], errors),
            headers,
            purges=filled(tuple(purges), _tag_values(variables)),
        )
        return await self._answered(request, fails_with)  # type: ignore[return-value]  # by the decoding of the model

    async def _answered(self, request: "_Request", fails_with: FailsWith) -> object:
        """Return the value of a request; send its document again if the service lacks the hash."""
        try:
            return await self._sent(request, has_document=not self.persisted)
        except GraphQLFailed as failure:
            if not self.persisted or UNKNOWN_HASH.isdisjoint(failure.codes):
                self._refuse(failure, fails_with)
        except BadStatus as failure:
            self._refuse(failure, fails_with)
        try:
            return await self._sent(request, has_document=True)
        except BadStatus as failure:
            self._refuse(failure, fails_with)

    async def _sent(self, request: "_Request", *, has_document: bool) -> object:
        payload = request.payload(has_document=has_document, has_digest=self.persisted)
        is_read = request.operation.kind == "query"
        call = (
            self._query_call(request, payload) if is_read else self._mutation_call(request, payload)
        )
        reply = await self.reply(call)
        decode = request.decode
        known = NOT_DECODED if reply.decoded is None else reply.decoded.get(decode, NOT_DECODED)
        value = decode.value(reply, call) if known is NOT_DECODED else known
        if isinstance(value, Reduced):
            reason = FIELDS_FAILED if isinstance(value, Incomplete) else BadPayload.code
            is_new = reply.source == "upstream"
            return self.reduced(value, call, is_new=is_new, reason=reason)
        return value

    def _query_call(self, request: "_Request", payload: Mapping[str, object]) -> Call:
        """Return the call of a query: made as a GET, and sent by GET or POST."""
        target, body, method, fields = template(self.path).fill({}), b"", "GET", ACCEPT
        if self.queries_by == "GET":
            texts = {name: _text(value) for name, value in payload.items()}
            target += encode_query(texts)
        if self.queries_by == "POST" or len(target) > MAX_TARGET_BYTES:
            target, body, method, fields = self.path, json_of(payload), "POST", POSTED
        call = self.call(
            "GET",
            self.path,
            NO_PARAMETERS,
            query=None,
            ours=replaced(fields, self._default_headers),
            headers=request.headers,
            cache=False,
            decode=request.decode,
        )
        return replace(
            call,
            method=method,
            target=target,
            operation=request.operation.label,
            body=body,
            cache=request.cache,
            tags=request.tags,
            is_read=method == "POST",
        )

    def _mutation_call(self, request: "_Request", payload: Mapping[str, object]) -> Call:
        """Return the call of a mutation; its Idempotency-Key depends on the name of it."""
        label, scope = request.operation.label, self._scope
        fields = replaced(POSTED, self._default_headers)
        if request.headers:
            fields = replaced(fields, encoded(request.headers))
        if scope is not None and scope.idempotency_key and self._stack.policy.keyed:
            fields = keyed(fields, scope, self.name, label, self.path)
        body = json_of(payload)
        call = self.call(
            "POST",
            self.path,
            NO_PARAMETERS,
            query=None,
            ours=fields,
            body=body,
            decode=request.decode,
        )
        return replace(call, operation=label, purges=request.purges)

    def _refuse(self, failure: BadStatus, fails_with: FailsWith) -> NoReturn:
        """Raise the error for a failure, translated by the call or the class.

        The status of a reply that is no GraphQL response is not passed through: a 404 is then the
        address of the endpoint, not what the client requests.
        """
        passes = self.passes_through if isinstance(failure, GraphQLFailed) else NO_STATUSES
        self.fail(failure, fails_with, passes)


@dataclass(frozen=True, slots=True)
class _Request:
    """An operation with its variables, and how its response is read."""

    operation: GraphQLOperation
    variables: Variables
    decode: Decode
    headers: Fields | None = None
    cache: Cache | bool = True
    tags: tuple[str, ...] = ()
    purges: tuple[str, ...] = ()

    def payload(self, *, has_document: bool, has_digest: bool) -> dict[str, object]:
        """Return the parameters of the request (GraphQL over HTTP, section 5.1)."""
        payload: dict[str, object] = {"operationName": self.operation.name}
        if has_document:
            payload["query"] = self.operation.document
        if self.variables:
            payload["variables"] = self.variables
        if has_digest:
            hashed = {"version": 1, "sha256Hash": self.operation.digest}
            payload["extensions"] = {"persistedQuery": hashed}
        return payload


def _text(value: object) -> str:
    return value if isinstance(value, str) else json_of(value).decode()


def _given(variables: Variables) -> Variables:
    """Return the variables that are sent; raise `UnsupportedValue` for files."""
    for name, value in variables.items():
        if isinstance(value, FilePart | StreamedBody | bytes):
            raise UnsupportedValue(
                f"variable {name!r} is a file: multipart requests of GraphQL are not supported; "
                "send files through a REST upstream"
            )
    return {name: value for name, value in variables.items() if value is not UNSET}


def _tag_values(variables: Variables) -> Variables:
    """Return the variables for the tags of a call; one that is left out makes no tag."""
    return {name: None if value is UNSET else value for name, value in variables.items()}
