"""From one HTTP request to the bytes of its answer: read, check, execute, tell."""

import strawberry
from graphql import GraphQLError, OperationDefinitionNode, OperationType
from starlette.exceptions import HTTPException
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope
from strawberry.types import ExecutionResult

from bff_core.edge.exchange import SCOPE
from bff_core.edge.wiring import wiring_of
from bff_core.graphql.answer import Answer, Response, answer, refusal
from bff_core.graphql.context import Context
from bff_core.graphql.documents import Document, Documents, RequestRefused
from bff_core.graphql.execution import Execution
from bff_core.graphql.failures import report, told, told_refused
from bff_core.graphql.keyed import begin, end
from bff_core.graphql.limits import Limits
from bff_core.graphql.negotiation import Medium, medium_for
from bff_core.graphql.request import Asked, read_body, read_query
from bff_core.scope import Scope


class GraphQLView:
    """Answers GraphQL over HTTP for one schema: an ASGI application for routed requests."""

    def __init__(
        self,
        schema: strawberry.Schema,
        limits: Limits,
        *,
        with_introspection: bool,
        with_timing: bool,
    ) -> None:
        self._documents = Documents(schema, limits, with_introspection=with_introspection)
        self._execution = Execution(schema, self._documents)
        self._with_timing = with_timing

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer one request; what is no GraphQL request at all raises, and becomes a problem."""
        seen: Scope = scope[SCOPE]
        medium = medium_for(seen.header("accept"))
        reads = scope["method"] != "POST"
        asked = read_query(seen) if reads else await read_body(scope, seen, receive)
        made = await self._respond(asked, scope, medium, only_reads=reads)
        await send({"type": "http.response.start", "status": made.status, "headers": made.headers})
        await send({"type": "http.response.body", "body": made.body})

    async def _respond(
        self, asked: Asked, scope: ASGIScope, medium: Medium, *, only_reads: bool
    ) -> Answer:
        try:
            document = self._documents.find(asked.query)
            operation = document.operation(asked.operation_name)
            _admit(operation, only_reads=only_reads)
        except RequestRefused as refused:
            scope[SCOPE].outcome = "read"
            return refusal(told_refused(refused), medium)
        begin(scope[SCOPE], operation.operation)
        context = Context(scope[SCOPE], wiring_of(scope))
        try:
            return await self._executed(asked, document, context, medium)
        finally:
            await context.aclose()

    async def _executed(
        self, asked: Asked, document: Document, context: Context, medium: Medium
    ) -> Answer:
        result = await self._execution.run(asked, document, context)
        errors = result.errors or ()
        if errors:
            report(errors, context.events, context.scope.request_id)
            end(context.scope, errors)
        if result.data is None and not any(error.path for error in errors):
            context.scope.outcome = "read"
            return refusal([told(error) for error in errors], medium)
        return answer(_response(result), context, medium, with_timing=self._with_timing)


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
