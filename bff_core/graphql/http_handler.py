"""Handles a GraphQL request over HTTP: reads, checks and executes it, and renders the result."""

from collections.abc import Callable

import msgspec
import strawberry
from graphql import DocumentNode, GraphQLError, OperationDefinitionNode, OperationType
from starlette.exceptions import HTTPException
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope
from strawberry.types import ExecutionResult

from bff_core.compat.strawberry import graphql_schema
from bff_core.edge.idempotency import stored_answer
from bff_core.graphql.answer import Response, answer, refusal
from bff_core.graphql.context import Context
from bff_core.graphql.documents import Documents, Operation, RequestRefused
from bff_core.graphql.execution import Execution
from bff_core.graphql.failures import rendered, rendered_refusal, report
from bff_core.graphql.field_rules import FieldRules
from bff_core.graphql.idempotency import ignore_key_of_query, mark_unknown_outcome
from bff_core.graphql.negotiation import Medium, medium_for
from bff_core.graphql.query_limits import QueryLimits
from bff_core.graphql.request import GraphQLRequest, read_body, read_query
from bff_core.graphql.served_fields import failed_fields, labels_of, shown_fields
from bff_core.graphql.validation import MAX_ERRORS
from bff_core.http_exchange.answer import Answer
from bff_core.http_exchange.request_context import SCOPE, context_of, note_error
from bff_core.routing.wiring import wiring_of
from bff_core.scope import Scope
from bff_core.view_cache.cache import ViewCache

MakeViewCache = Callable[[DocumentNode, OperationDefinitionNode], ViewCache]
"""Returns the view cache of one operation."""

_encode_sorted = msgspec.json.Encoder(order="sorted").encode


class GraphQLView:
    """Answers GraphQL over HTTP for one schema; an ASGI application for routed requests.

    `documents` caches those of the queries that it has executed.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        limits: QueryLimits,
        *,
        with_introspection: bool,
        with_timing: bool,
        make_view_cache: MakeViewCache,
    ) -> None:
        self._make_view_cache = make_view_cache
        self._limits = limits
        self.documents = Documents(schema, limits, with_introspection=with_introspection)
        self._execution = Execution(schema)
        self._rules = FieldRules(graphql_schema(schema))
        self._with_timing = with_timing

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer one request; a request that is not GraphQL raises, and gets a problem document."""
        request_scope: Scope = scope[SCOPE]
        medium = medium_for(request_scope.header("accept"))
        is_get = scope["method"] != "POST"
        try:
            request = (
                read_query(request_scope, self._limits)
                if is_get
                else await read_body(scope, request_scope, receive, self._limits)
            )
            operation, request_scope.query_cost = self.documents.admit(
                request.query, request.operation_name, request.variables
            )
            kind = operation.node.operation
            _admit(kind, is_get=is_get)
        except RequestRefused as refused:
            request_scope.outcome = "read"
            await refusal(rendered_refusal(refused), medium).send(send)
            return
        ignore_key_of_query(request_scope, kind)
        wiring = wiring_of(scope)
        if wiring.events.is_counted or wiring.events.is_traced:
            _note_fields(request_scope, operation)
        if kind is OperationType.MUTATION and context_of(scope).verdict is not None:
            await self._replay(request, operation, scope, send)
            return
        view_cache = self._view_cache(operation) if is_get else None
        cacheable = None if view_cache is None else view_cache.begin(wiring, request_scope)
        if cacheable is not None and not self._may_select_all(request, operation, request_scope):
            cacheable = None  # the resolvers will refuse the fields
        if cacheable is not None:
            hit = cacheable.peek(_key_values(request, medium)) or await cacheable.fetch()
            if hit is not None:
                await Answer(200, *hit).send(send)
                return
            cacheable.record()
        context = Context(request_scope, wiring)
        answered = await self._executed(request, operation, context, medium, is_get=is_get)
        _note_failure(scope, context)
        if cacheable is not None:
            is_open = all(rule.is_open(request_scope) for rule in operation.rules or ())
            cacheable.prepare(answered.headers, answered.body, is_open=is_open)
        elif view_cache is not None:
            view_cache.add_status(wiring, answered.headers)
        await answered.send(send)
        if cacheable is not None:
            await cacheable.store()

    async def _replay(
        self,
        request: GraphQLRequest,
        operation: Operation,
        scope: ASGIScope,
        send: Send,
    ) -> None:
        """Replay the answer of a mutation, or refuse its key, if the access rules allow it."""
        request_scope: Scope = scope[SCOPE]
        medium = medium_for(request_scope.header("accept"))
        errors = self._rules.refusals(
            operation.document, operation.node, request.variables, request_scope
        )
        if errors:
            result = ExecutionResult(data=None, errors=errors)
            context = Context(request_scope, wiring_of(scope))
            await self._rendered(result, context, medium, is_get=False).send(send)
        elif (stored := stored_answer(scope)) is not None:
            await stored.send(send)

    def _view_cache(self, operation: Operation) -> ViewCache:
        """Return the view cache of an operation."""
        if operation.view_cache is None:
            operation.view_cache = self._make_view_cache(operation.document, operation.node)
        return operation.view_cache

    def _may_select_all(
        self, request: GraphQLRequest, operation: Operation, request_scope: Scope
    ) -> bool:
        """Whether the access rules allow the viewer to select all fields of an operation."""
        if operation.rules is None:
            operation.rules = self._rules.of(operation.document, operation.node)
        return self._rules.are_met(
            operation.rules, operation.node, request.variables, request_scope
        )

    async def _executed(
        self,
        request: GraphQLRequest,
        operation: Operation,
        context: Context,
        medium: Medium,
        *,
        is_get: bool,
    ) -> Answer:
        try:
            result = await self._execution.run(request, operation, context)
            return self._rendered(result, context, medium, is_get=is_get)
        finally:
            await context.aclose()

    def _rendered(
        self, result: ExecutionResult, context: Context, medium: Medium, *, is_get: bool
    ) -> Answer:
        errors, request_scope = result.errors or (), context.scope
        if errors:
            report(errors, context)
            mark_unknown_outcome(request_scope, errors, context.changes)
            labels = context.untracked_scope.root_fields or {}
            context.untracked_scope.failed_fields = failed_fields(result, errors, labels)
        if result.data is None and not any(error.path for error in errors):
            request_scope.outcome, context.untracked_scope.root_fields = "read", None
            return refusal([rendered(error) for error in errors[:MAX_ERRORS]], medium)
        return answer(
            _response(result), context, medium, with_timing=self._with_timing, with_tag=is_get
        )


def _note_fields(scope: Scope, operation: Operation) -> None:
    """Set the labels and names of the root fields, which are computed once for a document."""
    if operation.labels is None or operation.shown is None:
        operation.labels = labels_of(operation.document, operation.node)
        operation.shown = shown_fields(operation.document, operation.node)
    scope.root_fields, scope.shown_fields = operation.labels, operation.shown


def _admit(kind: OperationType, *, is_get: bool) -> None:
    """Refuse subscriptions, and mutations by GET."""
    if kind is OperationType.SUBSCRIPTION:
        message = "Subscriptions are not served here."
        raise RequestRefused("subscription_not_served", GraphQLError(message))
    if is_get and kind is OperationType.MUTATION:
        raise HTTPException(405, "A mutation is sent by POST.", {"allow": "POST"})


def _response(result: ExecutionResult) -> Response:
    response: Response = {"data": result.data}
    if result.errors:
        response["errors"] = [rendered(error) for error in result.errors]
    if result.extensions:
        response["extensions"] = result.extensions
    return response


def _note_failure(scope: ASGIScope, context: Context) -> None:
    """Note a failure for the log line of the request, although the answer has status 200."""
    if context.failure is not None:
        note_error(scope, context.failure, is_partial=True)
    elif context.is_reported:
        context_of(scope).is_reported = True


def _key_values(request: GraphQLRequest, medium: Medium) -> tuple[object, ...]:
    """Return everything that an answer depends on beside what resolvers read from the scope."""
    variables = _encode_sorted(request.variables).decode()
    return request.query, request.operation_name, variables, medium.content_type
