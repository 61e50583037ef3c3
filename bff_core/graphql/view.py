"""From one HTTP request to the bytes of its answer: read, check, execute, tell."""

from collections.abc import Callable

import msgspec
import strawberry
from graphql import GraphQLError, OperationDefinitionNode, OperationType
from starlette.exceptions import HTTPException
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope
from strawberry.types import ExecutionResult

from bff_core.compat.strawberry import graphql_schema
from bff_core.edge.idempotency import send_again, stored_answer
from bff_core.exchange.context import SCOPE, exchange_of, note_error
from bff_core.graphql.answer import GraphQLAnswer, Response, answer, refusal
from bff_core.graphql.context import Context
from bff_core.graphql.documents import Document, Documents, RequestRefused
from bff_core.graphql.execution import Execution
from bff_core.graphql.failures import report, told, told_refused
from bff_core.graphql.field_rules import FieldRules
from bff_core.graphql.idempotency import begin, end
from bff_core.graphql.negotiation import Medium, medium_for
from bff_core.graphql.query_limits import QueryLimits
from bff_core.graphql.request import GraphQLRequest, read_body, read_query
from bff_core.graphql.validation import MAX_ERRORS
from bff_core.routing.wiring import wiring_of
from bff_core.scope import Scope
from bff_core.view_cache.cache import Keeper

MakeKeeper = Callable[[], Keeper]
"""Makes what looks after the answers of one operation."""

_encode_sorted = msgspec.json.Encoder(order="sorted").encode


class GraphQLView:
    """Answers GraphQL over HTTP for one schema: an ASGI application for routed requests."""

    def __init__(
        self,
        schema: strawberry.Schema,
        limits: QueryLimits,
        *,
        with_introspection: bool,
        with_timing: bool,
        make_keeper: MakeKeeper,
    ) -> None:
        self._make_keeper = make_keeper
        self._limits = limits
        self._documents = Documents(schema, limits, with_introspection=with_introspection)
        self._execution = Execution(schema, self._documents)
        self._rules = FieldRules(graphql_schema(schema))
        self._with_timing = with_timing

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer one request; what is no GraphQL request at all raises, and becomes a problem."""
        seen: Scope = scope[SCOPE]
        medium = medium_for(seen.header("accept"))
        reads = scope["method"] != "POST"
        try:
            asked = (
                read_query(seen, self._limits)
                if reads
                else await read_body(scope, seen, receive, self._limits)
            )
            document, operation, seen.query_cost = self._documents.admit(
                asked.query, asked.operation_name, asked.variables
            )
            _admit(operation, only_reads=reads)
        except RequestRefused as refused:
            seen.outcome = "read"
            await _send(refusal(told_refused(refused), medium), send)
            return
        begin(seen, operation.operation)
        wiring = wiring_of(scope)
        if operation.operation is OperationType.MUTATION and exchange_of(scope).verdict is not None:
            await self._answer_again(asked, document, operation, scope, send)
            return
        keeper = self._keeper(asked, document) if reads else None
        keeping = None if keeper is None else keeper.open(wiring, seen)
        if keeping is not None and not self._may_see(asked, document, operation, seen):
            keeping = None  # its resolvers refuse what they have to
        if keeping is not None:
            kept = keeping.peek(_inputs(asked, medium)) or await keeping.fetch()
            if kept is not None:
                await _send(GraphQLAnswer(200, *kept), send)
                return
            keeping.watch()
        context = Context(seen, wiring)
        made = await self._executed(asked, document, context, medium, reads=reads)
        _note_failure(scope, context)
        draft = None
        if keeping is not None:
            is_open = all(rule.is_open(seen) for rule in document.rules[asked.operation_name])
            draft = keeping.settle(made.headers, made.body, is_open=is_open)
        elif keeper is not None:
            keeper.pass_by(wiring, made.headers)
        await _send(made, send)
        if keeping is not None and draft is not None:
            await keeping.keep(draft)

    async def _answer_again(
        self,
        asked: GraphQLRequest,
        document: Document,
        operation: OperationDefinitionNode,
        scope: ASGIScope,
        send: Send,
    ) -> None:
        """Answer a mutation that its key forbids to execute; the rules of its fields go first."""
        seen: Scope = scope[SCOPE]
        medium = medium_for(seen.header("accept"))
        errors = self._rules.refusals(document.node, operation, asked.variables, seen)
        if errors:
            result = ExecutionResult(data=None, errors=errors)
            context = Context(seen, wiring_of(scope))
            await _send(self._told(result, context, medium, reads=False), send)
        elif (stored := stored_answer(scope)) is not None:
            await send_again(stored, send)

    def _keeper(self, asked: GraphQLRequest, document: Document) -> Keeper:
        """Return what looks after the answers to a query."""
        keeper = document.keepers.get(asked.operation_name)
        if keeper is None:
            keeper = document.keepers[asked.operation_name] = self._make_keeper()
        return keeper

    def _may_see(
        self,
        asked: GraphQLRequest,
        document: Document,
        operation: OperationDefinitionNode,
        seen: Scope,
    ) -> bool:
        """Whether a viewer may be given a stored answer to a query, whomever it was made for."""
        rules = document.rules.get(asked.operation_name)
        if rules is None:
            rules = self._rules.of(document.node, operation)
            document.rules[asked.operation_name] = rules
        return self._rules.are_met(rules, operation, asked.variables, seen)

    async def _executed(
        self,
        asked: GraphQLRequest,
        document: Document,
        context: Context,
        medium: Medium,
        *,
        reads: bool,
    ) -> GraphQLAnswer:
        try:
            result = await self._execution.run(asked, document, context)
            return self._told(result, context, medium, reads=reads)
        finally:
            await context.aclose()

    def _told(
        self, result: ExecutionResult, context: Context, medium: Medium, *, reads: bool
    ) -> GraphQLAnswer:
        errors, seen = result.errors or (), context.scope
        if errors:
            report(errors, context)
            end(seen, errors)
        if result.data is None and not any(error.path for error in errors):
            seen.outcome = "read"
            return refusal([told(error) for error in errors[:MAX_ERRORS]], medium)
        return answer(
            _response(result), context, medium, with_timing=self._with_timing, with_tag=reads
        )


def _admit(operation: OperationDefinitionNode, *, only_reads: bool) -> None:
    """Refuse subscriptions, which need a road of their own, and changes by GET."""
    if operation.operation is OperationType.SUBSCRIPTION:
        message = "Subscriptions are not served here."
        raise RequestRefused("subscription_not_served", GraphQLError(message))
    if only_reads and operation.operation is OperationType.MUTATION:
        raise HTTPException(405, "A mutation is sent by POST.", {"allow": "POST"})


def _response(result: ExecutionResult) -> Response:
    response: Response = {"data": result.data}
    if result.errors:
        response["errors"] = [told(error) for error in result.errors]
    if result.extensions:
        response["extensions"] = result.extensions
    return response


def _note_failure(scope: ASGIScope, context: Context) -> None:
    """Leave a failure to the line of the request: the answer has status 200 all the same."""
    if context.failure is not None:
        note_error(scope, context.failure, is_partial=True)
    elif context.is_reported:
        exchange_of(scope).is_reported = True


def _inputs(asked: GraphQLRequest, medium: Medium) -> tuple[object, ...]:
    """Return all that an answer may depend on and that no resolver reads from the scope."""
    variables = _encode_sorted(asked.variables).decode()
    return asked.query, asked.operation_name, variables, medium.content_type


async def _send(made: GraphQLAnswer, send: Send) -> None:
    await send({"type": "http.response.start", "status": made.status, "headers": made.headers})
    await send({"type": "http.response.body", "body": made.body})
